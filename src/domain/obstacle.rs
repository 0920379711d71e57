//! What stands in the way of a removed lane that is to come back; pure.

use std::path::PathBuf;

use super::name::{BranchName, LaneName};
use crate::domain::shell_word::quote;
use crate::error::{Code, Error};

/// What stands in a restored lane's way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// There is a lane of that name.
    LaneExists,
    /// The branch exists and is somewhere else.
    BranchExists(BranchName),
    /// Another branch makes this one impossible.
    BranchImpossible {
        /// The lane's branch.
        wanted: BranchName,
        /// The one in its way.
        existing: BranchName,
    },
    /// The branch is checked out in another worktree.
    CheckedOut(BranchName, PathBuf),
    /// Something is where the worktree was.
    PathTaken(PathBuf),
    /// Its submodules know the admin directory's name, and another worktree has that name now.
    AdminTaken(PathBuf),
    /// Nothing but the entry itself says that git-lane has ever put a worktree there.
    StrangePlace(PathBuf),
    /// The directory is no longer in the trash.
    Incomplete(PathBuf),
    /// The directory waits in a place that says it belongs to another repository.
    OfAnotherRepository {
        /// The place.
        place: PathBuf,
        /// Where that repository was.
        owner: PathBuf,
        /// The command that says it belongs to this one.
        claim: String,
    },
}

impl Obstacle {
    /// The refusal for lane `name`.
    pub fn refuse(&self, name: &LaneName) -> Error {
        Error::refused(format!("lane '{name}' cannot be restored: {self}"))
            .with_code(self.code())
            .hint(self.hint(name))
    }

    /// A stable word for scripts.
    fn code(&self) -> Code {
        match self {
            Obstacle::LaneExists => Code::LaneExists,
            Obstacle::BranchExists(_) | Obstacle::BranchImpossible { .. } => Code::BranchExists,
            Obstacle::CheckedOut(..) => Code::CheckedOut,
            Obstacle::PathTaken(_) => Code::PathTaken,
            Obstacle::AdminTaken(_) => Code::AdminTaken,
            Obstacle::StrangePlace(_) => Code::StrangePlace,
            Obstacle::Incomplete(_) => Code::Incomplete,
            Obstacle::OfAnotherRepository { .. } => Code::OtherRepository,
        }
    }

    /// What to do about it.
    fn hint(&self, name: &LaneName) -> String {
        match self {
            Obstacle::LaneExists => format!("put it away first: git lane drop {}", quote(name)),
            Obstacle::BranchExists(existing) | Obstacle::BranchImpossible { existing, .. } => {
                format!(
                    "rename it out of the way: git branch -m {} {}",
                    quote(existing),
                    quote(format!("{existing}-before"))
                )
            }
            Obstacle::CheckedOut(_, path) => {
                format!("switch to another branch in '{}' first", path.display())
            }
            Obstacle::PathTaken(path) => format!("move '{}' out of the way", path.display()),
            Obstacle::AdminTaken(path) => format!(
                "move that worktree away first: git worktree list shows which one is '{}'",
                path.display()
            ),
            Obstacle::StrangePlace(path) => format!(
                "if you know that it was there: git lane restore --path {} {}",
                quote(path.display()),
                quote(name)
            ),
            Obstacle::Incomplete(_) => "see what is there with: git lane trash".into(),
            Obstacle::OfAnotherRepository { claim, .. } => format!(
                "restore it there; if that repository has become this one, say so and try again: \
                 {claim}"
            ),
        }
    }
}

impl std::fmt::Display for Obstacle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Obstacle::LaneExists => f.write_str("there is a lane of that name"),
            Obstacle::BranchExists(branch) => {
                write!(f, "branch '{branch}' exists and is at another commit")
            }
            Obstacle::BranchImpossible { wanted, existing } => {
                write!(
                    f,
                    "branch '{wanted}' is impossible while '{existing}' exists"
                )
            }
            Obstacle::CheckedOut(branch, path) => {
                write!(
                    f,
                    "branch '{branch}' is checked out in '{}'",
                    path.display()
                )
            }
            Obstacle::PathTaken(path) => write!(f, "'{}' exists", path.display()),
            Obstacle::AdminTaken(path) => {
                write!(
                    f,
                    "it has submodules, and git uses '{}' for another worktree",
                    path.display()
                )
            }
            Obstacle::OfAnotherRepository { place, owner, .. } => {
                let (place, owner) = (place.display(), owner.display());
                write!(
                    f,
                    "its directory waits in '{place}' for the repository '{owner}'"
                )
            }
            Obstacle::StrangePlace(path) => write!(
                f,
                "it says that it was in '{}', and nothing outside of this repository bears that \
                 out",
                path.display()
            ),
            Obstacle::Incomplete(path) => {
                write!(f, "its directory is missing from '{}'", path.display())
            }
        }
    }
}
