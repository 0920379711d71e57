//! What this user has done that a repository cannot vouch for itself: where worktrees were put that
//! are not in the usual places, and what settings of their own worktrees had that went into the
//! trash. One line for each in the user's own state directory.
//!
//! A user who cannot write there loses nothing but the automatic way back: `git lane restore
//! --path` names the place again, and settings are named with the command that sets them.

use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::lane_files;
use crate::domain::lane::{ObjectId, hex, lossless_path};
use crate::store::state_home;

/// One line of [`PLACES`].
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    #[serde(with = "lossless_path")]
    repository: PathBuf,
    #[serde(with = "lossless_path")]
    worktree: PathBuf,
}

/// One line of [`SETTINGS`].
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Settings {
    #[serde(with = "lossless_path")]
    repository: PathBuf,
    /// What git would call a blob of that content.
    #[serde(with = "hex")]
    content: ObjectId,
}

const PLACES: &str = "places";

const SETTINGS: &str = "settings";

fn file(name: &str) -> Option<PathBuf> {
    state_home::path().map(|home| home.join(name))
}

fn has<T: DeserializeOwned + PartialEq>(name: &str, wanted: &T) -> bool {
    let Some(text) = file(name).and_then(|file| lane_files::read(&file).ok()) else {
        return false;
    };
    let same = |known: T| known == *wanted;
    text.split(|byte| *byte == b'\n')
        .any(|line| serde_json::from_slice(line).is_ok_and(same))
}

/// Adds a line, as far as the user's directory can be written.
fn put<T: Serialize + DeserializeOwned + PartialEq>(name: &str, known: &T) {
    let (Some(file), Ok(mut line)) = (file(name), serde_json::to_vec(known)) else {
        return;
    };
    if has(name, known) {
        return;
    }
    line.push(b'\n');
    let made = file.parent().map(|parent| {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(parent)
    });
    let opened = made
        .and_then(Result::ok)
        .and_then(|()| lane_files::append(&file).ok());
    if let Some(mut file) = opened {
        let _ = file.write_all(&line);
    }
}

/// Whether a worktree of the repository at `common_dir` has been put at `path`.
pub fn knows(common_dir: &Path, path: &Path) -> bool {
    has(
        PLACES,
        &Place {
            repository: common_dir.to_owned(),
            worktree: path.to_owned(),
        },
    )
}

/// Remembers it.
pub fn add(common_dir: &Path, path: &Path) {
    put(
        PLACES,
        &Place {
            repository: common_dir.to_owned(),
            worktree: path.to_owned(),
        },
    );
}

/// Whether a worktree of the repository at `common_dir` had a file of settings with that content.
pub fn vouches(common_dir: &Path, content: &[u8]) -> bool {
    id(content).is_some_and(|content| {
        has(
            SETTINGS,
            &Settings {
                repository: common_dir.to_owned(),
                content,
            },
        )
    })
}

/// Remembers it.
pub fn vouch(common_dir: &Path, content: &[u8]) {
    if let Some(content) = id(content) {
        put(
            SETTINGS,
            &Settings {
                repository: common_dir.to_owned(),
                content,
            },
        );
    }
}

fn id(content: &[u8]) -> Option<ObjectId> {
    gix::objs::compute_hash(gix::hash::Kind::Sha1, gix::objs::Kind::Blob, content).ok()
}
