//! Rows 16 to 23: where a lane goes, and what the user made of its worktree since.

use std::os::unix::fs::symlink;
use std::path::Path;

use crate::support::{Sandbox, age_all, write};

/// What a user did to a lane's worktree at a path.
type Damage = fn(&Sandbox, &Path);

/// Finish, drop and prune leave a damaged lane with work in it alone, byte for byte, and say
/// `words`; what is not in the lane keeps working.
#[track_caller]
fn stays(words: &str, damage: Damage) {
    let sandbox = Sandbox::new();
    let lane = sandbox.lane_by_git("x");
    sandbox.work("x", "committed", "x");
    write(&lane.join("uncommitted"), "x");
    sandbox.lane(["start", "other"]).ok();
    sandbox.work("other", "theirs", "x");
    damage(&sandbox, &lane);
    let before = sandbox.fingerprint();
    for args in [
        &["finish", "x"][..],
        &["finish", "--no-land", "--force", "x"],
        &["finish", "--commit", "all of it", "x"],
        &["drop", "x"],
        &["drop", "--yes", "x"],
        &["drop", "--force", "x"],
        &["start", "x"],
    ] {
        let run = sandbox.lane(args);
        assert!(run.code != 0 || args[0] == "start", "{run}");
        assert!(!run.stderr.contains("panicked"), "{run}");
        assert!(
            args[0] != "drop" || run.stderr.contains(words),
            "{words}: {run}"
        );
        assert!(sandbox.fingerprint() == before, "{run}");
    }
    sandbox.lane(["prune", "--yes", "--older-than", "0s"]).ok();
    assert!(sandbox.fingerprint() == before, "prune: {words}");
    let listed = sandbox.lane(["--json", "list"]).json();
    assert!(
        listed["lanes"]
            .as_array()
            .unwrap()
            .iter()
            .any(|lane| lane["lane"] == "other"),
        "{listed}"
    );
    sandbox.lane(["doctor"]).fails(1);
    assert!(sandbox.fingerprint() == before, "doctor: {words}");
    sandbox.lane(["show", "other"]).ok();
    sandbox.lane(["finish", "other"]).ok();
    sandbox.lane(["start", "third"]).ok();
    sandbox.lane(["drop", "third"]).ok();
}

/// The target directory exists: empty is taken; full, a file, a link to nothing or to a directory
/// is refused, and nothing is written through it.
#[test]
fn row_16_a_target_that_exists() {
    let sandbox = Sandbox::new();
    let outside = sandbox.root().join("outside");
    write(&outside.join("precious"), "x");
    let place = |name: &str| sandbox.lane_path(name);
    write(&place("full").join("file"), "x");
    write(&place("file"), "x");
    symlink("nowhere", place("dangling")).unwrap();
    symlink(&outside, place("link")).unwrap();
    std::fs::create_dir(sandbox.root().join("void")).unwrap();
    symlink(sandbox.root().join("void"), place("void")).unwrap();
    for (name, words) in [
        ("full", "already exists"),
        ("file", "already exists"),
        ("dangling", "symbolic link"),
        ("link", "symbolic link"),
        ("void", "symbolic link"),
    ] {
        sandbox.refuses(&["start", name], words);
        sandbox.refuses(
            &["start", "x", "--path", place(name).to_str().unwrap()],
            words,
        );
        sandbox.git_fails(["rev-parse", "--verify", "--quiet", name]);
    }
    std::fs::create_dir(place("empty")).unwrap();
    sandbox.lane(["start", "empty"]).ok();
    assert_eq!(
        sandbox.git_in(&place("empty"), ["status", "--porcelain"]),
        ""
    );
}

/// The parent is a link: the real path is recorded. Inside `.git` or another worktree: refused.
/// Inside the repository: ignored there.
#[test]
fn row_17_a_root_in_the_wrong_place() {
    let sandbox = Sandbox::new();
    let real = sandbox.root().join("real");
    std::fs::create_dir(&real).unwrap();
    symlink(&real, sandbox.root().join("shop.lanes")).unwrap();
    sandbox.lane(["start", "login"]).ok();
    assert_eq!(sandbox.place_of("login"), real.join("login"));
    assert_eq!(
        sandbox.git(["config", "lane.login.worktree"]),
        real.join("login").to_str().unwrap()
    );
    sandbox.lane(["drop", "login"]).ok();
    sandbox.lane(["restore", "login"]).ok();
    for (path, words) in [
        (".git/x", "inside a git directory"),
        (".git/worktrees/x", "inside a git directory"),
        ("../real/login/x", "inside the worktree"),
        ("../shop.lanes/login/deep/x", "inside the worktree"),
        ("../real/.git/x", "inside a git directory"),
    ] {
        sandbox.refuses(&["start", "x", "--path", path], words);
    }
    sandbox
        .lane(["start", "inside", "--path", "lanes/inside"])
        .ok();
    assert_eq!(sandbox.git(["status", "--porcelain"]), "");
    write(
        &sandbox.repo.join("lane.toml"),
        "[start]\npath = \".git/{name}\"\n",
    );
    sandbox.refuses(&["start", "y"], ".git");
}

/// The lane's directory replaced by a link, to somewhere else or to its own copy: refused, the
/// target is byte-identical.
#[test]
fn row_18_a_worktree_that_became_a_link() {
    stays("symbolic link", |sandbox, lane| {
        std::fs::remove_dir_all(lane).unwrap();
        write(&sandbox.root().join("precious/file"), "x");
        symlink(sandbox.root().join("precious"), lane).unwrap();
    });
    stays("symbolic link", |sandbox, lane| {
        let moved = sandbox.root().join("moved");
        std::fs::rename(lane, &moved).unwrap();
        symlink(moved, lane).unwrap();
    });
    stays("symbolic link", |_, lane| {
        std::fs::remove_dir_all(lane).unwrap();
        symlink("nowhere", lane).unwrap();
    });
}

/// The lane's directory moved by hand: it is said where it went, and uncommitted work is never
/// pruned.
#[test]
fn row_19_a_worktree_moved_by_hand() {
    stays("was moved to", |_, lane| {
        std::fs::rename(lane, lane.with_file_name("by-hand")).unwrap()
    });
    let sandbox = Sandbox::new();
    let lane = sandbox.lane_by_git("x");
    write(&lane.join("uncommitted"), "x");
    let moved = lane.with_file_name("by hand");
    std::fs::rename(&lane, &moved).unwrap();
    let refused = sandbox.lane(["drop", "--force", "x"]).fails(1);
    let repair = refused.lines().last().unwrap().rsplit_once(": ").unwrap().1;
    sandbox.sh(repair).ok();
    assert_eq!(sandbox.place_of("x"), moved);
    assert!(moved.join("uncommitted").exists());
}

/// The lane's `.git` file rewritten: finish, drop and prune refuse, the other worktree is
/// untouched.
#[test]
fn row_20_a_git_file_that_points_elsewhere() {
    stays("points at another git directory", |sandbox, lane| {
        let other = sandbox.lane_path("other");
        std::fs::copy(other.join(".git"), lane.join(".git")).unwrap();
    });
    stays("points at another git directory", |sandbox, lane| {
        let foreign = sandbox.root().join("foreign");
        sandbox.git(["init", "-q", foreign.to_str().unwrap()]);
        write(
            &lane.join(".git"),
            format!("gitdir: {}\n", foreign.join(".git").display()),
        );
    });
    stays("does not name a git directory", |_, lane| {
        write(&lane.join(".git"), "garbage\0\u{1b}[2J")
    });
    stays("does not name a git directory", |_, lane| {
        write(&lane.join(".git"), "")
    });
    stays("points at another git directory", |_, lane| {
        write(&lane.join(".git"), "gitdir: x\ny\n")
    });
    stays("points at another git directory", |_, lane| {
        write(&lane.join(".git"), "gitdir: \n")
    });
    // Nothing is committed to the other lane from here, and a switch does not take it along.
    let sandbox = Sandbox::new();
    sandbox.lane(["init"]).ok();
    sandbox.lane(["start", "x", "other"]).ok();
    let (lane, other) = (sandbox.lane_path("x"), sandbox.lane_path("other"));
    sandbox.git(["branch", "topic"]);
    sandbox.git(["commit", "-q", "--allow-empty", "-m", "ahead"]);
    std::fs::copy(other.join(".git"), lane.join(".git")).unwrap();
    let before = sandbox.git(["rev-parse", "other"]);
    for args in [
        &["commit", "-q", "--allow-empty", "-m", "x"][..],
        &["merge", "-q", "--no-ff", "-m", "x", "main"],
        &["rebase", "-q", "--force-rebase", "main"],
    ] {
        let run = sandbox.run(sandbox.command("git").current_dir(&lane).args(args));
        let words = format!(
            "is that of lane 'other', whose worktree is '{}'",
            other.display()
        );
        assert!(
            run.code != 0 && run.stderr.contains(&words) && run.stderr.contains("git lane doctor"),
            "{run}"
        );
        assert_eq!(sandbox.git(["rev-parse", "other"]), before, "{run}");
        drop(
            sandbox.run(
                sandbox
                    .command("git")
                    .current_dir(&lane)
                    .args(["merge", "--abort"]),
            ),
        );
    }
    let switch = sandbox.run(
        sandbox
            .command("git")
            .current_dir(&lane)
            .args(["switch", "-q", "topic"]),
    );
    assert!(switch.code != 0, "{switch}");
    assert_eq!(
        sandbox.git_in(&other, ["status", "--porcelain", "--branch"]),
        "## other"
    );
    // What doctor says to do puts it right, and does not take the other lane for one that has moved
    // here.
    let told = sandbox.lane(["doctor"]);
    assert!(
        told.stdout.contains("points at another git directory"),
        "{told}"
    );
    let way = told
        .stdout
        .lines()
        .find_map(|line| line.split_once("try: "))
        .unwrap()
        .1
        .to_owned();
    let _ = told.fails(1);
    let mut shell = sandbox.command("sh");
    let run = sandbox.run(shell.current_dir(&lane).args(["-c", &way]));
    let _ = run.ok();
    assert_eq!(
        sandbox.git_in(&other, ["rev-parse", "--show-toplevel"]),
        other.to_str().unwrap()
    );
    assert_eq!(
        sandbox.git_in(&lane, ["symbolic-ref", "--short", "HEAD"]),
        "x"
    );
    sandbox.lane(["doctor"]).ok();
    // One that was moved by hand is itself, wherever git believes it.
    let moved = lane.with_file_name("by hand");
    std::fs::remove_dir_all(&lane).unwrap();
    std::fs::rename(&other, &moved).unwrap();
    sandbox.git_in(
        &moved,
        ["commit", "-q", "--allow-empty", "-m", "still its own"],
    );
    stays("has no .git file", |_, lane| {
        std::fs::remove_file(lane.join(".git")).unwrap()
    });
    stays("is not a file", |_, lane| {
        std::fs::remove_file(lane.join(".git")).unwrap();
        std::fs::create_dir(lane.join(".git")).unwrap();
    });
}

/// The admin directory's `gitdir` rewritten to the root, the home, the main repository, or a
/// directory that points back: nothing is deleted, the lane is reported.
#[test]
fn row_21_an_admin_directory_that_points_elsewhere() {
    fn point(sandbox: &Sandbox, lane: &Path, to: &Path) {
        sandbox.git_in(lane, ["checkout", "-q", "--detach"]);
        write(
            &sandbox.admin(lane).join("gitdir"),
            format!("{}\n", to.display()),
        );
    }
    let words = "is no worktree of this repository";
    stays(words, |sandbox, lane| {
        point(sandbox, lane, Path::new("/.git"))
    });
    stays(words, |sandbox, lane| point(sandbox, lane, Path::new("/")));
    stays(words, |sandbox, lane| {
        point(sandbox, lane, &sandbox.root().join("home/.git"))
    });
    stays(words, |sandbox, lane| {
        point(sandbox, lane, &sandbox.repo.join(".git"))
    });
    stays(words, |sandbox, lane| {
        let foreign = sandbox.root().join("foreign");
        write(&foreign.join("precious"), "x");
        write(
            &foreign.join(".git"),
            std::fs::read(lane.join(".git")).unwrap(),
        );
        point(sandbox, lane, &foreign.join(".git"));
    });
}

/// `commondir` empty, missing or foreign, `HEAD` empty, the admin directory a link: all other lanes
/// keep working with git-lane, and trust is not taken from there.
#[test]
fn row_22_a_damaged_admin_directory() {
    type Break = fn(&Sandbox, &Path);
    let table: [Break; 6] = [
        |_, admin| write(&admin.join("commondir"), ""),
        |_, admin| std::fs::remove_file(admin.join("commondir")).unwrap(),
        |sandbox, admin| {
            let foreign = sandbox.root().join("foreign");
            sandbox.git(["init", "-q", foreign.to_str().unwrap()]);
            sandbox.git_in(&foreign, ["commit", "-q", "--allow-empty", "-m", "x"]);
            sandbox.lane_in(&foreign, ["start", "evil"]).ok();
            sandbox.git_in(&foreign, ["config", "core.fsmonitor", ": >$HOME/started"]);
            write(
                &admin.join("commondir"),
                format!("{}\n", foreign.join(".git").display()),
            );
        },
        |_, admin| write(&admin.join("HEAD"), ""),
        |sandbox, admin| {
            let aside = sandbox.root().join("aside");
            std::fs::rename(admin, &aside).unwrap();
            symlink(aside, admin).unwrap();
        },
        |_, admin| std::fs::remove_file(admin.join("gitdir")).unwrap(),
    ];
    for (number, damage) in table.into_iter().enumerate() {
        let sandbox = Sandbox::new();
        let lane = sandbox.lane_by_git("x");
        write(&lane.join("uncommitted"), "x");
        sandbox.lane(["start", "other"]).ok();
        sandbox.work("other", "theirs", "x");
        let admin = sandbox.admin(&lane);
        damage(&sandbox, &admin);
        let before = sandbox.fingerprint();
        for args in [
            &["finish", "x"][..],
            &["drop", "--yes", "x"],
            &["drop", "--force", "x"],
        ] {
            let run = sandbox.lane(args);
            // An empty HEAD is a lane off its branch, and goes into the trash whole.
            assert!(run.code == 1 || number == 3, "{number}: {run}");
            if number != 3 {
                assert!(sandbox.fingerprint() == before, "{run}");
            }
        }
        sandbox.lane(["doctor"]).fails(i32::from(number != 3));
        sandbox.lane(["list"]).ok();
        sandbox.lane(["start", "third"]).ok();
        sandbox.lane(["finish", "other"]).ok();
        sandbox.lane(["drop", "third"]).ok();
        let uncommitted = lane.join("uncommitted").exists()
            || sandbox.lane(["--json", "trash"]).json()["entries"]
                .as_array()
                .unwrap()
                .iter()
                .any(|e| e["lane"] == "x");
        assert!(uncommitted, "{number}");
        // From inside the damaged one another repository's configuration is not taken for ours, nor
        // its lanes.
        for args in [
            &["list"][..],
            &["drop", "--force", "evil"],
            &["start", "y"],
            &["doctor", "--fix"],
        ] {
            let run = sandbox.lane_in(if lane.exists() { &lane } else { &sandbox.repo }, args);
            assert!(
                !run.stderr.contains("panicked") && !run.stdout.contains("evil"),
                "{number}: {run}"
            );
            assert!(
                number != 2 || run.code == 4 && run.stderr.contains("does not know it"),
                "{run}"
            );
        }
        sandbox.nothing_was_started();
        // All but a link, which may lead to anybody's, is put right; the lane is what it was.
        if number == 3 {
            sandbox.lane(["restore", "x"]).ok();
        }
        if number != 4 {
            age_all(&sandbox.repo.join(".git/worktrees/x"));
            sandbox.lane(["doctor", "--fix"]).ok();
            let status = sandbox.git_in(&lane, ["status", "--porcelain", "--branch"]);
            assert_eq!(status, "## x\n?? uncommitted", "{number}");
        }
    }
}

/// `lane.x.worktree` of every kind: never used for a removal unless git's own list names exactly
/// it; else reported.
#[test]
fn row_23_a_recorded_path_that_is_no_worktree() {
    let long = format!("/{}", "x/".repeat(500_000));
    for path in [
        "/",
        "..",
        ".",
        "x/y",
        "~/x",
        "",
        "/tmp",
        "/etc\nx",
        "/etc\r",
        "/proc/self/cwd",
        &long,
    ] {
        let sandbox = Sandbox::new();
        let config = sandbox.repo.join(".git/config");
        let fork = sandbox.git(["rev-parse", "main"]);
        let mut text = std::fs::read_to_string(&config).unwrap();
        let quoted = path.replace('\n', "\\n");
        text.push_str(&format!(
            "[lane \"x\"]\n\tid = 0\n\tbranch = x\n\tworktree = \"{quoted}\"\n\tbase = \
             refs/heads/main\n\tforkPoint = {fork}\n\t\
             created = 2023-11-14T22:13:20Z\n\tunknown = 1\n\tunknown = 2\n"
        ));
        write(&config, &text);
        let before = sandbox.fingerprint();
        for args in [
            &["drop", "--force", "x"][..],
            &["finish", "--no-land", "--force", "x"],
            &["prune", "--yes"],
            &["list"],
        ] {
            let run = sandbox.lane(args);
            assert!(!run.stderr.contains("panicked"), "{run}");
            let nothing_there = matches!(path, "/etc\nx" | "/etc\r") || path == long;
            if !nothing_there {
                assert!(
                    run.code != 0 || matches!(args[0], "prune" | "list"),
                    "{path}: {run}"
                );
                assert!(sandbox.fingerprint() == before, "{path}");
            }
        }
        let doctor = sandbox.lane(["doctor"]);
        assert!(
            doctor.code == 1 || !std::fs::read_to_string(&config).unwrap().contains("[lane"),
            "{doctor}"
        );
        assert!(Path::new("/etc").exists() && sandbox.repo.join("README").exists());
    }
    // The same key twice: the last one counts, as for git.
    let sandbox = Sandbox::new();
    let lane = sandbox.lane_by_git("x");
    sandbox.git([
        "config",
        "--add",
        "lane.x.worktree",
        sandbox.root().join("home").to_str().unwrap(),
    ]);
    let before = sandbox.fingerprint();
    sandbox.lane(["drop", "--force", "x"]).fails(1);
    assert!(sandbox.fingerprint() == before && lane.exists());
}
