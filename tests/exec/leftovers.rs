//! What commands leave in `.git/lane/exec`: logs, the newest of each lane, and nothing of lanes that
//! are gone.

use std::path::PathBuf;

use super::{Another, number, with_lanes};
use crate::support::{Sandbox, wait_until, write};

fn files(sandbox: &Sandbox, begin: &str) -> Vec<PathBuf> {
    let all = std::fs::read_dir(sandbox.repo.join(".git/lane/exec")).unwrap();
    let mut all: Vec<PathBuf> = all.flatten().map(|file| file.path()).collect();
    all.retain(|path| {
        path.file_name()
            .unwrap()
            .to_string_lossy()
            .starts_with(begin)
    });
    all.sort();
    all
}

#[test]
fn the_newest_logs_of_a_lane_stay() {
    let sandbox = with_lanes(&["feat/login", "other"]);
    let run = |count: usize| {
        let count = count.to_string();
        let name = "feat/login";
        let _ = sandbox.lane(["exec", name, "--", "echo", &count]).ok();
    };
    (0..8).for_each(run);
    let logs = files(&sandbox, "feat-login.");
    // The sixth is removed when the next begins.
    let said: Vec<String> = logs
        .iter()
        .map(|log| std::fs::read_to_string(log).unwrap())
        .collect();
    assert_eq!(said, ["2\n", "3\n", "4\n", "5\n", "6\n", "7\n"]);
    write(&sandbox.repo.join(".git/lane/exec/foreign"), "");
    sandbox.lane(["drop", "--yes", "feat/login"]).ok();
    sandbox.lane(["exec", "other", "--", "true"]).ok();
    // Why a lane has come to nothing is read after it has left.
    assert_eq!(files(&sandbox, "feat-login.").len(), 5);
    assert_eq!(files(&sandbox, "").len(), 7);
}

/// What a killed git-lane has left in a lane has the place that the next command there waits for.
#[test]
fn a_left_command_is_ended_before_its_place_is_waited_for() {
    let sandbox = with_lanes(&["login"]);
    sandbox
        .sh(
            "git-lane exec login --cap one=1 -- sh -c 'echo >begun; exec sleep 300' & pid=$!
             until [ -e ../shop.lanes/login/begun ]; do sleep 0.01; done
             kill -9 $pid
             exec timeout 60 git-lane exec login --cap one=1 -- true",
        )
        .ok();
}

/// Agents run several commands in their lane.
#[test]
fn several_run_in_one_lane_at_once() {
    let sandbox = with_lanes(&["login"]);
    let script =
        |name: &str| format!("echo $$ >{name}; until [ -e go ]; do sleep 0.01; done; echo {name}");
    let all: Vec<Another> = ["one", "two", "three"]
        .iter()
        .map(|name| Another::start(&sandbox, &["login", "--", "sh", "-c", &script(name)]))
        .collect();
    for name in ["one", "two", "three"] {
        number(&sandbox, "login", name);
    }
    wait_until(|| files(&sandbox, "login.").len() == 6);
    write(&sandbox.lane_path("login").join("go"), "");
    for (another, name) in all.into_iter().zip(["one", "two", "three"]) {
        assert_eq!(another.ended(), (0, format!("login | {name}\n")));
    }
    assert_eq!(files(&sandbox, "login.").len(), 3);
}

#[test]
fn a_directory_that_is_none_is_set_aside() {
    let sandbox = with_lanes(&["login"]);
    let precious = sandbox.root().join("precious");
    std::fs::create_dir(&precious).unwrap();
    std::os::unix::fs::symlink(&precious, sandbox.repo.join(".git/lane/exec")).unwrap();
    sandbox.lane(["exec", "login", "--", "true"]).ok();
    assert_eq!(files(&sandbox, "login.").len(), 1);
    assert_eq!(std::fs::read_dir(precious).unwrap().count(), 0);
}
