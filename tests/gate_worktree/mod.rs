//! The worktree of git-lane's own in which gates and hooks run: exact for each run, warm, and in
//! nobody's way.

mod beside;
mod driver;
mod exact;
mod links;
mod merge;
mod places;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::support::{Sandbox, files};

/// Every file and directory of a worktree with its mode and content, but for `.git` at the top and
/// what `ignored` names.
fn listing(worktree: &Path, ignored: &[&str]) -> Vec<String> {
    let mut lines = Vec::new();
    for path in files(worktree) {
        let name = path.strip_prefix(worktree).unwrap();
        let left_out = ignored.iter().any(|top| name.starts_with(top));
        if left_out || name.starts_with(".git") {
            continue;
        }
        let found = std::fs::symlink_metadata(&path).unwrap();
        let what = if found.is_symlink() {
            format!("-> {:?}", std::fs::read_link(&path).unwrap())
        } else if found.is_file() {
            let content = std::fs::read(&path).unwrap();
            format!(
                "{:o} {:?}",
                found.permissions().mode(),
                String::from_utf8_lossy(&content)
            )
        } else if found.is_dir() {
            "directory".into()
        } else {
            "something else".into()
        };
        lines.push(format!("{name:?} {what}"));
    }
    lines.sort();
    lines
}

impl Sandbox {
    /// Where the slot is, its worktree, its git directory.
    fn slot(&self, slot: &str) -> PathBuf {
        let sets = self.root().join("home/.cache/git-lane/worktrees");
        let mut sets = std::fs::read_dir(sets).unwrap().flatten();
        let set = sets.next().expect("a set of slots").path();
        assert!(sets.next().is_none(), "one set of slots");
        set.join(slot)
    }

    fn gate_tree(&self) -> PathBuf {
        self.slot("gate").join("tree")
    }

    /// Compares the gate's worktree with a fresh one of `revision`.
    #[track_caller]
    fn assert_exact(&self, revision: &str, ignored: &[&str], case: &str) {
        let fresh = self.root().join("fresh");
        self.git([
            "worktree",
            "add",
            "-q",
            "--detach",
            fresh.to_str().unwrap(),
            revision,
        ]);
        let expected = listing(&fresh, ignored);
        self.git(["worktree", "remove", "--force", fresh.to_str().unwrap()]);
        assert_eq!(listing(&self.gate_tree(), ignored), expected, "{case}");
        let tree = self.gate_tree();
        assert_eq!(self.git_in(&tree, ["status", "--porcelain"]), "", "{case}");
        let commit = self.git(["rev-parse", revision]);
        assert_eq!(self.git_in(&tree, ["rev-parse", "HEAD"]), commit, "{case}");
    }
}
