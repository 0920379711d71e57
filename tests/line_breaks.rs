//! Names, paths and texts are data: whatever stands in them, no line of what git-lane says is
//! theirs, and nothing in it steers a terminal. JSON has them as they are.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::support::{Run, Sandbox, write};

/// Begins a line, a line once more, and turns what follows around.
const EVIL: &str = "x\nwarning: evil\r\u{1b}[2Kwarning: evil\u{202e}y";

#[track_caller]
fn check(run: &Run) {
    assert!(!run.stderr.contains("panicked"), "{run}");
    for text in [&run.stdout, &run.stderr] {
        let theirs = |line: &str| {
            line.trim_start_matches(['\r', ' '])
                .starts_with("warning: evil")
        };
        assert!(!text.lines().any(theirs), "{run}");
        assert!(
            !text
                .chars()
                .any(|c| c != '\n' && (c.is_control() || c == '\u{202e}')),
            "{run}"
        );
    }
}

/// git-lane for a person in `directory`.
#[track_caller]
fn say<A: AsRef<OsStr>>(sandbox: &Sandbox, directory: &Path, args: &[A]) -> Run {
    let run = sandbox.lane_in(directory, args);
    check(&run);
    run
}

/// Like [`say`], of a command that may be run twice: for a script too, which gets one document.
#[track_caller]
fn ask(sandbox: &Sandbox, directory: &Path, args: &[&str]) {
    let _ = say(sandbox, directory, args);
    let words: Vec<&str> = std::iter::once("--json")
        .chain(args.iter().copied())
        .collect();
    let run = sandbox.lane_in(directory, words);
    check(&run);
    serde_json::from_str::<serde_json::Value>(&run.stdout)
        .unwrap_or_else(|error| panic!("{error}: {run}"));
}

/// A lane `x` whose path, owner and task are [`EVIL`].
fn evil_lane() -> (Sandbox, PathBuf) {
    let sandbox = Sandbox::new();
    let path = sandbox.root().join(EVIL);
    let place = path.to_str().unwrap();
    let run = say(
        &sandbox,
        &sandbox.repo,
        &[
            "start", "x", "--path", place, "--owner", EVIL, "--task", EVIL,
        ],
    );
    assert_eq!(run.code, 0, "{run}");
    (sandbox, path)
}

/// Everything that shows a lane, and every way to take it away that changes nothing.
const QUESTIONS: &[&[&str]] = &[
    &["list"],
    &["list", "--owner", EVIL],
    &["list", "--owner", "x\nwarning: evil"],
    &["show", "x"],
    &["log"],
    &["log", "x"],
    &["doctor"],
    &["trash"],
    &["config"],
    &["init", "--check"],
    &["drop", "-n", "x"],
    &["prune", "-n"],
    &["finish", "-n", "x"],
    &["start", "-n", "x", "--owner", "other\nwarning: evil"],
    &["start", "-n", "x", "--task", "other\nwarning: evil"],
    &["start", "-n", "y", "--branch", "x"],
];

#[test]
fn no_name_of_a_lane_adds_a_line() {
    let (sandbox, path) = evil_lane();
    let ask_all = |sandbox: &Sandbox| {
        for directory in [&sandbox.repo, &path] {
            for question in QUESTIONS {
                ask(sandbox, directory, question);
            }
        }
    };
    ask_all(&sandbox);
    let shown = sandbox.lane(["--json", "show", "x"]).json();
    let lane = &shown["lane"];
    let lane = if lane.is_object() { lane } else { &shown };
    assert_eq!(
        (lane["owner"].as_str(), lane["task"].as_str()),
        (Some(EVIL), Some(EVIL)),
        "{shown}"
    );
    assert!(
        shown
            .to_string()
            .contains(&serde_json::to_string(path.to_str().unwrap()).unwrap()),
        "{shown}"
    );
    // Work that is nowhere else, in a file of that name too.
    write(&path.join(EVIL), "mine");
    ask_all(&sandbox);
    sandbox.git_in(&path, ["add", "-A"]);
    sandbox.git_in(&path, ["commit", "-q", "-m", EVIL]);
    ask_all(&sandbox);
    assert_ne!(say(&sandbox, &sandbox.repo, &["drop", "x"]).code, 0);
    // In the way, then in conflict.
    sandbox.write(EVIL, "theirs");
    ask_all(&sandbox);
    assert_ne!(say(&sandbox, &sandbox.repo, &["finish", "x"]).code, 0);
    sandbox.commit("theirs");
    ask_all(&sandbox);
    assert_eq!(say(&sandbox, &sandbox.repo, &["finish", "x"]).code, 3);
    // Gone with its directory, back into its place, and back where something is.
    assert_eq!(say(&sandbox, &path, &["drop", "--yes", "x"]).code, 0);
    ask_all_but_inside(&sandbox);
    write(&path, "taken");
    assert_ne!(say(&sandbox, &sandbox.repo, &["restore", "x"]).code, 0);
    std::fs::remove_file(&path).unwrap();
    assert_eq!(say(&sandbox, &sandbox.repo, &["restore", "x"]).code, 0);
    // Moved by hand, damaged, gone.
    let moved = sandbox.root().join("moved\nwarning: evil");
    std::fs::rename(&path, &moved).unwrap();
    ask_all_but_inside(&sandbox);
    std::fs::remove_dir_all(&moved).unwrap();
    ask_all_but_inside(&sandbox);
    let _ = say(&sandbox, &sandbox.repo, &["path", "x"]);
    let _ = say(&sandbox, &sandbox.repo, &["finish", "x"]);
    let _ = say(&sandbox, &sandbox.repo, &["prune"]);
}

#[track_caller]
fn ask_all_but_inside(sandbox: &Sandbox) {
    QUESTIONS
        .iter()
        .for_each(|question| ask(sandbox, &sandbox.repo, question));
}

#[test]
fn no_word_of_the_command_line_adds_a_line() {
    let sandbox = Sandbox::new();
    let _ = sandbox.lane(["start", "x"]).ok();
    let option = format!("--{EVIL}");
    for args in [
        &["show", EVIL][..],
        &["path", EVIL],
        &["log", EVIL],
        &["drop", EVIL],
        &["finish", EVIL],
        &["finish", "x", "--into", EVIL],
        &["finish", "x", "--strategy", EVIL],
        &["restore", EVIL],
        &["start", EVIL],
        &["start", "y", "--branch", EVIL],
        &["start", "y", "--base", EVIL],
        &["start", "y", "--sparse", EVIL],
        &["start", "x", "--path", EVIL],
        &["config", EVIL],
        &["completions", EVIL],
        &["shell-init", EVIL],
        &["man", EVIL],
        &["-C", EVIL, "list"],
        &[EVIL],
        &["list", EVIL],
        &["list", &option],
        &["list", "--stat\nwarning: evil"],
    ] {
        let run = say(&sandbox, &sandbox.repo, args);
        assert_ne!(run.code, 0, "{run}");
        let words: Vec<&str> = args.iter().copied().chain(["--json"]).collect();
        check(&sandbox.lane(words));
    }
}

#[test]
fn no_file_in_the_repository_adds_a_line() {
    let (sandbox, path) = evil_lane();
    let lane_dir = sandbox.repo.join(".git/lane");
    let all = || {
        ask_all_but_inside(&sandbox);
        let _ = say(&sandbox, &sandbox.repo, &["start", "z"]);
        let _ = say(&sandbox, &sandbox.repo, &["drop", "--yes", "z"]);
        ask_all_but_inside(&sandbox);
    };
    for (at, is_directory) in [
        ("journal", true),
        ("journal", false),
        ("locks", true),
        ("damaged", false),
        ("trash", true),
    ] {
        let place = lane_dir
            .join(at)
            .join(format!("{EVIL}{is_directory}{at}.json"));
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        if is_directory {
            std::fs::create_dir(&place).unwrap()
        } else {
            std::fs::write(&place, "{").unwrap()
        }
        all();
        // What is set aside stays there, and is named from then on.
        let _ = std::fs::remove_dir_all(&place);
    }
    // Records that do not fit.
    for (key, value) in [
        ("lane.p.worktree", EVIL),
        ("lane.q.base", EVIL),
        ("lane.x.base", EVIL),
        ("lane.x.id", EVIL),
    ] {
        sandbox.git(["config", key, value]);
        all();
        sandbox.git(["config", "--unset-all", key]);
    }
    // Entries that do not fit.
    let _ = sandbox.lane(["start", "k"]).ok();
    let _ = sandbox.lane(["drop", "--yes", "k"]).ok();
    let entry = std::fs::read_dir(lane_dir.join("trash"))
        .unwrap()
        .flatten()
        .find(|found| {
            std::fs::read_to_string(found.path().join("entry.json"))
                .is_ok_and(|text| text.contains("\"name\": \"k\""))
        });
    let file = entry.unwrap().path().join("entry.json");
    let genuine = std::fs::read_to_string(&file).unwrap();
    let evil = serde_json::to_string(&format!("/{EVIL}")).unwrap();
    let worktree = format!("{}", sandbox.lane_path("k").display());
    for text in [
        genuine.replace(&serde_json::to_string(&worktree).unwrap(), &evil),
        genuine.replace("\"k\"", &evil),
    ] {
        std::fs::write(&file, text).unwrap();
        all();
        let _ = say(&sandbox, &sandbox.repo, &["restore", "k"]);
    }
    // A file in the way of the guard, and what the guard says itself.
    std::fs::write(&file, genuine).unwrap();
    let _ = say(&sandbox, &sandbox.repo, &["init"]);
    for args in [
        &["switch", "-q", "-c", "other"][..],
        &["switch", "-q", "main"],
        &["checkout", "-q", "--detach"],
    ] {
        let mut git = sandbox.command("git");
        check(&sandbox.run(git.current_dir(&path).args(args)));
    }
}

#[test]
fn no_policy_adds_a_line() {
    for text in [
        "start.path = \"a\\nwarning: evil\"",
        "finish.strategy = \"a\\nwarning: evil\"",
        "rule.branch-pattern = \"a\\nwarning: evil\"",
        "rule.protected = [\"a\\nwarning: evil\"]",
        "\"a\\nwarning: evil\" = 1",
        "start.\"a\\nwarning: evil\" = 1",
        "start.owner = \"a\\nwarning: evil\"",
        "start.branch = \"a\\nwarning: evil{name}\"",
        "start.base = \"a\\nwarning: evil\"",
        "finish.message = \"a\\nwarning: evil {nam}\"",
        "rule.home = \"a\\nwarning: evil\"",
    ] {
        let sandbox = Sandbox::new();
        for file in [
            "lane.toml",
            ".git/lane/lane.toml",
            "../home/.config/git-lane/lane.toml",
        ] {
            sandbox.write(file, text);
            ask(&sandbox, &sandbox.repo, &["config"]);
            for args in [
                &["start", "x"][..],
                &["list"],
                &["finish", "-n", "x"],
                &["drop", "--yes", "x"],
                &["init"],
            ] {
                let _ = say(&sandbox, &sandbox.repo, args);
            }
            std::fs::remove_file(sandbox.repo.join(file)).unwrap();
        }
    }
}

#[test]
fn a_base_of_bytes_is_shown_on_one_line() {
    use std::os::unix::ffi::OsStrExt;
    let sandbox = Sandbox::new();
    sandbox.git([
        OsStr::new("branch"),
        OsStr::new("-m"),
        OsStr::from_bytes(b"m\xff\xe2\x80\xae"),
    ]);
    let _ = say(&sandbox, &sandbox.repo, &["start", "y"]);
    sandbox.work("y", "new", "new");
    for question in [
        &["list"][..],
        &["show", "y"],
        &["log"],
        &["finish", "-n", "y"],
    ] {
        ask(&sandbox, &sandbox.repo, question);
    }
    assert_eq!(say(&sandbox, &sandbox.repo, &["finish", "y"]).code, 0);
}

#[test]
fn a_path_is_given_to_scripts_as_it_is() {
    let (sandbox, path) = evil_lane();
    let script = "cd \"$(git lane path x)\" && pwd -P | cksum; cd \"$1\" && pwd -P | cksum";
    let mut sh = sandbox.command("sh");
    let said = sandbox.run(sh.args(["-c", script, "sh"]).arg(&path)).ok();
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines.len() == 2 && lines[0] == lines[1], "{said}");
    assert_eq!(
        sandbox.lane(["--json", "path", "x"]).json()["path"].as_str(),
        path.to_str()
    );
}

#[test]
fn completion_offers_one_candidate_a_line() {
    let (sandbox, _path) = evil_lane();
    let _ = sandbox.lane(["start", "k", "--task", EVIL]).ok();
    let _ = sandbox.lane(["drop", "--yes", "k"]).ok();
    for words in [
        &["git-lane", "show", ""][..],
        &["git-lane", "restore", ""],
        &["git-lane", "list", "--owner", ""],
    ] {
        let run = sandbox.lane(["complete", "--"].iter().chain(words));
        assert!(
            !run.stdout
                .lines()
                .any(|line| line.starts_with("warning: evil")),
            "{run}"
        );
        assert!(
            !run.stdout
                .chars()
                .any(|c| !matches!(c, '\n' | '\t') && c.is_control()),
            "{run}"
        );
    }
}
