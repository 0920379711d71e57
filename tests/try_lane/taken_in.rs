//! `--to-lane`: what was changed in the main worktree goes into the lane, byte for byte.

use std::os::unix::fs::PermissionsExt;

use super::{at_work, contents, forgotten, lane, of_main, sandbox, visible};
use crate::support::{Sandbox, write};

/// What is done in the main worktree while it shows the lane.
const EDITS: &[(&str, &str)] = &[
    ("nothing", ""),
    ("changed", "echo x >>README"),
    (
        "changed in a file that the lane has changed",
        "echo x >>README; echo y >>staged.txt",
    ),
    ("staged", "echo x >>README; git add README"),
    ("new", "echo x >new; mkdir -p d/e; echo y >d/e/new"),
    ("new and staged", "echo x >new; git add new"),
    ("gone", "rm README"),
    ("gone with its directory", "rm -r src"),
    ("gone from the index alone", "git rm -q --cached README"),
    ("new of the lane, gone again", "rm untracked/new.txt"),
    ("runs", "chmod +x README"),
    ("a link", "ln -s README link"),
    ("a link for a file", "rm README; ln -s src README"),
    ("a file for a directory", "rm -r src; echo x >src"),
    (
        "a directory for a file",
        "rm README; mkdir README; echo x >README/x",
    ),
    ("bytes", "printf 'a\\r\\n\\000\\377' >README; : >empty"),
    (
        "odd names",
        "echo x >'a b'; echo y >'-n'; echo w >\"$(printf 'a\\377b')\"",
    ),
    ("renamed", "git mv README OTHER"),
];

#[test]
fn edits_go_into_the_lane_and_the_main_worktree_comes_back() {
    for (name, script) in EDITS {
        let sandbox = at_work();
        let main = of_main(&sandbox);
        let ignored = lane(&sandbox).join("build/lanes.o");
        sandbox.lane(["try", "login"]).ok();
        sandbox.sh(&format!("set -e; {script}")).ok();
        let mut wanted = visible(&sandbox, &sandbox.repo);
        for own in [&b"own.log"[..], b"build/out.o"] {
            wanted.remove(own);
        }
        let foretold = sandbox
            .lane(["try", "--back", "--to-lane", "-n", "--json"])
            .json();
        let done = sandbox
            .lane(["try", "--back", "--to-lane", "--json"])
            .json();
        assert_eq!(foretold["taken"], done["taken"], "{name}");
        assert_eq!(visible(&sandbox, &lane(&sandbox)), wanted, "{name}");
        assert_eq!(of_main(&sandbox), main, "{name}");
        assert!(ignored.exists());
        // What was staged in the lane is staged still.
        let staged = sandbox.git_in(&lane(&sandbox), ["diff", "--cached", "--name-only"]);
        assert_eq!(staged, "staged.txt", "{name}");
        forgotten(&sandbox);
    }
}

/// With attributes that convert, the lane gets the bytes of the main worktree and not git's.
#[test]
fn no_filter_touches_what_is_taken() {
    let sandbox = sandbox();
    write(&lane(&sandbox).join(".gitattributes"), "*.txt text\n");
    sandbox.lane(["try", "login"]).ok();
    sandbox.write("src/app.txt", "a\r\nb\n");
    sandbox.lane(["try", "--back", "--to-lane"]).ok();
    let taken = std::fs::read(lane(&sandbox).join("src/app.txt")).unwrap();
    assert_eq!(taken, b"a\r\nb\n");
}

/// By a shell in the lane and in the main worktree; the code, and a path that is named.
const REFUSED: &[(&str, &str, &str, &str)] = &[
    (
        "echo lanes >>README",
        "echo x >>README",
        "lane-changed",
        "README",
    ),
    ("rm README", "echo x >>README", "lane-changed", "README"),
    ("echo lanes >>README", "rm README", "lane-changed", "README"),
    ("echo lanes >new", "echo x >new", "lane-changed", "new"),
    (
        "mkdir new; echo lanes >new/x",
        "echo x >new",
        "lane-changed",
        "new",
    ),
    // Ignored in both, and added by force in one.
    (
        "echo lanes >late.log",
        "echo x >late.log; git add -f late.log",
        "lane-changed",
        "late.log",
    ),
    (
        "git commit -q -a -m more",
        "echo x >>README; git commit -q -a -m x",
        "unsettled",
        "",
    ),
    (
        "",
        "echo x >>README; git add README; echo y >>README",
        "unsettled",
        "README",
    ),
    (
        "",
        "echo x >>README; git add README; git cat-file blob HEAD:README >README",
        "unsettled",
        "README",
    ),
    ("", "git revert --no-commit HEAD~1", "unsettled", ""),
    ("git switch -q -c away", "echo x >>README", "stray", ""),
    (
        "git bisect start -q HEAD HEAD~1 || git bisect start HEAD HEAD~1",
        "echo x >>README",
        "stray",
        "",
    ),
];

#[test]
fn what_does_not_fit_is_refused_and_everything_stays() {
    for (lanes, mains, code, path) in REFUSED {
        let sandbox = at_work();
        sandbox.lane(["try", "login"]).ok();
        sandbox.sh(&format!("set -e; {mains}")).ok();
        sandbox
            .sh_in(&lane(&sandbox), &format!("set -e; {lanes}"))
            .ok();
        let state = || {
            [
                format!("{:?}", contents(&sandbox.repo)),
                format!("{:?}", contents(&lane(&sandbox))),
                sandbox.git(["ls-files", "--stage"]),
                sandbox.git_in(&lane(&sandbox), ["ls-files", "--stage"]),
                sandbox.git(["for-each-ref"]),
            ]
        };
        let before = state();
        let run = sandbox.lane(["try", "--back", "--to-lane", "--json"]);
        let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(document["error"]["code"], *code, "{lanes} / {mains}: {run}");
        assert!(run.stdout.contains(path), "{run}");
        assert_eq!(state(), before, "{lanes} / {mains}");
        assert!(sandbox.locks_of_git().is_empty(), "{lanes} / {mains}");
    }
}

/// A change elsewhere in the lane is no obstacle, and is kept.
#[test]
fn the_lane_may_go_on_elsewhere() {
    let sandbox = at_work();
    let main = of_main(&sandbox);
    sandbox.lane(["try", "login"]).ok();
    sandbox.write("src/app.txt", "edited in main\n");
    write(&lane(&sandbox).join("README"), "edited again\n");
    sandbox.git_in(&lane(&sandbox), ["add", "staged.txt"]);
    sandbox.git_in(&lane(&sandbox), ["commit", "-q", "-m", "staged"]);
    sandbox.lane(["try", "--back", "--to-lane"]).ok();
    let read = |path| std::fs::read(lane(&sandbox).join(path)).unwrap();
    assert_eq!(read("README"), b"edited again\n");
    assert_eq!(read("src/app.txt"), b"edited in main\n");
    assert_eq!(of_main(&sandbox), main);
}

#[test]
fn a_lane_that_is_anothers_or_gone_takes_nothing() {
    let claim = |sandbox: &Sandbox| {
        let mut command = sandbox.command("git-lane");
        let taken = sandbox.run(command.args(["claim", "login", "--owner", "bob", "--for", "1h"]));
        taken.ok();
    };
    let gone = |sandbox: &Sandbox| drop(sandbox.lane(["drop", "login", "--yes"]).ok());
    for (happens, code) in [
        (&claim as &dyn Fn(&Sandbox), "claimed"),
        (&gone, "lane-gone"),
    ] {
        let sandbox = at_work();
        sandbox.lane(["try", "login"]).ok();
        sandbox.write("README", "edited in main\n");
        happens(&sandbox);
        let run = sandbox.lane(["try", "--back", "--to-lane", "--json"]);
        assert!(run.stdout.contains(&format!("\"{code}\"")), "{run}");
        assert_eq!(
            std::fs::read(sandbox.repo.join("README")).unwrap(),
            b"edited in main\n"
        );
    }
}

/// Modes beyond git's come along too.
#[test]
fn a_private_file_stays_private() {
    let sandbox = sandbox();
    sandbox.lane(["try", "login"]).ok();
    sandbox.write("secret", "x\n");
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    std::fs::set_permissions(
        sandbox.repo.join("secret"),
        PermissionsExt::from_mode(0o600),
    )
    .unwrap();
    sandbox.lane(["try", "--back", "--to-lane"]).ok();
    assert_eq!(mode(&lane(&sandbox).join("secret")), 0o600);
    assert!(!sandbox.repo.join("secret").exists());
}
