//! What the user sees, as a whole: help, tables and documents, each in a file of
//! `tests/snapshots/`.

use clap::CommandFactory;
use git_lane::cli::Cli;

use crate::support::{Sandbox, assert_screen, change_entry, write};

/// The short and the long help of the program and of every verb.
#[test]
fn help() {
    let sandbox = Sandbox::empty();
    let command = Cli::command();
    let verbs = command.get_subcommands().filter(|verb| !verb.is_hide_set());
    let names = verbs.map(|verb| verb.get_name());
    for name in [""].into_iter().chain(names) {
        let ask = |option| {
            let words = [name, option].into_iter().filter(|word| !word.is_empty());
            sandbox.lane(words).ok()
        };
        let text = format!("{}\n{}\n{}", ask("-h"), "-".repeat(80), ask("--help"));
        assert_screen(
            &format!("help-{}", if name.is_empty() { "git-lane" } else { name }),
            &text,
        );
    }
}

/// Lanes in every state, worktrees that are none, and two in the trash.
fn shop() -> Sandbox {
    let sandbox = Sandbox::new();
    let task = ["--owner", "claude:7", "--task", "FIX-1"];
    sandbox.lane(["start", "login"].iter().chain(&task)).ok();
    sandbox
        .lane(["start", "search", "gone", "old", "unused", "moved"])
        .ok();
    sandbox.work("login", "login.txt", "x");
    sandbox.write("more.txt", "x");
    sandbox.commit("more");
    write(&sandbox.lane_path("search").join("new.txt"), "x");
    write(&sandbox.lane_path("search").join("README"), "changed");
    sandbox.git_in(
        &sandbox.lane_path("moved"),
        ["switch", "-q", "-c", "elsewhere"],
    );
    sandbox.git(["worktree", "add", "-q", "../other", "-b", "other"]);
    std::fs::remove_dir_all(sandbox.lane_path("gone")).unwrap();
    write(&sandbox.lane_path("old").join("notes"), "x");
    for (lane, ago) in [("old", 194_400), ("unused", 190_800)] {
        let dropped = sandbox.lane(["--json", "drop", "--yes", lane]).json();
        let entry = sandbox.entry_with(dropped["dropped"][0]["trash"].as_str().unwrap());
        change_entry(&entry, |json| {
            json["removed"] = (json["removed"].as_i64().unwrap() - ago).into();
        });
        // As large on every filesystem.
        write(&entry.join("size"), "3145728\n");
    }
    sandbox.long_ago();
    sandbox
}

/// The tables at 80 columns without colour, and the document of each.
#[test]
fn what_there_is() {
    let sandbox = shop();
    for (name, args) in [
        ("list", &["list"][..]),
        ("show", &["show", "login"]),
        ("show-changes", &["show", "search"]),
        ("trash", &["trash"]),
        ("doctor", &["doctor"]),
        ("log", &["log", "-n", "4"]),
        ("config", &["config"]),
    ] {
        sandbox.assert_screen(name, args);
        sandbox.assert_screen(&format!("{name}-json"), &[&["--json"], args].concat());
    }
    // The ages of its text differ.
    sandbox.assert_screen("undo-list-json", &["--json", "undo", "--list"]);
}

/// The board of several agents at 80 columns: how far each is, and who holds what.
#[test]
fn a_board() {
    let sandbox = Sandbox::new();
    for (name, owner, status) in [
        ("fix-login-redirect-loop", "claude:7f3a9c1e", "working"),
        ("invoice-rounding-errors", "claude:b20c44d1", "blocked"),
        ("search-results-paging", "ann", "ready"),
        ("upgrade-to-postgres-17", "ann", ""),
    ] {
        let task = format!("SHOP-41 {name}");
        sandbox
            .lane(["start", name, "--owner", owner, "--task", &task])
            .ok();
        let key = |key: &str| format!("lane.{name}.{key}");
        if !status.is_empty() {
            sandbox.git(["config", &key("status"), status]);
            sandbox.git(["config", &key("statusSince"), "2023-11-14T22:13:20Z"]);
        }
    }
    write(
        &sandbox.lane_path("fix-login-redirect-loop").join("README"),
        "changed",
    );
    write(
        &sandbox.lane_path("fix-login-redirect-loop").join("new"),
        "x",
    );
    sandbox.work("search-results-paging", "paging", "x");
    let claim = [
        "claim",
        "invoice-rounding-errors",
        "--owner",
        "claude:b20c44d1",
    ];
    sandbox.lane(claim).ok();
    for (key, value) in [
        ("claimSince", "2023-11-14T22:13:20Z"),
        ("statusMessage", "whose rounding rule?"),
    ] {
        sandbox.git([
            "config",
            &format!("lane.invoice-rounding-errors.{key}"),
            value,
        ]);
    }
    sandbox.long_ago();
    sandbox.assert_screen("board", &["list"]);
    let chosen = [
        "list",
        "--status",
        "working,blocked",
        "--columns",
        "name,claim,message,task",
    ];
    sandbox.assert_screen("board-columns", &chosen);
}

/// What a command would do, and the document of it.
#[test]
fn what_is_foretold() {
    let sandbox = shop();
    for (name, args) in [
        ("start", &["start", "-n", "new"][..]),
        ("finish", &["finish", "-n", "login"]),
        ("finish-refused", &["finish", "-n", "search"]),
        ("drop", &["drop", "-n", "login"]),
        ("prune", &["prune", "-n", "--older-than", "0s"]),
        ("expire", &["trash", "--expire", "-n"]),
    ] {
        let name = format!("dry-run-{name}");
        sandbox.assert_screen(&name, args);
        sandbox.assert_screen(&format!("{name}-json"), &[&["--json"], args].concat());
    }
}

/// What a command has done, of one lane as text and of another as a document.
#[test]
fn what_was_done() {
    let sandbox = Sandbox::new();
    for args in [
        &["start"][..],
        &["finish"],
        &["restore"],
        &["drop", "--yes"],
        &["undo"],
    ] {
        sandbox.assert_screen(args[0], &[args, &["one"]].concat());
        let document = [&["--json"], args, &["two"]].concat();
        sandbox.assert_screen(&format!("{}-json", args[0]), &document);
        if args[0] == "start" {
            sandbox.work("one", "one.txt", "x");
            sandbox.work("two", "two.txt", "x");
        }
    }
}
