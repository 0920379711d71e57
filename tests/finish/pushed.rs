//! `--push`, and `finish.push` in `lane.toml`: the remote has a landing before the base does.

use super::*;
use crate::support::executable;

/// A sandbox whose main follows origin, and lane `login` with a commit.
pub(super) fn followed() -> (Sandbox, PathBuf) {
    let sandbox = Sandbox::new();
    let origin = sandbox.with_origin();
    sandbox.lane_by_git("login");
    sandbox.work("login", "new.txt", "new\n");
    (sandbox, origin)
}

pub(super) fn tip(sandbox: &Sandbox, name: &str) -> String {
    sandbox.git(["rev-parse", name])
}

pub(super) fn tip_of(sandbox: &Sandbox, origin: &Path, name: &str) -> String {
    sandbox.git_in(origin, ["rev-parse", "--verify", "-q", name])
}

/// Nothing has landed, here or there, and nothing is under way.
pub(super) fn as_before(sandbox: &Sandbox, origin: &Path, (here, there): (&str, &str)) {
    assert_eq!(tip(sandbox, "main"), here);
    assert_eq!(tip_of(sandbox, origin, "main"), there);
    assert!(sandbox.lane_path("login").join("new.txt").exists());
    sandbox.nothing_under_way();
}

#[test]
fn the_remote_and_the_base_have_the_same_commit() {
    for strategy in ["merge", "squash", "rebase", "ff"] {
        let (sandbox, origin) = followed();
        let out = sandbox
            .lane(["finish", "login", "--push", "--strategy", strategy])
            .ok();
        assert!(out.contains("pushed 'main' to 'origin' first"), "{out}");
        assert!(out.contains("git lane undo --revert login"), "{out}");
        let landed = tip(&sandbox, "main");
        assert_eq!(tip_of(&sandbox, &origin, "main"), landed);
        assert_eq!(tip(&sandbox, "origin/main"), landed);
        assert_eq!(sandbox.git(["status", "--porcelain"]), "");
        assert!(sandbox.repo.join("new.txt").exists());
        sandbox.nothing_left_behind(1);
    }
}

#[test]
fn the_policy_says_so_and_the_command_line_knows_better() {
    let (sandbox, origin) = followed();
    sandbox.write("lane.toml", "[finish]\npush = true\n");
    sandbox.commit("policy");
    sandbox.git(["push", "-q"]);
    let before = tip(&sandbox, "main");
    let told = sandbox.lane(["finish", "login", "-n"]).ok();
    assert!(
        told.contains("would push 'main' to 'origin' first"),
        "{told}"
    );
    as_before(&sandbox, &origin, (&before, &before));
    let document = sandbox
        .lane(["finish", "login", "--no-push", "--keep", "--json"])
        .json();
    assert!(document["landed"]["pushed"].is_null(), "{document}");
    assert_eq!(tip_of(&sandbox, &origin, "main"), before);
    // What landed here alone goes along with the next.
    sandbox.work("login", "more.txt", "more\n");
    let document = sandbox.lane(["finish", "login", "--json"]).json();
    let pushed = &document["landed"]["pushed"];
    assert_eq!(pushed["remote"], "origin", "{document}");
    assert_eq!(pushed["ref"], "refs/heads/main", "{document}");
    assert_eq!(tip_of(&sandbox, &origin, "main"), tip(&sandbox, "main"));
}

#[test]
fn it_goes_where_git_would_push_the_base() {
    let (sandbox, origin) = followed();
    let fork = sandbox.root().join("fork.git");
    sandbox.git(["clone", "-q", "--bare", ".", fork.to_str().unwrap()]);
    sandbox.git(["remote", "add", "fork", fork.to_str().unwrap()]);
    let before = tip(&sandbox, "main");
    // (setting, its value, the branch that gets it there)
    sandbox.git(["branch", "-q", "-m", "main", "trunk"]);
    sandbox.git(["config", "lane.login.base", "refs/heads/trunk"]);
    sandbox.lane(["finish", "login", "--push", "--keep"]).ok();
    assert_eq!(tip_of(&sandbox, &origin, "main"), tip(&sandbox, "trunk"));
    for (number, (key, value)) in [
        ("remote.pushDefault", "fork"),
        ("branch.trunk.pushRemote", "fork"),
    ]
    .into_iter()
    .enumerate()
    {
        sandbox.git(["config", key, value]);
        sandbox.work("login", &format!("{number}.txt"), "x\n");
        sandbox.lane(["finish", "login", "--push", "--keep"]).ok();
        assert_eq!(tip_of(&sandbox, &fork, "trunk"), tip(&sandbox, "trunk"));
        sandbox.git(["config", "--unset", key]);
    }
    assert_eq!(tip_of(&sandbox, &fork, "main"), before);
}

#[test]
fn a_base_that_follows_nothing_is_refused_and_a_stacked_lane_lands_on_the_other() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    sandbox.work("login", "new.txt", "new\n");
    for dry in [&["-n"][..], &[]] {
        let args = ["finish", "login", "--push"];
        let run = sandbox.lane(args.iter().chain(dry));
        assert!(
            run.stderr.contains("follows no branch of a remote"),
            "{run}"
        );
        assert!(run.stderr.contains("git push -u origin main"), "{run}");
        run.fails(1);
    }
    // ... also where that is published.
    let origin = sandbox.with_origin();
    sandbox.git(["push", "-q", "-u", "origin", "login"]);
    let published = tip(&sandbox, "login");
    sandbox.lane(["start", "above", "--base", "login"]).ok();
    sandbox.work("above", "above.txt", "above\n");
    let out = sandbox.lane(["finish", "above", "--push"]).ok();
    assert!(!out.contains("pushed"), "{out}");
    assert!(sandbox.lane_path("login").join("above.txt").exists());
    assert_eq!(tip_of(&sandbox, &origin, "login"), published);
}

/// git has a word of its own for what goes where.
#[test]
fn the_configuration_of_remotes_is_gits() {
    let (sandbox, origin) = followed();
    // A tracking branch of another name, and one that mirrors something else.
    sandbox.git([
        "config",
        "remote.origin.fetch",
        "+refs/heads/*:refs/remotes/up/*",
    ]);
    sandbox.git(["fetch", "-q"]);
    sandbox.colleague_pushes(&origin, "theirs.txt");
    sandbox.git(["fetch", "-q"]);
    let run = sandbox.lane(["finish", "login", "-n"]);
    assert!(run.stderr.contains("1 commit behind 'up/main'"), "{run}");
    sandbox.lane(["finish", "login", "-n", "--push"]).fails(1);
    sandbox.lane(["sync", "login", "--fetch"]).ok();
    // Only submodules would be pushed: nothing is said to have landed that has not.
    sandbox.git(["config", "push.recurseSubmodules", "only"]);
    let before = tip(&sandbox, "main");
    sandbox.lane(["finish", "login", "--push"]).fails(5);
    assert_eq!(tip(&sandbox, "main"), before);
    sandbox.git(["config", "--unset", "push.recurseSubmodules"]);
    // All addresses or none is no promise that git can keep.
    for address in ["../a.git", "../b.git"] {
        sandbox.git(["config", "--add", "remote.origin.pushUrl", address]);
    }
    let run = sandbox.lane(["finish", "login", "--push"]);
    assert!(run.stderr.contains("several addresses"), "{run}");
    run.fails(1);
    sandbox.git(["config", "--unset-all", "remote.origin.pushUrl"]);
    // A relative address, as seen from the main worktree.
    sandbox.git(["config", "remote.origin.url", "../origin.git"]);
    sandbox
        .lane_in(&sandbox.lane_path("login"), ["finish", "--push", "--keep"])
        .ok();
    assert_eq!(tip_of(&sandbox, &origin, "main"), tip(&sandbox, "main"));
}

/// Whether a remote-tracking branch knows of it or not, what was pushed is public.
#[test]
fn what_was_pushed_is_public_to_undo() {
    let (sandbox, origin) = followed();
    let address = origin.to_str().unwrap();
    sandbox.git(["config", "branch.main.remote", address]);
    sandbox.lane(["finish", "login", "--push"]).ok();
    let run = sandbox.lane(["undo", "login"]);
    assert!(run.stderr.contains("is public"), "{run}");
    run.fails(1);
    // ... and completed by a healing.
    let (sandbox, origin) = followed();
    sandbox.git(["config", "branch.main.remote", origin.to_str().unwrap()]);
    sandbox.died("push.taken", ["finish", "login", "--push"]);
    sandbox.lane(["finish", "login"]).ok();
    let run = sandbox.lane(["undo", "login"]);
    assert!(!run.stdout.contains("took back the landing"), "{run}");
    assert_eq!(tip_of(&sandbox, &origin, "main"), tip(&sandbox, "main"));
}

#[test]
fn pre_push_is_asked_as_git_asks_it() {
    let (sandbox, origin) = followed();
    let before = tip(&sandbox, "main");
    sandbox.hook(
        "pre-push",
        "cat > seen; echo \"$1\" >> seen; pwd >> seen; exit 1",
    );
    let run = sandbox.lane(["finish", "login", "--push"]);
    run.fails(1);
    let seen = std::fs::read_to_string(sandbox.repo.join("seen")).unwrap();
    let lines: Vec<&str> = seen.lines().collect();
    assert!(
        lines[0].contains(&format!("refs/heads/main {before}")),
        "{seen}"
    );
    assert_eq!(lines[1], "origin", "{seen}");
    assert_eq!(Path::new(lines[2]), sandbox.repo.as_path(), "{seen}");
    std::fs::remove_file(sandbox.repo.join("seen")).unwrap();
    as_before(&sandbox, &origin, (&before, &before));
    sandbox
        .lane(["finish", "login", "--push", "--no-verify"])
        .ok();
    assert!(!sandbox.repo.join("seen").exists());
    assert_eq!(tip_of(&sandbox, &origin, "main"), tip(&sandbox, "main"));
}

#[test]
fn lanes_behind_one_gate_are_one_push() {
    let (sandbox, origin) = followed();
    sandbox.lane_by_git("second");
    sandbox.work("second", "second.txt", "second\n");
    executable(
        &origin.join("hooks/post-receive"),
        "#!/bin/sh\ncat >> pushes\n",
    );
    sandbox
        .lane(["finish", "login", "second", "--push", "--gate", "true"])
        .ok();
    let pushes = std::fs::read_to_string(origin.join("pushes")).unwrap();
    assert_eq!(pushes.lines().count(), 1, "{pushes}");
    assert_eq!(tip_of(&sandbox, &origin, "main"), tip(&sandbox, "main"));
    assert!(sandbox.repo.join("second.txt").exists());
    // A gate that fails lets nothing out.
    sandbox.lane_by_git("third");
    sandbox.work("third", "third.txt", "third\n");
    sandbox
        .lane(["finish", "third", "--push", "--gate", "false"])
        .fails(6);
    let pushes = std::fs::read_to_string(origin.join("pushes")).unwrap();
    assert_eq!(pushes.lines().count(), 1, "{pushes}");
}

#[test]
fn a_landing_that_was_pushed_is_reverted_there_too() {
    let (sandbox, origin) = followed();
    sandbox.write("lane.toml", "[finish]\npush = true\n");
    sandbox.commit("policy");
    sandbox.git(["push", "-q"]);
    sandbox.lane(["finish", "login"]).ok();
    let run = sandbox.lane(["undo", "login"]);
    assert!(run.stderr.contains("is public"), "{run}");
    run.fails(1);
    sandbox.lane(["undo", "--revert", "login"]).ok();
    assert!(!sandbox.repo.join("new.txt").exists());
    assert_eq!(tip_of(&sandbox, &origin, "main"), tip(&sandbox, "main"));
}

/// Of many at once each lands, and the remote has what the base has.
#[test]
fn twelve_at_once_all_land() {
    let (sandbox, origin) = followed();
    let names: Vec<String> = (0..12).map(|number| format!("lane-{number}")).collect();
    for name in &names {
        sandbox.lane_by_git(name);
        sandbox.work(name, &format!("{name}.txt"), "x\n");
    }
    let mut children: Vec<_> = names
        .iter()
        .map(|name| {
            let mut command = sandbox.command(env!("CARGO_BIN_EXE_git-lane"));
            command.args(["finish", name, "--push"]);
            let quiet = command.stdout(std::process::Stdio::null());
            quiet.current_dir(&sandbox.repo).spawn().unwrap()
        })
        .collect();
    for child in &mut children {
        assert!(child.wait().unwrap().success());
    }
    for name in &names {
        assert!(sandbox.repo.join(format!("{name}.txt")).exists());
    }
    assert_eq!(tip_of(&sandbox, &origin, "main"), tip(&sandbox, "main"));
    assert_eq!(sandbox.git(["status", "--porcelain"]), "");
    sandbox.nothing_left_behind(12);
}
