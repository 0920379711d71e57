//! Rows 27 to 32: hooks that were there first, and what a policy may ask for.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use super::executable;
use crate::support::{Sandbox, listing, skipped, write};

fn hook(sandbox: &Sandbox, name: &str) -> PathBuf {
    sandbox.repo.join(".git/hooks").join(name)
}

/// A hook of another's: chained, its arguments, input and exit code kept; uninstalling restores
/// bytes and mode. Every kind of hook, and the order, in tests/hooks.rs.
#[test]
fn row_27_hooks_that_were_there_first() {
    let script = "#!/bin/sh\necho \"theirs $*\" >>\"$HOME/ran\"\nexit ${CODE:-0}\n";
    type Make = fn(&Sandbox, &str);
    let kinds: [(&str, Make, bool); 5] = [
        (
            "script",
            |sandbox, text| executable(&hook(sandbox, "post-checkout"), text),
            true,
        ),
        (
            "symbolic link",
            |sandbox, text| {
                executable(&sandbox.repo.join("tools/hook"), text);
                symlink("../../tools/hook", hook(sandbox, "post-checkout")).unwrap();
            },
            true,
        ),
        (
            "not executable",
            |sandbox, text| {
                executable(&hook(sandbox, "post-checkout"), text);
                let path = hook(sandbox, "post-checkout");
                std::fs::set_permissions(path, PermissionsExt::from_mode(0o640)).unwrap();
            },
            false,
        ),
        (
            // As an executable it would make plain git fail too.
            "CRLF",
            |sandbox, text| {
                executable(&hook(sandbox, "post-checkout"), text.replace('\n', "\r\n"));
                let path = hook(sandbox, "post-checkout");
                std::fs::set_permissions(path, PermissionsExt::from_mode(0o600)).unwrap();
            },
            false,
        ),
        (
            "binary",
            |sandbox, _| {
                std::fs::copy("/bin/true", hook(sandbox, "post-checkout")).unwrap();
            },
            false,
        ),
    ];
    for (kind, make, runs) in kinds {
        let sandbox = Sandbox::new();
        std::fs::create_dir_all(sandbox.repo.join(".git/hooks")).unwrap();
        make(&sandbox, script);
        let state = || {
            let path = hook(&sandbox, "post-checkout");
            let metadata = std::fs::symlink_metadata(&path).unwrap();
            (
                metadata.permissions().mode(),
                std::fs::read_link(&path).ok(),
                std::fs::read(&path).unwrap(),
            )
        };
        let before = state();
        sandbox.lane(["init", "--files"]).ok();
        sandbox.lane(["start", "x"]).ok();
        let ran = std::fs::read_to_string(sandbox.root().join("home/ran")).unwrap_or_default();
        assert_eq!(
            ran.contains("theirs 0000") && ran.contains(" 1\n"),
            runs,
            "{kind}: {ran}"
        );
        let switch = |code: &str| {
            let mut command = sandbox.command("git");
            sandbox
                .run(
                    command
                        .args(["switch", "-q", "-c", &format!("b{code}")])
                        .env("CODE", code),
                )
                .code
        };
        // git's own exit code for a hook that fails is 1.
        assert_eq!((switch("0"), switch("7")), (0, i32::from(runs)), "{kind}");
        sandbox.lane(["init", "--uninstall"]).ok();
        assert_eq!(state(), before, "{kind}");
    }
}

/// `core.hooksPath` of every kind: a tracked, global or foreign directory is never written unasked,
/// and it is said that the rule is not in force.
#[test]
fn row_28_a_hooks_path_of_somebody_else() {
    for (scope, path) in [
        ("--local", ".husky"),
        ("--local", "../hooks of all"),
        ("--local", "/dev/null"),
        ("--global", "/nowhere/hooks"),
        ("--global", "~/hooks"),
    ] {
        let sandbox = Sandbox::new();
        sandbox.git(["config", scope, "core.hooksPath", path]);
        std::fs::create_dir_all(sandbox.root().join("home/hooks")).unwrap();
        let home = || listing(&sandbox.root().join("home"));
        let (before, home_before) = (sandbox.fingerprint(), home());
        let said = sandbox.lane(["init", "--files"]).fails(1);
        assert!(said.contains("hint: "), "{said}");
        assert_eq!(
            (sandbox.fingerprint(), home()),
            (before, home_before),
            "{path}"
        );
        let check = sandbox.lane(["init", "--check"]).fails(1);
        assert!(check.contains("not in force"), "{check}");
    }
}

/// The hooks directory is read-only, a link, or missing: refused with the reason, or made; starting
/// works all the same.
#[test]
fn row_29_a_hooks_directory_that_cannot_be_used() {
    let sandbox = Sandbox::new();
    let hooks = sandbox.repo.join(".git/hooks");
    let _ = std::fs::remove_dir_all(&hooks);
    sandbox.lane(["init", "--files"]).ok();
    assert!(hooks.join("pre-commit").exists());
    // A link: whose hooks those are is not known.
    let sandbox = Sandbox::new();
    let hooks = sandbox.repo.join(".git/hooks");
    let _ = std::fs::remove_dir_all(&hooks);
    let shared = sandbox.root().join("shared");
    std::fs::create_dir(&shared).unwrap();
    symlink(&shared, &hooks).unwrap();
    let run = sandbox.lane(["init", "--files"]);
    let written = std::fs::read_dir(&shared).unwrap().count();
    assert!(
        run.code == 1 && written == 0 && run.stderr.contains("hint: "),
        "{run}"
    );
    sandbox.lane(["start", "x"]).ok();
    std::fs::remove_file(&hooks).unwrap();
    write(&hooks, "");
    sandbox.lane(["init", "--files"]).fails(4);
    sandbox.lane(["start", "y"]).ok();
    std::fs::remove_file(&hooks).unwrap();
    std::fs::create_dir(&hooks).unwrap();
    std::fs::set_permissions(&hooks, PermissionsExt::from_mode(0o555)).unwrap();
    if std::fs::write(hooks.join("probe"), "").is_err() {
        sandbox.lane(["init", "--files"]).fails(4);
        sandbox.lane(["start", "z"]).ok();
    }
    std::fs::set_permissions(&hooks, PermissionsExt::from_mode(0o755)).unwrap();
}

/// The hooks stay and git-lane is gone, or PATH is minimal: git goes on, with its own exit code and
/// one warning.
#[test]
fn row_30_a_program_that_is_gone() {
    for files in [&["init", "--files"][..], &["init"]] {
        let sandbox = Sandbox::new();
        sandbox.lane(files).ok();
        sandbox.lane(["start", "x"]).ok();
        let lane = sandbox.lane_path("x");
        std::fs::remove_file(sandbox.root().join("bin/git-lane")).unwrap();
        let git = |args: &[&str]| sandbox.run(sandbox.command("git").current_dir(&lane).args(args));
        for args in [
            &["switch", "-q", "-c", "y"][..],
            &["commit", "-q", "--allow-empty", "-m", "x"],
            &["switch", "-q", "x"],
        ] {
            let run = git(args);
            assert_eq!(
                run.stderr.matches("git-lane is not on PATH").count(),
                1,
                "{run}"
            );
            run.ok();
        }
        let mut bare = sandbox.command("git");
        bare.current_dir(&lane)
            .args(["switch", "-q", "y"])
            .env("PATH", "/usr/bin:/bin");
        let run = sandbox.run(&mut bare);
        assert!(run.stderr.contains("git-lane is not on PATH"), "{run}");
        run.ok();
        assert_eq!(git(&["switch", "-q", "nowhere"]).code, 128);
    }
}

/// Hooks of a template or of the user's own configuration are in every repository: one without
/// lanes is none of theirs.
#[test]
fn row_30_a_program_that_is_gone_is_missed_only_where_there_are_lanes() {
    let sandbox = Sandbox::new();
    sandbox.lane(["init", "--files"]).ok();
    sandbox.lane(["init", "--global"]).ok();
    sandbox
        .run(sandbox.command("sh").args([
            "-c",
            "mkdir ../template && cp -r .git/hooks ../template/hooks",
        ]))
        .ok();
    sandbox.git(["clone", "-q", "--template=../template", ".", "../clone"]);
    std::fs::remove_file(sandbox.root().join("bin/git-lane")).unwrap();
    let (clone, linked) = (sandbox.root().join("clone"), sandbox.root().join("linked"));
    let git = |place: &std::path::Path, args: &[&str]| {
        sandbox.run(sandbox.command("git").current_dir(place).args(args))
    };
    let run = git(
        &clone,
        &["worktree", "add", "-q", "-b", "linked", "../linked"],
    );
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run}");
    for place in [&clone, &linked] {
        let branch = place.file_name().unwrap().to_str().unwrap();
        for args in [
            &["switch", "-q", "-c", &format!("{branch}-x")][..],
            &["commit", "-q", "--allow-empty", "-m", "x"],
        ] {
            let run = git(place, args);
            assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run}");
        }
    }
    std::fs::create_dir(clone.join(".git/lane")).unwrap();
    for place in [&clone, &linked] {
        let run = git(place, &["commit", "-q", "--allow-empty", "-m", "x"]);
        assert_eq!(
            run.stderr.matches("git-lane is not on PATH").count(),
            1,
            "{run}"
        );
    }
}

/// A tracked `lane.toml` that asks for commands: there is no key for one. What a template holds is
/// text.
#[test]
fn row_31_a_tracked_policy_that_asks_for_commands() {
    for toml in [
        "[setup]\nrun = \"touch pwned\"\n",
        "[start]\nrun = [\"touch\", \"pwned\"]\n",
        "[hooks]\npost-start = \"touch pwned\"\n",
        "[start]\npath = \"/tmp/{name}\"\n",
        "[start]\npath = \"../../{name}\"\n",
        "[start]\npath = \"~/{name}\"\n",
        "[start]\nbase = \"--upload-pack=touch pwned\"\n",
        "[finish]\nstrategy = \"!touch pwned\"\n",
    ] {
        let sandbox = Sandbox::new();
        write(&sandbox.repo.join("lane.toml"), toml);
        sandbox.commit("a policy");
        let run = sandbox.lane(["start", "x"]);
        assert!(
            run.code == 4 && run.stderr.contains("lane.toml'"),
            "{toml}: {run}"
        );
        assert!(!sandbox.lane_path("x").exists());
        sandbox.nothing_was_started();
    }
    let sandbox = Sandbox::new();
    sandbox.trap("touch");
    let message = "$(touch pwned) `touch pwned` {name}; touch pwned";
    let toml = format!(
        "[start]\nbranch = \"$(touch${{IFS}}pwned)/{{name}}\"\n[finish]\nmessage = \"{message}\"\n"
    );
    // The dollar's braces are a placeholder to the policy, and an unknown one.
    write(&sandbox.repo.join("lane.toml"), &toml);
    let run = sandbox.lane(["start", "x"]);
    assert!(run.code == 4 && run.stderr.contains("{IFS}"), "{run}");
    write(&sandbox.repo.join("lane.toml"), toml.replace("${IFS}", ";"));
    sandbox.commit("a policy");
    sandbox.lane(["start", "x"]).ok();
    sandbox.work("x", "file", "x");
    sandbox.lane(["finish", "x"]).ok();
    assert_eq!(
        sandbox.git(["log", "-1", "--format=%s"]),
        message.replace("{name}", "x")
    );
    assert!(
        sandbox
            .git(["log", "-1", "--format=%D", "main^2"])
            .is_empty()
    );
    sandbox.nothing_was_started();
}

/// A question shows what it is about escaped, and the answer is no unless the user says yes.
#[cfg(target_os = "linux")]
#[test]
fn row_32_a_question_that_deceives() {
    use std::io::Write;
    use std::process::Stdio;
    let sandbox = Sandbox::new();
    // A name has no line end and at most 250 bytes; of what steers a terminal it can have U+009B.
    let wide = "w".repeat(230);
    let name = &format!("\u{202e}gnp\u{200b}\u{9b}2J{wide}");
    let shown = format!(r"\u{{202e}}gnp\u{{200b}}\u{{9b}}2J{wide}");
    sandbox.lane(["start", name]).ok();
    let lane = sandbox.place_of(name);
    write(&lane.join("uncommitted"), "x");
    for (answer, stays) in [("\n", true), ("n\n", true), ("y\n", false)] {
        // script(1) gives the command a terminal.
        let mut command = sandbox.command("script");
        command.args(["-qec", &format!("git-lane drop '{name}'"), "/dev/null"]);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let Ok(mut child) = command.spawn() else {
            skipped("there is no script(1)");
            return;
        };
        let mut stdin = child.stdin.take().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(500));
        stdin.write_all(answer.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains(&shown) && text.contains("Drop it?"), "{text}");
        assert!(!text.contains(['\u{202e}', '\u{200b}', '\u{9b}']), "{text}");
        assert_eq!(lane.exists(), stays, "{answer:?}: {text}");
        drop(stdin);
    }
}
