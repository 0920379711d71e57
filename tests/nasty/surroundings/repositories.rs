//! Repositories of every kind, in odd surroundings.

use super::*;
use crate::support::{listing, skipped};

/// A repository of another user: stops with git's own remedy and reads no record before; the remedy
/// works.
#[test]
fn row_33_a_repository_of_somebody_else() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "x"]).ok();
    let chown = |owner: &str| {
        let paths = [sandbox.repo.clone(), sandbox.root().join("shop.lanes")];
        std::process::Command::new("chown")
            .arg("-R")
            .arg(owner)
            .args(paths)
            .output()
            .unwrap()
            .status
            .success()
    };
    if !chown("65534:65534") {
        skipped("only a superuser can give a repository away");
        return;
    }
    // The second has lanes of ours in a repository of theirs.
    for ours in [false, true] {
        if ours {
            let lanes = sandbox.root().join("shop.lanes");
            std::process::Command::new("chown")
                .args(["-R", "0:0"])
                .arg(lanes)
                .output()
                .unwrap();
        }
        let before = sandbox.fingerprint();
        for place in [sandbox.repo.clone(), sandbox.lane_path("x")] {
            for args in [
                &["list"][..],
                &["show", "x"],
                &["start", "y"],
                &["drop", "--force", "x"],
                &["init"],
                &["prune"],
            ] {
                let run = sandbox.lane_in(&place, args);
                assert!(
                    run.stderr.contains("belongs to another user")
                        && run.stderr.contains("safe.directory"),
                    "{run}"
                );
                assert!(!run.stdout.contains('x'), "{run}");
                let _ = run.fails(4);
                assert!(sandbox.fingerprint() == before);
            }
        }
    }
    let hint = sandbox.lane(["list"]).fails(4);
    let remedy = hint.trim_end().rsplit_once(": ").unwrap().1;
    sandbox.sh(remedy).ok();
    assert!(sandbox.lane(["list"]).ok().contains('x'));
    sandbox.lane(["drop", "x"]).ok();
}

/// Bare, embedded bare, submodule, separate git directory, reftable, SHA-256: works or refuses, and
/// never guesses a wrong common directory.
#[test]
fn row_34_repositories_of_every_kind() {
    let sandbox = Sandbox::new();
    let whole = |directory: &Path, name: &str| {
        sandbox.lane_in(directory, ["start", name]).ok();
        let lane = sandbox.lane_in(directory, ["path", name]).ok();
        let lane = Path::new(lane.trim_end());
        assert_eq!(
            sandbox.git_in(lane, ["status", "--porcelain", "--branch"]),
            format!("## {name}")
        );
        assert_eq!(
            sandbox.lane_in(lane, ["--json", "show", name]).json()["lane"],
            name
        );
        write(&lane.join("uncommitted"), name);
        sandbox.lane_in(directory, ["drop", "--yes", name]).ok();
        sandbox.lane_in(directory, ["restore", name]).ok();
        assert_eq!(
            std::fs::read(lane.join("uncommitted")).unwrap(),
            name.as_bytes()
        );
        sandbox.git_in(directory, ["config", &format!("lane.{name}.branch")]);
    };
    let bare = sandbox.root().join("depot.git");
    sandbox.git(["clone", "-q", "--bare", ".", bare.to_str().unwrap()]);
    whole(&bare, "bare");

    let separate = sandbox.root().join("separate");
    let git_dir = sandbox.root().join("elsewhere/real.git");
    std::fs::create_dir_all(git_dir.parent().unwrap()).unwrap();
    sandbox.git([
        "clone",
        "-q",
        &format!("--separate-git-dir={}", git_dir.display()),
        ".",
        separate.to_str().unwrap(),
    ]);
    whole(&separate, "separate");

    sandbox.git([
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "--quiet",
        "add",
        bare.to_str().unwrap(),
        "module",
    ]);
    let module = sandbox.repo.join("module");
    whole(&module, "inner");
    sandbox.git_fails(["config", "lane.inner.branch"]);

    // A bare repository among tracked files could configure programs: git itself can be told to
    // refuse it.
    let embedded = sandbox.repo.join("embedded");
    sandbox.git([
        "clone",
        "-q",
        "--bare",
        bare.to_str().unwrap(),
        embedded.to_str().unwrap(),
    ]);
    sandbox.git_in(&embedded, ["config", "core.fsmonitor", "touch pwned"]);
    sandbox.git(["config", "--global", "safe.bareRepository", "explicit"]);
    let run = sandbox.lane_in(&embedded, ["list"]);
    assert!(
        run.code == 4 && run.stderr.contains("safe.bareRepository"),
        "{run}"
    );
    let run = sandbox.lane_in(&embedded, ["start", "x"]);
    assert!(run.code == 4, "{run}");
    sandbox.nothing_was_started();

    for (args, since) in [
        ("--object-format=sha256", (2, 29)),
        ("--ref-format=reftable", (2, 45)),
    ] {
        if git_version() < since {
            skipped(&format!("git {:?} has no {args}", git_version()));
            continue;
        }
        let place = sandbox.root().join(args.trim_start_matches('-'));
        sandbox.git(["init", "-q", "-b", "main", args, place.to_str().unwrap()]);
        sandbox.git_in(&place, ["commit", "-q", "--allow-empty", "-m", "first"]);
        whole(&place, "kind");
    }
}

/// Variables inherited from a hook of another worktree: git-lane acts on the lane it is asked for,
/// and the other index, `core.bare` and `core.worktree` stay as they are.
#[test]
fn row_35_an_environment_of_another_worktree() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "one", "two", "three", "four"]).ok();
    let lanes = ["two", "three", "four"];
    for lane in lanes {
        sandbox.work(lane, lane, lane);
    }
    let (one, admin) = (
        sandbox.lane_path("one"),
        sandbox.repo.join(".git/worktrees/one"),
    );
    write(&one.join("staged"), "x");
    sandbox.git_in(&one, ["add", "staged"]);
    sandbox.git_in(&one, ["status"]);
    let other = || (std::fs::read(admin.join("index")).unwrap(), listing(&one));
    let before = other();
    let foreign = sandbox.root().join("foreign");
    sandbox.git(["init", "-q", foreign.to_str().unwrap()]);
    let run = |args: &[&str], place: &Path| {
        let mut command = sandbox.command("git-lane");
        command
            .current_dir(place)
            .args(args)
            .env("GIT_DIR", &admin)
            .env("GIT_COMMON_DIR", sandbox.repo.join(".git"))
            .env("GIT_WORK_TREE", &one)
            .env("GIT_INDEX_FILE", admin.join("index"))
            .env("GIT_OBJECT_DIRECTORY", sandbox.repo.join(".git/objects"))
            .env("GIT_PREFIX", "src/")
            .env("GIT_NAMESPACE", "x")
            .env(
                "GIT_CONFIG_PARAMETERS",
                "'core.bare'='true' 'core.worktree'='/' 'core.quotePath'='true'",
            );
        sandbox.run(&mut command)
    };
    run(&["list"], &sandbox.repo).ok();
    run(&["start", "five"], &one).ok();
    run(&["finish", "two"], &sandbox.lane_path("three")).ok();
    run(&["drop", "--yes", "three"], &sandbox.repo).ok();
    run(&["restore", "three"], &one).ok();
    run(&["finish"], &sandbox.lane_path("four")).ok();
    run(&["prune", "--yes", "--older-than", "0s"], &sandbox.repo).ok();
    assert_eq!(other(), before);
    assert_eq!(sandbox.git(["config", "core.bare"]), "false");
    sandbox.git_fails(["config", "core.worktree"]);
    assert!(
        sandbox.repo.join("two").exists()
            && sandbox.repo.join("four").exists()
            && !sandbox.repo.join("three").exists()
    );
    assert_eq!(sandbox.git(["status", "--porcelain"]), "");
    assert!(sandbox.lane_path("three").join("three").exists());
    // A GIT_DIR of another repository altogether picks nothing at all.
    let before = sandbox.fingerprint();
    let mut command = sandbox.command("git-lane");
    command
        .args(["drop", "--force", "one"])
        .env("GIT_DIR", foreign.join(".git"));
    let said = sandbox.run(&mut command).fails(4);
    assert!(said.contains("GIT_DIR names"), "{said}");
    assert!(sandbox.fingerprint() == before);
}

/// A directory that is gone or about to go, no HOME, odd masks, locales and time zones, a read-only
/// repository: a clear message or a result, never a panic. A lane with a living process in it:
/// tests/drop.rs.
#[test]
fn row_36_odd_surroundings() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "x"]).ok();
    let gone = sandbox.root().join("gone");
    std::fs::create_dir(&gone).unwrap();
    let in_gone = format!("cd '{0}' && rmdir '{0}' && git-lane list", gone.display());
    let run = sandbox.sh(&in_gone);
    assert!(
        run.stderr.contains("the current directory is gone") && run.stderr.contains("hint: "),
        "{run}"
    );
    let _ = run.fails(4);

    // From inside it works, and says where to go.
    let run = sandbox.lane_in(&sandbox.lane_path("x").join("src"), ["drop", "x"]);
    assert!(
        run.stderr
            .contains(&format!("cd {}", sandbox.repo.display())),
        "{run}"
    );
    run.ok();
    sandbox.lane(["restore", "x"]).ok();

    for (variable, value) in [
        ("HOME", None),
        ("HOME", Some("")),
        ("LC_ALL", Some("C")),
        ("TZ", Some("Nowhere/At/All")),
        ("TZ", Some(":")),
        ("PATH", None),
    ] {
        let command = |args: &[&str]| {
            let mut command = sandbox.command("git-lane");
            command.args(args);
            match value {
                Some(value) => command.env(variable, value),
                None => command.env_remove(variable),
            };
            let run = sandbox.run(&mut command);
            assert_calm(&run);
            run
        };
        command(&["list"]).ok();
        command(&["start", "odd"]).ok();
        write(&sandbox.lane_path("odd").join("new"), "x");
        command(&["show", "odd"]).ok();
        command(&["drop", "--yes", "odd"]).ok();
        command(&["trash"]).ok();
    }
    for mask in ["000", "077", "027"] {
        let name = format!("mask{mask}");
        let script = format!(
            "umask {mask}; git-lane start {name} && git-lane drop {name} && git-lane restore {name}"
        );
        sandbox.sh(&script).ok();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let mask = u32::from_str_radix(mask, 8).unwrap();
        assert_eq!(mode(&sandbox.lane_path(&name)), 0o777 & !mask);
        assert_eq!(
            mode(&sandbox.lane_path(&name).join("README")),
            0o666 & !mask
        );
    }
    read_only(&sandbox);
}

/// Reading commands work on a read-only file system; the others say that they cannot write.
fn read_only(sandbox: &Sandbox) {
    let script = "mount --bind . . 2>/dev/null && mount -o remount,bind,ro . 2>/dev/null || exit 77
        cd . && git-lane list && git-lane show x && git-lane path x && git-lane trash && git-lane \
        doctor && git-lane log || exit 1
        for verb in 'start new' 'drop x' 'finish x' 'restore y' 'init'; do
            git-lane $verb; code=$?
            [ $code = 4 ] || [ $code = 1 ] || { echo \"$verb: $code\"; exit 1; }
        done";
    // The directory is entered anew: it is another mount by then.
    let script = script.replace("cd .", &format!("cd '{}'", sandbox.repo.display()));
    let Some(run) = sandbox.with_mounts(&sandbox.repo, &script) else {
        return;
    };
    assert_calm(&run);
    run.ok();
}

/// A bind mount shows a repository under a second path: it is no copy, and its lanes are as well as
/// they were.
#[test]
fn a_repository_under_a_second_path_is_itself() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "x"]).ok();
    let second = sandbox.root().join("second");
    std::fs::create_dir(&second).unwrap();
    let script = format!(
        "mount --bind '{}' '{}' 2>/dev/null || exit 77
        cd '{}' && git worktree list && git-lane list && git-lane doctor && git-lane finish x && \
        git-lane restore x",
        sandbox.repo.display(),
        second.display(),
        second.display()
    );
    let Some(run) = sandbox.with_mounts(&sandbox.repo, &script) else {
        return;
    };
    assert!(
        !run.stdout.contains("damaged") && !run.stdout.contains("a copy"),
        "{run}"
    );
    run.ok();
}
