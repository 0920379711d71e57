//! `git lane check`: what would conflict, before it does.

mod faults;
mod kinds;
mod lanes;
mod paths;
mod proof;
mod remembered;
mod screen;

use serde_json::Value;

use crate::support::Sandbox;

/// The lanes of a forecast that conflict with their bases, and the pairs that conflict with each
/// other, each with its files: `a: f` and `a b: f g`.
fn conflicts(found: &Value) -> Vec<String> {
    let files = |of: &Value| {
        let paths = of["paths"].as_array().unwrap().iter();
        paths
            .map(|path| path.as_str().unwrap())
            .collect::<Vec<_>>()
            .join(" ")
    };
    let is_conflict = |of: &&Value| of["verdict"] == "conflict";
    let lanes = found["lanes"].as_array().unwrap().iter();
    let lanes = lanes
        .filter(is_conflict)
        .map(|lane| format!("{}: {}", lane["lane"].as_str().unwrap(), files(lane)));
    let pairs = found["pairs"].as_array().unwrap().iter();
    let pairs = pairs.filter(is_conflict).map(|pair| {
        let name = |at: usize| [&pair["lane"], &pair["with"][0]][at].as_str().unwrap();
        format!("{} {}: {}", name(0), name(1), files(pair))
    });
    lanes.chain(pairs).collect()
}

/// What `git lane check --json` finds with more arguments, and its exit code.
#[track_caller]
fn check(sandbox: &Sandbox, args: &[&str]) -> (Value, i32) {
    let run = sandbox.lane(["check", "--json"].iter().chain(args));
    let code = run.code;
    assert!([0, 3].contains(&code), "{}", run.stderr);
    (serde_json::from_str(&run.stdout).unwrap(), code)
}

/// The conflicts it finds.
#[track_caller]
fn found(sandbox: &Sandbox, args: &[&str]) -> Vec<String> {
    let (document, code) = check(sandbox, args);
    let conflicts = conflicts(&document);
    assert_eq!(code, if conflicts.is_empty() { 0 } else { 3 });
    conflicts
}

/// What a lane is said to be in the middle of.
fn unclear(document: &Value, name: &str) -> Value {
    let lanes = document["lanes"].as_array().unwrap().iter();
    let mut lanes = lanes.filter(|lane| lane["lane"] == name);
    lanes.next().unwrap()["unclear"]["code"].clone()
}
