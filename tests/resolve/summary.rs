//! `git lane log --summary`: how landings ended, for each base and day.

use serde_json::json;

use super::{BOTH, conflicting};
use crate::support::Sandbox;

/// One of each ending on `main`, two clean ones with the same move, and one on another base.
fn landings() -> Sandbox {
    let sandbox = conflicting();
    sandbox.lane(["finish", "login"]).fails(3);
    sandbox.resolving("exit 1", &[]).fails(3);
    sandbox.resolving(BOTH, &["--gate", "exit 3"]).fails(6);
    sandbox.resolving("false", &[]).ok();
    sandbox.git(["branch", "next"]);
    sandbox.lane(["start", "a", "b", "c"]).ok();
    for lane in ["a", "b", "c"] {
        sandbox.work(lane, &format!("{lane}.txt"), "work\n");
    }
    sandbox.lane(["finish", "a", "b", "--gate", "true"]).ok();
    sandbox.lane(["finish", "c", "--into", "next"]).ok();
    sandbox.lane(["start", "login"]).ok();
    super::collide(&sandbox, "login", "src/app.txt");
    sandbox.resolving(BOTH, &[]).ok();
    sandbox
}

#[test]
fn each_ending_is_counted_where_it_belongs() {
    let sandbox = landings();
    let document = sandbox.lane(["log", "--summary", "--json"]).json();
    let today = document["summary"][0]["firstDay"].clone();
    assert_eq!(today.as_str().unwrap().len(), 10);
    let row = |base: &str, [clean, resolved, given_up, gate_failed]: [usize; 4]| {
        json!({
            "base": base, "firstDay": today, "lastDay": today, "clean": clean, "resolved": resolved,
            "givenUp": given_up, "gateFailed": gate_failed,
        })
    };
    let expected = json!([
        row("refs/heads/main", [3, 1, 2, 1]),
        row("refs/heads/next", [1, 0, 0, 0]),
    ]);
    assert_eq!(document["summary"], expected);
    assert!(document["since"].is_null());
    let text = sandbox.lane(["log", "--summary"]).ok();
    let lines: Vec<Vec<&str>> = text
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    let day = today.as_str().unwrap();
    assert_eq!(
        lines[0].join(" "),
        "BASE DAY CLEAN RESOLVED GIVEN UP GATE FAILED"
    );
    assert_eq!(lines[1], ["main", day, "3", "1", "2", "1"]);
    assert_eq!(lines[2], ["next", day, "1", "-", "-", "-"]);
    let one = sandbox.lane(["log", "--summary", "--json", "a"]).json();
    assert_eq!(
        one["summary"],
        json!([row("refs/heads/main", [1, 0, 0, 0])])
    );
}

#[test]
fn what_is_older_than_asked_for_is_left_out() {
    let sandbox = landings();
    let count = |since: &str| {
        let document = sandbox.lane(["log", "--json", "--since", since]).json();
        document["events"].as_array().unwrap().len()
    };
    let all = sandbox.lane(["log", "--json"]).json();
    let all = all["events"].as_array().unwrap().len();
    assert_eq!(
        (count("1h"), count("2020-01-01"), count("2999-01-01")),
        (all, all, 0)
    );
    let summary = |since: &str| {
        let document = sandbox
            .lane(["log", "--summary", "--json", "--since", since])
            .json();
        (
            document["summary"].as_array().unwrap().len(),
            document["since"].clone(),
        )
    };
    assert_eq!(
        summary("2999-01-01T00:00:00Z"),
        (0, "2999-01-01T00:00:00.000Z".into())
    );
    assert_eq!(summary("7d").0, 2);
    let text = sandbox
        .lane(["log", "--summary", "--since", "2999-01-01"])
        .ok();
    assert_eq!(
        text,
        "nothing has landed or tried to since 2999-01-01T00:00:00.000Z\n"
    );
    for wrong in ["", "yesterday", "7", "2026-13-01"] {
        let said = sandbox.lane(["log", "--since", wrong]).fails(2);
        assert!(said.contains("hint: write it like 7d"), "{said}");
    }
}

#[test]
fn a_landing_that_was_completed_for_a_dead_process_counts() {
    let sandbox = conflicting();
    sandbox.lane(["start", "a"]).ok();
    sandbox.work("a", "a.txt", "work\n");
    sandbox.died("land.ref", ["finish", "a", "--strategy", "merge"]);
    sandbox.lane(["finish", "a"]).ok();
    let document = sandbox.lane(["log", "--summary", "--json"]).json();
    assert_eq!(document["summary"][0]["clean"], 1, "{document}");
}
