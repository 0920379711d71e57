//! The way back of a start that no other process can have seen, and what proves that something is
//! this start's own.
//!
//! What can be seen a user may work in: it is completed, never removed.

use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use bstr::ByteSlice;
use serde::{Deserialize, Serialize};

use super::publish::admin_dir;
use super::{Intent, Made, by_git};
use crate::error::{IoContext, Result};
use crate::repository::Repository;
use crate::repository::refs::RefChange;
use crate::repository::{exclude, find_worktree, worktree};

/// Which directory it is, wherever it is moved to.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
    /// Nanoseconds since 1970, where the file system knows: a number that became free is given to
    /// the next directory.
    born: Option<u64>,
}

impl Identity {
    /// That of the directory at `path`, if one is there.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let metadata = std::fs::symlink_metadata(path)
            .ok()
            .filter(std::fs::Metadata::is_dir)?;
        let born = metadata
            .created()
            .ok()
            .and_then(|born| born.duration_since(UNIX_EPOCH).ok());
        Some(Identity {
            device: metadata.dev(),
            inode: metadata.ino(),
            born: born.map(|born| born.as_nanos() as u64),
        })
    }
}

/// Whether the directory at `path` is the one that was `made`. Some file systems get another device
/// number with every mount; the birth says as much.
fn is(made: Option<Identity>, path: &Path) -> bool {
    let (Some(made), Some(now)) = (made, Identity::of(path)) else {
        return false;
    };
    (now.inode, now.born) == (made.inode, made.born)
        && (made.born.is_some() || now.device == made.device)
}

/// Whether the admin directory this start made is registered with git.
pub(super) fn is_registered(repository: &Repository, intent: &Intent) -> bool {
    is(intent.made_admin, &admin_dir(repository, intent))
}

/// Where the worktree this start made can be seen by others, if it can.
pub(super) fn visible_at(repository: &Repository, intent: &Intent) -> Option<PathBuf> {
    if is(intent.made_worktree, &intent.lane.worktree) {
        return Some(intent.lane.worktree.clone());
    }
    // The user may have moved it on, or removed the directory alone: the index and the reflog are
    // still there.
    let admin = admin_dir(repository, intent);
    let named = is(intent.made_admin, &admin)
        .then(|| worktree::describe(repository.common_dir(), &admin))
        .flatten();
    let hidden = intent.hidden();
    named
        .map(|worktree| worktree.path)
        .filter(|path| !path.iter().any(|part| part == hidden.as_str()))
}

/// Whether the worktree that the intent names is the one this start made, as both its ends say.
pub(super) fn is_own(repository: &Repository, intent: &Intent) -> bool {
    let path = &intent.lane.worktree;
    let worktrees = repository.common_dir().join("worktrees");
    let names_us =
        || find_worktree::named_by(path).is_some_and(|admin| admin.parent() == Some(&worktrees));
    let admin = admin_dir(repository, intent);
    let registered = || {
        worktree::describe(repository.common_dir(), &admin).is_some_and(|found| found.path == *path)
    };
    is(intent.made_worktree, path) && names_us() || is(intent.made_admin, &admin) && registered()
}

/// Removes what was made aside, and the branch. The caller holds the registry lock and knows that
/// nothing is visible.
pub(super) fn undo(repository: &Repository, intent: &Intent) -> Result<()> {
    if let Some(admin) = intent
        .by_git
        .then(|| by_git::own_admin(repository, intent))
        .flatten()
    {
        // Whole or not at all: half an admin directory is in git's way.
        let staging = repository.lane_dir().join("staging");
        repository
            .shared()
            .create_dir_all(&staging)
            .context("create", &staging)?;
        std::fs::rename(&admin, &intent.staged_admin).context("move", &admin)?;
    }
    for directory in [&intent.staged_worktree, &intent.staged_admin] {
        match std::fs::remove_dir_all(directory) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(error).context("remove", directory);
            }
            _ => {}
        }
    }
    delete_branch(repository, intent)?;
    for place in [&intent.hidden_directory(), &intent.lane.worktree] {
        exclude::remove(repository, place)?;
    }
    for Made(directory) in intent.made.iter().rev() {
        // Another lane may be in it by now.
        let _ = std::fs::remove_dir(directory);
    }
    Ok(())
}

/// Deletes the branch, if this start created it and no worktree has taken it up.
fn delete_branch(repository: &Repository, intent: &Intent) -> Result<()> {
    let Some(branch) = &intent.lane.branch else {
        return Ok(());
    };
    if repository.branch_tip(branch)? != Some(intent.commit) || !is_own_branch(repository, intent)?
    {
        return Ok(());
    }
    let recorded = repository
        .records()?
        .lanes
        .iter()
        .any(|lane| lane.branch.as_ref() == Some(branch));
    if recorded
        || repository
            .worktrees()?
            .iter()
            .any(|worktree| worktree.uses(branch))
    {
        return Ok(());
    }
    let change = RefChange::removal(branch, intent.commit);
    repository.change_refs(&[change], "lane: start undone")
}

/// Whether this start created the branch: it has seen that itself, or the branch's reflog says so
/// and nothing else. Where no reflogs are kept, a branch of a dead process stays, at its base and
/// in no one's way.
fn is_own_branch(repository: &Repository, intent: &Intent) -> Result<bool> {
    let Some(branch) = intent
        .lane
        .branch
        .as_ref()
        .filter(|_| !intent.created_branch)
    else {
        return Ok(intent.created_branch);
    };
    let log = repository.git_here().reflog(branch.to_ref(), "%gs", None)?;
    // The user may have renamed or deleted it since.
    Ok(matches!(&log[..], [only] if only.trim_end() == created_from(intent).as_bytes()))
}

/// The reflog's word for a branch that was created: git's own, with the lane's id, which no other
/// start shares.
pub(super) fn created_from(intent: &Intent) -> String {
    let id = intent.lane.id.as_str();
    match &intent.lane.base {
        Some(base) => format!("branch: Created from {base} (lane {id})"),
        None => format!(
            "branch: Created from {} (lane {id})",
            intent.lane.fork_point
        ),
    }
}
