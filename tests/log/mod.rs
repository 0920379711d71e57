//! `git lane log`: what is told of every operation, to whom, and that telling never gets in the
//! way.

mod lines;
mod pager;

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::support::{Sandbox, checked_event};

impl Sandbox {
    /// The events of `git lane log` with `args`.
    fn events(&self, args: &[&str]) -> Vec<Value> {
        let document = self.lane([&["log", "--json"], args].concat()).json();
        document["events"].as_array().unwrap().clone()
    }
}

/// `start before`, `start after`, …
fn told(events: &[Value]) -> Vec<String> {
    events
        .iter()
        .map(|e| {
            format!(
                "{} {}",
                e["what"].as_str().unwrap(),
                e["phase"].as_str().unwrap()
            )
        })
        .collect()
}

#[test]
fn every_operation_is_told_with_its_lane_actor_and_commits() {
    let sandbox = Sandbox::new();
    let main = sandbox.git(["rev-parse", "main"]);
    let run = |args: &[&str]| {
        let mut command = sandbox.command("git-lane");
        let _ = sandbox
            .run(command.args(args).env("GIT_LANE_OWNER", "claude:7f3a"))
            .ok();
    };
    run(&["start", "login", "other"]);
    let id = sandbox.git(["config", "lane.login.id"]);
    let tip = sandbox.work("login", "new.txt", "new\n");
    run(&["finish", "login"]);
    run(&["restore", "login"]);
    run(&["drop", "--yes", "login"]);

    let events = sandbox.events(&[]);
    let numbers: Vec<u64> = events
        .iter()
        .map(|event| event["sequence"].as_u64().unwrap())
        .collect();
    assert_eq!(numbers, (1..=12).collect::<Vec<_>>());
    let login = sandbox.events(&["login"]);
    let wanted = ["start", "land", "finish", "restore", "drop"];
    let wanted: Vec<String> = wanted
        .iter()
        .flat_map(|w| [format!("{w} before"), format!("{w} after")])
        .collect();
    assert_eq!(told(&login), wanted);
    assert_eq!(login, sandbox.events(&[&id]));
    for pair in login.chunks(2) {
        assert_eq!(pair[0]["operation"], pair[1]["operation"]);
        for event in pair {
            assert_eq!(
                (&event["laneId"], &event["actor"]["owner"]),
                (&id.as_str().into(), &"claude:7f3a".into())
            );
            assert_eq!(event["base"], "refs/heads/main");
            assert!(event["actor"]["pid"].as_u64().unwrap() > 1);
            assert!(
                event["time"].as_str().unwrap().ends_with('Z')
                    && event["time"].as_str().unwrap().len() == 24
            );
        }
    }
    let landed = &login[3];
    let merged = sandbox.git(["rev-parse", "main"]);
    assert_eq!(
        (&landed["baseCommit"], &landed["result"]),
        (&main.into(), &merged.into())
    );
    assert_eq!(login[5]["result"], tip.as_str());
    assert_eq!(login[5]["trash"], login[7]["trash"]);
    assert_eq!(sandbox.events(&["-n", "1"])[0]["what"], "drop");
}

#[test]
fn a_failure_is_told_and_so_is_healing() {
    let sandbox = Sandbox::new();
    let _ = sandbox.lane(["start", "login"]).ok();
    sandbox.work("login", "README", "lane\n");
    sandbox.write("README", "main\n");
    sandbox.commit("main");
    let _ = sandbox.lane(["finish", "login"]).fails(3);
    let last = sandbox.events(&["-n", "1"]).remove(0);
    assert_eq!(
        (&last["what"], &last["phase"]),
        (&"land".into(), &"failed".into())
    );
    assert_eq!(last["problem"]["code"], "conflict");

    let _ = sandbox.dying(4, ["start", "second"]).fails(128 + 9);
    let _ = sandbox.lane(["start", "second"]).ok();
    let second = told(&sandbox.events(&["second"]));
    assert_eq!(
        second,
        [
            "start before",
            "heal before",
            "heal after",
            "start before",
            "start after"
        ]
    );
}

#[test]
fn a_log_that_cannot_be_written_costs_one_warning() {
    let sandbox = Sandbox::new();
    std::fs::create_dir_all(sandbox.repo.join(".git/lane")).unwrap();
    // What is no file there would be moved away; another process's turn that never ends cannot be.
    let turn = std::fs::File::create(sandbox.repo.join(".git/lane/events.lock")).unwrap();
    turn.lock().unwrap();
    let run = sandbox.lane(["start", "login"]);
    assert_eq!(run.stderr.matches("warning:").count(), 1, "{run}");
    assert!(run.stderr.contains("event log"), "{run}");
    let _ = run.ok();
}

#[test]
fn where_nothing_is_it_is_said_of_what() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.lane(["log"]).ok(), "nothing has happened yet\n");
    sandbox.lane(["start", "login"]).ok();
    for (args, text) in [
        (
            &["log", "nosuch"] as &[&str],
            "nothing of lane 'nosuch' has happened yet",
        ),
        (
            &["log", "login", "--since", "2999-01-01"],
            "nothing of lane 'login' has happened since 2999-01-01T00:00:00.000Z",
        ),
        (
            &["log", "--summary", "nosuch"],
            "nothing of lane 'nosuch' has landed or tried to yet",
        ),
    ] {
        assert_eq!(sandbox.lane(args).ok().trim_end(), text);
    }
}

#[test]
fn reading_writes_nothing() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.events(&[]), Vec::<Value>::new());
    assert!(!sandbox.repo.join(".git/lane").exists());
    let _ = sandbox.lane(["start", "login"]).ok();
    sandbox.git(["config", "alias.locked", "!chmod -R a-w .git"]);
    sandbox.git(["locked"]);
    assert_eq!(sandbox.events(&[]).len(), 2);
    let mut restore = sandbox.command("chmod");
    let _ = sandbox.run(restore.args(["-R", "u+w", ".git"])).ok();
}

#[test]
fn following_shows_what_happens_until_nobody_reads() {
    let sandbox = Sandbox::new();
    let _ = sandbox.lane(["start", "before"]).ok();
    let mut command = sandbox.command("git-lane");
    command
        .args(["log", "--follow", "--json", "-n", "0"])
        .stdout(Stdio::piped());
    let mut follower = command.spawn().unwrap();
    let mut lines = BufReader::new(follower.stdout.take().unwrap()).lines();
    let wait = std::time::Duration::from_millis(300);
    std::thread::sleep(wait);
    let _ = sandbox.lane(["start", "login"]).ok();
    for phase in ["before", "after"] {
        let event = checked_event(&lines.next().unwrap().unwrap());
        assert_eq!(
            (&event["lane"], &event["phase"]),
            (&"login".into(), &phase.into())
        );
    }
    drop(lines);
    std::thread::sleep(wait);
    let _ = sandbox.lane(["drop", "login"]).ok();
    assert!(follower.wait().unwrap().success());
}
