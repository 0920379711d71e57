//! Every fix is for good, and what is not to be fixed is left.

use super::*;

#[test]
fn a_half_made_worktree_that_plain_git_dies_of_is_put_aside() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    let admin = sandbox.repo.join(".git/worktrees/poison");
    write(
        &admin.join("gitdir"),
        format!("{}/.git\n", sandbox.root().join("poison").display()),
    );
    write(&admin.join("commondir"), "");
    write(&admin.join("HEAD"), "ref: refs/heads/poison\n");
    sandbox.git_fails(["branch", "--list"]);
    assert_eq!(sandbox.findings(), ["unfinished-worktree"]);
    // Another command may be making it this very second.
    let _ = doctor(&sandbox, &["--fix"]).fails(1);
    assert!(admin.exists());
    age_all(&admin);
    doctor(&sandbox, &["--fix"]).ok();
    sandbox.git(["branch", "--list"]);
    sandbox.git(["fsck"]);
    assert_eq!(
        sandbox.git_in(&sandbox.lane_path("login"), ["status", "--porcelain"]),
        ""
    );
}

#[test]
fn every_fix_is_for_good() {
    type Break = fn(&Sandbox);
    let git_dir = |sandbox: &Sandbox| sandbox.repo.join(".git");
    let breaks: [(&str, Break); 9] = [
        ("stray", |sandbox| {
            sandbox.git_in(&sandbox.lane_path("login"), ["switch", "-q", "-c", "other"]);
        }),
        ("checked-out-twice", |sandbox| {
            sandbox.git([
                "worktree",
                "add",
                "-q",
                "-f",
                "--no-checkout",
                "../again",
                "login",
            ]);
        }),
        ("renamed-branch", |sandbox| {
            sandbox.git(["branch", "-m", "login", "sign-in"]);
        }),
        ("moved-worktree", |sandbox| {
            sandbox.git(["worktree", "move", "../shop.lanes/login", "../elsewhere"]);
        }),
        ("found-worktree", |sandbox| {
            std::fs::rename(sandbox.lane_path("login"), sandbox.lane_path("renamed")).unwrap();
        }),
        ("core-bare", |sandbox| {
            sandbox.git(["config", "core.bare", "true"]);
        }),
        ("core-worktree", |sandbox| {
            sandbox.git([
                "config",
                "core.worktree",
                sandbox.lane_path("login").to_str().unwrap(),
            ]);
        }),
        ("lock", |sandbox| {
            let witness = sandbox.repo.join(".git/lane/locks/dead");
            write(&witness, "");
            std::fs::hard_link(
                &witness,
                sandbox.repo.join(".git/worktrees/login/index.lock"),
            )
            .unwrap();
        }),
        ("not-in-force", |sandbox| {
            sandbox.lane(["init", "--files"]).ok();
            std::fs::remove_file(sandbox.repo.join(".git/hooks/pre-commit")).unwrap();
            let section = ["config", "--remove-section", "hook.git-lane-pre-commit"];
            drop(sandbox.run(sandbox.command("git").args(section)));
        }),
    ];
    for (code, broken) in breaks {
        let sandbox = Sandbox::new();
        sandbox.lane(["start", "login"]).ok();
        let index = std::fs::read(git_dir(&sandbox).join("worktrees/login/index")).unwrap();
        broken(&sandbox);
        assert_eq!(sandbox.findings(), [code]);
        let told = doctor(&sandbox, &[]);
        assert!(
            told.stdout.contains("fixable: ") && told.stderr.contains("git lane doctor --fix"),
            "{told}"
        );
        let _ = told.fails(1);
        assert_fixed_for_good(&sandbox);
        // Whatever it was, the lane is whole: on its branch, clean, with its index.
        let path = sandbox.lane(["path", "login"]).ok();
        let lane = std::path::Path::new(path.trim_end());
        assert_eq!(
            sandbox.git_in(lane, ["status", "--porcelain"]),
            "",
            "{code}"
        );
        assert!(
            !index.is_empty()
                && !sandbox
                    .git_in(lane, ["branch", "--show-current"])
                    .is_empty(),
            "{code}"
        );
    }
}

#[test]
fn what_only_its_owner_can_decide_is_told_and_left() {
    let lane = || {
        let sandbox = Sandbox::new();
        sandbox.lane(["start", "login"]).ok();
        sandbox
    };
    // The main worktree has a lane's branch: who works there says where it goes.
    let sandbox = lane();
    sandbox.git(["switch", "-q", "--ignore-other-worktrees", "login"]);
    assert_left_alone(&sandbox, &["checked-out-twice"]);
    // A branch moved and a branch deleted behind the lane's back.
    let sandbox = lane();
    sandbox.write("new", "new");
    sandbox.commit("second");
    sandbox.git(["update-ref", "refs/heads/login", "main"]);
    assert_left_alone(&sandbox, &["overtaken"]);
    let (_, hint) = doctor(&sandbox, &[])
        .stdout
        .split_once("git reset --soft ")
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    sandbox.git_in(
        &sandbox.lane_path("login"),
        ["reset", "-q", "--soft", hint.split(';').next().unwrap()],
    );
    assert!(sandbox.findings().is_empty());
    assert_eq!(
        sandbox.git_in(&sandbox.lane_path("login"), ["status", "--porcelain"]),
        ""
    );
    let sandbox = lane();
    let tip = sandbox.git(["rev-parse", "login"]);
    sandbox.git(["update-ref", "-d", "refs/heads/login"]);
    assert_left_alone(&sandbox, &["overtaken"]);
    sandbox.git(["update-ref", "refs/heads/login", &tip]);
    assert!(sandbox.findings().is_empty());
    // A hooks directory that is not there: git runs no hook file at all.
    let sandbox = lane();
    sandbox.git(["config", "core.hooksPath", "/nowhere/at/all"]);
    assert_left_alone(&sandbox, &["hooks-path"]);
    sandbox.git(["config", "--unset", "core.hooksPath"]);
    assert!(sandbox.findings().is_empty());
    // A directory that is gone.
    let sandbox = lane();
    std::fs::remove_dir_all(sandbox.lane_path("login")).unwrap();
    assert_left_alone(&sandbox, &["missing-worktree"]);
    // A lock that names no process.
    let sandbox = lane();
    let lock = sandbox.repo.join(".git/index.lock");
    write(&lock, "");
    age(&lock, 3600);
    assert_eq!(sandbox.findings(), ["lock"]);
    for _ in 0..2 {
        let _ = doctor(&sandbox, &["--fix"]).fails(1);
        assert!(lock.exists());
    }
}

/// husky sets `core.hooksPath` after `git lane init --files`: git does not look at our files any
/// more.
#[test]
fn hooks_that_somebody_outranked_are_reported_with_who_did_it() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    sandbox.lane(["init", "--files"]).ok();
    for event in [
        "post-checkout",
        "pre-commit",
        "pre-merge-commit",
        "pre-rebase",
    ] {
        let section = format!("hook.git-lane-{event}");
        drop(
            sandbox.run(
                sandbox
                    .command("git")
                    .args(["config", "--remove-section", &section]),
            ),
        );
    }
    assert!(sandbox.findings().is_empty());
    write(&sandbox.repo.join(".husky/_/pre-commit"), "#!/bin/sh\n");
    sandbox.git(["config", "core.hooksPath", ".husky/_"]);
    assert_eq!(sandbox.findings(), ["not-in-force"]);
    let told = doctor(&sandbox, &[]);
    assert!(told.stdout.contains("core.hooksPath = .husky/_"), "{told}");
    let _ = told.fails(1);
    if git_version() >= (2, 54) {
        assert_fixed_for_good(&sandbox);
    } else {
        let before = sandbox.fingerprint();
        for _ in 0..2 {
            let run = doctor(&sandbox, &["--fix"]);
            assert!(run.stdout.contains("does not write"), "{run}");
            let _ = run.fails(1);
            assert_eq!(sandbox.fingerprint(), before);
        }
    }
}

/// What a `git worktree add -b` leaves that was killed while it made the worktree.
#[test]
fn the_branch_of_a_half_made_worktree_is_an_orphan_before_and_after_the_worktree_is_put_aside() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    sandbox.git(["branch", "team/half"]);
    sandbox.git(["branch", "used"]);
    assert!(
        sandbox.findings().is_empty(),
        "a branch without a commit of its own is no orphan"
    );
    let admin = sandbox.repo.join(".git/worktrees/other");
    write(&admin.join("HEAD"), "ref: refs/heads/team/half\n");
    write(&admin.join("commondir"), "../..\n");
    assert_eq!(sandbox.findings(), ["unfinished-worktree", "orphan-branch"]);
    for path in [admin.join("HEAD"), admin.join("commondir"), admin.clone()] {
        age(&path, 3600);
    }
    let _ = doctor(&sandbox, &["--fix"]).fails(1);
    assert!(!admin.exists());
    assert_left_alone(&sandbox, &["orphan-branch"]);
    sandbox.git(["branch", "-d", "team/half"]);
    assert!(sandbox.findings().is_empty());
}

/// Whatever the branch is called, whatever the policy makes of names, and whatever is checked out.
#[test]
fn what_the_hint_says_of_an_orphan_branch_works() {
    for policy in ["", "[start]\nbranch = '{owner}/{name}'\n"] {
        for (name, only_here) in [
            ("half", false),
            ("tester/half", false),
            ("x;touch${IFS}PWN", false),
            ("half", true),
        ] {
            for delete in [true, false] {
                let sandbox = Sandbox::new();
                write(&sandbox.repo.join(".git/lane/lane.toml"), policy);
                let start = match only_here {
                    true => sandbox.git(["commit-tree", "-m", "x", "HEAD^{tree}"]),
                    false => sandbox.git(["rev-parse", "HEAD"]),
                };
                sandbox.git(["switch", "-q", "--orphan", "unrelated"]);
                sandbox.git(["commit", "-q", "--allow-empty", "-m", "unrelated"]);
                let log = format!(
                    "0000000000000000000000000000000000000000 {start} x <x@x> 0 +0000\tbranch: \
                     Created from main\n"
                );
                sandbox.git([
                    "update-ref",
                    "-m",
                    "branch: Created from main",
                    &format!("refs/heads/{name}"),
                    &start,
                ]);
                write(&sandbox.repo.join(".git/logs/refs/heads").join(name), log);
                let admin = sandbox.repo.join(".git/worktrees/other");
                write(&admin.join("HEAD"), format!("ref: refs/heads/{name}\n"));
                write(&admin.join("commondir"), "../..\n");
                assert!(
                    doctor(&sandbox, &[])
                        .stdout
                        .contains("look again in a minute")
                );
                age_all(&admin);
                let told = doctor(&sandbox, &["--fix"]).stdout;
                let hint = told
                    .lines()
                    .skip_while(|line| !line.contains("never used"))
                    .nth(1)
                    .unwrap()
                    .trim_start();
                assert_eq!(hint.contains("delete it"), !only_here, "{told}");
                let (first, second) = hint.split_once("; or ").unwrap_or(("", hint));
                let Some((_, command)) = (if delete { first } else { second }).split_once(": ")
                else {
                    continue;
                };
                sandbox.sh(command).ok();
                assert!(sandbox.findings().is_empty(), "{told}");
                assert!(!sandbox.repo.join("PWN").exists());
                let branches =
                    sandbox.git(["for-each-ref", "--format=%(refname:short)", "refs/heads"]);
                assert_eq!(
                    branches.lines().any(|branch| branch == name),
                    !delete,
                    "{told}"
                );
            }
        }
    }
}
