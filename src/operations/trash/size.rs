//! How much room a removed lane takes: counted when a command asks, and remembered, because it no
//! longer changes.

use std::collections::HashSet;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::Places;
use crate::domain::trash_entry::Entry;
use crate::repository::Repository;
use crate::store::file_id::FileId;
use crate::store::lane_files;

/// Bytes on disk of an entry; `None` when that cannot be found out before `deadline`. They are
/// remembered.
pub fn of(repository: &Repository, entry: &Entry, deadline: Instant) -> Option<u64> {
    let bytes = count(repository, entry, deadline)?;
    let remembered = super::directory(repository).join(&entry.id).join("size");
    if !remembered.exists() {
        let text = format!("{bytes}\n");
        // On a read-only repository it is counted again next time.
        drop(repository.lane_dir().replace(&remembered, text.as_bytes()));
    }
    Some(bytes)
}

/// The same for a dry run, which writes nothing.
pub fn count(repository: &Repository, entry: &Entry, deadline: Instant) -> Option<u64> {
    let directory = super::directory(repository).join(&entry.id);
    let remembered = directory.join("size");
    let number = |text: Vec<u8>| std::str::from_utf8(text.trim_ascii()).ok()?.parse().ok();
    if let Some(bytes) = lane_files::read(&remembered).ok().and_then(number) {
        return Some(bytes);
    }
    let mut places = vec![directory.clone()];
    if let Some(worktree) = &entry.worktree {
        places.extend(
            Places::new(
                repository.lane_dir(),
                directory.clone(),
                worktree,
                PathBuf::new(),
            )
            .parking(),
        );
    }
    measure(places, deadline)
}

/// Blocks taken by everything below `places`, links not followed, hard links counted once.
fn measure(mut places: Vec<PathBuf>, deadline: Instant) -> Option<u64> {
    let mut bytes = 0;
    let mut seen = HashSet::new();
    while let Some(directory) = places.pop() {
        if Instant::now() > deadline {
            return None;
        }
        bytes += blocks(&directory, &mut seen);
        let entries = lane_files::is_directory(&directory).then(|| std::fs::read_dir(&directory));
        for entry in entries.into_iter().flatten().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                places.push(entry.path());
            } else {
                bytes += blocks(&entry.path(), &mut seen);
            }
        }
    }
    Some(bytes)
}

fn blocks(path: &Path, seen: &mut HashSet<FileId>) -> u64 {
    match std::fs::symlink_metadata(path) {
        Ok(metadata)
            if metadata.nlink() > 1 && !metadata.is_dir() && !seen.insert((&metadata).into()) =>
        {
            0
        }
        Ok(metadata) => metadata.blocks() * 512,
        Err(_) => 0,
    }
}
