//! Claims, hand-overs and marks, stopped at every step: a lane is held by somebody who can prove it,
//! or by nobody.

use super::scenarios::Scenario;
use crate::support::{Sandbox, write};

pub const ALL: &[Scenario] = &[
    Scenario::new("claim", &["claim", "login"], started, held_or_free),
    Scenario::new(
        "claim for a time",
        &["claim", "login", "--for", "1h"],
        started,
        held_or_free,
    ),
    Scenario::new("claim next", &["claim", "--next"], started, held_or_free),
    Scenario::new(
        "claim over",
        &["claim", "login", "--take-over", "--owner", "bob"],
        held,
        held_or_free,
    ),
    Scenario::new(
        "release",
        &["release", "login", "--to", "bob"],
        started,
        |sandbox, _| {
            assert_eq!(record(sandbox, "claim"), "bob");
            assert_eq!(record(sandbox, "owner"), "bob");
            sandbox.lane(["claim", "login", "--owner", "bob"]).ok();
        },
    ),
    Scenario::new("adopt", &["adopt", "by-hand"], by_hand, |sandbox, place| {
        assert_eq!(adopted(sandbox), "true");
        assert!(std::path::Path::new(place).join("file").exists());
    }),
    Scenario::new(
        "drop adopted",
        &["drop", "by-hand"],
        adopted_by_hand,
        |sandbox, place| {
            assert_eq!(adopted(sandbox), "");
            assert!(std::path::Path::new(place).join("file").exists());
            sandbox.git(["rev-parse", "--verify", "by-hand"]);
        },
    ),
    Scenario::new(
        "start --ephemeral",
        &["start", "login", "--ephemeral", "--exec", "true"],
        |_| String::new(),
        // One that was killed may be there, and then it is a whole lane.
        |sandbox, _| {
            let is_there = !record(sandbox, "id").is_empty();
            assert_eq!(sandbox.lane_path("login").exists(), is_there);
        },
    ),
    Scenario::new(
        "exec",
        &["exec", "login", "--", "touch", "ran"],
        started,
        |sandbox, _| assert!(sandbox.lane_path("login").join("ran").exists()),
    ),
    Scenario::new(
        "mark",
        &["mark", "login", "ready", "-m", "done"],
        started,
        |sandbox, _| {
            assert_eq!(record(sandbox, "status"), "ready");
            assert_eq!(record(sandbox, "statusMessage"), "done");
        },
    ),
];

fn record(sandbox: &Sandbox, key: &str) -> String {
    sandbox.git(["config", "--default", "", &format!("lane.login.{key}")])
}

fn started(sandbox: &Sandbox) -> String {
    sandbox.lane(["start", "login", "--task", "T-1"]).ok();
    rest_of_record(sandbox)
}

/// What no claim changes.
fn rest_of_record(sandbox: &Sandbox) -> String {
    [
        "id",
        "branch",
        "worktree",
        "base",
        "forkPoint",
        "task",
        "created",
    ]
    .map(|key| record(sandbox, key))
    .join("\n")
}

/// A worktree that git has made, with a file in it; its place.
fn by_hand(sandbox: &Sandbox) -> String {
    let place = sandbox.root().join("by-hand");
    sandbox.add_worktree("by-hand", &place);
    write(&place.join("file"), "file\n");
    place.display().to_string()
}

fn adopted_by_hand(sandbox: &Sandbox) -> String {
    let place = by_hand(sandbox);
    sandbox.lane(["adopt", "by-hand"]).ok();
    place
}

fn adopted(sandbox: &Sandbox) -> String {
    sandbox.git(["config", "--default", "", "lane.by-hand.adopted"])
}

fn held(sandbox: &Sandbox) -> String {
    let before = started(sandbox);
    sandbox.lane(["claim", "login", "--owner", "ann"]).ok();
    before
}

/// The lane and all else in its record are as before, and a claim that is there is a whole one.
fn held_or_free(sandbox: &Sandbox, before: &str) {
    assert!(sandbox.lane_path("login").exists());
    assert_eq!(rest_of_record(sandbox), before);
    if record(sandbox, "claim").is_empty() {
        assert_eq!(record(sandbox, "claimKey"), "");
    } else {
        assert_eq!(record(sandbox, "claimKey").len(), 64);
    }
    sandbox
        .lane(["claim", "login", "--take-over", "--owner", "carol"])
        .ok();
    assert_eq!(record(sandbox, "claim"), "carol");
}

/// A token that never reached its caller holds nothing.
#[test]
fn a_claim_whose_token_is_lost_is_free() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    let killed = sandbox.dying("claim.taken", ["claim", "login"]);
    assert_ne!(killed.code, 0, "{killed}");
    assert!(killed.stdout.contains("GIT_LANE_CLAIM"), "{killed}");
    assert!(!record(&sandbox, "claim").is_empty());
    sandbox.lane(["claim", "login"]).ok();
    // Nor does one that could not be written.
    sandbox.lane(["start", "search"]).ok();
    let lost = sandbox.sh("git lane claim search >/dev/full");
    assert_eq!(lost.code, 4, "{lost}");
    sandbox.lane(["claim", "search"]).ok();
}
