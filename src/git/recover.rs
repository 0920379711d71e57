//! Finishes or undoes what dead processes left, at the next command that changes anything.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::journal::{self, Journal};
use super::pending::Pending;
use super::repository::Repository;
use super::{doctor, events, hook, land, lockfile, metadata, restore, retire, scratch, start, switch};
use crate::domain::doctor::Poisoned;
use crate::domain::event::{End, Subject, What};
use crate::domain::lane::Worktree;
use crate::error::{Error, Kind, Result};

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
    pub(super) fn index_of(&self) -> Option<&Path> {
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

/// An operation that counts, or does not, but whose worktree somebody else wrote in before it could be healed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unclear {
    /// What was interrupted.
    pub what: String,
    /// Whether it counts.
    pub counts: bool,
    /// The worktree that has to be looked at.
    pub worktree: PathBuf,
}

impl std::fmt::Display for Unclear {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let counts = if self.counts { "it counts" } else { "it does not count" };
        let (what, worktree) = (&self.what, self.worktree.display());
        write!(
            f,
            "{what} was interrupted; {counts}, but the index of '{worktree}' was written meanwhile and may not fit"
        )
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

/// An intent that nobody acts on, and where it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetAside {
    /// It says nothing any more.
    Damaged(PathBuf),
    /// It speaks of the repository that this one is a copy of.
    OfTheOriginal(PathBuf),
}

impl std::fmt::Display for SetAside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            SetAside::Damaged(path) => {
                write!(f, "an interrupted command's journal is damaged and was set aside as '{}'", path.display())
            }
            SetAside::OfTheOriginal(path) => write!(
                f,
                "this repository was copied while a command was at work in the original; what that was doing is left \
                 alone and was set aside as '{}'",
                path.display()
            ),
        }
    }
}

/// What [`recover`] did.
#[derive(Debug, Default)]
pub struct Recovered {
    /// What was completed or undone.
    pub healed: Vec<Healed>,
    /// What could not wholly be.
    pub unclear: Vec<Unclear>,
    /// What could not be healed, and was not known to this command yet.
    pub pending: Vec<Pending>,
    /// Intents that were taken out of the way. Nothing they were about is deleted: while they are there, nothing in the
    /// trash expires, because a lane on its way back may be among it.
    pub set_aside: Vec<SetAside>,
}

/// Heals what dead processes left behind; living ones are not disturbed. Safe to run from many processes at once.
pub fn recover(repository: &Repository) -> Result<Recovered> {
    let lane_dir = repository.lane_dir();
    if !lane_dir.is_dir() {
        return Ok(Recovered::default());
    }
    let mut recovered = Recovered::default();
    let (before, mut still) = (repository.pending.take(), Vec::new());
    let mut landing = false;
    for (intent, mut running) in Journal::new(&lane_dir).abandoned::<Intent>()? {
        // Once in a command is often enough.
        if let Some(known) = before.iter().find(|before| before.is(running.path())) {
            still.push(known.clone());
            continue;
        }
        let intent = match intent {
            Err(error) if error.word() == journal::DAMAGED => {
                running.wait_for_children()?;
                recovered.set_aside.push(SetAside::Damaged(running.set_aside(&lane_dir)?));
                continue;
            }
            Err(error) if error.word() == journal::FOREIGN => {
                recovered.set_aside.push(SetAside::OfTheOriginal(running.set_aside(&lane_dir)?));
                continue;
            }
            intent => intent?,
        };
        let pending = Pending::new(&intent, running.path());
        let operation = events::begin(repository, intent.subject());
        let result = match &intent {
            Intent::Land(intent) => Some(intent.moves().2),
            _ => None,
        };
        let outcome = running.wait_for_children().and_then(|()| match intent {
            Intent::Start(intent) => start::recover(repository, intent, &mut running).map(Healing::Whole),
            Intent::Retire(intent) => retire::recover(repository, &running, &intent).map(Healing::Whole),
            Intent::Restore(intent) => restore::recover(repository, &running, &intent).map(Healing::Whole),
            Intent::Land(intent) => land::heal::recover(repository, &running, &intent),
            Intent::Switch(intent) => switch::recover(repository, &running, &intent),
            Intent::Mend(poisoned) => doctor::recover(repository, &poisoned).map(Healing::Whole),
        });
        let outcome = operation.ended(outcome, |healing| {
            let (counts, note) = match healing {
                Healing::Whole(healed) => (healed.completed, healed.to_string()),
                Healing::Part(unclear) => (unclear.counts, unclear.to_string()),
            };
            End { result: result.filter(|_| counts), note: Some(note), ..End::default() }
        });
        let outcome = match outcome {
            Err(error) if error.kind() != Kind::Interrupted => {
                let pending = pending.because(&error);
                recovered.pending.push(pending.clone());
                still.push(pending);
                continue;
            }
            outcome => outcome?,
        };
        running.done()?;
        landing |= result.is_some();
        match outcome {
            Healing::Whole(healed) => recovered.healed.push(healed),
            Healing::Part(unclear) => recovered.unclear.push(unclear),
        }
    }
    // Not before: nobody is to move a ref or a HEAD while a landing that held its lock is half done.
    clear_locks(repository.common_dir())?;
    land::scratch::clean(repository, landing)?;
    git_dirs(repository.common_dir()).for_each(|git_dir| scratch::clear(&git_dir, hook::SCRATCH));
    repository.pending.replace(still);
    Ok(recovered)
}

/// Whether somebody died moving the files of that worktree, after [`recover`] had looked: whoever holds the lock of its
/// index now must not take away what the healing needs.
pub(super) fn is_half_moved(repository: &Repository, git_dir: &Path) -> bool {
    let pending = Journal::new(&repository.lane_dir()).pending::<Intent>();
    pending.iter().any(|(_, intent)| intent.index_of() == Some(git_dir))
}

/// The refusal to touch such a worktree.
pub(super) fn ensure_not_half_moved(repository: &Repository, site: &Worktree) -> Result<()> {
    if !is_half_moved(repository, &site.git_dir) {
        return Ok(());
    }
    Err(Error::refused(format!(
        "a move of the files in '{}' is under way, or was just interrupted",
        site.path.display()
    ))
    .code("raced")
    .hint("run the command again"))
}

/// The git directory of every worktree.
fn git_dirs(common_dir: &Path) -> impl Iterator<Item = PathBuf> {
    let linked = std::fs::read_dir(common_dir.join("worktrees")).into_iter().flatten().flatten();
    linked.map(|entry| entry.path()).chain([common_dir.to_owned()])
}

/// Clears the locks of git's protocol that dead processes of ours held, except those that belong to an intent.
fn clear_locks(common_dir: &Path) -> Result<()> {
    let locks = metadata::locks(common_dir);
    if std::fs::read_dir(&locks).into_iter().flatten().next().is_none() {
        return Ok(());
    }
    let mut targets = vec![common_dir.join("config"), common_dir.join("packed-refs")];
    for git_dir in git_dirs(common_dir) {
        targets.extend(["index", "HEAD", "ORIG_HEAD"].map(|name| git_dir.join(name)));
    }
    refs_below(&common_dir.join("refs"), &mut targets);
    lockfile::clear_dead(common_dir, &locks, &targets).map(drop)
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
