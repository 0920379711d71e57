//! Whether git-lane itself could have written what an intent or an entry of the trash says, here
//! and for this user.
//!
//! Both may have come with an unpacked archive or from a sandboxed agent. So before anything is
//! deleted, moved, linked or written, every name and path in them is compared with the only shapes
//! and places that git-lane writes. Each operation says of its own fields which of the rules below
//! they follow; the reader of one asks here, once, and what does not fit is never acted on.
//!
//! A worktree may be anywhere the user has put it. Of places that are neither below the
//! repository's own directory of lanes nor inside its main worktree the user's [`registry`] must
//! say so, which is outside of every repository.
//!
//! Called by `operations/recover` and the trash before they act on what a file says.

pub mod branch_settings;
pub mod registry;
pub mod worktree_settings;

use std::path::{Component, Path, PathBuf};

use crate::domain::lane::{LaneId, RefName};
use crate::domain::trash_entry::{DELETING, Entry, Setting};
use crate::repository::Repository;
use crate::repository::revision;
use crate::store::lane_files;

/// Hidden directories of a main worktree that hold worktrees and nothing else.
pub const WORKTREES: [&str; 2] = [".worktrees", ".claude/worktrees"];

/// What does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// The field.
    field: &'static str,
    /// What it says.
    says: String,
}

impl std::fmt::Display for Misfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "its {} cannot be '{}'", self.field, self.says)
    }
}

/// What an operation's intent says of itself, field by field.
pub trait Asserts {
    /// Compares every name and path with its rule.
    fn asserts(&self, assertions: &mut Assertions<'_>);
}

/// The rules; the first field that breaks its own is remembered.
#[derive(Debug)]
pub struct Assertions<'a> {
    repository: &'a Repository,
    misfit: Option<Misfit>,
}

/// Why an intent cannot have been written by git-lane, if so.
pub fn misfit(repository: &Repository, intent: &impl Asserts) -> Option<Misfit> {
    let mut assertions = Assertions {
        repository,
        misfit: None,
    };
    intent.asserts(&mut assertions);
    assertions.misfit
}

/// Why the entry in the directory `directory` of the trash cannot, if so. The place of its worktree
/// is another matter: [`may_return`] is asked before the lane is brought back.
pub fn misfit_of_entry(repository: &Repository, directory: &Path, entry: &Entry) -> Option<Misfit> {
    let mut assertions = Assertions {
        repository,
        misfit: None,
    };
    let name = directory
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    assertions.that(
        "id",
        &entry.id,
        name.strip_prefix(DELETING).unwrap_or(name) == entry.id,
    );
    assertions.entry(entry);
    for (part, is_directory) in [
        ("admin", true),
        ("worktree", true),
        ("dot-git", false),
        ("reflog", false),
    ] {
        let path = directory.join(part);
        assertions.that(
            part,
            path.display(),
            !lane_files::is_unfit(&path, is_directory),
        );
    }
    assertions.misfit
}

impl<'a> Assertions<'a> {
    /// The repository.
    pub fn repository(&self) -> &'a Repository {
        self.repository
    }

    /// A rule of the operation's own.
    pub fn that(&mut self, field: &'static str, says: impl std::fmt::Display, fits: bool) {
        if !fits && self.misfit.is_none() {
            self.misfit = Some(Misfit {
                field,
                says: says.to_string(),
            });
        }
    }

    /// An id: safe as a part of a path and of a ref.
    pub fn id(&mut self, field: &'static str, id: &str) {
        self.that(field, id, LaneId::parse(id).is_some());
    }

    /// The full name of a branch.
    pub fn branch(&mut self, field: &'static str, name: &RefName) {
        self.that(field, name, name.as_bstr().starts_with(b"refs/heads/"));
    }

    /// The name of an admin directory.
    pub fn admin_name(&mut self, field: &'static str, name: &Path) {
        self.that(field, name.display(), is_name(name));
    }

    /// An admin directory of this repository, whether or not it is there.
    pub fn admin(&mut self, field: &'static str, path: &Path) {
        let worktrees = self.repository.common_dir().join("worktrees");
        let fits = is_child(path, &worktrees) && is_real(&worktrees) && is_real(path);
        self.that(field, path.display(), fits);
    }

    /// The same, or the git directory of the main worktree.
    pub fn git_dir(&mut self, field: &'static str, path: &Path) {
        if path != self.repository.common_dir() {
            self.admin(field, path);
        }
    }

    /// A directory in which an admin directory is made.
    pub fn staging(&mut self, field: &'static str, path: &Path) {
        let staging = self.repository.lane_dir().join("staging");
        self.that(
            field,
            path.display(),
            is_child(path, &staging) && has_id(path, "") && is_real(&staging),
        );
    }

    /// The copy of an index that is to take its place.
    pub fn index_copy(&mut self, field: &'static str, path: &Path, git_dir: &Path) {
        self.that(
            field,
            path.display(),
            is_child(path, git_dir) && has_id(path, "lane-index-"),
        );
    }

    /// A place where git-lane has put, or would put, a worktree of this repository.
    pub fn place(&mut self, field: &'static str, path: &Path) {
        let fits = is_possible(self.repository, path) && is_believed(self.repository, path);
        self.that(field, path.display(), fits);
    }

    /// What is written into `.git/config` about a branch.
    pub fn settings(&mut self, field: &'static str, settings: &[Setting]) {
        let (_, doubted) = branch_settings::believed(self.repository, settings);
        if let Some(setting) = doubted.first() {
            self.that(
                field,
                format_args!("{} = {}", setting.key, setting.value),
                false,
            );
        }
    }

    /// What an entry says, but for the place of its worktree.
    pub fn entry(&mut self, entry: &Entry) {
        self.id("id", &entry.id);
        self.id("lane id", entry.lane.id.as_str());
        if let Some(worktree) = &entry.worktree {
            self.admin_name("admin directory", &worktree.admin);
            let possible = is_possible(self.repository, &worktree.path);
            self.that("worktree", worktree.path.display(), possible);
        }
    }
}

/// One part of a path, and no way up.
fn is_name(name: &Path) -> bool {
    let mut parts = name.components();
    let normal = matches!(parts.next(), Some(Component::Normal(_))) && parts.next().is_none();
    // `a/` has one component too.
    normal && !name.as_os_str().as_encoded_bytes().contains(&b'/')
}

fn is_child(path: &Path, parent: &Path) -> bool {
    path.parent() == Some(parent)
        && path
            .file_name()
            .is_some_and(|name| path == parent.join(name))
}

/// Whether the last part of the path is `prefix` and an id.
fn has_id(path: &Path, prefix: &str) -> bool {
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .and_then(|name| name.strip_prefix(prefix));
    name.is_some_and(|id| LaneId::parse(id).is_some())
}

/// Whether a directory is there, or nothing.
fn is_real(path: &Path) -> bool {
    !lane_files::is_unfit(path, true)
}

/// Whether the path leads straight to a place beside or below what is no business of a lane:
/// neither git's own directories nor anything that holds the repository.
pub fn is_possible(repository: &Repository, path: &Path) -> bool {
    let plain = |part: Component| match part {
        Component::RootDir => true,
        Component::Normal(name) => !name.eq_ignore_ascii_case(".git"),
        _ => false,
    };
    let main = repository.main_site().0;
    let common_dir = repository.common_dir();
    let holds = |inner: &Path| inner.starts_with(path);
    path.is_absolute()
        && path.file_name().is_some()
        && path.components().all(plain)
        && !(holds(&main) || holds(common_dir) || path.starts_with(common_dir))
}

/// Whether a lane of this repository may be there: its usual places, and what the user's registry
/// knows of.
pub fn is_believed(repository: &Repository, path: &Path) -> bool {
    is_usual(repository, path) || registry::knows(repository.common_dir(), path)
}

/// Below the repository's directory of lanes, or inside its main worktree where nothing is hidden
/// but worktrees.
pub fn is_usual(repository: &Repository, path: &Path) -> bool {
    let (main, _) = repository.main_site();
    is_among_lanes(&main, path) || path.strip_prefix(&main).is_ok_and(is_shown)
}

/// Whether the place is below the repository's directory of lanes.
pub fn is_below_lanes(repository: &Repository, path: &Path) -> bool {
    is_among_lanes(&repository.main_site().0, path)
}

/// Whether the place is below the directory of lanes of the repository that is, or was, at `main`.
fn is_among_lanes(main: &Path, path: &Path) -> bool {
    let Some(parent) = main.parent() else {
        return false;
    };
    let lanes = parent.join(crate::store::path(
        &[&revision::repository_name(main)[..], b".lanes"].concat(),
    ));
    path.strip_prefix(lanes).is_ok_and(is_shown)
}

/// Whether nothing in a path below a directory of worktrees is hidden, but for the two that other
/// programs use for them.
fn is_shown(below: &Path) -> bool {
    let below = WORKTREES
        .iter()
        .find_map(|known| below.strip_prefix(known).ok())
        .unwrap_or(below);
    let mut parts = below.iter().peekable();
    parts.peek().is_some() && parts.all(|part| !part.as_encoded_bytes().starts_with(b"."))
}

/// Remembers that a worktree of this repository is there by the user's will, where nothing else
/// says so.
pub fn remember(repository: &Repository, path: &Path) {
    if !is_usual(repository, path) {
        registry::add(repository.common_dir(), path);
    }
}

/// Whether the worktree of an entry may come back to where it was; `then` is that place in the
/// words of its file.
pub fn may_return(repository: &Repository, entry: &Entry, parked: impl FnOnce() -> bool) -> bool {
    let Some(worktree) = &entry.worktree else {
        return true;
    };
    let then: PathBuf = worktree
        .was_at
        .clone()
        .unwrap_or_else(|| worktree.path.clone());
    // The repository may have moved on alone.
    let common_dir = &worktree.common_dir;
    let main = if common_dir.ends_with(".git") {
        common_dir.parent()
    } else {
        Some(common_dir.as_path())
    };
    worktree.directory.is_none()
        || main.is_some_and(|main| is_among_lanes(main, &then))
        || is_believed(repository, &worktree.path)
        || registry::knows(&worktree.common_dir, &then)
        || parked()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_part_of_a_path() {
        for (name, fits) in [
            ("login", true),
            (".x", true),
            ("", false),
            (".", false),
            ("..", false),
            ("a/b", false),
        ] {
            assert_eq!(is_name(Path::new(name)), fits, "{name}");
        }
        assert!(
            !is_name(Path::new("/a")) && !is_name(Path::new("a/")) && !is_name(Path::new("../x"))
        );
    }

    #[test]
    fn a_child_is_spelled_as_git_lane_spells_it() {
        let parent = Path::new("/r/.git/lane/staging");
        for (path, fits) in [
            ("/r/.git/lane/staging/0123", true),
            ("/r/.git/lane/staging", false),
            ("/r/.git/lane/staging/..", false),
            ("/r/.git/lane/staging/a/b", false),
            ("/r/.git/lane/staging/../staging/0123", false),
        ] {
            assert_eq!(is_child(Path::new(path), parent), fits, "{path}");
        }
        assert!(
            has_id(Path::new("/x/lane-index-01ab"), "lane-index-")
                && !has_id(Path::new("/x/lane-index-A"), "lane-index-")
        );
    }
}
