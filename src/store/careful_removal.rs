//! Removes what programs of the user's have left in a directory of git-lane's own.
//!
//! Every directory on the way is opened below the one before, and no symbolic link is followed: what
//! is removed lies where its path says, whatever another process puts in its place meanwhile.
//! Directories that their owner closed are opened up first. Called by `operations/gate`.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, openat, statat, unlinkat};
use rustix::io::{Errno, Result};

use super::platform;

/// How deep directories are gone into.
const DEEPEST: usize = 500;

fn directory(at: impl AsFd, name: &[u8]) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(at, name, flags, Mode::empty())
}

/// Opens the directory `root`, which is the caller's own.
pub fn open(root: &Path) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::open(root, flags, Mode::empty())
}

/// The directory that holds the last name of `path`, and that name. `None` where there is no such
/// directory any more.
pub fn parent<'a>(root: &OwnedFd, path: &'a [u8]) -> Result<Option<(OwnedFd, &'a [u8])>> {
    let path = path.strip_suffix(b"/").unwrap_or(path);
    let mut names = path.split(|byte| *byte == b'/');
    let last = names.next_back().unwrap_or_default();
    let mut at = root.try_clone().map_err(|_| Errno::MFILE)?;
    for name in names {
        if matches!(name, b"" | b"." | b"..") {
            return Err(Errno::INVAL);
        }
        at = match directory(&at, name) {
            Ok(below) => below,
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return Ok(None),
            Err(error) => return Err(error),
        };
    }
    match last {
        b"" | b"." | b".." => Err(Errno::INVAL),
        _ => Ok(Some((at, last))),
    }
}

/// Removes what is at `path` below `root`, a directory with all that is in it. Nothing there is no
/// error.
pub fn remove(root: &OwnedFd, path: &[u8]) -> Result<()> {
    match parent(root, path)? {
        Some((at, name)) => remove_in(&at, name, 0),
        None => Ok(()),
    }
}

/// Removes the directories above `path` that are empty now, up to `root`.
pub fn remove_empty_above(root: &OwnedFd, path: &[u8]) {
    let mut path = path.strip_suffix(b"/").unwrap_or(path);
    while let Some(slash) = path.iter().rposition(|byte| *byte == b'/') {
        path = &path[..slash];
        match parent(root, path) {
            Ok(Some((at, name))) if unlinkat(&at, name, AtFlags::REMOVEDIR).is_ok() => {}
            _ => return,
        }
    }
}

/// Lets the owner of the directory at `path` below `root` look and write there.
pub fn open_up(root: &OwnedFd, path: &[u8]) -> Result<()> {
    if path.is_empty() {
        return platform::open_up(root, b".");
    }
    match parent(root, path)? {
        Some((at, name)) => platform::open_up(&at, name),
        None => Ok(()),
    }
}

fn remove_in(at: &OwnedFd, name: &[u8], depth: usize) -> Result<()> {
    match unlinkat(at, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        // EPERM is what POSIX has for a directory.
        Err(Errno::ISDIR | Errno::PERM | Errno::ACCESS) => {}
        Err(error) => return Err(error),
    }
    let found = statat(at, name, AtFlags::SYMLINK_NOFOLLOW)?;
    if FileType::from_raw_mode(found.st_mode) != FileType::Directory {
        return unlinkat(at, name, AtFlags::empty());
    }
    if depth >= DEEPEST {
        return Err(Errno::NAMETOOLONG);
    }
    if found.st_mode & 0o700 != 0o700 {
        platform::open_up(at, name)?;
    }
    let inside = directory(at, name)?;
    for name in names(&inside)? {
        remove_in(&inside, name.as_bytes(), depth + 1)?;
    }
    match unlinkat(at, name, AtFlags::REMOVEDIR) {
        Err(Errno::NOENT) => Ok(()),
        done => done,
    }
}

/// The names in an open directory.
pub fn names(directory: &OwnedFd) -> Result<Vec<OsString>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            names.push(OsStr::from_bytes(name).to_owned());
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn what_is_named_goes_and_nothing_that_a_link_leads_to() {
        let place = tempfile::tempdir().unwrap();
        let (root, outside) = (place.path().join("root"), place.path().join("outside"));
        for directory in ["root/a/b/c", "root/closed/d", "outside/deep"] {
            std::fs::create_dir_all(place.path().join(directory)).unwrap();
        }
        std::fs::write(outside.join("deep/precious"), "mine").unwrap();
        std::fs::write(root.join("a/b/c/file"), "").unwrap();
        std::fs::write(root.join("closed/d/file"), "").unwrap();
        symlink(&outside, root.join("a/b/link")).unwrap();
        symlink(&outside, root.join("way")).unwrap();
        let closed = std::fs::Permissions::from_mode(0o000);
        std::fs::set_permissions(root.join("closed"), closed).unwrap();
        let open = open(&root).unwrap();
        for path in [
            "way/deep/precious",
            "nothing/here",
            "a/b/",
            "closed/",
            "way",
        ] {
            remove(&open, path.as_bytes()).unwrap();
        }
        for path in ["../outside", "a/../../outside", "", "."] {
            assert!(remove(&open, path.as_bytes()).is_err(), "{path}");
        }
        let left: Vec<_> = std::fs::read_dir(&root).unwrap().flatten().collect();
        assert_eq!(left.len(), 1, "{left:?}");
        assert!(outside.join("deep/precious").exists());
    }

    #[test]
    fn a_closed_directory_is_opened_up_and_an_empty_one_goes() {
        let place = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(place.path().join("a/b")).unwrap();
        let mode = |path: &str| {
            std::fs::metadata(place.path().join(path))
                .unwrap()
                .permissions()
                .mode()
        };
        let closed = std::fs::Permissions::from_mode(0o055);
        std::fs::set_permissions(place.path().join("a"), closed).unwrap();
        let root = open(place.path()).unwrap();
        open_up(&root, b"a/").unwrap();
        assert_eq!(mode("a") & 0o777, 0o755);
        remove_empty_above(&root, b"a/b/gone");
        assert!(!place.path().join("a").exists());
    }
}
