//! Waiting for something, and files that look older than they are.

use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

/// Waits until something has happened, for a minute at the most.
#[track_caller]
pub fn wait_until(mut happened: impl FnMut() -> bool) {
    let start = Instant::now();
    while !happened() {
        assert!(start.elapsed() < Duration::from_secs(60), "never happened");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A file or directory as if nothing had written to it for so many seconds.
pub fn age(path: &Path, seconds: u64) {
    let old = SystemTime::now() - Duration::from_secs(seconds);
    let times = std::fs::FileTimes::new().set_modified(old);
    let opened = std::fs::File::open(path);
    opened.and_then(|file| file.set_times(times)).unwrap();
}

/// Everything in a directory, and the directory itself, as if nothing had written to it for an
/// hour.
pub fn age_all(directory: &Path) {
    for entry in std::fs::read_dir(directory).unwrap().flatten() {
        match entry.path().is_dir() {
            true => age_all(&entry.path()),
            false => age(&entry.path(), 3600),
        }
    }
    age(directory, 3600);
}

/// The time of the first commit of a sandbox.
pub const LONG_AGO: &str = "2023-11-14T22:13:20Z";

/// Has a file be of that time.
pub fn date(path: &Path) {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let times = std::fs::FileTimes::new().set_modified(time);
    let opened = std::fs::File::open(path);
    opened.and_then(|file| file.set_times(times)).unwrap();
}
