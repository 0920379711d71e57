//! The repositories of a linked worktree's submodules, which live in its admin directory and leave with it.

use std::path::{Path, PathBuf};

use bstr::BString;

use super::command::{Git, Invocation};
use super::repository::Repository;
use crate::domain::lane::{ObjectId, Worktree};

/// A submodule's repository in `admin_dir` with commits on a branch or HEAD that none of its remotes has: they exist
/// nowhere else, whatever the superproject's base says. A repository that cannot be read counts.
pub fn unpublished(git: &Git, admin_dir: &Path) -> Option<PathBuf> {
    repositories(admin_dir).into_iter().find(|directory| {
        let walk = ["rev-list", "--max-count=1", "HEAD", "--branches", "--not", "--remotes"];
        let found = at(git, directory).args(walk).stdout();
        found.map_or(true, |found| !found.is_empty())
    })
}

/// The repositories of a worktree's submodules, and of theirs.
fn repositories(admin_dir: &Path) -> Vec<PathBuf> {
    let (mut found, mut pending) = (Vec::new(), vec![admin_dir.join("modules")]);
    while let Some(directory) = pending.pop() {
        let below = if directory.join("HEAD").is_file() && directory.join("objects").is_dir() {
            found.push(directory.clone());
            directory.join("modules")
        } else {
            directory
        };
        let entries = std::fs::read_dir(below).into_iter().flatten().flatten();
        pending.extend(
            entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path()),
        );
    }
    found
}

fn at(git: &Git, directory: &Path) -> Invocation {
    git.at(directory).env("GIT_DIR", directory)
}

/// The repository a submodule's own directory leads to.
fn checked_out(git: &Git, directory: &Path) -> Option<PathBuf> {
    directory
        .join(".git")
        .exists()
        .then(|| git.at(directory).args(["rev-parse", "--absolute-git-dir"]).text().ok())?
        .map(PathBuf::from)
}

/// The first of the submodule commits `pointers` (path and commit) that none of the submodule's remotes has, and no
/// repository but those of the lane's worktree: whoever checks it out after the lane has left finds nothing.
pub fn only_in_lane<'a>(
    repository: &Repository,
    lane: &Worktree,
    pointers: &'a [(BString, ObjectId)],
) -> Option<&'a (BString, ObjectId)> {
    let git = &repository.git;
    let mut own = repositories(&lane.git_dir);
    let mut elsewhere = repositories(repository.common_dir());
    let main = repository.main_worktree().map(|main| main.path).unwrap_or_default();
    for (path, _) in pointers {
        own.extend(checked_out(git, &lane.path.join(super::path(path))));
        elsewhere.extend(checked_out(git, &main.join(super::path(path))));
    }
    let has = |directory: &PathBuf, id: ObjectId| {
        let asked = at(git, directory).args(["cat-file", "-e"]).arg(format!("{id}^{{commit}}")).output();
        asked.is_ok_and(|output| output.status.success())
    };
    let published = |directory: &PathBuf, id: ObjectId| {
        let walk = at(git, directory).args(["rev-list", "--max-count=1"]).arg(id.to_string());
        walk.args(["--not", "--remotes"]).stdout().is_ok_and(|found| found.is_empty())
    };
    pointers.iter().find(|(_, id)| {
        let here: Vec<_> = own.iter().filter(|directory| has(directory, *id)).collect();
        !here.is_empty()
            && !here.iter().any(|directory| published(directory, *id))
            && !elsewhere.iter().any(|directory| has(directory, *id))
    })
}
