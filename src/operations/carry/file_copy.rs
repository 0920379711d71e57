//! One file of uncommitted work: put into another worktree, and compared with what is there.

use std::fs::{File, FileTimes, Metadata};
use std::io::{ErrorKind, Read, Result};
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;

/// How a file comes into the other worktree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// By a second name of the same file, where the file system has that: what a program still writes
    /// to it is then in both places, and the first name can go without a loss. A copy elsewhere.
    SecondName,
    /// As a file of its own.
    Copy,
}

/// Puts the file `from` where nothing is.
pub(super) fn put(from: &Path, to: &Path, way: Way) -> Result<()> {
    if way == Way::SecondName {
        match std::fs::hard_link(from, to) {
            Ok(()) => return Ok(()),
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::AlreadyExists) =>
            {
                return Err(error);
            }
            // Another file system, one without second names, or another user's file.
            Err(_) => {}
        }
    }
    let found = std::fs::symlink_metadata(from)?;
    if found.is_symlink() {
        return symlink(std::fs::read_link(from)?, to);
    }
    if !found.is_file() {
        return Err(ErrorKind::Unsupported.into());
    }
    std::fs::copy(from, to)?;
    date(to, &found)
}

fn date(to: &Path, found: &Metadata) -> Result<()> {
    let times = FileTimes::new().set_modified(found.modified()?);
    // A file that the user may neither read nor write keeps the time of its copy.
    match File::open(to) {
        Ok(file) => file.set_times(times),
        Err(_) => Ok(()),
    }
}

/// Whether two files are the same one, or alike in kind, bytes and what may be done with them. One that
/// cannot be read is like no other.
pub(super) fn is_same(one: &Path, other: &Path) -> bool {
    let (Ok(a), Ok(b)) = (
        std::fs::symlink_metadata(one),
        std::fs::symlink_metadata(other),
    ) else {
        return false;
    };
    if (a.dev(), a.ino()) == (b.dev(), b.ino()) {
        return !a.is_dir();
    }
    if a.is_symlink() && b.is_symlink() {
        let targets = [one, other].map(|link| std::fs::read_link(link).ok());
        return targets[0].is_some() && targets[0] == targets[1];
    }
    let alike = a.is_file() && b.is_file() && a.len() == b.len() && a.mode() == b.mode();
    alike && have_same_bytes(one, other).unwrap_or(false)
}

fn have_same_bytes(one: &Path, other: &Path) -> Result<bool> {
    let mut files = [File::open(one)?, File::open(other)?];
    let (mut a, mut b) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        let [first, second] = &mut files;
        let read = fill(first, &mut a)?;
        if read != fill(second, &mut b)? || a[..read] != b[..read] {
            return Ok(false);
        }
        if read < a.len() {
            return Ok(true);
        }
    }
}

/// Reads until the buffer is full or the file ends.
fn fill(file: &mut File, buffer: &mut [u8]) -> Result<usize> {
    let mut done = 0;
    while done < buffer.len() {
        match file.read(&mut buffer[done..]) {
            Ok(0) => break,
            Ok(read) => done += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_comes_with_its_bytes_mode_and_time_whatever_the_way() {
        for way in [Way::SecondName, Way::Copy] {
            let root = tempfile::tempdir().unwrap();
            let [from, to] = ["from", "to"].map(|name| root.path().join(name));
            fs::write(&from, vec![7; 200_000]).unwrap();
            fs::set_permissions(&from, fs::Permissions::from_mode(0o750)).unwrap();
            put(&from, &to, way).unwrap();
            let [a, b] = [&from, &to].map(|path| fs::symlink_metadata(path).unwrap());
            assert_eq!(a.ino() == b.ino(), way == Way::SecondName);
            assert_eq!((a.mode(), a.mtime_nsec()), (b.mode(), b.mtime_nsec()));
            assert!(is_same(&from, &to));
            assert!(put(&from, &to, Way::SecondName).is_err());
            let [link, other] = ["link", "other"].map(|name| root.path().join(name));
            symlink("nowhere", &link).unwrap();
            put(&link, &other, way).unwrap();
            assert!(is_same(&link, &other) && !is_same(&link, &from));
        }
    }

    #[test]
    fn one_byte_or_bit_is_a_difference() {
        let root = tempfile::tempdir().unwrap();
        let [one, other] = ["one", "other"].map(|name| root.path().join(name));
        fs::write(&one, vec![7; 200_000]).unwrap();
        let mut bytes = vec![7; 200_000];
        fs::write(&other, &bytes).unwrap();
        assert!(is_same(&one, &other));
        bytes[199_999] = 8;
        fs::write(&other, &bytes).unwrap();
        assert!(!is_same(&one, &other));
        fs::copy(&one, &other).unwrap();
        fs::set_permissions(&other, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(!is_same(&one, &other));
        assert!(!is_same(&one, root.path()) && !is_same(root.path(), root.path()));
    }
}
