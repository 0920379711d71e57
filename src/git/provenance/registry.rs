//! Where this user has put worktrees that are not in the usual places: one line for each in the user's own state directory,
//! because a repository cannot vouch for itself.
//!
//! Whoever cannot write there loses nothing but the automatic way back of such a lane: `git lane restore --path` names the
//! place again.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::lane_files;
use crate::domain::lane::lossless_path;

/// One line of the file.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    #[serde(with = "lossless_path")]
    repository: PathBuf,
    #[serde(with = "lossless_path")]
    worktree: PathBuf,
}

/// The file, by the XDG base directory specification.
fn file() -> Option<PathBuf> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")))?;
    Some(state.join("git-lane/places"))
}

/// Whether a worktree of the repository at `common_dir` has been put at `path`.
pub fn knows(common_dir: &Path, path: &Path) -> bool {
    let Some(text) = file().and_then(|file| lane_files::read(&file).ok()) else { return false };
    let same = |known: Known| known.repository == common_dir && known.worktree == path;
    text.split(|byte| *byte == b'\n').any(|line| serde_json::from_slice(line).is_ok_and(same))
}

/// Remembers it, as far as the user's directory can be written.
pub fn add(common_dir: &Path, path: &Path) {
    let known = Known { repository: common_dir.to_owned(), worktree: path.to_owned() };
    let (Some(file), Ok(mut line)) = (file(), serde_json::to_vec(&known)) else { return };
    if knows(common_dir, path) {
        return;
    }
    line.push(b'\n');
    use std::os::unix::fs::DirBuilderExt;
    let made = file.parent().map(|parent| std::fs::DirBuilder::new().recursive(true).mode(0o700).create(parent));
    let opened = made.and_then(Result::ok).and_then(|()| lane_files::append(&file).ok());
    if let Some(mut file) = opened {
        let _ = file.write_all(&line);
    }
}
