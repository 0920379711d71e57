//! The way back of a landing: the base goes from what landed to where it was, and the files of the
//! worktree that has it checked out follow, as with the landing itself.
//!
//! Called by `operations/undo`; a death in the middle is healed by [`super::recover_landing`].

use super::apply::{Moved, is_half_landed};
use super::landing_lock::Turn;
use super::obstacles_ahead::foretell_obstacles;
use super::outcome::Asked;
use super::verdict::Place;
use super::{ATTEMPTS, landing_facts, next_tip};
use crate::domain::finish;
use crate::domain::lane::{ObjectId, Worktree};
use crate::domain::name::{BranchName, LaneName};
use crate::error::{Code, Error, Result};
use crate::operations::checkout::{Move, Why};
use crate::repository::Repository;
use crate::repository::quarantine::Scratch;
use crate::repository::reflog;

/// A landing that is to be taken back.
#[derive(Debug, Clone, Copy)]
pub struct Back<'a> {
    /// The base.
    pub base: &'a BranchName,
    /// The landing's result, where the base must still be.
    pub landed: ObjectId,
    /// Where the base was before.
    pub before: ObjectId,
    /// A lane that landed, for messages and the reflog.
    pub lane: &'a LaneName,
}

impl Back<'_> {
    /// Moves the base back, or changes nothing.
    ///
    /// # Errors
    /// A refusal where the base has moved on, where a worktree cannot follow it, or where local
    /// changes are in the way there.
    pub fn carry_out(&self, repository: &mut Repository, asked: Asked<'_>) -> Result<()> {
        // It has been the base's before, but not every tip has passed a gate.
        let tip = (self.base, self.landed);
        let judge = asked.judge;
        judge.ensure_passes_without(repository, tip, self.before, self.lane)?;
        let turn = Turn::take(repository)?;
        let scratch = Scratch::new(repository)?;
        for _ in 0..ATTEMPTS {
            // The process that had the turn before us may have died in the middle of it.
            (asked.heal)(repository)?;
            let repository = &*repository;
            let worktrees = repository.worktrees()?;
            self.ensure_free(repository, &worktrees)?;
            // What landed stays within reach, also where git keeps no log of the base by itself.
            reflog::begin(repository, self.base)?;
            let place = self.place(repository, &scratch, &worktrees);
            let reason = format!("lane: undo '{}'", self.lane);
            let planned = Move {
                base: self.base,
                old: self.landed,
                new: self.before,
                made_on: None,
                why: Why::Back,
                site: place.site,
                reason: &reason,
                scratch: Some(&scratch),
                under: None,
            };
            if next_tip::become_tip(repository, &planned, self.lane, None)? == Moved::Done {
                drop(turn);
                if let Some(site) = place.site {
                    repository.tell_of_index(site, repository.git.at(&site.path));
                }
                return Ok(());
            }
        }
        Err(self.raced())
    }

    /// Refuses what [`carry_out`](Self::carry_out) would refuse; changes nothing.
    pub fn foresee(&self, repository: &Repository) -> Result<()> {
        let worktrees = repository.worktrees()?;
        self.ensure_free(repository, &worktrees)?;
        let scratch = Scratch::outside(repository)?;
        let place = self.place(repository, &scratch, &worktrees);
        let is_whole =
            |site: &&Worktree| !is_half_landed(repository, self.base, Some(&site.git_dir), None);
        match place.site.filter(is_whole) {
            Some(site) => {
                let moved = (self.base, self.landed, self.before);
                foretell_obstacles(repository, &scratch, site, moved)
            }
            None => Ok(()),
        }
    }

    fn place<'p>(
        &'p self,
        repository: &'p Repository,
        scratch: &'p Scratch,
        worktrees: &'p [Worktree],
    ) -> Place<'p> {
        Place::of_base(
            repository,
            scratch,
            worktrees,
            (self.base, self.landed),
            self.lane,
        )
    }

    fn ensure_free(&self, repository: &Repository, worktrees: &[Worktree]) -> Result<()> {
        let facts = landing_facts::base_facts(repository, worktrees, self.base, None)?;
        if facts.tip != Some(self.landed) {
            return Err(self.raced());
        }
        Ok(finish::ensure_base_free(self.lane, &facts)?)
    }

    fn raced(&self) -> Error {
        Error::refused(format!("'{}' moved at the same moment", self.base))
            .with_code(Code::Raced)
            .hint("see what can be taken back with: git lane undo --list")
    }
}
