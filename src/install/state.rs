//! What is in force: asked of git, and of the hooks themselves, rather than remembered.

use std::path::PathBuf;

use bstr::ByteSlice;

use super::probe::{self, answers};
use super::{BATCHED_FETCH, called_by, level, section};
use crate::domain::guard::Level;
use crate::domain::guard::git_hook::Hook;
use crate::domain::lane::lossless_path;
use crate::error::Result;
use crate::install::manual_steps;
use crate::install::manual_steps::ByHand;
use crate::repository::Repository;
use crate::repository::hook_file::kept;
use crate::store::git::version::CONFIGURED_HOOKS;
use crate::store::git::version::Version;

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
    /// Whether a `git-lane` that runs is on PATH, where the hooks look for it.
    pub on_path: bool,
    /// Whether this git takes hooks from files only.
    #[serde(skip)]
    pub old_git: bool,
    /// Where hook files go.
    #[serde(skip)]
    place: Directory,
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
    pub hook_file: bool,
    /// A hook that was there before runs with it.
    pub chained: bool,
    /// The user has switched off what git would run from its configuration.
    pub disabled: bool,
    /// A worktree in which git finds no such file, where every worktree has a directory for them.
    #[serde(skip)]
    pub lacking: Option<PathBuf>,
    /// What is left to a person.
    #[serde(skip)]
    by_hand: Option<ByHand>,
}

impl HookState {
    fn runs(&self) -> bool {
        self.configured || self.hook_file
    }
}

impl State {
    /// What is missing, in words.
    pub fn why_not(&self) -> String {
        if !self.on_path {
            return "there is no git-lane on PATH that runs, and the hooks look for it there"
                .into();
        }
        let missing: Vec<&HookState> = self.hooks.iter().filter(|hook| !hook.runs()).collect();
        if missing.is_empty() {
            return format!("its level is {}", self.level.code());
        }
        let names: Vec<&str> = missing.iter().map(|hook| hook.hook.name()).collect();
        let mut text = format!("git runs no {}", names.join(", "));
        if let Some(lacking) = missing.iter().find_map(|hook| hook.lacking.as_ref()) {
            text += &format!(" in '{}'", lacking.display());
        }
        if let Some(why) = &self.directory_chosen_by {
            text += &format!(" ({why})");
        }
        text
    }

    /// What puts the rule in force, one line each.
    pub fn remedies(&self) -> Vec<String> {
        let missing: Vec<&HookState> = self.hooks.iter().filter(|hook| !hook.runs()).collect();
        if !self.on_path {
            return vec!["put git-lane on PATH: the hooks look for it there".into()];
        }
        if missing.is_empty() {
            return vec!["guard again with: git lane init --level restore".into()];
        }
        if let Some(disabled) = missing.iter().find(|hook| hook.disabled) {
            let key = format!("hook.{}.enabled", section(disabled.hook));
            return vec![
                "install the hooks with: git lane init".into(),
                format!(
                    "if that changes nothing, see who switched them off: git config --show-origin \
                     --get-all {key}"
                ),
            ];
        }
        let by_hand: Vec<ByHand> = missing
            .iter()
            .filter_map(|hook| hook.by_hand.clone())
            .collect();
        let of_others = self.directory_chosen_by.is_some() && self.old_git;
        match of_others || by_hand.iter().any(|one| matches!(one, ByHand::MoveUp(_))) {
            true => manual_steps::hints(&self.place, &by_hand),
            false => vec!["install the hooks with: git lane init".into()],
        }
    }
}

/// Where hook files go.
#[derive(Debug, Clone)]
pub(super) enum Directory {
    /// The repository's own.
    Own(PathBuf),
    /// Another one's; the text says who chose it.
    Chosen(PathBuf, String),
    /// One in every worktree, at this path below its root.
    InEach(PathBuf, String),
}

pub(super) fn directory(repository: &Repository) -> Result<Directory> {
    let own = repository.common_dir().join("hooks");
    let git = repository.git_in_current()?;
    let Some((scope, value)) = git.setting_and_scope("core.hooksPath")? else {
        // A symbolic link leads to a directory that others use too.
        return Ok(match std::fs::canonicalize(&own) {
            Ok(real) if real != own => {
                let why = format!("a symbolic link at '{}'", own.display());
                Directory::Chosen(real, why)
            }
            _ => Directory::Own(own),
        });
    };
    let why = format!("core.hooksPath = {value} ({scope} configuration)");
    // git looks for `/pre-commit` then, and names no directory.
    if value.is_empty() {
        return Ok(Directory::Chosen("/".into(), why));
    }
    let effective = repository.git_in_current()?.git_path("hooks")?;
    // A relative path means another directory in every worktree.
    if effective.is_absolute()
        && !crate::store::path(&value).is_absolute()
        && !value.starts_with(b"~")
    {
        return Ok(Directory::InEach(crate::store::path(&value), why));
    }
    if std::fs::canonicalize(&effective).is_ok_and(|real| real == own) {
        return Ok(Directory::Own(own));
    }
    Ok(Directory::Chosen(effective, why))
}

/// Looks.
pub fn state(repository: &Repository) -> Result<State> {
    let version = repository.git.version()?;
    let level = level(repository)?;
    let place = directory(repository)?;
    let mut hooks = Vec::new();
    for hook in called_by(version, level).iter().copied() {
        let (configured, disabled) = match version >= CONFIGURED_HOOKS {
            true => from_configuration(repository, hook)?,
            false => (false, false),
        };
        let (lacking, by_hand) = manual_steps::lacking(repository, &place, hook)?.unzip();
        let file = lacking.is_none();
        let lacking = lacking.filter(|_| matches!(place, Directory::InEach(..)));
        let chained =
            matches!(&place, Directory::Own(own) if kept(&own.join(hook.name())).exists());
        hooks.push(HookState {
            hook,
            configured,
            hook_file: file,
            chained,
            disabled,
            lacking,
            by_hand,
        });
    }
    let (directory, directory_chosen_by) = match place.clone() {
        Directory::Own(directory) => (directory, None),
        Directory::Chosen(directory, why) => (directory, Some(why)),
        Directory::InEach(path, why) => (
            repository
                .current_worktree()?
                .map_or_else(|| path.clone(), |here| here.path.join(&path)),
            Some(why),
        ),
    };
    let on_path = probe::on_path();
    Ok(State {
        in_force: level != Level::Off && on_path && hooks.iter().all(HookState::runs),
        level,
        git: format!("{}.{}.{}", version.0, version.1, version.2),
        directory,
        directory_chosen_by,
        hooks,
        on_path,
        old_git: version < CONFIGURED_HOOKS,
        place,
    })
}

/// Whether git itself lists our hook for the event, and whether the user has switched it off. git
/// puts words before the name of a hook that it does not run.
fn from_configuration(repository: &Repository, hook: Hook) -> Result<(bool, bool)> {
    let name = section(hook);
    let listed = repository.git_in_current()?.list_hooks(hook.name())?;
    let mut ours = listed
        .lines()
        .filter_map(|line| line.trim_end().strip_suffix(name.as_bytes()));
    let before = ours.next();
    if before != Some(b"") {
        return Ok((
            false,
            before.is_some_and(|before| before.contains_str("disabled")),
        ));
    }
    let key = format!("hook.{name}.command");
    let command = repository
        .git_in_current()?
        .setting(&key)?
        .unwrap_or_default();
    Ok((answers(repository, command.as_bstr(), hook), false))
}

/// Notes of an install that succeeded: what it will cost, and what it cannot do.
pub fn caution(state: &State, version: Version) -> Option<String> {
    if state.level != Level::Refuse || version >= BATCHED_FETCH {
        return None;
    }
    Some(if version < super::HEAD_TRANSACTIONS {
        "this git is too old for level 'refuse', which another one set: with this one a switch is \
         taken back instead"
            .into()
    } else {
        "level 'refuse' makes fetching many refs slow before git 2.51, which asks the hook once \
         for all of them"
            .into()
    })
}
