//! `git lane try`: shows a lane in the main worktree, and brings that back.
//!
//! Called by `cli` alone; `try_report` words what was done.

mod try_report;

use self::try_report::Report;
use super::{find_lane, open};
use crate::domain::lane::Lane;
use crate::error::Result;
use crate::operations::try_lane::{back, show, take_to_lane};
use crate::repository::Repository;
use crate::ui::Ui;

/// Show a lane in the main worktree, and bring that back
///
/// The main worktree has the lane's files as they stand: what is committed, what is not, and what is
/// untracked and not ignored. HEAD is detached there, and the lane itself is not touched. The main
/// worktree has to be settled and on a branch; ignored files stay, and where the lane has something
/// in their place that is a refusal.
///
/// With --back the main worktree is as before, on its branch, which may have moved on meanwhile.
/// Nothing may differ from what was shown; --to-lane takes what differs into the lane first.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The lane; inside a lane, that one when none is named
    #[arg(value_name = "NAME", conflicts_with = "back")]
    name: Option<String>,

    /// Bring the main worktree back to its branch
    #[arg(long)]
    back: bool,

    /// Take what was changed in the main worktree since into the lane, byte for byte
    #[arg(long, requires = "back")]
    to_lane: bool,

    /// Say what would be done and change nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// Runs `git lane try`.
pub fn run(args: Args, ui: &Ui) -> Result<()> {
    let (repository, _) = open(ui, args.dry_run)?;
    let report = match (args.back, args.to_lane) {
        (true, true) => Report::taken(take_to_lane(&repository, args.dry_run)?, args.dry_run),
        (true, false) => Report::back(back(&repository, args.dry_run)?, args.dry_run),
        (false, _) => {
            let lane = wanted(&repository, args.name.as_deref())?;
            Report::shown(&lane, show(&repository, &lane, args.dry_run)?, args.dry_run)
        }
    };
    ui.report(&report);
    Ok(())
}

/// The lane that is meant; in a main worktree that shows one, none is to be shown again unless it is
/// named.
fn wanted(repository: &Repository, name: Option<&str>) -> Result<Lane> {
    find_lane(repository, name).map_err(|error| match (name, repository.tried()) {
        (None, Ok(Some(tried))) => error.hint(format!(
            "the main worktree shows lane '{}'; bring it back with: git lane try --back",
            tried.lane
        )),
        _ => error,
    })
}
