//! What was lost: records of lanes whose worktree and branch are there, indexes git cannot read, a
//! working tree that `core.worktree` looks for where nothing is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bstr::ByteSlice;

use crate::domain::doctor::{Finding, TreeElsewhere};
use crate::domain::event::{Event, Phase, What};
use crate::domain::lane::{Lane, LaneId, ObjectId, Worktree, WorktreeState};
use crate::domain::name::{BranchName, LaneName};
use crate::domain::parameter::Parameter;
use crate::engines::status::is_whole;
use crate::error::{Code, Error, Result};
use crate::repository::Repository;
use crate::repository::admin_dir;
use crate::repository::metadata::{Damaged, Records};
use crate::repository::provenance::is_believed;
use crate::repository::{metadata, renames};
use crate::store as git;
use crate::store::git::NONE;
use crate::store::lane_files::LaneDir;
use crate::store::permissions::Shared;
use crate::store::retry;

/// Lanes that the event log knows as started and not as retired, that have no record, and whose
/// worktree is there: the very one that was made for the lane, not its like that the user has made
/// since.
pub(super) fn records(
    repository: &Repository,
    records: &Records,
    worktrees: &[Worktree],
) -> Vec<Finding> {
    let lanes = &records.lanes;
    let Ok(events) = repository.log().since(0) else {
        return Vec::new();
    };
    let unclaimed: Vec<&Worktree> = worktrees
        .iter()
        .filter(|worktree| worktree.id.is_some() && worktree.state == WorktreeState::Present)
        .filter(|worktree| {
            let of = |lane: &Lane| {
                lane.worktree == worktree.path || lane.branch.as_ref() == worktree.head.branch()
            };
            worktree.head.branch().is_some()
                && !lanes.iter().any(of)
                && !records
                    .damaged
                    .iter()
                    .any(|damaged| names(damaged, worktree))
        })
        .collect();
    if unclaimed.is_empty() {
        return Vec::new();
    }
    let known = |lane: &Lane| {
        lanes
            .iter()
            .any(|other| other.id == lane.id || other.name == lane.name)
    };
    let (adopted, lost): (Vec<Lane>, Vec<Lane>) = alive(&events)
        .into_iter()
        .filter(|lane| !known(lane))
        .partition(|lane| lane.adopted);
    let fits = |lane: &Lane, worktree: &Worktree| {
        let branch = worktree
            .head
            .branch()
            .is_some_and(|branch| branch.as_bstr() == lane.name.as_str());
        let directory = worktree.path.file_name().unwrap_or_default();
        branch || directory == std::ffi::OsStr::new(&lane.name.directory_name())
    };
    let found = lost.iter().filter_map(|lane| {
        let mut places = unclaimed.iter().filter(|worktree| fits(lane, worktree));
        let (Some(worktree), None) = (places.next(), places.next()) else {
            return None;
        };
        // The same for the other direction: what could be two lanes' is no proof for either.
        let alone = lost.iter().filter(|other| fits(other, worktree)).count() == 1;
        if !alone || !was_made_for(repository, lane, worktree) {
            return None;
        }
        let (branch, worktree) = (worktree.head.branch().cloned(), worktree.path.clone());
        Some(Finding::LostRecord(
            Lane {
                branch,
                worktree,
                ..lane.clone()
            }
            .into(),
        ))
    });
    let adopted = adopted
        .into_iter()
        .filter(|lane| stands_as_adopted(repository, lane, &unclaimed));
    found
        .chain(adopted.map(|lane| Finding::LostRecord(lane.into())))
        .collect()
}

/// Whether the worktree of an adopted lane is where it was adopted and on the same branch. No log of
/// git's tells of it, so the place must be one that the user is known to have put a worktree at; it
/// is never moved in any case.
fn stands_as_adopted(repository: &Repository, lane: &Lane, unclaimed: &[&Worktree]) -> bool {
    is_believed(repository, &lane.worktree)
        && unclaimed.iter().any(|worktree| {
            worktree.path == lane.worktree && worktree.head.branch() == lane.branch.as_ref()
        })
}

/// Whether a record that cannot be used is about that worktree.
fn names(damaged: &Damaged, worktree: &Worktree) -> bool {
    let [branch, path] = &damaged.names;
    path.as_ref()
        .is_some_and(|path| git::path(path) == worktree.path)
        || branch.as_deref().is_some_and(|branch| {
            worktree
                .head
                .branch()
                .is_some_and(|own| own.as_bstr() == branch)
        })
}

/// Whether HEAD's log says that a worktree was made for this lane, and that it is on the lane's
/// branch still.
fn was_made_for(repository: &Repository, lane: &Lane, worktree: &Worktree) -> bool {
    let log = renames::log_of_head(repository, worktree);
    let started = admin_dir::started(&lane.id);
    let Some(at) = log.lines().position(|line| line == started.as_bytes()) else {
        return false;
    };
    let stayed = !log
        .lines()
        .take(at)
        .any(|line| line.starts_with(b"checkout: moving"));
    let made_with_it = |branch: &BranchName| {
        let own = format!("(lane {})", lane.id.as_str());
        renames::log(repository, branch)
            .lines()
            .any(|line| line.ends_with(own.as_bytes()))
    };
    stayed || worktree.head.branch().is_some_and(made_with_it)
}

/// The lanes the log knows as started, or restored, without an end; branch and worktree are not in
/// it.
fn alive(events: &[Event]) -> Vec<Lane> {
    let mut alive: BTreeMap<LaneId, Lane> = BTreeMap::new();
    let mut left: BTreeMap<LaneId, Lane> = BTreeMap::new();
    let deeds: BTreeMap<&str, What> = events
        .iter()
        .map(|event| (event.operation.as_str(), event.subject.what))
        .collect();
    for event in events.iter().filter(|event| event.phase == Phase::After) {
        let subject = &event.subject;
        let (Some(name), Some(id), Some(fork_point)) =
            (&subject.lane, &subject.lane_id, subject.base_commit)
        else {
            continue;
        };
        match subject.what {
            What::Start | What::Restore => {
                alive.insert(id.clone(), lane(event, name, id, fork_point));
            }
            What::Adopt => {
                let Some(stays) = &event.end.stays else {
                    continue;
                };
                let lane = Lane {
                    branch: stays.branch.clone(),
                    worktree: stays.path.clone(),
                    adopted: true,
                    ..lane(event, name, id, fork_point)
                };
                alive.insert(id.clone(), lane);
            }
            What::Land | What::Mark | What::Try | What::TryBack => {}
            What::Rename | What::Move | What::Base => change(&mut alive, id, event),
            What::Heal if event.end.changed.is_some() => change(&mut alive, id, event),
            What::Claim | What::Release => {
                if let (Some(lane), Some(owner)) = (alive.get_mut(id), &event.end.owner) {
                    lane.owner = Some(owner.clone());
                }
            }
            What::Sync => sync(&mut alive, id, event, fork_point),
            What::Heal if event.end.before.is_some() => sync(&mut alive, id, event, fork_point),
            // What was healed may have ended it.
            What::Finish | What::Drop | What::Prune | What::Expire | What::Heal => {
                left.extend(alive.remove_entry(id));
            }
            What::Undo => {
                let undone = subject.undoes.iter().filter_map(|id| deeds.get(&**id));
                for deed in undone {
                    match deed {
                        What::Rename | What::Move | What::Base => change(&mut alive, id, event),
                        What::Start | What::Restore | What::Adopt => {
                            left.extend(alive.remove_entry(id));
                        }
                        What::Finish | What::Drop | What::Prune => {
                            alive.extend(left.remove_entry(id));
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    alive.into_values().collect()
}

/// What the event of its beginning says of a lane; where it is, and on which branch, it does not.
fn lane(event: &Event, name: &LaneName, id: &LaneId, fork_point: ObjectId) -> Lane {
    let time: Option<jiff::Timestamp> = event.time.parse().ok();
    let actor = || Some(event.actor.owner.clone());
    let set = event.end.set.iter();
    let parameters = set.filter_map(|(key, value)| Parameter::of(key, value).ok());
    Lane {
        name: name.clone(),
        id: id.clone(),
        branch: None,
        worktree: PathBuf::new(),
        base: event.subject.base.clone(),
        fork_point,
        owner: event.end.owner.clone().or_else(actor),
        task: event.end.task.clone(),
        created: time.map_or(0, jiff::Timestamp::as_second),
        mark: None,
        claim: None,
        parameters: parameters.collect(),
        read_only: false,
        adopted: false,
    }
}

/// A lane that was synced has another fork point.
fn sync(alive: &mut BTreeMap<LaneId, Lane>, id: &LaneId, event: &Event, fork_point: ObjectId) {
    if let Some(lane) = alive.get_mut(id).filter(|_| event.end.result.is_some()) {
        lane.fork_point = fork_point;
    }
}

/// A lane that was renamed, moved or based elsewhere, or of which that was taken back.
fn change(alive: &mut BTreeMap<LaneId, Lane>, id: &LaneId, event: &Event) {
    let Some((lane, change)) = alive.get_mut(id).zip(event.end.changed.as_ref()) else {
        return;
    };
    let Lane {
        branch, worktree, ..
    } = lane.clone();
    change.to.put_into(lane);
    if !lane.adopted {
        // What is there tells where the lane is.
        (lane.branch, lane.worktree) = (branch, worktree);
    }
}

/// Writes the record again.
pub(super) fn record_again(repository: &Repository, lane: &Lane) -> Result<()> {
    let mut edit = metadata::Edit::begin(repository.lane_dir())?;
    let taken = |other: &Lane| {
        other.name == lane.name || other.worktree == lane.worktree || other.branch == lane.branch
    };
    let records = edit.records();
    let damaged = records
        .damaged
        .iter()
        .any(|damaged| damaged.section == lane.name.as_str());
    if damaged || records.lanes.iter().any(taken) {
        return Err(
            Error::refused(format!("there is a record of lane '{}' by now", lane.name))
                .with_code(Code::Raced),
        );
    }
    edit.put(lane)?;
    edit.commit()
}

/// The branch of a lane that cannot be read, or whose last commit cannot: a machine that loses its
/// power may leave empty files for both.
pub(super) fn branch(repository: &Repository, lane: &Lane) -> Option<Finding> {
    let branch = lane.branch.as_ref()?;
    let why = match repository.branch_tip(branch) {
        Err(error) => error.to_string(),
        Ok(tip) => {
            let (gix, tip) = (&repository.gix, tip?);
            retry::objects(gix, || gix.find_commit(tip)?.tree().map(drop))
                .err()?
                .to_string()
        }
    };
    Some(Finding::DamagedBranch(
        lane.name.clone(),
        branch.clone(),
        why,
    ))
}

/// The indexes that git cannot read.
pub(super) fn indexes(
    repository: &Repository,
    lanes: &[Lane],
    worktrees: &[Worktree],
) -> Vec<Finding> {
    let present = worktrees
        .iter()
        .filter(|worktree| worktree.state == WorktreeState::Present);
    let kind = repository.gix.object_hash();
    // gix may be stricter than git, whose word counts; but git does not mind that the end is
    // missing.
    let is_unread = |worktree: &Worktree, index: &Path| {
        let listed = repository.git_in(worktree).ls_files(&["--stage"], NONE);
        crate::store::optional::bytes(index).is_ok_and(|bytes| !is_whole(kind, &bytes))
            || listed.is_err_and(|error| error.kind() == crate::error::Kind::Git)
    };
    let damaged = present.filter(|worktree| {
        let index = worktree.git_dir.join("index");
        index.exists()
            && gix::index::File::at(&index, kind, true, gix::index::decode::Options::default())
                .is_err()
            && is_unread(worktree, &index)
    });
    let lane = |worktree: &Worktree| lanes.iter().find(|lane| lane.worktree == worktree.path);
    let found = damaged.map(|worktree| {
        let lane = lane(worktree).map(|lane| lane.name.clone());
        Finding::DamagedIndex(lane, worktree.path.clone(), worktree.git_dir.join("index"))
    });
    found.collect()
}

/// The common directory of the repository around `directory`, where `core.worktree` leads to
/// nothing and the directory around `.git` plainly is the working tree: something tracked is in it.
pub fn tree(directory: &Path) -> Option<(PathBuf, Finding)> {
    let common_dir = Repository::common_dir_around(directory)?;
    let top = common_dir
        .parent()
        .filter(|_| common_dir.file_name().is_some_and(|name| name == ".git"))?;
    let named = metadata::load(&common_dir.join("config"))
        .ok()?
        .string("core.worktree")?;
    let named = common_dir.join(git::path(&named));
    if named.exists() {
        return None;
    }
    let read = |kind| {
        gix::index::File::at(
            common_dir.join("index"),
            kind,
            true,
            gix::index::decode::Options::default(),
        )
        .ok()
    };
    let index = read(gix::hash::Kind::Sha1).or_else(|| read(gix::hash::Kind::Sha256))?;
    let tracked = |entry: &gix::index::Entry| {
        top.join(git::path(entry.path(&index)))
            .symlink_metadata()
            .is_ok()
    };
    index
        .entries()
        .iter()
        .take(crate::operations::doctor::repository_settings::SAMPLE)
        .any(tracked)
        .then_some(())?;
    Some((
        common_dir.clone(),
        Finding::StrangeWorktree(named, TreeElsewhere::ByAccident),
    ))
}

/// Lets the working tree be around `.git` again.
pub fn forget_tree(common_dir: &Path) -> Result<()> {
    let mut edit = metadata::Edit::begin(&LaneDir::of(common_dir, Shared::Umask))?;
    edit.set_core("worktree", None)?;
    edit.commit()
}
