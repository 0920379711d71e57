//! What moves a HEAD and asks no hook of level restore: `git symbolic-ref` and its like, and `git
//! worktree add -f --no-checkout`. LIMITS of git-lane-init(1) say what happens then, and these
//! tables show it.

use super::shop::{LEVELS, Refs, Shop, possible};
use crate::support::git_version;

/// A script, where it runs, which worktree it leaves on which branch, and who says so in what
/// words.
#[derive(Debug)]
struct Row {
    from: &'static str,
    script: &'static str,
    at: &'static str,
    branch: &'static str,
    listed: &'static str,
    doctor: &'static str,
    fixed: &'static str,
}

const STRAY: &str = "lane 'one' is a stray: its worktree is on branch '";
const TWICE: &str = "branch 'two' of lane 'two' is checked out in '";

const ROWS: &[Row] = &[
    Row {
        from: "one",
        script: "git symbolic-ref HEAD refs/heads/other",
        at: "one",
        branch: "other",
        listed: "stray on other",
        doctor: STRAY,
        fixed: "one",
    },
    Row {
        from: "main",
        script: "git -C ../shop.lanes/one symbolic-ref -m moved HEAD refs/heads/other",
        at: "one",
        branch: "other",
        listed: "stray on other",
        doctor: STRAY,
        fixed: "one",
    },
    Row {
        from: "one",
        script: "git symbolic-ref HEAD refs/heads/unborn",
        at: "one",
        branch: "unborn",
        listed: "stray on unborn",
        doctor: STRAY,
        fixed: "one",
    },
    Row {
        from: "one",
        script: "echo symref-update HEAD refs/heads/other | git update-ref --no-deref --stdin",
        at: "one",
        branch: "other",
        listed: "stray on other",
        doctor: STRAY,
        fixed: "one",
    },
    Row {
        from: "one",
        script: "git symbolic-ref HEAD refs/heads/two",
        at: "one",
        branch: "two",
        listed: "stray on two",
        doctor: STRAY,
        fixed: "one",
    },
    Row {
        from: "main",
        script: "git symbolic-ref HEAD refs/heads/two",
        at: "main",
        branch: "two",
        listed: "(main)  two",
        doctor: TWICE,
        fixed: "two",
    },
    Row {
        from: "main",
        script: "git worktree add -q -f --no-checkout ../w two",
        at: "w",
        branch: "two",
        listed: "../w",
        doctor: TWICE,
        fixed: "",
    },
    Row {
        from: "one",
        script: "git worktree add -q --no-checkout --force ../../w two",
        at: "w",
        branch: "two",
        listed: "../w",
        doctor: TWICE,
        fixed: "",
    },
];

fn place(shop: &Shop, name: &str) -> std::path::PathBuf {
    match name {
        "main" => shop.sandbox.repo.clone(),
        "one" => shop.one.clone(),
        other => shop.sandbox.root().join(other),
    }
}

fn rows() -> impl Iterator<Item = &'static Row> {
    ROWS.iter()
        .filter(|row| !row.script.contains("symref-update") || git_version() >= (2, 46))
}

fn backends(level: &'static str) -> impl Iterator<Item = Refs> {
    [Refs::Files, Refs::Reftable]
        .into_iter()
        .filter(move |refs| possible(level, *refs))
}

#[test]
fn at_level_restore_it_is_told_by_the_list_the_doctor_and_the_next_commit() {
    for refs in backends("restore") {
        for row in rows() {
            let shop = Shop::new("restore", refs);
            let untouched = shop.snapshot(&shop.one);
            shop.sh(&place(&shop, row.from), row.script).ok();
            let there = place(&shop, row.at);
            let branch = || shop.sandbox.git_in(&there, ["branch", "--show-current"]);
            assert_eq!(branch(), row.branch, "{row:?}");
            let list = shop.sandbox.lane(["list"]);
            assert!(list.stdout.contains(row.listed), "{refs:?} {row:?} {list}");
            let doctor = shop.sandbox.lane(["doctor"]);
            assert!(
                doctor.code != 0 && doctor.stdout.contains(row.doctor),
                "{refs:?} {row:?} {doctor}"
            );
            let before = (shop.refs(), branch());
            let run = shop.sh(&there, "git commit -q --allow-empty -m x");
            assert!(
                run.code != 0 && run.stderr.contains("hint: "),
                "{refs:?} {row:?} {run}"
            );
            // These git refuses by itself where the index has something else than the branch.
            for refused in ["git merge -q --no-ff --no-edit conf", "git rebase -q conf"] {
                let run = shop.sh(&there, refused);
                assert!(
                    run.code != 0 || row.branch == "unborn",
                    "{refs:?} {row:?} {run}"
                );
            }
            assert_eq!((shop.refs(), branch()), before, "{row:?}");
            let fix = shop.sandbox.lane(["doctor", "--fix"]);
            if let Some((_, hint)) = fix.stdout.split_once("with your changes: ") {
                shop.sh(&shop.sandbox.repo, hint.lines().next().unwrap())
                    .ok();
            }
            assert_eq!(branch(), row.fixed, "{refs:?} {row:?} {fix}");
            if row.at == "one" {
                assert_eq!(shop.snapshot(&shop.one), untouched, "{refs:?} {row:?}");
            }
        }
    }
}

#[test]
fn at_level_refuse_it_does_not_happen() {
    for refs in backends("refuse") {
        for row in rows() {
            let shop = Shop::new("refuse", refs);
            let before = (shop.snapshots(), shop.refs());
            let run = shop.sh(&place(&shop, row.from), row.script);
            assert!(
                run.code != 0
                    && run.stderr.contains("lane 'one'") | run.stderr.contains("lane 'two'"),
                "{row:?} {run}"
            );
            assert_eq!(
                (shop.snapshots(), shop.refs()),
                before,
                "{refs:?} {row:?} {run}"
            );
            assert!(!place(&shop, "w").exists(), "{refs:?} {row:?} {run}");
        }
    }
}

#[test]
fn the_other_levels_let_it_be() {
    for level in LEVELS
        .into_iter()
        .filter(|level| !["restore", "refuse"].contains(level))
    {
        for refs in backends(level) {
            for row in rows() {
                let shop = Shop::new(level, refs);
                let moved = shop.sh(&place(&shop, row.from), row.script);
                let commit = shop.sh(&place(&shop, row.at), "git commit -q --allow-empty -m x");
                assert_eq!(
                    (moved.code, commit.code),
                    (0, 0),
                    "{level} {refs:?} {row:?} {commit}"
                );
                assert_eq!(moved.stderr, "", "{row:?}");
                assert_eq!(
                    commit.stderr.contains("warning: "),
                    level == "warn",
                    "{level} {refs:?} {row:?} {commit}"
                );
            }
        }
    }
}
