//! What is no longer as it was put into a worktree of git-lane's own, by an index that no command in
//! there has seen.
//!
//! Unlike a status it names every path, goes into untracked directories for what is ignored in them,
//! and does not look at HEAD. Called by `operations/gate` before and after it has git write there.

use std::ops::Range;
use std::os::fd::OwnedFd;
use std::path::Path;

use bstr::{BString, ByteSlice};
use gix::index::entry::Mode;
use rustix::fs::{AtFlags, FileType};
use rustix::io::Errno;

use super::staged::group_end;
use super::unknown::{Unknown, cannot_open, kind_of, open_directory, read_names};
use super::{Depth, Halt, Index, Shared};
use crate::engines::status::file_content::{Comparer, Verdict};
use crate::error::{IoContext, Result};
use crate::store::file_id::index_stat;
use crate::store::git::Git;
use crate::store::git::settings;

/// When a file counts as the one that was put there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closeness {
    /// It is the very file, untouched.
    Untouched,
    /// The same, for files that were written a moment ago by the git that wrote the index.
    JustWritten,
    /// It has the content and the kind, whatever became of its times.
    Content,
}

/// What differs.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Apart {
    /// Tracked paths whose files are not as they were put.
    pub changed: Vec<BString>,
    /// What stands in the place of a tracked file or directory and is no such thing; a directory
    /// has a slash at its end.
    pub obstacles: Vec<BString>,
    /// What is neither tracked nor ignored, likewise.
    pub untracked: Vec<BString>,
    /// Directories with tracked files, each with a slash at its end, in which their owner may not
    /// look or write.
    pub closed: Vec<BString>,
}

impl Apart {
    /// Whether nothing differs.
    pub fn is_nothing(&self) -> bool {
        *self == Apart::default()
    }

    /// Whether no more than files differ.
    pub fn is_only_changed(&self) -> bool {
        self.obstacles.is_empty() && self.untracked.is_empty() && self.closed.is_empty()
    }
}

/// What differs between the files of `worktree`, whose git directory is `git_dir`, and `index`;
/// `None` where only git can tell. What is in submodules does not count.
pub fn apart(
    repo: &gix::Repository,
    git: &Git,
    (worktree, git_dir): (&Path, &Path),
    index: &Path,
    closeness: Closeness,
) -> Result<Option<Apart>> {
    let repo = settings::as_in(repo, worktree, git_dir)?;
    let shared = Shared::new(&repo, git, Depth::Full);
    if !shared.understood {
        return Ok(None);
    }
    let look = || {
        let mut index = Index::read_file(repo.object_hash(), index)?;
        if closeness == Closeness::JustWritten {
            index.written = (i64::MAX, u32::MAX);
        }
        look(&shared, &repo, worktree, &index, closeness)
    };
    match look() {
        Ok(found) => Ok(Some(found)),
        Err(Halt::Doubt(_)) => Ok(None),
        Err(Halt::Failed(error)) => Err(error),
    }
}

/// The same by an index that was read.
pub(super) fn look(
    shared: &Shared<'_>,
    repo: &gix::Repository,
    worktree: &Path,
    index: &Index,
    closeness: Closeness,
) -> Result<Apart, Halt> {
    if !index.is_plain() {
        return Err(Halt::Doubt("index"));
    }
    let root = super::scan::open_root(worktree)?;
    let mut walk = Walk {
        worktree,
        index,
        comparer: Comparer::new(shared, repo, worktree, index),
        unknown: Unknown::new(shared, repo, worktree),
        closeness,
        found: Apart::default(),
    };
    walk.directory(&root, 0, 0..index.state.entries().len())?;
    Ok(walk.found)
}

struct Walk<'a> {
    worktree: &'a Path,
    index: &'a Index,
    comparer: Comparer<'a>,
    unknown: Unknown<'a>,
    closeness: Closeness,
    found: Apart,
}

impl<'a> Walk<'a> {
    fn path(&self, at: usize) -> &'a [u8] {
        let entry = &self.index.state.entries()[at];
        entry.path_in(self.index.state.path_backing()).as_bytes()
    }

    /// Looks at the open `directory`, to which the first `prefix` bytes of the paths of `entries`
    /// lead.
    fn directory(
        &mut self,
        directory: &OwnedFd,
        prefix: usize,
        entries: Range<usize>,
    ) -> Result<(), Halt> {
        let leading = match entries.is_empty() {
            true => &b""[..],
            false => &self.path(entries.start)[..prefix],
        };
        let mode = rustix::fs::fstat(directory).context("read", self.worktree);
        if mode.map_err(Halt::Failed)?.st_mode & 0o700 != 0o700 {
            self.found.closed.push(leading.into());
        }
        let (mut known, mut below) = (Vec::new(), Vec::new());
        let mut at = entries.start;
        while at < entries.end {
            let path = self.path(at);
            let rest = &path[prefix..];
            let Some(slash) = rest.find_byte(b'/') else {
                known.push(rest);
                self.file(directory, rest, at)?;
                at += 1;
                continue;
            };
            let named = &path[..prefix + slash + 1];
            let end = group_end(&self.index.state, at..entries.end, named);
            known.push(&rest[..slash]);
            below.push((named, at..end));
            at = end;
        }
        self.unknown_names(directory, leading, known)?;
        for (named, entries) in below {
            self.subdirectory(directory, named, entries)?;
        }
        Ok(())
    }

    fn subdirectory(
        &mut self,
        parent: &OwnedFd,
        named: &[u8],
        entries: Range<usize>,
    ) -> Result<(), Halt> {
        let path = &named[..named.len() - 1];
        let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or(path);
        match open_directory(parent, name) {
            Ok(directory) => return self.directory(&directory, named.len(), entries),
            Err(Errno::NOENT) => {}
            Err(Errno::NOTDIR | Errno::LOOP) => self.found.obstacles.push(path.into()),
            Err(Errno::ACCESS) => self.found.closed.push(named.into()),
            Err(error) => {
                let place = self.worktree.join(path.to_os_str_lossy());
                return Err(cannot_open(error, &place));
            }
        }
        for at in entries {
            self.found.changed.push(self.path(at).into());
        }
        Ok(())
    }

    fn file(&mut self, directory: &OwnedFd, name: &[u8], at: usize) -> Result<(), Halt> {
        let (entry, path) = (&self.index.state.entries()[at], self.path(at));
        let stat = match rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(Errno::NOENT | Errno::ACCESS) => {
                self.found.changed.push(path.into());
                return Ok(());
            }
            Err(error) => {
                let failed = Err::<(), _>(error).context("read", self.worktree);
                return Err(failed.unwrap_err().into());
            }
        };
        let kind = FileType::from_raw_mode(stat.st_mode);
        if entry.mode == Mode::COMMIT && kind == FileType::Directory {
            return Ok(());
        }
        let fits = match kind {
            FileType::RegularFile | FileType::Symlink => entry.mode != Mode::COMMIT,
            _ => false,
        };
        if !fits {
            let mut obstacle = BString::from(path);
            obstacle.extend((kind == FileType::Directory).then_some(b'/'));
            self.found.obstacles.push(obstacle);
            self.found.changed.push(path.into());
            return Ok(());
        }
        let touched = index_stat(&stat) != entry.stat;
        let same = match self.closeness {
            Closeness::JustWritten => !touched,
            Closeness::Untouched if touched => false,
            Closeness::Untouched | Closeness::Content => {
                self.comparer.compare(directory, name, &stat, entry)? == Verdict::Same
            }
        };
        if !same {
            self.found.changed.push(path.into());
        }
        Ok(())
    }

    fn unknown_names(
        &mut self,
        directory: &OwnedFd,
        leading: &[u8],
        mut known: Vec<&[u8]>,
    ) -> Result<(), Halt> {
        known.sort_unstable();
        let mut unknown = Vec::new();
        read_names(directory, |name, kind| {
            if known.binary_search(&name).is_err() {
                unknown.push((BString::from(name), kind));
            }
        })
        .context("read", &self.worktree.join(leading.to_os_str_lossy()))?;
        for (name, kind) in unknown {
            let path = [leading, name.as_slice()].concat();
            if name == ".git" {
                // At the top it makes the worktree. Further down git passes over it, as a
                // repository around tracked files.
                self.found
                    .untracked
                    .extend((!leading.is_empty()).then(|| path.into()));
                continue;
            }
            let kind = kind_of(directory, &name, kind, self.worktree)?;
            let found = &mut self.found.untracked;
            self.unknown
                .list_untracked(directory, &name, kind, &path, found)?;
        }
        Ok(())
    }
}
