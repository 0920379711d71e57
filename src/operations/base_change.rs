//! Gives a lane another base, and the fork point that follows from it: one edit of `.git/config` under
//! the registry's lock, so there is nothing to recover.
//!
//! Called by `commands/base` and by `undo`.

use super::land::is_queued;
use super::retire::look;
use super::start::registry_lock;
use crate::domain::base_fit::{Refusal, ensure_fit};
use crate::domain::event::{End, Subject, What};
use crate::domain::lane::{Lane, ObjectId, RefName};
use crate::domain::record_change::RecordChange;
use crate::domain::retire::{place, raced};
use crate::error::Result;
use crate::repository::metadata::Edit;
use crate::repository::{Repository, claims, resolver_lock, revision};
use crate::store::journal::step;

/// Another base for a lane.
#[derive(Debug, Clone)]
pub struct NewBase {
    /// The record as it is.
    pub before: Lane,
    /// The record as it will be.
    pub after: Lane,
    /// How many commits then count as the lane's.
    pub commits: usize,
}

/// What the base of that name would make of the lane; changes nothing.
///
/// # Errors
/// A refusal where it can be none.
pub fn foresee(repository: &Repository, lane: &Lane, named: &str) -> Result<NewBase> {
    claims::ensure_not_anothers(repository, lane)?;
    let base = revision::named_base(repository, named)?;
    let lanes = repository.records()?.lanes;
    let refuse = |refusal: Refusal| refusal.refuse(&lane.name);
    let name = ensure_fit(lane, &lanes, named, base.name.as_ref()).map_err(refuse)?;
    if lane.base.as_ref() != Some(&name) {
        ensure_can_be(repository, lane, &lanes, Some(&name))?;
    }
    let tip = tip(repository, lane)?.ok_or_else(|| refuse(Refusal::NoCommit))?;
    let fork_point = fork_point(repository, &name, base.commit, tip)?
        .ok_or_else(|| refuse(Refusal::Unrelated(name.clone())))?;
    Ok(NewBase {
        before: lane.clone(),
        after: Lane {
            base: Some(name),
            fork_point,
            ..lane.clone()
        },
        commits: commits_since(repository, fork_point, tip)?,
    })
}

/// Refuses a base that is based on the lane, and any other than it has while a command is about to land
/// it there.
pub fn ensure_can_be(
    repository: &Repository,
    lane: &Lane,
    lanes: &[Lane],
    base: Option<&RefName>,
) -> Result<()> {
    let refuse = |refusal: Refusal| refusal.refuse(&lane.name);
    if is_queued(repository.lane_dir(), &lane.id) {
        return Err(refuse(Refusal::Queued));
    }
    let Some(base) = base else {
        return Ok(());
    };
    let fits = ensure_fit(lane, lanes, &base.shorten().to_string(), Some(base));
    fits.map(drop).map_err(refuse)
}

/// Where the lane left the base: the newest commit of which the reflog of the base knows that it was
/// there, so that what a rewritten base has lost does not count as the lane's; else the newest that
/// both have.
fn fork_point(
    repository: &Repository,
    base: &RefName,
    commit: ObjectId,
    tip: ObjectId,
) -> Result<Option<ObjectId>> {
    let by_log = repository.git_here().fork_point(base.as_bstr(), tip)?;
    match by_log {
        Some(found) => Ok(Some(found)),
        None => revision::merge_base(repository, commit, tip),
    }
}

/// How many commits a lane has since its fork point; 0 where it has no commit.
pub fn commits(repository: &Repository, lane: &Lane) -> Result<usize> {
    match tip(repository, lane)? {
        Some(tip) => commits_since(repository, lane.fork_point, tip),
        None => Ok(0),
    }
}

fn commits_since(repository: &Repository, fork_point: ObjectId, tip: ObjectId) -> Result<usize> {
    let names = [tip.to_string(), format!("^{fork_point}")];
    repository.git_here().count_commits(["--stdin"], names)
}

fn tip(repository: &Repository, lane: &Lane) -> Result<Option<ObjectId>> {
    let all = repository.worktrees()?;
    look::tip(repository, lane, place(lane, &all).worktree())
}

/// Writes it, where the record still says what it did.
///
/// # Errors
/// A refusal; then nothing has changed.
pub fn put(repository: &Repository, seen: &NewBase) -> Result<()> {
    let operation = repository
        .log()
        .begin(Subject::of(What::Base, &seen.before));
    let change = RecordChange::between(&seen.before, &seen.after);
    operation.ended(record(repository, &change, &seen.before), |()| End {
        changed: Some(change.clone()),
        ..End::default()
    })
}

/// Writes the base and the fork point that the change is to, for an operation that tells the event log
/// itself.
pub fn record(repository: &Repository, change: &RecordChange, lane: &Lane) -> Result<()> {
    repository.unrecovered.ensure_lane_is_whole(&lane.name)?;
    resolver_lock::ensure_free(repository, lane)?;
    let _registry = registry_lock(repository)?;
    let mut edit = Edit::begin(repository.lane_dir())?;
    let records = edit.records();
    let is_as_seen = |record: &&Lane| {
        let now = (&record.base, record.fork_point);
        record.id == lane.id && now == (&change.from.base, change.from.fork_point)
    };
    let record = records.find(&lane.name).filter(is_as_seen);
    let record = record.ok_or_else(|| raced(&lane.name))?;
    claims::ensure_not_anothers(repository, record)?;
    // Another lane may have got this one as its base meanwhile.
    ensure_can_be(repository, record, &records.lanes, change.to.base.as_ref())?;
    step("base.checked");
    edit.set_base_ref(&lane.name, change.to.base.as_ref())?;
    edit.set_fork_point(&lane.name, change.to.fork_point)?;
    edit.commit()
}
