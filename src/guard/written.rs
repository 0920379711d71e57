//! Which of the differences between two commits the calling git wrote into index and files, which
//! the user had made before, and which another hook has made since.
//!
//! A switch succeeds only where a file that differs between the two commits was unchanged, or was
//! staged just as the other commit has it. So whatever else is in such a file now came after the
//! switch, and what is older than the switch is the user's. The index tells when each entry was
//! written, the files when they were.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use bstr::{BStr, BString, ByteSlice};

use super::caller::Caller;
use super::remedy::{index, on_own_index, scratch, with_index};
use super::times::{Times, is_older};
use crate::domain::lane::ObjectId;
use crate::domain::shell_word::quote_bytes;
use crate::error::{Error, IoContext, Result};
use crate::guard::site::Place;

/// An entry of the index as `git update-index --index-info` reads it.
type Entry = BString;

/// What stands between index and files as they are now and as they were.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// What the user had staged just as the other commit has it: it stays.
    staged: Vec<Entry>,
    /// What the user had taken out of the index while the file stayed, as removals: it stays so.
    unstaged: Vec<Entry>,
    /// What comes back into the index only, as removals and as entries: something of the user's is
    /// where its file would be.
    fileless: Vec<(Entry, Entry)>,
    /// What another hook has changed, added or removed since, as the other commit has it.
    changed: Vec<Entry>,
}

/// What another hook had written since the switch, and was taken back with it.
#[derive(Debug)]
pub(super) struct Saved {
    /// The tree that keeps it.
    pub tree: ObjectId,
    /// One of its files.
    pub path: BString,
    /// How many more there are.
    pub more: usize,
}

impl std::fmt::Display for Saved {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let more = match self.more {
            0 => String::new(),
            1 => " (and one file more)".into(),
            more => format!(" (and {more} files more)"),
        };
        let name = quote_bytes(&[self.tree.to_string().as_bytes(), b":", &self.path].concat());
        write!(
            f,
            "what another hook had written to '{}'{more} since the switch is kept until git \
             prunes it: git show {name}",
            self.path
        )
    }
}

impl Written {
    /// Looks at what differs between `old` and `target`, to which the calling git has just gone.
    pub(super) fn since(place: &Place, old: &str, target: &str) -> Result<Self> {
        let mut written = Written::default();
        // Where one of them is a branch without a commit, nothing can equal that.
        let changed = place.git().diff_tree_raw(old, target)?;
        if changed.is_empty() {
            return Ok(written);
        }
        let times = Times::of(place);
        let merges = place.caller().is_some_and(Caller::merges);
        let forced = place.caller().is_some_and(Caller::forces);
        let differs = differing(place)?;
        let mut entries = None;
        for record in changed.chunks_exact(2) {
            let Some(change) = Change::parse(&record[0], record[1].as_bstr()) else {
                continue;
            };
            let entries = match &entries {
                Some(entries) => entries,
                None => entries.insert(read_index(&index(place), change.id)?),
            };
            let entry = entries
                .entry_by_path_and_stage(change.path, gix::index::entry::Stage::Unconflicted);
            match entry {
                Some(entry) if !change.is_removal() => {
                    let same = entry.id.to_string().as_bytes() == change.id;
                    // An entry without times belongs to no file: the user staged it so, or a merge
                    // left it, which nothing staged survives.
                    let timeless = merges && entry.stat.ctime.secs == 0;
                    let dirty = !merges && differs.contains(change.path);
                    if same
                        && !timeless
                        && (is_older(entry, times.began) || dirty && times.is_users(change.path))
                    {
                        written.staged.push(change.entry());
                    } else if !merges && (dirty || !same) {
                        written.changed.push(change.entry());
                    }
                }
                // What `--merge` has mixed together is left to git.
                _ if merges => {}
                // Below a directory that a sparse index has instead.
                None if !change.is_removal() && entries.is_sparse() => {}
                None if !change.is_removal() => written.changed.push(change.entry()),
                Some(_) => written.changed.push(change.removal()),
                None => match found_at(place, change.path, target)? {
                    At::Nothing => {}
                    At::InTheWay => written.fileless.push((change.removal(), change.before())),
                    At::File if !times.is_users(change.path) => {
                        written.changed.push(change.removal())
                    }
                    // `--force` has discarded the index, whatever was in it.
                    At::File if forced => {
                        written.fileless.push((change.removal(), change.before()))
                    }
                    At::File => written.unstaged.push(change.removal()),
                },
            }
        }
        Ok(written)
    }

    /// Whether git itself knows the way back, as soon as what other hooks have changed is out of
    /// it.
    pub(super) fn is_plain(&self) -> bool {
        self.staged.is_empty() && self.unstaged.is_empty() && self.fileless.is_empty()
    }

    /// The tree to go back to: that of `commit`, with what the user had done to the index.
    pub(super) fn goal(&self, place: &Place, commit: &str) -> Result<String> {
        if self.is_plain() {
            return Ok(commit.to_owned());
        }
        let fileless = self.fileless.iter().map(|(removal, _)| removal);
        let entries = self.staged.iter().chain(&self.unstaged).chain(fileless);
        let scratch = scratch(place)?;
        let git = || on_own_index(place, &scratch.path().join("index"));
        git()?.fill_index(commit)?;
        git()?.update_index(false, lines(entries))?;
        Ok(git()?.write_tree()?.to_string())
    }

    /// Takes what other hooks have changed out of the way, and keeps it in a tree.
    pub(super) fn make_way(&self, place: &Place) -> Result<Option<Saved>> {
        let Some(first) = self.changed.first() else {
            return Ok(None);
        };
        let scratch = scratch(place)?;
        let saving = || on_own_index(place, &scratch.path().join("index"));
        let mut kept = Vec::new();
        for entry in &self.changed {
            kept.extend(keep(place, path_of(entry))?);
        }
        saving()?.update_index(true, lines(&kept))?;
        let tree = saving()?.write_tree()?;
        with_index(place).update_index(true, lines(&self.changed))?;
        let (removals, entries): (Vec<_>, Vec<_>) =
            self.changed.iter().partition(|entry| is_removal(entry));
        for file in removals
            .into_iter()
            .map(|entry| crate::store::path(path_of(entry)))
        {
            match std::fs::remove_file(&file) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(error).context("remove", &file);
                }
                _ => {}
            }
        }
        let names = entries.into_iter().map(path_of);
        with_index(place)
            .checking_out(["-f", "-u"], lines(names))
            .run()?;
        let path = path_of(kept.first().unwrap_or(first)).to_owned();
        Ok((!kept.is_empty()).then(|| Saved {
            tree,
            path,
            more: kept.len() - 1,
        }))
    }

    /// After the files: what comes back into the index only.
    pub(super) fn complete(&self, place: &Place) -> Result<()> {
        if self.fileless.is_empty() {
            return Ok(());
        }
        let entries = self.fileless.iter().map(|(_, entry)| entry);
        with_index(place).update_index(true, lines(entries))?;
        with_index(place).refresh_index()
    }
}

/// One line of `git diff-tree -r`: `:<mode before> <mode> <id before> <id> <status>`, and its path.
struct Change<'a> {
    mode_before: &'a [u8],
    mode: &'a [u8],
    id_before: &'a [u8],
    id: &'a [u8],
    path: &'a BStr,
}

impl<'a> Change<'a> {
    fn parse(line: &'a [u8], path: &'a BStr) -> Option<Self> {
        let mut words = line.strip_prefix(b":")?.split_str(" ");
        let (mode_before, mode, id_before, id) =
            (words.next()?, words.next()?, words.next()?, words.next()?);
        Some(Change {
            mode_before,
            mode,
            id_before,
            id,
            path,
        })
    }

    fn is_removal(&self) -> bool {
        self.mode == b"000000"
    }

    fn entry(&self) -> Entry {
        [self.mode, b" ", self.id, b"\t", self.path].concat().into()
    }

    /// An entry that takes the path out of an index.
    fn removal(&self) -> Entry {
        [b"0 ", &*vec![b'0'; self.id.len()], b"\t", self.path]
            .concat()
            .into()
    }

    fn before(&self) -> Entry {
        [self.mode_before, b" ", self.id_before, b"\t", self.path]
            .concat()
            .into()
    }
}

fn read_index(file: &Path, id: &[u8]) -> Result<gix::index::File> {
    let kind = if id.len() == 64 {
        gix::hash::Kind::Sha256
    } else {
        gix::hash::Kind::Sha1
    };
    gix::index::File::at(file, kind, true, gix::index::decode::Options::default()).map_err(
        |error| {
            Error::environment(format!("cannot read '{}'", file.display()))
                .caused_by(error.to_string())
        },
    )
}

/// The files that are not as the index has them. The commit that is checked out in a submodule is
/// not in any file.
fn differing(place: &Place) -> Result<BTreeSet<BString>> {
    with_index(place).refresh_index()?;
    let differing = with_index(place).diff_files(&["--ignore-submodules=all"])?;
    Ok(differing.into_iter().collect())
}

/// What is where a file belongs that the other commit lacks.
enum At {
    /// Nothing, or what git removes by itself.
    Nothing,
    /// A file, or a link.
    File,
    /// A directory with something in it, or something else than a directory above it.
    InTheWay,
}

fn found_at(place: &Place, path: &BStr, target: &str) -> Result<At> {
    if let Some(above) = obstacle_above(path) {
        let tracked = place.git().ls_tree(target, [above])?;
        return Ok(match tracked.is_empty() {
            true => At::InTheWay,
            false => At::Nothing,
        });
    }
    let file = crate::store::path(path);
    match std::fs::symlink_metadata(&file) {
        Ok(found) if found.is_dir() => {
            let others = with_index(place).ls_files(&["--others"], [&file])?;
            Ok(if others.is_empty() {
                At::Nothing
            } else {
                At::InTheWay
            })
        }
        Ok(_) => Ok(At::File),
        Err(_) => Ok(At::Nothing),
    }
}

/// The first of the directories `path` is in that is no directory.
fn obstacle_above(path: &BStr) -> Option<PathBuf> {
    let path = crate::store::path(path);
    let mut above: Vec<&Path> = path
        .ancestors()
        .skip(1)
        .filter(|above| !above.as_os_str().is_empty())
        .collect();
    above.reverse();
    let is_other =
        |above: &&Path| std::fs::symlink_metadata(above).is_ok_and(|found| !found.is_dir());
    above.into_iter().find(is_other).map(Path::to_owned)
}

/// Keeps what a file holds, byte by byte, as an entry; `None` where there is none.
fn keep(place: &Place, path: &BStr) -> Result<Option<Entry>> {
    let file = crate::store::path(path);
    let found = match std::fs::symlink_metadata(&file) {
        Ok(found) if obstacle_above(path).is_none() => found,
        _ => return Ok(None),
    };
    let (mode, id) = if found.is_symlink() {
        let target = std::fs::read_link(&file)
            .context("read", &file)?
            .into_os_string()
            .into_vec();
        ("120000", place.git().store_bytes(target)?)
    } else if found.is_file() {
        let mode = if found.mode() & 0o111 == 0 {
            "100644"
        } else {
            "100755"
        };
        (mode, place.git().store_file(&file)?)
    } else {
        return Err(Error::refused(format!(
            "'{}' is no file any more",
            file.display()
        )));
    };
    let mut entry = BString::from(format!("{mode} {id}\t"));
    entry.extend_from_slice(path);
    Ok(Some(entry))
}

fn path_of(entry: &Entry) -> &BStr {
    entry
        .split_once_str("\t")
        .map_or(b"".as_slice(), |(_, path)| path)
        .as_bstr()
}

fn is_removal(entry: &Entry) -> bool {
    entry.starts_with(b"0 ")
}

fn lines(all: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Vec<u8> {
    let mut text = Vec::new();
    for line in all {
        text.extend_from_slice(line.as_ref());
        text.push(0);
    }
    text
}
