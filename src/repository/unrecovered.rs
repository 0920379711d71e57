//! Interrupted operations that could not be healed: what they are about is left alone, everything
//! else goes on.
//!
//! Their intents stay in the journal, and with them what those protect: locks that belong to an
//! intent, refs that keep objects, entries of the trash that are on their way. Every command that
//! changes something tries to heal them again.

use std::path::{Path, PathBuf};

use crate::domain::lane::{RefName, Worktree};
use crate::domain::name::{BranchName, LaneName};
use crate::error::{Code, Error, Result};
use crate::repository::Repository;
use crate::store::journal::{About, Journal};

/// What to do about an intent that another version wrote.
pub(crate) const BY_A_NEWER: &str =
    "a newer git-lane may have written it: run the command with that one";

/// One of them.
#[derive(Debug, Clone)]
pub struct Pending {
    /// What was interrupted, and what no command may touch until it is healed.
    about: About,
    /// The file that says what it was doing.
    intent: PathBuf,
    /// What stands in the way of its healing, and what to do about that.
    problem: String,
    hints: Vec<String>,
    /// Whether that is that another version began it.
    newer: bool,
}

impl Pending {
    /// The interrupted operation that `file` speaks of.
    pub(crate) fn new(about: About, file: &Path) -> Self {
        Pending {
            about,
            intent: file.to_owned(),
            problem: String::new(),
            hints: Vec::new(),
            newer: false,
        }
    }

    /// One that only a newer version can heal.
    pub(crate) fn of_a_newer(about: About, file: &Path) -> Self {
        let (problem, hints) = (
            "this git-lane does not know how".into(),
            vec![BY_A_NEWER.into()],
        );
        Pending {
            problem,
            hints,
            newer: true,
            ..Pending::new(about, file)
        }
    }

    /// The same with the reason why it could not be healed.
    pub(crate) fn because(self, error: &Error) -> Self {
        Pending {
            problem: error.to_string(),
            hints: error.hints().to_vec(),
            ..self
        }
    }

    /// What to do about it, a line each.
    pub fn hints(&self) -> Vec<String> {
        let still = format!(
            "every git-lane command tries again, and until then nothing else is done there; what \
             was under way is in '{}'",
            self.intent.display()
        );
        self.hints.iter().cloned().chain([still]).collect()
    }

    fn refuse(&self) -> Error {
        let error = Error::refused(format!(
            "{} was interrupted and is still to be healed",
            self.about.what
        ));
        self.hints()
            .into_iter()
            .fold(error.with_code(Code::NotHealed), Error::hint)
    }
}

impl std::fmt::Display for Pending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} was interrupted and can be neither completed nor undone: {}",
            self.about.what, self.problem
        )
    }
}

/// What this command could not heal.
#[derive(Debug, Clone, Default)]
pub struct Unrecovered(pub(crate) Vec<Pending>);

impl Unrecovered {
    /// Refuses to touch a lane that is part of what could not be healed.
    pub fn ensure_lane_is_whole(&self, lane: &LaneName) -> Result<()> {
        self.ensure_not(|pending| pending.about.lanes.contains(lane))
    }

    /// Refuses to move a base, or the files of the worktree with that git directory, when a move of
    /// them is pending.
    pub(crate) fn ensure_base_is_whole(
        &self,
        base: &BranchName,
        git_dir: Option<&Path>,
    ) -> Result<()> {
        let base = RefName::from(base);
        self.ensure_not(|pending| {
            let files = git_dir.is_some_and(|git_dir| pending.about.moves_files_of(git_dir));
            pending.about.bases.contains(&base) || files
        })
    }

    /// Refuses to take away the worktree with that git directory when a move of its files is
    /// pending.
    pub(crate) fn ensure_files_are_whole(&self, git_dir: &Path) -> Result<()> {
        self.ensure_not(|pending| pending.about.moves_files_of(git_dir))
    }

    /// Whether a newer version has begun something here that this one does not understand.
    pub(crate) fn is_a_newers_to_heal(&self) -> bool {
        self.0.iter().any(|pending| pending.newer)
    }

    /// The operation that `intent` speaks of, where it is among them.
    pub(crate) fn find(&self, intent: &Path) -> Option<&Pending> {
        self.0.iter().find(|pending| pending.intent == intent)
    }

    /// Why the operation that `intent` speaks of could not be healed, where this command has tried.
    pub(crate) fn why_not_healed(&self, intent: &Path) -> Option<String> {
        let found = self.find(intent)?;
        Some(
            found
                .hints
                .iter()
                .fold(found.problem.clone(), |text, hint| {
                    format!("{text}; {hint}")
                }),
        )
    }

    fn ensure_not(&self, touches: impl Fn(&Pending) -> bool) -> Result<()> {
        self.0
            .iter()
            .find(|pending| touches(pending))
            .map_or(Ok(()), |pending| Err(pending.refuse()))
    }
}

/// Whether a process died moving the files of that worktree, after this command had looked: the
/// holder of the lock of its index now must not take away what the healing needs.
pub(crate) fn is_half_moved(repository: &Repository, git_dir: &Path) -> bool {
    let under_way = Journal::new(repository.lane_dir()).under_way();
    under_way.iter().any(|about| about.moves_files_of(git_dir))
}

/// The refusal to touch such a worktree.
pub(crate) fn ensure_not_half_moved(repository: &Repository, site: &Worktree) -> Result<()> {
    if !is_half_moved(repository, &site.git_dir) {
        return Ok(());
    }
    Err(Error::refused(format!(
        "a move of the files in '{}' is under way, or was just interrupted",
        site.path.display()
    ))
    .with_code(Code::Raced)
    .hint("run the command again"))
}
