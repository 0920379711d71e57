//! Lanes put together by plain git, and what must hold of lanes in every test.
use crate::support::skipped;

use std::io::Write;
use std::path::{Path, PathBuf};

use super::{Sandbox, digest, directory_in, elsewhere, files, listing};

impl Sandbox {
    /// A lane with branch and worktree, from `main`.
    pub fn lane_by_git(&self, name: &str) -> PathBuf {
        let path = self.lane_path(name);
        self.git([
            "worktree",
            "add",
            "-q",
            "-b",
            name,
            path.to_str().unwrap(),
            "main",
        ]);
        self.record(name, &path);
        path
    }

    /// `git worktree add`, with a new branch at HEAD.
    pub fn add_worktree(&self, branch: &str, path: &Path) {
        self.git([
            "worktree",
            "add",
            "-q",
            "-b",
            branch,
            path.to_str().unwrap(),
        ]);
    }

    /// The record of a lane whose branch has the lane's name.
    pub fn record(&self, name: &str, path: &Path) {
        let fork = self.git(["rev-parse", "main"]);
        let settings = [
            ("id", "0123456789abcdef"),
            ("branch", name),
            ("worktree", path.to_str().unwrap()),
            ("base", "refs/heads/main"),
            ("forkPoint", &fork),
            ("owner", "tester"),
            ("created", "2023-11-14T22:13:20Z"),
        ];
        self.record_of(name, &settings);
    }

    /// A record that says just that.
    pub fn record_of(&self, name: &str, settings: &[(&str, &str)]) {
        let quoted = |text: &str| {
            let text = text.replace('\\', r"\\").replace('"', "\\\"");
            text.replace('\n', r"\n")
        };
        let mut text = format!("[lane \"{}\"]\n", quoted(name));
        for (key, value) in settings {
            text += &format!("\t{key} = \"{}\"\n", quoted(value));
        }
        let mut config = std::fs::File::options();
        let config = config.append(true).open(self.repo.join(".git/config"));
        config.unwrap().write_all(text.as_bytes()).unwrap();
    }

    /// The lock files of git's protocol in the repository; git-lane's own locks are elsewhere.
    pub fn locks_of_git(&self) -> Vec<PathBuf> {
        let git_dir = self.repo.join(".git");
        let elsewhere = [git_dir.join("objects"), git_dir.join("lane")];
        let mut found = files(&git_dir);
        found.retain(|path| path.extension().is_some_and(|end| end == "lock"));
        found.retain(|path| !elsewhere.iter().any(|place| path.starts_with(place)));
        found
    }

    /// The admin directory of a worktree.
    pub fn admin(&self, worktree: &Path) -> PathBuf {
        self.git_in(worktree, ["rev-parse", "--absolute-git-dir"])
            .into()
    }

    /// Adds the repository at `from` as a submodule, and has every git here clone such ones.
    pub fn add_submodule(&self, from: &Path, name: &str) {
        self.git(["config", "--global", "protocol.file.allow", "always"]);
        let from = from.to_str().unwrap();
        self.git(["submodule", "--quiet", "add", from, name]);
    }

    /// Everything that nothing names goes, and what has lost its directory.
    pub fn collect_garbage(&self) {
        let expire = ["gc.reflogExpire=now", "gc.reflogExpireUnreachable=now"];
        let config = expire.iter().flat_map(|setting| ["-c", setting]);
        self.git(config.chain(["gc", "-q", "--prune=now"]));
        self.git(["worktree", "prune", "--expire=now"]);
    }

    /// A place for a lane on another filesystem than the repository, where there is one.
    pub fn far(&self) -> Option<(tempfile::TempDir, PathBuf)> {
        let Some(other) = elsewhere() else {
            skipped("there is no other filesystem");
            return None;
        };
        let directory = directory_in(&other).ok()?;
        let path = std::fs::canonicalize(directory.path()).unwrap().join("far");
        Some((directory, path))
    }

    /// Everything that must come back with a lane: files, admin directory, branch, reflog,
    /// settings, record.
    pub fn whole_lane(&self, name: &str, path: &Path, admin: &Path) -> String {
        let log = self.repo.join(".git/logs/refs/heads").join(name);
        let mut config: Vec<String> = self
            .git(["config", "--list", "--local"])
            .lines()
            .map(str::to_owned)
            .collect();
        config.sort();
        [
            listing(path),
            listing(admin),
            digest(&std::fs::read(log).unwrap_or_default()),
            config.join("\n"),
            self.git(["for-each-ref"]),
        ]
        .join("\n--\n")
    }

    /// What must hold whenever git-lane has been killed: plain git works in every worktree.
    #[track_caller]
    pub fn plain_git_works(&self) {
        let listed = self.git(["worktree", "list", "--porcelain"]);
        for path in listed
            .lines()
            .filter_map(|line| line.strip_prefix("worktree "))
            .map(Path::new)
        {
            if path.exists() {
                self.git_in(path, ["--no-optional-locks", "status"]);
            }
        }
        // It follows every ref, reflog and index of every worktree; the two files are not there.
        let without = [
            "-c",
            "core.commitGraph=false",
            "-c",
            "core.multiPackIndex=false",
        ];
        self.git(without.into_iter().chain(["fsck", "--no-progress"]));
        self.git(["branch", "--list"]);
    }

    /// Nothing is under way, no lock is left, the trash holds `entries`.
    #[track_caller]
    pub fn nothing_left_behind(&self, entries: usize) {
        self.nothing_under_way();
        let trash = std::fs::read_dir(self.repo.join(".git/lane/trash"))
            .into_iter()
            .flatten()
            .flatten();
        let found: Vec<PathBuf> = trash.map(|entry| entry.path()).collect();
        assert_eq!(found.len(), entries, "{found:?}");
        assert_eq!(
            self.git(["for-each-ref", "refs/lane/landing", "refs/lane/trash"])
                .lines()
                .count(),
            entries
        );
    }

    /// Nothing is under way, no lock is left.
    #[track_caller]
    pub fn nothing_under_way(&self) {
        let count = |directory: &str| {
            let found = std::fs::read_dir(self.repo.join(".git").join(directory))
                .into_iter()
                .flatten()
                .flatten();
            found.map(|entry| entry.path()).collect::<Vec<_>>()
        };
        assert_eq!(count("lane/journal"), Vec::<PathBuf>::new());
        for empty in ["lane/landing", "lane/locks", "lane/scratch", "lane/staging"] {
            assert_eq!(count(empty), Vec::<PathBuf>::new());
        }
        let all = files(&self.repo.join(".git"));
        // A newer git may be at its own maintenance, in the background.
        let gits = |path: &PathBuf| path.ends_with("objects/maintenance.lock");
        let ours =
            |path: &&PathBuf| (is_lock(path) || is_copy(path) || is_keep(path)) && !gits(path);
        let strays: Vec<&PathBuf> = all.iter().filter(ours).collect();
        assert_eq!(strays, Vec::<&PathBuf>::new());
        let beside = std::fs::read_dir(self.root().join("shop.lanes"))
            .into_iter()
            .flatten()
            .flatten();
        let hidden = beside
            .map(|entry| entry.path())
            .filter(|path| is_hidden(path))
            .collect::<Vec<_>>();
        assert_eq!(hidden, Vec::<PathBuf>::new());
    }
}

fn is_lock(path: &Path) -> bool {
    let own = path.parent().unwrap().ends_with(".git/lane");
    // What a git that was at work in a removed lane left is cleared away when the lane comes back.
    let removed = path
        .ancestors()
        .any(|above| above.ends_with(".git/lane/trash"));
    path.extension()
        .is_some_and(|extension| extension == "lock")
        && !own
        && !removed
}

/// What keeps a pack from a gc while a command runs.
fn is_keep(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == "keep")
}

/// A copy of an index that a landing prepared.
fn is_copy(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with("lane-index-"))
}

/// A worktree that was being filled.
fn is_hidden(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with(".lane-") && name != ".lane-trash")
}
