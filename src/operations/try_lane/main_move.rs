//! The one way in which files, index and HEAD of the main worktree go between its branch and a lane
//! that it shows.
//!
//! The order is that of a switch: the index's lock, a look at what is in the way, the intent, the
//! files, and then the one step that counts, HEAD. *Dead before it: the files go back to what the
//! untouched index says. Dead after it: the prepared index is put in force.* The record of the lane
//! comes before the first file and goes after the last.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{kept_modes, known_untracked};
use crate::domain::lane::{Head, LaneId, ObjectId, RefName, Worktree, hex, lossless_path};
use crate::domain::name::{BranchName, LaneName};
use crate::domain::try_lane::Tried;
use crate::error::{Error, Result};
use crate::operations::checkout::index_lock::{Locked, Prepared};
use crate::operations::checkout::{read_tree, worktree_files};
use crate::operations::switch::after;
use crate::repository::head_move::{HeadMove, switched_meanwhile};
use crate::repository::provenance::{Assertions, Asserts};
use crate::repository::tree_diff::changes;
use crate::repository::{Repository, tried};
use crate::store::git::failure;
use crate::store::journal::{About, Announce, GitDir, step};
use crate::store::lockfile::LockFile;

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Deed {
    /// A lane is shown.
    Show,
    /// What was changed in the main worktree is in the lane by now, and counts as shown: index and
    /// HEAD come along, the files stay.
    Settle,
    /// The main worktree goes back to its branch.
    Back,
}

/// A move under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "operation", rename = "try")]
pub struct Intent {
    pub(super) deed: Deed,
    lane: LaneName,
    lane_id: LaneId,
    branch: RefName,
    #[serde(with = "hex")]
    from: ObjectId,
    #[serde(with = "hex")]
    pub(super) old: ObjectId,
    #[serde(with = "hex")]
    pub(super) new: ObjectId,
    /// The main worktree, and its git directory.
    #[serde(with = "lossless_path")]
    pub(super) worktree: PathBuf,
    #[serde(with = "lossless_path")]
    pub(super) git_dir: PathBuf,
    /// The index being prepared.
    #[serde(with = "lossless_path")]
    pub(super) prepared: PathBuf,
    /// What the index looked like.
    pub(super) index: Option<(u64, i64, i64)>,
}

impl Intent {
    /// The lane, by its name and its id.
    pub fn lane(&self) -> (&LaneName, &LaneId) {
        (&self.lane, &self.lane_id)
    }

    /// The commit that is shown once it is done, where a lane is.
    pub fn shows(&self) -> Option<ObjectId> {
        (self.deed == Deed::Show).then_some(self.new)
    }

    /// What it is called where it was interrupted.
    pub(super) fn what(&self) -> String {
        let lane = &self.lane;
        match self.deed {
            Deed::Show => format!("showing lane '{lane}' in the main worktree"),
            Deed::Settle => format!("taking changes of the main worktree into lane '{lane}'"),
            Deed::Back => format!("the way of the main worktree back to '{}'", self.branch),
        }
    }

    /// Whether HEAD says that it is done.
    pub(super) fn is_done(&self, main: &Worktree) -> bool {
        match self.deed {
            Deed::Show | Deed::Settle => main.head == Head::Detached(self.new),
            Deed::Back => BranchName::from_ref(self.branch.as_bstr())
                .is_some_and(|branch| main.is_on(&branch)),
        }
    }

    /// The record of what is shown, with that commit.
    pub(super) fn tried(&self, commit: ObjectId) -> Tried {
        Tried {
            lane: self.lane.clone(),
            lane_id: self.lane_id.clone(),
            branch: self.branch.clone(),
            from: self.from,
            commit,
        }
    }
}

impl Announce for Intent {
    fn about(&self) -> About {
        About {
            what: self.what(),
            git_dirs: vec![GitDir(self.git_dir.clone())],
            ..About::default()
        }
    }
}

impl Asserts for Intent {
    fn asserts(&self, assertions: &mut Assertions<'_>) {
        assertions.id("lane id", self.lane_id.as_str());
        assertions.branch("branch", &self.branch);
        let main = assertions.repository().common_dir().to_owned();
        assertions.that(
            "git directory",
            self.git_dir.display(),
            self.git_dir == main,
        );
        assertions.index_copy("prepared index", &self.prepared, &self.git_dir);
    }
}

/// A move that is about to be made.
pub(super) struct MainMove<'a> {
    pub(super) deed: Deed,
    /// The record as it is to be while the lane is shown.
    pub(super) tried: &'a Tried,
    pub(super) main: &'a Worktree,
    pub(super) old: ObjectId,
    pub(super) new: ObjectId,
    /// What HEAD says before.
    pub(super) from: Head,
}

impl MainMove<'_> {
    /// Makes it, with the index locked and a copy of it prepared; then tells the user's hooks.
    pub(super) fn carry_out(
        &self,
        repository: &Repository,
        index: Locked<'_>,
        prepared: Prepared,
    ) -> Result<()> {
        let intent = Intent {
            deed: self.deed,
            lane: self.tried.lane.clone(),
            lane_id: self.tried.lane_id.clone(),
            branch: self.tried.branch.clone(),
            from: self.tried.from,
            old: self.old,
            new: self.new,
            worktree: self.main.path.clone(),
            git_dir: self.main.git_dir.clone(),
            prepared: prepared.path.clone(),
            index: index.signature(),
        };
        let work =
            |prepared: &Path, lock: &LockFile| self.work(repository, &intent, prepared, lock);
        index.carry_out(&intent, prepared, "move", work)?;
        if self.deed != Deed::Settle {
            after(repository, self.main, self.old, self.new);
        }
        Ok(())
    }

    /// An error means that it is neither done nor undone.
    fn work(
        &self,
        repository: &Repository,
        intent: &Intent,
        prepared: &Path,
        lock: &LockFile,
    ) -> Result<Result<()>> {
        if self.deed != Deed::Back
            && let Err(error) = self.remember(repository)
        {
            remember_before(repository, intent)?;
            return Ok(Err(error));
        }
        if let Err(error) = self.move_files(repository, prepared)? {
            remember_before(repository, intent)?;
            return Ok(Err(error));
        }
        step("try.files");
        let moved = self.move_head(repository);
        // A git that died right after the move has moved it all the same.
        if moved.is_err() && !self.is_done(repository, intent)? {
            self.put_back(repository)?;
            remember_before(repository, intent)?;
            return Ok(moved);
        }
        lock.replace_with(prepared)?;
        step("try.index");
        remember_after(repository, intent)?;
        Ok(Ok(()))
    }

    /// Has ref and record say what is about to be shown.
    fn remember(&self, repository: &Repository) -> Result<()> {
        if self.deed == Deed::Show {
            known_untracked::note(repository, self.main)?;
            let changed = changes(repository, self.old, self.new)?;
            kept_modes::note(repository, self.main, &changed)?;
        }
        tried::keep(repository, self.tried.commit)?;
        step("try.kept");
        if self.deed == Deed::Show {
            tried::record(repository, self.tried)?;
            step("try.recorded");
        }
        Ok(())
    }

    /// Brings the files along, all or none.
    fn move_files(&self, repository: &Repository, prepared: &Path) -> Result<Result<()>> {
        let (main, old, new) = (self.main, self.old, self.new);
        if self.deed == Deed::Settle {
            return Ok(Ok(()));
        }
        let written = read_tree(repository, main, prepared, &["-m", "-u"], old, new)?;
        if !written.status.success() {
            self.put_back(repository)?;
            return Ok(Err(failure("git read-tree", &written)));
        }
        let _ = worktree_files::remove_left(repository, main, old, new);
        Ok(Ok(()))
    }

    fn put_back(&self, repository: &Repository) -> Result<()> {
        match self.deed {
            Deed::Settle => Ok(()),
            _ => worktree_files::put_back(repository, self.main, self.old, self.new),
        }
    }

    fn move_head(&self, repository: &Repository) -> Result<()> {
        let to = match self.deed {
            Deed::Show | Deed::Settle => Head::Detached(self.new),
            Deed::Back => BranchName::from_ref(self.tried.branch.as_bstr())
                .map(Head::Branch)
                .ok_or_else(|| Error::environment("cannot name a branch"))?,
        };
        if let Head::Branch(branch) = &to
            && repository.branch_tip(branch)? != Some(self.new)
        {
            return Err(switched_meanwhile(self.main));
        }
        let (left, target) = (name_of(&self.from, self.old), name_of(&to, self.new));
        let moving = HeadMove {
            site: self.main,
            from: &self.from,
            to: &to,
            old: self.old,
            new: self.new,
            reason: &format!("checkout: moving from {left} to {target}"),
        };
        moving.carry_out(repository)
    }

    fn is_done(&self, repository: &Repository, intent: &Intent) -> Result<bool> {
        let worktrees = repository.worktrees()?;
        let main = worktrees.iter().find(|main| main.git_dir == intent.git_dir);
        Ok(main.is_some_and(|main| intent.is_done(main)))
    }
}

/// What git's reflog calls a HEAD at that commit.
fn name_of(head: &Head, commit: ObjectId) -> String {
    match head {
        Head::Branch(branch) => branch.to_string(),
        _ => commit.to_string(),
    }
}

/// What is to be remembered once a move is done.
pub(super) fn remember_after(repository: &Repository, intent: &Intent) -> Result<()> {
    match intent.deed {
        Deed::Show => Ok(()),
        Deed::Settle => {
            tried::record(repository, &intent.tried(intent.new))?;
            step("try.recorded");
            Ok(())
        }
        Deed::Back => {
            kept_modes::give_back(repository, &intent.worktree);
            forget(repository)
        }
    }
}

/// The same once it is taken back.
pub(super) fn remember_before(repository: &Repository, intent: &Intent) -> Result<()> {
    match intent.deed {
        Deed::Show => {
            kept_modes::give_back(repository, &intent.worktree);
            forget(repository)
        }
        Deed::Settle => tried::keep(repository, intent.old),
        Deed::Back => Ok(()),
    }
}

/// Forgets that a lane is shown.
pub(super) fn forget(repository: &Repository) -> Result<()> {
    tried::forget(repository)?;
    step("try.forgotten");
    tried::release(repository)?;
    kept_modes::forget(repository)?;
    known_untracked::forget(repository)
}
