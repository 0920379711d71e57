//! Renames, moves and other bases that are stopped: what they find, and what must be true afterwards.

use std::path::PathBuf;

use super::scenarios::Scenario;
use crate::support::{Sandbox, listing, write};

pub const ALL: &[Scenario] = &[
    Scenario::new("rename", &["rename", "login", "signin"], at_work, renamed).halfway(is_somewhere),
    Scenario::new(
        "rename into a directory of refs",
        &["rename", "login", "login/deep"],
        at_work,
        deepened,
    )
    .halfway(is_somewhere),
    Scenario::new(
        "rename into a directory of refs of a branch that no HEAD is on",
        &[
            "rename",
            "login",
            "login/deep",
            "--path",
            "../shop.lanes/login",
        ],
        elsewhere,
        kept,
    )
    .halfway(collected),
    Scenario::new(
        "rename of a packed branch",
        &["rename", "login", "signin"],
        packed,
        renamed,
    )
    .halfway(is_somewhere),
    Scenario::new(
        "rename with relative links",
        &["rename", "login", "signin"],
        relative,
        renamed_and_relative,
    ),
    Scenario::new("move", &["move", "login", "../by-hand"], at_work, moved).halfway(is_somewhere),
    Scenario::new(
        "undo rename",
        &["undo", "signin"],
        renamed_before,
        as_before,
    )
    .halfway(is_somewhere),
    Scenario::new("base", &["base", "upper", "main"], at_work, based),
];

/// A lane with commits and with work that is not committed, one on top of it, and settings of its branch.
fn at_work(sandbox: &Sandbox) -> String {
    sandbox.lane(["start", "login"]).ok();
    sandbox.work("login", "one", "one\n");
    sandbox.lane(["start", "upper", "--base", "login"]).ok();
    let path = sandbox.lane_path("login");
    write(&path.join("README"), "edited\n");
    write(&path.join("staged"), "staged\n");
    sandbox.git_in(&path, ["add", "staged"]);
    write(&path.join("new"), "new\n");
    sandbox.git(["config", "branch.login.description", "what it is"]);
    files(sandbox, &path)
}

/// The worktree shows another branch, and no log of a HEAD knows the commit.
fn elsewhere(sandbox: &Sandbox) -> String {
    sandbox.lane(["start", "login"]).ok();
    sandbox.work("login", "one", "one\n");
    let tip = sandbox.git(["rev-parse", "login"]);
    let path = sandbox.lane_path("login");
    sandbox.git_in(&path, ["switch", "-q", "--detach", "main"]);
    sandbox.git_in(&path, ["reflog", "expire", "--expire=now", "--all"]);
    tip
}

fn collected(sandbox: &Sandbox) {
    sandbox.git(["prune", "--expire=now"]);
}

fn kept(sandbox: &Sandbox, tip: &str) {
    assert_eq!(sandbox.git(["rev-parse", "login/deep"]), tip);
    assert_eq!(sandbox.git(["show", "login/deep:one"]), "one");
    let refs = sandbox.git(["for-each-ref", "--format=%(refname)", "refs/lane"]);
    assert_eq!(refs, "");
    assert_eq!(
        sandbox.git(["config", "lane.login/deep.branch"]),
        "login/deep"
    );
}

fn packed(sandbox: &Sandbox) -> String {
    let before = at_work(sandbox);
    sandbox.git(["pack-refs", "--all", "--prune"]);
    before
}

fn relative(sandbox: &Sandbox) -> String {
    let before = at_work(sandbox);
    let path = sandbox.lane_path("login");
    let link = "gitdir: ../../shop/.git/worktrees/login\n";
    std::fs::write(path.join(".git"), link).unwrap();
    before
}

fn renamed_before(sandbox: &Sandbox) -> String {
    let before = at_work(sandbox);
    sandbox.lane(["rename", "login", "signin"]).ok();
    before
}

fn files(sandbox: &Sandbox, path: &std::path::Path) -> String {
    let files = listing(path);
    let files = files.lines().filter(|line| !line.contains("\".git\""));
    // The stage is copied for each step: other inodes.
    let without_inode = |line: &str| {
        let parts = line.split(' ').enumerate();
        let parts = parts.filter(|(at, _)| *at != 3).map(|(_, part)| part);
        parts.collect::<Vec<_>>().join(" ")
    };
    let files: Vec<String> = files.map(without_inode).collect();
    files.join("\n") + &sandbox.git_in(path, ["status", "--porcelain"])
}

/// Between the crash and the next command: the directory is at one of its places, plain git works in it,
/// and neither its commit nor what is staged is lost.
fn is_somewhere(sandbox: &Sandbox) {
    let places = ["login", "signin", "login-deep"].map(|name| sandbox.lane_path(name));
    let by_hand = sandbox.root().join("by-hand");
    let there: Vec<PathBuf> = places
        .into_iter()
        .chain([by_hand])
        .filter(|path| path.join(".git").exists())
        .collect();
    let [path] = &there[..] else {
        panic!("{there:?}");
    };
    assert_eq!(
        sandbox.git_in(path, ["status", "--porcelain"]),
        " M README\nA  staged\n?? new"
    );
    assert_eq!(sandbox.git_in(path, ["show", "HEAD:one"]), "one");
    // Nothing that looks for what is unused finds the lane.
    sandbox.git(["worktree", "prune", "--expire=now"]);
    sandbox.git_in(path, ["rev-parse", "HEAD"]);
}

#[track_caller]
fn is_now(sandbox: &Sandbox, name: &str, path: &std::path::Path, before: &str) {
    assert_eq!(files(sandbox, path), before);
    assert_eq!(
        sandbox.git_in(path, ["symbolic-ref", "--short", "HEAD"]),
        name
    );
    let value = |key: &str| sandbox.git(["config", key]);
    assert_eq!(value(&format!("lane.{name}.branch")), name);
    assert_eq!(
        value(&format!("lane.{name}.worktree")),
        path.to_str().unwrap()
    );
    assert_eq!(value("lane.upper.base"), format!("refs/heads/{name}"));
    assert_eq!(value(&format!("branch.{name}.description")), "what it is");
    let log = sandbox.git(["reflog", "--format=%gs", &format!("refs/heads/{name}")]);
    assert!(log.contains("login: one"), "{log}");
    let branches = sandbox.git(["for-each-ref", "--format=%(refname:short)", "refs/heads"]);
    let mut expected = ["main", "upper", name];
    expected.sort_unstable();
    assert_eq!(branches.lines().collect::<Vec<_>>(), expected);
    assert_eq!(sandbox.findings(), Vec::<String>::new());
    sandbox.nothing_left_behind(0);
}

fn renamed(sandbox: &Sandbox, before: &str) {
    is_now(sandbox, "signin", &sandbox.lane_path("signin"), before);
}

fn renamed_and_relative(sandbox: &Sandbox, before: &str) {
    renamed(sandbox, before);
    let link = std::fs::read_to_string(sandbox.lane_path("signin").join(".git")).unwrap();
    assert!(link.starts_with("gitdir: ../"), "{link}");
}

fn deepened(sandbox: &Sandbox, before: &str) {
    is_now(
        sandbox,
        "login/deep",
        &sandbox.lane_path("login-deep"),
        before,
    );
}

/// A later attempt finds the directory there, and would move it into itself.
fn moved(sandbox: &Sandbox, before: &str) {
    is_now(sandbox, "login", &sandbox.root().join("by-hand"), before);
}

fn as_before(sandbox: &Sandbox, before: &str) {
    is_now(sandbox, "login", &sandbox.lane_path("login"), before);
}

fn based(sandbox: &Sandbox, _: &str) {
    assert_eq!(
        sandbox.git(["config", "lane.upper.base"]),
        "refs/heads/main"
    );
    assert_eq!(
        sandbox.git(["config", "lane.upper.forkPoint"]),
        sandbox.git(["rev-parse", "main"])
    );
    sandbox.nothing_left_behind(0);
}
