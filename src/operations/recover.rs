//! Finishes or undoes what dead processes left, at the next command that changes anything.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use super::doctor::rebuild;
use super::{carry, doctor, land, relocate, resolve, restore, retire, start, switch, try_lane};
use crate::domain::doctor::Poisoned;
use crate::domain::event::{End, Subject, What};
use crate::domain::lane::LaneId;
use crate::domain::name::LaneName;
use crate::error::{Error, Kind, Result};
use crate::guard;
use crate::repository::Repository;
use crate::repository::provenance::{Assertions, Asserts, misfit};
use crate::repository::recovered::{Healed, Healing, Recovered, SetAside};
use crate::repository::unrecovered;
use crate::repository::unrecovered::{Pending, Unrecovered};
use crate::store::entries;
use crate::store::journal::{About, Announce, Journal, Said};
use crate::store::lane_files::LaneDir;
use crate::store::{lane_files, lockfile, scratch};

/// How long all healings of a command may wait for locks of others and for what the dead had
/// started. What is not healed by then is tried again by the next command.
const PATIENCE: Duration = Duration::from_secs(20);

/// Everything that can be under way; one variant for each operation that takes more than one step.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "operation", rename_all = "kebab-case")]
pub enum Intent {
    /// A lane is being made.
    Start(start::Intent),
    /// Several lanes are being made together.
    StartAll(start::start_all::AllIntent),
    /// A lane is on its way into the trash.
    Retire(retire::Intent),
    /// A lane is on its way back.
    Restore(restore::Intent),
    /// A base is moving together with the worktree that has it checked out.
    Land(land::apply::Intent),
    /// A landing is being pushed, before its base moves.
    Push(land::push_first::Intent),
    /// A stray is on its way back to its branch.
    Switch(switch::Intent),
    /// A lane gets another name or another place.
    Relocate(relocate::Intent),
    /// A conflict is laid out in a lane.
    Resolve(resolve::Intent),
    /// The main worktree goes to a lane that it shows, or back.
    Try(try_lane::Intent),
    /// Changes of the main worktree go into the lane that it shows.
    TakeIn(try_lane::TakeInIntent),
    /// A worktree's admin directory is being mended.
    Mend(Poisoned),
    /// One that git lost is being built again.
    Rebuild(rebuild::Intent),
}

impl Intent {
    /// What it is about, where its file does not say.
    pub fn about(&self) -> About {
        match self {
            Intent::Start(intent) => intent.about(),
            Intent::StartAll(intent) => intent.about(),
            Intent::Retire(intent) => intent.about(),
            Intent::Restore(intent) => intent.about(),
            Intent::Land(intent) => intent.about(),
            Intent::Push(intent) => intent.about(),
            Intent::Switch(intent) => intent.about(),
            Intent::Relocate(intent) => intent.about(),
            Intent::Resolve(intent) => intent.about(),
            Intent::Try(intent) => intent.about(),
            Intent::TakeIn(intent) => intent.about(),
            Intent::Mend(poisoned) => poisoned.about(),
            Intent::Rebuild(intent) => intent.about(),
        }
    }
}

impl Asserts for Intent {
    fn asserts(&self, assertions: &mut Assertions<'_>) {
        match self {
            Intent::Start(intent) => intent.asserts(assertions),
            Intent::StartAll(intent) => intent.asserts(assertions),
            Intent::Retire(intent) => intent.asserts(assertions),
            Intent::Restore(intent) => intent.asserts(assertions),
            Intent::Land(intent) => intent.asserts(assertions),
            Intent::Push(intent) => intent.asserts(assertions),
            Intent::Switch(intent) => intent.asserts(assertions),
            Intent::Relocate(intent) => intent.asserts(assertions),
            Intent::Resolve(intent) => intent.asserts(assertions),
            Intent::Try(intent) => intent.asserts(assertions),
            Intent::TakeIn(intent) => intent.asserts(assertions),
            Intent::Mend(poisoned) => assertions.admin("admin directory", &poisoned.admin),
            Intent::Rebuild(intent) => intent.asserts(assertions),
        }
    }
}

impl Intent {
    /// What the event log says its healing is about.
    pub(crate) fn subject(&self) -> Subject {
        match self {
            Intent::Start(intent) => Subject::of(What::Heal, intent.lane()),
            Intent::Retire(intent) => Subject::of(What::Heal, intent.lane()),
            Intent::Restore(intent) => Subject::of(What::Heal, intent.lane()),
            Intent::Resolve(intent) => Subject::of(What::Heal, intent.lane()),
            Intent::Relocate(intent) => Subject::of(What::Heal, intent.lane()),
            Intent::Land(intent) => {
                let (base, old, _) = intent.moves();
                let nothing = healing_of(None);
                match intent.synced() {
                    Some(synced) => Subject {
                        lane: Some(synced.lane.clone()),
                        lane_id: Some(synced.id.clone()),
                        base_commit: Some(synced.fork_point),
                        ..nothing
                    },
                    None => Subject {
                        base: Some(base.clone()),
                        base_commit: Some(old),
                        ..nothing
                    },
                }
            }
            Intent::Push(intent) => {
                let (base, old, _) = intent.moves();
                Subject {
                    base: Some(base.clone()),
                    base_commit: Some(old),
                    ..healing_of(None)
                }
            }
            Intent::Try(intent) => healing_of(Some(intent.lane())),
            Intent::TakeIn(intent) => healing_of(Some(intent.lane())),
            Intent::StartAll(_) | Intent::Switch(_) | Intent::Mend(_) | Intent::Rebuild(_) => {
                healing_of(None)
            }
        }
    }
}

/// The healing of something of a lane of which no more is known.
fn healing_of(lane: Option<(&LaneName, &LaneId)>) -> Subject {
    let (name, id) = lane.unzip();
    Subject {
        what: What::Heal,
        lane: name.cloned(),
        lane_id: id.cloned(),
        base: None,
        base_commit: None,
        undoes: Vec::new(),
    }
}

/// Heals what dead processes left behind, and has it told; living ones are not disturbed. Safe to
/// run from many processes at once. Returns what was completed or undone; what could not be is in
/// the repository's list.
pub fn recover(repository: &mut Repository, tell: impl FnOnce(&Recovered)) -> Result<Vec<Healed>> {
    if !lane_files::is_directory(repository.lane_dir()) {
        return Ok(Vec::new());
    }
    let mut recovered = Recovered::default();
    let done = heal_all(&repository.within(PATIENCE), &mut recovered);
    // What was done before something went wrong was done.
    tell(&recovered);
    repository.unrecovered = done?;
    Ok(recovered.healed)
}

/// Returns what could not be healed, by this look or an earlier one of the same command.
fn heal_all(repository: &Repository, recovered: &mut Recovered) -> Result<Unrecovered> {
    let lane_dir = repository.lane_dir();
    let mut still = Unrecovered::default();
    let mut landing = false;
    let strange = lane_dir.tidy().into_iter().map(SetAside::Strange);
    recovered.set_aside.extend(strange);
    let mut abandoned = Journal::new(lane_dir).abandoned::<Intent>()?;
    // The move of a base that was pushed has an intent of its own, which has to be healed first.
    abandoned.sort_by_key(|(said, _)| matches!(said, Said::Intent(Intent::Push(_))));
    let pushed: Vec<_> = abandoned
        .iter()
        .filter_map(|(said, _)| match said {
            Said::Intent(Intent::Push(intent)) => Some(intent.clone()),
            _ => None,
        })
        .collect();
    for (said, mut running) in abandoned {
        // Once in a command is often enough.
        if let Some(known) = repository.unrecovered.find(running.path()) {
            still.0.push(known.clone());
            continue;
        }
        let intent = match said {
            Said::Intent(intent) => match misfit(repository, &intent) {
                Some(misfit) => {
                    recovered
                        .set_aside
                        .push(SetAside::Misfit(running.set_aside()?, misfit));
                    continue;
                }
                None => intent,
            },
            Said::Nothing => {
                running.wait_for_children()?;
                recovered
                    .set_aside
                    .push(SetAside::Damaged(running.set_aside()?));
                continue;
            }
            Said::OfTheOriginal => {
                recovered
                    .set_aside
                    .push(SetAside::OfTheOriginal(running.set_aside()?));
                continue;
            }
            Said::Unknown(Some(about)) => {
                let pending = Pending::of_a_newer(about, running.path());
                recovered.pending.push(pending.clone());
                still.0.push(pending);
                continue;
            }
            Said::Unknown(None) => {
                let path = running.path().display();
                return Err(Error::environment(format!("cannot make sense of '{path}'"))
                    .hint(unrecovered::BY_A_NEWER));
            }
        };
        let pending = Pending::new(intent.about(), running.path());
        let operation = repository.log().begin(intent.subject());
        let result = match &intent {
            Intent::Land(intent) => Some(intent.moves().2),
            Intent::Push(intent) => Some(intent.moves().2),
            Intent::Try(intent) => intent.shows(),
            _ => None,
        };
        let is_landing = matches!(intent, Intent::Land(_) | Intent::Push(_));
        let removed = match &intent {
            Intent::Retire(intent) => intent.removed(),
            Intent::Relocate(intent) => intent.changed(),
            _ => End::default(),
        };
        let pushed = match &intent {
            Intent::Land(landing) => {
                let mut pushed = pushed.iter();
                pushed.find(|pushed| pushed.moves() == landing.moves())
            }
            Intent::Push(pushed) => Some(pushed),
            _ => None,
        };
        let pushed = pushed.map(land::push_first::Intent::remote);
        let before = match &intent {
            Intent::Land(intent) => intent.synced().map(|_| intent.moves().1),
            _ => None,
        };
        let outcome = running.wait_for_children().and_then(|()| match intent {
            Intent::Start(intent) => {
                start::recover(repository, intent, &mut running).map(Healing::Whole)
            }
            Intent::StartAll(intent) => {
                start::recover_all(repository, intent, &mut running).map(Healing::Whole)
            }
            Intent::Retire(intent) => {
                retire::recover(repository, &running, &intent).map(Healing::Whole)
            }
            Intent::Restore(intent) => {
                restore::recover(repository, &running, &intent).map(Healing::Whole)
            }
            Intent::Land(intent) => land::recover_landing::recover(repository, &running, &intent),
            Intent::Push(intent) => land::recover_push::recover(repository, &running, &intent),
            Intent::Switch(intent) => switch::recover(repository, &running, &intent),
            Intent::Relocate(intent) => {
                relocate::recover(repository, &running, &intent).map(Healing::Whole)
            }
            Intent::Resolve(intent) => resolve::recover(repository, intent, &mut running),
            Intent::Try(intent) => try_lane::recover(repository, &running, &intent),
            Intent::TakeIn(intent) => try_lane::recover_take_in(repository, &running, &intent),
            Intent::Mend(poisoned) => doctor::recover(repository, &poisoned).map(Healing::Whole),
            Intent::Rebuild(intent) => rebuild::recover(repository, &intent).map(Healing::Whole),
        });
        let outcome = operation.ended(outcome, |healing| {
            let (counts, note) = match healing {
                Healing::Whole(healed) => (healed.completed, healed.to_string()),
                Healing::Part(unclear) => (unclear.counts, unclear.to_string()),
            };
            let done = if counts { removed } else { End::default() };
            End {
                result: result.filter(|_| counts),
                before,
                pushed: pushed.clone().filter(|_| counts),
                note: Some(note),
                ..done
            }
        });
        let outcome = match outcome {
            Err(error) if error.kind() != Kind::Interrupted => {
                let pending = pending.because(&error);
                recovered.pending.push(pending.clone());
                still.0.push(pending);
                continue;
            }
            outcome => outcome?,
        };
        running.done()?;
        landing |= is_landing;
        match outcome {
            Healing::Whole(healed) => recovered.healed.push(healed),
            Healing::Part(unclear) => recovered.unclear.push(unclear),
        }
    }
    // Not before: no git is to move a ref or a HEAD while a landing that held its lock is half
    // done.
    clear_locks(lane_dir)?;
    scratch::clear(lane_dir, guard::SCRATCH);
    scratch::clear(lane_dir, carry::SCRATCH);
    // It is not known what a newer version's landing still needs.
    if !still.is_a_newers_to_heal() {
        land::recover_landing::clean(repository, landing)?;
    }
    Ok(still)
}

/// The git directory of every worktree.
fn git_dirs(common_dir: &Path) -> impl Iterator<Item = PathBuf> {
    let linked = entries(&common_dir.join("worktrees"));
    linked
        .map(|entry| entry.path())
        .chain([common_dir.to_owned()])
}

/// Clears the locks of git's protocol that dead processes of ours held, except those that belong to
/// an intent.
fn clear_locks(lane_dir: &LaneDir) -> Result<()> {
    let common_dir = lane_dir.common_dir();
    if std::fs::read_dir(lane_dir.locks())
        .into_iter()
        .flatten()
        .next()
        .is_none()
    {
        return Ok(());
    }
    let mut targets = vec![common_dir.join("config"), common_dir.join("packed-refs")];
    for git_dir in git_dirs(common_dir) {
        targets.extend(["index", "HEAD", "ORIG_HEAD"].map(|name| git_dir.join(name)));
    }
    refs_below(&common_dir.join("refs"), &mut targets);
    lockfile::clear_dead(lane_dir, &targets).map(drop)
}

/// Every ref kept in a file of its own, and every one whose lock is there.
fn refs_below(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in entries(directory) {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            refs_below(&path, found);
        } else {
            found.push(if path.extension().is_some_and(|end| end == "lock") {
                path.with_extension("")
            } else {
                path
            });
        }
    }
}
