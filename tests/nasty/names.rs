//! Rows 1 to 15: names.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::{SHELL, assert_calm, executable};
use crate::sandbox::{Sandbox, git_program, write};

/// Every way to hand a name to git-lane.
const VERBS: [&[&str]; 7] =
    [&["start"], &["show"], &["path"], &["drop", "--yes"], &["finish"], &["restore"], &["start", "fine", "--branch"]];

/// `-x`, `--force`, `--upload-pack=touch pwned`, also after `--`: refused, and never an option of git's.
#[test]
fn row_01_names_that_look_like_options() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "first"]).ok();
    let log = sandbox.root().join("home/arguments");
    let spy =
        format!("#!/bin/sh\nprintf '%s\\n' \"$@\" >>'{}'\nexec '{}' \"$@\"\n", log.display(), git_program().display());
    executable(&sandbox.root().join("bin/git"), &spy);
    for name in ["-x", "--force", "--upload-pack=touch pwned", "--output=pwned", "-"] {
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
        sandbox.refuses(&["start", "fine", &format!("--base={name}")], "names no commit");
        let seen = std::fs::read_to_string(&log).unwrap_or_default();
        assert!(!seen.lines().any(|argument| argument == name), "{name}: {seen}");
    }
    sandbox.nothing_was_started();
}

/// Shell syntax that is a valid branch: the lane works literally through start, hooks, list, finish, prune; nothing is
/// started, not even by a shell that is given a hint to run.
#[test]
fn row_02_names_that_are_shell_programs() {
    let sandbox = Sandbox::new();
    for program in ["touch", "id"] {
        sandbox.trap(program);
    }
    sandbox.lane(["init"]).ok();
    let pasted = |line: &str| {
        let command = line[line.rfind("git lane ").unwrap_or_else(|| panic!("{line}"))..].to_owned();
        let run = sandbox.run(sandbox.command("sh").args(["-c", &command]));
        sandbox.nothing_was_started();
        run
    };
    for name in SHELL {
        sandbox.lane(["start", "--task", name, "--owner", name, "--", name]).ok();
        let path = sandbox.place_of(name);
        assert_eq!(sandbox.git_in(&path, ["symbolic-ref", "--short", "HEAD"]), name);
        write(&path.join("file"), name);
        sandbox.git_in(&path, ["add", "file"]);
        sandbox.git_in(&path, ["commit", "-q", "-m", name]);
        let taken_back =
            sandbox.run(sandbox.command("git").current_dir(&path).args(["switch", "-q", "-c", "elsewhere"]));
        assert!(taken_back.code == 1 && taken_back.stderr.contains(name), "{taken_back}");
        sandbox.git(["branch", "-q", "-D", "elsewhere"]);
        assert!(sandbox.lane(["list"]).ok().contains(name));
        assert_eq!(sandbox.lane(["--json", "show", "--", name]).json()["name"], name);
        let refused = sandbox.lane(["drop", "--", name]).fails(1);
        pasted(refused.lines().last().unwrap()).ok();
        assert!(!path.exists(), "{name}: the hint, run by a shell, means this very lane");
        let gone = sandbox.lane(["show", "--", name]).fails(1);
        pasted(gone.lines().last().unwrap()).ok();
        assert!(path.exists());
        let finished = sandbox.lane(["finish", "--", name]).ok();
        assert_eq!(sandbox.git(["log", "-1", "--format=%s"]), format!("Merge lane '{name}' into main"));
        pasted(finished.lines().find(|line| line.contains("git lane restore")).unwrap()).ok();
        let pruned = sandbox.lane(["--json", "prune", "--older-than", "0s"]).json();
        assert_eq!(pruned["pruned"][0]["name"], name, "{pruned}");
        sandbox.nothing_was_started();
    }
    sandbox.plain_git_works();
}

/// A repository made to be attacked with: the branch is `$(./pw3n)`, the program is tracked. As row 2.
#[test]
fn row_03_a_cloned_branch_that_is_a_program_of_the_repository() {
    let sandbox = Sandbox::new();
    executable(&sandbox.repo.join("pw3n"), "#!/bin/sh\n: >pwned; : >\"$HOME/pwned\"\n");
    sandbox.commit("a trap");
    sandbox.git(["branch", "$(./pw3n)"]);
    let clone = sandbox.root().join("clone");
    sandbox.git(["clone", "-q", ".", clone.to_str().unwrap()]);
    sandbox.git_in(&clone, ["branch", "-q", "$(./pw3n)", "origin/$(./pw3n)"]);
    sandbox.lane_in(&clone, ["init"]).ok();
    for (name, extra) in [("$(./pw3n)", &[][..]), ("$(./pw3n)2", &["--base", "origin/$(./pw3n)"])] {
        sandbox.lane_in(&clone, [&["start"], extra, &["--", name]].concat()).ok();
        let path = sandbox.lane_in(&clone, ["path", "--", name]).ok();
        let path = Path::new(path.trim_end());
        sandbox.git_in(path, ["commit", "-q", "--allow-empty", "-m", "x"]);
        let switch = sandbox.run(sandbox.command("git").current_dir(path).args(["switch", "-q", "-c", "elsewhere"]));
        assert!(switch.code == 1 && switch.stderr.contains(name), "{switch}");
        sandbox.git_in(&clone, ["branch", "-q", "-D", "elsewhere"]);
        sandbox.lane_in(&clone, ["list"]).ok();
        sandbox.lane_in(&clone, ["finish", "--into", "main", "--", name]).ok();
        sandbox.lane_in(&clone, ["restore", "--", name]).ok();
        assert!(sandbox.lane_in(&clone, ["prune", "--older-than", "0s"]).ok().contains(name));
        for place in [path, &clone, &sandbox.root().join("home")] {
            assert!(!place.join("pwned").exists());
        }
    }
    sandbox.nothing_was_started();
}

/// Line feeds, carriage returns, tabs, escape sequences; NUL where a file can say it: refused, shown escaped.
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
    write(&sandbox.root().join("home/.config/git-lane/lane.toml"), policy);
    sandbox.refuses(&["start", "login"], r"\u{1b}");
}

/// Bidi, zero-width and foreign letters are accepted; every output escapes what reorders or hides, JSON as `\u`.
#[test]
fn row_05_letters_that_deceive() {
    let sandbox = Sandbox::new();
    for name in ["\u{202e}gnp.exe", "log\u{200b}in", "\u{430}dmin", "\u{2066}x\u{2069}", "\u{feff}x", "\u{e0041}x"] {
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
            assert!(name.contains('\u{430}') || !run.stdout.contains(name), "{run}");
        }
        let json = &runs[11].stdout;
        assert!(json.contains(r"\u") || name.contains('\u{430}'), "{json}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(json).unwrap()["trash"][0]["name"], name, "{base}");
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
        sandbox.git(["config".as_ref(), format!("lane.{name}.branch").as_ref(), branch]);
        sandbox.work(name, name, name);
    }
    sandbox.lane(["init"]).ok();
    sandbox.git_in(&sandbox.lane_path("one"), ["commit", "-q", "--allow-empty", "-m", "the guard knows its branch"]);
    let listed = sandbox.lane(["--json", "list"]).json();
    assert!(listed.to_string().contains("[120,255]") && !listed.to_string().contains('\u{fffd}'), "{listed}");
    sandbox.lane(["finish", "one"]).ok();
    sandbox.lane(["show", "one"]).fails(1);
    assert!(sandbox.lane_path("two").join("two").exists());
    sandbox.lane(["restore", "one"]).ok();
    let pruned = sandbox.lane(["--json", "prune", "--older-than", "0s"]).json();
    assert_eq!(pruned["pruned"][0]["name"], "one", "{pruned}");
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
        sandbox.refuses(&["start", "fine", &format!("--branch={name}")], "cannot be a branch");
    }
    for name in ["a.b", "a@b", "a{b", "x.locks", "a-", "_", "@x", "x@", "a/b/c", "é", "a]b"] {
        sandbox.git(["check-ref-format", "--branch", name]);
        sandbox.lane(["start", "--dry-run", "--", name]).ok();
    }
}

/// Names git reads as something else: refused although git accepts several; no orphan branch.
#[test]
fn row_08_names_that_mean_something_else() {
    let sandbox = Sandbox::new();
    let (sha1, sha256) = ("0123456789abcdef".repeat(3)[..40].to_owned(), "0123456789ABCDEF".repeat(4));
    let head = sandbox.git(["rev-parse", "HEAD"]);
    for name in ["@", "HEAD", "FETCH_HEAD", "ORIG_HEAD", "MERGE_HEAD", "refs/heads/x", "refs/x", &sha1, &sha256, &head]
    {
        sandbox.refuses(&["start", "--", name], "means something else to git");
        sandbox.refuses(&["start", "fine", "--branch", name], "means something else to git");
        assert_eq!(sandbox.git(["branch", "--format=%(refname:short)"]), "main");
    }
    // A template must not make one either.
    write(&sandbox.repo.join("lane.toml"), "[start]\nbranch = \"{name}_HEAD\"\n");
    sandbox.refuses(&["start", "ORIG"], "means something else to git");
}

/// The Big List of Naughty Strings: each one that is a valid branch goes round start, list and finish; each other one
/// is refused with git's own verdict.
#[test]
fn row_09_a_public_list_of_naughty_strings() {
    let list = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/nasty/naughty-strings.json")).unwrap();
    let list: Vec<String> = serde_json::from_slice(&list).unwrap();
    assert_eq!(list.len(), 515);
    let sandbox = Sandbox::new();
    for program in ["touch", "id", "ls"] {
        sandbox.trap(program);
    }
    let mut started = Vec::new();
    for name in list.iter().filter(|name| !name.contains('\0')) {
        let verdict = sandbox.run(sandbox.command("git").args(["check-ref-format", "--branch", name])).code == 0;
        // `1/2` and `1` exclude each other: row 11.
        let beside = |other: &&String| name.starts_with(&format!("{other}/")) || other.starts_with(&format!("{name}/"));
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
    let started: Vec<&str> = started.iter().filter(fits).map(|name| name.as_str()).collect();
    let run = sandbox.lane([&["start", "--"], &started[..]].concat());
    assert_calm(&run);
    run.ok();
    let listed = sandbox.lane(["--json", "list"]).json();
    let lanes = listed["lanes"].as_array().unwrap();
    let field = |key: &str| {
        let named = lanes.iter().filter(|lane| !lane["name"].is_null());
        let mut found: Vec<&str> = named.map(|lane| lane[key].as_str().unwrap()).collect();
        found.sort_unstable();
        found.dedup();
        found
    };
    let mut expected = started.clone();
    expected.sort_unstable();
    assert_eq!(field("name"), expected);
    assert_eq!(field("path").len(), started.len(), "a directory each");
    assert_calm(&sandbox.lane(["list"]));
    let worktrees = sandbox.git(["worktree", "list", "--porcelain"]);
    let checked_out: Vec<&str> = worktrees.lines().filter_map(|line| line.strip_prefix("branch refs/heads/")).collect();
    assert!(started.iter().all(|name| checked_out.contains(name)), "{worktrees}");
    let (finished, dropped) = started.split_at(20);
    for name in finished {
        sandbox.git_in(&sandbox.place_of(name), ["commit", "-q", "--allow-empty", "-m", name]);
        sandbox.lane(["finish", "--", name]).ok();
    }
    sandbox.lane([&["drop", "--"], dropped].concat()).ok();
    assert_eq!(sandbox.git(["branch", "--format=%(refname:short)"]), "main");
    sandbox.nothing_left_behind(started.len());
    sandbox.nothing_was_started();
}

/// Thousands of names as people, trackers and bots make them: git takes all of them as branches, and so do we as lanes.
#[test]
fn row_09_thousands_of_names_like_real_ones() {
    let makers: [fn(usize) -> String; 16] = [
        |n| format!("feature/JIRA-{n}_Add-(optional)-login"),
        |n| format!("dependabot/npm_and_yarn/@babel/core-7.{n}.0"),
        |n| format!("renovate/docker.io-library-postgres-{n}.x"),
        |n| format!("revert-{n}-revert-{n}-fix/äöü"),
        |n| format!("gh-readonly-queue/main/pr-{n}-0123456789abcdef0123456789abcdef01234567"),
        |n| format!("release/v{n}.x.y+build"),
        |n| format!("user@example.com/issue#{n}"),
        |n| format!("snyk-upgrade-{n:032x}"),
        |n| format!("claude/fix-the-{n}th-bug-011CUa"),
        |n| format!("hotfix!{n}"),
        |n| format!("wip/{n}%done"),
        |n| format!("{n}"),
        |n| format!("bug{n}=closed;really"),
        |n| format!("l10n_ja-JP,zh-TW_{n}"),
        |n| format!("機能/ログイン{n}"),
        |n| format!("a{n}/b&c/d|e/$f/'g'"),
    ];
    let names: Vec<String> = (1..=200).flat_map(|n| makers.iter().map(move |make| make(n))).collect();
    assert!(names.len() > 3000);
    let sandbox = Sandbox::new();
    let head = sandbox.git(["rev-parse", "HEAD"]);
    let orders: String = names.iter().map(|name| format!("create refs/heads/{name}\0{head}\0")).collect();
    write(&sandbox.root().join("orders"), orders);
    sandbox.run(sandbox.command("sh").args(["-c", "git update-ref -z --stdin <../orders"])).ok();
    let mut directories = std::collections::BTreeMap::<String, usize>::new();
    for name in &names {
        let lane = git_lane::domain::name::LaneName::parse(name).unwrap_or_else(|why| panic!("{name}: {why:?}"));
        *directories.entry(lane.directory_name()).or_default() += 1;
        let branch = git_lane::domain::name::BranchName::parse(name.as_str().into()).unwrap();
        assert_eq!(branch.to_string(), *name);
    }
    assert!(directories.len() > 3000, "names that differ lead to {} directories", directories.len());
    let some: Vec<&str> = names.iter().step_by(101).map(String::as_str).collect();
    sandbox.lane([&["start", "--"], &some[..]].concat()).ok();
    let listed = sandbox.lane(["--json", "list"]).json();
    let found = |name: &str| listed["lanes"].as_array().unwrap().iter().any(|lane| lane["name"] == name);
    for name in &some {
        assert!(found(name), "{name}");
        assert_eq!(sandbox.git_in(&sandbox.place_of(name), ["symbolic-ref", "--short", "HEAD"]), *name);
    }
    sandbox.git_in(&sandbox.place_of(some[0]), ["commit", "-q", "--allow-empty", "-m", "x"]);
    sandbox.lane(["finish", "--", some[0]]).ok();
    sandbox.lane([&["drop", "--"], &some[1..]].concat()).ok();
    sandbox.nothing_left_behind(some.len());
}

/// Names that lead to one directory, or to none: two lanes, two directories, both findable; nothing reused.
#[test]
fn row_10_names_that_collide_after_sanitising() {
    let sandbox = Sandbox::new();
    let names = ["a/b-c", "a-b-c", "a/b/c", "a,b,c", "🦀", "🐙", "((", "))", "lane", "-2/x".trim_start_matches('-')];
    sandbox.lane([&["start", "--"], &names[..]].concat()).ok();
    let mut places: Vec<_> = names.iter().map(|name| sandbox.place_of(name)).collect();
    for (name, place) in names.iter().zip(&places) {
        assert_eq!(sandbox.git_in(place, ["symbolic-ref", "--short", "HEAD"]), *name);
        let from_inside = sandbox.lane_in(place, ["--json", "show", name]).json();
        assert_eq!(from_inside["path"], place.to_str().unwrap());
    }
    places.sort();
    places.dedup();
    assert_eq!(places.len(), names.len());
    // Somebody else's directory is not taken.
    write(&sandbox.lane_path("x-y").join("precious"), "x");
    let before = std::fs::read(sandbox.lane_path("x-y").join("precious")).unwrap();
    sandbox.refuses(&["start", "x/y"], "already exists");
    assert_eq!(std::fs::read(sandbox.lane_path("x-y").join("precious")).unwrap(), before);
}

/// A branch beside one it cannot exist with: refused with the other's name.
#[test]
fn row_11_branches_that_exclude_each_other() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "a/b"]).ok();
    sandbox.git(["branch", "packed/one"]);
    sandbox.git(["pack-refs", "--all"]);
    for (name, other) in [("main/sub", "'main'"), ("a", "'a/b'"), ("a/b/c", "'a/b'"), ("packed", "'packed/one'")] {
        sandbox.refuses(&["start", name], other);
    }
}

/// `lane/A` and `lane/a`: both; where file names ignore case the second is refused.
#[test]
fn row_12_names_that_differ_in_case() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "lane/A", "lane/a"]).ok();
    assert_ne!(sandbox.place_of("lane/A"), sandbox.place_of("lane/a"));
    let sandbox = Sandbox::new();
    sandbox.git(["config", "core.ignorecase", "true"]);
    sandbox.lane(["start", "lane/A"]).ok();
    sandbox.refuses(&["start", "lane/a"], "'lane/A'");
}

/// One word in two Unicode forms: two lanes, and the record of one never answers for the other.
#[test]
fn row_13_names_that_only_look_the_same() {
    let sandbox = Sandbox::new();
    let (composed, decomposed) = ("caf\u{e9}", "cafe\u{301}");
    sandbox.lane(["start", "--task", "composed", composed]).ok();
    let run = sandbox.lane(["show", decomposed]);
    assert!(run.stderr.contains("there is no lane"), "{run}");
    let _ = run.fails(1);
    sandbox.lane(["start", "--task", "decomposed", decomposed]).ok();
    assert_ne!(sandbox.place_of(composed), sandbox.place_of(decomposed));
    assert_eq!(sandbox.lane(["--json", "show", composed]).json()["task"], "composed");
    sandbox.lane(["drop", composed]).ok();
    assert_eq!(sandbox.lane(["--json", "show", decomposed]).json()["task"], "decomposed");
}

/// 250 bytes work; more, or more than a path can hold, is refused before anything is created.
#[test]
fn row_14_names_that_are_too_long() {
    let sandbox = Sandbox::new();
    let long = "n".repeat(250);
    sandbox.lane(["start", &long]).ok();
    assert_eq!(sandbox.git_in(&sandbox.place_of(&long), ["symbolic-ref", "--short", "HEAD"]), long);
    sandbox.lane(["drop", &long]).ok();
    sandbox.lane(["restore", &long]).ok();
    for name in ["n".repeat(251), "n".repeat(300), vec!["n".repeat(200); 20].join("/"), "é".repeat(126)] {
        sandbox.refuses(&["start", &name], "are the most a directory can carry");
    }
    let before = sandbox.fingerprint();
    let part = "p".repeat(200);
    let deep = vec![part.as_str(); 21].join("/");
    for (args, words) in
        [(vec!["start", "x", "--path", &deep], "the path is too long"), (vec!["start", "x", "--branch", &deep], "long")]
    {
        let run = sandbox.lane(&args);
        assert!(run.code != 0 && run.stderr.contains(words), "{run}");
        assert_eq!(sandbox.fingerprint(), before);
    }
    let wide = "b".repeat(253);
    let run = sandbox.lane(["start", "x", "--branch", &wide]);
    assert!(run.code != 0 && run.stderr.contains("long"), "{run}");
    assert_eq!(sandbox.fingerprint(), before);
    write(&sandbox.repo.join("lane.toml"), "[start]\nbranch = \"prefix-{name}\"\n");
    let before = sandbox.fingerprint();
    let run = sandbox.lane(["start", &"m".repeat(249)]);
    assert!(run.code != 0 && run.stderr.contains("long"), "{run}");
    assert_eq!(sandbox.fingerprint(), before);
}

/// Names other systems reserve: allowed here.
#[test]
fn row_15_names_other_systems_reserve() {
    let sandbox = Sandbox::new();
    let names = ["con", "aux.txt", "nul", "COM1", "prn/x", "lpt1.log"];
    sandbox.lane([&["start"], &names[..]].concat()).ok();
    for name in names {
        sandbox.lane(["finish", name]).ok();
    }
    // A dot at the end is no branch, a blank no name.
    sandbox.refuses(&["start", "x."], "not a name git accepts");
    sandbox.refuses(&["start", "x "], "not a name git accepts");
}
