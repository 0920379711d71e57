//! `git diff` for a user, and what has changed in numbers.
//!
//! `operations/comparison` calls it.

use std::ffi::OsString;

use bstr::{BStr, BString, ByteSlice};
use gix::ObjectId;

use super::{Invocation, failure};
use crate::error::{Error, Result};

/// What has become of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// Where it is, or was; relative to the top.
    pub path: BString,
    /// Where it was, when it was renamed or copied.
    pub old_path: Option<BString>,
    /// git's letter for it: `A`, `C`, `D`, `M`, `R` or `T`.
    pub letter: char,
    /// Lines added and deleted; `None` where it is no text.
    pub lines: Option<(usize, usize)>,
}

impl Invocation {
    /// Becomes `git diff` from one commit to another, or to the files of the worktree, with options
    /// and paths of the user's. It has the terminal, the signals and the exit code of this process:
    /// pager and colours are as without git-lane. Returns only where it cannot be started.
    pub fn become_diff(self, from: ObjectId, to: Option<ObjectId>, rest: &[OsString]) -> Error {
        self.arg("diff")
            .args(
                [Some(from), to]
                    .into_iter()
                    .flatten()
                    .map(|id| id.to_string()),
            )
            .args(rest)
            .become_git()
    }

    /// The files that differ between a commit and another, or the files of the worktree, at or below
    /// `paths` where there are some.
    pub fn changed_files(
        self,
        from: ObjectId,
        to: Option<ObjectId>,
        paths: &[OsString],
    ) -> Result<Vec<FileChange>> {
        let output = self
            .args(["diff", "--raw", "--numstat", "-z", "--find-renames"])
            .args(["--no-ext-diff", "--no-color", "--no-relative"])
            .args(
                [Some(from), to]
                    .into_iter()
                    .flatten()
                    .map(|id| id.to_string()),
            )
            .arg("--")
            .args(paths)
            .output()?;
        if !output.status.success() {
            return Err(failure("git diff", &output));
        }
        changes(&output.stdout).ok_or_else(|| Error::git("cannot understand what git diff says"))
    }
}

/// Reads `--raw --numstat -z`: first each file with its letter, then each with its lines.
fn changes(said: &[u8]) -> Option<Vec<FileChange>> {
    let mut fields = said.split_str("\0").map(ByteSlice::as_bstr);
    let mut found: Vec<FileChange> = Vec::new();
    while let Some(field) = fields.next().filter(|field| !field.is_empty()) {
        match field.strip_prefix(b":") {
            Some(raw) => {
                let letter = char::from(*raw.rsplit_str(" ").next()?.first()?);
                let (old_path, path) = paths(letter, &mut fields)?;
                found.push(FileChange {
                    path,
                    old_path,
                    letter,
                    lines: None,
                });
            }
            None => {
                let mut parts = field.splitn_str(3, "\t");
                let (added, deleted, name) = (parts.next()?, parts.next()?, parts.next()?);
                let path = match name.is_empty() {
                    true => fields.by_ref().nth(1)?,
                    false => name.as_bstr(),
                };
                let change = found.iter_mut().find(|change| change.path == path);
                if let (Some(change), Some(lines)) = (change, number(added).zip(number(deleted))) {
                    change.lines = Some(lines);
                }
            }
        }
    }
    Some(found)
}

/// The old path, where the letter says that there is one, and the path.
fn paths<'a>(
    letter: char,
    fields: &mut impl Iterator<Item = &'a BStr>,
) -> Option<(Option<BString>, BString)> {
    let first = fields.next()?.to_owned();
    match letter {
        'R' | 'C' => Some((Some(first), fields.next()?.to_owned())),
        _ => Some((None, first)),
    }
}

/// `-` stands for a file that is no text.
fn number(text: &[u8]) -> Option<usize> {
    text.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(path: &str, letter: char, lines: Option<(usize, usize)>) -> FileChange {
        FileChange {
            path: path.into(),
            old_path: None,
            letter,
            lines,
        }
    }

    #[test]
    fn each_file_has_its_letter_and_its_lines() {
        let said = ":100644 100644 1 2 M\0a\tb\0:100644 100644 1 1 R90\0old\0new\0\
                    :000000 100644 0 3 A\0logo.png\0\
                    3\t1\ta\tb\x000\t2\t\0old\0new\0-\t-\tlogo.png\0";
        let renamed = FileChange {
            old_path: Some("old".into()),
            ..change("new", 'R', Some((0, 2)))
        };
        assert_eq!(
            changes(said.as_bytes()).unwrap(),
            [
                change("a\tb", 'M', Some((3, 1))),
                renamed,
                change("logo.png", 'A', None),
            ]
        );
        assert_eq!(changes(b"").unwrap(), []);
        assert_eq!(changes(b"fatal: no\0"), None);
    }
}
