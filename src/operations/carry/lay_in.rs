//! Puts the uncommitted work of one worktree into another: the files as they are, and what the index has.

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use bstr::BString;

use super::file_copy::{Way, put};
use super::{Seen, file_at};
use crate::domain::carried::{Piece, Staged};
use crate::domain::lane::ObjectId;
use crate::error::{Error, IoContext, Result};
use crate::operations::checkout::worktree_files::{is_behind_a_file, remove_empty};
use crate::repository::Repository;
use crate::store::git::Invocation;
use crate::store::journal::step;
use crate::store::permissions::Shared;
use crate::store::scratch;

/// How the directories of stand-ins are called.
pub const SCRATCH: &str = "carry-";

/// A worktree that work comes into, which has a commit that the work fits.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// Its top directory.
    pub directory: &'a Path,
    /// Its git directory.
    pub git_dir: &'a Path,
    /// The index file that takes what is staged.
    pub index: &'a Path,
    /// Its commit.
    pub commit: ObjectId,
}

/// Puts the work there. Files of the commit make room for it: what they have the commit has too, which the
/// caller vouches for.
pub fn lay_in(repository: &Repository, seen: &Seen, target: Target<'_>, way: Way) -> Result<()> {
    for Piece { path, .. } in &seen.work.pieces {
        if let Some(file) = file_at(target.directory, path) {
            std::fs::remove_file(&file).context("remove", &file)?;
            remove_empty(target.directory, &file);
        }
    }
    step("carry.made-room");
    put_files(repository, seen, target, way)?;
    fill(repository, seen, target)
}

/// The files alone, where nothing is.
pub(super) fn put_files(
    repository: &Repository,
    seen: &Seen,
    target: Target<'_>,
    way: Way,
) -> Result<()> {
    let mut made = BTreeMap::new();
    for Piece { path, .. } in &seen.work.pieces {
        let Some(from) = file_at(&seen.site.path, path) else {
            continue;
        };
        let to = target.directory.join(crate::store::path(path));
        let roots = (&*seen.site.path, target.directory);
        make_parents(repository.shared(), roots, &to, &mut made)?;
        if is_behind_a_file(target.directory, &to) {
            return Err(Error::refused(format!(
                "'{path}' is behind a link in '{}'",
                target.directory.display()
            )));
        }
        put(&from, &to, way).context("carry", &from)?;
    }
    // Last, for one that takes nothing more could not be filled; the deepest first.
    for (directory, mode) in made.into_iter().rev() {
        std::fs::set_permissions(&directory, Permissions::from_mode(mode))
            .context("set the mode of", &directory)?;
    }
    step("carry.files");
    Ok(())
}

/// The index alone.
pub(super) fn fill(repository: &Repository, seen: &Seen, target: Target<'_>) -> Result<()> {
    fill_index(repository, &seen.work.pieces, target)?;
    intend(repository, &seen.work.pieces, target)?;
    step("carry.index");
    Ok(())
}

/// Makes the directories above a file, each with the mode of the one that it is like.
fn make_parents(
    shared: Shared,
    (from, root): (&Path, &Path),
    to: &Path,
    made: &mut BTreeMap<PathBuf, u32>,
) -> Result<()> {
    let below = to.strip_prefix(root).ok().and_then(Path::parent);
    let mut directory = PathBuf::new();
    for part in below.into_iter().flatten() {
        directory.push(part);
        let new = root.join(&directory);
        match shared.create_dir(&new) {
            Ok(()) => {
                let like = std::fs::symlink_metadata(from.join(&directory));
                let mode = like.context("read", &from.join(&directory))?.mode() & 0o7777;
                made.insert(new, mode);
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error).context("create", &new),
        }
    }
    Ok(())
}

/// A git that works on the target's index, and lets no hook hear of it.
fn on(repository: &Repository, target: Target<'_>) -> Invocation {
    let git = repository.git.in_worktree(target.directory, target.git_dir);
    git.on_own_index(&repository.gix, target.index)
        .with("core.fsmonitor", "false")
}

/// Has the index say of each path what the other one says. Of a file that is only modified it forgets
/// what it knew of the file that was there, so that git compares.
fn fill_index(repository: &Repository, pieces: &[Piece], target: Target<'_>) -> Result<()> {
    if !target.index.exists() {
        on(repository, target).fill_index(target.commit)?;
    }
    let nothing = ObjectId::null(target.commit.kind());
    // A file goes before what is in the directory of its name comes.
    let mut entries: Vec<u8> = Vec::new();
    let is_other = |piece: &&Piece| piece.is_staged || matches!(piece.index, Staged::Conflict(_));
    for piece in pieces.iter().filter(is_other) {
        entries.extend_from_slice(format!("0 {nothing}\t").as_bytes());
        entries.extend_from_slice(&piece.path);
        entries.push(0);
    }
    let mut add = |mode: &BString, id: &ObjectId, stage: u8, path: &BString| {
        let entry = format!("{mode} {id} {stage}\t");
        entries.extend_from_slice(entry.as_bytes());
        entries.extend_from_slice(path);
        entries.push(0);
    };
    for Piece { path, index, .. } in pieces {
        match index {
            Staged::Nothing | Staged::Intent(_) => {}
            Staged::Entry(mode, id) => add(mode, id, 0, path),
            Staged::Conflict(sides) => sides
                .iter()
                .for_each(|(stage, mode, id)| add(mode, id, *stage, path)),
        }
    }
    match entries.is_empty() {
        true => Ok(()),
        false => on(repository, target).update_index(true, entries),
    }
}

/// Paths and modes alone, without content: git wants to see a file there.
fn intend(repository: &Repository, pieces: &[Piece], target: Target<'_>) -> Result<()> {
    let intended = pieces.iter().filter_map(|piece| match &piece.index {
        Staged::Intent(mode) => Some((&piece.path, mode)),
        _ => None,
    });
    let intended: Vec<(&BString, &BString)> = intended.collect();
    if intended.is_empty() {
        return Ok(());
    }
    let stand_in = scratch::Directory::new(repository.lane_dir(), SCRATCH)?;
    let (shared, mut list) = (repository.shared(), Vec::new());
    for (path, mode) in intended {
        let file = stand_in.path().join(crate::store::path(path));
        let parent = file.parent().unwrap_or(stand_in.path());
        shared.create_dir_all(parent).context("create", parent)?;
        match mode.as_slice() {
            b"120000" => std::os::unix::fs::symlink("x", &file).context("create", &file)?,
            mode => {
                shared.write(&file, "").context("write", &file)?;
                let bits = if mode == b"100755" { 0o755 } else { 0o644 };
                std::fs::set_permissions(&file, Permissions::from_mode(bits))
                    .context("set the mode of", &file)?;
            }
        }
        list.extend_from_slice(path);
        list.push(0);
    }
    let git = on(repository, target)
        .with("core.fileMode", "true")
        .with("core.symlinks", "true")
        .env("GIT_DIR", target.git_dir)
        .env("GIT_WORK_TREE", stand_in.path());
    git.intend_to_add(list)
}
