//! A git-lane that dies while a conflict is laid out, and what the next one does about it.

use std::process::Stdio;

use super::{BOTH, conflicting};
use crate::support::{Sandbox, wait_until, write};

fn args(resolver: &str) -> [&str; 4] {
    ["finish", "login", "--on-conflict", resolver]
}

#[test]
fn the_next_command_puts_the_lane_back_with_what_was_made_kept() {
    for step in ["resolve.merged", "resolve.asked", "resolve.staged"] {
        let sandbox = conflicting();
        let before = sandbox.lane_as_it_is("login");
        sandbox.died(step, args(BOTH));
        assert_ne!(sandbox.lane_as_it_is("login"), before);
        let said = sandbox.lane(["start", "other"]).stderr;
        let undone = "was interrupted; it has been undone";
        assert!(
            said.contains("the resolving of a conflict in lane 'login'"),
            "{said}"
        );
        assert!(said.contains(undone), "{said}");
        assert!(said.contains("has what was made of it"), "{step}: {said}");
        assert_eq!(sandbox.lane_as_it_is("login"), before, "{step}");
        sandbox.resolving(BOTH, &[]).ok();
    }
}

/// What it has committed before git-lane saw it succeed, git-lane has not judged.
#[test]
fn a_commit_of_a_resolver_that_was_not_seen_to_succeed_is_an_attempt() {
    for (does, after) in [
        ("git commit -qam wip", "clean"),
        ("git commit -qam wip; echo more >>README", "dirty"),
    ] {
        let sandbox = conflicting();
        let before = sandbox.lane_as_it_is("login");
        let wip = sandbox.root().join("home/wip");
        let resolver = format!(
            "{does}; git rev-parse HEAD >'{}'; kill -9 $PPID; sleep 0.2",
            wip.display()
        );
        let mut command = sandbox.command("git-lane");
        let command = command.args(args(&resolver)).stdout(Stdio::null());
        let killed = command.stderr(Stdio::null()).status().unwrap();
        assert!(!killed.success());
        let said = sandbox.lane(["finish", "login"]);
        assert_eq!(said.code, 3, "{after}: {said}");
        assert!(said.stderr.contains("has what was made of it"), "{said}");
        assert_eq!(sandbox.lane_as_it_is("login"), before, "{after}");
        let wip = std::fs::read_to_string(wip).unwrap();
        let log = sandbox.git(["log", "-g", "--format=%H", "login"]);
        assert!(log.contains(wip.trim()), "{log}");
        sandbox.resolving(BOTH, &[]).ok();
    }
}

#[test]
fn where_the_user_has_ended_the_merge_and_works_on_nothing_is_done() {
    let sandbox = conflicting();
    let lane = sandbox.lane_path("login");
    sandbox.died("resolve.asked", args(BOTH));
    sandbox.git_in(&lane, ["merge", "--abort"]);
    write(&lane.join("note"), "mine\n");
    write(&lane.join("src/app.txt"), "mine\n");
    let now = sandbox.lane_as_it_is("login");
    let said = sandbox.lane(["start", "other"]).stderr;
    assert!(said.contains("was ended meanwhile"), "{said}");
    assert_eq!(sandbox.lane_as_it_is("login"), now);
    sandbox.nothing_under_way();
}

#[test]
fn a_merge_that_was_committed_stays() {
    let sandbox = conflicting();
    sandbox.died("resolve.committed", args(BOTH));
    let said = sandbox.lane(["finish", "login", "--json"]);
    assert!(said.stderr.contains("it has been completed"), "{said}");
    assert_eq!(said.json()["landed"]["resolved"], false);
    assert!(
        sandbox
            .git(["show", "main:src/app.txt"])
            .contains("login\nbase")
    );
}

#[test]
fn where_the_user_has_gone_on_nothing_is_done() {
    for does in [
        "git merge --abort; git switch -q --detach",
        "git commit -qam mine; git commit -q --amend -m x; git reset -q --hard HEAD^",
    ] {
        let sandbox = conflicting();
        let lane = sandbox.lane_path("login");
        sandbox.died("resolve.asked", args(BOTH));
        write(&lane.join("note"), "mine\n");
        let more = format!("{does}; git commit -q --allow-empty -m more");
        sandbox.sh_in(&lane, &more).ok();
        let now = sandbox.lane_as_it_is("login");
        let said = sandbox.lane(["start", "other"]).stderr;
        assert!(
            said.contains("was moved meanwhile, so it stays as it is"),
            "{said}"
        );
        assert_eq!(sandbox.lane_as_it_is("login"), now);
        sandbox.nothing_under_way();
    }
}

/// The resolver may outlive a git-lane that is killed.
#[test]
fn a_resolver_that_lives_on_is_waited_for() {
    let sandbox = conflicting();
    let before = sandbox.lane_as_it_is("login");
    let begun = sandbox.root().join("home/begun");
    let resolver = format!("touch '{}'; sleep 1; {BOTH}; touch late", begun.display());
    let mut command = sandbox.command("git-lane");
    let mut child = command
        .args(args(&resolver))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_until(|| begun.exists());
    child.kill().unwrap();
    child.wait().unwrap();
    let said = sandbox.lane(["start", "other"]).stderr;
    assert!(said.contains("has what was made of it"), "{said}");
    assert_eq!(sandbox.lane_as_it_is("login"), before);
    let log = sandbox.git(["log", "-1", "--format=%H", "-g", "login@{1}"]);
    sandbox.git(["cat-file", "-e", &format!("{log}:late")]);
}

#[test]
fn a_lane_that_is_gone_by_then_is_left_alone() {
    let sandbox = conflicting();
    sandbox.died("resolve.asked", args(BOTH));
    let lane = sandbox.lane_path("login");
    sandbox.git(["worktree", "remove", "--force", lane.to_str().unwrap()]);
    sandbox.lane(["start", "other"]).ok();
    sandbox.nothing_under_way();
    sandbox.plain_git_works();
}

/// The locks that a git takes in a lane, and of the lane's branch.
fn locks(sandbox: &Sandbox) -> [std::path::PathBuf; 4] {
    let admin = sandbox.admin(&sandbox.lane_path("login"));
    let branch = sandbox.repo.join(".git/refs/heads/login.lock");
    let [index, head, merged] = ["index", "HEAD", "AUTO_MERGE"];
    let own = |name: &str| admin.join(format!("{name}.lock"));
    [own(index), own(head), own(merged), branch]
}

#[test]
fn locks_of_a_git_that_was_killed_in_the_lane_are_cleared() {
    let sandbox = conflicting();
    let before = sandbox.lane_as_it_is("login");
    sandbox.died("resolve.asked", args(BOTH));
    for lock in locks(&sandbox) {
        write(&lock, "");
    }
    sandbox.lane(["start", "other"]).ok();
    assert_eq!(sandbox.lane_as_it_is("login"), before);
    sandbox.nothing_under_way();
}

#[test]
fn other_lanes_go_on_where_it_cannot_be_healed() {
    let sandbox = conflicting();
    sandbox.died("resolve.asked", args(BOTH));
    let lane = sandbox.lane_path("login");
    let [lock, ..] = locks(&sandbox);
    write(&lock, "");
    let mut living = std::process::Command::new("sleep");
    let mut living = living.arg("60").current_dir(&lane).spawn().unwrap();
    let run = sandbox.lane(["start", "other"]);
    let told = run.stderr.contains("can be neither completed nor undone");
    let refused = sandbox.lane(["drop", "--yes", "login"]);
    living.kill().unwrap();
    living.wait().unwrap();
    assert!(told, "{run}");
    assert_eq!(run.code, 0, "{run}");
    assert!(refused.fails(1).contains("is still to be healed"));
    assert!(lock.exists());
    sandbox.resolving(BOTH, &[]).ok();
}

/// What was there before is another's.
#[test]
fn a_lock_that_was_there_before_stays() {
    let sandbox = conflicting();
    let [_, _, _, branch] = locks(&sandbox);
    write(&branch, "");
    std::thread::sleep(std::time::Duration::from_secs(1));
    let run = sandbox.resolving("exit 1", &[]);
    assert!(run.code != 0 && branch.exists(), "{run}");
}

#[test]
fn the_log_tells_of_it() {
    let sandbox: Sandbox = conflicting();
    sandbox.resolving("exit 1", &[]).fails(3);
    sandbox.resolving(BOTH, &[]).ok();
    let document = sandbox.lane(["log", "login", "--json"]).json();
    let lands = document["events"].as_array().unwrap().iter();
    let lands: Vec<_> = lands.filter(|event| event["what"] == "land").collect();
    let told: Vec<_> = lands
        .iter()
        .map(|event| {
            (
                event["phase"].as_str().unwrap(),
                &event["resolved"],
                &event["problem"]["code"],
            )
        })
        .collect();
    let (yes, no, null) = (&true.into(), &false.into(), &serde_json::Value::Null);
    let expected = [
        ("before", no, null),
        ("failed", no, &"unresolved".into()),
        ("before", no, null),
        ("after", yes, null),
    ];
    assert_eq!(told, expected);
    let text = sandbox.lane(["log", "login"]).ok();
    assert!(text.contains("after a conflict was resolved"), "{text}");
}
