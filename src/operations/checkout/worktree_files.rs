//! The files of the worktree that has the base checked out, where a move of them has ended half
//! way: they are put back, and what should have gone is removed.

use std::collections::HashSet;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use bstr::{BStr, BString, ByteSlice};
use gix::objs::tree::EntryMode;

use super::on_index;
use crate::domain::lane::{ObjectId, Worktree};
use crate::error::{Error, IoContext, Result};
use crate::repository::Repository;
use crate::repository::tree_diff::{Changed, changes};
use crate::store::exists;
use crate::store::git::NONE;
use crate::store::retry;

/// Gives back the index's content to the files that an interrupted move from `old` to `new` has
/// written, begun to write or removed. The index is that of before the move.
pub fn put_back(
    repository: &Repository,
    site: &Worktree,
    old: ObjectId,
    new: ObjectId,
) -> Result<()> {
    put_back_these(repository, site, &changes(repository, old, new)?)
}

/// The same for some of the files: those of which it is known that the move had come to them.
pub(crate) fn put_back_these(
    repository: &Repository,
    site: &Worktree,
    changed: &[Changed],
) -> Result<()> {
    let index = site.git_dir.join("index");
    let git = || on_index(repository, site, &index);
    let differing: HashSet<BString> = git().diff_files(&[])?.into_iter().collect();
    let tracked: HashSet<BString> = git().ls_files(&[], NONE)?.into_iter().collect();
    let mut restore = BString::default();
    // What has come goes first: it may be where a file or a directory was, and comes back.
    let (came, others): (Vec<_>, Vec<_>) = changed.iter().partition(|change| change.old.is_none());
    for change in came.into_iter().chain(others) {
        let file = site.path.join(crate::store::path(&change.path));
        let path = change.path.as_bstr();
        // A new file that the user has added is the user's.
        let settled = if change.old.is_some() {
            !differing.contains(path)
        } else {
            tracked.contains(path)
        };
        if settled || is_behind_a_file(&site.path, &file) {
            continue;
        }
        let ours = match change.new {
            _ if !exists(&file) => true,
            Some((mode, id)) => wrote(repository, site, &file, change.path.as_bstr(), mode, id)?,
            // Of a directory that came in its place only what another process has put there is left
            // by now.
            None => false,
        };
        if !ours {
            continue;
        }
        if change.old.is_some_and(|(mode, _)| !mode.is_commit()) {
            restore.extend_from_slice(&change.path);
            restore.push(0);
        } else if change.old.is_none() {
            // Or there are only the directories for it yet.
            drop(std::fs::remove_file(&file));
            remove_empty(&site.path, &file);
        }
    }
    git().checking_out(["-f"], restore).run()
}

/// Removes what a read-tree from `old` to `new` should have removed: git only warns where it could
/// not, and calls the rest a success.
pub fn remove_left(
    repository: &Repository,
    site: &Worktree,
    old: ObjectId,
    new: ObjectId,
) -> Result<()> {
    for Changed { path, old, new } in changes(repository, old, new)? {
        let (Some((mode, id)), None) = (old, new) else {
            continue;
        };
        let file = site.path.join(crate::store::path(&path));
        let there = exists(&file);
        if there
            && (!wrote(repository, site, &file, path.as_bstr(), mode, id)?
                || std::fs::remove_file(&file).is_err())
        {
            continue;
        }
        remove_empty(&site.path, &file);
    }
    Ok(())
}

/// Removes the directories that a move from `old` to `new` has left empty.
pub fn remove_emptied(
    repository: &Repository,
    site: &Worktree,
    old: ObjectId,
    new: ObjectId,
) -> Result<()> {
    for change in changes(repository, old, new)?
        .iter()
        .filter(|change| change.new.is_none())
    {
        let file = site.path.join(crate::store::path(&change.path));
        if !exists(&file) {
            remove_empty(&site.path, &file);
        }
    }
    Ok(())
}

/// Whether the file holds what the landing writes there, or the beginning of it.
fn wrote(
    repository: &Repository,
    site: &Worktree,
    file: &Path,
    path: &BStr,
    mode: EntryMode,
    id: ObjectId,
) -> Result<bool> {
    if mode.is_link() {
        let target = retry::objects(&repository.gix, || repository.gix.find_object(id))
            .map_err(|error| Error::git(error.to_string()))?;
        return Ok(
            std::fs::read_link(file).is_ok_and(|found| found.as_os_str().as_bytes() == target.data)
        );
    }
    if mode.is_commit() || !std::fs::symlink_metadata(file).is_ok_and(|metadata| metadata.is_file())
    {
        return Ok(false);
    }
    let written = repository.git_in(site).filtered(id, path)?;
    let found = std::fs::read(file).context("read", file)?;
    Ok(written.starts_with(&found))
}

/// Whether something else than a directory is on the way to `file`: a symbolic link leads to what
/// is no business of ours.
pub(crate) fn is_behind_a_file(root: &Path, file: &Path) -> bool {
    let mut above = file.ancestors().skip(1).take_while(|above| *above != root);
    above.any(|above| std::fs::symlink_metadata(above).is_ok_and(|found| !found.is_dir()))
}

/// Removes the directories above a file that is gone, as far as they are empty.
pub(crate) fn remove_empty(root: &Path, file: &Path) {
    for parent in file
        .ancestors()
        .skip(1)
        .take_while(|parent| *parent != root)
    {
        if std::fs::remove_dir(parent).is_err() {
            return;
        }
    }
}
