//! What macOS does with files, directories and mounts in the place of what Linux has.
//!
//! `store/platform` gives it to `careful_removal`, `command_run` and to the floors above.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, FileType, Mode, chmodat, statat};
use rustix::io::{Errno, Result};
use rustix::process::Pid;

use super::by_device;

/// Whether git refuses names that HFS+ would take for `.git`, where the configuration does not say.
pub const PROTECTS_HFS: bool = true;

/// Where file systems are mounted: no list of them is read here, and the devices tell.
#[derive(Debug)]
pub struct Mounts;

impl Mounts {
    /// Reads nothing yet.
    pub fn now() -> Self {
        Mounts
    }

    /// Whether a directory is one, or has one below it.
    pub fn has_in(&self, directory: &Path) -> bool {
        by_device::has_mount(directory)
    }
}

/// A mount has a device of its own, which tells as much.
pub fn mount_number(_: &Path) -> u64 {
    0
}

/// Every new file gets its directory's group, and no attribute shows an access control list: nothing
/// tells that a file renamed into the directory is what one made there would be.
pub fn inherits_access(_: &Path, _: u32) -> Option<bool> {
    None
}

/// Nothing shows an access control list: there may be one.
pub fn other_writers(_: &Path) -> bool {
    true
}

/// Lets the owner of the directory `name` look and write there; a symbolic link is not followed.
pub fn open_up(at: impl AsFd, name: &[u8]) -> Result<()> {
    let found = statat(&at, name, AtFlags::SYMLINK_NOFOLLOW)?;
    if FileType::from_raw_mode(found.st_mode) != FileType::Directory {
        return Err(Errno::NOTDIR);
    }
    let mode = Mode::from_raw_mode(found.st_mode & 0o7777) | Mode::RWXU;
    chmodat(at, name, mode, AtFlags::SYMLINK_NOFOLLOW)
}

/// kqueue(2) could tell, by a call that is unsafe: callers look again after a while.
pub fn end_of(_: Pid) -> Option<OwnedFd> {
    None
}
