//! How an adopted lane ends: only its record goes.

use super::{by_hand, untouched};
use crate::support::Sandbox;

#[test]
fn a_drop_leaves_every_byte_in_its_place_and_says_so() {
    let sandbox = Sandbox::new();
    let path = by_hand(&sandbox, "login");
    // Work of every kind, which a drop of any other lane would ask about.
    std::fs::write(path.join("untracked"), "x").unwrap();
    std::fs::write(path.join("login"), "changed").unwrap();
    sandbox.git(["worktree", "lock", path.to_str().unwrap()]);
    sandbox.git(["config", "branch.login.description", "mine"]);
    let before = untouched(&sandbox, &path);
    sandbox.lane(["adopt", "login"]).ok();
    assert!(untouched(&sandbox, &path) == before);
    let planned = sandbox.lane(["drop", "-n", "login"]).ok();
    assert!(planned.contains("would stay as they are"), "{planned}");
    sandbox.lane(["show", "login"]).ok();
    let told = sandbox.lane_in(&path, ["drop", "login"]).ok();
    let remove = format!(
        "  remove the worktree with: git worktree remove {}\n",
        path.display()
    );
    assert!(
        told.contains("it was adopted:") && told.ends_with(&remove),
        "{told}"
    );
    assert!(untouched(&sandbox, &path) == before);
    sandbox.lane(["show", "login"]).fails(1);
    sandbox.nothing_left_behind(0);
    let config = sandbox.git(["config", "--list", "--local"]);
    assert!(!config.contains("lane.login"), "{config}");
}

#[test]
fn a_force_does_not_move_it_either() {
    let sandbox = Sandbox::new();
    let path = by_hand(&sandbox, "login");
    for args in [
        &["drop", "--force", "login"][..],
        &["drop", "--yes", "login"],
        &["finish", "--no-land", "--force", "login"],
    ] {
        sandbox.lane(["adopt", "login"]).ok();
        let before = untouched(&sandbox, &path);
        sandbox.lane(args).ok();
        assert!(untouched(&sandbox, &path) == before, "{args:?}");
        sandbox.lane(["show", "login"]).fails(1);
    }
    sandbox.nothing_left_behind(0);
}

#[test]
fn several_are_dropped_each_in_its_own_way() {
    let sandbox = Sandbox::new();
    let path = by_hand(&sandbox, "login");
    sandbox.lane(["adopt", "login"]).ok();
    sandbox.lane(["start", "own"]).ok();
    let document = sandbox.lane(["drop", "login", "own", "--json"]).json();
    let dropped = document["dropped"].as_array().unwrap();
    assert_eq!(
        (&dropped[0]["trash"], &dropped[1]["stays"]),
        (&().into(), &().into())
    );
    assert!(dropped[1]["trash"].is_string() && dropped[0]["stays"].is_object());
    assert!(path.exists() && !sandbox.lane_path("own").exists());
    sandbox.nothing_left_behind(1);
}

#[test]
fn prune_keeps_it_and_forgets_it_when_its_directory_is_gone() {
    let sandbox = Sandbox::new();
    let path = by_hand(&sandbox, "login");
    sandbox.lane(["adopt", "login"]).ok();
    sandbox.git(["merge", "-q", "--no-edit", "login"]);
    let before = untouched(&sandbox, &path);
    let document = sandbox.lane(["prune", "--yes", "--json"]).json();
    assert_eq!(document["kept"][0]["code"], "adopted", "{document}");
    assert!(untouched(&sandbox, &path) == before);

    let tip = sandbox.git(["rev-parse", "login"]);
    std::fs::remove_dir_all(&path).unwrap();
    let planned = sandbox.lane(["prune", "-n"]).ok();
    assert!(
        planned.starts_with("would prune lane 'login': its directory is gone"),
        "{planned}"
    );
    let document = sandbox.lane(["prune", "--yes", "--json"]).json();
    let pruned = &document["pruned"][0];
    assert_eq!(
        (&pruned["code"], &pruned["branchRemoved"]),
        (&"directory-gone".into(), &false.into())
    );
    assert_eq!(
        (&pruned["trash"], &pruned["stays"]["branch"]),
        (&().into(), &"login".into())
    );
    assert_eq!(sandbox.git(["rev-parse", "login"]), tip);
    // git's own record of it is git's.
    assert!(sandbox.git(["worktree", "list"]).contains("shop-login"));
    sandbox.nothing_left_behind(0);
}

#[test]
fn what_was_forgotten_is_adopted_again() {
    let sandbox = Sandbox::new();
    let path = by_hand(&sandbox, "login");
    sandbox.lane(["adopt", "login", "--name", "mine"]).ok();
    sandbox.lane(["drop", "mine"]).ok();
    let hint = format!("git lane adopt {} --name mine\n", path.display());
    for args in [
        &["restore", "mine"][..],
        &["undo", "mine"],
        &["show", "mine"],
        &["finish", "mine"],
    ] {
        let told = sandbox.lane(args).fails(1);
        assert!(told.ends_with(&hint), "{args:?}: {told}");
    }
    sandbox.sh(&hint).ok();
    sandbox.lane(["show", "mine"]).ok();
}

#[test]
fn an_undo_takes_the_adoption_back() {
    let sandbox = Sandbox::new();
    let path = by_hand(&sandbox, "login");
    let before = untouched(&sandbox, &path);
    sandbox.lane(["adopt", "login"]).ok();
    let list = sandbox.lane(["undo", "--list", "--json"]).json();
    let step = &list["steps"][0];
    assert_eq!(
        (&step["what"], &step["undoable"]),
        (&"adopt".into(), &true.into())
    );
    let planned = sandbox.lane(["undo", "-n"]).ok();
    assert!(planned.contains("would be forgotten"), "{planned}");
    let told = sandbox.lane(["undo"]).ok();
    assert!(
        told.starts_with("took back the adoption of lane 'login'\n"),
        "{told}"
    );
    assert!(untouched(&sandbox, &path) == before);
    sandbox.lane(["show", "login"]).fails(1);
    sandbox.lane(["undo", "login"]).fails(1);
}

#[test]
fn a_lost_record_is_found_again_as_adopted() {
    let sandbox = Sandbox::new();
    let path = by_hand(&sandbox, "login");
    sandbox.lane(["adopt", "login", "--name", "other"]).ok();
    sandbox.git(["config", "--remove-section", "lane.other"]);
    assert_eq!(sandbox.findings(), ["lost-record"]);
    sandbox.lane(["doctor", "--fix"]).ok();
    let told = sandbox.lane(["drop", "--force", "other"]).ok();
    assert!(told.contains("it was adopted"), "{told}");
    assert!(path.exists());
    // It ended, and is not missed.
    assert_eq!(sandbox.findings(), Vec::<String>::new());
    // Nor is one whose worktree is another's by now.
    sandbox.lane(["adopt", "login"]).ok();
    sandbox.git(["config", "--remove-section", "lane.login"]);
    sandbox.git_in(&path, ["switch", "-q", "-c", "else"]);
    assert_eq!(sandbox.findings(), Vec::<String>::new());
}

#[test]
fn a_claim_that_came_during_the_landing_keeps_the_lane() {
    let sandbox = Sandbox::new();
    by_hand(&sandbox, "login");
    sandbox.lane(["adopt", "login"]).ok();
    sandbox.hook(
        "post-merge",
        format!(
            "unset $(git rev-parse --local-env-vars)\ngit-lane -C '{}' claim login",
            sandbox.repo.display()
        ),
    );
    let told = sandbox.lane(["finish", "login"]).fails(1);
    assert!(told.contains("lane 'login' is claimed by"), "{told}");
    assert!(
        told.contains("'main' has what has landed; the lane itself is left"),
        "{told}"
    );
    assert!(sandbox.repo.join("login").exists());
    sandbox.lane(["show", "login"]).ok();
}

/// The log tells whose a lane is, also after it has changed hands, and what it was started for.
#[test]
fn a_lost_record_is_found_again_with_its_owner_and_its_task() {
    let sandbox = Sandbox::new();
    let start = [
        "start", "login", "--owner", "ann", "--task", "T-1", "--set", "rate=1",
    ];
    sandbox.lane(start).ok();
    sandbox.lane(["claim", "login", "--owner", "bob"]).ok();
    sandbox.git(["config", "--remove-section", "lane.login"]);
    sandbox.lane(["doctor", "--fix"]).ok();
    let config = |key: &str| sandbox.git(["config", &format!("lane.login.{key}")]);
    assert_eq!(
        [config("owner"), config("task"), config("set")],
        ["bob", "T-1", "rate=1"]
    );
}
