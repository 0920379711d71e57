//! What another git does meanwhile.

use super::*;

/// A lock that is given back in time is waited for, and one that is not goes with --force.
#[test]
fn a_git_at_work_is_waited_for() {
    for force in [false, true] {
        let (sandbox, _) = lane_with("true");
        let lock = sandbox.admin(&sandbox.lane_path("x")).join("index.lock");
        write(&lock, "");
        let releaser = std::thread::spawn({
            let lock = lock.clone();
            move || {
                std::thread::sleep(Duration::from_millis(if force { 5_000 } else { 1_000 }));
                drop(std::fs::remove_file(lock));
            }
        });
        let start = Instant::now();
        sandbox
            .lane(["drop", "x", if force { "--force" } else { "--yes" }])
            .ok();
        assert!(force || start.elapsed() > Duration::from_millis(900));
        releaser.join().unwrap();
        sandbox.nothing_left_behind(1);
    }
}

/// `--commit` waits for the git of an editor that looks at the lane every few seconds.
#[test]
fn a_commit_of_ours_waits_for_the_index() {
    let (sandbox, _) = lane_with("true");
    write(&sandbox.lane_path("x").join("new"), "new");
    let lock = sandbox.admin(&sandbox.lane_path("x")).join("index.lock");
    write(&lock, "");
    let refused = sandbox.lane(["finish", "x", "--commit", "all"]).fails(1);
    assert!(
        refused.contains("index.lock") && refused.contains("rm "),
        "{refused}"
    );
    std::fs::File::options()
        .write(true)
        .open(&lock)
        .unwrap()
        .set_modified(std::time::SystemTime::now())
        .unwrap();
    let releaser = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(700));
        std::fs::remove_file(lock).unwrap();
    });
    sandbox.lane(["finish", "x", "--commit", "all"]).ok();
    releaser.join().unwrap();
    assert!(sandbox.repo.join("new").exists());
}

/// The base moved back after the landing: the work is nowhere but in the lane.
#[test]
fn a_base_that_was_reset_meanwhile() {
    for strategy in ["merge", "squash", "rebase"] {
        let sandbox = Sandbox::new();
        sandbox.lane_by_git("x");
        sandbox.work("x", "work", "work");
        sandbox.write("other", "other");
        sandbox.commit("other");
        let hook = if strategy == "squash" {
            "post-commit"
        } else {
            "post-merge"
        };
        let reset =
            "unset $(git rev-parse --local-env-vars); git update-ref refs/heads/main main~1";
        script(&sandbox.repo.join(".git/hooks").join(hook), reset);
        let run = sandbox.lane(["--json", "finish", "x", "--strategy", strategy]);
        let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(report["error"]["code"], "raced", "{strategy}: {run}");
        assert!(
            sandbox.lane_path("x").join("work").exists(),
            "{strategy}: {run}"
        );
        assert_eq!(
            sandbox
                .git(["branch", "--list", "x"])
                .trim_start_matches(['+', ' ']),
            "x"
        );
    }
}
