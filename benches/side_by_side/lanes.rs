//! Many lanes: listing, finishing, dropping, and what that takes in memory.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::fixture::Fixtures;
use crate::race::{Race, peak_memory};

/// A repository with that many lanes.
fn with_lanes(fixtures: &Fixtures, files: usize, lanes: usize) -> PathBuf {
    let repo = fixtures.clone_of(files);
    let names: Vec<String> = (0..lanes).map(|n| format!("lane{n}")).collect();
    for some in names.chunks(50) {
        let mut args = vec!["start"];
        args.extend(some.iter().map(String::as_str));
        fixtures.lane(&repo, &args);
    }
    repo
}

fn list(fixtures: &Fixtures, repo: &Path, args: &[&str]) -> Command {
    let mut command = fixtures.command("git-lane", repo);
    command.arg("list").args(args);
    command
}

/// All states against `git status` in every worktree, two at a time.
pub fn list_with_status(race: &mut Race) {
    for (files, lanes) in [
        (1_000, 1),
        (1_000, 10),
        (1_000, 50),
        (10_000, 1),
        (10_000, 10),
        (50_000, 1),
    ] {
        if !race.fixtures.sizes().contains(&files) {
            continue;
        }
        let repo = with_lanes(&race.fixtures, files, lanes);
        race.run(
            &format!("list, {lanes} lanes, {files} files / status -P2"),
            0.6,
            &mut |fixtures, _| list(fixtures, &repo, &[]),
            &mut |fixtures, _| {
                let mut command = fixtures.command("sh", &repo);
                let git = std::env::var("GIT_LANE_TEST_GIT").unwrap_or_else(|_| "git".into());
                let script =
                    "ls -d . ../shop.lanes/* | xargs -P2 -I{} \"$0\" -C {} status --porcelain";
                command.args(["-c", script, &git]);
                command
            },
        );
    }
}

/// Names only against `git worktree list`.
pub fn list_without_status(race: &mut Race) {
    for lanes in [50, 1000] {
        let repo = with_lanes(&race.fixtures, 20, lanes);
        race.run(
            &format!("list --no-status, {lanes} lanes / worktree list"),
            1.5,
            &mut |fixtures, _| list(fixtures, &repo, &["--no-status"]),
            &mut |fixtures, _| {
                let mut command = fixtures.command("git", &repo);
                command.args(["worktree", "list"]);
                command
            },
        );
    }
}

/// Twice the lanes, at most 2.2 times the time.
pub fn growth(race: &mut Race) {
    for args in [&[][..], &["--no-status"]] {
        let (many, few) = (
            with_lanes(&race.fixtures, 1_000, 100),
            with_lanes(&race.fixtures, 1_000, 50),
        );
        race.run(
            &format!("list {}, 100 lanes / 50 lanes", args.join(" ")),
            2.2,
            &mut |fixtures, _| list(fixtures, &many, args),
            &mut |fixtures, _| list(fixtures, &few, args),
        );
    }
}

fn work(fixtures: &Fixtures, worktree: &Path, round: usize) {
    std::fs::write(worktree.join(format!("work{round}.txt")), "work").unwrap();
    fixtures.git(worktree, &["add", "-A"]);
    fixtures.git(worktree, &["commit", "-q", "-m", "work"]);
    fixtures.settle(worktree);
}

/// A clean lane lands and goes.
pub fn finish(race: &mut Race) {
    for files in [1_000, 10_000] {
        let (ours, theirs) = (race.fixtures.clone_of(files), race.fixtures.clone_of(files));
        race.run(
            &format!("finish, {files} files / merge, remove, branch -d"),
            0.5,
            &mut |fixtures, round| {
                let name = format!("lane{round}");
                fixtures.lane(&ours, &["start", &name]);
                work(
                    fixtures,
                    &ours.parent().unwrap().join("shop.lanes").join(&name),
                    round,
                );
                fixtures.settle(&ours);
                let mut command = fixtures.command("git-lane", &ours);
                command.args(["finish", &name]);
                command
            },
            &mut |fixtures, round| {
                let name = format!("lane{round}");
                let worktree = theirs.parent().unwrap().join("lanes").join(&name);
                fixtures.git(
                    &theirs,
                    &[
                        "worktree",
                        "add",
                        "-q",
                        "-b",
                        &name,
                        worktree.to_str().unwrap(),
                    ],
                );
                work(fixtures, &worktree, round);
                fixtures.settle(&theirs);
                let mut command = fixtures.command("sh", &theirs);
                let git = std::env::var("GIT_LANE_TEST_GIT").unwrap_or_else(|_| "git".into());
                let script = "\"$0\" merge -q --no-ff --no-edit \"$1\" && \"$0\" worktree \
                              remove \"$2\" && \"$0\" branch -q -d \"$1\"";
                command.args(["-c", script, &git, &name]).arg(&worktree);
                command
            },
        );
    }
}

/// A landing is taken back, and the lane is there again.
pub fn undo(race: &mut Race) {
    for files in [1_000, 10_000] {
        let (ours, theirs) = (race.fixtures.clone_of(files), race.fixtures.clone_of(files));
        race.run(
            &format!("undo, {files} files / reset --keep, worktree add"),
            0.6,
            &mut |fixtures, round| {
                let name = format!("lane{round}");
                fixtures.lane(&ours, &["start", &name]);
                let worktree = ours.parent().unwrap().join("shop.lanes").join(&name);
                work(fixtures, &worktree, round);
                fixtures.lane(&ours, &["finish", &name]);
                fixtures.settle(&ours);
                let mut command = fixtures.command("git-lane", &ours);
                command.args(["undo", &name]);
                command
            },
            &mut |fixtures, round| {
                let name = format!("lane{round}");
                let worktree = theirs.parent().unwrap().join("lanes").join(&name);
                let place = worktree.to_str().unwrap();
                fixtures.git(&theirs, &["worktree", "add", "-q", "-b", &name, place]);
                work(fixtures, &worktree, round);
                let message = "merge";
                fixtures.git(&theirs, &["merge", "-q", "--no-ff", "-m", message, &name]);
                fixtures.git(&theirs, &["worktree", "remove", place]);
                fixtures.settle(&theirs);
                let mut command = fixtures.command("sh", &theirs);
                let git = std::env::var("GIT_LANE_TEST_GIT").unwrap_or_else(|_| "git".into());
                let script = "\"$0\" reset -q --keep HEAD^ && \"$0\" worktree add -q \"$2\" \"$1\"";
                command.args(["-c", script, &git, &name]).arg(&worktree);
                command
            },
        );
    }
}

/// A large lane goes to the trash.
pub fn drop_large(race: &mut Race) {
    let Some(&files) = race.fixtures.sizes().last() else {
        return;
    };
    let (ours, theirs) = (race.fixtures.clone_of(files), race.fixtures.clone_of(files));
    race.run(
        &format!("drop --force, {files} files / worktree remove --force"),
        0.05,
        &mut |fixtures, round| {
            let name = format!("lane{round}");
            fixtures.lane(&ours, &["start", &name]);
            let mut command = fixtures.command("git-lane", &ours);
            command.args(["drop", "--force", &name]);
            command
        },
        &mut |fixtures, round| {
            let worktree = theirs.parent().unwrap().join(format!("lanes/lane{round}"));
            fixtures.git(
                &theirs,
                &[
                    "worktree",
                    "add",
                    "-q",
                    "--detach",
                    worktree.to_str().unwrap(),
                ],
            );
            let mut command = fixtures.command("git", &theirs);
            command
                .args(["worktree", "remove", "--force"])
                .arg(worktree);
            command
        },
    );
}

/// The most memory a command takes, in MiB, against the hundred it may take.
pub fn memory(race: &mut Race) {
    let Some(&files) = race.fixtures.sizes().last() else {
        return;
    };
    let repo = race.fixtures.clone_of(files);
    for args in [
        &["start", "lane"][..],
        &["list"],
        &["finish", "lane"],
        &["restore", "lane"],
        &["drop", "--force", "lane"],
        &["prune"],
    ] {
        let mut command = race.fixtures.command("git-lane", &repo);
        let peak = peak_memory(command.args(args).stderr(std::process::Stdio::null()));
        race.result(
            &format!("memory of {}, {files} files / 100 MiB", args.join(" ")),
            peak,
            100.0,
            1.0,
            "MB",
        );
    }
    let bare = race.fixtures.bare_clone_of(files);
    let mut command = race.fixtures.command("git-lane", &bare);
    let peak = peak_memory(
        command
            .args(["start", "lane"])
            .stderr(std::process::Stdio::null()),
    );
    race.result(
        &format!("memory of start, objects, {files} files / 100 MiB"),
        peak,
        100.0,
        1.0,
        "MB",
    );
}

/// How many lanes are brought up to date.
const SYNCED: usize = 20;

/// Main gets a commit that changes a few files.
fn advance(fixtures: &Fixtures, repo: &Path, round: usize) {
    for number in 0..5 {
        std::fs::write(
            repo.join(format!("base-{number}.txt")),
            format!("round {round}\n"),
        )
        .unwrap();
    }
    fixtures.git(repo, &["add", "-A"]);
    fixtures.git(repo, &["commit", "-q", "-m", "base"]);
    fixtures.settle(repo);
}

/// Twenty lanes with work of their own take what is new on main, by a merge commit each.
pub fn sync(race: &mut Race) {
    for files in [1_000, 10_000] {
        let prepared = |fixtures: &Fixtures| {
            let repo = fixtures.text_clone_of(files);
            let names: Vec<String> = (0..SYNCED).map(|n| format!("lane{n}")).collect();
            let mut args = vec!["start"];
            args.extend(names.iter().map(String::as_str));
            fixtures.lane(&repo, &args);
            for (number, name) in names.iter().enumerate() {
                work(
                    fixtures,
                    &repo.parent().unwrap().join("shop.lanes").join(name),
                    number,
                );
            }
            repo
        };
        let (ours, theirs) = (prepared(&race.fixtures), prepared(&race.fixtures));
        race.run(
            &format!("sync of {SYNCED} lanes, {files} files / merge in each"),
            0.5,
            &mut |fixtures, round| {
                advance(fixtures, &ours, round);
                let mut command = fixtures.command("git-lane", &ours);
                command.args(["sync", "--all"]);
                command
            },
            &mut |fixtures, round| {
                advance(fixtures, &theirs, round);
                let mut command = fixtures.command("sh", &theirs);
                let git = std::env::var("GIT_LANE_TEST_GIT").unwrap_or_else(|_| "git".into());
                let script = "for lane in ../shop.lanes/*; do \"$0\" -C \"$lane\" merge -q --no-edit main \
                              || exit; done";
                command.args(["-c", script, &git]);
                command
            },
        );
    }
}
