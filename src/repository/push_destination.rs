//! Where a branch goes that is pushed: the remote and the name that git itself would take.
//!
//! `operations/land/push_first` and `commands/finish` ask.

use bstr::{BStr, BString, ByteSlice};

use super::Repository;
use crate::domain::lane::{ObjectId, RefName};
use crate::domain::name::BranchName;
use crate::error::Result;

/// A ref of a remote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// The remote: its name, or an address where the configuration has that.
    pub remote: BString,
    /// The full name of the ref there.
    pub name: RefName,
    /// The remote-tracking branch that mirrors it; `None` for an address.
    pub tracking: Option<RefName>,
}

impl Destination {
    /// Where the ref was when it was last heard of.
    pub fn known(&self, repository: &Repository) -> Result<Option<ObjectId>> {
        let tracking = self.tracking.as_ref();
        tracking.map_or(Ok(None), |tracking| repository.ref_target(tracking))
    }
}

/// Where `branch` is pushed to: `branch.<name>.pushRemote`, `remote.pushDefault` or the remote that it
/// follows; there the branch that it follows, in another remote the one of its own name. `None` where
/// it follows no branch of a remote and has no remote of its own to be pushed to.
pub fn destination(repository: &Repository, branch: &BranchName) -> Option<Destination> {
    let setting = |key: &str| repository.config(&format!("branch.{branch}.{key}"));
    // "." is this repository.
    let followed = setting("remote")
        .filter(|remote| remote != ".")
        .zip(setting("merge"));
    let own = setting("pushRemote");
    let elsewhere = || repository.config("remote.pushDefault");
    let remote = match &followed {
        Some((followed, _)) => own.or_else(elsewhere).unwrap_or_else(|| followed.clone()),
        None => own?,
    };
    let name = match followed {
        Some((followed, merge)) if followed == remote => RefName::parse(merge.as_bstr())?,
        _ => RefName::from(branch),
    };
    let tracking = tracking(repository, remote.as_bstr(), &name);
    Some(Destination {
        remote,
        name,
        tracking,
    })
}

fn tracking(repository: &Repository, remote: &BStr, name: &RefName) -> Option<RefName> {
    let is_name = repository
        .gix
        .remote_names()
        .iter()
        .any(|known| known.as_bstr() == remote);
    let short = name.as_bstr().strip_prefix(b"refs/heads/")?;
    let tracking = [b"refs/remotes/", remote.as_bytes(), b"/", short].concat();
    is_name
        .then(|| RefName::parse(tracking.as_bstr()))
        .flatten()
}
