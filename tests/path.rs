//! `git lane path`: what leads to a worktree besides a lane's whole name.

use crate::support::{Run, Sandbox};

fn with_lanes() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox
        .lane([
            "start",
            "agent-7/fix-login",
            "agent-7/search",
            "search-index",
        ])
        .ok();
    let search = sandbox.lane_path("agent-7-search");
    sandbox.git_in(&search, ["branch", "-m", "topic/search"]);
    sandbox.git(["worktree", "add", "-q", "../by-hand", "-b", "by-hand"]);
    sandbox
}

fn path(sandbox: &Sandbox, word: &str) -> Run {
    sandbox.lane(["path", "--", word])
}

#[test]
fn a_branch_a_part_of_a_name_and_main_lead_there() {
    let sandbox = with_lanes();
    let lane = |name| sandbox.lane_path(name);
    let by_hand = sandbox.root().join("by-hand");
    for (word, place, lane) in [
        ("search-index", lane("search-index"), Some("search-index")),
        ("main", sandbox.repo.clone(), None),
        (
            "topic/search",
            lane("agent-7-search"),
            Some("agent-7/search"),
        ),
        (
            "refs/heads/topic/search",
            lane("agent-7-search"),
            Some("agent-7/search"),
        ),
        ("by-hand", by_hand, None),
        (
            "login",
            lane("agent-7-fix-login"),
            Some("agent-7/fix-login"),
        ),
        ("INDEX", lane("search-index"), Some("search-index")),
    ] {
        let found = path(&sandbox, word).ok();
        assert_eq!(found, format!("{}\n", place.display()), "{word}");
        let json = sandbox.lane(["path", "--json", word]).json();
        assert_eq!(json["lane"].as_str(), lane, "{word}");
    }
    let guessed = path(&sandbox, "login");
    assert_eq!(guessed.stderr, "'login' is lane 'agent-7/fix-login'\n");
    let certain = path(&sandbox, "topic/search");
    assert_eq!(certain.stderr, "");
    // The main worktree is called so wherever it is.
    sandbox.git(["switch", "-q", "-c", "trunk"]);
    let main = path(&sandbox, "main").ok();
    assert_eq!(main, format!("{}\n", sandbox.repo.display()));
    // A lane's own name comes before everything.
    sandbox.git(["switch", "-q", "main"]);
    sandbox.lane(["start", "by"]).ok();
    let own = path(&sandbox, "by").ok();
    assert_eq!(own, format!("{}\n", sandbox.lane_path("by").display()));
}

#[test]
fn what_fits_several_lanes_or_none_leads_nowhere() {
    let sandbox = with_lanes();
    let said = path(&sandbox, "search-").ok();
    assert_eq!(
        said,
        format!("{}\n", sandbox.lane_path("search-index").display())
    );
    let said = path(&sandbox, "sea").fails(1);
    assert!(
        said.contains(
            "'sea' stands in the names of several lanes: 'agent-7/search', 'search-index'"
        ),
        "{said}"
    );
    for word in ["nothing", "", "..", "-x"] {
        let run = sandbox.lane(["path", "--json", "--", word]);
        let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(json["error"]["code"], "no-such-lane", "{word}");
    }
}

/// A script that has kept a name goes into no other lane once the lane has left.
#[test]
fn the_name_of_an_earlier_lane_is_no_part_of_another() {
    let sandbox = with_lanes();
    sandbox.lane(["start", "index", "fix"]).ok();
    sandbox.lane(["drop", "index"]).ok();
    let said = path(&sandbox, "index").fails(1);
    assert!(said.contains("git lane restore index"), "{said}");
    // Also where the trash has forgotten it.
    sandbox.lane(["finish", "fix"]).ok();
    let trash = sandbox.repo.join(".git/lane/trash");
    std::fs::remove_dir_all(trash).unwrap();
    let said = path(&sandbox, "fix").fails(1);
    assert!(said.contains("there is no lane 'fix'"), "{said}");
}

#[test]
fn a_hyphen_leads_to_where_the_user_was_before() {
    let sandbox = with_lanes();
    let login = sandbox.lane_path("agent-7-fix-login");
    let below = login.join("src");
    std::fs::create_dir_all(&below).unwrap();
    let before = |variable: &str, value: &std::path::Path| {
        let mut command = sandbox.command("git-lane");
        let command = command.args(["path", "-"]).current_dir(&sandbox.repo);
        sandbox.run(command.env(variable, value))
    };
    let there = format!("{}\n", login.display());
    assert_eq!(before("OLDPWD", &below).ok(), there);
    assert_eq!(before("GIT_LANE_LAST", &login).ok(), there);
    for elsewhere in [sandbox.root(), "/nowhere".into(), "src".into()] {
        let said = before("OLDPWD", &elsewhere).fails(1);
        assert!(said.contains("in no worktree of this repository"), "{said}");
    }
}
