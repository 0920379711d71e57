//! What cannot be carried exactly is refused, and nothing has changed.

use std::os::unix::fs::PermissionsExt;

use super::work_in;
use crate::support::Sandbox;

/// A script, options, a part of the refusal and the exit code.
const REFUSED: &[(&str, &[&str], &str, i32)] = &[
    (
        "git init -q nested; git -C nested commit -q --allow-empty -m x",
        &[],
        "'nested' is a repository of its own",
        1,
    ),
    (
        "git commit -qam x --allow-empty; git switch -qc other HEAD^; git merge --no-commit --no-ff main; echo x >x",
        &[],
        "merge is in progress",
        1,
    ),
    (
        "git bisect start; echo x >x",
        &[],
        "bisect is in progress",
        1,
    ),
    (
        "echo x >x; git branch old; git commit -q --allow-empty -m y; echo z >README; git commit -qam z; echo zz >README",
        &["--base", "old"],
        "has another 'README'",
        1,
    ),
    (
        "echo x >x; git lane start login",
        &[],
        "is there already",
        1,
    ),
    ("echo x >x", &["second"], "--move goes with one NAME", 2),
    ("echo x >x", &["--sparse", "src"], "cannot be used with", 2),
    ("echo x >x", &["--read-only"], "cannot be used with", 2),
];

#[test]
fn what_cannot_be_carried_is_refused() {
    for (script, options, said, code) in REFUSED {
        let sandbox = Sandbox::new();
        sandbox.sh(&format!("{script}; true")).ok();
        sandbox.git(["status"]);
        let before = (
            work_in(&sandbox, &sandbox.repo),
            sandbox.git(["for-each-ref"]),
        );
        let args = ["start", "login", "--move"].iter().chain(*options);
        let run = sandbox.lane(args.copied().collect::<Vec<_>>());
        assert_eq!(run.code, *code, "{script}: {run}");
        assert!(run.stderr.contains(said), "{script}: {run}");
        assert_eq!(work_in(&sandbox, &sandbox.repo), before.0, "{script}");
        assert_eq!(sandbox.git(["for-each-ref"]), before.1, "{script}");
    }
}

#[test]
fn a_submodule_with_changes_is_refused_and_one_without_is_not() {
    let sandbox = Sandbox::new();
    sandbox
        .sh("git init -q ../sub && git -C ../sub commit -q --allow-empty -m x && \
             git -c protocol.file.allow=always submodule --quiet add ../sub sub && git commit -qm sub")
        .ok();
    for script in [
        "git -C sub commit -q --allow-empty -m y",
        "git -C sub commit -q --allow-empty -m y; git add sub",
        "echo x >sub/x; git -C sub add x",
        "git rm -q --cached sub",
    ] {
        sandbox.sh(script).ok();
        let error = sandbox.lane(["start", "login", "--move"]).fails(1);
        assert!(error.contains("submodule 'sub' has changes"), "{error}");
        sandbox
            .sh("git reset -q --hard; git -C sub reset -q --hard; git submodule --quiet update")
            .ok();
    }
    sandbox.write("new", "x");
    sandbox.write("sub/untracked", "x");
    sandbox.lane(["start", "login", "--move"]).ok();
    assert!(sandbox.lane_path("login").join("new").exists());
    assert!(sandbox.repo.join("sub/untracked").exists() && !sandbox.repo.join("new").exists());
}

/// The work is taken from no lane that another holder has; a copy takes nothing.
#[test]
fn the_lane_of_another_holder_keeps_its_work() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "held", "--claim"]).ok();
    let held = sandbox.lane_path("held");
    sandbox.sh_in(&held, "echo x >x").ok();
    let error = sandbox
        .lane_in(&held, ["start", "login", "--move"])
        .fails(1);
    assert!(error.contains("claimed"), "{error}");
    assert!(held.join("x").exists() && !sandbox.lane_path("login").exists());
    sandbox
        .lane_in(&held, ["start", "login", "--move", "--keep"])
        .ok();
    assert!(held.join("x").exists() && sandbox.lane_path("login").join("x").exists());
}

#[test]
fn a_directory_that_takes_no_change_is_refused_before_anything_is_done() {
    if rustix::process::geteuid().is_root() {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.sh("mkdir d; echo x >d/x").ok();
    let set = |mode| {
        let mode = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(sandbox.repo.join("d"), mode).unwrap();
    };
    set(0o555);
    let error = sandbox.lane(["start", "login", "--move"]).fails(1);
    assert!(error.contains("not writable"), "{error}");
    sandbox.lane(["start", "login", "--move", "--keep"]).ok();
    set(0o755);
}

/// A directory that is no worktree has no work to take.
#[test]
fn there_must_be_a_worktree() {
    let sandbox = Sandbox::new();
    sandbox.git(["clone", "-q", "--bare", ".", "../bare.git"]);
    let bare = sandbox.root().join("bare.git");
    let error = sandbox
        .lane_in(&bare, ["start", "login", "--move"])
        .fails(1);
    assert!(error.contains("this is no worktree"), "{error}");
}
