//! Why a lane is not shown in the main worktree: the facts, the sentence, the remedy, the word for
//! scripts.

use std::path::PathBuf;

use bstr::BString;

use super::refused_files::{files_of, named};
use crate::domain::finish::some;
use crate::domain::name::LaneName;
use crate::domain::shell_word::quote;
use crate::domain::status::{Operation, WorktreeStatus};
use crate::error::{Code, Error};
/// Why the main worktree does not show a lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BeginRefusal {
    /// The repository is bare.
    Bare,
    /// Nothing says where the main worktree is, or it is not there.
    NoMainWorktree,
    /// The main worktree is on no branch.
    NoBranch(PathBuf),
    /// Its branch has no commit.
    Unborn(PathBuf),
    /// It has changes, or an operation is in progress.
    Unsettled(PathBuf, WorktreeStatus),
    /// The lane's worktree is not there, or damaged.
    NoWorktree(PathBuf),
    /// The lane's worktree has something else than its branch checked out.
    Stray(PathBuf),
    /// An operation is in progress in the lane.
    Operation(PathBuf, Operation),
    /// The lane has no commit.
    NoCommit,
    /// What the lane has would go over files that no commit has.
    InTheWay(PathBuf, Vec<BString>),
    /// Files that git is told not to look at: it would forget that.
    Flagged(PathBuf, Vec<BString>),
    /// Files that git would write otherwise when the main worktree comes back.
    WrittenOtherwise(PathBuf, Vec<BString>),
    /// Submodules at another commit than the lane's, with files in them.
    Submodules(PathBuf, Vec<BString>),
}

impl BeginRefusal {
    /// A stable word for scripts.
    pub fn code(&self) -> Code {
        match self {
            BeginRefusal::Bare | BeginRefusal::NoMainWorktree => Code::NoMainWorktree,
            BeginRefusal::NoBranch(_) => Code::Detached,
            BeginRefusal::Unborn(_) => Code::Unborn,
            BeginRefusal::Unsettled(_, status) if status.operation.is_some() => {
                Code::OperationInProgress
            }
            BeginRefusal::Unsettled(..) => Code::Unsettled,
            BeginRefusal::NoWorktree(_) => Code::WorktreeGone,
            BeginRefusal::Stray(_) => Code::Stray,
            BeginRefusal::Operation(..) => Code::OperationInProgress,
            BeginRefusal::NoCommit => Code::NoCommit,
            BeginRefusal::InTheWay(..)
            | BeginRefusal::Flagged(..)
            | BeginRefusal::WrittenOtherwise(..)
            | BeginRefusal::Submodules(..) => Code::InTheWay,
        }
    }

    /// The error for lane `lane`.
    pub fn refuse(&self, lane: &LaneName) -> Error {
        let error = Error::refused(self.sentence(lane)).with_code(self.code());
        let error = match self {
            BeginRefusal::InTheWay(_, files)
            | BeginRefusal::Flagged(_, files)
            | BeginRefusal::WrittenOtherwise(_, files)
            | BeginRefusal::Submodules(_, files) => error.details(files_of(files)),
            BeginRefusal::Unsettled(_, status) => error.details(serde_json::json!({
                "staged": status.staged, "modified": status.modified,
                "untracked": status.untracked, "conflicted": status.conflicted,
            })),
            _ => error,
        };
        error.hint(self.hint(lane))
    }

    fn sentence(&self, lane: &LaneName) -> String {
        let not = format!("lane '{lane}' is not shown");
        match self {
            BeginRefusal::Bare => {
                format!("{not}: the repository is bare, there is no main worktree")
            }
            BeginRefusal::NoMainWorktree => {
                format!("{not}: nothing says where the main worktree is, or it is not there")
            }
            BeginRefusal::NoBranch(path) => format!(
                "{not}: the main worktree '{}' is on no branch to come back to",
                path.display()
            ),
            BeginRefusal::Unborn(path) => format!(
                "{not}: the branch of the main worktree '{}' has no commit yet",
                path.display()
            ),
            BeginRefusal::Unsettled(path, status) => match status.operation {
                Some(operation) => format!(
                    "{not}: in the main worktree '{}' a {operation} is in progress",
                    path.display()
                ),
                None => format!(
                    "{not}: the main worktree '{}' has changes that are not committed: {}",
                    path.display(),
                    some(&status.samples)
                ),
            },
            BeginRefusal::NoWorktree(path) => {
                format!("{not}: its worktree is not in '{}'", path.display())
            }
            BeginRefusal::Stray(path) => format!(
                "{not}: its worktree '{}' has something else than its branch checked out",
                path.display()
            ),
            BeginRefusal::Operation(_, operation) => {
                format!("{not}: a {operation} is in progress in it")
            }
            BeginRefusal::NoCommit => format!("{not}: it has no commit"),
            BeginRefusal::InTheWay(path, files) => format!(
                "{not}: in the main worktree '{}' files are in the way: {}",
                path.display(),
                some(files)
            ),
            BeginRefusal::Flagged(path, files) => format!(
                "{not}: in the main worktree '{}' git is told not to look at files that would \
                 change: {}",
                path.display(),
                some(files)
            ),
            BeginRefusal::WrittenOtherwise(path, files) => format!(
                "{not}: in the main worktree '{}' are files that git would not write as they are: \
                 {}",
                path.display(),
                some(files)
            ),
            BeginRefusal::Submodules(path, files) => format!(
                "{not}: it has other commits of submodules that the main worktree '{}' has \
                 checked out: {}",
                path.display(),
                some(files)
            ),
        }
    }

    fn hint(&self, lane: &LaneName) -> String {
        let git = |path: &PathBuf| format!("git -C {}", quote(path.display()));
        match self {
            BeginRefusal::Bare | BeginRefusal::NoMainWorktree => {
                format!(
                    "look at it where it is; go to: cd \"$(git lane path {})\"",
                    quote(lane)
                )
            }
            BeginRefusal::NoBranch(path) => {
                format!("switch to one with: {} switch BRANCH", git(path))
            }
            BeginRefusal::Unborn(path) => format!(
                "make a first commit: {} commit --allow-empty -m 'Start'",
                git(path)
            ),
            BeginRefusal::Unsettled(path, status) if status.operation.is_some() => {
                format!(
                    "complete it or give it up; see how with: {} status",
                    git(path)
                )
            }
            BeginRefusal::Unsettled(path, _) => format!(
                "commit them, or put them aside with: {} stash push --include-untracked",
                git(path)
            ),
            BeginRefusal::NoWorktree(_) | BeginRefusal::NoCommit => {
                "see what can be done about it with: git lane doctor".into()
            }
            BeginRefusal::Stray(_) => "see what can be done about it with: git lane doctor".into(),
            BeginRefusal::Operation(path, _) => {
                format!(
                    "complete it or give it up; see how with: {} status",
                    git(path)
                )
            }
            BeginRefusal::InTheWay(..) => "move them away and try again".into(),
            BeginRefusal::Flagged(path, _) => {
                format!("see which with: {} ls-files -v", git(path))
            }
            BeginRefusal::WrittenOtherwise(path, files) => format!(
                "see their line endings and attributes with: {} ls-files --eol{}",
                git(path),
                named(files)
            ),
            BeginRefusal::Submodules(path, files) => format!(
                "take their files away with: {} submodule deinit{}",
                git(path),
                named(files)
            ),
        }
    }
}
