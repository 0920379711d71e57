//! A lane that is based on another one: its base becomes where that one landed.

use crate::sandbox::Sandbox;

/// Two lanes, `upper` on `lower`, each with a commit of its own.
fn stacked() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "lower"]).ok();
    sandbox.work("lower", "lower", "one");
    sandbox.lane(["start", "upper", "--base", "lower"]).ok();
    sandbox.work("upper", "upper", "two");
    sandbox
}

fn base_of(sandbox: &Sandbox, lane: &str) -> String {
    sandbox.git(["config", &format!("lane.{lane}.base")])
}

#[test]
fn the_base_of_a_lane_that_landed_is_inherited() {
    for (what, args) in [
        ("merge", &["finish", "lower"][..]),
        ("squash", &["finish", "lower", "--strategy", "squash"]),
        ("rebase", &["finish", "lower", "--strategy", "rebase"]),
        ("ff", &["finish", "lower", "--strategy", "ff"]),
    ] {
        let sandbox = stacked();
        let foretold = sandbox.lane([args, &["-n"]].concat()).ok();
        assert!(foretold.contains("the base of lane 'upper' would be 'main'"), "{what}: {foretold}");
        assert_eq!(base_of(&sandbox, "upper"), "refs/heads/lower", "{what}");
        let json = sandbox.lane([&["--json"][..], args].concat()).json();
        assert_eq!(json["above"], serde_json::json!(["upper"]), "{what}: {json}");
        assert_eq!(base_of(&sandbox, "upper"), "refs/heads/main", "{what}");
        sandbox.lane(["finish", "upper"]).ok();
        assert_eq!(sandbox.git(["show", "main:lower"]), "one", "{what}");
        assert_eq!(sandbox.git(["show", "main:upper"]), "two", "{what}");
    }
}

#[test]
fn it_is_where_the_lane_landed_and_no_lane_is_its_own_base() {
    let sandbox = stacked();
    sandbox.git(["branch", "release"]);
    let told = sandbox.lane(["finish", "lower", "--into", "release"]).ok();
    assert!(told.contains("the base of lane 'upper' is now 'release'"), "{told}");
    assert_eq!(base_of(&sandbox, "upper"), "refs/heads/release");

    let sandbox = stacked();
    sandbox.lane(["finish", "lower", "--into", "upper"]).ok();
    assert_eq!(base_of(&sandbox, "upper"), "refs/heads/lower");
}

#[test]
fn what_did_not_land_leaves_no_heir() {
    let sandbox = stacked();
    sandbox.lane(["finish", "lower", "--no-land", "--force"]).ok();
    assert_eq!(base_of(&sandbox, "upper"), "refs/heads/lower");

    let sandbox = stacked();
    sandbox.lane(["drop", "lower", "--yes"]).ok();
    assert_eq!(base_of(&sandbox, "upper"), "refs/heads/lower");

    let sandbox = stacked();
    sandbox.git(["merge", "-q", "lower"]);
    sandbox.lane(["prune", "--yes", "--older-than", "0s"]).ok();
    assert_eq!(base_of(&sandbox, "upper"), "refs/heads/main", "prune has a proof");
}
