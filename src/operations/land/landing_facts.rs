//! What finish must know about a lane and its base.

use bstr::ByteSlice;

use crate::domain::finish::{self, BaseFacts, Facts, Refusal, Relation, Site};
use crate::domain::lane::{Head, Lane, ObjectId, RefName, Worktree};
use crate::domain::name::BranchName;
use crate::domain::retire::place;
use crate::domain::shell_word::quote;
use crate::engines::status;
use crate::error::{Code, Error, Result};
use crate::operations::in_flight;
use crate::repository::Repository;
use crate::repository::alias::Leads;
use crate::repository::renames;
use crate::repository::{claims, resolver_lock};
use bstr::BString;

/// The local branches and the remote-tracking refs they follow, by `branch.<name>.merge` and the
/// remote's refspec.
pub fn upstreams(repository: &Repository) -> Result<Vec<(BranchName, RefName)>> {
    let git = repository.git_here();
    let listed = git.for_each_ref(["refname", "upstream"], ["refs/heads/"])?;
    let pair = |[branch, upstream]: &[BString; 2]| {
        Some((
            BranchName::from_ref(branch.as_bstr())?,
            RefName::parse(upstream.as_bstr())?,
        ))
    };
    Ok(listed.iter().filter_map(pair).collect())
}

/// The branch that the lane lands on; `into` is what the user typed.
pub fn target(
    repository: &Repository,
    lane: &Lane,
    into: Option<&str>,
) -> Result<Result<BranchName, Refusal>> {
    let into = into.map(|into| {
        BranchName::parse(into.as_bytes().as_bstr()).map_err(|problem| {
            Error::usage(format!(
                "'{into}' cannot be a branch: it {}",
                problem.because()
            ))
        })
    });
    let into = into.transpose()?;
    let follows_remote = into.is_none() && lane.base.is_some() && lane.base_branch().is_none();
    let upstreams = if follows_remote {
        upstreams(repository)?
    } else {
        Vec::new()
    };
    Ok(finish::target(lane, into.as_ref(), &upstreams))
}

/// Everything the decision needs. `worktrees` is git's own list, `base` the branch to land on.
pub fn gather(
    repository: &Repository,
    worktrees: &[Worktree],
    lane: &Lane,
    base: Option<&BranchName>,
) -> Result<Facts> {
    resolver_lock::ensure_free(repository, lane)?;
    claims::ensure_not_anothers(repository, lane)?;
    let worktree = place(lane, worktrees).present();
    let status = match worktree {
        Some(worktree) => Some(in_flight::worktree_status(repository, worktree)?),
        None => None,
    };
    let head = worktree.map(|worktree| worktree.head.clone());
    let tip = match (&lane.branch, &head) {
        (Some(branch), _) => repository.branch_tip(branch)?,
        (None, Some(Head::Detached(id))) => Some(*id),
        (None, _) => None,
    };
    let base = base
        .map(|base| base_facts(repository, worktrees, base, tip))
        .transpose()?;
    let leads_to = match lane
        .branch
        .as_ref()
        .map(|branch| repository.leads(branch))
        .transpose()?
    {
        Some(Leads::ToBranch(branch)) => Some(branch),
        _ => None,
    };
    Ok(Facts {
        lane: lane.clone(),
        leads_to,
        head,
        status,
        tip,
        base,
        proof: None,
    })
}

/// Refuses at the last moment where the lane is claimed by another holder, or has got another base, since
/// `lane` was read.
pub fn ensure_still_meant(repository: &Repository, lane: &Lane) -> Result<()> {
    claims::ensure_not_anothers(repository, lane)?;
    let records = repository.records()?;
    let now = records.lanes.iter().find(|now| now.id == lane.id);
    if now.is_none_or(|now| now.base == lane.base) {
        return Ok(());
    }
    let sentence = format!("lane '{}' got another base at the same moment", lane.name);
    Err(Error::refused(sentence)
        .with_code(Code::Raced)
        .hint(format!(
            "see its base with: git lane base {}",
            quote(&lane.name)
        )))
}

/// Looks for the proof that the base has the lane's work in other commits: squashed, rebased, or
/// picked.
pub fn prove(repository: &Repository, facts: &mut Facts) -> Result<()> {
    let base = facts.base.as_ref().and_then(|base| base.tip);
    if let Some(pair) = facts.tip.zip(base) {
        facts.proof = in_flight::standings(repository, &[pair])
            .pop()
            .transpose()?
            .and_then(|versus| versus.integrated);
    }
    Ok(())
}

/// What is known about a branch to land on.
pub fn base_facts(
    repository: &Repository,
    worktrees: &[Worktree],
    branch: &BranchName,
    lane_tip: Option<ObjectId>,
) -> Result<BaseFacts> {
    let tip = repository.branch_tip(branch)?;
    let relation = match (tip, lane_tip) {
        (Some(base), Some(tip)) => Some(relation(repository, base, tip)?),
        _ => None,
    };
    let site = |worktree: &Worktree| Site {
        path: worktree.path.clone(),
        state: worktree.state.clone(),
        operation: status::operation(&worktree.git_dir),
    };
    let (at, elsewhere): (Vec<&Worktree>, Vec<&Worktree>) = worktrees
        .iter()
        .partition(|worktree| worktree.is_on(branch));
    let sites = at.into_iter().map(site).collect();
    let busy = elsewhere
        .into_iter()
        .filter(|worktree| worktree.held.contains(branch))
        .map(site)
        .collect();
    let renamed = if tip.is_none() {
        renames::successor(repository, branch)?
    } else {
        None
    };
    Ok(BaseFacts {
        branch: branch.clone(),
        tip,
        renamed,
        relation,
        sites,
        busy,
    })
}

/// How a lane's tip relates to its base.
pub fn relation(repository: &Repository, base: ObjectId, tip: ObjectId) -> Result<Relation> {
    if base == tip {
        return Ok(Relation::Same);
    }
    Ok(
        match crate::repository::revision::merge_base(repository, base, tip)? {
            Some(common) if common == tip => Relation::Contained,
            Some(common) if common == base => Relation::Ahead,
            Some(_) => Relation::Diverged,
            None => Relation::Unrelated,
        },
    )
}

/// Whether `commit` is `now` or in its history.
pub fn has(repository: &Repository, now: ObjectId, commit: ObjectId) -> Result<bool> {
    let relation = relation(repository, now, commit)?;
    Ok(matches!(relation, Relation::Same | Relation::Contained))
}
