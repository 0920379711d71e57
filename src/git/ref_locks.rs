//! The lock files a ref transaction takes, announced before it takes them, so that a dead process's can be cleared.
//!
//! Those locks are made inside gix or git, so they cannot be links to a witness as ours are (see [`lockfile`]). Instead a
//! witness in `.git/lane/ref-locks/`, `flock`ed by the living process, lists them. Once its owner is dead, a listed lock
//! that is younger than the witness and that nobody has touched for [`SETTLED`] is the owner's: whoever lives holds such
//! a lock for milliseconds, and one that stays blocks every git for ever.

use std::fs::File;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::lockfile;
use crate::error::{IoContext, Result};

/// Longer than git itself waits for any lock of a ref (`core.packedRefsTimeout`: one second).
const SETTLED: Duration = Duration::from_secs(2);

/// Locks being taken; while this lives they are nobody else's business.
#[derive(Debug)]
pub struct Announced {
    path: PathBuf,
    _witness: File,
}

impl Announced {
    /// Announces the locks of `targets`, files in a git directory of the repository at `common_dir`.
    pub fn new(common_dir: &Path, targets: &[PathBuf]) -> Result<Self> {
        let directory = directory(common_dir);
        std::fs::create_dir_all(&directory).context("create", &directory)?;
        let (path, mut file) = lockfile::witness(&directory)?;
        let locks: Vec<u8> =
            targets.iter().flat_map(|target| [target.as_os_str().as_bytes(), b".lock\0"].concat()).collect();
        file.write_all(&locks).context("write", &path)?;
        super::journal::step("ref-locks.announced");
        Ok(Announced { path, _witness: file })
    }
}

impl Drop for Announced {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.path));
    }
}

/// Clears what dead processes announced and left.
pub fn clear_dead(common_dir: &Path) -> Result<()> {
    for entry in std::fs::read_dir(directory(common_dir)).into_iter().flatten().flatten() {
        // The lock keeps other cleaners out.
        let Ok(file) = File::open(entry.path()) else { continue };
        if file.try_lock().is_err() {
            continue;
        }
        let announced = file.metadata().and_then(|metadata| metadata.modified()).context("read", &entry.path())?;
        let listed = std::fs::read(entry.path()).unwrap_or_default();
        for lock in listed.split(|byte| *byte == 0).filter(|lock| lock.ends_with(b".lock")).map(super::path) {
            while let Some(touched) = modified(&lock).filter(|touched| *touched >= announced) {
                let age = SystemTime::now().duration_since(touched).unwrap_or_default();
                if age >= SETTLED {
                    std::fs::remove_file(&lock).context("remove", &lock)?;
                    break;
                }
                std::thread::sleep(Duration::from_millis(50));
            }
        }
        drop(std::fs::remove_file(entry.path()));
    }
    Ok(())
}

fn modified(lock: &Path) -> Option<SystemTime> {
    std::fs::symlink_metadata(lock).and_then(|metadata| metadata.modified()).ok()
}

fn directory(common_dir: &Path) -> PathBuf {
    common_dir.join("lane/ref-locks")
}
