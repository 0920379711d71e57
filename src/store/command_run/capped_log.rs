//! The log of commands that may say more than a disk holds: its beginning, its end, and in between
//! how much is left out.
//!
//! `run` feeds it; the gate writes its own headings into it and asks for the last lines.

use std::collections::VecDeque;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use bstr::ByteSlice;

use crate::error::{IoContext, Result};

/// How much of the beginning is kept.
pub const BEGINNING: u64 = 8 << 20;

/// How much of the end is kept.
pub const END: usize = 1 << 20;

/// More of one line is no help to a reader.
const LINE: usize = 400;

/// A log file that never grows beyond its beginning and its end.
#[derive(Debug)]
pub struct CappedLog {
    file: File,
    path: PathBuf,
    said: u64,
    /// The last bytes of everything, those in the file included.
    end: VecDeque<u8>,
    trouble: Option<std::io::Error>,
}

impl CappedLog {
    /// Writes to `file`, which was just made at `path` and is empty.
    pub fn new(file: File, path: &Path) -> Self {
        CappedLog {
            file,
            path: path.to_owned(),
            said: 0,
            end: VecDeque::new(),
            trouble: None,
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many bytes were said, those left out included.
    pub fn said(&self) -> u64 {
        self.said
    }

    /// Adds to it. A file that takes nothing more does not stop whoever speaks; it is told by
    /// [`is_whole`](Self::is_whole) and [`close`](Self::close).
    pub fn add(&mut self, bytes: &[u8]) {
        let room = BEGINNING.saturating_sub(self.said);
        let first = usize::try_from(room).map_or(bytes.len(), |room| room.min(bytes.len()));
        self.write(&bytes[..first]);
        self.said += bytes.len() as u64;
        let last = &bytes[bytes.len().saturating_sub(END)..];
        let excess = (self.end.len() + last.len()).saturating_sub(END);
        self.end.drain(..excess);
        self.end.extend(last);
    }

    /// Whether all that was meant for the file so far is in it. What a command did while the disk
    /// was full proves nothing.
    pub fn is_whole(&self) -> bool {
        self.trouble.is_none()
    }

    /// The last `count` lines that are not empty, without their ends and without escape sequences.
    /// Of a line that was overwritten as it grew (`\r`) the last state is told, of a long one the
    /// end. Control characters are the caller's to escape.
    pub fn last_lines(&self, count: usize) -> Vec<String> {
        let end: Vec<u8> = self.end.iter().copied().collect();
        let first = end.iter().filter(|byte| **byte == b'\n').count();
        let is_cut = |at| at == first && self.said > end.len() as u64;
        let all = end.rsplit(|byte| *byte == b'\n').enumerate();
        let shown = all.filter_map(|(at, line)| shown(line, is_cut(at)));
        let mut last: Vec<String> = shown.take(count).collect();
        last.reverse();
        last
    }

    /// Writes the end, and waits until all of it is on the disk; fails where the file could not take
    /// all that was meant for it.
    pub fn close(mut self) -> Result<()> {
        self.write_end();
        let synced = match self.trouble.map_or_else(|| self.file.sync_data(), Err) {
            // What stands in the place of a file may have nothing to sync.
            Err(error) if error.kind() == std::io::ErrorKind::InvalidInput => Ok(()),
            synced => synced,
        };
        synced.context("write", &self.path)
    }

    /// Writes the end of a log that nothing rests upon; fails as [`close`](Self::close) does.
    pub fn finish(mut self) -> Result<()> {
        self.write_end();
        self.trouble
            .map_or(Ok(()), Err)
            .context("write", &self.path)
    }

    fn write_end(&mut self) {
        let end = Vec::from(std::mem::take(&mut self.end));
        let after = self.said.saturating_sub(BEGINNING);
        let kept = after.min(end.len() as u64);
        if after > kept {
            let left_out = after - kept;
            self.write(format!("\n[git-lane leaves out {left_out} bytes here]\n").as_bytes());
        }
        self.write(&end[end.len() - kept as usize..]);
    }

    fn write(&mut self, bytes: &[u8]) {
        if self.trouble.is_none() {
            self.trouble = self.file.write_all(bytes).err();
        }
    }
}

/// One line as a reader wants it, `None` where nothing is on it.
fn shown(line: &[u8], is_cut: bool) -> Option<String> {
    let line = line.trim_end_with(|c| c == '\r' || c == '\n');
    let line = line.rsplit(|byte| *byte == b'\r').next().unwrap_or(line);
    let near = &line[line.len().saturating_sub(16 * LINE)..];
    let text = anstream::adapter::strip_str(&near.to_str_lossy()).to_string();
    let text = text.trim_end();
    let over = text.chars().count().saturating_sub(LINE);
    let cut = over > 0 || is_cut || near.len() < line.len();
    let rest: String = text.chars().skip(over).collect();
    (!rest.is_empty()).then(|| if cut { format!("…{rest}") } else { rest })
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn log() -> (tempfile::TempDir, CappedLog) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        let log = CappedLog::new(File::create_new(&path).unwrap(), &path);
        (directory, log)
    }

    fn content(log: CappedLog) -> Vec<u8> {
        let path = log.path().to_owned();
        match log.said() % 2 {
            0 => log.close().unwrap(),
            _ => log.finish().unwrap(),
        }
        std::fs::read(path).unwrap()
    }

    #[test]
    fn what_fits_is_there_byte_for_byte() {
        let most = BEGINNING as usize + END;
        for length in [0, 1, END, BEGINNING as usize, BEGINNING as usize + 1, most] {
            let (_directory, mut log) = log();
            let said: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            said.chunks(70_000).for_each(|chunk| log.add(chunk));
            assert!(content(log) == said, "{length}");
        }
    }

    #[test]
    fn of_more_the_beginning_and_the_end_are_there() {
        for (extra, size) in [(1, 4096), (123_456, 1), (30 << 20, 3 << 20)] {
            let length = BEGINNING as usize + END + extra;
            let said: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            let (_directory, mut log) = log();
            said.chunks(size).for_each(|chunk| log.add(chunk));
            let found = content(log);
            let between = format!("\n[git-lane leaves out {extra} bytes here]\n");
            let expected = [
                &said[..BEGINNING as usize],
                between.as_bytes(),
                &said[length - END..],
            ]
            .concat();
            assert!(found == expected, "{extra} {size}");
        }
    }

    #[test]
    fn the_last_lines_are_those_a_reader_wants() {
        let long = "x".repeat(LINE + 1);
        let table: [(&[u8], usize, &[&str]); 9] = [
            (b"", 3, &[]),
            (b"one", 3, &["one"]),
            (b"one\ntwo\nthree\n", 2, &["two", "three"]),
            (b"one\r\n\n  \n\ntwo\r\n\n", 5, &["one", "two"]),
            (b"10%\r50%\r100%\ndone\n", 2, &["100%", "done"]),
            (b"\x1b[31mred\x1b[0m\x1b[2K\n", 1, &["red"]),
            (b"\xff\xfe\n", 1, &["\u{fffd}\u{fffd}"]),
            (b"tab\there\n", 1, &["tab\there"]),
            (b"a\n", 0, &[]),
        ];
        for (said, count, expected) in table {
            let (_directory, mut log) = log();
            log.add(said);
            assert_eq!(log.last_lines(count), expected, "{said:?}");
        }
        let (_directory, mut log) = log();
        log.add(long.as_bytes());
        assert_eq!(log.last_lines(1), [format!("…{}", &long[1..])]);
        log.add(&vec![b'y'; 2 * END]);
        assert_eq!(log.last_lines(2), [format!("…{}", "y".repeat(LINE))]);
    }

    #[test]
    fn a_disk_that_is_full_is_told_and_the_end_is_known_all_the_same() {
        let Ok(full) = File::options().write(true).open("/dev/full") else {
            return;
        };
        let mut log = CappedLog::new(full, Path::new("/dev/full"));
        log.add(b"");
        assert!(log.is_whole());
        log.add(b"failed\n");
        log.add(b"last\n");
        assert!(!log.is_whole());
        assert_eq!(log.last_lines(1), ["last"]);
        let error = log.close().unwrap_err();
        assert_eq!(error.code(), crate::error::Code::DiskFull);
    }

    #[test]
    fn a_log_can_be_read_while_it_grows() {
        let (_directory, mut log) = log();
        log.add(b"so far\n");
        let mut text = String::new();
        File::open(log.path())
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        assert_eq!(text, "so far\n");
    }
}
