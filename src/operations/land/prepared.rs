//! A commit that a base may move to, and what has to be known of it once it has.
//!
//! Made by `candidate`; what moves the base reads it.

use super::keepalive_ref::Kept;
use super::landing_hooks::Making;
use super::outcome::{Landed, Together};
use super::verdict::site_of;
use crate::domain::finish::Landing;
use crate::domain::lane::{ObjectId, Worktree};
use crate::repository::kept_pack::KeptPack;

/// A commit that the base may move to; whatever is young about it is kept from every gc while this
/// lives.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) landing: Landing,
    /// The worktrees at that moment.
    pub(super) worktrees: Vec<Worktree>,
    /// What it was computed on: the base's tip.
    pub(super) old: ObjectId,
    pub(super) new: ObjectId,
    /// The lane's commits that are in it.
    pub(super) commits: usize,
    /// `None` where no commit had to be made.
    pub(super) making: Option<Making>,
    /// Whether the commit is not the lane's own tip.
    pub(super) fresh: bool,
    pub(super) kept: Option<Kept>,
    #[allow(dead_code, reason = "held for its effect on a gc")]
    pub(super) young: Option<KeptPack>,
}

impl Drop for Prepared {
    fn drop(&mut self) {
        self.release();
    }
}

impl Prepared {
    /// The worktree that has the base checked out.
    pub(super) fn site(&self) -> Option<&Worktree> {
        site_of(&self.worktrees, &self.landing.base)
    }

    /// Lets go of what kept the commit from every gc: the base has it, or nothing has.
    pub(super) fn release(&mut self) {
        if let Some(kept) = self.kept.take() {
            kept.release();
        }
        self.young = None;
    }

    /// The base as it has moved.
    pub(super) fn landed(&self, together: Option<Together>) -> Landed {
        Landed {
            base: self.landing.base.clone(),
            strategy: self.landing.strategy,
            old: self.old,
            new: Some(self.new),
            commits: self.commits,
            together,
            resolved: false,
        }
    }
}
