//! Which lanes `git lane finish --all` lands, and why it leaves the others out; pure.
//!
//! `commands/finish/chosen` gathers the facts. What a lane that was chosen is refused for is decided
//! like that of a lane that was named.

use crate::domain::claim::Claim;
use crate::domain::lane::Lane;
use crate::domain::lane_status::LaneStatus;
use crate::domain::overview::{State, Versus};
use crate::error::Code;

/// What is known of a lane.
#[derive(Debug)]
pub struct Candidate<'a> {
    /// The lane.
    pub lane: &'a Lane,
    /// What is in its worktree.
    pub state: &'a State,
    /// How it stands to its base.
    pub versus: Option<&'a Versus>,
    /// Another holder's living claim.
    pub claim: Option<&'a Claim>,
}

/// Why a lane does not land with the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeftOut {
    /// It is for looking and running alone.
    ReadOnly,
    /// Another holder has it.
    Claimed(Box<Claim>),
    /// It has no branch.
    NoBranch,
    /// It has no base to land on.
    NoBase,
    /// Its worktree is gone, damaged, stray, in the middle of an operation, or not clean.
    NotSettled(State),
    /// Its base has all of it, or it has no commit of its own.
    NothingToLand,
}

/// Whether the lane is asked for: with `any_status` each is, else those that are marked as ready.
pub fn is_asked_for(lane: &Lane, any_status: bool) -> bool {
    let status = lane.mark.as_ref().map(|mark| mark.status);
    any_status || status == Some(LaneStatus::Ready)
}

/// Why a lane that is asked for stays; `None` where it lands. What its owner calls ready is finished
/// also where nothing of it is left to land.
pub fn left_out(candidate: &Candidate<'_>, any_status: bool) -> Option<LeftOut> {
    let Candidate { lane, state, .. } = candidate;
    let has_landed = |versus: &Versus| versus.ahead == 0 || versus.integrated.is_some();
    if lane.read_only {
        Some(LeftOut::ReadOnly)
    } else if let Some(claim) = candidate.claim {
        Some(LeftOut::Claimed(Box::new(claim.clone())))
    } else if lane.branch.is_none() {
        Some(LeftOut::NoBranch)
    } else if lane.base.is_none() {
        Some(LeftOut::NoBase)
    } else if !state.is_settled() {
        Some(LeftOut::NotSettled((*state).clone()))
    } else if any_status && candidate.versus.is_some_and(has_landed) {
        Some(LeftOut::NothingToLand)
    } else {
        None
    }
}

impl LeftOut {
    /// The word for scripts: that of the refusal which a lane that is named gets, where there is one.
    pub fn code(&self) -> &'static str {
        let code = match self {
            LeftOut::ReadOnly => Code::ReadOnlyLane,
            LeftOut::Claimed(_) => Code::Claimed,
            LeftOut::NoBranch => Code::Detached,
            LeftOut::NoBase => Code::NoBase,
            LeftOut::NotSettled(State::Missing) => Code::WorktreeGone,
            LeftOut::NotSettled(State::Damaged(_)) => Code::Damaged,
            LeftOut::NotSettled(State::Stray(..)) => Code::Stray,
            LeftOut::NotSettled(State::Read(status)) if status.operation.is_some() => {
                Code::OperationInProgress
            }
            LeftOut::NotSettled(_) => Code::Unsettled,
            LeftOut::NothingToLand => return "nothing-to-land",
        };
        code.as_str()
    }
}

impl std::fmt::Display for LeftOut {
    /// `it is claimed by 'ann'`
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            LeftOut::ReadOnly => f.write_str("it is read-only"),
            LeftOut::Claimed(claim) => write!(f, "it is {claim}"),
            LeftOut::NoBranch => f.write_str("it has no branch"),
            LeftOut::NoBase => f.write_str("it has no base"),
            LeftOut::NotSettled(State::Missing) => f.write_str("its worktree is gone"),
            LeftOut::NotSettled(State::Damaged(why)) => write!(f, "it is damaged: {why}"),
            LeftOut::NotSettled(state) => write!(f, "it is not settled: {state}"),
            LeftOut::NothingToLand => f.write_str("it has nothing to land"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::claim::ClaimEnd;
    use crate::domain::integration::Integration;
    use crate::domain::lane::Head;
    use crate::domain::lane_status::Mark;

    use crate::domain::status::{Operation, WorktreeStatus};

    fn lane() -> Lane {
        Lane::sample("login")
    }

    #[test]
    fn ready_lanes_are_asked_for_or_all() {
        assert!(is_asked_for(&lane(), true));
        assert!(!is_asked_for(&lane(), false));
        for status in LaneStatus::ALL {
            let mark = Mark {
                status,
                since: 0,
                message: None,
            };
            let lane = Lane {
                mark: Some(mark),
                ..lane()
            };
            assert_eq!(is_asked_for(&lane, false), status == LaneStatus::Ready);
        }
    }

    #[test]
    fn what_leaves_a_lane_out() {
        let clean = || State::Read(WorktreeStatus::default());
        let read = |change: fn(&mut WorktreeStatus)| {
            let mut status = WorktreeStatus::default();
            change(&mut status);
            State::Read(status)
        };
        let versus = |ahead, integrated| Versus {
            ahead,
            behind: 0,
            integrated,
        };
        let claim = Claim {
            holder: "ann".into(),
            key: Some("k".into()),
            since: 0,
            end: ClaimEnd::Release,
            message: None,
        };
        let ahead = || versus(1, None);
        let stray = || State::Stray(Head::Other("x".into()), None);
        type Change = fn(&mut Lane);
        let as_is: Change = |_| {};
        let table = [
            (as_is, clean(), ahead(), None, "lands"),
            (
                |lane| lane.read_only = true,
                clean(),
                ahead(),
                None,
                "read-only-lane",
            ),
            (as_is, clean(), ahead(), Some(&claim), "claimed"),
            (
                |lane| lane.branch = None,
                clean(),
                ahead(),
                None,
                "detached",
            ),
            (|lane| lane.base = None, clean(), ahead(), None, "no-base"),
            (as_is, State::Missing, ahead(), None, "worktree-gone"),
            (as_is, State::Damaged("x".into()), ahead(), None, "damaged"),
            (as_is, stray(), ahead(), None, "stray"),
            (as_is, read(|s| s.untracked = 1), ahead(), None, "unsettled"),
            (as_is, read(|s| s.modified = 1), ahead(), None, "unsettled"),
            (
                as_is,
                read(|s| s.operation = Some(Operation::Rebase)),
                ahead(),
                None,
                "operation-in-progress",
            ),
            (as_is, State::Unread, ahead(), None, "unsettled"),
            (
                as_is,
                clean(),
                versus(0, Some(Integration::SameCommit)),
                None,
                "nothing-to-land",
            ),
            (
                as_is,
                clean(),
                versus(1, Some(Integration::SamePatches)),
                None,
                "nothing-to-land",
            ),
        ];
        for (change, state, versus, claim, expected) in table {
            let mut lane = lane();
            change(&mut lane);
            let candidate = Candidate {
                lane: &lane,
                state: &state,
                versus: Some(&versus),
                claim,
            };
            let found = |any| left_out(&candidate, any).map_or("lands", |left_out| left_out.code());
            assert_eq!(found(true), expected, "{state:?}");
            // What is ready is finished, landed or not.
            let of_ready = match expected {
                "nothing-to-land" => "lands",
                other => other,
            };
            assert_eq!(found(false), of_ready, "{state:?}");
        }
    }
}
