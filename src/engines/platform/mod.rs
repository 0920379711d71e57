//! What the systems do differently for the engines: the one place for it on this floor; `store/platform`
//! says how it is done and why. Both sides have the same functions.
//!
//! `processes`, `directory_readers`, `watch`, `populate` and `status` call it.

#[cfg(target_os = "linux")]
mod inotify_watch;
#[cfg(target_os = "linux")]
mod linux_calls;
#[cfg(any(test, not(target_os = "linux")))]
#[cfg_attr(
    target_os = "linux",
    allow(dead_code, reason = "tested there, called elsewhere")
)]
mod listed_files;
#[cfg(not(target_os = "linux"))]
mod macos_calls;
#[cfg(target_os = "linux")]
mod proc_directories;
#[cfg(not(target_os = "linux"))]
mod unheard_watch;

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::store::platform::other_writers;

#[cfg(target_os = "linux")]
pub use inotify_watch::Watch;
#[cfg(target_os = "linux")]
pub use linux_calls::{cloned, copy_in_kernel, mapped, read_names};
#[cfg(not(target_os = "linux"))]
pub use listed_files::{current_directories, gits_that_read, look, may_be_worked_in, may_have_git};
#[cfg(not(target_os = "linux"))]
pub use macos_calls::{cloned, copy_in_kernel, mapped, read_names};
#[cfg(target_os = "linux")]
pub use proc_directories::{
    current_directories, gits_that_read, look, may_be_worked_in, may_have_git,
};
#[cfg(not(target_os = "linux"))]
pub use unheard_watch::Watch;

/// The numbers of the processes that are left out.
pub type Spared = [i32];

/// Whether it ends in a moment. A process without a name has ended while it was looked at.
pub fn is_passing(command: &str) -> bool {
    ["git", "git-lane", ""].contains(&command)
}

/// Which users can write in a directory: of their processes nothing tells that they do not work
/// there.
#[derive(Debug)]
pub struct Writers {
    mode: u32,
    owner: u32,
    group: u32,
    /// An access control list may name more of them than mode and group do.
    listed: bool,
}

impl Writers {
    /// Of one that is there.
    pub fn of(directory: &Path) -> Option<Self> {
        let found = std::fs::metadata(directory).ok()?;
        Some(Writers {
            mode: found.mode(),
            owner: found.uid(),
            group: found.gid(),
            listed: other_writers(directory),
        })
    }

    /// Whether that user is one, who is in these `groups`.
    pub fn include(&self, user: u32, groups: impl FnOnce() -> Vec<u32>) -> bool {
        let may = |bit: u32| self.mode & bit != 0;
        (user == self.owner && may(0o200))
            || may(0o002)
            || (may(0o020) && (self.listed || groups().contains(&self.group)))
    }
}

/// Whether a list of extended attributes has none but those that macOS gives to files by itself, and
/// gives to a clone as well as to a copy.
#[cfg(any(test, not(target_os = "linux")))]
pub fn are_of_the_system(attributes: &[u8]) -> bool {
    let mut names = attributes.split(|byte| *byte == 0);
    names.all(|name| matches!(name, b"" | b"com.apple.provenance"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_with_attributes_of_its_own_is_not_cloned() {
        for (attributes, expected) in [
            (&b""[..], true),
            (b"com.apple.provenance\0", true),
            (b"com.apple.provenance\0com.apple.quarantine\0", false),
            (b"user.note\0", false),
        ] {
            assert_eq!(are_of_the_system(attributes), expected, "{attributes:?}");
        }
    }
}
