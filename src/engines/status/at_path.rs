//! Whether single paths of many worktrees are what their commits have, without a status of all the
//! rest.
//!
//! Only a yes counts: at any doubt the caller asks git about that worktree. Called by
//! `operations/forecast`.

use std::borrow::Cow;
use std::os::fd::OwnedFd;
use std::path::Path;

use bstr::{BString, ByteSlice};
use gix::ObjectId;
use gix::index::entry::{Flags, Mode};
use rustix::fs::{AtFlags, Stat};
use rustix::io::Errno;

use super::file_content::{Comparer, Verdict};
use super::scan::open_root;
use super::unknown::open_directory;
use super::{Depth, Halt, Index, Shared};
use crate::store::git::Git;
use crate::store::git::settings;
use crate::store::parallel;

/// A worktree, its git directory, and the tree of its commit.
pub type Place<'a> = (&'a Path, &'a Path, ObjectId);

/// Of each worktree whether the files at `paths`, and the index, are surely as its tree has them.
pub fn surely_as_in(
    repo: &gix::Repository,
    git: &Git,
    places: &[Place<'_>],
    paths: &[BString],
) -> Vec<bool> {
    let shared = Shared::new(repo, git, Depth::Tracked);
    let sure = parallel::map(
        places,
        || shared.repo.to_thread_local(),
        |repo, place| is_as_in(&shared, repo, *place, paths),
    );
    sure.into_iter().map(|sure| sure == Some(true)).collect()
}

fn is_as_in(
    shared: &Shared<'_>,
    repo: &gix::Repository,
    (worktree, git_dir, tree): Place<'_>,
    paths: &[BString],
) -> bool {
    let own = settings::as_in(repo, worktree, git_dir);
    if !shared.understood || !matches!(own, Ok(Cow::Borrowed(_))) {
        return false;
    }
    let Ok(index) = Index::read(repo.object_hash(), git_dir) else {
        return false;
    };
    let Ok(tree) = repo.find_tree(tree) else {
        return false;
    };
    let comparer = Comparer::new(shared, repo, worktree, &index);
    index.is_plain()
        && paths
            .iter()
            .all(|path| is_same(&comparer, &index, &tree, path).unwrap_or(false))
}

/// Whether one path is the same in tree, index and worktree.
fn is_same(
    comparer: &Comparer<'_>,
    index: &Index,
    tree: &gix::Tree<'_>,
    path: &BString,
) -> Result<bool, Halt> {
    let below = [path.as_slice(), b"/"].concat();
    if path.is_empty() || index.state.prefixed_entries(below.as_bstr()).is_some() {
        return Err(Halt::Doubt("a directory"));
    }
    let committed = tree.lookup_entry(path.split_str("/"));
    let committed = committed.map_err(|_| Halt::Doubt("the tree cannot be read"))?;
    let entry = index.state.entry_by_path(path.as_bstr());
    let found = file(comparer.worktree, path)?;
    let entry = match (entry, committed) {
        (None, None) => return Ok(found.is_none()),
        (Some(entry), Some(committed)) => {
            let mode = Mode::from(committed.mode());
            if (entry.id, entry.mode) != (committed.object_id(), mode) {
                return Ok(false);
            }
            entry
        }
        _ => return Ok(false),
    };
    Ok(match found {
        Some((directory, name, stat)) => {
            comparer.compare(&directory, &name, &stat, entry)? == Verdict::Same
        }
        None => entry.flags.contains(Flags::SKIP_WORKTREE),
    })
}

/// What is at a path: its directory, its name there and its lstat; no link on the way is followed.
fn file(worktree: &Path, path: &BString) -> Result<Option<(OwnedFd, BString, Stat)>, Halt> {
    let mut directory = open_root(worktree)?;
    let (above, name) = match path.rfind_byte(b'/') {
        Some(at) => (&path[..at], &path[at + 1..]),
        None => (&b""[..], path.as_slice()),
    };
    for name in above.split_str("/").filter(|name| !name.is_empty()) {
        directory = match open_directory(&directory, name) {
            Ok(directory) => directory,
            Err(Errno::NOENT) => return Ok(None),
            Err(_) => return Err(Halt::Doubt("no directory on the way")),
        };
    }
    match rustix::fs::statat(&directory, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some((directory, name.into(), stat))),
        Err(Errno::NOENT) => Ok(None),
        Err(_) => Err(Halt::Doubt("a file that cannot be looked at")),
    }
}
