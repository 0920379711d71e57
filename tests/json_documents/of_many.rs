//! The documents of the verbs for many lanes and many agents.

use super::Met;
use crate::support::{Sandbox, write};

pub fn meet(met: &mut Met) {
    meet_what_is_said(met);
    meet_waits(met);
    meet_adoptions(met);
    meet_runs(met);
    meet_changes(met);
    meet_forecasts(met);
}

/// Lanes that conflict with each other, and one of which nothing can be said.
fn meet_forecasts(met: &mut Met) {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "a", "b", "c"]).ok();
    sandbox.work("a", "file", "one\n");
    sandbox.work("b", "file", "two\n");
    sandbox.git_in(&sandbox.lane_path("c"), ["switch", "-q", "-c", "elsewhere"]);
    met.run(&sandbox, ["check"]);
    met.run(&sandbox, ["check", "--path", "file"]);
}

/// Lanes that get another name, another place, another base, and have them taken back.
fn meet_changes(met: &mut Met) {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "even", "twin"]).ok();
    for args in [
        &["rename", "even", "odd", "-n"][..],
        &["rename", "even", "odd"],
        &["move", "odd", "../even"],
        &["base", "odd"],
        &["base", "odd", "twin"],
        &["undo", "odd"],
        &["undo", "odd"],
        &["undo", "--list"],
        &["undo", "odd"],
        &["log"],
    ] {
        met.run(&sandbox, args);
    }
}

/// Lanes with a status, one with a claim, and what was done in one of them.
fn meet_what_is_said(met: &mut Met) {
    let sandbox = Sandbox::new();
    let words = ["working", "blocked", "ready", "done"];
    sandbox.lane(["start"].iter().chain(&words)).ok();
    for word in words {
        sandbox.lane(["mark", word, word]).ok();
    }
    sandbox.lane(["claim", "ready"]).ok();
    for args in [&["list"][..], &["show", "ready"]] {
        met.run(&sandbox, args);
    }
    let lane = sandbox.lane_path("ready");
    sandbox.git_in(&lane, ["mv", "README", "renamed"]);
    std::fs::remove_file(lane.join("src/app.txt")).unwrap();
    sandbox.work("ready", "new", "x");
    met.run(&sandbox, ["diff", "ready"]);
    met.run(&sandbox, ["diff", "ready", "done"]);
}

/// Waits that end in each way, and the lanes that `finish --all` leaves out.
fn meet_waits(met: &mut Met) {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "a", "b", "held"]).ok();
    let until = |condition| ["wait", "a", "--timeout", "0s", "--until", condition];
    met.run(&sandbox, until("ready"));
    for status in ["working", "blocked", "done"] {
        met.run(&sandbox, ["mark", "a", status]);
        met.run(&sandbox, ["wait", "a", "--until", status]);
    }
    sandbox.lane(["mark", "a", "ready", "-m", "look"]).ok();
    met.run(&sandbox, until("ready"));
    write(&sandbox.lane_path("a").join("new"), "new");
    sandbox.lane(["claim", "held"]).ok();
    met.run(&sandbox, ["finish", "--all", "--any-status"]);
    sandbox.lane(["drop", "--yes", "a"]).ok();
    met.run(&sandbox, until("done"));
}

/// Worktrees that become lanes, and every way in which such a lane ends.
fn meet_adoptions(met: &mut Met) {
    let sandbox = Sandbox::new();
    for name in ["one", "two", "three", "four"] {
        sandbox.add_worktree(name, &sandbox.root().join(name));
    }
    std::fs::remove_dir_all(sandbox.root().join("four")).unwrap();
    write(&sandbox.root().join("three/work"), "work\n");
    sandbox.git_in(&sandbox.root().join("three"), ["add", "work"]);
    sandbox.git_in(&sandbox.root().join("three"), ["commit", "-qm", "work"]);
    for args in [
        &["adopt", "-n", "one"][..],
        &["adopt", "one"],
        &["undo", "one"],
        &["adopt", "--all"],
        &["drop", "one"],
        &["undo", "one"],
        &["finish", "two", "three", "--no-land", "--force"],
        &["undo", "--list"],
        &["log"],
    ] {
        met.run(&sandbox, args);
    }
    sandbox.lane(["adopt", "two"]).ok();
    std::fs::remove_dir_all(sandbox.root().join("two")).unwrap();
    met.run(&sandbox, ["prune", "--yes"]);
}

fn meet_runs(met: &mut Met) {
    let sandbox = Sandbox::new();
    for (name, line) in [
        ("idle", "true"),
        ("broken", "exit 3"),
        ("killed", "kill -9 $$"),
    ] {
        met.run(&sandbox, ["start", name, "--ephemeral", "--exec", line]);
    }
}
