//! Where a lane's branch and worktree went: renamed, deleted, moved. The rule goes with them, and
//! with nothing else.

use super::levels;
use super::shop::{Refs, Shop, possible};

fn shops() -> impl Iterator<Item = Shop> {
    let kinds = ["restore", "refuse"]
        .into_iter()
        .flat_map(|level| [(level, Refs::Files), (level, Refs::Reftable)]);
    kinds
        .filter(|(level, refs)| possible(level, *refs))
        .map(|(level, refs)| Shop::new(level, refs))
}

#[test]
fn a_renamed_branch_is_no_way_out() {
    for shop in shops() {
        for (place, rename, name) in [
            (&shop.one, "git branch -m better", "better"),
            (&shop.sandbox.repo, "git branch -m better best", "best"),
        ] {
            shop.sh(place, rename).ok();
            let before = shop.snapshots();
            let run = shop.sh(&shop.one, "git switch -q other");
            assert!(
                run.code != 0
                    && run
                        .stderr
                        .contains(&format!("lane 'one' with branch '{name}'")),
                "{run}"
            );
            assert_eq!(shop.snapshots(), before, "{run}");
            assert_eq!(shop.sandbox.git(["config", "lane.one.branch"]), name);
            shop.sh(&shop.one, "git commit -q --allow-empty -m x").ok();
        }
    }
}

#[test]
fn a_deleted_branch_is_no_way_out() {
    for level in levels() {
        let shop = Shop::new(level, Refs::Files);
        shop.sh(&shop.one, "git switch -q --detach").ok();
        shop.setup(&shop.one, "git branch -qD one");
        let before = shop.snapshots();
        assert_ne!(shop.sh(&shop.one, "git switch -q other").code, 0);
        assert_eq!(shop.snapshots(), before);
        shop.setup(&shop.one, "git switch -q other");
        let commit = shop.sh(&shop.one, "git commit -q --allow-empty -m wrong");
        assert!(
            commit.code != 0 && commit.stderr.contains("git switch -c one"),
            "{commit}"
        );
        assert!(
            commit.stderr.contains("git config lane.one.branch other"),
            "{commit}"
        );
        // Both ways that are offered lead on.
        shop.sh(
            &shop.one,
            "git config lane.one.branch other && git commit -q --allow-empty -m fine",
        )
        .ok();
        shop.sandbox.git(["config", "lane.one.branch", "one"]);
        shop.sh(
            &shop.one,
            "git switch -q -c one && git commit -q --allow-empty -m fine",
        )
        .ok();
    }
}

#[test]
fn what_the_base_follows_may_be_merged() {
    for level in levels() {
        for base in ["refs/heads/main", "refs/remotes/origin/main"] {
            let shop = Shop::new(level, Refs::Files);
            let origin = shop.sandbox.root().join("origin");
            shop.sandbox.git(["init", "-q", "--bare", "../origin"]);
            shop.sandbox
                .git(["remote", "add", "origin", origin.to_str().unwrap()]);
            shop.setup(&shop.sandbox.repo, "git push -q -u origin main");
            shop.sandbox.git(["config", "lane.one.base", base]);
            // Another clone lands lane two on the server.
            shop.setup(
                &shop.two,
                "git rebase -q main && git push -q origin two:main",
            );
            shop.sh(
                &shop.one,
                "git fetch -q && git merge -q --no-edit origin/main",
            )
            .ok();
            shop.sh(&shop.one, "test -e two && git commit -q --allow-empty -m x")
                .ok();
        }
    }
}

#[test]
fn a_moved_worktree_keeps_its_branch_to_itself() {
    for shop in shops() {
        shop.sandbox
            .git(["worktree", "move", "../shop.lanes/two", "../moved"]);
        let moved = shop.sandbox.root().join("moved");
        let before = (shop.snapshot(&shop.sandbox.repo), shop.snapshot(&moved));
        assert_ne!(
            shop.sh(
                &shop.sandbox.repo,
                "git switch --ignore-other-worktrees two"
            )
            .code,
            0
        );
        assert_ne!(shop.sh(&moved, "git switch other").code, 0);
        assert_eq!(
            (shop.snapshot(&shop.sandbox.repo), shop.snapshot(&moved)),
            before
        );
        shop.sh(&moved, "git commit -q --allow-empty -m x").ok();
    }
}

#[test]
fn a_worktree_that_is_no_lane_is_not_taken_for_a_removed_one() {
    for shop in shops() {
        std::fs::remove_dir_all(&shop.one).unwrap();
        shop.sandbox.git(["worktree", "prune"]);
        shop.sandbox
            .git(["worktree", "add", "-q", "-b", "n5", "../n5"]);
        let n5 = shop.sandbox.root().join("n5");
        shop.sh(
            &n5,
            "git switch -q one && git switch -q other && git commit -q --allow-empty -m x",
        )
        .ok();
    }
}

/// Only reading commands ran in between, so nothing has followed the first half when the second
/// happens.
#[test]
fn a_branch_renamed_and_a_worktree_moved_are_followed_together() {
    let rename_and_move = "git branch -m one best && git worktree move ../shop.lanes/one ../moved";
    for script in [
        rename_and_move,
        "git worktree move ../shop.lanes/one ../moved && git branch -m one x && git branch -m x \
         best",
    ] {
        // The hooks know it at once.
        for shop in shops() {
            let moved = shop.sandbox.root().join("moved");
            shop.sh(&shop.sandbox.repo, script).ok();
            shop.sandbox.lane(["list"]).ok();
            let before = shop.snapshot(&moved);
            for switch in ["git switch other", "git switch -c fresh"] {
                let run = shop.sh(&moved, switch);
                assert!(
                    run.code != 0 && run.stderr.contains("lane 'one' with branch 'best'"),
                    "{run}"
                );
                assert_eq!(shop.snapshot(&moved), before, "{run}");
            }
            assert_ne!(
                shop.sh(
                    &shop.sandbox.repo,
                    "git switch --ignore-other-worktrees best"
                )
                .code,
                0
            );
            shop.sh(&moved, "git commit -q --allow-empty -m x").ok();
            assert_eq!(shop.sandbox.git(["config", "lane.one.branch"]), "best");
        }
        // So do doctor and the next command that changes something.
        for fix in [&["doctor", "--fix"][..], &["start", "three"]] {
            let shop = Shop::new("off", Refs::Files);
            let moved = shop.sandbox.root().join("moved");
            shop.sh(&shop.sandbox.repo, script).ok();
            let told = shop.sandbox.lane(["doctor"]).fails(1);
            assert!(
                !told.contains("git worktree add") && !told.contains("orphan"),
                "{told}"
            );
            shop.sandbox.lane(fix).ok();
            assert_eq!(shop.sandbox.git(["config", "lane.one.branch"]), "best");
            assert_eq!(
                shop.sandbox.git(["config", "lane.one.worktree"]),
                moved.to_str().unwrap()
            );
            assert!(
                shop.sandbox
                    .lane(["doctor"])
                    .ok()
                    .contains("everything is as it should be")
            );
        }
    }
}

/// Another worktree that has the renamed branch, one that is a lane itself, a name that is in use
/// again: nothing is plain.
#[test]
fn what_is_not_plain_is_not_followed() {
    for script in [
        "git worktree remove -f ../shop.lanes/one && git branch -m one best && git worktree add -q \
         ../moved best",
        "git branch -m one best && git branch one main && git worktree move ../shop.lanes/one \
         ../moved",
        "git branch -m one best && git worktree move ../shop.lanes/one ../moved && git -C ../moved \
         switch -q other",
    ] {
        let shop = Shop::new("off", Refs::Files);
        shop.sh(&shop.sandbox.repo, script).ok();
        shop.sandbox.lane(["doctor", "--fix"]).fails(1);
        assert_eq!(shop.sandbox.git(["config", "lane.one.branch"]), "one");
        assert_eq!(
            shop.sandbox.git(["config", "lane.one.worktree"]),
            shop.one.to_str().unwrap()
        );
    }
}
