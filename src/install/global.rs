//! The rule for every repository of a user: files that can live in a dotfiles repository, and one
//! line that includes them.
//!
//! The hooks are defined in a git configuration file of their own (git 2.54 and later), which the
//! user's configuration includes; a repository without lanes never notices. Older gits ignore that
//! file, so the user's `lane.toml` asks for the hooks with the first lane of each repository. A
//! global `core.hooksPath` would silence every repository's own hooks and is never set.

use std::fmt::Write as _;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use bstr::ByteSlice;

use super::{completion_scripts, needed, section, stub};
use crate::domain::guard::Level;
use crate::error::{Error, IoContext, Result};
use crate::policy;
use crate::store::git::Git;

/// Every file written here says so in a line that ends with the id git gives to the other lines as
/// a blob: a file of any version that the user has not changed is known by it.
const MARK: &str = "# git-lane wrote this file; 'git lane init --global --uninstall' removes it \
                    while its other lines are ";

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
    /// Files left alone, and why.
    pub kept: Vec<(PathBuf, Stays)>,
    /// Whether the include line of the user's git configuration changed.
    pub include_changed: bool,
}

/// Why a file is neither written nor removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stays {
    /// git-lane did not write it.
    Foreign,
    /// The user has changed it since git-lane wrote it.
    Changed,
    /// This symbolic link leads to it: it may serve other machines, and who made the link has the
    /// say.
    Linked(PathBuf),
}

impl std::fmt::Display for Stays {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Stays::Foreign => f.write_str("is not git-lane's and stays as it is"),
            Stays::Changed => f.write_str("was changed after git-lane wrote it and stays as it is"),
            Stays::Linked(link) => write!(
                f,
                "stays, because the symbolic link '{}' leads to it",
                link.display()
            ),
        }
    }
}

/// What is at a place of ours.
enum Found {
    Missing,
    /// Byte for byte what some version of git-lane wrote.
    Ours,
    /// Exactly what would be written now.
    Current,
    Not(Stays),
}

fn look(file: &GlobalFile) -> Result<Found> {
    let text = match std::fs::read(&file.path) {
        Ok(text) => text,
        // A link to nowhere is the user's too.
        Err(error) if error.kind() == ErrorKind::NotFound && file.path.is_symlink() => {
            return Ok(Found::Not(Stays::Linked(file.path.clone())));
        }
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Found::Missing),
        Err(error) => return Err(error).context("read", &file.path),
    };
    if text == file.text.as_bytes() {
        return Ok(Found::Current);
    }
    let (marks, rest): (Vec<&[u8]>, Vec<&[u8]>) = text
        .lines_with_terminator()
        .partition(|line| line.starts_with_str(MARK));
    Ok(match marks.as_slice() {
        [] => Found::Not(Stays::Foreign),
        [mark] if *mark == mark_of(&rest.concat())?.as_bytes() => Found::Ours,
        _ => Found::Not(Stays::Changed),
    })
}

/// The line that says whose the file is whose other lines are `rest`.
fn mark_of(rest: &[u8]) -> Result<String> {
    let id = gix::objs::compute_hash(gix::hash::Kind::Sha1, gix::objs::Kind::Blob, rest);
    let id =
        id.map_err(|error| Error::environment("cannot tell whose a file is").caused_by(error))?;
    Ok(format!("{MARK}{id}\n"))
}

/// The symbolic link below the user's home, or above the file elsewhere, that leads to it.
fn link_to(file: &Path) -> Option<PathBuf> {
    let home = std::env::var_os("HOME")
        .map(PathBuf::from)
        .filter(|home| home.is_absolute());
    let above_home = |path: &Path| home.as_ref().is_some_and(|home| home.starts_with(path));
    file.ancestors()
        .take_while(|path| !above_home(path))
        .filter(|path| path.is_symlink())
        .last()
        .map(Path::to_owned)
}

/// Every file, and where it goes by the XDG base directory specification.
pub fn files() -> Result<Vec<GlobalFile>> {
    let homeless =
        || Error::environment("neither HOME nor XDG_CONFIG_HOME says where your settings are");
    let config = policy::config_home().ok_or_else(homeless)?;
    let home = std::env::var_os("HOME")
        .map(PathBuf::from)
        .filter(|home| home.is_absolute());
    let data = std::env::var_os("XDG_DATA_HOME")
        .map(PathBuf::from)
        .filter(|data| data.is_absolute());
    let data = data
        .or_else(|| Some(home?.join(".local/share")))
        .ok_or_else(homeless)?;
    let file = |path: PathBuf, text: &str, purpose| -> Result<GlobalFile> {
        // zsh reads what a completion is for from its first line.
        let first = if text.starts_with("#compdef") {
            text.find('\n').map_or(0, |end| end + 1)
        } else {
            0
        };
        let text = [&text[..first], &mark_of(text.as_bytes())?, &text[first..]].concat();
        Ok(GlobalFile {
            path,
            text,
            purpose,
        })
    };
    Ok(vec![
        file(
            config.join("git-lane/hooks.gitconfig"),
            &hooks(),
            "the hooks, for git 2.54 and later",
        )?,
        file(
            config.join("git-lane/lane.toml"),
            POLICY,
            "the hooks with each first lane, for older gits",
        )?,
        file(
            data.join("bash-completion/completions/git-lane"),
            completion_scripts::BASH,
            "completion in bash",
        )?,
        file(
            data.join(ZSH),
            completion_scripts::ZSH,
            "completion in zsh, once that directory is in fpath",
        )?,
        file(
            config.join("fish/conf.d/git-lane.fish"),
            completion_scripts::FISH,
            "completion in fish",
        )?,
    ])
}

/// The directory of zsh's completion, where the user has a zsh that does not look there: none does
/// of itself, and nothing but their own start-up files can tell it to.
pub fn unsearched_by_zsh() -> Result<Option<PathBuf>> {
    let is_file = |file: &PathBuf| std::fs::metadata(file).is_ok_and(|found| found.is_file());
    let there = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
        .any(|at| is_file(&at.join("zsh")));
    let Some(file) = files()?
        .into_iter()
        .map(|file| file.path)
        .find(|path| path.ends_with(ZSH))
    else {
        return Ok(None);
    };
    let directory = file.parent().map(Path::to_owned);
    let searched = std::env::var_os("FPATH")
        .is_some_and(|all| std::env::split_paths(&all).any(|at| Some(at) == directory));
    let home = std::env::var_os("ZDOTDIR")
        .or_else(|| std::env::var_os("HOME"))
        .map(PathBuf::from)
        .unwrap_or_default();
    // However they spell it, the end of it is there.
    let named = [".zshrc", ".zshenv", ".zprofile"]
        .iter()
        .map(|name| home.join(name))
        .filter(is_file)
        .any(|file| std::fs::read(file).is_ok_and(|text| text.contains_str("zsh/site-functions")));
    Ok(directory.filter(|_| there && !searched && !named))
}

const ZSH: &str = "zsh/site-functions/_git-lane";

const POLICY: &str = "[start]\ninstall-hooks = true\n";

/// The hooks as a git configuration file; command before event, because git dies of an event
/// without one.
fn hooks() -> String {
    let mut text = String::new();
    for hook in needed(Level::Restore) {
        let command = stub::command(*hook)
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\t', "\\t")
            .replace('\n', "\\n");
        let _ = writeln!(
            text,
            "[hook \"{}\"]\n\tcommand = \"{command}\"\n\tevent = {}",
            section(*hook),
            hook.name()
        );
    }
    text
}

/// The value of `include.path`: with `~`, so that it is right on every machine the dotfiles go to.
pub fn include_path(file: &Path) -> PathBuf {
    let home = std::env::var_os("HOME")
        .map(PathBuf::from)
        .filter(|home| home.is_absolute());
    match home.as_ref().and_then(|home| file.strip_prefix(home).ok()) {
        Some(rest) => Path::new("~").join(rest),
        None => file.to_owned(),
    }
}

/// Writes the files and the include line.
pub fn install() -> Result<Outcome> {
    let mut outcome = Outcome::default();
    let files = files()?;
    for file in &files {
        match look(file)? {
            Found::Current => {}
            Found::Not(why) => outcome.kept.push((file.path.clone(), why)),
            Found::Missing | Found::Ours => {
                write(&file.path, &file.text)?;
                outcome.changed.push(file.path.clone());
            }
        }
    }
    let include = include_path(&files[0].path);
    if !included(&include)? {
        git().add_global("include.path", include.as_os_str())?;
        outcome.include_changed = true;
    }
    Ok(outcome)
}

/// Removes exactly what [`install`] wrote.
pub fn uninstall() -> Result<Outcome> {
    let mut outcome = Outcome::default();
    let files = files()?;
    let include = include_path(&files[0].path);
    // git ignores an include whose file is gone, so the line goes last of nothing: either order is
    // safe.
    if included(&include)? {
        git().unset_global("include.path", include.as_os_str())?;
        outcome.include_changed = true;
    }
    for file in &files {
        match (look(file)?, link_to(&file.path)) {
            (Found::Missing, _) => {}
            (Found::Not(why), _) => outcome.kept.push((file.path.clone(), why)),
            (Found::Ours | Found::Current, Some(link)) => {
                outcome.kept.push((file.path.clone(), Stays::Linked(link)))
            }
            (Found::Ours | Found::Current, None) => {
                std::fs::remove_file(&file.path).context("remove", &file.path)?;
                outcome.changed.push(file.path.clone());
                // Directories made for it go when they are empty.
                let above = file.path.ancestors().skip(1).take(2);
                above
                    .take_while(|parent| std::fs::remove_dir(parent).is_ok())
                    .for_each(drop);
            }
        }
    }
    Ok(outcome)
}

fn git() -> crate::store::git::Invocation {
    Git::default().at(Path::new("/"))
}

fn included(include: &Path) -> Result<bool> {
    let listed = git().global_values("include.path")?;
    // As git compares the value that is to go: `a//b` is another one.
    let include = std::os::unix::ffi::OsStrExt::as_bytes(include.as_os_str());
    Ok(listed.iter().any(|value| value == include))
}

fn write(path: &Path, text: &str) -> Result<()> {
    let directory = path.parent().unwrap_or(Path::new("/"));
    std::fs::create_dir_all(directory).context("create", directory)?;
    // A dotfiles manager may have put a symbolic link here; what it leads to is the file to write.
    let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    std::fs::write(&path, text).context("write", &path)
}
