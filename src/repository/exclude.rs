//! Lanes inside the main worktree are ignored there: one line of the shared `info/exclude` for each
//! (gitignore(5)).
//!
//! Exactly the lane's own directory is named, so that nothing of the user's beside it disappears
//! from `git status`. A line of git-lane's has a comment before it, by which it is known again when
//! the lane goes.

use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use bstr::ByteSlice;

use crate::error::{Code, Error, IoContext, Result};
use crate::repository::Repository;
use crate::store::lockfile;

const MARK: &[u8] = b"# the worktree of a lane (git lane)";

fn file(repository: &Repository) -> PathBuf {
    repository.common_dir().join("info/exclude")
}

/// The pattern for exactly the directory at `worktree`; `None` where it is not inside the main
/// worktree.
fn pattern(repository: &Repository, worktree: &Path) -> Result<Option<Vec<u8>>> {
    let (main, state) = repository.main_site();
    let below = worktree
        .strip_prefix(&main)
        .ok()
        .filter(|below| !below.as_os_str().is_empty());
    // A line feed ends a pattern, and nothing can stand for it.
    let Some(below) = below.filter(|_| !state.is_bare()) else {
        return Ok(None);
    };
    Ok(Some(escaped(below.as_os_str().as_bytes())).filter(|pattern| !pattern.contains(&b'\n')))
}

fn escaped(below: &[u8]) -> Vec<u8> {
    let mut pattern = b"/".to_vec();
    for byte in below {
        if b"*?[]\\#! ".contains(byte) {
            pattern.push(b'\\');
        }
        pattern.push(*byte);
    }
    pattern.push(b'/');
    pattern
}

/// Has the worktree ignored, if it is inside the main one. The caller holds the registry lock.
pub(crate) fn add(repository: &Repository, worktree: &Path) -> Result<()> {
    let Some(wanted) = pattern(repository, worktree)? else {
        return Ok(());
    };
    let path = file(repository);
    let info = path.parent().unwrap_or(&path);
    repository
        .shared()
        .create_dir_all(info)
        .context("create", info)?;
    let text = crate::store::optional::bytes(&path).unwrap_or_default();
    if text.lines().any(|line| line == wanted) {
        return Ok(());
    }
    if is_link(&path) {
        return Ok(());
    }
    let mut addition = if text.is_empty() || text.ends_with(b"\n") {
        Vec::new()
    } else {
        b"\n".to_vec()
    };
    for line in [MARK, &wanted] {
        addition.extend_from_slice(line);
        addition.push(b'\n');
    }
    let mut file = repository
        .shared()
        .open(std::fs::OpenOptions::new().create(true).append(true), &path)
        .context("open", &path)?;
    file.write_all(&addition).context("write", &path)
}

/// Whether the file, or its directory, is a symbolic link. One may have come with an archive and
/// lead to a file that a shell reads when it starts: nothing is written through it.
fn is_link(path: &Path) -> bool {
    path.is_symlink() || path.parent().is_some_and(Path::is_symlink)
}

/// Refuses a worktree inside the main one that could not be ignored there.
pub(crate) fn ensure_writable(repository: &Repository, worktree: &Path) -> Result<()> {
    let path = file(repository);
    if pattern(repository, worktree)?.is_none() || !is_link(&path) {
        return Ok(());
    }
    let text = format!(
        "'{}' is a symbolic link, and git-lane writes through none",
        path.display()
    );
    let hint =
        "replace the link by a file, or start the lane outside the main worktree with --path";
    Err(Error::refused(text)
        .with_code(Code::ExcludeIsALink)
        .hint(hint))
}

/// Takes the line out again that [`add`] has written. The caller holds the registry lock.
pub(crate) fn remove(repository: &Repository, worktree: &Path) -> Result<()> {
    let Some(written) = pattern(repository, worktree)? else {
        return Ok(());
    };
    let path = file(repository);
    let Ok(text) = crate::store::optional::bytes(&path) else {
        return Ok(());
    };
    let Some(text) = without(&text, &written) else {
        return Ok(());
    };
    // What is behind a link is for the user to write.
    if is_link(&path) {
        return Ok(());
    }
    lockfile::replace(&path, repository.lane_dir(), &text)
}

/// The text without that line of git-lane's; `None` where there is none.
fn without(text: &[u8], written: &[u8]) -> Option<Vec<u8>> {
    let lines: Vec<&[u8]> = text.lines_with_terminator().collect();
    let at = lines.windows(2).position(|pair| {
        pair[0].trim_end() == MARK && pair[1].trim_end_with(|c| c == '\n') == written
    })?;
    Some([lines[..at].concat(), lines[at + 2..].concat()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lines_of_git_lanes_own_go() {
        let own = [MARK, b"\n/src/x/\n"].concat();
        let text = [b"*.o\n/src/x/\n".as_slice(), &own, b"last"].concat();
        assert_eq!(without(&text, b"/src/x/").unwrap(), b"*.o\n/src/x/\nlast");
        assert_eq!(without(b"*.o\n/src/x/\n", b"/src/x/"), None);
        assert_eq!(without(&text, b"/src/"), None);
    }

    #[test]
    fn a_pattern_means_what_the_path_says() {
        assert_eq!(escaped(b"src/x"), b"/src/x/");
        assert_eq!(escaped(b"a b/[x]*?\\!#"), br"/a\ b/\[x\]\*\?\\\!\#/");
    }
}
