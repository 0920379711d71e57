//! Documents of syncs, and of starts whose base is behind its upstream.

use super::Met;
use crate::support::Sandbox;

/// Lanes that are brought up to date, each verdict and each way.
pub(super) fn meet(met: &mut Met) {
    let sandbox = Sandbox::new();
    let all = ["login", "twin", "even", "conflicting", "here"];
    sandbox.lane(["start"].iter().chain(&all)).ok();
    for name in ["login", "twin"] {
        sandbox.work(name, name, "work\n");
    }
    for name in ["conflicting", "here"] {
        sandbox.work(name, "file", "theirs\n");
    }
    sandbox.git(["config", "lane.twin.owner", "claude:1"]);
    sandbox.write("file", "ours\n");
    sandbox.commit("ours");
    for args in [
        &["sync", "-n", "login"][..],
        &["sync", "login", "even", "conflicting"],
        &["sync", "here", "even", "--here"],
        &["drop", "--yes", "here"],
        &["sync", "even", "--fetch"],
        &["claim", "twin", "--owner", "ann"],
        &["sync", "--all"],
        &["mark", "twin", "ready"],
        &["claim", "twin", "--take-over", "--owner", "claude:1"],
        &["release", "login", "--to", "bob"],
        &["mark", "even", "working"],
        &["mark", "even", "blocked"],
        &["mark", "even", "ready"],
        &["mark", "even", "done"],
    ] {
        met.run(&sandbox, args);
    }
    sandbox.git(["config", "--unset", "lane.twin.claim"]);
    sandbox.git(["config", "--unset", "lane.twin.claimKey"]);
    met.run(&sandbox, ["sync", "twin", "--strategy", "rebase"]);
    // A base that cannot take what is new on its remote, for each reason.
    let remote = sandbox.root().join("remote");
    sandbox.git(["clone", "-q", "--bare", ".", remote.to_str().unwrap()]);
    sandbox.git([
        "--git-dir",
        remote.to_str().unwrap(),
        "branch",
        "-f",
        "main",
        "login",
    ]);
    sandbox.git(["remote", "add", "origin", remote.to_str().unwrap()]);
    sandbox.git(["fetch", "-q", "origin"]);
    sandbox.git(["branch", "-q", "--set-upstream-to=origin/main", "main"]);
    sandbox.write("login", "mine\n");
    met.run(&sandbox, ["sync", "even", "--fetch"]);
    met.run(&sandbox, ["start", "in-its-way", "--fetch"]);
    sandbox.write(".git/lane/lane.toml", "finish.gate = \"true\"\n");
    met.run(&sandbox, ["sync", "even", "--fetch"]);
    met.run(&sandbox, ["start", "with-a-gate", "--fetch"]);
    std::fs::remove_file(sandbox.repo.join("login")).unwrap();
    sandbox.commit("diverged");
    let mut agent = std::process::Command::new("sleep");
    let mut agent = agent
        .arg("600")
        .current_dir(sandbox.lane_path("even"))
        .spawn()
        .unwrap();
    met.run(&sandbox, ["sync", "--all", "--fetch"]);
    agent.kill().unwrap();
    agent.wait().unwrap();
    sandbox.write("begun", "here\n");
    met.run(&sandbox, ["start", "beside", "--fetch", "--move"]);
    met.run(&sandbox, ["log"]);
    met.run(&sandbox, ["undo", "--list"]);
    pushed(met);
}

/// A landing that the remote has first.
fn pushed(met: &mut Met) {
    let sandbox = Sandbox::new();
    sandbox.with_origin();
    sandbox.lane(["start", "login"]).ok();
    sandbox.work("login", "login", "work\n");
    met.run(&sandbox, ["finish", "login", "--push"]);
}
