//! What changes while a landing waits for another process.

use super::*;
use crate::support::{checked_document, wait_until};

#[test]
fn while_the_editor_of_a_landing_is_open() {
    for (what, change, _) in CHANGES {
        let (sandbox, program) = lane_with(change);
        let before = main_at(&sandbox);
        let mut command = sandbox.command("git-lane");
        command
            .args(["finish", "x", "--edit"])
            .env("GIT_EDITOR", &program);
        let run = stays(&sandbox, sandbox.run(&mut command), "", what);
        let landed = main_at(&sandbox) != before;
        // What a lock or another worktree protects has landed; what is not settled has not.
        assert_eq!(
            landed,
            ["locked", "nested worktree", "commit of no branch"].contains(&what),
            "{what}: {run}"
        );
        let said = run.fails(1);
        assert!(
            said.contains(if landed {
                "the lane itself is left"
            } else {
                "nothing has landed"
            }),
            "{what}: {said}"
        );
    }
}

#[test]
fn while_a_hook_of_a_landing_runs() {
    for hook in [
        "pre-merge-commit",
        "commit-msg",
        "prepare-commit-msg",
        "post-merge",
    ] {
        for (what, change, code) in CHANGES {
            let (sandbox, program) = lane_with(change);
            std::fs::copy(&program, sandbox.repo.join(".git/hooks").join(hook)).unwrap();
            let run = sandbox.lane(["--json", "finish", "x"]);
            let run = stays(&sandbox, run, code, &format!("{hook}, {what}"));
            // The base has what was there when it landed, and nothing of the change.
            assert_eq!(
                sandbox.git(["rev-parse", "main^2"]),
                sandbox.git(["log", "-1", "--format=%H", "--grep=x: work", "x"])
            );
            assert!(!sandbox.repo.join("precious").exists(), "{hook}, {what}");
            run.fails(1);
        }
    }
}

#[test]
fn while_a_landing_waits_for_its_turn() {
    for (what, change, code) in [CHANGES[0], CHANGES[6], CHANGES[10], CHANGES[11]] {
        let (sandbox, program) = lane_with(change);
        sandbox.lane_by_git("first");
        sandbox.work("first", "first", "first");
        let (begun, go) = (sandbox.root().join("begun"), sandbox.root().join("go"));
        let hook = sandbox.repo.join(".git/hooks/pre-merge-commit");
        let (begun_text, go_text) = (begun.display(), go.display());
        script(
            &hook,
            format!("touch {begun_text}; while ! [ -e {go_text} ]; do sleep 0.02; done"),
        );
        let start = |args: &[&str]| {
            let mut command = sandbox.command("git-lane");
            command
                .args(args)
                .stdout(Stdio::piped())
                .stderr(Stdio::piped());
            command.spawn().unwrap()
        };
        let first = start(&["finish", "first"]);
        wait_until(|| begun.exists());
        let second = start(&["--json", "finish", "x"]);
        // It tells the log when it has looked, and then waits for the other's turn to end.
        let log = sandbox.repo.join(".git/lane/events.jsonl");
        wait_until(|| std::fs::read_to_string(&log).is_ok_and(|log| log.contains("\"x\"")));
        std::thread::sleep(Duration::from_millis(500));
        sandbox.run(sandbox.command("sh").arg(&program)).ok();
        write(&go, "");
        assert!(first.wait_with_output().unwrap().status.success());
        let output = second.wait_with_output().unwrap();
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        let report = checked_document("finish", &stdout);
        assert_eq!(report["error"]["code"], code, "{what}: {stdout}");
        assert!(
            sandbox.lane_path("x").exists() && !sandbox.repo.join("work").exists(),
            "{what}: {stdout}"
        );
    }
}

/// A lane that gets another base while it lands or is synced is neither, whatever it waits for; one that
/// waits for a gate keeps its base.
#[test]
fn while_the_lane_gets_another_base() {
    for (args, hook) in [
        (&["finish", "x", "--json"][..], "pre-merge-commit"),
        (
            &["finish", "x", "--json", "--strategy", "merge"],
            "commit-msg",
        ),
        (
            &["finish", "x", "--json", "--strategy", "squash"],
            "pre-commit",
        ),
        (&["finish", "x", "--edit"], "editor"),
        (&["sync", "x", "--json"], "pre-merge-commit"),
    ] {
        let (sandbox, program) = lane_with("git-lane base x other");
        sandbox.git(["branch", "other"]);
        sandbox.write("more", "more");
        sandbox.commit("more");
        let tips = || sandbox.git(["for-each-ref", "refs/heads"]);
        let before = tips();
        let mut command = sandbox.command("git-lane");
        command.args(args);
        match hook {
            "editor" => drop(command.env("GIT_EDITOR", &program)),
            hook => drop(std::fs::copy(
                &program,
                sandbox.repo.join(".git/hooks").join(hook),
            )),
        }
        let run = sandbox.run(&mut command);
        assert_eq!(run.code, 1, "{args:?}: {run}");
        let said = [&run.stdout[..], &run.stderr].concat();
        assert!(said.contains("got another base"), "{args:?}: {run}");
        assert!(
            !args.contains(&"--json") || run.stdout.contains("\"raced\""),
            "{run}"
        );
        assert_eq!(tips(), before, "{args:?}");
        assert_eq!(sandbox.git(["config", "lane.x.base"]), "refs/heads/other");
        sandbox.nothing_left_behind(0);
    }
    let (sandbox, program) = lane_with("git-lane base x other; true");
    sandbox.git(["branch", "other"]);
    let gate = format!("sh {}", program.display());
    sandbox.lane(["finish", "x", "--gate", &gate]).ok();
    assert!(sandbox.root().join("once").exists());
    assert!(sandbox.repo.join("work").exists());
}
