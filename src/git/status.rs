//! A stand-in until the status room is merged: asks `git status`, one worktree after the other.

use std::ffi::OsStr;
use std::path::Path;

use bstr::{BString, ByteSlice};

use super::command::{self, Invocation};
use crate::domain::status::WorktreeStatus;
use crate::error::Result;

/// How closely to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Count everything.
    Full,
}

/// The status of each worktree, given as directory and admin directory.
pub fn statuses(
    worktrees: &[(&Path, &Path)],
    _common_dir: &Path,
    git: &OsStr,
    _depth: Depth,
) -> Vec<Result<WorktreeStatus>> {
    worktrees.iter().map(|(path, admin_dir)| one(path, admin_dir, git)).collect()
}

fn one(path: &Path, admin_dir: &Path, git: &OsStr) -> Result<WorktreeStatus> {
    let listed = status(path, admin_dir, git).args(["--porcelain=v2", "-z", "--no-renames"]).stdout()?;
    let mut found = WorktreeStatus { operation: super::land::facts::operation(admin_dir), ..Default::default() };
    for entry in listed.split(|byte| *byte == 0).filter(|entry| !entry.is_empty()) {
        match entry[0] {
            b'1' => {
                found.staged += usize::from(entry[2] != b'.');
                found.modified += usize::from(entry[3] != b'.');
                sample(&mut found, &entry[2..4], entry.splitn(9, |byte| *byte == b' ').last());
            }
            b'u' => {
                found.conflicted += 1;
                sample(&mut found, &entry[2..4], entry.splitn(11, |byte| *byte == b' ').last());
            }
            b'?' => {
                found.untracked += 1;
                sample(&mut found, b"??", Some(&entry[2..]));
            }
            _ => {}
        }
    }
    Ok(found)
}

fn sample(found: &mut WorktreeStatus, code: &[u8], path: Option<&[u8]>) {
    if found.samples.len() < 10 {
        found.samples.push([code, b" ", path.unwrap_or_default()].concat().into());
    }
}

/// The ignored files of a worktree, directories collapsed.
pub fn ignored(path: &Path, admin_dir: &Path, _common_dir: &Path, git: &OsStr) -> Result<Vec<BString>> {
    let listed = status(path, admin_dir, git).args(["--porcelain", "-z", "--ignored", "-unormal"]).stdout()?;
    let entries = listed.split(|byte| *byte == 0).filter_map(|entry| entry.strip_prefix(b"!! "));
    Ok(entries.map(|entry| entry.as_bstr().to_owned()).collect())
}

fn status(path: &Path, admin_dir: &Path, _git: &OsStr) -> Invocation {
    let git = command::Git::default();
    git.at(path).env("GIT_DIR", admin_dir).env("GIT_WORK_TREE", path).args(["--no-optional-locks", "status"])
}
