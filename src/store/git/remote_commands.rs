//! What is asked of remotes: fetch, push, and where a ref is there.

use std::time::Duration;

use bstr::{BString, ByteSlice};
use gix::ObjectId;

use super::Invocation;
use crate::domain::lane::RefName;
use crate::domain::push_verdict::is_status;
use crate::error::{Error, Result};

/// Whether the hook pre-push is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrePush {
    /// As git does.
    Runs,
    /// `--no-verify` skips it.
    Skipped,
}

impl Invocation {
    /// `git fetch`, of that remote or of the one git takes.
    pub fn fetch(self, remote: Option<&[u8]>) -> Result<()> {
        let git = self
            .running_programs()
            .args(["fetch", "--quiet", "--no-auto-gc"]);
        match remote {
            Some(remote) => git.arg("--").bytes(remote).run(),
            None => git.run(),
        }
    }

    /// The address a remote's name stands for.
    pub fn url_of(self, remote: impl AsRef<[u8]>) -> Result<BString> {
        let url = self
            .args(["ls-remote", "--get-url", "--"])
            .bytes(remote)
            .output()?;
        Ok(url.stdout.trim_ascii_end().into())
    }

    /// `git push --porcelain` of one commit to one ref of a remote, never by force. What hooks and the
    /// remote say goes to the user, and a signal asks git to stop. Returns the exit code, and what git
    /// itself has said on its standard output.
    pub fn push(
        self,
        remote: impl AsRef<[u8]>,
        commit: ObjectId,
        to: &RefName,
        hook: PrePush,
    ) -> Result<(Option<i32>, Vec<u8>)> {
        self.running_programs()
            // The caller has a better remedy.
            .with("advice.pushUpdateRejected", "false")
            .args(["push", "--porcelain"])
            .args((hook == PrePush::Skipped).then_some("--no-verify"))
            .arg("--")
            .bytes(remote)
            .bytes([commit.to_string().as_bytes(), b":", to.as_bstr()].concat())
            .overheard(is_status)
    }

    /// Where `name` is in a remote; `None` where it has no such ref. With a limit no user is asked for
    /// anything; without one git may ask for a password, and says itself what goes wrong.
    pub fn remote_ref(
        self,
        remote: impl AsRef<[u8]>,
        name: &RefName,
        limit: Option<Duration>,
    ) -> Result<Option<ObjectId>> {
        let listing = self
            .running_programs()
            .args(["ls-remote", "--quiet", "--"])
            .bytes(remote)
            .bytes(name.as_bstr());
        let listed = listing.asking_a_remote("git ls-remote", limit)?;
        let target = |line: &[u8]| {
            let (id, listed) = line.split_once_str("\t")?;
            (listed == name.as_bstr().as_bytes()).then(|| ObjectId::from_hex(id).ok())?
        };
        Ok(listed.lines().find_map(target))
    }

    /// `git fetch` of one ref of a remote, with the same limit; the remote-tracking branch follows
    /// where the remote's configuration says so.
    pub fn fetch_ref(
        self,
        remote: impl AsRef<[u8]>,
        name: &RefName,
        limit: Option<Duration>,
    ) -> Result<()> {
        let fetching = self
            .running_programs()
            .args(["fetch", "--quiet", "--no-auto-gc", "--no-tags", "--"])
            .bytes(remote)
            .bytes(name.as_bstr());
        fetching.asking_a_remote("git fetch", limit).map(drop)
    }

    fn asking_a_remote(self, what: &str, limit: Option<Duration>) -> Result<Vec<u8>> {
        let Some(limit) = limit else {
            let (code, said) = self.overheard(|_| true)?;
            return match code {
                Some(0) => Ok(said),
                _ => Err(Error::git(format!("{what} has failed"))),
            };
        };
        match self.output_within(limit)? {
            Some(output) if output.status.success() => Ok(output.stdout),
            Some(output) => Err(super::failure(what, &output)),
            None => {
                let limit = limit.as_secs();
                Err(Error::git(format!(
                    "{what} has not ended within {limit} seconds"
                )))
            }
        }
    }
}
