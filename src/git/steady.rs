//! Reading what git rewrites at the same moment: `git gc` moves objects from pack to pack and refs into `packed-refs`
//! under a reader's eyes.
//!
//! Whoever lists the packs before the new one has come, and opens the old one after it has gone, finds neither. Whoever
//! reads `packed-refs` before a ref is packed, and looks for its file afterwards, finds no ref. Nothing is missing then,
//! one only has to look again.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

/// Packs that came or went longer ago are not being exchanged now.
const LATELY: Duration = Duration::from_secs(10);

/// Milliseconds between two looks; a gc's worst moment lasts one or two.
const PAUSES: [u64; 6] = [1, 2, 5, 10, 30, 60];

/// What `look` finds among the objects. Where it fails while packs come and go, it looks again.
pub fn objects<T, E>(repo: &gix::Repository, mut look: impl FnMut() -> Result<T, E>) -> Result<T, E> {
    let packs = repo.objects.store_ref().path().join("pack");
    for pause in PAUSES {
        let found = look();
        if found.is_ok() || !changed_lately(&packs) {
            return found;
        }
        std::thread::sleep(Duration::from_millis(pause));
    }
    look()
}

/// Whether the object is there.
pub fn has_object(repo: &gix::Repository, id: gix::ObjectId) -> bool {
    objects(repo, || repo.has_object(id).then_some(()).ok_or(())).is_ok()
}

/// What `look` finds among the refs of the files backend: seen while `packed-refs` stayed as it was.
pub fn refs<T, E>(repo: &gix::Repository, mut look: impl FnMut() -> Result<T, E>) -> Result<T, E> {
    let packed = repo.common_dir().join("packed-refs");
    for pause in PAUSES {
        let before = stamp(&packed);
        // gix goes by the time alone, and two changes within one tick of the clock look alike. An unreadable file is for
        // `look` to report.
        let _ = repo.refs.force_refresh_packed_buffer();
        let found = look();
        if found.is_ok() && stamp(&packed) == before {
            return found;
        }
        std::thread::sleep(Duration::from_millis(pause));
    }
    look()
}

/// Every change of `packed-refs` is another file in its place.
fn stamp(file: &Path) -> Option<(u64, u64, i64, i64)> {
    let metadata = std::fs::metadata(file).ok()?;
    Some((metadata.ino(), metadata.size(), metadata.mtime(), metadata.mtime_nsec()))
}

fn changed_lately(directory: &Path) -> bool {
    let changed = std::fs::metadata(directory).and_then(|metadata| metadata.modified());
    // A time to come is another machine's clock.
    changed.is_ok_and(|changed| changed.elapsed().is_ok_and(|age| age < LATELY) || changed.elapsed().is_err())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository() -> (tempfile::TempDir, gix::Repository) {
        let directory = tempfile::tempdir().unwrap();
        let repo = gix::init_bare(directory.path()).unwrap();
        (directory, repo)
    }

    #[test]
    fn what_fails_while_packs_come_and_go_is_looked_for_again() {
        let (_directory, repo) = repository();
        let packs = repo.objects.store_ref().path().join("pack");
        std::fs::create_dir_all(&packs).unwrap();
        let looks = std::cell::Cell::new(0);
        let look = || {
            looks.set(looks.get() + 1);
            if looks.get() < 3 { Err("not there") } else { Ok(()) }
        };
        assert_eq!(objects(&repo, look), Ok(()));
        assert_eq!(looks.get(), 3);

        let past = std::time::SystemTime::now() - Duration::from_secs(3600);
        std::fs::File::open(&packs).unwrap().set_modified(past).unwrap();
        looks.set(0);
        assert_eq!(objects(&repo, look), Err("not there"));
        assert_eq!(looks.get(), 1, "without a repack a missing object is missing");
    }

    #[test]
    fn refs_are_read_again_when_they_were_packed_meanwhile() {
        let (directory, repo) = repository();
        let looks = std::cell::Cell::new(0);
        let found = refs(&repo, || {
            looks.set(looks.get() + 1);
            if looks.get() == 1 {
                std::fs::write(directory.path().join("packed-refs"), "# pack-refs with: sorted\n").unwrap();
            }
            Ok::<_, ()>(looks.get())
        });
        assert_eq!(found, Ok(2));
    }
}
