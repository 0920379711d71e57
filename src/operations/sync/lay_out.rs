//! A conflict laid out in the lane: git itself merges the base there, or rebases onto it, and leaves
//! what it cannot do to the user.

use super::{LaidOut, bring_in};
use crate::domain::lane::Lane;
use crate::domain::retire::{Places, raced};
use crate::domain::sync::{Moving, Strategy};
use crate::engines::status;
use crate::error::{Error, Result};
use crate::repository::Repository;

/// Has git do it in the lane's worktree; `None` where it has no conflict there.
///
/// # Errors
/// A git that has not begun: local changes are in its way, for instance. It has said so itself.
pub(super) fn lay_out(
    repository: &Repository,
    lane: &Lane,
    moving: &Moving,
) -> Result<Option<LaidOut>> {
    let worktrees = repository.worktrees()?;
    let worktree = Places::of(&worktrees).place(lane).present();
    let worktree = worktree.ok_or_else(|| raced(&lane.name))?;
    // As a user standing there would run it: without GIT_DIR, which its hooks would inherit.
    let git = || repository.git.at(&worktree.path);
    let base = moving.base.as_bstr();
    let code = match moving.strategy {
        Strategy::Merge => {
            let message = bring_in::before_laid_out(repository, lane, moving)?;
            git().merge_in_worktree(base, &message)?
        }
        Strategy::Rebase => {
            bring_in::before_rebased(repository, lane, worktree, moving)?;
            git().rebase_in_worktree(base)?
        }
    };
    let paths = git().unmerged_paths()?;
    match status::operation(&worktree.git_dir) {
        Some(_) => Ok(Some(LaidOut {
            base: moving.base.clone(),
            worktree: worktree.path.clone(),
            paths,
            rebase: moving.strategy == Strategy::Rebase,
        })),
        None if code == 0 => Ok(None),
        None => Err(Error::refused(format!(
            "git does not lay the conflict of lane '{}' out, and says why above",
            lane.name
        ))
        .hint("commit or stash what is in the way there, then run the command again")),
    }
}
