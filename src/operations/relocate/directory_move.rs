//! The way of a worktree's directory from one place to another, and of the two files by which it and
//! its admin directory name each other.
//!
//! While it is on its way, its `.git` file names the admin directory by a path from the root, so that
//! git finds it from both places, and a mark keeps `git worktree prune` away. The admin directory keeps
//! its name, as with `git worktree move`.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::kept_admin;
use crate::domain::lane::{Lane, Worktree, lossless_path};
use crate::domain::relocate::Refusal;
use crate::domain::trash_entry::Stamp;
use crate::error::{Code, Error, IoContext, Result};
use crate::operations::trash::links::{Style, names, write_dot_git, write_gitdir};
use crate::operations::trash::move_mark::{mark_to_move, unmark};
use crate::operations::trash::relocation::{hint_at_mounts, restamp, stamp, with_writable};
use crate::repository::Repository;
use crate::repository::provenance::is_below_lanes;
use crate::store::file_id::is_same;
use crate::store::journal::step;
use crate::store::{entries, exists, no_replace};

/// The admin directory of a worktree that is moved.
#[derive(Debug, Clone, Copy)]
pub(super) struct Site<'a> {
    pub(super) repository: &'a Repository,
    pub(super) admin: &'a Path,
    /// Where what is in it has a second name meanwhile.
    pub(super) kept: &'a Path,
}

/// A directory, where it goes, and what of it is to be as it was.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct DirectoryMove {
    /// Where it was.
    #[serde(with = "lossless_path")]
    pub(super) from: PathBuf,
    /// Where it goes.
    #[serde(with = "lossless_path")]
    pub(super) to: PathBuf,
    /// How its `.git` file names the admin directory.
    dot_git: Style,
    /// How the admin directory names it.
    gitdir: Style,
    stamp: Stamp,
    /// How many of the directories around its new place are made for it.
    #[serde(default)]
    made: usize,
}

impl DirectoryMove {
    pub(super) fn new(worktree: &Worktree, to: &Path) -> Result<Self> {
        let [dot_git, gitdir] = Style::of_both(&worktree.path, &worktree.git_dir);
        Ok(DirectoryMove {
            from: worktree.path.clone(),
            to: to.to_owned(),
            dot_git,
            gitdir,
            stamp: stamp(&worktree.path)?,
            made: around(to).take_while(|around| !exists(around)).count(),
        })
    }

    /// Moves what is still to be moved.
    pub(super) fn carry_out(&self, site: Site<'_>, lane: &Lane) -> Result<()> {
        let Site {
            repository,
            admin,
            kept,
        } = site;
        let lane_dir = repository.lane_dir();
        if !stands_at(&self.to, admin) {
            if !stands_at(&self.from, admin) {
                let sentence = format!("'{}' is no longer there", self.from.display());
                return Err(Error::refused(sentence).with_code(Code::Raced));
            }
            mark_to_move(lane_dir, admin)?;
            step("relocate.marked");
            kept_admin::keep(repository, admin, kept)?;
            step("relocate.admin-kept");
            if self.dot_git == Style::Relative {
                self.point(&self.from, admin, Style::Absolute)?;
                step("relocate.link-absolute");
            }
            let parent = self.to.parent().unwrap_or(&self.to);
            let made = lane_dir.shared().create_dir_all(parent);
            made.context("create", parent)?;
            with_writable(&self.from, || rename(&self.from, &self.to))
                .map_err(|error| self.cannot(error, lane))?;
            step("relocate.directory-moved");
        }
        self.settle(&self.to, site)
    }

    /// Looks a last time whether the admin directory has survived the move.
    pub(super) fn ensure_admin(&self, site: Site<'_>) -> Result<()> {
        match kept_admin::put_back(site.repository, site.admin, site.kept)? {
            true => self.settle(&self.to, site),
            false => Ok(()),
        }
    }

    /// Moves it back where it was, wherever it is.
    pub(super) fn take_back(&self, site: Site<'_>, lane: &Lane) -> Result<()> {
        let admin = site.admin;
        if stands_at(&self.from, admin) {
            self.settle(&self.from, site)?;
            self.remove_made();
            return Ok(());
        }
        let back = DirectoryMove {
            from: self.to.clone(),
            to: self.from.clone(),
            ..self.clone()
        };
        match stands_at(&self.to, admin) {
            true => {
                back.carry_out(site, lane)?;
                self.remove_made();
                Ok(())
            }
            // The user has taken it elsewhere: nothing is left to do here.
            false => unmark(admin),
        }
    }

    /// Removes the directories that were made for it, as far as nothing else is in them.
    fn remove_made(&self) {
        for directory in around(&self.to).take(self.made) {
            if std::fs::remove_dir(directory).is_err() {
                return;
            }
        }
    }

    /// Removes the directories around its old place where nothing is left in them: below the directory
    /// of lanes they are git-lane's own. The caller holds the registry's lock, so that no start puts a
    /// lane there.
    pub(super) fn remove_empty_behind(&self, repository: &Repository) {
        for directory in around(&self.from).take_while(|one| is_below_lanes(repository, one)) {
            if std::fs::remove_dir(directory).is_err() {
                return;
            }
        }
    }

    /// Both files name the places where the other one is.
    fn settle(&self, directory: &Path, site: Site<'_>) -> Result<()> {
        let Site {
            repository,
            admin,
            kept,
        } = site;
        kept_admin::put_back(repository, admin, kept)?;
        write_gitdir(repository.lane_dir(), admin, directory, self.gitdir)?;
        step("relocate.gitdir");
        if self.dot_git == Style::Relative {
            self.point(directory, admin, Style::Relative)?;
        }
        restamp(directory, self.stamp)?;
        unmark(admin)?;
        step("relocate.unmarked");
        Ok(())
    }

    fn point(&self, directory: &Path, admin: &Path, style: Style) -> Result<()> {
        let written = with_writable(directory, || {
            let dot_git = directory.join(".git");
            write_dot_git(&dot_git, directory, admin, style).map_err(std::io::Error::other)
        });
        written.context("write", directory)
    }

    fn cannot(&self, error: std::io::Error, lane: &Lane) -> Error {
        let (from, to) = (self.from.clone(), self.to.clone());
        match error.kind() {
            ErrorKind::CrossesDevices => Refusal::OtherFileSystem(from, to).refuse(lane),
            ErrorKind::AlreadyExists | ErrorKind::DirectoryNotEmpty => {
                let sentence = format!("'{}' already exists", to.display());
                Error::refused(sentence).with_code(Code::PathOccupied)
            }
            _ => match Err::<(), _>(error).context("move", &self.from) {
                Err(error) => hint_at_mounts(error),
                Ok(()) => Error::environment("the directory cannot be moved"),
            },
        }
    }
}

/// The directories that a place is in, the innermost first.
fn around(place: &Path) -> impl Iterator<Item = &Path> {
    place.ancestors().skip(1)
}

/// Replaces nothing, but may spell the name of the directory itself with other cases.
fn rename(from: &Path, to: &Path) -> std::io::Result<()> {
    match is_same(from, to) {
        true => std::fs::rename(from, to),
        false => no_replace::rename(from, to),
    }
}

/// Whether the worktree of that admin directory is at `path`, by the very name.
fn stands_at(path: &Path, admin: &Path) -> bool {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return false;
    };
    names(&path.join(".git"), path, admin) && entries(parent).any(|entry| entry.file_name() == name)
}
