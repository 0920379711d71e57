//! What a look leaves for the next one and for the list.

use super::found;
use crate::support::{Sandbox, write};

fn conflicting() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "a", "b"]).ok();
    sandbox.work("a", "src/app.txt", "of a\n");
    sandbox.work("b", "other", "of b\n");
    sandbox.write("src/app.txt", "of main\n");
    sandbox.commit("main");
    sandbox
}

fn listed(sandbox: &Sandbox) -> serde_json::Value {
    let list = sandbox.lane(["list", "--json"]).json();
    let lanes = list["lanes"].as_array().unwrap().iter();
    let mut lanes = lanes.filter(|lane| lane["lane"] == "a");
    lanes.next().unwrap()["versusBase"]["paths"].clone()
}

#[test]
fn the_list_shows_a_conflict_as_long_as_it_is_known() {
    let sandbox = conflicting();
    assert!(listed(&sandbox).is_null());
    sandbox.lane(["check"]).fails(3);
    assert_eq!(listed(&sandbox), serde_json::json!(["src/app.txt"]));
    assert!(sandbox.lane(["list"]).ok().contains("+1 -1 conflicts"));
    assert!(sandbox.lane(["show", "a"]).ok().contains("conflicts"));
    // Not known any more: another file, another commit, another base.
    write(&sandbox.lane_path("a").join("new"), "new\n");
    assert!(listed(&sandbox).is_null());
    std::fs::remove_file(sandbox.lane_path("a").join("new")).unwrap();
    assert_eq!(listed(&sandbox), serde_json::json!(["src/app.txt"]));
    sandbox.commit_empty();
    assert!(listed(&sandbox).is_null());
    sandbox.lane(["check", "b"]).ok();
    assert!(listed(&sandbox).is_null());
    sandbox.lane(["check", "a"]).fails(3);
    assert_eq!(listed(&sandbox), serde_json::json!(["src/app.txt"]));
}

/// What is not committed no list can compare without the cost.
#[test]
fn the_list_says_nothing_of_what_is_not_committed() {
    let sandbox = conflicting();
    let other = sandbox.lane_path("b").join("src/app.txt");
    write(&other, "of b\n");
    sandbox.lane(["check"]).fails(3);
    let conflict = || {
        let list = sandbox.lane(["list", "--json"]).json();
        let lanes = list["lanes"].as_array().unwrap().iter();
        let mut lanes = lanes.filter(|lane| lane["lane"] == "b");
        lanes.next().unwrap()["versusBase"]["conflict"].clone()
    };
    assert!(conflict().is_null());
    sandbox.git_in(&sandbox.lane_path("b"), ["checkout", "-q", "--", "."]);
    assert!(conflict().is_null());
    sandbox.lane(["check", "b"]).ok();
    assert_eq!(conflict(), false);
}

#[test]
fn a_damaged_or_strange_file_costs_nothing_but_time() {
    let sandbox = conflicting();
    let file = sandbox.repo.join(".git/lane/forecasts.json");
    for content in ["", "{", "[1]", "{\"verdicts\":7}", "{\"lanes\":{\"x\":{}}}"] {
        write(&file, content);
        assert_eq!(found(&sandbox, &[]), ["a: src/app.txt"], "{content}");
        sandbox.lane(["list"]).ok();
    }
    std::fs::remove_file(&file).unwrap();
    let elsewhere = sandbox.root().join("elsewhere");
    write(&elsewhere, "mine");
    std::os::unix::fs::symlink(&elsewhere, &file).unwrap();
    assert_eq!(found(&sandbox, &[]), ["a: src/app.txt"]);
    assert_eq!(std::fs::read_to_string(&elsewhere).unwrap(), "mine");
}

trait CommitEmpty {
    fn commit_empty(&self);
}

impl CommitEmpty for Sandbox {
    fn commit_empty(&self) {
        self.git(["commit", "-q", "--allow-empty", "-m", "empty"]);
    }
}
