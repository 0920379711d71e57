//! `git lane undo`: what was done last with a lane is taken back, whole, or nothing changes.

mod groups;
mod landings;
mod list;
mod races;
mod reverts;
mod steps_of_lanes;

use crate::support::{Run, Sandbox, write};

/// A lane that has changed one file and added another, and a base that has moved on.
fn with_work(name: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    start_and_work(&sandbox, name);
    sandbox.write("other.txt", "other\n");
    sandbox.commit("other");
    sandbox
}

fn start_and_work(sandbox: &Sandbox, name: &str) {
    sandbox.lane(["start", name]).ok();
    sandbox.work(name, "src/app.txt", "one\ntwo\nTHREE\n");
    sandbox.work(name, "new.txt", "new\n");
}

/// ... which has landed.
fn landed() -> Sandbox {
    let sandbox = with_work("login");
    sandbox.lane(["finish", "login"]).ok();
    sandbox
}

fn undo<const N: usize>(sandbox: &Sandbox, args: [&str; N]) -> Run {
    sandbox.lane(["undo"].iter().chain(&args))
}

/// The word of the refusal, which must be one and must have changed nothing.
#[track_caller]
fn refused(sandbox: &Sandbox, args: &[&str]) -> String {
    let before = (sandbox.git(["for-each-ref"]), sandbox.fingerprint());
    let run = sandbox.lane(["undo", "--json"].iter().chain(args));
    let after = (sandbox.git(["for-each-ref"]), sandbox.fingerprint());
    assert!(before == after, "something has changed: {run}");
    let document: serde_json::Value =
        serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run}"));
    let code = document["error"]["code"].as_str();
    let code = code.unwrap_or_else(|| panic!("{run}")).to_owned();
    run.fails(1);
    sandbox.nothing_under_way();
    code
}

fn main(sandbox: &Sandbox) -> String {
    sandbox.git(["rev-parse", "main"])
}

fn read(sandbox: &Sandbox, path: &str) -> String {
    std::fs::read_to_string(sandbox.repo.join(path)).unwrap_or_default()
}
