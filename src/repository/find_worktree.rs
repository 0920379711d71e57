//! Where the directory of a missing worktree went, when the user moved it without telling git.
//!
//! Its `.git` file still names the admin directory. The whole disk is not searched: only where it
//! would be beside its old place or the repository, and where the user stands.

use std::path::{Path, PathBuf};

use crate::domain::lane::{Worktree, WorktreeState};
use crate::engines::processes;
use crate::repository::Repository;
use crate::store::entries;

/// The directory that belongs to a worktree git misses.
pub fn find(repository: &Repository, worktree: &Worktree) -> Option<PathBuf> {
    candidates(repository, &worktree.path)
        .into_iter()
        .find(|directory| {
            named_by(directory).is_some_and(|target| {
                target == worktree.git_dir
                    || std::fs::canonicalize(target).is_ok_and(|target| target == worktree.git_dir)
            })
        })
}

/// Like [`find`], where the repository may have been moved with its worktrees: they name a place
/// that is no more.
pub fn find_after_repository(repository: &Repository, worktree: &Worktree) -> Option<PathBuf> {
    let all = std::iter::once(worktree.path.clone()).chain(candidates(repository, &worktree.path));
    find(repository, worktree).or_else(|| {
        all.into_iter()
            .find(|directory| is_orphan(directory, &worktree.git_dir))
    })
}

/// Whether a worktree is where git looks for it and names a place that is no more: the repository
/// was moved without it.
pub fn is_left_behind(worktree: &Worktree) -> bool {
    matches!(worktree.state, WorktreeState::Damaged(_))
        && is_orphan(&worktree.path, &worktree.git_dir)
}

/// Whether the `.git` file of `directory` names an admin directory like `git_dir` in a repository
/// that is gone.
fn is_orphan(directory: &Path, git_dir: &Path) -> bool {
    let Some(id) = git_dir.file_name() else {
        return false;
    };
    let admin = Path::new("worktrees").join(id);
    named_by(directory).is_some_and(|target| target.ends_with(&admin) && !target.exists())
}

/// The git directory a worktree's `.git` file names.
pub(crate) fn named_by(directory: &Path) -> Option<PathBuf> {
    let dot_git = directory.join(".git");
    if !std::fs::symlink_metadata(&dot_git).is_ok_and(|metadata| metadata.is_file()) {
        return None;
    }
    let text = crate::store::optional::bytes(&dot_git).ok()?;
    Some(directory.join(crate::store::path(
        crate::store::line(&text).strip_prefix(b"gitdir: ")?,
    )))
}

/// Whether the `.git` of `directory`, whatever it is, leads to this git directory.
pub(crate) fn leads_to(directory: &Path, git_dir: &Path) -> bool {
    let target = named_by(directory).unwrap_or_else(|| directory.join(".git"));
    std::fs::canonicalize(target).is_ok_and(|target| target == git_dir)
}

/// Where worktrees use to be, and where the user stands.
pub(crate) fn candidates(repository: &Repository, old: &Path) -> Vec<PathBuf> {
    let main = repository.main_site().0;
    let parents = [old.parent(), main.parent()];
    let mut found: Vec<PathBuf> = parents
        .into_iter()
        .flatten()
        .flat_map(directories)
        .collect();
    // The repository and its lanes were moved together: `<repo>.lanes` beside it.
    let beside: Vec<PathBuf> = found
        .iter()
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "lanes")
        })
        .cloned()
        .collect();
    found.extend(beside.iter().flat_map(|directory| directories(directory)));
    // Worktrees inside of it went with it.
    let inside = old
        .ancestors()
        .filter_map(|above| old.parent()?.strip_prefix(above).ok());
    found.extend(
        inside
            .filter(|end| !end.as_os_str().is_empty())
            .flat_map(|end| directories(&main.join(end))),
    );
    let stood_in = std::env::current_dir()
        .into_iter()
        .chain(processes::current_directories());
    found.extend(stood_in.flat_map(|directory| {
        directory
            .ancestors()
            .map(Path::to_owned)
            .collect::<Vec<_>>()
    }));
    found
}

fn directories(parent: &Path) -> Vec<PathBuf> {
    let entries = entries(parent);
    entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .collect()
}
