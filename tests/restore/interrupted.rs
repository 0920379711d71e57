//! Restores that die, race or meet other formats.

use super::*;
use crate::support::age;

#[test]
fn killed_at_any_step_the_same_command_ends_well() {
    let sandbox = Sandbox::new();
    let path = sandbox.lane_by_git("login");
    sandbox.work("login", "file", "x");
    sandbox.git(["config", "branch.login.remote", "origin"]);
    write(&path.join("staged"), "staged");
    sandbox.git_in(&path, ["add", "staged"]);
    write(&path.join("untracked"), "x");
    sandbox.git_in(&path, ["status"]);
    let admin = sandbox.admin(&path);
    let before = sandbox.whole_lane("login", &path, &admin);
    for step in 1.. {
        sandbox.lane(["drop", "--yes", "login"]).ok();
        let run = sandbox.dying(step, ["restore", "login"]);
        let done = run.code == 0;
        if !done {
            assert_eq!(run.code, 137, "{run}");
            sandbox.plain_git_works();
            sandbox.git(["worktree", "prune", "--expire=now"]);
            sandbox.lane(["restore", "login"]).ok();
        }
        assert_eq!(
            sandbox.whole_lane("login", &path, &admin),
            before,
            "step {step}"
        );
        sandbox.nothing_left_behind(0);
        if done {
            assert!(step > 10, "only {step} steps");
            return;
        }
    }
}

#[test]
fn somebody_without_a_name_can_drop_and_restore() {
    let sandbox = Sandbox::new();
    let path = sandbox.lane_by_git("login");
    for args in [["drop", "login"], ["restore", "login"]] {
        let mut command = sandbox.command("git-lane");
        command
            .args(args)
            .env_remove("GIT_COMMITTER_NAME")
            .env_remove("GIT_COMMITTER_EMAIL");
        sandbox.run(&mut command).ok();
    }
    sandbox.git_in(&path, ["reflog", "login"]);
    sandbox.plain_git_works();
}

fn other_format(option: &str) -> (Sandbox, PathBuf) {
    let sandbox = Sandbox::empty();
    sandbox.git(["init", "-q", "-b", "main", option, "."]);
    sandbox.write("README", "shop\n");
    sandbox.write("src/app.txt", "one\n");
    sandbox.commit("first");
    let path = sandbox.lane_by_git("login");
    sandbox.work("login", "file", "x");
    sandbox.git_in(&path, ["checkout", "-q", "--detach"]);
    sandbox.work("login", "detached", "x");
    write(&path.join("staged"), "staged");
    sandbox.git_in(&path, ["add", "staged"]);
    sandbox.git_in(&path, ["--no-optional-locks", "status"]);
    (sandbox, path)
}

#[test]
fn sha256_repositories_work_the_same() {
    let (sandbox, path) = other_format("--object-format=sha256");
    let admin = sandbox.admin(&path);
    let before = sandbox.whole_lane("login", &path, &admin);
    sandbox.lane(["drop", "--yes", "login"]).ok();
    sandbox.collect_garbage();
    sandbox.lane(["restore", "login"]).ok();
    assert_eq!(sandbox.whole_lane("login", &path, &admin), before);
    sandbox.plain_git_works();
    sandbox.nothing_left_behind(0);
}

#[test]
fn reftable_repositories_work_the_same() {
    if git_version() < (2, 45) {
        return;
    }
    let (sandbox, path) = other_format("--ref-format=reftable");
    let refs = sandbox.git_in(&path, ["for-each-ref", "--include-root-refs"]);
    let log = sandbox.git_in(&path, ["reflog", "HEAD"]);
    let lock = sandbox.repo.join(".git/reftable/tables.list.lock");
    write(&lock, "");
    let error = sandbox.lane(["drop", "--yes", "login"]).fails(5);
    assert!(
        error.contains("hint: ") && error.contains("git lane doctor"),
        "{error}"
    );
    std::fs::remove_file(lock).unwrap();
    sandbox.lane(["drop", "--yes", "login"]).ok();
    assert_eq!(sandbox.git(["worktree", "list"]).lines().count(), 1);
    sandbox.collect_garbage();
    sandbox.lane(["restore", "login"]).ok();
    assert_eq!(
        sandbox.git_in(&path, ["for-each-ref", "--include-root-refs"]),
        refs
    );
    assert_eq!(sandbox.git_in(&path, ["reflog", "HEAD"]), log);
    assert_eq!(
        sandbox.git_in(&path, ["status", "--porcelain"]),
        "A  staged"
    );
    sandbox.plain_git_works();
}

#[test]
fn a_ref_lock_of_a_dead_process_is_cleared_and_any_other_is_named() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    sandbox.lane(["drop", "login"]).ok();
    let git = sandbox.repo.join(".git");
    let (branch, packed) = (
        git.join("refs/heads/login.lock"),
        git.join("packed-refs.lock"),
    );

    write(&branch, "");
    // What was there for an hour is not waited for.
    age(&branch, 3600);
    let refused = sandbox.lane(["restore", "login"]).fails(4);
    assert!(
        refused.contains("refs/heads/login.lock' is held by another process, 1h old"),
        "{refused}"
    );
    assert!(branch.exists());
    std::fs::remove_file(&branch).unwrap();

    // As a kill in the middle of a ref transaction leaves it: each lock is a link to a witness
    // that no process holds.
    for (witness, lock) in [("one", &branch), ("two", &packed)] {
        let witness = git.join("lane/locks").join(witness);
        write(&witness, "");
        std::fs::hard_link(witness, lock).unwrap();
    }
    sandbox.lane(["restore", "login"]).ok();
    sandbox.nothing_left_behind(0);
}

/// The branch's reflog comes back with the branch, and what only it names must still be there.
#[test]
fn commits_that_only_the_reflog_of_the_branch_names_are_kept() {
    let sandbox = Sandbox::new();
    let earlier = sandbox.root().join("earlier");
    for (name, gone) in [("login", false), ("gone", true)] {
        sandbox.git([
            "worktree",
            "add",
            "-q",
            earlier.to_str().unwrap(),
            "-b",
            name,
        ]);
        write(&earlier.join("file"), name);
        sandbox.git_in(&earlier, ["add", "file"]);
        sandbox.git_in(&earlier, ["commit", "-q", "-m", "first"]);
        sandbox.git_in(&earlier, ["commit", "-q", "--amend", "-m", "second"]);
        sandbox.git(["worktree", "remove", earlier.to_str().unwrap()]);
        let first = sandbox.git(["rev-parse", &format!("{name}@{{1}}")]);
        sandbox.lane(["start", name]).ok();
        if gone {
            std::fs::remove_dir_all(sandbox.lane_path(name)).unwrap();
            sandbox.git(["worktree", "prune", "--expire=now"]);
        }
        sandbox.lane(["drop", "--yes", name]).ok();
        sandbox.git(["gc", "-q", "--prune=now"]);
        sandbox.lane(["restore", name]).ok();
        assert_eq!(sandbox.git(["rev-parse", &format!("{name}@{{1}}")]), first);
        sandbox.git(["cat-file", "-e", &format!("{first}^{{tree}}")]);
        let mut fsck = sandbox.command("git");
        sandbox.run(fsck.args(["fsck", "--no-progress"])).ok();
    }
}

/// git removes `.git/worktrees` whenever it is empty, also in the instant before a lane comes back
/// into it.
#[test]
fn a_lane_comes_back_beside_a_prune_that_never_stops() {
    use std::sync::atomic::{AtomicBool, Ordering};
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                drop(std::fs::remove_dir(sandbox.repo.join(".git/worktrees")));
            }
        });
        let runs: Vec<_> = (0..10)
            .flat_map(|_| {
                [
                    sandbox.lane(["drop", "login"]),
                    sandbox.lane(["restore", "login"]),
                ]
            })
            .collect();
        stop.store(true, Ordering::Relaxed);
        for run in runs {
            run.ok();
        }
    });
    sandbox.nothing_under_way();
}

#[test]
fn a_branch_made_again_at_the_same_commit_gets_its_old_reflog_back_whenever_the_restore_dies() {
    for step in 1.. {
        let sandbox = Sandbox::new();
        sandbox.lane(["start", "login"]).ok();
        let tip = sandbox.work("login", "file", "x");
        sandbox.lane(["drop", "--yes", "login"]).ok();
        sandbox.git(["branch", "login", &tip]);
        sandbox.git(["pack-refs", "--all"]);
        let done = sandbox.dying(step, ["restore", "login"]).code == 0;
        if !done {
            sandbox.lane(["restore", "login"]).ok();
        }
        let log = sandbox.git(["reflog", "--format=%gs", "login"]);
        let said: Vec<&str> = log.lines().collect();
        assert_eq!(said.len(), 3, "step {step}: {log}");
        assert!(
            said[0].starts_with("branch: Created from") && said[1] == "commit: login: file",
            "{log}"
        );
        sandbox.nothing_left_behind(0);
        if done {
            return;
        }
    }
}
