//! `git lane start --move`: what comes along from where the caller stands, and the base of a lane that
//! takes it.

use crate::commands::start::Args;
use crate::commands::start::planning::Planned;
use crate::domain::carried::Moved;
use crate::domain::lane::{Head, RefName, Worktree, WorktreeState};
use crate::domain::start::{Base, Plan};
use crate::error::{Code, Error, Result};
use crate::operations::carry::{self, Load, Remains};
use crate::operations::start::Started;
use crate::operations::start::base::Found;
use crate::repository::Repository;
use crate::ui::Ui;

/// The work that is to come along.
#[derive(Default)]
pub(super) struct WorkHere {
    /// What the operation needs; `None` where there is nothing to take.
    pub(super) load: Option<Load>,
    /// What is told of it.
    pub(super) moved: Option<Moved>,
}

/// The worktree that the caller stands in.
fn here(repository: &Repository) -> Result<Worktree> {
    let here = repository.current_worktree()?;
    let here = here.filter(|site| site.state == WorktreeState::Present);
    here.ok_or_else(|| {
        Error::refused("there is no work here: this is no worktree")
            .with_code(Code::NotCarried)
            .hint("go to the worktree whose work is to move")
    })
}

/// Where a lane starts that takes work along: from the commit of the worktree one stands in. It is the
/// default base where that is there, else the branch that is checked out.
pub(super) fn base(repository: &Repository, default: Result<Found>) -> Result<Found> {
    let head = here(repository)?.head;
    let commit = match &head {
        Head::Branch(branch) => repository.branch_tip(branch)?,
        Head::Detached(commit) => Some(*commit),
        Head::Other(_) => None,
    };
    let Some(commit) = commit else {
        // It says what is missing.
        return default;
    };
    match default {
        Ok(found) if found.0.commit == commit => Ok(found),
        _ => {
            let name = head.branch().map(RefName::from);
            Ok((Base { name, commit }, None))
        }
    }
}

/// Looks at what comes along.
pub(super) fn look(repository: &Repository, planned: &[Planned], args: &Args) -> Result<WorkHere> {
    let (true, [planned]) = (args.moving, planned) else {
        return Ok(WorkHere::default());
    };
    let site = here(repository)?;
    let remains = match args.keep {
        true => Remains::Work,
        false => Remains::Commit,
    };
    if remains == Remains::Commit {
        carry::ensure_free(repository, &site)?;
    }
    let seen = carry::look(repository, &site)?;
    let is_nothing = seen.work.pieces.is_empty();
    match &planned.plan {
        Plan::Exists(lane) if !is_nothing => {
            return Err(Error::refused(format!(
                "lane '{}' is there already, and work moves into a new one only",
                lane.name
            ))
            .with_code(Code::LaneExists)
            .hint("choose another name"));
        }
        Plan::Exists(_) => {}
        Plan::Create(creation) => seen.ensure_fits(repository, creation.commit)?,
    }
    if remains == Remains::Commit {
        seen.ensure_can_leave()?;
    }
    let load = seen.load(remains);
    Ok(WorkHere {
        moved: Some(load.moved()),
        load: (!is_nothing).then_some(load),
    })
}

/// Says what has stayed because it was changed at that moment.
pub(super) fn tell_left(started: &Started, ui: &Ui) {
    let Some(moved) = started.moved.as_ref().filter(|_| !started.left.is_empty()) else {
        return;
    };
    for path in &started.left {
        ui.warn(format_args!(
            "'{path}' was changed meanwhile: what it is now has stayed in '{}', and lane '{}' has it \
             as it was",
            moved.from.display(),
            started.lane.name
        ));
    }
}
