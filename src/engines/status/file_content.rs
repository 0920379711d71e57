//! Whether a file still is what the index says: by stat where that decides, by its bytes where it
//! does not.
//!
//! Filters are not run here. A file is hashed as it is where that equals what git would hash: no
//! filter, ident or encoding attribute can apply, and it holds no carriage return an end-of-line
//! rule could drop. Else git is asked.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use bstr::{BString, ByteSlice};
use gix::bstr::BStr;
use gix::index::Entry;
use gix::index::entry::Mode;
use rustix::fs::{FileType, OFlags, Stat};

use super::{Halt, Index, Shared};
use crate::error::{Error, IoContext};
use crate::store::file_id::index_stat;

/// Larger files are left to git, which streams them.
const LARGEST: u64 = 64 << 20;

/// What attribute files outside the worktree, and config, can do to a file on its way into git.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Attributes {
    /// Nothing: bytes are bytes.
    None,
    /// At most line endings.
    LineEndings,
    /// Perhaps a filter, ident or another encoding.
    Filters,
}

impl Attributes {
    fn of(file: &[u8]) -> Self {
        let words: [&[u8]; 3] = [b"filter", b"ident", b"working-tree-encoding"];
        if words.iter().any(|word| file.contains_str(word)) {
            Attributes::Filters
        } else if ["text", "crlf", "eol", "binary", "[attr]"]
            .iter()
            .any(|word| file.contains_str(word))
        {
            Attributes::LineEndings
        } else {
            Attributes::None
        }
    }

    fn of_file(path: &Path) -> Option<Self> {
        match std::fs::read(path) {
            Ok(data) => Some(Self::of(&data)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(_) => Some(Attributes::Filters),
        }
    }

    /// What holds for all worktrees of `repo`: core.autocrlf and the attribute files outside of
    /// them.
    fn outside(repo: &gix::Repository) -> Self {
        let mut most = match repo.config_snapshot().string("core.autocrlf") {
            None => Attributes::None,
            Some(value) if value.eq_ignore_ascii_case(b"false") => Attributes::None,
            Some(_) => Attributes::LineEndings,
        };
        let Ok(mut files) = repo.attribute_global_paths() else {
            return Attributes::Filters;
        };
        files.push(repo.common_dir().join("info/attributes"));
        for file in files {
            most = most.max(Attributes::of_file(&file).unwrap_or(Attributes::None));
        }
        most
    }
}

/// How a file compares with its index entry.
#[derive(PartialEq, Eq)]
pub(super) enum Verdict {
    Same,
    Modified,
    TypeChanged,
}

/// Compares files of one worktree with its index; each thread has its own.
pub(super) struct Comparer<'a> {
    pub shared: &'a Shared<'a>,
    pub repo: &'a gix::Repository,
    pub worktree: &'a Path,
    pub index: &'a Index,
    seen: RefCell<HashMap<BString, Attributes>>,
}

impl<'a> Comparer<'a> {
    pub fn new(
        shared: &'a Shared<'a>,
        repo: &'a gix::Repository,
        worktree: &'a Path,
        index: &'a Index,
    ) -> Self {
        Comparer {
            shared,
            repo,
            worktree,
            index,
            seen: RefCell::default(),
        }
    }

    /// Compares the file `name` in `directory`, whose lstat is `stat`, with `entry`.
    pub fn compare(
        &self,
        directory: impl std::os::fd::AsFd,
        name: &[u8],
        stat: &Stat,
        entry: &Entry,
    ) -> Result<Verdict, Halt> {
        let kind = FileType::from_raw_mode(stat.st_mode);
        let executable = stat.st_mode & 0o100 != 0;
        match (entry.mode, kind) {
            (Mode::SYMLINK, FileType::Symlink) => {}
            (Mode::FILE | Mode::FILE_EXECUTABLE, FileType::RegularFile) => {
                if self.shared.file_mode && executable != (entry.mode == Mode::FILE_EXECUTABLE) {
                    return Ok(Verdict::Modified);
                }
            }
            (Mode::SYMLINK, FileType::RegularFile)
            | (Mode::FILE | Mode::FILE_EXECUTABLE, FileType::Symlink) => {
                return Ok(Verdict::TypeChanged);
            }
            _ => {
                return Err(Halt::Doubt(
                    "a directory or special file in place of a file",
                ));
            }
        }
        let now = index_stat(stat);
        let written = (i64::from(entry.stat.mtime.secs), entry.stat.mtime.nsecs);
        if now == entry.stat && written < self.index.written {
            return Ok(Verdict::Same);
        }
        // git writes size 0 for an entry it could not be sure about; any other size is the file's
        // when it was staged.
        if entry.stat.size != 0 && entry.stat.size != now.size {
            return Ok(Verdict::Modified);
        }
        let path = entry.path_in(self.index.state.path_backing());
        let data = self.read(directory, name, kind, stat)?;
        if kind == FileType::RegularFile {
            match self.attributes(path)? {
                Attributes::None => {}
                Attributes::LineEndings if !data.contains(&b'\r') => {}
                _ => return Err(Halt::Doubt("content needs a filter")),
            }
        }
        let id = gix::objs::compute_hash(self.repo.object_hash(), gix::objs::Kind::Blob, &data)
            .map_err(|error| Error::git("cannot hash a file").caused_by(error))?;
        Ok(if id == entry.id {
            Verdict::Same
        } else {
            Verdict::Modified
        })
    }

    fn read(
        &self,
        directory: impl std::os::fd::AsFd,
        name: &[u8],
        kind: FileType,
        stat: &Stat,
    ) -> Result<Vec<u8>, Halt> {
        let shown = || self.worktree.join(name.to_os_str_lossy());
        if kind == FileType::Symlink {
            let target =
                rustix::fs::readlinkat(directory, name, Vec::new()).context("read", &shown())?;
            return Ok(target.into_bytes());
        }
        if stat.st_size as u64 > LARGEST {
            return Err(Halt::Doubt("a large file"));
        }
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(directory, name, flags, rustix::fs::Mode::empty())
            .context("read", &shown())?;
        let mut data = Vec::with_capacity(stat.st_size as usize + 1);
        File::from(file)
            .read_to_end(&mut data)
            .context("read", &shown())?;
        Ok(data)
    }

    /// What attributes could do to `path`: those outside the worktree and each `.gitattributes`
    /// above it.
    fn attributes(&self, path: &BStr) -> Result<Attributes, Halt> {
        let mut most = *self
            .shared
            .attributes
            .get_or_init(|| Attributes::outside(self.repo));
        let mut seen = self.seen.borrow_mut();
        let directories = std::iter::once(0).chain(path.find_iter(b"/").map(|slash| slash + 1));
        for end in directories {
            let directory = path[..end].as_bstr();
            let found = match seen.get(directory) {
                Some(found) => *found,
                None => {
                    let found = self.attributes_in(directory);
                    seen.insert(directory.into(), found);
                    found
                }
            };
            most = most.max(found);
        }
        Ok(most)
    }

    fn attributes_in(&self, directory: &BStr) -> Attributes {
        let mut path = BString::from(directory.as_bytes());
        path.extend_from_slice(b".gitattributes");
        let on_disk = self.worktree.join(path.to_os_str_lossy());
        match Attributes::of_file(&on_disk) {
            Some(found) => found,
            // git falls back to the index when the file is missing.
            None if self.index.state.entry_by_path(path.as_bstr()).is_some() => Attributes::Filters,
            None => Attributes::None,
        }
    }
}
