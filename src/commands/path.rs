//! `git lane path`

use std::path::PathBuf;

use clap::Args as ClapArgs;

use crate::domain::destination::{Named, by_branch, by_part, holding};
use crate::domain::lane::{Lane, Worktree};
use crate::domain::name::LaneName;
use crate::domain::retire::place;
use crate::error::{Code, Error, Result};
use crate::operations::trash;
use crate::repository::Repository;
use crate::ui::{Page, Report, Ui};

/// Where the shell function `lane` was before it went where it is.
const LAST: &str = "GIT_LANE_LAST";

/// Print the directory of a lane's worktree, for cd and scripts
///
/// Where no lane has the name, a branch means the worktree that has it checked out, 'main' the main
/// worktree, and a part of a name the only lane in whose name it stands, unless an earlier lane was
/// called so. '-' means the worktree in which you were before.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// The lane, its branch, a part of its name, 'main' or '-'; the one you are in when left out
    name: Option<String>,
}

#[derive(Debug, serde::Serialize)]
struct PathReport {
    lane: Option<LaneName>,
    #[serde(with = "crate::domain::lane::lossless_path")]
    path: PathBuf,
}

/// Runs it.
pub fn run(args: Args, ui: &Ui) -> Result<()> {
    let repository = Repository::discover()?;
    let report = match args.name.as_deref() {
        Some("-") => last(&repository)?,
        word => match super::find_lane(&repository, word) {
            Ok(lane) => of_lane(&repository, lane)?,
            Err(error) => elsewhere(&repository, word.unwrap_or_default(), error, ui)?,
        },
    };
    if ui.json {
        ui.report(&report);
    } else {
        use std::os::unix::ffi::OsStrExt;
        // Not escaped: this is what cd gets.
        ui.raw(&[report.path.as_os_str().as_bytes(), b"\n"].concat());
    }
    Ok(())
}

fn of_lane(repository: &Repository, lane: Lane) -> Result<PathReport> {
    let worktrees = repository.worktrees()?;
    // A worktree that was moved is found where git knows it to be.
    let worktree = place(&lane, &worktrees).present().ok_or_else(|| {
        Error::refused(format!(
            "the worktree of lane '{}' is gone from '{}'",
            lane.name,
            lane.worktree.display()
        ))
        .with_code(Code::WorktreeGone)
        .hint(
            "if it was moved: git worktree repair NEW-PLACE; otherwise clear the record with: git \
             lane prune",
        )
    })?;
    Ok(PathReport {
        path: worktree.path.clone(),
        lane: Some(lane.name),
    })
}

/// A worktree, whether it is a lane's or not.
fn of_worktree(
    repository: &Repository,
    worktree: &Worktree,
    worktrees: &[Worktree],
) -> Result<PathReport> {
    let lanes = repository.records()?.lanes;
    let own = |lane: &Lane| place(lane, worktrees).worktree() == Some(worktree);
    Ok(PathReport {
        lane: lanes.into_iter().find(own).map(|lane| lane.name),
        path: worktree.path.clone(),
    })
}

/// The worktree in which the user was before.
fn last(repository: &Repository) -> Result<PathReport> {
    let named = [LAST, "OLDPWD"].into_iter().filter_map(std::env::var_os);
    let before = named.map(PathBuf::from).find(|path| path.is_absolute());
    let worktrees = repository.worktrees()?;
    let before = before.and_then(|path| path.canonicalize().ok());
    let worktree = before.and_then(|path| holding(&path, &worktrees).cloned());
    let worktree = worktree.ok_or_else(|| {
        Error::refused("the directory before this one is in no worktree of this repository")
            .with_code(Code::NoSuchLane)
            .hint("see the lanes with: git lane list")
    })?;
    of_worktree(repository, &worktree, &worktrees)
}

/// What the word means that no lane is called; else `error`, which says so.
fn elsewhere(repository: &Repository, word: &str, error: Error, ui: &Ui) -> Result<PathReport> {
    if error.code() != Code::NoSuchLane {
        return Err(error);
    }
    let worktrees = repository.worktrees()?;
    if let Some(worktree) = by_branch(word, &worktrees) {
        return of_worktree(repository, worktree, &worktrees);
    }
    // A script that has kept the name of a lane must not end up in another one.
    if was_a_lane(repository, word)? {
        return Err(error);
    }
    let lanes = repository.records()?.lanes;
    match by_part(word, &lanes) {
        Named::One(lane) => {
            let report = of_lane(repository, lane.clone())?;
            ui.note(format_args!("'{word}' is lane '{}'", lane.name));
            Ok(report)
        }
        Named::Several(names) => Err(several(word, &names)),
        Named::None => Err(error),
    }
}

/// Whether the log or the trash knows a lane of that name.
fn was_a_lane(repository: &Repository, word: &str) -> Result<bool> {
    let entries = trash::entries(repository)?;
    let rule = repository.name_rule();
    let mut names = entries.iter().map(|entry| entry.lane.name.as_str());
    let waits = names.any(|name| rule.is_same(name, word));
    let mut events = repository.log().since(0)?.into_iter();
    Ok(waits || events.any(|event| event.is_about(word)))
}

fn several(word: &str, names: &[&LaneName]) -> Error {
    let names: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
    let names = names.join(", ");
    Error::refused(format!(
        "'{word}' stands in the names of several lanes: {names}"
    ))
    .with_code(Code::SeveralLanes)
    .hint("give more of the name")
}

impl Report for PathReport {
    fn text(&self, page: &mut Page) {
        page.line(self.path.display());
    }
}
