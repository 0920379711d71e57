//! `git lane list`, `show` and `path`

mod columns;
mod said;
mod told_apart;
mod watched;

use crate::support::{Sandbox, write};

#[test]
fn a_lane_that_was_moved_and_removed_there_is_listed_once() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    sandbox.git(["worktree", "move", "../shop.lanes/login", "../elsewhere"]);
    std::fs::remove_dir_all(sandbox.root().join("elsewhere")).unwrap();
    let lanes = sandbox.lane(["list", "--json"]).json()["lanes"].clone();
    let missing: Vec<_> = lanes
        .as_array()
        .unwrap()
        .iter()
        .filter(|lane| lane["state"] == "missing")
        .collect();
    assert_eq!(missing.len(), 1, "{lanes:#}");
    assert_eq!(missing[0]["lane"], "login");
}

#[test]
fn it_fits_the_terminal_and_needs_no_colour() {
    let sandbox = Sandbox::new();
    let task =
        "a task whose description is rather longer than any terminal line should be made to carry";
    sandbox
        .lane([
            "start",
            "a-rather-long-name-for-a-lane",
            "--task",
            task,
            "--owner",
            "somebody",
        ])
        .ok();
    for columns in [80, 60] {
        let run = sandbox.run(
            sandbox
                .command("git-lane")
                .arg("list")
                .env("COLUMNS", columns.to_string()),
        );
        let text = run.ok();
        assert!(
            text.lines().all(|line| line.chars().count() <= columns),
            "{text}"
        );
        assert!(text.contains("clean") && !text.contains('\u{1b}'), "{text}");
    }
}

#[test]
fn a_stray_a_moved_and_a_damaged_worktree_are_told_apart() {
    let sandbox = Sandbox::new();
    sandbox
        .lane(["start", "stray", "moved", "damaged", "detached"])
        .ok();
    sandbox.git_in(
        &sandbox.lane_path("stray"),
        ["switch", "-q", "-c", "elsewhere"],
    );
    sandbox.git(["worktree", "move", "../shop.lanes/moved", "../new-place"]);
    write(&sandbox.lane_path("damaged").join(".git"), "garbage");
    sandbox.git_in(&sandbox.lane_path("detached"), ["switch", "-q", "--detach"]);
    sandbox.long_ago();
    sandbox.assert_screen("list-states", &["list"]);
    assert_eq!(
        sandbox.lane(["path", "moved"]).ok().trim_end(),
        sandbox.root().join("new-place").to_str().unwrap()
    );
    let filtered = sandbox.lane(["list", "--state", "stray", "--json"]).json();
    assert_eq!(filtered["lanes"].as_array().unwrap().len(), 2);
}

#[test]
fn reading_works_where_git_may_not_be_written() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    sandbox.lane(["mark", "login", "ready"]).ok();
    sandbox.lane(["claim", "login", "--for", "1h"]).ok();
    sandbox
        .lane(["claim", "login", "--take-over", "--for", "1h"])
        .ok();
    let git = sandbox.repo.join(".git");
    std::fs::set_permissions(&git, PermissionsExt::from_mode(0o555)).unwrap();
    let before = sandbox.fingerprint();
    for args in [
        &["list"][..],
        &["list", "--no-status"],
        &[
            "list",
            "--status",
            "ready",
            "--columns",
            "name,status,claim",
        ],
        &["show", "login"],
        &["show", "login", "--reproduce"],
        &["path", "login"],
        &["diff", "login"],
        &["diff", "login", "--json"],
    ] {
        sandbox.lane(args).ok();
    }
    assert_eq!(sandbox.fingerprint(), before);
    std::fs::set_permissions(&git, PermissionsExt::from_mode(0o755)).unwrap();
}

#[test]
fn a_half_made_admin_directory_does_not_stop_us() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    // What a killed `git worktree add` leaves, and every plain git dies of.
    write(
        &sandbox.repo.join(".git/worktrees/poison/gitdir"),
        format!("{}/.git\n", sandbox.root().join("poison").display()),
    );
    write(&sandbox.repo.join(".git/worktrees/poison/commondir"), "");
    let text = sandbox.lane(["list"]).ok();
    assert!(text.contains("login"), "{text}");
    assert_eq!(
        sandbox.lane(["path", "login"]).ok().trim_end(),
        sandbox.lane_path("login").to_str().unwrap()
    );
}

#[test]
fn an_unknown_lane_is_refused_with_a_suggestion() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    let error = sandbox.lane(["path", "logni"]).fails(1);
    assert!(
        error.contains("there is no lane 'logni'") && error.contains("did you mean 'login'?"),
        "{error}"
    );
    let error = sandbox.lane(["show"]).fails(2);
    assert!(error.contains("no lane's worktree"), "{error}");
    let inside = sandbox
        .lane_in(&sandbox.lane_path("login").join("src"), ["show", "--json"])
        .json();
    assert_eq!(inside["lane"], "login");
}

#[test]
fn a_script_gets_a_document_for_a_usage_error_too() {
    let sandbox = Sandbox::new();
    let run = sandbox.lane(["list", "--json", "--no-such-option"]);
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(document["error"]["kind"], "usage");
    let error = run.fails(2);
    assert!(error.contains("--no-such-option"), "{error}");
    // What is missing is named, although clap names it on a line of its own.
    let run = sandbox.lane(["check", "--diff", "--json"]);
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let message = document["error"]["message"].as_str().unwrap();
    assert!(message.contains("--path <FILE>"), "{message}");
    run.fails(2);
}

/// What a machine leaves that loses its power: empty files, where a commit was and where a ref was.
#[test]
fn a_lane_whose_last_commit_or_ref_is_lost_is_in_nobodys_way() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "well", "commit", "ref"]).ok();
    let commits: Vec<String> = ["well", "commit", "ref"]
        .map(|lane| sandbox.work(lane, lane, "x"))
        .into();
    let object = sandbox
        .repo
        .join(".git/objects")
        .join(&commits[1][..2])
        .join(&commits[1][2..]);
    std::fs::remove_file(&object).unwrap();
    write(&object, "");
    sandbox.write(".git/refs/heads/ref", "");

    let listed = sandbox.lane(["--json", "list"]).json();
    let lane = |name: &str| {
        listed["lanes"]
            .as_array()
            .unwrap()
            .iter()
            .find(|lane| lane["lane"] == name)
            .unwrap()
    };
    assert_eq!(
        (&lane("well")["state"], &lane("well")["versusBase"]["ahead"]),
        (&"clean".into(), &1.into())
    );
    assert_eq!(lane("commit")["state"], "damaged");
    assert_eq!(lane("ref")["state"], "damaged");
    sandbox.lane(["show", "commit"]).ok();

    let pruned = sandbox.lane(["--json", "prune", "--yes"]).json();
    let kept = |name: &str| {
        pruned["kept"]
            .as_array()
            .unwrap()
            .iter()
            .find(|lane| lane["lane"] == name)
            .unwrap()["code"]
            .clone()
    };
    assert_eq!(
        (kept("commit"), kept("ref")),
        ("unreadable".into(), "unreadable".into())
    );

    let told = sandbox.lane(["doctor"]).stdout;
    for branch in [
        "branch 'commit'",
        "branch 'ref'",
        "make it at a commit of .git/logs/refs/heads/ref",
    ] {
        assert!(told.contains(branch), "{told}");
    }

    let refused = sandbox.lane(["drop", "--yes", "commit"]);
    assert!(
        refused.stderr.contains("git lane drop --force commit"),
        "{}",
        refused.stderr
    );
    let refused = sandbox.lane(["drop", "--force", "ref"]);
    assert!(
        refused.stderr.contains("git lane doctor"),
        "{}",
        refused.stderr
    );
    sandbox.lane(["finish", "well"]).ok();
    sandbox.lane(["start", "other"]).ok();
    sandbox.lane(["drop", "--force", "commit"]).ok();
    sandbox.lane(["restore", "commit"]).ok();

    // As the doctor says.
    std::fs::remove_file(sandbox.repo.join(".git/refs/heads/ref")).unwrap();
    sandbox.git(["branch", "ref", &commits[2]]);
    let told = sandbox.lane(["doctor"]).stdout;
    assert!(!told.contains("branch 'ref'"), "{told}");
    assert_eq!(
        sandbox.git_in(&sandbox.lane_path("ref"), ["rev-parse", "HEAD"]),
        commits[2]
    );
}

/// A filter that matches nothing does not say that there is nothing.
#[test]
fn a_filter_without_a_match_says_so() {
    let sandbox = Sandbox::new();
    for filter in [&["--owner", "bob"][..], &["--state", "stray"]] {
        let args = || [&["list"][..], filter].concat();
        assert!(
            sandbox.lane(args()).ok().contains("No lanes yet"),
            "{filter:?}"
        );
    }
    for (name, said) in [
        ("one", "No lane matches; there is 1 lane"),
        ("two", "No lane matches; there are 2 lanes"),
    ] {
        let _ = sandbox.lane(["start", name]).ok();
        for filter in [
            &["--owner", "bob"][..],
            &["--owner", "b*"],
            &["--state", "stray"],
            &["--owner", "b", "--no-status"],
        ] {
            let listed = sandbox.lane([&["list"][..], filter].concat()).ok();
            assert!(
                listed.contains(said) && !listed.contains("No lanes yet"),
                "{filter:?}: {listed}"
            );
        }
    }
}
