//! A `git worktree prune --expire=now` that had begun to look when a worktree leaves its place.

use super::*;

/// Every way of a worktree from its place, and where it is then.
const LEAVES: [(&[&str], &str); 3] = [
    (&["rename", "x", "y"], "y"),
    (&["move", "x", "../y"], "../y"),
    (&["drop", "x", "--yes", "--force"], ""),
];

/// What `git worktree prune` does to a worktree, with a pause where it may be held up: it reads
/// `worktrees`, finds no `locked`, and then looks for the worktree itself.
const PRUNE: &str = "exec 9<.git/worktrees
test ! -e .git/worktrees/x/locked || exit 3
: >looking
sleep 0.4
test -e \"$1/.git\" || rm -r .git/worktrees/x
exec 9<&-
sleep 0.1";

#[cfg(target_os = "linux")]
#[test]
fn a_worktree_leaves_when_no_prune_looks_any_more() {
    for (words, to) in LEAVES {
        let sandbox = Sandbox::new();
        sandbox.lane(["start", "x"]).ok();
        let path = sandbox.lane_path("x");
        write(&path.join("staged"), "gold\n");
        sandbox.git_in(&path, ["add", "staged"]);
        let git = sandbox.root().join("other/git");
        script(&git, PRUNE);
        let mut prune = sandbox.command(git.to_str().unwrap());
        let mut prune = prune.arg(&path).spawn().unwrap();
        while !sandbox.repo.join("looking").exists() {
            std::thread::sleep(Duration::from_millis(5));
        }
        let told = sandbox.lane(words).ok();
        assert!(prune.wait().unwrap().success());
        if to.is_empty() {
            sandbox.lane(["restore", "x"]).ok();
        }
        let at = match to {
            "" => path,
            "../y" => sandbox.root().join("y"),
            name => sandbox.lane_path(name),
        };
        let status = sandbox.git_in(&at, ["status", "--porcelain"]);
        assert_eq!(status, "A  staged", "{told}");
        assert_eq!(sandbox.findings(), Vec::<String>::new());
    }
}
