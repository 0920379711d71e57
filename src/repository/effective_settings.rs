//! The settings of a repository as git has them in one of its worktrees, and whether git takes it
//! for a repository at all.

use std::borrow::Cow;
use std::path::Path;

use bstr::BString;
use gix::config::Source;

use crate::domain::lane::Worktree;
use crate::error::{Code, Error, Result};
use crate::repository::Repository;
use crate::store::git::settings::{as_in, configured, differ_by_worktree};

impl Repository {
    /// gix's view with the settings git has in `worktree`; costs nothing where no setting can
    /// differ there.
    pub fn as_in(&self, worktree: &Worktree) -> Result<Cow<'_, gix::Repository>> {
        as_in(&self.gix, &worktree.path, &worktree.git_dir)
    }

    /// gix's view with the settings of a git that runs in `directory`, a worktree's or the
    /// repository's own.
    pub fn as_at(&self, directory: &Path) -> Result<Cow<'_, gix::Repository>> {
        if !self.settings_differ() {
            return Ok(Cow::Borrowed(&self.gix));
        }
        configured(&self.gix, self.git_as_user_at(directory)).map(Cow::Owned)
    }

    /// A configuration value as a git has it that runs in `directory`.
    pub fn config_at(&self, directory: &Path, key: &str) -> Result<Option<BString>> {
        Ok(self.as_at(directory)?.config_snapshot().string(key))
    }

    /// A boolean configuration value as a git has it that runs in `directory`; `false` when unset.
    pub fn config_bool_at(&self, directory: &Path, key: &str) -> Result<bool> {
        Ok(self
            .as_at(directory)?
            .config_snapshot()
            .boolean(key)
            .unwrap_or(false))
    }

    /// Whether some setting can differ from worktree to worktree.
    pub fn settings_differ(&self) -> bool {
        differ_by_worktree(&self.gix) || self.config_bool("extensions.worktreeConfig")
    }
}

/// Extensions every git knows that git-lane works with, by the lowest
/// `core.repositoryFormatVersion` that has them.
const KNOWN_EXTENSIONS: [(&str, i64); 6] = [
    ("noop", 0),
    ("preciousobjects", 0),
    ("partialclone", 0),
    ("worktreeconfig", 0),
    ("noop-v1", 1),
    ("objectformat", 1),
];

/// Refuses a repository that the git beside this program refuses: its format is newer than that
/// git, or of no git. Git is asked only where the format is not one that every git knows.
pub fn ensure_git_accepts(repository: &Repository) -> Result<()> {
    let config = repository.gix.config_snapshot();
    let own = |section: &gix::config::file::SectionRef<'_>| section.meta().source == Source::Local;
    let version = config.integer("core.repositoryFormatVersion").unwrap_or(0);
    let known = |name: &str| {
        KNOWN_EXTENSIONS
            .iter()
            .any(|(known, since)| name.eq_ignore_ascii_case(known) && version >= *since)
    };
    let sections = config
        .plumbing()
        .sections_by_name("extensions")
        .into_iter()
        .flatten();
    let mut names = sections
        .filter(own)
        .flat_map(|section| section.value_names().collect::<Vec<_>>());
    if (0..=1).contains(&version) && names.all(|name| known(&name)) {
        return Ok(());
    }
    let Some(said) = repository.git_here().complaint()? else {
        return Ok(());
    };
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    Err(Error::environment(format!(
        "git does not work in this repository: {}",
        said.trim_start_matches("fatal: ")
    ))
    .with_code(Code::UnsupportedRepository)
    .hint(
        "install the git that wrote it, or see its settings with: git config --file .git/config \
         --list",
    ))
}
