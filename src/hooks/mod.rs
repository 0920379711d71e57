//! Installs, upgrades, checks and removes the hooks of `../hooks`.
//!
//! From git 2.54 on they are defined in `.git/config`: no other tool's `core.hooksPath` or hook file can switch those
//! off. Older gits get files in the repository's own hooks directory; a hook that is there already is kept beside ours
//! and runs as before. Directories git-lane does not own (tracked, shared, chosen by `core.hooksPath`) are never written.

mod files;
pub mod global;
pub mod stub;

pub use files::is_ours_alone;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bstr::ByteSlice;

use crate::domain::guard::Level;
use crate::domain::lane::lossless_path;
use crate::error::{Error, IoContext, Result};
use crate::git::command::Version;
use crate::git::hook::Hook;
use crate::git::journal::Exclusive;
use crate::git::metadata::{self, Edit};
use crate::git::repository::Repository;
use crate::policy::Policy;

/// The first git that runs hooks defined in its configuration.
const CONFIGURED_HOOKS: Version = (2, 54, 0);
/// The first git whose reference-transaction hook hears of HEAD.
const HEAD_TRANSACTIONS: Version = (2, 46, 0);
/// The first git that fetches many refs in one transaction.
const BATCHED_FETCH: Version = (2, 51, 0);

/// `lane.hooks`: the version of what is installed.
pub const MARK: &str = "hooks";

/// The mark of a repository whose user was told, with its first lane, that nothing is installed.
pub const UNDECIDED: &str = "none";

/// What to install.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// The guard's level; `None` keeps what is set.
    pub level: Option<Level>,
    /// Hook files too, although git has no need of them.
    pub files: bool,
}

/// What is in force, and why.
#[derive(Debug, Clone, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct State {
    /// Whether git calls git-lane for every hook the level needs.
    pub in_force: bool,
    /// The guard's level.
    pub level: Level,
    /// git's version.
    pub git: String,
    /// The directory git takes hook files from.
    #[serde(with = "lossless_path")]
    pub directory: PathBuf,
    /// Why that is not the repository's own.
    pub directory_chosen_by: Option<String>,
    /// Each hook the level needs.
    pub hooks: Vec<HookState>,
    /// Whether `git-lane` is on PATH, where the hooks look for it.
    pub on_path: bool,
}

/// How one hook is installed.
#[derive(Debug, Clone, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HookState {
    /// The hook.
    pub hook: Hook,
    /// git runs it from its configuration.
    pub configured: bool,
    /// git runs it from a file.
    pub file: bool,
    /// A hook that was there before runs with it.
    pub chained: bool,
}

impl State {
    /// What is missing, in words.
    pub fn why_not(&self) -> String {
        if !self.on_path {
            return "git-lane is not on PATH, where the hooks look for it".into();
        }
        let missing: Vec<&str> =
            self.hooks.iter().filter(|hook| !hook.configured && !hook.file).map(|hook| hook.hook.name()).collect();
        match &self.directory_chosen_by {
            Some(why) => format!("git runs no {} ({why})", missing.join(", ")),
            None => format!("git runs no {}", missing.join(", ")),
        }
    }
}

/// The hooks a level needs.
fn needed(level: Level) -> &'static [Hook] {
    if level == Level::Refuse { &Hook::ALL } else { &Hook::ALL[..4] }
}

/// The name of a hook's section in the configuration.
fn section(hook: Hook) -> String {
    format!("git-lane-{}", hook.name())
}

/// Where hook files go.
enum Directory {
    /// The repository's own.
    Own(PathBuf),
    /// Somebody else's; the text says who chose it.
    Chosen(PathBuf, String),
}

fn directory(repository: &Repository) -> Result<Directory> {
    let own = repository.common_dir().join("hooks");
    let scope =
        repository.git_in_current()?.args(["config", "--show-scope", "--get", "core.hooksPath"]).output()?.stdout;
    let Some((scope, value)) = scope.trim_end().split_once_str("\t") else {
        // A symbolic link leads to a directory that others use too.
        return Ok(match std::fs::canonicalize(&own) {
            Ok(real) if real != own => {
                let why = format!("a symbolic link at '{}'", own.display());
                Directory::Chosen(real, why)
            }
            _ => Directory::Own(own),
        });
    };
    let asked =
        repository.git_in_current()?.args(["rev-parse", "--path-format=absolute", "--git-path", "hooks"]).stdout()?;
    let effective = crate::git::path(asked.trim_end_with(|c| c == '\n'));
    // A relative path means another directory in every worktree.
    if value.first() != Some(&b'.') && std::fs::canonicalize(&effective).is_ok_and(|real| real == own) {
        return Ok(Directory::Own(own));
    }
    let why = format!("core.hooksPath = {} ({} configuration)", value.as_bstr(), scope.as_bstr());
    Ok(Directory::Chosen(effective, why))
}

/// Installs or upgrades; returns what is in force afterwards, looked at afresh.
pub fn install(repository: &Repository, policy: &Policy, wanted: Wanted) -> Result<State> {
    let version = repository.git.version()?;
    let _guard = Exclusive::acquire(&repository.lane_dir(), "hooks.lock", Duration::from_secs(60))?;
    let level = wanted.level.map_or_else(|| level(repository), Ok)?;
    if level == Level::Refuse && version < HEAD_TRANSACTIONS {
        return Err(Error::refused("level 'refuse' needs git 2.46 or later: older gits do not say when HEAD moves")
            .code("git-too-old")
            .hint("use the default: git lane init --level restore"));
    }
    let configured = version >= CONFIGURED_HOOKS;
    if !configured || wanted.files {
        match directory(repository)? {
            Directory::Own(directory) => files::install(&directory, needed(level))?,
            Directory::Chosen(directory, why) => return Err(elsewhere(&directory, &why, level)),
        }
    }
    let mut edit = Edit::begin(repository.common_dir())?;
    for hook in Hook::ALL {
        match configured && needed(level).contains(&hook) {
            true => edit.put_hook(&section(hook), hook.name(), &stub::command(hook))?,
            false => drop(edit.remove_hook(&section(hook))),
        }
    }
    if let Some(level) = wanted.level {
        edit.set("guard", level.word())?;
    }
    edit.set(MARK, stub::VERSION)?;
    copy_policy(&mut edit, policy)?;
    edit.commit()?;
    state(repository)
}

/// Whether nobody has said yet if the rule shall be in force here.
pub fn undecided(repository: &Repository) -> Result<bool> {
    Ok(metadata::setting(repository.common_dir(), MARK)?.is_none())
}

/// Copies what the guard needs of the policy to where the hooks read it, if anything changed since it was copied last:
/// hooks of the user's own configuration are in force where nobody ever ran `git lane init`.
pub fn follow_policy(repository: &Repository, policy: &Policy) -> Result<()> {
    let differs = |(key, value): &(&str, String)| -> Result<bool> {
        Ok(metadata::setting(repository.common_dir(), key)?.unwrap_or_default() != value.as_bytes())
    };
    let changed = for_the_guard(policy).iter().map(differs).collect::<Result<Vec<_>>>()?.contains(&true);
    if !changed || !state(repository)?.in_force {
        return Ok(());
    }
    let mut edit = Edit::begin(repository.common_dir())?;
    copy_policy(&mut edit, policy)?;
    edit.commit()
}

fn for_the_guard(policy: &Policy) -> [(&'static str, String); 2] {
    [("home", policy.home.clone().unwrap_or_default()), ("protected", policy.protected.join(" "))]
}

fn copy_policy(edit: &mut Edit, policy: &Policy) -> Result<()> {
    for (key, value) in for_the_guard(policy) {
        match value.as_str() {
            "" => edit.unset(key),
            value => edit.set(key, value)?,
        }
    }
    Ok(())
}

/// Whether the hooks were installed here and not removed again by us.
pub fn installed(repository: &Repository) -> Result<bool> {
    Ok(metadata::setting(repository.common_dir(), MARK)?.is_some_and(|mark| mark != UNDECIDED))
}

/// Removes what [`install`] wrote, wherever it did; says what had to stay.
pub fn uninstall(repository: &Repository) -> Result<Vec<String>> {
    let _guard = Exclusive::acquire(&repository.lane_dir(), "hooks.lock", Duration::from_secs(60))?;
    // Files first: where they cannot be written nothing has changed, and both forms are still in force.
    let mut edit = Edit::begin(repository.common_dir())?;
    let notes = files::uninstall(&repository.common_dir().join("hooks"))?;
    for hook in Hook::ALL {
        edit.remove_hook(&section(hook));
    }
    for key in ["guard", "home", "protected", MARK] {
        edit.unset(key);
    }
    edit.commit()?;
    Ok(notes)
}

/// Runs what follows our block in a hook file, in place of this process. The shell that read our block did nothing before
/// it that could matter to what follows: otherwise [`stub::whole`] is not what was written.
pub fn run_rest(file: &Path, args: &[OsString]) -> Result<()> {
    use std::os::unix::process::CommandExt;
    let text = std::fs::read(file).context("read", file)?;
    let Some(rest) = stub::rest(text.as_bstr()) else { return Ok(()) };
    let error = std::process::Command::new("/bin/sh").arg("-c").arg(rest.to_os_str_lossy()).arg(file).args(args).exec();
    Err(error).context("run", file)
}

/// What is in force now, asked of git rather than remembered.
pub fn state(repository: &Repository) -> Result<State> {
    let version = repository.git.version()?;
    let level = level(repository)?;
    let (directory, chosen_by) = match directory(repository)? {
        Directory::Own(directory) => (directory, None),
        Directory::Chosen(directory, why) => (directory, Some(why)),
    };
    let mut hooks = Vec::new();
    for hook in needed(level).iter().copied() {
        let file = directory.join(hook.name());
        hooks.push(HookState {
            hook,
            configured: version >= CONFIGURED_HOOKS && runs_from_configuration(repository, hook)?,
            file: files::calls_us(&file, hook),
            chained: files::kept(&file).exists(),
        });
    }
    let on_path = on_path();
    let covered = level == Level::Off || hooks.iter().all(|hook| hook.configured || hook.file);
    Ok(State {
        in_force: covered && on_path,
        level,
        git: format!("{}.{}.{}", version.0, version.1, version.2),
        directory,
        directory_chosen_by: chosen_by,
        hooks,
        on_path,
    })
}

fn level(repository: &Repository) -> Result<Level> {
    let word = metadata::setting(repository.common_dir(), "guard")?;
    Ok(word.and_then(|word| Level::parse(&word)).unwrap_or_default())
}

/// Whether git itself lists our hook for the event.
fn runs_from_configuration(repository: &Repository, hook: Hook) -> Result<bool> {
    let listed = repository.git_in_current()?.args(["hook", "list", hook.name()]).output()?;
    let name = section(hook);
    Ok(listed.stdout.lines().any(|line| line.trim().ends_with(name.as_bytes())))
}

fn on_path() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join("git-lane").is_file())
}

/// Notes of an install that succeeded: what it will cost.
pub fn caution(state: &State, version: Version) -> Option<String> {
    (state.level == Level::Refuse && version < BATCHED_FETCH).then(|| {
        "level 'refuse' makes fetching many refs slow before git 2.51, which asks the hook once for all of them".into()
    })
}

fn elsewhere(directory: &Path, why: &str, level: Level) -> Error {
    let text = format!("hook files belong in '{}' here ({why}), where git-lane does not write", directory.display());
    let error = Error::refused(text).code("hooks-elsewhere");
    let lines = needed(level).iter().map(|hook| {
        format!(
            "add to {}: command -v git-lane >/dev/null && {{ git-lane hook {} \"$@\" || exit; }}",
            hook.name(),
            hook.name()
        )
    });
    lines.fold(error, Error::hint).hint("or use git 2.54 or later, where no hook files are needed")
}
