//! Why a lane cannot be started: the facts, the sentence, the remedy, the word for scripts.

use std::path::PathBuf;

use bstr::ByteSlice;

use super::{Broken, TargetState};
use crate::domain::claim::{Claim, claimed};
use crate::domain::lane::{Lane, RefName};
use crate::domain::name::{BranchName, LaneName};
use crate::domain::shell_word::quote;
use crate::error::{Code, Error, Kind};

/// Why a lane cannot be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The lane exists and differs from what was asked.
    Differs {
        /// The lane.
        name: LaneName,
        /// The option that disagrees.
        what: &'static str,
        /// What the lane has.
        has: String,
    },
    /// The lane exists and is another owner's.
    Owned {
        /// The lane.
        name: LaneName,
        /// Who works in it.
        owner: String,
    },
    /// The lane exists, and another holder has it.
    Claimed(Box<Lane>, Box<Claim>),
    /// The task, which is to be one lane's alone, is this one's.
    TaskTaken(String, LaneName),
    /// Another lane has a name that is one with this one.
    Alike(LaneName, LaneName),
    /// The lane exists, its worktree cannot be used.
    Broken(LaneName, Broken),
    /// The branch is checked out, or being rebased or bisected, elsewhere.
    BranchInUse(BranchName, PathBuf),
    /// The branch is another lane's.
    BranchOwned(BranchName, LaneName),
    /// Another branch's name makes this one impossible.
    BranchConflict(BranchName, BranchName),
    /// Several remotes have a branch of that name.
    SeveralRemotes(LaneName, BranchName, Vec<RefName>),
    /// The branch is named by its remote-tracking branch, where it is called otherwise.
    RemoteBranch(RefName, BranchName),
    /// The branch is named like a remote-tracking branch that is not there: every later use of that
    /// name would be ambiguous.
    NoRemoteBranch {
        /// The remote.
        remote: String,
        /// What its branch would be called.
        named: BranchName,
        /// What was asked for.
        branch: BranchName,
    },
    /// The path cannot be used.
    Path(PathBuf, TargetState),
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Refusal::Differs { name, what, has } => {
                write!(
                    f,
                    "lane '{name}' exists and has {has}, not what {what} asks for"
                )
            }
            Refusal::Owned { name, owner } => write!(f, "lane '{name}' exists and is {owner}'s"),
            Refusal::Claimed(lane, claim) => write!(f, "lane '{}' is {claim}", lane.name),
            Refusal::TaskTaken(task, lane) => write!(f, "lane '{lane}' has task '{task}' already"),
            Refusal::Broken(name, Broken::Gone) => {
                write!(f, "lane '{name}' exists, but its directory is gone")
            }
            Refusal::Broken(name, Broken::Damaged(path, why)) => {
                write!(
                    f,
                    "lane '{name}' exists, but its worktree '{}' is damaged: {why}",
                    path.display()
                )
            }
            Refusal::Broken(name, Broken::Moved(path)) => {
                write!(
                    f,
                    "lane '{name}' exists, but its directory was moved by hand to '{}'",
                    path.display()
                )
            }
            Refusal::BranchInUse(branch, path) => {
                write!(f, "branch '{branch}' is in use in '{}'", path.display())
            }
            Refusal::BranchOwned(branch, lane) => {
                write!(f, "branch '{branch}' belongs to lane '{lane}'")
            }
            Refusal::Alike(name, other) => write!(
                f,
                "lane '{name}' cannot be beside lane '{other}': names that differ so are one here \
                 (core.ignoreCase, core.precomposeUnicode)"
            ),
            Refusal::BranchConflict(branch, other) => {
                write!(f, "branch '{branch}' cannot exist beside branch '{other}'")
            }
            Refusal::SeveralRemotes(_, branch, all) => {
                let all: Vec<_> = all.iter().map(|tracking| format!("'{tracking}'")).collect();
                write!(f, "branch '{branch}' could follow {}", all.join(" or "))
            }
            Refusal::RemoteBranch(tracking, branch) => {
                write!(
                    f,
                    "'{tracking}' is where a remote's branch '{branch}' is mirrored, and no name \
                     for a lane"
                )
            }
            Refusal::NoRemoteBranch {
                remote,
                named,
                branch,
            } => write!(
                f,
                "'{branch}' would be branch '{named}' of the remote '{remote}', which has none of \
                 that name as far as was fetched"
            ),
            Refusal::Path(path, state) => {
                let path = path.display();
                match state {
                    TargetState::Symlink => write!(f, "'{path}' is a symbolic link"),
                    TargetState::InsideGitDirectory => {
                        write!(f, "'{path}' lies inside a git directory")
                    }
                    TargetState::InsideWorktree(other) => {
                        write!(f, "'{path}' lies inside the worktree '{}'", other.display())
                    }
                    TargetState::InTheRepository(what) => {
                        let what = what.display();
                        write!(
                            f,
                            "the tracked lane.toml cannot put a lane at '{path}': '{what}' is \
                             tracked, or behind a link"
                        )
                    }
                    TargetState::Impossible(why) => write!(f, "'{path}' cannot be created: {why}"),
                    _ => write!(f, "'{path}' already exists"),
                }
            }
        }
    }
}

impl Refusal {
    /// What to do instead.
    pub fn hint(&self) -> String {
        match self {
            Refusal::Differs { name, .. } => format!("see it with: git lane show {}", quote(name)),
            Refusal::Owned { name, .. } => {
                format!(
                    "choose another name, or go to: cd \"$(git lane path {})\"",
                    quote(name)
                )
            }
            Refusal::Claimed(lane, claim) => claim.hints(&lane.name).join("; "),
            Refusal::TaskTaken(_, lane) => format!("see it with: git lane show {}", quote(lane)),
            Refusal::Broken(name, Broken::Gone) => {
                format!(
                    "clear the record with: git lane prune; its branch is taken up again by: git \
                     lane start {}",
                    quote(name)
                )
            }
            Refusal::Broken(_, Broken::Damaged(..)) => {
                "nothing in it is lost; see what to do with: git lane doctor".into()
            }
            Refusal::Broken(_, Broken::Moved(_)) => {
                "tell git where it is with: git lane doctor --fix".into()
            }
            Refusal::BranchInUse(..) => {
                "switch that worktree to another branch, or choose another with --branch".into()
            }
            Refusal::BranchOwned(_, lane) | Refusal::Alike(_, lane) => {
                format!("go to: cd \"$(git lane path {})\"", quote(lane))
            }
            Refusal::BranchConflict(..) => {
                "choose another name, or another branch with --branch".into()
            }
            Refusal::SeveralRemotes(name, _, all) => {
                let remote = all
                    .first()
                    .and_then(|tracking| tracking.shorten().split_once_str("/"));
                let remote =
                    remote.map_or_else(|| "REMOTE".into(), |(remote, _)| remote.to_str_lossy());
                format!(
                    "say whose with: git config checkout.defaultRemote {}, then: git lane start {}",
                    quote(remote),
                    quote(name)
                )
            }
            Refusal::RemoteBranch(_, branch) => {
                format!("start a lane on it with: git lane start {}", quote(branch))
            }
            Refusal::NoRemoteBranch { named, branch, .. } => format!(
                "fetch first: git lane start --fetch {}; if a branch of your own is to be called \
                 so: git lane start NAME --branch {}",
                quote(named),
                quote(branch)
            ),
            Refusal::Path(..) => {
                "choose another place with --path, or move away what is there".into()
            }
        }
    }

    /// A stable word for scripts.
    pub fn code(&self) -> Code {
        match self {
            Refusal::Differs { .. } => Code::LaneDiffers,
            Refusal::Owned { .. } => Code::LaneOwned,
            Refusal::Claimed(..) => Code::Claimed,
            Refusal::TaskTaken(..) => Code::TaskTaken,
            Refusal::Broken(_, Broken::Gone) => Code::WorktreeGone,
            Refusal::Broken(_, Broken::Damaged(..)) => Code::Damaged,
            Refusal::Broken(_, Broken::Moved(_)) => Code::Moved,
            Refusal::BranchInUse(..) => Code::BranchInUse,
            Refusal::BranchOwned(..) => Code::BranchOwned,
            Refusal::Alike(..) => Code::LaneExists,
            Refusal::BranchConflict(..) => Code::BranchConflict,
            Refusal::SeveralRemotes(..) => Code::SeveralRemotes,
            Refusal::RemoteBranch(..) => Code::RemoteBranch,
            Refusal::NoRemoteBranch { .. } => Code::NoRemoteBranch,
            Refusal::Path(..) => Code::PathOccupied,
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        if let Refusal::Claimed(lane, claim) = &refusal {
            return claimed(lane, claim);
        }
        let error = Error::new(Kind::Refused, refusal.to_string())
            .hint(refusal.hint())
            .with_code(refusal.code());
        match &refusal {
            Refusal::Owned { name, owner } => {
                error.details(serde_json::json!({ "lane": name, "owner": owner }))
            }
            Refusal::TaskTaken(task, lane) => {
                error.details(serde_json::json!({ "lane": lane, "task": task }))
            }
            _ => error,
        }
    }
}
