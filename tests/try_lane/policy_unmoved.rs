//! No word of the team's comes from a lane that the main worktree shows.

use super::lane;
use crate::support::{Sandbox, write};

/// A repository whose `lane.toml` says one thing, and a lane whose own says another.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    let text = |word: &str, base: &str| {
        format!(
            "[start]\nbranch = \"{word}/{{name}}\"\npath = \"../{{repo}}.lanes/{word}/{{name}}\"\n\
             base = \"{base}\"\nowner = \"{word}\"\n[finish]\nstrategy = \"{word}\"\n\
             message = \"{word} {{name}}\"\ngate = \"true {word}\"\n\
             [rule]\nprotected = [\"{word}-*\"]\nhome = \"{base}\"\n"
        )
    };
    sandbox.git(["branch", "trunk"]);
    sandbox.write("lane.toml", text("squash", "main"));
    sandbox.commit("policy");
    sandbox.git([
        "worktree",
        "add",
        "-q",
        "-b",
        "login",
        lane(&sandbox).to_str().unwrap(),
    ]);
    sandbox.record("login", &lane(&sandbox));
    write(&lane(&sandbox).join("lane.toml"), text("rebase", "trunk"));
    sandbox
}

/// Everything that asks for the policy, with what it answers.
const ASKED: &[&[&str]] = &[
    &["config", "--json"],
    &["start", "new", "-n", "--json"],
    &["finish", "login", "-n", "--json"],
    &["approve", "--list", "--json"],
    &["check", "--json"],
    &["prune", "-n", "--json"],
    &["init", "--json", "-n"],
];

#[test]
fn the_policy_is_that_of_the_branch_while_a_lane_is_shown() {
    let sandbox = sandbox();
    let answers = || -> Vec<String> {
        let answer = |args: &&[&str]| {
            let run = sandbox.lane(*args);
            let text = format!("{}{}", run.code, run.stdout);
            // The file that is named is the branch's.
            text.replace("main:lane.toml", "lane.toml").replace(
                &format!("{}/lane.toml", sandbox.repo.display()),
                "lane.toml",
            )
        };
        ASKED.iter().map(answer).collect()
    };
    let before = answers();
    sandbox.lane(["try", "login"]).ok();
    let shown = std::fs::read_to_string(sandbox.repo.join("lane.toml")).unwrap();
    assert!(shown.contains("rebase"), "{shown}");
    for ((args, before), now) in ASKED.iter().zip(&before).zip(answers()) {
        assert_eq!(*before, now, "{args:?}");
        assert!(
            !now.contains("rebase-") && !now.contains("rebase/"),
            "{args:?}: {now}"
        );
    }
    sandbox.lane(["try", "--back"]).ok();
    assert_eq!(answers(), before);
}

/// A new lane has the branch, the place and the base of the team's own policy, and the hooks hear of
/// no other one.
#[test]
fn a_lane_that_is_started_meanwhile_follows_the_teams_policy() {
    let sandbox = sandbox();
    sandbox.lane(["init"]).ok();
    sandbox.lane(["try", "login"]).ok();
    sandbox.lane(["start", "new"]).ok();
    assert_eq!(sandbox.git(["config", "lane.new.branch"]), "squash/new");
    assert_eq!(sandbox.git(["config", "lane.new.base"]), "refs/heads/main");
    assert_eq!(sandbox.git(["config", "lane.protected"]), "squash-*");
}

/// Without a word of the policy the base is the branch that the main worktree comes back to, and the
/// new lane has none of what is shown.
#[test]
fn the_base_of_a_new_lane_is_the_branch_of_the_main_worktree() {
    let sandbox = super::at_work();
    sandbox.lane(["try", "login"]).ok();
    sandbox.lane(["start", "new"]).ok();
    assert_eq!(sandbox.git(["config", "lane.new.base"]), "refs/heads/main");
    assert_eq!(
        sandbox.git(["rev-parse", "new"]),
        sandbox.git(["rev-parse", "main"])
    );
    let new = sandbox.lane_path("new");
    assert!(!new.join("staged.txt").exists());
    assert_eq!(sandbox.git_in(&new, ["status", "--porcelain"]), "");
}

/// What is remembered cannot be read: nothing is taken for the team's word.
#[test]
fn a_damaged_record_stops_what_needs_the_policy() {
    let sandbox = super::at_work();
    sandbox.lane(["try", "login"]).ok();
    sandbox.git(["config", "--unset", "lane.triedBranch"]);
    let run = sandbox.lane(["start", "new", "--json"]);
    assert!(
        run.code != 0 && run.stdout.contains("\"damaged-record\""),
        "{run}"
    );
    assert_eq!(sandbox.findings(), ["damaged-try", "policy"]);
    sandbox.lane(["list"]).ok();
    sandbox.git(["switch", "-q", "main"]);
    drop(sandbox.lane(["doctor", "--fix"]));
    super::forgotten(&sandbox);
}

/// A branch that is made of what is shown brings no other policy, until the main worktree leaves it.
#[test]
fn a_branch_of_what_is_shown_is_no_word_of_the_teams() {
    let sandbox = sandbox();
    sandbox.lane(["try", "login"]).ok();
    let back = sandbox.git(["rev-parse", "HEAD"]);
    sandbox.git(["switch", "-q", "-c", "foo"]);
    sandbox.git(["commit", "-q", "--allow-empty", "-m", "more"]);
    sandbox.lane(["start", "new"]).ok();
    assert_eq!(sandbox.git(["config", "lane.new.branch"]), "squash/new");
    assert_eq!(sandbox.git(["config", "lane.triedCommit"]), back);
    for args in [
        &["try", "--back", "--json"][..],
        &["try", "--back", "--to-lane", "--json"],
        &["try", "new", "--json"],
    ] {
        let run = sandbox.lane(args);
        assert!(
            run.stdout.contains("\"unsettled\"") && run.stdout.contains("on branch 'foo'"),
            "{run}"
        );
    }
    let run = sandbox.lane(["try", "--back", "--json"]);
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let hint = |at: usize| {
        let hint = document["error"]["hints"][at].as_str().unwrap();
        hint.split_once(": ").unwrap().1.to_owned()
    };
    sandbox.sh(&hint(0)).ok();
    sandbox.lane(["try", "--back", "-n"]).ok();
    sandbox.git(["switch", "-q", "foo"]);
    sandbox.sh(&hint(1)).ok();
    sandbox.lane(["mark", "new", "ready"]).ok();
    super::forgotten(&sandbox);
}
