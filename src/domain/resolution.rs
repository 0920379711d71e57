//! Why a conflict that was laid out in a lane counts as not resolved, and how that is told.
//!
//! Called by `operations/resolve`, which finds it out.

use std::fmt;
use std::path::PathBuf;

use bstr::{BString, ByteSlice};

use super::finish::some;
use super::lane::{Head, ObjectId, lossless};
use super::name::{BranchName, LaneName};
use super::shell_word::quote;
use super::status::Operation;
use crate::error::{Code, Error, Kind};

/// Why it is not resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unresolved {
    /// The command ended with that exit code.
    Ended(i32),
    /// That signal ended it.
    Signalled(i32),
    /// A signal for git-lane ended it.
    Interrupted,
    /// There is no such lane any more.
    LaneGone,
    /// The lane's worktree is not where it was; whether something else is.
    WorktreeGone(PathBuf, bool),
    /// The worktree has something else checked out.
    LeftBranch(Head),
    /// The merge is no longer in progress, and nothing was committed.
    TakenBack,
    /// Another operation than the merge is in progress.
    InProgress(Operation),
    /// Files have lines that git marks conflicts with.
    Markers(Vec<BString>),
    /// Paths are in conflict in the index, and their files are as git laid them out.
    Unmerged(Vec<BString>),
    /// Files came that are neither tracked nor ignored.
    Untracked(Vec<BString>),
    /// There are changes that its own commit does not have.
    Uncommitted,
    /// The lane's branch does not have the base.
    WithoutBase,
    /// The lane's branch does not have the commits that it had.
    WithoutLane,
    /// git did not commit it.
    CommitFailed(i32),
}

impl fmt::Display for Unresolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unresolved::Ended(code) => write!(f, "the command ended with exit code {code}"),
            Unresolved::Signalled(signal) => write!(f, "the command was ended by signal {signal}"),
            Unresolved::Interrupted => f.write_str("git-lane was asked to end"),
            Unresolved::LaneGone => f.write_str("the lane was removed while the command ran"),
            Unresolved::WorktreeGone(path, false) => write!(
                f,
                "the worktree '{}' was removed or moved while the command ran",
                path.display()
            ),
            Unresolved::WorktreeGone(path, true) => {
                write!(
                    f,
                    "'{}' is not the lane's worktree any more",
                    path.display()
                )
            }
            Unresolved::LeftBranch(Head::Branch(branch)) => {
                write!(f, "the worktree was switched to '{branch}'")
            }
            Unresolved::LeftBranch(_) => f.write_str("the worktree has left the lane's branch"),
            Unresolved::TakenBack => f.write_str("the merge was taken back"),
            Unresolved::InProgress(operation) => write!(f, "a {operation} is in progress"),
            Unresolved::Markers(files) => write!(f, "conflict markers are left in {}", some(files)),
            Unresolved::Unmerged(files) => write!(f, "nothing was done about {}", some(files)),
            Unresolved::Untracked(files) => {
                write!(f, "files were left that are not added: {}", some(files))
            }
            Unresolved::Uncommitted => {
                f.write_str("the commit does not have all that was changed in the lane")
            }
            Unresolved::WithoutBase => f.write_str("the lane's branch does not have the base"),
            Unresolved::WithoutLane => {
                f.write_str("the lane's branch does not have the lane's own commits any more")
            }
            Unresolved::CommitFailed(code) => {
                write!(f, "git commit ended with exit code {code}")
            }
        }
    }
}

/// What is left of the attempt once the lane was put back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PutBack {
    /// The commit that has what was made of the conflict; `None` where that was nothing.
    pub attempt: Option<ObjectId>,
    /// Whether the lane is wholly as before.
    pub is_whole: bool,
}

impl PutBack {
    /// A failure after which the lane was put back.
    pub fn told(&self, lane: &LaneName, error: Error) -> Error {
        let error = match self.is_whole {
            true => error.hint("the lane is as before, and nothing has landed"),
            false => error.hint(format!(
                "not all of the lane is as before; see what is left with: git -C \"$(git lane path \
                 {})\" status",
                quote(lane)
            )),
        };
        match self.attempt {
            Some(commit) => error.hint(format!(
                "what was made of it is kept: git show -m --first-parent {}",
                commit.to_hex_with_len(10)
            )),
            None => error,
        }
    }
}

impl Unresolved {
    /// The failure; `back` is `None` where there is no lane to put back.
    pub fn error(
        &self,
        lane: &LaneName,
        base: &BranchName,
        paths: &[BString],
        back: Option<&PutBack>,
    ) -> Error {
        let sentence =
            format!("the conflict of lane '{lane}' with '{base}' is not resolved: {self}");
        let lossless: Vec<_> = paths.iter().map(|path| lossless(path.as_bstr())).collect();
        let attempt = back.and_then(|back| back.attempt);
        let error = Error::new(Kind::Conflict, sentence)
            .with_code(Code::Unresolved)
            .details(serde_json::json!({
                "paths": lossless, "attempt": attempt.map(|commit| commit.to_string()),
            }));
        let Some(back) = back else {
            return error.hint(match self {
                Unresolved::LaneGone => "see whether it is in the trash: git lane trash",
                _ => "nothing has landed, and the lane was not put back: git lane list",
            });
        };
        let error = back.told(lane, error);
        match self {
            Unresolved::Unmerged(files) => {
                let files: Vec<_> = files.iter().take(5).map(quote).collect();
                error.hint(format!(
                    "have the command say what it means for these, with git add or git rm: {}",
                    files.join(" ")
                ))
            }
            Unresolved::Untracked(_) => {
                error.hint("have the command add them with git add, or remove them")
            }
            _ => error,
        }
    }
}
