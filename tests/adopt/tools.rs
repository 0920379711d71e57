//! What each program makes, and which lane comes of it.

use std::path::PathBuf;

use crate::support::Sandbox;

/// A program, how it makes its worktree from the main one (`$1`), and the lane: name, branch, place.
type Tool = (
    &'static str,
    &'static str,
    &'static str,
    Option<&'static str>,
    &'static str,
);

const TOOLS: [Tool; 7] = [
    (
        "git itself",
        "git worktree add -q ../login",
        "login",
        Some("login"),
        "login",
    ),
    (
        "Claude Code",
        "git worktree add -q -b worktree-fix .claude/worktrees/fix && git worktree lock --reason 'claude' .claude/worktrees/fix",
        "worktree-fix",
        Some("worktree-fix"),
        "shop/.claude/worktrees/fix",
    ),
    (
        "Codex",
        "git worktree add -q --detach ../home/.codex/worktrees/3f9a/shop",
        "3f9a",
        None,
        "home/.codex/worktrees/3f9a/shop",
    ),
    (
        "Cursor",
        "git worktree add -q --detach ../home/.cursor/worktrees/shop/Xk2",
        "Xk2",
        None,
        "home/.cursor/worktrees/shop/Xk2",
    ),
    (
        "worktrunk",
        "git worktree add -q -b feature/cart ../shop.feature-cart",
        "feature/cart",
        Some("feature/cart"),
        "shop.feature-cart",
    ),
    (
        "Copilot",
        "git worktree add -q -b copilot/one ../shop.worktrees/one",
        "copilot/one",
        Some("copilot/one"),
        "shop.worktrees/one",
    ),
    (
        "Gemini",
        "git worktree add -q -b gem .gemini/worktrees/gem",
        "gem",
        Some("gem"),
        "shop/.gemini/worktrees/gem",
    ),
];

#[test]
fn each_of_them_becomes_a_lane_where_it_is() {
    let sandbox = Sandbox::new();
    for (tool, script, name, branch, place) in TOOLS {
        sandbox.sh(script).ok();
        let path = sandbox.root().join(place);
        let before = super::untouched(&sandbox, &path);
        let named = branch.unwrap_or(path.to_str().unwrap());
        let foreseen = sandbox.lane(["adopt", named, "-n", "--json"]).json();
        let document = sandbox.lane(["adopt", named, "--json"]).json();
        assert_eq!(foreseen["lane"], document["lane"], "{tool}");
        assert_eq!(document["lane"], name, "{tool}");
        assert_eq!(document["branch"], serde_json::json!(branch), "{tool}");
        assert_eq!(document["path"], path.to_str().unwrap(), "{tool}");
        assert_eq!(document["base"], "refs/heads/main", "{tool}");
        assert_eq!(document["owner"], "tester", "{tool}");
        assert!(super::untouched(&sandbox, &path) == before, "{tool}");
        let shown = sandbox.lane(["show", name, "--json"]).json();
        assert_eq!(shown["path"], path.to_str().unwrap(), "{tool}");
        assert_eq!(shown["state"], "clean", "{tool}");
        sandbox.lane(["drop", name]).ok();
        assert!(super::untouched(&sandbox, &path) == before, "{tool}");
    }
    sandbox.nothing_left_behind(0);
}

#[test]
fn all_of_them_are_adopted_at_once() {
    let sandbox = Sandbox::new();
    let all: Vec<&str> = TOOLS.iter().map(|(_, script, ..)| *script).collect();
    sandbox.sh(&all.join(" && ")).ok();
    sandbox.lane(["start", "own"]).ok();
    let foreseen = sandbox.lane(["adopt", "--all", "-n", "--json"]).json();
    let done = sandbox
        .lane(["adopt", "--all", "--owner", "agents", "--json"])
        .json();
    let names = |document: &serde_json::Value| {
        let lanes = document["lanes"].as_array().unwrap();
        let mut names: Vec<String> = lanes
            .iter()
            .map(|lane| lane["lane"].as_str().unwrap().to_owned())
            .collect();
        names.sort();
        names
    };
    let mut wanted: Vec<&str> = TOOLS.iter().map(|(_, _, name, ..)| *name).collect();
    wanted.sort_unstable();
    assert_eq!(names(&done), wanted);
    assert_eq!(names(&foreseen), wanted);
    for lane in done["lanes"].as_array().unwrap() {
        assert_eq!(
            (&lane["verdict"], &lane["owner"]),
            (&"adopted".into(), &"agents".into())
        );
    }
    let again = sandbox.lane(["adopt", "--all"]);
    assert_eq!(
        (again.code, &*again.stderr, &*again.stdout),
        (0, "no worktree is left that could become a lane\n", "")
    );
}

#[test]
fn names_that_collide_get_a_number_and_no_branch_tells_the_owner() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    let place = |at: &str| -> PathBuf { sandbox.root().join(at) };
    for at in ["a/login", "b/login"] {
        let path = place(at);
        sandbox.git(["worktree", "add", "-q", "--detach", path.to_str().unwrap()]);
    }
    let done = sandbox.lane(["adopt", "--all", "--json"]).json();
    let mut names: Vec<&str> = done["lanes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|lane| lane["lane"].as_str().unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["login-2", "login-3"]);

    sandbox.write(".git/lane/lane.toml", "start.branch = \"{owner}/{name}\"\n");
    sandbox.add_worktree("ann/cart", &place("cart"));
    let of = |owner: &str| {
        let mut command = sandbox.command("git-lane");
        command.args(["adopt", "ann/cart", "-n", "--json"]);
        sandbox.run(command.env("GIT_LANE_OWNER", owner)).json()
    };
    assert_eq!(
        (&of("ann")["lane"], &of("ann")["owner"]),
        (&"cart".into(), &"ann".into())
    );
    assert_eq!(
        (&of("bob")["lane"], &of("bob")["owner"]),
        (&"ann/cart".into(), &"bob".into())
    );
}

#[test]
fn the_base_is_the_one_that_is_named_that_is_followed_or_that_is_usual() {
    let sandbox = Sandbox::new();
    let fork = sandbox.git(["rev-parse", "main"]);
    sandbox.git(["branch", "-q", "develop"]);
    sandbox.git(["branch", "-q", "release"]);
    let path = super::by_hand(&sandbox, "login");
    sandbox.write("main", "main\n");
    sandbox.commit("main moves on");
    let base = |args: &[&str]| {
        let args = ["adopt", "login", "-n", "--json"].iter().chain(args);
        let document = sandbox.lane(args).json();
        assert_eq!(document["forkPoint"], fork, "{document}");
        document["base"].clone()
    };
    assert_eq!(base(&[]), "refs/heads/main");
    assert_eq!(base(&["--base", "release"]), "refs/heads/release");
    sandbox.write(".git/lane/lane.toml", "start.base = \"develop\"\n");
    assert_eq!(base(&[]), "refs/heads/develop");
    sandbox.git(["branch", "-q", "--set-upstream-to=release", "login"]);
    assert_eq!(base(&[]), "refs/heads/release");
    // Its like on a remote is where it is published.
    sandbox.git(["remote", "add", "origin", "."]);
    sandbox.git(["fetch", "-q", "origin"]);
    sandbox.git(["branch", "-q", "--set-upstream-to=origin/login", "login"]);
    assert_eq!(base(&[]), "refs/heads/develop");
    sandbox.git(["branch", "-q", "--set-upstream-to=origin/release", "login"]);
    assert_eq!(base(&[]), "refs/heads/release");
    sandbox.git_in(&path, ["status"]);
}

#[test]
fn names_are_data() {
    let sandbox = Sandbox::new();
    let branch = "$(touch${IFS}pwned);'x\"";
    let path = sandbox.root().join("a b\n\u{1b}[2J-c");
    sandbox.add_worktree(branch, &path);
    let odd = sandbox.root().join("--force");
    let odd = odd.to_str().unwrap();
    sandbox.git(["worktree", "add", "-q", "--detach", odd]);
    let told = sandbox.lane(["adopt", "--all"]).ok();
    assert_eq!(told.lines().count(), 2, "{told:?}");
    assert!(!told.contains('\u{1b}'), "{told:?}");
    let list = sandbox.lane(["list", "--json"]).json();
    let names = list["lanes"].as_array().unwrap().iter();
    let names: Vec<&str> = names.filter_map(|lane| lane["lane"].as_str()).collect();
    assert!(
        names.contains(&branch) && names.contains(&"force"),
        "{names:?}"
    );
    let told = sandbox.lane(["drop", branch]).ok();
    let line = told.rsplit_once("with: ").unwrap().1.trim_end();
    sandbox.sh(&format!("{line} && test ! -e pwned")).ok();
    assert!(!path.exists());
}
