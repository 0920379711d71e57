//! Takes what was changed in the main worktree into the lane that it shows, and brings the main
//! worktree back.
//!
//! First the lane gets the files (`take_in`): from then on they are in both. Then what the main
//! worktree has counts as shown, and the rest is the way back of any lane that is shown. A death
//! between two of these leaves what the same command goes on with.

use std::collections::BTreeMap;

use bstr::{BString, ByteSlice};
use gix::index::entry::Flags;
use gix::objs::tree::EntryMode;

use super::bring_back::{self, go_back};
use super::main_move::{Deed, MainMove};
use super::take_in::Identity;
use super::{
    BroughtBack, differences, known_untracked, lane_fit, lane_snapshot, main_worktree, purpose,
    raced, scratch, take_in, tried_now, turn,
};
use crate::domain::lane::{Head, Lane, ObjectId, Worktree};
use crate::domain::try_lane::{BeginRefusal, Difference, EndRefusal, Tried, Ways};
use crate::engines::status::Apart;
use crate::error::{Error, Result};
use crate::operations::checkout::index_lock::Locked;
use crate::operations::checkout::on_index;
use crate::operations::forecast::snapshot::{Purpose, Taking, standing};
use crate::repository::kept_pack::KeptPack;
use crate::repository::quarantine::Scratch;
use crate::repository::tree_diff::{Changed, changes_in};
use crate::repository::unrecovered::ensure_not_half_moved;
use crate::repository::{Repository, claims};
use crate::store::journal::step;
use crate::store::lockfile::LockFile;

/// What was taken, and the main worktree, back.
#[derive(Debug, Clone)]
pub struct Taken {
    /// The files that the lane has by now.
    pub files: Vec<BString>,
    /// The main worktree.
    pub back: BroughtBack,
}

/// Takes it, or says what would be taken.
pub fn take_to_lane(repository: &Repository, dry_run: bool) -> Result<Taken> {
    let _turn = turn(repository, dry_run)?;
    if let Some(back) = bring_back::is_back(repository)? {
        let files = Vec::new();
        return Ok(Taken { files, back });
    }
    let tried = tried_now(repository)?;
    let main = main_worktree(repository)?.map_err(|refusal| refusal.refuse(&tried.lane))?;
    if differences::find(repository, &main, &tried)?.is_empty() {
        let files = Vec::new();
        return go_back(repository, dry_run).map(|back| Taken { files, back });
    }
    ensure_takeable(repository, &main, &tried)?;
    let (lane, site, tip) = lane_of(repository, &tried)?;
    // From the look at the main worktree until what it has counts as shown no git moves its files.
    let index = match dry_run {
        true => None,
        false => Some(locked(repository, &main, &tried)?),
    };
    let scratch = scratch(repository, dry_run)?;
    let edited = Edited::look(repository, &scratch, &main, &tried, purpose(dry_run))?;
    let before = lane_fit::identities(&site, &edited.changed);
    ensure_fits(
        repository,
        &scratch,
        (&site, tip),
        &tried,
        &edited,
        purpose(dry_run),
    )?;
    let sites = (&main, &site);
    lane_fit::ensure_git_writes(repository, &scratch, sites, &tried, &edited.changed)?;
    let files: Vec<BString> = edited
        .changed
        .iter()
        .map(|change| change.path.clone())
        .collect();
    let back = bring_back::foreseen(repository, &scratch, (&tried, &main), &files)?;
    let Some(index) = index else {
        return Ok(Taken { files, back });
    };
    put_into_lane(repository, &tried, sites, &edited, before)?;
    step("try.in-lane");
    claims::ensure_not_anothers(repository, &lane)?;
    settle(repository, &scratch, (&main, index), &tried, &edited)?;
    drop(edited);
    go_back(repository, false).map(|back| Taken { files, back })
}

/// The index of the main worktree, where that still shows the lane.
fn locked<'a>(repository: &'a Repository, main: &'a Worktree, tried: &Tried) -> Result<Locked<'a>> {
    let shown = Head::Detached(tried.commit);
    let index = Locked::where_head(repository, main, |head| *head == shown)?;
    let index = index.ok_or_else(|| raced(main))?;
    ensure_not_half_moved(repository, main)?;
    Ok(index)
}

/// Refuses what no lane can take: an operation in progress, commits, conflicts.
fn ensure_takeable(repository: &Repository, main: &Worktree, tried: &Tried) -> Result<()> {
    let mut differences = differences::find(repository, main, tried)?;
    let unmerged = repository.git_in(main).unmerged_paths()?;
    differences.retain(|difference| {
        matches!(
            difference,
            Difference::Operation(_)
                | Difference::Commits(_)
                | Difference::Elsewhere(_)
                | Difference::Branch(..)
        )
    });
    if !unmerged.is_empty() {
        differences.push(Difference::Changed(unmerged));
    }
    match differences.is_empty() {
        true => Ok(()),
        false => Err(EndRefusal::Differs {
            path: main.path.clone(),
            commit: tried.commit,
            differences,
            ways: Ways::ToLane,
        }
        .into()),
    }
}

/// The lane that is shown, its worktree and its commit.
fn lane_of(repository: &Repository, tried: &Tried) -> Result<(Lane, Worktree, ObjectId)> {
    let gone = || EndRefusal::LaneGone(tried.lane.clone());
    let lanes = repository.records()?.lanes;
    let lane = lanes.into_iter().find(|lane| lane.id == tried.lane_id);
    let lane = lane.ok_or_else(gone)?;
    repository.unrecovered.ensure_lane_is_whole(&lane.name)?;
    claims::ensure_not_anothers(repository, &lane)?;
    match lane_snapshot::site_of(repository, &lane)? {
        Ok((site, tip)) => Ok((lane, site, tip)),
        Err(BeginRefusal::Operation(path, _) | BeginRefusal::Stray(path)) => {
            Err(EndRefusal::LaneUnsettled(lane.name, path).into())
        }
        Err(_) => Err(gone().into()),
    }
}

/// What the main worktree has by now.
struct Edited {
    /// A commit of it, on top of what was shown.
    commit: ObjectId,
    tree: ObjectId,
    /// What it has otherwise than what was shown.
    changed: Vec<Changed>,
    #[allow(dead_code, reason = "held until a ref names the commit")]
    kept: Option<KeptPack>,
}

impl Edited {
    fn look(
        repository: &Repository,
        scratch: &Scratch,
        main: &Worktree,
        tried: &Tried,
        purpose: Purpose,
    ) -> Result<Self> {
        let git = || repository.git_in(main);
        let new = known_untracked::new_among(repository, git().list_untracked()?);
        let nested: Vec<BString> = new
            .iter()
            .filter(|path| path.ends_with(b"/"))
            .cloned()
            .collect();
        if !nested.is_empty() {
            return Err(EndRefusal::Submodules(main.path.clone(), nested).into());
        }
        let found = Apart {
            changed: git().diff_files(&[])?,
            untracked: new,
            ..Apart::default()
        };
        let taking = Taking::prepare(
            repository,
            scratch,
            main,
            (tried.commit, purpose),
            Some(found),
        )?;
        let standing = standing(repository, scratch, tried.commit, taking.run()?)?;
        let view = scratch.view(repository)?;
        let changed = changes_in(&view, tried.commit, standing.commit)?;
        let is_submodule = |change: &&Changed| {
            let sides = [change.old, change.new];
            sides.iter().flatten().any(|(mode, _)| mode.is_commit())
        };
        let submodules: Vec<BString> = changed
            .iter()
            .filter(is_submodule)
            .map(|change| change.path.clone())
            .collect();
        if !submodules.is_empty() {
            return Err(EndRefusal::Submodules(main.path.clone(), submodules).into());
        }
        let known = known_untracked::Known::read(repository)?;
        let was_there = |change: &&Changed| change.old.is_none() && known.has(&change.path);
        let own: Vec<BString> = changed
            .iter()
            .filter(was_there)
            .map(|change| change.path.clone())
            .collect();
        if !own.is_empty() {
            return Err(EndRefusal::OfMain(main.path.clone(), own).into());
        }
        let edited = Edited {
            commit: standing.commit,
            tree: standing.tree,
            changed,
            kept: match purpose {
                Purpose::Shown if standing.commit != tried.commit => {
                    KeptPack::of_history(repository, scratch, &[standing.commit], &[tried.commit])?
                }
                _ => None,
            },
        };
        edited.ensure_all_of_the_index(repository, main, tried)?;
        Ok(edited)
    }

    /// Refuses where something is staged that the files have not.
    fn ensure_all_of_the_index(
        &self,
        repository: &Repository,
        main: &Worktree,
        tried: &Tried,
    ) -> Result<()> {
        let (path, hash) = (main.git_dir.join("index"), repository.gix.object_hash());
        let index = gix::index::File::at(path, hash, true, Default::default())
            .map_err(|error| Error::git(format!("cannot read an index: {error}")))?;
        let ours: BTreeMap<&[u8], &Changed> = self
            .changed
            .iter()
            .map(|change| (change.path.as_slice(), change))
            .collect();
        let only_staged = |path: &BString| {
            let entry = index.entry_by_path(path.as_bstr());
            entry
                .filter(|entry| !entry.flags.contains(Flags::INTENT_TO_ADD))
                .is_some_and(|entry| match ours.get(path.as_slice()) {
                    Some(change) => change.new.is_none_or(|(_, id)| id != entry.id),
                    // The file is as it was shown, and what is staged is something else.
                    None => true,
                })
        };
        let staged = repository.git_in(main).diff_index(tried.commit)?;
        let mut staged: Vec<BString> = staged.into_iter().filter(only_staged).collect();
        // Out of the index, and ignored from there on.
        let stays = |change: &&Changed| {
            let file = main.path.join(crate::store::path(&change.path));
            change.new.is_none() && take_in::identity(&file).is_some()
        };
        let out = self.changed.iter().filter(stays);
        staged.extend(out.map(|change| change.path.clone()));
        match staged.is_empty() {
            true => Ok(()),
            false => Err(EndRefusal::OnlyStaged(main.path.clone(), staged).into()),
        }
    }
}

/// Refuses where the lane has something else than was shown, or than the main worktree has by now.
fn ensure_fits(
    repository: &Repository,
    scratch: &Scratch,
    (site, tip): (&Worktree, ObjectId),
    tried: &Tried,
    edited: &Edited,
    purpose: Purpose,
) -> Result<()> {
    let lane = lane_snapshot::take_in(repository, scratch, site, tip, purpose)?;
    let view = scratch.view(repository)?;
    let by_path = |changed: Vec<Changed>| -> BTreeMap<BString, Option<(EntryMode, ObjectId)>> {
        let new = changed.into_iter().map(|change| (change.path, change.new));
        new.collect()
    };
    // Against what was shown: a path that is not among these has stayed.
    let moved = by_path(changes_in(&view, tried.commit, lane.commit)?);
    let going: Vec<&BString> = edited
        .changed
        .iter()
        .filter(|change| change.old.is_some())
        .map(|change| &change.path)
        .collect();
    let unfit = |change: &&Changed| match moved.get(&change.path) {
        Some(now) => *now != change.new,
        None => !lane_fit::has_room(&site.path, change, &going),
    };
    let unfit: Vec<BString> = edited
        .changed
        .iter()
        .filter(unfit)
        .map(|change| change.path.clone())
        .collect();
    match unfit.is_empty() {
        true => Ok(()),
        false => Err(EndRefusal::LaneChanged(tried.lane.clone(), unfit).into()),
    }
}

fn put_into_lane(
    repository: &Repository,
    tried: &Tried,
    (main, site): (&Worktree, &Worktree),
    edited: &Edited,
    before: Vec<Option<Identity>>,
) -> Result<()> {
    let _lock = LockFile::acquire(&site.git_dir.join("index"), repository.lane_dir())?;
    ensure_not_half_moved(repository, site)?;
    let changed = edited.changed.iter().zip(before);
    let files = changed.map(|(change, before)| (change.path.clone(), change.new.is_some(), before));
    take_in::Intent::of(tried, (main, site), files).carry_out(repository, main)
}

/// Has what the main worktree has count as shown, if it is still that.
fn settle(
    repository: &Repository,
    scratch: &Scratch,
    (main, index): (&Worktree, Locked<'_>),
    tried: &Tried,
    edited: &Edited,
) -> Result<()> {
    ensure_not_half_moved(repository, main)?;
    let again = Edited::look(repository, scratch, main, tried, Purpose::Shown)?;
    if again.tree != edited.tree || tried_now(repository)? != *tried {
        return Err(raced(main));
    }
    let prepared = index.copy()?;
    let on_copy = || on_index(repository, main, &prepared.path);
    on_copy()
        .reading_tree(["-i", "-m"], [edited.commit])
        .run()?;
    on_copy().refresh_index()?;
    step("try.prepared");
    let now = Tried {
        commit: edited.commit,
        ..tried.clone()
    };
    let settling = MainMove {
        deed: Deed::Settle,
        tried: &now,
        main,
        old: tried.commit,
        new: edited.commit,
        from: Head::Detached(tried.commit),
    };
    settling.carry_out(repository, index, prepared)
}
