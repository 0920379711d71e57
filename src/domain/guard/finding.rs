//! What the guard finds wrong, and the stable word for each; `guard_words` tells it.

use super::{Lane, Made, Overtaken};
use crate::domain::name::BranchName;
use crate::error::Code;

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// A lane's worktree is leaving its lane's branch.
    Left {
        /// The lane.
        lane: Lane,
        /// The branch it is leaving for.
        to: BranchName,
        /// The lane that branch belongs to.
        owner: Option<Lane>,
        /// Where that branch comes from.
        made: Made,
        /// It has happened already, and is taken back; otherwise it is refused.
        moved: bool,
    },
    /// A lane's worktree has another branch checked out.
    Stray {
        /// The lane.
        lane: Lane,
        /// What is checked out.
        on: BranchName,
        /// The lane that belongs to.
        owner: Option<Lane>,
    },
    /// A lane's worktree is on a commit instead of its branch.
    Detached {
        /// The lane.
        lane: Lane,
    },
    /// A lane's branch does not exist any more.
    BranchGone {
        /// The lane.
        lane: Lane,
        /// What is checked out instead.
        on: BranchName,
    },
    /// A lane's branch is checked out in another worktree.
    Taken {
        /// The lane.
        owner: Lane,
        /// Its branch.
        branch: BranchName,
        /// By `git worktree add`.
        added: bool,
    },
    /// The main worktree is leaving its home branch.
    LeftHome {
        /// The home branch.
        home: BranchName,
        /// The branch it is leaving for.
        to: BranchName,
        /// Where that branch comes from.
        made: Made,
        /// It has happened already, and is taken back; otherwise it is refused.
        moved: bool,
    },
    /// A commit in the main worktree, away from its home branch.
    OffHome {
        /// The home branch.
        home: BranchName,
        /// What is checked out.
        on: BranchName,
    },
    /// A commit on a protected branch.
    Protected {
        /// The branch.
        branch: BranchName,
    },
    /// A commit in a lane that is for looking and running alone.
    ReadOnly {
        /// The lane.
        lane: Lane,
    },
    /// A commit in the main worktree while that shows a lane.
    Tried {
        /// The lane's name.
        lane: String,
    },
    /// A commit on a branch that a git elsewhere moved or deleted.
    Overtaken {
        /// The lane.
        lane: Lane,
        /// From where to where.
        overtaken: Overtaken,
    },
    /// One live lane merged into another.
    LaneIntoLane {
        /// The lane that would take it.
        here: Lane,
        /// The lane that is being merged.
        other: Lane,
    },
    /// A lane that is not settled, merged into its base.
    Unsettled {
        /// The lane.
        lane: Lane,
        /// Its base.
        base: BranchName,
        /// Why it is not settled.
        why: String,
    },
    /// A rebase that would leave a lane's worktree on another branch.
    RebaseElsewhere {
        /// The lane.
        lane: Lane,
        /// The branch named.
        branch: BranchName,
    },
    /// A commit onto a lane's branch from a directory that is not its worktree.
    Redirected {
        /// The lane.
        lane: Lane,
    },
    /// A lane's branch moved or deleted from outside its worktree.
    BranchMoved {
        /// The lane.
        lane: Lane,
        /// Deleted, not moved.
        deleted: bool,
    },
}

impl Finding {
    /// The branch a worktree has been taken off.
    pub fn left(&self) -> Option<&BranchName> {
        match self {
            Finding::Left {
                lane, moved: true, ..
            } => lane.branch.as_ref(),
            Finding::LeftHome {
                home, moved: true, ..
            } => Some(home),
            _ => None,
        }
    }

    /// A stable word for tests and logs.
    pub fn code(&self) -> Code {
        match self {
            Finding::Left { .. } => Code::LeftLane,
            Finding::Stray { .. } => Code::Stray,
            Finding::Detached { .. } => Code::Detached,
            Finding::BranchGone { .. } => Code::BranchGone,
            Finding::Taken { .. } => Code::BranchTaken,
            Finding::LeftHome { .. } | Finding::OffHome { .. } => Code::LeftHome,
            Finding::Protected { .. } => Code::ProtectedBranch,
            Finding::ReadOnly { .. } => Code::ReadOnlyLane,
            Finding::Tried { .. } => Code::Tried,
            Finding::Overtaken { .. } => Code::Overtaken,
            Finding::LaneIntoLane { .. } => Code::LaneIntoLane,
            Finding::Unsettled { .. } => Code::Unsettled,
            Finding::RebaseElsewhere { .. } => Code::RebaseElsewhere,
            Finding::Redirected { .. } => Code::Redirected,
            Finding::BranchMoved { .. } => Code::BranchMoved,
        }
    }
}
