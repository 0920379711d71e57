//! `git lane init`: installing, upgrading, checking and removing hooks beside everybody else's.

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::sandbox::{Run, Sandbox, git_version, write};

const RESTORE: [&str; 4] = ["post-checkout", "pre-commit", "pre-merge-commit", "pre-rebase"];

fn configured() -> bool {
    git_version() >= (2, 54)
}

fn hooks(sandbox: &Sandbox) -> PathBuf {
    sandbox.repo.join(".git/hooks")
}

fn hook(path: &Path, text: impl AsRef<[u8]>, mode: u32) {
    write(path, text);
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Name, kind, content and mode of every hook that is no sample.
fn listing(directory: &Path) -> Vec<(String, u32, Vec<u8>)> {
    let mut found: Vec<_> = std::fs::read_dir(directory)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| !entry.file_name().to_string_lossy().ends_with(".sample"))
        .map(|entry| {
            let metadata = std::fs::symlink_metadata(entry.path()).unwrap();
            let content = match metadata.is_symlink() {
                true => std::fs::read_link(entry.path()).unwrap().into_os_string().into_encoded_bytes(),
                false => std::fs::read(entry.path()).unwrap_or_default(),
            };
            (entry.file_name().to_string_lossy().into_owned(), metadata.mode(), content)
        })
        .collect();
    found.sort();
    found
}

/// The rule holds: a lane cannot be switched away.
#[track_caller]
fn assert_in_force(sandbox: &Sandbox, lane: &str) {
    let path = sandbox.lane_path(lane);
    let run = sandbox.run(sandbox.command("git").current_dir(&path).args(["switch", "-c", "elsewhere"]));
    assert!(run.stderr.contains(&format!("this is lane '{lane}'")), "{run}");
    let _ = run.fails(1);
    assert_eq!(sandbox.git_in(&path, ["symbolic-ref", "--short", "HEAD"]), lane);
    sandbox.git(["branch", "-q", "-D", "elsewhere"]);
}

fn init(sandbox: &Sandbox, args: &[&str]) -> Run {
    sandbox.lane([&["init"], args].concat())
}

#[test]
fn init_puts_the_rule_in_force_and_uninstall_leaves_nothing() {
    for files in [&[][..], &["--files"]] {
        let sandbox = Sandbox::new();
        let config = || std::fs::read_to_string(sandbox.repo.join(".git/config")).unwrap();
        let (before, hooks_before) = (config(), listing(&hooks(&sandbox)));
        let state = init(&sandbox, &[files, &["--json"]].concat()).json();
        assert_eq!((&state["inForce"], &state["level"]), (&true.into(), &"restore".into()), "{state}");
        let (first, first_hooks) = (config(), listing(&hooks(&sandbox)));
        init(&sandbox, files).ok();
        assert_eq!((config(), listing(&hooks(&sandbox))), (first, first_hooks), "installing twice changes nothing");
        init(&sandbox, &["--check"]).ok();
        sandbox.lane(["start", "one"]).ok();
        assert_in_force(&sandbox, "one");
        init(&sandbox, &["--uninstall"]).ok();
        assert_eq!(listing(&hooks(&sandbox)), hooks_before);
        let run = init(&sandbox, &["--check", "--json"]);
        let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(report["error"]["code"], "not-in-force");
        let _ = run.fails(1);
        sandbox.git_in(&sandbox.lane_path("one"), ["switch", "-q", "-c", "elsewhere"]);
        sandbox.git(["worktree", "remove", "../shop.lanes/one"]);
        sandbox.git(["config", "--remove-section", "lane.one"]);
        assert_eq!(config().trim_end(), before.trim_end());
    }
}

#[test]
fn the_level_decides_which_hooks_there_are() {
    let sandbox = Sandbox::new();
    if git_version() < (2, 46) {
        let error = init(&sandbox, &["--level", "refuse"]).fails(1);
        assert!(error.contains("needs git 2.46") && error.contains("hint: "), "{error}");
        assert!(listing(&hooks(&sandbox)).is_empty());
        return;
    }
    let state = init(&sandbox, &["--level", "refuse", "--files", "--json"]).json();
    assert_eq!(state["hooks"].as_array().unwrap().len(), 5);
    assert!(hooks(&sandbox).join("reference-transaction").exists());
    let state = init(&sandbox, &["--files", "--json"]).json();
    assert_eq!(state["level"], "refuse", "the level stays until somebody says otherwise");
    init(&sandbox, &["--level", "warn", "--files"]).ok();
    assert!(!hooks(&sandbox).join("reference-transaction").exists());
    if configured() {
        sandbox.run(sandbox.command("git").args(["hook", "list", "reference-transaction"])).fails(1);
    }
}

/// Everything a hook can see, and its say, with and without git-lane beside it.
#[test]
fn a_hook_that_was_there_keeps_its_arguments_input_exit_code_bytes_and_mode() {
    let log = "#!/bin/sh\n{ echo \"$(basename \"$PWD\") $*\"; case $0 in *reference*|*pre-push*) cat;; esac; } >>\"$LOG\"\nexit ${CODE:-0}\n";
    let level = if git_version() >= (2, 46) { "refuse" } else { "restore" };
    let script = "git switch -q -c a && git commit -q --allow-empty -m x && git switch -q main && git merge -q --no-ff \
        --no-edit a && git rebase -q --root; CODE=3 git commit -q --allow-empty -m x; echo $?; CODE=4 git switch -q a; \
        echo $?; git tag t; git update-ref -d refs/tags/t";
    let mut outcomes = Vec::new();
    for with in [false, true] {
        let sandbox = Sandbox::new();
        for name in RESTORE.into_iter().chain(["reference-transaction"]) {
            hook(&hooks(&sandbox).join(name), log, 0o750);
        }
        let before = listing(&hooks(&sandbox));
        if with {
            init(&sandbox, &["--files", "--level", level]).ok();
        }
        let file = sandbox.root().join("log");
        let run = sandbox.run(sandbox.command("sh").env("LOG", &file).args(["-c", script]));
        let text = std::fs::read_to_string(&file).unwrap();
        outcomes.push((run.stdout, text, sandbox.git(["log", "--format=%H", "-3", "main"])));
        if with {
            init(&sandbox, &["--uninstall"]).ok();
        }
        assert_eq!(listing(&hooks(&sandbox)), before);
    }
    assert!(outcomes[0].1.lines().count() > 10);
    assert_eq!(outcomes[0], outcomes[1]);
}

#[test]
fn hooks_of_every_kind_are_kept_and_come_back() {
    let lfs = "#!/bin/sh\ncommand -v git-lfs >/dev/null 2>&1 || { echo >&2 'no lfs'; exit 0; }\ngit lfs post-checkout \"$@\"\n";
    let precommit = "#!/usr/bin/env bash\n# File generated by pre-commit: https://pre-commit.com\n# ID: 138fd403232d2ddd5efb44317e38bf03\nexit 0\n";
    let lefthook = "#!/bin/sh\nif [ \"$LEFTHOOK\" = \"0\" ]; then\n  exit 0\nfi\ncall_lefthook() { :; }\ncall_lefthook run \"pre-commit\" \"$@\"\n";
    let kinds: [(&str, &str, Vec<u8>, u32); 7] = [
        ("post-checkout", "git-lfs", lfs.into(), 0o755),
        ("pre-commit", "pre-commit", precommit.into(), 0o755),
        ("pre-commit", "lefthook", lefthook.into(), 0o711),
        ("pre-rebase", "not executable", b"#!/bin/sh\nexit 1\n".to_vec(), 0o644),
        ("pre-commit", "CRLF", b"#!/bin/sh\r\nexit 0\r\n".to_vec(), 0o644),
        ("post-checkout", "no shebang", b"exit 0\n".to_vec(), 0o755),
        ("pre-commit", "binary", std::fs::read("/bin/true").unwrap(), 0o755),
    ];
    for (name, kind, content, mode) in kinds {
        let sandbox = Sandbox::new();
        hook(&hooks(&sandbox).join(name), &content, mode);
        let before = listing(&hooks(&sandbox));
        init(&sandbox, &["--files"]).ok();
        init(&sandbox, &["--files"]).ok();
        sandbox.lane(["start", "one"]).ok();
        assert_in_force(&sandbox, "one");
        sandbox.work("one", "x", "x");
        sandbox.git_in(&sandbox.lane_path("one"), ["rebase", "-q", "--root"]);
        init(&sandbox, &["--uninstall"]).ok();
        assert_eq!(listing(&hooks(&sandbox)), before, "{kind}");
    }
}

#[test]
fn a_symlinked_hook_stays_a_link() {
    let sandbox = Sandbox::new();
    hook(&sandbox.repo.join("tools/hook"), "#!/bin/sh\necho ran >>\"$HOME/ran\"\n", 0o755);
    std::fs::create_dir_all(hooks(&sandbox)).unwrap();
    symlink("../../tools/hook", hooks(&sandbox).join("pre-commit")).unwrap();
    let before = listing(&hooks(&sandbox));
    init(&sandbox, &["--files"]).ok();
    sandbox.git(["commit", "-q", "--allow-empty", "-m", "x"]);
    assert!(sandbox.root().join("home/ran").exists());
    assert_eq!(std::fs::read_to_string(sandbox.repo.join("tools/hook")).unwrap().lines().count(), 2);
    init(&sandbox, &["--uninstall"]).ok();
    assert_eq!(listing(&hooks(&sandbox)), before);
}

/// husky 4 and yorkie look for their own name and for a file beside them, busybox-like programs for the name they are
/// called by, many a hook for the repository two levels up, pre-commit for `pre-commit.legacy`.
#[test]
fn a_kept_hook_finds_its_name_its_neighbours_and_the_repository() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "one"]).ok();
    let directory = hooks(&sandbox);
    let husky = "#!/bin/sh\n. \"$(dirname \"$0\")/husky.sh\"\n";
    let helper = "echo \"husky: $(basename \"$0\") in $(cd \"$(dirname \"$0\")/../..\" && pwd)\" >>\"$HOME/ran\"\n";
    let multi = "#!/bin/sh\ncase ${0##*/} in pre-rebase) echo multi >>\"$HOME/ran\";; *) exit 9;; esac\n";
    let legacy = "#!/usr/bin/env bash\nexec \"$(cd \"$(dirname \"$0\")\" && pwd)/pre-commit.legacy\"\n";
    hook(&directory.join("husky.sh"), helper, 0o644);
    hook(&directory.join("post-checkout"), husky, 0o755);
    hook(&directory.join("multi"), multi, 0o755);
    symlink("multi", directory.join("pre-rebase")).unwrap();
    hook(&directory.join("pre-commit.legacy"), "#!/bin/sh\necho legacy >>\"$HOME/ran\"\n", 0o755);
    hook(&directory.join("pre-commit"), legacy, 0o755);
    let before = listing(&directory);
    let ran = || {
        for place in [&sandbox.repo, &sandbox.lane_path("one")] {
            sandbox.git_in(place, ["checkout", "-q", "HEAD"]);
            sandbox.git_in(place, ["commit", "-q", "--allow-empty", "-m", "x"]);
            sandbox.git_in(place, ["rebase", "-q", "--force-rebase", "--root"]);
        }
        let file = sandbox.root().join("home/ran");
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::remove_file(file).unwrap();
        text
    };
    let alone = ran();
    assert!(alone.contains("multi\n") && alone.contains("legacy\n"), "{alone}");
    assert!(alone.contains(&format!("husky: post-checkout in {}\n", sandbox.repo.display())), "{alone}");
    for _ in 0..2 {
        init(&sandbox, &["--files"]).ok();
        assert_eq!(ran(), alone);
    }
    std::fs::remove_file(directory.join("husky.sh")).unwrap();
    hook(&directory.join("later.sh"), "", 0o644);
    init(&sandbox, &["--files"]).ok();
    let beside = sandbox.repo.join(".git/hooks.pre-git-lane");
    assert!(beside.join("later.sh").exists() && std::fs::symlink_metadata(beside.join("husky.sh")).is_err());
    std::fs::remove_file(directory.join("later.sh")).unwrap();
    hook(&directory.join("husky.sh"), helper, 0o644);
    init(&sandbox, &["--uninstall"]).ok();
    assert_eq!(listing(&directory), before);
    assert!(!beside.exists());
}

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
        let run = sandbox.run(sandbox.command("git").current_dir(sandbox.lane_path("one")).arg("rebase").args(args));
        (run.code, std::fs::read_to_string(sandbox.root().join("home/ran")).unwrap_or_default(), run)
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
    text.push_str("## START BRANCHLESS CONFIG\necho ran >>\"$HOME/ran\"\n## END BRANCHLESS CONFIG\n");
    hook(&file, &text, 0o755);
    sandbox.git(["commit", "-q", "--allow-empty", "-m", "x"]);
    assert!(sandbox.root().join("home/ran").exists());
    init(&sandbox, &["--files"]).ok();
    let shared = std::fs::read_to_string(&file).unwrap();
    assert_eq!((shared.matches("# >>> git-lane ").count(), shared.matches("echo ran").count()), (1, 1), "{shared}");
    init(&sandbox, &["--files"]).ok();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), shared);
    std::fs::remove_file(sandbox.root().join("home/ran")).unwrap();
    sandbox.git(["commit", "-q", "--allow-empty", "-m", "x"]);
    assert!(sandbox.root().join("home/ran").exists());
    init(&sandbox, &["--uninstall"]).ok();
    let left = std::fs::read_to_string(&file).unwrap();
    assert!(left.starts_with("#!/bin/sh\n## START BRANCHLESS") && !left.contains("git-lane"), "{left}");
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
    assert!(error.contains("was replaced") && error.contains("hint: "), "{error}");
    assert_eq!(listing(&hooks(&sandbox)), before);
    let run = init(&sandbox, &["--uninstall"]);
    assert!(run.stderr.contains("another tool"), "{run}");
    run.ok();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "#!/bin/sh\nexit 1\n");
}

#[test]
fn somebody_elses_hooks_directory_is_never_written() {
    // husky, a tracked directory, a shared one, one per worktree; in the repository's and in the user's configuration.
    for (scope, value) in [
        ("--local", ".husky/_"),
        ("--local", ".githooks"),
        ("--global", "/etc/nowhere/hooks"),
        ("--local", ".git/hooks"),
    ] {
        let sandbox = Sandbox::new();
        sandbox.git(["config", scope, "core.hooksPath", value]);
        hook(&sandbox.repo.join(".husky/_/pre-commit"), "#!/bin/sh\nexit 0\n", 0o755);
        let before = sandbox.fingerprint();
        let run = init(&sandbox, &["--files"]);
        let error = run.fails(1);
        assert!(error.contains("git-lane hook pre-commit \"$@\"") && error.contains(value), "{error}");
        assert_eq!(sandbox.fingerprint(), before);
        if configured() {
            init(&sandbox, &[]).ok();
            sandbox.lane(["start", "one"]).ok();
            assert_in_force(&sandbox, "one");
        }
    }
}

/// What `husky` makes in a worktree: hook files that lead to the user's scripts, and a directory that is not tracked.
fn husky(root: &Path) {
    let directory = root.join(".husky/_");
    let runner = "s=$(dirname \"$(dirname \"$0\")\")/$(basename \"$0\")\n[ -f \"$s\" ] || exit 0\nsh -e \"$s\" \"$@\"\nexit $?\n";
    write(&directory.join("h"), format!("#!/usr/bin/env sh\n{runner}"));
    write(&directory.join(".gitignore"), "*");
    for name in RESTORE.into_iter().chain(["pre-push", "commit-msg"]) {
        hook(&directory.join(name), "#!/usr/bin/env sh\n. \"$(dirname \"$0\")/h\"", 0o755);
    }
}

/// Whoever does what the hints say, and only that, has the rule in force; whoever has no git-lane notices nothing.
#[test]
fn the_lines_to_add_by_hand_name_their_file_and_put_the_rule_in_force() {
    for (value, edited) in [(".husky/_", ".husky"), (".githooks", ".githooks"), ("/", "anybodys/hooks")] {
        let sandbox = Sandbox::new();
        sandbox.lane(["start", "one"]).ok();
        let lane = sandbox.lane_path("one");
        let value = if value == "/" { sandbox.root().join(edited).display().to_string() } else { value.into() };
        let edited = if value.starts_with('/') { value.clone() } else { edited.into() };
        sandbox.git(["config", "core.hooksPath", &value]);
        let of_husky = value == ".husky/_";
        if of_husky {
            husky(&sandbox.repo);
            sandbox.write(".husky/pre-commit", "echo \"test\" >>\"$HOME/ran\"\n");
            sandbox.commit("husky");
            std::fs::remove_file(sandbox.root().join("home/ran")).unwrap();
        }
        let told = init(&sandbox, &["--files"]).fails(1);
        let lines: Vec<_> =
            told.lines().filter_map(|line| line.strip_prefix("hint: add to ")?.split_once(": ")).collect();
        let files: Vec<_> = lines.iter().map(|(file, _)| file.to_string()).collect();
        assert_eq!(files, RESTORE.map(|name| format!("{edited}/{name}")), "{told}");
        for (file, line) in &lines {
            let path = sandbox.repo.join(file);
            let text = format!("{line}\n{}", std::fs::read_to_string(&path).unwrap_or_default());
            hook(&path, text, if of_husky { 0o644 } else { 0o755 });
        }
        if !value.starts_with('/') {
            assert!(told.contains("commit"), "{told}");
            sandbox.git(["add", &edited]);
            sandbox.git(["-c", "core.hooksPath=/dev/null", "commit", "-q", "-m", "hooks"]);
            let told = init(&sandbox, &["--files"]).fails(1);
            assert!(
                !told.contains("add to") && told.contains(lane.to_str().unwrap()) && told.contains("merge"),
                "{told}"
            );
            sandbox.git_in(&lane, ["merge", "-q", "main"]);
        }
        if of_husky {
            // git looks for husky's own files, which no merge brings.
            let told = init(&sandbox, &["--files"]).fails(1);
            assert!(told.contains(&format!("let husky run in {}", lane.display())), "{told}");
            assert!(!told.contains("add to"), "{told}");
            husky(&lane);
        }
        init(&sandbox, &["--files"]).ok();
        init(&sandbox, &["--check"]).ok();
        assert_in_force(&sandbox, "one");
        if git_version() >= (2, 46) && of_husky {
            let told = init(&sandbox, &["--files", "--level", "refuse"]).fails(1);
            assert!(told.contains("husky runs no reference-transaction"), "{told}");
        }
        assert!(!sandbox.root().join("home/ran").exists(), "asking runs nothing else");
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

/// The lines init tells to add, in a directory that is tracked or not.
fn by_hand(directory: &Path, first: &str) {
    for name in RESTORE {
        let line = format!("{first}command -v git-lane >/dev/null && {{ git-lane hook {name} \"$@\" || exit; }}\n");
        hook(&directory.join(name), format!("{line}echo \"after {name}\" >>\"$HOME/ran\"\n"), 0o755);
    }
}

fn why_not(sandbox: &Sandbox) -> String {
    let run = init(sandbox, &["--check", "--json"]);
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(report["error"]["details"]["inForce"], false, "{run}");
    let _ = run.fails(1);
    init(sandbox, &["--check"]).fails(1)
}

#[test]
fn a_line_added_by_hand_counts_and_lets_level_and_policy_be_set() {
    let sandbox = Sandbox::new();
    sandbox.git(["config", "core.hooksPath", ".husky"]);
    by_hand(&sandbox.repo.join(".husky"), "");
    init(&sandbox, &["--check"]).ok();
    by_hand(&sandbox.repo.join(".husky"), "#!/bin/sh\n\n# ours\n");
    init(&sandbox, &["--check"]).ok();
    assert!(!sandbox.root().join("home/ran").exists(), "asking runs nothing else");
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
        assert!(told.contains("add to .husky/pre-commit: ") && !told.contains("git lane init"), "{told}");
        let error = init(&sandbox, &["--level", "off"]).fails(1);
        assert!(error.contains("add to .husky/pre-commit: ") && !error.contains("pre-rebase"), "{error}");
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
    let commented: String =
        text.lines().map(|line| format!("{}{line}\n", if line.starts_with('#') { "" } else { "# " })).collect();
    for (broken, mode) in [
        (text.replacen("#!/bin/sh\n", "#!/bin/sh\nexit 0\n", 1), 0o755),
        (text.replacen("#!/bin/sh\n", "#!/bin/sh\necho x >>\"$HOME/ran\"\nexit 0\n", 1), 0o755),
        (format!("#!/bin/sh\n{commented}"), 0o755),
        (text.clone(), 0o644),
    ] {
        hook(&file, &broken, mode);
        assert!(why_not(&sandbox).contains("git runs no pre-commit"), "{broken}");
    }
    assert!(!sandbox.root().join("home/ran").exists());
    // init cannot know whether that is meant: it says where to look, and so does doctor.
    hook(&file, text.replacen("#!/bin/sh\n", "#!/bin/sh\nexit 0\n", 1), 0o755);
    for told in [
        init(&sandbox, &["--check"]).fails(1),
        init(&sandbox, &["--files"]).stderr,
        sandbox.lane(["doctor", "--fix"]).stdout,
    ] {
        assert!(configured() || told.contains("ends before it reaches git-lane"), "{told}");
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
    hook(&file, text.replacen("#!/bin/sh\n", "#!/bin/sh\necho x >>\"$HOME/ran\"\n", 1), 0o755);
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
    hook(&older, text.replacen(" 3 >>>", " 2 >>>", 1).replacen("if [ \"${3-}\"", first, 1), 0o755);
    init(&sandbox, &["--check"]).ok();
    assert!(!sandbox.root().join("home/ran").exists());
}

#[test]
fn a_configured_hook_that_somebody_switched_off_does_not_run_and_init_switches_it_on() {
    if !configured() {
        eprintln!("skipped: this git has no hooks in its configuration");
        return;
    }
    let sandbox = Sandbox::new();
    init(&sandbox, &[]).ok();
    sandbox.git(["config", "hook.git-lane-pre-commit.enabled", "false"]);
    let told = why_not(&sandbox);
    assert!(told.contains("git runs no pre-commit") && told.contains("git lane init"), "{told}");
    init(&sandbox, &[]).ok();
    init(&sandbox, &["--check"]).ok();
    sandbox.git(["config", "hook.git-lane-pre-commit.command", "true"]);
    assert!(why_not(&sandbox).contains("git runs no pre-commit"));
    init(&sandbox, &[]).ok();
    // By the user's own configuration: not ours to change.
    sandbox.git(["config", "--global", "hook.git-lane-pre-commit.enabled", "false"]);
    assert_eq!(init(&sandbox, &["--check"]).code, 1);
    let error = init(&sandbox, &[]).fails(1);
    assert!(error.contains("git config --show-origin --get-all hook.git-lane-pre-commit.enabled"), "{error}");
}

/// husky's directory is not tracked: a new worktree has none, and git runs nothing there.
#[test]
fn a_directory_below_each_worktree_is_looked_for_in_each() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "one"]).ok();
    sandbox.git(["config", "core.hooksPath", ".husky/_"]);
    by_hand(&sandbox.repo.join(".husky/_"), "");
    if configured() {
        init(&sandbox, &["--files"]).fails(1);
        return;
    }
    let told = why_not(&sandbox);
    assert!(told.contains(sandbox.lane_path("one").to_str().unwrap()), "{told}");
    init(&sandbox, &[]).fails(1);
    by_hand(&sandbox.lane_path("one").join(".husky/_"), "");
    init(&sandbox, &["--check"]).ok();
    init(&sandbox, &[]).ok();
}

#[test]
fn the_git_lane_on_path_has_to_run() {
    let sandbox = Sandbox::new();
    init(&sandbox, &["--files"]).ok();
    let tool = sandbox.root().join("bin/git-lane");
    for (text, mode) in [("", 0o644), ("#!/bin/sh\nexit 2\n", 0o755), ("#!/nowhere/at/all\n", 0o755)] {
        std::fs::remove_file(&tool).unwrap();
        hook(&tool, text, mode);
        // Started by its full name, as from a build directory.
        let mut check = sandbox.command(env!("CARGO_BIN_EXE_git-lane"));
        let path = std::env::join_paths([sandbox.root().join("bin"), "/usr/bin".into(), "/bin".into()]).unwrap();
        check.env("PATH", path).args(["init", "--check"]);
        let run = sandbox.run(&mut check);
        assert!(run.stderr.contains("no git-lane on PATH that runs"), "{run}");
        let _ = run.fails(1);
    }
}

/// The level is the repository's, whatever git its users have.
#[test]
fn hooks_for_another_git_on_the_machine_stay() {
    let sandbox = Sandbox::new();
    // What a newer git has installed, with a hook of an older version.
    sandbox.git(["config", "lane.guard", "refuse"]);
    let sections = RESTORE.into_iter().chain(["reference-transaction"]);
    for name in sections.clone() {
        sandbox.git(["config", &format!("hook.git-lane-{name}.command"), "git-lane hook older"]);
        sandbox.git(["config", &format!("hook.git-lane-{name}.event"), name]);
    }
    let run = init(&sandbox, &["--files"]);
    let old = git_version() < (2, 46);
    assert_eq!(run.stderr.contains("too old for level 'refuse'"), old, "{run}");
    run.ok();
    assert_eq!(sandbox.git(["config", "lane.guard"]), "refuse");
    for name in sections {
        let command = sandbox.git(["config", &format!("hook.git-lane-{name}.command")]);
        assert!(command.contains(&format!("git-lane hook {name} ")), "{command}");
    }
    assert_eq!(listing(&hooks(&sandbox)).len(), if old { 4 } else { 5 });
    init(&sandbox, &["--check"]).ok();
    sandbox.lane(["start", "one"]).ok();
    let lane = sandbox.lane_path("one");
    let switch = sandbox.run(sandbox.command("git").current_dir(&lane).args(["switch", "-c", "elsewhere"]));
    assert!(switch.code != 0 && sandbox.git_in(&lane, ["branch", "--show-current"]) == "one", "{switch}");
    init(&sandbox, &["--level", "restore"]).ok();
    assert_eq!(sandbox.git(["config", "--get-regexp", "^hook.*event"]).lines().count(), 4);
}

/// A pulled rule reaches the hooks with the next command that changes something, and is reported until then.
#[test]
fn the_hooks_follow_the_policy() {
    let sandbox = Sandbox::new();
    init(&sandbox, &[]).ok();
    sandbox.write("lane.toml", "[rule]\nprotected = [\"main\"]\n");
    let told = |sandbox: &Sandbox| {
        let checked = init(sandbox, &["--check"]).fails(1);
        assert!(checked.contains("rule.protected") && checked.contains("git lane init"), "{checked}");
        let checkup = sandbox.lane(["doctor"]);
        assert!(
            checkup.stdout.contains("fixable: the hooks do not know what the policy says of rule.protected"),
            "{checkup}"
        );
        let _ = checkup.fails(1);
    };
    let commit = || sandbox.run(sandbox.command("git").args(["commit", "-q", "--allow-empty", "-m", "x"]));
    told(&sandbox);
    sandbox.lane(["prune"]).ok();
    let refused = commit();
    assert!(refused.code != 0 && refused.stderr.contains("protected"), "{refused}");
    for way in [&["doctor", "--fix"][..], &["init"]] {
        sandbox.git(["config", "--unset", "lane.protected"]);
        told(&sandbox);
        sandbox.lane(way).ok();
        assert_eq!(sandbox.git(["config", "lane.protected"]), "main");
        init(&sandbox, &["--check"]).ok();
    }
    std::fs::remove_file(sandbox.repo.join("lane.toml")).unwrap();
    sandbox.lane(["prune"]).ok();
    commit().ok();
    sandbox.write("lane.toml", "nonsense");
    let checkup = sandbox.lane(["doctor"]);
    assert!(checkup.stdout.contains("the policy cannot be read"), "{checkup}");
    let _ = checkup.fails(1);
}

#[test]
fn level_off_is_as_wanted_and_not_in_force() {
    let sandbox = Sandbox::new();
    init(&sandbox, &["--level", "off"]).ok();
    let told = why_not(&sandbox);
    assert!(told.contains("its level is off") && told.contains("--level restore"), "{told}");
    assert!(sandbox.lane(["doctor"]).ok().contains("everything is as it should be"));
    let run = sandbox.lane(["start", "one"]);
    assert_eq!(run.stderr, "");
    run.ok();
}

#[test]
fn uninstalling_leaves_no_trace_and_a_shared_directory_alone() {
    let sandbox = Sandbox::new();
    let before = listing(&sandbox.repo.join(".git"));
    init(&sandbox, &["--files"]).ok();
    init(&sandbox, &["--uninstall"]).ok();
    let names = |listing: Vec<(String, u32, Vec<u8>)>| listing.into_iter().map(|(name, ..)| name).collect::<Vec<_>>();
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
    // What git-lane made it takes away again, unless somebody has put something into it; and nothing that others made.
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

/// Gives every directory below `directory` a mode, the deepest first or last, so that the way there is open.
fn mode_of_all(directory: &Path, mode: u32) {
    let set = |path: &Path| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    set(directory);
    for entry in std::fs::read_dir(directory).unwrap().flatten().filter(|entry| entry.path().is_dir()) {
        mode_of_all(&entry.path(), mode);
    }
}

/// Runs a program of the sandbox for which read-only means read-only: a superuser gives up its right to write everywhere.
/// `None` where that cannot be had.
fn as_anybody(sandbox: &Sandbox, directory: &Path, args: &[&str]) -> Option<Run> {
    let drop_rights = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"];
    let anybody = |args: &[&str]| {
        let superuser = std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
        let all = if superuser { [&drop_rights[..], args].concat() } else { args.to_vec() };
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
    eprintln!("skipped: nothing is read-only for this user, and setpriv does not help");
    None
}

#[test]
fn a_read_only_hooks_directory_is_an_error_and_changes_nothing() {
    let sandbox = Sandbox::new();
    hook(&hooks(&sandbox).join("post-checkout"), "#!/bin/sh\nexit 0\n", 0o755);
    mode_of_all(&hooks(&sandbox), 0o555);
    let before = sandbox.fingerprint();
    let Some(run) = as_anybody(&sandbox, &sandbox.repo, &["git-lane", "init", "--files"]) else { return };
    let error = run.fails(4);
    assert!(error.contains("hooks") && error.contains("Permission denied"), "{error}");
    let left: Vec<_> = sandbox.fingerprint().lines().filter(|line| !before.contains(line)).map(str::to_owned).collect();
    assert!(left.iter().all(|line| !line.contains("hook")), "{left:?}");
    // Nothing can be taken out either, and the rule stays in force as a whole.
    mode_of_all(&hooks(&sandbox), 0o755);
    init(&sandbox, &["--files"]).ok();
    sandbox.lane(["start", "one"]).ok();
    mode_of_all(&hooks(&sandbox), 0o555);
    let before = sandbox.fingerprint();
    as_anybody(&sandbox, &sandbox.repo, &["git-lane", "init", "--uninstall"]).unwrap().fails(4);
    assert_eq!(sandbox.fingerprint(), before);
    init(&sandbox, &["--check"]).ok();
    assert_in_force(&sandbox, "one");
    mode_of_all(&hooks(&sandbox), 0o755);
    init(&sandbox, &["--uninstall"]).ok();
}

/// Sandboxed agents often have a read-only `.git`: the guard answers, `--check` and doctor report, nothing is written.
#[test]
fn in_a_read_only_repository_the_guard_still_answers() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "one"]).ok();
    init(&sandbox, &["--files"]).ok();
    let lane = sandbox.lane_path("one");
    sandbox
        .run(sandbox.command("git").env("GIT_LANE_BYPASS", "1").current_dir(&lane).args(["switch", "-qc", "x"]))
        .ok();
    let git_dir = sandbox.repo.join(".git");
    mode_of_all(&git_dir, 0o555);
    let before = sandbox.fingerprint();
    let run = |directory: &Path, args: &[&str]| as_anybody(&sandbox, directory, args);
    if let Some(commit) = run(&lane, &["git-lane", "hook", "pre-commit"]) {
        assert!(commit.stderr.contains("this is lane 'one'"), "{commit}");
        let _ = commit.fails(1);
        let old = sandbox.git_in(&lane, ["rev-parse", "HEAD"]);
        let switched = run(&lane, &["git-lane", "hook", "post-checkout", &old, &old, "1"]).unwrap();
        assert!(switched.stderr.contains("could not be taken back"), "{switched}");
        let _ = switched.fails(1);
        run(&sandbox.repo, &["git-lane", "init", "--check"]).unwrap().ok();
        run(&sandbox.repo, &["git-lane", "hook", "pre-commit"]).unwrap().ok();
        let found = run(&sandbox.repo, &["git-lane", "doctor"]).unwrap();
        assert!(found.stdout.contains("lane 'one' is a stray"), "{found}");
        let _ = found.fails(1);
        run(&sandbox.repo, &["git-lane", "init", "--level", "warn"]).unwrap().fails(4);
        run(&sandbox.repo, &["git-lane", "init", "--uninstall"]).unwrap().fails(4);
    }
    assert_eq!(sandbox.fingerprint(), before);
    mode_of_all(&git_dir, 0o755);
}

#[test]
fn twenty_at_once_leave_one_block() {
    let sandbox = Sandbox::new();
    hook(&hooks(&sandbox).join("pre-commit"), "#!/bin/sh\nexit 0\n", 0o755);
    let before = listing(&hooks(&sandbox));
    let children: Vec<_> = (0..20)
        .map(|n| {
            let mut command = sandbox.command("git-lane");
            let args: &[&str] =
                if n % 2 == 0 { &["init", "--files"] } else { &["init", "--files", "--level", "restore"] };
            command.args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    for name in RESTORE {
        let text = std::fs::read_to_string(hooks(&sandbox).join(name)).unwrap();
        assert_eq!(text.matches("# >>> git-lane ").count(), 1, "{text}");
    }
    let config = std::fs::read_to_string(sandbox.repo.join(".git/config")).unwrap();
    assert_eq!(config.matches("[hook \"git-lane-pre-commit\"]").count(), usize::from(configured()), "{config}");
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
    sandbox.lane_in(&bare, ["start", "three", "--path", "../three"]).ok();
    let three = sandbox.root().join("three");
    let run = sandbox.run(sandbox.command("git").current_dir(&three).args(["switch", "main"]));
    assert!(run.stderr.contains("this is lane 'three'"), "{run}");
    assert_ne!(run.code, 0);

    // A submodule of a lane is a repository of its own.
    let lane = sandbox.lane_path("one");
    sandbox.git_in(
        &lane,
        ["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", bare.to_str().unwrap(), "sub"],
    );
    sandbox.git_in(&lane.join("sub"), ["switch", "-q", "-c", "anything"]);
    let inner = sandbox.lane_in(&lane.join("sub"), ["init", "--json"]).json();
    assert!(inner["directory"].as_str().unwrap().contains("/modules/"), "{inner}");

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
    sandbox.lane(["-C", lane.to_str().unwrap(), "hook", "pre-commit"]).fails(1);
    sandbox.lane(["hook", "pre-commit"]).ok();
    sandbox.lane(["hook", "no-such-hook"]).fails(2);
}

/// `pre-commit install`, `git lane init`, `pre-commit install`: its hook is there twice, and fails where it runs inside itself.
#[test]
fn pre_commit_that_is_installed_before_and_after_git_lane_runs_once() {
    if configured() {
        // git-lane writes no file then, and pre-commit knows its own.
        return;
    }
    let sandbox = Sandbox::new();
    let tool = "#!/usr/bin/env bash\n# File generated by pre-commit: https://pre-commit.com\n\
        [ -z \"$PRE_COMMIT_RUNNING_LEGACY\" ] || { echo 'installed in migration mode' >&2; exit 1; }\n\
        HERE=\"$(cd \"$(dirname \"$0\")\" && pwd)\"\nlegacy=\"$HERE/${0##*/}.legacy\"\n\
        [ ! -x \"$legacy\" ] || PRE_COMMIT_RUNNING_LEGACY=1 \"$legacy\" \"$@\" || exit\necho x >>\"$HOME/tool\"\n";
    let names = ["pre-commit", "post-checkout"];
    for name in names {
        hook(&hooks(&sandbox).join(name), tool, 0o755);
    }
    sandbox.lane(["init"]).ok();
    for name in names {
        let file = hooks(&sandbox).join(name);
        std::fs::rename(&file, file.with_extension("legacy")).unwrap();
        hook(&file, tool, 0o755);
    }
    let check = sandbox.lane(["init", "--check"]);
    check.ok();
    sandbox.lane(["start", "login"]).ok();
    let lane = sandbox.lane_path("login");
    drop(std::fs::remove_file(sandbox.root().join("home/tool")));
    sandbox.git_in(&lane, ["commit", "-q", "--allow-empty", "-m", "x"]);
    assert_eq!(std::fs::read_to_string(sandbox.root().join("home/tool")).unwrap(), "x\n");
    sandbox.git(["branch", "topic"]);
    let run = sandbox.run(sandbox.command("git").current_dir(&lane).args(["switch", "-q", "topic"]));
    assert!(run.code != 0 && run.stderr.contains("taken back") && !run.stderr.contains("migration"), "{run}");
}

/// pre-commit moves a hook it finds to `.legacy` and runs it, lefthook moves it to `.old` and puts it back one day: what is
/// removed must not come back that way, nor be lost that was there before git-lane.
#[test]
fn a_hook_of_ours_that_another_tool_has_moved_goes_too() {
    let tool = |sandbox: &Sandbox, suffix: &str| {
        for name in ["pre-commit", "post-checkout"] {
            let file = hooks(sandbox).join(name);
            let moved = hooks(sandbox).join(format!("{name}{suffix}"));
            std::fs::rename(&file, &moved).unwrap();
            // As pre-commit does it: the hook it found comes first, and its exit code counts.
            let text = "#!/usr/bin/env bash\nHERE=\"$(cd \"$(dirname \"$0\")\" && pwd)\"\nLEGACY=\"$HERE/$(basename \"$0\").legacy\"\n\
                        code=0\n[ ! -x \"$LEGACY\" ] || \"$LEGACY\" \"$@\" || code=1\n: >\"$HOME/tool-$(basename \"$0\")\"\nexit $code\n";
            hook(&file, text, 0o755);
        }
    };
    for suffix in [".legacy", ".old"] {
        for foreign in [false, true] {
            for again in [false, true] {
                let sandbox = Sandbox::new();
                if foreign {
                    hook(&hooks(&sandbox).join("pre-commit"), "#!/bin/sh\n: >\"$HOME/older\"\n", 0o755);
                }
                sandbox.lane(["start", "one"]).ok();
                init(&sandbox, &["--files"]).ok();
                tool(&sandbox, suffix);
                if again && !foreign {
                    init(&sandbox, &["--files"]).ok();
                    assert_in_force(&sandbox, "one");
                    let ran = || sandbox.root().join("home/tool-post-checkout").exists();
                    // Hooks in git's configuration refuse first, and a newer git runs this one all the same.
                    assert_eq!(ran(), git_version() >= (2, 54), "it heard of a switch that was taken back");
                    sandbox.git_in(&sandbox.lane_path("one"), ["switch", "-q", "one"]);
                    assert!(ran());
                }
                init(&sandbox, &["--uninstall"]).ok();
                let left: Vec<String> = listing(&hooks(&sandbox)).into_iter().map(|(name, ..)| name).collect();
                let older = format!("pre-commit{suffix}");
                let expected = ["post-checkout", "pre-commit", &older];
                assert_eq!(left, expected[..if foreign { 3 } else { 2 }], "{suffix}");
                // Nothing is guarded, the other tool's hooks run, and so does what it took over.
                let lane = sandbox.lane_path("one");
                let _ = std::fs::remove_file(sandbox.root().join("home/tool-pre-commit"));
                sandbox.git_in(&lane, ["switch", "-q", "-c", "elsewhere"]);
                sandbox.git_in(&lane, ["commit", "-q", "--allow-empty", "-m", "x"]);
                assert!(sandbox.root().join("home/tool-pre-commit").exists());
                assert_eq!(sandbox.root().join("home/older").exists(), foreign && suffix == ".legacy");
                assert!(!sandbox.repo.join(".git/hooks.pre-git-lane").exists());
            }
        }
    }
}

/// pre-commit runs the hook it found, so the rule stays in force, with whatever ran before git-lane came; lefthook does not.
#[test]
fn a_hook_of_ours_that_another_tool_has_moved_counts_where_that_tool_runs_it() {
    let pre_commit = "#!/usr/bin/env bash\n# File generated by pre-commit: https://pre-commit.com\n\
        HERE=\"$(cd \"$(dirname \"$0\")\" && pwd)\"\nlegacy=\"$HERE/${0##*/}.legacy\"\n\
        [ ! -x \"$legacy\" ] || \"$legacy\" \"$@\" || exit\n: >\"$HOME/tool\"\n";
    let lefthook = "#!/bin/sh\n# lefthook_version: 2.1.10\ncall_lefthook() { : >\"$HOME/tool\"; }\ncall_lefthook run \"pre-commit\" \"$@\"\n";
    for (text, suffix, runs) in [(pre_commit, ".legacy", true), (pre_commit, ".old", false), (lefthook, ".old", false)]
    {
        for older in [false, true] {
            let sandbox = Sandbox::new();
            if older {
                for name in ["post-checkout", "pre-commit"] {
                    hook(&hooks(&sandbox).join(name), "#!/bin/sh\necho \"older ${0##*/}\" >>\"$HOME/older\"\n", 0o755);
                }
            }
            sandbox.lane(["start", "one"]).ok();
            init(&sandbox, &["--files"]).ok();
            // Only the files are to count, whatever git runs them.
            for name in RESTORE {
                drop(sandbox.run(sandbox.command("git").args([
                    "config",
                    "--remove-section",
                    &format!("hook.git-lane-{name}"),
                ])));
            }
            for name in ["post-checkout", "pre-commit"] {
                let file = hooks(&sandbox).join(name);
                std::fs::rename(&file, hooks(&sandbox).join(format!("{name}{suffix}"))).unwrap();
                hook(&file, text, 0o755);
            }
            drop(std::fs::remove_file(sandbox.root().join("home/older")));
            if !runs {
                assert!(why_not(&sandbox).contains("git runs no post-checkout, pre-commit"));
                continue;
            }
            init(&sandbox, &["--check"]).ok();
            assert!(!sandbox.root().join("home/tool").exists(), "asking runs nothing else");
            assert!(sandbox.lane(["doctor"]).ok().contains("everything is as it should be"));
            assert_in_force(&sandbox, "one");
            sandbox.git_in(&sandbox.lane_path("one"), ["commit", "-q", "--allow-empty", "-m", "x"]);
            assert!(sandbox.root().join("home/tool").exists());
            sandbox.git_in(&sandbox.lane_path("one"), ["switch", "-q", "one"]);
            let ran = std::fs::read_to_string(sandbox.root().join("home/older")).unwrap_or_default();
            // Once each: of the switch that was taken back it has not heard.
            let expected = if older { "older pre-commit\nolder post-checkout\n" } else { "" };
            assert_eq!(ran, expected);
            // What was moved but may not be executed is not run.
            let moved = hooks(&sandbox).join("pre-commit.legacy");
            std::fs::set_permissions(&moved, std::fs::Permissions::from_mode(0o644)).unwrap();
            assert!(why_not(&sandbox).contains("git runs no pre-commit"));
        }
    }
}

/// Hooks of the user's configuration run in every repository; in most of them nobody ever uses git-lane.
#[test]
fn where_git_lane_was_never_run_the_stubs_start_nothing() {
    let sandbox = Sandbox::new();
    sandbox.git(["worktree", "add", "-q", "../linked"]);
    std::fs::remove_file(sandbox.root().join("bin/git-lane")).unwrap();
    let (git_dir, linked) = (sandbox.repo.join(".git"), sandbox.repo.join(".git/worktrees/linked"));
    let said = |directory: &Path, git_dir: Option<&Path>| {
        let stub = Path::new(env!("CARGO_MANIFEST_DIR")).join("hooks/post-checkout");
        let mut command = sandbox.command("/bin/sh");
        command.current_dir(directory).arg(stub).args(["0", "0", "1"]).env("PATH", sandbox.root().join("bin"));
        if let Some(git_dir) = git_dir {
            command.env("GIT_DIR", git_dir);
        }
        let run = sandbox.run(&mut command);
        assert_eq!(run.code, 0, "{run}");
        !run.stderr.is_empty()
    };
    assert!(!said(&sandbox.repo, None) && !said(&sandbox.root(), Some(&git_dir)));
    // A linked worktree's `.git` is a file, and its git directory leads on to the common one: git is asked.
    let elsewhere = sandbox.root().join("linked");
    assert!(!said(&elsewhere, None) && !said(&elsewhere, Some(&linked)));
    std::fs::create_dir(git_dir.join("lane")).unwrap();
    assert!(said(&sandbox.repo, None) && said(&sandbox.root(), Some(&git_dir)));
    assert!(said(&elsewhere, None) && said(&elsewhere, Some(&linked)));
}

#[test]
fn the_hooks_are_clean_shell() {
    let hooks = Path::new(env!("CARGO_MANIFEST_DIR")).join("hooks");
    let mut files: Vec<PathBuf> = Vec::new();
    for directory in [hooks.clone(), hooks.join("chained")] {
        files.extend(
            std::fs::read_dir(directory).unwrap().flatten().map(|entry| entry.path()).filter(|path| path.is_file()),
        );
    }
    assert_eq!(files.len(), 8);
    for shell in ["sh", "dash", "bash", "shellcheck"] {
        for file in &files {
            let mut command = std::process::Command::new(shell);
            if shell != "shellcheck" {
                command.arg("-n");
            }
            match command.arg(file).output() {
                Err(_) => eprintln!("skipped: there is no {shell}"),
                Ok(output) => {
                    assert!(output.status.success(), "{shell} {file:?}: {}", String::from_utf8_lossy(&output.stdout))
                }
            }
        }
    }
}
