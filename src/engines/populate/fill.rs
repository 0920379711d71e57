//! Writes the files of a plan, on all cores, and notes the stat data of each for the index.

use std::{
    path::Path,
    slice::ChunksMut,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use gix::{
    bstr::{BStr, ByteSlice as _},
    index::entry::stat::Time,
    objs::tree::EntryKind,
    prelude::FindExt as _,
};
use rustix::{
    fd::{BorrowedFd, OwnedFd},
    fs::{
        AtFlags, Mode, OFlags, Timespec, Timestamps, fstat, futimens, mkdirat, openat, statat,
        symlinkat, unlinkat,
    },
};

use super::copy::write_all;
use super::directories::Directories;
use super::objects::{Objects, Reader};
use super::tree::{Entry, Origin, Plan};
use super::{Request, Source, copy, stop_if_interrupted};
use crate::engines::platform::cloned;
use crate::engines::populate::copy_source;
use crate::engines::populate::unsupported::Proof;
use crate::error::{Error, IoContext as _, Result};
use crate::store::file_id::index_stat;
use crate::store::parallel;

/// Entries a thread takes at a time: few enough to share the end fairly, enough to stay in one
/// directory.
const CHUNK: usize = 128;

/// A buffer that grew beyond this for one big blob is given back.
const KEPT_BUFFER: usize = 4 << 20;

/// The newest modification time a file may get.
///
/// Git compares whole seconds and reads every file again that is as young as the index ("racy
/// git"), so a worktree made within a second costs the next `git status` a second reading of all of
/// it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Backdated(Timespec);

impl Backdated {
    pub(super) fn two_seconds_ago() -> Self {
        let then = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let then = then.saturating_sub(Duration::from_secs(2));
        let (secs, nsecs) = (
            i64::try_from(then.as_secs()).unwrap_or(0),
            i64::from(then.subsec_nanos()),
        );
        Backdated(Timespec {
            tv_sec: secs,
            tv_nsec: nsecs as _,
        })
    }

    /// The times for a new file whose content was last modified then (`None`: now). The access time
    /// stays.
    fn times(self, source: Option<Time>) -> Timestamps {
        let omit = Timespec {
            tv_sec: 0,
            tv_nsec: rustix::fs::UTIME_OMIT,
        };
        let mut modified = self.0;
        if let Some(source) = source {
            let of_source = (i64::from(source.secs), i64::from(source.nsecs));
            #[allow(
                clippy::unnecessary_cast,
                reason = "the types differ between platforms"
            )]
            if of_source < (modified.tv_sec, modified.tv_nsec as i64) {
                modified = Timespec {
                    tv_sec: of_source.0,
                    tv_nsec: of_source.1 as _,
                };
            }
        }
        Timestamps {
            last_access: omit,
            last_modification: modified,
        }
    }
}

/// What a file's time must be, and how a copy is shown to be the blob.
#[derive(Clone, Copy)]
pub(super) struct Care {
    pub(super) backdated: Backdated,
    pub(super) proof: Proof,
}

/// Up to this size the content is compared sooner than the blob's size is found.
const SOONER: u64 = 1024;

/// Of so many bytes a thread compares the content even where the size is proof enough: all of a
/// small repository.
const LOOKED_AT: u64 = 1 << 20;

/// Writes everything but the entries left to git; returns how many files were copied.
pub(super) fn fill(
    request: &Request<'_>,
    objects: &Objects,
    plan: &mut Plan,
    care: Care,
    progress: &(dyn Fn(usize, usize) + Sync),
    interrupt: &AtomicBool,
) -> Result<usize> {
    let total = plan.entries.len();
    let threads = match total.div_ceil(CHUNK) {
        0 | 1 => 1,
        most => parallel::cores().min(most),
    };
    let number = |entry: &Entry| match entry.origin {
        Origin::Source(number) => Some(usize::from(number) + 1),
        _ => None,
    };
    // Often the first has everything.
    let used = plan
        .entries
        .iter()
        .filter_map(number)
        .max()
        .unwrap_or(0)
        .min(request.sources.len());
    let job = Job {
        directory: request.directory,
        sources: &request.sources[..used],
        hash: request.repo.object_hash(),
        proof: care.proof,
        backdated: care.backdated,
        paths: &plan.paths,
        chunks: Mutex::new(plan.entries.chunks_mut(CHUNK)),
        stop: AtomicBool::new(false),
        done: AtomicUsize::new(0),
        total,
        progress,
        interrupt,
    };
    std::thread::scope(|scope| {
        let work = || Worker::new(&job, objects.reader())?.run();
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut copied = work();
        for other in others {
            let theirs = other
                .join()
                .unwrap_or_else(|_| Err(Error::git("a thread that writes files panicked")));
            copied = copied.and_then(|sum| Ok(sum + theirs?));
        }
        copied
    })
}

struct Job<'a> {
    directory: &'a Path,
    sources: &'a [Source],
    hash: gix::hash::Kind,
    proof: Proof,
    backdated: Backdated,
    paths: &'a [u8],
    chunks: Mutex<ChunksMut<'a, Entry>>,
    /// Set when one thread failed.
    stop: AtomicBool,
    done: AtomicUsize,
    total: usize,
    progress: &'a (dyn Fn(usize, usize) + Sync),
    interrupt: &'a AtomicBool,
}

struct Worker<'a> {
    job: &'a Job<'a>,
    objects: Reader<'a>,
    target: Target<'a>,
    /// `None` for a source that cannot be opened.
    sources: Vec<Option<Directories>>,
    /// For blobs.
    buffer: Vec<u8>,
    /// For copies.
    scratch: Vec<u8>,
    copied: usize,
    /// How many bytes of copies are still to be compared with their blobs.
    to_look_at: u64,
}

impl<'a> Worker<'a> {
    fn new(job: &'a Job<'a>, objects: Reader<'a>) -> Result<Self> {
        let below = Directories::below(job.directory).context("open", job.directory)?;
        let sources = job
            .sources
            .iter()
            .map(|source| Directories::below(&source.directory).ok())
            .collect();
        let to_look_at = if job.proof == Proof::Content {
            u64::MAX
        } else {
            LOOKED_AT
        };
        Ok(Worker {
            job,
            objects,
            target: Target { job, below },
            sources,
            buffer: Vec::new(),
            scratch: Vec::new(),
            copied: 0,
            to_look_at,
        })
    }

    fn run(mut self) -> Result<usize> {
        loop {
            let chunk = self
                .job
                .chunks
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .next();
            let Some(chunk) = chunk else { break };
            for entry in &mut *chunk {
                if self.job.stop.load(Ordering::Relaxed) {
                    return Ok(self.copied);
                }
                let written =
                    stop_if_interrupted(self.job.interrupt).and_then(|()| self.write(entry));
                if let Err(error) = written {
                    self.job.stop.store(true, Ordering::Relaxed);
                    return Err(error);
                }
            }
            let done = self.job.done.fetch_add(chunk.len(), Ordering::Relaxed) + chunk.len();
            (self.job.progress)(done, self.job.total);
        }
        Ok(self.copied)
    }

    fn write(&mut self, entry: &mut Entry) -> Result<()> {
        match (entry.kind, entry.origin) {
            (_, Origin::Git | Origin::InPlace) | (EntryKind::Tree, _) => Ok(()),
            (EntryKind::Commit, _) => self.make_submodule(entry),
            (EntryKind::Link, _) => self.make_link(entry),
            (EntryKind::Blob | EntryKind::BlobExecutable, Origin::Source(number)) => {
                if self.copy(entry, usize::from(number))? {
                    self.copied += 1;
                    Ok(())
                } else {
                    self.write_blob(entry)
                }
            }
            (EntryKind::Blob | EntryKind::BlobExecutable, Origin::Objects) => {
                self.write_blob(entry)
            }
        }
    }

    /// False if the source's file is not what its index knows; then nothing is left behind.
    fn copy(&mut self, entry: &mut Entry, number: usize) -> Result<bool> {
        let size = u64::from(entry.stat.size);
        if size <= SOONER || size <= copy::SMALL as u64 && size <= self.to_look_at {
            self.to_look_at = self.to_look_at.saturating_sub(size);
            return self.copy_proven(entry, number);
        }
        let (directory, name) = entry.split(self.job.paths);
        let Some(Some(source)) = self.sources.get_mut(number) else {
            return Ok(false);
        };
        let Ok(source) = source.enter(directory) else {
            return Ok(false);
        };
        let Some((from, before)) = copy::open_settled(source, name, &entry.stat) else {
            return Ok(false);
        };
        self.objects.count(0);
        if !copy_source::has_size_of_blob(self.objects.repo(), entry.id, before.st_size) {
            return Ok(false);
        }
        let size = u64::try_from(before.st_size).unwrap_or(u64::MAX);
        if size <= self.to_look_at {
            self.to_look_at -= size;
            if !copy::is_blob(&from, size, entry.id, self.job.hash, &mut self.scratch) {
                return Ok(false);
            }
        }
        let mut to = self.target.file(entry)?;
        let copied = match cloned(&from, &to, self.target.directory(entry)?, name) {
            Some(clone) => {
                to = clone;
                copy::is_unchanged(&from, &before)
            }
            None => copy::copy(&from, &to, &before, &mut self.scratch, || ()),
        };
        if !copied.unwrap_or(false) {
            let removed = unlinkat(self.target.directory(entry)?, name, AtFlags::empty());
            context(removed, "remove", entry.path(self.job.paths))?;
            return Ok(false);
        }
        let source = index_stat(&before).mtime;
        self.target.finish(entry, &to, Some(source)).map(|()| true)
    }

    /// Copies a file that is read once and compared with its blob: no look at the file itself could
    /// say more.
    fn copy_proven(&mut self, entry: &mut Entry, number: usize) -> Result<bool> {
        let (directory, name) = entry.split(self.job.paths);
        let Some(Some(source)) = self.sources.get_mut(number) else {
            return Ok(false);
        };
        let Ok(source) = source.enter(directory) else {
            return Ok(false);
        };
        let Some(content) = copy::read_blob(
            source,
            name,
            entry.stat.size as usize,
            entry.id,
            &mut self.scratch,
        ) else {
            return Ok(false);
        };
        let source = entry.stat.mtime;
        self.target
            .write(entry, content, Some(source))
            .map(|()| true)
    }

    fn write_blob(&mut self, entry: &mut Entry) -> Result<()> {
        let content = blob(&mut self.objects, &mut self.buffer, entry, self.job.paths)?;
        self.target.write(entry, content, None)?;
        if self.buffer.capacity() > KEPT_BUFFER {
            self.buffer = Vec::new();
        }
        Ok(())
    }

    fn make_link(&mut self, entry: &mut Entry) -> Result<()> {
        let to = blob(&mut self.objects, &mut self.buffer, entry, self.job.paths)?;
        self.target.make(entry, |at, name| symlinkat(to, at, name))
    }

    /// An empty directory, as git leaves a submodule that is not initialised.
    fn make_submodule(&mut self, entry: &mut Entry) -> Result<()> {
        let mode = Mode::from_raw_mode(0o777);
        self.target.make(entry, |at, name| mkdirat(at, name, mode))
    }
}

fn blob<'a>(
    objects: &mut Reader<'_>,
    buffer: &'a mut Vec<u8>,
    entry: &Entry,
    paths: &[u8],
) -> Result<&'a [u8]> {
    let blob = objects.repo().objects.find_blob(&entry.id, buffer);
    let blob = blob.map_err(|error| unreadable(entry.path(paths), &error))?;
    objects.count(blob.data.len());
    Ok(blob.data)
}

/// The new worktree, as one thread writes it.
struct Target<'a> {
    job: &'a Job<'a>,
    below: Directories,
}

impl Target<'_> {
    /// An entry's directory, made where it is missing.
    fn directory(&mut self, entry: &Entry) -> Result<BorrowedFd<'_>> {
        let (directory, _) = entry.split(self.job.paths);
        let made = self.below.create(directory);
        context(made, "create the directory of", entry.path(self.job.paths))
    }

    /// Makes an entry's file.
    fn file(&mut self, entry: &Entry) -> Result<OwnedFd> {
        let (_, name) = entry.split(self.job.paths);
        let executable = entry.kind == EntryKind::BlobExecutable;
        let made = create(self.directory(entry)?, name, executable);
        context(made, "create", entry.path(self.job.paths))
    }

    /// Writes all of an entry's file; `source` is when that of another worktree was modified.
    fn write(&mut self, entry: &mut Entry, content: &[u8], source: Option<Time>) -> Result<()> {
        let file = self.file(entry)?;
        let written = write_all(&file, content);
        context(written, "write", entry.path(self.job.paths))?;
        self.finish(entry, &file, source)
    }

    fn finish(&self, entry: &mut Entry, file: &OwnedFd, source: Option<Time>) -> Result<()> {
        let dated = futimens(file, &self.job.backdated.times(source)).and_then(|()| fstat(file));
        let dated = context(dated, "set the time of", entry.path(self.job.paths))?;
        entry.stat = index_stat(&dated);
        Ok(())
    }

    /// Makes what is no file.
    fn make(
        &mut self,
        entry: &mut Entry,
        make: impl FnOnce(BorrowedFd<'_>, &[u8]) -> rustix::io::Result<()>,
    ) -> Result<()> {
        let paths = self.job.paths;
        let (path, (_, name)) = (entry.path(paths), entry.split(paths));
        let backdated = self.job.backdated;
        let at = self.directory(entry)?;
        context(make(at, name), "create", path)?;
        let dated = finish_unopened(at, name, backdated);
        entry.stat = context(dated, "set the time of", path)?;
        Ok(())
    }
}

fn finish_unopened(
    at: BorrowedFd<'_>,
    name: &[u8],
    backdated: Backdated,
) -> rustix::io::Result<gix::index::entry::Stat> {
    rustix::fs::utimensat(at, name, &backdated.times(None), AtFlags::SYMLINK_NOFOLLOW)?;
    Ok(index_stat(&statat(at, name, AtFlags::SYMLINK_NOFOLLOW)?))
}

/// Backdates and records the files that git wrote.
pub(super) fn record_converted(
    request: &Request<'_>,
    plan: &mut Plan,
    backdated: Backdated,
) -> Result<()> {
    let mut target = Directories::below(request.directory).context("open", request.directory)?;
    let Plan { paths, entries, .. } = plan;
    for entry in entries
        .iter_mut()
        .filter(|entry| entry.origin == Origin::Git)
    {
        let (directory, name) = entry.split(paths);
        let stat = target
            .enter(directory)
            .and_then(|at| finish_unopened(at, name, backdated));
        entry.stat = context(stat, "find", entry.path(paths))?;
    }
    Ok(())
}

/// Makes a new file with the permissions git gives it: all that the umask allows.
fn create(at: BorrowedFd<'_>, name: &[u8], executable: bool) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(
        at,
        name,
        flags,
        Mode::from_raw_mode(if executable { 0o777 } else { 0o666 }),
    )
}

fn context<T>(result: rustix::io::Result<T>, tried: &str, path: &BStr) -> Result<T> {
    result.context(tried, path.to_path_lossy().as_ref())
}

fn unreadable(path: &BStr, error: &gix::Error) -> Error {
    Error::git(format!("cannot read the content of '{path}'"))
        .caused_by(error.to_string())
        .hint("`git fsck` tells what is missing from the repository")
}
