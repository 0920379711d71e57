//! What the configuration asks of every `git merge` into a branch: `branch.<base>.mergeOptions`,
//! `merge.ff` and their like.
//!
//! A landing does what they ask, or refuses with the reason; options that only change what git
//! prints are passed over.

use super::finish::Relation;
use super::name::BranchName;
use crate::domain::finish::Strategy;
use crate::domain::shell_word::quote;
use crate::error::{Code, Error};

/// Entries of the shortlog where nothing else is said (git-merge(1), `--log`).
pub const LOG_ENTRIES: usize = 20;

/// Whether a merge may be, or must be, a fast-forward.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FastForward {
    /// Where it can be.
    #[default]
    Allowed,
    /// A merge commit, always.
    Never,
    /// Or nothing.
    Only,
}

/// What the configuration asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MergePolicy {
    /// `--ff` and `merge.ff`, and the key that says so.
    pub fast_forward: (FastForward, String),
    /// `--squash`
    pub squash: bool,
    /// `--no-commit`
    pub no_commit: bool,
    /// `--verify-signatures`, `merge.verifySignatures`
    pub verify_signatures: bool,
    /// `--log`, `merge.log`: how many entries.
    pub log: usize,
    /// `--gpg-sign`, `commit.gpgSign`; empty for the default key.
    pub sign: Option<String>,
    /// `--signoff`
    pub signoff: bool,
    /// `--no-verify`
    pub no_verify: bool,
    /// `--cleanup`
    pub cleanup: Option<String>,
    /// `--strategy`, and the key that names it.
    pub strategies: Vec<(String, String)>,
    /// `--strategy-option`
    pub options: Vec<String>,
}

/// Why a landing cannot do what the configuration asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Conflict {
    /// A line that git cannot take apart either, or a word of it.
    Malformed {
        /// The key.
        key: String,
        /// The word, or what is wrong with the line.
        what: String,
    },
    /// Something that no landing does.
    Unsupported {
        /// The key.
        key: String,
        /// The option.
        option: &'static str,
    },
    /// A merge strategy that is not ort.
    Strategy {
        /// The key.
        key: String,
        /// Its name.
        name: String,
    },
    /// Another way to land is asked for.
    Other {
        /// The key.
        key: String,
        /// What it asks for.
        asks: &'static str,
        /// Ways to land that it allows.
        allowed: &'static [Strategy],
    },
}

impl Conflict {
    /// The same for a sync, which has fewer ways than a landing.
    pub fn of_sync(self, remedy: String) -> Error {
        match self {
            Conflict::Other { key, asks, .. } => Error::refused(format!("{key} asks for {asks}"))
                .with_code(Code::MergePolicy)
                .hint(remedy),
            other => Error::from(other).hint(format!("or {remedy}")),
        }
    }
}

impl From<Conflict> for Error {
    fn from(conflict: Conflict) -> Self {
        let unset = |key: &str| format!("merge by hand, or: git config --unset {}", quote(key));
        let (text, hint) = match conflict {
            Conflict::Malformed { key, what } => {
                (format!("{key} cannot be understood: {what}"), unset(&key))
            }
            Conflict::Unsupported { key, option } => (
                format!("{key} asks for {option}, which no landing does"),
                unset(&key),
            ),
            Conflict::Strategy { key, name } => (
                format!("{key} asks for merge strategy '{name}', which git-lane does not run"),
                unset(&key),
            ),
            Conflict::Other { key, asks, allowed } => {
                let names: Vec<_> = allowed
                    .iter()
                    .map(|strategy| format!("--strategy {}", name(*strategy)))
                    .collect();
                let hint = if names.is_empty() {
                    unset(&key)
                } else {
                    format!("land with {}", names.join(" or "))
                };
                (format!("{key} asks for {asks}"), hint)
            }
        };
        Error::refused(text).with_code(Code::MergePolicy).hint(hint)
    }
}

fn name(strategy: Strategy) -> &'static str {
    match strategy {
        Strategy::Merge => "merge",
        Strategy::Squash => "squash",
        Strategy::Rebase => "rebase",
        Strategy::Ff => "ff",
    }
}

/// What follows an option.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Value {
    Without,
    Optional,
    Required,
}

/// The long options of git-merge(1), those of the newest git: a beginning that it finds ambiguous
/// is. Each has its `--no-` form.
const LONG: [(&str, Value); 27] = [
    ("stat", Value::Without),
    ("summary", Value::Without),
    ("compact-summary", Value::Without),
    ("log", Value::Optional),
    ("squash", Value::Without),
    ("commit", Value::Without),
    ("edit", Value::Without),
    ("cleanup", Value::Required),
    ("ff", Value::Without),
    ("ff-only", Value::Without),
    ("rerere-autoupdate", Value::Without),
    ("verify-signatures", Value::Without),
    ("strategy", Value::Required),
    ("strategy-option", Value::Required),
    ("message", Value::Required),
    ("file", Value::Required),
    ("into-name", Value::Required),
    ("verbose", Value::Without),
    ("quiet", Value::Without),
    ("allow-unrelated-histories", Value::Without),
    ("progress", Value::Without),
    ("gpg-sign", Value::Optional),
    ("autostash", Value::Without),
    ("overwrite-ignore", Value::Without),
    ("signoff", Value::Without),
    ("verify", Value::Without),
    ("abort", Value::Without),
];

impl MergePolicy {
    /// Adds what a line of merge options says; its words that are no options say nothing to git
    /// either.
    pub fn add(&mut self, key: &str, line: &str) -> Result<(), Conflict> {
        let malformed = |what: &str| Conflict::Malformed {
            key: key.to_owned(),
            what: what.to_owned(),
        };
        let words = split(line).ok_or_else(|| malformed("a quote has no end"))?;
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            if word == "--" {
                break;
            }
            let missing = || malformed(&format!("'{word}' lacks its value"));
            if let Some(long) = word.strip_prefix("--") {
                let (long, attached) = match long.split_once('=') {
                    Some((long, value)) => (long, Some(value.to_owned())),
                    None => (long, None),
                };
                let (option, on) = find(long).ok_or_else(|| malformed(&format!("'{word}'")))?;
                let value = match option.1 {
                    Value::Required if on => {
                        Some(attached.or_else(|| words.next()).ok_or_else(missing)?)
                    }
                    _ => attached,
                };
                self.set(key, option.0, on, value)?;
            } else if let Some(flags) = word.strip_prefix('-').filter(|flags| !flags.is_empty()) {
                let mut flags = flags.chars();
                while let Some(flag) = flags.next() {
                    let option = match flag {
                        'n' | 'v' | 'q' | 'e' => continue,
                        's' => "strategy",
                        'X' => "strategy-option",
                        'm' => "message",
                        'F' => "file",
                        'S' => "gpg-sign",
                        _ => return Err(malformed(&format!("'{word}'"))),
                    };
                    let rest = Some(flags.as_str().to_owned()).filter(|rest| !rest.is_empty());
                    flags = "".chars();
                    let value = match option {
                        "gpg-sign" => rest,
                        _ => Some(rest.or_else(|| words.next()).ok_or_else(missing)?),
                    };
                    self.set(key, option, true, value)?;
                }
            }
        }
        Ok(())
    }

    fn set(
        &mut self,
        key: &str,
        option: &str,
        on: bool,
        value: Option<String>,
    ) -> Result<(), Conflict> {
        let unsupported = |option| {
            Err(Conflict::Unsupported {
                key: key.to_owned(),
                option,
            })
        };
        let ff = |way| (way, key.to_owned());
        match option {
            "ff" => {
                self.fast_forward = ff(if on {
                    FastForward::Allowed
                } else {
                    FastForward::Never
                })
            }
            "ff-only" if on => self.fast_forward = ff(FastForward::Only),
            "squash" => self.squash = on,
            "commit" => self.no_commit = !on,
            "verify-signatures" => self.verify_signatures = on,
            "log" => {
                let entries = value.map_or(Some(LOG_ENTRIES), |value| value.parse().ok());
                let what = || Conflict::Malformed {
                    key: key.to_owned(),
                    what: "--log takes a number".to_owned(),
                };
                self.log = if on { entries.ok_or_else(what)? } else { 0 };
            }
            "gpg-sign" => self.sign = on.then(|| value.unwrap_or_default()),
            "signoff" => self.signoff = on,
            "verify" => self.no_verify = !on,
            "cleanup" => self.cleanup = value.filter(|_| on),
            "strategy" if on => self
                .strategies
                .extend(value.map(|name| (name, key.to_owned()))),
            "strategy" => self.strategies.clear(),
            "strategy-option" if on => self.options.extend(value),
            "strategy-option" => self.options.clear(),
            "message" if on => return unsupported("a message of its own"),
            "file" if on => return unsupported("a message from a file"),
            "abort" if on => return unsupported("--abort"),
            // What git prints, and what a landing never does: to stash, to write over ignored
            // files, to open an editor unasked.
            _ => {}
        }
        Ok(())
    }

    /// Refuses a merge strategy that git-lane does not have.
    pub fn ensure_own_strategy(&self) -> Result<(), Conflict> {
        let ours = |name: &str| matches!(name, "ort" | "recursive");
        if let Some((name, key)) = self.strategies.iter().find(|(name, _)| !ours(name)) {
            return Err(Conflict::Strategy {
                key: key.clone(),
                name: name.clone(),
            });
        }
        Ok(())
    }

    /// Whether the base may take a landing of that kind.
    pub fn ensure_allows(
        &self,
        base: &BranchName,
        strategy: Strategy,
        relation: Relation,
    ) -> Result<(), Conflict> {
        let options = || format!("branch.{base}.mergeOptions");
        let other = |key: String, asks, allowed| Err(Conflict::Other { key, asks, allowed });
        self.ensure_own_strategy()?;
        let (fast_forward, key) = &self.fast_forward;
        match (fast_forward, strategy) {
            (FastForward::Never, _) if self.squash => {
                other(options(), "a squash that is a merge commit", &[])
            }
            _ if self.squash && strategy != Strategy::Squash => {
                other(options(), "a squash", &[Strategy::Squash])
            }
            (FastForward::Never, Strategy::Squash | Strategy::Rebase | Strategy::Ff) => {
                other(key.clone(), "a merge commit", &[Strategy::Merge])
            }
            // A squash of what only adds to the base passes git's own check.
            (FastForward::Only, Strategy::Squash) if relation == Relation::Ahead => Ok(()),
            (FastForward::Only, Strategy::Merge | Strategy::Squash) => other(
                key.clone(),
                "fast-forwards only",
                &[Strategy::Rebase, Strategy::Ff],
            ),
            (_, Strategy::Merge) if self.no_commit => Err(Conflict::Unsupported {
                key: options(),
                option: "--no-commit",
            }),
            _ => Ok(()),
        }
    }
}

/// The option of that name or that unique beginning, and whether it is asked for or ruled out.
fn find(name: &str) -> Option<((&'static str, Value), bool)> {
    let exact = |name: &str| LONG.iter().find(|(long, _)| *long == name).copied();
    let negated = |name: &str| name.strip_prefix("no-").and_then(exact);
    if let Some(found) = exact(name)
        .map(|option| (option, true))
        .or_else(|| negated(name).map(|option| (option, false)))
    {
        return Some(found);
    }
    let begins = |option: &&(&str, Value), on: bool| {
        if on {
            option.0.starts_with(name)
        } else {
            format!("no-{}", option.0).starts_with(name)
        }
    };
    let mut found = [true, false].into_iter().flat_map(|on| {
        LONG.iter()
            .filter(move |option| begins(option, on))
            .map(move |option| (*option, on))
    });
    found.next().filter(|_| found.next().is_none())
}

/// Splits a command line as git's `split_cmdline` does: blanks, both kinds of quotes, backslash;
/// `None` where a quote is not closed.
fn split(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (Some(open), c) if open == c => quote = None,
            (None | Some('"'), '\\') => word.get_or_insert_default().extend(chars.next()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<MergePolicy, Conflict> {
        let mut policy = MergePolicy::default();
        policy.add("k", line).map(|()| policy)
    }

    #[test]
    fn merge_options_are_read_as_git_reads_them() {
        type Check = fn(&MergePolicy) -> bool;
        let table: &[(&str, Check)] = &[
            ("", |p| *p == MergePolicy::default()),
            ("--no-ff -X ours", |p| {
                p.options == ["ours"] && p.fast_forward.0 == FastForward::Never
            }),
            ("-Xtheirs --strategy-option=renormalize", |p| {
                p.options == ["theirs", "renormalize"]
            }),
            ("--strategy-option 'find-renames=40%' --log", |p| {
                p.options == ["find-renames=40%"] && p.log == 20
            }),
            ("-X a --no-strategy-option -nqX b", |p| p.options == ["b"]),
            ("--log=3 --no-log --lo=2", |p| p.log == 2),
            ("--ff-only --ff", |p| {
                p.fast_forward.0 == FastForward::Allowed
            }),
            ("--no-ff --ff-o", |p| p.fast_forward.0 == FastForward::Only),
            ("--squash --no-squash", |p| !p.squash),
            ("--sq", |p| p.squash),
            ("--no-comm", |p| p.no_commit),
            ("--verify-s", |p| p.verify_signatures && !p.no_verify),
            ("--no-verify", |p| p.no_verify && !p.verify_signatures),
            ("-S", |p| p.sign.as_deref() == Some("")),
            ("-SKEY --sig", |p| {
                p.sign.as_deref() == Some("KEY") && p.signoff
            }),
            ("--gpg-sign=A --no-gpg-sign", |p| p.sign.is_none()),
            ("--cleanup verbatim", |p| {
                p.cleanup.as_deref() == Some("verbatim")
            }),
            ("-s ort --stat", |p| {
                p.strategies == [("ort".to_owned(), "k".to_owned())]
            }),
            ("-ssubtree --strategy=ours", |p| p.strategies.len() == 2),
            ("x --no-ff -- --squash", |p| {
                p.fast_forward.0 == FastForward::Never && !p.squash
            }),
        ];
        for (line, check) in table {
            let policy = parsed(line).unwrap_or_else(|error| panic!("{line}: {error:?}"));
            assert!(check(&policy), "{line}: {policy:?}");
        }
        // An older git takes `--no-com`; since `--compact-summary` it could be either.
        for line in [
            "'x",
            "--nonsense",
            "--no-ver",
            "--no-com",
            "-s",
            "--log=x",
            "-m x",
            "--file=f",
            "--abort",
            "-z",
        ] {
            assert!(parsed(line).is_err(), "{line}");
        }
    }

    #[test]
    fn what_a_base_allows() {
        use Strategy::{Ff, Merge, Rebase, Squash};
        let base = BranchName::parse("main".into()).unwrap();
        let all = [Merge, Squash, Rebase, Ff];
        let table: [(&str, Relation, &[Strategy]); 10] = [
            ("", Relation::Diverged, &all),
            ("--no-ff", Relation::Diverged, &[Merge]),
            ("--no-ff", Relation::Ahead, &[Merge]),
            ("--ff-only", Relation::Diverged, &[Rebase, Ff]),
            ("--ff-only", Relation::Ahead, &[Squash, Rebase, Ff]),
            ("--squash", Relation::Diverged, &[Squash]),
            ("--squash --no-ff", Relation::Diverged, &[]),
            ("--no-commit", Relation::Diverged, &[Squash, Rebase, Ff]),
            ("-s ours", Relation::Ahead, &[]),
            ("-s recursive -X theirs", Relation::Diverged, &all),
        ];
        for (line, relation, allowed) in table {
            let policy = parsed(line).unwrap();
            let found: Vec<_> = all
                .into_iter()
                .filter(|way| policy.ensure_allows(&base, *way, relation).is_ok())
                .collect();
            assert_eq!(found, allowed, "{line}");
        }
    }
}
