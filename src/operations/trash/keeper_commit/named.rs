//! Which objects the files of an admin directory and a branch's reflog name. What cannot be read is
//! an error: it may be the only place that names the user's work.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use bstr::ByteSlice;

use crate::domain::lane::ObjectId;
use crate::domain::name::BranchName;
use crate::error::{IoContext, Result};
use crate::repository::Repository;
use crate::store::git::Invocation;
use crate::store::optional;

/// Entries of the admin directory that name no object, or that are looked into otherwise. What
/// people write into a message is nothing that git goes to look for.
const NO_IDS: [&str; 12] = [
    "index",
    "gitdir",
    "commondir",
    "locked",
    "modules",
    "reftable",
    "config.worktree",
    "lfs",
    "COMMIT_EDITMSG",
    "MERGE_MSG",
    "SQUASH_MSG",
    "TAG_EDITMSG",
];

/// How much of a file is looked at together.
const CHUNK: usize = 1 << 20;

/// Which words of a file may be ids.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Words {
    /// Those of full length.
    Full,
    /// Abbreviated ones too, as people and git write them into todo lists.
    Short,
    /// Abbreviated ones in the `index` lines of a patch, where `git am --3way` looks for what it
    /// was made from.
    Patch,
}

/// Every object id in the files below the admin directory `directory`.
pub(super) fn below(
    repository: &Repository,
    directory: &Path,
    ids: &mut BTreeSet<ObjectId>,
) -> Result<()> {
    for entry in optional::list(directory)?.unwrap_or_default() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if NO_IDS.contains(&&*name) || name.starts_with("sharedindex.") {
            continue;
        }
        let words = match &*name {
            "rebase-merge" | "sequencer" => Words::Short,
            "rebase-apply" => Words::Patch,
            _ => Words::Full,
        };
        // Into a directory of any other name git never goes.
        let unknown = words == Words::Full && !["refs", "logs"].contains(&&*name);
        if unknown && entry.path().is_symlink() && entry.path().is_dir() {
            continue;
        }
        inside(repository, &entry.path(), words, ids)?;
    }
    Ok(())
}

/// Every object id in a file, or in the files below a directory; what is neither is passed over.
fn inside(
    repository: &Repository,
    path: &Path,
    words: Words,
    ids: &mut BTreeSet<ObjectId>,
) -> Result<()> {
    let Some(found) = optional::followed(path)? else {
        return Ok(());
    };
    if found.is_dir() {
        for entry in optional::list(path)?.unwrap_or_default() {
            inside(repository, &entry.path(), words, ids)?;
        }
        return Ok(());
    }
    if !found.is_file() {
        return Ok(());
    }
    let short = ["todo", "done", "backup", "stopped-sha"];
    let words = match path.file_name().map(|name| name.to_string_lossy()) {
        Some(name) if words == Words::Short && short.iter().any(|end| name.ends_with(end)) => {
            Words::Short
        }
        _ if words == Words::Short => Words::Full,
        _ => words,
    };
    file(repository, path, words, ids)
}

fn file(
    repository: &Repository,
    path: &Path,
    words: Words,
    ids: &mut BTreeSet<ObjectId>,
) -> Result<()> {
    let Some(mut file) = optional::open(path)? else {
        return Ok(());
    };
    let mut text = Vec::new();
    loop {
        let read = Read::by_ref(&mut file as &mut File)
            .take(CHUNK as u64)
            .read_to_end(&mut text)
            .context("read", path)?;
        // The last word may go on, and so may the line it is in.
        let end = match read {
            0 => text.len(),
            _ => text
                .iter()
                .rposition(|byte| *byte == b'\n')
                .map_or(0, |at| at + 1),
        };
        // A line longer than any that git writes is no patch's and no list's.
        let end = if end == 0 && text.len() > CHUNK {
            text.len() - 128
        } else {
            end
        };
        of(repository, &text[..end], words, ids);
        text.drain(..end);
        if read == 0 {
            return Ok(());
        }
    }
}

/// The ids in whole lines.
fn of(repository: &Repository, text: &[u8], words: Words, ids: &mut BTreeSet<ObjectId>) {
    let length = repository.gix.object_hash().len_in_hex();
    for line in text.lines() {
        let short = words == Words::Short || words == Words::Patch && line.starts_with(b"index ");
        for word in line.split(|byte| !byte.is_ascii_alphanumeric()) {
            if word.len() == length {
                ids.extend(ObjectId::from_hex(word).ok());
            } else if short
                && (4..length).contains(&word.len())
                && word.iter().all(u8::is_ascii_hexdigit)
            {
                let found = gix::hash::Prefix::from_hex(&word.to_str_lossy())
                    .ok()
                    .and_then(|prefix| {
                        repository
                            .gix
                            .objects
                            .lookup_prefix(prefix, None)
                            .ok()
                            .flatten()
                    });
                ids.extend(found.and_then(Result::ok));
            }
        }
    }
}

/// Per-worktree refs, pseudo refs and HEAD's reflog where refs are a reftable.
pub(super) fn by_git(git: &impl Fn() -> Invocation, ids: &mut BTreeSet<ObjectId>) -> Result<()> {
    let fields = ["objectname", "refname"];
    for [id, name] in git().for_each_ref(fields, ["--include-root-refs"])? {
        let per_worktree = ["refs/bisect/", "refs/worktree/", "refs/rewritten/"];
        if !name.starts_with(b"refs/")
            || per_worktree
                .iter()
                .any(|prefix| name.starts_with(prefix.as_bytes()))
        {
            ids.extend(ObjectId::from_hex(&id).ok());
        }
    }
    add_log(git(), b"HEAD", ids)
}

fn add_log(git: Invocation, name: &[u8], ids: &mut BTreeSet<ObjectId>) -> Result<()> {
    let log = git.reflog(name, "%H", None)?;
    ids.extend(log.iter().filter_map(|line| ObjectId::from_hex(line).ok()));
    Ok(())
}

/// What only the branch's reflog names: an older worktree's amended commits, a reset.
pub(super) fn by_branch(
    repository: &Repository,
    branch: &BranchName,
    git: &impl Fn() -> Invocation,
    ids: &mut BTreeSet<ObjectId>,
) -> Result<()> {
    if let Some(log) = crate::repository::reflog::reflog_path(repository, branch) {
        return file(repository, &log, Words::Full, ids);
    }
    add_log(git(), &branch.to_ref(), ids)
}
