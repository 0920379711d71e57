//! Several lanes at once: none stops the others, and stacks go from the ground up.

use super::*;

/// Lanes that change the same line, another one, and nothing.
fn three() -> Sandbox {
    let sandbox = conflicting();
    sandbox.lane(["start", "search", "--base", "main~1"]).ok();
    sandbox.git(["config", "lane.search.base", "refs/heads/main"]);
    sandbox.work("search", "search.txt", "search\n");
    sandbox.lane(["start", "even"]).ok();
    sandbox
}

#[test]
fn each_lane_has_its_verdict_and_the_exit_code_is_the_worst() {
    let sandbox = three();
    let before = state(&sandbox);
    let run = sandbox.lane(["sync", "login", "search", "even", "nobody", "--json"]);
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let verdict = |name: &str| {
        let lanes = document["lanes"].as_array().unwrap();
        let lane = lanes.iter().find(|lane| lane["lane"] == name).unwrap();
        lane["verdict"].as_str().unwrap().to_owned()
    };
    assert_eq!(verdict("login"), "conflict");
    assert_eq!(verdict("search"), "synced");
    assert_eq!(verdict("even"), "up-to-date");
    assert_eq!(verdict("nobody"), "no-such-lane");
    let error = run.fails(3);
    assert!(
        error.contains("2 of 4 lanes have not been synced"),
        "{error}"
    );
    assert_eq!(
        read(sandbox.lane_path("search").join("src/app.txt")),
        "one\ntwo\nthird\n"
    );
    // All of the lane's own; the refs after it hold the other lanes too.
    let own = |state: &str| {
        state
            .splitn(4, "\n--\n")
            .take(3)
            .collect::<Vec<_>>()
            .join("\n")
    };
    assert_eq!(own(&state(&sandbox)), own(&before));
}

#[test]
fn a_refusal_alone_is_exit_code_one() {
    let sandbox = diverged();
    sandbox.lane(["start", "search"]).ok();
    sandbox.git_in(&sandbox.lane_path("search"), ["checkout", "-q", "--detach"]);
    sandbox.lane(["sync", "login", "search"]).fails(1);
    assert_eq!(sandbox.git(["rev-list", "--count", "login..main"]), "0");
}

/// What the lower lane takes comes into the upper one by the same command.
#[test]
fn a_stack_is_synced_from_the_ground_up() {
    for strategy in ["merge", "rebase"] {
        let sandbox = Sandbox::new();
        sandbox.lane(["start", "zero"]).ok();
        sandbox.work("zero", "zero.txt", "zero\n");
        sandbox.lane(["start", "mid", "--base", "zero"]).ok();
        sandbox.work("mid", "mid.txt", "mid\n");
        sandbox.lane(["start", "above", "--base", "mid"]).ok();
        sandbox.work("above", "above.txt", "above\n");
        advance(&sandbox);
        let args = ["sync", "above", "mid", "zero", "--strategy", strategy];
        let foretold = sandbox.lane(args.iter().chain(&["--dry-run"])).ok();
        let foretold: Vec<_> = foretold.lines().collect();
        assert!(foretold[0].starts_with("would sync lane 'zero' with 'main' ("));
        assert_eq!(
            foretold[1..],
            [
                "would sync lane 'mid' with 'zero', once that is synced",
                "would sync lane 'above' with 'mid', once that is synced",
            ]
        );
        let text = sandbox.lane(args).ok();
        let order: Vec<_> = text
            .lines()
            .map(|line| line.split('\'').nth(1).unwrap())
            .collect();
        assert_eq!(order, ["zero", "mid", "above"], "{text}");
        assert_eq!(sandbox.git(["rev-list", "--count", "above..main"]), "0");
        let path = sandbox.lane_path("above");
        for file in ["zero.txt", "mid.txt", "above.txt", "other.txt"] {
            assert!(path.join(file).exists(), "{file}");
        }
        let ahead = sandbox.git(["rev-list", "--count", "--no-merges", "main..above"]);
        assert_eq!(ahead, "3", "{strategy}");
    }
}

#[test]
fn a_lane_named_twice_is_synced_once() {
    let sandbox = diverged();
    let text = sandbox.lane(["sync", "login", "login"]).ok();
    assert_eq!(text.lines().count(), 1, "{text}");
}

#[test]
fn no_lane_at_all_is_no_failure() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.lane(["sync", "--all"]).ok(), "");
    let document = sandbox.lane(["sync", "--all", "--json"]).json();
    assert_eq!(document["lanes"], serde_json::json!([]));
}
