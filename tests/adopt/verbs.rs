//! Every verb works in an adopted lane as in any other.

use super::{by_hand, untouched};
use crate::support::Sandbox;

#[test]
fn an_adopted_lane_is_looked_at_synced_checked_claimed_and_landed() {
    let sandbox = Sandbox::new();
    let path = by_hand(&sandbox, "login");
    let told = sandbox.lane(["adopt", "login", "--task", "T-1"]).ok();
    assert!(told.starts_with("adopted lane 'login' in '"), "{told}");
    let list = sandbox.lane(["list", "--json"]).json();
    let mut lanes = list["lanes"].as_array().unwrap().iter();
    let lane = lanes.find(|lane| lane["lane"] == "login").unwrap();
    assert_eq!(
        (&lane["lane"], &lane["versusBase"]["ahead"], &lane["task"]),
        (&"login".into(), &1.into(), &"T-1".into())
    );
    assert_eq!(
        sandbox.lane(["path", "login"]).ok().trim_end(),
        path.to_str().unwrap()
    );
    let inside = sandbox.lane_in(&path, ["show", "--json"]).json();
    assert_eq!(inside["lane"], "login");
    // What start shows.
    let again = sandbox.lane(["start", "login", "--json"]).json();
    assert_eq!(again["lanes"][0]["created"], false);
    sandbox.lane(["claim", "login"]).ok();
    sandbox.lane(["drop", "login"]).fails(1);
    sandbox.lane(["finish", "login"]).fails(1);
    sandbox.lane(["sync", "login"]).fails(1);
    sandbox
        .lane(["claim", "login", "--take-over", "--for", "1s"])
        .ok();
    std::thread::sleep(std::time::Duration::from_millis(1100));
    sandbox.lane(["mark", "login", "ready"]).ok();
    sandbox.write("main", "main\n");
    sandbox.commit("main moves on");
    sandbox.lane(["sync", "login"]).ok();
    assert!(path.join("main").exists());
    let check = sandbox.lane(["check", "login", "--json"]);
    check.ok();
    let before = untouched(&sandbox, &path);
    let landed = sandbox.lane(["finish", "login", "--keep", "-n"]).ok();
    assert!(!landed.contains("forget"), "{landed}");
    assert!(untouched(&sandbox, &path) == before);
    sandbox.lane(["finish", "login", "--keep"]).ok();
    assert!(sandbox.repo.join("login").exists());
    sandbox.lane(["show", "login"]).ok();
    sandbox.lane(["doctor"]).ok();
}

#[test]
fn a_landing_forgets_the_lane_and_leaves_everything_in_its_place() {
    let sandbox = Sandbox::new();
    let path = by_hand(&sandbox, "login");
    sandbox.lane(["adopt", "login"]).ok();
    let files = crate::support::listing(&path);
    let tip = sandbox.git(["rev-parse", "login"]);
    let planned = sandbox.lane(["finish", "login", "-n"]).ok();
    assert!(planned.contains("would forget the lane\n"), "{planned}");
    let document = sandbox.lane_in(&path, ["finish", "--json"]).json();
    assert_eq!(document["retired"], serde_json::Value::Null);
    assert_eq!(document["stays"]["path"], path.to_str().unwrap());
    assert_eq!(document["stays"]["branch"], "login");
    assert_eq!(document["landed"]["base"], "refs/heads/main");
    assert!(sandbox.repo.join("login").exists());
    assert_eq!(crate::support::listing(&path), files);
    assert_eq!(sandbox.git(["rev-parse", "login"]), tip);
    sandbox.lane(["show", "login"]).fails(1);
    sandbox.nothing_left_behind(0);

    // The landing is taken back, and the branch has the work.
    let undone = sandbox.lane(["undo", "login"]).ok();
    assert!(
        undone.contains("took back the landing of lane 'login'"),
        "{undone}"
    );
    let again = undone
        .rsplit_once("with: git lane ")
        .unwrap()
        .1
        .lines()
        .next()
        .unwrap();
    assert!(!sandbox.repo.join("login").exists());
    sandbox.lane(again.split(' ')).ok();
    sandbox.lane(["finish", "login"]).ok();
    assert!(sandbox.repo.join("login").exists());
    assert_eq!(sandbox.git(["rev-parse", "login"]), tip);
}

#[test]
fn the_landing_of_a_forgotten_lane_stays_when_its_branch_is_gone() {
    let sandbox = Sandbox::new();
    let path = by_hand(&sandbox, "login");
    sandbox.lane(["adopt", "login"]).ok();
    sandbox.lane(["finish", "login"]).ok();
    sandbox.git(["worktree", "remove", path.to_str().unwrap()]);
    sandbox.git(["branch", "-qD", "login"]);
    let told = sandbox.lane(["undo", "login"]).fails(1);
    assert!(told.starts_with("error: lane 'login' is gone"), "{told}");
    assert!(sandbox.repo.join("login").exists());
}

#[test]
fn a_detached_worktree_lands_and_stays() {
    let sandbox = Sandbox::new();
    let path = sandbox.root().join("3f9a/shop");
    sandbox.git(["worktree", "add", "-q", "--detach", path.to_str().unwrap()]);
    sandbox.lane_in(&path, ["adopt", "."]).ok();
    std::fs::write(path.join("new"), "work\n").unwrap();
    sandbox.git_in(&path, ["add", "-A"]);
    sandbox.git_in(&path, ["commit", "-qm", "new"]);
    let tip = sandbox.git_in(&path, ["rev-parse", "HEAD"]);
    let document = sandbox.lane(["finish", "3f9a", "--json"]).json();
    assert_eq!(document["stays"]["branch"], serde_json::Value::Null);
    assert!(sandbox.repo.join("new").exists());
    assert_eq!(sandbox.git_in(&path, ["rev-parse", "HEAD"]), tip);
    sandbox.lane(["undo", "3f9a"]).ok();
    assert!(!sandbox.repo.join("new").exists());
}

#[test]
fn the_rule_is_in_force_in_an_adopted_lane_and_not_after() {
    let sandbox = Sandbox::new();
    let path = by_hand(&sandbox, "login");
    sandbox.lane(["init"]).ok();
    sandbox.git_in(&path, ["switch", "-q", "-c", "before"]);
    sandbox.git_in(&path, ["switch", "-q", "login"]);
    sandbox.lane(["adopt", "login"]).ok();
    let _ = sandbox.sh_in(&path, "git switch -q -c elsewhere");
    assert_eq!(sandbox.git_in(&path, ["branch", "--show-current"]), "login");
    sandbox.lane(["drop", "login"]).ok();
    sandbox.git_in(&path, ["switch", "-q", "-c", "after"]);
    assert_eq!(sandbox.git_in(&path, ["branch", "--show-current"]), "after");
}

#[test]
fn a_rebase_goes_on_in_an_adopted_lane() {
    let sandbox = Sandbox::new();
    let path = by_hand(&sandbox, "login");
    sandbox.write("login", "mine\n");
    sandbox.commit("collides");
    let _ = sandbox.sh_in(&path, "git rebase -q main");
    let document = sandbox
        .lane(["adopt", path.to_str().unwrap(), "--json"])
        .json();
    assert_eq!(
        (&document["lane"], &document["branch"]),
        (&"login".into(), &"login".into())
    );
    sandbox.lane(["finish", "login"]).fails(1);
    std::fs::write(path.join("login"), "both\n").unwrap();
    sandbox.git_in(&path, ["add", "login"]);
    sandbox.git_in(&path, ["-c", "core.editor=true", "rebase", "--continue"]);
    let shown = sandbox.lane(["show", "login", "--json"]).json();
    assert_eq!(shown["state"], "clean");
}

#[test]
fn git_moves_it_and_the_record_follows() {
    let sandbox = Sandbox::new();
    let path = by_hand(&sandbox, "login");
    sandbox.lane(["adopt", "login"]).ok();
    let there = sandbox.root().join("there");
    sandbox.git([
        "worktree",
        "move",
        path.to_str().unwrap(),
        there.to_str().unwrap(),
    ]);
    let document = sandbox.lane(["drop", "login", "--json"]).json();
    assert_eq!(
        document["dropped"][0]["stays"]["path"],
        there.to_str().unwrap()
    );
    assert!(there.join("login").exists());
}

#[test]
fn completion_offers_what_is_no_lane() {
    let sandbox = Sandbox::new();
    by_hand(&sandbox, "login");
    by_hand(&sandbox, "cart");
    sandbox.lane(["adopt", "cart"]).ok();
    let offered = sandbox
        .lane(["complete", "--", "git-lane", "adopt", ""])
        .ok();
    let words: Vec<&str> = offered
        .lines()
        .filter_map(|line| line.split('\t').next())
        .collect();
    assert_eq!(words, ["login"]);
}
