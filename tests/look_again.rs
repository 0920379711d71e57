//! What comes into a lane after the decision and before the lane leaves: it stays, whatever command was at it and whatever
//! it waited for.

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::sandbox::{Run, Sandbox, write};

/// What a user, or the user's program, does in lane `x` meanwhile, as a script that runs there; the word for it that the
/// refusal has; whether a look at the files and commits shows it.
const CHANGES: [(&str, &str, &str); 16] = [
    ("untracked", "echo gold >precious", "unsettled"),
    ("untracked directory", "mkdir d; echo gold >d/precious", "unsettled"),
    ("modified", "echo gold >>README", "unsettled"),
    ("deleted", "rm README", "unsettled"),
    ("staged", "echo gold >precious; git add precious", "unsettled"),
    ("staged and gone", "echo gold >precious; git add precious; rm precious", "unsettled"),
    ("assume-unchanged", "git update-index --assume-unchanged README; echo gold >>README", "unsettled"),
    ("skip-worktree", "git update-index --skip-worktree README; echo gold >>README", "unsettled"),
    ("bisect", "git bisect start -q 2>/dev/null || git bisect start >/dev/null", "unsettled"),
    (
        "cherry-pick",
        "git rev-parse HEAD >.git-pick; mv .git-pick \"$(git rev-parse --git-dir)/CHERRY_PICK_HEAD\"",
        "unsettled",
    ),
    ("commit", "echo gold >precious; git add .; git commit -q -m gold", "raced"),
    ("other branch", "git checkout -q -b elsewhere", "unsettled"),
    ("detached commit", "git checkout -q --detach; git commit -q --allow-empty -m gold", "unsettled"),
    (
        "commit of no branch",
        "git checkout -q --detach; git commit -q --allow-empty -m gold; git checkout -q x",
        "unsettled",
    ),
    ("locked", "git worktree lock --reason mine .", "worktree-locked"),
    (
        "nested worktree",
        "echo /in >>\"$(git rev-parse --git-common-dir)/info/exclude\"; git worktree add -q --detach in",
        "nested",
    ),
];

fn script(path: &Path, text: &str) {
    write(path, format!("#!/bin/sh\n{text}\n"));
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// A repository with lane `x`, one commit ahead, and a program that makes `change` in it, once.
fn lane_with(change: &str) -> (Sandbox, PathBuf) {
    let sandbox = Sandbox::new();
    let lane = sandbox.lane_by_git("x");
    sandbox.work("x", "work", "work");
    let program = sandbox.root().join("meanwhile");
    let (unset, once) =
        ("unset $(git rev-parse --local-env-vars); export GIT_EDITOR=true", sandbox.root().join("once"));
    let (lane_text, once) = (lane.display(), once.display());
    script(
        &program,
        &format!("mkdir {once} 2>/dev/null || exit 0\n{unset}\ncd {lane_text} || exit 1\n{change}\nexit 0"),
    );
    (sandbox, program)
}

/// Lane `x` is whole, and the change in it too.
#[track_caller]
fn stays(sandbox: &Sandbox, run: Run, code: &str, what: &str) -> Run {
    assert!(sandbox.lane_path("x").join("work").exists(), "{what}: {run}");
    assert_eq!(sandbox.git(["branch", "--list", "--format=%(refname:short)", "x"]), "x", "{what}: {run}");
    assert!(sandbox.root().join("once").exists(), "{what}: never happened: {run}");
    let trash = sandbox.lane(["--json", "trash"]).json();
    assert_eq!(trash["trash"], serde_json::json!([]), "{what}: {run}");
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap_or_default();
    if !report.is_null() {
        let refused = report["error"]["code"].as_str().or(report["kept"][0]["code"].as_str());
        assert_eq!(refused, Some(code), "{what}: {run}");
    }
    sandbox.nothing_left_behind(0);
    run
}

fn main_at(sandbox: &Sandbox) -> String {
    sandbox.git(["rev-parse", "main"])
}

#[test]
fn while_the_editor_of_a_landing_is_open() {
    for (what, change, _) in CHANGES {
        let (sandbox, program) = lane_with(change);
        let before = main_at(&sandbox);
        let mut command = sandbox.command("git-lane");
        command.args(["finish", "x", "--edit"]).env("GIT_EDITOR", &program);
        let run = stays(&sandbox, sandbox.run(&mut command), "", what);
        let landed = main_at(&sandbox) != before;
        // What a lock or another worktree protects has landed; what is not settled has not.
        assert_eq!(landed, ["locked", "nested worktree", "commit of no branch"].contains(&what), "{what}: {run}");
        let said = run.fails(1);
        assert!(said.contains(if landed { "the lane itself is left" } else { "nothing has landed" }), "{what}: {said}");
    }
}

#[test]
fn while_a_hook_of_a_landing_runs() {
    for hook in ["pre-merge-commit", "commit-msg", "prepare-commit-msg", "post-merge"] {
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
        script(&hook, &format!("touch {begun_text}; while ! [ -e {go_text} ]; do sleep 0.02; done"));
        let start = |args: &[&str]| {
            let mut command = sandbox.command("git-lane");
            command.args(args).stdout(Stdio::piped()).stderr(Stdio::piped());
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
        let report: serde_json::Value = serde_json::from_str(&stdout).unwrap();
        assert_eq!(report["error"]["code"], code, "{what}: {stdout}");
        assert!(sandbox.lane_path("x").exists() && !sandbox.repo.join("work").exists(), "{what}: {stdout}");
    }
}

fn wait_until(happened: impl Fn() -> bool) {
    let start = Instant::now();
    while !happened() {
        assert!(start.elapsed() < Duration::from_secs(60), "never happened");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// git-lane on a terminal of its own, by script(1); what it has said so far.
struct Terminal {
    child: Child,
    said: std::sync::Arc<std::sync::Mutex<Vec<u8>>>,
}

impl Terminal {
    fn new(sandbox: &Sandbox, line: &str) -> Option<Self> {
        if !Path::new("/usr/bin/script").exists() {
            eprintln!("skipped: there is no script(1)");
            return None;
        }
        let mut command = sandbox.command("/usr/bin/script");
        command.args(["-qec", line, "/dev/null"]).env("TERM", "xterm").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let said = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let (mut output, heard) = (child.stdout.take().unwrap(), said.clone());
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(read @ 1..) = output.read(&mut bytes) {
                heard.lock().unwrap().extend_from_slice(&bytes[..read]);
            }
        });
        Some(Terminal { child, said })
    }

    fn said(&self) -> String {
        String::from_utf8_lossy(&self.said.lock().unwrap()).into_owned()
    }

    fn answer(&mut self, keys: &str) {
        // The first key may have been enough.
        let _ = self.child.stdin.as_mut().unwrap().write_all(keys.as_bytes());
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn while_a_question_is_open() {
    // The question of drop needs something to ask about.
    let questions: [(&str, &str, &[&str], &str); 2] = [
        ("prune", "git merge -q --no-edit x", &[" ", "\r"], "Which shall go"),
        ("drop x", "true", &["y", "\r"], "Drop it?"),
    ];
    for (verb, prepare, keys, question) in questions {
        for (what, change, code) in CHANGES {
            let (sandbox, program) = lane_with(change);
            sandbox.run(sandbox.command("sh").args(["-c", prepare])).ok();
            let Some(mut terminal) = Terminal::new(&sandbox, &format!("git-lane {verb}")) else { return };
            wait_until(|| terminal.said().contains(question));
            sandbox.run(sandbox.command("sh").arg(&program)).ok();
            keys.iter().for_each(|keys| terminal.answer(keys));
            let ended = terminal.child.wait().unwrap();
            let said = terminal.said();
            let run = sandbox.lane(["list"]);
            stays(&sandbox, run, code, &format!("{verb}, {what}: {said}")).ok();
            assert_eq!(ended.code(), Some(i32::from(verb != "prune")), "{verb}, {what}: {said}");
        }
    }
}

/// What was there and was agreed to is no news.
#[test]
fn what_the_user_has_seen_goes() {
    let (sandbox, _) = lane_with("true");
    write(&sandbox.lane_path("x").join("new"), "x");
    let Some(mut terminal) = Terminal::new(&sandbox, "git-lane drop x") else { return };
    wait_until(|| terminal.said().contains("Drop it?"));
    terminal.answer("y");
    terminal.answer("\r");
    assert!(terminal.child.wait().unwrap().success(), "{}", terminal.said());
    let trash = sandbox.lane(["--json", "trash"]).json();
    assert_eq!(trash["trash"][0]["holds"][0]["code"], "untracked", "{trash}");
    sandbox.nothing_left_behind(1);
}

#[test]
fn what_a_commit_of_ours_or_its_hooks_leave_behind() {
    let hooks = [
        ("pre-commit", "echo gold >>README"),
        ("pre-commit", "echo gold >report"),
        ("pre-commit", "echo gold >report; git add report; echo more >>report"),
        ("prepare-commit-msg", "echo gold >report"),
        ("commit-msg", "echo gold >report"),
        ("post-commit", "echo gold >report; git add report"),
        ("post-commit", "git update-index --skip-worktree README; echo gold >>README"),
        ("", "git update-index --skip-worktree README; echo gold >>README"),
        ("", "git update-index --assume-unchanged README; echo gold >>README"),
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
    sandbox.lane(["finish", "x", "--commit", "all", "--strategy", "ff"]).ok();
    assert!(sandbox.repo.join("report").exists());
}

/// A process that came, and a git at work.
#[test]
fn who_came_meanwhile() {
    let sleeper = "sleep 60 >/dev/null 2>&1 & echo $! >../sleeper";
    for (what, change, code) in
        [("process", sleeper, "busy"), ("index.lock", LOCK, "locked"), ("HEAD.lock", HEAD_LOCK, "locked")]
    {
        let (sandbox, program) = lane_with(change);
        std::fs::copy(&program, sandbox.repo.join(".git/hooks/post-merge")).unwrap();
        let run = sandbox.lane(["--json", "finish", "x"]);
        let pid = std::fs::read_to_string(sandbox.root().join("shop.lanes/sleeper")).unwrap_or_default();
        if let Some(pid) = pid.trim().parse().ok().and_then(rustix::process::Pid::from_raw) {
            rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
        }
        let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(report["error"]["code"], code, "{what}: {run}");
        assert!(sandbox.lane_path("x").join("work").exists(), "{what}: {run}");
        run.fails(1);
    }
}

const LOCK: &str = "touch \"$(git rev-parse --git-dir)/index.lock\"";
const HEAD_LOCK: &str = "touch \"$(git rev-parse --git-dir)/HEAD.lock\"";

/// A lock that is given back in time is waited for, and one that is not goes with --force.
#[test]
fn a_git_at_work_is_waited_for() {
    for force in [false, true] {
        let (sandbox, _) = lane_with("true");
        let lock = sandbox.admin(&sandbox.lane_path("x")).join("index.lock");
        write(&lock, "");
        let releaser = std::thread::spawn({
            let lock = lock.clone();
            move || {
                std::thread::sleep(Duration::from_millis(if force { 5_000 } else { 1_000 }));
                drop(std::fs::remove_file(lock));
            }
        });
        let start = Instant::now();
        sandbox.lane(["drop", "x", if force { "--force" } else { "--yes" }]).ok();
        assert!(force || start.elapsed() > Duration::from_millis(900));
        releaser.join().unwrap();
        sandbox.nothing_left_behind(1);
    }
}

/// `--commit` waits for the git of an editor that looks at the lane every few seconds.
#[test]
fn a_commit_of_ours_waits_for_the_index() {
    let (sandbox, _) = lane_with("true");
    write(&sandbox.lane_path("x").join("new"), "new");
    let lock = sandbox.admin(&sandbox.lane_path("x")).join("index.lock");
    write(&lock, "");
    let refused = sandbox.lane(["finish", "x", "--commit", "all"]).fails(1);
    assert!(refused.contains("index.lock") && refused.contains("rm "), "{refused}");
    std::fs::File::options().write(true).open(&lock).unwrap().set_modified(std::time::SystemTime::now()).unwrap();
    let releaser = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(700));
        std::fs::remove_file(lock).unwrap();
    });
    sandbox.lane(["finish", "x", "--commit", "all"]).ok();
    releaser.join().unwrap();
    assert!(sandbox.repo.join("new").exists());
}

/// The base moved back after the landing: the work is nowhere but in the lane.
#[test]
fn a_base_that_was_reset_meanwhile() {
    for strategy in ["merge", "squash", "rebase"] {
        let sandbox = Sandbox::new();
        sandbox.lane_by_git("x");
        sandbox.work("x", "work", "work");
        sandbox.write("other", "other");
        sandbox.commit("other");
        let hook = if strategy == "squash" { "post-commit" } else { "post-merge" };
        let reset = "unset $(git rev-parse --local-env-vars); git update-ref refs/heads/main main~1";
        script(&sandbox.repo.join(".git/hooks").join(hook), reset);
        let run = sandbox.lane(["--json", "finish", "x", "--strategy", strategy]);
        let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(report["error"]["code"], "raced", "{strategy}: {run}");
        assert!(sandbox.lane_path("x").join("work").exists(), "{strategy}: {run}");
        assert_eq!(sandbox.git(["branch", "--list", "x"]).trim_start_matches(['+', ' ']), "x");
    }
}
