//! Records follow the truth where it is plain: a branch that was renamed, a worktree that git moved.
//!
//! No hook sees either, so every command that changes something looks first.

use bstr::ByteSlice;

use super::metadata::Edit;
use super::renames;
use super::repository::Repository;
use crate::domain::doctor::Finding;
use crate::domain::lane::{Lane, Worktree, WorktreeState};
use crate::domain::name::BranchName;
use crate::domain::retire::{Place, place};
use crate::error::Result;

/// What the records say and git knows better.
pub fn outdated(repository: &Repository, lanes: &[Lane], worktrees: &[Worktree]) -> Result<Vec<Finding>> {
    let mut found = Vec::new();
    for lane in lanes {
        match place(lane, worktrees) {
            Place::Moved(worktree) if worktree.state == WorktreeState::Present && !lane.worktree.exists() => {
                found.push(Finding::MovedWorktree(lane.name.clone(), lane.worktree.clone(), worktree.path.clone()));
            }
            Place::Listed(worktree) => {
                let (Some(own), Some(current)) = (&lane.branch, worktree.head.branch()) else { continue };
                let free = !lanes.iter().any(|other| other.branch.as_ref() == Some(current));
                if own != current && free && repository.branch_tip(own)?.is_none() && renamed(repository, own, current)
                {
                    found.push(Finding::RenamedBranch(lane.name.clone(), own.clone(), current.clone()));
                }
            }
            _ => {}
        }
    }
    Ok(found)
}

/// Brings the records up to date; returns what was changed.
pub fn reconcile(repository: &Repository) -> Result<Vec<Finding>> {
    let records = repository.records()?;
    if records.lanes.is_empty() {
        return Ok(Vec::new());
    }
    let found = outdated(repository, &records.lanes, &repository.worktrees()?)?;
    if !found.is_empty() {
        follow(repository, &found)?;
    }
    Ok(found)
}

/// Writes what [`outdated`] found into the records.
pub fn follow(repository: &Repository, findings: &[Finding]) -> Result<()> {
    let mut edit = Edit::begin(repository.common_dir())?;
    for finding in findings {
        let name = match finding {
            Finding::RenamedBranch(name, ..) | Finding::MovedWorktree(name, ..) | Finding::FoundWorktree(name, ..) => {
                name
            }
            _ => continue,
        };
        let Some(mut lane) = edit.records().find(name).cloned() else { continue };
        match finding {
            Finding::RenamedBranch(_, from, to) if lane.branch.as_ref() == Some(from) => lane.branch = Some(to.clone()),
            Finding::MovedWorktree(_, from, to) | Finding::FoundWorktree(_, from, to) if lane.worktree == *from => {
                lane.worktree.clone_from(to);
            }
            _ => continue,
        }
        edit.put(&lane)?;
    }
    edit.commit()
}

/// Whether the reflog of `to` says that it was `from` once.
fn renamed(repository: &Repository, from: &BranchName, to: &BranchName) -> bool {
    let log = repository.git_here().args(["reflog", "show", "--format=%gs"]).bytes(to.to_ref()).arg("--").output();
    log.is_ok_and(|log| renames::was_renamed(from, to, log.stdout.as_bstr()))
}
