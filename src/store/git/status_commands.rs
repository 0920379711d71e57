//! Looks at a worktree that removal may rest on.

use std::ffi::OsString;
use std::process::Output;

use bstr::{BString, ByteSlice};

use super::{Invocation, failure};
use crate::error::{Error, Result};

/// How closely `git status` looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Untracked {
    /// Not at all at untracked files.
    No,
    /// At untracked directories as one.
    Directories,
    /// At every untracked file, and at no ignored one.
    EachFile,
    /// At every untracked and ignored file.
    Files,
}

impl Invocation {
    /// `git status --porcelain=v2 -z`: its records, headers included. `submodules` is the word of
    /// `--ignore-submodules`.
    pub fn status(self, submodules: &str, untracked: Untracked) -> Result<Vec<BString>> {
        let options: &[&str] = match untracked {
            Untracked::No => &["--untracked-files=no"],
            Untracked::Directories => &["--untracked-files=normal"],
            Untracked::EachFile => &["--untracked-files=all"],
            Untracked::Files => &["--untracked-files=all", "--ignored"],
        };
        let output = self
            .args(["status", "--porcelain=v2", "--branch", "-z"])
            .args(["--no-renames", "--no-ahead-behind"])
            .arg(format!("--ignore-submodules={submodules}"))
            .args(options)
            .read("read the status of a worktree")?;
        ensure_all_read(&output)?;
        // It always begins with the commit. A program that says nothing has not looked.
        if !output.stdout.starts_with(b"# ") {
            return Err(Error::git("cannot understand what git status says"));
        }
        let records = output.stdout.split_str("\0");
        let records = records.filter(|record| !record.is_empty());
        Ok(records.map(BString::from).collect())
    }

    /// The paths at or below `paths` that are not as HEAD has them, untracked ones with them. The
    /// empty path is the top.
    pub fn changed_at(self, paths: &[BString]) -> Result<Vec<BString>> {
        let asked = self
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("LC_ALL", "C")
            .literal_paths()
            .args(["status", "--porcelain", "-z"])
            .args(["--no-renames", "--untracked-files=all"])
            .args(["--ignore-submodules=dirty", "--"]);
        let output = asked
            .at_paths(paths)
            .read("read the status of a worktree")?;
        ensure_all_read(&output)?;
        let records = output.stdout.split_str("\0");
        // Two letters and a space before each.
        let path = |record: &[u8]| record.get(3..).map(BString::from);
        let paths = records.filter_map(path);
        // A repository in the worktree that is no submodule.
        Ok(paths.filter(|path| !path.ends_with(b"/")).collect())
    }

    /// The ignored paths, whole directories as one with a slash at the end.
    pub fn list_ignored(self) -> Result<Vec<BString>> {
        let output = self
            .args(["ls-files", "-z", "--others", "--ignored"])
            .args(["--exclude-standard", "--directory"])
            .read("list ignored files")?;
        let paths = output.stdout.split_str("\0");
        let paths = paths.filter(|path| !path.is_empty());
        Ok(paths.map(BString::from).collect())
    }

    /// The untracked paths that are not ignored, a nested repository with a slash at the end.
    pub fn list_untracked(self) -> Result<Vec<BString>> {
        let listed = self
            .args(["ls-files", "-z", "--others", "--exclude-standard"])
            .read("list untracked files")?;
        let paths = listed.stdout.split_str("\0");
        let paths = paths.filter(|path| !path.is_empty());
        Ok(paths.map(BString::from).collect())
    }

    /// The filters that the repository itself configures, as options that switch each off.
    pub fn own_filters(self) -> Result<Vec<OsString>> {
        self.filters_of(|scope| matches!(scope, b"local" | b"worktree"))
    }

    /// All filters that anything configures, as the same options.
    pub fn filters(self) -> Result<Vec<OsString>> {
        self.filters_of(|_| true)
    }

    fn filters_of(self, counts: impl Fn(&[u8]) -> bool) -> Result<Vec<OsString>> {
        let listed = self
            .args(["config", "--list", "--show-scope", "--name-only", "-z"])
            .read("read the settings of a repository")?
            .stdout;
        let mut fields = listed.split_str("\0");
        let mut options = Vec::new();
        while let (Some(scope), Some(key)) = (fields.next(), fields.next()) {
            if counts(scope) && key.starts_with(b"filter.") {
                let assigned = [b"--config-env=", key, b"=GIT_LANE_NOTHING"].concat();
                options.push(assigned.to_os_str_lossy().into_owned());
            }
        }
        Ok(options)
    }

    /// Has git start no program of `filters`, as [`own_filters`](Self::own_filters) names them, and
    /// fetch nothing. A file that needs such a filter looks changed then.
    pub fn without_filters(self, filters: Vec<OsString>) -> Self {
        self.args(filters)
            .env("GIT_LANE_NOTHING", "")
            .env("GIT_ALLOW_PROTOCOL", "")
            .env("GIT_NO_LAZY_FETCH", "1")
    }

    /// Adds paths; with the top among them none is needed.
    pub(super) fn at_paths(self, paths: &[BString]) -> Self {
        if paths.iter().any(|path| path.is_empty()) {
            return self;
        }
        paths.iter().fold(self, |git, path| git.bytes(path))
    }

    /// Has git take paths as they are, whatever the caller has said of patterns.
    pub(super) fn literal_paths(mut self) -> Self {
        for others in ["GLOB", "NOGLOB", "ICASE"] {
            self.command.env_remove(format!("GIT_{others}_PATHSPECS"));
        }
        self.arg("--literal-pathspecs")
    }

    fn read(self, doing: &str) -> Result<Output> {
        let output = self.output()?;
        if output.status.success() {
            Ok(output)
        } else {
            Err(failure(&format!("git could not {doing}"), &output))
        }
    }
}

/// git only warns about a directory it cannot read, and knows nothing about what is in it. One that
/// is not there has nothing in it.
fn ensure_all_read(status: &Output) -> Result<()> {
    let is_unread = |line: &[u8]| {
        line.contains_str("could not open directory")
            && !line.contains_str("No such file or directory")
    };
    match status.stderr.lines().any(is_unread) {
        true => Err(failure(
            "git could not read the status of a worktree",
            status,
        )),
        false => Ok(()),
    }
}
