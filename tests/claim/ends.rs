//! When a claim ends: by release, by time, with its process; and how it is renewed.

use std::process::{Child, Stdio};

use super::{claim, holding, refused};
use crate::support::Sandbox;

/// A process that lives until it is dropped.
struct Agent(Child);

impl Agent {
    fn start(sandbox: &Sandbox) -> Self {
        let mut command = sandbox.command("sleep");
        command.arg("300").stdin(Stdio::null());
        Agent(command.spawn().unwrap())
    }

    fn pid(&self) -> String {
        self.0.id().to_string()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        drop(self.0.kill().and_then(|()| self.0.wait()));
    }
}

fn is_free(sandbox: &Sandbox) -> bool {
    let run = sandbox.lane(["mark", "login", "working", "--json"]);
    match run.code {
        0 => true,
        _ => {
            assert_eq!(refused(run).0, "claimed");
            false
        }
    }
}

#[test]
fn it_ends_by_time_unless_it_is_renewed() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    let token = claim(&sandbox, &["login", "--for", "30m"]);
    assert!(!is_free(&sandbox));
    let config = || std::fs::read(sandbox.repo.join(".git/config")).unwrap();
    let record = config();
    // A heartbeat leaves the configuration of the repository alone, needs no lock of it, and never
    // shortens the claim.
    crate::support::write(&sandbox.repo.join(".git/config.lock"), "");
    for time in ["2h", "1m"] {
        holding(&sandbox, &token, &["claim", "login", "--for", time]).ok();
        assert_eq!(config(), record);
    }
    std::fs::remove_file(sandbox.repo.join(".git/config.lock")).unwrap();
    let until = |value: &str| sandbox.git(["config", "lane.login.claimUntil", value]);
    until("2001-01-01T00:00:00Z");
    // The renewal still holds it; that of another claim would not.
    assert!(!is_free(&sandbox));
    let key = sandbox.git(["config", "lane.login.claimKey"]);
    sandbox.git(["config", "lane.login.claimKey", &"0".repeat(64)]);
    assert!(is_free(&sandbox));
    sandbox.git(["config", "lane.login.claimKey", &key]);
    assert!(!is_free(&sandbox));
    sandbox.sh("rm .git/lane/claims/*").ok();
    assert!(is_free(&sandbox));
    // Whoever had it has nothing to renew: it is taken again, with another token.
    let again = holding(&sandbox, &token, &["claim", "login", "--for", "1h"]).ok();
    assert!(again.contains("GIT_LANE_CLAIM"), "{again}");
}

#[test]
fn it_ends_with_its_process_and_what_runs_below_that_is_the_holder() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    let agent = Agent::start(&sandbox);
    let token = claim(&sandbox, &["login", "--pid", &agent.pid()]);
    assert!(!is_free(&sandbox));
    holding(&sandbox, &token, &["mark", "login", "working"]).ok();
    drop(agent);
    assert!(is_free(&sandbox));
    // A shell that claims for itself needs no token.
    sandbox
        .sh(
            "git lane claim login --pid $$ >/dev/null && git lane mark login blocked && \
             sh -c 'git lane mark login ready' && git lane claim login && git lane release login",
        )
        .ok();
    sandbox
        .sh("git lane claim login --pid $$ >/dev/null; git lane claim login --for 1h >/dev/null")
        .ok();
    // The end of a claim is what was said last.
    assert!(!is_free(&sandbox));
}

#[test]
fn a_number_that_was_used_again_and_another_machine_are_told_apart() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    let agent = Agent::start(&sandbox);
    claim(&sandbox, &["login", "--pid", &agent.pid()]);
    let key = "lane.login.claimProcess";
    let said = sandbox.git(["config", key]);
    let words: Vec<&str> = said.split(' ').collect();
    for (at, word, is_over) in [
        // Another process of that number.
        (1, "1", true),
        // The machine was started again.
        (2, "another-boot", true),
        // What cannot be seen from here may live.
        (3, "pid:[1]", false),
        (4, "another-machine", false),
        // What makes no sense keeps others out.
        (0, "x", false),
    ] {
        let mut words = words.clone();
        words[at] = word;
        sandbox.git(["config", key, &words.join(" ")]);
        assert_eq!(is_free(&sandbox), is_over, "{words:?}");
    }
}

#[test]
fn what_cannot_be_claimed_for_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    let mut agent = Agent::start(&sandbox);
    agent.0.kill().unwrap();
    agent.0.wait().unwrap();
    let run = sandbox.lane(["claim", "login", "--pid", &agent.pid(), "--json"]);
    assert_eq!(refused(run).0, "no-such-process");
    for args in [
        &["--pid", "0"][..],
        &["--pid", "-1"],
        &["--for", "soon"],
        &["--for", "1h", "--pid", "1"],
    ] {
        let args = ["claim", "login"].iter().chain(args);
        sandbox.lane(args).fails(2);
    }
    let run = sandbox.lane(["claim", "nobody", "--json"]);
    assert_eq!(refused(run).0, "no-such-lane");
    sandbox.lane(["claim"]).fails(2);
}

/// Neither a renewal stays that nobody needs any more, nor an empty line.
#[test]
fn nothing_is_left_of_a_claim_that_is_over() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    let config = || std::fs::read_to_string(sandbox.repo.join(".git/config")).unwrap();
    sandbox.lane(["release", "login"]).ok();
    let before = config();
    for _ in 0..3 {
        let token = claim(&sandbox, &["login", "--for", "1h"]);
        holding(&sandbox, &token, &["claim", "login", "--for", "2h"]).ok();
        holding(&sandbox, &token, &["release", "login"]).ok();
        assert_eq!(config(), before);
    }
    let token = claim(&sandbox, &["login", "--for", "1h"]);
    holding(&sandbox, &token, &["claim", "login", "--for", "2h"]).ok();
    holding(&sandbox, &token, &["drop", "login"]).ok();
    let left = std::fs::read_dir(sandbox.repo.join(".git/lane/claims")).unwrap();
    assert_eq!(left.count(), 0);
    for args in [
        &["claim", "login", "--for", "999999999999d"][..],
        &["release", "login", "--to", ""],
    ] {
        sandbox.lane(args).fails(2);
    }
}

/// Who says no time renews the claim for as long as it was taken.
#[test]
fn a_claim_is_renewed_for_as_long_as_it_was_taken() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    let token = claim(&sandbox, &["login", "--for", "30m"]);
    let until = "2001-01-01T00:30:00Z";
    sandbox.git(["config", "lane.login.claimSince", "2001-01-01T00:00:00Z"]);
    // It would be over: an earlier heartbeat has it live.
    holding(&sandbox, &token, &["claim", "login", "--for", "1m"]).ok();
    sandbox.git(["config", "lane.login.claimUntil", until]);
    let renewed = holding(&sandbox, &token, &["claim", "login", "--json"]).json();
    let end: jiff::Timestamp = renewed["until"].as_str().unwrap().parse().unwrap();
    let left = end.as_second() - jiff::Timestamp::now().as_second();
    assert!((29 * 60..=30 * 60).contains(&left), "{renewed}");
    // Another kind of end forgets what was renewed before.
    holding(&sandbox, &token, &["claim", "login", "--for", "5h"]).ok();
    let agent = Agent::start(&sandbox);
    holding(&sandbox, &token, &["claim", "login", "--pid", &agent.pid()]).ok();
    let last = holding(
        &sandbox,
        &token,
        &["claim", "login", "--for", "1m", "--json"],
    )
    .json();
    let end: jiff::Timestamp = last["until"].as_str().unwrap().parse().unwrap();
    assert!(end.as_second() - jiff::Timestamp::now().as_second() <= 60);
}

/// What cannot be read may say that the claim lives.
#[test]
fn a_renewal_that_makes_no_sense_keeps_others_out() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    let token = claim(&sandbox, &["login", "--for", "30m"]);
    holding(&sandbox, &token, &["claim", "login", "--for", "1h"]).ok();
    sandbox.git(["config", "lane.login.claimUntil", "2001-01-01T00:00:00Z"]);
    sandbox
        .sh("for file in .git/lane/claims/*; do echo damaged >$file; done")
        .ok();
    assert!(!is_free(&sandbox));
    // Nor is what is left of a record an invitation.
    sandbox.git(["config", "--unset", "lane.login.claim"]);
    let run = sandbox.lane(["mark", "login", "working", "--json"]);
    assert_eq!(refused(run), ("claimed".into(), "unknown".into()));
}
