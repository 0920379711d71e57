//! The commands that are stopped, what they find, and what must be true afterwards.

use std::path::Path;

use super::situations::*;
use crate::support::{Sandbox, listing};

pub struct Scenario {
    pub name: &'static str,
    pub args: &'static [&'static str],
    /// The exit code where nothing stops it.
    pub ends: i32,
    /// Makes what the command finds; returns what the other two want to compare with.
    pub prepare: fn(&Sandbox) -> String,
    /// Beyond plain git working, between the crash and the next command.
    pub halfway: fn(&Sandbox),
    /// In the end.
    pub whole: fn(&Sandbox, &str),
}

impl Scenario {
    /// A command that succeeds, and of which nothing is asked halfway.
    pub const fn new(
        name: &'static str,
        args: &'static [&'static str],
        prepare: fn(&Sandbox) -> String,
        whole: fn(&Sandbox, &str),
    ) -> Self {
        Scenario {
            name,
            args,
            ends: 0,
            prepare,
            halfway: |_| {},
            whole,
        }
    }

    /// ... that must hold between the crash and the next command.
    pub const fn halfway(self, halfway: fn(&Sandbox)) -> Self {
        Scenario { halfway, ..self }
    }

    /// ... that ends with this exit code.
    pub const fn ending(self, ends: i32) -> Self {
        Scenario { ends, ..self }
    }
}

const ALL: &[Scenario] = &[
    Scenario::new("start", &["start", "login"], nothing, started),
    Scenario::new("start filtered", &["start", "login"], filtered, started),
    Scenario::new("start by git", &["start", "login"], split, started),
    finish(
        "finish merge",
        &["finish", "login", "--strategy", "merge"],
        diverged,
        merged,
    ),
    finish(
        "finish removing",
        &["finish", "login", "--strategy", "merge"],
        removing,
        emptied,
    ),
    finish(
        "finish in place",
        &["finish", "login", "--strategy", "merge"],
        in_place,
        merged,
    ),
    finish(
        "finish squash",
        &["finish", "login", "--strategy", "squash"],
        diverged,
        squashed,
    ),
    finish(
        "finish rebase",
        &["finish", "login", "--strategy", "rebase"],
        diverged,
        rebased,
    ),
    finish(
        "finish ff",
        &["finish", "login", "--strategy", "ff"],
        ahead,
        forwarded,
    ),
    finish(
        "finish merge, base nowhere",
        &["finish", "login", "--strategy", "merge"],
        nowhere,
        merged,
    ),
    finish(
        "finish squash, base nowhere",
        &["finish", "login", "--strategy", "squash"],
        nowhere,
        squashed,
    ),
    finish(
        "finish rebase, base nowhere",
        &["finish", "login", "--strategy", "rebase"],
        nowhere,
        rebased,
    ),
    finish(
        "finish ff, base nowhere",
        &["finish", "login", "--strategy", "ff"],
        ahead_of_nowhere,
        forwarded,
    ),
    Scenario::new("drop", &["drop", "--yes", "login"], working, dropped),
    Scenario::new("drop packed", &["drop", "--yes", "login"], packed, dropped),
    Scenario::new("drop hooked", &["drop", "--yes", "login"], hooked, dropped),
    Scenario::new("restore", &["restore", "login"], removed, restored),
    Scenario::new("prune", &["prune"], integrated, pruned),
    Scenario::new("undo landing", &["undo", "login"], landed, taken_back),
    Scenario::new(
        "undo in place",
        &["undo", "login"],
        landed_in_place,
        taken_back,
    ),
    Scenario::new(
        "undo landing, base nowhere",
        &["undo", "login"],
        landed_nowhere,
        taken_back,
    ),
    Scenario::new(
        "undo --revert",
        &["undo", "--revert", "login"],
        landed_before,
        reverted,
    ),
    Scenario::new("undo drop", &["undo", "login"], removed, restored),
    Scenario::new("undo prune", &["undo", "login"], pruned_away, restored),
    Scenario::new("undo start", &["undo", "login"], begun, put_away),
    Scenario::new("undo restore", &["undo", "login"], returned, put_away),
    Scenario::new("init", &["init"], with_a_hook, in_force).halfway(commits),
    Scenario::new("doctor --fix", &["doctor", "--fix"], in_disorder, mended),
];

/// Those, starts of several lanes, those behind a gate, and syncs.
pub fn all() -> impl Iterator<Item = &'static Scenario> {
    ALL.iter()
        .chain(super::claimed::ALL)
        .chain(super::fanned::ALL)
        .chain(super::gated::ALL)
        .chain(super::relocated::ALL)
        .chain(super::moving::ALL)
        .chain(super::pushed::ALL)
        .chain(super::synced::ALL)
        .chain(super::tried::ALL)
        .chain(super::resolving::ALL)
}

pub fn find(name: &str) -> &'static Scenario {
    all().find(|scenario| scenario.name == name).unwrap()
}

const fn finish(
    name: &'static str,
    args: &'static [&'static str],
    prepare: fn(&Sandbox) -> String,
    whole: fn(&Sandbox, &str),
) -> Scenario {
    Scenario::new(name, args, prepare, whole).halfway(landed_at_most_once)
}

pub fn taken_back(sandbox: &Sandbox, before: &str) {
    restored(sandbox, before);
    assert_eq!(sandbox.git(["log", "-1", "--format=%s", "main"]), "other");
    assert_eq!(sandbox.git(["status", "--porcelain"]), " M README");
    assert!(!sandbox.repo.join("new.txt").exists());
}

pub fn reverted(sandbox: &Sandbox, tip: &str) {
    assert_eq!(sandbox.git(["rev-parse", "main^"]), tip);
    assert_eq!(sandbox.git(["status", "--porcelain"]), " M README");
    assert!(!sandbox.repo.join("new.txt").exists());
    sandbox.nothing_left_behind(1);
}

fn put_away(sandbox: &Sandbox, _: &str) {
    gone(sandbox);
    sandbox.nothing_left_behind(1);
}

pub fn started(sandbox: &Sandbox, _: &str) {
    let path = sandbox.lane_path("login");
    assert_eq!(
        sandbox.git_in(&path, ["symbolic-ref", "HEAD"]),
        "refs/heads/login"
    );
    assert_eq!(sandbox.git_in(&path, ["status", "--porcelain"]), "");
    assert_eq!(
        sandbox.git(["config", "lane.login.worktree"]),
        path.to_str().unwrap()
    );
    worktrees(sandbox, 2);
    sandbox.nothing_left_behind(0);
}

fn landed_at_most_once(sandbox: &Sandbox) {
    let subjects = sandbox.git(["log", "--first-parent", "--format=%s", "main"]);
    let landed = subjects
        .lines()
        .take_while(|subject| !matches!(*subject, "first" | "other"))
        .count();
    assert!(landed <= 2, "{subjects}");
    assert!(
        sandbox
            .git(["rev-list", "--count", "--merges", "main"])
            .parse::<u32>()
            .unwrap()
            <= 1
    );
}

pub fn merged(sandbox: &Sandbox, tip: &str) {
    assert_eq!(
        sandbox.git(["rev-list", "--count", "--merges", "main"]),
        "1"
    );
    assert_eq!(sandbox.git(["rev-parse", "main^2"]), tip);
    assert_eq!(sandbox.git(["log", "-1", "--format=%s", "main^1"]), "other");
    finished(sandbox);
}

fn emptied(sandbox: &Sandbox, tip: &str) {
    merged(sandbox, tip);
    assert!(!sandbox.repo.join("src").exists());
}

pub fn squashed(sandbox: &Sandbox, _: &str) {
    assert_eq!(sandbox.git(["rev-list", "--count", "main"]), "3");
    finished(sandbox);
}

fn rebased(sandbox: &Sandbox, _: &str) {
    assert_eq!(
        sandbox.git(["log", "--format=%s", "main"]),
        "login: new.txt\nlogin: src/app.txt\nother\nfirst"
    );
    finished(sandbox);
}

pub fn forwarded(sandbox: &Sandbox, tip: &str) {
    assert_eq!(sandbox.git(["rev-parse", "main"]), tip);
    finished(sandbox);
}

pub fn finished(sandbox: &Sandbox) {
    assert_eq!(sandbox.git(["status", "--porcelain"]), " M README");
    assert_eq!(sandbox.git(["show", "main:new.txt"]), "new");
    if sandbox.git(["rev-parse", "--abbrev-ref", "HEAD"]) == "main" {
        assert_eq!(
            std::fs::read_to_string(sandbox.repo.join("new.txt")).unwrap(),
            "new\n"
        );
    }
    gone(sandbox);
    sandbox.nothing_left_behind(1);
}

fn removed(sandbox: &Sandbox) -> String {
    let before = working(sandbox);
    sandbox.lane(["drop", "--yes", "login"]).ok();
    before
}

fn dropped(sandbox: &Sandbox, before: &str) {
    gone(sandbox);
    sandbox.nothing_left_behind(1);
    sandbox.lane(["restore", "login"]).ok();
    restored(sandbox, before);
}

fn restored(sandbox: &Sandbox, before: &str) {
    let after = state(sandbox, &sandbox.lane_path("login"));
    assert!(
        after == before,
        "not what it was before:\n{before}\n---- now\n{after}"
    );
    worktrees(sandbox, 2);
    sandbox.nothing_left_behind(0);
}

fn pruned(sandbox: &Sandbox, _: &str) {
    gone(sandbox);
    sandbox.nothing_left_behind(1);
}

/// Plain git does what nothing forbids, and another tool's hook runs.
fn commits(sandbox: &Sandbox) {
    let ran = || {
        std::fs::read(sandbox.root().join("home/ran"))
            .unwrap_or_default()
            .len()
    };
    let before = ran();
    let path = sandbox.lane_path("login");
    sandbox.git_in(&path, ["commit", "-q", "--allow-empty", "-m", "halfway"]);
    sandbox.git_in(&path, ["checkout", "-q", "login"]);
    assert!(ran() > before, "the hook that was there did not run");
}

fn in_force(sandbox: &Sandbox, _: &str) {
    sandbox.lane(["init", "--check"]).ok();
    commits(sandbox);
    let path = sandbox.lane_path("login");
    let mut switch = sandbox.command("git");
    assert_ne!(
        sandbox
            .run(switch.current_dir(&path).args(["switch", "topic"]))
            .code,
        0
    );
    assert_eq!(
        sandbox.git_in(&path, ["symbolic-ref", "--short", "HEAD"]),
        "login"
    );
    sandbox.nothing_left_behind(0);
    sandbox.lane(["init", "--uninstall"]).ok();
    commits(sandbox);
    let hooks = std::fs::read_dir(sandbox.repo.join(".git/hooks"))
        .unwrap()
        .flatten();
    let hooks: Vec<_> = hooks
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    let left: Vec<_> = hooks
        .iter()
        .filter(|name| !name.ends_with(".sample") && *name != "post-checkout")
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

fn mended(sandbox: &Sandbox, _: &str) {
    sandbox.lane(["doctor"]).ok();
    let stray = sandbox.lane_path("stray");
    assert_eq!(
        sandbox.git_in(&stray, ["symbolic-ref", "--short", "HEAD"]),
        "stray"
    );
    assert_eq!(sandbox.git_in(&stray, ["diff", "main"]), "");
    assert!(!stray.join("there").exists());
    for name in ["stray", "twice", "again", "cut", "elsewhere"] {
        assert_eq!(
            sandbox.git_in(&sandbox.lane_path(name), ["status", "--porcelain"]),
            "",
            "{name}"
        );
    }
    assert_eq!(
        sandbox.git_in(
            &sandbox.lane_path("lost"),
            ["status", "--porcelain", "--branch"]
        ),
        "## lost\n M README"
    );
    assert_eq!(
        sandbox.git_in(
            &sandbox.lane_path("again"),
            ["rev-parse", "--abbrev-ref", "HEAD"]
        ),
        "HEAD"
    );
    worktrees(sandbox, 8);
    assert_eq!(sandbox.git(["config", "lane.renamed.branch"]), "called");
    assert_eq!(
        sandbox.git(["config", "lane.moved.worktree"]),
        sandbox.lane_path("elsewhere").to_str().unwrap()
    );
    sandbox.nothing_left_behind(0);
}

pub fn gone(sandbox: &Sandbox) {
    assert!(!sandbox.lane_path("login").exists());
    assert_eq!(
        sandbox.git(["for-each-ref", "--format=%(refname)", "refs/heads"]),
        "refs/heads/main"
    );
    assert!(
        !sandbox
            .git(["config", "--list", "--local"])
            .contains("login")
    );
    assert!(!sandbox.repo.join(".git/logs/refs/heads/login").exists());
    worktrees(sandbox, 1);
}

/// As many admin directories as git lists, and no more than `expected` worktrees.
pub fn worktrees(sandbox: &Sandbox, expected: usize) {
    assert_eq!(sandbox.git(["worktree", "list"]).lines().count(), expected);
    let admin = std::fs::read_dir(sandbox.repo.join(".git/worktrees"))
        .into_iter()
        .flatten()
        .count();
    assert_eq!(admin + 1, expected);
}

/// Files, index, reflog, settings and record; without times and inodes, which the copying of a
/// stage changes.
pub fn state(sandbox: &Sandbox, path: &Path) -> String {
    let mut config: Vec<String> = sandbox
        .git(["config", "--list", "--local"])
        .lines()
        .map(str::to_owned)
        .collect();
    config.sort();
    let files = listing(path);
    let lasting = |line: &str| {
        line.split(' ')
            .filter(|word| !word.contains('.') || word.contains('"'))
            .collect::<Vec<_>>()
            .join(" ")
    };
    [
        files.lines().map(lasting).collect::<Vec<_>>().join("\n"),
        sandbox.git_in(path, ["status", "--porcelain"]),
        sandbox.git_in(path, ["ls-files", "--stage"]),
        sandbox.git_in(path, ["reflog", "login"]),
        sandbox.git_in(path, ["reflog", "HEAD"]),
        sandbox.git(["for-each-ref"]),
        config.join("\n"),
    ]
    .join("\n--\n")
}
