//! What the guard reads of `.git/config`: the `[lane]` sections.
//!
//! Like the records themselves, these settings are those of this one file: includes are not
//! followed. A repository that has none is told from the file's bytes alone. `git -c lane.guard=…`
//! is honoured.

use std::ffi::OsString;
use std::path::Path;

use bstr::{BStr, BString, ByteSlice};

use crate::domain::guard::{Lane, Level};
use crate::domain::lane::RefName;
use crate::domain::name::BranchName;
use crate::error::{Error, IoContext, Result};

/// The settings of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// `lane.guard`.
    pub level: Option<Level>,
    /// `lane.home`.
    pub home: Option<BranchName>,
    /// `lane.protected`, separated by spaces.
    pub protected: Vec<String>,
    /// `lane.tried`: the lane that the main worktree shows.
    pub tried: Option<String>,
    /// The lanes.
    pub lanes: Vec<Lane>,
}

impl Settings {
    /// Whether there is anything to guard.
    pub fn is_empty(&self) -> bool {
        self.lanes.is_empty()
            && self.home.is_none()
            && self.protected.is_empty()
            && self.tried.is_none()
    }

    /// Reads them; `None` when the repository has none.
    pub fn read(common_dir: &Path) -> Result<Option<Self>> {
        let path = common_dir.join("config");
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).context("read", &path),
        };
        let mentioned = bytes
            .find_iter(b"[")
            .any(|at| bytes[at + 1..].get(..4).is_some_and(is_lane));
        if !mentioned {
            return Ok(None);
        }
        let settings = parse(&bytes, &path)?;
        Ok((!settings.is_empty()).then_some(settings))
    }

    fn set(&mut self, lane: Option<&BStr>, key: &[u8], value: BString) {
        let branch = |value: &BString| {
            BranchName::from_ref(bstr::join("", ["refs/heads/".into(), value.as_bstr()]).as_bstr())
        };
        let Some(name) = lane else {
            if key.eq_ignore_ascii_case(b"guard") {
                self.level = Level::parse(&value).or(self.level);
            } else if key.eq_ignore_ascii_case(b"home") {
                self.home = branch(&value);
            } else if key.eq_ignore_ascii_case(b"tried") {
                self.tried = value.to_str().ok().map(str::to_owned);
            } else if key.eq_ignore_ascii_case(b"protected") {
                self.protected = value
                    .to_str_lossy()
                    .split_whitespace()
                    .map(str::to_owned)
                    .collect();
            }
            return;
        };
        // A name that is not UTF-8 is no lane's; made readable it could be another's.
        let Ok(name) = name.to_str() else { return };
        let at = self
            .lanes
            .iter()
            .rposition(|lane| lane.name == name)
            .unwrap_or_else(|| {
                self.lanes.push(Lane {
                    name: name.to_owned(),
                    ..Lane::default()
                });
                self.lanes.len() - 1
            });
        let lane = &mut self.lanes[at];
        if key.eq_ignore_ascii_case(b"branch") {
            lane.branch = branch(&value);
        } else if key.eq_ignore_ascii_case(b"worktree") {
            lane.worktree = crate::store::path(&value);
        } else if key.eq_ignore_ascii_case(b"base") {
            lane.base = RefName::parse(value.as_bstr());
        } else if key.eq_ignore_ascii_case(b"readOnly") {
            lane.read_only = value == "true";
        }
    }
}

/// The level asked for in the environment: `git -c lane.guard=…`, which git hands down there,
/// counts more than the numbered variables beside it (git-config(1), ENVIRONMENT).
pub fn level_of_command_line() -> Option<Level> {
    use std::os::unix::ffi::OsStrExt;
    let parameters = std::env::var_os("GIT_CONFIG_PARAMETERS");
    let level = parameters.and_then(|parameters| level_of_parameters(parameters.as_bytes()));
    level.or_else(|| level_of_numbered(|name| std::env::var_os(name)))
}

/// The last level among `GIT_CONFIG_KEY_<n>` and `GIT_CONFIG_VALUE_<n>`.
fn level_of_numbered(variable: impl Fn(&str) -> Option<OsString>) -> Option<Level> {
    use std::os::unix::ffi::OsStrExt;
    // As strtoul(3) reads it; with a number that is none, or a pair that is missing, git itself
    // ends.
    let count = variable("GIT_CONFIG_COUNT")?
        .to_str()?
        .trim_start()
        .parse::<u32>()
        .ok()?;
    let pair = |at| {
        Some((
            variable(&format!("GIT_CONFIG_KEY_{at}"))?,
            variable(&format!("GIT_CONFIG_VALUE_{at}"))?,
        ))
    };
    let guards = (0..count)
        .map_while(pair)
        .filter(|(key, _)| key.eq_ignore_ascii_case("lane.guard"));
    guards
        .filter_map(|(_, value)| Level::parse(value.as_bytes()))
        .last()
}

/// `'key'='value'` as git writes it since 2.31, `'key=value'` before; separated by spaces.
pub fn level_of_parameters(parameters: &[u8]) -> Option<Level> {
    let mut level = None;
    let (mut word, mut quoted) = (Vec::new(), false);
    let mut bytes = parameters.iter().copied().peekable();
    let mut words = Vec::new();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\'' => quoted = !quoted,
            b'\\' if !quoted => word.extend(bytes.next()),
            b' ' if !quoted => words.push(std::mem::take(&mut word)),
            byte => word.push(byte),
        }
    }
    words.push(word);
    for word in words {
        if let Some((key, value)) = word.split_once_str("=")
            && key.eq_ignore_ascii_case(b"lane.guard")
        {
            level = Level::parse(value).or(level);
        }
    }
    level
}

fn is_lane(word: &[u8]) -> bool {
    word.eq_ignore_ascii_case(b"lane")
}

/// The `[lane]` sections of the file at `path`, which holds `bytes`.
pub fn parse(bytes: &[u8], path: &Path) -> Result<Settings> {
    let metadata = gix::config::file::Metadata::from(gix::config::Source::Local);
    let file = gix::config::File::from_bytes_no_includes(bytes, metadata, Default::default())
        .map_err(|error| {
            Error::environment(format!("cannot understand '{}': {error}", path.display()))
        })?;
    let mut settings = Settings::default();
    for section in file
        .sections()
        .filter(|section| is_lane(section.header().name()))
    {
        for (key, value) in section.body() {
            settings.set(section.header().subsection_name(), key.as_bytes(), value);
        }
    }
    settings.lanes.retain(|lane| lane.worktree.is_absolute());
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lane_sections_are_read_as_git_reads_them() {
        let config =
            b"[core]\n\tbare = false ; no\n[LANE]\n\tguard = warn\n\tHome = main\n\tprotected = \
              main release/*\n[include]\n\tpath = x\n[lane \"a\\\"b\"] branch = one\n\tworktree = \
              \"/w/with  space \" # said\n\tbase = refs/heads/main\n\ttask = \
              \"a\\nb\\\\\"\n[branch \"lane\"]\n\tremote = .\n[lane \"c\"]\n\tworktree = \
              /w/c\n\ttask =\n[lane \"damaged\"]\n\tworktree = x\n";
        let settings = parse(config, Path::new("config")).unwrap();
        assert_eq!(settings.level, Some(Level::Warn));
        assert_eq!(settings.protected, ["main", "release/*"]);
        assert_eq!(settings.lanes.len(), 2);
        assert_eq!(
            (
                &*settings.lanes[0].name,
                settings.lanes[0].worktree.to_str()
            ),
            ("a\"b", Some("/w/with  space "))
        );
        assert_eq!(settings.lanes[0].branch.as_ref().unwrap().as_bstr(), "one");
    }

    #[test]
    fn a_level_is_found_however_it_is_written() {
        for (config, level) in [
            ("[core][lane]\n\tguard = warn\n", Some(Level::Warn)),
            (
                "[core]\n\tx = a\\\n[lane]\n[LANE] Guard=off",
                Some(Level::Off),
            ),
            ("[lane]\n\tguard = of\\\nf\n", Some(Level::Off)),
            ("[lane]\n\tguard\n", None),
            ("[lane \"x\"]\n\tguard = warn\n", None),
        ] {
            let settings = parse(config.as_bytes(), Path::new("config")).unwrap();
            assert_eq!(settings.level, level, "{config}");
        }
        assert!(parse(b"[lane \"x]\n", Path::new("config")).is_err());
    }

    #[test]
    fn the_command_line_is_heard_in_both_of_gits_forms() {
        for (parameters, level) in [
            ("'lane.guard'='off'", Some(Level::Off)),
            (
                "'user.name'='it'\\''s me' 'LANE.Guard'='warn'",
                Some(Level::Warn),
            ),
            ("'lane.guard=refuse'", Some(Level::Refuse)),
            ("'lane.guard'='nonsense'", None),
            ("'x.y'='lane.guard=off'", None),
        ] {
            assert_eq!(
                level_of_parameters(parameters.as_bytes()),
                level,
                "{parameters}"
            );
        }
    }
}
