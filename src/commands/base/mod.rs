//! `git lane base`: what a lane is based on, or is from now on.

use crate::domain::lane::{Lane, ObjectId, RefName};
use crate::domain::name::LaneName;
use crate::domain::record_change::Said;
use crate::domain::shell_word::quote;
use crate::error::{Code, Result};
use crate::operations::base_change::{commits, foresee, put};
use crate::ui::{Page, Report, Ui};

/// Give a lane another base, or show the one it has
///
/// The base is where the lane lands and what sync brings in: a branch, also that of another lane. The fork
/// point follows from it: the newest commit of the lane that the base has, or has had by its reflog. The
/// commits since then count as the lane's. Neither the lane's branch nor its files change. git lane
/// undo takes it back.
#[derive(Debug, clap::Args)]
#[command(override_usage = "git lane base [OPTIONS] [NAME] [REF]")]
pub struct Args {
    /// The lane [default: the one whose worktree this is]
    name: Option<String>,

    /// Its base from now on: a branch [default: only show the one it has]
    #[arg(value_name = "REF")]
    base: Option<String>,

    /// Say what would be done and change nothing
    #[arg(short = 'n', long, requires = "base")]
    dry_run: bool,
}

/// A lane's base.
#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct BaseReport {
    dry_run: bool,
    lane: LaneName,
    base: Option<RefName>,
    #[serde(with = "crate::domain::lane::hex")]
    fork_point: ObjectId,
    /// How many commits count as the lane's.
    commits: usize,
    /// What it was before, where it was changed.
    was: Option<Said>,
}

/// Runs it.
pub fn run(args: Args, ui: &Ui) -> Result<()> {
    let Some(base) = &args.base else {
        return show(&args, ui);
    };
    let (repository, _) = super::open(ui, args.dry_run)?;
    let lane = super::find_lane(&repository, args.name.as_deref())?;
    let new = foresee(&repository, &lane, base)?;
    if !args.dry_run && new.before != new.after {
        put(&repository, &new)?;
    }
    ui.report(&BaseReport {
        was: Some(Said::of(&new.before)),
        ..BaseReport::of(&new.after, new.commits, args.dry_run)
    });
    Ok(())
}

fn show(args: &Args, ui: &Ui) -> Result<()> {
    let repository = super::open_to_look()?;
    let lane = match super::find_lane(&repository, args.name.as_deref()) {
        Ok(lane) => lane,
        Err(error) if error.code() == Code::NoSuchLane => {
            let here = super::lane_here(&repository, &repository.records()?)?;
            return Err(match (here, &args.name) {
                (Some(here), Some(named)) => error.hint(format!(
                    "if it is to be the base of this lane: git lane base {} {}",
                    quote(&here.name),
                    quote(named)
                )),
                _ => error,
            });
        }
        Err(error) => return Err(error),
    };
    let commits = commits(&repository, &lane)?;
    ui.report(&BaseReport::of(&lane, commits, false));
    Ok(())
}

impl BaseReport {
    fn of(lane: &Lane, commits: usize, dry_run: bool) -> Self {
        BaseReport {
            dry_run,
            lane: lane.name.clone(),
            base: lane.base.clone(),
            fork_point: lane.fork_point,
            commits,
            was: None,
        }
    }
}

impl Report for BaseReport {
    fn text(&self, page: &mut Page) {
        let is = match (&self.was, self.dry_run) {
            (None, _) => "is",
            (Some(was), _) if was.base == self.base && was.fork_point == self.fork_point => {
                "is already"
            }
            (Some(_), false) => "is now",
            (Some(_), true) => "would be",
        };
        let base = match &self.base {
            Some(base) => format!("'{base}'"),
            None => "no branch".into(),
        };
        page.line(format!("the base of lane '{}' {is} {base}", self.lane));
        let plural = if self.commits == 1 {
            "commit"
        } else {
            "commits"
        };
        page.line(format!(
            "  fork point {}, {} {plural} of its own",
            self.fork_point.to_hex_with_len(10),
            self.commits
        ));
    }
}
