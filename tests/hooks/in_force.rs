//! Whether the rule is in force, and how that is known.

use super::*;
use crate::support::skipped;

#[test]
fn a_configured_hook_that_somebody_switched_off_does_not_run_and_init_switches_it_on() {
    if !configured() {
        skipped("this git has no hooks in its configuration");
        return;
    }
    let sandbox = Sandbox::new();
    init(&sandbox, &[]).ok();
    sandbox.git(["config", "hook.git-lane-pre-commit.enabled", "false"]);
    let told = why_not(&sandbox);
    assert!(
        told.contains("git runs no pre-commit") && told.contains("git lane init"),
        "{told}"
    );
    init(&sandbox, &[]).ok();
    init(&sandbox, &["--check"]).ok();
    sandbox.git(["config", "hook.git-lane-pre-commit.command", "true"]);
    assert!(why_not(&sandbox).contains("git runs no pre-commit"));
    init(&sandbox, &[]).ok();
    // By the user's own configuration: not ours to change.
    sandbox.git([
        "config",
        "--global",
        "hook.git-lane-pre-commit.enabled",
        "false",
    ]);
    assert_eq!(init(&sandbox, &["--check"]).code, 1);
    let error = init(&sandbox, &[]).fails(1);
    assert!(
        error.contains("git config --show-origin --get-all hook.git-lane-pre-commit.enabled"),
        "{error}"
    );
}

/// husky's directory is not tracked: a new worktree has none, and git runs nothing there.
#[test]
fn a_directory_below_each_worktree_is_looked_for_in_each() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "one"]).ok();
    sandbox.git(["config", "core.hooksPath", ".husky/_"]);
    by_hand(&sandbox.repo.join(".husky/_"), "");
    if configured() {
        init(&sandbox, &["--files"]).fails(1);
        return;
    }
    let told = why_not(&sandbox);
    assert!(
        told.contains(sandbox.lane_path("one").to_str().unwrap()),
        "{told}"
    );
    init(&sandbox, &[]).fails(1);
    by_hand(&sandbox.lane_path("one").join(".husky/_"), "");
    init(&sandbox, &["--check"]).ok();
    init(&sandbox, &[]).ok();
}

#[test]
fn the_git_lane_on_path_has_to_run() {
    let sandbox = Sandbox::new();
    init(&sandbox, &["--files"]).ok();
    let tool = sandbox.root().join("bin/git-lane");
    for (text, mode) in [
        ("", 0o644),
        ("#!/bin/sh\nexit 2\n", 0o755),
        ("#!/nowhere/at/all\n", 0o755),
    ] {
        std::fs::remove_file(&tool).unwrap();
        hook(&tool, text, mode);
        // Started by its full name, as from a build directory.
        let mut check = sandbox.command(env!("CARGO_BIN_EXE_git-lane"));
        let path =
            std::env::join_paths([sandbox.root().join("bin"), "/usr/bin".into(), "/bin".into()])
                .unwrap();
        check.env("PATH", path).args(["init", "--check"]);
        let run = sandbox.run(&mut check);
        assert!(
            run.stderr.contains("no git-lane on PATH that runs"),
            "{run}"
        );
        let _ = run.fails(1);
    }
}

/// The level is the repository's, whatever git its users have.
#[test]
fn hooks_for_another_git_on_the_machine_stay() {
    let sandbox = Sandbox::new();
    // What a newer git has installed, with a hook of an older version.
    sandbox.git(["config", "lane.guard", "refuse"]);
    let sections = RESTORE.into_iter().chain(["reference-transaction"]);
    for name in sections.clone() {
        sandbox.git([
            "config",
            &format!("hook.git-lane-{name}.command"),
            "git-lane hook older",
        ]);
        sandbox.git(["config", &format!("hook.git-lane-{name}.event"), name]);
    }
    let run = init(&sandbox, &["--files"]);
    let old = git_version() < (2, 46);
    assert_eq!(
        run.stderr.contains("too old for level 'refuse'"),
        old,
        "{run}"
    );
    run.ok();
    assert_eq!(sandbox.git(["config", "lane.guard"]), "refuse");
    for name in sections {
        let command = sandbox.git(["config", &format!("hook.git-lane-{name}.command")]);
        assert!(
            command.contains(&format!("git-lane hook {name} ")),
            "{command}"
        );
    }
    assert_eq!(listing(&hooks(&sandbox)).len(), if old { 4 } else { 5 });
    init(&sandbox, &["--check"]).ok();
    sandbox.lane(["start", "one"]).ok();
    let lane = sandbox.lane_path("one");
    let switch =
        sandbox.run(
            sandbox
                .command("git")
                .current_dir(&lane)
                .args(["switch", "-c", "elsewhere"]),
        );
    assert!(
        switch.code != 0 && sandbox.git_in(&lane, ["branch", "--show-current"]) == "one",
        "{switch}"
    );
    init(&sandbox, &["--level", "restore"]).ok();
    assert_eq!(
        sandbox
            .git(["config", "--get-regexp", "^hook.*event"])
            .lines()
            .count(),
        4
    );
}

/// A pulled rule reaches the hooks with the next command that changes something, and is reported
/// until then.
#[test]
fn the_hooks_follow_the_policy() {
    let sandbox = Sandbox::new();
    init(&sandbox, &[]).ok();
    sandbox.write("lane.toml", "[rule]\nprotected = [\"main\"]\n");
    let told = |sandbox: &Sandbox| {
        let checked = init(sandbox, &["--check"]).fails(1);
        assert!(
            checked.contains("rule.protected") && checked.contains("git lane init"),
            "{checked}"
        );
        let checkup = sandbox.lane(["doctor"]);
        assert!(
            checkup
                .stdout
                .contains("fixable: the hooks do not know what the policy says of rule.protected"),
            "{checkup}"
        );
        let _ = checkup.fails(1);
    };
    let commit = || {
        sandbox.run(
            sandbox
                .command("git")
                .args(["commit", "-q", "--allow-empty", "-m", "x"]),
        )
    };
    told(&sandbox);
    sandbox.lane(["prune"]).ok();
    let refused = commit();
    assert!(
        refused.code != 0 && refused.stderr.contains("protected"),
        "{refused}"
    );
    for way in [&["doctor", "--fix"][..], &["init"]] {
        sandbox.git(["config", "--unset", "lane.protected"]);
        told(&sandbox);
        sandbox.lane(way).ok();
        assert_eq!(sandbox.git(["config", "lane.protected"]), "main");
        init(&sandbox, &["--check"]).ok();
    }
    std::fs::remove_file(sandbox.repo.join("lane.toml")).unwrap();
    sandbox.lane(["prune"]).ok();
    commit().ok();
    sandbox.write("lane.toml", "nonsense");
    let checkup = sandbox.lane(["doctor"]);
    assert!(
        checkup.stdout.contains("the policy cannot be read"),
        "{checkup}"
    );
    let _ = checkup.fails(1);
}

#[test]
fn level_off_is_as_wanted_and_not_in_force() {
    let sandbox = Sandbox::new();
    init(&sandbox, &["--level", "off"]).ok();
    let told = why_not(&sandbox);
    assert!(
        told.contains("its level is off") && told.contains("--level restore"),
        "{told}"
    );
    assert!(
        sandbox
            .lane(["doctor"])
            .ok()
            .contains("everything is as it should be")
    );
    let run = sandbox.lane(["start", "one"]);
    assert_eq!(run.stderr, "");
    run.ok();
}

/// With an empty `core.hooksPath` git looks for `/pre-commit`, and runs no file of the repository.
#[test]
fn an_empty_directory_of_hooks_is_none_of_ours() {
    let sandbox = Sandbox::new();
    sandbox.git(["config", "core.hooksPath", ""]);
    if configured() {
        init(&sandbox, &[]).ok();
        init(&sandbox, &["--check"]).ok();
        return;
    }
    assert!(why_not(&sandbox).contains("core.hooksPath"));
    let error = init(&sandbox, &[]).fails(1);
    assert!(error.contains("core.hooksPath ="), "{error}");
    assert!(!sandbox.repo.join(".git/hooks/pre-commit").exists());
}
