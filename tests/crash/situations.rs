//! What a scenario finds before its command runs.

use super::scenarios::state;
use crate::support::{Sandbox, age_all, write};

pub fn nothing(_: &Sandbox) -> String {
    String::new()
}

/// Files that a filter writes once the worktree is in its place.
pub fn filtered(sandbox: &Sandbox) -> String {
    sandbox.write(".gitattributes", "*.txt filter=up\n");
    sandbox.commit("filtered");
    sandbox.git(["config", "filter.up.smudge", "tr a-z A-Z"]);
    sandbox.git(["config", "filter.up.clean", "tr A-Z a-z"]);
    String::new()
}

/// ... or git, all of them.
pub fn split(sandbox: &Sandbox) -> String {
    sandbox.git(["config", "core.splitIndex", "true"]);
    filtered(sandbox)
}

/// A lane with two commits.
pub fn ahead(sandbox: &Sandbox) -> String {
    sandbox.lane_by_git("login");
    sandbox.work("login", "src/app.txt", "one\ntwo\nTHREE\n");
    sandbox.work("login", "new.txt", "new\n");
    sandbox.write("README", "edited\n");
    sandbox.git(["rev-parse", "login"])
}

/// ... and a base that has moved on.
pub fn diverged(sandbox: &Sandbox) -> String {
    sandbox.lane_by_git("login");
    sandbox.work("login", "src/app.txt", "one\ntwo\nTHREE\n");
    sandbox.work("login", "new.txt", "new\n");
    sandbox.write("other.txt", "other\n");
    sandbox.commit("other");
    sandbox.write("README", "edited\n");
    sandbox.git(["rev-parse", "login"])
}

/// ... and a line that both have changed.
pub fn colliding(sandbox: &Sandbox) -> String {
    let tip = diverged(sandbox);
    sandbox.git(["checkout", "-q", "README"]);
    sandbox.write("src/app.txt", "one\ntwo\nBASE\n");
    sandbox.commit("collision");
    sandbox.write("README", "edited\n");
    tip
}

/// ... and a lane that takes away all there is in a directory.
pub fn removing(sandbox: &Sandbox) -> String {
    diverged(sandbox);
    let path = sandbox.lane_path("login");
    sandbox.git_in(&path, ["rm", "-q", "src/app.txt"]);
    sandbox.git_in(&path, ["commit", "-q", "-m", "remove"]);
    sandbox.git(["rev-parse", "login"])
}

/// ... and a lane that changes attributes, so that git has to write the files in place.
pub fn in_place(sandbox: &Sandbox) -> String {
    diverged(sandbox);
    sandbox.work("login", ".gitattributes", "*.bin binary\n");
    sandbox.git(["rev-parse", "login"])
}

/// ... which is checked out nowhere.
pub fn nowhere(sandbox: &Sandbox) -> String {
    let tip = diverged(sandbox);
    sandbox.git(["switch", "-q", "--detach"]);
    tip
}

pub fn ahead_of_nowhere(sandbox: &Sandbox) -> String {
    let tip = ahead(sandbox);
    sandbox.git(["switch", "-q", "--detach"]);
    tip
}

/// A lane with everything in it.
pub fn working(sandbox: &Sandbox) -> String {
    let path = sandbox.lane_by_git("login");
    sandbox.work("login", "file", "x");
    sandbox.git_in(&path, ["commit", "-q", "--amend", "-m", "amended"]);
    sandbox.git(["config", "branch.login.remote", "origin"]);
    write(&path.join("staged"), "staged");
    sandbox.git_in(&path, ["add", "staged"]);
    write(&path.join("untracked"), "x");
    sandbox.git_in(&path, ["status"]);
    state(sandbox, &path)
}

/// ... whose branch is in `packed-refs` alone.
pub fn packed(sandbox: &Sandbox) -> String {
    working(sandbox);
    sandbox.git(["pack-refs", "--all"]);
    state(sandbox, &sandbox.lane_path("login"))
}

/// ... in a repository whose reference-transaction hook wants to be heard.
pub fn hooked(sandbox: &Sandbox) -> String {
    let before = working(sandbox);
    sandbox.hook("reference-transaction", "cat >/dev/null");
    before
}

pub fn integrated(sandbox: &Sandbox) -> String {
    sandbox.lane_by_git("login");
    sandbox.work("login", "file", "x");
    sandbox.git(["merge", "-q", "--no-ff", "-m", "merge", "login"]);
    String::new()
}

/// ... and that prune has removed; what it was before is returned.
pub fn pruned_away(sandbox: &Sandbox) -> String {
    integrated(sandbox);
    let before = state(sandbox, &sandbox.lane_path("login"));
    sandbox.lane(["prune", "--yes"]).ok();
    before
}

/// A lane, and a hook of another tool that notes that it ran.
pub fn with_a_hook(sandbox: &Sandbox) -> String {
    sandbox.lane_by_git("login");
    sandbox.git(["branch", "topic"]);
    sandbox.hook("post-checkout", "echo ran >>\"$HOME/ran\"");
    String::new()
}

/// A stray with other files, a renamed branch, a branch checked out twice, a worktree moved by
/// hand, one without `gitdir`, one without its admin directory.
pub fn in_disorder(sandbox: &Sandbox) -> String {
    for (number, name) in ["stray", "renamed", "moved", "twice", "cut", "lost"]
        .iter()
        .enumerate()
    {
        sandbox.lane_by_git(name);
        sandbox.git([
            "config",
            &format!("lane.{name}.id"),
            &format!("0123456789abcde{number}"),
        ]);
    }
    let stray = sandbox.lane_path("stray");
    sandbox.git_in(&stray, ["switch", "-q", "-c", "other"]);
    write(&stray.join("src/app.txt"), "another\n");
    write(&stray.join("there/only.txt"), "only\n");
    sandbox.git_in(&stray, ["rm", "-q", "README"]);
    sandbox.git_in(&stray, ["add", "."]);
    sandbox.git_in(&stray, ["commit", "-q", "-m", "other"]);
    sandbox.git([
        "worktree",
        "add",
        "-q",
        "-f",
        "../shop.lanes/again",
        "twice",
    ]);
    let cut = sandbox.admin(&sandbox.lane_path("cut"));
    std::fs::remove_file(cut.join("gitdir")).unwrap();
    age_all(&cut);
    let lost = sandbox.lane_path("lost");
    write(&lost.join("README"), "edited");
    std::fs::remove_dir_all(sandbox.admin(&lost)).unwrap();
    sandbox.git(["branch", "-m", "renamed", "called"]);
    std::fs::rename(sandbox.lane_path("moved"), sandbox.lane_path("elsewhere")).unwrap();
    String::new()
}

/// A lane that has landed; what it was before is returned.
pub fn landed(sandbox: &Sandbox) -> String {
    diverged(sandbox);
    land(sandbox)
}

/// ... with files that git has to write in place.
pub fn landed_in_place(sandbox: &Sandbox) -> String {
    in_place(sandbox);
    land(sandbox)
}

/// ... on a base that is checked out nowhere.
pub fn landed_nowhere(sandbox: &Sandbox) -> String {
    nowhere(sandbox);
    land(sandbox)
}

fn land(sandbox: &Sandbox) -> String {
    let before = state(sandbox, &sandbox.lane_path("login"));
    sandbox.lane(["finish", "login"]).ok();
    before
}

/// A landing that something came after.
pub fn landed_before(sandbox: &Sandbox) -> String {
    landed(sandbox);
    let quietly = ["commit", "-q", "--allow-empty", "-m", "later"];
    sandbox.git(quietly);
    sandbox.git(["rev-parse", "main"])
}

/// A lane that was just made.
pub fn begun(sandbox: &Sandbox) -> String {
    sandbox.lane(["start", "login"]).ok();
    String::new()
}

/// ... and went, and came back.
pub fn returned(sandbox: &Sandbox) -> String {
    begun(sandbox);
    sandbox.lane(["drop", "login"]).ok();
    sandbox.lane(["restore", "login"]).ok();
    String::new()
}
