//! What owners and agents say of lanes, as the list has it: status, claim, parameters, kind.

use serde_json::{Value, json};

use crate::support::Sandbox;

/// Lanes of every status and one without.
fn marked() -> Sandbox {
    let sandbox = Sandbox::new();
    let words = ["working", "blocked", "ready", "done"];
    let all = words.iter().chain(&["new"]);
    sandbox.lane(["start"].iter().chain(all)).ok();
    for word in words {
        sandbox.lane(["mark", word, word]).ok();
    }
    sandbox
}

/// The entry of a lane.
fn entry(sandbox: &Sandbox, name: &str) -> Value {
    let listed = sandbox.lane(["list", "--json"]).json();
    let lanes = listed["lanes"].as_array().unwrap();
    lanes
        .iter()
        .find(|lane| lane["lane"] == name)
        .unwrap()
        .clone()
}

/// The row of a lane, its cells apart.
fn row(text: &str, name: &str) -> Vec<String> {
    let line = text
        .lines()
        .filter_map(|line| line.get(2..))
        .find(|line| line.split("  ").next() == Some(name));
    let cells = line.unwrap_or_else(|| panic!("{text}")).split("  ");
    let cells = cells.map(str::trim).filter(|cell| !cell.is_empty());
    cells.map(str::to_owned).collect()
}

#[test]
fn a_status_filters() {
    let sandbox = marked();
    for (filter, wanted) in [
        (&["--status", "ready"][..], &["ready"][..]),
        (&["--status", "blocked,ready"], &["blocked", "ready"]),
        (
            &["--status", "done", "--status", "working"],
            &["done", "working"],
        ),
        (&["--status", "none"], &["new"]),
        (&["--status", "none,done", "--no-status"], &["done", "new"]),
        (&["--status", "ready", "--owner", "nobody"], &[]),
    ] {
        let listed = sandbox
            .lane([&["list", "--json"][..], filter].concat())
            .json();
        let lanes = listed["lanes"].as_array().unwrap();
        let mut names: Vec<&str> = lanes
            .iter()
            .map(|lane| lane["lane"].as_str().unwrap())
            .collect();
        names.sort_unstable();
        assert_eq!(names, wanted, "{filter:?}");
    }
    let error = sandbox.lane(["list", "--status", "finished"]).fails(2);
    assert!(
        error.contains("working, blocked, ready, done, none"),
        "{error}"
    );
}

#[test]
fn a_task_filters() {
    let sandbox = Sandbox::new();
    for (lane, task) in [("one", "SHOP-1"), ("two", "SHOP-12")] {
        sandbox.lane(["start", lane, "--task", task]).ok();
    }
    for (task, wanted) in [("SHOP-1", 1), ("SHOP-1*", 2), ("SHOP", 0)] {
        let listed = sandbox.lane(["list", "--json", "--task", task]).json();
        assert_eq!(listed["lanes"].as_array().unwrap().len(), wanted, "{task}");
    }
}

#[test]
fn a_status_has_its_age_and_its_message() {
    let sandbox = marked();
    sandbox
        .lane(["mark", "blocked", "blocked", "-m", "waits for the key"])
        .ok();
    let since = jiff::Timestamp::now().as_second() - 3 * 3600;
    let since = jiff::Timestamp::from_second(since).unwrap().to_string();
    sandbox.git(["config", "lane.blocked.statusSince", &since]);
    let text = sandbox.lane(["list"]).ok();
    assert!(text.lines().next().unwrap().contains("STATUS"), "{text}");
    assert_eq!(row(&text, "blocked")[2], "blocked 3h");
    let wanted = json!({ "status": "blocked", "since": since, "message": "waits for the key" });
    assert_eq!(entry(&sandbox, "blocked")["mark"], wanted);
    assert_eq!(entry(&sandbox, "new")["mark"], Value::Null);
    // A record that does not say since when.
    sandbox.git(["config", "--unset", "lane.blocked.statusSince"]);
    assert_eq!(row(&sandbox.lane(["list"]).ok(), "blocked")[2], "blocked");
    assert_eq!(entry(&sandbox, "blocked")["mark"]["since"], Value::Null);
}

#[test]
fn no_column_stands_without_anything_to_say() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    let text = sandbox.lane(["list"]).ok();
    let titles: Vec<&str> = text.lines().next().unwrap().split("  ").collect();
    for title in ["STATUS", "KIND", "TASK", "BRANCH", "CLAIM"] {
        assert!(!titles.iter().any(|found| found.trim() == title), "{text}");
    }
}

/// Who holds a lane is told beside its owner, for as long as the claim lives.
#[test]
fn a_living_claim_is_shown() {
    let sandbox = Sandbox::new();
    let all = ["free", "own", "others", "kept", "over"];
    sandbox
        .lane(["start"].iter().chain(&all).chain(&["--owner", "ann"]))
        .ok();
    let claimed = sandbox
        .lane(["claim", "own", "--owner", "ann", "--json"])
        .json();
    sandbox
        .lane(["claim", "others", "--owner", "bob", "--for", "2h"])
        .ok();
    sandbox
        .lane(["release", "kept", "--to", "eve", "-m", "half done"])
        .ok();
    sandbox
        .lane(["claim", "over", "--owner", "bob", "--for", "2h"])
        .ok();
    sandbox.git(["config", "lane.over.claimUntil", "2020-01-01T00:00:00Z"]);
    // Who claims a lane owns it; the record may say otherwise.
    sandbox.git(["config", "lane.others.owner", "ann"]);
    let text = sandbox.lane(["list"]).ok();
    for (lane, owner) in [
        ("free", "ann"),
        ("own", "held by ann"),
        ("others", "held by bob, owner ann"),
        ("over", "bob"),
    ] {
        assert_eq!(row(&text, lane)[4], owner, "{text}");
    }
    // Handing over makes the next owner the owner.
    assert_eq!(row(&text, "kept")[4], "kept for eve", "{text}");

    for free in ["free", "over"] {
        assert_eq!(entry(&sandbox, free)["claim"], Value::Null, "{free}");
    }
    let others = &entry(&sandbox, "others")["claim"];
    assert_eq!(
        (&others["holder"], &others["own"]),
        (&"bob".into(), &false.into())
    );
    assert!(
        others["until"].is_string() && others["pid"].is_null(),
        "{others}"
    );
    let kept = &entry(&sandbox, "kept")["claim"];
    assert_eq!(
        (&kept["holder"], &kept["reserved"], &kept["message"]),
        (&"eve".into(), &true.into(), &"half done".into())
    );
    // Whose claim it is depends on who asks.
    let token = claimed["token"].as_str().unwrap();
    let mut asked = sandbox.command("git-lane");
    let asked = asked
        .args(["show", "own", "--json"])
        .env("GIT_LANE_CLAIM", token);
    assert_eq!(sandbox.run(asked).json()["claim"]["own"], true);
    assert_eq!(entry(&sandbox, "own")["claim"]["own"], false);
}

#[test]
fn a_claim_for_a_process_names_it_and_ends_with_it() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    let mut agent = sandbox.command("sleep").arg("600").spawn().unwrap();
    let pid = agent.id();
    sandbox
        .lane(["claim", "login", "--pid", &pid.to_string()])
        .ok();
    assert_eq!(entry(&sandbox, "login")["claim"]["pid"], pid);
    let shown = sandbox.lane(["show", "login"]).ok();
    assert!(
        shown.contains(&format!("while process {pid} lives")),
        "{shown}"
    );
    agent.kill().unwrap();
    agent.wait().unwrap();
    assert_eq!(entry(&sandbox, "login")["claim"], Value::Null);
}

#[test]
fn parameters_and_kind_are_told_of_lanes_alone() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "sweep", "plain"]).ok();
    for set in ["rate=0.1", "seed=7", "rate=0.3"] {
        sandbox.git(["config", "--add", "lane.sweep.set", set]);
    }
    sandbox.git(["config", "lane.sweep.readOnly", "true"]);
    sandbox.git(["config", "lane.sweep.adopted", "true"]);
    let sweep = entry(&sandbox, "sweep");
    // Of a key given twice the last counts.
    assert_eq!(sweep["set"], json!({ "rate": "0.3", "seed": "7" }));
    assert_eq!(
        (&sweep["readOnly"], &sweep["adopted"]),
        (&true.into(), &true.into())
    );
    let listed = sandbox.lane(["list", "--json"]).json();
    for other in [entry(&sandbox, "plain"), listed["lanes"][0].clone()] {
        assert_eq!(other["set"], json!({}), "{other:#}");
        for field in ["readOnly", "adopted"] {
            assert_eq!(other[field], false, "{other:#}");
        }
        for field in ["status", "claim"] {
            assert_eq!(other[field], Value::Null, "{other:#}");
        }
    }
    let text = sandbox.lane(["list"]).ok();
    assert_eq!(row(&text, "sweep")[2], "read-only, adopted", "{text}");
    let shown = sandbox.lane(["show", "sweep"]).ok();
    assert!(shown.contains("kind       read-only, adopted\n"), "{shown}");
    assert!(
        shown.contains("set        seed=7\n           rate=0.3\n"),
        "{shown}"
    );
}
