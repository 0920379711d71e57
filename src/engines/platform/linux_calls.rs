//! Calls that only Linux has, or has a faster one of; `populate` and `status` use them.

use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::FileType;
use rustix::io::{Errno, Result};

/// Shares the blocks where the file system can (btrfs, xfs), copies without a detour through user
/// space elsewhere.
pub fn copy_in_kernel(from: &OwnedFd, to: &OwnedFd, size: u64) -> Result<u64> {
    let mut done = 0;
    while done < size {
        let length = usize::try_from(size - done)
            .unwrap_or(usize::MAX)
            .min(1 << 30);
        match rustix::fs::copy_file_range(from, None, to, None, length) {
            Ok(0) => break,
            Ok(copied) => done += copied as u64,
            Err(Errno::INTR) => {}
            // Not on this kernel or not between these file systems: both offsets still agree, read
            // and write go on.
            Err(Errno::XDEV | Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP | Errno::PERM) => {
                break;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

/// A file in the place of `new` that shares the blocks of `from`: here copying does that by itself.
pub fn cloned(_from: &OwnedFd, _new: &OwnedFd, _at: impl AsFd, _name: &[u8]) -> Option<OwnedFd> {
    None
}

/// Calls `each` with every name in `directory` except the two dots.
pub fn read_names(directory: &OwnedFd, mut each: impl FnMut(&[u8], FileType)) -> Result<()> {
    let mut buffer = [const { std::mem::MaybeUninit::<u8>::uninit() }; 16 << 10];
    let mut names = rustix::fs::RawDir::new(directory, &mut buffer);
    while let Some(entry) = names.next() {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            each(name, entry.file_type());
        }
    }
    Ok(())
}

/// How many bytes of files this process has mapped and in memory (proc(5), the third number of
/// `statm`).
pub fn mapped() -> Option<usize> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: usize = text.split(' ').nth(2)?.parse().ok()?;
    Some(pages * rustix::param::page_size())
}
