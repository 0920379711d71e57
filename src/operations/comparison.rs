//! What a lane did since its fork point, and how two lanes differ.
//!
//! Called by `commands/diff`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::domain::lane::{Head, Lane, ObjectId, Worktree};
use crate::domain::name::LaneName;
use crate::domain::overview::stray;
use crate::domain::retire::place;
use crate::domain::shell_word::quote;
use crate::engines::status;
use crate::error::{Code, Error, Result};
use crate::repository::revision::{merge_base, peeled};
use crate::repository::{Repository, upstream};
use crate::store::git::{FileChange, Invocation};

/// Two sides that are compared.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// A commit.
    pub from: ObjectId,
    /// The commit at the tip of the lane, the second of two.
    pub to: ObjectId,
    /// The worktree whose files stand for that commit, committed or not.
    pub files: Option<Worktree>,
}

/// Which of a lane's changes count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// Its commits.
    Committed,
    /// The tracked files of its worktree as they are.
    Files,
}

/// Why only the commits of a lane are compared although its files were asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoFiles {
    /// The worktree is not where the record has it.
    Gone(LaneName, PathBuf),
    /// Something else than the lane's branch is checked out there.
    Stray(LaneName),
}

impl std::fmt::Display for NoFiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            NoFiles::Gone(lane, path) => {
                write!(
                    f,
                    "the worktree of lane '{lane}' is gone from '{}'",
                    path.display()
                )
            }
            NoFiles::Stray(lane) => write!(f, "lane '{lane}' has something else checked out"),
        }?;
        f.write_str("; its commits alone are compared")
    }
}

/// What `lane` did since it has left its base, or since it took the base's commits in last.
///
/// Where the base has all of its commits already it is since the fork point of the record.
pub fn since_fork(
    repository: &Repository,
    lane: &Lane,
    count: Count,
) -> Result<(Comparison, Option<NoFiles>)> {
    let worktrees = repository.worktrees()?;
    let to = tip(repository, lane, &worktrees)?;
    let from = departure(repository, lane, to)?;
    let (files, without) = match count {
        Count::Committed => (None, None),
        Count::Files => match own_files(lane, &worktrees) {
            Ok(worktree) => (Some(worktree.clone()), None),
            Err(without) => (None, Some(without)),
        },
    };
    Ok((Comparison { from, to, files }, without))
}

/// How the commit at the tip of `other` differs from that of `one`.
pub fn between(repository: &Repository, one: &Lane, other: &Lane) -> Result<Comparison> {
    let worktrees = repository.worktrees()?;
    Ok(Comparison {
        from: tip(repository, one, &worktrees)?,
        to: tip(repository, other, &worktrees)?,
        files: None,
    })
}

impl Comparison {
    /// Becomes the `git diff` of it, with options and paths of the user's; returns only where git
    /// cannot be started. Paths are relative to where the caller stands, in another lane's worktree
    /// to its top.
    pub fn become_diff(&self, repository: &Repository, here: &Path, rest: &[OsString]) -> Error {
        self.git(repository, here)
            .become_diff(self.from, self.second(), rest)
    }

    /// The files that differ; paths likewise.
    pub fn changed_files(
        &self,
        repository: &Repository,
        here: &Path,
        paths: &[OsString],
    ) -> Result<Vec<FileChange>> {
        let git = self.git(repository, here).reliable();
        git.changed_files(self.from, self.second(), paths)
    }

    /// Nothing where the files of the worktree are the second side.
    fn second(&self) -> Option<ObjectId> {
        self.files.is_none().then_some(self.to)
    }

    fn git(&self, repository: &Repository, here: &Path) -> Invocation {
        match &self.files {
            Some(worktree) if !here.starts_with(&worktree.path) => repository.git_in(worktree),
            _ => repository.git_as_user_at(here),
        }
    }
}

/// The commit at the tip of a lane: of its branch, or what a lane without one has checked out.
fn tip(repository: &Repository, lane: &Lane, worktrees: &[Worktree]) -> Result<ObjectId> {
    let found = match &lane.branch {
        Some(branch) => repository.branch_tip(branch)?,
        None => match place(lane, worktrees).worktree().map(|there| &there.head) {
            Some(Head::Detached(commit)) => Some(*commit),
            _ => None,
        },
    };
    found.ok_or_else(|| {
        let name = &lane.name;
        Error::refused(format!("lane '{name}' has no commit that can be compared"))
            .with_code(Code::NoCommit)
            .hint(format!(
                "see what is left of it with: git lane show {}",
                quote(name)
            ))
    })
}

/// Where the lane's own changes begin.
fn departure(repository: &Repository, lane: &Lane, tip: ObjectId) -> Result<ObjectId> {
    let met = match &lane.base {
        Some(base) => match repository.ref_target(base)? {
            Some(commit) => {
                let commit = peeled(repository, commit);
                // What the base only lacks of its upstream is no change of the lane's.
                let newest = upstream::newer(repository, base, commit)?.unwrap_or(commit);
                merge_base(repository, newest, tip)?
            }
            None => None,
        },
        None => None,
    };
    Ok(met.filter(|met| *met != tip).unwrap_or(lane.fork_point))
}

/// The worktree whose files are the lane's.
fn own_files<'a>(lane: &Lane, worktrees: &'a [Worktree]) -> Result<&'a Worktree, NoFiles> {
    let worktree = place(lane, worktrees)
        .present()
        .ok_or_else(|| NoFiles::Gone(lane.name.clone(), lane.worktree.clone()))?;
    let underway = status::operation(&worktree.git_dir).is_some();
    match stray(lane, worktree, underway) {
        true => Err(NoFiles::Stray(lane.name.clone())),
        false => Ok(worktree),
    }
}
