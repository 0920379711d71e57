//! Listings that show every byte of a directory, its times and its modes.

use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

/// Everything below `directory`.
pub fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.file_type().unwrap().is_dir() {
            found.extend(files(&entry.path()));
        }
        found.push(entry.path());
    }
    found
}

/// Every entry below `directory` with kind, mode, time and content; equal before and after means
/// byte for byte.
pub fn listing(directory: &Path) -> String {
    let mut lines: Vec<String> = files(directory)
        .iter()
        .map(|path| describe(directory, path))
        .collect();
    lines.push(describe(directory, directory));
    lines.sort();
    lines.join("\n")
}

/// A short word for bytes: equal for equal ones.
pub fn digest(bytes: &[u8]) -> String {
    use std::hash::{DefaultHasher, Hasher};
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    format!("{} bytes {:x}", bytes.len(), hasher.finish())
}

/// Names and values of the extended attributes, where there are any.
fn attributes(path: &Path) -> String {
    let mut names = [0; 1024];
    let length = rustix::fs::llistxattr(path, &mut names).unwrap_or(0);
    let mut found = String::new();
    for name in names[..length]
        .split(|byte| *byte == 0)
        .filter(|name| name.starts_with(b"user."))
    {
        let mut value = [0; 1024];
        let length = rustix::fs::lgetxattr(path, name, &mut value).unwrap_or(0);
        found += &format!("{}={}", name.escape_ascii(), value[..length].escape_ascii());
    }
    found
}

fn describe(root: &Path, path: &Path) -> String {
    let metadata = std::fs::symlink_metadata(path).unwrap();
    let kind = metadata.file_type();
    let content = if kind.is_symlink() {
        format!("-> {:?}", std::fs::read_link(path).unwrap())
    } else if kind.is_file() {
        digest(&std::fs::read(path).unwrap())
    } else if kind.is_fifo() || kind.is_socket() {
        "special".into()
    } else {
        String::new()
    };
    // Renaming entries in an admin directory is git's and our own business; only its content
    // counts.
    let time = if root
        .ancestors()
        .any(|above| above.ends_with(".git/worktrees"))
        && kind.is_dir()
    {
        String::new()
    } else {
        format!("{}.{:09}", metadata.mtime(), metadata.mtime_nsec())
    };
    // The same file, not a copy of it: other names of it elsewhere still mean it.
    let file = if kind.is_dir() {
        String::new()
    } else {
        format!("{}.{}", metadata.ino(), metadata.nlink())
    };
    let (owner, notes) = (
        format!("{}:{}", metadata.uid(), metadata.gid()),
        attributes(path),
    );
    format!(
        "{:?} {:o} {owner} {file} {time} {notes} {content}",
        path.strip_prefix(root).unwrap(),
        metadata.mode()
    )
}
