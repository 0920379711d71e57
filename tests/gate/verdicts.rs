//! What a gate says decides whether the base moves, and only what it says of its own.

use super::{code, gate, policy, runs, with_lanes};

/// Each way for a gate to end, with exit code and error code, and whether the next finish is told
/// without a run.
#[test]
fn only_success_lands_and_only_an_own_exit_code_is_remembered() {
    for (body, exit, error, remembered) in [
        ("true", 0, "", false),
        ("exit 1", 6, "gate-failed", true),
        ("exit 3", 6, "gate-failed", true),
        ("exit 126", 6, "gate-unjudged", false),
        ("exit 127", 6, "gate-unjudged", false),
        ("kill -9 $$", 6, "gate-unjudged", false),
        ("kill -15 $$", 6, "gate-unjudged", false),
        ("echo more >> src/app.txt", 6, "gate-unjudged", false),
        ("rm src/app.txt", 6, "gate-unjudged", false),
        ("chmod +x src/app.txt", 6, "gate-unjudged", false),
        ("rm -rf \"$PWD\"", 6, "gate-unjudged", false),
        ("echo new > untracked.txt", 0, "", false),
    ] {
        let sandbox = with_lanes(&["a"]);
        let gate = gate(&sandbox, body);
        let before = sandbox.git(["rev-parse", "main"]);
        let run = sandbox.lane(["finish", "a", "--gate", &gate, "--json"]);
        if exit == 0 {
            let _ = run.ok();
            assert_eq!(sandbox.git(["status", "--short"]), "", "{body}");
            continue;
        }
        assert_eq!(code(run, exit), error, "{body}");
        assert_eq!(sandbox.git(["rev-parse", "main"]), before, "{body}");
        assert_eq!(sandbox.git(["status", "--short"]), "", "{body}");
        let again = sandbox.lane(["finish", "a", "--gate", &gate, "--json"]);
        assert_eq!(code(again, exit), error, "{body}");
        assert_eq!(
            runs(&sandbox).len(),
            if remembered { 1 } else { 2 },
            "{body}"
        );
        assert_eq!(
            sandbox.git(["for-each-ref", "refs/lane/landing"]),
            "",
            "{body}"
        );
    }
}

#[test]
fn a_gate_that_hangs_is_ended_by_the_time_limit() {
    let sandbox = with_lanes(&["a"]);
    policy(
        &sandbox,
        "[finish]\ngate = \"sleep 600\"\ngate-time-limit = \"1s\"\n",
    );
    let run = sandbox.lane(["finish", "a", "--json"]);
    assert_eq!(code(run, 6), "gate-timeout");
}

#[test]
fn the_message_has_the_last_lines_and_the_log_has_all() {
    let sandbox = with_lanes(&["a"]);
    let gate = gate(&sandbox, "seq 1 40; echo oops >&2; exit 1");
    let said = sandbox.lane(["finish", "a", "--gate", &gate]).fails(6);
    assert!(
        said.contains("the gate failed for lane 'a' on 'main'"),
        "{said}"
    );
    assert!(said.contains("  | 40\n  | oops\n"), "{said}");
    assert!(!said.contains("  | 1\n"), "{said}");
    let log = said
        .lines()
        .find_map(|line| line.split_once("less "))
        .unwrap()
        .1;
    let log = std::fs::read_to_string(log).unwrap();
    assert!(
        log.contains("\n1\n2\n") && log.ends_with("40\noops\n"),
        "{log}"
    );
}

/// The files are those of the merge, ignored ones of an earlier run stay, and nothing is left to be
/// read on standard input.
#[test]
fn what_is_tested_is_what_lands() {
    let sandbox = with_lanes(&["a", "b"]);
    sandbox.write(".gitignore", "target/\n");
    sandbox.write("src/main.txt", "of main\n");
    sandbox.commit("main goes on");
    let body = "test -f src/a.txt && test -f src/main.txt && test ! -e src/b.txt || exit 1
        test ! -e target/built || exit 2
        mkdir -p target && touch target/built && touch junk
        read line && exit 3
        test \"$(git rev-parse HEAD)\" = \"$GIT_LANE_COMMIT\" || exit 4
        test \"$GIT_LANE_BASE\" = main && test \"$GIT_LANE_NAMES\" = a || exit 5
        test -z \"$(git status --short --untracked-files=no)\" || exit 6";
    let first = gate(&sandbox, body);
    sandbox.lane(["finish", "a", "--gate", &first]).ok();
    let second = gate(
        &sandbox,
        "test -f target/built && test ! -e junk && test -f src/b.txt",
    );
    sandbox.lane(["finish", "b", "--gate", &second]).ok();
}

#[test]
fn the_gate_may_be_left_out_unless_the_policy_says_no() {
    let sandbox = with_lanes(&["a", "b"]);
    policy(&sandbox, "[finish]\ngate = \"false\"\n");
    assert_eq!(
        code(sandbox.lane(["finish", "a", "--json"]), 6),
        "gate-failed"
    );
    sandbox.lane(["finish", "a", "--no-gate"]).ok();
    policy(
        &sandbox,
        "[finish]\ngate = \"false\"\ngate-required = true\n",
    );
    assert_eq!(
        code(sandbox.lane(["finish", "b", "--no-gate", "--json"]), 1),
        "gate-required"
    );
}

#[test]
fn check_runs_the_gate_and_lands_nothing() {
    let sandbox = with_lanes(&["a"]);
    let passes = gate(&sandbox, "test -f src/a.txt");
    policy(&sandbox, &format!("[finish]\ngate = \"{passes}\"\n"));
    let before = sandbox.git(["rev-parse", "main"]);
    let found = sandbox.lane(["check", "a", "--gate", "--json"]).json();
    assert_eq!(found["gate"][0], passes.as_str());
    assert_eq!(sandbox.git(["rev-parse", "main"]), before);
    sandbox.lane(["finish", "a"]).ok();
    // The landing had the same files, and the receipt counts.
    assert_eq!(runs(&sandbox), ["a"]);
    let lane = sandbox.lane(["start", "b"]);
    lane.ok();
    sandbox.work("b", "src/app.txt", "other\n");
    policy(&sandbox, "[finish]\ngate = \"exit 9\"\n");
    assert_eq!(
        code(sandbox.lane(["check", "b", "--gate", "--json"]), 6),
        "gate-failed"
    );
}

#[test]
fn a_lane_that_brings_a_gate_has_to_pass_it() {
    let sandbox = with_lanes(&["a"]);
    sandbox.work("a", "lane.toml", "[finish]\ngate = \"false\"\n");
    // Nobody is there to approve it.
    assert_eq!(
        code(sandbox.lane(["finish", "a", "--json"]), 1),
        "not-approved"
    );
}

/// A gate that gets stricter while it runs: what was tested is not enough any more.
#[test]
fn a_policy_that_changes_under_a_running_gate_counts() {
    let sandbox = with_lanes(&["a"]);
    let file = sandbox.root().join("home/.config/git-lane/lane.toml");
    let stricter = "[finish]\ngate = \"exit 5\"\n";
    let body = format!("printf '%s' '{stricter}' > '{}'", file.display());
    let gate = gate(&sandbox, &body);
    policy(&sandbox, &format!("[finish]\ngate = \"{gate}\"\n"));
    let said = sandbox.lane(["finish", "a"]).fails(6);
    assert!(said.contains("'exit 5' ended with exit code 5"), "{said}");
    assert_eq!(sandbox.git(["rev-list", "--count", "main"]), "1");
}

/// The base moves while the gate runs: the same tree needs no other run, another one does.
#[test]
fn a_base_that_moves_under_a_running_gate_is_landed_on_where_it_is() {
    for (commit, expected) in [("--allow-empty", 1), ("-a", 2)] {
        let sandbox = with_lanes(&["a"]);
        let once = sandbox.root().join("home/once");
        let body = format!(
            "mkdir '{}' 2>/dev/null || exit 0
             unset $(git rev-parse --local-env-vars)
             cd '{}' && echo more >> src/app.txt && git commit -q {commit} -m meanwhile
             git checkout -q src/app.txt",
            once.display(),
            sandbox.repo.display(),
        );
        let gate = gate(&sandbox, &body);
        sandbox.lane(["finish", "a", "--gate", &gate]).ok();
        assert_eq!(
            sandbox.git(["log", "-1", "--format=%s", "main^1"]),
            "meanwhile"
        );
        assert_eq!(runs(&sandbox).len(), expected, "{commit}");
        assert_eq!(sandbox.git(["status", "--short"]), "");
    }
}

/// What comes into a lane while the gate runs, or takes it away, is not passed over.
#[test]
fn a_lane_that_changes_while_its_gate_runs_does_not_land() {
    for change in [
        "git lane drop -y a",
        "git commit -q --amend -m other",
        "git commit -q --allow-empty -m more",
        "echo new > untracked",
        "echo more >> src/a.txt",
    ] {
        let sandbox = with_lanes(&["a"]);
        let lane = sandbox.lane_path("a");
        let body = format!(
            "unset $(git rev-parse --local-env-vars); cd '{}' && {change}; exit 0",
            lane.display()
        );
        let gate = gate(&sandbox, &body);
        let _ = sandbox.lane(["finish", "a", "--gate", &gate]).fails(1);
        assert_eq!(
            sandbox.git(["rev-list", "--count", "main"]),
            "1",
            "{change}"
        );
    }
}

/// A gate that wants to land would wait for itself.
#[test]
fn a_gate_cannot_land() {
    let sandbox = with_lanes(&["a", "b"]);
    let gate = format!("cd '{}' && git lane finish b", sandbox.repo.display());
    let said = sandbox.lane(["finish", "a", "--gate", &gate]).fails(6);
    assert!(
        said.contains("the gate of a landing cannot land another lane"),
        "{said}"
    );
}
