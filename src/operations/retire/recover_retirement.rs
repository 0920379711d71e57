//! The way back of a removal, and its way forward after a crash; whatever others did to the lane
//! meanwhile.

use super::take_away::{forget, places};
use super::{Intent, what};
use crate::domain::trash_entry::Entry;
use crate::error::{IoContext, Result};
use crate::operations::start::registry_lock;
use crate::operations::trash;
use crate::repository::Repository;
use crate::repository::quarantine::Scratch;
use crate::repository::recovered::{Act, Healed};
use crate::repository::reflog::{reflog_path, relink_reflog};
use crate::repository::refs::RefChange;
use crate::store::exists;
use crate::store::journal::Running;

/// Whether the removal has gone too far to be undone.
pub(super) fn is_committed(repository: &Repository, entry: &Entry) -> Result<bool> {
    if !has_record(repository, entry)? {
        return Ok(true);
    }
    match entry.branch.as_ref().filter(|branch| branch.deleted) {
        Some(branch) => Ok(repository.branch_tip(&branch.name)?.is_none()),
        None => Ok(false),
    }
}

fn has_record(repository: &Repository, entry: &Entry) -> Result<bool> {
    Ok(repository
        .records()?
        .find(&entry.lane.name)
        .is_some_and(|lane| lane.id == entry.lane.id))
}

/// Undoes a removal that is not committed.
pub(super) fn put_back(repository: &Repository, entry: &Entry) -> Result<()> {
    // A branch that is being deleted loses its reflog first.
    if let Some(branch) = entry.branch.as_ref().filter(|branch| branch.deleted)
        && reflog_path(repository, &branch.name).is_some_and(|log| !log.exists())
    {
        let kept = trash::directory(repository).join(&entry.id).join("reflog");
        relink_reflog(repository, &branch.name, &kept)?;
    }
    // A full disk has no room for a scratch directory, and most lanes have no tag in their keeper.
    let tip = entry.branch.as_ref().map(|branch| branch.tip);
    let scratch = match entry.keep.is_some() && entry.keep != tip {
        true => Some(Scratch::new(repository)?),
        false => None,
    };
    let bring_back = |scratch| trash::keeper_commit::bring_back_tags(repository, entry, scratch);
    let _tags = scratch.as_ref().map(bring_back).transpose()?;
    if let Some(places) = places(repository, entry) {
        places.bring_back()?;
        places.settle()?;
    }
    trash::remove_ref(repository, &entry.id, "lane: undo")?;
    trash::remove_empty(&trash::directory(repository).join(&entry.id))
}

/// Completes or undoes an interrupted removal.
pub fn recover(repository: &Repository, running: &Running, intent: &Intent) -> Result<Healed> {
    let _lock = trash::exclusive_for(repository, &intent.lane, running)?;
    let _registry = registry_lock(repository)?;
    let entry = &intent.entry;
    let healed = |completed| Healed::of(Act::Retire, &entry.lane.id, what(&intent.lane), completed);
    if !is_committed(repository, entry)? && put_back(repository, entry).is_ok() {
        return Ok(healed(false));
    }
    // Too late, or another lane has taken the lane's place meanwhile: it goes to the trash whole.
    complete(repository, entry)?;
    Ok(healed(true))
}

/// Takes away whatever is still there; returns the entry, which says what went.
pub(super) fn complete(repository: &Repository, entry: &Entry) -> Result<Entry> {
    let entry = what_is_left(repository, entry)?;
    if let Some(places) = places(repository, &entry) {
        places.take_away()?;
    }
    let name = trash::ref_name(&entry.id)?;
    if let (Some(id), None) = (entry.keep, repository.ref_target(&name)?) {
        repository.change_refs(
            &[RefChange {
                name,
                from: None,
                to: Some(id),
            }],
            "lane: retire",
        )?;
    }
    if let Some(branch) = entry.branch.as_ref().filter(|branch| branch.deleted)
        && repository.branch_tip(&branch.name)? == Some(branch.tip)
    {
        let change = RefChange::removal(&branch.name, branch.tip);
        repository.change_refs(&[change], "lane: retire")?;
    }
    forget(repository, &entry)?;
    Ok(entry)
}

/// Makes sure that the entry is written, without a directory that the user has removed before it
/// could be moved.
fn what_is_left(repository: &Repository, entry: &Entry) -> Result<Entry> {
    let directory = trash::directory(repository).join(&entry.id);
    let mut entry = entry.clone();
    let waits = places(repository, &entry).is_some_and(|places| places.waiting().is_some());
    if let Some(worktree) = entry.worktree.as_mut().filter(|_| !waits)
        && !exists(&worktree.path)
    {
        worktree.directory = None;
    }
    repository
        .shared()
        .create_dir_all(&directory)
        .context("create", &directory)?;
    trash::write(repository.lane_dir(), &directory, &entry)?;
    Ok(entry)
}
