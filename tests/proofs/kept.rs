//! What a lane lacks in its base it still has.

use super::*;
use crate::support::{Dice, rounds};

#[test]
fn an_empty_handed_merge_is_a_merge_commit_as_git_makes_it() {
    if git_version() < (2, 43) {
        return;
    }
    let (sandbox, lane) = stage();
    sandbox.write("f", lines(&[(5, "main's")]));
    sandbox.commit("main's");
    sandbox.work("x", "f", &lines(&[(5, "the lane's")]));
    sandbox.git(["config", "branch.main.mergeOptions", "-X ours"]);
    let tip = sandbox.git(["rev-parse", "x"]);
    let told = sandbox.lane(["finish", "x", "-n"]).ok();
    assert!(told.contains("would land"), "{told}");
    assert_eq!(finish(&sandbox, "squash"), "left-out");
    assert!(lane.exists());
    let landed = sandbox.lane(["finish", "x", "--json"]).json();
    assert_eq!(landed["landed"]["commits"], 1);
    assert_eq!(sandbox.git(["rev-parse", "main^2"]), tip);
    assert_eq!(sandbox.git(["diff", "main^1", "main"]), "");
    sandbox.git(["merge-base", "--is-ancestor", &tip, "main"]);
}

#[test]
fn what_a_kept_lane_lacks_in_its_base_it_still_has() {
    let (sandbox, lane) = stage();
    advance(&sandbox);
    sandbox.work("x", "l", "l\n");
    merge_main(&sandbox, &[("fix", "fix\n")]);
    let said = sandbox
        .lane(["finish", "x", "--strategy", "rebase"])
        .fails(1);
    assert!(
        said.contains("a rebase would leave work of lane 'x' out of 'main'"),
        "{said}"
    );
    assert!(
        said.contains("'fix'") && said.contains("--strategy merge"),
        "{said}"
    );
    sandbox
        .lane(["finish", "x", "--strategy", "rebase", "-n"])
        .fails(1);
    // The lane stays: nothing can get lost, and what a rebase gives may land.
    sandbox
        .lane(["finish", "x", "--strategy", "rebase", "--keep"])
        .ok();
    assert!(sandbox.repo.join("l").exists() && !sandbox.repo.join("fix").exists());
    assert!(
        sandbox
            .lane(["finish", "x", "--no-land"])
            .fails(1)
            .contains("is not in 'main'")
    );
    assert!(lane.join("fix").exists());
}

/// Lanes of random edits, merges with and without changes of their own, picks and white space:
/// whenever finish lets one go, a merge of its tip, with nothing configured, has nothing to add to
/// the base. `GIT_LANE_TEST_LONG=1` runs many.
#[test]
fn no_random_lane_goes_before_its_work_is_in_the_base() {
    let mut went = 0;
    for seed in 1..=rounds(8, 300) {
        went += usize::from(random(seed));
    }
    assert!(went > 0);
}

/// Whether the lane went.
fn random(seed: u64) -> bool {
    let (sandbox, lane) = stage();
    let mut dice = Dice::new(seed);
    let mut roll = |below: usize| dice.roll(below);
    let main = sandbox.repo.clone();
    for step in 0..3 + roll(5) {
        let there = if roll(3) == 0 { &main } else { &lane };
        let try_git = |args: &[&str]| {
            sandbox
                .run(sandbox.command("git").current_dir(there).args(args))
                .code
                == 0
        };
        match roll(7) {
            0 if there == &lane => {
                let own = roll(2) == 0;
                if try_git(&["merge", "-q", "--no-ff", "--no-commit", "main"]) {
                    if own {
                        write(&lane.join(format!("own{step}")), "own\n");
                    }
                    try_git(&["add", "-A"]);
                    try_git(&["commit", "-q", "-m", "merge"]);
                } else {
                    try_git(&["merge", "--abort"]);
                }
            }
            1 if there == &main => {
                if !try_git(&["cherry-pick", "x"]) {
                    try_git(&["cherry-pick", "--abort"]);
                }
            }
            2 => {
                if !try_git(&["revert", "--no-edit", "HEAD"]) {
                    try_git(&["revert", "--abort"]);
                }
            }
            kind => {
                // A revert may have taken the file away.
                let text = std::fs::read_to_string(there.join("f")).unwrap_or_else(|_| lines(&[]));
                let at = roll(9);
                let edit = |(number, line): (usize, &str)| match (number == at, kind) {
                    (false, _) => format!("{line}\n"),
                    (true, 3) => format!("  {line}\n"),
                    (true, 4) => format!("{line}\nnew {step}\n"),
                    (true, _) => format!("{line}!\n"),
                };
                write(
                    &there.join("f"),
                    text.lines().enumerate().map(edit).collect::<String>(),
                );
                try_git(&["add", "-A"]);
                try_git(&["commit", "-q", "-m", "edit"]);
            }
        }
    }
    let tip = sandbox.git(["rev-parse", "x"]);
    let strategy = ["rebase", "squash", "merge"][roll(3)];
    let run = sandbox.lane(["finish", "x", "--strategy", strategy]);
    assert!([0, 1, 3].contains(&run.code), "seed {seed}: {run}");
    assert_eq!(lane.exists(), run.code != 0, "seed {seed}: {run}");
    assert_eq!(
        sandbox.git(["status", "--porcelain"]),
        "",
        "seed {seed}: {run}"
    );
    if run.code != 0 {
        return false;
    }
    let inside = sandbox
        .run(
            sandbox
                .command("git")
                .args(["merge-base", "--is-ancestor", &tip, "main"]),
        )
        .code
        == 0;
    let merged =
        sandbox.run(
            sandbox
                .command("git")
                .args(["merge-tree", "--write-tree", "main", &tip]),
        );
    let tree = sandbox.git(["rev-parse", "main^{tree}"]);
    // Picks that differ in their surroundings can conflict with the lane they came from; then every
    // line has to be there.
    let conflicts = merged.code == 1 && strategy == "rebase";
    assert!(
        inside || merged.stdout.trim() == tree || conflicts,
        "seed {seed}, {strategy}: {run}{merged}"
    );
    true
}
