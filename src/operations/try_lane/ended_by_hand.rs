//! What is remembered of a lane that the main worktree shows, where it does not fit: the user has
//! switched the main worktree to a branch by git's own means, or a part of it is gone.
//!
//! Every command that changes something asks whether it has ended, the doctor for all of it.

use std::time::Duration;

use super::main_move;
use crate::domain::doctor::TryTrouble;
use crate::domain::lane::{ObjectId, RefName, Worktree};
use crate::domain::name::BranchName;
use crate::domain::try_lane::{Shows, Tried};
use crate::error::{Code, Result};
use crate::repository::unrecovered::is_half_moved;
use crate::repository::{Repository, tried};
use crate::store::lockfile::LockFile;

/// How long to wait for the index of the main worktree: another command may be about to show a lane.
const PATIENCE: Duration = Duration::from_millis(500);

fn main_worktree(repository: &Repository) -> Result<Option<Worktree>> {
    Ok(repository.worktrees()?.into_iter().next())
}

/// The lane whose record has no place any more; nothing is changed.
fn ended(repository: &Repository) -> Result<Option<Tried>> {
    let Some(tried) = repository.tried()? else {
        return Ok(None);
    };
    let main = main_worktree(repository)?;
    let over = match main {
        Some(main) if tried.shown_by(&main.head) == Shows::ABranch => {
            branch_of_it(repository, &main, &tried)?.is_none()
        }
        _ => false,
    };
    Ok(Some(tried).filter(|_| over))
}

/// The branch that was made of what is shown and that the main worktree is on: its files are still no
/// word of the team's.
pub(super) fn branch_of_it(
    repository: &Repository,
    main: &Worktree,
    tried: &Tried,
) -> Result<Option<BranchName>> {
    let Some(branch) = main.head.branch() else {
        return Ok(None);
    };
    let has_it = |tip: Option<ObjectId>| {
        let git = || repository.git_in(main);
        // One that cannot be asked is taken for none of it.
        tip.is_some_and(|tip| {
            let (tip, shown) = (tip.to_string(), tried.commit.to_string());
            git().has_ancestor(tip, shown).unwrap_or(false)
        })
    };
    let made_of_it = !tried::is_home(repository, branch)?
        && has_it(repository.branch_tip(branch)?)
        // A lane that has landed is part of any branch.
        && !has_it(repository.ref_target(&tried.branch)?);
    Ok(made_of_it.then(|| branch.clone()))
}

/// Forgets it, and says which lane it was. What shows a lane holds the lock of the index until all of
/// it is done: where that is taken, the next command looks again.
pub fn forget_if_ended(repository: &Repository) -> Result<Option<Tried>> {
    match ended(repository) {
        Ok(Some(_)) => {}
        // A damaged record is told by what needs it, and by the doctor.
        Err(error) if error.code() != Code::DamagedRecord => return Err(error),
        _ => return Ok(None),
    }
    let index = repository.common_dir().join("index");
    let _lock = match LockFile::acquire(&index, repository.within(PATIENCE).lane_dir()) {
        Ok(lock) => lock,
        Err(error) if error.code() == Code::Locked => return Ok(None),
        Err(error) => return Err(error),
    };
    let over = ended(repository)?;
    if over.is_none() || is_half_moved(repository, repository.common_dir()) {
        return Ok(None);
    }
    main_move::forget(repository)?;
    Ok(over)
}

/// Has the record follow where the branch to come back to was renamed; returns its name now.
pub fn follow_home(repository: &Repository) -> Result<Option<RefName>> {
    let renamed = || match repository.tried() {
        Ok(Some(tried)) => {
            let heir = tried::renamed_home(repository, &tried)?;
            Ok(heir.map(|branch| Tried { branch, ..tried }))
        }
        Err(error) if error.code() != Code::DamagedRecord => Err(error),
        _ => Ok(None),
    };
    if renamed()?.is_none() {
        return Ok(None);
    }
    let index = repository.common_dir().join("index");
    let _lock = match LockFile::acquire(&index, repository.within(PATIENCE).lane_dir()) {
        Ok(lock) => lock,
        Err(error) if error.code() == Code::Locked => return Ok(None),
        Err(error) => return Err(error),
    };
    if is_half_moved(repository, repository.common_dir()) {
        return Ok(None);
    }
    let Some(now) = renamed()? else {
        return Ok(None);
    };
    tried::record(repository, &now)?;
    Ok(Some(now.branch))
}

/// What does not fit. While it is being written nothing can be said.
pub fn trouble(repository: &Repository) -> Result<Option<TryTrouble>> {
    if is_half_moved(repository, repository.common_dir()) {
        return Ok(None);
    }
    let kept = tried::kept(repository)?;
    Ok(match (repository.tried(), kept) {
        (Err(error), _) if error.code() == Code::DamagedRecord => {
            let main = main_worktree(repository)?;
            let is_home = main.is_some_and(|main| main.head.branch().is_some());
            Some(TryTrouble::Damaged(is_home))
        }
        (Err(error), _) => return Err(error),
        (Ok(None), kept) => kept.map(|_| TryTrouble::RefAlone),
        (Ok(Some(tried)), kept) => match (ended(repository)?, kept) {
            (Some(tried), _) => Some(TryTrouble::Ended(tried.lane)),
            (None, None) => Some(TryTrouble::NoRef(tried.lane)),
            (None, Some(_)) => None,
        },
    })
}

/// Puts it right, if it is still so.
pub fn put_right(repository: &Repository, seen: &TryTrouble) -> Result<()> {
    let index = repository.common_dir().join("index");
    let _lock = LockFile::acquire(&index, repository.lane_dir())?;
    if trouble(repository)?.as_ref() != Some(seen) {
        return Ok(());
    }
    match seen {
        TryTrouble::Ended(_) | TryTrouble::Damaged(true) | TryTrouble::RefAlone => {
            main_move::forget(repository)
        }
        TryTrouble::NoRef(_) => match repository.tried()? {
            Some(shown) => tried::keep(repository, shown.commit),
            None => Ok(()),
        },
        TryTrouble::Damaged(false) => Ok(()),
    }
}
