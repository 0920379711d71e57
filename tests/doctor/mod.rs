//! `git lane doctor`, and records that follow the truth.

mod cut_off;
mod for_good;
mod interrupted;
mod left_behind;
mod lost;
mod rebuilt;
mod strays;

use crate::sandbox::{Run, Sandbox, write};

pub(crate) fn doctor(sandbox: &Sandbox, args: &[&str]) -> Run {
    sandbox.lane([&["doctor"], args].concat())
}

/// The codes doctor reports, in its order; the exit code says whether there are any.
#[track_caller]
pub(crate) fn codes(sandbox: &Sandbox) -> Vec<String> {
    let run = doctor(sandbox, &["--json"]);
    let (expected, document): (i32, serde_json::Value) =
        (run.code, serde_json::from_str(&run.stdout).unwrap());
    let findings = if expected == 0 {
        &document["findings"]
    } else {
        &document["error"]["details"]
    };
    let codes: Vec<String> = findings
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["code"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(expected, i32::from(!codes.is_empty()), "{run}");
    codes
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

/// What is for its owner to decide stays, however often somebody asks.
#[track_caller]
fn assert_left_alone(sandbox: &Sandbox, codes_before: &[&str]) {
    assert_eq!(codes(sandbox), codes_before);
    let before = sandbox.fingerprint();
    for _ in 0..2 {
        let run = doctor(sandbox, &["--fix"]);
        assert!(
            run.stdout.lines().any(|line| line.starts_with("  ")),
            "nothing says what to do: {run}"
        );
        let _ = run.fails(1);
        assert_eq!(sandbox.fingerprint(), before);
        assert_eq!(codes(sandbox), codes_before);
    }
}

/// Everything in a directory, and the directory itself, as if nobody had written to it for an hour.
pub fn age_all(directory: &std::path::Path) {
    for entry in std::fs::read_dir(directory).unwrap().flatten() {
        match entry.path().is_dir() {
            true => age_all(&entry.path()),
            false => age(&entry.path()),
        }
    }
    age(directory);
}

fn age(path: &std::path::Path) {
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
    std::fs::File::open(path)
        .unwrap()
        .set_times(std::fs::FileTimes::new().set_modified(old))
        .unwrap();
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
