//! One file per verb: the arguments, whose comments are the help text, and `run`.

pub mod drop;
pub mod prune;
pub mod restore;
pub mod trash;

use crate::cli::{Cli, Command};
use crate::domain::name::LaneName;
use crate::error::{Error, IoContext, Result};
use crate::git::recover::{Healed, recover};
use crate::git::repository::Repository;
use crate::ui::Ui;

/// Runs what the command line asks for.
pub fn run(cli: Cli, ui: &Ui) -> Result<()> {
    if let Some(directory) = &cli.directory {
        std::env::set_current_dir(directory).context("change to", directory)?;
    }
    match cli.command {
        None => Ok(()),
        Some(command) => dispatch(command, ui),
    }
}

fn dispatch(command: Command, ui: &Ui) -> Result<()> {
    match command {
        Command::Drop(args) => drop::run(args, ui),
        Command::Restore(args) => restore::run(args, ui),
        Command::Trash(args) => trash::run(args, ui),
        Command::Prune(args) => prune::run(args, ui),
    }
}

/// Opens the repository for a command that changes it: what a dead process left is healed first.
pub fn open_for_change(ui: &Ui) -> Result<Repository> {
    open_and_heal(ui).map(|(repository, _)| repository)
}

/// Like [`open_for_change`], for a command that wants to know whether its own work was completed by that.
pub fn open_and_heal(ui: &Ui) -> Result<(Repository, Vec<Healed>)> {
    let repository = Repository::discover()?;
    let healed = recover(&repository)?;
    for healed in &healed {
        ui.note(healed);
    }
    Ok((repository, healed))
}

/// The lane's name somebody typed.
pub fn lane_name(text: &str) -> Result<LaneName> {
    LaneName::parse(text).map_err(|problem| {
        Error::refused(format!("'{text}' cannot be a lane's name: it {}", problem.because())).code("bad-name")
    })
}

/// There is no lane of that name; says where it may be.
pub fn no_lane(repository: &Repository, name: &LaneName) -> Error {
    let error = Error::refused(format!("there is no lane '{name}'")).code("no-lane");
    let removed = crate::git::trash::entries(repository).unwrap_or_default();
    if removed.iter().any(|entry| entry.lane.name == *name) {
        return error.hint(format!("it is in the trash; bring it back with: git lane restore {name}"));
    }
    error.hint("see what there is with: git lane list")
}
