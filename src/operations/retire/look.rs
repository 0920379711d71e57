//! The one look at a lane that is to leave: for the decision, and again under the locks at the last
//! moment.
//!
//! What is found is a [`Losses`], what no commit of the lane's branch has, and a [`Proof`] that its
//! base has those commits. `finish`, `drop` and `prune` decide by it, [`retire`](super::retire)
//! looks again and refuses what was not there, and the entry in the trash says what it holds by it.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use bstr::BString;

use super::commits;
use crate::domain::finish;
use crate::domain::integration::Integration;
use crate::domain::lane::{Head, Lane, ObjectId, RefName, Worktree, WorktreeState};
use crate::domain::losses::Losses;
use crate::domain::overview::Versus;
use crate::domain::retire::{Refusal, place};
use crate::domain::retire::{moved_on, raced};
use crate::domain::status::WorktreeStatus;
use crate::engines::status;
use crate::error::Result;
use crate::operations::in_flight::{standings, statuses_for_removal, worktree_status};
use crate::repository::Repository;
use crate::repository::{revision, submodules};
use crate::store::git::Invocation;

/// How long to wait for a git that holds a lock of the worktree; it holds one for milliseconds, but
/// for an editor's time where the user writes a message.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long to wait for a lock that is older than [`PATIENCE`], and for one that does not matter in
/// the end.
const PATIENCE_WITH_OLD: Duration = Duration::from_millis(500);

/// What to add where a landing was not begun.
const NOTHING_LANDED: &str = "nothing has landed";

/// How a base was seen to have a lane's work: what must still be so when the lane leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// How.
    pub how: Integration,
    /// The lane's commit that it is about.
    pub tip: ObjectId,
    /// The base.
    pub base: RefName,
    /// The commit of the base.
    pub at: ObjectId,
}

impl Proof {
    /// Whether the base still has all it had then.
    pub(super) fn stands(&self, repository: &Repository) -> Result<bool> {
        let Some(now) = repository.ref_target(&self.base)? else {
            return Ok(false);
        };
        Ok(now == self.at || revision::merge_base(repository, now, self.at)? == Some(self.at))
    }
}

/// The proof that `base`, at the commit `at`, has everything of `tip`: the same evidence for every
/// command.
pub fn prove(
    repository: &Repository,
    tip: ObjectId,
    base: &RefName,
    at: ObjectId,
) -> Result<Option<Proof>> {
    let versus = standings(repository, &[(tip, at)]).pop().transpose()?;
    Ok(versus
        .and_then(|versus| versus.integrated)
        .map(|how| Proof {
            how,
            tip,
            base: base.clone(),
            at,
        }))
}

/// Whether a lane whose turn to land has come is still what `facts` say: hours may have passed in
/// an editor, minutes in the queue. The files are looked at again only where there was such a wait.
pub fn ensure_unchanged(
    repository: &Repository,
    worktrees: &[Worktree],
    facts: &finish::Facts,
    waited: bool,
) -> Result<()> {
    let lane = &facts.lane;
    let worktree = place(lane, worktrees).present();
    let (status, seen) = match (worktree, &facts.status) {
        (None, None) => (WorktreeStatus::default(), WorktreeStatus::default()),
        (Some(worktree), Some(seen)) if waited => {
            (worktree_status(repository, worktree)?, seen.clone())
        }
        (Some(worktree), Some(seen)) => {
            let operation = status::operation(&worktree.git_dir);
            (
                WorktreeStatus {
                    operation,
                    ..seen.clone()
                },
                seen.clone(),
            )
        }
        _ => return Err(raced(&lane.name).hint(NOTHING_LANDED)),
    };
    // Only a lane that is where it belongs has got so far.
    let (now, seen) = (
        Losses::of(lane, worktree, status),
        Losses::of(lane, None, seen),
    );
    if now.goes_beyond(&seen) {
        return Err(Refusal::Changed(Box::new(now))
            .refuse(&lane.name)
            .hint(NOTHING_LANDED));
    }
    if tip(repository, lane, worktree)? != facts.tip {
        return Err(moved_on(&lane.name).hint(NOTHING_LANDED));
    }
    Ok(())
}

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Look {
    /// What only the lane has.
    pub losses: Losses,
    /// The lane's commit: its branch's, or HEAD's in a detached lane.
    pub tip: Option<ObjectId>,
    /// The proof that its base has the commits.
    pub proof: Option<Proof>,
}

/// The lane's commit: its branch's, or HEAD's in a detached lane.
pub fn tip(
    repository: &Repository,
    lane: &Lane,
    worktree: Option<&Worktree>,
) -> Result<Option<ObjectId>> {
    match (&lane.branch, worktree.map(|worktree| &worktree.head)) {
        (Some(branch), _) => repository.branch_tip(branch),
        (None, Some(Head::Detached(id))) => Ok(Some(*id)),
        _ => Ok(None),
    }
}

/// Looks at one lane.
pub fn look(repository: &Repository, lane: &Lane, worktree: Option<&Worktree>) -> Result<Look> {
    let seen = look_at_all(repository, &[(lane, worktree)]).swap_remove(0)?;
    let losses = with_inner(repository, lane, worktree, seen.losses);
    Ok(Look { losses, ..seen })
}

/// Looks at many lanes: files in parallel, commits in one walk. Only those that are to leave need
/// [`with_inner`], which starts gits.
pub fn look_at_all(
    repository: &Repository,
    lanes: &[(&Lane, Option<&Worktree>)],
) -> Vec<Result<Look>> {
    let present = |worktree: &Option<&Worktree>| {
        worktree.is_some_and(|found| found.state == WorktreeState::Present)
    };
    let there: Vec<&Worktree> = lanes
        .iter()
        .filter(|(_, found)| present(found))
        .filter_map(|(_, found)| *found)
        .collect();
    let mut statuses = statuses_for_removal(repository, &there).into_iter();
    let mut found: Vec<Result<Look>> = lanes
        .iter()
        .map(|(lane, worktree)| {
            let status = match worktree {
                Some(_) if present(worktree) => statuses
                    .next()
                    .unwrap_or_else(|| Ok(WorktreeStatus::default())),
                worktree => status_without_files(repository, lane, *worktree),
            };
            let losses = losses(repository, lane, *worktree, status?)?;
            Ok(Look {
                losses,
                tip: tip(repository, lane, *worktree)?,
                proof: None,
            })
        })
        .collect();
    compare(repository, lanes, &mut found);
    found
}

/// The same with what its submodules, and other repositories in it, hold.
pub fn with_inner(
    repository: &Repository,
    lane: &Lane,
    worktree: Option<&Worktree>,
    losses: Losses,
) -> Losses {
    let inside = |worktree| submodules::held(repository, lane, worktree, losses.status.is_complete);
    let inner = worktree.map(inside).unwrap_or_default();
    Losses { inner, ..losses }
}

/// What only the lane has, its commits and the repositories in it apart, where the status of its
/// worktree is known already.
pub fn losses(
    repository: &Repository,
    lane: &Lane,
    worktree: Option<&Worktree>,
    status: WorktreeStatus,
) -> Result<Losses> {
    let Some(worktree) = worktree else {
        return Ok(Losses::of(lane, None, status));
    };
    let commits = commits::only_here(repository, lane, worktree)?;
    Ok(Losses {
        commits,
        ..Losses::of(lane, Some(worktree), status)
    })
}

/// The same with a look at the files.
pub(super) fn losses_now(
    repository: &Repository,
    lane: &Lane,
    worktree: Option<&Worktree>,
) -> Result<Losses> {
    let status = match worktree.filter(|worktree| worktree.state == WorktreeState::Present) {
        Some(worktree) => worktree_status(repository, worktree)?,
        None => status_without_files(repository, lane, worktree)?,
    };
    losses(repository, lane, worktree, status)
        .map(|losses| with_inner(repository, lane, worktree, losses))
}

/// The status of a lane without a directory: its index and an operation in progress are still
/// there. The directory may only be unmounted.
pub fn status_without_files(
    repository: &Repository,
    lane: &Lane,
    worktree: Option<&Worktree>,
) -> Result<WorktreeStatus> {
    match worktree {
        Some(worktree) if matches!(worktree.state, WorktreeState::Missing) => status::of_index(
            &repository.gix,
            &worktree.git_dir,
            || git_in_admin(repository, worktree),
            lane.fork_point,
        ),
        _ => Ok(WorktreeStatus::default()),
    }
}

/// A git that works for a worktree, whether its directory is there or not.
pub(super) fn git_in_admin(repository: &Repository, worktree: &Worktree) -> Invocation {
    match worktree.state {
        WorktreeState::Present => repository.git_in(worktree),
        _ => repository.git_here().env("GIT_DIR", &worktree.git_dir),
    }
}

/// Fills in how the commits stand to the base. Without a base, or when it is gone, they are counted
/// from where the lane started.
fn compare(
    repository: &Repository,
    lanes: &[(&Lane, Option<&Worktree>)],
    found: &mut [Result<Look>],
) {
    let (mut places, mut pairs) = (Vec::new(), Vec::new());
    for (at, ((lane, _), found)) in lanes.iter().zip(found.iter_mut()).enumerate() {
        let Ok(Look { tip: Some(tip), .. }) = found else {
            continue;
        };
        match lane
            .base
            .as_ref()
            .map(|base| repository.ref_target(base))
            .transpose()
        {
            Ok(base) => {
                let base = base.flatten();
                places.push((at, base.and(lane.base.as_ref())));
                pairs.push((*tip, base.unwrap_or(lane.fork_point)));
            }
            Err(error) => *found = Err(error),
        }
    }
    for (((at, base), (tip, commit)), versus) in places
        .into_iter()
        .zip(&pairs)
        .zip(standings(repository, &pairs))
    {
        let Ok(look) = &mut found[at] else { continue };
        match versus {
            Ok(Versus {
                integrated: Some(how),
                ..
            }) => {
                let proof = |base: &RefName| Proof {
                    how,
                    tip: *tip,
                    base: base.clone(),
                    at: *commit,
                };
                look.proof = base.map(proof);
            }
            Ok(versus) => look.losses.ahead = versus.ahead,
            Err(error) => found[at] = Err(error),
        }
    }
}

/// The ignored paths that a lane takes along, those in its submodules too: no proof knows of them.
/// A whole directory is one path with a slash at the end.
pub fn ignored(
    repository: &Repository,
    lane: &Lane,
    worktree: Option<&Worktree>,
) -> Result<Vec<BString>> {
    let present = worktree.filter(|worktree| worktree.state == WorktreeState::Present);
    let Some(worktree) = present else {
        return Ok(Vec::new());
    };
    let mut found = status::ignored(&repository.git, &worktree.path, &worktree.git_dir)?;
    for (place, git_dir) in submodules::in_worktree(repository, lane, worktree) {
        let mut prefix = BString::from(place.as_os_str().as_bytes());
        prefix.push(b'/');
        if found
            .iter()
            .any(|path| path.ends_with(b"/") && prefix.starts_with(path))
        {
            continue;
        }
        // One that cannot be read is said to hold something.
        let inside = status::ignored(&repository.git, &worktree.path.join(&place), &git_dir)
            .unwrap_or_default();
        found.extend(
            inside
                .into_iter()
                .map(|path| BString::from([prefix.as_slice(), &path].concat())),
        );
    }
    Ok(found)
}

/// Waits for gits that hold a lock of the worktree; says which one is left in the end.
pub fn wait_for_locks(worktree: &Worktree, although_busy: bool) -> Result<(), Refusal> {
    let start = Instant::now();
    while let Some(lock) = lock_in(&worktree.git_dir) {
        let old = std::fs::symlink_metadata(&lock)
            .and_then(|found| found.modified())
            .ok();
        let old = old
            .and_then(|since| SystemTime::now().duration_since(since).ok())
            .is_some_and(|age| age > PATIENCE);
        if start.elapsed()
            > if old || although_busy {
                PATIENCE_WITH_OLD
            } else {
                PATIENCE
            }
        {
            return if although_busy {
                Ok(())
            } else {
                Err(Refusal::GitAtWork(lock))
            };
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// Whether a git holds a lock of the worktree.
pub fn is_locked(worktree: &Worktree) -> bool {
    lock_in(&worktree.git_dir).is_some()
}

/// A lock that git takes while it changes what is staged or checked out in the worktree.
fn lock_in(admin: &Path) -> Option<PathBuf> {
    ["index.lock", "HEAD.lock"]
        .into_iter()
        .map(|name| admin.join(name))
        .find(|path| path.symlink_metadata().is_ok())
}
