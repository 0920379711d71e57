//! Records follow the truth where it is plain: a branch or base that was renamed, a worktree that
//! git moved.
//!
//! No hook sees either, so every command that changes something looks first.

use std::collections::HashMap;

use bstr::ByteSlice;

use crate::domain::doctor::Finding;
use crate::domain::lane::{Lane, RefName, Worktree, WorktreeState};
use crate::domain::name::BranchName;
use crate::domain::retire::{Place, Places, place};
use crate::error::{Error, Result};
use crate::repository::Repository;
use crate::repository::metadata::{Edit, Records};
use crate::repository::renames;
use crate::repository::renames::was_renamed;

/// What the records say and git knows better.
pub fn outdated(
    repository: &Repository,
    lanes: &[Lane],
    worktrees: &[Worktree],
) -> Result<Vec<Finding>> {
    let mut found = Vec::new();
    let mut bases: HashMap<BranchName, Option<BranchName>> = HashMap::new();
    let places = Places::of(worktrees);
    for lane in lanes {
        if let Some(base) = lane.base_branch() {
            let renamed = match bases.get(&base) {
                Some(known) => known.clone(),
                None => bases
                    .entry(base.clone())
                    .or_insert(renames::successor(repository, &base)?)
                    .clone(),
            };
            if let Some(renamed) = renamed.filter(|renamed| lane.branch.as_ref() != Some(renamed)) {
                found.push(Finding::RenamedBase(lane.name.clone(), base, renamed));
            }
        }
        match places.place(lane) {
            Place::Listed(worktree)
                if lane.branch.as_ref().is_none_or(|own| worktree.is_on(own)) => {}
            Place::Moved(worktree)
                if worktree.state == WorktreeState::Present && !lane.worktree.exists() =>
            {
                found.push(Finding::MovedWorktree(
                    lane.name.clone(),
                    lane.worktree.clone(),
                    worktree.path.clone(),
                ));
            }
            Place::Listed(worktree) => {
                let (Some(own), Some(current)) = (&lane.branch, worktree.head.branch()) else {
                    continue;
                };
                let free = !lanes
                    .iter()
                    .any(|other| other.branch.as_ref() == Some(current));
                let gone = || Ok::<_, Error>(repository.branch_tip(own)?.is_none());
                if own != current
                    && free
                    && gone()?
                    && was_renamed(own, current, renames::log(repository, current).as_bstr())
                {
                    found.push(Finding::RenamedBranch(
                        lane.name.clone(),
                        own.clone(),
                        current.clone(),
                    ));
                }
            }
            Place::Unlisted if !lane.worktree.exists() => {
                if let Some((branch, worktree)) =
                    renamed_and_moved(repository, lane, lanes, worktrees)?
                {
                    let (name, own) = (|| lane.name.clone(), lane.branch.iter().cloned());
                    found
                        .extend(own.map(|own| Finding::RenamedBranch(name(), own, branch.clone())));
                    found.push(Finding::MovedWorktree(
                        name(),
                        lane.worktree.clone(),
                        worktree.path.clone(),
                    ));
                }
            }
            _ => {}
        }
    }
    Ok(found)
}

/// The worktree of a lane whose branch was renamed before, or after, `git worktree move` took it
/// elsewhere: the log of its HEAD says that the lane's branch was checked out there when it got its
/// new name.
fn renamed_and_moved<'a>(
    repository: &Repository,
    lane: &Lane,
    lanes: &[Lane],
    worktrees: &'a [Worktree],
) -> Result<Option<(&'a BranchName, &'a Worktree)>> {
    let Some(own) = &lane.branch else {
        return Ok(None);
    };
    if repository.branch_tip(own)?.is_some() {
        return Ok(None);
    }
    let free = |worktree: &&Worktree| {
        let taken = |other: &Lane| place(other, worktrees).worktree() == Some(*worktree);
        worktree.id.is_some()
            && worktree.state == WorktreeState::Present
            && !lanes.iter().any(taken)
    };
    let mut heirs = worktrees.iter().filter(free).filter_map(|worktree| {
        let branch = worktree.head.branch()?;
        let renamed =
            renames::renamed_to(own, renames::log_of_head(repository, worktree).as_bstr());
        (renamed.as_ref() == Some(branch)).then_some((branch, worktree))
    });
    Ok(heirs.next().filter(|_| heirs.next().is_none()))
}

/// What [`reconcile`] changed, and what it has seen for that.
#[derive(Debug, Default)]
pub struct Reconciled {
    /// What was changed.
    pub found: Vec<Finding>,
    /// Every worktree, where there are lanes.
    pub worktrees: Option<Vec<Worktree>>,
}

/// Brings the records up to date.
pub fn reconcile(repository: &Repository) -> Result<Reconciled> {
    let records = repository.records()?;
    if records.lanes.is_empty() {
        return Ok(Reconciled::default());
    }
    let worktrees = repository.worktrees()?;
    let found = outdated(repository, &records.lanes, &worktrees)?;
    if !found.is_empty() {
        follow(repository, &found)?;
    }
    Ok(Reconciled {
        found,
        worktrees: Some(worktrees),
    })
}

/// Writes what [`outdated`] found into the records.
pub fn follow(repository: &Repository, findings: &[Finding]) -> Result<()> {
    let mut edit = Edit::begin(repository.lane_dir())?;
    for finding in findings {
        let name = match finding {
            Finding::RenamedBranch(name, ..)
            | Finding::RenamedBase(name, ..)
            | Finding::MovedWorktree(name, ..)
            | Finding::FoundWorktree(name, ..) => name,
            _ => continue,
        };
        if let Some(mut lane) = edit.records().find(name).cloned()
            && bring_up_to_date(&mut lane, finding)
        {
            edit.put(&lane)?;
        }
    }
    edit.commit()
}

/// The same for the records in memory, for a dry run.
pub fn foresee(
    repository: &Repository,
    records: &mut Records,
    worktrees: &[Worktree],
) -> Result<()> {
    for finding in outdated(repository, &records.lanes, worktrees)? {
        for lane in &mut records.lanes {
            bring_up_to_date(lane, &finding);
        }
    }
    Ok(())
}

/// Writes one finding into the record it is about; whether that is this one, and still says what
/// was found.
fn bring_up_to_date(lane: &mut Lane, finding: &Finding) -> bool {
    match finding {
        Finding::RenamedBranch(name, from, to)
            if lane.name == *name && lane.branch.as_ref() == Some(from) =>
        {
            lane.branch = Some(to.clone());
        }
        Finding::RenamedBase(name, from, to)
            if lane.name == *name && lane.base_branch().as_ref() == Some(from) =>
        {
            lane.base = Some(RefName::from(to));
        }
        Finding::MovedWorktree(name, from, to) | Finding::FoundWorktree(name, from, to)
            if lane.name == *name && lane.worktree == *from =>
        {
            lane.worktree.clone_from(to);
        }
        _ => return false,
    }
    true
}
