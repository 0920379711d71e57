//! The values of `lane.toml`: what may stand at a key, whether what stands there does, and how that
//! is told.

use super::keys::Key;
use super::suggest;
use crate::domain::duration;

/// What may stand at a key.
#[derive(Debug)]
pub enum Shape {
    /// One line or more of text.
    Text,
    /// The name of a branch or another revision.
    Revision,
    /// Text with these placeholders.
    Template(&'static [&'static str]),
    /// The same, where `{{` and `}}` stand for the braces themselves.
    Message(&'static [&'static str]),
    /// A path with these placeholders.
    Path(&'static [&'static str]),
    /// `true` or `false`.
    Flag,
    /// One of these words.
    Word(&'static [&'static str]),
    /// Several of these words.
    Words(&'static [&'static str]),
    /// Patterns for branches; a single one may stand without brackets.
    Patterns,
    /// Command lines for a shell; a single one may stand without brackets.
    Commands,
    /// A length of time with its unit.
    Duration,
    /// A number of days.
    Days,
    /// A number of bytes, or a text like `10 GiB`.
    Size,
}

/// A value that fits its key.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(untagged)]
pub enum Value {
    /// Text, words, templates, and what has a unit.
    Text(String),
    /// A flag.
    Flag(bool),
    /// Days, or bytes.
    Number(u64),
    /// Words, patterns or commands.
    List(Vec<String>),
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Value::Text(text) => f.write_str(text),
            Value::Flag(flag) => flag.fmt(f),
            Value::Number(number) => number.fmt(f),
            Value::List(list) => f.write_str(&list.join(", ")),
        }
    }
}

/// Why a value does not fit: the end of the sentence "'start.fetch' …", and a hint.
#[derive(Debug, PartialEq, Eq)]
pub struct Problem {
    pub(super) text: String,
    pub(super) hint: Option<String>,
}

impl From<String> for Problem {
    fn from(text: String) -> Self {
        Problem { text, hint: None }
    }
}

impl Key {
    /// The words that may stand there, where only words may.
    pub fn words(&self) -> &'static [&'static str] {
        match self.shape {
            Shape::Word(words) | Shape::Words(words) => words,
            _ => &[],
        }
    }

    /// What may stand there, for messages and the manual.
    pub fn expected(&self) -> &'static str {
        match self.shape {
            Shape::Text
            | Shape::Template(_)
            | Shape::Message(_)
            | Shape::Path(_)
            | Shape::Revision
            | Shape::Word(_) => "a text",
            Shape::Flag => "true or false",
            Shape::Words(_) => "a list of texts",
            Shape::Patterns | Shape::Commands => "a text or a list of texts",
            Shape::Duration => "a text such as \"1h\"",
            Shape::Days => "a number of days",
            Shape::Size => "a number of bytes or a text such as \"10 GiB\"",
        }
    }

    /// Checks what a file says; `None` is an optional key set to the empty text, which unsets it.
    pub(super) fn check(&self, written: &toml::Value) -> Result<Option<Value>, Problem> {
        let wrong = || {
            Problem::from(format!(
                "must be {}, not {}",
                self.expected(),
                kind(written)
            ))
        };
        let text = || written.as_str().ok_or_else(wrong);
        Ok(Some(match &self.shape {
            _ if self.optional() && written.as_str() == Some("") => return Ok(None),
            Shape::Flag => Value::Flag(written.as_bool().ok_or_else(wrong)?),
            Shape::Days => match written.as_integer().ok_or_else(wrong)? {
                days @ 1..=36_500 => Value::Number(days.unsigned_abs()),
                _ => return Err("must be between 1 and 36500".to_owned().into()),
            },
            Shape::Size => match written.as_integer() {
                Some(bytes) if bytes > 0 => Value::Number(bytes.unsigned_abs()),
                Some(_) => return Err("must be more than 0".to_owned().into()),
                None => {
                    let size = text()?;
                    size_in_bytes(size).ok_or_else(|| Problem {
                        text: format!("cannot be '{size}'"),
                        hint: Some("a whole number and a unit: B, KiB, MiB, GiB or TiB".into()),
                    })?;
                    Value::Text(size.into())
                }
            },
            Shape::Words(words) => {
                let list = texts(written).ok_or_else(wrong)?;
                for entry in &list {
                    one_of(words, entry)?;
                }
                Value::List(list)
            }
            Shape::Patterns => Value::List(one_or_more(written).ok_or_else(wrong)?),
            Shape::Commands => {
                let commands = one_or_more(written).ok_or_else(wrong)?;
                for command in &commands {
                    not_empty(command)?;
                    if command.contains('\0') {
                        return Err("must not contain a NUL byte".to_owned().into());
                    }
                }
                Value::List(commands)
            }
            Shape::Duration => {
                let length = text()?;
                if seconds(length).is_none() {
                    return Err(Problem {
                        text: format!("cannot be '{length}'"),
                        hint: Some("a whole number and a unit: s, m, h, d or w".into()),
                    });
                }
                Value::Text(length.into())
            }
            Shape::Word(words) => {
                one_of(words, text()?)?;
                Value::Text(text()?.into())
            }
            Shape::Text => Value::Text(not_empty(text()?)?),
            Shape::Revision => {
                let name = text()?;
                if name.starts_with('-') || name.chars().any(char::is_control) {
                    return Err(format!("cannot be '{name}': no branch is called that").into());
                }
                Value::Text(name.into())
            }
            Shape::Template(known) => {
                placeholders(text()?, known)?;
                Value::Text(not_empty(text()?)?)
            }
            Shape::Message(_) if text()?.contains('\0') => {
                return Err("must not contain a NUL byte".to_owned().into());
            }
            Shape::Message(known) => {
                placeholders(&text()?.replace("{{", "").replace("}}", ""), known)?;
                Value::Text(not_empty(text()?)?)
            }
            Shape::Path(known) => {
                placeholders(text()?, known)?;
                inside_git(text()?)?;
                Value::Text(not_empty(text()?)?)
            }
        }))
    }

    /// What the tracked file must not say although it fits: a place where a lane's files would be
    /// something else than a lane's files, and branches that are not the lane's own.
    pub(super) fn check_tracked(&self, value: &Value) -> Result<(), Problem> {
        self.check_cloned(value)?;
        let texts = match value {
            Value::Text(text) => std::slice::from_ref(text),
            Value::List(list) => list,
            _ => &[],
        };
        let ours = |c: char| matches!(self.shape, Shape::Message(_)) && matches!(c, '\n' | '\t');
        if !matches!(self.shape, Shape::Commands)
            && texts
                .iter()
                .any(|text| text.chars().any(|c| c.is_control() && !ours(c)))
        {
            return Err("must not contain control characters in a tracked file"
                .to_owned()
                .into());
        }
        let Value::Text(text) = value else {
            return Ok(());
        };
        match &self.shape {
            Shape::Path(_) if !is_among_lanes(text) => Err(Problem {
                text: format!("cannot be '{text}' in a tracked file"),
                hint: Some(format!(
                    "there it is one of {}, or below; your own lane.toml is free",
                    TRACKED.join(", ")
                )),
            }),
            Shape::Template(_) if !text.contains("{name}") => Err(Problem {
                text: format!("cannot be '{text}' in a tracked file"),
                hint: Some(
                    "there it has {name} in it, so that no lane takes another branch".into(),
                ),
            }),
            _ => Ok(()),
        }
    }

    /// What no file must say that may have come with an archive: a place whose name the user has
    /// not typed, and a command that is not what a terminal shows of it.
    pub(super) fn check_cloned(&self, value: &Value) -> Result<(), Problem> {
        if let (Shape::Commands, Value::List(commands)) = (&self.shape, value)
            && commands
                .iter()
                .any(|command| command.chars().any(|c| c.is_control() && c != '\n'))
        {
            let text = "must not contain control characters, except in your own lane.toml";
            return Err(text.to_owned().into());
        }
        let (Shape::Path(_), Value::Text(path)) = (&self.shape, value) else {
            return Ok(());
        };
        let last = path.rsplit('/').next().unwrap_or_default();
        if last.contains("{name}") && !path.chars().any(char::is_control) {
            return Ok(());
        }
        Err(Problem {
            text: format!("cannot be '{path}'"),
            hint: Some("its last part has {name} in it, except in your own lane.toml".into()),
        })
    }
}

/// Where the tracked file may put lanes.
const TRACKED: [&str; 3] = [
    "../{repo}.lanes/{name}",
    ".worktrees/{name}",
    ".claude/worktrees/{name}",
];

/// Whether the path is one of these or below the same directory, and has no part that is hidden, or
/// a file name that some system takes for another one.
fn is_among_lanes(path: &str) -> bool {
    let options = gix::validate::path::component::Options::default();
    let plain = |part: &str| {
        let part = part.replace("{name}", "x").replace("{repo}", "x");
        let hidden = part.starts_with('.')
            || part.ends_with(['.', ' '])
            || part.chars().any(char::is_control);
        !hidden && gix::validate::path::component(part.as_str().into(), None, options).is_ok()
    };
    let directory = |known: &&str| {
        known
            .strip_suffix("{name}")
            .and_then(|directory| path.strip_prefix(directory))
    };
    TRACKED
        .iter()
        .find_map(directory)
        .is_some_and(|rest| rest.split('/').all(plain))
}

impl Key {
    /// What a tracked file may make of what the user's own file demands: rules become no weaker by
    /// it. `None`: the user's own stays as it is.
    pub(super) fn beside(&self, own: &Value, tracked: Option<Value>) -> Option<Option<Value>> {
        match (self.name, own) {
            ("rule.protected", Value::List(own)) => {
                let Some(Value::List(more)) = tracked else {
                    return None;
                };
                let more: Vec<String> = more
                    .into_iter()
                    .filter(|pattern| !own.contains(pattern))
                    .collect();
                (!more.is_empty()).then(|| Some(Value::List([own.as_slice(), &more].concat())))
            }
            ("rule.branch-pattern", Value::List(own)) if !own.is_empty() => None,
            ("rule.home", _) | ("start.install-hooks", Value::Flag(true)) => None,
            _ => self.together(own, tracked),
        }
    }

    /// What a file makes of a key to which every file adds and from which none takes away: the gate
    /// becomes no weaker by it. `None`: what holds stays as it is.
    pub(super) fn together(&self, held: &Value, more: Option<Value>) -> Option<Option<Value>> {
        match (self.name, held, more) {
            ("finish.gate", Value::List(held), Some(Value::List(more))) => {
                let more: Vec<String> = more
                    .into_iter()
                    .filter(|command| !held.contains(command))
                    .collect();
                (!more.is_empty()).then(|| Some(Value::List([held.as_slice(), &more].concat())))
            }
            ("finish.gate-required", Value::Flag(true), _) => None,
            (_, _, more) => Some(more),
        }
    }

    /// Whether a tracked file has no say because removed lanes would wait less long by it, or
    /// beside fewer others, or receipts would count for longer.
    pub(super) fn weakens(&self, old: Option<&Value>, new: Option<&Value>) -> bool {
        let much = |value: Option<&Value>| match value {
            Some(Value::Number(number)) => *number,
            Some(Value::Text(size)) => size_in_bytes(size).unwrap_or(0),
            _ => 0,
        };
        match self.name {
            "trash.days" | "trash.size" => much(new) < much(old),
            "finish.receipt-days" => much(new) > much(old),
            _ => false,
        }
    }
}

/// The number of bytes a text such as `10 GiB` means.
pub(super) fn size_in_bytes(text: &str) -> Option<u64> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let number: u64 = text[..digits].parse().ok()?;
    let factor: u64 = match text[digits..].trim() {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        "kB" | "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "TB" => 1_000_000_000_000,
        _ => return None,
    };
    number.checked_mul(factor).filter(|bytes| *bytes > 0)
}

/// The longest time that something may be given.
const LONGEST: i64 = 52 * 7 * 86_400;

/// The number of seconds a text such as `1h` means.
pub(super) fn seconds(text: &str) -> Option<u64> {
    let seconds = duration::parse(text).ok()?;
    (1..=LONGEST)
        .contains(&seconds)
        .then_some(seconds.unsigned_abs())
}

fn kind(value: &toml::Value) -> &'static str {
    match value {
        toml::Value::String(_) => "a text",
        toml::Value::Integer(_) | toml::Value::Float(_) => "a number",
        toml::Value::Boolean(_) => "true or false",
        toml::Value::Datetime(_) => "a date",
        toml::Value::Array(_) => "a list",
        toml::Value::Table(_) => "a section",
    }
}

fn texts(value: &toml::Value) -> Option<Vec<String>> {
    value
        .as_array()?
        .iter()
        .map(|entry| {
            entry
                .as_str()
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
        })
        .collect()
}

/// A single text, or a list of them; the empty text is none.
fn one_or_more(value: &toml::Value) -> Option<Vec<String>> {
    match value.as_str() {
        Some("") => Some(Vec::new()),
        Some(text) => Some(vec![text.into()]),
        None => texts(value),
    }
}

fn one_of(words: &[&'static str], text: &str) -> Result<(), Problem> {
    if words.contains(&text) {
        return Ok(());
    }
    let hint = match suggest(text, words.iter().copied()) {
        Some(word) => format!("did you mean '{word}'?"),
        None => format!("one of: {}", words.join(", ")),
    };
    Err(Problem {
        text: format!("cannot be '{text}'"),
        hint: Some(hint),
    })
}

fn not_empty(text: &str) -> Result<String, Problem> {
    if text.trim().is_empty() {
        Err("must not be empty".to_owned().into())
    } else {
        Ok(text.into())
    }
}

fn placeholders(template: &str, known: &[&'static str]) -> Result<(), Problem> {
    let mut rest = template;
    while let Some((_, after)) = rest.split_once('{') {
        let Some((name, tail)) = after.split_once('}') else {
            return Err(format!("cannot be '{template}': a '{{' is not closed").into());
        };
        if !known.contains(&name) {
            let hint = match suggest(name, known.iter().copied()) {
                Some(like) => format!("did you mean '{{{like}}}'?"),
                None => format!("the placeholders here are {{{}}}", known.join("}, {")),
            };
            return Err(Problem {
                text: format!("has the unknown placeholder '{{{name}}}'"),
                hint: Some(hint),
            });
        }
        rest = tail;
    }
    Ok(())
}

/// A worktree below `.git` would sit among git's own files.
fn inside_git(path: &str) -> Result<(), Problem> {
    if path
        .split('/')
        .any(|part| part.eq_ignore_ascii_case(".git"))
    {
        return Err(format!("cannot be '{path}': '.git' is git's own").into());
    }
    if path.contains('\0') {
        return Err("must not contain a NUL byte".to_owned().into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{KEYS, find};

    fn check(key: &str, toml: &str) -> Result<Option<Value>, Problem> {
        let table: toml::Table = toml::from_str(&format!("x = {toml}")).unwrap();
        find(key).unwrap().check(&table["x"])
    }

    #[test]
    fn every_default_fits_its_own_key_and_may_stand_in_a_tracked_file() {
        for key in KEYS.iter().filter(|key| !key.optional()) {
            let value = check(key.name, key.default).unwrap().unwrap();
            key.check_tracked(&value).unwrap();
        }
    }

    #[test]
    fn values_that_do_not_fit_say_why() {
        for (key, toml, text) in [
            (
                "start.fetch",
                "\"yes\"",
                "must be true or false, not a text",
            ),
            ("start.branch", "3", "must be a text, not a number"),
            ("start.branch", "\"\"", "must not be empty"),
            (
                "start.branch",
                "\"{nmae}\"",
                "has the unknown placeholder '{nmae}'",
            ),
            (
                "start.branch",
                "\"{name\"",
                "cannot be '{name': a '{' is not closed",
            ),
            (
                "start.path",
                "\".git/x\"",
                "cannot be '.git/x': '.git' is git's own",
            ),
            (
                "start.base",
                "\"--force\"",
                "cannot be '--force': no branch is called that",
            ),
            ("finish.strategy", "\"merg\"", "cannot be 'merg'"),
            (
                "finish.trailers",
                "[\"lane\", \"onwer\"]",
                "cannot be 'onwer'",
            ),
            (
                "finish.trailers",
                "\"lane\"",
                "must be a list of texts, not a text",
            ),
            ("trash.days", "0", "must be between 1 and 36500"),
            (
                "trash.days",
                "1.5",
                "must be a number of days, not a number",
            ),
            ("trash.size", "\"10 Gigs\"", "cannot be '10 Gigs'"),
            ("trash.size", "-1", "must be more than 0"),
            ("finish.gate", "[\"a\", \" \"]", "must not be empty"),
            ("finish.gate", "\" \"", "must not be empty"),
            ("finish.gate", "\"a\\u0000\"", "must not contain a NUL byte"),
            (
                "finish.gate",
                "[[\"a\"]]",
                "must be a text or a list of texts, not a list",
            ),
            ("finish.gate-time-limit", "\"0s\"", "cannot be '0s'"),
            ("finish.gate-time-limit", "\"53w\"", "cannot be '53w'"),
            ("finish.gate-time-limit", "\"1\"", "cannot be '1'"),
            (
                "finish.gate-time-limit",
                "60",
                "must be a text such as \"1h\", not a number",
            ),
            (
                "rule.protected",
                "[1]",
                "must be a text or a list of texts, not a list",
            ),
        ] {
            assert_eq!(check(key, toml).unwrap_err().text, text, "{key} = {toml}");
        }
    }

    #[test]
    fn a_tracked_path_is_among_the_lanes() {
        let key = find("start.path").unwrap();
        let verdict = |path: &str| key.check_tracked(&Value::Text(path.into())).is_ok();
        for path in [
            "../{repo}.lanes/{name}",
            "../{repo}.lanes/team/{name}",
            ".worktrees/{name}",
            ".claude/worktrees/{name}",
            ".worktrees/x-{name}",
        ] {
            assert!(verdict(path), "{path}");
        }
        for path in [
            "/tmp/{name}",
            "~/lanes/{name}",
            "~x/{name}",
            "../../x/{name}",
            "a/../../{name}",
            "..",
            "../{name}",
            "../x.lanes/{name}",
            "../{repo}/{name}",
            "../{repo}.lanes",
            "../{repo}.lanes/",
            "../{repo}.lanes/x",
            "../{repo}.lanes/.{name}",
            "../{repo}.lanes/.config/{name}",
            "../{repo}.lanes/../.config/{name}",
            "../{repo}.lanes//{name}",
            "../{repo}.lanes/./{name}",
            "../.config/{name}",
            "../.config/git",
            "../.cargo",
            "./.worktrees/{name}",
            ".worktrees/../{name}",
            ".Worktrees/{name}",
            ".github/{name}",
            ".claude/{name}",
            ".claude/worktrees/../{name}",
            ".git/worktrees/{name}",
            ".GIT/{name}",
            ".worktrees/.GIT/{name}",
            ".worktrees/git~1/{name}",
            ".worktrees/.g\u{200c}it/{name}",
            ".worktrees/{name}.",
            ".worktrees/{name} ",
            ".worktrees/a\\b/{name}",
            ".worktrees/CON/{name}",
            ".worktrees/a\nb/{name}",
            "src/{name}",
            "lanes/{name}",
            "{name}",
            "{repo}/{name}",
        ] {
            assert!(!verdict(path), "{path}");
        }
    }

    #[test]
    fn a_tracked_file_weakens_no_rule_of_the_users_own() {
        for (key, own, tracked, left) in [
            ("rule.protected", "['main']", "[]", None),
            ("rule.protected", "['main']", "''", None),
            ("rule.protected", "['main']", "'main'", None),
            (
                "rule.protected",
                "['main']",
                "['x', 'main']",
                Some("['main', 'x']"),
            ),
            // A pattern that takes back is none in this list: every one of them protects.
            (
                "rule.protected",
                "['main']",
                "['!main']",
                Some("['main', '!main']"),
            ),
            ("rule.protected", "[]", "['x']", Some("['x']")),
            ("rule.branch-pattern", "['a/*']", "[]", None),
            ("rule.branch-pattern", "['a/*']", "['**']", None),
            ("rule.branch-pattern", "[]", "['b/*']", Some("['b/*']")),
            ("rule.home", "'main'", "'x'", None),
            ("start.install-hooks", "true", "false", None),
            ("start.install-hooks", "false", "true", Some("true")),
            ("start.base", "'main'", "'x'", Some("'x'")),
        ] {
            let value = |toml| check(key, toml).unwrap();
            let found = find(key)
                .unwrap()
                .beside(&value(own).unwrap(), value(tracked));
            assert_eq!(found, left.map(value), "{key}: {own}, {tracked}");
        }
        assert_eq!(
            find("rule.home")
                .unwrap()
                .beside(&Value::Text("main".into()), None),
            None
        );
    }

    #[test]
    fn every_file_adds_to_the_gate_and_none_takes_away() {
        for (key, held, more, left) in [
            ("finish.gate", "[]", "'a'", Some("['a']")),
            ("finish.gate", "['a']", "['b', 'a']", Some("['a', 'b']")),
            ("finish.gate", "['a']", "['a']", None),
            ("finish.gate", "['a']", "[]", None),
            ("finish.gate", "['a']", "''", None),
            ("finish.gate-required", "true", "false", None),
            ("finish.gate-required", "false", "true", Some("true")),
            ("finish.gate-time-limit", "'1h'", "'2h'", Some("'2h'")),
        ] {
            let value = |toml| check(key, toml).unwrap();
            let found = find(key)
                .unwrap()
                .together(&value(held).unwrap(), value(more));
            assert_eq!(found, left.map(value), "{key}: {held}, {more}");
        }
    }

    #[test]
    fn only_the_users_own_file_may_have_a_command_that_hides() {
        let key = find("finish.gate").unwrap();
        for (toml, fits) in [
            ("'cargo test'", true),
            ("\"a\\nb\"", true),
            ("\"a\\tb\"", false),
            ("\"a\\rb\"", false),
            ("['a', \"\\u001b[2J\"]", false),
            ("\"\\u009b2J\"", false),
        ] {
            let value = check("finish.gate", toml).unwrap().unwrap();
            assert_eq!(key.check_tracked(&value).is_ok(), fits, "{toml}");
            assert_eq!(key.check_cloned(&value).is_ok(), fits, "{toml}");
        }
    }

    #[test]
    fn what_a_tracked_file_has_no_say_in() {
        for (key, old, new, weaker) in [
            ("trash.days", "14", "13", true),
            ("trash.days", "14", "14", false),
            ("trash.days", "14", "15", false),
            ("trash.size", "\"10 GiB\"", "1", true),
            ("trash.size", "1024", "\"1 KiB\"", false),
            ("trash.size", "\"1 KiB\"", "\"1 MiB\"", false),
            ("finish.strategy", "\"merge\"", "\"ff\"", false),
            ("finish.receipt-days", "30", "31", true),
            ("finish.receipt-days", "30", "29", false),
        ] {
            let value = |toml| check(key, toml).unwrap();
            assert_eq!(
                find(key)
                    .unwrap()
                    .weakens(value(old).as_ref(), value(new).as_ref()),
                weaker,
                "{key} {new}"
            );
        }
    }

    #[test]
    fn a_message_may_hold_braces() {
        let message = Value::Text("{{{name}}} {{x".into());
        assert_eq!(
            check("finish.message", r#""{{{name}}} {{x""#),
            Ok(Some(message))
        );
        assert!(check("start.branch", r#""{{name}}""#).is_err());
    }

    #[test]
    fn sizes_have_units() {
        for (text, bytes) in [
            ("1", 1),
            ("1B", 1),
            ("10 GiB", 10 << 30),
            ("500MB", 500_000_000),
            ("2 TiB", 2 << 40),
        ] {
            assert_eq!(size_in_bytes(text), Some(bytes), "{text}");
        }
        for text in ["", "GiB", "0", "1.5 GiB", "-1", "99999999999 TiB", "1 gib"] {
            assert_eq!(size_in_bytes(text), None, "{text}");
        }
    }
}
