//! What `git lane rename` and `move` tell, and how they go about it.

use std::path::{Path, PathBuf};

use crate::domain::lane::{Lane, LosslessPath, RefName};
use crate::domain::name::{BranchName, LaneName};
use crate::domain::record_change::{RecordChange, Said};
use crate::domain::shell_word::quote;
use crate::error::Result;
use crate::operations::relocate::{Relocation, Wish, foresee, relocate};
use crate::repository::Repository;
use crate::ui::{Page, Report, Ui};

/// A lane that was renamed or moved, or would be.
#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct RelocationReport {
    dry_run: bool,
    lane: LaneName,
    branch: Option<BranchName>,
    #[serde(with = "crate::domain::lane::lossless_path")]
    path: PathBuf,
    /// What of it was different.
    was: Said,
    /// The lanes whose base is the branch that has another name now.
    above: Vec<LaneName>,
    /// The branches of remotes that are called like the old one.
    published_as: Vec<RefName>,
    /// Where the directory of the caller is now.
    go_to: Option<LosslessPath>,
}

/// Does it, or says what would be done.
pub(super) fn run(
    repository: &Repository,
    lane: &Lane,
    wish: &Wish<'_>,
    dry_run: bool,
    ui: &Ui,
) -> Result<()> {
    let here = std::env::current_dir().ok();
    let mut done = foresee(repository, lane, wish)?;
    if let Some(policy) = wish.policy
        && let Some(branch) = &done.plan.branch
    {
        policy.ensure_branch_fits(&branch.to)?;
    }
    if !dry_run {
        done = relocate(repository, &done, wish)?;
    }
    let go_to = here.and_then(|here| follow(&here, &done));
    if let Some(busy) = &done.busy {
        let goes = if dry_run { "would go" } else { "goes" };
        match busy.known() {
            Some((pid, command)) => ui.note(format_args!(
                "process {pid} ({command}) works in the directory, and {goes} along with it"
            )),
            None => ui.note(format_args!(
                "the system does not tell whether a process works in the directory; one {goes} \
                 along with it"
            )),
        }
    }
    ui.report(&RelocationReport::new(&done, dry_run, go_to));
    if !dry_run {
        tell_of_published(&done, ui);
    }
    Ok(())
}

/// Where `here` is once the directory has moved, if it is in there.
fn follow(here: &Path, done: &Relocation) -> Option<PathBuf> {
    let (before, after) = (&done.plan.before.worktree, &done.plan.after.worktree);
    let below = here.strip_prefix(before).ok();
    let below = below.filter(|_| done.plan.moves_directory())?;
    Some(match below.as_os_str().is_empty() {
        true => after.clone(),
        false => after.join(below),
    })
}

/// The branch has its old name on remotes still: what changes that can be pasted.
fn tell_of_published(done: &Relocation, ui: &Ui) {
    let Some(branch) = &done.plan.branch else {
        return;
    };
    let place = quote(done.plan.after.worktree.display());
    for tracking in &done.published {
        let short = tracking.shorten().to_string();
        let remote = short.strip_suffix(&format!("/{}", branch.from));
        ui.note(format_args!(
            "'{tracking}' has the old name still, for others too"
        ));
        ui.note(format_args!(
            "hint: rename it there with: git -C {place} push -u {} {} {}",
            quote(remote.unwrap_or(&short)),
            quote(&branch.to),
            quote(format!(":{}", branch.from))
        ));
    }
}

impl RelocationReport {
    fn new(done: &Relocation, dry_run: bool, go_to: Option<PathBuf>) -> Self {
        let RecordChange { from, to } = done.change();
        RelocationReport {
            dry_run,
            lane: to.lane,
            branch: to.branch,
            path: to.path,
            was: from,
            above: done.above.clone(),
            published_as: done.published.clone(),
            go_to: go_to.map(LosslessPath),
        }
    }

    /// The branch before and after, where it has another name.
    fn new_branch(&self) -> Option<(&BranchName, &BranchName)> {
        let both = self.was.branch.as_ref().zip(self.branch.as_ref());
        both.filter(|(from, to)| from != to)
    }

    fn first_line(&self) -> String {
        let (was, now) = (&self.was, &self.lane);
        let is_same = (&was.lane, &was.branch, &was.path) == (now, &self.branch, &self.path);
        if is_same {
            return format!("lane '{now}' has that name, that branch and that place already");
        }
        if let Some((from, to)) = self.new_branch().filter(|_| was.lane == *now) {
            let is = if self.dry_run { "would be" } else { "is now" };
            let directory = match was.path == self.path {
                true => String::new(),
                false => format!(", and its directory '{}'", self.path.display()),
            };
            return format!("branch '{from}' of lane '{now}' {is} '{to}'{directory}");
        }
        match (was.lane == *now, self.dry_run) {
            (false, false) => format!("lane '{}' is now '{now}'", was.lane),
            (false, true) => format!("lane '{}' would be '{now}'", was.lane),
            (true, false) => format!("lane '{now}' is now in '{}'", self.path.display()),
            (true, true) => format!("lane '{now}' would be in '{}'", self.path.display()),
        }
    }
}

impl Report for RelocationReport {
    fn text(&self, page: &mut Page) {
        page.line(self.first_line());
        if self.was.lane != self.lane {
            for line in self.what_follows() {
                page.line(format!("  {line}"));
            }
        }
        if let Some(path) = &self.go_to {
            page.line(format!("  go to: cd {}", quote(path)));
        }
    }
}

impl RelocationReport {
    /// What becomes of the branch, the directory and the lanes above.
    fn what_follows(&self) -> Vec<String> {
        let is = if self.dry_run { "would be" } else { "is now" };
        let mut lines = Vec::new();
        if let Some((from, to)) = self.was.branch.as_ref().zip(self.branch.as_ref()) {
            lines.push(match from == to {
                true => format!("branch '{to}' keeps its name"),
                false => format!("branch '{from}' {is} '{to}'"),
            });
        }
        lines.push(match self.was.path == self.path {
            true => format!("its directory stays '{}'", self.path.display()),
            false => format!("its directory {is} '{}'", self.path.display()),
        });
        if let Some(branch) = self.branch.as_ref().filter(|_| !self.above.is_empty()) {
            let above: Vec<String> = self.above.iter().map(|lane| format!("'{lane}'")).collect();
            let lanes = if above.len() == 1 { "lane" } else { "lanes" };
            lines.push(format!(
                "the base of {lanes} {} {is} '{branch}'",
                above.join(", ")
            ));
        }
        lines
    }
}
