//! Why a lane cannot finish: the facts, and the word and the details for scripts; `landing_words`
//! tells it.

use std::path::PathBuf;

use bstr::{BString, ByteSlice};

use crate::domain::finish::Strategy;
use crate::domain::lane::{Head, ObjectId, RefName, lossless};
use crate::domain::name::{BranchName, LaneName};
use crate::domain::status::{Operation, WorktreeStatus};
use crate::error::{Code, Error};

/// Why a lane cannot finish.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are named for what they hold")]
pub enum Refusal {
    /// The lane's worktree has something else checked out; `renamed`: and the lane's branch is no
    /// more.
    Stray {
        lane: LaneName,
        expected: Option<BranchName>,
        head: Head,
        path: PathBuf,
        renamed: bool,
    },
    /// git is in the middle of something in the lane.
    Operating {
        lane: LaneName,
        path: PathBuf,
        operation: Operation,
    },
    /// The lane holds work that is not committed.
    Unsettled {
        lane: LaneName,
        status: WorktreeStatus,
        landing: bool,
    },
    /// `--commit` made its commit, and something is not in it: a hook made it, or git looks away
    /// from it.
    LeftBehind {
        lane: LaneName,
        status: WorktreeStatus,
    },
    /// The lane is for looking and running alone.
    ReadOnly { lane: LaneName },
    /// The lane's branch is gone, or has no commit.
    NoTip { lane: LaneName },
    /// The lane has no base to land on.
    NoBase { lane: LaneName },
    /// The base is no local branch, and no local branch follows it.
    RemoteBase { lane: LaneName, base: RefName },
    /// Several local branches follow the remote base.
    SeveralLocal {
        base: RefName,
        candidates: Vec<BranchName>,
    },
    /// The lane would land on itself.
    OntoItself { lane: LaneName, branch: BranchName },
    /// The base does not exist; `renamed`: it has that name now.
    BaseMissing {
        lane: LaneName,
        base: BranchName,
        renamed: Option<BranchName>,
    },
    /// Lane and base share no commit.
    Unrelated {
        lane: LaneName,
        base: BranchName,
        path: PathBuf,
    },
    /// A fast-forward is asked for and the base has moved on.
    NotFastForward { lane: LaneName, base: BranchName },
    /// Several worktrees have the base checked out, and they cannot move together.
    SeveralSites {
        base: BranchName,
        paths: Vec<PathBuf>,
    },
    /// A worktree that has the base checked out, or works on it, is in the middle of something.
    SiteBusy {
        base: BranchName,
        path: PathBuf,
        operation: Operation,
    },
    /// The worktree that has the base checked out is gone or damaged.
    SiteBroken {
        base: BranchName,
        path: PathBuf,
        why: String,
    },
    /// The main worktree has it checked out, and nothing says where that is; `bare`: only
    /// `--work-tree` ever does.
    SiteUnknown {
        lane: LaneName,
        base: BranchName,
        git_dir: PathBuf,
        bare: bool,
    },
    /// Local changes or untracked files where the base is checked out are in the way.
    InTheWay {
        base: BranchName,
        path: PathBuf,
        files: Vec<BString>,
    },
    /// The same, and `git status` does not show it.
    Hidden {
        base: BranchName,
        path: PathBuf,
        files: Vec<(BString, HiddenBy)>,
    },
    /// The lane moves a submodule to a commit that only its own clone of the submodule has, at
    /// `path`.
    SubmoduleOnlyHere {
        lane: LaneName,
        base: BranchName,
        submodule: BString,
        commit: ObjectId,
        path: Box<std::path::Path>,
    },
    /// What would land in this way lacks some of the lane's work: what these commits did, or what
    /// was done to these files.
    LeftOut {
        lane: LaneName,
        base: BranchName,
        strategy: Strategy,
        commits: Vec<ObjectId>,
        files: Vec<BString>,
    },
    /// The lane's work is not in its base, and nothing is to be landed.
    Unintegrated {
        lane: LaneName,
        base: Option<BranchName>,
    },
}

/// Why git looks away from a file (git-update-index(1)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HiddenBy {
    /// `--assume-unchanged`
    AssumeUnchanged,
    /// `--skip-worktree`
    SkipWorktree,
}

impl std::fmt::Display for HiddenBy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            HiddenBy::AssumeUnchanged => "assume-unchanged",
            HiddenBy::SkipWorktree => "skip-worktree",
        })
    }
}

impl Refusal {
    /// A stable word for scripts.
    pub fn code(&self) -> Code {
        match self {
            Refusal::Stray { .. } => Code::Stray,
            Refusal::Operating { .. } => Code::OperationInProgress,
            Refusal::Unsettled { .. } | Refusal::LeftBehind { .. } => Code::Unsettled,
            Refusal::ReadOnly { .. } => Code::ReadOnlyLane,
            Refusal::NoTip { .. } => Code::NoCommit,
            Refusal::NoBase { .. } => Code::NoBase,
            Refusal::RemoteBase { .. } | Refusal::SeveralLocal { .. } => Code::RemoteBase,
            Refusal::OntoItself { .. } => Code::OntoItself,
            Refusal::BaseMissing { .. } => Code::BaseMissing,
            Refusal::Unrelated { .. } => Code::Unrelated,
            Refusal::NotFastForward { .. } => Code::NotFastForward,
            Refusal::SeveralSites { .. } => Code::BaseCheckedOutTwice,
            Refusal::SiteBusy { .. } => Code::BaseBusy,
            Refusal::SiteBroken { .. } => Code::BaseWorktreeBroken,
            Refusal::SiteUnknown { .. } => Code::MainWorktreeUnknown,
            Refusal::InTheWay { .. } | Refusal::Hidden { .. } => Code::InTheWay,
            Refusal::SubmoduleOnlyHere { .. } => Code::SubmoduleUnpublished,
            Refusal::LeftOut { .. } => Code::LeftOut,
            Refusal::Unintegrated { .. } => Code::Unintegrated,
        }
    }

    /// The same after `--commit` has made its commit.
    pub fn after_commit(self) -> Self {
        match self {
            Refusal::Unsettled { lane, status, .. } => Refusal::LeftBehind { lane, status },
            other => other,
        }
    }
}

/// The first few of a list of files, and how many there are beyond them.
pub fn some(files: &[BString]) -> String {
    const SHOWN: usize = 10;
    let mut text = files
        .iter()
        .take(SHOWN)
        .map(|file| format!("'{file}'"))
        .collect::<Vec<_>>()
        .join(", ");
    if files.len() > SHOWN {
        text.push_str(&format!(" and {} more", files.len() - SHOWN));
    }
    text
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        let error = Error::refused(refusal.to_string())
            .with_code(refusal.code())
            .hint(refusal.hint());
        match &refusal {
            Refusal::InTheWay { files, .. } => error.details(serde_json::json!({
                "paths": files.iter().map(|file| lossless(file.as_bstr())).collect::<Vec<_>>(),
            })),
            Refusal::LeftOut { commits, files, .. } => error.details(serde_json::json!({
                "commitIds": commits.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "paths": files.iter().map(|file| lossless(file.as_bstr())).collect::<Vec<_>>(),
            })),
            Refusal::Hidden { files, .. } => error.details(serde_json::json!({
                "paths": files.iter().map(|(file, _)| lossless(file.as_bstr())).collect::<Vec<_>>(),
            })),
            Refusal::Unsettled { status, .. } | Refusal::LeftBehind { status, .. } => error
                .details(serde_json::json!({
                    "staged": status.staged, "modified": status.modified,
                    "untracked": status.untracked, "conflicted": status.conflicted,
                })),
            _ => error,
        }
    }
}
