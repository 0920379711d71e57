//! Hears of changes in directories by inotify(7), for `watch`.
//!
//! The notify crate asks inotify for each opening of a file too, and would be woken by every git
//! beside, and by each look of its caller.

use std::collections::HashSet;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};

use crate::engines::watch::Woken;

/// In a storm of changes the caller is woken no more often than this.
const STORM: Duration = Duration::from_millis(5);

/// Directories that are watched.
#[derive(Debug, Default)]
pub struct Watch {
    /// `None` where the user has as many of them as the system allows.
    inotify: Option<OwnedFd>,
    /// The kernel's numbers for the directories; it gives none twice.
    known: HashSet<i32>,
    /// When the caller was woken last.
    woken: Option<Instant>,
}

impl Watch {
    /// Watches nothing yet.
    pub fn begin() -> Self {
        Watch {
            inotify: inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).ok(),
            known: HashSet::new(),
            woken: None,
        }
    }

    /// Watches these directories too, not what is below them; one that is not there is passed
    /// over. Says whether one was not watched before: then what happened in it until now was not
    /// heard.
    pub fn follow<P: AsRef<Path>>(&mut self, directories: impl IntoIterator<Item = P>) -> bool {
        let Some(inotify) = &self.inotify else {
            return false;
        };
        let changes = WatchFlags::CREATE
            | WatchFlags::DELETE
            | WatchFlags::MODIFY
            | WatchFlags::MOVED_FROM
            | WatchFlags::MOVED_TO
            | WatchFlags::ONLYDIR;
        let mut new = false;
        for directory in directories {
            if let Ok(number) = inotify::add_watch(inotify, directory.as_ref(), changes) {
                new |= self.known.insert(number);
            }
        }
        new
    }

    /// Sleeps for that long, or until something has changed.
    pub fn sleep(&mut self, longest: Duration) {
        self.sleep_beside(longest, None);
    }

    /// The same, or until there is something to read from `input`; says which.
    pub fn sleep_beside(&mut self, longest: Duration, input: Option<BorrowedFd<'_>>) -> Woken {
        let end = Instant::now() + longest;
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            let own = self.inotify.as_ref().map(AsFd::as_fd);
            let asked = own.into_iter().chain(input);
            let mut ready: Vec<_> = asked
                .map(|asked| PollFd::from_borrowed_fd(asked, PollFlags::IN))
                .collect();
            if ready.is_empty() {
                std::thread::sleep(left);
                return Woken::Time;
            }
            let left = Timespec::try_from(left).ok();
            poll(&mut ready, left.as_ref()).unwrap_or_else(|_| {
                // A signal that does not end the program is no change.
                std::thread::sleep(STORM);
                0
            });
            let is_ready = |asked: &PollFd<'_>| !asked.revents().is_empty();
            if input.is_some() && ready.last().is_some_and(is_ready) {
                return Woken::Input;
            }
            let Some(inotify) = self.inotify.as_ref().filter(|_| is_ready(&ready[0])) else {
                continue;
            };
            if has_news(inotify) {
                let since = self.woken.map_or(STORM, |woken| woken.elapsed());
                std::thread::sleep(STORM.saturating_sub(since).min(longest));
                has_news(inotify);
                self.woken = Some(Instant::now());
                return Woken::Change;
            }
        }
        Woken::Time
    }
}

/// Takes what the kernel has to tell, and says whether any of it is a change. A lock that comes
/// and goes is none: what it was taken for is told by its own name.
fn has_news(inotify: &OwnedFd) -> bool {
    let mut buffer = [MaybeUninit::uninit(); 4096];
    let mut reader = Reader::new(inotify, &mut buffer);
    let mut found = false;
    while let Ok(event) = reader.next() {
        let is_lock = event
            .file_name()
            .is_some_and(|name| name.to_bytes().ends_with(b".lock"));
        // The directory itself is gone, and with it its watch.
        let is_end = event.events().contains(ReadFlags::IGNORED);
        found |= !is_lock || is_end;
    }
    found
}
