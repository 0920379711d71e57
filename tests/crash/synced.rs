//! Syncs that are stopped: what they find, and what must be true afterwards.

use super::scenarios::Scenario;
use crate::support::{Sandbox, write};

pub const ALL: &[Scenario] = &[
    Scenario::new("sync merge", &["sync", "login"], diverged, merged),
    Scenario::new(
        "sync rebase",
        &["sync", "login", "--strategy", "rebase"],
        diverged,
        rebased,
    ),
    Scenario::new("sync forward", &["sync", "login"], unused, forwarded),
    Scenario::new("sync in place", &["sync", "login"], in_place, merged),
    Scenario::new(
        "sync rebase in place",
        &["sync", "login", "--strategy", "rebase"],
        in_place,
        rebased,
    ),
    Scenario::new(
        "sync a stack",
        &["sync", "above", "login"],
        stacked,
        whole_stack,
    ),
    Scenario::new(
        "sync --fetch",
        &["sync", "login", "--fetch"],
        behind,
        fetched,
    ),
    Scenario::new(
        "start --fetch",
        &["start", "login", "--fetch"],
        base_behind,
        started_there,
    ),
    Scenario::new("sync conflict", &["sync", "login"], conflicting, as_before).ending(3),
];

/// Uncommitted work in the lane, which the base does not meet.
fn at_work(sandbox: &Sandbox) {
    let path = sandbox.lane_path("login");
    write(&path.join("README"), "edited\n");
    write(&path.join("staged.txt"), "staged\n");
    sandbox.git_in(&path, ["add", "staged.txt"]);
    write(&path.join("untracked.txt"), "untracked\n");
}

fn still_at_work(sandbox: &Sandbox) {
    let path = sandbox.lane_path("login");
    assert_eq!(
        sandbox.git_in(&path, ["status", "--porcelain"]),
        " M README\nA  staged.txt\n?? untracked.txt"
    );
    for (file, content) in [("README", "edited\n"), ("untracked.txt", "untracked\n")] {
        assert_eq!(std::fs::read_to_string(path.join(file)).unwrap(), content);
    }
}

fn advance(sandbox: &Sandbox) {
    sandbox.write("src/app.txt", "ONE\ntwo\nthree\n");
    sandbox.git(["mv", "-k", "gone.txt", "moved.txt"]);
    sandbox.write("other/deep.txt", "other\n");
    sandbox.commit("other");
}

fn diverged(sandbox: &Sandbox) -> String {
    sandbox.write("gone.txt", "gone\n");
    sandbox.commit("gone");
    sandbox.lane_by_git("login");
    sandbox.work("login", "src/app.txt", "one\ntwo\nTHREE\n");
    sandbox.work("login", "new.txt", "new\n");
    advance(sandbox);
    at_work(sandbox);
    sandbox.git(["rev-parse", "login"])
}

/// ... and a base that changes attributes, so that git has to write the files in place.
fn in_place(sandbox: &Sandbox) -> String {
    let tip = diverged(sandbox);
    sandbox.write(".gitattributes", "*.bin binary\n");
    sandbox.commit("attributes");
    tip
}

fn unused(sandbox: &Sandbox) -> String {
    sandbox.lane_by_git("login");
    advance(sandbox);
    at_work(sandbox);
    sandbox.git(["rev-parse", "login"])
}

fn stacked(sandbox: &Sandbox) -> String {
    let tip = diverged(sandbox);
    sandbox.lane(["start", "above", "--base", "login"]).ok();
    sandbox.work("above", "above.txt", "above\n");
    tip
}

fn behind(sandbox: &Sandbox) -> String {
    let tip = diverged(sandbox);
    sandbox.with_origin_inside();
    sandbox.git(["reset", "-q", "--hard", "HEAD~1"]);
    tip
}

fn conflicting(sandbox: &Sandbox) -> String {
    sandbox.lane_by_git("login");
    sandbox.work("login", "src/app.txt", "one\ntwo\nTHREE\n");
    sandbox.write("src/app.txt", "one\ntwo\nthird\n");
    sandbox.commit("other");
    at_work(sandbox);
    sandbox.git(["rev-parse", "login"])
}

fn up_to_date(sandbox: &Sandbox) {
    assert_eq!(sandbox.git(["rev-list", "--count", "login..main"]), "0");
    assert_eq!(
        sandbox.git(["config", "lane.login.forkPoint"]),
        sandbox.git(["rev-parse", "main"])
    );
    still_at_work(sandbox);
    sandbox.nothing_left_behind(0);
}

fn merged(sandbox: &Sandbox, tip: &str) {
    assert_eq!(
        sandbox.git(["rev-list", "--count", "--merges", "login"]),
        "1"
    );
    assert_eq!(sandbox.git(["rev-parse", "login^1"]), tip);
    assert_eq!(
        sandbox.git(["show", "login:src/app.txt"]),
        "ONE\ntwo\nTHREE"
    );
    assert!(!sandbox.lane_path("login").join("gone.txt").exists());
    up_to_date(sandbox);
}

fn rebased(sandbox: &Sandbox, _: &str) {
    assert_eq!(
        sandbox.git(["log", "--format=%s", "main..login"]),
        "login: new.txt\nlogin: src/app.txt"
    );
    assert_eq!(
        sandbox.git(["show", "login:src/app.txt"]),
        "ONE\ntwo\nTHREE"
    );
    up_to_date(sandbox);
}

fn forwarded(sandbox: &Sandbox, _: &str) {
    assert_eq!(
        sandbox.git(["rev-parse", "login"]),
        sandbox.git(["rev-parse", "main"])
    );
    up_to_date(sandbox);
}

fn whole_stack(sandbox: &Sandbox, tip: &str) {
    assert_eq!(sandbox.git(["rev-list", "--count", "above..login"]), "0");
    let path = sandbox.lane_path("above");
    assert_eq!(sandbox.git_in(&path, ["status", "--porcelain"]), "");
    merged(sandbox, tip);
}

/// Where a git that was to look at the base's worktree is struck alone, the base stays, that is
/// said, and the lane takes it as it is.
fn fetched(sandbox: &Sandbox, tip: &str) {
    assert_eq!(sandbox.git(["status", "--porcelain"]), "");
    let main = sandbox.git(["rev-parse", "main"]);
    if main == sandbox.git(["rev-parse", "origin/main"]) {
        return merged(sandbox, tip);
    }
    assert_eq!(main, sandbox.git(["rev-parse", "origin/main^"]));
    as_before(sandbox, tip);
}

/// A base that has uncommitted work beside it, and lacks what its remote has.
fn base_behind(sandbox: &Sandbox) -> String {
    sandbox.git(["rm", "-q", "src/app.txt"]);
    sandbox.write("x", "x");
    let new = sandbox.commit("theirs");
    let remote = sandbox.root().join("shop/.git/remote");
    sandbox.git(["clone", "-q", "--bare", ".", remote.to_str().unwrap()]);
    sandbox.git(["remote", "add", "origin", remote.to_str().unwrap()]);
    sandbox.git(["fetch", "-q", "origin"]);
    sandbox.git(["branch", "-q", "--set-upstream-to=origin/main", "main"]);
    sandbox.git(["reset", "-q", "--hard", "HEAD~1"]);
    sandbox.write("README", "edited\n");
    new
}

fn started_there(sandbox: &Sandbox, new: &str) {
    assert_eq!(sandbox.git(["rev-parse", "login"]), new);
    assert_eq!(sandbox.git(["rev-parse", "main"]), new);
    assert_eq!(sandbox.git(["status", "--porcelain"]), " M README");
    assert!(sandbox.repo.join("x").exists() && !sandbox.repo.join("src").exists());
    sandbox.nothing_left_behind(0);
}

fn as_before(sandbox: &Sandbox, tip: &str) {
    assert_eq!(sandbox.git(["rev-parse", "login"]), tip);
    still_at_work(sandbox);
    sandbox.nothing_left_behind(0);
}
