//! What the list says of a lane at a glance: never begun, landed or not, published, how long ago
//! something was done in it, and whether one stands in it.

use serde_json::{Value, json};

use crate::support::{Sandbox, git_version};

/// The cell of that column in the row of a lane; the lane must be there.
#[track_caller]
fn cell(sandbox: &Sandbox, lane: &str, column: &str) -> String {
    let columns = format!("name,{column}");
    let text = sandbox.lane(["list", "--columns", &columns]).ok();
    let rows = text.lines().filter_map(|line| line.get(2..));
    let mut cells = rows.filter_map(|row| row.strip_prefix(lane));
    let cell = cells.find(|rest| rest.is_empty() || rest.starts_with("  "));
    cell.unwrap_or_else(|| panic!("{lane}: {text}"))
        .trim()
        .to_owned()
}

fn entry(sandbox: &Sandbox, lane: &str) -> Value {
    let listed = sandbox.lane(["list", "--json"]).json();
    let lanes = listed["lanes"].as_array().unwrap();
    lanes
        .iter()
        .find(|entry| entry["lane"] == lane)
        .unwrap()
        .clone()
}

#[test]
fn a_lane_that_has_landed_does_not_look_like_one_that_was_never_begun() {
    let sandbox = Sandbox::new();
    let names = [
        "new", "updated", "merged", "forward", "squashed", "open", "dirty",
    ];
    sandbox.lane(["start"].iter().chain(&names)).ok();
    for lane in ["merged", "forward", "squashed", "open"] {
        sandbox.work(lane, &format!("{lane}.txt"), "x");
    }
    crate::support::write(&sandbox.lane_path("dirty").join("new"), "x");
    sandbox.git(["merge", "-q", "--ff-only", "forward"]);
    sandbox.git(["merge", "-q", "--no-ff", "--no-edit", "merged"]);
    // A squash that came before another change of the same file.
    sandbox.work("squashed", "squashed.txt", "x\ny\n");
    sandbox.git(["merge", "-q", "--squash", "squashed"]);
    sandbox.git(["commit", "-q", "-m", "Squashed"]);
    sandbox.write("squashed.txt", "x\ny\nz\n");
    sandbox.commit("More");
    // Plain git brings it up to date; nothing was done in it all the same.
    sandbox.git_in(
        &sandbox.lane_path("updated"),
        ["merge", "-q", "--ff-only", "main"],
    );
    for (lane, told, unused) in [
        ("new", "unused -5", true),
        ("updated", "unused", true),
        ("merged", "merged", false),
        ("forward", "merged", false),
        ("squashed", "squashed", false),
        ("open", "+1 -5", false),
        ("dirty", "-5", false),
    ] {
        assert_eq!(cell(&sandbox, lane, "base"), told, "{lane}");
        assert_eq!(
            entry(&sandbox, lane)["versusBase"]["unused"],
            unused,
            "{lane}"
        );
    }
}

/// The commits of a sandbox are of 2023, the files are of today.
#[test]
fn the_age_is_that_of_what_was_last_done_in_the_lane() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login", "search", "claimed"]).ok();
    let is_new = |lane: &str| {
        let age = cell(&sandbox, lane, "age");
        age.ends_with('s') || age.ends_with('m')
    };
    // Of the base only the commit is old.
    assert!(is_new("login") && is_new("(main)"));
    sandbox.long_ago();
    for lane in ["login", "search", "claimed", "(main)"] {
        assert!(cell(&sandbox, lane, "age").ends_with('y'), "{lane}");
    }
    let never = entry(&sandbox, "login")["lastActivity"].clone();
    assert_eq!(never, crate::support::LONG_AGO);
    // To look is to do nothing, and so is what happens to the base.
    sandbox.lane(["list"]).ok();
    sandbox.git_in(&sandbox.lane_path("login"), ["status"]);
    sandbox.write("more.txt", "x");
    sandbox.commit("More");
    assert!(is_new("(main)") && !is_new("login"));
    sandbox.lane(["mark", "login", "working"]).ok();
    sandbox.work("search", "search.txt", "x");
    sandbox.lane(["claim", "claimed"]).ok();
    for lane in ["login", "search", "claimed"] {
        assert!(is_new(lane), "{lane}");
    }
    // The most recent come first.
    sandbox.long_ago();
    sandbox.git(["config", "lane.login.statusSince", crate::support::LONG_AGO]);
    sandbox.git([
        "config",
        "lane.claimed.claimSince",
        crate::support::LONG_AGO,
    ]);
    sandbox.work("search", "search.txt", "y");
    let listed = sandbox.lane(["list", "--json"]).json();
    assert_eq!(listed["lanes"][1]["lane"], "search");
}

#[test]
fn what_is_published_and_what_is_still_to_be_pushed_is_told() {
    let sandbox = Sandbox::new();
    sandbox.git(["init", "-q", "--bare", "../origin.git"]);
    let origin = sandbox.root().join("origin.git");
    let names = [
        "pushed", "followed", "ahead", "behind", "gone", "base", "not",
    ];
    sandbox.lane(["start"].iter().chain(&names)).ok();
    // Without a remote there is no such column.
    assert!(!sandbox.lane(["list"]).ok().contains("PUBLISHED"));
    sandbox.git(["remote", "add", "origin", origin.to_str().unwrap()]);
    sandbox.git(["push", "-q", "origin", "main"]);
    let in_lane = |lane: &str, args: &[&str]| {
        sandbox.git_in(&sandbox.lane_path(lane), args);
    };
    for lane in names {
        sandbox.work(lane, &format!("{lane}.txt"), "x");
    }
    in_lane("pushed", &["push", "-q", "origin", "HEAD"]);
    in_lane(
        "followed",
        &["push", "-q", "-u", "origin", "HEAD:another-name"],
    );
    for lane in ["ahead", "behind", "gone"] {
        in_lane(lane, &["push", "-q", "-u", "origin", "HEAD"]);
    }
    sandbox.work("ahead", "ahead.txt", "y");
    in_lane("behind", &["reset", "-q", "--hard", "HEAD~"]);
    in_lane("gone", &["push", "-q", "origin", ":gone"]);
    // Who follows the base has published nothing by that.
    in_lane("base", &["branch", "-q", "--set-upstream-to=origin/main"]);
    sandbox.git(["branch", "-q", "--set-upstream-to=origin/main", "main"]);
    for (lane, told, distance) in [
        ("pushed", "yes", json!([0, 0])),
        ("followed", "yes", json!([0, 0])),
        ("ahead", "+1", json!([1, 0])),
        ("behind", "-1", json!([0, 1])),
        ("gone", "gone", json!([null, null])),
        ("base", "", Value::Null),
        ("not", "", Value::Null),
    ] {
        assert_eq!(cell(&sandbox, lane, "published"), told, "{lane}");
        let published = &entry(&sandbox, lane)["published"];
        match distance {
            Value::Null => assert_eq!(*published, Value::Null, "{lane}"),
            _ => assert_eq!(json!([published["ahead"], published["behind"]]), distance),
        }
    }
    for (lane, told) in [
        ("pushed", "published  in origin/pushed\n"),
        ("ahead", "published  in origin/ahead, +1\n"),
        ("gone", "published  in origin/gone, which is gone\n"),
    ] {
        let shown = sandbox.lane(["show", lane]).ok();
        assert!(shown.contains(told), "{shown}");
    }
    let followed = &entry(&sandbox, "followed")["published"];
    assert_eq!(followed["ref"], "refs/remotes/origin/another-name");
    assert!(sandbox.lane(["list"]).ok().contains("PUBLISHED"));
}

/// Where git alone reads refs, it is asked once for the remote's, not for each lane.
#[test]
fn in_a_reftable_too() {
    if git_version() < (2, 45) {
        return;
    }
    let sandbox = Sandbox::empty();
    sandbox.git(["init", "-q", "-b", "main", "--ref-format=reftable", "."]);
    sandbox.write("README", "shop\n");
    sandbox.commit("first");
    sandbox.git(["init", "-q", "--bare", "../origin.git"]);
    let origin = sandbox.root().join("origin.git");
    sandbox.git(["remote", "add", "origin", origin.to_str().unwrap()]);
    sandbox.lane(["start", "login", "search"]).ok();
    sandbox.work("login", "login.txt", "x");
    sandbox.git_in(
        &sandbox.lane_path("login"),
        ["push", "-q", "origin", "HEAD"],
    );
    assert_eq!(cell(&sandbox, "login", "published"), "yes");
    assert_eq!(cell(&sandbox, "search", "published"), "");
    assert_eq!(cell(&sandbox, "search", "base"), "unused");
}

#[test]
fn the_place_one_stands_in_is_marked() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login", "search"]).ok();
    let marked = |text: &str| {
        let marked = text.lines().filter(|line| line.starts_with("* "));
        let names = marked.map(|line| line[2..].split("  ").next().unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    let inside = sandbox.lane_path("login").join("src");
    for (place, name) in [(&sandbox.repo, "(main)"), (&inside, "login")] {
        for args in [&["list"][..], &["list", "--no-status"]] {
            assert_eq!(marked(&sandbox.lane_in(place, args).ok()), [name]);
        }
        let listed = sandbox.lane_in(place, ["list", "--json"]).json();
        let current = listed["lanes"].as_array().unwrap().clone();
        let current: Vec<Value> = current
            .into_iter()
            .filter(|one| one["current"] == true)
            .collect();
        assert_eq!(current.len(), 1);
        assert_eq!(current[0]["main"], name == "(main)");
    }
    assert_eq!(
        sandbox.lane_in(&inside, ["show", "--json"]).json()["current"],
        true
    );
    assert_eq!(
        sandbox.lane(["show", "login", "--json"]).json()["current"],
        false
    );
    // In a worktree that is no lane, and where one stands in none.
    sandbox.git(["worktree", "add", "-q", "--detach", "../looking"]);
    let looking = sandbox.root().join("looking");
    assert_eq!(
        marked(&sandbox.lane_in(&looking, ["list"]).ok()),
        ["(no lane) ."]
    );
    sandbox.git(["clone", "-q", "--bare", ".", "../bare.git"]);
    let bare = sandbox.root().join("bare.git");
    sandbox.lane_in(&bare, ["start", "third"]).ok();
    let text = sandbox.lane_in(&bare, ["list"]).ok();
    assert!(
        text.starts_with("NAME") && text.contains("\nthird"),
        "{text}"
    );
}
