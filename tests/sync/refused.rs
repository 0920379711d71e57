//! What keeps a lane from being synced: each is told in words of its own, and nothing changes.

use super::*;

#[test]
fn a_conflict_leaves_the_lane_exactly_as_it_was() {
    for (strategy, what) in [
        (
            "merge",
            "lane 'login' conflicts with 'main' in 1 file: 'src/app.txt'",
        ),
        (
            "rebase",
            "('login: src/app.txt') conflicts with 'main' in 1 file: 'src/app.txt'",
        ),
    ] {
        let sandbox = conflicting();
        write(&lane(&sandbox).join("untracked.txt"), "mine\n");
        let before = (state(&sandbox), sandbox.git(["count-objects", "-v"]));
        let run = sync(&sandbox, ["--strategy", strategy, "--json"]);
        let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(document["error"]["code"], "conflict");
        assert_eq!(
            document["error"]["details"]["paths"],
            serde_json::json!(["src/app.txt"])
        );
        let error = run.fails(3);
        assert!(error.contains(what), "{error}");
        let option = if strategy == "merge" {
            ""
        } else {
            " --strategy rebase"
        };
        let hint = format!(
            "hint: lay the conflict out in the lane with: git lane sync login{option} --here\n"
        );
        assert!(error.contains(&hint), "{error}");
        let after = (state(&sandbox), sandbox.git(["count-objects", "-v"]));
        assert_eq!(after, before, "{strategy}");
        sandbox.nothing_left_behind(0);
    }
}

/// What stands in the way, and how it is told.
#[test]
fn what_is_in_the_middle_of_something_stays() {
    let busy = "! git cherry-pick main >/dev/null 2>&1";
    let table: &[(&str, &str, &str)] = &[
        (
            "operation-in-progress",
            busy,
            "is in the middle of a cherry-pick",
        ),
        (
            "operation-in-progress",
            "! git merge main >/dev/null 2>&1",
            "in the middle of a merge",
        ),
        (
            "operation-in-progress",
            "! git rebase main >/dev/null 2>&1",
            "in the middle of a rebase",
        ),
        (
            "operation-in-progress",
            "git bisect start HEAD HEAD~1 >/dev/null",
            "of a bisect",
        ),
        (
            "stray",
            "git checkout -q --detach",
            "is stray: its worktree is on a detached HEAD",
        ),
        (
            "stray",
            "git checkout -q -b elsewhere",
            "is stray: its worktree is on 'elsewhere'",
        ),
        (
            "unsettled",
            "git cherry-pick main >/dev/null 2>&1; rm $(git rev-parse --git-path CHERRY_PICK_HEAD)",
            "lane 'login' has unmerged files",
        ),
        (
            "unsettled",
            "git config core.splitIndex true; git cherry-pick main >/dev/null 2>&1; rm \
            $(git rev-parse --git-path CHERRY_PICK_HEAD)",
            "lane 'login' has unmerged files",
        ),
    ];
    for (code, work, words) in table {
        let sandbox = conflicting();
        sandbox.sh_in(&lane(&sandbox), work).ok();
        let before = listing(&lane(&sandbox));
        let run = sync(&sandbox, ["--json"]);
        assert!(
            run.stdout.contains(&format!("\"code\": \"{code}\"")),
            "{work}: {run}"
        );
        let error = run.fails(1);
        assert!(
            error.contains(words) && error.contains("hint: "),
            "{work}: {error}"
        );
        assert_eq!(listing(&lane(&sandbox)), before, "{work}");
    }
}

#[test]
fn what_is_missing_is_named() {
    let table: &[(&str, i32, &str, &str)] = &[
        (
            "no-base",
            1,
            "git config --unset lane.login.base",
            "lane 'login' has no base",
        ),
        (
            "base-missing",
            1,
            "git config lane.login.base refs/heads/gone",
            "there is no 'gone', the base of lane 'login'",
        ),
        (
            "base-missing",
            1,
            "git config lane.login.base refs/remotes/origin/gone",
            "there is no 'origin/gone'",
        ),
        (
            "onto-itself",
            1,
            "git config lane.login.base refs/heads/login",
            "the base of lane 'login' is 'login', its own branch",
        ),
        (
            "worktree-gone",
            1,
            "rm -rf ../shop.lanes/login",
            "the worktree of lane 'login' is gone",
        ),
        (
            "no-such-lane",
            1,
            "git config --remove-section lane.login",
            "there is no lane 'login'",
        ),
        (
            "unrelated",
            1,
            "git checkout -q --orphan other && git commit -qm other && git config lane.login.base \
             refs/heads/other",
            "lane 'login' and 'other' share no history",
        ),
        (
            "detached",
            1,
            "git config --unset lane.login.branch; git -C ../shop.lanes/login checkout -q --detach",
            "lane 'login' has no branch that could take new commits",
        ),
    ];
    for (code, exit, work, words) in table {
        let sandbox = diverged();
        sandbox.sh(work).ok();
        let before = sandbox.git(["for-each-ref"]);
        let run = sync(&sandbox, ["--json"]);
        assert!(
            run.stdout.contains(&format!("\"code\": \"{code}\"")),
            "{work}: {run}"
        );
        let error = run.fails(*exit);
        assert!(
            error.contains(words) && error.contains("hint: "),
            "{work}: {error}"
        );
        assert_eq!(sandbox.git(["for-each-ref"]), before, "{work}");
    }
}

#[test]
fn a_base_that_was_renamed_is_followed() {
    let sandbox = diverged();
    sandbox.git(["branch", "-m", "main", "trunk"]);
    assert!(sync(&sandbox, []).ok().contains("with 'trunk'"));
    assert_eq!(
        sandbox.git(["config", "lane.login.base"]),
        "refs/heads/trunk"
    );
}

#[test]
fn a_rebase_of_what_is_published_takes_force() {
    let sandbox = diverged();
    sandbox.git(["update-ref", "refs/remotes/origin/login", "login~1"]);
    let before = state(&sandbox);
    let error = sync(&sandbox, ["--strategy", "rebase"]).fails(1);
    let says = "a rebase would replace commits of lane 'login' that 'origin/login' has";
    assert!(error.contains(says), "{error}");
    assert!(
        error.contains("git lane sync login --strategy rebase --force"),
        "{error}"
    );
    assert_eq!(state(&sandbox), before);
    // A merge replaces nothing, and force says yes.
    assert!(sync(&sandbox, ["--dry-run"]).ok().contains("(merge,"));
    sync(&sandbox, ["--strategy", "rebase", "--force"]).ok();
    assert_eq!(sandbox.git(["rev-list", "--count", "main..login"]), "2");
}

#[test]
fn what_only_the_base_has_published_is_no_reason() {
    let sandbox = diverged();
    sandbox.git(["update-ref", "refs/remotes/origin/main", "main"]);
    sync(&sandbox, ["--strategy", "rebase"]).ok();
}

#[test]
fn a_rebase_leaves_no_work_of_a_merge_commit_out() {
    let sandbox = diverged();
    let path = lane(&sandbox);
    sandbox.git_in(&path, ["merge", "-q", "--no-commit", "main"]);
    write(&path.join("evil.txt"), "only in the merge\n");
    sandbox.git_in(&path, ["add", "."]);
    sandbox.git_in(&path, ["commit", "-qm", "merge with more"]);
    sandbox.write("more.txt", "more\n");
    sandbox.commit("more");
    let before = state(&sandbox);
    let error = sync(&sandbox, ["--strategy", "rebase"]).fails(1);
    assert!(
        error.contains("a rebase would leave out work of lane 'login'"),
        "{error}"
    );
    assert!(
        error.contains("git lane sync login --strategy merge"),
        "{error}"
    );
    assert_eq!(state(&sandbox), before);
    sync(&sandbox, ["--strategy", "merge"]).ok();
}

#[test]
fn settings_that_no_merge_can_follow_are_told() {
    let sandbox = diverged();
    sandbox.git(["config", "merge.ff", "only"]);
    let error = sync(&sandbox, []).fails(1);
    assert!(
        error.contains("merge.ff asks for fast-forwards only"),
        "{error}"
    );
    assert!(
        error.contains("git lane sync login --strategy rebase"),
        "{error}"
    );
    sync(&sandbox, ["--strategy", "rebase"]).ok();
}

#[test]
fn within_a_hook_of_a_landing_nothing_is_synced() {
    let sandbox = diverged();
    let said = sandbox.root().join("said");
    let inner = env!("CARGO_BIN_EXE_git-lane");
    let line = format!(
        "'{inner}' sync login >/dev/null 2>'{}'; exit 1",
        said.display()
    );
    sandbox.hook("pre-merge-commit", line);
    sync(&sandbox, []).fails(1);
    assert!(
        read(&said).contains("cannot sync a lane"),
        "{}",
        read(&said)
    );
}

#[test]
fn a_merge_without_an_identity_is_refused() {
    let sandbox = diverged();
    let before = state(&sandbox);
    let mut nameless = sandbox.command("git-lane");
    for variable in [
        "GIT_AUTHOR_NAME",
        "GIT_COMMITTER_NAME",
        "GIT_AUTHOR_EMAIL",
        "GIT_COMMITTER_EMAIL",
    ] {
        nameless.env_remove(variable);
    }
    nameless
        .args(["sync", "login"])
        .env("GIT_CONFIG_COUNT", "1");
    nameless
        .env("GIT_CONFIG_KEY_0", "user.useConfigOnly")
        .env("GIT_CONFIG_VALUE_0", "true");
    let error = sandbox.run(&mut nameless).fails(1);
    assert!(error.contains("does not know whom to name"), "{error}");
    assert_eq!(state(&sandbox), before);
}
