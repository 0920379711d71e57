//! `git lane adopt`: makes lanes of worktrees that other programs made. Called by `cli` alone.

use bstr::BStr;

use super::first_lane;
use super::verdicts::{Verdict, Verdicts};
use crate::domain::lane::{ObjectId, RefName, Worktree, lossless};
use crate::domain::name::{BranchName, LaneName};
use crate::error::{Error, Result};
use crate::install;
use crate::operations::adopt::{Adopted, Wish, adopt, candidates, find, foresee};
use crate::repository::Repository;
use crate::repository::metadata::Records;
use crate::ui::{Page, Report, Ui};

/// Make lanes of worktrees that are there already, where they are
///
/// Whatever has made them (git worktree add, an agent, another tool): only a record is written, and
/// from then on every command and the rule work there as in any lane. git-lane never moves what it
/// has not made: drop, finish and prune forget such a lane, and its worktree and branch stay. The
/// lane is named after its branch, or after its directory where no branch is checked out, and lands
/// on --base, on the branch that its own follows, or on the base that start would take.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The worktrees, by a path to each or by the branch checked out there
    #[arg(value_name = "PATH|BRANCH", required_unless_present = "all")]
    worktrees: Vec<String>,

    /// Every worktree that is no lane's, but for those on the base or a protected branch
    #[arg(long, conflicts_with_all = ["worktrees", "name"])]
    all: bool,

    /// Call the lane so
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    /// Land on this branch [default: the one that its branch follows, else as for start]
    #[arg(short, long, value_name = "REF")]
    base: Option<String>,

    /// Who works in it [default: GIT_LANE_OWNER, the policy's, or the login name]
    #[arg(long, value_name = "WHO")]
    owner: Option<String>,

    /// What the lane is for: text, or an id from a tracker
    #[arg(short, long, value_name = "TEXT")]
    task: Option<String>,

    /// Say what would be done and change nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// A lane that was adopted, or would be.
#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct AdoptReport {
    dry_run: bool,
    lane: LaneName,
    branch: Option<BranchName>,
    #[serde(with = "crate::domain::lane::lossless_path")]
    path: std::path::PathBuf,
    base: Option<RefName>,
    #[serde(with = "crate::domain::lane::hex")]
    fork_point: ObjectId,
    #[serde(with = "crate::domain::lane::hex")]
    tip: ObjectId,
    owner: Option<String>,
    task: Option<String>,
}

impl AdoptReport {
    fn new(adopted: Adopted, dry_run: bool) -> Self {
        let Adopted { lane, tip } = adopted;
        AdoptReport {
            dry_run,
            lane: lane.name,
            branch: lane.branch,
            path: lane.worktree,
            base: lane.base,
            fork_point: lane.fork_point,
            tip,
            owner: lane.owner,
            task: lane.task,
        }
    }
}

impl Verdict for AdoptReport {
    fn verdict(&self) -> &'static str {
        "adopted"
    }
}

impl Report for AdoptReport {
    fn text(&self, page: &mut Page) {
        let verb = if self.dry_run {
            "would adopt"
        } else {
            "adopted"
        };
        let branch = match &self.branch {
            Some(branch) => format!("branch '{branch}'"),
            None => "detached".to_owned(),
        };
        let base = match &self.base {
            Some(base) => format!("base '{base}'"),
            None => "no base".to_owned(),
        };
        let path = self.path.display();
        page.line(format!(
            "{verb} lane '{}' in '{path}' ({branch}, {base})",
            self.lane
        ));
    }
}

/// Makes the lanes.
pub fn run(args: Args, ui: &Ui) -> Result<()> {
    if args.name.is_some() && args.worktrees.len() > 1 {
        return Err(Error::usage("--name goes with one worktree"));
    }
    let name = args.name.as_deref().map(super::lane_name).transpose()?;
    let (repository, _) = super::open(ui, args.dry_run)?;
    let name = name.map(|name| repository.name_rule().taken_name(name));
    let policy = repository.policy()?;
    let undecided = install::undecided(&repository)?;
    let worktrees = repository.worktrees()?;
    let records = super::records(&repository, &worktrees, args.dry_run)?;
    let owner = super::asker(&policy, args.owner.as_deref());
    let mut adoption = Adoption {
        repository: &repository,
        worktrees: &worktrees,
        records,
        wish: Wish {
            name: name.as_ref(),
            base: args.base.as_deref(),
            owner: &owner,
            task: args.task.as_deref(),
            policy: &policy,
        },
        dry_run: args.dry_run,
        made: 0,
    };
    let done = match &args.worktrees[..] {
        [one] => adoption.named(one).map(|report| ui.report(&report)),
        several => adoption.several(several, args.all, ui),
    };
    if undecided && adoption.made > 0 {
        first_lane::welcome(&repository, &policy, ui);
    }
    done
}

/// The lanes of one command on their way.
struct Adoption<'a> {
    repository: &'a Repository,
    worktrees: &'a [Worktree],
    /// With those that a dry run would have added.
    records: Records,
    wish: Wish<'a>,
    dry_run: bool,
    made: usize,
}

impl Adoption<'_> {
    fn several(&mut self, named: &[String], all: bool, ui: &Ui) -> Result<()> {
        let mut verdicts = Verdicts::default();
        for text in named {
            let done = self.named(text);
            verdicts.add_as(ui, ("worktree", text.as_str().into()), done);
        }
        let wanted = match all {
            true => candidates(self.repository, self.worktrees, &self.records, &self.wish),
            false => Vec::new(),
        };
        if all && wanted.is_empty() {
            ui.note("no worktree is left that could become a lane");
        }
        for worktree in wanted {
            use std::os::unix::ffi::OsStrExt;
            let path = lossless(BStr::new(worktree.path.as_os_str().as_bytes()));
            let done = self.one(worktree);
            verdicts.add_as(ui, ("worktree", path), done);
        }
        verdicts.end_as(ui, "worktrees have not become lanes")
    }

    fn named(&mut self, text: &str) -> Result<AdoptReport> {
        let worktree = find(self.repository, self.worktrees, text)?;
        self.one(worktree)
    }

    fn one(&mut self, worktree: &Worktree) -> Result<AdoptReport> {
        let (repository, wish) = (self.repository, &self.wish);
        let foreseen = foresee(repository, self.worktrees, &self.records, worktree, wish)?;
        let adopted = match self.dry_run {
            true => foreseen,
            false => adopt(repository, worktree, wish)?,
        };
        self.records.lanes.push(adopted.lane.clone());
        self.made += usize::from(!self.dry_run);
        Ok(AdoptReport::new(adopted, self.dry_run))
    }
}
