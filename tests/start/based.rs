//! Bases, kinds of lanes and kinds of repositories.

use super::*;
use crate::support::skipped;

#[test]
fn the_base_is_the_remotes_head_then_the_main_worktrees_branch() {
    let sandbox = Sandbox::new();
    sandbox.git(["switch", "-q", "-c", "topic"]);
    sandbox.lane(["start", "one"]).ok();
    assert_eq!(sandbox.git(["config", "lane.one.base"]), "refs/heads/topic");

    let clone = sandbox.root().join("clone");
    sandbox.git(["switch", "-q", "main"]);
    sandbox.git(["clone", "-q", ".", clone.to_str().unwrap()]);
    sandbox.git_in(&clone, ["switch", "-q", "-c", "elsewhere"]);
    sandbox.lane_in(&clone, ["start", "two"]).ok();
    assert_eq!(
        sandbox.git_in(&clone, ["config", "lane.two.base"]),
        "refs/heads/main"
    );
    sandbox.git_in(&clone, ["branch", "-q", "-D", "main"]);
    sandbox.lane_in(&clone, ["start", "three"]).ok();
    assert_eq!(
        sandbox.git_in(&clone, ["config", "lane.three.base"]),
        "refs/remotes/origin/main"
    );
}

#[test]
fn a_detached_lane_has_no_branch() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "look", "--detach"]).ok();
    let path = sandbox.lane_path("look");
    sandbox
        .run(
            sandbox
                .command("git")
                .current_dir(&path)
                .args(["symbolic-ref", "-q", "HEAD"]),
        )
        .fails(1);
    assert_eq!(sandbox.git(["branch", "--list", "look"]), "");
    assert_eq!(sandbox.git_in(&path, ["status", "--porcelain"]), "");
}

#[test]
fn a_dry_run_changes_nothing() {
    let sandbox = Sandbox::new();
    let before = sandbox.fingerprint();
    let text = sandbox.lane(["start", "login", "-n"]).ok();
    assert!(text.starts_with("would start lane 'login'"), "{text}");
    assert_eq!(sandbox.fingerprint(), before);
}

#[test]
fn the_post_checkout_hook_runs_as_for_worktree_add() {
    let sandbox = Sandbox::new();
    let hook = "#!/bin/sh\necho \"$PWD $*\" >>../log\ntest ! -e ../fail\n";
    write(&sandbox.repo.join(".git/hooks/post-checkout"), hook);
    let set = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(sandbox.repo.join(".git/hooks/post-checkout"), set).unwrap();
    sandbox.git(["worktree", "add", "-q", "../shop.lanes/git", "-b", "git"]);
    sandbox.lane(["start", "lane"]).ok();
    let log = std::fs::read_to_string(sandbox.root().join("shop.lanes/log")).unwrap();
    let lines: Vec<_> = log.lines().collect();
    assert_eq!(lines.len(), 2, "{log}");
    assert_eq!(lines[0].replace("/git ", "/lane "), lines[1]);
    write(&sandbox.root().join("shop.lanes/fail"), "");
    let error = sandbox.lane(["start", "third"]).fails(5);
    assert!(
        error.contains("lane 'third' was started, but the post-checkout hook ended with 1"),
        "{error}"
    );
    assert_whole(&sandbox, "third");
}

#[test]
fn sparse_lanes_leave_the_main_worktree_alone() {
    let sandbox = Sandbox::new();
    sandbox.write("docs/a.txt", "a");
    sandbox.commit("docs");
    sandbox.lane(["start", "login", "--sparse", "docs"]).ok();
    let path = sandbox.lane_path("login");
    assert!(
        path.join("docs/a.txt").exists()
            && path.join("README").exists()
            && !path.join("src").exists()
    );
    assert_whole(&sandbox, "login");
    assert_eq!(sandbox.git_in(&path, ["sparse-checkout", "list"]), "docs");
    assert!(!sandbox.git(["status"]).contains("sparse"));
    assert!(!sandbox.git(["config", "--list"]).contains("worktreeconfig"));
}

#[test]
fn every_kind_of_repository_works() {
    for (args, since) in [
        (&["--object-format=sha256"][..], (2, 29)),
        (&["--ref-format=reftable"], (2, 45)),
    ] {
        if git_version() < since {
            skipped(&format!("git {:?} has no {args:?}", git_version()));
            continue;
        }
        let sandbox = Sandbox::empty();
        sandbox.git([&["init", "-q", "-b", "main"], args].concat());
        sandbox.write("README", "shop\n");
        sandbox.commit("first");
        sandbox.git(["branch", "old"]);
        let report = sandbox.lane(["start", "login", "old", "--json"]).json();
        assert_eq!(
            (
                &report["lanes"][0]["newBranch"],
                &report["lanes"][1]["newBranch"]
            ),
            (&true.into(), &false.into())
        );
        assert_whole(&sandbox, "login");
        assert_whole(&sandbox, "old");
        sandbox.lane(["start", "login"]).ok();
        sandbox.git(["fsck"]);
        let list = sandbox.lane(["list"]).ok();
        assert!(list.contains("clean"), "{list}");
    }
}

#[test]
fn without_a_repository_or_a_commit_there_is_a_sentence() {
    let sandbox = Sandbox::empty();
    let error = sandbox.lane(["start", "x"]).fails(4);
    assert!(
        error.contains("in no git repository") && error.contains("hint: "),
        "{error}"
    );
    sandbox.git(["init", "-q", "-b", "main"]);
    let error = sandbox.lane(["start", "x"]).fails(1);
    assert!(
        error.contains("branch 'main' has no commit yet") && error.contains("hint: "),
        "{error}"
    );
}

#[test]
fn an_inherited_git_dir_does_not_pick_the_repository() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "one"]).ok();
    let other = sandbox.root().join("other");
    sandbox.git(["init", "-q", other.to_str().unwrap()]);
    let before = sandbox.fingerprint();
    let run = sandbox.run(
        sandbox
            .command("git-lane")
            .args(["start", "x"])
            .env("GIT_DIR", other.join(".git")),
    );
    assert!(run.stderr.contains("GIT_DIR names"), "{run}");
    let _ = run.fails(4);
    assert_eq!(sandbox.fingerprint(), before);
    let admin = sandbox.repo.join(".git/worktrees/one");
    let inherited = sandbox.run(
        sandbox
            .command("git-lane")
            .args(["start", "two"])
            .env("GIT_DIR", &admin)
            .env("GIT_INDEX_FILE", admin.join("index"))
            .env("GIT_WORK_TREE", sandbox.lane_path("one")),
    );
    inherited.ok();
    assert_whole(&sandbox, "one");
    assert_whole(&sandbox, "two");
    assert_eq!(sandbox.git(["config", "core.bare"]), "false");
}

/// A remote that cannot be reached is no reason to start from what it had before.
#[test]
fn a_fetch_that_fails_makes_nothing() {
    let sandbox = Sandbox::new();
    let remote = sandbox.root().join("origin.git");
    sandbox.git(["clone", "-q", "--bare", ".", remote.to_str().unwrap()]);
    sandbox.git(["remote", "add", "origin", remote.to_str().unwrap()]);
    sandbox.git(["fetch", "-q", "origin"]);
    sandbox.git(["branch", "-q", "--set-upstream-to=origin/main", "main"]);
    sandbox.lane(["start", "one"]).ok();
    std::fs::rename(&remote, sandbox.root().join("away")).unwrap();
    sandbox.lane(["start", "two", "--fetch"]).fails(5);
    assert!(!sandbox.lane_path("two").exists());
    assert_eq!(sandbox.git(["branch", "--list", "two"]), "");
}
