//! Makes a lane of a worktree that another program made: a record is written, and nothing else.
//!
//! One look for the plan, and the same look again with the registry's lock and `config.lock` in
//! hand: of two that adopt one worktree, one finds it free. As there is only one edit, there is
//! nothing to recover. What such a lane leaves behind is `operations/forget`'s.
//!
//! Called by `commands/adopt`.

mod chosen_worktree;
mod own_base;

use bstr::{BString, ByteSlice};

pub use self::chosen_worktree::{candidates, find, without_a_lane};
use self::own_base::base_of;
use super::start::registry_lock;
use crate::domain::adopt::{
    Facts, Naming, Refusal, branch_of, ensure_adoptable, ensure_other_than, name,
};
use crate::domain::event::{End, Stays, Subject, What};
use crate::domain::lane::{Head, Lane, LaneId, LosslessPath, ObjectId, Worktree, WorktreeState};
use crate::domain::name::{BranchName, LaneName};
use crate::domain::retire::raced;
use crate::error::Result;
use crate::policy::Policy;
use crate::repository::Repository;
use crate::repository::metadata::{Edit, Records};
use crate::repository::provenance::remember;
use crate::repository::{find_worktree, revision};
use crate::store as git;
use crate::store::clock;
use crate::store::journal::{Journal, unique_id};

/// What the lane is to be.
#[derive(Debug, Clone)]
pub struct Wish<'a> {
    /// Its name, where the user gave one.
    pub name: Option<&'a LaneName>,
    /// Its base, where the user gave one.
    pub base: Option<&'a str>,
    /// Who works in it.
    pub owner: &'a str,
    /// What it is for.
    pub task: Option<&'a str>,
    /// How branches are named, and which base is usual.
    pub policy: &'a Policy,
}

/// A lane that was adopted, or would be.
#[derive(Debug)]
pub struct Adopted {
    /// Its record.
    pub lane: Lane,
    /// Its commit.
    pub tip: ObjectId,
}

/// The lane that would come of the worktree; changes nothing.
///
/// # Errors
/// A refusal where none can.
pub fn foresee(
    repository: &Repository,
    all: &[Worktree],
    records: &Records,
    worktree: &Worktree,
    wish: &Wish<'_>,
) -> Result<Adopted> {
    let facts = Facts {
        worktree,
        all,
        lanes: &records.lanes,
        damaged_record: damaged_record(records, worktree),
        found_at: match worktree.state {
            WorktreeState::Missing => find_worktree::find(repository, worktree),
            _ => None,
        },
    };
    ensure_adoptable(&facts)?;
    let branch = branch_of(worktree).cloned();
    let tip = match (&branch, &worktree.head) {
        (Some(branch), _) => repository
            .branch_tip(branch)?
            .ok_or_else(|| Refusal::Unborn(branch.clone()))?,
        (None, Head::Detached(commit)) => *commit,
        (None, _) => return Err(Refusal::StrangeHead(worktree.path.clone()).into()),
    };
    let base = base_of(repository, branch.as_ref(), wish)?;
    if let Some(branch) = &branch {
        ensure_other_than(branch, base.name.as_ref())?;
    }
    let fork_point = revision::merge_base(repository, base.commit, tip)?
        .ok_or_else(|| Refusal::Unrelated(worktree.path.clone(), base.name.clone()))?;
    let lane = Lane {
        name: name_of(repository, records, worktree, branch.as_ref(), wish)?,
        id: LaneId(unique_id()),
        branch,
        worktree: worktree.path.clone(),
        base: base.name,
        fork_point,
        owner: Some(wish.owner.to_owned()),
        task: wish.task.map(str::to_owned),
        created: clock::now(),
        mark: None,
        claim: None,
        parameters: Vec::new(),
        read_only: false,
        adopted: true,
    };
    Ok(Adopted { lane, tip })
}

/// Makes the worktree a lane.
///
/// # Errors
/// A refusal where it cannot be one, or is one by now.
pub fn adopt(repository: &Repository, worktree: &Worktree, wish: &Wish<'_>) -> Result<Adopted> {
    // A start makes the branch, the worktree and the record one after the other.
    let _registry = registry_lock(repository)?;
    let all = repository.worktrees()?;
    let now = all
        .iter()
        .find(|other| other.git_dir == worktree.git_dir && other.path == worktree.path)
        .ok_or_else(|| Refusal::Gone(worktree.path.clone(), None))?;
    // No lane comes without the registry's lock: the history is walked without one that git needs.
    let adopted = foresee(repository, &all, &repository.records()?, now, wish)?;
    let lane = &adopted.lane;
    repository.unrecovered.ensure_lane_is_whole(&lane.name)?;
    ensure_no_intent_names(repository, lane)?;
    remember(repository, &lane.worktree);
    let mut edit = Edit::begin(repository.lane_dir())?;
    edit.put(lane)?;
    edit.commit()?;
    let end = End {
        result: Some(adopted.tip),
        owner: lane.owner.clone(),
        stays: Some(Stays::of(lane)),
        ..End::default()
    };
    repository.log().tell(Subject::of(What::Adopt, lane), end);
    Ok(adopted)
}

/// Refuses a worktree that an intent names: a process that has died since has left it between two
/// states, and it may be another lane's.
fn ensure_no_intent_names(repository: &Repository, lane: &Lane) -> Result<()> {
    let place = serde_json::to_value(LosslessPath(lane.worktree.clone())).unwrap_or_default();
    let intents = Journal::new(repository.lane_dir()).pending::<serde_json::Value>();
    match intents.iter().any(|(_, intent)| names(intent, &place)) {
        true => Err(raced(&lane.name)),
        false => Ok(()),
    }
}

/// Whether a document has that value anywhere.
fn names(document: &serde_json::Value, value: &serde_json::Value) -> bool {
    use serde_json::Value;
    document == value
        || match document {
            Value::Object(fields) => fields.values().any(|field| names(field, value)),
            Value::Array(items) => items.iter().any(|item| names(item, value)),
            _ => false,
        }
}

/// The section of a record that cannot be used and is about the worktree.
fn damaged_record(records: &Records, worktree: &Worktree) -> Option<String> {
    let is_about = |[branch, path]: &[Option<BString>; 2]| {
        let branch = branch.as_ref().map(|branch| branch.as_bstr());
        path.as_ref()
            .is_some_and(|path| git::path(path) == worktree.path)
            || branch.is_some() && branch == branch_of(worktree).map(BranchName::as_bstr)
    };
    let found = records
        .damaged
        .iter()
        .find(|damaged| is_about(&damaged.names));
    found.map(|damaged| damaged.section.to_string())
}

fn name_of(
    repository: &Repository,
    records: &Records,
    worktree: &Worktree,
    branch: Option<&BranchName>,
    wish: &Wish<'_>,
) -> Result<LaneName> {
    let is_taken = |name: &LaneName| {
        let is_its = |section: &BString| section == name.as_str();
        records
            .meant(repository.name_rule(), name.as_str())
            .is_some()
            || records
                .damaged
                .iter()
                .any(|damaged| is_its(&damaged.section))
    };
    if let Some(name) = wish.name {
        return match is_taken(name) {
            true => Err(Refusal::NameTaken(name.clone()).into()),
            false => Ok(name.clone()),
        };
    }
    let shop = revision::repository_name(&repository.main_site().0).to_string();
    let naming = Naming {
        branch,
        path: &worktree.path,
        repository: &shop,
        template: &wish.policy.branch,
        owner: Some(wish.owner),
    };
    let taken = |name: &LaneName| {
        is_taken(name) || repository.unrecovered.ensure_lane_is_whole(name).is_err()
    };
    name(naming, taken).ok_or_else(|| Refusal::NoName(worktree.path.clone()).into())
}
