//! When to let git check out the whole worktree: repositories that gix reads wrongly or not at all.

use gix::config::Snapshot;

use super::Request;

/// Extensions (gitrepository-layout(5), `extensions.*`) that do not change how a worktree is
/// filled.
const HARMLESS_EXTENSIONS: [&str; 5] = [
    "objectformat",
    "worktreeconfig",
    "noop",
    "preciousobjects",
    "relativeworktrees",
];

/// True if something about the repository or the new worktree's configuration is git's business
/// alone.
///
/// The reasons, all seen to differ with gix 0.90: reftable, partial clones (gix does not fetch
/// missing blobs), sparse and split indexes, extensions that git-lane does not know, file systems
/// without case or symlinks, replaced objects, and attributes that are read from a tree.
pub(super) fn about_repository(request: &Request<'_>, own: &gix::Repository) -> bool {
    let config = own.config_snapshot();
    let on = |key: &str| config.boolean(key).unwrap_or(false);
    [
        "core.sparseCheckout",
        "index.sparse",
        "core.splitIndex",
        "core.ignoreCase",
    ]
    .into_iter()
    .any(on)
        || !config.boolean("core.symlinks").unwrap_or(true)
        || config.string("attr.tree").is_some()
        || std::env::var_os("GIT_ATTR_SOURCE").is_some()
        || has_unknown_extension(&config)
        || has_promisor(&config)
        || has_replacements(request.repo)
}

/// True if git may run a program to convert a file.
pub(super) fn has_filters(own: &gix::Repository) -> bool {
    own.config_snapshot()
        .plumbing()
        .sections_by_name("filter")
        .is_some_and(|mut sections| sections.next().is_some())
}

/// How it is shown that a source's file, which git calls clean, is what git would write.
///
/// git calls a file clean as long as its stat data match, yet attributes, settings or a filter of
/// another day may have made it. Line endings, encodings and keywords change the size. A filter
/// need not, once its attribute is gone: where programs of that kind are configured, only the
/// content shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    /// The size of the blob, and for a share of the files the content.
    Size,
    /// The content of every file.
    Content,
}

pub(super) fn proof(own: &gix::Repository) -> Proof {
    let config = own.config_snapshot();
    // What git-lfs puts in the place of a file is a pointer, which has a size of its own.
    let other = |section: gix::config::file::SectionRef<'_>| {
        section.header().subsection_name() != Some("lfs".into())
    };
    let mut filters = config
        .plumbing()
        .sections_by_name("filter")
        .into_iter()
        .flatten();
    if filters.any(other) {
        Proof::Content
    } else {
        Proof::Size
    }
}

fn has_unknown_extension(config: &Snapshot<'_>) -> bool {
    let Some(sections) = config.plumbing().sections_by_name("extensions") else {
        return false;
    };
    sections
        .flat_map(|section| section.value_names().collect::<Vec<_>>())
        .any(|name| {
            let name = name.to_ascii_lowercase();
            match name.as_str() {
                "refstorage" => config
                    .string("extensions.refStorage")
                    .is_none_or(|storage| storage != "files"),
                name => !HARMLESS_EXTENSIONS.contains(&name),
            }
        })
}

fn has_promisor(config: &Snapshot<'_>) -> bool {
    let Some(sections) = config.plumbing().sections_by_name("remote") else {
        return false;
    };
    let mut sections = sections;
    sections.any(|section| {
        section.contains_value_name("promisor") || section.contains_value_name("partialclonefilter")
    })
}

/// A replaced blob has other content than its id says; an error counts as a yes.
fn has_replacements(repo: &gix::Repository) -> bool {
    repo.references()
        .and_then(|all| Ok(all.prefixed("refs/replace/")?.next().is_some()))
        .unwrap_or(true)
}
