//! The lane after the landing, and where its owner goes.

use super::*;

#[test]
fn nothing_to_land_is_success_and_retires() {
    let sandbox = Sandbox::new();
    lane(&sandbox, "login", "main");
    let old = sandbox.git(["rev-parse", "main"]);
    assert_eq!(
        finish(&sandbox, ["--json"]).json()["integrated"]["code"],
        "same-commit"
    );
    assert_eq!(sandbox.git(["rev-parse", "main"]), old);
    retired(&sandbox);
    // The user squashed it by hand.
    let sandbox = with_lane();
    sandbox.git(["merge", "-q", "--squash", "login"]);
    sandbox.commit("squashed by hand");
    advance(&sandbox);
    for args in [["--json", "-n"], ["--json", "--strategy=merge"]] {
        assert_eq!(
            finish(&sandbox, args).json()["integrated"]["code"],
            "same-content"
        );
    }
    retired(&sandbox);
}

#[test]
fn no_land_needs_proof_or_force_and_keep_keeps() {
    let sandbox = with_lane();
    assert!(
        finish(&sandbox, ["--no-land"])
            .fails(1)
            .contains("not in 'main'")
    );
    finish(&sandbox, ["--keep"]).ok();
    assert!(sandbox.lane_path("login").exists());
    finish(&sandbox, ["--no-land"]).ok();
    retired(&sandbox);
    let sandbox = with_lane();
    let old = sandbox.git(["rev-parse", "main"]);
    finish(&sandbox, ["--no-land", "--force"]).ok();
    assert_eq!(sandbox.git(["rev-parse", "main"]), old);
    retired(&sandbox);
}

#[test]
fn a_dry_run_tells_and_changes_nothing() {
    let sandbox = with_lane();
    advance(&sandbox);
    for strategy in ["merge", "squash", "rebase"] {
        let before = sandbox.fingerprint();
        let text = finish(&sandbox, ["-n", "--strategy", strategy]).ok();
        assert!(
            text.contains(&format!(
                "would land lane 'login' on 'main' ({strategy}, 2 commits)"
            )),
            "{text}"
        );
        assert_eq!(sandbox.fingerprint(), before);
    }
}

#[test]
fn inside_the_lane_its_name_is_implied_and_the_way_out_is_told() {
    let sandbox = with_lane();
    let lane = sandbox.lane_path("login");
    write(&sandbox.repo.join(".git/info/exclude"), "target/\n");
    write(&lane.join("target/x.o"), "x");
    let text = sandbox.lane_in(&lane.join("src"), ["finish"]).ok();
    assert!(
        text.contains(&format!("cd {}", sandbox.repo.display())),
        "{text}"
    );
    assert!(
        text.contains("  target/\n") && text.contains("git lane restore login"),
        "{text}"
    );
    retired(&sandbox);
}

#[test]
fn finishing_from_inside_leaves_nothing_where_the_admin_directory_was() {
    let sandbox = with_lane();
    sandbox
        .lane_in(&sandbox.lane_path("login"), ["finish"])
        .ok();
    assert!(!sandbox.repo.join(".git/worktrees/login").exists());
}

#[test]
fn a_lane_moved_by_git_is_found_by_its_branch() {
    let sandbox = with_lane();
    let there = sandbox.root().join("elsewhere");
    sandbox.git([
        "worktree",
        "move",
        sandbox.lane_path("login").to_str().unwrap(),
        there.to_str().unwrap(),
    ]);
    let again = sandbox
        .lane(["--json", "start", "login", "--owner", "claude:7"])
        .json();
    assert_eq!(again["lanes"][0]["created"], false, "{again}");
    assert_eq!(
        again["lanes"][0]["path"],
        there.to_str().unwrap(),
        "{again}"
    );
    // Inside, the name is implied.
    sandbox.lane_in(&there, ["finish"]).ok();
    assert!(!there.exists());
    sandbox.lane(["restore", "login"]).ok();
    assert_eq!(sandbox.git_in(&there, ["status", "--porcelain"]), "");
}

#[test]
fn a_lane_whose_branch_git_renamed_lands_under_the_new_name() {
    let sandbox = with_lane();
    sandbox.git(["branch", "-m", "login", "sign-in"]);
    finish(&sandbox, []).ok();
    assert_eq!(sandbox.git(["branch", "--list", "sign-in", "login"]), "");
    // Whatever the verb, a lane that is no more is named by the same word.
    for verb in ["finish", "drop", "path"] {
        let error = sandbox.lane(["--json", verb, "login"]);
        assert!(
            error.stdout.contains("\"no-such-lane\"")
                && error.stdout.contains("git lane restore login"),
            "{error}"
        );
        drop(error.fails(1));
    }
}
