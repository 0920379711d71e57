//! Takes the uncommitted work of one worktree into another, byte for byte.
//!
//! The order keeps all of it in one of the two at every moment: [`look`] says what there is,
//! [`lay_in`] puts it into the other worktree beside what the first one still has, a last look under
//! the lock of the first one's index ([`Hold`]) proves that this is all of it, and only then
//! [`clear`] gives the first one its commit back. That takes away nothing which the other does not
//! have: where the process died, the next one does the same again.
//!
//! Called by `operations/start` and `operations/undo`.

mod clear;
mod file_copy;
mod lay_in;
pub mod work_back;

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use bstr::{BString, ByteSlice};
use serde::{Deserialize, Serialize};

use crate::domain::carried::{Moved, Piece, Refusal, Staged, Work};
use crate::domain::lane::{ObjectId, Worktree, hex, lossless_bytes, lossless_path};
use crate::engines::status;
use crate::error::{Code, Error, Result};
use crate::operations::checkout::worktree_files::is_behind_a_file;
use crate::repository::provenance::Assertions;
use crate::repository::tree_diff::changes;
use crate::repository::unrecovered::ensure_not_half_moved;
use crate::repository::{Repository, claims};
use crate::store::lockfile::LockFile;

pub use clear::{Left, Other, clear, recover};
pub use file_copy::Way;
pub use lay_in::{SCRATCH, Target, lay_in};

/// What remains where work is taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remains {
    /// The commit alone.
    Commit,
    /// The work too.
    Work,
}

/// What a worktree had that its commit has not, when it was looked at.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The worktree.
    pub site: Worktree,
    /// Its commit.
    pub head: ObjectId,
    /// What there was.
    pub work: Work,
    /// In git's words.
    records: Vec<BString>,
    /// Which files those were.
    files: Vec<Option<Identity>>,
}

/// Work that is to be carried, as it was seen and as the journal has it.
#[derive(Debug, Clone)]
pub struct Load {
    /// What was seen.
    pub seen: Seen,
    /// What the journal has.
    pub carry: Carry,
}

impl Load {
    /// How its files come into the other worktree.
    pub fn way(&self) -> Way {
        match self.carry.keep {
            true => Way::Copy,
            false => Way::SecondName,
        }
    }

    /// What is told of it.
    pub fn moved(&self) -> Moved {
        Moved {
            from: self.carry.place.clone(),
            kept: self.carry.keep,
            counts: self.seen.work.counts(),
        }
    }
}

/// Which file it is, and which content it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
    size: u64,
    mode: u32,
    modified: (i64, i64),
}

impl Identity {
    fn of(path: &Path) -> Option<Self> {
        let found = std::fs::symlink_metadata(path).ok()?;
        (!found.is_dir()).then(|| Identity {
            device: found.dev(),
            inode: found.ino(),
            size: found.size(),
            mode: found.mode(),
            modified: (found.mtime(), found.mtime_nsec()),
        })
    }
}

/// Looks at the uncommitted work of a worktree.
///
/// # Errors
/// An operation in progress, and what cannot be carried.
pub fn look(repository: &Repository, site: &Worktree) -> Result<Seen> {
    ensure_no_operation(site)?;
    let records = status::records(&repository.git, &site.path, &site.git_dir)?;
    let head =
        head_of(&records).ok_or_else(|| Error::git("cannot tell the commit of a worktree"))?;
    let mut work = Work::of(&records)?;
    tell_intents(repository, site, head, &mut work)?;
    let files = work.pieces.iter();
    let files =
        files.map(|piece| file_at(&site.path, &piece.path).and_then(|file| Identity::of(&file)));
    Ok(Seen {
        site: site.clone(),
        head,
        files: files.collect(),
        work,
        records,
    })
}

fn ensure_no_operation(site: &Worktree) -> Result<()> {
    let Some(operation) = status::operation(&site.git_dir) else {
        return Ok(());
    };
    Err(Error::refused(format!(
        "{operation} is in progress in '{}', which cannot be carried",
        site.path.display()
    ))
    .with_code(Code::OperationInProgress)
    .hint("end it first, or give it up"))
}

fn head_of(records: &[BString]) -> Option<ObjectId> {
    let mut ids = records.iter();
    let id = ids.find_map(|record| record.strip_prefix(b"# branch.oid "))?;
    ObjectId::from_hex(id).ok()
}

/// The modes of paths that are alone in the index, and which are: of one whose file is gone git says what it
/// says of an empty file of the commit.
fn tell_intents(
    repository: &Repository,
    site: &Worktree,
    head: ObjectId,
    work: &mut Work,
) -> Result<()> {
    let empty = ObjectId::empty_blob(repository.gix.object_hash());
    let is_doubtful = |piece: &&mut Piece| {
        !piece.is_staged && matches!(piece.index, Staged::Entry(_, id) if id == empty)
    };
    for piece in work.pieces.iter_mut().filter(is_doubtful) {
        let git = repository.git_here();
        if git
            .ls_tree(head, [crate::store::path(&piece.path)])?
            .is_empty()
        {
            piece.index = Staged::Intent("100644".into());
            piece.is_committed = false;
        }
    }
    for Piece { path, index, .. } in &mut work.pieces {
        if let Staged::Intent(mode) = index {
            let git = repository.git_in(site).env("GIT_OPTIONAL_LOCKS", "0");
            let entry = git.ls_files(&["--stage"], [crate::store::path(path)])?;
            let found = entry.first().and_then(|entry| entry.split_once_str(" "));
            *mode = found.map_or_else(|| mode.clone(), |(found, _)| found.into());
        }
    }
    Ok(())
}

/// The file of a path, where something that is no directory has that name and no link leads there.
fn file_at(root: &Path, path: &BString) -> Option<PathBuf> {
    let file = root.join(crate::store::path(path));
    let found = std::fs::symlink_metadata(&file).ok()?;
    (!found.is_dir() && !is_behind_a_file(root, &file)).then_some(file)
}

impl Seen {
    /// Refuses a commit in which the work would not be what it is.
    pub fn ensure_fits(&self, repository: &Repository, commit: ObjectId) -> Result<()> {
        if commit == self.head {
            return Ok(());
        }
        let changed = changes(repository, self.head, commit)?.into_iter();
        let changed: Vec<BString> = changed.map(|change| change.path).collect();
        Ok(self.work.ensure_fits(&changed)?)
    }

    /// Refuses where its files cannot be taken out of their directories.
    pub fn ensure_can_leave(&self) -> Result<()> {
        use rustix::fs::{Access, access};
        for piece in &self.work.pieces {
            let file = file_at(&self.site.path, &piece.path);
            let Some(directory) = file.as_deref().and_then(Path::parent) else {
                continue;
            };
            if access(directory, Access::WRITE_OK | Access::EXEC_OK).is_err() {
                return Err(Refusal::Unwritable(directory.to_owned()).into());
            }
        }
        Ok(())
    }

    /// With what the journal has to know.
    pub fn load(self, remains: Remains) -> Load {
        let carry = Carry {
            place: self.site.path.clone(),
            git_dir: self.site.git_dir.clone(),
            head: self.head,
            keep: remains == Remains::Work,
            clearing: false,
            paths: self.work.paths().into_iter().map(CarriedPath).collect(),
        };
        Load { seen: self, carry }
    }

    /// Refuses where the worktree is not what was seen.
    fn ensure_unchanged(&self, repository: &Repository) -> Result<()> {
        ensure_no_operation(&self.site)?;
        let now = look(repository, &self.site)?;
        if now.records == self.records && now.files == self.files {
            return Ok(());
        }
        Err(changed_meanwhile(&self.site.path))
    }

    /// Looks a last time, and keeps every git from writing the index until the work is where it is to
    /// be; `id` is that of the intent.
    pub fn hold(&self, repository: &Repository, carry: &Carry, id: &str) -> Result<Hold> {
        let lock = match carry.keep {
            true => None,
            false => {
                ensure_free(repository, &self.site)?;
                let index = self.site.git_dir.join("index");
                let mut lock = LockFile::acquire(&index, repository.lane_dir())?;
                ensure_not_half_moved(repository, &self.site)?;
                lock.belong_to(id)?;
                Some(lock)
            }
        };
        self.ensure_unchanged(repository)?;
        Ok(Hold(lock))
    }
}

fn changed_meanwhile(worktree: &Path) -> Error {
    Error::refused(format!(
        "what is in '{}' has changed meanwhile",
        worktree.display()
    ))
    .with_code(Code::Raced)
    .hint("run the command again")
}

/// Refuses a worktree that another holder has by the claim on its lane, or that is between two states.
pub fn ensure_free(repository: &Repository, site: &Worktree) -> Result<()> {
    repository
        .unrecovered
        .ensure_files_are_whole(&site.git_dir)?;
    let records = repository.records()?;
    let lane = records.lanes.iter().find(|lane| lane.worktree == site.path);
    lane.map_or(Ok(()), |lane| {
        repository.unrecovered.ensure_lane_is_whole(&lane.name)?;
        claims::ensure_not_anothers(repository, lane)
    })
}

/// The lock of the index of a worktree that work is taken from; none where it stays there too.
#[derive(Debug)]
pub struct Hold(Option<LockFile>);

impl Hold {
    /// The lock.
    pub fn lock(&self) -> Option<&LockFile> {
        self.0.as_ref()
    }

    /// Leaves it to the process that completes what this one could not.
    pub fn leave(self) {
        self.0.into_iter().for_each(LockFile::leave);
    }
}

/// Work on its way, as the journal has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Carry {
    /// The worktree that it comes from, and its git directory.
    #[serde(with = "lossless_path")]
    pub place: PathBuf,
    /// ...
    #[serde(with = "lossless_path")]
    pub git_dir: PathBuf,
    /// The commit of that worktree.
    #[serde(with = "hex")]
    pub head: ObjectId,
    /// Whether it stays there too.
    pub keep: bool,
    /// Whether it may be leaving there already.
    pub clearing: bool,
    /// Where the work is.
    pub paths: Vec<CarriedPath>,
}

/// The path of a piece of work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CarriedPath(#[serde(with = "lossless_bytes")] pub BString);

impl Carry {
    /// What must be true of it.
    pub fn asserts(&self, assertions: &mut Assertions<'_>) {
        assertions.git_dir("git directory of the work", &self.git_dir);
        let is_plain = |part: &[u8]| {
            !matches!(part, b"" | b"." | b"..") && !part.eq_ignore_ascii_case(b".git")
        };
        for CarriedPath(path) in &self.paths {
            let fits = path.split_str("/").all(is_plain) && !path.contains(&0);
            assertions.that("path of work", path, fits);
        }
    }

    /// Whether the other worktree still has nothing but what this one has, so that it can go without a
    /// loss; only as long as nothing has begun to leave.
    pub fn is_in_place_too(&self, other: &Path, path: &BString) -> bool {
        let [here, there] = [&self.place, other].map(|root| file_at(root, path));
        match (here, there) {
            _ if self.clearing || !self.has(path) => false,
            (None, None) => true,
            (Some(here), Some(there)) => file_copy::is_same(&here, &there),
            _ => false,
        }
    }

    /// Whether there is work at that path.
    pub fn has(&self, path: &BString) -> bool {
        self.paths.iter().any(|CarriedPath(own)| own == path)
    }
}
