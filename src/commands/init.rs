//! `git lane init`

use clap::Args as ClapArgs;

use crate::domain::guard::Level;
use crate::error::{Error, Result};
use crate::git::repository::Repository;
use crate::hooks::{self, HookState, State, Wanted};
use crate::policy::Policy;
use crate::ui::{Cell, Page, Report, Style, Ui};

/// Put the rule in force: plain git stays in its lane
///
/// Installs git hooks in this repository, for all its worktrees. From git 2.54 on they are defined in .git/config; older
/// gits get hook files, and a hook that is there already keeps running. Run it again to upgrade or to change the level.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// What happens to a switch, commit, merge or rebase that breaks the rule [default: what is set, else restore]
    #[arg(long, value_name = "LEVEL", conflicts_with_all = ["uninstall", "check"])]
    level: Option<Level>,

    /// Write hook files even where git takes hooks from its configuration: for older gits on the same machine
    #[arg(long, conflicts_with_all = ["uninstall", "check"])]
    files: bool,

    /// Remove what was installed, and put back what was there before
    #[arg(long)]
    uninstall: bool,

    /// Say what is in force, and why; exit code 1 when the rule is not
    #[arg(long, conflicts_with = "uninstall")]
    check: bool,
}

#[derive(Debug, serde::Serialize)]
struct Removed {
    removed: bool,
    notes: Vec<String>,
}

/// Runs it.
pub fn run(args: Args, ui: &Ui) -> Result<()> {
    if args.uninstall {
        let repository = super::open_for_change(ui)?;
        let notes = hooks::uninstall(&repository)?;
        notes.iter().for_each(|note| ui.warn(note));
        ui.report(&Removed { removed: true, notes });
        return Ok(());
    }
    let state = if args.check {
        hooks::state(&Repository::discover()?)?
    } else {
        let repository = super::open_for_change(ui)?;
        let state =
            hooks::install(&repository, &Policy::load(&repository)?, Wanted { level: args.level, files: args.files })?;
        if let Some(caution) = hooks::caution(&state, repository.git.version()?) {
            ui.warn(caution);
        }
        state
    };
    if state.in_force {
        ui.report(&state);
        return Ok(());
    }
    if !ui.json {
        ui.report(&state);
    }
    let error = Error::refused("the rule is not in force").code("not-in-force");
    let error = match serde_json::to_value(&state) {
        Ok(details) => error.details(details),
        Err(_) => error,
    };
    Err(match state.on_path {
        false => error.hint("put git-lane on PATH: the hooks look for it there"),
        true => error.hint("install the hooks with: git lane init"),
    })
}

impl Report for State {
    fn text(&self, page: &mut Page) {
        let does = match self.level {
            Level::Restore => "a switch that breaks the rule is taken back, a commit, merge or rebase is refused",
            Level::Refuse => "whatever breaks the rule is refused",
            Level::Warn => "what breaks the rule is reported and goes on",
            Level::Off => "nothing is guarded",
        };
        page.line(format!("level {}: {does}", self.level.word()));
        let rows = self.hooks.iter().map(row).collect();
        page.table(&["HOOK", "RUNS FROM", "NOTE"], rows, &[2]);
        if let Some(why) = &self.directory_chosen_by {
            page.line(format!("hook files are taken from '{}': {why}", self.directory.display()));
        }
    }
}

fn row(state: &HookState) -> Vec<Cell> {
    let place = match (state.configured, state.file) {
        (true, true) => Cell::new("configuration, file", Style::Good),
        (true, false) => Cell::new("configuration", Style::Good),
        (false, true) => Cell::new("file", Style::Good),
        (false, false) => Cell::new("nowhere", Style::Bad),
    };
    let note = if state.chained { "with the hook that was there before" } else { "" };
    vec![state.hook.name().into(), place, note.into()]
}

impl Report for Removed {
    fn text(&self, page: &mut Page) {
        page.line("the hooks of git-lane are removed");
    }
}
