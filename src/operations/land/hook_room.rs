//! Where the hooks of a landing run that may object: a worktree of git-lane's own, with what is about
//! to land as git has it at that moment. It is taken when the first of them runs.
//!
//! Called by `landing_hooks`.

use std::cell::RefCell;
use std::time::Duration;

use crate::domain::lane::{ObjectId, Worktree};
use crate::domain::name::BranchName;
use crate::error::{Code, Error, Result};
use crate::operations::gate::own_worktree::{Moment, OwnWorktree, Shown, Slot};
use crate::repository::Repository;
use crate::repository::refs::RefChange;

/// How long to wait for the hooks of others; only an editor's draft does not queue for them.
const PATIENCE: Duration = Duration::from_secs(600);

/// The worktree for the hooks of one landing.
#[derive(Debug)]
pub struct HookRoom<'a> {
    repository: &'a Repository,
    /// The worktree that has the base checked out.
    site: Option<&'a Worktree>,
    /// The base, and the commit that is to be the parent of its next tip.
    onto: (&'a BranchName, ObjectId),
    held: RefCell<Option<Held>>,
}

/// The worktree while it is held, and the tree that it has.
#[derive(Debug)]
struct Held {
    worktree: OwnWorktree,
    tree: ObjectId,
}

impl Drop for HookRoom<'_> {
    /// A hook that said no leaves no links either. What stays, the next preparation removes.
    fn drop(&mut self) {
        drop(self.leave());
    }
}

impl<'a> HookRoom<'a> {
    /// For a landing on `base`, which hooks are to see at `head`.
    pub(super) fn new(
        repository: &'a Repository,
        site: Option<&'a Worktree>,
        onto: (&'a BranchName, ObjectId),
    ) -> Self {
        let held = RefCell::new(None);
        HookRoom {
            repository,
            site,
            onto,
            held,
        }
    }

    /// Has `work` done where `tree` is checked out as git has it at that moment.
    pub(super) fn with<T>(
        &self,
        tree: ObjectId,
        moment: Moment<'_>,
        work: impl FnOnce(&OwnWorktree) -> Result<T>,
    ) -> Result<T> {
        let mut held = self.held.borrow_mut();
        if let Some(held) = held.as_ref().filter(|held| held.tree == tree) {
            held.worktree.show_moment(moment)?;
            return work(&held.worktree);
        }
        let mut worktree = match held.take() {
            Some(held) => held.worktree,
            None => OwnWorktree::take(self.repository, Slot::Hooks, PATIENCE, &mut || {})?,
        };
        let (base, head) = self.onto;
        let shown = Shown {
            base,
            head,
            tree,
            moment,
        };
        worktree.show_merge(self.repository, &shown)?;
        if let Some(site) = self.site {
            worktree.link_ignored(self.repository, site)?;
        }
        work(&held.insert(Held { worktree, tree }).worktree)
    }

    /// The tree of the index there, which a hook may have changed; later hooks find that.
    pub(super) fn tree(&self) -> Result<ObjectId> {
        let mut held = self.held.borrow_mut();
        let none = || Error::git("no worktree is held whose index could be read");
        let held = held.as_mut().ok_or_else(none)?;
        held.tree = held.worktree.index_tree(self.repository)?;
        Ok(held.tree)
    }

    /// Leaves the worktree to others.
    pub(super) fn leave(&self) -> Result<()> {
        match self.held.borrow_mut().take() {
            Some(mut held) => held.worktree.unlink_ignored(),
            None => Ok(()),
        }
    }

    /// Refuses a hook that has made a commit where it ran, which HEAD took the base to: its worktree
    /// knows nothing of that. The base goes back to where it was.
    pub(super) fn ensure_not_moved(
        &self,
        worktree: &OwnWorktree,
        hook: &str,
        otherwise: &str,
    ) -> Result<()> {
        let (base, head) = self.onto;
        let now = self.repository.branch_tip(base)?;
        let Some(moved) = now.filter(|now| *now != head && worktree.has_made(*now)) else {
            return Ok(());
        };
        let back = RefChange {
            name: base.into(),
            from: Some(moved),
            to: Some(head),
        };
        let reason = format!("lane: take back what hook '{hook}' committed");
        self.repository.change_refs(&[back], &reason)?;
        Err(Error::refused(format!(
            "hook '{hook}' has made a commit on '{base}' itself; it was taken back, and \
             {otherwise}"
        ))
        .with_code(Code::Hook)
        .hint(format!("see the commit with: git show {moved}")))
    }
}
