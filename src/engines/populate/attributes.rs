//! Finds the files whose content is converted on its way into the worktree (gitattributes(5)) and
//! leaves them to git.
//!
//! Only a blob that is written byte for byte is ours. The question is asked generously: a file
//! counts as converted whenever attributes and configuration could possibly lead to a conversion.

use std::{collections::BTreeMap, path::PathBuf};

use gix::{
    attrs::StateRef,
    bstr::{BStr, BString, ByteSlice as _},
    config::Snapshot,
    index::entry::{Flags, Mode, Stat},
    objs::tree::EntryKind,
    prelude::FindExt as _,
    worktree::stack::state::attributes::Source,
};

use super::tree::{Origin, Plan};
use crate::error::{Error, Result};

/// The attributes that can change a file's content between the blob and the worktree.
const ATTRIBUTES: [&str; 6] = [
    "text",
    "crlf",
    "eol",
    "ident",
    "filter",
    "working-tree-encoding",
];

/// All `.gitattributes` blobs of a tree or index, by path.
pub(super) type AttributeFiles = BTreeMap<BString, gix::ObjectId>;

pub(super) fn is_attribute_file(path: &BStr) -> bool {
    path == ".gitattributes" || path.ends_with(b"/.gitattributes")
}

/// Gives every file that may be converted the origin [`Origin::Git`], or [`Origin::InPlace`] where
/// a filter does it, and returns the attribute files of the tree.
///
/// `None` if the tree's attributes are something git has to judge.
pub(super) fn mark_conversions(
    own: &gix::Repository,
    plan: &mut Plan,
) -> Result<Option<AttributeFiles>> {
    let mut files = AttributeFiles::new();
    for entry in &plan.entries {
        let path = entry.path(&plan.paths);
        if is_attribute_file(path) {
            if !matches!(entry.kind, EntryKind::Blob | EntryKind::BlobExecutable) {
                return Ok(None);
            }
            files.insert(path.to_owned(), entry.id);
        }
    }
    let config = own.config_snapshot();
    let crlf = wants_crlf(&config);
    if crlf || any_rule_converts(own, &files)? {
        evaluate(own, plan, &files, crlf)?;
    }
    Ok(Some(files))
}

/// True if the configuration can turn line feeds into CRLF without an `eol` attribute.
fn wants_crlf(config: &Snapshot<'_>) -> bool {
    let auto = match config.try_boolean("core.autocrlf") {
        Ok(value) => value.unwrap_or(false),
        // `input` is no boolean and never converts towards the worktree.
        Err(_) => config
            .string("core.autocrlf")
            .is_none_or(|value| value != "input"),
    };
    let eol = match config.string("core.eol") {
        // The native end of a line is git's own on Linux and macOS.
        Some(eol) => !eol.eq_ignore_ascii_case(b"lf") && !eol.eq_ignore_ascii_case(b"native"),
        None => false,
    };
    auto || eol
}

/// A look at the text of all attribute files; most repositories mention no conversion anywhere.
fn any_rule_converts(own: &gix::Repository, files: &AttributeFiles) -> Result<bool> {
    let unreadable = |error: gix::Error| {
        Error::git("cannot read the git attributes").caused_by(error.to_string())
    };
    let mut outside: Vec<PathBuf> = own.attribute_global_paths().map_err(unreadable)?;
    outside.push(own.common_dir().join("info/attributes"));
    if outside
        .iter()
        .filter_map(|path| std::fs::read(path).ok())
        .any(|text| mentions_conversion(&text))
    {
        return Ok(true);
    }
    let mut buffer = Vec::new();
    for id in files.values() {
        if mentions_conversion(
            own.objects
                .find_blob(id, &mut buffer)
                .map_err(unreadable)?
                .data,
        ) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// `text` alone converts nothing when the configuration asks for no CRLF, so it is not looked for.
fn mentions_conversion(rules: &[u8]) -> bool {
    rules
        .lines()
        .filter(|line| !line.trim_start().starts_with(b"#"))
        .any(|line| {
            [&b"eol"[..], b"ident", b"filter", b"working-tree-encoding"]
                .iter()
                .any(|word| line.contains_str(word))
        })
}

fn evaluate(
    own: &gix::Repository,
    plan: &mut Plan,
    files: &AttributeFiles,
    crlf: bool,
) -> Result<()> {
    let unreadable = |error: gix::Error| {
        Error::git("cannot evaluate the git attributes").caused_by(error.to_string())
    };
    let mut index = gix::index::State::new(own.object_hash());
    for (path, id) in files {
        index.dangerously_push_entry(
            Stat::default(),
            *id,
            Flags::empty(),
            Mode::FILE,
            path.as_bstr(),
        );
    }
    let mut stack = own
        .attributes_only(&index, Source::IdMapping)
        .map_err(unreadable)?;
    let mut outcome = stack.selected_attribute_matches(ATTRIBUTES);
    let config = own.config_snapshot();
    let Plan { paths, entries, .. } = plan;
    for entry in entries
        .iter_mut()
        .filter(|entry| matches!(entry.kind, EntryKind::Blob | EntryKind::BlobExecutable))
    {
        let platform = stack
            .at_entry(entry.path(paths), Some(Mode::FILE))
            .map_err(|error| {
                Error::git("cannot evaluate the git attributes").caused_by(error.to_string())
            })?;
        outcome.reset();
        platform.matching_attributes(&mut outcome);
        let mut text = StateRef::Unspecified;
        let (mut converted, mut filtered) = (false, false);
        for found in outcome.iter_selected() {
            let state = found.assignment.state;
            let specified = !matches!(state, StateRef::Unspecified | StateRef::Unset);
            match found.assignment.name.as_str() {
                "text" => text = state,
                "eol" => {
                    converted |= !matches!(state, StateRef::Value(value) if value.as_bstr() == "lf")
                        && specified
                }
                "ident" | "working-tree-encoding" => converted |= specified,
                "filter" => {
                    if let StateRef::Value(driver) = state {
                        filtered |= is_driver(&config, driver.as_bstr());
                    }
                }
                _ => {}
            }
        }
        // `crlf` is the old spelling of `text`; `-crlf` is not worth a rule of its own.
        converted |= crlf && !matches!(text, StateRef::Unset);
        if filtered {
            entry.origin = Origin::InPlace;
        } else if converted {
            entry.origin = Origin::Git;
        }
    }
    Ok(())
}

fn is_driver(config: &Snapshot<'_>, name: &BStr) -> bool {
    config.plumbing().section("filter", Some(name)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_that_convert_nothing_are_recognised() {
        for harmless in [
            "* text=auto",
            "*.png binary",
            "# eol=crlf",
            "*.rs diff=rust linguist-generated",
            "",
        ] {
            assert!(!mentions_conversion(harmless.as_bytes()), "{harmless}");
        }
        for converting in [
            "*.bat eol=crlf",
            "[attr]lfs filter=lfs",
            "a ident",
            "* working-tree-encoding=UTF-16",
        ] {
            assert!(mentions_conversion(converting.as_bytes()), "{converting}");
        }
    }
}
