//! What a sync makes is what `git merge` and `git rebase` in the lane would have made.

use super::*;

/// The same lane once more, for git to bring up to date.
fn yardstick(sandbox: &Sandbox) -> PathBuf {
    let path = sandbox.root().join("yardstick");
    let add = ["worktree", "add", "-q", "-b", "yardstick"];
    sandbox.git(add.into_iter().chain([path.to_str().unwrap(), "login"]));
    path
}

#[test]
fn a_merge_is_gits_own_commit_and_the_worktree_follows() {
    let sandbox = diverged();
    let (old, base) = (tip(&sandbox, "login"), tip(&sandbox, "main"));
    let document = sync(&sandbox, ["--json"]).json();
    let said = |field: &str| document["synced"][field].as_str().unwrap().to_owned();
    assert_eq!(
        (said("from"), said("baseCommit")),
        (old.clone(), base.clone())
    );
    assert_eq!(said("to"), tip(&sandbox, "login"));
    assert_eq!(
        (said("how").as_str(), said("branch").as_str()),
        ("merge", "login")
    );
    assert_eq!(document["synced"]["commits"], 2);
    assert_eq!(document["verdict"], "synced");
    let format = "%P|%s|%an|%cn";
    let commit = sandbox.git(["log", "-1", &format!("--format={format}"), "login"]);
    let subject = "Merge branch 'main' into login";
    assert_eq!(
        commit,
        format!("{old} {base}|{subject}|A. Author|C. Committer")
    );
    assert_eq!(read(lane(&sandbox).join("src/app.txt")), BOTH);
    assert_eq!(read(lane(&sandbox).join("other.txt")), "other\n");
    assert_eq!(status(&sandbox), "");
    assert_eq!(
        sandbox.git_in(&lane(&sandbox), ["rev-parse", "ORIG_HEAD"]),
        old
    );
    sandbox.git(["fsck", "--strict"]);
    sandbox.nothing_left_behind(0);
}

#[test]
fn message_and_log_of_a_merge_are_gits() {
    for settings in [
        &[][..],
        &[("merge.log", "true")],
        &[("merge.suppressDest", "login")],
    ] {
        let sandbox = diverged();
        for (key, value) in settings {
            sandbox.git(["config", key, value]);
        }
        let path = lane(&sandbox);
        let there = yardstick(&sandbox);
        sandbox.git_in(&there, ["merge", "-q", "--no-edit", "main"]);
        let theirs = sandbox.git_in(&there, ["log", "-1", "--format=%B%n%T"]);
        sync(&sandbox, []).ok();
        let ours = sandbox.git_in(&path, ["log", "-1", "--format=%B%n%T"]);
        let theirs = theirs.replace("into yardstick", "into login");
        // That setting names the branch that is not said.
        let theirs = match settings.first() {
            Some(("merge.suppressDest", _)) => theirs.replace(" into login", ""),
            _ => theirs,
        };
        assert_eq!(ours, theirs, "{settings:?}");
    }
}

#[test]
fn a_lane_called_master_is_not_named_in_its_message() {
    let sandbox = Sandbox::new();
    sandbox.lane_by_git("master");
    sandbox.work("master", "new.txt", "new\n");
    advance(&sandbox);
    sandbox.lane(["sync", "master"]).ok();
    let subject = sandbox.git(["log", "-1", "--format=%s", "master"]);
    assert_eq!(subject, "Merge branch 'main'");
}

#[test]
fn a_remote_tracking_base_is_named_as_git_names_it() {
    let sandbox = diverged();
    sandbox.git(["update-ref", "refs/remotes/origin/main", "main"]);
    sandbox.git(["config", "lane.login.base", "refs/remotes/origin/main"]);
    let text = sync(&sandbox, []).ok();
    assert!(
        text.contains("with 'origin/main' (merge, 2 commits)"),
        "{text}"
    );
    let subject = sandbox.git(["log", "-1", "--format=%s", "login"]);
    assert_eq!(
        subject,
        "Merge remote-tracking branch 'origin/main' into login"
    );
}

#[test]
fn a_lane_without_commits_of_its_own_goes_forward() {
    for strategy in ["merge", "rebase"] {
        let sandbox = Sandbox::new();
        sandbox.lane_by_git("login");
        advance(&sandbox);
        let text = sync(&sandbox, ["--strategy", strategy]).ok();
        assert!(text.contains("(forward, 2 commits)"), "{text}");
        assert_eq!(tip(&sandbox, "login"), tip(&sandbox, "main"));
        assert_eq!(status(&sandbox), "");
    }
}

#[test]
fn a_forward_way_that_the_settings_rule_out_is_a_merge() {
    let sandbox = Sandbox::new();
    sandbox.lane_by_git("login");
    advance(&sandbox);
    sandbox.git(["config", "merge.ff", "false"]);
    let text = sync(&sandbox, []).ok();
    assert!(text.contains("(merge, 2 commits)"), "{text}");
    assert_eq!(tip(&sandbox, "login^2"), tip(&sandbox, "main"));
}

#[test]
fn a_lane_that_has_all_of_its_base_stays() {
    let sandbox = diverged();
    sync(&sandbox, []).ok();
    let before = state(&sandbox);
    let text = sync(&sandbox, []).ok();
    assert_eq!(text, "lane 'login' has all of 'main'\n");
    assert_eq!(sync(&sandbox, ["--json"]).json()["verdict"], "up-to-date");
    assert_eq!(state(&sandbox), before);
}

#[test]
fn a_rebase_makes_the_commits_that_git_rebase_makes() {
    let sandbox = diverged();
    // One that the base has in another commit, and one that is empty from the start.
    sandbox.work("login", "picked.txt", "picked\n");
    sandbox.git(["cherry-pick", "login"]);
    sandbox.work("login", "last.txt", "last\n");
    let there = yardstick(&sandbox);
    sandbox.git_in(&there, ["rebase", "-q", "main"]);
    let old = tip(&sandbox, "login");
    let text = sync(&sandbox, ["--strategy", "rebase"]).ok();
    assert!(text.contains("(rebase, 3 commits)"), "{text}");
    assert_eq!(tip(&sandbox, "login"), tip(&sandbox, "yardstick"));
    assert_eq!(read(lane(&sandbox).join("src/app.txt")), BOTH);
    assert_eq!(status(&sandbox), "");
    assert_eq!(tip(&sandbox, "login@{1}"), old);
    sandbox.git(["fsck", "--strict"]);
    sandbox.nothing_left_behind(0);
}

#[test]
fn a_rebase_drops_merges_of_the_base_and_no_work() {
    let sandbox = diverged();
    sync(&sandbox, []).ok();
    sandbox.write("more.txt", "more\n");
    sandbox.commit("more");
    sync(&sandbox, ["--strategy", "rebase"]).ok();
    assert_eq!(
        sandbox.git(["rev-list", "--count", "--merges", "login"]),
        "0"
    );
    assert_eq!(sandbox.git(["rev-list", "--count", "main..login"]), "2");
    assert_eq!(read(lane(&sandbox).join("src/app.txt")), BOTH);
}

#[test]
fn a_rebase_takes_the_attributes_of_the_base() {
    let sandbox = diverged();
    sandbox.write(".gitattributes", "*.txt merge=union\n");
    sandbox.write("src/app.txt", "ONE\ntwo\nthird\n");
    sandbox.commit("union");
    let there = yardstick(&sandbox);
    sandbox.git_in(&there, ["rebase", "-q", "main"]);
    sync(&sandbox, ["--strategy", "rebase"]).ok();
    assert_eq!(tip(&sandbox, "login"), tip(&sandbox, "yardstick"));
}

#[test]
fn the_policy_names_the_strategy() {
    let sandbox = diverged();
    sandbox.write(".git/lane/lane.toml", "[sync]\nstrategy = \"rebase\"\n");
    assert!(sync(&sandbox, ["--dry-run"]).ok().contains("(rebase,"));
    assert!(
        sync(&sandbox, ["--strategy", "merge"])
            .ok()
            .contains("(merge,")
    );
}

#[test]
fn hooks_of_a_merge_hear_and_object_as_with_git() {
    let sandbox = diverged();
    let said = sandbox.root().join("said");
    for hook in ["pre-merge-commit", "commit-msg", "post-merge"] {
        let line = format!(
            "echo {hook} $(git rev-parse --abbrev-ref HEAD) >>'{}'",
            said.display()
        );
        sandbox.hook(hook, line);
    }
    sync(&sandbox, []).ok();
    let heard = "pre-merge-commit login\ncommit-msg login\npost-merge login\n";
    assert_eq!(read(&said), heard);

    let sandbox = diverged();
    let before = state(&sandbox);
    sandbox.hook("commit-msg", "exit 3");
    let error = sync(&sandbox, []).fails(1);
    assert!(
        error.contains("exit code 3; the lane is as it was"),
        "{error}"
    );
    assert_eq!(state(&sandbox), before);
    sync(&sandbox, ["--no-verify"]).ok();
}

#[test]
fn a_hook_may_change_message_and_files() {
    let sandbox = diverged();
    sandbox.hook("commit-msg", "echo Seen-by: hook >>\"$1\"");
    sandbox.hook(
        "pre-merge-commit",
        "echo made >made.txt && git add made.txt",
    );
    sync(&sandbox, []).ok();
    assert!(
        sandbox
            .git(["log", "-1", "--format=%B", "login"])
            .contains("Seen-by: hook")
    );
    assert_eq!(read(lane(&sandbox).join("made.txt")), "made\n");
    assert_eq!(status(&sandbox), "");
}

#[test]
fn post_rewrite_is_told_what_became_of_each_commit() {
    let sandbox = diverged();
    let said = sandbox.root().join("said");
    sandbox.hook(
        "post-rewrite",
        format!("(echo $1; cat) >'{}'", said.display()),
    );
    let old = [tip(&sandbox, "login~1"), tip(&sandbox, "login")];
    sync(&sandbox, ["--strategy", "rebase"]).ok();
    let new = [tip(&sandbox, "login~1"), tip(&sandbox, "login")];
    let told = format!("rebase\n{} {}\n{} {}\n", old[0], new[0], old[1], new[1]);
    assert_eq!(read(&said), told);
}

#[test]
fn a_dry_run_says_it_and_writes_nothing() {
    for strategy in ["merge", "rebase"] {
        let sandbox = diverged();
        let before = sandbox.fingerprint();
        let text = sync(&sandbox, ["--dry-run", "--strategy", strategy]).ok();
        let says = format!("would sync lane 'login' with 'main' ({strategy}, 2 commits)");
        assert!(text.starts_with(&says), "{text}");
        assert_eq!(sandbox.fingerprint(), before);
        assert!(!sandbox.repo.join(".git/lane/events.jsonl").exists());
    }
    let sandbox = conflicting();
    let before = sandbox.fingerprint();
    sync(&sandbox, ["--dry-run"]).fails(3);
    assert_eq!(sandbox.fingerprint(), before);
}

/// The rule lets a lane take its base, at every level.
#[test]
fn the_guard_lets_it_pass() {
    for level in ["restore", "refuse"] {
        for strategy in ["merge", "rebase"] {
            let sandbox = diverged();
            if sandbox.lane(["init", "--level", level]).code != 0 {
                crate::support::skipped("this git has not that level");
                continue;
            }
            let run = sync(&sandbox, ["--strategy", strategy]);
            assert!(!run.stderr.contains("error"), "{run}");
            run.ok();
            assert_eq!(status(&sandbox), "");
            sandbox.lane(["doctor"]).ok();
        }
    }
}
