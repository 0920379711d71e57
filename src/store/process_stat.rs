//! What the kernel says of other processes: who started one, which group it is in, and when it
//! began.
//!
//! `platform` finds out. `ancestors` and `command_run` call it.

use super::platform;
pub use super::platform::{ProcessStat, stat as of};

/// Every process of the group that has not ended; `None` where the system does not tell.
pub fn living(group: i32) -> Option<Vec<ProcessStat>> {
    let mut living = platform::all()?;
    living.retain(|found| found.group == group && !found.is_zombie);
    Some(living)
}

/// The same of a group whose leader began a moment ago: the kernel gives numbers in turn, so what the
/// leader has started has one between the leader's own and the last that was given. Most commands
/// are over before many numbers are.
pub fn living_since(leader: i32) -> Option<Vec<ProcessStat>> {
    let Some(last) = platform::last_number().filter(|last| (leader..leader + FEW).contains(last))
    else {
        return living(leader);
    };
    let mut living: Vec<ProcessStat> = (leader..=last).filter_map(of).collect();
    living.retain(|found| found.group == leader && !found.is_zombie);
    Some(living)
}

/// More numbers than this are not tried one by one.
const FEW: i32 = 200;

/// The processes that a process has started, and those that they have started.
pub fn below(id: i32) -> Vec<i32> {
    let all = platform::all().unwrap_or_default();
    let mut found = vec![id];
    let mut at = 0;
    while let Some(parent) = found.get(at).copied() {
        let own = all.iter().filter(|process| process.parent == parent);
        let new = own.map(|process| process.id);
        let new: Vec<i32> = new.filter(|id| !found.contains(id)).collect();
        found.extend(new);
        at += 1;
    }
    found.split_off(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_in_its_group() {
        let own = of(std::process::id() as i32).unwrap();
        assert_eq!(own.group, rustix::process::getpgrp().as_raw_nonzero().get());
        for living in [living, living_since] {
            let found = living(own.group).unwrap();
            assert!(found.iter().any(|one| one.id == own.id));
        }
    }

    /// The numbers are given in turn, so that both ways find the same.
    #[test]
    fn what_a_leader_has_just_started_is_found_either_way() {
        use std::os::unix::process::CommandExt;
        let mut leader = std::process::Command::new("/bin/sh");
        let line = "sleep 60 & sleep 60 & echo ready; wait";
        let leader = leader.args(["-c", line]).process_group(0);
        let mut leader = leader.stdout(std::process::Stdio::piped()).spawn().unwrap();
        let mut ready = [0; 6];
        std::io::Read::read_exact(leader.stdout.as_mut().unwrap(), &mut ready).unwrap();
        let group = leader.id().cast_signed();
        let (all, since) = (living(group).unwrap(), living_since(group).unwrap());
        let group = rustix::process::Pid::from_raw(group).unwrap();
        rustix::process::kill_process_group(group, rustix::process::Signal::KILL).unwrap();
        leader.wait().unwrap();
        assert_eq!(since.len(), 3, "{since:?}");
        assert!(all.iter().all(|one| since.contains(one)), "{all:?}");
    }
}
