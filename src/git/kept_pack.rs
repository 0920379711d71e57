//! A pack that no gc takes away while something is on its way to where refs, indexes and reflogs lead to it.
//!
//! git-prune(1) removes loose objects only, and git-repack(1) only packs that were there, without a `.keep`, when it began,
//! which is before it reads the refs. So the `.keep` is there before the pack and goes after the last ref has moved: a gc
//! that has read the refs before that, be it long ago or halfway, leaves the pack alone.

use std::path::{Path, PathBuf};

use crate::domain::lane::ObjectId;
use crate::error::{Error, IoContext, Result};
use crate::git::journal::step;
use crate::git::land::scratch::Scratch;
use crate::git::repository::Repository;
use crate::git::shared;

/// What the `.keep` files say that are ours.
const OURS: &[u8] = b"git-lane: this goes when the command that made it ends\n";

/// The directory in a scratch directory that names them: the next git-lane command takes those of a dead process away.
const KEEPS: &str = "keeps";

/// The `.keep` of one pack; removed when dropped.
#[derive(Debug)]
pub struct KeptPack {
    keep: PathBuf,
    note: PathBuf,
}

impl KeptPack {
    /// Packs these objects of the repository or the quarantine.
    pub fn of_objects(repository: &Repository, scratch: &Scratch, ids: &[ObjectId]) -> Result<Option<Self>> {
        if ids.is_empty() {
            return Ok(None);
        }
        Self::new(repository, scratch, &[], ids.iter().map(|id| format!("{id}\n")).collect())
    }

    /// Packs everything that `from` lead to and `beyond` do not, and that is there.
    pub fn of_history(
        repository: &Repository,
        scratch: &Scratch,
        from: &[ObjectId],
        beyond: &[ObjectId],
    ) -> Result<Option<Self>> {
        let beyond = beyond.iter().map(|id| format!("^{id}\n"));
        Self::new(
            repository,
            scratch,
            &["--revs", "--missing=allow-any"],
            from.iter().map(|id| format!("{id}\n")).chain(beyond).collect(),
        )
    }

    fn new(repository: &Repository, scratch: &Scratch, options: &[&str], input: String) -> Result<Option<Self>> {
        let made = scratch.path("packs");
        shared::create_dir_all(&made).context("create", &made)?;
        let mut git = repository.git_here();
        if repository.config("core.fsync").is_none() {
            // git does not wait for the disk with the loose objects that these would be.
            git = git.args(["-c", "core.fsync=none"]);
        }
        git = git.args([
            "-c",
            "pack.writeReverseIndex=false",
            "pack-objects",
            "-q",
            "--non-empty",
            "--threads=1",
            "--window=0",
        ]);
        let name = scratch.contain(git.args(options).arg(made.join("pack")).input(input)).text()?;
        if name.is_empty() {
            return Ok(None);
        }
        let packs = repository.gix.objects.store_ref().path().join("pack");
        shared::create_dir_all(&packs).context("create", &packs)?;
        let notes = scratch.path(KEEPS);
        shared::create_dir_all(&notes).context("create", &notes)?;
        let file = |directory: &Path, end: &str| directory.join(format!("pack-{name}.{end}"));
        let kept = KeptPack { keep: file(&packs, "keep"), note: notes.join(format!("pack-{name}.keep")) };
        shared::write(&kept.note, "").context("write", &kept.note)?;
        // A gc in between may remove the keep of a pack that is not there yet.
        for _ in 0..20 {
            shared::write(&kept.keep, OURS).context("write", &kept.keep)?;
            step("pack.keep");
            for end in ["pack", "idx"] {
                place(&file(&made, end), &file(&packs, end))?;
            }
            if kept.keep.exists() {
                step("pack.kept");
                return Ok(Some(kept));
            }
        }
        Err(Error::environment(format!("'{}' does not stay", kept.keep.display())).code("busy"))
    }
}

impl Drop for KeptPack {
    fn drop(&mut self) {
        remove(&self.keep);
        drop(std::fs::remove_file(&self.note));
    }
}

/// Links a file of a pack into place; the same pack may be there already.
fn place(from: &Path, to: &Path) -> Result<()> {
    match std::fs::hard_link(from, to) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            // No links there, or another filesystem.
            let aside = to.with_extension("lane-tmp");
            shared::copy(from, &aside).context("write", &aside)?;
            std::fs::rename(&aside, to).context("write", to)
        }
        _ => Ok(()),
    }
}

/// Removes a `.keep` that says that it is ours.
fn remove(keep: &Path) {
    let is_file = std::fs::symlink_metadata(keep).is_ok_and(|metadata| metadata.is_file());
    if is_file && std::fs::read(keep).is_ok_and(|text| text == OURS) {
        drop(std::fs::remove_file(keep));
    }
}

/// Removes the `.keep` files of the dead process whose scratch directory this was.
pub fn clean(repository: &Repository, dead: &Path) {
    let packs = repository.gix.objects.store_ref().path().join("pack");
    for note in std::fs::read_dir(dead.join(KEEPS)).into_iter().flatten().flatten() {
        remove(&packs.join(note.file_name()));
    }
}
