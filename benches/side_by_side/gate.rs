//! The worktree in which a gate runs, against one that is made for it.

use std::path::Path;
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

fn head(fixtures: &Fixtures, repo: &Path) -> String {
    let mut git = fixtures.command("git", repo);
    let output = git
        .args(["rev-parse", "HEAD"])
        .output()
        .expect("git starts");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
