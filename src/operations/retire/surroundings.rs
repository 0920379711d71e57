//! What surrounds a lane's worktree and may protect it from being moved: other worktrees, locks,
//! processes.

use crate::domain::lane::{Lane, Worktree, WorktreeState};
use crate::domain::retire::Surroundings;
use crate::engines::processes;
use crate::repository::Repository;
use crate::repository::{claims, find_worktree};
use crate::store::exists;

/// What surrounds a lane's worktree, for [`ensure_movable`](crate::domain::retire::ensure_movable);
/// processes are looked for separately.
pub fn surroundings<'a>(
    repository: &'a Repository,
    lane: &'a Lane,
    worktree: Option<&'a Worktree>,
    all: &'a [Worktree],
    delete_branch: bool,
) -> Surroundings<'a> {
    Surroundings {
        lane,
        worktree,
        all,
        common_dir: repository.common_dir(),
        path_exists: exists(&lane.worktree),
        found_at: worktree
            .filter(|worktree| worktree.state == WorktreeState::Missing)
            .and_then(|worktree| find_worktree::find(repository, worktree)),
        claimed: claims::anothers(repository, lane),
        busy: None,
        delete_branch,
    }
}

impl Surroundings<'_> {
    /// Looks for processes too, for everybody who has not said that they do not matter.
    pub fn with_processes(mut self) -> Self {
        let present = self
            .worktree
            .filter(|worktree| worktree.state == WorktreeState::Present);
        self.busy = present.and_then(|worktree| processes::working_in(&worktree.path));
        self
    }
}
