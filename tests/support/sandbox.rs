//! A repository of its own for every test, a home of its own, fixed dates, and a runner that cannot
//! be half-checked.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicI64, Ordering};

use super::documents::ensure_schema;
use super::template::repository_with_one_commit;
use super::{directory_in, git_program, place};

/// A directory with a home and a repository `shop` whose branch `main` has one commit.
pub struct Sandbox {
    root: tempfile::TempDir,
    /// The repository's main worktree.
    pub repo: PathBuf,
    /// The time of the next command, and how much later the one after it is.
    now: AtomicI64,
    tick: i64,
}

impl Sandbox {
    /// A repository with one commit on `main`: `README` and `src/app.txt`.
    pub fn new() -> Self {
        let sandbox = Self::empty();
        repository_with_one_commit(&sandbox.repo);
        sandbox
    }

    /// An empty directory `shop` and a home, no repository yet.
    pub fn empty() -> Self {
        let root = directory_in(place()).expect("temporary directory");
        let base = std::fs::canonicalize(root.path()).unwrap();
        let repo = base.join("shop");
        for directory in ["home", "shop", "bin"] {
            std::fs::create_dir(base.join(directory)).unwrap();
        }
        // `git lane` must find the binary under test, and every child the git under test.
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_git-lane"), base.join("bin/git-lane"))
            .unwrap();
        std::os::unix::fs::symlink(git_program(), base.join("bin/git")).unwrap();
        Sandbox {
            root,
            repo,
            now: 1_700_000_000.into(),
            tick: 0,
        }
    }

    /// Each command is a minute later than the one before.
    pub fn ticking(self) -> Self {
        Sandbox { tick: 60, ..self }
    }

    /// The directory everything is in.
    pub fn root(&self) -> PathBuf {
        std::fs::canonicalize(self.root.path()).unwrap()
    }

    /// Where the default policy puts the lane `name`.
    pub fn lane_path(&self, name: &str) -> PathBuf {
        self.root().join("shop.lanes").join(name)
    }

    /// Writes a file of the main worktree.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        write(&self.repo.join(path), content);
    }

    /// Commits everything in the main worktree.
    pub fn commit(&self, message: &str) -> String {
        commit(self, &self.repo, message)
    }

    /// Writes and commits one file in a lane.
    pub fn work(&self, lane: &str, path: &str, content: &str) -> String {
        let directory = self.lane_path(lane);
        write(&directory.join(path), content);
        commit(self, &directory, &format!("{lane}: {path}"))
    }

    /// git in the main worktree; must succeed. Returns standard output without the final newline.
    pub fn git<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> String {
        self.git_in(&self.repo, args)
    }

    /// git in `directory`; must succeed.
    pub fn git_in<A: AsRef<OsStr>>(
        &self,
        directory: &Path,
        args: impl IntoIterator<Item = A>,
    ) -> String {
        let mut command = self.command("git");
        command.current_dir(directory).args(args);
        let described = format!("{command:?}");
        Run::of(&mut command, described)
            .ok()
            .trim_end_matches('\n')
            .to_owned()
    }

    /// git in the main worktree; must fail.
    pub fn git_fails<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) {
        let run = self.run(self.command("git").args(args));
        assert_ne!(run.code, 0, "{run}");
    }

    /// git-lane in the main worktree.
    pub fn lane<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Run {
        self.lane_in(&self.repo, args)
    }

    /// git-lane in `directory`.
    pub fn lane_in<A: AsRef<OsStr>>(
        &self,
        directory: &Path,
        args: impl IntoIterator<Item = A>,
    ) -> Run {
        let mut command = self.command("git-lane");
        command.current_dir(directory).args(args);
        self.run(&mut command)
    }

    /// A shell script in the main worktree.
    pub fn sh(&self, script: &str) -> Run {
        self.sh_in(&self.repo, script)
    }

    /// A shell script in `directory`.
    pub fn sh_in(&self, directory: &Path, script: &str) -> Run {
        let mut command = self.command("sh");
        self.run(command.args(["-c", script]).current_dir(directory))
    }

    /// The codes of what the doctor finds.
    #[track_caller]
    pub fn findings(&self) -> Vec<String> {
        self.lane(["doctor", "--json"]).findings()
    }

    /// Any command, run to its end.
    pub fn run(&self, command: &mut Command) -> Run {
        let described = format!("{command:?}");
        Run::of(command, described)
    }

    /// A program in this sandbox's environment, in the main worktree, without standard input.
    pub fn command(&self, program: &str) -> Command {
        let bin = self.root().join("bin");
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path =
            std::env::join_paths(std::iter::once(bin.clone()).chain(std::env::split_paths(&path)))
                .unwrap();
        let now = self.now.fetch_add(self.tick, Ordering::Relaxed);
        let now = format!("{now} +0000");
        let own = bin.join(program);
        let mut command = if own.exists() {
            Command::new(own)
        } else {
            Command::new(program)
        };
        command
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.root().join("home"))
            .env("XDG_CONFIG_HOME", self.root().join("home/.config"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_NAME", "A. Author")
            .env("GIT_AUTHOR_EMAIL", "author@example.com")
            .env("GIT_COMMITTER_NAME", "C. Committer")
            .env("GIT_COMMITTER_EMAIL", "committer@example.com")
            .env("GIT_AUTHOR_DATE", &now)
            .env("GIT_COMMITTER_DATE", &now)
            .env("LC_ALL", "C.UTF-8")
            .env("TZ", "UTC")
            .env("USER", "tester")
            .current_dir(&self.repo)
            .stdin(Stdio::null());
        command
    }

    /// A listing of everything below the root's repository and lanes, with content: equal before
    /// and after means that nothing changed. The home and the lock files of git-lane's own are left
    /// out.
    pub fn fingerprint(&self) -> String {
        let mut lines = Vec::new();
        fingerprint(&self.root(), &self.root(), &mut lines);
        // What keeps the files of git-lane's own worktrees stays.
        lines.retain(|line| !line.contains("/refs/lane/gate") && !line.ends_with("/refs/lane/"));
        lines.sort();
        lines.join("\n")
    }
}

fn fingerprint(root: &Path, directory: &Path, lines: &mut Vec<String>) {
    for entry in std::fs::read_dir(directory).unwrap().flatten() {
        let path = entry.path();
        let name = path.strip_prefix(root).unwrap().display().to_string();
        // A newer git may be at its own maintenance, in the background.
        let gits = name.ends_with("objects/maintenance.lock");
        if gits
            || name == "home"
            || name == "bin"
            || name.ends_with(".git/lane")
            || name == "shop/lane"
        {
            continue;
        }
        let metadata = std::fs::symlink_metadata(&path).unwrap();
        if metadata.is_symlink() {
            lines.push(format!(
                "{name} -> {}",
                std::fs::read_link(&path).unwrap().display()
            ));
        } else if metadata.is_dir() {
            lines.push(format!("{name}/"));
            fingerprint(root, &path, lines);
        } else {
            lines.push(format!(
                "{name} {:?}",
                std::fs::read(&path).unwrap_or_default()
            ));
        }
    }
}

/// Writes a file and the directories above it.
pub fn write(path: &Path, content: impl AsRef<[u8]>) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

fn commit(sandbox: &Sandbox, directory: &Path, message: &str) -> String {
    sandbox.git_in(directory, ["add", "-A"]);
    // Nothing is to be packed, which is another process to find out.
    let quietly = ["-c", "maintenance.auto=false", "commit", "-q"];
    let options = ["--allow-empty", "-m", message];
    sandbox.git_in(directory, quietly.into_iter().chain(options));
    head(directory).unwrap_or_else(|| sandbox.git_in(directory, ["rev-parse", "HEAD"]))
}

/// The commit of a worktree, where its branch is in a file of its own.
fn head(worktree: &Path) -> Option<String> {
    let read = |path: &Path| std::fs::read_to_string(path).ok();
    let line = |path: &Path| Some(read(path)?.trim_end().to_owned());
    let own = worktree.join(".git");
    let (git_dir, common) = match line(&own) {
        Some(file) => {
            let admin = worktree.join(file.strip_prefix("gitdir: ")?);
            let common = admin.join(line(&admin.join("commondir"))?);
            (admin, common)
        }
        None => (own.clone(), own),
    };
    match line(&git_dir.join("HEAD"))?.strip_prefix("ref: ") {
        Some(branch) => line(&common.join(branch)),
        None => line(&git_dir.join("HEAD")),
    }
}

/// What a command did; must be looked at.
#[must_use = "say what the run should have done: ok() or fails()"]
#[derive(Debug)]
pub struct Run {
    described: String,
    /// The exit code; 128 + n for signal n.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Run {
    fn of(command: &mut Command, described: String) -> Self {
        use std::os::unix::process::ExitStatusExt;
        let output = command
            .output()
            .unwrap_or_else(|error| panic!("{described}: {error}"));
        let run = Run {
            described,
            code: output
                .status
                .code()
                .unwrap_or_else(|| 128 + output.status.signal().unwrap_or(0)),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        };
        ensure_schema(command, &run.stdout);
        run
    }

    /// It must have succeeded; standard output.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(self.code, 0, "{self}");
        self.stdout
    }

    /// It must have succeeded; standard output as JSON.
    #[track_caller]
    pub fn json(self) -> serde_json::Value {
        assert_eq!(self.code, 0, "{self}");
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self}"))
    }

    /// The codes of what `git lane doctor --json` has found, in its order; the exit code says
    /// whether there are any.
    #[track_caller]
    pub fn findings(self) -> Vec<String> {
        let document: serde_json::Value =
            serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self}"));
        let findings = &document["findings"];
        let code = |finding: &serde_json::Value| finding["code"].as_str().unwrap().to_owned();
        let codes: Vec<String> = findings.as_array().unwrap().iter().map(code).collect();
        assert_eq!(self.code, i32::from(!codes.is_empty()), "{self}");
        codes
    }

    /// It must have ended with `code` and said nothing of a panic; standard error.
    #[track_caller]
    pub fn fails(self, code: i32) -> String {
        assert_eq!(self.code, code, "{self}");
        assert!(!self.stderr.contains("panicked"), "{self}");
        self.stderr
    }
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}\nexit code {}\n--- stdout\n{}--- stderr\n{}",
            self.described, self.code, self.stdout, self.stderr
        )
    }
}
