//! One file per verb: the arguments, whose comments are the help text, and `run`.

pub mod finish;

use crate::cli::{Cli, Command};
use crate::error::{IoContext, Result};
use crate::git::recover::recover;
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
        Command::Finish(args) => finish::run(args, ui),
    }
}

/// Opens the repository for a command that changes it: what a dead process left is healed first.
pub fn open_for_change(ui: &Ui) -> Result<Repository> {
    let repository = Repository::discover()?;
    for healed in recover(&repository)? {
        ui.note(healed);
    }
    Ok(repository)
}
