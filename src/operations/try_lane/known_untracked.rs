//! What was untracked in the main worktree before it shows a lane, all of it ignored there: what the
//! lane ignores may be less.

use std::collections::HashSet;

use bstr::BString;
use serde::{Deserialize, Serialize};

use crate::domain::lane::{Worktree, lossless_bytes};
use crate::error::{Error, IoContext, Result};
use crate::repository::Repository;
use crate::store::git::NONE;
use crate::store::lane_files;

/// The file in `.git/lane`.
const FILE: &str = "try.json";

#[derive(Serialize, Deserialize)]
struct Listed(#[serde(with = "lossless_bytes")] BString);

/// More than that is noted by whole directories: what git-lane reads back has a limit.
const MANY: usize = 32 << 20;

/// Notes what is untracked now.
pub(super) fn note(repository: &Repository, main: &Worktree) -> Result<()> {
    let noted = |options: &[&str]| -> Result<Vec<u8>> {
        let paths = repository.git_in(main).ls_files(options, NONE)?;
        let list: Vec<Listed> = paths.into_iter().map(Listed).collect();
        serde_json::to_vec(&list)
            .map_err(|error| Error::environment("cannot note what is untracked").caused_by(error))
    };
    let mut text = noted(&["--others"])?;
    if text.len() > MANY {
        text = noted(&["--others", "--directory"])?;
    }
    let path = repository.lane_dir().join(FILE);
    repository.lane_dir().replace(&path, &text)
}

/// What was there.
pub(super) struct Known {
    files: HashSet<BString>,
    directories: Vec<BString>,
}

impl Known {
    /// As it was noted.
    pub(super) fn read(repository: &Repository) -> Result<Self> {
        let path = repository.lane_dir().join(FILE);
        let text = lane_files::read(&path).context("read", &path)?;
        let all: Vec<Listed> = serde_json::from_slice(&text).map_err(|error| {
            Error::environment(format!("cannot read '{}'", path.display())).caused_by(error)
        })?;
        let all = all.into_iter().map(|Listed(path)| path);
        let (directories, files) = all.partition(|path| path.ends_with(b"/"));
        let files: Vec<BString> = files;
        Ok(Known {
            files: files.into_iter().collect(),
            directories,
        })
    }

    /// Whether it has this path.
    pub(super) fn has(&self, path: &BString) -> bool {
        self.files.contains(path) || self.directories.iter().any(|had| path.starts_with(had))
    }
}

/// Of these untracked paths, those that were not there.
pub(super) fn new_among(repository: &Repository, mut paths: Vec<BString>) -> Vec<BString> {
    // What cannot be read says of none that it was there.
    if let Ok(known) = Known::read(repository) {
        paths.retain(|path| !known.has(path));
    }
    paths
}

/// Forgets it.
pub(super) fn forget(repository: &Repository) -> Result<()> {
    lane_files::remove_if_there(&repository.lane_dir().join(FILE))
}
