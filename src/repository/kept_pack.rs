//! A pack that no gc takes away while something is on its way to where refs, indexes and reflogs
//! lead to it.
//!
//! git-prune(1) removes loose objects only, and git-repack(1) only packs that were there, without a
//! `.keep`, when it began, which is before it reads the refs. So the `.keep` is there before the
//! pack and goes after the last ref has moved: a gc that has read the refs before that, be it long
//! ago or halfway, leaves the pack alone.

use std::path::{Path, PathBuf};

use crate::domain::lane::ObjectId;
use crate::error::{Code, Error, IoContext, Result};
use crate::repository::Repository;
use crate::repository::quarantine::Scratch;
use crate::store::entries;
use crate::store::journal::{step, unique_id};
use crate::store::lane_files;
use crate::store::permissions::Shared;
use crate::store::scratch;

/// What the `.keep` files say that are ours.
const OURS: &[u8] = b"git-lane: this goes when the command that made it ends\n";

/// The directory in a scratch directory that names them: the next git-lane command takes those of a
/// dead process away.
const KEEPS: &str = "keeps";

/// The `.keep` of one pack; removed when dropped.
#[derive(Debug)]
pub struct KeptPack {
    keep: PathBuf,
    note: PathBuf,
}

impl KeptPack {
    /// Packs these objects of the repository or the quarantine.
    pub fn of_objects(
        repository: &Repository,
        scratch: &Scratch,
        ids: &[ObjectId],
    ) -> Result<Option<Self>> {
        if ids.is_empty() {
            return Ok(None);
        }
        Self::new(
            repository,
            scratch,
            &[],
            ids.iter().map(|id| format!("{id}\n")).collect(),
        )
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
            from.iter()
                .map(|id| format!("{id}\n"))
                .chain(beyond)
                .collect(),
        )
    }

    fn new(
        repository: &Repository,
        scratch: &Scratch,
        options: &[&str],
        input: String,
    ) -> Result<Option<Self>> {
        let made = scratch.path("packs");
        repository
            .shared()
            .create_dir_all(&made)
            .context("create", &made)?;
        let mut git = repository.git_here();
        if repository.config("core.fsync").is_none() {
            // git does not wait for the disk with the loose objects that these would be.
            git = git.with("core.fsync", "none");
        }
        let git = scratch.contain(git);
        let own = git.pack_objects(options, &made.join("pack"), input)?;
        if own.is_empty() {
            return Ok(None);
        }
        let packs = packs(repository);
        repository
            .shared()
            .create_dir_all(&packs)
            .context("create", &packs)?;
        let notes = scratch.path(KEEPS);
        repository
            .shared()
            .create_dir_all(&notes)
            .context("create", &notes)?;
        let file =
            |directory: &Path, name: &str, end: &str| directory.join(format!("pack-{name}.{end}"));
        for _ in 0..20 {
            // A gc that has seen a pack without its keep may take it away although the keep comes
            // back: what the gc packs anew, it packs without what a kept pack has. So no pack is
            // kept under a name that was there before.
            let name = unlike_any(repository, &own)?;
            let kept = KeptPack {
                keep: file(&packs, &name, "keep"),
                note: notes.join(format!("pack-{name}.keep")),
            };
            repository
                .shared()
                .write(&kept.note, "")
                .context("write", &kept.note)?;
            repository
                .shared()
                .write(&kept.keep, OURS)
                .context("write", &kept.keep)?;
            step("pack.keep");
            for end in ["pack", "idx"] {
                place(
                    repository.shared(),
                    &file(&made, &own, end),
                    &file(&packs, &name, end),
                )?;
            }
            if kept.keep.exists() {
                step("pack.kept");
                return Ok(Some(kept));
            }
        }
        Err(
            Error::environment(format!("no pack stays in '{}'", packs.display()))
                .with_code(Code::Busy),
        )
    }
}

impl Drop for KeptPack {
    fn drop(&mut self) {
        remove(&self.keep);
        if self.keep.exists() {
            // A disk that fails once may not fail again, and nothing else would take it away.
            remove(&self.keep);
        }
        drop(std::fs::remove_file(&self.note));
    }
}

/// A name for a copy of the pack called `own`, of the length that git looks for.
fn unlike_any(repository: &Repository, own: &str) -> Result<String> {
    let salted = format!("{own} {}", unique_id());
    let id = gix::objs::compute_hash(
        repository.gix.object_hash(),
        gix::object::Kind::Blob,
        salted.as_bytes(),
    );
    let id = id.map_err(|error| Error::environment("cannot name a pack").caused_by(error))?;
    Ok(id.to_string())
}

/// Links a file of a pack into place, or copies it where there are no links and on another
/// filesystem.
fn place(shared: Shared, from: &Path, to: &Path) -> Result<()> {
    if std::fs::hard_link(from, to).is_ok() {
        return Ok(());
    }
    let aside = to.with_extension("lane-tmp");
    shared.copy(from, &aside).context("write", &aside)?;
    std::fs::rename(&aside, to).context("write", to)
}

/// Whether a `.keep` says that it is ours.
fn is_ours(keep: &Path) -> bool {
    let is_file = std::fs::symlink_metadata(keep).is_ok_and(|metadata| metadata.is_file());
    is_file && std::fs::read(keep).is_ok_and(|text| text == OURS)
}

fn remove(keep: &Path) {
    if is_ours(keep) {
        drop(std::fs::remove_file(keep));
    }
}

fn packs(repository: &Repository) -> PathBuf {
    repository.gix.objects.store_ref().path().join("pack")
}

/// A `.keep` whose process is dead.
#[derive(Debug)]
pub struct Left {
    /// Where it is.
    pub keep: PathBuf,
    /// Whether a scratch directory names it yet.
    pub next_command_removes: bool,
}

/// All of them. One that no scratch directory names was left where the user has removed that: a
/// process names it first.
pub fn left(repository: &Repository) -> Vec<Left> {
    let listed = entries(&packs(repository)).map(|entry| entry.path());
    let is_keep =
        |path: &PathBuf| path.extension().is_some_and(|end| end == "keep") && is_ours(path);
    let keeps: Vec<PathBuf> = listed.filter(is_keep).collect();
    if keeps.is_empty() {
        return Vec::new();
    }
    let (dead, _locks) = scratch::dead(repository.lane_dir(), "");
    let names = |directory: &Path, keep: &Path| {
        keep.file_name()
            .is_some_and(|name| lane_files::is_file(&directory.join(KEEPS).join(name)))
    };
    let living: Vec<PathBuf> = lane_files::list(&repository.lane_dir().scratch())
        .filter(|directory| !dead.contains(directory))
        .collect();
    let of_none = keeps
        .into_iter()
        .filter(|keep| !living.iter().any(|directory| names(directory, keep)));
    // One that has ended meanwhile has removed its own.
    let left = of_none.filter(|keep| is_ours(keep)).map(|keep| {
        let next_command_removes = dead.iter().any(|directory| names(directory, &keep));
        Left {
            keep,
            next_command_removes,
        }
    });
    left.collect()
}

/// Removes the `.keep` files of the dead process whose scratch directory this was.
pub fn clean(repository: &Repository, dead: &Path) {
    let packs = packs(repository);
    for note in entries(&dead.join(KEEPS)) {
        remove(&packs.join(note.file_name()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A gc that listed the first pack between the two would take it away, and pack nothing of what
    /// the second keeps.
    #[test]
    fn what_is_kept_again_is_in_another_pack() {
        let directory = tempfile::tempdir().unwrap();
        let git = |args: &[&str]| {
            let git = std::process::Command::new("git")
                .args(args)
                .current_dir(directory.path())
                .output()
                .unwrap();
            assert!(git.status.success(), "{git:?}");
        };
        git(&["init", "-q"]);
        let author = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
        git(&[&author[..], &["commit", "-q", "--allow-empty", "-m", "one"]].concat());
        let repository = Repository::discover_from(directory.path()).unwrap();
        let scratch = Scratch::new(&repository).unwrap();
        let id = repository.gix.head_id().unwrap().detach();
        let packs = || {
            let listed = std::fs::read_dir(directory.path().join(".git/objects/pack")).unwrap();
            let names = listed.map(|file| file.unwrap().file_name().into_string().unwrap());
            names
                .filter(|name| name.ends_with(".pack"))
                .collect::<Vec<_>>()
        };
        let keep = || {
            KeptPack::of_objects(&repository, &scratch, &[id])
                .unwrap()
                .unwrap()
        };
        drop(keep());
        let first = packs();
        let kept = keep();
        assert_eq!((first.len(), packs().len()), (1, 2));
        assert!(!kept.keep.with_extension("pack").ends_with(&first[0]));
    }
}
