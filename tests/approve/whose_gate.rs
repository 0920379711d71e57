//! The team's gate is the one in the commits, everybody's gates add up, and what the user wrote
//! needs no approval.

use std::slice;

use super::{USER, approve, gate, gated, wanted};
use crate::support::{Sandbox, write};

fn list(origin: &str, file: &str, commands: &[&str]) -> (String, String, Vec<String>) {
    let commands = commands.iter().map(|line| (*line).to_owned()).collect();
    (origin.into(), file.into(), commands)
}

#[test]
fn the_teams_gate_is_that_of_the_bases_tip() {
    let sandbox = gated(&["make test"]);
    let team = list("team", "lane.toml of main", &["make test"]);
    let is_teams = |why: &str| {
        assert_eq!(wanted(&sandbox, &["x"]), slice::from_ref(&team), "{why}");
    };
    is_teams("as committed");
    assert_eq!(wanted(&sandbox, &[]), slice::from_ref(&team));
    sandbox.write("lane.toml", gate(&["true"]));
    is_teams("the file in the main worktree is another");
    sandbox.git(["add", "-A"]);
    is_teams("so is the one in the index");
    sandbox.git(["switch", "-q", "-c", "other"]);
    sandbox.commit("no test");
    is_teams("so is the one in HEAD");
    std::fs::remove_file(sandbox.repo.join("lane.toml")).unwrap();
    is_teams("there is none");
    write(&sandbox.lane_path("x").join("lane.toml"), gate(&["true"]));
    is_teams("the lane has not committed its own");
    let other = list("team", "lane.toml of other", &["true"]);
    assert_eq!(wanted(&sandbox, &["x", "--into", "other"]), [other]);
    // The lane one stands in.
    let run = sandbox.lane_in(&sandbox.lane_path("x"), ["approve", "--json"]);
    assert_eq!(super::lists(&run), [team]);
}

#[test]
fn a_lane_that_changes_the_gate_needs_the_old_and_the_new_one() {
    let sandbox = gated(&["a", "b"]);
    sandbox.work("x", "lane.toml", &gate(&["b", "c"]));
    let old = list("team", "lane.toml of main", &["a", "b"]);
    let new = list("landing", "lane.toml of lane 'x'", &["b", "c"]);
    assert_eq!(wanted(&sandbox, &["x"]), [old.clone(), new]);
    sandbox.work("x", "lane.toml", "");
    assert_eq!(wanted(&sandbox, &["x"]), slice::from_ref(&old));
    // A lane that left the file as it was lands with that of the base.
    sandbox.lane(["start", "y"]).ok();
    sandbox.write("lane.toml", gate(&["d"]));
    sandbox.commit("another gate");
    let newer = list("team", "lane.toml of main", &["d"]);
    assert_eq!(wanted(&sandbox, &["y"]), [newer]);
}

#[test]
fn an_approval_is_about_one_list_and_its_exact_text() {
    let sandbox = gated(&["a", "b"]);
    approve(&sandbox, &["x"]);
    sandbox.lane(["approve", "x"]).ok();
    for commands in [
        &["b", "a"][..],
        &["a"],
        &["a", "b", "c"],
        &["a\nb"],
        &["a", "b "],
    ] {
        sandbox.write("lane.toml", gate(commands));
        sandbox.commit("another gate");
        let said = sandbox.lane(["approve", "x"]).fails(1);
        assert!(said.contains("is not approved"), "{commands:?}: {said}");
    }
    // Neither is where it stands.
    sandbox.write("lane.toml", gate(&["true"]));
    sandbox.commit("no gate of that kind");
    approve(&sandbox, &["x"]);
    write(&sandbox.repo.join(".git/lane/lane.toml"), gate(&["a", "b"]));
    sandbox.lane(["approve", "x"]).ok();
}

#[test]
fn what_the_user_wrote_needs_no_approval_and_the_clones_file_does() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "x"]).ok();
    write(&sandbox.root().join(USER), gate(&["a", "b"]));
    assert_eq!(
        sandbox.lane(["approve", "x"]).ok(),
        "there is nothing to approve\n"
    );
    let clone = sandbox.repo.join(".git/lane/lane.toml");
    write(&clone, gate(&["b"]));
    let found = wanted(&sandbox, &["x"]);
    assert_eq!(found, [list("clone", ".git/lane/lane.toml", &["b"])]);
    write(&clone, "finish.gate = \"a\\u001b[2Jb\"\n");
    let said = sandbox.lane(["approve", "x"]).fails(4);
    assert!(
        said.contains("must not contain control characters"),
        "{said}"
    );
}

#[test]
fn the_gates_of_all_files_add_up() {
    let sandbox = Sandbox::new();
    write(&sandbox.root().join(USER), gate(&["a", "b"]));
    sandbox.write("lane.toml", gate(&["b", "c"]));
    write(&sandbox.repo.join(".git/lane/lane.toml"), gate(&["d", "a"]));
    assert_eq!(sandbox.lane(["config", "finish.gate"]).ok(), "a\nb\nc\nd\n");
    let settings = |key: &str| {
        let setting = sandbox.lane(["config", key, "--json"]).json();
        (setting["value"].clone(), setting["origin"].clone())
    };
    assert_eq!(settings("finish.gate").1, "clone");
    // What takes nothing away and adds nothing is not who said it.
    write(&sandbox.repo.join(".git/lane/lane.toml"), gate(&[]));
    assert_eq!(settings("finish.gate").1, "team");
    for (user, team, clone, required) in [
        ("false", "false", "false", false),
        ("true", "false", "false", true),
        ("false", "true", "false", true),
        ("false", "false", "true", true),
    ] {
        let text = |flag| format!("finish.gate-required = {flag}\n");
        write(&sandbox.root().join(USER), text(user));
        sandbox.write("lane.toml", text(team));
        write(&sandbox.repo.join(".git/lane/lane.toml"), text(clone));
        let found = settings("finish.gate-required").0;
        assert_eq!(found, required, "{user} {team} {clone}");
    }
}

#[test]
fn a_file_that_cannot_be_used_stops_what_it_might_weaken() {
    let sandbox = gated(&["a"]);
    sandbox.work("x", "lane.toml", "finish.gate = [\n");
    let said = sandbox.lane(["approve", "x"]).fails(4);
    assert!(said.contains("'lane.toml of what lands': line "), "{said}");
    // Where there is no gate to weaken, none keeps a landing from repairing a file.
    sandbox.write("lane.toml", "trash.days = 20\n");
    sandbox.commit("no gate");
    sandbox.lane(["approve", "x"]).ok();
    sandbox.write("lane.toml", "finish.gate-required = true\n");
    sandbox.commit("a gate may not be left out");
    sandbox.lane(["approve", "x"]).fails(4);
    sandbox.write("lane.toml", "finish.gat = 1\n");
    let tip = sandbox.commit("broken");
    let said = sandbox.lane(["approve", "x"]).fails(4);
    let file = format!("'{}:lane.toml': unknown key", &tip[..10]);
    assert!(said.contains(&file), "{said}");
}

#[test]
fn a_link_is_followed_to_a_tracked_file_and_nowhere_else() {
    let sandbox = gated(&["a"]);
    let path = sandbox.repo.join("lane.toml");
    sandbox.write("settings/team.toml", gate(&["linked"]));
    for (target, fits) in [
        ("settings/team.toml", true),
        ("settings", false),
        ("settings/none.toml", false),
        ("../outside.toml", false),
        ("/etc/passwd", false),
        ("lane.toml", false),
    ] {
        std::fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink(target, &path).unwrap();
        sandbox.commit(target);
        if fits {
            let linked = list("team", "lane.toml of main", &["linked"]);
            assert_eq!(wanted(&sandbox, &["x"]), [linked], "{target}");
        } else {
            let said = sandbox.lane(["approve", "x"]).fails(4);
            assert!(said.contains("is no plain file"), "{target}: {said}");
        }
    }
}

#[test]
fn a_partial_clone_gets_the_file_from_its_remote() {
    let sandbox = gated(&["a"]);
    sandbox.git(["config", "uploadpack.allowFilter", "true"]);
    sandbox.git(["config", "uploadpack.allowAnySHA1InWant", "true"]);
    let clone = sandbox.root().join("partial");
    let url = format!("file://{}", sandbox.repo.display());
    let args = ["clone", "-q", "--filter=blob:none", "--no-checkout"];
    let words = args
        .iter()
        .copied()
        .chain([url.as_str(), clone.to_str().unwrap()]);
    sandbox.git(words);
    let run = sandbox.lane_in(&clone, ["approve", "--json"]);
    let team = list("team", "lane.toml of main", &["a"]);
    assert_eq!(super::lists(&run), [team]);
}

#[test]
fn a_base_that_is_not_there_is_told() {
    let sandbox = gated(&["a"]);
    let said = sandbox.lane(["approve", "x", "--into", "none"]).fails(1);
    assert!(said.contains("no branch 'none' to land on"), "{said}");
    let said = sandbox.lane(["approve", "nobody"]).fails(1);
    assert!(said.contains("there is no lane 'nobody'"), "{said}");
}

#[test]
fn in_a_repository_with_reftables_it_is_the_same() {
    let sandbox = gated(&["a"]);
    let copy = sandbox.root().join("reftable");
    let made = sandbox.sh(&format!(
        "git init -q --ref-format=reftable -b main {0} && git -C {0} pull -q {1} main",
        copy.display(),
        sandbox.repo.display()
    ));
    if made.code != 0 {
        crate::support::skipped("this git knows no reftable");
        return;
    }
    let run = sandbox.lane_in(&copy, ["approve", "--json"]);
    let team = list("team", "lane.toml of main", &["a"]);
    assert_eq!(super::lists(&run), [team]);
}
