//! Copies one file from another worktree and proves that it is the file that worktree's index
//! knows.

use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use gix::index::entry::Stat;
use rustix::{
    fs::{FileType, Mode, OFlags, fstat, openat},
    io::{Errno, Result},
};

use crate::engines::platform::copy_in_kernel;
use crate::store::file_id::index_stat;

/// Opens the regular file `name` if everything its index entry says still holds to the nanosecond.
///
/// The permissions are not compared: changing them changes the ctime, and the copy gets its own.
pub(super) fn open_settled(
    directory: BorrowedFd<'_>,
    name: &[u8],
    expected: &Stat,
) -> Option<(OwnedFd, rustix::fs::Stat)> {
    // NONBLOCK: a fifo in the file's place must not hang us.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = openat(directory, name, flags, Mode::empty()).ok()?;
    let stat = fstat(&file).ok()?;
    let settled = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
        && is_same(&index_stat(&stat), expected);
    settled.then_some((file, stat))
}

/// The device number is left out, as git leaves it out: it changes when a file system is mounted
/// again.
fn is_same(a: &Stat, b: &Stat) -> bool {
    Stat { dev: 0, ..*a } == Stat { dev: 0, ..*b }
}

/// The content of the file `name`, at most [`SMALL`] bytes, where it is that of the blob `id`;
/// nothing else is asked.
pub(super) fn read_blob<'a>(
    directory: BorrowedFd<'_>,
    name: &[u8],
    size: usize,
    id: gix::ObjectId,
    scratch: &'a mut Vec<u8>,
) -> Option<&'a [u8]> {
    // NONBLOCK: a fifo in the file's place must not hang us.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = openat(directory, name, flags, Mode::empty()).ok()?;
    if scratch.len() <= size {
        scratch.resize(SMALL + 1, 0);
    }
    // A byte more than it has: a file that has grown is another one.
    let read = rustix::io::retry_on_intr(|| rustix::io::read(&file, &mut scratch[..=size])).ok()?;
    let content = scratch.get(..read).filter(|_| read == size)?;
    let found = gix::objs::compute_hash(id.kind(), gix::objs::Kind::Blob, content).ok()?;
    (found == id).then_some(content)
}

/// Whether `from` has the content of the blob `id`; afterwards it is at its beginning again.
pub(super) fn is_blob(
    from: &OwnedFd,
    size: u64,
    id: gix::ObjectId,
    kind: gix::hash::Kind,
    scratch: &mut Vec<u8>,
) -> bool {
    let mut hasher = gix::hash::hasher(kind);
    hasher.update(format!("blob {size}\0").as_bytes());
    if scratch.len() < SMALL {
        scratch.resize(SMALL, 0);
    }
    loop {
        match rustix::io::read(from, &mut scratch[..]) {
            Ok(0) => break,
            Ok(read) => hasher.update(&scratch[..read]),
            Err(Errno::INTR) => {}
            Err(_) => return false,
        }
    }
    rustix::fs::seek(from, rustix::fs::SeekFrom::Start(0)).is_ok()
        && hasher.try_finalize().is_ok_and(|found| found == id)
}

/// Copies all of `from` to the empty file `to`, through `scratch`; false if `from` changed in the
/// meantime.
///
/// `meanwhile` runs between the copy and the second look at `from`.
pub(super) fn copy(
    from: &OwnedFd,
    to: &OwnedFd,
    before: &rustix::fs::Stat,
    scratch: &mut Vec<u8>,
    meanwhile: impl FnOnce(),
) -> Result<bool> {
    let size = u64::try_from(before.st_size).unwrap_or(0);
    let copied = copy_bytes(from, to, size, scratch)?;
    meanwhile();
    Ok(copied == size && is_unchanged(from, before)?)
}

/// Whether an open file is still what it was.
pub(super) fn is_unchanged(file: &OwnedFd, before: &rustix::fs::Stat) -> Result<bool> {
    let after = fstat(file)?;
    Ok(after.st_size == before.st_size && is_same(&index_stat(&after), &index_stat(before)))
}

/// Up to this size two plain calls are faster than copy_file_range; a reflink saves nothing there
/// either.
pub(super) const SMALL: usize = 64 * 1024;

fn copy_bytes(from: &OwnedFd, to: &OwnedFd, size: u64, scratch: &mut Vec<u8>) -> Result<u64> {
    let mut done = 0;
    if size > SMALL as u64 {
        done = copy_in_kernel(from, to, size)?;
    }
    if scratch.len() < SMALL {
        scratch.resize(SMALL, 0);
    }
    while done < size {
        let read = rustix::io::read(from, &mut scratch[..])?;
        if read == 0 {
            break;
        }
        write_all(to, &scratch[..read])?;
        done += read as u64;
    }
    Ok(done)
}

/// Writes all of `data`.
pub(super) fn write_all(to: &OwnedFd, mut data: &[u8]) -> Result<()> {
    while !data.is_empty() {
        match rustix::io::write(to.as_fd(), data) {
            Ok(0) => return Err(Errno::IO),
            Ok(written) => data = &data[written..],
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{error::Error, fs, os::unix::fs::PermissionsExt as _, path::Path};

    use gix::index::entry::stat::Time;

    use super::*;
    use crate::engines::populate::directories::Directories;

    fn settled(root: &Path, expected: &Stat) -> Option<(OwnedFd, rustix::fs::Stat)> {
        let mut directories = Directories::below(root).ok()?;
        open_settled(directories.enter(b"").ok()?, b"file", expected)
    }

    #[test]
    fn a_file_that_changes_while_it_is_copied_is_not_trusted()
    -> std::result::Result<(), Box<dyn Error>> {
        for size in [10, 200_000] {
            let root = tempfile::tempdir()?;
            let path = root.path().join("file");
            fs::write(&path, vec![b'a'; size])?;
            let expected = index_stat(&rustix::fs::stat(&path)?);
            let copy_with =
                |to: &str, meanwhile: &dyn Fn()| -> std::result::Result<bool, Box<dyn Error>> {
                    let (from, before) =
                        settled(root.path(), &expected).ok_or("the file must be settled")?;
                    let to = OwnedFd::from(fs::File::create(root.path().join(to))?);
                    Ok(copy(&from, &to, &before, &mut Vec::new(), meanwhile)?)
                };
            assert!(copy_with("untouched", &|| ())?);
            assert_eq!(fs::read(root.path().join("untouched"))?, vec![b'a'; size]);
            assert!(!copy_with("touched", &|| fs::write(
                &path,
                vec![b'b'; size]
            )
            .unwrap_or_default())?);
            assert!(
                settled(root.path(), &expected).is_none(),
                "and later it is not even opened"
            );
        }
        Ok(())
    }

    #[test]
    fn every_difference_from_the_index_entry_counts() -> std::result::Result<(), Box<dyn Error>> {
        let root = tempfile::tempdir()?;
        let path = root.path().join("file");
        fs::write(&path, "content")?;
        let good = index_stat(&rustix::fs::stat(&path)?);
        assert!(settled(root.path(), &good).is_some());
        assert!(settled(root.path(), &Stat { size: 1, ..good }).is_none());
        assert!(
            settled(
                root.path(),
                &Stat {
                    ino: good.ino ^ 1,
                    ..good
                }
            )
            .is_none()
        );
        for change in [1, 1_000] {
            let later = |time: Time| Time {
                nsecs: time.nsecs ^ change,
                ..time
            };
            assert!(
                settled(
                    root.path(),
                    &Stat {
                        mtime: later(good.mtime),
                        ..good
                    }
                )
                .is_none()
            );
            assert!(
                settled(
                    root.path(),
                    &Stat {
                        ctime: later(good.ctime),
                        ..good
                    }
                )
                .is_none()
            );
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        assert!(settled(root.path(), &good).is_none());
        Ok(())
    }
}
