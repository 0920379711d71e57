//! Which operation is taken back, and whether that can be done: what the event log says, and the
//! facts of the repository, in; a choice, a plan or a refusal out.
//!
//! Called by `operations/undo`.

mod deeds;
mod undo_refusal;

pub use deeds::{Deed, Landing, Removal, Step, steps};
pub use undo_refusal::{Refusal, noun};

use std::collections::BTreeSet;

use super::lane::{LaneId, ObjectId, RefName};
use super::name::LaneName;

/// What a user wants taken back.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The lane, by its name or its id; `None`: whatever its owner did last.
    pub lane: Option<&'a str>,
    /// Who asks.
    pub owner: &'a str,
}

/// The newest step that is wanted and still stands. `steps` are those of the whole log, oldest
/// first.
pub fn choose<'a>(steps: &'a [Step], wanted: Wanted<'_>) -> Result<&'a Step, Refusal> {
    let mut standing = steps.iter().rev().filter(|step| step.stands());
    if let Some(name) = wanted.lane {
        let named = standing.find(|step| step.is_of(name));
        let named = named.ok_or_else(|| Refusal::NothingOf {
            lane: name.to_owned(),
            ever: steps.iter().any(|step| step.is_of(name)),
        })?;
        // It may have got another name since.
        let newest = steps.iter().rev().filter(|step| step.stands());
        let newest = newest
            .into_iter()
            .find(|step| step.lane_id == named.lane_id);
        return Ok(newest.unwrap_or(named));
    }
    let own = standing.find(|step| step.owner == wanted.owner);
    let own = own.ok_or_else(|| Refusal::NothingOfYours {
        owner: wanted.owner.to_owned(),
    })?;
    match overtaker(steps, own) {
        Some(newer) => Err(Refusal::Overtaken {
            lane: own.lane.clone(),
            by: newer.deed.what(),
            owner: newer.owner.clone(),
        }),
        None => Ok(own),
    }
}

/// The lane of a try that came after `step` and is over by itself: a user who wants the last thing taken
/// back may mean that.
pub fn passed_over<'a>(steps: &'a [Step], wanted: Wanted<'_>, step: &Step) -> Option<&'a LaneName> {
    let later = steps
        .iter()
        .rev()
        .filter(|other| other.sequence > step.sequence);
    let is_meant = |other: &&Step| match wanted.lane {
        Some(_) => other.lane_id == step.lane_id,
        None => other.owner == wanted.owner,
    };
    let mut passed = later.filter(|other| other.over).filter(is_meant);
    passed.next().map(|other| &other.lane)
}

/// The lanes that were called so, or have that id.
pub fn called(steps: &[Step], name: &str) -> BTreeSet<LaneId> {
    let of = steps.iter().filter(|step| step.is_of(name));
    of.map(|step| step.lane_id.clone()).collect()
}

/// The newest step of the same lane, where that is a later one that stands.
pub fn overtaker<'a>(steps: &'a [Step], step: &Step) -> Option<&'a Step> {
    let newest = steps.iter().rev().find(|other| {
        other.stands() && (other.lane == step.lane || other.lane_id == step.lane_id)
    })?;
    (newest.sequence > step.sequence).then_some(newest)
}

/// The steps that can only be taken back together with `step`, itself among them, in the order of
/// the log: what one move of a base has landed.
pub fn members<'a>(steps: &'a [Step], step: &'a Step) -> Vec<&'a Step> {
    let Some(batch) = step.landing().and_then(|landing| landing.batch.as_ref()) else {
        return vec![step];
    };
    steps
        .iter()
        .filter(|other| other.stands())
        .filter(|other| {
            other
                .landing()
                .is_some_and(|landing| landing.batch.as_ref() == Some(batch))
        })
        .collect()
}

/// From where to where the landing of `step` has moved its base: with those it shares the move with,
/// of which each may tell its own part.
pub fn span(steps: &[Step], step: &Step) -> Option<(RefName, ObjectId, ObjectId)> {
    let own = step.landing()?;
    let shares = |other: &&Landing| own.batch.is_some() && other.batch == own.batch;
    let mut parts: Vec<&Landing> = steps
        .iter()
        .filter_map(Step::landing)
        .filter(shares)
        .collect();
    if parts.is_empty() {
        parts.push(own);
    }
    let starts = parts
        .iter()
        .find(|part| parts.iter().all(|other| other.to != part.from));
    let ends = parts
        .iter()
        .find(|part| parts.iter().all(|other| other.from != part.to));
    Some((own.base.clone(), starts?.from, ends?.to))
}

/// The lanes whose landings on `base` came after `step`, and stand.
pub fn landed_since(steps: &[Step], base: &RefName, step: &Step) -> Vec<LaneName> {
    let mut lanes: Vec<LaneName> = Vec::new();
    let batch = step.landing().and_then(|landing| landing.batch.as_ref());
    let is_other = |landing: &Landing| {
        landing.base == *base && (batch.is_none() || landing.batch.as_ref() != batch)
    };
    let later = steps
        .iter()
        .filter(|other| other.stands() && other.sequence > step.sequence)
        .filter(|other| other.landing().is_some_and(is_other));
    for other in later {
        if !lanes.contains(&other.lane) && other.lane != step.lane {
            lanes.push(other.lane.clone());
        }
    }
    lanes
}

/// How the base of a landing stands today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseToday {
    /// The base.
    pub base: RefName,
    /// Its commit; `None`: it is gone.
    pub tip: Option<ObjectId>,
    /// Where the landing took it from, and to.
    pub from: ObjectId,
    /// See `from`.
    pub to: ObjectId,
    /// How many commits it has that the landing has not; `None` where the landing is not in it.
    pub since: Option<usize>,
    /// The lanes that have landed on it since.
    pub lanes: Vec<LaneName>,
    /// A remote-tracking branch, or a remote, that has the landing.
    pub published: Option<String>,
}

/// What has to be done to a base.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Course {
    /// It goes back.
    Back,
    /// It is where it was before the landing.
    IsBack,
    /// A revert goes on top of it.
    Revert,
    /// The revert is on it already.
    IsReverted,
}

impl Course {
    /// Whether the landing stays, and a revert takes its changes back.
    pub fn reverts(self) -> bool {
        matches!(self, Course::Revert | Course::IsReverted)
    }
}

/// Whether a landing of `lane` can be taken back, and how.
pub fn course(lane: &LaneName, today: &BaseToday, revert: bool) -> Result<Course, Refusal> {
    let base = || today.base.clone();
    let Some(tip) = today.tip else {
        return Err(Refusal::BaseGone { base: base() });
    };
    let Some(since) = today.since else {
        return match tip == today.from && !revert {
            true => Ok(Course::IsBack),
            false => Err(Refusal::NotLanded {
                lane: lane.clone(),
                base: base(),
            }),
        };
    };
    if revert {
        return Ok(Course::Revert);
    }
    if tip != today.to {
        return Err(Refusal::MovedOn {
            lane: lane.clone(),
            base: base(),
            commits: since,
            lanes: today.lanes.clone(),
        });
    }
    match &today.published {
        Some(branch) => Err(Refusal::Published {
            lane: lane.clone(),
            base: base(),
            branch: branch.clone(),
        }),
        None => Ok(Course::Back),
    }
}

#[cfg(test)]
mod undo_table;
