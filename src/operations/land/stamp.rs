//! Gives entries of an index file the stat data of files that came after it was written
//! (gitformat-index(5)).
//!
//! gix would write the whole index anew, and without the extensions it does not know.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use bstr::{BStr, ByteSlice};
use gix::hash::{Kind, hasher};
use gix::index::entry::Stat;

use crate::error::{Error, IoContext, Result};

/// Before the id of an entry: ten words of stat data, the mode among them.
pub const STAT: usize = 40;

/// An index file in memory, and where in it the entries to stamp begin.
#[derive(Debug)]
pub(super) struct Stamps {
    path: PathBuf,
    bytes: Vec<u8>,
    hash: Kind,
    written: SystemTime,
    entries: Vec<usize>,
}

impl Stamps {
    /// Reads the index at `path`; `None` where one of `wanted`, which are in git's order, is not an
    /// entry of that file: the other half of a split index has it, for instance.
    pub(super) fn of<'a>(
        path: &Path,
        hash: Kind,
        wanted: impl Iterator<Item = &'a BStr>,
    ) -> Option<Self> {
        let bytes = crate::store::optional::bytes(path).ok()?;
        let written = std::fs::metadata(path)
            .and_then(|metadata| metadata.modified())
            .ok()?;
        let mut all = Entries::of(&bytes, hash.len_in_bytes())?;
        let find = |wanted: &BStr| {
            while let Some((at, path)) = all.advance() {
                if path == wanted {
                    return Some(at);
                }
            }
            None
        };
        let entries = wanted.map(find).collect::<Option<Vec<_>>>()?;
        Some(Stamps {
            path: path.to_owned(),
            bytes,
            hash,
            written,
            entries,
        })
    }

    /// Says that the index is at `path` by now.
    pub(super) fn moved_to(&mut self, path: &Path) {
        self.path = path.to_owned();
    }

    /// Writes the file with `stats` in its entries. Its time stays: it is that of the moment in
    /// which git knew which entries may be racy.
    pub(super) fn write(&mut self, stats: impl Iterator<Item = Stat>) -> Result<()> {
        for (at, stat) in self.entries.iter().zip(stats) {
            let times = [
                stat.ctime.secs,
                stat.ctime.nsecs,
                stat.mtime.secs,
                stat.mtime.nsecs,
                stat.dev,
                stat.ino,
            ];
            let words =
                times
                    .into_iter()
                    .enumerate()
                    .chain([(7, stat.uid), (8, stat.gid), (9, stat.size)]);
            for (number, word) in words {
                self.bytes[at + 4 * number..][..4].copy_from_slice(&word.to_be_bytes());
            }
        }
        let end = self.bytes.len() - self.hash.len_in_bytes();
        let (content, checksum) = self.bytes.split_at_mut(end);
        // index.skipHash leaves it out.
        if checksum.iter().any(|byte| *byte != 0) {
            let mut hasher = hasher(self.hash);
            hasher.update(content);
            let sum = hasher
                .try_finalize()
                .map_err(|error| Error::git("cannot hash the index").caused_by(error))?;
            checksum.copy_from_slice(sum.as_slice());
        }
        let mut file = std::fs::File::options()
            .write(true)
            .open(&self.path)
            .context("open", &self.path)?;
        file.write_all(&self.bytes).context("write", &self.path)?;
        file.set_modified(self.written).context("date", &self.path)
    }
}

/// The entries of an index file, one after the other.
pub struct Entries<'a> {
    bytes: &'a [u8],
    id: usize,
    /// Version 4: paths share beginnings, and nothing is padded.
    compressed: bool,
    left: u32,
    at: usize,
    path: Vec<u8>,
}

impl<'a> Entries<'a> {
    /// Those in `bytes`, with ids of `id` bytes; `None` where that is no index of a version we
    /// know.
    pub fn of(bytes: &'a [u8], id: usize) -> Option<Self> {
        let word = |at: usize| Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
        let version = word(4)?;
        let known =
            bytes.starts_with(b"DIRC") && (2..=4).contains(&version) && bytes.len() > 12 + id;
        known.then_some(Entries {
            bytes,
            id,
            compressed: version == 4,
            left: word(8)?,
            at: 12,
            path: Vec::new(),
        })
    }

    /// Where the next one begins, and its path.
    pub fn advance(&mut self) -> Option<(usize, &BStr)> {
        self.left = self.left.checked_sub(1)?;
        let start = self.at;
        let flags = start + STAT + self.id;
        let extended = self.bytes.get(flags)? & 0x40 != 0;
        let mut at = flags + if extended { 4 } else { 2 };
        if self.compressed {
            let dropped = self.varint(&mut at)?;
            self.path.truncate(self.path.len().checked_sub(dropped)?);
        } else {
            self.path.clear();
        }
        let end = at + self.bytes.get(at..)?.find_byte(0)?;
        self.path.extend_from_slice(&self.bytes[at..end]);
        // One to eight NULs make the length of an entry a multiple of eight.
        self.at = if self.compressed {
            end + 1
        } else {
            start + ((end - start + 8) & !7)
        };
        Some((start, self.path.as_bstr()))
    }

    fn varint(&self, at: &mut usize) -> Option<usize> {
        let mut next = || {
            let byte = *self.bytes.get(*at)?;
            *at += 1;
            Some(byte)
        };
        let mut byte = next()?;
        let mut value = usize::from(byte & 127);
        while byte & 128 != 0 {
            byte = next()?;
            value = value.checked_add(1)?.checked_mul(128)? + usize::from(byte & 127);
        }
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    fn git(directory: &Path, args: &[&str]) -> String {
        let output = Command::new("git")
            .arg("-C")
            .arg(directory)
            .args(args)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    #[test]
    fn entries_of_every_version_are_found_and_stamped_and_nothing_else_changes() {
        let long = "l/".repeat(2100) + "end";
        for (version, format) in [("2", "sha1"), ("3", "sha1"), ("4", "sha1"), ("4", "sha256")] {
            let directory = tempfile::tempdir().unwrap();
            let root = directory.path();
            git(root, &["init", "-q", "--object-format", format]);
            let id = git(root, &["hash-object", "-w", "/dev/null"]);
            let paths = [
                "a",
                "a/b",
                "abcdefg",
                "b/abcdefgh",
                "b/abcdefghi",
                "intent",
                &long,
                "z",
            ];
            for path in paths.iter().filter(|path| **path != "a") {
                git(
                    root,
                    &[
                        "update-index",
                        "--add",
                        "--cacheinfo",
                        &format!("100644,{},{path}", id.trim()),
                    ],
                );
            }
            git(
                root,
                &[
                    "-c",
                    "user.name=a",
                    "-c",
                    "user.email=a@b",
                    "commit",
                    "-q",
                    "-m",
                    "first",
                ],
            );
            if version == "3" {
                std::fs::write(root.join("later"), "").unwrap();
                git(root, &["add", "-N", "later"]);
            }
            git(root, &["update-index", "--index-version", version]);
            let index = root.join(".git/index");
            let before = git(root, &["ls-files", "--stage"]);
            let wanted = ["abcdefg", "b/abcdefghi", &long, "z"].map(BStr::new);
            let hash = if format == "sha1" {
                Kind::Sha1
            } else {
                Kind::Sha256
            };
            let mut stamps = Stamps::of(&index, hash, wanted.into_iter()).unwrap();
            stamps
                .write((1..).map(|number| Stat {
                    size: number,
                    ino: 77,
                    ..Stat::default()
                }))
                .unwrap();
            assert_eq!(
                git(root, &["ls-files", "--stage"]),
                before,
                "{version} {format}"
            );
            // It reads the checksum, too.
            git(root, &["fsck"]);
            let debug = git(root, &["ls-files", "--debug"]);
            let mut path = "";
            for line in debug.lines() {
                let number = wanted.iter().position(|wanted| *wanted == path);
                match line.split_whitespace().collect::<Vec<_>>()[..] {
                    ["dev:", _, "ino:", ino] => {
                        assert_eq!(ino == "77", number.is_some(), "{version} {format} {path}")
                    }
                    ["size:", size, ..] => {
                        assert_eq!(size, number.map_or(0, |number| number + 1).to_string())
                    }
                    [name] => path = name,
                    _ => {}
                }
            }
            assert!(Stamps::of(&index, hash, [BStr::new("not there")].into_iter()).is_none());
        }
    }
}
