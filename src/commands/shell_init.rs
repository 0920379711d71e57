//! `git lane shell-init`: a shell function that can change the directory, which a program cannot.
//!
//! The two hidden questions are the function's own: where to go after a start, and where home is. A
//! name given to the function reaches git-lane as one argument and is never looked at by the shell
//! again.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::{completions, familiar};
use crate::error::Result;
use crate::install::completion_scripts::{BASH, FISH, ZSH};
use crate::repository::Repository;
use crate::ui::Ui;

/// Print a shell function `lane` that goes into lanes and back
///
/// `lane NAME` changes into the worktree of a lane, or to what else git lane path knows: `lane main`,
/// a branch, a part of a name; `lane -` goes back. `lane start NAME` starts a lane and changes
/// into it; of several, into the first. After `lane finish` or `lane drop` inside a lane the shell
/// is back in the main worktree. Anything else is passed to `git lane`, and `lane -- NAME` reaches
/// a lane that is called like a verb. The completion of the shell is printed with it.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The shell; sh stands for any other POSIX shell
    #[arg(value_name = "SHELL", required_unless_present_any = ["home", "enter"])]
    shell: Option<Shell>,

    /// Print the directory of the main worktree
    #[arg(long, hide = true)]
    home: bool,

    /// Print the directory of the lane that this command line started
    #[arg(long, hide = true, conflicts_with = "home")]
    enter: bool,

    /// The command line
    #[arg(last = true, hide = true, value_name = "WORD", requires = "enter")]
    words: Vec<OsString>,
}

/// A shell the function is written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
    Sh,
}

/// The verbs after which the function may have to change the directory; it has an arm for each.
const ON_THEIR_OWN: [&str; 7] = ["start", "finish", "drop", "prune", "undo", "rename", "move"];

/// Prints the function, or answers it.
pub fn run(args: Args, cli: clap::Command, ui: &Ui) -> Result<()> {
    if args.home {
        print(ui, &Repository::discover()?.main_worktree()?.path);
    } else if args.enter {
        if let Some(directory) = started(&args.words, cli)? {
            print(ui, &directory);
        }
    } else if let Some(shell) = args.shell {
        completions::print(ui, &script(shell, &cli));
    }
    Ok(())
}

fn print(ui: &Ui, path: &Path) {
    ui.raw(&[path.as_os_str().as_bytes(), b"\n"].concat());
}

fn script(shell: Shell, cli: &clap::Command) -> String {
    let verbs = cli.get_subcommands().map(clap::Command::get_name);
    let verbs: Vec<&str> = verbs.filter(|verb| !ON_THEIR_OWN.contains(verb)).collect();
    let familiar: Vec<&str> = familiar::words().collect();
    let posix = include_str!("../shell/init.sh")
        .replace("@VERBS@", &verbs.join(" | "))
        .replace("@FAMILIAR@", &familiar.join(" | "));
    match shell {
        Shell::Sh => posix,
        Shell::Bash => format!("{posix}\n{}", BASH),
        Shell::Zsh => format!("{posix}\n{}", ZSH),
        Shell::Fish => {
            let function = include_str!("../shell/init.fish")
                .replace("@VERBS@", &verbs.join(" "))
                .replace("@FAMILIAR@", &familiar.join(" "));
            format!("{function}\n{}", FISH)
        }
    }
}

/// The worktree of the first lane a `start` names; `None` where the command line is none or changed
/// nothing.
fn started(words: &[OsString], cli: clap::Command) -> Result<Option<PathBuf>> {
    let line = std::iter::once(OsString::from("git-lane")).chain(words.iter().cloned());
    let Ok(matches) = cli.clone().try_get_matches_from(line) else {
        return Ok(None);
    };
    let Some((verb, matches)) = matches.subcommand() else {
        return Ok(None);
    };
    if matches!(matches.try_get_one::<bool>("dry_run"), Ok(Some(true))) {
        return Ok(None);
    }
    if let Ok(Some(directory)) = matches.try_get_one::<PathBuf>("directory")
        && std::env::set_current_dir(directory).is_err()
    {
        return Ok(None);
    }
    let name = cli
        .find_subcommand(verb)
        .and_then(|verb| verb.get_positionals().next());
    let name = name.and_then(|name| matches.try_get_raw(name.get_id().as_str()).ok()??.next());
    let Some(name) = name.and_then(|name| name.to_str()) else {
        return Ok(None);
    };
    let repository = Repository::discover()?;
    Ok(repository
        .records()?
        .meant(repository.name_rule(), name)
        .map(|lane| lane.worktree.clone()))
}
