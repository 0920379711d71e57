//! `git lane adopt`: worktrees that other programs made become lanes where they are.

mod ends;
mod races;
mod refused;
mod tools;
mod verbs;

use std::path::{Path, PathBuf};

use crate::support::{Sandbox, listing};

/// A worktree made by hand, with one commit of its own, and the sandbox that it is in.
fn by_hand(sandbox: &Sandbox, branch: &str) -> PathBuf {
    let path = sandbox.root().join(format!("shop-{branch}"));
    sandbox.add_worktree(branch, &path);
    std::fs::write(path.join(branch), "work\n").unwrap();
    sandbox.git_in(&path, ["add", "-A"]);
    sandbox.git_in(&path, ["commit", "-qm", branch]);
    path
}

/// Everything that is the worktree's and its branch's: files, admin directory, refs, settings.
fn untouched(sandbox: &Sandbox, path: &Path) -> String {
    let admin = sandbox.admin(path);
    let config = sandbox.git(["config", "--list", "--local"]);
    let settings = config.lines().filter(|line| !line.starts_with("lane."));
    [
        listing(path),
        listing(&admin),
        sandbox.git(["for-each-ref"]),
        sandbox.git(["reflog", "show", "--all"]),
        settings.collect::<Vec<_>>().join("\n"),
    ]
    .join("\n--\n")
}
