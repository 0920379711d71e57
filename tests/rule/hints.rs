//! Hints that have to work where git refuses to switch: with conflicts in the index, and after HEAD
//! alone was moved.

use super::everything::Everything;
use super::levels;
use super::shop::{Refs, Shop};

/// The command a hint ends with.
#[track_caller]
fn hinted(said: &str) -> &str {
    let hint = said
        .lines()
        .find_map(|line| line.strip_prefix("hint: "))
        .unwrap_or_else(|| panic!("{said}"));
    hint.rsplit_once(": ").unwrap().1
}

#[test]
fn at_level_warn_the_hint_goes_back_with_conflicts() {
    for edits in ["git cherry-pick -n conf", "git merge -q --squash conf"] {
        let shop = Shop::new("warn", Refs::Files);
        drop(shop.sh(&shop.one, edits));
        let before = Everything::of(&shop, &shop.one);
        let run = shop.sh(&shop.one, "git switch -c fresh");
        assert!(run.code == 0 && run.stderr.contains("warning: "), "{run}");
        shop.sh(&shop.one, hinted(&run.stderr)).ok();
        let differences = Everything::of(&shop, &shop.one).differences(&before);
        assert!(
            differences
                .iter()
                .all(|what| what.starts_with("operation ")),
            "{differences:?} {run}"
        );
        assert_eq!(
            shop.sandbox.git_in(
                &shop.sandbox.lane_path("fresh"),
                ["branch", "--show-current"]
            ),
            "fresh"
        );
    }
}

/// `git symbolic-ref` asks no hook of level restore; the next commit is stopped, and everything
/// staged goes back with HEAD.
#[test]
fn after_plumbing_has_moved_head_the_hint_moves_it_back() {
    for level in levels() {
        for branch in ["other", "unborn", "conf", "same"] {
            let shop = Shop::new(level, Refs::Files);
            shop.setup(&shop.one, "git branch same");
            shop.sh(
                &shop.one,
                "echo s >g; git add g; echo u >>g; echo n >n; git add n; git rm -q --cached h",
            )
            .ok();
            let before = Everything::of(&shop, &shop.one);
            shop.setup(
                &shop.one,
                &format!("git symbolic-ref HEAD refs/heads/{branch}"),
            );
            let run = shop.sh(&shop.one, "git commit -q -m x");
            assert_ne!(run.code, 0, "{run}");
            shop.sh(&shop.one, hinted(&run.stderr)).ok();
            assert_eq!(
                Everything::of(&shop, &shop.one).differences(&before),
                [""; 0],
                "{level} {branch} {run}"
            );
            shop.sh(&shop.one, "git commit -q -m x").ok();
        }
    }
}

/// A hook that cannot say why refuses all the same.
#[test]
fn where_nothing_can_be_said_the_verdict_stands() {
    for level in levels() {
        for script in [
            "git switch other 2>/dev/full",
            "git switch other 2>&-",
            "{ git switch -q other; echo $? >../../code; } 2>&1 | true; exit $(cat ../../code)",
            "git commit -q --allow-empty -m x >/dev/full 2>/dev/full",
            "git rebase main other >/dev/full 2>&1",
        ] {
            let shop = Shop::new(level, Refs::Files);
            if script.contains("commit") {
                shop.setup(&shop.one, "git symbolic-ref HEAD refs/heads/other");
            }
            let before = Everything::of(&shop, &shop.one);
            assert_ne!(shop.sh(&shop.one, script).code, 0, "{level} {script}");
            assert_eq!(
                Everything::of(&shop, &shop.one).differences(&before),
                [""; 0],
                "{level} {script}"
            );
        }
    }
}
