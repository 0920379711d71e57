//! Asks the user to approve commands that came with a repository, and refuses where none is there to
//! ask.
//!
//! The verb `approve` calls it, and every verb that runs a gate does before it starts a command.

use crate::domain::gate::{CommandList, Gate, Source};
use crate::domain::shell_word::quote;
use crate::error::{Code, Error, Result};
use crate::store::approvals::{Approvals, missing};
use crate::ui::Ui;

/// The landing whose gate it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct For<'a> {
    /// The lane that lands; `None`: no certain one.
    pub lane: Option<&'a str>,
    /// The base, as people call it.
    pub base: &'a str,
    /// Whether the user named the base by `--into`.
    pub into: bool,
}

impl For<'_> {
    /// The file that commands come from.
    pub fn file(&self, source: Source) -> String {
        match (source, self.lane) {
            (Source::Landing, Some(lane)) => format!("lane.toml of lane '{lane}'"),
            (Source::Landing, None) => "lane.toml of what lands".into(),
            (Source::Clone, _) => ".git/lane/lane.toml".into(),
            (Source::User, _) => "your lane.toml".into(),
            (Source::CommandLine, _) => "--gate".into(),
            (Source::Team, _) => format!("lane.toml of {}", self.base),
        }
    }

    /// The command that approves.
    fn remedy(&self) -> String {
        let mut command = "git lane approve".to_owned();
        if let Some(lane) = self.lane {
            command += &format!(" {}", quote(lane));
        }
        if self.into {
            command += &format!(" --into {}", quote(self.base));
        }
        command
    }
}

/// Makes sure that the user has approved every list of the gate that is not their own, and asks
/// for those that are missing.
///
/// # Errors
/// Code `not-approved` where the answer is no, or no user is there to answer.
pub(super) fn ensure_approved(ui: &Ui, gate: &Gate, of: For<'_>) -> Result<()> {
    ask(ui, &missing(gate)?, of)
}

/// Shows each list and asks for it; each yes is remembered at once.
pub(super) fn ask(ui: &Ui, lists: &[CommandList], of: For<'_>) -> Result<()> {
    let mut refused = Vec::new();
    for list in lists {
        if !ui.json {
            show(ui, list, of);
        }
        let meaning = "a yes holds wherever a file has the same commands";
        match ui.confirm(meaning, "Let git-lane run these commands?")? {
            Some(true) => Approvals::open()?.add(list)?,
            Some(false) | None => refused.push(of.file(list.source)),
        }
    }
    if refused.is_empty() {
        return Ok(());
    }
    let files = refused.join(" and ");
    let error = Error::refused(format!("the gate in {files} is not approved"));
    let hint = if ui.can_ask() {
        format!("approve it with: {}", of.remedy())
    } else {
        format!("on a terminal, see and approve it with: {}", of.remedy())
    };
    Err(error.with_code(Code::NotApproved).hint(hint))
}

/// Shows the commands one below the other.
fn show(ui: &Ui, list: &CommandList, of: For<'_>) {
    ui.note(format_args!("{} asks to run:", of.file(list.source)));
    list.lines
        .iter()
        .flat_map(|command| shown(command))
        .for_each(|line| ui.note(line));
}

/// The lines of a command. What each begins with tells a command from the second line of another,
/// as a shell's prompts do.
pub(super) fn shown(command: &str) -> Vec<String> {
    let prompts = std::iter::once("$").chain(std::iter::repeat(">"));
    let lines = command.split('\n').zip(prompts);
    lines
        .map(|(line, prompt)| format!("  {prompt} {line}"))
        .collect()
}
