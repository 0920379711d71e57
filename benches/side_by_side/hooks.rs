//! What the rule costs: git with our hooks, with a hook that does nothing, and without any.
//!
//! An empty `#!/bin/sh` hook is what every hook costs; what counts at level restore is how much
//! ours add against how much that adds, at level refuse the whole command.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::fixture::Fixtures;
use crate::race::Race;

/// One git command repeated, so that starting the shell that repeats it counts for little.
const TIMES: usize = 20;

/// A repository with three lanes; what its hooks are is up to the caller.
fn shop(fixtures: &Fixtures) -> PathBuf {
    let repo = fixtures.clone_of(20);
    fixtures.git(&repo, &["branch", "-q", "other"]);
    fixtures.lane(&repo, &["start", "one", "two", "three"]);
    repo
}

fn with_the_rule(fixtures: &Fixtures, level: &str) -> PathBuf {
    let repo = shop(fixtures);
    let mut init = on_path(fixtures.command("git-lane", &repo));
    let output = init
        .args(["init", "--level", level])
        .output()
        .expect("git-lane starts");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    repo
}

fn with_an_empty_hook(fixtures: &Fixtures, name: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let repo = shop(fixtures);
    let hooks = repo.join(".git/hooks");
    std::fs::create_dir_all(&hooks).unwrap();
    let hook = hooks.join(name);
    std::fs::write(&hook, "#!/bin/sh\n").unwrap();
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    repo
}

/// The hooks look for `git-lane` on PATH.
fn on_path(mut command: Command) -> Command {
    let own = Path::new(env!("CARGO_BIN_EXE_git-lane"))
        .parent()
        .unwrap_or(Path::new("/"))
        .to_owned();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path =
        std::env::join_paths(std::iter::once(own).chain(std::env::split_paths(&path))).unwrap();
    command.env("PATH", path);
    command
}

/// `script` as often as [`TIMES`] says, with `$0` for git.
fn repeated(fixtures: &Fixtures, directory: &Path, script: &str) -> Command {
    let git = std::env::var("GIT_LANE_TEST_GIT").unwrap_or_else(|_| "git".into());
    let mut command = on_path(fixtures.command("sh", directory));
    command.args([
        "-c",
        &format!("n=0; while [ $n -lt {TIMES} ]; do {script}; n=$((n + 1)); done"),
        &git,
    ]);
    command
}

fn lane(repo: &Path) -> PathBuf {
    repo.parent().unwrap().join("shop.lanes/one")
}

/// `git switch` in the main worktree, and to its own branch in a lane.
pub fn switch(race: &mut Race) {
    for (place, script) in [
        (
            "main worktree",
            "\"$0\" switch -q other && \"$0\" switch -q main || exit",
        ),
        (
            "lane",
            "\"$0\" switch -q one && \"$0\" switch -q one || exit",
        ),
    ] {
        let sides = [
            with_the_rule(&race.fixtures, "restore"),
            with_an_empty_hook(&race.fixtures, "post-checkout"),
            shop(&race.fixtures),
        ];
        let sides = if place == "lane" {
            sides.map(|repo| lane(&repo))
        } else {
            sides
        };
        race.run_added(
            &format!("switch, {place}: hook adds / empty adds"),
            2.0,
            2 * TIMES,
            &mut |fixtures, side| repeated(fixtures, &sides[side], script),
        );
    }
}

/// `git switch` where there are no lanes and the rule is in force for every repository of the user.
pub fn switch_without_lanes(race: &mut Race) {
    let sides = [0, 1, 2].map(|_| {
        let repo = race.fixtures.clone_of(20);
        race.fixtures.git(&repo, &["branch", "-q", "other"]);
        repo
    });
    let printed = race
        .fixtures
        .command("git-lane", &sides[0])
        .args(["init", "--global", "--print", "--json"])
        .output();
    let printed: serde_json::Value =
        serde_json::from_slice(&printed.expect("git-lane starts").stdout).unwrap();
    let file = race.fixtures.fresh("hooks.gitconfig");
    std::fs::write(&file, printed["files"][0]["text"].as_str().unwrap()).unwrap();
    race.fixtures.git(
        &sides[0],
        &["config", "include.path", file.to_str().unwrap()],
    );
    let hook = race
        .fixtures
        .command("git", &sides[0])
        .args(["hook", "list", "post-checkout"])
        .output()
        .unwrap();
    if !hook.status.success() {
        println!("skipped: this git has no hooks in its configuration");
        return;
    }
    let empty = sides[1].join(".git/hooks/post-checkout");
    std::fs::copy(
        with_an_empty_hook(&race.fixtures, "post-checkout").join(".git/hooks/post-checkout"),
        empty,
    )
    .unwrap();
    race.run_added(
        "switch, no lanes: hook adds / empty adds",
        2.0,
        2 * TIMES,
        &mut |fixtures, side| {
            repeated(
                fixtures,
                &sides[side],
                "\"$0\" switch -q other && \"$0\" switch -q main || exit",
            )
        },
    );
}

/// `git commit` in a lane at level restore.
pub fn commit(race: &mut Race) {
    let sides = [
        with_the_rule(&race.fixtures, "restore"),
        with_an_empty_hook(&race.fixtures, "pre-commit"),
        shop(&race.fixtures),
    ]
    .map(|repo| lane(&repo));
    race.run_added(
        "commit: hook adds / empty adds",
        2.0,
        TIMES,
        &mut |fixtures, side| {
            repeated(
                fixtures,
                &sides[side],
                "\"$0\" commit -q --allow-empty -m x || exit",
            )
        },
    );
}

/// Commit, rebase and fetch at level refuse, whole, against an empty reference-transaction hook.
pub fn refuse(race: &mut Race) {
    let version = race
        .fixtures
        .command("git", Path::new("/"))
        .arg("version")
        .output()
        .unwrap()
        .stdout;
    let version = String::from_utf8_lossy(&version).into_owned();
    let mut numbers = version
        .trim_start_matches("git version ")
        .split('.')
        .map_while(|part| part.parse::<u32>().ok());
    if (numbers.next(), numbers.next()) < (Some(2), Some(46)) {
        println!("skipped: level refuse needs git 2.46");
        return;
    }
    let ours = with_the_rule(&race.fixtures, "refuse");
    let theirs = with_an_empty_hook(&race.fixtures, "reference-transaction");
    for repo in [&ours, &theirs] {
        for n in 0..20 {
            std::fs::write(lane(repo).join(format!("new{n}")), "new").unwrap();
            race.fixtures.git(&lane(repo), &["add", "-A"]);
            race.fixtures
                .git(&lane(repo), &["commit", "-q", "--no-verify", "-m", "new"]);
        }
    }
    let git = |fixtures: &Fixtures, directory: &Path, args: &[&str]| {
        let mut command = on_path(fixtures.command("git", directory));
        command.args(args);
        command
    };
    let rebase = ["rebase", "-q", "--no-ff", "main"];
    race.run(
        "refuse: rebase of 20 commits / empty hook",
        1.5,
        &mut |fixtures, _| git(fixtures, &lane(&ours), &rebase),
        &mut |fixtures, _| git(fixtures, &lane(&theirs), &rebase),
    );
    let commit = "\"$0\" commit -q --allow-empty -m x || exit";
    race.run(
        "refuse: commit / empty hook",
        1.5,
        &mut |fixtures, _| repeated(fixtures, &lane(&ours), commit),
        &mut |fixtures, _| repeated(fixtures, &lane(&theirs), commit),
    );
    let source = race.fixtures.history(2_000, 1_000);
    let fetch = |fixtures: &Fixtures, repo: &Path, round: usize| {
        let new = format!("+refs/heads/many/*:refs/remotes/round{round}/*");
        let mut command = git(fixtures, repo, &["fetch", "-q", source.to_str().unwrap()]);
        command.arg(new);
        command
    };
    for repo in [&ours, &theirs] {
        let objects = source.join("objects");
        std::fs::create_dir_all(repo.join(".git/objects/info")).unwrap();
        std::fs::write(
            repo.join(".git/objects/info/alternates"),
            format!("{}\n", objects.display()),
        )
        .unwrap();
    }
    race.run(
        "refuse: fetch of 1000 new refs / empty hook",
        1.5,
        &mut |fixtures, round| fetch(fixtures, &ours, round),
        &mut |fixtures, round| fetch(fixtures, &theirs, round),
    );
}
