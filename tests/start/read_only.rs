//! Lanes for looking and running alone.

use super::*;

fn code(run: &crate::support::Run) -> String {
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    document["error"]["code"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

/// A lane at the commit before the newest.
fn looking() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("second", "second\n");
    sandbox.commit("second");
    let first = sandbox.git(["rev-parse", "main~1"]);
    let report = sandbox
        .lane(["start", "look", "--read-only", "--base", &first, "--json"])
        .json();
    let lane = &report["lanes"][0];
    assert_eq!(
        (&lane["readOnly"], &lane["branch"]),
        (&true.into(), &serde_json::Value::Null)
    );
    assert_eq!(lane["forkPoint"], *first);
    sandbox
}

#[test]
fn it_has_no_branch_and_says_what_it_is() {
    let sandbox = looking();
    let look = sandbox.lane_path("look");
    assert_eq!(
        sandbox.git_in(&look, ["rev-parse", "--abbrev-ref", "HEAD"]),
        "HEAD"
    );
    assert_eq!(sandbox.git(["config", "lane.look.readOnly"]), "true");
    assert_eq!(sandbox.git(["branch", "--list"]), "* main");
    let text = sandbox.lane(["start", "look"]).ok();
    assert!(text.contains("is there already: read-only"), "{text}");
    sandbox.lane(["start", "look", "--read-only"]).ok();
    sandbox.lane(["start", "work"]).ok();
    let refused = sandbox.lane(["start", "work", "--read-only", "--json"]);
    assert_eq!(code(&refused), "lane-differs", "{refused}");
}

#[test]
fn nothing_lands_from_it_or_comes_into_it() {
    let sandbox = looking();
    let before = sandbox.fingerprint();
    for args in [
        &["finish", "look", "--json"][..],
        &["finish", "look", "--into", "main", "--json"],
        &["sync", "look", "--json"],
    ] {
        let refused = sandbox.lane(args);
        assert_eq!(
            (refused.code, &*code(&refused)),
            (1, "read-only-lane"),
            "{refused}"
        );
        assert!(
            refused.stdout.contains("git lane start NAME --base"),
            "{refused}"
        );
        assert_eq!(sandbox.fingerprint(), before, "{args:?}");
    }
    let trash = ["finish", "look", "--no-land", "--force"];
    sandbox.lane(trash).ok();
    assert!(!sandbox.lane_path("look").exists());
}

#[test]
fn prune_takes_it_as_soon_as_nobody_uses_it() {
    let sandbox = looking();
    let look = sandbox.lane_path("look");
    let kept = |reason: &str| {
        let report = sandbox.lane(["prune", "--json"]).json();
        let found = &report["kept"][0];
        assert_eq!(
            (&found["lane"], &found["code"]),
            (&"look".into(), &reason.into()),
            "{report}"
        );
    };
    write(&look.join("untracked"), "x");
    kept("unsettled");
    std::fs::remove_file(look.join("untracked")).unwrap();
    // A commit that was made in spite of the rule keeps it.
    sandbox.git_in(&look, ["commit", "-q", "--allow-empty", "-m", "mine"]);
    kept("not-integrated");
    sandbox.git_in(&look, ["checkout", "-q", "HEAD~1"]);
    sandbox.git_in(&look, ["reflog", "expire", "--expire=now", "--all"]);
    let claim = sandbox.lane(["claim", "look", "--json"]).json();
    kept("claimed");
    let mut release = sandbox.command("git-lane");
    release.args(["release", "look"]);
    let token = claim["token"].as_str().unwrap();
    sandbox.run(release.env("GIT_LANE_CLAIM", token)).ok();
    let report = sandbox.lane(["prune", "--json"]).json();
    assert_eq!(report["pruned"][0]["code"], "read-only", "{report}");
    assert!(!look.exists());
    sandbox.lane(["restore", "look"]).ok();
    assert_eq!(sandbox.git(["config", "lane.look.readOnly"]), "true");
}

/// Looking at other commits is what it is for.
#[test]
fn prune_takes_it_too_where_another_commit_of_its_base_was_looked_at() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "look", "--read-only"]).ok();
    sandbox.write("second", "second\n");
    sandbox.commit("second");
    let look = sandbox.lane_path("look");
    sandbox.git_in(&look, ["checkout", "-q", "--detach", "main"]);
    let report = sandbox.lane(["prune", "--json"]).json();
    assert_eq!(report["pruned"][0]["code"], "read-only", "{report}");
}
