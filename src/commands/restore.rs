//! `git lane restore`: brings removed lanes back.

use std::path::PathBuf;

use bstr::ByteSlice;

use crate::domain::lane::Lane;
use crate::domain::lane::Worktree;
use crate::domain::name::{BranchName, LaneName};
use crate::domain::shell_word::{quote, quote_bytes};
use crate::domain::trash_entry::{Entry, Setting};
use crate::error::{Error, Result};
use crate::operations::restore::restore;
use crate::repository::Repository;
use crate::repository::provenance::branch_settings;
use crate::repository::provenance::worktree_settings::{self, Doubted};
use crate::repository::recovered::Act;
use crate::store::activity::Activity;
use crate::ui::{Page, Report, Ui};

/// Bring back what finish, drop or prune took
///
/// Branch, worktree, index, staged, changed, untracked and ignored files, an operation in progress,
/// reflogs and the lane's record come back exactly as they were, at the same path, or beside the
/// repository as before when that has moved together with its lanes. The path must be free, and the
/// branch must not exist or be where it was.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The lanes, newest of each name first; or ids from `git lane trash`
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,

    /// Bring its worktree back to this place instead of where it was; for a single lane
    #[arg(long, value_name = "PATH", value_hint = clap::ValueHint::DirPath)]
    path: Option<PathBuf>,
}

#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Restored {
    lane: LaneName,
    branch: Option<BranchName>,
    tip: Option<String>,
    #[serde(with = "crate::domain::lane::lossless_path")]
    path: PathBuf,
    trash: String,
    has_worktree: bool,
    #[serde(skip)]
    was_at: Option<PathBuf>,
}

#[derive(Debug, serde::Serialize)]
struct Restores {
    restored: Vec<Restored>,
}

impl Report for Restores {
    fn text(&self, page: &mut Page) {
        for restored in &self.restored {
            let place = if restored.has_worktree {
                format!(" in '{}'", restored.path.display())
            } else {
                "; its directory was gone before; if it was moved: git worktree repair DIRECTORY"
                    .into()
            };
            page.line(format!("restored lane '{}'{place}", restored.lane));
            if let Some(was_at) = restored.was_at.as_ref().filter(|_| restored.has_worktree) {
                page.line(format!(
                    "  the repository has moved since: it was in '{}'",
                    was_at.display()
                ));
            }
        }
    }
}

/// Brings the lanes back.
pub fn run(args: Args, ui: &Ui) -> Result<()> {
    if args.path.is_some() && args.names.len() > 1 {
        return Err(Error::usage("--path is for a single lane"));
    }
    let place = args.path.as_deref().map(std::path::absolute).transpose();
    let place = place.map_err(|error| Error::usage("--path is no path").caused_by(error))?;
    let (mut repository, healed) = super::open_and_heal(ui)?;
    let mut report = Restores {
        restored: Vec::new(),
    };
    let heal = super::heal(ui);
    for (at, wanted) in args.names.iter().enumerate() {
        let _doing = Activity::with_lane(at, args.names.len());
        let records = repository.records().unwrap_or_default();
        let lane = records.meant(repository.name_rule(), wanted).cloned();
        let back = |lane: &Lane| {
            healed
                .iter()
                .any(|healed| healed.has_done(Act::Restore, &lane.id))
        };
        // Killed before, completed just now: that is what was asked for.
        if let Some(lane) = lane.filter(back) {
            let tip = repository.tip_of(&lane)?;
            report.restored.push(Restored {
                branch: lane.branch.clone(),
                tip: tip.map(|tip| tip.to_string()),
                trash: String::new(),
                has_worktree: lane.worktree.is_dir(),
                was_at: None,
                path: lane.worktree,
                lane: lane.name,
            });
            continue;
        }
        match restore(&mut repository, wanted, place.as_deref(), &heal) {
            Ok(entry) => {
                doubt(&repository, &entry, ui);
                report.restored.push(describe(entry));
            }
            Err(error) if !report.restored.is_empty() => return Err(ui.failed(&report, error)),
            Err(error) => return Err(error),
        }
    }
    ui.report(&report);
    Ok(())
}

/// Says which of git's settings of the worktree and the branch are the user's to put back.
fn doubt(repository: &Repository, entry: &Entry, ui: &Ui) {
    let worktrees = repository.worktrees().unwrap_or_default();
    let is_back = |found: &&Worktree| {
        entry
            .worktree
            .as_ref()
            .is_some_and(|kept| kept.path == found.path)
    };
    let back = worktrees.iter().find(is_back);
    for Doubted { file, key, value } in back
        .iter()
        .flat_map(|back| worktree_settings::doubted(&back.git_dir))
    {
        let aside = worktree_settings::aside(&file);
        let Some(key) = key else {
            ui.warn(format_args!(
                "'{}' is not put back, because git cannot read it",
                aside.display()
            ));
            continue;
        };
        let (key, file) = (key.to_str_lossy(), quote(file.display()));
        ui.warn(format_args!(
            "'{key}' was '{value}' in this worktree; that is not put back, because nothing \
             outside of the trash bears it out"
        ));
        let value = quote_bytes(&value);
        ui.note(format_args!(
            "hint: if you know it to be yours: git config --file {file} --add {} {value}",
            quote(&key)
        ));
    }
    let Some(branch) = entry.branch.as_ref().filter(|branch| branch.deleted) else {
        return;
    };
    for Setting { key, value } in branch_settings::believed(repository, &branch.settings).1 {
        let key = format!("branch.{}.{key}", branch.name);
        ui.warn(format_args!(
            "'{key}' was '{value}'; that is not put back, because nothing outside of the trash \
             bears it out"
        ));
        ui.note(format_args!(
            "hint: if you know it to be yours: git config {} {}",
            quote(&key),
            quote_bytes(value)
        ));
    }
}

fn describe(entry: Entry) -> Restored {
    let has_worktree = entry
        .worktree
        .as_ref()
        .is_some_and(|worktree| worktree.directory.is_some());
    Restored {
        was_at: entry
            .worktree
            .as_ref()
            .and_then(|worktree| worktree.was_at.clone()),
        path: entry
            .worktree
            .map_or(entry.lane.worktree, |worktree| worktree.path),
        lane: entry.lane.name,
        branch: entry.branch.as_ref().map(|branch| branch.name.clone()),
        tip: entry.branch.as_ref().map(|branch| branch.tip.to_string()),
        trash: entry.id,
        has_worktree,
    }
}
