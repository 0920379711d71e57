//! Landing: the result is computed in memory, then the base moves to it by compare-and-swap.
//!
//! [`preview`] computes and changes nothing. [`land`] queues behind other landings, so that fifty
//! of them do not redo each other's work; the compare-and-swap stays as the safety net against
//! everybody who does not queue. What has a gate waits in a `batch` until that has succeeded.
//!
//! Called by `commands/finish` and `commands/check`, and by `recover`.

pub mod apply;
pub mod base_remote;
mod batch;
mod candidate;
pub mod changed_paths;
pub mod commit;
mod crowd;
pub(super) mod hook_room;
pub mod keepalive_ref;
pub mod landing_facts;
pub mod landing_hooks;
pub(super) mod landing_lock;
pub mod merge;
pub mod merge_settings;
mod next_tip;
pub(super) mod obstacles_ahead;
pub mod outcome;
mod prepared;
mod preview;
pub mod push_first;
pub mod recover_landing;
pub mod recover_push;
pub mod replay;
pub mod revert;
mod settle;
mod stage;
#[doc(hidden)]
pub mod stamp;
pub mod take_back;
pub mod upstream_commits;
pub mod verdict;

pub(super) use self::batch::is_queued;
use self::candidate::Candidate;
use self::outcome::{Asked, Outcome, Wording};
pub use self::preview::preview;
use self::settle::{Landing, settle};
use crate::domain::finish::{Facts, Request};
use crate::domain::gate::Gate;
use crate::error::{Error, Result};
use crate::operations::gate::{Trial, ensure_approved};
use crate::repository::Repository;

/// How often a landing that lost its race starts again.
pub(super) const ATTEMPTS: usize = 20;

/// How often a lane's conflicts are handed to a resolver before it is given up.
const RESOLUTIONS: usize = 5;

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
    let begin = |wanted| Landing::begin(repository, wanted);
    let mut landings: Vec<Landing<'_>> = wanted.into_iter().map(begin).collect();
    settle(repository, &mut landings, asked);
    let ended = |landing: Landing<'_>| landing.ended(repository, asked);
    landings.into_iter().map(ended).collect()
}

/// Runs the gate on what landing would make of the base, and lands nothing; no hook is asked. The
/// gate, and how it fails; `None` where there is no gate, or nothing to land.
pub fn rehearse(
    repository: &Repository,
    wanted: Wanted<'_>,
    asked: Asked<'_>,
) -> Result<Option<(Gate, Option<Error>)>> {
    let lane = wanted.facts.lane.name.clone();
    let mut candidate = Candidate::new(repository, wanted.facts, wanted.request, wanted.wording)?;
    let Some((base, tip)) = candidate.base().zip(candidate.tip(repository)?) else {
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
        names: &[&lane],
        without: None,
    };
    let failure = asked.judge.test(repository, &trial)?;
    Ok(Some((gate, failure)))
}
