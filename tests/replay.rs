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
    let (sandbox, merges) = source();
    replay(&sandbox, merges);
}

#[test]
fn merges_of_a_real_repository_are_forecast_as_git_would_merge_them() {
    let (sandbox, merges) = source();
    forecast(&sandbox, merges);
}

/// What is replayed, and how many of its merges.
fn source() -> (Sandbox, usize) {
    let Some(source) = std::env::var_os("GIT_LANE_TEST_REPLAY").map(PathBuf::from) else {
        eprintln!("skipped: GIT_LANE_TEST_REPLAY names no repository; replaying a small one");
        return (small(), 12);
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
    (sandbox, merges)
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

/// The parents of the newest merges.
fn newest_merges(sandbox: &Sandbox, merges: usize) -> Vec<(String, String)> {
    let listed = sandbox.git([
        "log",
        "--merges",
        "--min-parents=2",
        "--max-parents=2",
        "--format=%P",
        &format!("-{merges}"),
        "HEAD",
    ]);
    let parents = listed.lines().filter_map(|line| line.split_once(' '));
    let merges: Vec<(String, String)> = parents
        .map(|(first, second)| (first.into(), second.into()))
        .collect();
    assert!(!merges.is_empty(), "the repository has merges");
    merges
}

/// Where git merges, so that neither side sees the other's index.
fn worktree_of_git(sandbox: &Sandbox) -> PathBuf {
    let theirs = sandbox.root().join("theirs");
    let place = theirs.to_str().unwrap();
    sandbox.git(["worktree", "add", "-q", "--detach", place]);
    theirs
}

/// Each merge as a lane that has its second parent, committed and then not committed, on a base that
/// is its first.
fn forecast(sandbox: &Sandbox, merges: usize) {
    let merges = newest_merges(sandbox, merges);
    let theirs = worktree_of_git(sandbox);
    sandbox.git(["branch", "-q", "base"]);
    sandbox.lane(["start", "replayed", "--base", "base"]).ok();
    let lane = sandbox.lane_path("replayed");
    let (mut conflicts, mut left_uncommitted) = (0, 0);
    for (first, second) in &merges {
        let merge = format!("merge of {second} into {first}");
        sandbox.git_in(&theirs, ["reset", "-q", "--hard", first]);
        sandbox.git(["update-ref", "refs/heads/base", first]);
        sandbox.git_in(&lane, ["reset", "-q", "--hard", second]);
        sandbox.git_in(&lane, ["clean", "-q", "-ffdx"]);
        let expected = files_by_git(sandbox, &theirs, first, second);
        conflicts += usize::from(expected.is_some());
        assert_eq!(files_forecast(sandbox), expected, "{merge}");
        let forks = sandbox
            .sh(&format!("git merge-base --all {first} {second}"))
            .ok();
        let [fork] = forks.lines().collect::<Vec<_>>()[..] else {
            continue;
        };
        sandbox.git_in(&lane, ["reset", "-q", fork]);
        let taken = sandbox.sh_in(
            &lane,
            "cp \"$(git rev-parse --git-dir)/index\" ../index; export GIT_INDEX_FILE=$PWD/../index; \
             git add -A 2>/dev/null; git commit-tree -p HEAD -m all $(git write-tree)",
        );
        let expected = files_by_git(sandbox, &theirs, first, taken.ok().trim());
        left_uncommitted += 1;
        assert_eq!(files_forecast(sandbox), expected, "{merge}, not committed");
    }
    eprintln!(
        "{} merges forecast, {conflicts} of them conflicts; {left_uncommitted} not committed too",
        merges.len()
    );
}

/// The files in conflict by git, where there is a conflict.
fn files_by_git(
    sandbox: &Sandbox,
    directory: &Path,
    first: &str,
    second: &str,
) -> Option<Vec<String>> {
    let merge = "git merge-tree --write-tree -z --name-only --no-messages";
    let run = sandbox.sh_in(directory, &format!("{merge} {first} {second}"));
    if run.code == 0 {
        return None;
    }
    let text = run.stdout.clone();
    let _ = run.fails(1);
    let fields = text.split('\0').filter(|field| !field.is_empty()).skip(1);
    // Of two things at one path git calls one by its commit.
    let name = |field: &str| field.split('~').next().unwrap_or_default().to_owned();
    let mut files: Vec<String> = fields.map(name).collect();
    files.dedup();
    Some(files)
}

/// The same by the forecast.
fn files_forecast(sandbox: &Sandbox) -> Option<Vec<String>> {
    let run = sandbox.lane(["check", "replayed", "--json"]);
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let lane = &document["lanes"][0];
    let conflict = lane["verdict"] == "conflict";
    assert_eq!(run.code, if conflict { 3 } else { 0 }, "{}", run.stdout);
    assert!(
        lane["unclear"].is_null() && lane["verdict"] != "unknown",
        "{}",
        run.stdout
    );
    let files = lane["paths"].as_array().unwrap().iter();
    conflict.then(|| {
        files
            .map(|file| file.as_str().unwrap().to_owned())
            .collect()
    })
}

fn replay(sandbox: &Sandbox, merges: usize) {
    let merges = newest_merges(sandbox, merges);
    let theirs = worktree_of_git(sandbox);
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
