//! What speaks against showing a lane: refused, and nothing has changed.

use super::{contents, lane, sandbox};
use crate::support::Sandbox;

/// By a shell in the main worktree, with the code of the refusal.
const MAIN: &[(&str, &str)] = &[
    ("echo x >>README", "unsettled"),
    ("echo x >>README; git add README", "unsettled"),
    ("echo x >new", "unsettled"),
    ("rm README", "unsettled"),
    ("git checkout -q --detach", "detached"),
    ("git switch -q --orphan nothing", "unborn"),
    (
        "git switch -q -c side; echo a >README; git commit -qam a; git switch -q main; \
         echo b >README; git commit -qam b; git merge -q side || true",
        "operation-in-progress",
    ),
    (
        "git bisect start -q HEAD HEAD~1 || git bisect start HEAD HEAD~1",
        "operation-in-progress",
    ),
    (
        "git update-index --assume-unchanged src/app.txt",
        "in-the-way",
    ),
    ("git update-index --skip-worktree src/app.txt", "in-the-way"),
    // What is to keep the commit from any gc is the user's, or cannot be.
    (
        "git symbolic-ref refs/lane/try refs/heads/main",
        "branch-alias",
    ),
    (
        "git symbolic-ref refs/lane/try refs/lane/nowhere",
        "branch-alias",
    ),
    ("git update-ref refs/lane/try/x HEAD", "branch-conflict"),
    // Clean for git, and not what it would write.
    (
        "git config core.autocrlf input; printf 'one\\r\\ntwo\\r\\nthree\\r\\n' >src/app.txt; \
         git add src/app.txt 2>/dev/null",
        "in-the-way",
    ),
];

/// By a shell in the lane.
const LANE: &[(&str, &str)] = &[
    (
        "echo x >build.txt; echo x >a.own; git -C ../../shop config core.excludesFile x; echo '*.own' >../../shop/.git/info/exclude; echo mine >../../shop/a.own; git add -f a.own",
        "in-the-way",
    ),
    ("git switch -q -c elsewhere", "stray"),
    ("git switch -q --detach", "stray"),
    (
        "git bisect start -q HEAD HEAD~1 || git bisect start HEAD HEAD~1",
        "operation-in-progress",
    ),
    ("rm -r ../login", "worktree-gone"),
];

fn refused(sandbox: &Sandbox, script: &str, code: &str) {
    let state = || {
        [
            format!("{:?}", contents(&sandbox.repo)),
            std::fs::read_to_string(sandbox.repo.join(".git/HEAD")).unwrap(),
            sandbox.git(["ls-files", "--stage", "-v", "-t"]),
            sandbox.git(["for-each-ref"]),
        ]
    };
    let before = state();
    for args in [
        &["try", "login", "--json"][..],
        &["try", "-n", "login", "--json"],
    ] {
        let run = sandbox.lane(args);
        let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(document["error"]["code"], *code, "{script}: {run}");
        assert_eq!(run.code, 1, "{script}: {run}");
        assert!(
            !document["error"]["hints"].as_array().unwrap().is_empty(),
            "{run}"
        );
        assert_eq!(state(), before, "{script}");
        assert!(sandbox.locks_of_git().is_empty(), "{script}");
    }
    let config = std::fs::read_to_string(sandbox.repo.join(".git/config")).unwrap();
    assert!(!config.contains("tried"), "{script}");
}

#[test]
fn a_main_worktree_that_is_not_settled_shows_nothing() {
    for (script, code) in MAIN {
        let sandbox = sandbox();
        sandbox.sh(&format!("set -e; {script}")).ok();
        refused(&sandbox, script, code);
    }
}

#[test]
fn a_lane_that_cannot_be_shown_is_refused() {
    for (script, code) in LANE {
        let sandbox = sandbox();
        sandbox
            .sh_in(&lane(&sandbox), &format!("set -e; {script}"))
            .ok();
        refused(&sandbox, script, code);
    }
}

#[test]
fn a_bare_repository_has_no_main_worktree() {
    let sandbox = sandbox();
    let bare = sandbox.root().join("bare.git");
    sandbox.git(["clone", "-q", "--bare", ".", bare.to_str().unwrap()]);
    sandbox.lane_in(&bare, ["start", "login"]).ok();
    let run = sandbox.lane_in(&bare, ["try", "login", "--json"]);
    assert!(run.stdout.contains("\"no-main-worktree\""), "{run}");
    let run = sandbox.lane_in(&bare, ["try", "--back", "--json"]);
    assert!(run.stdout.contains("\"not-tried\""), "{run}");
}

/// git would leave the files of a submodule as they are.
#[test]
fn another_commit_of_a_submodule_with_files_is_refused() {
    let sandbox = sandbox();
    let from = sandbox.root().join("module");
    sandbox.git(["clone", "-q", ".", from.to_str().unwrap()]);
    sandbox.add_submodule(&from, "module");
    sandbox.commit("a submodule");
    sandbox.lane(["start", "other"]).ok();
    let other = sandbox.lane_path("other");
    let commit = sandbox.git(["rev-parse", "HEAD"]);
    let entry = format!("160000,{commit},module");
    sandbox.git_in(&other, ["update-index", "--cacheinfo", &entry]);
    sandbox.git_in(&other, ["commit", "-q", "-m", "moved"]);
    let run = sandbox.lane(["try", "other", "--json"]);
    assert!(
        run.stdout.contains("\"in-the-way\"") && run.stdout.contains("module"),
        "{run}"
    );
}

/// By a shell in the other lane, or in the main worktree before any lane is shown.
const SECOND: &[(&str, &str)] = &[
    ("echo x >own.log; git add -f own.log", ""),
    ("mkdir own.log; echo x >own.log/x; git add -f own.log/x", ""),
    (
        "echo x >>README",
        "git update-index --assume-unchanged README",
    ),
    (
        "echo x >>README",
        "git config core.autocrlf input; sed -i 's/$/\\r/' README; git add README 2>/dev/null",
    ),
];

/// A second lane that cannot be shown leaves the first one where it is, and the dry run says so.
#[test]
fn the_first_lane_stays_where_the_second_cannot_be_shown() {
    for (seconds, mains) in SECOND {
        let sandbox = sandbox();
        sandbox.sh(&format!("set -e; {mains}")).ok();
        sandbox.lane(["start", "second"]).ok();
        let second = sandbox.lane_path("second");
        sandbox.sh_in(&second, &format!("set -e; {seconds}")).ok();
        sandbox.lane(["try", "login"]).ok();
        let state = || {
            [
                format!("{:?}", contents(&sandbox.repo)),
                sandbox.git(["rev-parse", "HEAD"]),
                sandbox.git(["for-each-ref"]),
            ]
        };
        let before = state();
        for more in [&["-n"][..], &[]] {
            let run = sandbox.lane([&["try", "second", "--json"], more].concat());
            assert!(run.stdout.contains("\"in-the-way\""), "{seconds}: {run}");
            assert_eq!(state(), before, "{seconds}");
        }
        let head = sandbox.git(["rev-parse", "HEAD"]);
        assert_eq!(sandbox.git(["config", "lane.triedCommit"]), head);
        sandbox.lane(["try", "--back"]).ok();
    }
}
