//! Why a lane is neither renamed nor moved: the facts, the sentence, the remedy, the word for scripts.

use std::path::PathBuf;

use crate::domain::lane::{Lane, RefName};
use crate::domain::name::{BranchName, LaneName};
use crate::domain::retire;
use crate::domain::shell_word::quote;
use crate::domain::start;
use crate::domain::start::Target;
use crate::domain::status::Operation;
use crate::error::{Code, Error};

/// Why a lane keeps its name and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Another lane has the name.
    NameTaken(LaneName),
    /// The branch would be the lane's own base.
    OwnBase(BranchName),
    /// The branch is the one that the main worktree stays on.
    Home(BranchName),
    /// Another lane has the branch.
    BranchOwned(BranchName, LaneName),
    /// There is a branch of the new name.
    BranchExists(BranchName),
    /// Another branch makes the new one impossible.
    BranchConflict(BranchName, BranchName),
    /// The branch is a symbolic ref.
    Alias(BranchName),
    /// A symbolic ref leads to the branch, and would lead nowhere.
    LedTo(BranchName, RefName),
    /// It was started on no branch, and none is renamed so.
    Detached(BranchName),
    /// The branch is gone.
    BranchGone(BranchName),
    /// Another worktree has it checked out, or will write to it.
    BranchElsewhere(BranchName, PathBuf),
    /// That is in progress in the lane, and has noted the branch by its name.
    InProgress(Operation),
    /// The directory cannot be moved.
    Stays(Box<retire::Refusal>),
    /// The directory is gone.
    NoWorktree(PathBuf),
    /// It has submodules, whose files name each other by where they are; what the lane was to be called,
    /// which it can be all the same.
    Submodule(PathBuf, PathBuf, Option<LaneName>),
    /// There is a worktree of another repository inside of it, or one that has worktrees.
    Bound(PathBuf),
    /// It cannot go there.
    Place(Target),
    /// It cannot go there: that is another file system, or its files are on a layer that cannot be
    /// moved.
    OtherFileSystem(PathBuf, PathBuf),
    /// Another git is at work in it, or one has died there: its lock file.
    GitAtWork(PathBuf),
    /// A git-lane command waits to land it.
    Queued,
    /// Another command has begun something with it.
    UnderWay(String),
}

impl Refusal {
    /// A stable word for scripts.
    pub fn code(&self) -> Code {
        match self {
            Refusal::NameTaken(_) => Code::LaneExists,
            Refusal::OwnBase(_) => Code::BaseCycle,
            Refusal::Home(_) => Code::BranchInUse,
            Refusal::BranchOwned(..) => Code::BranchOwned,
            Refusal::BranchExists(_) => Code::BranchExists,
            Refusal::BranchConflict(..) => Code::BranchConflict,
            Refusal::Alias(_) | Refusal::LedTo(..) => Code::BranchAlias,
            Refusal::Detached(_) => Code::Detached,
            Refusal::BranchGone(_) => Code::BranchGone,
            Refusal::BranchElsewhere(..) => Code::BranchElsewhere,
            Refusal::InProgress(_) => Code::OperationInProgress,
            Refusal::Stays(stays) => stays.code(),
            Refusal::NoWorktree(_) => Code::WorktreeGone,
            Refusal::Submodule(..) => Code::HasSubmodules,
            Refusal::Bound(_) => Code::Nested,
            Refusal::Place(_) => Code::PathOccupied,
            Refusal::OtherFileSystem(..) => Code::OtherFileSystem,
            Refusal::GitAtWork(_) => Code::Locked,
            Refusal::Queued | Refusal::UnderWay(_) => Code::Busy,
        }
    }

    /// The refusal for `lane`.
    pub fn refuse(&self, lane: &Lane) -> Error {
        let name = &lane.name;
        if let Refusal::Stays(stays) = self {
            return stays.refuse(name);
        }
        let error = Error::refused(self.sentence(name)).with_code(self.code());
        match self.hint(lane) {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }

    fn hint(&self, lane: &Lane) -> Option<String> {
        let git = |words: &str| format!("git -C {} {words}", quote(lane.worktree.display()));
        Some(match self {
            Refusal::Stays(_) => return None,
            Refusal::NameTaken(name) => format!("see it with: git lane show {}", quote(name)),
            Refusal::BranchOwned(_, owner) => {
                format!("see it with: git lane show {}", quote(owner))
            }
            Refusal::OwnBase(_)
            | Refusal::Home(_)
            | Refusal::BranchExists(_)
            | Refusal::BranchConflict(..) => {
                "choose another name, or another branch with --branch".into()
            }
            Refusal::Alias(branch) => {
                format!("the branch stays as it is with: --branch {}", quote(branch))
            }
            Refusal::LedTo(_, alias) => format!(
                "remove it first, if nothing needs it: {}",
                git(&format!("symbolic-ref --delete {}", quote(alias.as_bstr())))
            ),
            Refusal::Detached(branch) => {
                format!(
                    "make one there with: {}",
                    git(&format!("branch {}", quote(branch)))
                )
            }
            Refusal::BranchGone(_) | Refusal::NoWorktree(_) => {
                "see what can be done about it with: git lane doctor".into()
            }
            Refusal::BranchElsewhere(_, path) => format!(
                "see what is done there with: git -C {} status",
                quote(path.display())
            ),
            Refusal::InProgress(_) => format!("end it first; see it with: {}", git("status")),
            Refusal::Submodule(_, _, None) => return None,
            Refusal::Submodule(_, _, Some(new)) => format!(
                "the directory stays where it is with: git lane rename {} {} --path {}",
                quote(&lane.name),
                quote(new),
                quote(lane.worktree.display())
            ),
            Refusal::Bound(path) => format!(
                "see what belongs together with: git -C {} worktree list",
                quote(path.display())
            ),
            Refusal::Place(_) => "choose another place, or move away what is there".into(),
            Refusal::OtherFileSystem(..) => {
                "choose a place on the same file system, or leave the directory where it is".into()
            }
            Refusal::GitAtWork(lock) => format!(
                "when no git runs there any more: rm {}",
                quote(lock.display())
            ),
            Refusal::Queued => format!("wait for that with: git lane wait {}", quote(&lane.name)),
            Refusal::UnderWay(_) => "run the command again".into(),
        })
    }

    fn sentence(&self, name: &LaneName) -> String {
        match self {
            Refusal::NameTaken(name) => format!("there is a lane '{name}' already"),
            Refusal::OwnBase(branch) => {
                format!("branch '{branch}' is the base of lane '{name}', and cannot be its own too")
            }
            Refusal::Home(branch) => {
                format!("branch '{branch}' is the home of the main worktree, and no lane's")
            }
            Refusal::BranchOwned(branch, lane) => {
                format!("branch '{branch}' belongs to lane '{lane}'")
            }
            Refusal::BranchExists(branch) => format!("there is a branch '{branch}' already"),
            Refusal::BranchConflict(branch, other) => {
                format!("branch '{branch}' cannot exist beside branch '{other}'")
            }
            Refusal::Alias(branch) => format!(
                "the branch '{branch}' of lane '{name}' is a symbolic ref, only another name of a \
                 branch"
            ),
            Refusal::LedTo(branch, alias) => {
                format!("'{alias}' is a symbolic ref to branch '{branch}', and would lead nowhere")
            }
            Refusal::Detached(branch) => {
                format!("lane '{name}' was started on no branch that could be called '{branch}'")
            }
            Refusal::BranchGone(branch) => {
                format!("the branch '{branch}' of lane '{name}' is gone")
            }
            Refusal::BranchElsewhere(branch, path) => {
                format!("branch '{branch}' is in use in '{}' too", path.display())
            }
            Refusal::InProgress(operation) => format!(
                "a {operation} is in progress in lane '{name}', and has noted its branch by the name"
            ),
            Refusal::NoWorktree(path) => format!(
                "the worktree of lane '{name}' is gone from '{}'",
                path.display()
            ),
            Refusal::Submodule(path, submodule, _) => format!(
                "'{}' has a submodule in '{}', which is bound to that place",
                path.display(),
                submodule.display()
            ),
            Refusal::Bound(path) => format!(
                "'{}' lies inside of lane '{name}', and worktrees of that repository are bound to their \
                 places",
                path.display()
            ),
            Refusal::OtherFileSystem(from, to) => format!(
                "'{}' cannot be renamed to '{}': that is another file system",
                from.display(),
                to.display()
            ),
            Refusal::GitAtWork(lock) => format!(
                "a git is at work in lane '{name}': '{}' is there",
                lock.display()
            ),
            Refusal::Queued => format!("a git-lane command is about to land lane '{name}'"),
            Refusal::UnderWay(what) => format!("{what} is under way"),
            Refusal::Stays(stays) => stays.to_string(),
            Refusal::Place(target) => {
                start::Refusal::Path(target.path.clone(), target.state.clone()).to_string()
            }
        }
    }
}
