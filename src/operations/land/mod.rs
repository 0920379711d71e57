//! Landing: the result is computed in memory, then the base moves to it by compare-and-swap.
//!
//! [`preview`] computes and changes nothing. [`land`] queues behind other landings, so that fifty
//! of them do not redo each other's work; the compare-and-swap stays as the safety net against
//! everybody who does not queue. What has a gate waits in a `batch` until that has succeeded.
//!
//! Called by `commands/finish` and `commands/check`, and by `recover`.

pub mod apply;
mod batch;
mod candidate;
pub mod changed_paths;
pub mod commit;
mod crowd;
pub mod keepalive_ref;
pub mod landing_facts;
pub mod landing_hooks;
mod landing_lock;
pub mod merge;
mod merge_settings;
mod next_tip;
mod obstacles_ahead;
pub mod outcome;
mod preview;
pub mod recover_landing;
pub mod replay;
pub mod revert;
mod stage;
#[doc(hidden)]
pub mod stamp;
pub mod take_back;
mod verdict;

use std::time::{Duration, Instant};

use self::apply::Moved;
use self::batch::{Joined, Later, Look, Waiting};
use self::candidate::{Attempt, Candidate, Prepared};
use self::crowd::Member;
use self::landing_lock::Turn;
use self::outcome::{Asked, Outcome, Wording, word};
pub use self::preview::preview;
use crate::domain::event::{End, Subject, What};
use crate::domain::finish::{Facts, Request};
use crate::domain::gate::Gate;
use crate::domain::lane::{ObjectId, RefName};
use crate::domain::name::BranchName;
use crate::error::{Code, Error, Kind, Result};
use crate::operations::checkout::Move;
use crate::operations::gate::{Tested, Trial, ensure_approved, tree_of};
use crate::repository::Repository;
use crate::store::events::Operation;
use crate::store::signals;

/// How often a landing that lost its race starts again.
const ATTEMPTS: usize = 20;

/// How often a process that waits for others looks again.
const PAUSE: Duration = Duration::from_millis(15);

/// A wait that a person is told of.
const LONG: Duration = Duration::from_millis(250);

/// A lane to land.
pub struct Wanted<'a> {
    /// What is known of it; what the facts say about the base is looked at again when it is this
    /// landing's turn.
    pub facts: &'a mut Facts,
    /// How it is to land.
    pub request: &'a Request,
    /// What its commit says.
    pub wording: &'a Wording<'a>,
}

/// Lands the lanes in their order, stops at none that cannot land, and says of each what became of
/// it.
pub fn land(
    repository: &mut Repository,
    wanted: Vec<Wanted<'_>>,
    asked: Asked<'_>,
) -> Vec<Result<Outcome>> {
    let mut landings: Vec<Landing<'_>> = Vec::new();
    for wanted in wanted {
        landings.push(Landing::begin(repository, wanted));
    }
    if let Err(error) = settle(repository, &mut landings, asked) {
        end_all(&mut landings, error);
    }
    landings.into_iter().map(Landing::ended).collect()
}

/// Runs the gate on what landing would make of the base, and lands nothing; no hook is asked. `None`
/// where there is no gate, or nothing to land.
pub fn rehearse(
    repository: &Repository,
    wanted: Wanted<'_>,
    asked: Asked<'_>,
) -> Result<Option<(Gate, Tested)>> {
    let lane = wanted.facts.lane.name.clone();
    let mut candidate = Candidate::new(repository, wanted.facts, wanted.request, wanted.wording)?;
    let base = candidate.base();
    let tip = match &base {
        Some(base) => repository.branch_tip(base)?,
        None => None,
    };
    let (Some(base), Some(tip)) = (base, tip) else {
        return Ok(None);
    };
    let Some(rehearsal) = candidate.rehearse(repository, tip)? else {
        return Ok(None);
    };
    let gate = asked.judge.gate(repository, tip, Some(rehearsal.commit))?;
    if gate.is_empty() {
        return Ok(None);
    }
    ensure_approved(&gate, &lane)?;
    let trial = Trial {
        gate: &gate,
        base: &base,
        commit: rehearsal.commit,
        tree: tree_of(repository, rehearsal.commit)?,
        names: &[&lane],
        without: None,
    };
    let tested = asked.judge.test(repository, &trial)?;
    Ok(Some((gate, tested)))
}

/// How far a landing is.
enum State {
    /// It is to be computed.
    Outside,
    /// It is to be computed once those before it have landed or failed.
    Later(Later),
    /// It waits for its answer.
    Waits(Box<Waiting>),
    /// It has landed, and the hooks are still to hear of it.
    Done(Result<Outcome>),
}

/// One of the landings of a command.
struct Landing<'a> {
    candidate: std::result::Result<Candidate<'a>, ()>,
    state: State,
    attempts: usize,
    operation: Operation,
}

impl<'a> Landing<'a> {
    fn begin(repository: &Repository, wanted: Wanted<'a>) -> Self {
        let mut subject = Subject::of(What::Land, &wanted.facts.lane);
        if let Some(base) = &wanted.facts.base {
            (subject.base, subject.base_commit) = (Some(RefName::from(&base.branch)), base.tip);
        }
        let operation = repository.log().begin(subject);
        let candidate = Candidate::new(repository, wanted.facts, wanted.request, wanted.wording);
        let (candidate, state) = match candidate {
            Ok(candidate) => (Ok(candidate), State::Outside),
            Err(error) => (Err(()), State::Done(Err(error))),
        };
        Landing {
            candidate,
            state,
            attempts: 0,
            operation,
        }
    }

    /// Says in the event log what became of it.
    fn ended(mut self) -> Result<Outcome> {
        let State::Done(outcome) = self.state else {
            return Err(raced());
        };
        if let Ok(Outcome::Landed(landed)) = &outcome {
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
                ..End::default()
            },
            Outcome::Integrated(proof) => End {
                note: Some(format!("nothing to land: {proof}")),
                ..End::default()
            },
        })
    }

    fn fail(&mut self, repository: &Repository, error: Error) {
        let error = match &mut self.candidate {
            Ok(candidate) => candidate.blame(repository, error),
            Err(()) => error,
        };
        self.state = State::Done(Err(error));
    }

    /// Its base, the base's commit before, and what it has made of it.
    fn landed(&self) -> Option<(BranchName, ObjectId, Member)> {
        let (State::Done(Ok(Outcome::Landed(landed))), Ok(candidate)) =
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
        let Ok(candidate) = &mut self.candidate else {
            return Ok(false);
        };
        let next = match std::mem::replace(&mut self.state, State::Outside) {
            State::Later(later) if !later.is_due(repository)? => State::Later(later),
            State::Done(outcome) => State::Done(outcome),
            State::Waits(waiting) => match waiting.look(repository, candidate, asked)? {
                Look::Waits(waiting) => State::Waits(waiting),
                Look::Again => State::Outside,
                Look::Landed(mut prepared, together) => {
                    prepared.release();
                    candidate.tell(repository, &prepared)?;
                    State::Done(Ok(Outcome::Landed(prepared.landed(together))))
                }
            },
            State::Outside | State::Later(_) => {
                if self.attempts == ATTEMPTS {
                    return Err(raced());
                }
                self.attempts += 1;
                let next = enter(repository, candidate, asked, self.attempts > 1)?;
                self.state = next;
                return Ok(true);
            }
        };
        let moved = !matches!(next, State::Waits(_) | State::Later(_) | State::Done(_));
        self.state = next;
        Ok(moved)
    }
}

/// Has those that have yet to land know of those that have: a conflict may be with one of them.
fn tell_of_each_other(landings: &mut [Landing<'_>]) {
    let landed = landings.iter().filter_map(Landing::landed);
    let landed: Vec<(BranchName, ObjectId, Member)> = landed.collect();
    for landing in landings.iter_mut() {
        if let (Ok(candidate), State::Outside) = (&mut landing.candidate, &landing.state) {
            for (base, old, member) in &landed {
                candidate.note_landed(base, *old, member);
            }
        }
    }
}

/// Has all of them landed or failed.
fn settle(
    repository: &mut Repository,
    landings: &mut [Landing<'_>],
    asked: Asked<'_>,
) -> Result<()> {
    let since = Instant::now();
    loop {
        let mut moved = false;
        for place in 0..landings.len() {
            match landings[place].advance(repository, asked) {
                Ok(step) => moved |= step,
                Err(error) if error.kind() == Kind::Interrupted => return Err(error),
                Err(error) => landings[place].fail(repository, error),
            }
            tell_of_each_other(landings);
        }
        if landings
            .iter()
            .all(|landing| matches!(landing.state, State::Done(_)))
        {
            return Ok(());
        }
        if moved {
            continue;
        }
        let mut led = false;
        for landing in landings.iter() {
            if let State::Waits(waiting) = &landing.state {
                led = waiting.lead(repository, asked)?;
            }
            if led {
                break;
            }
        }
        if !led {
            if since.elapsed() > LONG {
                asked.judge.watch.waits();
            }
            signals::ensure_none()?;
            std::thread::sleep(PAUSE);
        }
    }
}

/// What stops the whole command stops all that have not ended.
fn end_all(landings: &mut [Landing<'_>], error: Error) {
    let document = error.to_json();
    let mut first = Some(error);
    for landing in landings {
        if !matches!(landing.state, State::Done(_)) {
            let error = first.take().or_else(|| Error::from_json(&document));
            landing.state = State::Done(Err(error.unwrap_or_else(raced)));
        }
    }
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
        let mut prepared = match candidate.prepare(repository, None, waited)? {
            Attempt::Integrated(proof) => return Ok(State::Done(Ok(Outcome::Integrated(proof)))),
            Attempt::Raced => continue,
            Attempt::Prepared(prepared) => prepared,
        };
        // A lane that brings a gate has to pass it.
        if candidate.brings_gate(repository, asked.judge, &prepared)? {
            prepared.release();
            continue;
        }
        let moved = move_base(repository, candidate, &prepared);
        prepared.release();
        if moved? == Moved::Done {
            // These hooks may land the next lane.
            drop(turn);
            candidate.tell(repository, &prepared)?;
            return Ok(State::Done(Ok(Outcome::Landed(prepared.landed(None)))));
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
) -> Result<Moved> {
    let planned = Move {
        base: &prepared.landing.base,
        old: prepared.old,
        new: prepared.new,
        fresh: prepared.fresh,
        back: false,
        site: prepared.site(),
        reason: &candidate.reason(&prepared.landing),
        scratch: Some(candidate.scratch()),
    };
    apply::apply(repository, &planned)
}
