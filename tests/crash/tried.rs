//! Lanes that the main worktree shows, stopped on the way there and back.

use super::scenarios::Scenario;
use crate::support::{Sandbox, write};
use crate::try_lane::{contents, forgotten, of_main};

pub const ALL: &[Scenario] = &[
    Scenario::new("try", &["try", "login"], at_work, shown).halfway(by_the_teams_word),
    Scenario::new("try another", &["try", "login"], another, shown).halfway(by_the_teams_word),
    Scenario::new("try --back", &["try", "--back"], trying, back).halfway(by_the_teams_word),
    Scenario::new("try --back, moved on", &["try", "--back"], moved, forward)
        .halfway(by_the_teams_word),
    Scenario::new(
        "try --back --to-lane",
        &["try", "--back", "--to-lane"],
        edited,
        taken,
    )
    .halfway(nothing_is_lost),
    Scenario::new("undo try", &["undo", "login"], trying, back).halfway(by_the_teams_word),
];

/// A main worktree with a policy, and a lane with another one and work of every kind.
fn at_work(sandbox: &Sandbox) -> String {
    sandbox.write("lane.toml", "[start]\nowner = \"team\"\n");
    sandbox.write(".gitignore", "*.log\n");
    sandbox.write("sub/deep.txt", "deep\n");
    sandbox.commit("policy");
    sandbox.lane_by_git("login");
    let lane = sandbox.lane_path("login");
    sandbox.work("login", "src/app.txt", "one\ntwo\nTHREE\n");
    write(&lane.join("lane.toml"), "[start]\nowner = \"lane\"\n");
    write(&lane.join("staged.txt"), "staged\n");
    sandbox.git_in(&lane, ["add", "staged.txt"]);
    write(&lane.join("untracked/new.txt"), "new\n");
    std::fs::remove_file(lane.join("sub/deep.txt")).unwrap();
    sandbox.write("own.log", "mine\n");
    of_main(sandbox)
}

fn trying(sandbox: &Sandbox) -> String {
    let before = at_work(sandbox);
    sandbox.lane(["try", "login"]).ok();
    before
}

fn another(sandbox: &Sandbox) -> String {
    let before = at_work(sandbox);
    sandbox.lane(["start", "other"]).ok();
    write(&sandbox.lane_path("other").join("README"), "other\n");
    sandbox.lane(["try", "other"]).ok();
    before
}

fn moved(sandbox: &Sandbox) -> String {
    sandbox.lane(["start", "other"]).ok();
    sandbox.work("other", "other.txt", "other\n");
    trying(sandbox);
    sandbox.lane(["finish", "other"]).ok();
    String::new()
}

fn edited(sandbox: &Sandbox) -> String {
    let before = trying(sandbox);
    sandbox.write("README", "edited in main\n");
    sandbox.write("made/in/main.txt", "new\n");
    std::fs::remove_file(sandbox.repo.join("staged.txt")).unwrap();
    before
}

/// At no moment is a file of the lane the team's word.
fn by_the_teams_word(sandbox: &Sandbox) {
    let config = sandbox.lane(["config", "--json"]).ok();
    assert!(
        config.contains("\"team\"") && !config.contains("\"lane\""),
        "{config}"
    );
}

/// At every moment each edit is in one of the two worktrees.
fn nothing_is_lost(sandbox: &Sandbox) {
    by_the_teams_word(sandbox);
    let (main, lane) = (
        contents(&sandbox.repo),
        contents(&sandbox.lane_path("login")),
    );
    for (path, bytes) in [
        ("README", "edited in main\n"),
        ("made/in/main.txt", "new\n"),
    ] {
        let has = |files: &std::collections::BTreeMap<Vec<u8>, (String, Vec<u8>)>| {
            let found = files.get(path.as_bytes());
            found.is_some_and(|(_, found)| found == bytes.as_bytes())
        };
        assert!(has(&main) || has(&lane), "{path}");
    }
}

fn at_rest(sandbox: &Sandbox) {
    sandbox.nothing_under_way();
    assert!(sandbox.locks_of_git().is_empty());
    let lane = sandbox.lane_path("login");
    assert!(lane.join("untracked/new.txt").exists());
    assert_eq!(
        std::fs::read(lane.join("src/app.txt")).unwrap(),
        b"one\ntwo\nTHREE\n"
    );
}

fn shown(sandbox: &Sandbox, _: &str) {
    at_rest(sandbox);
    let head = sandbox.git(["rev-parse", "HEAD"]);
    // A signal that came before anything began has left the lane where it was.
    assert_eq!(head, sandbox.git(["rev-parse", "refs/lane/try"]));
    assert_eq!(sandbox.git(["config", "lane.triedCommit"]), head);
    assert_eq!(sandbox.git(["status", "--porcelain"]), "");
    let mut main = contents(&sandbox.repo);
    main.remove(&b"own.log"[..]);
    assert_eq!(main, contents(&sandbox.lane_path("login")));
}

fn back(sandbox: &Sandbox, before: &str) {
    at_rest(sandbox);
    assert_eq!(of_main(sandbox), before);
    forgotten(sandbox);
}

fn forward(sandbox: &Sandbox, _: &str) {
    at_rest(sandbox);
    assert_eq!(sandbox.git(["symbolic-ref", "HEAD"]), "refs/heads/main");
    assert_eq!(sandbox.git(["status", "--porcelain"]), "");
    assert!(sandbox.repo.join("other.txt").exists());
    forgotten(sandbox);
}

fn taken(sandbox: &Sandbox, before: &str) {
    back(sandbox, before);
    let lane = sandbox.lane_path("login");
    let read = |path: &str| std::fs::read(lane.join(path)).unwrap();
    assert_eq!(read("README"), b"edited in main\n");
    assert_eq!(read("made/in/main.txt"), b"new\n");
    assert!(!lane.join("staged.txt").exists());
    let left = crate::support::files(&lane);
    let ready = |path: &std::path::PathBuf| path.to_string_lossy().contains(".git-lane-");
    assert!(!left.iter().any(ready), "{left:?}");
}
