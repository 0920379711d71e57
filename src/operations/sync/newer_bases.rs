//! What is new on the remotes: fetched, and put on the local bases that are only behind.

use std::collections::{BTreeMap, BTreeSet};

use bstr::BString;

use crate::domain::event::{End, Subject, What};
use crate::domain::finish::{self, Relation};
use crate::domain::lane::{Lane, ObjectId, RefName, Worktree};
use crate::domain::name::{BranchName, LaneName};
use crate::error::{Kind, Result};
use crate::operations::checkout::{Move, Why};
use crate::operations::land::ATTEMPTS;
use crate::operations::land::apply::{Moved, apply};
use crate::operations::land::landing_facts;
use crate::operations::land::landing_lock::Turn;
use crate::operations::land::verdict::site_of;
use crate::repository::quarantine::Scratch;
use crate::repository::recovered::Heal;
use crate::repository::upstream::{Upstream, fetch, remote_of, upstream};
use crate::repository::{Repository, gate_rules};

/// Why a base does not take what its upstream has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stays {
    /// It follows nothing.
    FollowsNothing,
    /// It has commits of its own.
    Diverged(RefName),
    /// It takes only what its gate has let pass.
    Gated(RefName),
    /// Something is in the way, as these words say.
    InTheWay(RefName, String),
}

impl Stays {
    /// A stable word for scripts.
    pub fn code(&self) -> &'static str {
        match self {
            Stays::FollowsNothing => "follows-nothing",
            Stays::Diverged(_) => "diverged",
            Stays::Gated(_) => "gate",
            Stays::InTheWay(..) => "in-the-way",
        }
    }
}

impl std::fmt::Display for Stays {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Stays::FollowsNothing => f.write_str("it follows no branch of a remote"),
            Stays::Diverged(upstream) => {
                write!(f, "it has commits that '{upstream}' has not")
            }
            Stays::Gated(upstream) => {
                write!(f, "it has a gate, and '{upstream}' has not passed that")
            }
            Stays::InTheWay(_, why) => f.write_str(why),
        }
    }
}

/// Fetches what the bases of these lanes follow, and moves the local ones forward that are only
/// behind. Returns those that stay where they are although something may be new, and why.
pub fn renew(
    repository: &mut Repository,
    lanes: &[&Lane],
    heal: Heal<'_>,
) -> Result<Vec<(RefName, Stays)>> {
    let mut bases = BTreeMap::new();
    for lane in lanes {
        if let Some(base) = &lane.base {
            bases.entry(base.clone()).or_insert(lane.name.clone());
        }
    }
    renew_bases(repository, bases, heal)
}

/// The same for bases, each with a lane that wants it.
pub fn renew_bases(
    repository: &mut Repository,
    bases: BTreeMap<RefName, LaneName>,
    heal: Heal<'_>,
) -> Result<Vec<(RefName, Stays)>> {
    let (mut stay, mut follow, mut remotes) = (Vec::new(), Vec::new(), BTreeSet::new());
    let is_of_a_lane = |base: &RefName| {
        let records = repository.records().unwrap_or_default();
        let mut lanes = records.lanes.iter();
        lanes.any(|lane| lane.branch.as_ref().map(RefName::from).as_ref() == Some(base))
    };
    for (base, lane) in bases {
        match (upstream(repository, &base), remote_of(&base)) {
            (Some(upstream), _) => {
                remotes.insert(upstream.remote.clone());
                follow.push((base, lane, upstream));
            }
            (None, Some(remote)) => drop(remotes.insert(remote)),
            // The base of a stacked lane is another lane's branch.
            (None, None) if is_of_a_lane(&base) => {}
            (None, None) => stay.push((base, Stays::FollowsNothing)),
        }
    }
    for remote in &remotes {
        let fetched = fetch(repository, Some::<&BString>(remote));
        fetched.map_err(|error| error.hint("to take the bases as they are, leave --fetch out"))?;
    }
    for (base, lane, upstream) in follow {
        let Some(branch) = BranchName::from_ref(base.as_bstr()) else {
            continue;
        };
        let subject = Subject {
            what: What::Sync,
            lane: None,
            lane_id: None,
            base: Some(base.clone()),
            base_commit: repository.ref_target(&base)?,
            undoes: Vec::new(),
        };
        match forward(repository, (&branch, &lane), &upstream, subject, heal) {
            Ok(None) => {}
            Ok(Some(stays)) => stay.push((base, stays)),
            Err(error) if error.kind() == Kind::Refused => {
                stay.push((base, Stays::InTheWay(upstream.tracking, error.to_string())));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(stay)
}

/// Moves a base, that of `lane`, to where its upstream is, with the worktree that has it checked out.
fn forward(
    repository: &mut Repository,
    (base, lane): (&BranchName, &LaneName),
    upstream: &Upstream,
    subject: Subject,
    heal: Heal<'_>,
) -> Result<Option<Stays>> {
    let tracking = || upstream.tracking.clone();
    // Where nothing is new, no other landing is waited for.
    if let (Some(old), Some(new)) = tips(repository, base, upstream)?
        && is_there(repository, old, new)?
    {
        return Ok(None);
    }
    let _turn = Turn::take_to(repository, "sync a base")?;
    let scratch = Scratch::new(repository)?;
    for _ in 0..ATTEMPTS {
        heal(repository)?;
        let repository = &*repository;
        let base = repository.branch_meant(base)?;
        let (Some(old), Some(new)) = tips(repository, &base, upstream)? else {
            return Ok(None);
        };
        match landing_facts::relation(repository, old, new)? {
            Relation::Same | Relation::Contained => return Ok(None),
            Relation::Diverged | Relation::Unrelated => {
                return Ok(Some(Stays::Diverged(tracking())));
            }
            Relation::Ahead => {}
        }
        if !gate_rules::gate(repository, &repository.gix, old, Some(new), &[])?.is_empty() {
            return Ok(Some(Stays::Gated(tracking())));
        }
        let worktrees = repository.worktrees()?;
        ensure_free(repository, &worktrees, &base, lane)?;
        let reason = format!("lane: sync '{base}' with '{}'", upstream.tracking);
        let planned = Move {
            base: &base,
            old,
            new,
            made_on: None,
            why: Why::Forward,
            site: site_of(&worktrees, &base),
            reason: &reason,
            scratch: Some(&scratch),
            under: None,
        };
        let operation = repository.log().begin(subject.clone());
        let end = |result: Option<ObjectId>| End {
            result,
            note: Some(upstream.tracking.to_string()),
            ..End::default()
        };
        let moved = operation.ended(apply(repository, &planned), |moved| {
            end((*moved == Moved::Done).then_some(new))
        })?;
        if moved == Moved::Done {
            if let Some(site) = planned.site {
                repository.tell_of_index(site, repository.git.at(&site.path));
            }
            return Ok(None);
        }
    }
    Ok(None)
}

/// The commits of a base and of what it follows.
fn tips(
    repository: &Repository,
    base: &BranchName,
    upstream: &Upstream,
) -> Result<(Option<ObjectId>, Option<ObjectId>)> {
    let base = repository.branch_meant(base)?;
    Ok((
        repository.branch_tip(&base)?,
        repository.ref_target(&upstream.tracking)?,
    ))
}

fn is_there(repository: &Repository, base: ObjectId, new: ObjectId) -> Result<bool> {
    let relation = landing_facts::relation(repository, base, new)?;
    Ok(matches!(relation, Relation::Same | Relation::Contained))
}

/// Refuses a base, that of `lane`, which some worktree cannot follow.
fn ensure_free(
    repository: &Repository,
    worktrees: &[Worktree],
    base: &BranchName,
    lane: &LaneName,
) -> Result<()> {
    let facts = landing_facts::base_facts(repository, worktrees, base, None)?;
    Ok(finish::ensure_base_free(lane, &facts)?)
}
