//! `git lane finish --all`: the lanes that are ready land together, and the others are told why they
//! do not.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::Sandbox;

/// Lanes with a commit each.
fn at_work(names: &[&str]) -> Sandbox {
    let sandbox = Sandbox::new();
    let _ = sandbox.lane([&["start"], names].concat()).ok();
    for lane in names {
        sandbox.work(lane, &format!("{lane}.txt"), lane);
    }
    sandbox
}

fn mark(sandbox: &Sandbox, lanes: &[&str], status: &str) {
    for lane in lanes {
        let _ = sandbox.lane(["mark", lane, status]).ok();
    }
}

/// The lanes in one list of a document, and one word of each.
fn words<'a>(document: &'a Value, list: &str, word: &str) -> BTreeMap<&'a str, &'a str> {
    let text = |lane: &'a Value, field: &str| lane[field].as_str().unwrap_or_default();
    let lanes = document[list].as_array().unwrap().iter();
    lanes
        .map(|lane| (text(lane, "lane"), text(lane, word)))
        .collect()
}

fn lanes(sandbox: &Sandbox) -> Vec<String> {
    let listed = sandbox
        .sh("git config --get-regexp '^lane\\..*\\.id$' | cut -d. -f2")
        .ok();
    let mut names: Vec<String> = listed.lines().map(str::to_owned).collect();
    names.sort();
    names
}

#[test]
fn the_ready_ones_land_behind_one_gate() {
    let sandbox = at_work(&["a", "b", "c", "d"]);
    mark(&sandbox, &["a", "b", "c"], "ready");
    mark(&sandbox, &["d"], "working");
    let document = sandbox.lane(["finish", "--all", "--json", "-n"]).json();
    let landing = BTreeMap::from([("a", "landed"), ("b", "landed"), ("c", "landed")]);
    assert_eq!(words(&document, "lanes", "verdict"), landing);
    assert_eq!(lanes(&sandbox), ["a", "b", "c", "d"]);
    let runs = sandbox.root().join("runs");
    let gate = format!(
        "echo run >> '{}'; ls > '{}'",
        runs.display(),
        runs.with_extension("ls").display()
    );
    let document = sandbox
        .lane(["finish", "--all", "--json", "--gate", &gate])
        .json();
    assert_eq!(words(&document, "lanes", "verdict"), landing);
    assert!(words(&document, "leftOut", "code").is_empty());
    assert_eq!(lanes(&sandbox), ["d"]);
    assert_eq!(std::fs::read_to_string(&runs).unwrap(), "run\n");
    assert_eq!(sandbox.git(["ls-files", "?.txt"]), "a.txt\nb.txt\nc.txt");
    // Nothing is left that is ready.
    let said = sandbox.lane(["finish", "--all"]).ok();
    assert_eq!(said, "nothing to land: no lane is marked as ready\n");
    // And of the one that is not, there is something to land.
    let _ = sandbox
        .lane(["finish", "--all", "--any-status", "--keep"])
        .ok();
    assert_eq!(sandbox.git(["ls-files", "d.txt"]), "d.txt");
    let document = sandbox
        .lane(["finish", "--all", "--any-status", "--json"])
        .json();
    assert_eq!(
        words(&document, "leftOut", "code"),
        BTreeMap::from([("d", "nothing-to-land")])
    );
    assert_eq!(document["lanes"], Value::Array(Vec::new()));
}

#[test]
fn what_cannot_land_is_left_out_and_told() {
    let names = [
        "clean", "claimed", "dirty", "stray", "busy", "gone", "baseless", "idle",
    ];
    let sandbox = at_work(&names[..7]);
    let _ = sandbox.lane(["start", "idle"]).ok();
    let _ = sandbox.lane(["start", "detached", "--detach"]).ok();
    std::fs::write(sandbox.lane_path("dirty").join("new.txt"), "new\n").unwrap();
    let at = |lane: &str| sandbox.lane_path(lane);
    sandbox.git_in(&at("stray"), ["checkout", "-q", "--detach"]);
    sandbox.work("busy", "src/app.txt", "busy\n");
    sandbox.write("src/app.txt", "main\n");
    sandbox.commit("main");
    let _ = sandbox.sh_in(&at("busy"), "git merge -q main").code;
    std::fs::remove_dir_all(at("gone")).unwrap();
    sandbox.git(["config", "--unset", "lane.baseless.base"]);
    let _ = sandbox.lane(["claim", "claimed", "--owner", "tester"]).ok();
    for lane in names.iter().chain(&["detached"]) {
        sandbox.git(["config", &format!("lane.{lane}.status"), "ready"]);
    }
    sandbox.git(["config", "lane.idle.status", "blocked"]);
    let expected = BTreeMap::from([
        ("baseless", "no-base"),
        ("busy", "operation-in-progress"),
        ("claimed", "claimed"),
        ("detached", "detached"),
        ("dirty", "unsettled"),
        ("gone", "worktree-gone"),
        ("stray", "stray"),
    ]);
    let document = sandbox.lane(["finish", "--all", "--json", "-n"]).json();
    assert_eq!(words(&document, "leftOut", "code"), expected);
    let run = sandbox.lane(["finish", "--all", "-n"]);
    assert!(
        run.stderr
            .contains("left out lane 'claimed': it is claimed by 'tester'"),
        "{run}"
    );
    assert!(
        run.stderr
            .contains("left out lane 'dirty': it is not settled: 1 untracked"),
        "{run}"
    );
    let _ = run.ok();
    let document = sandbox
        .lane(["finish", "--all", "--any-status", "--json"])
        .json();
    let mut with_idle = expected.clone();
    with_idle.insert("idle", "nothing-to-land");
    assert_eq!(words(&document, "leftOut", "code"), with_idle);
    assert_eq!(
        words(&document, "lanes", "verdict"),
        BTreeMap::from([("clean", "landed")])
    );
    // Where all of them are left out, that is no failure.
    let said = sandbox.lane(["finish", "--all"]).ok();
    assert_eq!(
        said,
        "nothing to land: every lane that was asked for is left out\n"
    );
}

/// A lane whose owner calls it ready is finished as if it were named, also where it fails, and stops
/// none of the others.
#[test]
fn one_that_fails_stops_no_other() {
    let sandbox = at_work(&["a", "b", "empty"]);
    sandbox.git_in(
        &sandbox.lane_path("empty"),
        ["reset", "-q", "--hard", "main"],
    );
    sandbox.work("b", "src/app.txt", "b\n");
    sandbox.write("src/app.txt", "main\n");
    sandbox.commit("main");
    mark(&sandbox, &["a", "b", "empty"], "ready");
    let run = sandbox.lane(["finish", "--all", "--json"]);
    assert_eq!(run.code, 3, "{run}");
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    let expected = BTreeMap::from([("a", "landed"), ("b", "conflict"), ("empty", "integrated")]);
    assert_eq!(words(&document, "lanes", "verdict"), expected);
    assert_eq!(lanes(&sandbox), ["b"]);
}

#[test]
fn the_lanes_are_chosen_by_their_status_alone() {
    let sandbox = at_work(&["a"]);
    for args in [
        &["--all", "a"][..],
        &["--any-status"],
        &["--any-status", "a"],
        &["--all", "--no-land"],
        &["--all", "--commit", "x"],
        &["--all", "--edit"],
    ] {
        let _ = sandbox.lane([&["finish"], args].concat()).fails(2);
    }
    // Inside a lane too, it is all of them.
    mark(&sandbox, &["a"], "ready");
    let _ = sandbox
        .lane_in(&sandbox.lane_path("a"), ["finish", "--all"])
        .ok();
    assert!(lanes(&sandbox).is_empty());
}
