//! Which git is run, and whether it is one that git-lane can work with.

use std::io::Read;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use bstr::{BString, ByteSlice};

use super::invocation::not_started;
use super::{Git, Invocation};
use crate::error::{Code, Error, Result};
use crate::store::signals::Waiting;

/// A git version: major, minor, patch.
pub type Version = (u32, u32, u32);

/// The oldest git whose `merge-tree --write-tree --stdin` we rely on.
pub const OLDEST: Version = (2, 39, 0);

/// The first git whose `hook run` feeds a hook what it reads.
pub const FED_HOOKS: Version = (2, 40, 0);

/// The first git that takes attributes from a tree (`GIT_ATTR_SOURCE`).
pub const ATTRIBUTE_SOURCE: Version = (2, 41, 0);

/// The first git whose `merge-tree` takes the options of a merge strategy.
pub const MERGE_OPTIONS: Version = (2, 43, 0);

/// The first git that tells its reference-transaction hook of HEAD.
pub const HEAD_TRANSACTIONS: Version = (2, 46, 0);

/// The first git that links worktrees by relative paths.
pub const RELATIVE_LINKS: Version = (2, 48, 0);

/// The first git that fetches many refs in one transaction.
pub const BATCHED_FETCH: Version = (2, 51, 0);

/// The first git that runs hooks defined in its configuration.
pub const CONFIGURED_HOOKS: Version = (2, 54, 0);

/// How long a git may take to say its version.
const PATIENCE: Duration = Duration::from_secs(10);

impl Git {
    /// The version of git, asked once.
    pub fn version(&self) -> Result<Version> {
        if let Some(version) = self.version.get() {
            return Ok(*version);
        }
        let _asking = self.asking.lock();
        if let Some(version) = self.version.get() {
            return Ok(*version);
        }
        let ended = self
            .at(Path::new("/"))
            .arg("version")
            .ends_within(PATIENCE)?;
        let found = ended.as_ref().filter(|(_, status)| status.success());
        let version = found.and_then(|(text, _)| parse_version(text.to_str_lossy().trim_end()));
        let version = version.ok_or_else(|| {
            let what = match &ended {
                None => format!("did not end within {} seconds", PATIENCE.as_secs()),
                Some((text, status)) if status.success() => {
                    format!(
                        "said '{}'",
                        text.lines().next().unwrap_or_default().as_bstr()
                    )
                }
                Some((_, status)) => format!("ended with {status}"),
            };
            let program = &self.program;
            Error::environment(format!(
                "'{}' is no git that works: asked for its version it {what}",
                program.display()
            ))
            .with_code(Code::GitUnusable)
            .hint("install git, or have GIT_LANE_GIT name one")
        })?;
        Ok(*self.version.get_or_init(|| version))
    }

    /// Says why this git cannot be used, where it cannot be started, is something else or too old.
    pub fn ensure_usable(&self) -> Result<()> {
        self.ensure_at_least(OLDEST, "git-lane")
    }

    /// Says that `what` needs a newer git, where this one is older than `least`.
    pub fn ensure_at_least(&self, least: Version, what: &str) -> Result<()> {
        let (major, minor, patch) = self.version()?;
        if (major, minor, patch) >= least {
            return Ok(());
        }
        Err(Error::environment(format!(
            "{what} needs git {}.{} or later; '{}' is {major}.{minor}.{patch}",
            least.0,
            least.1,
            self.program.display()
        ))
        .with_code(Code::GitTooOld)
        .hint("install a newer git, or have GIT_LANE_GIT name one"))
    }

    /// Whether this git is `least` or newer.
    pub fn is_at_least(&self, least: Version) -> Result<bool> {
        Ok(self.version()? >= least)
    }
}

impl Invocation {
    /// Its standard output and how it ended; `None` of one that has not ended by then, which is
    /// stopped.
    fn ends_within(mut self, patience: Duration) -> Result<Option<(BString, ExitStatus)>> {
        self.command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = self
            .command
            .spawn()
            .map_err(|error| not_started(&self.command, error))?;
        let _waiting = Waiting::for_child(child.id());
        let deadline = Instant::now() + patience;
        let (send, said) = mpsc::channel();
        let stdout = child.stdout.take();
        // It is not waited for: what the child has started may hold the pipe for good.
        std::thread::spawn(move || {
            let mut text = Vec::new();
            if stdout.is_some_and(|mut stdout| stdout.read_to_end(&mut text).is_ok()) {
                let _ = send.send(text);
            }
        });
        if let Ok(text) = said.recv_timeout(patience) {
            while Instant::now() < deadline {
                if let Some(status) = child
                    .try_wait()
                    .map_err(|error| not_started(&self.command, error))?
                {
                    return Ok(Some((text.into(), status)));
                }
                std::thread::sleep(Duration::from_micros(200));
            }
        }
        let _ = child.kill();
        let _ = child.wait();
        Ok(None)
    }
}

fn parse_version(text: &str) -> Option<Version> {
    let mut numbers = text
        .strip_prefix("git version ")?
        .split(['.', ' ', '-'])
        .map_while(|part| part.parse().ok());
    Some((
        numbers.next()?,
        numbers.next()?,
        numbers.next().unwrap_or(0),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_every_vendor_are_read() {
        assert_eq!(parse_version("git version 2.47.3"), Some((2, 47, 3)));
        assert_eq!(parse_version("git version 2.55.GIT"), Some((2, 55, 0)));
        assert_eq!(
            parse_version("git version 2.39.5 (Apple Git-154)"),
            Some((2, 39, 5))
        );
        assert_eq!(parse_version("git version 2.46.0-rc0"), Some((2, 46, 0)));
        assert_eq!(parse_version("tig 2.5"), None);
    }
}
