//! `git lane doctor`

use crate::operations::interrupted;
use bstr::{BString, ByteSlice};
use clap::Args as ClapArgs;

use crate::domain::doctor::Finding;
use crate::domain::guard::Level;
use crate::domain::installation::{Problem, problems};
use crate::domain::lane::lossless;
use crate::error::{Code, Error, Result};
use crate::install;
use crate::install::{Wanted, machine};
use crate::operations::doctor::{examine, fix, lost, programs};
use crate::repository::Repository;
use crate::ui::{Cell, Page, Report, Style, Ui};

/// Look the repository over for what is not as it should be; exit code 1 when something is left
///
/// Strays, lost records, records and worktrees that disagree, indexes and branches that cannot be
/// read, half-made and cut-off worktrees that plain git dies of, interrupted commands and what will
/// become of them, locks and kept packs of dead processes, damaged journals, hooks that do not run
/// or do not know the policy, and settings that a leaked GIT_DIR leaves behind. Settings of the
/// shared configuration that make git run a program are named too: they are nothing wrong, but any
/// lane can plant one for all others.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// Put right what can be without losing anything
    #[arg(long)]
    fix: bool,

    /// Look over the installation instead, in no repository: whether a new shell finds the program,
    /// its manual and its completion
    #[arg(long, conflicts_with = "fix")]
    install: bool,
}

#[derive(Debug, serde::Serialize)]
struct Checkup {
    findings: Vec<Told>,
    /// Settings of the shared configuration that run programs; nothing wrong by itself.
    #[serde(serialize_with = "losslessly")]
    programs: Vec<BString>,
}

/// Names of settings, which need not be text.
fn losslessly<S: serde::Serializer>(
    names: &[BString],
    to: S,
) -> std::result::Result<S::Ok, S::Error> {
    to.collect_seq(names.iter().map(|name| lossless(name.as_bstr())))
}

#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    code: &'static str,
    message: String,
    fixable: bool,
    fixed: bool,
    hints: Vec<String>,
}

impl Told {
    fn of(finding: &Finding) -> Self {
        Told {
            code: finding.code(),
            message: finding.to_string(),
            fixable: finding.fixable(),
            fixed: false,
            hints: finding.hint().into_iter().collect(),
        }
    }
}

impl From<Problem> for Told {
    fn from(problem: Problem) -> Self {
        Told {
            code: problem.code,
            message: problem.text,
            fixable: false,
            fixed: false,
            hints: problem.hint.into_iter().collect(),
        }
    }
}

/// Runs it. `page` is the text of git-lane(1).
pub fn run(args: Args, page: &dyn Fn() -> String, ui: &Ui) -> Result<()> {
    if args.install {
        return installation(&args, &page(), ui);
    }
    let mut report = Checkup {
        findings: Vec::new(),
        programs: Vec::new(),
    };
    // Neither git nor git-lane opens a repository whose working tree is nowhere; first things
    // first.
    if let Some((common_dir, finding)) = std::env::current_dir()
        .ok()
        .and_then(|here| lost::tree(&here))
    {
        let mut told = Told::of(&finding);
        if args.fix {
            lost::forget_tree(&common_dir)?;
            told.fixed = true;
        }
        report.findings.push(told);
        if !args.fix {
            return finish(report, &args, ui);
        }
    }
    // What an interrupted command left is healed by any command that may change something.
    let mut repository = if args.fix {
        super::open_for_change(ui)?
    } else {
        Repository::discover()?
    };
    repository.git.ensure_usable()?;
    report.programs = programs(&repository)?;
    for finding in all(&repository)? {
        let mut told = Told::of(&finding);
        if args.fix && finding.fixable() {
            match mend(&mut repository, &finding, ui) {
                Ok(note) => (told.fixed, told.hints) = (true, note.into_iter().collect()),
                Err(error) => {
                    let words =
                        std::iter::once(error.to_string()).chain(error.hints().iter().cloned());
                    told.hints = words.collect();
                }
            }
        }
        report.findings.push(told);
    }
    finish(report, &args, ui)
}

/// Tells what a new shell does not find.
fn installation(args: &Args, page: &str, ui: &Ui) -> Result<()> {
    let found = problems(&machine::facts(page, env!("CARGO_PKG_VERSION")));
    let findings = found.into_iter().map(Told::from).collect();
    let report = Checkup {
        findings,
        programs: Vec::new(),
    };
    finish(report, args, ui)
}

/// Tells it; what is left makes it a failure.
fn finish(report: Checkup, args: &Args, ui: &Ui) -> Result<()> {
    if !ui.json && !report.programs.is_empty() {
        ui.note(format_args!(
            "note: in every worktree of this repository git runs what these say: {}",
            bstr::join(", ", &report.programs).as_bstr()
        ));
        ui.note("hint: see who set them to what with: git config --local --list");
    }
    let left = report.findings.iter().filter(|told| !told.fixed).count();
    if left == 0 {
        ui.report(&report);
        return Ok(());
    }
    let text = if left == 1 {
        "1 thing is not as it should be".into()
    } else {
        format!("{left} things are not as they should be")
    };
    let error = Error::refused(text).with_code(Code::Findings);
    let fixable = report
        .findings
        .iter()
        .any(|told| told.fixable && !told.fixed);
    let error = match fixable && !args.fix {
        true => error.hint("put right what can be with: git lane doctor --fix"),
        false => error,
    };
    Err(ui.failed(&report, error))
}

fn all(repository: &Repository) -> Result<Vec<Finding>> {
    let mut found = examine(repository, interrupted::operations(repository)?)?;
    // A half-made worktree keeps git from answering; first things first.
    let poisoned = found
        .iter()
        .any(|finding| matches!(finding, Finding::UnfinishedAdmin(..) | Finding::Poisoned(_)));
    if poisoned {
        return Ok(found);
    }
    let policy = repository.policy();
    found.extend(
        policy
            .as_ref()
            .err()
            .map(|error| Finding::UnreadablePolicy(error.to_string())),
    );
    if !install::installed(repository)? {
        return Ok(found);
    }
    let state = install::state(repository)?;
    if !state.in_force && state.level != Level::Off {
        found.push(Finding::NotInForce(state.why_not()));
    }
    if let Ok(policy) = policy {
        let unknown = install::unknown_rules(repository, &policy)?;
        if !unknown.is_empty() {
            found.push(Finding::UnknownRules(unknown.join(", ")));
        }
    }
    Ok(found)
}

fn mend(repository: &mut Repository, finding: &Finding, ui: &Ui) -> Result<Option<String>> {
    match finding {
        // What was healed when this command began is not among the findings.
        Finding::Interrupted(_) => super::heal(ui)(repository)?,
        Finding::UnknownRules(_) => install::follow_policy(repository, &repository.policy()?)?,
        Finding::NotInForce(_) => {
            let state = install::install(
                repository,
                &repository.policy()?,
                Wanted {
                    level: None,
                    files: false,
                },
            )?;
            if !state.in_force {
                return Err(state
                    .remedies()
                    .into_iter()
                    .fold(Error::refused(state.why_not()), Error::hint));
            }
        }
        other => return fix(repository, other),
    }
    Ok(None)
}

impl Report for Checkup {
    fn text(&self, page: &mut Page) {
        if self.findings.is_empty() {
            page.line(Cell::new("everything is as it should be", Style::Good));
        }
        for told in &self.findings {
            let (word, style) = match (told.fixed, told.fixable) {
                (true, _) => ("fixed: ", Style::Good),
                (false, true) => ("fixable: ", Style::Attention),
                (false, false) => ("", Style::Bad),
            };
            page.line(Cell::new(format!("{word}{}", told.message), style));
            if !told.hints.is_empty() {
                page.line(format!("  {}", told.hints.join("; ")));
            }
        }
    }
}
