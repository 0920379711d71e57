//! How a wait ends that does not end well: codes, sentences, documents.

use std::time::Duration;

use serde_json::{Value, json};

use super::with_lanes;
use crate::support::Sandbox;

/// The document and the exit code of a wait that looks once.
#[track_caller]
fn document(sandbox: &Sandbox, args: &[&str], code: i32) -> Value {
    let run = sandbox.lane([&["wait", "--json", "--timeout", "0s"], args].concat());
    assert_eq!(run.code, code, "{run}");
    serde_json::from_str(&run.stdout).unwrap()
}

#[test]
fn the_document_has_each_lane_and_what_it_meets() {
    let sandbox = with_lanes(&["a", "b"]);
    sandbox.does(&["mark", "a", "ready", "-m", "please look"]);
    let id = |lane: &str| sandbox.git(["config", &format!("lane.{lane}.id")]);
    let (a, b) = (id("a"), id("b"));
    let found = document(&sandbox, &["a", "--until", "ready,done"], 0);
    let expected = json!({
        "version": 2, "conditions": ["ready", "done"], "all": true, "met": true,
        "lanes": [{
            "lane": "a", "laneId": a, "condition": "ready", "status": "ready", "message": "please look",
            "problem": null,
        }],
    });
    assert_eq!(found, expected);
    let found = document(&sandbox, &["--any", "--until", "landed"], 1);
    assert_eq!(
        (&found["all"], &found["met"]),
        (&json!(false), &json!(false))
    );
    assert_eq!(found["lanes"][1]["laneId"], json!(b));
    assert_eq!(found["lanes"][1]["condition"], Value::Null);
    assert_eq!(found["error"]["code"], "timed-out");
    assert_eq!(found["error"]["details"]["unmet"], json!(["a", "b"]));
}

#[test]
fn the_time_is_over() {
    let sandbox = with_lanes(&["a", "b"]);
    sandbox.does(&["mark", "a", "ready"]);
    let began = std::time::Instant::now();
    let error = sandbox
        .lane(["wait", "--until", "ready", "--timeout", "1s"])
        .fails(1);
    assert!(error.contains("lane 'b' is not ready after 1s"), "{error}");
    assert!(began.elapsed().as_millis() >= 1000);
    let error = sandbox
        .lane(["wait", "--until", "done", "--timeout", "0s"])
        .fails(1);
    let said = "2 of 2 lanes are not done after 0s: 'a', 'b'\n";
    assert!(error.contains(said), "{error}");
    let found = document(&sandbox, &["--until", "ready"], 1);
    assert_eq!(found["error"]["details"]["unmet"], json!(["b"]));
    assert_eq!(found["lanes"][0]["condition"], "ready");
    for (args, code) in [
        (&["--timeout", "soon"][..], 2),
        (&["--until", "soon"], 2),
        (&["--until", ""], 2),
        (&["--any", "--all"], 2),
    ] {
        let _ = sandbox.lane([&["wait"], args].concat()).fails(code);
    }
}

#[test]
fn a_lane_that_is_gone_ends_the_wait_for_anything_else() {
    let sandbox = with_lanes(&["a", "b"]);
    let all = sandbox.waits(&["a", "b", "--until", "ready"]);
    let any = sandbox.waits(&["a", "b", "--any", "--until", "ready"]);
    sandbox.does(&["drop", "a", "--yes"]);
    let ended = all.ends(1);
    let sentence = "lane 'a' is gone and cannot be ready: it was dropped";
    assert!(ended.stderr.contains(sentence), "{ended:?}");
    // Any other can still be.
    let mut any = any;
    any.goes_on();
    sandbox.does(&["mark", "b", "ready"]);
    assert_eq!(any.ends(0).stdout, "b ready\n");
    let found = document(&sandbox, &["a", "--until", "ready"], 1);
    assert_eq!(found["error"]["code"], "lane-gone");
    assert_eq!(found["lanes"][0]["problem"]["code"], "lane-gone");
    // One whose record somebody has removed by hand.
    let waiting = sandbox.waits(&["b", "--until", "done"]);
    sandbox.git(["config", "--remove-section", "lane.b"]);
    let ended = waiting.ends(1);
    assert!(
        ended.stderr.contains("nothing records it any more"),
        "{ended:?}"
    );
}

/// A lane that was marked, and finished at once, was ready.
#[test]
fn what_a_lane_was_when_it_left_counts() {
    let sandbox = with_lanes(&["a"]);
    sandbox.work("a", "a.txt", "a\n");
    sandbox.does(&["mark", "a", "ready"]);
    sandbox.does(&["finish", "a"]);
    assert_eq!(sandbox.wait_is(&["a", "--until", "ready"], 0), "a ready\n");
    assert_eq!(
        sandbox.wait_is(&["a", "--until", "landed"], 0),
        "a landed\n"
    );
}

/// A record that cannot be used is no lane that has left, and neither is an unreadable file.
#[test]
fn what_cannot_be_read_is_not_gone() {
    let sandbox = with_lanes(&["a", "b"]);
    let config = sandbox.repo.join(".git/config");
    let whole = std::fs::read_to_string(&config).unwrap();
    let mut waiting = sandbox.waits(&["a", "--until", "gone"]);
    sandbox.git(["config", "lane.a.worktree", "nowhere"]);
    waiting.goes_on();
    std::fs::write(&config, "[core\n").unwrap();
    waiting.goes_on();
    // An editor that writes in place empties it first.
    std::fs::write(&config, "").unwrap();
    std::thread::sleep(Duration::from_millis(20));
    std::fs::write(&config, whole).unwrap();
    waiting.goes_on();
    sandbox.does(&["drop", "a", "--yes"]);
    waiting.ends(0);
}
