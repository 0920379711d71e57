//! Which file it is, and which state of it.

use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use rustix::fs::Stat;

/// Device and inode: what tells a file or a directory from every other one that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FileId {
    device: u64,
    inode: u64,
}

impl From<&Metadata> for FileId {
    fn from(found: &Metadata) -> Self {
        FileId {
            device: found.dev(),
            inode: found.ino(),
        }
    }
}

impl FileId {
    /// That of what `path` leads to.
    pub fn of(path: &Path) -> Option<Self> {
        std::fs::metadata(path).ok().as_ref().map(Self::from)
    }

    /// That of what has the name `path`, and be it a link.
    pub fn of_name(path: &Path) -> Option<Self> {
        std::fs::symlink_metadata(path)
            .ok()
            .as_ref()
            .map(Self::from)
    }

    /// Whether `file` is it.
    pub fn is_open(self, file: &File) -> bool {
        file.metadata().is_ok_and(|found| self == (&found).into())
    }

    /// Whether both are on one device.
    pub fn is_beside(self, other: Self) -> bool {
        self.device == other.device
    }
}

/// Whether two paths lead to one file or directory; a bind mount gives it a second one that no
/// symbolic link tells of.
pub fn is_same(a: &Path, b: &Path) -> bool {
    FileId::of(a).is_some_and(|id| FileId::of(b) == Some(id))
}

/// What tells a file from every other one, and from itself after a change; no program can set when
/// it changed (inode(7)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    file: FileId,
    mode: u32,
    length: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl From<&Metadata> for Stamp {
    fn from(found: &Metadata) -> Self {
        Stamp {
            file: found.into(),
            mode: found.mode(),
            length: found.len(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
        }
    }
}

impl From<&Stat> for Stamp {
    #[allow(
        clippy::unnecessary_cast,
        reason = "the types differ between platforms"
    )]
    fn from(found: &Stat) -> Self {
        Stamp {
            file: FileId {
                device: found.st_dev as u64,
                inode: found.st_ino as u64,
            },
            mode: found.st_mode as u32,
            length: found.st_size as u64,
            modified: (found.st_mtime as i64, found.st_mtime_nsec as i64),
            changed: (found.st_ctime as i64, found.st_ctime_nsec as i64),
        }
    }
}

impl Stamp {
    /// That of what `path` leads to.
    pub fn of(path: &Path) -> Option<Self> {
        std::fs::metadata(path).ok().as_ref().map(Self::from)
    }

    /// That of what has the name `path`, and be it a link.
    pub fn of_name(path: &Path) -> Option<Self> {
        std::fs::symlink_metadata(path)
            .ok()
            .as_ref()
            .map(Self::from)
    }

    /// The same, unless it changed a moment ago: the next change within the clock's tick would look
    /// the same.
    pub fn settled(self) -> Option<Self> {
        let (seconds, nanoseconds) = self.changed;
        // Some filesystems know whole seconds only.
        let tick = match nanoseconds {
            0 => Duration::from_secs(2),
            _ => Duration::from_millis(50),
        };
        let since = Duration::new(
            u64::try_from(seconds).ok()?,
            u32::try_from(nanoseconds).ok()?,
        );
        let age = (SystemTime::UNIX_EPOCH + since).elapsed().ok()?;
        (age > tick).then_some(self)
    }
}

/// A stat as the index stores it: git keeps the low 32 bits of each of these.
#[allow(
    clippy::unnecessary_cast,
    reason = "the types differ between platforms"
)]
pub fn index_stat(stat: &Stat) -> gix::index::entry::Stat {
    let time = |seconds: i64, nanoseconds: i64| gix::index::entry::stat::Time {
        secs: seconds as u32,
        nsecs: nanoseconds as u32,
    };
    gix::index::entry::Stat {
        mtime: time(stat.st_mtime as i64, stat.st_mtime_nsec as i64),
        ctime: time(stat.st_ctime as i64, stat.st_ctime_nsec as i64),
        dev: stat.st_dev as u32,
        ino: stat.st_ino as u32,
        uid: stat.st_uid,
        gid: stat.st_gid,
        size: stat.st_size as u32,
    }
}
