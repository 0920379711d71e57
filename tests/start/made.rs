//! What a start makes, and where.

use super::*;

#[test]
fn a_lane_is_a_branch_a_worktree_and_a_record() {
    let sandbox = Sandbox::new();
    let report = sandbox
        .lane([
            "start", "login", "--task", "T-7", "--owner", "claude:1", "--json",
        ])
        .json();
    let head = sandbox.git(["rev-parse", "main"]);
    assert_eq!(report["lanes"][0]["created"], true);
    // The fast way was taken, not git's.
    assert_eq!(report["lanes"][0]["populated"], "copied");
    assert_eq!(
        report["lanes"][0]["path"],
        sandbox.lane_path("login").to_str().unwrap()
    );
    assert_eq!(report["lanes"][0]["forkPoint"], head);
    assert_whole(&sandbox, "login");
    for (key, value) in [
        ("base", "refs/heads/main"),
        ("forkPoint", &head),
        ("owner", "claude:1"),
        ("task", "T-7"),
    ] {
        assert_eq!(sandbox.git(["config", &format!("lane.login.{key}")]), value);
    }
    assert_eq!(sandbox.git(["rev-parse", "login"]), head);
    // No upstream: a push of the lane must never go to the base.
    sandbox
        .run(
            sandbox
                .command("git")
                .args(["config", "branch.login.merge"]),
        )
        .fails(1);
    sandbox.git(["fsck", "--strict"]);
}

#[test]
fn the_default_place_is_beside_the_main_worktree_wherever_start_is_called() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "one"]).ok();
    sandbox
        .lane_in(&sandbox.lane_path("one").join("src"), ["start", "two"])
        .ok();
    sandbox
        .lane_in(&sandbox.repo.join("src"), ["start", "three"])
        .ok();
    sandbox
        .lane_in(&sandbox.repo.join(".git"), ["start", "four"])
        .ok();
    for name in ["one", "two", "three", "four"] {
        assert_whole(&sandbox, name);
    }
    let bare = sandbox.root().join("depot.git");
    sandbox.git(["clone", "-q", "--bare", ".", bare.to_str().unwrap()]);
    sandbox.lane_in(&bare, ["start", "five"]).ok();
    let five = sandbox.root().join("depot.lanes/five");
    assert_eq!(
        sandbox.git_in(&five, ["status", "--porcelain", "--branch"]),
        "## five"
    );
    sandbox.lane_in(&five, ["start", "six"]).ok();
    assert!(sandbox.root().join("depot.lanes/six/README").exists());
}

#[test]
fn starting_again_shows_the_lane_unless_something_else_was_asked_for() {
    let sandbox = Sandbox::new();
    sandbox.git(["branch", "next"]);
    sandbox.lane(["start", "login"]).ok();
    let report = sandbox.lane(["start", "login", "new", "--json"]).json();
    assert_eq!(
        (
            &report["lanes"][0]["created"],
            &report["lanes"][1]["created"]
        ),
        (&false.into(), &true.into())
    );
    let before = sandbox.fingerprint();
    for (args, word) in [
        (&["--base", "next"][..], "base 'main'"),
        (&["--branch", "other"], "branch 'login'"),
        (&["--detach"], "branch 'login'"),
        (&["--path", "../elsewhere"], "path '"),
        (&["--task", "T"], "no task"),
    ] {
        let error = sandbox.lane([&["start", "login"], args].concat()).fails(1);
        assert!(
            error.contains(word) && error.contains("git lane show login"),
            "{error}"
        );
    }
    assert_eq!(sandbox.fingerprint(), before);
}

#[test]
fn an_existing_branch_is_taken_up_with_its_commits() {
    let sandbox = Sandbox::new();
    sandbox.git(["switch", "-q", "-c", "login"]);
    sandbox.write("login.txt", "work");
    let tip = sandbox.commit("work");
    sandbox.git(["switch", "-q", "main"]);
    let report = sandbox.lane(["start", "login", "--json"]).json();
    assert_eq!(report["lanes"][0]["newBranch"], false);
    assert_eq!(sandbox.git(["rev-parse", "login"]), tip);
    assert!(sandbox.lane_path("login").join("login.txt").exists());
    assert_whole(&sandbox, "login");
}

#[test]
fn what_is_in_the_way_is_refused_and_nothing_changes() {
    let sandbox = Sandbox::new();
    sandbox.git(["branch", "free"]);
    sandbox.git(["branch", "dir/file"]);
    sandbox.git(["worktree", "add", "-q", "../used", "-b", "used"]);
    sandbox.lane(["start", "taken", "--branch", "work"]).ok();
    write(&sandbox.lane_path("occupied").join("file"), "precious");
    std::os::unix::fs::symlink("/", sandbox.lane_path("link")).unwrap();
    std::os::unix::fs::symlink("nowhere", sandbox.lane_path("dangling")).unwrap();
    std::fs::create_dir(sandbox.lane_path("empty")).unwrap();
    let before = sandbox.fingerprint();
    for (args, word) in [
        (vec!["used"], "in use in"),
        (vec!["x", "--branch", "work"], "belongs to lane 'taken'"),
        (vec!["dir"], "beside branch 'dir/file'"),
        (vec!["free/x"], "beside branch 'free'"),
        (vec!["occupied"], "already exists"),
        (vec!["link"], "symbolic link"),
        (vec!["dangling"], "symbolic link"),
        (vec!["x", "--path", ".git/x"], "inside a git directory"),
        (vec!["x", "--path", "../used/x"], "inside the worktree"),
        (vec!["x", "--path", "README/x"], "not a directory"),
        (vec!["x", "--base", "nowhere"], "names no commit"),
        (vec!["x", "--base=--output=x"], "names no commit"),
        (vec!["x", "--base", ":/nothing like it"], "names no commit"),
        (vec!["main"], "in use in"),
    ] {
        let error = sandbox
            .lane([vec!["start"], args.clone()].concat())
            .fails(1);
        assert!(
            error.contains(word) && error.contains("hint: "),
            "{args:?}: {error}"
        );
        assert_eq!(sandbox.fingerprint(), before, "{args:?}");
    }
    sandbox.lane(["start", "empty"]).ok();
    assert_whole(&sandbox, "empty");
}

#[test]
fn names_git_would_refuse_or_misread_are_refused() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "first"]).ok();
    let before = sandbox.fingerprint();
    let long = "x".repeat(251);
    let names = [
        "",
        "a..b",
        "a/../../b",
        ".hid",
        "a/.b",
        "a//b",
        "/abs",
        "a/",
        "x.lock",
        "x.",
        "a@{b",
        "a:b",
        "a\\b",
        "a~b",
        "~root",
        "git~1",
        "@",
        "HEAD",
        "FETCH_HEAD",
        "ORIG_HEAD",
        "refs/heads/x",
        "x\ny",
        "x\ry",
        "x\ty",
        "x\u{1b}[2J",
        "-x",
        "--force",
        "--upload-pack=touch pwned",
        "0123456789abcdef0123456789abcdef01234567",
        &long,
    ];
    for name in names {
        let error = sandbox.lane(["start", "--", name]).fails(1);
        assert!(
            error.starts_with("error: ") && !error.contains('\u{1b}'),
            "{name:?}: {error}"
        );
        assert_eq!(sandbox.fingerprint(), before, "{name:?}");
    }
    sandbox.lane(["start", "-x"]).fails(2);
    assert_eq!(sandbox.fingerprint(), before);
}

#[test]
fn names_that_are_shell_syntax_are_only_names() {
    let sandbox = Sandbox::new();
    let names = [
        "x;touch${IFS}pwned",
        "$(touch${IFS}pwned)",
        "`id`",
        "a'b\"c",
        "a|b&c",
        "!cmd",
        "#x",
        "é",
        "e\u{301}",
        "\u{202e}x",
        "con",
    ];
    for name in names {
        sandbox.lane(["start", name]).ok();
        let path = sandbox.lane(["path", name]).ok();
        let path = Path::new(path.trim_end_matches('\n'));
        assert_eq!(
            sandbox.git_in(path, ["symbolic-ref", "--short", "HEAD"]),
            name
        );
        assert_eq!(sandbox.git_in(path, ["status", "--porcelain"]), "");
    }
    let list = sandbox.lane(["list", "--no-status"]).ok();
    assert!(
        list.contains(r"\u{202e}x") && !list.contains('\u{202e}'),
        "{list}"
    );
    for place in [
        &sandbox.repo,
        &sandbox.root(),
        &sandbox.root().join("shop.lanes"),
    ] {
        assert!(!place.join("pwned").exists());
    }
}

#[test]
fn names_that_lead_to_one_directory_get_two() {
    let sandbox = Sandbox::new();
    let report = sandbox
        .lane(["start", "a/b-c", "a-b-c", "a/b/c", "--json"])
        .json();
    let paths: Vec<_> = (0..3)
        .map(|at| report["lanes"][at]["path"].as_str().unwrap().to_owned())
        .collect();
    assert!(
        paths[0].ends_with("/a-b-c")
            && paths[1].ends_with("/a-b-c-2")
            && paths[2].ends_with("/a-b-c-3"),
        "{paths:?}"
    );
    for (name, path) in ["a/b-c", "a-b-c", "a/b/c"].iter().zip(&paths) {
        assert_eq!(sandbox.lane(["path", name]).ok().trim_end(), path);
    }
}

#[test]
fn a_long_name_works_up_to_the_limit() {
    let sandbox = Sandbox::new();
    let name = "n".repeat(250);
    sandbox.lane(["start", &name]).ok();
    assert_whole(&sandbox, &name);
}

#[test]
fn a_place_inside_the_main_worktree_is_ignored_there() {
    let sandbox = Sandbox::new();
    sandbox
        .lane(["start", "one", "--path", ".worktrees/one"])
        .ok();
    sandbox
        .lane(["start", "two", "--path", ".worktrees/two"])
        .ok();
    assert_eq!(sandbox.git(["status", "--porcelain"]), "");
    let exclude = || std::fs::read_to_string(sandbox.repo.join(".git/info/exclude")).unwrap();
    assert_eq!(exclude().matches("/.worktrees/one/\n").count(), 1);
    assert_eq!(
        (
            exclude().matches("/.worktrees/").count(),
            exclude().matches(".lane-").count()
        ),
        (2, 0)
    );
}
