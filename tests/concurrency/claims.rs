//! Many want one lane: one gets it. Many want any lane: each gets another one.

use std::collections::BTreeSet;

use super::{all_ok, names, processes, times};
use crate::support::Sandbox;

#[test]
fn one_of_many_claims_a_lane() {
    for _ in 0..times() {
        let sandbox = Sandbox::new();
        sandbox.lane(["start", "login"]).ok();
        // Of one login, as agents are, and beside a git that writes the same file.
        let claims = vec![vec!["git-lane", "claim", "login", "--json"]; processes()];
        let writes: &[&str] = &["git", "config", "shop.beside", "x"];
        let (ended, ..) = sandbox.beside(&[writes], || sandbox.together(&claims));
        let (won, lost): (Vec<_>, Vec<_>) = ended.iter().partition(|ended| ended.ok());
        assert_eq!(won.len(), 1, "{won:#?}");
        for lost in lost {
            assert_eq!(lost.json()["error"]["code"], "claimed", "{lost:#?}");
        }
        let mut mark = sandbox.command("git-lane");
        mark.args(["mark", "login", "ready"]);
        let token = won[0].json()["token"].as_str().unwrap().to_owned();
        sandbox.run(mark.env("GIT_LANE_CLAIM", token)).ok();
        sandbox.lane(["mark", "login", "done"]).fails(1);
        sandbox.nothing_left_behind(0);
    }
}

#[test]
fn each_of_many_gets_another_lane_from_the_board() {
    let sandbox = Sandbox::new();
    let lanes = names(processes());
    let start = std::iter::once("start").chain(lanes.iter().map(String::as_str));
    sandbox.lane(start).ok();
    let claims = vec![vec!["git-lane", "claim", "--next", "--json"]; lanes.len()];
    let ended = sandbox.together(&claims);
    all_ok(&ended);
    let taken = ended.iter().map(|ended| ended.json()["lane"].to_string());
    assert_eq!(taken.collect::<BTreeSet<_>>().len(), lanes.len());
    let run = sandbox.lane(["claim", "--next"]);
    assert!(run.fails(1).contains("no lane is free"));
}

/// A lane is claimed, or it leaves: never both.
#[test]
fn a_claim_beside_a_drop_holds_what_is_there() {
    for _ in 0..times() * 3 {
        let sandbox = Sandbox::new();
        sandbox.lane(["start", "login"]).ok();
        let commands = [
            vec!["git-lane", "claim", "login", "--json"],
            vec!["git-lane", "drop", "login", "--json"],
        ];
        let ended = sandbox.together(&commands);
        let [claim, drop] = &ended[..] else { panic!() };
        assert_ne!(claim.ok(), drop.ok(), "{ended:#?}");
        assert_eq!(sandbox.lane_path("login").exists(), claim.ok());
    }
}

#[test]
fn many_marks_and_heartbeats_are_all_recorded() {
    let sandbox = Sandbox::new();
    let lanes = names(processes());
    let start = std::iter::once("start").chain(lanes.iter().map(String::as_str));
    sandbox.lane(start).ok();
    let marks: Vec<Vec<&str>> = lanes
        .iter()
        .map(|lane| vec!["git-lane", "mark", lane, "ready", "-m", lane])
        .collect();
    all_ok(&sandbox.together(&marks));
    for lane in &lanes {
        let said = sandbox.git(["config", &format!("lane.{lane}.statusMessage")]);
        assert_eq!(&said, lane);
    }
    // The longest renewal of the holder's processes counts.
    let run = sandbox.lane(["claim", &lanes[0], "--for", "1h", "--json"]);
    let token = run.json()["token"].as_str().unwrap().to_owned();
    let times: Vec<String> = (2..2 + processes())
        .map(|hours| format!("{hours}h"))
        .collect();
    let token = format!("GIT_LANE_CLAIM={token}");
    let renewals: Vec<Vec<&str>> = times
        .iter()
        .map(|time| vec!["env", &token, "git-lane", "claim", &lanes[0], "--for", time])
        .collect();
    let begun = jiff_now();
    all_ok(&sandbox.together(&renewals));
    let document = sandbox.lane(["show", &lanes[0], "--json"]).json();
    let until = document["claim"]["until"].as_str().unwrap();
    let until: jiff::Timestamp = until.parse().unwrap();
    let longest = 3600 * (1 + processes() as i64);
    assert!(until.as_second() >= begun + longest, "{until}");
}

fn jiff_now() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// Orchestrators that know nothing of each other: each of their commands runs, no worktree is adopted
/// twice.
#[test]
fn many_commands_and_adoptions_at_once() {
    let sandbox = Sandbox::new();
    let count = processes();
    sandbox.lane(["start", "login"]).ok();
    for number in 0..count {
        let name = format!("by-hand-{number}");
        sandbox.add_worktree(&name, &sandbox.root().join(&name));
    }
    let script = "echo x >>../../ran";
    let exec = ["git-lane", "exec", "login", "--", "sh", "-c", script];
    let commands: Vec<Vec<&str>> = (0..count)
        .flat_map(|_| [exec.to_vec(), vec!["git-lane", "adopt", "--all", "--json"]])
        .collect();
    let ended = sandbox.together(&commands);
    let (execs, adoptions): (Vec<_>, Vec<_>) =
        ended.iter().partition(|ended| ended.args[1] == "exec");
    assert!(execs.iter().all(|ended| ended.ok()), "{execs:#?}");
    for adoption in adoptions {
        let lanes = adoption.json()["lanes"].as_array().unwrap().clone();
        let known = ["adopted", "other-lane", "raced"];
        let fits = |lane: &serde_json::Value| known.contains(&lane["verdict"].as_str().unwrap());
        assert!(lanes.iter().all(fits), "{adoption:#?}");
        let all = lanes.iter().all(|lane| lane["verdict"] == "adopted");
        assert_eq!(adoption.code, Some(i32::from(!all)), "{adoption:#?}");
    }
    let ran = std::fs::read_to_string(sandbox.root().join("ran")).unwrap();
    assert_eq!(ran.lines().count(), count);
    let records = sandbox.git(["config", "--get-regexp", r"^lane\..*\.adopted$"]);
    assert_eq!(records.lines().count(), count, "{records}");
    sandbox.nothing_under_way();
}
