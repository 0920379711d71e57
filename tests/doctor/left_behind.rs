//! Settings, locks and records that others left behind.

use super::*;

#[test]
fn a_lock_beside_a_branch_is_reported() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "team/login"]).ok();
    let lock = sandbox.repo.join(".git/refs/heads/team/login.lock");
    write(&lock, "");
    age(&lock, 3600);
    assert_left_alone(&sandbox, &["lock"]);
    std::fs::remove_file(&lock).unwrap();
    let witness = sandbox.repo.join(".git/lane/locks/dead");
    write(&witness, "");
    std::fs::hard_link(&witness, &lock).unwrap();
    assert_eq!(sandbox.findings(), ["lock"]);
    assert_fixed_for_good(&sandbox);
    assert!(!lock.exists());
}

/// A git that is killed while it writes or compacts a reftable leaves a lock of the list, or of a table.
#[test]
fn a_lock_in_a_reftable_is_reported() {
    if git_version() < (2, 45) {
        skipped(&format!("git {:?} has no reftable", git_version()));
        return;
    }
    for of_lane in [false, true] {
        for suffix in [".list", ".ref"] {
            let sandbox = Sandbox::empty();
            sandbox.git(["init", "-q", "-b", "main", "--ref-format=reftable"]);
            sandbox.git(["commit", "-q", "--allow-empty", "-m", "one"]);
            sandbox.lane(["start", "login"]).ok();
            let git_dir = match of_lane {
                true => sandbox.admin(&sandbox.lane_path("login")),
                false => sandbox.repo.join(".git"),
            };
            let tables = std::fs::read_dir(git_dir.join("reftable")).unwrap();
            let table = tables
                .map(|entry| entry.unwrap().path())
                .find(|path| path.to_str().unwrap().ends_with(suffix))
                .unwrap();
            let lock = table.with_file_name(format!(
                "{}.lock",
                table.file_name().unwrap().to_str().unwrap()
            ));
            write(&lock, "");
            age(&lock, 3600);
            assert_eq!(sandbox.findings(), ["lock"], "{}", lock.display());
            let run = doctor(&sandbox, &[]);
            assert!(run.stdout.contains(lock.to_str().unwrap()), "{run}");
            std::fs::remove_file(&lock).unwrap();
            assert_eq!(sandbox.findings(), Vec::<String>::new());
        }
    }
}

#[test]
fn settings_a_leaked_git_dir_leaves_behind_are_undone() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    sandbox.git(["config", "core.bare", "true"]);
    assert_eq!(sandbox.findings(), ["core-bare"]);
    doctor(&sandbox, &["--fix"]).ok();
    assert_eq!(sandbox.git(["status", "--porcelain"]), "");
    sandbox.git([
        "config",
        "core.worktree",
        sandbox.lane_path("login").to_str().unwrap(),
    ]);
    assert_eq!(sandbox.findings(), ["core-worktree"]);
    doctor(&sandbox, &["--fix"]).ok();
    assert_eq!(
        sandbox.git(["rev-parse", "--show-toplevel"]),
        sandbox.repo.to_str().unwrap()
    );
    sandbox.git(["config", "core.hooksPath", "/nowhere/at/all"]);
    assert_eq!(sandbox.findings(), ["hooks-path"]);
}

#[test]
fn a_lock_is_removed_only_when_its_owner_is_provably_dead() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    let lock = sandbox.repo.join(".git/config.lock");
    write(&lock, "");
    age(&lock, 3600);
    assert_eq!(sandbox.findings(), ["lock"]);
    let run = doctor(&sandbox, &["--fix"]);
    assert!(run.stdout.contains("has blocked writers for 1h"), "{run}");
    let _ = run.fails(1);
    assert!(lock.exists());
    std::fs::remove_file(&lock).unwrap();
    let witness = sandbox.repo.join(".git/lane/locks/dead");
    write(&witness, "");
    std::fs::hard_link(&witness, &lock).unwrap();
    assert_eq!(sandbox.findings(), ["lock"]);
    doctor(&sandbox, &["--fix"]).ok();
    assert!(!lock.exists() && !witness.exists());
}

#[test]
fn hooks_that_went_missing_are_put_back() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    assert!(sandbox.findings().is_empty());
    sandbox.lane(["init", "--files"]).ok();
    assert!(sandbox.findings().is_empty());
    std::fs::remove_file(sandbox.repo.join(".git/hooks/post-checkout")).unwrap();
    for event in ["post-checkout", "pre-commit"] {
        let section = format!("hook.git-lane-{event}");
        drop(
            sandbox.run(
                sandbox
                    .command("git")
                    .args(["config", "--remove-section", &section]),
            ),
        );
    }
    assert_eq!(sandbox.findings(), ["not-in-force"]);
    doctor(&sandbox, &["--fix"]).ok();
    assert!(sandbox.findings().is_empty());
}

#[test]
fn damaged_records_and_worktrees_are_reported_and_never_touched() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    sandbox.git(["config", "lane.bad.worktree", ".."]);
    write(&sandbox.lane_path("login").join(".git"), "garbage");
    let before = sandbox.fingerprint();
    assert_eq!(sandbox.findings(), ["damaged-record", "damaged-worktree"]);
    let _ = doctor(&sandbox, &["--fix"]).fails(1);
    assert_eq!(sandbox.fingerprint(), before);
}

#[test]
fn a_base_that_was_renamed_is_followed_and_one_in_doubt_is_not() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login", "search"]).ok();
    sandbox.work("login", "file", "x");
    sandbox.git(["branch", "-m", "main", "trunk"]);
    assert_eq!(sandbox.findings(), ["renamed-base", "renamed-base"]);
    // A dry run writes nothing, and foretells what happens once the record has followed.
    let said = sandbox.lane(["finish", "--dry-run", "login"]).ok();
    assert!(
        said.contains("would land lane 'login' on 'trunk'"),
        "{said}"
    );
    assert_eq!(
        sandbox.git(["config", "lane.search.base"]),
        "refs/heads/main"
    );
    let run = sandbox.lane(["finish", "login"]);
    assert!(
        run.stderr
            .contains("the base of lane 'search' was renamed from 'main' to 'trunk'"),
        "{run}"
    );
    assert!(run.ok().contains("landed lane 'login' on 'trunk'"));
    assert_eq!(
        sandbox.git(["config", "lane.search.base"]),
        "refs/heads/trunk"
    );
    assert!(sandbox.findings().is_empty());

    // Two branches were called trunk once: nothing tells which of them is meant.
    sandbox.git(["branch", "-m", "trunk", "one"]);
    sandbox.git(["switch", "-q", "-c", "trunk"]);
    sandbox.git(["branch", "-m", "trunk", "two"]);
    sandbox.work("search", "other", "x");
    let said = sandbox.lane(["finish", "search"]).fails(1);
    assert!(
        said.contains("there is no branch 'trunk'") && !said.contains("git branch trunk"),
        "{said}"
    );
    assert!(
        said.contains("git config lane.search.base refs/heads/BRANCH"),
        "{said}"
    );
}
