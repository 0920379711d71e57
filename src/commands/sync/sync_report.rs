//! What `git lane sync` tells: data first, text and JSON made from it.

use bstr::ByteSlice;

use crate::commands::verdicts::Verdict;
use crate::domain::finish::some;
use crate::domain::lane::{Lane, ObjectId, RefName, lossless};
use crate::domain::name::LaneName;
use crate::domain::shell_word::quote;
use crate::error::{Code, Error, Kind};
use crate::operations::sync::{Outcome, Skip, Stays};
use crate::ui::{Cell, Page, Report, Style};

/// What was done with one lane.
#[derive(Debug)]
pub(super) struct Synced {
    lane: LaneName,
    outcome: Outcome,
    dry_run: bool,
    /// The bases that stay where they are; `None` where all lanes of a command share them.
    pub(super) bases: Option<serde_json::Value>,
}

impl Synced {
    pub(super) fn new(lane: &Lane, outcome: Outcome, dry_run: bool) -> Self {
        Synced {
            lane: lane.name.clone(),
            outcome,
            dry_run,
            bases: None,
        }
    }
}

/// The bases that have not taken what is new on their remotes.
pub(super) fn bases(stay: &[(RefName, Stays)]) -> serde_json::Value {
    let line = |(base, why): &(RefName, Stays)| {
        serde_json::json!({
            "base": lossless(base.as_bstr()), "code": why.code(), "message": why.to_string(),
        })
    };
    stay.iter().map(line).collect()
}

/// A conflict that git has laid out, as the failure that it is.
pub(super) fn laid_out(report: &Synced) -> Option<Error> {
    let Outcome::LaidOut(laid_out) = &report.outcome else {
        return None;
    };
    let (lane, base) = (&report.lane, &laid_out.base);
    let git = format!("git -C {}", quote(laid_out.worktree.display()));
    let (next, back) = match laid_out.rebase {
        true => ("rebase --continue", "rebase --abort"),
        false => ("commit", "merge --abort"),
    };
    let paths: Vec<_> = laid_out
        .paths
        .iter()
        .map(|path| lossless(path.as_bstr()))
        .collect();
    let text = format!(
        "the conflict of lane '{lane}' with '{base}' is laid out in '{}': {}",
        laid_out.worktree.display(),
        some(&laid_out.paths)
    );
    Some(
        Error::new(Kind::Conflict, text)
            .with_code(Code::LaidOut)
            .details(serde_json::json!({ "paths": paths, "messages": [] }))
            .hint(format!(
                "resolve it there, {git} add what is resolved, then: {git} {next}"
            ))
            .hint(format!("or take it back with: {git} {back}")),
    )
}

impl Verdict for Synced {
    fn verdict(&self) -> &'static str {
        match self.outcome {
            Outcome::UpToDate(_) => "up-to-date",
            Outcome::Brought(_) | Outcome::Awaits(_) => "synced",
            Outcome::Skipped(_) => "skipped",
            Outcome::LaidOut(_) => Code::LaidOut.as_str(),
        }
    }
}

impl serde::Serialize for Synced {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let id = |id: &ObjectId| id.to_string();
        let (mut synced, mut skipped) = (None, None);
        match &self.outcome {
            Outcome::Brought(brought) => {
                synced = Some(serde_json::json!({
                    "branch": brought.branch, "base": brought.base, "baseCommit": id(&brought.onto),
                    "how": brought.how, "from": id(&brought.old),
                    "to": brought.new.as_ref().map(id), "commits": brought.commits,
                }));
            }
            Outcome::Skipped(Skip::Process(busy)) => {
                let (pid, command) = busy.known().unzip();
                skipped = Some(serde_json::json!({
                    "code": "process", "pid": pid, "command": command, "owner": null,
                }));
            }
            Outcome::Skipped(Skip::Owner(owner)) => {
                skipped = Some(serde_json::json!({
                    "code": "owner", "pid": null, "command": null, "owner": owner,
                }));
            }
            Outcome::Skipped(Skip::CannotTake(code, _)) => {
                skipped = Some(serde_json::json!({
                    "code": code, "pid": null, "command": null, "owner": null,
                }));
            }
            Outcome::UpToDate(_) | Outcome::Awaits(_) | Outcome::LaidOut(_) => {}
        }
        let mut document = serde_json::json!({
            "lane": self.lane, "verdict": self.verdict(), "dryRun": self.dry_run,
            "synced": synced, "skipped": skipped,
        });
        if let Some(bases) = &self.bases {
            document["bases"] = bases.clone();
        }
        document.serialize(serializer)
    }
}

impl Report for Synced {
    fn text(&self, page: &mut Page) {
        let lane = &self.lane;
        match &self.outcome {
            Outcome::UpToDate(base) => {
                page.line(format!("lane '{lane}' has all of '{base}'"));
            }
            Outcome::Awaits(base) => {
                let text = format!("would sync lane '{lane}' with '{base}', once that is synced");
                page.line(Cell::new(text, Style::Good));
            }
            Outcome::Brought(brought) => {
                let commits = match brought.commits {
                    1 => "1 commit".to_owned(),
                    several => format!("{several} commits"),
                };
                let short = |id: &ObjectId| id.to_hex_with_len(10).to_string();
                let to = brought.new.as_ref().map(|new| format!("..{}", short(new)));
                let text = format!(
                    "{} lane '{lane}' with '{}' ({}, {commits}): {}{}",
                    if self.dry_run { "would sync" } else { "synced" },
                    brought.base,
                    brought.how.word(),
                    short(&brought.old),
                    to.unwrap_or_default(),
                );
                page.line(Cell::new(text, Style::Good));
            }
            Outcome::Skipped(Skip::CannotTake(_, why)) => {
                let text = format!("left lane '{lane}' as it is: {why}");
                page.line(Cell::new(text, Style::Attention));
            }
            Outcome::Skipped(skip) => {
                let why = match skip {
                    Skip::Process(busy) => busy.to_string(),
                    Skip::Owner(owner) => format!("it is {owner}'s"),
                    Skip::CannotTake(_, why) => why.clone(),
                };
                let all_the_same = format!("git lane sync {}", quote(lane));
                let text =
                    format!("left lane '{lane}' as it is: {why}; sync it with: {all_the_same}");
                page.line(Cell::new(text, Style::Attention));
            }
            Outcome::LaidOut(_) => {}
        }
    }
}
