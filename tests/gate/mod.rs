//! The gate: what it tests, what it says, who lands with whom.

mod batches;
mod commands;
mod hooks;
mod receipts;
mod several;
mod undo;
mod verdicts;

use std::path::PathBuf;

use crate::support::{Sandbox, script};

/// A repository with lanes that each add one file of their own name.
fn with_lanes(names: &[&str]) -> Sandbox {
    let sandbox = Sandbox::new();
    for name in names {
        sandbox.lane(["start", name]).ok();
        sandbox.work(name, &format!("src/{name}.txt"), "work\n");
    }
    sandbox
}

/// A gate that counts its runs, runs `body`, and is a program outside of the repository.
fn gate(sandbox: &Sandbox, body: &str) -> String {
    let path = sandbox.root().join("gate");
    let runs = runs_file(sandbox);
    let text = format!(
        "#!/bin/sh\necho \"$GIT_LANE_NAMES\" >> '{}'\n{body}\n",
        runs.display()
    );
    script(&path, &text);
    path.to_str().unwrap().to_owned()
}

fn runs_file(sandbox: &Sandbox) -> PathBuf {
    sandbox.root().join("home/runs")
}

/// The lanes of each run.
fn runs(sandbox: &Sandbox) -> Vec<String> {
    let text = std::fs::read_to_string(runs_file(sandbox)).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// The user's own policy.
fn policy(sandbox: &Sandbox, text: &str) {
    crate::support::write(
        &sandbox.root().join("home/.config/git-lane/lane.toml"),
        text,
    );
}

/// The code of the error in a document.
fn code(run: crate::support::Run, exit: i32) -> String {
    assert_eq!(run.code, exit, "{run}");
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    document["error"]["code"].as_str().unwrap().to_owned()
}
