//! Interrupted operations that could not be healed: what they are about is left alone, everything else goes on.
//!
//! Their intents stay in the journal, and with them what those protect: locks that belong to an intent, refs that keep
//! objects, entries of the trash that are on their way. Every command that changes something tries to heal them again.

use std::path::{Path, PathBuf};

use super::recover::Intent;
use super::repository::Repository;
use super::retire;
use super::{restore, start};
use crate::domain::lane::RefName;
use crate::domain::name::{BranchName, LaneName};
use crate::error::{Error, Result};

/// One of them.
#[derive(Debug, Clone)]
pub struct Pending {
    /// What was interrupted.
    what: String,
    /// The file that says what it was doing.
    intent: PathBuf,
    /// What stands in the way of its healing, and what to do about that.
    problem: String,
    hints: Vec<String>,
    /// What nobody may touch until it is healed.
    lane: Option<LaneName>,
    base: Option<RefName>,
    git_dir: Option<PathBuf>,
}

impl Pending {
    /// The interrupted operation `intent`, written in `file`.
    pub(super) fn new(intent: &Intent, file: &Path) -> Self {
        let (what, lane, base) = match intent {
            Intent::Start(intent) => (start::what(&intent.lane().name), Some(intent.lane().name.clone()), None),
            Intent::Retire(intent) => (retire::what(&intent.lane().name), Some(intent.lane().name.clone()), None),
            Intent::Restore(intent) => (restore::what(&intent.lane().name), Some(intent.lane().name.clone()), None),
            Intent::Land(intent) => {
                (format!("a landing on '{}'", intent.moves().0), None, Some(intent.moves().0.clone()))
            }
            Intent::Switch(intent) => (format!("a switch in '{}'", intent.worktree().display()), None, None),
            Intent::Mend(poisoned) => {
                (format!("the mending of '{}'", poisoned.admin.display()), poisoned.lane.clone(), None)
            }
        };
        let git_dir = intent.index_of().map(Path::to_owned);
        let (intent, problem, hints) = (file.to_owned(), String::new(), Vec::new());
        Pending { what, intent, problem, hints, lane, base, git_dir }
    }

    /// The same with the reason why it could not be healed.
    pub(super) fn because(self, error: &Error) -> Self {
        Pending { problem: error.to_string(), hints: error.hints().to_vec(), ..self }
    }

    /// What to do about it, a line each.
    pub fn hints(&self) -> Vec<String> {
        let still = format!(
            "every git-lane command tries again, and until then nothing else is done there; what was under way is in '{}'",
            self.intent.display()
        );
        self.hints.iter().cloned().chain([still]).collect()
    }

    /// Whether it is the one that `file` speaks of.
    pub(super) fn is(&self, file: &Path) -> bool {
        self.intent == file
    }

    fn refuse(&self) -> Error {
        let error = Error::refused(format!("{} was interrupted and is still to be healed", self.what));
        self.hints().into_iter().fold(error.code("not-healed"), Error::hint)
    }
}

impl std::fmt::Display for Pending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} was interrupted and can be neither completed nor undone: {}", self.what, self.problem)
    }
}

impl Repository {
    /// Refuses to touch a lane that is part of what could not be healed.
    pub fn ensure_lane_is_whole(&self, lane: &LaneName) -> Result<()> {
        self.ensure_not(|pending| pending.lane.as_ref() == Some(lane))
    }

    /// Refuses to move a base, or the files of the worktree with that git directory, when a move of them is pending.
    pub(super) fn ensure_base_is_whole(&self, base: &BranchName, git_dir: Option<&Path>) -> Result<()> {
        let base = RefName::from(base);
        self.ensure_not(|pending| {
            pending.base.as_ref() == Some(&base) || git_dir.is_some() && pending.git_dir.as_deref() == git_dir
        })
    }

    /// Refuses to take away the worktree with that git directory when a move of its files is pending.
    pub(super) fn ensure_files_are_whole(&self, git_dir: &Path) -> Result<()> {
        self.ensure_not(|pending| pending.git_dir.as_deref() == Some(git_dir))
    }

    fn ensure_not(&self, touches: impl Fn(&Pending) -> bool) -> Result<()> {
        self.pending.borrow().iter().find(|pending| touches(pending)).map_or(Ok(()), |pending| Err(pending.refuse()))
    }
}
