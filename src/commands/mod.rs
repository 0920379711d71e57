//! One file per verb: the arguments, whose comments are the help text, and `run`.
//!
//! Called by `cli` alone. A verb calls operations, engines and the repository, never another
//! verb.

pub mod approve;
pub mod check;
pub mod complete;
pub mod completions;
pub mod config;
pub mod doctor;
pub mod drop;
pub mod finish;
mod gate_approval;
mod gate_watch;
pub mod hook;
pub mod init;
pub mod list;
pub mod log;
pub mod man;
pub mod path;
pub mod prune;
pub mod restore;
pub mod shell_init;
pub mod show;
pub mod start;
pub mod sync;
pub mod trash;
pub mod undo;
mod verdicts;

use std::path::Path;

use crate::domain::doctor::Finding;
use crate::domain::duration;
use crate::domain::lane::{Lane, Worktree};
use crate::domain::name::{BranchName, LaneName};
use crate::domain::retire::place;
use crate::domain::shell_word::quote;
use crate::error::{Code, Error, Result};
use crate::install;
use crate::operations::land::landing_facts;
use crate::operations::reconcile::{Reconciled, foresee, reconcile};
use crate::operations::recover::recover;
use crate::policy::Policy;
use crate::repository::Repository;
use crate::repository::branch_moved_behind::overtaken_here;
use crate::repository::metadata::Records;
use crate::repository::recovered::{Healed, Recovered};
use crate::store::git::Git;
use crate::store::signals;
use crate::ui::Ui;

/// Opens the repository for a command that changes it: what a dead process left is healed first.
pub fn open_for_change(ui: &Ui) -> Result<Repository> {
    open_and_look(ui).map(|opened| opened.repository)
}

/// Opens the repository for a command that changes it, or would with `dry_run`: then nothing is
/// healed nor written.
pub fn open(ui: &Ui, dry_run: bool) -> Result<(Repository, Vec<Healed>)> {
    if !dry_run {
        return open_and_heal(ui);
    }
    let repository = Repository::discover()?;
    warn_if_overtaken(&repository, ui);
    repository.git.ensure_usable()?;
    Ok((repository, Vec::new()))
}

/// Opens the repository for a command that only looks. A git of the user's choice is asked whether
/// it works even where nothing else is asked of it, so that the choice is not believed to be good.
pub fn open_to_look() -> Result<Repository> {
    let repository = Repository::discover()?;
    if Git::is_chosen() {
        repository.git.ensure_usable()?;
    }
    Ok(repository)
}

/// The records; for a dry run as they would be once they have followed what git knows better.
pub fn records(repository: &Repository, worktrees: &[Worktree], dry_run: bool) -> Result<Records> {
    let mut records = repository.records()?;
    if dry_run {
        foresee(repository, &mut records, worktrees)?;
    }
    Ok(records)
}

/// Like [`open_for_change`], for a command that wants to know whether its own work was completed by
/// that.
pub fn open_and_heal(ui: &Ui) -> Result<(Repository, Vec<Healed>)> {
    open_and_look(ui).map(|opened| (opened.repository, opened.healed))
}

/// A repository that was opened for a change.
pub struct Opened {
    /// It.
    pub repository: Repository,
    /// What was healed.
    pub healed: Vec<Healed>,
    /// Its worktrees, where they were looked at.
    pub worktrees: Option<Vec<Worktree>>,
    /// Its policy, or why that cannot be read.
    pub policy: Result<Policy>,
}

/// Like [`open_for_change`], for a command that does not want to look for the worktrees again.
pub fn open_and_look(ui: &Ui) -> Result<Opened> {
    signals::install();
    let mut repository = Repository::discover()?;
    repository.log_trouble = ui.log_trouble.clone();
    // git is asked for its version while what is read and healed here needs the disk.
    let git = repository.git.clone();
    let (usable, healed) = std::thread::scope(|scope| {
        let usable = scope.spawn(|| git.ensure_usable());
        let healed = recover(&mut repository, |recovered| tell(ui, recovered));
        (usable.join().unwrap_or(Ok(())), healed)
    });
    usable?;
    let healed = healed?;
    let Reconciled { found, worktrees } = reconcile(&repository)?;
    for finding in found {
        ui.note(format_args!("{finding}; its record follows"));
    }
    warn_if_overtaken(&repository, ui);
    // A policy that cannot be read is told by the command that needs it.
    let policy = repository.policy();
    if let Ok(policy) = &policy
        && let Err(error) = install::follow_policy(&repository, policy)
    {
        ui.warn(format_args!(
            "the hooks do not know the policy's latest rules: {error}"
        ));
    }
    Ok(Opened {
        repository,
        healed,
        worktrees,
        policy,
    })
}

/// Says so where the branch of the lane one is in was moved behind its worktree: no hook of level
/// restore hears of it.
pub fn warn_if_overtaken(repository: &Repository, ui: &Ui) {
    let Some((branch, overtaken)) = overtaken_here(repository) else {
        return;
    };
    let lanes = repository
        .records()
        .map(|records| records.lanes)
        .unwrap_or_default();
    if let Some(lane) = lanes
        .into_iter()
        .find(|lane| lane.branch.as_ref() == Some(&branch))
    {
        let finding = Finding::Overtaken(lane.name, branch, overtaken);
        ui.warn(&finding);
        if let Some(hint) = finding.hint() {
            ui.note(format_args!("hint: {hint}"));
        }
    }
}

/// Heals, in the middle of a command, what another process has left that died after the command had
/// begun.
pub fn heal(ui: &Ui) -> impl Fn(&mut Repository) -> Result<()> {
    move |repository| recover(repository, |recovered| tell(ui, recovered)).map(drop)
}

/// Says what became of interrupted commands.
fn tell(ui: &Ui, recovered: &Recovered) {
    let Recovered {
        healed,
        unclear,
        pending,
        set_aside,
    } = recovered;
    for aside in set_aside {
        ui.warn(aside);
        ui.note("hint: see what to do about it with: git lane doctor");
    }
    for unclear in unclear {
        ui.warn(unclear);
        ui.note(format_args!(
            "hint: see how it stands with: git -C {} status",
            quote(unclear.worktree.display())
        ));
    }
    for pending in pending {
        ui.warn(pending);
        for hint in pending.hints() {
            ui.note(format_args!("hint: {hint}"));
        }
    }
    for healed in healed {
        ui.note(healed);
    }
}

/// The lane's name that the user typed.
pub fn lane_name(text: &str) -> Result<LaneName> {
    LaneName::parse(text).map_err(|problem| {
        Error::refused(format!(
            "'{text}' cannot be a lane's name: it {}",
            problem.because()
        ))
        .with_code(Code::BadName)
        .hint("a lane is named like a branch: letters, digits, '-', '_', '.', '/'")
    })
}

/// There is no lane of that name; says where it may be, or which one may be meant.
pub fn no_lane(repository: &Repository, records: &Records, name: &str) -> Error {
    let error = Error::refused(format!("there is no lane '{name}'")).with_code(Code::NoSuchLane);
    let removed = crate::operations::trash::entries(repository).unwrap_or_default();
    if removed.iter().any(|entry| entry.lane.name.as_str() == name) {
        return error.hint(format!(
            "it is in the trash; bring it back with: git lane restore {}",
            quote(name)
        ));
    }
    let names: Vec<&str> = records
        .lanes
        .iter()
        .map(|lane| lane.name.as_str())
        .collect();
    match closest(name, &names) {
        Some(close) => error.hint(format!("did you mean '{close}'?")),
        None => error.hint("see the lanes with: git lane list"),
    }
}

/// The lane whose worktree the caller stands in.
pub fn lane_here(repository: &Repository, records: &Records) -> Result<Option<Lane>> {
    let all = repository.worktrees()?;
    let own = |lane: &&Lane| {
        place(lane, &all)
            .worktree()
            .is_some_and(|there| there.git_dir == repository.git_dir())
    };
    Ok(records.lanes.iter().find(own).cloned())
}

/// The lane called `name`, or the one the caller stands in.
pub fn find_lane(repository: &Repository, name: Option<&str>) -> Result<Lane> {
    if let Some(name) = name.and_then(|name| LaneName::parse(name).ok()) {
        repository.unrecovered.ensure_lane_is_whole(&name)?;
    }
    let records = repository.records()?;
    let Some(name) = name else {
        let lane = lane_here(repository, &records)?.ok_or_else(|| {
            Error::usage("this is no lane's worktree; name the lane")
                .hint("see the lanes with: git lane list")
        })?;
        return repository
            .unrecovered
            .ensure_lane_is_whole(&lane.name)
            .map(|()| lane);
    };
    if let Some(lane) = records.lanes.iter().find(|lane| lane.name.as_str() == name) {
        return Ok(lane.clone());
    }
    if let Some(damaged) = records
        .damaged
        .iter()
        .find(|damaged| damaged.section == name)
    {
        return Err(Error::refused(format!(
            "the record of lane '{name}' cannot be used: {}",
            damaged.problem
        ))
        .with_code(Code::DamagedRecord)
        .hint(format!(
            "look at it with: git config --edit, section [lane \"{name}\"]"
        )));
    }
    Err(no_lane(repository, &records, name))
}

/// The branch to land on; `None` when the lane has none and needs none.
fn landing_base(
    repository: &Repository,
    lane: &Lane,
    into: Option<&str>,
    landing: bool,
) -> Result<Option<BranchName>> {
    match landing_facts::target(repository, lane, into)? {
        Ok(branch) => repository.branch_meant(&branch).map(Some),
        Err(_) if !landing => Ok(None),
        Err(refusal) => Err(refusal.into()),
    }
}

/// The candidate most like `word`, when it is like it at all.
pub fn closest<'a>(word: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let likeness = |candidate: &&str| strsim::jaro_winkler(word, candidate);
    let best = candidates
        .iter()
        .copied()
        .max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
    (likeness(&best) > 0.8).then_some(best)
}

/// `path` as it is shorter to read and type from here.
pub fn shown_path(path: &Path) -> String {
    let Ok(here) = std::env::current_dir() else {
        return path.display().to_string();
    };
    let relative = crate::store::relative(&here, path);
    // Climbing further than a neighbour's house is no help to a reader.
    let shorter =
        !relative.starts_with("../../..") && relative.as_os_str().len() < path.as_os_str().len();
    match shorter {
        true if relative.as_os_str().is_empty() => ".".into(),
        true => relative.display().to_string(),
        false => path.display().to_string(),
    }
}

/// Says which lanes lose their base with `branch`, the branch of a lane that was based on `base`
/// itself.
fn tell_of_lost_base(
    ui: &Ui,
    above: &[LaneName],
    (branch, base): (Option<&BranchName>, Option<&BranchName>),
    dry_run: bool,
) {
    let Some(branch) = branch else { return };
    let (has, is) = if dry_run {
        ("would have", "would be")
    } else {
        ("has", "is")
    };
    let into = base.map_or_else(|| "<branch>".to_owned(), quote);
    for lane in above {
        let remedy = format!("git lane finish {} --into {into}", quote(lane));
        ui.note(format_args!(
            "lane '{lane}' {has} no base any more: branch '{branch}' {is} gone; land it with: \
             {remedy}"
        ));
    }
}

/// How long ago a moment was, in its largest unit: `3d`.
pub fn age(seconds: i64) -> String {
    let now = jiff::Timestamp::now().as_second();
    let passed = u64::try_from(now.saturating_sub(seconds)).unwrap_or(0);
    duration::in_one_unit(passed)
}
