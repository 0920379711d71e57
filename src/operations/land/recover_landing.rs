//! Completes or undoes a move of a base that its process did not live to end; the steps are those
//! of [`super::apply`].

use super::apply::{self, Intent};
use super::batch::clear_dead_queues;
use crate::domain::finish::Relation;
use crate::domain::lane::{ObjectId, RefName, Worktree};
use crate::error::Result;
use crate::operations::checkout::index_lock::{Halted, Prepared, index_signature, remove_prepared};
use crate::operations::checkout::{index_lock, read_tree, worktree_files};
use crate::operations::land::{keepalive_ref, landing_facts};
use crate::repository::Repository;
use crate::repository::kept_pack;
use crate::repository::recovered::Healing;
use crate::store::journal::{Running, unique_id};
use crate::store::lockfile::LockFile;
use crate::store::scratch::dead;

/// Completes or undoes the move.
pub fn recover(repository: &Repository, running: &Running, intent: &Intent) -> Result<Healing> {
    let halted = Halted {
        what: intent.what(),
        worktree: &intent.worktree,
        git_dir: &intent.git_dir,
    };
    halted.heal(repository, running, |site| heal(repository, intent, site))
}

/// Whether the landing counts, and whether the index fits.
fn heal(
    repository: &Repository,
    intent: &Intent,
    site: Option<(&Worktree, &LockFile)>,
) -> Result<(bool, bool)> {
    let index = intent.git_dir.join("index");
    let now = repository.ref_target(&intent.base)?;
    let landed = match now {
        Some(now) if now == intent.old => false,
        Some(now) if now == intent.new => true,
        // It has moved on since, from the one or the other. Where a landing was taken back, the
        // commit that it came from has the other one too.
        Some(now) => {
            has(repository, now, intent.new)? && !(intent.back && has(repository, now, intent.old)?)
        }
        None => false,
    };
    let mut fits = true;
    // The copy of the index goes last of all that a healing does.
    if let Some((site, lock)) = site
        && intent.prepared.exists()
    {
        let same = index_signature(&index) == intent.index;
        if !landed {
            let back = worktree_files::put_back(repository, site, intent.old, intent.new);
            // Where a gc has taken away what was to land, nothing tells any more which files are
            // the landing's.
            let known = intent.is_whole(repository);
            fits = match back {
                Err(error) if known => return Err(error),
                back => back.is_ok() && (same || is_of(repository, site, intent.old, now)?),
            };
        } else if same {
            lock.replace_with(&intent.prepared)?;
        } else {
            fits = now == Some(intent.new) && bring_along(repository, site, intent, lock)?;
        }
    }
    if let Some(synced) = intent.synced().filter(|_| landed) {
        apply::record(repository, synced)?;
    }
    if let Some((site, _)) = site.filter(|_| landed) {
        // A courtesy; a user who finds one empty directory more has lost nothing.
        let _ = worktree_files::remove_emptied(repository, site, intent.old, intent.new);
    }
    crate::store::journal::step("heal.index");
    remove_prepared(&intent.prepared);
    Ok((landed, fits))
}

/// Whether `commit` is `now` or one of its ancestors.
fn has(repository: &Repository, now: ObjectId, commit: ObjectId) -> Result<bool> {
    let relation = landing_facts::relation(repository, now, commit)?;
    Ok(matches!(relation, Relation::Same | Relation::Contained))
}

/// Moves an index that another git has written since the landing died; what it has of its own
/// stays. `false` where it has something of its own among what lands.
fn bring_along(
    repository: &Repository,
    site: &Worktree,
    intent: &Intent,
    lock: &LockFile,
) -> Result<bool> {
    if site.head.branch().map(RefName::from).as_ref() != Some(&intent.base) {
        return Ok(false);
    }
    let copy = Prepared::copy(
        &site.git_dir.join("index"),
        site.git_dir.join(format!("lane-index-{}", unique_id())),
    )?;
    // The files have what lands already, and are none of the index's business here.
    let moved = read_tree(
        repository,
        site,
        &copy.path,
        &["-i", "-m"],
        intent.old,
        intent.new,
    )?
    .status
    .success();
    if moved {
        lock.replace_with(&copy.path)?;
    }
    Ok(moved)
}

/// Whether the index that another git has written since is still that of `old`, as is the base.
fn is_of(
    repository: &Repository,
    site: &Worktree,
    old: ObjectId,
    now: Option<ObjectId>,
) -> Result<bool> {
    let as_before = repository.git_in(site).index_equals(old.to_string())?;
    Ok(now == Some(old) && as_before)
}

/// Removes the directories of dead processes, their places in the queues, and the refs of their
/// landings; `healed` says that a landing was healed whose directory may be gone already. A living
/// landing may have been kept from removing its ref by a lock.
pub fn clean(repository: &Repository, healed: bool) -> Result<()> {
    clear_dead_queues(repository.lane_dir());
    let (dead, _locks) = dead(repository.lane_dir(), "");
    if healed || !dead.is_empty() || repository.common_dir().join("refs/lane/landing").exists() {
        keepalive_ref::clean(repository, &dead)?;
        index_lock::remove_left_copies(repository)?;
    }
    for directory in dead {
        // After the refs: from here on nothing but these leads to what a dead landing has made.
        kept_pack::clean(repository, &directory);
        drop(std::fs::remove_dir_all(directory));
    }
    Ok(())
}
