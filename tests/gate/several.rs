//! `git lane finish a b c`: one gate run, and a verdict for each.

use super::{gate, runs, with_lanes};

fn verdicts(document: &serde_json::Value) -> Vec<(String, String)> {
    let text = |lane: &serde_json::Value, field: &str| lane[field].as_str().unwrap().to_owned();
    let lanes = document["lanes"].as_array().unwrap().iter();
    let mut found: Vec<_> = lanes
        .map(|lane| (text(lane, "lane"), text(lane, "verdict")))
        .collect();
    found.sort();
    found
}

fn owned(verdicts: &[(&str, &str)]) -> Vec<(String, String)> {
    let own = |(lane, verdict): &(&str, &str)| ((*lane).to_owned(), (*verdict).to_owned());
    verdicts.iter().map(own).collect()
}

#[test]
fn lanes_land_together_behind_one_run() {
    let sandbox = with_lanes(&["a", "b", "c"]);
    let gate = gate(
        &sandbox,
        "test -f src/a.txt && test -f src/b.txt && test -f src/c.txt",
    );
    let document = sandbox
        .lane(["finish", "a", "b", "c", "--gate", &gate, "--json"])
        .json();
    assert_eq!(
        verdicts(&document),
        owned(&[("a", "landed"), ("b", "landed"), ("c", "landed")])
    );
    assert_eq!(runs(&sandbox), ["a b c"]);
    assert_eq!(
        sandbox.git(["rev-list", "--count", "--merges", "main"]),
        "3"
    );
    // The base moved once.
    assert_eq!(
        sandbox.git(["reflog", "show", "--format=%gs", "-1", "main"]),
        "lane: finish 'a', 'b', 'c'"
    );
    assert_eq!(
        document["lanes"][0]["landed"]["batch"],
        document["lanes"][2]["landed"]["batch"]
    );
    assert_eq!(sandbox.git(["status", "--short"]), "");
}

#[test]
fn without_a_gate_they_land_one_by_one_and_a_conflict_stops_none() {
    let sandbox = with_lanes(&["a", "b", "c"]);
    sandbox.work("a", "src/app.txt", "a\n");
    sandbox.work("c", "src/app.txt", "c\n");
    let run = sandbox.lane(["finish", "a", "b", "c", "missing", "--json"]);
    assert_eq!(run.code, 3, "{run}");
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let expected = [
        ("a", "landed"),
        ("b", "landed"),
        ("c", "conflict"),
        ("missing", "no-such-lane"),
    ];
    assert_eq!(verdicts(&document), owned(&expected));
    assert_eq!(document["error"]["code"], "conflict");
    let conflict = document["lanes"]
        .as_array()
        .unwrap()
        .iter()
        .find(|lane| lane["lane"] == "c");
    assert_eq!(
        conflict.unwrap()["error"]["details"]["with"][0],
        "a",
        "{document}"
    );
    // What meets nobody's files goes first.
    let place = |name: &str| {
        let mut lanes = document["lanes"].as_array().unwrap().iter();
        lanes.position(|lane| lane["lane"] == name)
    };
    assert!(place("b") < place("a"), "{document}");
}

#[test]
fn a_lane_lands_after_the_lane_below_it() {
    let sandbox = with_lanes(&["low"]);
    sandbox.lane(["start", "high", "--base", "low"]).ok();
    sandbox.work("high", "src/high.txt", "high\n");
    let document = sandbox.lane(["finish", "high", "low", "--json"]).json();
    assert_eq!(
        verdicts(&document),
        owned(&[("high", "landed"), ("low", "landed")])
    );
    assert_eq!(document["lanes"][1]["landed"]["base"], "refs/heads/main");
}
