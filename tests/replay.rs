//! Historical merges of a real repository, replayed as lanes: each landing must be what git itself
//! makes of it.
//!
//! `GIT_LANE_TEST_REPLAY=/path/to/repository cargo test --test suite replay -- --nocapture` replays
//! its newest 120 merges (`GIT_LANE_TEST_REPLAY_MERGES` sets another number); the repository is
//! cloned, not touched.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Sandbox, write};

/// What came out of a merge: the tree, or the paths in conflict.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Tree(String),
    Conflict,
}

#[test]
fn merges_of_a_real_repository_land_as_git_would_merge_them() {
    let Some(source) = std::env::var_os("GIT_LANE_TEST_REPLAY").map(PathBuf::from) else {
        eprintln!("skipped: GIT_LANE_TEST_REPLAY names no repository; replaying a small one");
        return replay(&small(), 12);
    };
    let merges = std::env::var("GIT_LANE_TEST_REPLAY_MERGES")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(120);
    let sandbox = Sandbox::empty();
    sandbox.git_in(
        &sandbox.root(),
        ["clone", "-q", "--local", source.to_str().unwrap(), "shop"],
    );
    replay(&sandbox, merges);
}

/// A repository with merges that are clean, that conflict, and that rename.
fn small() -> Sandbox {
    let sandbox = Sandbox::new();
    for n in 0..12 {
        sandbox.git(["switch", "-q", "-c", &format!("topic{n}")]);
        match n % 3 {
            0 => sandbox.write("src/app.txt", format!("one\ntwo of topic {n}\nthree\n")),
            1 => sandbox.write(&format!("new{n}.txt"), "new\n"),
            _ => {
                let readme = first_readme(&sandbox);
                std::fs::rename(&readme, readme.with_file_name(format!("README{n}"))).unwrap();
            }
        }
        sandbox.commit(&format!("topic {n}"));
        sandbox.git(["switch", "-q", "main"]);
        match n % 3 {
            0 => sandbox.write("src/app.txt", format!("one\ntwo of main {n}\nthree\n")),
            1 => sandbox.write(&format!("main{n}.txt"), "main\n"),
            _ => append(&first_readme(&sandbox), "more\n"),
        }
        sandbox.commit(&format!("main {n}"));
        sandbox.git([
            "merge",
            "-q",
            "--no-ff",
            "--no-edit",
            "-s",
            "ort",
            "-X",
            "ours",
            &format!("topic{n}"),
        ]);
    }
    sandbox
}

fn first_readme(sandbox: &Sandbox) -> PathBuf {
    let listed = sandbox.git(["ls-files", "README*"]);
    sandbox.repo.join(listed.lines().next().unwrap())
}

fn append(path: &Path, text: &str) {
    let before = std::fs::read_to_string(path).unwrap();
    write(path, before + text);
}

fn replay(sandbox: &Sandbox, merges: usize) {
    let listed = sandbox.git([
        "log",
        "--merges",
        "--min-parents=2",
        "--max-parents=2",
        "--format=%P",
        &format!("-{merges}"),
        "HEAD",
    ]);
    let merges: Vec<(&str, &str)> = listed
        .lines()
        .filter_map(|line| line.split_once(' '))
        .collect();
    assert!(!merges.is_empty(), "the repository has merges");
    // git merges in a worktree of its own, so that neither side sees the other's index.
    let theirs = sandbox.root().join("theirs");
    sandbox.git([
        "worktree",
        "add",
        "-q",
        "--detach",
        theirs.to_str().unwrap(),
    ]);
    let (mut ours_took, mut conflicts) = (Vec::new(), 0);
    for (n, (first, second)) in merges.iter().enumerate() {
        let expected = git_merges(sandbox, &theirs, first, second);
        let (found, took) = lane_lands(sandbox, n, first, second);
        assert_eq!(found, expected, "merge of {second} into {first}");
        conflicts += usize::from(expected == Verdict::Conflict);
        ours_took.push(took);
    }
    ours_took.sort();
    let median = ours_took[ours_took.len() / 2];
    eprintln!(
        "{} merges replayed, {conflicts} of them conflicts; a finish took {median:?} (median)",
        merges.len()
    );
}

fn git_merges(sandbox: &Sandbox, worktree: &Path, first: &str, second: &str) -> Verdict {
    sandbox.git_in(worktree, ["reset", "-q", "--hard", first]);
    let merged = sandbox.run(sandbox.command("git").current_dir(worktree).args([
        "merge",
        "-q",
        "--no-ff",
        "--no-edit",
        second,
    ]));
    if merged.code == 0 {
        merged.ok();
        return Verdict::Tree(sandbox.git_in(worktree, ["rev-parse", "HEAD^{tree}"]));
    }
    let _ = merged.fails(1);
    sandbox.git_in(worktree, ["merge", "--abort"]);
    Verdict::Conflict
}

fn lane_lands(sandbox: &Sandbox, n: usize, first: &str, second: &str) -> (Verdict, Duration) {
    let (base, lane) = (format!("base{n}"), format!("replayed{n}"));
    sandbox.git(["branch", "-q", &base, first]);
    sandbox.git(["branch", "-q", &lane, second]);
    sandbox.lane(["start", &lane, "--base", &base]).ok();
    let mut finish = sandbox.command("git-lane");
    finish
        .args(["finish", &lane, "--strategy", "merge"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let start = Instant::now();
    let run = sandbox.run(&mut finish);
    let took = start.elapsed();
    let verdict = if run.code == 3 {
        let _ = run.fails(3);
        sandbox.lane(["drop", "--force", &lane]).ok();
        Verdict::Conflict
    } else {
        run.ok();
        Verdict::Tree(sandbox.git(["rev-parse", &format!("{base}^{{tree}}")]))
    };
    // The trash would keep every worktree of the replay.
    remove(&sandbox.repo.join(".git/lane/trash"));
    (verdict, took)
}

fn remove(directory: &Path) {
    let status = Command::new("rm").arg("-rf").arg(directory).status();
    assert!(status.is_ok_and(|status| status.success()));
}
