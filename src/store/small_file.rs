//! Reads git's files of a line or two with as few system calls as that takes: there are six of them
//! to each worktree.

use std::os::fd::AsFd;

use rustix::fs::{Mode, OFlags, openat};
use rustix::io::Errno;

/// More than one of them holds, and what one read takes.
const USUAL: usize = 512;

/// None is longer; a device in the place of one never ends.
const MOST: usize = 1 << 20;

/// All of the file `name` below the open directory `at`, or of the path `name`; what is no regular
/// file gives an error or nothing, and never hangs.
pub(crate) fn read(at: impl AsFd, name: impl rustix::path::Arg) -> rustix::io::Result<Vec<u8>> {
    read_all(openat(
        at,
        name,
        OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC,
        Mode::empty(),
    )?)
}

/// All that is in an open file.
pub(crate) fn read_all(file: impl AsFd) -> rustix::io::Result<Vec<u8>> {
    let mut text = Vec::with_capacity(USUAL);
    loop {
        match rustix::io::read(&file, rustix::buffer::spare_capacity(&mut text)) {
            Ok(0) => break,
            Ok(_) => {}
            Err(Errno::INTR) => continue,
            Err(error) => return Err(error),
        }
        // Only the end of a file gives less than was asked for.
        if text.len() < text.capacity() || text.len() > MOST {
            break;
        }
        text.reserve(text.len());
    }
    Ok(text)
}
