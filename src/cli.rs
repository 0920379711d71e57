//! The commands and the global flags: what is parsed, and which verb runs.

use std::ffi::OsString;
use std::path::Path;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::commands;
use crate::commands::familiar::{self, Answer};
use crate::commands::verb_groups;
use crate::error::{Code, Error, IoContext, Kind, Result};
use crate::install::machine;
use crate::manual::pages;
use crate::store::git;
use crate::store::git::Git;
use crate::ui::Ui;

/// Gives every task its own lane: one name, one branch, one worktree, one owner
#[derive(Debug, Parser)]
#[command(
    name = "git-lane",
    bin_name = "git lane",
    version,
    max_term_width = 100
)]
#[command(propagate_version = false, disable_help_subcommand = true)]
pub struct Cli {
    /// Print one JSON document instead of text, and never ask
    #[arg(long, global = true, display_order = 900)]
    pub json: bool,

    /// Run as if started in this directory
    #[arg(short = 'C', value_name = "DIR", global = true, display_order = 901)]
    pub directory: Option<std::path::PathBuf>,

    /// What to do; `list` when nothing is said
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The verbs, in the order the help shows them.
#[derive(Debug, Subcommand)]
#[allow(missing_docs, reason = "a verb's help is the comment of its Args")]
pub enum Command {
    Start(commands::start::Args),
    Adopt(commands::adopt::Args),
    List(commands::list::Args),
    Show(commands::show::Args),
    Diff(commands::diff::Args),
    Path(commands::path::Args),
    Check(commands::check::Args),
    Try(commands::try_lane::Args),
    Sync(commands::sync::Args),
    Claim(commands::claim::Args),
    Release(commands::release::Args),
    Mark(commands::mark::Args),
    Rename(commands::rename::Args),
    Move(commands::r#move::Args),
    Base(commands::base::Args),
    Wait(commands::wait::Args),
    Exec(commands::exec::Args),
    Finish(commands::finish::Args),
    Drop(commands::drop::Args),
    Restore(commands::restore::Args),
    Undo(commands::undo::Args),
    Prune(commands::prune::Args),
    Trash(commands::trash::Args),
    Approve(commands::approve::Args),
    Init(commands::init::Args),
    Doctor(commands::doctor::Args),
    Log(commands::log::Args),
    Config(commands::config::Args),
    Completions(commands::completions::Args),
    ShellInit(commands::shell_init::Args),
    Man(commands::man::Args),
    Complete(commands::complete::Args),
    #[command(hide = true)]
    Hook(commands::hook::Args),
}

/// Parses the command line; usage errors and `-h` are printed here and end the program with the
/// code given.
pub fn parse() -> std::result::Result<Cli, std::process::ExitCode> {
    let mut words: Vec<OsString> = std::env::args_os().collect();
    let parsed = match parsed(&words) {
        Err(error) if error.kind() == clap::error::ErrorKind::InvalidSubcommand => {
            match familiar::answer(&words, &Cli::command(), &is_understood) {
                Answer::Means(line) => {
                    words = line;
                    self::parsed(&words)
                }
                Answer::Wrong(error) => {
                    let ui = Ui::new(words.iter().any(|arg| arg == "--json"));
                    return Err(std::process::ExitCode::from(ui.end(Err(error))));
                }
            }
        }
        parsed => parsed,
    };
    parsed.map_err(|error| {
        let usage = error.use_stderr();
        if error.kind() == clap::error::ErrorKind::DisplayHelp {
            open_page(&words);
        }
        let ui = Ui::new(std::env::args_os().any(|arg| arg == "--json"));
        let done = if error.kind() == clap::error::ErrorKind::InvalidUtf8 {
            Err(not_text())
        } else if usage && ui.json {
            Err(misunderstood(&error.to_string()))
        } else {
            ui.usage(error);
            Ok(())
        };
        if usage && verb_is("claim") {
            commands::claim::fail_the_shell(&ui);
        }
        let spoken = done.is_ok() && usage;
        let code = ui.end(done);
        std::process::ExitCode::from(if spoken {
            Kind::Usage.exit_code()
        } else {
            code
        })
    })
}

/// What a command line says, the program's name first.
fn parsed(words: &[OsString]) -> std::result::Result<Cli, clap::Error> {
    let command = Cli::command();
    let template = verb_groups::help_template(&command);
    let command = command.help_template(template);
    let matches = command
        .mut_subcommands(pointing_to_its_page)
        .try_get_matches_from(words)?;
    Cli::from_arg_matches(&matches)
}

/// The verb with a last line for its short help.
fn pointing_to_its_page(verb: clap::Command) -> clap::Command {
    let name = verb.get_name();
    let pointer = format!("git lane {name} --help opens git-lane-{name}(1)");
    match verb.is_hide_set() {
        true => verb,
        false => verb.after_help(pointer).after_long_help(""),
    }
}

/// Where `--help` is asked for on a terminal: becomes the verb's page, as git does for `git lane
/// --help`. Returns where there is none.
fn open_page(words: &[OsString]) {
    let asks = words.iter().any(|word| word == "--help");
    if !asks
        || Ui::new(words.iter().any(|word| word == "--json"))
            .columns()
            .is_none()
    {
        return;
    }
    let command = Cli::command();
    let verbs = || words.iter().skip(1).filter_map(|word| word.to_str());
    let verb = verbs().find_map(|word| command.find_subcommand(word));
    if let Some(verb) = verb.filter(|verb| !verb.is_hide_set()) {
        let page = format!("git-lane-{}", verb.get_name());
        if machine::has_page(&page) {
            // Without a git the help that clap has is still there.
            drop(Git::default().at(Path::new("/")).become_page(&page));
        }
    }
}

/// Whether clap understands it, be it that it asks for help.
fn is_understood(words: &[OsString]) -> bool {
    match parsed(words) {
        Ok(_) => true,
        Err(error) => !error.use_stderr(),
    }
}

/// Whether the first word of the command line that is no option is that one.
fn verb_is(verb: &str) -> bool {
    let mut words = std::env::args_os().skip(1);
    let first = words.find(|word| !word.as_encoded_bytes().starts_with(b"-"));
    first.is_some_and(|first| first == verb)
}

/// What clap says of a command line: its first paragraph, which names the arguments, and its tips.
fn misunderstood(text: &str) -> Error {
    let lines = || text.lines().map(str::trim);
    let paragraph: Vec<&str> = lines().take_while(|line| !line.is_empty()).collect();
    let sentence = paragraph.join(" ");
    let tips = lines().filter_map(|line| line.strip_prefix("tip: "));
    tips.fold(
        Error::usage(sentence.trim_start_matches("error: ")),
        |error, tip| error.hint(tip),
    )
    .hint("see the options with -h")
}

/// Names and messages end up in records and documents, which are text; clap would answer with its
/// usage.
fn not_text() -> Error {
    let culprit = std::env::args_os()
        .find(|arg| arg.to_str().is_none())
        .unwrap_or_default();
    Error::usage(format!("{culprit:?} is not valid UTF-8"))
        .with_code(Code::NotUtf8)
        .hint(
            "a branch of such a name can be given by its commit id, or renamed with: git branch -m",
        )
}

/// Runs what the command line asks for.
pub fn run(cli: Cli, ui: &Ui) -> Result<()> {
    // The guard reads the environment git gives to hooks; everything else sheds it.
    if !matches!(cli.command, Some(Command::Hook(_))) {
        git::start_over()?;
    }
    if let Some(directory) = &cli.directory {
        std::env::set_current_dir(directory).context("change to", directory)?;
    }
    ui.show_progress();
    let done = dispatch(
        cli.command
            .unwrap_or_else(|| Command::List(commands::list::Args::default())),
        ui,
    );
    if let Some(trouble) = ui.log_trouble.reason() {
        ui.warn(format_args!(
            "not everything is in the event log: {trouble}"
        ));
    }
    done.map_err(why)
}

/// What a git that cannot be used has led to is said as what it is.
fn why(error: Error) -> Error {
    if !matches!(error.kind(), Kind::Git | Kind::Environment) {
        return error;
    }
    Git::default().ensure_usable().err().unwrap_or(error)
}

/// The text of git-lane(1).
fn overview() -> String {
    let pages = pages(Cli::command());
    let first = pages.into_iter().next();
    first.map(|page| page.text).unwrap_or_default()
}

fn dispatch(command: Command, ui: &Ui) -> Result<()> {
    match command {
        Command::Start(args) => commands::start::run(args, ui),
        Command::Adopt(args) => commands::adopt::run(args, ui),
        Command::List(args) => commands::list::run(args, ui),
        Command::Show(args) => commands::show::run(args, ui),
        Command::Diff(args) => commands::diff::run(args, ui),
        Command::Log(args) => commands::log::run(args, ui),
        Command::Path(args) => commands::path::run(args, ui),
        Command::Doctor(args) => commands::doctor::run(args, &overview, ui),
        Command::Approve(args) => commands::approve::run(args, ui),
        Command::Config(args) => commands::config::run(args, ui),
        Command::Completions(args) => commands::completions::run(args, ui),
        Command::ShellInit(args) => commands::shell_init::run(args, Cli::command(), ui),
        Command::Man(args) => commands::man::run(args, &pages(Cli::command()), ui),
        Command::Complete(args) => commands::complete::run(args, Cli::command(), ui),
        Command::Drop(args) => commands::drop::run(args, ui),
        Command::Restore(args) => commands::restore::run(args, ui),
        Command::Undo(args) => commands::undo::run(args, ui),
        Command::Trash(args) => commands::trash::run(args, ui),
        Command::Prune(args) => commands::prune::run(args, ui),
        Command::Check(args) => commands::check::run(args, ui),
        Command::Try(args) => commands::try_lane::run(args, ui),
        Command::Claim(args) => commands::claim::run(args, ui),
        Command::Release(args) => commands::release::run(args, ui),
        Command::Mark(args) => commands::mark::run(args, ui),
        Command::Rename(args) => commands::rename::run(args, ui),
        Command::Move(args) => commands::r#move::run(args, ui),
        Command::Base(args) => commands::base::run(args, ui),
        Command::Wait(args) => commands::wait::run(args, ui),
        Command::Exec(args) => commands::exec::run(args, ui),
        Command::Sync(args) => commands::sync::run(args, ui),
        Command::Finish(args) => commands::finish::run(args, ui),
        Command::Init(args) => commands::init::run(args, ui),
        Command::Hook(args) => commands::hook::run(args, ui),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `log` changes nothing, and has the letters of tail(1) and git-log(1).
    #[test]
    fn a_letter_means_the_same_on_every_verb_that_changes_something() {
        let command = Cli::command();
        let verbs = command.get_subcommands();
        for verb in verbs.filter(|verb| verb.get_name() != "log") {
            for arg in verb.get_arguments() {
                for (letter, long) in [('n', "dry-run"), ('f', "force"), ('y', "yes")] {
                    let is_short = arg.get_short() == Some(letter);
                    let is_long = arg.get_long() == Some(long);
                    assert_eq!(is_short, is_long, "{} {arg}", verb.get_name());
                }
            }
        }
    }
}
