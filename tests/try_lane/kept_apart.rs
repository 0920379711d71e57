//! `--to-lane` where the lane has something that git does not see, or the main worktree goes elsewhere
//! while a dead take-in waits: no byte of either is lost.

use super::{at_work, contents, lane, sandbox};
use crate::support::write;

/// What was on its way is what the user had taken, whatever the main worktree has become since, and
/// goes only where the lane is as it was.
#[test]
fn what_is_on_its_way_comes_from_the_stage() {
    for (meanwhile, saved, stays) in [
        ("git reset -q --hard; git switch -q main", None, false),
        ("rm c.txt; echo other >b.txt", None, false),
        ("git clean -q -f .", None, false),
        (
            "git reset -q --hard; git clean -q -f .; git switch -q main",
            Some("b.txt"),
            true,
        ),
        ("", Some("b.txt"), false),
    ] {
        let sandbox = at_work();
        sandbox.lane(["try", "login"]).ok();
        for file in ["a.txt", "b.txt", "c.txt"] {
            sandbox.write(file, "edited in main\n");
        }
        std::fs::remove_file(sandbox.repo.join("README")).unwrap();
        sandbox.died("try.taken-in", ["try", "--back", "--to-lane"]);
        assert!(!lane(&sandbox).join("README").exists());
        sandbox
            .sh(&format!("set -e; rm -f .git/index.lock; {meanwhile}"))
            .ok();
        if let Some(saved) = saved {
            write(&lane(&sandbox).join(saved), "saved in the lane\n");
        }
        sandbox.lane(["mark", "login", "ready"]).ok();
        for file in ["a.txt", "b.txt", "c.txt"] {
            let text = match saved == Some(file) {
                true => "saved in the lane\n",
                false => "edited in main\n",
            };
            let found = std::fs::read_to_string(lane(&sandbox).join(file)).unwrap();
            assert_eq!(found, text, "{meanwhile}: {file}");
        }
        sandbox.nothing_under_way();
        let aside = crate::support::files(&sandbox.repo.join(".git/lane/damaged"));
        let kept = |path: &std::path::PathBuf| {
            std::fs::read(path).is_ok_and(|found| found == b"edited in main\n")
        };
        assert_eq!(aside.iter().any(kept), stays, "{meanwhile}: {aside:?}");
    }
}

/// A process that dies before all are staged has put nothing anywhere.
#[test]
fn nothing_goes_before_all_are_staged() {
    let sandbox = at_work();
    sandbox.lane(["try", "login"]).ok();
    sandbox.write("a.txt", "edited in main\n");
    sandbox.died("try.staged", ["try", "--back", "--to-lane"]);
    let staging = sandbox.repo.join(".git/lane/staging");
    for path in crate::support::files(&staging) {
        if path.ends_with("complete") {
            std::fs::remove_file(path).unwrap();
        }
    }
    let before = contents(&lane(&sandbox));
    sandbox.lane(["mark", "login", "ready"]).ok();
    assert_eq!(contents(&lane(&sandbox)), before);
    sandbox.nothing_under_way();
    sandbox.lane(["try", "--back", "--to-lane"]).ok();
    assert!(lane(&sandbox).join("a.txt").exists());
}

/// A shell in the lane before it is shown, and one in the main worktree then.
const UNSEEN: &[(&str, &str)] = &[
    (
        "git config core.autocrlf input; printf 'one\\r\\ntwo\\r\\n' >README; git add README",
        "echo x >>README",
    ),
    (
        "git config filter.s.clean 'sed s/SECRET=.*/SECRET=/'; echo 'README filter=s' >.gitattributes; \
         echo SECRET=1 >>README",
        "echo x >>README",
    ),
    (
        "git config filter.s.clean 'sed s/SECRET=.*/SECRET=/'; echo 'README filter=s' >.gitattributes; \
         echo SECRET=1 >>README",
        "rm README",
    ),
];

/// The same where the lane's file, at which git is told not to look, is shown too.
const FLAGGED: &[(&str, &str)] = &[
    (
        "git update-index --assume-unchanged README; echo mine >>README",
        "echo x >>README",
    ),
    (
        "git update-index --skip-worktree README; echo mine >>README",
        "echo x >>README",
    ),
    (
        "git update-index --assume-unchanged README; echo mine >>README",
        "rm README",
    ),
];

#[test]
fn what_git_does_not_see_in_the_lane_is_not_replaced() {
    let unseen = UNSEEN.iter().map(|row| (row, false));
    for ((lanes, mains), since) in unseen.chain(FLAGGED.iter().map(|row| (row, true))) {
        let sandbox = sandbox();
        let in_lane = || {
            sandbox
                .sh_in(&lane(&sandbox), &format!("set -e; {lanes}"))
                .ok()
        };
        if !since {
            in_lane();
        }
        sandbox.lane(["try", "login"]).ok();
        if since {
            in_lane();
        }
        sandbox.sh(&format!("set -e; {mains}")).ok();
        let state = || (contents(&lane(&sandbox)), contents(&sandbox.repo));
        let before = state();
        for more in [&["-n"][..], &[]] {
            let args = [&["try", "--back", "--to-lane", "--json"], more].concat();
            let run = sandbox.lane(args);
            assert!(
                run.stdout.contains("\"lane-changed\"") && run.stdout.contains("\"README\""),
                "{lanes} / {mains}: {run}"
            );
            assert_eq!(state(), before, "{lanes} / {mains}");
        }
        assert!(sandbox.locks_of_git().is_empty());
    }
}

/// Edits of a file at which git is told not to look were shown, and what was made of them goes into the
/// lane.
#[test]
fn what_was_shown_of_a_flagged_file_is_taken_in() {
    for (lanes, mains) in FLAGGED {
        let sandbox = sandbox();
        let lane = lane(&sandbox);
        sandbox.sh_in(&lane, &format!("set -e; {lanes}")).ok();
        sandbox.lane(["try", "login"]).ok();
        sandbox.sh(&format!("set -e; {mains}")).ok();
        let edited = std::fs::read_to_string(sandbox.repo.join("README")).ok();
        assert!(
            edited
                .as_ref()
                .is_none_or(|text| text.ends_with("mine\nx\n"))
        );
        sandbox.lane(["try", "--back", "--to-lane"]).ok();
        let found = std::fs::read_to_string(lane.join("README")).ok();
        assert_eq!(found, edited, "{lanes} / {mains}");
    }
}

/// No git of the user's moves the files of the main worktree while they are taken.
#[test]
fn the_main_worktree_stays_where_it_is_meanwhile() {
    let sandbox = at_work();
    sandbox.lane(["try", "login"]).ok();
    sandbox.write("a.txt", "edited in main\n");
    sandbox.died("try.staged", ["try", "--back", "--to-lane"]);
    let head = sandbox.git(["rev-parse", "HEAD"]);
    let run = sandbox.sh("git checkout -q -f main");
    assert!(run.stderr.contains("index.lock"), "{run}");
    assert_eq!(sandbox.git(["rev-parse", "HEAD"]), head);
    sandbox.lane(["try", "--back", "--to-lane"]).ok();
    assert!(lane(&sandbox).join("a.txt").exists());
}
