//! Starts that take uncommitted work along, and their undo: at every moment all of it is in one of the two
//! worktrees.

use std::path::{Path, PathBuf};

use super::scenarios::{Scenario, worktrees};
use super::situations::{filtered, split};
use crate::support::{Sandbox, files, write};

const MOVE: &[&str] = &["start", "login", "--move"];

pub const ALL: &[Scenario] = &[
    Scenario::new("start --move", MOVE, at_work, moved).halfway(all_is_somewhere),
    Scenario::new("start --move, filtered", MOVE, at_work_filtered, moved)
        .halfway(all_is_somewhere),
    Scenario::new("start --move by git", MOVE, at_work_by_git, moved).halfway(all_is_somewhere),
    Scenario::new(
        "start --move --keep",
        &["start", "login", "--move", "--keep"],
        at_work,
        copied,
    )
    .halfway(all_is_here),
    Scenario::new("undo start --move", &["undo", "login"], taken_along, back)
        .halfway(all_is_somewhere),
];

const STATUS: &str = "MM README\n D src/app.txt\nA  staged.txt\n?? dir/untracked.txt";

/// Staged, edited, removed and untracked.
fn at_work(sandbox: &Sandbox) -> String {
    sandbox.write("README", "staged\n");
    sandbox.git(["add", "README"]);
    sandbox.write("README", "edited\n");
    sandbox.write("staged.txt", "new and staged\n");
    sandbox.git(["add", "staged.txt"]);
    std::fs::remove_file(sandbox.repo.join("src/app.txt")).unwrap();
    sandbox.write("dir/untracked.txt", "untracked\n");
    sandbox.git(["rev-parse", "main"])
}

/// ... with files that a filter writes once the new worktree is in its place.
fn at_work_filtered(sandbox: &Sandbox) -> String {
    filtered(sandbox);
    at_work(sandbox)
}

/// ... or git, all of them.
fn at_work_by_git(sandbox: &Sandbox) -> String {
    split(sandbox);
    at_work(sandbox)
}

fn status(sandbox: &Sandbox, worktree: &Path) -> String {
    let status = ["status", "--porcelain", "--untracked-files=all"];
    sandbox.git_in(worktree, status)
}

/// What no commit has is a file somewhere, or staged in one of the two.
fn all_is_somewhere(sandbox: &Sandbox) {
    let mut places = files(&sandbox.root().join("shop.lanes"));
    places.extend(files(&sandbox.repo));
    places.retain(|path| path.is_file() && !path.starts_with(sandbox.repo.join(".git")));
    for content in ["edited\n", "new and staged\n", "untracked\n"] {
        let has =
            |path: &PathBuf| std::fs::read(path).is_ok_and(|found| found == content.as_bytes());
        assert!(places.iter().any(has), "{content:?} is nowhere");
    }
    let list = ["worktree", "list", "--porcelain"];
    let listed = sandbox.git(list);
    let worktrees = listed
        .lines()
        .filter_map(|line| line.strip_prefix("worktree "));
    let is_staged = |worktree: &str| {
        let index = ["ls-files", "--stage", "README", "staged.txt"];
        let staged = sandbox.git_in(Path::new(worktree), index);
        staged.contains("19d9cc8584ac2c7dcf57d2680375e80f099dc481") && staged.contains("staged.txt")
    };
    let [id] = ["staged\n"].map(|content| {
        write(&sandbox.root().join("home/content"), content);
        sandbox.git(["hash-object", "--no-filters", "../home/content"])
    });
    assert_eq!(id, "19d9cc8584ac2c7dcf57d2680375e80f099dc481");
    assert!(
        worktrees.into_iter().any(is_staged),
        "nothing is staged any more"
    );
}

/// The copy takes nothing away, whatever becomes of it.
fn all_is_here(sandbox: &Sandbox) {
    assert_eq!(status(sandbox, &sandbox.repo), STATUS);
}

fn is_all_there(sandbox: &Sandbox, worktree: &Path) {
    assert_eq!(status(sandbox, worktree), STATUS);
    let read = |name: &str| std::fs::read_to_string(worktree.join(name)).unwrap();
    assert_eq!(read("README"), "edited\n");
    assert_eq!(read("staged.txt"), "new and staged\n");
    assert_eq!(read("dir/untracked.txt"), "untracked\n");
    assert_eq!(sandbox.git_in(worktree, ["show", ":README"]), "staged");
}

fn moved(sandbox: &Sandbox, tip: &str) {
    let lane = sandbox.lane_path("login");
    is_all_there(sandbox, &lane);
    assert_eq!(status(sandbox, &sandbox.repo), "");
    assert!(!sandbox.repo.join("dir").exists());
    assert_eq!(
        std::fs::read_to_string(sandbox.repo.join("README")).unwrap(),
        "shop\n"
    );
    for worktree in [&sandbox.repo, &lane] {
        assert_eq!(sandbox.git_in(worktree, ["rev-parse", "HEAD"]), tip);
    }
    assert_eq!(
        sandbox.git_in(&lane, ["symbolic-ref", "HEAD"]),
        "refs/heads/login"
    );
    worktrees(sandbox, 2);
    sandbox.nothing_left_behind(0);
}

/// A lane that has taken all of it along.
fn taken_along(sandbox: &Sandbox) -> String {
    at_work(sandbox);
    sandbox.lane(MOVE).ok();
    String::new()
}

fn back(sandbox: &Sandbox, _: &str) {
    is_all_there(sandbox, &sandbox.repo);
    assert!(!sandbox.lane_path("login").exists());
    worktrees(sandbox, 1);
    sandbox.nothing_left_behind(1);
}

fn copied(sandbox: &Sandbox, _: &str) {
    is_all_there(sandbox, &sandbox.lane_path("login"));
    is_all_there(sandbox, &sandbox.repo);
    worktrees(sandbox, 2);
    sandbox.nothing_left_behind(0);
}
