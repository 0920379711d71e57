//! Reads what is in flight: lanes matched with worktrees, their files, their standing to the base.

use std::collections::BTreeMap;
use std::path::Path;

use crate::domain::lane::{Head, Lane, ObjectId, RefName, Worktree, WorktreeState};
use crate::domain::name::BranchName;
use crate::domain::overview::{Entry, Published, State, Versus, sort};
use crate::domain::status::WorktreeStatus;
use crate::engines::status::{Depth, statuses};
use crate::engines::{evidence, history};
use crate::error::Result;
use crate::operations::retire::is_untouched;
use crate::repository::publication::Publications;
use crate::repository::worktree::head_moved;
use crate::repository::{RefFormat, Repository, revision, upstream};
use crate::store::activity::Activity;

/// How much to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// Names, branches and paths: nothing whose cost grows with files or commits.
    Names,
    /// Everything.
    Full,
}

/// Every lane and every other worktree, in the order of the list.
pub fn entries(repository: &Repository, detail: Detail) -> Result<Vec<Entry>> {
    let worktrees = repository.worktrees()?;
    let mut entries = matched(repository.records()?.lanes, worktrees);
    for entry in &mut entries {
        entry.is_current = is_current(repository, entry);
    }
    if detail == Detail::Full {
        read(repository, &mut entries)?;
    } else {
        for entry in &mut entries {
            entry.state = State::of(entry.lane.as_ref(), entry.worktree.as_ref(), None);
        }
    }
    tell_of_tried(repository, &mut entries);
    sort(&mut entries);
    Ok(entries)
}

/// Has the main worktree say which lane it shows.
fn tell_of_tried(repository: &Repository, entries: &mut [Entry]) {
    // A damaged record is the doctor's to tell of.
    let Ok(Some(tried)) = repository.tried() else {
        return;
    };
    let on_none = |entry: &&mut Entry| {
        let worktree = entry.worktree.as_ref();
        entry.is_main() && worktree.is_some_and(|main| main.head.branch().is_none())
    };
    // It may have got another name since.
    let lanes = entries.iter().filter_map(|entry| entry.lane.as_ref());
    let mut lanes = lanes.into_iter();
    let now = lanes
        .find(|lane| lane.id == tried.lane_id)
        .map_or(tried.lane, |lane| lane.name.clone());
    if let Some(main) = entries.iter_mut().find(on_none) {
        let state = std::mem::replace(&mut main.state, State::Unread);
        main.state = state.trying(now);
    }
}

/// Everything about one lane.
pub fn entry(repository: &Repository, lane: &Lane) -> Result<Entry> {
    let all = matched(repository.records()?.lanes, repository.worktrees()?);
    let mut one: Vec<Entry> = all
        .into_iter()
        .filter(|entry| entry.name() == Some(&lane.name))
        .collect();
    read(repository, &mut one)?;
    for entry in &mut one {
        entry.is_current = is_current(repository, entry);
    }
    one.pop()
        .ok_or_else(|| crate::domain::retire::raced(&lane.name))
}

/// Everything about these lanes, in their order; `worktrees` are all there are.
pub fn of_lanes(
    repository: &Repository,
    lanes: Vec<Lane>,
    worktrees: Vec<Worktree>,
) -> Result<Vec<Entry>> {
    let mut entries = matched(lanes, worktrees);
    entries.retain(|entry| entry.lane.is_some());
    read(repository, &mut entries)?;
    Ok(entries)
}

/// Brings records and worktrees together: by the recorded path, else by the branch a worktree has
/// checked out, because a worktree may have been moved.
fn matched(lanes: Vec<Lane>, worktrees: Vec<Worktree>) -> Vec<Entry> {
    let mut free: Vec<Option<Worktree>> = worktrees.into_iter().map(Some).collect();
    let by_path: BTreeMap<_, _> = free
        .iter()
        .enumerate()
        .filter_map(|(at, worktree)| Some((worktree.as_ref()?.path.clone(), at)))
        .collect();
    let mut entries: Vec<Entry> = lanes
        .into_iter()
        .map(|lane| {
            let worktree = by_path.get(&lane.worktree).and_then(|at| free[*at].take());
            Entry::unread(Some(lane), worktree)
        })
        .collect();
    for entry in &mut entries {
        let gone = entry
            .worktree
            .as_ref()
            .is_none_or(|worktree| worktree.state == WorktreeState::Missing);
        let branch = entry.lane.as_ref().and_then(|lane| lane.branch.as_ref());
        let Some(branch) = branch.filter(|_| gone) else {
            continue;
        };
        let mut slot = |state| {
            let held = |slot: &&mut Option<Worktree>| {
                slot.as_ref()
                    .is_some_and(|there| holds(there, branch, &state))
            };
            free.iter_mut().find(held).and_then(Option::take)
        };
        if let Some(moved) = slot(WorktreeState::Present) {
            entry.worktree = Some(moved);
        } else if entry.worktree.is_none() {
            // Moved, and removed from there.
            entry.worktree = slot(WorktreeState::Missing);
        }
    }
    entries.extend(
        free.into_iter()
            .flatten()
            .map(|worktree| Entry::unread(None, Some(worktree))),
    );
    entries
}

fn holds(worktree: &Worktree, branch: &BranchName, state: &WorktreeState) -> bool {
    worktree.id.is_some() && worktree.state == *state && worktree.is_on(branch)
}

/// Fills in states, tips, standing and times.
fn read(repository: &Repository, entries: &mut [Entry]) -> Result<()> {
    let present: Vec<usize> = entries
        .iter()
        .enumerate()
        .filter(|(_, entry)| {
            entry
                .worktree
                .as_ref()
                .is_some_and(|worktree| worktree.state == WorktreeState::Present)
        })
        .map(|(at, _)| at)
        .collect();
    let worktrees: Vec<&Worktree> = present
        .iter()
        .filter_map(|at| entries[*at].worktree.as_ref())
        .collect();
    let found = worktree_statuses(repository, &worktrees);
    if found.iter().any(Result::is_err) {
        // No lane is damaged because git cannot be run.
        repository.git.ensure_usable()?;
    }
    let mut found: BTreeMap<usize, Result<WorktreeStatus>> =
        present.into_iter().zip(found).collect();
    for (at, entry) in entries.iter_mut().enumerate() {
        let status = found
            .remove(&at)
            .map(|status| status.map_err(|error| error.to_string()));
        entry.state = State::of(entry.lane.as_ref(), entry.worktree.as_ref(), status);
        match tip(repository, entry) {
            Ok(tip) => entry.tip = tip,
            Err(error) => entry.state = State::Damaged(error.to_string()),
        }
        entry.committed = entry.tip.and_then(|tip| committed(repository, tip));
    }
    compare(repository, entries)?;
    find_published(repository, entries);
    for entry in entries {
        entry.untouched = is_unused(repository, entry);
        let head_moved = entry.worktree.as_ref().and_then(head_moved);
        entry.active = entry.last_activity(head_moved);
    }
    Ok(())
}

/// Whether the caller stands in its worktree.
fn is_current(repository: &Repository, entry: &Entry) -> bool {
    let worktree = entry.worktree.as_ref();
    worktree.is_some_and(|worktree| {
        worktree.git_dir == repository.git_dir() && !worktree.state.is_bare()
    })
}

/// Whether no commit was ever made in the lane. Its reflogs are read only where the base has all of
/// its commits, and not where git would have to be started for them.
fn is_unused(repository: &Repository, entry: &Entry) -> bool {
    let Some(lane) = &entry.lane else {
        return false;
    };
    let by_git = repository.ref_format() == RefFormat::Reftable;
    let versus = entry.versus.as_ref().filter(|_| !by_git);
    let integrated = versus.and_then(|versus| versus.integrated.as_ref());
    let place = (lane, entry.worktree.as_ref());
    is_untouched(repository, place, entry.tip, integrated)
}

/// Fills in where lanes are published. Only those whose remote branch is at another commit are
/// compared with it, in one walk.
fn find_published(repository: &Repository, entries: &mut [Entry]) {
    let look = Publications::of(repository);
    let (mut pairs, mut places) = (Vec::new(), Vec::new());
    for (at, entry) in entries.iter_mut().enumerate() {
        let (Some(lane), Some(tip)) = (&entry.lane, entry.tip) else {
            continue;
        };
        let Some((tracking, there)) = look.find(lane) else {
            continue;
        };
        entry.published = Some(Published {
            tracking,
            distance: (there == Some(tip)).then_some((0, 0)),
        });
        if let Some(there) = there.filter(|there| *there != tip) {
            pairs.push((tip, there));
            places.push(at);
        }
    }
    // Where objects are lost, how far they are apart is not known, and nothing is said of them.
    let found = match history::divergences(&repository.gix, &pairs) {
        Ok(found) => found.into_iter().map(Some).collect(),
        Err(_) => vec![None; pairs.len()],
    };
    for (at, found) in places.into_iter().zip(found) {
        match (found, &mut entries[at].published) {
            (Some(found), Some(published)) => {
                published.distance = Some((found.ahead, found.behind));
            }
            (_, published) => *published = None,
        }
    }
}

fn tip(repository: &Repository, entry: &Entry) -> Result<Option<ObjectId>> {
    if let Some(branch) = entry.branch() {
        return repository.branch_tip(branch);
    }
    Ok(
        match entry.worktree.as_ref().map(|worktree| &worktree.head) {
            Some(Head::Detached(id)) => Some(*id),
            _ => None,
        },
    )
}

fn committed(repository: &Repository, commit: ObjectId) -> Option<i64> {
    repository
        .gix
        .find_commit(commit)
        .ok()?
        .time()
        .ok()
        .map(|time| time.seconds)
}

/// Compares all lanes with their bases in one walk.
fn compare(repository: &Repository, entries: &mut [Entry]) -> Result<()> {
    let mut bases: BTreeMap<_, Option<ObjectId>> = BTreeMap::new();
    let mut pairs = Vec::new();
    let mut places = Vec::new();
    for (at, entry) in entries.iter().enumerate() {
        let Some((base, tip)) = entry
            .lane
            .as_ref()
            .and_then(|lane| lane.base.clone())
            .zip(entry.tip)
        else {
            continue;
        };
        let commit = match bases.get(&base) {
            Some(commit) => *commit,
            // A base that cannot be read is as good as none: nothing can be compared with it.
            None => *bases
                .entry(base.clone())
                .or_insert_with(|| repository.ref_target(&base).ok().flatten()),
        };
        if let Some(commit) = commit {
            pairs.push((tip, commit));
            places.push(at);
        }
    }
    let standings = standings(repository, &pairs);
    if standings.iter().any(Result::is_err) {
        repository.git.ensure_usable()?;
    }
    for (at, versus) in places.into_iter().zip(standings) {
        match versus {
            Ok(versus) => entries[at].versus = Some(versus),
            Err(error) => entries[at].state = State::Damaged(error.to_string()),
        }
    }
    leave_out_others(repository, entries, &bases)
}

/// Does not count what the base's upstream has already and the base only lacks: that is no lane's own.
fn leave_out_others(
    repository: &Repository,
    entries: &mut [Entry],
    bases: &BTreeMap<RefName, Option<ObjectId>>,
) -> Result<()> {
    let mut newer = BTreeMap::new();
    for (base, commit) in bases {
        // One that cannot be compared leaves the count as it is.
        let found =
            commit.and_then(|commit| upstream::newer(repository, base, commit).ok().flatten());
        newer.extend(found.map(|found| (base, found)));
    }
    let (mut pairs, mut places) = (Vec::new(), Vec::new());
    for (at, entry) in entries.iter().enumerate() {
        let base = entry.lane.as_ref().and_then(|lane| lane.base.as_ref());
        let is_ahead = entry.versus.as_ref().is_some_and(|versus| versus.ahead > 0);
        if let (Some(tip), Some(newer), true) =
            (entry.tip, base.and_then(|base| newer.get(base)), is_ahead)
        {
            pairs.push((tip, *newer));
            places.push(at);
        }
    }
    let Ok(found) = history::divergences(&repository.gix, &pairs) else {
        return Ok(());
    };
    for (at, found) in places.into_iter().zip(found) {
        if let Some(versus) = &mut entries[at].versus {
            versus.ahead = found.ahead;
        }
    }
    Ok(())
}

/// How every tip stands to its base, and the proof where its work is in there already; (tip, base)
/// in, in that order out. Where objects are lost, that is an error of the pairs that need them and
/// of no other.
pub fn standings(repository: &Repository, pairs: &[(ObjectId, ObjectId)]) -> Vec<Result<Versus>> {
    match together(repository, pairs) {
        Ok(found) => found.into_iter().map(Ok).collect(),
        Err(error) if pairs.len() == 1 => vec![Err(error)],
        Err(_) => pairs
            .iter()
            .flat_map(|pair| standings(repository, &[*pair]))
            .collect(),
    }
}

fn together(repository: &Repository, pairs: &[(ObjectId, ObjectId)]) -> Result<Vec<Versus>> {
    let pairs: Vec<_> = pairs
        .iter()
        .map(|(tip, base)| (*tip, revision::peeled(repository, *base)))
        .collect();
    let divergences = history::divergences(&repository.gix, &pairs)?;
    let questions: Vec<_> = pairs
        .iter()
        .zip(&divergences)
        .map(|((tip, base), found)| (*tip, *base, found))
        .collect();
    let _doing = Activity::begin(format!(
        "comparing the commits of {} lanes",
        questions.len()
    ));
    let proofs = evidence::integrations(
        &repository.gix,
        &repository.git,
        &questions,
        evidence::Bound::default(),
    )?;
    let versus = |(found, integrated): (&history::Divergence, _)| Versus {
        ahead: found.ahead,
        behind: found.behind,
        integrated,
    };
    Ok(divergences.iter().zip(proofs).map(versus).collect())
}

/// What is in each of these worktrees that its branch does not hold, in their order.
pub fn worktree_statuses(
    repository: &Repository,
    worktrees: &[&Worktree],
) -> Vec<Result<WorktreeStatus>> {
    look(repository, worktrees, Depth::Full)
}

/// The same for worktrees that may be taken away: what is hidden because it is ignored, git itself
/// has called ignored.
pub fn statuses_for_removal(
    repository: &Repository,
    worktrees: &[&Worktree],
) -> Vec<Result<WorktreeStatus>> {
    look(repository, worktrees, Depth::Removal)
}

/// What is in one worktree, which may be taken away, that its branch does not hold.
pub fn worktree_status(repository: &Repository, worktree: &Worktree) -> Result<WorktreeStatus> {
    look(repository, &[worktree], Depth::Removal).swap_remove(0)
}

fn look(
    repository: &Repository,
    worktrees: &[&Worktree],
    depth: Depth,
) -> Vec<Result<WorktreeStatus>> {
    let _doing = Activity::begin(match worktrees {
        [_] => "looking at the files of a worktree".to_owned(),
        several => format!("looking at the files of {} worktrees", several.len()),
    });
    let places: Vec<(&Path, &Path)> = worktrees
        .iter()
        .map(|worktree| (worktree.path.as_path(), worktree.git_dir.as_path()))
        .collect();
    statuses(&repository.gix, &places, &repository.git, depth)
}
