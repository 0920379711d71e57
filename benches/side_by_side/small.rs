//! Starting where little is to be written: small files of real text, and few files among many
//! lanes.

use std::path::Path;

use crate::fixture::Fixtures;
use crate::race::Race;

/// Files of real text, fewer than 700 bytes each. Making a file takes the kernel longer than
/// filling it; `cp -r` beside it is the floor.
pub fn text(race: &mut Race) {
    for files in [1_000, 10_000] {
        let (ours, theirs) = (
            race.fixtures.text_clone_of(files),
            race.fixtures.text_clone_of(files),
        );
        race.run(
            &format!("start, text, {files} small files / worktree add"),
            0.9,
            &mut |fixtures, round| start(fixtures, &ours, round),
            &mut |fixtures, round| add(fixtures, &theirs, round),
        );
        let floor = race.fixtures.text_clone_of(files);
        race.run(
            &format!("start, text, {files} small files / cp -r"),
            1.2,
            &mut |fixtures, round| start(fixtures, &ours, 1_000 + round),
            &mut |fixtures, round| {
                let mut command = fixtures.command("cp", &floor);
                command
                    .arg("-r")
                    .arg("files")
                    .arg(floor.with_extension(format!("copy{round}")));
                command
            },
        );
    }
}

/// A lane of twenty files among a thousand, and among ten; git's own worktree beside both.
pub fn among_lanes(race: &mut Race) {
    let (many, few) = (
        with_lanes(&race.fixtures, 1_000),
        with_lanes(&race.fixtures, 10),
    );
    race.run(
        "start, 20 files, among 1000 lanes / among 10",
        1.5,
        &mut |fixtures, round| start(fixtures, &many, round),
        &mut |fixtures, round| start(fixtures, &few, round),
    );
    for (repo, lanes) in [(&few, 10), (&many, 1_000)] {
        race.run(
            &format!("start, 20 files, among {lanes} / worktree add"),
            2.0,
            &mut |fixtures, round| start(fixtures, repo, 1_000 + round),
            &mut |fixtures, round| add(fixtures, repo, round),
        );
    }
}

fn with_lanes(fixtures: &Fixtures, lanes: usize) -> std::path::PathBuf {
    let repo = fixtures.text_clone_of(20);
    let names: Vec<String> = (0..lanes).map(|number| format!("there{number}")).collect();
    let args: Vec<&str> = std::iter::once("start")
        .chain(names.iter().map(String::as_str))
        .collect();
    fixtures.lane(&repo, &args);
    repo
}

fn start(fixtures: &Fixtures, repo: &Path, round: usize) -> std::process::Command {
    let mut command = fixtures.command("git-lane", repo);
    command.args(["start", &format!("lane{round}")]);
    command
}

fn add(fixtures: &Fixtures, repo: &Path, round: usize) -> std::process::Command {
    let mut command = fixtures.command("git", repo);
    command.args(["worktree", "add", "-q", "-b", &format!("tree{round}")]);
    command.arg(repo.parent().unwrap().join(format!("trees/tree{round}")));
    command
}
