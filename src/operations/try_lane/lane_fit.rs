//! Whether the files of a lane can make way for those that were changed in the main worktree: nothing
//! that neither a commit nor the snapshot that is shown has may go. For `to_lane`.

use std::path::Path;

use bstr::BString;

use super::obstructed::{is_alike, keeps_modes, written_by_git};
use super::take_in::{Identity, identity};
use crate::domain::lane::Worktree;
use crate::domain::try_lane::{EndRefusal, Tried};
use crate::error::Result;
use crate::operations::checkout::on_index;
use crate::repository::Repository;
use crate::repository::quarantine::Scratch;
use crate::repository::tree_diff::Changed;
use crate::store::journal::unique_id;

/// Which files the lane has where something was changed.
pub(super) fn identities(site: &Worktree, changed: &[Changed]) -> Vec<Option<Identity>> {
    let of = |change: &Changed| identity(&site.path.join(crate::store::path(&change.path)));
    changed.iter().map(of).collect()
}

/// Refuses where the lane has other bytes than git would write of what was shown: what git is told not
/// to look at, and what a filter or a line ending keeps out of any commit.
pub(super) fn ensure_git_writes(
    repository: &Repository,
    scratch: &Scratch,
    (main, site): (&Worktree, &Worktree),
    tried: &Tried,
    changed: &[Changed],
) -> Result<()> {
    let there = |path: &BString| identity(&site.path.join(crate::store::path(path))).is_some();
    let modes = keeps_modes(repository, site)?;
    let alike = |path: &BString, other: &Path| {
        let path = crate::store::path(path);
        is_alike(&site.path.join(&path), &other.join(&path), modes)
    };
    let paths = |of: &dyn Fn(&Changed) -> bool| -> Vec<BString> {
        let found = changed.iter().filter(|change| of(change));
        let paths = found.map(|change| change.path.clone());
        paths
            .filter(|path| there(path) && !alike(path, &main.path))
            .collect()
    };
    let mut unfit = paths(&|change| change.old.is_none());
    let shown = paths(&|change| change.old.is_some());
    if !shown.is_empty() {
        let index = scratch.path(&format!("shown-{}", unique_id()));
        on_index(repository, site, &index).fill_index(tried.commit)?;
        let written = written_by_git(repository, scratch, site, &index, &shown)?;
        unfit.extend(shown.into_iter().filter(|path| !alike(path, &written)));
    }
    match unfit.is_empty() {
        true => Ok(()),
        false => {
            unfit.sort();
            let (lane, path) = (tried.lane.clone(), site.path.clone());
            Err(EndRefusal::LaneOtherwise(lane, path, unfit).into())
        }
    }
}

/// Whether nothing that no commit has is where a file comes.
pub(super) fn has_room(root: &Path, change: &Changed, going: &[&BString]) -> bool {
    let path = crate::store::path(&change.path);
    let to = root.join(&path);
    if change.new.is_none() {
        return true;
    }
    let goes = |path: &Path| going.iter().any(|gone| crate::store::path(gone) == path);
    let mut above = path
        .ancestors()
        .skip(1)
        .filter(|above| !above.as_os_str().is_empty());
    let stands_there = |above: &Path| {
        let found = std::fs::symlink_metadata(root.join(above));
        found.is_ok_and(|found| !found.is_dir()) && !goes(above)
    };
    if above.any(stands_there) {
        return false;
    }
    match std::fs::symlink_metadata(&to) {
        Err(_) => true,
        Ok(found) if found.is_dir() => is_emptied(root, &path, &goes),
        Ok(_) => change.old.is_some(),
    }
}

/// Whether all that is in a directory goes.
fn is_emptied(root: &Path, directory: &Path, goes: &dyn Fn(&Path) -> bool) -> bool {
    let Ok(mut entries) = std::fs::read_dir(root.join(directory)) else {
        return false;
    };
    entries.all(|entry| {
        entry.is_ok_and(|entry| {
            let path = directory.join(entry.file_name());
            match entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                true => is_emptied(root, &path, goes),
                false => goes(&path),
            }
        })
    })
}
