//! Many lanes from a task file: what it says, what is wrong with it, and what becomes of the others where one
//! cannot be made.

use super::*;
use crate::support::age_all;

/// A task file beside the repository.
fn tasks(sandbox: &Sandbox, text: &str) {
    write(&sandbox.root().join("tasks"), text);
}

fn names(report: &serde_json::Value) -> Vec<(&str, bool)> {
    let lanes = report["lanes"].as_array().unwrap().iter();
    let name = |lane: &serde_json::Value| lane["lane"].as_str().map(str::to_owned);
    assert!(lanes.clone().all(|lane| name(lane).is_some()), "{report}");
    lanes
        .map(|lane| (lane["lane"].as_str().unwrap(), lane["created"] == true))
        .collect()
}

#[test]
fn a_task_file_in_either_language_starts_its_lanes() {
    let json = r#"{"name":"one","task":"T-1","owner":"ann","base":"next","claim":true}
{"name":"two","branch":"work/two","set":{"rate":0.5,"big":true}}

{"name":"three","sparse":["src"]}
{"name":"four","readOnly":true,"path":"../elsewhere"}
"#;
    let toml = r#"
[[lane]]
name = "one"
task = "T-1"
owner = "ann"
base = "next"
claim = true
[[lane]]
name = "two"
branch = "work/two"
set = { rate = 0.5, big = true }
[[lane]]
name = "three"
sparse = ["src"]
[[lane]]
name = "four"
read-only = true
path = "../elsewhere"
"#;
    for (text, from_input) in [(json, false), (toml, false), (json, true)] {
        let sandbox = Sandbox::new();
        sandbox.git(["branch", "next"]);
        tasks(&sandbox, text);
        let start = match from_input {
            true => "git-lane start --from - --task D --json <../tasks",
            false => "git-lane start --from ../tasks --task D --json",
        };
        let report = sandbox.sh(start).json();
        let all = [
            ("one", true),
            ("two", true),
            ("three", true),
            ("four", true),
        ];
        assert_eq!(names(&report), all);
        let [one, two, four] = [0, 1, 3].map(|at| &report["lanes"][at]);
        assert_eq!((&one["task"], &two["task"]), (&"T-1".into(), &"D".into()));
        assert_eq!(
            (&one["owner"], &one["base"]),
            (&"ann".into(), &"refs/heads/next".into())
        );
        assert_eq!(one["claim"]["holder"], "ann");
        assert_eq!(one["claim"]["token"].as_str().map(str::len), Some(32));
        assert!(two["claim"].is_null());
        assert_eq!(two["branch"], "work/two");
        assert_eq!(
            two["set"],
            serde_json::json!({"rate": "0.5", "big": "true"})
        );
        assert!(sandbox.lane_path("three").join("src").exists());
        assert_eq!(
            (&four["branch"], &four["readOnly"]),
            (&serde_json::Value::Null, &true.into())
        );
        assert!(sandbox.root().join("elsewhere/README").exists());
        assert_eq!(sandbox.git(["config", "lane.two.set"]), "big=true");
        for name in ["one", "three"] {
            assert_whole(&sandbox, name);
        }
        sandbox.git(["fsck", "--strict"]);
        // The same file again: what is there is shown, and a claim is somebody's.
        let again = sandbox
            .lane(["start", "--from", "../tasks", "--task", "D"])
            .fails(1);
        assert!(again.contains("tasks:") && again.contains("lane 'one' is claimed by 'ann'"));
    }
}

#[test]
fn a_file_that_is_started_again_shows_what_is_there_and_makes_what_is_not() {
    let sandbox = Sandbox::new();
    tasks(&sandbox, "{\"name\":\"a\"}\n{\"name\":\"b\"}\n");
    sandbox.lane(["start", "--from", "../tasks"]).ok();
    tasks(
        &sandbox,
        "{\"name\":\"a\"}\n{\"name\":\"c\"}\n{\"name\":\"b\"}\n",
    );
    let report = sandbox
        .lane(["start", "--from", "../tasks", "--json"])
        .json();
    assert_eq!(names(&report), [("a", false), ("c", true), ("b", false)]);
}

#[test]
fn a_mistake_in_the_file_makes_nothing_and_its_line_is_named() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "there", "--task", "T-1"]).ok();
    for (text, options, code, line, part) in [
        ("", &[][..], "bad-task-file", None, "names no lane"),
        (
            "{\"name\":\"a\"}\n{\"name\":\"b\"",
            &[],
            "bad-task-file",
            Some(2),
            "a lane is one line",
        ),
        (
            "{\"name\":\"a\"}\n{\"name\":\"a\"}",
            &[],
            "bad-task-file",
            Some(2),
            "in line 1 already",
        ),
        (
            "[[lane]]\nname=\"a\"\nclam=true",
            &[],
            "bad-task-file",
            Some(3),
            "'claim' is one",
        ),
        (
            "{\"name\":\"a\",\"task\":\"T\"}\n{\"name\":\"b\"}\n{\"name\":\"c\",\"task\":\"T\"}",
            &["--unique"],
            "bad-task-file",
            Some(3),
            "tasks:1) and to lane 'c' (../tasks:3)",
        ),
        // Read, and not possible.
        (
            "{\"name\":\"a\"}\n{\"name\":\"b\",\"base\":\"x\"}",
            &[],
            "no-such-base",
            None,
            "tasks:2: ",
        ),
        (
            "{\"name\":\"a\"}\n{\"name\":\"a/b\"}",
            &[],
            "branch-conflict",
            None,
            "tasks:2: ",
        ),
        (
            "{\"name\":\"a\"}\n{\"name\":\"b\",\"branch\":\"a\"}",
            &[],
            "branch-owned",
            None,
            "tasks:2: branch 'a' belongs to lane 'a'",
        ),
        (
            "{\"name\":\"a\"}\n{\"name\":\"b\",\"path\":\"../shop.lanes/a\"}",
            &[],
            "path-occupied",
            None,
            "tasks:2: ",
        ),
        (
            "{\"name\":\"a\"}\n{\"name\":\"b\",\"task\":\"T-1\"}",
            &["--unique"],
            "task-taken",
            None,
            "tasks:2: lane 'there' has task 'T-1' already",
        ),
        (
            "{\"name\":\"there\",\"owner\":\"bob\"}",
            &[],
            "lane-differs",
            None,
            "tasks:1: ",
        ),
    ] {
        tasks(&sandbox, text);
        let before = sandbox.fingerprint();
        let args = [&["start", "--from", "../tasks", "--json"], options].concat();
        let run = sandbox.lane(&args);
        let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        let error = &document["error"];
        assert_eq!(
            (run.code, &error["code"]),
            (1, &code.into()),
            "{text}: {run}"
        );
        assert!(
            error["message"].as_str().unwrap().contains(part),
            "{text}: {run}"
        );
        if code == "bad-task-file" {
            assert_eq!(
                error["details"]["line"],
                serde_json::json!(line),
                "{text}: {run}"
            );
        }
        assert_eq!(sandbox.fingerprint(), before, "{text}");
    }
    let before = sandbox.fingerprint();
    let usage = |args: &[&str]| sandbox.lane([&["start"], args].concat()).fails(2);
    usage(&["--from", "../tasks", "a"]);
    usage(&["--from", "../tasks", "--branch", "b"]);
    usage(&["a", "--read-only", "--branch", "b"]);
    usage(&["a", "--unique"]);
    usage(&["a", "b", "--unique", "--task", "T"]);
    usage(&["a", "--for", "1h"]);
    usage(&["a", "--set", "no parameter"]);
    sandbox.lane(["start", "--from", "../nowhere"]).fails(4);
    assert_eq!(sandbox.fingerprint(), before);
}

/// Three lanes, and the second cannot get its branch: another git has it locked.
fn with_a_locked_branch() -> Sandbox {
    let sandbox = Sandbox::new();
    tasks(
        &sandbox,
        "{\"name\":\"a\"}\n{\"name\":\"b\"}\n{\"name\":\"c\"}\n",
    );
    let lock = sandbox.repo.join(".git/refs/heads/b.lock");
    write(&lock, "");
    age_all(&sandbox.repo.join(".git/refs"));
    sandbox
}

#[test]
fn a_lane_that_cannot_be_made_stops_no_other() {
    let sandbox = with_a_locked_branch();
    let run = sandbox.lane(["start", "--from", "../tasks", "--json"]);
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_ne!(run.code, 0, "{run}");
    assert_eq!(names(&report), [("a", true), ("b", false), ("c", true)]);
    assert!(
        report["lanes"][1]["error"]["message"]
            .as_str()
            .unwrap()
            .contains("tasks:2: ")
    );
    assert!(
        report["error"]["message"]
            .as_str()
            .unwrap()
            .contains("tasks:2: ")
    );
    std::fs::remove_file(sandbox.repo.join(".git/refs/heads/b.lock")).unwrap();
    for name in ["a", "c"] {
        assert_whole(&sandbox, name);
    }
    assert!(!sandbox.lane_path("b").exists());
    sandbox.lane(["start", "--from", "../tasks"]).ok();
    assert_whole(&sandbox, "b");
}

#[test]
fn with_atomic_all_are_made_or_none() {
    let sandbox = with_a_locked_branch();
    sandbox.lane(["start", "there"]).ok();
    sandbox.git(["config", "--unset", "lane.there.owner"]);
    let record = || sandbox.git(["config", "--get-regexp", "^lane.there[.]"]);
    let recorded = record();
    let before = sandbox.fingerprint();
    let failed = sandbox.lane(["start", "--from", "../tasks", "--atomic"]);
    assert_ne!(failed.code, 0, "{failed}");
    assert_eq!(sandbox.fingerprint(), before);
    tasks(
        &sandbox,
        "{\"name\":\"a\"}\n{\"name\":\"b\"}\n{\"name\":\"there\",\"claim\":true}\n",
    );
    let run = sandbox.lane(["start", "--from", "../tasks", "--atomic", "--json"]);
    assert_eq!(record(), recorded);
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(
        names(&report),
        [("a", false), ("b", false), ("there", false)]
    );
    assert!(
        report["error"]["message"]
            .as_str()
            .unwrap()
            .contains("tasks:2: ")
    );
    for at in [0, 2] {
        assert_eq!(report["lanes"][at]["error"]["code"], "taken-back", "{run}");
    }
    assert!(!sandbox.git(["config", "--list"]).contains("claim"));
    assert!(!sandbox.lane_path("a").exists());
    assert_nothing_left(&sandbox);
    std::fs::remove_file(sandbox.repo.join(".git/refs/heads/b.lock")).unwrap();
    sandbox
        .lane(["start", "--from", "../tasks", "--atomic"])
        .ok();
    for name in ["a", "b"] {
        assert_whole(&sandbox, name);
    }
}

/// The lanes can be seen, and recorded, by the time at which git runs a filter.
#[test]
fn with_atomic_a_filter_that_fails_takes_back_what_could_be_seen() {
    let sandbox = Sandbox::new();
    sandbox.write(".gitattributes", "*.bad filter=bad\n");
    sandbox.commit("attributes");
    sandbox.git(["switch", "-q", "-c", "bad"]);
    sandbox.write("x.bad", "x\n");
    sandbox.commit("bad");
    sandbox.git(["switch", "-q", "main"]);
    sandbox.git(["config", "filter.bad.smudge", "false"]);
    sandbox.git(["config", "filter.bad.required", "true"]);
    tasks(
        &sandbox,
        "{\"name\":\"a\"}\n{\"name\":\"b\",\"base\":\"bad\"}\n{\"name\":\"c\"}\n",
    );
    sandbox.lane(["start", "there"]).ok();
    let before = sandbox.fingerprint();
    let error = sandbox
        .lane(["start", "--from", "../tasks", "--atomic"])
        .fails(5);
    assert!(error.contains("tasks:2: "), "{error}");
    assert_eq!(sandbox.fingerprint(), before);
    assert_nothing_left(&sandbox);
    sandbox.lane(["start", "--from", "../tasks"]).fails(5);
    for name in ["a", "c"] {
        assert_whole(&sandbox, name);
    }
    assert!(!sandbox.lane_path("b").exists());
}

#[test]
fn lanes_of_one_command_do_not_meet() {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.root().join("x")).unwrap();
    tasks(
        &sandbox,
        "{\"name\":\"a/b\"}\n{\"name\":\"a-b\"}\n{\"name\":\"p\",\"path\":\"../x/same\"}\n\
         {\"name\":\"q\",\"path\":\"../y/same\"}\n",
    );
    sandbox.lane(["start", "--from", "../tasks"]).ok();
    let admin = std::fs::read_dir(sandbox.repo.join(".git/worktrees"))
        .unwrap()
        .count();
    assert_eq!(admin, 4);
    for place in ["shop.lanes/a-b", "shop.lanes/a-b-2", "x/same", "y/same"] {
        let path = sandbox.root().join(place);
        assert_eq!(
            sandbox.git_in(&path, ["status", "--porcelain"]),
            "",
            "{place}"
        );
    }
    sandbox.git(["fsck", "--strict"]);
    assert_nothing_left(&sandbox);
}

#[test]
fn a_dry_run_of_a_task_file_writes_nothing() {
    let sandbox = Sandbox::new();
    tasks(
        &sandbox,
        "{\"name\":\"a\",\"claim\":true}\n{\"name\":\"b\",\"readOnly\":true}\n",
    );
    let before = sandbox.fingerprint();
    let text = sandbox
        .lane(["start", "--from", "../tasks", "--dry-run"])
        .ok();
    assert!(text.contains("would start lane 'a'") && text.contains("would start lane 'b'"));
    assert!(!text.contains("GIT_LANE_CLAIM"), "{text}");
    assert_eq!(sandbox.fingerprint(), before);
}
