//! Landings that are taken back.

use super::*;
use crate::support::{git_version, outdate, skipped};

type Prepare = fn(&Sandbox);

/// Each strategy, where the base is checked out and where it is not.
#[test]
fn the_base_is_where_it_was_and_the_lane_is_back() {
    for strategy in ["merge", "squash", "rebase", "ff"] {
        for nowhere in [false, true] {
            let sandbox = with_work("login");
            if strategy == "ff" {
                sandbox.git(["reset", "-q", "--hard", "HEAD~1"]);
            }
            if nowhere {
                sandbox.git(["switch", "-q", "--detach"]);
            }
            sandbox.write("README", "edited\n");
            let path = sandbox.lane_path("login");
            write(&path.join("ignored"), "x");
            write(&sandbox.repo.join(".git/info/exclude"), "ignored\n");
            let admin = sandbox.admin(&path);
            let whole = || sandbox.whole_lane("login", &path, &admin);
            let (before, tip) = (whole(), main(&sandbox));
            let said = sandbox
                .lane(["finish", "login", "--strategy", strategy])
                .ok();
            assert!(
                said.contains("\ntake it back with: git lane undo login\n"),
                "{said}"
            );
            let landed = main(&sandbox);
            assert_ne!(landed, tip);
            undo(&sandbox, ["login"]).ok();
            assert!(whole() == before, "{strategy}, {nowhere}");
            assert_eq!(main(&sandbox), tip);
            assert_eq!(sandbox.git(["status", "--porcelain"]), " M README");
            assert!(!sandbox.repo.join("new.txt").exists());
            sandbox.nothing_left_behind(0);
            // What had landed can still be found, and the lane lands again.
            assert_eq!(sandbox.git(["rev-parse", "main@{1}"]), landed);
            sandbox
                .lane(["finish", "login", "--strategy", strategy])
                .ok();
            sandbox.plain_git_works();
        }
    }
}

/// The ways in which the repository may have changed since, and the refusal, or none.
const SITUATIONS: [(&str, Prepare, &str); 16] = [
    ("nothing", |_| {}, ""),
    (
        "a change elsewhere",
        |sandbox| sandbox.write("README", "edited\n"),
        "",
    ),
    (
        "a change in the way",
        |sandbox| sandbox.write("src/app.txt", "mine\n"),
        "in-the-way",
    ),
    (
        "a staged change in the way",
        |sandbox| {
            sandbox.write("new.txt", "mine\n");
            sandbox.git(["add", "new.txt"]);
        },
        "in-the-way",
    ),
    (
        "a commit",
        |sandbox| drop(sandbox.commit("later")),
        "came-after",
    ),
    (
        "another landing",
        |sandbox| {
            sandbox.lane(["start", "next"]).ok();
            sandbox.work("next", "next", "next");
            sandbox.lane(["finish", "next"]).ok();
        },
        "came-after",
    ),
    (
        "a push",
        |sandbox| drop(sandbox.git(["update-ref", "refs/remotes/origin/main", "main"])),
        "published",
    ),
    (
        "a remote branch without it",
        |sandbox| drop(sandbox.git(["update-ref", "refs/remotes/origin/main", "main^"])),
        "",
    ),
    (
        "a trash that has expired",
        |sandbox| {
            outdate(&sandbox.entry());
            sandbox.lane(["trash", "--expire"]).ok();
        },
        "no-entry",
    ),
    (
        "another branch of the name",
        |sandbox| drop(sandbox.git(["branch", "login", "main"])),
        "branch-exists",
    ),
    (
        "something in the lane's place",
        |sandbox| write(&sandbox.lane_path("login").join("mine"), "mine"),
        "path-taken",
    ),
    (
        "no base",
        |sandbox| {
            sandbox.git(["switch", "-q", "-c", "elsewhere"]);
            sandbox.git(["branch", "-q", "-D", "main"]);
        },
        "base-missing",
    ),
    (
        "a base that was rewritten",
        |sandbox| drop(sandbox.git(["commit", "-q", "--amend", "-m", "mine"])),
        "not-landed",
    ),
    (
        "a base that is back already",
        |sandbox| drop(sandbox.git(["reset", "-q", "--hard", "main^"])),
        "",
    ),
    (
        "a merge in progress",
        |sandbox| {
            let head = main(sandbox);
            write(&sandbox.repo.join(".git/MERGE_HEAD"), head);
        },
        "base-busy",
    ),
    (
        "a base that another worktree has",
        |sandbox| {
            sandbox.git(["switch", "-q", "--detach"]);
            let place = sandbox.root().join("shop.lanes/elsewhere");
            sandbox.git(["worktree", "add", "-q", place.to_str().unwrap(), "main"]);
        },
        "",
    ),
];

#[test]
fn what_has_happened_since_decides() {
    for (situation, prepare, expected) in SITUATIONS {
        let sandbox = landed();
        let before = sandbox.git(["rev-parse", "main^"]);
        prepare(&sandbox);
        let status = sandbox.git(["status", "--porcelain"]);
        if expected.is_empty() {
            let dry = undo(&sandbox, ["-n", "login"]).ok();
            assert!(dry.starts_with("would take back "), "{situation}: {dry}");
            undo(&sandbox, ["login"]).ok();
            assert_eq!(main(&sandbox), before, "{situation}");
            let path = sandbox.lane_path("login");
            assert_eq!(sandbox.git_in(&path, ["status", "--porcelain"]), "");
            let listed = sandbox.git(["worktree", "list", "--porcelain"]);
            let worktrees = listed
                .lines()
                .filter_map(|line| line.strip_prefix("worktree "));
            for worktree in worktrees {
                let changed = sandbox.git_in(worktree.as_ref(), ["diff", "--name-only", "HEAD"]);
                assert!(
                    !changed.contains("app.txt"),
                    "{situation}, {worktree}: {changed}"
                );
            }
            sandbox.nothing_left_behind(0);
        } else {
            for args in [&["-n", "login"][..], &["login"]] {
                assert_eq!(refused(&sandbox, args), expected, "{situation}");
            }
        }
        assert_eq!(
            sandbox.git(["status", "--porcelain"]),
            status,
            "{situation}"
        );
    }
}

/// What came after is named.
#[test]
fn a_refusal_says_what_came_after() {
    let sandbox = landed();
    sandbox.lane(["start", "next"]).ok();
    sandbox.work("next", "next", "next");
    sandbox.lane(["finish", "next"]).ok();
    let said = undo(&sandbox, ["login"]).fails(1);
    assert_eq!(
        said,
        "error: 2 commits came onto 'main' after the landing of lane 'login', the landing of lane \
         'next' among them\nhint: land a revert on top instead: git lane undo login --revert\n"
    );
    // The later one first, then this one.
    undo(&sandbox, ["next"]).ok();
    undo(&sandbox, ["login"]).ok();
    sandbox.nothing_left_behind(0);
}

#[test]
fn a_lane_that_was_kept_stays_as_it_is() {
    let sandbox = with_work("login");
    let before = main(&sandbox);
    sandbox.lane(["finish", "login", "--keep"]).ok();
    let path = sandbox.lane_path("login");
    write(&path.join("more"), "more");
    let tip = sandbox.work("login", "more", "more");
    write(&path.join("untracked"), "x");
    undo(&sandbox, ["login"]).ok();
    assert_eq!(main(&sandbox), before);
    assert_eq!(sandbox.git(["rev-parse", "login"]), tip);
    assert_eq!(
        sandbox.git_in(&path, ["status", "--porcelain"]),
        "?? untracked"
    );
    sandbox.nothing_left_behind(0);

    // One whose branch is gone is not made to disappear wholly.
    sandbox.lane(["finish", "login", "--keep"]).fails(1);
    std::fs::remove_file(path.join("untracked")).unwrap();
    sandbox.lane(["finish", "login", "--keep"]).ok();
    sandbox.git_in(&path, ["switch", "-q", "--detach"]);
    sandbox.git(["update-ref", "-d", "refs/heads/login"]);
    assert_eq!(refused(&sandbox, &["login"]), "no-such-lane");
}

/// A log that came with an archive moves no base elsewhere.
#[test]
fn a_base_goes_nowhere_but_back() {
    let sandbox = landed();
    let before = sandbox.git(["rev-parse", "main^"]);
    let tree = sandbox.git(["rev-parse", "main^{tree}"]);
    let strange = sandbox.git(["commit-tree", "-m", "strange", &tree]);
    let log = sandbox.repo.join(".git/lane/events.jsonl");
    let text = std::fs::read_to_string(&log).unwrap();
    let planted = |line: &str| match line.contains("\"what\":\"land\"") {
        true => line.replace(&before, &strange),
        false => line.to_owned(),
    };
    let text: String = text.lines().map(|line| planted(line) + "\n").collect();
    write(&log, text);
    assert_eq!(refused(&sandbox, &["login"]), "not-landed");
    assert_eq!(refused(&sandbox, &["--revert", "login"]), "not-landed");
}

#[test]
fn a_lane_without_a_branch_comes_back() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "loose", "--detach"]).ok();
    let tip = sandbox.work("loose", "new.txt", "new\n");
    let before = main(&sandbox);
    sandbox.lane(["finish", "loose"]).ok();
    undo(&sandbox, ["loose"]).ok();
    assert_eq!(main(&sandbox), before);
    let path = sandbox.lane_path("loose");
    assert_eq!(sandbox.git_in(&path, ["rev-parse", "HEAD"]), tip);
}

/// The lane above was based on the lane that landed, then on its base; and now again on the lane.
#[test]
fn lanes_above_have_their_base_again() {
    let sandbox = with_work("login");
    sandbox.lane(["start", "above", "--base", "login"]).ok();
    let base = || sandbox.git(["config", "lane.above.base"]);
    sandbox.lane(["finish", "login"]).ok();
    assert_eq!(base(), "refs/heads/main");
    undo(&sandbox, ["login"]).ok();
    assert_eq!(base(), "refs/heads/login");
}

#[test]
fn where_refs_are_a_reftable_or_nothing_is_logged() {
    let formats: &[&[&str]] = match git_version() >= (2, 45) {
        true => &[&["--ref-format=reftable"], &[]],
        false => {
            skipped("git has no reftable");
            &[&[]]
        }
    };
    for options in formats {
        let sandbox = Sandbox::empty();
        let init = ["init", "-q", "-b", "main"];
        sandbox.git(init.iter().chain(*options).chain(&["."]));
        sandbox.git(["config", "core.logAllRefUpdates", "false"]);
        write(&sandbox.repo.join("src/app.txt"), "one\n");
        let before = sandbox.commit("first");
        start_and_work(&sandbox, "login");
        sandbox.lane(["finish", "login"]).ok();
        let landed = main(&sandbox);
        undo(&sandbox, ["login"]).ok();
        assert_eq!(main(&sandbox), before);
        assert_eq!(sandbox.git(["status", "--porcelain"]), "");
        sandbox.plain_git_works();
        if options.is_empty() {
            // The entries of the log are as old as the sandbox's clock.
            let kept = ["gc.reflogExpire=never", "gc.reflogExpireUnreachable=never"];
            let config = kept.iter().flat_map(|setting| ["-c", setting]);
            sandbox.git(config.chain(["gc", "-q", "--prune=now"]));
            sandbox.git(["cat-file", "-e", &landed]);
        }
    }
}
