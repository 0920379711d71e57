//! Hears of no change, for `watch`: kevent(2) is an unsafe call, and would want a descriptor for each
//! file. The caller looks again after a while.

use std::os::fd::BorrowedFd;
use std::path::Path;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::engines::watch::Woken;

/// Directories that are not watched.
#[derive(Debug, Default)]
pub struct Watch;

impl Watch {
    /// Watches nothing.
    pub fn begin() -> Self {
        Watch
    }

    /// Watches nothing new.
    pub fn follow<P: AsRef<Path>>(&mut self, _: impl IntoIterator<Item = P>) -> bool {
        false
    }

    /// Sleeps for that long.
    pub fn sleep(&mut self, longest: Duration) {
        std::thread::sleep(longest);
    }

    /// The same, or until there is something to read from `input`; says which.
    pub fn sleep_beside(&mut self, longest: Duration, input: Option<BorrowedFd<'_>>) -> Woken {
        let Some(input) = input else {
            self.sleep(longest);
            return Woken::Time;
        };
        let mut ready = [PollFd::from_borrowed_fd(input, PollFlags::IN)];
        let longest = Timespec::try_from(longest).ok();
        match poll(&mut ready, longest.as_ref()) {
            Ok(1..) => Woken::Input,
            _ => Woken::Time,
        }
    }
}
