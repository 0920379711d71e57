//! What is staged: HEAD's tree against the index, skipping every directory whose cached tree is the
//! same.

use std::ops::Range;
use std::path::Path;

use bstr::ByteSlice;
use gix::index::entry::Mode;
use gix::index::extension::Tree;
use gix::objs::TreeRefIter;
use gix::prelude::FindExt;

use super::{Halt, Tally};
use crate::error::{Error, IoContext};
use crate::store::retry;

/// The tree of the worktree's HEAD. Doubt for anything but a branch or a detached commit.
pub(super) fn head_tree(repo: &gix::Repository, admin: &Path) -> Result<gix::ObjectId, Halt> {
    let path = admin.join("HEAD");
    let meta = path.symlink_metadata().context("read", &path)?;
    if !meta.is_file() {
        return Err(Halt::Doubt("HEAD is no plain file"));
    }
    let head = std::fs::read(&path).context("read", &path)?;
    let head = head.trim_ascii_end();
    let commit = match head.strip_prefix(b"ref:") {
        Some(name) => {
            let name = name.trim_ascii();
            // refs/worktree, refs/bisect and refs/rewritten belong to one worktree; they are no
            // place for a HEAD.
            if !name.starts_with(b"refs/heads/") {
                return Err(Halt::Doubt("HEAD is no branch"));
            }
            let reference =
                retry::refs(repo, || repo.try_find_reference(name.as_bstr())).map_err(broken)?;
            let Some(mut reference) = reference else {
                return Err(Halt::Doubt("unborn"));
            };
            reference.peel_to_id().map_err(broken)?.detach()
        }
        None => gix::ObjectId::from_hex(head).map_err(|error| broken(error.to_string()))?,
    };
    let commit = repo.find_commit(commit).map_err(broken)?;
    Ok(commit.tree_id().map_err(broken)?.detach())
}

fn broken(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Halt {
    Halt::Failed(Error::git("cannot read HEAD of a worktree").caused_by(error))
}

/// Counts index entries that differ from the tree `head`.
pub(super) fn count(
    repo: &gix::Repository,
    head: &gix::oid,
    index: &gix::index::State,
) -> Result<Tally, Halt> {
    let mut comparison = Comparison {
        repo,
        index,
        tally: Tally::default(),
    };
    comparison.tree(head, b"", 0..index.entries().len(), index.tree())?;
    Ok(comparison.tally)
}

struct Comparison<'a> {
    repo: &'a gix::Repository,
    index: &'a gix::index::State,
    tally: Tally,
}

/// The next thing under a prefix in the index.
enum Item<'a> {
    File(usize),
    Directory(&'a [u8], Range<usize>),
}

impl<'a> Comparison<'a> {
    fn path(&self, at: usize) -> &'a [u8] {
        self.index.entries()[at]
            .path_in(self.index.path_backing())
            .as_bytes()
    }

    fn staged(&mut self, path: &[u8], code: u8) {
        self.tally.staged += 1;
        self.tally.note(path, [code, b' ']);
    }

    /// The item at the start of `range`, with its key: the name, and a slash for a directory, which
    /// is the order of both trees and index.
    fn item(&self, prefix: usize, range: &Range<usize>) -> Option<(&'a [u8], Item<'a>)> {
        if range.is_empty() {
            return None;
        }
        let path = self.path(range.start);
        let rest = path.get(prefix..)?;
        match rest.find_byte(b'/') {
            None => Some((rest, Item::File(range.start))),
            Some(slash) => {
                let directory = &path[..prefix + slash + 1];
                let end = group_end(self.index, range.clone(), directory);
                Some((
                    &rest[..slash + 1],
                    Item::Directory(&rest[..slash], range.start..end),
                ))
            }
        }
    }

    fn tree(
        &mut self,
        tree: &gix::oid,
        prefix: &[u8],
        mut range: Range<usize>,
        cached: Option<&Tree>,
    ) -> Result<(), Halt> {
        if cached.is_some_and(|cached| cached.num_entries.is_some() && cached.id == tree) {
            return Ok(());
        }
        let mut data = Vec::new();
        if tree != gix::ObjectId::empty_tree(self.repo.object_hash()) {
            self.repo
                .objects
                .find_tree(tree, &mut data)
                .map_err(broken)?;
        }
        let mut entries = TreeRefIter::from_bytes(&data, self.repo.object_hash()).peekable();
        let (mut key, mut path) = (Vec::new(), Vec::new());
        loop {
            let entry = match entries.peek() {
                Some(Err(_)) => {
                    return Err(Halt::Failed(Error::git(format!(
                        "the tree {tree} is corrupt"
                    ))));
                }
                Some(Ok(entry)) => Some(*entry),
                None => None,
            };
            key.clear();
            if let Some(entry) = &entry {
                key.extend_from_slice(entry.filename);
                key.extend(entry.mode.is_tree().then_some(b'/'));
            }
            let item = self.item(prefix.len(), &range);
            let order = match (&entry, &item) {
                (None, None) => return Ok(()),
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (Some(_), Some((name, _))) => key.as_slice().cmp(name),
            };
            path.clear();
            path.extend_from_slice(prefix);
            if order.is_le() {
                entries.next();
                path.extend_from_slice(&key);
            }
            if order.is_ge() {
                range.start = match &item {
                    Some((_, Item::File(at))) => at + 1,
                    Some((_, Item::Directory(_, group))) => group.end,
                    None => range.end,
                };
            }
            match (
                order.is_le().then_some(entry).flatten(),
                order.is_ge().then_some(item).flatten(),
            ) {
                (Some(entry), None) if entry.mode.is_tree() => {
                    self.tree(entry.oid, &path, 0..0, None)?
                }
                (Some(_), None) => self.staged(&path, b'D'),
                (None, Some((_, Item::File(at)))) => self.staged(self.path(at), b'A'),
                (None, Some((_, Item::Directory(_, group)))) => {
                    for at in group {
                        self.staged(self.path(at), b'A');
                    }
                }
                (Some(entry), Some((_, Item::Directory(name, group)))) => {
                    let below = cached.and_then(|c| {
                        c.children
                            .iter()
                            .find(|child| child.name.as_slice() == name)
                    });
                    self.tree(entry.oid, &path, group, below)?;
                }
                (Some(entry), Some((_, Item::File(at)))) => {
                    let staged = &self.index.entries()[at];
                    let mode = mode_of(entry.mode);
                    if mode.is_none_or(|mode| mode != staged.mode) || entry.oid != staged.id {
                        let kind = |mode: Mode| mode.bits() & 0o170000;
                        let typed = mode.is_some_and(|mode| kind(mode) != kind(staged.mode));
                        self.staged(&path, if typed { b'T' } else { b'M' });
                    }
                }
                (None, None) => {}
            }
        }
    }
}

fn mode_of(mode: gix::objs::tree::EntryMode) -> Option<Mode> {
    use gix::objs::tree::EntryKind;
    match mode.kind() {
        EntryKind::Blob => Some(Mode::FILE),
        EntryKind::BlobExecutable => Some(Mode::FILE_EXECUTABLE),
        EntryKind::Link => Some(Mode::SYMLINK),
        EntryKind::Commit => Some(Mode::COMMIT),
        EntryKind::Tree => None,
    }
}

/// Where the entries below `directory` (with its slash) end, given that the first of `range` is one
/// of them.
pub(super) fn group_end(index: &gix::index::State, range: Range<usize>, directory: &[u8]) -> usize {
    let paths = index.path_backing();
    let entries = &index.entries()[range.clone()];
    range.start
        + entries.partition_point(|entry| entry.path_in(paths).as_bytes().starts_with(directory))
}
