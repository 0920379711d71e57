//! Where the repositories of a lane's submodules are, and the worktree of each.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use bstr::BString;

use crate::domain::lane::{Head, Lane, Worktree, WorktreeState};
use crate::domain::submodule::{Inner, Inside, Kind};
use crate::error::{Error, Result};
use crate::repository::Repository;
use crate::repository::metadata;
use crate::repository::tree_diff;
use crate::store::git::{Git, NONE};
use crate::store::optional;
use bstr::ByteSlice as _;

/// A repository that the lane takes along, or whose worktree it does.
pub(super) struct Found {
    /// What it is called.
    pub(super) of: Inside,
    pub(super) git_dir: PathBuf,
    /// Its worktree, where that is known from where it was found.
    pub(super) files: Option<PathBuf>,
    /// Whether its refs and its objects leave with the lane, and not its worktree alone.
    pub(super) leaves: bool,
}

impl Found {
    fn submodule(name: PathBuf, git_dir: PathBuf) -> Self {
        Found {
            of: Inside::Submodule(name),
            git_dir,
            files: None,
            leaves: true,
        }
    }

    /// Its worktree, where there is one that says it belongs to this repository.
    pub(super) fn worktree(&self) -> Result<Option<PathBuf>> {
        if self.files.is_some() {
            return Ok(self.files.clone());
        }
        let mut named: Option<BString> = None;
        for file in ["config", "config.worktree"] {
            let file = self.git_dir.join(file);
            if optional::metadata(&file)?.is_some() {
                named = metadata::load(&file)?.string("core.worktree").or(named);
            }
        }
        let old_style = self.git_dir.file_name().is_some_and(|name| name == ".git");
        let parent = || {
            self.git_dir
                .parent()
                .filter(|_| old_style)
                .map(Path::to_owned)
        };
        let Some(path) = named
            .map(|path| self.git_dir.join(crate::store::path(&path)))
            .or_else(parent)
        else {
            return Ok(None);
        };
        let dot_git = path.join(".git");
        let real = |path: &Path| std::fs::canonicalize(path).ok();
        let leads_here = match optional::metadata(&dot_git)? {
            None => false,
            Some(found) if found.is_file() => {
                let text = optional::read(&dot_git)?.unwrap_or_default();
                let target = crate::store::line(&text)
                    .strip_prefix(b"gitdir:")
                    .map(<[u8]>::trim_ascii_start);
                target.is_some_and(|to| {
                    real(&path.join(crate::store::path(to))) == real(&self.git_dir)
                })
            }
            Some(_) => real(&dot_git) == real(&self.git_dir),
        };
        Ok(real(&path).filter(|_| leads_here))
    }
}

/// The repositories of a lane's submodules.
pub(super) struct Submodules {
    pub(super) found: Vec<Found>,
    /// Where in the worktree submodules are or were, with a repository or without.
    pub(super) places: BTreeSet<PathBuf>,
}

/// All of them. What cannot be read is noted in `inner`.
pub(super) fn all(
    repository: &Repository,
    lane: &Lane,
    worktree: &Worktree,
    inner: &mut Inner,
) -> Submodules {
    let mut note = |name: PathBuf, kind| inner.note(&Inside::Submodule(name), kind, 1);
    let below = repositories(&worktree.git_dir, &mut |path| {
        note(name_of(&worktree.git_dir, path), Kind::Unread)
    });
    let named = |git_dir: PathBuf| Found::submodule(name_of(&worktree.git_dir, &git_dir), git_dir);
    let mut found: Vec<Found> = below.into_iter().map(named).collect();
    let mut seen = BTreeSet::new();
    if worktree.state != WorktreeState::Present {
        return Submodules {
            found,
            places: seen,
        };
    }
    let mut places: Vec<PathBuf> = match paths(repository, lane, worktree) {
        Ok(paths) => paths.iter().map(|path| crate::store::path(path)).collect(),
        Err(_) => {
            note(".".into(), Kind::Unread);
            Vec::new()
        }
    };
    while let Some(place) = places.pop() {
        if !seen.insert(place.clone()) {
            continue;
        }
        let directory = worktree.path.join(&place);
        match of_old_style(&repository.git, worktree, &directory) {
            Ok(Old::Nothing) => {}
            Ok(Old::Known) => {
                places.extend(nested(&repository.git, &directory).map(|inner| place.join(inner)))
            }
            Ok(Old::Repository(git_dir)) => {
                places.extend(nested(&repository.git, &directory).map(|inner| place.join(inner)));
                let below = repositories(&git_dir, &mut |path| {
                    note(place.join(name_of(&git_dir, path)), Kind::Unread);
                });
                let inner =
                    |inner: PathBuf| Found::submodule(place.join(name_of(&git_dir, &inner)), inner);
                found.extend(below.into_iter().map(inner));
                found.push(Found::submodule(place, git_dir));
            }
            Ok(Old::Foreign) => note(place, Kind::Apart),
            Err(_) => note(place, Kind::Unread),
        }
    }
    Submodules {
        found,
        places: seen,
    }
}

/// The name of the submodule whose repository is at `path` below `git_dir`.
pub(super) fn name_of(git_dir: &Path, path: &Path) -> PathBuf {
    let parts = path.strip_prefix(git_dir).unwrap_or(path).components();
    let name: PathBuf = parts.filter(|part| part.as_os_str() != "modules").collect();
    if name.as_os_str().is_empty() {
        "modules".into()
    } else {
        name
    }
}

/// The repositories of the submodules below a git directory, and of theirs; `unread` hears what
/// cannot be looked into.
pub(super) fn repositories(git_dir: &Path, unread: &mut dyn FnMut(&Path)) -> Vec<PathBuf> {
    let (mut found, mut pending) = (Vec::new(), vec![git_dir.join("modules")]);
    while let Some(directory) = pending.pop() {
        let Ok(listed) = optional::list(&directory) else {
            unread(&directory);
            continue;
        };
        let listed = listed.unwrap_or_default();
        // What lacks its HEAD is damaged, and holds what it holds. Names are paths: `objects` may
        // be one.
        let marks = [
            "HEAD",
            "config",
            "objects",
            "refs",
            "packed-refs",
            "reftable",
        ];
        let is_mark = |name: &std::ffi::OsStr| marks.iter().any(|mark| name == *mark);
        let named = |path: &Path| path.join("HEAD").exists() && path.join("objects").exists();
        let marked = listed
            .iter()
            .any(|entry| is_mark(&entry.file_name()) && !named(&entry.path()));
        if marked {
            pending.push(directory.join("modules"));
            found.push(directory);
        } else {
            let directories = listed
                .iter()
                .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
            pending.extend(directories.map(std::fs::DirEntry::path));
        }
    }
    found
}

/// Where submodules are in a lane, or were when it started: by its index, by what its commits took
/// out, by `.gitmodules`.
fn paths(repository: &Repository, lane: &Lane, worktree: &Worktree) -> Result<BTreeSet<BString>> {
    let mut found = gitlinks(repository, worktree)?;
    let tip = match (&worktree.head, &lane.branch) {
        (Head::Detached(id), _) => Some(*id),
        (_, Some(branch)) => repository.branch_tip(branch)?,
        _ => None,
    };
    if let Some(tip) = tip.filter(|tip| *tip != lane.fork_point) {
        found.extend(
            tree_diff::left_submodules(repository, lane.fork_point, tip).unwrap_or_default(),
        );
    }
    let file = worktree.path.join(".gitmodules");
    if optional::metadata(&file)?.is_some_and(|found| found.is_file()) {
        let named = metadata::load(&file)?;
        for section in named.sections_by_name("submodule").into_iter().flatten() {
            found.extend(section.value("path"));
        }
    }
    // Where git itself would not go.
    found.retain(|path| {
        !path
            .split(|byte| *byte == b'/')
            .any(|part| matches!(part, b"" | b"." | b".."))
    });
    Ok(found)
}

/// The gitlinks of the index.
fn gitlinks(repository: &Repository, worktree: &Worktree) -> Result<BTreeSet<BString>> {
    let file = worktree.git_dir.join("index");
    if optional::metadata(&file)?.is_none() {
        return Ok(BTreeSet::new());
    }
    let hash = repository.gix.object_hash();
    let Ok(index) = gix::index::File::at(&file, hash, true, gix::index::decode::Options::default())
    else {
        let staged = repository.git_in(worktree).ls_files(&["--stage"], NONE)?;
        return Ok(listed(&staged).collect());
    };
    let links = index
        .entries()
        .iter()
        .filter(|entry| entry.mode == gix::index::entry::Mode::COMMIT);
    Ok(links.map(|entry| entry.path(&index).to_owned()).collect())
}

/// The gitlinks in the output of `git ls-files --stage -z`.
fn listed(staged: &[BString]) -> impl Iterator<Item = BString> {
    let path = |record: &BString| {
        let (_, path) = record.strip_prefix(b"160000 ")?.split_once_str("\t")?;
        Some(path.into())
    };
    staged.iter().filter_map(path)
}

/// The submodules of the repository checked out at `directory`; none where git cannot say.
fn nested(git: &Git, directory: &Path) -> impl Iterator<Item = PathBuf> {
    let staged = git.at(directory).ls_files(&["--stage"], NONE);
    let found = staged.unwrap_or_default();
    listed(&found)
        .map(|path| crate::store::path(&path))
        .collect::<Vec<_>>()
        .into_iter()
}

/// What a submodule's directory has as its `.git`.
enum Old {
    /// None: it is not checked out.
    Nothing,
    /// A file that leads into the lane's admin directory.
    Known,
    /// A repository of old style: the directory has it inside.
    Repository(PathBuf),
    /// A file or a link that leads out of the lane.
    Foreign,
}

fn of_old_style(git: &Git, lane: &Worktree, directory: &Path) -> Result<Old> {
    let dot_git = directory.join(".git");
    let Some(found) = optional::metadata(&dot_git)? else {
        return Ok(Old::Nothing);
    };
    if found.is_dir() {
        return Ok(Old::Repository(dot_git));
    }
    let leads = checked_out(git, directory)
        .and_then(|path| std::fs::canonicalize(path).ok())
        .ok_or_else(|| Error::git(format!("'{}' leads to no repository", dot_git.display())))?;
    let admin = std::fs::canonicalize(&lane.git_dir).unwrap_or_else(|_| lane.git_dir.clone());
    Ok(match () {
        () if leads.starts_with(admin) => Old::Known,
        // The one submodule's repository may be inside another's.
        () if leads.starts_with(&lane.path) => Old::Known,
        () => Old::Foreign,
    })
}

/// The repository a submodule's own directory leads to.
pub(super) fn checked_out(git: &Git, directory: &Path) -> Option<PathBuf> {
    directory
        .join(".git")
        .exists()
        .then(|| git.at(directory).absolute_git_dir())?
}
