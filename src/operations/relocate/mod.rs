//! Gives a lane another name, or its worktree another place: branch, directory and record, one after
//! the other.
//!
//! The record comes last and is one edit of `.git/config`: before it, all can be taken back. Each step
//! asks what is done already, so that an interrupted one is carried on by the next git-lane command, or
//! taken back where another git has gone on meanwhile. In between, plain git works in the worktree:
//! the new branch is there before HEAD goes to it, and the admin directory is marked as locked while
//! the directory is on its way.
//!
//! Called by `commands/rename` and `commands/move`, by `undo` and by `recover`.

mod directory_move;
mod kept_admin;
mod relocate_facts;
mod relocate_intent;

use std::path::Path;

use self::directory_move::{DirectoryMove, Site};
pub use self::relocate_facts::{foresee, into_directory};
pub use self::relocate_intent::Intent;
use self::relocate_intent::{Admin, Tip};
use super::land::landing_lock::Turn;
use super::retire::look::wait_for_locks;
use super::start::registry_lock;
use crate::domain::event::{End, Subject, What};
use crate::domain::lane::{Lane, RefName, Worktree};
use crate::domain::name::{BranchName, LaneName};
use crate::domain::record_change::RecordChange;
use crate::domain::relocate::{Plan, Refusal};
use crate::domain::retire::{self, Busy, place, raced};
use crate::error::{Error, IoContext, Result};
use crate::policy::Policy;
use crate::repository::branch_rename::{self, BranchRename};
use crate::repository::metadata::Edit;
use crate::repository::provenance::remember;
use crate::repository::recovered::Healed;
use crate::repository::{RefFormat, Repository, claims, exclude, resolver_lock, tried};
use crate::store::journal::{About, Announce, Journal, Running, step};

/// What is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// [`What::Rename`] or [`What::Move`].
    pub what: What,
    /// The name of the lane from then on.
    pub name: &'a LaneName,
    /// The branch from then on; `None`: what follows from the name.
    pub branch: Option<&'a BranchName>,
    /// Where the worktree goes; `None`: where that follows from the name.
    pub path: Option<&'a Path>,
    /// What names branches and places; without it nothing follows from a name.
    pub policy: Option<&'a Policy>,
}

/// What is to be done, or was done.
#[derive(Debug, Clone)]
pub struct Relocation {
    /// The decision.
    pub plan: Plan,
    /// The lanes whose base is the branch that gets another name.
    pub above: Vec<LaneName>,
    /// The branches of remotes that are called like the old one.
    pub published: Vec<RefName>,
    /// A process that works in the directory, and goes along.
    pub busy: Option<Busy>,
    /// The lane's worktree, where its directory is there.
    worktree: Option<Worktree>,
}

impl Relocation {
    /// What changes in the record.
    pub fn change(&self) -> RecordChange {
        RecordChange::between(&self.plan.before, &self.plan.after)
    }

    fn end(&self) -> End {
        let branch = self.plan.branch.as_ref();
        End {
            result: branch.map(|branch| branch.tip),
            changed: Some(self.change()),
            heir: branch
                .filter(|_| !self.above.is_empty())
                .map(|branch| branch.to.clone()),
            above: self.above.clone(),
            ..End::default()
        }
    }
}

/// Does what `seen` says, if the same would be decided still.
///
/// # Errors
/// A refusal; code `raced` where something is no longer what the caller has seen. Then nothing has
/// changed.
pub fn relocate(repository: &Repository, seen: &Relocation, wish: &Wish<'_>) -> Result<Relocation> {
    if seen.plan.is_nothing() {
        return Ok(seen.clone());
    }
    let operation = repository
        .log()
        .begin(Subject::of(wish.what, &seen.plan.before));
    operation.ended(go(repository, seen, wish), Relocation::end)
}

/// The same for an operation that tells the event log itself.
pub fn go(repository: &Repository, seen: &Relocation, wish: &Wish<'_>) -> Result<Relocation> {
    let lane = &seen.plan.before;
    for name in [&lane.name, wish.name] {
        repository.unrecovered.ensure_lane_is_whole(name)?;
    }
    resolver_lock::ensure_free(repository, lane)?;
    let deed = match wish.what {
        What::Move => "move a lane",
        _ => "rename a lane",
    };
    // What lands or syncs knows lanes by their branches.
    let _turn = Turn::take_to(repository, deed)?;
    if let Some(worktree) = &seen.worktree {
        wait_for_locks(worktree, false).map_err(|why| match why {
            retire::Refusal::GitAtWork(lock) => Refusal::GitAtWork(lock).refuse(lane),
            why => why.refuse(&lane.name),
        })?;
    }
    let _registry = registry_lock(repository)?;
    claims::ensure_not_anothers(repository, lane)?;
    let records = repository.records()?;
    let is_it = |record: &&Lane| record.id == lane.id;
    let record = records.find(&lane.name).filter(is_it);
    let record = record.ok_or_else(|| raced(&lane.name))?;
    let now = foresee(repository, record, wish)?;
    if now.plan != seen.plan {
        return Err(raced(&lane.name));
    }
    let intent = Intent::of(repository, &now)?;
    ensure_nothing_under_way(repository, &intent)?;
    if let Some(directory) = &intent.directory {
        remember(repository, &directory.to);
    }
    let running = Journal::new(repository.lane_dir()).begin(&intent)?;
    match carry_out(repository, &intent) {
        Ok(()) => running.done().map(|()| now),
        Err(error) if is_recorded(repository, &intent)? => {
            Err(error
                .hint("the lane has its new name or place; the next git-lane command tidies up"))
        }
        Err(error) => {
            take_back(repository, &intent)?;
            running.done()?;
            Err(error)
        }
    }
}

/// Refuses where another command has begun something with the lane, its branch or its new name, be it
/// that it died since.
fn ensure_nothing_under_way(repository: &Repository, intent: &Intent) -> Result<()> {
    let own = intent.about();
    let meets = |other: &About| {
        own.lanes.iter().any(|lane| other.lanes.contains(lane))
            || own.bases.iter().any(|base| other.bases.contains(base))
            || matches!(&intent.admin, Some(Admin(admin)) if other.moves_files_of(admin))
    };
    let under_way = Journal::new(repository.lane_dir()).under_way();
    match under_way.into_iter().find(meets) {
        Some(other) => Err(Refusal::UnderWay(other.what).refuse(&intent.before)),
        None => Ok(()),
    }
}

/// Does what is left to do of it. The caller holds the registry's lock.
fn carry_out(repository: &Repository, intent: &Intent) -> Result<()> {
    if !is_recorded(repository, intent)? {
        // A config.lock that another process holds must stop us before anything can be seen; where refs
        // are a reftable, git takes it too.
        let edit = match repository.ref_format() {
            RefFormat::Files => Some(Edit::begin(repository.lane_dir())?),
            RefFormat::Reftable => None,
        };
        rename_branch(repository, intent, |rename| rename.carry_out(repository))?;
        of_directory(repository, intent, |directory, site| {
            exclude::add(repository, &directory.to)?;
            directory.carry_out(site, &intent.before)?;
            step("relocate.directory");
            Ok(())
        })?;
        let edit = edit.map_or_else(|| Edit::begin(repository.lane_dir()), Ok)?;
        record(repository, intent, edit)?;
        step("relocate.recorded");
    }
    of_directory(repository, intent, |directory, site| {
        directory.ensure_admin(site)?;
        directory.remove_empty_behind(repository);
        exclude::remove(repository, &directory.from)
    })?;
    tidy(repository, intent)
}

/// Does something about the directory, where it goes elsewhere.
fn of_directory(
    repository: &Repository,
    intent: &Intent,
    act: impl FnOnce(&DirectoryMove, Site<'_>) -> Result<()>,
) -> Result<()> {
    let Some((directory, Admin(admin))) = intent.directory.as_ref().zip(intent.admin.as_ref())
    else {
        return Ok(());
    };
    let site = Site {
        repository,
        admin,
        kept: &intent.room(repository).join("admin"),
    };
    act(directory, site)
}

/// Undoes what was done of it; the record says what it said before.
fn take_back(repository: &Repository, intent: &Intent) -> Result<()> {
    of_directory(repository, intent, |directory, site| {
        directory.take_back(site, &intent.before)?;
        exclude::remove(repository, &directory.to)
    })?;
    rename_branch(repository, intent, |rename| rename.take_back(repository))?;
    tidy(repository, intent)
}

/// Carries the lane's rename of its branch on, or takes it back, where there is one.
fn rename_branch(
    repository: &Repository,
    intent: &Intent,
    act: impl FnOnce(&BranchRename<'_>) -> Result<()>,
) -> Result<()> {
    let branches = intent
        .before
        .branch
        .as_ref()
        .zip(intent.after.branch.as_ref());
    let (Some((from, to)), Some(Tip(tip))) = (branches, intent.tip) else {
        return Ok(());
    };
    let all = repository.worktrees()?;
    let is_it = |worktree: &&Worktree| matches!(&intent.admin, Some(Admin(admin)) if *admin == worktree.git_dir);
    let site = all.iter().filter(|_| intent.with_head).find(is_it);
    let kept = intent.room(repository).join("reflog");
    let keeper = intent.keeper()?;
    act(&BranchRename {
        from,
        to,
        tip,
        site,
        kept: &kept,
        keeper: &keeper,
    })?;
    branch_rename::release(repository, &keeper)
}

/// Whether the record says what it is to say: that is the last of what counts.
fn is_recorded(repository: &Repository, intent: &Intent) -> Result<bool> {
    let Lane {
        name,
        id,
        branch,
        worktree,
        ..
    } = &intent.after;
    let records = repository.records()?;
    Ok(records
        .find(name)
        .is_some_and(|lane| lane.id == *id && lane.branch == *branch && lane.worktree == *worktree))
}

/// Writes the record, the settings of the branch, and the bases of those above.
fn record(repository: &Repository, intent: &Intent, mut edit: Edit) -> Result<()> {
    let (before, after) = (&intent.before, &intent.after);
    let records = edit.records();
    if let Some((from, to)) = before.branch.as_ref().zip(after.branch.as_ref())
        && from != to
    {
        edit.rename_branch_section(from, to)?;
        for name in based_on(&records.lanes, from) {
            edit.set_base(&name, to)?;
        }
    }
    // A user may have removed it meanwhile.
    if records
        .find(&before.name)
        .is_some_and(|lane| lane.id == before.id)
    {
        edit.rename_lane(&before.name, after)?;
        tried::rename(repository, &mut edit, &after.id, &after.name)?;
    }
    edit.commit()
}

/// The lanes whose base that branch is.
fn based_on(lanes: &[Lane], branch: &BranchName) -> Vec<LaneName> {
    let above = lanes
        .iter()
        .filter(|lane| lane.base_branch().as_ref() == Some(branch));
    above.map(|lane| lane.name.clone()).collect()
}

fn tidy(repository: &Repository, intent: &Intent) -> Result<()> {
    let room = intent.room(repository);
    match std::fs::remove_dir_all(&room) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).context("remove", &room)
        }
        _ => Ok(()),
    }
}

/// Carries an interrupted one on, or takes it back where that cannot be.
pub fn recover(repository: &Repository, _: &Running, intent: &Intent) -> Result<Healed> {
    let _registry = registry_lock(repository)?;
    let healed = |completed| Healed::new(intent.what(), completed);
    let done: std::result::Result<(), Error> = carry_out(repository, intent);
    match done {
        Ok(()) => Ok(healed(true)),
        Err(error) if is_recorded(repository, intent)? => Err(error),
        Err(_) => take_back(repository, intent).map(|()| healed(false)),
    }
}

/// The worktree of a lane, where its directory is there.
fn present(lane: &Lane, all: &[Worktree]) -> Option<Worktree> {
    place(lane, all).present().cloned()
}
