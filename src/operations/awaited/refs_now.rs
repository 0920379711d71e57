//! The refs as they are at one look, each read once; of a reftable, which only git can read, for as
//! long as its list of tables is the same.

use std::collections::HashMap;
use std::path::PathBuf;

use crate::domain::lane::{ObjectId, RefName};
use crate::error::Result;
use crate::repository::{RefFormat, Repository};
use crate::store::file_id::Stamp;

/// What is known of them.
#[derive(Default)]
pub(super) struct RefsNow {
    known: HashMap<RefName, Option<ObjectId>>,
    /// The list of tables as it was when `known` was read.
    tables: Option<Stamp>,
}

impl RefsNow {
    /// Forgets what may have changed.
    pub(super) fn look(&mut self, repository: &Repository) -> Result<()> {
        if repository.ref_format() == RefFormat::Files {
            self.known.clear();
            return Ok(());
        }
        // git renames a new list into the place of the old one.
        let now = Stamp::of(&tables(repository).join("tables.list"));
        if now.is_none() || now != self.tables {
            let all = repository.refs_below("refs/")?;
            self.known = all.into_iter().map(|(name, id)| (name, Some(id))).collect();
            self.tables = now;
        }
        Ok(())
    }

    /// The object that a ref leads to.
    pub(super) fn target(
        &mut self,
        repository: &Repository,
        name: &RefName,
    ) -> Result<Option<ObjectId>> {
        match self.known.get(name) {
            Some(known) => Ok(*known),
            None if repository.ref_format() == RefFormat::Reftable => Ok(None),
            None => {
                let found = repository.ref_target(name)?;
                self.known.insert(name.clone(), found);
                Ok(found)
            }
        }
    }
}

/// The directories in which something changes when one of these refs does.
pub(super) fn directories(repository: &Repository, names: &[&RefName]) -> Vec<PathBuf> {
    let common_dir = repository.common_dir();
    if repository.ref_format() == RefFormat::Reftable {
        return vec![tables(repository)];
    }
    // Beside the loose refs packed-refs; an empty directory of refs may go and come back.
    let mut found = vec![common_dir.to_owned()];
    for name in names {
        let file = common_dir.join(crate::store::path(name.as_bstr()));
        let above = file.ancestors().skip(1);
        found.extend(
            above
                .take_while(|path| *path != common_dir)
                .map(PathBuf::from),
        );
    }
    found.sort();
    found.dedup();
    found
}

fn tables(repository: &Repository) -> PathBuf {
    repository.common_dir().join("reftable")
}
