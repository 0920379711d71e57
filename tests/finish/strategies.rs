//! What each strategy puts on the base.

use super::*;

#[test]
fn a_merge_lands_a_merge_commit_and_its_worktree_follows() {
    let sandbox = with_lane();
    advance(&sandbox);
    let (old, tip) = (
        sandbox.git(["rev-parse", "main"]),
        sandbox.git(["rev-parse", "login"]),
    );
    let report = finish(&sandbox, ["--json"]).json();
    assert_eq!(
        log(&sandbox, "%P|%s"),
        format!("{old} {tip}|Merge lane 'login' into main")
    );
    assert_eq!(
        std::fs::read_to_string(sandbox.repo.join("src/app.txt")).unwrap(),
        "one\ntwo\nTHREE\n"
    );
    clean(&sandbox, &sandbox.repo);
    retired(&sandbox);
    assert_eq!(report["landed"]["commits"], 2);
    assert_eq!(report["landed"]["from"], old.as_str());
    assert_eq!(
        report["landed"]["to"],
        sandbox.git(["rev-parse", "main"]).as_str()
    );
    assert_eq!(sandbox.git(["rev-parse", "ORIG_HEAD"]), old);
    for log in ["HEAD", "main"] {
        assert!(
            sandbox
                .git(["reflog", "-1", "--format=%gs", log])
                .contains("lane: finish 'login' (merge)"),
            "{log}"
        );
    }
}

#[test]
fn a_merge_is_made_even_where_a_fast_forward_would_do() {
    let sandbox = with_lane();
    finish(&sandbox, []).ok();
    assert_eq!(log(&sandbox, "%P").split(' ').count(), 2);
    retired(&sandbox);
}

#[test]
fn squash_makes_one_commit_that_lists_what_it_stands_for() {
    let sandbox = with_lane();
    advance(&sandbox);
    let old = sandbox.git(["rev-parse", "main"]);
    finish(&sandbox, ["--strategy", "squash"]).ok();
    assert_eq!(log(&sandbox, "%P"), old);
    assert!(
        log(&sandbox, "%B").ends_with("* login: src/app.txt\n* login: new.txt"),
        "{}",
        log(&sandbox, "%B")
    );
    clean(&sandbox, &sandbox.repo);
    retired(&sandbox);
}

#[test]
fn rebase_replays_commits_as_git_rebase_does() {
    let sandbox = with_lane();
    let lane = sandbox.lane_path("login");
    // What git itself makes of it is the yardstick: same trees, authors, dates, messages.
    sandbox.write("src/app.txt", "zero\none\ntwo\nthree\n");
    sandbox.commit("advance");
    write(&lane.join("picked.txt"), "picked\n");
    sandbox.git_in(&lane, ["add", "."]);
    sandbox.git_in(
        &lane,
        [
            "-c",
            "user.name=x",
            "commit",
            "-qm",
            "picked",
            "--author=Zoë <z@x>",
            "--date=@1600000000 +0130",
        ],
    );
    sandbox.git(["cherry-pick", "login"]);
    sandbox.git_in(
        &lane,
        [
            "commit",
            "-q",
            "--allow-empty",
            "-m",
            "empty from the start",
        ],
    );
    write(&lane.join("last.txt"), "last\n");
    sandbox.git_in(&lane, ["add", "."]);
    sandbox.git_in(
        &lane,
        [
            "commit",
            "-qm",
            "last\n\nbody",
            "--author=Zoë <z@x>",
            "--date=@1600000000 +0130",
        ],
    );
    sandbox.git(["branch", "yardstick", "login"]);
    let other = sandbox.root().join("yardstick");
    sandbox.git([
        "worktree",
        "add",
        "-q",
        other.to_str().unwrap(),
        "yardstick",
    ]);
    sandbox.git_in(&other, ["rebase", "-q", "main"]);
    let expected = sandbox.git(["rev-parse", "yardstick"]);
    sandbox.git(["worktree", "remove", other.to_str().unwrap()]);
    let report = finish(&sandbox, ["--strategy", "rebase", "--json"]).json();
    assert_eq!(sandbox.git(["rev-parse", "main"]), expected);
    assert_eq!(report["landed"]["commits"], 4);
    clean(&sandbox, &sandbox.repo);
    retired(&sandbox);
}

#[test]
fn rebase_drops_what_becomes_empty() {
    let sandbox = with_lane();
    // One commit of the base holds both of the lane's: no patch id tells.
    sandbox.git(["merge", "-q", "--squash", "login"]);
    sandbox.commit("both at once");
    advance(&sandbox);
    sandbox.work("login", "last.txt", "last\n");
    let old = sandbox.git(["rev-parse", "main"]);
    let report = finish(&sandbox, ["--strategy", "rebase", "--json"]).json();
    assert_eq!(report["landed"]["commits"], 1);
    assert_eq!(log(&sandbox, "%P|%s"), format!("{old}|login: last.txt"));
}

#[test]
fn rebase_linearises_merges_and_names_the_commit_that_conflicts() {
    let sandbox = with_lane();
    advance(&sandbox);
    sandbox.git_in(
        &sandbox.lane_path("login"),
        ["merge", "-q", "--no-edit", "main"],
    );
    sandbox.work("login", "after.txt", "after\n");
    sandbox.write("third.txt", "third\n");
    sandbox.commit("third");
    finish(&sandbox, ["--strategy", "rebase"]).ok();
    assert_eq!(sandbox.git(["rev-list", "--min-parents=2", "main"]), "");
    assert_eq!(
        sandbox.git(["log", "-3", "--format=%s", "main"]),
        "login: after.txt\nlogin: new.txt\nlogin: src/app.txt"
    );

    lane(&sandbox, "next", "main");
    sandbox.work("next", "fine.txt", "fine\n");
    sandbox.work("next", "src/app.txt", "next\n");
    sandbox.write("src/app.txt", "main\n");
    sandbox.commit("clash");
    let before = sandbox.fingerprint();
    let stderr = sandbox
        .lane(["finish", "next", "--strategy", "rebase"])
        .fails(3);
    assert!(
        stderr.contains("next: src/app.txt") && stderr.contains("'src/app.txt'"),
        "{stderr}"
    );
    assert_eq!(sandbox.fingerprint(), before);
}

#[test]
fn ff_moves_the_base_to_the_tip_or_refuses() {
    let sandbox = with_lane();
    let tip = sandbox.git(["rev-parse", "login"]);
    advance(&sandbox);
    let before = sandbox.fingerprint();
    assert!(
        finish(&sandbox, ["--strategy", "ff"])
            .fails(1)
            .contains("git lane finish login --strategy rebase")
    );
    assert_eq!(sandbox.fingerprint(), before);
    sandbox.git(["reset", "-q", "--hard", "HEAD^"]);
    finish(&sandbox, ["--strategy", "ff"]).ok();
    assert_eq!(sandbox.git(["rev-parse", "main"]), tip);
    clean(&sandbox, &sandbox.repo);
    retired(&sandbox);
}

#[test]
fn the_base_may_be_checked_out_in_a_linked_worktree_nowhere_or_the_repository_be_bare() {
    for strategy in ["merge", "squash", "rebase", "ff"] {
        let linked = with_lane();
        let other = linked.root().join("linked");
        linked.git(["switch", "-q", "-c", "elsewhere"]);
        linked.git(["worktree", "add", "-q", other.to_str().unwrap(), "main"]);
        finish(&linked, ["--strategy", strategy]).ok();
        assert!(other.join("new.txt").exists());
        assert!(!linked.repo.join("new.txt").exists());
        clean(&linked, &other);
        clean(&linked, &linked.repo);
        retired(&linked);

        let nowhere = with_lane();
        nowhere.git(["switch", "-q", "--detach"]);
        finish(&nowhere, ["--strategy", strategy]).ok();
        assert_eq!(nowhere.git(["show", "main:new.txt"]), "new");
        clean(&nowhere, &nowhere.repo);
        retired(&nowhere);

        let bare = with_lane();
        // The repository becomes bare: its main worktree's files are none of git's business any
        // more.
        bare.git(["config", "core.bare", "true"]);
        std::fs::remove_file(bare.repo.join(".git/index")).unwrap();
        finish(&bare, ["--strategy", strategy]).ok();
        assert_eq!(bare.git(["show", "main:new.txt"]), "new");
        assert!(!bare.repo.join("new.txt").exists());
        retired(&bare);
    }
}
