//! The end of a removed lane: its directory is renamed to `.deleting-<id>`, its ref goes, then its
//! files.
//!
//! The name is the journal: whatever bears it is on its way out, and the next expiry goes on with
//! it.

use crate::repository::recovered::Heal;
use crate::store::activity::Activity;
use crate::store::clock::now;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{Places, size};
use crate::domain::event::{Subject, What};
use crate::domain::trash_entry::{DELETING, Entry};
use crate::domain::trash_expiry::{Expiry, Occasion, expired};
use crate::error::{IoContext, Result};
use crate::operations::in_flight::standings;
use crate::policy::Policy;
use crate::repository::Repository;
use crate::repository::refs::RefChange;
use crate::store::entries;
use crate::store::journal::{Exclusive, set_aside, step};
use crate::store::lane_files;
use crate::store::platform::Mounts;

/// How long a finish may spend on counting; `trash` and `prune` take their time and remember what
/// they counted.
const QUICK: Duration = Duration::from_millis(25);

/// An entry that is due: it has left the trash for good, or stays until the user asks for its room.
#[derive(Debug, Clone)]
pub struct Expired {
    /// What it was; `proof` says whether its work still is in its base.
    pub entry: Entry,
    /// Why it went.
    pub why: Expiry,
    /// The room it took, where that was known.
    pub bytes: Option<u64>,
}

/// What an expiry did.
#[derive(Debug, Default)]
pub struct Expiration {
    /// What went, or would go.
    pub gone: Vec<Expired>,
    /// What is due and stays, because no command asked for its room and its work is not known to be
    /// in its base.
    pub overdue: Vec<Expired>,
}

/// Removes in passing what the policy no longer keeps, where that loses nothing.
pub fn expire(repository: &mut Repository, policy: &Policy, heal: Heal<'_>) -> Result<Expiration> {
    expire_within(repository, policy, QUICK, Occasion::Passing, false, heal)
}

/// Removes what the policy no longer keeps, with `patience` for counting sizes; `dry_run` only says
/// what would go.
pub fn expire_within(
    repository: &mut Repository,
    policy: &Policy,
    patience: Duration,
    occasion: Occasion,
    dry_run: bool,
    heal: Heal<'_>,
) -> Result<Expiration> {
    // What cannot be read any more, or not yet, may have been bringing one of them back.
    if !set_aside(repository.lane_dir()).is_empty() || repository.unrecovered.is_a_newers_to_heal()
    {
        return Ok(Expiration::default());
    }
    let doing = Activity::begin("looking for what the trash need not keep");
    let deadline = Instant::now() + patience;
    let entries = super::entries(repository)?.into_iter().map(|entry| {
        let bytes = if dry_run { size::count } else { size::of }(repository, &entry, deadline);
        (entry, bytes)
    });
    let entries: Vec<(Entry, Option<u64>)> = entries.collect();
    let due = expired(&entries, now(), &policy.retention());
    let mounts = Mounts::now();
    let mut done = Expiration::default();
    let total = due.len();
    for (number, (at, why)) in due.into_iter().enumerate() {
        doing.set(number, total, "lanes");
        let (mut entry, bytes) = entries[at].clone();
        if mounts.has_in(&super::directory(repository).join(&entry.id)) {
            continue;
        }
        if !is_still_integrated(repository, &entry) {
            entry.proof = None;
        }
        if occasion == Occasion::Passing && !entry.is_expendable() {
            done.overdue.push(Expired { entry, why, bytes });
        } else if dry_run || bury(repository, &entry, heal)? {
            // Where nothing was buried another command has restored or removed it meanwhile.
            done.gone.push(Expired { entry, why, bytes });
        }
    }
    if !dry_run {
        let _doing = Activity::begin("removing files from the trash");
        sweep(repository)?;
    }
    Ok(done)
}

/// Whether the proof of the removal holds today: a base can be reset, or go away. What cannot be
/// looked up does not.
fn is_still_integrated(repository: &Repository, entry: &Entry) -> bool {
    let tip = entry
        .branch
        .as_ref()
        .map(|branch| branch.tip)
        .or(entry.keep);
    let base = entry
        .lane
        .base
        .as_ref()
        .and_then(|base| repository.ref_target(base).ok().flatten());
    let (Some(_), Some(tip), Some(base)) = (&entry.proof, tip, base) else {
        return false;
    };
    let found = standings(repository, &[(tip, base)]).pop();
    found.is_some_and(|found| found.is_ok_and(|versus| versus.integrated.is_some()))
}

/// Takes an entry out of the trash; its files are still to be removed.
fn bury(repository: &mut Repository, entry: &Entry, heal: Heal<'_>) -> Result<bool> {
    let _lock = super::exclusive(repository, &entry.lane.name, heal)?;
    let trash = super::directory(repository);
    let (from, to) = (
        trash.join(&entry.id),
        trash.join(format!("{DELETING}{}", entry.id)),
    );
    if !from.exists() {
        return Ok(false);
    }
    let operation = repository
        .log()
        .begin(Subject::of(What::Expire, &entry.lane));
    let buried = std::fs::rename(&from, &to).context("remove", &from);
    operation.ended(buried, |()| entry.end())?;
    step("expire.buried");
    Ok(true)
}

/// Removes the files and refs of everything that is on its way out, unless another process is at
/// it.
fn sweep(repository: &Repository) -> Result<()> {
    let trash = super::directory(repository);
    let Ok(_lock) = Exclusive::acquire(repository.lane_dir(), "sweep.lock", Duration::ZERO) else {
        return Ok(());
    };
    let mounts = Mounts::now();
    for directory in lane_files::list(&trash) {
        let name = directory.file_name().unwrap_or_default();
        let Some(id) = name.to_str().and_then(|name| name.strip_prefix(DELETING)) else {
            continue;
        };
        // Not an id of ours: nothing we put there.
        let Ok(name) = super::ref_name(id) else {
            continue;
        };
        if mounts.has_in(&directory) {
            continue;
        }
        if let Some(kept) = repository.ref_target(&name)? {
            let change = RefChange::removal(name, kept);
            // A neighbour may be sweeping too.
            if let Err(error) =
                repository.change_refs(std::slice::from_ref(&change), "lane: expired")
                && repository.ref_target(&change.name)?.is_some()
            {
                return Err(error);
            }
        }
        step("expire.ref-gone");
        if let Some(entry) = super::read(repository, &directory)
            && let Some(worktree) = &entry.worktree
        {
            let places = Places::new(
                repository.lane_dir(),
                trash.join(id),
                worktree,
                PathBuf::new(),
            );
            if let Some(parking) = places
                .own_parking()
                .filter(|parking| !mounts.has_in(parking))
            {
                // What says whose the place is goes last.
                unlink(&parking.join("worktree"))?;
                crate::store::lane_files::remove_if_there(&parking.join("dot-git"))?;
                places.leave_parking();
                unlink(&parking)?;
            }
            places.leave_parking();
        }
        step("expire.parking-gone");
        // The entry's own file goes last: it knows where the parking was.
        unlink(&directory)?;
    }
    Ok(())
}

/// Removes a directory without following links; directories that may not be written are made
/// writable first.
fn unlink(directory: &Path) -> Result<()> {
    let again = match std::fs::remove_dir_all(directory) {
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            make_writable(directory);
            std::fs::remove_dir_all(directory)
        }
        other => other,
    };
    match again {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).context("remove", directory)
        }
        _ => Ok(()),
    }
}

fn make_writable(directory: &Path) {
    let Ok(metadata) = std::fs::symlink_metadata(directory) else {
        return;
    };
    let mode = metadata.permissions().mode();
    if mode & 0o700 != 0o700 {
        drop(std::fs::set_permissions(
            directory,
            std::fs::Permissions::from_mode(mode | 0o700),
        ));
    }
    for entry in entries(directory) {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            make_writable(&entry.path());
        }
    }
}
