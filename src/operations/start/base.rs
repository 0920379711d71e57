//! The base of a new lane: found, fetched where that is wanted, and compared with its upstream.

use std::time::Duration;

use bstr::{BString, ByteSlice};

use crate::domain::lane::RefName;
use crate::domain::name::BranchName;
use crate::domain::start::Base;
use crate::error::Result;
use crate::repository::Repository;
use crate::repository::revision;
use crate::store::journal::Exclusive;

/// A base and what there is to say about it.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// The base to start from.
    pub base: Base,
    /// It is behind or beside its upstream.
    pub warning: Option<String>,
}

/// How new the base's upstream has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upstreams {
    /// It is compared with the base, and nothing more.
    Compared,
    /// The lane starts from it, fetched before.
    Fetched,
    /// The lane would start from it: as it was fetched last, because nothing is to be changed.
    AsLastFetched,
}

/// Finds the base by name, or the default one. Where the lane is to start from its upstream and the
/// base has nothing that this lacks, the upstream's commit is where it starts; the base itself is
/// not moved.
pub fn resolve(
    repository: &Repository,
    name: Option<&str>,
    upstreams: Upstreams,
) -> Result<Resolved> {
    let find = || {
        name.map_or_else(
            || revision::default_base(repository),
            |name| revision::named_base(repository, name),
        )
    };
    let mut base = find()?;
    let upstream = base
        .name
        .as_ref()
        .and_then(|name| upstream(repository, name));
    if upstreams == Upstreams::Fetched {
        fetch_remote(repository, upstream.as_ref(), base.name.as_ref())?;
        base = find()?;
    }
    let Some(upstream) = upstream.map(|upstream| upstream.tracking) else {
        return Ok(Resolved {
            base,
            warning: None,
        });
    };
    let Some(remote) = repository
        .ref_target(&upstream)?
        .filter(|remote| *remote != base.commit)
    else {
        return Ok(Resolved {
            base,
            warning: None,
        });
    };
    let divergence =
        crate::engines::history::divergences(&repository.gix, &[(base.commit, remote)])?;
    let Some((ahead, behind)) = divergence.first().map(|found| (found.ahead, found.behind)) else {
        return Ok(Resolved {
            base,
            warning: None,
        });
    };
    let commits = if behind == 1 { "commit" } else { "commits" };
    let local = base
        .name
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    let warning = match (ahead, behind, upstreams != Upstreams::Compared) {
        (_, 0, _) => None,
        (0, _, true) => {
            base.commit = remote;
            None
        }
        (0, ..) => Some(format!(
            "'{local}' is {behind} {commits} behind '{upstream}'; --fetch starts from there"
        )),
        (..) => Some(format!(
            "'{local}' has diverged from '{upstream}': {ahead} ahead, {behind} behind"
        )),
    };
    Ok(Resolved { base, warning })
}

struct Upstream {
    remote: BString,
    tracking: RefName,
}

/// What `branch.<name>.remote` and `.merge` say, and the remote-tracking branch that mirrors it.
fn upstream(repository: &Repository, base: &RefName) -> Option<Upstream> {
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

/// Fetches what the base follows; one at a time, because git's own fetches would fight over the
/// refs.
fn fetch_remote(
    repository: &Repository,
    upstream: Option<&Upstream>,
    base: Option<&RefName>,
) -> Result<()> {
    let _guard = Exclusive::acquire(
        repository.lane_dir(),
        "fetch.lock",
        Duration::from_secs(600),
    )?;
    let git = repository.git_here();
    // All that the remote mirrors: a lane may be named like one of its branches.
    if let Some(upstream) = upstream {
        return git.fetch(Some(&upstream.remote));
    }
    let remote = base
        .and_then(|base| base.as_bstr().strip_prefix(b"refs/remotes/"))
        .and_then(|rest| rest.split_once_str("/"));
    git.fetch(remote.map(|(remote, _)| remote))
}
