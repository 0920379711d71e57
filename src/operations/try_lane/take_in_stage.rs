//! Copies of what is on its way from the main worktree into the lane that it shows, for `take_in`:
//! the user may do with the main worktree what he likes while a dead take-in waits to be healed.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::error::{Error, IoContext, Result};
use crate::repository::Repository;
use crate::store::lane_files;

/// The file in the stage that says that all are there.
const COMPLETE: &str = "complete";

/// The directory of the copies, which have numbers for names.
pub(super) struct TakeInStage {
    path: PathBuf,
}

impl TakeInStage {
    /// Where that of the intent with that id is.
    pub(super) fn of(repository: &Repository, id: &str) -> Self {
        TakeInStage {
            path: Self::directory(repository, id),
        }
    }

    /// Its path.
    pub(super) fn directory(repository: &Repository, id: &str) -> PathBuf {
        repository.lane_dir().join("staging").join(id)
    }

    /// Where the copy of that number is.
    pub(super) fn copy_of(&self, number: usize) -> PathBuf {
        self.path.join(number.to_string())
    }

    /// Copies these files, and says at last that they are there.
    pub(super) fn fill(
        &self,
        repository: &Repository,
        files: impl Iterator<Item = (usize, PathBuf)>,
    ) -> Result<()> {
        let shared = repository.shared();
        shared
            .create_dir_all(&self.path)
            .context("create", &self.path)?;
        for (number, file) in files {
            copy(&file, &self.copy_of(number))?;
        }
        let complete = self.path.join(COMPLETE);
        shared.write(&complete, "").context("write", &complete)
    }

    /// Whether all are there.
    pub(super) fn is_complete(&self) -> bool {
        lane_files::is_directory(&self.path) && lane_files::is_file(&self.path.join(COMPLETE))
    }

    /// Removes it.
    pub(super) fn remove(&self) -> Result<()> {
        // One that is removed in part is no complete one.
        lane_files::remove_if_there(&self.path.join(COMPLETE))?;
        match std::fs::remove_dir_all(&self.path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).context("remove", &self.path)
            }
            _ => Ok(()),
        }
    }

    /// Keeps it where the doctor names it, for what is nowhere else.
    pub(super) fn set_aside(&self, repository: &Repository) -> Result<()> {
        let aside = repository.lane_dir().set_aside(&self.path);
        let failed = || Error::environment(format!("cannot move '{}'", self.path.display()));
        aside.map(drop).ok_or_else(failed)
    }
}

/// Copies a file or a link, with its mode.
pub(super) fn copy(from: &Path, to: &Path) -> Result<()> {
    let found = std::fs::symlink_metadata(from).context("read", from)?;
    if found.is_symlink() {
        let target = std::fs::read_link(from).context("read", from)?;
        return std::os::unix::fs::symlink(target, to).context("write", to);
    }
    if !found.is_file() {
        let error = std::io::Error::from(ErrorKind::Unsupported);
        return Err(
            Error::environment(format!("'{}' is no plain file", from.display())).caused_by(error),
        );
    }
    std::fs::copy(from, to).context("write", to)?;
    // A machine that loses its power must not have the name of a file alone, where the other one has gone.
    let synced = std::fs::File::open(to).and_then(|file| file.sync_all());
    synced.context("sync", to)
}
