//! What `git rebase --autostash` puts aside before it asks pre-rebase. Gits before 2.40 leave it
//! there when that refuses, in a directory of a rebase that never was, where the user does not find
//! it.

use std::path::{Path, PathBuf};

use bstr::ByteSlice;

use crate::error::{Error, Result};
use crate::guard::site::Place;

/// Where a rebase keeps it, by the backend.
const DIRECTORIES: [&str; 2] = ["rebase-merge", "rebase-apply"];

/// Whether a rebase's directory holds nothing else: that rebase has not begun.
pub(super) fn is_alone_in(directory: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return false;
    };
    let names: Vec<_> = entries.flatten().map(|entry| entry.file_name()).collect();
    names.len() == 1 && names.iter().all(|name| name == "autostash")
}

/// Whether a rebase has put edits aside and not begun.
pub(super) fn is_waiting(place: &Place) -> bool {
    found(place).is_some()
}

fn found(place: &Place) -> Option<PathBuf> {
    DIRECTORIES
        .map(|name| place.git_dir.join(name))
        .into_iter()
        .find(|directory| is_alone_in(directory))
}

/// Gives the edits back as they were, what was staged included, when the rebase is about to be
/// refused. The error says how the user does it.
pub(super) fn bring_back(place: &Place) -> Result<()> {
    let Some(directory) = found(place) else {
        return Ok(());
    };
    let file = directory.join("autostash");
    // One that an earlier rebase left is not what the user has just put aside.
    if place
        .caller()
        .is_none_or(|caller| caller.command != "rebase" || !caller.wrote(&file))
    {
        return Ok(());
    }
    let Ok(text) = crate::store::optional::bytes(&file) else {
        return Ok(());
    };
    let id = text.trim().to_str_lossy().into_owned();
    if let Err(error) = place.git().stash_apply(&id) {
        let said = "what 'git rebase --autostash' has put aside could not be given back";
        return Err(Error::git(said).caused_by(error.to_string()).hint(format!(
            "bring your edits back with: git stash apply --index {id}"
        )));
    }
    // A git that would apply it itself finds it done.
    drop(std::fs::remove_file(&file));
    drop(std::fs::remove_dir(&directory));
    Ok(())
}
