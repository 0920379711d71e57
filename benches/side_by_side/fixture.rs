//! Repositories to race in, made once and kept below the bench directory.

use std::cell::Cell;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Makes repositories and fresh paths.
pub struct Fixtures {
    directory: PathBuf,
    run: PathBuf,
    next: Cell<usize>,
}

impl Fixtures {
    pub fn new() -> Self {
        let directory = std::env::var_os("GIT_LANE_BENCH_DIR").map(PathBuf::from);
        let directory =
            directory.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench"));
        let run = directory.join(format!("run-{}", std::process::id()));
        std::fs::create_dir_all(&run).expect("the bench directory can be made");
        std::fs::create_dir_all(directory.join("home")).expect("the bench directory can be made");
        Fixtures {
            directory,
            run,
            next: Cell::new(0),
        }
    }

    /// Everything made in this run goes; the generated repositories stay for the next.
    pub fn clean_up(&self) {
        let _ = std::fs::remove_dir_all(&self.run);
    }

    /// Writes out what setting up left in memory: else the first program that syncs a file pays for
    /// it.
    pub fn flush(&self) {
        let _ = Command::new("sync")
            .arg("-f")
            .arg(&self.run)
            .stderr(Stdio::null())
            .status();
    }

    /// A path nothing was ever at.
    pub fn fresh(&self, name: &str) -> PathBuf {
        self.next.set(self.next.get() + 1);
        self.run.join(format!("{name}-{}", self.next.get()))
    }

    /// The sizes of repositories to race in.
    pub fn sizes(&self) -> Vec<usize> {
        let large = std::env::var("GIT_LANE_BENCH_LARGE").is_ok_and(|value| value == "0");
        if large {
            vec![1_000, 10_000]
        } else {
            vec![1_000, 10_000, 50_000]
        }
    }

    /// A fresh clone, with a main worktree whose index is settled, of a repository with that many
    /// files.
    pub fn clone_of(&self, files: usize) -> PathBuf {
        let path = self.fresh("repo").join("shop");
        let source = self.generated(files);
        self.git(
            &self.directory,
            &[
                "clone",
                "-q",
                "--local",
                source.to_str().unwrap(),
                path.to_str().unwrap(),
            ],
        );
        self.settle(&path);
        path
    }

    /// A fresh clone, likewise settled, of a repository with that many files of English text, fewer
    /// than 700 bytes each, all below `files`: unlike random text they are compressed to less than
    /// half.
    pub fn text_clone_of(&self, files: usize) -> PathBuf {
        let path = self.fresh("repo").join("shop");
        let source = self.texts(files);
        self.git(
            &self.directory,
            &[
                "clone",
                "-q",
                "--local",
                source.to_str().unwrap(),
                path.to_str().unwrap(),
            ],
        );
        self.settle(&path);
        path
    }

    fn texts(&self, files: usize) -> PathBuf {
        let path = self.directory.join(format!("texts-{files}"));
        if path.join("complete").exists() {
            return path;
        }
        let _ = std::fs::remove_dir_all(&path);
        self.git(
            &self.directory,
            &["init", "-q", "--bare", "-b", "main", path.to_str().unwrap()],
        );
        let lines: Vec<&str> = include_str!("../../README.md")
            .lines()
            .filter(|line| line.len() > 20)
            .collect();
        let mut random = Random(7);
        let mut stream = Vec::new();
        let _ = writeln!(
            stream,
            "commit refs/heads/main\ncommitter A <a@example.com> 1700000000 +0000\ndata 5\nfirst"
        );
        for file in 0..files {
            let size = 100 + random.next() as usize % 600;
            let mut text = format!("{file}\n").into_bytes();
            while text.len() < size {
                text.extend_from_slice(lines[random.next() as usize % lines.len()].as_bytes());
                text.push(b'\n');
            }
            text.truncate(size);
            let name = format!("files/d{}/e{}/file{file}.txt", file / 500, file / 25 % 20);
            let _ = writeln!(stream, "M 100644 inline {name}\ndata {size}");
            stream.extend_from_slice(&text);
            stream.push(b'\n');
        }
        self.import(&path, stream);
        self.git(&path, &["repack", "-q", "-ad"]);
        std::fs::write(path.join("complete"), "").unwrap();
        path
    }

    /// A fresh clone of a repository with that many files, without a worktree.
    pub fn bare_clone_of(&self, files: usize) -> PathBuf {
        let path = self.fresh("repo").join("shop.git");
        let source = self.generated(files);
        self.git(
            &self.directory,
            &[
                "clone",
                "-q",
                "--bare",
                "--local",
                source.to_str().unwrap(),
                path.to_str().unwrap(),
            ],
        );
        path
    }

    /// Makes the index of a worktree one that git has nothing to repair in.
    pub fn settle(&self, worktree: &Path) {
        std::thread::sleep(std::time::Duration::from_millis(1100));
        self.git(worktree, &["update-index", "--refresh", "-q"]);
        self.git(worktree, &["status", "--porcelain"]);
    }

    /// A repository with that many files of log-normal sizes, ten kilobytes on average, in one
    /// pack.
    fn generated(&self, files: usize) -> PathBuf {
        let path = self.directory.join(format!("files-{files}"));
        if path.join("complete").exists() {
            return path;
        }
        let _ = std::fs::remove_dir_all(&path);
        self.git(
            &self.directory,
            &["init", "-q", "--bare", "-b", "main", path.to_str().unwrap()],
        );
        let mut random = Random(42);
        let mut stream = Vec::new();
        let _ = writeln!(
            stream,
            "commit refs/heads/main\ncommitter A <a@example.com> 1700000000 +0000\ndata 5\nfirst"
        );
        for file in 0..files {
            let size = random.log_normal();
            let _ = writeln!(
                stream,
                "M 100644 inline d{}/e{}/file{file}.txt\ndata {size}",
                file / 500,
                file / 25 % 20
            );
            let mut text = String::with_capacity(size + 16);
            while text.len() < size {
                let _ = writeln!(text, "{:x}", random.next());
            }
            stream.extend_from_slice(&text.as_bytes()[..size]);
            stream.push(b'\n');
        }
        self.import(&path, stream);
        self.git(&path, &["repack", "-q", "-ad"]);
        std::fs::write(path.join("complete"), "").unwrap();
        path
    }

    /// A bare repository of one small file with that many commits on `main` and 50 branches `b0` …
    /// `b49` of a few commits each, spread over it, every other one merged; plus that many further
    /// refs.
    pub fn history(&self, commits: usize, refs: usize) -> PathBuf {
        let path = self.directory.join(format!("commits-{commits}-{refs}"));
        if path.join("complete").exists() {
            return path;
        }
        let _ = std::fs::remove_dir_all(&path);
        self.git(
            &self.directory,
            &["init", "-q", "--bare", "-b", "main", path.to_str().unwrap()],
        );
        let mut stream = Vec::new();
        let mut mark = 0;
        let mut commit = |stream: &mut Vec<u8>,
                          branch: &str,
                          from: Option<usize>,
                          merge: Option<usize>,
                          file: &str| {
            mark += 1;
            let _ = write!(stream, "commit refs/heads/{branch}\nmark :{mark}\n");
            let _ = writeln!(
                stream,
                "committer A <a@example.com> {} +0000\ndata 1\nc",
                1_500_000_000 + mark * 60
            );
            if let Some(from) = from {
                let _ = writeln!(stream, "from :{from}");
            }
            if let Some(merge) = merge {
                let _ = writeln!(stream, "merge :{merge}");
            }
            let text = mark.to_string();
            let _ = writeln!(
                stream,
                "M 100644 inline {file}\ndata {}\n{text}",
                text.len()
            );
            mark
        };
        let step = commits / 51;
        let mut main = None;
        for n in 0..commits {
            main = Some(commit(&mut stream, "main", main, None, "file"));
            if n % step == step - 1 && n / step < 50 {
                let branch = n / step;
                let mut tip = main;
                for _ in 0..4 {
                    tip = Some(commit(
                        &mut stream,
                        &format!("b{branch}"),
                        tip,
                        None,
                        &format!("own{branch}"),
                    ));
                }
                if branch.is_multiple_of(2) {
                    main = Some(commit(
                        &mut stream,
                        "main",
                        main,
                        tip,
                        &format!("own{branch}"),
                    ));
                }
            }
        }
        for n in 0..refs {
            let _ = writeln!(
                stream,
                "reset refs/heads/many/r{n}\nfrom :{}\n",
                1 + n * commits / refs.max(1)
            );
        }
        self.import(&path, stream);
        self.git(&path, &["repack", "-q", "-ad"]);
        self.git(&path, &["pack-refs", "--all"]);
        self.git(&path, &["commit-graph", "write", "--reachable"]);
        std::fs::write(path.join("complete"), "").unwrap();
        path
    }

    fn import(&self, path: &Path, stream: Vec<u8>) {
        let mut git = self.command("git", path);
        git.args(["fast-import", "--quiet"]).stdin(Stdio::piped());
        let mut child = git.spawn().expect("git starts");
        child.stdin.take().unwrap().write_all(&stream).unwrap();
        assert!(child.wait().unwrap().success());
    }

    /// git, for set-up.
    pub fn git(&self, directory: &Path, args: &[&str]) {
        self.run("git", directory, args);
    }

    /// git-lane, for set-up.
    pub fn lane(&self, directory: &Path, args: &[&str]) {
        self.run("git-lane", directory, args);
    }

    fn run(&self, program: &str, directory: &Path, args: &[&str]) {
        let output = self
            .command(program, directory)
            .args(args)
            .output()
            .expect("the program starts");
        assert!(
            output.status.success(),
            "{program} {args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// A program in an environment of its own; `git` is the git under test.
    pub fn command(&self, program: &str, directory: &Path) -> Command {
        let chosen = std::env::var_os("GIT_LANE_TEST_GIT");
        let mut command = match program {
            "git" => Command::new(chosen.as_deref().unwrap_or("git".as_ref())),
            "git-lane" => Command::new(env!("CARGO_BIN_EXE_git-lane")),
            other => Command::new(other),
        };
        command
            .current_dir(directory)
            .env("HOME", self.directory.join("home"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_COUNT", "1")
            .env("GIT_CONFIG_KEY_0", "gc.auto")
            .env("GIT_CONFIG_VALUE_0", "0");
        // git-lane asks a chosen git for its version, and no other.
        if let Some(git) = chosen {
            command.env("GIT_LANE_GIT", git);
        }
        for who in ["AUTHOR", "COMMITTER"] {
            command
                .env(format!("GIT_{who}_NAME"), "A")
                .env(format!("GIT_{who}_EMAIL"), "a@example.com");
        }
        command
    }
}

/// xorshift64*: the same repositories on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A size whose mean is about ten kilobytes.
    fn log_normal(&mut self) -> usize {
        let sum: f64 = (0..12)
            .map(|_| (self.next() >> 11) as f64 / (1_u64 << 53) as f64)
            .sum();
        ((8.5 + 1.2 * (sum - 6.0)).exp() as usize).clamp(1, 400_000)
    }
}
