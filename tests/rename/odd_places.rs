//! Reftables, relative links, directories that may not be written, file systems that fold cases.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::{assert_is, begin, content};
use crate::support::{Sandbox, git_version, skipped};

#[test]
fn where_refs_are_a_reftable() {
    if git_version() < (2, 45) {
        return skipped("git has no reftable");
    }
    let sandbox = Sandbox::empty();
    sandbox.git(["init", "-q", "-b", "main", "--ref-format=reftable"]);
    sandbox.write("README", "one\n");
    sandbox.write("src/app.txt", "one\n");
    sandbox.commit("one");
    begin(&sandbox);
    sandbox.git(["config", "branch.login.description", "what it is"]);
    sandbox.lane(["start", "upper", "--base", "login"]).ok();
    let before = content(&sandbox, "login", &sandbox.lane_path("login"));
    for (from, to, directory) in [
        ("login", "signin", "signin"),
        ("signin", "signin/deep", "signin-deep"),
        ("signin/deep", "signin", "signin"),
    ] {
        sandbox.lane(["rename", from, to]).ok();
        let path = sandbox.lane_path(directory);
        assert_is(&sandbox, to, to, &path);
        assert_eq!(content(&sandbox, to, &path), before);
        let base = sandbox.git(["config", "lane.upper.base"]);
        assert_eq!(base, format!("refs/heads/{to}"));
    }
    assert_eq!(
        sandbox.git(["config", "branch.signin.description"]),
        "what it is"
    );
    let log = sandbox.git(["reflog", "--format=%gs", "signin"]);
    assert!(log.contains("login: one"), "{log}");
    sandbox.lane(["undo", "signin"]).ok();
    assert_is(
        &sandbox,
        "signin/deep",
        "signin/deep",
        &sandbox.lane_path("signin-deep"),
    );
}

#[test]
fn links_stay_relative_or_absolute() {
    let link = |sandbox: &Sandbox, name: &str| {
        let path = sandbox.lane_path(name);
        let read = |file: std::path::PathBuf| std::fs::read_to_string(file).unwrap();
        let dot_git = read(path.join(".git"));
        let gitdir = read(sandbox.admin(&path).join("gitdir"));
        [dot_git.contains(": /"), gitdir.starts_with('/')]
    };
    for relative in [false, true] {
        let sandbox = Sandbox::new();
        begin(&sandbox);
        let path = sandbox.lane_path("login");
        if relative {
            let admin = sandbox.admin(&path);
            // An older git reads them, and writes none.
            std::fs::write(
                path.join(".git"),
                "gitdir: ../../shop/.git/worktrees/login\n",
            )
            .unwrap();
            std::fs::write(admin.join("gitdir"), "../../../../shop.lanes/login/.git\n").unwrap();
        }
        assert_eq!(link(&sandbox, "login"), [!relative; 2]);
        let whole = |path: &Path| match relative {
            false => assert_is(&sandbox, "signin", "signin", path),
            // Only a git that writes such links (2.48) lists them well.
            true => {
                assert_eq!(
                    sandbox.git_in(path, ["symbolic-ref", "--short", "HEAD"]),
                    "signin"
                );
                sandbox.git_in(path, ["status"]);
                assert_eq!(sandbox.findings(), Vec::<String>::new());
                sandbox.nothing_under_way();
            }
        };
        sandbox.lane(["rename", "login", "signin"]).ok();
        whole(&sandbox.lane_path("signin"));
        assert_eq!(link(&sandbox, "signin"), [!relative; 2]);
        sandbox.lane(["move", "signin", "inside"]).ok();
        let inside = sandbox.repo.join("inside");
        whole(&inside);
        // It is ignored where it is inside of the main worktree, and the line goes with it.
        assert_eq!(sandbox.git(["status", "--porcelain"]), "");
        sandbox.lane(["undo", "signin"]).ok();
        whole(&sandbox.lane_path("signin"));
        assert_eq!(link(&sandbox, "signin"), [!relative; 2]);
        let exclude = std::fs::read_to_string(sandbox.repo.join(".git/info/exclude"));
        assert!(!exclude.unwrap_or_default().contains("inside"));
    }
}

#[test]
fn a_directory_keeps_its_mode_and_its_time() {
    let sandbox = Sandbox::new();
    begin(&sandbox);
    let path = sandbox.lane_path("login");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o550)).unwrap();
    let seen = |name: &str| {
        let metadata = std::fs::symlink_metadata(sandbox.lane_path(name)).unwrap();
        (
            metadata.permissions().mode() & 0o777,
            metadata.modified().unwrap(),
        )
    };
    let before = seen("login");
    sandbox.lane(["rename", "login", "signin"]).ok();
    assert_eq!(seen("signin"), before);
}

/// Where git takes names that differ in case for one, one of them is in the way of the other, but not of
/// itself.
#[test]
fn where_cases_do_not_count() {
    let sandbox = Sandbox::new();
    sandbox.git(["config", "core.ignorecase", "true"]);
    begin(&sandbox);
    sandbox.lane(["start", "other"]).ok();
    sandbox.git(["branch", "topic"]);
    for (to, code) in [("Other", "lane-exists"), ("Topic", "branch-conflict")] {
        let run = sandbox.lane(["--json", "rename", "login", to]);
        let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(document["error"]["code"], code, "{run}");
        run.fails(1);
    }
    sandbox.lane(["rename", "login", "Login"]).ok();
    assert_is(&sandbox, "Login", "Login", &sandbox.lane_path("Login"));
    sandbox.lane(["undo", "Login"]).ok();
    assert_is(&sandbox, "login", "login", &sandbox.lane_path("login"));
}

#[test]
fn other_repositories_and_a_bare_one() {
    let sandbox = Sandbox::new();
    let bare = sandbox.root().join("shop.git");
    sandbox.git(["clone", "-q", "--bare", ".", bare.to_str().unwrap()]);
    sandbox.lane_in(&bare, ["start", "login"]).ok();
    sandbox.lane_in(&bare, ["rename", "login", "signin"]).ok();
    let path = sandbox.lane_path("signin");
    assert_eq!(
        sandbox.git_in(&path, ["symbolic-ref", "--short", "HEAD"]),
        "signin"
    );
    let found = sandbox.lane_in(&bare, ["doctor", "--json"]).findings();
    assert_eq!(found, Vec::<String>::new());
}
