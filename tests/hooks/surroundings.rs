//! Read-only, missing and shared directories, and many at once.

use super::*;
use crate::support::skipped;

#[test]
fn uninstalling_leaves_no_trace_and_a_shared_directory_alone() {
    let sandbox = Sandbox::new();
    let before = listing(&sandbox.repo.join(".git"));
    init(&sandbox, &["--files"]).ok();
    init(&sandbox, &["--uninstall"]).ok();
    let names = |listing: Vec<(String, u32, Vec<u8>)>| {
        listing
            .into_iter()
            .map(|(name, ..)| name)
            .collect::<Vec<_>>()
    };
    assert_eq!(names(listing(&sandbox.repo.join(".git"))), names(before));

    init(&sandbox, &["--files"]).ok();
    let shared = sandbox.root().join("shared");
    std::fs::rename(hooks(&sandbox), &shared).unwrap();
    symlink(&shared, hooks(&sandbox)).unwrap();
    let before = listing(&shared);
    let run = init(&sandbox, &["--uninstall"]);
    assert!(run.stderr.contains("shared/pre-commit' stays"), "{run}");
    run.ok();
    assert_eq!(listing(&shared), before);
}

#[test]
fn a_hooks_directory_that_is_missing_is_made_and_one_that_is_a_file_is_an_error() {
    let sandbox = Sandbox::new();
    let _ = std::fs::remove_dir_all(hooks(&sandbox));
    init(&sandbox, &["--files"]).ok();
    assert_eq!(listing(&hooks(&sandbox)).len(), 4);
    // What git-lane made it takes away again, unless the user has put something into it; and
    // nothing that others made.
    init(&sandbox, &["--files"]).ok();
    init(&sandbox, &["--uninstall"]).ok();
    assert!(!hooks(&sandbox).exists());
    init(&sandbox, &["--files"]).ok();
    hook(&hooks(&sandbox).join("post-merge"), "#!/bin/sh\n", 0o755);
    init(&sandbox, &["--uninstall"]).ok();
    assert_eq!(listing(&hooks(&sandbox)).len(), 1);
    std::fs::remove_file(hooks(&sandbox).join("post-merge")).unwrap();
    init(&sandbox, &["--files"]).ok();
    init(&sandbox, &["--uninstall"]).ok();
    assert!(hooks(&sandbox).is_dir());
    std::fs::remove_dir_all(hooks(&sandbox)).unwrap();
    write(&hooks(&sandbox), "");
    let before = sandbox.fingerprint();
    let error = init(&sandbox, &["--files"]).fails(4);
    assert!(error.contains("hooks"), "{error}");
    assert_eq!(sandbox.fingerprint(), before);
}

/// Gives every directory below `directory` a mode, the deepest first or last, so that the way there
/// is open.
fn mode_of_all(directory: &Path, mode: u32) {
    let set = |path: &Path| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap()
    };
    set(directory);
    for entry in std::fs::read_dir(directory)
        .unwrap()
        .flatten()
        .filter(|entry| entry.path().is_dir())
    {
        mode_of_all(&entry.path(), mode);
    }
}

/// Runs a program of the sandbox for which read-only means read-only: a superuser gives up its
/// right to write everywhere. `None` where that cannot be had.
fn as_anybody(sandbox: &Sandbox, directory: &Path, args: &[&str]) -> Option<Run> {
    let drop_rights = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"];
    let anybody = |args: &[&str]| {
        let superuser = std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
        let all = if superuser {
            [&drop_rights[..], args].concat()
        } else {
            args.to_vec()
        };
        let mut command = sandbox.command(all[0]);
        command.current_dir(directory).args(&all[1..]);
        command
    };
    let sealed = sandbox.root().join("home/sealed");
    std::fs::create_dir_all(&sealed).unwrap();
    mode_of_all(&sealed, 0o555);
    let probe = anybody(&["touch", sealed.join("probe").to_str().unwrap()]).output();
    if probe.is_ok_and(|probe| probe.status.code() == Some(1)) {
        return Some(sandbox.run(&mut anybody(args)));
    }
    skipped("nothing is read-only for this user, and setpriv does not help");
    None
}

#[test]
fn a_read_only_hooks_directory_is_an_error_and_changes_nothing() {
    let sandbox = Sandbox::new();
    hook(
        &hooks(&sandbox).join("post-checkout"),
        "#!/bin/sh\nexit 0\n",
        0o755,
    );
    mode_of_all(&hooks(&sandbox), 0o555);
    let before = sandbox.fingerprint();
    let Some(run) = as_anybody(&sandbox, &sandbox.repo, &["git-lane", "init", "--files"]) else {
        return;
    };
    let error = run.fails(4);
    assert!(
        error.contains("hooks") && error.contains("Permission denied"),
        "{error}"
    );
    let left: Vec<_> = sandbox
        .fingerprint()
        .lines()
        .filter(|line| !before.contains(line))
        .map(str::to_owned)
        .collect();
    assert!(left.iter().all(|line| !line.contains("hook")), "{left:?}");
    // Nothing can be taken out either, and the rule stays in force as a whole.
    mode_of_all(&hooks(&sandbox), 0o755);
    init(&sandbox, &["--files"]).ok();
    sandbox.lane(["start", "one"]).ok();
    mode_of_all(&hooks(&sandbox), 0o555);
    let before = sandbox.fingerprint();
    as_anybody(
        &sandbox,
        &sandbox.repo,
        &["git-lane", "init", "--uninstall"],
    )
    .unwrap()
    .fails(4);
    assert_eq!(sandbox.fingerprint(), before);
    init(&sandbox, &["--check"]).ok();
    assert_in_force(&sandbox, "one");
    mode_of_all(&hooks(&sandbox), 0o755);
    init(&sandbox, &["--uninstall"]).ok();
}

/// Sandboxed agents often have a read-only `.git`: the guard answers, `--check` and doctor report,
/// nothing is written.
#[test]
fn in_a_read_only_repository_the_guard_still_answers() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "one"]).ok();
    init(&sandbox, &["--files"]).ok();
    let lane = sandbox.lane_path("one");
    sandbox
        .run(
            sandbox
                .command("git")
                .env("GIT_LANE_BYPASS", "1")
                .current_dir(&lane)
                .args(["switch", "-qc", "x"]),
        )
        .ok();
    let git_dir = sandbox.repo.join(".git");
    mode_of_all(&git_dir, 0o555);
    let before = sandbox.fingerprint();
    let run = |directory: &Path, args: &[&str]| as_anybody(&sandbox, directory, args);
    if let Some(commit) = run(&lane, &["git-lane", "hook", "pre-commit"]) {
        assert!(commit.stderr.contains("this is lane 'one'"), "{commit}");
        let _ = commit.fails(1);
        let old = sandbox.git_in(&lane, ["rev-parse", "HEAD"]);
        let switched = run(
            &lane,
            &["git-lane", "hook", "post-checkout", &old, &old, "1"],
        )
        .unwrap();
        assert!(
            switched.stderr.contains("could not be taken back"),
            "{switched}"
        );
        let _ = switched.fails(1);
        run(&sandbox.repo, &["git-lane", "init", "--check"])
            .unwrap()
            .ok();
        run(&sandbox.repo, &["git-lane", "hook", "pre-commit"])
            .unwrap()
            .ok();
        let found = run(&sandbox.repo, &["git-lane", "doctor"]).unwrap();
        assert!(found.stdout.contains("lane 'one' is a stray"), "{found}");
        let _ = found.fails(1);
        run(&sandbox.repo, &["git-lane", "init", "--level", "warn"])
            .unwrap()
            .fails(4);
        run(&sandbox.repo, &["git-lane", "init", "--uninstall"])
            .unwrap()
            .fails(4);
    }
    assert_eq!(sandbox.fingerprint(), before);
    mode_of_all(&git_dir, 0o755);
}

#[test]
fn twenty_at_once_leave_one_block() {
    let sandbox = Sandbox::new();
    hook(
        &hooks(&sandbox).join("pre-commit"),
        "#!/bin/sh\nexit 0\n",
        0o755,
    );
    let before = listing(&hooks(&sandbox));
    let children: Vec<_> = (0..20)
        .map(|n| {
            let mut command = sandbox.command("git-lane");
            let args: &[&str] = if n % 2 == 0 {
                &["init", "--files"]
            } else {
                &["init", "--files", "--level", "restore"]
            };
            command
                .args(args)
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    for name in RESTORE {
        let text = std::fs::read_to_string(hooks(&sandbox).join(name)).unwrap();
        assert_eq!(text.matches("# >>> git-lane ").count(), 1, "{text}");
    }
    let config = std::fs::read_to_string(sandbox.repo.join(".git/config")).unwrap();
    assert_eq!(
        config.matches("[hook \"git-lane-pre-commit\"]").count(),
        usize::from(configured()),
        "{config}"
    );
    assert_eq!(config.matches("\thooks = ").count(), 1, "{config}");
    init(&sandbox, &["--uninstall"]).ok();
    assert_eq!(listing(&hooks(&sandbox)), before);
}

#[test]
fn linked_worktrees_bare_repositories_submodules_and_reftable() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "one"]).ok();
    sandbox.lane_in(&sandbox.lane_path("one"), ["init"]).ok();
    assert_in_force(&sandbox, "one");
    sandbox.lane(["start", "two"]).ok();
    assert_in_force(&sandbox, "two");

    let bare = sandbox.root().join("bare.git");
    sandbox.git(["clone", "-q", "--bare", ".", bare.to_str().unwrap()]);
    sandbox.lane_in(&bare, ["init"]).ok();
    sandbox
        .lane_in(&bare, ["start", "three", "--path", "../three"])
        .ok();
    let three = sandbox.root().join("three");
    let run = sandbox.run(
        sandbox
            .command("git")
            .current_dir(&three)
            .args(["switch", "main"]),
    );
    assert!(run.stderr.contains("this is lane 'three'"), "{run}");
    assert_ne!(run.code, 0);

    // A submodule of a lane is a repository of its own.
    let lane = sandbox.lane_path("one");
    sandbox.git_in(
        &lane,
        [
            "-c",
            "protocol.file.allow=always",
            "submodule",
            "--quiet",
            "add",
            bare.to_str().unwrap(),
            "sub",
        ],
    );
    sandbox.git_in(&lane.join("sub"), ["switch", "-q", "-c", "anything"]);
    let inner = sandbox
        .lane_in(&lane.join("sub"), ["init", "--json"])
        .json();
    assert!(
        inner["directory"].as_str().unwrap().contains("/modules/"),
        "{inner}"
    );

    if git_version() >= (2, 45) {
        let sandbox = Sandbox::empty();
        sandbox.git(["init", "-q", "-b", "main", "--ref-format=reftable"]);
        sandbox.git(["commit", "-q", "--allow-empty", "-m", "first"]);
        init(&sandbox, &[]).ok();
        sandbox.lane(["start", "one"]).ok();
        assert_in_force(&sandbox, "one");
    }
}

#[test]
fn start_says_once_that_the_rule_is_not_in_force() {
    let sandbox = Sandbox::new();
    let first = sandbox.lane(["start", "one"]);
    assert_eq!(first.stderr.matches("git lane init").count(), 1, "{first}");
    first.ok();
    let second = sandbox.lane(["start", "two"]);
    assert_eq!(second.stderr, "");
    second.ok();
    let sandbox = Sandbox::new();
    init(&sandbox, &[]).ok();
    let run = sandbox.lane(["start", "one"]);
    assert_eq!(run.stderr, "");
    run.ok();
}

#[test]
fn the_hook_can_be_run_by_hand() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "one"]).ok();
    let lane = sandbox.lane_path("one");
    sandbox.git_in(&lane, ["switch", "-q", "-c", "elsewhere"]);
    let run = sandbox.lane_in(&lane.join("src"), ["hook", "pre-commit"]);
    assert!(run.stderr.contains("'elsewhere' is checked out"), "{run}");
    let _ = run.fails(1);
    sandbox
        .lane(["-C", lane.to_str().unwrap(), "hook", "pre-commit"])
        .fails(1);
    sandbox.lane(["hook", "pre-commit"]).ok();
    sandbox.lane(["hook", "no-such-hook"]).fails(2);
}
