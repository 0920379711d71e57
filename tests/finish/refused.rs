//! What stops a landing before anything has changed.

use super::*;

#[test]
fn a_conflict_is_told_with_its_paths_before_anything_has_changed() {
    let sandbox = with_lane();
    sandbox.write("src/app.txt", "one\ntwo\ndrei\n");
    sandbox.commit("clash");
    sandbox.git(["config", "rerere.enabled", "true"]);
    for strategy in ["merge", "squash", "rebase"] {
        let before = sandbox.fingerprint();
        let run = finish(&sandbox, ["--strategy", strategy, "--json"]);
        let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        run.fails(3);
        assert_eq!(
            document["error"]["details"]["paths"],
            serde_json::json!(["src/app.txt"]),
            "{strategy}"
        );
        assert_eq!(sandbox.fingerprint(), before, "{strategy}");
    }
    // The hint works: resolve in the lane, finish again.
    let hint = "git lane sync login --here";
    assert!(finish(&sandbox, []).fails(3).contains(hint));
    sandbox.sh(hint).fails(3);
    sandbox.work("login", "src/app.txt", "one\ntwo\ndrei THREE\n");
    finish(&sandbox, []).ok();
    retired(&sandbox);
}

#[test]
fn local_changes_in_the_way_are_named_and_others_stay() {
    let sandbox = with_lane();
    sandbox.write("README", "edited\n");
    sandbox.write("staged.txt", "staged\n");
    sandbox.git(["add", "staged.txt"]);
    for (path, content) in [("src/app.txt", "mine\n"), ("new.txt", "mine\n")] {
        let kept = std::fs::read(sandbox.repo.join(path)).ok();
        sandbox.write(path, content);
        let before = sandbox.fingerprint();
        let stderr = finish(&sandbox, []).fails(1);
        assert!(
            stderr.contains(&format!("in the way: '{path}'")),
            "{stderr}"
        );
        assert_eq!(
            without_objects(&sandbox.fingerprint()),
            without_objects(&before)
        );
        match kept {
            Some(content) => sandbox.write(path, content),
            None => std::fs::remove_file(sandbox.repo.join(path)).unwrap(),
        }
    }
    // Ignored files are work too, and a touched file is none.
    sandbox.write(".git/info/exclude", "new.txt\n");
    sandbox.write("new.txt", "ignored\n");
    assert!(finish(&sandbox, []).fails(1).contains("'new.txt'"));
    std::fs::remove_file(sandbox.repo.join("new.txt")).unwrap();
    sandbox.write("src/app.txt", "one\ntwo\nthree\n");
    finish(&sandbox, []).ok();
    assert_eq!(
        sandbox.git(["status", "--porcelain"]),
        " M README\nA  staged.txt"
    );
    assert_eq!(
        std::fs::read_to_string(sandbox.repo.join("README")).unwrap(),
        "edited\n"
    );
    retired(&sandbox);
}

#[test]
fn an_untracked_file_where_a_directory_goes_is_in_the_way() {
    let sandbox = Sandbox::new();
    lane(&sandbox, "login", "main");
    sandbox.work("login", "lib/a.txt", "a\n");
    sandbox.write(".git/info/exclude", "lib\n");
    sandbox.write("lib", "ignored\n");
    assert!(finish(&sandbox, []).fails(1).contains("'lib'"));
    std::fs::remove_file(sandbox.repo.join("lib")).unwrap();
    finish(&sandbox, []).ok();
    // And the other way round: ignored files below a directory that becomes a file.
    lane(&sandbox, "login", "main");
    std::fs::remove_dir_all(sandbox.lane_path("login").join("lib")).unwrap();
    sandbox.git_in(
        &sandbox.lane_path("login"),
        ["config", "core.excludesFile", "/dev/null"],
    );
    std::fs::write(sandbox.repo.join(".git/info/exclude"), "*.o\n").unwrap();
    sandbox.work("login", "lib", "file\n");
    sandbox.write("lib/a.o", "object\n");
    assert!(finish(&sandbox, []).fails(1).contains("'lib/a.o'"));
    std::fs::remove_file(sandbox.repo.join("lib/a.o")).unwrap();
    finish(&sandbox, []).ok();
    assert_eq!(
        std::fs::read_to_string(sandbox.repo.join("lib")).unwrap(),
        "file\n"
    );
    clean(&sandbox, &sandbox.repo);
}

#[test]
fn a_lane_that_is_not_settled_is_refused_and_commit_settles_it() {
    let sandbox = with_lane();
    let lane = sandbox.lane_path("login");
    write(&lane.join("draft.txt"), "draft\n");
    write(&lane.join("README"), "shop, edited\n");
    let before = sandbox.fingerprint();
    let stderr = finish(&sandbox, []).fails(1);
    assert!(
        stderr.contains("1 modified, 1 untracked") && stderr.contains("--commit MESSAGE"),
        "{stderr}"
    );
    assert_eq!(sandbox.fingerprint(), before);

    sandbox.hook("pre-commit", "exit 1");
    finish(&sandbox, ["--commit", "drafts"]).fails(1);
    assert_eq!(
        sandbox.git_in(&lane, ["status", "--porcelain"]),
        " M README\n?? draft.txt"
    );
    finish(&sandbox, ["--commit", "drafts", "--no-verify"]).ok();
    assert_eq!(
        sandbox.git(["log", "-1", "--format=%s", "main^2"]),
        "drafts"
    );
    assert_eq!(sandbox.git(["show", "main:draft.txt"]), "draft");
    retired(&sandbox);
}

#[test]
fn stray_operating_and_unknown_lanes_are_refused() {
    let sandbox = with_lane();
    let lane = sandbox.lane_path("login");
    sandbox.git_in(&lane, ["switch", "-q", "-c", "stray"]);
    assert!(
        finish(&sandbox, [])
            .fails(1)
            .contains("on 'stray' instead of 'login'")
    );
    sandbox.git_in(&lane, ["switch", "-q", "login"]);
    sandbox.git_in(&lane, ["bisect", "start"]);
    assert!(
        finish(&sandbox, [])
            .fails(1)
            .contains("in the middle of a bisect")
    );
    assert!(
        sandbox
            .lane(["finish", "nobody"])
            .fails(1)
            .contains("no lane 'nobody'")
    );
    assert!(sandbox.lane(["finish"]).fails(2).contains("no lane"));
    assert!(
        finish(&sandbox, ["--into", "nowhere"])
            .fails(1)
            .contains("bisect")
    );
}

#[test]
fn a_base_that_is_busy_or_checked_out_twice_is_refused() {
    let sandbox = with_lane();
    sandbox.write(
        ".git/MERGE_HEAD",
        format!("{}\n", sandbox.git(["rev-parse", "login"])),
    );
    assert!(
        finish(&sandbox, [])
            .fails(1)
            .contains("in the middle of a merge")
    );
    std::fs::remove_file(sandbox.repo.join(".git/MERGE_HEAD")).unwrap();
    let twice = sandbox.root().join("twice");
    sandbox.git([
        "worktree",
        "add",
        "-q",
        "-f",
        twice.to_str().unwrap(),
        "main",
    ]);
    assert!(finish(&sandbox, []).fails(1).contains("several worktrees"));
    sandbox.git(["switch", "-q", "--detach"]);
    let mut rebase = sandbox.command("git");
    rebase
        .current_dir(&twice)
        .args(["rebase", "-q", "--root", "-x", "false"]);
    sandbox.run(&mut rebase).fails(1);
    assert!(
        finish(&sandbox, [])
            .fails(1)
            .contains("in the middle of a rebase")
    );
}
