//! What `git lane drop` says of each lane.

use std::path::{Path, PathBuf};

use crate::commands::{tell_of_forgotten, tell_of_lost_base};
use crate::domain::event::Stays;
use crate::domain::lane::{Lane, Worktree, WorktreeState};
use crate::domain::name::{BranchName, LaneName};
use crate::domain::shell_word::quote;
use crate::domain::trash_entry::Entry;
use crate::error::{Error, Result};
use crate::operations::retire::based_on;
use crate::repository::Repository;
use crate::repository::metadata::Records;
use crate::ui::{Page, Report, Ui};

/// One lane that was dropped, or would be.
#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Dropped {
    pub(super) lane: LaneName,
    pub(super) branch: Option<BranchName>,
    pub(super) tip: Option<String>,
    #[serde(with = "crate::domain::lane::lossless_path")]
    pub(super) path: PathBuf,
    pub(super) had: Option<String>,
    pub(super) trash: Option<String>,
    /// What stays of a lane that was adopted.
    pub(super) stays: Option<Stays>,
    /// The lanes that are based on its branch.
    pub(super) above: Vec<LaneName>,
    #[serde(skip)]
    pub(super) base: Option<BranchName>,
    /// There was no directory to take.
    pub(super) directory_missing: bool,
    #[serde(skip)]
    pub(super) was_inside: bool,
}

#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Drops {
    pub(super) dry_run: bool,
    pub(super) dropped: Vec<Dropped>,
}

impl Report for Drops {
    fn text(&self, page: &mut Page) {
        for dropped in &self.dropped {
            let verb = if self.dry_run {
                "would drop"
            } else {
                "dropped"
            };
            let had = dropped
                .had
                .as_ref()
                .map(|had| format!(" with {had}"))
                .unwrap_or_default();
            let branch = match (&dropped.branch, &dropped.tip) {
                (Some(branch), Some(tip)) => {
                    format!(" (branch '{branch}' at {})", &tip[..tip.len().min(10)])
                }
                _ => String::new(),
            };
            page.line(format!("{verb} lane '{}'{branch}{had}", dropped.lane));
            if dropped.directory_missing {
                page.line(format!(
                    "  its directory was gone from '{}'",
                    dropped.path.display()
                ));
            }
            if let Some(stays) = &dropped.stays {
                tell_of_forgotten(page, stays, self.dry_run);
            } else if !self.dry_run {
                page.line(format!(
                    "  bring it back with: git lane restore {}",
                    quote(&dropped.lane)
                ));
            }
        }
    }
}

impl Drops {
    /// Says what was done before something failed.
    pub(super) fn failed(&self, ui: &Ui, error: Error) -> Error {
        if self.dropped.is_empty() {
            return error;
        }
        let error = ui.failed(self, error);
        self.tell_of_lanes_above(ui);
        error
    }

    pub(super) fn tell_of_lanes_above(&self, ui: &Ui) {
        for Dropped {
            above,
            branch,
            base,
            ..
        } in &self.dropped
        {
            tell_of_lost_base(ui, above, (branch.as_ref(), base.as_ref()), self.dry_run);
        }
    }
}

/// What would be told of a lane.
pub(super) fn plan(
    repository: &Repository,
    records: &Records,
    (lane, worktree): (&Lane, Option<&Worktree>),
    had: Option<String>,
) -> Result<Dropped> {
    let tip = repository.tip_of(lane)?;
    Ok(Dropped {
        lane: lane.name.clone(),
        branch: lane.branch.clone(),
        tip: tip.map(|tip| tip.to_string()),
        path: worktree.map_or_else(|| lane.worktree.clone(), |worktree| worktree.path.clone()),
        had,
        trash: None,
        stays: None,
        above: lane
            .branch
            .as_ref()
            .filter(|_| !lane.adopted)
            .map_or_else(Vec::new, |branch| based_on(records, branch, None)),
        base: lane.base_branch(),
        directory_missing: worktree.is_none_or(|worktree| worktree.state == WorktreeState::Missing),
        was_inside: false,
    })
}

/// What is told of a lane that is in the trash.
pub(super) fn describe(entry: &Entry, had: Option<String>, here: Option<&Path>) -> Dropped {
    let path = entry
        .worktree
        .as_ref()
        .map_or(&entry.lane.worktree, |worktree| &worktree.path)
        .clone();
    Dropped {
        lane: entry.lane.name.clone(),
        branch: entry.branch.as_ref().map(|branch| branch.name.clone()),
        tip: entry.branch.as_ref().map(|branch| branch.tip.to_string()),
        had,
        trash: Some(entry.id.clone()),
        stays: None,
        above: entry.above.clone(),
        base: entry.lane.base_branch(),
        directory_missing: entry
            .worktree
            .as_ref()
            .is_none_or(|worktree| worktree.directory.is_none()),
        was_inside: here.is_some_and(|here| here.starts_with(&path)),
        path,
    }
}
