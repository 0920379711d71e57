//! What somebody else's claim forbids, and nothing is changed by.

use super::{claim, holding, refused};
use crate::support::Sandbox;

/// A lane with a commit of its own, behind its base, that somebody else holds.
fn held() -> (Sandbox, String) {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    sandbox.work("login", "src/new.txt", "work\n");
    sandbox.write("src/base.txt", "base\n");
    sandbox.commit("base");
    let token = claim(&sandbox, &["login", "--owner", "ann"]);
    (sandbox, token)
}

const VERBS: [&[&str]; 9] = [
    &["finish", "login"],
    &["finish", "login", "--keep"],
    &["finish", "login", "--no-land", "--force"],
    &["finish", "login", "other"],
    &["drop", "login", "--yes"],
    &["drop", "login", "--force"],
    &["sync", "login"],
    &["mark", "login", "ready"],
    &["release", "login"],
];

#[test]
fn every_verb_that_changes_a_lane_respects_it() {
    for verb in VERBS {
        let (sandbox, token) = held();
        sandbox.lane(["start", "other"]).ok();
        let before = sandbox.fingerprint();
        let run = sandbox.lane(verb.iter().chain(&["--json"]));
        let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        if verb.contains(&"other") {
            let lanes = document["lanes"].as_array().unwrap();
            let lane = lanes.iter().find(|lane| lane["lane"] == "login").unwrap();
            assert_eq!(lane["verdict"], "claimed");
            run.fails(1);
            continue;
        }
        assert_eq!(refused(run), ("claimed".into(), "ann".into()), "{verb:?}");
        assert_eq!(sandbox.fingerprint(), before, "{verb:?}");
        holding(&sandbox, &token, verb).ok();
    }
}

#[test]
fn verbs_for_many_lanes_pass_it_by() {
    let (sandbox, token) = held();
    sandbox.lane(["start", "empty"]).ok();
    let skipped = sandbox.lane(["sync", "--all", "--json"]).json();
    let lanes = skipped["lanes"].as_array().unwrap();
    let lane = lanes.iter().find(|lane| lane["lane"] == "login").unwrap();
    assert_eq!(lane["skipped"]["code"], "claimed");
    let synced = holding(&sandbox, &token, &["sync", "--all", "--json"]).json();
    let lanes = synced["lanes"].as_array().unwrap();
    let lane = lanes.iter().find(|lane| lane["lane"] == "login").unwrap();
    assert_eq!(lane["verdict"], "synced");
    sandbox.git_in(&sandbox.repo, ["merge", "-q", "login"]);
    let kept = |run: crate::support::Run| {
        let document = run.json();
        let lanes = document["kept"].as_array().unwrap().clone();
        let lane = lanes.into_iter().find(|lane| lane["lane"] == "login");
        lane.map(|lane| lane["code"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(
        kept(sandbox.lane(["prune", "-n", "--json"])),
        Some("claimed".into())
    );
    assert_eq!(
        kept(holding(&sandbox, &token, &["prune", "-n", "--json"])),
        None
    );
}

/// The look at the last moment: the claim came while a hook of the landing ran.
#[test]
fn a_claim_that_comes_during_a_landing_keeps_the_lane() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    sandbox.work("login", "src/new.txt", "work\n");
    let hook = "#!/bin/sh\nunset $(git rev-parse --local-env-vars)\ncd \"$REPO\" && git lane claim login --owner ann >/dev/null 2>&1\n";
    let path = sandbox.repo.join(".git/hooks/post-merge");
    crate::support::write(&path, hook);
    sandbox.sh("chmod +x .git/hooks/post-merge").ok();
    let mut command = sandbox.command("git-lane");
    command.args(["finish", "login", "--json"]);
    let run = sandbox.run(command.env("REPO", &sandbox.repo));
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(document["error"]["code"], "claimed", "{run}");
    assert!(document["landed"].is_object(), "{run}");
    assert!(sandbox.lane_path("login").exists());
}

/// A gate runs for long: what is claimed meanwhile does not land, alone or with others.
#[test]
fn a_claim_that_comes_while_the_gate_runs_keeps_the_base() {
    for names in [&["login"][..], &["login", "search"]] {
        let sandbox = Sandbox::new();
        sandbox.lane(["start", "login", "search"]).ok();
        for name in names {
            sandbox.work(name, &format!("src/{name}.txt"), "work\n");
        }
        let tip = sandbox.git(["rev-parse", "main"]);
        let gate = format!(
            "git -C '{}' lane claim login --owner ann >/dev/null 2>&1 || true",
            sandbox.repo.display()
        );
        let end = ["--gate", &gate, "--json"];
        let run = sandbox.lane(["finish"].iter().chain(names).chain(&end));
        let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        let lane = match names.len() {
            1 => &document,
            _ => {
                let lanes = document["lanes"].as_array().unwrap();
                lanes.iter().find(|lane| lane["lane"] == "login").unwrap()
            }
        };
        assert_eq!(lane["error"]["code"], "claimed", "{run}");
        assert_eq!(lane["error"]["details"]["holder"], "ann", "{run}");
        run.fails(1);
        let landed = sandbox.git(["ls-tree", "--name-only", "main", "src/login.txt"]);
        assert_eq!(landed, "");
        if names.len() == 1 {
            assert_eq!(sandbox.git(["rev-parse", "main"]), tip);
        }
    }
}

/// Who holds a lane may land it behind a gate, together with the lanes of others.
#[test]
fn a_holder_lands_behind_a_gate() {
    let (sandbox, token) = held();
    holding(&sandbox, &token, &["finish", "login", "--gate", "true"]).ok();
    assert!(sandbox.repo.join("src/new.txt").exists());
}

#[test]
fn a_claim_that_comes_during_a_sync_keeps_the_lane_as_it_is() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    sandbox.work("login", "src/new.txt", "work\n");
    sandbox.write("src/base.txt", "base\n");
    sandbox.commit("base");
    let tip = sandbox.git(["rev-parse", "login"]);
    sandbox.hook(
        "pre-merge-commit",
        format!(
            "unset $(git rev-parse --local-env-vars)\ncd '{}' && git lane claim login --owner ann \
             >/dev/null 2>&1",
            sandbox.repo.display()
        ),
    );
    let run = sandbox.lane(["sync", "login", "--json"]);
    assert_eq!(refused(run), ("claimed".into(), "ann".into()));
    assert_eq!(sandbox.git(["rev-parse", "login"]), tip);
}

/// Hooks of the commit run for long too: a claim that comes meanwhile keeps the base, behind a gate as
/// without one.
#[test]
fn a_claim_that_comes_while_the_commit_is_made_keeps_the_base() {
    for gate in [&[][..], &["--gate", "true"]] {
        let sandbox = Sandbox::new();
        sandbox.lane(["start", "login"]).ok();
        sandbox.work("login", "src/new.txt", "work\n");
        let tip = sandbox.git(["rev-parse", "main"]);
        sandbox.hook(
            "commit-msg",
            format!(
                "unset $(git rev-parse --local-env-vars)\ncd '{}' && git lane claim login --owner \
                 ann >/dev/null 2>&1",
                sandbox.repo.display()
            ),
        );
        let run = sandbox.lane(["finish", "login", "--json"].iter().chain(gate));
        assert_eq!(refused(run), ("claimed".into(), "ann".into()), "{gate:?}");
        assert_eq!(sandbox.git(["rev-parse", "main"]), tip, "{gate:?}");
        sandbox.nothing_under_way();
    }
}
