//! What others do to a lane between the death of a git-lane command and the next one.

use std::path::Path;

use crate::sandbox::{Sandbox, write};

/// A lane with one commit; the commit.
fn with_work(sandbox: &Sandbox) -> String {
    sandbox.lane_by_git("login");
    sandbox.work("login", "file", "x")
}

/// Dies at every step of `args` in turn, each time with a lane of its own after `prepare`; `halfway` interferes and says
/// whether it could; `healed` looks at what the next command made of it.
#[track_caller]
fn interfere(
    args: &[&str],
    prepare: fn(&Sandbox),
    halfway: impl Fn(&Sandbox) -> bool,
    healed: impl Fn(&Sandbox, &str),
) {
    let mut interfered = 0;
    for step in 1.. {
        let sandbox = Sandbox::new();
        let commit = with_work(&sandbox);
        prepare(&sandbox);
        let mut dying = sandbox.command("git-lane");
        let run = sandbox.run(dying.args(args).env("GIT_LANE_TEST_DIE_AT", step.to_string()));
        if run.code == 0 {
            assert!(interfered > 0, "{args:?} came to its end before anybody could interfere");
            return;
        }
        if halfway(&sandbox) {
            interfered += 1;
            sandbox.lane(["start", "other"]).ok();
            healed(&sandbox, &commit);
            sandbox.plain_git_works();
            sandbox.nothing_under_way();
            assert!(sandbox.git(["rev-list", "--all"]).contains(&commit), "step {step}: lost");
        }
    }
}

fn admin(sandbox: &Sandbox) -> std::path::PathBuf {
    sandbox.repo.join(".git/worktrees/login")
}

/// The lane is there as it was, or comes back as it was.
fn comes_back(sandbox: &Sandbox, commit: &str) {
    let path = sandbox.lane_path("login");
    if !path.exists() {
        sandbox.lane(["restore", "login"]).ok();
    }
    assert_eq!(sandbox.git_in(&path, ["status", "--porcelain", "--branch"]), "## login");
    assert_eq!(sandbox.git_in(&path, ["rev-parse", "HEAD"]), commit);
}

#[test]
fn a_git_at_work_makes_the_admin_directory_again_for_its_reflog() {
    let makes_it_again = |sandbox: &Sandbox| {
        let gone = !admin(sandbox).exists();
        if gone {
            write(&admin(sandbox).join("logs/HEAD"), "");
            write(&admin(sandbox).join("HEAD.lock"), "");
        }
        gone
    };
    interfere(
        &["drop", "--yes", "login"],
        |_| {},
        makes_it_again,
        |sandbox, commit| {
            comes_back(sandbox, commit);
            // What git made is git's to prune, where it was not in the way.
            drop(std::fs::remove_file(admin(sandbox).join("HEAD.lock")));
        },
    );
}

#[test]
fn a_directory_is_removed_and_its_branch_renamed() {
    let remove = |sandbox: &Sandbox| {
        let there = sandbox.lane_path("login").exists();
        if there {
            std::fs::remove_dir_all(sandbox.lane_path("login")).unwrap();
            sandbox.git(["branch", "-m", "login", "renamed"]);
        }
        there
    };
    interfere(&["drop", "--yes", "login"], |_| {}, remove, |_, _| {});
}

#[test]
fn a_lane_that_is_back_is_its_owners_to_work_in() {
    let dropped = |sandbox: &Sandbox| drop(sandbox.lane(["drop", "--yes", "login"]).ok());
    let commit = |sandbox: &Sandbox| {
        let back = sandbox.git(["config", "--list"]).contains("lane.login.id=") && sandbox.lane_path("login").exists();
        if back {
            sandbox.work("login", "more", "y");
        }
        back
    };
    interfere(&["restore", "login"], dropped, commit, |sandbox, _| {
        assert_eq!(sandbox.git(["log", "-1", "--format=%s", "login"]), "login: more");
        sandbox.nothing_left_behind(0);
    });
}

#[test]
fn a_lock_of_a_git_that_was_at_work_does_not_come_back() {
    let sandbox = Sandbox::new();
    let commit = with_work(&sandbox);
    let id = sandbox.lane(["drop", "--yes", "login", "--json"]).json()["dropped"][0]["trashId"].to_string();
    let kept = sandbox.repo.join(".git/lane/trash").join(id.trim_matches('"')).join("admin");
    for lock in ["index.lock", "HEAD.lock", "logs/HEAD.lock"] {
        write(&kept.join(Path::new(lock)), "");
    }
    sandbox.lane(["restore", "login"]).ok();
    comes_back(&sandbox, &commit);
    sandbox.work("login", "more", "y");
    sandbox.nothing_left_behind(0);
}

/// Dies in `git lane finish login --keep` at the step `at`, with a landing that adds, changes and removes files.
fn dies_landing(at: &str) -> Sandbox {
    for step in 1..60 {
        let sandbox = Sandbox::new();
        with_work(&sandbox);
        sandbox.work("login", "src/app.txt", "landed\n");
        let path = sandbox.lane_path("login");
        sandbox.git_in(&path, ["rm", "-q", "README"]);
        sandbox.git_in(&path, ["commit", "-q", "-m", "without"]);
        let mut dying = sandbox.command("git-lane");
        dying.args(["finish", "login", "--keep"]).env("GIT_LANE_TEST_DIE_AT", step.to_string());
        if sandbox.run(&mut dying).stderr.contains(&format!("died at {at}\n")) {
            return sandbox;
        }
    }
    panic!("no step {at}");
}

fn index_lock(sandbox: &Sandbox) -> std::path::PathBuf {
    sandbox.repo.join(".git/index.lock")
}

#[test]
fn nobody_gets_at_the_index_between_the_death_of_a_landing_and_its_healing() {
    for (at, landed) in [("land.files", false), ("land.ref", true)] {
        let sandbox = dies_landing(at);
        assert!(index_lock(&sandbox).exists());
        // As if a git that the dead one had started were still writing files.
        let journal = std::fs::read_dir(sandbox.repo.join(".git/lane/journal")).unwrap().flatten();
        let children = journal.map(|entry| entry.path()).find(|path| path.extension().unwrap() == "children").unwrap();
        let at_work = std::fs::File::open(children).unwrap();
        at_work.lock().unwrap();
        let mut healer = sandbox.command("git-lane");
        let quiet = std::process::Stdio::null;
        let healer = healer.args(["start", "other"]).stdout(quiet()).stderr(quiet());
        let mut healer = healer.spawn().unwrap();
        write(&sandbox.repo.join("mine"), "mine");
        for _ in 0..20 {
            std::thread::sleep(std::time::Duration::from_millis(25));
            sandbox.git_fails(["add", "mine"]);
            assert!(healer.try_wait().unwrap().is_none());
        }
        drop(at_work);
        assert!(healer.wait().unwrap().success());
        assert_eq!(sandbox.git(["status", "--porcelain"]), "?? mine", "{at}");
        assert_eq!(sandbox.git(["ls-tree", "--name-only", "main"]).contains("file"), landed, "{at}");
        sandbox.nothing_under_way();
    }
}

#[test]
fn a_landing_whose_lock_somebody_removed_is_completed_on_the_index_that_is_there() {
    let sandbox = dies_landing("land.ref");
    std::fs::remove_file(index_lock(&sandbox)).unwrap();
    write(&sandbox.repo.join("mine"), "mine");
    sandbox.git(["add", "mine"]);
    let said = sandbox.lane(["start", "other"]);
    assert!(said.stderr.contains("it has been completed"), "{said}");
    assert_eq!(sandbox.git(["status", "--porcelain"]), "A  mine");
    sandbox.nothing_under_way();
}

#[test]
fn a_landing_whose_index_cannot_be_put_right_is_not_called_completed() {
    let sandbox = dies_landing("land.ref");
    std::fs::remove_file(index_lock(&sandbox)).unwrap();
    write(&sandbox.repo.join("mine"), "mine");
    sandbox.git(["add", "mine"]);
    sandbox.git(["commit", "-q", "-m", "innocent"]);
    let index = sandbox.git(["ls-files", "--stage"]);
    let said = sandbox.lane(["start", "other"]);
    assert_eq!(said.code, 0, "{said}");
    assert!(said.stderr.contains("it counts, but the index of") && said.stderr.contains("git -C"), "{said}");
    assert!(!said.stderr.contains("has been completed"), "{said}");
    assert_eq!(sandbox.git(["ls-files", "--stage"]), index);
    sandbox.nothing_under_way();
}

#[test]
fn an_undone_landing_leaves_what_somebody_has_staged_of_it() {
    let sandbox = dies_landing("land.files");
    std::fs::remove_file(index_lock(&sandbox)).unwrap();
    sandbox.git(["add", "file"]);
    let said = sandbox.lane(["start", "other"]);
    assert!(said.stderr.contains("it does not count, but the index of"), "{said}");
    assert_eq!(sandbox.git(["status", "--porcelain"]), "A  file");
    sandbox.nothing_under_way();
}

#[test]
fn a_copy_does_not_heal_what_is_under_way_in_the_original() {
    for landing in [false, true] {
        let sandbox = if landing { dies_landing("land.files") } else { Sandbox::new() };
        if !landing {
            let mut dying = sandbox.command("git-lane");
            sandbox.run(dying.args(["start", "second"]).env("GIT_LANE_TEST_DIE_AT", "3")).fails(137);
        }
        let copy = sandbox.root().join("copy");
        let mut copying = std::process::Command::new("cp");
        sandbox.run(copying.arg("-a").arg(&sandbox.repo).arg(&copy)).ok();
        let lanes = || crate::lanes::listing(&sandbox.root().join("shop.lanes"));
        let staging = || std::fs::read_dir(sandbox.repo.join(".git/lane/staging")).into_iter().flatten().count();
        let before = (lanes(), staging());
        let said = sandbox.lane_in(&copy, ["init"]);
        assert!(said.stderr.contains("this repository was copied"), "{said}");
        assert!(!said.stderr.contains("was interrupted"), "{said}");
        assert!(!copy.join(".git/index.lock").exists());
        assert_eq!((lanes(), staging()), before);
        assert!(sandbox.lane_in(&copy, ["doctor"]).stdout.contains("nobody can complete or undo it"));
        let said = sandbox.lane(["start", "other"]);
        assert!(said.stderr.contains("was interrupted; it has been"), "{said}");
        sandbox.nothing_under_way();
    }
}
