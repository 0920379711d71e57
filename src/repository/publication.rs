//! Where the branches of lanes are published: the remote-tracking branches that mirror what was
//! pushed, as the last fetch or push has left them. No remote is asked.
//!
//! `operations/in_flight` calls it.

use std::collections::BTreeMap;

use bstr::{BString, ByteSlice};

use super::upstream::upstream;
use super::{RefFormat, Repository};
use crate::domain::lane::{Lane, ObjectId, RefName};

/// The remote-tracking branches of one repository.
#[derive(Debug)]
pub struct Publications<'a> {
    repository: &'a Repository,
    /// The remote that a branch is pushed to which names none.
    remote: Option<BString>,
    has_remotes: bool,
    /// All of them, where git alone can read one: it is asked once, not for each lane.
    known: Option<BTreeMap<RefName, ObjectId>>,
}

impl<'a> Publications<'a> {
    /// Those of `repository`.
    pub fn of(repository: &'a Repository) -> Self {
        let remotes = repository.gix.remote_names();
        let only = || remotes.iter().next().filter(|_| remotes.len() == 1);
        let origin = || remotes.iter().find(|remote| remote.as_bstr() == "origin");
        let remote = repository
            .config("remote.pushDefault")
            .or_else(|| Some(origin().or_else(only)?.as_bstr().to_owned()));
        let by_git = repository.ref_format() == RefFormat::Reftable && !remotes.is_empty();
        let listed = || repository.refs_below("refs/remotes/").unwrap_or_default();
        Publications {
            repository,
            remote,
            has_remotes: !remotes.is_empty(),
            known: by_git.then(|| listed().into_iter().collect()),
        }
    }

    /// The remote-tracking branch of the lane's branch and its commit: `None` there where the branch
    /// is followed and gone. A branch that follows its base is not published by that.
    pub fn find(&self, lane: &Lane) -> Option<(RefName, Option<ObjectId>)> {
        let branch = lane.branch.as_ref().filter(|_| self.has_remotes)?;
        let followed = upstream(self.repository, &RefName::from(branch));
        let followed = followed.map(|upstream| upstream.tracking);
        let base = lane.base.as_ref();
        let of_base = base.and_then(|base| upstream(self.repository, base));
        let is_base = |tracking: &RefName| {
            Some(tracking) == base
                || of_base
                    .as_ref()
                    .is_some_and(|upstream| upstream.tracking == *tracking)
        };
        if let Some(tracking) = followed.filter(|tracking| !is_base(tracking)) {
            let there = self.target(&tracking);
            return Some((tracking, there));
        }
        let own = self
            .repository
            .config(&format!("branch.{branch}.pushRemote"));
        let remote = own.or_else(|| self.remote.clone())?;
        let name = [b"refs/remotes/", remote.as_slice(), b"/", branch.as_bstr()].concat();
        let tracking = RefName::parse(name.as_bstr())?;
        let there = self.target(&tracking)?;
        Some((tracking, Some(there)))
    }

    /// One that cannot be read is passed over: the list is about lanes.
    fn target(&self, tracking: &RefName) -> Option<ObjectId> {
        match &self.known {
            Some(known) => known.get(tracking).copied(),
            None => self.repository.ref_target(tracking).ok().flatten(),
        }
    }
}
