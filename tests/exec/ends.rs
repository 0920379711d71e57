//! How commands end: by a time limit, because another failed, with processes that go on, with more
//! output than a disk holds.

use std::time::{Duration, Instant};

use super::{document, lives, number, verdicts, with_lanes};

#[test]
fn the_time_limit_ends_a_command_and_all_that_it_started() {
    let sandbox = with_lanes(&["quick", "slow"]);
    let script = "[ $GIT_LANE_NAME = quick ] || { sleep 60 & echo $! >pid; wait; }";
    let started = Instant::now();
    let args = ["--all", "--timeout", "1s", "--", "sh", "-c", script];
    let (document, code) = document(&sandbox, &args);
    let mut found = verdicts(&document);
    found.sort_unstable();
    assert_eq!(found, [("quick", "succeeded"), ("slow", "command-timeout")]);
    assert_eq!(code, 6);
    assert!(started.elapsed() < Duration::from_secs(5));
    assert!(!lives(number(&sandbox, "slow", "pid")));
}

#[test]
fn with_fail_fast_the_first_failure_ends_the_others() {
    let sandbox = with_lanes(&["a", "b", "c", "d"]);
    // The first waits until the second is at work.
    let script = "case $GIT_LANE_NAME in
        a) until [ -s ../b/pid ]; do sleep 0.01; done; exit 3 ;;
        b) echo $$ >pid; trap 'echo tidied up; exit 0' TERM; sleep 60 & wait ;;
        *) touch ran ;;
        esac";
    let started = Instant::now();
    let args = [
        "-j2",
        "--fail-fast",
        "a",
        "b",
        "c",
        "d",
        "--",
        "sh",
        "-c",
        script,
    ];
    let (found, code) = document(&sandbox, &args);
    let expected = [
        ("a", "command-failed"),
        ("b", "command-ended"),
        ("c", "not-run"),
        ("d", "not-run"),
    ];
    assert_eq!((verdicts(&found), code), (expected.to_vec(), 6));
    assert_eq!(found["lanes"][1]["said"], serde_json::json!(["tidied up"]));
    assert!(started.elapsed() < Duration::from_secs(20));
    assert!(!lives(number(&sandbox, "b", "pid")));
    assert!(!sandbox.lane_path("c").join("ran").exists());
    // What cannot even begin is a failure too.
    let args = ["--fail-fast", "nobody", "c", "--", "touch", "ran"];
    let (found, code) = document(&sandbox, &args);
    assert_eq!(
        (verdicts(&found), code),
        (vec![("nobody", "no-such-lane"), ("c", "not-run")], 1)
    );
    assert!(!sandbox.lane_path("c").join("ran").exists());
}

#[test]
fn a_command_that_ignores_sigterm_is_killed_after_five_seconds() {
    let sandbox = with_lanes(&["deaf"]);
    let script = "trap '' TERM; echo $$ >pid; while :; do sleep 0.1; done";
    let started = Instant::now();
    let args = ["deaf", "--timeout", "1s", "--", "sh", "-c", script];
    let (document, code) = document(&sandbox, &args);
    assert_eq!(
        (verdicts(&document), code),
        (vec![("deaf", "command-timeout")], 6)
    );
    let took = started.elapsed();
    assert!(took > Duration::from_secs(6), "{took:?}");
    assert!(took < Duration::from_secs(15), "{took:?}");
    assert!(!lives(number(&sandbox, "deaf", "pid")));
}

#[test]
fn what_a_command_leaves_running_is_ended() {
    let sandbox = with_lanes(&["forks"]);
    let script = "sleep 60 & echo $! >pid; echo done";
    let (document, code) = document(&sandbox, &["forks", "--", "sh", "-c", script]);
    assert_eq!(code, 0);
    let lane = &document["lanes"][0];
    assert_eq!(
        (&lane["leftBehind"], &lane["said"][0]),
        (&1.into(), &"done".into())
    );
    assert!(!lives(number(&sandbox, "forks", "pid")));
}

#[test]
fn a_flood_is_kept_in_part_and_told_by_its_end() {
    let sandbox = with_lanes(&["loud"]);
    let script = "echo first; head -c 100000000 /dev/zero; printf '\\n\\377last\\n'";
    let (document, code) = document(&sandbox, &["loud", "--", "sh", "-c", script]);
    assert_eq!(code, 0);
    let lane = &document["lanes"][0];
    let said = lane["said"].as_array().unwrap();
    assert_eq!(said.last().unwrap(), "\u{fffd}last");
    let log = std::fs::read(lane["log"].as_str().unwrap()).unwrap();
    assert!(log.starts_with(b"first\n\0") && log.ends_with(b"\n\xfflast\n"));
    assert!(log.len() < 10 << 20, "{}", log.len());
}
