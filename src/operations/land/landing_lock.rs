//! The lock of landings: one at a time computes its result and moves its base.

use std::time::{Duration, Instant};

use crate::error::{Code, Error, IoContext, Result};
use crate::repository::Repository;
use crate::store::journal::Exclusive;
use crate::store::{ancestors, lane_files};

/// Its name.
const LOCK: &str = "land.lock";

/// The directory of the queues of those that wait for a gate; each has a lock of its own.
pub(super) const QUEUES: &str = "landing";

/// How long to wait for other landings; their hooks may run a test suite.
const PATIENCE: Duration = Duration::from_secs(600);

/// A wait after which the lane's files are looked at again.
const QUICK: Duration = Duration::from_millis(100);

/// Refuses to land from within a hook or the gate of a landing of the same repository, which would
/// wait for itself. What a hook leaves behind may land once the hook has ended.
fn ensure_outside(repository: &Repository, deed: &str) -> Result<()> {
    let refused = |what: &str, hint| {
        let sentence = format!("{what} of a landing cannot {deed}");
        Error::refused(sentence)
            .with_code(Code::InLanding)
            .hint(hint)
    };
    if is_within(repository, LOCK) {
        let hint = "let the hook end first; post-merge and post-commit may land";
        return Err(refused("a hook", hint));
    }
    let leaders = lane_files::list(&repository.lane_dir().join(QUEUES));
    let mut names = leaders.filter_map(|path| path.file_name()?.to_str().map(str::to_owned));
    if names
        .any(|name| name.ends_with(".lock") && is_within(repository, &format!("{QUEUES}/{name}")))
    {
        return Err(refused("the gate", "do it once the gate has ended"));
    }
    Ok(())
}

/// Whether a process above this one holds the lock of that name.
fn is_within(repository: &Repository, lock: &str) -> bool {
    let holder = Exclusive::holder(repository.lane_dir(), lock);
    holder.is_some_and(|holder| ancestors::above().any(|process| process.id == holder))
}

/// The lock, held.
#[derive(Debug)]
pub(in crate::operations) struct Turn {
    #[allow(dead_code, reason = "held for its lock")]
    lock: Exclusive,
    waited: Duration,
}

impl Turn {
    /// Waits for it; refuses within a hook of a landing, which would wait for itself.
    pub(super) fn take(repository: &Repository) -> Result<Self> {
        Self::take_to(repository, "land another lane")
    }

    /// The same for what is no landing and moves branches all the same.
    pub(in crate::operations) fn take_to(repository: &Repository, deed: &str) -> Result<Self> {
        ensure_outside(repository, deed)?;
        let queued = Instant::now();
        let lock = Exclusive::acquire(repository.lane_dir(), LOCK, PATIENCE)?;
        let signed = lock.sign();
        signed.context("write", &repository.lane_dir().join(LOCK))?;
        let waited = queued.elapsed();
        Ok(Turn { lock, waited })
    }

    /// Whether others had it for long enough to change something.
    pub(super) fn has_waited(&self) -> bool {
        self.waited > QUICK
    }
}
