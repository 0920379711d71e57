//! Why a worktree does not become a lane: the facts, the sentence, the remedy, the word for scripts.

use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::{quote, quote_bytes, remove_by_git};
use crate::domain::lane::RefName;
use crate::domain::name::{BranchName, LaneName};
use crate::error::{Code, Error};

/// Why it does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// It is the main worktree.
    Main(PathBuf),
    /// It is a lane already.
    OfLane(PathBuf, LaneName),
    /// A record names it and cannot be used.
    DamagedRecord(PathBuf, String),
    /// Directory and admin directory do not belong together.
    Damaged(PathBuf, String),
    /// Its directory is gone, or was moved there.
    Gone(PathBuf, Option<PathBuf>),
    /// Its HEAD is neither a branch nor a commit.
    StrangeHead(PathBuf),
    /// Its branch belongs to another lane.
    BranchOwned(BranchName, LaneName),
    /// Another worktree uses its branch too.
    BranchElsewhere(BranchName, PathBuf),
    /// Its branch has no commit.
    Unborn(BranchName),
    /// Its branch is the base.
    IsBase(BranchName),
    /// It has no history in common with the base.
    Unrelated(PathBuf, Option<RefName>),
    /// The lane was to be called so, and there is one.
    NameTaken(LaneName),
    /// Every name that would fit is taken.
    NoName(PathBuf),
}

impl Refusal {
    /// A stable word for scripts.
    pub fn code(&self) -> Code {
        match self {
            Refusal::Main(_) => Code::MainWorktree,
            Refusal::OfLane(..) => Code::OtherLane,
            Refusal::DamagedRecord(..) => Code::DamagedRecord,
            Refusal::Damaged(..) | Refusal::StrangeHead(_) => Code::Damaged,
            Refusal::Gone(_, None) => Code::WorktreeGone,
            Refusal::Gone(_, Some(_)) => Code::Moved,
            Refusal::BranchOwned(..) => Code::BranchOwned,
            Refusal::BranchElsewhere(..) => Code::BranchElsewhere,
            Refusal::Unborn(_) => Code::Unborn,
            Refusal::IsBase(_) => Code::OntoItself,
            Refusal::Unrelated(..) => Code::Unrelated,
            Refusal::NameTaken(_) => Code::LaneExists,
            Refusal::NoName(_) => Code::BadName,
        }
    }

    fn hint(&self) -> String {
        let shown = |path: &PathBuf| quote_bytes(path.as_os_str().as_bytes());
        match self {
            Refusal::Main(_) => "give the work a lane of its own with: git lane start NAME".into(),
            Refusal::OfLane(_, lane) | Refusal::BranchOwned(_, lane) => {
                format!("see it with: git lane show {}", quote(lane))
            }
            Refusal::DamagedRecord(..) | Refusal::Damaged(..) => {
                "see what can be done about it with: git lane doctor".into()
            }
            Refusal::Gone(_, Some(now)) => {
                format!("tell git where it is: git worktree repair {}", shown(now))
            }
            Refusal::Gone(path, None) => {
                format!("have git forget it with: {}", remove_by_git(path))
            }
            Refusal::StrangeHead(path) => {
                format!("look at it with: git -C {} status", shown(path))
            }
            Refusal::BranchElsewhere(_, path) => format!(
                "leave it there first, with your changes: git -C {} switch --detach",
                shown(path)
            ),
            Refusal::Unborn(_) => "make a first commit there".into(),
            Refusal::IsBase(_) | Refusal::Unrelated(..) => {
                "name what it is to land on with: --base BRANCH".into()
            }
            Refusal::NameTaken(_) | Refusal::NoName(_) => {
                "choose another name with: --name NAME".into()
            }
        }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Refusal::Main(path) => write!(
                f,
                "'{}' is the main worktree, which is no lane's",
                path.display()
            ),
            Refusal::OfLane(path, lane) => {
                write!(
                    f,
                    "'{}' is the worktree of lane '{lane}' already",
                    path.display()
                )
            }
            Refusal::DamagedRecord(path, section) => write!(
                f,
                "the record [lane \"{section}\"] names '{}' and cannot be used",
                path.display()
            ),
            Refusal::Damaged(path, why) => {
                write!(f, "the worktree at '{}' is damaged: {why}", path.display())
            }
            Refusal::Gone(path, None) => {
                write!(
                    f,
                    "the directory of the worktree at '{}' is gone",
                    path.display()
                )
            }
            Refusal::Gone(path, Some(now)) => write!(
                f,
                "the worktree at '{}' was moved to '{}'",
                path.display(),
                now.display()
            ),
            Refusal::StrangeHead(path) => write!(
                f,
                "HEAD in '{}' is neither a branch nor a commit",
                path.display()
            ),
            Refusal::BranchOwned(branch, lane) => {
                write!(f, "branch '{branch}' is that of lane '{lane}'")
            }
            Refusal::BranchElsewhere(branch, path) => {
                write!(f, "branch '{branch}' is in use in '{}' too", path.display())
            }
            Refusal::Unborn(branch) => write!(f, "branch '{branch}' has no commit yet"),
            Refusal::IsBase(branch) => {
                write!(
                    f,
                    "'{branch}' is the base itself: it cannot land on its own branch"
                )
            }
            Refusal::Unrelated(path, Some(base)) => write!(
                f,
                "'{}' has no history in common with '{base}'",
                path.display()
            ),
            Refusal::Unrelated(path, None) => write!(
                f,
                "'{}' has no history in common with its base",
                path.display()
            ),
            Refusal::NameTaken(name) => write!(f, "there is a lane '{name}' already"),
            Refusal::NoName(path) => {
                write!(f, "no name for a lane comes of '{}'", path.display())
            }
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Error::refused(refusal.to_string())
            .with_code(refusal.code())
            .hint(refusal.hint())
    }
}
