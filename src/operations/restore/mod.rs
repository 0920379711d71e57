//! Brings a removed lane back: branch, worktree, admin directory, settings and record, each exactly
//! as it was.
//!
//! Every step asks what is already done, so that an interrupted restore is completed by the next
//! git-lane command, or undone where another lane has taken the lane's place meanwhile.
//!
//! Called by `commands/restore`, and by `recover`.

use crate::repository::recovered::{Act, Heal, Healed};
use crate::repository::reflog::{prepend_reflog, relink_reflog};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::forget;
use super::start::registry_lock;
use super::trash::{self, Places};
use crate::domain::branch_renames::BranchRenames;
use crate::domain::event::{Subject, What};
use crate::domain::lane::{Lane, RefName, Worktree, lossless_path, user_of};
use crate::domain::name::{BranchName, LaneName};
use crate::domain::obstacle::Obstacle;
use crate::domain::trash_entry::{Entry, KeptBranch, find};
use crate::domain::undo::Refusal;
use crate::error::{Code, Error, Result};
use crate::repository::Repository;
use crate::repository::provenance::{
    Assertions, Asserts, branch_settings, is_possible, may_return, remember,
};
use crate::repository::quarantine::Scratch;
use crate::repository::refs::RefChange;
use crate::repository::{exclude, metadata, revision, worktree};
use crate::store::activity::Activity;
use crate::store::exists;
use crate::store::journal::{About, Announce, Journal, Running, step};
use crate::store::with_end;

/// What is about to happen, complete enough for another process to finish or undo it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "operation", rename = "restore")]
pub struct Intent {
    id: String,
    lane: LaneName,
    entry: Entry,
    /// The name of the admin directory this time.
    #[serde(with = "lossless_path")]
    admin: PathBuf,
    /// Whether the branch was there already.
    had_branch: bool,
}

impl Intent {
    /// The lane's record.
    pub fn lane(&self) -> &Lane {
        &self.entry.lane
    }
}

impl Announce for Intent {
    fn about(&self) -> About {
        About::lane(what(&self.lane), &self.lane)
    }
}

impl Asserts for Intent {
    fn asserts(&self, assertions: &mut Assertions<'_>) {
        assertions.that("id", &self.id, self.id == self.entry.id);
        assertions.that("lane", &self.lane, self.lane == self.entry.lane.name);
        assertions.entry(&self.entry);
        if let Some(worktree) = &self.entry.worktree {
            assertions.place("worktree", &worktree.path);
            assertions.admin("admin directory", &self.admin);
        }
    }
}

/// What an interrupted restore of a lane is called.
pub fn what(lane: &LaneName) -> String {
    format!("the return of lane '{lane}'")
}

/// Brings back the removed lane `wanted` names: the newest of that name, or the one with that id.
/// Its worktree comes to `place`, where the user names one, else to where it was.
pub fn restore(
    repository: &mut Repository,
    wanted: &str,
    place: Option<&Path>,
    heal: Heal<'_>,
) -> Result<Entry> {
    if let Ok(name) = LaneName::parse(wanted) {
        repository.unrecovered.ensure_lane_is_whole(&name)?;
    }
    let entry = find(&trash::entries(repository)?, wanted, repository.name_rule())
        .cloned()
        .ok_or_else(|| match forgotten(repository, wanted) {
            Some(error) => error,
            None => no_entry(wanted),
        })?;
    repository
        .unrecovered
        .ensure_lane_is_whole(&entry.lane.name)?;
    let operation = repository
        .log()
        .begin(Subject::of(What::Restore, &entry.lane));
    operation.ended(
        return_lane(repository, entry, wanted, place, heal),
        Entry::end,
    )
}

/// The same of an entry, for an operation that tells the event log itself.
pub fn return_lane(
    repository: &mut Repository,
    mut entry: Entry,
    wanted: &str,
    place: Option<&Path>,
    heal: Heal<'_>,
) -> Result<Entry> {
    let _doing = Activity::begin(format!("bringing back lane '{}'", entry.lane.name));
    let _lock = trash::exclusive(repository, &entry.lane.name, heal)?;
    let repository = &*repository;
    // No start may take that name, branch or place meanwhile.
    let _registry = registry_lock(repository)?;
    if !trash::entries(repository)?.contains(&entry) {
        return Err(no_entry(wanted));
    }
    if let Some(place) = place {
        entry.come_to(revision::resolve(place));
    }
    let intent = prepare(repository, entry, place.is_some())?;
    if let Some(worktree) = &intent.entry.worktree {
        remember(repository, &worktree.path);
    }
    let running = Journal::new(repository.lane_dir()).begin(&intent)?;
    match bring_back(repository, &intent) {
        Ok(()) => running.done().map(|()| intent.entry),
        Err(error) => {
            if undo(repository, &intent)? {
                running.done()?;
            }
            Err(error)
        }
    }
}

/// Refuses what [`return_lane`] would refuse; changes nothing.
pub fn foresee(repository: &Repository, entry: &Entry) -> Result<()> {
    repository
        .unrecovered
        .ensure_lane_is_whole(&entry.lane.name)?;
    prepare(repository, entry.clone(), false).map(drop)
}

fn no_entry(wanted: &str) -> Error {
    Error::refused(format!("nothing in the trash is called '{wanted}'"))
        .with_code(Code::NoEntry)
        .hint("see what is there with: git lane trash")
}

/// The refusal of a lane that was adopted: it has never been in the trash.
fn forgotten(repository: &Repository, wanted: &str) -> Option<Error> {
    let lane = LaneName::parse(wanted).ok()?;
    let path = forget::forgotten(repository, &lane)?.path;
    Some(Refusal::Forgotten { lane, path }.into())
}

/// Looks for obstacles, under the lock, and picks the admin directory's name.
fn prepare(repository: &Repository, mut entry: Entry, is_named: bool) -> Result<Intent> {
    follow_base(repository, &mut entry)?;
    let name = entry.lane.name.clone();
    let refuse = |obstacle: Obstacle| obstacle.refuse(&name);
    let records = repository.records()?;
    if records
        .meant(repository.name_rule(), name.as_str())
        .is_some()
    {
        return Err(refuse(Obstacle::LaneExists));
    }
    let all = repository.worktrees()?;
    let mut had_branch = false;
    if let Some(branch) = &entry.branch {
        had_branch = check_branch(repository, branch).and_then(|found| found.map_err(&refuse))?;
    }
    let mut admin = PathBuf::new();
    if let Some(kept) = &entry.worktree {
        let directory = trash::directory(repository).join(&entry.id);
        admin = free_admin(repository, &kept.admin, &directory.join("admin")).map_err(&refuse)?;
        let places = Places::new(repository.lane_dir(), directory, kept, admin.clone());
        if kept.directory.is_some() {
            let waits_beside = || {
                places
                    .own_parking()
                    .is_some_and(|own| own.join("worktree").is_dir())
            };
            let by_their_word = is_named && is_possible(repository, &kept.path);
            if !by_their_word && !may_return(repository, &entry, waits_beside) {
                return Err(refuse(Obstacle::StrangePlace(kept.path.clone())));
            }
            if exists(&kept.path) {
                return Err(refuse(Obstacle::PathTaken(kept.path.clone())));
            }
            if places.waiting().is_none() {
                return Err(refuse(places.missing()?));
            }
        }
        if !places.kept_admin().is_dir() {
            return Err(refuse(Obstacle::Incomplete(places.entry)));
        }
        let head = worktree::read_head(&places.kept_admin());
        let names = entry
            .branch
            .iter()
            .map(|branch| &branch.name)
            .chain(head.branch());
        let meant = names
            .map(|name| Ok([name.clone(), repository.branch_meant(name)?]))
            .collect::<Result<Vec<_>>>()?;
        check_checked_out(&all, meant.as_flattened()).map_err(&refuse)?;
    }
    Ok(Intent {
        id: entry.id.clone(),
        lane: entry.lane.name.clone(),
        entry,
        admin,
        had_branch,
    })
}

/// The base may have another name by now, and another branch the old one.
fn follow_base(repository: &Repository, entry: &mut Entry) -> Result<()> {
    if let Some(base) = &mut entry.lane.base {
        let events = repository.log().since(0)?;
        *base = BranchRenames::of(&events).since_entry(&events, &entry.id, base);
    }
    Ok(())
}

/// Whether the branch is there already; it may be only at its old commit, unless it never went.
fn check_branch(repository: &Repository, branch: &KeptBranch) -> Result<Result<bool, Obstacle>> {
    if let Some(existing) = repository.other_spelling(&branch.name)? {
        let wanted = branch.name.clone();
        return Ok(Err(Obstacle::BranchImpossible { wanted, existing }));
    }
    match repository.branch_tip(&branch.name)? {
        Some(tip) if tip != branch.tip && branch.deleted => {
            Ok(Err(Obstacle::BranchExists(branch.name.clone())))
        }
        Some(_) => Ok(Ok(true)),
        None => Ok(match repository.conflicting_branch(&branch.name)? {
            Some(existing) => Err(Obstacle::BranchImpossible {
                wanted: branch.name.clone(),
                existing,
            }),
            None => Ok(false),
        }),
    }
}

fn check_checked_out(all: &[Worktree], branches: &[BranchName]) -> Result<(), Obstacle> {
    let used = branches
        .iter()
        .find_map(|branch| Some((branch, user_of(branch, all)?)));
    match used {
        Some((branch, worktree)) => {
            Err(Obstacle::CheckedOut(branch.clone(), worktree.path.clone()))
        }
        None => Ok(()),
    }
}

/// The admin directory's old name, or one like it when that is taken.
fn free_admin(repository: &Repository, wanted: &Path, kept: &Path) -> Result<PathBuf, Obstacle> {
    let worktrees = repository.common_dir().join("worktrees");
    let taken = |path: &Path| exists(path);
    let same = worktrees.join(wanted);
    if !taken(&same) {
        return Ok(same);
    }
    if taken(&kept.join("modules")) {
        return Err(Obstacle::AdminTaken(wanted.to_owned()));
    }
    let numbered = (1..).map(|number: u32| with_end(&same, &number.to_string()));
    Ok(numbered
        .into_iter()
        .find(|path| !taken(path))
        .unwrap_or(same))
}

fn places(repository: &Repository, intent: &Intent) -> Option<Places> {
    let directory = trash::directory(repository).join(&intent.id);
    Some(Places::new(
        repository.lane_dir(),
        directory,
        intent.entry.worktree.as_ref()?,
        intent.admin.clone(),
    ))
}

fn bring_back(repository: &Repository, intent: &Intent) -> Result<()> {
    let entry = &intent.entry;
    let directory = trash::directory(repository).join(&intent.id);
    let recorded = is_recorded(repository, entry)?;
    let scratch = Scratch::new(repository)?;
    let _young = trash::keeper_commit::protect_returning(repository, &scratch, entry)?;
    // Once the record is back, the branch is its owner's to move.
    if let Some(branch) = entry.branch.as_ref().filter(|_| !recorded) {
        let name = RefName::from(&branch.name);
        match repository.ref_target(&name)? {
            None => {
                let change = RefChange {
                    name,
                    from: None,
                    to: Some(branch.tip),
                };
                repository.change_refs(&[change], "lane: restore")?;
            }
            Some(tip) if tip != branch.tip && branch.deleted => {
                return Err(Obstacle::BranchExists(branch.name.clone()).refuse(&entry.lane.name));
            }
            Some(_) => {}
        }
        step("restore.branch-made");
        if !intent.had_branch {
            relink_reflog(repository, &branch.name, &directory.join("reflog"))?;
        }
        step("restore.reflog-back");
    }
    let _tags = trash::keeper_commit::bring_back_tags(repository, entry, &scratch)?;
    step("restore.tags-back");
    let places = places(repository, intent);
    if let Some(places) = &places {
        exclude::add(repository, &entry.lane.worktree)?;
        places.bring_back()?;
    }
    step("restore.worktree-back");
    if let Some(branch) = entry
        .branch
        .as_ref()
        .filter(|branch| !recorded && intent.had_branch && branch.deleted)
    {
        prepend_reflog(repository, &branch.name, &directory.join("reflog"))?;
        step("restore.reflog-prepended");
    }
    let mut edit = metadata::Edit::begin(repository.lane_dir())?;
    match edit.records().find(&entry.lane.name) {
        Some(lane) if lane.id != entry.lane.id => {
            return Err(Obstacle::LaneExists.refuse(&entry.lane.name));
        }
        Some(_) => {}
        None => {
            // The holder of the claim has seen the lane go.
            edit.put(&Lane {
                claim: None,
                ..entry.lane.clone()
            })?;
            if let Some(branch) = entry.branch.as_ref().filter(|branch| branch.deleted) {
                edit.put_branch_section(
                    &branch.name,
                    &branch_settings::believed(repository, &branch.settings).0,
                )?;
            }
        }
    }
    edit.commit()?;
    step("restore.recorded");
    // Only now: whatever fails before can still take a marked worktree back to the trash.
    if let Some(places) = &places {
        places.settle()?;
    }
    step("restore.settled");
    trash::remove_ref(repository, &intent.id, "lane: restore")?;
    step("restore.ref-gone");
    trash::remove_empty(&directory)
}

fn is_recorded(repository: &Repository, entry: &Entry) -> Result<bool> {
    Ok(repository
        .records()?
        .find(&entry.lane.name)
        .is_some_and(|lane| lane.id == entry.lane.id))
}

/// Undoes a restore that did not get as far as the record; says whether it is undone. Otherwise it
/// is left to the next git-lane command to complete.
fn undo(repository: &Repository, intent: &Intent) -> Result<bool> {
    let entry = &intent.entry;
    if is_recorded(repository, entry)? {
        return Ok(false);
    }
    if let Some(places) = places(repository, intent) {
        places.back_to_trash()?;
        exclude::remove(repository, &entry.lane.worktree)?;
    }
    if let Some(branch) = entry.branch.as_ref().filter(|_| !intent.had_branch)
        && repository.branch_tip(&branch.name)? == Some(branch.tip)
    {
        let change = RefChange::removal(&branch.name, branch.tip);
        repository.change_refs(&[change], "lane: undo")?;
    }
    Ok(true)
}

/// Completes or undoes an interrupted restore.
pub fn recover(repository: &Repository, running: &Running, intent: &Intent) -> Result<Healed> {
    let _lock = trash::exclusive_for(repository, &intent.lane, running)?;
    let _registry = registry_lock(repository)?;
    let lane = &intent.entry.lane.id;
    let healed = |completed| Healed::of(Act::Restore, lane, what(&intent.lane), completed);
    match bring_back(repository, intent) {
        Ok(()) => Ok(healed(true)),
        Err(error) => match undo(repository, intent)? {
            true => Ok(healed(false)),
            false => Err(error),
        },
    }
}
