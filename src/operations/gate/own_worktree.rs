//! The worktree of git-lane's own in which the commands of a gate, or the repository's hooks, run.
//!
//! Its path stays the same from run to run. `git worktree list` does not show it, and it keeps no
//! branch from being checked out: its git directory is not among those of the repository's worktrees.
//! Tracked files are exact for each run; ignored ones stay, as a build's output. One process at a
//! time has it, as long as the lock is held, which commands that it starts can hold on to.
//!
//! A crash needs no recovery: each preparation looks at everything. Called by the gate, by landings
//! for their hooks, and by `commands/check`.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bstr::BString;

use super::ignored_links;
use super::preparation::{self, Preparation};
use super::slot_layout::Layout;
use crate::domain::lane::{ObjectId, Worktree};
use crate::domain::name::BranchName;
use crate::domain::shell_word::quote;
use crate::error::{Code, Error, IoContext, Result};
use crate::repository::Repository;
use crate::repository::refs::RefChange;
pub use crate::repository::slot_place::Slot;
use crate::store::command_run::end_left_group;
use crate::store::file_id::FileId;
use crate::store::{lane_files, retry, signals};

/// How often another process's hold of the slot is looked at, at first and later.
const PAUSES: [Duration; 2] = [Duration::from_millis(2), Duration::from_millis(100)];

const REASON: &str = "lane: keep what a gate tests";

/// Held until it is dropped, and until the last command has ended that has
/// [`lock_file`](Self::lock_file).
#[derive(Debug)]
pub struct OwnWorktree {
    slot: Slot,
    layout: Layout,
    lock: File,
    put: Option<Put>,
}

/// What a preparation has put there.
#[derive(Debug)]
struct Put {
    tree: ObjectId,
    head: Head,
}

/// What HEAD is to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Head {
    /// At a commit, on no branch.
    Detached(ObjectId),
    /// On that branch.
    On(BranchName),
}

/// A landing as the hooks are to see it.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// The branch it lands on.
    pub base: &'a BranchName,
    /// The commit it lands upon: the branch's tip, or one that is to become it.
    pub head: ObjectId,
    /// What comes out.
    pub tree: ObjectId,
    /// How far git is.
    pub moment: Moment<'a>,
}

/// What git has written by the time it calls a hook; measured with git 2.39 and 2.47.
#[derive(Debug, Clone, Copy)]
pub enum Moment<'a> {
    /// `git merge` calls pre-merge-commit: there is no MERGE_HEAD yet.
    Merged,
    /// `git merge` calls prepare-commit-msg, then commit-msg.
    Message {
        /// The commit that is merged.
        theirs: ObjectId,
        /// Whether `--no-ff` was given.
        no_ff: bool,
        /// What MERGE_MSG says.
        message: &'a [u8],
    },
    /// `git commit` after `git merge --squash` calls pre-commit and those that follow.
    Squashed {
        /// What SQUASH_MSG says.
        message: &'a [u8],
    },
}

impl OwnWorktree {
    /// Takes hold of a slot of the repository; `while_waiting` is called now and then while another
    /// process has it.
    ///
    /// # Errors
    /// Code `busy` where it still has it after `patience`, and of kind interrupted where a signal
    /// comes.
    pub fn take(
        repository: &Repository,
        slot: Slot,
        patience: Duration,
        while_waiting: &mut dyn FnMut(),
    ) -> Result<Self> {
        let layout = Layout::make(repository.common_dir(), slot)?;
        let lock = lock(&layout, slot, patience, while_waiting)?;
        Ok(OwnWorktree {
            slot,
            layout,
            lock,
            put: None,
        })
    }

    /// The worktree.
    pub fn path(&self) -> &Path {
        &self.layout.tree
    }

    /// Its git directory.
    pub fn git_dir(&self) -> &Path {
        &self.layout.git_dir
    }

    /// The file that names the processes which a command has running there.
    pub fn group_record(&self) -> PathBuf {
        self.layout.group_record()
    }

    /// An empty file, open for reading, with which a command keeps hold of the slot.
    pub fn lock_file(&self) -> &File {
        &self.lock
    }

    /// Has the worktree be at `commit`: tracked files as git would write them, HEAD detached, no
    /// operation in progress, and nothing else there but what is ignored.
    pub fn check_out(&mut self, repository: &Repository, commit: ObjectId) -> Result<()> {
        let tree = tree_of(repository, commit)?;
        self.keep(repository, commit)?;
        self.prepare(repository, tree, Head::Detached(commit), &[])
    }

    /// Has the worktree look as git leaves it when it calls a hook: HEAD on the base where `head` is
    /// its tip, ORIG_HEAD, index and files of the result, and the files that tell of the merge.
    pub fn show_merge(&mut self, repository: &Repository, shown: &Shown<'_>) -> Result<()> {
        let head = match repository.branch_tip(shown.base)? == Some(shown.head) {
            true => Head::On(shown.base.clone()),
            false => Head::Detached(shown.head),
        };
        self.keep(repository, shown.tree)?;
        let refs = [("ORIG_HEAD", shown.head), ("AUTO_MERGE", shown.tree)];
        self.prepare(repository, shown.tree, head, &refs)?;
        self.show_moment(shown.moment)
    }

    /// The same worktree a moment later, with what hooks have made of it.
    pub fn show_moment(&self, moment: Moment<'_>) -> Result<()> {
        let root = self.layout.root()?;
        let write = |name: &str, content: &[u8]| {
            self.layout
                .write(&root, &format!("tree/.git/{name}"), content)
        };
        match moment {
            Moment::Merged => Ok(()),
            Moment::Message {
                theirs,
                no_ff,
                message,
            } => {
                write("MERGE_HEAD", format!("{theirs}\n").as_bytes())?;
                write("MERGE_MODE", if no_ff { b"no-ff" } else { b"" })?;
                write("MERGE_MSG", message)
            }
            Moment::Squashed { message } => write("SQUASH_MSG", message),
        }
    }

    /// Whether a git that ran there has taken HEAD to `commit`: the log of that begins with each
    /// preparation.
    pub fn has_made(&self, commit: ObjectId) -> bool {
        let log = lane_files::read(&self.layout.git_dir.join("logs/HEAD")).unwrap_or_default();
        let id = commit.to_string();
        let mut lines = log.split(|byte| *byte == b'\n');
        lines.any(|line| line.split(|byte| *byte == b' ').nth(1) == Some(id.as_bytes()))
    }

    /// Has a file of its git directory say a message; the path of the file.
    pub fn put_message(&self, name: &str, message: &[u8]) -> Result<PathBuf> {
        let root = self.layout.root()?;
        let path = format!("tree/.git/{name}");
        self.layout.write(&root, &path, message)?;
        Ok(self.layout.git_dir.join(name))
    }

    fn prepare(
        &mut self,
        repository: &Repository,
        tree: ObjectId,
        head: Head,
        refs: &[(&str, ObjectId)],
    ) -> Result<()> {
        self.put = None;
        self.ensure_held()?;
        ignored_links::remove(&self.layout)?;
        self.layout.put_right()?;
        let preparation = Preparation::new(repository, &self.layout);
        preparation.set_head(&head, refs)?;
        preparation.put(tree)?;
        self.put = Some(Put { tree, head });
        Ok(())
    }

    /// Tracked files that are not as they were put there, or that the index has otherwise; no more
    /// than some of them.
    ///
    /// # Errors
    /// Code `gate-worktree` where the worktree is gone, or HEAD is somewhere else.
    pub fn differing(&self, repository: &Repository) -> Result<Vec<BString>> {
        let put = self.put.as_ref().ok_or_else(|| self.lost("is not ready"))?;
        self.ensure_held()?;
        if !self.layout.is_whole() {
            return Err(self.lost("was damaged or removed by a command that ran there"));
        }
        let preparation = Preparation::new(repository, &self.layout);
        if !preparation.is_at(&put.head)? {
            return Err(self.lost("was taken to another commit by a command that ran there"));
        }
        preparation.differing(put.tree)
    }

    /// The tree of the index, which a hook may have changed.
    pub fn index_tree(&self, repository: &Repository) -> Result<ObjectId> {
        let put = self.put.as_ref().ok_or_else(|| self.lost("is not ready"))?;
        let links = ignored_links::made(&self.layout);
        Preparation::new(repository, &self.layout).index_tree(put.tree, &links)
    }

    /// Links what is ignored in the worktree at `site` and not here, so that hooks find it. The
    /// links stay until [`unlink_ignored`](Self::unlink_ignored), or the next preparation.
    pub fn link_ignored(&mut self, repository: &Repository, site: &Worktree) -> Result<()> {
        ignored_links::make(repository, &self.layout, site)
    }

    /// Removes those links that are still git-lane's.
    pub fn unlink_ignored(&mut self) -> Result<()> {
        ignored_links::remove(&self.layout)
    }

    /// Where the user has removed the slot, another process may hold one of the same name by now.
    fn ensure_held(&self) -> Result<()> {
        let there = FileId::of_name(&self.layout.lock());
        match there.is_some_and(|there| there.is_open(&self.lock)) {
            true => Ok(()),
            false => Err(self.lost("was removed")),
        }
    }

    fn lost(&self, what: &str) -> Error {
        let path = self.layout.tree.display();
        Error::refused(format!("git-lane's own worktree '{path}' {what}"))
            .with_code(Code::GateWorktree)
            .hint("run the command again: the worktree is put right each time")
    }

    /// Has the ref of the slot lead to what is about to be put there.
    fn keep(&self, repository: &Repository, wanted: ObjectId) -> Result<()> {
        let name = self.slot.keeper(repository.common_dir())?;
        // A process of the same user with another cache directory has this ref too.
        for last in [false, false, true] {
            let now = repository.ref_target(&name)?;
            if now == Some(wanted) {
                return Ok(());
            }
            let change = RefChange {
                name: name.clone(),
                from: now,
                to: Some(wanted),
            };
            match repository.change_refs(&[change], REASON) {
                Err(error) if !last && error.code() == Code::Raced => {}
                done => return done,
            }
        }
        Ok(())
    }
}

impl Drop for OwnWorktree {
    /// What a command has left outside of its group has the lock file open, and keeps it from nobody.
    fn drop(&mut self) {
        drop(self.lock.unlock());
    }
}

fn tree_of(repository: &Repository, commit: ObjectId) -> Result<ObjectId> {
    let tree = || {
        let found = repository.gix.find_commit(commit)?;
        found.tree_id().map(|id| id.detach())
    };
    let tree = retry::objects(&repository.gix, tree);
    tree.map_err(|error| preparation::unreadable("commit", commit).caused_by(error))
}

/// Waits for the lock of a slot; an empty regular file is there then.
fn lock(
    layout: &Layout,
    slot: Slot,
    patience: Duration,
    while_waiting: &mut dyn FnMut(),
) -> Result<File> {
    let (path, start) = (layout.lock(), Instant::now());
    let [mut pause, longest] = PAUSES;
    loop {
        let file = open_lock(layout, &path)?;
        match file.try_lock() {
            // Who held it may have removed it: the next to come would lock another file.
            Ok(()) if FileId::of_name(&path).is_some_and(|there| there.is_open(&file)) => {
                return Ok(file);
            }
            Ok(()) => continue,
            Err(TryLockError::WouldBlock) if start.elapsed() < patience => {}
            Err(TryLockError::WouldBlock) => {
                let what = match slot {
                    Slot::Gate => "a gate",
                    Slot::Hooks => "hooks of a landing",
                };
                let text = format!(
                    "another git-lane command, or what it started, runs {what} in '{}'",
                    layout.tree.display()
                );
                return Err(Error::environment(text).with_code(Code::Busy).hint(format!(
                    "see who holds it with: fuser {}",
                    quote(path.display())
                )));
            }
            Err(TryLockError::Error(error)) => return Err(error).context("lock", &path),
        }
        signals::ensure_none()?;
        // What a killed git-lane has left running holds the lock in its place.
        end_left_group(&layout.group_record(), Some(&file))?;
        while_waiting();
        std::thread::sleep(pause);
        pause = (pause * 2).min(longest);
    }
}

fn open_lock(layout: &Layout, path: &Path) -> Result<File> {
    match lane_files::open_read(path) {
        Ok(file) if file.metadata().is_ok_and(|found| found.len() == 0) => return Ok(file),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        // It is none that git-lane has made.
        _ => layout.clear("lock")?,
    }
    match new_lock(path) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        made => made.context("create", path)?,
    }
    lane_files::open_read(path).context("open", path)
}

fn new_lock(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    options.open(path).map(drop)
}
