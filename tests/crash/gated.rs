//! The scenarios behind a gate: whatever dies, git-lane has moved the base to tested trees only.

use super::scenarios::*;
use super::situations::{diverged, landed_before, nowhere};
use crate::support::{Sandbox, write};

pub const ALL: &[Scenario] = &[
    gated(
        "gated merge",
        &["finish", "login", "--strategy", "merge", "--gate", FULL],
        with_hooks,
        merged,
    ),
    gated(
        "gated squash",
        &["finish", "login", "--strategy", "squash", "--gate", FORMED],
        forming,
        formed,
    ),
    gated(
        "gated merge, base nowhere",
        &["finish", "login", "--strategy", "merge", "--gate", FULL],
        with_hooks_nowhere,
        merged,
    ),
    gated(
        "gated squash, base nowhere",
        &["finish", "login", "--strategy", "squash", "--gate", FORMED],
        forming_nowhere,
        formed,
    ),
    gated(
        "gated pair",
        &["finish", "login", "second", "--gate", BOTH],
        pair,
        both_landed,
    ),
    gated(
        "gated pair, one fails",
        &["finish", "login", "second", "--gate", "test ! -e second"],
        pair,
        one_landed,
    )
    .ending(6),
    gated(
        "check gated",
        &["check", "login", "--gate"],
        asked,
        rehearsed,
    ),
    gated("undo gated", &["undo", "login"], landed_gated, taken_back),
    gated(
        "undo pair",
        &["undo", "--yes", "login"],
        landed_together,
        both_back,
    ),
    gated(
        "undo --revert gated",
        &["undo", "--revert", "login"],
        landed_before_gated,
        reverted,
    ),
];

/// Gates that succeed on what is to land alone.
const FULL: &str = "test -f new.txt -a -f other.txt";
const FORMED: &str = "test -f formed";
const BOTH: &str = "test -f new.txt -a -f second";

const fn gated(
    name: &'static str,
    args: &'static [&'static str],
    prepare: fn(&Sandbox) -> String,
    whole: fn(&Sandbox, &str),
) -> Scenario {
    Scenario::new(name, args, prepare, whole).halfway(on_tested_trees)
}

fn on_tested_trees(sandbox: &Sandbox) {
    assert_eq!(sandbox.untested_moves(), Vec::<String>::new());
}

/// A lane whose landing hooks look at.
fn with_hooks(sandbox: &Sandbox) -> String {
    let tip = diverged(sandbox);
    hooks(sandbox);
    tip
}

fn with_hooks_nowhere(sandbox: &Sandbox) -> String {
    let tip = nowhere(sandbox);
    hooks(sandbox);
    tip
}

fn hooks(sandbox: &Sandbox) {
    sandbox.hook("pre-merge-commit", "test -f new.txt");
    sandbox.hook("commit-msg", "echo checked >>\"$1\"");
}

/// ... or add to.
fn forming(sandbox: &Sandbox) -> String {
    let tip = diverged(sandbox);
    sandbox.hook("pre-commit", "echo formed >formed && git add formed");
    tip
}

fn forming_nowhere(sandbox: &Sandbox) -> String {
    let tip = forming(sandbox);
    sandbox.git(["switch", "-q", "--detach"]);
    tip
}

fn formed(sandbox: &Sandbox, tip: &str) {
    on_tested_trees(sandbox);
    assert_eq!(sandbox.git(["show", "main:formed"]), "formed");
    squashed(sandbox, tip);
}

fn merged(sandbox: &Sandbox, tip: &str) {
    on_tested_trees(sandbox);
    let message = sandbox.git(["log", "-1", "--format=%B", "main"]);
    assert!(message.contains("checked"), "{message}");
    super::scenarios::merged(sandbox, tip);
}

/// Two lanes; the tip of the base is returned.
fn pair(sandbox: &Sandbox) -> String {
    diverged(sandbox);
    let second = sandbox.lane_path("second");
    let second = second.to_str().unwrap();
    sandbox.git(["worktree", "add", "-q", "-b", "second", second, "main"]);
    sandbox.record_of(
        "second",
        &[
            ("id", "0123456789abcdee"),
            ("branch", "second"),
            ("worktree", second),
            ("base", "refs/heads/main"),
            ("forkPoint", &sandbox.git(["rev-parse", "main"])),
            ("owner", "tester"),
            ("created", "2023-11-14T22:13:20Z"),
        ],
    );
    sandbox.work("second", "second", "second\n");
    sandbox.git(["rev-parse", "main"])
}

fn both_landed(sandbox: &Sandbox, tip: &str) {
    on_tested_trees(sandbox);
    let landed = sandbox.git(["rev-list", "--first-parent", &format!("{tip}..main")]);
    assert_eq!(landed.lines().count(), 2, "{landed}");
    for file in ["new.txt", "second"] {
        assert!(sandbox.repo.join(file).is_file(), "{file}");
    }
    assert_eq!(sandbox.git(["status", "--porcelain"]), " M README");
    gone(sandbox);
    sandbox.nothing_left_behind(2);
}

fn one_landed(sandbox: &Sandbox, tip: &str) {
    on_tested_trees(sandbox);
    let landed = sandbox.git(["rev-list", "--first-parent", &format!("{tip}..main")]);
    assert_eq!(landed.lines().count(), 1, "{landed}");
    assert!(sandbox.repo.join("new.txt").is_file());
    assert!(!sandbox.repo.join("second").exists());
    assert_eq!(sandbox.git(["status", "--porcelain"]), " M README");
    worktrees(sandbox, 2);
    let second = sandbox.lane_path("second");
    assert_eq!(sandbox.git_in(&second, ["status", "--porcelain"]), "");
    sandbox.nothing_left_behind(1);
}

/// The user's own gate.
fn policy(sandbox: &Sandbox, gate: &str) {
    let file = sandbox.root().join("home/.config/git-lane/lane.toml");
    write(&file, format!("[finish]\ngate = \"{gate}\"\n"));
}

fn asked(sandbox: &Sandbox) -> String {
    diverged(sandbox);
    policy(sandbox, FULL);
    state(sandbox, &sandbox.lane_path("login"))
}

/// Nothing has landed, and what the gate has said is known.
fn rehearsed(sandbox: &Sandbox, before: &str) {
    // What the gate's worktree needs is kept.
    let ours = sandbox.git(["for-each-ref", "--format=%(refname)", "refs/lane/gate"]);
    for name in ours.lines() {
        sandbox.git(["update-ref", "-d", name]);
    }
    let after = state(sandbox, &sandbox.lane_path("login"));
    assert!(after == before, "{before}\n---- now\n{after}");
    sandbox.nothing_left_behind(0);
    let said = sandbox.lane(["finish", "login"]).ok();
    on_tested_trees(sandbox);
    assert!(!said.contains("$ test"), "{said}");
}

/// A landing whose gate passes without it as well.
fn landed_gated(sandbox: &Sandbox) -> String {
    diverged(sandbox);
    policy(sandbox, "test -f other.txt");
    let before = state(sandbox, &sandbox.lane_path("login"));
    sandbox.lane(["finish", "login"]).ok();
    before
}

fn taken_back(sandbox: &Sandbox, before: &str) {
    on_tested_trees(sandbox);
    let ours = sandbox.git(["for-each-ref", "--format=%(refname)", "refs/lane/gate"]);
    for name in ours.lines() {
        sandbox.git(["update-ref", "-d", name]);
    }
    super::scenarios::taken_back(sandbox, before);
}

fn landed_together(sandbox: &Sandbox) -> String {
    let tip = pair(sandbox);
    policy(sandbox, "test -f other.txt");
    sandbox.lane(["finish", "login", "second"]).ok();
    tip
}

fn both_back(sandbox: &Sandbox, tip: &str) {
    on_tested_trees(sandbox);
    assert_eq!(sandbox.git(["rev-parse", "main"]), tip);
    assert_eq!(sandbox.git(["status", "--porcelain"]), " M README");
    for (lane, file) in [("login", "new.txt"), ("second", "second")] {
        let path = sandbox.lane_path(lane);
        assert!(path.join(file).is_file(), "{lane}");
        assert_eq!(sandbox.git_in(&path, ["status", "--porcelain"]), "");
    }
    worktrees(sandbox, 3);
    sandbox.nothing_left_behind(0);
}

fn landed_before_gated(sandbox: &Sandbox) -> String {
    policy(sandbox, "test -f README");
    landed_before(sandbox)
}

fn reverted(sandbox: &Sandbox, tip: &str) {
    on_tested_trees(sandbox);
    super::scenarios::reverted(sandbox, tip);
}
