//! Renames that were killed, and what the user or another git did before the next command.

use super::{assert_is, at_work, content};
use crate::support::{Sandbox, write};

const RENAME: [&str; 3] = ["rename", "login", "signin"];

#[test]
fn a_rename_that_was_healed_is_in_the_log_and_can_be_taken_back() {
    let sandbox = at_work();
    let path = sandbox.lane_path("login");
    let before = content(&sandbox, "login", &path);
    sandbox.died("relocate.directory-moved", RENAME);
    let told = sandbox.lane(["trash", "--expire"]).stderr;
    assert!(
        told.contains(
            "the rename of lane 'login' to 'signin' was interrupted; it has been completed"
        ),
        "{told}"
    );
    assert_is(&sandbox, "signin", "signin", &sandbox.lane_path("signin"));
    sandbox.lane(["undo", "signin"]).ok();
    assert_is(&sandbox, "login", "login", &path);
    assert_eq!(content(&sandbox, "login", &path), before);
}

/// What the user commits in between is kept, whichever name it came under.
#[test]
fn commits_that_were_made_in_between_are_kept() {
    for (to, steps) in [
        (
            "signin",
            &[
                "rename.created",
                "rename.log-back",
                "rename.head-moved",
                "rename.deleted",
            ][..],
        ),
        (
            "login/deep",
            &["rename.head-detached", "rename.deleted", "rename.created"],
        ),
    ] {
        for step in steps {
            let sandbox = at_work();
            sandbox.died(step, ["rename", "login", to]);
            let path = sandbox.lane_path("login");
            sandbox.git_in(&path, ["commit", "-qm", "in between"]);
            let commit = sandbox.git_in(&path, ["rev-parse", "HEAD"]);
            sandbox.lane(["trash", "--expire"]).ok();
            let lanes = sandbox.lane(["--json", "list"]).json();
            let is_lane = |lane: &&serde_json::Value| !lane["lane"].is_null();
            let lane = lanes["lanes"]
                .as_array()
                .unwrap()
                .iter()
                .find(is_lane)
                .unwrap();
            let path = lane["path"].as_str().unwrap();
            let found = sandbox.git_in(path.as_ref(), ["rev-parse", "HEAD"]);
            assert_eq!(found, commit, "{step}");
            let log = sandbox.git_in(path.as_ref(), ["reflog", "--format=%gs"]);
            assert!(
                log.contains("login: one") && log.contains("in between"),
                "{step}: {log}"
            );
            sandbox.plain_git_works();
            sandbox.nothing_under_way();
        }
    }
}

/// What takes the place of the lane in between has it go back.
#[test]
fn what_is_in_the_way_by_then_has_it_taken_back() {
    for (step, meddle) in [
        (
            "journal.begun",
            (|sandbox| write(&sandbox.lane_path("signin").join("x"), "mine")) as fn(&Sandbox),
        ),
        ("rename.deleted", |sandbox| {
            write(&sandbox.lane_path("signin").join("x"), "mine")
        }),
        ("relocate.marked", |sandbox| {
            write(&sandbox.lane_path("signin").join("x"), "mine")
        }),
        ("rename.created", |sandbox| {
            sandbox.git(["update-ref", "refs/heads/login", "main"]);
            sandbox.git(["update-ref", "refs/heads/signin", "main"]);
            sandbox.git(["update-ref", "refs/heads/signin", "login@{1}"]);
        }),
    ] {
        let sandbox = at_work();
        sandbox.died(step, RENAME);
        meddle(&sandbox);
        let told = sandbox.lane(["trash", "--expire"]).stderr;
        assert!(told.contains("it has been undone"), "{step}: {told}");
        assert_eq!(
            sandbox.git_in(
                &sandbox.lane_path("login"),
                ["symbolic-ref", "--short", "HEAD"]
            ),
            "login",
            "{step}"
        );
        assert_eq!(
            sandbox.git(["config", "lane.login.branch"]),
            "login",
            "{step}"
        );
        sandbox.git_fails(["rev-parse", "--verify", "-q", "refs/heads/signin"]);
        sandbox.plain_git_works();
        sandbox.nothing_under_way();
    }
}

/// A hook of the user's that forbids the deletion, a configuration that is locked: nothing has changed.
#[test]
fn a_failure_on_the_way_takes_everything_back() {
    for (code, forbid) in [
        (
            5,
            (|sandbox| {
                let _ = sandbox.hook(
                    "reference-transaction",
                    "[ \"$1\" != prepared ] || ! grep -q '0000 refs/heads/login$'",
                );
            }) as fn(&Sandbox),
        ),
        (4, |sandbox| {
            write(&sandbox.repo.join(".git/config.lock"), "")
        }),
    ] {
        let sandbox = at_work();
        forbid(&sandbox);
        let path = sandbox.lane_path("login");
        let before = content(&sandbox, "login", &path);
        let log = sandbox.git(["reflog", "login"]);
        sandbox.lane(RENAME).fails(code);
        let _ = std::fs::remove_file(sandbox.repo.join(".git/config.lock"));
        assert_is(&sandbox, "login", "login", &path);
        assert_eq!(content(&sandbox, "login", &path), before);
        assert_eq!(sandbox.git(["reflog", "login"]), log);
        sandbox.git_fails(["rev-parse", "--verify", "-q", "refs/heads/signin"]);
    }
}

/// What another git removes of the admin directory while the worktree is on its way is there again, and
/// with it what was staged.
#[test]
fn an_admin_directory_that_was_pruned_on_the_way_is_put_back() {
    let pruned: [&[&str]; 4] = [
        &[""],
        &["index"],
        &["gitdir", "HEAD"],
        &["logs", "commondir"],
    ];
    for gone in pruned {
        for step in [
            "relocate.directory-moved",
            "relocate.unmarked",
            "relocate.recorded",
        ] {
            let sandbox = at_work();
            let path = sandbox.lane_path("login");
            let before = content(&sandbox, "login", &path);
            let log = |path| sandbox.git_in(path, ["reflog", "--format=%H"]);
            let commits = log(&path);
            let admin = sandbox.admin(&path);
            sandbox.died(step, RENAME);
            for name in gone {
                let place = admin.join(name);
                match place.is_dir() {
                    true => std::fs::remove_dir_all(place).unwrap(),
                    false => std::fs::remove_file(place).unwrap(),
                }
            }
            if gone == [""] {
                // git removes it when it is empty.
                std::fs::remove_dir(admin.parent().unwrap()).unwrap();
            }
            sandbox.lane(["trash", "--expire"]).ok();
            let path = sandbox.lane_path("signin");
            assert_is(&sandbox, "signin", "signin", &path);
            assert_eq!(
                content(&sandbox, "signin", &path),
                before,
                "{step} {gone:?}"
            );
            assert!(log(&path).ends_with(&commits), "{step} {gone:?}");
        }
    }
}
