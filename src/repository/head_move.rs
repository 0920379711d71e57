//! Moves the HEAD of a worktree to another branch, or onto a commit, under a lock that proves whose it
//! is. Neither files nor index change.
//!
//! Called by `operations/switch`, and by `branch_rename`.

use super::Repository;
use super::reflog::Log;
use super::worktree::resolved_head;
use crate::domain::lane::{Head, ObjectId, Worktree};
use crate::error::{Code, Error, Result};
use crate::repository::RefFormat;
use crate::store::journal::step;
use crate::store::lockfile::LockFile;

/// A move of HEAD.
#[derive(Debug)]
pub struct HeadMove<'a> {
    /// The worktree.
    pub site: &'a Worktree,
    /// What HEAD must be at.
    pub from: &'a Head,
    /// What it is to be at: a branch or a commit.
    pub to: &'a Head,
    /// The commit before, of which a branch that HEAD leaves must be at.
    pub old: ObjectId,
    /// The commit after.
    pub new: ObjectId,
    /// What the reflog says.
    pub reason: &'a str,
}

impl HeadMove<'_> {
    /// Moves it.
    ///
    /// # Errors
    /// A refusal (code `raced`) where HEAD is not what it was.
    pub fn carry_out(&self, repository: &Repository) -> Result<()> {
        let site = self.site;
        if repository.ref_format() == RefFormat::Reftable {
            let git = repository.git_in(site);
            return match self.to {
                Head::Branch(branch) => git.attach_head(branch.to_ref(), self.reason),
                _ => git.detach_head(self.new.to_string(), self.reason),
            };
        }
        let text = match self.to {
            Head::Branch(branch) => format!("ref: {}\n", branch.to_ref()),
            _ => format!("{}\n", self.new),
        };
        let mut lock = LockFile::acquire_link(&site.git_dir.join("HEAD"), repository.lane_dir())?;
        if !self.is_as_before(repository)? {
            return Err(switched_meanwhile(site));
        }
        lock.write(text.as_bytes())?;
        let logs = site.git_dir.join("logs");
        let log = Log::new(repository, self.reason)?;
        log.add(&logs, "HEAD".into(), (Some(self.old), self.new))?;
        step("head.logged");
        lock.publish()?;
        step("head.moved");
        Ok(())
    }

    fn is_as_before(&self, repository: &Repository) -> Result<bool> {
        let now = resolved_head(&self.site.git_dir, repository.common_dir());
        Ok(now == *self.from
            && match self.from {
                Head::Branch(branch) => repository.branch_tip(branch)? == Some(self.old),
                _ => true,
            })
    }
}

/// The refusal where another git was faster.
pub fn switched_meanwhile(site: &Worktree) -> Error {
    Error::refused(format!("'{}' was just switched", site.path.display())).with_code(Code::Raced)
}
