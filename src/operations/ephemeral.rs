//! Takes a lane away again whose command has ended with nothing done in it.
//!
//! `commands/start` calls it for `--ephemeral`.

use super::retire::look::look;
use super::retire::{Reason, Retired, Retirement, retire, were_made};
use crate::domain::lane::{Lane, ObjectId};
use crate::domain::lane_status::LaneStatus;
use crate::domain::retire::place;
use crate::error::Result;
use crate::repository::Repository;
use crate::repository::recovered::Heal;

/// Where a lane began, which tells what was done in it.
#[derive(Debug, Clone, Copy)]
pub struct Beginning {
    /// The commit that it was started at.
    pub commit: ObjectId,
    /// Whether its branch was made with it, and goes with it.
    pub new_branch: bool,
}

/// Moves the lane into the trash where nothing was done in it: no commit, no change, no file that git
/// would add, no operation in progress. Ignored files go with it. `None` where the lane stays, also
/// because its owner has marked it as blocked, or because another command has taken it away.
///
/// # Errors
/// What keeps a lane from leaving that has nothing in it: a process, another holder's claim, what
/// cannot be read.
pub fn retire_unused(
    repository: &mut Repository,
    lane: &Lane,
    beginning: Beginning,
    heal: Heal<'_>,
) -> Result<Option<Retired>> {
    let records = repository.records()?;
    let now = records.find(&lane.name).filter(|now| now.id == lane.id);
    let Some(lane) = now.filter(|now| !is_blocked(now)) else {
        return Ok(None);
    };
    let worktrees = repository.worktrees()?;
    let worktree = place(lane, &worktrees).present();
    let seen = look(repository, lane, worktree)?;
    // A branch that stays keeps what was made on it and left again.
    let made = beginning.new_branch && were_made(repository, lane, worktree) == Some(true);
    if seen.tip != Some(beginning.commit) || made || !seen.losses.holdings().is_empty() {
        return Ok(None);
    }
    let retirement = Retirement {
        lane,
        worktree,
        reason: Reason::Pruned,
        accepted: Some(&seen.losses),
        proof: seen.proof.clone(),
        expected_tip: seen.tip,
        delete_branch: beginning.new_branch,
        heir: lane.base_branch(),
        although_busy: false,
        heal,
    };
    retire(repository, &retirement).map(Some)
}

fn is_blocked(lane: &Lane) -> bool {
    let mark = lane.mark.as_ref();
    mark.is_some_and(|mark| mark.status == LaneStatus::Blocked)
}
