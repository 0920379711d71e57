//! A process group as a whole: who is in it, and its end.
//!
//! `command_run` ends what a command left behind by it, and what a killed git-lane left.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::store::{ancestors, process_stat, signals};

/// How long a group has to end by SIGTERM.
pub const GRACE: Duration = Duration::from_secs(5);

/// How long the kernel may take to end one by SIGKILL. A process that waits for a disk or a network
/// in vain takes for ever.
pub const KILL_TIME: Duration = Duration::from_secs(5);

const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// The group of that number, where it may be signalled: none that this process or one it is started
/// by is in, and no number that kill(2) reads as another thing.
pub fn checked(group: i32) -> Option<Pid> {
    let pid = Some(group)
        .filter(|group| *group > 1)
        .and_then(Pid::from_raw)?;
    let is_in =
        |id: i32| id == group || process_stat::of(id).is_some_and(|process| process.group == group);
    let own = rustix::process::getpgrp() == pid || is_in(std::process::id().cast_signed());
    (!own && !ancestors::above().any(|above| is_in(above.id))).then_some(pid)
}

/// How many of a group have not ended.
pub fn living(group: Pid) -> usize {
    let found = process_stat::living(group.as_raw_nonzero().get());
    found.map_or(0, |found| found.len())
}

/// How long after the start of a group's leader the numbers of processes surely have not come round
/// to where they were.
const YOUNG: Duration = Duration::from_millis(500);

/// How many of a group have not ended, its leader aside, which began so long ago.
pub fn followers(leader: Pid, age: Duration) -> usize {
    let leader = leader.as_raw_nonzero().get();
    let found = match age < YOUNG {
        true => process_stat::living_since(leader),
        false => process_stat::living(leader),
    };
    let found = found.unwrap_or_default();
    found.iter().filter(|one| one.id != leader).count()
}

/// Asks a group to end, and ends it by SIGKILL after `grace`. `has_ended` says whether nobody is left
/// of it; `pause` lets time go by, at most that much. Returns whether it ended.
pub fn end(
    group: Pid,
    grace: Duration,
    ask: bool,
    mut has_ended: impl FnMut() -> bool,
    mut pause: impl FnMut(Duration),
) -> bool {
    if ask {
        signals::ask_to_end(group);
    }
    let started = Instant::now();
    let mut killed = false;
    let mut next = Duration::from_millis(1);
    while !has_ended() {
        let elapsed = started.elapsed();
        if elapsed >= grace {
            // Again and again: one that forks may have been missed.
            let _ = kill_process_group(group, Signal::KILL);
            killed = true;
        }
        if elapsed >= grace + KILL_TIME {
            return false;
        }
        pause(next);
        next = if killed { next } else { next * 2 }.min(LONGEST_PAUSE);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_group_that_waits_for_us_may_be_signalled() {
        let own = rustix::process::getpgrp().as_raw_nonzero().get();
        let parent = rustix::process::getppid().unwrap();
        let parent = parent.as_raw_nonzero().get();
        let parents = process_stat::of(parent).unwrap().group;
        for group in [i32::MIN, -own, -1, 0, 1, own, parent, parents] {
            assert_eq!(checked(group), None, "{group}");
        }
        assert!(checked(i32::MAX).is_some());
    }
}
