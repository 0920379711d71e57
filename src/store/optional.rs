//! Reading what need not be there. A file that is absent says something; one that cannot be read
//! says nothing, and a command that takes a lane away must not take the second for the first.
//!
//! Files are read only where they are regular ones, or links to such: an agent in a sandbox can
//! leave a pipe in git's own directories too, and the next command would wait for its other end.

use std::fs::{DirEntry, File, Metadata, OpenOptions};
use std::io::{Error as IoError, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;

use super::small_file;
use crate::error::{Code, Error, IoContext, Result};

/// The bytes of a file; `None` where there is none.
///
/// # Errors
/// Code `unreadable` where it is there, or may be, and another user's umask keeps this one out.
pub fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    there(path, bytes(path))
}

/// A file, opened for reading; `None` where there is none.
///
/// # Errors
/// As [`read`].
pub fn open(path: &Path) -> Result<Option<File>> {
    there(path, plain(path))
}

/// Like [`std::fs::read`], of a regular file.
pub(crate) fn bytes(path: impl AsRef<Path>) -> Result<Vec<u8>, IoError> {
    Ok(small_file::read_all(plain(path.as_ref())?)?)
}

/// Opens a regular file, and never waits for the other end of a pipe.
fn plain(path: &Path) -> Result<File, IoError> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
        .open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(IoError::new(ErrorKind::InvalidData, "it is no plain file"))
    }
}

/// What a directory holds; `None` where there is none.
///
/// # Errors
/// As [`read`].
pub fn list(path: &Path) -> Result<Option<Vec<DirEntry>>> {
    there(path, std::fs::read_dir(path).and_then(Iterator::collect))
}

/// What `lstat` says of a path; `None` where nothing is.
///
/// # Errors
/// As [`read`].
pub fn metadata(path: &Path) -> Result<Option<Metadata>> {
    there(path, std::fs::symlink_metadata(path))
}

/// What git finds at a path in its own directories, where it goes through symbolic links
/// (`files_read_raw_ref` in refs/files-backend.c); `None` where nothing is, or a link that leads to
/// no file: as a symbolic ref of old it names another ref.
///
/// # Errors
/// As [`read`], and where a link leads to a directory: git would go on there, to wherever its links
/// lead.
pub fn followed(path: &Path) -> Result<Option<Metadata>> {
    let Some(found) = metadata(path)? else {
        return Ok(None);
    };
    if !found.is_symlink() {
        return Ok(Some(found));
    }
    match there(path, std::fs::metadata(path))? {
        Some(found) if found.is_dir() => Err(Error::environment(format!(
            "'{}' is a symbolic link to a directory, so that what git finds there may be lost",
            path.display()
        ))
        .with_code(Code::Unreadable)
        .hint("put the directory itself in its place")),
        found => Ok(found),
    }
}

fn there<T>(path: &Path, found: Result<T, IoError>) -> Result<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Err(unreadable(path, error)),
        Err(error) => Err(error).context("read", path),
    }
}

fn unreadable(path: &Path, error: IoError) -> Error {
    Error::environment(format!(
        "cannot read '{}', so that what it holds may be lost",
        path.display()
    ))
    .with_code(Code::Unreadable)
    .caused_by(error)
    .hint(format!(
        "ask its owner for: chmod g+rX {}",
        crate::domain::shell_word::quote(path.display())
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_is_none_and_what_cannot_be_read_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        std::fs::write(&file, "x").unwrap();
        assert_eq!(read(&file).unwrap().as_deref(), Some(&b"x"[..]));
        for absent in ["none", "file/below"] {
            assert!(read(&directory.path().join(absent)).unwrap().is_none());
            assert!(list(&directory.path().join(absent)).unwrap().is_none());
            assert!(metadata(&directory.path().join(absent)).unwrap().is_none());
        }
        assert!(read(directory.path()).is_err());
    }

    #[test]
    fn a_link_is_what_it_leads_to_and_never_a_directory() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        std::fs::write(at("file"), "x").unwrap();
        for (link, target) in [
            ("a", "file"),
            ("b", "a"),
            ("ref", "refs/heads/main"),
            ("c", "."),
            ("loop", "loop"),
        ] {
            std::os::unix::fs::symlink(target, at(link)).unwrap();
        }
        for file in ["file", "a", "b"] {
            assert!(
                followed(&at(file))
                    .unwrap()
                    .is_some_and(|found| found.is_file()),
                "{file}"
            );
        }
        assert!(
            followed(&at("ref")).unwrap().is_none() && followed(&at("none")).unwrap().is_none()
        );
        assert!(
            followed(directory.path())
                .unwrap()
                .is_some_and(|found| found.is_dir())
        );
        assert!(followed(&at("c")).is_err() && followed(&at("loop")).is_err());
    }

    #[test]
    fn a_pipe_is_an_error_and_never_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let (pipe, link, device) = (
            directory.path().join("pipe"),
            directory.path().join("a"),
            directory.path().join("b"),
        );
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &pipe,
            rustix::fs::FileType::Fifo,
            0o600.into(),
            0,
        )
        .unwrap();
        std::os::unix::fs::symlink(&pipe, &link).unwrap();
        std::os::unix::fs::symlink("/dev/zero", &device).unwrap();
        for path in [&pipe, &link, &device] {
            assert!(
                read(path).is_err() && open(path).is_err() && bytes(path).is_err(),
                "{}",
                path.display()
            );
        }
    }
}
