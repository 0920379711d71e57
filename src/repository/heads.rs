//! What is checked out where the refs are a reftable, which git alone reads.

use std::path::{Path, PathBuf};

use bstr::{BString, ByteSlice};

use crate::domain::lane::{Head, Worktree, WorktreeState};
use crate::domain::name::BranchName;
use crate::error::Result;
use crate::repository::Repository;

impl Repository {
    /// Fills in what is checked out in each of the worktrees.
    pub(crate) fn heads_from_git(&self, worktrees: &mut [Worktree]) -> Result<()> {
        let listed = self.git_here().list_worktrees()?;
        let mut heads: Vec<(PathBuf, Head)> = Vec::new();
        for field in &listed {
            if let Some(path) = field.strip_prefix(b"worktree ") {
                heads.push((crate::store::path(path), Head::Other(BString::default())));
            } else if let Some((_, head)) = heads.last_mut() {
                if let Some(id) = field.strip_prefix(b"HEAD ") {
                    *head =
                        gix::ObjectId::from_hex(id).map_or(Head::Other(id.into()), Head::Detached);
                } else if let Some(branch) = field.strip_prefix(b"branch ") {
                    *head = BranchName::from_ref(branch.as_bstr())
                        .map_or(Head::Other(branch.into()), Head::Branch);
                }
            }
        }
        for worktree in worktrees {
            let same = |path: &Path| {
                path == worktree.path
                    || std::fs::canonicalize(path).is_ok_and(|path| path == worktree.path)
            };
            // Where the main worktree is not around `.git`, git lists it at another place; of a
            // bare repository's HEAD it says nothing.
            worktree.head = match heads.iter().find(|(path, _)| same(path)) {
                Some((_, head)) if *head != Head::Other(BString::default()) => head.clone(),
                _ if matches!(worktree.state, WorktreeState::Damaged(_)) => continue,
                _ => self
                    .head_from_git(&worktree.git_dir)
                    .unwrap_or(Head::Other(BString::default())),
            };
        }
        Ok(())
    }

    /// What is checked out in the worktree with that git directory.
    pub(crate) fn head_from_git(&self, git_dir: &Path) -> Result<Head> {
        let git = || self.git.at(git_dir).env("GIT_DIR", git_dir);
        let named = git().symbolic_ref("HEAD")?.unwrap_or_default();
        if let Some(branch) = BranchName::from_ref(named.as_bstr()) {
            return Ok(Head::Branch(branch));
        }
        let commit = git().rev_parse("HEAD")?;
        Ok(commit.map_or_else(|| Head::Other(named), Head::Detached))
    }
}
