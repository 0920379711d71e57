//! What `git lane finish` tells: data first, text and JSON made from it.

use std::path::PathBuf;

use bstr::{BStr, BString, ByteSlice};

use crate::commands::coded::{Coded, coded};
use crate::commands::trash::Gone;
use crate::commands::verdicts::Verdict;
use crate::commands::{go_to, tell_of_forgotten};
use crate::domain::event::Stays;
use crate::domain::finish::Plan;
use crate::domain::finish::Strategy;
use crate::domain::integration::Integration;
use crate::domain::lane::{Lane, LosslessPath, ObjectId, RefName, lossless};
use crate::domain::name::{BranchName, LaneName};
use crate::domain::shell_word::quote;
use crate::domain::submodule::Inner;
use crate::domain::trash_entry;
use crate::domain::trash_entry::Holding;
use crate::error::{Error, Result};
use crate::operations::land::outcome::{Landed, Outcome, word};
use crate::repository::push_destination::Destination;
use crate::ui::{Page, Report, Style, Ui, page::Cell};

/// How many ignored files the text names.
const SHOWN: usize = 10;

/// What finish did.
#[derive(Debug)]
pub(super) struct Finished {
    pub(super) lane: LaneName,
    pub(super) committed: bool,
    pub(super) base: Option<BranchName>,
    pub(super) landed: Option<Landed>,
    pub(super) integrated: Option<Integration>,
    /// Where what landed was pushed to first.
    pub(super) pushed: Option<Destination>,
    pub(super) retires: bool,
    pub(super) trash: Option<String>,
    /// What stays of a lane that was adopted.
    pub(super) stays: Option<Stays>,
    /// What the trash knows of its work: the proof, and what that does not cover.
    pub(super) proof: Option<trash_entry::Proof>,
    pub(super) holds: Vec<Holding>,
    pub(super) ignored: Vec<BString>,
    pub(super) inner: Inner,
    pub(super) go_to: Option<PathBuf>,
    /// The branch that has the work now, and the lanes that were based on the lane's and are based
    /// on that one; without it they have no base any more.
    pub(super) heir: Option<BranchName>,
    pub(super) above: Vec<LaneName>,
    pub(super) expired: Vec<Gone>,
    pub(super) overdue: Vec<Gone>,
    pub(super) dry_run: bool,
    /// The commands of the gate in front of the landing.
    pub(super) gate: Vec<String>,
}

impl Finished {
    /// How it landed, where that is a proof of its own kind.
    pub(super) fn landing(&self) -> Option<Integration> {
        let landed = self.landed.as_ref()?;
        match (landed.strategy, landed.new) {
            (Strategy::Squash, Some(commit)) => Some(Integration::Squashed {
                commits: vec![commit],
            }),
            (Strategy::Rebase, _) => Some(Integration::SamePatches),
            _ => None,
        }
    }

    /// What was done all the same before something failed.
    pub(super) fn failed(mut self, ui: &Ui, error: Error) -> Error {
        let has_left = self.trash.is_some() || self.stays.is_some();
        if self.landed.is_none() && !self.committed && !has_left {
            return error;
        }
        if self.trash.is_none() {
            (self.retires, self.go_to) = (false, None);
            self.ignored.clear();
            self.above.clear();
        }
        ui.failed(&self, error)
    }

    pub(super) fn new(
        lane: &Lane,
        plan: &Plan,
        base: Option<&BranchName>,
        outcome: Option<Outcome>,
        dry_run: bool,
    ) -> Self {
        let (landed, integrated) = match outcome {
            Some(Outcome::Landed(landed)) => (Some(landed), None),
            Some(Outcome::Integrated(proof)) => (None, Some(proof)),
            None => (None, None),
        };
        Finished {
            lane: lane.name.clone(),
            committed: plan.commit,
            base: base.cloned(),
            landed,
            integrated,
            pushed: None,
            retires: plan.retire,
            trash: None,
            stays: None,
            proof: None,
            holds: Vec::new(),
            ignored: Vec::new(),
            inner: Inner::default(),
            go_to: None,
            heir: None,
            above: Vec::new(),
            expired: Vec::new(),
            overdue: Vec::new(),
            dry_run,
            gate: Vec::new(),
        }
    }
}

impl Verdict for Finished {
    fn verdict(&self) -> &'static str {
        match (&self.landed, &self.integrated) {
            (Some(_), _) => "landed",
            (None, Some(_)) => "integrated",
            (None, None) if self.stays.is_some() => "forgotten",
            (None, None) => "retired",
        }
    }
}

impl serde::Serialize for Finished {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let id = |id: &ObjectId| id.to_string();
        let landed = self.landed.as_ref().map(|landed| {
            serde_json::json!({
                "base": RefName::from(&landed.base), "strategy": landed.strategy, "from": id(&landed.old),
                "to": landed.new.as_ref().map(id), "commits": landed.commits,
                "batch": landed.together.as_ref().map(|together| &together.batch),
                "with": landed.together.as_ref().map(|together| together.lanes.as_slice())
                    .unwrap_or_default(),
                "resolved": landed.resolved,
                "pushed": self.pushed.as_ref().map(|pushed| serde_json::json!({
                    "remote": lossless(pushed.remote.as_bstr()), "ref": pushed.name,
                })),
            })
        });
        serde_json::json!({
            "lane": self.lane,
            "dryRun": self.dry_run,
            "committed": self.committed,
            "base": self.base.as_ref().map(RefName::from),
            "landed": landed,
            "gate": self.gate,
            "integrated": self.integrated.as_ref().map(Coded::from),
            "retired": self.retires.then(|| serde_json::json!({
                "trash": self.trash, "integrated": self.proof.as_ref().map(Coded::from),
                "holds": coded(&self.holds),
            })),
            "stays": self.stays,
            "ignored": self.ignored.iter().map(|path| lossless(path.as_bstr())).collect::<Vec<_>>(),
            "submodules": self.inner.submodules,
            "repositories": self.inner.repositories,
            "above": self.above,
            "heir": self.heir,
            "expired": self.expired,
            "overdue": self.overdue,
            "goTo": self.go_to.clone().map(LosslessPath),
        })
        .serialize(serializer)
    }
}

impl Report for Finished {
    fn text(&self, page: &mut Page) {
        let lane = &self.lane;
        let would = |did: &str, will: &str| {
            if self.dry_run {
                will.to_owned()
            } else {
                did.to_owned()
            }
        };
        if self.committed {
            page.line(format!(
                "{} the changes in lane '{lane}'",
                would("committed", "would commit")
            ));
        }
        if self.dry_run && !self.gate.is_empty() {
            page.line("would run the gate first, unless it has succeeded for these files:");
            for command in &self.gate {
                page.line(format!("  {command}"));
            }
        }
        if let Some(landed) = &self.landed {
            let commits = if landed.commits == 1 {
                "1 commit".into()
            } else {
                format!("{} commits", landed.commits)
            };
            let short = |id: &ObjectId| id.to_hex_with_len(10).to_string();
            let to = landed
                .new
                .as_ref()
                .map_or_else(String::new, |new| format!("..{}", short(new)));
            let text = format!(
                "{} lane '{lane}' on '{}' ({}, {commits}): {}{to}",
                would("landed", "would land"),
                landed.base,
                word(landed.strategy),
                short(&landed.old)
            );
            page.line(Cell::new(text, Style::Good));
            if let Some(pushed) = &self.pushed {
                let name = pushed.name.as_bstr();
                let name = name.strip_prefix(b"refs/heads/").unwrap_or(name).as_bstr();
                page.line(format!(
                    "{} '{name}' to '{}' first",
                    would("pushed", "would push"),
                    pushed.remote
                ));
            }
            if landed.resolved {
                page.line(format!(
                    "after its conflict with '{}' was resolved",
                    landed.base
                ));
            }
            let with = landed.together.as_ref().map(|together| &*together.lanes);
            let with = match with.unwrap_or_default() {
                [] => None,
                [other] => Some(format!("lane '{other}'")),
                others => Some(format!("{} other lanes", others.len())),
            };
            if let Some(with) = with {
                page.line(format!("together with {with}"));
            }
        } else if let Some(proof) = &self.integrated {
            page.line(format!(
                "nothing to land: lane '{lane}' is {}",
                Proof(proof, self.base.as_ref())
            ));
        }
        if !self.ignored.is_empty() {
            page.line(format!(
                "ignored files that {} with the lane:",
                would("left", "would leave")
            ));
            for path in self.ignored.iter().take(SHOWN) {
                page.line(format!("  {}", path.as_bstr() as &BStr));
            }
            if self.ignored.len() > SHOWN {
                page.line(format!("  and {} more", self.ignored.len() - SHOWN));
            }
        }
        for inner in [&self.inner.submodules, &self.inner.repositories]
            .into_iter()
            .filter(|inner| !inner.is_empty())
        {
            page.line(format!(
                "{} with the lane, and stays until asked for: {inner}",
                would("left", "would leave")
            ));
        }
        if self.landed.is_some() && !self.dry_run {
            let revert = self.pushed.as_ref().map_or("", |_| "--revert ");
            page.line(format!(
                "take it back with: git lane undo {revert}{}",
                quote(lane)
            ));
        }
        if self.retires {
            let text = would(
                "the lane is in the trash",
                "would move the lane into the trash",
            );
            let alone = match self.landed {
                Some(_) => "bring it back, while the landing stays, with",
                None => "bring it back with",
            };
            match self.dry_run {
                true => page.line(text),
                false => page.line(format!("{text}; {alone}: git lane restore {}", quote(lane))),
            };
            self.unproved(page);
        }
        if let Some(stays) = &self.stays {
            page.line(would("the lane is forgotten", "would forget the lane"));
            tell_of_forgotten(page, stays, self.dry_run);
        }
        if let Some(heir) = &self.heir {
            for above in &self.above {
                page.line(format!(
                    "the base of lane '{above}' {} '{heir}'",
                    would("is now", "would be")
                ));
            }
        }
        for gone in &self.expired {
            page.line(gone.line(false));
        }
        if let Some(line) = Gone::stay(&self.overdue) {
            page.line(line);
        }
        if let Some(path) = &self.go_to {
            let is = would("is", "would be");
            page.line(format!("this directory {is} gone; {}", go_to(path)));
        }
    }
}

impl Finished {
    /// Why the trash keeps the lane until it is asked for the room.
    fn unproved(&self, page: &mut Page) {
        let texts: Vec<&str> = self
            .holds
            .iter()
            .filter(|held| !["submodule", "repository"].contains(&&*held.code))
            .map(|held| held.text.as_str())
            .collect();
        if !texts.is_empty() {
            page.line(Cell::new(
                format!("with it went what no base has: {}", texts.join(", ")),
                Style::Attention,
            ));
        } else if self.trash.is_some()
            && self.proof.is_none()
            && self.holds.is_empty()
            && self.integrated.is_some()
        {
            let text = "its commits cannot be shown to be in the base one by one: the trash keeps \
                        it until it is asked";
            page.line(Cell::new(text, Style::Attention));
        }
    }
}

/// The proof, in a sentence about the lane.
struct Proof<'a>(&'a Integration, Option<&'a BranchName>);

impl std::fmt::Display for Proof<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let base = self
            .1
            .map_or_else(|| "its base".to_owned(), |base| format!("'{base}'"));
        match self.0 {
            Integration::SameCommit => write!(f, "at the same commit as {base}"),
            Integration::Ancestor => write!(f, "merged into {base} already"),
            _ => write!(f, "in {base} already ({})", self.0),
        }
    }
}
