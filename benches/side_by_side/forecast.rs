//! What would conflict, against the gits that would find it out.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::fixture::Fixtures;
use crate::race::Race;

/// A repository of text with that many lanes. Each has changed ten files of one of ten directories,
/// so that some of them meet, and a few conflict.
struct Lanes {
    repo: PathBuf,
    lanes: Vec<PathBuf>,
}

impl Lanes {
    fn new(fixtures: &Fixtures, count: usize) -> Self {
        let repo = fixtures.text_clone_of(5_000);
        let names: Vec<String> = (0..count).map(|lane| format!("lane{lane}")).collect();
        let args: Vec<&str> = std::iter::once("start")
            .chain(names.iter().map(String::as_str))
            .collect();
        fixtures.lane(&repo, &args);
        let home = repo.parent().unwrap().join("shop.lanes");
        let lanes: Vec<PathBuf> = names.iter().map(|name| home.join(name)).collect();
        for (number, lane) in lanes.iter().enumerate() {
            for change in 0..10 {
                let file = number % 10 * 500 + (number * 37 + change * 13) % 500;
                let path = lane.join(name_of(file));
                let text = std::fs::read_to_string(&path).unwrap();
                let text: String = text
                    .lines()
                    .enumerate()
                    .map(|(at, line)| match at == change % 3 {
                        true => format!("{line}, says lane {number}\n"),
                        false => format!("{line}\n"),
                    })
                    .collect();
                std::fs::write(&path, text).unwrap();
            }
        }
        Lanes { repo, lanes }
    }

    fn commit(self, fixtures: &Fixtures) -> Self {
        for lane in &self.lanes {
            fixtures.git(lane, &["commit", "-q", "-a", "-m", "work"]);
        }
        fixtures.settle(&self.repo);
        self
    }

    /// Every pair of lanes, and every lane with main, a line each.
    fn pairs(&self) -> String {
        let names: Vec<String> = (0..self.lanes.len()).map(|n| format!("lane{n}")).collect();
        let mut pairs = String::new();
        for (at, one) in names.iter().enumerate() {
            let _ = writeln!(pairs, "main {one}");
            for other in &names[at + 1..] {
                let _ = writeln!(pairs, "{one} {other}");
            }
        }
        pairs
    }

    /// The forecast; a conflict is no failure here. On a first look nothing is remembered.
    fn check(&self, fixtures: &Fixtures, args: &str, first: bool) -> Command {
        if first {
            let _ = std::fs::remove_file(self.repo.join(".git/lane/forecasts.json"));
        }
        let program = env!("CARGO_BIN_EXE_git-lane");
        shell(
            fixtures,
            &self.repo,
            &format!("'{program}' check {args} --json || test $? = 3"),
        )
    }
}

/// A file of the repository of texts.
fn name_of(file: usize) -> String {
    format!("files/d{}/e{}/file{file}.txt", file / 500, file / 25 % 20)
}

fn shell(fixtures: &Fixtures, repo: &Path, script: &str) -> Command {
    let mut command = fixtures.command("sh", repo);
    command.args(["-c", script]);
    command
}

fn git() -> String {
    std::env::var("GIT_LANE_TEST_GIT").unwrap_or_else(|_| "git".into())
}

/// Fifty lanes by their commits, against one git that merges all pairs.
pub fn committed(race: &mut Race) {
    let lanes = Lanes::new(&race.fixtures, 50).commit(&race.fixtures);
    let pairs = lanes.repo.with_extension("pairs");
    std::fs::write(&pairs, lanes.pairs()).unwrap();
    let merge = format!(
        "{} merge-tree --write-tree --stdin --name-only <'{}'",
        git(),
        pairs.display()
    );
    for (title, first, aim) in [
        ("check --committed, 50 lanes / merge-tree", true, 0.25),
        ("the same, a second look / merge-tree", false, 0.05),
    ] {
        race.run(
            title,
            aim,
            &mut |fixtures, _| lanes.check(fixtures, "--committed", first),
            &mut |fixtures, _| shell(fixtures, &lanes.repo, &merge),
        );
    }
}

/// Ten lanes with what is not committed in them, against a stash of each and the merges of those.
pub fn uncommitted(race: &mut Race) {
    let lanes = Lanes::new(&race.fixtures, 10);
    race.fixtures.settle(&lanes.repo);
    let git = git();
    let script = format!(
        "set -- main $(for lane in ../shop.lanes/*; do {git} -C $lane stash create; done); \
         while test $# -gt 1; do one=$1; shift; for other; do echo $one $other; done; done | \
         {git} merge-tree --write-tree --stdin --name-only"
    );
    race.run(
        "check, 10 lanes as they are / stash, merge-tree",
        0.5,
        &mut |fixtures, _| lanes.check(fixtures, "", true),
        &mut |fixtures, _| shell(fixtures, &lanes.repo, &script),
    );
}

/// Who has changed a file, in fifty lanes, against a diff of it in each, two at a time.
pub fn path(race: &mut Race) {
    let lanes = Lanes::new(&race.fixtures, 50);
    for lane in &lanes.lanes {
        race.fixtures
            .git(lane, &["update-index", "-q", "--refresh"]);
    }
    let (git, file) = (git(), name_of(74));
    let script = format!(
        "ls -d ../shop.lanes/* | xargs -P2 -I{{}} {git} -C {{}} diff --name-only main -- {file}"
    );
    race.run(
        "check --path, 50 lanes / diff --name-only -P2",
        0.3,
        &mut |fixtures, _| lanes.check(fixtures, &format!("--path {file}"), false),
        &mut |fixtures, _| shell(fixtures, &lanes.repo, &script),
    );
}
