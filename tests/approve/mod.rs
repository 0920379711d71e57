//! `git lane approve`: whose commands are a gate, and that none of a repository's runs before the
//! user said yes to its exact text.

mod prompts;
mod state;
mod whose_gate;

use std::path::PathBuf;

use serde_json::Value;

use crate::support::{Run, Sandbox, write};

/// The user's own file.
const USER: &str = "home/.config/git-lane/lane.toml";

/// Where approvals are.
fn approvals(sandbox: &Sandbox) -> PathBuf {
    sandbox.root().join("home/.local/state/git-lane/approvals")
}

/// A policy file with a gate of these commands.
fn gate(commands: &[&str]) -> String {
    format!("finish.gate = {}\n", serde_json::json!(commands))
}

/// A repository whose `main` has a gate, with a lane `x`.
fn gated(commands: &[&str]) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("lane.toml", gate(commands));
    sandbox.commit("a gate");
    sandbox.lane(["start", "x"]).ok();
    sandbox
}

/// The lists of a document, as origin, file and commands.
#[track_caller]
fn lists(run: &Run) -> Vec<(String, String, Vec<String>)> {
    let document: Value =
        serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run}"));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let lists = document["lists"].as_array();
    let lists = lists.unwrap_or_else(|| panic!("{run}"));
    let one = |list: &Value| {
        let commands = list["commands"].as_array().unwrap();
        (
            text(&list["origin"]),
            text(&list["message"]),
            commands.iter().map(text).collect(),
        )
    };
    lists.iter().map(one).collect()
}

/// What has to be approved, asked for with these arguments.
#[track_caller]
fn wanted(sandbox: &Sandbox, args: &[&str]) -> Vec<(String, String, Vec<String>)> {
    lists(&sandbox.lane(["approve", "--json"].iter().chain(args)))
}

/// Approves by hand what a document says is not approved.
fn approve(sandbox: &Sandbox, args: &[&str]) {
    let run = sandbox.lane(["approve", "--json"].iter().chain(args));
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    for list in document["lists"].as_array().unwrap() {
        let digest = list["digest"].as_str().unwrap();
        write(
            &approvals(sandbox).join(digest),
            list["commands"].to_string(),
        );
    }
}
