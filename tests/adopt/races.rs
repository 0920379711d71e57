//! Of several that want one worktree, one gets it.

use std::process::Stdio;

use super::by_hand;
use crate::support::Sandbox;

#[test]
fn one_of_ten_adopts_a_worktree() {
    let sandbox = Sandbox::new();
    by_hand(&sandbox, "login");
    let start = |number: usize| {
        let mut command = sandbox.command("git-lane");
        command.args(["adopt", "login", "--name", &format!("lane-{number}")]);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        command.spawn().unwrap()
    };
    let running: Vec<_> = (0..10).map(start).collect();
    let mut won = 0;
    for child in running {
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        match output.status.code() {
            Some(0) => won += 1,
            code => {
                assert_eq!(code, Some(1), "{said}");
                assert!(said.contains("is the worktree of lane"), "{said}");
            }
        }
    }
    assert_eq!(won, 1);
    let list = sandbox.lane(["list", "--json"]).json();
    let lanes = list["lanes"].as_array().unwrap();
    assert_eq!(
        lanes.iter().filter(|lane| lane["lane"].is_string()).count(),
        1
    );
    sandbox.nothing_left_behind(0);
}

#[test]
fn all_that_are_adopted_at_once_get_names_of_their_own() {
    let sandbox = Sandbox::new();
    for number in 0..10 {
        let path = sandbox.root().join(format!("{number}/agent"));
        sandbox.git(["worktree", "add", "-q", "--detach", path.to_str().unwrap()]);
    }
    let start = |number: usize| {
        let mut command = sandbox.command("git-lane");
        let path = sandbox.root().join(format!("{number}/agent"));
        command.arg("adopt").arg(path);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().unwrap()
    };
    let running: Vec<_> = (0..10).map(start).collect();
    for mut child in running {
        assert!(child.wait().unwrap().success());
    }
    let list = sandbox.lane(["list", "--json"]).json();
    let names: std::collections::BTreeSet<&str> = list["lanes"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|lane| lane["lane"].as_str())
        .collect();
    assert_eq!(names.len(), 10);
}
