//! Where a hook runs: the git directory, the common one, what HEAD says. Read from git's own files,
//! nothing started.
//!
//! The layout is gitrepository-layout(5); which variables git sets for which hook was measured.

use std::cell::OnceCell;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use bstr::{BStr, ByteSlice};

use super::autostash;
use super::caller::Caller;
use crate::domain::guard::Lane;
use crate::domain::lane::Head;
use crate::domain::name::BranchName;
use crate::error::{Error, Result};
use crate::repository::admin_dir;
use crate::repository::alias::Loose;
use crate::repository::renames;
use crate::repository::worktree::read_head;
use crate::store::file_id::is_same;
use crate::store::git::{Git, Invocation};
use bstr::BString;

/// The worktree a hook runs in.
#[derive(Debug, Clone, Default)]
pub struct Place {
    /// Its git directory, as git named it.
    pub git_dir: PathBuf,
    /// The directory all worktrees share.
    pub common_dir: PathBuf,
    /// `git_dir` is one of `worktrees/<id>`.
    pub linked: bool,
    caller: OnceCell<Option<Caller>>,
}

impl Place {
    /// The repository git runs the hook for: `GIT_DIR`, else the one of the current directory.
    pub fn find() -> Result<Option<Self>> {
        if let Some(git_dir) = std::env::var_os("GIT_DIR").filter(|dir| !dir.is_empty()) {
            return Self::of(git_dir.into()).map(Some);
        }
        // git runs hooks in the root of the worktree; a user who tries one by hand may be further
        // down.
        let mut directory = PathBuf::new();
        for _ in 0..256 {
            let dot_git = directory.join(".git");
            match std::fs::metadata(&dot_git) {
                Ok(metadata) if metadata.is_dir() => return Self::of(dot_git).map(Some),
                Ok(_) => match linked_git_dir(&dot_git) {
                    Some(git_dir) => return Self::of(git_dir).map(Some),
                    None => return Ok(None),
                },
                Err(_)
                    if directory.join("HEAD").is_file() && directory.join("objects").is_dir() =>
                {
                    return Self::of(if directory.as_os_str().is_empty() {
                        ".".into()
                    } else {
                        directory
                    })
                    .map(Some);
                }
                Err(_) => {}
            }
            directory.push("..");
        }
        Ok(None)
    }

    fn of(git_dir: PathBuf) -> Result<Self> {
        match crate::store::optional::bytes(git_dir.join("commondir")) {
            Ok(common) if !common.trim_ascii().is_empty() => {
                let common_dir = git_dir.join(crate::store::path(crate::store::line(&common)));
                Ok(Place {
                    git_dir,
                    common_dir,
                    linked: true,
                    ..Place::default()
                })
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Place {
                common_dir: git_dir.clone(),
                git_dir,
                ..Place::default()
            }),
            Ok(_) => Err(Error::environment(format!(
                "'{}/commondir' is empty",
                git_dir.display()
            ))),
            Err(error) => Err(Error::environment(format!(
                "cannot read '{}/commondir'",
                git_dir.display()
            ))
            .caused_by(error)),
        }
    }

    /// What HEAD says, a branch by the ref that its name leads to; git is asked where it keeps that
    /// elsewhere.
    pub fn head(&self) -> Result<Head> {
        match read_head(&self.git_dir) {
            // The stub git leaves for old tools when the refs are a reftable.
            Head::Branch(branch) if branch.as_bstr() == ".invalid" => self.head_by_git(),
            head => Ok(Loose::of(&self.common_dir).resolved(head).0),
        }
    }

    /// What HEAD says where `lane` is at work: the record may call its branch by another name that
    /// leads there.
    pub fn head_of(&self, lane: Option<&Lane>) -> Result<Head> {
        let own = lane.and_then(|lane| lane.branch.as_ref());
        match self.head()? {
            Head::Branch(branch)
                if own != Some(&branch) && read_head(&self.git_dir).branch() == own =>
            {
                Ok(own.cloned().map_or(Head::Branch(branch), Head::Branch))
            }
            head => Ok(head),
        }
    }

    fn head_by_git(&self) -> Result<Head> {
        let symbolic = self.git().symbolic_ref("HEAD")?.unwrap_or_default();
        if let Some(branch) = BranchName::from_ref(symbolic.as_bstr()) {
            return Ok(Head::Branch(branch));
        }
        let id = self.git().rev_parse("HEAD")?;
        Ok(id.map_or(Head::Other(BString::default()), Head::Detached))
    }

    /// The git that runs the hook; `None` where that cannot be told.
    pub fn caller(&self) -> Option<&Caller> {
        self.caller.get_or_init(Caller::find).as_ref()
    }

    /// A git command for this very worktree. The hook runs in its root.
    pub fn git(&self) -> Invocation {
        let git = Git::default().at(Path::new("."));
        match (
            std::env::var_os("GIT_DIR"),
            std::env::var_os("GIT_WORK_TREE"),
        ) {
            (Some(git_dir), None) if !git_dir.is_empty() => git.env("GIT_DIR", git_dir),
            (Some(git_dir), Some(work_tree)) if !git_dir.is_empty() => {
                git.env("GIT_DIR", git_dir).env("GIT_WORK_TREE", work_tree)
            }
            _ => git,
        }
    }

    /// A rebase is in progress. `git am` uses the same directory and leaves HEAD on its branch, and
    /// a rebase that has only put edits aside may never begin.
    pub fn rebasing(&self) -> bool {
        let [merge, apply] = ["rebase-merge", "rebase-apply"].map(|name| self.git_dir.join(name));
        let begun = |directory: &Path| directory.exists() && !autostash::is_alone_in(directory);
        begun(&merge) || (begun(&apply) && !apply.join("applying").exists())
    }

    /// A bisection is in progress.
    pub fn bisecting(&self) -> bool {
        self.git_dir.join("BISECT_START").exists()
    }

    /// The lane whose worktree this is.
    pub fn lane<'a>(&self, lanes: &'a [Lane]) -> Option<&'a Lane> {
        if !self.linked || lanes.is_empty() {
            return None;
        }
        let directory = directory(&self.git_dir)?;
        if let Some(lane) = lanes.iter().find(|lane| lane.worktree == directory) {
            return Some(lane);
        }
        let real = std::fs::canonicalize(&directory).ok()?;
        if let Some(lane) = lanes.iter().find(|lane| lane.worktree == real) {
            return Some(lane);
        }
        lanes.iter().find(|lane| {
            moved(lane, &self.common_dir).is_some_and(|git_dir| same(&git_dir, &self.git_dir))
        })
    }

    /// Whether the hook runs in a directory whose `.git` file the user has made to name this git
    /// directory, while its own worktree is elsewhere and alive. One that was moved by hand leaves
    /// none behind.
    pub fn is_redirected(&self) -> bool {
        let Some(own) = directory(&self.git_dir).filter(|_| self.linked) else {
            return false;
        };
        let here = Path::new(".");
        if is_same(here, &own) {
            return false;
        }
        let names_it = |directory: &Path| {
            linked_git_dir(&directory.join(".git"))
                .is_some_and(|named| is_same(&named, &self.git_dir))
        };
        names_it(here) && names_it(&own)
    }

    /// `from` and `to` of HEAD's last reflog entry, when that was a checkout.
    pub fn last_checkout(&self) -> Option<(bstr::BString, bstr::BString)> {
        last_checkout(&self.git_dir)
    }

    /// Where HEAD's log says that a checkout went last.
    pub fn last_switch(&self) -> Option<bstr::BString> {
        let log = crate::store::optional::bytes(self.git_dir.join("logs/HEAD")).ok()?;
        let mut messages = log
            .lines()
            .rev()
            .filter_map(|line| Some(line.split_once_str("\t")?.1.as_bstr()));
        messages.find_map(checkout_message).map(|(_, to)| to)
    }
}

fn last_checkout(git_dir: &Path) -> Option<(bstr::BString, bstr::BString)> {
    let log = crate::store::optional::bytes(git_dir.join("logs/HEAD")).ok()?;
    let line = crate::store::line(&log).lines().next_back()?;
    let (_, message) = line.split_once_str("\t")?;
    checkout_message(message.as_bstr())
}

fn same(one: &Path, other: &Path) -> bool {
    one.file_name() == other.file_name()
}

/// Takes `checkout: moving from A to B` apart.
pub fn checkout_message(message: &BStr) -> Option<(bstr::BString, bstr::BString)> {
    let (from, to) = message
        .strip_prefix(b"checkout: moving from ")?
        .split_once_str(" to ")?;
    Some((from.into(), to.into()))
}

/// The git directory a `.git` file names.
pub fn linked_git_dir(dot_git: &Path) -> Option<PathBuf> {
    let text = crate::store::optional::bytes(dot_git).ok()?;
    let target = crate::store::line(&text)
        .strip_prefix(b"gitdir:")?
        .trim_ascii_start()
        .to_owned();
    Some(dot_git.parent()?.join(crate::store::path(&target)))
}

/// The git directory of a lane's worktree, where that is alive: at its recorded place, or wherever
/// it was moved to. One that `git worktree add` is just making, perhaps at the lane's own place, is
/// not yet: it has no HEAD, or with reftable a stub of one, is locked, and has no index.
pub fn git_dir_of(lane: &Lane, common_dir: &Path) -> Option<PathBuf> {
    let made = |git_dir: &PathBuf| {
        git_dir.join("HEAD").exists()
            && (git_dir.join("index").exists() || !git_dir.join("locked").exists())
    };
    match linked_git_dir(&lane.worktree.join(".git")) {
        Some(git_dir) => Some(git_dir).filter(made),
        None => moved(lane, common_dir).filter(made),
    }
}

/// The directory of a linked worktree, as its admin directory names it.
pub fn directory(git_dir: &Path) -> Option<PathBuf> {
    let gitdir = crate::store::optional::bytes(git_dir.join("gitdir")).ok()?;
    git_dir
        .join(crate::store::path(crate::store::line(&gitdir)))
        .parent()
        .map(Path::to_owned)
}

/// The git directory of a lane whose worktree is not at its recorded place any more: `git worktree
/// move` leaves its name alone, and it has the lane's branch checked out, or had until a moment
/// ago; by now that may be called otherwise.
fn moved(lane: &Lane, common_dir: &Path) -> Option<PathBuf> {
    let own = lane.branch.as_ref()?;
    if lane.worktree.exists() {
        return None;
    }
    let name = admin_dir::name(&lane.worktree);
    let candidates = std::fs::read_dir(common_dir.join("worktrees"))
        .ok()?
        .flatten()
        .map(|entry| entry.path());
    let mut named = candidates.filter(|git_dir| {
        let id = git_dir.file_name().unwrap_or_default().to_string_lossy();
        id.strip_prefix(&*name)
            .is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
    });
    named.find(|git_dir| {
        let points_back =
            directory(git_dir).and_then(|directory| linked_git_dir(&directory.join(".git")));
        let log = renames::messages(&git_dir.join("logs/HEAD"));
        let own = renames::renamed_to(own, log.as_bstr()).unwrap_or_else(|| own.clone());
        let has_branch = match read_head(git_dir) {
            // A reftable does not say so without asking git.
            Head::Branch(branch) => branch == own || branch.as_bstr() == ".invalid",
            _ => false,
        };
        let had_branch = || last_checkout(git_dir).is_some_and(|(from, _)| from == own.as_bstr());
        points_back.is_some_and(|back| same(&back, git_dir)) && (has_branch || had_branch())
    })
}
