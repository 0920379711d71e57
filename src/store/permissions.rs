//! `core.sharedRepository` (git-config(1)): the modes of what the users of a repository share.
//!
//! Everything that git-lane makes in a repository is made here, or adjusted here before others may
//! need it, by the rule of git's own `adjust_shared_perm`. The repository's handle and that of
//! `.git/lane` ([`LaneDir`](super::lane_files::LaneDir)) have the setting with them.
//!
//! Not made here: the files of a worktree, which have the modes the user's umask gives them, as
//! git's have.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{ErrorKind, Result, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// What the configuration says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shared {
    /// Nothing: the umask decides.
    Umask,
    /// Permissions to add.
    Add(u32),
    /// The permissions, whatever the umask.
    Set(u32),
}

impl Shared {
    /// What `core.sharedRepository` of this repository says, from whichever configuration file.
    pub fn of(repository: &gix::Repository) -> Self {
        let value = repository.config_snapshot().string("core.sharedRepository");
        value.map_or(Shared::Umask, |value| Shared::parse(&value.to_string()))
    }

    /// What makes no sense shares nothing; git refuses to work in such a repository.
    fn parse(value: &str) -> Self {
        match value.to_ascii_lowercase().as_str() {
            "umask" | "false" | "no" | "off" | "0" => Shared::Umask,
            "group" | "true" | "yes" | "on" | "1" | "" => Shared::Add(0o660),
            "all" | "world" | "everybody" | "2" => Shared::Add(0o664),
            octal => u32::from_str_radix(octal, 8).map_or(Shared::Umask, |mode| match mode {
                0 => Shared::Umask,
                1 => Shared::Add(0o660),
                2 => Shared::Add(0o664),
                mode => Shared::Set(mode & 0o666),
            }),
        }
    }

    /// The mode for what has `mode` now.
    fn mode(self, mode: u32, directory: bool) -> u32 {
        let (Shared::Add(wanted) | Shared::Set(wanted)) = self else {
            return mode;
        };
        let writable = if mode & 0o200 == 0 {
            wanted & !0o222
        } else {
            wanted
        };
        let tweak = if mode & 0o100 == 0 {
            writable
        } else {
            writable | (writable & 0o444) >> 2
        };
        let mut new = if matches!(self, Shared::Set(_)) {
            mode & !0o777 | tweak
        } else {
            mode | tweak
        };
        if directory {
            new |= (new & 0o444) >> 2;
            // What is made in there belongs to the directory's group.
            new |= if new & 0o060 == 0 { 0 } else { 0o2000 };
        }
        new
    }

    /// Gives `path` the mode it should have. What is gone, or another user's, is not ours to
    /// adjust.
    pub fn adjust(self, path: &Path) -> Result<()> {
        if self == Shared::Umask {
            return Ok(());
        }
        let adjusted = std::fs::symlink_metadata(path).and_then(|now| {
            let mode = now.permissions().mode() & 0o7777;
            let wanted = self.mode(mode, now.is_dir());
            // A link would have what it leads to changed.
            if mode == wanted || now.is_symlink() {
                Ok(())
            } else {
                std::fs::set_permissions(path, Permissions::from_mode(wanted))
            }
        });
        match adjusted {
            Err(error)
                if !matches!(
                    error.kind(),
                    ErrorKind::NotFound | ErrorKind::PermissionDenied
                ) =>
            {
                Err(error)
            }
            _ => Ok(()),
        }
    }

    /// Whether several users share the repository.
    pub fn is_set(self) -> bool {
        self != Shared::Umask
    }

    /// Opens a file that may be made by that.
    pub fn open(self, options: &OpenOptions, path: &Path) -> Result<File> {
        let file = options.open(path)?;
        self.adjust(path).map(|()| file)
    }

    /// Like [`File::create`].
    pub fn create(self, path: &Path) -> Result<File> {
        self.open(
            OpenOptions::new().write(true).create(true).truncate(true),
            path,
        )
    }

    /// Like [`std::fs::write`].
    pub fn write(self, path: &Path, content: impl AsRef<[u8]>) -> Result<()> {
        self.create(path)?.write_all(content.as_ref())
    }

    /// Like [`std::fs::copy`].
    pub fn copy(self, from: &Path, to: &Path) -> Result<()> {
        std::fs::copy(from, to)?;
        self.adjust(to)
    }

    /// Like [`std::fs::create_dir`].
    pub fn create_dir(self, path: &Path) -> Result<()> {
        std::fs::create_dir(path)?;
        self.adjust(path)
    }

    /// Like [`std::fs::create_dir_all`].
    pub fn create_dir_all(self, path: &Path) -> Result<()> {
        let there = |made: Result<()>| {
            if made.is_err() && path.is_dir() {
                Ok(())
            } else {
                made
            }
        };
        match (self.create_dir(path), path.parent()) {
            (Err(error), Some(parent)) if error.kind() == ErrorKind::NotFound => {
                self.create_dir_all(parent)?;
                there(self.create_dir(path))
            }
            (made, _) => there(made),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_setting_is_read_as_git_reads_it() {
        let table = [
            ("umask", Shared::Umask),
            ("false", Shared::Umask),
            ("00", Shared::Umask),
            ("group", Shared::Add(0o660)),
            ("1", Shared::Add(0o660)),
            ("all", Shared::Add(0o664)),
            ("0002", Shared::Add(0o664)),
            ("0640", Shared::Set(0o640)),
            ("0777", Shared::Set(0o666)),
            ("nonsense", Shared::Umask),
        ];
        for (value, expected) in table {
            assert_eq!(Shared::parse(value), expected, "{value}");
        }
    }

    #[test]
    fn modes_are_those_of_adjust_shared_perm() {
        let table = [
            (Shared::Umask, 0o644, false, 0o644),
            (Shared::Add(0o660), 0o644, false, 0o664),
            (Shared::Add(0o660), 0o600, false, 0o660),
            (Shared::Add(0o660), 0o444, false, 0o444),
            (Shared::Add(0o660), 0o400, false, 0o440),
            (Shared::Add(0o660), 0o755, false, 0o775),
            (Shared::Add(0o660), 0o755, true, 0o2775),
            (Shared::Add(0o664), 0o700, true, 0o2775),
            (Shared::Set(0o640), 0o644, false, 0o640),
            (Shared::Set(0o660), 0o444, false, 0o440),
            (Shared::Set(0o660), 0o755, true, 0o2770),
            (Shared::Set(0o600), 0o755, true, 0o700),
        ];
        for (shared, mode, directory, expected) in table {
            assert_eq!(
                shared.mode(mode, directory),
                expected,
                "{shared:?} {mode:o}"
            );
        }
    }
}
