//! What the repository knows of a sync afterwards: record, event log, undo, prune.

use super::*;

#[test]
fn the_fork_point_is_the_commit_that_came_in() {
    for strategy in ["merge", "rebase"] {
        let sandbox = diverged();
        sync(&sandbox, ["--strategy", strategy]).ok();
        let fork = sandbox.git(["config", "lane.login.forkPoint"]);
        assert_eq!(fork, tip(&sandbox, "main"), "{strategy}");
        let shown = sandbox.lane(["show", "login"]).ok();
        assert!(
            shown.contains(&format!("main, left at {}", &fork[..10])),
            "{shown}"
        );
    }
}

#[test]
fn a_lane_that_was_only_synced_is_as_new_as_before() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    advance(&sandbox);
    sync(&sandbox, []).ok();
    let text = sandbox
        .lane(["prune", "--dry-run", "--older-than", "0s"])
        .ok();
    assert!(text.contains("never used"), "{text}");
}

#[test]
fn the_event_log_tells_it() {
    let sandbox = diverged();
    let (from, base) = (tip(&sandbox, "login"), tip(&sandbox, "main"));
    sync(&sandbox, []).ok();
    let log = sandbox.lane(["log", "--json"]).json();
    let [before, after] = &log["events"].as_array().unwrap()[..] else {
        panic!("{log}")
    };
    for event in [before, after] {
        assert_eq!(event["what"], "sync");
        assert_eq!(event["lane"], "login");
        assert_eq!(event["base"], "refs/heads/main");
        assert_eq!(event["baseCommit"], base.as_str());
    }
    assert_eq!(
        (&before["phase"], &after["phase"]),
        (&"before".into(), &"after".into())
    );
    assert_eq!(after["before"], from.as_str());
    assert_eq!(after["result"], tip(&sandbox, "login").as_str());
    assert_eq!(after["note"], "merge");
    let text = sandbox.lane(["log"]).ok();
    assert!(text.contains("synced  login"), "{text}");
    // What changes nothing is not in it.
    sync(&sandbox, []).ok();
    assert_eq!(sandbox.lane(["log"]).ok(), text);
}

#[test]
fn a_sync_that_failed_is_told_with_its_reason() {
    let sandbox = conflicting();
    sync(&sandbox, []).fails(3);
    let log = sandbox.lane(["log", "--json"]).json();
    let last = log["events"].as_array().unwrap().last().unwrap();
    assert_eq!(last["phase"], "failed");
    assert_eq!(last["problem"]["code"], "conflict");
}

#[test]
fn undo_does_not_take_a_sync_for_what_came_before_it() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    let from = tip(&sandbox, "login");
    advance(&sandbox);
    sync(&sandbox, []).ok();
    let before = state(&sandbox);
    for args in [
        &["undo", "login"][..],
        &["undo"],
        &["undo", "login", "--dry-run"],
    ] {
        let error = sandbox.lane(args).fails(1);
        assert!(
            error.contains("is a sync, which undo does not take back"),
            "{error}"
        );
        let way = format!(
            "git -C {} reset --keep {}",
            lane(&sandbox).display(),
            &from[..10]
        );
        assert!(error.contains(&way), "{error}");
    }
    assert_eq!(state(&sandbox), before);
    let list = sandbox.lane(["undo", "--list", "--json"]).json();
    assert_eq!(list["steps"][0]["what"], "sync");
    assert_eq!(list["steps"][0]["undoable"], false);
    // The way back that the hint names, and then what came before.
    sandbox.git_in(&lane(&sandbox), ["reset", "-q", "--keep", &from]);
    sandbox.lane(["undo", "login"]).ok();
    assert!(!lane(&sandbox).exists());
}

#[test]
fn a_landing_after_a_sync_is_taken_back_as_ever() {
    let sandbox = diverged();
    sync(&sandbox, []).ok();
    let (main, login) = (tip(&sandbox, "main"), tip(&sandbox, "login"));
    sandbox.lane(["finish", "login"]).ok();
    sandbox.lane(["undo", "login"]).ok();
    assert_eq!(
        (tip(&sandbox, "main"), tip(&sandbox, "login")),
        (main, login)
    );
}

#[test]
fn a_lane_that_git_lost_is_found_with_its_new_fork_point() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    advance(&sandbox);
    sync(&sandbox, []).ok();
    sandbox.git(["config", "--remove-section", "lane.login"]);
    sandbox.lane(["doctor", "--fix"]).ok();
    assert_eq!(
        sandbox.git(["config", "lane.login.forkPoint"]),
        tip(&sandbox, "main")
    );
}
