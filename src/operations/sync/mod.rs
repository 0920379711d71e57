//! Sync: what is new on a base comes into the lanes that started from it, each wholly or not at all.
//!
//! `sync_facts` looks, `bring_in` computes and moves a lane's branch with its worktree, `newer_bases`
//! fetches, `lay_out` has git lay a conflict out in a lane. Called by `commands/sync`.

mod bring_in;
mod lay_out;
mod newer_bases;
mod sync_facts;

pub use self::newer_bases::{Stays, renew, renew_bases};

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use bstr::BString;

use crate::domain::claim::Standing;
use crate::domain::event::{End, Subject, What};
use crate::domain::lane::{Lane, ObjectId, RefName};
use crate::domain::name::{BranchName, LaneName};
use crate::domain::retire::{Busy, Places};
use crate::domain::sync::{self, Plan, Request};
use crate::engines::processes;
use crate::error::{Code, Error, Kind, Result};
use crate::operations::land::outcome::Wording;
use crate::operations::retire::or_raced;
use crate::repository::Repository;
use crate::repository::claims;
use crate::repository::recovered::Heal;
use crate::store::activity::Activity;

/// How a lane's branch has moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// To the base's commit: the lane had nothing of its own.
    Forward,
    /// To a merge commit.
    Merge,
    /// To the lane's commits, replayed onto the base.
    Rebase,
}

impl How {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            How::Forward => "forward",
            How::Merge => "merge",
            How::Rebase => "rebase",
        }
    }
}

/// What came into a lane, or would.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brought {
    /// The lane's branch.
    pub branch: BranchName,
    /// The base.
    pub base: RefName,
    /// Its commit, which the lane has now.
    pub onto: ObjectId,
    /// How.
    pub how: How,
    /// The branch's commit before.
    pub old: ObjectId,
    /// Its commit after; `None` where it was only foretold.
    pub new: Option<ObjectId>,
    /// How many of the base's commits came in.
    pub commits: usize,
}

/// Why a lane is left as it is that was not named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Skip {
    /// A process works in it, whose files must not change under it.
    Process(Busy),
    /// It belongs to another owner.
    Owner(String),
    /// It has no branch, or no worktree: the word for that, and the sentence.
    CannotTake(Code, String),
}

/// The lanes that are left alone where they are not named: those in which a process works, and those
/// that belong to others.
#[derive(Debug)]
pub struct Sparing {
    owner: String,
    /// The worktrees in which a closer look may find a process.
    worked_in: BTreeMap<LaneName, PathBuf>,
}

impl Sparing {
    /// Looks at all processes once; `owner` is who asks.
    pub fn of(repository: &Repository, lanes: &[Lane], owner: String) -> Result<Self> {
        let worktrees = repository.worktrees()?;
        let places = Places::of(&worktrees);
        let present = |lane: &Lane| {
            let worktree = places.place(lane).present()?;
            Some((lane.name.clone(), worktree.path.clone()))
        };
        let present: Vec<_> = lanes.iter().filter_map(present).collect();
        let paths: Vec<&Path> = present.iter().map(|(_, path)| path.as_path()).collect();
        let may_be = processes::may_be_worked_in(&paths);
        let worked_in = present.into_iter().zip(may_be);
        let worked_in = worked_in.filter_map(|(present, may_be)| may_be.then_some(present));
        Ok(Sparing {
            owner,
            worked_in: worked_in.collect(),
        })
    }

    fn skips(&self, repository: &Repository, lane: &Lane) -> Option<Skip> {
        let is_own = claims::standing(repository, lane) == Standing::Own;
        let others = |owner: &&String| **owner != self.owner && !is_own;
        if let Some(owner) = lane.owner.as_ref().filter(others) {
            return Some(Skip::Owner(owner.clone()));
        }
        let busy = processes::working_in(self.worked_in.get(&lane.name)?);
        busy.map(Skip::Process)
    }
}

/// What became of a lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It has all of its base already.
    UpToDate(RefName),
    /// It has now, or would.
    Brought(Brought),
    /// It would take what its base does not have yet, which the same command would bring there.
    Awaits(RefName),
    /// It was not touched.
    Skipped(Skip),
    /// git has laid the conflict with its base out in its worktree.
    LaidOut(LaidOut),
}

/// A conflict in a lane's worktree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaidOut {
    /// The base.
    pub base: RefName,
    /// The worktree.
    pub worktree: PathBuf,
    /// The unmerged files.
    pub paths: Vec<BString>,
    /// Whether git is in the middle of a rebase there, not of a merge.
    pub rebase: bool,
}

/// What is asked for every lane of one command.
#[derive(Clone, Copy)]
pub struct Bringing<'a> {
    /// How.
    pub request: Request,
    /// Who may object.
    pub wording: &'a Wording<'a>,
    /// Which lanes are left alone; `None`: none.
    pub sparing: Option<&'a Sparing>,
    /// Whether a conflict is laid out in the lane.
    pub here: bool,
    /// Whether nothing is to change.
    pub dry_run: bool,
    /// The branches that a dry run would have moved by now.
    pub would_have_moved: &'a BTreeSet<RefName>,
    /// Recovers what others have left.
    pub heal: Heal<'a>,
}

/// Brings what is new on its base into a lane.
///
/// # Errors
/// A conflict or a refusal; the lane is as it was.
pub fn sync(repository: &mut Repository, lane: &Lane, asked: &Bringing<'_>) -> Result<Outcome> {
    let _doing = Activity::begin(format!("syncing lane '{}'", lane.name));
    let done = sync_lane(repository, lane, asked);
    done.map_err(|error| or_raced(repository, lane, error))
}

fn sync_lane(repository: &mut Repository, lane: &Lane, asked: &Bringing<'_>) -> Result<Outcome> {
    if let (Some(_), Some(claim)) = (asked.sparing, claims::anothers(repository, lane)) {
        let skip = Skip::CannotTake(Code::Claimed, format!("it is {claim}"));
        return Ok(Outcome::Skipped(skip));
    }
    let worktrees = repository.worktrees()?;
    let facts = sync_facts::gather(repository, &worktrees, lane, &asked.request)?;
    let up_to_date = |base: &Option<RefName>| {
        let base = base.clone().ok_or_else(|| sync::Refusal::NoBase {
            lane: lane.name.clone(),
        });
        base.map(Outcome::UpToDate).map_err(Error::from)
    };
    let base = facts.lane.base.as_ref();
    let awaited = base.filter(|base| asked.would_have_moved.contains(base));
    let plan = match sync::plan(&facts, &asked.request) {
        Ok(Plan::UpToDate) if awaited.is_none() => return up_to_date(&facts.lane.base),
        Ok(plan) => plan,
        // Nothing that the user could do to such a lane makes `--all` succeed.
        Err(refusal @ (sync::Refusal::NoBranch { .. } | sync::Refusal::NoWorktree { .. }))
            if asked.sparing.is_some() =>
        {
            let skip = Skip::CannotTake(refusal.code(), refusal.to_string());
            return Ok(Outcome::Skipped(skip));
        }
        Err(refusal) => return Err(refusal.into()),
    };
    if let Some(skip) = asked
        .sparing
        .and_then(|sparing| sparing.skips(repository, lane))
    {
        return Ok(Outcome::Skipped(skip));
    }
    if let Some(base) = awaited {
        return Ok(Outcome::Awaits(base.clone()));
    }
    let Plan::Move(moving) = plan else {
        return up_to_date(&facts.lane.base);
    };
    if asked.dry_run {
        return bring_in::foretell(repository, lane, &moving).map(Outcome::Brought);
    }
    let subject = Subject {
        base_commit: Some(moving.onto),
        base: Some(moving.base.clone()),
        ..Subject::of(What::Sync, &facts.lane)
    };
    let operation = repository.log().begin(subject);
    let brought = bring_in::carry_out(repository, lane, asked);
    let brought = match brought {
        Err(error) if error.kind() == Kind::Conflict && asked.here => {
            operation.failed(&error);
            return match lay_out::lay_out(repository, lane, &moving)? {
                Some(laid_out) => Ok(Outcome::LaidOut(laid_out)),
                None => up_to_date(&facts.lane.base),
            };
        }
        brought => brought,
    };
    let brought = operation.ended(brought, |brought| match brought {
        Some(brought) => End {
            result: brought.new,
            before: Some(brought.old),
            note: Some(brought.how.word().into()),
            ..End::default()
        },
        None => End {
            note: Some("nothing was new".into()),
            ..End::default()
        },
    })?;
    match brought {
        Some(brought) => Ok(Outcome::Brought(brought)),
        None => up_to_date(&facts.lane.base),
    }
}
