//! Configuration, formats, operations and damage.

use super::*;

#[test]
fn config_and_environment_cannot_hide_work() {
    let sandbox = repository();
    sandbox.write("a", "a");
    sandbox.write(".gitattributes", "* filter=none\n");
    sandbox.commit("start");
    for (key, value) in [
        ("status.showUntrackedFiles", "no"),
        ("diff.ignoreSubmodules", "all"),
        ("core.fsmonitor", "true"),
        ("core.untrackedCache", "true"),
        ("core.checkStat", "minimal"),
        ("core.trustctime", "false"),
        ("status.relativePaths", "true"),
        ("color.ui", "always"),
    ] {
        sandbox.git(["config", key, value]);
    }
    assert!(main_status(&sandbox).is_clean());
    sandbox.write("a", "b");
    sandbox.write("new", "x");
    assert_eq!(counts(&main_status(&sandbox)), (0, 1, 1, 0));
}

#[test]
fn hidden_entries_are_compared() {
    for filters in [false, true] {
        let sandbox = repository();
        for name in ["assumed", "skipped", "kept", "gone"] {
            sandbox.write(name, "as committed");
        }
        if filters {
            sandbox.write(".gitattributes", "* filter=none\n");
        }
        sandbox.commit("start");
        sandbox.git(["update-index", "--assume-unchanged", "assumed", "kept"]);
        sandbox.git(["update-index", "--skip-worktree", "skipped", "gone"]);
        sandbox.write("assumed", "differs");
        sandbox.write("skipped", "differs, too");
        std::fs::remove_file(sandbox.repo.join("gone")).expect("removed");
        assert_eq!(counted_by_git(&sandbox, &sandbox.repo), (0, 0, 0, 0));
        assert_eq!(
            counts(&main_status(&sandbox)),
            (0, 2, 0, 0),
            "filters: {filters}"
        );
        // The same once git has to answer for the worktree.
        sandbox.write("conflict", "x");
        sandbox.git(["add", "-N", "conflict"]);
        assert_eq!(
            counts(&main_status(&sandbox)),
            (0, 3, 0, 0),
            "filters: {filters}"
        );
    }
}

#[test]
fn a_sparse_checkout_is_clean_until_it_is_not() {
    let sandbox = repository();
    sandbox.write("in/a", "a");
    sandbox.write("out/b", "b");
    sandbox.commit("start");
    for cone in ["--no-sparse-index", "--sparse-index"] {
        sandbox.git(["sparse-checkout", "set", "--cone", cone, "in"]);
        assert!(main_status(&sandbox).is_clean(), "{cone}");
        sandbox.write("out/b", "changed");
        assert_eq!(
            main_status(&sandbox).modified,
            counted_by_git(&sandbox, &sandbox.repo).1,
            "{cone}"
        );
        assert!(!main_status(&sandbox).is_clean(), "{cone}");
        std::fs::remove_dir_all(sandbox.repo.join("out")).expect("removed");
    }
}

#[test]
fn other_index_formats_are_understood_or_left_to_git() {
    for setting in [
        ["index.version", "4"],
        ["core.splitIndex", "true"],
        ["feature.manyFiles", "true"],
    ] {
        let sandbox = repository();
        sandbox.git(["config", setting[0], setting[1]]);
        for name in ["a", "d/b", "d/c", "e"] {
            sandbox.write(name, "x");
        }
        sandbox.commit("start");
        sandbox.write("a2", "x");
        sandbox.git(["add", "a2"]);
        sandbox.write("d/b", "changed");
        sandbox.write("new", "x");
        assert_eq!(counts(&main_status(&sandbox)), (1, 1, 1, 0), "{setting:?}");
    }
}

#[test]
fn submodules_and_conflicts_count() {
    let sandbox = repository();
    let other = repository();
    other.write("s", "s");
    other.commit("sub");
    let url = other.repo.to_string_lossy().into_owned();
    sandbox.git([
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "add",
        "-q",
        &url,
        "sub",
    ]);
    sandbox.git(["config", "submodule.sub.ignore", "all"]);
    sandbox.write("f", "1");
    sandbox.commit("start");
    assert!(main_status(&sandbox).is_clean());
    sandbox.write("sub/new", "work inside");
    assert_eq!(counts(&main_status(&sandbox)), (0, 1, 0, 0));
    std::fs::remove_file(sandbox.repo.join("sub/new")).expect("removed");

    let linked = sandbox.root().join("linked");
    sandbox.add_worktree("lane", &linked);
    assert!(
        status(&sandbox, &linked).expect("a status").is_clean(),
        "a submodule that was never checked out"
    );

    write(&linked.join("f"), "2");
    sandbox.git_in(&linked, ["commit", "-q", "-am", "two"]);
    sandbox.write("f", "3");
    sandbox.commit("three");
    assert!(
        !sandbox
            .command("git")
            .current_dir(&linked)
            .args(["merge", "-q", "main"])
            .output()
            .expect("git")
            .status
            .success()
    );
    let conflicted = status(&sandbox, &linked).expect("a status");
    assert_eq!(
        (conflicted.conflicted, conflicted.operation),
        (1, Some(Operation::Merge))
    );
    assert_eq!(conflicted.samples, ["UU f"]);
}

#[test]
fn damage_is_an_error_and_never_clean() {
    let sandbox = repository();
    sandbox.write("a", "a");
    sandbox.commit("start");
    let linked = sandbox.repo.join("inside");
    sandbox.add_worktree("lane", &linked);
    let admin = sandbox.admin(&linked);
    let look = || statuses(&sandbox.open(), &[(&linked, &admin)], &git(), Depth::Full).remove(0);
    assert!(look().expect("a status").is_clean());
    let index = std::fs::read(admin.join("index")).expect("an index");
    for damage in ["HEAD", "index"] {
        let path = admin.join(damage);
        let whole = std::fs::read(&path).expect("a file");
        std::fs::write(&path, b"garbage").expect("written");
        assert!(look().is_err(), "{damage} is garbage");
        std::fs::remove_file(&path).expect("removed");
        assert!(look().is_err(), "{damage} is missing");
        std::fs::write(&path, whole).expect("written");
    }
    std::fs::write(admin.join("index"), &index[..index.len() / 2]).expect("written");
    assert!(look().is_err(), "half an index");
    std::fs::write(admin.join("index"), &index).expect("written");
    std::fs::write(
        admin.join("HEAD"),
        "1234567890123456789012345678901234567890\n",
    )
    .expect("written");
    assert!(look().is_err(), "no such commit");
    std::fs::write(admin.join("HEAD"), "ref: refs/heads/lane\n").expect("written");
    // Without its `.git` file git would look at the repository around it.
    std::fs::remove_file(linked.join(".git")).expect("removed");
    write(&linked.join("new"), "x");
    assert_eq!(counts(&look().expect("a status")), (0, 0, 1, 0));
    std::fs::remove_dir_all(&linked).expect("removed");
    assert!(look().is_err(), "no worktree");
}

#[test]
fn an_unborn_branch_is_no_error() {
    let sandbox = repository();
    assert!(main_status(&sandbox).is_clean());
    sandbox.write("a", "a");
    assert_eq!(main_status(&sandbox).untracked, 1);
}

#[test]
fn operations_are_seen() {
    let sandbox = repository();
    sandbox.write("a", "1");
    sandbox.commit("one");
    sandbox.write("a", "2");
    sandbox.commit("two");
    sandbox.write("a", "3");
    sandbox.commit("three");
    let git_dir = sandbox.repo.join(".git");
    assert_eq!(operation(&git_dir), None);
    let cases: [(&[&str], &[&str], Operation); 4] = [
        (
            &["bisect", "start", "HEAD", "HEAD~2"],
            &["bisect", "reset"],
            Operation::Bisect,
        ),
        (
            &["revert", "--no-edit", "HEAD~1"],
            &["revert", "--abort"],
            Operation::Revert,
        ),
        (
            &["cherry-pick", "HEAD~2"],
            &["cherry-pick", "--abort"],
            Operation::CherryPick,
        ),
        (
            &["rebase", "--onto", "HEAD~2", "HEAD~1"],
            &["rebase", "--abort"],
            Operation::Rebase,
        ),
    ];
    for (start, end, expected) in cases {
        let _ = sandbox.command("git").args(start).output();
        assert_eq!(operation(&git_dir), Some(expected), "{start:?}");
        sandbox.git(end);
        assert_eq!(operation(&git_dir), None, "{end:?}");
    }
}

#[test]
fn ignored_files_are_listed_with_directories_collapsed() {
    let sandbox = repository();
    sandbox.write(".gitignore", "target/\n*.env\n");
    sandbox.write("src/a", "a");
    sandbox.commit("start");
    sandbox.write("target/debug/x", "x");
    sandbox.write("src/secret.env", "x");
    let git_dir = sandbox.repo.join(".git");
    let listed = ignored(&git(), &sandbox.repo, &git_dir).expect("a list");
    assert_eq!(listed, ["src/secret.env", "target/"]);
    assert!(main_status(&sandbox).is_clean());
}
