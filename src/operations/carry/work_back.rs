//! Brings uncommitted work into a worktree that is in use: back to where it came from.
//!
//! The worktree that has it keeps it, so that a death on the way loses nothing; the same again completes
//! it. Only what is as its commit has it makes room, or what is the work already.
//!
//! Called by `operations/undo`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bstr::BString;

use super::file_copy::{Way, is_same};
use super::{Identity, Seen, Target, changed_meanwhile, ensure_free, file_at, lay_in, look};
use crate::domain::carried::Piece;
use crate::domain::lane::{Worktree, WorktreeState};
use crate::error::{Code, Error, IoContext, Result};
use crate::operations::checkout::index_lock::{Prepared, remove_copies};
use crate::operations::checkout::worktree_files::remove_empty;
use crate::repository::Repository;
use crate::store::entries;
use crate::store::journal::{step, unique_id};
use crate::store::lockfile::LockFile;

/// Whether some of it may be there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// No.
    Fresh,
    /// A process has begun it and died: a file may be gone for which another one was to come.
    Begun,
}

/// Work that is to come back.
#[derive(Debug, Clone)]
pub struct Return {
    /// What there is, and where.
    seen: Seen,
    /// What is where it goes.
    there: Seen,
    progress: Progress,
}

impl Return {
    /// Where it goes.
    pub fn place(&self) -> &Path {
        &self.there.site.path
    }

    /// Whether there is any.
    pub fn is_nothing(&self) -> bool {
        self.seen.work.pieces.is_empty()
    }
}

/// Looks whether all of the work in `from` can come into the worktree at `to`.
pub fn foresee(
    repository: &Repository,
    from: &Worktree,
    to: &Path,
    progress: Progress,
) -> Result<Return> {
    let mut all = repository.worktrees()?.into_iter();
    let site = all.find(|site| site.path == to && site.state == WorktreeState::Present);
    let site = site.ok_or_else(|| {
        Error::refused(format!(
            "the work came from '{}', which is no worktree any more",
            to.display()
        ))
        .with_code(Code::WorktreeGone)
    })?;
    let returning = Return {
        seen: look(repository, from)?,
        there: look(repository, &site)?,
        progress,
    };
    if !returning.is_nothing() {
        ensure_free(repository, &site)?;
        returning.ensure_has_room(repository)?;
    }
    Ok(returning)
}

impl Return {
    /// Refuses where anything else would be written over.
    fn ensure_has_room(&self, repository: &Repository) -> Result<()> {
        self.there.ensure_fits(repository, self.seen.head)?;
        self.seen.ensure_fits(repository, self.there.head)?;
        let changed: BTreeMap<&BString, &Piece> = self
            .there
            .work
            .pieces
            .iter()
            .map(|piece| (&piece.path, piece))
            .collect();
        let ours: BTreeSet<PathBuf> = self
            .seen
            .work
            .pieces
            .iter()
            .map(|piece| self.at(piece))
            .collect();
        for piece in &self.seen.work.pieces {
            let changed = changed.get(&piece.path);
            let fits = match changed {
                Some(changed) => self.is_the_same(piece, changed),
                None => self.is_clean(piece, &ours),
            };
            if !fits {
                return Err(self.in_the_way(&piece.path));
            }
        }
        Ok(())
    }

    fn at(&self, piece: &Piece) -> PathBuf {
        self.there.site.path.join(crate::store::path(&piece.path))
    }

    /// Whether what was changed there is what is to come, or was on its way.
    fn is_the_same(&self, piece: &Piece, changed: &Piece) -> bool {
        let [from, to] =
            [&self.seen, &self.there].map(|seen| file_at(&seen.site.path, &piece.path));
        let is_index = changed.index == piece.index || !changed.is_staged && self.is_begun();
        let is_file = match (&from, &to) {
            (Some(from), Some(to)) => is_same(from, to),
            (None, None) => true,
            (_, None) => self.is_begun(),
            _ => false,
        };
        is_index && is_file
    }

    fn is_begun(&self) -> bool {
        self.progress == Progress::Begun
    }

    /// Whether nothing is there but what the commit has: nothing ignored, and no directory with more in
    /// it.
    fn is_clean(&self, piece: &Piece, ours: &BTreeSet<PathBuf>) -> bool {
        let file = self.at(piece);
        match std::fs::symlink_metadata(&file) {
            Err(_) => true,
            Ok(found) if found.is_dir() => holds_only(&file, ours),
            // What the commit has there, for git calls it unchanged; or an ignored file.
            Ok(_) => piece.is_committed || self.is_twin(piece),
        }
    }

    fn is_twin(&self, piece: &Piece) -> bool {
        let [from, to] =
            [&self.seen, &self.there].map(|seen| file_at(&seen.site.path, &piece.path));
        from.zip(to).is_some_and(|(from, to)| is_same(&from, &to))
    }

    fn in_the_way(&self, path: &BString) -> Error {
        Error::refused(format!(
            "the work cannot come back: '{path}' is another one in '{}' by now",
            self.there.site.path.display()
        ))
        .with_code(Code::InTheWay)
        .hint("commit or move away what is there, and run the command again")
    }

    /// Brings it there.
    ///
    /// # Errors
    /// The same again completes it.
    pub fn carry_out(&self, repository: &Repository) -> Result<()> {
        if self.is_nothing() {
            return Ok(());
        }
        let site = &self.there.site;
        let index = site.git_dir.join("index");
        let lock = LockFile::acquire(&index, repository.lane_dir())?;
        let mut coming = self.seen.clone();
        coming.work.pieces.retain(|piece| !self.is_twin(piece));
        let pieces = coming.work.pieces.iter().map(|piece| self.at(piece));
        let before = pieces.map(|file| (file.clone(), Identity::of(&file)));
        let before = before.collect();
        self.seen.ensure_unchanged(repository)?;
        self.there.ensure_unchanged(repository)?;
        self.ensure_has_room(repository)?;
        remove_copies(&site.git_dir, "lane-index-", Duration::ZERO);
        let copy = site.git_dir.join(format!("lane-index-{}", unique_id()));
        let copy = Prepared::copy(&index, copy)?;
        step("carry.held");
        let target = Target {
            directory: &site.path,
            git_dir: &site.git_dir,
            index: &copy.path,
            commit: self.there.head,
        };
        make_room(&site.path, before)?;
        lay_in::put_files(repository, &coming, target, Way::Copy)?;
        lay_in::fill(repository, &self.seen, target)?;
        lock.replace_with(&copy.path)?;
        drop(lock);
        repository.tell_of_index(site, repository.git.at(&site.path));
        Ok(())
    }
}

/// Takes away what the commit has too, if it still is what was there before the last look.
fn make_room(root: &Path, before: Vec<(PathBuf, Option<Identity>)>) -> Result<()> {
    for (file, seen) in before {
        if Identity::of(&file) != seen {
            return Err(changed_meanwhile(root));
        }
        if seen.is_some() {
            std::fs::remove_file(&file).context("remove", &file)?;
            remove_empty(root, &file);
        }
    }
    step("carry.made-room");
    Ok(())
}

/// Whether nothing is in a directory but these, and directories.
fn holds_only(directory: &Path, ours: &BTreeSet<PathBuf>) -> bool {
    entries(directory).all(|entry| {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => holds_only(&path, ours),
            Ok(_) => ours.contains(&path),
            Err(_) => false,
        }
    })
}
