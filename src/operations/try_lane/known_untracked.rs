//! What was untracked in the main worktree before it shows a lane, all of it ignored there: what the
//! lane ignores may be less.

use bstr::BString;
use serde::{Deserialize, Serialize};

use crate::domain::lane::{Worktree, lossless_bytes};
use crate::error::{Error, Result};
use crate::repository::Repository;
use crate::store::git::NONE;
use crate::store::lane_files;

/// The file in `.git/lane`.
const FILE: &str = "try.json";

#[derive(Serialize, Deserialize)]
struct Listed(#[serde(with = "lossless_bytes")] BString);

/// Notes what is untracked now, whole directories as one.
pub(super) fn note(repository: &Repository, main: &Worktree) -> Result<()> {
    let options = ["--others", "--directory"];
    let paths = repository.git_in(main).ls_files(&options, NONE)?;
    let list: Vec<Listed> = paths.into_iter().map(Listed).collect();
    let text = serde_json::to_vec(&list)
        .map_err(|error| Error::environment("cannot note what is untracked").caused_by(error))?;
    let path = repository.lane_dir().join(FILE);
    repository.lane_dir().replace(&path, &text)
}

/// Of these untracked paths, those that were not there.
pub(super) fn new_among(repository: &Repository, paths: Vec<BString>) -> Vec<BString> {
    let path = repository.lane_dir().join(FILE);
    // What cannot be read says of none that it was there.
    let known: Vec<Listed> = lane_files::read(&path)
        .ok()
        .and_then(|text| serde_json::from_slice(&text).ok())
        .unwrap_or_default();
    let was_there = |path: &BString| {
        known.iter().any(|Listed(had)| match had.ends_with(b"/") {
            true => path.starts_with(had),
            false => had == path,
        })
    };
    paths.into_iter().filter(|path| !was_there(path)).collect()
}

/// Forgets it.
pub(super) fn forget(repository: &Repository) -> Result<()> {
    lane_files::remove_if_there(&repository.lane_dir().join(FILE))
}
