//! How the main worktree differs from the lane that it shows.

use bstr::BString;

use super::ended_by_hand::branch_of_it;
use super::known_untracked;
use crate::domain::lane::Worktree;
use crate::domain::status::WorktreeStatus;
use crate::domain::try_lane::{Difference, EndRefusal, Shows, Tried, Ways};
use crate::error::Result;
use crate::operations::in_flight::worktree_statuses;
use crate::repository::Repository;

/// Every one of them.
pub(super) fn find(
    repository: &Repository,
    main: &Worktree,
    tried: &Tried,
) -> Result<Vec<Difference>> {
    let git = || repository.git_in(main);
    let status = worktree_statuses(repository, &[main]).swap_remove(0)?;
    let mut found: Vec<Difference> = status
        .operation
        .map(Difference::Operation)
        .into_iter()
        .collect();
    if let Shows::Another(head) = tried.shown_by(&main.head) {
        found.push(
            match git().has_ancestor(head.to_string(), tried.commit.to_string())? {
                true => Difference::Commits(head),
                false => Difference::Elsewhere(head),
            },
        );
    }
    if let Some(branch) = branch_of_it(repository, main, tried)? {
        found.push(Difference::Branch(branch, tried.branch.clone()));
    }
    if status.staged + status.modified + status.conflicted > 0 {
        found.push(Difference::Changed(changed(repository, main, &status)?));
    }
    if status.untracked > 0 {
        let untracked = git().list_untracked()?;
        let new = known_untracked::new_among(repository, untracked);
        if !new.is_empty() {
            found.push(Difference::New(new));
        }
    }
    Ok(found)
}

/// Refuses where there is one.
pub(super) fn ensure_none(repository: &Repository, main: &Worktree, tried: &Tried) -> Result<()> {
    let differences = find(repository, main, tried)?;
    if differences.is_empty() {
        return Ok(());
    }
    Err(EndRefusal::Differs {
        path: main.path.clone(),
        commit: tried.commit,
        differences,
        ways: match stash_takes_more(repository, main, tried)? {
            true => Ways::NoStash,
            false => Ways::All,
        },
    }
    .into())
}

/// Whether git would put aside, with what is new, something that was there before.
fn stash_takes_more(repository: &Repository, main: &Worktree, tried: &Tried) -> Result<bool> {
    let git = || repository.git_in(main);
    let Ok(known) = known_untracked::Known::read(repository) else {
        return Ok(true);
    };
    let mut taken = [git().list_untracked()?, git().diff_index(tried.commit)?].concat();
    taken.retain(|path| known.has(path));
    Ok(!taken.is_empty())
}

/// The first of the changed paths.
fn changed(
    repository: &Repository,
    main: &Worktree,
    status: &WorktreeStatus,
) -> Result<Vec<BString>> {
    let tracked = status
        .samples
        .iter()
        .filter(|line| !line.starts_with(b"??"));
    let named: Vec<BString> = tracked
        .map(|line| line.get(3..).unwrap_or_default().into())
        .collect();
    if !named.is_empty() {
        return Ok(named);
    }
    let git = || repository.git_in(main);
    let mut all = [git().diff_index("HEAD")?, git().diff_files(&[])?].concat();
    all.sort();
    all.dedup();
    Ok(all)
}
