//! Gives a branch another name, with its reflog and the HEAD of its worktree, in steps of which each is
//! known again by looking: a rename that was interrupted is carried on, or taken back.
//!
//! `git branch -m` deletes the old ref before it writes the new one, so that a kill between the two
//! loses the branch. Here the new one is made first, and where the two names exclude each other (`a`
//! and `a/b`, or two that the file system takes for one) a ref of ours keeps the commit meanwhile, and
//! HEAD, where that goes along, holds it. In a reftable git does it in one step.
//!
//! Called by `operations/relocate`, which holds the lock of all lanes and has an intent.

use std::path::Path;

use super::head_move::HeadMove;
use super::reflog::{prepend_reflog, reflog_path};
use super::refs::RefChange;
use super::worktree::resolved_head;
use super::{RefFormat, Repository};
use crate::domain::lane::{Head, ObjectId, RefName, Worktree};
use crate::domain::name::BranchName;
use crate::error::{Code, Error, IoContext, Result};
use crate::store::journal::step;
use crate::store::{exists, lane_files, retry};

/// A rename of a branch.
#[derive(Debug)]
pub struct BranchRename<'a> {
    /// What it is called.
    pub from: &'a BranchName,
    /// What it is to be called.
    pub to: &'a BranchName,
    /// Its commit when that was decided.
    pub tip: ObjectId,
    /// The worktree whose HEAD goes along.
    pub site: Option<&'a Worktree>,
    /// Where its reflog waits meanwhile: a file in a directory of the operation's own.
    pub kept: &'a Path,
    /// The ref that keeps its commit while neither name is there: of a worktree that is elsewhere or gone
    /// no HEAD leads to it, and a gc would take it.
    pub keeper: &'a RefName,
}

/// Removes the ref that kept the commit of a rename, where it is there.
pub fn release(repository: &Repository, keeper: &RefName) -> Result<()> {
    let Some(commit) = repository.ref_target(keeper)? else {
        return Ok(());
    };
    let removal = RefChange::removal(keeper.clone(), commit);
    repository.change_refs(&[removal], "lane: the branch has its name")?;
    // What else is in there stays.
    drop(std::fs::remove_dir(
        repository.common_dir().join("refs/lane"),
    ));
    Ok(())
}

impl BranchRename<'_> {
    fn reason(&self) -> String {
        format!(
            "Branch: renamed {} to {}",
            self.from.to_ref(),
            self.to.to_ref()
        )
    }

    /// Does what is left of it to do.
    ///
    /// # Errors
    /// A refusal (code `raced`) where a branch is not what it must be; what was done until then stays.
    pub fn carry_out(&self, repository: &Repository) -> Result<()> {
        let tips = (
            tip_itself(repository, self.from)?,
            tip_itself(repository, self.to)?,
        );
        if repository.ref_format() == RefFormat::Reftable {
            match tips {
                (Some(tip), None) if tip == self.tip => {
                    let git = repository.git_here();
                    git.rename_branch(self.from.as_bstr(), self.to.as_bstr())?;
                }
                (None, Some(_)) => {}
                _ => return Err(self.raced()),
            }
            step("rename.branch");
            return self.attach(repository);
        }
        if matches!(tips.0, Some(tip) if tip != self.tip) {
            return Err(self.raced());
        }
        match self.is_blocked(repository) {
            true => self.through_head(repository, tips),
            false => self.side_by_side(repository, tips),
        }
    }

    /// The new one is made, HEAD goes there, the old one is deleted.
    fn side_by_side(
        &self,
        repository: &Repository,
        tips: (Option<ObjectId>, Option<ObjectId>),
    ) -> Result<()> {
        match tips {
            (Some(_), None) => {
                self.keep_log(repository)?;
                self.create(repository, self.tip)?;
            }
            // The user may have committed there since an interruption.
            (Some(_), Some(tip))
                if tip == self.tip || self.head(repository)? == self.new_head() => {}
            (None, Some(_)) => {}
            _ => return Err(self.raced()),
        }
        prepend_reflog(repository, self.to, self.kept)?;
        step("rename.log-back");
        self.attach(repository)?;
        if tips.0.is_some() {
            self.delete(repository, self.from)?;
        }
        Ok(())
    }

    /// A ref of ours, and HEAD, hold the commit while neither branch is there.
    fn through_head(
        &self,
        repository: &Repository,
        tips: (Option<ObjectId>, Option<ObjectId>),
    ) -> Result<()> {
        match tips {
            (Some(_), None) => {
                self.keep_log(repository)?;
                self.keep_commit(repository)?;
                self.go(repository, &self.old_head(), &Head::Detached(self.tip))?;
                step("rename.head-detached");
                self.delete(repository, self.from)?;
                self.create(repository, self.tip)?;
            }
            (None, None) => self.create(repository, self.tip_of_head(repository)?)?,
            (None, Some(_)) => {}
            (Some(_), Some(_)) => return Err(self.raced()),
        }
        prepend_reflog(repository, self.to, self.kept)?;
        step("rename.log-back");
        self.attach(repository)
    }

    /// Undoes it, whatever of it was done.
    ///
    /// # Errors
    /// A refusal where another git has gone on with the branches meanwhile.
    pub fn take_back(&self, repository: &Repository) -> Result<()> {
        let tips = (
            tip_itself(repository, self.from)?,
            tip_itself(repository, self.to)?,
        );
        let at = match tips {
            (Some(_), None) if self.head(repository)? == Some(Head::Detached(self.tip)) => {
                return self.go(repository, &Head::Detached(self.tip), &self.old_head());
            }
            (Some(_), None) => return Ok(()),
            (Some(_), Some(tip)) if tip == self.tip => {
                self.go(repository, &Head::Branch(self.to.clone()), &self.old_head())?;
                return self.delete(repository, self.to);
            }
            (Some(_), Some(_)) => return Err(self.raced()),
            (None, Some(tip)) => {
                // Its log has that of the old one, and more.
                lane_files::remove_if_there(self.kept)?;
                tip
            }
            (None, None) => self.tip,
        };
        let back = BranchRename {
            from: self.to,
            to: self.from,
            tip: at,
            ..*self
        };
        back.carry_out(repository)
    }

    fn is_blocked(&self, repository: &Repository) -> bool {
        repository
            .name_rule()
            .exclude_each_other(self.from, self.to)
    }

    /// A link to the reflog outlives the branch.
    fn keep_log(&self, repository: &Repository) -> Result<()> {
        let Some(log) = reflog_path(repository, self.from).filter(|log| lane_files::is_file(log))
        else {
            return Ok(());
        };
        let directory = self.kept.parent().unwrap_or(self.kept);
        repository
            .shared()
            .create_dir_all(directory)
            .context("create", directory)?;
        if !exists(self.kept) && std::fs::hard_link(&log, self.kept).is_err() {
            repository
                .shared()
                .copy(&log, self.kept)
                .context("copy", &log)?;
        }
        step("rename.log-kept");
        Ok(())
    }

    fn keep_commit(&self, repository: &Repository) -> Result<()> {
        if repository.ref_target(self.keeper)?.is_none() {
            let change = RefChange {
                name: self.keeper.clone(),
                from: None,
                to: Some(self.tip),
            };
            repository.change_refs(&[change], &self.reason())?;
        }
        step("rename.commit-kept");
        Ok(())
    }

    fn create(&self, repository: &Repository, tip: ObjectId) -> Result<()> {
        if !retry::has_object(&repository.gix, tip) {
            let sentence = format!("commit {tip} of branch '{}' is gone", self.from);
            return Err(
                Error::git(sentence).hint("fetch it from another clone, and run the command again")
            );
        }
        let change = RefChange {
            name: RefName::from(self.to),
            from: None,
            to: Some(tip),
        };
        repository.change_refs(&[change], &self.reason())?;
        step("rename.created");
        Ok(())
    }

    fn delete(&self, repository: &Repository, branch: &BranchName) -> Result<()> {
        let removal = RefChange::removal(branch, self.tip);
        repository.change_refs(&[removal], &self.reason())?;
        step("rename.deleted");
        Ok(())
    }

    fn old_head(&self) -> Head {
        Head::Branch(self.from.clone())
    }

    fn new_head(&self) -> Option<Head> {
        Some(Head::Branch(self.to.clone()))
    }

    fn head(&self, repository: &Repository) -> Result<Option<Head>> {
        let Some(site) = self.site else {
            return Ok(None);
        };
        match repository.ref_format() {
            RefFormat::Reftable => repository.head_from_git(&site.git_dir).map(Some),
            RefFormat::Files => Ok(Some(resolved_head(&site.git_dir, repository.common_dir()))),
        }
    }

    /// HEAD goes to the new branch, from the old one or from the commit that it held.
    fn attach(&self, repository: &Repository) -> Result<()> {
        let to = Head::Branch(self.to.clone());
        match self.head(repository)? {
            Some(from @ Head::Detached(_)) if self.is_blocked(repository) => {
                let tip = repository.branch_tip(self.to)?;
                match from == Head::Detached(tip.unwrap_or(self.tip)) {
                    true => self.go(repository, &from, &to),
                    // A user who has gone elsewhere stays there.
                    false => Ok(()),
                }
            }
            Some(from) if from == self.old_head() => self.go(repository, &from, &to),
            _ => Ok(()),
        }
    }

    /// Moves HEAD, where it is there.
    fn go(&self, repository: &Repository, from: &Head, to: &Head) -> Result<()> {
        let Some(site) = self.site else {
            return Ok(());
        };
        if self.head(repository)?.as_ref() != Some(from) {
            return Ok(());
        }
        let tip = match from {
            Head::Detached(tip) => *tip,
            _ => self.tip,
        };
        let moving = HeadMove {
            site,
            from,
            to,
            old: tip,
            new: tip,
            reason: &self.reason(),
        };
        moving.carry_out(repository)?;
        step("rename.head-moved");
        Ok(())
    }

    /// The commit that HEAD holds: the user may have committed onto it since an interruption.
    fn tip_of_head(&self, repository: &Repository) -> Result<ObjectId> {
        match self.head(repository)? {
            Some(Head::Detached(tip))
                if repository
                    .git_here()
                    .has_ancestor(tip.to_string(), self.tip.to_string())? =>
            {
                Ok(tip)
            }
            _ => Ok(self.tip),
        }
    }

    fn raced(&self) -> Error {
        let sentence = format!(
            "branch '{}' or '{}' was changed by another command at the same moment",
            self.from, self.to
        );
        Error::refused(sentence)
            .with_code(Code::Raced)
            .hint("run the command again")
    }
}

/// The commit of a branch; `None` where the name leads to another one.
fn tip_itself(repository: &Repository, branch: &BranchName) -> Result<Option<ObjectId>> {
    match repository.is_alias(branch)? {
        true => Ok(None),
        false => repository.branch_tip(branch),
    }
}
