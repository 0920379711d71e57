//! `git lane base`

use crate::support::{Sandbox, checked_document};

/// `main` with a second commit, `release` at the first, and a lane with two commits on `main`.
fn shop() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.git(["branch", "release"]);
    sandbox.write("second", "second\n");
    sandbox.commit("second");
    sandbox.lane(["start", "login"]).ok();
    sandbox.work("login", "one", "one\n");
    sandbox.work("login", "two", "two\n");
    sandbox
}

fn record(sandbox: &Sandbox, lane: &str) -> [String; 2] {
    ["base", "forkPoint"].map(|key| sandbox.git(["config", &format!("lane.{lane}.{key}")]))
}

#[test]
fn another_base_has_another_fork_point_and_lands_there() {
    let sandbox = shop();
    let shown = sandbox.lane(["base", "login"]).ok();
    assert!(
        shown.starts_with("the base of lane 'login' is 'main'\n"),
        "{shown}"
    );
    assert!(shown.ends_with(", 2 commits of its own\n"), "{shown}");
    let json = sandbox.lane(["--json", "base", "login", "release"]).json();
    let fork = sandbox.git(["rev-parse", "release"]);
    assert_eq!(
        record(&sandbox, "login"),
        ["refs/heads/release".to_owned(), fork.clone()]
    );
    assert_eq!(
        (
            &json["base"],
            &json["forkPoint"],
            &json["commits"],
            &json["was"]["base"]
        ),
        (
            &"refs/heads/release".into(),
            &fork.into(),
            &3.into(),
            &"refs/heads/main".into()
        )
    );
    let log = sandbox.lane(["log", "login"]).ok();
    assert!(log.contains("base 'release'"), "{log}");
    sandbox.lane(["finish", "login"]).ok();
    assert_eq!(sandbox.git(["show", "release:two"]), "two");
    sandbox.git_fails(["show", "main:two"]);
}

#[test]
fn undo_gives_base_and_fork_point_back() {
    let sandbox = shop();
    let before = record(&sandbox, "login");
    sandbox.lane(["base", "login", "release"]).ok();
    let told = sandbox.lane(["undo", "login"]).ok();
    assert!(
        told.contains("took back the change of the base of lane 'login'"),
        "{told}"
    );
    assert_eq!(record(&sandbox, "login"), before);
    // A base that is gone is none to come back.
    sandbox.lane(["base", "login", "release"]).ok();
    sandbox.lane(["base", "login", "main"]).ok();
    sandbox.git(["branch", "-q", "-D", "release"]);
    let run = sandbox.lane(["--json", "undo", "login"]);
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(document["error"]["code"], "base-missing", "{run}");
    run.fails(1);
}

/// Commits that a rewritten base has lost do not count as the lane's.
#[test]
fn the_reflog_of_the_base_is_asked() {
    let sandbox = shop();
    sandbox.git(["switch", "-q", "-c", "next"]);
    sandbox.write("third", "third\n");
    let third = sandbox.commit("third");
    sandbox.lane(["start", "upper", "--base", "next"]).ok();
    sandbox.work("upper", "three", "three\n");
    sandbox.git(["commit", "-q", "--amend", "-m", "third, better"]);
    sandbox.lane(["base", "upper", "main"]).ok();
    let json = sandbox.lane(["--json", "base", "upper", "next"]).json();
    assert_eq!(
        (&json["forkPoint"], &json["commits"]),
        (&third.into(), &1.into()),
        "{json}"
    );
}

#[test]
fn a_stack_is_built_and_taken_apart() {
    let sandbox = shop();
    sandbox.lane(["start", "upper", "--base", "main"]).ok();
    sandbox.git_in(&sandbox.lane_path("upper"), ["merge", "-q", "login"]);
    sandbox.work("upper", "three", "three\n");
    let json = sandbox.lane(["--json", "base", "upper", "login"]).json();
    assert_eq!(
        (&json["base"], &json["commits"]),
        (&"refs/heads/login".into(), &1.into())
    );
    sandbox.lane(["finish", "login"]).ok();
    assert_eq!(record(&sandbox, "upper")[0], "refs/heads/main");
}

#[test]
fn what_can_be_no_base() {
    for (code, base) in [
        ("no-such-base", "nothing"),
        ("no-such-base", "v1"),
        ("no-such-base", "HEAD~1"),
        ("onto-itself", "login"),
        ("onto-itself", "alias"),
        ("base-cycle", "upper"),
        ("base-cycle", "top"),
        ("unrelated", "orphan"),
    ] {
        let sandbox = shop();
        sandbox.git(["tag", "v1"]);
        sandbox.git(["symbolic-ref", "refs/heads/alias", "refs/heads/login"]);
        sandbox.lane(["start", "upper", "--base", "login"]).ok();
        sandbox.lane(["start", "top", "--base", "upper"]).ok();
        let empty = sandbox.git(["commit-tree", "-m", "orphan", "HEAD^{tree}"]);
        sandbox.git(["branch", "orphan", &empty]);
        let before = record(&sandbox, "login");
        for dry_run in [&["-n"][..], &[]] {
            let args = ["--json", "base", "login", base];
            let run = sandbox.lane(args.iter().chain(dry_run));
            let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
            assert_eq!(document["error"]["code"], code, "{base}: {run}");
            run.fails(1);
        }
        assert_eq!(record(&sandbox, "login"), before);
    }
}

#[test]
fn inside_a_lane_and_of_one_that_is_anothers() {
    let sandbox = shop();
    let path = sandbox.lane_path("login");
    let shown = sandbox.lane_in(&path, ["base"]).ok();
    assert!(
        shown.starts_with("the base of lane 'login' is 'main'\n"),
        "{shown}"
    );
    let said = sandbox.lane_in(&path, ["base", "release"]).fails(1);
    assert!(said.contains("git lane base login release"), "{said}");
    sandbox.lane(["claim", "login", "--for", "1h"]).ok();
    let said = sandbox.lane(["base", "login", "release"]).fails(1);
    assert!(said.contains("is claimed by"), "{said}");
}

/// Two commands that each see a base that fits make no cycle together.
#[test]
fn a_cycle_is_looked_for_under_the_lock() {
    let sandbox = shop();
    sandbox.lane(["start", "upper"]).ok();
    let lock = std::fs::File::open(sandbox.repo.join(".git/lane/lock")).unwrap();
    lock.lock().unwrap();
    let begin = |lane: &str, base: &str| {
        let mut command = sandbox.command("git-lane");
        let command = command.args(["--json", "base", lane, base]);
        let command = command.stdout(std::process::Stdio::piped());
        command
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap()
    };
    let both = [begin("login", "upper"), begin("upper", "login")];
    std::thread::sleep(std::time::Duration::from_millis(700));
    lock.unlock().unwrap();
    let ended = both.map(|child| child.wait_with_output().unwrap());
    let [one, other] = &ended;
    assert_ne!(one.status.success(), other.status.success(), "{ended:?}");
    let refused = if one.status.success() { other } else { one };
    let document = checked_document("base", &String::from_utf8_lossy(&refused.stdout));
    assert_eq!(document["error"]["code"], "base-cycle", "{document}");
}

#[test]
fn an_undo_closes_no_cycle() {
    let sandbox = shop();
    sandbox.lane(["start", "upper", "--base", "login"]).ok();
    sandbox.lane(["base", "upper", "main"]).ok();
    sandbox.lane(["base", "login", "upper"]).ok();
    let before = [record(&sandbox, "login"), record(&sandbox, "upper")];
    let run = sandbox.lane(["--json", "undo", "upper"]);
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(document["error"]["code"], "base-cycle", "{run}");
    run.fails(1);
    assert_eq!(
        [record(&sandbox, "login"), record(&sandbox, "upper")],
        before
    );
}

/// It is no step that an undo would mean.
#[test]
fn the_base_that_it_has_already_is_no_change() {
    let sandbox = shop();
    let said = sandbox.lane(["base", "login", "main"]).ok();
    assert!(
        said.starts_with("the base of lane 'login' is already 'main'\n"),
        "{said}"
    );
    let told = sandbox.lane(["--json", "undo", "--list", "login"]).json();
    assert_eq!(told["steps"].as_array().unwrap().len(), 1, "{told}");
}

#[test]
fn the_doctor_names_what_can_be_no_base() {
    let sandbox = shop();
    sandbox.lane(["start", "upper", "--base", "login"]).ok();
    sandbox.lane(["start", "late", "--base", "release"]).ok();
    sandbox.git(["config", "lane.login.base", "refs/heads/upper"]);
    sandbox.git(["branch", "-q", "-D", "release"]);
    assert_eq!(sandbox.findings(), ["base-cycle", "missing-base"]);
    let said = sandbox.lane(["doctor"]);
    for (words, hint) in [
        (
            "lanes 'login', 'upper' are based on each other in a circle",
            "git lane base login BRANCH",
        ),
        (
            "the base 'release' of lane 'late' is gone",
            "git lane base late BRANCH",
        ),
    ] {
        assert!(said.stdout.contains(words), "{said}");
        assert!(said.stdout.contains(hint), "{said}");
    }
    sandbox.lane(["base", "login", "main"]).ok();
    sandbox.lane(["base", "late", "main"]).ok();
    assert_eq!(sandbox.findings(), Vec::<String>::new());
}
