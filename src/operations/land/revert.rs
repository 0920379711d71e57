//! A revert of what has landed, as a new commit on top of its base: `git revert`, computed in memory.
//!
//! It is a merge whose base is what landed, whose one side is the base of today and whose other side
//! is the base of before. The commit is made like that of a squash, with the same hooks.
//!
//! Called by `operations/undo`.

use bstr::{BString, ByteSlice};

use super::apply::Moved;
use super::landing_hooks::Making;
use super::landing_lock::Turn;
use super::merge::conflict;
use super::obstacles_ahead::foretell_obstacles;
use super::outcome::{Asked, Wording};
use super::push_first::ensure_may_push;
use super::verdict::Place;
use super::{ATTEMPTS, commit, landing_facts, next_tip, replay};
use crate::domain::finish;
use crate::domain::lane::{ObjectId, Worktree};
use crate::domain::message::with_subjects;
use crate::domain::name::{BranchName, LaneName};
use crate::error::{Code, Error, Result};
use crate::operations::checkout::{Move, Why};
use crate::repository::Repository;
use crate::repository::identity;
use crate::repository::quarantine::Scratch;
use crate::store::git::Merged;
use crate::store::git::version::MERGE_OPTIONS;
use crate::store::retry;

/// A landing that is to be reverted.
#[derive(Debug, Clone, Copy)]
pub struct Revert<'a> {
    /// The base.
    pub base: &'a BranchName,
    /// The landing's result.
    pub landed: ObjectId,
    /// Where the base was before.
    pub before: ObjectId,
    /// The lane that landed, for messages and the reflog.
    pub lane: &'a LaneName,
}

/// How the commit is made: all revert commits are made like that of a squash with `-m`.
const MAKING: Making = Making::Squash { own_message: true };

impl Revert<'_> {
    /// Puts the revert on the base; returns the base's commit before and after.
    ///
    /// # Errors
    /// A conflict, or a refusal, with nothing changed.
    pub fn carry_out(
        &self,
        repository: &mut Repository,
        wording: &Wording<'_>,
        asked: Asked<'_>,
    ) -> Result<(ObjectId, ObjectId)> {
        let mut turn = Turn::take(repository)?;
        let scratch = Scratch::new(repository)?;
        for _ in 0..ATTEMPTS {
            (asked.heal)(repository)?;
            let repository = &*repository;
            let worktrees = repository.worktrees()?;
            let old = self.ensure_free(repository, &worktrees)?;
            if asked.push.is_some() {
                ensure_may_push(repository, self.base, old, self.lane)?;
            }
            let place = self.place(repository, &scratch, &worktrees, old);
            let tree = self.compute(&place)?;
            identity::ensure_known(repository, || repository.git_as_user_at(&place.directory))?;
            let hooks = place.hooks(wording);
            let _seen = place.show(&hooks, MAKING, tree)?;
            let message = self.message(repository)?;
            let tree = hooks.first(MAKING, tree, &message)?;
            let draft = hooks.draft(MAKING, tree, &message)?;
            let message = hooks.seal(MAKING, tree, &draft)?;
            let new = commit::create(&place, MAKING, tree, &message)?;
            let Some(young) = place.keep_young(new)? else {
                continue;
            };
            // Others land while the gate runs; then the revert is another one.
            drop(turn);
            let judge = asked.judge;
            judge.ensure_passes_without(repository, (self.base, old), new, self.lane)?;
            turn = Turn::take(repository)?;
            if repository.branch_tip(self.base)? != Some(old) {
                continue;
            }
            let reason = format!("lane: revert '{}'", self.lane);
            let planned = Move {
                base: self.base,
                old,
                new,
                made_on: Some(old),
                why: Why::Landing,
                site: place.site,
                reason: &reason,
                scratch: Some(&scratch),
                under: None,
            };
            let moved = next_tip::become_tip(repository, &planned, self.lane, asked.push);
            drop(young);
            if moved? == Moved::Done {
                drop(turn);
                hooks.index_changed();
                hooks.after(MAKING, "post-commit", &[]);
                return Ok((old, new));
            }
        }
        let moving = "the base kept moving while the revert was landing";
        Err(Error::refused(moving)
            .with_code(Code::Raced)
            .hint("run the command again"))
    }

    /// Whether a commit since the landing, in the history of `tip`, says that it is its revert.
    pub fn is_on(&self, repository: &Repository, tip: ObjectId) -> Result<bool> {
        let says = match self.is_one(repository)? {
            true => format!("This reverts commit {}", self.landed),
            false => format!("This reverts the commits {}..{}", self.before, self.landed),
        };
        let mut at = tip;
        while at != self.landed {
            let commit = retry::objects(&repository.gix, || repository.gix.find_commit(at));
            let commit = commit.map_err(|error| unreadable(at, error.to_string()))?;
            if commit.message_raw_sloppy().contains_str(&says) {
                return Ok(true);
            }
            match commit.parent_ids().next() {
                Some(parent) => at = parent.detach(),
                None => return Ok(false),
            }
        }
        Ok(false)
    }

    /// Refuses what [`carry_out`](Self::carry_out) would refuse before it asks the hooks; changes
    /// nothing.
    pub fn foresee(&self, repository: &Repository) -> Result<()> {
        let worktrees = repository.worktrees()?;
        let old = self.ensure_free(repository, &worktrees)?;
        let scratch = Scratch::outside(repository)?;
        let place = self.place(repository, &scratch, &worktrees, old);
        let tree = self.compute(&place)?;
        place.site.map_or(Ok(()), |site| {
            foretell_obstacles(repository, &scratch, site, (self.base, old, tree))
        })
    }

    fn place<'p>(
        &'p self,
        repository: &'p Repository,
        scratch: &'p Scratch,
        worktrees: &'p [Worktree],
        old: ObjectId,
    ) -> Place<'p> {
        Place::of_base(repository, scratch, worktrees, (self.base, old), self.lane)
    }

    /// The base's commit, where all worktrees can follow it.
    fn ensure_free(&self, repository: &Repository, worktrees: &[Worktree]) -> Result<ObjectId> {
        let facts = landing_facts::base_facts(repository, worktrees, self.base, None)?;
        finish::ensure_base_free(self.lane, &facts)?;
        facts.tip.ok_or_else(|| {
            Error::refused(format!("there is no branch '{}' any more", self.base))
                .with_code(Code::BaseMissing)
                .hint("see what there is with: git branch")
        })
    }

    /// The tree of the revert.
    fn compute(&self, place: &Place<'_>) -> Result<ObjectId> {
        let (now, landed, before) = (
            place.tree(place.old)?,
            place.tree(self.landed)?,
            place.tree(self.before)?,
        );
        let tree = match now == landed {
            true => before,
            false => {
                let dress =
                    |tree, parent| replay::dress(place.repository, place.scratch, tree, parent);
                let fork = dress(landed, None)?;
                let (ours, theirs) = (dress(now, Some(fork))?, dress(before, Some(fork))?);
                match place.bench()?.merge(ours, theirs)? {
                    Merged::Clean(tree) => tree,
                    Merged::Conflict {
                        paths, messages, ..
                    } => {
                        let remedy = format!(
                            "where '{}' is checked out: {}, resolve, commit",
                            self.base,
                            self.by_hand(place.repository)?
                        );
                        let what = format!("the revert of lane '{}'", self.lane);
                        return Err(conflict(what, self.base, &paths, &messages, remedy));
                    }
                }
            }
        };
        if tree == now {
            let nothing = format!(
                "nothing of lane '{}' is left in '{}' that a revert would take back",
                self.lane, self.base
            );
            return Err(Error::refused(nothing)
                .with_code(Code::NothingToUndo)
                .hint("see what came after with: git log"));
        }
        Ok(tree)
    }

    /// The git command that does it in a worktree.
    fn by_hand(&self, repository: &Repository) -> Result<String> {
        let (landed, before) = (self.landed, self.before);
        Ok(match parents(repository, landed)?[..] {
            [_] if self.is_one(repository)? => format!("git revert {landed}"),
            [first, _, ..] if first == before => format!("git revert -m 1 {landed}"),
            _ => format!("git revert --no-commit {before}..{landed}"),
        })
    }

    fn is_one(&self, repository: &Repository) -> Result<bool> {
        Ok(parents(repository, self.landed)?.first() == Some(&self.before))
    }

    /// As git-revert(1) words it.
    fn message(&self, repository: &Repository) -> Result<BString> {
        let (landed, before) = (self.landed, self.before);
        if !self.is_one(repository)? {
            let range = format!("{before}..{landed}");
            let messages = repository.git_here().messages(&range)?;
            let what = format!(
                "Revert lane '{}'\n\nThis reverts the commits {range}:",
                self.lane
            );
            return Ok(format!("{}\n", with_subjects(&what, &messages)).into());
        }
        let commit = retry::objects(&repository.gix, || repository.gix.find_commit(landed));
        let commit = commit.map_err(|error| unreadable(landed, error.to_string()))?;
        let text = commit.message_raw_sloppy();
        let subject = gix::objs::commit::MessageRef::from_bytes(text)
            .summary()
            .into_owned();
        let again = subject
            .strip_prefix(b"Revert \"")
            .filter(|rest| !rest.starts_with(b"Revert \""));
        let mut message = BString::default();
        match again {
            Some(rest) if repository.git.is_at_least(MERGE_OPTIONS)? => {
                message.extend_from_slice(b"Reapply \"");
                message.extend_from_slice(rest);
            }
            _ => {
                message.extend_from_slice(b"Revert \"");
                message.extend_from_slice(&subject);
                message.extend_from_slice(b"\"");
            }
        }
        message.extend_from_slice(format!("\n\nThis reverts commit {landed}").as_bytes());
        if parents(repository, landed)?.len() > 1 {
            let reversing = format!(", reversing\nchanges made to {before}");
            message.extend_from_slice(reversing.as_bytes());
        }
        message.extend_from_slice(b".\n");
        Ok(message)
    }
}

fn parents(repository: &Repository, id: ObjectId) -> Result<Vec<ObjectId>> {
    let commit = retry::objects(&repository.gix, || repository.gix.find_commit(id));
    let commit = commit.map_err(|error| unreadable(id, error.to_string()))?;
    Ok(commit.parent_ids().map(|parent| parent.detach()).collect())
}

fn unreadable(commit: ObjectId, error: String) -> Error {
    Error::git(format!("cannot read commit {commit}: {error}"))
}
