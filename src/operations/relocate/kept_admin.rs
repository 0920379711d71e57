//! A second name for each file of the admin directory of a worktree that goes elsewhere, for as long as
//! it is on its way.
//!
//! A `git worktree prune` that does not see the mark in time removes the admin directory, and with it
//! what is staged. Which gits look at the worktrees is not known of those of another user, nor where
//! there is no /proc. So what was removed is put back from here.
//!
//! Called by [`super::directory_move`].

use std::io::ErrorKind;
use std::path::Path;

use crate::error::{IoContext, Result};
use crate::operations::start::publish::place_admin;
use crate::operations::trash::move_mark::{is_of_mark, mark, mark_to_move};
use crate::repository::Repository;
use crate::store::{entries, exists};

/// What each admin directory has once it has it, and git removes with the directory alone.
const LASTING: [&str; 5] = ["HEAD", "commondir", "gitdir", "index", "logs/HEAD"];

/// Gives what is in `admin` a second name in `kept`, which is made anew.
pub(super) fn keep(repository: &Repository, admin: &Path, kept: &Path) -> Result<()> {
    match std::fs::remove_dir_all(kept) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error).context("remove", kept),
        _ => fill(repository, admin, kept),
    }
}

/// Puts back into `admin` what was removed from it since; says whether anything was.
pub(super) fn put_back(repository: &Repository, admin: &Path, kept: &Path) -> Result<bool> {
    let is_lost = |name: &str| exists(&kept.join(name)) && !exists(&admin.join(name));
    if !LASTING.iter().any(|name| is_lost(name)) {
        return Ok(false);
    }
    if !exists(admin) {
        // Complete from the first moment that another prune can see it.
        mark(repository.lane_dir(), kept)?;
        if place_admin(repository, kept, admin).is_ok() {
            return Ok(true);
        }
    }
    mark_to_move(repository.lane_dir(), admin)?;
    fill(repository, kept, admin)?;
    Ok(true)
}

/// Links or copies into `to` what is in `from` and not there. Locks stay where they are.
fn fill(repository: &Repository, from: &Path, to: &Path) -> Result<()> {
    repository
        .shared()
        .create_dir_all(to)
        .context("create", to)?;
    for entry in entries(from) {
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let is_lock = source.extension().is_some_and(|word| word == "lock");
        if is_lock || is_of_mark(&entry.file_name()) || exists(&target) && !target.is_dir() {
            continue;
        }
        let kind = entry.file_type().context("read", &source)?;
        if kind.is_dir() {
            fill(repository, &source, &target)?;
        } else if let Err(error) = std::fs::hard_link(&source, &target) {
            match error.kind() {
                // A git that is at work has removed it meanwhile.
                ErrorKind::NotFound if !exists(&source) => {}
                _ if kind.is_file() => {
                    let copied = repository.shared().copy(&source, &target);
                    copied.context("copy", &source)?;
                }
                _ => return Err(error).context("link", &source),
            }
        }
    }
    Ok(())
}
