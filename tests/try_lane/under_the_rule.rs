//! No git commits on what the main worktree shows of a lane; looking, and going back by hand, stay
//! free.

use super::lane;
use crate::support::{Sandbox, git_version, write};

/// A cherry-pick, like `--no-verify`, asks no hook of git's.
const COMMITS: &[&str] = &[
    "git commit -q --allow-empty -m x",
    "git commit -q --amend --no-edit",
    "git merge -q --no-ff --no-edit side",
    "git rebase -q --force-rebase HEAD~1",
];

const FREE: &[&str] = &[
    "git status",
    "git log -1",
    "echo x >f && git add f && git rm -q --cached f && rm f",
    "git stash list",
    "git switch -q main",
    "git checkout -q --detach side",
    "git -C \"$(git lane path login)\" commit -q --allow-empty -m x",
];

fn levels() -> impl Iterator<Item = &'static str> {
    let possible = |level: &&str| *level != "refuse" || git_version() >= (2, 46);
    ["off", "warn", "restore", "refuse"]
        .into_iter()
        .filter(possible)
}

fn shown(level: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.git(["branch", "side"]);
    sandbox.lane(["start", "login"]).ok();
    sandbox.work("login", "new.txt", "new\n");
    sandbox.work("login", "newer.txt", "newer\n");
    sandbox.git(["switch", "-q", "side"]);
    sandbox.write("side.txt", "side\n");
    sandbox.commit("side");
    sandbox.git(["switch", "-q", "main"]);
    sandbox.lane(["init", "--level", level]).ok();
    write(&lane(&sandbox).join("README"), "edited\n");
    sandbox.lane(["try", "login"]).ok();
    sandbox
}

#[test]
fn no_commit_is_made_on_what_is_shown() {
    for level in levels() {
        for script in COMMITS {
            let sandbox = shown(level);
            let head = sandbox.git(["rev-parse", "HEAD"]);
            let run = sandbox.sh(script);
            let says = run.stderr.contains("the main worktree shows lane 'login'");
            match level {
                "restore" | "refuse" => {
                    assert!(run.code != 0 && says, "{level}, {script}: {run}");
                    let hint = "git lane try --back --to-lane";
                    assert!(run.stderr.contains(hint), "{script}: {run}");
                    assert_eq!(
                        sandbox.git(["rev-parse", "HEAD"]),
                        head,
                        "{level}, {script}"
                    );
                }
                "warn" => assert!(run.code == 0 && says, "{script}: {run}"),
                _ => assert!(run.code == 0 && !says, "{script}: {run}"),
            }
        }
    }
}

#[test]
fn looking_and_going_back_stay_free() {
    for level in levels() {
        for script in FREE {
            let sandbox = shown(level);
            let run = sandbox.sh(script);
            assert!(
                run.code == 0 && !run.stderr.contains("git-lane"),
                "{level}, {script}: {run}"
            );
        }
    }
}

/// Where the main worktree has a home, it goes from a lane that it shows to no other branch, be that new;
/// what was shown stays.
#[test]
fn a_home_holds_while_a_lane_is_shown() {
    for level in ["restore", "refuse", "warn"] {
        if level == "refuse" && git_version() < (2, 46) {
            continue;
        }
        for script in ["git switch side", "git switch -c x", "git checkout -b x"] {
            let sandbox = Sandbox::new();
            sandbox.git(["branch", "side"]);
            sandbox.write("lane.toml", "rule.home = \"main\"\n");
            sandbox.commit("home");
            sandbox.lane(["init", "--level", level]).ok();
            sandbox.lane(["start", "login"]).ok();
            write(&lane(&sandbox).join("README"), "edited\n");
            sandbox.lane(["try", "login"]).ok();
            let head = sandbox.git(["rev-parse", "HEAD"]);
            let run = sandbox.sh(script);
            assert!(
                run.stderr.contains("the main worktree stays on 'main'"),
                "{level}, {script}: {run}"
            );
            if level != "warn" {
                assert_eq!(
                    sandbox.git(["rev-parse", "HEAD"]),
                    head,
                    "{level}, {script}"
                );
                sandbox.git_fails(["symbolic-ref", "-q", "HEAD"]);
                assert_eq!(sandbox.git(["status", "--porcelain"]), "");
                sandbox.lane(["try", "--back"]).ok();
                assert_eq!(sandbox.git(["symbolic-ref", "HEAD"]), "refs/heads/main");
            }
        }
    }
}

/// git-lane itself passes, and its own hook says nothing of it.
#[test]
fn git_lane_goes_both_ways_at_every_level() {
    for level in levels() {
        let sandbox = shown(level);
        sandbox.write("README", "edited in main\n");
        let run = sandbox.lane(["try", "--back", "--to-lane"]);
        assert!(run.code == 0 && run.stderr.is_empty(), "{level}: {run}");
        assert_eq!(
            std::fs::read(lane(&sandbox).join("README")).unwrap(),
            b"edited in main\n"
        );
    }
}

/// The record goes with `git switch`, and commits on the branch are as free as before.
#[test]
fn after_a_switch_by_hand_the_branch_takes_commits() {
    for level in levels() {
        let sandbox = shown(level);
        sandbox.git(["switch", "-q", "main"]);
        sandbox.git(["commit", "-q", "--allow-empty", "-m", "x"]);
    }
}
