//! Hooks that the user or another tool has put into the repository, and how they hear of what
//! git-lane does in git's place.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use bstr::{BStr, ByteSlice};

use super::hook_file::is_ours_alone;
use crate::error::Result;
use crate::repository::Repository;
use crate::store::git::settings::{as_in, differ_by_worktree};
use crate::store::git::version::{CONFIGURED_HOOKS, FED_HOOKS};
use crate::store::git::{Invocation, failure};

impl Repository {
    /// Whether git would run a hook of this name that is not our own: a file in the effective hooks
    /// directory, or one in the configuration. Ours lets everything pass that git-lane does.
    pub fn has_hook(&self, name: &str) -> bool {
        // Where settings can differ, the git that runs the hook knows best.
        differ_by_worktree(&self.gix) || self.has_hook_from(&self.gix, None, name)
    }

    /// Like [`has_hook`](Self::has_hook) for a git that runs at the top of the worktree at `path`.
    pub fn has_hook_in(&self, path: &Path, git_dir: &Path, name: &str) -> bool {
        let Ok(own) = as_in(&self.gix, path, git_dir) else {
            return true;
        };
        self.has_hook_from(&own, Some(path), name)
    }

    fn has_hook_from(&self, gix: &gix::Repository, top: Option<&Path>, name: &str) -> bool {
        let directory = match (gix.config_snapshot().trusted_path("core.hooksPath"), top) {
            // A relative path counts from the directory the hook will run in, which git knows best.
            (Ok(Some(path)), None) if path.is_relative() => return true,
            (Ok(Some(path)), Some(top)) => top.join(path),
            (Ok(Some(path)), None) => path,
            _ => self.common_dir().join("hooks"),
        };
        let path = directory.join(name);
        let theirs = is_executable(&path) && !is_ours_alone(&path);
        theirs || has_configured_hook(gix, name.as_bytes().as_bstr())
    }

    /// Calls the hook `name` with one argument and something to read, as `git` would there; its
    /// failure is an error.
    pub fn feed_hook(
        &self,
        git: impl Fn() -> Invocation,
        name: &str,
        argument: &str,
        input: &[u8],
    ) -> Result<()> {
        let output = match !self.git.is_at_least(FED_HOOKS)? {
            false => git().feeding_hook(name, argument, input).output()?,
            // Those gits feed no hook they are told to run, but an alias reads what they read. Its
            // shell runs a file too that does not say what it is written for.
            true => {
                let path = git().git_path(&format!("hooks/{name}"))?;
                if !is_executable(&path) {
                    return Ok(());
                }
                git().feeding([path.as_os_str(), argument.as_ref()], input)?
            }
        };
        if output.status.success() {
            Ok(())
        } else {
            Err(failure(&format!("hook '{name}'"), &output))
        }
    }
}

impl Repository {
    /// Runs post-checkout for a worktree that was just made, and returns its exit code. `git
    /// worktree add` looks for the hook where its caller stands and runs it in the new worktree
    /// with no variable that names a repository; `git hook run` can do neither.
    pub fn run_post_checkout_of_new(&self, worktree: &Path, args: [&str; 3]) -> Result<i32> {
        let here = std::env::current_dir().unwrap_or_else(|_| self.common_dir().to_owned());
        let mut code = 0;
        for program in self.hooks_called("post-checkout")? {
            let program = program.into_iter().chain(args.map(OsString::from));
            let ended = self
                .git
                .at(&here)
                .child_at(worktree, program)
                .interactive(Stdio::null())?;
            code = if code == 0 { ended } else { code };
        }
        Ok(code)
    }

    /// What git calls for the hook `name` where the caller stands, in git's order, ours left out:
    /// each a program and the arguments that come before the hook's own.
    fn hooks_called(&self, name: &str) -> Result<Vec<Vec<OsString>>> {
        let mut called = Vec::new();
        if has_configured_hook(&self.gix, name.into()) && self.git.is_at_least(CONFIGURED_HOOKS)? {
            for named in self.git_in_current()?.list_configured_hooks(name)? {
                // The hook of the directory, and one that is switched off, are said in other words.
                let key = format!("hook.{}.command", named.as_bstr());
                let Some(command) = self
                    .config(&key)
                    .filter(|_| !named.starts_with(b"git-lane-"))
                else {
                    continue;
                };
                let command = command.to_os_str_lossy().into_owned();
                let mut line = command.clone();
                line.push(" \"$@\"");
                called.push(vec!["/bin/sh".into(), "-c".into(), line, command]);
            }
        }
        let path = self.git_in_current()?.git_path(&format!("hooks/{name}"))?;
        if is_executable(&path) {
            called.push(vec![path.into()]);
        }
        Ok(called)
    }
}

/// Hooks in the configuration exist from git 2.54 on.
fn has_configured_hook(gix: &gix::Repository, name: &BStr) -> bool {
    let config = gix.config_snapshot();
    let mut sections = config
        .plumbing()
        .sections_by_name("hook")
        .into_iter()
        .flatten();
    sections.any(|section| {
        let ours = section
            .header()
            .subsection_name()
            .is_some_and(|name| name.starts_with(b"git-lane-"));
        !ours && section.values("event").iter().any(|event| event == name)
    })
}

fn is_executable(file: &Path) -> bool {
    std::fs::metadata(file)
        .is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}
