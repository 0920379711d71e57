//! The repositories of a linked worktree's submodules, which live in its admin directory and leave with it.

use std::path::{Path, PathBuf};

use super::command::Git;

/// A submodule's repository in `admin_dir` with commits on a branch or HEAD that none of its remotes has: they exist
/// nowhere else, whatever the superproject's base says. A repository that cannot be read counts.
pub fn unpublished(git: &Git, admin_dir: &Path) -> Option<PathBuf> {
    let mut pending = vec![admin_dir.join("modules")];
    while let Some(directory) = pending.pop() {
        let below = if directory.join("HEAD").is_file() && directory.join("objects").is_dir() {
            let walk = ["rev-list", "--max-count=1", "HEAD", "--branches", "--not", "--remotes"];
            let found = git.at(admin_dir).env("GIT_DIR", &directory).args(walk).stdout();
            if found.map_or(true, |found| !found.is_empty()) {
                return Some(directory);
            }
            // Submodules of the submodule.
            directory.join("modules")
        } else {
            directory
        };
        let entries = std::fs::read_dir(below).into_iter().flatten().flatten();
        pending.extend(
            entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path()),
        );
    }
    None
}
