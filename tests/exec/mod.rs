//! `git lane exec`: commands in lanes, what they are given, how they end, and what is told of them.

mod caps;
mod ends;
mod interrupted;
mod leftovers;
mod output;

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Sandbox, executable, wait_until, write};

/// A repository with lanes, in which a test that fails leaves no command running.
struct Shop(Sandbox);

impl std::ops::Deref for Shop {
    type Target = Sandbox;

    fn deref(&self) -> &Sandbox {
        &self.0
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = self.0.lane(["exec", "--all", "--", "true"]);
        }
    }
}

/// A repository with these lanes.
fn with_lanes(names: &[&str]) -> Shop {
    let sandbox = Sandbox::new();
    let start = ["start"].iter().chain(names);
    sandbox.lane(start).ok();
    Shop(sandbox)
}

/// Runs it with `--json`; the document, and the exit code.
#[track_caller]
fn document(sandbox: &Sandbox, args: &[&str]) -> (Value, i32) {
    let run = sandbox.lane(["exec", "--json"].iter().chain(args));
    let document = serde_json::from_str(&run.stdout);
    (
        document.unwrap_or_else(|error| panic!("{error}: {run}")),
        run.code,
    )
}

/// The lanes of a document with the verdict of each.
fn verdicts(document: &Value) -> Vec<(&str, &str)> {
    let lanes = document["lanes"].as_array().unwrap().iter();
    let words = |lane: &'_ Value| {
        let word = |field: &str| lane[field].as_str().unwrap().to_owned();
        (word("lane"), word("verdict"))
    };
    lanes
        .map(words)
        .map(|(lane, verdict)| (&*lane.leak(), &*verdict.leak()))
        .collect()
}

/// One that goes on while a test does something; ended with the test.
struct Another(Child);

impl Another {
    fn start(sandbox: &Sandbox, args: &[&str]) -> Self {
        Self::of(sandbox.command("git-lane").args(["exec"]).args(args))
    }

    fn of(command: &mut Command) -> Self {
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped());
        Another(command.stderr(Stdio::piped()).spawn().unwrap())
    }

    fn signal(&self, name: &str) {
        signal(name, self.0.id().cast_signed());
    }

    /// How it ended, as a shell says it, and what it said.
    fn ended(mut self) -> (i32, String) {
        use std::io::Read;
        use std::os::unix::process::ExitStatusExt;
        let mut said = String::new();
        let mut out = self.0.stdout.take().unwrap();
        out.read_to_string(&mut said).unwrap();
        let mut err = self.0.stderr.take().unwrap();
        err.read_to_string(&mut said).unwrap();
        let status = self.0.wait().unwrap();
        let code = status.code().or(status.signal().map(|signal| 128 + signal));
        (code.unwrap(), said)
    }
}

/// What it runs ends with it.
impl Drop for Another {
    fn drop(&mut self) {
        let started = Instant::now();
        while let Ok(None) = self.0.try_wait() {
            self.signal("TERM");
            std::thread::sleep(Duration::from_millis(500));
            if started.elapsed() > Duration::from_secs(10) {
                drop(self.0.kill().and_then(|()| self.0.wait()));
            }
        }
    }
}

fn signal(name: &str, process: i32) {
    let mut kill = Command::new("kill");
    let arguments = [format!("-{name}"), "--".into(), process.to_string()];
    let _ = kill.args(arguments).stderr(Stdio::null()).status();
}

/// Whether a process has not ended.
fn lives(process: i32) -> bool {
    let mut ps = Command::new("ps");
    let said = ps.args(["-o", "stat=", "-p", &process.to_string()]);
    let state = said.output().unwrap().stdout;
    !state.is_empty() && !state.starts_with(b"Z")
}

/// The number that a command wrote into a file of its lane.
fn number(sandbox: &Sandbox, lane: &str, file: &str) -> i32 {
    let path = sandbox.lane_path(lane).join(file);
    let read = || std::fs::read_to_string(&path).unwrap_or_default();
    wait_until(|| read().ends_with('\n'));
    read().trim().parse().unwrap()
}

#[test]
fn a_command_knows_its_lane() {
    let sandbox = Sandbox::new();
    let mut start = sandbox.command("git-lane");
    let start = start.args([
        "start",
        "login",
        "--task",
        "T-1: \"a b\"",
        "--owner",
        "claude:1",
    ]);
    sandbox.run(start).ok();
    let tip = sandbox.git(["rev-parse", "HEAD"]);
    sandbox
        .lane(["start", "probe", "--detach", "--base", &tip])
        .ok();
    let print = "pwd; env | grep ^GIT_LANE_ | grep -v _RUN= | sort";
    let mut exec = sandbox.command("git-lane");
    let exec = exec.args(["exec", "-j1", "login", "probe", "--", "sh", "-c", print]);
    // Facts of another lane, as a command has them that runs git lane exec itself.
    let facts = ["TASK", "BRANCH", "BASE", "SET_RATE"];
    for fact in facts {
        exec.env(format!("GIT_LANE_{fact}"), "another's");
    }
    exec.env("GIT_LANE_CLAIM", "token")
        .env("GIT_DIR", sandbox.repo.join(".git"));
    let said = sandbox.run(exec.current_dir(sandbox.root())).ok();
    let (login, probe) = (sandbox.lane_path("login"), sandbox.lane_path("probe"));
    let of_login = [
        format!("{}", login.display()),
        "GIT_LANE_BASE=main".into(),
        "GIT_LANE_BRANCH=login".into(),
        "GIT_LANE_CLAIM=token".into(),
        "GIT_LANE_NAME=login".into(),
        "GIT_LANE_OWNER=claude:1".into(),
        format!("GIT_LANE_PATH={}", login.display()),
        "GIT_LANE_TASK=T-1: \"a b\"".into(),
    ];
    let of_probe = [
        format!("{}", probe.display()),
        "GIT_LANE_CLAIM=token".into(),
        "GIT_LANE_NAME=probe".into(),
        "GIT_LANE_OWNER=tester".into(),
        format!("GIT_LANE_PATH={}", probe.display()),
    ];
    let lines = |name: &str, of: &[String]| {
        let lines = of.iter().map(|line| format!("{name} | {line}\n"));
        lines.collect::<String>()
    };
    let expected = lines("login", &of_login) + &lines("probe", &of_probe);
    assert_eq!(said, expected);
}

#[test]
fn no_shell_reads_the_words() {
    let sandbox = with_lanes(&["login"]);
    executable(
        &sandbox.root().join("bin/words"),
        "#!/bin/sh\nprintf '<%s>' \"$@\"; cat; echo\n",
    );
    let words = ["$HOME", "*", "a  b", "", "-n", "--", "'\"", "a\nb;c"];
    let exec = ["exec", "login", "--", "words"].iter().chain(&words);
    let said = sandbox.lane(exec).ok();
    let expected = "login | <$HOME><*><a  b><><-n><--><'\"><a\nlogin | b;c>\n";
    assert_eq!(said, expected);
    let line = "echo \"$GIT_LANE_NAME $((1 + 1))\" | tr a-z A-Z; exit 3";
    let run = sandbox.lane(["exec", "login", "--shell", "--", line]);
    assert_eq!(run.stdout, "login | LOGIN 2\n");
    run.fails(6);
    // What is in the lane can be run by its path there.
    executable(&sandbox.lane_path("login").join("own"), "#!/bin/sh\npwd\n");
    let own = sandbox.lane_path("login").display().to_string();
    let said = sandbox.lane(["exec", "login", "--", "./own"]).ok();
    assert_eq!(said, format!("login | {own}\n"));
}

#[test]
fn what_cannot_be_meant_is_a_usage_error() {
    let sandbox = with_lanes(&["login"]);
    for args in [
        &["login"][..],
        &["login", "true"],
        &["login", "--"],
        &["login", "--", "-x"],
        &["login", "--", ""],
        &["--", "true"],
        &["--all", "login", "--", "true"],
        &["login", "--shell", "--", "echo", "a"],
        &["login", "-j", "0", "--", "true"],
        &["login", "--cap", "a", "--", "true"],
        &["login", "--cap", "a=0", "--", "true"],
        &["login", "--cap", "../a=1", "--", "true"],
        &["login", "--cap", "a=1", "--cap", "a=2", "--", "true"],
        &["login", "--timeout", "soon", "--", "true"],
        &["--status", "idle", "--", "true"],
    ] {
        let run = sandbox.lane(["exec"].iter().chain(args));
        assert_eq!(run.stdout, "", "{run}");
        run.fails(2);
    }
}

#[test]
fn each_lane_has_a_verdict() {
    let sandbox = with_lanes(&["bad", "dies", "good"]);
    let script = "echo \"said by $GIT_LANE_NAME\"
        case $GIT_LANE_NAME in bad) exit 3 ;; dies) kill -KILL $$ ;; esac";
    let (document, code) = document(&sandbox, &["--all", "--", "sh", "-c", script]);
    assert_eq!(code, 6);
    let expected = [
        ("bad", "command-failed"),
        ("dies", "command-failed"),
        ("good", "succeeded"),
    ];
    let mut found = verdicts(&document);
    found.sort_unstable();
    assert_eq!(found, expected);
    let lane = |name: &str| {
        let mut all = document["lanes"].as_array().unwrap().iter();
        all.find(|lane| lane["lane"] == name).unwrap()
    };
    for (name, exit, signal) in [
        ("bad", Value::from(3), Value::Null),
        ("dies", Value::Null, 9.into()),
        ("good", 0.into(), Value::Null),
    ] {
        let lane = lane(name);
        assert_eq!(
            (&lane["exitCode"], &lane["signal"]),
            (&exit, &signal),
            "{lane}"
        );
        assert_eq!(lane["said"], serde_json::json!([format!("said by {name}")]));
        let log = std::fs::read_to_string(lane["log"].as_str().unwrap()).unwrap();
        assert_eq!(log, format!("said by {name}\n"));
        assert!(lane["seconds"].as_f64().unwrap() < 60.0, "{lane}");
        assert_eq!(lane["error"].is_null(), name == "good", "{lane}");
    }
    let error = &document["error"];
    assert_eq!(
        (&error["kind"], &error["code"]),
        (&"gate".into(), &"command-failed".into())
    );
}

#[test]
fn the_failure_of_the_only_lane_is_that_of_the_command() {
    let sandbox = with_lanes(&["login"]);
    let (document, code) = document(&sandbox, &["login", "--", "false"]);
    assert_eq!(
        (code, verdicts(&document)),
        (6, vec![("login", "command-failed")])
    );
    assert_eq!(document["lanes"][0]["error"], document["error"]);
    let run = sandbox.lane(["exec", "login", "--", "no-such-program"]);
    assert!(run.stdout.contains("not found"), "{run}");
    let said = run.fails(6);
    let begin = "error: the command failed in lane 'login' with exit code 127\nhint: ";
    assert!(
        said.starts_with(begin) && said.lines().count() == 2,
        "{said}"
    );
    // The hint can be pasted.
    let (_, hint) = said.trim_end().split_once("with: less").unwrap();
    assert!(sandbox.sh(&format!("cat{hint}")).ok().contains("not found"));
}

#[test]
fn lanes_are_chosen_by_name_owner_and_status() {
    let sandbox = Sandbox::new();
    for (name, owner, status) in [
        ("a", "ann", Some("ready")),
        ("b", "claude:1", Some("blocked")),
        ("c", "claude:2", None),
    ] {
        sandbox.lane(["start", name, "--owner", owner]).ok();
        if let Some(status) = status {
            sandbox.lane(["mark", name, status, "--owner", owner]).ok();
        }
    }
    for (args, expected) in [
        (&["--all"][..], "abc"),
        (&["b", "a", "b"], "ab"),
        (&["--owner", "claude:*"], "bc"),
        (&["--owner", "ann", "--all"], "a"),
        (&["--status", "ready"], "a"),
        (&["--status", "ready", "--status", "blocked"], "ab"),
        (&["--status", "blocked", "--owner", "ann"], ""),
        (&["--owner", "nobody"], ""),
    ] {
        let args: Vec<&str> = args.iter().copied().chain(["--", "true"]).collect();
        let (document, code) = document(&sandbox, &args);
        let mut names: Vec<&str> = verdicts(&document).iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        assert_eq!((names.concat().as_str(), code), (expected, 0), "{args:?}");
    }
    let here = sandbox.lane_path("c");
    let said = sandbox.lane_in(&here, ["exec", "--", "echo", "here"]).ok();
    assert_eq!(said, "c | here\n");
    let run = sandbox.lane(["exec", "--owner", "nobody", "--", "true"]);
    assert!(run.stderr.contains("no lane is meant"), "{run}");
}

/// Others go on.
#[test]
fn a_lane_that_nothing_may_run_in_is_refused_with_its_verdict() {
    let sandbox = with_lanes(&["held", "gone", "damaged", "free"]);
    sandbox.lane(["claim", "held", "--owner", "ann"]).ok();
    std::fs::remove_dir_all(sandbox.lane_path("gone")).unwrap();
    write(
        &sandbox.lane_path("damaged").join(".git"),
        "gitdir: /nowhere\n",
    );
    let names = ["held", "gone", "nobody", "damaged", "free"];
    let args: Vec<&str> = names.into_iter().chain(["--", "touch", "ran"]).collect();
    let (found, code) = document(&sandbox, &args);
    let mut found = verdicts(&found);
    found.sort_unstable();
    assert_eq!(code, 1);
    assert_eq!(
        found,
        [
            ("damaged", "worktree-gone"),
            ("free", "succeeded"),
            ("gone", "worktree-gone"),
            ("held", "claimed"),
            ("nobody", "no-such-lane"),
        ]
    );
    assert!(sandbox.lane_path("free").join("ran").exists());
    assert!(!sandbox.lane_path("held").join("ran").exists());
    // A command that fails is worse.
    let (_, code) = document(&sandbox, &["held", "free", "--", "false"]);
    assert_eq!(code, 6);
    // The holder may.
    let script = "eval \"$(git lane claim held --owner ann --take-over)\"
        git lane exec held -- echo mine";
    assert_eq!(sandbox.sh(script).ok(), "held | mine\n");
}

/// It may wait for its turn for long.
#[test]
fn a_lane_is_looked_at_when_its_command_begins() {
    let sandbox = with_lanes(&["a", "b", "c", "d"]);
    let script = "[ $GIT_LANE_NAME = a ] || { touch ran; exit 0; }
        cd ../../shop && git lane claim b --owner ann >/dev/null 2>&1 &&
        git lane drop --yes c >/dev/null 2>&1 && git lane start c >/dev/null 2>&1 &&
        rm -rf ../shop.lanes/d";
    let args = ["-j1", "a", "b", "c", "d", "--", "sh", "-c", script];
    let (document, code) = document(&sandbox, &args);
    assert_eq!(code, 1);
    let expected = [
        ("a", "succeeded"),
        ("b", "claimed"),
        ("c", "raced"),
        ("d", "worktree-gone"),
    ];
    assert_eq!(verdicts(&document), expected);
    assert!(!sandbox.lane_path("b").join("ran").exists());
}

/// It is the user's own git, and no part of git-lane's work.
#[test]
fn the_rule_holds_for_a_git_that_is_run() {
    let sandbox = with_lanes(&["login"]);
    sandbox.lane(["init"]).ok();
    let place = sandbox.lane_path("login");
    for command in [
        &["--", "git", "switch", "-q", "-c", "other"][..],
        &["--shell", "--", "git switch -q -c other"],
        &["--", "sh", "-c", "git switch -q -c other; true"],
    ] {
        let run = sandbox.lane(["exec", "login"].iter().chain(command));
        assert!(run.stdout.contains("login"), "{run}");
        let head = sandbox.git_in(&place, ["symbolic-ref", "--short", "HEAD"]);
        assert_eq!(head, "login", "{run}");
        let _ = sandbox.sh("git branch -D other");
    }
    // What a git-lane below it does is git-lane's own.
    let nested = ["exec", "login", "--", "git-lane", "start", "second"];
    sandbox.lane(nested).ok();
    sandbox.work("second", "file", "work");
    let nested = ["exec", "login", "--", "git-lane", "finish", "second"];
    sandbox.lane(nested).ok();
}
