//! `git lane restore`: everything comes back, byte for byte, and goes on working.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use crate::sandbox::{Sandbox, git_version, write};

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Files of every kind a worktree can hold, in every state git knows.
fn fill(sandbox: &Sandbox, path: &Path) {
    write(&path.join(".gitignore"), "ignored\nnode_modules/\n");
    write(&path.join("staged"), "only in the index");
    sandbox.git_in(path, ["add", "staged", ".gitignore"]);
    write(&path.join("staged"), "staged, then changed again");
    write(&path.join("src/app.txt"), "changed");
    write(&path.join("untracked"), "x");
    write(&path.join("ignored"), "secret");
    write(&path.join("node_modules/a/b"), "x");
    std::fs::create_dir_all(path.join("empty/er")).unwrap();
    symlink("/nowhere", path.join("dangling")).unwrap();
    symlink(sandbox.root().join("home"), path.join("home-link")).unwrap();
    write(&path.join("script"), "#!/bin/sh\n");
    mode(&path.join("script"), 0o755);
    write(&path.join("private"), "x");
    mode(&path.join("private"), 0o600);
    write(&path.join("sealed/inside"), "x");
    mode(&path.join("sealed/inside"), 0o444);
    mode(&path.join("sealed"), 0o555);
    write(&path.join(OsStr::from_bytes(b"latin-\xe9-\xff")), "x");
    // Bits that only chmod sets, a directory that hands its group down, one name of several for a file.
    for (name, bits) in [("setuid", 0o4755), ("setgid", 0o2755), ("unreadable", 0o000)] {
        write(&path.join(name), "x");
        mode(&path.join(name), bits);
    }
    std::fs::create_dir(path.join("shared")).unwrap();
    mode(&path.join("shared"), 0o3777);
    std::fs::hard_link(path.join("untracked"), path.join("second-name")).unwrap();
    std::fs::hard_link(sandbox.repo.join("README"), path.join("name-elsewhere")).unwrap();
    let noted = rustix::fs::setxattr(path.join("private"), "user.note", b"x\0y", rustix::fs::XattrFlags::empty());
    assert!(noted.is_ok() || noted == Err(rustix::io::Errno::NOTSUP), "{noted:?}");
    let old = std::fs::FileTimes::new().set_modified(std::time::SystemTime::UNIX_EPOCH);
    std::fs::File::open(path.join("script")).unwrap().set_times(old).unwrap();
    std::os::unix::net::UnixListener::bind(path.join("socket")).unwrap();
    let fifo = std::process::Command::new("mkfifo").arg(path.join("fifo")).status().unwrap();
    assert!(fifo.success());
    sandbox.git_in(path, ["init", "-q", "nested"]);
    write(&path.join("nested/file"), "x");
    sandbox.git_in(&path.join("nested"), ["add", "."]);
    sandbox.git_in(&path.join("nested"), ["commit", "-q", "-m", "nested"]);
    sandbox.git_in(path, ["--no-optional-locks", "status"]);
}

fn collect_garbage(sandbox: &Sandbox) {
    sandbox.git(["-c", "gc.reflogExpire=now", "-c", "gc.reflogExpireUnreachable=now", "gc", "-q", "--prune=now"]);
    sandbox.git(["worktree", "prune", "--expire=now"]);
}

#[test]
fn everything_comes_back_byte_for_byte() {
    let sandbox = Sandbox::new();
    let path = sandbox.lane_by_git("login");
    sandbox.work("login", "file", "x");
    sandbox.git_in(&path, ["commit", "-q", "--amend", "-m", "amended"]);
    sandbox.git(["config", "branch.login.remote", "origin"]);
    sandbox.git(["config", "branch.login.merge", "refs/heads/login"]);
    sandbox.git(["config", "lane.login.task", "a \"task\"\nof two lines"]);
    sandbox.git_in(&path, ["update-ref", "refs/worktree/own", "HEAD~1"]);
    fill(&sandbox, &path);
    mode(&path, 0o555);
    let admin = sandbox.admin(&path);
    let before = sandbox.whole_lane("login", &path, &admin);
    let status = sandbox.git_in(&path, ["--no-optional-locks", "status", "--porcelain=v2", "--ignored"]);

    sandbox.lane(["drop", "--yes", "login"]).ok();
    assert!(!path.exists());
    collect_garbage(&sandbox);
    sandbox.plain_git_works();
    let restored = sandbox.lane(["--json", "restore", "login"]).json();
    assert_eq!(restored["restored"][0]["path"], path.to_str().unwrap());

    assert_eq!(sandbox.whole_lane("login", &path, &admin), before);
    sandbox.nothing_left_behind(0);
    assert_eq!(sandbox.git_in(&path, ["--no-optional-locks", "status", "--porcelain=v2", "--ignored"]), status);
    assert_eq!(sandbox.git_in(&path, ["show", ":staged"]), "only in the index");
    // What only the reflog and a per-worktree ref reach is still there.
    sandbox.git_in(&path, ["cat-file", "-e", "HEAD@{1}^{tree}"]);
    sandbox.git_in(&path, ["rev-parse", "refs/worktree/own"]);
    mode(&path, 0o755);
    sandbox.plain_git_works();
}

/// A lane with an operation in progress, gc while it is away, and the operation carried to its end after its return.
fn interrupted(start: &[&[&str]], finish: &[&[&str]]) {
    let sandbox = Sandbox::new();
    let path = sandbox.lane_by_git("login");
    for (file, text) in [("one", "1"), ("src/app.txt", "lane\n"), ("two", "2"), ("three", "3")] {
        sandbox.work("login", file, text);
    }
    sandbox.write("src/app.txt", "main\n");
    sandbox.commit("conflicting");
    sandbox.write("more", "main\n");
    sandbox.commit("more");
    let run = |args: &[&str]| {
        let mut command = sandbox.command("git");
        sandbox.run(command.current_dir(&path).args(args).env("GIT_EDITOR", "true"))
    };
    for args in start {
        // Conflicts end with an exit code of their own.
        let code = run(args).code;
        assert!(code <= 1, "{args:?}");
    }
    let admin = sandbox.admin(&path);
    let mut twin = Vec::new();
    sandbox.git_in(&path, ["--no-optional-locks", "status"]);
    let before = sandbox.whole_lane("login", &path, &admin);
    sandbox.lane(["drop", "login"]).fails(1);
    sandbox.lane(["drop", "--yes", "login"]).ok();
    collect_garbage(&sandbox);
    sandbox.plain_git_works();
    sandbox.lane(["restore", "login"]).ok();
    assert_eq!(sandbox.whole_lane("login", &path, &admin), before);
    sandbox.plain_git_works();
    for args in finish {
        let done = run(args);
        assert_eq!(done.code, 0, "{done}");
        twin.push(done.stdout);
    }
    assert!(!twin.is_empty());
    sandbox.nothing_left_behind(0);
}

#[test]
fn an_interrupted_rebase_goes_on() {
    interrupted(
        &[&["rebase", "main"]],
        &[&["checkout", "--theirs", "src/app.txt"], &["add", "."], &["rebase", "--continue"]],
    );
}

#[test]
fn an_interrupted_rebase_can_still_be_given_up() {
    let edit = ["-c", "sequence.editor=sed -i 1s/pick/edit/", "rebase", "-i", "main"];
    interrupted(&[&edit], &[&["rebase", "--abort"], &["diff", "--exit-code", "ORIG_HEAD"]]);
}

#[test]
fn an_interrupted_merge_goes_on() {
    interrupted(
        &[&["merge", "main"]],
        &[&["checkout", "--ours", "src/app.txt"], &["add", "."], &["commit", "-m", "x"]],
    );
}

#[test]
fn a_resolved_but_uncommitted_merge_goes_on() {
    interrupted(
        &[&["merge", "main"], &["checkout", "--ours", "src/app.txt"], &["add", "."]],
        &[&["checkout", "-m", "src/app.txt"], &["add", "."], &["commit", "-m", "x"]],
    );
}

#[test]
fn an_interrupted_cherry_pick_goes_on() {
    interrupted(
        &[&["cherry-pick", "main~1", "main"]],
        &[&["checkout", "--theirs", "src/app.txt"], &["add", "."], &["cherry-pick", "--continue"]],
    );
}

#[test]
fn a_bisection_goes_on() {
    interrupted(
        &[&["bisect", "start", "HEAD", "HEAD~4"]],
        &[&["bisect", "good"], &["bisect", "bad"], &["bisect", "reset"]],
    );
}

#[test]
fn an_autostash_survives() {
    interrupted(
        &[&["config", "rebase.autoStash", "true"], &["update-index", "--refresh"], &["rebase", "--autostash", "main"]],
        &[&["rebase", "--abort"]],
    );
}

#[test]
fn commits_on_a_detached_head_come_back() {
    let sandbox = Sandbox::new();
    let path = sandbox.lane_by_git("login");
    sandbox.git_in(&path, ["checkout", "-q", "--detach"]);
    let lost = sandbox.work("login", "file", "x");
    sandbox.git_in(&path, ["checkout", "-q", "login"]);
    sandbox.git_in(&path, ["checkout", "-q", "--detach"]);
    let head = sandbox.work("login", "other", "x");
    sandbox.lane(["drop", "--force", "login"]).ok();
    collect_garbage(&sandbox);
    sandbox.lane(["restore", "login"]).ok();
    assert_eq!(sandbox.git_in(&path, ["rev-parse", "HEAD"]), head);
    sandbox.git_in(&path, ["cat-file", "-e", &lost]);
    sandbox.plain_git_works();
}

#[test]
fn a_sparse_checkout_comes_back_sparse() {
    for index in ["--no-sparse-index", "--sparse-index"] {
        let sandbox = Sandbox::new();
        for file in ["a/one", "b/two", "c/d/three"] {
            sandbox.write(file, file);
        }
        sandbox.commit("directories");
        let path = sandbox.lane_by_git("login");
        sandbox.git_in(&path, ["sparse-checkout", "set", "--cone", index, "a"]);
        write(&path.join("a/staged"), "staged");
        sandbox.git_in(&path, ["add", "a/staged"]);
        sandbox.git_in(&path, ["--no-optional-locks", "status"]);
        let admin = sandbox.admin(&path);
        let before = sandbox.whole_lane("login", &path, &admin);
        sandbox.lane(["drop", "--yes", "login"]).ok();
        collect_garbage(&sandbox);
        sandbox.lane(["restore", "login"]).ok();
        assert_eq!(sandbox.whole_lane("login", &path, &admin), before, "{index}");
        assert!(!path.join("b").exists());
        assert_eq!(sandbox.git_in(&path, ["show", ":a/staged"]), "staged");
        sandbox.git_in(&path, ["diff", "--cached", "--quiet", "--exit-code", "HEAD", "--", "b", "c"]);
        // git fsck calls a sparse index with something staged broken, lane or not.
        if index == "--no-sparse-index" {
            sandbox.plain_git_works();
        }
    }
}

#[test]
fn what_is_in_the_way_is_named_and_nothing_changes() {
    type Block = fn(&Sandbox, &Path);
    let table: [(&str, Block); 6] = [
        ("there is a lane of that name", |sandbox, _| drop(sandbox.lane_by_git("login"))),
        ("branch 'login' exists and is at another commit", |sandbox, _| {
            sandbox.commit("moved on");
            sandbox.git(["branch", "login", "main"]);
        }),
        ("is impossible while 'login/sub' exists", |sandbox, _| drop(sandbox.git(["branch", "login/sub", "main"]))),
        ("is checked out in", |sandbox, _| drop(sandbox.git(["checkout", "-q", "-b", "login"]))),
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
        assert!(said.contains(expected) && said.contains("hint: "), "{expected}: {said}");
        assert_eq!(sandbox.fingerprint(), before);
        assert_eq!(sandbox.lane(["--json", "trash"]).json()["trash"].as_array().unwrap().len(), 1);
    }
    let said = Sandbox::new().lane(["restore", "nobody"]).fails(1);
    assert!(said.contains("nothing in the trash is called 'nobody'"), "{said}");
}

#[test]
fn an_admin_directory_whose_name_is_taken_gets_another() {
    let sandbox = Sandbox::new();
    let path = sandbox.lane_by_git("login");
    write(&path.join("new"), "x");
    sandbox.lane(["drop", "--yes", "login"]).ok();
    let other = sandbox.root().join("login");
    sandbox.git(["worktree", "add", "-q", "-b", "other", other.to_str().unwrap()]);
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
    let oldest = listed["trash"][1]["id"].as_str().unwrap().to_owned();
    sandbox.lane(["restore", "login"]).ok();
    let file = sandbox.lane_path("login").join("new");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "second");
    sandbox.lane(["drop", "--yes", "login"]).ok();
    sandbox.lane(["restore", &oldest]).ok();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "first");
    sandbox.nothing_left_behind(1);
}

/// A dropped lane with a file that is nowhere else, in a repository that is to be moved; the lane's commit.
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
    assert_eq!(sandbox.git_in(path, ["status", "--porcelain", "--branch"]), "## login\n?? untracked");
    assert_eq!(sandbox.git_in(path, ["rev-parse", "HEAD"]), commit);
    let listed = sandbox.git_in(repo, ["worktree", "list", "--porcelain"]);
    assert!(listed.lines().any(|line| line == format!("worktree {}", path.display())), "{listed}");
    assert_eq!(sandbox.lane_in(repo, ["path", "login"]).ok().trim_end(), path.to_str().unwrap());
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
        assert!(said.contains(&format!("it was in '{}'", was_at.display())), "{said}");
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
    sandbox.run(sandbox.command("cp").args(["-a", "../shop", "../shop.lanes", "../new"])).ok();
    let repo = root.join("new/shop");
    sandbox.lane_in(&repo, ["restore", "login"]).ok();
    assert!(!sandbox.lane_path("login").exists());
    is_back(&sandbox, &repo, &root.join("new/shop.lanes/login"), &commit);
    sandbox.lane(["restore", "login"]).ok();
    is_back(&sandbox, &sandbox.repo, &sandbox.lane_path("login"), &commit);
}

/// A shell that still stands in the removed directory must not work on a later lane of the same name.
#[test]
fn the_removed_directory_belongs_to_no_worktree() {
    let sandbox = Sandbox::new();
    sandbox.lane_by_git("login");
    sandbox.lane(["drop", "login"]).ok();
    sandbox.lane_by_git("login");
    let trash = std::fs::read_dir(sandbox.repo.join(".git/lane/trash")).unwrap().flatten().next().unwrap().path();
    let mut command = sandbox.command("git");
    let status = sandbox.run(command.current_dir(trash.join("worktree")).args(["status"]));
    assert!(status.code == 128 && status.stderr.contains("work tree"), "{status}");
}

#[test]
fn killed_at_any_step_the_same_command_ends_well() {
    let sandbox = Sandbox::new();
    let path = sandbox.lane_by_git("login");
    sandbox.work("login", "file", "x");
    sandbox.git(["config", "branch.login.remote", "origin"]);
    write(&path.join("staged"), "staged");
    sandbox.git_in(&path, ["add", "staged"]);
    write(&path.join("untracked"), "x");
    sandbox.git_in(&path, ["status"]);
    let admin = sandbox.admin(&path);
    let before = sandbox.whole_lane("login", &path, &admin);
    for step in 1.. {
        sandbox.lane(["drop", "--yes", "login"]).ok();
        let mut dying = sandbox.command("git-lane");
        dying.args(["restore", "login"]).env("GIT_LANE_TEST_DIE_AT", step.to_string());
        let run = sandbox.run(&mut dying);
        let done = run.code == 0;
        if !done {
            assert_eq!(run.code, 137, "{run}");
            sandbox.plain_git_works();
            sandbox.git(["worktree", "prune", "--expire=now"]);
            sandbox.lane(["restore", "login"]).ok();
        }
        assert_eq!(sandbox.whole_lane("login", &path, &admin), before, "step {step}");
        sandbox.nothing_left_behind(0);
        if done {
            assert!(step > 10, "only {step} steps");
            return;
        }
    }
}

#[test]
fn somebody_without_a_name_can_drop_and_restore() {
    let sandbox = Sandbox::new();
    let path = sandbox.lane_by_git("login");
    for args in [["drop", "login"], ["restore", "login"]] {
        let mut command = sandbox.command("git-lane");
        command.args(args).env_remove("GIT_COMMITTER_NAME").env_remove("GIT_COMMITTER_EMAIL");
        sandbox.run(&mut command).ok();
    }
    sandbox.git_in(&path, ["reflog", "login"]);
    sandbox.plain_git_works();
}

fn other_format(option: &str) -> (Sandbox, PathBuf) {
    let sandbox = Sandbox::empty();
    sandbox.git(["init", "-q", "-b", "main", option, "."]);
    sandbox.write("README", "shop\n");
    sandbox.write("src/app.txt", "one\n");
    sandbox.commit("first");
    let path = sandbox.lane_by_git("login");
    sandbox.work("login", "file", "x");
    sandbox.git_in(&path, ["checkout", "-q", "--detach"]);
    sandbox.work("login", "detached", "x");
    write(&path.join("staged"), "staged");
    sandbox.git_in(&path, ["add", "staged"]);
    sandbox.git_in(&path, ["--no-optional-locks", "status"]);
    (sandbox, path)
}

#[test]
fn sha256_repositories_work_the_same() {
    let (sandbox, path) = other_format("--object-format=sha256");
    let admin = sandbox.admin(&path);
    let before = sandbox.whole_lane("login", &path, &admin);
    sandbox.lane(["drop", "--yes", "login"]).ok();
    collect_garbage(&sandbox);
    sandbox.lane(["restore", "login"]).ok();
    assert_eq!(sandbox.whole_lane("login", &path, &admin), before);
    sandbox.plain_git_works();
    sandbox.nothing_left_behind(0);
}

#[test]
fn reftable_repositories_work_the_same() {
    if git_version() < (2, 45) {
        return;
    }
    let (sandbox, path) = other_format("--ref-format=reftable");
    let refs = sandbox.git_in(&path, ["for-each-ref", "--include-root-refs"]);
    let log = sandbox.git_in(&path, ["reflog", "HEAD"]);
    let lock = sandbox.repo.join(".git/reftable/tables.list.lock");
    write(&lock, "");
    let error = sandbox.lane(["drop", "--yes", "login"]).fails(5);
    assert!(error.contains("hint: ") && error.contains("git lane doctor"), "{error}");
    std::fs::remove_file(lock).unwrap();
    sandbox.lane(["drop", "--yes", "login"]).ok();
    assert_eq!(sandbox.git(["worktree", "list"]).lines().count(), 1);
    collect_garbage(&sandbox);
    sandbox.lane(["restore", "login"]).ok();
    assert_eq!(sandbox.git_in(&path, ["for-each-ref", "--include-root-refs"]), refs);
    assert_eq!(sandbox.git_in(&path, ["reflog", "HEAD"]), log);
    assert_eq!(sandbox.git_in(&path, ["status", "--porcelain"]), "A  staged");
    sandbox.plain_git_works();
}

#[test]
fn a_ref_lock_of_a_dead_process_is_cleared_and_any_other_is_named() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    sandbox.lane(["drop", "login"]).ok();
    let git = sandbox.repo.join(".git");
    let (branch, packed) = (git.join("refs/heads/login.lock"), git.join("packed-refs.lock"));

    write(&branch, "");
    // What was there for an hour is not waited for.
    let hour = std::time::Duration::from_secs(3600);
    std::fs::File::open(&branch).unwrap().set_modified(std::time::SystemTime::now() - hour).unwrap();
    let refused = sandbox.lane(["restore", "login"]).fails(4);
    assert!(refused.contains("refs/heads/login.lock' is held by another process, 36"), "{refused}");
    assert!(branch.exists());
    std::fs::remove_file(&branch).unwrap();

    // As a kill in the middle of a ref transaction leaves it: each lock is a link to a witness nobody holds.
    for (witness, lock) in [("one", &branch), ("two", &packed)] {
        let witness = git.join("lane/locks").join(witness);
        write(&witness, "");
        std::fs::hard_link(witness, lock).unwrap();
    }
    sandbox.lane(["restore", "login"]).ok();
    sandbox.nothing_left_behind(0);
}

/// The branch's reflog comes back with the branch, and what only it names must still be there.
#[test]
fn commits_that_only_the_reflog_of_the_branch_names_are_kept() {
    let sandbox = Sandbox::new();
    let earlier = sandbox.root().join("earlier");
    for (name, gone) in [("login", false), ("gone", true)] {
        sandbox.git(["worktree", "add", "-q", earlier.to_str().unwrap(), "-b", name]);
        write(&earlier.join("file"), name);
        sandbox.git_in(&earlier, ["add", "file"]);
        sandbox.git_in(&earlier, ["commit", "-q", "-m", "first"]);
        sandbox.git_in(&earlier, ["commit", "-q", "--amend", "-m", "second"]);
        sandbox.git(["worktree", "remove", earlier.to_str().unwrap()]);
        let first = sandbox.git(["rev-parse", &format!("{name}@{{1}}")]);
        sandbox.lane(["start", name]).ok();
        if gone {
            std::fs::remove_dir_all(sandbox.lane_path(name)).unwrap();
            sandbox.git(["worktree", "prune", "--expire=now"]);
        }
        sandbox.lane(["drop", "--yes", name]).ok();
        sandbox.git(["gc", "-q", "--prune=now"]);
        sandbox.lane(["restore", name]).ok();
        assert_eq!(sandbox.git(["rev-parse", &format!("{name}@{{1}}")]), first);
        sandbox.git(["cat-file", "-e", &format!("{first}^{{tree}}")]);
        let mut fsck = sandbox.command("git");
        sandbox.run(fsck.args(["fsck", "--no-progress"])).ok();
    }
}

/// git removes `.git/worktrees` whenever it is empty, also in the instant before a lane comes back into it.
#[test]
fn a_lane_comes_back_beside_a_prune_that_never_stops() {
    use std::sync::atomic::{AtomicBool, Ordering};
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                drop(std::fs::remove_dir(sandbox.repo.join(".git/worktrees")));
            }
        });
        let runs: Vec<_> =
            (0..10).flat_map(|_| [sandbox.lane(["drop", "login"]), sandbox.lane(["restore", "login"])]).collect();
        stop.store(true, Ordering::Relaxed);
        for run in runs {
            run.ok();
        }
    });
    sandbox.nothing_under_way();
}

#[test]
fn a_branch_made_again_at_the_same_commit_gets_its_old_reflog_back_whenever_the_restore_dies() {
    for step in 1.. {
        let sandbox = Sandbox::new();
        sandbox.lane(["start", "login"]).ok();
        let tip = sandbox.work("login", "file", "x");
        sandbox.lane(["drop", "--yes", "login"]).ok();
        sandbox.git(["branch", "login", &tip]);
        sandbox.git(["pack-refs", "--all"]);
        let mut dying = sandbox.command("git-lane");
        dying.args(["restore", "login"]).env("GIT_LANE_TEST_DIE_AT", step.to_string());
        let done = sandbox.run(&mut dying).code == 0;
        if !done {
            sandbox.lane(["restore", "login"]).ok();
        }
        let log = sandbox.git(["reflog", "--format=%gs", "login"]);
        let said: Vec<&str> = log.lines().collect();
        assert_eq!(said.len(), 3, "step {step}: {log}");
        assert!(said[0].starts_with("branch: Created from") && said[1] == "commit: login: file", "{log}");
        sandbox.nothing_left_behind(0);
        if done {
            return;
        }
    }
}
