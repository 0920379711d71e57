//! What is under way: one intent file per running operation, held by the flock of the living
//! process.
//!
//! An intent is written, synced and renamed into `.git/lane/journal/` before the first change it
//! announces, and removed after the last. A file whose flock can be taken belongs to a dead
//! process; the process that takes it finishes or undoes what it says, once the programs that
//! process had started are gone too: they inherit the flock of a second file.
//!
//! An intent names absolute paths, so it says whose it is: in a copy of the repository it still
//! speaks of the original, where its process may be alive.
//!
//! Called by the operations and by `repository/unrecovered`.

mod format;

use std::fs::{File, OpenOptions, TryLockError};
use std::hash::{BuildHasher, Hasher};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

pub use format::{About, Announce, GitDir, Said};
use serde::de::DeserializeOwned;

use self::format::Home;
use super::lock_holder::WaitForLock;
use super::lockfile::create_locked;
use crate::domain::shell_word::quote;
use crate::error::{Code, Error, IoContext, Result};
use crate::store::file_id::FileId;
use crate::store::lane_files;
use crate::store::lane_files::LaneDir;
use crate::store::signals;
use crate::store::signals::Deferred;

/// How long to wait for what a dead process had started: a git that is filling a worktree.
const CHILDREN_PATIENCE: Duration = Duration::from_secs(30);

/// The directory of intents.
#[derive(Debug, Clone)]
pub struct Journal {
    lane_dir: LaneDir,
    directory: PathBuf,
}

/// An intent of ours, or one taken over from a dead process; the operation is under way while this
/// lives.
#[derive(Debug)]
pub struct Running {
    lane_dir: LaneDir,
    path: PathBuf,
    file: File,
    #[allow(dead_code, reason = "held for its lock, by our children too")]
    children: Option<File>,
    #[allow(dead_code, reason = "held for its effect, and dropped last")]
    deferred: Deferred,
}

impl Journal {
    /// The journal in `lane_dir`.
    pub fn new(lane_dir: &LaneDir) -> Self {
        Journal {
            directory: lane_dir.join("journal"),
            lane_dir: lane_dir.clone(),
        }
    }

    /// Announces an operation; nothing may be changed before this returns.
    pub fn begin(&self, intent: &impl Announce) -> Result<Running> {
        self.begin_as(&unique_id(), intent)
    }

    /// Like [`begin`](Self::begin), under a name of the caller's: a new [`unique_id`].
    pub fn begin_as(&self, id: &str, intent: &impl Announce) -> Result<Running> {
        let shared = self.lane_dir.shared();
        shared
            .create_dir_all(&self.directory)
            .context("create", &self.directory)?;
        let path = self.directory.join(format!("{id}.json"));
        let deferred = Deferred::begin();
        let children = create_locked(&children_of(&path), shared)?;
        let unset = rustix::io::fcntl_setfd(&children, rustix::io::FdFlags::empty());
        unset.context("pass on", &path)?;
        let file = place(&self.lane_dir, &path, intent);
        if file.is_err() {
            drop(std::fs::remove_file(children_of(&path)));
        }
        step("journal.begun");
        Ok(Running {
            lane_dir: self.lane_dir.clone(),
            path,
            file: file?,
            children: Some(children),
            deferred,
        })
    }

    /// What the intents say that are neither done nor undone, whichever process holds them; nothing
    /// is taken over.
    pub fn pending<T: DeserializeOwned>(&self) -> Vec<(PathBuf, T)> {
        self.files()
            .filter_map(|path| {
                format::intent(&lane_files::read(&path).ok()?).map(|intent| (path, intent))
            })
            .collect()
    }

    /// What these are about, those of other versions among them.
    pub fn under_way(&self) -> Vec<About> {
        self.under_way_beside(None)
    }

    /// The same, without the intent of that name.
    pub fn under_way_beside(&self, own: Option<&str>) -> Vec<About> {
        let is_own = |path: &PathBuf| own.is_some_and(|own| path.file_stem() == Some(own.as_ref()));
        self.files()
            .filter(|path| !is_own(path))
            .filter_map(|path| format::about(&lane_files::read(&path).ok()?))
            .collect()
    }

    fn files(&self) -> impl Iterator<Item = PathBuf> + use<> {
        lane_files::list(&self.directory).filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
    }

    /// What dead processes left, oldest first, and since when; nothing is taken over.
    pub fn left<T: DeserializeOwned>(&self) -> Result<Vec<(PathBuf, SystemTime, Said<T>)>> {
        let mut found = Vec::new();
        let mut paths: Vec<PathBuf> = self.files().collect();
        paths.sort();
        if paths.is_empty() {
            return Ok(found);
        }
        let home = self.home()?;
        for path in paths {
            // Shared, and only for this moment: a process that wants to heal it meanwhile takes its
            // owner for alive.
            let file = match lane_files::open_read(&path) {
                Err(_) if lane_files::is_unfit(&path, false) => {
                    found.push((path, SystemTime::now(), Said::Nothing));
                    continue;
                }
                opened => opened.ok().filter(|file| file.try_lock_shared().is_ok()),
            };
            let Some(file) = file else { continue };
            let text = lane_files::read_open(&file).unwrap_or_default();
            let since = file
                .metadata()
                .and_then(|metadata| metadata.modified())
                .context("read", &path)?;
            found.push((path, since, self.said(&file, &text, &home)));
        }
        Ok(found)
    }

    /// What the text of an open file says; a user who has no part in the repository says nothing.
    fn said<T: DeserializeOwned>(&self, file: &File, text: &[u8], home: &Home) -> Said<T> {
        if self.lane_dir.is_of_a_user(file) {
            format::read(text, home)
        } else {
            Said::Nothing
        }
    }

    fn home(&self) -> Result<Home> {
        Home::of(&self.lane_dir)
    }

    /// The intents of dead processes, oldest first, each now held by this one; what those had
    /// started may still be at work. A half-written temporary file is removed.
    pub fn abandoned<T: DeserializeOwned>(&self) -> Result<Vec<(Said<T>, Running)>> {
        let mut paths: Vec<PathBuf> = match std::fs::read_dir(&self.directory) {
            Ok(entries) if lane_files::is_directory(&self.directory) => {
                entries.flatten().map(|entry| entry.path()).collect()
            }
            Err(error) if lane_files::is_directory(&self.directory) => {
                return Err(error).context("read", &self.directory);
            }
            _ => return Ok(Vec::new()),
        };
        paths.sort();
        let home = self.home()?;
        let mut found = Vec::new();
        for path in paths {
            let Some(file) = take(&path)? else { continue };
            if path.extension().is_none_or(|extension| extension != "json") {
                drop(std::fs::remove_file(&path));
                continue;
            }
            let bytes = lane_files::read_open(&file).unwrap_or_default();
            found.push((
                self.said(&file, &bytes, &home),
                Running {
                    lane_dir: self.lane_dir.clone(),
                    path,
                    file,
                    children: None,
                    deferred: Deferred::begin(),
                },
            ));
        }
        Ok(found)
    }
}

/// Whether the journal in `lane_dir` has an intent of that name.
pub fn is_pending(lane_dir: &LaneDir, id: &std::ffi::OsStr) -> bool {
    let journal = lane_dir.join("journal");
    journal.join(id).with_extension("json").exists()
}

/// The intents that were set aside and that the user has not looked after yet.
pub fn set_aside(lane_dir: &Path) -> Vec<PathBuf> {
    let all = lane_files::list(&lane_dir.join("damaged"));
    all.filter(|path| path.extension().is_some_and(|end| end == "json"))
        .collect()
}

impl Running {
    /// Takes an intent that no command can act on out of the way; returns where it is.
    pub fn set_aside(self) -> Result<PathBuf> {
        let aside = self.lane_dir.set_aside(&self.path).ok_or_else(|| {
            Error::environment(format!("cannot move '{}' aside", self.path.display()))
        })?;
        drop(std::fs::remove_file(children_of(&self.path)));
        Ok(aside)
    }

    /// The intent's name.
    pub fn id(&self) -> std::borrow::Cow<'_, str> {
        self.path.file_stem().unwrap_or_default().to_string_lossy()
    }

    /// Waits until no process is left that the dead owner had started.
    pub fn wait_for_children(&self) -> Result<()> {
        let children = children_of(&self.path);
        let start = Instant::now();
        let mut wait = WaitForLock::begin();
        while take(&children)?.is_none() && lane_files::is_file(&children) {
            wait.goes_on(&children, None);
            if start.elapsed() > CHILDREN_PATIENCE || self.lane_dir.is_time_up() {
                return Err(Error::environment(
                    "a program that an interrupted git-lane started is still at work",
                )
                .with_code(Code::Busy)
                .hint(format!(
                    "see which one it is with: fuser {}",
                    quote(children.display())
                )));
            }
            signals::ensure_none()?;
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// Waits until no program is left that this process has started for the operation; says whether
    /// that came to be in that time.
    pub fn wait_for_own_children(&mut self, patience: Duration) -> Result<bool> {
        // A lock is held for as long as any process has it: ours goes first.
        drop(self.children.take());
        let path = children_of(&self.path);
        let start = Instant::now();
        loop {
            let free = take(&path)?;
            if free.is_some() || !lane_files::is_file(&path) {
                if let Some(file) = &free {
                    let unset = rustix::io::fcntl_setfd(file, rustix::io::FdFlags::empty());
                    unset.context("pass on", &path)?;
                }
                self.children = free;
                return Ok(true);
            }
            if start.elapsed() >= patience {
                return Ok(false);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The intent's file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Replaces the intent by a later stage of it.
    pub fn advance(&mut self, intent: &impl Announce) -> Result<()> {
        self.file = place(&self.lane_dir, &self.path, intent)?;
        step("journal.advanced");
        Ok(())
    }

    /// The operation is complete, or wholly undone.
    pub fn done(self) -> Result<()> {
        step("journal.done");
        std::fs::remove_file(&self.path).context("remove", &self.path)?;
        drop(std::fs::remove_file(children_of(&self.path)));
        Ok(())
    }
}

/// The file whose flock the programs inherit that the operation starts.
fn children_of(path: &Path) -> PathBuf {
    path.with_extension("children")
}

/// Writes `intent` beside `path`, locks it, and renames it into place.
fn place(lane_dir: &LaneDir, path: &Path, intent: &impl Announce) -> Result<File> {
    let bytes = format::write(Home::of(lane_dir)?, intent)?;
    loop {
        let temporary = path.with_file_name(format!(".{}", unique_id()));
        let mut file = lane_dir
            .open(OpenOptions::new().write(true).create_new(true), &temporary)
            .context("create", &temporary)?;
        file.lock().context("lock", &temporary)?;
        file.write_all(&bytes).context("write", &temporary)?;
        file.sync_all().context("sync", &temporary)?;
        match std::fs::rename(&temporary, path) {
            Ok(()) => return Ok(file),
            // A cleaner saw the file in the instant before it was locked and took it for dead.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error).context("write", path),
        }
    }
}

/// Takes the flock of a dead process's file; `None` while its owner lives or once it is gone.
fn take(path: &Path) -> Result<Option<File>> {
    let Ok(file) = lane_files::open_read(path) else {
        return Ok(None);
    };
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(error)) => return Err(error).context("lock", path),
    }
    Ok(is_at(&file, path).then_some(file))
}

/// A lock between git-lane processes, freed by the kernel when its holder dies.
#[derive(Debug)]
pub struct Exclusive(#[allow(dead_code, reason = "held for its lock")] File);

impl Exclusive {
    /// Says in the lock's file who holds it.
    pub fn sign(&self) -> std::io::Result<()> {
        use std::os::unix::fs::FileExt;
        self.0.set_len(0)?;
        self.0
            .write_all_at(std::process::id().to_string().as_bytes(), 0)
    }

    /// Whether a process holds the lock called `name`.
    pub fn is_held(lane_dir: &Path, name: &str) -> bool {
        lane_files::open_read(&lane_dir.join(name))
            .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }

    /// The process that holds the lock called `name` and has signed it.
    pub fn holder(lane_dir: &Path, name: &str) -> Option<i32> {
        let file = lane_files::open_read(&lane_dir.join(name)).ok()?;
        let held = matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock));
        let mut text = String::new();
        file.take(32).read_to_string(&mut text).ok()?;
        text.parse().ok().filter(|_| held)
    }

    /// Takes the lock called `name` in `lane_dir`, waiting at most `patience`.
    pub fn acquire(lane_dir: &LaneDir, name: &str, patience: Duration) -> Result<Self> {
        let path = lane_dir.join(name);
        let open = || {
            let made = lane_dir.shared().create_dir_all(lane_dir);
            made.context("create", lane_dir)?;
            let open = || {
                lane_dir.open(
                    OpenOptions::new().create(true).truncate(false).write(true),
                    &path,
                )
            };
            match open() {
                // Something is there that git-lane never makes; this may be the first command to
                // come by it.
                Err(_) if lane_files::is_unfit(&path, false) => {
                    lane_dir.set_aside(&path);
                    open()
                }
                opened => opened,
            }
            .context("open", &path)
        };
        let mut file = open()?;
        let start = Instant::now();
        let mut wait = WaitForLock::begin();
        loop {
            match file.try_lock() {
                // Who held it may have removed it: the next to come would lock another file.
                Ok(()) if is_at(&file, &path) => return Ok(Exclusive(file)),
                Ok(()) => file = open()?,
                Err(TryLockError::WouldBlock) if start.elapsed() < patience => {
                    signals::ensure_none()?;
                    wait.goes_on(&path, Some(&file));
                    std::thread::sleep(Duration::from_micros(
                        700 + u64::from(std::process::id() % 13) * 100,
                    ));
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(Error::environment(
                        "another git-lane command has been busy in this repository for too long",
                    )
                    .with_code(Code::Busy)
                    .hint(format!(
                        "see who holds it with: fuser {}",
                        quote(path.display())
                    )));
                }
                Err(TryLockError::Error(error)) => return Err(error).context("lock", &path),
            }
        }
    }
}

fn is_at(file: &File, path: &Path) -> bool {
    FileId::of_name(path).is_some_and(|there| there.is_open(file))
}

/// Nineteen hex digits that sort by time and never repeat.
pub fn unique_id() -> String {
    let millis = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_millis();
    let random = std::collections::hash_map::RandomState::new()
        .build_hasher()
        .finish();
    format!("{millis:011x}{:08x}", random as u32)
}

/// A named point between two changes where the process may die, or get a signal to end: where
/// `GIT_LANE_TEST_DIE_AT` is its name, or the number of points so far. Nothing in a release build.
#[inline]
pub fn step(name: &'static str) {
    #[cfg(debug_assertions)]
    {
        use std::sync::atomic::{AtomicUsize, Ordering};
        static PASSED: AtomicUsize = AtomicUsize::new(0);
        let Ok(fatal) = std::env::var("GIT_LANE_TEST_DIE_AT") else {
            return;
        };
        let passed = PASSED.fetch_add(1, Ordering::SeqCst) + 1;
        if fatal == name || fatal == passed.to_string() {
            eprintln!("died at {name}");
            let asked = std::env::var_os("GIT_LANE_TEST_DIE_ASKED").is_some();
            let signal = if asked {
                rustix::process::Signal::TERM
            } else {
                rustix::process::Signal::KILL
            };
            let _ = rustix::process::kill_process(rustix::process::getpid(), signal);
            // Another thread hears of it.
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    #[cfg(not(debug_assertions))]
    let _ = name;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::permissions::Shared;

    impl Announce for &str {
        fn about(&self) -> About {
            About::default()
        }
    }

    fn lane_dir(directory: &tempfile::TempDir) -> LaneDir {
        LaneDir::of(directory.path(), Shared::Umask)
    }

    /// The one abandoned intent. A process that another test is just starting holds all our files
    /// until it is exec'ed.
    fn the_abandoned(journal: &Journal) -> (String, Running) {
        let start = Instant::now();
        loop {
            if let Some((Said::Intent(intent), running)) = journal.abandoned().unwrap().pop() {
                return (intent, running);
            }
            assert!(start.elapsed() < Duration::from_secs(5));
        }
    }

    #[test]
    fn an_intent_is_abandoned_only_once_its_process_is_gone() {
        let directory = tempfile::tempdir().unwrap();
        let journal = Journal::new(&lane_dir(&directory));
        let mut running = journal.begin(&"start").unwrap();
        running.advance(&"start, prepared").unwrap();
        assert!(journal.abandoned::<String>().unwrap().is_empty());
        drop(running);
        let (intent, running) = the_abandoned(&journal);
        assert_eq!(intent, "start, prepared");
        running.done().unwrap();
        assert!(journal.abandoned::<String>().unwrap().is_empty());
    }

    #[test]
    fn what_a_dead_process_had_started_is_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let journal = Journal::new(&lane_dir(&directory));
        let running = journal.begin(&"start").unwrap();
        let start = Instant::now();
        let mut child = std::process::Command::new("sleep")
            .arg("0.3")
            .spawn()
            .unwrap();
        drop(running);
        let (_, running) = the_abandoned(&journal);
        running.wait_for_children().unwrap();
        assert!(start.elapsed() >= Duration::from_millis(300));
        assert!(child.wait().unwrap().success());
        running.done().unwrap();
        // The process that began it can wait for them, too.
        let mut running = journal.begin(&"start").unwrap();
        let mut child = std::process::Command::new("sleep")
            .arg("0.3")
            .spawn()
            .unwrap();
        let short = Duration::from_millis(20);
        assert!(!running.wait_for_own_children(short).unwrap());
        let long = Duration::from_secs(10);
        assert!(running.wait_for_own_children(long).unwrap());
        assert!(child.wait().unwrap().success());
        running.done().unwrap();
        assert_eq!(
            std::fs::read_dir(lane_dir(&directory).join("journal"))
                .unwrap()
                .count(),
            0
        );
    }
}
