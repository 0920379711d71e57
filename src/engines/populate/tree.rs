//! Reads the tree to check out into a [`Plan`]: the entries in index order and the shape of the
//! cache tree.
//!
//! Names are validated here as git validates them; nothing later has to ask whether a path is safe.

use std::cmp::Ordering;

use gix::{
    bstr::{BStr, BString, ByteSlice as _},
    index::entry::Stat,
    objs::{TreeRefIter, tree::EntryKind},
    prelude::FindExt as _,
    validate::path::component,
};

use super::objects::{Objects, Reader};
use crate::error::{Error, Result};
use crate::store::platform::PROTECTS_HFS;

/// Git's default for `core.maxTreeDepth`; deeper trees are git's business.
const MAX_DEPTH: usize = 2048;

/// The longest path git can open in a worktree. Longer ones could be made directory by directory,
/// for no git to find.
const MAX_PATH: usize = 4095;

/// Everything to write, in the order of the index.
pub(super) struct Plan {
    /// All paths, one after the other.
    pub(super) paths: Vec<u8>,
    pub(super) entries: Vec<Entry>,
    pub(super) root: Node,
}

/// One path of the index.
pub(super) struct Entry {
    start: usize,
    len: u32,
    /// Bytes of the path before the last slash.
    directory: u32,
    pub(super) kind: EntryKind,
    pub(super) origin: Origin,
    pub(super) id: gix::ObjectId,
    /// Before the file is written: what the source's index says; afterwards: the new file's.
    pub(super) stat: Stat,
}

/// Where an entry's content comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// The object database.
    Objects,
    /// The n-th source worktree, if its file still looks as its index says.
    Source(u16),
    /// `git checkout-index`, because the content is converted on its way into the worktree.
    Git,
    /// The same once the worktree is in its place, because a filter's program may look where it is.
    InPlace,
}

/// One directory of the cache tree.
pub(super) struct Node {
    pub(super) name: BString,
    pub(super) id: gix::ObjectId,
    /// How many index entries it covers, subdirectories included.
    pub(super) entries: usize,
    pub(super) children: Vec<Node>,
}

impl Entry {
    pub(super) fn path<'a>(&self, paths: &'a [u8]) -> &'a BStr {
        paths[self.start..self.start + self.len as usize].as_bstr()
    }

    /// The directory without a trailing slash (empty for the top) and the file name.
    pub(super) fn split<'a>(&self, paths: &'a [u8]) -> (&'a [u8], &'a [u8]) {
        let path: &[u8] = self.path(paths);
        match self.directory as usize {
            0 => (b"", path),
            directory => (&path[..directory], &path[directory + 1..]),
        }
    }
}

/// The plan for the tree of `commit`, or `None` when the tree is one that git has to judge.
///
/// `own` gives the `core.protect*` settings.
pub(super) fn plan(
    objects: &Objects,
    own: &gix::Repository,
    commit: gix::ObjectId,
) -> Result<Option<Plan>> {
    let mut reader = objects.reader();
    let tree = reader
        .repo()
        .find_commit(commit)
        .and_then(|commit| Ok(commit.tree_id()?.detach()))
        .map_err(|error| {
            Error::git(format!("cannot read commit {commit}")).caused_by(error.to_string())
        })?;
    let config = own.config_snapshot();
    let mut walk = Walk {
        reader,
        hash: own.object_hash(),
        validate: component::Options {
            protect_windows: false,
            protect_hfs: config.boolean("core.protectHFS").unwrap_or(PROTECTS_HFS),
            protect_ntfs: config.boolean("core.protectNTFS").unwrap_or(true),
        },
        paths: Vec::new(),
        entries: Vec::new(),
        prefix: Vec::new(),
        suspicious: false,
    };
    let root = walk.directory(BString::default(), tree, 0)?;
    Ok((!walk.suspicious).then_some(Plan {
        paths: walk.paths,
        entries: walk.entries,
        root,
    }))
}

struct Walk<'a> {
    reader: Reader<'a>,
    hash: gix::hash::Kind,
    validate: component::Options,
    paths: Vec<u8>,
    entries: Vec<Entry>,
    /// The directory being read, with a trailing slash unless it is the top.
    prefix: Vec<u8>,
    /// Set once a name is invalid or a tree is malformed.
    suspicious: bool,
}

impl Walk<'_> {
    fn directory(&mut self, name: BString, id: gix::ObjectId, depth: usize) -> Result<Node> {
        let before = self.entries.len();
        let mut children = Vec::new();
        let mut buffer = Vec::new();
        let unreadable = |error: gix::Error| {
            Error::git(format!("cannot read tree {id}")).caused_by(error.to_string())
        };
        let data = self
            .reader
            .repo()
            .objects
            .find(&id, &mut buffer)
            .map_err(unreadable)?;
        if data.kind != gix::objs::Kind::Tree {
            return Err(Error::git(format!(
                "object {id} is a {} where a tree is expected",
                data.kind
            )));
        }
        self.reader.count(data.data.len());
        for entry in TreeRefIter::from_bytes(data.data, self.hash) {
            let entry = entry.map_err(unreadable)?;
            let kind = entry.mode.kind();
            let leaf = (kind == EntryKind::Link).then_some(component::Mode::Symlink);
            if component(entry.filename, leaf, self.validate).is_err() || depth > MAX_DEPTH {
                self.suspicious = true;
            }
            if self.suspicious {
                break;
            }
            if kind == EntryKind::Tree {
                let outer = self.prefix.len();
                self.prefix.extend_from_slice(entry.filename);
                self.prefix.push(b'/');
                let child =
                    self.directory(entry.filename.to_owned(), entry.oid.to_owned(), depth + 1)?;
                self.prefix.truncate(outer);
                // Git's cache tree has no place for a directory without entries.
                if child.entries == 0 {
                    self.suspicious = true;
                }
                children.push(child);
            } else {
                self.push(kind, entry.filename, entry.oid.to_owned());
            }
        }
        children.sort_by(|a, b| {
            a.name
                .len()
                .cmp(&b.name.len())
                .then_with(|| a.name.cmp(&b.name))
        });
        Ok(Node {
            name,
            id,
            entries: self.entries.len() - before,
            children,
        })
    }

    fn push(&mut self, kind: EntryKind, name: &[u8], id: gix::ObjectId) {
        let start = self.paths.len();
        self.paths.extend_from_slice(&self.prefix);
        self.paths.extend_from_slice(name);
        self.suspicious |= self.paths.len() - start > MAX_PATH;
        if let Some(last) = self.entries.last() {
            // Duplicate or unsorted names: `git fsck` rejects such a tree.
            self.suspicious |=
                last.path(&self.paths).cmp(self.paths[start..].as_bstr()) != Ordering::Less;
        }
        let (Ok(len), Ok(directory)) = (
            u32::try_from(self.paths.len() - start),
            u32::try_from(self.prefix.len().saturating_sub(1)),
        ) else {
            self.suspicious = true;
            return;
        };
        self.entries.push(Entry {
            start,
            len,
            directory,
            kind,
            origin: Origin::Objects,
            id,
            stat: Stat::default(),
        });
    }
}
