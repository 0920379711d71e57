//! Strays, renames and moves.

use super::*;

#[test]
fn a_healthy_repository_has_no_findings() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login", "search"]).ok();
    sandbox.lane(["start", "detached", "--detach"]).ok();
    let before = sandbox.fingerprint();
    assert!(sandbox.findings().is_empty());
    assert!(
        doctor(&sandbox, &["--fix"])
            .ok()
            .contains("everything is as it should be")
    );
    assert_eq!(sandbox.fingerprint(), before);
}

#[test]
fn a_clean_stray_is_switched_back_and_a_dirty_one_left_alone() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "clean", "dirty"]).ok();
    for name in ["clean", "dirty"] {
        sandbox.git_in(
            &sandbox.lane_path(name),
            ["switch", "-q", "-c", &format!("other-{name}")],
        );
    }
    write(&sandbox.lane_path("dirty").join("precious"), "work");
    assert_eq!(sandbox.findings(), ["stray", "stray"]);
    let text = doctor(&sandbox, &["--fix"]);
    assert!(
        text.stdout.contains("fixed: lane 'clean' is a stray")
            && text.stdout.contains("commit or stash"),
        "{text}"
    );
    let _ = text.fails(1);
    assert_eq!(
        sandbox.git_in(&sandbox.lane_path("clean"), ["branch", "--show-current"]),
        "clean"
    );
    assert_eq!(
        sandbox.git_in(&sandbox.lane_path("dirty"), ["branch", "--show-current"]),
        "other-dirty"
    );
    assert_eq!(
        std::fs::read(sandbox.lane_path("dirty").join("precious")).unwrap(),
        b"work"
    );
}

/// What a stray that stays one is told to do ends it.
#[test]
fn the_way_back_that_a_stray_is_told_works() {
    let way = |sandbox: &Sandbox, command: &str| {
        let command = command.replace("git ", "git -C \"$(git lane path login)\" ");
        let command = command.as_str();
        assert_eq!(sandbox.findings(), ["stray"]);
        let told = doctor(sandbox, &["--fix"]);
        assert!(
            told.stdout.contains(command) && !told.stdout.contains("commit or stash"),
            "{told}"
        );
        let _ = told.fails(1);
        // As it stands, and from where the user is.
        sandbox.sh(command).ok();
        assert!(sandbox.findings().is_empty());
    };
    let start = |args: &[&str]| {
        let sandbox = Sandbox::new();
        sandbox.lane(["init"]).ok();
        sandbox.lane([&["start", "login"], args].concat()).ok();
        let path = sandbox.lane_path("login");
        (sandbox, path)
    };
    let bypass = |sandbox: &Sandbox, args: &[&str]| {
        let path = sandbox.lane_path("login");
        sandbox
            .run(
                sandbox
                    .command("git")
                    .env("GIT_LANE_BYPASS", "1")
                    .current_dir(path)
                    .args(args),
            )
            .ok();
    };

    // On no branch, with a commit that is on none: clean, and nothing to commit or stash.
    let (sandbox, path) = start(&[]);
    sandbox.git_in(&path, ["switch", "-q", "--detach"]);
    sandbox.git_in(&path, ["commit", "-q", "--allow-empty", "-m", "experiment"]);
    let experiment = sandbox.git_in(&path, ["rev-parse", "HEAD"]);
    assert!(doctor(&sandbox, &[]).stdout.contains(" branch NAME"));
    sandbox.git_in(&path, ["branch", "kept"]);
    way(&sandbox, "git switch login");
    assert_eq!(sandbox.git(["rev-parse", "kept"]), experiment);

    // Its branch is gone.
    let (sandbox, path) = start(&[]);
    sandbox.git_in(&path, ["switch", "-q", "--detach"]);
    sandbox.git(["branch", "-q", "-D", "login"]);
    way(&sandbox, "git switch -c login");
    let (sandbox, _) = start(&[]);
    bypass(&sandbox, &["switch", "-q", "-c", "other"]);
    sandbox.git(["branch", "-q", "-D", "login"]);
    way(&sandbox, "git switch -c login");

    // It never had one.
    let (sandbox, _) = start(&["--detach"]);
    bypass(&sandbox, &["switch", "-q", "-c", "other"]);
    way(&sandbox, "git switch --detach");
}

#[test]
fn a_renamed_branch_and_a_moved_worktree_are_followed_by_any_command() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login", "search"]).ok();
    sandbox.git(["branch", "-m", "login", "sign-in"]);
    sandbox.git(["worktree", "move", "../shop.lanes/search", "../elsewhere"]);
    assert_eq!(sandbox.findings(), ["renamed-branch", "moved-worktree"]);
    let run = sandbox.lane(["start", "third"]);
    assert!(
        run.stderr
            .contains("renamed from 'login' to 'sign-in'; its record follows"),
        "{run}"
    );
    run.ok();
    assert_eq!(sandbox.git(["config", "lane.login.branch"]), "sign-in");
    assert_eq!(
        sandbox.git(["config", "lane.search.worktree"]),
        sandbox.root().join("elsewhere").to_str().unwrap()
    );
    assert!(sandbox.findings().is_empty());
}

#[test]
fn a_switch_to_another_branch_is_no_rename() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    sandbox.git_in(&sandbox.lane_path("login"), ["switch", "-q", "-c", "other"]);
    sandbox.git(["branch", "-D", "login"]);
    sandbox.lane(["start", "third"]).ok();
    assert_eq!(sandbox.git(["config", "lane.login.branch"]), "login");
    assert_eq!(sandbox.findings(), ["stray"]);
}

#[test]
fn worktrees_moved_by_hand_are_found_and_the_whole_repository_too() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login", "gone"]).ok();
    std::fs::rename(sandbox.lane_path("login"), sandbox.lane_path("renamed")).unwrap();
    std::fs::remove_dir_all(sandbox.lane_path("gone")).unwrap();
    assert_eq!(sandbox.findings(), ["found-worktree", "missing-worktree"]);
    let _ = doctor(&sandbox, &["--fix"]).fails(1);
    assert_eq!(
        sandbox.git_in(&sandbox.lane_path("renamed"), ["status", "--porcelain"]),
        ""
    );
    assert_eq!(sandbox.findings(), ["missing-worktree"]);

    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    let root = sandbox.root();
    std::fs::create_dir(root.join("new")).unwrap();
    std::fs::rename(&sandbox.repo, root.join("new/shop")).unwrap();
    std::fs::rename(root.join("shop.lanes"), root.join("new/shop.lanes")).unwrap();
    let fixed = sandbox
        .lane_in(&root.join("new/shop"), ["doctor", "--fix"])
        .ok();
    assert!(fixed.contains("was moved by hand"), "{fixed}");
    let lane = root.join("new/shop.lanes/login");
    assert_eq!(
        sandbox.git_in(&lane, ["status", "--porcelain", "--branch"]),
        "## login"
    );
    assert_eq!(
        sandbox
            .lane_in(&root.join("new/shop"), ["path", "login"])
            .ok()
            .trim_end(),
        lane.to_str().unwrap()
    );
}

/// What was renamed to what, and where the main worktree is then.
type Moves = (
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static str,
);

const MOVED: &[Moves] = &[
    ("the repository alone", &[("shop", "store")], "store"),
    (
        "both, beside each other",
        &[("shop", "store"), ("shop.lanes", "store.lanes")],
        "store",
    ),
    (
        "both, elsewhere",
        &[("shop", "new/shop"), ("shop.lanes", "new/shop.lanes")],
        "new/shop",
    ),
    (
        "the repository alone, elsewhere",
        &[("shop", "new/shop")],
        "new/shop",
    ),
    ("the lanes alone", &[("shop.lanes", "store.lanes")], "shop"),
    ("one lane", &[("shop.lanes/x", "shop.lanes/z")], "shop"),
    (
        "the repository, and a lane inside of it",
        &[
            ("shop", "store"),
            ("store/.worktrees/y", "store/.worktrees/z"),
        ],
        "store",
    ),
    ("a directory above both", &[("top", "above")], "above/shop"),
];

#[test]
fn what_was_moved_by_hand_is_hinted_at_and_brought_together_again() {
    for (name, moves, repo) in MOVED {
        let sandbox = Sandbox::new();
        let (root, repo) = (sandbox.root(), sandbox.root().join(repo));
        let first = if moves[0].0 == "top" {
            root.join("top/shop")
        } else {
            sandbox.repo.clone()
        };
        if first != sandbox.repo {
            std::fs::create_dir(root.join("top")).unwrap();
            std::fs::rename(&sandbox.repo, &first).unwrap();
        }
        std::fs::create_dir(root.join("new")).unwrap();
        sandbox.lane_in(&first, ["start", "x"]).ok();
        sandbox
            .lane_in(&first, ["start", "y", "--path", ".worktrees/y"])
            .ok();
        for lane in ["x", "y"] {
            let lane =
                std::path::PathBuf::from(sandbox.lane_in(&first, ["path", lane]).ok().trim_end());
            write(&lane.join("staged"), "gold\n");
            sandbox.git_in(&lane, ["add", "staged"]);
        }
        for (from, to) in *moves {
            std::fs::rename(root.join(from), root.join(to)).unwrap();
        }
        // The hint is there as long as it helps.
        let hint = "git lane doctor --fix";
        let is_lost = |lane: &str| {
            let shown = sandbox.lane_in(&repo, ["show", lane]);
            let lost = shown.stdout.contains("missing") || shown.stdout.contains("damaged");
            assert_eq!(shown.stderr.contains(hint), lost, "{name}: {shown}");
            lost
        };
        assert!(is_lost("x") | is_lost("y"), "{name}");
        let listed = sandbox.lane_in(&repo, ["list"]);
        assert!(listed.stderr.contains(hint), "{name}: {listed}");
        let fixed = sandbox.lane_in(&repo, ["doctor", "--fix"]).ok();
        assert!(!is_lost("x") && !is_lost("y"), "{name}: {fixed}");
        assert_eq!(sandbox.lane_in(&repo, ["list"]).stderr, "", "{name}");
        for lane in ["x", "y"] {
            let path =
                std::path::PathBuf::from(sandbox.lane_in(&repo, ["path", lane]).ok().trim_end());
            let status = sandbox.git_in(&path, ["status", "--porcelain", "--branch"]);
            assert_eq!(status, format!("## {lane}\nA  staged"), "{name}");
            sandbox
                .lane_in(&repo, ["drop", "--yes", "--force", lane])
                .ok();
            sandbox
                .lane_in(&repo, ["restore", "--path", path.to_str().unwrap(), lane])
                .ok();
        }
        assert_eq!(sandbox.lane_in(&repo, ["doctor"]).code, 0, "{name}");
    }
}

#[test]
fn what_is_gone_is_hinted_at_nowhere() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "x"]).ok();
    std::fs::remove_dir_all(sandbox.lane_path("x")).unwrap();
    for args in [&["list"][..], &["show", "x"]] {
        let run = sandbox.lane(args);
        assert!(
            run.stdout.contains("missing") && run.stderr.is_empty(),
            "{run}"
        );
    }
    // A lane whose repository is gone says where that was.
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "x"]).ok();
    std::fs::rename(&sandbox.repo, sandbox.root().join("store")).unwrap();
    let said = sandbox.lane_in(&sandbox.lane_path("x"), ["list"]).fails(4);
    assert!(
        said.contains("shop/.git/worktrees/x'") && said.contains("in its new place"),
        "{said}"
    );
}
