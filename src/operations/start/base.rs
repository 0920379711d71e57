//! The base of a new lane: found, and compared with its upstream.

use std::collections::BTreeMap;

use crate::domain::lane::RefName;
use crate::domain::start::{Base, Behind};
use crate::engines::history;
use crate::error::Result;
use crate::repository::Repository;
use crate::repository::revision;
use crate::repository::upstream::upstream;

/// Where a lane starts whose base is behind its upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upstreams {
    /// From the base.
    Compared,
    /// From the upstream as it was fetched last: the base would be brought up to date, and nothing is to
    /// be changed.
    AsLastFetched,
}

/// The bases of one command: each is looked for once.
pub struct Bases<'a> {
    repository: &'a Repository,
    upstreams: Upstreams,
    found: BTreeMap<Option<String>, Found>,
}

/// A base, and how it stands to its upstream where it lacks something of that.
pub type Found = (Base, Option<Behind>);

impl<'a> Bases<'a> {
    /// None has been looked for yet.
    pub fn of(repository: &'a Repository, upstreams: Upstreams) -> Self {
        Bases {
            repository,
            upstreams,
            found: BTreeMap::new(),
        }
    }

    /// Finds the base by name, or the default one. `tell` hears of one that was not asked for before and
    /// is behind its upstream.
    pub fn find(&mut self, name: Option<&str>, tell: impl FnOnce(&Base, &Behind)) -> Result<Found> {
        let name = name.map(str::to_owned);
        if let Some(known) = self.found.get(&name) {
            return Ok(known.clone());
        }
        let base = look_up(self.repository, name.as_deref())?;
        let found = compared(self.repository, base, self.upstreams)?;
        if let (base, Some(behind)) = &found {
            tell(base, behind);
        }
        self.found.insert(name, found.clone());
        Ok(found)
    }
}

/// The base of that name, or the default one.
pub fn look_up(repository: &Repository, name: Option<&str>) -> Result<Base> {
    match name {
        Some(name) => revision::named_base(repository, name),
        None => revision::default_base(repository),
    }
}

/// The base, compared with its upstream.
fn compared(repository: &Repository, mut base: Base, upstreams: Upstreams) -> Result<Found> {
    let Some((ahead, behind, tracking, remote)) = divergence(repository, &base)? else {
        return Ok((base, None));
    };
    if ahead == 0 && upstreams == Upstreams::AsLastFetched {
        base.commit = remote;
        return Ok((base, None));
    }
    let behind = Behind {
        upstream: tracking,
        commits: behind,
        ahead,
        why: None,
    };
    Ok((base, Some(behind)))
}

/// How many commits the base has that its upstream has not, and the other way round; `None` where it has
/// all of them.
fn divergence(
    repository: &Repository,
    base: &Base,
) -> Result<Option<(usize, usize, RefName, gix::ObjectId)>> {
    let found = base.name.as_ref();
    let Some(followed) = found.and_then(|name| upstream(repository, name)) else {
        return Ok(None);
    };
    let Some(remote) = repository.ref_target(&followed.tracking)? else {
        return Ok(None);
    };
    if remote == base.commit {
        return Ok(None);
    }
    let found = history::divergences(&repository.gix, &[(base.commit, remote)])?;
    let found = found.first().filter(|found| found.behind > 0);
    Ok(found.map(|found| (found.ahead, found.behind, followed.tracking, remote)))
}
