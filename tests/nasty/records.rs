//! Rows 24 to 26: what the lane sections of the configuration may say.

use super::assert_calm;
use crate::support::{Sandbox, write};

/// A base that is gone, a tag, an option, a search, a reflog entry: a full ref name, or refused.
#[test]
fn row_24_a_base_that_is_no_branch() {
    for (base, usable) in [
        ("refs/heads/gone", true),
        ("refs/tags/v1", true),
        ("--output=pwned", false),
        (":/first", false),
        ("HEAD@{1}", false),
        ("HEAD", false),
        ("main", false),
        ("refs/heads/../x", false),
    ] {
        let sandbox = Sandbox::new();
        sandbox.git(["tag", "v1"]);
        let lane = sandbox.lane_by_git("x");
        sandbox.work("x", "file", "x");
        sandbox.git(["config", "lane.x.base", base]);
        let before = sandbox.fingerprint();
        for args in [
            &["finish", "x"][..],
            &["prune", "--older-than", "0s"],
            &["show", "x"],
            &["list"],
            &["drop", "x"],
        ] {
            let run = sandbox.lane(args);
            assert_calm(&run);
            assert!(run.code == 0 || run.code == 1, "{run}");
            assert!(
                !matches!(args[0], "finish" | "drop") || run.code == 1,
                "{run}"
            );
            assert!(sandbox.fingerprint() == before, "{base}: {run}");
        }
        assert_eq!(
            sandbox.lane(["--json", "drop", "--yes", "x"]).code,
            i32::from(!usable),
            "{base}"
        );
        assert_eq!(lane.exists(), !usable);
        sandbox.nothing_was_started();
    }
}

/// Texts with line feeds, quotes, brackets, comments, backslashes, 10 KB, a trailing carriage
/// return: byte for byte, written by git-lane and read by git, and the other way round.
#[test]
fn row_25_texts_of_every_kind() {
    let long = "0123456789".repeat(1000);
    let texts = [
        "two\nlines\n",
        "\"quoted\"",
        "]",
        "[lane \"y\"]\n\tworktree = /",
        "# ; comment",
        "back\\slash\\",
        "\\n",
        "trailing\r",
        " blanks ",
        "tab\there",
        "é\u{202e}",
        "=",
        "a\u{b}\u{c}b",
        &long,
    ];
    let sandbox = Sandbox::new();
    for (number, text) in texts.iter().enumerate() {
        let name = format!("l{number}");
        sandbox
            .lane(["start", "--task", text, "--owner", text, &name])
            .ok();
        for key in ["task", "owner"] {
            let args = ["config", "-z", "--get-all", &format!("lane.{name}.{key}")];
            let read = sandbox.run(sandbox.command("git").args(args)).ok();
            assert_eq!(read, format!("{text}\0"), "{text:?}");
        }
        sandbox.git(["config", &format!("lane.{name}.owner"), text]);
        let shown = sandbox.lane(["--json", "show", &name]).json();
        assert_eq!(
            (&shown["task"], &shown["owner"]),
            (&(*text).into(), &(*text).into()),
            "{text:?}"
        );
    }
    // Everything again, after the file was rewritten by both.
    sandbox.lane(["drop", "l0"]).ok();
    sandbox.git(["config", "lane.l1.extra", "x"]);
    for (number, text) in texts.iter().enumerate().skip(1) {
        assert_eq!(
            sandbox
                .lane(["--json", "show", &format!("l{number}")])
                .json()["task"],
            *text
        );
    }
    sandbox.git_fails(["config", "--get-regexp", r"^lane\.y\."]);
}

/// Subsections in another letter case, with dots, spread over the file: an exact match or none.
#[test]
fn row_26_names_of_sections() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "--task", "small", "a.b/c"]).ok();
    for other in ["A.b/c", "a.B/c", "a.b/C", "a.b", "a", "c"] {
        sandbox.lane(["show", other]).fails(1);
        sandbox.lane(["drop", "--force", other]).fails(1);
    }
    sandbox.lane(["start", "--task", "large", "A.B/C"]).ok();
    sandbox.lane(["start", "--task", "dots", "x.y.z/u.v"]).ok();
    for (name, task) in [
        ("a.b/c", "small"),
        ("A.B/C", "large"),
        ("x.y.z/u.v", "dots"),
    ] {
        assert_eq!(sandbox.lane(["--json", "show", name]).json()["task"], task);
        assert_eq!(sandbox.git(["config", &format!("lane.{name}.task")]), task);
    }
    // One record in two sections, the word in capitals: git reads one record, and so do we.
    let config = sandbox.repo.join(".git/config");
    let text = std::fs::read_to_string(&config).unwrap()
        + "[LANE \"a.b/c\"]\n\tTASK = changed\n[lane \"...\"]\n\tid = 0\n";
    write(&config, text);
    assert_eq!(sandbox.git(["config", "lane.a.b/c.task"]), "changed");
    assert_eq!(
        sandbox.lane(["--json", "show", "a.b/c"]).json()["task"],
        "changed"
    );
    sandbox.lane(["drop", "a.b/c"]).ok();
    let text = std::fs::read_to_string(&config).unwrap();
    assert!(
        !text.contains("a.b/c")
            && text.contains("[lane \"A.B/C\"]")
            && text.contains("[lane \"...\"]"),
        "{text}"
    );
    sandbox.refuses(&["drop", "--force", "..."], "cannot be a lane's name");
}
