//! Where a branch goes that is pushed: the remote and the name that git itself would take.
//!
//! `operations/land/push_first` and `commands/finish` ask.

use bstr::{BString, ByteSlice};

use super::Repository;
use super::upstream::tracking;
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
    /// The remote-tracking branch that mirrors it, where one does.
    pub tracking: Option<RefName>,
    /// What a push goes to, and what is asked: `remote.<name>.pushUrl`, else the remote.
    pub address: BString,
    /// How many of these there are.
    pub addresses: usize,
}

impl Destination {
    /// The ref `name` of `remote`, where the configuration knows that remote.
    pub fn known_as(repository: &Repository, remote: &BString, name: &RefName) -> Option<Self> {
        let remotes = repository.gix.remote_names();
        let mut names = remotes.iter();
        let is_followed = || {
            let branches = repository.gix.branch_names();
            let mut settings = branches.into_iter().flat_map(|branch| {
                ["remote", "pushRemote"]
                    .map(|key| repository.config(&format!("branch.{branch}.{key}")))
            });
            settings.any(|set| set.as_ref() == Some(remote))
        };
        let is_known = names.any(|known| known.as_bstr() == remote) || is_followed();
        is_known.then(|| Self::of(repository, remote.clone(), name.clone()))
    }

    fn of(repository: &Repository, remote: BString, name: RefName) -> Self {
        let tracking = tracking(repository, remote.as_bstr(), &name);
        let snapshot = repository.gix.config_snapshot();
        let addresses = snapshot
            .plumbing()
            .strings(format!("remote.{remote}.pushUrl").as_str())
            .unwrap_or_default();
        let count = addresses.len();
        let address = addresses.into_iter().next();
        Destination {
            address: address.unwrap_or_else(|| remote.clone()),
            addresses: count.max(1),
            remote,
            name,
            tracking,
        }
    }

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
    Some(Destination::of(repository, remote, name))
}
