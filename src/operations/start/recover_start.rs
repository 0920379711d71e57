//! What the next command does about a start whose process has died.

use super::unmake::{undo, visible_at};
use super::{Intent, by_git, checkout, in_place, publish, registry_lock};
use crate::domain::name::LaneName;
use crate::error::Result;
use crate::repository::Repository;
use crate::repository::provenance::worktree_settings;
use crate::repository::recovered::Healed;
use crate::store::journal::Running;
use crate::store::lane_files;

/// What an interrupted start of a lane is called.
pub fn what(lane: &LaneName) -> String {
    format!("the start of lane '{lane}'")
}

/// Completes an interrupted start, or undoes it while no other process can have seen anything of
/// it. What can be seen and cannot be completed now is an error that names it, and stays in the
/// journal.
pub fn recover(
    repository: &Repository,
    mut intent: Intent,
    running: &mut Running,
) -> Result<Healed> {
    let what = what(&intent.lane.name);
    let guard = registry_lock(repository)?;
    if lane_files::is_directory(&intent.staged_admin) {
        // Until it is among git's own, more than this user may have written there.
        worktree_settings::tame(repository.lane_dir(), &intent.staged_admin)?;
    }
    let records = repository.records()?;
    let recorded = records
        .find(&intent.lane.name)
        .filter(|lane| lane.id == intent.lane.id);
    if let Some(lane) = recorded {
        intent.lane.worktree.clone_from(&lane.worktree);
        if intent.by_git {
            by_git::release(repository, &intent)?;
        }
        drop(guard);
        return finished(repository, &intent, what);
    }
    if let Some(at) = visible_at(repository, &intent) {
        return match publish::complete(repository, &mut intent, at.clone(), running) {
            Ok(true) => {
                drop(guard);
                finished(repository, &intent, what)
            }
            Ok(false) => {
                let stays = format!(
                    "{what} (its worktree stays at '{}', without a lane)",
                    at.display()
                );
                Ok(Healed::new(stays, false))
            }
            Err(error) => Err(in_place(error, &intent, &at)),
        };
    }
    let resumed = publish::resume(repository, &mut intent, running);
    if let Err(error) = resumed {
        if let Some(at) = visible_at(repository, &intent) {
            return Err(in_place(error, &intent, &at));
        }
        undo(repository, &intent)?;
        return Ok(Healed::new(what, false));
    }
    drop(guard);
    finished(repository, &intent, what)
}

/// Writes the files that waited; where git cannot, the start is undone, unless a user works there
/// by now.
fn finished(repository: &Repository, intent: &Intent, what: String) -> Result<Healed> {
    let Err(error) = checkout::finish(repository, intent) else {
        return Ok(Healed::new(what, true));
    };
    let _guard = registry_lock(repository)?;
    match checkout::take_back(repository, intent)? {
        true => undo(repository, intent).map(|()| Healed::new(what, false)),
        false => Err(in_place(error, intent, &intent.lane.worktree)),
    }
}
