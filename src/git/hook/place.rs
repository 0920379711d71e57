//! Where a hook runs: the git directory, the common one, what HEAD says. Read from git's own files, nothing started.
//!
//! The layout is gitrepository-layout(5); which variables git sets for which hook was measured.

use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use bstr::{BStr, ByteSlice};

use crate::domain::guard::Lane;
use crate::domain::lane::Head;
use crate::domain::name::BranchName;
use crate::error::{Error, Result};
use crate::git::command::{Git, Invocation};
use crate::git::worktree::read_head;

/// The worktree a hook runs in.
#[derive(Debug, Clone)]
pub struct Place {
    /// Its git directory, as git named it.
    pub git_dir: PathBuf,
    /// The directory all worktrees share.
    pub common_dir: PathBuf,
    /// `git_dir` is one of `worktrees/<id>`.
    pub linked: bool,
}

impl Place {
    /// The repository git runs the hook for: `GIT_DIR`, else the one of the current directory.
    pub fn find() -> Result<Option<Self>> {
        if let Some(git_dir) = std::env::var_os("GIT_DIR").filter(|dir| !dir.is_empty()) {
            return Self::of(git_dir.into()).map(Some);
        }
        // git runs hooks in the root of the worktree; somebody who tries one by hand may be further down.
        let mut directory = PathBuf::new();
        for _ in 0..256 {
            let dot_git = directory.join(".git");
            match std::fs::metadata(&dot_git) {
                Ok(metadata) if metadata.is_dir() => return Self::of(dot_git).map(Some),
                Ok(_) => match linked_git_dir(&dot_git) {
                    Some(git_dir) => return Self::of(git_dir).map(Some),
                    None => return Ok(None),
                },
                Err(_) if directory.join("HEAD").is_file() && directory.join("objects").is_dir() => {
                    return Self::of(if directory.as_os_str().is_empty() { ".".into() } else { directory }).map(Some);
                }
                Err(_) => {}
            }
            directory.push("..");
        }
        Ok(None)
    }

    fn of(git_dir: PathBuf) -> Result<Self> {
        match std::fs::read(git_dir.join("commondir")) {
            Ok(common) if !common.trim_ascii().is_empty() => {
                let common_dir = git_dir.join(crate::git::path(crate::git::line(&common)));
                Ok(Place { git_dir, common_dir, linked: true })
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Ok(Place { common_dir: git_dir.clone(), git_dir, linked: false })
            }
            Ok(_) => Err(Error::environment(format!("'{}/commondir' is empty", git_dir.display()))),
            Err(error) => {
                Err(Error::environment(format!("cannot read '{}/commondir'", git_dir.display())).source(error))
            }
        }
    }

    /// What HEAD says; git is asked where it keeps that elsewhere.
    pub fn head(&self) -> Result<Head> {
        match read_head(&self.git_dir) {
            // The stub git leaves for old tools when the refs are a reftable.
            Head::Branch(branch) if branch.as_bstr() == ".invalid" => self.head_by_git(),
            Head::Branch(branch) => Ok(Head::Branch(branch)),
            // A symbolic link is the oldest form of a symbolic ref.
            head => match std::fs::read_link(self.git_dir.join("HEAD")) {
                Ok(target) => {
                    Ok(BranchName::from_ref(target.as_os_str().as_bytes().as_bstr()).map_or(head, Head::Branch))
                }
                Err(_) => Ok(head),
            },
        }
    }

    fn head_by_git(&self) -> Result<Head> {
        let symbolic = self.git().args(["symbolic-ref", "--quiet", "HEAD"]).output()?;
        if let Some(branch) = BranchName::from_ref(symbolic.stdout.trim_ascii_end().as_bstr()) {
            return Ok(Head::Branch(branch));
        }
        let id = self.git().args(["rev-parse", "--verify", "--quiet", "HEAD"]).text().unwrap_or_default();
        Ok(crate::domain::lane::ObjectId::from_hex(id.as_bytes()).map_or(Head::Other(id.into()), Head::Detached))
    }

    /// A git command for this very worktree. The hook runs in its root.
    pub fn git(&self) -> Invocation {
        let git = Git::default().at(Path::new("."));
        match (std::env::var_os("GIT_DIR"), std::env::var_os("GIT_WORK_TREE")) {
            (Some(git_dir), None) if !git_dir.is_empty() => git.env("GIT_DIR", git_dir),
            (Some(git_dir), Some(work_tree)) if !git_dir.is_empty() => {
                git.env("GIT_DIR", git_dir).env("GIT_WORK_TREE", work_tree)
            }
            _ => git,
        }
    }

    /// A rebase or `git am` is in progress.
    pub fn rebasing(&self) -> bool {
        ["rebase-merge", "rebase-apply"].iter().any(|name| self.git_dir.join(name).exists())
    }

    /// A bisection is in progress.
    pub fn bisecting(&self) -> bool {
        self.git_dir.join("BISECT_START").exists()
    }

    /// The directory of this linked worktree, as its admin directory names it.
    fn directory(&self) -> Option<PathBuf> {
        let gitdir = std::fs::read(self.git_dir.join("gitdir")).ok()?;
        let path = self.git_dir.join(crate::git::path(crate::git::line(&gitdir)));
        path.parent().map(Path::to_owned)
    }

    /// The lane whose worktree this is.
    pub fn lane<'a>(&self, lanes: &'a [Lane]) -> Option<&'a Lane> {
        if !self.linked || lanes.is_empty() {
            return None;
        }
        let directory = self.directory()?;
        if let Some(lane) = lanes.iter().find(|lane| lane.worktree == directory) {
            return Some(lane);
        }
        let real = std::fs::canonicalize(&directory).ok()?;
        if let Some(lane) = lanes.iter().find(|lane| lane.worktree == real) {
            return Some(lane);
        }
        // Moved: the record's directory is gone, and this worktree had the lane's branch checked out last.
        let mut gone = lanes.iter().filter(|lane| lane.branch.is_some() && !lane.worktree.exists()).peekable();
        gone.peek()?;
        let last = self.last_checkout();
        let head = read_head(&self.git_dir);
        gone.find(|lane| {
            let own = lane.branch.as_ref();
            head.branch() == own || last.as_ref().is_some_and(|(from, _)| own.is_some_and(|b| b.as_bstr() == *from))
        })
    }

    /// `from` and `to` of HEAD's last reflog entry, when that was a checkout.
    pub fn last_checkout(&self) -> Option<(bstr::BString, bstr::BString)> {
        let log = std::fs::read(self.git_dir.join("logs/HEAD")).ok()?;
        let line = crate::git::line(&log).lines().next_back()?;
        let (_, message) = line.split_once_str("\t")?;
        checkout_message(message.as_bstr())
    }
}

/// Takes `checkout: moving from A to B` apart.
pub fn checkout_message(message: &BStr) -> Option<(bstr::BString, bstr::BString)> {
    let (from, to) = message.strip_prefix(b"checkout: moving from ")?.split_once_str(" to ")?;
    Some((from.into(), to.into()))
}

/// The git directory a `.git` file names.
pub fn linked_git_dir(dot_git: &Path) -> Option<PathBuf> {
    let text = std::fs::read(dot_git).ok()?;
    let target = crate::git::line(&text).strip_prefix(b"gitdir:")?.trim_ascii_start().to_owned();
    Some(dot_git.parent()?.join(crate::git::path(&target)))
}

/// Whether a lane's worktree is there. One that `git worktree add` is just making, perhaps at the lane's own place, is
/// not yet: it has no HEAD, or with reftable a stub of one, is locked, and has no index.
pub fn is_alive(lane: &Lane) -> bool {
    linked_git_dir(&lane.worktree.join(".git")).is_some_and(|git_dir| {
        git_dir.join("HEAD").exists() && (git_dir.join("index").exists() || !git_dir.join("locked").exists())
    })
}
