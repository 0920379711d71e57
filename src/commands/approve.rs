//! `git lane approve`: shows the commands of a gate that came with the repository, and remembers
//! that the user lets them run.

use super::gate_approval::{For, ask, shown};
use crate::domain::finish::Refusal;
use crate::domain::gate::{CommandList, Source};
use crate::domain::lane::{Lane, ObjectId};
use crate::error::Result;
use crate::operations::land::landing_facts;
use crate::repository::Repository;
use crate::repository::gate_rules;
use crate::repository::renames::successor;
use crate::repository::revision::{default_base, merge_base, named_base};
use crate::store::approvals::{Approval, Approvals, missing};
use crate::ui::{Cell, Page, Report, Style, Ui};

/// Approve the commands of a gate that came with the repository
///
/// Shows every list of commands that `finish NAME` would run, that is not in your own lane.toml, and
/// that you have not approved yet: in the lane.toml of the base's last commit, in that of the lane
/// where the lane changes it, and in that of this clone. For each it asks whether it may run; the
/// answer is no unless you say yes. An approval is about the exact text of one list, and holds in
/// every repository that has the same.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The lane; the one you are in when left out, and outside of lanes the usual base alone
    name: Option<String>,
    /// The branch it would land on, instead of the lane's base
    #[arg(long, value_name = "BRANCH")]
    into: Option<String>,
    /// List what is approved
    #[arg(long, conflicts_with_all = ["name", "into", "revoke"])]
    list: bool,
    /// Take back the approval whose digest begins like that
    #[arg(long, value_name = "DIGEST", conflicts_with_all = ["name", "into"])]
    revoke: Option<String>,
}

/// One list of commands, and whether it may run.
#[derive(Debug, serde::Serialize)]
struct Asked {
    digest: String,
    origin: Source,
    message: String,
    commands: Vec<String>,
    approved: bool,
}

#[derive(Debug, serde::Serialize)]
struct Lists {
    lists: Vec<Asked>,
}

impl Report for Lists {
    fn text(&self, page: &mut Page) {
        for list in self.lists.iter().filter(|list| list.approved) {
            page.line(format!("approved: the gate in {}", list.message));
        }
        if self.lists.is_empty() {
            page.line("there is nothing to approve");
        }
    }
}

#[derive(Debug, serde::Serialize)]
struct Known {
    approvals: Vec<Approval>,
}

impl Report for Known {
    fn text(&self, page: &mut Page) {
        for approval in &self.approvals {
            page.line(Cell::new(&approval.digest, Style::Strong));
            for line in approval.commands.iter().flat_map(|command| shown(command)) {
                page.line(line);
            }
        }
        if self.approvals.is_empty() {
            page.line("nothing is approved");
        }
    }
}

#[derive(Debug, serde::Serialize)]
struct Revoked {
    revoked: Approval,
}

impl Report for Revoked {
    fn text(&self, page: &mut Page) {
        page.line("no longer approved:");
        for line in self
            .revoked
            .commands
            .iter()
            .flat_map(|command| shown(command))
        {
            page.line(line);
        }
    }
}

/// A landing that may come: its base, and what the lane would bring.
struct Landing {
    lane: Option<Lane>,
    base: String,
    base_tip: ObjectId,
    tip: Option<ObjectId>,
}

/// Approves, lists or takes back.
pub fn run(args: Args, ui: &Ui) -> Result<()> {
    if args.list {
        let approvals = Approvals::open()?.all();
        ui.report(&Known { approvals });
        return Ok(());
    }
    if let Some(prefix) = &args.revoke {
        let revoked = Approvals::open()?.revoke(prefix)?;
        ui.report(&Revoked { revoked });
        return Ok(());
    }
    let repository = super::open_to_look()?;
    let landing = landing(&repository, &args)?;
    let (base, tip) = (landing.base_tip, landing.tip);
    let gate = gate_rules::gate(&repository, &repository.gix, base, tip, &[])?;
    let of = For {
        lane: landing.lane.as_ref().map(|lane| lane.name.as_str()),
        base: &landing.base,
        into: args.into.is_some(),
    };
    let lists = gate.to_approve();
    let asked = ask(ui, &missing(&gate)?, of);
    let report = report(&lists, of)?;
    match asked {
        Ok(()) => ui.report(&report),
        Err(error) => return Err(ui.failed(&report, error)),
    }
    Ok(())
}

/// Every list that has to be approved, as it stands now.
fn report(lists: &[CommandList], of: For<'_>) -> Result<Lists> {
    let describe = |list: &CommandList| {
        Ok(Asked {
            digest: list.digest(),
            origin: list.source,
            message: of.file(list.source),
            commands: list.lines.clone(),
            approved: Approvals::open()?.has(list),
        })
    };
    let lists: Result<Vec<Asked>> = lists.iter().map(describe).collect();
    lists.map(|lists| Lists { lists })
}

/// What the arguments mean.
fn landing(repository: &Repository, args: &Args) -> Result<Landing> {
    let lane = match args.name.as_deref() {
        Some(name) => Some(super::find_lane(repository, Some(name))?),
        None => super::lane_here(repository, &repository.records()?)?,
    };
    let into = args.into.as_deref();
    let Some(lane) = lane else {
        let base = match into {
            Some(into) => named_base(repository, into)?,
            None => default_base(repository)?,
        };
        let name = base.name.map(|name| name.shorten().to_string());
        return Ok(Landing {
            lane: None,
            base: name.unwrap_or_else(|| base.commit.to_string()),
            base_tip: base.commit,
            tip: None,
        });
    };
    let branch = landing_facts::target(repository, &lane, into)??;
    let branch = repository.branch_meant(&branch)?;
    let Some(base_tip) = repository.branch_tip(&branch)? else {
        return Err(Refusal::BaseMissing {
            renamed: successor(repository, &branch)?,
            lane: lane.name,
            base: branch,
        }
        .into());
    };
    Ok(Landing {
        tip: with_other_policy(repository, &lane, base_tip)?,
        base: branch.to_string(),
        base_tip,
        lane: Some(lane),
    })
}

/// The lane's commit, where it brings another lane.toml than the base had when they parted. One that
/// is as it was then lands as the base has it.
fn with_other_policy(
    repository: &Repository,
    lane: &Lane,
    base: ObjectId,
) -> Result<Option<ObjectId>> {
    let Some(tip) = repository.tip_of(lane)? else {
        return Ok(None);
    };
    let Some(common) = merge_base(repository, base, tip)? else {
        return Ok(Some(tip));
    };
    // A file that cannot be read is the gate's to tell.
    let changed = gate_rules::is_changed(&repository.gix, common, tip).unwrap_or(true);
    Ok(changed.then_some(tip))
}
