//! How the commands of a gate run: one after the other, without input, with nothing left behind.

use std::process::Stdio;
use std::time::{Duration, Instant};

use super::{gate, policy, runs, with_lanes};
use crate::support::wait_until;

#[test]
fn commands_run_in_order_and_end_with_the_first_that_fails() {
    let sandbox = with_lanes(&["a"]);
    let file = sandbox.root().join("home/order");
    let line = |word: &str| format!("echo {word} >> '{}'", file.display());
    policy(
        &sandbox,
        &format!("[finish]\ngate = [\"{}\"]\n", line("policy")),
    );
    let (second, third) = (line("second"), line("third"));
    let args = [
        "finish", "a", "--gate", &second, "--gate", "false", "--gate", &third,
    ];
    let said = sandbox.lane(args).fails(6);
    assert!(said.contains("'false' ended with exit code 1"), "{said}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "policy\nsecond\n");
}

#[test]
fn what_a_gate_leaves_running_is_ended() {
    let sandbox = with_lanes(&["a"]);
    let mark = sandbox.root().join("home/alive");
    let body = format!(
        "(while :; do touch '{}'; sleep 0.05; done) & exit 0",
        mark.display()
    );
    let gate = gate(&sandbox, &body);
    sandbox.lane(["finish", "a", "--gate", &gate]).ok();
    std::thread::sleep(Duration::from_millis(200));
    drop(std::fs::remove_file(&mark));
    std::thread::sleep(Duration::from_millis(300));
    assert!(!mark.exists());
}

/// Interrupted by the user: nothing has landed, the processes of the gate are gone.
#[test]
fn an_interrupt_ends_the_gate_and_nothing_lands() {
    let sandbox = with_lanes(&["a"]);
    let gate = gate(&sandbox, "trap 'exit 0' TERM; sleep 600 & wait");
    let before = sandbox.git(["rev-parse", "main"]);
    let mut finish = sandbox
        .command("git-lane")
        .args(["finish", "a", "--gate", &gate])
        .stderr(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    wait_until(|| runs(&sandbox).len() == 1);
    let started = Instant::now();
    sandbox.sh(&format!("kill -INT {}", finish.id())).ok();
    let status = finish.wait().unwrap();
    assert!(!status.success());
    assert!(started.elapsed() < Duration::from_secs(20));
    assert_eq!(sandbox.git(["rev-parse", "main"]), before);
    assert_eq!(sandbox.git(["for-each-ref", "refs/lane/landing"]), "");
    sandbox.lane(["finish", "a", "--gate", "true"]).ok();
}

/// git-lane dies while the gate runs: the next one does not wait for what it had started.
#[test]
fn the_gate_of_a_dead_process_is_ended_by_the_next() {
    let sandbox = with_lanes(&["a"]);
    let slow = gate(&sandbox, "sleep 600");
    let mut finish = sandbox
        .command("git-lane")
        .args(["finish", "a", "--gate", &slow])
        .stderr(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    wait_until(|| runs(&sandbox).len() == 1);
    finish.kill().unwrap();
    finish.wait().unwrap();
    let started = Instant::now();
    sandbox.lane(["finish", "a", "--gate", "true"]).ok();
    assert!(started.elapsed() < Duration::from_secs(60));
    assert_eq!(sandbox.git(["for-each-ref", "refs/lane/landing"]), "");
}
