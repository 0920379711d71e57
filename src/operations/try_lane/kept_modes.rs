//! The permissions of the files that a lane takes the place of: git keeps only who may run a file, and
//! `main_move` gives them the rest again.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use bstr::{BString, ByteSlice};
use serde::{Deserialize, Serialize};

use super::take_in::{is_behind_something, is_inside};
use crate::domain::lane::{Worktree, lossless_bytes};
use crate::error::{Error, Result};
use crate::repository::Repository;
use crate::repository::tree_diff::Changed;
use crate::store::lane_files;

/// The file in `.git/lane`.
const FILE: &str = "try-modes.json";

#[derive(Serialize, Deserialize)]
struct Kept(#[serde(with = "lossless_bytes")] BString, u32);

/// Notes them, before the files go.
pub(super) fn note(repository: &Repository, main: &Worktree, changed: &[Changed]) -> Result<()> {
    let going = changed.iter().filter(|change| change.old.is_some());
    let kept: Vec<Kept> = going
        .filter_map(|change| {
            let file = main.path.join(crate::store::path(&change.path));
            mode(&file).map(|mode| Kept(change.path.clone(), mode))
        })
        .collect();
    let text = serde_json::to_vec(&kept)
        .map_err(|error| Error::environment("cannot note permissions").caused_by(error))?;
    let path = repository.lane_dir().join(FILE);
    repository.lane_dir().replace(&path, &text)
}

/// Gives the files that are back those permissions, where git says the same of who may run them.
pub(super) fn give_back(repository: &Repository, main: &Path) {
    let text = lane_files::read(&repository.lane_dir().join(FILE)).ok();
    let kept: Vec<Kept> = text
        .and_then(|text| serde_json::from_slice(&text).ok())
        .unwrap_or_default();
    for Kept(path, had) in kept {
        let file = main.join(crate::store::path(&path));
        if !is_inside(path.as_bstr()) || is_behind_something(main, &file) {
            continue;
        }
        let runs = |mode: u32| mode & 0o100 != 0;
        let had = had & 0o777;
        if mode(&file).is_some_and(|now| now != had && runs(now) == runs(had)) {
            // A file that another user has written is his.
            drop(std::fs::set_permissions(
                &file,
                PermissionsExt::from_mode(had),
            ));
        }
    }
}

/// Forgets them.
pub(super) fn forget(repository: &Repository) -> Result<()> {
    lane_files::remove_if_there(&repository.lane_dir().join(FILE))
}

/// Of a plain file that has no other name.
fn mode(file: &Path) -> Option<u32> {
    let found = std::fs::symlink_metadata(file).ok()?;
    (found.is_file() && found.nlink() == 1).then(|| found.permissions().mode() & 0o777)
}
