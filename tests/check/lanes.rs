//! Which lanes and pairs are looked at, and that nothing is written.

use super::{check, conflicts, found, unclear};
use crate::support::{Sandbox, listing, write};

/// Lanes `a` and `b` that conflict, `c` that conflicts with none of them.
fn three() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "a", "b", "c"]).ok();
    sandbox.work("a", "src/app.txt", "of a\n");
    write(&sandbox.lane_path("b").join("src/app.txt"), "of b\n");
    sandbox.work("c", "other", "of c\n");
    sandbox
}

#[test]
fn every_lane_meets_its_base_and_every_other_lane() {
    let sandbox = three();
    assert_eq!(found(&sandbox, &[]), ["a b: src/app.txt"]);
    sandbox.write("src/app.txt", "of main\n");
    sandbox.commit("main");
    let all = ["a: src/app.txt", "b: src/app.txt", "a b: src/app.txt"];
    assert_eq!(found(&sandbox, &[]), all);
    let (document, _) = check(&sandbox, &[]);
    assert_eq!(document["pairsClear"], 2);
}

#[test]
fn what_is_not_committed_counts_unless_it_is_left_out() {
    let sandbox = three();
    assert!(found(&sandbox, &["--committed"]).is_empty());
    // Staged, and new.
    let b = sandbox.lane_path("b");
    sandbox.git_in(&b, ["checkout", "-q", "--", "."]);
    write(&b.join("other"), "new in b\n");
    assert_eq!(found(&sandbox, &[]), ["b c: other"]);
    sandbox.git_in(&b, ["add", "other"]);
    assert_eq!(found(&sandbox, &[]), ["b c: other"]);
    // Ignored is not the lane's work.
    sandbox.git_in(&b, ["rm", "-q", "--cached", "other"]);
    write(&sandbox.repo.join(".git/info/exclude"), "other\n");
    assert!(found(&sandbox, &[]).is_empty());
}

#[test]
fn one_lane_meets_all_others_and_several_meet_each_other() {
    let sandbox = three();
    assert_eq!(found(&sandbox, &["a"]), ["a b: src/app.txt"]);
    assert!(found(&sandbox, &["c"]).is_empty());
    assert!(found(&sandbox, &["a", "c"]).is_empty());
    assert_eq!(found(&sandbox, &["a", "b"]), ["a b: src/app.txt"]);
    let within = |name: &str, args: &[&str]| {
        let run = sandbox.lane_in(
            &sandbox.lane_path(name),
            ["check", "--json"].iter().chain(args),
        );
        conflicts(&serde_json::from_str(&run.stdout).unwrap())
    };
    assert_eq!(within("a", &[]), ["a b: src/app.txt"]);
    assert!(within("c", &[]).is_empty());
    assert_eq!(within("c", &["--all"]), ["a b: src/app.txt"]);
    let document = sandbox.lane(["check", "c", "--json"]).json();
    assert_eq!(document["lanes"].as_array().unwrap().len(), 1);
    assert_eq!(document["pairsClear"], 2);
}

#[test]
fn lanes_of_different_bases_are_not_compared() {
    let sandbox = three();
    sandbox.git(["branch", "release"]);
    sandbox.lane(["start", "d", "--base", "release"]).ok();
    sandbox.work("d", "src/app.txt", "of d\n");
    assert_eq!(found(&sandbox, &[]), ["a b: src/app.txt"]);
    // A lane on top of another one meets that one as its base.
    sandbox.lane(["start", "e", "--base", "a"]).ok();
    sandbox.work("e", "src/app.txt", "of e\n");
    assert_eq!(found(&sandbox, &["e"]), Vec::<String>::new());
    sandbox.work("a", "src/app.txt", "more of a\n");
    assert_eq!(found(&sandbox, &["e"]), ["e: src/app.txt"]);
}

#[test]
fn nothing_is_written_but_what_is_remembered() {
    let sandbox = three();
    sandbox.lane(["check"]).fails(3);
    let remembered = sandbox.repo.join(".git/lane/forecasts.json");
    std::fs::remove_file(&remembered).unwrap();
    // A touched file has git want to write the index.
    sandbox
        .sh("touch -d '1 hour ago' ../shop.lanes/*/src/app.txt")
        .ok();
    // All but the directories, whose times a scratch file changes that comes and goes.
    let own = || {
        let listing = listing(&sandbox.repo.join(".git/lane"));
        let files = listing.lines().filter(|line| !line.contains(" 40755 "));
        files.map(str::to_owned).collect::<Vec<_>>()
    };
    let before = (sandbox.fingerprint(), own());
    sandbox.lane(["check"]).fails(3);
    sandbox
        .lane(["check", "a", "--path", "src", "--diff"])
        .fails(3);
    assert!(remembered.exists());
    std::fs::remove_file(&remembered).unwrap();
    assert_eq!((sandbox.fingerprint(), own()), before);
}

#[test]
fn a_lane_in_the_middle_of_something_is_named_and_not_guessed() {
    let sandbox = three();
    let a = sandbox.lane_path("a");
    sandbox.write("src/app.txt", "of main\n");
    sandbox.commit("main");
    sandbox.lane(["check", "a"]).fails(3);
    let named = |code: &str| {
        for args in [&[][..], &["--committed"]] {
            let (document, _) = check(&sandbox, args);
            assert_eq!(unclear(&document, "a"), code, "{args:?}");
            assert!(
                conflicts(&document)
                    .iter()
                    .all(|found| !found.starts_with('a'))
            );
        }
    };
    sandbox.sh_in(&a, "git merge main").fails(1);
    named("operation");
    sandbox.git_in(&a, ["merge", "--abort"]);
    sandbox.sh_in(&a, "git rebase main").fails(1);
    named("operation");
    sandbox.git_in(&a, ["rebase", "--abort"]);
    sandbox.git_in(
        &a,
        [
            "-c",
            "core.hooksPath=/dev/null",
            "checkout",
            "-q",
            "--detach",
        ],
    );
    named("stray");
    sandbox.git_in(
        &a,
        ["-c", "core.hooksPath=/dev/null", "checkout", "-q", "a"],
    );
    // Unmerged files without an operation: a stash that conflicts.
    write(&a.join("src/app.txt"), "stashed\n");
    sandbox.git_in(&a, ["stash", "-q"]);
    sandbox.work("a", "src/app.txt", "since\n");
    sandbox.sh_in(&a, "git stash pop").fails(1);
    let (document, _) = check(&sandbox, &[]);
    assert_eq!(unclear(&document, "a"), "unmerged");
}

#[test]
fn lanes_without_a_base_or_a_commit_are_named() {
    let sandbox = three();
    sandbox.git(["branch", "short"]);
    sandbox.lane(["start", "d", "--base", "short"]).ok();
    sandbox.git(["branch", "-q", "-D", "short"]);
    sandbox.git(["config", "--unset", "lane.c.base"]);
    sandbox.sh("git update-ref -d refs/heads/b").ok();
    let (document, code) = check(&sandbox, &[]);
    assert_eq!(unclear(&document, "d"), "no-base");
    assert_eq!(unclear(&document, "c"), "no-base");
    assert_eq!(unclear(&document, "b"), "no-commit");
    assert_eq!(code, 0);
}

#[test]
fn histories_without_a_common_commit_are_not_compared() {
    let sandbox = three();
    let lane = sandbox.lane_path("c");
    sandbox
        .sh_in(
            &lane,
            "git reset -q --hard $(git commit-tree -m other HEAD^{tree})",
        )
        .ok();
    let (document, _) = check(&sandbox, &["c"]);
    assert_eq!(document["lanes"][0]["verdict"], "unknown");
    assert_eq!(document["pairs"].as_array().unwrap().len(), 2);
}

#[test]
fn a_lane_whose_worktree_is_gone_counts_only_as_committed() {
    let sandbox = three();
    sandbox.work("b", "src/app.txt", "of b\n");
    std::fs::remove_dir_all(sandbox.lane_path("b")).unwrap();
    let (document, code) = check(&sandbox, &[]);
    assert_eq!((unclear(&document, "b"), code), ("missing".into(), 0));
    assert_eq!(found(&sandbox, &["--committed"]), ["a b: src/app.txt"]);
}

#[test]
fn what_cannot_be_said_is_not_called_clear() {
    let sandbox = three();
    sandbox.git_in(&sandbox.lane_path("b"), ["checkout", "-q", "--", "."]);
    assert!(
        sandbox
            .lane(["check"])
            .ok()
            .contains("3 pairs, no conflict")
    );
    let lane = sandbox.lane_path("c");
    sandbox
        .sh_in(
            &lane,
            "git reset -q --hard $(git commit-tree -m other HEAD^{tree})",
        )
        .ok();
    let text = sandbox.lane(["check"]).ok();
    assert!(text.ends_with("no conflict that is known\n"), "{text}");
}

#[test]
fn the_options_of_a_landing_belong_to_one_lane() {
    let sandbox = three();
    sandbox.lane(["check", "a", "b", "--gate"]).fails(2);
    sandbox.lane(["check", "a", "--strategy", "rebase"]).ok();
    sandbox
        .lane(["check", "--committed", "--gate", "a"])
        .fails(2);
    sandbox.lane(["check", "nothing"]).fails(1);
    sandbox.lane(["check", "--diff"]).fails(2);
}
