//! The walk over a worktree, one index directory after the other: each tracked file by fstatat,
//! each directory read once for names the index does not know. Large subtrees go to a queue when
//! several threads work on one worktree.

use std::collections::HashSet;
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use bstr::{BString, ByteSlice};
use gix::index::entry::{Flags, Mode};
use rustix::fs::{AtFlags, OFlags};
use rustix::io::Errno;

use super::staged::group_end;
use super::unknown::{Unknown, cannot_open, open_directory, read_names};
use super::{Depth, Halt, Index, Shared, Tally};
use crate::engines::status::file_content::{Comparer, Verdict};
use crate::error::{Error, IoContext, Result};

/// Subtrees with at least this many entries are worth a trip through the queue.
const WORTH_SHARING: usize = 256;

/// A directory to look at: its parent, the length of its name and slash in the path of its first
/// entry, its entries.
struct Task {
    parent: Arc<OwnedFd>,
    prefix: usize,
    entries: Range<usize>,
}

/// Tasks waiting, and how many are not finished yet.
#[derive(Default)]
struct Queue {
    tasks: Vec<Task>,
    unfinished: usize,
    halted: bool,
}

#[derive(Default)]
struct Board {
    queue: Mutex<Queue>,
    changed: Condvar,
}

impl Board {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn add(&self, task: Task) {
        let mut queue = self.lock();
        queue.tasks.push(task);
        queue.unfinished += 1;
        self.changed.notify_one();
    }

    fn take(&self) -> Option<Task> {
        let mut queue = self.lock();
        loop {
            if queue.halted || queue.unfinished == 0 {
                return None;
            }
            if let Some(task) = queue.tasks.pop() {
                return Some(task);
            }
            queue = self
                .changed
                .wait(queue)
                .unwrap_or_else(std::sync::PoisonError::into_inner);
        }
    }

    fn finished(&self, halted: bool) {
        let mut queue = self.lock();
        queue.unfinished -= 1;
        queue.halted |= halted;
        if queue.halted || queue.unfinished == 0 {
            self.changed.notify_all();
        }
    }
}

/// Compares all files of `worktree` with `index` and, at full depth, looks for unknown ones.
pub(super) fn scan(
    shared: &Shared<'_>,
    repo: &gix::Repository,
    worktree: &Path,
    index: &Index,
    threads: usize,
) -> Result<Tally, Halt> {
    let root = open_root(worktree)?;
    let mut walk = Walk::new(shared, repo, worktree, index);
    if threads < 2 || index.state.entries().len() < 2 * WORTH_SHARING {
        walk.directory(&Arc::new(root), 0, 0..index.state.entries().len())?;
        return Ok(walk.tally);
    }
    let board = Board::default();
    walk.board = Some(&board);
    board.lock().unfinished = 1;
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads)
            .map(|_| {
                scope.spawn(|| {
                    let repo = shared.repo.to_thread_local();
                    let mut walk = Walk::new(shared, &repo, worktree, index);
                    walk.board = Some(&board);
                    walk.work(&board).map(|()| walk.tally)
                })
            })
            .collect();
        let first = walk.directory(&Arc::new(root), 0, 0..index.state.entries().len());
        board.finished(first.is_err());
        let first = first.and_then(|()| walk.work(&board));
        let mut tally = std::mem::take(&mut walk.tally);
        let mut result = first;
        for other in others {
            match other.join().unwrap_or(Err(Halt::Doubt("a thread gave up"))) {
                Ok(more) => tally.absorb(more),
                Err(halt) => result = result.and(Err(halt)),
            }
        }
        result.map(|()| tally)
    })
}

/// The files `git status` would not look at because of assume-valid or skip-worktree, and which
/// differ; without those git has `counted` already.
pub(super) fn hidden(
    shared: &Shared<'_>,
    repo: &gix::Repository,
    worktree: &Path,
    index: &Index,
    counted: &HashSet<BString>,
) -> Result<Tally> {
    let flags = Flags::ASSUME_VALID | Flags::SKIP_WORKTREE;
    let paths = index.state.path_backing();
    let mut tally = Tally::default();
    let comparer = Comparer::new(shared, repo, worktree, index);
    let mut root = None;
    for entry in index
        .state
        .entries()
        .iter()
        .filter(|entry| entry.flags.intersects(flags))
    {
        let path = entry.path_in(paths);
        if counted.contains(path) || matches!(entry.mode, Mode::DIR | Mode::COMMIT) {
            continue;
        }
        let root = match &root {
            Some(root) => root,
            None => &*root.insert(open_root(worktree)?),
        };
        let code = match rustix::fs::statat(root, path.as_bytes(), AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => match comparer.compare(root, path, &stat, entry) {
                Ok(Verdict::Same) => continue,
                // Where only git could tell, and git does not look, the careful answer is the only
                // one.
                Ok(_) | Err(Halt::Doubt(_)) => b'M',
                Err(Halt::Failed(error)) => return Err(error),
            },
            Err(Errno::NOENT | Errno::NOTDIR) if entry.flags.contains(Flags::SKIP_WORKTREE) => {
                continue;
            }
            Err(_) => b'D',
        };
        tally.modified += 1;
        tally.note(path, [b' ', code]);
    }
    Ok(tally)
}

pub(super) fn open_root(worktree: &Path) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open(worktree, flags, rustix::fs::Mode::empty()).context("read", worktree)
}

/// One thread's walk.
struct Walk<'a> {
    shared: &'a Shared<'a>,
    worktree: &'a Path,
    index: &'a Index,
    comparer: Comparer<'a>,
    unknown: Unknown<'a>,
    board: Option<&'a Board>,
    known: Vec<&'a [u8]>,
    tally: Tally,
}

impl<'a> Walk<'a> {
    fn new(
        shared: &'a Shared<'a>,
        repo: &'a gix::Repository,
        worktree: &'a Path,
        index: &'a Index,
    ) -> Self {
        Walk {
            shared,
            worktree,
            index,
            comparer: Comparer::new(shared, repo, worktree, index),
            unknown: Unknown::new(shared, repo, worktree),
            board: None,
            known: Vec::new(),
            tally: Tally::default(),
        }
    }

    fn work(&mut self, board: &Board) -> Result<(), Halt> {
        while let Some(task) = board.take() {
            let result = self.subdirectory(&task.parent, task.prefix, task.entries);
            board.finished(result.is_err());
            result?;
        }
        Ok(())
    }

    fn path(&self, at: usize) -> &'a [u8] {
        self.index.state.entries()[at]
            .path_in(self.index.state.path_backing())
            .as_bytes()
    }

    /// Looks at the open `directory`, to which the first `prefix` bytes of the paths of `entries`
    /// lead.
    fn directory(
        &mut self,
        directory: &Arc<OwnedFd>,
        prefix: usize,
        entries: Range<usize>,
    ) -> Result<(), Halt> {
        let mut below = Vec::new();
        self.known.clear();
        let mut at = entries.start;
        while at < entries.end {
            let path = self.path(at);
            let rest = &path[prefix..];
            match rest.find_byte(b'/') {
                Some(slash) => {
                    let end = group_end(
                        &self.index.state,
                        at..entries.end,
                        &path[..prefix + slash + 1],
                    );
                    self.known.push(&rest[..slash]);
                    below.push((prefix + slash + 1, at..end));
                    at = end;
                }
                None => {
                    self.known.push(rest);
                    self.file(directory, rest, at)?;
                    at += 1;
                }
            }
        }
        if self.shared.depth != Depth::Tracked {
            let leading = if entries.is_empty() {
                &b""[..]
            } else {
                &self.path(entries.start)[..prefix]
            };
            self.unknown_names(directory, leading)?;
        }
        for (prefix, entries) in below {
            match self.board {
                Some(board) if entries.len() >= WORTH_SHARING => {
                    board.add(Task {
                        parent: directory.clone(),
                        prefix,
                        entries,
                    });
                }
                _ => self.subdirectory(directory, prefix, entries)?,
            }
        }
        Ok(())
    }

    fn subdirectory(
        &mut self,
        parent: &OwnedFd,
        prefix: usize,
        entries: Range<usize>,
    ) -> Result<(), Halt> {
        let path = &self.path(entries.start)[..prefix - 1];
        let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or(path);
        match open_directory(parent, name) {
            Ok(directory) => self.directory(&Arc::new(directory), prefix, entries),
            Err(Errno::NOENT) => {
                for at in entries {
                    self.missing(at);
                }
                Ok(())
            }
            Err(error) => Err(cannot_open(
                error,
                &self.worktree.join(path.to_os_str_lossy()),
            )),
        }
    }

    fn file(&mut self, directory: &OwnedFd, name: &[u8], at: usize) -> Result<(), Halt> {
        let entry = &self.index.state.entries()[at];
        let stat = match rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(Errno::NOENT) => {
                self.missing(at);
                return Ok(());
            }
            Err(error) => {
                return Err(Err::<(), _>(error)
                    .context("read", self.worktree)
                    .unwrap_err()
                    .into());
            }
        };
        if entry.mode == Mode::COMMIT {
            return self.submodule(directory, name);
        }
        let code = match self.comparer.compare(directory, name, &stat, entry)? {
            Verdict::Same => return Ok(()),
            Verdict::Modified => b'M',
            Verdict::TypeChanged => b'T',
        };
        self.tally.modified += 1;
        self.tally.note(self.path(at), [b' ', code]);
        Ok(())
    }

    /// The file of an entry is not there. In a sparse checkout that is how it should be.
    fn missing(&mut self, at: usize) {
        if !self.index.state.entries()[at]
            .flags
            .contains(Flags::SKIP_WORKTREE)
        {
            self.tally.modified += 1;
            self.tally.note(self.path(at), [b' ', b'D']);
        }
    }

    /// A submodule that was never checked out is an empty directory; any other can hide work, and
    /// git knows how.
    fn submodule(&mut self, parent: &OwnedFd, name: &[u8]) -> Result<(), Halt> {
        let doubt = Halt::Doubt("a submodule");
        let Ok(directory) = open_directory(parent, name) else {
            return Err(doubt);
        };
        let mut empty = true;
        match read_names(&directory, |_, _| empty = false) {
            Ok(()) if empty => Ok(()),
            _ => Err(doubt),
        }
    }

    fn unknown_names(&mut self, directory: &OwnedFd, leading: &[u8]) -> Result<(), Halt> {
        self.known.sort_unstable();
        let mut unknown = Vec::new();
        read_names(directory, |name, kind| {
            if self.known.binary_search(&name).is_err() {
                unknown.push((BString::from(name), kind));
            }
        })
        .context("read", &self.worktree.join(leading.to_os_str_lossy()))?;
        for (name, kind) in unknown {
            if name == ".git" {
                if leading.is_empty() {
                    continue;
                }
                return Err(Halt::Doubt("a repository around tracked files"));
            }
            let mut path = leading.to_vec();
            path.extend_from_slice(&name);
            if self.unknown.is_untracked(directory, &name, kind, &path)? {
                if kind == rustix::fs::FileType::Directory {
                    path.push(b'/');
                }
                self.tally.untracked += 1;
                self.tally.note(&path, *b"??");
            }
        }
        Ok(())
    }
}

impl From<Halt> for Error {
    fn from(halt: Halt) -> Self {
        match halt {
            Halt::Failed(error) => error,
            Halt::Doubt(reason) => Error::git(format!("cannot judge a worktree: {reason}")),
        }
    }
}
