//! `git lane start`

use std::path::Path;
use std::process::Stdio;

use crate::sandbox::{Sandbox, git_version, write};

/// A lane is whole: registered, clean, on its branch, recorded, and nothing else is left.
#[track_caller]
fn assert_whole(sandbox: &Sandbox, name: &str) {
    let path = sandbox.lane_path(name);
    assert_eq!(sandbox.git_in(&path, ["status", "--porcelain"]), "", "{name}");
    assert_eq!(sandbox.git_in(&path, ["symbolic-ref", "HEAD"]), format!("refs/heads/{name}"));
    assert_eq!(sandbox.git(["config", &format!("lane.{name}.branch")]), name);
    assert!(sandbox.git(["worktree", "list"]).contains(&format!("/{name} ")), "{name}");
    assert_nothing_left(sandbox);
}

/// No journal, no lock, no staging, no hidden directory.
#[track_caller]
fn assert_nothing_left(sandbox: &Sandbox) {
    for directory in ["journal", "locks", "staging"] {
        let entries: Vec<_> =
            std::fs::read_dir(sandbox.repo.join(".git/lane").join(directory)).into_iter().flatten().collect();
        assert!(entries.is_empty(), "{directory}: {entries:?}");
    }
    assert!(!sandbox.repo.join(".git/config.lock").exists());
    let lanes = std::fs::read_dir(sandbox.root().join("shop.lanes")).into_iter().flatten().flatten();
    let hidden: Vec<_> =
        lanes.map(|entry| entry.file_name()).filter(|name| name.to_string_lossy().starts_with('.')).collect();
    assert!(hidden.is_empty(), "{hidden:?}");
}

#[test]
fn a_lane_is_a_branch_a_worktree_and_a_record() {
    let sandbox = Sandbox::new();
    let report = sandbox.lane(["start", "login", "--task", "T-7", "--owner", "claude:1", "--json"]).json();
    let head = sandbox.git(["rev-parse", "main"]);
    assert_eq!(report["lanes"][0]["created"], true);
    // The fast way was taken, not git's.
    assert_eq!(report["lanes"][0]["files"], "copied");
    assert_eq!(report["lanes"][0]["path"], sandbox.lane_path("login").to_str().unwrap());
    assert_eq!(report["lanes"][0]["forkPoint"], head);
    assert_whole(&sandbox, "login");
    for (key, value) in [("base", "refs/heads/main"), ("forkPoint", &head), ("owner", "claude:1"), ("task", "T-7")] {
        assert_eq!(sandbox.git(["config", &format!("lane.login.{key}")]), value);
    }
    assert_eq!(sandbox.git(["rev-parse", "login"]), head);
    // No upstream: a push of the lane must never go to the base.
    sandbox.run(sandbox.command("git").args(["config", "branch.login.merge"])).fails(1);
    sandbox.git(["fsck", "--strict"]);
}

#[test]
fn the_default_place_is_beside_the_main_worktree_wherever_start_is_called() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "one"]).ok();
    sandbox.lane_in(&sandbox.lane_path("one").join("src"), ["start", "two"]).ok();
    sandbox.lane_in(&sandbox.repo.join("src"), ["start", "three"]).ok();
    sandbox.lane_in(&sandbox.repo.join(".git"), ["start", "four"]).ok();
    for name in ["one", "two", "three", "four"] {
        assert_whole(&sandbox, name);
    }
    let bare = sandbox.root().join("depot.git");
    sandbox.git(["clone", "-q", "--bare", ".", bare.to_str().unwrap()]);
    sandbox.lane_in(&bare, ["start", "five"]).ok();
    let five = sandbox.root().join("depot.lanes/five");
    assert_eq!(sandbox.git_in(&five, ["status", "--porcelain", "--branch"]), "## five");
    sandbox.lane_in(&five, ["start", "six"]).ok();
    assert!(sandbox.root().join("depot.lanes/six/README").exists());
}

#[test]
fn starting_again_shows_the_lane_unless_something_else_was_asked_for() {
    let sandbox = Sandbox::new();
    sandbox.git(["branch", "next"]);
    sandbox.lane(["start", "login"]).ok();
    let report = sandbox.lane(["start", "login", "new", "--json"]).json();
    assert_eq!((&report["lanes"][0]["created"], &report["lanes"][1]["created"]), (&false.into(), &true.into()));
    let before = sandbox.fingerprint();
    for (args, word) in [
        (&["--base", "next"][..], "base 'main'"),
        (&["--branch", "other"], "branch 'login'"),
        (&["--detach"], "branch 'login'"),
        (&["--path", "../elsewhere"], "path '"),
        (&["--task", "T"], "no task"),
    ] {
        let error = sandbox.lane([&["start", "login"], args].concat()).fails(1);
        assert!(error.contains(word) && error.contains("git lane show login"), "{error}");
    }
    assert_eq!(sandbox.fingerprint(), before);
}

#[test]
fn an_existing_branch_is_taken_up_with_its_commits() {
    let sandbox = Sandbox::new();
    sandbox.git(["switch", "-q", "-c", "login"]);
    sandbox.write("login.txt", "work");
    let tip = sandbox.commit("work");
    sandbox.git(["switch", "-q", "main"]);
    let report = sandbox.lane(["start", "login", "--json"]).json();
    assert_eq!(report["lanes"][0]["newBranch"], false);
    assert_eq!(sandbox.git(["rev-parse", "login"]), tip);
    assert!(sandbox.lane_path("login").join("login.txt").exists());
    assert_whole(&sandbox, "login");
}

#[test]
fn what_is_in_the_way_is_refused_and_nothing_changes() {
    let sandbox = Sandbox::new();
    sandbox.git(["branch", "free"]);
    sandbox.git(["branch", "dir/file"]);
    sandbox.git(["worktree", "add", "-q", "../used", "-b", "used"]);
    sandbox.lane(["start", "taken", "--branch", "work"]).ok();
    write(&sandbox.lane_path("occupied").join("file"), "precious");
    std::os::unix::fs::symlink("/", sandbox.lane_path("link")).unwrap();
    std::os::unix::fs::symlink("nowhere", sandbox.lane_path("dangling")).unwrap();
    std::fs::create_dir(sandbox.lane_path("empty")).unwrap();
    let before = sandbox.fingerprint();
    for (args, word) in [
        (vec!["used"], "in use in"),
        (vec!["x", "--branch", "work"], "belongs to lane 'taken'"),
        (vec!["dir"], "beside branch 'dir/file'"),
        (vec!["free/x"], "beside branch 'free'"),
        (vec!["occupied"], "already exists"),
        (vec!["link"], "symbolic link"),
        (vec!["dangling"], "symbolic link"),
        (vec!["x", "--path", ".git/x"], "inside a git directory"),
        (vec!["x", "--path", "../used/x"], "inside the worktree"),
        (vec!["x", "--path", "README/x"], "not a directory"),
        (vec!["x", "--base", "nowhere"], "names no commit"),
        (vec!["x", "--base=--output=x"], "names no commit"),
        (vec!["x", "--base", ":/nothing like it"], "names no commit"),
        (vec!["main"], "in use in"),
    ] {
        let error = sandbox.lane([vec!["start"], args.clone()].concat()).fails(1);
        assert!(error.contains(word) && error.contains("hint: "), "{args:?}: {error}");
        assert_eq!(sandbox.fingerprint(), before, "{args:?}");
    }
    sandbox.lane(["start", "empty"]).ok();
    assert_whole(&sandbox, "empty");
}

#[test]
fn names_git_would_refuse_or_misread_are_refused() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "first"]).ok();
    let before = sandbox.fingerprint();
    let long = "x".repeat(251);
    let names = [
        "",
        "a..b",
        "a/../../b",
        ".hid",
        "a/.b",
        "a//b",
        "/abs",
        "a/",
        "x.lock",
        "x.",
        "a@{b",
        "a:b",
        "a\\b",
        "a~b",
        "~root",
        "git~1",
        "@",
        "HEAD",
        "FETCH_HEAD",
        "ORIG_HEAD",
        "refs/heads/x",
        "x\ny",
        "x\ry",
        "x\ty",
        "x\u{1b}[2J",
        "-x",
        "--force",
        "--upload-pack=touch pwned",
        "0123456789abcdef0123456789abcdef01234567",
        &long,
    ];
    for name in names {
        let error = sandbox.lane(["start", "--", name]).fails(1);
        assert!(error.starts_with("error: ") && !error.contains('\u{1b}'), "{name:?}: {error}");
        assert_eq!(sandbox.fingerprint(), before, "{name:?}");
    }
    sandbox.lane(["start", "-x"]).fails(2);
    assert_eq!(sandbox.fingerprint(), before);
}

#[test]
fn names_that_are_shell_syntax_are_only_names() {
    let sandbox = Sandbox::new();
    let names = [
        "x;touch${IFS}pwned",
        "$(touch${IFS}pwned)",
        "`id`",
        "a'b\"c",
        "a|b&c",
        "!cmd",
        "#x",
        "é",
        "e\u{301}",
        "\u{202e}x",
        "con",
    ];
    for name in names {
        sandbox.lane(["start", name]).ok();
        let path = sandbox.lane(["path", name]).ok();
        let path = Path::new(path.trim_end_matches('\n'));
        assert_eq!(sandbox.git_in(path, ["symbolic-ref", "--short", "HEAD"]), name);
        assert_eq!(sandbox.git_in(path, ["status", "--porcelain"]), "");
    }
    let list = sandbox.lane(["list", "--no-status"]).ok();
    assert!(list.contains(r"\u{202e}x") && !list.contains('\u{202e}'), "{list}");
    for place in [&sandbox.repo, &sandbox.root(), &sandbox.root().join("shop.lanes")] {
        assert!(!place.join("pwned").exists());
    }
}

#[test]
fn names_that_lead_to_one_directory_get_two() {
    let sandbox = Sandbox::new();
    let report = sandbox.lane(["start", "a/b-c", "a-b-c", "a/b/c", "--json"]).json();
    let paths: Vec<_> = (0..3).map(|at| report["lanes"][at]["path"].as_str().unwrap().to_owned()).collect();
    assert!(
        paths[0].ends_with("/a-b-c") && paths[1].ends_with("/a-b-c-2") && paths[2].ends_with("/a-b-c-3"),
        "{paths:?}"
    );
    for (name, path) in ["a/b-c", "a-b-c", "a/b/c"].iter().zip(&paths) {
        assert_eq!(sandbox.lane(["path", name]).ok().trim_end(), path);
    }
}

#[test]
fn a_long_name_works_up_to_the_limit() {
    let sandbox = Sandbox::new();
    let name = "n".repeat(250);
    sandbox.lane(["start", &name]).ok();
    assert_whole(&sandbox, &name);
}

#[test]
fn a_place_inside_the_main_worktree_is_ignored_there() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "one", "--path", ".worktrees/one"]).ok();
    sandbox.lane(["start", "two", "--path", ".worktrees/two"]).ok();
    assert_eq!(sandbox.git(["status", "--porcelain"]), "");
    let exclude = || std::fs::read_to_string(sandbox.repo.join(".git/info/exclude")).unwrap();
    assert_eq!(exclude().matches("/.worktrees/one/\n").count(), 1);
    assert_eq!((exclude().matches("/.worktrees/").count(), exclude().matches(".lane-").count()), (2, 0));
}

#[test]
fn the_base_is_the_remotes_head_then_the_main_worktrees_branch() {
    let sandbox = Sandbox::new();
    sandbox.git(["switch", "-q", "-c", "topic"]);
    sandbox.lane(["start", "one"]).ok();
    assert_eq!(sandbox.git(["config", "lane.one.base"]), "refs/heads/topic");

    let clone = sandbox.root().join("clone");
    sandbox.git(["switch", "-q", "main"]);
    sandbox.git(["clone", "-q", ".", clone.to_str().unwrap()]);
    sandbox.git_in(&clone, ["switch", "-q", "-c", "elsewhere"]);
    sandbox.lane_in(&clone, ["start", "two"]).ok();
    assert_eq!(sandbox.git_in(&clone, ["config", "lane.two.base"]), "refs/heads/main");
    sandbox.git_in(&clone, ["branch", "-q", "-D", "main"]);
    sandbox.lane_in(&clone, ["start", "three"]).ok();
    assert_eq!(sandbox.git_in(&clone, ["config", "lane.three.base"]), "refs/remotes/origin/main");
}

#[test]
fn a_base_behind_its_upstream_is_said_and_fetch_starts_from_there() {
    let sandbox = Sandbox::new();
    let clone = sandbox.root().join("clone");
    sandbox.git(["clone", "-q", ".", clone.to_str().unwrap()]);
    sandbox.write("new.txt", "new");
    let new = sandbox.commit("second");
    let run = sandbox.lane_in(&clone, ["start", "one"]);
    assert!(!run.stderr.contains("behind"), "{run}");
    run.ok();
    sandbox.lane_in(&clone, ["start", "two", "--fetch"]).ok();
    assert_eq!(sandbox.git_in(&clone, ["rev-parse", "two"]), new);
    let run = sandbox.lane_in(&clone, ["start", "three"]);
    assert!(run.stderr.contains("'main' is 1 commit behind 'origin/main'"), "{run}");
    run.ok();
}

#[test]
fn a_detached_lane_has_no_branch() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "look", "--detach"]).ok();
    let path = sandbox.lane_path("look");
    sandbox.run(sandbox.command("git").current_dir(&path).args(["symbolic-ref", "-q", "HEAD"])).fails(1);
    assert_eq!(sandbox.git(["branch", "--list", "look"]), "");
    assert_eq!(sandbox.git_in(&path, ["status", "--porcelain"]), "");
}

#[test]
fn a_dry_run_changes_nothing() {
    let sandbox = Sandbox::new();
    let before = sandbox.fingerprint();
    let text = sandbox.lane(["start", "login", "-n"]).ok();
    assert!(text.starts_with("would start lane 'login'"), "{text}");
    assert_eq!(sandbox.fingerprint(), before);
}

#[test]
fn the_post_checkout_hook_runs_as_for_worktree_add() {
    let sandbox = Sandbox::new();
    let hook = "#!/bin/sh\necho \"$PWD $*\" >>../log\ntest ! -e ../fail\n";
    write(&sandbox.repo.join(".git/hooks/post-checkout"), hook);
    let set = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(sandbox.repo.join(".git/hooks/post-checkout"), set).unwrap();
    sandbox.git(["worktree", "add", "-q", "../shop.lanes/git", "-b", "git"]);
    sandbox.lane(["start", "lane"]).ok();
    let log = std::fs::read_to_string(sandbox.root().join("shop.lanes/log")).unwrap();
    let lines: Vec<_> = log.lines().collect();
    assert_eq!(lines.len(), 2, "{log}");
    assert_eq!(lines[0].replace("/git ", "/lane "), lines[1]);
    write(&sandbox.root().join("shop.lanes/fail"), "");
    let error = sandbox.lane(["start", "third"]).fails(5);
    assert!(error.contains("lane 'third' was started, but the post-checkout hook ended with 1"), "{error}");
    assert_whole(&sandbox, "third");
}

#[test]
fn sparse_lanes_leave_the_main_worktree_alone() {
    let sandbox = Sandbox::new();
    sandbox.write("docs/a.txt", "a");
    sandbox.commit("docs");
    sandbox.lane(["start", "login", "--sparse", "docs"]).ok();
    let path = sandbox.lane_path("login");
    assert!(path.join("docs/a.txt").exists() && path.join("README").exists() && !path.join("src").exists());
    assert_whole(&sandbox, "login");
    assert_eq!(sandbox.git_in(&path, ["sparse-checkout", "list"]), "docs");
    assert!(!sandbox.git(["status"]).contains("sparse"));
    assert!(!sandbox.git(["config", "--list"]).contains("worktreeconfig"));
}

#[test]
fn every_kind_of_repository_works() {
    for (args, since) in [(&["--object-format=sha256"][..], (2, 29)), (&["--ref-format=reftable"], (2, 45))] {
        if git_version() < since {
            eprintln!("skipped: git {:?} has no {args:?}", git_version());
            continue;
        }
        let sandbox = Sandbox::empty();
        sandbox.git([&["init", "-q", "-b", "main"], args].concat());
        sandbox.write("README", "shop\n");
        sandbox.commit("first");
        sandbox.git(["branch", "old"]);
        let report = sandbox.lane(["start", "login", "old", "--json"]).json();
        assert_eq!((&report["lanes"][0]["newBranch"], &report["lanes"][1]["newBranch"]), (&true.into(), &false.into()));
        assert_whole(&sandbox, "login");
        assert_whole(&sandbox, "old");
        sandbox.lane(["start", "login"]).ok();
        sandbox.git(["fsck"]);
        let list = sandbox.lane(["list"]).ok();
        assert!(list.contains("clean"), "{list}");
    }
}

#[test]
fn without_a_repository_or_a_commit_there_is_a_sentence() {
    let sandbox = Sandbox::empty();
    let error = sandbox.lane(["start", "x"]).fails(4);
    assert!(error.contains("in no git repository") && error.contains("hint: "), "{error}");
    sandbox.git(["init", "-q", "-b", "main"]);
    let error = sandbox.lane(["start", "x"]).fails(1);
    assert!(error.contains("branch 'main' has no commit yet") && error.contains("hint: "), "{error}");
}

#[test]
fn an_inherited_git_dir_does_not_pick_the_repository() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "one"]).ok();
    let other = sandbox.root().join("other");
    sandbox.git(["init", "-q", other.to_str().unwrap()]);
    let before = sandbox.fingerprint();
    let run = sandbox.run(sandbox.command("git-lane").args(["start", "x"]).env("GIT_DIR", other.join(".git")));
    assert!(run.stderr.contains("GIT_DIR names"), "{run}");
    let _ = run.fails(4);
    assert_eq!(sandbox.fingerprint(), before);
    let admin = sandbox.repo.join(".git/worktrees/one");
    let inherited = sandbox.run(
        sandbox
            .command("git-lane")
            .args(["start", "two"])
            .env("GIT_DIR", &admin)
            .env("GIT_INDEX_FILE", admin.join("index"))
            .env("GIT_WORK_TREE", sandbox.lane_path("one")),
    );
    inherited.ok();
    assert_whole(&sandbox, "one");
    assert_whole(&sandbox, "two");
    assert_eq!(sandbox.git(["config", "core.bare"]), "false");
}

#[test]
fn killed_at_any_step_the_next_start_completes() {
    for new in of_every_ref_format() {
        for step in 1.. {
            let sandbox = new();
            let killed = sandbox.run(
                sandbox.command("git-lane").args(["start", "login"]).env("GIT_LANE_TEST_DIE_AT", step.to_string()),
            );
            if killed.code == 0 {
                assert!(step > 8, "the loop must have died a few times");
                assert_whole(&sandbox, "login");
                break;
            }
            assert_eq!(killed.code, 128 + 9, "{killed}");
            // Before anything is healed, plain git works.
            sandbox.git(["worktree", "list"]);
            sandbox.git(["branch", "--list"]);
            sandbox.git(["status"]);
            sandbox.git(["fsck"]);
            let again = sandbox.lane(["start", "login"]);
            assert!(again.stderr.contains("the start of lane 'login' was interrupted"), "{killed}{again}");
            again.ok();
            assert_whole(&sandbox, "login");
        }
    }
}

#[test]
fn a_config_lock_of_a_dead_git_lane_does_not_block() {
    let sandbox = Sandbox::new();
    let locks = sandbox.repo.join(".git/lane/locks");
    write(&locks.join("dead"), "");
    std::fs::hard_link(locks.join("dead"), sandbox.repo.join(".git/config.lock")).unwrap();
    sandbox.lane(["start", "login"]).ok();
    assert_whole(&sandbox, "login");
}

#[test]
fn twenty_different_starts_at_once_all_succeed() {
    let sandbox = Sandbox::new();
    let children: Vec<_> = (0..20)
        .map(|n| {
            let mut command = sandbox.command("git-lane");
            command.args(["start", &format!("lane{n}")]).stdout(Stdio::piped()).stderr(Stdio::piped());
            command.spawn().unwrap()
        })
        .collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    for n in 0..20 {
        assert_whole(&sandbox, &format!("lane{n}"));
    }
}

#[test]
fn of_twenty_equal_starts_one_creates_and_the_others_lose_or_find_it() {
    let sandbox = Sandbox::new();
    let children: Vec<_> = (0..20)
        .map(|_| {
            let mut command = sandbox.command("git-lane");
            command.args(["start", "same", "--json"]).stdout(Stdio::piped()).stderr(Stdio::piped());
            command.spawn().unwrap()
        })
        .collect();
    let mut created = 0;
    for child in children {
        let output = child.wait_with_output().unwrap();
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        match output.status.code() {
            Some(0) => created += usize::from(report["lanes"][0]["created"] == true),
            other => assert_eq!((other, &report["error"]["kind"]), (Some(1), &"refused".into()), "{report}"),
        }
    }
    assert_eq!(created, 1);
    assert_whole(&sandbox, "same");
}

/// A start that dies before anything of it can be seen must not take a lane for its own that somebody else started under
/// the same name meanwhile.
#[test]
fn a_dead_start_never_undoes_the_lane_of_another() {
    for step in 1.. {
        let sandbox = Sandbox::new();
        let dying = &mut sandbox.command("git-lane");
        let _ =
            sandbox.run(dying.args(["start", "login"]).env("GIT_LANE_TEST_DIE_AT", step.to_string())).fails(128 + 9);
        if sandbox.git(["branch", "--list", "login"]).contains("login") {
            assert!(step > 4, "only {step} steps before the branch");
            break;
        }
        // Somebody who was under way before the other died has not seen that it is dead.
        let (journal, aside) = (sandbox.repo.join(".git/lane/journal"), sandbox.root().join("journal"));
        std::fs::rename(&journal, &aside).unwrap();
        sandbox.lane(["start", "login"]).ok();
        write(&sandbox.lane_path("login").join("work"), "mine");
        std::fs::remove_dir_all(&journal).unwrap();
        std::fs::rename(&aside, &journal).unwrap();
        let next = sandbox.lane(["start", "other"]);
        assert!(next.stderr.contains("has been undone"), "{next}");
        next.ok();
        let path = sandbox.lane_path("login");
        assert_eq!(sandbox.git_in(&path, ["status", "--porcelain", "--branch"]), "## login\n?? work", "step {step}");
        sandbox.nothing_left_behind(0);
    }
}

#[test]
fn a_lane_whose_worktree_cannot_be_used_is_told_as_it_is() {
    type Damage = fn(&Sandbox, &Path);
    let table: [(&str, &str, Damage); 5] = [
        ("its directory has no .git file", "git lane doctor", |_, lane| {
            std::fs::remove_file(lane.join(".git")).unwrap();
        }),
        ("its commondir is empty", "git lane doctor", |sandbox, lane| {
            write(&sandbox.admin(lane).join("commondir"), "");
        }),
        ("git does not list it as a worktree", "git lane doctor", |sandbox, lane| {
            std::fs::remove_dir_all(sandbox.admin(lane)).unwrap();
        }),
        ("moved by hand to", "git lane doctor --fix", |sandbox, lane| {
            std::fs::rename(lane, sandbox.root().join("elsewhere")).unwrap();
        }),
        ("its directory is gone", "git lane prune", |_, lane| std::fs::remove_dir_all(lane).unwrap()),
    ];
    for (words, remedy, damage) in table {
        let sandbox = Sandbox::new();
        sandbox.lane(["start", "login"]).ok();
        damage(&sandbox, &sandbox.lane_path("login"));
        let before = sandbox.fingerprint();
        let said = sandbox.lane(["start", "login"]).fails(1);
        assert!(said.contains(words) && said.contains(remedy), "{said}");
        assert_eq!(said.contains("is gone"), words.contains("is gone"), "{said}");
        assert!(sandbox.fingerprint() == before);
    }
}

/// One repository for each way a worktree is made: by ourselves, and by git where refs are a reftable.
fn of_every_ref_format() -> Vec<fn() -> Sandbox> {
    fn reftable() -> Sandbox {
        let sandbox = Sandbox::empty();
        sandbox.git(["init", "-q", "-b", "main", "--ref-format=reftable"]);
        sandbox.write("README", "shop\n");
        sandbox.commit("first");
        sandbox
    }
    if git_version() < (2, 45) {
        eprintln!("skipped: git {:?} has no reftable", git_version());
        return vec![Sandbox::new];
    }
    vec![Sandbox::new, reftable]
}

/// Runs `git lane start login` until its `step`th step; `None` when it has no such step.
fn dead_at(sandbox: &Sandbox, step: usize) -> Option<String> {
    let mut dying = sandbox.command("git-lane");
    let run = sandbox.run(dying.args(["start", "login"]).env("GIT_LANE_TEST_DIE_AT", step.to_string()));
    (run.code != 0).then(|| run.fails(128 + 9))
}

/// Everything of one's work: committed, staged, and in files git does not know.
fn work_in(sandbox: &Sandbox, path: &Path) -> &'static str {
    write(&path.join("untracked"), "hours of work");
    let mut ask = sandbox.command("git");
    if sandbox.run(ask.current_dir(path).args(["rev-parse", "HEAD"])).code != 0 {
        // The directory is in its place, and git does not know it yet.
        return "## login\n?? untracked";
    }
    write(&path.join("committed"), "x");
    sandbox.git_in(path, ["add", "committed"]);
    sandbox.git_in(path, ["commit", "-q", "-m", "mine"]);
    write(&path.join("staged"), "x");
    sandbox.git_in(path, ["add", "staged"]);
    "## login\nA  staged\n?? untracked"
}

#[test]
fn what_can_be_seen_is_completed_with_the_work_in_it_and_never_undone() {
    for new in of_every_ref_format() {
        let mut seen = 0;
        for step in 1.. {
            let sandbox = new();
            let Some(died) = dead_at(&sandbox, step) else { break };
            let path = sandbox.lane_path("login");
            if !path.exists() {
                continue;
            }
            seen += 1;
            let before = work_in(&sandbox, &path);
            // A git that was killed long ago: nothing can be recorded until somebody removes its lock.
            let lock = sandbox.repo.join(".git/config.lock");
            // One of our own that died too has to go first.
            let _ = std::fs::remove_file(&lock);
            {
                std::fs::write(&lock, "").unwrap();
                let old = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
                std::fs::File::options().write(true).open(&lock).unwrap().set_modified(old).unwrap();
                let said = sandbox.lane(["start", "other"]).fails(4);
                let recorded = sandbox.repo.join(".git/lane/journal").read_dir().unwrap().next().is_none();
                assert!(recorded || said.contains("the worktree of lane 'login' is at '"), "{died}{said}");
                assert_eq!(std::fs::read_to_string(path.join("untracked")).unwrap(), "hours of work", "{died}");
                std::fs::remove_file(&lock).unwrap();
            }
            sandbox.lane(["start", "other"]).ok();
            assert_eq!(sandbox.git_in(&path, ["status", "--porcelain", "--branch"]), before, "{died}");
            assert_eq!(sandbox.git(["config", "lane.login.worktree"]), path.to_str().unwrap());
            assert!(!sandbox.git(["worktree", "list", "--porcelain"]).contains("locked"), "{died}");
            sandbox.nothing_left_behind(0);
        }
        assert!(seen > 2, "only {seen} steps at which something could be seen");
    }
}

/// A record that cannot be written is no reason to take away what somebody may work in by now.
#[test]
fn a_start_that_fails_at_its_record_leaves_the_worktree_for_the_next_command() {
    for new in of_every_ref_format() {
        let sandbox = new();
        let config = sandbox.repo.join(".git/config");
        let text = std::fs::read_to_string(&config).unwrap();
        std::fs::write(&config, format!("{text}{}", "# a comment\n".repeat(20_000))).unwrap();
        let mut limited = sandbox.command("sh");
        limited.args(["-c", "trap '' XFSZ; ulimit -f 100; exec git-lane start login"]);
        let said = sandbox.run(&mut limited).fails(4);
        assert!(said.contains("the worktree of lane 'login' is at '"), "{said}");
        let path = sandbox.lane_path("login");
        let before = work_in(&sandbox, &path);
        let next = sandbox.lane(["start", "other"]);
        assert!(next.stderr.contains("the start of lane 'login' was interrupted; it has been completed"), "{next}");
        next.ok();
        assert_eq!(sandbox.git_in(&path, ["status", "--porcelain", "--branch"]), before);
        sandbox.nothing_left_behind(0);
    }
}

/// A lock, another branch, a detached HEAD, another place: whatever somebody does to a worktree whose start has died.
#[test]
fn a_worktree_somebody_has_taken_up_is_recorded_as_it_is() {
    for new in of_every_ref_format() {
        for act in [&["lock", "--reason", "mine"][..], &["-c", "topic"], &["--detach"], &["move", "../moved"]] {
            let registered = |step| {
                let sandbox = new();
                let died = dead_at(&sandbox, step).expect("a step at which it is registered");
                died.contains("start.registered").then_some(sandbox)
            };
            let sandbox = (1..).find_map(registered).unwrap();
            let mut place = sandbox.lane_path("login");
            write(&place.join("untracked"), "hours of work");
            match act[0] {
                "lock" => {
                    let mut unlock = sandbox.command("git");
                    let _ = sandbox.run(unlock.args(["worktree", "unlock"]).arg(&place)).code;
                    sandbox.git([&["worktree"], act, &[place.to_str().unwrap()]].concat());
                }
                "move" => {
                    let from = place.to_str().unwrap().to_owned();
                    sandbox.git(["worktree", "move", "--force", "--force", &from, act[1]]);
                    place = sandbox.root().join("moved");
                }
                _ => drop(sandbox.git_in(&place, [&["switch", "-q"], act].concat())),
            }
            let next = sandbox.lane(["start", "other"]);
            assert!(next.stderr.contains("it has been completed"), "{act:?}: {next}");
            next.ok();
            assert_eq!(sandbox.git_in(&place, ["status", "--porcelain"]), "?? untracked", "{act:?}");
            assert_eq!(sandbox.git(["config", "lane.login.worktree"]), place.to_str().unwrap(), "{act:?}");
            let listed = sandbox.git(["worktree", "list", "--porcelain"]);
            assert_eq!(listed.contains("locked mine"), act[0] == "lock", "{act:?}: {listed}");
        }
    }
}

/// Whoever comes into the place, or creates the branch, while a start is dead: it is theirs.
#[test]
fn a_dead_start_takes_no_worktree_and_no_branch_of_a_stranger() {
    for new in of_every_ref_format() {
        for step in 1.. {
            let sandbox = new();
            let died = dead_at(&sandbox, step).expect("a step at which it can be seen");
            let path = sandbox.lane_path("login");
            if path.exists() {
                assert!(step > 4, "only {step} steps before");
                break;
            }
            // Neither there already nor locked by the dead process.
            let free = sandbox.git(["branch", "--list", "login"]).is_empty()
                && !sandbox.repo.join(".git/refs/heads/login.lock").exists();
            if free {
                sandbox.git(["branch", "login"]);
            }
            sandbox.git(["worktree", "add", "-q", path.to_str().unwrap(), "-b", "mine"]);
            write(&path.join("untracked"), "hours of work");
            let next = sandbox.lane(["start", "other"]);
            assert!(next.stderr.contains("it has been undone"), "{died}{next}");
            next.ok();
            assert_eq!(sandbox.git_in(&path, ["status", "--porcelain", "--branch"]), "## mine\n?? untracked");
            assert_eq!(sandbox.git(["branch", "--list", "login"]).is_empty(), !free, "{died}");
            sandbox.nothing_left_behind(0);
        }
    }
}

/// The same while it lives: a stranger's worktree comes into the place while git makes ours.
#[test]
fn a_start_that_loses_its_place_leaves_the_winner_alone() {
    for new in of_every_ref_format().into_iter().skip(1) {
        let sandbox = new();
        let (git, root) = (sandbox.root().join("bin/git"), sandbox.root());
        let (real, root) = (std::fs::canonicalize(&git).unwrap(), root.display());
        std::fs::remove_file(&git).unwrap();
        let stranger =
            format!("'{}' -C '{root}/shop' worktree add -q '{root}/shop.lanes/login' -b mine", real.display());
        let script = format!(
            "#!/bin/sh\ncase \" $* \" in *' worktree add '*) {stranger} && echo work >'{root}/shop.lanes/login/untracked';; \
             esac\nexec '{}' \"$@\"\n",
            real.display()
        );
        write(&git, script);
        std::fs::set_permissions(&git, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let said = sandbox.lane(["start", "login"]).fails(1);
        assert!(said.contains("already exists"), "{said}");
        std::fs::remove_file(&git).unwrap();
        std::os::unix::fs::symlink(real, git).unwrap();
        let path = sandbox.lane_path("login");
        assert_eq!(sandbox.git_in(&path, ["status", "--porcelain", "--branch"]), "## mine\n?? untracked");
        assert_eq!(sandbox.git(["branch", "--list", "login"]), "");
        assert_eq!(sandbox.git(["worktree", "list"]).lines().count(), 2);
        sandbox.nothing_left_behind(0);
    }
}
