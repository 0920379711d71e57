//! `git lane show`: what is said of a lane, and the command that makes it again.

use serde_json::{Value, json};

use crate::support::Sandbox;

/// The facts of a lane that a start with the same words gives it.
fn facts(sandbox: &Sandbox, lane: &str) -> Value {
    let shown = sandbox.lane(["show", lane, "--json"]).json();
    let kept = [
        "name",
        "branch",
        "forkPoint",
        "tip",
        "owner",
        "task",
        "set",
        "readOnly",
    ];
    kept.iter()
        .map(|field| ((*field).to_owned(), shown[*field].clone()))
        .collect()
}

fn command_for(sandbox: &Sandbox, lane: &str) -> String {
    sandbox.lane(["show", lane, "--reproduce"]).ok()
}

#[test]
fn everything_that_is_said_of_a_lane() {
    let sandbox = Sandbox::new();
    let start = ["start", "sweep", "--owner", "claude:7", "--task", "SHOP-1"];
    sandbox.lane(start).ok();
    for set in ["rate=0.1", "prompt=say \"hi\"\nand go"] {
        sandbox.git(["config", "--add", "lane.sweep.set", set]);
    }
    let mark = [
        "mark", "sweep", "blocked", "-m", "waits", "--owner", "claude:7",
    ];
    sandbox.lane(mark).ok();
    sandbox
        .lane(["claim", "sweep", "--owner", "bob", "--for", "1h"])
        .ok();
    for key in ["created", "statusSince", "claimSince"] {
        sandbox.git([
            "config",
            &format!("lane.sweep.{key}"),
            "2023-11-14T22:13:20Z",
        ]);
    }
    sandbox.assert_screen("show-said", &["show", "sweep"]);
    sandbox.assert_screen("show-said-json", &["--json", "show", "sweep"]);
}

#[test]
fn the_command_makes_the_same_lane_again() {
    let sandbox = Sandbox::new();
    let odd = "it's \"odd\" $(id) `id` \u{1f600}\n";
    let fork = sandbox.git(["rev-parse", "HEAD"]);
    sandbox.lane(["start", "plain"]).ok();
    sandbox.lane(["start", "detached", "--detach"]).ok();
    sandbox
        .lane([
            "start", "named", "--branch", "topic/x", "--owner", "claude:7",
        ])
        .ok();
    sandbox
        .lane(["start", "odd", "--owner", odd, "--task=-1 is wrong"])
        .ok();
    let set = ["--set", "rate=0.1", "--set", &format!("prompt={odd}")];
    sandbox.lane(["start", "tuned"].iter().chain(&set)).ok();
    sandbox.lane(["start", "looked-at", "--read-only"]).ok();
    let before: Vec<(&str, Value, String)> =
        ["plain", "detached", "named", "odd", "tuned", "looked-at"]
            .map(|lane| (lane, facts(&sandbox, lane), command_for(&sandbox, lane)))
            .into();
    // The base has moved on since.
    sandbox.write("more", "x");
    sandbox.commit("more");
    let clone = sandbox.root().join("clone");
    sandbox.git(["clone", "-q", ".", clone.to_str().unwrap()]);
    for (lane, facts_before, command) in &before {
        assert_eq!(facts_before["forkPoint"], fork.as_str());
        sandbox.lane(["drop", "--yes", lane, "--force"]).ok();
        sandbox.sh(command).ok();
        assert_eq!(facts(&sandbox, lane), *facts_before, "{command}");
        sandbox.sh_in(&clone, command).ok();
        let there = sandbox.lane_in(&clone, ["show", lane, "--json"]).json();
        for field in [
            "branch",
            "forkPoint",
            "tip",
            "owner",
            "task",
            "set",
            "readOnly",
        ] {
            assert_eq!(there[field], facts_before[field], "{field}: {command}");
        }
    }
}

#[test]
fn it_says_what_of_the_lane_is_not_usual() {
    let sandbox = Sandbox::new();
    let fork = sandbox.git(["rev-parse", "HEAD"]);
    sandbox.lane(["start", "login", "--owner", "ann"]).ok();
    let begin = format!("git lane start login --base {fork}");
    assert_eq!(
        command_for(&sandbox, "login"),
        format!("{begin} --owner ann\n")
    );
    for set in ["rate=0.1", "prompt=a b"] {
        sandbox.git(["config", "--add", "lane.login.set", set]);
    }
    sandbox.write(".git/lane/lane.toml", "start.branch = \"{owner}/{name}\"\n");
    let rest = " --branch login --owner ann --set 'rate=0.1' --set 'prompt=a b'\n";
    assert_eq!(command_for(&sandbox, "login"), format!("{begin}{rest}"));
    // As a list of words for a program.
    let words = sandbox.lane(["show", "login", "--json"]).json()["reproduce"].clone();
    let words = words.as_array().unwrap();
    assert_eq!(words[..3], ["git", "lane", "start"]);
    assert_eq!(words.last().unwrap(), "prompt=a b");
    // Where the policy cannot be read, the branch is named too.
    sandbox.write(".git/lane/lane.toml", "start.branch = 7\n");
    assert_eq!(command_for(&sandbox, "login"), format!("{begin}{rest}"));
    sandbox.git(["config", "lane.login.readOnly", "true"]);
    assert!(command_for(&sandbox, "login").ends_with(" --read-only\n"));
}

#[test]
fn a_sparse_lane_is_sparse_again() {
    let sandbox = Sandbox::new();
    for path in ["a/one", "b c/two", "d/three"] {
        sandbox.write(path, "x");
    }
    sandbox.commit("directories");
    sandbox.lane(["start", "part", "--sparse", "a", "b c"]).ok();
    let command = command_for(&sandbox, "part");
    assert!(
        command.ends_with(" --sparse a --sparse 'b c'\n"),
        "{command}"
    );
    sandbox.lane(["drop", "--yes", "part"]).ok();
    sandbox.sh(&command).ok();
    let has = |path: &str| sandbox.lane_path("part").join(path).exists();
    assert!(has("a/one") && has("b c/two") && !has("d/three"));

    // What no option can say is told.
    let part = sandbox.lane_path("part");
    sandbox.git_in(&part, ["sparse-checkout", "set", "--no-cone", "/a/"]);
    let run = sandbox.lane(["show", "part", "--reproduce"]);
    assert!(
        run.stderr
            .contains("sparse checkout is none of directories"),
        "{run}"
    );
    assert!(!run.ok().contains("--sparse"));
    sandbox.git_in(&part, ["sparse-checkout", "disable"]);
    let run = sandbox.lane(["show", "part", "--reproduce"]);
    assert!(
        run.stderr.is_empty() && !run.stdout.contains("--sparse"),
        "{run}"
    );
    run.ok();
}

#[test]
fn a_lane_whose_worktree_is_gone_can_be_made_again() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    let before = facts(&sandbox, "login");
    std::fs::remove_dir_all(sandbox.lane_path("login")).unwrap();
    let command = command_for(&sandbox, "login");
    sandbox.lane(["drop", "--yes", "login"]).ok();
    sandbox.sh(&command).ok();
    assert_eq!(facts(&sandbox, "login"), before);
}

/// No command line can have it.
#[test]
fn a_branch_that_is_no_text_is_told_and_left_out() {
    use std::os::unix::ffi::OsStrExt;
    let sandbox = Sandbox::new();
    let branch = std::ffi::OsStr::from_bytes(b"caf\xe9");
    sandbox.git([std::ffi::OsStr::new("branch"), branch]);
    sandbox.lane(["start", "login"]).ok();
    let record = [b"[lane \"login\"]\n\tbranch = caf".as_slice(), b"\xe9\n"].concat();
    let config = sandbox.repo.join(".git/config");
    let text = std::fs::read(&config).unwrap();
    std::fs::write(&config, [text, record].concat()).unwrap();
    let run = sandbox.lane(["show", "login", "--reproduce"]);
    assert!(run.stderr.contains("not valid UTF-8"), "{run}");
    assert!(!run.ok().contains("--branch"));
    let shown = sandbox.lane(["show", "login", "--json"]).json();
    assert_eq!(shown["branch"], json!(b"caf\xe9"));
}
