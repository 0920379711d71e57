//! What is said of it.

use serde_json::json;

use super::work_in;
use crate::support::Sandbox;

fn working() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox
        .sh("echo x >>README; git add README; echo y >>README; rm src/app.txt; echo z >z")
        .ok();
    sandbox
}

#[test]
fn the_document_says_what_has_moved() {
    for (options, kept) in [(&[][..], false), (&["--keep"], true)] {
        let sandbox = working();
        let args = ["start", "login", "--move", "--json"].iter().chain(options);
        let report = sandbox.lane(args.copied().collect::<Vec<_>>()).json();
        let from = sandbox.repo.to_str().unwrap();
        assert_eq!(
            report["lanes"][0]["moved"],
            json!({"from": from, "kept": kept, "staged": 1, "modified": 2, "untracked": 1, "conflicted": 0})
        );
        let log = sandbox.lane(["log", "--json"]).json();
        let events = log["events"].as_array().unwrap();
        assert_eq!(events.last().unwrap()["moved"], report["lanes"][0]["moved"]);
    }
}

#[test]
fn a_dry_run_says_it_and_does_nothing() {
    let sandbox = working();
    sandbox.git(["status"]);
    let before = sandbox.fingerprint();
    let text = sandbox.lane(["start", "login", "--move", "-n"]).ok();
    assert!(text.contains("would start lane 'login'"), "{text}");
    assert!(
        text.contains("moved: 1 staged, 2 modified, 1 untracked from "),
        "{text}"
    );
    assert_eq!(sandbox.fingerprint(), before);
}

/// The same command again shows the lane.
#[test]
fn where_nothing_is_uncommitted_a_lane_is_started_all_the_same() {
    let sandbox = working();
    sandbox.lane(["start", "login", "--move"]).ok();
    let text = sandbox.lane(["start", "login", "--move"]).ok();
    assert!(text.contains("lane 'login' is there already"), "{text}");
    let text = sandbox.lane(["start", "other", "--move"]).ok();
    assert!(
        text.contains("moved: nothing, for all is committed"),
        "{text}"
    );
    assert_eq!(
        work_in(&sandbox, &sandbox.lane_path("other")),
        work_in(&sandbox, &sandbox.repo)
    );
}

/// A base that has the same where the work is will do.
#[test]
fn the_lane_may_start_from_another_commit_with_the_same_files_there() {
    let sandbox = Sandbox::new();
    sandbox.git(["branch", "old"]);
    sandbox.write("later", "x");
    sandbox.commit("later");
    sandbox
        .sh("echo x >>README; git add README; echo new >new")
        .ok();
    sandbox
        .lane(["start", "login", "--move", "--base", "old"])
        .ok();
    let lane = sandbox.lane_path("login");
    assert_eq!(
        sandbox.git_in(&lane, ["status", "--short"]),
        "M  README\n?? new"
    );
    assert!(!lane.join("later").exists());
    assert_eq!(sandbox.git(["status", "--short"]), "");
}
