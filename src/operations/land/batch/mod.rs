//! Landings behind a gate: those that wait while it runs are computed one upon the other, and the
//! next run tests them together.
//!
//! Each process makes its own commits, on the commit that the one before it in the queue has made,
//! and waits for an answer. One of them leads: it tests the newest commit of the queue, and where the
//! gate succeeds the base moves to that commit at once, so that it is never at one without a
//! receipt. Where the gate fails, the leader searches for the first commit that makes it fail; what
//! comes before that lands, what comes after it is computed anew.
//!
//! The base itself tells whether a landing has happened; the answers tell the rest. A leader that
//! dies leaves the queue as it is, and one of those who wait leads next.

mod leader;
mod queue_entry;
mod suspect;

use self::leader::Lead;
pub(super) use self::queue_entry::clear_dead as clear_dead_queues;
pub(in crate::operations) use self::queue_entry::is_queued;
use self::queue_entry::{Answer, Entry, Line, Place, Queued};
use super::candidate::{Attempt, Candidate};
use super::crowd::{Crowd, Member};
use super::landing_facts;
use super::outcome::{Asked, Together};
use super::prepared::Prepared;
use crate::domain::gate::Gate;
use crate::domain::integration::Integration;
use crate::domain::lane::ObjectId;
use crate::domain::name::BranchName;
use crate::error::{Code, Error, Kind, Result};
use crate::operations::gate::ensure_approved;
use crate::repository::Repository;
use crate::repository::claims;

/// A landing that waits for its answer.
pub(super) struct Waiting {
    line: Line,
    queued: Queued,
    gate: Gate,
    prepared: Box<Prepared>,
    /// The tip of the base when it was last looked at.
    seen: ObjectId,
}

/// What has become of an attempt to queue.
pub(super) enum Joined {
    /// It waits for its answer.
    Waits(Box<Waiting>),
    /// What the queue holds before it has to land or fail first.
    Later(Later),
    /// Nothing has to land.
    Integrated(Integration),
    /// A gc was faster.
    Raced,
}

/// A landing that is computed once the queue has moved on.
pub(super) struct Later {
    line: Line,
    base: BranchName,
    /// The tip of the base at that moment.
    tip: ObjectId,
    /// The last commit of the queue at that moment, after which it cannot be computed yet.
    behind: Option<ObjectId>,
}

impl Later {
    /// Whether what it waits for has landed or fallen apart. That others queue up behind that is no
    /// news.
    pub(super) fn is_due(&self, repository: &Repository) -> Result<bool> {
        if repository.branch_tip(&self.base)? != Some(self.tip) {
            return Ok(true);
        }
        let waiting = self.line.unanswered();
        let waits = |behind| waiting.iter().any(|(_, entry)| entry.commit == behind);
        Ok(!self.line.is_halted() && !self.behind.is_some_and(waits))
    }
}

/// Puts a lane into the queue of those that wait for `gate` to succeed on `tip`, the tip of their
/// base; the caller holds the lock of landings.
pub(super) fn join(
    repository: &Repository,
    candidate: &mut Candidate<'_>,
    (tip, mut gate): (ObjectId, Gate),
    asked: Asked<'_>,
    waited: bool,
) -> Result<Joined> {
    let Some(base) = candidate.base() else {
        return Ok(Joined::Raced);
    };
    // What lands may have another gate than its base, and then waits in another queue.
    for _ in 0..3 {
        ensure_approved(&gate, &candidate.facts.lane.name)?;
        let line = Line::of(repository, &base, &gate, asked.push);
        let (before, _) = line.chain(repository, tip)?;
        let onto = before.last().map(|(_, entry)| entry.commit);
        let later = |line| {
            let (base, behind) = (base.clone(), onto);
            Ok(Joined::Later(Later {
                line,
                base,
                tip,
                behind,
            }))
        };
        if line.is_halted() {
            return later(line);
        }
        let mut prepared = match candidate.prepare(repository, onto, waited) {
            Ok(Attempt::Prepared(prepared)) => prepared,
            Ok(Attempt::Raced) => return Ok(Joined::Raced),
            Ok(Attempt::Integrated(_)) if onto.is_some() => return later(line),
            Ok(Attempt::Integrated(proof)) => return Ok(Joined::Integrated(proof)),
            // It may be only what the queue holds that it does not get along with.
            Err(error) if onto.is_some() && depends_on_base(&error) => {
                candidate.note_crowd(crowd(tip, &before));
                return later(line);
            }
            Err(error) => return Err(error),
        };
        let real = asked.judge.gate(repository, tip, Some(prepared.new))?;
        if real.digest() != gate.digest() {
            gate = real;
            prepared.release();
            continue;
        }
        // Hooks and an editor may have run for long.
        let clear = candidate
            .ensure_clear(repository, tip, &prepared)
            .and_then(|()| landing_facts::ensure_still_meant(repository, &candidate.facts.lane));
        if let Err(error) = clear {
            prepared.release();
            return Err(error);
        }
        if !before.is_empty() {
            candidate.note_crowd(crowd(tip, &before));
        }
        let entry = Entry {
            number: before.last().map_or(0, |(_, entry)| entry.number) + 1,
            lane: candidate.facts.lane.name.clone(),
            id: candidate.facts.lane.id.clone(),
            tip: prepared.landing.tip,
            onto: prepared.old,
            commit: prepared.new,
            claim: claims::key_now(repository, &candidate.facts.lane),
        };
        let queued = line.join(&entry)?;
        return Ok(Joined::Waits(Box::new(Waiting {
            line,
            queued,
            gate,
            prepared,
            seen: tip,
        })));
    }
    Ok(Joined::Raced)
}

/// Those that wait before a lane.
fn crowd(from: ObjectId, before: &[Place]) -> Crowd {
    let member = |(_, entry): &Place| Member {
        lane: entry.lane.clone(),
        commit: entry.commit,
    };
    let before = before.iter().map(member).collect();
    Crowd { from, before }
}

/// Whether another tip of the base might not have led to that.
fn depends_on_base(error: &Error) -> bool {
    matches!(error.kind(), Kind::Conflict | Kind::Refused) && error.code() != Code::Hook
}

/// What a look at a landing that waits has shown.
pub(super) enum Look {
    /// It waits.
    Waits(Box<Waiting>),
    /// It is done, by itself or with others.
    Landed(Box<Prepared>, Option<Together>),
    /// It has to be computed anew.
    Again,
}

impl Waiting {
    /// Looks for the answer; the base has it all the same where a leader died before it could say
    /// so.
    pub(super) fn look(
        mut self: Box<Self>,
        repository: &Repository,
        candidate: &mut Candidate<'_>,
        asked: Asked<'_>,
    ) -> Result<Look> {
        let answer = self.queued.answer();
        let now = repository.branch_tip(&self.prepared.landing.base)?;
        if let Some(now) = now.filter(|now| *now != self.seen) {
            self.seen = now;
            if landing_facts::has(repository, now, self.prepared.new)? {
                let together = answer.and_then(Answer::together);
                return Ok(Look::Landed(self.prepared, together));
            }
        }
        match answer {
            None | Some(Answer::Lands { .. }) if self.queued.is_there() => {
                return Ok(Look::Waits(self));
            }
            _ => self.prepared.release(),
        }
        let Waiting { queued, gate, .. } = *self;
        drop(queued);
        let (crowd, failure) = match answer {
            Some(Answer::Suspect { crowd, document }) => (Some(crowd), failure(&document)),
            Some(Answer::Told { document, own }) => {
                let failure = failure(&document);
                // Some may have landed while it waited.
                let judged = own && failure.code() == Code::GateFailed;
                let crowd = judged.then(|| candidate.crowd(repository)).transpose()?;
                (crowd.flatten(), failure)
            }
            _ => return Ok(Look::Again),
        };
        match crowd {
            Some(crowd) => Err(suspect::examine(
                repository, candidate, &gate, &crowd, failure, asked,
            )?),
            None => Err(failure),
        }
    }

    /// Whether the base has it, where no answer is waited for any more.
    pub(super) fn has_landed(&self, repository: &Repository) -> bool {
        let base = &self.prepared.landing.base;
        let now = repository.branch_tip(base).ok().flatten();
        now.is_some_and(|now| {
            landing_facts::has(repository, now, self.prepared.new).unwrap_or(false)
        })
    }

    /// What has landed, and with which others.
    pub(super) fn landed(self) -> (Box<Prepared>, Option<Together>) {
        let together = self.queued.answer().and_then(Answer::together);
        (self.prepared, together)
    }

    /// Leads the queue, if no other process does; returns whether it did.
    pub(super) fn lead(&self, repository: &mut Repository, asked: Asked<'_>) -> Result<bool> {
        let Some(_leading) = self.line.lead()? else {
            return Ok(false);
        };
        let lead = Lead {
            line: &self.line,
            base: &self.prepared.landing.base,
            gate: &self.gate,
            asked,
        };
        lead.run(repository).map(|()| true)
    }
}

/// What the leader has found, in its own words.
fn failure(document: &serde_json::Value) -> Error {
    Error::from_json(document)
        .unwrap_or_else(|| Error::environment("the answer of another landing cannot be read"))
}
