//! One landing of a queue leads the others: it has the gate test what they would make of the base,
//! and moves the base to what has passed.

use std::path::Path;

use super::queue_entry::{Answer, Entry, Line, Place};
use crate::domain::claim::claimed;
use crate::domain::gate::Gate;
use crate::domain::lane::ObjectId;
use crate::domain::name::{BranchName, LaneName};
use crate::domain::retire::place;
use crate::error::{Code, Error, Result};
use crate::operations::checkout::{Move, Why};
use crate::operations::gate::Trial;
use crate::operations::in_flight;
use crate::operations::land::apply::Moved;
use crate::operations::land::crowd::{Crowd, Member};
use crate::operations::land::keepalive_ref::Kept;
use crate::operations::land::landing_facts;
use crate::operations::land::landing_lock::Turn;
use crate::operations::land::outcome::{Asked, Together};
use crate::operations::land::push_first::push_and_apply;
use crate::operations::land::verdict::site_of;
use crate::operations::retire::look;
use crate::repository::Repository;
use crate::repository::claims;
use crate::repository::quarantine::Scratch;
use crate::store::journal::{step, unique_id};

/// The work of a leader.
pub(super) struct Lead<'a> {
    pub(super) line: &'a Line,
    pub(super) base: &'a BranchName,
    pub(super) gate: &'a Gate,
    pub(super) asked: Asked<'a>,
}

/// Landings that the gate tests together: each is computed on the one before it.
struct Batch {
    /// The tip of the base that the first is computed on.
    from: ObjectId,
    members: Vec<Place>,
    /// Keeps the last commit, and with it all others, from every gc.
    kept: Option<Kept>,
}

impl Lead<'_> {
    /// Tests what waits now, lands what passes, and answers every one of them.
    pub(super) fn run(&self, repository: &mut Repository) -> Result<()> {
        self.line.resume()?;
        let scratch = Scratch::new(repository)?;
        let Some(mut batch) = self.close(repository, &scratch)? else {
            return Ok(());
        };
        let done = self.settle(repository, &scratch, &batch);
        if let Some(kept) = batch.kept.take() {
            kept.release();
        }
        let resumed = self.line.resume();
        done.and(resumed)
    }

    /// The batch is what waits at this moment; what does not fit the base any more has to come
    /// again.
    fn close(&self, repository: &mut Repository, scratch: &Scratch) -> Result<Option<Batch>> {
        let _turn = Turn::take(repository)?;
        (self.asked.heal)(repository)?;
        let Some(from) = repository.branch_tip(self.base)? else {
            let gone = format!("the base '{}' is gone", self.base);
            return Err(Error::refused(gone)
                .with_code(Code::BaseMissing)
                .hint("see what there is with: git branch"));
        };
        let (members, others) = self.line.chain(repository, from)?;
        for (path, entry) in others {
            // One that has landed is about to find out.
            if !landing_facts::has(repository, from, entry.commit)? {
                self.line.answer(&path, &Answer::Again)?;
            }
        }
        let Some((_, last)) = members.last() else {
            return Ok(None);
        };
        let kept = Some(Kept::new(repository, scratch, last.commit)?);
        step("land.closed");
        Ok(Some(Batch {
            from,
            members,
            kept,
        }))
    }

    fn settle(&self, repository: &mut Repository, scratch: &Scratch, batch: &Batch) -> Result<()> {
        let members = batch.members.as_slice();
        let Some(failure) = self.test(repository, batch, members.len())? else {
            return self.land(repository, scratch, batch, members);
        };
        if members.len() > 1 {
            self.line.halt()?;
        }
        let (first, failure) = self.first_to_fail(repository, batch, failure)?;
        if first == 0
            && members.len() > 1
            && let Some(failure) = self.test(repository, batch, 0)?
        {
            // No lane is to blame, and none can land.
            return members
                .iter()
                .try_for_each(|(path, _)| self.tell(path, &failure));
        }
        let (good, rest) = members.split_at(first);
        if !good.is_empty() {
            self.land(repository, scratch, batch, good)?;
        }
        let Some(((path, _), behind)) = rest.split_first() else {
            return Ok(());
        };
        for (path, _) in behind {
            self.line.answer(path, &Answer::Again)?;
        }
        if good.is_empty() {
            let document = failure.to_json();
            let own = true;
            return self.line.answer(path, &Answer::Told { document, own });
        }
        let before = good.iter().map(|(_, entry)| Member {
            lane: entry.lane.clone(),
            commit: entry.commit,
        });
        let crowd = Crowd {
            from: batch.from,
            before: before.collect(),
        };
        let document = failure.to_json();
        self.line.answer(path, &Answer::Suspect { crowd, document })
    }

    /// The first member with which the gate fails, and how it fails there; it has failed for all of
    /// them together. The members before it have passed together.
    fn first_to_fail(
        &self,
        repository: &Repository,
        batch: &Batch,
        mut failure: Error,
    ) -> Result<(usize, Error)> {
        let (mut passes, mut fails) = (0, batch.members.len());
        while fails - passes > 1 {
            let half = passes.midpoint(fails);
            match self.test(repository, batch, half)? {
                None => passes = half,
                Some(found) => (fails, failure) = (half, found),
            }
        }
        Ok((passes, failure))
    }

    /// Tests what the first `count` members make of the base; `None` where the gate succeeds.
    fn test(&self, repository: &Repository, batch: &Batch, count: usize) -> Result<Option<Error>> {
        let members = &batch.members[..count];
        let commit = members.last().map_or(batch.from, |(_, entry)| entry.commit);
        let names: Vec<&LaneName> = members.iter().map(|(_, entry)| &entry.lane).collect();
        let trial = Trial {
            gate: self.gate,
            base: self.base,
            commit,
            names: &names,
            without: None,
        };
        self.asked.judge.test(repository, &trial)
    }

    /// Moves the base to the last of `good`, which the gate has passed, and with it all of them.
    fn land(
        &self,
        repository: &mut Repository,
        scratch: &Scratch,
        batch: &Batch,
        good: &[Place],
    ) -> Result<()> {
        let Some((_, last)) = good.last() else {
            return Ok(());
        };
        let turn = Turn::take(repository)?;
        (self.asked.heal)(repository)?;
        // A file of the user's may ask for more by now than what was tested.
        let judge = self.asked.judge;
        let gate = judge.gate(repository, batch.from, Some(last.commit))?;
        if gate.digest() != self.gate.digest() {
            return self.again(good);
        }
        let looks = look_again(repository, good)?;
        if looks.iter().any(Option::is_some) {
            // What was tested has more than may land now.
            return good
                .iter()
                .zip(looks)
                .try_for_each(|((path, _), look)| match look {
                    Some(error) => self.tell(path, &error),
                    None => self.line.answer(path, &Answer::Again),
                });
        }
        let lanes: Vec<LaneName> = good.iter().map(|(_, entry)| entry.lane.clone()).collect();
        let id = unique_id();
        for (path, entry) in good {
            let others = lanes.iter().filter(|lane| **lane != entry.lane);
            let together = Together {
                batch: id.clone(),
                lanes: others.cloned().collect(),
            };
            self.line.answer(path, &Answer::Lands { together })?;
        }
        step("land.answered");
        let worktrees = repository.worktrees()?;
        let planned = Move {
            base: self.base,
            old: batch.from,
            new: last.commit,
            made_on: Some(batch.from),
            why: Why::Landing,
            site: site_of(&worktrees, self.base),
            reason: &reason(&lanes),
            scratch: Some(scratch),
            under: None,
        };
        let moved = match repository.branch_tip(self.base)? == Some(batch.from) {
            true => push_and_apply(repository, &planned, &last.lane, self.asked.push),
            false => Ok(Moved::Raced),
        };
        drop(turn);
        match moved {
            Ok(Moved::Done) => Ok(()),
            // Each finds out for itself whether it is its files.
            Err(error) if error.code() == Code::InTheWay && good.len() > 1 => self.again(good),
            Ok(Moved::Raced) => self.again(good),
            Err(error) => good
                .iter()
                .try_for_each(|(path, _)| self.tell(path, &error)),
        }
    }

    fn again(&self, members: &[Place]) -> Result<()> {
        members
            .iter()
            .try_for_each(|(path, _)| self.line.answer(path, &Answer::Again))
    }

    fn tell(&self, path: &Path, error: &Error) -> Result<()> {
        let document = error.to_json();
        let own = false;
        self.line.answer(path, &Answer::Told { document, own })
    }
}

/// Why a lane may not land that was taken away or changed while the gate ran, for each of them: the
/// last look, as a landing without a gate has it.
fn look_again(repository: &Repository, members: &[Place]) -> Result<Vec<Option<Error>>> {
    let (records, worktrees) = (repository.records()?, repository.worktrees()?);
    let is_as_it_was = |entry: &Entry| -> Result<bool> {
        let lane = records.find(&entry.lane).filter(|lane| lane.id == entry.id);
        let Some(lane) = lane else { return Ok(false) };
        let worktree = place(lane, &worktrees).present();
        if look::tip(repository, lane, worktree)? != Some(entry.tip) {
            return Ok(false);
        }
        let Some(worktree) = worktree else {
            return Ok(true);
        };
        let status = in_flight::worktree_status(repository, worktree)?;
        Ok(status.is_clean() && status.operation.is_none())
    };
    // Each was its holder's to land when it joined; a claim that has come since is another holder's.
    let newly_claimed = |entry: &Entry| {
        let lane = records
            .find(&entry.lane)
            .filter(|lane| lane.id == entry.id)?;
        let claim = claims::living(repository, lane)?;
        (claim.is_reserved() || claim.key != entry.claim).then(|| claimed(lane, claim))
    };
    let looked = members.iter().map(|(_, entry)| {
        let changed = || {
            Error::refused(format!(
                "lane '{}' was changed while the gate ran; nothing of it has landed",
                entry.lane
            ))
            .with_code(Code::Raced)
            .hint("look at it, then run the command again")
        };
        Ok(match is_as_it_was(entry)? {
            true => newly_claimed(entry),
            false => Some(changed()),
        })
    });
    looked.collect()
}

/// What the base's reflog says.
fn reason(lanes: &[LaneName]) -> String {
    let named: Vec<String> = lanes.iter().map(|lane| format!("'{lane}'")).collect();
    format!("lane: finish {}", named.join(", "))
}
