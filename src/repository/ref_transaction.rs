//! Changes refs that are kept in files, with locks that prove whose they are ([`LockFile`]): what a
//! killed git or a library leaves locked stays locked for ever and could be any program's.
//!
//! The order is that of git's files backend. Every ref is locked and compared first, and everything
//! that can find the disk full is written; then come reflogs, values, deletions. What is deleted
//! leaves `packed-refs` first and its own file last, under both locks, so that neither a reader nor
//! `git pack-refs` brings an older value back.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use bstr::{BStr, ByteSlice};

use super::reflog::{Log, remove_empty_below};
use super::refs::RefChange;
use super::worktree::resolved_head;
use crate::domain::lane::{ObjectId, RefName, Worktree};
use crate::error::{Code, Error, IoContext, Result};
use crate::repository::Repository;
use crate::store::journal::step;
use crate::store::lane_files::LaneDir;
use crate::store::lockfile::{Aside, LockFile};

/// One ref under its lock.
struct Held<'a> {
    change: &'a RefChange,
    file: PathBuf,
    lock: LockFile,
}

/// Makes all `changes`, or none. `site` is the worktree whose HEAD leads to the one ref that moves:
/// its reflog tells of it, and `ORIG_HEAD` is left there as `git merge` does.
pub(crate) fn change(
    repository: &Repository,
    changes: &[RefChange],
    site: Option<&Worktree>,
    reason: &str,
) -> Result<()> {
    prepare(repository, changes, site, reason)?
        .publish()?
        .tell();
    Ok(())
}

/// Changes that nothing but a full disk can keep from being made: all refs are locked and compared,
/// and the hook agrees.
pub(crate) struct Prepared<'a> {
    repository: &'a Repository,
    site: Option<&'a Worktree>,
    updates: Vec<Held<'a>>,
    deletions: Vec<Held<'a>>,
    packed: Option<LockFile>,
    rest: Option<Aside>,
    head: Option<LockFile>,
    orig_head: Option<LockFile>,
    log: Log,
    heard: Heard<'a>,
}

/// Takes all the locks, and asks the hook. Dropping what it returns changes nothing.
pub(crate) fn prepare<'a>(
    repository: &'a Repository,
    changes: &'a [RefChange],
    site: Option<&'a Worktree>,
    reason: &str,
) -> Result<Prepared<'a>> {
    let common_dir = repository.common_dir();
    let lane_dir = repository.lane_dir();
    let mut order: Vec<&RefChange> = changes.iter().collect();
    // Always the same, so that no two of us wait for each other.
    order.sort_by_key(|change| change.name.as_bstr());
    let mut held = Vec::new();
    for change in order {
        let file = common_dir.join(crate::store::path(change.name.as_bstr()));
        let lock = lock(&file, lane_dir, &change.name)?;
        held.push(Held { change, file, lock });
    }
    let head = site
        .map(|site| LockFile::acquire_link(&site.git_dir.join("HEAD"), lane_dir))
        .transpose()?;
    let packed_file = common_dir.join("packed-refs");
    let deletes = changes.iter().any(|change| change.to.is_none());
    let packed_lock = deletes
        .then(|| LockFile::acquire(&packed_file, lane_dir))
        .transpose()?;
    step("refs.locked");

    let packed = Packed::read(&packed_file)?;
    let mut orig_head = None;
    for Held { change, file, lock } in &mut held {
        if value(file, &change.name, &packed)? != change.from {
            return Err(Error::refused(format!(
                "'{}' is not what it was",
                change.name
            )));
        }
        if let Some(to) = change.to {
            packed.ensure_room(&change.name)?;
            lock.write(format!("{to}\n").as_bytes())?;
        }
        if let (Some(site), Some(from)) = (site, change.from) {
            if resolved_head(&site.git_dir, common_dir)
                .branch()
                .map(RefName::from)
                .as_ref()
                != Some(&change.name)
            {
                return Err(Error::refused(format!(
                    "'{}' was just switched",
                    site.path.display()
                )));
            }
            let mut lock = LockFile::acquire_link(&site.git_dir.join("ORIG_HEAD"), lane_dir)?;
            lock.write(format!("{from}\n").as_bytes())?;
            orig_head = Some(lock);
        }
    }
    let (updates, deletions): (Vec<_>, Vec<_>) =
        held.into_iter().partition(|held| held.change.to.is_some());
    let rest = packed.without(deletions.iter().map(|held| &held.change.name));
    let rest = rest
        .map(|rest| Aside::write(&packed_file, lane_dir, &rest))
        .transpose()?;
    let log = Log::new(repository, reason)?;
    let heard = Heard::new(repository, site, &updates, &deletions);
    step("refs.written");
    if let Err(refusal) = heard.tell("prepared") {
        let _ = heard.tell("aborted");
        return Err(refusal);
    }
    let packed = packed_lock;
    Ok(Prepared {
        repository,
        site,
        updates,
        deletions,
        packed,
        rest,
        head,
        orig_head,
        log,
        heard,
    })
}

impl<'a> Prepared<'a> {
    /// Tells the hook that nothing comes of it.
    pub(crate) fn abort(self) {
        let _ = self.heard.tell("aborted");
    }

    /// Makes the changes.
    pub(crate) fn publish(self) -> Result<Published<'a>> {
        let Prepared {
            repository,
            site,
            updates,
            deletions,
            packed,
            rest,
            head,
            orig_head,
            log,
            heard,
        } = self;
        let common_dir = repository.common_dir();
        let mut moved = Vec::new();
        for Held {
            change,
            file,
            mut lock,
        } in updates
        {
            log.append(&common_dir.join("logs"), change.name.as_bstr(), change)?;
            if let Some(site) = site {
                log.append(&site.git_dir.join("logs"), BStr::new("HEAD"), change)?;
            }
            step("refs.logged");
            // What is left of `x/y` may be an empty directory where `x` shall be.
            remove_empty_below(&file);
            lock.put_in_force()?;
            moved.push(lock);
            step("refs.moved");
        }
        let logs = common_dir.join("logs");
        for held in &deletions {
            let file = logs.join(crate::store::path(held.change.name.as_bstr()));
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
        drop(packed);
        Ok(Published {
            repository,
            moved,
            head,
            orig_head,
            heard,
        })
    }
}

/// Changes that have been made, and of which not everybody has heard.
#[must_use = "the hook is to hear of it"]
pub(crate) struct Published<'a> {
    repository: &'a Repository,
    moved: Vec<LockFile>,
    head: Option<LockFile>,
    orig_head: Option<LockFile>,
    heard: Heard<'a>,
}

impl Published<'_> {
    /// Leaves `ORIG_HEAD`, and tells the hook.
    pub(crate) fn tell(self) {
        // The branch has moved; no user who asks for that is helped by hearing that this courtesy
        // failed.
        drop((self.orig_head.map(LockFile::publish), self.head, self.moved));
        // git asks for no verdict either.
        let _ = self.heard.tell("committed");
        // Two changes within one tick of the clock look alike to its cache.
        let _ = self.repository.gix.refs.force_refresh_packed_buffer();
    }
}

const HOOK: &str = "reference-transaction";

/// A reference-transaction hook, and what it reads: a line `<old> <new> <name>` for each ref
/// (githooks(5)).
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
            [
                format!("{from} {to} ").as_bytes(),
                change.name.as_bstr(),
                b"\n",
            ]
            .concat()
        };
        let lines = repository.has_hook(HOOK);
        let lines = lines.then(|| {
            updates
                .iter()
                .chain(deletions)
                .flat_map(|held| line(held.change))
                .collect()
        });
        Heard {
            repository,
            site,
            lines,
        }
    }

    fn tell(&self, state: &str) -> Result<()> {
        let Some(lines) = &self.lines else {
            return Ok(());
        };
        let git = || {
            self.site.map_or_else(
                || self.repository.git_here(),
                |site| self.repository.git_in(site),
            )
        };
        self.repository.feed_hook(git, HOOK, state, lines)
    }
}

/// Locks a ref's file, in directories that a process which deletes a neighbour may just have
/// removed.
fn lock(file: &Path, lane_dir: &LaneDir, name: &RefName) -> Result<LockFile> {
    let parent = file.parent().unwrap_or(file);
    for _ in 0..100 {
        match lane_dir.shared().create_dir_all(parent) {
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::NotADirectory | ErrorKind::AlreadyExists
                ) =>
            {
                let error =
                    Error::refused(format!("another ref is where '{name}' needs a directory"))
                        .caused_by(error);
                return Err(error.with_code(Code::Raced));
            }
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(error).context("create", parent);
            }
            _ => {}
        }
        match LockFile::acquire_link(file, lane_dir) {
            Err(_) if !parent.is_dir() => {}
            other => return other,
        }
    }
    LockFile::acquire_link(file, lane_dir)
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
            id.map(Some)
                .map_err(|_| Error::environment(format!("ref '{name}' is broken")))
        }
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::IsADirectory) => {
            Ok(packed.get(name))
        }
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
            end = bytes[end..]
                .find_byte(b'\n')
                .map_or(bytes.len(), |at| end + at + 1);
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
        let taken = name
            .find_iter("/")
            .any(|at| self.find(name[..at].as_bstr()).is_some());
        if taken || self.0.find(&below).is_some() {
            return Err(
                Error::refused(format!("another ref makes '{wanted}' impossible"))
                    .with_code(Code::Raced),
            );
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

fn remove_if_there(file: &Path) -> Result<()> {
    match std::fs::remove_file(file) {
        Err(error) if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::IsADirectory) => {
            Err(error).context("remove", file)
        }
        _ => Ok(()),
    }
}

/// Removes what a deleted ref leaves empty, but never `refs/heads` itself.
fn remove_empty_parents(root: &Path, file: &Path) {
    let depth = root.components().count() + 2;
    for parent in file
        .ancestors()
        .skip(1)
        .take_while(|parent| parent.components().count() > depth)
    {
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
        let text = format!(
            "# pack-refs with: peeled\n{id} refs/heads/a\n{id} refs/heads/a-b\n{id} \
             refs/tags/a\n^{id}\n"
        );
        let packed = Packed(text.clone().into_bytes());
        assert_eq!(packed.get(&name("refs/heads/a")).unwrap().to_string(), id);
        assert_eq!(packed.get(&name("refs/heads/b")), None);
        assert_eq!(packed.without([name("refs/heads/b")].iter()), None);
        let rest = packed
            .without([name("refs/tags/a"), name("refs/heads/a")].iter())
            .unwrap();
        assert_eq!(
            rest.as_bstr(),
            format!("# pack-refs with: peeled\n{id} refs/heads/a-b\n")
        );
        assert!(packed.ensure_room(&name("refs/heads/a/b")).is_err());
        assert!(packed.ensure_room(&name("refs/tags")).is_err());
        assert!(packed.ensure_room(&name("refs/heads/a-b-c")).is_ok());
    }
}
