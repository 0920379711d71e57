//! Others at work, and a death at any step.

use super::*;

/// It stands there, has a file of it open, or is a program built there.
#[cfg(target_os = "linux")]
#[test]
fn a_lane_with_a_living_process_stays_without_force() {
    type Live = fn(&Path) -> Command;
    let lives: [Live; 4] = [
        |lane| {
            let mut sleep = Command::new("sleep");
            sleep.current_dir(lane).stdin(Stdio::null());
            sleep
        },
        |lane| {
            let mut sleep = Command::new("sleep");
            sleep.current_dir(lane.join("src")).stdin(Stdio::null());
            sleep
        },
        |lane| {
            let mut sleep = Command::new("sleep");
            sleep
                .current_dir("/")
                .stdin(std::fs::File::open(lane.join("README")).unwrap());
            sleep
        },
        |lane| {
            std::fs::copy("/bin/sleep", lane.join("sleep")).unwrap();
            let mut sleep = Command::new(lane.join("sleep"));
            sleep.current_dir("/").stdin(Stdio::null());
            sleep
        },
    ];
    for live in lives {
        let sandbox = Sandbox::new();
        let path = sandbox.lane_by_git("login");
        sandbox.git(["config", "--global", "core.excludesFile", "~/ignored"]);
        write(&sandbox.root().join("home/ignored"), "/sleep\n");
        let mut child = live(&path).arg("60").spawn().unwrap();
        let before = sandbox.fingerprint();
        let process = format!("process {} (sleep)", child.id());
        for args in [
            &["drop", "login"][..],
            &["drop", "--yes", "login"],
            &["finish", "login"],
        ] {
            let said = sandbox.lane(args).fails(1);
            assert!(said.contains(&process), "{said}");
        }
        let kept = sandbox
            .lane(["--json", "prune", "--yes", "--older-than", "0s"])
            .json();
        assert_eq!(kept["kept"][0]["code"], "busy", "{kept}");
        assert_eq!(sandbox.fingerprint(), before);
        sandbox.lane(["drop", "--force", "login"]).ok();
        child.kill().and_then(|()| child.wait()).unwrap();
    }
}

#[test]
fn a_branch_somebody_else_holds_brings_everything_back() {
    let sandbox = Sandbox::new();
    let path = sandbox.lane_by_git("login");
    write(&path.join("new"), "x");
    sandbox.git_in(&path, ["add", "new"]);
    sandbox.git_in(&path, ["status"]);
    let admin = sandbox.admin(&path);
    let hook = sandbox.repo.join(".git/hooks/reference-transaction");
    write(
        &hook,
        "#!/bin/sh\n[ \"$1\" != prepared ] || ! grep -q refs/heads/login\n",
    );
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&hook, executable).unwrap();
    let before = sandbox.whole_lane("login", &path, &admin);
    sandbox.lane(["drop", "--yes", "login"]).fails(5);
    assert_eq!(sandbox.whole_lane("login", &path, &admin), before);
    sandbox.nothing_left_behind(0);
}

/// What git-lane does to refs in git's place another tool's hook hears as it would from git: each
/// state with its lines and in the same repository, also where the file is a script that does not
/// say of which shell.
#[test]
fn a_reference_transaction_hook_hears_what_it_would_hear_from_git() {
    let sandbox = Sandbox::new();
    let path = sandbox.lane_by_git("login");
    let tip = sandbox.git_in(&path, ["rev-parse", "HEAD"]);
    let heard = sandbox.root().join("heard");
    let hook = sandbox.repo.join(".git/hooks/reference-transaction");
    let executable: std::fs::Permissions = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    for first in ["#!/bin/sh\n", ""] {
        write(
            &hook,
            format!(
                "{first}{{ echo \"$1 $(git rev-parse --path-format=absolute --git-common-dir)\"; grep /login; }} >>'{}' || :\n",
                heard.display()
            ),
        );
        std::fs::set_permissions(&hook, executable.clone()).unwrap();
        sandbox.git(["update-ref", "refs/login/x", &tip]);
        let by_git = std::fs::read_to_string(&heard).unwrap();
        std::fs::remove_file(&heard).unwrap();
        let place = by_git
            .lines()
            .find_map(|line| line.strip_prefix("prepared "))
            .unwrap();

        sandbox.lane(["drop", "--yes", "login"]).ok();
        let by_us = std::fs::read_to_string(&heard).unwrap();
        let gone = format!("{tip} {} refs/heads/login", "0".repeat(40));
        let transaction = |state: &str| format!("{state} {place}\n{gone}\n");
        for state in ["prepared", "committed"] {
            assert!(
                by_us.contains(&transaction(state)),
                "{state}\n{by_us}\n{by_git}"
            );
        }
        sandbox.lane(["restore", "login"]).ok();
        std::fs::remove_file(&heard).unwrap();
    }
}

#[test]
fn of_eight_who_drop_one_lane_exactly_one_does() {
    let sandbox = Sandbox::new();
    for round in 0..3 {
        sandbox.lane_by_git("login");
        let drop = || {
            let mut command = sandbox.command("git-lane");
            command
                .args(["drop", "login"])
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        };
        let children: Vec<_> = (0..8).map(|_| drop()).collect();
        let outputs: Vec<_> = children
            .into_iter()
            .map(|child| child.wait_with_output().unwrap())
            .collect();
        let winners = outputs
            .iter()
            .filter(|output| output.status.success())
            .count();
        assert_eq!(winners, 1, "{outputs:?}");
        assert!(
            outputs
                .iter()
                .all(|output| matches!(output.status.code(), Some(0 | 1))),
            "{outputs:?}"
        );
        sandbox.nothing_left_behind(round + 1);
    }
    sandbox.plain_git_works();
}

#[test]
fn different_lanes_leave_at_the_same_moment() {
    let sandbox = Sandbox::new();
    let names: Vec<String> = (0..12).map(|number| format!("lane/{number}")).collect();
    for name in &names {
        sandbox.lane_by_git(name);
    }
    let drop = |name: &String| {
        sandbox
            .command("git-lane")
            .args(["drop", name])
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    };
    let children: Vec<_> = names.iter().map(drop).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    sandbox.nothing_left_behind(12);
    assert_eq!(sandbox.git(["branch"]), "* main");
}

/// Dies at every step in turn; in between plain git works, and the same command again ends well.
#[test]
fn killed_at_any_step_the_same_command_ends_well() {
    for step in 1.. {
        let sandbox = Sandbox::new();
        let path = sandbox.lane_by_git("login");
        sandbox.work("login", "file", "x");
        sandbox.git_in(&path, ["commit", "-q", "--amend", "-m", "amended"]);
        write(&path.join("staged"), "staged");
        sandbox.git_in(&path, ["add", "staged"]);
        write(&path.join("untracked"), "x");
        sandbox.git_in(&path, ["status"]);
        let admin = sandbox.admin(&path);
        let before = sandbox.whole_lane("login", &path, &admin);

        let run = sandbox.dying(step, ["drop", "--yes", "login"]);
        if run.code == 0 {
            assert!(step > 12, "only {step} steps");
            run.ok();
            return;
        }
        assert_eq!(run.code, 137, "{run}");
        if !sandbox.repo.join(".git/config.lock").exists() {
            sandbox.plain_git_works();
        }
        sandbox.git([
            "-c",
            "gc.worktreePruneExpire=now",
            "worktree",
            "prune",
            "--expire=now",
        ]);
        sandbox.lane(["drop", "--yes", "login"]).ok();
        sandbox.nothing_left_behind(1);
        sandbox.plain_git_works();
        assert!(!path.exists(), "step {step}");
        sandbox.lane(["restore", "login"]).ok();
        assert_eq!(
            sandbox.whole_lane("login", &path, &admin),
            before,
            "step {step}"
        );
        sandbox.nothing_left_behind(0);
    }
}
