//! Installs, upgrades, checks and removes the hooks of `../hooks`.
//!
//! From git 2.54 on they are defined in `.git/config`: no other tool's `core.hooksPath` or hook
//! file can switch those off. Older gits get files in the repository's own hooks directory; a hook
//! that is there already is kept beside ours and runs as before. Directories git-lane does not own
//! (tracked, shared, chosen by `core.hooksPath`) are never written.
//!
//! Called by `commands/init` and by those that tell whether the rule is in force.

pub mod completion_scripts;
pub mod global;
mod hook_files;
pub mod machine;
mod manual_steps;
pub mod probe;
mod state;
pub mod stub;
mod third_party;

pub use state::{HookState, State, caution, state};

use state::{Directory, directory};

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use bstr::{BString, ByteSlice};

use crate::domain::guard::Level;
use crate::domain::guard::git_hook::Hook;
use crate::error::{IoContext, Result};
use crate::policy::Policy;
use crate::repository::Repository;
use crate::repository::metadata::Edit;
use crate::store::exists;
use crate::store::git::version::{BATCHED_FETCH, CONFIGURED_HOOKS, HEAD_TRANSACTIONS, Version};
use crate::store::journal::Exclusive;

/// `lane.hooks`: the version of what is installed.
pub const MARK: &str = "hooks";

/// `lane.hooks-directory`: git-lane made `.git/hooks`, and takes it away when there is nothing in
/// it.
const MADE_DIRECTORY: &str = "hooks-directory";

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

/// The hooks a level needs.
fn needed(level: Level) -> &'static [Hook] {
    if level == Level::Refuse {
        &Hook::ALL
    } else {
        &Hook::ALL[..4]
    }
}

/// The hooks of a level that this git calls: where another git on the machine set level refuse, an
/// older one takes back what it cannot refuse.
fn called_by(version: Version, level: Level) -> &'static [Hook] {
    if version < HEAD_TRANSACTIONS {
        needed(Level::Restore)
    } else {
        needed(level)
    }
}

/// The name of a hook's section in the configuration.
fn section(hook: Hook) -> String {
    format!("git-lane-{}", hook.name())
}

/// Installs or upgrades; returns what is in force afterwards, looked at afresh.
pub fn install(repository: &Repository, policy: &Policy, wanted: Wanted) -> Result<State> {
    let version = repository.git.version()?;
    let _guard = Exclusive::acquire(repository.lane_dir(), "hooks.lock", Duration::from_secs(60))?;
    let level = wanted.level.map_or_else(|| level(repository), Ok)?;
    if wanted.level == Some(Level::Refuse) {
        // Older gits do not say when HEAD moves.
        let git = &repository.git;
        git.ensure_at_least(HEAD_TRANSACTIONS, "level 'refuse'")
            .map_err(|error| error.hint("or use the default: git lane init --level restore"))?;
    }
    let configured = version >= CONFIGURED_HOOKS;
    let mut made = false;
    if !configured || wanted.files {
        match directory(repository)? {
            Directory::Own(directory) => {
                made = !exists(&directory);
                hook_files::install(&directory, called_by(version, level), repository.shared())?;
            }
            // Lines that the user has added there are as good, and the level and the policy are
            // git-lane's to write.
            chosen => manual_steps::ensure_called(repository, &chosen, called_by(version, level))?,
        }
    }
    let mut edit = Edit::begin(repository.lane_dir())?;
    for hook in Hook::ALL {
        match needed(level).contains(&hook) {
            // What a newer git on the same machine runs stays, and is brought up to date.
            true if configured || edit.has_hook(&section(hook)) => {
                edit.put_hook(&section(hook), hook.name(), &stub::command(hook))?;
            }
            true => {}
            false => drop(edit.remove_hook(&section(hook))),
        }
    }
    if let Some(level) = wanted.level {
        edit.set("guard", level.code())?;
    }
    edit.set(MARK, stub::VERSION)?;
    if made {
        edit.set(MADE_DIRECTORY, "made")?;
    }
    copy_policy(&mut edit, policy)?;
    edit.commit()?;
    state(repository)
}

/// Whether the user has not said yet if the rule shall be in force here.
pub fn undecided(repository: &Repository) -> Result<bool> {
    Ok(repository.lane_setting(MARK)?.is_none())
}

/// Copies what the guard needs of the policy to where the hooks read it, if anything changed since
/// it was copied last: a pull may bring a rule, and hooks of the user's own configuration are in
/// force where `git lane init` never ran.
pub fn follow_policy(repository: &Repository, policy: &Policy) -> Result<()> {
    if unknown_rules(repository, policy)?.is_empty() {
        return Ok(());
    }
    match repository.lane_setting(MARK)? {
        // No lane has ever been started here.
        None => return Ok(()),
        Some(mark) if mark == UNDECIDED && !state(repository)?.in_force => return Ok(()),
        Some(_) => {}
    }
    let mut edit = Edit::begin(repository.lane_dir())?;
    copy_policy(&mut edit, policy)?;
    edit.commit()
}

/// The keys of the policy whose values the hooks do not know yet.
pub fn unknown_rules(repository: &Repository, policy: &Policy) -> Result<Vec<String>> {
    let wanted = for_the_guard(policy);
    let known = repository.lane_settings(wanted.each_ref().map(|(key, _)| *key))?;
    let differs = |((key, wanted), known): ((&str, String), Option<BString>)| {
        (known.unwrap_or_default() != wanted.as_bytes()).then(|| format!("rule.{key}"))
    };
    Ok(wanted.into_iter().zip(known).filter_map(differs).collect())
}

fn for_the_guard(policy: &Policy) -> [(&'static str, String); 2] {
    [
        ("home", policy.home.clone().unwrap_or_default()),
        ("protected", policy.protected.join(" ")),
    ]
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
    Ok(repository
        .lane_setting(MARK)?
        .is_some_and(|mark| mark != UNDECIDED))
}

/// Removes what [`install`] wrote, wherever it did; says what had to stay.
pub fn uninstall(repository: &Repository) -> Result<Vec<String>> {
    let _guard = Exclusive::acquire(repository.lane_dir(), "hooks.lock", Duration::from_secs(60))?;
    // Files first: where they cannot be written nothing has changed, and both forms are still in
    // force.
    let mut edit = Edit::begin(repository.lane_dir())?;
    let own = repository.common_dir().join("hooks");
    let notes = match std::fs::canonicalize(&own) {
        // Others use the directory too; nothing there is git-lane's, whatever it looks like.
        Ok(real) if real != own => hook_files::of_others(&real),
        _ => hook_files::uninstall(&own, repository.shared())?,
    };
    for hook in Hook::ALL {
        edit.remove_hook(&section(hook));
    }
    let made = repository.lane_setting(MADE_DIRECTORY)?.is_some();
    for key in ["guard", "home", "protected", MADE_DIRECTORY, MARK] {
        edit.unset(key);
    }
    edit.commit()?;
    if made {
        // Stays when the user has put something into it.
        drop(std::fs::remove_dir(&own));
    }
    // What only the installation needed goes too, where there is nothing else.
    if repository.records()?.lanes.is_empty() {
        drop(std::fs::remove_dir(repository.lane_dir().locks()));
        let only_the_lock =
            std::fs::read_dir(repository.lane_dir()).is_ok_and(|entries| entries.count() == 1);
        if only_the_lock {
            drop(std::fs::remove_file(
                repository.lane_dir().join("hooks.lock"),
            ));
            drop(std::fs::remove_dir(repository.lane_dir()));
        }
    }
    Ok(notes)
}

/// Runs what follows our block in a hook file, in place of this process. The shell that read our
/// block did nothing before it that could matter to what follows: otherwise [`stub::whole`] is not
/// what was written.
pub fn run_rest(file: &Path, args: &[OsString]) -> Result<()> {
    use std::os::unix::process::CommandExt;
    let text = std::fs::read(file).context("read", file)?;
    let Some(rest) = stub::rest(text.as_bstr()) else {
        return Ok(());
    };
    let error = std::process::Command::new("/bin/sh")
        .arg("-c")
        .arg(rest.to_os_str_lossy())
        .arg(file)
        .args(args)
        .exec();
    Err(error).context("run", file)
}

fn level(repository: &Repository) -> Result<Level> {
    let word = repository.lane_setting("guard")?;
    Ok(word
        .and_then(|word| Level::parse(&word))
        .unwrap_or_default())
}
