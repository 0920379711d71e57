//! Names that look like something else.

use super::*;

/// `-x`, `--force`, `--upload-pack=touch pwned`, also after `--`: refused, and never an option of
/// git's.
#[test]
fn row_01_names_that_look_like_options() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "first"]).ok();
    let log = sandbox.root().join("home/arguments");
    let spy = format!(
        "#!/bin/sh\nprintf '%s\\n' \"$@\" >>'{}'\nexec '{}' \"$@\"\n",
        log.display(),
        git_program().display()
    );
    executable(&sandbox.root().join("bin/git"), &spy);
    for name in [
        "-x",
        "--force",
        "--upload-pack=touch pwned",
        "--output=pwned",
        "-",
    ] {
        for verb in VERBS {
            let before = sandbox.fingerprint();
            let option = verb.last() == Some(&"--branch");
            let named = format!("--branch={name}");
            let args: Vec<&str> = match option {
                true => vec!["start", "fine", &named],
                false => [verb, &["--", name]].concat(),
            };
            let run = sandbox.lane(&args);
            assert!(run.code == 1 || (option && run.code == 2), "{run}");
            assert!(run.stderr.starts_with("error: "), "{run}");
            assert_eq!(sandbox.fingerprint(), before, "{args:?}");
            if !option {
                let run = sandbox.lane([verb, &[name]].concat());
                assert_ne!(run.code, 0, "{run}");
                assert_eq!(sandbox.fingerprint(), before, "{args:?}");
            }
        }
        sandbox.refuses(
            &["start", "fine", &format!("--base={name}")],
            "names no commit",
        );
        let seen = std::fs::read_to_string(&log).unwrap_or_default();
        assert!(
            !seen.lines().any(|argument| argument == name),
            "{name}: {seen}"
        );
    }
    sandbox.nothing_was_started();
}

/// Shell syntax that is a valid branch: the lane works literally through start, hooks, list,
/// finish, prune; nothing is started, not even by a shell that is given a hint to run.
#[test]
fn row_02_names_that_are_shell_programs() {
    let sandbox = Sandbox::new();
    for program in ["touch", "id"] {
        sandbox.trap(program);
    }
    sandbox.lane(["init"]).ok();
    let pasted = |line: &str| {
        let command =
            line[line.rfind("git lane ").unwrap_or_else(|| panic!("{line}"))..].to_owned();
        let run = sandbox.sh(&command);
        sandbox.nothing_was_started();
        run
    };
    for name in SHELL {
        sandbox
            .lane(["start", "--task", name, "--owner", name, "--", name])
            .ok();
        let path = sandbox.place_of(name);
        assert_eq!(
            sandbox.git_in(&path, ["symbolic-ref", "--short", "HEAD"]),
            name
        );
        write(&path.join("file"), name);
        sandbox.git_in(&path, ["add", "file"]);
        sandbox.git_in(&path, ["commit", "-q", "-m", name]);
        let taken_back = sandbox.run(sandbox.command("git").current_dir(&path).args([
            "switch",
            "-q",
            "-c",
            "elsewhere",
        ]));
        assert!(
            taken_back.code == 1 && taken_back.stderr.contains(name),
            "{taken_back}"
        );
        sandbox.git(["branch", "-q", "-D", "elsewhere"]);
        assert!(sandbox.lane(["list"]).ok().contains(name));
        assert_eq!(
            sandbox.lane(["--json", "show", "--", name]).json()["lane"],
            name
        );
        let refused = sandbox.lane(["drop", "--", name]).fails(1);
        pasted(refused.lines().last().unwrap()).ok();
        assert!(
            !path.exists(),
            "{name}: the hint, run by a shell, means this very lane"
        );
        let gone = sandbox.lane(["show", "--", name]).fails(1);
        pasted(gone.lines().last().unwrap()).ok();
        assert!(path.exists());
        let finished = sandbox.lane(["finish", "--", name]).ok();
        assert_eq!(
            sandbox.git(["log", "-1", "--format=%s"]),
            format!("Merge lane '{name}' into main")
        );
        pasted(
            finished
                .lines()
                .find(|line| line.contains("git lane restore"))
                .unwrap(),
        )
        .ok();
        let pruned = sandbox
            .lane(["--json", "prune", "--older-than", "0s"])
            .json();
        assert_eq!(pruned["pruned"][0]["lane"], name, "{pruned}");
        sandbox.nothing_was_started();
    }
    sandbox.plain_git_works();
}

/// A repository made to be attacked with: the branch is `$(./pw3n)`, the program is tracked. As row
/// 2.
#[test]
fn row_03_a_cloned_branch_that_is_a_program_of_the_repository() {
    let sandbox = Sandbox::new();
    executable(
        &sandbox.repo.join("pw3n"),
        "#!/bin/sh\n: >pwned; : >\"$HOME/pwned\"\n",
    );
    sandbox.commit("a trap");
    sandbox.git(["branch", "$(./pw3n)"]);
    let clone = sandbox.root().join("clone");
    sandbox.git(["clone", "-q", ".", clone.to_str().unwrap()]);
    sandbox.git_in(&clone, ["branch", "-q", "$(./pw3n)", "origin/$(./pw3n)"]);
    sandbox.lane_in(&clone, ["init"]).ok();
    for (name, extra) in [
        ("$(./pw3n)", &[][..]),
        ("$(./pw3n)2", &["--base", "origin/$(./pw3n)"]),
    ] {
        sandbox
            .lane_in(&clone, [&["start"], extra, &["--", name]].concat())
            .ok();
        let path = sandbox.lane_in(&clone, ["path", "--", name]).ok();
        let path = Path::new(path.trim_end());
        sandbox.git_in(path, ["commit", "-q", "--allow-empty", "-m", "x"]);
        let switch = sandbox.run(sandbox.command("git").current_dir(path).args([
            "switch",
            "-q",
            "-c",
            "elsewhere",
        ]));
        assert!(switch.code == 1 && switch.stderr.contains(name), "{switch}");
        sandbox.git_in(&clone, ["branch", "-q", "-D", "elsewhere"]);
        sandbox.lane_in(&clone, ["list"]).ok();
        sandbox
            .lane_in(&clone, ["finish", "--into", "main", "--", name])
            .ok();
        sandbox.lane_in(&clone, ["restore", "--", name]).ok();
        assert!(
            sandbox
                .lane_in(&clone, ["prune", "--older-than", "0s"])
                .ok()
                .contains(name)
        );
        for place in [path, &clone, &sandbox.root().join("home")] {
            assert!(!place.join("pwned").exists());
        }
    }
    sandbox.nothing_was_started();
}

/// Line feeds, carriage returns, tabs, escape sequences; NUL where a file can say it: refused,
/// shown escaped.
#[test]
fn row_04_control_characters() {
    let sandbox = Sandbox::new();
    for (name, shown) in [
        ("x\ny", r"x\ny"),
        ("x\ry", r"x\ry"),
        ("x\ty", r"x\ty"),
        ("x\u{1b}[2J", r"x\u{1b}[2J"),
        ("x\u{7}", r"x\u{7}"),
        ("x\u{7f}", r"x\u{7f}"),
        ("x\u{9b}2J", r"x\u{9b}2J"),
    ] {
        for verb in VERBS {
            let before = sandbox.fingerprint();
            let run = sandbox.lane([verb, &[name]].concat());
            assert_calm(&run);
            // U+009B steers some terminals and is valid in a branch: accepted, like row 5.
            if !name.contains('\u{9b}') {
                assert!(run.code != 0 && run.stderr.contains(shown), "{run}");
                assert_eq!(sandbox.fingerprint(), before);
            }
        }
    }
    assert!(sandbox.lane(["list"]).ok().contains(r"x\u{9b}2J"));
    let policy = "[start]\nbranch = \"{name}\\u0000\\u001b[2J\"\n";
    // A tracked file may not even hold them.
    write(&sandbox.repo.join("lane.toml"), policy);
    let _ = sandbox.lane(["start", "login"]).fails(4);
    std::fs::remove_file(sandbox.repo.join("lane.toml")).unwrap();
    write(
        &sandbox.root().join("home/.config/git-lane/lane.toml"),
        policy,
    );
    sandbox.refuses(&["start", "login"], r"\u{1b}");
}

/// Bidi, zero-width and foreign letters are accepted; every output escapes what reorders or hides,
/// JSON as `\u`.
#[test]
fn row_05_letters_that_deceive() {
    let sandbox = Sandbox::new();
    for name in [
        "\u{202e}gnp.exe",
        "log\u{200b}in",
        "\u{430}dmin",
        "\u{2066}x\u{2069}",
        "\u{feff}x",
        "\u{e0041}x",
    ] {
        let base = sandbox.git(["rev-parse", "--short=10", "main"]);
        let runs = [
            sandbox.lane(["start", "--task", name, "--owner", name, name]),
            sandbox.lane(["list"]),
            sandbox.lane(["show", name]),
            sandbox.lane(["log", name]),
            sandbox.lane(["start", "--branch", "x", name]),
            sandbox.lane(["drop", "--dry-run", name]),
            sandbox.lane(["finish", name]),
            sandbox.lane(["trash"]),
            sandbox.lane(["show", name]),
            sandbox.lane(["restore", name]),
            sandbox.lane(["prune", "--older-than", "0s"]),
            sandbox.lane(["--json", "trash"]),
        ];
        for run in &runs {
            assert_calm(run);
            assert!(
                name.contains('\u{430}') || !run.stdout.contains(name),
                "{run}"
            );
        }
        let json = &runs[11].stdout;
        assert!(json.contains(r"\u") || name.contains('\u{430}'), "{json}");
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(json).unwrap()["entries"][0]["lane"],
            name,
            "{base}"
        );
        for run in runs.into_iter().filter(|run| !run.stdout.is_empty()) {
            run.ok();
        }
    }
}

/// Bytes that are no UTF-8: a lane cannot be called that; a branch can, and everything works on it.
#[test]
fn row_06_names_that_are_not_text() {
    let sandbox = Sandbox::new();
    let bytes = std::ffi::OsStr::from_bytes(b"x\xff\xfey");
    let before = sandbox.fingerprint();
    for verb in ["start", "show", "path", "drop", "finish", "restore"] {
        let run = sandbox.lane([verb.as_ref(), bytes]);
        assert!(matches!(run.code, 1 | 2), "{run}");
        assert_calm(&run);
    }
    assert_eq!(sandbox.fingerprint(), before);
    // Two branches that look alike once made readable.
    for (name, branch) in [("one", &b"x\xff"[..]), ("two", b"x\xfe")] {
        let path = sandbox.lane_path(name);
        let branch = std::ffi::OsStr::from_bytes(branch);
        sandbox.git([
            "worktree".as_ref(),
            "add".as_ref(),
            "-q".as_ref(),
            "-b".as_ref(),
            branch,
            path.as_os_str(),
            "main".as_ref(),
        ]);
        sandbox.record(name, &path);
        sandbox.git([
            "config".as_ref(),
            format!("lane.{name}.branch").as_ref(),
            branch,
        ]);
        sandbox.work(name, name, name);
    }
    sandbox.lane(["init"]).ok();
    sandbox.git_in(
        &sandbox.lane_path("one"),
        [
            "commit",
            "-q",
            "--allow-empty",
            "-m",
            "the guard knows its branch",
        ],
    );
    let listed = sandbox.lane(["--json", "list"]).json();
    assert!(
        listed.to_string().contains("[120,255]") && !listed.to_string().contains('\u{fffd}'),
        "{listed}"
    );
    sandbox.lane(["finish", "one"]).ok();
    sandbox.lane(["show", "one"]).fails(1);
    assert!(sandbox.lane_path("two").join("two").exists());
    sandbox.lane(["restore", "one"]).ok();
    let pruned = sandbox
        .lane(["--json", "prune", "--older-than", "0s"])
        .json();
    assert_eq!(pruned["pruned"][0]["lane"], "one", "{pruned}");
    sandbox.lane(["drop", "--yes", "two"]).ok();
    assert_eq!(sandbox.git(["branch", "--format=%(refname:short)"]), "main");
    sandbox.plain_git_works();
}

/// What git refuses is refused, and nothing else: the verdict of `git check-ref-format --branch`.
#[test]
fn row_07_names_git_refuses() {
    let sandbox = Sandbox::new();
    for name in [
        "a..b",
        "a/../../b",
        ".hid",
        "a/.b",
        "a//b",
        "/abs",
        "a/",
        "x.lock",
        "x.lock/y",
        "x.",
        "a@{b",
        "@{-1}",
        "a:b",
        "a\\b",
        "a~b",
        "~root",
        "git~1",
        ".git",
        "a b",
        "a?b",
        "a*b",
        "a[b",
        "a^b",
        "",
    ] {
        sandbox.git_fails(["check-ref-format", "--branch", name]);
        sandbox.refuses(&["start", "--", name], "cannot be a lane's name");
        sandbox.refuses(
            &["start", "fine", &format!("--branch={name}")],
            "cannot be a branch",
        );
    }
    for name in [
        "a.b", "a@b", "a{b", "x.locks", "a-", "_", "@x", "x@", "a/b/c", "é", "a]b",
    ] {
        sandbox.git(["check-ref-format", "--branch", name]);
        sandbox.lane(["start", "--dry-run", "--", name]).ok();
    }
}

/// Names git reads as something else: refused although git accepts several; no orphan branch.
#[test]
fn row_08_names_that_mean_something_else() {
    let sandbox = Sandbox::new();
    let (sha1, sha256) = (
        "0123456789abcdef".repeat(3)[..40].to_owned(),
        "0123456789ABCDEF".repeat(4),
    );
    let head = sandbox.git(["rev-parse", "HEAD"]);
    for name in [
        "@",
        "HEAD",
        "FETCH_HEAD",
        "ORIG_HEAD",
        "MERGE_HEAD",
        "refs/heads/x",
        "refs/x",
        &sha1,
        &sha256,
        &head,
    ] {
        sandbox.refuses(&["start", "--", name], "means something else to git");
        sandbox.refuses(
            &["start", "fine", "--branch", name],
            "means something else to git",
        );
        assert_eq!(sandbox.git(["branch", "--format=%(refname:short)"]), "main");
    }
    // A template must not make one either.
    write(
        &sandbox.repo.join("lane.toml"),
        "[start]\nbranch = \"{name}_HEAD\"\n",
    );
    sandbox.refuses(&["start", "ORIG"], "means something else to git");
}

/// The Big List of Naughty Strings: each one that is a valid branch goes round start, list and
/// finish; each other one is refused with git's own verdict.
#[test]
fn row_09_a_public_list_of_naughty_strings() {
    let list = std::fs::read(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/nasty/naughty-strings.json"),
    )
    .unwrap();
    let list: Vec<String> = serde_json::from_slice(&list).unwrap();
    assert_eq!(list.len(), 515);
    let sandbox = Sandbox::new();
    for program in ["touch", "id", "ls"] {
        sandbox.trap(program);
    }
    let mut started = Vec::new();
    for name in list.iter().filter(|name| !name.contains('\0')) {
        let verdict = sandbox
            .run(
                sandbox
                    .command("git")
                    .args(["check-ref-format", "--branch", name]),
            )
            .code
            == 0;
        // `1/2` and `1` exclude each other: row 11.
        let beside = |other: &&String| {
            name.starts_with(&format!("{other}/")) || other.starts_with(&format!("{name}/"))
        };
        if verdict && !started.contains(&name) && !started.iter().any(beside) {
            started.push(name);
        } else if !verdict {
            let run = sandbox.lane(["start", "--dry-run", "--", name]);
            assert_eq!(run.code, 1, "{run}");
            assert_calm(&run);
        }
    }
    assert!(started.len() > 140, "{}", started.len());
    let fits = |name: &&&String| name.len() <= 250;
    let started: Vec<&str> = started
        .iter()
        .filter(fits)
        .map(|name| name.as_str())
        .collect();
    let run = sandbox.lane([&["start", "--"], &started[..]].concat());
    assert_calm(&run);
    run.ok();
    let listed = sandbox.lane(["--json", "list"]).json();
    let lanes = listed["lanes"].as_array().unwrap();
    let field = |key: &str| {
        let named = lanes.iter().filter(|lane| !lane["lane"].is_null());
        let mut found: Vec<&str> = named.map(|lane| lane[key].as_str().unwrap()).collect();
        found.sort_unstable();
        found.dedup();
        found
    };
    let mut expected = started.clone();
    expected.sort_unstable();
    assert_eq!(field("lane"), expected);
    assert_eq!(field("path").len(), started.len(), "a directory each");
    assert_calm(&sandbox.lane(["list"]));
    let worktrees = sandbox.git(["worktree", "list", "--porcelain"]);
    let checked_out: Vec<&str> = worktrees
        .lines()
        .filter_map(|line| line.strip_prefix("branch refs/heads/"))
        .collect();
    assert!(
        started.iter().all(|name| checked_out.contains(name)),
        "{worktrees}"
    );
    let (finished, dropped) = started.split_at(20);
    for name in finished {
        sandbox.git_in(
            &sandbox.place_of(name),
            ["commit", "-q", "--allow-empty", "-m", name],
        );
        sandbox.lane(["finish", "--", name]).ok();
    }
    sandbox.lane([&["drop", "--"], dropped].concat()).ok();
    assert_eq!(sandbox.git(["branch", "--format=%(refname:short)"]), "main");
    sandbox.nothing_left_behind(started.len());
    sandbox.nothing_was_started();
}
