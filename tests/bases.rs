//! A lane that is based on another one: its base becomes where that one landed.

use crate::support::Sandbox;

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
        assert!(
            foretold.contains("the base of lane 'upper' would be 'main'"),
            "{what}: {foretold}"
        );
        assert_eq!(base_of(&sandbox, "upper"), "refs/heads/lower", "{what}");
        let json = sandbox.lane([&["--json"][..], args].concat()).json();
        assert_eq!(
            json["above"],
            serde_json::json!(["upper"]),
            "{what}: {json}"
        );
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
    assert!(
        told.contains("the base of lane 'upper' is now 'release'"),
        "{told}"
    );
    assert_eq!(base_of(&sandbox, "upper"), "refs/heads/release");

    let sandbox = stacked();
    sandbox.lane(["finish", "lower", "--into", "upper"]).ok();
    assert_eq!(base_of(&sandbox, "upper"), "refs/heads/lower");
}

#[test]
fn what_did_not_land_leaves_no_heir() {
    for args in [
        &["finish", "lower", "--no-land", "--force"][..],
        &["drop", "lower", "--yes"],
        &["drop", "lower", "--force"],
    ] {
        let sandbox = stacked();
        let told = sandbox.lane(args.iter().chain(&["-n"])).stderr;
        let remedy = "land it with: git lane finish upper --into main\n";
        let would = format!(
            "lane 'upper' would have no base any more: branch 'lower' would be gone; {remedy}"
        );
        assert!(told.contains(&would), "{args:?}: {told}");
        let run = sandbox.lane(["--json"].iter().chain(args));
        let has = format!("lane 'upper' has no base any more: branch 'lower' is gone; {remedy}");
        assert!(run.stderr.contains(&has), "{args:?}: {run}");
        let json = run.json();
        let said = if args[0] == "drop" {
            &json["dropped"][0]
        } else {
            &json
        };
        assert_eq!(
            (&said["above"], &said["heir"]),
            (&serde_json::json!(["upper"]), &serde_json::Value::Null),
            "{json}"
        );
        assert_eq!(base_of(&sandbox, "upper"), "refs/heads/lower", "{args:?}");
        sandbox.lane(["finish", "upper", "--into", "main"]).ok();
        assert_eq!(sandbox.git(["show", "main:upper"]), "two");
    }

    let sandbox = stacked();
    sandbox.git(["merge", "-q", "lower"]);
    let foretold = sandbox.lane(["prune", "-n", "--older-than", "0s"]).ok();
    assert!(
        foretold.contains("  the base of lane 'upper' would be 'main'"),
        "{foretold}"
    );
    let json = sandbox
        .lane(["--json", "prune", "--yes", "--older-than", "0s"])
        .json();
    let said = &json["pruned"][0];
    assert_eq!(
        (&said["above"], &said["heir"]),
        (&serde_json::json!(["upper"]), &"main".into()),
        "{json}"
    );
    assert_eq!(
        base_of(&sandbox, "upper"),
        "refs/heads/main",
        "prune has a proof"
    );
}

#[test]
fn a_lane_that_leaves_together_with_its_base_is_not_told_of() {
    let sandbox = stacked();
    let run = sandbox.lane(["--json", "drop", "--yes", "lower", "upper"]);
    assert!(!run.stderr.contains("base"), "{run}");
    let json = run.json();
    assert_eq!(json["dropped"][0]["above"], serde_json::json!([]), "{json}");

    let sandbox = stacked();
    sandbox.git_in(&sandbox.lane_path("lower"), ["merge", "-q", "upper"]);
    sandbox.git(["merge", "-q", "lower"]);
    let json = sandbox
        .lane(["--json", "prune", "--yes", "--older-than", "0s"])
        .json();
    let above: Vec<_> = json["pruned"]
        .as_array()
        .unwrap()
        .iter()
        .map(|taken| taken["above"].clone())
        .collect();
    assert_eq!(
        above,
        [serde_json::json!([]), serde_json::json!([])],
        "{json}"
    );
}

/// What a removal has done to the base of others is in the log, also of those others.
#[test]
fn the_log_knows_what_has_become_of_a_base() {
    for (args, merged, heir, text) in [
        (
            &["finish", "lower"][..],
            false,
            Some("main"),
            "the base of lane 'upper' is now 'main'",
        ),
        (
            &["prune", "--yes", "--older-than", "0s"],
            true,
            Some("main"),
            "the base of lane 'upper' is now 'main'",
        ),
        (
            &["drop", "lower", "--yes"],
            false,
            None,
            "lane 'upper' has no base any more",
        ),
    ] {
        let sandbox = stacked();
        if merged {
            sandbox.git(["merge", "-q", "lower"]);
        }
        sandbox.lane(args).ok();
        let log = sandbox.lane(["--json", "log", "upper"]).json();
        let last = log["events"].as_array().unwrap().last().unwrap().clone();
        assert_eq!(
            (&last["what"], &last["phase"]),
            (&args[0].into(), &"after".into()),
            "{log}"
        );
        assert_eq!(
            (&last["lane"], &last["above"]),
            (&"lower".into(), &serde_json::json!(["upper"])),
            "{last}"
        );
        assert_eq!(last["heir"].as_str(), heir, "{last}");
        let told = sandbox.lane(["log", "upper"]).ok();
        assert!(told.contains(text), "{told}");
        // Without anything above there is nothing of it to tell.
        sandbox.lane(["start", "other"]).ok();
        sandbox.work("other", "other", "three");
        sandbox.lane(["finish", "other"]).ok();
        assert!(
            !sandbox.lane(["log", "other"]).ok().contains("base of"),
            "{told}"
        );
    }
}

/// The process died when the branch was gone, and the next command completed the removal.
#[test]
fn the_log_knows_it_of_a_removal_that_was_healed_too() {
    for (args, heir) in [
        (&["finish", "lower"][..], Some("main")),
        (&["drop", "--yes", "lower"], None),
    ] {
        let sandbox = stacked();
        sandbox.died("retire.refs-changed", args);
        sandbox.lane(["start", "other"]).ok();
        let log = sandbox.lane(["--json", "log", "upper"]).json();
        let last = log["events"].as_array().unwrap().last().unwrap().clone();
        assert_eq!(
            (&last["what"], &last["above"]),
            (&"heal".into(), &serde_json::json!(["upper"])),
            "{log}"
        );
        assert_eq!(last["heir"].as_str(), heir, "{last}");
    }
}
