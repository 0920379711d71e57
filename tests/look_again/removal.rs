//! What changes while a removal waits for an answer.

use super::*;
use crate::support::wait_until;

#[test]
fn while_a_question_is_open() {
    // The question of drop needs something to ask about.
    let questions: [(&str, &str, &[&str], &str); 2] = [
        (
            "prune",
            "git merge -q --no-edit x",
            &["\r"],
            "space picks, enter retires",
        ),
        ("drop x", "true", &["y", "\r"], "Drop it?"),
    ];
    for (verb, prepare, keys, question) in questions {
        for (what, change, code) in CHANGES {
            let (sandbox, program) = lane_with(change);
            sandbox.sh(prepare).ok();
            let Some(mut terminal) = Terminal::new(&sandbox, &format!("git-lane {verb}")) else {
                return;
            };
            wait_until(|| terminal.said().contains(question));
            sandbox.run(sandbox.command("sh").arg(&program)).ok();
            keys.iter().for_each(|keys| terminal.answer(keys));
            let ended = terminal.child.wait().unwrap();
            let said = terminal.said();
            let run = sandbox.lane(["list"]);
            stays(&sandbox, run, code, &format!("{verb}, {what}: {said}")).ok();
            assert_eq!(
                ended.code(),
                Some(i32::from(verb != "prune")),
                "{verb}, {what}: {said}"
            );
        }
    }
}

/// What was there and was agreed to is no news.
#[test]
fn what_the_user_has_seen_goes() {
    let (sandbox, _) = lane_with("true");
    write(&sandbox.lane_path("x").join("new"), "x");
    let Some(mut terminal) = Terminal::new(&sandbox, "git-lane drop x") else {
        return;
    };
    wait_until(|| terminal.said().contains("Drop it?"));
    terminal.answer("y");
    terminal.answer("\r");
    assert!(
        terminal.child.wait().unwrap().success(),
        "{}",
        terminal.said()
    );
    let trash = sandbox.lane(["--json", "trash"]).json();
    assert_eq!(
        trash["entries"][0]["holds"][0]["code"], "untracked",
        "{trash}"
    );
    sandbox.nothing_left_behind(1);
}

#[test]
fn what_a_commit_of_ours_or_its_hooks_leave_behind() {
    let hooks = [
        ("pre-commit", "echo gold >>README"),
        ("pre-commit", "echo gold >report"),
        (
            "pre-commit",
            "echo gold >report; git add report; echo more >>report",
        ),
        ("prepare-commit-msg", "echo gold >report"),
        ("commit-msg", "echo gold >report"),
        ("post-commit", "echo gold >report; git add report"),
        (
            "post-commit",
            "git update-index --skip-worktree README; echo gold >>README",
        ),
        (
            "",
            "git update-index --skip-worktree README; echo gold >>README",
        ),
        (
            "",
            "git update-index --assume-unchanged README; echo gold >>README",
        ),
    ];
    for keep in [false, true] {
        for (hook, left) in hooks {
            let (sandbox, program) = lane_with(left);
            if hook.is_empty() {
                sandbox.run(sandbox.command("sh").arg(&program)).ok();
            } else {
                std::fs::copy(&program, sandbox.repo.join(".git/hooks").join(hook)).unwrap();
            }
            write(&sandbox.lane_path("x").join("new"), "new");
            let before = main_at(&sandbox);
            let args = ["--json", "finish", "x", "--commit", "all"];
            let run = sandbox.lane(args.iter().chain(if keep { &["--keep"][..] } else { &[] }));
            let run = stays(&sandbox, run, "unsettled", &format!("{hook}: {left}"));
            assert_eq!(main_at(&sandbox), before, "{run}");
            assert!(run.stdout.contains("\"committed\": true"), "{run}");
            run.fails(1);
        }
    }
    // What the hook put into the commit itself is no leftover.
    let (sandbox, program) = lane_with("true");
    script(&program, "echo gold >report; git add report");
    std::fs::copy(&program, sandbox.repo.join(".git/hooks/pre-commit")).unwrap();
    write(&sandbox.lane_path("x").join("new"), "new");
    sandbox
        .lane(["finish", "x", "--commit", "all", "--strategy", "ff"])
        .ok();
    assert!(sandbox.repo.join("report").exists());
}

/// A process that came, and a git at work.
#[test]
fn who_came_meanwhile() {
    let sleeper = "sleep 60 >/dev/null 2>&1 & echo $! >../sleeper";
    for (what, change, code) in [
        ("process", sleeper, "busy"),
        ("index.lock", LOCK, "locked"),
        ("HEAD.lock", HEAD_LOCK, "locked"),
    ] {
        let (sandbox, program) = lane_with(change);
        std::fs::copy(&program, sandbox.repo.join(".git/hooks/post-merge")).unwrap();
        let run = sandbox.lane(["--json", "finish", "x"]);
        let pid =
            std::fs::read_to_string(sandbox.root().join("shop.lanes/sleeper")).unwrap_or_default();
        if let Some(pid) = pid
            .trim()
            .parse()
            .ok()
            .and_then(rustix::process::Pid::from_raw)
        {
            rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
        }
        let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(report["error"]["code"], code, "{what}: {run}");
        assert!(
            sandbox.lane_path("x").join("work").exists(),
            "{what}: {run}"
        );
        run.fails(1);
    }
}

const LOCK: &str = "touch \"$(git rev-parse --git-dir)/index.lock\"";
const HEAD_LOCK: &str = "touch \"$(git rev-parse --git-dir)/HEAD.lock\"";

/// Nothing moves what another program has made, also where that is said only now.
#[test]
fn a_lane_that_is_said_to_be_adopted_while_a_question_is_open_stays() {
    let (sandbox, _) = lane_with("true");
    let path = sandbox.lane_path("x");
    write(&path.join("new"), "x");
    let Some(mut terminal) = Terminal::new(&sandbox, "git-lane drop x") else {
        return;
    };
    wait_until(|| terminal.said().contains("Drop it?"));
    sandbox.git(["config", "lane.x.adopted", "true"]);
    terminal.answer("y");
    terminal.answer("\r");
    assert_eq!(terminal.child.wait().unwrap().code(), Some(1));
    let said = terminal.said();
    assert!(
        said.contains("git-lane never moves what it has not made"),
        "{said}"
    );
    assert!(path.join("new").exists());
    sandbox.nothing_left_behind(0);
}
