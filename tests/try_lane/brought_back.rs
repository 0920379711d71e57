//! The main worktree comes back, whatever has become of its branch and of the lane meanwhile.

use super::{at_work, contents, forgotten, lane, of_main, sandbox};
use crate::support::write;

/// A landing moves the base alone while no worktree has it checked out; the main worktree comes back
/// to what it is then.
#[test]
fn a_branch_that_has_moved_on_is_shown_as_it_is_then() {
    let sandbox = at_work();
    sandbox.lane(["start", "other"]).ok();
    sandbox.work("other", "other.txt", "other\n");
    sandbox.lane(["try", "login"]).ok();
    let shown = contents(&sandbox.repo);
    sandbox.lane(["finish", "other"]).ok();
    assert_eq!(contents(&sandbox.repo), shown);
    let tip = sandbox.git(["rev-parse", "main"]);
    let back = sandbox.lane(["try", "--back"]).ok();
    assert!(back.contains("'main' has moved meanwhile"), "{back}");
    assert_eq!(sandbox.git(["rev-parse", "HEAD"]), tip);
    assert_eq!(sandbox.git(["symbolic-ref", "HEAD"]), "refs/heads/main");
    assert_eq!(sandbox.git(["status", "--porcelain"]), "");
    assert_eq!(
        std::fs::read(sandbox.repo.join("other.txt")).unwrap(),
        b"other\n"
    );
    forgotten(&sandbox);
}

/// ... also where the lane that is shown is the one that lands.
#[test]
fn the_lane_that_is_shown_lands() {
    let sandbox = sandbox();
    sandbox.lane(["try", "login"]).ok();
    sandbox.lane(["finish", "login"]).ok();
    let back = sandbox.lane(["try", "--back", "--json"]).json();
    assert_eq!(back["back"]["laneIsGone"], true);
    assert_eq!(sandbox.git(["status", "--porcelain"]), "");
    assert_eq!(
        std::fs::read(sandbox.repo.join("src/app.txt")).unwrap(),
        b"one\ntwo\nTHREE\n"
    );
    forgotten(&sandbox);
}

#[test]
fn a_lane_that_goes_meanwhile_is_said() {
    let sandbox = at_work();
    let main = of_main(&sandbox);
    sandbox.lane(["try", "login"]).ok();
    sandbox.lane(["drop", "login", "--yes"]).ok();
    sandbox.collect_garbage();
    assert!(sandbox.repo.join("untracked/new.txt").exists());
    let back = sandbox.lane(["try", "--back"]).ok();
    assert!(back.contains("lane 'login' is gone by now"), "{back}");
    assert_eq!(of_main(&sandbox), main);
    forgotten(&sandbox);
}

/// The main worktree goes from one lane to another, and the same lane again as it stands by then.
#[test]
fn another_lane_takes_the_place_of_the_first() {
    let sandbox = at_work();
    sandbox.lane(["start", "other"]).ok();
    write(&sandbox.lane_path("other").join("README"), "other\n");
    let main = of_main(&sandbox);
    sandbox.lane(["try", "login"]).ok();
    let run = sandbox.lane(["try", "login", "--json"]).json();
    assert_eq!(run["shown"]["already"], true);
    sandbox.lane(["try", "other"]).ok();
    assert_eq!(
        std::fs::read(sandbox.repo.join("README")).unwrap(),
        b"other\n"
    );
    assert!(!sandbox.repo.join("staged.txt").exists());
    write(&sandbox.lane_path("other").join("README"), "newer\n");
    let run = sandbox.lane(["try", "other", "--json"]).json();
    assert_eq!(run["shown"]["already"], false);
    assert_eq!(
        std::fs::read(sandbox.repo.join("README")).unwrap(),
        b"newer\n"
    );
    sandbox.write("README", "edited\n");
    let run = sandbox.lane(["try", "login", "--json"]);
    assert!(
        run.code == 1 && run.stdout.contains("\"unsettled\""),
        "{run}"
    );
    sandbox.git(["checkout", "-q", "README"]);
    sandbox.lane(["try", "--back"]).ok();
    assert_eq!(of_main(&sandbox), main);
    forgotten(&sandbox);
}

/// HEAD may name the branch by a symbolic ref.
#[test]
fn head_names_the_branch_as_before() {
    let sandbox = at_work();
    sandbox.git(["symbolic-ref", "refs/heads/alias", "refs/heads/main"]);
    sandbox.git(["symbolic-ref", "HEAD", "refs/heads/alias"]);
    let main = of_main(&sandbox);
    sandbox.lane(["try", "login"]).ok();
    sandbox.lane(["try", "--back"]).ok();
    assert_eq!(of_main(&sandbox), main);
}

/// `git lane undo` is the same as `--back`, and only while the lane is shown.
#[test]
fn undo_ends_it() {
    let sandbox = at_work();
    let main = of_main(&sandbox);
    for args in [&["undo"][..], &["undo", "login"]] {
        sandbox.lane(["try", "login"]).ok();
        let list = sandbox.lane(["undo", "--list", "--json"]).json();
        assert_eq!(list["steps"][0]["what"], "try");
        assert_eq!(list["steps"][0]["undoable"], true, "{list}");
        let said = sandbox.lane(args).ok();
        assert!(said.contains("took back the try of lane 'login'"), "{said}");
        assert_eq!(of_main(&sandbox), main);
        forgotten(&sandbox);
    }
    sandbox.lane(["try", "login"]).ok();
    sandbox.lane(["try", "--back"]).ok();
    let list = sandbox.lane(["undo", "--list", "--json"]).json();
    assert_eq!(list["steps"][0]["undoable"], false, "{list}");
    let problem = &list["steps"][0]["problem"]["message"];
    assert_eq!(problem, "it is over, and nothing of it is left");
    let over = "the try of lane 'login' is over and has changed nothing";
    for args in [&["undo", "-n"][..], &["undo", "login", "-n"]] {
        let run = sandbox.lane(args);
        assert!(run.stderr.contains(over), "{run}");
    }
    // Not where the user takes back another thing, or the try came before.
    sandbox.lane(["start", "other"]).ok();
    for args in [&["undo", "-n"][..], &["undo", "other", "-n"]] {
        let run = sandbox.lane(args);
        assert!(!run.stderr.contains("is over"), "{run}");
    }
}

/// What a command has done that died is done: the same command again is no failure.
#[test]
fn back_again_after_a_death_says_that_it_is_back() {
    for step in ["try.index", "try.forgotten"] {
        for (args, between) in [
            (&["try", "--back", "--json"][..], &[][..]),
            (&["try", "--back", "--json"], &["mark", "login", "ready"]),
            (&["try", "--back", "--to-lane", "--json"], &[]),
        ] {
            let sandbox = at_work();
            let main = of_main(&sandbox);
            let refused = sandbox.lane(["try", "--back"]);
            assert!(refused.code == 1, "{refused}");
            sandbox.lane(["try", "login"]).ok();
            sandbox.died(step, ["try", "--back"]);
            if !between.is_empty() {
                sandbox.lane(between).ok();
            }
            let back = sandbox.lane(args).json();
            assert_eq!(back["back"]["already"], true, "{step} {args:?}: {back}");
            assert_eq!(back["back"]["branch"], "main");
            assert_eq!(back["lane"], "login");
            assert_eq!(of_main(&sandbox), main, "{step} {args:?}");
            forgotten(&sandbox);
            // Once more, and once more after another one.
            let told = sandbox.lane(["try", "--back"]).ok();
            assert_eq!(told, "the main worktree is back on 'main' already\n");
            sandbox.lane(["try", "login"]).ok();
            let back = sandbox.lane(["try", "--back", "--json"]).json();
            assert_eq!(back["back"]["already"], false);
            let refused = sandbox.lane(["try", "--back", "--json"]);
            assert!(refused.stdout.contains("\"not-tried\""), "{refused}");
        }
    }
}

/// What only the lane ignores is no difference while it is shown, and no file is removed: it is
/// named, and what was there before is not.
#[test]
fn what_only_the_lane_ignores_stays_and_is_named() {
    let sandbox = at_work();
    write(
        &lane(&sandbox).join(".gitignore"),
        "*.log\nbuild/\n*.out\n/deps/\n",
    );
    let main = of_main(&sandbox);
    sandbox.lane(["try", "login"]).ok();
    sandbox.write("a.out", "built\n");
    sandbox.write("deps/x/y", "built\n");
    sandbox.write("new.log", "of both\n");
    let back = sandbox.lane(["try", "--back", "--json"]).json();
    assert_eq!(
        back["back"]["left"],
        serde_json::json!(["a.out", "deps/x/y"])
    );
    for file in ["a.out", "deps/x/y", "new.log"] {
        std::fs::remove_file(sandbox.repo.join(file)).unwrap();
    }
    std::fs::remove_dir_all(sandbox.repo.join("deps")).unwrap();
    assert_eq!(of_main(&sandbox), main);
    sandbox.lane(["try", "login"]).ok();
    sandbox.write("a.out", "built\n");
    let told = sandbox.lane(["try", "--back"]).ok();
    assert!(
        told.contains("what only lane 'login' ignores stays there, untracked: 'a.out'\n"),
        "{told}"
    );
    forgotten(&sandbox);
}

/// `git switch` by hand ends it too; the next command that changes something forgets.
#[test]
fn a_switch_by_hand_ends_it() {
    let sandbox = at_work();
    let main = of_main(&sandbox);
    sandbox.lane(["try", "login"]).ok();
    sandbox.git(["switch", "-q", "main"]);
    assert_eq!(sandbox.findings(), ["ended-try"]);
    let run = sandbox.lane(["mark", "login", "ready"]);
    assert!(run.stderr.contains("shows lane 'login' no more"), "{run}");
    assert_eq!(of_main(&sandbox), main);
    forgotten(&sandbox);
    let run = sandbox.lane(["try", "--back", "--json"]);
    assert!(
        run.code == 1 && run.stdout.contains("\"not-tried\""),
        "{run}"
    );
    assert!(lane(&sandbox).join("staged.txt").exists());
}

/// Permissions beyond those that git keeps come back, after a death too.
#[test]
fn a_private_file_of_the_main_worktree_is_private_again() {
    use std::os::unix::fs::PermissionsExt;
    for step in [None, Some("try.files"), Some("try.index")] {
        let sandbox = at_work();
        let file = sandbox.repo.join("src/app.txt");
        let mode = || std::fs::metadata(&file).unwrap().permissions().mode() & 0o777;
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
        sandbox.lane(["try", "login"]).ok();
        if let Some(step) = step {
            sandbox.died(step, ["try", "--back"]);
            sandbox.lane(["mark", "login", "ready"]).ok();
        }
        drop(sandbox.lane(["try", "--back"]));
        assert_eq!(mode(), 0o600, "{step:?}");
        assert_eq!(sandbox.git(["status", "--porcelain"]), "");
        forgotten(&sandbox);
    }
}
