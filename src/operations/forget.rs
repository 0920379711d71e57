//! Forgets an adopted lane: its record goes, its worktree and its branch stay as they are.
//!
//! git-lane never moves what it has not made, so `finish`, `drop` and `prune` forget such a lane
//! where they retire others; `retire` itself refuses it. One edit of `.git/config` under the
//! registry's lock, so there is nothing to recover.

use super::retire::look;
use super::start::registry_lock;
use crate::domain::event::{End, Event, Phase, Stays, Subject, What};
use crate::domain::lane::{Lane, ObjectId};
use crate::domain::name::LaneName;
use crate::domain::retire::{moved_on, place, raced};
use crate::error::Result;
use crate::repository::metadata::Edit;
use crate::repository::{Repository, claims, resolver_lock};

/// What the event log adds for a person.
const NOTE: &str = "it was adopted: its worktree and its branch stay";

/// Removes the record of a lane that was adopted; returns what stays of it. `expected_tip` is the
/// commit that the lane must still be at, `None`: whatever it is at.
///
/// # Errors
/// A refusal where another holder has claimed it (code `claimed`), a resolver is at work in it,
/// or it is no longer what the caller has seen (code `raced`).
pub fn forget(
    repository: &Repository,
    lane: &Lane,
    what: What,
    expected_tip: Option<ObjectId>,
) -> Result<Stays> {
    let operation = repository.log().begin(Subject::of(what, lane));
    let end = |stays: &Stays| End {
        note: Some(NOTE.into()),
        stays: Some(stays.clone()),
        ..End::default()
    };
    operation.ended(remove_record(repository, lane, expected_tip), end)
}

/// The same for an operation that tells the event log itself.
pub fn remove_record(
    repository: &Repository,
    lane: &Lane,
    expected_tip: Option<ObjectId>,
) -> Result<Stays> {
    repository.unrecovered.ensure_lane_is_whole(&lane.name)?;
    resolver_lock::ensure_free(repository, lane)?;
    let _registry = registry_lock(repository)?;
    let mut edit = Edit::begin(repository.lane_dir())?;
    let records = edit.records();
    let is_it = |record: &&Lane| record.id == lane.id && record.adopted;
    let record = records.find(&lane.name).filter(is_it);
    let record = record.ok_or_else(|| raced(&lane.name))?;
    claims::ensure_not_anothers(repository, record)?;
    let all = repository.worktrees()?;
    let tip = look::tip(repository, record, place(record, &all).worktree())?;
    if expected_tip.is_some() && tip != expected_tip {
        return Err(moved_on(&lane.name));
    }
    edit.remove(&lane.name);
    edit.commit()?;
    claims::forget(repository, &lane.id);
    Ok(Stays::of(record))
}

/// What stayed of the last lane of that name, where it had been adopted and was forgotten since.
pub fn forgotten(repository: &Repository, name: &LaneName) -> Option<Stays> {
    let events = repository.log().since(0).ok()?;
    let ends = |event: &&Event| {
        event.phase == Phase::After
            && event.subject.lane.as_ref() == Some(name)
            && event.subject.what.removes()
    };
    let last = events.iter().rev().find(ends)?;
    last.end.stays.clone()
}
