//! Others at work between the death of a landing and its recovery.

use super::*;

#[test]
fn nobody_gets_at_the_index_between_the_death_of_a_landing_and_its_healing() {
    for (at, landed) in [("land.files", false), ("land.ref", true)] {
        let sandbox = dies_landing(at);
        assert!(index_lock(&sandbox).exists());
        // As if a git that the dead one had started were still writing files.
        let at_work = std::fs::File::open(journal(&sandbox, "children")).unwrap();
        at_work.lock().unwrap();
        let mut healer = sandbox.command("git-lane");
        let quiet = std::process::Stdio::null;
        let healer = healer
            .args(["start", "other"])
            .stdout(quiet())
            .stderr(quiet());
        let mut healer = healer.spawn().unwrap();
        write(&sandbox.repo.join("mine"), "mine");
        for _ in 0..20 {
            std::thread::sleep(std::time::Duration::from_millis(25));
            sandbox.git_fails(["add", "mine"]);
            assert!(healer.try_wait().unwrap().is_none());
        }
        drop(at_work);
        assert!(healer.wait().unwrap().success());
        assert_eq!(sandbox.git(["status", "--porcelain"]), "?? mine", "{at}");
        assert_eq!(has_landed(&sandbox), landed, "{at}");
        sandbox.nothing_under_way();
    }
}

#[test]
fn a_landing_whose_lock_somebody_removed_is_completed_on_the_index_that_is_there() {
    let sandbox = dies_landing("land.ref");
    std::fs::remove_file(index_lock(&sandbox)).unwrap();
    write(&sandbox.repo.join("mine"), "mine");
    sandbox.git(["add", "mine"]);
    let said = sandbox.lane(["start", "other"]);
    assert!(said.stderr.contains("it has been completed"), "{said}");
    assert_eq!(sandbox.git(["status", "--porcelain"]), "A  mine");
    sandbox.nothing_under_way();
}

#[test]
fn a_landing_whose_index_cannot_be_put_right_is_not_called_completed() {
    let sandbox = dies_landing("land.ref");
    std::fs::remove_file(index_lock(&sandbox)).unwrap();
    // As git tells a user who wants to commit.
    std::fs::remove_file(sandbox.repo.join(".git/HEAD.lock")).unwrap();
    write(&sandbox.repo.join("mine"), "mine");
    sandbox.git(["add", "mine"]);
    sandbox.git(["commit", "-q", "-m", "innocent"]);
    let index = sandbox.git(["ls-files", "--stage"]);
    let said = sandbox.lane(["start", "other"]);
    assert_eq!(said.code, 0, "{said}");
    assert!(
        said.stderr.contains("it counts, but the index of") && said.stderr.contains("git -C"),
        "{said}"
    );
    assert!(!said.stderr.contains("has been completed"), "{said}");
    assert_eq!(sandbox.git(["ls-files", "--stage"]), index);
    sandbox.nothing_under_way();
}

#[test]
fn an_undone_landing_leaves_what_somebody_has_staged_of_it() {
    let sandbox = dies_landing("land.files");
    std::fs::remove_file(index_lock(&sandbox)).unwrap();
    sandbox.git(["add", "file"]);
    let said = sandbox.lane(["start", "other"]);
    assert!(
        said.stderr.contains("it does not count, but the index of"),
        "{said}"
    );
    assert_eq!(sandbox.git(["status", "--porcelain"]), "A  file");
    sandbox.nothing_under_way();
}

#[test]
fn an_undone_landing_leaves_a_directory_that_somebody_has_made_in_place_of_a_file() {
    let sandbox = dies_landing("land.files");
    let mine = sandbox.repo.join("README/deep/mine");
    write(&mine, "mine\n");
    sandbox.lane(["start", "other"]).ok();
    assert_eq!(std::fs::read_to_string(mine).unwrap(), "mine\n");
    assert_eq!(
        sandbox.git(["status", "--porcelain", "-uall"]),
        " D README\n?? README/deep/mine"
    );
    sandbox.nothing_under_way();
}

#[test]
fn nobody_moves_the_base_or_head_between_the_death_of_a_landing_and_its_healing() {
    let sandbox = dies_landing_by("ff", "refs.written");
    let old = sandbox.git(["rev-parse", "main"]);
    sandbox.git(["branch", "elsewhere"]);
    let at_work = std::fs::File::open(journal(&sandbox, "children")).unwrap();
    at_work.lock().unwrap();
    let mut healer = sandbox.command("git-lane");
    let quiet = std::process::Stdio::null;
    let mut healer = healer
        .args(["start", "other"])
        .stdout(quiet())
        .stderr(quiet())
        .spawn()
        .unwrap();
    for _ in 0..20 {
        std::thread::sleep(std::time::Duration::from_millis(25));
        sandbox.git_fails(["update-ref", "refs/heads/main", "login"]);
        sandbox.git_fails(["symbolic-ref", "HEAD", "refs/heads/elsewhere"]);
        assert!(healer.try_wait().unwrap().is_none());
    }
    drop(at_work);
    assert!(healer.wait().unwrap().success());
    assert_eq!(sandbox.git(["rev-parse", "main"]), old);
    assert_eq!(
        sandbox.git(["status", "--porcelain", "--branch"]),
        "## main"
    );
    sandbox.git(["update-ref", "refs/heads/elsewhere", "login"]);
    sandbox.nothing_under_way();
}
