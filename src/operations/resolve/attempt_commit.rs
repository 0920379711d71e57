//! What a worktree holds at one moment, as a tree, and the commit that keeps it.

use bstr::BString;

use super::Intent;
use crate::domain::lane::{ObjectId, Worktree};
use crate::error::{IoContext, Result};
use crate::operations::checkout::index_lock::remove_prepared;
use crate::operations::checkout::on_index;
use crate::repository::Repository;
use crate::repository::quarantine::Scratch;
use crate::store::git;
use crate::store::git::{Invocation, NONE, TreeEntry};
use crate::store::lane_files::remove_if_there;

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
    let others = other_repositories(git())?;
    let add = || {
        git()
            .with("core.safecrlf", "false")
            .adding_all(&[], &others)
    };
    git::writing_objects(add, Invocation::run)?;
    git().write_tree()
}

/// The same where git cannot take in all that is there, for a pipe stands in the place of a file or
/// a filter fails: with no filters, and without what no tree can have. A file that cannot be read
/// stays in the way. `known` is a tree that has the paths that are tracked.
pub(super) fn salvage(
    repository: &Repository,
    site: &Worktree,
    scratch: &Scratch,
    known: ObjectId,
) -> Result<ObjectId> {
    snapshot(repository, site, scratch).or_else(|error| {
        let copy = scratch.path("index");
        remove_prepared(&copy);
        remove_if_there(&copy)?;
        let plain = || on_index(repository, site, &copy);
        plain().fill_index(known)?;
        let others = other_repositories(plain())?;
        // git write-tree looks at files too that have just been written.
        let filters = plain().filters()?;
        let git = || plain().without_filters(filters.clone());
        let add = git().with("core.safecrlf", "false");
        // It ends with 1 where it could not take in everything.
        add.adding_all(&["--ignore-errors"], &others).output()?;
        let left = [git().diff_files(&[])?, git().list_untracked()?].concat();
        let holds_something = |path: &BString| {
            let found = std::fs::symlink_metadata(site.path.join(crate::store::path(path)));
            found.is_ok_and(|found| found.is_file() || found.is_symlink())
        };
        if left.iter().any(holds_something) {
            return Err(error);
        }
        git().write_tree()
    })
}

/// The repositories that are among the files and no submodules: no tree can have them.
fn other_repositories(git: Invocation) -> Result<Vec<BString>> {
    let untracked = git.list_untracked()?;
    let others = untracked.iter().filter_map(|path| path.strip_suffix(b"/"));
    Ok(others.map(BString::from).collect())
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
