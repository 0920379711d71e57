//! `git lane check --path`: which lanes have changed a file.

use serde_json::Value;

use super::check;
use crate::support::{Sandbox, write};

/// The lanes with the files that each has changed: `a: f (committed) g`.
fn touched(document: &serde_json::Value) -> Vec<String> {
    let lanes = document["lanes"].as_array().unwrap().iter();
    let files = |of: &serde_json::Value| {
        let paths = of.as_array().unwrap().iter();
        paths
            .map(|path| path.as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let line = |lane: &serde_json::Value| {
        let name = lane["lane"].as_str().unwrap();
        format!(
            "{name}: {:?} {:?}",
            files(&lane["committedPaths"]),
            files(&lane["uncommittedPaths"])
        )
    };
    lanes.map(line).collect()
}

#[test]
fn a_change_is_found_committed_staged_uncommitted_and_new() {
    let sandbox = Sandbox::new();
    sandbox
        .lane([
            "start",
            "committed",
            "gone",
            "modified",
            "new",
            "none",
            "staged",
        ])
        .ok();
    sandbox.work("committed", "src/app.txt", "changed\n");
    let lane = |name: &str| sandbox.lane_path(name);
    std::fs::remove_file(lane("gone").join("src/app.txt")).unwrap();
    write(&lane("modified").join("src/app.txt"), "changed\n");
    write(&lane("new").join("src/new.txt"), "new\n");
    write(&lane("none").join("README"), "something else\n");
    write(&lane("staged").join("src/app.txt"), "changed\n");
    sandbox.git_in(&lane("staged"), ["add", "-A"]);
    sandbox.git_in(&lane("staged"), ["stash", "-q"]);
    sandbox.git_in(&lane("staged"), ["stash", "pop", "-q", "--index"]);
    let of = |paths: &[&str]| {
        let (document, code) = check(&sandbox, &[&["--path"], paths].concat());
        let found = touched(&document);
        assert_eq!(code, if found.is_empty() { 0 } else { 3 });
        found
    };
    let file = [
        r#"committed: ["src/app.txt"] []"#,
        r#"gone: [] ["src/app.txt"]"#,
        r#"modified: [] ["src/app.txt"]"#,
        r#"staged: [] ["src/app.txt"]"#,
    ];
    assert_eq!(of(&["src/app.txt"]), file);
    assert_eq!(of(&["src/new.txt"]), [r#"new: [] ["src/new.txt"]"#]);
    assert_eq!(of(&["src"]).len(), 5);
    assert_eq!(of(&["."]).len(), 6);
    assert!(of(&["src/app", "sr", "src/app.txt/x", "nothing"]).is_empty());
    assert_eq!(
        of(&["nothing", "src/new.txt"]),
        [r#"new: [] ["src/new.txt"]"#]
    );
}

#[test]
fn the_bases_own_changes_are_not_the_lanes() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "a"]).ok();
    sandbox.write("src/app.txt", "of main\n");
    sandbox.commit("main");
    sandbox.git_in(&sandbox.lane_path("a"), ["merge", "-q", "main"]);
    sandbox.lane(["check", "--path", "src/app.txt"]).ok();
    sandbox.work("a", "src/app.txt", "of a\n");
    sandbox.lane(["check", "--path", "src/app.txt"]).fails(3);
}

#[test]
fn paths_are_seen_from_where_one_is_and_the_lane_one_is_in_does_not_count() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "a", "b"]).ok();
    sandbox.work("a", "src/app.txt", "of a\n");
    let within = |lane: &str, path: &str| {
        let directory = sandbox.lane_path(lane).join("src");
        sandbox.lane_in(&directory, ["check", "--path", path]).code
    };
    assert_eq!(within("b", "app.txt"), 3);
    assert_eq!(within("b", "../src/app.txt"), 3);
    assert_eq!(within("b", "../README"), 0);
    assert_eq!(within("a", "app.txt"), 0);
    assert_eq!(within("b", "../../elsewhere"), 2);
    let inside = sandbox.lane_path("a").join("src");
    sandbox
        .lane_in(&inside, ["check", "a", "--path", "app.txt"])
        .fails(3);
    let absolute = inside.join("app.txt");
    let absolute = absolute.to_str().unwrap();
    assert_eq!(within("a", absolute), 0);
}

#[test]
fn diff_shows_the_hunks_also_of_what_is_not_committed() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "a", "b"]).ok();
    sandbox.work("a", "src/app.txt", "committed\n");
    write(&sandbox.lane_path("a").join("src/app.txt"), "and more\n");
    write(&sandbox.lane_path("b").join("src/new"), "brand new\n");
    let run = sandbox.lane(["check", "--diff", "--path", "src"]);
    assert_eq!(run.code, 3);
    for line in ["+and more", "+brand new", "--- a/src/app.txt"] {
        assert!(run.stdout.contains(line), "{}", run.stdout);
    }
    assert!(!run.stdout.contains("+committed"));
    let (document, _) = check(&sandbox, &["--diff", "--path", "src/new"]);
    assert!(
        document["lanes"][0]["patch"]
            .as_str()
            .unwrap()
            .contains("+brand new")
    );
    let (document, _) = check(&sandbox, &["--path", "src/new"]);
    assert!(document["lanes"][0]["patch"].is_null());
}

#[test]
fn a_lane_in_the_middle_of_something_is_named() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "a"]).ok();
    sandbox.work("a", "src/app.txt", "of a\n");
    sandbox.write("src/app.txt", "of main\n");
    sandbox.commit("main");
    sandbox
        .sh_in(&sandbox.lane_path("a"), "git merge main")
        .fails(1);
    let (document, _) = check(&sandbox, &["--path", "README"]);
    assert_eq!(document["lanes"][0]["unclear"]["code"], "operation");
    let run = sandbox.lane(["check", "--path", "README"]);
    let text = run.ok();
    assert!(text.contains("merge in progress"), "{text}");
    assert!(
        text.contains("no other lane has changed 'README'"),
        "{text}"
    );
}

#[test]
fn a_lane_of_which_it_cannot_be_said_is_named() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "away", "moved", "stray"]).ok();
    for name in ["away", "moved", "stray"] {
        write(&sandbox.lane_path(name).join("README"), name);
    }
    std::fs::rename(sandbox.lane_path("moved"), sandbox.root().join("elsewhere")).unwrap();
    std::fs::remove_file(sandbox.lane_path("away").join(".git")).unwrap();
    sandbox.git_in(
        &sandbox.lane_path("stray"),
        [
            "-c",
            "core.hooksPath=/dev/null",
            "checkout",
            "-q",
            "--detach",
        ],
    );
    let (document, code) = check(&sandbox, &["--path", "README"]);
    let unclear = |at: usize| document["lanes"][at]["unclear"]["code"].clone();
    assert_eq!(
        ([unclear(0), unclear(1), unclear(2)], code),
        (["unreadable".into(), "missing".into(), "stray".into()], 0)
    );
    let (document, _) = check(&sandbox, &["--path", "README", "--committed"]);
    assert!(document["lanes"].as_array().unwrap().is_empty());
}

#[test]
fn only_what_is_committed_counts_where_that_is_asked() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "a"]).ok();
    write(&sandbox.lane_path("a").join("README"), "not committed\n");
    sandbox.lane(["check", "--path", "README"]).fails(3);
    sandbox
        .lane(["check", "--path", "README", "--committed"])
        .ok();
    sandbox.work("a", "README", "committed\n");
    sandbox
        .lane(["check", "--path", "README", "--committed"])
        .fails(3);
}

/// After merges in both directions lane and base come from two commits, and each has what the other
/// did since one of them.
#[test]
fn what_came_from_the_base_is_not_the_lanes_after_merges_both_ways() {
    for main_first in [true, false] {
        let sandbox = Sandbox::new();
        sandbox.lane(["start", "a"]).ok();
        let lane = sandbox.lane_path("a");
        let (early, late) = ("2023-11-15T01:00:00Z", "2023-11-15T02:00:00Z");
        let (of_main, of_lane) = if main_first {
            (early, late)
        } else {
            (late, early)
        };
        let at = |when: &str, script: &str| format!("GIT_COMMITTER_DATE={when} {script}");
        sandbox
            .sh(&format!(
                "echo m >README; {}",
                at(of_main, "git commit -qam m")
            ))
            .ok();
        sandbox
            .sh_in(
                &lane,
                &format!("echo a >src/app.txt; {}", at(of_lane, "git commit -qam a")),
            )
            .ok();
        let (main, own) = (
            sandbox.git(["rev-parse", "main"]),
            sandbox.git(["rev-parse", "a"]),
        );
        sandbox.git_in(
            &lane,
            [
                "-c",
                "core.hooksPath=/dev/null",
                "merge",
                "-q",
                "--no-edit",
                &main,
            ],
        );
        sandbox.git([
            "-c",
            "core.hooksPath=/dev/null",
            "merge",
            "-q",
            "--no-edit",
            &own,
        ]);
        sandbox.lane(["check", "--path", "README", "src"]).ok();
        sandbox.work("a", "src/app.txt", "more\n");
        sandbox.lane(["check", "--path", "README"]).ok();
        sandbox.lane(["check", "--path", "src"]).fails(3);
    }
}

#[test]
fn a_directory_that_was_moved_away_is_a_change() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "a"]).ok();
    sandbox.git_in(&sandbox.lane_path("a"), ["mv", "src", "moved"]);
    let (document, code) = check(&sandbox, &["--path", "src/app.txt", "src/other"]);
    assert_eq!(touched(&document), [r#"a: [] ["src/app.txt"]"#]);
    assert_eq!((&document["lanes"][0]["unclear"], code), (&Value::Null, 3));
}

#[test]
fn a_path_may_lead_over_links_and_patterns_are_off() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "a"]).ok();
    sandbox.work("a", "src/app.txt", "of a\n");
    write(&sandbox.lane_path("a").join("README"), "changed\n");
    let link = sandbox.root().join("link");
    std::os::unix::fs::symlink(&sandbox.repo, &link).unwrap();
    let path = link.join("src/app.txt").display().to_string();
    sandbox.lane(["check", "--path", &path]).fails(3);
    let script = "GIT_ICASE_PATHSPECS=1 GIT_GLOB_PATHSPECS=1 git lane check --path README";
    let run = sandbox.sh(script);
    assert!(
        run.stdout.contains("has changed 'README'"),
        "{}",
        run.stdout
    );
}

/// A file of the same size, written in the same second as the index.
#[test]
fn a_change_that_looks_like_none_is_found() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "a"]).ok();
    let file = sandbox.lane_path("a").join("src/app.txt");
    let mut text = std::fs::read(&file).unwrap();
    text[0] ^= 1;
    std::fs::write(&file, &text).unwrap();
    sandbox.lane(["check", "--path", "src/app.txt"]).fails(3);
    // Only touched.
    text[0] ^= 1;
    std::fs::write(&file, &text).unwrap();
    sandbox
        .lane(["check", "--path", "src/app.txt", "README"])
        .ok();
}
