//! The repository the user stands in: where it is, which worktree that is, what its configuration
//! says.
//!
//! Discovery goes by the current directory. An inherited `GIT_DIR` counts only where the directory
//! is in no repository; when both name different repositories nothing is done, because a hook's
//! leftover must not pick what gets removed.
//!
//! The guard, `install`, the operations and the commands call it.

mod across_threads;
pub mod admin_dir;
pub mod alias;
pub mod branch_moved_behind;
pub mod branch_rename;
pub mod claims;
pub mod effective_settings;
pub mod exclude;
pub mod find_worktree;
pub mod gate_rules;
pub mod head_move;
pub mod heads;
pub mod hook_file;
pub mod identity;
pub mod index_change;
pub mod kept_pack;
pub mod main_worktree;
pub mod metadata;
pub mod policy_files;
pub mod provenance;
pub mod publication;
pub mod push_destination;
pub mod quarantine;
pub mod recovered;
pub mod ref_transaction;
pub mod reflog;
pub mod refs;
pub mod remote_branch;
pub mod renames;
pub mod resolver_lock;
pub mod revision;
pub mod slot_place;
pub mod sparse_checkout;
pub mod start_facts;
pub mod submodules;
pub mod tree_diff;
pub mod tried;
pub mod unrecovered;
mod unusable;
pub mod upstream;
mod user_hooks;
pub mod worktree;

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use bstr::BString;

use gix::odb::store::init::Slots;

use crate::domain::lane::Worktree;
use crate::domain::shell_word::quote;
use crate::error::{Code, Error, IoContext, Result};
use crate::repository::find_worktree::leads_to;
use crate::repository::main_worktree::{Known, Top};
use crate::repository::metadata::{Memo, Records};
use crate::repository::unrecovered::Unrecovered;
use crate::store::events::{Log, Trouble};
use crate::store::git;
use crate::store::git::Git;
use crate::store::git::settings;
use crate::store::lane_files::LaneDir;
use crate::store::optional;
use crate::store::permissions::Shared;

/// Room for the packs that other landings make while this process waits: each makes some, and gix
/// finds no object in a pack that it has no slot for.
pub(crate) const PACK_SLOTS: Slots = Slots::AsNeededByDiskState {
    multiplier: 2.0,
    minimum: 1024,
};

/// How a repository stores its refs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefFormat {
    /// Loose files and `packed-refs`.
    Files,
    /// `extensions.refStorage = reftable`: git reads and writes it for us.
    Reftable,
}

/// An open repository.
#[derive(Debug, Clone)]
pub struct Repository {
    /// gix's view of it, opened at the common directory: the worktree the caller stands in may be
    /// on its way out.
    pub gix: gix::Repository,
    /// The git program.
    pub git: Git,
    git_dir: PathBuf,
    common_dir: PathBuf,
    lane_dir: LaneDir,
    ref_format: RefFormat,
    main: Known,
    /// Never more than the file says at that moment.
    records: Rc<Memo>,
    /// What was found in the worktrees of lanes, as long as no directory in there has changed.
    pub(crate) walks: Rc<submodules::Memo>,
    /// What [`recover`](crate::operations::recover::recover) could not heal.
    pub(crate) unrecovered: Unrecovered,
    /// Where it is noted that the event log cannot be written.
    pub(crate) log_trouble: Trouble,
}

impl Repository {
    /// Opens the repository the current directory is in.
    pub fn discover() -> Result<Self> {
        let cwd = std::env::current_dir().map_err(|error| {
            Error::environment("the current directory is gone")
                .caused_by(error)
                .hint("cd to a directory that exists")
        })?;
        Self::discover_from(&cwd)
    }

    /// Opens the repository `directory` is in.
    pub fn discover_from(directory: &Path) -> Result<Self> {
        let options = gix::discover::upwards::Options::default().apply_environment();
        let found = gix::discover::upwards_opts(directory, options).ok();
        let (here, top) =
            match found.map(|(path, _)| path.into_repository_and_work_tree_directories()) {
                Some((here, top)) => (Some(here), top),
                None => (None, None),
            };
        let inherited = std::env::var_os(git::INHERITED_DIR)
            .filter(|dir| !dir.is_empty())
            .map(|dir| directory.join(dir));
        let git_dir = match (here, &inherited) {
            (Some(here), Some(inherited)) if !same_repository(&here, inherited) => {
                return Err(Error::environment(format!(
                    "GIT_DIR names '{}', but this directory belongs to '{}'",
                    inherited.display(),
                    here.display()
                ))
                .with_code(Code::TwoRepositories)
                .hint(
                    "unset GIT_DIR, or run the command in a directory of the repository it names",
                ));
            }
            (Some(here), _) => {
                // A `.git` without an index is taken for a bare repository, except by who stands
                // beside it.
                let beside = || {
                    here.parent()
                        .filter(|_| here.ends_with(".git") && !directory.starts_with(&here))
                };
                let found = top.or_else(|| beside().map(Path::to_owned));
                let named = inherited
                    .is_some_and(|named| std::fs::canonicalize(named).ok() == common(&here));
                let repository = Self::open(
                    &here,
                    Top {
                        told: given_work_tree(directory),
                        found,
                        named,
                    },
                )?;
                effective_settings::ensure_git_accepts(&repository)?;
                return repository
                    .ensure_not_smuggled(&here, directory)
                    .map(|()| repository);
            }
            (None, Some(inherited)) => inherited.clone(),
            (None, None) => {
                return Err(unusable::in_none(directory));
            }
        };
        let repository = Self::open(
            &git_dir,
            Top {
                told: given_work_tree(directory),
                ..Top::default()
            },
        )?;
        effective_settings::ensure_git_accepts(&repository).map(|()| repository)
    }

    /// Opens the repository of a worktree's git directory, as a hook is told it.
    pub fn at(git_dir: &Path) -> Result<Self> {
        let here = std::env::current_dir().ok();
        let real = std::fs::canonicalize(git_dir).context("find", git_dir)?;
        Self::open(
            git_dir,
            Top {
                found: here.filter(|here| leads_to(here, &real)),
                ..Top::default()
            },
        )
    }

    /// The directory that all worktrees of the repository around `directory` share, whether or not
    /// it can be opened.
    pub fn common_dir_around(directory: &Path) -> Option<PathBuf> {
        let options = gix::discover::upwards::Options::default().apply_environment();
        let (found, _) = gix::discover::upwards_opts(directory, options).ok()?;
        let git_dir =
            std::fs::canonicalize(found.into_repository_and_work_tree_directories().0).ok()?;
        common(&git_dir).filter(|common_dir| ensure_registered(&git_dir, common_dir).is_ok())
    }

    fn open(git_dir: &Path, top: Top) -> Result<Self> {
        // git waits a second for packed-refs and not at all for config; fifty lanes at once need
        // more patience.
        let patient = [
            "core.configLockTimeout=20000",
            "core.filesRefLockTimeout=10000",
            "core.packedRefsTimeout=20000",
        ];
        let options = gix::open::Options::default()
            .bail_if_untrusted(true)
            .config_overrides(patient)
            .object_store_slots(PACK_SLOTS)
            .open_path_as_is(true);
        let git_dir = std::fs::canonicalize(git_dir).context("find", git_dir)?;
        let common_dir = common_of(&git_dir)?.unwrap_or_else(|| git_dir.clone());
        ensure_registered(&git_dir, &common_dir)?;
        let owned = |path| {
            gix::sec::Trust::from_path_ownership(path)
                .is_ok_and(|trust| trust == gix::sec::Trust::Full)
        };
        let trust = match owned(&git_dir) && owned(&common_dir) {
            true => gix::sec::Trust::Full,
            false => gix::sec::Trust::Reduced,
        };
        let repo = match options.with(trust).open(&common_dir) {
            Ok(repo) => repo.to_thread_local(),
            Err(error) => return Err(unusable::cannot_open(&common_dir, &error)),
        };
        let repo = if settings::command_line_counts() {
            settings::asked(&repo, None, &common_dir)?
        } else {
            repo
        };
        let ref_format = match repo.config_snapshot().string("extensions.refStorage") {
            Some(format) if format.eq_ignore_ascii_case(b"reftable") => RefFormat::Reftable,
            _ => RefFormat::Files,
        };
        let lane_dir = common_dir.join("lane");
        if let Ok(found) = std::fs::symlink_metadata(&lane_dir)
            && !found.is_dir()
        {
            return Err(unusable::led_away(&lane_dir, found.is_symlink()));
        }
        let (records, walks, unrecovered) = Default::default();
        let main = Known::of(&repo, &common_dir, top.of_main(git_dir == common_dir));
        Ok(Repository {
            lane_dir: LaneDir::of(&common_dir, Shared::of(&repo)),
            gix: repo,
            git: Git::default(),
            git_dir,
            common_dir,
            ref_format,
            main,
            records,
            walks,
            unrecovered,
            log_trouble: Trouble::default(),
        })
    }

    /// A bare repository can be among the tracked files of another, with settings that run
    /// programs: git-config(1) on `safe.bareRepository`, which counts only where the repository
    /// itself cannot have said it.
    fn ensure_not_smuggled(&self, found: &Path, directory: &Path) -> Result<()> {
        let config = self.gix.config_snapshot();
        let outside = |section: &gix::config::file::Metadata| {
            section.source.kind() != gix::config::source::Kind::Repository
        };
        let only_named = config
            .plumbing()
            .string_filter("safe.bareRepository", outside)
            .is_some_and(|value| value.eq_ignore_ascii_case(b"explicit"));
        // Found by standing in it, and not as a worktree's `.git`.
        let real = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let own = !real(directory).starts_with(real(found))
            || found
                .ancestors()
                .any(|above| above.file_name().is_some_and(|name| name == ".git"));
        if !only_named || own {
            return Ok(());
        }
        Err(Error::environment(format!(
            "'{}' is a bare repository, and safe.bareRepository is 'explicit'",
            found.display()
        ))
        .with_code(Code::UnsafeRepository)
        .hint(format!(
            "if you mean that one: GIT_DIR={} git lane …",
            quote(found.display())
        )))
    }

    /// The directory all worktrees share: `.git` of the main worktree, or the bare repository;
    /// canonical.
    pub fn common_dir(&self) -> &Path {
        &self.common_dir
    }

    /// Where git-lane keeps what is not a record: journal, trash, locks, events.
    pub fn lane_dir(&self) -> &LaneDir {
        &self.lane_dir
    }

    /// The same for work that as a whole waits for others no longer than `limit`.
    pub(crate) fn within(&self, limit: Duration) -> Self {
        Repository {
            lane_dir: self.lane_dir.within(limit),
            ..self.clone()
        }
    }

    /// How its users share what is made in it.
    pub fn shared(&self) -> Shared {
        self.lane_dir.shared()
    }

    /// The event log.
    pub fn log(&self) -> Log {
        Log::new(&self.lane_dir, self.log_trouble.clone())
    }

    /// What is known about the main worktree's place.
    pub(crate) fn main_place(&self) -> &Known {
        &self.main
    }

    /// How refs are stored.
    pub fn ref_format(&self) -> RefFormat {
        self.ref_format
    }

    /// The git directory of the worktree the caller stands in: the common directory, or one below
    /// its `worktrees`.
    pub fn git_dir(&self) -> &Path {
        &self.git_dir
    }

    /// What the lane sections of `.git/config` say now. A file that is the one read before is not
    /// read again: every program that writes it puts a new file in its place.
    pub fn records(&self) -> Result<Records> {
        self.records.records(&self.common_dir)
    }

    /// What the `[lane]` section itself says in the same file, for each key.
    pub fn lane_settings<const N: usize>(&self, keys: [&str; N]) -> Result<[Option<BString>; N]> {
        self.records.settings(&self.common_dir, keys)
    }

    /// The same for one key.
    pub fn lane_setting(&self, key: &str) -> Result<Option<BString>> {
        self.lane_settings([key]).map(|[value]| value)
    }

    /// Every worktree, the main one (or the bare repository) first.
    pub fn worktrees(&self) -> Result<Vec<Worktree>> {
        let mut all = vec![self.main_worktree()?];
        all.extend(worktree::linked(&self.common_dir)?);
        if self.ref_format == RefFormat::Reftable {
            self.heads_from_git(&mut all)?;
        }
        Ok(all)
    }

    /// The worktree the caller stands in, if any: not for a bare repository or its inside.
    pub fn current_worktree(&self) -> Result<Option<Worktree>> {
        let git_dir = self.git_dir();
        let here = self.worktrees()?.into_iter().find(|worktree| {
            worktree.git_dir == git_dir
                || std::fs::canonicalize(&worktree.git_dir).is_ok_and(|dir| dir == git_dir)
        });
        Ok(here.filter(|worktree| !worktree.state.is_bare()))
    }

    /// A configuration value. Opening refuses repositories of other users, so every value is the
    /// user's own.
    pub fn config(&self, key: &str) -> Option<BString> {
        self.gix.config_snapshot().string(key)
    }

    /// A boolean configuration value; `false` when unset.
    pub fn config_bool(&self, key: &str) -> bool {
        self.gix.config_snapshot().boolean(key).unwrap_or(false)
    }

    /// A git command that runs in the repository itself, bound to no worktree.
    pub fn git_here(&self) -> git::Invocation {
        self.git
            .at(&self.common_dir)
            .env("GIT_DIR", &self.common_dir)
    }

    /// A git command that runs where the caller stands: in its worktree, or in the repository
    /// itself.
    pub fn git_in_current(&self) -> Result<git::Invocation> {
        Ok(self
            .current_worktree()?
            .map_or_else(|| self.git_here(), |worktree| self.git_in(&worktree)))
    }

    /// A git command that runs in one worktree.
    pub fn git_in(&self, worktree: &Worktree) -> git::Invocation {
        self.git.in_worktree(&worktree.path, &worktree.git_dir)
    }
}

/// What `GIT_WORK_TREE` has said before this program shed it.
fn given_work_tree(directory: &Path) -> Option<PathBuf> {
    let given = std::env::var_os(git::INHERITED_WORK_TREE).filter(|path| !path.is_empty());
    given.map(|path| directory.join(path))
}

/// The directory a git directory shares with all worktrees of its repository; canonical.
fn common(git_dir: &Path) -> Option<PathBuf> {
    common_of(git_dir).ok().flatten()
}

/// The same; an error where the file that names it cannot be read, which makes a worktree look like
/// a repository.
fn common_of(git_dir: &Path) -> Result<Option<PathBuf>> {
    let common = optional::read(&git_dir.join("commondir"))?;
    let common = common.map(|text| git_dir.join(crate::store::path(crate::store::line(&text))));
    Ok(std::fs::canonicalize(common.unwrap_or_else(|| git_dir.to_owned())).ok())
}

/// A worktree's `commondir` can name any repository, whose settings and records would be taken for
/// the worktree's; only the one that has it among its worktrees is, or whose gate runs in it.
fn ensure_registered(git_dir: &Path, common_dir: &Path) -> Result<()> {
    let worktrees = std::fs::canonicalize(common_dir.join("worktrees")).ok();
    if git_dir == common_dir
        || worktrees.is_some_and(|worktrees| git_dir.parent() == Some(&worktrees))
        || slot_place::is_of_a_slot(git_dir, common_dir)
    {
        return Ok(());
    }
    let (git_dir, common_dir) = (git_dir.display(), common_dir.display());
    Err(Error::environment(format!(
        "'{git_dir}' names '{common_dir}' as its repository, which does not know it"
    ))
    .with_code(Code::ForeignWorktree)
    .hint(
        "see what can be done about it with git lane doctor, in the main worktree of the \
         repository it belongs to",
    ))
}

fn same_repository(a: &Path, b: &Path) -> bool {
    common(a).is_some() && common(a) == common(b)
}
