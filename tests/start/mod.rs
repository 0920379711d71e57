//! `git lane start`

mod based;
mod from;
mod held;
mod interrupted;
mod made;
mod moved;
mod read_only;
mod renewed;
mod run;

use std::path::Path;
use std::process::Stdio;

use crate::support::{Sandbox, age, executable, git_version, write};

/// A lane is whole: registered, clean, on its branch, recorded, and nothing else is left.
#[track_caller]
fn assert_whole(sandbox: &Sandbox, name: &str) {
    let path = sandbox.lane_path(name);
    assert_eq!(
        sandbox.git_in(&path, ["status", "--porcelain"]),
        "",
        "{name}"
    );
    assert_eq!(
        sandbox.git_in(&path, ["symbolic-ref", "HEAD"]),
        format!("refs/heads/{name}")
    );
    assert_eq!(
        sandbox.git(["config", &format!("lane.{name}.branch")]),
        name
    );
    assert!(
        sandbox
            .git(["worktree", "list"])
            .contains(&format!("/{name} ")),
        "{name}"
    );
    assert_nothing_left(sandbox);
}

/// No journal, no lock, no staging, no hidden directory.
#[track_caller]
fn assert_nothing_left(sandbox: &Sandbox) {
    for directory in ["journal", "locks", "staging"] {
        let entries: Vec<_> = std::fs::read_dir(sandbox.repo.join(".git/lane").join(directory))
            .into_iter()
            .flatten()
            .collect();
        assert!(entries.is_empty(), "{directory}: {entries:?}");
    }
    assert!(!sandbox.repo.join(".git/config.lock").exists());
    let lanes = std::fs::read_dir(sandbox.root().join("shop.lanes"))
        .into_iter()
        .flatten()
        .flatten();
    let hidden: Vec<_> = lanes
        .map(|entry| entry.file_name())
        .filter(|name| name.to_string_lossy().starts_with('.'))
        .collect();
    assert!(hidden.is_empty(), "{hidden:?}");
}
