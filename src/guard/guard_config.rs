//! What the guard reads of `.git/config`: the `[lane]` sections, by a reader small enough to run at
//! every switch.
//!
//! The reader knows the syntax git-config(1) describes as far as git-lane and `git config` write
//! it. At anything else in a lane section it gives up, and gix reads the file instead. Like the
//! records themselves, these settings are those of this one file: includes are not followed. `git
//! -c lane.guard=…` is honoured.

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
    /// The lanes.
    pub lanes: Vec<Lane>,
}

impl Settings {
    /// Whether there is anything to guard.
    pub fn is_empty(&self) -> bool {
        self.lanes.is_empty() && self.home.is_none() && self.protected.is_empty()
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
        let settings = read(&bytes, &path)?;
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
        }
    }
}

/// By whichever reader can.
pub fn read(bytes: &[u8], path: &Path) -> Result<Settings> {
    parse(bytes).map_or_else(|| by_gix(bytes, path), Ok)
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

/// The exact reader; `None` at what it does not know.
pub fn parse(bytes: &[u8]) -> Option<Settings> {
    // A form feed is white space here and none to git.
    if bytes.contains(&b'\x0c') {
        return None;
    }
    let mut settings = Settings::default();
    // The subsection while in a lane section, `Some(None)` in `[lane]` itself.
    let mut section: Option<Option<BString>> = None;
    for line in bytes.lines() {
        let mut line = line.trim_ascii_start();
        if line.first() == Some(&b'[') {
            let (header, rest) = header(line)?;
            section = header;
            line = rest.trim_ascii_start();
        }
        let Some(subsection) = &section else {
            // Elsewhere a line that goes on could hide what looks like a header, and a second
            // header on one line would be hidden: let gix see to it.
            let key = line
                .split(|byte| b"=#;".contains(byte))
                .next()
                .unwrap_or_default();
            if line.ends_with(b"\\") || key.contains(&b'[') {
                return None;
            }
            continue;
        };
        if line.is_empty() || line.starts_with(b"#") || line.starts_with(b";") {
            continue;
        }
        let end = line
            .iter()
            .position(|b| !b.is_ascii_alphanumeric() && *b != b'-')
            .unwrap_or(line.len());
        let (key, rest) = line.split_at(end);
        let value = value(rest.trim_ascii_start().strip_prefix(b"=")?)?;
        settings.set(subsection.as_ref().map(|name| name.as_bstr()), key, value);
    }
    settings.lanes.retain(|lane| lane.worktree.is_absolute());
    Some(settings)
}

/// The section a header opens, if it is one of ours, and what follows on its line.
#[allow(
    clippy::type_complexity,
    reason = "two nested options say: a lane section, with or without a name"
)]
fn header(line: &[u8]) -> Option<(Option<Option<BString>>, &[u8])> {
    let end = line
        .iter()
        .position(|byte| !byte.is_ascii_alphanumeric() && !b"[-.".contains(byte))?;
    let (word, rest) = line.split_at(end);
    let word = &word[1..];
    let ours = is_lane(word);
    if rest.first() == Some(&b']') {
        // The old form `[lane.name]` is not what git-lane or a user writes.
        return (!word
            .get(..5)
            .is_some_and(|start| start.eq_ignore_ascii_case(b"lane.")))
        .then_some((ours.then_some(None), &rest[1..]));
    }
    let mut rest = rest.trim_ascii_start().strip_prefix(b"\"")?;
    let mut name = BString::default();
    loop {
        let (byte, after) = rest.split_first()?;
        rest = after;
        match byte {
            b'"' => break,
            b'\\' => {
                let (escaped, after) = rest.split_first()?;
                name.push(*escaped);
                rest = after;
            }
            byte => name.push(*byte),
        }
    }
    Some((ours.then_some(Some(name)), rest.strip_prefix(b"]")?))
}

/// A value with quotes, escapes and comments resolved; `None` when it goes on in the next line.
fn value(text: &[u8]) -> Option<BString> {
    let (mut value, mut quoted, mut kept) = (BString::default(), false, 0);
    let mut bytes = text.trim_ascii_start().iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => quoted = !quoted,
            b'\\' => match bytes.next()? {
                b'n' => value.push(b'\n'),
                b't' => value.push(b'\t'),
                b'b' => value.push(8),
                byte @ (b'"' | b'\\') => value.push(byte),
                _ => return None,
            },
            b'#' | b';' if !quoted => break,
            // White space before anything else does not count either, not even after an empty pair
            // of quotes.
            byte if !quoted && value.is_empty() && byte.is_ascii_whitespace() => {}
            byte => value.push(byte),
        }
        // White space at the end does not count, unless it was quoted or escaped.
        if quoted || byte == b'"' || byte == b'\\' || !byte.is_ascii_whitespace() {
            kept = value.len();
        }
    }
    value.truncate(kept);
    (!quoted).then_some(value)
}

pub fn by_gix(bytes: &[u8], path: &Path) -> Result<Settings> {
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
    fn both_readers_agree_on_what_git_and_git_lane_write() {
        let config =
            b"[core]\n\tbare = false ; no\n[LANE]\n\tguard = warn\n\tHome = main\n\tprotected = \
              main release/*\n[include]\n\tpath = x\n[lane \"a\\\"b\"] branch = one\n\tworktree = \
              \"/w/with  space \" # said\n\tbase = refs/heads/main\n\ttask = \
              \"a\\nb\\\\\"\n[branch \"lane\"]\n\tremote = .\n[lane \"c\"]\n\tworktree = \
              /w/c\n\ttask =\n[lane \"damaged\"]\n\tworktree = x\n";
        let settings = parse(config).unwrap();
        assert_eq!(settings, by_gix(config, Path::new("config")).unwrap());
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
    fn the_small_reader_gives_up_at_what_it_does_not_know() {
        for config in [
            "[lane.x]\n\tbranch = x\n",
            "[lane \"x\"]\n\tbranch = a\\\nb\n",
            "[core]\n\tx = a\\\n[lane]\n",
            "[core][lane]\n\tguard = warn\n",
            "[lane]\n\tguard\n",
            "[lane \"x]\n",
        ] {
            assert_eq!(parse(config.as_bytes()), None, "{config}");
        }
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
