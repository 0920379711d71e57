//! `git lane undo` of a rename, and the log that knows a lane by all its names.

use super::{assert_is, at_work, content};
use crate::support::{Sandbox, write};

#[test]
fn undo_gives_the_name_the_branch_and_the_place_back() {
    for (to, more) in [
        ("signin", &[][..]),
        ("login/deep", &[]),
        ("signin", &["--branch", "topic", "--path", "../far/away"]),
        ("signin", &["--branch", "login"]),
    ] {
        let sandbox = at_work();
        sandbox.lane(["start", "upper", "--base", "login"]).ok();
        let path = sandbox.lane_path("login");
        let before = content(&sandbox, "login", &path);
        let args = [&["rename", "login", to], more].concat();
        sandbox.lane(&args).ok();
        let told = sandbox.lane(["undo", to]).ok();
        assert!(
            told.contains("took back the rename of lane 'login'"),
            "{told}"
        );
        assert_is(&sandbox, "login", "login", &path);
        assert_eq!(content(&sandbox, "login", &path), before);
        assert_eq!(
            sandbox.git(["config", "lane.upper.base"]),
            "refs/heads/login"
        );
        assert!(!sandbox.root().join("far/away").exists());
        // The step before it is what an undo means now.
        let list = sandbox.lane(["--json", "undo", "--list", "login"]).json();
        let what: Vec<&str> = list["steps"]
            .as_array()
            .unwrap()
            .iter()
            .map(|step| step["what"].as_str().unwrap())
            .collect();
        assert_eq!(what, ["undo", "rename", "start"], "{list}");
    }
}

#[test]
fn a_lane_is_found_by_its_old_name_its_new_one_and_its_id() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    sandbox.lane(["rename", "login", "signin"]).ok();
    sandbox.work("signin", "one", "one\n");
    sandbox.lane(["finish", "signin"]).ok();
    let id = sandbox.lane(["--json", "log", "login"]).json();
    let id = id["events"][0]["laneId"].as_str().unwrap().to_owned();
    for name in ["login", "signin", &id] {
        let log = sandbox.lane(["--json", "log", name]).json();
        let whats: Vec<&str> = log["events"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|event| event["phase"] == "after")
            .map(|event| event["what"].as_str().unwrap())
            .collect();
        assert_eq!(whats, ["start", "rename", "land", "finish"], "{name}");
    }
    // By any of them, the last thing that was done with it is meant.
    for name in ["login", "signin", &id] {
        let told = sandbox.lane(["undo", name]).ok();
        assert!(
            told.contains("took back the landing of lane 'signin'"),
            "{name}: {told}"
        );
        sandbox.lane(["finish", "signin"]).ok();
    }
    sandbox.lane(["undo", "login"]).ok();
    let told = sandbox.lane(["undo", "login"]).ok();
    assert!(
        told.contains("took back the rename of lane 'login'"),
        "{told}"
    );
    sandbox.git_in(
        &sandbox.lane_path("login"),
        ["reset", "-q", "--hard", "main"],
    );
    let told = sandbox.lane(["undo", "login"]).ok();
    assert!(
        told.contains("took back the start of lane 'login'"),
        "{told}"
    );
}

#[test]
fn a_lane_of_the_old_name_is_another_one() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    sandbox.lane(["rename", "login", "signin"]).ok();
    sandbox.lane(["start", "login"]).ok();
    let said = sandbox.lane(["undo", "signin"]).fails(1);
    assert!(said.contains("there is a lane 'login' already"), "{said}");
    let told = sandbox.lane(["undo", "login"]).ok();
    assert!(
        told.contains("took back the start of lane 'login'"),
        "{told}"
    );
    sandbox.lane(["undo", "signin"]).ok();
    assert_is(&sandbox, "login", "login", &sandbox.lane_path("login"));
}

#[test]
fn what_came_after_is_not_overwritten() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    sandbox.lane(["rename", "login", "signin"]).ok();
    let (from, to) = (sandbox.lane_path("signin"), sandbox.lane_path("by-hand"));
    let [from, to] = [&from, &to].map(|path| path.to_str().unwrap());
    sandbox.git(["worktree", "move", from, to]);
    let said = sandbox.lane(["undo", "signin"]).fails(1);
    assert!(
        said.contains(
            "lane 'signin' has another name, place or base than the rename has left it with"
        ),
        "{said}"
    );
    sandbox.git(["worktree", "move", to, from]);
    write(&sandbox.lane_path("login").join("file"), "mine");
    let said = sandbox.lane(["undo", "signin"]).fails(1);
    assert!(said.contains("already exists"), "{said}");
}

/// What is brought back was said of the names of then: the name of a base that was renamed since may be
/// another branch's by now.
#[test]
fn a_base_that_was_renamed_since_is_followed() {
    let sandbox = Sandbox::new();
    let base = |lane: &str| sandbox.git(["config", &format!("lane.{lane}.base")]);
    sandbox.lane(["start", "lower"]).ok();
    sandbox.work("lower", "one", "one\n");
    sandbox.lane(["start", "trashed", "--base", "lower"]).ok();
    sandbox.lane(["start", "moved", "--base", "lower"]).ok();
    sandbox.lane(["start", "landed", "--base", "lower"]).ok();
    sandbox.work("landed", "two", "two\n");
    sandbox.lane(["drop", "trashed"]).ok();
    sandbox.lane(["base", "moved", "main"]).ok();
    let before = sandbox.git(["rev-parse", "lower"]);
    sandbox.lane(["finish", "landed"]).ok();
    sandbox.lane(["rename", "lower", "deep"]).ok();
    sandbox.lane(["rename", "deep", "deeper"]).ok();
    sandbox.lane(["start", "lower"]).ok();
    sandbox.lane(["restore", "trashed"]).ok();
    assert_eq!(base("trashed"), "refs/heads/deeper");
    sandbox.lane(["undo", "moved"]).ok();
    assert_eq!(base("moved"), "refs/heads/deeper");
    sandbox.lane(["undo", "landed"]).ok();
    assert_eq!(base("landed"), "refs/heads/deeper");
    assert_eq!(sandbox.git(["rev-parse", "deeper"]), before);
}

/// The new base was renamed, too.
#[test]
fn a_change_to_a_base_that_was_renamed_since_is_taken_back() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "lower"]).ok();
    sandbox.lane(["start", "upper"]).ok();
    sandbox.lane(["base", "upper", "lower"]).ok();
    sandbox.lane(["rename", "lower", "deeper"]).ok();
    sandbox.lane(["undo", "upper"]).ok();
    assert_eq!(
        sandbox.git(["config", "lane.upper.base"]),
        "refs/heads/main"
    );
}
