//! What the next command does about a start whose process has died.

use super::start_all::{AllIntent, take_away};
use super::unmake::{undo, visible_at};
use super::{Intent, by_git, carrying, checkout, in_place, publish, registry_lock};
use crate::domain::event::{End, Subject, What};
use crate::domain::lane::{Lane, LaneId};
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
pub fn recover(repository: &Repository, intent: Intent, running: &mut Running) -> Result<Healed> {
    let mut last = intent.clone();
    let healed = recover_one(repository, intent, &mut |intent| {
        last = intent.clone();
        running.advance(intent)
    })?;
    carrying::recover(repository, &last, running, healed)
}

/// The same for the start of several lanes, each by itself. Where all were wanted or none, none is completed
/// once one of them cannot be, unless a user works in it.
pub fn recover_all(
    repository: &Repository,
    mut all: AllIntent,
    running: &mut Running,
) -> Result<Healed> {
    let what = all.what();
    let lanes: Vec<Lane> = all
        .starts
        .iter()
        .map(|intent| intent.lane.clone())
        .collect();
    let (mut undone, mut failure) = (Vec::new(), None);
    let is_whole = all.starts.iter().all(|intent| intent.publishing);
    if all.all_or_none && !(is_whole && can_all_be_completed(repository, &all)?) {
        let _registry = registry_lock(repository)?;
        for intent in &all.starts {
            let stays = take_away(repository, intent, true)?;
            undone.extend(stays.is_none().then(|| intent.lane.id.clone()));
        }
    }
    let mut at = 0;
    while let Some(intent) = all.starts.get(at).cloned() {
        let lane = intent.lane.clone();
        let mut save = |changed: &Intent| {
            all.starts[at] = changed.clone();
            running.advance(&all)
        };
        let recovered = match undone.contains(&lane.id) {
            true => Ok(Healed::new(self::what(&lane.name), false)),
            false => recover_one(repository, intent, &mut save),
        };
        match recovered {
            Ok(healed) => {
                if !healed.completed && !undone.contains(&lane.id) {
                    undone.push(lane.id.clone());
                }
                tell(repository, &lane, &healed);
                // One that cannot be completed yet must not keep the others from being used.
                all.starts.remove(at);
                if !all.starts.is_empty() {
                    running.advance(&all)?;
                }
            }
            Err(error) => {
                failure = failure.or(Some(error));
                at += 1;
            }
        }
    }
    match failure {
        Some(error) => Err(error),
        None => Ok(summary(&lanes, what, &undone)),
    }
}

/// Whether each of them is in its place, or can still come there.
fn can_all_be_completed(repository: &Repository, all: &AllIntent) -> Result<bool> {
    let _registry = registry_lock(repository)?;
    for intent in &all.starts {
        let is_there = visible_at(repository, intent).is_some();
        if !is_there && !publish::can_resume(repository, intent)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What became of all of them, in a sentence.
fn summary(lanes: &[Lane], what: String, undone: &[LaneId]) -> Healed {
    let some = !undone.is_empty() && undone.len() < lanes.len();
    let gone = lanes.iter().filter(|lane| undone.contains(&lane.id));
    let gone: Vec<String> = gone.map(|lane| format!("'{}'", lane.name)).collect();
    match some {
        true => Healed::new(
            format!("{what} (without {}, undone)", gone.join(", ")),
            true,
        ),
        false => Healed::new(what, undone.is_empty()),
    }
}

/// Each lane has its own line in the log.
fn tell(repository: &Repository, lane: &Lane, healed: &Healed) {
    let end = End {
        note: Some(healed.to_string()),
        ..End::default()
    };
    repository.log().tell(Subject::of(What::Heal, lane), end);
}

fn recover_one(
    repository: &Repository,
    mut intent: Intent,
    save: publish::Save<'_>,
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
        return match publish::complete(repository, &mut intent, at.clone(), save) {
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
    let resumed = publish::resume(repository, &mut intent, save);
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
