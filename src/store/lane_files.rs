//! The one way to the files of `.git/lane`, which may have come with an unpacked archive or from a
//! sandboxed agent.
//!
//! A file is opened without following a link, without waiting for the other end of a pipe, and is
//! read only where it is a regular file of a bearable size; a directory is listed only where it is
//! one. What stands there instead is never followed, written to or opened: it counts as absent, and
//! the next command that changes something moves it to `.git/lane/damaged`, where the doctor names
//! it.

use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind, Read, Result, Write};
use std::ops::Deref;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::OFlags;

use super::journal::unique_id;
use super::permissions::Shared;
use crate::error::IoContext;
use crate::store::exists;

/// More than any file has that git-lane writes here and reads whole.
pub const LARGEST: u64 = 64 << 20;

/// What git-lane makes directories of.
const DIRECTORIES: [&str; 9] = [
    "claims", "damaged", "exec", "journal", "landing", "locks", "scratch", "staging", "trash",
];

/// Those that have nothing but files in them, which are few.
const FILES_IN: [&str; 4] = ["claims", "journal", "landing", "locks"];

/// The directory of what was moved out of the way.
const DAMAGED: &str = "damaged";

/// `.git/lane` itself, with all that those need to know who work in it.
#[derive(Debug, Clone)]
pub struct LaneDir {
    path: PathBuf,
    shared: Shared,
    until: Option<Instant>,
}

impl Deref for LaneDir {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.path
    }
}

impl AsRef<Path> for LaneDir {
    fn as_ref(&self) -> &Path {
        &self.path
    }
}

impl LaneDir {
    /// The one of the repository at `common_dir`, whose users share it like that.
    pub fn of(common_dir: &Path, shared: Shared) -> Self {
        LaneDir {
            path: common_dir.join("lane"),
            shared,
            until: None,
        }
    }

    /// The same for work that as a whole waits for others no longer than `limit`; each of them is
    /// still tried once.
    pub fn within(&self, limit: Duration) -> Self {
        LaneDir {
            until: Some(Instant::now() + limit),
            ..self.clone()
        }
    }

    /// Whether the time to wait for others is over.
    pub fn is_time_up(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() >= until)
    }

    /// The directory that all worktrees share.
    pub fn common_dir(&self) -> &Path {
        self.path.parent().unwrap_or(&self.path)
    }

    /// How the users of the repository share its files.
    pub fn shared(&self) -> Shared {
        self.shared
    }

    /// Where the files are that vouch for lock files.
    pub fn locks(&self) -> PathBuf {
        self.path.join("locks")
    }

    /// Where a process keeps what it needs for a moment.
    pub fn scratch(&self) -> PathBuf {
        self.path.join("scratch")
    }

    /// Opens what is there already, or with `options` that create it what is not; never through a
    /// link, and only a regular file.
    pub fn open(&self, options: &OpenOptions, path: &Path) -> Result<File> {
        let file = open_plain(&mut options.clone(), path)?;
        self.shared.adjust(path).map(|()| file)
    }

    /// A new file in the place of whatever had that name: a link there is removed, not followed.
    pub fn create(&self, path: &Path) -> Result<File> {
        remove(path)?;
        self.open(OpenOptions::new().write(true).create_new(true), path)
    }

    /// Like [`std::fs::write`], by [`create`](Self::create).
    pub fn write(&self, path: &Path, content: &[u8]) -> Result<()> {
        self.create(path)?.write_all(content)
    }

    /// Puts a file with that content at `path` in one step; until then it is beside it, under the
    /// same name with a dot before it.
    pub fn replace(&self, path: &Path, content: &[u8]) -> crate::error::Result<()> {
        let mut name = std::ffi::OsString::from(".");
        name.push(path.file_name().unwrap_or_default());
        let new = path.with_file_name(name);
        let written = self.create(&new).and_then(|mut file| {
            file.write_all(content)?;
            file.sync_all()
        });
        written.context("write", &new)?;
        std::fs::rename(&new, path).context("write", path)
    }

    /// Moves everything in it out of the way that is not what git-lane makes of that name;
    /// returns where it is now. An empty directory of such things goes.
    pub fn tidy(&self) -> Vec<PathBuf> {
        drop(std::fs::remove_dir(self.join(DAMAGED)));
        unfit(self)
            .iter()
            .filter_map(|path| self.set_aside(path))
            .collect()
    }

    /// Moves `path` to the directory of damaged things, an intent under its own name where that is
    /// free; `None` where it cannot be moved or is gone. A link is moved itself.
    pub fn set_aside(&self, path: &Path) -> Option<PathBuf> {
        let mut name = std::ffi::OsString::from(format!("{}-", unique_id()));
        name.push(path.file_name()?);
        let damaged = self.join(DAMAGED);
        if is_unfit(&damaged, true) {
            let away = self.join(format!("{DAMAGED}.{}", unique_id()));
            std::fs::rename(&damaged, &away).ok()?;
            self.shared.create_dir_all(&damaged).ok()?;
            let aside = damaged.join(format!("{}-{DAMAGED}", unique_id()));
            std::fs::rename(&away, &aside).ok()?;
            if path == damaged {
                return Some(aside);
            }
        }
        self.shared.create_dir_all(&damaged).ok()?;
        let own = damaged.join(path.file_name()?);
        // The doctor takes these for intents.
        let is_intent = path
            .parent()
            .is_some_and(|parent| parent.ends_with("journal"));
        let free = is_intent && path.extension().is_some_and(|end| end == "json") && !exists(&own);
        let aside = if free { own } else { damaged.join(name) };
        std::fs::rename(path, &aside).ok().map(|()| aside)
    }

    /// Whether the file is of a user whose word counts here: this one, the one whose repository it
    /// is, or where several share it any of those.
    pub fn is_of_a_user(&self, file: &File) -> bool {
        let Ok(found) = file.metadata() else {
            return false;
        };
        let owner = std::fs::metadata(self.common_dir()).map(|above| above.uid());
        self.shared.is_set()
            || found.uid() == rustix::process::geteuid().as_raw()
            || owner.is_ok_and(|owner| owner == found.uid())
    }
}

fn open_plain(options: &mut OpenOptions, path: &Path) -> Result<File> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let file = options.custom_flags(flags).open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(is_none_of_ours())
    }
}

/// Opens a file of the user's own, which no repository shares, to write at its end.
pub fn append(path: &Path) -> Result<File> {
    open_plain(
        OpenOptions::new().append(true).create(true).mode(0o600),
        path,
    )
}

/// Opens a file of the user's own, which no repository shares, to read, write and lock it.
pub fn read_write(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    let options = options.read(true).write(true).create(true);
    open_plain(options.truncate(false).mode(0o600), path)
}

/// Opens a file to read it, or to take its lock.
pub fn open_read(path: &Path) -> Result<File> {
    open_plain(OpenOptions::new().read(true), path)
}

/// Opens a directory to take its lock.
pub fn open_directory(path: &Path) -> Result<File> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::DIRECTORY)
        .bits()
        .cast_signed();
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}

/// The content of a file; what is larger than [`LARGEST`] is none of git-lane's.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    read_open(&open_read(path)?)
}

/// The content of a file that is open.
pub fn read_open(file: &File) -> Result<Vec<u8>> {
    if file.metadata()?.len() > LARGEST {
        return Err(is_none_of_ours());
    }
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        Err(is_none_of_ours())
    } else {
        Ok(bytes)
    }
}

/// What is in a directory; nothing where there is none, or a link to one.
pub fn list(directory: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let real = is_directory(directory)
        .then(|| std::fs::read_dir(directory).ok())
        .flatten();
    real.into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
}

/// Whether a directory is there, and no link to one.
pub fn is_directory(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|found| found.is_dir())
}

/// Whether a regular file is there.
pub fn is_file(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|found| found.is_file())
}

/// Whether `path` is something that git-lane would never have put there: a link, a pipe, a
/// directory for a file.
pub fn is_unfit(path: &Path, is_directory: bool) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|found| {
        if is_directory {
            !found.is_dir()
        } else {
            !found.is_file()
        }
    })
}

fn is_none_of_ours() -> Error {
    Error::new(ErrorKind::InvalidData, "it is no plain file, or too large")
}

/// Everything in `lane_dir` that is not what git-lane makes of that name: a link, a pipe, a
/// directory for a file.
pub fn unfit(lane_dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for path in list(lane_dir) {
        let name = path.file_name().unwrap_or_default();
        let directory = DIRECTORIES.iter().any(|known| name == *known);
        let known = directory || name.as_encoded_bytes().starts_with(b"events.") || is_lock(&path);
        if known && is_unfit(&path, directory) {
            found.push(path);
        }
    }
    let files = FILES_IN.iter().flat_map(|name| list(&lane_dir.join(name)));
    found.extend(files.filter(|path| is_unfit(path, false)));
    // The place for all others is made first.
    found.sort_by_key(|path| !path.ends_with(DAMAGED));
    found
}

fn is_lock(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == "lock")
        || path.extension().is_some_and(|end| end == "lock")
}

/// What was moved out of the way and that the user has not looked after yet.
pub fn set_asides(lane_dir: &Path) -> Vec<PathBuf> {
    // Names with a hyphen are those that `set_aside` gives; the doctor keeps other things here.
    let strange = |path: &PathBuf| {
        path.file_name()
            .is_some_and(|name| name.as_encoded_bytes().contains(&b'-'))
    };
    let mut found: Vec<PathBuf> = list(&lane_dir.join(DAMAGED)).filter(strange).collect();
    found.sort();
    found
}

/// Removes a file that may be gone already.
pub fn remove_if_there(path: &Path) -> crate::error::Result<()> {
    remove(path).context("remove", path)
}

fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_git_lane_makes_is_opened_and_everything_else_is_moved_away() {
        let directory = tempfile::tempdir().unwrap();
        let lane = LaneDir::of(directory.path(), Shared::Umask);
        std::fs::create_dir(&*lane).unwrap();
        let precious = directory.path().join("precious");
        std::fs::write(&precious, "mine").unwrap();
        for name in ["events.jsonl", "lock", "trash.lock", "damaged", "journal"] {
            std::os::unix::fs::symlink(&precious, lane.join(name)).unwrap();
        }
        rustix::fs::mknodat(
            rustix::fs::CWD,
            lane.join("events.1.jsonl"),
            rustix::fs::FileType::Fifo,
            0o600.into(),
            0,
        )
        .unwrap();
        for name in ["events.jsonl", "events.1.jsonl", "lock"] {
            assert!(read(&lane.join(name)).is_err(), "{name}");
            assert!(
                lane.open(
                    OpenOptions::new().append(true).create(true),
                    &lane.join(name)
                )
                .is_err(),
                "{name}"
            );
        }
        assert_eq!(list(&lane.join("journal")).count(), 0);
        assert_eq!(lane.tidy().len(), 6);
        assert_eq!(set_asides(&lane).len(), 6);
        assert_eq!(std::fs::read(&precious).unwrap(), b"mine");
        assert_eq!(list(&lane).collect::<Vec<_>>(), [lane.join("damaged")]);
        set_asides(&lane)
            .iter()
            .for_each(|path| std::fs::remove_file(path).unwrap());
        assert!(lane.tidy().is_empty() && !lane.join("damaged").exists());
    }

    #[test]
    fn a_new_file_takes_the_place_of_a_link() {
        let directory = tempfile::tempdir().unwrap();
        let (precious, link) = (
            directory.path().join("precious"),
            directory.path().join(".size"),
        );
        std::fs::write(&precious, "mine").unwrap();
        std::os::unix::fs::symlink(&precious, &link).unwrap();
        let lane = LaneDir::of(directory.path(), Shared::Umask);
        lane.write(&link, b"7").unwrap();
        assert_eq!(
            (
                std::fs::read(&precious).unwrap(),
                std::fs::read(&link).unwrap()
            ),
            (b"mine".into(), b"7".into())
        );
    }

    #[test]
    fn a_file_that_is_too_large_is_not_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("huge");
        File::create_new(&path)
            .unwrap()
            .set_len(LARGEST + 1)
            .unwrap();
        assert!(read(&path).is_err());
    }

    #[test]
    fn the_time_is_that_of_all_the_work() {
        let lane = LaneDir::of(Path::new("/"), Shared::Umask);
        assert!(!lane.is_time_up() && lane.within(Duration::ZERO).is_time_up());
        assert!(!lane.within(Duration::from_secs(60)).is_time_up());
    }
}
