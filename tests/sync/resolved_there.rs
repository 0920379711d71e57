//! `--here`: git lays the conflict out in the lane, where it is resolved or taken back.

use super::*;

#[test]
fn a_conflict_is_laid_out_and_can_be_resolved() {
    let sandbox = conflicting();
    let path = lane(&sandbox);
    let run = sync(&sandbox, ["--here", "--json"]);
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(document["error"]["code"], "laid-out");
    assert_eq!(
        document["error"]["details"]["paths"],
        serde_json::json!(["src/app.txt"])
    );
    let error = run.fails(3);
    assert!(
        error.contains("the conflict of lane 'login' with 'main' is laid out in"),
        "{error}"
    );
    let next = format!("git -C {} commit\n", path.display());
    assert!(
        error.contains(&next) && error.contains("merge --abort"),
        "{error}"
    );
    assert_eq!(status(&sandbox), "UU src/app.txt");
    assert!(read(path.join("src/app.txt")).contains("<<<<<<< HEAD"));
    // It is an operation in progress for the next command.
    let error = sync(&sandbox, []).fails(1);
    assert!(error.contains("in the middle of a merge"), "{error}");
    write(&path.join("src/app.txt"), "one\ntwo\nboth\n");
    sandbox.git_in(&path, ["add", "src/app.txt"]);
    sandbox.git_in(&path, ["commit", "-q", "--no-edit"]);
    let subject = sandbox.git(["log", "-1", "--format=%s", "login"]);
    assert_eq!(subject, "Merge branch 'main' into login");
    assert_eq!(sync(&sandbox, []).ok(), "lane 'login' has all of 'main'\n");
}

#[test]
fn it_can_be_taken_back() {
    for (strategy, abort) in [("merge", "merge"), ("rebase", "rebase")] {
        let sandbox = conflicting();
        let (path, before) = (lane(&sandbox), tip(&sandbox, "login"));
        let error = sync(&sandbox, ["--here", "--strategy", strategy]).fails(3);
        assert!(error.contains(&format!("{abort} --abort")), "{error}");
        sandbox.git_in(&path, [abort, "--abort"]);
        assert_eq!(tip(&sandbox, "login"), before);
        assert_eq!(status(&sandbox), "");
        assert_eq!(read(path.join("src/app.txt")), "one\ntwo\nTHREE\n");
    }
}

#[test]
fn without_a_conflict_it_is_a_sync_like_any() {
    let sandbox = diverged();
    let text = sync(&sandbox, ["--here"]).ok();
    assert!(
        text.starts_with("synced lane 'login' with 'main' (merge, 2 commits)"),
        "{text}"
    );
}

#[test]
fn what_is_in_the_way_of_git_stays() {
    for (strategy, says) in [
        ("merge", "local changes are in the way: 'src/app.txt'"),
        ("rebase", "a rebase would put them away"),
    ] {
        let sandbox = conflicting();
        write(&lane(&sandbox).join("src/app.txt"), "mine\n");
        let before = state(&sandbox);
        let error = sync(&sandbox, ["--here", "--strategy", strategy]).fails(1);
        assert!(error.contains(says), "{error}");
        assert_eq!(state(&sandbox), before);
    }
}

#[test]
fn of_several_lanes_each_has_its_own() {
    let sandbox = conflicting();
    sandbox.lane(["start", "search", "--base", "main~1"]).ok();
    sandbox.git(["config", "lane.search.base", "refs/heads/main"]);
    let run = sandbox.lane(["sync", "search", "login", "--here", "--json"]);
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(document["lanes"][0]["verdict"], "synced");
    assert_eq!(document["lanes"][1]["verdict"], "laid-out");
    run.fails(3);
}

/// Where the rule is in force a lane takes its base.
#[test]
fn the_guard_lets_it_be_laid_out_and_committed() {
    let sandbox = conflicting();
    sandbox.lane(["init"]).ok();
    let path = lane(&sandbox);
    sync(&sandbox, ["--here"]).fails(3);
    write(&path.join("src/app.txt"), "one\ntwo\nboth\n");
    sandbox.git_in(&path, ["commit", "-q", "--no-edit", "-a"]);
    assert_eq!(sandbox.git(["rev-list", "--count", "login..main"]), "0");
}

/// A rebase by git would put local changes away, write over ignored files and leave merges out.
#[test]
fn a_rebase_is_not_laid_out_over_what_it_would_lose() {
    for (work, words) in [
        ("echo mine >README", "would put them away"),
        (
            "echo mine >README; git add README; git config rebase.autostash true",
            "would put them away",
        ),
        ("echo mine >ignored", "in the way: 'ignored'"),
        (
            "git merge -q --no-ff --no-commit -s ours main~1; echo evil >evil; git add evil; git \
             commit -qm evil",
            "would leave out work",
        ),
    ] {
        let sandbox = conflicting();
        write(&sandbox.repo.join(".git/info/exclude"), "ignored\n");
        sandbox.write("ignored", "of main\n");
        sandbox.git(["add", "-f", "ignored"]);
        sandbox.git(["commit", "-q", "-m", "ignored"]);
        sandbox.sh_in(&lane(&sandbox), work).ok();
        let before = state(&sandbox);
        let said = sync(&sandbox, ["--strategy", "rebase", "--here"]).fails(1);
        assert!(said.contains(words), "{work}: {said}");
        assert_eq!(state(&sandbox), before, "{work}");
    }
}
