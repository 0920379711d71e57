//! Directories for what is needed only while this process works; the next git-lane process can
//! prove that one is dead.
//!
//! The process holds an flock on the directory itself, which the kernel frees when it dies.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::error::{IoContext, Result};
use crate::store::file_id::FileId;
use crate::store::journal::unique_id;
use crate::store::lane_files;
use crate::store::lane_files::LaneDir;
use crate::store::signals;
use crate::store::signals::Waiting;

/// One of them; removed when dropped.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    #[allow(dead_code, reason = "held for its lock")]
    alive: File,
    #[allow(dead_code, reason = "held until the directory is gone")]
    waiting: Waiting,
}

impl Directory {
    /// Makes one in the home of all of them, whose name begins with `prefix`.
    pub fn new(lane_dir: &LaneDir, prefix: &str) -> Result<Self> {
        signals::install();
        let waiting = Waiting::begin();
        let (home, shared) = (lane_dir.scratch(), lane_dir.shared());
        shared.create_dir_all(&home).context("create", &home)?;
        loop {
            let path = home.join(format!("{prefix}{}", unique_id()));
            shared.create_dir(&path).context("create", &path)?;
            let Ok(alive) = File::open(&path) else {
                continue;
            };
            alive.lock().context("lock", &path)?;
            // Between creation and lock a cleaner may have taken it for dead.
            if FileId::of(&path).is_some_and(|seen| seen.is_open(&alive)) {
                return Ok(Directory {
                    path,
                    alive,
                    waiting,
                });
            }
        }
    }

    /// Makes one outside the repository, which only this user can read, for a dry run.
    pub fn outside() -> Result<Self> {
        signals::install();
        let (home, waiting) = (std::env::temp_dir(), Waiting::begin());
        loop {
            let made = tempfile::Builder::new()
                .prefix("git-lane-dry-run-")
                .tempdir()
                .context("write in", &home)?;
            let path = made.keep();
            let Ok(alive) = File::open(&path) else {
                continue;
            };
            return Ok(Directory {
                path,
                alive,
                waiting,
            });
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.path));
    }
}

/// Those whose processes are dead, locked as long as the files live: until they are gone,
/// or a process that has just made one would take it for his.
pub fn dead(lane_dir: &LaneDir, prefix: &str) -> (Vec<PathBuf>, Vec<File>) {
    let named = lane_files::list(&lane_dir.scratch()).filter(|path| {
        path.file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(prefix.as_bytes()))
    });
    let lock = |path: PathBuf| {
        let file = lane_files::open_directory(&path).ok()?;
        file.try_lock().is_ok().then_some((path, file))
    };
    named.filter_map(lock).unzip()
}

/// Removes those whose processes are dead.
pub fn clear(lane_dir: &LaneDir, prefix: &str) {
    let (dead, _locks) = dead(lane_dir, prefix);
    dead.iter()
        .for_each(|directory| drop(std::fs::remove_dir_all(directory)));
}
