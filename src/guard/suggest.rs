//! How to come to work on a branch that was not to be switched to. By now something was stopped, so
//! there is time to read the policy; where it cannot be read, what holds without one is said.

use std::path::Path;

use crate::domain::guard::Way;
use crate::domain::lane::{WorktreeState, user_of};
use crate::domain::name::{BranchName, LaneName};
use crate::error::Result;
use crate::guard::site::Place;
use crate::policy::Policy;
use crate::repository::Repository;
use crate::store::login;

/// What a hint says of `branch`.
pub(super) fn to(place: &Place, branch: &BranchName) -> Way {
    way_to(&place.git_dir, branch)
}

/// The same for the worktree that has this git directory.
pub fn way_to(git_dir: &Path, branch: &BranchName) -> Way {
    find(git_dir, branch).unwrap_or_else(|_| {
        Way::to(branch, &Policy::default().branch, None, &|_| false, &|_| {
            false
        })
    })
}

fn find(git_dir: &Path, branch: &BranchName) -> Result<Way> {
    let repository = Repository::at(git_dir)?;
    let mut worktrees = repository.worktrees()?;
    worktrees.retain(|worktree| worktree.git_dir != repository.git_dir());
    if let Some(there) =
        user_of(branch, &worktrees).filter(|there| there.state == WorktreeState::Present)
    {
        return Ok(Way::There(there.path.clone()));
    }
    let policy = repository.policy()?;
    let records = repository.records()?;
    // One that lost its worktree; starting it again says how it goes on.
    if let Some(lane) = records
        .lanes
        .iter()
        .find(|lane| lane.branch.as_ref() == Some(branch))
    {
        return Ok(Way::Start(lane.name.clone()));
    }
    let taken = |name: &LaneName| {
        records
            .meant(repository.name_rule(), name.as_str())
            .is_some()
    };
    let exists = |name: &LaneName| {
        let wanted = BranchName::from_ref(format!("refs/heads/{name}").as_str().into());
        let free = |wanted: &BranchName| {
            Ok::<_, crate::error::Error>(
                repository.branch_tip(wanted)?.is_none()
                    && repository.conflicting_branch(wanted)?.is_none(),
            )
        };
        taken(name) || !wanted.is_some_and(|wanted| free(&wanted).unwrap_or(true))
    };
    Ok(Way::to(
        branch,
        &policy.branch,
        policy.owner_of_new_lanes(login::name).as_deref(),
        &taken,
        &exists,
    ))
}
