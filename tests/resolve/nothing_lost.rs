//! What git would write over or cannot take in: nothing of it is lost, and no lane is left in the
//! middle of a merge.

use super::{BOTH, conflicting};
use crate::support::write;

/// `git merge` writes over ignored files.
#[test]
fn ignored_files_in_the_way_are_refused_before_anything_is_laid_out() {
    let sandbox = conflicting();
    sandbox.write("ignored", "of the base\n");
    sandbox.git(["add", "--force", "ignored"]);
    sandbox.commit("track what is ignored");
    let lane = sandbox.lane_path("login");
    write(&lane.join("ignored"), "mine\n");
    let before = sandbox.lane_as_it_is("login");
    let run = sandbox.resolving(&format!("{BOTH}; touch ../ran"), &[]);
    assert!(run.code != 0 && run.stderr.contains("ignored"), "{run}");
    assert!(run.stderr.contains("nothing has landed"), "{run}");
    assert!(!sandbox.lane_path("ran").exists(), "{run}");
    assert_eq!(sandbox.lane_as_it_is("login"), before);
    sandbox.nothing_under_way();
}

/// What a resolver does that no tree can have, and a file of which what was made is kept.
#[test]
fn what_git_cannot_take_in_keeps_no_lane_in_the_merge() {
    for (does, kept) in [
        ("rm src/app.txt; mkfifo src/app.txt", None),
        ("rm README; mkfifo README; echo x >new", Some("new")),
        ("mkfifo pipe; echo x >new", Some("new")),
        (
            "echo x >new; head -c 64 /dev/urandom >$(git rev-parse --git-dir)/index",
            Some("new"),
        ),
        (
            "git config filter.no.clean false; \
             git config filter.no.required true; echo 'new filter=no' >.gitattributes; echo x >new",
            Some("new"),
        ),
        (
            "git config --global filter.no.clean false; git config --global filter.no.required \
             true; echo 'src/app.txt filter=no' >.gitattributes; echo x >src/app.txt",
            Some("src/app.txt"),
        ),
    ] {
        let sandbox = conflicting();
        let before = sandbox.lane_as_it_is("login");
        let run = sandbox.resolving(&format!("{does}; exit 1"), &["--json"]);
        assert_eq!(run.code, 3, "{does}: {run}");
        let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        let attempt = document["error"]["details"]["attempt"].as_str();
        if let Some(file) = kept {
            let kept = format!("{}:{file}", attempt.unwrap());
            assert_eq!(sandbox.git(["cat-file", "blob", &kept]), "x", "{does}");
        }
        let _ = std::fs::remove_file(sandbox.lane_path("login").join("pipe"));
        assert_eq!(sandbox.lane_as_it_is("login"), before, "{does}: {run}");
        sandbox.nothing_under_way();
        // The same where it says that it has succeeded.
        let run = sandbox.resolving(does, &[]);
        let _ = std::fs::remove_file(sandbox.lane_path("login").join("pipe"));
        assert_ne!(run.code, 0, "{does}: {run}");
        assert_eq!(
            run.stderr.contains("is kept: git show"),
            kept.is_some(),
            "{run}"
        );
        assert_eq!(sandbox.lane_as_it_is("login"), before, "{does}: {run}");
    }
}

#[test]
fn a_repository_of_any_name_is_left_out_and_stays() {
    let sandbox = conflicting();
    let run = sandbox.resolving(
        "n=$(printf 'in\\377ner'); git init -q \"$n\"; touch \"$n/x\"; exit 1",
        &[],
    );
    let said = run.fails(3);
    assert!(said.contains("not all of the lane is as before"), "{said}");
    let status = sandbox.git_in(&sandbox.lane_path("login"), ["status", "--porcelain"]);
    assert_eq!(status, r#"?? "in\377ner/""#);
    sandbox.nothing_under_way();
}

#[test]
fn a_conflict_outside_of_a_sparse_checkout_is_resolved_or_taken_back() {
    let sandbox = conflicting();
    let lane = sandbox.lane_path("login");
    sandbox.work("login", "docs/text", "text\n");
    sandbox.git_in(&lane, ["sparse-checkout", "set", "--cone", "docs"]);
    assert!(!lane.join("src/app.txt").exists());
    let status = || sandbox.git_in(&lane, ["status", "--porcelain=v2", "--branch"]);
    let files = || super::contents(&lane);
    let before = (status(), files());
    sandbox.resolving("exit 1", &[]).fails(3);
    assert_eq!((status(), files()), before);
    sandbox
        .resolving("echo x >src/app.txt; exit 1", &[])
        .fails(3);
    assert_eq!((status(), files()), before);
    sandbox.resolving(BOTH, &[]).ok();
    let landed = sandbox.git(["show", "main:src/app.txt"]);
    assert!(landed.contains("login\nbase"), "{landed}");
}

/// Rules that ignore files may themselves be ignored.
#[test]
fn what_was_ignored_before_stays_whatever_becomes_of_the_rules() {
    let sandbox = conflicting();
    let lane = sandbox.lane_path("login");
    write(&lane.join("venv/.gitignore"), "*\n");
    write(&lane.join("venv/bin/tool"), "tool\n");
    write(&lane.join("ignored"), "mine\n");
    let does = "rm venv/.gitignore; : >.gitignore; touch new; exit 1";
    let said = sandbox.resolving(does, &[]).fails(3);
    assert!(said.contains("not all of the lane is as before"), "{said}");
    let read = |path: &str| std::fs::read_to_string(lane.join(path)).unwrap();
    assert_eq!(
        (&*read("venv/bin/tool"), &*read("ignored")),
        ("tool\n", "mine\n")
    );
    assert!(!lane.join("new").exists());
}

#[test]
fn what_the_command_has_started_may_finish_its_work() {
    let sandbox = conflicting();
    let does = format!("(sleep 1; {BOTH}) >/dev/null 2>&1 &");
    sandbox.resolving(&does, &[]).ok();
    let landed = sandbox.git(["show", "main:src/app.txt"]);
    assert!(landed.contains("login\nbase"), "{landed}");
}

/// A heading, for instance.
#[test]
fn a_line_of_equals_signs_is_no_conflict() {
    let sandbox = conflicting();
    let does = "printf 'one\\n=======\\nlogin\\n' >src/app.txt";
    sandbox.resolving(does, &[]).ok();
    let landed = sandbox.git(["show", "main:src/app.txt"]);
    assert_eq!(landed, "one\n=======\nlogin");
}
