//! `git lane move`: moves the worktree of a lane to another place.

use std::path::PathBuf;

use super::relocation_report;
use crate::domain::event::What;
use crate::error::{Error, IoContext, Result};
use crate::operations::relocate::{Wish, into_directory};
use crate::ui::Ui;

/// Move the directory of a lane to another place
///
/// As with git worktree move, a directory that is there gets it inside of it. The files and
/// everything that is not committed go along, and git and every command find the lane in its new
/// place. It is one rename: to another file system it is refused. A lane that was adopted is moved
/// too, since the user asks for it. git lane undo takes it back.
#[derive(Debug, clap::Args)]
#[command(override_usage = "git lane move [OPTIONS] [NAME] PATH")]
pub struct Args {
    /// The lane, and the place; inside a lane the first can be left out
    #[arg(value_names = ["NAME", "PATH"], required = true, num_args = 1..=2)]
    words: Vec<String>,

    /// Say what would be done and change nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// Moves it.
pub fn run(args: Args, ui: &Ui) -> Result<()> {
    let (name, path) = match args.words.as_slice() {
        [name, path] => (Some(name.as_str()), PathBuf::from(path)),
        [path] => (None, PathBuf::from(path)),
        _ => return Err(Error::usage("move takes a lane and a place")),
    };
    if path.as_os_str().is_empty() {
        return Err(Error::usage("the place is empty"));
    }
    let path = std::path::absolute(&path).context("find", &path)?;
    let (repository, _) = super::open(ui, args.dry_run)?;
    let lane = super::find_lane(&repository, name)?;
    let path = into_directory(&path, &lane);
    let wish = Wish {
        what: What::Move,
        name: &lane.name,
        branch: None,
        path: Some(&path),
        policy: None,
    };
    relocation_report::run(&repository, &lane, &wish, args.dry_run, ui)
}
