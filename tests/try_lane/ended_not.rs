//! The main worktree does not come back while it differs from what was shown, or cannot.

use super::{at_work, contents, lane};
use crate::support::write;

/// By a shell in the main worktree while it shows the lane; the code, and what is said of it.
const CASES: &[(&str, &str, &str)] = &[
    ("echo x >>README", "unsettled", "changed: 'README'"),
    (
        "echo x >>README; git add README",
        "unsettled",
        "changed: 'README'",
    ),
    ("rm README", "unsettled", "changed: 'README'"),
    ("chmod +x README", "unsettled", "changed: 'README'"),
    (
        "git rm -q --cached README",
        "unsettled",
        "changed: 'README'",
    ),
    ("echo x >new", "unsettled", "new: 'new'"),
    ("mkdir d; echo x >d/new", "unsettled", "new: 'd/new'"),
    (
        "git commit -q --allow-empty -m x",
        "unsettled",
        "commits were made",
    ),
    (
        "git checkout -q --detach main",
        "unsettled",
        "HEAD is at another commit",
    ),
    (
        "git revert --no-commit HEAD~1",
        "unsettled",
        "a revert is in progress",
    ),
    // Clean for git, and with bytes that no commit has.
    (
        "git config core.autocrlf input; printf 'one\\r\\ntwo\\r\\nTHREE\\r\\n' >src/app.txt; \
         git add src/app.txt 2>/dev/null",
        "unsettled",
        "not write as they are: 'src/app.txt'",
    ),
    (
        "git update-index --assume-unchanged src/app.txt; echo mine >>src/app.txt",
        "unsettled",
        "changed: 'src/app.txt'",
    ),
    (
        "git update-index --skip-worktree src/app.txt; echo mine >>src/app.txt",
        "unsettled",
        "changed: 'src/app.txt'",
    ),
    ("git branch -q -D main", "branch-gone", "branch 'main'"),
    (
        "git worktree add -q ../elsewhere main",
        "branch-in-use",
        "elsewhere'",
    ),
];

#[test]
fn every_difference_is_named_and_everything_stays() {
    for (script, code, said) in CASES {
        let sandbox = at_work();
        sandbox.lane(["try", "login"]).ok();
        sandbox.sh(&format!("set -e; {script}")).ok();
        let state = || {
            [
                format!("{:?}", contents(&sandbox.repo)),
                sandbox.git(["ls-files", "--stage"]),
                sandbox.git(["for-each-ref"]),
                sandbox.git(["rev-parse", "HEAD"]),
            ]
        };
        let before = state();
        for args in [
            &["try", "--back", "--json"][..],
            &["try", "--back", "-n", "--json"],
        ] {
            let run = sandbox.lane(args);
            let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
            assert_eq!(document["error"]["code"], *code, "{script}: {run}");
            let message = document["error"]["message"].as_str().unwrap();
            assert!(message.contains(said), "{script}: {run}");
            assert!(
                !document["error"]["hints"].as_array().unwrap().is_empty(),
                "{run}"
            );
            assert_eq!(run.code, 1, "{script}: {run}");
            assert_eq!(state(), before, "{script}");
        }
        assert!(sandbox.locks_of_git().is_empty(), "{script}");
    }
}

/// An ignored file stands where the branch has got one meanwhile.
#[test]
fn a_file_in_the_way_of_the_branch_is_refused() {
    let sandbox = at_work();
    sandbox.lane(["start", "other"]).ok();
    let other = sandbox.lane_path("other");
    write(&other.join("late.log"), "tracked\n");
    sandbox.git_in(&other, ["add", "-f", "late.log"]);
    sandbox.git_in(&other, ["commit", "-q", "-m", "late"]);
    sandbox.lane(["try", "login"]).ok();
    sandbox.write("late.log", "mine\n");
    sandbox.lane(["finish", "other"]).ok();
    let run = sandbox.lane(["try", "--back", "--json"]);
    assert!(run.stdout.contains("\"in-the-way\""), "{run}");
    assert_eq!(
        std::fs::read(sandbox.repo.join("late.log")).unwrap(),
        b"mine\n"
    );
    std::fs::remove_file(sandbox.repo.join("late.log")).unwrap();
    sandbox.lane(["try", "--back"]).ok();
    assert_eq!(
        std::fs::read(sandbox.repo.join("late.log")).unwrap(),
        b"tracked\n"
    );
}

/// The hints lead back, as they stand.
#[test]
fn the_hints_can_be_pasted() {
    for script in [
        "echo x >>README; echo y >new",
        "echo x >>README; git commit -qam x",
        "git checkout -q --detach main",
    ] {
        let sandbox = at_work();
        sandbox.lane(["try", "login"]).ok();
        sandbox.sh(&format!("set -e; {script}")).ok();
        for _ in 0..3 {
            let run = sandbox.lane(["try", "--back", "--json"]);
            if run.code == 0 {
                break;
            }
            let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
            let hint = document["error"]["hints"][0].as_str().unwrap();
            let (_, command) = hint.split_once(": ").unwrap();
            let command = command.split("; then").next().unwrap();
            sandbox
                .sh_in(&sandbox.root(), &format!("cd shop && {command}"))
                .ok();
            if sandbox.git(["for-each-ref", "refs/lane"]).is_empty() {
                break;
            }
        }
        assert_eq!(
            sandbox.git(["symbolic-ref", "HEAD"]),
            "refs/heads/main",
            "{script}"
        );
        assert!(lane(&sandbox).join("README").exists());
    }
}

/// Bytes that git maps to what was shown stay until the user has moved them away; with `--to-lane` too.
#[test]
fn bytes_that_git_does_not_see_stay() {
    let sandbox = at_work();
    sandbox.lane(["try", "login"]).ok();
    sandbox
        .sh("git config core.autocrlf input; printf 'one\\r\\ntwo\\r\\nTHREE\\r\\n' >src/app.txt; git add src/app.txt")
        .ok();
    for extra in [&[][..], &["--to-lane"]] {
        for new in [false, true] {
            if new {
                sandbox.write("new", "x\n");
            }
            let args = [&["try", "--back", "--json"], extra].concat();
            let run = sandbox.lane(args);
            assert!(run.stdout.contains("\"unsettled\""), "{run}");
            let stays = std::fs::read(sandbox.repo.join("src/app.txt")).unwrap();
            assert_eq!(stays, b"one\r\ntwo\r\nTHREE\r\n");
            assert!(!lane(&sandbox).join("new").exists());
            drop(std::fs::remove_file(sandbox.repo.join("new")));
        }
    }
    let run = sandbox.lane(["try", "--back", "--json"]);
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let hint = document["error"]["hints"][1].as_str().unwrap();
    let (_, command) = hint.split_once(": ").unwrap();
    sandbox
        .sh(&format!("mv src/app.txt ../own; {command}"))
        .ok();
    sandbox.lane(["try", "--back"]).ok();
}

/// What was there before, ignored, is none of the lane's: it stays, and no hint takes it away.
#[test]
fn what_was_there_before_is_not_taken() {
    for (script, code) in [
        ("git add -A", "unsettled"),
        ("git add -f own.log", "unsettled"),
        ("git add -A; echo x >>README", "unsettled"),
        ("git add -A; echo x >new", "unsettled"),
    ] {
        let sandbox = sandbox_that_ignores_less();
        sandbox.lane(["try", "login"]).ok();
        sandbox.sh(script).ok();
        let run = sandbox.lane(["try", "--back", "--json"]);
        assert!(
            run.stdout.contains(code) && !run.stdout.contains("stash"),
            "{script}: {run}"
        );
        for more in [&[][..], &["-n"]] {
            let args = [&["try", "--back", "--to-lane", "--json"], more].concat();
            let run = sandbox.lane(args);
            assert!(
                run.stdout.contains("were in the main worktree"),
                "{script}: {run}"
            );
        }
        for worktree in [&sandbox.repo, &lane(&sandbox)] {
            assert_eq!(worktree.join("own.log").exists(), *worktree == sandbox.repo);
        }
        sandbox.git(["restore", "--staged", "."]);
        sandbox.lane(["try", "--back", "--to-lane"]).ok();
        let own = std::fs::read(sandbox.repo.join("own.log")).unwrap();
        assert_eq!(own, b"mine\n");
        assert!(!lane(&sandbox).join("own.log").exists());
        assert_eq!(sandbox.git(["status", "--porcelain"]), "");
    }
}

/// A new file beside what was there, in a directory that only the main worktree's branch ignores.
#[test]
fn a_new_file_in_a_directory_that_was_there_is_a_difference() {
    let sandbox = sandbox_that_ignores_less();
    sandbox.write("gen/x.o", "object\n");
    write(&lane(&sandbox).join("gen/new.c"), "lane\n");
    sandbox.lane(["try", "login"]).ok();
    sandbox.write("gen/mine.c", "work\n");
    let run = sandbox.lane(["try", "--back", "--json"]);
    assert!(run.stdout.contains("new: 'gen/mine.c'"), "{run}");
    sandbox.lane(["try", "--back", "--to-lane"]).ok();
    let taken = std::fs::read(lane(&sandbox).join("gen/mine.c")).unwrap();
    assert_eq!(taken, b"work\n");
    assert!(sandbox.repo.join("gen/x.o").exists());
    assert!(!sandbox.repo.join("gen/mine.c").exists());
}

fn sandbox_that_ignores_less() -> crate::support::Sandbox {
    let sandbox = at_work();
    sandbox.write(".gitignore", "*.log\nbuild/\ngen/\n");
    sandbox.commit("ignore more");
    write(&lane(&sandbox).join(".gitignore"), "build/\n");
    sandbox
}
