//! What becomes of output that cannot be written: exit code 4 and a sentence where it can be read,
//! whatever the command; what was done stays done. A closed pipe is the reader's choice.

use std::fs::{File, OpenOptions};
use std::path::Path;
use std::process::Stdio;

use crate::support::{Run, Sandbox, skipped};

const FULL: &str = "/dev/full";

/// A stream nothing can be written to; `None` where the system has no such device.
fn full() -> Option<File> {
    let file = OpenOptions::new().write(true).open(FULL).ok();
    if file.is_none() {
        skipped(&format!("there is no {FULL}"));
    }
    file
}

/// git-lane with a full disk behind standard output, standard error, or both.
fn run(sandbox: &Sandbox, args: &[&str], output: bool, error: bool) -> Run {
    let mut shell = sandbox.command("sh");
    let streams = [(output, " >/dev/full"), (error, " 2>/dev/full")];
    let line: String = streams
        .iter()
        .filter(|(full, _)| *full)
        .map(|(_, redirected)| *redirected)
        .collect();
    shell
        .args(["-c", &format!("exec git-lane \"$@\"{line}"), "sh"])
        .args(args);
    sandbox.run(&mut shell)
}

#[test]
fn every_command_says_that_its_result_is_lost() {
    if full().is_none() {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "x"]).ok();
    let manual = sandbox.root().join("manual");
    let manual = manual.to_str().unwrap();
    for args in [
        &[][..],
        &["list"],
        &["list", "--json"],
        &["show", "x"],
        &["show", "x", "--json"],
        &["path", "x"],
        &["trash"],
        &["log"],
        &["config"],
        &["doctor"],
        &["init"],
        &["init", "--check"],
        &["start", "-n", "y"],
        &["start", "x"],
        &["finish", "-n", "x"],
        &["drop", "-n", "x"],
        &["prune", "-n"],
        &["completions", "bash"],
        &["completions", "bash", "--json"],
        &["shell-init", "bash"],
        &["man", "--output", manual],
        &["complete", "--", "git-lane", "sta"],
        &["-h"],
        &["--help"],
        &["--version"],
        &["start", "--help"],
    ] {
        let run = run(&sandbox, args, true, false);
        assert!(
            run.stderr
                .contains("error: what the command says cannot be written to standard output: "),
            "{run}"
        );
        let _ = run.fails(4);
    }
}

/// What was asked for has been done, all of it, and nothing is told twice.
#[test]
fn what_was_done_stays_done() {
    if full().is_none() {
        return;
    }
    for error in [false, true] {
        let sandbox = Sandbox::new();
        let lost = |args: &[&str]| drop(run(&sandbox, args, true, error).fails(4));
        lost(&["start", "x"]);
        sandbox.work("x", "new", "new");
        lost(&["finish", "x", "--keep"]);
        assert_eq!(sandbox.git(["show", "main:new"]), "new");
        lost(&["drop", "--yes", "x"]);
        assert!(!sandbox.lane_path("x").exists());
        lost(&["restore", "x"]);
        assert_eq!(
            sandbox.git_in(&sandbox.lane_path("x"), ["branch", "--show-current"]),
            "x"
        );
        lost(&["prune", "--yes"]);
        sandbox.plain_git_works();
    }
}

/// A refusal stays the refusal it is when its words are lost.
#[test]
fn the_exit_code_of_an_error_stays() {
    if full().is_none() {
        return;
    }
    let sandbox = Sandbox::new();
    for (args, code) in [
        (&["finish", "nosuch"][..], 1),
        (&["finish", "nosuch", "--json"], 1),
        (&["start"], 2),
        (&["bogus"], 2),
        (&["bogus", "--json"], 2),
        (&["-C", "/nonexistent", "list"], 4),
    ] {
        for (output, error) in [(false, true), (true, true)] {
            let _ = run(&sandbox, args, output, error).fails(code);
        }
    }
}

/// Warnings and notes that are lost count as well.
#[test]
fn lost_warnings_are_said_where_results_go() {
    if full().is_none() {
        return;
    }
    let sandbox = Sandbox::new();
    // The first start of a repository has something to note.
    let first = run(&sandbox, &["start", "x"], false, true);
    assert!(
        first.stdout.contains("cannot be written to standard error"),
        "{first}"
    );
    let _ = first.fails(4);
    let sandbox = Sandbox::new();
    let json = run(&sandbox, &["start", "x", "--json"], false, true);
    assert!(
        serde_json::from_str::<serde_json::Value>(&json.stdout).is_ok(),
        "{json}"
    );
    let _ = json.fails(4);
}

/// The guard's answer is its exit code, heard or not.
#[test]
fn the_guard_refuses_without_words() {
    if full().is_none() {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "x"]).ok();
    sandbox.lane(["init"]).ok();
    sandbox.git(["branch", "other"]);
    let lane = sandbox.lane_path("x");
    for streams in ["2>/dev/full", ">/dev/full 2>/dev/full"] {
        let mut shell = sandbox.command("sh");
        let run = sandbox.run(
            shell
                .current_dir(&lane)
                .args(["-c", &format!("exec git switch -q other {streams}")]),
        );
        assert_eq!(run.code, 1, "{run}");
        assert_eq!(sandbox.git_in(&lane, ["branch", "--show-current"]), "x");
    }
}

/// The reader that closed the pipe has read enough.
#[test]
fn a_closed_pipe_stays_silent() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "x"]).ok();
    for args in [
        &["list"][..],
        &["list", "--json"],
        &["log"],
        &["completions", "zsh"],
        &["--help"],
        &["show", "x"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = sandbox.command("git-lane");
        command
            .args(args)
            .stdout(Stdio::from(writer))
            .stderr(Stdio::piped());
        let output = command.spawn().unwrap().wait_with_output().unwrap();
        assert!(
            output.stderr.is_empty(),
            "{args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert_eq!(output.status.code(), Some(0), "{args:?}");
    }
}

/// No file of the repository becomes standard output or error where these are closed.
#[test]
fn closed_streams_lead_into_no_file() {
    let sandbox = Sandbox::new();
    for (number, closed) in ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"].iter().enumerate() {
        let lane = format!("l{number}");
        let line = format!(
            "git-lane start {lane} {closed} && git-lane list {closed} && git-lane nosuch {closed}; \
             true"
        );
        let _ = sandbox.sh(&line).ok();
        for path in [sandbox.repo.join(".git"), sandbox.lane_path(&lane)] {
            assert!(!mentions(&path, "started lane"), "{closed}");
            assert!(!mentions(&path, "there is no lane"), "{closed}");
        }
        sandbox.plain_git_works();
    }
}

/// Whether any file below says so.
fn mentions(directory: &Path, text: &str) -> bool {
    std::fs::read_dir(directory)
        .into_iter()
        .flatten()
        .flatten()
        .any(|entry| {
            let path = entry.path();
            match entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                true => mentions(&path, text),
                false => String::from_utf8_lossy(&std::fs::read(&path).unwrap_or_default())
                    .contains(text),
            }
        })
}

/// One that is followed ends when its reader does, and says so when the disk is full.
#[test]
fn a_log_that_goes_on_ends_when_it_cannot_be_written() {
    let Some(full) = full() else { return };
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "x"]).ok();
    let mut command = sandbox.command("git-lane");
    command
        .args(["log", "--follow"])
        .stdout(Stdio::from(full))
        .stderr(Stdio::piped());
    let output = command.spawn().unwrap().wait_with_output().unwrap();
    assert_eq!(
        output.status.code(),
        Some(4),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
