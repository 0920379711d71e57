//! Starts that die or race.

use super::*;
use crate::support::{checked_document, skipped};

/// A start that makes everything itself is in `crash`.
#[test]
fn killed_at_any_step_the_next_start_completes() {
    let new = of_every_ref_format().pop().unwrap();
    for step in 1.. {
        let sandbox = new();
        let killed = sandbox.dying(step, ["start", "login"]);
        if killed.code == 0 {
            assert!(step > 8, "the loop must have died a few times");
            assert_whole(&sandbox, "login");
            break;
        }
        assert_eq!(killed.code, 128 + 9, "{killed}");
        // Before anything is healed, plain git works.
        sandbox.git(["worktree", "list"]);
        sandbox.git(["branch", "--list"]);
        sandbox.git(["status"]);
        sandbox.git(["fsck"]);
        let again = sandbox.lane(["start", "login"]);
        assert!(
            again
                .stderr
                .contains("the start of lane 'login' was interrupted"),
            "{killed}{again}"
        );
        again.ok();
        assert_whole(&sandbox, "login");
    }
}

#[test]
fn a_config_lock_of_a_dead_git_lane_does_not_block() {
    let sandbox = Sandbox::new();
    let locks = sandbox.repo.join(".git/lane/locks");
    write(&locks.join("dead"), "");
    std::fs::hard_link(locks.join("dead"), sandbox.repo.join(".git/config.lock")).unwrap();
    sandbox.lane(["start", "login"]).ok();
    assert_whole(&sandbox, "login");
}

#[test]
fn twenty_different_starts_at_once_all_succeed() {
    let sandbox = Sandbox::new();
    let children: Vec<_> = (0..20)
        .map(|n| {
            let mut command = sandbox.command("git-lane");
            command
                .args(["start", &format!("lane{n}")])
                .stdout(Stdio::piped())
                .stderr(Stdio::piped());
            command.spawn().unwrap()
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
    for n in 0..20 {
        assert_whole(&sandbox, &format!("lane{n}"));
    }
}

#[test]
fn of_twenty_equal_starts_one_creates_and_the_others_lose_or_find_it() {
    let sandbox = Sandbox::new();
    let children: Vec<_> = (0..20)
        .map(|_| {
            let mut command = sandbox.command("git-lane");
            command
                .args(["start", "same", "--json"])
                .stdout(Stdio::piped())
                .stderr(Stdio::piped());
            command.spawn().unwrap()
        })
        .collect();
    let mut created = 0;
    for child in children {
        let output = child.wait_with_output().unwrap();
        let report = checked_document("start", &String::from_utf8_lossy(&output.stdout));
        match output.status.code() {
            Some(0) => created += usize::from(report["lanes"][0]["created"] == true),
            other => assert_eq!(
                (other, &report["error"]["kind"]),
                (Some(1), &"refused".into()),
                "{report}"
            ),
        }
    }
    assert_eq!(created, 1);
    assert_whole(&sandbox, "same");
}

/// A start that dies before anything of it can be seen must not take a lane for its own that
/// another owner started under the same name meanwhile.
#[test]
fn a_dead_start_never_undoes_the_lane_of_another() {
    for step in 1.. {
        let sandbox = Sandbox::new();
        let _ = sandbox.dying(step, ["start", "login"]).fails(128 + 9);
        if sandbox.git(["branch", "--list", "login"]).contains("login") {
            assert!(step > 4, "only {step} steps before the branch");
            break;
        }
        // A command that was under way before the other died has not seen that it is dead.
        let (journal, aside) = (
            sandbox.repo.join(".git/lane/journal"),
            sandbox.root().join("journal"),
        );
        std::fs::rename(&journal, &aside).unwrap();
        sandbox.lane(["start", "login"]).ok();
        write(&sandbox.lane_path("login").join("work"), "mine");
        std::fs::remove_dir_all(&journal).unwrap();
        std::fs::rename(&aside, &journal).unwrap();
        let next = sandbox.lane(["start", "other"]);
        assert!(next.stderr.contains("has been undone"), "{next}");
        next.ok();
        let path = sandbox.lane_path("login");
        assert_eq!(
            sandbox.git_in(&path, ["status", "--porcelain", "--branch"]),
            "## login\n?? work",
            "step {step}"
        );
        sandbox.nothing_left_behind(0);
    }
}

#[test]
fn a_lane_whose_worktree_cannot_be_used_is_told_as_it_is() {
    type Damage = fn(&Sandbox, &Path);
    let table: [(&str, &str, Damage); 5] = [
        (
            "its directory has no .git file",
            "git lane doctor",
            |_, lane| {
                std::fs::remove_file(lane.join(".git")).unwrap();
            },
        ),
        (
            "its commondir is empty",
            "git lane doctor",
            |sandbox, lane| {
                write(&sandbox.admin(lane).join("commondir"), "");
            },
        ),
        (
            "git does not list it as a worktree",
            "git lane doctor",
            |sandbox, lane| {
                std::fs::remove_dir_all(sandbox.admin(lane)).unwrap();
            },
        ),
        (
            "moved by hand to",
            "git lane doctor --fix",
            |sandbox, lane| {
                std::fs::rename(lane, sandbox.root().join("elsewhere")).unwrap();
            },
        ),
        ("its directory is gone", "git lane prune", |_, lane| {
            std::fs::remove_dir_all(lane).unwrap()
        }),
    ];
    for (words, remedy, damage) in table {
        let sandbox = Sandbox::new();
        sandbox.lane(["start", "login"]).ok();
        damage(&sandbox, &sandbox.lane_path("login"));
        let before = sandbox.fingerprint();
        let said = sandbox.lane(["start", "login"]).fails(1);
        assert!(said.contains(words) && said.contains(remedy), "{said}");
        assert_eq!(
            said.contains("is gone"),
            words.contains("is gone"),
            "{said}"
        );
        assert!(sandbox.fingerprint() == before);
    }
}

/// One repository for each way a worktree is made: by ourselves, and by git where refs are a
/// reftable.
fn of_every_ref_format() -> Vec<fn() -> Sandbox> {
    fn reftable() -> Sandbox {
        let sandbox = Sandbox::empty();
        sandbox.git(["init", "-q", "-b", "main", "--ref-format=reftable"]);
        sandbox.write("README", "shop\n");
        sandbox.commit("first");
        sandbox
    }
    if git_version() < (2, 45) {
        skipped(&format!("git {:?} has no reftable", git_version()));
        return vec![Sandbox::new];
    }
    vec![Sandbox::new, reftable]
}

/// Runs `git lane start login` until its `step`th step; `None` when it has no such step.
fn dead_at(sandbox: &Sandbox, step: usize) -> Option<String> {
    let run = sandbox.dying(step, ["start", "login"]);
    (run.code != 0).then(|| run.fails(128 + 9))
}

/// Everything of one's work: committed, staged, and in files git does not know.
fn work_in(sandbox: &Sandbox, path: &Path) -> &'static str {
    write(&path.join("untracked"), "hours of work");
    let mut ask = sandbox.command("git");
    if sandbox
        .run(ask.current_dir(path).args(["rev-parse", "HEAD"]))
        .code
        != 0
    {
        // The directory is in its place, and git does not know it yet.
        return "## login\n?? untracked";
    }
    write(&path.join("committed"), "x");
    sandbox.git_in(path, ["add", "committed"]);
    sandbox.git_in(path, ["commit", "-q", "-m", "mine"]);
    write(&path.join("staged"), "x");
    sandbox.git_in(path, ["add", "staged"]);
    "## login\nA  staged\n?? untracked"
}

#[test]
fn what_can_be_seen_is_completed_with_the_work_in_it_and_never_undone() {
    for new in of_every_ref_format() {
        let mut seen = 0;
        for step in 1.. {
            let sandbox = new();
            let Some(died) = dead_at(&sandbox, step) else {
                break;
            };
            let path = sandbox.lane_path("login");
            if !path.exists() {
                continue;
            }
            seen += 1;
            let before = work_in(&sandbox, &path);
            // A git that was killed long ago: nothing can be recorded until the user removes its
            // lock.
            let lock = sandbox.repo.join(".git/config.lock");
            // One of our own that died too has to go first.
            let _ = std::fs::remove_file(&lock);
            write(&lock, "");
            age(&lock, 3600);
            let said = sandbox.lane(["start", "other"]).fails(4);
            let recorded = sandbox
                .repo
                .join(".git/lane/journal")
                .read_dir()
                .unwrap()
                .next()
                .is_none();
            assert!(
                recorded || said.contains("the worktree of lane 'login' is at '"),
                "{died}{said}"
            );
            assert_eq!(
                std::fs::read_to_string(path.join("untracked")).unwrap(),
                "hours of work",
                "{died}"
            );
            std::fs::remove_file(&lock).unwrap();
            sandbox.lane(["start", "other"]).ok();
            assert_eq!(
                sandbox.git_in(&path, ["status", "--porcelain", "--branch"]),
                before,
                "{died}"
            );
            assert_eq!(
                sandbox.git(["config", "lane.login.worktree"]),
                path.to_str().unwrap()
            );
            assert!(
                !sandbox
                    .git(["worktree", "list", "--porcelain"])
                    .contains("locked"),
                "{died}"
            );
            sandbox.nothing_left_behind(0);
        }
        assert!(
            seen > 2,
            "only {seen} steps at which something could be seen"
        );
    }
}

/// A record that cannot be written is no reason to take away what a user may work in by now.
#[test]
fn a_start_that_fails_at_its_record_leaves_the_worktree_for_the_next_command() {
    for new in of_every_ref_format() {
        let sandbox = new();
        let config = sandbox.repo.join(".git/config");
        let text = std::fs::read_to_string(&config).unwrap();
        std::fs::write(&config, format!("{text}{}", "# a comment\n".repeat(20_000))).unwrap();
        let mut limited = sandbox.command("sh");
        limited.args([
            "-c",
            "trap '' XFSZ; ulimit -f 100; exec git-lane start login",
        ]);
        let said = sandbox.run(&mut limited).fails(4);
        assert!(
            said.contains("the worktree of lane 'login' is at '"),
            "{said}"
        );
        let path = sandbox.lane_path("login");
        let before = work_in(&sandbox, &path);
        let next = sandbox.lane(["start", "other"]);
        assert!(
            next.stderr
                .contains("the start of lane 'login' was interrupted; it has been completed"),
            "{next}"
        );
        next.ok();
        assert_eq!(
            sandbox.git_in(&path, ["status", "--porcelain", "--branch"]),
            before
        );
        sandbox.nothing_left_behind(0);
    }
}

/// A lock, another branch, a detached HEAD, another place: whatever a user does to a worktree
/// whose start has died.
#[test]
fn a_worktree_somebody_has_taken_up_is_recorded_as_it_is() {
    for new in of_every_ref_format() {
        for act in [
            &["lock", "--reason", "mine"][..],
            &["-c", "topic"],
            &["--detach"],
            &["move", "../moved"],
        ] {
            let sandbox = new();
            sandbox.died("start.registered", ["start", "login"]);
            let mut place = sandbox.lane_path("login");
            write(&place.join("untracked"), "hours of work");
            match act[0] {
                "lock" => {
                    let mut unlock = sandbox.command("git");
                    let _ = sandbox
                        .run(unlock.args(["worktree", "unlock"]).arg(&place))
                        .code;
                    sandbox.git([&["worktree"], act, &[place.to_str().unwrap()]].concat());
                }
                "move" => {
                    let from = place.to_str().unwrap().to_owned();
                    sandbox.git(["worktree", "move", "--force", "--force", &from, act[1]]);
                    place = sandbox.root().join("moved");
                }
                _ => drop(sandbox.git_in(&place, [&["switch", "-q"], act].concat())),
            }
            let next = sandbox.lane(["start", "other"]);
            assert!(
                next.stderr.contains("it has been completed"),
                "{act:?}: {next}"
            );
            next.ok();
            assert_eq!(
                sandbox.git_in(&place, ["status", "--porcelain"]),
                "?? untracked",
                "{act:?}"
            );
            assert_eq!(
                sandbox.git(["config", "lane.login.worktree"]),
                place.to_str().unwrap(),
                "{act:?}"
            );
            let listed = sandbox.git(["worktree", "list", "--porcelain"]);
            assert_eq!(
                listed.contains("locked mine"),
                act[0] == "lock",
                "{act:?}: {listed}"
            );
        }
    }
}

/// A place that a user takes, or a branch that a user creates, while a start is dead is the user's.
#[test]
fn a_dead_start_takes_no_worktree_and_no_branch_of_a_stranger() {
    for new in of_every_ref_format() {
        for step in 1.. {
            let sandbox = new();
            let died = dead_at(&sandbox, step).expect("a step at which it can be seen");
            let path = sandbox.lane_path("login");
            if path.exists() {
                assert!(step > 4, "only {step} steps before");
                break;
            }
            // Neither there already nor locked by the dead process.
            let free = sandbox.git(["branch", "--list", "login"]).is_empty()
                && !sandbox.repo.join(".git/refs/heads/login.lock").exists();
            if free {
                sandbox.git(["branch", "login"]);
            }
            sandbox.git([
                "worktree",
                "add",
                "-q",
                path.to_str().unwrap(),
                "-b",
                "mine",
            ]);
            write(&path.join("untracked"), "hours of work");
            let next = sandbox.lane(["start", "other"]);
            assert!(next.stderr.contains("it has been undone"), "{died}{next}");
            next.ok();
            assert_eq!(
                sandbox.git_in(&path, ["status", "--porcelain", "--branch"]),
                "## mine\n?? untracked"
            );
            assert_eq!(
                sandbox.git(["branch", "--list", "login"]).is_empty(),
                !free,
                "{died}"
            );
            sandbox.nothing_left_behind(0);
        }
    }
}

/// The same while it lives: a stranger's worktree comes into the place while git makes ours.
#[test]
fn a_start_that_loses_its_place_leaves_the_winner_alone() {
    for new in of_every_ref_format().into_iter().skip(1) {
        let sandbox = new();
        let (git, root) = (sandbox.root().join("bin/git"), sandbox.root());
        let (real, root) = (std::fs::canonicalize(&git).unwrap(), root.display());
        std::fs::remove_file(&git).unwrap();
        let stranger = format!(
            "'{}' -C '{root}/shop' worktree add -q '{root}/shop.lanes/login' -b mine",
            real.display()
        );
        let script = format!(
            "#!/bin/sh\ncase \" $* \" in *' worktree add '*) {stranger} && echo work \
             >'{root}/shop.lanes/login/untracked';; \
             esac\nexec '{}' \"$@\"\n",
            real.display()
        );
        executable(&git, script);
        let said = sandbox.lane(["start", "login"]).fails(1);
        assert!(said.contains("already exists"), "{said}");
        std::fs::remove_file(&git).unwrap();
        std::os::unix::fs::symlink(real, git).unwrap();
        let path = sandbox.lane_path("login");
        assert_eq!(
            sandbox.git_in(&path, ["status", "--porcelain", "--branch"]),
            "## mine\n?? untracked"
        );
        assert_eq!(sandbox.git(["branch", "--list", "login"]), "");
        assert_eq!(sandbox.git(["worktree", "list"]).lines().count(), 2);
        sandbox.nothing_left_behind(0);
    }
}
