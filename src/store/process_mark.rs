//! Which process one is, also after its number was given to another: its start, the boot of the
//! machine, and the container in which it is counted.
//!
//! Claims end with such a process; `command_run` keeps the same of the groups that it starts.

use super::platform::machine;
pub use super::platform::{boot, namespace};
use crate::domain::claim::{Life, ProcessMark};
use crate::store::{ancestors, process_stat};

/// The mark of the living process of that number; `None` where there is none.
pub fn of(pid: i32) -> Option<ProcessMark> {
    let found = process_stat::of(pid).filter(|found| !found.is_zombie)?;
    Some(ProcessMark {
        pid,
        started: found.started,
        boot: boot(),
        namespace: namespace(),
        machine: machine(),
    })
}

/// Whether it still lives.
pub fn life(process: &ProcessMark) -> Life {
    if process.machine != machine() {
        return Life::Unknown;
    }
    if process.boot != boot() {
        return Life::Ended;
    }
    if process.namespace != namespace() {
        return Life::Unknown;
    }
    let found = process_stat::of(process.pid).filter(|found| !found.is_zombie);
    match found.is_some_and(|found| found.started == process.started) {
        true => Life::Lives,
        false => Life::Ended,
    }
}

/// Whether this process is that one, or was started below it.
pub fn is_above(process: &ProcessMark) -> bool {
    let own = std::process::id().cast_signed();
    let mut above = ancestors::from(own).map(|found| found.id);
    above.any(|id| id == process.pid) && life(process) == Life::Lives
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_lives_and_a_waited_for_one_does_not() {
        let own = of(std::process::id().cast_signed()).unwrap();
        assert_eq!(life(&own), Life::Lives);
        assert!(is_above(&own));
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let mark = of(child.id().cast_signed()).unwrap();
        assert_eq!(life(&mark), Life::Lives);
        assert!(!is_above(&mark));
        drop(child.kill().and_then(|()| child.wait()));
        assert_eq!(life(&mark), Life::Ended);
    }

    #[test]
    fn a_number_that_is_used_again_is_another_process() {
        let own = of(std::process::id().cast_signed()).unwrap();
        let change = |change: fn(&mut ProcessMark)| {
            let mut other = own.clone();
            change(&mut other);
            life(&other)
        };
        assert_eq!(change(|other| other.started += 1), Life::Ended);
        assert_eq!(change(|other| other.boot.push('x')), Life::Ended);
        assert_eq!(change(|other| other.namespace.push('x')), Life::Unknown);
        assert_eq!(change(|other| other.machine.push('x')), Life::Unknown);
    }
}
