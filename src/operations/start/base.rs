//! The base of a new lane: found, fetched where that is wanted, and compared with its upstream.

use std::collections::{BTreeMap, BTreeSet};

use bstr::BString;

use crate::domain::lane::RefName;
use crate::domain::start::Base;
use crate::error::Result;
use crate::repository::Repository;
use crate::repository::revision;
use crate::repository::upstream::{fetch, remote_of, upstream};

/// A base and what there is to say about it.
#[derive(Debug, Clone)]
struct Resolved {
    /// The base to start from.
    base: Base,
    /// It is behind or beside its upstream.
    warning: Option<String>,
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

/// The bases of one command: each is looked for once, and each remote fetched from once.
pub struct Bases<'a> {
    repository: &'a Repository,
    upstreams: Upstreams,
    found: BTreeMap<Option<String>, Resolved>,
    fetched: BTreeSet<Option<BString>>,
}

impl<'a> Bases<'a> {
    /// None has been looked for yet.
    pub fn of(repository: &'a Repository, upstreams: Upstreams) -> Self {
        Bases {
            repository,
            upstreams,
            found: BTreeMap::new(),
            fetched: BTreeSet::new(),
        }
    }

    /// Finds the base by name, or the default one. Where the lane is to start from its upstream and the
    /// base has nothing that this lacks, the upstream's commit is where it starts; the base itself is
    /// not moved. `tell` hears of what there is to say about one that was not asked for before.
    pub fn find(&mut self, name: Option<&str>, tell: impl FnOnce(&str)) -> Result<Base> {
        let name = name.map(str::to_owned);
        if let Some(known) = self.found.get(&name) {
            return Ok(known.base.clone());
        }
        let resolved = self.resolve(name.as_deref())?;
        if let Some(warning) = &resolved.warning {
            tell(warning);
        }
        let base = resolved.base.clone();
        self.found.insert(name, resolved);
        Ok(base)
    }

    fn resolve(&mut self, name: Option<&str>) -> Result<Resolved> {
        let repository = self.repository;
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
        if self.upstreams == Upstreams::Fetched {
            let remote = match (&upstream, &base.name) {
                (Some(upstream), _) => Some(upstream.remote.clone()),
                (None, Some(base)) => remote_of(base),
                (None, None) => None,
            };
            // One that could not be fetched from is tried again.
            if !self.fetched.contains(&remote) {
                fetch(repository, remote.as_ref())?;
                self.fetched.insert(remote);
            }
            base = find()?;
        }
        let tracking = upstream.map(|upstream| upstream.tracking);
        compared(repository, base, tracking, self.upstreams)
    }
}

/// The base, compared with its upstream.
fn compared(
    repository: &Repository,
    mut base: Base,
    upstream: Option<RefName>,
    upstreams: Upstreams,
) -> Result<Resolved> {
    let Some(upstream) = upstream else {
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
