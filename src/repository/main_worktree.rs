//! Where the main worktree is, as git finds it.
//!
//! A command that runs in it has found it: by a directory `.git`, a file (`git init
//! --separate-git-dir`) or a symbolic link, or was told by `GIT_WORK_TREE`. From a linked worktree
//! git goes by `core.worktree` and by the name of the common directory. Where neither says anything
//! the place is unknown, and the one thing that may not happen is that the branch there moves
//! without its files. A bare repository with an index is such a one: files are checked out from it
//! by commands that are told where (`git --work-tree`), and by those alone.

use std::path::{Path, PathBuf};

use super::alias::Loose;
use super::worktree;
use crate::domain::lane::{Head, Worktree, WorktreeState};
use crate::error::Result;
use crate::repository::find_worktree::leads_to;
use crate::repository::{RefFormat, Repository};
use crate::store::entries;
use crate::store::git::Invocation;

/// What a command was told of the worktree whose git directory it has found, or has found there.
#[derive(Debug, Default)]
pub(crate) struct Top {
    /// `GIT_WORK_TREE`, which stands above all that the repository says.
    pub(crate) told: Option<PathBuf>,
    /// Where the `.git` was that led there.
    pub(crate) found: Option<PathBuf>,
    /// `GIT_DIR` names the main git directory, from wherever that is: what is told is told of the
    /// main worktree.
    pub(crate) named: bool,
}

impl Top {
    /// What of it is about the main worktree, where the command has found, or not, the main git
    /// directory.
    pub(crate) fn of_main(self, here: bool) -> Self {
        match here {
            true => self,
            false => Top {
                told: self.told.filter(|_| self.named),
                ..Top::default()
            },
        }
    }
}

/// What is known about the main worktree's directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Known {
    /// It is this one, which may be gone.
    At(PathBuf),
    /// The repository is bare: there is none, unless it has an index.
    Bare {
        /// It has.
        index: bool,
    },
    /// There is one, somewhere.
    Somewhere,
}

impl Repository {
    /// The main worktree, or the bare repository's own entry.
    pub fn main_worktree(&self) -> Result<Worktree> {
        let (path, state) = self.main_site();
        let (head, alias) =
            Loose::of(self.common_dir()).resolved(worktree::read_head(self.common_dir()));
        let held = worktree::held(self.common_dir());
        Ok(Worktree {
            id: None,
            path,
            git_dir: self.common_dir().to_owned(),
            head,
            alias,
            held,
            locked: None,
            state,
        })
    }

    /// Where the main worktree is, and whether it is there; what is checked out is not looked at.
    pub fn main_site(&self) -> (PathBuf, WorktreeState) {
        match self.main_place() {
            Known::At(path) if path.is_dir() => (path.clone(), WorktreeState::Present),
            Known::At(path) => (path.clone(), WorktreeState::Missing),
            Known::Bare { index: false } => (self.common_dir().to_owned(), WorktreeState::Bare),
            Known::Bare { index: true } => {
                (self.common_dir().to_owned(), WorktreeState::BareWithIndex)
            }
            Known::Somewhere => (self.common_dir().to_owned(), WorktreeState::Unknown),
        }
    }

    /// The main worktree's directory, where it is there and known.
    pub fn main_directory(&self) -> Option<PathBuf> {
        match self.main_place() {
            Known::At(path) if path.is_dir() => Some(path.clone()),
            _ => None,
        }
    }

    /// Whether git calls the repository bare.
    pub fn is_bare(&self) -> bool {
        matches!(self.main_place(), Known::Bare { .. })
    }

    /// What the main worktree, or the bare repository, has as its HEAD.
    pub fn main_worktree_head(&self) -> Result<Head> {
        if self.ref_format() != RefFormat::Reftable {
            return Ok(worktree::resolved_head(
                self.common_dir(),
                self.common_dir(),
            ));
        }
        let mut main = [self.main_worktree()?];
        self.heads_from_git(&mut main)?;
        let [main] = main;
        Ok(main.head)
    }

    /// A git command as a user who stands in `directory` runs it, in a worktree or the repository
    /// itself. It names no repository, which hooks would inherit, where git finds this one; not
    /// everywhere is a `.git` that leads here.
    pub fn git_as_user_at(&self, directory: &Path) -> Invocation {
        let is_led_elsewhere =
            |main: &Path| main == directory && !leads_to(directory, self.common_dir());
        match self
            .main_directory()
            .is_some_and(|main| is_led_elsewhere(&main))
        {
            true => self.git.in_worktree(directory, self.common_dir()),
            false => self.git.at(directory),
        }
    }

    /// Looks for the main worktree at `directory`, where an earlier command has seen it.
    pub(crate) fn main_worktree_at(&self, directory: &Path) -> Result<Option<Worktree>> {
        let there = leads_to(directory, self.common_dir());
        let main = self.main_worktree()?;
        Ok(there.then(|| Worktree {
            path: directory.to_owned(),
            state: WorktreeState::Present,
            ..main
        }))
    }
}

impl Known {
    /// What the repository says, and who has found it.
    pub(crate) fn of(gix: &gix::Repository, common_dir: &Path, top: Top) -> Self {
        let real = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        if let Some(told) = top.told {
            return if is_linked(&told, common_dir) {
                Known::Somewhere
            } else {
                Known::At(real(&told))
            };
        }
        // git reads both from the repository's own file alone, without its includes.
        let own = |section: &gix::config::file::Metadata| {
            section.source.kind() == gix::config::source::Kind::Repository && section.level == 0
        };
        let config = gix.config_snapshot();
        let bare = config
            .plumbing()
            .boolean_filter("core.bare", own)
            .ok()
            .flatten();
        let has_index = || common_dir.join("index").exists();
        if bare == Some(true) {
            return Known::Bare { index: has_index() };
        }
        if let Some(path) = config.plumbing().string_filter("core.worktree", own) {
            return Known::At(real(&common_dir.join(crate::store::path(&path))));
        }
        if let Some(found) = top.found {
            return Known::At(real(&found));
        }
        match common_dir
            .parent()
            .filter(|_| common_dir.file_name().is_some_and(|name| name == ".git"))
        {
            // Where `.git` is a symbolic link to another directory of that name, nothing lies
            // beside that one.
            Some(parent) if has_files(parent) || !has_index() => Known::At(parent.to_owned()),
            // Only what was checked out once has an index.
            None if bare.is_none() && !has_index() => Known::Bare { index: false },
            _ => Known::Somewhere,
        }
    }
}

/// Whether `directory` holds anything besides its `.git`.
fn has_files(directory: &Path) -> bool {
    entries(directory).any(|entry| entry.file_name() != ".git")
}

/// Whether the directory is a linked worktree of this repository: a hook may have left its name in
/// `GIT_WORK_TREE`, and the files of the main worktree are not there.
fn is_linked(directory: &Path, common_dir: &Path) -> bool {
    let text = crate::store::optional::bytes(directory.join(".git")).unwrap_or_default();
    let named = crate::store::line(&text)
        .strip_prefix(b"gitdir:")
        .map(<[u8]>::trim_ascii_start);
    let git_dir = named
        .and_then(|named| std::fs::canonicalize(directory.join(crate::store::path(named))).ok());
    git_dir.is_some_and(|git_dir| git_dir.starts_with(common_dir.join("worktrees")))
}
