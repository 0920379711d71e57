//! A remote, and a colleague who works there.

use std::path::{Path, PathBuf};

use super::{Sandbox, write};

impl Sandbox {
    /// A bare repository that main follows as origin.
    pub fn with_origin(&self) -> PathBuf {
        self.with_origin_at(self.root().join("origin.git"))
    }

    /// The same inside of the repository, whose copies then have one of their own.
    pub fn with_origin_inside(&self) -> PathBuf {
        self.with_origin_at(self.repo.join(".git/remote"))
    }

    fn with_origin_at(&self, origin: PathBuf) -> PathBuf {
        let address = origin.to_str().unwrap();
        self.git(["clone", "-q", "--bare", ".", address]);
        self.git(["remote", "add", "origin", address]);
        self.git(["fetch", "-q", "origin"]);
        self.git(["branch", "-q", "--set-upstream-to=origin/main", "main"]);
        origin
    }

    /// A colleague's commit of `file` on the main of `origin`; nothing is fetched.
    pub fn colleague_pushes(&self, origin: &Path, file: &str) {
        let clone = self.root().join(format!("colleague-{file}"));
        let address = origin.to_str().unwrap();
        self.git(["clone", "-q", address, clone.to_str().unwrap()]);
        write(&clone.join(file), "theirs\n");
        self.git_in(&clone, ["add", "."]);
        self.git_in(&clone, ["commit", "-qm", file]);
        self.git_in(&clone, ["push", "-q", "origin", "HEAD:main"]);
    }
}
