//! The rule for every repository of a user: files that can live in a dotfiles repository, and one line that includes them.
//!
//! The hooks are defined in a git configuration file of their own (git 2.54 and later), which the user's configuration
//! includes; a repository without lanes never notices. Older gits ignore that file, so the user's `lane.toml` asks for the
//! hooks with the first lane of each repository. A global `core.hooksPath` would silence every repository's own hooks
//! and is never set.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use bstr::ByteSlice;

use super::{needed, section, stub};
use crate::commands::completions;
use crate::domain::guard::Level;
use crate::error::{Error, IoContext, Result};
use crate::git::command::Git;
use crate::policy;

/// The first line of every file written here; a file without it is somebody else's.
const MARK: &str = "git-lane wrote this file; 'git lane init --global --uninstall' removes it";

/// One file of the roll-out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GlobalFile {
    /// Where it goes.
    pub path: PathBuf,
    /// What is in it.
    pub text: String,
    /// What it is for.
    pub purpose: &'static str,
}

/// What a run did.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Files written, or removed.
    pub changed: Vec<PathBuf>,
    /// Files of the same name that are not ours, left alone.
    pub kept: Vec<PathBuf>,
    /// Whether the include line of the user's git configuration changed.
    pub include_changed: bool,
}

/// Every file, and where it goes by the XDG base directory specification.
pub fn files() -> Result<Vec<GlobalFile>> {
    let homeless = || Error::environment("neither HOME nor XDG_CONFIG_HOME says where your settings are");
    let config = policy::config_home().ok_or_else(homeless)?;
    let home = std::env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_absolute());
    let data = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|data| data.is_absolute());
    let data = data.or_else(|| Some(home?.join(".local/share"))).ok_or_else(homeless)?;
    let hash = |text: &str| format!("# {MARK}\n{text}");
    let file = |path: PathBuf, text: String, purpose| GlobalFile { path, text, purpose };
    Ok(vec![
        file(config.join("git-lane/hooks.gitconfig"), hash(&hooks()), "the hooks, for git 2.54 and later"),
        file(config.join("git-lane/lane.toml"), hash(POLICY), "the hooks with each first lane, for older gits"),
        file(data.join("bash-completion/completions/git-lane"), hash(completions::BASH), "completion in bash"),
        file(data.join("zsh/site-functions/_git-lane"), zsh(), "completion in zsh, once that directory is in fpath"),
        file(config.join("fish/conf.d/git-lane.fish"), hash(completions::FISH), "completion in fish"),
    ])
}

const POLICY: &str = "[start]\ninstall-hooks = true\n";

/// zsh reads what a completion is for from its first line.
fn zsh() -> String {
    match completions::ZSH.split_once('\n') {
        Some((first, rest)) => format!("{first}\n# {MARK}\n{rest}"),
        None => completions::ZSH.to_owned(),
    }
}

/// The hooks as a git configuration file; command before event, because git dies of an event without one.
fn hooks() -> String {
    let mut text = String::new();
    for hook in needed(Level::Restore) {
        let command =
            stub::command(*hook).replace('\\', "\\\\").replace('"', "\\\"").replace('\t', "\\t").replace('\n', "\\n");
        let _ = writeln!(text, "[hook \"{}\"]\n\tcommand = \"{command}\"\n\tevent = {}", section(*hook), hook.name());
    }
    text
}

/// The value of `include.path`: with `~`, so that it is right on every machine the dotfiles go to.
pub fn include_path(file: &Path) -> String {
    let home = std::env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_absolute());
    match home.as_ref().and_then(|home| file.strip_prefix(home).ok()) {
        Some(rest) => format!("~/{}", rest.display()),
        None => file.display().to_string(),
    }
}

/// Writes the files and the include line.
pub fn install() -> Result<Outcome> {
    let mut outcome = Outcome::default();
    let files = files()?;
    for file in &files {
        match std::fs::read_to_string(&file.path) {
            Ok(text) if text == file.text => {}
            Ok(text) if !text.contains(MARK) => outcome.kept.push(file.path.clone()),
            _ => {
                write(&file.path, &file.text)?;
                outcome.changed.push(file.path.clone());
            }
        }
    }
    let include = include_path(&files[0].path);
    if !included(&include)? {
        git().args(["config", "--global", "--add", "include.path"]).arg(&include).run()?;
        outcome.include_changed = true;
    }
    Ok(outcome)
}

/// Removes exactly what [`install`] wrote.
pub fn uninstall() -> Result<Outcome> {
    let mut outcome = Outcome::default();
    let files = files()?;
    let include = include_path(&files[0].path);
    // git ignores an include whose file is gone, so the line goes last of nothing: either order is safe.
    if included(&include)? {
        git().args(["config", "--global", "--fixed-value", "--unset-all", "include.path"]).arg(&include).run()?;
        outcome.include_changed = true;
    }
    for file in &files {
        match std::fs::read_to_string(&file.path) {
            Ok(text) if text.contains(MARK) => {
                std::fs::remove_file(&file.path).context("remove", &file.path)?;
                outcome.changed.push(file.path.clone());
                // Directories made for it go when they are empty.
                file.path
                    .ancestors()
                    .skip(1)
                    .take(2)
                    .take_while(|parent| std::fs::remove_dir(parent).is_ok())
                    .for_each(drop);
            }
            Ok(_) => outcome.kept.push(file.path.clone()),
            Err(_) => {}
        }
    }
    Ok(outcome)
}

fn git() -> crate::git::command::Invocation {
    Git::default().at(Path::new("/"))
}

fn included(include: &str) -> Result<bool> {
    let listed = git().args(["config", "--global", "-z", "--get-all", "include.path"]).output()?;
    Ok(listed.stdout.split(|byte| *byte == 0).any(|value| value == include.as_bytes().as_bstr()))
}

fn write(path: &Path, text: &str) -> Result<()> {
    let directory = path.parent().unwrap_or(Path::new("/"));
    std::fs::create_dir_all(directory).context("create", directory)?;
    // A dotfiles manager may have put a symbolic link here; what it leads to is the file to write.
    let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    std::fs::write(&path, text).context("write", &path)
}
