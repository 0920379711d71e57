//! What only Linux does with files, directories and mounts.
//!
//! `store/platform` gives it to `careful_removal`, `command_run` and to the floors above.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, StatxFlags, openat, statx};
use rustix::io::Result;
use rustix::process::Pid;

use super::by_device;
use super::mount_table::mount_points;

/// Whether git refuses names that HFS+ would take for `.git`, where the configuration does not say.
pub const PROTECTS_HFS: bool = false;

/// Where file systems are mounted.
#[derive(Debug)]
pub struct Mounts(Option<Vec<PathBuf>>);

impl Mounts {
    /// Reads the kernel's list, where it can be read.
    pub fn now() -> Self {
        let table = std::fs::read("/proc/self/mountinfo").ok();
        Mounts(table.map(|table| mount_points(&table)))
    }

    /// Whether a directory is one, or has one below it.
    pub fn has_in(&self, directory: &Path) -> bool {
        match &self.0 {
            Some(mounts) => mounts.iter().any(|mount| mount.starts_with(directory)),
            None => by_device::has_mount(directory),
        }
    }
}

/// Nothing is renamed from one mount to another, not even where both show the same device; 0 if the
/// system does not say.
pub fn mount_number(directory: &Path) -> u64 {
    let flags = AtFlags::SYMLINK_NOFOLLOW;
    let found = statx(CWD, directory, flags, StatxFlags::MNT_ID);
    found.map_or(0, |found| found.stx_mnt_id)
}

/// Whether what is made in a directory of that `mode` gets its group or an access control list (acl(5))
/// from it; `None` where nothing tells.
pub fn inherits_access(directory: &Path, mode: u32) -> Option<bool> {
    Some(mode & 0o2000 != 0 || has_list(directory, "system.posix_acl_default"))
}

/// Whether an access control list names more users who may write in a directory than mode and group
/// do.
pub fn other_writers(directory: &Path) -> bool {
    has_list(directory, "system.posix_acl_access")
}

fn has_list(directory: &Path, name: &str) -> bool {
    rustix::fs::getxattr(directory, name, &mut [0_u8; 0][..]).is_ok()
}

/// Lets the owner of the directory `name` look and write there; a symbolic link is not followed. A
/// descriptor that is for its path only can be had of a closed directory, and cannot be told to change
/// the mode, but its name can.
pub fn open_up(at: impl AsFd, name: &[u8]) -> Result<()> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let directory = openat(at, name, flags, Mode::empty())?;
    let mode = Mode::from_raw_mode(rustix::fs::fstat(&directory)?.st_mode & 0o7777) | Mode::RWXU;
    rustix::fs::chmod(format!("/proc/self/fd/{}", directory.as_raw_fd()), mode)
}

/// What can be polled for the end of a process.
pub fn end_of(leader: Pid) -> Option<OwnedFd> {
    rustix::process::pidfd_open(leader, rustix::process::PidfdFlags::empty()).ok()
}
