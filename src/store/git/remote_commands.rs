//! What is asked of remotes: fetch, push, and where a ref is there.

use std::time::Duration;

use bstr::{BString, ByteSlice};
use gix::ObjectId;

use super::Invocation;
use crate::domain::lane::RefName;
use crate::error::Result;

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
    /// remote say goes to the user, and a signal asks git to stop. Returns whether it has succeeded, and
    /// the standard output.
    pub fn push(
        self,
        remote: impl AsRef<[u8]>,
        commit: ObjectId,
        to: &RefName,
        hook: PrePush,
    ) -> Result<(bool, Vec<u8>)> {
        self.running_programs()
            // The caller has a better remedy.
            .with("advice.pushUpdateRejected", "false")
            .args(["push", "--porcelain"])
            .args((hook == PrePush::Skipped).then_some("--no-verify"))
            .arg("--")
            .bytes(remote)
            .bytes([commit.to_string().as_bytes(), b":", to.as_bstr()].concat())
            .overheard()
    }

    /// Where `name` is in a remote, asked there within that time; `None` where it has no such ref.
    pub fn remote_ref(
        self,
        remote: impl AsRef<[u8]>,
        name: &RefName,
        limit: Duration,
    ) -> Result<Option<ObjectId>> {
        let what = "git ls-remote";
        let listed = self
            .args(["ls-remote", "--quiet", "--"])
            .bytes(remote)
            .bytes(name.as_bstr())
            .output_within(limit)?;
        if !listed.status.success() {
            return Err(super::failure(what, &listed));
        }
        let target = |line: &[u8]| {
            let (id, listed) = line.split_once_str("\t")?;
            (listed == name.as_bstr().as_bytes()).then(|| ObjectId::from_hex(id).ok())?
        };
        Ok(listed.stdout.lines().find_map(target))
    }
}
