//! What a branch follows on a remote, and the fetch that brings the news of it.
//!
//! Start and sync call it.

use std::time::Duration;

use bstr::{BString, ByteSlice};

use super::Repository;
use crate::domain::lane::{ObjectId, RefName};
use crate::domain::name::BranchName;
use crate::engines::history;
use crate::error::Result;
use crate::store::journal::Exclusive;

/// How long to wait for the fetches of others.
const PATIENCE: Duration = Duration::from_secs(600);

/// What a local branch follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// The remote.
    pub remote: BString,
    /// The remote-tracking branch that mirrors the one followed.
    pub tracking: RefName,
}

/// What `branch.<name>.remote` and `.merge` say, and the remote-tracking branch that mirrors it.
pub fn upstream(repository: &Repository, base: &RefName) -> Option<Upstream> {
    let branch = BranchName::from_ref(base.as_bstr())?;
    let remote = repository.config(&format!("branch.{branch}.remote"))?;
    let merge = repository.config(&format!("branch.{branch}.merge"))?;
    let short = merge.strip_prefix(b"refs/heads/")?;
    let tracking = RefName::parse(
        format!("refs/remotes/{remote}/{}", short.as_bstr())
            .as_bytes()
            .as_bstr(),
    )?;
    Some(Upstream { remote, tracking })
}

/// The commit of what `base` follows, where that has all of the base, which is at `commit`, and more:
/// what it has beyond is others' work that the base only lacks.
pub fn newer(
    repository: &Repository,
    base: &RefName,
    commit: ObjectId,
) -> Result<Option<ObjectId>> {
    let Some(upstream) = upstream(repository, base) else {
        return Ok(None);
    };
    let remote = repository.ref_target(&upstream.tracking)?;
    let Some(remote) = remote.filter(|remote| *remote != commit) else {
        return Ok(None);
    };
    let is_newer = history::is_ancestor(&repository.gix, commit, remote)?;
    Ok(is_newer.then_some(remote))
}

/// The remote whose branch a remote-tracking branch mirrors.
pub fn remote_of(tracking: &RefName) -> Option<BString> {
    let rest = tracking.as_bstr().strip_prefix(b"refs/remotes/")?;
    rest.split_once_str("/").map(|(remote, _)| remote.into())
}

/// Fetches all that the remote mirrors, or the one git takes; one fetch at a time, because git's own
/// fetches would fight over the refs.
pub fn fetch(repository: &Repository, remote: Option<&BString>) -> Result<()> {
    let _guard = Exclusive::acquire(repository.lane_dir(), "fetch.lock", PATIENCE)?;
    let remote = remote.map(|remote| remote.as_slice());
    repository.git_here().fetch(remote)
}
