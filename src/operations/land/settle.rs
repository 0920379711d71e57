//! The landings of one command on their way: each is computed when it is its turn, waits where it
//! has a gate, and ends by itself. What happens to one stops none of the others.
//!
//! Called by `land`.

use std::time::{Duration, Instant};

use serde_json::Value as Document;

use super::apply::Moved;
use super::batch::{self, Joined, Later, Look, Waiting};
use super::candidate::{Attempt, Candidate};
use super::crowd::Member;
use super::landing_facts::ensure_still_meant;
use super::landing_lock::Turn;
use super::outcome::{Asked, Outcome, Together, word};
use super::prepared::Prepared;
use super::push_first::{ensure_may_push, push_and_apply, pushed_to};
use super::{ATTEMPTS, RESOLUTIONS, Wanted};
use crate::domain::event::{End, Subject, What};
use crate::domain::lane::{ObjectId, RefName};
use crate::domain::name::BranchName;
use crate::error::{Code, Error, Kind, Result};
use crate::operations::checkout::{Move, Why};
use crate::operations::resolve::Resolver;
use crate::repository::Repository;
use crate::store::activity::Activity;
use crate::store::events::Operation;
use crate::store::git::PrePush;
use crate::store::signals;

/// How often a process that waits for others looks again.
const PAUSE: Duration = Duration::from_millis(15);

/// A wait that a person is told of.
const LONG: Duration = Duration::from_millis(250);

/// How far a landing is.
enum State {
    /// It is to be computed.
    Outside,
    /// It is to be computed once those before it have landed or failed.
    Later(Later),
    /// It waits for its answer.
    Waits(Box<Waiting>),
    /// It conflicts with its base, and is handed to the resolver once the others have ended.
    Conflicts(Error),
    /// It has landed, or cannot.
    Done(Result<Outcome>),
}

/// One of the landings of a command.
pub(super) struct Landing<'a> {
    /// `None` where already its beginning has failed.
    candidate: Option<Candidate<'a>>,
    state: State,
    attempts: usize,
    /// How often a conflict of it was resolved.
    resolved: usize,
    operation: Operation,
}

impl<'a> Landing<'a> {
    /// Says to a person that it is under way; `None` where nothing is to be done.
    fn doing(&self) -> Option<Activity> {
        let lane = &self.candidate.as_ref()?.facts.lane.name;
        match self.state {
            State::Done(_) | State::Waits(_) => None,
            _ => Some(Activity::begin(format!("landing lane '{lane}'"))),
        }
    }

    /// Says in the event log that it begins.
    pub(super) fn begin(repository: &Repository, wanted: Wanted<'a>) -> Self {
        let mut subject = Subject::of(What::Land, &wanted.facts.lane);
        if let Some(base) = &wanted.facts.base {
            (subject.base, subject.base_commit) = (Some(RefName::from(&base.branch)), base.tip);
        }
        let operation = repository.log().begin(subject);
        let candidate = Candidate::new(repository, wanted.facts, wanted.request, wanted.wording);
        let (candidate, state) = match candidate {
            Ok(candidate) => (Some(candidate), State::Outside),
            Err(error) => (None, State::Done(Err(error))),
        };
        Landing {
            candidate,
            state,
            attempts: 0,
            resolved: 0,
            operation,
        }
    }

    /// Says in the event log what became of it.
    pub(super) fn ended(mut self, repository: &Repository, asked: Asked<'_>) -> Result<Outcome> {
        let State::Done(mut outcome) = self.state else {
            return Err(raced());
        };
        if let Ok(Outcome::Landed(landed)) = &mut outcome {
            landed.resolved = self.resolved > 0;
            self.operation.subject().base_commit = Some(landed.old);
        }
        self.operation.ended(outcome, |outcome| match outcome {
            Outcome::Landed(landed) => End {
                result: landed.new,
                note: Some(word(landed.strategy).into()),
                batch: landed
                    .together
                    .as_ref()
                    .map(|together| together.batch.clone()),
                resolved: landed.resolved,
                pushed: pushed_to(repository, &landed.base, asked.push),
                ..End::default()
            },
            Outcome::Integrated(proof) => End {
                note: Some(format!("nothing to land: {proof}")),
                ..End::default()
            },
        })
    }

    fn fail(&mut self, repository: &Repository, error: Error, asked: Asked<'_>) {
        let (error, has_room) = match &mut self.candidate {
            Some(candidate) => (candidate.blame(repository, error), candidate.has_room()),
            None => (error, false),
        };
        self.state = match asked.resolver {
            None => State::Done(Err(error)),
            Some(_) if error.kind() != Kind::Conflict => State::Done(Err(error)),
            Some(_) if !has_room => State::Done(Err(error
                .hint("a conflict is laid out only where the lane has a worktree with a branch"))),
            Some(_) if self.resolved == RESOLUTIONS => State::Done(Err(error.hint(format!(
                "the base has moved on {RESOLUTIONS} times while conflicts with it were resolved"
            )))),
            Some(_) => State::Conflicts(error),
        };
    }

    /// Hands its conflict to the resolver, where it has one.
    fn resolve(&mut self, repository: &Repository, by: Resolver<'_>) -> Result<()> {
        self.state = State::Outside;
        self.attempts = 0;
        self.resolved += 1;
        match &mut self.candidate {
            Some(candidate) => candidate.resolve(repository, by),
            None => Ok(()),
        }
    }

    /// Its base, the base's commit before, and what it has made of it.
    fn landed(&self) -> Option<(BranchName, ObjectId, Member)> {
        let (State::Done(Ok(Outcome::Landed(landed))), Some(candidate)) =
            (&self.state, &self.candidate)
        else {
            return None;
        };
        let lane = candidate.facts.lane.name.clone();
        let commit = landed.new?;
        Some((landed.base.clone(), landed.old, Member { lane, commit }))
    }

    /// Takes the next step that it can take; says whether it did.
    fn advance(&mut self, repository: &mut Repository, asked: Asked<'_>) -> Result<bool> {
        let Some(candidate) = &mut self.candidate else {
            return Ok(false);
        };
        let next = match std::mem::replace(&mut self.state, State::Outside) {
            State::Later(later) if !later.is_due(repository)? => State::Later(later),
            State::Done(outcome) => State::Done(outcome),
            State::Conflicts(error) => State::Conflicts(error),
            State::Waits(waiting) => match waiting.look(repository, candidate, asked)? {
                Look::Waits(waiting) => State::Waits(waiting),
                Look::Again => State::Outside,
                Look::Landed(prepared, together) => {
                    landed(repository, candidate, prepared, together)
                }
            },
            State::Outside | State::Later(_) => {
                if self.attempts == ATTEMPTS {
                    return Err(raced());
                }
                self.attempts += 1;
                self.state = enter(repository, candidate, asked, self.attempts > 1)?;
                return Ok(true);
            }
        };
        self.state = next;
        Ok(matches!(self.state, State::Outside))
    }

    /// What stops the whole command stops a landing that has not ended; one that the base has by now
    /// has ended.
    fn stop(&mut self, repository: &Repository, error: &mut Option<Error>, document: &Document) {
        let state = std::mem::replace(&mut self.state, State::Outside);
        self.state = match (state, &self.candidate) {
            (State::Done(outcome), _) => State::Done(outcome),
            (State::Waits(waiting), Some(candidate)) if waiting.has_landed(repository) => {
                let (prepared, together) = waiting.landed();
                landed(repository, candidate, prepared, together)
            }
            _ => {
                let error = error.take().or_else(|| Error::from_json(document));
                State::Done(Err(error.unwrap_or_else(raced)))
            }
        };
    }
}

/// The base has it: lets go of what kept the commit, and tells the hooks.
fn landed(
    repository: &Repository,
    candidate: &Candidate<'_>,
    mut prepared: Box<Prepared>,
    together: Option<Together>,
) -> State {
    prepared.release();
    candidate.tell(repository, &prepared);
    State::Done(Ok(Outcome::Landed(prepared.landed(together))))
}

/// Has all of them landed or failed.
pub(super) fn settle(repository: &mut Repository, landings: &mut [Landing<'_>], asked: Asked<'_>) {
    if let Err(error) = settle_all(repository, landings, asked) {
        let document = error.to_json();
        let mut error = Some(error);
        for landing in landings {
            landing.stop(repository, &mut error, &document);
        }
    }
}

fn settle_all(
    repository: &mut Repository,
    landings: &mut [Landing<'_>],
    asked: Asked<'_>,
) -> Result<()> {
    let since = Instant::now();
    let _doing = Activity::begin("landing");
    while !landings
        .iter()
        .all(|landing| matches!(landing.state, State::Done(_)))
    {
        if advance_all(repository, landings, asked)?
            || lead(repository, landings, asked)?
            || resolve_next(repository, landings, asked)?
        {
            continue;
        }
        let waits =
            |landing: &Landing<'_>| matches!(landing.state, State::Waits(_) | State::Later(_));
        if since.elapsed() > LONG && landings.iter().any(waits) {
            asked.judge.watch.waits();
        }
        signals::ensure_none()?;
        std::thread::sleep(PAUSE);
    }
    Ok(())
}

/// Has each take the next step that it can take; says whether any did.
fn advance_all(
    repository: &mut Repository,
    landings: &mut [Landing<'_>],
    asked: Asked<'_>,
) -> Result<bool> {
    let mut moved = false;
    for place in 0..landings.len() {
        let _place = Activity::with_lane(place, landings.len());
        let _doing = landings[place].doing();
        match landings[place].advance(repository, asked) {
            Ok(false) => continue,
            Ok(true) => moved = true,
            Err(error) if error.kind() == Kind::Interrupted => return Err(error),
            Err(error) => landings[place].fail(repository, error, asked),
        }
        // A conflict may be with what this command has landed itself.
        let Some((base, old, member)) = landings[place].landed() else {
            continue;
        };
        for landing in &mut *landings {
            if let (Some(candidate), State::Outside) = (&mut landing.candidate, &landing.state) {
                candidate.note_landed(&base, old, member.clone());
            }
        }
    }
    Ok(moved)
}

/// Leads a queue in which one of them waits and that no other process leads; says whether there was
/// one.
fn lead(repository: &mut Repository, landings: &[Landing<'_>], asked: Asked<'_>) -> Result<bool> {
    for landing in landings {
        if let State::Waits(waiting) = &landing.state
            && waiting.lead(repository, asked)?
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Hands the next conflict to the resolver once nothing else is under way: a landing that is still
/// to come may bring another one. Says whether there was one.
fn resolve_next(
    repository: &mut Repository,
    landings: &mut [Landing<'_>],
    asked: Asked<'_>,
) -> Result<bool> {
    let Some(resolver) = asked.resolver else {
        return Ok(false);
    };
    let is_over =
        |landing: &Landing<'_>| matches!(landing.state, State::Done(_) | State::Conflicts(_));
    if !landings.iter().all(is_over) {
        return Ok(false);
    }
    let has_conflict = |landing: &&mut Landing<'_>| matches!(landing.state, State::Conflicts(_));
    let Some(landing) = landings.iter_mut().find(has_conflict) else {
        return Ok(false);
    };
    signals::ensure_none()?;
    match landing.resolve(repository, resolver) {
        Ok(()) => {}
        Err(error) if error.kind() == Kind::Interrupted => return Err(error),
        Err(error) => landing.state = State::Done(Err(error)),
    }
    Ok(true)
}

/// Computes a landing when it is its turn. Without a gate it lands at once, else it waits for that.
fn enter(
    repository: &mut Repository,
    candidate: &mut Candidate<'_>,
    asked: Asked<'_>,
    again: bool,
) -> Result<State> {
    let turn = Turn::take(repository)?;
    let waited = again || turn.has_waited() || candidate.was_edited();
    for attempt in 0..ATTEMPTS {
        // The process that had the turn before us may have died in the middle of it.
        (asked.heal)(repository)?;
        let waited = waited || attempt > 0;
        if asked.push.is_some()
            && let Some((base, tip)) = candidate.base().zip(candidate.tip(repository)?)
        {
            ensure_may_push(repository, &base, tip, &candidate.facts.lane.name)?;
        }
        if let Some((tip, gate)) = candidate.gate(repository, asked.judge)? {
            match batch::join(repository, candidate, (tip, gate), asked, waited)? {
                Joined::Raced => continue,
                Joined::Integrated(proof) => {
                    return Ok(State::Done(Ok(Outcome::Integrated(proof))));
                }
                Joined::Later(later) => return Ok(State::Later(later)),
                Joined::Waits(waiting) => return Ok(State::Waits(waiting)),
            }
        }
        let prepared = match candidate.prepare(repository, None, waited)? {
            Attempt::Integrated(proof) => return Ok(State::Done(Ok(Outcome::Integrated(proof)))),
            Attempt::Raced => continue,
            Attempt::Prepared(prepared) => prepared,
        };
        // A lane that brings a gate has to pass it.
        if candidate.brings_gate(repository, asked.judge, &prepared)? {
            continue;
        }
        if move_base(repository, candidate, &prepared, asked.push)? == Moved::Done {
            // These hooks may land the next lane.
            drop(turn);
            return Ok(landed(repository, candidate, prepared, None));
        }
    }
    Err(raced())
}

fn raced() -> Error {
    Error::refused("the base kept moving while the lane was landing")
        .with_code(Code::Raced)
        .hint("run the command again")
}

/// Moves the base to the commit that was prepared.
fn move_base(
    repository: &Repository,
    candidate: &Candidate<'_>,
    prepared: &Prepared,
    push: Option<PrePush>,
) -> Result<Moved> {
    let planned = Move {
        base: &prepared.landing.base,
        old: prepared.old,
        new: prepared.new,
        made_on: prepared.fresh.then_some(prepared.old),
        why: Why::Landing,
        site: prepared.site(),
        reason: &candidate.reason(&prepared.landing),
        scratch: Some(candidate.scratch()),
        under: None,
    };
    // Hooks and an editor may have run for long.
    ensure_still_meant(repository, &candidate.facts.lane)?;
    push_and_apply(repository, &planned, &candidate.facts.lane.name, push)
}
