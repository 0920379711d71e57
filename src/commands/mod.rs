//! A file or folder per verb: the arguments, whose comments are the help text, and `run`.
//!
//! Called by `cli` alone. A verb calls operations, engines and the repository, never another
//! verb.

pub mod adopt;
pub mod approve;
pub mod base;
mod beside_entries;
pub mod check;
pub mod claim;
mod coded;
pub mod complete;
pub mod completions;
pub mod config;
pub mod diff;
pub mod doctor;
pub mod drop;
mod entry_document;
pub mod exec;
pub mod familiar;
pub mod finish;
mod first_lane;
mod gate_approval;
mod gate_watch;
pub mod hook;
pub mod init;
mod lane_commands;
mod lane_words;
pub mod list;
pub mod log;
pub mod man;
pub mod mark;
pub mod r#move;
mod opening;
pub mod path;
pub mod prune;
pub mod release;
mod relocation_report;
pub mod rename;
pub mod restore;
pub mod shell_init;
pub mod show;
pub mod start;
pub mod sync;
pub mod trash;
pub mod try_lane;
pub mod undo;
pub mod verb_groups;
mod verdicts;
pub mod wait;
mod which_lane;

use std::path::Path;

pub use opening::{
    follow_policy, heal, open, open_and_heal, open_and_look, open_for_change, open_to_look,
    records, warn_if_overtaken,
};
pub use which_lane::{
    closest, find_lane, fits, landing_base, lane_here, lane_name, meant, no_lane,
};

use crate::domain::adopt::remove_by_git;
use crate::domain::duration;
use crate::domain::event::Stays;
use crate::domain::lane::Lane;
use crate::domain::name::{BranchName, LaneName};
use crate::domain::shell_word::quote;
use crate::operations::in_flight;
use crate::policy::Policy;
use crate::repository::Repository;
use crate::store::login;
use crate::ui::{Page, Ui};

/// `path` as it is shorter to read and type from here.
pub fn shown_path(path: &Path) -> String {
    match std::env::current_dir() {
        Ok(here) => shown_path_from(&here, path),
        Err(_) => path.display().to_string(),
    }
}

/// The same for a reader who is in `here`.
pub fn shown_path_from(here: &Path, path: &Path) -> String {
    let relative = crate::store::relative(here, path);
    // Climbing further than a neighbour's house is no help to a reader.
    let shorter =
        !relative.starts_with("../../..") && relative.as_os_str().len() < path.as_os_str().len();
    match shorter {
        true if relative.as_os_str().is_empty() => ".".into(),
        true => relative.display().to_string(),
        false => path.display().to_string(),
    }
}

/// The way out of a directory that is gone.
fn go_to(path: &Path) -> String {
    format!("go to: cd {}", quote(path.display()))
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

/// What a person is told of a lane that was adopted and is forgotten, or would be.
fn tell_of_forgotten(page: &mut Page, stays: &Stays, dry_run: bool) {
    let stay = if dry_run { "would stay" } else { "stay" };
    let path = stays.path.display();
    let is_there = stays.path.is_dir();
    let what = match &stays.branch {
        Some(branch) if !is_there && dry_run => format!("branch '{branch}' would stay as it is"),
        Some(branch) if !is_there => format!("branch '{branch}' stays as it is"),
        None if !is_there => return,
        Some(branch) => format!("'{path}' and branch '{branch}' {stay} as they are"),
        None if dry_run => format!("'{path}' would stay as it is"),
        None => format!("'{path}' stays as it is"),
    };
    page.line(format!("  it was adopted: {what}"));
    if !dry_run && is_there {
        let command = remove_by_git(&stays.path);
        page.line(format!("  remove the worktree with: {command}"));
    }
}

/// Who runs this command, for what is done in an owner's name.
fn asker(policy: &Policy, named: Option<&str>) -> String {
    let named = named.filter(|owner| !owner.is_empty()).map(str::to_owned);
    named
        .or_else(|| policy.owner_of_new_lanes(login::name))
        .unwrap_or_else(login::number)
}

/// What a lane has beyond its base, in words: `+2, 1 modified`.
fn lane_holds(repository: &Repository, lane: &Lane) -> String {
    match in_flight::entry(repository, lane) {
        Ok(entry) => match &entry.versus {
            Some(versus) => format!("{versus}, {}", entry.state),
            None => entry.state.to_string(),
        },
        Err(error) => format!("what cannot be read: {error}"),
    }
}

/// How long ago a moment was, in its largest unit: `3d`.
pub fn age(seconds: i64) -> String {
    let now = jiff::Timestamp::now().as_second();
    let passed = u64::try_from(now.saturating_sub(seconds)).unwrap_or(0);
    duration::in_one_unit(passed)
}
