//! `git lane doctor`, and records that follow the truth.

mod cut_off;
mod for_good;
mod installed;
mod interrupted;
mod left_behind;
mod lost;
mod rebuilt;
mod strays;

use crate::support::{Run, Sandbox, age, age_all, git_version, listing, outdate, skipped, write};

fn doctor(sandbox: &Sandbox, args: &[&str]) -> Run {
    sandbox.lane([&["doctor"], args].concat())
}

/// Every finding of a repository that is fixable is fixed by the first `--fix`; the second finds
/// and changes nothing.
#[track_caller]
fn assert_fixed_for_good(sandbox: &Sandbox) {
    doctor(sandbox, &["--fix"]).ok();
    let fixed = sandbox.fingerprint();
    assert!(
        doctor(sandbox, &["--fix"])
            .ok()
            .contains("everything is as it should be")
    );
    assert_eq!(sandbox.fingerprint(), fixed);
}

/// What is for its owner to decide stays, however often the user asks.
#[track_caller]
fn assert_left_alone(sandbox: &Sandbox, codes_before: &[&str]) {
    assert_eq!(sandbox.findings(), codes_before);
    let before = sandbox.fingerprint();
    for _ in 0..2 {
        let run = doctor(sandbox, &["--fix"]);
        assert!(
            run.stdout.lines().any(|line| line.starts_with("  ")),
            "nothing says what to do: {run}"
        );
        let _ = run.fails(1);
        assert_eq!(sandbox.fingerprint(), before);
        assert_eq!(sandbox.findings(), codes_before);
    }
}

/// A lane with every kind of change; its directory is away while git prunes, as a disk that is not
/// mounted.
fn pruned_while_away(sandbox: &Sandbox) -> std::path::PathBuf {
    sandbox.lane(["start", "login"]).ok();
    sandbox.work("login", "kept", "kept");
    let path = sandbox.lane_path("login");
    write(&path.join("README"), "edited\n");
    write(&path.join("untracked"), "x");
    write(&path.join("staged"), "x");
    sandbox.git_in(&path, ["add", "staged"]);
    std::fs::remove_file(path.join("src/app.txt")).unwrap();
    let away = sandbox.root().join("away");
    std::fs::rename(&path, &away).unwrap();
    sandbox.git(["worktree", "prune", "--expire=now"]);
    assert!(!sandbox.repo.join(".git/worktrees").exists());
    std::fs::rename(&away, &path).unwrap();
    path
}
