//! What finish calls integrated: the evidence is about the lane's own commits. A replay that passes over merge commits, a
//! patch id that ignores white space, a merge driver or `-X ours` prove nothing.

use std::path::PathBuf;

use crate::sandbox::{Sandbox, git_version, write};

/// One to nine, a line each, with some of them replaced.
fn lines(changed: &[(usize, &str)]) -> String {
    let text = |n: usize| changed.iter().find(|(at, _)| *at == n).map_or(n.to_string(), |(_, text)| (*text).to_owned());
    (1..10).map(|n| text(n) + "\n").collect()
}

/// A repository with `f` of nine lines, and lane `x` on it.
fn stage() -> (Sandbox, PathBuf) {
    let sandbox = Sandbox::new();
    sandbox.write("f", lines(&[]));
    sandbox.commit("f");
    let lane = sandbox.lane_by_git("x");
    (sandbox, lane)
}

fn advance(sandbox: &Sandbox) {
    sandbox.write("m", "m\n");
    sandbox.commit("m");
}

/// Merges main into the lane, with `change` made in the merge commit itself.
fn merge_main(sandbox: &Sandbox, change: &[(&str, &str)]) {
    let lane = sandbox.lane_path("x");
    sandbox.git_in(&lane, ["merge", "-q", "--no-ff", "--no-commit", "main"]);
    change.iter().for_each(|(path, text)| write(&lane.join(path), text));
    sandbox.git_in(&lane, ["add", "-A"]);
    sandbox.git_in(&lane, ["commit", "-q", "-m", "merge main"]);
}

/// A commit of main (with a file `m` besides) and one of the lane that each change `path`, and the lane's merge of the two,
/// as git makes it or as the lane has it.
fn crossed(sandbox: &Sandbox, path: &str, texts: [&str; 2]) -> [String; 2] {
    sandbox.work("x", path, texts[1]);
    // The younger one of the two is what a merge base is where only one is looked at.
    let mut amend = sandbox.command("git");
    amend.args(["commit", "-q", "--amend", "--no-edit"]).env("GIT_COMMITTER_DATE", "1700000100 +0000");
    sandbox.run(amend.current_dir(sandbox.lane_path("x"))).ok();
    let theirs = sandbox.git(["rev-parse", "x"]);
    sandbox.write("m", "m\n");
    sandbox.write(path, texts[0]);
    let ours = sandbox.commit("main's");
    sandbox.git_in(&sandbox.lane_path("x"), ["merge", "-q", "-X", "theirs", "-m", "merge main", &ours]);
    [ours, theirs]
}

/// main's attributes: `*` has them in every worktree.
fn attributes(sandbox: &Sandbox, text: &str) {
    sandbox.write(".git/info/attributes", text);
}

type Prepare = fn(&Sandbox);

/// What became of the lane: `landed`, the proof that there was nothing to land, or the code of the refusal.
fn finish(sandbox: &Sandbox, strategy: &str) -> String {
    let run = sandbox.lane(["finish", "x", "--json", "--strategy", strategy]);
    let said: serde_json::Value = serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run}"));
    let gone = !sandbox.lane_path("x").exists();
    assert_eq!(gone, run.code == 0, "{run}");
    if run.code != 0 {
        return said["error"]["code"].as_str().unwrap_or("none").to_owned();
    }
    said["integrated"].as_str().unwrap_or("landed").to_owned()
}

/// Rows of: what it is, what happens before, and the outcome by rebase, squash and merge.
#[test]
fn a_lane_is_integrated_only_by_its_own_commits() {
    let table: &[(&str, Prepare, [&str; 3])] = &[
        ("plain", |s| (advance(s), s.work("x", "l", "l\n")).1.clear(), ["landed", "landed", "landed"]),
        (
            "a merge commit with a file of its own",
            |s| {
                advance(s);
                s.work("x", "l", "l\n");
                merge_main(s, &[("fix", "fix\n")]);
            },
            ["left-out", "landed", "landed"],
        ),
        (
            "a merge commit with a line of its own, and main went on",
            |s| {
                advance(s);
                s.work("x", "l", "l\n");
                merge_main(s, &[("f", &lines(&[(5, "five")]))]);
                s.write("m", "more\n");
                s.commit("more");
            },
            ["left-out", "landed", "landed"],
        ),
        (
            "a merge commit that takes the lane's own change back",
            |s| {
                advance(s);
                s.work("x", "f", &lines(&[(5, "five")]));
                merge_main(s, &[("f", &lines(&[]))]);
                s.work("x", "l", "l\n");
            },
            ["left-out", "landed", "landed"],
        ),
        (
            "a merge commit that takes back what it merges",
            |s| {
                advance(s);
                s.work("x", "l", "l\n");
                merge_main(s, &[("m", "not m\n")]);
            },
            ["left-out", "landed", "landed"],
        ),
        (
            "nothing but a merge commit with a change of its own",
            |s| {
                advance(s);
                merge_main(s, &[("fix", "fix\n")]);
            },
            ["left-out", "landed", "landed"],
        ),
        (
            "a merge commit that holds nothing",
            |s| {
                s.work("x", "l", "l\n");
                advance(s);
                merge_main(s, &[]);
            },
            ["landed", "landed", "landed"],
        ),
        (
            "a merge of three",
            |s| {
                s.git(["branch", "other"]);
                advance(s);
                s.git(["switch", "-q", "other"]);
                s.write("o", "o\n");
                s.commit("o");
                s.git(["switch", "-q", "main"]);
                s.work("x", "l", "l\n");
                s.git_in(&s.lane_path("x"), ["merge", "-q", "-m", "three", "main", "other"]);
            },
            ["landed", "landed", "landed"],
        ),
        (
            "the same line elsewhere in white space only",
            |s| {
                s.write("f", lines(&[(5, "5\n    five")]));
                s.commit("main has it");
                s.work("x", "f", &lines(&[(5, "5\nfive")]));
            },
            ["conflict", "conflict", "conflict"],
        ),
        (
            "white space only, where main took it back",
            |s| {
                s.write("f", lines(&[(5, "    5 five")]));
                s.commit("main has it");
                s.write("f", lines(&[]));
                s.commit("and not any more");
                s.work("x", "f", &lines(&[(5, "5 five")]));
            },
            ["landed", "landed", "landed"],
        ),
        (
            "the very same patch",
            |s| {
                s.write("f", lines(&[(5, "five")]));
                s.commit("main has it");
                advance(s);
                s.work("x", "f", &lines(&[(5, "five")]));
            },
            ["same-content", "same-content", "same-content"],
        ),
        (
            "the very same patch, which main took back",
            |s| {
                s.write("f", lines(&[(5, "five")]));
                s.commit("main has it");
                s.write("f", lines(&[]));
                s.commit("and not any more");
                s.work("x", "f", &lines(&[(5, "five")]));
            },
            ["left-out", "landed", "landed"],
        ),
        (
            "done and undone in the lane",
            |s| {
                advance(s);
                s.work("x", "f", &lines(&[(5, "five")]));
                s.work("x", "f", &lines(&[]));
            },
            ["landed", "left-out", "landed"],
        ),
        (
            "a driver that keeps the base's file",
            |s| {
                attributes(s, "f merge=ours\n");
                s.git(["config", "merge.ours.driver", "true"]);
                s.write("f", lines(&[(1, "one")]));
                s.commit("one");
                s.work("x", "f", &lines(&[(5, "five")]));
            },
            ["left-out", "left-out", "landed"],
        ),
        (
            "a driver that keeps one of two files",
            |s| {
                attributes(s, "f merge=ours\n");
                s.git(["config", "merge.ours.driver", "true"]);
                s.write("f", lines(&[(1, "one")]));
                s.commit("one");
                write(&s.lane_path("x").join("g"), "g\n");
                s.work("x", "f", &lines(&[(5, "five")]));
            },
            ["left-out", "left-out", "landed"],
        ),
        (
            "a union of both",
            |s| {
                attributes(s, "f merge=union\n");
                s.write("f", lines(&[(5, "5\nours")]));
                s.commit("ours");
                s.work("x", "f", &lines(&[(5, "5\ntheirs")]));
            },
            ["landed", "landed", "landed"],
        ),
        (
            "commits without a change",
            |s| {
                advance(s);
                s.git_in(&s.lane_path("x"), ["commit", "-q", "--allow-empty", "-m", "empty"]);
            },
            ["landed", "same-content", "same-content"],
        ),
        (
            "a mode, a link and a binary file",
            |s| {
                advance(s);
                let lane = s.lane_path("x");
                s.git_in(&lane, ["update-index", "--chmod=+x", "f"]);
                s.git_in(&lane, ["commit", "-q", "-m", "mode"]);
                s.git_in(&lane, ["checkout", "-q", "-f"]);
                std::os::unix::fs::symlink("f", lane.join("link")).unwrap();
                write(&lane.join("binary"), b"\0\x01\x02");
                s.git_in(&lane, ["add", "-A"]);
                s.git_in(&lane, ["commit", "-q", "-m", "link"]);
            },
            ["landed", "landed", "landed"],
        ),
        (
            "a line that main's renamed file has got too",
            |s| {
                s.git(["mv", "f", "renamed"]);
                s.write("renamed", lines(&[(1, "one"), (5, "five")]));
                s.commit("rename");
                s.work("x", "f", &lines(&[(5, "five")]));
            },
            ["nothing-to-merge", "nothing-to-merge", "nothing-to-merge"],
        ),
        (
            "a squash by hand, and main's own changes beside it",
            |s| {
                s.work("x", "f", &lines(&[(5, "five")]));
                s.git(["merge", "-q", "--squash", "x"]);
                s.commit("squash");
                s.write("f", lines(&[(1, "one"), (5, "five")]));
                s.commit("one");
            },
            ["nothing-to-merge", "nothing-to-merge", "nothing-to-merge"],
        ),
        (
            "a squash by hand with a driver that keeps main's file",
            |s| {
                attributes(s, "f merge=ours\n");
                s.git(["config", "merge.ours.driver", "true"]);
                s.write("f", lines(&[(1, "one")]));
                s.commit("one");
                write(&s.lane_path("x").join("g"), "g\n");
                s.work("x", "f", &lines(&[(5, "five")]));
                s.git(["merge", "-q", "--squash", "x"]);
                s.commit("squash");
                assert_eq!(s.git(["show", "HEAD:f"]) + "\n", lines(&[(1, "one")]));
            },
            ["left-out", "left-out", "landed"],
        ),
        (
            "a driver in a tracked file that keeps main's, which main names after the squash",
            |s| {
                s.git(["config", "merge.ours.driver", "true"]);
                s.write(".gitattributes", "f merge=ours\n");
                s.write("f", lines(&[(1, "one")]));
                s.commit("one");
                s.work("x", "f", &lines(&[(5, "five")]));
                s.git(["merge", "-q", "--squash", "x"]);
            },
            ["left-out", "left-out", "landed"],
        ),
        (
            "a squash by hand with -X ours",
            |s| {
                s.write("f", lines(&[(5, "main's")]));
                s.commit("main's");
                write(&s.lane_path("x").join("g"), "g\n");
                s.work("x", "f", &lines(&[(5, "five")]));
                s.git(["merge", "-q", "--squash", "-X", "ours", "x"]);
                s.commit("squash");
            },
            ["conflict", "conflict", "conflict"],
        ),
        (
            "two merges of the same two commits, of which main's dropped the lane's by a driver",
            |s| {
                let [_, theirs] = crossed(s, "f", [&lines(&[(1, "one")]), &lines(&[(5, "five")])]);
                attributes(s, "f merge=ours\n");
                s.git(["config", "merge.ours.driver", "true"]);
                s.git(["merge", "-q", "-m", "merge", &theirs]);
                s.write(".git/info/attributes", "");
                assert_eq!(s.git(["show", "HEAD:f"]) + "\n", lines(&[(1, "one")]));
            },
            ["same-patches", "left-out", "landed"],
        ),
        (
            "two merges of the same two commits, of which the lane's went back to what was before both",
            |s| {
                let [ours, theirs] = crossed(s, "f", ["\0main's", "\0the lane's"]);
                let lane = s.lane_path("x");
                s.git_in(&lane, ["reset", "-q", "--hard", &theirs]);
                s.git_in(&lane, ["merge", "-q", "-s", "ours", "--no-commit", &ours]);
                write(&lane.join("f"), lines(&[]));
                s.git_in(&lane, ["commit", "-qam", "merge"]);
                s.git(["merge", "-q", "-X", "ours", "-m", "merge", &theirs]);
            },
            ["left-out", "landed", "landed"],
        ),
        (
            "two merges of the same two commits, of which the lane's took back main's other change",
            |s| {
                let [ours, theirs] = crossed(s, "f", [&lines(&[(1, "one")]), &lines(&[(5, "five")])]);
                let lane = s.lane_path("x");
                s.git_in(&lane, ["reset", "-q", "--hard", &theirs]);
                s.git_in(&lane, ["merge", "-q", "--no-commit", &ours]);
                s.git_in(&lane, ["rm", "-q", "-f", "m"]);
                s.git_in(&lane, ["commit", "-qm", "merge"]);
                s.git(["merge", "-q", "-m", "merge", &theirs]);
            },
            ["left-out", "landed", "landed"],
        ),
    ];
    for (what, prepare, expected) in table {
        for (strategy, expected) in ["rebase", "squash", "merge"].iter().zip(expected) {
            let (sandbox, _) = stage();
            prepare(&sandbox);
            let tip = sandbox.git(["rev-parse", "x"]);
            let old = sandbox.git(["rev-parse", "main"]);
            if *strategy == "merge" {
                let pruned = sandbox.lane(["--json", "prune", "-n", "--older-than", "0s"]).json();
                let stays = ["landed", "conflict"].contains(expected);
                assert_eq!(pruned["pruned"].as_array().unwrap().is_empty(), stays, "{what}: {pruned}");
            }
            let found = finish(&sandbox, strategy);
            assert_eq!(found, *expected, "{what}, {strategy}");
            if found == "left-out" || found == "conflict" {
                assert_eq!(sandbox.git(["rev-parse", "main"]), old, "{what}, {strategy}");
                assert_eq!(sandbox.git(["status", "--porcelain"]), "", "{what}, {strategy}");
            } else if *strategy == "merge" && found == "landed" {
                assert_eq!(sandbox.git(["rev-parse", "main^2"]), tip, "{what}");
            }
        }
    }
}

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
    let said = sandbox.lane(["finish", "x", "--strategy", "rebase"]).fails(1);
    assert!(said.contains("a rebase would leave work of lane 'x' out of 'main'"), "{said}");
    assert!(said.contains("'fix'") && said.contains("--strategy merge"), "{said}");
    sandbox.lane(["finish", "x", "--strategy", "rebase", "-n"]).fails(1);
    // The lane stays: nothing can get lost, and what a rebase gives may land.
    sandbox.lane(["finish", "x", "--strategy", "rebase", "--keep"]).ok();
    assert!(sandbox.repo.join("l").exists() && !sandbox.repo.join("fix").exists());
    assert!(sandbox.lane(["finish", "x", "--no-land"]).fails(1).contains("is not in 'main'"));
    assert!(lane.join("fix").exists());
}

/// Lanes of random edits, merges with and without changes of their own, picks and white space: whenever finish lets one go,
/// a merge of its tip, with nothing configured, has nothing to add to the base. `GIT_LANE_TEST_LONG=1` runs many.
#[test]
fn no_random_lane_goes_before_its_work_is_in_the_base() {
    let long = std::env::var_os("GIT_LANE_TEST_LONG").is_some();
    let mut went = 0;
    for seed in 1..=if long { 300 } else { 8 } {
        went += usize::from(random(seed));
    }
    assert!(went > 0);
}

/// Whether the lane went.
fn random(seed: u64) -> bool {
    let (sandbox, lane) = stage();
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut roll = |n: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % n
    };
    let main = sandbox.repo.clone();
    for step in 0..3 + roll(5) {
        let there = if roll(3) == 0 { &main } else { &lane };
        let try_git = |args: &[&str]| sandbox.run(sandbox.command("git").current_dir(there).args(args)).code == 0;
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
                let at = roll(9) as usize;
                let edit = |(number, line): (usize, &str)| match (number == at, kind) {
                    (false, _) => format!("{line}\n"),
                    (true, 3) => format!("  {line}\n"),
                    (true, 4) => format!("{line}\nnew {step}\n"),
                    (true, _) => format!("{line}!\n"),
                };
                write(&there.join("f"), text.lines().enumerate().map(edit).collect::<String>());
                try_git(&["add", "-A"]);
                try_git(&["commit", "-q", "-m", "edit"]);
            }
        }
    }
    let tip = sandbox.git(["rev-parse", "x"]);
    let strategy = ["rebase", "squash", "merge"][roll(3) as usize];
    let run = sandbox.lane(["finish", "x", "--strategy", strategy]);
    assert!([0, 1, 3].contains(&run.code), "seed {seed}: {run}");
    assert_eq!(lane.exists(), run.code != 0, "seed {seed}: {run}");
    assert_eq!(sandbox.git(["status", "--porcelain"]), "", "seed {seed}: {run}");
    if run.code != 0 {
        return false;
    }
    let inside = sandbox.run(sandbox.command("git").args(["merge-base", "--is-ancestor", &tip, "main"])).code == 0;
    let merged = sandbox.run(sandbox.command("git").args(["merge-tree", "--write-tree", "main", &tip]));
    let tree = sandbox.git(["rev-parse", "main^{tree}"]);
    // Picks that differ in their surroundings can conflict with the lane they came from; then every line has to be there.
    let conflicts = merged.code == 1 && strategy == "rebase";
    assert!(inside || merged.stdout.trim() == tree || conflicts, "seed {seed}, {strategy}: {run}{merged}");
    true
}
