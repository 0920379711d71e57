//! The git that is run: one that cannot be used is named, with exit code 4, and no lane is damaged because of it.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use crate::sandbox::{Sandbox, git_program, write};

/// A repository whose worktrees only git can look at: their links are files.
fn needing_git() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.lane_by_git("x");
    sandbox.work("x", "new", "new");
    sandbox.write("other", "other");
    sandbox.commit("other");
    sandbox.git(["config", "core.symlinks", "false"]);
    sandbox
}

/// Gits that are none, and what is said of them.
fn unusable(sandbox: &Sandbox) -> Vec<(PathBuf, &'static str)> {
    let real = git_program();
    let real = real.display();
    let scripts = [
        ("fails", "exit 1".to_owned(), "no git that works"),
        ("garbage", "echo garbage".to_owned(), "no git that works"),
        ("silent", String::new(), "no git that works"),
        ("empty", "echo 'git version'".to_owned(), "no git that works"),
        (
            "old",
            format!("[ \"$1\" = version ] && {{ echo git version 2.37.9; exit; }}; exec {real} \"$@\""),
            "git-lane needs git 2.38 or later",
        ),
    ];
    let mut found = vec![("/nonexistent/git".into(), "cannot start"), ("/".into(), "cannot start")];
    for (name, text, said) in scripts {
        let path = sandbox.root().join("gits").join(name);
        write(&path, format!("#!/bin/sh\n{text}\n"));
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        found.push((path, said));
    }
    let path = sandbox.root().join("gits/unexecutable");
    write(&path, "");
    found.push((path, "cannot start"));
    found
}

#[test]
fn one_that_cannot_be_used_is_named() {
    let sandbox = needing_git();
    let before = sandbox.git(["worktree", "list"]);
    for (git, said) in unusable(&sandbox) {
        for args in [
            &["start", "y"][..],
            &["finish", "x"],
            &["drop", "x"],
            &["restore", "x"],
            &["prune", "--yes"],
            &["init"],
            &["doctor"],
            &["doctor", "--fix"],
            &["trash", "--expire"],
        ] {
            let run = sandbox.run(sandbox.command("git-lane").args(args).env("GIT_LANE_GIT", &git));
            assert!(run.stderr.contains(said) && run.stderr.contains("hint: "), "{run}");
            let _ = run.fails(4);
        }
        assert_eq!(sandbox.git(["worktree", "list"]), before, "{}", git.display());
    }
}

/// Where it is needed to know how a lane is, the lane is not called damaged.
#[test]
fn no_lane_is_damaged_because_of_it() {
    let sandbox = needing_git();
    for (git, said) in unusable(&sandbox) {
        for args in [&["list"][..], &["list", "--json"], &["show", "x"], &["show", "x", "--json"]] {
            let run = sandbox.run(sandbox.command("git-lane").args(args).env("GIT_LANE_GIT", &git));
            // An old one may be good enough to look.
            if run.code == 0 && git.ends_with("old") {
                continue;
            }
            assert!(run.stderr.contains(said) && !run.stdout.contains("damaged"), "{run}");
            let _ = run.fails(4);
        }
    }
}

/// What needs no git does without one.
#[test]
fn what_needs_none_does_without() {
    let sandbox = Sandbox::new();
    sandbox.lane_by_git("x");
    for args in [&["path", "x"][..], &["config"], &["log"], &["completions", "bash"], &["--version"]] {
        let run = sandbox.run(sandbox.command("git-lane").args(args).env("GIT_LANE_GIT", "/nonexistent/git"));
        let _ = run.ok();
    }
}

/// cron and containers set no USER: the owner is the login name the system knows.
#[test]
fn the_owner_is_known_without_the_variable() {
    let sandbox = Sandbox::new();
    let mut id = sandbox.command("id");
    let login = sandbox.run(id.arg("-un")).ok();
    for (lane, variables) in [("a", &["USER", "LOGNAME"][..]), ("b", &["USER"])] {
        let mut command = sandbox.command("git-lane");
        command.args(["start", lane]).env("LOGNAME", "logname");
        for name in variables {
            command.env_remove(name);
        }
        let _ = sandbox.run(&mut command).ok();
        let owner = sandbox.git(["config", &format!("lane.{lane}.owner")]);
        assert_eq!(owner, if lane == "a" { login.trim() } else { "logname" });
    }
}
