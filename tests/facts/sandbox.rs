//! A repository of its own in a temporary home, and the git under test (`GIT_LANE_TEST_GIT`, else
//! `git`).

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The git program under test.
pub fn git_program() -> OsString {
    std::env::var_os("GIT_LANE_TEST_GIT").unwrap_or_else(|| "git".into())
}

/// The same, as the engines take it.
pub fn git() -> git_lane::store::git::Git {
    git_lane::store::git::Git::new(git_program())
}

/// A home directory with one repository in it; everything goes when it is dropped.
pub struct Sandbox {
    home: tempfile::TempDir,
    repo: PathBuf,
    clock: std::cell::Cell<i64>,
}

impl Sandbox {
    /// An empty repository on branch `main`.
    pub fn new() -> Self {
        let home = tempfile::tempdir().expect("a temporary directory");
        let repo = home.path().join("repo");
        std::fs::create_dir(&repo).expect("a directory");
        let sandbox = Sandbox {
            home,
            repo,
            clock: 1_700_000_000.into(),
        };
        sandbox.git(&["init", "-q", "-b", "main"]);
        sandbox
    }

    /// The main worktree.
    pub fn path(&self) -> &Path {
        &self.repo
    }

    /// The temporary home, for things beside the repository.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Opens the repository without looking at the environment of the test process.
    pub fn open(&self) -> gix::Repository {
        self.open_at(&self.repo)
    }

    /// Opens the repository at `path`.
    pub fn open_at(&self, path: &Path) -> gix::Repository {
        gix::open_opts(path, gix::open::Options::isolated()).expect("a repository")
    }

    /// A hermetic git in the main worktree; each commit is a minute later than the one before.
    pub fn command(&self, directory: &Path) -> Command {
        let mut command = Command::new(git_program());
        self.clock.set(self.clock.get() + 60);
        let date = format!("{} +0000", self.clock.get());
        command
            .current_dir(directory)
            .env_clear()
            .stdin(Stdio::null());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command
            .env("HOME", self.home.path())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("LC_ALL", "C");
        for who in ["AUTHOR", "COMMITTER"] {
            command
                .env(format!("GIT_{who}_NAME"), "Lane")
                .env(format!("GIT_{who}_EMAIL"), "lane@example.com");
            command.env(format!("GIT_{who}_DATE"), &date);
        }
        command
    }

    /// Runs git in the main worktree and returns its trimmed standard output.
    pub fn git(&self, args: &[&str]) -> String {
        self.git_in(&self.repo, args)
    }

    /// Runs git in `directory`.
    pub fn git_in(&self, directory: &Path, args: &[&str]) -> String {
        let output = self
            .command(directory)
            .args(args)
            .output()
            .expect("git starts");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {args:?}: {stderr}");
        String::from_utf8_lossy(&output.stdout)
            .trim_end()
            .to_owned()
    }

    /// Writes a file of the main worktree, with its directories.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        write(&self.repo.join(path), content);
    }

    /// Stages everything and commits; returns the commit.
    pub fn commit(&self, message: &str) -> gix::ObjectId {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        self.id("HEAD")
    }

    /// The object a revision names.
    pub fn id(&self, revision: &str) -> gix::ObjectId {
        gix::ObjectId::from_hex(self.git(&["rev-parse", revision]).as_bytes())
            .expect("an object id")
    }
}

/// Writes a file with its directories.
pub fn write(path: &Path, content: impl AsRef<[u8]>) {
    std::fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
    std::fs::write(path, content).expect("a file");
}

/// A small seeded generator (splitmix64): the same rounds on every machine.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Dice(seed)
    }

    pub fn roll(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % below as u64) as usize
    }

    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.roll(of.len())]
    }
}
