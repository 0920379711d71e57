//! Hooks and hook directories of other tools.

use super::*;

#[test]
fn what_others_add_before_and_after_runs_once_with_its_arguments_and_exit_code() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "one"]).ok();
    init(&sandbox, &["--files"]).ok();
    let file = hooks(&sandbox).join("pre-rebase");
    let text = std::fs::read_to_string(&file).unwrap();
    let added = "echo \"$# $1 ${0##*/}\" >>\"$HOME/ran\"\n[ ! -e \"$HOME/veto\" ] || exit 3\n";
    hook(&file, format!("{text}{added}"), 0o755);
    let rebase = |args: &[&str]| {
        drop(std::fs::remove_file(sandbox.root().join("home/ran")));
        let run = sandbox.run(
            sandbox
                .command("git")
                .current_dir(sandbox.lane_path("one"))
                .arg("rebase")
                .args(args),
        );
        (
            run.code,
            std::fs::read_to_string(sandbox.root().join("home/ran")).unwrap_or_default(),
            run,
        )
    };
    let (code, ran, run) = rebase(&["-q", "-f", "main"]);
    assert_eq!((code, ran.as_str()), (0, "1 main pre-rebase\n"), "{run}");
    // What git-lane refuses is refused before anything else runs.
    sandbox.git(["branch", "other"]);
    let (code, ran, run) = rebase(&["-q", "-f", "main", "other"]);
    assert!(code != 0 && ran.is_empty(), "{run}");
    write(&sandbox.root().join("home/veto"), "");
    let (code, ran, run) = rebase(&["-q", "-f", "main"]);
    assert!(code != 0 && ran == "1 main pre-rebase\n", "{run}");
    // Without git-lane the rest runs all the same, and after the next install too.
    std::fs::remove_file(sandbox.root().join("home/veto")).unwrap();
    init(&sandbox, &["--files"]).ok();
    assert_eq!(rebase(&["-q", "-f", "main"]).1, "1 main pre-rebase\n");
    hook(&file, format!("{text}{added}"), 0o755);
    let tool = sandbox.root().join("bin/git-lane");
    std::fs::rename(&tool, sandbox.root().join("away")).unwrap();
    assert_eq!(rebase(&["-q", "-f", "main"]).1, "1 main pre-rebase\n");
}

#[test]
fn what_others_add_to_our_hook_runs_and_stays() {
    let sandbox = Sandbox::new();
    init(&sandbox, &["--files"]).ok();
    let file = hooks(&sandbox).join("pre-commit");
    let mut text = std::fs::read_to_string(&file).unwrap();
    text.push_str(
        "## START BRANCHLESS CONFIG\necho ran >>\"$HOME/ran\"\n## END BRANCHLESS CONFIG\n",
    );
    hook(&file, &text, 0o755);
    sandbox.git(["commit", "-q", "--allow-empty", "-m", "x"]);
    assert!(sandbox.root().join("home/ran").exists());
    init(&sandbox, &["--files"]).ok();
    let shared = std::fs::read_to_string(&file).unwrap();
    assert_eq!(
        (
            shared.matches("# >>> git-lane ").count(),
            shared.matches("echo ran").count()
        ),
        (1, 1),
        "{shared}"
    );
    init(&sandbox, &["--files"]).ok();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), shared);
    std::fs::remove_file(sandbox.root().join("home/ran")).unwrap();
    sandbox.git(["commit", "-q", "--allow-empty", "-m", "x"]);
    assert!(sandbox.root().join("home/ran").exists());
    init(&sandbox, &["--uninstall"]).ok();
    let left = std::fs::read_to_string(&file).unwrap();
    assert!(
        left.starts_with("#!/bin/sh\n## START BRANCHLESS") && !left.contains("git-lane"),
        "{left}"
    );
}

#[test]
fn a_hook_replaced_behind_our_back_is_reported_and_nothing_is_overwritten() {
    let sandbox = Sandbox::new();
    let file = hooks(&sandbox).join("pre-commit");
    hook(&file, "#!/bin/sh\nexit 0\n", 0o755);
    init(&sandbox, &["--files"]).ok();
    hook(&file, "#!/bin/sh\nexit 1\n", 0o755);
    let before = listing(&hooks(&sandbox));
    let error = init(&sandbox, &["--files"]).fails(1);
    assert!(
        error.contains("was replaced") && error.contains("hint: "),
        "{error}"
    );
    assert_eq!(listing(&hooks(&sandbox)), before);
    let run = init(&sandbox, &["--uninstall"]);
    assert!(run.stderr.contains("another tool"), "{run}");
    run.ok();
    assert_eq!(
        std::fs::read_to_string(&file).unwrap(),
        "#!/bin/sh\nexit 1\n"
    );
}

#[test]
fn somebody_elses_hooks_directory_is_never_written() {
    // husky, a tracked directory, a shared one, one per worktree; in the repository's and in the
    // user's configuration.
    for (scope, value) in [
        ("--local", ".husky/_"),
        ("--local", ".githooks"),
        ("--global", "/etc/nowhere/hooks"),
        ("--local", ".git/hooks"),
    ] {
        let sandbox = Sandbox::new();
        sandbox.git(["config", scope, "core.hooksPath", value]);
        hook(
            &sandbox.repo.join(".husky/_/pre-commit"),
            "#!/bin/sh\nexit 0\n",
            0o755,
        );
        let before = sandbox.fingerprint();
        let run = init(&sandbox, &["--files"]);
        let error = run.fails(1);
        assert!(
            error.contains("git-lane hook pre-commit \"$@\"") && error.contains(value),
            "{error}"
        );
        assert_eq!(sandbox.fingerprint(), before);
        if configured() {
            init(&sandbox, &[]).ok();
            sandbox.lane(["start", "one"]).ok();
            assert_in_force(&sandbox, "one");
        }
    }
}

/// A user who does what the hints say, and only that, has the rule in force; one without git-lane
/// notices nothing.
#[test]
fn the_lines_to_add_by_hand_name_their_file_and_put_the_rule_in_force() {
    for (value, edited) in [
        (".husky/_", ".husky"),
        (".githooks", ".githooks"),
        ("/", "anybodys/hooks"),
    ] {
        let sandbox = Sandbox::new();
        sandbox.lane(["start", "one"]).ok();
        let lane = sandbox.lane_path("one");
        let value = if value == "/" {
            sandbox.root().join(edited).display().to_string()
        } else {
            value.into()
        };
        let edited = if value.starts_with('/') {
            value.clone()
        } else {
            edited.into()
        };
        sandbox.git(["config", "core.hooksPath", &value]);
        let of_husky = value == ".husky/_";
        if of_husky {
            husky(&sandbox.repo);
            sandbox.write(".husky/pre-commit", "echo \"test\" >>\"$HOME/ran\"\n");
            sandbox.commit("husky");
            std::fs::remove_file(sandbox.root().join("home/ran")).unwrap();
        }
        let told = init(&sandbox, &["--files"]).fails(1);
        let lines: Vec<_> = told
            .lines()
            .filter_map(|line| line.strip_prefix("hint: add to ")?.split_once(": "))
            .collect();
        let files: Vec<_> = lines.iter().map(|(file, _)| file.to_string()).collect();
        assert_eq!(
            files,
            RESTORE.map(|name| format!("{edited}/{name}")),
            "{told}"
        );
        for (file, line) in &lines {
            let path = sandbox.repo.join(file);
            let text = format!(
                "{line}\n{}",
                std::fs::read_to_string(&path).unwrap_or_default()
            );
            hook(&path, text, if of_husky { 0o644 } else { 0o755 });
        }
        if !value.starts_with('/') {
            assert!(told.contains("commit"), "{told}");
            sandbox.git(["add", &edited]);
            sandbox.git([
                "-c",
                "core.hooksPath=/dev/null",
                "commit",
                "-q",
                "-m",
                "hooks",
            ]);
            let told = init(&sandbox, &["--files"]).fails(1);
            assert!(
                !told.contains("add to")
                    && told.contains(lane.to_str().unwrap())
                    && told.contains("merge"),
                "{told}"
            );
            sandbox.git_in(&lane, ["merge", "-q", "main"]);
        }
        if of_husky {
            // git looks for husky's own files, which no merge brings.
            let told = init(&sandbox, &["--files"]).fails(1);
            assert!(
                told.contains(&format!("let husky run in {}", lane.display())),
                "{told}"
            );
            assert!(!told.contains("add to"), "{told}");
            husky(&lane);
        }
        init(&sandbox, &["--files"]).ok();
        init(&sandbox, &["--check"]).ok();
        assert_in_force(&sandbox, "one");
        if git_version() >= (2, 46) && of_husky {
            let told = init(&sandbox, &["--files", "--level", "refuse"]).fails(1);
            assert!(
                told.contains("husky runs no reference-transaction"),
                "{told}"
            );
        }
        assert!(
            !sandbox.root().join("home/ran").exists(),
            "asking runs nothing else"
        );
        for crash in [None, Some("exit 2"), Some("kill -9 $$")] {
            let tool = sandbox.root().join("bin/git-lane");
            std::fs::remove_file(&tool).unwrap();
            if let Some(crash) = crash {
                hook(&tool, format!("#!/bin/sh\n{crash}\n"), 0o755);
            }
            sandbox.git_in(&lane, ["commit", "-q", "--allow-empty", "-m", "x"]);
            sandbox.git_in(&lane, ["switch", "-q", "--detach"]);
            sandbox.git_in(&lane, ["switch", "-q", "one"]);
            if crash.is_none() {
                write(&tool, "");
            }
        }
        assert_eq!(sandbox.root().join("home/ran").exists(), of_husky);
    }
}

#[test]
fn a_line_added_by_hand_counts_and_lets_level_and_policy_be_set() {
    let sandbox = Sandbox::new();
    sandbox.git(["config", "core.hooksPath", ".husky"]);
    by_hand(&sandbox.repo.join(".husky"), "");
    init(&sandbox, &["--check"]).ok();
    by_hand(&sandbox.repo.join(".husky"), "#!/bin/sh\n\n# ours\n");
    init(&sandbox, &["--check"]).ok();
    assert!(
        !sandbox.root().join("home/ran").exists(),
        "asking runs nothing else"
    );
    sandbox.write("lane.toml", "[rule]\nhome = \"main\"\n");
    sandbox.commit("hooks and policy");
    init(&sandbox, &["--level", "warn"]).ok();
    assert_eq!(sandbox.git(["config", "lane.guard"]), "warn");
    assert_eq!(sandbox.git(["config", "lane.home"]), "main");
    init(&sandbox, &["--level", "restore"]).ok();
    sandbox.lane(["start", "one"]).ok();
    assert_in_force(&sandbox, "one");
    // One of them goes: only that one is to be added, and nothing changes.
    std::fs::remove_file(sandbox.repo.join(".husky/pre-commit")).unwrap();
    if configured() {
        init(&sandbox, &["--check"]).ok();
    } else {
        let told = why_not(&sandbox);
        assert!(
            told.contains("add to .husky/pre-commit: ") && !told.contains("git lane init"),
            "{told}"
        );
        let error = init(&sandbox, &["--level", "off"]).fails(1);
        assert!(
            error.contains("add to .husky/pre-commit: ") && !error.contains("pre-rebase"),
            "{error}"
        );
        assert_eq!(sandbox.git(["config", "lane.guard"]), "restore");
    }
}

/// What looks like a call of git-lane and is never reached is none.
#[test]
fn a_call_that_is_not_reached_does_not_count() {
    let sandbox = Sandbox::new();
    init(&sandbox, &["--files"]).ok();
    for name in RESTORE {
        drop(sandbox.run(sandbox.command("git").args([
            "config",
            "--remove-section",
            &format!("hook.git-lane-{name}"),
        ])));
    }
    init(&sandbox, &["--check"]).ok();
    let file = hooks(&sandbox).join("pre-commit");
    let text = std::fs::read_to_string(&file).unwrap();
    let commented: String = text
        .lines()
        .map(|line| format!("{}{line}\n", if line.starts_with('#') { "" } else { "# " }))
        .collect();
    for (broken, mode) in [
        (
            text.replacen("#!/bin/sh\n", "#!/bin/sh\nexit 0\n", 1),
            0o755,
        ),
        (
            text.replacen(
                "#!/bin/sh\n",
                "#!/bin/sh\necho x >>\"$HOME/ran\"\nexit 0\n",
                1,
            ),
            0o755,
        ),
        (format!("#!/bin/sh\n{commented}"), 0o755),
        (text.clone(), 0o644),
    ] {
        hook(&file, &broken, mode);
        assert!(
            why_not(&sandbox).contains("git runs no pre-commit"),
            "{broken}"
        );
    }
    assert!(!sandbox.root().join("home/ran").exists());
    // init cannot know whether that is meant: it says where to look, and so does doctor.
    hook(
        &file,
        text.replacen("#!/bin/sh\n", "#!/bin/sh\nexit 0\n", 1),
        0o755,
    );
    for told in [
        init(&sandbox, &["--check"]).fails(1),
        init(&sandbox, &["--files"]).stderr,
        sandbox.lane(["doctor", "--fix"]).stdout,
    ] {
        assert!(
            configured() || told.contains("ends before it reaches git-lane"),
            "{told}"
        );
    }
    for name in RESTORE {
        drop(sandbox.run(sandbox.command("git").args([
            "config",
            "--remove-section",
            &format!("hook.git-lane-{name}"),
        ])));
    }
    hook(&file, &text, 0o644);
    // Only not executable: that is git-lane's own to repair.
    init(&sandbox, &["--files"]).ok();
    init(&sandbox, &["--check"]).ok();
    // What others have put before it counts as far as can be seen, and is not run to find out.
    hook(
        &file,
        text.replacen("#!/bin/sh\n", "#!/bin/sh\necho x >>\"$HOME/ran\"\n", 1),
        0o755,
    );
    init(&sandbox, &["--check"]).ok();
    assert!(!sandbox.root().join("home/ran").exists());
    // Nor is an older hook that runs first.
    let older = hooks(&sandbox).join("post-checkout");
    init(&sandbox, &["--uninstall"]).ok();
    hook(&older, "#!/bin/sh\necho x >>\"$HOME/ran\"\n", 0o755);
    init(&sandbox, &["--files"]).ok();
    init(&sandbox, &["--check"]).ok();
    assert!(!sandbox.root().join("home/ran").exists());
    // In the files of older versions that one comes first.
    let text = std::fs::read_to_string(&older).unwrap();
    let first = "[ ! -x \"$lane_older\" ] || \"$lane_older\" \"$@\"\nif [ \"${3-}\"";
    hook(
        &older,
        text.replacen(" 3 >>>", " 2 >>>", 1)
            .replacen("if [ \"${3-}\"", first, 1),
        0o755,
    );
    init(&sandbox, &["--check"]).ok();
    assert!(!sandbox.root().join("home/ran").exists());
}
