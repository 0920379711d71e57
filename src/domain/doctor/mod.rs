//! What can be wrong with a repository's lanes, and which of it can be put right.
//!
//! Called by `operations/doctor`, which looks and acts; `words` tells people.

mod words;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::guard::{Overtaken, Way};
use super::lane::{Head, Lane, RefName, lossless_path};
use super::name::{BranchName, LaneName};

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// A section `[lane "…"]` that describes no lane.
    DamagedRecord(String, String),
    /// A lane without a record, as far as the event log and its worktree tell what was in it.
    LostRecord(Box<Lane>),
    /// The index of the worktree, of that lane if it is one's, cannot be read.
    DamagedIndex(Option<LaneName>, PathBuf, PathBuf),
    /// The lane's worktree shows something else than its branch.
    Stray(LaneName, Head, StrayRemedy),
    /// Another worktree, which is no lane's, has the lane's branch checked out; whether it can let
    /// go of it.
    CheckedOutTwice(LaneName, BranchName, PathBuf, bool),
    /// The lane's branch was moved or deleted behind its worktree's back.
    Overtaken(LaneName, BranchName, Overtaken),
    /// The lane's branch, or the commit it is at, cannot be read, and why.
    DamagedBranch(LaneName, BranchName, String),
    /// The lane's branch was renamed; its worktree has it under the new name.
    RenamedBranch(LaneName, BranchName, BranchName),
    /// The lane's base was renamed.
    RenamedBase(LaneName, BranchName, BranchName),
    /// The lane's base is gone.
    MissingBase(LaneName, RefName),
    /// Those lanes are based on each other, in a circle.
    BaseCycle(Vec<LaneName>),
    /// The lane's worktree is somewhere else than recorded, and git knows where.
    MovedWorktree(LaneName, PathBuf, PathBuf),
    /// The lane's worktree was moved by hand and found at a new place, which git does not know yet.
    FoundWorktree(LaneName, PathBuf, PathBuf),
    /// The lane's directory is gone.
    MissingWorktree(LaneName, PathBuf),
    /// The lane's directory is there, and git knows nothing of it; the other worktree that its
    /// `.git` file is of.
    UnlistedWorktree(LaneName, PathBuf, Option<PathBuf>),
    /// The lane's directory is there, and the admin directory it names is not; everything agrees on
    /// what was in that.
    LostAdmin(LaneName, PathBuf, PathBuf),
    /// Directory and admin directory of a worktree do not belong together.
    DamagedWorktree(Option<LaneName>, PathBuf, String, Repair),
    /// The admin directory of a worktree that is alive lacks what git needs of it.
    Poisoned(Poisoned),
    /// The lane's directory is there, and its admin directory was put aside at a third place.
    PutAside(LaneName, PathBuf, PathBuf),
    /// A worktree with an admin directory here belongs to the repository at the last path: this one
    /// is a copy of that.
    OfAnotherRepository(Option<LaneName>, PathBuf, PathBuf, PathBuf),
    /// A half-made admin directory that no worktree answers to; plain git may die of it.
    UnfinishedAdmin(PathBuf, AdminAge),
    /// A lock file of git's protocol.
    Lock(PathBuf, LockOwner),
    /// A `.keep` file of a git-lane process that is dead, and an object in its pack that nothing
    /// else leads to.
    KeptPack(PathBuf, Option<String>),
    /// A ref that keeps what a worktree of git-lane's own has checked out, and that is gone.
    GateRef(RefName),
    /// What is remembered of a lane that the main worktree shows does not fit.
    Try(TryTrouble),
    /// `core.bare` is true although there is a working tree.
    BareWithWorktree,
    /// `core.worktree` leads away from the repository's own working tree.
    StrangeWorktree(PathBuf, TreeElsewhere),
    /// `core.hooksPath` names a directory that is not there: git runs no hook files at all.
    DeadHooksPath(PathBuf),
    /// A branch was made and never used, and no worktree has it: what a failed `git worktree add
    /// -b` leaves.
    OrphanBranch(BranchName, Orphan),
    /// What a dead process was doing is neither done nor undone.
    Interrupted(Interrupted),
    /// What an interrupted command was doing can no longer be read.
    DamagedIntent(PathBuf),
    /// Something among git-lane's own files that git-lane never makes, or never with that content:
    /// nothing acts on it.
    Stranger(PathBuf),
    /// The rule is not in force, and why.
    NotInForce(String),
    /// The hooks have not been told of these keys of the policy.
    UnknownRules(String),
    /// No policy can be read, and why.
    UnreadablePolicy(String),
}

/// An operation whose process died.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interrupted {
    /// What it was: "the start of lane 'x'".
    pub what: String,
    /// For how many seconds it has been like that.
    pub age: u64,
    /// The file that says what it was doing.
    pub intent: PathBuf,
    /// What will become of it.
    pub prospect: Prospect,
}

/// What will become of an interrupted operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prospect {
    /// The next command that changes something completes or undoes it.
    Healing,
    /// That was tried, and failed for this reason.
    Failed(String),
    /// Only the newer version that began it knows how; what it is about is left alone.
    Newer,
    /// The same, and it does not say what it is about.
    Unknown,
}

/// How `git worktree repair` puts a worktree right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repair {
    /// When it is told where the worktree is.
    Told,
    /// When it is not told and runs in this other one: it believes the `.git` file of a place it is
    /// told, and one whose `.git` file the user has copied would be taken to have moved there.
    Untold(PathBuf),
    /// Not at all: the doctor does, because it names a repository that is gone, and everything else
    /// agrees.
    Here,
}

/// A worktree whose admin directory git cannot use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "operation", rename = "mend")]
pub struct Poisoned {
    /// The lane it is of.
    pub lane: Option<LaneName>,
    /// The worktree's directory, whose `.git` file names the admin directory.
    #[serde(with = "lossless_path")]
    pub worktree: PathBuf,
    /// The admin directory.
    #[serde(with = "lossless_path")]
    pub admin: PathBuf,
    /// Whether a process may be at it.
    pub age: AdminAge,
    /// Whether HEAD is there, or something says what it was.
    pub head: bool,
}

/// What does not fit about a lane that the main worktree shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TryTrouble {
    /// The record is there, and the main worktree is on a branch.
    Ended(LaneName),
    /// The record cannot be understood; whether the main worktree is on a branch, so that it can go.
    Damaged(bool),
    /// The ref is there, and no record.
    RefAlone,
    /// The record is there, and not the ref.
    NoRef(LaneName),
}

/// Why `core.worktree` names another directory than the one around `.git`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TreeElsewhere {
    /// It names a linked worktree, or nothing at all: no user wants that.
    ByAccident,
    /// Nothing tells.
    Perhaps,
}

/// What to do about a stray.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StrayRemedy {
    /// Nothing is uncommitted: switching back loses nothing.
    SwitchBack,
    /// There is uncommitted work, or an operation in progress: its owner decides.
    Leave,
    /// Only HEAD has left this branch, index and files have not, as after `git symbolic-ref`: HEAD
    /// alone goes back.
    HeadAlone(BranchName),
    /// The lane's branch, to which nothing can be switched back, is gone.
    MakeBranch(BranchName),
    /// HEAD is on no branch, so its commits may be on none: its owner goes back to this one.
    GoBack(BranchName),
    /// It was started on no branch and is on one now.
    Detach,
}

/// Whether a process may still be making an admin directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AdminAge {
    /// No process has written to it for a while.
    Old,
    /// It is only seconds old.
    Fresh,
}

/// What can be done with an orphan branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Orphan {
    /// Nothing yet: its worktree may still be in the making.
    Fresh,
    /// A lane can take it up, in this way.
    TakeUp(Way),
    /// The same, or it goes: another branch has its commit too.
    TakeUpOrDelete(Way),
}

/// Whose lock a lock file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockOwner {
    /// A git-lane process that is provably dead.
    Dead,
    /// It cannot be told; the age in seconds.
    Unknown(u64),
}

impl Finding {
    /// Whether `git lane doctor --fix` puts it right.
    pub fn fixable(&self) -> bool {
        match self {
            Finding::Stray(_, _, remedy) => *remedy == StrayRemedy::SwitchBack,
            Finding::CheckedOutTwice(_, _, _, can_let_go) => *can_let_go,
            Finding::UnfinishedAdmin(_, age) => *age == AdminAge::Old,
            Finding::Poisoned(poisoned) => poisoned.age == AdminAge::Old && poisoned.head,
            Finding::StrangeWorktree(_, why) => *why == TreeElsewhere::ByAccident,
            Finding::Lock(_, owner) => *owner == LockOwner::Dead,
            Finding::KeptPack(_, needed) => needed.is_none(),
            Finding::DamagedWorktree(_, _, _, repair) => *repair == Repair::Here,
            Finding::Try(trouble) => *trouble != TryTrouble::Damaged(false),
            Finding::Interrupted(interrupted) => interrupted.prospect == Prospect::Healing,
            Finding::RenamedBranch(..)
            | Finding::RenamedBase(..)
            | Finding::MovedWorktree(..)
            | Finding::FoundWorktree(..)
            | Finding::PutAside(..)
            | Finding::LostAdmin(..)
            | Finding::BareWithWorktree
            | Finding::LostRecord(_)
            | Finding::GateRef(_)
            | Finding::UnknownRules(_)
            | Finding::NotInForce(_) => true,
            Finding::DamagedRecord(..)
            | Finding::MissingBase(..)
            | Finding::BaseCycle(_)
            | Finding::DamagedIndex(..)
            | Finding::Overtaken(..)
            | Finding::DamagedBranch(..)
            | Finding::MissingWorktree(..)
            | Finding::UnlistedWorktree(..)
            | Finding::OfAnotherRepository(..)
            | Finding::DeadHooksPath(_)
            | Finding::UnreadablePolicy(_)
            | Finding::DamagedIntent(_)
            | Finding::Stranger(_)
            | Finding::OrphanBranch(..) => false,
        }
    }

    /// A stable word for scripts.
    pub fn code(&self) -> &'static str {
        match self {
            Finding::DamagedRecord(..) => "damaged-record",
            Finding::LostRecord(_) => "lost-record",
            Finding::DamagedIndex(..) => "damaged-index",
            Finding::Stray(..) => "stray",
            Finding::CheckedOutTwice(..) => "checked-out-twice",
            Finding::Overtaken(..) => "overtaken",
            Finding::DamagedBranch(..) => "damaged-branch",
            Finding::RenamedBranch(..) => "renamed-branch",
            Finding::RenamedBase(..) => "renamed-base",
            Finding::MissingBase(..) => "missing-base",
            Finding::BaseCycle(_) => "base-cycle",
            Finding::MovedWorktree(..) => "moved-worktree",
            Finding::FoundWorktree(..) => "found-worktree",
            Finding::MissingWorktree(..) => "missing-worktree",
            Finding::UnlistedWorktree(..) => "unlisted-worktree",
            Finding::LostAdmin(..) => "lost-admin",
            Finding::DamagedWorktree(..) => "damaged-worktree",
            Finding::Poisoned(_) => "poisoned-worktree",
            Finding::PutAside(..) => "put-aside",
            Finding::OfAnotherRepository(..) => "other-repository",
            Finding::UnfinishedAdmin(..) => "unfinished-worktree",
            Finding::Lock(..) => "lock",
            Finding::KeptPack(..) => "kept-pack",
            Finding::GateRef(_) => "gate-ref",
            Finding::Try(TryTrouble::Ended(_)) => "ended-try",
            Finding::Try(TryTrouble::Damaged(_)) => "damaged-try",
            Finding::Try(TryTrouble::RefAlone | TryTrouble::NoRef(_)) => "try-ref",
            Finding::BareWithWorktree => "core-bare",
            Finding::StrangeWorktree(..) => "core-worktree",
            Finding::DeadHooksPath(_) => "hooks-path",
            Finding::OrphanBranch(..) => "orphan-branch",
            Finding::Interrupted(Interrupted {
                prospect: Prospect::Healing,
                ..
            }) => "interrupted",
            Finding::Interrupted(Interrupted {
                prospect: Prospect::Failed(_),
                ..
            }) => "not-healed",
            Finding::Interrupted(_) => "newer-intent",
            Finding::DamagedIntent(_) => "damaged-intent",
            Finding::Stranger(_) => "strange-file",
            Finding::NotInForce(_) => "not-in-force",
            Finding::UnknownRules(_) => "policy-unknown",
            Finding::UnreadablePolicy(_) => "policy",
        }
    }
}
