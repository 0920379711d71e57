//! `git lane mark`: records how far a lane is, by its owner's word.

use crate::domain::lane_status::{LaneStatus, Mark};
use crate::domain::name::LaneName;
use crate::error::{Error, Result};
use crate::operations::claim::mark;
use crate::store::clock;
use crate::ui::{Page, Report, Ui};

/// Say how far the task of a lane is: working, blocked, ready or done
///
/// It is the word of the lane's owner, or of who holds its claim. git lane list shows it, git lane
/// wait waits for it, and git lane finish --all lands the lanes that are ready.
#[derive(Debug, clap::Args)]
#[command(override_usage = "git lane mark [OPTIONS] [NAME] <working|blocked|ready|done>")]
pub struct Args {
    /// The lane, and how far it is; inside a lane the name can be left out
    #[arg(value_names = ["NAME", "STATUS"], required = true, num_args = 1..=2)]
    words: Vec<String>,

    /// What there is to say about it
    #[arg(short, long, value_name = "TEXT")]
    message: Option<String>,

    /// Who says so [default: GIT_LANE_OWNER, the policy's, or the login name]
    #[arg(long, value_name = "WHO")]
    owner: Option<String>,
}

/// A lane that was marked.
#[derive(Debug, serde::Serialize)]
struct MarkReport {
    lane: LaneName,
    status: LaneStatus,
    message: Option<String>,
}

/// Runs it.
pub fn run(args: Args, ui: &Ui) -> Result<()> {
    let (name, word) = match args.words.as_slice() {
        [name, word] => (Some(name.as_str()), word),
        [word] => (None, word),
        _ => return Err(Error::usage("mark takes a lane and a status")),
    };
    let status = LaneStatus::parse(word).ok_or_else(|| {
        let all = LaneStatus::ALL.map(LaneStatus::as_str).join(", ");
        Error::usage(format!("'{word}' is no status")).hint(format!("say one of: {all}"))
    })?;
    let opened = super::open_and_look(ui)?;
    let (repository, policy) = (opened.repository, opened.policy?);
    let lane = super::find_lane(&repository, name)?;
    let said = Mark {
        status,
        since: clock::now(),
        message: args.message.filter(|message| !message.is_empty()),
    };
    let asker = super::asker(&policy, args.owner.as_deref());
    let lane = mark(&repository, &lane.name, &asker, &said)?;
    ui.report(&MarkReport {
        lane: lane.name,
        status,
        message: said.message,
    });
    Ok(())
}

impl Report for MarkReport {
    fn text(&self, page: &mut Page) {
        page.line(format!("lane '{}' is {}", self.lane, self.status));
    }
}
