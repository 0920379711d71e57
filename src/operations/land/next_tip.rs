//! The way to a new tip of a base for what undoes a landing: a revert and the way back pass here,
//! each with the commit that it has computed. A landing keeps its commit from any gc for longer, and
//! goes to [`super::apply`] by itself.
//!
//! Called by [`super::revert`] and [`super::take_back`], which hold the lock of landings.

use super::apply::Moved;
use super::keepalive_ref::Kept;
use super::push_first::push_and_apply;
use crate::domain::name::LaneName;
use crate::error::Result;
use crate::operations::checkout::Move;
use crate::repository::Repository;
use crate::store::git::PrePush;

/// Makes `planned.new` the tip of its base, with the files of the worktree that has it checked out;
/// a commit that was just made is kept from any gc meanwhile, and pushed first where `push` says so.
pub(super) fn become_tip(
    repository: &Repository,
    planned: &Move<'_>,
    lane: &LaneName,
    push: Option<PrePush>,
) -> Result<Moved> {
    let kept = match planned.scratch.filter(|_| planned.made_on.is_some()) {
        Some(scratch) => Some(Kept::new(repository, scratch, planned.new)?),
        None => None,
    };
    let moved = push_and_apply(repository, planned, lane, push);
    if let Some(kept) = kept {
        kept.release();
    }
    moved
}
