//! The base of a new lane: found, and compared with its upstream.

use std::collections::BTreeMap;

use crate::domain::lane::{ObjectId, RefName};
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
    let Some(name) = &base.name else {
        return Ok((base, None));
    };
    let Some((behind, newest)) = behind(repository, name, base.commit)? else {
        return Ok((base, None));
    };
    if behind.ahead == 0 && upstreams == Upstreams::AsLastFetched {
        base.commit = newest;
        return Ok((base, None));
    }
    Ok((base, Some(behind)))
}

/// What a base that is at `commit` lacks of its upstream as that was fetched last, and the commit of
/// that; `None` where it has all of it, or follows none.
pub fn behind(
    repository: &Repository,
    base: &RefName,
    commit: ObjectId,
) -> Result<Option<(Behind, ObjectId)>> {
    let Some(followed) = upstream(repository, base) else {
        return Ok(None);
    };
    let newest = repository.ref_target(&followed.tracking)?;
    let Some(newest) = newest.filter(|newest| *newest != commit) else {
        return Ok(None);
    };
    let found = history::divergences(&repository.gix, &[(commit, newest)])?;
    let found = found.first().filter(|found| found.behind > 0);
    let behind = found.map(|found| Behind {
        upstream: followed.tracking,
        behind: found.behind,
        ahead: found.ahead,
        code: None,
    });
    Ok(behind.map(|behind| (behind, newest)))
}
