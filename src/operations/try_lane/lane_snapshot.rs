//! A lane as it stands, as a commit that no gc takes away until a ref names it.

use crate::domain::lane::{Head, Lane, ObjectId, Worktree, WorktreeState};
use crate::domain::overview::stray;
use crate::domain::retire::place;
use crate::domain::try_lane::BeginRefusal;
use crate::engines::status;
use crate::error::{Error, Kind, Result};
use crate::operations::forecast::snapshot::{Purpose, uncommitted};
use crate::repository::Repository;
use crate::repository::kept_pack::KeptPack;
use crate::repository::quarantine::Scratch;
use crate::store::journal::step;

/// It.
#[derive(Debug)]
pub(super) struct Snapshot {
    /// The lane's own commit.
    pub(super) tip: ObjectId,
    /// The same, or one on top of it.
    pub(super) commit: ObjectId,
    #[allow(dead_code, reason = "held until a ref names the commit")]
    kept: Option<KeptPack>,
}

/// Takes the lane in; for what is only foretold the commit stays in the quarantine.
pub(super) fn take(
    repository: &Repository,
    scratch: &Scratch,
    lane: &Lane,
    purpose: Purpose,
) -> Result<Snapshot> {
    let (site, tip) = site_of(repository, lane)?.map_err(|refusal| refusal.refuse(&lane.name))?;
    take_in(repository, scratch, &site, tip, purpose)
}

/// How often a lane is taken in anew when a gc took objects away meanwhile.
const TRIES: usize = 4;

/// Takes the files of a worktree in that is at `tip`. An object that no ref leads to, and that git has
/// seen and therefore not written again, may be gone when the pack is made: then all is done again.
pub(super) fn take_in(
    repository: &Repository,
    scratch: &Scratch,
    site: &Worktree,
    tip: ObjectId,
    purpose: Purpose,
) -> Result<Snapshot> {
    let take = || taken(repository, scratch, site, tip, purpose);
    for _ in 1..TRIES {
        match take() {
            Err(error) if error.kind() == Kind::Git => {}
            done => return done,
        }
    }
    take()
}

fn taken(
    repository: &Repository,
    scratch: &Scratch,
    site: &Worktree,
    tip: ObjectId,
    purpose: Purpose,
) -> Result<Snapshot> {
    let standing = uncommitted(repository, scratch, site, tip, purpose)?;
    let kept = match purpose {
        Purpose::Shown if standing.commit != tip => {
            let pack = KeptPack::of_history(repository, scratch, &[standing.commit], &[tip])?;
            if pack.is_none() {
                return Err(Error::environment("cannot keep what is not committed"));
            }
            pack
        }
        _ => None,
    };
    step("try.taken");
    Ok(Snapshot {
        tip,
        commit: standing.commit,
        kept,
    })
}

/// The worktree of a lane that can be shown, and its commit.
pub(super) fn site_of(
    repository: &Repository,
    lane: &Lane,
) -> Result<Result<(Worktree, ObjectId), BeginRefusal>> {
    let worktrees = repository.worktrees()?;
    let there = place(lane, &worktrees).worktree();
    let Some(site) = there.filter(|site| site.state == WorktreeState::Present) else {
        return Ok(Err(BeginRefusal::NoWorktree(lane.worktree.clone())));
    };
    if let Some(operation) = status::operation(&site.git_dir) {
        return Ok(Err(BeginRefusal::Operation(site.path.clone(), operation)));
    }
    if stray(lane, site, false) {
        return Ok(Err(BeginRefusal::Stray(site.path.clone())));
    }
    let tip = match &site.head {
        Head::Branch(branch) => repository.branch_tip(branch)?,
        Head::Detached(id) => Some(*id),
        Head::Other(_) => None,
    };
    Ok(match tip {
        Some(tip) => Ok((site.clone(), tip)),
        None => Err(BeginRefusal::NoCommit),
    })
}
