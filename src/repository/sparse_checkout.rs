//! Which part of its files a worktree has checked out.
//!
//! `commands/show` asks.

use bstr::BString;

use crate::domain::lane::Worktree;
use crate::error::Result;
use crate::repository::Repository;

/// What is checked out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extent {
    /// Everything.
    Whole,
    /// These directories, and the files beside and above them.
    Directories(Vec<BString>),
    /// What patterns say, or no directory at all.
    Patterns,
}

/// What `worktree` has checked out. git is asked only where it has ever been sparse.
pub fn extent(repository: &Repository, worktree: &Worktree) -> Result<Extent> {
    if !worktree.git_dir.join("info/sparse-checkout").exists() {
        return Ok(Extent::Whole);
    }
    let setting = |key| {
        let value = repository.git_in(worktree).reliable().truth(key);
        value.map(|value| value == Some(true))
    };
    if !setting("core.sparseCheckout")? {
        return Ok(Extent::Whole);
    }
    if !setting("core.sparseCheckoutCone")? {
        return Ok(Extent::Patterns);
    }
    let directories = repository.git_in(worktree).reliable().list_sparse()?;
    // A name in quotes has characters that git writes otherwise.
    let plain = |directory: &BString| !directory.starts_with(b"\"");
    match !directories.is_empty() && directories.iter().all(plain) {
        true => Ok(Extent::Directories(directories)),
        false => Ok(Extent::Patterns),
    }
}
