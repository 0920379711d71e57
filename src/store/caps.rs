//! How many commands of a kind run at once on this machine: all repositories and all git-lane
//! processes of the user count together.
//!
//! Who has a place is the lock of a file, which the command that it is for holds too: a killed
//! git-lane gives no place away while what it has started still works. A list for each cap names
//! these files; it is locked only for a look. `operations/exec` calls it.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use crate::error::{IoContext, Result};
use crate::store::journal::unique_id;
use crate::store::lane_files;
use crate::store::state_home::StateDir;

/// The longest pause between two looks.
const LONGEST_PAUSE: Duration = Duration::from_millis(200);

/// What the files of places begin with, and how long one may be there before it is locked.
const PLACE: &str = "place-";
const YOUNG: Duration = Duration::from_secs(60);

/// A name, and how many may have a place under it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cap {
    /// A plain word: letters, digits, `_` and `-`.
    pub name: String,
    /// At least one.
    pub most: usize,
}

impl Cap {
    /// Reads `NAME=N`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (name, most) = text
            .split_once('=')
            .ok_or_else(|| format!("'{text}' is not NAME=N"))?;
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if name.is_empty() || name.len() > 64 || name.starts_with('-') || !name.chars().all(plain) {
            return Err(format!(
                "'{name}' is no plain word of letters, digits, '_' and '-'"
            ));
        }
        match most.parse() {
            Ok(most) if most > 0 => Ok(Cap {
                name: name.into(),
                most,
            }),
            _ => Err(format!("'{most}' is no number of commands from 1 on")),
        }
    }
}

/// Some caps of this user's.
#[derive(Debug)]
pub struct Caps {
    directory: StateDir,
    /// In the order of their names: who looks at two looks at them in one order.
    caps: Vec<Cap>,
}

/// A place under each of them, until it is dropped.
#[derive(Debug)]
pub struct Place {
    file: File,
    path: PathBuf,
}

/// What a look at the lists has shown.
enum Look<'a> {
    Taken,
    /// So many have a place under that cap, which are all there are.
    Full(&'a Cap),
    /// Another process looks just now.
    Busy,
}

impl Caps {
    /// Those of the user who runs this; makes the directory.
    ///
    /// # Errors
    /// As [`StateDir::find`].
    pub fn open(caps: Vec<Cap>) -> Result<Self> {
        Self::made(StateDir::find("caps")?, caps)
    }

    fn made(directory: StateDir, mut caps: Vec<Cap>) -> Result<Self> {
        caps.sort();
        directory.make()?;
        let caps = Caps { directory, caps };
        caps.clear();
        Ok(caps)
    }

    /// Waits for a place under every cap, and takes all of them at once: nobody waits with one in
    /// hand. `while_waiting` hears which cap is full, and whether to go on is its answer; `None`
    /// where it is not.
    pub fn take(&self, mut while_waiting: impl FnMut(&Cap) -> bool) -> Result<Option<Place>> {
        let place = self.new_place()?;
        let mut pause = Duration::from_millis(2);
        let mut full = None;
        loop {
            match self.look(&place)? {
                Look::Taken => return Ok(Some(place)),
                Look::Full(cap) => full = Some(cap),
                Look::Busy => {}
            }
            if let Some(cap) = full.or(self.caps.first())
                && !while_waiting(cap)
            {
                return Ok(None);
            }
            std::thread::sleep(pause);
            pause = (pause * 3 / 2).min(LONGEST_PAUSE);
        }
    }

    fn look(&self, place: &Place) -> Result<Look<'_>> {
        let mut lists = Vec::new();
        for cap in &self.caps {
            let Some(list) = List::lock(&self.directory, cap)? else {
                return Ok(Look::Busy);
            };
            if list.living.len() >= cap.most {
                return Ok(Look::Full(cap));
            }
            lists.push(list);
        }
        // Where one cannot be written the place goes, and with it what the others say.
        for list in lists {
            list.add(place)?;
        }
        Ok(Look::Taken)
    }

    fn new_place(&self) -> Result<Place> {
        let path = self.directory.file(&format!("{PLACE}{}", unique_id()));
        let file = lane_files::read_write(&path).context("create", &path)?;
        file.lock().context("lock", &path)?;
        Ok(Place { file, path })
    }

    /// Removes the places that no process holds and no list names.
    fn clear(&self) {
        for path in self.directory.files() {
            let name = path.file_name().unwrap_or_default();
            let modified = std::fs::metadata(&path).and_then(|found| found.modified());
            let age = modified.map(|time| SystemTime::now().duration_since(time));
            let is_old = matches!(age, Ok(Ok(age)) if age > YOUNG);
            if is_old && name.as_encoded_bytes().starts_with(PLACE.as_bytes()) {
                is_living(&path);
            }
        }
    }
}

impl Place {
    /// An empty file, open for reading, with which a command keeps the place.
    pub fn file(&self) -> &File {
        &self.file
    }
}

impl Drop for Place {
    /// What the command has left running for good, as a compiler's server, does not keep it.
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.path));
    }
}

/// The list of one cap, locked.
struct List<'a> {
    directory: &'a StateDir,
    file: File,
    path: PathBuf,
    /// The names of the places that processes hold.
    living: Vec<String>,
}

impl<'a> List<'a> {
    /// `None` where another process has it.
    fn lock(directory: &'a StateDir, cap: &Cap) -> Result<Option<Self>> {
        let path = directory.file(&format!("{}.cap", cap.name));
        let mut file = lane_files::read_write(&path).context("open", &path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error).context("lock", &path),
        }
        let mut text = Vec::new();
        file.read_to_end(&mut text).context("read", &path)?;
        let text = String::from_utf8_lossy(&text);
        let is_one = |name: &&str| {
            let id = name.strip_prefix(PLACE);
            id.is_some_and(|id| id.bytes().all(|byte| byte.is_ascii_hexdigit()))
        };
        let names = text.lines().filter(is_one);
        let living = names.filter(|name| is_living(&directory.file(name)));
        Ok(Some(List {
            living: living.map(str::to_owned).collect(),
            directory,
            file,
            path,
        }))
    }

    fn add(mut self, place: &Place) -> Result<()> {
        let own = place.path.strip_prefix(self.directory.path());
        let own = own.map(|name| name.to_string_lossy().into_owned());
        self.living.extend(own);
        let text = self.living.join("\n") + "\n";
        let mut write = || {
            self.file.rewind()?;
            // What a killed process leaves behind the text names nobody who lives.
            self.file.write_all(text.as_bytes())?;
            self.file.set_len(text.len() as u64)
        };
        write().context("write", &self.path)
    }
}

/// Whether anybody holds the lock of a place; one that nobody has is removed. What cannot be looked
/// at counts as held.
fn is_living(place: &std::path::Path) -> bool {
    match lane_files::open_read(place) {
        Err(error) => error.kind() != std::io::ErrorKind::NotFound,
        Ok(file) => match file.try_lock_shared() {
            Ok(()) => {
                drop(std::fs::remove_file(place));
                false
            }
            Err(_) => true,
        },
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn caps(home: &tempfile::TempDir, all: &[&str]) -> Caps {
        let directory = StateDir::below(home.path().join("state"), "caps").unwrap();
        let all = all.iter().map(|text| Cap::parse(text).unwrap());
        Caps::made(directory, all.collect()).unwrap()
    }

    fn at_once(caps: &Caps) -> Option<Place> {
        caps.take(|_| false).unwrap()
    }

    #[test]
    fn a_cap_is_a_plain_word_and_a_number() {
        let cap = Cap::parse("rust-c_1=2").unwrap();
        assert_eq!((&*cap.name, cap.most), ("rust-c_1", 2));
        for text in [
            "", "rust", "=1", "-a=1", "a/b=1", ".=1", "a=0", "a=-1", "a=x", "ä=1",
        ] {
            assert!(Cap::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn no_more_have_a_place_than_there_are() {
        let home = tempfile::tempdir().unwrap();
        let (one, two) = (caps(&home, &["a=2"]), caps(&home, &["a=2"]));
        let first = at_once(&one).unwrap();
        let second = at_once(&two).unwrap();
        assert!(at_once(&one).is_none() && at_once(&two).is_none());
        // Each says how many they bear.
        let third = at_once(&caps(&home, &["a=3"])).unwrap();
        drop(first);
        assert!(at_once(&two).is_none());
        drop(third);
        assert!(at_once(&two).is_some());
        drop(second);
        let all: Vec<_> = one.directory.files().collect();
        assert_eq!(all, [one.directory.file("a.cap")], "places are left");
    }

    #[test]
    fn who_waits_for_several_has_none() {
        let home = tempfile::tempdir().unwrap();
        let (both, a, b) = (
            caps(&home, &["b=1", "a=1"]),
            caps(&home, &["a=1"]),
            caps(&home, &["b=1"]),
        );
        let held = at_once(&b).unwrap();
        let mut full = Vec::new();
        let waits = |cap: &Cap| {
            full.push(cap.name.clone());
            false
        };
        assert!(both.take(waits).unwrap().is_none());
        assert_eq!(full, ["b"]);
        drop(at_once(&a).unwrap());
        drop(held);
        let held = at_once(&both).unwrap();
        assert!(at_once(&a).is_none() && at_once(&b).is_none());
        drop(held);
    }

    #[test]
    fn a_list_that_makes_no_sense_keeps_nobody_out() {
        let home = tempfile::tempdir().unwrap();
        let caps = caps(&home, &["a=1"]);
        let list = b"place-\nplace-0\n../../x\n\xff\nplace-..\n";
        caps.directory.write("a.cap", list).unwrap();
        assert!(at_once(&caps).is_some());
    }

    #[test]
    fn many_at_once_are_never_too_many() {
        let home = tempfile::tempdir().unwrap();
        let (inside, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let caps = caps(&home, &["a=3", "b=4"]);
                    for _ in 0..5 {
                        let place = caps.take(|_| true).unwrap();
                        let now = inside.fetch_add(1, Ordering::SeqCst) + 1;
                        most.fetch_max(now, Ordering::SeqCst);
                        std::thread::sleep(Duration::from_millis(1));
                        inside.fetch_sub(1, Ordering::SeqCst);
                        drop(place);
                    }
                });
            }
        });
        let most = most.into_inner();
        assert!((2..=3).contains(&most), "{most}");
    }
}
