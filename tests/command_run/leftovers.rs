//! What a command leaves running when it has ended.

use std::time::{Duration, Instant};

use super::{Site, exit, has_proc, lives, signal};
use crate::support::{installed, skipped, wait_until};

#[test]
fn what_is_left_in_its_group_is_ended_and_counted() {
    if !has_proc() {
        return skipped("there is no /proc");
    }
    let site = Site::new();
    let outcome = site.run("sleep 60 & echo $! >pid; sleep 60 & exit 7");
    assert_eq!((outcome.ended, outcome.left_behind), (exit(7), 2));
    assert!(!lives(site.number("pid")));
    assert!(outcome.elapsed < Duration::from_secs(2));
}

#[test]
fn what_ends_by_itself_is_not_left_behind() {
    let site = Site::new();
    let outcome = site.run("sleep 0.03 & exit 0");
    assert_eq!((outcome.ended, outcome.left_behind), (exit(0), 0));
}

#[test]
fn what_is_left_may_tidy_up_and_is_heard() {
    let site = Site::new();
    let tidy = "trap 'echo tidied up; exit' TERM; echo >ready; while :; do sleep 0.05; done";
    let outcome = site.run(&format!(
        "({tidy}) & until [ -e ready ]; do sleep 0.02; done"
    ));
    assert_eq!(outcome.ended, exit(0));
    assert!(site.text("log").ends_with("tidied up\n"));
}

#[test]
fn what_is_left_and_does_not_listen_is_killed() {
    let site = Site::new();
    let outcome = site.run(
        "(trap '' TERM; echo >ready; exec sleep 60) & echo $! >pid
         until [ -e ready ]; do sleep 0.02; done",
    );
    assert_eq!(outcome.ended, exit(0));
    assert!(!lives(site.number("pid")));
}

/// It is nobody's to end: a build's server may be meant to stay. Nobody waits for it either.
#[test]
fn what_left_the_group_holds_nobody_up() {
    if !installed("setsid") {
        return;
    }
    for said in ["", "while :; do echo more; done &"] {
        let site = Site::new();
        let started = Instant::now();
        let outcome = site.run(&format!(
            "setsid sh -c 'echo $$ >pid; {said} exec sleep 60' & until [ -e pid ]; do sleep 0.02; done"
        ));
        let took = started.elapsed();
        let daemon = site.number("pid");
        let lived = lives(daemon);
        signal("KILL", -daemon);
        assert_eq!((outcome.ended, outcome.left_behind), (exit(0), 0));
        assert!(took < Duration::from_secs(4), "{took:?}");
        assert!(lived);
        wait_until(|| !lives(daemon));
    }
}
