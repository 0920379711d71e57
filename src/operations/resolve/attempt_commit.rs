//! What a worktree holds at one moment, as a tree, and the commit that keeps it.

use bstr::{BString, ByteSlice};

use super::Intent;
use crate::domain::lane::{ObjectId, Worktree};
use crate::error::{IoContext, Result};
use crate::operations::checkout::index_lock::remove_prepared;
use crate::operations::checkout::on_index;
use crate::repository::Repository;
use crate::repository::quarantine::Scratch;
use crate::store::git;
use crate::store::git::{Invocation, NONE, TreeEntry};

/// More paths than this are found in the whole tree.
const NAMED: usize = 500;

/// The tree of everything in the worktree that is not ignored, whatever its index says; that index
/// stays as it is.
pub(super) fn snapshot(
    repository: &Repository,
    site: &Worktree,
    scratch: &Scratch,
) -> Result<ObjectId> {
    let (index, copy) = (site.git_dir.join("index"), scratch.path("index"));
    // A git that was killed may have left the lock of an earlier copy.
    remove_prepared(&copy);
    let there = std::fs::copy(&index, &copy);
    let git = || on_index(repository, site, &copy);
    match there {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            git().fill_index("HEAD")?;
        }
        copied => drop(copied.context("copy", &index)?),
    }
    // git adds no submodule that is not checked out, and writes no tree with a conflict.
    let submodules: Vec<u8> = git()
        .unmerged()?
        .iter()
        .filter(|stage| stage.mode == "160000")
        .flat_map(|stage| {
            let entry = format!("160000 {}\t", stage.id);
            [entry.as_bytes(), &stage.path, b"\0"].concat()
        })
        .collect();
    if !submodules.is_empty() {
        git().update_index(true, submodules)?;
    }
    let mut options: Vec<String> = ["--all", "--", "."].map(str::to_owned).into();
    options.extend(other_repositories(repository, site)?);
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let add = || git().with("core.safecrlf", "false").adding(&options);
    git::writing_objects(add, Invocation::run)?;
    git().write_tree()
}

/// The repositories that are among the files and no submodules, as patterns that leave them out: no
/// tree can have them.
fn other_repositories(repository: &Repository, site: &Worktree) -> Result<Vec<String>> {
    let untracked = repository.git_in(site).list_untracked()?;
    let others = untracked.iter().filter_map(|path| path.strip_suffix(b"/"));
    let pattern = |path: &[u8]| Some(format!(":(exclude,literal){}", path.to_str().ok()?));
    Ok(others.filter_map(pattern).collect())
}

/// What a tree has at these paths.
pub(super) fn entries(
    repository: &Repository,
    tree: ObjectId,
    paths: &[BString],
) -> Result<Vec<TreeEntry>> {
    let git = repository.git_here();
    let mut found = match paths.len() > NAMED {
        true => git.ls_tree(tree, NONE)?,
        false if paths.is_empty() => Vec::new(),
        false => git.ls_tree(tree, paths.iter().map(|path| crate::store::path(path)))?,
    };
    found.retain(|entry| paths.contains(&entry.path));
    Ok(found)
}

/// A commit of `tree` on top of the lane's commit and of those that were made since.
pub(super) fn commit(
    repository: &Repository,
    intent: &Intent,
    (site, tree): (&Worktree, ObjectId),
    others: impl IntoIterator<Item = ObjectId>,
) -> Result<ObjectId> {
    let mut parents = vec![intent.attempt.unwrap_or(intent.tip)];
    for other in others {
        if !parents.contains(&other) {
            parents.push(other);
        }
    }
    let message = format!(
        "git-lane: what was made of the conflict of lane '{}' with '{}'\n",
        intent.lane.name,
        intent.base.shorten()
    );
    let git = repository.git_as_user_at(&site.path);
    git.commit_tree(NONE, tree, &parents, message).object_id()
}
