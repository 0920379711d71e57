//! Counts equal those of `git status` on worktrees made at random; what users hide from git is found all the same.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use git_lane::engines::status::{Depth, Operation, WorktreeStatus, ignored, operation, statuses};

use super::sandbox::{Dice, Sandbox, git_program, write};

fn status(sandbox: &Sandbox, worktree: &Path) -> git_lane::error::Result<WorktreeStatus> {
    let admin = admin(sandbox, worktree);
    statuses(&sandbox.open(), &[(worktree, &admin)], &git_program(), Depth::Full).remove(0)
}

fn admin(sandbox: &Sandbox, worktree: &Path) -> PathBuf {
    sandbox.git_in(worktree, &["rev-parse", "--absolute-git-dir"]).into()
}

fn main_status(sandbox: &Sandbox) -> WorktreeStatus {
    status(sandbox, sandbox.path()).expect("a status")
}

/// (staged, modified, untracked, conflicted) as git counts.
fn counted_by_git(sandbox: &Sandbox, worktree: &Path) -> (usize, usize, usize, usize) {
    let mut counts = (0, 0, 0, 0);
    let args = ["--no-optional-locks", "status", "--porcelain=v2", "-z", "--no-renames", "--untracked-files=normal"];
    for line in sandbox.git_in(worktree, &args).split('\0').filter(|line| !line.is_empty()) {
        match line.as_bytes()[0] {
            b'1' => {
                counts.0 += usize::from(line.as_bytes()[2] != b'.');
                counts.1 += usize::from(line.as_bytes()[3] != b'.');
            }
            b'?' => counts.2 += 1,
            b'u' => counts.3 += 1,
            _ => panic!("{line}"),
        }
    }
    counts
}

fn counts(status: &WorktreeStatus) -> (usize, usize, usize, usize) {
    (status.staged, status.modified, status.untracked, status.conflicted)
}

const NAMES: &[&str] = &["a", "a.b", "a-b", "a0", "b", "lib", "src", "tree", "x.log", "sp ace", "\u{e4}"];

fn random_path(dice: &mut Dice) -> String {
    let depth = 1 + dice.roll(3);
    (0..depth).map(|_| *dice.pick(NAMES)).collect::<Vec<_>>().join("/")
}

/// Writes unless a file is in the way of a directory or the other way round.
fn try_write(worktree: &Path, path: &str, content: &str) {
    let path = worktree.join(path);
    if std::fs::create_dir_all(path.parent().expect("a parent")).is_ok() {
        let _ = std::fs::write(path, content);
    }
}

fn disturb(sandbox: &Sandbox, worktree: &Path, dice: &mut Dice) {
    let tracked = sandbox.git_in(worktree, &["ls-files", "-z"]);
    let tracked: Vec<&str> = tracked.split('\0').filter(|path| !path.is_empty()).collect();
    let some = tracked.get(dice.roll(tracked.len().max(1))).copied().unwrap_or("a");
    let file = worktree.join(some);
    match dice.roll(17) {
        0 => try_write(worktree, some, &format!("longer than before {}", dice.roll(1000))),
        1 => {
            if let Ok(mut data) = std::fs::read(&file) {
                data.iter_mut().take(1).for_each(|byte| *byte ^= 1);
                let _ = std::fs::write(&file, data);
            }
        }
        2 => {
            let _ = std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755));
        }
        3 => {
            let _ = std::fs::remove_file(&file);
        }
        4 => {
            let _ = std::fs::remove_dir_all(worktree.join(some.split('/').next().unwrap_or(some)));
        }
        5 if std::fs::remove_file(&file).is_ok() => symlink("nowhere", &file).expect("a link"),
        6 if std::fs::remove_file(&file).is_ok() => try_write(worktree, &format!("{some}/inside"), "was a file"),
        7 => try_write(worktree, &random_path(dice), "new"),
        8 => {
            let _ = std::fs::create_dir_all(worktree.join(format!("empty{}", dice.roll(3))));
        }
        9 => try_write(worktree, &format!("new{}/only/x.log", dice.roll(3)), "ignored if *.log is"),
        10 => try_write(worktree, &format!("target/{}", random_path(dice)), "built"),
        11 => {
            let _ = sandbox.command(worktree).args(["add", "-A", "--", some]).output();
        }
        12 => {
            let _ = sandbox.command(worktree).args(["rm", "-q", "--cached", "--", some]).output();
        }
        13 => {
            if let Ok(data) = std::fs::read(&file) {
                // The same bytes in a new file: other inode, other times.
                let _ = std::fs::remove_file(&file);
                let _ = std::fs::write(&file, data);
            }
        }
        14 => try_write(worktree, some, "carriage\r\nreturn\r\n"),
        15 => {
            let nested = worktree.join(format!("nested{}", dice.roll(2)));
            if !nested.exists() {
                sandbox.git(&["init", "-q", &nested.to_string_lossy()]);
            }
        }
        _ => try_write(worktree, &format!("{}/.gitignore", dice.pick(NAMES)), "*\n!a*\n"),
    }
}

fn random_repository(dice: &mut Dice) -> Sandbox {
    let sandbox = Sandbox::new();
    for _ in 0..5 + dice.roll(40) {
        try_write(sandbox.path(), &random_path(dice), &format!("content {}\n", dice.roll(5)));
    }
    let patterns = ["*.log\n", "target/\n", "/lib\n!lib/a\n", "src/*\n!src/a.b\n", "tree\n", "a/**/b\n"];
    for _ in 0..2 {
        sandbox.write(".gitignore", format!("{}{}", dice.pick(&patterns), dice.pick(&patterns)));
    }
    if dice.roll(3) == 0 {
        sandbox.write(".gitattributes", *dice.pick(&["* text=auto\n", "*.b text eol=crlf\n", "a filter=none\n"]));
    }
    if dice.roll(4) == 0 {
        sandbox.git(&["config", "core.autocrlf", "input"]);
    }
    sandbox.git(&["add", "-f", "-A"]);
    sandbox.git(&["commit", "-q", "-m", "start"]);
    sandbox
}

#[test]
fn counts_are_those_of_git_on_random_worktrees() {
    for seed in 0..60 {
        let mut dice = Dice::new(seed);
        let sandbox = random_repository(&mut dice);
        let mut worktree = sandbox.path().to_owned();
        if dice.roll(2) == 0 {
            worktree = sandbox.home().join("linked");
            sandbox.git(&["worktree", "add", "-q", "-b", "lane", &worktree.to_string_lossy()]);
        }
        for step in 0..8 {
            for _ in 0..dice.roll(4) {
                disturb(&sandbox, &worktree, &mut dice);
            }
            let ours = status(&sandbox, &worktree).expect("a status");
            let git = counted_by_git(&sandbox, &worktree);
            let shown = sandbox.git_in(&worktree, &["status", "--short"]);
            assert_eq!(counts(&ours), git, "seed {seed}, step {step}: {:?}\n{shown}", ours.samples);
        }
    }
}

#[test]
fn many_worktrees_keep_their_order_and_samples_are_sorted() {
    let sandbox = Sandbox::new();
    for at in 0..700 {
        sandbox.write(&format!("d{}/f{at}", at % 7), "x");
    }
    sandbox.commit("start");
    let mut worktrees = Vec::new();
    for at in 0..5 {
        let worktree = sandbox.home().join(format!("w{at}"));
        sandbox.git(&["worktree", "add", "-q", "-b", &format!("b{at}"), &worktree.to_string_lossy()]);
        for extra in 0..at {
            write(&worktree.join(format!("d1/new{extra}")), "x");
            write(&worktree.join(format!("d0/f{}", extra * 7)), "changed");
        }
        worktrees.push((worktree.clone(), admin(&sandbox, &worktree)));
    }
    let pairs: Vec<_> = worktrees.iter().map(|(worktree, admin)| (worktree.as_path(), admin.as_path())).collect();
    let all = statuses(&sandbox.open(), &pairs, &git_program(), Depth::Full);
    for (at, status) in all.into_iter().enumerate() {
        assert_eq!(counts(&status.expect("a status")), (0, at, at, 0));
    }
    let alone = statuses(&sandbox.open(), &pairs[2..3], &git_program(), Depth::Full).remove(0).expect("a status");
    assert_eq!(alone.samples, [" M d0/f0", " M d0/f7", "?? d1/new0", "?? d1/new1"]);
    let tracked = statuses(&sandbox.open(), &pairs[2..3], &git_program(), Depth::Tracked).remove(0).expect("a status");
    assert_eq!(counts(&tracked), (0, 2, 0, 0));
}

#[test]
fn config_and_environment_cannot_hide_work() {
    let sandbox = Sandbox::new();
    sandbox.write("a", "a");
    sandbox.write(".gitattributes", "* filter=none\n");
    sandbox.commit("start");
    for (key, value) in [
        ("status.showUntrackedFiles", "no"),
        ("diff.ignoreSubmodules", "all"),
        ("core.fsmonitor", "true"),
        ("core.untrackedCache", "true"),
        ("core.checkStat", "minimal"),
        ("core.trustctime", "false"),
        ("status.relativePaths", "true"),
        ("color.ui", "always"),
    ] {
        sandbox.git(&["config", key, value]);
    }
    assert!(main_status(&sandbox).is_clean());
    sandbox.write("a", "b");
    sandbox.write("new", "x");
    assert_eq!(counts(&main_status(&sandbox)), (0, 1, 1, 0));
}

#[test]
fn hidden_entries_are_compared() {
    for filters in [false, true] {
        let sandbox = Sandbox::new();
        for name in ["assumed", "skipped", "kept", "gone"] {
            sandbox.write(name, "as committed");
        }
        if filters {
            sandbox.write(".gitattributes", "* filter=none\n");
        }
        sandbox.commit("start");
        sandbox.git(&["update-index", "--assume-unchanged", "assumed", "kept"]);
        sandbox.git(&["update-index", "--skip-worktree", "skipped", "gone"]);
        sandbox.write("assumed", "differs");
        sandbox.write("skipped", "differs, too");
        std::fs::remove_file(sandbox.path().join("gone")).expect("removed");
        assert_eq!(counted_by_git(&sandbox, sandbox.path()), (0, 0, 0, 0));
        assert_eq!(counts(&main_status(&sandbox)), (0, 2, 0, 0), "filters: {filters}");
        // The same once git has to answer for the worktree.
        sandbox.write("conflict", "x");
        sandbox.git(&["add", "-N", "conflict"]);
        assert_eq!(counts(&main_status(&sandbox)), (0, 3, 0, 0), "filters: {filters}");
    }
}

#[test]
fn a_sparse_checkout_is_clean_until_it_is_not() {
    let sandbox = Sandbox::new();
    sandbox.write("in/a", "a");
    sandbox.write("out/b", "b");
    sandbox.commit("start");
    for cone in ["--no-sparse-index", "--sparse-index"] {
        sandbox.git(&["sparse-checkout", "set", "--cone", cone, "in"]);
        assert!(main_status(&sandbox).is_clean(), "{cone}");
        sandbox.write("out/b", "changed");
        assert_eq!(main_status(&sandbox).modified, counted_by_git(&sandbox, sandbox.path()).1, "{cone}");
        assert!(!main_status(&sandbox).is_clean(), "{cone}");
        std::fs::remove_dir_all(sandbox.path().join("out")).expect("removed");
    }
}

#[test]
fn other_index_formats_are_understood_or_left_to_git() {
    for setting in [["index.version", "4"], ["core.splitIndex", "true"], ["feature.manyFiles", "true"]] {
        let sandbox = Sandbox::new();
        sandbox.git(&["config", setting[0], setting[1]]);
        for name in ["a", "d/b", "d/c", "e"] {
            sandbox.write(name, "x");
        }
        sandbox.commit("start");
        sandbox.write("a2", "x");
        sandbox.git(&["add", "a2"]);
        sandbox.write("d/b", "changed");
        sandbox.write("new", "x");
        assert_eq!(counts(&main_status(&sandbox)), (1, 1, 1, 0), "{setting:?}");
    }
}

#[test]
fn submodules_and_conflicts_count() {
    let sandbox = Sandbox::new();
    let other = Sandbox::new();
    other.write("s", "s");
    other.commit("sub");
    let url = other.path().to_string_lossy().into_owned();
    sandbox.git(&["-c", "protocol.file.allow=always", "submodule", "add", "-q", &url, "sub"]);
    sandbox.git(&["config", "submodule.sub.ignore", "all"]);
    sandbox.write("f", "1");
    sandbox.commit("start");
    assert!(main_status(&sandbox).is_clean());
    sandbox.write("sub/new", "work inside");
    assert_eq!(counts(&main_status(&sandbox)), (0, 1, 0, 0));
    std::fs::remove_file(sandbox.path().join("sub/new")).expect("removed");

    let linked = sandbox.home().join("linked");
    sandbox.git(&["worktree", "add", "-q", "-b", "lane", &linked.to_string_lossy()]);
    assert!(status(&sandbox, &linked).expect("a status").is_clean(), "a submodule that was never checked out");

    write(&linked.join("f"), "2");
    sandbox.git_in(&linked, &["commit", "-q", "-am", "two"]);
    sandbox.write("f", "3");
    sandbox.commit("three");
    assert!(!sandbox.command(&linked).args(["merge", "-q", "main"]).output().expect("git").status.success());
    let conflicted = status(&sandbox, &linked).expect("a status");
    assert_eq!((conflicted.conflicted, conflicted.operation), (1, Some(Operation::Merge)));
    assert_eq!(conflicted.samples, ["UU f"]);
}

#[test]
fn damage_is_an_error_and_never_clean() {
    let sandbox = Sandbox::new();
    sandbox.write("a", "a");
    sandbox.commit("start");
    let linked = sandbox.path().join("inside");
    sandbox.git(&["worktree", "add", "-q", "-b", "lane", &linked.to_string_lossy()]);
    let admin = admin(&sandbox, &linked);
    let look = || statuses(&sandbox.open(), &[(&linked, &admin)], &git_program(), Depth::Full).remove(0);
    assert!(look().expect("a status").is_clean());
    let index = std::fs::read(admin.join("index")).expect("an index");
    for damage in ["HEAD", "index"] {
        let path = admin.join(damage);
        let whole = std::fs::read(&path).expect("a file");
        std::fs::write(&path, b"garbage").expect("written");
        assert!(look().is_err(), "{damage} is garbage");
        std::fs::remove_file(&path).expect("removed");
        assert!(look().is_err(), "{damage} is missing");
        std::fs::write(&path, whole).expect("written");
    }
    std::fs::write(admin.join("index"), &index[..index.len() / 2]).expect("written");
    assert!(look().is_err(), "half an index");
    std::fs::write(admin.join("index"), &index).expect("written");
    std::fs::write(admin.join("HEAD"), "1234567890123456789012345678901234567890\n").expect("written");
    assert!(look().is_err(), "no such commit");
    std::fs::write(admin.join("HEAD"), "ref: refs/heads/lane\n").expect("written");
    // Without its `.git` file git would look at the repository around it.
    std::fs::remove_file(linked.join(".git")).expect("removed");
    write(&linked.join("new"), "x");
    assert_eq!(counts(&look().expect("a status")), (0, 0, 1, 0));
    std::fs::remove_dir_all(&linked).expect("removed");
    assert!(look().is_err(), "no worktree");
}

#[test]
fn an_unborn_branch_is_no_error() {
    let sandbox = Sandbox::new();
    assert!(main_status(&sandbox).is_clean());
    sandbox.write("a", "a");
    assert_eq!(main_status(&sandbox).untracked, 1);
}

#[test]
fn operations_are_seen() {
    let sandbox = Sandbox::new();
    sandbox.write("a", "1");
    sandbox.commit("one");
    sandbox.write("a", "2");
    sandbox.commit("two");
    sandbox.write("a", "3");
    sandbox.commit("three");
    let git_dir = sandbox.path().join(".git");
    assert_eq!(operation(&git_dir), None);
    let cases: [(&[&str], &[&str], Operation); 4] = [
        (&["bisect", "start", "HEAD", "HEAD~2"], &["bisect", "reset"], Operation::Bisect),
        (&["revert", "--no-edit", "HEAD~1"], &["revert", "--abort"], Operation::Revert),
        (&["cherry-pick", "HEAD~2"], &["cherry-pick", "--abort"], Operation::CherryPick),
        (&["rebase", "--onto", "HEAD~2", "HEAD~1"], &["rebase", "--abort"], Operation::Rebase),
    ];
    for (start, end, expected) in cases {
        let _ = sandbox.command(sandbox.path()).args(start).output();
        assert_eq!(operation(&git_dir), Some(expected), "{start:?}");
        sandbox.git(end);
        assert_eq!(operation(&git_dir), None, "{end:?}");
    }
}

#[test]
fn ignored_files_are_listed_with_directories_collapsed() {
    let sandbox = Sandbox::new();
    sandbox.write(".gitignore", "target/\n*.env\n");
    sandbox.write("src/a", "a");
    sandbox.commit("start");
    sandbox.write("target/debug/x", "x");
    sandbox.write("src/secret.env", "x");
    let git_dir = sandbox.path().join(".git");
    let listed = ignored(&git_program(), sandbox.path(), &git_dir).expect("a list");
    assert_eq!(listed, ["src/secret.env", "target/"]);
    assert!(main_status(&sandbox).is_clean());
}
