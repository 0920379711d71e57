//! A lane's worktree as it stands, as a commit that exists in a quarantine only.
//!
//! git itself takes the changed files in, on a copy of the index, so that filters, line endings,
//! links, modes, submodules and sparse checkouts are what they would be in a commit. Neither the
//! worktree nor its index is written.
//!
//! The forecast takes lanes in, and `operations/try_lane` what it shows.

use bstr::{BStr, BString, ByteSlice};
use gix::index::entry::{Flags, Mode};

use crate::domain::forecast::Standing;
use crate::domain::lane::{ObjectId, Worktree};
use crate::engines::history::tree_of;
use crate::engines::status::{Apart, Closeness, apart};
use crate::error::{Code, Error, Result};
use crate::operations::checkout::index_lock::Prepared;
use crate::operations::checkout::worktree_files::is_behind_a_file;
use crate::repository::Repository;
use crate::repository::quarantine::{Scratch, VARIABLES};
use crate::store::git::{Invocation, NONE};
use crate::store::journal::unique_id;
use crate::store::{parallel, retry};

/// What becomes of the commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// It is looked at, and nothing of it stays.
    Foretold,
    /// It is checked out: what a filter stores beside git's objects is needed for that, and files count
    /// that git is told not to look at.
    Shown,
    /// It would be.
    Rehearsed,
}

/// What is committed.
pub(super) fn committed(repository: &Repository, tip: ObjectId) -> Result<Standing> {
    Ok(Standing {
        tip,
        commit: tip,
        tree: tree_of(&repository.gix, tip)?,
    })
}

/// What is in the worktree, uncommitted and untracked files with it; ignored ones are not.
pub(in crate::operations) fn uncommitted(
    repository: &Repository,
    scratch: &Scratch,
    worktree: &Worktree,
    tip: ObjectId,
    purpose: Purpose,
) -> Result<Standing> {
    let taking = Taking::prepare(repository, scratch, worktree, (tip, purpose), None)?;
    let tip = taking.tip;
    standing(repository, scratch, tip, taking.run()?)
}

/// How a lane stands whose files make that tree.
pub(in crate::operations) fn standing(
    repository: &Repository,
    scratch: &Scratch,
    tip: ObjectId,
    tree: ObjectId,
) -> Result<Standing> {
    let clean = committed(repository, tip)?;
    if tree == clean.tree {
        return Ok(clean);
    }
    let commit = commit(repository, scratch, tip, tree)?;
    Ok(Standing { tip, commit, tree })
}

/// The gits that make a tree of a worktree, ready to run beside those of others.
pub(in crate::operations) struct Taking {
    pub(super) tip: ObjectId,
    steps: Vec<Step>,
    tree: Invocation,
    #[allow(dead_code, reason = "there until the tree is made")]
    copy: Prepared,
}

type Step = Box<dyn FnOnce() -> Result<()> + Send>;

impl Taking {
    /// Of the worktree of a lane at `tip`; `found` is what is known to differ from its index.
    pub(in crate::operations) fn prepare(
        repository: &Repository,
        scratch: &Scratch,
        worktree: &Worktree,
        (tip, purpose): (ObjectId, Purpose),
        found: Option<Apart>,
    ) -> Result<Self> {
        let own = worktree.git_dir.join("index");
        let copy = Prepared::copy(&own, scratch.path(&format!("index-{}", unique_id())))?;
        let git = || on_copy(repository, scratch, worktree, &copy, purpose);
        if purpose != Purpose::Foretold {
            look_at_all(repository, worktree, &git)?;
        }
        let (gone, changed) = changed(repository, worktree, found, &git)?;
        let mut steps: Vec<Step> = Vec::new();
        if !gone.is_empty() {
            let git = git();
            steps.push(Box::new(move || git.update_index(false, gone)));
        }
        if !changed.is_empty() {
            let git = git();
            steps.push(Box::new(move || git.take_in_files(changed)));
        }
        Ok(Taking {
            tip,
            steps,
            tree: git(),
            copy,
        })
    }

    /// The tree.
    pub(in crate::operations) fn run(self) -> Result<ObjectId> {
        self.steps.into_iter().try_for_each(|step| step())?;
        self.tree.write_tree()
    }
}

/// The tree of each, by as many at once as there are cores; what cannot be made stops none of the
/// others.
pub(super) fn run_all(takings: Vec<Taking>) -> Vec<Result<ObjectId>> {
    let trees = parallel::consume(takings, Taking::run).into_iter();
    let lost = || Err(Error::git("cannot read what is not committed"));
    trees.map(|tree| tree.unwrap_or_else(lost)).collect()
}

fn on_copy(
    repository: &Repository,
    scratch: &Scratch,
    worktree: &Worktree,
    copy: &Prepared,
    purpose: Purpose,
) -> Invocation {
    let git = scratch
        .contain(repository.git_in(worktree))
        // Half of a split index would go beside the lane's own.
        .with("core.splitIndex", "false")
        .with("core.fsmonitor", "false");
    // git-lfs stores what it cleans.
    let git = match purpose {
        Purpose::Shown => git,
        Purpose::Foretold | Purpose::Rehearsed => {
            git.with_for_programs("lfs.storage", &scratch.path("lfs").display().to_string())
        }
    };
    git.on_own_index(&repository.gix, &copy.path)
        .hiding(&repository.gix, &format!("GIT_INDEX_FILE {VARIABLES}"))
}

/// Has git look, by the copy of the index, at files that it is told to believe unchanged; and at those
/// to skip that are there, as a sparse checkout leaves out what is not.
fn look_at_all(
    repository: &Repository,
    worktree: &Worktree,
    git: &impl Fn() -> Invocation,
) -> Result<()> {
    let (path, hash) = (worktree.git_dir.join("index"), repository.gix.object_hash());
    let Ok(index) = gix::index::File::at(path, hash, true, Default::default()) else {
        return Ok(());
    };
    let is_there = |path: &BStr| {
        let file = worktree.path.join(crate::store::path(path));
        std::fs::symlink_metadata(file).is_ok()
    };
    let flagged = |flag: Flags, counts: &dyn Fn(&BStr) -> bool| -> Vec<u8> {
        let entries = index.entries().iter();
        let paths = entries
            .filter(|entry| entry.flags.contains(flag) && entry.mode != Mode::DIR)
            .map(|entry| entry.path(&index))
            .filter(|path| counts(path));
        paths
            .flat_map(|path| [path.as_bytes(), b"\0"].concat())
            .collect()
    };
    let assumed = flagged(Flags::ASSUME_VALID, &|_| true);
    let skipped = flagged(Flags::SKIP_WORKTREE, &is_there);
    for (word, paths) in [("assume-unchanged", assumed), ("skip-worktree", skipped)] {
        if !paths.is_empty() {
            git().unflag(word, paths)?;
        }
    }
    Ok(())
}

/// What differs from the index: entries that take out what a link stands in the way of, and the paths
/// that may have changed, a NUL after each.
fn changed(
    repository: &Repository,
    worktree: &Worktree,
    found: Option<Apart>,
    git: &impl Fn() -> Invocation,
) -> Result<(Vec<u8>, Vec<u8>)> {
    let found = match found {
        Some(found) => Some(found),
        None => apart(
            &repository.gix,
            &repository.git,
            (worktree.path.as_path(), worktree.git_dir.as_path()),
            &worktree.git_dir.join("index"),
            Closeness::Content,
        )?,
    };
    let mut paths = match found {
        Some(found) => {
            if let Some(closed) = found.closed.first() {
                return Err(unreadable(closed.as_bstr()));
            }
            // git names what is in new directories.
            let directories = found.untracked.iter().any(|path| path.ends_with(b"/"));
            match found.obstacles.is_empty() && !directories {
                true => [found.changed, files(worktree, found.untracked)].concat(),
                false => listed(git)?,
            }
        }
        None => listed(git)?,
    };
    paths.extend(submodules(repository, worktree));
    // A repository in the worktree that is no submodule is none of the lane's.
    paths.retain(|path| !path.ends_with(b"/"));
    // A file that is a directory by now goes before what is in there comes.
    paths.sort();
    let file = |path: &BString| worktree.path.join(crate::store::path(path));
    let (gone, there): (Vec<BString>, Vec<BString>) = paths
        .into_iter()
        .partition(|path| is_behind_a_file(&worktree.path, &file(path)));
    let nothing = ObjectId::null(repository.gix.object_hash());
    let out = |path: &BString| [format!("0 {nothing}\t").as_bytes(), path, b"\0"].concat();
    let end = |path: &BString| [path.as_slice(), b"\0"].concat();
    Ok((
        gone.iter().flat_map(out).collect(),
        there.iter().flat_map(end).collect(),
    ))
}

/// Those that git can have: no pipes, sockets or devices.
fn files(worktree: &Worktree, mut paths: Vec<BString>) -> Vec<BString> {
    paths.retain(|path| {
        let found = std::fs::symlink_metadata(worktree.path.join(crate::store::path(path)));
        found.map_or(true, |found| {
            let kind = found.file_type();
            kind.is_file() || kind.is_symlink() || kind.is_dir()
        })
    });
    paths
}

/// The same as git lists them.
fn listed(git: &impl Fn() -> Invocation) -> Result<Vec<BString>> {
    let options = ["--modified", "--deleted", "--others", "--exclude-standard"];
    git().ls_files(&options, NONE)
}

/// Submodules, which may be at another commit than the index says.
fn submodules(repository: &Repository, worktree: &Worktree) -> Vec<BString> {
    let (path, hash) = (worktree.git_dir.join("index"), repository.gix.object_hash());
    let Ok(index) = gix::index::File::at(path, hash, true, Default::default()) else {
        return Vec::new();
    };
    let entries = index.entries().iter();
    let submodules = entries.filter(|entry| entry.mode == Mode::COMMIT);
    submodules
        .map(|entry| entry.path(&index).to_owned())
        .collect()
}

/// A commit of that tree on top of the lane's, the same for the same.
fn commit(
    repository: &Repository,
    scratch: &Scratch,
    tip: ObjectId,
    tree: ObjectId,
) -> Result<ObjectId> {
    let time = || repository.gix.find_commit(tip)?.time();
    let time = retry::objects(&repository.gix, time);
    let who = gix::actor::Signature {
        name: "git-lane".into(),
        email: "git-lane@localhost".into(),
        time: time.unwrap_or_default(),
    };
    let commit = gix::objs::Commit {
        tree,
        parents: [tip].into_iter().collect(),
        author: who.clone(),
        committer: who,
        encoding: None,
        message: "What is not committed\n".into(),
        extra_headers: Vec::new(),
    };
    scratch
        .write(repository.gix.object_hash(), &commit)
        .map_err(|error| Error::environment(format!("cannot write a commit: {error}")))
}

fn unreadable(path: &BStr) -> Error {
    Error::environment(format!("'{path}' cannot be read")).with_code(Code::Unreadable)
}
