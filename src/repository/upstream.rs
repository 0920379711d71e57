//! What a branch follows on a remote, and the fetch that brings the news of it.
//!
//! Start and sync call it.

use std::time::Duration;

use bstr::{BStr, BString, ByteSlice};

use super::Repository;
use crate::domain::lane::{ObjectId, RefName};
use crate::domain::name::BranchName;
use crate::engines::history;
use crate::error::Result;
use crate::store::git::Invocation;
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
    let tracking = tracking(
        repository,
        remote.as_bstr(),
        &RefName::parse(merge.as_bstr())?,
    )?;
    Some(Upstream { remote, tracking })
}

/// The remote-tracking branch that mirrors the ref `name` of `remote`, as the fetch refspecs of that
/// say; `None` where none does, as for an address instead of a name.
pub fn tracking(repository: &Repository, remote: &BStr, name: &RefName) -> Option<RefName> {
    let remote = repository.gix.try_find_remote(remote)?.ok()?;
    let specs = remote.refspecs(gix::remote::Direction::Fetch);
    let group = gix::refspec::MatchGroup::from_fetch_specs(specs.iter().map(|spec| spec.to_ref()));
    let nothing = repository.gix.object_hash().null();
    let item = gix::refspec::match_group::Item {
        full_ref_name: name.as_bstr(),
        target: &nothing,
        object: None,
    };
    let mapped = group.match_lhs(std::iter::once(item));
    let found = mapped.mappings.into_iter().find_map(|mapping| mapping.rhs);
    RefName::parse(found?.as_ref())
}

/// A git that asks remotes: in the main worktree, where relative addresses are at home.
pub fn git_of_remotes(repository: &Repository) -> Invocation {
    let main = repository.main_directory();
    match main.filter(|main| main.is_dir()) {
        Some(main) => repository.git_as_user_at(&main),
        None => repository.git_here(),
    }
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
    git_of_remotes(repository).fetch(remote)
}
