//! What only a removed lane can reach, and the one object that keeps all of it from gc.
//!
//! An ordinary lane needs its tip and nothing else. Where the admin directory or the branch's reflog names commits the
//! tip does not reach (amended or detached ones, an operation in progress) or the index holds objects no commit has, a
//! keeper commit is written: those commits are its parents, those blobs and trees its files.

use std::collections::BTreeSet;
use std::path::Path;

use bstr::{BStr, ByteSlice};
use gix::objs::tree::{Entry, EntryKind};

use crate::domain::lane::{Head, Lane, ObjectId};
use crate::domain::name::BranchName;
use crate::error::{Error, Result};
use crate::git::command::Invocation;
use crate::git::repository::{RefFormat, Repository};
use crate::git::{shared, steady};

/// A reflog or a todo list longer than this is somebody's accident.
const LARGEST_FILE: u64 = 64 << 20;

/// How many commits of the lane to look at before an id is kept although the tip may reach it.
const MOST_COMMITS: usize = 10_000;

/// Files of the admin directory that name no object, or that the index part covers.
const NO_IDS: [&str; 8] = ["index", "gitdir", "commondir", "locked", "modules", "reftable", "config.worktree", "lfs"];

/// The object to keep: the tip where that is enough, a keeper commit where it is not; `None` for a lane without any
/// commit. `branch` goes with the lane, and its reflog with it; `git` starts a git in the worktree, for what only git can
/// read.
pub fn keeper(
    repository: &Repository,
    lane: &Lane,
    tip: Option<ObjectId>,
    branch: Option<&BranchName>,
    admin: Option<(&Path, &Head)>,
    git: impl Fn() -> Invocation,
) -> Result<Option<ObjectId>> {
    let mut named = BTreeSet::new();
    if let Some(branch) = branch {
        ids_of_branch(repository, branch, &git, &mut named)?;
    }
    if let Some((admin, _)) = admin {
        ids_below(repository, admin, true, &mut named)?;
        if repository.ref_format() == RefFormat::Reftable {
            ids_by_git(&git, &mut named)?;
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
    if !named.is_empty() {
        forget_reachable(repository, main, lane.fork_point, &mut named);
    }
    let mut parents: BTreeSet<ObjectId> = BTreeSet::new();
    let mut files: BTreeSet<(ObjectId, bool)> = BTreeSet::new();
    for id in named {
        let Ok(header) = steady::objects(&repository.gix, || repository.gix.find_header(id)) else { continue };
        match header.kind() {
            gix::object::Kind::Commit => drop(parents.insert(id)),
            gix::object::Kind::Blob => drop(files.insert((id, false))),
            gix::object::Kind::Tree => drop(files.insert((id, true))),
            gix::object::Kind::Tag => {
                let peel = || repository.gix.find_object(id)?.peel_to_commit();
                parents.extend(steady::objects(&repository.gix, peel).map(|commit| commit.id));
            }
        }
    }
    if let Some((admin, _)) = admin {
        staged(repository, &admin.join("index"), main, &git, &mut files)?;
    }
    if parents.is_empty() && files.is_empty() {
        return Ok(main);
    }
    write_keeper(repository, lane, main, parents, files).map(Some)
}

/// Every object id in the files below `directory`, abbreviated ones in todo lists included.
fn ids_below(repository: &Repository, directory: &Path, top: bool, ids: &mut BTreeSet<ObjectId>) -> Result<()> {
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if top && (NO_IDS.contains(&&*name) || name.starts_with("sharedindex.")) {
            continue;
        }
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            ids_below(repository, &entry.path(), false, ids)?;
        } else if kind.is_file() && entry.metadata().is_ok_and(|metadata| metadata.len() <= LARGEST_FILE) {
            let todo = !top && ["todo", "done", "backup"].iter().any(|end| name.ends_with(end));
            ids_in(repository, &std::fs::read(entry.path()).unwrap_or_default(), todo, ids);
        }
    }
    Ok(())
}

fn ids_in(repository: &Repository, text: &[u8], todo: bool, ids: &mut BTreeSet<ObjectId>) {
    let length = repository.gix.object_hash().len_in_hex();
    for word in text.split(|byte| !byte.is_ascii_alphanumeric()) {
        if word.len() == length {
            ids.extend(ObjectId::from_hex(word).ok());
        } else if todo && (4..length).contains(&word.len()) && word.iter().all(u8::is_ascii_hexdigit) {
            let found = gix::hash::Prefix::from_hex(&word.to_str_lossy())
                .ok()
                .and_then(|prefix| repository.gix.objects.lookup_prefix(prefix, None).ok().flatten());
            ids.extend(found.and_then(Result::ok));
        }
    }
}

/// Per-worktree refs, pseudo refs and HEAD's reflog where refs are a reftable.
fn ids_by_git(git: &impl Fn() -> Invocation, ids: &mut BTreeSet<ObjectId>) -> Result<()> {
    let refs = git().args(["for-each-ref", "--include-root-refs", "--format=%(objectname) %(refname)"]).output()?;
    for line in refs.stdout.lines() {
        let Some((id, name)) = line.split_once_str(" ") else { continue };
        let per_worktree = ["refs/bisect/", "refs/worktree/", "refs/rewritten/"];
        if !name.starts_with(b"refs/") || per_worktree.iter().any(|prefix| name.starts_with(prefix.as_bytes())) {
            ids.extend(ObjectId::from_hex(id).ok());
        }
    }
    let log = git().args(["log", "--walk-reflogs", "--format=%H", "HEAD", "--"]).output()?;
    ids.extend(log.stdout.lines().filter_map(|line| ObjectId::from_hex(line).ok()));
    Ok(())
}

/// What only the branch's reflog names: an older worktree's amended commits, a reset.
fn ids_of_branch(
    repository: &Repository,
    branch: &BranchName,
    git: &impl Fn() -> Invocation,
    ids: &mut BTreeSet<ObjectId>,
) -> Result<()> {
    if let Some(log) = crate::git::retire::reflog_path(repository, branch) {
        if std::fs::metadata(&log).is_ok_and(|metadata| metadata.len() <= LARGEST_FILE) {
            ids_in(repository, &std::fs::read(&log).unwrap_or_default(), false, ids);
        }
        return Ok(());
    }
    let log = git().args(["log", "--walk-reflogs", "--format=%H"]).bytes(branch.to_ref()).arg("--").output()?;
    ids.extend(log.stdout.lines().filter_map(|line| ObjectId::from_hex(line).ok()));
    Ok(())
}

/// Takes out of `ids` what `tip` reaches since `fork_point`. What is left over by the bound is kept: that only costs a
/// parent more.
fn forget_reachable(
    repository: &Repository,
    tip: Option<ObjectId>,
    fork_point: ObjectId,
    ids: &mut BTreeSet<ObjectId>,
) {
    let Some(tip) = tip else { return };
    let hidden = steady::has_object(&repository.gix, fork_point).then_some(fork_point);
    let Ok(walk) = repository.gix.rev_walk([tip]).with_hidden(hidden).all() else { return };
    for commit in walk.take(MOST_COMMITS) {
        match commit {
            Ok(commit) if !ids.is_empty() => drop(ids.remove(&commit.id)),
            _ => return,
        }
    }
}

/// What the index holds and the commit's tree does not: staged blobs, unmerged stages, trees of the cache.
fn staged(
    repository: &Repository,
    index: &Path,
    commit: Option<ObjectId>,
    git: &impl Fn() -> Invocation,
    files: &mut BTreeSet<(ObjectId, bool)>,
) -> Result<()> {
    if !index.exists() {
        return Ok(());
    }
    let tree_of = |commit| repository.gix.find_commit(commit)?.tree_id().map(|id| id.detach());
    let tree = commit.and_then(|commit| steady::objects(&repository.gix, || tree_of(commit)).ok());
    let tree = tree.unwrap_or_else(|| repository.gix.empty_tree().id);
    let options = gix::index::decode::Options::default();
    let opened = gix::index::File::at(index, repository.gix.object_hash(), true, options);
    let mut add = |id: ObjectId, is_tree: bool| {
        if steady::has_object(&repository.gix, id) {
            files.insert((id, is_tree));
        }
    };
    let Ok(index) = opened else { return staged_by_git(git, &mut add) };
    if let Some(cache) = index.tree() {
        let unmerged = index.entries().iter().any(|entry| entry.stage_raw() != 0);
        let plain = !unmerged && index.resolve_undo().is_none();
        if cache.num_entries.is_some() && cache.id == tree && plain {
            return Ok(());
        }
        cached_trees(repository, cache, Some(tree), &mut add);
    }
    if index.resolve_undo().is_some() || index.is_sparse() {
        return staged_by_git(git, &mut add);
    }
    for entry in index.entries().iter().filter(|entry| entry.stage_raw() != 0) {
        if entry.mode != gix::index::entry::Mode::COMMIT {
            add(entry.id, false);
        }
    }
    let compared = repository.gix.tree_index_status(
        &tree,
        &index,
        None,
        gix::status::tree_index::TrackRenames::Disabled,
        |change, _, _| {
            let (_, _, mode, id) = change.fields();
            let gone = matches!(change, gix::diff::index::ChangeRef::Deletion { .. });
            if !gone && mode != gix::index::entry::Mode::COMMIT {
                add(id.to_owned(), mode == gix::index::entry::Mode::DIR);
            }
            Ok(std::ops::ControlFlow::Continue(()))
        },
    );
    if compared.is_err() {
        // Somebody's damaged or unusual index; keep all of it.
        for entry in index.entries().iter().filter(|entry| entry.mode != gix::index::entry::Mode::COMMIT) {
            add(entry.id, entry.mode == gix::index::entry::Mode::DIR);
        }
    }
    Ok(())
}

/// The trees a cache-tree promises, where they are not those of the commit: `git fsck` looks for them.
fn cached_trees(
    repository: &Repository,
    cached: &gix::index::extension::Tree,
    committed: Option<ObjectId>,
    add: &mut impl FnMut(ObjectId, bool),
) {
    if cached.num_entries.is_some() {
        if Some(cached.id) != committed {
            add(cached.id, true);
        }
        return;
    }
    let tree = committed.and_then(|id| repository.gix.find_tree(id).ok());
    for child in &cached.children {
        let same = tree.as_ref().and_then(|tree| tree.find_entry(&*child.name));
        let committed = same.filter(|entry| entry.mode().is_tree()).map(|entry| entry.object_id());
        cached_trees(repository, child, committed, add);
    }
}

/// Everything in an index that gix does not read in full: sparse ones, resolved conflicts.
fn staged_by_git(git: &impl Fn() -> Invocation, add: &mut impl FnMut(ObjectId, bool)) -> Result<()> {
    for mode in ["--stage", "--resolve-undo"] {
        let listed = git().args(["ls-files", mode, "-z", "--full-name"]).stdout()?;
        for record in listed.split(|byte| *byte == 0) {
            let mut fields = record.split(|byte| *byte == b' ');
            if let (Some(mode), Some(id)) = (fields.next(), fields.next())
                && mode != b"160000"
                && let Ok(id) = ObjectId::from_hex(id)
            {
                add(id, false);
            }
        }
    }
    Ok(())
}

fn write_keeper(
    repository: &Repository,
    lane: &Lane,
    tip: Option<ObjectId>,
    others: BTreeSet<ObjectId>,
    files: BTreeSet<(ObjectId, bool)>,
) -> Result<ObjectId> {
    let failed = |error: String| Error::git(format!("cannot keep what lane '{}' holds: {error}", lane.name));
    let mut tree = gix::objs::Tree::empty();
    for (id, is_tree) in files {
        let mode = if is_tree { EntryKind::Tree } else { EntryKind::Blob }.into();
        tree.entries.push(Entry { mode, filename: id.to_string().into(), oid: id });
    }
    tree.entries.sort();
    let tree = write(repository, &tree).map_err(failed)?;
    let who = gix::actor::Signature {
        name: "git-lane".into(),
        email: "git-lane@localhost".into(),
        time: gix::date::Time::now_utc(),
    };
    let commit = gix::objs::Commit {
        tree,
        parents: tip.into_iter().chain(others.into_iter().filter(|id| Some(*id) != tip)).collect(),
        author: who.clone(),
        committer: who,
        encoding: None,
        message: BStr::new(&format!("Keep what lane '{}' holds\n", lane.name)).to_owned(),
        extra_headers: Vec::new(),
    };
    write(repository, &commit).map_err(failed)
}

/// Writes an object into a directory that gc removes whenever it is empty.
fn write(repository: &Repository, object: &impl gix::objs::WriteTo) -> Result<ObjectId, String> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        match repository.gix.write_object(object) {
            Ok(id) => {
                let shared = shared::adjust_object(repository.gix.objects.store_ref().path(), &id);
                return shared.map_err(|error| error.to_string()).map(|()| id.detach());
            }
            Err(error) if attempts == 20 => return Err(error.to_string()),
            Err(_) => {}
        }
    }
}
