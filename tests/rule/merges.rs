//! Rules 3 and 4: what may be merged where, the main worktree's home, protected branches, renamed
//! branches.

use super::levels;
use super::shop::{In, Refs, Shop, possible};

#[test]
fn one_live_lane_is_not_merged_into_another() {
    for level in levels() {
        for script in [
            "git merge --no-edit two",
            "git merge --no-ff --no-edit refs/heads/two",
            "git pull --no-rebase --no-edit . two",
            "git merge --no-edit main two",
            "git merge --no-edit -s ours two",
        ] {
            let shop = Shop::new(level, Refs::Files);
            let before = (shop.snapshots(), shop.refs());
            let run = shop.sh(&shop.one, script);
            assert!(
                run.code != 0 && run.stderr.contains("git merge --abort"),
                "{run}"
            );
            // git's own advice at this point leads nowhere either.
            assert_ne!(shop.sh(&shop.one, "git commit -qm merged").code, 0);
            shop.sh(&shop.one, "git merge --abort").ok();
            assert_eq!((shop.snapshots(), shop.refs()), before);
            shop.sh(&shop.one, &format!("GIT_LANE_BYPASS=1 {script}"))
                .ok();
        }
    }
}

/// Only the commit can be refused where the merge did not commit.
#[test]
fn a_merge_of_another_lane_is_not_committed_later() {
    for level in levels() {
        for script in [
            "git merge two; echo both >f && git add f && git commit -qm merged",
            "git merge two; echo both >f && git add f && git merge --continue",
            "git merge -q --no-commit -s ours two && git commit -qm merged",
        ] {
            let shop = Shop::new(level, Refs::Files);
            shop.setup(&shop.two, "echo two >f && git commit -qam f");
            let run = shop.sh(&shop.one, script);
            assert!(
                run.code != 0 && run.stderr.contains("not from lane 'two'"),
                "{level} {run}"
            );
            shop.sh(
                &shop.one,
                "git merge --abort && git commit -q --allow-empty -m x",
            )
            .ok();
        }
    }
}

#[test]
fn what_the_base_has_taken_may_be_merged_by_every_lane() {
    let shop = Shop::new("restore", Refs::Files);
    shop.sh(&shop.sandbox.repo, "git merge -q --no-edit two")
        .ok();
    shop.sh(&shop.one, "git merge -q --no-edit two").ok();
}

/// Landing moves a branch that another lane has checked out, with its worktree; that lane is not
/// overtaken by it.
#[test]
fn a_lane_whose_branch_took_a_landing_can_be_committed_to() {
    for level in levels() {
        let shop = Shop::new(level, Refs::Files);
        shop.sandbox
            .lane_in(&shop.one, ["start", "part", "--base", "one"])
            .ok();
        shop.sandbox.work("part", "part", "part\n");
        shop.sandbox.lane(["finish", "part"]).ok();
        assert_eq!(std::fs::read(shop.one.join("part")).unwrap(), b"part\n");
        shop.sh(&shop.one, "echo x >>f && git commit -qam x").ok();
        assert_eq!(shop.snapshot(&shop.one).status, "");
    }
}

#[test]
fn a_base_takes_settled_lanes_only() {
    for level in levels() {
        for (script, why) in [
            ("echo x >untracked", "uncommitted changes"),
            ("echo x >f", "uncommitted changes"),
            ("git merge -q conf || true", "a merge is in progress"),
            ("git switch -q other", "'other' is checked out"),
            ("git checkout -q --detach", "HEAD is detached"),
        ] {
            let shop = Shop::new(level, Refs::Files);
            shop.setup(&shop.one, script);
            let before = shop.snapshots();
            let run = shop.sh(&shop.sandbox.repo, "git merge --no-edit one");
            assert!(
                run.code != 0
                    && run.stderr.contains(why)
                    && run.stderr.contains("git merge --abort"),
                "{run}"
            );
            shop.sh(&shop.sandbox.repo, "git merge --abort").ok();
            assert_eq!(shop.snapshots(), before);
        }
    }
}

/// A lane may be at the very commit that a branch pulls from its upstream.
#[test]
fn a_branch_takes_what_its_upstream_has_whoever_is_working_on_it() {
    for level in levels() {
        for (pulling, script) in [
            ("main", "git pull --no-rebase --no-edit"),
            ("one", "git merge --no-edit @{u}"),
        ] {
            let shop = Shop::new(level, Refs::Files);
            let directory = if pulling == "main" {
                &shop.sandbox.repo
            } else {
                &shop.one
            };
            shop.sandbox
                .lane_in(directory, ["start", "late", "--base", pulling])
                .ok();
            let late = shop.sandbox.lane_path("late");
            shop.setup(
                directory,
                &format!(
                    "git init -q --bare {up} && git remote add up {up} && git push -q -u up \
                     {pulling} &&
                     git switch -q --detach && git commit -q --allow-empty -m up && git push -q up \
                     HEAD:{pulling} &&
                     git switch -q {pulling} && git commit -q --allow-empty -m ours",
                    up = shop.sandbox.root().join("up").display()
                ),
            );
            shop.sh(
                &late,
                &format!("git merge -q --ff-only up/{pulling} && echo x >f"),
            )
            .ok();
            shop.sh(directory, script).ok();
            // A local branch that is followed may be a lane's.
            shop.sh(&late, "git commit -q -a -m late && echo y >f").ok();
            let run = shop.sh(
                directory,
                "git branch -q -u late && git merge --no-edit @{u}",
            );
            assert!(
                run.code != 0 && run.stderr.contains("lane 'late' is not settled"),
                "{run}"
            );
        }
    }
}

/// `git pull` from a place that no tracking ref stands for, while another lane is at what
/// comes: free is what the branch follows, and what is its own or its base's by name; everything
/// else is that lane's.
#[test]
fn a_pull_without_a_tracking_ref_goes_by_what_is_pulled() {
    let follow = "git config branch.one.remote ../../up.git && git config branch.one.merge \
                  refs/heads/theirs";
    let local = "git branch follow two && git branch -q -u follow one";
    for (prepare, pull, free) in [
        (follow, "git pull", true),
        (follow, "git pull ../../up.git theirs", true),
        (follow, "git pull ../../again theirs", false),
        ("", "git pull ../../up.git theirs", false),
        ("", "git pull ../../up.git one", true),
        ("", "git pull ../../up.git main", true),
        ("", "git pull ../../up.git", false),
        ("", "git pull ../../up.git two", false),
        (
            "",
            "git fetch -q ../../up.git one && git merge FETCH_HEAD",
            true,
        ),
        ("", "git pull . two", false),
        ("git branch plain two", "git pull . plain", false),
        (local, "git pull", true),
        (local, "git pull . follow", true),
        ("git branch -q -u two one", "git pull", false),
        (
            "git remote add up ../../up.git && git config --unset remote.up.fetch",
            "git pull up one",
            true,
        ),
        (
            "git remote add up ../../up.git && git config --unset remote.up.fetch",
            "git pull up theirs",
            false,
        ),
    ] {
        for level in levels() {
            let shop = Shop::new(level, Refs::Files);
            shop.setup(
                &shop.one,
                &format!(
                    "git init -q --bare -b theirs ../../up.git && git push -q ../../up.git \
                     two:theirs two:one two:main two &&
                     git clone -q --bare ../../up.git ../../again; {}",
                    if prepare.is_empty() { "true" } else { prepare }
                ),
            );
            let before = (shop.snapshots(), shop.refs());
            let pulled = pull.replace("git pull", "git pull --no-rebase --no-edit");
            let run = shop.sh(
                &shop.one,
                &pulled.replace("git merge", "git merge --no-edit"),
            );
            assert_eq!(run.code == 0, free, "{level} {prepare} {run}");
            if free {
                assert!(shop.one.join("two").exists(), "{run}");
                shop.sh(&shop.one, "git commit -q --allow-empty -m more")
                    .ok();
            } else {
                assert!(run.stderr.contains("not from lane 'two'"), "{run}");
                shop.sh(&shop.one, "git merge --abort").ok();
                assert_eq!((shop.snapshots(), shop.refs()), before, "{run}");
            }
        }
    }
}

#[test]
fn the_main_worktree_stays_at_home_where_the_policy_says_so() {
    for level in levels() {
        for script in [
            "git switch other",
            "git checkout other",
            "git switch -c fresh",
            "git checkout -b fresh other",
            "git switch --orphan fresh",
            "git stash -q && git stash branch fresh; git switch -q main; git stash pop -q --index; \
             false",
            "git bisect start -q main main~1; git bisect reset other",
            "git rebase main other",
            "git checkout -B fresh other",
            "git checkout --orphan fresh",
            "git checkout --orphan fresh other",
        ] {
            let shop = Shop::new(level, Refs::Files);
            shop.sandbox.git(["config", "lane.home", "main"]);
            let clean = script.contains("rebase") || script.starts_with("git switch --orphan");
            let directory = shop.at(if clean { In::CleanMain } else { In::Main });
            let before = shop.snapshots();
            let run = shop.sh(&directory, script);
            assert!(
                run.code != 0 && run.stderr.contains("the main worktree stays on 'main'"),
                "{run}"
            );
            assert_eq!(shop.snapshots(), before);
        }
        let shop = Shop::new(level, Refs::Files);
        shop.setup(&shop.sandbox.repo, "git switch -q other");
        shop.sandbox.git(["config", "lane.home", "main"]);
        assert_ne!(
            shop.sh(&shop.sandbox.repo, "git commit -q --allow-empty -m x")
                .code,
            0
        );
        assert_eq!(shop.sh(&shop.sandbox.repo, "git switch -q main").code, 0);
        shop.sh(
            &shop.one,
            "git commit -q --allow-empty -m x && git rebase -q main",
        )
        .ok();
    }
}

#[test]
fn protected_branches_take_no_commits() {
    for (level, script) in levels().flat_map(|level| {
        [
            "git commit -q --allow-empty -m x",
            "git commit -q --amend -m x",
            "git merge --no-edit one",
            "git merge -q --squash one && git commit -q -m x",
            "git merge -q --no-commit one && git commit -q -m x",
            "git rebase -q -f HEAD~1",
            "git switch -q other && git rebase -q other main",
        ]
        .map(|script| (level, script))
    }) {
        let shop = Shop::new(level, Refs::Files);
        shop.sandbox
            .git(["config", "lane.protected", "ma* release"]);
        let refs = shop.refs();
        let run = shop.sh(&shop.sandbox.repo, script);
        assert!(
            run.code != 0 && run.stderr.contains("branch 'main' is protected"),
            "{run}"
        );
        assert_eq!(shop.refs(), refs);
        shop.sh(
            &shop.one,
            "git commit -q --allow-empty -m x && git merge -q --no-edit main",
        )
        .ok();
    }
}

#[test]
fn the_record_follows_a_renamed_branch() {
    for level in levels() {
        for refs in [Refs::Files, Refs::Reftable]
            .into_iter()
            .filter(|refs| possible(level, *refs))
        {
            let shop = Shop::new(level, refs);
            shop.sh(
                &shop.sandbox.repo,
                "git branch -m one uno && git branch -m uno eins",
            )
            .ok();
            shop.sh(&shop.one, "git commit -q --allow-empty -m x").ok();
            assert_eq!(shop.sandbox.git(["config", "lane.one.branch"]), "eins");
            assert_ne!(shop.sh(&shop.one, "git switch other").code, 0);
            assert_eq!(shop.snapshot(&shop.one).head, "refs/heads/eins\n");
        }
    }
}

#[test]
fn the_record_follows_at_the_next_command_too() {
    let shop = Shop::new("off", Refs::Files);
    shop.sandbox.git(["branch", "-m", "one", "uno"]);
    let run = shop.sandbox.lane(["start", "three"]);
    assert!(
        run.stderr.contains(
            "the branch of lane 'one' was renamed from 'one' to 'uno'; its record follows"
        ),
        "{run}"
    );
    run.ok();
    assert_eq!(shop.sandbox.git(["config", "lane.one.branch"]), "uno");
    assert_eq!(shop.sandbox.git(["config", "lane.one.owner"]), "tester");
}

#[test]
fn a_deleted_branch_is_not_taken_for_a_renamed_one() {
    let shop = Shop::new("restore", Refs::Files);
    shop.setup(
        &shop.one,
        "git checkout -q --detach && git branch -D one && git switch -q other",
    );
    let run = shop.sh(&shop.one, "git commit -q --allow-empty -m x");
    assert!(
        run.stderr
            .contains("branch 'one' of lane 'one' does not exist"),
        "{run}"
    );
    assert_eq!(shop.sandbox.git(["config", "lane.one.branch"]), "one");
}

#[test]
fn a_moved_worktree_is_still_its_lane() {
    let shop = Shop::new("restore", Refs::Files);
    shop.sandbox
        .git(["worktree", "move", "../shop.lanes/one", "../moved"]);
    let moved = shop.sandbox.root().join("moved");
    let before = shop.snapshot(&moved);
    assert_ne!(shop.sh(&moved, "git switch other").code, 0);
    assert_eq!(shop.snapshot(&moved), before);
}
