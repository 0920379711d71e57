//! Histories that are proofs, and histories that are none.

use super::*;

/// Rows of: what it is, what happens before, and the outcome by rebase, squash and merge.
#[test]
fn a_lane_is_integrated_only_by_its_own_commits() {
    let table: &[(&str, Prepare, [&str; 3])] = &[
        (
            "plain",
            |s| (advance(s), s.work("x", "l", "l\n")).1.clear(),
            ["landed", "landed", "landed"],
        ),
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
                s.git_in(
                    &s.lane_path("x"),
                    ["merge", "-q", "-m", "three", "main", "other"],
                );
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
                s.git_in(
                    &s.lane_path("x"),
                    ["commit", "-q", "--allow-empty", "-m", "empty"],
                );
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
            "two merges of the same two commits, of which the lane's went back to what was before \
             both",
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
                let [ours, theirs] =
                    crossed(s, "f", [&lines(&[(1, "one")]), &lines(&[(5, "five")])]);
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
    let prepared = |prepare: &Prepare| {
        let (sandbox, _) = stage();
        prepare(&sandbox);
        sandbox
    };
    for (what, prepare, expected) in table {
        let mut sandbox = prepared(prepare);
        for (strategy, expected) in ["rebase", "squash", "merge"].iter().zip(expected) {
            // A refusal changes nothing.
            if !sandbox.lane_path("x").exists() {
                sandbox = prepared(prepare);
            }
            let tip = sandbox.git(["rev-parse", "x"]);
            let old = sandbox.git(["rev-parse", "main"]);
            if *strategy == "merge" {
                let pruned = sandbox
                    .lane(["--json", "prune", "-n", "--older-than", "0s"])
                    .json();
                let stays = ["landed", "conflict"].contains(expected);
                assert_eq!(
                    pruned["pruned"].as_array().unwrap().is_empty(),
                    stays,
                    "{what}: {pruned}"
                );
            }
            let found = finish(&sandbox, strategy);
            assert_eq!(found, *expected, "{what}, {strategy}");
            if found == "left-out" || found == "conflict" {
                assert_eq!(
                    sandbox.git(["rev-parse", "main"]),
                    old,
                    "{what}, {strategy}"
                );
                assert_eq!(
                    sandbox.git(["status", "--porcelain"]),
                    "",
                    "{what}, {strategy}"
                );
            } else if *strategy == "merge" && found == "landed" {
                assert_eq!(sandbox.git(["rev-parse", "main^2"]), tip, "{what}");
            }
        }
    }
}
