//! A lane that goes from one owner to the next.

use super::{claim, exported, holding, refused};
use crate::support::Sandbox;

#[test]
fn the_named_owner_takes_it_up_with_what_it_holds_and_a_message() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "older", "login"]).ok();
    sandbox.work("login", "src/new.txt", "work\n");
    let token = claim(&sandbox, &["login", "--owner", "ann"]);
    // Nobody else gives it away.
    let run = sandbox.lane(["release", "login", "--to", "bob", "--json"]);
    assert_eq!(refused(run), ("claimed".into(), "ann".into()));
    let args = [
        "release",
        "login",
        "--to",
        "bob",
        "-m",
        "the tests are missing",
    ];
    holding(&sandbox, &token, &args).ok();
    assert_eq!(sandbox.git(["config", "lane.login.owner"]), "bob");
    // Neither ann nor somebody else has it now.
    for (tokens, owner) in [(token.as_str(), "ann"), ("", "carol")] {
        let args = ["claim", "login", "--owner", owner, "--json"];
        assert_eq!(
            refused(holding(&sandbox, tokens, &args)),
            ("claimed".into(), "bob".into())
        );
    }
    let run = sandbox.lane(["drop", "login", "--yes", "--json"]);
    assert_eq!(refused(run), ("claimed".into(), "bob".into()));
    // It goes before the oldest.
    let run = sandbox.lane(["claim", "--next", "--owner", "bob"]);
    let said = run.stderr.clone();
    assert!(said.contains("it has +1, clean"), "{said}");
    assert!(said.contains("message: the tests are missing"), "{said}");
    let variables = exported(&run.ok());
    assert_eq!(variables["GIT_LANE_NAME"], "login");
    holding(
        &sandbox,
        &variables["GIT_LANE_CLAIM"],
        &["drop", "login", "--yes"],
    )
    .ok();
}

#[test]
fn a_lane_that_nobody_holds_is_handed_over_too_and_can_be_taken_over() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    let document = sandbox.lane(["release", "login", "--json"]).json();
    assert_eq!(document["released"], false);
    sandbox.lane(["release", "login", "--to", "bob"]).ok();
    sandbox
        .lane(["claim", "login", "--owner", "carol", "--take-over"])
        .ok();
    assert_eq!(sandbox.git(["config", "lane.login.claim"]), "carol");
}

/// What is in the trash is nobody's; what comes back is free.
#[test]
fn a_lane_that_comes_back_is_free() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    let token = claim(&sandbox, &["login"]);
    holding(&sandbox, &token, &["mark", "login", "blocked"]).ok();
    holding(&sandbox, &token, &["drop", "login", "--yes"]).ok();
    sandbox.lane(["restore", "login"]).ok();
    assert_eq!(sandbox.git(["config", "lane.login.status"]), "blocked");
    claim(&sandbox, &["login"]);
}
