//! Where a lane comes back to, and what is in the way.

use super::*;

#[test]
fn what_is_in_the_way_is_named_and_nothing_changes() {
    type Block = fn(&Sandbox, &Path);
    let table: [(&str, Block); 6] = [
        ("there is a lane of that name", |sandbox, _| {
            drop(sandbox.lane_by_git("login"))
        }),
        (
            "branch 'login' exists and is at another commit",
            |sandbox, _| {
                sandbox.commit("moved on");
                sandbox.git(["branch", "login", "main"]);
            },
        ),
        ("is impossible while 'login/sub' exists", |sandbox, _| {
            drop(sandbox.git(["branch", "login/sub", "main"]))
        }),
        ("is checked out in", |sandbox, _| {
            drop(sandbox.git(["checkout", "-q", "-b", "login"]))
        }),
        ("exists", |_, path| std::fs::create_dir_all(path).unwrap()),
        ("exists", |_, path| symlink("/nowhere", path).unwrap()),
    ];
    for (expected, block) in table {
        let sandbox = Sandbox::new();
        let path = sandbox.lane_by_git("login");
        write(&path.join("new"), "x");
        sandbox.lane(["drop", "--yes", "login"]).ok();
        block(&sandbox, &path);
        let before = sandbox.fingerprint();
        let said = sandbox.lane(["restore", "login"]).fails(1);
        assert!(
            said.contains(expected) && said.contains("hint: "),
            "{expected}: {said}"
        );
        assert_eq!(sandbox.fingerprint(), before);
        assert_eq!(
            sandbox.lane(["--json", "trash"]).json()["entries"]
                .as_array()
                .unwrap()
                .len(),
            1
        );
    }
    let said = Sandbox::new().lane(["restore", "nobody"]).fails(1);
    assert!(
        said.contains("nothing in the trash is called 'nobody'"),
        "{said}"
    );
}

#[test]
fn an_admin_directory_whose_name_is_taken_gets_another() {
    let sandbox = Sandbox::new();
    let path = sandbox.lane_by_git("login");
    write(&path.join("new"), "x");
    sandbox.lane(["drop", "--yes", "login"]).ok();
    let other = sandbox.root().join("login");
    sandbox.add_worktree("other", &other);
    assert!(sandbox.admin(&other).ends_with("worktrees/login"));
    sandbox.lane(["restore", "login"]).ok();
    assert!(sandbox.admin(&path).ends_with("worktrees/login1"));
    assert_eq!(sandbox.git_in(&path, ["status", "--porcelain"]), "?? new");
    assert_eq!(sandbox.git_in(&other, ["status", "--porcelain"]), "");
    sandbox.plain_git_works();
}

#[test]
fn the_newest_of_a_name_comes_first_and_an_id_names_any() {
    let sandbox = Sandbox::new();
    for text in ["first", "second"] {
        let path = sandbox.lane_by_git("login");
        write(&path.join("new"), text);
        sandbox.lane(["drop", "--yes", "login"]).ok();
    }
    let listed = sandbox.lane(["--json", "trash"]).json();
    let oldest = listed["entries"][1]["trash"].as_str().unwrap().to_owned();
    sandbox.lane(["restore", "login"]).ok();
    let file = sandbox.lane_path("login").join("new");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "second");
    sandbox.lane(["drop", "--yes", "login"]).ok();
    sandbox.lane(["restore", &oldest]).ok();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "first");
    sandbox.nothing_left_behind(1);
}

/// A dropped lane with a file that is nowhere else, in a repository that is to be moved; the lane's
/// commit.
fn dropped(sandbox: &Sandbox) -> String {
    sandbox.lane(["start", "login", "stays"]).ok();
    let commit = sandbox.work("login", "file", "x");
    write(&sandbox.lane_path("login").join("untracked"), "mine");
    sandbox.lane(["drop", "--force", "login"]).ok();
    commit
}

/// The lane is at `path`, whole, and the repository at `repo` and git know it there.
#[track_caller]
fn is_back(sandbox: &Sandbox, repo: &Path, path: &Path, commit: &str) {
    assert_eq!(
        sandbox.git_in(path, ["status", "--porcelain", "--branch"]),
        "## login\n?? untracked"
    );
    assert_eq!(sandbox.git_in(path, ["rev-parse", "HEAD"]), commit);
    let listed = sandbox.git_in(repo, ["worktree", "list", "--porcelain"]);
    assert!(
        listed
            .lines()
            .any(|line| line == format!("worktree {}", path.display())),
        "{listed}"
    );
    assert_eq!(
        sandbox.lane_in(repo, ["path", "login"]).ok().trim_end(),
        path.to_str().unwrap()
    );
    sandbox.lane_in(path, ["finish", "--commit", "rest"]).ok();
}

#[test]
fn a_lane_comes_back_beside_a_repository_that_was_moved_with_its_lanes() {
    for (repo, lanes) in [("new/shop", "new/shop.lanes"), ("store", "store.lanes")] {
        let sandbox = Sandbox::new();
        let (commit, root) = (dropped(&sandbox), sandbox.root());
        std::fs::create_dir(root.join("new")).unwrap();
        std::fs::rename(&sandbox.repo, root.join(repo)).unwrap();
        std::fs::rename(root.join("shop.lanes"), root.join(lanes)).unwrap();
        let repo = root.join(repo);
        let said = sandbox.lane_in(&repo, ["restore", "login"]).ok();
        let (path, was_at) = (root.join(lanes).join("login"), sandbox.lane_path("login"));
        assert!(said.contains(&format!("in '{}'", path.display())), "{said}");
        assert!(
            said.contains(&format!("it was in '{}'", was_at.display())),
            "{said}"
        );
        assert!(!root.join("shop.lanes").exists());
        is_back(&sandbox, &repo, &path, &commit);
    }
}

#[test]
fn a_lane_comes_back_where_it_was_when_the_repository_alone_was_moved() {
    let sandbox = Sandbox::new();
    let (commit, repo) = (dropped(&sandbox), sandbox.root().join("new"));
    std::fs::rename(&sandbox.repo, &repo).unwrap();
    let said = sandbox.lane_in(&repo, ["restore", "login"]).ok();
    assert!(!said.contains("moved"), "{said}");
    is_back(&sandbox, &repo, &sandbox.lane_path("login"), &commit);
}

#[test]
fn a_copy_of_a_repository_restores_beside_itself() {
    let sandbox = Sandbox::new();
    let (commit, root) = (dropped(&sandbox), sandbox.root());
    std::fs::create_dir(root.join("new")).unwrap();
    sandbox
        .run(
            sandbox
                .command("cp")
                .args(["-a", "../shop", "../shop.lanes", "../new"]),
        )
        .ok();
    let repo = root.join("new/shop");
    sandbox.lane_in(&repo, ["restore", "login"]).ok();
    assert!(!sandbox.lane_path("login").exists());
    is_back(&sandbox, &repo, &root.join("new/shop.lanes/login"), &commit);
    sandbox.lane(["restore", "login"]).ok();
    is_back(
        &sandbox,
        &sandbox.repo,
        &sandbox.lane_path("login"),
        &commit,
    );
}

/// A shell that still stands in the removed directory must not work on a later lane of the same
/// name.
#[test]
fn the_removed_directory_belongs_to_no_worktree() {
    let sandbox = Sandbox::new();
    sandbox.lane_by_git("login");
    sandbox.lane(["drop", "login"]).ok();
    sandbox.lane_by_git("login");
    let trash = sandbox.entry();
    let mut command = sandbox.command("git");
    let status = sandbox.run(command.current_dir(trash.join("worktree")).args(["status"]));
    assert!(
        status.code == 128 && status.stderr.contains("work tree"),
        "{status}"
    );
}
