//! `git lane completions`: what makes a shell complete `git lane`.

use crate::error::Result;
use crate::install::completion_scripts::{BASH, FISH, ZSH};
use crate::ui::{Page, Report, Ui};

/// Print the completion script of a shell
///
/// The script completes verbs, options, lanes, branches and what lies in the trash, for `git lane`
/// as for `git-lane`. It asks git-lane itself, so it never grows old.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// A shell that has completion worth the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// Prints the script as it is.
pub fn run(args: Args, ui: &Ui) -> Result<()> {
    let script = match args.shell {
        Shell::Bash => BASH,
        Shell::Zsh => ZSH,
        Shell::Fish => FISH,
    };
    print(ui, script);
    Ok(())
}

/// A script for a shell, as a document.
#[derive(Debug, serde::Serialize)]
struct Script<'a> {
    script: &'a str,
}

impl Report for Script<'_> {
    fn text(&self, page: &mut Page) {
        page.line(self.script);
    }
}

/// Prints a script as it is, or where that is asked for in a document.
pub(super) fn print(ui: &Ui, script: &str) {
    match ui.json {
        true => ui.report(&Script { script }),
        false => ui.raw(script.as_bytes()),
    }
}
