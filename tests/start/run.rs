//! `start --exec`: a command in each new lane; `--ephemeral`: a lane in which nothing was done leaves.

use serde_json::Value;

use crate::support::Sandbox;

fn lanes(document: &Value) -> Vec<(&str, &str, bool)> {
    let lanes = document["lanes"].as_array().unwrap().iter();
    let told = lanes.map(|lane| {
        (
            lane["lane"].as_str().unwrap(),
            lane["ran"]["verdict"].as_str().unwrap_or_default(),
            lane["trash"].is_string(),
        )
    });
    told.collect()
}

#[test]
fn the_command_runs_in_each_new_lane_and_its_failure_is_the_exit_code() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "there"]).ok();
    let run = sandbox.lane([
        "start",
        "there",
        "good",
        "bad",
        "--exec",
        "pwd >where; test $GIT_LANE_NAME = good",
        "--json",
    ]);
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(
        lanes(&document),
        [
            ("there", "", false),
            ("good", "succeeded", false),
            ("bad", "command-failed", false)
        ]
    );
    run.fails(6);
    for name in ["good", "bad"] {
        let place = sandbox.lane_path(name);
        let found = std::fs::read_to_string(place.join("where")).unwrap();
        assert_eq!(found.trim_end(), place.to_str().unwrap());
    }
    assert!(!sandbox.lane_path("there").join("where").exists());
    // What is told of a command needs one.
    sandbox.lane(["start", "x", "-j", "2"]).fails(2);
    sandbox.lane(["start", "x", "--ephemeral"]).fails(2);
    sandbox
        .lane(["start", "x", "-n", "--exec", "true"])
        .fails(2);
}

/// Everything that anybody could want to keep keeps the lane.
#[test]
fn an_ephemeral_lane_leaves_if_nothing_was_done_in_it() {
    let sandbox = Sandbox::new();
    sandbox.write(".gitignore", "target\n");
    sandbox.commit("ignore");
    for (line, leaves) in [
        ("true", true),
        ("exit 7", true),
        ("kill -9 $$", true),
        ("mkdir target; echo built >target/out", true),
        ("git lane mark done", true),
        (
            "git commit -q --allow-empty -m x; git reset -q --hard HEAD~",
            false,
        ),
        ("git commit -q --allow-empty -m x", false),
        ("echo x >new", false),
        ("echo x >>src/app.txt", false),
        ("echo x >new; git add new; rm new", false),
        ("echo x >new; git stash -qu", true),
        ("git switch -q -c other", false),
        ("git lane mark blocked -m 'which key?'", false),
        (
            "git lane claim --take-over >/dev/null; git lane release --to bob",
            false,
        ),
    ] {
        let run = sandbox.lane(["start", "try", "--ephemeral", "--exec", line, "--json"]);
        let document: Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(
            document["lanes"][0]["trash"].is_string(),
            leaves,
            "{line}: {run}"
        );
        assert_eq!(sandbox.lane_path("try").exists(), !leaves, "{line}");
        let branch = sandbox.git(["branch", "--list", "try"]);
        assert_eq!(branch.is_empty(), leaves, "{line}");
        if leaves {
            sandbox.lane(["restore", "try"]).ok();
        }
        sandbox.lane(["claim", "try", "--take-over"]).ok();
        sandbox.git(["config", "--unset", "lane.try.claim"]);
        sandbox.git(["config", "--unset", "lane.try.claimKey"]);
        sandbox.lane(["drop", "--force", "try"]).ok();
    }
}

/// A branch that was there before its lane stays.
#[test]
fn an_existing_branch_outlives_its_ephemeral_lane() {
    let sandbox = Sandbox::new();
    sandbox.git(["branch", "mine"]);
    sandbox
        .lane(["start", "mine", "--ephemeral", "--exec", "true"])
        .ok();
    assert!(!sandbox.lane_path("mine").exists());
    assert_eq!(sandbox.git(["branch", "--list", "mine"]).trim(), "mine");
}

/// The command is the holder, by being below the git-lane that holds the lane for it; afterwards the
/// caller is.
#[test]
fn the_command_holds_the_lane_that_was_claimed_for_it() {
    let sandbox = Sandbox::new();
    let run = sandbox.lane([
        "start",
        "login",
        "--claim",
        "--for",
        "1h",
        "--exec",
        "git lane mark ready",
        "--json",
    ]);
    let document = run.json();
    assert_eq!(sandbox.git(["config", "lane.login.status"]), "ready");
    sandbox.lane(["mark", "login", "done"]).fails(1);
    let token = document["lanes"][0]["claim"]["token"].as_str().unwrap();
    let mut mark = sandbox.command("git-lane");
    mark.args(["mark", "login", "done"])
        .env("GIT_LANE_CLAIM", token);
    sandbox.run(&mut mark).ok();
}

/// The claim of a start is confirmed only while it is the lane's.
#[test]
fn what_became_of_the_claim_meanwhile_stays() {
    // What runs below the start is the holder; what runs beside it is not.
    for (below, beside, holder) in [
        (
            ":",
            "git lane claim login --take-over --owner bob >/dev/null",
            "bob",
        ),
        ("git lane release login --to bob", "", "bob"),
        ("git lane release login", "", ""),
    ] {
        let sandbox = Sandbox::new();
        sandbox
            .sh(&format!(
                "git lane start login --claim --for 1m --exec \
                     '{below}; >begun; until [ -e go ]; do sleep 0.01; done' & \
                 until [ -e ../shop.lanes/login/begun ]; do sleep 0.01; done
                 {beside}
                 git config --get-regexp '^lane.login.claim' >../then
                 >../shop.lanes/login/go
                 wait $!"
            ))
            .ok();
        let now = sandbox
            .sh("git config --get-regexp '^lane.login.claim'")
            .stdout;
        let then = std::fs::read_to_string(sandbox.root().join("then")).unwrap();
        assert_eq!(now, then, "{below} {beside}");
        let found = sandbox.git(["config", "--default", "", "lane.login.claim"]);
        assert_eq!(found, holder, "{below} {beside}");
    }
}

/// The document has the tokens: while it has not arrived, no claim is to stay.
#[test]
fn claims_whose_tokens_were_lost_with_the_document_are_free() {
    let sandbox = Sandbox::new();
    for options in ["--json", ""] {
        let run = sandbox.sh(&format!(
            "git lane start fresh --claim {options} --exec false >/dev/full 2>/dev/null"
        ));
        assert_ne!(run.code, 0);
        sandbox.lane(["claim", "fresh"]).ok();
        sandbox.git(["config", "--unset", "lane.fresh.claim"]);
        sandbox.git(["config", "--unset", "lane.fresh.claimKey"]);
        sandbox.lane(["drop", "--force", "fresh"]).ok();
    }
}
