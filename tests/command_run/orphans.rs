//! A command that outlives a killed git-lane: the next process ends it by its record, and nothing
//! else by any record.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;

use git_lane::internals::{LeftGroup, end_left_group};

use super::{Another, Site, has_proc, lives, signal};
use crate::support::{skipped, wait_until, write};

/// Runs `line` in a process that is then killed; the numbers of both.
fn orphaned(site: &Site, line: &str) -> i32 {
    let another = site.start_another(line, |_| {});
    let pid = site.number("pid");
    another.signal("KILL");
    another.ended();
    assert!(lives(pid));
    pid
}

/// What is left of a command that does that until it is ended.
fn ended(site: &Site) -> LeftGroup {
    end_left_group(&site.path("record"), Some(&site.slot())).unwrap()
}

#[test]
fn the_next_process_ends_what_a_killed_one_left() {
    if !has_proc() {
        return skipped("there is no /proc");
    }
    let leaderless = "sleep 60 & echo $! >pid; until [ -e go ]; do sleep 0.02; done";
    for (line, members) in [
        ("echo $$ >pid; sleep 60 & exec sleep 60", 2),
        // The environment is another, and the leader's own.
        ("exec env -i sh -c 'echo $$ >pid; exec sleep 60'", 1),
        // Standard input is another.
        ("exec sh -c 'echo $$ >pid; exec sleep 60' </dev/null", 1),
        (leaderless, 1),
        ("trap '' TERM; echo $$ >pid; while :; do sleep 60; done", 2),
    ] {
        let site = Site::new();
        let pid = orphaned(&site, line);
        write(&site.path("go"), "");
        if line == leaderless {
            let group = site
                .text("record")
                .split_once("\"group\":")
                .unwrap()
                .1
                .to_owned();
            let leader: i32 = group.split(',').next().unwrap().parse().unwrap();
            wait_until(|| !lives(leader));
        } else {
            let held = site.slot().try_lock();
            assert!(held.is_err() || line.contains("/dev/null"), "{line}");
        }
        assert_eq!(ended(&site), LeftGroup::Ended(members), "{line}");
        assert!(!lives(pid) && !site.path("record").exists(), "{line}");
        site.slot().try_lock().unwrap();
        assert_eq!(ended(&site), LeftGroup::Gone, "{line}");
    }
}

#[test]
fn a_command_whose_git_lane_lives_is_left_alone() {
    if !has_proc() {
        return skipped("there is no /proc");
    }
    let site = Site::new();
    let another = site.start_another("echo $$ >pid; exec sleep 60", |_| {});
    let pid = site.number("pid");
    let waits = another.0.id().cast_signed();
    assert_eq!(ended(&site), LeftGroup::Waited(waits));
    assert!(lives(pid) && site.path("record").exists());
    another.signal("TERM");
    another.ended();
    assert!(!lives(pid));
}

/// A process in a group of its own that no git-lane started.
fn bystander(run: Option<&str>) -> (Another, i32) {
    let mut sleep = Command::new("sleep");
    sleep.arg("60").process_group(0);
    run.map(|run| sleep.env("GIT_LANE_RUN", run));
    let child: Child = sleep.spawn().unwrap();
    let id = child.id().cast_signed();
    (Another(child), id)
}

/// The record of a command that is gone, as its killed git-lane left it.
fn stale(site: &Site) -> serde_json::Value {
    let pid = orphaned(site, "echo $$ >pid; exec sleep 60");
    signal("KILL", -pid);
    wait_until(|| !lives(pid));
    serde_json::from_str(&site.text("record")).unwrap()
}

/// When a process began, as the kernel counts.
fn start_of(process: i32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields = stat.rsplit_once(')').unwrap().1;
    fields.split_whitespace().nth(19).unwrap().parse().unwrap()
}

#[test]
fn no_record_ends_what_is_not_of_its_run() {
    if !has_proc() {
        return skipped("there is no /proc");
    }
    let site = Site::new();
    let stale = stale(&site);
    let run = stale["run"].as_str().unwrap();
    let (_strange, strange) = bystander(None);
    let (_other, other) = bystander(Some("another"));
    let (_alike, alike) = bystander(Some(run));
    let (_nameless, nameless) = bystander(Some(""));
    let with = |group: i32, started: u64, more: &[(&str, serde_json::Value)]| {
        let mut record = stale.clone();
        record["group"] = group.into();
        record["started"] = started.into();
        more.iter()
            .for_each(|(key, value)| record[*key] = value.clone());
        record.to_string()
    };
    let cases = [
        stale.to_string(),
        with(strange, start_of(strange), &[]),
        with(other, start_of(other), &[]),
        with(alike, start_of(alike) - 1, &[]),
        with(
            alike,
            start_of(alike),
            &[("machine", "another boot".into())],
        ),
        with(nameless, start_of(nameless), &[("run", "".into())]),
        with(0, 0, &[]),
        with(1, start_of(1), &[]),
        with(-1, 0, &[]),
        with(i32::MIN, 0, &[]),
        with(alike, start_of(alike), &[("more", 1.into())]),
        String::new(),
        "{".into(),
        "null".into(),
        format!("{{\"group\":{alike}}}"),
        "x".repeat(1 << 20),
    ];
    for record in cases {
        std::fs::write(site.path("record"), &record).unwrap();
        assert_eq!(ended(&site), LeftGroup::Gone, "{record}");
        assert!(!site.path("record").exists(), "{record}");
        for process in [strange, other, alike, nameless] {
            assert!(lives(process), "{record}");
        }
    }
    // In another container the number is another's.
    let boot = stale["machine"]
        .as_str()
        .unwrap()
        .split(' ')
        .next()
        .unwrap();
    let elsewhere = format!("{boot} pid:[1]");
    let record = with(alike, start_of(alike), &[("machine", elsewhere.into())]);
    std::fs::write(site.path("record"), record).unwrap();
    assert_eq!(ended(&site), LeftGroup::Stays(alike));
    assert!(lives(alike) && site.path("record").exists());
    // A link is not followed.
    std::fs::remove_file(site.path("record")).unwrap();
    std::fs::write(site.path("real"), with(alike, start_of(alike), &[])).unwrap();
    std::os::unix::fs::symlink(site.path("real"), site.path("record")).unwrap();
    assert_eq!(ended(&site), LeftGroup::Gone);
    assert!(lives(alike) && site.path("real").exists());
    // The same record as it should be does end it.
    std::fs::rename(site.path("real"), site.path("record")).unwrap();
    assert_eq!(ended(&site), LeftGroup::Ended(1));
    assert!(!lives(alike));
}

/// What a record says of the very group that this process is in.
pub fn end_own_group(site: &Path) {
    let own = std::process::id().cast_signed();
    let text = std::fs::read_to_string(site.join("record")).unwrap();
    let mut record: serde_json::Value = serde_json::from_str(&text).unwrap();
    record["group"] = own.into();
    record["started"] = start_of(own).into();
    record["run"] = std::env::var("GIT_LANE_RUN").unwrap().into();
    std::fs::write(site.join("record"), record.to_string()).unwrap();
    let slot = File::open(site.join("slot")).unwrap();
    let ended = end_left_group(&site.join("record"), Some(&slot)).unwrap();
    std::fs::write(site.join("outcome"), format!("{ended:?}")).unwrap();
}

#[test]
fn no_record_ends_the_group_of_its_reader() {
    if !has_proc() {
        return skipped("there is no /proc");
    }
    let site = Site::new();
    stale(&site);
    let another = site.start_another("", |command| {
        command.process_group(0).env("GIT_LANE_RUN", "own");
    });
    let (code, took) = another.ended();
    assert_eq!((code, &*site.text("outcome")), (0, "Gone"));
    assert!(took < Duration::from_secs(10));
}
