//! Directories for what is needed only while this process works; the next git-lane process can
//! prove that one is dead.
//!
//! The process holds an flock on the directory itself, which the kernel frees when it dies.

use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::{IoContext, Result};
use crate::store::entries;
use crate::store::file_id::FileId;
use crate::store::journal::unique_id;
use crate::store::lane_files;
use crate::store::lane_files::LaneDir;
use crate::store::signals;
use crate::store::signals::Waiting;

/// How those outside the repository are called.
const OUTSIDE: &str = "git-lane-dry-run-";

/// One that is younger may not be locked yet.
const YOUNG: Duration = Duration::from_secs(60);

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
        clear_outside(&home);
        loop {
            let made = tempfile::Builder::new()
                .prefix(OUTSIDE)
                .tempdir()
                .context("write in", &home)?;
            let path = made.keep();
            let Ok(alive) = File::open(&path) else {
                continue;
            };
            alive.lock().context("lock", &path)?;
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

/// Removes this user's own outside the repository whose processes are dead.
fn clear_outside(home: &Path) {
    let own = rustix::process::geteuid().as_raw();
    for entry in entries(home) {
        let name = entry.file_name();
        let is_old = |found: &Metadata| {
            let modified = found.modified().ok();
            modified
                .and_then(|time| time.elapsed().ok())
                .is_some_and(|age| age > YOUNG)
        };
        let is_own = |found: Metadata| found.is_dir() && found.uid() == own && is_old(&found);
        if !name.as_encoded_bytes().starts_with(OUTSIDE.as_bytes())
            || !std::fs::symlink_metadata(entry.path()).is_ok_and(is_own)
        {
            continue;
        }
        let directory = lane_files::open_directory(&entry.path());
        if directory.is_ok_and(|directory| directory.try_lock().is_ok()) {
            drop(std::fs::remove_dir_all(entry.path()));
        }
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
