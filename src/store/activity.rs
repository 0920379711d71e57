//! What this process is doing just now, in words, for a person who waits for it.
//!
//! Operations and stores say it where they may take long; `ui/progress` alone shows it, and only where it
//! takes long. Nothing that is done depends on it. The state is that of the process, as its terminal is.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

static UNDER_WAY: Mutex<Vec<Doing>> = Mutex::new(Vec::new());
static NEXT: AtomicUsize = AtomicUsize::new(0);
static OTHERS: AtomicUsize = AtomicUsize::new(0);
static CLEAR: OnceLock<fn()> = OnceLock::new();

/// Something that is under way.
#[derive(Debug, Clone)]
pub struct Doing {
    id: usize,
    /// What, without a capital letter: `moving lane 'x' into the trash`.
    pub words: String,
    /// How much of how much, and of what.
    pub count: Option<Count>,
    /// Since when.
    pub since: Instant,
}

/// How far something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// So many are done.
    pub done: usize,
    /// Of so many.
    pub total: usize,
    /// Of what: `files`.
    pub unit: &'static str,
}

/// It is under way for as long as this lives.
#[derive(Debug)]
#[must_use = "it is over once this is dropped"]
pub struct Activity(usize);

impl Activity {
    /// Begins something.
    pub fn begin(words: impl Into<String>) -> Self {
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        under_way().push(Doing {
            id,
            words: words.into(),
            count: None,
            since: Instant::now(),
        });
        Activity(id)
    }

    /// Something with one lane of several, the first of which is number 0; `None` where there is one.
    pub fn with_lane(at: usize, all: usize) -> Option<Self> {
        (all > 1).then(|| Self::begin(format!("lane {} of {all}", at + 1)))
    }

    /// Says how far it is.
    pub fn set(&self, done: usize, total: usize, unit: &'static str) {
        let mut all = under_way();
        if let Some(doing) = all.iter_mut().find(|doing| doing.id == self.0) {
            doing.count = Some(Count { done, total, unit });
        }
    }
}

impl Drop for Activity {
    fn drop(&mut self) {
        let mut all = under_way();
        all.retain(|doing| doing.id != self.0);
        let is_over = all.is_empty();
        drop(all);
        if is_over {
            clear();
        }
    }
}

/// While it lives, another program has the terminal, or another view of this one: nothing is shown.
#[derive(Debug)]
#[must_use = "the terminal is left alone for as long as it lives"]
pub struct TerminalTaken(());

impl TerminalTaken {
    /// Begins; what was shown is gone from the screen.
    pub fn begin() -> Self {
        OTHERS.fetch_add(1, Ordering::SeqCst);
        clear();
        TerminalTaken(())
    }
}

impl Drop for TerminalTaken {
    fn drop(&mut self) {
        OTHERS.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Whether others have the terminal.
pub fn is_terminal_taken() -> bool {
    OTHERS.load(Ordering::SeqCst) > 0
}

/// All that is under way, in the order in which it began.
pub fn all() -> Vec<Doing> {
    under_way().clone()
}

/// Has `work` take from the screen what is shown there.
pub fn clear_with(work: fn()) {
    let _ = CLEAR.set(work);
}

/// Takes what is shown from the screen.
pub fn clear() {
    if let Some(clear) = CLEAR.get() {
        clear();
    }
}

fn under_way() -> MutexGuard<'static, Vec<Doing>> {
    UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner)
}
