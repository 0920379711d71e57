//! What others do to a lane between the death of a git-lane command and the next one.

mod landings;
mod removals;
mod unrecovered;

use std::path::{Path, PathBuf};

use crate::support::{Sandbox, age, write};

/// A lane with one commit; the commit.
fn with_work(sandbox: &Sandbox) -> String {
    sandbox.lane_by_git("login");
    sandbox.work("login", "file", "x")
}

/// Dies at every step of `args` in turn, each time with a lane of its own after `prepare`;
/// `halfway` interferes and says whether it could; `healed` looks at what the next command made of
/// it.
#[track_caller]
fn interfere(
    args: &[&str],
    prepare: fn(&Sandbox),
    halfway: impl Fn(&Sandbox) -> bool,
    healed: impl Fn(&Sandbox, &str),
) {
    let mut interfered = 0;
    for step in 1.. {
        let sandbox = Sandbox::new();
        let commit = with_work(&sandbox);
        prepare(&sandbox);
        let run = sandbox.dying(step, args);
        if run.code == 0 {
            assert!(
                interfered > 0,
                "{args:?} came to its end before anybody could interfere"
            );
            return;
        }
        if halfway(&sandbox) {
            interfered += 1;
            sandbox.lane(["start", "other"]).ok();
            healed(&sandbox, &commit);
            sandbox.plain_git_works();
            sandbox.nothing_under_way();
            assert!(
                sandbox.git(["rev-list", "--all"]).contains(&commit),
                "step {step}: lost"
            );
        }
    }
}

/// Whether main has what [`with_work`] made.
fn has_landed(sandbox: &Sandbox) -> bool {
    let files = sandbox.git(["ls-tree", "--name-only", "main"]);
    files.contains("file")
}

fn admin(sandbox: &Sandbox) -> std::path::PathBuf {
    sandbox.repo.join(".git/worktrees/login")
}

/// The lane is there as it was, or comes back as it was.
fn comes_back(sandbox: &Sandbox, commit: &str) {
    let path = sandbox.lane_path("login");
    if !path.exists() {
        sandbox.lane(["restore", "login"]).ok();
    }
    assert_eq!(
        sandbox.git_in(&path, ["status", "--porcelain", "--branch"]),
        "## login"
    );
    assert_eq!(sandbox.git_in(&path, ["rev-parse", "HEAD"]), commit);
}

/// Dies in `git lane finish login --keep` at the step `at`, with a landing that adds, changes and
/// removes files.
fn dies_landing(at: &str) -> Sandbox {
    dies_landing_by("merge", at)
}

fn dies_landing_by(strategy: &str, at: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    with_work(&sandbox);
    sandbox.work(
        "login",
        "src/app.txt",
        "landed
",
    );
    let path = sandbox.lane_path("login");
    sandbox.git_in(&path, ["rm", "-q", "README"]);
    sandbox.git_in(&path, ["commit", "-q", "-m", "without"]);
    sandbox.died(at, ["finish", "login", "--keep", "--strategy", strategy]);
    sandbox
}

/// The one file of that kind in the journal.
fn journal(sandbox: &Sandbox, extension: &str) -> PathBuf {
    let entries = std::fs::read_dir(sandbox.repo.join(".git/lane/journal"))
        .unwrap()
        .flatten();
    entries
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|end| end == extension))
        .unwrap()
}

/// A lock that some other program took an hour ago.
fn foreign_lock(path: &Path) {
    write(path, "");
    age(path, 3600);
}

fn index_lock(sandbox: &Sandbox) -> std::path::PathBuf {
    sandbox.repo.join(".git/index.lock")
}
