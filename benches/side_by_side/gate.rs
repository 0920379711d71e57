//! The worktree in which a gate runs, against one that is made for it.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use git_lane::internals::{ObjectId, OwnWorktree, Repository, Slot};

use crate::fixture::Fixtures;
use crate::race::Race;

/// Names the commit in a process that is one side of the race.
const COMMIT: &str = "GIT_LANE_BENCH_GATE";

/// Does what the process was started for, if that is a side of the race.
pub fn is_side() -> bool {
    let Ok(commit) = std::env::var(COMMIT) else {
        return false;
    };
    let commit = ObjectId::from_hex(commit.as_bytes()).expect("a commit");
    let repository = Repository::discover().expect("a repository");
    let patience = Duration::from_secs(10);
    let own = OwnWorktree::take(&repository, Slot::Gate, patience, &mut || ());
    let done = own.and_then(|mut own| own.check_out(&repository, commit));
    done.expect("the worktree is prepared");
    true
}

/// Ten files of many are others than in the run before.
pub fn worktree(race: &mut Race) {
    // Of a small tree it is the programs that count, not the files.
    let sizes = race.fixtures.sizes().into_iter();
    for files in sizes.filter(|files| *files >= 10_000) {
        let (ours, theirs) = (race.fixtures.clone_of(files), race.fixtures.clone_of(files));
        let commits = [&ours, &theirs].map(|repo| {
            let first = head(&race.fixtures, repo);
            for file in (0..files).step_by(files / 10) {
                let directory = format!("d{}/e{}", file / 500, file / 25 % 20);
                let path = repo.join(directory).join(format!("file{file}.txt"));
                std::fs::write(path, "changed\n").unwrap();
            }
            race.fixtures
                .git(repo, &["commit", "-q", "-a", "-m", "second"]);
            [first, head(&race.fixtures, repo)]
        });
        race.run(
            &format!("gate worktree, {files} files, 10 differ / add + remove"),
            0.1,
            &mut |fixtures, round| {
                let program = std::env::current_exe().unwrap();
                let mut command = fixtures.command(program.to_str().unwrap(), &ours);
                command.env(COMMIT, &commits[0][round % 2]);
                command.env("XDG_CACHE_HOME", ours.parent().unwrap().join("cache"));
                command
            },
            &mut |fixtures, round| {
                let git = std::env::var("GIT_LANE_TEST_GIT").unwrap_or_else(|_| "git".into());
                let mut command = fixtures.command("sh", &theirs);
                let script = format!(
                    "{git} worktree add -q --detach ../gate {} && {git} worktree remove --force ../gate",
                    commits[1][round % 2]
                );
                command.args(["-c", &script]);
                command
            },
        );
    }
}

/// What a gate adds to a landing, beside what its commands take.
pub fn finish(race: &mut Race) {
    for files in [1_000, 10_000] {
        let repos = [race.fixtures.clone_of(files), race.fixtures.clone_of(files)];
        let side = |fixtures: &Fixtures, round: usize, which: usize| {
            let (repo, name) = (&repos[which], format!("lane{round}"));
            fixtures.lane(repo, &["start", &name]);
            let lane = repo.parent().unwrap().join("shop.lanes").join(&name);
            work(fixtures, &lane, &name);
            fixtures.settle(repo);
            let mut command = fixtures.command("git-lane", repo);
            command.args(["finish", &name]);
            own_state(&mut command, repo);
            command
        };
        race.run_longer(
            &format!("finish behind gate 'true', {files} files / 60 ms"),
            Duration::from_millis(60),
            &mut |fixtures, round| {
                let mut command = side(fixtures, round, 0);
                command.args(["--gate", "true"]);
                command
            },
            &mut |fixtures, round| side(fixtures, round, 1),
        );
    }
}

/// Lanes that land at once behind a gate of two seconds, against one after the other.
pub fn batch(race: &mut Race) {
    let side = |fixtures: &Fixtures, script: &str| {
        let repo = fixtures.clone_of(1_000);
        for lane in 0..LANES {
            let name = format!("lane{lane}");
            fixtures.lane(&repo, &["start", &name]);
            let lane = repo.parent().unwrap().join("shop.lanes").join(&name);
            work(fixtures, &lane, &name);
        }
        fixtures.settle(&repo);
        let mut command = fixtures.command("sh", &repo);
        let text = format!("i=0; while test $i -lt {LANES}; do {script}; i=$((i + 1)); done; wait");
        command.args(["-c", &text, env!("CARGO_BIN_EXE_git-lane")]);
        own_state(&mut command, &repo);
        command
    };
    let finish = "\"$0\" finish lane$i --gate 'sleep 2'";
    race.run_once(
        &format!("{LANES} finish at once, gate of 2 s / one by one"),
        0.25,
        &mut |fixtures, _| side(fixtures, &format!("{finish} & true")),
        &mut |fixtures, _| side(fixtures, &format!("{finish} || exit")),
    );
}

/// As many as land at once.
const LANES: usize = 50;

fn work(fixtures: &Fixtures, lane: &Path, name: &str) {
    std::fs::write(lane.join(format!("{name}.txt")), "work").unwrap();
    fixtures.git(lane, &["add", "-A"]);
    fixtures.git(lane, &["commit", "-q", "-m", "work"]);
    fixtures.settle(lane);
}

/// Both sides land the same trees, and neither is to know what the gate has said to the other.
fn own_state(command: &mut Command, repo: &Path) {
    let above = repo.parent().unwrap();
    command.env("XDG_STATE_HOME", above.join("state"));
    command.env("XDG_CACHE_HOME", above.join("cache"));
}

fn head(fixtures: &Fixtures, repo: &Path) -> String {
    let mut git = fixtures.command("git", repo);
    let output = git
        .args(["rev-parse", "HEAD"])
        .output()
        .expect("git starts");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
