//! Reading what git rewrites at the same moment: `git gc` moves objects from pack to pack and refs
//! into `packed-refs` under a reader's eyes.
//!
//! A process that lists the packs before the new one has come, and opens the old one after it has
//! gone, finds neither. One that reads `packed-refs` before a ref is packed, and looks for its file
//! afterwards, finds no ref. Nothing is missing then, one only has to look again.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Packs that came or went longer ago are not being exchanged now.
const LATELY: Duration = Duration::from_secs(10);

/// Milliseconds between two looks; a gc's worst moment lasts one or two.
const PAUSES: [u64; 6] = [1, 2, 5, 10, 30, 60];

/// What `packs` or `packed-refs` looked like when all looks had been in vain. While no git changes
/// it, something is missing for good: in a partial clone thousands of objects are, and no command
/// is to wait for each of them.
static IN_VAIN: Mutex<Vec<Stamp>> = Mutex::new(Vec::new());

/// Which file or directory it is, and which state of it.
type Stamp = (u64, u64, u64, i64, i64);

fn is_in_vain(stamp: Option<Stamp>) -> bool {
    stamp.is_some_and(|stamp| {
        IN_VAIN
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(&stamp)
    })
}

/// The looks began at `before`; what has changed meanwhile may change again.
fn was_in_vain(before: Option<Stamp>, now: Option<Stamp>) {
    if let Some(stamp) = now.filter(|_| before == now && !is_in_vain(now)) {
        IN_VAIN
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(stamp);
    }
}

/// What `look` finds among the objects. Where it fails while packs come and go, it looks again.
pub fn objects<T, E>(
    repo: &gix::Repository,
    mut look: impl FnMut() -> Result<T, E>,
) -> Result<T, E> {
    let packs = repo.objects.store_ref().path().join("pack");
    let mut first = None;
    for pause in PAUSES {
        let found = look();
        if found.is_ok() || !changed_lately(&packs) {
            return found;
        }
        let now = stamp(&packs);
        if is_in_vain(now) {
            return found;
        }
        first = first.or(now);
        std::thread::sleep(Duration::from_millis(pause));
    }
    let found = look();
    if found.is_err() {
        was_in_vain(first, stamp(&packs));
    }
    found
}

/// Whether the object is there.
pub fn has_object(repo: &gix::Repository, id: gix::ObjectId) -> bool {
    objects(repo, || repo.has_object(id).then_some(()).ok_or(())).is_ok()
}

/// What `look` finds among the refs of the files backend: seen while `packed-refs` stayed as it
/// was.
pub fn refs<T, E>(repo: &gix::Repository, mut look: impl FnMut() -> Result<T, E>) -> Result<T, E> {
    let packed = repo.common_dir().join("packed-refs");
    let state = || stamp(&packed).or_else(|| stamp(repo.common_dir()));
    let first = state();
    for pause in PAUSES {
        let before = stamp(&packed);
        // gix goes by the time alone, and two changes within one tick of the clock look alike. An
        // unreadable file is for `look` to report.
        let _ = repo.refs.force_refresh_packed_buffer();
        let found = look();
        let same = stamp(&packed) == before;
        // The files of packed refs go one by one, long after these are in the new file: a few looks
        // it takes always.
        if same && (found.is_ok() || pause > 5 && is_in_vain(state())) {
            return found;
        }
        std::thread::sleep(Duration::from_millis(pause));
    }
    let _ = repo.refs.force_refresh_packed_buffer();
    let found = look();
    if found.is_err() {
        was_in_vain(first, state());
    }
    found
}

/// Every change of `packed-refs` is another file in its place, and every pack that comes or goes
/// changes the directory.
fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((
        metadata.dev(),
        metadata.ino(),
        metadata.size(),
        metadata.mtime(),
        metadata.mtime_nsec(),
    ))
}

fn changed_lately(directory: &Path) -> bool {
    let changed = std::fs::metadata(directory).and_then(|metadata| metadata.modified());
    // A time to come is another machine's clock.
    changed.is_ok_and(|changed| {
        changed.elapsed().is_ok_and(|age| age < LATELY) || changed.elapsed().is_err()
    })
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
            if looks.get() < 3 {
                Err("not there")
            } else {
                Ok(())
            }
        };
        assert_eq!(objects(&repo, look), Ok(()));
        assert_eq!(looks.get(), 3);

        looks.set(0);
        let missing = || {
            looks.set(looks.get() + 1);
            Err::<(), _>("not there")
        };
        assert_eq!(objects(&repo, missing), Err("not there"));
        assert_eq!(looks.get(), 1 + PAUSES.len());
        assert_eq!(objects(&repo, missing), Err("not there"));
        assert_eq!(
            looks.get(),
            2 + PAUSES.len(),
            "nobody waits for the next object that is missing"
        );
        std::fs::write(packs.join("pack"), "").unwrap();
        assert_eq!(objects(&repo, missing), Err("not there"));
        assert_eq!(
            looks.get(),
            3 + 2 * PAUSES.len(),
            "another pack, and it may be there"
        );

        let past = std::time::SystemTime::now() - Duration::from_secs(3600);
        std::fs::File::open(&packs)
            .unwrap()
            .set_modified(past)
            .unwrap();
        looks.set(0);
        assert_eq!(objects(&repo, look), Err("not there"));
        assert_eq!(
            looks.get(),
            1,
            "without a repack a missing object is missing"
        );
    }

    #[test]
    fn refs_are_read_again_when_they_were_packed_meanwhile() {
        let (directory, repo) = repository();
        let looks = std::cell::Cell::new(0);
        let found = refs(&repo, || {
            looks.set(looks.get() + 1);
            if looks.get() == 1 {
                std::fs::write(
                    directory.path().join("packed-refs"),
                    "# pack-refs with: sorted\n",
                )
                .unwrap();
            }
            Ok::<_, ()>(looks.get())
        });
        assert_eq!(found, Ok(2));
    }

    /// As if packing never ended, each time within one tick of the clock.
    #[test]
    fn the_last_look_is_at_what_is_there_by_then() {
        let (directory, repo) = repository();
        let time = std::time::SystemTime::now() - Duration::from_secs(60);
        let pack = |refs: &str| {
            let new = directory.path().join("packed-refs.new");
            std::fs::write(
                &new,
                format!("# pack-refs with: peeled fully-peeled sorted \n{refs}"),
            )
            .unwrap();
            std::fs::File::options()
                .write(true)
                .open(&new)
                .unwrap()
                .set_modified(time)
                .unwrap();
            std::fs::rename(new, directory.path().join("packed-refs")).unwrap();
        };
        pack("");
        let looks = std::cell::Cell::new(0);
        let found = refs(&repo, || {
            looks.set(looks.get() + 1);
            let found = repo
                .try_find_reference("refs/heads/x")
                .unwrap()
                .map(drop)
                .ok_or("not there");
            match looks.get() {
                at if at < PAUSES.len() => pack(""),
                at if at == PAUSES.len() => {
                    pack("1111111111111111111111111111111111111111 refs/heads/x\n")
                }
                _ => {}
            }
            found
        });
        assert_eq!((found, looks.get()), (Ok(()), 1 + PAUSES.len()));
    }
}
