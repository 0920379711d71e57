//! What a sync must know about a lane and its base. Nothing is changed here.

use crate::domain::finish::Relation;
use crate::domain::lane::{Lane, RefName, Worktree};
use crate::domain::retire::{Places, raced};
use crate::domain::sync::{Facts, Request, Strategy};
use crate::engines::status;
use crate::error::Result;
use crate::operations::land::landing_facts;
use crate::repository::Repository;
use crate::repository::renames;
use crate::repository::revision;
use crate::repository::{claims, resolver_lock};

/// Everything the decision needs, as the repository has it now; `worktrees` is git's own list.
pub(super) fn gather(
    repository: &Repository,
    worktrees: &[Worktree],
    lane: &Lane,
    request: &Request,
) -> Result<Facts> {
    repository.unrecovered.ensure_lane_is_whole(&lane.name)?;
    resolver_lock::ensure_free(repository, lane)?;
    claims::ensure_not_anothers(repository, lane)?;
    let records = repository.records()?;
    let recorded = records.find(&lane.name).filter(|now| now.id == lane.id);
    let lane = recorded.ok_or_else(|| raced(&lane.name))?;
    let base = match &lane.base {
        Some(base) => repository.ref_meant(base.clone()).map(Some)?,
        None => None,
    };
    let onto = match &base {
        Some(base) => repository
            .ref_target(base)?
            .map(|id| revision::peeled(repository, id)),
        None => None,
    };
    let worktree = Places::of(worktrees).place(lane).present();
    let branch = match &lane.branch {
        Some(branch) => {
            let branch = repository.branch_meant(branch)?;
            Some(landing_facts::base_facts(
                repository, worktrees, &branch, onto,
            )?)
        }
        None => None,
    };
    let renamed = match (lane.base_branch(), onto) {
        (Some(base), None) => renames::successor(repository, &base)?,
        _ => None,
    };
    let mut facts = Facts {
        head: worktree.map(|worktree| worktree.head.clone()),
        operation: worktree.and_then(|worktree| status::operation(&worktree.git_dir)),
        unmerged: match worktree {
            Some(worktree) => status::has_unmerged(&repository.gix, &worktree.git_dir, || {
                repository.git_in(worktree)
            })?,
            None => false,
        },
        branch,
        base: onto,
        renamed,
        published: None,
        lane: Lane {
            base,
            ..lane.clone()
        },
    };
    if request.strategy == Strategy::Rebase {
        facts.published = published(repository, &facts)?;
    }
    Ok(facts)
}

/// A remote-tracking branch that has commits which the lane has and its base has not.
fn published(repository: &Repository, facts: &Facts) -> Result<Option<RefName>> {
    let branch = facts.branch.as_ref();
    let diverged = branch.filter(|branch| branch.relation == Some(Relation::Diverged));
    let (Some(tip), Some(onto)) = (diverged.and_then(|branch| branch.tip), facts.base) else {
        return Ok(None);
    };
    if repository.refs_below("refs/remotes/")?.is_empty() {
        return Ok(None);
    }
    let names = || [tip.to_string(), format!("^{onto}")];
    let own = || repository.git_here();
    let all = own().rev_list(["--stdin"], names())?;
    let unpublished = own().rev_list(["--stdin", "--not", "--remotes"], names())?;
    let Some(oldest) = all.iter().rev().find(|id| !unpublished.contains(id)) else {
        return Ok(None);
    };
    let having: Vec<_> = own().remote_branches_with(*oldest)?;
    Ok(having.iter().find_map(|name| RefName::parse(name.as_ref())))
}
