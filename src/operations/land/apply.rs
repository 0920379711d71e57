//! Moves a base, and with it the worktree that has it checked out, or nothing.
//!
//! The order of a move with a worktree, and why a death at each step heals:
//!
//! 1. the worktree's `index.lock` is taken: no `git add`, `commit` or `switch` there from now on;
//! 2. stat data, or where it leaves a doubt a dry run of the two-way read-tree on a copy of the
//!    index, shows that no local change is in the way, or it is a refusal;
//! 3. everything that takes time is done aside (`stage`): git writes the new files, and the new
//!    index to the copy;
//! 4. the intent is journalled. *Dead up to here: a lock that is provably ours, cleared by the next
//!    command, and copies. Dead from here on: the lock belongs to the intent, and stays until that
//!    is healed.*
//! 5. the base is locked and compared, if all of the new commit is still there
//!    ([`super::keepalive_ref`]); then the files are renamed into place, and their stat data goes
//!    into the copy. Where nothing could be made ready, read-tree writes the files in place, then
//!    the copy, and the base is locked and compared after that. *Dead here: the base has not moved,
//!    so [`crate::operations::land::recover_landing`] goes back: files that are missing, or hold
//!    what the landing writes or the beginning of it, get the content of the untouched index; step
//!    2 has shown that they had it. A file with anything else in it is the user's work and stays.*
//! 6. the base moves by rename: from here on the landing counts, once. *Dead here: recovery goes
//!    forward.*
//! 7. the copy replaces the index by rename, the lock goes, the intent goes. *Dead after the
//!    rename: nothing is left to do but that; recovery sees that the copy is gone.*

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::stage::{Looks, Staged};
use crate::domain::lane::{ObjectId, RefName, Worktree, hex, lossless_path, optional_hex};
use crate::domain::name::BranchName;
use crate::error::Result;
use crate::operations::checkout::index_lock::Locked;
use crate::operations::checkout::{Move, Synced, Why, obstacles, read_tree, worktree_files};
use crate::operations::land::keepalive_ref;
use crate::repository::Repository;
use crate::repository::metadata::Edit;
use crate::repository::provenance::{Assertions, Asserts};
use crate::repository::refs::RefChange;
use crate::repository::tree_diff::changes;
use crate::store::disk;
use crate::store::git::failure;
use crate::store::journal::{About, Announce, GitDir, Journal, step};
use crate::store::lockfile::LockFile;

/// How a move ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moved {
    /// As it should.
    Done,
    /// Another process moved the base first, or removed what it was to move to; nothing was
    /// changed.
    Raced,
}

/// What a landing is about to do to a worktree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "operation", rename = "land")]
pub struct Intent {
    /// The full name of the base.
    pub(super) base: RefName,
    #[serde(with = "hex")]
    pub(super) old: ObjectId,
    #[serde(with = "hex")]
    pub(super) new: ObjectId,
    /// The worktree, and its git directory.
    #[serde(with = "lossless_path")]
    pub(super) worktree: PathBuf,
    #[serde(with = "lossless_path")]
    pub(super) git_dir: PathBuf,
    /// The index being prepared.
    #[serde(with = "lossless_path")]
    pub(super) prepared: PathBuf,
    /// What the index looked like: length, and seconds and nanoseconds of its last change.
    pub(super) index: Option<(u64, i64, i64)>,
    /// Whether a landing is taken back.
    #[serde(default)]
    pub(super) back: bool,
    /// Where it is no landing at all.
    #[serde(default)]
    pub(super) sync: Option<Sync>,
}

/// What a move is about that brings what is new into a branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sync {
    /// The lane whose branch it is; `None` where a base takes what its upstream has.
    pub(super) lane: Option<Synced>,
    /// What the new commit was made on, where one was made.
    #[serde(with = "optional_hex")]
    pub(super) made_on: Option<ObjectId>,
}

impl Intent {
    /// The git directory of the worktree that moves along.
    pub fn git_dir(&self) -> &Path {
        &self.git_dir
    }

    /// What it is called where it was interrupted.
    pub(super) fn what(&self) -> String {
        match &self.sync {
            Some(Sync {
                lane: Some(synced), ..
            }) => format!("the sync of lane '{}'", synced.lane),
            Some(Sync { lane: None, .. }) => format!("the sync of '{}'", self.base),
            None if self.back => format!("the way back of a landing on '{}'", self.base),
            None => format!("a landing on '{}'", self.base),
        }
    }

    /// The lane that is synced, and what its record is to say.
    pub fn synced(&self) -> Option<&Synced> {
        self.sync.as_ref()?.lane.as_ref()
    }

    /// Whether nothing is known to be missing of the commit that the branch goes to.
    pub(super) fn is_whole(&self, repository: &Repository) -> bool {
        let made_on = match &self.sync {
            Some(sync) => sync.made_on,
            None if self.back => None,
            None => Some(self.old),
        };
        made_on.is_none_or(|made_on| keepalive_ref::is_whole(repository, made_on, self.new))
    }

    /// The base, where it was, and where it goes.
    pub fn moves(&self) -> (&RefName, ObjectId, ObjectId) {
        (&self.base, self.old, self.new)
    }
}

impl Announce for Intent {
    fn about(&self) -> About {
        About {
            what: self.what(),
            bases: vec![self.base.clone()],
            git_dirs: vec![GitDir(self.git_dir.clone())],
            lanes: self
                .synced()
                .map(|synced| synced.lane.clone())
                .into_iter()
                .collect(),
        }
    }
}

impl Asserts for Intent {
    fn asserts(&self, assertions: &mut Assertions<'_>) {
        assertions.branch("base", &self.base);
        assertions.git_dir("git directory", &self.git_dir);
        assertions.index_copy("prepared index", &self.prepared, &self.git_dir);
    }
}

/// Moves the base.
pub fn apply(repository: &Repository, planned: &Move<'_>) -> Result<Moved> {
    let Some(site) = planned.site else {
        repository
            .unrecovered
            .ensure_base_is_whole(planned.base, None)?;
        step("land.ref");
        if !is_whole(repository, planned)
            || is_half_landed(repository, planned.base, None, planned.under)
        {
            return Ok(Moved::Raced);
        }
        let change = change(planned.base, planned.old, planned.new);
        return match repository.change_refs(&[change], planned.reason) {
            Ok(()) => Ok(Moved::Done),
            Err(_) if repository.branch_tip(planned.base)? != Some(planned.old) => Ok(Moved::Raced),
            Err(error) => Err(error),
        };
    };
    // The lock of one that could not be healed stays until it is: waiting for it is no use.
    repository
        .unrecovered
        .ensure_base_is_whole(planned.base, Some(&site.git_dir))?;
    let Some(index) = Locked::of(repository, site, planned.base)? else {
        return Ok(Moved::Raced);
    };
    let git_dir = Some(site.git_dir.as_path());
    let half = is_half_landed(repository, planned.base, git_dir, planned.under);
    if half
        || repository.branch_tip(planned.base)? != Some(planned.old)
        || !is_whole(repository, planned)
    {
        return Ok(Moved::Raced);
    }
    let prepared = index.copy()?;
    step("land.prepared");
    let changed = changes(repository, planned.old, planned.new)?;
    let looks = Looks::at(site, &changed);
    obstacles::ensure_clear(repository, planned, site, &prepared.path, &changed)?;
    let staged = Staged::make(repository, planned, site, &prepared, changed, looks);
    let sync = |lane: Option<&Synced>| Sync {
        lane: lane.cloned(),
        made_on: planned.made_on,
    };
    let intent = Intent {
        base: planned.base.into(),
        old: planned.old,
        new: planned.new,
        worktree: site.path.clone(),
        git_dir: site.git_dir.clone(),
        prepared: prepared.path.clone(),
        index: index.signature(),
        back: planned.why == Why::Back,
        sync: match planned.why {
            Why::Landing | Why::Back => None,
            Why::Forward => Some(sync(None)),
            Why::Sync(synced) => Some(sync(Some(synced))),
        },
    };
    let what = match planned.why {
        Why::Landing => "landing",
        Why::Back => "undo",
        Why::Sync(_) | Why::Forward => "sync",
    };
    index.carry_out(&intent, prepared, what, |prepared, lock| {
        let moved = match staged {
            Some(staged) => put_in_place(repository, planned, site, prepared, lock, staged),
            None => carry_out(repository, planned, site, prepared, lock),
        }?;
        if let (Ok(Moved::Done), Why::Sync(synced)) = (&moved, planned.why) {
            record(repository, synced)?;
        }
        Ok(moved)
    })
}

/// Steps 5 to 7 with everything ready. An error means that the move is neither done nor undone.
fn put_in_place(
    repository: &Repository,
    planned: &Move<'_>,
    site: &Worktree,
    prepared: &Path,
    lock: &LockFile,
    mut staged: Staged,
) -> Result<Result<Moved>> {
    let Move { old, new, .. } = *planned;
    if !is_whole(repository, planned) {
        return Ok(Ok(Moved::Raced));
    }
    let change = change(planned.base, old, new);
    let raced = |error| match repository.branch_tip(planned.base)? == Some(old) {
        true => Ok(Err(error)),
        false => Ok(Ok(Moved::Raced)),
    };
    let branch = match repository.prepare_branch_of(site, &change, planned.reason) {
        Ok(branch) => branch,
        Err(error) => return raced(error),
    };
    let placed = staged.put_in_place(site);
    if !matches!(placed, Ok(true)) {
        branch.abort();
        staged.take_back(repository, site)?;
        // The next look finds what is in the way now.
        return Ok(placed.map(|_| Moved::Raced));
    }
    step("land.files");
    let in_force = || {
        step("land.ref");
        lock.replace_with(prepared)
    };
    match branch.publish(in_force) {
        Ok(in_force) => in_force?,
        // A git that died right after the move has moved it all the same.
        Err(_) if repository.branch_tip(planned.base)? == Some(new) => in_force()?,
        Err(error) => {
            staged.take_back(repository, site)?;
            return raced(error);
        }
    }
    step("land.index");
    staged.remove_empty(site);
    Ok(Ok(Moved::Done))
}

/// Steps 5 to 7, by a read-tree in place. An error means that the move is neither done nor undone.
fn carry_out(
    repository: &Repository,
    planned: &Move<'_>,
    site: &Worktree,
    prepared: &Path,
    lock: &LockFile,
) -> Result<Result<Moved>> {
    let Move { old, new, .. } = *planned;
    let written = read_tree(repository, site, prepared, &["-m", "-u"], old, new)?;
    step("land.files");
    if written.status.success() && !written.stderr.is_empty() {
        let _ = worktree_files::remove_left(repository, site, old, new);
    }
    if !written.status.success() {
        let writable = disk::ensure_writable(&site.path, &written);
        worktree_files::put_back(repository, site, old, new)?;
        if writable.is_err() {
            return Ok(writable.map(|()| Moved::Raced));
        }
        let clear = obstacles::ensure_not_in_the_way(repository, planned, site, prepared);
        return Ok(clear.and_then(|()| Err(failure("git read-tree", &written))));
    }
    let go_back = || match read_tree(repository, site, prepared, &["-m", "-u"], new, old)?
        .status
        .success()
    {
        true => Ok(()),
        false => worktree_files::put_back(repository, site, old, new),
    };
    if !is_whole(repository, planned) {
        go_back()?;
        return Ok(Ok(Moved::Raced));
    }
    if let Err(error) =
        repository.move_branch_of(site, change(planned.base, old, new), planned.reason)
    {
        let now = repository.branch_tip(planned.base)?;
        // A git that died right after the move has moved it all the same.
        if now != Some(new) {
            go_back()?;
            return Ok(if now == Some(old) {
                Err(error)
            } else {
                Ok(Moved::Raced)
            });
        }
    }
    step("land.ref");
    lock.replace_with(prepared)?;
    step("land.index");
    Ok(Ok(Moved::Done))
}

/// Whether a process died moving the base, or the files of the worktree: its healing needs what is
/// left of it. All of them have the turn when they do it, as this process has now. `beside` is an
/// intent of the caller's own, which does not count.
pub(in crate::operations) fn is_half_landed(
    repository: &Repository,
    base: &BranchName,
    git_dir: Option<&Path>,
    beside: Option<&str>,
) -> bool {
    let base = RefName::from(base);
    let under_way = Journal::new(repository.lane_dir()).under_way_beside(beside);
    let files = |about: &About| git_dir.is_some_and(|git_dir| about.moves_files_of(git_dir));
    under_way
        .iter()
        .any(|about| about.bases.contains(&base) || files(about))
}

fn change(base: &BranchName, old: ObjectId, new: ObjectId) -> RefChange {
    RefChange {
        name: base.into(),
        from: Some(old),
        to: Some(new),
    }
}

/// Whether all of the commit the base is to move to is there.
fn is_whole(repository: &Repository, planned: &Move<'_>) -> bool {
    let made_on = planned.made_on;
    made_on.is_none_or(|made_on| keepalive_ref::is_whole(repository, made_on, planned.new))
}

/// Has the record of a lane say what its branch has of its base by now; a lane that has left
/// meanwhile has none.
pub(super) fn record(repository: &Repository, synced: &Synced) -> Result<()> {
    let mut edit = Edit::begin(repository.lane_dir())?;
    let records = edit.records();
    let lane = records.find(&synced.lane);
    if lane.is_none_or(|lane| lane.id != synced.id || lane.fork_point == synced.fork_point) {
        return Ok(());
    }
    edit.set_fork_point(&synced.lane, synced.fork_point)?;
    edit.commit()?;
    step("sync.recorded");
    Ok(())
}
