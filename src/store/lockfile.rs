//! git's own `<file>.lock` protocol, in a way that proves afterwards who held the lock.
//!
//! A lock file of a dead process blocks git for ever, and nothing tells whether its owner still
//! lives. Ours are hard links to a file in `.git/lane/locks/` whose `flock` the living process
//! holds: the kernel frees that lock when the process dies, so a lock file that shares its inode
//! with a file there that no process has locked is provably ours and dead.
//!
//! A file there that has the name of an intent in the journal belongs to that operation: dead or
//! not, its lock stays until the process that heals the operation takes it over, so that no git
//! writes in between.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use crate::domain::duration::in_two_units;
use crate::error::{Code, Error, IoContext, Result};
use crate::store::entries;
use crate::store::exists;
use crate::store::file_id::FileId;
use crate::store::lane_files;
use crate::store::lane_files::LaneDir;
use crate::store::lock_holder::WaitForLock;
use crate::store::permissions::Shared;
use crate::store::signals;
use crate::store::signals::{Deferred, Waiting};
use crate::store::with_end;

/// How long to wait for a lock of git's protocol; git itself holds one for milliseconds.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long to wait for one that was held that long when we came: its owner is dead, or an editor
/// is open.
const PATIENCE_WITH_OLD: Duration = Duration::from_secs(1);

/// A held `<file>.lock`; dropping it releases the lock and leaves the file as it was.
#[derive(Debug)]
pub struct LockFile {
    target: PathBuf,
    lock: PathBuf,
    witness: PathBuf,
    file: File,
    held: bool,
    left: bool,
    #[allow(dead_code, reason = "held for its effect, and dropped last")]
    deferred: Deferred,
}

impl LockFile {
    /// Takes `<target>.lock`, waiting a bounded time; the directory of witnesses is made where it
    /// is missing.
    pub fn acquire(target: &Path, lane_dir: &LaneDir) -> Result<Self> {
        // git follows a symlinked config and locks beside the real file.
        Self::acquire_link(
            &std::fs::canonicalize(target).unwrap_or_else(|_| target.to_owned()),
            lane_dir,
        )
    }

    /// Like [`acquire`](Self::acquire) for what git does not follow when it is a symbolic link:
    /// refs and HEAD.
    pub fn acquire_link(target: &Path, lane_dir: &LaneDir) -> Result<Self> {
        let target = target.to_owned();
        make_locks(lane_dir)?;
        let lock = lock_path(&target);
        let _waiting = Waiting::begin();
        let (witness, file) = witness(lane_dir)?;
        match link(&witness, &file, &lock, lane_dir) {
            Ok(deferred) => Ok(LockFile {
                target,
                lock,
                witness,
                file,
                held: true,
                left: false,
                deferred,
            }),
            Err(error) => {
                drop(std::fs::remove_file(&witness));
                Err(error)
            }
        }
    }

    /// Waits for `<target>.lock` as long as [`acquire`](Self::acquire) would, and takes nothing:
    /// for a dry run.
    pub fn wait_until_free(target: &Path, lane_dir: &LaneDir) -> Result<()> {
        let lock = lock_path(&std::fs::canonicalize(target).unwrap_or_else(|_| target.to_owned()));
        let start = Instant::now();
        let mut wait = WaitForLock::begin();
        while exists(&lock) && !is_dead(&lock, lane_dir) {
            wait.goes_on(&lock, None);
            if is_long_enough(start, &lock, lane_dir) {
                return Err(held_by_another(&lock));
            }
            signals::ensure_none()?;
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// Takes over the lock that belongs to the intent `id` of a dead process, without a gap in
    /// which another git could have it; takes it anew where it is no longer there.
    pub fn take_over(target: &Path, lane_dir: &LaneDir, id: &str) -> Result<Self> {
        let witness = lane_dir.locks().join(id);
        if let Ok(file) = lane_dir.open(OpenOptions::new().write(true), &witness) {
            // Its owner is dead and its intent ours; others look at it for a moment at most.
            file.lock().context("lock", &witness)?;
            let target = std::fs::canonicalize(target).unwrap_or_else(|_| target.to_owned());
            let lock = lock_path(&target);
            if is_same(&file, &lock) {
                let deferred = Deferred::begin();
                return Ok(LockFile {
                    target,
                    lock,
                    witness,
                    file,
                    held: true,
                    left: false,
                    deferred,
                });
            }
        }
        Self::acquire(target, lane_dir)
    }

    /// From now on the lock belongs to the intent `id`, which is about to be journalled: when this
    /// process dies, the lock stays until that is healed.
    pub fn belong_to(&mut self, id: &str) -> Result<()> {
        let witness = self.witness.with_file_name(id);
        std::fs::rename(&self.witness, &witness).context("rename", &self.witness)?;
        self.witness = witness;
        crate::store::journal::step("lockfile.promised");
        Ok(())
    }

    /// Replaces the target's content in one step and releases the lock; the target's mode stays, as
    /// `git config` keeps it.
    pub fn commit(mut self, content: &[u8]) -> Result<()> {
        if let Ok(metadata) = std::fs::metadata(&self.target) {
            self.file
                .set_permissions(metadata.permissions())
                .context("set the mode of", &self.lock)?;
        }
        self.write(content)?;
        self.file.sync_all().context("sync", &self.lock)?;
        crate::store::journal::step("lockfile.written");
        self.publish()?;
        crate::store::journal::step("lockfile.renamed");
        Ok(())
    }

    /// Writes what [`publish`](Self::publish) will put in force, with the mode git gives a new
    /// file.
    pub fn write(&mut self, content: &[u8]) -> Result<()> {
        self.file.write_all(content).context("write", &self.lock)
    }

    /// Replaces the target by what was written, and releases the lock.
    pub fn publish(mut self) -> Result<()> {
        self.put_in_force()
    }

    /// Like [`publish`](Self::publish); what is left to tidy up then waits until this is dropped.
    pub fn put_in_force(&mut self) -> Result<()> {
        std::fs::rename(&self.lock, &self.target).context("replace", &self.target)?;
        self.held = false;
        Ok(())
    }

    /// Replaces the target by `prepared`, a file on the same file system, in one step; the lock
    /// stays held.
    pub fn replace_with(&self, prepared: &Path) -> Result<()> {
        std::fs::rename(prepared, &self.target).context("replace", &self.target)?;
        crate::store::journal::step("lockfile.replaced");
        Ok(())
    }

    /// Leaves the lock to the process that heals what this process could not finish; from its end
    /// on it is provably dead.
    pub fn leave(mut self) {
        self.left = true;
    }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        if self.left {
            return;
        }
        // A lock that cannot be removed needs its witness: the next git-lane process can then prove
        // it dead.
        if !self.held || std::fs::remove_file(&self.lock).is_ok() {
            drop(std::fs::remove_file(&self.witness));
        }
    }
}

/// New content for a file whose lock stays held when it is put in force.
#[derive(Debug)]
pub struct Aside {
    target: PathBuf,
    path: PathBuf,
    #[allow(dead_code, reason = "held for its lock, which keeps cleaners away")]
    file: File,
    #[allow(dead_code, reason = "held until it is gone or in force")]
    waiting: Waiting,
}

impl Aside {
    fn new(target: PathBuf, lane_dir: &LaneDir) -> Result<Self> {
        let waiting = Waiting::begin();
        let (path, file) = witness(lane_dir)?;
        Ok(Aside {
            target,
            path,
            file,
            waiting,
        })
    }

    /// Writes it.
    pub fn write(target: &Path, lane_dir: &LaneDir, content: &[u8]) -> Result<Self> {
        let target = std::fs::canonicalize(target).context("find", target)?;
        let mut aside = Aside::new(target, lane_dir)?;
        let written = aside.file.write_all(content);
        written.context("write", &aside.path).map(|()| aside)
    }

    /// Replaces the target in one step.
    pub fn publish(self) -> Result<()> {
        std::fs::rename(&self.path, &self.target).context("replace", &self.target)
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.path));
    }
}

/// Puts `content` in the place of a file that git writes without a lock, in one step.
pub fn replace(target: &Path, lane_dir: &LaneDir, content: &[u8]) -> Result<()> {
    make_locks(lane_dir)?;
    let mut new = Aside::new(target.to_owned(), lane_dir)?;
    if let Ok(metadata) = std::fs::metadata(target) {
        new.file
            .set_permissions(metadata.permissions())
            .context("set the mode of", &new.path)?;
    }
    new.file
        .write_all(content)
        .and_then(|()| new.file.sync_all())
        .context("write", &new.path)?;
    crate::store::journal::step("replace.written");
    match std::fs::rename(&new.path, target) {
        // A worktree on another filesystem: a fixed name, for the next git-lane process to write
        // again.
        Err(error) if error.kind() == ErrorKind::CrossesDevices => {
            let beside = with_end(target, ".lane-new");
            std::fs::copy(&new.path, &beside).and_then(|_| std::fs::rename(&beside, target))
        }
        renamed => renamed,
    }
    .context("replace", target)?;
    crate::store::journal::step("replace.renamed");
    Ok(())
}

/// Makes `lock` a link to `witness`, as soon as no other process has it; from then on signals wait.
fn link(witness: &Path, file: &File, lock: &Path, lane_dir: &LaneDir) -> Result<Deferred> {
    let start = Instant::now();
    let mut pause = Duration::from_micros(500);
    let mut wait = WaitForLock::begin();
    loop {
        let deferred = Deferred::begin();
        match std::fs::hard_link(witness, lock) {
            Ok(()) => {
                // It is held from now on, however long we waited with the witness in hand.
                let _ = file.set_modified(SystemTime::now());
                return Ok(deferred);
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                if clear_if_dead(lock, lane_dir)? {
                    continue;
                }
            }
            Err(error) => return Err(error).context("lock", lock.with_extension("").as_path()),
        }
        if is_long_enough(start, lock, lane_dir) {
            return Err(held_by_another(lock));
        }
        drop(deferred);
        signals::ensure_none()?;
        wait.goes_on(lock, None);
        // Spread the waiters so that fifty of them do not knock at the same instant.
        std::thread::sleep(pause + pause.mul_f64(f64::from(std::process::id() % 16) / 16.0));
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

/// Clears the lock files of `targets` whose owners are provably dead, and the witnesses those
/// owners left. All lock files are below the common directory. Returns those removed.
pub fn clear_dead(lane_dir: &LaneDir, targets: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut cleared = Vec::new();
    for target in targets {
        let lock = lock_path(target);
        if exists(&lock) && clear_if_dead(&lock, lane_dir)? {
            cleared.push(lock);
        }
    }
    let committed: Vec<_> = targets.iter().filter_map(|path| FileId::of(path)).collect();
    for entry in entries(&lane_dir.locks()) {
        let Ok(file) = lane_files::open_read(&entry.path()) else {
            continue;
        };
        let Ok(metadata) = file.metadata() else {
            continue;
        };
        if file.try_lock().is_err()
            || crate::store::journal::is_pending(lane_dir, &entry.file_name())
        {
            continue;
        }
        // A further link that is no target of ours may be a lock that still needs its witness, or
        // what was committed and has moved since: an index into the trash.
        let own = FileId::from(&metadata);
        let needed = metadata.nlink() > 1
            && !committed.contains(&own)
            && is_locking(lane_dir.common_dir(), own);
        if !needed {
            drop(std::fs::remove_file(entry.path()));
        }
    }
    Ok(cleared)
}

/// Whether a lock file below `directory` is the inode `own`.
fn is_locking(directory: &Path, own: FileId) -> bool {
    entries(directory).any(|entry| {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => entry.file_name() != "objects" && is_locking(&path, own),
            _ if path
                .extension()
                .is_some_and(|extension| extension == "lock") =>
            {
                FileId::of(&path) == Some(own)
            }
            _ => false,
        }
    })
}

/// The lock file of `target` in git's protocol.
pub fn lock_path(target: &Path) -> PathBuf {
    with_end(target, ".lock")
}

/// A new, locked file that vouches for a lock.
fn witness(lane_dir: &LaneDir) -> Result<(PathBuf, File)> {
    let path = lane_dir.locks().join(crate::store::journal::unique_id());
    let file = create_locked(&path, lane_dir.shared())?;
    Ok((path, file))
}

fn make_locks(lane_dir: &LaneDir) -> Result<()> {
    let locks = lane_dir.locks();
    let made = lane_dir.shared().create_dir_all(&locks);
    made.context("create", &locks)
}

/// A new file, locked for as long as this process lives; cleaners remove files that no process has
/// locked.
pub(crate) fn create_locked(path: &Path, shared: Shared) -> Result<File> {
    loop {
        let file = shared
            .open(OpenOptions::new().write(true).create_new(true), path)
            .context("create", path)?;
        file.lock().context("lock", path)?;
        // Between creation and lock a cleaner may have taken it for dead.
        if is_same(&file, path) {
            return Ok(file);
        }
    }
}

/// Removes `lock` if its witness proves that the owner is dead.
fn clear_if_dead(lock: &Path, lane_dir: &LaneDir) -> Result<bool> {
    let Some(seen) = FileId::of(lock) else {
        return Ok(true);
    };
    let locks = lane_dir.locks();
    for entry in std::fs::read_dir(&locks).context("read", &locks)?.flatten() {
        let Ok(file) = lane_files::open_read(&entry.path()) else {
            continue;
        };
        if !seen.is_open(&file) {
            continue;
        }
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(false),
            Err(TryLockError::Error(error)) => return Err(error).context("lock", &entry.path()),
        }
        // Its owner may have given it the name of an intent meanwhile.
        if !is_same(&file, &entry.path())
            || crate::store::journal::is_pending(lane_dir, &entry.file_name())
        {
            return Ok(false);
        }
        // Holding the dead owner's lock keeps other cleaners out; look again before removing.
        if FileId::of(lock) == Some(seen) {
            std::fs::remove_file(lock).context("remove", lock)?;
        }
        drop(std::fs::remove_file(entry.path()));
        return Ok(true);
    }
    Ok(false)
}

fn is_same(file: &File, path: &Path) -> bool {
    FileId::of(path).is_some_and(|there| there.is_open(file))
}

/// Whether `lock` is provably of a git-lane process that is dead. Changes nothing.
pub fn is_dead(lock: &Path, lane_dir: &LaneDir) -> bool {
    let Some(seen) = FileId::of(lock) else {
        return false;
    };
    let witnesses = entries(&lane_dir.locks());
    witnesses
        .filter_map(|entry| lane_files::open_read(&entry.path()).ok())
        .any(|file| seen.is_open(&file) && file.try_lock().is_ok())
}

/// Whether one that waits for `lock` since `start` has waited long enough.
fn is_long_enough(start: Instant, lock: &Path, lane_dir: &LaneDir) -> bool {
    let old = age(lock).is_some_and(|age| age > PATIENCE);
    start.elapsed() > if old { PATIENCE_WITH_OLD } else { PATIENCE } || lane_dir.is_time_up()
}

fn age(lock: &Path) -> Option<Duration> {
    std::fs::symlink_metadata(lock)
        .and_then(|metadata| metadata.modified())
        .ok()?
        .elapsed()
        .ok()
}

pub(crate) fn held_by_another(lock: &Path) -> Error {
    let age = age(lock)
        .map(|age| format!(", {} old", in_two_units(age.as_secs())))
        .unwrap_or_default();
    Error::environment(format!(
        "'{}' is held by another process{age}",
        lock.display()
    ))
    .with_code(Code::Locked)
    .hint("if no git is running, remove that file and try again")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_owners_lock_is_cleared_and_a_foreign_one_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("config");
        let lane_dir = LaneDir::of(directory.path(), Shared::Umask);
        std::fs::write(&target, "old").unwrap();
        let locks = lane_dir.locks();
        std::fs::create_dir_all(&locks).unwrap();
        let lock = directory.path().join("config.lock");

        std::fs::write(locks.join("dead"), "").unwrap();
        std::fs::hard_link(locks.join("dead"), &lock).unwrap();
        assert_eq!(
            clear_dead(&lane_dir, std::slice::from_ref(&target)).unwrap(),
            std::slice::from_ref(&lock)
        );

        std::fs::write(&lock, "git's").unwrap();
        assert!(
            clear_dead(&lane_dir, std::slice::from_ref(&target))
                .unwrap()
                .is_empty()
        );
        assert!(lock.exists());
    }

    #[test]
    fn a_dead_owners_witness_goes_when_what_it_committed_has_moved() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("index");
        let lane_dir = LaneDir::of(directory.path(), Shared::Umask);
        let locks = lane_dir.locks();
        std::fs::create_dir_all(&locks).unwrap();
        std::fs::write(locks.join("dead"), "").unwrap();
        std::fs::create_dir(directory.path().join("trash")).unwrap();
        std::fs::hard_link(locks.join("dead"), directory.path().join("trash/index")).unwrap();
        // A process's lock of something else needs its witness.
        std::fs::write(locks.join("other"), "").unwrap();
        std::fs::hard_link(
            locks.join("other"),
            directory.path().join("trash/other.lock"),
        )
        .unwrap();
        clear_dead(&lane_dir, std::slice::from_ref(&target)).unwrap();
        assert!(!locks.join("dead").exists() && locks.join("other").exists());
    }

    #[test]
    fn a_lock_held_for_a_moment_is_waited_for_and_one_an_hour_old_hardly() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("config");
        let lane_dir = LaneDir::of(directory.path(), Shared::Umask);
        let lock = lock_path(&target);
        std::fs::write(&lock, "git's").unwrap();
        let releaser = std::thread::spawn({
            let lock = lock.clone();
            move || {
                std::thread::sleep(PATIENCE_WITH_OLD * 2);
                std::fs::remove_file(lock).unwrap();
            }
        });
        drop(LockFile::acquire(&target, &lane_dir).unwrap());
        releaser.join().unwrap();
        std::fs::write(&lock, "git's").unwrap();
        File::open(&lock)
            .unwrap()
            .set_modified(SystemTime::now() - Duration::from_secs(3600))
            .unwrap();
        let start = Instant::now();
        assert_eq!(
            LockFile::acquire(&target, &lane_dir)
                .unwrap_err()
                .code()
                .as_str(),
            "locked"
        );
        assert!(start.elapsed() < PATIENCE && lock.exists());
        // A young one too, once others have been waited for long enough.
        File::open(&lock)
            .unwrap()
            .set_modified(SystemTime::now())
            .unwrap();
        let start = Instant::now();
        let tried = LockFile::acquire(&target, &lane_dir.within(Duration::ZERO));
        assert_eq!(tried.unwrap_err().code().as_str(), "locked");
        assert!(start.elapsed() < PATIENCE && lock.exists());
    }

    #[test]
    fn a_living_owners_lock_stays_and_its_commit_leaves_nothing_behind() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("config");
        let lane_dir = LaneDir::of(directory.path(), Shared::Umask);
        std::fs::write(&target, "old").unwrap();
        let held = LockFile::acquire(&target, &lane_dir).unwrap();
        let lock = directory.path().join("config.lock");
        assert!(
            clear_dead(&lane_dir, std::slice::from_ref(&target))
                .unwrap()
                .is_empty()
        );
        assert!(lock.exists());
        held.commit(b"new").unwrap();
        assert_eq!(std::fs::read(&target).unwrap(), b"new");
        assert!(!lock.exists());
        assert_eq!(std::fs::read_dir(lane_dir.locks()).unwrap().count(), 0);
    }
}
