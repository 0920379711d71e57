//! The uncommitted work that a new lane takes along: it is there before the lane can be seen, and leaves
//! the worktree that it comes from once the lane is there.
//!
//! Called by `operations/start` and its recovery.

use std::path::{Path, PathBuf};

use super::{Filling, Intent, in_place};
use crate::domain::lane::Lane;
use crate::error::{Error, Result};
use crate::operations::carry::{self, Hold, Left, Load, Other, Target};
use crate::repository::Repository;
use crate::repository::recovered::Healed;
use crate::store::journal::Running;

/// Puts the work into the worktree that is being made, whose admin directory is `admin`.
pub(super) fn bring_in(
    repository: &Repository,
    intent: &Intent,
    filling: &Filling<'_>,
    admin: &Path,
) -> Result<()> {
    let Some(load) = filling.load else {
        return Ok(());
    };
    let target = Target {
        directory: &intent.staged_worktree,
        git_dir: admin,
        index: &admin.join("index"),
        commit: intent.commit,
    };
    carry::lay_in(repository, &load.seen, target, load.way())
}

/// Looks a last time at where the work comes from, and keeps every git from changing it there.
pub(super) fn hold(
    repository: &Repository,
    filling: &Filling<'_>,
    id: &str,
) -> Result<Option<Hold>> {
    let load = filling.load;
    load.map(|load| load.seen.hold(repository, &load.carry, id))
        .transpose()
}

/// Takes the work out of where it comes from, and ends the start.
pub(super) fn clear(
    repository: &Repository,
    intent: &mut Intent,
    (load, hold): (Option<&Load>, Option<Hold>),
    mut running: Running,
) -> Result<Left> {
    let cleared = match (&hold, &mut intent.carry) {
        (Some(hold), Some(carry)) if hold.lock().is_some() => {
            carry.clearing = true;
            running
                .advance(intent)
                .and_then(|()| clear_place(repository, intent, hold))
        }
        _ => Ok(Left::new()),
    };
    match cleared {
        Ok(left) => {
            running.done()?;
            if let Some((load, _)) = load.zip(hold.filter(|hold| hold.lock().is_some())) {
                let site = &load.seen.site;
                repository.tell_of_index(site, repository.git.at(&site.path));
            }
            Ok(left)
        }
        Err(error) => {
            // No git may write that index until the next command has completed this.
            hold.into_iter().for_each(Hold::leave);
            Err(in_place(error, intent, &intent.lane.worktree))
        }
    }
}

fn clear_place(repository: &Repository, intent: &Intent, hold: &Hold) -> Result<Left> {
    match (
        &intent.carry,
        hold.lock(),
        git_dir(repository, &intent.lane)?,
    ) {
        (Some(carry), Some(lock), Some(git_dir)) => {
            carry::clear(repository, carry, other(&intent.lane, &git_dir), lock)
        }
        _ => Err(Error::environment("the new worktree is gone")),
    }
}

fn other<'a>(lane: &'a Lane, git_dir: &'a Path) -> Other<'a> {
    Other {
        directory: &lane.worktree,
        git_dir,
        id: lane.id.as_str(),
    }
}

fn git_dir(repository: &Repository, lane: &Lane) -> Result<Option<PathBuf>> {
    let mut all = repository.worktrees()?.into_iter();
    let found = all.find(|worktree| worktree.path == lane.worktree);
    Ok(found.map(|worktree| worktree.git_dir))
}

/// The same for a start whose process has died and which `healed` tells of.
pub(super) fn recover(
    repository: &Repository,
    intent: &Intent,
    running: &mut Running,
    healed: Healed,
) -> Result<Healed> {
    let Some(carry) = intent.carry.as_ref().filter(|_| healed.completed) else {
        return Ok(healed);
    };
    let records = repository.records()?;
    let Some(lane) = records.lanes.iter().find(|lane| lane.id == intent.lane.id) else {
        return Ok(healed);
    };
    let Some(git_dir) = git_dir(repository, lane)? else {
        return Ok(healed);
    };
    if !carry.clearing {
        let mut intent = intent.clone();
        intent.carry = Some(carry::Carry {
            clearing: true,
            ..carry.clone()
        });
        running.advance(&intent)?;
    }
    let id = running.id().into_owned();
    let left = carry::recover(repository, carry, other(lane, &git_dir), &id)?;
    Ok(match left.is_empty() {
        true => healed,
        false => Healed::new(
            format!(
                "{} (what was changed meanwhile in '{}' has stayed there)",
                healed.what,
                carry.place.display()
            ),
            true,
        ),
    })
}
