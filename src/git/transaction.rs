//! Changes refs that are kept in files, with locks that prove whose they are ([`LockFile`]): what a killed git or a
//! library leaves locked stays locked for ever and could be anybody's.
//!
//! The order is that of git's files backend. Every ref is locked and compared first, and everything that can find the
//! disk full is written; then come reflogs, values, deletions. What is deleted leaves `packed-refs` first and its own
//! file last, under both locks, so that neither a reader nor `git pack-refs` brings an older value back.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use bstr::{BStr, ByteSlice};

use super::journal::step;
use super::lockfile::{Aside, LockFile};
use super::metadata::locks;
use super::refs::RefChange;
use super::repository::Repository;
use super::worktree::read_head;
use crate::domain::lane::{ObjectId, RefName, Worktree, WorktreeState};
use crate::error::{Error, IoContext, Result};
use crate::git::shared;

/// One ref under its lock.
struct Held<'a> {
    change: &'a RefChange,
    file: PathBuf,
    lock: LockFile,
}

/// Makes all `changes`, or none. `site` is the worktree whose HEAD leads to the one ref that moves: its reflog tells of
/// it, and `ORIG_HEAD` is left there as `git merge` does.
pub(super) fn change(
    repository: &Repository,
    changes: &[RefChange],
    site: Option<&Worktree>,
    reason: &str,
) -> Result<()> {
    let common_dir = repository.common_dir();
    let witnesses = locks(common_dir);
    let mut order: Vec<&RefChange> = changes.iter().collect();
    // Always the same, so that no two of us wait for each other.
    order.sort_by_key(|change| change.name.as_bstr());
    let mut held = Vec::new();
    for change in order {
        let file = common_dir.join(super::path(change.name.as_bstr()));
        let lock = lock(&file, &witnesses, &change.name)?;
        held.push(Held { change, file, lock });
    }
    let head = site.map(|site| LockFile::acquire_link(&site.git_dir.join("HEAD"), &witnesses)).transpose()?;
    let packed_file = common_dir.join("packed-refs");
    let deletes = changes.iter().any(|change| change.to.is_none());
    let packed_lock = deletes.then(|| LockFile::acquire(&packed_file, &witnesses)).transpose()?;
    step("refs.locked");

    let packed = Packed::read(&packed_file)?;
    let mut orig_head = None;
    for Held { change, file, lock } in &mut held {
        if value(file, &change.name, &packed)? != change.from {
            return Err(Error::refused(format!("'{}' is not what it was", change.name)));
        }
        if let Some(to) = change.to {
            packed.ensure_room(&change.name)?;
            lock.write(format!("{to}\n").as_bytes())?;
        }
        if let (Some(site), Some(from)) = (site, change.from) {
            if read_head(&site.git_dir).branch().map(RefName::from).as_ref() != Some(&change.name) {
                return Err(Error::refused(format!("'{}' was just switched", site.path.display())));
            }
            let mut lock = LockFile::acquire_link(&site.git_dir.join("ORIG_HEAD"), &witnesses)?;
            lock.write(format!("{from}\n").as_bytes())?;
            orig_head = Some(lock);
        }
    }
    let (updates, deletions): (Vec<_>, Vec<_>) = held.into_iter().partition(|held| held.change.to.is_some());
    let rest = packed.without(deletions.iter().map(|held| &held.change.name));
    let rest = rest.map(|rest| Aside::write(&packed_file, &witnesses, &rest)).transpose()?;
    let log = Log::new(repository, reason)?;
    let heard = Heard::new(repository, site, &updates, &deletions);
    step("refs.written");
    if let Err(refusal) = heard.tell("prepared") {
        let _ = heard.tell("aborted");
        return Err(refusal);
    }

    for Held { change, file, lock } in updates {
        log.append(&common_dir.join("logs"), change.name.as_bstr(), change)?;
        if let Some(site) = site {
            log.append(&site.git_dir.join("logs"), BStr::new("HEAD"), change)?;
        }
        step("refs.logged");
        // What is left of `x/y` may be an empty directory where `x` shall be.
        remove_empty_below(&file);
        lock.publish()?;
        step("refs.moved");
    }
    // The branch has moved; nobody who asks for that is helped by hearing that this courtesy failed.
    drop((orig_head.map(LockFile::publish), head));
    let logs = common_dir.join("logs");
    for held in &deletions {
        let file = logs.join(super::path(held.change.name.as_bstr()));
        remove_if_there(&file)?;
        remove_empty_parents(&logs, &file);
        step("refs.log-gone");
    }
    if let Some(rest) = rest {
        rest.publish()?;
        step("refs.unpacked");
    }
    for Held { file, lock, .. } in deletions {
        remove_if_there(&file)?;
        step("refs.gone");
        drop(lock);
        remove_empty_parents(common_dir, &file);
    }
    drop(packed_lock);
    // git asks for no verdict either.
    let _ = heard.tell("committed");
    // Two changes within one tick of the clock look alike to its cache.
    let _ = repository.gix.refs.force_refresh_packed_buffer();
    Ok(())
}

const HOOK: &str = "reference-transaction";

/// A reference-transaction hook, and what it reads: a line `<old> <new> <name>` for each ref (githooks(5)).
struct Heard<'a> {
    repository: &'a Repository,
    site: Option<&'a Worktree>,
    lines: Option<Vec<u8>>,
}

impl<'a> Heard<'a> {
    fn new(
        repository: &'a Repository,
        site: Option<&'a Worktree>,
        updates: &[Held<'_>],
        deletions: &[Held<'_>],
    ) -> Self {
        let null = ObjectId::null(repository.gix.object_hash());
        let line = |change: &RefChange| {
            let (from, to) = (change.from.unwrap_or(null), change.to.unwrap_or(null));
            [format!("{from} {to} ").as_bytes(), change.name.as_bstr(), b"\n"].concat()
        };
        let lines = repository.has_hook(HOOK);
        let lines = lines.then(|| updates.iter().chain(deletions).flat_map(|held| line(held.change)).collect());
        Heard { repository, site, lines }
    }

    fn tell(&self, state: &str) -> Result<()> {
        let Some(lines) = &self.lines else { return Ok(()) };
        let git = || self.site.map_or_else(|| self.repository.git_here(), |site| self.repository.git_in(site));
        self.repository.feed_hook(git, HOOK, state, lines)
    }
}

/// Locks a ref's file, in directories that somebody who deletes a neighbour may just have removed.
fn lock(file: &Path, witnesses: &Path, name: &RefName) -> Result<LockFile> {
    let parent = file.parent().unwrap_or(file);
    for _ in 0..100 {
        match shared::create_dir_all(parent) {
            Err(error) if matches!(error.kind(), ErrorKind::NotADirectory | ErrorKind::AlreadyExists) => {
                let error = Error::refused(format!("another ref is where '{name}' needs a directory")).source(error);
                return Err(error.code("raced"));
            }
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error).context("create", parent),
            _ => {}
        }
        match LockFile::acquire_link(file, witnesses) {
            Err(_) if !parent.is_dir() => {}
            other => return other,
        }
    }
    LockFile::acquire_link(file, witnesses)
}

/// What a ref is at. A symbolic one is nothing we ever change.
fn value(file: &Path, name: &RefName, packed: &Packed) -> Result<Option<ObjectId>> {
    let symbolic = || Error::refused(format!("'{name}' is a symbolic ref"));
    if std::fs::symlink_metadata(file).is_ok_and(|metadata| metadata.is_symlink()) {
        return Err(symbolic());
    }
    match std::fs::read(file) {
        Ok(text) if text.starts_with(b"ref:") => Err(symbolic()),
        Ok(text) => {
            let id = ObjectId::from_hex(text.trim_ascii_end());
            id.map(Some).map_err(|_| Error::environment(format!("ref '{name}' is broken")))
        }
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::IsADirectory) => Ok(packed.get(name)),
        Err(error) => Err(error).context("read", file),
    }
}

/// `packed-refs`: a line `<id> <name>` for each ref, below it `^<id>` for what a tag peels to.
struct Packed(Vec<u8>);

impl Packed {
    fn read(file: &Path) -> Result<Self> {
        match std::fs::read(file) {
            Ok(bytes) => Ok(Packed(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Packed(Vec::new())),
            Err(error) => Err(error).context("read", file),
        }
    }

    /// Where the lines about `name` are.
    fn find(&self, name: &BStr) -> Option<std::ops::Range<usize>> {
        let bytes = &self.0;
        let line = [b" ", name.as_bytes(), b"\n"].concat();
        let found = bytes.find(&line)?;
        let start = bytes[..found].rfind_byte(b'\n').map_or(0, |at| at + 1);
        let mut end = found + line.len();
        if bytes.get(end) == Some(&b'^') {
            end = bytes[end..].find_byte(b'\n').map_or(bytes.len(), |at| end + at + 1);
        }
        Some(start..end)
    }

    fn get(&self, name: &RefName) -> Option<ObjectId> {
        let range = self.find(name.as_bstr())?;
        ObjectId::from_hex(self.0[range].split(|byte| *byte == b' ').next()?).ok()
    }

    /// `a` and `a/b` cannot both be; among loose refs the file system sees to it.
    fn ensure_room(&self, wanted: &RefName) -> Result<()> {
        let name = wanted.as_bstr();
        let below = [b" ", name.as_bytes(), b"/"].concat();
        let taken = name.find_iter("/").any(|at| self.find(name[..at].as_bstr()).is_some());
        if taken || self.0.find(&below).is_some() {
            return Err(Error::refused(format!("another ref makes '{wanted}' impossible")).code("raced"));
        }
        Ok(())
    }

    /// The file without `names`; `None` when they are not in it.
    fn without<'a>(&self, names: impl Iterator<Item = &'a RefName>) -> Option<Vec<u8>> {
        let mut rest = Packed(self.0.clone());
        for name in names {
            if let Some(range) = rest.find(name.as_bstr()) {
                rest.0.drain(range);
            }
        }
        (rest.0.len() != self.0.len()).then_some(rest.0)
    }
}

/// What every reflog is told.
pub(super) struct Log {
    tail: Vec<u8>,
    every: bool,
    usual: bool,
}

impl Log {
    pub(super) fn new(repository: &Repository, reason: &str) -> Result<Self> {
        let now = gix::date::Time::now_utc().to_string();
        let nobody =
            gix::actor::SignatureRef { name: "git-lane".into(), email: "git-lane@localhost".into(), time: &now };
        // Like git, write a reflog also for somebody who has not said who he is.
        let committer = repository.gix.committer().and_then(Result::ok).unwrap_or(nobody);
        let mut tail = Vec::new();
        committer.write_to(&mut tail).context("write", &repository.common_dir().join("logs"))?;
        tail.push(b'\t');
        tail.extend(reason.bytes().map(|byte| if byte == b'\n' { b' ' } else { byte }));
        tail.push(b'\n');
        let wanted = repository.config("core.logAllRefUpdates");
        let every = wanted.as_ref().is_some_and(|value| value.eq_ignore_ascii_case(b"always"));
        let usual = match wanted {
            Some(_) => every || repository.config_bool("core.logAllRefUpdates"),
            None => repository.main_worktree()?.state != WorktreeState::Bare,
        };
        Ok(Log { tail, every, usual })
    }

    /// Adds a line to the reflog of `name`, in one write; starts one where git would.
    pub(super) fn append(&self, logs: &Path, name: &BStr, change: &RefChange) -> Result<()> {
        let Some(to) = change.to else { return Ok(()) };
        let file = logs.join(super::path(name));
        let kinds = ["refs/heads/", "refs/remotes/", "refs/notes/"];
        let usual = name == "HEAD" || kinds.iter().any(|kind| name.starts_with(kind.as_bytes()));
        let create = self.every || (self.usual && usual);
        let open = || {
            if create {
                remove_empty_below(&file);
                shared::create_dir_all(file.parent().unwrap_or(&file))?;
            }
            shared::open(OpenOptions::new().append(true).create(create), &file)
        };
        let mut attempts = 0;
        let mut opened = loop {
            attempts += 1;
            match open() {
                Err(error) if !create && error.kind() == ErrorKind::NotFound => return Ok(()),
                // Somebody who deletes a neighbour may just have removed the directory.
                Err(error) if error.kind() == ErrorKind::NotFound && attempts < 100 => {}
                opened => break opened.context("open", &file)?,
            }
        };
        let from = change.from.unwrap_or(ObjectId::null(to.kind()));
        let line = [format!("{from} {to} ").as_bytes(), &self.tail].concat();
        opened.write_all(&line).context("write", &file)
    }
}

fn remove_if_there(file: &Path) -> Result<()> {
    match std::fs::remove_file(file) {
        Err(error) if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::IsADirectory) => {
            Err(error).context("remove", file)
        }
        _ => Ok(()),
    }
}

/// Removes `directory` if there is nothing but directories in it.
fn remove_empty_below(directory: &Path) {
    if std::fs::symlink_metadata(directory).is_ok_and(|metadata| metadata.is_dir()) {
        for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
            remove_empty_below(&entry.path());
        }
        drop(std::fs::remove_dir(directory));
    }
}

/// Removes what a deleted ref leaves empty, but never `refs/heads` itself.
fn remove_empty_parents(root: &Path, file: &Path) {
    let depth = root.components().count() + 2;
    for parent in file.ancestors().skip(1).take_while(|parent| parent.components().count() > depth) {
        if std::fs::remove_dir(parent).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_refs_lose_exactly_the_lines_of_what_is_deleted() {
        let id = "1".repeat(40);
        let name = |name: &str| RefName::parse(name.into()).unwrap();
        let text =
            format!("# pack-refs with: peeled\n{id} refs/heads/a\n{id} refs/heads/a-b\n{id} refs/tags/a\n^{id}\n");
        let packed = Packed(text.clone().into_bytes());
        assert_eq!(packed.get(&name("refs/heads/a")).unwrap().to_string(), id);
        assert_eq!(packed.get(&name("refs/heads/b")), None);
        assert_eq!(packed.without([name("refs/heads/b")].iter()), None);
        let rest = packed.without([name("refs/tags/a"), name("refs/heads/a")].iter()).unwrap();
        assert_eq!(rest.as_bstr(), format!("# pack-refs with: peeled\n{id} refs/heads/a-b\n"));
        assert!(packed.ensure_room(&name("refs/heads/a/b")).is_err());
        assert!(packed.ensure_room(&name("refs/tags")).is_err());
        assert!(packed.ensure_room(&name("refs/heads/a-b-c")).is_ok());
    }
}
