//! Cone-mode sparse checkout for one worktree, without `extensions.worktreeConfig`.
//!
//! The cone is git's own `info/sparse-checkout` of the worktree. The two settings that make git
//! look at it must reach this worktree only. Where `extensions.worktreeConfig` is on they go to
//! `config.worktree`. Where it is off it stays off: they go to [`SPARSE_CONFIG`] in the
//! administrative directory, and the caller adds to the shared config
//!
//! ```text
//! [includeIf "gitdir:./worktrees/<id>"]
//!     path = worktrees/<id>/lane-sparse.config
//! ```
//!
//! Git evaluates the condition against the worktree's own git directory, so no other worktree ever
//! sees the settings. `core.sparseCheckout` in the shared config works too, but then every `git
//! status` of the main worktree claims "You are in a sparse checkout with 100% of tracked files
//! present". An include whose file is gone is ignored by git.

use std::{collections::BTreeSet, fs, path::Path};

use gix::bstr::{BString, ByteSlice as _};

use crate::error::{Error, IoContext as _, Result};
use crate::store::git::settings::SPARSE_CONFIG;
use crate::store::permissions::Shared;

const SETTINGS: &str = "[core]\n\tsparseCheckout = true\n\tsparseCheckoutCone = true\n";

/// A cone: the directories to check out, beside the files at the top and next to every directory on
/// the way.
#[derive(Debug, Clone, Default)]
pub struct Sparse {
    /// Relative to the top, separated by `/`.
    pub directories: Vec<BString>,
}

impl Sparse {
    /// Writes the patterns and settings into `admin_dir`.
    pub(super) fn write(
        &self,
        admin_dir: &Path,
        worktree_config: bool,
        shared: Shared,
    ) -> Result<()> {
        let info = admin_dir.join("info");
        shared.create_dir_all(&info).context("create", &info)?;
        let file = info.join("sparse-checkout");
        shared
            .write(&file, self.patterns()?)
            .context("write", &file)?;
        let config = admin_dir.join(if worktree_config {
            "config.worktree"
        } else {
            SPARSE_CONFIG
        });
        let mut text = match fs::read(&config) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
            other => other,
        }
        .context("read", &config)?;
        if !text.is_empty() && !text.ends_with(b"\n") {
            text.push(b'\n');
        }
        text.extend_from_slice(SETTINGS.as_bytes());
        shared.write(&config, text).context("write", &config)
    }

    /// The cone as `git sparse-checkout set --cone` writes it (git-sparse-checkout(1),
    /// "Internals").
    fn patterns(&self) -> Result<Vec<u8>> {
        let mut recursive = BTreeSet::new();
        let mut parents = BTreeSet::new();
        for directory in &self.directories {
            let trimmed = directory.trim_with(|c| c == '/');
            if trimmed
                .split_str("/")
                .any(|name| matches!(name, b"" | b"." | b".."))
                || trimmed.contains(&b'\n')
            {
                return Err(Error::usage(format!(
                    "'{directory}' is not a directory of the repository"
                )));
            }
            recursive.insert(trimmed.to_vec());
            parents.extend(ancestors(trimmed).map(<[u8]>::to_vec));
        }
        let covered = |path: &[u8]| ancestors(path).any(|above| recursive.contains(above));
        let mut text = b"/*\n!/*/\n".to_vec();
        for parent in parents
            .iter()
            .filter(|path| !recursive.contains(*path) && !covered(path))
        {
            let parent = escape(parent);
            text.extend_from_slice(
                &[b"/", parent.as_slice(), b"/\n!/", &parent, b"/*/\n"].concat(),
            );
        }
        for directory in recursive.iter().filter(|path| !covered(path)) {
            text.extend_from_slice(&[b"/", escape(directory).as_slice(), b"/\n"].concat());
        }
        Ok(text)
    }
}

/// `a` and `a/b` for `a/b/c`.
fn ancestors(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'/')
        .map(|(at, _)| &path[..at])
}

fn escape(path: &[u8]) -> Vec<u8> {
    path.iter()
        .flat_map(|&byte| {
            matches!(byte, b'*' | b'?' | b'[' | b'\\')
                .then_some(b'\\')
                .into_iter()
                .chain([byte])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(directories: &[&str]) -> String {
        let sparse = Sparse {
            directories: directories.iter().map(|&path| path.into()).collect(),
        };
        sparse
            .patterns()
            .map(|text| text.to_str_lossy().into_owned())
            .unwrap_or_else(|error| error.to_string())
    }

    #[test]
    fn cones_read_as_git_writes_them() {
        assert_eq!(patterns(&[]), "/*\n!/*/\n");
        assert_eq!(patterns(&["a"]), "/*\n!/*/\n/a/\n");
        assert_eq!(
            patterns(&["a/b/", "c"]),
            "/*\n!/*/\n/a/\n!/a/*/\n/a/b/\n/c/\n"
        );
        assert_eq!(patterns(&["a", "a/b"]), "/*\n!/*/\n/a/\n");
        assert_eq!(patterns(&["we[i]rd"]), "/*\n!/*/\n/we\\[i]rd/\n");
        assert_eq!(
            patterns(&["../x"]),
            "'../x' is not a directory of the repository"
        );
    }
}
