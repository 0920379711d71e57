//! What a gate said about a tree: one file for each tree and each list of commands, in the user's
//! own state, so that no repository can vouch for itself; and the logs of the runs.
//!
//! A file that is damaged, another user's, or about something else than its name says is no receipt.
//! What runs a gate calls it, and decides which runs leave a receipt.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::domain::gate::digest;
use crate::domain::lane::{ObjectId, hex, lossless_path};
use crate::error::Result;
use crate::store::clock::now;
use crate::store::journal::unique_id;
use crate::store::state_home::{StateDir, TEMPORARY};

/// How often old files are looked for.
const DAY: Duration = Duration::from_secs(86_400);

/// How long a log stays that no receipt names: that of a run that was stopped.
const LOOSE_LOG: Duration = Duration::from_secs(7 * 86_400);

/// How long receipts stay at least. All repositories of the user have theirs in one place, and the
/// file of one of them must not remove those of another.
const LEAST: Duration = Duration::from_secs(30 * 86_400);

/// The file whose age says when old ones were looked for last.
const MARKER: &str = ".expired";

/// What a gate said about a tree.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    /// The tree.
    #[serde(with = "hex")]
    pub tree: ObjectId,
    /// The digest of the commands, see [`digest`].
    pub commands: String,
    /// Every command of the gate in its order, those among them that were not reached.
    pub lines: Vec<String>,
    /// The exit code: 0, or that of the command that failed.
    pub exit: i32,
    /// Which of the commands failed.
    pub failed: Option<usize>,
    /// How long the run took.
    pub seconds: f64,
    /// When it ended, in seconds since 1970 UTC.
    pub at: i64,
    /// The file with all that the commands printed.
    #[serde(with = "lossless_path")]
    pub log: PathBuf,
    /// The last lines of that.
    pub tail: Vec<String>,
}

impl Receipt {
    /// Whether the gate succeeded.
    pub fn is_good(&self) -> bool {
        self.failed.is_none()
    }

    /// Whether the fields fit each other.
    fn is_sound(&self) -> bool {
        let failure_fits = match self.failed {
            None => self.exit == 0,
            // What a shell says of a command that it cannot start.
            Some(_) if matches!(self.exit, 126 | 127) => false,
            Some(which) => self.exit != 0 && which < self.lines.len(),
        };
        failure_fits && digest(&self.lines) == self.commands
    }

    /// How long ago the run ended; `None` for one that has not by this clock.
    fn age(&self) -> Option<Duration> {
        let passed = now().checked_sub(self.at)?;
        u64::try_from(passed).ok().map(Duration::from_secs)
    }
}

/// Those of this user.
#[derive(Debug, Clone)]
pub struct Receipts {
    directory: StateDir,
    logs: StateDir,
}

impl Receipts {
    /// Where they are kept; makes the directories.
    ///
    /// # Errors
    /// As [`StateDir::find`].
    pub fn open() -> Result<Self> {
        Self::made(StateDir::find("receipts")?, StateDir::find("logs")?)
    }

    fn made(directory: StateDir, logs: StateDir) -> Result<Self> {
        directory.make()?;
        logs.make()?;
        Ok(Receipts { directory, logs })
    }

    /// What a run of these commands said about the tree, no longer than `max_age` ago.
    pub fn find(&self, tree: ObjectId, commands: &str, max_age: Duration) -> Option<Receipt> {
        let receipt = self.read(&name(tree, commands))?;
        receipt
            .age()
            .is_some_and(|age| age <= max_age)
            .then_some(receipt)
    }

    /// Keeps a receipt, in the place of an older one about the same.
    pub fn write(&self, receipt: &Receipt) -> Result<()> {
        let text = serde_json::json!(receipt).to_string();
        let name = name(receipt.tree, &receipt.commands);
        self.directory.write(&name, text.as_bytes())
    }

    /// The path of a log that no other run has; the file is not made.
    pub fn new_log(&self) -> PathBuf {
        self.logs.file(&format!("{}.log", unique_id()))
    }

    /// Removes receipts older than `max_age`, and than a month, with their logs, and what runs left
    /// that had no end. Once a day it looks, and never fails.
    pub fn expire(&self, max_age: Duration) {
        let marker = self.directory.file(MARKER);
        if age(&marker).is_some_and(|age| age < DAY) {
            return;
        }
        // The next process finds the marker and does not look as well.
        if self.directory.write(MARKER, b"").is_err() {
            return;
        }
        let (mut kept, mut gone) = (BTreeSet::new(), BTreeSet::new());
        for path in self.directory.files() {
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
                continue;
            };
            if name == MARKER {
                continue;
            }
            let Some(receipt) = self.read(name) else {
                // One that another process is writing is young.
                if !name.starts_with(TEMPORARY) || age(&path).is_some_and(|age| age > DAY) {
                    let _ = self.directory.remove(name);
                }
                continue;
            };
            let log = receipt.log.file_name().map(OsString::from);
            if receipt.age().is_some_and(|age| age > max_age.max(LEAST)) {
                let _ = self.directory.remove(name);
                gone.extend(log);
            } else {
                kept.extend(log);
            }
        }
        for path in self.logs.files() {
            let name = path.file_name().unwrap_or_default();
            let old = || age(&path).is_some_and(|age| age > LOOSE_LOG);
            if !kept.contains(name) && (gone.contains(name) || old()) {
                let _ = std::fs::remove_file(&path);
            }
        }
    }

    /// The receipt in the file `name`, where it is what that says.
    fn read(&self, file: &str) -> Option<Receipt> {
        let receipt: Receipt = serde_json::from_slice(&self.directory.read(file)?).ok()?;
        let fits = name(receipt.tree, &receipt.commands) == file && receipt.is_sound();
        fits.then_some(receipt)
    }
}

fn name(tree: ObjectId, commands: &str) -> String {
    format!("{tree}-{commands}.json")
}

/// How long ago a file was written; `None` where it is gone, or the clock was ahead.
fn age(path: &Path) -> Option<Duration> {
    let written = std::fs::symlink_metadata(path).ok()?.modified().ok()?;
    SystemTime::now().duration_since(written).ok()
}

#[cfg(test)]
mod tests {
    use std::fs::{File, FileTimes};

    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);

    fn receipts() -> (tempfile::TempDir, Receipts) {
        let above = tempfile::tempdir().unwrap();
        let at = |name| StateDir::below(above.path().join("state"), name).unwrap();
        let receipts = Receipts::made(at("receipts"), at("logs")).unwrap();
        (above, receipts)
    }

    fn receipt(receipts: &Receipts, command: &str) -> Receipt {
        let lines = vec![command.to_owned(), "make".to_owned()];
        Receipt {
            tree: ObjectId::from_hex(&[b'1'; 40]).unwrap(),
            commands: digest(&lines),
            lines,
            exit: 0,
            failed: None,
            seconds: 1.25,
            at: now(),
            log: receipts.new_log(),
            tail: vec!["ok \u{1b}[1m".into()],
        }
    }

    fn find(receipts: &Receipts, wanted: &Receipt, max_age: Duration) -> Option<Receipt> {
        receipts.find(wanted.tree, &wanted.commands, max_age)
    }

    fn make_old(path: &Path, age: Duration) {
        let times = FileTimes::new().set_modified(SystemTime::now() - age);
        let file = File::options().write(true).open(path).unwrap();
        file.set_times(times).unwrap();
    }

    #[test]
    fn a_receipt_is_found_by_tree_and_commands_until_it_is_too_old() {
        let (_above, receipts) = receipts();
        let (one, other) = (receipt(&receipts, "a"), receipt(&receipts, "b"));
        assert_eq!(find(&receipts, &one, HOUR), None);
        receipts.write(&one).unwrap();
        assert_eq!(find(&receipts, &one, HOUR).as_ref(), Some(&one));
        assert_eq!(find(&receipts, &other, HOUR), None);
        let tree = ObjectId::from_hex(&[b'2'; 64]).unwrap();
        assert_eq!(receipts.find(tree, &one.commands, HOUR), None);
        let failed = Receipt {
            exit: 3,
            failed: Some(1),
            ..one.clone()
        };
        receipts.write(&failed).unwrap();
        assert!(!find(&receipts, &one, HOUR).unwrap().is_good());
        for (at, counts) in [
            (now() - 3_000, true),
            (now() - 4_000, false),
            (now() + 60, false),
            (i64::MIN, false),
            (i64::MAX, false),
        ] {
            receipts.write(&Receipt { at, ..one.clone() }).unwrap();
            assert_eq!(find(&receipts, &one, HOUR).is_some(), counts, "{at}");
        }
    }

    #[test]
    fn what_does_not_fit_its_name_is_no_receipt() {
        let (_above, receipts) = receipts();
        let good = receipt(&receipts, "a");
        let other = receipt(&receipts, "b");
        let file = name(good.tree, &good.commands);
        let put = |text: &str| receipts.directory.write(&file, text.as_bytes()).unwrap();
        let json = |receipt: &Receipt| serde_json::json!(receipt).to_string();
        let tree = ObjectId::from_hex(&[b'2'; 40]).unwrap();
        for bad in [
            String::new(),
            "{}".into(),
            json(&good)[..100].into(),
            json(&other),
            json(&Receipt {
                tree,
                ..good.clone()
            }),
            json(&Receipt {
                lines: other.lines.clone(),
                ..good.clone()
            }),
            json(&Receipt {
                exit: 1,
                ..good.clone()
            }),
            json(&Receipt {
                failed: Some(0),
                ..good.clone()
            }),
            json(&Receipt {
                exit: 1,
                failed: Some(2),
                ..good.clone()
            }),
            json(&Receipt {
                exit: 127,
                failed: Some(0),
                ..good.clone()
            }),
            json(&Receipt {
                seconds: f64::NAN,
                ..good.clone()
            }),
        ] {
            put(&bad);
            assert_eq!(find(&receipts, &good, HOUR), None, "{bad}");
        }
        put(&json(&good));
        assert!(find(&receipts, &good, HOUR).is_some());
    }

    #[test]
    fn once_a_day_what_is_old_goes_with_its_log() {
        let (_above, receipts) = receipts();
        let (young, mut old) = (receipt(&receipts, "young"), receipt(&receipts, "old"));
        old.at = now() - 40 * 86_400;
        let loose = [receipts.new_log(), receipts.new_log()];
        let begun = [".new-a", ".new-b"].map(|name| receipts.directory.file(name));
        for path in [&young.log, &old.log]
            .into_iter()
            .chain(&loose)
            .chain(&begun)
        {
            std::fs::write(path, "").unwrap();
        }
        make_old(&young.log, 30 * DAY);
        make_old(&loose[0], 8 * DAY);
        make_old(&loose[1], 6 * DAY);
        make_old(&begun[0], 2 * DAY);
        receipts.directory.write("nonsense", b"{").unwrap();
        receipts.write(&young).unwrap();
        receipts.write(&old).unwrap();
        let there = |paths: &[&PathBuf]| paths.iter().map(|path| path.exists()).collect::<Vec<_>>();
        let nonsense = receipts.directory.file("nonsense");
        // The policy of one repository is not that of all.
        receipts.expire(HOUR);
        let all = [
            &young.log, &old.log, &loose[0], &loose[1], &begun[0], &begun[1], &nonsense,
        ];
        let left = [true, false, false, true, false, true, false];
        assert_eq!(there(&all), left);
        assert!(find(&receipts, &young, HOUR).is_some());
        assert!(find(&receipts, &old, 50 * DAY).is_none());
        // The next look is a day later.
        receipts.write(&old).unwrap();
        receipts.expire(HOUR);
        assert!(find(&receipts, &old, 50 * DAY).is_some());
        make_old(&receipts.directory.file(MARKER), 2 * DAY);
        receipts.expire(50 * DAY);
        assert!(find(&receipts, &old, 50 * DAY).is_some());
        make_old(&receipts.directory.file(MARKER), 2 * DAY);
        receipts.expire(HOUR);
        assert!(find(&receipts, &old, 50 * DAY).is_none());
    }

    #[test]
    fn many_at_once_never_find_half_a_receipt() {
        let (_above, receipts) = receipts();
        let wanted = receipt(&receipts, "a");
        receipts.write(&wanted).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..50 {
                scope.spawn(|| {
                    for _ in 0..4 {
                        receipts.write(&wanted).unwrap();
                        assert!(find(&receipts, &wanted, HOUR).is_some());
                        receipts.expire(HOUR);
                    }
                });
            }
        });
        assert_eq!(receipts.directory.files().count(), 2);
    }
}
