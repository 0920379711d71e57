//! `git lane drop`: into the trash and nowhere else, or not at all.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::lanes::listing;
use crate::sandbox::{Sandbox, write};

#[test]
fn a_clean_lane_leaves_whole_and_says_how_to_come_back() {
    let sandbox = Sandbox::new();
    let path = sandbox.lane_by_git("login");
    sandbox.git(["config", "branch.login.remote", "origin"]);
    let text = sandbox.lane(["drop", "login"]).ok();
    assert!(text.contains("dropped lane login (branch login at "), "{text}");
    assert!(text.contains("git lane restore login"), "{text}");
    assert!(!path.exists());
    assert_eq!(sandbox.git(["branch", "--list", "login"]), "");
    assert_eq!(sandbox.git(["worktree", "list"]).lines().count(), 1);
    let config = sandbox.git(["config", "--list", "--local"]);
    assert!(!config.contains("login"), "{config}");
    sandbox.nothing_left_behind(1);
    let again = sandbox.lane(["drop", "login"]).fails(1);
    assert!(again.contains("there is no lane 'login'") && again.contains("git lane restore login"), "{again}");
}

#[test]
fn work_that_nothing_else_holds_needs_a_yes() {
    let sandbox = Sandbox::new();
    let dirty = sandbox.lane_by_git("dirty");
    write(&dirty.join("new"), "x");
    sandbox.lane_by_git("ahead");
    sandbox.work("ahead", "file", "x");
    let both = sandbox.lane_by_git("both");
    sandbox.git_in(&both, ["checkout", "-q", "--detach"]);
    let before = sandbox.fingerprint();
    for (name, code, words) in [
        ("dirty", "unsettled", "lane 'dirty' stays: it has 1 untracked path"),
        ("ahead", "not-integrated", "lane 'ahead' stays: it has 1 commit that 'main' has not"),
        ("both", "unsettled", "detached commit"),
    ] {
        let said = sandbox.lane(["drop", name]).fails(1);
        assert!(said.contains(words) && said.contains(&format!("git lane drop --yes {name}")), "{said}");
        let run = sandbox.lane(["--json", "drop", name]);
        let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(json["error"]["code"], code);
        run.fails(1);
    }
    // One that stays keeps the others.
    sandbox.lane(["drop", "dirty", "ahead"]).fails(1);
    sandbox.lane(["drop", "--dry-run", "--yes", "dirty"]).ok();
    assert_eq!(sandbox.fingerprint(), before);
    sandbox.lane(["drop", "--yes", "dirty", "ahead"]).ok();
    sandbox.lane(["drop", "--force", "both"]).ok();
    sandbox.nothing_left_behind(3);
}

#[test]
fn landed_work_needs_none() {
    let sandbox = Sandbox::new();
    sandbox.lane_by_git("landed");
    sandbox.work("landed", "file", "x");
    sandbox.git(["merge", "-q", "--squash", "landed"]);
    sandbox.commit("squashed");
    sandbox.lane(["drop", "landed"]).ok();
}

#[test]
fn from_inside_it_works_and_says_where_to_go() {
    let sandbox = Sandbox::new();
    let path = sandbox.lane_by_git("login");
    std::fs::create_dir(path.join("deep")).unwrap();
    let run = sandbox.lane_in(&path.join("deep"), ["drop", "--yes", "login"]);
    assert!(run.stderr.contains(&format!("cd {}", sandbox.repo.display())), "{run}");
    run.ok();
    sandbox.nothing_left_behind(1);
}

/// Rows 16 to 23 of the table of nasty inputs: whatever somebody did to a worktree, nothing is moved.
#[test]
fn damaged_foreign_nested_and_locked_worktrees_stay_untouched() {
    type Damage = fn(&Sandbox, &Path);
    let table: [(&str, Damage); 12] = [
        ("symbolic link", |sandbox, lane| {
            let moved = sandbox.root().join("moved");
            std::fs::rename(lane, &moved).unwrap();
            symlink(moved, lane).unwrap();
        }),
        ("symbolic link", |sandbox, lane| {
            std::fs::remove_dir_all(lane).unwrap();
            symlink(sandbox.root().join("home"), lane).unwrap();
        }),
        ("was moved to", |_, lane| std::fs::rename(lane, lane.with_file_name("by-hand")).unwrap()),
        ("points at another git directory", |sandbox, lane| {
            let other = sandbox.root().join("other");
            sandbox.git(["worktree", "add", "-q", "-b", "other", other.to_str().unwrap()]);
            std::fs::copy(other.join(".git"), lane.join(".git")).unwrap();
        }),
        ("does not name a git directory", |_, lane| std::fs::write(lane.join(".git"), "").unwrap()),
        ("has no .git file", |_, lane| std::fs::remove_file(lane.join(".git")).unwrap()),
        ("is no worktree of this repository", |sandbox, lane| {
            let foreign = sandbox.root().join("foreign");
            std::fs::create_dir(&foreign).unwrap();
            write(&foreign.join(".git"), std::fs::read(lane.join(".git")).unwrap());
            write(&foreign.join("precious"), "x");
            sandbox.git_in(lane, ["checkout", "-q", "--detach"]);
            write(&sandbox.admin(lane).join("gitdir"), format!("{}\n", foreign.join(".git").display()));
        }),
        ("commondir", |sandbox, lane| write(&sandbox.admin(lane).join("commondir"), "")),
        ("lies inside it", |sandbox, lane| {
            sandbox.git(["worktree", "add", "-q", "-b", "inner", lane.join("inner").to_str().unwrap()]);
        }),
        ("locked: on a stick", |sandbox, lane| {
            sandbox.git(["worktree", "lock", "--reason", "on a stick", lane.to_str().unwrap()]);
        }),
        ("also checked out in", |sandbox, _| {
            sandbox.git(["worktree", "add", "-q", "-f", sandbox.root().join("twice").to_str().unwrap(), "x"]);
        }),
        ("main worktree", |sandbox, _| {
            sandbox.git(["config", "lane.x.worktree", sandbox.repo.to_str().unwrap()]);
        }),
    ];
    for (expected, damage) in table {
        let sandbox = Sandbox::new();
        let lane = sandbox.lane_by_git("x");
        write(&lane.join("uncommitted"), "x");
        damage(&sandbox, &lane);
        let before = sandbox.fingerprint();
        let run = sandbox.lane(["drop", "--force", "x"]);
        assert!(run.code == 1 && run.stderr.contains(expected), "{expected}: {run}");
        sandbox.lane(["drop", "--yes", "x"]).fails(1);
        sandbox.lane(["prune", "--yes", "--older-than", "0s"]).ok();
        assert!(sandbox.fingerprint() == before, "{expected}");
    }
}

#[test]
fn a_recorded_path_is_a_claim_and_gits_list_decides() {
    for path in ["/", "/tmp", ".", "~/x", "/etc\nx"] {
        let sandbox = Sandbox::new();
        sandbox.record("x", Path::new(path));
        let before = sandbox.fingerprint();
        let code = sandbox.lane(["drop", "--force", "x"]).code;
        if path != "/etc\nx" {
            assert_eq!(code, 1, "{path}");
            assert_eq!(sandbox.fingerprint(), before);
        }
    }
    // git moved it: git's word counts.
    let sandbox = Sandbox::new();
    let lane = sandbox.lane_by_git("x");
    let moved = sandbox.root().join("elsewhere");
    sandbox.git(["worktree", "move", lane.to_str().unwrap(), moved.to_str().unwrap()]);
    sandbox.lane(["drop", "x"]).ok();
    assert!(!moved.exists());
    sandbox.lane(["restore", "x"]).ok();
    assert!(moved.join("README").exists());
}

/// It stands there, has a file of it open, or is a program built there.
#[cfg(target_os = "linux")]
#[test]
fn a_lane_with_a_living_process_stays_without_force() {
    type Live = fn(&Path) -> Command;
    let lives: [Live; 4] = [
        |lane| {
            let mut sleep = Command::new("sleep");
            sleep.current_dir(lane).stdin(Stdio::null());
            sleep
        },
        |lane| {
            let mut sleep = Command::new("sleep");
            sleep.current_dir(lane.join("src")).stdin(Stdio::null());
            sleep
        },
        |lane| {
            let mut sleep = Command::new("sleep");
            sleep.current_dir("/").stdin(std::fs::File::open(lane.join("README")).unwrap());
            sleep
        },
        |lane| {
            std::fs::copy("/bin/sleep", lane.join("sleep")).unwrap();
            let mut sleep = Command::new(lane.join("sleep"));
            sleep.current_dir("/").stdin(Stdio::null());
            sleep
        },
    ];
    for live in lives {
        let sandbox = Sandbox::new();
        let path = sandbox.lane_by_git("login");
        sandbox.git(["config", "--global", "core.excludesFile", "~/ignored"]);
        write(&sandbox.root().join("home/ignored"), "/sleep\n");
        let mut child = live(&path).arg("60").spawn().unwrap();
        let before = sandbox.fingerprint();
        let process = format!("process {} (sleep)", child.id());
        for args in [&["drop", "login"][..], &["drop", "--yes", "login"], &["finish", "login"]] {
            let said = sandbox.lane(args).fails(1);
            assert!(said.contains(&process), "{said}");
        }
        let kept = sandbox.lane(["--json", "prune", "--yes", "--older-than", "0s"]).json();
        assert_eq!(kept["kept"][0]["code"], "busy", "{kept}");
        assert_eq!(sandbox.fingerprint(), before);
        sandbox.lane(["drop", "--force", "login"]).ok();
        child.kill().and_then(|()| child.wait()).unwrap();
    }
}

#[test]
fn a_branch_somebody_else_holds_brings_everything_back() {
    let sandbox = Sandbox::new();
    let path = sandbox.lane_by_git("login");
    write(&path.join("new"), "x");
    sandbox.git_in(&path, ["add", "new"]);
    sandbox.git_in(&path, ["status"]);
    let admin = sandbox.admin(&path);
    let hook = sandbox.repo.join(".git/hooks/reference-transaction");
    write(&hook, "#!/bin/sh\n[ \"$1\" != prepared ] || ! grep -q refs/heads/login\n");
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&hook, executable).unwrap();
    let before = sandbox.whole_lane("login", &path, &admin);
    sandbox.lane(["drop", "--yes", "login"]).fails(5);
    assert_eq!(sandbox.whole_lane("login", &path, &admin), before);
    sandbox.nothing_left_behind(0);
}

/// What git-lane does to refs in git's place somebody else's hook hears as it would from git: each state with its lines
/// and in the same repository, also where the file is a script that does not say of which shell.
#[test]
fn a_reference_transaction_hook_hears_what_it_would_hear_from_git() {
    let sandbox = Sandbox::new();
    let path = sandbox.lane_by_git("login");
    let tip = sandbox.git_in(&path, ["rev-parse", "HEAD"]);
    let heard = sandbox.root().join("heard");
    let hook = sandbox.repo.join(".git/hooks/reference-transaction");
    let executable: std::fs::Permissions = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    for first in ["#!/bin/sh\n", ""] {
        write(
            &hook,
            format!(
                "{first}{{ echo \"$1 $(git rev-parse --path-format=absolute --git-common-dir)\"; grep /login; }} >>'{}' || :\n",
                heard.display()
            ),
        );
        std::fs::set_permissions(&hook, executable.clone()).unwrap();
        sandbox.git(["update-ref", "refs/login/x", &tip]);
        let by_git = std::fs::read_to_string(&heard).unwrap();
        std::fs::remove_file(&heard).unwrap();
        let place = by_git.lines().find_map(|line| line.strip_prefix("prepared ")).unwrap();

        sandbox.lane(["drop", "--yes", "login"]).ok();
        let by_us = std::fs::read_to_string(&heard).unwrap();
        let gone = format!("{tip} {} refs/heads/login", "0".repeat(40));
        let transaction = |state: &str| format!("{state} {place}\n{gone}\n");
        for state in ["prepared", "committed"] {
            assert!(by_us.contains(&transaction(state)), "{state}\n{by_us}\n{by_git}");
        }
        sandbox.lane(["restore", "login"]).ok();
        std::fs::remove_file(&heard).unwrap();
    }
}

#[test]
fn of_eight_who_drop_one_lane_exactly_one_does() {
    let sandbox = Sandbox::new();
    for round in 0..3 {
        sandbox.lane_by_git("login");
        let drop = || {
            let mut command = sandbox.command("git-lane");
            command.args(["drop", "login"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
        };
        let children: Vec<_> = (0..8).map(|_| drop()).collect();
        let outputs: Vec<_> = children.into_iter().map(|child| child.wait_with_output().unwrap()).collect();
        let winners = outputs.iter().filter(|output| output.status.success()).count();
        assert_eq!(winners, 1, "{outputs:?}");
        assert!(outputs.iter().all(|output| matches!(output.status.code(), Some(0 | 1))), "{outputs:?}");
        sandbox.nothing_left_behind(round + 1);
    }
    sandbox.plain_git_works();
}

#[test]
fn different_lanes_leave_at_the_same_moment() {
    let sandbox = Sandbox::new();
    let names: Vec<String> = (0..12).map(|number| format!("lane/{number}")).collect();
    for name in &names {
        sandbox.lane_by_git(name);
    }
    let drop = |name: &String| sandbox.command("git-lane").args(["drop", name]).stdout(Stdio::null()).spawn().unwrap();
    let children: Vec<_> = names.iter().map(drop).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    sandbox.nothing_left_behind(12);
    assert_eq!(sandbox.git(["branch"]), "* main");
}

/// Dies at every step in turn; in between plain git works, and the same command again ends well.
#[test]
fn killed_at_any_step_the_same_command_ends_well() {
    for step in 1.. {
        let sandbox = Sandbox::new();
        let path = sandbox.lane_by_git("login");
        sandbox.work("login", "file", "x");
        sandbox.git_in(&path, ["commit", "-q", "--amend", "-m", "amended"]);
        write(&path.join("staged"), "staged");
        sandbox.git_in(&path, ["add", "staged"]);
        write(&path.join("untracked"), "x");
        sandbox.git_in(&path, ["status"]);
        let admin = sandbox.admin(&path);
        let before = sandbox.whole_lane("login", &path, &admin);

        let mut dying = sandbox.command("git-lane");
        dying.args(["drop", "--yes", "login"]).env("GIT_LANE_TEST_DIE_AT", step.to_string());
        let run = sandbox.run(&mut dying);
        if run.code == 0 {
            assert!(step > 12, "only {step} steps");
            run.ok();
            return;
        }
        assert_eq!(run.code, 137, "{run}");
        if !sandbox.repo.join(".git/config.lock").exists() {
            sandbox.plain_git_works();
        }
        sandbox.git(["-c", "gc.worktreePruneExpire=now", "worktree", "prune", "--expire=now"]);
        sandbox.lane(["drop", "--yes", "login"]).ok();
        sandbox.nothing_left_behind(1);
        sandbox.plain_git_works();
        assert!(!path.exists(), "step {step}");
        sandbox.lane(["restore", "login"]).ok();
        assert_eq!(sandbox.whole_lane("login", &path, &admin), before, "step {step}");
        sandbox.nothing_left_behind(0);
    }
}

#[test]
fn a_lane_on_another_filesystem_is_parked_beside_its_place() {
    use std::os::unix::fs::MetadataExt;
    let sandbox = Sandbox::new();
    let Some((_elsewhere, path)) = sandbox.far() else { return };
    sandbox.git(["worktree", "add", "-q", "-b", "login", path.to_str().unwrap()]);
    sandbox.record("login", &path);
    write(&path.join("new"), "x");
    sandbox.git_in(&path, ["status"]);
    let admin = sandbox.admin(&path);
    let before = sandbox.whole_lane("login", &path, &admin);
    // Somebody who may write beside the lane could have put it there.
    let place = path.with_file_name(".lane-trash");
    std::os::unix::fs::symlink("/", &place).unwrap();
    assert!(sandbox.lane(["drop", "--yes", "login"]).fails(1).contains("not a directory of yours"));
    assert_eq!(sandbox.whole_lane("login", &path, &admin), before);
    std::fs::remove_file(&place).unwrap();
    for step in 1.. {
        let mut dying = sandbox.command("git-lane");
        dying.args(["drop", "--yes", "login"]).env("GIT_LANE_TEST_DIE_AT", step.to_string());
        let done = sandbox.run(&mut dying).code == 0;
        if !done {
            sandbox.lane(["drop", "--yes", "login"]).ok();
        }
        assert!(!path.exists());
        assert_eq!(std::fs::metadata(&place).unwrap().mode() & 0o777, 0o700);
        sandbox.nothing_left_behind(1);
        sandbox.lane(["restore", "login"]).ok();
        assert_eq!(sandbox.whole_lane("login", &path, &admin), before);
        assert!(!path.with_file_name(".lane-trash").exists());
        if done {
            break;
        }
    }
    assert!(!listing(&path).is_empty());
}

#[test]
fn a_lane_moved_far_away_stays_where_that_is_known_and_else_comes_back_whole() {
    let sandbox = Sandbox::new();
    let path = sandbox.lane_by_git("login");
    write(&path.join("staged"), "x");
    sandbox.git_in(&path, ["add", "staged"]);
    let far = sandbox.root().join("far/away");
    std::fs::create_dir_all(far.parent().unwrap()).unwrap();
    std::fs::rename(&path, &far).unwrap();
    // Whoever stands in it shows where it is.
    let said = sandbox.lane_in(&far, ["drop", "--force", "login"]).fails(1);
    assert!(said.contains(&format!("git worktree repair {}", far.display())), "{said}");
    #[cfg(target_os = "linux")]
    {
        let mut child = Command::new("sleep").arg("60").current_dir(&far).stdin(Stdio::null()).spawn().unwrap();
        let said = sandbox.lane(["drop", "--force", "login"]);
        child.kill().and_then(|()| child.wait()).unwrap();
        assert!(said.fails(1).contains("its directory was moved to"));
    }
    let text = sandbox.lane(["drop", "--force", "login"]).ok();
    assert!(text.contains(&format!("its directory was gone from '{}'", path.display())), "{text}");
    let text = sandbox.lane(["restore", "login"]).ok();
    assert!(text.contains("git worktree repair DIRECTORY"), "{text}");
    sandbox.git(["worktree", "repair", far.to_str().unwrap()]);
    sandbox.lane(["doctor", "--fix"]).ok();
    assert_eq!(sandbox.git_in(&far, ["status", "--porcelain", "--branch"]), "## login\nA  staged");
    assert_eq!(sandbox.lane(["path", "login"]).ok().trim_end(), far.to_str().unwrap());
}

/// `git worktree lock` without a reason leaves an empty file, which is nobody's but the user's.
#[test]
fn healing_leaves_a_lock_that_somebody_has_put_on_the_worktree_meanwhile() {
    for step in 1.. {
        let sandbox = Sandbox::new();
        let path = sandbox.lane_by_git("login");
        let mut dying = sandbox.command("git-lane");
        let run = sandbox.run(dying.args(["drop", "login"]).env("GIT_LANE_TEST_DIE_AT", step.to_string()));
        if run.stderr.contains("places.marked") {
            assert!(step > 2, "{run}");
            return;
        }
        sandbox.git(["worktree", "lock", path.to_str().unwrap()]);
        let lock = sandbox.admin(&path).join("locked");
        assert_eq!(std::fs::read(&lock).unwrap(), b"");
        sandbox.lane(["start", "other"]).ok();
        assert!(lock.exists(), "step {step}");
        sandbox.nothing_under_way();
        sandbox.lane(["drop", "login"]).fails(1);
    }
}

/// A dropped lane whose place is on another filesystem, so that it waits there.
fn parked(sandbox: &Sandbox) -> Option<(tempfile::TempDir, PathBuf)> {
    let (elsewhere, path) = sandbox.far()?;
    sandbox.lane(["start", "far", "--path", path.to_str().unwrap()]).ok();
    write(&path.join("notes"), "precious");
    sandbox.lane(["drop", "--yes", "far"]).ok();
    Some((elsewhere, path))
}

/// The entry is copied with the repository; the files that wait on another filesystem are not.
#[test]
fn a_copy_of_the_repository_neither_takes_nor_removes_what_the_original_has_parked() {
    let sandbox = Sandbox::new();
    let Some((_elsewhere, path)) = parked(&sandbox) else { return };
    let copy = sandbox.root().join("copy");
    let mut copies = Command::new("cp");
    sandbox.run(copies.arg("-a").args([&sandbox.repo, &copy])).ok();

    let refused = sandbox.lane_in(&copy, ["restore", "far"]).fails(1);
    let owner = format!("for the repository '{}'", sandbox.repo.join(".git").display());
    assert!(refused.contains("its directory waits in") && refused.contains(&owner), "{refused}");
    let trash = copy.join(".git/lane/trash");
    let entry = std::fs::read_dir(&trash).unwrap().flatten().next().unwrap().path().join("entry.json");
    let mut json: serde_json::Value = serde_json::from_slice(&std::fs::read(&entry).unwrap()).unwrap();
    json["removed"] = 1_000.into();
    std::fs::write(&entry, json.to_string()).unwrap();
    assert!(sandbox.lane_in(&copy, ["trash", "--expire"]).ok().contains("removed lane far"));
    assert_eq!(std::fs::read_dir(&trash).unwrap().count(), 0);

    // A repository that has moved is still the same.
    let moved = sandbox.root().join("moved");
    std::fs::rename(&sandbox.repo, &moved).unwrap();
    sandbox.lane_in(&moved, ["restore", "far"]).ok();
    assert_eq!(std::fs::read_to_string(path.join("notes")).unwrap(), "precious");
    sandbox.git_in(&path, ["status"]);
    assert!(!path.with_file_name(".lane-trash").exists());
    sandbox.lane_in(&moved, ["drop", "--yes", "far"]).ok();
    let entry = std::fs::read_dir(moved.join(".git/lane/trash")).unwrap().flatten().next().unwrap().path();
    let file = entry.join("entry.json");
    let mut json: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    json["removed"] = 1_000.into();
    std::fs::write(&file, json.to_string()).unwrap();
    sandbox.lane_in(&moved, ["trash", "--expire"]).ok();
    assert!(!path.with_file_name(".lane-trash").exists(), "nothing of it stays beside its place");
}

/// Brought back from a backup, or moved to another disk: the repository is the same to its owner, and another to the
/// place where the lane waits.
#[test]
fn a_lane_parked_for_a_repository_that_has_become_another_comes_back_when_its_owner_says_so() {
    let sandbox = Sandbox::new();
    let Some((_elsewhere, path)) = parked(&sandbox) else { return };
    let backup = sandbox.root().join("backup");
    let mut copies = Command::new("cp");
    sandbox.run(copies.arg("-a").args([&sandbox.repo, &backup])).ok();
    std::fs::remove_dir_all(&sandbox.repo).unwrap();
    std::fs::rename(&backup, &sandbox.repo).unwrap();

    let refused = sandbox.lane(["restore", "far"]).fails(1);
    let claim = refused.split("say so and try again: ").nth(1).unwrap_or_else(|| panic!("{refused}"));
    sandbox.run(sandbox.command("sh").args(["-c", claim])).ok();
    sandbox.lane(["restore", "far"]).ok();
    assert_eq!(std::fs::read_to_string(path.join("notes")).unwrap(), "precious");
    sandbox.git_in(&path, ["status"]);
    assert!(!path.with_file_name(".lane-trash").exists(), "nothing of it stays beside its place");
}
