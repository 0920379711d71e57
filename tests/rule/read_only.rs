//! Nothing is committed in a read-only lane, whatever is checked out there; looking stays free.

use super::shop::{LEVELS, Refs, Shop, possible};

/// What makes commits there. A cherry-pick, like `--no-verify`, asks no hook of git's.
const COMMITS: &[&str] = &[
    "git commit -q --allow-empty -m x",
    "git commit -q --amend --no-edit",
    "git switch -q -c mine && git commit -q --allow-empty -m x",
    "git merge -q --no-ff --no-edit conf",
    "git rebase -q --force-rebase HEAD~1",
];

/// What looks.
const LOOKS: &[&str] = &[
    "git status",
    "git checkout -q --detach other",
    "git log -1",
    "git stash list",
    "git switch -q --detach main && git switch -q --detach main~1",
    "echo x >f && git checkout -q f",
];

fn with_look(level: &'static str) -> (Shop, std::path::PathBuf) {
    let shop = Shop::new(level, Refs::Files);
    shop.sandbox.lane(["start", "look", "--read-only"]).ok();
    let look = shop.sandbox.lane_path("look");
    (shop, look)
}

#[test]
fn commits_are_refused_there_at_every_level_that_refuses() {
    for level in LEVELS
        .into_iter()
        .filter(|level| possible(level, Refs::Files))
    {
        for script in COMMITS {
            let (shop, look) = with_look(level);
            let before = shop.sandbox.git(["rev-list", "--all", "--count"]);
            let run = shop.sh(&look, script);
            let count = || {
                let head = shop.sandbox.git_in(&look, ["rev-parse", "HEAD"]);
                shop.sandbox.git(["rev-list", "--count", "--all", &head])
            };
            match level {
                "restore" | "refuse" => {
                    assert_ne!(run.code, 0, "{level}, {script}: {run}");
                    assert!(
                        run.stderr.contains("lane 'look' is read-only"),
                        "{script}: {run}"
                    );
                    assert!(
                        run.stderr.contains("git lane start NAME --base"),
                        "{script}: {run}"
                    );
                    assert_eq!(count(), before, "{level}, {script}: {run}");
                }
                "warn" => assert!(
                    run.code == 0 && run.stderr.contains("lane 'look' is read-only"),
                    "{script}: {run}"
                ),
                _ => assert!(
                    run.code == 0 && !run.stderr.contains("read-only"),
                    "{script}: {run}"
                ),
            }
        }
    }
}

#[test]
fn looking_stays_free() {
    for level in LEVELS
        .into_iter()
        .filter(|level| possible(level, Refs::Files))
    {
        let (shop, look) = with_look(level);
        for script in LOOKS {
            let run = shop.sh(&look, script);
            assert!(
                run.code == 0 && !run.stderr.contains("read-only"),
                "{level}, {script}: {run}"
            );
        }
        shop.sh(&look, "GIT_LANE_BYPASS=1 git commit -q --allow-empty -m x")
            .ok();
    }
}
