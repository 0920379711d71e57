//! Finishes or undoes what dead processes left, at the next command that changes anything.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::doctor::rebuild;
use super::journal::{About, Announce, GitDir, Journal, Said};
use super::pending::{self, Pending};
use super::provenance::{Claim, Claims, Misfit, misfit};
use super::repository::Repository;
use super::{
    doctor, events, hook, land, lane_files, lockfile, metadata, patience, restore, retire, scratch, start, switch,
};
use crate::domain::doctor::Poisoned;
use crate::domain::event::{End, Subject, What};
use crate::domain::lane::Worktree;
use crate::domain::name::LaneName;
use crate::error::{Error, Kind, Result};

/// How long all healings of a command may wait for locks of others and for what the dead had started. What is not healed by
/// then is tried again by the next command.
const PATIENCE: Duration = Duration::from_secs(20);

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
    /// One that git lost is being built again.
    Rebuild(rebuild::Intent),
}

impl Announce for Intent {
    fn about(&self) -> About {
        let of_lane = |what: String, lane: &LaneName| About { what, lanes: vec![lane.clone()], ..About::default() };
        let git_dirs = |git_dir: &Path| vec![GitDir(git_dir.to_owned())];
        match self {
            Intent::Start(intent) => of_lane(start::what(&intent.lane().name), &intent.lane().name),
            Intent::Retire(intent) => of_lane(retire::what(&intent.lane().name), &intent.lane().name),
            Intent::Restore(intent) => of_lane(restore::what(&intent.lane().name), &intent.lane().name),
            Intent::Land(intent) => {
                let (base, ..) = intent.moves();
                let (what, bases) = (format!("a landing on '{base}'"), vec![base.clone()]);
                About { what, bases, git_dirs: git_dirs(intent.git_dir()), lanes: Vec::new() }
            }
            Intent::Switch(intent) => {
                let what = format!("a switch in '{}'", intent.worktree().display());
                About { what, git_dirs: git_dirs(intent.git_dir()), ..About::default() }
            }
            Intent::Mend(poisoned) => {
                let what = format!("the mending of '{}'", poisoned.admin.display());
                About { what, lanes: poisoned.lane.iter().cloned().collect(), ..About::default() }
            }
            Intent::Rebuild(intent) => of_lane(rebuild::what(intent), &intent.lane),
        }
    }
}

impl Claim for Intent {
    fn claim(&self, claims: &mut Claims<'_>) {
        match self {
            Intent::Start(intent) => intent.claim(claims),
            Intent::Retire(intent) => intent.claim(claims),
            Intent::Restore(intent) => intent.claim(claims),
            Intent::Land(intent) => intent.claim(claims),
            Intent::Switch(intent) => intent.claim(claims),
            Intent::Mend(poisoned) => claims.admin("admin directory", &poisoned.admin),
            Intent::Rebuild(intent) => intent.claim(claims),
        }
    }
}

impl Intent {
    /// What the event log says its healing is about.
    pub(super) fn subject(&self) -> Subject {
        match self {
            Intent::Start(intent) => Subject::of(What::Heal, intent.lane()),
            Intent::Retire(intent) => Subject::of(What::Heal, intent.lane()),
            Intent::Restore(intent) => Subject::of(What::Heal, intent.lane()),
            Intent::Land(intent) => {
                let (base, old, _) = intent.moves();
                let (base, base_commit) = (Some(base.clone()), Some(old));
                Subject { what: What::Heal, lane: None, lane_id: None, base, base_commit }
            }
            Intent::Switch(_) | Intent::Mend(_) | Intent::Rebuild(_) => {
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
    /// It says what git-lane never writes here.
    Misfit(PathBuf, Misfit),
    /// It is something that git-lane never makes: a link, a pipe.
    Strange(PathBuf),
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
            SetAside::Misfit(path, misfit) => write!(
                f,
                "an interrupted command's journal says what git-lane never writes here ({misfit}); nothing of it was done, \
                 and it was set aside as '{}'",
                path.display()
            ),
            SetAside::Strange(path) => write!(
                f,
                "something that git-lane never makes was among its files; it was not opened, and was set aside as '{}'",
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

/// Who is told what [`recover`] did, whichever part of a command has called it.
#[derive(Default)]
pub struct Listener(OnceCell<Box<Hears>>);

type Hears = dyn Fn(&Recovered);

impl Listener {
    /// From now on `listener` is told; the first one stays.
    pub fn set(&self, listener: impl Fn(&Recovered) + 'static) {
        let _ = self.0.set(Box::new(listener));
    }

    fn tell(&self, recovered: &Recovered) {
        if let Some(listener) = self.0.get() {
            listener(recovered);
        }
    }
}

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Listener")
    }
}

/// Heals what dead processes left behind, and tells the repository's [`Listener`]; living ones are not disturbed. Safe to
/// run from many processes at once. Returns what was completed or undone.
pub fn recover(repository: &Repository) -> Result<Vec<Healed>> {
    if !lane_files::is_directory(&repository.lane_dir()) {
        return Ok(Vec::new());
    }
    let mut recovered = Recovered::default();
    let done = patience::within(PATIENCE, || heal_all(repository, &mut recovered));
    // What was done before something went wrong was done.
    repository.listener.tell(&recovered);
    done.map(|()| recovered.healed)
}

fn heal_all(repository: &Repository, recovered: &mut Recovered) -> Result<()> {
    let lane_dir = repository.lane_dir();
    let (before, mut still) = (repository.pending.borrow().clone(), Vec::new());
    let mut landing = false;
    recovered.set_aside.extend(lane_files::tidy(&lane_dir).into_iter().map(SetAside::Strange));
    for (said, mut running) in Journal::new(&lane_dir).abandoned::<Intent>()? {
        // Once in a command is often enough.
        if let Some(known) = before.iter().find(|before| before.is(running.path())) {
            still.push(known.clone());
            continue;
        }
        let intent = match said {
            Said::Intent(intent) => match misfit(repository, &intent) {
                Some(misfit) => {
                    recovered.set_aside.push(SetAside::Misfit(running.set_aside(&lane_dir)?, misfit));
                    continue;
                }
                None => intent,
            },
            Said::Nothing => {
                running.wait_for_children()?;
                recovered.set_aside.push(SetAside::Damaged(running.set_aside(&lane_dir)?));
                continue;
            }
            Said::OfTheOriginal => {
                recovered.set_aside.push(SetAside::OfTheOriginal(running.set_aside(&lane_dir)?));
                continue;
            }
            Said::Unknown(Some(about)) => {
                let pending = Pending::of_a_newer(about, running.path());
                recovered.pending.push(pending.clone());
                still.push(pending);
                continue;
            }
            Said::Unknown(None) => {
                let path = running.path().display();
                return Err(Error::environment(format!("cannot make sense of '{path}'")).hint(pending::BY_A_NEWER));
            }
        };
        let pending = Pending::new(intent.about(), running.path());
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
            Intent::Rebuild(intent) => rebuild::recover(repository, &intent).map(Healing::Whole),
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
    scratch::clear(&land::scratch::home(&lane_dir), hook::SCRATCH);
    repository.pending.replace(still);
    // Nobody can say what a newer version's landing still needs.
    if repository.is_a_newers_to_heal() { Ok(()) } else { land::scratch::clean(repository, landing) }
}

/// Whether somebody died moving the files of that worktree, after [`recover`] had looked: whoever holds the lock of its
/// index now must not take away what the healing needs.
pub(super) fn is_half_moved(repository: &Repository, git_dir: &Path) -> bool {
    let under_way = Journal::new(&repository.lane_dir()).under_way();
    under_way.iter().any(|about| about.moves_files_of(git_dir))
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
