//! Whose a lane is: claims that begin with it, owners, tasks that are one lane's alone, parameters.

use super::*;

/// git-lane for who has this token.
fn with_token(sandbox: &Sandbox, token: &str, args: &[&str]) -> crate::support::Run {
    let mut command = sandbox.command("git-lane");
    sandbox.run(command.args(args).env("GIT_LANE_CLAIM", token))
}

fn code(run: &crate::support::Run) -> String {
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    document["error"]["code"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn a_lane_can_begin_with_a_claim() {
    let sandbox = Sandbox::new();
    let start = [
        "start", "login", "--owner", "ann", "--claim", "--for", "1h", "--json",
    ];
    let report = sandbox.lane(start).json();
    let claim = &report["lanes"][0]["claim"];
    let token = claim["token"].as_str().unwrap().to_owned();
    assert_eq!(
        (&claim["holder"], &claim["pid"]),
        (&"ann".into(), &serde_json::Value::Null)
    );
    assert!(claim["until"].as_str().unwrap().ends_with('Z'));
    let config = std::fs::read_to_string(sandbox.repo.join(".git/config")).unwrap();
    assert!(!config.contains(&token), "the token itself is never kept");
    // Who has it goes on, and to others it is held: also to one of the same name.
    let refused = sandbox.lane(["drop", "login", "--yes", "--json"]);
    assert_eq!(code(&refused), "claimed", "{refused}");
    for args in [&start[..], &["start", "login", "--owner", "bob", "--json"]] {
        let refused = sandbox.lane(args);
        assert_eq!(
            (refused.code, &*code(&refused)),
            (1, "claimed"),
            "{refused}"
        );
        assert!(refused.stdout.contains("\"holder\": \"ann\""), "{refused}");
    }
    sandbox.lane(["start", "login", "--owner", "ann"]).ok();
    // The holder is shown the lane whatever name they go by, and renews.
    with_token(&sandbox, &token, &["start", "login", "--owner", "bob"]).ok();
    let again = with_token(&sandbox, &token, &start).json();
    let claim = &again["lanes"][0]["claim"];
    assert_eq!(
        (&claim["token"], &claim["holder"]),
        (&serde_json::Value::Null, &"ann".into())
    );
    let text = with_token(&sandbox, &token, &["start", "login", "--claim"]).ok();
    assert!(text.contains("claimed by 'ann', as before"), "{text}");
    with_token(&sandbox, &token, &["drop", "login", "--yes"]).ok();
}

#[test]
fn a_lane_that_is_there_and_free_can_be_claimed_by_its_owner() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login", "--owner", "ann"]).ok();
    let refused = sandbox.lane(["start", "login", "--owner", "bob", "--claim", "--json"]);
    assert_eq!(code(&refused), "lane-differs", "{refused}");
    let mut other = sandbox.command("git-lane");
    other.args(["start", "login", "--claim", "--json"]);
    let refused = sandbox.run(other.env("GIT_LANE_OWNER", "bob"));
    assert_eq!(code(&refused), "lane-owned", "{refused}");
    let pid = std::process::id().to_string();
    let args = ["start", "login", "--owner", "ann", "--claim", "--pid", &pid];
    let text = sandbox.lane(args).ok();
    let token = text
        .lines()
        .find_map(|line| line.strip_prefix("  claimed: GIT_LANE_CLAIM="));
    assert_eq!(token.map(str::len), Some(32), "{text}");
    // This process is the one it was claimed for: what runs below it is the holder.
    let again = sandbox.lane([&args[..], &["--json"]].concat()).json();
    assert_eq!(again["lanes"][0]["claim"]["pid"], std::process::id());
}

#[test]
fn a_task_can_be_one_lanes_alone() {
    let sandbox = Sandbox::new();
    let unique = |name: &str| sandbox.lane(["start", name, "--task", "T-7", "--unique", "--json"]);
    unique("one").ok();
    let refused = unique("two");
    assert_eq!((refused.code, &*code(&refused)), (1, "task-taken"));
    assert!(refused.stdout.contains("\"lane\": \"one\""), "{refused}");
    assert_eq!(unique("one").json()["lanes"][0]["created"], false);
    // Without the word a task binds nothing, and a lane that is gone gives its task up.
    sandbox.lane(["start", "three", "--task", "T-7"]).ok();
    sandbox.lane(["drop", "--yes", "three"]).ok();
    sandbox.lane(["drop", "--yes", "one"]).ok();
    unique("two").ok();
}

#[test]
fn parameters_are_recorded_told_and_part_of_what_was_asked_for() {
    let sandbox = Sandbox::new();
    let set = [
        "--set",
        "rate=0.1",
        "--set",
        "note=a b\n\"c\"",
        "--set",
        "rate=0.2",
    ];
    let start = |more: &[&str]| sandbox.lane([&["start", "x"], more].concat());
    let report = start(&[&set[..], &["--json"]].concat()).json();
    let expected = serde_json::json!({"rate": "0.2", "note": "a b\n\"c\""});
    assert_eq!(report["lanes"][0]["set"], expected);
    let log = sandbox.lane(["log", "--json"]).json();
    let after = log["events"].as_array().unwrap().iter();
    let told = after
        .clone()
        .find(|event| event["phase"] == "after")
        .unwrap();
    assert_eq!(told["set"], expected, "{told}");
    assert!(told["task"].is_null(), "{told}");
    start(&[]).ok();
    start(&["--set", "note=a b\n\"c\"", "--set", "rate=0.2"]).ok();
    for set in [
        &["--set", "rate=0.2"][..],
        &["--set", "rate=0.3", "--set", "note=x"],
    ] {
        let run = start(&[set, &["--json"]].concat());
        assert_eq!(code(&run), "lane-differs", "{run}");
    }
    // However much it is, the next line of the log can be read.
    let long = format!("long={}", "é\u{1}".repeat(30_000));
    sandbox
        .lane(["start", "y", "--task", &"t".repeat(50_000), "--set", &long])
        .ok();
    sandbox.lane(["drop", "--yes", "y"]).ok();
    let log = sandbox.lane(["log", "--json"]).json();
    let sequence = |event: &serde_json::Value| event["sequence"].as_u64().unwrap();
    let mut numbers: Vec<u64> = log["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(sequence)
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
}
