//! The event log: links, pipes and directories in its place, lines that git-lane never wrote.

use super::{link, look, pipe};
use crate::support::{Sandbox, write};

/// The files of a log, and what may stand there instead.
#[test]
fn the_log_is_written_to_its_own_files_only() {
    for file in [
        "events.jsonl",
        "events.1.jsonl",
        "events.4.jsonl",
        "events.lock",
    ] {
        for kind in ["link", "dangling link", "pipe", "directory", "hard link"] {
            let sandbox = Sandbox::new();
            let victim = sandbox.precious();
            let _ = sandbox.lane(["start", "before"]).ok();
            let at = sandbox.own(file);
            let _ = std::fs::remove_file(&at);
            match kind {
                "link" => link(&victim.join("doc"), &at),
                "dangling link" => link(&victim.join("new"), &at),
                "pipe" => pipe(&at),
                "directory" => write(&at.join("x"), ""),
                _ => std::fs::hard_link(victim.join("doc"), &at).unwrap(),
            }
            let before = std::fs::read_to_string(victim.join("doc")).unwrap();
            for args in [
                &["log"][..],
                &["list"],
                &["doctor"],
                &["start", "x"],
                &["drop", "--yes", "x"],
            ] {
                let run = sandbox.lane_in_time(args);
                assert!(args == ["doctor"] || run.code == 0, "{file} {kind}: {run}");
                assert_eq!(
                    std::fs::read_to_string(victim.join("doc")).unwrap(),
                    before,
                    "{file} {kind}: {run}"
                );
                assert!(!victim.join("new").exists(), "{file} {kind} {args:?}");
            }
            let log = sandbox.lane_in_time(&["log"]).ok();
            assert!(
                log.contains("started") && log.contains("dropped"),
                "{file} {kind}: {log}"
            );
            let named = sandbox.found() == ["strange-file"];
            assert_eq!(named, kind != "hard link", "{file} {kind}");
        }
    }
}

/// A full log is rotated into files of its own.
#[test]
fn a_rotation_follows_nothing() {
    let sandbox = Sandbox::new();
    let victim = sandbox.precious();
    let _ = sandbox.lane(["start", "x"]).ok();
    let line = std::fs::read_to_string(sandbox.own("events.jsonl"))
        .unwrap()
        .lines()
        .next()
        .unwrap()
        .to_owned()
        + "\n";
    write(
        &sandbox.own("events.jsonl"),
        line.repeat((1 << 20) / line.len() + 1),
    );
    link(&victim.join("doc"), &sandbox.own("events.1.jsonl"));
    link(&victim, &sandbox.own("events.2.jsonl"));
    let before = look(&sandbox, &victim);
    let _ = sandbox.lane_in_time(&["drop", "--yes", "x"]).ok();
    assert_eq!(look(&sandbox, &victim), before);
    assert!(sandbox.own("events.1.jsonl").is_file());
}

/// A line with the largest number there is leaves none for those to come.
#[test]
fn a_planted_number_does_not_end_the_log() {
    let sandbox = Sandbox::new();
    let _ = sandbox.lane(["start", "x"]).ok();
    let text = std::fs::read_to_string(sandbox.own("events.jsonl")).unwrap();
    for number in [u64::MAX, u64::MAX - 1, 1 << 60] {
        let planted = text
            .lines()
            .next()
            .unwrap()
            .replace("\"sequence\":1,", &format!("\"sequence\":{number},"));
        assert_ne!(planted, text.lines().next().unwrap());
        write(&sandbox.own("events.jsonl"), format!("{text}{planted}\n"));
        let _ = sandbox.lane_in_time(&["start", &format!("y{number}")]).ok();
        let _ = sandbox
            .lane_in_time(&["drop", "--yes", &format!("y{number}")])
            .ok();
        let log = sandbox.lane_in_time(&["log"]).ok();
        assert!(log.contains("dropped"), "{number}: {log}");
    }
}
