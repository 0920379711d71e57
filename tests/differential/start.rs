//! `git lane start` against `git worktree add`: the files to the byte, their modes, the index, the
//! admin directory.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Dice, attributes, content, fill, path, seeds, settings};
use crate::as_git::contents;
use crate::support::{Sandbox, age, write};

#[test]
fn start_makes_what_git_worktree_add_makes() {
    for seed in seeds(6) {
        let mut dice = Dice::new(seed);
        let sandbox = Sandbox::new();
        settings(&mut dice, &sandbox);
        // Two commits, between which attributes and settings may change what the main worktree's
        // files look like.
        for _ in 0..2 {
            fill(&mut dice, &sandbox.repo);
            attributes(&mut dice, &sandbox.repo);
            sandbox.commit("random");
            if dice.roll(2) == 0 {
                sandbox.git([
                    "config",
                    "core.autocrlf",
                    *dice.pick(&["true", "input", "false"]),
                ]);
            }
            if dice.roll(2) == 0 {
                age_files(&sandbox);
                sandbox.git(["status"]);
            }
        }
        if dice.roll(3) == 0 {
            write(
                &sandbox.repo.join(".git/info/attributes"),
                (*dice.pick(&super::ATTRIBUTES)).to_string() + "\n",
            );
        }
        disturb(&mut dice, &sandbox);
        let gits = sandbox.lane_path("gits");
        sandbox.add_worktree("gits", &gits);
        sandbox.lane(["start", "first", "second"]).ok();
        for name in ["first", "second"] {
            let lane = sandbox.lane_path(name);
            assert_eq!(contents(&lane), contents(&gits), "seed {seed}, {name}");
            assert_eq!(
                index(&sandbox, &lane),
                index(&sandbox, &gits),
                "seed {seed}, {name}: the index"
            );
            assert_eq!(
                admin(&sandbox, name),
                admin(&sandbox, "gits"),
                "seed {seed}, {name}: the admin directory"
            );
            sane(&sandbox, &lane, seed);
        }
        sandbox.plain_git_works();
        sandbox.nothing_under_way();
    }
}

/// Makes the main worktree's files older than its index.
fn age_files(sandbox: &Sandbox) {
    for path in sandbox.git(["ls-files", "-z"]).split('\0') {
        let path = sandbox.repo.join(path);
        if path
            .symlink_metadata()
            .is_ok_and(|metadata| metadata.is_file())
        {
            age(&path, 90);
        }
    }
}

/// Work in the main worktree, staged and not, that must not reach a lane.
fn disturb(dice: &mut Dice, sandbox: &Sandbox) {
    for _ in 0..dice.roll(5) {
        let file = sandbox.repo.join(path(dice));
        if file
            .symlink_metadata()
            .is_ok_and(|metadata| metadata.is_file())
        {
            match dice.roll(3) {
                0 => write(&file, content(dice)),
                1 => super::chmod(&file, 0o700),
                _ => std::fs::remove_file(&file).unwrap(),
            }
            if dice.roll(2) == 0 {
                sandbox.git(["add", "-A"]);
            }
        }
    }
}

fn index(sandbox: &Sandbox, worktree: &Path) -> String {
    sandbox.git_in(worktree, ["ls-files", "--stage", "-v", "-t"])
}

/// The files that say whose worktree it is, with their modes, and its log's first commit.
fn admin(sandbox: &Sandbox, name: &str) -> BTreeMap<String, String> {
    let mut found = contents(&sandbox.repo.join(".git/worktrees").join(name));
    // git resets the new worktree to where it is, which leaves a trace.
    found.retain(|path, _| !["ORIG_HEAD", "refs", "index"].contains(&path.as_str()));
    for (path, text) in &mut found {
        *text = match path.as_str() {
            "logs/HEAD" => text.chars().take(200).take_while(|c| *c != '<').collect(),
            _ => text.replace(name, "NAME"),
        };
    }
    found
}

/// git finds nothing changed without reading a file, and every entry has the stat data of its file.
fn sane(sandbox: &Sandbox, lane: &Path, seed: u64) {
    use std::os::unix::fs::MetadataExt;
    let said = sandbox.git_in(lane, ["-c", "core.quotePath=false", "ls-files", "--debug"]);
    let mut file = None;
    for line in said.lines() {
        match line.trim_start().split_once(": ") {
            Some(("size", rest)) if line.starts_with("  ") => {
                let path: &Path = file.take().unwrap();
                let size: u64 = rest.split('\t').next().unwrap().parse().unwrap();
                let metadata = path.symlink_metadata().unwrap();
                // git writes no size for an entry as young as its index.
                assert!(
                    metadata.is_dir() || size == 0 || size == metadata.size(),
                    "seed {seed}: {}",
                    path.display()
                );
                assert!(rest.ends_with("flags: 0"), "seed {seed}: {line}");
            }
            _ if line.starts_with("  ") => {}
            _ => {
                let path = lane.join(line);
                file = path
                    .symlink_metadata()
                    .is_ok()
                    .then(|| Box::leak(path.into_boxed_path()) as &Path);
                assert!(file.is_some(), "seed {seed}: {line}");
            }
        }
    }
    assert_eq!(
        sandbox.git_in(lane, ["diff-index", "--cached", "HEAD"]),
        "",
        "seed {seed}"
    );
}
