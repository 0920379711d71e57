//! Pushes, and a git-lane that cannot answer.

use super::*;
use crate::support::executable;

/// What git lets in by `receive.denyCurrentBranch = updateInstead` takes the lane's worktree along,
/// so nothing is mixed up.
#[test]
fn a_push_that_takes_the_worktree_along_is_free_and_leaves_nothing_behind() {
    for level in crate::rule::shop::LEVELS
        .into_iter()
        .filter(|level| possible(level, Refs::Files))
    {
        let shop = Shop::new(level, Refs::Files);
        shop.sandbox
            .git(["config", "receive.denyCurrentBranch", "updateInstead"]);
        let clone = shop.sandbox.root().join("clone");
        shop.sandbox
            .git(["clone", "-q", "-b", "one", ".", "../clone"]);
        shop.sh(
            &clone,
            "echo pushed >pushed && git add pushed && git commit -qm pushed && git push -q",
        )
        .ok();
        assert_eq!(shop.snapshot(&shop.one).status, "", "level {level}");
        assert_eq!(std::fs::read(shop.one.join("pushed")).unwrap(), b"pushed\n");
        shop.sh(&shop.one, "git commit -q --allow-empty -m more")
            .ok();
        // Where the worktree is in use git refuses by itself; everything stays as it is.
        shop.at(In::Lane);
        let before = (shop.snapshots(), shop.refs());
        let pull =
            "git pull -q --rebase && echo again >pushed && git commit -qam again && git push -q";
        assert_ne!(shop.sh(&clone, pull).code, 0);
        assert_eq!((shop.snapshots(), shop.refs()), before, "level {level}");
    }
}

/// One that leaves the worktree behind is refused where the level can, and touches no file: it runs
/// in the git directory.
#[test]
fn a_push_that_leaves_the_worktree_behind_touches_no_file() {
    for level in levels() {
        let shop = Shop::new(level, Refs::Files);
        shop.sandbox
            .git(["config", "receive.denyCurrentBranch", "ignore"]);
        shop.sandbox
            .git(["clone", "-q", "-b", "one", ".", "../clone"]);
        let main = shop.at(In::Main);
        let git_dir = |name: &str| main.join(".git").join(name).exists();
        let files = |shop: &Shop| shop.snapshots().map(|snapshot| snapshot.files);
        let before = (files(&shop), shop.snapshot(&main));
        let clone = shop.sandbox.root().join("clone");
        let run = shop.sh(
            &clone,
            "echo staged >g && git add g && git commit -qm pushed && git push -q",
        );
        assert_eq!(run.code != 0, level == "refuse", "{run}");
        assert_eq!((files(&shop), shop.snapshot(&main)), before, "{run}");
        assert!(!git_dir("g") && !git_dir("f"), "{run}");
        if level == "restore" {
            let commit = shop.sh(&shop.one, "git commit -q --allow-empty -m astray");
            assert!(
                commit.stderr.contains("was moved from")
                    && commit.stderr.contains("git reset --soft"),
                "{commit}"
            );
            assert_ne!(commit.code, 0);
            // The hint leads on without a change of any file.
            let (_, id) = commit.stderr.split_once("git reset --soft ").unwrap();
            shop.sh(
                &shop.one,
                &format!("git reset -q --soft {}", id.split(';').next().unwrap()),
            )
            .ok();
            assert_eq!(shop.snapshot(&shop.one).status, "");
            shop.sh(
                &shop.one,
                "git commit -q --allow-empty -m x && git merge -q --no-edit one@{2}",
            )
            .ok();
        }
    }
}

/// How the edits were is told by a tree that git writes when it merges them; here it had been
/// written, and packed, before.
#[test]
fn what_cannot_be_taken_back_is_said_and_left_alone() {
    for level in levels() {
        for text in ["one\\n2\\nthree\\n", "1\\n2\\nthree\\n"] {
            let shop = Shop::new(level, Refs::Files);
            shop.setup(
                &shop.one,
                &format!(
                    "printf '1\\n2\\n3\\n' >w; git add w; git commit -q -m x; git switch -q -c \
                     wide; echo wide >d/x
                     printf 'un\\n2\\n3\\n' >w; git commit -q -a -m wide; git switch -q -c packed \
                     one
                     printf '{text}' >w; git commit -q -a -m packed; git repack -q -a -d; git \
                     switch -q one
                     git restore --source packed w"
                ),
            );
            let run = shop.sh(&shop.one, "git checkout --merge wide");
            assert!(
                std::fs::read_to_string(shop.one.join("w"))
                    .unwrap()
                    .contains("three"),
                "{run}"
            );
            // A git that makes a stash of them writes a commit, which is new whatever it holds.
            if run.stderr.to_lowercase().contains("stash") {
                assert!(
                    run.stderr.contains("hint: to work on 'wide'"),
                    "{level} {run}"
                );
                assert_eq!(shop.snapshot(&shop.one).status, " M w\n", "{level} {run}");
                continue;
            }
            assert!(
                run.stderr.contains("could not be taken back"),
                "{level} {run}"
            );
            if level == "restore" {
                assert_ne!(shop.sh(&shop.one, "git add w && git commit -qm x").code, 0);
            }
            shop.sh(&shop.one, hinted(&run.stderr)).ok();
            assert_eq!(shop.snapshot(&shop.one).head, "refs/heads/one\n", "{run}");
            let w = std::fs::read_to_string(shop.one.join("w")).unwrap();
            assert!(w.contains("three"), "{run}{w}");
            assert_eq!(
                std::fs::read_to_string(shop.one.join("d/x")).unwrap(),
                "x\n",
                "{run}"
            );
        }
    }
}

/// Only exit code 1 is an answer. A git-lane that crashes, is killed or is too old to know the
/// command stops nothing.
#[test]
fn a_git_lane_that_crashes_lets_git_go_on() {
    let files = ["--files"];
    for more in [&[][..], &files] {
        let shop = Shop::new("restore", Refs::Files);
        shop.sandbox.lane(["init"].iter().chain(more)).ok();
        let tool = shop.sandbox.root().join("bin/git-lane");
        for script in [
            "#!/bin/sh\nkill -9 $$\n",
            "#!/bin/sh\nkill -SEGV $$\n",
            "#!/bin/sh\nexit 2\n",
            "\x7fELF",
        ] {
            std::fs::remove_file(&tool).unwrap();
            executable(&tool, script);
            let run = shop.sh(&shop.one, "git commit -q --allow-empty -m x");
            assert!(
                run.code == 0 && run.stderr.contains("its rule was not asked"),
                "{run}"
            );
            let run = shop.sh(&shop.one, "git switch -q other && git switch -q one");
            assert!(
                run.code == 0 && run.stderr.contains("its rule was not asked"),
                "{run}"
            );
            shop.sh(
                &shop.one,
                "git merge -q --no-ff --no-edit main; git rebase -q main~1",
            )
            .ok();
        }
    }
}

#[test]
fn a_missing_or_broken_git_lane_lets_git_go_on() {
    let shop = Shop::new("restore", Refs::Files);
    let tool = shop.sandbox.root().join("bin/git-lane");
    std::fs::remove_file(&tool).unwrap();
    let run = shop.sh(&shop.one, "git switch -q other");
    assert_eq!((run.code, run.stderr.lines().count()), (0, 1), "{run}");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_git-lane"), &tool).unwrap();
    // A configuration that git cannot read.
    let garbage = shop.sandbox.root().join("bare");
    std::fs::create_dir_all(garbage.join("objects")).unwrap();
    std::fs::write(garbage.join("HEAD"), "ref: refs/heads/main\n").unwrap();
    std::fs::write(garbage.join("config"), "[lane \"x\n").unwrap();
    let mut hook = shop.sandbox.command("git-lane");
    let run = shop
        .sandbox
        .run(hook.env("GIT_DIR", &garbage).args(["hook", "pre-commit"]));
    assert_eq!((run.code, run.stderr.lines().count()), (0, 1), "{run}");
}
