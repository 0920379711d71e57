//! Mending that was interrupted, and what the journal tells.

use super::*;
use crate::support::skipped;

#[test]
fn a_rebuilding_that_was_interrupted_is_made_good_by_the_next_command() {
    for step in 1.. {
        let sandbox = Sandbox::new();
        let path = pruned_while_away(&sandbox);
        let before = listing(&path);
        let run = sandbox.dying(step, ["doctor", "--fix"]);
        assert!(run.code == 137 || run.code == 0, "{run}");
        sandbox.plain_git_works();
        if run.code != 0 {
            // Any command cleans up, and the doctor does the rest.
            let said = sandbox.lane(["start", "other"]);
            assert!(
                said.stderr.contains("the rebuilding of '") && said.code == 0,
                "{said}"
            );
            sandbox.nothing_under_way();
            doctor(&sandbox, &["--fix"]).ok();
        }
        assert!(sandbox.findings().is_empty(), "step {step}");
        assert!(listing(&path) == before, "step {step}");
        let status = sandbox.git_in(&path, ["status", "--porcelain", "--branch"]);
        assert_eq!(
            status, "## login\n M README\n D src/app.txt\n?? staged\n?? untracked",
            "step {step}"
        );
        sandbox.nothing_left_behind(0);
        if run.code == 0 {
            assert!(step > 5, "only {step} steps");
            return;
        }
    }
}

/// The admin directory is written to in several steps; after the first it looks as if a git
/// were just making it.
#[test]
fn a_mending_that_was_interrupted_is_completed_by_the_next_command() {
    for step in 1.. {
        let sandbox = Sandbox::new();
        sandbox.lane(["start", "login"]).ok();
        let admin = sandbox.repo.join(".git/worktrees/login");
        let index = std::fs::read(admin.join("index")).unwrap();
        write(&admin.join("commondir"), "/nowhere\n");
        write(&admin.join("HEAD"), "garbage\n");
        std::fs::remove_file(admin.join("gitdir")).unwrap();
        age_all(&admin);
        let run = sandbox.dying(step, ["doctor", "--fix"]);
        if run.code != 0 {
            assert_eq!(run.code, 137, "{run}");
            doctor(&sandbox, &["--fix"]).ok();
        }
        assert!(sandbox.findings().is_empty(), "step {step}");
        let path = sandbox.lane_path("login");
        assert_eq!(
            sandbox.git_in(&path, ["status", "--porcelain", "--branch"]),
            "## login",
            "step {step}"
        );
        assert_eq!(
            std::fs::read(admin.join("index")).unwrap().len(),
            index.len()
        );
        let kept = std::fs::read_dir(sandbox.repo.join(".git/lane/damaged"))
            .unwrap()
            .flatten();
        let mut kept: Vec<_> = kept
            .map(|entry| std::fs::read_to_string(entry.path()).unwrap())
            .collect();
        kept.sort();
        assert_eq!(kept, ["/nowhere\n", "garbage\n"], "step {step}");
        sandbox.nothing_left_behind(0);
        if run.code == 0 {
            assert!(step > 5, "only {step} steps");
            return;
        }
    }
}

#[test]
fn switching_a_stray_back_overwrites_nothing_and_is_a_checkout_to_hooks_and_logs() {
    let sandbox = Sandbox::new();
    sandbox.write("kept", "tracked");
    sandbox.commit("kept");
    sandbox.lane(["start", "login"]).ok();
    let path = sandbox.lane_path("login");
    sandbox.git_in(&path, ["switch", "-q", "-c", "other"]);
    sandbox.git_in(&path, ["rm", "-q", "kept"]);
    write(&path.join(".gitignore"), "kept\n");
    sandbox.git_in(&path, ["add", "."]);
    sandbox.git_in(&path, ["commit", "-q", "-m", "without"]);
    write(&path.join("kept"), "ignored work");
    let told = doctor(&sandbox, &["--fix"]);
    assert!(
        told.stdout.contains("'kept'") && told.stdout.contains("move them away"),
        "{told}"
    );
    let _ = told.fails(1);
    assert_eq!(std::fs::read(path.join("kept")).unwrap(), b"ignored work");
    assert_eq!(
        sandbox.git_in(&path, ["status", "--porcelain", "--branch"]),
        "## other"
    );
    sandbox.nothing_under_way();

    std::fs::remove_file(path.join("kept")).unwrap();
    sandbox.hook("post-checkout", "echo \"$@\" >>\"$HOME/ran\"");
    let (old, new) = (
        sandbox.git(["rev-parse", "other"]),
        sandbox.git(["rev-parse", "login"]),
    );
    doctor(&sandbox, &["--fix"]).ok();
    assert_eq!(std::fs::read(path.join("kept")).unwrap(), b"tracked");
    assert!(!path.join(".gitignore").exists());
    assert_eq!(
        sandbox.git_in(&path, ["status", "--porcelain", "--branch"]),
        "## login"
    );
    let ran = std::fs::read_to_string(sandbox.root().join("home/ran")).unwrap();
    assert_eq!(ran, format!("{old} {new} 1\n"));
    assert_eq!(
        sandbox.git_in(&path, ["reflog", "-1", "--format=%gs"]),
        "checkout: moving from other to login"
    );
    sandbox.git_in(&path, ["switch", "-q", "-"]);
    assert_eq!(sandbox.git_in(&path, ["branch", "--show-current"]), "other");
}

/// Where HEAD is not a file, git moves it.
#[test]
fn strays_and_second_checkouts_in_a_reftable_are_put_right_too() {
    if git_version() < (2, 45) {
        skipped(&format!("git {:?} has no reftable", git_version()));
        return;
    }
    let sandbox = Sandbox::new();
    std::fs::remove_dir_all(sandbox.repo.join(".git")).unwrap();
    sandbox.git(["init", "-q", "-b", "main", "--ref-format=reftable"]);
    sandbox.commit("first");
    sandbox.lane(["start", "login", "twice"]).ok();
    let path = sandbox.lane_path("login");
    sandbox.git_in(&path, ["switch", "-q", "-c", "other"]);
    write(&path.join("new"), "new");
    sandbox.git_in(&path, ["add", "."]);
    sandbox.git_in(&path, ["commit", "-q", "-m", "new"]);
    sandbox.git(["worktree", "add", "-q", "-f", "../again", "twice"]);
    assert_eq!(sandbox.findings(), ["stray", "checked-out-twice"]);
    assert_fixed_for_good(&sandbox);
    assert_eq!(
        sandbox.git_in(&path, ["status", "--porcelain", "--branch"]),
        "## login"
    );
    assert_eq!(
        sandbox.git_in(&sandbox.root().join("again"), ["status", "-sb"]),
        "## HEAD (no branch)"
    );
    assert_eq!(
        sandbox.git_in(&path, ["reflog", "-1", "--format=%gs"]),
        "checkout: moving from other to login"
    );
}

/// What is no JSON says nothing to anybody; it must not keep everybody from working for ever. What
/// it was about may have been a lane on its way back, so nothing leaves the trash for good
/// meanwhile.
#[test]
fn a_damaged_intent_is_set_aside_and_one_of_another_version_is_not() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "gone"]).ok();
    sandbox.lane(["drop", "--yes", "gone"]).ok();
    let intent = sandbox
        .repo
        .join(".git/lane/journal/0123456789abcdef012.json");
    write(&intent, "{\"operation\": \"resto");
    let run = sandbox.lane(["start", "login"]);
    let aside = sandbox
        .repo
        .join(".git/lane/damaged/0123456789abcdef012.json");
    assert!(
        run.stderr.contains(aside.to_str().unwrap()) && run.stderr.contains("git lane doctor"),
        "{run}"
    );
    run.ok();
    assert!(!intent.exists());
    let run = sandbox.lane(["start", "search"]);
    assert_eq!(run.stderr, "", "told once");
    run.ok();
    assert_left_alone(&sandbox, &["damaged-intent"]);
    let waiting = sandbox.entry_ids();
    outdate(&sandbox.entry_with(&waiting[0]));
    sandbox.lane(["trash", "--expire"]).ok();
    assert_eq!(sandbox.entry_ids(), waiting);
    std::fs::remove_file(aside).unwrap();
    sandbox.lane(["trash", "--expire"]).ok();
    assert!(sandbox.entry_ids().is_empty());
    assert!(sandbox.findings().is_empty());

    write(&intent, "{\"operation\": \"teleport\"}");
    let told = doctor(&sandbox, &[]);
    assert!(
        told.stdout.contains("a command was interrupted")
            && told.stdout.contains("this one changes nothing"),
        "{told}"
    );
    assert_eq!(sandbox.findings(), ["newer-intent"]);
    let _ = told.fails(1);
    let run = sandbox.lane(["start", "third"]);
    assert!(
        run.stderr.contains(intent.to_str().unwrap()) && run.stderr.contains("newer git-lane"),
        "{run}"
    );
    let _ = run.fails(4);
    assert!(intent.exists());
}
