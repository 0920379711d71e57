//! Landing: the result is computed in memory, then the base moves to it by compare-and-swap.
//!
//! [`preview`] computes and changes nothing. [`land`] queues behind other landings, so that fifty
//! of them do not redo each other's work; the compare-and-swap stays as the safety net against
//! everybody who does not queue.
//!
//! Called by `commands/finish`, and by `recover`.

pub mod apply;
mod candidate;
pub mod commit;
pub mod keepalive_ref;
pub mod landing_facts;
pub mod landing_hooks;
pub mod merge;
mod merge_settings;
mod next_tip;
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

use crate::repository::recovered::Heal;
use std::time::{Duration, Instant};

use self::apply::Moved;
use self::candidate::{Attempt, Candidate, Prepared};
use self::outcome::{Outcome, Wording, word};
pub use self::preview::preview;
use crate::domain::event::{End, Subject, What};
use crate::domain::finish::{Facts, Request};
use crate::domain::lane::RefName;
use crate::error::{Code, Error, IoContext, Result};
use crate::operations::checkout::Move;
use crate::repository::Repository;
use crate::store::journal::Exclusive;

/// The lock of landings: one at a time.
const LOCK: &str = "land.lock";

/// How long to wait for other landings; their hooks may run a test suite.
const PATIENCE: Duration = Duration::from_secs(600);

/// A wait after which the lane's files are looked at again.
const QUICK: Duration = Duration::from_millis(100);

/// How often a landing that lost its race starts again.
const ATTEMPTS: usize = 20;

/// Lands the lane of `facts`. What the facts say about the base is looked at again when it is this
/// landing's turn.
pub fn land(
    repository: &mut Repository,
    facts: &mut Facts,
    request: &Request,
    wording: &Wording<'_>,
    heal: Heal<'_>,
) -> Result<Outcome> {
    let mut subject = Subject::of(What::Land, &facts.lane);
    if let Some(base) = &facts.base {
        (subject.base, subject.base_commit) = (Some(RefName::from(&base.branch)), base.tip);
    }
    let mut operation = repository.log().begin(subject);
    let outcome = queue(repository, facts, request, wording, heal);
    if let Ok(Outcome::Landed(landed)) = &outcome {
        operation.subject().base_commit = Some(landed.old);
    }
    operation.ended(outcome, |outcome| match outcome {
        Outcome::Landed(landed) => End {
            result: landed.new,
            note: Some(word(landed.strategy).into()),
            ..End::default()
        },
        Outcome::Integrated(proof) => End {
            note: Some(format!("nothing to land: {proof}")),
            ..End::default()
        },
    })
}

fn queue(
    repository: &mut Repository,
    facts: &mut Facts,
    request: &Request,
    wording: &Wording<'_>,
    heal: Heal<'_>,
) -> Result<Outcome> {
    let mut candidate = Candidate::new(repository, facts, request, wording)?;
    landing_hooks::ensure_outside(repository, LOCK)?;
    let queued = Instant::now();
    let turn = Exclusive::acquire(repository.lane_dir(), LOCK, PATIENCE)?;
    turn.sign()
        .context("write", &repository.lane_dir().join(LOCK))?;
    let waited = wording.edit || queued.elapsed() > QUICK;
    for attempt in 0..ATTEMPTS {
        // The process that had the turn before us may have died in the middle of it.
        heal(repository)?;
        let mut prepared = match candidate.prepare(repository, waited || attempt > 0)? {
            Attempt::Integrated(proof) => return Ok(Outcome::Integrated(proof)),
            Attempt::Raced => continue,
            Attempt::Prepared(prepared) => prepared,
        };
        let moved = move_base(repository, &candidate, &prepared);
        prepared.release();
        if moved? == Moved::Done {
            // These hooks may land the next lane.
            drop(turn);
            candidate.tell(repository, &prepared)?;
            return Ok(Outcome::Landed(prepared.landed()));
        }
    }
    Err(
        Error::refused("the base kept moving while the lane was landing")
            .with_code(Code::Raced)
            .hint("run the command again"),
    )
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
