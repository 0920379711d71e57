//! Admin directories that git has lost.

use super::*;

#[test]
fn a_directory_git_does_not_list_is_not_called_gone() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    let lane = sandbox.lane_path("login");
    std::fs::remove_dir_all(sandbox.admin(&lane)).unwrap();
    write(
        &lane.join(".git"),
        "gitdir: /nowhere/.git/worktrees/login\n",
    );
    assert_eq!(sandbox.findings(), ["unlisted-worktree"]);
    let run = doctor(&sandbox, &[]);
    assert!(
        run.stdout.contains("but git does not list it") && !run.stdout.contains("gone"),
        "{run}"
    );
    run.fails(1);
}

#[test]
fn a_worktree_whose_admin_directory_git_lost_gets_a_new_one_and_keeps_every_byte() {
    let sandbox = Sandbox::new();
    let path = pruned_while_away(&sandbox);
    let tip = sandbox.git(["rev-parse", "login"]);
    let before = listing(&path);
    let refused = sandbox.lane(["finish", "login"]).fails(1);
    assert!(refused.contains("git lane doctor"), "{refused}");
    assert_eq!(sandbox.findings(), ["lost-admin"]);
    let told = doctor(&sandbox, &[]);
    let admin = sandbox.repo.join(".git/worktrees/login");
    let text = format!(
        "fixable: the worktree of lane 'login' at '{}' is cut off: git has lost '{}'",
        path.display(),
        admin.display()
    );
    assert!(
        told.stdout.contains(&text) && told.stderr.contains("git lane doctor --fix"),
        "{told}"
    );
    let _ = told.fails(1);
    assert!(!admin.exists());
    let told = doctor(&sandbox, &["--fix"]).ok();
    assert!(
        told.contains("what was staged has to be staged again"),
        "{told}"
    );
    assert!(listing(&path) == before);
    let status = sandbox.git_in(
        &path,
        ["--no-optional-locks", "status", "--porcelain", "--branch"],
    );
    assert_eq!(
        status,
        "## login\n M README\n D src/app.txt\n?? staged\n?? untracked"
    );
    assert_eq!(
        sandbox.git_in(&path, ["reflog", "HEAD", "--format=%H %gs"]),
        format!(
            "{tip} lane: started (lane {})",
            sandbox.git(["config", "lane.login.id"])
        )
    );
    assert_fixed_for_good(&sandbox);
    sandbox.nothing_left_behind(0);
    sandbox.plain_git_works();
    let names = |directory: &std::path::Path| {
        let entries = std::fs::read_dir(directory).unwrap().flatten();
        entries
            .map(|entry| entry.file_name())
            .collect::<std::collections::BTreeSet<_>>()
    };
    sandbox.lane(["start", "like"]).ok();
    let expected = names(&sandbox.repo.join(".git/worktrees/like"));
    assert!(
        names(&admin).is_subset(&expected),
        "{:?} {expected:?}",
        names(&admin)
    );
    sandbox.git_in(&path, ["add", "-A"]);
    sandbox.git_in(&path, ["commit", "-q", "-m", "goes on"]);
    sandbox.lane(["finish", "login"]).ok();
    assert!(sandbox.repo.join("staged").exists() && !sandbox.repo.join("src/app.txt").exists());
}

/// Where anything is in doubt, its owner decides.
#[test]
fn a_lost_admin_directory_is_not_guessed_at() {
    type Doubt = fn(&Sandbox, &std::path::Path);
    let doubts: [(&str, Doubt); 9] = [
        ("its branch is gone", |sandbox, _| {
            drop(sandbox.git(["branch", "-q", "-D", "login"]))
        }),
        ("another repository's", |sandbox, path| {
            let other = sandbox.root().join("other");
            sandbox.git(["init", "-q", other.to_str().unwrap()]);
            write(
                &path.join(".git"),
                format!("gitdir: {}/.git/worktrees/login\n", other.display()),
            );
        }),
        ("other files", |_, path| {
            for entry in std::fs::read_dir(path)
                .unwrap()
                .flatten()
                .map(|entry| entry.path())
            {
                match entry.is_dir() {
                    true => std::fs::remove_dir_all(entry).unwrap(),
                    false if entry.ends_with(".git") => {}
                    false => std::fs::remove_file(entry).unwrap(),
                }
            }
            write(&path.join("somebody's"), "x");
        }),
        ("a link in its place", |sandbox, path| {
            std::fs::rename(path, sandbox.root().join("moved")).unwrap();
            std::os::unix::fs::symlink(sandbox.root().join("moved"), path).unwrap();
        }),
        ("another lane claims it", |sandbox, path| {
            sandbox.lane(["start", "other"]).ok();
            let other = sandbox.lane_path("other");
            std::fs::remove_dir_all(sandbox.admin(&other)).unwrap();
            std::fs::copy(path.join(".git"), other.join(".git")).unwrap();
        }),
        ("settings of its own", |sandbox, _| {
            drop(sandbox.git(["config", "extensions.worktreeConfig", "true"]))
        }),
        ("what of it was checked out", |sandbox, _| {
            drop(sandbox.git(["config", "core.sparseCheckout", "true"]))
        }),
        ("a submodule's repository went with it", |sandbox, path| {
            let commit = sandbox.git(["rev-parse", "main"]);
            let entry = format!("160000,{commit},sub");
            sandbox.git(["update-index", "--add", "--cacheinfo", &entry]);
            sandbox.git(["commit", "-q", "-m", "sub"]);
            sandbox.git(["branch", "-q", "-f", "login", "main"]);
            let modules = sandbox.repo.join(".git/worktrees/login/modules/sub");
            write(
                &path.join("sub/.git"),
                format!("gitdir: {}\n", modules.display()),
            );
        }),
        (
            "a rebase elsewhere will write to its branch",
            |sandbox, _| {
                sandbox.git(["worktree", "add", "-q", "--detach", "../again"]);
                let admin = sandbox.repo.join(".git/worktrees/again");
                write(&admin.join("rebase-merge/head-name"), "refs/heads/login\n");
            },
        ),
    ];
    for (what, doubt) in doubts {
        let sandbox = Sandbox::new();
        let path = pruned_while_away(&sandbox);
        doubt(&sandbox, &path);
        let before = (listing(&path), sandbox.fingerprint());
        for args in [&[][..], &["--fix"]] {
            let told = doctor(&sandbox, args);
            assert!(
                told.stdout.contains("git does not list it"),
                "{what}: {told}"
            );
            let _ = told.fails(1);
            assert!((listing(&path), sandbox.fingerprint()) == before, "{what}");
        }
    }
    // A sparse one would seem to have lost what it never had.
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login", "--sparse", "src"]).ok();
    std::fs::remove_dir_all(sandbox.repo.join(".git/worktrees/login")).unwrap();
    assert_left_alone(&sandbox, &["unlisted-worktree"]);
}

/// `git worktree repair` there would have the other lane move in.
#[test]
fn a_lane_that_has_nothing_but_the_git_file_of_another_one_is_not_to_be_repaired_by_git() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login", "search"]).ok();
    let (login, search) = (sandbox.lane_path("login"), sandbox.lane_path("search"));
    std::fs::remove_dir_all(sandbox.admin(&login)).unwrap();
    std::fs::copy(search.join(".git"), login.join(".git")).unwrap();
    let told = doctor(&sandbox, &[]);
    assert!(
        told.stdout
            .contains(&format!("its .git file is that of '{}'", search.display())),
        "{told}"
    );
    assert!(
        told.stdout.contains("git lane start login") && !told.stdout.contains("worktree repair"),
        "{told}"
    );
    let _ = told.fails(1);
    assert_left_alone(&sandbox, &["unlisted-worktree"]);
}
