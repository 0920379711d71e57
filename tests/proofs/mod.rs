//! What finish calls integrated: the evidence is about the lane's own commits. A replay that passes
//! over merge commits, a patch id that ignores white space, a merge driver or `-X ours` prove
//! nothing.

mod kept;
mod table;

use std::path::PathBuf;

use crate::support::{Sandbox, git_version, write};

/// One to nine, a line each, with some of them replaced.
fn lines(changed: &[(usize, &str)]) -> String {
    let text = |n: usize| {
        changed
            .iter()
            .find(|(at, _)| *at == n)
            .map_or(n.to_string(), |(_, text)| (*text).to_owned())
    };
    (1..10).map(|n| text(n) + "\n").collect()
}

/// A repository with `f` of nine lines, and lane `x` on it.
fn stage() -> (Sandbox, PathBuf) {
    let sandbox = Sandbox::new();
    sandbox.write("f", lines(&[]));
    sandbox.commit("f");
    let lane = sandbox.lane_by_git("x");
    (sandbox, lane)
}

fn advance(sandbox: &Sandbox) {
    sandbox.write("m", "m\n");
    sandbox.commit("m");
}

/// Merges main into the lane, with `change` made in the merge commit itself.
fn merge_main(sandbox: &Sandbox, change: &[(&str, &str)]) {
    let lane = sandbox.lane_path("x");
    sandbox.git_in(&lane, ["merge", "-q", "--no-ff", "--no-commit", "main"]);
    change
        .iter()
        .for_each(|(path, text)| write(&lane.join(path), text));
    sandbox.git_in(&lane, ["add", "-A"]);
    sandbox.git_in(&lane, ["commit", "-q", "-m", "merge main"]);
}

/// A commit of main (with a file `m` besides) and one of the lane that each change `path`, and the
/// lane's merge of the two, as git makes it or as the lane has it.
fn crossed(sandbox: &Sandbox, path: &str, texts: [&str; 2]) -> [String; 2] {
    sandbox.work("x", path, texts[1]);
    // The younger one of the two is what a merge base is where only one is looked at.
    let mut amend = sandbox.command("git");
    amend
        .args(["commit", "-q", "--amend", "--no-edit"])
        .env("GIT_COMMITTER_DATE", "1700000100 +0000");
    sandbox.run(amend.current_dir(sandbox.lane_path("x"))).ok();
    let theirs = sandbox.git(["rev-parse", "x"]);
    sandbox.write("m", "m\n");
    sandbox.write(path, texts[0]);
    let ours = sandbox.commit("main's");
    sandbox.git_in(
        &sandbox.lane_path("x"),
        ["merge", "-q", "-X", "theirs", "-m", "merge main", &ours],
    );
    [ours, theirs]
}

/// main's attributes: `*` has them in every worktree.
fn attributes(sandbox: &Sandbox, text: &str) {
    sandbox.write(".git/info/attributes", text);
}

type Prepare = fn(&Sandbox);

/// What became of the lane: `landed`, the proof that there was nothing to land, or the code of the
/// refusal.
fn finish(sandbox: &Sandbox, strategy: &str) -> String {
    let run = sandbox.lane(["finish", "x", "--json", "--strategy", strategy]);
    let said: serde_json::Value =
        serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run}"));
    let gone = !sandbox.lane_path("x").exists();
    assert_eq!(gone, run.code == 0, "{run}");
    if run.code != 0 {
        return said["error"]["code"].as_str().unwrap_or("none").to_owned();
    }
    said["integrated"]["code"]
        .as_str()
        .unwrap_or("landed")
        .to_owned()
}
