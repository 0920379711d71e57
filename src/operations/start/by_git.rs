//! Repositories whose refs are a reftable: git makes the worktree, because only git can write its
//! part of the refs.
//!
//! It makes it at the hidden place, with a detached HEAD, and locked with a reason no other program
//! gives: half-made it is never where a user works, and its admin directory stays known as ours.
//! Publishing moves it into place.

use std::path::{Path, PathBuf};

use super::publish::admin_dir;
use super::{Filling, Intent};
use crate::engines::populate;
use crate::engines::populate::{Filled, How};
use crate::error::{Error, IoContext, Result};
use crate::repository::Repository;
use crate::repository::admin_dir::{link, started};
use crate::store::entries;
use crate::store::journal::step;

/// Fills the staged worktree with `git worktree add`. The caller holds the registry lock: git
/// cannot make two at once.
pub(super) fn prepare(
    repository: &Repository,
    intent: &mut Intent,
    filling: &Filling<'_>,
) -> Result<Filled> {
    // A filter or a condition in the settings must see the worktree's own place.
    let unfinished = filling.sparse.is_none() && populate::depends_on_place(&repository.gix);
    // The caller tells the hooks itself, after the record is written.
    let hidden = repository.git_here().without_hooks(&repository.gix);
    hidden
        // Links from the hidden place would lead astray from the other one; they are written when
        // it is there.
        .with("worktree.useRelativePaths", "false")
        .add_worktree(
            &intent.staged_worktree,
            intent.commit,
            !unfinished,
            &reason(intent),
        )?;
    let admin = own_admin(repository, intent);
    let admin =
        admin.ok_or_else(|| Error::environment("git made a worktree and does not say where"))?;
    intent.admin_name = admin.file_name().unwrap_or_default().into();
    if let Some(sparse) = filling.sparse {
        let set = repository
            .git
            .at(&intent.staged_worktree)
            .without_hooks(&repository.gix);
        set.set_sparse(&sparse.directories)?;
    }
    step("start.prepared");
    Ok(Filled {
        how: How::Git,
        unfinished,
    })
}

/// Checks the lane's branch out in the staged worktree, which is at its commit.
pub(super) fn attach(repository: &Repository, intent: &Intent) -> Result<()> {
    let Some(branch) = &intent.lane.branch else {
        return Ok(());
    };
    let hidden = repository
        .git
        .at(&intent.staged_worktree)
        .without_hooks(&repository.gix);
    hidden.attach_head(branch.to_ref(), &started(&intent.lane.id))
}

/// Tells the admin directory where the worktree is now.
pub(super) fn register(repository: &Repository, intent: &Intent) -> Result<()> {
    let admin = admin_dir(repository, intent);
    let line = link(&admin, &intent.lane.worktree.join(".git"), intent.relative);
    repository.lane_dir().replace(&admin.join("gitdir"), &line)
}

/// Takes our lock off, and the directory away in which the worktree was hidden. Another one's lock
/// stays.
pub(super) fn release(repository: &Repository, intent: &Intent) -> Result<()> {
    if let Some(admin) = own_admin(repository, intent) {
        let locked = admin.join("locked");
        std::fs::remove_file(&locked).context("remove", &locked)?;
    }
    let _ = intent.staged_worktree.parent().map(std::fs::remove_dir);
    Ok(())
}

/// The admin directory git made for this start: the one that is locked with our reason, git's first
/// step.
pub(super) fn own_admin(repository: &Repository, intent: &Intent) -> Option<PathBuf> {
    let all = entries(&repository.common_dir().join("worktrees"));
    let ours = |admin: &Path| {
        crate::store::optional::bytes(admin.join("locked"))
            .is_ok_and(|text| text.trim_ascii() == reason(intent).as_bytes())
    };
    all.map(|entry| entry.path()).find(|admin| ours(admin))
}

fn reason(intent: &Intent) -> String {
    format!("git lane start {}", intent.lane.id.as_str())
}
