//! `git lane wait --until landed`: which landings count, git-lane's and plain git's, and how one that
//! fails ends the wait.

use super::with_lanes;
use crate::support::Sandbox;

const LANDED: [&str; 3] = ["a", "--until", "landed"];

/// A lane `a` with one commit.
fn at_work() -> Sandbox {
    let sandbox = with_lanes(&["a"]);
    sandbox.work("a", "a.txt", "a\n");
    sandbox
}

#[test]
fn whoever_lands_it_and_however() {
    for script in [
        "git lane finish a",
        "git lane finish a --keep",
        "git lane finish a --keep --strategy squash",
        "git lane finish a --keep --strategy rebase",
        "git lane finish a --strategy ff",
        "git merge -q a",
        "git merge -q --no-ff -m merged a",
        "git merge -q --squash a && git commit -q -m squashed",
        "git cherry-pick a",
        "git push -q . a:main",
    ] {
        let sandbox = at_work();
        sandbox.git(["config", "receive.denyCurrentBranch", "ignore"]);
        // The base has moved on, except where it is to be moved forward.
        if script.contains("squash") || script.contains("--no-ff") {
            sandbox.write("main.txt", "main\n");
            sandbox.commit("main");
        }
        let waiting = sandbox.waits(&LANDED);
        sandbox.sh(script).ok();
        assert_eq!(waiting.ends(0).stdout, "a landed\n", "{script}");
        assert_eq!(sandbox.wait_is(&LANDED, 0), "a landed\n", "{script}");
    }
}

/// The base has all of the lane, and yet nothing of it has landed.
#[test]
fn a_lane_without_commits_of_its_own_has_not_landed() {
    for script in [
        "true",
        "git -C ../shop.lanes/a merge -q main",
        "git -C ../shop.lanes/a rebase -q main",
        "git -C ../shop.lanes/a reset -q --hard main",
        "git lane sync a",
        "git -C ../shop.lanes/a commit -q --allow-empty -m x",
        "git -C ../shop.lanes/a commit -q --allow-empty -m x && \
         git -C ../shop.lanes/a reset -q --hard main",
    ] {
        let sandbox = with_lanes(&["a"]);
        sandbox.write("main.txt", "main\n");
        sandbox.commit("main");
        let mut waiting = sandbox.waits(&LANDED);
        sandbox.sh(script).ok();
        waiting.goes_on();
        sandbox.wait_is(&LANDED, 1);
        // What it gets now does.
        sandbox.work("a", "a.txt", "a\n");
        sandbox.sh("git merge -q a").ok();
        assert_eq!(waiting.ends(0).stdout, "a landed\n", "{script}");
    }
}

/// A lane that was synced by a rebase has its commits in others, which its log calls a sync.
#[test]
fn a_lane_that_was_replayed_lands_by_plain_git() {
    let sandbox = at_work();
    sandbox.write("main.txt", "main\n");
    sandbox.commit("main");
    sandbox.does(&["sync", "a", "--strategy", "rebase"]);
    sandbox.wait_is(&LANDED, 1);
    sandbox.git(["merge", "-q", "--ff-only", "a"]);
    sandbox.wait_is(&LANDED, 0);
}

#[test]
fn what_was_taken_back_or_went_on_has_not_landed() {
    let sandbox = at_work();
    sandbox.does(&["finish", "a", "--keep"]);
    sandbox.wait_is(&LANDED, 0);
    sandbox.does(&["undo", "a"]);
    sandbox.wait_is(&LANDED, 1);
    sandbox.does(&["finish", "a", "--keep"]);
    sandbox.work("a", "more.txt", "more\n");
    sandbox.wait_is(&LANDED, 1);
}

/// While others are waited for, a lane that has landed may be taken back, or go on.
#[test]
fn all_have_landed_at_the_same_time() {
    let sandbox = with_lanes(&["a", "b"]);
    sandbox.work("a", "a.txt", "a\n");
    sandbox.work("b", "b.txt", "b\n");
    let mut waiting = sandbox.waits(&["a", "b", "--until", "landed"]);
    let lands = |lane: &str| sandbox.does(&["finish", lane, "--keep", "--strategy", "squash"]);
    lands("a");
    waiting.goes_on();
    sandbox.does(&["undo", "a"]);
    lands("b");
    waiting.goes_on();
    sandbox.work("b", "more.txt", "b\n");
    waiting.goes_on();
    lands("a");
    waiting.goes_on();
    lands("b");
    assert_eq!(waiting.ends(0).stdout, "a landed\nb landed\n");
}

#[test]
fn a_lane_that_left_without_landing_ends_the_wait() {
    for (args, said) in [
        (&["drop", "a", "--yes"][..], "it was dropped"),
        (&["finish", "a", "--no-land", "--force"], "it was finished"),
    ] {
        let sandbox = at_work();
        let waiting = sandbox.waits(&LANDED);
        sandbox.does(args);
        let ended = waiting.ends(1);
        assert!(ended.stderr.contains(said), "{ended:?}");
        sandbox.wait_is(&LANDED, 1);
    }
    // Where nothing was left to land, a finish and a prune have the base's word.
    let sandbox = at_work();
    sandbox.git(["merge", "-q", "a"]);
    let waiting = sandbox.waits(&["a", "--until", "landed"]);
    sandbox.does(&["prune", "--yes"]);
    assert_eq!(waiting.ends(0).stdout, "a landed\n");
}

#[test]
fn a_landing_that_fails_ends_the_wait_as_it_ended() {
    let sandbox = with_lanes(&["a", "b"]);
    sandbox.work("a", "src/app.txt", "a\n");
    sandbox.work("b", "b.txt", "b\n");
    sandbox.write("src/app.txt", "main\n");
    sandbox.commit("main");
    let conflict = || sandbox.lane(["finish", "a"]).fails(3);
    // One that failed before is no answer.
    conflict();
    let mut waiting = sandbox.waits(&LANDED);
    waiting.goes_on();
    let other = sandbox.waits(&["a", "--until", "ready"]);
    let any = sandbox.waits(&["a", "b", "--any", "--until", "landed"]);
    conflict();
    let ended = waiting.ends(3);
    assert!(
        ended.stderr.contains("lane 'a' has not landed: "),
        "{ended:?}"
    );
    let mut other = other;
    other.goes_on();
    let gate = sandbox.waits(&["b", "--json", "--until", "landed"]);
    sandbox.lane(["finish", "b", "--gate", "false"]).fails(6);
    let ended = gate.ends(6);
    let document: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(document["error"]["kind"], "gate");
    assert_eq!(document["error"]["code"], "gate-failed");
    assert_eq!(document["lanes"][0]["problem"]["code"], "gate-failed");
    // Of any of them none can land; the gate's is the worse.
    any.ends(6);
    // A refusal is no verdict on the lane: it may land in a moment.
    let mut waiting = sandbox.waits(&["b", "--until", "landed"]);
    std::fs::write(sandbox.repo.join("b.txt"), "in the way\n").unwrap();
    sandbox.lane(["finish", "b"]).fails(1);
    waiting.goes_on();
    std::fs::remove_file(sandbox.repo.join("b.txt")).unwrap();
    sandbox.does(&["finish", "b"]);
    waiting.ends(0);
}

#[test]
fn a_reftable_is_watched_too() {
    if crate::support::git_version() < (2, 45) {
        crate::support::skipped("git has no reftable");
        return;
    }
    let sandbox = Sandbox::empty();
    sandbox.git(["init", "-q", "-b", "main", "--ref-format=reftable"]);
    sandbox.write("README", "x\n");
    sandbox.commit("one");
    sandbox.does(&["start", "a"]);
    for condition in ["settled", "landed"] {
        let new = sandbox.lane_path("a").join("new.txt");
        std::fs::write(new, condition).unwrap();
        let until = ["a", "--until", condition];
        sandbox.wait_is(&until, 1);
        let mut waiting = sandbox.waits(&until);
        waiting.goes_on();
        sandbox.work("a", "new.txt", condition);
        if condition == "landed" {
            waiting.goes_on();
            sandbox.git(["merge", "-q", "a"]);
        }
        waiting.ends(0);
        sandbox.wait_is(&until, 0);
    }
}
