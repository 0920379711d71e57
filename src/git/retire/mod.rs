//! Takes a lane away: directory and admin directory are renamed into the trash, the branch becomes a ref that keeps it.
//!
//! Until the branch is deleted (or, where it stays, the record removed) everything can be renamed back, and a crash
//! or a lost race is undone; from then on it is completed. Both are decided by looking at the disk, so that any later
//! git-lane command can do it.

mod clock;
mod healing;

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

pub use self::healing::recover;
use self::healing::{complete, is_committed, put_back};
use super::journal::{Journal, step, unique_id};
use super::kept_pack::KeptPack;
use super::land::scratch::Scratch;
use super::provenance::{Claim, Claims, remember};
use super::recover::ensure_not_half_moved;
use super::refs::RefChange;
use super::repository::{RefFormat, Repository};
use super::start::registry_lock;
use super::trash::{self, Places, keep};
use super::{events, exclude, metadata, moved, processes, submodules};
use crate::domain::event::{Subject, What};
use crate::domain::integration::Integration;
use crate::domain::lane::{Lane, ObjectId, RefName, Worktree, WorktreeState};
use crate::domain::name::{BranchName, LaneName};
use crate::domain::retire::{Refusal, Surroundings, ensure_movable, place};
pub use crate::domain::trash::Reason;
use crate::domain::trash::{Entry, KeptBranch, KeptWorktree};
use crate::error::{Error, IoContext, Kind, Result};
use crate::git::shared;
use crate::policy::Policy;

/// A lane to be taken away, and what the caller knows about it.
#[derive(Debug)]
pub struct Retirement<'a> {
    /// Its record.
    pub lane: &'a Lane,
    /// Its worktree, from [`Repository::worktrees`]; `None` when git lists none.
    pub worktree: Option<&'a Worktree>,
    /// Why it goes.
    pub reason: Reason,
    /// How its work is known to be in its base.
    pub proof: Option<Integration>,
    /// The commit its branch must still be at; `None`: whatever it is at.
    pub expected_tip: Option<ObjectId>,
    /// Whether its branch goes with it.
    pub delete_branch: bool,
    /// Take it although a process works in it.
    pub although_busy: bool,
}

/// A lane that was taken away.
#[derive(Debug)]
pub struct Retired {
    /// The id of its entry in the trash.
    pub trash_id: String,
    /// The entry.
    pub entry: Entry,
}

/// What is about to happen, complete enough for somebody else to finish or undo it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Intent {
    id: String,
    lane: LaneName,
    entry: Entry,
}

impl Intent {
    /// The lane's record.
    pub fn lane(&self) -> &Lane {
        &self.entry.lane
    }
}

impl Claim for Intent {
    fn claim(&self, claims: &mut Claims<'_>) {
        claims.that("id", &self.id, self.id == self.entry.id);
        claims.that("lane", &self.lane, self.lane == self.entry.lane.name);
        claims.entry(&self.entry);
        if let Some(worktree) = &self.entry.worktree {
            claims.place("worktree", &worktree.path);
            claims.admin("admin directory", &claims.repository().common_dir().join("worktrees").join(&worktree.admin));
        }
    }
}

/// Seconds since 1970 UTC.
pub fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs() as i64)
}

/// What an interrupted removal of a lane is called.
pub fn what(lane: &LaneName) -> String {
    format!("the removal of lane '{lane}'")
}

/// Takes a lane away, or changes nothing.
///
/// # Errors
/// A refusal when the worktree is protected ([`ensure_movable`]), or when lane, worktree or branch are no longer what
/// the caller saw (code `raced`).
pub fn retire(repository: &Repository, retirement: &Retirement<'_>) -> Result<Retired> {
    let what = match retirement.reason {
        Reason::Finished => What::Finish,
        Reason::Dropped => What::Drop,
        Reason::Pruned => What::Prune,
    };
    let operation = events::begin(repository, Subject::of(what, retirement.lane));
    operation.ended(remove(repository, retirement), |retired| retired.entry.end())
}

fn remove(repository: &Repository, retirement: &Retirement<'_>) -> Result<Retired> {
    let lane = retirement.lane;
    repository.ensure_lane_is_whole(&lane.name)?;
    let _lock = trash::exclusive(repository, &lane.name, None)?;
    let or_raced = |error| or_raced(repository, lane, error);
    let scratch = Scratch::new(repository)?;
    let (entry, _young) = prepare(repository, retirement, &scratch).map_err(or_raced)?;
    let intent = Intent { id: entry.id.clone(), lane: lane.name.clone(), entry };
    // Nobody may take up the branch between the worktree's leaving and its own.
    let _registry = registry_lock(repository)?;
    let journal = Journal::new(&repository.lane_dir());
    if let Some(worktree) = &intent.entry.worktree {
        remember(repository, &worktree.path);
    }
    let running = journal.begin(&crate::git::recover::Intent::Retire(intent.clone()))?;
    match take_away(repository, &intent.entry) {
        Ok(()) => {
            running.done()?;
            Ok(Retired { trash_id: intent.id, entry: intent.entry })
        }
        // Too late to be undone; somebody may have interfered.
        Err(error) if is_committed(repository, &intent.entry)? => match complete(repository, &intent.entry) {
            Ok(entry) => {
                running.done()?;
                Ok(Retired { trash_id: intent.id, entry })
            }
            Err(_) => Err(error.hint("the lane is in the trash; the next git-lane command completes its removal")),
        },
        Err(error) => {
            put_back(repository, &intent.entry)?;
            running.done()?;
            Err(or_raced(error))
        }
    }
}

/// What surrounds a lane's worktree, for [`ensure_movable`]; processes are looked for separately.
pub fn surroundings<'a>(
    repository: &'a Repository,
    lane: &'a Lane,
    worktree: Option<&'a Worktree>,
    all: &'a [Worktree],
    delete_branch: bool,
) -> Surroundings<'a> {
    Surroundings {
        lane,
        worktree,
        all,
        common_dir: repository.common_dir(),
        path_exists: std::fs::symlink_metadata(&lane.worktree).is_ok(),
        found_at: worktree
            .filter(|worktree| worktree.state == WorktreeState::Missing)
            .and_then(|worktree| moved::find(repository, worktree)),
        busy: None,
        delete_branch,
    }
}

impl Surroundings<'_> {
    /// Looks for processes too, for everybody who has not said that they do not matter.
    pub fn with_processes(mut self) -> Self {
        let present = self.worktree.filter(|worktree| worktree.state == WorktreeState::Present);
        self.busy = present.and_then(|worktree| processes::working_in(&worktree.path));
        self
    }
}

/// Checks everything again under the lock, and says what the entry will be.
type Prepared = (Entry, Option<KeptPack>);

fn prepare(repository: &Repository, retirement: &Retirement<'_>, scratch: &Scratch) -> Result<Prepared> {
    let lane = retirement.lane;
    let records = repository.records()?;
    let record = records.find(&lane.name).filter(|record| record.id == lane.id).ok_or_else(|| raced(&lane.name))?;
    let all = repository.worktrees()?;
    let worktree = match retirement.worktree {
        // It may have come back, or git may just have been moving it.
        None if place(record, &all).worktree().is_some() => return Err(raced(&lane.name)),
        None => None,
        Some(seen) => {
            let same = |now: &&Worktree| now.id == seen.id && now.path == seen.path && now.state == seen.state;
            Some(all.iter().find(same).ok_or_else(|| raced(&lane.name))?)
        }
    };
    if let Some(worktree) = worktree {
        // Somebody is landing on the lane's branch, or died doing so: its files and its index are between two commits.
        repository.ensure_files_are_whole(&worktree.git_dir)?;
        ensure_not_half_moved(repository, worktree)?;
    }
    let around = surroundings(repository, lane, worktree, &all, retirement.delete_branch);
    let around = if retirement.although_busy { around } else { around.with_processes() };
    ensure_movable(&around).map_err(|refusal| refusal.refuse(&lane.name))?;

    let branch = match &lane.branch {
        Some(name) => repository.branch_tip(name)?.map(|tip| (name, tip)),
        None => None,
    };
    // What is only another name of a branch stays, with the branch that it leads to.
    let delete_branch = retirement.delete_branch
        && match branch {
            Some((name, _)) => !repository.is_alias(name)?,
            None => true,
        };
    if let Some(expected) = retirement.expected_tip
        && branch.is_none_or(|(_, tip)| tip != expected)
    {
        return Err(raced(&lane.name));
    }
    let admin = worktree.map(|worktree| (worktree.git_dir.as_path(), &worktree.head));
    let git = || match worktree {
        Some(worktree) if worktree.state == WorktreeState::Present => repository.git_in(worktree),
        Some(worktree) => repository.git_here().env("GIT_DIR", &worktree.git_dir),
        None => repository.git_here(),
    };
    let leaving = branch.map(|(name, _)| name).filter(|_| delete_branch);
    let keep = keep::keeper(repository, lane, branch.map(|(_, tip)| tip), leaving, admin, git, scratch)?;
    let young = keep::protect(repository, scratch, lane, branch.map(|(_, tip)| tip), keep)?;
    // What only a submodule's repository has is in no base: it must not expire unnamed.
    let submodules = worktree.map(|worktree| submodules::held(repository, lane, worktree)).unwrap_or_default();
    if let Some(lender) = submodules.lender() {
        return Err(Refusal::Lender(lender.to_owned()).refuse(&lane.name));
    }
    let branch = match branch {
        Some((name, tip)) => {
            let settings = metadata::branch_settings(repository.common_dir(), name)?;
            Some(KeptBranch { name: name.clone(), tip, deleted: delete_branch, settings })
        }
        None => None,
    };
    let entry = Entry {
        id: unique_id(),
        lane: lane.clone(),
        reason: retirement.reason,
        proof: retirement.proof.as_ref().filter(|_| submodules.is_empty()).map(Into::into),
        removed: clock::removal_time(repository, lane),
        branch,
        keep,
        worktree: worktree.map(|worktree| kept_worktree(repository, worktree)).transpose()?,
        submodules,
        // A policy that cannot be read is no reason to keep the lane from leaving.
        promise: Policy::load(repository).ok().map(|policy| policy.retention().now),
    };
    Ok((entry, young))
}

fn kept_worktree(repository: &Repository, worktree: &Worktree) -> Result<KeptWorktree> {
    let directory = match worktree.state {
        WorktreeState::Present => Some(trash::places::stamp(&worktree.path)?),
        _ => None,
    };
    let admin = worktree.git_dir.file_name().unwrap_or_default();
    let common_dir = repository.common_dir().to_owned();
    Ok(KeptWorktree { path: worktree.path.clone(), admin: admin.into(), directory, common_dir, was_at: None })
}

/// The refusal when a lane is no longer what the caller saw.
pub fn raced(lane: &LaneName) -> Error {
    Error::refused(format!("lane '{lane}' was changed by somebody else at the same moment"))
        .code("raced")
        .hint("see what it is now with: git lane list")
}

/// `error`, unless it comes from the lane having gone away meanwhile: then that is what there is to say.
pub fn or_raced(repository: &Repository, lane: &Lane, error: Error) -> Error {
    let recorded = |records: metadata::Records| records.find(&lane.name).is_some_and(|now| now.id == lane.id);
    // The journal first: what is neither there nor in the records any more has left.
    let gone = trash::is_moving(repository, &lane.name) || !repository.records().map_or(true, recorded);
    match error.kind() {
        Kind::Refused | Kind::Conflict if gone => raced(&lane.name),
        Kind::Refused | Kind::Conflict => error,
        // What it stumbled on may be something else all the same.
        _ if gone || !lane.worktree.exists() => {
            error.hints().to_vec().into_iter().fold(raced(&lane.name), Error::hint).source(error)
        }
        _ => error,
    }
}

fn places(repository: &Repository, entry: &Entry) -> Option<Places> {
    let directory = trash::directory(repository).join(&entry.id);
    let worktree = entry.worktree.as_ref()?;
    Some(Places::new(directory, worktree, repository.common_dir().join("worktrees").join(&worktree.admin)))
}

fn take_away(repository: &Repository, entry: &Entry) -> Result<()> {
    let directory = trash::directory(repository).join(&entry.id);
    shared::create_dir_all(&directory).context("create", &directory)?;
    step("retire.entry-made");
    trash::write(&directory, entry)?;
    step("retire.entry-written");
    let keep = match entry.keep {
        Some(id) => Some(RefChange { name: trash::ref_name(&entry.id)?, from: None, to: Some(id) }),
        None => None,
    };
    let tip = entry.branch.as_ref().map(|branch| branch.tip);
    let more_than_branch = keep.as_ref().filter(|keep| keep.to != tip);
    if let Some(keep) = more_than_branch {
        repository.change_refs(std::slice::from_ref(keep), "lane: keep")?;
        step("retire.kept");
    }
    link_reflog(repository, entry, &directory)?;
    if let Some(places) = places(repository, entry) {
        places.take_away()?;
    }
    let mut changes = Vec::new();
    if more_than_branch.is_none() {
        changes.extend(keep);
    }
    if let Some(branch) = entry.branch.as_ref().filter(|branch| branch.deleted) {
        changes.push(RefChange { name: RefName::from(&branch.name), from: Some(branch.tip), to: None });
    }
    repository.change_refs(&changes, "lane: retire")?;
    step("retire.refs-changed");
    forget(repository, entry)
}

/// Removes the lane's record, and git's settings of a branch that is gone.
fn forget(repository: &Repository, entry: &Entry) -> Result<()> {
    let mut edit = metadata::Edit::begin(repository.common_dir())?;
    if edit.records().find(&entry.lane.name).is_some_and(|lane| lane.id == entry.lane.id) {
        edit.remove(&entry.lane.name);
    }
    if let Some(branch) = entry.branch.as_ref().filter(|branch| branch.deleted)
        && repository.branch_tip(&branch.name)?.is_none()
    {
        edit.remove_branch_section(&branch.name);
    }
    edit.commit()?;
    step("retire.forgotten");
    for place in entry.worktree.iter().map(|worktree| &worktree.path).chain([&entry.lane.worktree]) {
        exclude::remove(repository, place)?;
    }
    Ok(())
}

/// The file of a branch's reflog, for the files backend.
pub(super) fn reflog_path(repository: &Repository, branch: &BranchName) -> Option<PathBuf> {
    (repository.ref_format() == RefFormat::Files)
        .then(|| repository.common_dir().join("logs").join(super::path(&branch.to_ref())))
}

/// Deleting a branch deletes its reflog; a second link keeps the very file.
fn link_reflog(repository: &Repository, entry: &Entry, directory: &Path) -> Result<()> {
    let Some(branch) = entry.branch.as_ref().filter(|branch| branch.deleted) else { return Ok(()) };
    let Some(log) = reflog_path(repository, &branch.name) else { return Ok(()) };
    let kept = directory.join("reflog");
    match std::fs::hard_link(&log, &kept) {
        Ok(()) => {}
        Err(error) if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::AlreadyExists) => {}
        Err(_) => shared::copy(&log, &kept).context("copy", &log)?,
    }
    step("retire.reflog-linked");
    Ok(())
}
