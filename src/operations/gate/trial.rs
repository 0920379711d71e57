//! A tree that a gate is asked about, and what its answer is called.
//!
//! Called by the gate itself, and by what asks it.

use std::path::Path;

use crate::domain::gate::Gate;
use crate::domain::lane::{LosslessPath, ObjectId};
use crate::domain::name::{BranchName, LaneName};
use crate::domain::shell_word::quote;
use crate::error::{Code, Error, Kind};
use crate::store::receipts::Receipt;

/// A tree that may become that of a base.
pub struct Trial<'a> {
    /// What has to succeed.
    pub gate: &'a Gate,
    /// The base.
    pub base: &'a BranchName,
    /// A commit with that tree.
    pub commit: ObjectId,
    /// The lanes that it has beyond its base.
    pub names: &'a [&'a LaneName],
    /// The lane whose landing it takes back.
    pub without: Option<&'a LaneName>,
}

impl Trial<'_> {
    /// How it failed by a receipt, `None` where it succeeded; `before` says that it is of an earlier
    /// run.
    pub(super) fn failure(&self, receipt: &Receipt, before: bool) -> Option<Error> {
        let line = receipt
            .lines
            .get(receipt.failed?)
            .map_or("", String::as_str);
        let whose = self.whose();
        let earlier = if before { " before" } else { "" };
        let error = Error::new(
            Kind::Gate,
            format!(
                "the gate failed{earlier} for {whose}: {} ended with exit code {}; {}",
                quoted(line),
                receipt.exit,
                self.left()
            ),
        );
        let details = serde_json::json!({
            "tree": receipt.tree.to_string(), "command": line, "exitCode": receipt.exit,
            "log": LosslessPath(receipt.log.clone()),
        });
        let error = error.details(details).quote(receipt.tail.clone());
        let error = error.hint(see_all_of(&receipt.log));
        Some(match before {
            true => error.hint("have it run once more by the same command with --again"),
            false => error,
        })
    }

    /// The error for a run that says nothing about the tree, because of `what`.
    pub(super) fn unjudged(&self, what: &str) -> Error {
        Error::new(
            Kind::Gate,
            format!(
                "the gate says nothing about {}: {what}; {}",
                self.whose(),
                self.left()
            ),
        )
        .with_code(Code::GateUnjudged)
    }

    /// What has become of the base, for a person.
    fn left(&self) -> String {
        match self.without {
            Some(_) => format!("'{}' stays as it is", self.base),
            None => "nothing of it has landed".into(),
        }
    }

    /// What the tree is, for a person.
    fn whose(&self) -> String {
        let base = self.base;
        if let Some(lane) = self.without {
            return format!("'{base}' without lane '{lane}'");
        }
        match self.names {
            [] => format!("'{base}' as it is, without any lane"),
            [one] => format!("lane '{one}' on '{base}'"),
            [.., last] => format!(
                "lane '{last}' on '{base}' with {} before it",
                match self.names.len() - 1 {
                    1 => format!("lane '{}'", self.names[0]),
                    others => format!("{others} lanes"),
                }
            ),
        }
    }
}

/// A command as messages have it.
pub(super) fn quoted(line: &str) -> String {
    format!("'{}'", line.trim())
}

/// The hint that leads to a log.
pub(super) fn see_all_of(log: &Path) -> String {
    format!("see all of it with: less {}", quote(log.display()))
}
