//! The lanes that may go: what was seen of each, and what the decision needs.

use bstr::BString;

use crate::domain::lane::{Lane, Worktree, WorktreeState};
use crate::domain::losses::Losses;
use crate::domain::name::{BranchName, LaneName};
use crate::domain::prune_verdict::{Done, Facts, Kept, verdict};
use crate::domain::retire::{ensure_movable, place};
use crate::operations::retire::look::{Look, ignored, look_at_all, with_inner};
use crate::operations::retire::{based_on, is_untouched, surroundings};
use crate::repository::metadata::Records;
use crate::repository::worktree::head_moved;
use crate::repository::{Repository, claims};

/// A lane, where it is, what was seen of it, and what the decision needs.
pub struct Candidate<'a> {
    pub(super) lane: &'a Lane,
    pub(super) worktree: Option<&'a Worktree>,
    pub(super) seen: Look,
    facts: Facts,
}

impl Candidate<'_> {
    /// Why the lane is done, at the time `now`, and the ignored files that would go with it; or why
    /// it stays. That its own work is done says nothing about that of the repositories in it, which
    /// are looked into only then.
    pub(super) fn decide(
        &mut self,
        repository: &Repository,
        now: i64,
        older_than: Option<i64>,
    ) -> Result<(Done, Vec<BString>), Kept> {
        if let why @ Done::AdoptedGone = verdict(&self.facts, now, older_than)? {
            return Ok((why, Vec::new()));
        }
        let losses = std::mem::take(&mut self.seen.losses);
        self.seen.losses = with_inner(repository, self.lane, self.worktree, losses);
        self.facts.losses.clone_from(&self.seen.losses);
        let why = verdict(&self.facts, now, older_than)?;
        match ignored(repository, self.lane, self.worktree) {
            Ok(ignored) => Ok((why, ignored)),
            Err(error) => Err(Kept::Unreadable(error.to_string())),
        }
    }

    /// The branch that has the lane's work.
    pub(super) fn heir(&self) -> Option<BranchName> {
        self.seen.proof.as_ref().and(self.lane.base_branch())
    }

    /// The lanes that are based on the lane's branch, where that goes.
    pub(super) fn above(&self, records: &Records, why: &Done) -> Vec<LaneName> {
        let leaving = self.lane.branch.as_ref().filter(|_| why.delete_branch());
        leaving
            .map(|branch| based_on(records, branch, self.heir().as_ref()))
            .unwrap_or_default()
    }
}

/// Looks at all lanes together: files in parallel, commits in one walk. What cannot be read keeps
/// its lane.
pub(super) fn look<'a>(
    repository: &Repository,
    lanes: &'a [Lane],
    all: &'a [Worktree],
) -> Vec<Candidate<'a>> {
    let placed = lanes.iter().map(|lane| (lane, place(lane, all).worktree()));
    let (mut found, mut open) = (Vec::new(), Vec::new());
    for (at, (lane, worktree)) in placed.enumerate() {
        let around = surroundings(repository, lane, worktree, all, true).with_processes();
        let protected = ensure_movable(&around).err();
        if protected.is_none() {
            open.push((at, (lane, worktree)));
        }
        let facts = Facts {
            protected,
            adopted: lane.adopted,
            missing: worktree.is_none_or(|worktree| worktree.state == WorktreeState::Missing),
            losses: Losses::default(),
            untouched: false,
            read_only: lane.read_only && claims::living(repository, lane).is_none(),
            integrated: None,
            last_seen: last_seen(lane, worktree),
            unreadable: None,
        };
        found.push(Candidate {
            lane,
            worktree,
            seen: Look::default(),
            facts,
        });
    }
    let places: Vec<_> = open.iter().map(|(_, place)| *place).collect();
    for ((at, (lane, worktree)), seen) in open.into_iter().zip(look_at_all(repository, &places)) {
        let Candidate {
            facts, seen: known, ..
        } = &mut found[at];
        match seen {
            Ok(seen) => {
                facts.integrated = seen.proof.as_ref().map(|proof| proof.how.clone());
                let place = (lane, worktree);
                let integrated = facts.integrated.as_ref();
                facts.untouched = is_untouched(repository, place, seen.tip, integrated);
                facts.losses = seen.losses.clone();
                *known = seen;
            }
            Err(error) => facts.unreadable = Some(error.to_string()),
        }
    }
    found
}

/// When the lane was started, or its HEAD last moved.
fn last_seen(lane: &Lane, worktree: Option<&Worktree>) -> i64 {
    let moved = worktree.and_then(head_moved);
    moved.map_or(lane.created, |moved| moved.max(lane.created))
}

/// How many of `lanes` are below the lane, one based on the other.
pub(super) fn height(lane: &Lane, lanes: &[&Lane]) -> usize {
    let below = |lane: &&Lane| {
        let base = lane.base_branch()?;
        lanes
            .iter()
            .find(|other| other.branch.as_ref() == Some(&base))
            .copied()
    };
    std::iter::successors(Some(lane), below)
        .take(lanes.len())
        .count()
}
