//! Entries of the trash: what they say, and what lies in their directories.

mod entries;
mod settings;

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{link, look, pipe};
use crate::support::{Sandbox, change_entry, write};

/// A repository with a removed lane `x`, and its entry's directory.
fn with_entry(path: Option<&Path>) -> (Sandbox, PathBuf) {
    let sandbox = Sandbox::new();
    let mut args = vec!["start", "x"];
    args.extend(
        path.iter()
            .flat_map(|path| ["--path", path.to_str().unwrap()]),
    );
    let _ = sandbox.lane(&args).ok();
    let _ = sandbox.lane(["drop", "--yes", "x"]).ok();
    let entry = sandbox.entry();
    (sandbox, entry)
}

fn change(entry: &Path, pointer: &str, value: &str) {
    change_entry(entry, |json| {
        *json
            .pointer_mut(pointer)
            .unwrap_or_else(|| panic!("{pointer}")) = value.into();
    });
}
