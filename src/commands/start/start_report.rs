//! What `git lane start` says of each lane.

use std::path::PathBuf;

use crate::domain::lane::{Lane, RefName, lossless_path};
use crate::domain::name::{BranchName, LaneName};
use crate::domain::start::Creation;
use crate::ui::{Page, Report};

#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StartReport {
    pub(super) dry_run: bool,
    pub(super) lanes: Vec<Outcome>,
}

#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Outcome {
    pub(super) created: bool,
    name: LaneName,
    branch: Option<BranchName>,
    #[serde(with = "lossless_path")]
    path: PathBuf,
    base: Option<RefName>,
    fork_point: String,
    owner: Option<String>,
    task: Option<String>,
    /// Whether the branch is new; absent for a lane that existed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) new_branch: Option<bool>,
    /// The remote-tracking branch that a new branch is made from and follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) upstream: Option<RefName>,
    /// How the files came about; absent where nothing was checked out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) files: Option<&'static str>,
}

impl Outcome {
    pub(super) fn of(lane: Lane, created: bool) -> Self {
        Outcome {
            created,
            base: lane.base,
            fork_point: lane.fork_point.to_string(),
            name: lane.name,
            branch: lane.branch,
            path: lane.worktree,
            owner: lane.owner,
            task: lane.task,
            new_branch: None,
            upstream: None,
            files: None,
        }
    }

    pub(super) fn existing(lane: Lane) -> Self {
        Self::of(lane, false)
    }

    pub(super) fn planned(creation: &Creation) -> Self {
        let request = &creation.request;
        Outcome {
            created: false,
            name: request.name.clone(),
            branch: request.branch.clone(),
            path: creation.path.clone(),
            base: creation.base.name.clone(),
            fork_point: creation.base.commit.to_string(),
            owner: request.owner.clone(),
            task: request.task.clone(),
            new_branch: Some(creation.new_branch),
            upstream: creation
                .upstream
                .as_ref()
                .map(|upstream| upstream.tracking.clone()),
            files: None,
        }
    }
}

impl Report for StartReport {
    fn text(&self, page: &mut Page) {
        for lane in &self.lanes {
            let did = match (lane.created, self.dry_run, lane.new_branch) {
                (true, ..) => "started",
                (false, true, Some(_)) => "would start",
                _ => "is there already:",
            };
            let branch = match (&lane.branch, lane.new_branch) {
                (None, _) => "detached".to_owned(),
                (Some(branch), Some(false)) => format!("existing branch {branch}"),
                (Some(branch), _) => format!("branch {branch}"),
            };
            let short = || lane.fork_point.chars().take(10).collect();
            let base = lane.base.as_ref().map_or_else(short, ToString::to_string);
            if did == "is there already:" {
                page.line(format!(
                    "lane '{}' is there already: {branch}, base {base}",
                    lane.name
                ));
            } else {
                let from = lane
                    .upstream
                    .as_ref()
                    .map_or(base.clone(), |upstream| format!("{upstream}, base {base}"));
                page.line(format!("{did} lane '{}': {branch}, from {from}", lane.name));
            }
            page.line(format!("  {}", lane.path.display()));
        }
    }
}
