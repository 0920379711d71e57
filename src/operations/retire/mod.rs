//! Takes a lane away: directory and admin directory are renamed into the trash, the branch becomes
//! a ref that keeps it.
//!
//! Until the branch is deleted (or, where it stays, the record removed) everything can be renamed
//! back, and a crash or a lost race is undone; from then on it is completed. Both are decided by
//! looking at the disk, so that any later git-lane command can do it.
//!
//! Called by `commands/finish`, `drop` and `prune`, and by `recover`.

mod commits;
mod last_look;
pub mod look;
mod race;
mod recover_retirement;
mod removal_time;
mod surroundings;
mod take_away;

use crate::domain::retire::{moved_on, raced};
use crate::repository::recovered::Heal;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use self::commits::{has_own, is_untouched, were_made};
use self::last_look::{Moment, held, standing_proof};
use self::look::{Proof, git_in_admin, wait_for_locks};
pub use self::race::or_raced;
pub use self::surroundings::surroundings;
pub use self::take_away::based_on;
use self::take_away::take_away;
use super::start::registry_lock;
use super::trash;
use crate::domain::event::{End, Subject};
use crate::domain::lane::{Lane, ObjectId, Worktree, WorktreeState};
use crate::domain::losses::Losses;
use crate::domain::name::{BranchName, LaneName};
use crate::domain::retire::{Refusal, ensure_movable, place};
pub use crate::domain::trash_entry::Reason;
use crate::domain::trash_entry::{Entry, KeptBranch, KeptWorktree};
use crate::error::Result;
pub use crate::operations::retire::recover_retirement::recover;
use crate::operations::retire::recover_retirement::{complete, is_committed, put_back};
use crate::operations::trash::keeper_commit;
use crate::repository::Repository;
use crate::repository::claims;
use crate::repository::kept_pack::KeptPack;
use crate::repository::metadata;
use crate::repository::provenance::{Assertions, Asserts, remember};
use crate::repository::quarantine::Scratch;
use crate::repository::resolver_lock;
use crate::repository::unrecovered::ensure_not_half_moved;
use crate::store::activity::Activity;
use crate::store::journal::{About, Announce, Journal, Running, unique_id};

/// How often a look is taken again because a git was at work in the lane meanwhile.
const ATTEMPTS: usize = 5;

/// A lane to be taken away, and what the caller knows about it.
pub struct Retirement<'a> {
    /// Its record.
    pub lane: &'a Lane,
    /// Its worktree, from [`Repository::worktrees`]; `None` when git lists none.
    pub worktree: Option<&'a Worktree>,
    /// Why it goes.
    pub reason: Reason,
    /// What the user has seen in it and agreed to, and the decision rests on; `None`: whatever
    /// there is goes with it.
    pub accepted: Option<&'a Losses>,
    /// How its commits are known to be in its base.
    pub proof: Option<Proof>,
    /// The commit the lane must still be at, its branch's or its detached HEAD's; `None`: whatever
    /// it is at.
    pub expected_tip: Option<ObjectId>,
    /// Whether its branch goes with it.
    pub delete_branch: bool,
    /// The branch that has its work: the lanes based on its own are based on that one then.
    pub heir: Option<BranchName>,
    /// Take it although a process works in it.
    pub although_busy: bool,
    /// How what a dead process left of the lane is healed.
    pub heal: Heal<'a>,
}

/// A lane that was taken away.
#[derive(Debug)]
pub struct Retired {
    /// The id of its entry in the trash.
    pub trash_id: String,
    /// The entry.
    pub entry: Entry,
    /// Directories in a lower layer of an overlay filesystem, whose files went one by one.
    pub lifted: Vec<PathBuf>,
}

impl Retired {
    fn end(&self) -> End {
        let lower = "was in a lower layer of an overlay filesystem, so its files went one by one";
        let note = self
            .lifted
            .first()
            .map(|directory| format!("'{}' {lower}", directory.display()));
        End {
            note,
            ..self.entry.removed()
        }
    }
}

/// What is about to happen, complete enough for another process to finish or undo it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "operation", rename = "retire")]
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

impl Announce for Intent {
    fn about(&self) -> About {
        About::lane(what(&self.lane), &self.lane)
    }
}

impl Intent {
    /// How the event log says that it ended.
    pub fn removed(&self) -> End {
        self.entry.removed()
    }
}

impl Asserts for Intent {
    fn asserts(&self, assertions: &mut Assertions<'_>) {
        assertions.that("id", &self.id, self.id == self.entry.id);
        assertions.that("lane", &self.lane, self.lane == self.entry.lane.name);
        assertions.entry(&self.entry);
        if let Some(worktree) = &self.entry.worktree {
            assertions.place("worktree", &worktree.path);
            assertions.admin(
                "admin directory",
                &assertions
                    .repository()
                    .common_dir()
                    .join("worktrees")
                    .join(&worktree.admin),
            );
        }
    }
}

/// What an interrupted removal of a lane is called.
pub fn what(lane: &LaneName) -> String {
    format!("the removal of lane '{lane}'")
}

/// Takes a lane away, or changes nothing.
///
/// # Errors
/// A refusal when the worktree is protected ([`ensure_movable`]), when it holds what was not there
/// when the caller looked, or when lane, worktree, branch or base are no longer what the caller saw
/// (code `raced`).
pub fn retire(repository: &mut Repository, retirement: &Retirement<'_>) -> Result<Retired> {
    let what = retirement.reason.what();
    let _doing = Activity::begin(format!(
        "moving lane '{}' into the trash",
        retirement.lane.name
    ));
    let operation = repository.log().begin(Subject::of(what, retirement.lane));
    operation.ended(remove(repository, retirement), Retired::end)
}

/// The same for an operation that tells the event log itself.
pub fn remove(repository: &mut Repository, retirement: &Retirement<'_>) -> Result<Retired> {
    let lane = retirement.lane;
    repository.unrecovered.ensure_lane_is_whole(&lane.name)?;
    resolver_lock::ensure_free(repository, lane)?;
    let _lock = trash::exclusive(repository, &lane.name, retirement.heal)?;
    let repository = &*repository;
    let or_raced = |error| or_raced(repository, lane, error);
    let wait_for_git = || match retirement.worktree {
        Some(worktree) => {
            wait_for_locks(worktree, retirement.although_busy).map_err(|why| why.refuse(&lane.name))
        }
        None => Ok(()),
    };
    // The commands that start lanes need not wait for it too.
    wait_for_git().map_err(or_raced)?;
    // No start may take up the branch between the worktree's leaving and its own.
    let _registry = registry_lock(repository)?;
    for attempt in 1..=ATTEMPTS {
        wait_for_git().map_err(or_raced)?;
        let moment = || retirement.worktree.map(Moment::of).transpose();
        let before = moment()?;
        let scratch = Scratch::new(repository)?;
        // Until the refs name them, the pack keeps young objects from a gc beside.
        let (entry, _young) = prepare(repository, retirement, &scratch).map_err(or_raced)?;
        let intent = Intent {
            id: entry.id.clone(),
            lane: lane.name.clone(),
            entry,
        };
        if let Some(worktree) = &intent.entry.worktree {
            remember(repository, &worktree.path);
        }
        let journal = Journal::new(repository.lane_dir());
        let running = journal.begin(&intent)?;
        if moment()? != before && !(retirement.although_busy && attempt == ATTEMPTS) {
            // A git has staged or checked out something since the look.
            running.done()?;
            continue;
        }
        let retired = carry_out(repository, intent, running).map_err(or_raced)?;
        claims::forget(repository, &lane.id);
        return Ok(retired);
    }
    Err(raced(&lane.name))
}

/// Takes away what was looked at, or puts it back.
fn carry_out(repository: &Repository, intent: Intent, running: Running) -> Result<Retired> {
    match take_away(repository, &intent.entry) {
        Ok(lifted) => {
            running.done()?;
            Ok(Retired {
                trash_id: intent.id,
                entry: intent.entry,
                lifted,
            })
        }
        // Too late to be undone; another process may have interfered.
        Err(error) if is_committed(repository, &intent.entry)? => {
            match complete(repository, &intent.entry) {
                Ok(entry) => {
                    running.done()?;
                    Ok(Retired {
                        trash_id: intent.id,
                        entry,
                        lifted: Vec::new(),
                    })
                }
                Err(_) => Err(error.hint(
                    "the lane is in the trash; the next git-lane command completes its removal",
                )),
            }
        }
        Err(error) => {
            put_back(repository, &intent.entry)?;
            running.done()?;
            Err(error)
        }
    }
}

/// What is to go into the trash, and the pack that keeps its young objects until a ref does.
type Prepared = (Entry, Option<KeptPack>);

/// Looks at everything again under the locks, refuses what was not there when the caller looked,
/// and says what the entry will be.
fn prepare(
    repository: &Repository,
    retirement: &Retirement<'_>,
    scratch: &Scratch,
) -> Result<Prepared> {
    let lane = retirement.lane;
    let records = repository.records()?;
    let record = records
        .find(&lane.name)
        .filter(|record| record.id == lane.id)
        .ok_or_else(|| raced(&lane.name))?;
    if record.adopted {
        // Only `operations/forget` ends it.
        return Err(Refusal::Adopted(record.worktree.clone()).refuse(&lane.name));
    }
    let all = repository.worktrees()?;
    let worktree = match retirement.worktree {
        // It may have come back, or git may just have been moving it.
        None if place(record, &all).worktree().is_some() => return Err(raced(&lane.name)),
        None => None,
        Some(seen) => {
            let same = |now: &&Worktree| {
                now.id == seen.id && now.path == seen.path && now.state == seen.state
            };
            Some(all.iter().find(same).ok_or_else(|| raced(&lane.name))?)
        }
    };
    if let Some(worktree) = worktree {
        // A process is landing on the lane's branch, or died doing so: its files and its index are
        // between two commits.
        repository
            .unrecovered
            .ensure_files_are_whole(&worktree.git_dir)?;
        ensure_not_half_moved(repository, worktree)?;
        let on = |lane: &Lane| {
            lane.branch
                .as_ref()
                .is_some_and(|branch| worktree.is_on(branch))
        };
        let owner = records
            .lanes
            .iter()
            .find(|other| other.worktree == worktree.path && on(other));
        if let Some(owner) = owner.filter(|owner| owner.name != lane.name && !on(lane)) {
            return Err(
                Refusal::OfLane(worktree.path.clone(), owner.name.clone()).refuse(&lane.name)
            );
        }
    }
    let around = surroundings(repository, lane, worktree, &all, retirement.delete_branch);
    let around = if retirement.although_busy {
        around
    } else {
        around.with_processes()
    };
    ensure_movable(&around).map_err(|refusal| refusal.refuse(&lane.name))?;

    let tip = look::tip(repository, lane, worktree)?;
    if retirement.expected_tip.is_some() && tip != retirement.expected_tip {
        return Err(moved_on(&lane.name));
    }
    let branch = lane.branch.as_ref().zip(tip);
    // What is only another name of a branch stays, with the branch that it leads to.
    let delete_branch = retirement.delete_branch
        && match branch {
            Some((name, _)) => !repository.is_alias(name)?,
            None => true,
        };
    let admin = worktree.map(|worktree| (worktree.git_dir.as_path(), &worktree.head));
    let git = || {
        worktree.map_or_else(
            || repository.git_here(),
            |worktree| git_in_admin(repository, worktree),
        )
    };
    let leaving = branch.map(|(name, _)| name).filter(|_| delete_branch);
    let keep = keeper_commit::keeper(
        repository,
        lane,
        branch.map(|(_, tip)| tip),
        leaving,
        admin,
        git,
        scratch,
    )?;
    let young =
        keeper_commit::protect(repository, scratch, lane, branch.map(|(_, tip)| tip), keep)?;
    let (holds, inner) = held(repository, retirement, worktree)?;
    if let Some(lender) = inner.lender() {
        return Err(Refusal::Lender(lender.to_owned()).refuse(&lane.name));
    }
    let proof = standing_proof(repository, retirement, tip)?;
    let branch = match branch {
        Some((name, tip)) => {
            let settings = metadata::branch_settings(repository.common_dir(), name)?;
            Some(KeptBranch {
                name: name.clone(),
                tip,
                deleted: delete_branch,
                settings,
            })
        }
        None => None,
    };
    let entry = Entry {
        id: unique_id(),
        lane: lane.clone(),
        reason: retirement.reason,
        // It is about the commits: with anything else in there the lane is not known to be in its
        // base.
        proof: proof
            .filter(|_| holds.is_empty())
            .map(|proof| (&proof.how).into()),
        holds: Some(holds),
        removed: removal_time::removal_time(repository, lane),
        branch,
        keep,
        worktree: worktree
            .map(|worktree| kept_worktree(repository, worktree))
            .transpose()?,
        inner,
        // A policy that cannot be read is no reason to keep the lane from leaving.
        promise: repository
            .policy()
            .ok()
            .map(|policy| policy.retention().now),
        heir: retirement.heir.clone(),
        above: leaving
            .map(|branch| based_on(&records, branch, retirement.heir.as_ref()))
            .unwrap_or_default(),
    };
    Ok((entry, young))
}

fn kept_worktree(repository: &Repository, worktree: &Worktree) -> Result<KeptWorktree> {
    let directory = match worktree.state {
        WorktreeState::Present => Some(trash::relocation::stamp(&worktree.path)?),
        _ => None,
    };
    let admin = worktree.git_dir.file_name().unwrap_or_default();
    let common_dir = repository.common_dir().to_owned();
    Ok(KeptWorktree {
        path: worktree.path.clone(),
        admin: admin.into(),
        directory,
        common_dir,
        was_at: None,
    })
}
