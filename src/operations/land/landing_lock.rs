//! The lock of landings: one at a time computes its result and moves its base.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::landing_hooks::ensure_outside;
use crate::error::{Code, Error, IoContext, Result};
use crate::repository::Repository;
use crate::store::journal::Exclusive;
use crate::store::{ancestors, lane_files};

/// Its name.
const LOCK: &str = "land.lock";

/// How long to wait for other landings; their hooks may run a test suite.
const PATIENCE: Duration = Duration::from_secs(600);

/// A wait after which the lane's files are looked at again.
const QUICK: Duration = Duration::from_millis(100);

/// Refuses within a gate, which its landing waits for: it would wait for that in turn.
fn ensure_not_in_gate(repository: &Repository) -> Result<()> {
    let locks = lane_files::list(&repository.lane_dir().join("landing"));
    let names = locks.filter(|path| path.extension().is_some_and(|end| end == "lock"));
    let leads = |path: PathBuf| {
        let name = format!("landing/{}", path.file_name()?.to_str()?);
        Exclusive::holder(repository.lane_dir(), &name)
    };
    let leaders: Vec<i32> = names.filter_map(leads).collect();
    if leaders.is_empty() || ancestors::above().all(|above| !leaders.contains(&above.id)) {
        return Ok(());
    }
    Err(
        Error::refused("the gate of a landing cannot land another lane")
            .with_code(Code::InLanding)
            .hint("land it once the gate has ended"),
    )
}

/// The lock, held.
#[derive(Debug)]
pub(super) struct Turn {
    #[allow(dead_code, reason = "held for its lock")]
    lock: Exclusive,
    waited: Duration,
}

impl Turn {
    /// Waits for it; refuses within a hook of a landing, which would wait for itself.
    pub(super) fn take(repository: &Repository) -> Result<Self> {
        ensure_outside(repository, LOCK)?;
        ensure_not_in_gate(repository)?;
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
