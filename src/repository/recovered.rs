//! What became of operations that dead processes left half done, in words.

use std::path::PathBuf;

use super::provenance::Misfit;
use crate::domain::lane::LaneId;
use crate::error::Result;
use crate::repository::Repository;
use crate::repository::unrecovered::Pending;

/// What recovery did about one interrupted operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Healed {
    /// What was interrupted: "the start of lane 'x'".
    pub what: String,
    /// Whether it was completed, or undone.
    pub completed: bool,
    /// What it did to which lane, where a command asks for that.
    act: Option<(Act, LaneId)>,
}

/// What a command may find that it has been done by its own recovery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// A lane went into the trash.
    Retire,
    /// A lane came back from there.
    Restore,
}

impl Healed {
    /// An operation that was completed, or undone.
    pub fn new(what: String, completed: bool) -> Self {
        Healed {
            what,
            completed,
            act: None,
        }
    }

    /// The same, of one that commands ask for.
    pub fn of(act: Act, lane: &LaneId, what: String, completed: bool) -> Self {
        Healed {
            act: Some((act, lane.clone())),
            ..Healed::new(what, completed)
        }
    }

    /// Whether this is how that was done to that lane.
    pub fn has_done(&self, act: Act, lane: &LaneId) -> bool {
        self.completed
            && self
                .act
                .as_ref()
                .is_some_and(|(done, of)| *done == act && of == lane)
    }
}

impl std::fmt::Display for Healed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} was interrupted; it has been {}",
            self.what,
            if self.completed {
                "completed"
            } else {
                "undone"
            }
        )
    }
}

/// An operation that counts, or does not, but whose worktree a user or another git wrote in before
/// it could be healed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unclear {
    /// What was interrupted.
    pub what: String,
    /// Whether it counts.
    pub counts: bool,
    /// The worktree that has to be looked at.
    pub worktree: PathBuf,
    /// What was done there meanwhile.
    pub meanwhile: Meanwhile,
}

/// What a user or another git did before an operation could be healed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meanwhile {
    /// The index was written.
    IndexWritten,
    /// HEAD or its branch went elsewhere.
    HeadMoved,
    /// The merge that was in progress was ended, and files are changed.
    MergeEnded,
}

impl std::fmt::Display for Unclear {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let counts = if self.counts {
            "it counts"
        } else {
            "it does not count"
        };
        let (what, worktree) = (&self.what, self.worktree.display());
        write!(f, "{what} was interrupted; {counts}, but ")?;
        match self.meanwhile {
            Meanwhile::IndexWritten => write!(
                f,
                "the index of '{worktree}' was written meanwhile and may not fit"
            ),
            Meanwhile::HeadMoved => write!(
                f,
                "what '{worktree}' has checked out was moved meanwhile, so it stays as it is"
            ),
            Meanwhile::MergeEnded => write!(
                f,
                "the merge in '{worktree}' was ended meanwhile, so it stays as it is"
            ),
        }
    }
}

/// What became of one interrupted operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Healing {
    /// It was completed or undone.
    Whole(Healed),
    /// Not all of it could be.
    Part(Unclear),
}

/// An intent that no command acts on, and where it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetAside {
    /// It says nothing any more.
    Damaged(PathBuf),
    /// It speaks of the repository that this one is a copy of.
    OfTheOriginal(PathBuf),
    /// It says what git-lane never writes here.
    Misfit(PathBuf, Misfit),
    /// It is something that git-lane never makes: a link, a pipe.
    Strange(PathBuf),
}

impl std::fmt::Display for SetAside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            SetAside::Damaged(path) => {
                write!(
                    f,
                    "an interrupted command's journal is damaged and was set aside as '{}'",
                    path.display()
                )
            }
            SetAside::OfTheOriginal(path) => write!(
                f,
                "this repository was copied while a command was at work in the original; what \
                 that was doing is left alone and was set aside as '{}'",
                path.display()
            ),
            SetAside::Misfit(path, misfit) => write!(
                f,
                "an interrupted command's journal says what git-lane never writes here \
                 ({misfit}); nothing of it was done, and it was set aside as '{}'",
                path.display()
            ),
            SetAside::Strange(path) => write!(
                f,
                "something that git-lane never makes was among its files; it was not opened, and \
                 was set aside as '{}'",
                path.display()
            ),
        }
    }
}

/// What a recovery did.
#[derive(Debug, Default)]
pub struct Recovered {
    /// What was completed or undone.
    pub healed: Vec<Healed>,
    /// What could not wholly be.
    pub unclear: Vec<Unclear>,
    /// What could not be healed, and was not known to this command yet.
    pub pending: Vec<Pending>,
    /// Intents that were taken out of the way. Nothing they were about is deleted: while they are
    /// there, nothing in the trash expires, because a lane on its way back may be among it.
    pub set_aside: Vec<SetAside>,
}

/// How a command heals what another process leaves that dies after the command has looked. Only the
/// table of all operations can, which no operation knows.
pub type Heal<'a> = &'a dyn Fn(&mut Repository) -> Result<()>;
