//! `git lane init`

use clap::Args as ClapArgs;

use crate::domain::guard::Level;
use crate::domain::lane::LosslessPath;
use crate::domain::shell_word::quote;
use crate::error::{Code, Error, Result};
use crate::install;
use crate::install::global;
use crate::install::global::Stays;
use crate::install::{HookState, State, Wanted};
use crate::repository::Repository;
use crate::ui::{Cell, Page, Report, Style, Ui};

/// Put the rule in force: plain git stays in its lane
///
/// Installs git hooks in this repository, for all its worktrees. From git 2.54 on they are defined
/// in .git/config; older gits get hook files, and a hook that is there already keeps running. Run
/// it again to upgrade or to change the level.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// What happens to a switch, commit, merge or rebase that breaks the rule [default: what is
    /// set, else restore]
    #[arg(long, value_name = "LEVEL", conflicts_with_all = ["uninstall", "check"])]
    level: Option<Level>,

    /// Write hook files even where git takes hooks from its configuration: for older gits on the
    /// same machine
    #[arg(long, conflicts_with_all = ["uninstall", "check"])]
    files: bool,

    /// Remove what was installed, and put back what was there before
    #[arg(long)]
    uninstall: bool,

    /// Say what is in force, and why; exit code 1 when the rule is not
    #[arg(long, conflicts_with = "uninstall")]
    check: bool,

    /// For every repository of this user: hooks for git 2.54 and later in a file that ~/.gitconfig
    /// includes, a lane.toml that asks for them with each first lane, for older gits, and the
    /// completions
    #[arg(long, conflicts_with_all = ["level", "files", "check"])]
    global: bool,

    /// With --global: print what would be written, for a dotfiles repository, and change nothing
    #[arg(long, requires = "global", conflicts_with = "uninstall")]
    print: bool,
}

#[derive(Debug, serde::Serialize)]
struct Removed {
    uninstalled: bool,
    notes: Vec<String>,
}

/// What `--global` did, or would do.
#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Global {
    files: Vec<PlannedFile>,
    include: LosslessPath,
    changed_files: Vec<LosslessPath>,
    kept_files: Vec<LosslessPath>,
    include_changed: bool,
    #[serde(skip)]
    mode: Mode,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Print,
    Install,
    Uninstall,
}

#[derive(Debug, serde::Serialize)]
struct PlannedFile {
    path: LosslessPath,
    purpose: &'static str,
    text: String,
}

fn everywhere(args: &Args, ui: &Ui) -> Result<()> {
    let mode = match (args.print, args.uninstall) {
        (true, _) => Mode::Print,
        (_, true) => Mode::Uninstall,
        _ => Mode::Install,
    };
    let files = global::files()?;
    let include = files
        .first()
        .map(|file| global::include_path(&file.path))
        .unwrap_or_default();
    let outcome = match mode {
        Mode::Print => global::Outcome::default(),
        Mode::Install => global::install()?,
        Mode::Uninstall => global::uninstall()?,
    };
    let shown = |paths: Vec<std::path::PathBuf>| paths.into_iter().map(LosslessPath).collect();
    let planned = |file: global::GlobalFile| PlannedFile {
        path: LosslessPath(file.path),
        purpose: file.purpose,
        text: file.text,
    };
    let report = Global {
        files: files.into_iter().map(planned).collect(),
        include: LosslessPath(include),
        changed_files: shown(outcome.changed),
        kept_files: shown(outcome.kept.iter().map(|(path, _)| path.clone()).collect()),
        include_changed: outcome.include_changed,
        mode,
    };
    ui.report(&report);
    for (path, why) in &outcome.kept {
        let next = match (mode, why) {
            (Mode::Uninstall, Stays::Linked(_)) => "; remove the link to be without it",
            (Mode::Uninstall, _) => "",
            _ => "; see what it would be with: git lane init --global --print",
        };
        ui.warn(format_args!("'{}' {why}{next}", path.display()));
    }
    if mode == Mode::Install
        && let Some(directory) = global::unsearched_by_zsh()?
    {
        let directory = quote(directory.display());
        ui.note("note: zsh does not look for completions where they were written");
        ui.note(format_args!(
            "hint: in ~/.zshrc, before compinit: fpath=({directory} $fpath)"
        ));
    }
    Ok(())
}

impl Report for Global {
    fn text(&self, page: &mut Page) {
        if self.mode == Mode::Print {
            page.line("# add to ~/.gitconfig:");
            page.line("[include]");
            page.line(Cell::raw(format!("\tpath = {}", self.include)));
            for file in &self.files {
                page.line("");
                page.line(format!("# {}: {}", file.path, file.purpose));
                file.text.lines().for_each(|line| {
                    page.line(Cell::raw(line));
                });
            }
            return;
        }
        let did = if self.mode == Mode::Install {
            "wrote"
        } else {
            "removed"
        };
        for path in &self.changed_files {
            page.line(format!("{did} {path}"));
        }
        if self.include_changed {
            let verb = if self.mode == Mode::Install {
                "added to"
            } else {
                "removed from"
            };
            page.line(format!(
                "{verb} the user's git configuration: include.path = {}",
                self.include
            ));
        }
        if self.changed_files.is_empty() && !self.include_changed {
            page.line("nothing had to change");
        }
    }
}

/// Runs it.
pub fn run(args: Args, ui: &Ui) -> Result<()> {
    if args.global {
        return everywhere(&args, ui);
    }
    if args.uninstall {
        let repository = super::open_for_change(ui)?;
        let notes = install::uninstall(&repository)?;
        notes.iter().for_each(|note| ui.warn(note));
        ui.report(&Removed {
            uninstalled: true,
            notes,
        });
        return Ok(());
    }
    let mut unknown = Vec::new();
    let state = if args.check {
        let repository = Repository::discover()?;
        unknown = install::unknown_rules(&repository, &repository.policy()?)?;
        install::state(&repository)?
    } else {
        let repository = super::open_for_change(ui)?;
        let state = install::install(
            &repository,
            &repository.policy()?,
            Wanted {
                level: args.level,
                files: args.files,
            },
        )?;
        if let Some(caution) = install::caution(&state, repository.git.version()?) {
            ui.warn(caution);
        }
        state
    };
    // Off is in force when it was asked for, and the rule is not.
    let as_wanted = state.in_force || (!args.check && state.level == Level::Off);
    if as_wanted && unknown.is_empty() {
        ui.report(&state);
        return Ok(());
    }
    let error = match as_wanted {
        true => Error::refused(format!(
            "the hooks do not know what the policy says of {}",
            unknown.join(", ")
        ))
        .with_code(Code::PolicyUnknown)
        .hint("tell them with: git lane init"),
        false => {
            let error = Error::refused(format!("the rule is not in force: {}", state.why_not()))
                .with_code(Code::NotInForce);
            state.remedies().into_iter().fold(error, Error::hint)
        }
    };
    Err(ui.failed(&state, error))
}

impl Report for State {
    fn text(&self, page: &mut Page) {
        let does = match self.level {
            Level::Restore => {
                "a switch that breaks the rule is taken back, a commit, merge or rebase is refused"
            }
            Level::Refuse => "whatever breaks the rule is refused",
            Level::Warn => "what breaks the rule is reported and goes on",
            Level::Off => "nothing is guarded",
        };
        page.line(format!("level {}: {does}", self.level.code()));
        let rows = self.hooks.iter().map(row).collect();
        page.table(&["HOOK", "RUNS FROM", "NOTE"], rows, &[2]);
        if let Some(why) = &self.directory_chosen_by {
            page.line(format!(
                "hook files are taken from '{}': {why}",
                self.directory.display()
            ));
        }
    }
}

fn row(state: &HookState) -> Vec<Cell> {
    let place = match (state.configured, state.hook_file) {
        (true, true) => Cell::new("configuration, file", Style::Good),
        (true, false) => Cell::new("configuration", Style::Good),
        (false, true) => Cell::new("file", Style::Good),
        (false, false) => Cell::new("nowhere", Style::Bad),
    };
    let note = if state.chained {
        "with the hook that was there before"
    } else {
        ""
    };
    vec![state.hook.name().into(), place, note.into()]
}

impl Report for Removed {
    fn text(&self, page: &mut Page) {
        page.line("the hooks of git-lane are removed");
    }
}
