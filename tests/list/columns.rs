//! Which columns the list has, and how they give way on a narrow screen.

use crate::support::{Run, Sandbox, Thirty};

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
        "rate    NAME    TASK   SET\n      * (main)\n0.3     fast    a\\nb   rate=0.3 note=x\\u{1b}[2Jy\n\
         0.1     slow    sweep  rate=0.1\n"
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
        let lists =
            error.contains("name, branch, state, kind, status, message, base, published, age");
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

/// The name that a line begins with, past the mark of the place one stands in.
fn is_named(line: &str, name: &str) -> bool {
    let line = line.strip_prefix("* ").or(line.strip_prefix("  "));
    let rest = line.and_then(|line| line.strip_prefix(name));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("  "))
}

/// At no width, however few the columns of the screen are.
#[test]
fn what_tells_a_row_from_the_others_is_never_cut() {
    let Thirty { sandbox, names } = Thirty::new();
    let place = "../a-place-for-looking-at-things";
    sandbox.git(["worktree", "add", "-q", "--detach", place]);
    let others = ["(main)", "(no lane) by-hand", &format!("(no lane) {place}")];
    for columns in [200, 120, 100, 80, 60, 50, 40, 20, 1] {
        let text = at(&sandbox, columns, &[]).ok();
        for name in names.iter().map(String::as_str).chain(others) {
            let named = text.lines().filter(|line| is_named(line, name));
            assert_eq!(named.count(), 1, "{columns}: {name}: {text}");
        }
        // Wherever a row has more than its name, all of that is there.
        let words = [
            "3 changes",
            "conflicts",
            "merged",
            "unused",
            "rebasing",
            "stray",
        ];
        for word in words.iter().filter(|_| columns >= 40) {
            let full = if *word == "3 changes" {
                "1 changed, 2 untracked"
            } else {
                word
            };
            assert!(
                text.contains(word) || text.contains(full),
                "{columns}: {word}: {text}"
            );
        }
        let named = names.iter().map(String::as_str).chain(others);
        let widest = named.map(str::len).max().unwrap() + 2;
        let fits = |line: &str| line.chars().count() <= columns.max(widest);
        assert!(columns < 40 || text.lines().all(fits), "{columns}: {text}");
    }
}

#[test]
fn those_that_were_chosen_are_cut_and_never_left_out() {
    let Thirty { sandbox, names } = Thirty::new();
    for columns in [120, 80, 60, 40] {
        let text = at(&sandbox, columns, &["--columns", "name,task,path"]).ok();
        assert!(
            text.lines().all(|line| line.chars().count() <= columns),
            "{text}"
        );
        for title in ["NAME", "TASK", "PATH"] {
            assert!(text.contains(title), "{columns}: {text}");
        }
        for name in &names {
            assert!(
                text.lines().any(|line| is_named(line, name)),
                "{columns}: {text}"
            );
        }
    }
}

/// What a program reads is whole, and no row takes two lines.
#[test]
fn a_pipe_gets_every_column_whole() {
    let Thirty { sandbox, names } = Thirty::new();
    let text = sandbox.lane(["list"]).ok();
    assert_eq!(text.lines().count(), names.len() + 3);
    assert!(!text.contains('…') && !text.contains('\u{1b}'), "{text}");
    for words in [
        "run the migrations twice and compare what they leave",
        "../shop.lanes/agent-7-fix-login-form-validation",
        "1 changed, 2 untracked",
        "+1 -4 conflicts",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
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
