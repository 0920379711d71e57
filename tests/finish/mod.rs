//! `git lane finish`: every way to land, and everything that must stop one.

mod all;
mod as_git_merges;
mod base_behind;
mod hooks_and_messages;
mod in_the_way;
mod interrupted;
mod leaving;
mod made_ready;
mod pasted_hints;
mod push_outcomes;
mod pushed;
mod refused;
mod strategies;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::support::{Run, Sandbox, age, git_version, listing, script, write};

/// A lane as `git lane start` would leave it.
fn lane(sandbox: &Sandbox, name: &str, base: &str) -> PathBuf {
    let path = sandbox.lane_path(name);
    sandbox.git([
        "worktree",
        "add",
        "-q",
        "-b",
        name,
        path.to_str().unwrap(),
        base,
    ]);
    record(sandbox, name, &path, base);
    path
}

fn record(sandbox: &Sandbox, name: &str, path: &Path, base: &str) {
    let fork = sandbox.git(["rev-parse", base]);
    let base = format!("refs/heads/{base}");
    let id = format!("id-{name}");
    let settings = [
        ("id", id.as_str()),
        ("branch", name),
        ("worktree", path.to_str().unwrap()),
        ("base", &base),
        ("forkPoint", &fork),
        ("owner", "claude:7"),
        ("task", "T-1"),
        ("created", "2023-11-14T22:13:20Z"),
    ];
    sandbox.record_of(name, &settings);
}

/// A sandbox with lane `login`, which changes `src/app.txt` and adds `new.txt` in two commits.
fn with_lane() -> Sandbox {
    let sandbox = Sandbox::new();
    lane(&sandbox, "login", "main");
    sandbox.work("login", "src/app.txt", "one\ntwo\nTHREE\n");
    sandbox.work("login", "new.txt", "new\n");
    sandbox
}

/// Moves `main` on, so that a merge is a real one.
fn advance(sandbox: &Sandbox) {
    sandbox.write("other.txt", "other\n");
    sandbox.commit("other");
}

fn finish<const N: usize>(sandbox: &Sandbox, args: [&str; N]) -> Run {
    sandbox.lane(["finish", "login"].into_iter().chain(args))
}

fn clean(sandbox: &Sandbox, directory: &Path) {
    assert_eq!(sandbox.git_in(directory, ["status", "--porcelain"]), "");
}

fn retired(sandbox: &Sandbox) {
    assert!(!sandbox.lane_path("login").exists());
    assert_eq!(sandbox.git(["branch", "--list", "login"]), "");
    assert_eq!(
        sandbox.git(["for-each-ref", "--format=x", "refs/lane/trash"]),
        "x"
    );
    sandbox.git(["fsck", "--strict"]);
}

fn log(sandbox: &Sandbox, format: &str) -> String {
    sandbox.git(["log", "-1", &format!("--format={format}"), "main"])
}

/// Objects a refused landing has made are unreachable and no change.
fn without_objects(fingerprint: &str) -> String {
    fingerprint
        .lines()
        .filter(|line| !line.contains(".git/objects/"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// The base and the files a lane has changed.
fn untouched(sandbox: &Sandbox, directory: &Path) -> (String, String) {
    (sandbox.git(["rev-parse", "main"]), listing(directory))
}

/// A lane whose merge into `main` makes a new blob and a file whose smudging does `work`, in the
/// repository.
fn with_a_slow_filter(work: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write(".gitattributes", "*.slow filter=slow\n");
    sandbox.commit("attributes");
    lane(&sandbox, "login", "main");
    sandbox.work("login", "src/app.txt", "one\ntwo\nTHREE\n");
    sandbox.work("login", "z.slow", "slow\n");
    sandbox.write("src/app.txt", "ONE\ntwo\nthree\n");
    sandbox.commit("first line");
    let file = sandbox.root().join("smudge");
    let shed = "unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_PREFIX";
    script(
        &file,
        format!(
            "{shed}\ncd '{}' || exit\n{work}\nexec cat",
            sandbox.repo.display()
        ),
    );
    sandbox.git(["config", "filter.slow.smudge", file.to_str().unwrap()]);
    sandbox.git(["config", "filter.slow.clean", "cat"]);
    sandbox
}

const MERGED: &str = "ONE\ntwo\nTHREE\n";
