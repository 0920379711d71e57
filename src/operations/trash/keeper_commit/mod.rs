//! What only a removed lane can reach, and the one object that keeps all of it from gc.
//!
//! An ordinary lane needs its tip and nothing else. Where the admin directory or the branch's
//! reflog names commits the tip does not reach (amended or detached ones, an operation in progress)
//! or the index holds objects no commit has, a keeper commit is written: those commits are its
//! parents, those blobs and trees its files. A tag can be neither; its text is a file, and it
//! becomes an object again before the lane returns.
//!
//! `named` reads ids out of files, `index_objects` out of an index.
//!
//! Called by `retire` before a lane leaves.

mod index_objects;
mod named;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use bstr::BStr;
use gix::objs::tree::{Entry as File, EntryKind};

use crate::domain::lane::{Head, Lane, ObjectId};
use crate::domain::name::BranchName;
use crate::domain::trash_entry::Entry;
use crate::error::{Code, Error, Kind, Result};
use crate::repository::kept_pack::KeptPack;
use crate::repository::quarantine::Scratch;
use crate::repository::revision::forget_reachable;
use crate::repository::{RefFormat, Repository};
use crate::store::git::Invocation;
use crate::store::{entries, optional, retry};

/// What follows the id in the name of a file that holds a tag's text.
const TAG: &str = ".tag";

/// The object to keep: the tip where that is enough, a keeper commit where it is not; `None` for a
/// lane without any commit. `branch` goes with the lane, and its reflog with it; `git` starts a git
/// in the worktree, for what only git can read. A keeper commit is in the quarantine of `scratch`:
/// a gc would take it away before anything leads there.
pub fn keeper(
    repository: &Repository,
    lane: &Lane,
    tip: Option<ObjectId>,
    branch: Option<&BranchName>,
    admin: Option<(&Path, &Head)>,
    git: impl Fn() -> Invocation,
    scratch: &Scratch,
) -> Result<Option<ObjectId>> {
    let mut named = BTreeSet::new();
    if let Some(branch) = branch {
        named::by_branch(repository, branch, &git, &mut named)?;
    }
    if let Some((admin, _)) = admin {
        named::below(repository, admin, &mut named)?;
        if repository.ref_format() == RefFormat::Reftable {
            named::by_git(&git, &mut named)?;
        }
    }
    let main = tip.or(match admin {
        Some((_, Head::Detached(id))) => Some(*id),
        _ => None,
    });
    if let Some((_, Head::Detached(id))) = admin {
        named.insert(*id);
    }
    named.retain(|id| Some(*id) != main && *id != lane.fork_point && !id.is_null());
    if let Some(tip) = main.filter(|_| !named.is_empty()) {
        // What is left over only costs a parent more.
        forget_reachable(repository, tip, lane.fork_point, &mut named);
    }
    let mut kept = Kept::default();
    for id in named {
        kept.add(repository, id)?;
    }
    if let Some((admin, _)) = admin {
        index_objects::staged(
            repository,
            &admin.join("index"),
            main,
            &git,
            &mut kept.files,
        )?;
    }
    if kept == Kept::default() {
        return Ok(main);
    }
    write_keeper(scratch, repository.gix.object_hash(), lane, main, kept).map(Some)
}

/// What only the keeper leads to: a gc that has read the refs already finds no index, no HEAD and
/// no reflog of the lane any more.
pub fn protect(
    repository: &Repository,
    scratch: &Scratch,
    lane: &Lane,
    tip: Option<ObjectId>,
    keep: Option<ObjectId>,
) -> Result<Option<KeptPack>> {
    let Some(keep) = keep.filter(|keep| Some(*keep) != tip) else {
        return Ok(None);
    };
    let beyond = tip.unwrap_or(lane.fork_point);
    let beyond = retry::has_object(&repository.gix, beyond).then_some(beyond);
    let whole = KeptPack::of_history(repository, scratch, &[keep], beyond.as_slice());
    match or_without(whole)? {
        Some(pack) => Ok(Some(pack)),
        // The keeper itself is nowhere else yet, and without it everything it leads to is lost.
        None => KeptPack::of_objects(repository, scratch, &made_in(scratch)),
    }
}

/// The objects that were made in the quarantine.
fn made_in(scratch: &Scratch) -> Vec<ObjectId> {
    let objects = entries(&scratch.path("objects")).flat_map(|directory| {
        let start = directory.file_name().to_string_lossy().into_owned();
        entries(&directory.path()).map(move |file| format!("{start}{}", file.file_name().display()))
    });
    objects
        .filter_map(|id| ObjectId::from_hex(id.as_bytes()).ok())
        .collect()
}

/// No pack can be made over a damaged object. The lane goes or returns all the same, as it did
/// before: only a gc of that very moment could take something of it.
fn or_without(packed: Result<Option<KeptPack>>) -> Result<Option<KeptPack>> {
    packed.or_else(|error| {
        if error.kind() == Kind::Git {
            Ok(None)
        } else {
            Err(error)
        }
    })
}

/// Everything that only the trash's ref leads to: a gc that has read branches and indexes before
/// they are back, and reads that ref after it has gone, finds nothing of it.
pub fn protect_returning(
    repository: &Repository,
    scratch: &Scratch,
    entry: &Entry,
) -> Result<Option<KeptPack>> {
    let kept = repository.ref_target(&super::ref_name(&entry.id)?)?;
    let tip = entry
        .branch
        .as_ref()
        .filter(|branch| branch.deleted)
        .map(|branch| branch.tip);
    let base = entry
        .lane
        .base
        .as_ref()
        .map(|base| repository.ref_target(base))
        .transpose()?
        .flatten();
    let beyond = base.unwrap_or(entry.lane.fork_point);
    let mut from: Vec<_> = kept
        .into_iter()
        .chain(tip)
        .filter(|id| *id != beyond)
        .collect();
    from.dedup();
    if from.is_empty() {
        return Ok(None);
    }
    let beyond = retry::has_object(&repository.gix, beyond).then_some(beyond);
    or_without(KeptPack::of_history(
        repository,
        scratch,
        &from,
        beyond.as_slice(),
    ))
}

/// What a keeper is to hold.
#[derive(Default, PartialEq, Eq)]
struct Kept {
    commits: BTreeSet<ObjectId>,
    /// Blobs and trees; which of the two.
    files: BTreeSet<(ObjectId, bool)>,
    /// The text of every tag object.
    tags: BTreeMap<ObjectId, Vec<u8>>,
}

impl Kept {
    /// Adds what `id` leads to. One whose object is gone is nothing that could be kept: reflogs
    /// outlive what they name.
    fn add(&mut self, repository: &Repository, id: ObjectId) -> Result<()> {
        let mut next = Some(id);
        while let Some(id) = next.take() {
            let Some(kind) = kind(repository, id)? else {
                return Ok(());
            };
            match kind {
                gix::object::Kind::Commit => drop(self.commits.insert(id)),
                gix::object::Kind::Blob => drop(self.files.insert((id, false))),
                gix::object::Kind::Tree => drop(self.files.insert((id, true))),
                gix::object::Kind::Tag => {
                    let read = || repository.gix.find_object(id).map(gix::Object::detach);
                    let tag = retry::objects(&repository.gix, read)
                        .map_err(|error| unreadable(id, &error))?;
                    let target =
                        gix::objs::TagRefIter::from_bytes(&tag.data, id.kind()).target_id();
                    next = target.ok().filter(|target| !self.tags.contains_key(target));
                    self.tags.insert(id, tag.data);
                }
            }
        }
        Ok(())
    }
}

/// What kind of object `id` is; `None` where there is none.
fn kind(repository: &Repository, id: ObjectId) -> Result<Option<gix::object::Kind>> {
    let look = || match repository.gix.try_find_header(id) {
        Ok(Some(header)) => Ok(header.kind()),
        Ok(None) => Err(None),
        Err(error) => Err(Some(unreadable(id, &error))),
    };
    match retry::objects(&repository.gix, look) {
        Ok(kind) => Ok(Some(kind)),
        Err(None) => ensure_absent(repository, id).map(|()| None),
        Err(Some(error)) => Err(error),
    }
}

/// Whether there is such an object.
fn exists(repository: &Repository, id: ObjectId) -> Result<bool> {
    Ok(retry::has_object(&repository.gix, id) || kind(repository, id)?.is_some())
}

/// Another user's object that this one may not read looks like none.
fn ensure_absent(repository: &Repository, id: ObjectId) -> Result<()> {
    let (directory, file) = (
        id.to_hex_with_len(2).to_string(),
        id.to_string().split_off(2),
    );
    let loose = repository
        .gix
        .objects
        .store_ref()
        .path()
        .join(directory)
        .join(file);
    optional::open(&loose).map(drop)
}

fn unreadable(id: ObjectId, error: &dyn std::fmt::Display) -> Error {
    Error::git(format!(
        "cannot read object {id}, which the lane needs: {error}"
    ))
    .with_code(Code::Unreadable)
}

/// Makes the tags that a keeper holds objects again, before anything names them, where no gc takes
/// them away.
pub fn bring_back_tags(
    repository: &Repository,
    entry: &Entry,
    scratch: &Scratch,
) -> Result<Option<KeptPack>> {
    let failed = |error: String| {
        Error::git(format!(
            "cannot bring back a tag of lane '{}': {error}",
            entry.lane.name
        ))
    };
    let tip = entry.branch.as_ref().map(|branch| branch.tip);
    let keeper = entry.keep.filter(|keep| Some(*keep) != tip);
    // A removal that dies before the ref is made leaves an object that any gc may take.
    let Some(keeper) = keeper.filter(|keeper| retry::has_object(&repository.gix, *keeper)) else {
        return Ok(None);
    };
    let read = || -> std::result::Result<_, Box<dyn std::error::Error + Send + Sync>> {
        let tree = repository.gix.find_commit(keeper)?.tree()?;
        let mut tags = Vec::new();
        for file in tree.iter() {
            let file = file?;
            let id = file
                .filename()
                .strip_suffix(TAG.as_bytes())
                .and_then(|id| ObjectId::from_hex(id).ok());
            if let Some(id) = id.filter(|_| file.mode().is_blob()) {
                tags.push((id, file.object()?.detach().data));
            }
        }
        Ok(tags)
    };
    let mut made = Vec::new();
    for (id, text) in
        retry::objects(&repository.gix, read).map_err(|error| failed(error.to_string()))?
    {
        let there = retry::has_object(&repository.gix, id);
        // A file of that name in a lane's own commit is no tag.
        let is_tag = || {
            gix::objs::compute_hash(id.kind(), gix::object::Kind::Tag, &text)
                .is_ok_and(|own| own == id)
        };
        if !there && is_tag() {
            made.push(
                scratch
                    .write(repository.gix.object_hash(), &RawTag(&text))
                    .map_err(failed)?,
            );
        }
    }
    KeptPack::of_objects(repository, scratch, &made)
}

fn write_keeper(
    scratch: &Scratch,
    hash: gix::hash::Kind,
    lane: &Lane,
    tip: Option<ObjectId>,
    kept: Kept,
) -> Result<ObjectId> {
    let failed = |error: String| {
        Error::git(format!(
            "cannot keep what lane '{}' holds: {error}",
            lane.name
        ))
    };
    let mut tree = gix::objs::Tree::empty();
    for (id, is_tree) in kept.files {
        let mode = if is_tree {
            EntryKind::Tree
        } else {
            EntryKind::Blob
        }
        .into();
        tree.entries.push(File {
            mode,
            filename: id.to_string().into(),
            oid: id,
        });
    }
    for (id, text) in kept.tags {
        let (oid, mut filename) = (
            scratch
                .write(hash, &gix::objs::Blob { data: text })
                .map_err(failed)?,
            id.to_string(),
        );
        filename.push_str(TAG);
        tree.entries.push(File {
            mode: EntryKind::Blob.into(),
            filename: filename.into(),
            oid,
        });
    }
    tree.entries.sort();
    let tree = scratch.write(hash, &tree).map_err(failed)?;
    let who = gix::actor::Signature {
        name: "git-lane".into(),
        email: "git-lane@localhost".into(),
        time: gix::date::Time::now_utc(),
    };
    let commit = gix::objs::Commit {
        tree,
        parents: tip
            .into_iter()
            .chain(kept.commits.into_iter().filter(|id| Some(*id) != tip))
            .collect(),
        author: who.clone(),
        committer: who,
        encoding: None,
        message: BStr::new(&format!("Keep what lane '{}' holds\n", lane.name)).to_owned(),
        extra_headers: Vec::new(),
    };
    scratch.write(hash, &commit).map_err(failed)
}

/// The text of a tag object.
struct RawTag<'a>(&'a [u8]);

impl gix::objs::WriteTo for RawTag<'_> {
    fn write_to(&self, out: &mut dyn std::io::Write) -> std::io::Result<()> {
        out.write_all(self.0)
    }

    fn kind(&self) -> gix::object::Kind {
        gix::object::Kind::Tag
    }

    fn size(&self) -> u64 {
        self.0.len() as u64
    }
}
