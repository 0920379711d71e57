//! The index of a worktree whose files are about to move: its lock, the copy that is prepared to
//! take its place, and what a death leaves of both. A landing ([`super::apply`]) and a switch
//! ([`crate::operations::switch`]) begin and end alike.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::domain::lane::{Head, Worktree, WorktreeState};
use crate::domain::name::BranchName;
use crate::domain::shell_word::quote;
use crate::error::{Code, Error, IoContext, Result};
use crate::repository::recovered::{Healed, Healing, Meanwhile, Unclear};
use crate::repository::unrecovered::is_half_moved;
use crate::repository::worktree::resolved_head;
use crate::repository::{RefFormat, Repository};
use crate::store::entries;
use crate::store::journal::Announce;
use crate::store::journal::{Journal, Running, unique_id};
use crate::store::lockfile::{LockFile, lock_path};

/// The index of a worktree, locked: nothing of git's own switches that worktree any more, or
/// commits there.
pub(crate) struct Locked<'a> {
    repository: &'a Repository,
    site: &'a Worktree,
    index: PathBuf,
    lock: LockFile,
}

impl<'a> Locked<'a> {
    /// Takes the lock; `None` where something else than `branch` is checked out by then.
    pub(crate) fn of(
        repository: &'a Repository,
        site: &'a Worktree,
        branch: &BranchName,
    ) -> Result<Option<Self>> {
        Self::where_head(repository, site, |head| head.branch() == Some(branch))
    }

    /// The same; `None` where HEAD says by then what `fits` does not like.
    pub(crate) fn where_head(
        repository: &'a Repository,
        site: &'a Worktree,
        fits: impl FnOnce(&Head) -> bool,
    ) -> Result<Option<Self>> {
        let index = site.git_dir.join("index");
        let lock = LockFile::acquire(&index, repository.lane_dir())?;
        let head = match repository.ref_format() {
            RefFormat::Files => resolved_head(&site.git_dir, repository.common_dir()),
            RefFormat::Reftable => repository.head_from_git(&site.git_dir)?,
        };
        Ok(fits(&head).then_some(Locked {
            repository,
            site,
            index,
            lock,
        }))
    }

    /// A copy to prepare. Copies are made under this lock only, so what others left is no longer
    /// needed.
    pub(crate) fn copy(&self) -> Result<Prepared> {
        let git_dir = &self.site.git_dir;
        remove_copies(git_dir, "lane-index-", Duration::ZERO);
        Prepared::copy(
            &self.index,
            git_dir.join(format!("lane-index-{}", unique_id())),
        )
    }

    /// What it looks like, for the intent.
    pub(crate) fn signature(&self) -> Option<(u64, i64, i64)> {
        index_signature(&self.index)
    }

    /// Announces the intent and does the work. An error of the work means that it is neither done
    /// nor undone.
    pub(crate) fn carry_out<T>(
        mut self,
        intent: &impl Announce,
        prepared: Prepared,
        what: &str,
        work: impl FnOnce(&Path, &LockFile) -> Result<Result<T>>,
    ) -> Result<T> {
        let id = unique_id();
        self.lock.belong_to(&id)?;
        let running = Journal::new(self.repository.lane_dir()).begin_as(&id, intent)?;
        // From here on the copy belongs to the intent: the command that has to complete or undo the
        // move needs it.
        let prepared = prepared.announced();
        match work(&prepared, &self.lock) {
            Ok(end) => {
                running.done()?;
                remove_prepared(&prepared);
                end
            }
            Err(error) => {
                // No git may write that index until the next command has healed this one; it can
                // tell that we are gone.
                self.lock.leave();
                Err(error.hint(format!(
                    "the next git-lane command completes or undoes the {what}"
                )))
            }
        }
    }
}

/// A copy of an index, beside it because a split index looks for its other half there; removed when
/// dropped, unless it was [`announced`](Self::announced).
pub(crate) struct Prepared {
    /// Where it is.
    pub(crate) path: PathBuf,
}

impl Prepared {
    pub(crate) fn copy(index: &Path, path: PathBuf) -> Result<Self> {
        let prepared = Prepared { path };
        if !index.exists() {
            return Ok(prepared);
        }
        std::fs::copy(index, &prepared.path).context("copy", index)?;
        // The index's own time tells git which entries may be racy; a younger copy would call them
        // clean.
        let time = std::fs::metadata(index)
            .and_then(|metadata| metadata.modified())
            .context("read", index)?;
        let copy = std::fs::File::options()
            .write(true)
            .open(&prepared.path)
            .context("open", &prepared.path)?;
        copy.set_modified(time).context("date", &prepared.path)?;
        Ok(prepared)
    }

    /// Its path; from now on it stays.
    fn announced(mut self) -> PathBuf {
        std::mem::take(&mut self.path)
    }
}

impl Drop for Prepared {
    fn drop(&mut self) {
        if !self.path.as_os_str().is_empty() {
            remove_prepared(&self.path);
        }
    }
}

/// A move that its process did not live to end: what it was, and where.
pub(crate) struct Halted<'a> {
    pub(crate) what: String,
    pub(crate) worktree: &'a Path,
    pub(crate) git_dir: &'a Path,
}

impl Halted<'_> {
    /// Completes or undoes it with `heal`, which is given the worktree, if that is still there, and
    /// the lock of its index; it says whether the move counts, and whether the index fits. The lock
    /// is held from the death of the process to the end of this, so the index is another one only
    /// where the user has removed the lock by hand.
    pub(crate) fn heal(
        self,
        repository: &Repository,
        running: &Running,
        heal: impl FnOnce(Option<(&Worktree, &LockFile)>) -> Result<(bool, bool)>,
    ) -> Result<Healing> {
        let Halted {
            what,
            worktree,
            git_dir,
        } = self;
        let found = repository
            .worktrees()?
            .into_iter()
            .find(|site| site.git_dir == git_dir);
        let main = found
            .as_ref()
            .filter(|site| site.id.is_none() && site.state != WorktreeState::Bare)
            .cloned();
        // The next command may run where nothing else says where the main worktree is.
        let site = match found {
            Some(site) if site.state == WorktreeState::Unknown => {
                repository.main_worktree_at(worktree)?
            }
            site => site,
        };
        let site = site.filter(|site| site.path == worktree && site.path.is_dir());
        if site.is_none() && main.is_some() && worktree.is_dir() {
            return Err(is_elsewhere(git_dir, worktree));
        }
        let take_over =
            || LockFile::take_over(&git_dir.join("index"), repository.lane_dir(), &running.id());
        let lock = site.as_ref().map(|_| take_over()).transpose()?;
        let healed = heal(site.as_ref().zip(lock.as_ref()));
        if let (Err(_), Some(lock)) = (&healed, lock) {
            // What could not be healed is still not to be written.
            lock.leave();
        }
        let (counts, fits) = healed?;
        Ok(match fits {
            true => Healing::Whole(Healed::new(what, counts)),
            false => Healing::Part(Unclear {
                what,
                counts,
                worktree: worktree.to_owned(),
                meanwhile: Meanwhile::IndexWritten,
            }),
        })
    }
}

/// The refusal to move an index without the files that it speaks of: where those are is the user's
/// to say, not the journal's.
fn is_elsewhere(git_dir: &Path, worktree: &Path) -> Error {
    let (git_dir, worktree) = (git_dir.display(), worktree.display());
    let hint = format!(
        "git --git-dir={} --work-tree={} lane doctor --fix",
        quote(git_dir),
        quote(&worktree)
    );
    Error::refused(format!(
        "nothing here says that its files are in '{worktree}'"
    ))
    .with_code(Code::MainWorktreeUnknown)
    .hint(format!("if they are: {hint}"))
}

/// Removes a copy, and the lock of a git that died with it.
pub(crate) fn remove_prepared(path: &Path) {
    drop(std::fs::remove_file(path));
    drop(std::fs::remove_file(lock_path(path)));
}

/// Removes the copies that dead processes left in `git_dir`.
pub(crate) fn remove_copies(git_dir: &Path, prefix: &str, older_than: Duration) {
    for entry in entries(git_dir) {
        let ours = entry
            .file_name()
            .as_encoded_bytes()
            .starts_with(prefix.as_bytes());
        let modified = entry
            .metadata()
            .and_then(|metadata| metadata.modified())
            .ok();
        let old = older_than.is_zero()
            || modified
                .and_then(|time| time.elapsed().ok())
                .is_some_and(|age| age > older_than);
        if ours && old {
            drop(std::fs::remove_file(entry.path()));
        }
    }
}

/// Removes the copies of indexes whose makers died before they announced what they were about to
/// do.
pub(crate) fn remove_left_copies(repository: &Repository) -> Result<()> {
    for site in repository.worktrees()? {
        let entries = entries(&site.git_dir);
        let ours = |name: &std::ffi::OsStr| name.as_encoded_bytes().starts_with(b"lane-index-");
        let copies: Vec<PathBuf> = entries
            .filter(|entry| ours(&entry.file_name()))
            .map(|entry| entry.path())
            .collect();
        // No command makes or needs one without holding that lock, except one that is still to be
        // healed; one made from now on is not among them.
        if !site.git_dir.join("index.lock").exists() && !is_half_moved(repository, &site.git_dir) {
            copies.iter().for_each(|copy| remove_prepared(copy));
        }
    }
    Ok(())
}

/// Length, and seconds and nanoseconds of the last change.
pub(crate) fn index_signature(index: &Path) -> Option<(u64, i64, i64)> {
    use std::os::unix::fs::MetadataExt;
    let metadata = std::fs::metadata(index).ok()?;
    Some((metadata.len(), metadata.mtime(), metadata.mtime_nsec()))
}
