//! May the base's new commits come into a lane, and how: facts in, a plan or a [`Refusal`] out.
//!
//! Called by `operations/sync` with what that has gathered.

mod sync_refusal;

pub use self::sync_refusal::Refusal;

use std::collections::BTreeSet;

use super::finish;
use super::finish::{BaseFacts, Relation};
use super::lane::{Head, Lane, ObjectId, RefName};
use super::name::BranchName;
use super::status::Operation;

/// How the base's commits get into a lane.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// The base is merged into the lane's branch.
    Merge,
    /// The lane's own commits are replayed onto the base.
    Rebase,
}

/// What the caller wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// How.
    pub strategy: Strategy,
    /// Replay commits although a remote-tracking branch has them.
    pub force: bool,
}

/// What is known about a lane and its base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The lane's record.
    pub lane: Lane,
    /// What its worktree has checked out; `None` when the worktree is gone.
    pub head: Option<Head>,
    /// What git is in the middle of there.
    pub operation: Option<Operation>,
    /// Whether the index there has unmerged files.
    pub unmerged: bool,
    /// The lane's branch as that of a move: what its name leads to, its commit, how the base's commit
    /// relates to that, and the worktrees that have it checked out. `None` for a lane without a branch.
    pub branch: Option<BaseFacts>,
    /// The commit of the base; `None`: there is none.
    pub base: Option<ObjectId>,
    /// What the base is called now, where it was renamed.
    pub renamed: Option<BranchName>,
    /// A remote-tracking branch that has commits of the lane's own; asked only before they are
    /// replayed.
    pub published: Option<RefName>,
}

/// What a sync does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// Nothing: the lane has all of its base.
    UpToDate,
    /// The lane's branch moves.
    Move(Moving),
}

/// How a lane's branch moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moving {
    /// The lane's branch.
    pub branch: BranchName,
    /// Its commit.
    pub tip: ObjectId,
    /// The base.
    pub base: RefName,
    /// Its commit.
    pub onto: ObjectId,
    /// How the base's commit relates to the lane's: `Ahead` where the lane has nothing of its own.
    pub relation: Relation,
    /// How.
    pub strategy: Strategy,
}

impl Moving {
    /// Whether the branch can go to the base's commit itself.
    pub fn is_forward(&self) -> bool {
        self.relation == Relation::Ahead
    }
}

/// What to do, or why not.
pub fn plan(facts: &Facts, request: &Request) -> Result<Plan, Refusal> {
    let lane = &facts.lane;
    finish::ensure_not_read_only(lane)?;
    let name = || lane.name.clone();
    let base = lane
        .base
        .clone()
        .ok_or_else(|| Refusal::NoBase { lane: name() })?;
    let branch = facts.branch.as_ref().ok_or_else(|| Refusal::NoBranch {
        lane: name(),
        base: base.clone(),
        path: lane.worktree.clone(),
    })?;
    let head = facts.head.as_ref().ok_or_else(|| Refusal::NoWorktree {
        lane: name(),
        path: lane.worktree.clone(),
    })?;
    if let Some(operation) = facts.operation {
        return Err(finish::Refusal::Operating {
            lane: name(),
            path: lane.worktree.clone(),
            operation,
        }
        .into());
    }
    let own =
        |current: &BranchName| *current == branch.branch || Some(current) == lane.branch.as_ref();
    if !head.branch().is_some_and(own) {
        return Err(finish::Refusal::Stray {
            lane: name(),
            expected: lane.branch.clone(),
            head: head.clone(),
            path: lane.worktree.clone(),
            renamed: branch.tip.is_none(),
        }
        .into());
    }
    if facts.unmerged {
        let path = lane.worktree.clone();
        return Err(Refusal::Unmerged { lane: name(), path });
    }
    if base == RefName::from(&branch.branch) {
        return Err(Refusal::OntoItself { lane: name(), base });
    }
    let onto = facts.base.ok_or_else(|| Refusal::BaseMissing {
        lane: name(),
        base: base.clone(),
        renamed: facts.renamed.clone(),
    })?;
    let tip = branch.tip.ok_or_else(|| Refusal::NoTip { lane: name() })?;
    let relation = match branch.relation {
        None | Some(Relation::Same | Relation::Contained) => return Ok(Plan::UpToDate),
        Some(Relation::Unrelated) => {
            let path = lane.worktree.clone();
            return Err(Refusal::Unrelated {
                lane: name(),
                base,
                path,
            });
        }
        Some(relation) => relation,
    };
    finish::ensure_base_free(&lane.name, branch)?;
    let replays = request.strategy == Strategy::Rebase && relation != Relation::Ahead;
    if let Some(published) = facts
        .published
        .as_ref()
        .filter(|_| replays && !request.force)
    {
        return Err(Refusal::Published {
            lane: name(),
            branch: published.clone(),
        });
    }
    Ok(Plan::Move(Moving {
        branch: branch.branch.clone(),
        tip,
        base,
        onto,
        relation,
        strategy: request.strategy,
    }))
}

/// The lanes, each after those that its base is the branch of; what only a circle decides stays in
/// the order it has.
pub fn in_order(lanes: Vec<Lane>) -> Vec<Lane> {
    let mut left = lanes;
    let mut ordered = Vec::new();
    while !left.is_empty() {
        let branches: BTreeSet<RefName> = left
            .iter()
            .filter_map(|lane| Some(RefName::from(lane.branch.as_ref()?)))
            .collect();
        let stands_on_another = |lane: &Lane| {
            let base = lane.base.as_ref().filter(|base| branches.contains(base));
            base.is_some() && lane.branch.as_ref().map(RefName::from).as_ref() != base
        };
        let (above, now): (Vec<_>, Vec<_>) = left.into_iter().partition(stands_on_another);
        if now.is_empty() {
            ordered.extend(above);
            break;
        }
        ordered.extend(now);
        left = above;
    }
    ordered
}

#[cfg(test)]
mod sync_table;
