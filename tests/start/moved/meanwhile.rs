//! What a program does in the worktree between the looks is never lost.

use std::path::Path;
use std::process::Stdio;

use super::work_in;
use crate::start::assert_nothing_left;
use crate::support::Sandbox;

/// A filter that runs a script, wherever git writes the file `filtered`.
fn with_a_filter(sandbox: &Sandbox, script: &str) {
    let text = format!("#!/bin/sh\ncat\n{{ {script}; }} >/dev/null 2>&1 </dev/null\n");
    let filter = sandbox.root().join("home/filter");
    crate::support::executable(&filter, text);
    sandbox.write(".gitattributes", "filtered filter=act\n");
    sandbox.write("filtered", "x\n");
    sandbox.commit("filtered");
    sandbox.git(["config", "filter.act.smudge", filter.to_str().unwrap()]);
}

/// Removing a file of the worktree makes git write it there again, by a filter.
fn clearing(sandbox: &Sandbox, script: &str) {
    with_a_filter(sandbox, script);
    sandbox.write("filtered", "changed\n");
    sandbox.write("README", "edited\n");
    sandbox.write("new", "new\n");
}

#[test]
fn a_file_that_is_saved_before_the_last_look_stops_it() {
    let sandbox = Sandbox::new();
    sandbox.write("README", "edited\n");
    sandbox.write("new", "new\n");
    for script in [
        "echo saved >README.x; mv README.x README",
        "echo saved >later",
        "cp .git/index .git/own; GIT_INDEX_FILE=.git/own git add README; mv .git/own .git/index",
        "rm new",
        "chmod +x new",
        "git update-ref HEAD $(git commit-tree -p HEAD -m x HEAD^{tree})",
    ] {
        let copy = sandbox.root().join("copy");
        let _ = std::fs::remove_dir_all(&copy);
        sandbox.sh("cp -a . ../copy").ok();
        // It waits for the lock, having laid the work in.
        let lock = copy.join(".git/index.lock");
        std::fs::write(&lock, "").unwrap();
        let mut start = sandbox.command("git-lane");
        start.args(["start", "login", "--move"]).current_dir(&copy);
        let start = start.stdout(Stdio::null()).stderr(Stdio::piped());
        let running = start.spawn().unwrap();
        await_file(&sandbox.root().join("copy.lanes"), "new");
        sandbox.sh_in(&copy, script).ok();
        std::fs::remove_file(&lock).unwrap();
        let output = running.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("has changed meanwhile"), "{script}: {said}");
        let untouched = work_in(&sandbox, &copy);
        sandbox
            .sh(&format!(
                "rm -rf ../copy; cp -a . ../copy; cd ../copy; {script}"
            ))
            .ok();
        assert_eq!(work_in(&sandbox, &copy), untouched, "{script}");
        assert_eq!(sandbox.git_in(&copy, ["branch", "--list", "login"]), "");
        assert!(
            !sandbox.root().join("copy.lanes/login").exists(),
            "{script}"
        );
    }
}

/// Until a hidden worktree below `directory` has `name`.
fn await_file(directory: &Path, name: &str) {
    let is_there = || {
        let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
        entries
            .map(|entry| entry.path().join(name))
            .any(|path| path.exists())
    };
    for _ in 0..2000 {
        if is_there() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    panic!("nothing came below {}", directory.display());
}

/// An editor that saves while the worktree gets its commit back.
#[test]
fn a_file_that_is_saved_after_it_has_left_stays_where_it_was_saved() {
    let sandbox = Sandbox::new();
    clearing(
        &sandbox,
        "test -e new || { echo saved >new; echo saved >README; }",
    );
    let run = sandbox.lane(["start", "login", "--move"]);
    assert_eq!(run.code, 0, "{run}");
    let [here, there] = [sandbox.repo.clone(), sandbox.lane_path("login")];
    let read = |place: &Path, name: &str| std::fs::read_to_string(place.join(name)).unwrap();
    assert_eq!(read(&there, "README"), "edited\n");
    assert_eq!(read(&there, "new"), "new\n");
    assert_eq!(read(&here, "new"), "saved\n");
    assert_nothing_left(&sandbox);
}

/// ... and one that saves after the last look, before its file has left: a filter does, in the new lane.
#[test]
fn a_file_that_is_saved_before_it_has_left_stays_and_is_named() {
    let sandbox = Sandbox::new();
    let save = "test -e ../../shop/saved || { echo saved >../../shop/saved; \
        cp ../../shop/saved ../../shop/x; mv ../../shop/x ../../shop/new; }";
    with_a_filter(&sandbox, &format!("case $PWD in */login) {save};; esac"));
    sandbox.write("README", "edited\n");
    sandbox.write("new", "new\n");
    let run = sandbox.lane(["start", "login", "--move"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stderr.contains("'new' was changed meanwhile"), "{run}");
    let lane = sandbox.lane_path("login");
    let read = |place: &Path| std::fs::read_to_string(place.join("new")).unwrap();
    assert_eq!((&*read(&lane), &*read(&sandbox.repo)), ("new\n", "saved\n"));
    assert_eq!(sandbox.git(["status", "--short"]), "?? new\n?? saved");
    assert_nothing_left(&sandbox);
}

/// The next command completes what this one could not, and the work is in one of the two meanwhile.
#[test]
fn a_commit_that_cannot_be_given_back_is_given_back_later() {
    let sandbox = Sandbox::new();
    clearing(&sandbox, ":");
    let before = work_in(&sandbox, &sandbox.repo);
    sandbox.git(["config", "filter.act.required", "true"]);
    sandbox.git(["config", "filter.act.clean", "cat"]);
    // Only in the main worktree.
    let smudge = "case $PWD in */shop) test ! -e \"$HOME/broken\" || exit 1;; esac; cat";
    sandbox.git(["config", "filter.act.smudge", smudge]);
    crate::support::write(&sandbox.root().join("home/broken"), "");
    let run = sandbox.lane(["start", "login", "--move"]);
    assert_eq!(run.code, 5, "{run}");
    assert!(run.stderr.contains("completes its start"), "{run}");
    assert_eq!(work_in(&sandbox, &sandbox.lane_path("login")), before);
    // Nothing is done there until it is whole.
    sandbox.lane(["start", "other", "--move"]).fails(1);
    std::fs::remove_file(sandbox.root().join("home/broken")).unwrap();
    let run = sandbox.lane(["start", "login"]);
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(sandbox.git(["status", "--porcelain"]), "");
    assert_nothing_left(&sandbox);
}
