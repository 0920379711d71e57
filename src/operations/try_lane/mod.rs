//! Shows a lane in the main worktree, as it stands, and brings the main worktree back.
//!
//! What is shown is a commit: the lane's own, or one on top of it with all that is not committed. The
//! lane is not touched. A record and a ref ([`crate::repository::tried`]) say from before the first
//! file changes until after the last what the main worktree was, so that no file of it counts as the
//! team's word meanwhile. `main_move` is the one way in which its files, its index and its HEAD change,
//! `obstructed` and `differences` look before that, `to_lane` takes what was changed there into the
//! lane.
//!
//! Called by `commands/try_lane`, `operations/undo`, and `recover`.

mod bring_back;
mod differences;
mod ended_by_hand;
mod kept_modes;
mod known_untracked;
mod lane_fit;
mod lane_snapshot;
mod main_move;
mod obstructed;
mod recover_try;
mod take_in;
mod take_in_stage;
mod to_lane;

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;

use bstr::BString;

pub use self::bring_back::{BroughtBack, back};
pub use self::ended_by_hand::{follow_home, forget_if_ended, put_right, trouble};
use self::lane_snapshot::Snapshot;
pub use self::main_move::Intent;
use self::main_move::{Deed, MainMove};
pub use self::recover_try::recover;
pub use self::take_in::{Intent as TakeInIntent, recover as recover_take_in};
pub use self::to_lane::{Taken, take_to_lane};
use crate::domain::event::{End, Subject, What};
use crate::domain::lane::{Head, Lane, ObjectId, RefName, Worktree, WorktreeState};
use crate::domain::name::BranchName;
use crate::domain::try_lane::{BeginRefusal, EndRefusal, Tried};
use crate::error::{Code, Error, Result};
use crate::operations::checkout::index_lock::Locked;
use crate::operations::forecast::snapshot::Purpose;
use crate::operations::in_flight::worktree_statuses;
use crate::operations::land::obstacles_ahead::foretell_obstacles;
use crate::repository::quarantine::Scratch;
use crate::repository::tree_diff::{changes, changes_in};
use crate::repository::unrecovered::ensure_not_half_moved;
use crate::repository::{Repository, tried};
use crate::store::journal::{Exclusive, step};
use crate::store::lockfile::LockFile;

/// A lane that the main worktree shows.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The commit that is shown.
    pub commit: ObjectId,
    /// The lane's own commit.
    pub tip: ObjectId,
    /// The main worktree.
    pub main: PathBuf,
    /// What it comes back to.
    pub branch: RefName,
    /// Whether it was shown already, just so.
    pub already: bool,
    /// What it had shown before.
    pub before: Option<BroughtBack>,
}

/// The main worktree, and what its HEAD names.
struct Home {
    main: Worktree,
    /// The branch that is checked out.
    branch: BranchName,
    /// The name HEAD gives it.
    named: RefName,
    tip: ObjectId,
}

/// The lock of those that show lanes: one at a time.
const LOCK: &str = "try.lock";

/// How long to wait for others.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits for others that show lanes, and for what moves the files of the main worktree just now: what
/// they have half done looks like changes.
fn turn(repository: &Repository, dry_run: bool) -> Result<Option<Exclusive>> {
    let lock = match dry_run {
        true => None,
        false => Some(Exclusive::acquire(repository.lane_dir(), LOCK, PATIENCE)?),
    };
    LockFile::wait_until_free(
        &repository.common_dir().join("index"),
        repository.lane_dir(),
    )?;
    Ok(lock)
}

/// Shows a lane, or says what would be shown.
pub fn show(repository: &Repository, lane: &Lane, dry_run: bool) -> Result<Shown> {
    let _turn = turn(repository, dry_run)?;
    repository.unrecovered.ensure_lane_is_whole(&lane.name)?;
    if repository.tried()?.is_none() {
        return show_from_branch(repository, lane, dry_run);
    }
    let tried = tried_now(repository)?;
    let main = main_worktree(repository)?.map_err(|refusal| refusal.refuse(&lane.name))?;
    differences::ensure_none(repository, &main, &tried)?;
    let scratch = scratch(repository, dry_run)?;
    let snapshot = lane_snapshot::take(repository, &scratch, lane, purpose(dry_run))?;
    if tried.lane_id == lane.id && tried.commit == snapshot.commit {
        return Ok(Shown {
            commit: snapshot.commit,
            tip: snapshot.tip,
            main: main.path,
            branch: tried.branch,
            already: true,
            before: None,
        });
    }
    foretell_next(repository, &scratch, lane, (&tried, &main), &snapshot)?;
    let before = bring_back::go_back(repository, dry_run)?;
    if dry_run {
        return Ok(Shown {
            commit: snapshot.commit,
            tip: snapshot.tip,
            main: main.path,
            branch: tried.branch,
            already: false,
            before: Some(before),
        });
    }
    drop(snapshot);
    match show_from_branch(repository, lane, false) {
        Ok(shown) => Ok(Shown {
            before: Some(before),
            ..shown
        }),
        Err(error) => Err(error.hint(format!(
            "the main worktree shows no lane any more, it is back on '{}'",
            before.branch
        ))),
    }
}

fn show_from_branch(repository: &Repository, lane: &Lane, dry_run: bool) -> Result<Shown> {
    let home = home(repository)?.map_err(|refusal| refusal.refuse(&lane.name))?;
    tried::ensure_can_keep(repository)?;
    let scratch = scratch(repository, dry_run)?;
    let snapshot = lane_snapshot::take(repository, &scratch, lane, purpose(dry_run))?;
    if dry_run {
        foretell(repository, &scratch, lane, &home, &snapshot)?;
    } else {
        let operation = repository.log().begin(Subject::of(What::Try, lane));
        let done = lay_out(repository, &scratch, lane, &home, &snapshot);
        operation.ended(done, |()| End {
            result: Some(snapshot.commit),
            ..End::default()
        })?;
    }
    Ok(Shown {
        commit: snapshot.commit,
        tip: snapshot.tip,
        main: home.main.path,
        branch: home.named,
        already: false,
        before: None,
    })
}

fn scratch(repository: &Repository, dry_run: bool) -> Result<Scratch> {
    match dry_run {
        true => Scratch::outside(repository),
        false => Scratch::new(repository),
    }
}

fn purpose(dry_run: bool) -> Purpose {
    match dry_run {
        true => Purpose::Rehearsed,
        false => Purpose::Shown,
    }
}

/// The main worktree, where it is there.
fn main_worktree(repository: &Repository) -> Result<Result<Worktree, BeginRefusal>> {
    let main = repository.worktrees()?.into_iter().next();
    Ok(match main {
        Some(main) if main.state.is_bare() => Err(BeginRefusal::Bare),
        Some(main) if main.state == WorktreeState::Present => Ok(main),
        _ => Err(BeginRefusal::NoMainWorktree),
    })
}

/// The main worktree, where it is settled and on a branch.
fn home(repository: &Repository) -> Result<Result<Home, BeginRefusal>> {
    let main = match main_worktree(repository)? {
        Ok(main) => main,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let Some(branch) = main.head.branch().cloned() else {
        return Ok(Err(BeginRefusal::NoBranch(main.path)));
    };
    let Some(tip) = repository.branch_tip(&branch)? else {
        return Ok(Err(BeginRefusal::Unborn(main.path)));
    };
    let status = worktree_statuses(repository, &[&main]).swap_remove(0)?;
    if !status.is_clean() || status.operation.is_some() {
        return Ok(Err(BeginRefusal::Unsettled(main.path, status)));
    }
    let named = RefName::from(main.alias.as_ref().unwrap_or(&branch));
    Ok(Ok(Home {
        main,
        branch,
        named,
        tip,
    }))
}

/// Whether the main worktree would let it be, asked without touching it.
fn foretell(
    repository: &Repository,
    scratch: &Scratch,
    lane: &Lane,
    home: &Home,
    snapshot: &Snapshot,
) -> Result<()> {
    let Home {
        main, branch, tip, ..
    } = home;
    let view = scratch.view(repository)?;
    let changed = changes_in(&view, *tip, snapshot.commit)?;
    let index = main.git_dir.join("index");
    obstructed::ensure_returns(repository, scratch, main, &index, &changed)?
        .map_err(|refusal| refusal.refuse(&lane.name))?;
    foretell_obstacles(repository, scratch, main, (branch, *tip, snapshot.commit))
        .map_err(|error| not_shown(error, lane, main))
}

/// Whether the main worktree, which shows another lane, would let it be. What that one has changed
/// there comes back as git writes it; all else is as it will be then.
fn foretell_next(
    repository: &Repository,
    scratch: &Scratch,
    lane: &Lane,
    (tried, main): (&Tried, &Worktree),
    snapshot: &Snapshot,
) -> Result<()> {
    let (branch, tip) = bring_back::home_of(repository, tried, main)?;
    let shown: HashSet<BString> = changes(repository, tip, tried.commit)?
        .into_iter()
        .map(|change| change.path)
        .collect();
    let view = scratch.view(repository)?;
    let mut changed = changes_in(&view, tip, snapshot.commit)?;
    changed.retain(|change| !shown.contains(&change.path));
    let index = main.git_dir.join("index");
    obstructed::ensure_returns(repository, scratch, main, &index, &changed)?
        .map_err(|refusal| refusal.refuse(&lane.name))?;
    let move_ = (&branch, tried.commit, snapshot.commit);
    foretell_obstacles(repository, scratch, main, move_)
        .map_err(|error| not_shown(error, lane, main))
}

/// Lays the snapshot out in the main worktree.
fn lay_out(
    repository: &Repository,
    scratch: &Scratch,
    lane: &Lane,
    home: &Home,
    snapshot: &Snapshot,
) -> Result<()> {
    let main = &home.main;
    repository
        .unrecovered
        .ensure_files_are_whole(&main.git_dir)?;
    let index = Locked::of(repository, main, &home.branch)?.ok_or_else(|| raced(main))?;
    ensure_not_half_moved(repository, main)?;
    // What was so before the lock was taken is looked at again.
    match self::home(repository)? {
        Ok(now) if now.branch == home.branch && now.tip == home.tip => {}
        Ok(_) => return Err(raced(main)),
        Err(refusal) => return Err(refusal.refuse(&lane.name)),
    }
    if repository.tried()?.is_some() {
        return Err(raced(main));
    }
    tried::ensure_can_keep(repository)?;
    let prepared = index.copy()?;
    step("try.prepared");
    let changed = changes(repository, home.tip, snapshot.commit)?;
    obstructed::ensure_returns(repository, scratch, main, &prepared.path, &changed)?
        .map_err(|refusal| refusal.refuse(&lane.name))?;
    obstructed::ensure_clear(
        repository,
        main,
        (&home.branch, home.tip, snapshot.commit),
        &prepared.path,
        &changed,
    )
    .map_err(|error| not_shown(error, lane, main))?;
    let tried = Tried {
        lane: lane.name.clone(),
        lane_id: lane.id.clone(),
        branch: home.named.clone(),
        from: home.tip,
        commit: snapshot.commit,
    };
    let shown = MainMove {
        deed: Deed::Show,
        tried: &tried,
        main,
        old: home.tip,
        new: snapshot.commit,
        from: Head::Branch(home.branch.clone()),
    };
    shown.carry_out(repository, index, prepared)
}

/// What is in the way, in the words of a lane that is to be shown.
fn not_shown(error: Error, lane: &Lane, main: &Worktree) -> Error {
    match obstructed::files_of(&error) {
        Some(files) => BeginRefusal::InTheWay(main.path.clone(), files).refuse(&lane.name),
        None => error,
    }
}

fn raced(main: &Worktree) -> Error {
    Error::refused(format!(
        "the main worktree '{}' was switched or changed meanwhile",
        main.path.display()
    ))
    .with_code(Code::Raced)
    .hint("run the command again")
}

/// The record of what is shown, with the name that its branch has by now.
fn tried_now(repository: &Repository) -> Result<Tried> {
    let tried = repository.tried()?.ok_or(EndRefusal::NotTried)?;
    Ok(match tried::renamed_home(repository, &tried)? {
        Some(branch) => Tried { branch, ..tried },
        None => tried,
    })
}
