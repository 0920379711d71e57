//! Stays with a running command: passes on what it says, and finds out when it ends or has to.
//!
//! `run` alone calls it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use super::capped_log::CappedLog;
use super::process_group::{self, GRACE};
use super::started_command::{Heard, StartedCommand, has_ended, wants_terminal};
use super::{Live, Tick};
use crate::store::signals;

/// How often the caller hears how long it takes.
const TICK: Duration = Duration::from_millis(250);

/// How long to wait for output before looking whether the command has ended.
const PAUSE: Duration = Duration::from_millis(20);

/// How long what a command started may take to end on its own after it.
const SETTLE: Duration = Duration::from_millis(100);

/// How long what was said last may take to arrive where a process that left the group holds the
/// pipe open; and how long it is listened to where it goes on.
const LAST_WORDS: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(1);

/// Why a command is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// It ended.
    Itself,
    /// The kernel stopped it with that signal.
    WantsTerminal(i32),
    /// Its time is over.
    TimeLimit,
    /// It is not wanted any more.
    Stop,
    /// A signal for git-lane came.
    Interrupted,
}

/// Everything that is needed to stay with a command.
pub struct Supervision<'a> {
    command: &'a mut StartedCommand,
    log: &'a mut CappedLog,
    live: Option<Live<'a>>,
    tick: Option<Tick<'a>>,
    started: Instant,
    next_tick: Duration,
    /// How long to sleep where nothing more will be said, and nothing tells of the end.
    sleep: Duration,
}

impl<'a> Supervision<'a> {
    /// Of a command that was just let begin.
    pub fn of(
        command: &'a mut StartedCommand,
        log: &'a mut CappedLog,
        live: Option<Live<'a>>,
        tick: Option<Tick<'a>>,
    ) -> Self {
        Supervision {
            command,
            log,
            live,
            tick,
            started: Instant::now(),
            next_tick: TICK,
            sleep: Duration::from_micros(100),
        }
    }

    /// Waits until it is over, and says after how long.
    pub fn wait(
        &mut self,
        limit: Option<Duration>,
        stop: Option<&AtomicBool>,
    ) -> (Cause, Duration) {
        let leader = self.group();
        loop {
            let elapsed = self.started.elapsed();
            // In this order: what git-lane asked to end, as a signal came, may say that it succeeded.
            let ended = has_ended(leader);
            let cause = if signals::has_come() {
                Some(Cause::Interrupted)
            } else if ended {
                Some(Cause::Itself)
            } else if limit.is_some_and(|limit| elapsed >= limit) {
                Some(Cause::TimeLimit)
            } else if stop.is_some_and(|stop| stop.load(Ordering::Relaxed)) {
                Some(Cause::Stop)
            } else {
                wants_terminal(leader).map(Cause::WantsTerminal)
            };
            if let Some(cause) = cause {
                return (cause, elapsed);
            }
            let pause = limit.map_or(PAUSE, |limit| PAUSE.min(limit - elapsed));
            self.listen_until_it_ends(pause);
        }
    }

    /// How many living processes the command left in its group, those aside that end just now.
    pub fn left_behind(&mut self) -> usize {
        let ended = Instant::now();
        loop {
            let left = process_group::followers(self.group(), self.started.elapsed());
            if left == 0 || ended.elapsed() > SETTLE {
                return left;
            }
            self.listen(PAUSE);
        }
    }

    /// Ends what is there of its group; whether nothing is left.
    pub fn end_group(&mut self, cause: Cause) -> bool {
        let group = self.group();
        let started = self.started;
        let nobody = || has_ended(group) && process_group::followers(group, started.elapsed()) == 0;
        // What asked git-lane to end has asked the group too.
        let ask = cause != Cause::Interrupted;
        nobody() || process_group::end(group, GRACE, ask, nobody, |pause| self.listen(pause))
    }

    /// Ends what the kernel does not show of its group, or what forked at the wrong moment.
    pub fn end_unseen(&self) {
        let _ = kill_process_group(self.group(), Signal::KILL);
    }

    /// Passes on what was said last.
    pub fn hear_last_words(&mut self) {
        let started = Instant::now();
        while self.command.can_speak() && started.elapsed() < LONGEST {
            if !self.hear(LAST_WORDS, false) {
                return;
            }
        }
    }

    /// Passes on what is said, and waits for it at most that long.
    fn listen(&mut self, pause: Duration) {
        self.hear(pause, false);
        self.tick();
    }

    /// The same, and no longer than its leader lives, as far as the system tells.
    fn listen_until_it_ends(&mut self, pause: Duration) {
        self.hear(pause, true);
        self.tick();
    }

    /// Whether something was said.
    fn hear(&mut self, pause: Duration, until_it_ends: bool) -> bool {
        match self.command.hear(pause, until_it_ends) {
            Heard::Piece(piece) => {
                self.log.add(piece);
                if let Some(live) = self.live {
                    live(piece);
                }
                return true;
            }
            Heard::Silence => {}
            // Most end right after that.
            Heard::TheEnd => {
                std::thread::sleep(self.sleep.min(pause));
                self.sleep = (self.sleep * 2).min(PAUSE);
            }
        }
        false
    }

    fn tick(&mut self) {
        let elapsed = self.started.elapsed();
        if elapsed >= self.next_tick {
            self.next_tick = elapsed + TICK;
            if let Some(tick) = self.tick {
                tick(elapsed);
            }
        }
    }

    fn group(&self) -> Pid {
        self.command.group()
    }
}
