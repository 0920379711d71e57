//! Worktrees that git was cut off from.

use super::*;

/// Index, logs and HEAD of a living worktree are the user's work: its admin directory is mended
/// where it is.
#[test]
fn a_living_worktree_that_git_was_cut_off_from_is_mended_in_place() {
    type Break = fn(&std::path::Path);
    let breaks: [(&str, Break); 6] = [
        ("empty commondir", |admin| {
            write(&admin.join("commondir"), "")
        }),
        ("foreign commondir", |admin| {
            write(&admin.join("commondir"), "/nowhere\n")
        }),
        ("no gitdir", |admin| {
            std::fs::remove_file(admin.join("gitdir")).unwrap()
        }),
        ("empty HEAD", |admin| write(&admin.join("HEAD"), "")),
        ("garbage HEAD", |admin| {
            write(&admin.join("HEAD"), "garbage\n")
        }),
        ("all of them", |admin| {
            ["commondir", "gitdir", "HEAD"]
                .map(|name| write(&admin.join(name), ""))
                .into_iter()
                .collect()
        }),
    ];
    for (what, broken) in breaks {
        for lane in [true, false] {
            let sandbox = Sandbox::new();
            let path = sandbox.lane_path("login");
            match lane {
                true => drop(sandbox.lane(["start", "login"]).ok()),
                false => sandbox.add_worktree("login", &path),
            }
            write(&path.join("staged"), "staged");
            sandbox.git_in(&path, ["add", "staged"]);
            let admin = sandbox.repo.join(".git/worktrees/login");
            let status = sandbox.git_in(&path, ["status", "--porcelain", "--branch"]);
            broken(&admin);
            assert_eq!(sandbox.findings(), ["poisoned-worktree"], "{what}");
            let told = doctor(&sandbox, &["--fix"]);
            assert!(
                told.stdout.contains("look again in a minute"),
                "another command may be at it: {told}"
            );
            let _ = told.fails(1);
            age_all(&admin);
            let told = doctor(&sandbox, &["--fix"]);
            if !lane && (what.ends_with("HEAD") || what == "all of them") {
                // Neither a record nor a log says which branch it was on: HEAD names the commit.
                assert!(told.stdout.contains("fixed: the worktree '"), "{told}");
                told.ok();
                assert_eq!(
                    sandbox.git_in(&path, ["diff", "--cached", "--name-only"]),
                    "staged",
                    "{what}"
                );
                continue;
            }
            assert!(
                told.stdout.contains(if lane {
                    "fixed: the worktree of lane 'login'"
                } else {
                    "fixed: the worktree '"
                }),
                "{told}"
            );
            told.ok();
            assert_eq!(
                sandbox.git_in(&path, ["status", "--porcelain", "--branch"]),
                status,
                "{what}"
            );
            assert!(sandbox.findings().is_empty(), "{what}");
            assert!(
                !sandbox.repo.join(".git/lane/damaged").exists()
                    || what.contains("foreign")
                    || what.contains("garbage")
            );
            sandbox.git(["fsck"]);
        }
    }
}

#[test]
fn a_lost_head_is_where_its_log_says() {
    let lost = |prepare: &dyn Fn(&Sandbox, &std::path::Path)| {
        let sandbox = Sandbox::new();
        sandbox.lane(["start", "login"]).ok();
        let path = sandbox.lane_path("login");
        prepare(&sandbox, &path);
        let head = |sandbox: &Sandbox| {
            let run = sandbox.run(sandbox.command("git").current_dir(&path).args([
                "symbolic-ref",
                "-q",
                "HEAD",
            ]));
            (
                run.stdout,
                sandbox.git_in(&path, ["rev-parse", "HEAD"]),
                sandbox.git_in(&path, ["status", "--porcelain"]),
            )
        };
        let before = head(&sandbox);
        let admin = sandbox.repo.join(".git/worktrees/login");
        write(&admin.join("HEAD"), "");
        age_all(&admin);
        let _ = doctor(&sandbox, &["--fix"]);
        assert_eq!(head(&sandbox), before);
    };
    lost(&|sandbox, path| drop(sandbox.git_in(path, ["switch", "-q", "-c", "other"])));
    lost(&|sandbox, path| drop(sandbox.git_in(path, ["switch", "-q", "--detach"])));
    lost(&|sandbox, _| drop(sandbox.work("login", "x", "x")));
    // `git checkout --detach main` is logged like a switch to main, which is where it was, and then
    // is not.
    for commits in [false, true] {
        lost(&|sandbox, path| {
            sandbox.git_in(path, ["checkout", "-q", "--detach", "main"]);
            if commits {
                sandbox.git_in(path, ["commit", "-q", "--allow-empty", "-m", "experiment"]);
            }
            write(&path.join("staged"), "staged");
            sandbox.git_in(path, ["add", "staged"]);
        });
    }
    // A free branch of that name takes no lane's work either.
    lost(&|sandbox, path| {
        sandbox.git(["branch", "free"]);
        sandbox.git_in(path, ["checkout", "-q", "--detach", "free"]);
        sandbox.git_in(path, ["commit", "-q", "--allow-empty", "-m", "experiment"]);
    });
    lost(&|sandbox, path| {
        sandbox.work("login", "README", "lane");
        sandbox.git(["switch", "-q", "-c", "up"]);
        sandbox.write("README", "main");
        sandbox.commit("up");
        let rebase = sandbox.run(
            sandbox
                .command("git")
                .current_dir(path)
                .args(["rebase", "-q", "up"]),
        );
        assert_ne!(rebase.code, 0, "{rebase}");
    });
}

/// What older versions put aside of a living lane comes back; what is nowhere is said.
#[test]
fn a_living_lane_without_its_admin_directory_is_brought_back_or_told() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    let (path, admin) = (
        sandbox.lane_path("login"),
        sandbox.repo.join(".git/worktrees/login"),
    );
    write(&path.join("staged"), "staged");
    sandbox.git_in(&path, ["add", "staged"]);
    write(&admin.join("commondir"), "");
    let kept = sandbox.repo.join(".git/lane/damaged/0123");
    std::fs::create_dir_all(kept.parent().unwrap()).unwrap();
    std::fs::rename(&admin, &kept).unwrap();
    assert_eq!(sandbox.findings(), ["put-aside"]);
    doctor(&sandbox, &["--fix"]).ok();
    assert_eq!(
        sandbox.git_in(&path, ["status", "--porcelain", "--branch"]),
        "## login\nA  staged"
    );
    assert!(sandbox.findings().is_empty());

    std::fs::remove_dir_all(&admin).unwrap();
    write(
        &path.join(".git"),
        "gitdir: /nowhere/.git/worktrees/login\n",
    );
    assert_left_alone(&sandbox, &["unlisted-worktree"]);
}

#[test]
fn what_was_put_aside_says_where_it_is_and_comes_back_by_the_command_shown() {
    let sandbox = Sandbox::new();
    let admin = sandbox.repo.join(".git/worktrees/poison");
    write(&admin.join("HEAD"), "ref: refs/heads/poison\n");
    age_all(&admin);
    let told = doctor(&sandbox, &["--fix"]).ok();
    let way = told
        .lines()
        .find_map(|line| line.split_once("to have it back: "))
        .unwrap()
        .1;
    assert!(!admin.exists());
    sandbox.sh(way).ok();
    assert_eq!(
        std::fs::read(admin.join("HEAD")).unwrap(),
        b"ref: refs/heads/poison\n"
    );
}

/// `git worktree repair` in a copy would take the worktrees away from the original.
#[test]
fn a_copy_of_a_repository_leaves_the_originals_worktrees_alone() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    sandbox.git(["worktree", "add", "-q", "../other"]);
    let copy = sandbox.root().join("copy");
    sandbox
        .run(sandbox.command("cp").args(["-a", ".", "../copy"]))
        .ok();
    let before = sandbox.fingerprint();
    let told = sandbox.lane_in(&copy, ["doctor", "--fix"]);
    assert!(
        !told.stdout.contains("repair") && !told.stderr.contains("repair"),
        "{told}"
    );
    assert_eq!(
        told.stdout.matches("of which this one is a copy").count(),
        2,
        "{told}"
    );
    let drop = sandbox.lane_in(&copy, ["drop", "--force", "login"]);
    assert!(!drop.stderr.contains("repair"), "{drop}");
    let _ = drop.fails(1);
    assert_eq!(sandbox.fingerprint(), before);
    for line in told
        .stdout
        .lines()
        .filter_map(|line| line.split_once("to forget it here: "))
    {
        sandbox
            .run(
                sandbox
                    .command("sh")
                    .current_dir(&copy)
                    .args(["-c", line.1]),
            )
            .ok();
    }
    let _ = told.fails(1);
    assert!(
        sandbox
            .lane_in(&copy, ["doctor"])
            .ok()
            .contains("everything is as it should be")
    );
    assert!(sandbox.findings().is_empty());
}
