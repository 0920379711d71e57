//! `--json`: one document on standard output, whatever fails and however much was done before.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use crate::support::{Run, Sandbox};

/// The one document; more than one is no JSON.
#[track_caller]
fn document(run: &Run) -> serde_json::Value {
    let document: serde_json::Value =
        serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run}"));
    assert_eq!(document["version"], 2, "{run}");
    document
}

/// No process may delete the branch.
fn keep_branch(sandbox: &Sandbox, name: &str) {
    sandbox.hook(
        "reference-transaction",
        format!("[ \"$1\" != prepared ] || ! grep -q '000 refs/heads/{name}$'"),
    );
}

#[test]
fn what_was_done_before_a_failure_stands_beside_it() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "first", "second", "third"]).ok();
    keep_branch(&sandbox, "second");
    let run = sandbox.lane(["--json", "drop", "first", "second", "third"]);
    let report = document(&run);
    assert_eq!(report["error"]["kind"], "git", "{run}");
    assert_eq!(report["dropped"].as_array().unwrap().len(), 1, "{run}");
    assert_eq!(report["dropped"][0]["lane"], "first", "{run}");
    run.fails(5);

    let run = sandbox.lane(["--json", "restore", "first", "nobody"]);
    let report = document(&run);
    assert_eq!(
        (&report["restored"][0]["lane"], &report["error"]["kind"]),
        (&"first".into(), &"refused".into()),
        "{run}"
    );
    run.fails(1);

    for name in ["first", "second"] {
        sandbox.work(name, name, name);
        sandbox.git(["merge", "-q", "--no-edit", name]);
    }
    let run = sandbox.lane(["--json", "prune"]);
    let report = document(&run);
    assert_eq!(report["pruned"][0]["lane"], "first", "{run}");
    let kept: Vec<&str> = report["kept"]
        .as_array()
        .unwrap()
        .iter()
        .map(|kept| kept["lane"].as_str().unwrap())
        .collect();
    assert_eq!(
        (kept.contains(&"second"), &report["error"]["kind"]),
        (true, &"git".into()),
        "{run}"
    );
    run.fails(5);

    let run = sandbox.lane(["--json", "start", "fourth", "second", "second"]);
    assert_eq!(document(&run)["lanes"].as_array().unwrap().len(), 2);
    run.ok();
    sandbox.hook("post-checkout", "exit 3");
    let run = sandbox.lane(["--json", "start", "fifth"]);
    let report = document(&run);
    assert_eq!(
        (&report["lanes"][0]["lane"], &report["error"]["code"]),
        (&"fifth".into(), &"hook-failed".into())
    );
    run.fails(5);
}

#[test]
fn a_landing_is_told_although_the_lane_could_not_be_retired() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    let tip = sandbox.work("login", "file", "x");
    keep_branch(&sandbox, "login");
    let run = sandbox.lane(["--json", "finish", "login", "--strategy", "ff"]);
    let report = document(&run);
    assert_eq!(
        (&report["landed"]["to"], &report["retired"]),
        (&tip.into(), &serde_json::Value::Null),
        "{run}"
    );
    assert_eq!(report["error"]["kind"], "git", "{run}");
    run.fails(5);
    assert!(sandbox.lane_path("login").join("file").exists());
}

#[test]
fn names_that_are_no_text_are_refused_in_a_sentence() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    let before = sandbox.fingerprint();
    let odd = OsStr::from_bytes(b"caf\xe9");
    for words in [
        &["start"][..],
        &["start", "other", "--base"],
        &["start", "other", "--branch"],
        &["finish", "login", "--into"],
        &["finish", "login", "-m"],
        &["drop"],
        &["restore"],
        &["show"],
        &["path"],
    ] {
        let args = || words.iter().map(OsStr::new).chain([odd]);
        let said = sandbox.lane(args()).fails(2);
        assert!(
            said.starts_with("error: \"caf\\xE9\" is not valid UTF-8\nhint: "),
            "{words:?}: {said}"
        );
        assert!(!said.contains("Usage"), "{words:?}: {said}");
        let run = sandbox.lane(args().chain([OsStr::new("--json")]));
        assert_eq!(document(&run)["error"]["code"], "not-utf-8", "{run}");
        run.fails(2);
    }
    assert!(sandbox.fingerprint() == before);
}
