//! Names that are one where `core.ignoreCase` or `core.precomposeUnicode` says so: each verb means the lane
//! that is there, and none makes a second one.

use std::process::Stdio;

use crate::support::{Sandbox, skipped, write};

/// Both forms of one word.
const COMPOSED: &str = "caf\u{e9}";
const DECOMPOSED: &str = "cafe\u{301}";

/// With lane `login`, and the setting that says which names are one.
fn sandbox(setting: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.git(["config", setting, "true"]);
    sandbox.lane(["start", "login"]).ok();
    sandbox
}

/// Whether the file system of the sandbox takes names that differ in case for one.
fn folds(sandbox: &Sandbox) -> bool {
    sandbox.repo.join("readme").exists()
}

fn code(sandbox: &Sandbox, args: &[&str]) -> (String, i32) {
    let run = sandbox.lane([&["--json"], args].concat());
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap_or_default();
    let code = document["error"]["code"].as_str().unwrap_or("none");
    // Where they are one file too, it is the lane's own branch.
    (code.replace("branch-owned", "branch-conflict"), run.code)
}

/// The lanes that are recorded.
fn names(sandbox: &Sandbox) -> Vec<String> {
    let list = "git config --name-only --get-regexp '^lane\\..*\\.id$' | sort";
    let keys = sandbox.sh(list).ok();
    let name = |key: &str| Some(key.strip_prefix("lane.")?.strip_suffix(".id")?.to_owned());
    keys.lines().filter_map(name).collect()
}

#[test]
fn what_would_make_a_second_one_is_refused() {
    let sandbox = sandbox("core.ignoreCase");
    sandbox.lane(["start", "topic/one"]).ok();
    sandbox.git(["branch", "Free"]);
    sandbox.git(["worktree", "add", "-q", "../there", "-b", "here"]);
    let before = sandbox.fingerprint();
    for (args, expected) in [
        (&["start", "Login"][..], "lane-exists"),
        (&["start", "LOGIN", "--detach"], "lane-exists"),
        (&["start", "Login", "--branch", "other"], "lane-exists"),
        (&["start", "-n", "Login"], "lane-exists"),
        (&["start", "other", "--branch", "Login"], "branch-conflict"),
        (&["start", "Topic/two"], "branch-conflict"),
        (&["start", "Topic"], "branch-conflict"),
        (&["rename", "topic/one", "Login"], "lane-exists"),
        (&["rename", "login", "Topic/two"], "branch-conflict"),
        (&["adopt", "../there", "--name", "Login"], "lane-exists"),
    ] {
        assert_eq!(code(&sandbox, args), (expected.into(), 1), "{args:?}");
    }
    assert_eq!(sandbox.fingerprint(), before);
    if !folds(&sandbox) {
        let found = code(&sandbox, &["start", "free"]);
        assert_eq!(found, ("branch-conflict".into(), 1));
    } else {
        // git finds it by that name too, and the lane has it as it is called.
        sandbox.lane(["start", "free"]).ok();
        assert_eq!(sandbox.git(["config", "lane.free.branch"]), "Free");
    }
    let run = sandbox.lane(["start", "Login", "--detach"]);
    assert!(
        run.stderr.contains("cannot be beside lane 'login'"),
        "{run}"
    );
    assert!(run.stderr.contains("git lane path login"), "{run}");
    run.fails(1);
}

/// What is planned counts too: nothing is made where two of the names are one.
#[test]
fn no_start_makes_both_of_them() {
    let sandbox = sandbox("core.ignoreCase");
    let lines = "{\"name\":\"New\"}\n{\"name\":\"new\"}\n";
    let tasks = sandbox.root().join("tasks.jsonl");
    write(&tasks, lines);
    let from = ["start", "--detach", "--from", tasks.to_str().unwrap()];
    for args in [&["start", "--detach", "New", "new"][..], &from] {
        assert_eq!(code(&sandbox, args), ("lane-exists".into(), 1), "{args:?}");
    }
    let branches = ["start", "a", "--branch", "New"];
    sandbox.lane(branches).ok();
    assert_eq!(
        code(&sandbox, &["start", "NEW"]),
        ("branch-conflict".into(), 1)
    );
    assert_eq!(names(&sandbox), ["a", "login"]);
}

/// Every verb that is told a name, and what is left of lane `login`.
#[test]
fn the_lane_is_meant_by_any_of_its_spellings() {
    let sandbox = sandbox("core.ignoreCase");
    sandbox.work("login", "file", "one\n");
    for args in [
        &["path", "Login"][..],
        &["show", "LOGIN"],
        &["mark", "Login", "ready"],
        &["wait", "Login", "--until", "settled"],
        &["diff", "Login"],
        &["check", "Login"],
        &["sync", "Login"],
        &["base", "Login"],
        &["exec", "Login", "--", "true"],
        &["finish", "Login", "--keep"],
        &["rename", "LogIn", "Login"],
        &["drop", "lOGIN", "--force"],
        &["restore", "login"],
        &["drop", "Login", "login", "--force"],
        &["restore", "LOGIN"],
        &["log", "login"],
        &["undo", "Login", "-n"],
    ] {
        let run = sandbox.lane(args);
        assert_eq!(run.code, 0, "{args:?} {run}");
    }
    assert_eq!(names(&sandbox), ["Login"]);
    let log = sandbox.lane(["log", "LOGIN", "--json"]).json();
    assert!(!log["events"].as_array().unwrap().is_empty());
}

#[test]
fn the_very_name_is_meant_first() {
    let sandbox = Sandbox::new();
    if folds(&sandbox) {
        return skipped("two lanes of such names cannot be here");
    }
    sandbox.lane(["start", "Login", "login"]).ok();
    sandbox.git(["config", "core.ignoreCase", "true"]);
    let places = ["Login", "login"].map(|name| sandbox.lane(["path", name]).ok());
    assert_ne!(places[0], places[1]);
    sandbox.lane(["drop", "login", "--force"]).ok();
    assert_eq!(names(&sandbox), ["Login"]);
    // Its name is not free here.
    assert_eq!(
        code(&sandbox, &["restore", "login"]),
        ("lane-exists".into(), 1)
    );
    sandbox.lane(["drop", "Login", "--force"]).ok();
    sandbox.lane(["restore", "login"]).ok();
    assert_eq!(names(&sandbox), ["login"]);
}

#[test]
fn without_the_setting_they_are_two() {
    let sandbox = Sandbox::new();
    if folds(&sandbox) {
        return skipped("two lanes of such names cannot be here");
    }
    sandbox
        .lane(["start", "login", "Login", COMPOSED, DECOMPOSED])
        .ok();
    assert_eq!(names(&sandbox).len(), 4);
    sandbox.lane(["show", "LOGIN"]).fails(1);
}

/// As git takes its own arguments where file names have both forms.
#[test]
fn a_composed_name_and_its_parts_are_one() {
    let sandbox = sandbox("core.precomposeUnicode");
    sandbox.lane(["start", DECOMPOSED]).ok();
    assert_eq!(names(&sandbox), [COMPOSED, "login"]);
    sandbox.lane(["start", DECOMPOSED]).ok();
    sandbox.lane(["start", COMPOSED]).ok();
    assert_eq!(names(&sandbox), [COMPOSED, "login"]);
    sandbox.lane(["path", DECOMPOSED]).ok();
    sandbox.lane(["rename", "login", "e\u{301}te"]).ok();
    assert_eq!(names(&sandbox), [COMPOSED, "\u{e9}te"]);
    sandbox.lane(["show", "Login"]).fails(1);
    sandbox.lane(["drop", DECOMPOSED, "--force"]).ok();
    sandbox.lane(["restore", DECOMPOSED]).ok();
    let branch = format!("refs/heads/{COMPOSED}");
    sandbox.git(["rev-parse", "--verify", "-q", &branch]);
}

/// Two starts at one moment look again under the lock.
#[test]
fn of_two_starts_at_once_one_makes_it() {
    let sandbox = sandbox("core.ignoreCase");
    let starts: Vec<_> = ["new", "New", "NEW", "nEW"]
        .map(|name| {
            let mut command = sandbox.command("git-lane");
            command.args(["start", "--detach", name]);
            command.stdout(Stdio::null()).stderr(Stdio::null());
            command.spawn().unwrap()
        })
        .into_iter()
        .collect();
    for mut start in starts {
        start.wait().unwrap();
    }
    assert_eq!(names(&sandbox).len(), 2, "{:?}", names(&sandbox));
    assert_eq!(sandbox.findings(), Vec::<String>::new());
}

/// The real thing: a repository that `git init` has found to be on such a file system.
#[test]
fn on_a_file_system_that_folds_case() {
    let sandbox = Sandbox::new();
    if !folds(&sandbox) {
        return skipped("the file system of the temporary directory does not fold case");
    }
    sandbox.git(["config", "core.ignoreCase", "true"]);
    sandbox.lane(["start", "Login"]).ok();
    assert_eq!(
        code(&sandbox, &["start", "login"]),
        ("lane-exists".into(), 1)
    );
    sandbox.lane(["rename", "login", "login"]).ok();
    let branches = sandbox.git(["for-each-ref", "--format=%(refname)", "refs/heads/"]);
    assert!(branches.contains("refs/heads/login"), "{branches}");
    sandbox.lane(["drop", "LOGIN", "--force"]).ok();
    sandbox.lane(["restore", "Login"]).ok();
    assert_eq!(names(&sandbox), ["login"]);
    assert_eq!(sandbox.findings(), Vec::<String>::new());
}

/// A lane comes back only where no branch is found by its branch's name that is called otherwise.
#[test]
fn a_branch_of_another_spelling_is_in_the_way_of_a_return() {
    let sandbox = sandbox("core.ignoreCase");
    sandbox.lane(["drop", "login", "--force"]).ok();
    sandbox.git(["branch", "-q", "LOGIN"]);
    assert_eq!(
        code(&sandbox, &["restore", "login"]),
        ("branch-exists".into(), 1)
    );
    sandbox.git(["branch", "-q", "-D", "LOGIN"]);
    sandbox.lane(["restore", "Login"]).ok();
    assert_eq!(names(&sandbox), ["login"]);
}
