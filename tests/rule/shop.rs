//! A repository with two lanes under the rule, made once for each level and copied for every row of
//! the table.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock};

use crate::support::{Run, Sandbox, git_version, write};

/// The guard's levels.
pub const LEVELS: [&str; 4] = ["off", "warn", "restore", "refuse"];

/// How refs are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refs {
    Files,
    Reftable,
}

/// Whether the git under test can do this at all.
pub fn possible(level: &str, refs: Refs) -> bool {
    (level != "refuse" || git_version() >= (2, 46))
        && (refs == Refs::Files || git_version() >= (2, 46))
}

/// Where an operation is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum In {
    /// In lane `one`, with staged, unstaged and untracked changes.
    Lane,
    /// In lane `one`, clean.
    CleanLane,
    /// In the main worktree, with the same changes.
    Main,
    /// In the main worktree, clean.
    CleanMain,
}

/// A repository of its own with lanes `one` and `two`, branches `other` and `conf`, and the rule at
/// some level.
pub struct Shop {
    pub sandbox: Sandbox,
    pub one: PathBuf,
    pub two: PathBuf,
}

/// Everything a user could lose in a worktree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    pub head: String,
    pub index: String,
    pub status: String,
    pub files: BTreeMap<String, Vec<u8>>,
}

impl Shop {
    pub fn new(level: &'static str, refs: Refs) -> Self {
        Self::prepared(level, refs, "")
    }

    /// The same after a script in lane `one`, with the rule looking away.
    pub fn prepared(level: &'static str, refs: Refs, script: &'static str) -> Self {
        type Templates = Mutex<BTreeMap<(&'static str, Refs, &'static str), &'static Sandbox>>;
        static TEMPLATES: OnceLock<Templates> = OnceLock::new();
        let mut templates = TEMPLATES.get_or_init(Mutex::default).lock().unwrap();
        let make = || &*Box::leak(Box::new(template(level, refs, script)));
        let template = *templates.entry((level, refs, script)).or_insert_with(make);
        drop(templates);
        let sandbox = Sandbox::empty();
        copy(&template.root(), &sandbox.root(), &sandbox.root());
        let (from, to) = (template.root(), sandbox.root());
        for path in [
            "shop/.git/config",
            "shop/.git/worktrees/one/gitdir",
            "shop/.git/worktrees/two/gitdir",
            "shop.lanes/one/.git",
            "shop.lanes/two/.git",
        ] {
            let text = std::fs::read_to_string(to.join(path)).unwrap();
            write(
                &to.join(path),
                text.replace(from.to_str().unwrap(), to.to_str().unwrap()),
            );
        }
        let (one, two) = (sandbox.lane_path("one"), sandbox.lane_path("two"));
        let shop = Shop { sandbox, one, two };
        for directory in [&shop.sandbox.repo, &shop.one, &shop.two] {
            shop.sandbox
                .git_in(directory, ["update-index", "-q", "--refresh"]);
        }
        shop
    }

    /// The directory an operation runs in, prepared.
    pub fn at(&self, place: In) -> PathBuf {
        let directory = match place {
            In::Lane | In::CleanLane => &self.one,
            In::Main | In::CleanMain => &self.sandbox.repo,
        };
        if matches!(place, In::Lane | In::Main) {
            write(&directory.join("g"), "staged\n");
            self.sandbox.git_in(directory, ["add", "g"]);
            write(&directory.join("g"), "staged\nunstaged\n");
            write(&directory.join("h"), "unstaged\n");
            write(&directory.join("untracked"), "mine\n");
        }
        directory.clone()
    }

    /// A script for a shell, in `directory`.
    pub fn sh(&self, directory: &Path, script: &str) -> Run {
        let mut command = self.sandbox.command("sh");
        command
            .current_dir(directory)
            .env("GIT_EDITOR", "true")
            .args(["-c", script]);
        self.sandbox.run(&mut command)
    }

    /// The same with the rule looking away.
    pub fn setup(&self, directory: &Path, script: &str) {
        let mut command = self.sandbox.command("sh");
        command
            .current_dir(directory)
            .env("GIT_LANE_BYPASS", "1")
            .env("GIT_EDITOR", "true")
            .args(["-c", script]);
        self.sandbox.run(&mut command).ok();
    }

    pub fn snapshot(&self, directory: &Path) -> Snapshot {
        let git = |args: &[&str]| {
            let mut command: Command = self.sandbox.command("git");
            let output = command.current_dir(directory).args(args).output().unwrap();
            String::from_utf8_lossy(&output.stdout).into_owned()
        };
        let mut files = BTreeMap::new();
        read(directory, directory, &mut files);
        let symbolic = git(&["symbolic-ref", "-q", "HEAD"]);
        Snapshot {
            head: if symbolic.is_empty() {
                git(&["rev-parse", "HEAD"])
            } else {
                symbolic
            },
            index: git(&["ls-files", "--stage"]),
            status: git(&["--no-optional-locks", "status", "--porcelain", "--ignored"]),
            files,
        }
    }

    /// Main worktree and both lanes.
    pub fn snapshots(&self) -> [Snapshot; 3] {
        [&self.sandbox.repo, &self.one, &self.two].map(|directory| self.snapshot(directory))
    }

    /// Every branch and tag with its commit.
    pub fn refs(&self) -> String {
        self.sandbox.git([
            "for-each-ref",
            "--format=%(refname) %(objectname)",
            "refs/heads",
            "refs/tags",
        ])
    }
}

fn template(level: &str, refs: Refs, script: &str) -> Sandbox {
    let sandbox = Sandbox::empty();
    match refs {
        Refs::Files => sandbox.git(["init", "-q", "-b", "main", "."]),
        Refs::Reftable => sandbox.git(["init", "-q", "-b", "main", "--ref-format=reftable", "."]),
    };
    for name in ["f", "g", "h"] {
        sandbox.write(name, format!("{name}\n"));
    }
    sandbox.write("d/x", "x\n");
    sandbox.commit("first");
    for (branch, file, text) in [("conf", "f", "conflict\n"), ("other", "new", "new\n")] {
        sandbox.git(["switch", "-q", "-c", branch, "main"]);
        sandbox.write(file, text);
        sandbox.write("d/x", format!("{branch}\n"));
        sandbox.commit(branch);
    }
    sandbox.git(["switch", "-q", "main"]);
    sandbox.lane(["start", "one", "two"]).ok();
    sandbox.work("one", "f", "one\n");
    sandbox.work("one", "one", "one\n");
    sandbox.work("two", "two", "two\n");
    sandbox.write("main", "main\n");
    sandbox.commit("second");
    sandbox.git(["config", "gc.auto", "0"]);
    if !possible(level, refs) {
        return sandbox;
    }
    sandbox.lane(["init", "--level", level]).ok();
    let mut command = sandbox.command("sh");
    command
        .current_dir(sandbox.lane_path("one"))
        .env("GIT_LANE_BYPASS", "1")
        .args(["-c", script]);
    sandbox.run(&mut command).ok();
    sandbox
}

/// Copies a tree, links as links.
fn copy(from: &Path, to: &Path, keep: &Path) {
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().unwrap();
        if to == keep && entry.file_name() == "bin" {
            continue;
        }
        if kind.is_dir() {
            std::fs::create_dir_all(&target).unwrap();
            copy(&path, &target, keep);
        } else if kind.is_symlink() {
            std::os::unix::fs::symlink(std::fs::read_link(&path).unwrap(), &target).unwrap();
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}

fn read(root: &Path, directory: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(directory).unwrap().flatten() {
        let path = entry.path();
        if entry.file_name() == ".git" {
            continue;
        }
        if path.is_dir() {
            read(root, &path, files);
        } else {
            let name = path.strip_prefix(root).unwrap().display().to_string();
            files.insert(name, std::fs::read(&path).unwrap_or_default());
        }
    }
}
