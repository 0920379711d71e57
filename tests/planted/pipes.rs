//! A pipe, a device or a link to one among git's own files of a lane: no command waits for its
//! other end, and what cannot be read is not taken for absent.

use std::time::Duration;

use super::pipe;
use crate::support::{Run, Sandbox};

/// git-lane, which has to end of itself.
fn ends(sandbox: &Sandbox, args: &[&str]) -> Run {
    let mut command = sandbox.command("timeout");
    command
        .arg("20")
        .arg(env!("CARGO_BIN_EXE_git-lane"))
        .args(args);
    let started = std::time::Instant::now();
    let run = sandbox.run(&mut command);
    assert!(
        run.code != 124 && started.elapsed() < Duration::from_secs(20),
        "{run}"
    );
    run
}

#[test]
fn no_command_waits_for_a_pipe_among_gits_files_of_a_lane() {
    for file in [
        "ORIG_HEAD",
        "MERGE_HEAD",
        "logs/HEAD",
        "rebase-merge/git-rebase-todo",
        "refs/worktree/x",
        "refs/bisect/bad",
    ] {
        let sandbox = Sandbox::new();
        let _ = sandbox.lane(["start", "x"]).ok();
        let admin = sandbox.repo.join(".git/worktrees/x");
        pipe(&admin.join(file));
        for args in [
            &["drop", "-n", "x"][..],
            &["list"],
            &["doctor"],
            &["drop", "--yes", "x"],
            &["drop", "--force", "x"],
        ] {
            let run = ends(&sandbox, args);
            assert!(!run.stderr.contains("panicked"), "{run}");
        }
        let _ = ends(&sandbox, &["restore", "x"]);
    }
}

#[test]
fn no_command_waits_for_a_reflog_or_an_entry_that_is_a_pipe() {
    for link in [false, true] {
        let sandbox = Sandbox::new();
        let _ = sandbox.lane(["start", "x"]).ok();
        let log = sandbox.repo.join(".git/logs/refs/heads/x");
        match link {
            false => pipe(&log),
            true => {
                std::fs::remove_file(&log).unwrap();
                std::os::unix::fs::symlink("/dev/zero", &log).unwrap();
            }
        }
        let run = ends(&sandbox, &["drop", "--yes", "x"]);
        assert!(
            run.code != 0 && run.stderr.contains("no plain file"),
            "{run}"
        );
        std::fs::remove_file(&log).unwrap();
        assert_eq!(ends(&sandbox, &["drop", "--yes", "x"]).code, 0);
        pipe(&sandbox.entry().join("entry.json"));
        let _ = ends(&sandbox, &["complete", "--", "git-lane", "restore", ""]);
        let _ = ends(&sandbox, &["trash"]);
    }
}
