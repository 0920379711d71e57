//! Rebases, bisections and stashes under way.

use super::*;

#[test]
fn every_way_out_is_open() {
    for level in levels() {
        for script in [
            "GIT_LANE_BYPASS=1 git switch -q other",
            "git -c lane.guard=off switch -q other",
            "GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=lane.guard GIT_CONFIG_VALUE_0=off git switch -q \
             other",
        ] {
            let shop = Shop::new(level, Refs::Files);
            let run = shop.sh(&shop.at(In::Lane), script);
            assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run}");
            assert_eq!(shop.snapshot(&shop.one).head, "refs/heads/other\n");
            assert_ne!(shop.sh(&shop.one, "git commit -qm astray").code, 0);
            shop.sh(&shop.one, "git commit -qm astray --no-verify").ok();
        }
    }
}

#[test]
fn the_way_back_is_always_open() {
    for level in levels() {
        let shop = Shop::new(level, Refs::Files);
        let directory = shop.at(In::Lane);
        shop.setup(&directory, "git switch -q other");
        assert_ne!(shop.sh(&directory, "git commit -qm x").code, 0);
        assert_eq!(shop.sh(&directory, "git switch -q one").code, 0);
        assert_eq!(shop.sh(&directory, "git commit -qm x").code, 0);
    }
}

#[test]
fn from_a_detached_head_there_is_one_way_only() {
    for level in levels() {
        let shop = Shop::new(level, Refs::Files);
        let directory = shop.at(In::Lane);
        let before = shop.snapshot(&directory);
        shop.sh(&directory, "git checkout -q --detach").ok();
        assert_ne!(shop.sh(&directory, "git switch other").code, 0);
        if level == "refuse" {
            assert_eq!(shop.snapshot(&directory).head.len(), 41);
        }
        shop.sh(&directory, "git switch -q one").ok();
        assert_eq!(shop.snapshot(&directory), before);
    }
}

/// Who says `git bisect reset other` wants out of the bisection: it is over, and HEAD is where it
/// belongs.
#[test]
fn a_bisection_ends_on_the_lanes_branch() {
    let over = |shop: &Shop, directory: &std::path::Path| {
        let left = "ls \"$(git rev-parse --git-dir)\" | grep BISECT; git for-each-ref refs/bisect";
        assert_eq!(shop.sh(directory, left).ok(), "");
    };
    for refs in [Refs::Files, Refs::Reftable] {
        for level in levels().filter(|level| possible(level, refs)) {
            let shop = Shop::new(level, refs);
            // What is staged, edited and new comes along.
            let directory = shop.at(In::Lane);
            shop.sh(
                &directory,
                "git reset -q --hard one~1 && git commit -q --allow-empty -m x",
            )
            .ok();
            shop.sh(
                &directory,
                "git commit -q --allow-empty -m y && echo staged >h && git add h && echo more >>g",
            )
            .ok();
            let before = shop.snapshots();
            let run = shop.sh(
                &directory,
                "git bisect start HEAD HEAD~2 && git bisect reset other",
            );
            assert!(
                run.code != 0
                    && run
                        .stderr
                        .contains("the bisection has ended on the branch that does"),
                "{run}"
            );
            assert!(run.stderr.contains("git lane start other"), "{run}");
            assert_eq!(shop.snapshots(), before, "{level} {run}");
            over(&shop, &directory);
            // Anywhere else it may end at any commit.
            shop.sh(
                &directory,
                "git bisect start HEAD HEAD~2 && git bisect reset HEAD~1 && git switch -q one",
            )
            .ok();
        }
    }
}

#[test]
fn a_bisection_of_the_main_worktree_ends_on_no_lanes_branch() {
    for level in levels() {
        let shop = Shop::new(level, Refs::Files);
        let main = shop.at(In::CleanMain);
        let before = shop.snapshots();
        let run = shop.sh(
            &main,
            "git bisect start main main~1 && git bisect reset one",
        );
        assert_ne!(run.code, 0, "{run}");
        drop(shop.sh(&main, "git bisect reset"));
        assert_eq!(shop.snapshots(), before, "{level} {run}");
    }
}

/// The guard takes no command's word for it: only `git bisect reset` ends a bisection.
#[test]
fn a_switch_in_the_middle_of_a_bisection_leaves_it_alone() {
    for level in levels() {
        let shop = Shop::new(level, Refs::Files);
        let before = shop.snapshots();
        shop.sh(&shop.one, "git bisect start HEAD HEAD~2").ok();
        let bisecting = shop.snapshots();
        assert_ne!(
            shop.sh(&shop.one, "git switch other; git checkout other")
                .code,
            0
        );
        assert_eq!(shop.snapshots(), bisecting, "{level}");
        shop.sh(&shop.one, "git bisect log && git bisect reset")
            .ok();
        assert_eq!(shop.snapshots(), before, "{level}");
    }
}

#[test]
fn a_rebase_that_somebody_leaves_for_another_branch_can_go_on() {
    for level in levels() {
        let shop = Shop::new(level, Refs::Files);
        let run = shop.sh(
            &shop.one,
            "git rebase -q -i --exec false main; git checkout other",
        );
        if level == "restore" {
            assert!(run.code != 0 && run.stderr.contains("lane 'one'"), "{run}");
        } else {
            // While a rebase is in progress HEAD must be free to move.
            drop(shop.sh(&shop.one, "git checkout -q --detach one"));
        }
        shop.sh(&shop.one, "git rebase --abort").ok();
        assert_eq!(shop.snapshot(&shop.one).head, "refs/heads/one\n");
    }
}

/// A veto at the end of a rebase would leave HEAD detached and the rebase impossible to abort.
#[test]
fn a_rebase_under_way_is_never_left_stuck() {
    for level in levels() {
        for backend in ["--merge", "--apply"] {
            let shop = Shop::new(level, Refs::Files);
            shop.sh(
                &shop.one,
                &format!("git rebase -q --no-verify {backend} main other"),
            )
            .ok();
            assert!(
                !shop
                    .sandbox
                    .repo
                    .join(".git/worktrees/one/rebase-merge")
                    .exists()
            );
            assert_ne!(
                shop.sh(&shop.one, "git commit -q --allow-empty -m astray")
                    .code,
                0
            );
            shop.sh(&shop.one, "git switch -q one").ok();
        }
    }
}

/// `git stash branch` leaves the lane for a new branch. git stops before it has touched the stash,
/// and the hint leads to where it wanted to go: the branch in a lane of its own, with the stash
/// applied.
#[test]
fn a_stash_branch_is_taken_back_and_the_hint_leads_to_the_same_end() {
    for level in levels() {
        let shop = Shop::new(level, Refs::Files);
        let directory = shop.at(In::Lane);
        shop.sh(&directory, "git stash -q").ok();
        let run = shop.sh(&directory, "git stash branch fresh");
        assert!(
            run.code != 0
                && run
                    .stderr
                    .contains("branch 'fresh' stays, and so does the stash"),
            "{run}"
        );
        let hint = "git lane start fresh; and there: git stash pop --index";
        assert!(run.stderr.contains(hint), "{run}");
        assert_eq!(shop.snapshot(&directory).head, "refs/heads/one\n");
        shop.sandbox.lane_in(&directory, ["start", "fresh"]).ok();
        let fresh = shop.sandbox.lane_path("fresh");
        shop.sh(&fresh, "git stash pop -q --index").ok();
        assert_eq!(
            std::fs::read_to_string(fresh.join("g")).unwrap(),
            "staged\nunstaged\n"
        );
        assert_eq!(
            shop.sandbox.git_in(&fresh, ["branch", "--show-current"]),
            "fresh"
        );
        assert_eq!(
            shop.sandbox
                .git_in(&fresh, ["diff", "--cached", "--name-only"]),
            "g"
        );
        assert_eq!(shop.sandbox.git(["stash", "list"]), "");
    }
}
