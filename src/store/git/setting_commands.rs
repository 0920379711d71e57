//! What git says of its configuration and its hooks, and how both are used.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Stdio;

use bstr::{BString, ByteSlice};

use super::{Invocation, failure};
use crate::error::{Error, Result};

impl Invocation {
    /// `git config --get`: the value of a key that git takes, if there is one.
    pub fn setting(self, key: impl AsRef<[u8]>) -> Result<Option<BString>> {
        let found = self.args(["config", "-z", "--get"]).bytes(key).output()?;
        let value = found.stdout.strip_suffix(b"\0");
        Ok(value.map(BString::from))
    }

    /// What the program says of its version that git runs as `git lane`.
    pub fn lane_version(self) -> Result<String> {
        self.args(["lane", "--version"]).text()
    }

    /// Becomes the manual page of that name, as `git lane --help` does. Returns only where git cannot
    /// be started.
    pub fn become_page(self, page: &str) -> Error {
        self.args(["help", "--man", page]).become_git()
    }

    /// The same of a key that is true or false.
    pub fn truth(self, key: &str) -> Result<Option<bool>> {
        let found = self
            .args(["config", "--type=bool", "--get", key])
            .output()?;
        match found.status.code() {
            Some(0) => Ok(Some(crate::store::line(&found.stdout) == b"true")),
            // There is none.
            Some(1) => Ok(None),
            _ => Err(failure("git config", &found)),
        }
    }

    /// The same, with the scope of the file it is in: `local` or `global`.
    pub fn setting_and_scope(self, key: &str) -> Result<Option<(BString, BString)>> {
        let found = self
            .args(["config", "-z", "--show-scope", "--get", key])
            .output()?;
        let pair = found.stdout.strip_suffix(b"\0");
        let pair = pair.and_then(|pair| pair.split_once_str("\0"));
        Ok(pair.map(|(scope, value)| (scope.into(), value.into())))
    }

    /// `git config --list --show-scope`: scope and entry in turn, an entry being the key, and where
    /// it has one a line feed and the value.
    pub fn settings(self) -> Result<Vec<BString>> {
        self.args(["config", "--list", "-z", "--show-scope"])
            .fields()
    }

    /// The names of the settings that match a regular expression, the value one too.
    pub fn settings_like(self, name: &str, value: &str) -> Result<Vec<BString>> {
        let found = self
            .args(["config", "-z", "--name-only", "--get-regexp", name, value])
            .output()?;
        Ok(found.stdout.split_str("\0").map(BString::from).collect())
    }

    /// Takes all values of a key out of a file, if it has any.
    pub fn unset_in(self, file: &Path, key: &str) -> Result<()> {
        // Exit code 5: there was nothing to unset.
        self.args(["config", "--file"])
            .arg(file)
            .args(["--unset-all", key])
            .output()
            .map(drop)
    }

    /// All values of a key in the user's own configuration.
    pub fn global_values(self, key: &str) -> Result<Vec<BString>> {
        let listed = self
            .args(["config", "--global", "-z", "--get-all", key])
            .output()?;
        Ok(listed.stdout.split_str("\0").map(BString::from).collect())
    }

    /// Adds a value in the user's own configuration.
    pub fn add_global(self, key: &str, value: &OsStr) -> Result<()> {
        self.args(["config", "--global", "--add", key])
            .arg(value)
            .run()
    }

    /// Takes a value out of the user's own configuration.
    pub fn unset_global(self, key: &str, value: &OsStr) -> Result<()> {
        self.args(["config", "--global", "--fixed-value", "--unset-all", key])
            .arg(value)
            .run()
    }

    /// `git var`: who git names in a commit, or the editor it runs; `None` where it cannot tell.
    pub fn var(self, name: &str) -> Result<Option<BString>> {
        let said = self.args(["var", name]).output()?;
        let text = BString::from(crate::store::line(&said.stdout));
        Ok(said.status.success().then_some(text))
    }

    /// Who git names as the committer, with the time; an error with git's words where it cannot.
    pub fn committer(self) -> Result<String> {
        self.args(["var", "GIT_COMMITTER_IDENT"]).text()
    }

    /// The command line of the editor git runs; an error with git's words where it knows none.
    pub fn editor(self) -> Result<String> {
        self.args(["var", "GIT_EDITOR"]).text()
    }

    /// `git hook run`, seen by the user; its exit code, 0 where there is no such hook.
    pub fn run_hook<A: AsRef<OsStr>>(
        self,
        name: &str,
        args: impl IntoIterator<Item = A>,
    ) -> Result<i32> {
        self.hook(name, args).interactive(Stdio::null())
    }

    /// The same of a hook that the user is to hear nothing of, nor git of how it ends.
    pub fn run_hook_unheard<A: AsRef<OsStr>>(
        self,
        name: &str,
        args: impl IntoIterator<Item = A>,
    ) -> Result<()> {
        self.hook(name, args).output().map(drop)
    }

    fn hook<A: AsRef<OsStr>>(self, name: &str, args: impl IntoIterator<Item = A>) -> Self {
        self.running_programs()
            .args(["hook", "run", "--ignore-missing", name, "--"])
            .args(args)
    }

    /// A hook that reads `input`; git 2.40 and later.
    pub fn feeding_hook(self, name: &str, argument: &str, input: &[u8]) -> Self {
        self.running_programs()
            .args(["hook", "run", "--ignore-missing"])
            .args(["--to-stdin=/dev/stdin", name, "--", argument])
            .input(input)
    }

    /// `git hook list`: the names of the hooks that would run, as this git words them.
    pub fn list_hooks(self, name: &str) -> Result<BString> {
        let listed = self.args(["hook", "list", name]).output()?;
        Ok(listed.stdout.into())
    }

    /// The same, each with a NUL after it; git 2.54 and later.
    pub fn list_configured_hooks(self, name: &str) -> Result<Vec<BString>> {
        self.args(["hook", "list", "-z", name]).fields()
    }
}
