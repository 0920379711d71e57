//! Reading what git rewrites at the same moment: `git gc` moves objects from pack to pack and refs
//! into `packed-refs` under a reader's eyes.
//!
//! A process that lists the packs before the new one has come, and opens the old one after it has
//! gone, finds neither. One that reads `packed-refs` before a ref is packed, and looks for its file
//! afterwards, finds no ref. Nothing is missing then, one only has to look again.

use crate::store::file_id::Stamp;
use std::path::Path;
use std::time::Duration;

/// Packs that came or went longer ago are not being exchanged now.
const LATELY: Duration = Duration::from_secs(10);

/// Milliseconds between two looks; a gc's worst moment lasts one or two.
const PAUSES: [u64; 6] = [1, 2, 5, 10, 30, 60];

/// Two changes within one tick of the clock look alike; what changed that long ago is told apart.
const TICK: Duration = Duration::from_millis(50);

/// What `look` finds among the objects. Where it fails while packs come and go, it looks again;
/// what a second look does not find while none does is missing. In a partial clone thousands of
/// objects are, and no command is to wait for each of them.
pub fn objects<T, E>(
    repo: &gix::Repository,
    mut look: impl FnMut() -> Result<T, E>,
) -> Result<T, E> {
    let packs = repo.objects.store_ref().path().join("pack");
    for pause in PAUSES {
        let before = Stamp::of(&packs);
        let found = look();
        let second = pause > PAUSES[0];
        let settled = || Stamp::of(&packs) == before && !changed_within(TICK, &packs);
        if found.is_ok() || !changed_within(LATELY, &packs) || second && settled() {
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

/// What `look` finds among the refs of the files backend: seen while `packed-refs` stayed as it
/// was, of which every change is another file in its place.
pub fn refs<T, E>(repo: &gix::Repository, mut look: impl FnMut() -> Result<T, E>) -> Result<T, E> {
    let packed = repo.common_dir().join("packed-refs");
    for pause in PAUSES {
        let before = Stamp::of(&packed);
        // gix goes by the time alone, and two changes within one tick of the clock look alike. An
        // unreadable file is for `look` to report.
        let _ = repo.refs.force_refresh_packed_buffer();
        let found = look();
        let same = Stamp::of(&packed) == before;
        // The files of packed refs go one by one, long after these are in the new file: a few looks
        // it takes always.
        if same && (found.is_ok() || pause > 5 && !changed_within(LATELY, &packed)) {
            return found;
        }
        std::thread::sleep(Duration::from_millis(pause));
    }
    let _ = repo.refs.force_refresh_packed_buffer();
    look()
}

/// Whether a file or directory changed less than `limit` ago. A time to come is another machine's
/// clock.
fn changed_within(limit: Duration, path: &Path) -> bool {
    let changed = std::fs::metadata(path).and_then(|metadata| metadata.modified());
    changed.is_ok_and(|changed| changed.elapsed().map_or(true, |age| age < limit))
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
        let (_place, repo) = repository();
        let packs = repo.objects.store_ref().path().join("pack");
        std::fs::create_dir_all(&packs).unwrap();
        // As long as it is not over, however slow this machine is.
        let to_come = std::time::SystemTime::now() + Duration::from_secs(60);
        let directory = std::fs::File::open(&packs).unwrap();
        directory.set_modified(to_come).unwrap();
        let looks = std::cell::Cell::new(0_u64);
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
        let changed_ago = |age| {
            let packs = std::fs::File::open(&packs).unwrap();
            let time = std::time::SystemTime::now() - age;
            packs.set_modified(time).unwrap();
        };
        assert_eq!(objects(&repo, missing), Err("not there"));
        assert!(looks.get() > 2, "another pack may come within the tick");

        looks.set(0);
        changed_ago(Duration::from_secs(1));
        assert_eq!(objects(&repo, missing), Err("not there"));
        assert_eq!(looks.get(), 2, "no pack came between the two looks");

        looks.set(0);
        let repacked = || {
            changed_ago(Duration::from_secs(9) - Duration::from_secs(looks.get()));
            missing()
        };
        assert_eq!(objects(&repo, repacked), Err("not there"));
        assert_eq!(
            looks.get(),
            1 + PAUSES.len() as u64,
            "a pack came each time"
        );

        changed_ago(Duration::from_secs(3600));
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
