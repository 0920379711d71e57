//! `git lane undo --list`.

use super::*;

#[test]
fn every_step_is_listed_with_its_reason() {
    let sandbox = with_work("login");
    sandbox.lane(["finish", "login"]).ok();
    sandbox.lane(["start", "next"]).ok();
    undo(&sandbox, ["next"]).ok();
    let before = sandbox.fingerprint();
    let document = undo(&sandbox, ["--list", "--json"]).json();
    assert!(sandbox.fingerprint() == before);
    let steps: Vec<String> = document["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| {
            let word = |field: &str| step[field].as_str().unwrap().to_owned();
            let why = step["problem"]["code"].as_str().unwrap_or("-");
            assert_eq!(step["undoable"] == true, why == "-", "{step}");
            assert_eq!(word("owner"), "tester");
            format!("{} {} {why}", word("what"), word("lane"))
        })
        .collect();
    assert_eq!(
        steps,
        [
            "undo next nothing-to-undo",
            "start next nothing-to-undo",
            "land login -",
            "start login came-after",
        ]
    );
    assert_eq!(document["more"], 0);
    let text = undo(&sandbox, ["--list", "login"]).ok();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(
        lines[1].starts_with("login  landed ") && lines[1].ends_with(" yes"),
        "{text}"
    );
    assert!(
        lines[2].ends_with(" no: the landing of the same lane came after"),
        "{text}"
    );
    assert_eq!(
        undo(&sandbox, ["--list", "nobody"]).ok(),
        "nothing can be taken back\n"
    );
}

#[test]
fn a_dry_run_writes_nothing_at_all() {
    let sandbox = landed();
    let everything = |sandbox: &Sandbox| crate::support::listing(&sandbox.root());
    let before = everything(&sandbox);
    undo(&sandbox, ["-n", "login"]).ok();
    undo(&sandbox, ["-n", "--revert", "login"]).ok();
    undo(&sandbox, ["--list"]).ok();
    assert!(everything(&sandbox) == before);
}
