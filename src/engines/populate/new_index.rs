//! Writes the index of the new worktree (gitformat-index(5)), cache tree included.
//!
//! gix 0.90 cannot write a cache tree of its own making, and without one every `git status` and
//! `git commit` reads all trees again.

use std::{
    fs::OpenOptions,
    io::{BufWriter, Write},
    path::Path,
};

use gix::{
    hash::{Hasher, Kind, hasher},
    index::entry::Mode,
    objs::tree::EntryKind,
};

use super::tree::{Entry, Node, Plan};
use crate::error::{Error, IoContext as _, Result};
use crate::store::permissions::Shared;

/// What the configuration says about the index file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings {
    hash: Kind,
    /// Compress paths (version 4).
    compressed: bool,
    shared: Shared,
}

impl Settings {
    /// `index.version`, `feature.manyFiles` and `core.sharedRepository`. The checksum is always
    /// written, since every git accepts it.
    pub(super) fn from_config(own: &gix::Repository) -> Self {
        let config = own.config_snapshot();
        let many_files = config.boolean("feature.manyFiles").unwrap_or(false);
        let compressed = config
            .integer("index.version")
            .map_or(many_files, |version| version == 4);
        Settings {
            hash: own.object_hash(),
            compressed,
            shared: Shared::of(own),
        }
    }
}

/// Writes `admin_dir/index`, replacing one that is there.
pub(super) fn write(plan: &Plan, admin_dir: &Path, settings: Settings) -> Result<()> {
    let path = admin_dir.join("index");
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(&path)
        .context("create", &path)?;
    settings.shared.adjust(&path).context("share", &path)?;
    let mut out = Hashed {
        inner: BufWriter::with_capacity(1 << 17, file),
        hasher: hasher(settings.hash),
    };
    write_body(plan, settings.compressed, &mut out).context("write", &path)?;
    let Hashed { mut inner, hasher } = out;
    let checksum = hasher
        .try_finalize()
        .map_err(|error| Error::git("cannot hash the index").caused_by(error))?;
    inner
        .write_all(checksum.as_slice())
        .and_then(|()| inner.flush())
        .context("write", &path)
}

fn write_body(plan: &Plan, compressed: bool, out: &mut impl Write) -> std::io::Result<()> {
    let count = u32::try_from(plan.entries.len()).map_err(std::io::Error::other)?;
    out.write_all(b"DIRC")?;
    out.write_all(&(if compressed { 4_u32 } else { 2 }).to_be_bytes())?;
    out.write_all(&count.to_be_bytes())?;
    let mut buffer = Vec::with_capacity(256);
    let mut previous: &[u8] = b"";
    for entry in &plan.entries {
        buffer.clear();
        let path: &[u8] = entry.path(&plan.paths);
        push_fixed(entry, path.len(), &mut buffer);
        if compressed {
            let common = previous
                .iter()
                .zip(path)
                .take_while(|(a, b)| a == b)
                .count();
            push_varint(previous.len() - common, &mut buffer);
            buffer.extend_from_slice(&path[common..]);
            buffer.push(0);
            previous = path;
        } else {
            buffer.extend_from_slice(path);
            buffer.resize((buffer.len() + 8) & !7, 0);
        }
        out.write_all(&buffer)?;
    }
    buffer.clear();
    push_node(&plan.root, &mut buffer);
    out.write_all(b"TREE")?;
    out.write_all(
        &u32::try_from(buffer.len())
            .map_err(std::io::Error::other)?
            .to_be_bytes(),
    )?;
    out.write_all(&buffer)
}

/// Everything of an entry but the path.
fn push_fixed(entry: &Entry, path_len: usize, out: &mut Vec<u8>) {
    let mode = match entry.kind {
        EntryKind::Blob => Mode::FILE,
        EntryKind::BlobExecutable => Mode::FILE_EXECUTABLE,
        EntryKind::Link => Mode::SYMLINK,
        EntryKind::Commit => Mode::COMMIT,
        EntryKind::Tree => Mode::DIR,
    };
    let stat = &entry.stat;
    let words = [
        stat.ctime.secs,
        stat.ctime.nsecs,
        stat.mtime.secs,
        stat.mtime.nsecs,
        stat.dev,
        stat.ino,
        mode.bits(),
        stat.uid,
        stat.gid,
        stat.size,
    ];
    for word in words {
        out.extend_from_slice(&word.to_be_bytes());
    }
    out.extend_from_slice(entry.id.as_slice());
    let length = u16::try_from(path_len).unwrap_or(u16::MAX).min(0xfff);
    out.extend_from_slice(&length.to_be_bytes());
}

/// The offset encoding of pack files, which version 4 uses for the bytes to drop from the previous
/// path.
fn push_varint(mut value: usize, out: &mut Vec<u8>) {
    let mut bytes = vec![(value & 0x7f) as u8];
    while value > 0x7f {
        value = (value >> 7) - 1;
        bytes.push(0x80 | (value & 0x7f) as u8);
    }
    out.extend(bytes.iter().rev());
}

fn push_node(node: &Node, out: &mut Vec<u8>) {
    out.extend_from_slice(&node.name);
    out.extend_from_slice(format!("\0{} {}\n", node.entries, node.children.len()).as_bytes());
    out.extend_from_slice(node.id.as_slice());
    for child in &node.children {
        push_node(child, out);
    }
}

struct Hashed<W> {
    inner: W,
    hasher: Hasher,
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, data: &[u8]) -> std::io::Result<usize> {
        let written = self.inner.write(data)?;
        self.hasher.update(&data[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_are_those_of_pack_offsets() {
        let encoded = |value| {
            let mut out = Vec::new();
            push_varint(value, &mut out);
            out
        };
        assert_eq!(encoded(0), [0]);
        assert_eq!(encoded(127), [0x7f]);
        assert_eq!(encoded(128), [0x80, 0x00]);
        assert_eq!(encoded(16511), [0xff, 0x7f]);
    }
}
