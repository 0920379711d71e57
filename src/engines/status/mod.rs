//! What is in a worktree: staged, modified, untracked and conflicted paths, and the operation in
//! progress.
//!
//! Most worktrees are proved clean, or counted, inside this process (`scan`, `staged`,
//! `file_content`). At the first doubt the question goes to a child `git status` (`porcelain`) with
//! everything pinned that user config could use to hide work. An error is an error, never "clean".
//! Called by list, finish, drop, prune and the settled check.

mod as_put;
mod at_path;
mod file_content;
mod index_only;
mod porcelain;
mod scan;
mod staged;
mod uncommitted;
mod unknown;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::OnceLock;

use bstr::{BString, ByteSlice};
use gix::index::entry::{Flags, Mode};

use crate::engines::status::file_content::Attributes;
use crate::error::{Error, IoContext, Result};
use crate::store::git::Git;
use crate::store::git::settings;
use crate::store::{parallel, retry};

pub use as_put::{Apart, Closeness, apart};
pub use at_path::surely_as_in;
pub use index_only::{has_unmerged, of_index};
#[doc(hidden)]
pub use porcelain::understands;
pub use porcelain::{changed, ignored, records};
pub use uncommitted::{Uncommitted, uncommitted};
pub(crate) use unknown::{open_directory, read_names};

/// How many paths a [`WorktreeStatus`] names.
const SAMPLES: usize = 10;

/// How hard to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Only paths the index knows.
    Tracked,
    /// Untracked files too, directories collapsed as `git status` does by default.
    Full,
    /// Like `Full`, for a worktree that may be taken away: where something is ignored, git says
    /// what.
    Removal,
    /// Like `Full`, for a repository that may have come from anywhere: no program is started that
    /// its own settings name, and its submodules are not gone into.
    Foreign,
}

pub use crate::domain::status::{Operation, WorktreeStatus};

/// Why the in-process look stops.
enum Halt {
    /// Something this code does not understand well enough; git is asked. The reason is for readers
    /// and debuggers.
    Doubt(#[allow(dead_code)] &'static str),
    /// It cannot be known.
    Failed(Error),
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Halt::Failed(error)
    }
}

/// Counts and samples while they are gathered; several of them can be merged.
#[derive(Default)]
struct Tally {
    staged: usize,
    modified: usize,
    untracked: usize,
    conflicted: usize,
    samples: BTreeMap<BString, [u8; 2]>,
}

impl Tally {
    fn note(&mut self, path: &[u8], code: [u8; 2]) {
        if self.samples.len() >= SAMPLES
            && self
                .samples
                .last_key_value()
                .is_some_and(|(last, _)| last.as_slice() < path)
        {
            return;
        }
        let slot = self.samples.entry(path.into()).or_insert(*b"  ");
        for (old, new) in slot.iter_mut().zip(code) {
            if new != b' ' {
                *old = new;
            }
        }
        if self.samples.len() > SAMPLES {
            self.samples.pop_last();
        }
    }

    fn absorb(&mut self, other: Tally) {
        self.staged += other.staged;
        self.modified += other.modified;
        self.untracked += other.untracked;
        self.conflicted += other.conflicted;
        for (path, code) in other.samples {
            self.note(&path, code);
        }
    }

    fn finish(self, operation: Option<Operation>) -> WorktreeStatus {
        let line = |(path, code): (BString, [u8; 2])| {
            let mut line = BString::from(code.as_slice());
            line.push(b' ');
            line.extend_from_slice(&path);
            line
        };
        WorktreeStatus {
            staged: self.staged,
            modified: self.modified,
            untracked: self.untracked,
            conflicted: self.conflicted,
            operation,
            samples: self.samples.into_iter().map(line).collect(),
            is_complete: false,
        }
    }
}

/// What all worktrees of one call share.
struct Shared<'a> {
    repo: gix::ThreadSafeRepository,
    git: &'a Git,
    depth: Depth,
    /// The repository as a whole is one this process can judge (no folded case, …).
    understood: bool,
    /// Its refs are files, so that this process can read HEAD.
    refs_in_files: bool,
    file_mode: bool,
    attributes: OnceLock<Attributes>,
    excludes: OnceLock<Option<gix::worktree::stack::State>>,
}

/// Statuses of many worktrees of `repo`, each given as (worktree directory, its admin git
/// directory), in their order.
///
/// Works in parallel over worktrees, and inside one only when there are fewer worktrees than cores.
pub fn statuses(
    repo: &gix::Repository,
    worktrees: &[(&Path, &Path)],
    git: &Git,
    depth: Depth,
) -> Vec<Result<WorktreeStatus>> {
    if worktrees.is_empty() {
        return Vec::new();
    }
    let shared = Shared::new(repo, git, depth);
    let inner = parallel::cores() / parallel::cores().min(worktrees.len());
    let statuses = parallel::map(
        worktrees,
        || shared.repo.to_thread_local(),
        |repo, (worktree, admin)| shared.status(repo, worktree, admin, inner),
    );
    let lost = || Err(Error::git("cannot read the status of a worktree"));
    let statuses = statuses.into_iter();
    statuses.map(|status| status.unwrap_or_else(lost)).collect()
}

impl<'a> Shared<'a> {
    fn new(repo: &gix::Repository, git: &'a Git, depth: Depth) -> Self {
        let config = repo.config_snapshot();
        let is = |key: &str, default: bool| {
            config
                .try_boolean(key)
                .ok()
                .map(|value| value.unwrap_or(default))
        };
        let refs_in_files = config
            .string("extensions.refStorage")
            .is_none_or(|storage| storage.as_slice() == b"files");
        let understood = is("core.ignoreCase", false) == Some(false)
            && is("core.precomposeUnicode", false) == Some(false)
            && is("core.symlinks", true) == Some(true)
            && is("core.fileMode", true).is_some()
            // Attributes of a tree: git knows which, and from which version on.
            && config.string("attr.tree").is_none()
            && std::env::var_os("GIT_ATTR_SOURCE").is_none();
        Shared {
            git,
            depth,
            understood,
            refs_in_files,
            file_mode: is("core.fileMode", true).unwrap_or(true),
            attributes: OnceLock::new(),
            excludes: OnceLock::new(),
            repo: repo.clone().into_sync(),
        }
    }

    /// By the settings git has in that worktree.
    fn status(
        &self,
        repo: &gix::Repository,
        worktree: &Path,
        admin: &Path,
        threads: usize,
    ) -> Result<WorktreeStatus> {
        match settings::as_in(repo, worktree, admin)? {
            Cow::Borrowed(repo) => self.look(repo, worktree, admin, threads),
            Cow::Owned(own) => {
                Shared::new(&own, self.git, self.depth).look(&own, worktree, admin, threads)
            }
        }
    }

    fn look(
        &self,
        repo: &gix::Repository,
        worktree: &Path,
        admin: &Path,
        threads: usize,
    ) -> Result<WorktreeStatus> {
        let operation = operation(admin);
        match retry::objects(repo, || self.in_process(repo, worktree, admin, threads)) {
            Ok(tally) => {
                let status = tally.finish(operation);
                // Of an untracked directory only as much was read as shows that it is one.
                let is_complete = self.depth == Depth::Removal && status.untracked == 0;
                Ok(WorktreeStatus {
                    is_complete,
                    ..status
                })
            }
            Err(Halt::Failed(error)) => Err(error),
            Err(Halt::Doubt(_)) => {
                let (mut tally, modified) = porcelain::ask(self.git, worktree, admin, self.depth)?;
                // `git status` believes assume-valid and skip-worktree; a removal of files must
                // not. An index this process cannot read, or none yet, hides nothing it could find.
                if let Ok(index) = Index::read(repo.object_hash(), admin) {
                    tally.absorb(scan::hidden(self, repo, worktree, &index, &modified)?);
                }
                Ok(tally.finish(operation))
            }
        }
    }

    fn in_process(
        &self,
        repo: &gix::Repository,
        worktree: &Path,
        admin: &Path,
        threads: usize,
    ) -> Result<Tally, Halt> {
        if !self.understood || !self.refs_in_files {
            return Err(Halt::Doubt("settings"));
        }
        let head = staged::head_tree(repo, admin)?;
        let index = Index::read(repo.object_hash(), admin)?;
        if !index.is_plain() {
            return Err(Halt::Doubt("index"));
        }
        let mut tally = staged::count(repo, &head, &index.state)?;
        tally.absorb(scan::scan(self, repo, worktree, &index, threads)?);
        Ok(tally)
    }
}

/// An index file as it was at one moment.
struct Index {
    state: gix::index::State,
    /// When the file was written: entries at least as young as this are racy.
    written: (i64, u32),
}

impl Index {
    fn read(hash: gix::hash::Kind, admin: &Path) -> Result<Index, Halt> {
        Self::read_file(hash, &admin.join("index"))
    }

    fn read_file(hash: gix::hash::Kind, path: &Path) -> Result<Index, Halt> {
        use std::os::unix::fs::MetadataExt;
        let mut file = File::open(path).context("read", path)?;
        let meta = file.metadata().context("read", path)?;
        let mut data = Vec::with_capacity(usize::try_from(meta.len()).unwrap_or(0) + 1);
        file.read_to_end(&mut data).context("read", path)?;
        let never = gix::index::State::new(hash).timestamp();
        let options = gix::index::decode::Options {
            thread_limit: Some(1),
            ..Default::default()
        };
        let (state, _) = gix::index::State::from_bytes(&data, never, hash, options)
            .map_err(|error| undecodable(hash, &data, path, error))?;
        Ok(Index {
            state,
            written: (
                meta.mtime(),
                u32::try_from(meta.mtime_nsec()).unwrap_or(u32::MAX),
            ),
        })
    }

    /// No conflicts, intent-to-add, split or sparse parts, and in order.
    fn is_plain(&self) -> bool {
        if self.state.link().is_some() || self.state.is_sparse() {
            return false;
        }
        let strange = Flags::STAGE_MASK | Flags::INTENT_TO_ADD;
        let paths = self.state.path_backing();
        let mut before: &[u8] = b"";
        for entry in self.state.entries() {
            let path = entry.path_in(paths).as_bytes();
            if path <= before || entry.flags.intersects(strange) || entry.mode == Mode::DIR {
                return false;
            }
            // The exclude stack reads a `.gitignore` from disk only.
            if entry.flags.contains(Flags::SKIP_WORKTREE) && path.ends_with(b".gitignore") {
                return false;
            }
            before = path;
        }
        true
    }
}

/// git verifies no checksum and reads past a truncation, so damage must be told from an extension
/// unknown to gix here.
fn undecodable(hash: gix::hash::Kind, data: &[u8], path: &Path, error: gix::Error) -> Halt {
    match is_whole(hash, data) {
        true => Halt::Doubt("the index cannot be decoded"),
        false => {
            Halt::Failed(Error::git(format!("'{}' is damaged", path.display())).caused_by(error))
        }
    }
}

/// Whether an index ends as it should: with the hash of all before, or zeros where `index.skipHash`
/// is set (gitformat-index(5)).
pub(crate) fn is_whole(hash: gix::hash::Kind, index: &[u8]) -> bool {
    let (content, end) = index.split_at(index.len().saturating_sub(hash.len_in_bytes()));
    let mut hasher = gix::hash::hasher(hash);
    hasher.update(content);
    !content.is_empty()
        && (end.iter().all(|byte| *byte == 0)
            || hasher.try_finalize().is_ok_and(|id| id.as_bytes() == end))
}

/// What git is in the middle of, by the files it keeps in the worktree's admin directory
/// (wt-status.c).
pub fn operation(admin_dir: &Path) -> Option<Operation> {
    let has = |name: &str| admin_dir.join(name).symlink_metadata().is_ok();
    if has("MERGE_HEAD") {
        Some(Operation::Merge)
    } else if has("rebase-merge") {
        Some(Operation::Rebase)
    } else if has("rebase-apply") {
        Some(if has("rebase-apply/applying") {
            Operation::Am
        } else {
            Operation::Rebase
        })
    } else if has("CHERRY_PICK_HEAD") {
        Some(Operation::CherryPick)
    } else if has("REVERT_HEAD") {
        Some(Operation::Revert)
    } else if has("sequencer") {
        Some(Operation::Sequence)
    } else if has("BISECT_LOG") {
        Some(Operation::Bisect)
    } else {
        None
    }
}
