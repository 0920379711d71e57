//! The files a policy is made of: user, team, clone; later ones win, and every value remembers its
//! file.
//!
//! The team's file comes with the repository, so it is read as a stranger's: a plain file or a link
//! inside the repository, small, without paths that lead away; it only ever lengthens the time that
//! removed lanes wait, and weakens no rule that the user's own file demands. Every file adds to the
//! gate, and none takes anything from it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::keys::{KEYS, Key, find};
use super::suggest;
use super::value::{self, Problem, Shape, Value};
use crate::error::{Code, Error, Result};

/// The largest `lane.toml` that is read.
pub const MAX_BYTES: usize = 64 << 10;

/// Its name.
pub const FILE: &str = "lane.toml";

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// No file says anything.
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
    /// What holds where no file says anything.
    pub fn defaults() -> Self {
        let parse = |key: &Key| {
            let table: toml::Table = toml::from_str(&format!("default = {}", key.default)).ok()?;
            key.check(table.get("default")?).ok()?
        };
        Values(
            KEYS.iter()
                .map(|key| (key.name, (parse(key), Origin::Default)))
                .collect(),
        )
    }

    /// Value and origin of a key.
    pub fn get(&self, key: &Key) -> (Option<&Value>, &Origin) {
        self.0
            .get(key.name)
            .map_or((None, &Origin::Default), |(value, origin)| {
                (value.as_ref(), origin)
            })
    }

    /// Lays a file over what is there.
    #[doc(hidden)]
    pub fn apply(&mut self, text: &str, origin: Origin) -> Result<()> {
        let path = origin.file().unwrap_or(Path::new(FILE)).to_owned();
        let table: toml::Table = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            let line = text
                .as_bytes()
                .iter()
                .take(at)
                .filter(|byte| **byte == b'\n')
                .count()
                + 1;
            let message = error
                .message()
                .lines()
                .next()
                .unwrap_or_default()
                .to_owned();
            failure(&path, format!("line {line}: {message}"))
        })?;
        for (section, entries) in &table {
            let Some(entries) = entries.as_table() else {
                return Err(unknown(&path, section));
            };
            if entries.is_empty()
                && !KEYS
                    .iter()
                    .any(|key| key.name.split('.').next() == Some(section))
            {
                return Err(unknown(&path, section));
            }
            for (entry, written) in entries {
                let name = format!("{section}.{entry}");
                let key = find(&name).ok_or_else(|| unknown(&path, &name))?;
                let value = key
                    .check(written)
                    .map_err(|problem| unfit(&path, key, problem))?;
                if let Some(value) = &value {
                    let checked = match &origin {
                        Origin::Team(_) => key.check_tracked(value),
                        Origin::Clone(_) => key.check_cloned(value),
                        Origin::Default | Origin::User(_) => Ok(()),
                    };
                    checked.map_err(|problem| unfit(&path, key, problem))?;
                }
                if matches!(origin, Origin::Team(_))
                    && key.weakens(self.value(key.name), value.as_ref())
                {
                    continue;
                }
                let value = match self.get(key) {
                    (Some(own), Origin::User(_)) if matches!(origin, Origin::Team(_)) => {
                        match key.beside(own, value) {
                            Some(value) => value,
                            None => continue,
                        }
                    }
                    (Some(held), _) => match key.together(held, value) {
                        Some(value) => value,
                        None => continue,
                    },
                    (None, _) => value,
                };
                let value = value.map(|value| at_home(key, value, &path)).transpose()?;
                self.0.insert(key.name, (value, origin.clone()));
            }
        }
        Ok(())
    }

    /// Whether a file of the user's own says it: theirs, or that of the clone.
    pub(super) fn is_own(&self, name: &str) -> bool {
        self.0
            .get(name)
            .is_some_and(|(_, origin)| matches!(origin, Origin::User(_) | Origin::Clone(_)))
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
        if let Some(Value::Number(number)) = self.value(name) {
            *number
        } else {
            0
        }
    }

    pub(super) fn list(&self, name: &str) -> Vec<String> {
        if let Some(Value::List(list)) = self.value(name) {
            list.clone()
        } else {
            Vec::new()
        }
    }

    pub(super) fn duration(&self, name: &str) -> Duration {
        Duration::from_secs(value::seconds(&self.text(name)).unwrap_or(u64::MAX))
    }

    pub(super) fn bytes(&self, name: &str) -> u64 {
        match self.value(name) {
            Some(Value::Number(bytes)) => *bytes,
            Some(Value::Text(size)) => value::size_in_bytes(size).unwrap_or(u64::MAX),
            _ => u64::MAX,
        }
    }
}

/// What is wrong with the file at `path`.
pub fn failure(path: &Path, text: impl std::fmt::Display) -> Error {
    Error::environment(format!("'{}': {text}", path.display())).with_code(Code::Policy)
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
    let (Shape::Path(_), Value::Text(path)) = (&key.shape, &value) else {
        return Ok(value);
    };
    let Some(rest) = path.strip_prefix("~/") else {
        return Ok(value);
    };
    let home = std::env::var("HOME")
        .ok()
        .filter(|home| home.starts_with('/'));
    let home = home.ok_or_else(|| {
        failure(
            file,
            format_args!("'{}' needs HOME, which is not set", key.name),
        )
    })?;
    Ok(Value::Text(format!(
        "{}/{rest}",
        home.trim_end_matches('/')
    )))
}

/// The user's directory of settings, by the XDG base directory specification.
pub fn config_home() -> Option<PathBuf> {
    let absolute = |name| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")))
}
