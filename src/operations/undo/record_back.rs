//! The undo of what has changed a lane's record and no commit: a rename, a move, another base.

use super::Act;
use crate::domain::branch_renames::BranchRenames;
use crate::domain::event::What;
use crate::domain::lane::Lane;
use crate::domain::record_change::{RecordChange, Said};
use crate::domain::undo::{Deed, Refusal, Step};
use crate::error::{Code, Error, Result};
use crate::operations::{base_change, relocate};
use crate::repository::{Repository, claims};

/// A lane gets back the name, the place or the base that it had, if it has what the step gave it.
pub(super) fn plan(
    repository: &Repository,
    step: &Step,
    lane: &Lane,
    change: &RecordChange,
    renames: &BranchRenames,
) -> Result<Act> {
    let change = &follow(step, change, renames);
    let is_based = matches!(step.deed, Deed::Base(_));
    let now = Said::of(lane);
    let is_as = |then: &Said| match is_based {
        true => (&now.base, now.fork_point) == (&then.base, then.fork_point),
        false => (&now.lane, &now.branch, &now.path) == (&then.lane, &then.branch, &then.path),
    };
    if step.begun && is_as(&change.from) {
        return Ok(Act::Done(Some(Box::new(lane.clone()))));
    }
    if !is_as(&change.to) {
        return Err(Refusal::Elsewhere {
            lane: lane.name.clone(),
            since: step.deed.what(),
        }
        .into());
    }
    repository.unrecovered.ensure_lane_is_whole(&lane.name)?;
    claims::ensure_not_anothers(repository, lane)?;
    if let Some(base) = change.from.base.as_ref().filter(|_| is_based)
        && repository.ref_target(base)?.is_none()
    {
        return Err(Refusal::BaseGone { base: base.clone() }.into());
    }
    if is_based {
        let lanes = repository.records()?.lanes;
        base_change::ensure_can_be(repository, lane, &lanes, change.from.base.as_ref())?;
    }
    if let Some((_, seen)) = relocation_back(repository, lane, change) {
        seen.map_err(in_the_way)?;
    }
    Ok(Act::PutBack(
        Box::new(lane.clone()),
        Box::new(change.clone()),
    ))
}

/// The hints of a rename name its options, and an undo has none of them.
fn in_the_way(error: Error) -> Error {
    let taken = [
        Code::LaneExists,
        Code::BranchExists,
        Code::BranchConflict,
        Code::PathOccupied,
    ];
    match taken.contains(&error.code()) {
        true => Error::refused(error.to_string())
            .with_code(error.code())
            .hint("rename or move away what is there, then run the command again"),
        false => error,
    }
}

/// A change of the base, by the names that the bases have now: a record follows their renames.
fn follow(step: &Step, change: &RecordChange, renames: &BranchRenames) -> RecordChange {
    let mut change = change.clone();
    if matches!(step.deed, Deed::Base(_)) {
        for said in [&mut change.from, &mut change.to] {
            let base = said.base.as_ref();
            said.base = base.map(|base| renames.since(step.sequence, base));
        }
    }
    change
}

/// Gives a lane what it had before the change.
pub(super) fn put_back(repository: &Repository, lane: &Lane, change: &RecordChange) -> Result<()> {
    let back = RecordChange {
        from: change.to.clone(),
        to: change.from.clone(),
    };
    match relocation_back(repository, lane, change) {
        Some((wish, seen)) => relocate::go(repository, &seen?, &wish).map(drop),
        None => base_change::record(repository, &back, lane),
    }
}

/// The rename or the move by which a lane gets back what it had; `None` of a change of the base.
fn relocation_back<'a>(
    repository: &Repository,
    lane: &Lane,
    change: &'a RecordChange,
) -> Option<(relocate::Wish<'a>, Result<relocate::Relocation>)> {
    let (from, to) = (&change.from, &change.to);
    let what = match from.lane == to.lane {
        true if from.path == to.path && from.branch == to.branch => return None,
        true => What::Move,
        false => What::Rename,
    };
    let wish = relocate::Wish {
        what,
        name: &from.lane,
        branch: from.branch.as_ref(),
        path: Some(&from.path),
        policy: None,
    };
    Some((wish, relocate::foresee(repository, lane, &wish)))
}
