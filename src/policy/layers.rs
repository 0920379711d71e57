//! The files a policy is made of: user, team, clone; later ones win, and every value remembers its file.
//!
//! The team's file comes with the repository, so it is read as a stranger's: a plain file or a link inside the
//! repository, small, without paths that lead away; it only ever lengthens the time that removed lanes wait, and weakens no rule that
//! the user's own file demands.

use std::collections::BTreeMap;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use bstr::BString;

use super::keys::{KEYS, Key, find};
use super::suggest;
use super::value::{self, Problem, Shape, Value};
use crate::domain::lane::WorktreeState;
use crate::error::{Error, IoContext, Result};
use crate::git::repository::{RefFormat, Repository};
use crate::git::steady;

/// The largest `lane.toml` that is read.
pub const MAX_BYTES: usize = 64 << 10;

const FILE: &str = "lane.toml";

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody said anything.
    Default,
    /// The user's file.
    User(PathBuf),
    /// The tracked file: a path, or `HEAD:lane.toml` where there are no files.
    Team(PathBuf),
    /// The file of this clone.
    Clone(PathBuf),
}

impl Origin {
    /// A stable word for scripts.
    pub fn code(&self) -> &'static str {
        match self {
            Origin::Default => "default",
            Origin::User(_) => "user",
            Origin::Team(_) => "team",
            Origin::Clone(_) => "clone",
        }
    }

    /// The file.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Origin::Default => None,
            Origin::User(path) | Origin::Team(path) | Origin::Clone(path) => Some(path),
        }
    }
}

/// The effective value of every key, with its origin.
#[derive(Debug, Clone, Default)]
pub struct Values(BTreeMap<&'static str, (Option<Value>, Origin)>);

impl Values {
    /// What holds where nobody says anything.
    pub fn defaults() -> Self {
        let parse = |key: &Key| {
            let table: toml::Table = toml::from_str(&format!("default = {}", key.default)).ok()?;
            key.check(table.get("default")?).ok()?
        };
        Values(KEYS.iter().map(|key| (key.name, (parse(key), Origin::Default))).collect())
    }

    /// The values in force in a repository.
    pub fn load(repository: &Repository) -> Result<Self> {
        let mut values = Values::defaults();
        if let Some(path) = user_file()
            && let Some(text) = read(&path)?
        {
            values.apply(&text, Origin::User(path))?;
        }
        if let Some((text, path)) = team(repository)? {
            values.apply(&text, Origin::Team(path))?;
        }
        let path = repository.lane_dir().join(FILE);
        if std::fs::symlink_metadata(&path).is_ok_and(|found| found.is_symlink()) {
            return Err(failure(&path, "is a symbolic link, which is not followed there")
                .hint("replace the link by a file, or move it to your own lane.toml"));
        }
        if let Some(text) = read(&path)? {
            values.apply(&text, Origin::Clone(path))?;
        }
        Ok(values)
    }

    /// Value and origin of a key.
    pub fn get(&self, key: &Key) -> (Option<&Value>, &Origin) {
        self.0.get(key.name).map_or((None, &Origin::Default), |(value, origin)| (value.as_ref(), origin))
    }

    /// Lays a file over what is there.
    pub(crate) fn apply(&mut self, text: &str, origin: Origin) -> Result<()> {
        let path = origin.file().unwrap_or(Path::new(FILE)).to_owned();
        let table: toml::Table = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            let line = text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count() + 1;
            let message = error.message().lines().next().unwrap_or_default().to_owned();
            failure(&path, format!("line {line}: {message}"))
        })?;
        for (section, entries) in &table {
            let Some(entries) = entries.as_table() else {
                return Err(unknown(&path, section));
            };
            if entries.is_empty() && !KEYS.iter().any(|key| key.name.split('.').next() == Some(section)) {
                return Err(unknown(&path, section));
            }
            for (entry, written) in entries {
                let name = format!("{section}.{entry}");
                let key = find(&name).ok_or_else(|| unknown(&path, &name))?;
                let value = key.check(written).map_err(|problem| unfit(&path, key, problem))?;
                if let Some(value) = &value {
                    let checked = match &origin {
                        Origin::Team(_) => key.check_tracked(value),
                        Origin::Clone(_) => key.check_cloned(value),
                        Origin::Default | Origin::User(_) => Ok(()),
                    };
                    checked.map_err(|problem| unfit(&path, key, problem))?;
                }
                if matches!(origin, Origin::Team(_)) && key.shortens(self.value(key.name), value.as_ref()) {
                    continue;
                }
                let value = match self.get(key) {
                    (Some(own), Origin::User(_)) if matches!(origin, Origin::Team(_)) => match key.beside(own, value) {
                        Some(value) => value,
                        None => continue,
                    },
                    _ => value,
                };
                let value = value.map(|value| at_home(key, value, &path)).transpose()?;
                self.0.insert(key.name, (value, origin.clone()));
            }
        }
        Ok(())
    }

    /// Whether a file of the user's own says it: theirs, or that of the clone.
    pub(super) fn is_own(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|(_, origin)| matches!(origin, Origin::User(_) | Origin::Clone(_)))
    }

    fn value(&self, name: &str) -> Option<&Value> {
        self.0.get(name).and_then(|(value, _)| value.as_ref())
    }

    pub(super) fn optional(&self, name: &str) -> Option<String> {
        self.value(name).map(Value::to_string)
    }

    pub(super) fn text(&self, name: &str) -> String {
        self.optional(name).unwrap_or_default()
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        self.value(name) == Some(&Value::Flag(true))
    }

    pub(super) fn number(&self, name: &str) -> u64 {
        if let Some(Value::Number(number)) = self.value(name) { *number } else { 0 }
    }

    pub(super) fn list(&self, name: &str) -> Vec<String> {
        if let Some(Value::List(list)) = self.value(name) { list.clone() } else { Vec::new() }
    }

    pub(super) fn bytes(&self, name: &str) -> u64 {
        match self.value(name) {
            Some(Value::Number(bytes)) => *bytes,
            Some(Value::Text(size)) => value::size_in_bytes(size).unwrap_or(u64::MAX),
            _ => u64::MAX,
        }
    }
}

fn failure(path: &Path, text: impl std::fmt::Display) -> Error {
    Error::environment(format!("'{}': {text}", path.display())).code("policy")
}

fn unknown(path: &Path, name: &str) -> Error {
    let error = failure(path, format_args!("unknown key '{name}'"));
    match suggest(name, KEYS.iter().map(|key| key.name)) {
        Some(like) => error.hint(format!("did you mean '{like}'?")),
        None => error.hint("git-lane-config(1) lists the keys"),
    }
}

fn unfit(path: &Path, key: &Key, problem: Problem) -> Error {
    let error = failure(path, format_args!("'{}' {}", key.name, problem.text));
    match problem.hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

/// Puts the home directory in place of a path's leading `~/`.
fn at_home(key: &Key, value: Value, file: &Path) -> Result<Value> {
    let (Shape::Path(_), Value::Text(path)) = (&key.shape, &value) else { return Ok(value) };
    let Some(rest) = path.strip_prefix("~/") else { return Ok(value) };
    let home = std::env::var("HOME").ok().filter(|home| home.starts_with('/'));
    let home = home.ok_or_else(|| failure(file, format_args!("'{}' needs HOME, which is not set", key.name)))?;
    Ok(Value::Text(format!("{}/{rest}", home.trim_end_matches('/'))))
}

fn user_file() -> Option<PathBuf> {
    Some(config_home()?.join("git-lane").join(FILE))
}

/// The user's directory of settings, by the XDG base directory specification.
pub fn config_home() -> Option<PathBuf> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")))
}

/// The team's file: that of the main worktree, or of the commit `HEAD` names where there are no files.
fn team(repository: &Repository) -> Result<Option<(String, PathBuf)>> {
    let (main, state) = repository.main_site();
    if state != WorktreeState::Present {
        let name = PathBuf::from(format!("HEAD:{FILE}"));
        let Some(bytes) = committed(repository, &name)? else { return Ok(None) };
        let text = super::readable(&bytes).map_err(|problem| failure(&name, problem))?.to_owned();
        return Ok(Some((text, name)));
    }
    let path = main.join(FILE);
    if std::fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_symlink()) {
        let target = std::fs::canonicalize(&path).context("read", &path)?;
        let root = std::fs::canonicalize(&main).context("read", &main)?;
        if !target.starts_with(&root) || target.starts_with(repository.common_dir()) {
            return Err(failure(&path, "is a symbolic link out of the repository, which is not followed")
                .hint("replace the link by a file, or move it to your own lane.toml"));
        }
    }
    Ok(read(&path)?.map(|text| (text, path)))
}

/// The blob `HEAD:lane.toml`.
fn committed(repository: &Repository, name: &Path) -> Result<Option<BString>> {
    steady::objects(&repository.gix, || committed_now(repository, name))
}

fn committed_now(repository: &Repository, name: &Path) -> Result<Option<BString>> {
    let broken = |error: String| failure(name, format_args!("cannot be read: {error}"));
    let commit = if repository.ref_format() == RefFormat::Reftable {
        let output = repository.git_here().args(["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]).output()?;
        let Ok(id) = gix::ObjectId::from_hex(output.stdout.trim_ascii()) else { return Ok(None) };
        repository.gix.find_commit(id).map_err(|error| broken(error.to_string()))?
    } else {
        // No commit yet: nothing is tracked.
        let Ok(commit) = repository.gix.head_commit() else { return Ok(None) };
        commit
    };
    let tree = commit.tree().map_err(|error| broken(error.to_string()))?;
    let Some(entry) = tree.lookup_entry_by_path(FILE).map_err(|error| broken(error.to_string()))? else {
        return Ok(None);
    };
    if !entry.mode().is_blob() {
        return Err(failure(name, "is no plain file"));
    }
    let header = repository.gix.find_header(entry.object_id()).map_err(|error| broken(error.to_string()))?;
    if header.size() > MAX_BYTES as u64 {
        return Err(failure(name, format_args!("is larger than {} KiB", MAX_BYTES / 1024)));
    }
    let object = entry.object().map_err(|error| broken(error.to_string()))?;
    Ok(Some(object.detach().data.into()))
}

/// The text of a file; `None` where there is none. A pipe or a device is refused before it can block or never end.
fn read(path: &Path) -> Result<Option<String>> {
    use std::io::ErrorKind::{NotADirectory, NotFound};
    let nonblocking = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = match std::fs::OpenOptions::new().read(true).custom_flags(nonblocking).open(path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), NotFound | NotADirectory) => return Ok(None),
        Err(error) => return Err(error).context("read", path),
    };
    if !file.metadata().context("read", path)?.is_file() {
        return Err(failure(path, "is no plain file"));
    }
    let mut bytes = Vec::new();
    file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes).context("read", path)?;
    let text = super::readable(&bytes).map_err(|problem| failure(path, problem))?;
    Ok(Some(text.to_owned()))
}
