//! The repositories in a lane's worktree that are no submodules of it: cloned into an ignored
//! directory, begun in a tracked one, or another repository's worktree. git has one line for them
//! at most, and none where they are ignored.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::at;
use super::find::{Found, Submodules, name_of, repositories};
use crate::domain::lane::Worktree;
use crate::domain::submodule::{Inner, Inside, Kind};
use crate::error::Result;
use crate::repository::Repository;
use crate::repository::metadata;
use crate::repository::submodules::inner::Has;
use crate::store::optional;

/// All of them, those of `submodules` left out. What cannot be read is noted in `inner`.
pub(super) fn all(
    repository: &Repository,
    lane: &Worktree,
    submodules: &Submodules,
    inner: &mut Inner,
) -> Vec<Found> {
    let walked = repository.walks.repositories(&lane.path);
    let real = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut all = All {
        lane,
        top: real(&lane.path),
        seen: BTreeSet::new(),
        found: Vec::new(),
        inner,
    };
    all.seen
        .extend(submodules.found.iter().map(|found| real(&found.git_dir)));
    for (path, _) in walked
        .iter()
        .filter(|(path, has)| *has == Has::DotGit && !submodules.places.contains(path))
    {
        if all.dot_git(path).is_err() {
            all.unread(path);
        }
    }
    for (path, has) in &walked {
        match has {
            Has::Unread => all.unread(path),
            Has::Bare => {
                let around = walked
                    .iter()
                    .filter(|(around, has)| *has == Has::DotGit && path.starts_with(around));
                let around = around
                    .map(|(around, _)| around.as_path())
                    .next_back()
                    .unwrap_or(Path::new(""));
                if all
                    .bare(path, |file| is_tracked(repository, lane, around, file))
                    .is_err()
                {
                    all.unread(path);
                }
            }
            Has::DotGit | Has::Nothing => {}
        }
    }
    all.found
}

/// The first of them that has to stay where it is.
pub(super) fn bound(repository: &Repository, lane: &Worktree) -> Option<PathBuf> {
    let walked = repository.walks.repositories(&lane.path);
    let is_bound = |place: &Path, has: Has| {
        let git_dir = match has {
            Has::DotGit => git_dir_of(place).ok().flatten(),
            Has::Bare => Some(place.to_owned()),
            Has::Unread | Has::Nothing => None,
        };
        git_dir.is_some_and(|git_dir| {
            let has_others = crate::store::entries(&git_dir.join("worktrees"));
            crate::store::exists(&git_dir.join("commondir")) || has_others.count() > 0
        })
    };
    let places = walked
        .into_iter()
        .map(|(path, has)| (lane.path.join(path), has));
    let mut bound = places.filter(|(place, has)| is_bound(place, *has));
    bound.next().map(|(place, _)| place)
}

/// What is being gathered.
struct All<'a> {
    lane: &'a Worktree,
    /// The lane's directory without links.
    top: PathBuf,
    /// The git directories that were looked at.
    seen: BTreeSet<PathBuf>,
    found: Vec<Found>,
    inner: &'a mut Inner,
}

impl All<'_> {
    fn unread(&mut self, path: &Path) {
        self.inner
            .note(&Inside::Repository(path.to_owned()), Kind::Unread, 1);
    }

    /// Looks at the `.git` in `path`.
    fn dot_git(&mut self, path: &Path) -> Result<()> {
        let files = self.lane.path.join(path);
        let Some(git_dir) = git_dir_of(&files)? else {
            return Ok(());
        };
        let common = optional::read(&git_dir.join("commondir"))?;
        let common = common.map(|text| git_dir.join(crate::store::path(crate::store::line(&text))));
        let leaves = common.is_none() && git_dir.starts_with(&self.top);
        self.add(path, git_dir, Some(files), leaves);
        // The repository of a linked worktree may be in the lane too, as a bare one.
        match common.map(std::fs::canonicalize) {
            Some(Ok(common)) if common.starts_with(&self.top) => {
                let name = common.strip_prefix(&self.top).unwrap_or(path).to_owned();
                let files = common
                    .parent()
                    .filter(|_| common.ends_with(".git"))
                    .map(Path::to_owned);
                self.add(&name, common, files, true);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Looks at the directory `path`, which has what a bare repository has. One that has a remote
    /// is taken for a copy of that, and one that is tracked for a file among others.
    fn bare(&mut self, path: &Path, is_tracked: impl Fn(&Path) -> bool) -> Result<()> {
        let directory = self.top.join(path);
        let is = |name: &str| optional::metadata(&directory.join(name));
        let is_one = is("HEAD")?.is_some_and(|head| !head.is_dir())
            && is("objects")?.is_some_and(|objects| objects.is_dir())
            && is("commondir")?.is_none();
        if is_one
            && !has_remote_elsewhere(&directory, &self.top)?
            && !is_tracked(&path.join("HEAD"))
        {
            self.add(path, directory, None, true);
        }
        Ok(())
    }

    fn add(&mut self, path: &Path, git_dir: PathBuf, files: Option<PathBuf>, leaves: bool) {
        if !self.seen.insert(git_dir.clone()) {
            return;
        }
        if leaves {
            let below = repositories(&git_dir, &mut |unread| {
                let name = Inside::Repository(path.join(name_of(&git_dir, unread)));
                self.inner.note(&name, Kind::Unread, 1);
            });
            for module in below {
                let name = path.join(name_of(&git_dir, &module));
                self.seen.insert(module.clone());
                self.found.push(Found {
                    of: Inside::Repository(name),
                    git_dir: module,
                    files: None,
                    leaves,
                });
            }
        }
        self.found.push(Found {
            of: Inside::Repository(path.to_owned()),
            git_dir,
            files,
            leaves,
        });
    }
}

/// The git directory that the `.git` in `directory` is or leads to, without links; `None` where
/// that leads to none.
fn git_dir_of(directory: &Path) -> Result<Option<PathBuf>> {
    let dot_git = directory.join(".git");
    let Ok(there) = std::fs::metadata(&dot_git) else {
        // A link to nothing.
        return optional::metadata(&dot_git).map(|_| None);
    };
    let git_dir = if there.is_dir() {
        dot_git
    } else {
        let text = optional::read(&dot_git)?.unwrap_or_default();
        let Some(target) = crate::store::line(&text).strip_prefix(b"gitdir:") else {
            return Ok(None);
        };
        directory.join(crate::store::path(target.trim_ascii_start()))
    };
    // What has lost its HEAD still holds what it holds.
    let marks = ["HEAD", "objects", "refs", "packed-refs", "reftable"];
    for mark in marks {
        if optional::metadata(&git_dir.join(mark))?.is_some() {
            return Ok(std::fs::canonicalize(&git_dir).ok());
        }
    }
    Ok(None)
}

/// Whether `file`, a path in the lane, is tracked by the repository whose top in the lane is
/// `around`.
fn is_tracked(repository: &Repository, lane: &Worktree, around: &Path, file: &Path) -> bool {
    let top = lane.path.join(around);
    let git = match around.as_os_str().is_empty() {
        true => repository.git_in(lane),
        false => at(&repository.git, &top.join(".git")).env("GIT_WORK_TREE", &top),
    };
    let file = file.strip_prefix(around).unwrap_or(file);
    let listed = git.ls_files(&[], [file]);
    listed.is_ok_and(|listed| !listed.is_empty())
}

fn has_remote_elsewhere(git_dir: &Path, top: &Path) -> Result<bool> {
    Ok(remotes(git_dir)?
        .iter()
        .any(|(_, urls)| !urls.iter().any(|url| is_inside(url, git_dir, top))))
}

/// The remotes whose repository is below `top` too.
pub(super) fn leaving_remotes(git_dir: &Path, top: &Path) -> Result<Vec<bstr::BString>> {
    let inside = remotes(git_dir)?
        .into_iter()
        .filter(|(_, urls)| urls.iter().any(|url| is_inside(url, git_dir, top)));
    Ok(inside.map(|(name, _)| name).collect())
}

/// Every configured remote with its addresses.
fn remotes(git_dir: &Path) -> Result<Vec<(bstr::BString, Vec<bstr::BString>)>> {
    let file = git_dir.join("config");
    if optional::metadata(&file)?.is_none() {
        return Ok(Vec::new());
    }
    let config = metadata::load(&file)?;
    let sections = config.sections_by_name("remote").into_iter().flatten();
    let remote = |section: gix::config::file::SectionRef<'_>| {
        let name = section.header().subsection_name()?.to_owned();
        let urls: Vec<_> = ["url", "pushurl"]
            .into_iter()
            .flat_map(|key| section.values(key))
            .collect();
        (!urls.is_empty()).then_some((name, urls))
    };
    Ok(sections.filter_map(remote).collect())
}

/// Whether an address is a path that leads below `top`; a relative one counts from the worktree.
fn is_inside(url: &[u8], git_dir: &Path, top: &Path) -> bool {
    let path = crate::store::path(url.strip_prefix(b"file://").unwrap_or(url));
    let from = if git_dir.ends_with(".git") {
        git_dir.parent().unwrap_or(git_dir)
    } else {
        git_dir
    };
    std::fs::canonicalize(from.join(path)).is_ok_and(|path| path.starts_with(top))
}
