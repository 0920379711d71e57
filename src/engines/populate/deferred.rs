//! Writes what waited for the worktree to be in its place: git does it there, with the directories,
//! branch and settings that everything it runs will see.
//!
//! An entry that was never written has no stat data at all in the index, which nothing but its
//! writing changes. That survives any crash, so the command that completes the start of a dead
//! process finds the same files.

use std::ffi::OsString;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use gix::bstr::{BString, ByteSlice as _};
use gix::index::entry::{Flags, Mode, Stage, Stat};
use gix::index::{File, decode};

use super::child::{git, run};
use crate::error::Result;
use crate::store::git::Git;

/// A worktree, and the git that works in it.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The git program.
    pub git: &'a Git,
    /// Arguments that set something for this git alone.
    pub settings: &'a [OsString],
    /// The worktree's top directory.
    pub directory: &'a Path,
    /// Its administrative directory.
    pub admin_dir: &'a Path,
    /// The hash of the repository's object names.
    pub hash: gix::hash::Kind,
}

/// Has git write the files of `commit` that no one has written yet, but for those that are not `wanted`.
/// Files that are there stay as they are.
pub fn complete(
    place: &Place<'_>,
    commit: gix::ObjectId,
    wanted: impl Fn(&BString) -> bool,
    interrupt: &AtomicBool,
) -> Result<()> {
    let read_tree = |how| {
        let options = ["--no-recurse-submodules", "-m", how];
        run(git(place)?.reading_tree(options, [commit]), interrupt)
    };
    if !place.admin_dir.join("index").exists() {
        if is_empty(place.directory) {
            return read_tree("-u");
        }
        // A git that died had begun: what it wrote is compared, not written over.
        read_tree("-i")?;
    }
    let missing = |path: &BString| {
        place
            .directory
            .join(path.to_os_str_lossy())
            .symlink_metadata()
            .is_err()
    };
    let mut list = Vec::new();
    let waits = |path: &BString| missing(path) && wanted(path);
    for path in unwritten(place).into_iter().filter(waits) {
        list.extend_from_slice(&path);
        list.push(0);
    }
    if list.is_empty() {
        return Ok(());
    }
    run(git(place)?.checking_out(["-u"], list), interrupt)
}

/// The entries of an index that have never been written to a file.
pub fn unwritten(place: &Place<'_>) -> Vec<BString> {
    let options = decode::Options::default();
    let Ok(index) = File::at(place.admin_dir.join("index"), place.hash, true, options) else {
        return Vec::new();
    };
    let waits = |entry: &&gix::index::Entry| {
        entry.stat == Stat::default()
            && entry.flags.stage() == Stage::Unconflicted
            && !entry.flags.contains(Flags::SKIP_WORKTREE)
            && !matches!(entry.mode, Mode::COMMIT | Mode::DIR)
    };
    index
        .entries()
        .iter()
        .filter(waits)
        .map(|entry| entry.path(&index).to_owned())
        .collect()
}

/// Nothing is there but the `.git` file.
fn is_empty(directory: &Path) -> bool {
    std::fs::read_dir(directory)
        .is_ok_and(|names| names.flatten().all(|entry| entry.file_name() == ".git"))
}
