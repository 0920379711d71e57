//! Everything comes back, an operation in progress included.

use super::*;

#[test]
fn everything_comes_back_byte_for_byte() {
    let sandbox = Sandbox::new();
    let path = sandbox.lane_by_git("login");
    sandbox.work("login", "file", "x");
    sandbox.git_in(&path, ["commit", "-q", "--amend", "-m", "amended"]);
    sandbox.git(["config", "branch.login.remote", "origin"]);
    sandbox.git(["config", "branch.login.merge", "refs/heads/login"]);
    sandbox.git(["config", "lane.login.task", "a \"task\"\nof two lines"]);
    sandbox.git_in(&path, ["update-ref", "refs/worktree/own", "HEAD~1"]);
    fill(&sandbox, &path);
    mode(&path, 0o555);
    let admin = sandbox.admin(&path);
    let before = sandbox.whole_lane("login", &path, &admin);
    let status = sandbox.git_in(
        &path,
        [
            "--no-optional-locks",
            "status",
            "--porcelain=v2",
            "--ignored",
        ],
    );

    sandbox.lane(["drop", "--yes", "login"]).ok();
    assert!(!path.exists());
    sandbox.collect_garbage();
    sandbox.plain_git_works();
    let restored = sandbox.lane(["--json", "restore", "login"]).json();
    assert_eq!(restored["restored"][0]["path"], path.to_str().unwrap());

    assert_eq!(sandbox.whole_lane("login", &path, &admin), before);
    sandbox.nothing_left_behind(0);
    assert_eq!(
        sandbox.git_in(
            &path,
            [
                "--no-optional-locks",
                "status",
                "--porcelain=v2",
                "--ignored"
            ]
        ),
        status
    );
    assert_eq!(
        sandbox.git_in(&path, ["show", ":staged"]),
        "only in the index"
    );
    // What only the reflog and a per-worktree ref reach is still there.
    sandbox.git_in(&path, ["cat-file", "-e", "HEAD@{1}^{tree}"]);
    sandbox.git_in(&path, ["rev-parse", "refs/worktree/own"]);
    mode(&path, 0o755);
    sandbox.plain_git_works();
}

/// A lane with an operation in progress, gc while it is away, and the operation carried to its end
/// after its return.
fn interrupted(start: &[&[&str]], finish: &[&[&str]]) {
    let sandbox = Sandbox::new();
    let path = sandbox.lane_by_git("login");
    for (file, text) in [
        ("one", "1"),
        ("src/app.txt", "lane\n"),
        ("two", "2"),
        ("three", "3"),
    ] {
        sandbox.work("login", file, text);
    }
    sandbox.write("src/app.txt", "main\n");
    sandbox.commit("conflicting");
    sandbox.write("more", "main\n");
    sandbox.commit("more");
    let run = |args: &[&str]| {
        let mut command = sandbox.command("git");
        sandbox.run(
            command
                .current_dir(&path)
                .args(args)
                .env("GIT_EDITOR", "true"),
        )
    };
    for args in start {
        // Conflicts end with an exit code of their own.
        let code = run(args).code;
        assert!(code <= 1, "{args:?}");
    }
    let admin = sandbox.admin(&path);
    let mut twin = Vec::new();
    sandbox.git_in(&path, ["--no-optional-locks", "status"]);
    let before = sandbox.whole_lane("login", &path, &admin);
    sandbox.lane(["drop", "login"]).fails(1);
    sandbox.lane(["drop", "--yes", "login"]).ok();
    sandbox.collect_garbage();
    sandbox.plain_git_works();
    sandbox.lane(["restore", "login"]).ok();
    assert_eq!(sandbox.whole_lane("login", &path, &admin), before);
    sandbox.plain_git_works();
    for args in finish {
        let done = run(args);
        assert_eq!(done.code, 0, "{done}");
        twin.push(done.stdout);
    }
    assert!(!twin.is_empty());
    sandbox.nothing_left_behind(0);
}

#[test]
fn an_interrupted_rebase_goes_on() {
    interrupted(
        &[&["rebase", "main"]],
        &[
            &["checkout", "--theirs", "src/app.txt"],
            &["add", "."],
            &["rebase", "--continue"],
        ],
    );
}

#[test]
fn an_interrupted_rebase_can_still_be_given_up() {
    let edit = [
        "-c",
        "sequence.editor=sed -i 1s/pick/edit/",
        "rebase",
        "-i",
        "main",
    ];
    interrupted(
        &[&edit],
        &[
            &["rebase", "--abort"],
            &["diff", "--exit-code", "ORIG_HEAD"],
        ],
    );
}

#[test]
fn an_interrupted_merge_goes_on() {
    interrupted(
        &[&["merge", "main"]],
        &[
            &["checkout", "--ours", "src/app.txt"],
            &["add", "."],
            &["commit", "-m", "x"],
        ],
    );
}

#[test]
fn a_resolved_but_uncommitted_merge_goes_on() {
    interrupted(
        &[
            &["merge", "main"],
            &["checkout", "--ours", "src/app.txt"],
            &["add", "."],
        ],
        &[
            &["checkout", "-m", "src/app.txt"],
            &["add", "."],
            &["commit", "-m", "x"],
        ],
    );
}

#[test]
fn an_interrupted_cherry_pick_goes_on() {
    interrupted(
        &[&["cherry-pick", "main~1", "main"]],
        &[
            &["checkout", "--theirs", "src/app.txt"],
            &["add", "."],
            &["cherry-pick", "--continue"],
        ],
    );
}

#[test]
fn a_bisection_goes_on() {
    interrupted(
        &[&["bisect", "start", "HEAD", "HEAD~4"]],
        &[
            &["bisect", "good"],
            &["bisect", "bad"],
            &["bisect", "reset"],
        ],
    );
}

#[test]
fn an_autostash_survives() {
    interrupted(
        &[
            &["config", "rebase.autoStash", "true"],
            &["update-index", "--refresh"],
            &["rebase", "--autostash", "main"],
        ],
        &[&["rebase", "--abort"]],
    );
}

#[test]
fn commits_on_a_detached_head_come_back() {
    let sandbox = Sandbox::new();
    let path = sandbox.lane_by_git("login");
    sandbox.git_in(&path, ["checkout", "-q", "--detach"]);
    let lost = sandbox.work("login", "file", "x");
    sandbox.git_in(&path, ["checkout", "-q", "login"]);
    sandbox.git_in(&path, ["checkout", "-q", "--detach"]);
    let head = sandbox.work("login", "other", "x");
    sandbox.lane(["drop", "--force", "login"]).ok();
    sandbox.collect_garbage();
    sandbox.lane(["restore", "login"]).ok();
    assert_eq!(sandbox.git_in(&path, ["rev-parse", "HEAD"]), head);
    sandbox.git_in(&path, ["cat-file", "-e", &lost]);
    sandbox.plain_git_works();
}

#[test]
fn a_sparse_checkout_comes_back_sparse() {
    for index in ["--no-sparse-index", "--sparse-index"] {
        let sandbox = Sandbox::new();
        for file in ["a/one", "b/two", "c/d/three"] {
            sandbox.write(file, file);
        }
        sandbox.commit("directories");
        let path = sandbox.lane_by_git("login");
        sandbox.git_in(&path, ["sparse-checkout", "set", "--cone", index, "a"]);
        write(&path.join("a/staged"), "staged");
        sandbox.git_in(&path, ["add", "a/staged"]);
        sandbox.git_in(&path, ["--no-optional-locks", "status"]);
        let admin = sandbox.admin(&path);
        let before = sandbox.whole_lane("login", &path, &admin);
        sandbox.lane(["drop", "--yes", "login"]).ok();
        sandbox.collect_garbage();
        sandbox.lane(["restore", "login"]).ok();
        assert_eq!(
            sandbox.whole_lane("login", &path, &admin),
            before,
            "{index}"
        );
        assert!(!path.join("b").exists());
        assert_eq!(sandbox.git_in(&path, ["show", ":a/staged"]), "staged");
        sandbox.git_in(
            &path,
            [
                "diff",
                "--cached",
                "--quiet",
                "--exit-code",
                "HEAD",
                "--",
                "b",
                "c",
            ],
        );
        // git fsck calls a sparse index with something staged broken, lane or not.
        if index == "--no-sparse-index" {
            sandbox.plain_git_works();
        }
    }
}
