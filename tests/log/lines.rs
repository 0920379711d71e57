//! The log as people read it: one line for each operation, at every width.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::{Sandbox, assert_screen, write};

/// Writes the event log: each event with what it does not share with the others.
fn log(sandbox: &Sandbox, events: &[Value]) {
    let line = |(at, event): (usize, &Value)| {
        let mut whole = json!({
            "sequence": at + 1, "time": "2026-11-20T23:59:01.000Z", "operation": "a", "phase": "after",
            "actor": {"owner": "claude:7f3a9c1e-55d0", "pid": 1}, "what": "start", "lane": null, "laneId": null,
            "base": "refs/heads/main", "baseCommit": "1111111111111111111111111111111111111111",
            "result": null, "trash": null, "note": null, "problem": null,
        });
        for (key, value) in event.as_object().unwrap() {
            whole[key] = value.clone();
        }
        if let Some(lane) = event["lane"].as_str() {
            let digits = lane.bytes().map(|byte| format!("{byte:02x}"));
            whole["laneId"] = digits.collect::<String>()[..16].into();
        }
        format!("{whole}\n")
    };
    let text: String = events.iter().enumerate().map(line).collect();
    write(&sandbox.repo.join(".git/lane/events.jsonl"), text);
}

/// One operation of every kind of end.
fn a_day() -> Vec<Value> {
    let login = "agent-7/fix-login-form-validation";
    let result = "2222222222222222222222222222222222222222";
    let conflict = json!({
        "code": "conflict",
        "message": format!("lane '{login}' conflicts with 'main' in 2 files: 'src/login.rs', 'src/form.rs'"),
    });
    vec![
        json!({"operation": "a", "phase": "before", "lane": login}),
        json!({"operation": "a", "lane": login}),
        json!({"operation": "b", "what": "claim", "lane": "search-paging"}),
        json!({"operation": "c", "phase": "before", "what": "land", "lane": login}),
        json!({"operation": "c", "phase": "failed", "what": "land", "lane": login, "problem": conflict}),
        json!({"operation": "d", "phase": "before", "lane": "search-paging"}),
        json!({"operation": "e", "phase": "before", "what": "heal", "lane": "search-paging"}),
        json!({"operation": "e", "what": "heal", "lane": "search-paging",
               "note": "the start of lane 'search-paging' was interrupted; it has been undone"}),
        json!({"operation": "f", "phase": "before", "what": "land", "lane": login, "time": "2026-11-21T00:00:10.000Z"}),
        json!({"operation": "f", "what": "land", "lane": login, "result": result, "note": "merge",
               "resolved": true, "time": "2026-11-21T00:00:12.000Z"}),
        json!({"operation": "g", "phase": "before", "what": "drop", "lane": "invoices",
               "time": "2026-11-21T00:01:00.000Z"}),
    ]
}

#[test]
fn an_operation_has_one_line_at_every_width() {
    let sandbox = Sandbox::new();
    log(&sandbox, &a_day());
    for columns in ["40", "80", "120"] {
        let mut command = sandbox.command("git-lane");
        let text = sandbox.run(command.arg("log").env("COLUMNS", columns)).ok();
        assert!(text.contains("agent-7/fix-login-form-validation"), "{text}");
        let width = |line: &str| line.chars().count();
        let limit: usize = columns.parse().unwrap();
        assert!(text.lines().all(|line| width(line) <= limit), "{text}");
        assert_screen(&format!("log-lines-{columns}"), &text);
    }
    // A program that reads has all of it, and may have as much room as it likes.
    assert_screen("log-lines", &sandbox.lane(["log"]).ok());
}

#[test]
fn people_count_operations_and_programs_events() {
    let sandbox = Sandbox::new();
    log(&sandbox, &a_day());
    let text = sandbox.lane(["log", "-n", "2"]).ok();
    let words = |line: &str| line.split("  ").nth(1).unwrap().trim().to_owned();
    assert_eq!(
        text.lines().map(words).collect::<Vec<_>>(),
        ["landed", "drop"],
        "{text}"
    );
    let events = sandbox.events(&["-n", "2"]);
    assert_eq!(super::told(&events), ["land after", "drop before"]);
    let text = sandbox.lane(["log", "search-paging"]).ok();
    assert_eq!(
        text.lines().map(words).collect::<Vec<_>>(),
        ["claimed", "start"],
        "{text}"
    );
}

#[test]
fn the_time_is_that_of_the_users_place() {
    let sandbox = Sandbox::new();
    log(&sandbox, &a_day()[..3]);
    for (zone, shown) in [
        ("UTC", "2026-11-20 23:59  started"),
        ("EST5", "2026-11-20 18:59  started"),
        ("XXX-2", "2026-11-21 01:59  started"),
    ] {
        let mut command = sandbox.command("git-lane");
        let text = sandbox.run(command.arg("log").env("TZ", zone)).ok();
        assert!(text.starts_with(shown), "{zone}: {text}");
    }
    sandbox.lane(["start", "today"]).ok();
    let text = sandbox.lane(["log", "today"]).ok();
    let time = text.split_once("  started").unwrap().0;
    let is_time = time.len() == 5 && time.as_bytes()[2] == b':';
    assert!(is_time, "{text}");
}

/// What takes long is told while it runs, and all of it once it has ended.
#[test]
fn who_follows_reads_each_operation_once_it_has_ended() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "before"]).ok();
    let mut command = sandbox.command("git-lane");
    let command = command.args(["log", "--follow"]).stdout(Stdio::piped());
    let mut follower = Follower(command.stderr(Stdio::null()).spawn().unwrap());
    let mut lines = BufReader::new(follower.0.stdout.take().unwrap()).lines();
    let mut next = || lines.next().unwrap().unwrap();
    assert!(next().contains("started  before"));
    sandbox.lane(["start", "login"]).ok();
    let line = next();
    assert!(line.contains("  started  login   tester  main"), "{line}");

    let first = sandbox.events(&["login"]).remove(0);
    let append = |phase: &str, sequence: u64| {
        let mut event = first.clone();
        event["sequence"] = sequence.into();
        event["phase"] = phase.into();
        event["operation"] = "long".into();
        event["actor"]["pid"] = follower.0.id().into();
        event["time"] = now().into();
        let log = sandbox.repo.join(".git/lane/events.jsonl");
        let mut file = std::fs::File::options().append(true).open(log).unwrap();
        writeln!(file, "{event}").unwrap();
    };
    append("before", 100);
    let line = next();
    assert!(
        line.contains("  starting  login   tester  running for 1s"),
        "{line}"
    );
    append("after", 101);
    let line = next();
    assert!(line.contains("  started   login   tester  main"), "{line}");
}

/// It ends with the test.
struct Follower(std::process::Child);

impl Drop for Follower {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The present time as the log writes it.
fn now() -> String {
    let mut date = std::process::Command::new("date");
    let said = date
        .args(["-u", "+%Y-%m-%dT%H:%M:%S.000Z"])
        .output()
        .unwrap();
    String::from_utf8(said.stdout).unwrap().trim().to_owned()
}
