//! The records as they were read last in this process, for as long as their file is the same one.
//!
//! Every program that writes a configuration puts a new file in the old one's place. With a
//! thousand lanes one reading takes longer than all else that a start does.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;

use bstr::{BStr, BString};

use super::{Records, load};
use crate::error::Result;
use crate::store::file_id::Stamp;

/// What was read, and from which file.
#[derive(Debug, Default)]
pub struct Memo(RefCell<Option<(Stamp, Content)>>);

/// What the file says.
#[derive(Debug)]
struct Content {
    records: Records,
    /// The values of the `[lane]` section itself, by their keys in lower case.
    own: HashMap<String, BString>,
}

impl Memo {
    /// The records in `common_dir`'s configuration file as it is now.
    pub fn records(&self, common_dir: &Path) -> Result<Records> {
        self.read(common_dir, |content| content.records.clone())
    }

    /// What its `[lane]` section itself says for each key.
    pub fn settings<const N: usize>(
        &self,
        common_dir: &Path,
        keys: [&str; N],
    ) -> Result<[Option<BString>; N]> {
        self.read(common_dir, |content| {
            keys.map(|key| content.own.get(&key.to_ascii_lowercase()).cloned())
        })
    }

    fn read<T>(&self, common_dir: &Path, take: impl FnOnce(&Content) -> T) -> Result<T> {
        let file = common_dir.join("config");
        let now = Stamp::of(&file).and_then(Stamp::settled);
        if let Some((then, content)) = &*self.0.borrow()
            && now.as_ref() == Some(then)
        {
            return Ok(take(content));
        }
        let content = Content::of(&load(&file)?);
        let taken = take(&content);
        self.0.replace(now.map(|now| (now, content)));
        Ok(taken)
    }
}

impl Content {
    fn of(config: &gix::config::File) -> Self {
        let sections = config.sections_by_name("lane").into_iter().flatten();
        let own = sections.filter(|section| section.header().subsection_name().is_none());
        let keys: Vec<String> = own
            .flat_map(|own| {
                own.value_names()
                    .map(|key| key.to_string())
                    .collect::<Vec<_>>()
            })
            .collect();
        let value = |key: String| {
            let value = config
                .raw_value_by("lane", None::<&BStr>, key.as_str())
                .ok()?;
            Some((key.to_ascii_lowercase(), value))
        };
        Content {
            records: Records::of(config),
            own: keys.into_iter().filter_map(value).collect(),
        }
    }
}
