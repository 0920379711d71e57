//! Files in `.git/lane` that git-lane did not write: from an unpacked archive, or from an agent
//! that may write there.
//!
//! In every row something of the user's lies where the planted file leads. The next command must
//! not touch it, must not hang, must do its own work, and the doctor must name what was planted.

mod events;
mod files;
mod journal;
mod pipes;
mod records;
mod trash;

use std::path::{Path, PathBuf};

use crate::support::{Run, Sandbox, listing, write};

/// An id as git-lane makes them.
pub const ID: &str = "1aaaaaaaaaaaaaaaaaa";

impl Sandbox {
    /// A directory of the user's with a file in it, outside of the repository.
    pub fn precious(&self) -> PathBuf {
        let victim = self.root().join("precious");
        write(&victim.join("doc"), "gold\n");
        write(&victim.join("a.lock"), "mine\n");
        victim
    }

    /// Below `.git/lane`.
    pub fn own(&self, path: &str) -> PathBuf {
        self.repo.join(".git/lane").join(path)
    }

    /// git-lane in the main worktree, which must end within ten seconds.
    #[track_caller]
    pub fn lane_in_time(&self, args: &[&str]) -> Run {
        let mut command = self.command("timeout");
        command
            .arg("10")
            .arg(self.root().join("bin/git-lane"))
            .args(args);
        let run = self.run(&mut command);
        assert_ne!(run.code, 124, "it hangs: {run}");
        assert!(!run.stderr.contains("panicked"), "{run}");
        run
    }

    /// What the doctor finds.
    pub fn found(&self) -> Vec<String> {
        self.lane_in_time(&["--json", "doctor"]).findings()
    }
}

/// A named pipe.
pub fn pipe(path: &Path) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let _ = std::fs::remove_file(path);
    let kind = rustix::fs::FileType::Fifo;
    rustix::fs::mknodat(rustix::fs::CWD, path, kind, 0o600.into(), 0).unwrap();
}

/// A symbolic link.
pub fn link(to: &Path, path: &Path) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(to, path).unwrap();
}

/// Everything of the user's that no planted file may change.
pub fn look(sandbox: &Sandbox, victim: &Path) -> String {
    let files = ["README", "src/app.txt", ".git/HEAD"]
        .map(|file| std::fs::read_to_string(sandbox.repo.join(file)).unwrap());
    format!("{}\n{}", listing(victim), files.join("\n"))
}
