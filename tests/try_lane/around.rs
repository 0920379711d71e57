//! What else a lane that is shown meets: the list, the doctor, hooks, other verbs, a dead process.

use super::{at_work, forgotten, lane, of_main};
use crate::support::{script, write};

#[test]
fn the_list_says_which_lane_is_shown() {
    let sandbox = at_work();
    sandbox.lane(["try", "login"]).ok();
    let list = sandbox.lane(["list"]).ok();
    assert!(list.contains("trying login"), "{list}");
    let list = sandbox.lane(["list", "--json"]).json();
    assert!(list.to_string().contains("\"trying\""), "{list}");
    sandbox.write("README", "edited in main\n");
    let list = sandbox.lane(["list"]).ok();
    assert!(list.contains("trying login, 1 "), "{list}");
    sandbox.git(["checkout", "-q", "README"]);
    sandbox.lane(["try", "--back"]).ok();
    let list = sandbox.lane(["list"]).ok();
    assert!(!list.contains("trying"), "{list}");
}

/// What the doctor finds, and what it puts right.
#[test]
fn the_doctor_knows_what_is_left() {
    for (script, finding) in [
        ("git switch -q main", &["ended-try"][..]),
        ("git update-ref -d refs/lane/try", &["try-ref"]),
        (
            "git switch -q main; git config --remove-section lane",
            &["try-ref"],
        ),
        (
            "git switch -q main; git config --unset lane.triedCommit",
            &["damaged-try", "policy"],
        ),
    ] {
        let sandbox = at_work();
        sandbox.lane(["try", "login"]).ok();
        assert_eq!(sandbox.findings(), Vec::<String>::new(), "{script}");
        sandbox.sh(script).ok();
        assert_eq!(sandbox.findings(), finding, "{script}");
        drop(sandbox.lane(["doctor", "--fix"]));
        assert_eq!(sandbox.findings(), Vec::<String>::new(), "{script}");
        if sandbox.lane(["try", "--back"]).code != 0 {
            forgotten(&sandbox);
        }
        assert_eq!(sandbox.git(["symbolic-ref", "HEAD"]), "refs/heads/main");
    }
}

/// The user's post-checkout hook hears of both ways, as of a switch.
#[test]
fn the_users_hook_hears_of_it() {
    let sandbox = at_work();
    let log = sandbox.root().join("heard");
    sandbox.hook(
        "post-checkout",
        format!("echo \"$1 $2 $3\" >>{}", log.display()),
    );
    let main = sandbox.git(["rev-parse", "HEAD"]);
    sandbox.lane(["try", "login"]).ok();
    let shown = sandbox.git(["rev-parse", "HEAD"]);
    sandbox.lane(["try", "--back"]).ok();
    let heard = std::fs::read_to_string(&log).unwrap();
    assert_eq!(heard, format!("{main} {shown} 1\n{shown} {main} 1\n"));
    script(&log, "");
}

/// Verbs that change lanes do what they do, with the main worktree as it is.
#[test]
fn other_verbs_go_on() {
    for args in [
        &["start", "another"][..],
        &["sync", "login"],
        &["mark", "login", "ready"],
        &["check"],
        &["prune", "--yes"],
        &["drop", "login", "--yes"],
        &["finish", "other"],
    ] {
        let sandbox = at_work();
        sandbox.lane(["start", "other"]).ok();
        sandbox.work("other", "other.txt", "other\n");
        sandbox.lane(["try", "login"]).ok();
        let head = sandbox.git(["rev-parse", "HEAD"]);
        sandbox.lane(args).ok();
        assert_eq!(sandbox.git(["rev-parse", "HEAD"]), head, "{args:?}");
        assert_eq!(sandbox.git(["status", "--porcelain"]), "", "{args:?}");
        sandbox.lane(["try", "--back"]).ok();
        assert_eq!(sandbox.git(["status", "--porcelain"]), "", "{args:?}");
        forgotten(&sandbox);
    }
}

/// A dry run of each writes nothing at all, the log neither.
#[test]
fn a_dry_run_writes_nothing() {
    let sandbox = at_work();
    let before = sandbox.fingerprint();
    sandbox.lane(["try", "login", "-n"]).ok();
    assert_eq!(sandbox.fingerprint(), before);
    sandbox.lane(["try", "login"]).ok();
    sandbox.lane(["start", "other"]).ok();
    for args in [&["try", "--back", "-n"][..], &["try", "other", "-n"]] {
        let before = sandbox.fingerprint();
        sandbox.lane(args).ok();
        assert_eq!(sandbox.fingerprint(), before, "{args:?}");
    }
    sandbox.write("README", "edited in main\n");
    let before = sandbox.fingerprint();
    sandbox.lane(["try", "--back", "--to-lane", "-n"]).ok();
    assert_eq!(sandbox.fingerprint(), before);
}

/// A process that dies with edits half in the lane: the next command completes that, and keeps what
/// the user has saved in the lane since.
#[test]
fn edits_that_are_half_in_the_lane_are_completed() {
    let sandbox = at_work();
    let main = of_main(&sandbox);
    sandbox.lane(["try", "login"]).ok();
    for file in ["a.txt", "b.txt", "c.txt"] {
        sandbox.write(file, "edited in main\n");
    }
    sandbox.died("try.taken-in", ["try", "--back", "--to-lane"]);
    assert!(lane(&sandbox).join("a.txt").exists());
    write(&lane(&sandbox).join("b.txt"), "saved in the lane\n");
    sandbox.lane(["mark", "login", "ready"]).ok();
    let read = |path| std::fs::read(lane(&sandbox).join(path)).unwrap();
    assert_eq!(read("a.txt"), b"edited in main\n");
    assert_eq!(read("b.txt"), b"saved in the lane\n");
    assert_eq!(read("c.txt"), b"edited in main\n");
    let run = sandbox.lane(["try", "--back", "--to-lane", "--json"]);
    assert!(
        run.stdout.contains("\"lane-changed\"") && run.stdout.contains("b.txt"),
        "{run}"
    );
    write(&lane(&sandbox).join("b.txt"), "edited in main\n");
    sandbox.lane(["try", "--back", "--to-lane"]).ok();
    assert_eq!(of_main(&sandbox), main);
    forgotten(&sandbox);
}

/// An intent that names another place is never acted on.
#[test]
fn an_intent_of_a_stranger_is_set_aside() {
    let sandbox = at_work();
    sandbox.lane(["try", "login"]).ok();
    sandbox.write("a.txt", "edited in main\n");
    sandbox.died("try.ready", ["try", "--back", "--to-lane"]);
    let journal = sandbox.repo.join(".git/lane/journal");
    let mut intents = crate::support::files(&journal);
    intents.retain(|path| path.extension().is_some_and(|end| end == "json"));
    let [intent] = &intents[..] else {
        panic!("{intents:?}")
    };
    let text = std::fs::read_to_string(intent).unwrap();
    write(intent, text.replace("\"a.txt\"", "\"../../victim\""));
    let run = sandbox.lane(["mark", "login", "ready"]);
    assert!(run.stderr.contains("its file cannot be"), "{run}");
    assert!(!sandbox.root().join("victim").exists());
}

/// A lane that gets another name and another place is the same lane.
#[test]
fn a_lane_that_is_renamed_meanwhile_takes_its_edits() {
    let sandbox = at_work();
    let main = of_main(&sandbox);
    sandbox.lane(["try", "login"]).ok();
    sandbox.write("README", "edited in main\n");
    sandbox.lane(["rename", "login", "auth"]).ok();
    let list = sandbox.lane(["list"]).ok();
    assert!(list.contains("trying auth"), "{list}");
    let done = sandbox
        .lane(["try", "--back", "--to-lane", "--json"])
        .json();
    assert_eq!(done["lane"], "auth");
    let taken = std::fs::read(sandbox.lane_path("auth").join("README")).unwrap();
    assert_eq!(taken, b"edited in main\n");
    assert_eq!(of_main(&sandbox), main);
    forgotten(&sandbox);
}

/// A lane inside the main worktree is no file of it.
#[test]
fn a_lane_inside_the_main_worktree_is_shown_beside_itself() {
    let sandbox = at_work();
    sandbox
        .lane(["start", "inner", "--path", ".worktrees/inner"])
        .ok();
    let inner = sandbox.repo.join(".worktrees/inner");
    write(&inner.join("README"), "inner\n");
    sandbox.lane(["try", "inner"]).ok();
    assert_eq!(
        std::fs::read(sandbox.repo.join("README")).unwrap(),
        b"inner\n"
    );
    sandbox.write("new.txt", "new\n");
    sandbox.lane(["try", "--back", "--to-lane"]).ok();
    assert_eq!(sandbox.git(["status", "--porcelain"]), "");
    assert_eq!(std::fs::read(inner.join("new.txt")).unwrap(), b"new\n");
    forgotten(&sandbox);
}

/// The branch to which the main worktree comes back is no other lane's, and may get another name.
#[test]
fn the_branch_to_come_back_to_stays_the_main_worktrees() {
    let sandbox = at_work();
    let main = sandbox.git(["rev-parse", "HEAD"]);
    sandbox.lane(["try", "login"]).ok();
    for more in [&[][..], &["-n"]] {
        let args = [&["start", "other", "--branch", "main", "--json"], more].concat();
        let run = sandbox.lane(args);
        assert!(run.stdout.contains("\"branch-in-use\""), "{run}");
    }
    sandbox.git(["branch", "-m", "main", "trunk"]);
    sandbox.lane(["try", "--back", "-n"]).ok();
    sandbox.lane(["mark", "login", "ready"]).ok();
    let home = sandbox.git(["config", "lane.triedBranch"]);
    assert_eq!(home, "refs/heads/trunk");
    sandbox.lane(["try", "--back"]).ok();
    assert_eq!(sandbox.git(["symbolic-ref", "HEAD"]), "refs/heads/trunk");
    assert_eq!(sandbox.git(["rev-parse", "HEAD"]), main);
    assert_eq!(sandbox.git(["status", "--porcelain"]), "");
    forgotten(&sandbox);
}
