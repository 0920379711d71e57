//! The lock files that gits have left which were killed in the middle of a merge, a commit or a
//! reset in a lane.
//!
//! A git that lives takes the same files for moments. One is taken for dead where it came after the
//! merge had begun, all that git-lane had started has ended, it has been the same file for a second,
//! and no process works in the lane; for the one that the whole repository shares, no git works
//! anywhere in it.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::Intent;
use crate::domain::lane::Worktree;
use crate::engines::processes;
use crate::error::Result;
use crate::repository::Repository;
use crate::store::entries;
use crate::store::file_id::FileId;
use crate::store::lane_files::remove_if_there;

/// How long a lock has to be there.
const AGE: Duration = Duration::from_secs(1);

/// Removes them.
pub(super) fn clear(repository: &Repository, intent: &Intent, site: &Worktree) -> Result<()> {
    let began = UNIX_EPOCH + Duration::from_secs(intent.began);
    let found: Vec<(PathBuf, FileId)> = candidates(repository, intent, site)
        .into_iter()
        .filter(|path| came_since(path, began))
        .filter_map(|path| FileId::of_name(&path).map(|id| (path, id)))
        .collect();
    if found.is_empty() {
        return Ok(());
    }
    std::thread::sleep(AGE);
    let is_worked_in = |directory: &Path| processes::working_in(directory).is_some();
    if is_worked_in(&site.path) || is_worked_in(&site.git_dir) {
        return Ok(());
    }
    let mut places: Vec<PathBuf> = vec![repository.common_dir().to_owned()];
    places.extend(repository.worktrees()?.into_iter().map(|site| site.path));
    let shared_is_free = !processes::may_have_git(&places);
    let shared = shared(repository);
    let is_dead = |(path, id): &&(PathBuf, FileId)| {
        FileId::of_name(path).as_ref() == Some(id) && (*path != shared || shared_is_free)
    };
    found
        .iter()
        .filter(is_dead)
        .try_for_each(|(path, _)| remove_if_there(path))
}

/// The lock that a git takes to forget any ref, `MERGE_HEAD` among them.
fn shared(repository: &Repository) -> PathBuf {
    repository.common_dir().join("packed-refs.lock")
}

/// The locks of the lane's admin directory, of its branch where that is a file, and the shared one.
fn candidates(repository: &Repository, intent: &Intent, site: &Worktree) -> Vec<PathBuf> {
    let is_lock = |path: &PathBuf| path.extension().is_some_and(|end| end == "lock");
    let own = entries(&site.git_dir).map(|entry| entry.path());
    let mut branch = crate::store::path(intent.branch.as_bstr()).into_os_string();
    branch.push(".lock");
    let branch = repository.common_dir().join(branch);
    let others = [branch, shared(repository)];
    own.filter(is_lock).chain(others).collect()
}

/// Whether a git made the file after that moment; one of git-lane's own has a second name.
fn came_since(path: &Path, began: SystemTime) -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::symlink_metadata(path).is_ok_and(|found| {
        let made = found.created().or_else(|_| found.modified());
        found.is_file() && found.nlink() == 1 && made.is_ok_and(|made| made >= began)
    })
}
