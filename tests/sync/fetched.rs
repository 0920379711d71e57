//! `--fetch`: what is new on the remote comes to the local base first, where that is only behind.

use super::*;

/// A sandbox whose main follows a remote that has one commit more, and lane `login`.
fn behind() -> (Sandbox, PathBuf) {
    let sandbox = Sandbox::new();
    let remote = sandbox.with_origin();
    sandbox.lane_by_git("login");
    sandbox.work("login", "new.txt", "new\n");
    sandbox.colleague_pushes(&remote, "theirs.txt");
    (sandbox, remote)
}

#[test]
fn a_base_that_is_only_behind_moves_forward_with_its_worktree() {
    let (sandbox, _) = behind();
    sandbox.write("README", "edited\n");
    let run = sync(&sandbox, ["--fetch"]);
    assert_eq!(run.stderr, "", "{run}");
    run.ok();
    assert_eq!(tip(&sandbox, "main"), tip(&sandbox, "origin/main"));
    assert_eq!(read(sandbox.repo.join("theirs.txt")), "theirs\n");
    assert_eq!(sandbox.git(["status", "--porcelain"]), " M README");
    assert_eq!(read(lane(&sandbox).join("theirs.txt")), "theirs\n");
    let reflog = sandbox.git(["reflog", "-1", "--format=%gs", "main"]);
    assert_eq!(reflog, "lane: sync 'main' with 'origin/main'");
    sandbox.nothing_left_behind(0);
}

#[test]
fn without_it_nothing_is_fetched() {
    let (sandbox, _) = behind();
    let known = tip(&sandbox, "origin/main");
    assert_eq!(sync(&sandbox, []).ok(), "lane 'login' has all of 'main'\n");
    assert_eq!(tip(&sandbox, "origin/main"), known);
    sandbox
        .lane(["sync", "login", "--fetch", "--dry-run"])
        .fails(2);
}

#[test]
fn a_base_that_is_checked_out_nowhere_moves_too() {
    let (sandbox, _) = behind();
    sandbox.git(["switch", "-q", "--detach"]);
    sync(&sandbox, ["--fetch"]).ok();
    assert_eq!(tip(&sandbox, "main"), tip(&sandbox, "origin/main"));
}

#[test]
fn a_remote_tracking_base_is_simply_newer() {
    let (sandbox, _) = behind();
    sandbox.git(["config", "lane.login.base", "refs/remotes/origin/main"]);
    let main = tip(&sandbox, "main");
    assert!(
        sync(&sandbox, ["--fetch"])
            .ok()
            .contains("with 'origin/main'")
    );
    assert_eq!(tip(&sandbox, "main"), main);
}

/// What keeps a base where it is: that is said, and the lane takes the base as it is.
#[test]
fn a_base_that_cannot_move_is_named_and_taken_as_it_is() {
    let table: &[(&str, &str, &str)] = &[
        (
            "diverged",
            "git commit -q --allow-empty -m ours",
            "'main' stays as it is: it has commits that 'origin/main' has not",
        ),
        (
            "in-the-way",
            "echo mine >theirs.txt",
            "where local changes are in the way: 'theirs.txt'",
        ),
        (
            "in-the-way",
            "git merge -q --no-commit --no-ff login >/dev/null 2>&1",
            "is in the middle of a merge",
        ),
        (
            "gate",
            "mkdir -p .git/lane; printf '[finish]\\ngate = [\"true\"]\\n' >.git/lane/lane.toml",
            "it has a gate, and 'origin/main' has not passed that",
        ),
        (
            "follows-nothing",
            "git branch --unset-upstream main",
            "it follows no branch of a remote",
        ),
    ];
    for (code, work, words) in table {
        let (sandbox, _) = behind();
        sandbox.sh(work).ok();
        let main = tip(&sandbox, "main");
        let run = sync(&sandbox, ["--fetch", "--json"]);
        assert!(run.stderr.contains(words), "{work}: {run}");
        assert!(
            run.stderr.starts_with("note: 'main' stays as it is: "),
            "{run}"
        );
        let document = run.json();
        assert_eq!(document["bases"][0]["code"], *code, "{document}");
        assert_eq!(
            document["bases"][0]["base"], "refs/heads/main",
            "{document}"
        );
        assert_eq!(tip(&sandbox, "main"), main, "{work}");
        let missing = sandbox.git(["rev-list", "--count", "login..main"]);
        assert_eq!(missing, "0", "{work}");
    }
}

#[test]
fn a_remote_that_cannot_be_reached_is_gits_failure() {
    let (sandbox, remote) = behind();
    std::fs::rename(&remote, remote.with_extension("away")).unwrap();
    let before = state(&sandbox);
    sync(&sandbox, ["--fetch"]).fails(5);
    assert_eq!(state(&sandbox), before);
}

#[test]
fn all_fetches_each_remote_once() {
    let (sandbox, remote) = behind();
    sandbox.lane(["start", "search", "other"]).ok();
    let said = sandbox.root().join("said");
    // git runs this program in the remote for each fetch.
    let pack = sandbox.root().join("upload");
    crate::support::script(
        &pack,
        format!("echo x >>'{}'; exec git-upload-pack \"$@\"", said.display()),
    );
    sandbox.git(["config", "remote.origin.uploadpack", pack.to_str().unwrap()]);
    sandbox.colleague_pushes(&remote, "more.txt");
    sandbox.lane(["sync", "--all", "--fetch"]).ok();
    assert_eq!(read(&said), "x\n");
    for name in ["login", "search", "other"] {
        assert!(sandbox.lane_path(name).join("more.txt").exists(), "{name}");
    }
}
