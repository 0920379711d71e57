//! Records, indexes and working trees that were lost.

use super::*;

#[test]
fn a_working_tree_that_is_elsewhere_on_purpose_stays_there() {
    let sandbox = Sandbox::new();
    let (tree, git_dir) = (
        sandbox.root().join("tree"),
        sandbox.root().join("store/.git"),
    );
    std::fs::create_dir_all(&tree).unwrap();
    let init = [
        "init",
        "-q",
        "-b",
        "main",
        "--separate-git-dir",
        git_dir.to_str().unwrap(),
        tree.to_str().unwrap(),
    ];
    std::fs::create_dir_all(git_dir.parent().unwrap()).unwrap();
    sandbox.git(init);
    write(&tree.join("file"), "file");
    sandbox.git_in(&tree, ["add", "file"]);
    sandbox.git_in(&tree, ["commit", "-q", "-m", "first"]);
    sandbox.git_in(&tree, ["config", "core.worktree", tree.to_str().unwrap()]);
    sandbox.lane_in(&tree, ["doctor", "--fix"]).ok();
    assert_eq!(
        sandbox.git_in(&tree, ["config", "core.worktree"]),
        tree.to_str().unwrap()
    );
    // Where nothing tells, its owner does.
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.root().join("empty")).unwrap();
    sandbox.git(["config", "core.worktree", "../../empty"]);
    assert_left_alone(&sandbox, &["core-worktree"]);
}

#[test]
fn a_working_tree_that_is_nowhere_is_found_again() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    for directory in [sandbox.repo.clone(), sandbox.lane_path("login")] {
        sandbox.git(["config", "core.worktree", "../../elsewhere"]);
        // Every other command says so.
        let said = sandbox.lane_in(&directory, ["list"]).fails(4);
        assert!(
            said.contains("core.worktree leads to '") && said.contains("which is not there"),
            "{said}"
        );
        assert!(
            said.contains("git --work-tree=. config --unset core.worktree")
                && !said.contains("owned"),
            "{said}"
        );
        let told = sandbox.lane_in(&directory, ["doctor"]);
        assert!(
            told.stdout.contains("fixable: core.worktree leads to '") && told.code == 1,
            "{told}"
        );
        assert!(
            sandbox
                .lane_in(&directory, ["doctor", "--fix"])
                .ok()
                .contains("fixed: core.worktree leads to '")
        );
        assert!(sandbox.findings().is_empty());
        assert_eq!(
            sandbox.git(["rev-parse", "--show-toplevel"]),
            sandbox.repo.to_str().unwrap()
        );
    }
    // Where nothing tracked is around .git, nothing tells that the working tree was there.
    sandbox.git(["rm", "-q", "-r", "--cached", "."]);
    sandbox.git(["config", "core.worktree", "../../elsewhere"]);
    let said = doctor(&sandbox, &["--fix"]).fails(4);
    let remedy = said.trim_end().rsplit_once(": ").unwrap().1.to_owned();
    sandbox.sh(&remedy).ok();
    assert!(sandbox.findings().is_empty());
}

/// Branch and worktree are there, the section is not: the event log knows what was in it.
#[test]
fn a_lost_record_is_found_and_written_again() {
    let sandbox = Sandbox::new();
    sandbox
        .lane(["start", "login", "--base", "main", "--owner", "tester"])
        .ok();
    sandbox.lane(["start", "kept", "ended", "renamed"]).ok();
    sandbox.work("login", "file", "work");
    sandbox.git_in(
        &sandbox.lane_path("renamed"),
        ["branch", "-q", "-m", "called/otherwise"],
    );
    let record =
        |name: &str| sandbox.git(["config", "--get-regexp", &format!("^lane\\.{name}\\.")]);
    let before = record("login");
    // One that was dropped has no record for a good reason, even where its like is made again.
    sandbox.lane(["drop", "ended"]).ok();
    sandbox.add_worktree("ended", &sandbox.lane_path("ended"));
    assert!(
        sandbox
            .findings()
            .iter()
            .all(|code| code == "renamed-branch")
    );
    for name in ["login", "renamed"] {
        sandbox.git(["config", "--remove-section", &format!("lane.{name}")]);
    }
    assert_eq!(sandbox.findings(), ["lost-record", "lost-record"]);
    let told = doctor(&sandbox, &[]);
    let path = sandbox.lane_path("login");
    let text = format!(
        "fixable: lane 'login' has lost its record; its worktree is '{}'",
        path.display()
    );
    assert!(told.stdout.contains(&text), "{told}");
    doctor(&sandbox, &["--fix"]).ok();
    assert!(sandbox.findings().is_empty());
    let without_time = |record: &str| {
        let lines = record.lines().filter(|line| !line.contains(".created "));
        lines
            .map(str::to_owned)
            .collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(without_time(&record("login")), without_time(&before));
    assert!(record("renamed").contains("lane.renamed.branch called/otherwise"));
    sandbox.lane(["finish", "login"]).ok();
    assert!(sandbox.git(["log", "--format=%s"]).contains("login: file"));
}

/// Two worktrees could be the lane's: git-lane does not guess.
#[test]
fn a_lost_record_that_could_be_anybodys_is_left_alone() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    sandbox.git_in(&sandbox.lane_path("login"), ["switch", "-q", "-c", "other"]);
    sandbox.git(["worktree", "add", "-q", "../again", "login"]);
    sandbox.git(["config", "--remove-section", "lane.login"]);
    assert!(sandbox.findings().is_empty());
}

/// The user has taken the record out and made the like of the lane by hand, or under another name:
/// that one is theirs.
#[test]
fn a_lost_record_is_not_written_for_what_was_made_again_by_hand() {
    for again in [
        "git worktree remove -f ../shop.lanes/login && git worktree add -q ../shop.lanes/login \
         login",
        "git worktree remove -f ../shop.lanes/login && git branch -D login && git worktree add -q \
         -b login ../elsewhere",
        "git worktree remove -f ../shop.lanes/login && git worktree add -q -b other \
         ../elsewhere/login",
        "git -C ../shop.lanes/login switch -q -c other",
        // A record of another lane has it, even one that cannot be used yet.
        "git config lane.second.branch login",
        "git config lane.second.worktree \"$(cd .. && pwd)/shop.lanes/login\"",
        "git worktree remove -f ../shop.lanes/login && git lane start login",
    ] {
        for reftable in [false, true] {
            if reftable && git_version() < (2, 45) {
                continue;
            }
            let sandbox = Sandbox::empty();
            let format: &[&str] = if reftable {
                &["--ref-format=reftable"]
            } else {
                &[]
            };
            sandbox.git([&["init", "-q", "-b", "main"], format].concat());
            sandbox.commit("first");
            sandbox.lane(["start", "login"]).ok();
            sandbox.work("login", "file", "work");
            sandbox.git(["config", "--remove-section", "lane.login"]);
            assert_eq!(sandbox.findings(), ["lost-record"]);
            sandbox.sh(again).ok();
            let config = || sandbox.git(["config", "--local", "--list"]);
            let before = config();
            drop(doctor(&sandbox, &["--fix"]));
            assert!(
                !sandbox.findings().contains(&"lost-record".into()),
                "{again}"
            );
            assert_eq!(config(), before, "{again}");
        }
    }
}

/// git dies of it at every command; what the hint says makes a new one and touches no file.
#[test]
fn an_index_nobody_can_read_is_made_again_by_what_the_hint_says() {
    for (name, damage) in [
        ("login", &b"garbage"[..]),
        ("login", b""),
        ("main", b"DIRC\0\0\0\x02\0\0\0\x09short"),
    ] {
        let sandbox = Sandbox::new();
        sandbox.lane(["start", "login"]).ok();
        let (directory, index) = match name {
            "main" => (sandbox.repo.clone(), sandbox.repo.join(".git/index")),
            _ => (
                sandbox.lane_path("login"),
                sandbox.repo.join(".git/worktrees/login/index"),
            ),
        };
        write(&directory.join("README"), "edited\n");
        write(&directory.join("new"), "new\n");
        std::fs::write(&index, damage).unwrap();
        assert_eq!(sandbox.findings(), ["damaged-index"], "{damage:?}");
        let told = doctor(&sandbox, &["--fix"]);
        let hint = told
            .stdout
            .lines()
            .find(|line| line.contains("read-tree"))
            .unwrap_or_else(|| panic!("{told}"));
        let (_, command) = hint.split_once(": ").unwrap();
        sandbox.sh(command).ok();
        assert!(sandbox.findings().is_empty());
        let status = sandbox.git_in(&directory, ["status", "--porcelain"]);
        assert_eq!(status, " M README\n?? new");
        assert!(index.with_extension("damaged").exists());
    }
}

/// What a machine that died left half-written, git reads as if it were whole, and commits the rest
/// as deleted.
#[test]
fn an_index_that_ends_too_early_is_not_taken_for_a_whole_one() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    let index = sandbox.repo.join(".git/worktrees/login/index");
    let whole = std::fs::read(&index).unwrap();
    for length in [0, 12, 90, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&index, &whole[..length]).unwrap();
        assert_eq!(
            sandbox.findings(),
            ["damaged-index"],
            "{length} of {}",
            whole.len()
        );
    }
    std::fs::write(&index, &whole).unwrap();
    assert!(sandbox.findings().is_empty());
    write(&sandbox.lane_path("login").join("new"), "new\n");
    sandbox.git_in(
        &sandbox.lane_path("login"),
        ["-c", "index.skipHash=true", "add", "new"],
    );
    assert!(sandbox.findings().is_empty());
}

#[test]
fn the_age_of_a_lock_is_told_in_units_people_use() {
    let sandbox = Sandbox::new();
    let lock = sandbox.repo.join(".git/index.lock");
    write(&lock, "");
    age(&lock, 93_700);
    let told = doctor(&sandbox, &[]);
    assert!(
        told.stdout
            .contains("index.lock' has blocked writers for 1d 2h"),
        "{told}"
    );
    let _ = told.fails(1);
    // Nothing tells whose it is.
    let _ = doctor(&sandbox, &["--fix"]).fails(1);
    assert!(lock.exists());
}

/// git repairs the worktree it is told, not the one whose place is claimed.
#[test]
fn an_admin_directory_that_claims_the_place_of_another_lane_is_told_its_own() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login", "search"]).ok();
    let gitdir = sandbox.repo.join(".git/worktrees/login/gitdir");
    write(
        &gitdir,
        format!("{}/.git\n", sandbox.lane_path("search").display()),
    );
    assert_eq!(
        sandbox.findings(),
        ["damaged-worktree"],
        "the other lane is well"
    );
    let told = doctor(&sandbox, &["--fix"]);
    let way = told
        .stdout
        .lines()
        .find_map(|line| line.split_once("try: "))
        .unwrap()
        .1
        .to_owned();
    assert!(way.ends_with("shop.lanes/login"), "{told}");
    let _ = told.fails(1);
    sandbox.sh(&way).ok();
    assert!(sandbox.findings().is_empty());
}
