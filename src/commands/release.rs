//! `git lane release`: gives a claim up, or hands a lane over.

use clap::builder::NonEmptyStringValueParser;

use crate::domain::name::LaneName;
use crate::error::Result;
use crate::operations::claim::{Released, Successor, release};
use crate::ui::{Page, Report, Ui};

/// Give the claim on a lane up, or hand the lane over
///
/// A lane without a claim is no error. With --to the lane is kept for that owner, who takes it up
/// with git lane claim.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The lane; inside a lane, that one when none is named
    name: Option<String>,

    /// Hand the lane over to this owner
    #[arg(long, value_name = "WHO", value_parser = NonEmptyStringValueParser::new())]
    to: Option<String>,

    /// What the next owner is to know
    #[arg(short, long, value_name = "TEXT", requires = "to")]
    message: Option<String>,
}

/// A claim that was given up.
#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct ReleaseReport {
    lane: LaneName,
    /// Whether there was a claim to give up.
    released: bool,
    handed_to: Option<String>,
}

/// Runs it.
pub fn run(args: Args, ui: &Ui) -> Result<()> {
    let repository = super::open_for_change(ui)?;
    let lane = super::find_lane(&repository, args.name.as_deref())?;
    let successor = args.to.map(|owner| Successor {
        owner,
        message: args.message.filter(|message| !message.is_empty()),
    });
    let Released { lane, was_claimed } = release(&repository, &lane.name, successor.as_ref())?;
    ui.report(&ReleaseReport {
        lane: lane.name,
        released: was_claimed,
        handed_to: successor.map(|successor| successor.owner),
    });
    Ok(())
}

impl Report for ReleaseReport {
    fn text(&self, page: &mut Page) {
        let lane = &self.lane;
        page.line(match (&self.handed_to, self.released) {
            (Some(to), _) => format!("handed lane '{lane}' over to '{to}'"),
            (None, true) => format!("released lane '{lane}'"),
            (None, false) => format!("no claim holds lane '{lane}'"),
        });
    }
}
