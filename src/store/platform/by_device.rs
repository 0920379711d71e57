//! Whether something is mounted in a directory, found out by the devices of the directories in it:
//! slow, and true wherever each mount has a device of its own.
//!
//! For systems that have no list of mounts, or do not show it; `store/platform` asks.

use std::path::Path;

use crate::store::file_id::FileId;

/// Whether it is itself one, or has one below it. One that cannot be looked into may.
pub fn has_mount(directory: &Path) -> bool {
    let Some(own) = FileId::of_name(directory) else {
        return false;
    };
    let above = directory.parent().and_then(FileId::of);
    above.is_some_and(|above| !above.is_beside(own)) || has_other_device(directory, own)
}

fn has_other_device(directory: &Path, own: FileId) -> bool {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return true;
    };
    entries.flatten().any(|entry| {
        let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let is_elsewhere = || {
            let found = FileId::of_name(&entry.path());
            found.is_none_or(|found| !found.is_beside(own))
        };
        is_directory && (is_elsewhere() || has_other_device(&entry.path(), own))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_device_is_a_mount() {
        let place = tempfile::tempdir().unwrap();
        let deep = place.path().join("a/b");
        std::fs::create_dir_all(&deep).unwrap();
        std::fs::write(deep.join("file"), "").unwrap();
        std::os::unix::fs::symlink("/dev", deep.join("link")).unwrap();
        for (directory, expected) in [
            (place.path(), false),
            (&deep, false),
            (&place.path().join("none"), false),
            (Path::new("/dev"), true),
        ] {
            assert_eq!(has_mount(directory), expected, "{}", directory.display());
        }
    }
}
