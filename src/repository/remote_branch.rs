//! The branch of a remote that git takes for the name of one that does not exist yet: `git switch
//! NAME` and `git worktree add PATH NAME` make it from there and have it follow.
//!
//! The remote's own refspecs say where its branches are mirrored. One remote must have it, or
//! `checkout.defaultRemote` says which one is meant; `checkout.guess` switches it off.

use bstr::{BString, ByteSlice};
use gix::refspec::MatchGroup;
use gix::refspec::match_group::Item;

use crate::domain::lane::{ObjectId, RefName};
use crate::domain::name::BranchName;
use crate::domain::start::{OfRemote, Upstream};
use crate::domain::trash_entry::Setting;
use crate::error::Result;
use crate::repository::Repository;
use crate::repository::revision;

/// What the remotes have of a branch called `branch`.
pub fn guess(repository: &Repository, branch: &BranchName) -> Result<OfRemote> {
    if repository.gix.config_snapshot().boolean("checkout.guess") == Some(false) {
        return Ok(OfRemote::Nothing);
    }
    let mut found = Vec::new();
    for remote in repository.gix.remote_names() {
        let remote = remote.as_bstr().to_owned();
        for tracking in mirrors(repository, &remote, branch) {
            if let Some(id) = repository.ref_target(&tracking)? {
                found.push((remote.clone(), tracking, id));
            }
        }
    }
    let default = repository.config("checkout.defaultRemote");
    let one = match found.as_slice() {
        [] => return Ok(OfRemote::Nothing),
        [only] => only,
        several => match several
            .iter()
            .find(|(remote, ..)| Some(remote) == default.as_ref())
        {
            Some(meant) => meant,
            None => {
                return Ok(OfRemote::Several(
                    found.into_iter().map(|(_, tracking, _)| tracking).collect(),
                ));
            }
        },
    };
    let (remote, tracking, id) = one;
    let commit = revision::commit(repository, &id.to_string())?;
    let settings = settings(repository, remote, branch);
    Ok(OfRemote::One(Box::new(Upstream {
        tracking: tracking.clone(),
        commit,
        settings,
    })))
}

/// The remote-tracking branch that the user names as if it were a branch (`origin/feature`), and
/// what the branch would be called.
pub fn named(
    repository: &Repository,
    branch: &BranchName,
) -> Result<Option<(RefName, BranchName)>> {
    let Some((tracking, name)) = tracking(branch) else {
        return Ok(None);
    };
    if repository.ref_target(&tracking)?.is_none() {
        return Ok(None);
    }
    Ok(mirrored(repository, &tracking, &name).map(|(_, own)| (tracking, own)))
}

/// The remote whose branch would be mirrored where `branch` names a remote-tracking branch, and
/// what that would be called.
pub fn would_be(repository: &Repository, branch: &BranchName) -> Option<(String, BranchName)> {
    let (tracking, name) = tracking(branch)?;
    mirrored(repository, &tracking, &name)
}

/// The remote-tracking branch that git finds by the name of `branch`, and its name without
/// `refs/remotes/`.
fn tracking(branch: &BranchName) -> Option<(RefName, BString)> {
    let name = branch.as_bstr();
    let short = ["refs/remotes/", "remotes/"]
        .into_iter()
        .find_map(|prefix| name.strip_prefix(prefix.as_bytes()));
    let name = BString::from(short.unwrap_or(name));
    Some((
        RefName::parse([b"refs/remotes/", name.as_slice()].concat().as_bstr())?,
        name,
    ))
}

/// The remote that has `tracking` mirror a branch of its own, and that branch.
fn mirrored(
    repository: &Repository,
    tracking: &RefName,
    name: &BString,
) -> Option<(String, BranchName)> {
    repository
        .gix
        .remote_names()
        .into_iter()
        .find_map(|remote| {
            let own = name.strip_prefix(remote.as_bytes())?.strip_prefix(b"/")?;
            let own = BranchName::parse(own.as_bstr()).ok()?;
            let is_there =
                mirrors(repository, &remote.as_bstr().to_owned(), &own).contains(tracking);
            is_there.then(|| (remote.to_str_lossy().into_owned(), own))
        })
}

/// Where a remote's branch is mirrored.
fn mirrors(repository: &Repository, remote: &BString, branch: &BranchName) -> Vec<RefName> {
    let Ok(remote) = repository.gix.find_remote(remote.as_bstr()) else {
        return Vec::new();
    };
    let specs = remote.refspecs(gix::remote::Direction::Fetch);
    let (name, target) = (
        branch.to_ref(),
        ObjectId::null(repository.gix.object_hash()),
    );
    let item = Item {
        full_ref_name: name.as_bstr(),
        target: &target,
        object: None,
    };
    let group = MatchGroup::from_fetch_specs(specs.iter().map(|spec| spec.to_ref()));
    let found = group.match_lhs(std::iter::once(item)).mappings;
    found
        .iter()
        .filter_map(|mapping| RefName::parse(mapping.rhs.as_deref()?))
        .collect()
}

/// What `git branch --track` writes.
fn settings(repository: &Repository, remote: &BString, branch: &BranchName) -> Vec<Setting> {
    let setting = |key: &str, value: BString| Setting {
        key: key.into(),
        value,
    };
    let mut settings = vec![
        setting("remote", remote.clone()),
        setting("merge", branch.to_ref()),
    ];
    let rebase = repository.config("branch.autoSetupRebase");
    if rebase.is_some_and(|wanted| wanted == "always" || wanted == "remote") {
        settings.push(setting("rebase", "true".into()));
    }
    settings
}
