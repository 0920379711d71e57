//! What a signal that ends the program may not interrupt.
//!
//! A process that dies with a lock of git's protocol in its hands blocks every git after it. So the
//! signals that git itself cleans up for wait while a [`Deferred`] lives: a lock, an operation that
//! is journalled. Right after it the program ends by the signal it got. A git it waits for
//! meanwhile is ended too where no such part is under way, and removes its own locks; what would be
//! left otherwise holds a [`Waiting`] until it is removed, and no new git begins. A command of the
//! user's runs in a process group of its own, which hears nothing from the terminal: a [`Group`]
//! passes the signal on. The state is that of the process, as signals are.

use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Once, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};

use crate::error::{Error, Kind, Result};

const ENDING: [i32; 4] = [SIGINT, SIGTERM, SIGHUP, SIGQUIT];

/// What a user types for the program in front of them.
const TYPED: [i32; 2] = [SIGINT, SIGQUIT];

/// One Ctrl-C comes twice where git runs git-lane: from the terminal, and from that git, which
/// passes it on.
const SAME: Duration = Duration::from_millis(300);

/// How long a child has to end by the signal it got itself.
const GRACE: Duration = Duration::from_millis(100);

/// A signal has come; long work looks here.
pub static PENDING: AtomicBool = AtomicBool::new(false);

static SIGNAL: AtomicI32 = AtomicI32::new(0);
static CRITICAL: AtomicUsize = AtomicUsize::new(0);
static WAITING: AtomicUsize = AtomicUsize::new(0);
static DECIDING: AtomicUsize = AtomicUsize::new(0);
static EDITING: AtomicUsize = AtomicUsize::new(0);
static CHILDREN: Mutex<Vec<u32>> = Mutex::new(Vec::new());
static GROUPS: Mutex<Vec<Running>> = Mutex::new(Vec::new());
static BEFORE_THE_END: OnceLock<Box<dyn Fn() + Send + Sync>> = OnceLock::new();

/// From now on signals wait for what may not be interrupted.
pub fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let ignored = ignored();
        let wanted = ENDING
            .into_iter()
            .filter(|signal| !ignored.contains(signal));
        // Where the system allows none, they do what they always did.
        let Ok(mut signals) = signal_hook::iterator::Signals::new(wanted) else {
            return;
        };
        drop(
            std::thread::Builder::new()
                .name("signals".into())
                .spawn(move || {
                    let mut first: Option<Instant> = None;
                    for signal in signals.forever() {
                        if TYPED.contains(&signal) && EDITING.load(Ordering::SeqCst) > 0 {
                            continue;
                        }
                        let again = first.is_some_and(|first| first.elapsed() > SAME);
                        first.get_or_insert_with(Instant::now);
                        came(signal, again);
                    }
                }),
        );
    });
}

/// nohup(1), and a shell that starts a job in the background, have some ignored; that stays. The first
/// answer does too: later this process has caught them itself.
fn ignored() -> &'static [i32] {
    static IGNORED: OnceLock<Vec<i32>> = OnceLock::new();
    IGNORED.get_or_init(|| super::platform::ignored_signals(&ENDING))
}

/// From now on children begin with the defaults of what this program ignores, as hooks and editors
/// do that git starts: it catches these signals for its locks, whether they were ignored or not.
/// Here they still do nothing.
pub fn default_in_children() {
    for signal in ignored() {
        let _ = signal_hook::flag::register(*signal, Arc::new(AtomicBool::new(false)));
    }
}

fn came(signal: i32, again: bool) {
    SIGNAL.store(signal, Ordering::SeqCst);
    PENDING.store(true, Ordering::SeqCst);
    if again {
        // The user means it. What stays is healed like what a killed process leaves.
        for running in groups().iter() {
            let _ = kill_process_group(running.group, Signal::KILL);
        }
        end();
    }
    groups().iter_mut().for_each(Running::ask_to_end);
    if CRITICAL.load(Ordering::SeqCst) == 0 {
        drop(std::thread::spawn(end_children));
    }
    end_if_due();
}

fn end_children() {
    std::thread::sleep(GRACE);
    if CRITICAL.load(Ordering::SeqCst) == 0 {
        for child in children().iter() {
            if let Some(child) = i32::try_from(*child).ok().and_then(Pid::from_raw) {
                let _ = kill_process(child, Signal::TERM);
            }
        }
    }
}

fn children() -> std::sync::MutexGuard<'static, Vec<u32>> {
    CHILDREN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A process group of the user's, and whether it was asked to end.
#[derive(Debug)]
struct Running {
    group: Pid,
    asked: bool,
}

impl Running {
    /// Once: to many programs a second signal says that they are not to tidy up.
    fn ask_to_end(&mut self) {
        if !std::mem::replace(&mut self.asked, true) {
            ask_to_end(self.group);
        }
    }
}

/// Sends SIGTERM to all of a process group, to the stopped ones too.
pub fn ask_to_end(group: Pid) {
    let _ = kill_process_group(group, Signal::TERM);
    let _ = kill_process_group(group, Signal::CONT);
}

fn groups() -> std::sync::MutexGuard<'static, Vec<Running>> {
    GROUPS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn end_if_due() {
    DECIDING.fetch_add(1, Ordering::SeqCst);
    let busy = CRITICAL.load(Ordering::SeqCst) + WAITING.load(Ordering::SeqCst);
    if PENDING.load(Ordering::SeqCst) && busy == 0 {
        end();
    }
    DECIDING.fetch_sub(1, Ordering::SeqCst);
}

/// Counts one more in `count`, unless the program is about to end: another thread has then seen
/// that nothing is under way, and what began now would be interrupted all the same.
fn enter(count: &AtomicUsize) {
    count.fetch_add(1, Ordering::SeqCst);
    while DECIDING.load(Ordering::SeqCst) > 0 {
        std::thread::yield_now();
    }
}

/// Ends the program by the signal it got.
fn end() {
    super::activity::clear();
    if let Some(before) = BEFORE_THE_END.get() {
        before();
    }
    let _ = signal_hook::low_level::emulate_default_handler(SIGNAL.load(Ordering::SeqCst));
}

/// Has `work` done before a signal ends the program: a hidden cursor is shown again. The first that
/// is asked for counts.
pub fn before_the_end(work: impl Fn() + Send + Sync + 'static) {
    install();
    let _ = BEFORE_THE_END.set(Box::new(work));
}

/// A command that waits for others stops waiting once a signal has come.
pub fn ensure_none() -> Result<()> {
    match PENDING.load(Ordering::SeqCst) {
        false => Ok(()),
        true => Err(Error::new(
            Kind::Interrupted,
            "interrupted while waiting for others",
        )),
    }
}

/// Whether a signal that ends the program has come.
pub fn has_come() -> bool {
    PENDING.load(Ordering::SeqCst)
}

/// No git begins for what a signal has ended, except where that may not be interrupted.
pub fn ensure_may_begin() -> Result<()> {
    match PENDING.load(Ordering::SeqCst) && CRITICAL.load(Ordering::SeqCst) == 0 {
        false => Ok(()),
        true => Err(Error::new(Kind::Interrupted, "interrupted")),
    }
}

/// While it lives, an editor has the terminal: what the user types there is for it alone.
#[derive(Debug)]
#[must_use = "it leaves signals to the editor for as long as it lives"]
pub struct Editing(());

impl Editing {
    /// Begins.
    pub fn begin() -> Self {
        install();
        EDITING.fetch_add(1, Ordering::SeqCst);
        Editing(())
    }
}

impl Drop for Editing {
    fn drop(&mut self) {
        EDITING.fetch_sub(1, Ordering::SeqCst);
    }
}

/// While it lives, no signal ends the program, nor the children it waits for.
#[derive(Debug)]
#[must_use = "it defers signals for as long as it lives"]
pub struct Deferred(());

impl Deferred {
    /// Begins.
    pub fn begin() -> Self {
        enter(&CRITICAL);
        install();
        Deferred(())
    }
}

impl Drop for Deferred {
    fn drop(&mut self) {
        CRITICAL.fetch_sub(1, Ordering::SeqCst);
        end_if_due();
    }
}

/// While it lives, no signal ends the program, but the children it waits for: what they or this
/// program leave is still to be put right.
#[derive(Debug)]
#[must_use = "it defers signals for as long as it lives"]
pub struct Waiting(Option<u32>);

impl Waiting {
    /// Begins.
    pub fn begin() -> Self {
        enter(&WAITING);
        Waiting(None)
    }

    /// For a child of that number.
    pub fn for_child(child: u32) -> Self {
        let mut waiting = Self::begin();
        children().push(child);
        waiting.0 = Some(child);
        waiting
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(child) = self.0 {
            children().retain(|other| *other != child);
        }
        WAITING.fetch_sub(1, Ordering::SeqCst);
        end_if_due();
    }
}

/// While it lives, a signal for this program is one for a process group too: the first asks the
/// group to end, the second ends it at once, and the program with it. Whoever waits for the group
/// holds a [`Waiting`] longer than this.
#[derive(Debug)]
#[must_use = "it passes signals on for as long as it lives"]
pub struct Group(Pid);

impl Group {
    /// Begins. The number must be that of the group for as long as this lives: its leader is not
    /// waited for before.
    pub fn begin(group: Pid) -> Self {
        install();
        let mut groups = groups();
        let mut running = Running {
            group,
            asked: false,
        };
        // A signal that came before this found no group.
        if PENDING.load(Ordering::SeqCst) {
            running.ask_to_end();
        }
        groups.push(running);
        Group(group)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        groups().retain(|running| running.group != self.0);
    }
}
