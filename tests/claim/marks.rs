//! `git lane mark`: the owner's word, and whose it is.

use super::{claim, holding, refused};
use crate::support::Sandbox;

#[test]
fn a_mark_is_a_word_with_its_time_and_a_message() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login", "--task", "T-1"]).ok();
    let place = sandbox.lane_path("login");
    let config = |key: &str| sandbox.git(["config", &format!("lane.login.{key}")]);
    for status in ["working", "blocked", "ready", "done"] {
        sandbox
            .lane_in(&place, ["mark", status, "-m", "two\nlines"])
            .ok();
        assert_eq!(config("status"), status);
        assert_eq!(config("statusMessage"), "two\nlines");
        assert!(config("statusSince").ends_with('Z'));
    }
    // One event each, whatever is said.
    let log = sandbox.lane(["log", "login"]).ok();
    let marked = log.lines().filter(|line| line.contains("marked"));
    assert_eq!(marked.count(), 4, "{log}");
    sandbox.lane(["mark", "login", "working"]).ok();
    sandbox.git_fails(["config", "lane.login.statusMessage"]);
    // All else in the record stays.
    assert_eq!(config("task"), "T-1");
    for args in [
        &["login", "finished"][..],
        &["login"],
        &[],
        &["a", "ready", "b"],
    ] {
        sandbox.lane(["mark"].iter().chain(args)).fails(2);
    }
    let run = sandbox.lane(["mark", "nobody", "ready", "--json"]);
    assert_eq!(refused(run).0, "no-such-lane");
}

#[test]
fn somebody_elses_lane_is_marked_in_their_name_alone() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login", "--owner", "ann"]).ok();
    let run = sandbox.lane(["mark", "login", "ready", "--json"]);
    assert_eq!(refused(run).0, "lane-owned");
    sandbox
        .lane(["mark", "login", "ready", "--owner", "ann"])
        .ok();
    let mut command = sandbox.command("git-lane");
    command.args(["mark", "login", "working"]);
    sandbox.run(command.env("GIT_LANE_OWNER", "ann")).ok();
    // The name alone is not enough where somebody holds it, and not needed by who does.
    let token = claim(&sandbox, &["login", "--owner", "bob"]);
    let run = sandbox.lane(["mark", "login", "done", "--owner", "bob", "--json"]);
    assert_eq!(refused(run), ("claimed".into(), "bob".into()));
    holding(&sandbox, &token, &["mark", "login", "done"]).ok();
}

/// A word of a later version, or one that somebody wrote by hand, is none.
#[test]
fn what_makes_no_sense_is_no_status() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    for (key, value) in [
        ("status", "nearly"),
        ("statusSince", "yesterday"),
        ("set", "no parameter"),
        ("readOnly", "maybe"),
    ] {
        sandbox.git(["config", &format!("lane.login.{key}"), value]);
        sandbox.lane(["list"]).ok();
        sandbox.lane(["show", "login"]).ok();
    }
    sandbox.lane(["mark", "login", "ready"]).ok();
    assert_eq!(sandbox.git(["config", "lane.login.status"]), "ready");
}
