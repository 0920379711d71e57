//! The git that is run: one that cannot be used is named, with exit code 4, and no lane is damaged
//! because of it.

use std::path::PathBuf;

use crate::support::{Sandbox, git_program, script, write};

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
        (
            "empty",
            "echo 'git version'".to_owned(),
            "no git that works",
        ),
        (
            "old",
            format!(
                "[ \"$1\" = version ] && {{ echo git version 2.38.9; exit; }}; exec {real} \"$@\""
            ),
            "git-lane needs git 2.39 or later",
        ),
    ];
    let mut found = vec![
        ("/nonexistent/git".into(), "cannot start"),
        ("/".into(), "cannot start"),
    ];
    for (name, text, said) in scripts {
        let path = sandbox.root().join("gits").join(name);
        script(&path, text);
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
            &["start", "y", "--dry-run"],
            &["finish", "x", "--dry-run"],
            &["drop", "x", "--dry-run"],
            &["prune", "--dry-run"],
        ] {
            let run = sandbox.run(
                sandbox
                    .command("git-lane")
                    .args(args)
                    .env("GIT_LANE_GIT", &git),
            );
            assert!(
                run.stderr.contains(said) && run.stderr.contains("hint: "),
                "{run}"
            );
            let _ = run.fails(4);
        }
        assert_eq!(
            sandbox.git(["worktree", "list"]),
            before,
            "{}",
            git.display()
        );
    }
}

/// Nor is it passed over where a lane's state can be told without git, and where it cannot, the
/// lane is not called damaged.
#[test]
fn no_lane_is_damaged_because_of_it() {
    let sandbox = needing_git();
    for (git, said) in unusable(&sandbox) {
        for args in [
            &["list"][..],
            &["list", "--json"],
            &["show", "x"],
            &["show", "x", "--json"],
        ] {
            let run = sandbox.run(
                sandbox
                    .command("git-lane")
                    .args(args)
                    .env("GIT_LANE_GIT", &git),
            );
            assert!(
                run.stderr.contains(said) && !run.stdout.contains("damaged"),
                "{run}"
            );
            let _ = run.fails(4);
        }
    }
}

/// What needs no git does without one.
#[test]
fn what_needs_none_does_without() {
    let sandbox = Sandbox::new();
    sandbox.lane_by_git("x");
    for args in [
        &["path", "x"][..],
        &["config"],
        &["log"],
        &["completions", "bash"],
        &["--version"],
    ] {
        let run = sandbox.run(
            sandbox
                .command("git-lane")
                .args(args)
                .env("GIT_LANE_GIT", "/nonexistent/git"),
        );
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

/// A container may run as a user that its system does not know.
#[test]
fn an_owner_that_nobody_knows_is_said() {
    let sandbox = Sandbox::new();
    let id = sandbox.root().join("bin/id");
    script(
        &id,
        "echo \"id: cannot find name for user ID 54331\" >&2\nexit 1",
    );
    let says = |args: &[&str], owner: Option<&str>| {
        let mut command = sandbox.command("git-lane");
        command.args(args).env_remove("USER");
        if let Some(owner) = owner {
            command.env("GIT_LANE_OWNER", owner);
        }
        let run = sandbox.run(&mut command);
        assert_eq!(run.code, 0, "{run}");
        run.stderr
            .lines()
            .filter(|line| line.contains("your login name") && line.contains("no owner"))
            .count()
    };
    assert_eq!(says(&["start", "-n", "a"], None), 1);
    assert_eq!(says(&["start", "a", "b"], None), 1);
    sandbox.git_fails(["config", "lane.a.owner"]);
    // It is there already, or the user has said who it is, or that it is none.
    assert_eq!(says(&["start", "a"], None), 0);
    assert_eq!(says(&["start", "c", "--owner", "me"], None), 0);
    assert_eq!(says(&["start", "d"], Some("me")), 0);
    assert_eq!(says(&["start", "e"], Some("")), 0);
    let log = sandbox.lane(["log", "--json"]).json();
    assert!(log.to_string().contains("\"owner\":\"uid "), "{log}");
}

/// One that never answers is given up; the command does not wait for ever.
#[test]
fn one_that_hangs_is_named() {
    let sandbox = needing_git();
    let sandbox = &sandbox;
    let scripts = [
        ("sleeps", "exec sleep 60"),
        ("waits", "sleep 60"),
        ("speaks", "echo git version 2.47.3; exec sleep 60"),
    ];
    std::thread::scope(|scope| {
        for (name, text) in scripts {
            let path = sandbox.root().join("gits").join(name);
            script(&path, text);
            scope.spawn(move || {
                let begun = std::time::Instant::now();
                let run = sandbox.run(
                    sandbox
                        .command("git-lane")
                        .args(["start", "y"])
                        .env("GIT_LANE_GIT", &path),
                );
                assert!(
                    run.stderr.contains("did not end within") && run.stderr.contains(name),
                    "{run}"
                );
                assert!(begun.elapsed().as_secs() < 40, "{run}");
                let _ = run.fails(4);
            });
        }
    });
}

/// What is made of git's words does not depend on the user's language, and what git runs for the
/// user keeps it.
#[test]
fn a_translated_git_is_understood() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "x"]).ok();
    write(&sandbox.lane_path("x").join("new"), "new");
    let real = git_program();
    let git = sandbox.root().join("gits/translated");
    let failed = sandbox.root().join("failed");
    script(
        &git,
        format!(
            "case \" $* \" in *' add --all '*)\n\
             if [ ! -e {failed} ] || [ -z \"$GIT_TEXTDOMAINDIR\" ]; then\n: >{failed}\n\
             if [ -n \"$GIT_TEXTDOMAINDIR\" ]; then echo 'error: unable to create temporary file: \
             gone' >&2\n\
             else echo 'Fehler: keine Datei' >&2; fi\nexit 128\nfi;;\nesac\nexec {} \"$@\"",
            real.display(),
            failed = failed.display()
        ),
    );
    let mut command = sandbox.command("git-lane");
    command
        .args(["finish", "x", "--commit", "new"])
        .env("GIT_LANE_GIT", &git);
    command.env("LC_ALL", "de_DE.UTF-8").env("LANGUAGE", "de");
    let _ = sandbox.run(&mut command).ok();
    assert!(failed.exists());
}
