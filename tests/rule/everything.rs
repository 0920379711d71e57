//! All that a user could miss in a worktree afterwards: HEAD, every entry of the index with its
//! flags, every file with its bytes and mode, links, empty directories, what is untracked and
//! ignored among them, stashes, operations in progress.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::shop::Shop;

/// By kind and name, as text: `file d/x` → `644 "x\n"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Everything(BTreeMap<String, String>);

/// What tells that an operation is in progress, or what its commit will be. `AUTO_MERGE` is a cache
/// of git's.
const OPERATION: [&str; 9] = [
    "MERGE_HEAD",
    "MERGE_MSG",
    "SQUASH_MSG",
    "CHERRY_PICK_HEAD",
    "REVERT_HEAD",
    "rebase-merge",
    "rebase-apply",
    "sequencer",
    "BISECT_START",
];

impl Everything {
    pub fn of(shop: &Shop, directory: &Path) -> Self {
        let git = |args: &[&str]| {
            let output = shop
                .sandbox
                .command("git")
                .current_dir(directory)
                .args(args)
                .output()
                .unwrap();
            String::from_utf8_lossy(&output.stdout).into_owned()
        };
        let mut all = BTreeMap::new();
        let symbolic = git(&["symbolic-ref", "-q", "HEAD"]);
        let head = if symbolic.is_empty() {
            git(&["rev-parse", "HEAD"])
        } else {
            symbolic
        };
        all.insert("HEAD".to_owned(), head);
        for (list, what) in [("--stage", "index"), ("-v", "flag")] {
            for line in git(&["ls-files", list]).lines() {
                let (value, path) = line
                    .split_once(if what == "index" { '\t' } else { ' ' })
                    .unwrap();
                let stage = if what == "index" {
                    value.rsplit(' ').next().unwrap()
                } else {
                    "0"
                };
                let stage = if stage == "0" {
                    String::new()
                } else {
                    format!(" at {stage}")
                };
                all.insert(format!("{what} {path}{stage}"), value.to_owned());
            }
        }
        all.insert(
            "stash".to_owned(),
            git(&["stash", "list", "--format=%H %gs"]),
        );
        let git_dir = git(&["rev-parse", "--absolute-git-dir"]);
        for name in OPERATION
            .iter()
            .filter(|name| Path::new(git_dir.trim_end()).join(name).exists())
        {
            all.insert(format!("operation {name}"), String::new());
        }
        read(directory, directory, &mut all);
        Everything(all)
    }

    /// What is not the same, sorted.
    pub fn differences(&self, other: &Everything) -> Vec<String> {
        let names: BTreeSet<&String> = self.0.keys().chain(other.0.keys()).collect();
        names
            .into_iter()
            .filter(|name| self.0.get(*name) != other.0.get(*name))
            .cloned()
            .collect()
    }
}

fn read(root: &Path, directory: &Path, all: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(directory)
        .unwrap()
        .flatten()
        .filter(|entry| entry.file_name() != ".git")
    {
        let (path, kind) = (entry.path(), entry.file_type().unwrap());
        let name = path.strip_prefix(root).unwrap().display().to_string();
        if kind.is_dir() {
            all.insert(format!("directory {name}"), String::new());
            read(root, &path, all);
        } else if kind.is_symlink() {
            all.insert(
                format!("file {name}"),
                format!("-> {}", std::fs::read_link(&path).unwrap().display()),
            );
        } else {
            let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
            all.insert(
                format!("file {name}"),
                format!("{mode:o} {:?}", std::fs::read(&path).unwrap()),
            );
        }
    }
}
