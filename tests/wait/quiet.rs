//! A wait disturbs nobody: it writes nothing, takes no lock, and needs no time of the processor.

use std::time::Duration;

use super::{Waiting, with_lanes};
use crate::support::Sandbox;

const EVERYTHING: &str = "working,blocked,ready,done,settled,landed,gone";

/// User and system time of a process, in ticks of a hundredth of a second.
fn ticks(waiting: &Waiting) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", waiting.child.id())).unwrap();
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    let fields: Vec<&str> = fields.split(' ').collect();
    // utime and stime, and those of the children that were waited for (proc_pid_stat(5)).
    let times = fields[11..15]
        .iter()
        .map(|field| field.parse::<u64>().unwrap());
    times.sum()
}

#[test]
fn waiting_takes_no_time_of_the_processor() {
    let names: Vec<String> = (0..20).map(|number| format!("lane{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let sandbox = with_lanes(&names);
    for lane in &names {
        let new = sandbox.lane_path(lane).join("new.txt");
        std::fs::write(new, "unsettled\n").unwrap();
    }
    let status = sandbox.waits(&["--until", "ready,blocked,gone"]);
    let files = sandbox.waits(&["--until", "settled,landed"]);
    let before = [&status, &files].map(ticks);
    std::thread::sleep(Duration::from_secs(3));
    let after = [&status, &files].map(ticks);
    assert!(after[0] - before[0] <= 1, "{before:?} {after:?}");
    // One look at the files of twenty lanes.
    assert!(after[1] - before[1] <= 15, "{before:?} {after:?}");
}

/// git beside opens the files that are watched, and takes locks in the directories.
#[test]
fn what_others_read_does_not_wake_it() {
    let sandbox = with_lanes(&["a"]);
    let mut waiting = sandbox.waits(&["a", "--until", "ready"]);
    let before = ticks(&waiting);
    for _ in 0..30 {
        sandbox.git(["config", "--get-regexp", "^lane"]);
        sandbox.git(["status", "--short"]);
    }
    assert!(ticks(&waiting) - before <= 2);
    waiting.goes_on();
}

#[test]
fn nothing_is_written() {
    let sandbox = with_lanes(&["a"]);
    let lane_dir = || {
        let listed = sandbox.sh("cd .git && find lane -type f -exec cksum {} + | sort");
        listed.ok()
    };
    let before = (sandbox.fingerprint(), lane_dir());
    for until in EVERYTHING.split(',') {
        let _ = sandbox
            .lane(["wait", "--until", until, "--timeout", "0s"])
            .code;
    }
    assert!((sandbox.fingerprint(), lane_dir()) == before);
    // Nor where git-lane has never been.
    let sandbox = Sandbox::new();
    let before = sandbox.fingerprint();
    sandbox.wait_is(&[], 0);
    assert!(sandbox.fingerprint() == before && !sandbox.repo.join(".git/lane").exists());
}

#[test]
fn nobody_waits_for_a_wait() {
    let sandbox = with_lanes(&["a", "b"]);
    let mut waiting = sandbox.waits(&["a", "--until", EVERYTHING.rsplit_once(",se").unwrap().0]);
    sandbox.work("b", "b.txt", "b\n");
    sandbox.does(&["finish", "b"]);
    sandbox.does(&["start", "c"]);
    sandbox.git(["gc", "-q", "--prune=now"]);
    waiting.goes_on();
    sandbox.does(&["mark", "a", "working"]);
    waiting.ends(0);
}

#[test]
fn a_read_only_repository_can_be_waited_for() {
    let sandbox = with_lanes(&["a"]);
    sandbox.does(&["mark", "a", "ready"]);
    let script = format!(
        "mount --bind . . 2>/dev/null && mount -o remount,bind,ro . 2>/dev/null || exit 77
        cd '{}' && git-lane wait a --until ready,settled && git-lane wait a --until settled || exit 1
        git-lane wait a --until landed --timeout 1s; [ $? = 1 ]",
        sandbox.repo.display()
    );
    if let Some(run) = sandbox.with_mounts(&sandbox.repo, &script) {
        assert_eq!(run.ok(), "a ready\na settled\n");
    }
}
