//! What worktrees have that their commits have not, path by path, of many worktrees at once.
//!
//! Called by `operations/forecast`, which has git look where this cannot tell.

use std::borrow::Cow;
use std::path::Path;

use super::as_put::{Apart, Closeness, look};
use super::{Depth, Halt, Index, Shared, staged};
use crate::error::{Error, Result};
use crate::store::git::Git;
use crate::store::git::settings;
use crate::store::{parallel, retry};

/// What a worktree has beyond its commit.
#[derive(Debug, PartialEq, Eq)]
pub enum Uncommitted {
    /// Nothing.
    Nothing,
    /// The index differs from the commit, or these files from the index.
    Some(Apart),
    /// Only git can tell.
    Unknown,
}

/// What each of many worktrees has, given as (worktree directory, its git directory), in their
/// order.
///
/// # Errors
/// What cannot be read, of each by itself.
pub fn uncommitted(
    repo: &gix::Repository,
    git: &Git,
    worktrees: &[(&Path, &Path)],
) -> Vec<Result<Uncommitted>> {
    let shared = Shared::new(repo, git, Depth::Full);
    let found = parallel::map(
        worktrees,
        || shared.repo.to_thread_local(),
        |repo, (worktree, git_dir)| of_one(&shared, repo, worktree, git_dir),
    );
    let lost = || Err(Error::git("cannot read the status of a worktree"));
    let found = found.into_iter();
    found.map(|found| found.unwrap_or_else(lost)).collect()
}

fn of_one(
    shared: &Shared<'_>,
    repo: &gix::Repository,
    worktree: &Path,
    git_dir: &Path,
) -> Result<Uncommitted> {
    let own = settings::as_in(repo, worktree, git_dir)?;
    if !shared.understood || !shared.refs_in_files || matches!(own, Cow::Owned(_)) {
        return Ok(Uncommitted::Unknown);
    }
    let look = || {
        let head = staged::head_tree(repo, git_dir)?;
        let index = Index::read(repo.object_hash(), git_dir)?;
        let found = look(shared, repo, worktree, &index, Closeness::Content)?;
        let staged = staged::count(repo, &head, &index.state)?.staged;
        let submodules = index
            .state
            .entries()
            .iter()
            .any(|entry| entry.mode == gix::index::entry::Mode::COMMIT);
        // What is in a submodule is not looked at here.
        Ok(match found.is_nothing() && staged == 0 {
            true if submodules => Uncommitted::Unknown,
            true => Uncommitted::Nothing,
            false => Uncommitted::Some(found),
        })
    };
    match retry::objects(repo, look) {
        Ok(found) => Ok(found),
        Err(Halt::Doubt(_)) => Ok(Uncommitted::Unknown),
        Err(Halt::Failed(error)) => Err(error),
    }
}
