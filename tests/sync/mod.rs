//! `git lane sync`: what is new on a base comes into its lanes, wholly or not at all.

mod as_git_does;
mod fetched;
mod left_alone;
mod many;
mod odd_input;
mod recorded;
mod refused;
mod resolved_there;

use std::path::{Path, PathBuf};

use crate::support::{Run, Sandbox, listing, write};

/// Lane `login`, which changes the last line of `src/app.txt` and adds `new.txt`, and a base that
/// has changed the first line since and has a file more.
fn diverged() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.lane_by_git("login");
    sandbox.work("login", "src/app.txt", "one\ntwo\nTHREE\n");
    sandbox.work("login", "new.txt", "new\n");
    advance(&sandbox);
    sandbox
}

/// Lane `login`, and a base that has moved on in another way.
fn conflicting() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.lane_by_git("login");
    sandbox.work("login", "src/app.txt", "one\ntwo\nTHREE\n");
    sandbox.write("src/app.txt", "one\ntwo\nthird\n");
    sandbox.commit("the same line");
    sandbox
}

fn advance(sandbox: &Sandbox) {
    sandbox.write("src/app.txt", "ONE\ntwo\nthree\n");
    sandbox.commit("first line");
    sandbox.write("other.txt", "other\n");
    sandbox.commit("other");
}

const BOTH: &str = "ONE\ntwo\nTHREE\n";

fn sync<const N: usize>(sandbox: &Sandbox, args: [&str; N]) -> Run {
    sandbox.lane(["sync", "login"].into_iter().chain(args))
}

fn lane(sandbox: &Sandbox) -> PathBuf {
    sandbox.lane_path("login")
}

fn read(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(path).unwrap()
}

fn tip(sandbox: &Sandbox, name: &str) -> String {
    sandbox.git(["rev-parse", name])
}

fn status(sandbox: &Sandbox) -> String {
    sandbox.git_in(&lane(sandbox), ["status", "--porcelain"])
}

/// What must not change where a lane stays as it is: its branch, index, files and logs.
fn state(sandbox: &Sandbox) -> String {
    let path = lane(sandbox);
    [
        listing(&path),
        sandbox.git_in(&path, ["ls-files", "--stage"]),
        sandbox.git_in(&path, ["reflog", "HEAD"]),
        sandbox.git(["for-each-ref", "refs/heads", "refs/remotes"]),
        sandbox.git(["config", "lane.login.forkPoint"]),
    ]
    .join("\n--\n")
}
