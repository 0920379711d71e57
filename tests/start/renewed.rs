//! A base that is behind its upstream: said, and brought up to date by `--fetch`.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::Sandbox;

/// A clone of a repository that has two more commits since it was fetched from; both, and the newest.
fn behind(fetched: bool) -> (Sandbox, PathBuf, String) {
    let sandbox = Sandbox::new();
    let clone = sandbox.root().join("clone");
    sandbox.git(["clone", "-q", ".", clone.to_str().unwrap()]);
    sandbox.write("new.txt", "new");
    sandbox.commit("second");
    sandbox.write("src/app.txt", "one\n");
    let new = sandbox.commit("third");
    if fetched {
        sandbox.git_in(&clone, ["fetch", "-q"]);
    }
    (sandbox, clone, new)
}

fn standing(sandbox: &Sandbox, clone: &Path, lane: &str) -> Value {
    let shown = sandbox.lane_in(clone, ["show", lane, "--json"]).json();
    json!([shown["versusBase"]["ahead"], shown["versusBase"]["behind"]])
}

#[test]
fn it_is_said_how_far_it_is_behind() {
    let (sandbox, clone, _) = behind(false);
    let run = sandbox.lane_in(&clone, ["start", "one"]);
    assert!(!run.stderr.contains("behind"), "{run}");
    run.ok();
    sandbox.git_in(&clone, ["fetch", "-q"]);
    let run = sandbox.lane_in(&clone, ["start", "two", "--json"]);
    let said = "warning: 'main' is 2 commits behind 'origin/main'\n\
        hint: bring base and lane up to date with: git lane sync --fetch two\n";
    assert!(run.stderr.contains(said), "{run}");
    assert_eq!(
        run.json()["lanes"][0]["baseBehind"],
        json!({"upstream": "refs/remotes/origin/main", "behind": 2, "ahead": 0, "code": null})
    );
    // The hint is true.
    sandbox.lane_in(&clone, ["sync", "--fetch", "two"]).ok();
    let tips =
        ["two", "main", "origin/main"].map(|name| sandbox.git_in(&clone, ["rev-parse", name]));
    assert!(tips[0] == tips[1] && tips[1] == tips[2], "{tips:?}");
    let report = sandbox.lane_in(&clone, ["start", "three", "--json"]).json();
    assert_eq!(report["lanes"][0]["baseBehind"], Value::Null);
}

/// With its worktree and what is uncommitted there; the new commits are the base's then, not the lane's.
#[test]
fn fetch_brings_it_up_to_date() {
    let (sandbox, clone, new) = behind(false);
    std::fs::write(clone.join("README"), "edited\n").unwrap();
    let run = sandbox.lane_in(&clone, ["start", "login", "--fetch", "--json"]);
    assert!(!run.stderr.contains("behind"), "{run}");
    let said = "brought 'main' up to date: 2 commits\n";
    assert!(run.stderr.contains(said), "{run}");
    let report = run.json();
    assert_eq!(report["lanes"][0]["forkPoint"], *new);
    for name in ["login", "main", "origin/main"] {
        assert_eq!(sandbox.git_in(&clone, ["rev-parse", name]), new, "{name}");
    }
    assert_eq!(sandbox.git_in(&clone, ["status", "--short"]), " M README");
    assert!(clone.join("new.txt").exists());
    assert_eq!(standing(&sandbox, &clone, "login"), json!([0, 0]));
    // And what has come meanwhile is found by a later one.
    sandbox.lane_in(&clone, ["start", "again", "--fetch"]).ok();
}

/// What keeps the base where it is, the word for it, and a part of the sentence.
#[test]
fn a_base_that_cannot_follow_stays_and_the_lane_starts_from_it() {
    for (script, word, said) in [
        (
            "echo own >own; git add own; git commit -qm own",
            Some("diverged"),
            "and 1 ahead of it and stays there: it has commits that 'origin/main' has not",
        ),
        (
            "echo edited >src/app.txt",
            Some("in-the-way"),
            "stays there: ",
        ),
        (
            "printf '[finish]\\ngate = [\"true\"]\\n' >.git/lane/lane.toml",
            Some("gate"),
            "stays there: it has a gate",
        ),
    ] {
        let (sandbox, clone, new) = behind(false);
        sandbox.lane_in(&clone, ["start", "first"]).ok();
        sandbox.sh_in(&clone, script).ok();
        let before = sandbox.git_in(&clone, ["rev-parse", "main"]);
        let run = sandbox.lane_in(&clone, ["start", "login", "--fetch", "--json"]);
        assert!(
            run.stderr
                .contains("'main' is 2 commits behind 'origin/main'"),
            "{run}"
        );
        assert!(run.stderr.contains(said), "{script}: {run}");
        assert_eq!(run.json()["lanes"][0]["baseBehind"]["code"], json!(word));
        assert_eq!(sandbox.git_in(&clone, ["rev-parse", "main"]), before);
        assert_eq!(sandbox.git_in(&clone, ["rev-parse", "login"]), before);
        assert_eq!(sandbox.git_in(&clone, ["rev-parse", "origin/main"]), new);
        assert_eq!(standing(&sandbox, &clone, "login"), json!([0, 0]));
    }
}

/// The policy can want it of every start; a dry run says where the lane would begin, and fetches nothing.
#[test]
fn the_policy_fetches_too_and_a_dry_run_does_not() {
    let (sandbox, clone, new) = behind(true);
    let before = sandbox.git_in(&clone, ["rev-parse", "main"]);
    let dry = sandbox
        .lane_in(&clone, ["start", "login", "--fetch", "-n", "--json"])
        .json();
    assert_eq!(dry["lanes"][0]["forkPoint"], *new);
    assert_eq!(sandbox.git_in(&clone, ["rev-parse", "main"]), before);
    std::fs::create_dir_all(clone.join(".git/lane")).unwrap();
    std::fs::write(clone.join(".git/lane/lane.toml"), "[start]\nfetch = true\n").unwrap();
    sandbox.lane_in(&clone, ["start", "login", "other"]).ok();
    for name in ["login", "other", "main"] {
        assert_eq!(sandbox.git_in(&clone, ["rev-parse", name]), new);
    }
}

/// Offline: nothing is made, and the way on is named.
#[test]
fn a_fetch_that_fails_is_an_error_with_a_hint() {
    let (sandbox, clone, _) = behind(false);
    sandbox.git_in(&clone, ["remote", "set-url", "origin", "../nowhere"]);
    let error = sandbox
        .lane_in(&clone, ["start", "login", "--fetch"])
        .fails(5);
    assert!(
        error.contains("hint: to take the bases as they are, leave --fetch out"),
        "{error}"
    );
    assert_eq!(sandbox.git_in(&clone, ["branch", "--list", "login"]), "");
}

/// Work that moves starts from the commit that the base has by then.
#[test]
fn fetch_goes_before_a_move() {
    let (sandbox, clone, new) = behind(false);
    std::fs::write(clone.join("README"), "edited\n").unwrap();
    sandbox
        .lane_in(&clone, ["start", "login", "--fetch", "--move"])
        .ok();
    assert_eq!(sandbox.git_in(&clone, ["rev-parse", "main"]), new);
    assert_eq!(sandbox.git_in(&clone, ["rev-parse", "login"]), new);
    assert_eq!(sandbox.git_in(&clone, ["status", "--short"]), "");
    let lane = sandbox.root().join("clone.lanes/login");
    assert_eq!(sandbox.git_in(&lane, ["status", "--short"]), " M README");
}

/// A lane that starts at the remote's branch itself has nothing of its own.
#[test]
fn a_lane_on_the_branch_of_a_remote_has_no_commits_of_others() {
    let (sandbox, clone, new) = behind(true);
    sandbox
        .lane_in(&clone, ["start", "login", "--base", "origin/main"])
        .ok();
    assert_eq!(sandbox.git_in(&clone, ["rev-parse", "login"]), new);
    assert_eq!(standing(&sandbox, &clone, "login"), json!([0, 0]));
}

/// What the base only lacks is no lane's own: not in the counts, not in its differences, not in the message
/// that it lands with.
#[test]
fn a_branch_that_is_taken_up_has_only_its_own_commits() {
    let (sandbox, clone, _) = behind(false);
    sandbox.git(["switch", "-q", "-c", "feature"]);
    sandbox.write("own.txt", "own");
    sandbox.commit("the own one");
    sandbox.git(["switch", "-q", "main"]);
    sandbox.git_in(&clone, ["fetch", "-q"]);
    sandbox.lane_in(&clone, ["start", "feature"]).ok();
    assert_eq!(standing(&sandbox, &clone, "feature"), json!([1, 0]));
    let list = sandbox.lane_in(&clone, ["list", "--json"]).json();
    let mut lanes = list["lanes"].as_array().unwrap().iter();
    assert!(lanes.any(|lane| lane["versusBase"]["ahead"] == 1), "{list}");
    let diff = sandbox
        .lane_in(&clone, ["diff", "feature", "--", "--name-only"])
        .ok();
    assert_eq!(diff, "own.txt\n");
    // A squash would take them for the lane's.
    let squash = ["finish", "feature", "--strategy", "squash"];
    sandbox.lane_in(&clone, squash).fails(1);
    sandbox.lane_in(&clone, ["sync", "--fetch", "feature"]).ok();
    sandbox.lane_in(&clone, squash).ok();
    let said = sandbox.git_in(&clone, ["log", "-1", "--format=%B", "main"]);
    assert!(
        said.contains("the own one") && !said.contains("second"),
        "{said}"
    );
}
