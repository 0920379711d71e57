//! `git lane rename`: gives a lane another name, and with it its branch and its directory.

use std::path::PathBuf;

use super::relocation_report;
use crate::domain::event::What;
use crate::domain::name::BranchName;
use crate::error::{Code, Error, IoContext, Result};
use crate::operations::relocate::Wish;
use crate::ui::Ui;

/// Give a lane another name, and with it its branch and its directory
///
/// The branch gets the name that start would give it, with its reflog and its settings, where it
/// follows from the old name; the directory goes to where start would put it, where it was put
/// there. Work in progress stays as it is, and so does what others know of the lane: its id, claim,
/// base and marks. Lanes that are based on the branch follow. A branch that was pushed keeps its name
/// there, and the command that changes that is printed.
///
/// Of a lane that was adopted only the record is renamed, unless --branch or --path say otherwise.
/// git lane undo takes it back.
#[derive(Debug, clap::Args)]
#[command(override_usage = "git lane rename [OPTIONS] [NAME] NEW")]
pub struct Args {
    /// The lane, and its new name; inside a lane the first can be left out
    #[arg(value_names = ["NAME", "NEW"], required = true, num_args = 1..=2)]
    words: Vec<String>,

    /// Call its branch so [default: what follows from the new name]
    #[arg(short, long, value_name = "BRANCH")]
    branch: Option<String>,

    /// Move its directory there; where it is, to leave it there [default: what follows from the new name]
    #[arg(long, value_name = "PATH", value_hint = clap::ValueHint::DirPath)]
    path: Option<PathBuf>,

    /// Say what would be done and change nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// Renames it.
pub fn run(args: Args, ui: &Ui) -> Result<()> {
    let (old, new) = match args.words.as_slice() {
        [old, new] => (Some(old.as_str()), new),
        [new] => (None, new),
        _ => return Err(Error::usage("rename takes a lane and its new name")),
    };
    let name = super::lane_name(new)?;
    let branch = args.branch.as_deref().map(branch_name).transpose()?;
    if args
        .path
        .as_ref()
        .is_some_and(|path| path.as_os_str().is_empty())
    {
        return Err(Error::usage("the place is empty"));
    }
    let path = args.path.as_deref().map(std::path::absolute).transpose();
    let path = path.context("find", args.path.as_deref().unwrap_or(new.as_ref()))?;
    let (repository, _) = super::open(ui, args.dry_run)?;
    let name = repository.name_rule().taken_name(name);
    let policy = repository.policy()?;
    let lane = super::find_lane(&repository, old)?;
    let wish = Wish {
        what: What::Rename,
        name: &name,
        branch: branch.as_ref(),
        path: path.as_deref(),
        policy: Some(&policy),
    };
    relocation_report::run(&repository, &lane, &wish, args.dry_run, ui)
}

/// The branch's name that the user typed.
fn branch_name(text: &str) -> Result<BranchName> {
    BranchName::parse(text.into()).map_err(|problem| {
        Error::refused(format!(
            "'{text}' cannot be a branch's name: it {}",
            problem.because()
        ))
        .with_code(Code::BadName)
        .hint("choose another with --branch")
    })
}
