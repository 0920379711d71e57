//! `git lane hook`: what the installed hooks call; can be run by hand.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args as ClapArgs;

use crate::domain::guard::git_hook::Hook;
use crate::error::{Code, Error, Result};
use crate::guard;
use crate::guard::Reply;
use crate::install;
use crate::ui::Ui;

/// Answer a git hook: exit code 0 lets git go on, 1 makes it fail
///
/// Takes the arguments git gives to the hook of that name; see githooks(5). Any error of git-lane
/// itself lets git go on.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// The hook file git-lane was called from as its last command; what others added to it runs
    /// afterwards
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,

    /// The hook
    event: Hook,

    /// Its arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<OsString>,
}

/// Runs it.
pub fn run(args: Args, ui: &Ui) -> Result<()> {
    if std::env::var_os(install::probe::ASKED).is_some() {
        // A refusal ends the hook: nothing that follows in it is run.
        return Err(Error::refused(install::probe::answer(args.event)).with_code(Code::Probe));
    }
    let answered = answer(&args, ui);
    if answered.is_ok()
        && let Some(file) = &args.file
    {
        install::run_rest(file, &args.args)?;
    }
    answered
}

fn answer(args: &Args, ui: &Ui) -> Result<()> {
    match guarded(args.event, &args.args) {
        Ok(Reply::Silent) => Ok(()),
        Ok(Reply::Say(finding, hint)) => {
            ui.warn(&finding);
            ui.note(format_args!("hint: {hint}"));
            Ok(())
        }
        Ok(Reply::Stop(error)) => Err(error),
        Err(error) => {
            ui.warn(format_args!(
                "git-lane cannot tell whether this is right, so git goes on: {error}"
            ));
            Ok(())
        }
    }
}

/// Answers the hook when this program was started for one, before anything else is set up.
pub fn at_once() -> Option<ExitCode> {
    let mut args = std::env::args_os().skip(1);
    if args.next()? != "hook" {
        return None;
    }
    let mut event = args.next()?;
    let mut file = None;
    if event == "--file" {
        file = Some(args.next()?.into());
        event = args.next()?;
    }
    let event = Hook::parse(&event)?;
    let ui = Ui::new(false);
    Some(
        match run(
            Args {
                file,
                event,
                args: args.collect(),
            },
            &ui,
        ) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                ui.error(&error);
                ExitCode::from(error.kind().exit_code())
            }
        },
    )
}

/// A bug in the guard is no reason to keep a user from working.
fn guarded(event: Hook, args: &[OsString]) -> Result<Reply> {
    std::panic::catch_unwind(|| guard::answer(event, args))
        .unwrap_or_else(|_| Err(Error::git("it has a bug")))
}
