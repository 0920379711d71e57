//! The steps of a removal, each told to the crash tests; and what becomes of the records then.

use std::path::{Path, PathBuf};

use crate::domain::name::{BranchName, LaneName};
use crate::domain::trash_entry::Entry;
use crate::error::{IoContext, Result};
use crate::operations::trash::{self, Places};
use crate::repository::Repository;
use crate::repository::reflog::reflog_path;
use crate::repository::refs::RefChange;
use crate::repository::{exclude, metadata};
use crate::store::journal::step;

/// Where the worktree is, and where it goes.
pub(super) fn places(repository: &Repository, entry: &Entry) -> Option<Places> {
    let directory = trash::directory(repository).join(&entry.id);
    let worktree = entry.worktree.as_ref()?;
    Some(Places::new(
        repository.lane_dir(),
        directory,
        worktree,
        repository
            .common_dir()
            .join("worktrees")
            .join(&worktree.admin),
    ))
}

/// Takes away what the entry says, in steps that can be undone until the branch is deleted or the
/// record removed. Returns the directories whose files went one by one.
pub(super) fn take_away(repository: &Repository, entry: &Entry) -> Result<Vec<PathBuf>> {
    let directory = trash::directory(repository).join(&entry.id);
    repository
        .shared()
        .create_dir_all(&directory)
        .context("create", &directory)?;
    step("retire.entry-made");
    trash::write(repository.lane_dir(), &directory, entry)?;
    step("retire.entry-written");
    let keep = match entry.keep {
        Some(id) => Some(RefChange {
            name: trash::ref_name(&entry.id)?,
            from: None,
            to: Some(id),
        }),
        None => None,
    };
    let tip = entry.branch.as_ref().map(|branch| branch.tip);
    let more_than_branch = keep.as_ref().filter(|keep| keep.to != tip);
    if let Some(keep) = more_than_branch {
        repository.change_refs(std::slice::from_ref(keep), "lane: keep")?;
        step("retire.kept");
    }
    link_reflog(repository, entry, &directory)?;
    let lifted = match places(repository, entry) {
        Some(places) => places.take_away()?,
        None => Vec::new(),
    };
    let mut changes = Vec::new();
    if more_than_branch.is_none() {
        changes.extend(keep);
    }
    if let Some(branch) = entry.branch.as_ref().filter(|branch| branch.deleted) {
        changes.push(RefChange::removal(&branch.name, branch.tip));
    }
    repository.change_refs(&changes, "lane: retire")?;
    step("retire.refs-changed");
    forget(repository, entry).map(|()| lifted)
}

/// Removes the lane's record, and git's settings of a branch that is gone.
pub(super) fn forget(repository: &Repository, entry: &Entry) -> Result<()> {
    let mut edit = metadata::Edit::begin(repository.lane_dir())?;
    if edit
        .records()
        .find(&entry.lane.name)
        .is_some_and(|lane| lane.id == entry.lane.id)
    {
        edit.remove(&entry.lane.name);
    }
    if let Some(branch) = entry.branch.as_ref().filter(|branch| branch.deleted)
        && repository.branch_tip(&branch.name)?.is_none()
    {
        edit.remove_branch_section(&branch.name);
        if let Some(heir) = &entry.heir {
            for name in based_on(&edit.records(), &branch.name, Some(heir)) {
                edit.set_base(&name, heir)?;
            }
        }
    }
    edit.commit()?;
    step("retire.forgotten");
    for place in entry
        .worktree
        .iter()
        .map(|worktree| &worktree.path)
        .chain([&entry.lane.worktree])
    {
        exclude::remove(repository, place)?;
    }
    Ok(())
}

/// The lanes whose base is `branch` and becomes `heir`; never the lane of either.
pub fn based_on(
    records: &metadata::Records,
    branch: &BranchName,
    heir: Option<&BranchName>,
) -> Vec<LaneName> {
    let above = records
        .lanes
        .iter()
        .filter(|lane| lane.base_branch().as_ref() == Some(branch));
    let above = above.filter(|lane| {
        lane.branch.is_none() || ![Some(branch), heir].contains(&lane.branch.as_ref())
    });
    above.map(|lane| lane.name.clone()).collect()
}

/// Deleting a branch deletes its reflog; a second link keeps the very file.
fn link_reflog(repository: &Repository, entry: &Entry, directory: &Path) -> Result<()> {
    let Some(branch) = entry.branch.as_ref().filter(|branch| branch.deleted) else {
        return Ok(());
    };
    let Some(log) = reflog_path(repository, &branch.name) else {
        return Ok(());
    };
    let kept = directory.join("reflog");
    match std::fs::hard_link(&log, &kept) {
        Ok(()) => {}
        Err(error)
            if matches!(
                error.kind(),
                std::io::ErrorKind::NotFound | std::io::ErrorKind::AlreadyExists
            ) => {}
        Err(_) => repository
            .shared()
            .copy(&log, &kept)
            .context("copy", &log)?,
    }
    step("retire.reflog-linked");
    Ok(())
}
