//! Starting: the program, a lane, and the first look at it.

use std::path::PathBuf;

use crate::race::Race;

/// `git-lane --version` against a program that does nothing.
pub fn version(race: &mut Race) {
    let source = race.fixtures.fresh("empty").with_extension("rs");
    let program = source.with_extension("");
    std::fs::write(&source, "fn main() {}").unwrap();
    let built = std::process::Command::new("rustc")
        .args(["-O", "-o"])
        .arg(&program)
        .arg(&source)
        .status();
    assert!(built.expect("rustc starts").success());
    let here = PathBuf::from("/");
    race.run(
        "git-lane --version / an empty program",
        2.0,
        &mut |fixtures, _| {
            let mut command = fixtures.command("git-lane", &here);
            command.arg("--version");
            command
        },
        &mut |fixtures, _| fixtures.command(program.to_str().unwrap(), &here),
    );
}

/// Files copied from the main worktree.
pub fn from_a_worktree(race: &mut Race) {
    for files in race.fixtures.sizes() {
        let (ours, theirs) = (race.fixtures.clone_of(files), race.fixtures.clone_of(files));
        add(
            race,
            &format!("start, copied, {files} files / worktree add"),
            0.35,
            &ours,
            &theirs,
        );
    }
}

/// Nothing to copy from.
pub fn from_the_object_database(race: &mut Race) {
    for files in race.fixtures.sizes() {
        // Every lane made would be one to copy from, so each round has a repository of its own.
        race.run(
            &format!("start, objects, {files} files / worktree add"),
            0.6,
            &mut |fixtures, _| {
                let repo = fixtures.bare_clone_of(files);
                let mut command = fixtures.command("git-lane", &repo);
                command.args(["start", "lane"]);
                command
            },
            &mut |fixtures, _| {
                let repo = fixtures.bare_clone_of(files);
                let mut command = fixtures.command("git", &repo);
                command
                    .args(["worktree", "add", "-q", "-b", "lane"])
                    .arg(repo.with_extension("lanes"));
                command
            },
        );
    }
}

/// Twenty lanes from a task file against as many `git worktree add`, two at a time.
pub fn from_a_task_file(race: &mut Race) {
    const LANES: usize = 20;
    let files = race.fixtures.sizes()[0];
    // The lanes of one round are no sources for the next, and do not stay: it is a lot of files.
    let mut before = [None::<PathBuf>, None];
    let fresh = move |fixtures: &crate::fixture::Fixtures, side: usize| {
        if let Some(before) = before[side].take() {
            let _ = std::fs::remove_dir_all(before);
        }
        let repo = fixtures.clone_of(files);
        before[side] = repo.parent().map(PathBuf::from);
        // What making the repository has left to be written would slow down either side at random.
        let _ = fixtures.command("sync", &repo).status();
        repo
    };
    let fresh = std::cell::RefCell::new(fresh);
    race.run(
        &format!("start --from, {LANES} lanes / worktree add -P2"),
        0.3,
        &mut |fixtures, _| {
            let repo = fresh.borrow_mut()(fixtures, 0);
            let line = |number| format!("{{\"name\": \"lane{number}\"}}\n");
            let tasks = repo.parent().unwrap().join("tasks");
            std::fs::write(&tasks, (0..LANES).map(line).collect::<String>()).unwrap();
            let mut command = fixtures.command("git-lane", &repo);
            command.args(["start", "--from"]).arg(tasks);
            command
        },
        &mut |fixtures, _| {
            let repo = fresh.borrow_mut()(fixtures, 1);
            let git = fixtures.command("git", &repo);
            let git = git.get_program().to_str().unwrap().to_owned();
            let add = format!("{git} worktree add -q -b lane{{}} ../lanes/lane{{}}");
            let mut command = fixtures.command("sh", &repo);
            command
                .arg("-c")
                .arg(format!("seq {LANES} | xargs -P2 -I{{}} {add}"));
            command
        },
    );
}

fn add(race: &mut Race, title: &str, aim: f64, ours: &std::path::Path, theirs: &std::path::Path) {
    race.run(
        title,
        aim,
        &mut |fixtures, round| {
            let mut command = fixtures.command("git-lane", ours);
            command.args(["start", &format!("lane{round}")]);
            command
        },
        &mut |fixtures, round| {
            let mut command = fixtures.command("git", theirs);
            command.args(["worktree", "add", "-q", "-b", &format!("lane{round}")]);
            command.arg(theirs.parent().unwrap().join(format!("lanes/lane{round}")));
            command
        },
    );
}

/// The first `git status` in a lane against one in the main worktree, which is settled.
pub fn first_status(race: &mut Race) {
    for files in race.fixtures.sizes() {
        let repo = race.fixtures.clone_of(files);
        let status = |fixtures: &crate::fixture::Fixtures, directory: &std::path::Path| {
            let mut command = fixtures.command("git", directory);
            command.args(["status", "--porcelain"]);
            command
        };
        race.run(
            &format!("first status, {files} files / settled"),
            1.2,
            &mut |fixtures, round| {
                fixtures.lane(&repo, &["start", &format!("lane{round}")]);
                status(
                    fixtures,
                    &repo
                        .parent()
                        .unwrap()
                        .join(format!("shop.lanes/lane{round}")),
                )
            },
            &mut |fixtures, _| status(fixtures, &repo),
        );
    }
}
