//! Which commits and tags of a repository in a lane no remote of it has.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use bstr::{BString, ByteSlice};

use super::at;
use crate::domain::lane::{Head, ObjectId};
use crate::domain::submodule::Kind;
use crate::error::{Error, Result};
use crate::repository::worktree;
use crate::store::git::{Git, NONE};
use crate::store::optional;

/// How refs are asked for: id, type, the commit of an annotated tag, name.
pub(super) const FIELDS: [&str; 4] = ["objectname", "objecttype", "*objectname", "refname"];

/// What is said of one.
pub(super) type Row = [BString; 4];

/// Where else what a repository has may be.
pub(super) trait Elsewhere {
    /// The refs of another clone of the same, as [`FIELDS`] asks for them.
    fn refs(&self) -> Vec<Row>;
    /// The remotes that leave with the lane too: what they have is nowhere else.
    fn leaving_remotes(&self) -> Result<Vec<BString>>;
}

/// One ref.
struct Ref {
    name: BString,
    id: ObjectId,
    /// The commit it leads to, where it does.
    commit: Option<ObjectId>,
}

impl Ref {
    /// Whether it says what that remote had.
    fn is_of(&self, remote: &BString) -> bool {
        let rest = self
            .name
            .strip_prefix(b"refs/remotes/")
            .and_then(|rest| rest.strip_prefix(remote.as_slice()));
        rest.is_some_and(|rest| rest.starts_with(b"/"))
    }
}

/// Notes what only this repository has.
pub(super) fn own(
    git: &Git,
    git_dir: &Path,
    elsewhere: &dyn Elsewhere,
    note: &mut dyn FnMut(Kind, usize),
) -> Result<()> {
    let refs = parse(at(git, git_dir).for_each_readable_ref(FIELDS)?)?;
    let of = |prefix: &'static str| {
        refs.iter()
            .filter(move |found| found.name.starts_with(prefix.as_bytes()))
    };
    let leaving = elsewhere.leaving_remotes()?;
    let (others, cloned) = (
        parse(elsewhere.refs())?,
        if leaving.is_empty() {
            cloned(git_dir)?
        } else {
            BTreeMap::new()
        },
    );
    let leaves = |found: &&Ref| leaving.iter().any(|remote| found.is_of(remote));
    let head = detached(git, git_dir)?;
    let mut tips: BTreeSet<ObjectId> = head.into_iter().collect();
    tips.extend(refs.iter().filter_map(|found| found.commit));
    let came = |found: &&Ref| cloned.get(&found.name) == Some(&found.id);
    let remote = of("refs/remotes/")
        .filter(|found| !leaves(found))
        .chain(of("refs/tags/").filter(came));
    let mut known: BTreeSet<ObjectId> = remote.filter_map(|found| found.commit).collect();
    known.extend(
        others
            .iter()
            .filter_map(|found| found.commit)
            .filter(|commit| tips.contains(commit)),
    );
    let unpublished = beyond(git, git_dir, &tips, &known, false)?;
    let alone = |found: &&Ref| {
        found
            .commit
            .is_none_or(|commit| unpublished.contains(&commit))
    };

    note(Kind::Branch, of("refs/heads/").filter(alone).count());
    note(
        Kind::Detached,
        head.iter().filter(|id| unpublished.contains(*id)).count(),
    );
    if refs.iter().any(|found| found.name == "refs/stash") {
        note(Kind::Stash, stashes(git, git_dir)?);
    }
    let is_there = |tag: &&Ref| {
        others
            .iter()
            .any(|other| other.name == tag.name && other.id == tag.id)
    };
    note(
        Kind::Tag,
        of("refs/tags/")
            .filter(|tag| !came(tag) && !is_there(tag))
            .count(),
    );
    let named = ["refs/heads/", "refs/remotes/", "refs/tags/", "refs/stash"];
    let other = refs.iter().filter(|found| {
        !named
            .iter()
            .any(|prefix| found.name.starts_with(prefix.as_bytes()))
    });
    note(Kind::Ref, other.filter(alone).count());

    let reached: BTreeSet<ObjectId> = known.union(&tips).copied().collect();
    let mut left = visited(git, git_dir)?;
    left.retain(|id| !reached.contains(id));
    note(
        Kind::Left,
        beyond(git, git_dir, &left, &reached, true)?.len(),
    );
    Ok(())
}

fn parse(listed: Vec<Row>) -> Result<Vec<Ref>> {
    let malformed = || Error::git("git for-each-ref answers in a form git-lane does not know");
    let read = |[id, kind, peeled, name]: Row| {
        let id = ObjectId::from_hex(&id).map_err(|_| malformed())?;
        let commit = if kind == b"commit" { Some(id) } else { None };
        // A tag of a tag, a tree or a blob is nothing to walk from.
        let commit = commit.or_else(|| ObjectId::from_hex(&peeled).ok());
        Ok(Ref { name, id, commit })
    };
    listed.into_iter().map(read).collect()
}

/// Whether HEAD is at a commit that no ref reaches, for a worktree whose repository stays.
pub(super) fn is_off_refs(git: &Git, git_dir: &Path) -> Result<bool> {
    let Some(head) = detached(git, git_dir)? else {
        return Ok(false);
    };
    let head = head.to_string();
    let which = [
        "--max-count=1",
        &head,
        "--not",
        "--branches",
        "--tags",
        "--remotes",
    ];
    Ok(!at(git, git_dir).rev_list(which, NONE)?.is_empty())
}

/// The commit of a detached HEAD.
fn detached(git: &Git, git_dir: &Path) -> Result<Option<ObjectId>> {
    let text = optional::read(&git_dir.join("HEAD"))?;
    let text = text.ok_or_else(|| Error::git(format!("'{}' has no HEAD", git_dir.display())))?;
    match worktree::parse_head(text.as_bstr()) {
        Head::Detached(id) => Ok(Some(id)),
        _ if git_dir.join("reftable").exists() => at(git, git_dir).rev_parse("HEAD"),
        _ => Ok(None),
    }
}

/// Those of `tips` that `known` does not reach. `lenient` passes over ids whose object is gone: a
/// reflog outlives them.
fn beyond(
    git: &Git,
    git_dir: &Path,
    tips: &BTreeSet<ObjectId>,
    known: &BTreeSet<ObjectId>,
    lenient: bool,
) -> Result<BTreeSet<ObjectId>> {
    let asked: Vec<&ObjectId> = tips.difference(known).collect();
    if asked.is_empty() {
        return Ok(BTreeSet::new());
    }
    let names = asked.iter().map(|id| id.to_string());
    let names = names.chain(known.iter().map(|id| format!("^{id}")));
    let options: &[&str] = match lenient {
        true => &["--ignore-missing", "--stdin"],
        false => &["--stdin"],
    };
    let walked: BTreeSet<ObjectId> = at(git, git_dir)
        .rev_list(options, names)?
        .into_iter()
        .collect();
    Ok(tips
        .difference(known)
        .filter(|id| walked.contains(*id))
        .copied()
        .collect())
}

fn stashes(git: &Git, git_dir: &Path) -> Result<usize> {
    let listed = at(git, git_dir).reflog("refs/stash", "%H", None)?;
    Ok(listed.len().max(1))
}

/// The commits HEAD was at, and that branches were at, by their reflogs.
fn visited(git: &Git, git_dir: &Path) -> Result<BTreeSet<ObjectId>> {
    if git_dir.join("reftable").exists() {
        let log = at(git, git_dir).reflog("HEAD", "%H", None)?;
        let id = |line: &BString| ObjectId::from_hex(line).ok();
        return Ok(log.iter().filter_map(id).collect());
    }
    let log = optional::read(&git_dir.join("logs/HEAD"))?.unwrap_or_default();
    let ids = |line: &[u8]| {
        line.split(|byte| *byte == b' ')
            .take(2)
            .filter_map(|id| ObjectId::from_hex(id).ok())
            .collect()
    };
    let ids: BTreeSet<ObjectId> = log
        .lines()
        .flat_map(|line| -> Vec<ObjectId> { ids(line) })
        .collect();
    Ok(ids.into_iter().filter(|id| !id.is_null()).collect())
}

/// The refs that `git clone` wrote: it packs what it fetches before HEAD gets its reflog, and a git
/// that packs refs again makes the file anew. Nothing is known where the filesystem does not say
/// when a file was made, and of a copy: whether a tag was fetched later, or made here, nothing
/// tells.
fn cloned(git_dir: &Path) -> Result<BTreeMap<BString, ObjectId>> {
    let packed = git_dir.join("packed-refs");
    let (Some(file), Some(log)) = (
        optional::metadata(&packed)?,
        optional::metadata(&git_dir.join("logs/HEAD"))?,
    ) else {
        return Ok(BTreeMap::new());
    };
    let untouched = match (file.created(), file.modified(), log.created()) {
        (Ok(made), Ok(written), Ok(first)) => made <= written && made <= first && written <= first,
        _ => false,
    };
    if !untouched {
        return Ok(BTreeMap::new());
    }
    let text = optional::read(&packed)?.unwrap_or_default();
    let read = |line: &[u8]| {
        let (id, name) = line.split_once_str(" ")?;
        Some((BString::from(name), ObjectId::from_hex(id).ok()?))
    };
    Ok(text.lines().filter_map(read).collect())
}
