//! Hears of changes in directories while it sleeps, where the system tells of them (`platform`).
//!
//! A watch only wakes a caller early that looks again after a while anyway: a system without it, a
//! limit, a directory that cannot be watched, a change on another machine cost no more than that
//! while. What has changed is for the caller to find out. `operations/awaited` uses it, and the list
//! that is drawn again as things change.

pub use super::platform::Watch;

/// Why a sleep has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Woken {
    /// The time is over.
    Time,
    /// Something has changed.
    Change,
    /// There is something to read.
    Input,
}
