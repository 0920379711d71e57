//! `--cap NAME=N`: no more than N at once, over all repositories, and for as long as a command works,
//! whatever becomes of git-lane.

use std::path::Path;
use std::time::{Duration, Instant};

use super::{Another, document, lives, number, signal, verdicts, with_lanes};
use crate::support::{Sandbox, skipped, wait_until, write};

/// A command that says when it works, and works until it may end.
const WORK: &str = "echo $$ >pid; until [ -e go ]; do sleep 0.01; done";

fn at_work(sandbox: &Sandbox, lane: &str) -> bool {
    sandbox.lane_path(lane).join("pid").exists()
}

fn let_go(sandbox: &Sandbox, lane: &str) {
    write(&sandbox.lane_path(lane).join("go"), "");
}

fn places(sandbox: &Sandbox) -> usize {
    let caps = sandbox.root().join("home/.local/state/git-lane/caps");
    let files = std::fs::read_dir(caps).unwrap().flatten();
    let is_place = |name: &str| name.starts_with("place-");
    files
        .filter(|file| is_place(&file.file_name().to_string_lossy()))
        .count()
}

#[test]
fn a_cap_holds_over_processes_and_repositories() {
    let sandbox = with_lanes(&["a", "b"]);
    let other = sandbox.root().join("other");
    sandbox.sh("git init -q ../other && cd ../other && git commit -q --allow-empty -m one && git lane start c").ok();
    let in_other = |args: &[&str]| {
        let mut command = sandbox.command("git-lane");
        Another::of(command.current_dir(&other).args(["exec"]).args(args))
    };
    let capped = |lane: &'static str| [lane, "--cap", "rust=1", "--", "sh", "-c", WORK];
    let first = Another::start(&sandbox, &capped("a"));
    number(&sandbox, "a", "pid");
    let second = in_other(&capped("c"));
    let third = Another::start(
        &sandbox,
        &["b", "--cap", "python=1", "--", "sh", "-c", WORK],
    );
    // Another name is another count.
    number(&sandbox, "b", "pid");
    let lane = sandbox.root().join("other.lanes/c");
    std::thread::sleep(Duration::from_millis(500));
    assert!(!lane.join("pid").exists());
    let_go(&sandbox, "a");
    assert_eq!(first.ended().0, 0);
    wait_until(|| lane.join("pid").exists());
    write(&lane.join("go"), "");
    let_go(&sandbox, "b");
    assert_eq!((second.ended().0, third.ended().0), (0, 0));
    assert_eq!(places(&sandbox), 0);
}

#[test]
fn the_jobs_of_one_command_share_it() {
    let sandbox = with_lanes(&["a", "b", "c", "d"]);
    let script = "mkdir ../../busy || exit 3; sleep 0.05; rmdir ../../busy";
    let args = ["--all", "-j4", "--cap", "one=1", "--", "sh", "-c", script];
    let (document, code) = document(&sandbox, &args);
    assert_eq!(code, 0, "{document}");
}

#[test]
fn a_killed_git_lane_gives_no_place_away_while_its_command_works() {
    if !Path::new("/proc/self/stat").exists() {
        return skipped("there is no /proc");
    }
    let sandbox = with_lanes(&["a", "b"]);
    let caps = ["--cap", "x=1", "--cap", "y=1"];
    let args: Vec<&str> = ["a"]
        .into_iter()
        .chain(caps)
        .chain(["--", "sh", "-c", WORK])
        .collect();
    let killed = Another::start(&sandbox, &args);
    let process = number(&sandbox, "a", "pid");
    killed.signal("KILL");
    killed.ended();
    assert!(lives(process));
    for cap in ["x=1", "y=1"] {
        let next = Another::start(&sandbox, &["b", "--cap", cap, "--", "touch", "ran"]);
        std::thread::sleep(Duration::from_millis(400));
        assert!(!sandbox.lane_path("b").join("ran").exists(), "{cap}");
        next.signal("TERM");
        let started = Instant::now();
        assert_eq!(next.ended().0, 128 + 15, "waiting ends by a signal");
        assert!(started.elapsed() < Duration::from_secs(2));
    }
    signal("KILL", process);
    sandbox
        .lane([
            "exec", "b", "--cap", "x=1", "--cap", "y=1", "--", "touch", "ran",
        ])
        .ok();
    assert!(sandbox.lane_path("b").join("ran").exists());
    assert_eq!(places(&sandbox), 0);
}

/// A server that a compiler leaves running, with a session of its own, has the place's file open.
#[test]
fn what_a_command_leaves_for_good_keeps_no_place() {
    let sandbox = with_lanes(&["a"]);
    let leave = "setsid sh -c 'echo $$ >server; exec sleep 60' </dev/null >/dev/null 2>&1 &
        until [ -s server ]; do sleep 0.01; done";
    let exec = ["exec", "a", "--cap", "x=1", "--"];
    sandbox
        .lane(exec.into_iter().chain(["sh", "-c", leave]))
        .ok();
    let server = number(&sandbox, "a", "server");
    assert!(lives(server));
    sandbox.lane(exec.into_iter().chain(["true"])).ok();
    signal("KILL", server);
}

/// Some programs take any file there for what they are to work on.
#[test]
fn standard_input_is_the_null_device_with_a_place_too() {
    if !Path::new("/proc/self/fd").exists() {
        return skipped("there is no /proc");
    }
    let sandbox = with_lanes(&["a"]);
    for caps in [&[][..], &["--cap", "x=1"]] {
        let exec = ["exec", "a"].iter().chain(caps);
        let run = sandbox.lane(exec.chain(&["--", "readlink", "/proc/self/fd/0"]));
        assert_eq!(run.ok(), "a | /dev/null\n");
    }
}

#[test]
fn a_failure_ends_those_who_wait_for_a_place() {
    let sandbox = with_lanes(&["a", "b"]);
    let script = "until [ $(ls ../../home/.local/state/git-lane/caps | grep -c place) = 2 ]
        do sleep 0.01; done; exit 3";
    let args = [
        "-j2",
        "--fail-fast",
        "--cap",
        "x=1",
        "a",
        "b",
        "--",
        "sh",
        "-c",
        script,
    ];
    let (document, code) = document(&sandbox, &args);
    let mut words: Vec<&str> = verdicts(&document).iter().map(|(_, word)| *word).collect();
    words.sort_unstable();
    assert_eq!((words, code), (vec!["command-failed", "not-run"], 6));
    assert!(!at_work(&sandbox, "b"));
}

#[test]
fn a_dozen_processes_at_once_are_never_too_many() {
    let sandbox = with_lanes(&["login"]);
    let script = "if mkdir ../../busy1 2>/dev/null; then mine=1
        else mkdir ../../busy2 || exit 3; mine=2; fi
        sleep 0.05; rmdir ../../busy$mine";
    let args = ["login", "--cap", "x=2", "--", "sh", "-c", script];
    let all: Vec<Another> = (0..12).map(|_| Another::start(&sandbox, &args)).collect();
    for another in all {
        let (code, said) = another.ended();
        let wait = "login: waits for one of 2 places under --cap x\n";
        assert!(code == 0 && (said.is_empty() || said == wait), "{said}");
    }
    assert_eq!(places(&sandbox), 0);
}
