//! What the guard is told and what it answers, as plain data.

use std::path::PathBuf;

use super::Finding;
use crate::domain::lane::{Head, RefName};
use crate::domain::name::BranchName;

/// How much the guard does about what it finds.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Default,
    clap::ValueEnum,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Hooks that run rarely: a switch is taken back, a commit, merge or rebase on the wrong branch
    /// is refused.
    #[default]
    Restore,
    /// HEAD never moves at all: the reference-transaction hook too.
    Refuse,
    /// Speaks and does nothing.
    Warn,
    /// Silent.
    Off,
}

impl Level {
    /// Every level with the word that names it in `lane.guard`.
    pub const WORDS: [(Level, &'static str); 4] = [
        (Level::Restore, "restore"),
        (Level::Refuse, "refuse"),
        (Level::Warn, "warn"),
        (Level::Off, "off"),
    ];

    /// The level a word names.
    pub fn parse(word: &[u8]) -> Option<Self> {
        Self::WORDS
            .iter()
            .find(|(_, name)| word.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(level, _)| *level)
    }

    /// Its word.
    pub fn code(self) -> &'static str {
        Self::WORDS
            .iter()
            .find(|(level, _)| *level == self)
            .map_or("restore", |(_, word)| word)
    }
}

/// What the guard needs to know of a lane.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lane {
    /// Its name.
    pub name: String,
    /// Its branch; `None` for a lane started with `--detach`.
    pub branch: Option<BranchName>,
    /// Its base.
    pub base: Option<RefName>,
    /// Its worktree's directory.
    pub worktree: PathBuf,
    /// Nothing is committed in it.
    pub read_only: bool,
}

impl Lane {
    pub(super) fn is_on(&self, branch: &BranchName) -> bool {
        self.branch.as_ref() == Some(branch)
    }

    pub(super) fn lands_on(&self, branch: &BranchName) -> bool {
        self.base
            .as_ref()
            .is_some_and(|base| base.as_bstr() == branch.to_ref())
    }
}

/// Where git is running.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In a lane's worktree.
    Lane(Lane),
    /// In the main worktree.
    Main,
    /// In a directory whose `.git` file names the git directory of this lane, which has a worktree
    /// of its own.
    Redirected(Lane),
    /// In a worktree that is no lane's, or in no worktree.
    Elsewhere,
}

/// What is known before anything is decided; all of it is in HEAD and one configuration file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// `lane.guard`.
    pub level: Level,
    /// Where git is running.
    pub place: Place,
    /// What HEAD says there.
    pub head: Head,
    /// Another lane that has HEAD's branch for its own and is alive.
    pub owner: Option<Lane>,
    /// A rebase is in progress here.
    pub rebasing: bool,
    /// A bisection is in progress here.
    pub bisecting: bool,
    /// The user is just ending it, with `git bisect reset`.
    pub ending_bisection: bool,
    /// `lane.home`: the branch the main worktree stays on.
    pub home: Option<BranchName>,
    /// `lane.protected`: patterns of branches only `git lane finish` may move.
    pub protected: Vec<String>,
    /// `lane.tried`: the lane that the main worktree shows.
    pub tried: Option<String>,
}

/// Where the lane's own branch went, when HEAD is not on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OwnBranch {
    /// It is where it was.
    There,
    /// git says it has another name now.
    Renamed(BranchName),
    /// It is gone, and nothing says why.
    Gone,
}

/// What had been checked out before a switch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Previous {
    /// A branch.
    Branch(BranchName),
    /// A commit without a branch.
    Commit,
    /// git did not write it down.
    Unknown,
}

/// What became of the branch a switch went to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// It was there before, and is where it was.
    Before,
    /// It was created for the switch.
    Now,
    /// It was created for the switch at a commit that a stash belongs to, as `git stash branch`
    /// does.
    AtStash,
    /// It was reset for the switch (`checkout -B`).
    Reset,
}

/// A commit that is being merged, as far as it belongs to a lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    /// The lane whose branch holds it.
    pub lane: Lane,
    /// The base of the lane we are in, or what that base follows, holds it too.
    pub in_own_base: bool,
    /// What the branch that is checked out follows, which is no lane's, holds it too: it comes from
    /// there, whichever other worktree is at it.
    pub in_upstream: bool,
    /// Why the merged lane is not settled.
    pub unsettled: Option<String>,
}

/// A lane's branch is somewhere else than its worktree left it, and the worktree does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overtaken {
    /// The commit index and files come from.
    pub was: String,
    /// Where the branch is now; `None`: it was deleted.
    pub now: Option<String>,
}

impl Overtaken {
    /// What a commit made now would do.
    pub fn danger(&self) -> String {
        match &self.now {
            Some(now) => {
                let (was, now) = (short(&self.was), short(now));
                format!(
                    "was moved from {was} to {now} from outside its worktree: a commit would undo \
                     what changed"
                )
            }
            None => {
                "was deleted from outside its worktree: a commit would begin a new history".into()
            }
        }
    }

    /// How to go on: index and files stay as they are, or come along where nothing uncommitted is
    /// in the way.
    pub fn remedy(&self, branch: &BranchName) -> String {
        match &self.now {
            Some(now) => {
                let (was, now) = (short(&self.was), short(now));
                format!(
                    "put it back with: git reset --soft {was}; or bring the files along with: git \
                     reset --soft {was} && git reset --keep {now}"
                )
            }
            None => format!(
                "bring it back with: git update-ref {} {}",
                crate::domain::shell_word::quote(branch.to_ref()),
                self.was
            ),
        }
    }
}

fn short(id: &str) -> &str {
    id.get(..10).unwrap_or(id)
}

/// What git tells the hook, with the details that were looked up because something seemed wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// post-checkout: HEAD has just moved, index and files with it.
    Switched {
        /// What had been checked out before.
        previous: Previous,
        /// The worktree is new (`git worktree add`).
        added: bool,
        /// Where the branch comes from.
        made: Made,
        /// HEAD's reflog says it was a checkout, not a rebase that has not started its sequence
        /// yet.
        checkout: bool,
        /// Where the lane's own branch is.
        own: OwnBranch,
    },
    /// pre-commit: a commit, possibly one that ends a merge.
    Commit {
        /// What is being merged.
        merged: Vec<Merged>,
        /// Where the lane's own branch is.
        own: OwnBranch,
        /// A git outside moved the lane's branch behind the worktree's back.
        overtaken: Option<Overtaken>,
    },
    /// pre-merge-commit.
    Merge {
        /// What is being merged.
        merged: Vec<Merged>,
        /// Where the lane's own branch is.
        own: OwnBranch,
    },
    /// pre-rebase.
    Rebase {
        /// The branch that is to be switched to and rebased; `None`: the one that is checked out.
        branch: Option<BranchName>,
        /// Where the lane's own branch is.
        own: OwnBranch,
    },
    /// reference-transaction, prepared.
    Refs(Vec<RefMove>),
}

/// A change in a reference transaction that may matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefMove {
    /// A HEAD is about to name another branch.
    Head {
        /// That branch.
        to: BranchName,
        /// It is this worktree's HEAD; otherwise that of a worktree being made or changed from
        /// here.
        here: bool,
        /// A living lane elsewhere that has the branch for its own.
        owner: Option<Lane>,
        /// Where the branch comes from.
        made: Made,
        /// Where the own branch of the lane we are in is.
        own: OwnBranch,
    },
    /// A living lane's branch is about to be moved by a git outside its worktree, to this commit.
    Moved(Lane, String),
    /// A living lane's branch is about to be deleted.
    Deleted(Lane),
}

/// How to undo what was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remedy {
    /// Refusing is enough.
    None,
    /// Go back to a branch, with what was staged before.
    Switch(BranchName),
    /// Detach HEAD at the commit it came from.
    DetachAtOld,
    /// Detach HEAD at the commit it came from, and end the bisection on the branch that belongs
    /// here; `None`: where it began.
    EndBisection(Option<BranchName>),
    /// Detach HEAD where it is, so that the branch is free.
    DetachHere,
    /// HEAD is where it was; index and files are those of this branch or commit as far as git has
    /// written them: take that back.
    ReadTree(String),
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing is wrong.
    Allow,
    /// The lane's branch was renamed: its record follows.
    Follow(BranchName),
    /// Speak, and let git go on.
    Say(Finding),
    /// Undo, speak and make git fail.
    Stop(Finding, Remedy),
}
