//! `git lane claim`, `release` and `mark`: who holds a lane, and what that forbids others.

mod ends;
mod handed_over;
mod marks;
mod respected;

use std::collections::BTreeMap;

use crate::support::{Run, Sandbox};

/// What a shell that reads the output has in its environment then.
fn exported(output: &str) -> BTreeMap<String, String> {
    let lines = output
        .lines()
        .filter_map(|line| line.strip_prefix("export "));
    let assignments = lines.filter_map(|line| line.split_once('='));
    assignments
        .map(|(name, value)| (name.to_owned(), value.trim_matches('\'').to_owned()))
        .collect()
}

/// Claims a lane as somebody who holds nothing else; the token.
fn claim(sandbox: &Sandbox, args: &[&str]) -> String {
    let args = ["claim"].iter().chain(args);
    exported(&sandbox.lane(args).ok())["GIT_LANE_CLAIM"].clone()
}

/// Runs git-lane as the holder of these tokens.
fn holding(sandbox: &Sandbox, tokens: &str, args: &[&str]) -> Run {
    let mut command = sandbox.command("git-lane");
    sandbox.run(command.args(args).env("GIT_LANE_CLAIM", tokens))
}

/// The code of a refusal, and the holder that it names.
fn refused(run: Run) -> (String, String) {
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    run.fails(1);
    let lane = &document["lanes"][0];
    let error = match lane.is_object() {
        true => &lane["error"],
        false => &document["error"],
    };
    let word = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    (word(&error["code"]), word(&error["details"]["holder"]))
}

#[test]
fn one_holds_a_lane_and_the_next_is_told_who() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    let output = sandbox.lane(["claim", "login", "--owner", "ann"]).ok();
    let variables = exported(&output);
    assert_eq!(variables["GIT_LANE_NAME"], "login");
    assert_eq!(
        variables["GIT_LANE_PATH"],
        sandbox.lane_path("login").to_str().unwrap()
    );
    let token = &variables["GIT_LANE_CLAIM"];
    let claimed = ("claimed".to_owned(), "ann".to_owned());
    for owner in ["bob", "ann"] {
        let run = sandbox.lane(["claim", "login", "--owner", owner, "--json"]);
        assert_eq!(refused(run), claimed);
    }
    // The token is nowhere but in the hands of the holder.
    let everything =
        sandbox.sh("cat .git/config; cat .git/lane/claims/* .git/lane/*.jsonl 2>/dev/null");
    assert!(!everything.stdout.contains(token), "{everything}");
    // What the record says can be read with plain git.
    assert_eq!(sandbox.git(["config", "lane.login.claim"]), "ann");
    assert_eq!(sandbox.git(["config", "lane.login.owner"]), "ann");
    let renewed = holding(&sandbox, token, &["claim", "login"]).ok();
    assert!(!renewed.contains("GIT_LANE_CLAIM"), "{renewed}");
    holding(&sandbox, token, &["release", "login"]).ok();
    assert!(
        !sandbox
            .git(["config", "--list", "--local"])
            .contains("claim")
    );
    claim(&sandbox, &["login", "--owner", "bob"]);
}

#[test]
fn a_claim_is_read_by_a_shell_and_joins_those_that_it_has() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "a", "b"]).ok();
    sandbox
        .sh("eval \"$(git lane claim a)\"; eval \"$(git lane claim b)\"
             test \"$GIT_LANE_NAME\" = b && cd \"$GIT_LANE_PATH\" || exit 9
             git lane mark a working && git lane mark ready && git lane release a && git lane release b")
        .ok();
    assert_eq!(sandbox.git(["config", "lane.a.status"]), "working");
    assert_eq!(sandbox.git(["config", "lane.b.status"]), "ready");
}

/// `eval` succeeds whatever its command substitution does; what it evaluates must not.
#[test]
fn a_shell_that_evaluates_a_claim_that_failed_fails_too() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "a"]).ok();
    claim(&sandbox, &["a"]);
    for args in ["a", "--next", "nobody", "a --pid 999999999", "a --pid 0"] {
        let run = sandbox.sh(&format!(
            "eval \"$(git lane claim {args})\" || exit 9; exit 0"
        ));
        assert_eq!(run.code, 9, "{run}");
        let run = sandbox.sh(&format!(
            "set -e; eval \"$(git lane claim {args})\"; exit 0"
        ));
        assert_eq!(run.code, 1, "{run}");
        // A document is never anything else.
        let run = sandbox.lane(
            ["claim"]
                .into_iter()
                .chain(args.split(' '))
                .chain(["--json"]),
        );
        assert!(run.stdout.starts_with('{'), "{run}");
    }
}

#[test]
fn the_next_free_lane_is_the_oldest_that_is_not_over() {
    let sandbox = Sandbox::new();
    // Of the same second: the order of the records decides.
    sandbox
        .lane(["start", "ready", "done", "held", "one", "two"])
        .ok();
    sandbox.lane(["mark", "ready", "ready"]).ok();
    sandbox.lane(["mark", "done", "done"]).ok();
    claim(&sandbox, &["held"]);
    let next = || {
        let run = sandbox.lane(["claim", "--next", "--owner", "agent", "--json"]);
        run.json()["lane"].as_str().unwrap().to_owned()
    };
    assert_eq!([next(), next()], ["one", "two"]);
    let run = sandbox.lane(["claim", "--next", "--json"]);
    assert_eq!(refused(run).0, "none-free");
    sandbox.lane(["claim", "--next", "one"]).fails(2);
}

#[test]
fn taking_over_says_first_what_is_there_and_leaves_the_other_without() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    sandbox.work("login", "src/new.txt", "work\n");
    let before = claim(&sandbox, &["login", "--owner", "ann"]);
    let run = sandbox.lane(["claim", "login", "--owner", "bob", "--take-over"]);
    let first = run.stderr.lines().next().unwrap();
    assert!(
        first.starts_with("lane 'login' is claimed by 'ann' for") && first.ends_with("+1, clean"),
        "{first}"
    );
    run.ok();
    let run = holding(&sandbox, &before, &["mark", "login", "ready", "--json"]);
    assert_eq!(refused(run), ("claimed".into(), "bob".into()));
    let log = sandbox.lane(["log", "login"]).ok();
    assert!(log.contains("taken over from 'ann'"), "{log}");
    // Nothing is taken over where nobody holds it.
    sandbox.lane(["start", "free"]).ok();
    let document = sandbox
        .lane(["claim", "free", "--take-over", "--json"])
        .json();
    assert!(document["takenOverFrom"].is_null());
}
