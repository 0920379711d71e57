//! Undos at once, and beside landings.

use std::process::{Child, Stdio};

use super::*;

fn spawn(sandbox: &Sandbox, args: &[&str]) -> Child {
    let mut command = sandbox.command("git-lane");
    let command = command
        .args(args)
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command.spawn().unwrap()
}

#[test]
fn of_fifty_undos_of_one_landing_one_wins() {
    let sandbox = landed();
    let before = sandbox.git(["rev-parse", "main^"]);
    let all: Vec<Child> = (0..50)
        .map(|_| spawn(&sandbox, &["undo", "login"]))
        .collect();
    let mut won = 0;
    for child in all {
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        match output.status.code() {
            Some(0) => won += 1,
            code => assert!(
                code == Some(1) && said.starts_with("error: "),
                "{code:?} {said}"
            ),
        }
    }
    assert_eq!(won, 1);
    assert_eq!(main(&sandbox), before);
    assert_eq!(sandbox.git(["status", "--porcelain"]), "");
    sandbox.nothing_left_behind(0);
    sandbox.plain_git_works();
}

/// Either the landing is taken back and the other lane lands on what was there before, or the other
/// one lands on it and it stays.
#[test]
fn beside_a_landing_one_of_the_two_orders_is_what_happens() {
    for _ in 0..5 {
        let sandbox = landed();
        sandbox.lane(["start", "next", "--base", "main"]).ok();
        sandbox.git_in(
            &sandbox.lane_path("next"),
            ["reset", "-q", "--hard", "main^"],
        );
        sandbox.work("next", "next.txt", "next");
        let undoes = spawn(&sandbox, &["undo", "login"]);
        let lands = spawn(&sandbox, &["finish", "next"]);
        let undone = undoes.wait_with_output().unwrap();
        let landed = lands.wait_with_output().unwrap();
        assert!(
            landed.status.success(),
            "{}",
            String::from_utf8_lossy(&landed.stderr)
        );
        assert!(sandbox.repo.join("next.txt").exists());
        let stays = sandbox.repo.join("new.txt").exists();
        let said = String::from_utf8_lossy(&undone.stderr).into_owned();
        assert_eq!(undone.status.success(), !stays, "{said}");
        assert_eq!(sandbox.lane_path("login").exists(), !stays, "{said}");
        assert_eq!(sandbox.git(["status", "--porcelain"]), "");
        sandbox.nothing_under_way();
        sandbox.plain_git_works();
    }
}
