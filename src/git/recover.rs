//! Finishes or undoes what dead processes left, at the next command that changes anything.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::journal::{self, Journal};
use super::repository::Repository;
use super::{doctor, events, land, lockfile, metadata, restore, retire, start, switch};
use crate::domain::doctor::Poisoned;
use crate::domain::event::{End, Subject, What};
use crate::error::Result;

/// Everything that can be under way; one variant for each operation that takes more than one step.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "operation", rename_all = "kebab-case")]
pub enum Intent {
    /// A lane is being made.
    Start(start::Intent),
    /// A lane is on its way into the trash.
    Retire(retire::Intent),
    /// A lane is on its way back.
    Restore(restore::Intent),
    /// A base is moving together with the worktree that has it checked out.
    Land(land::apply::Intent),
    /// A stray is on its way back to its branch.
    Switch(switch::Intent),
    /// A worktree's admin directory is being mended.
    Mend(Poisoned),
}

impl Intent {
    /// The git directory whose index a move of files holds.
    fn index_of(&self) -> Option<&Path> {
        match self {
            Intent::Land(intent) => Some(intent.git_dir()),
            Intent::Switch(intent) => Some(intent.git_dir()),
            _ => None,
        }
    }

    /// What the event log says its healing is about.
    fn subject(&self) -> Subject {
        match self {
            Intent::Start(intent) => Subject::of(What::Heal, intent.lane()),
            Intent::Retire(intent) => Subject::of(What::Heal, intent.lane()),
            Intent::Restore(intent) => Subject::of(What::Heal, intent.lane()),
            Intent::Land(intent) => {
                let (base, old, _) = intent.moves();
                let (base, base_commit) = (Some(base.clone()), Some(old));
                Subject { what: What::Heal, lane: None, lane_id: None, base, base_commit }
            }
            Intent::Switch(_) | Intent::Mend(_) => {
                Subject { what: What::Heal, lane: None, lane_id: None, base: None, base_commit: None }
            }
        }
    }
}

/// What recovery did about one interrupted operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Healed {
    /// What was interrupted: "the start of lane 'x'".
    pub what: String,
    /// Whether it was completed, or undone.
    pub completed: bool,
}

impl std::fmt::Display for Healed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} was interrupted; it has been {}", self.what, if self.completed { "completed" } else { "undone" })
    }
}

/// What [`recover`] did.
#[derive(Debug, Default)]
pub struct Recovered {
    /// What was completed or undone.
    pub healed: Vec<Healed>,
    /// Intents that say nothing any more, where they are now. Nothing they were about is deleted: while they are there,
    /// nothing in the trash expires, because a lane on its way back may be among it.
    pub set_aside: Vec<PathBuf>,
}

/// Heals what dead processes left behind; living ones are not disturbed. Safe to run from many processes at once.
pub fn recover(repository: &Repository) -> Result<Recovered> {
    let lane_dir = repository.lane_dir();
    if !lane_dir.is_dir() {
        return Ok(Recovered::default());
    }
    let common_dir = repository.common_dir();
    clear_locks(common_dir)?;
    let mut recovered = Recovered::default();
    for (intent, mut running) in Journal::new(&lane_dir).abandoned::<Intent>()? {
        let intent = match intent {
            Err(error) if error.word() == journal::DAMAGED => {
                recovered.set_aside.push(running.set_aside(&lane_dir)?);
                continue;
            }
            intent => intent?,
        };
        let operation = events::begin(repository, intent.subject());
        let result = match &intent {
            Intent::Land(intent) => Some(intent.moves().2),
            _ => None,
        };
        let outcome = match intent {
            Intent::Start(intent) => start::recover(repository, intent, &mut running),
            Intent::Retire(intent) => retire::recover(repository, &running, &intent),
            Intent::Restore(intent) => restore::recover(repository, &running, &intent),
            Intent::Land(intent) => land::apply::recover(repository, &intent),
            Intent::Switch(intent) => switch::recover(repository, &intent),
            Intent::Mend(poisoned) => doctor::recover(repository, &poisoned),
        };
        let outcome = operation.ended(outcome, |healed| End {
            result: result.filter(|_| healed.completed),
            note: Some(healed.to_string()),
            ..End::default()
        })?;
        running.done()?;
        recovered.healed.push(outcome);
    }
    land::scratch::clean(repository);
    Ok(recovered)
}

/// Whether somebody died moving the files of that worktree, after [`recover`] had looked: whoever holds the lock of its
/// index now must not take away what the healing needs.
pub(super) fn is_half_moved(repository: &Repository, git_dir: &Path) -> bool {
    let pending = Journal::new(&repository.lane_dir()).pending::<Intent>();
    pending.iter().any(|(_, intent)| intent.index_of() == Some(git_dir))
}

/// Clears the locks of git's protocol that dead processes of ours held.
fn clear_locks(common_dir: &Path) -> Result<()> {
    let locks = metadata::locks(common_dir);
    if std::fs::read_dir(&locks).into_iter().flatten().next().is_none() {
        return Ok(());
    }
    let mut targets = vec![common_dir.join("config"), common_dir.join("packed-refs")];
    let linked = std::fs::read_dir(common_dir.join("worktrees")).into_iter().flatten().flatten();
    for git_dir in linked.map(|entry| entry.path()).chain([common_dir.to_owned()]) {
        targets.extend(["index", "HEAD", "ORIG_HEAD"].map(|name| git_dir.join(name)));
    }
    refs_below(&common_dir.join("refs"), &mut targets);
    lockfile::clear_dead(&locks, &targets).map(drop)
}

/// Every ref kept in a file of its own, and every one whose lock is there.
fn refs_below(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            refs_below(&path, found);
        } else {
            found.push(if path.extension().is_some_and(|end| end == "lock") { path.with_extension("") } else { path });
        }
    }
}
