//! Which columns the list has, and how they give way on a narrow screen.

use crate::support::{Run, Sandbox};

fn at(sandbox: &Sandbox, columns: usize, args: &[&str]) -> Run {
    let mut command = sandbox.command("git-lane");
    sandbox.run(
        command
            .arg("list")
            .args(args)
            .env("COLUMNS", columns.to_string()),
    )
}

#[test]
fn they_are_chosen_with_their_order() {
    let sandbox = Sandbox::new();
    for (lane, task) in [("slow", "sweep"), ("fast", "a\nb")] {
        sandbox
            .lane(["start", lane, "--task", task, "--owner", "ann"])
            .ok();
    }
    for (lane, set) in [
        ("slow", "rate=0.1"),
        ("fast", "rate=0.3"),
        ("fast", "note=x\u{1b}[2Jy"),
    ] {
        sandbox.git(["config", "--add", &format!("lane.{lane}.set"), set]);
    }
    for lane in ["slow", "fast"] {
        let created = format!("lane.{lane}.created");
        sandbox.git(["config", &created, "2023-11-14T22:13:20Z"]);
    }
    let text = sandbox
        .lane([
            "list",
            "--columns",
            "set.rate,name",
            "--columns",
            "task,set",
        ])
        .ok();
    // What was said stays on its line, and steers no terminal.
    assert_eq!(
        text,
        "rate  NAME    TASK   SET\n      (main)\n0.3   fast    a\\nb   rate=0.3 note=x\\u{1b}[2Jy\n\
         0.1   slow    sweep  rate=0.1\n"
    );
    let text = sandbox
        .lane(["list", "--no-status", "--columns", "created,id,name"])
        .ok();
    let row = text.lines().last().unwrap();
    assert!(
        row.starts_with("2023-11-14T22:13:20Z  ") && row.ends_with("  slow"),
        "{text}"
    );
}

#[test]
fn a_document_has_every_field_whatever_was_chosen() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    let whole = sandbox.lane(["list", "--json"]).json();
    assert_eq!(
        sandbox.lane(["list", "--json", "--columns", "id"]).json(),
        whole
    );
}

#[test]
fn an_unknown_column_is_answered_with_those_there_are() {
    let sandbox = Sandbox::new();
    for wrong in ["tag", "NAME", "name,", "set.", "set.a b", "set"] {
        let run = sandbox.lane(["list", "--columns", wrong]);
        if wrong == "set" {
            run.ok();
            continue;
        }
        let error = run.fails(2);
        let lists = error.contains("name, branch, state, kind, status, message, base, age, owner");
        assert!(
            lists || error.contains("parameter's name"),
            "{wrong}: {error}"
        );
    }
    let run = sandbox.lane(["list", "--columns", "tag", "--json"]);
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let message = document["error"]["message"].as_str().unwrap();
    assert!(message.contains("set.KEY"), "{message}");
    run.fails(2);
}

/// Names as people and agents give them, one of each situation in turn.
fn thirty() -> (Sandbox, Vec<String>) {
    let sandbox = Sandbox::new();
    let topics = [
        "fix-login-redirect-loop",
        "search-paging",
        "claude/invoice-rounding-errors",
    ];
    let names: Vec<String> = (0..30)
        .map(|number| format!("{}-{number}", topics[number % topics.len()]))
        .collect();
    sandbox
        .lane(
            ["start"]
                .into_iter()
                .chain(names.iter().map(String::as_str)),
        )
        .ok();
    for (number, name) in names.iter().enumerate() {
        let key = |key: &str| format!("lane.{name}.{key}");
        let owner = format!("claude:7f3a9c1e-{number}");
        sandbox.git(["config", &key("owner"), &owner]);
        sandbox.git([
            "config",
            &key("task"),
            &format!("SHOP-{number} as the ticket says"),
        ]);
        let status = ["working", "blocked", "ready", "done"][number % 4];
        sandbox.git(["config", &key("status"), status]);
        sandbox.git(["config", &key("statusSince"), "2023-11-14T22:13:20Z"]);
        if number % 3 == 0 {
            sandbox.git(["config", &key("claim"), &owner]);
            sandbox.git(["config", &key("claimKey"), "k"]);
        }
    }
    (sandbox, names)
}

#[test]
fn what_tells_a_row_from_the_others_is_never_cut() {
    let (sandbox, names) = thirty();
    sandbox.git([
        "worktree",
        "add",
        "-q",
        "-b",
        "by-hand-without-a-lane",
        "../by-hand",
    ]);
    sandbox.git([
        "worktree",
        "add",
        "-q",
        "--detach",
        "../a-place-for-looking-at-things",
    ]);
    for columns in [120, 100, 80] {
        let text = at(&sandbox, columns, &[]).ok();
        for name in &names {
            let row = text
                .lines()
                .find(|line| line.split(' ').next() == Some(name));
            assert!(row.is_some(), "{columns}: {name}: {text}");
        }
        for words in ["by-hand-without-a-lane", "../a-place-for-looking-at-things"] {
            assert!(text.contains(words), "{columns}: {words}: {text}");
        }
    }
    // Where no worktree needs them, branch and path make room.
    sandbox.git(["worktree", "remove", "../by-hand"]);
    sandbox.git(["worktree", "remove", "../a-place-for-looking-at-things"]);
    for columns in [100, 80, 72] {
        let text = at(&sandbox, columns, &[]).ok();
        assert!(
            text.lines().all(|line| line.chars().count() <= columns),
            "{text}"
        );
        for name in &names {
            let row = text
                .lines()
                .find(|line| line.split(' ').next() == Some(name));
            let row = row.unwrap_or_else(|| panic!("{columns}: {name}: {text}"));
            let has = |words: &[&str]| words.iter().any(|word| row.contains(word));
            assert!(has(&["working", "blocked", "ready", "done"]), "{text}");
        }
    }
}

#[test]
fn those_that_were_chosen_are_cut_and_never_left_out() {
    let (sandbox, names) = thirty();
    let text = at(&sandbox, 60, &["--columns", "name,task,path"]).ok();
    assert!(
        text.lines().all(|line| line.chars().count() <= 60),
        "{text}"
    );
    assert!(text.starts_with("NAME ") && text.contains("  TASK") && text.contains("  PATH"));
    assert!(
        names.iter().all(|name| text.contains(name.as_str())),
        "{text}"
    );
}

#[test]
fn the_shells_complete_them() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "sweep"]).ok();
    sandbox.git(["config", "--add", "lane.sweep.set", "rate=0.1"]);
    for (typed, wanted) in [
        (&["--columns", "st"][..], "state\nstatus\n"),
        (&["--columns", "name,set.r"], "name,set.rate\n"),
        (&["--status", "b"], "blocked\n"),
    ] {
        let words = ["complete", "--", "git-lane", "list"].iter().chain(typed);
        assert_eq!(sandbox.lane(words).ok(), wanted, "{typed:?}");
    }
}
