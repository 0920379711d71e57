//! `lane.toml`: what people ask git-lane to do differently.
//!
//! `keys` is the one table of keys, defaults and meanings; `value` says what may stand at one;
//! `layers` finds and reads the files. Here the values in force become a [`Policy`]. A file is
//! data: the gate alone runs what is in it, once the user approved that.
//!
//! Called by `repository/policy_files`, which has the bytes, and by what needs a value.

mod keys;
mod layers;
mod value;

pub use layers::config_home;

use std::time::Duration;

use bstr::{BStr, ByteSlice};
use gix::glob::wildmatch;
use serde::Deserialize;

pub use keys::{KEYS, Key, find};
pub use layers::{FILE, MAX_BYTES, Origin, Values, failure};
pub use value::Value;

use crate::domain::finish::Strategy;
use crate::domain::gate::Terms;
use crate::domain::message::Trailer;
use crate::domain::name::BranchName;
use crate::domain::sync;
use crate::domain::trash_entry::Promise;
use crate::domain::trash_expiry::Retention;
use crate::error::{Code, Error, Result};

/// The policy in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// `start.branch`: the branch of a new lane; `{name}` and `{owner}` are replaced.
    pub branch: String,
    /// `start.path`: where a new lane's worktree goes, relative to the main worktree; `{repo}` and
    /// `{name}` are replaced. A leading `~/` is already the home directory.
    pub path: String,
    /// Whether the tracked file says so: a stranger's word, see git-lane-config(1).
    pub path_is_tracked: bool,
    /// `start.base`: the base of a new lane.
    pub base: Option<String>,
    /// `start.fetch`: bring the base up to date first.
    pub fetch: bool,
    /// `start.owner`: the owner of a new lane; `None`: the user's login name.
    pub owner: Option<String>,
    /// `start.install-hooks`: put the guard's hooks in place with the first lane.
    pub install_hooks: bool,
    /// `finish.strategy`: how a lane lands.
    pub strategy: Strategy,
    /// `finish.push`: the remote of the base has what lands before the base.
    pub push: bool,
    /// `sync.strategy`: how what is new on its base comes into a lane.
    pub sync_strategy: sync::Strategy,
    /// `finish.message`: the message of a merge or squash; `{name}`, `{branch}`, `{base}`,
    /// `{task}`, `{owner}`.
    pub message: String,
    /// Whether a file says so; else a squash says what its commits say.
    pub message_is_chosen: bool,
    /// `finish.trailers`: which trailers the message carries.
    pub trailers: Vec<Trailer>,
    /// `finish.gate`: what the files on disk say must succeed before a base moves. A landing goes by
    /// the tracked files of the commits instead, see `repository/gate_rules`.
    pub gate: Vec<String>,
    /// The terms of the gate, by the files on disk as well.
    pub gate_terms: Terms,
    /// `trash.days`: how long a removed lane waits.
    pub trash_days: u32,
    /// `trash.size`: how many bytes removed lanes may take before the oldest goes.
    pub trash_bytes: u64,
    /// Whether a file of the user's own says the one, and the other.
    pub trash_own: (bool, bool),
    /// `rule.home`: the branch the main worktree stays on.
    pub home: Option<String>,
    /// `rule.protected`: patterns of branches that only `finish` moves; see [`Policy::protects`].
    pub protected: Vec<String>,
    /// `rule.branch-pattern`: patterns a new lane's branch has to fit; empty: every branch does.
    pub branch_pattern: Vec<String>,
    /// `rule.branch-example`: a branch that fits, shown when one does not.
    pub branch_example: Option<String>,
}

impl Default for Policy {
    fn default() -> Self {
        Policy::of(&Values::defaults())
    }
}

impl Policy {
    /// The policy that checked values spell out.
    pub fn of(values: &Values) -> Self {
        Policy {
            branch: values.text("start.branch"),
            path: values.text("start.path"),
            path_is_tracked: matches!(
                find("start.path").map(|key| values.get(key).1),
                Some(Origin::Team(_))
            ),
            base: values.optional("start.base"),
            fetch: values.flag("start.fetch"),
            owner: values.optional("start.owner"),
            install_hooks: values.flag("start.install-hooks"),
            strategy: word(&values.text("finish.strategy")).unwrap_or(Strategy::Merge),
            push: values.flag("finish.push"),
            sync_strategy: word(&values.text("sync.strategy")).unwrap_or(sync::Strategy::Merge),
            message: values.text("finish.message"),
            message_is_chosen: find("finish.message")
                .is_some_and(|key| *values.get(key).1 != Origin::Default),
            trailers: values
                .list("finish.trailers")
                .iter()
                .filter_map(|name| word(name))
                .collect(),
            gate: values.list("finish.gate"),
            gate_terms: Terms {
                required: values.flag("finish.gate-required"),
                time_limit: values.duration("finish.gate-time-limit"),
                receipt_age: Duration::from_secs(values.number("finish.receipt-days") * 86_400),
            },
            trash_days: u32::try_from(values.number("trash.days")).unwrap_or(u32::MAX),
            trash_bytes: values.bytes("trash.size"),
            trash_own: (values.is_own("trash.days"), values.is_own("trash.size")),
            home: values.optional("rule.home"),
            protected: values.list("rule.protected"),
            branch_pattern: values.list("rule.branch-pattern"),
            branch_example: values.optional("rule.branch-example"),
        }
    }

    /// How long removed lanes wait.
    pub fn retention(&self) -> Retention {
        let now = Promise {
            days: self.trash_days,
            bytes: self.trash_bytes,
        };
        Retention {
            now,
            own_days: self.trash_own.0,
            own_bytes: self.trash_own.1,
        }
    }

    /// Whether the user has said who owns such a lane, or that it has no owner.
    pub fn names_owner(&self) -> bool {
        std::env::var_os("GIT_LANE_OWNER").is_some() || self.owner.is_some()
    }

    /// Who owns a lane that is started without saying so; `login` is asked last.
    pub fn owner_of_new_lanes(&self, login: impl FnOnce() -> Option<String>) -> Option<String> {
        let named = std::env::var("GIT_LANE_OWNER")
            .ok()
            .or_else(|| self.owner.clone());
        named.or_else(login).filter(|owner| !owner.is_empty())
    }

    /// Whether `rule.protected` names the branch.
    pub fn protects(&self, branch: &BranchName) -> bool {
        self.protected.iter().any(|pattern| fits(pattern, branch))
    }

    /// Refuses a branch that fits none of `rule.branch-pattern`.
    pub fn ensure_branch_fits(&self, branch: &BranchName) -> Result<()> {
        if self.branch_pattern.is_empty()
            || self
                .branch_pattern
                .iter()
                .any(|pattern| fits(pattern, branch))
        {
            return Ok(());
        }
        let patterns: Vec<String> = self
            .branch_pattern
            .iter()
            .map(|pattern| format!("'{pattern}'"))
            .collect();
        let wanted = patterns.join(" or ");
        let error = Error::refused(format!(
            "branch '{branch}' does not fit the policy's pattern {wanted}"
        ));
        Err(match &self.branch_example {
            Some(example) => error.hint(format!("a branch that fits: {example}")),
            None => error.hint(
                "see the pattern and where it comes from with: git lane config rule.branch-pattern",
            ),
        }
        .with_code(Code::BranchPattern))
    }
}

/// git's own wildmatch, as in gitignore(5): `*` stops at a slash, `**` does not.
fn fits(pattern: &str, branch: &BranchName) -> bool {
    gix::glob::wildmatch(
        BStr::new(pattern),
        branch.as_bstr(),
        wildmatch::Mode::NO_MATCH_SLASH_LITERAL,
    )
}

/// One of an enum's kebab-case words.
fn word<'a, T: Deserialize<'a>>(text: &'a str) -> Option<T> {
    T::deserialize(serde::de::value::StrDeserializer::<serde::de::value::Error>::new(text)).ok()
}

/// The candidate most like `text`, if any is like it; the first of several that are alike.
pub fn suggest<'a>(text: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let leaf = |name: &'a str| name.rsplit_once('.').map_or(name, |(_, leaf)| leaf);
    let own = text.rsplit_once('.').map_or(text, |(_, leaf)| leaf);
    let likeness = |candidate: &'a str| {
        strsim::jaro_winkler(text, candidate).max(0.95 * strsim::jaro_winkler(own, leaf(candidate)))
    };
    let scored = candidates
        .into_iter()
        .map(|candidate| (likeness(candidate), candidate));
    scored
        .filter(|(score, _)| *score > 0.8)
        .reduce(|best, next| if next.0 > best.0 { next } else { best })
        .map(|(_, candidate)| candidate)
}

/// Whether a file's bytes are small enough and text.
pub fn readable(bytes: &[u8]) -> Result<&str, String> {
    if bytes.len() > MAX_BYTES {
        return Err(format!("is larger than {} KiB", MAX_BYTES / 1024));
    }
    bytes.to_str().map_err(|_| "is not valid UTF-8".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_the_documented_ones() {
        let policy = Policy::default();
        assert_eq!(policy.branch, "{name}");
        assert_eq!(policy.path, "../{repo}.lanes/{name}");
        assert_eq!(policy.strategy, Strategy::Merge);
        assert_eq!(policy.message, "Merge lane '{name}' into {base}");
        assert_eq!((policy.trash_days, policy.trash_bytes), (14, 10 << 30));
        let terms = Terms {
            required: false,
            time_limit: Duration::from_secs(3_600),
            receipt_age: Duration::from_secs(30 * 86_400),
        };
        assert_eq!(policy.gate_terms, terms);
        assert_eq!(
            (
                policy.base,
                policy.owner,
                policy.home,
                policy.branch_example
            ),
            (None, None, None, None)
        );
        assert!(
            policy.trailers.is_empty()
                && policy.gate.is_empty()
                && policy.protected.is_empty()
                && policy.branch_pattern.is_empty()
        );
    }

    #[test]
    fn every_word_of_the_table_is_one_of_the_enum() {
        for name in find("finish.strategy").unwrap().words() {
            assert!(word::<Strategy>(name).is_some(), "{name}");
        }
        for name in find("sync.strategy").unwrap().words() {
            assert!(word::<sync::Strategy>(name).is_some(), "{name}");
        }
        for name in find("finish.trailers").unwrap().words() {
            assert!(word::<Trailer>(name).is_some(), "{name}");
        }
        use clap::ValueEnum;
        assert_eq!(
            find("finish.strategy").unwrap().words().len(),
            Strategy::value_variants().len()
        );
    }

    #[test]
    fn patterns_are_gits() {
        let policy = Policy {
            protected: vec!["main".into(), "release/*".into()],
            branch_pattern: vec!["feature/**".into(), "fix-[0-9]*".into()],
            ..Policy::default()
        };
        let branch = |name: &str| BranchName::parse(name.into()).unwrap();
        for (name, protected) in [
            ("main", true),
            ("release/1", true),
            ("release/1/x", false),
            ("maintenance", false),
        ] {
            assert_eq!(policy.protects(&branch(name)), protected, "{name}");
        }
        for (name, fits) in [
            ("feature/a", true),
            ("feature/a/b", true),
            ("fix-1", true),
            ("fix-x", false),
        ] {
            assert_eq!(
                policy.ensure_branch_fits(&branch(name)).is_ok(),
                fits,
                "{name}"
            );
        }
    }

    #[test]
    fn suggestions_are_near() {
        let names = || KEYS.iter().map(|key| key.name);
        assert_eq!(suggest("start.brnch", names()), Some("start.branch"));
        assert_eq!(suggest("message", names()), Some("finish.message"));
        assert_eq!(suggest("strategy", names()), Some("finish.strategy"));
        assert_eq!(
            suggest("rule.branch_pattern", names()),
            Some("rule.branch-pattern")
        );
        assert_eq!(suggest("colour", names()), None);
    }
}
