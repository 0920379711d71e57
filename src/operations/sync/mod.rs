//! Sync: what is new on a base comes into the lanes that started from it, each wholly or not at all.
//!
//! `sync_facts` looks, `bring_in` computes and moves a lane's branch with its worktree, `newer_bases`
//! fetches, `lay_out` has git lay a conflict out in a lane. Called by `commands/sync`.

mod bring_in;
mod lay_out;
mod newer_bases;
mod sync_facts;

pub use self::newer_bases::{Stays, renew};

use std::path::PathBuf;

use bstr::BString;

use crate::domain::event::{End, Subject, What};
use crate::domain::lane::{Lane, ObjectId, RefName};
use crate::domain::name::BranchName;
use crate::domain::retire::{Busy, Places};
use crate::domain::sync::{self, Plan, Request};
use crate::engines::processes;
use crate::error::{Error, Kind, Result};
use crate::operations::land::outcome::Wording;
use crate::operations::retire::or_raced;
use crate::repository::Repository;
use crate::repository::recovered::Heal;

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
}

/// What became of a lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It has all of its base already.
    UpToDate(RefName),
    /// It has now, or would.
    Brought(Brought),
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
    /// Whether lanes are left alone in which a process works, or that belong to others than this
    /// owner.
    pub sparing: Option<&'a str>,
    /// Whether a conflict is laid out in the lane.
    pub here: bool,
    /// Whether nothing is to change.
    pub dry_run: bool,
    /// Recovers what others have left.
    pub heal: Heal<'a>,
}

/// Brings what is new on its base into a lane.
///
/// # Errors
/// A conflict or a refusal; the lane is as it was.
pub fn sync(repository: &mut Repository, lane: &Lane, asked: &Bringing<'_>) -> Result<Outcome> {
    let done = sync_lane(repository, lane, asked);
    done.map_err(|error| or_raced(repository, lane, error))
}

fn sync_lane(repository: &mut Repository, lane: &Lane, asked: &Bringing<'_>) -> Result<Outcome> {
    let worktrees = repository.worktrees()?;
    let facts = sync_facts::gather(repository, &worktrees, lane, &asked.request)?;
    let up_to_date = |base: &Option<RefName>| {
        let base = base.clone().ok_or_else(|| sync::Refusal::NoBase {
            lane: lane.name.clone(),
        });
        base.map(Outcome::UpToDate).map_err(Error::from)
    };
    let moving = match sync::plan(&facts, &asked.request)? {
        Plan::UpToDate => return up_to_date(&facts.lane.base),
        Plan::Move(moving) => moving,
    };
    if let Some(me) = asked.sparing {
        let worktree = Places::of(&worktrees).place(lane).present();
        if let Some(owner) = lane.owner.as_ref().filter(|owner| *owner != me) {
            return Ok(Outcome::Skipped(Skip::Owner(owner.clone())));
        }
        if let Some(busy) = worktree.and_then(|worktree| processes::working_in(&worktree.path)) {
            return Ok(Outcome::Skipped(Skip::Process(busy)));
        }
    }
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
