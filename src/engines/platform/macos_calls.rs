//! What macOS has in the place of calls of Linux; `populate` and `status` use it.

use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{AtFlags, CloneFlags, FileType, Mode, OFlags, fclonefileat, openat};
use rustix::fs::{fchmod, flistxattr, fstat, renameat, unlinkat};
use rustix::io::Result;

use super::are_of_the_system;
use crate::store::journal::unique_id;

/// Copies nothing: [`cloned`] does it where the file system can.
pub fn copy_in_kernel(_from: &OwnedFd, _to: &OwnedFd, _size: u64) -> Result<u64> {
    Ok(0)
}

/// A file in the place of `new`, which is `name` in the directory `at`, that shares the blocks of `from`
/// and has the permissions of `new`; `None` where the file system shares none, or where `from` has
/// attributes that git gives to no file. The clone has another name until it is complete.
pub fn cloned(from: &OwnedFd, new: &OwnedFd, at: impl AsFd, name: &[u8]) -> Option<OwnedFd> {
    let mut attributes = [0_u8; 1024];
    let length = flistxattr(from, &mut attributes[..]).ok()?;
    if !are_of_the_system(attributes.get(..length)?) {
        return None;
    }
    let hidden = format!(".git-lane-{}", unique_id());
    fclonefileat(from, &at, &hidden, CloneFlags::NOOWNERCOPY).ok()?;
    let in_place = || -> Result<OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let clone = openat(&at, &hidden, flags, Mode::empty())?;
        fchmod(&clone, Mode::from_raw_mode(fstat(new)?.st_mode & 0o7777))?;
        renameat(&at, &hidden, &at, name).map(|()| clone)
    };
    let done = in_place();
    if done.is_err() {
        let _ = unlinkat(&at, &hidden, AtFlags::empty());
    }
    done.ok()
}

/// Calls `each` with every name in `directory` except the two dots.
pub fn read_names(directory: &OwnedFd, mut each: impl FnMut(&[u8], FileType)) -> Result<()> {
    for entry in rustix::fs::Dir::read_from(directory)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            each(name, entry.file_type());
        }
    }
    Ok(())
}

/// Nothing tells how much of its files a process has in memory.
pub fn mapped() -> Option<usize> {
    None
}
