//! `git lane rename`

mod goes_along;
mod interrupted;
mod odd_places;
mod refused;
mod taken_back;

use std::path::Path;

use crate::support::{Sandbox, listing, write};

/// A lane `login` with two commits, and with work of every kind that is not committed.
fn at_work() -> Sandbox {
    let sandbox = Sandbox::new();
    begin(&sandbox);
    sandbox
}

fn begin(sandbox: &Sandbox) {
    sandbox.lane(["start", "login", "--task", "a task"]).ok();
    sandbox.work("login", "one", "one\n");
    sandbox.work("login", "two", "two\n");
    let path = sandbox.lane_path("login");
    write(&path.join("README"), "edited\n");
    write(&path.join("staged"), "staged\n");
    sandbox.git_in(&path, ["add", "staged"]);
    write(&path.join("new"), "new\n");
    write(&path.join(".git-ignored"), "kept\n");
}

/// What of a lane must not change with its name: its files, and the record but for names and places.
fn content(sandbox: &Sandbox, name: &str, path: &Path) -> String {
    let files = listing(path);
    let files = files.lines().filter(|line| !line.contains("\".git\""));
    let record = sandbox.git(["config", "--get-regexp", &format!("^lane\\.{name}\\.")]);
    let record = record.replace(&format!("lane.{name}."), "lane.");
    let names = ["lane.branch ", "lane.worktree "];
    let record = record
        .lines()
        .filter(|line| !names.iter().any(|own| line.starts_with(own)));
    let status = sandbox.git_in(path, ["status", "--porcelain"]);
    let all = files.chain(record).chain(status.lines());
    all.collect::<Vec<_>>().join("\n")
}

/// The lane is whole under that name: on its branch, in its place, in git's list, and nothing is left
/// behind.
#[track_caller]
fn assert_is(sandbox: &Sandbox, name: &str, branch: &str, path: &Path) {
    let value = |key: &str| sandbox.git(["config", &format!("lane.{name}.{key}")]);
    assert_eq!(value("branch"), branch);
    assert_eq!(value("worktree"), path.to_str().unwrap());
    assert_eq!(
        sandbox.git_in(path, ["symbolic-ref", "HEAD"]),
        format!("refs/heads/{branch}")
    );
    let listed = sandbox.git(["worktree", "list", "--porcelain"]);
    let entry = format!("worktree {}\n", path.display());
    assert!(listed.contains(&entry), "{listed}");
    assert!(
        !listed.contains("locked") && !listed.contains("prunable"),
        "{listed}"
    );
    assert_eq!(
        Path::new(&sandbox.git_in(path, ["rev-parse", "--show-toplevel"])),
        path
    );
    assert_eq!(sandbox.findings(), Vec::<String>::new());
    sandbox.plain_git_works();
    sandbox.nothing_under_way();
}
