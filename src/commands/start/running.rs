//! What runs in new lanes by `--exec`, and what becomes of a lane in which nothing was done.

use serde_json::Value;

use crate::commands::heal;
use crate::commands::lane_commands::{Ending, run_in_lanes};
use crate::commands::start::Args;
use crate::commands::start::planning::Planned;
use crate::commands::start::start_report::Told;
use crate::commands::verdicts::document;
use crate::domain::lane::Lane;
use crate::domain::start::Plan;
use crate::error::{Error, Result};
use crate::operations::claim::confirm;
use crate::operations::ephemeral::{Beginning, retire_unused};
use crate::repository::Repository;
use crate::store::command_run::Program;
use crate::ui::Ui;

/// Runs a command line in each lane that is new; what has failed.
pub(super) fn run_in_new(
    repository: &mut Repository,
    (line, args): (&str, &Args),
    (planned, told): (&[Planned], &mut [Told]),
    ui: &Ui,
) -> Result<Vec<Error>> {
    let records = repository.records()?;
    for told in told
        .iter()
        .filter(|told| told.is_there() && !told.is_created())
    {
        ui.note(format_args!(
            "the command does not run in lane '{}', which is there already",
            told.name()
        ));
    }
    let is_new = |told: &Told| told.is_created();
    let all = planned.iter().zip(told).filter(|(_, told)| is_new(told));
    let new = all.filter_map(|(planned, told)| {
        let lane = records.find(&planned.asked.name)?.clone();
        Some((lane, (planned, told)))
    });
    let (lanes, places): (Vec<Lane>, Vec<_>) = new.unzip();
    let mut runs = run_in_lanes(repository, &lanes, (Program::Line(line), &args.options), ui)?;
    let endings = std::mem::take(&mut runs.endings);
    runs.tell(ui);
    let mut failures = Vec::new();
    for ((lane, ending), (planned, told)) in lanes.iter().zip(endings).zip(places) {
        told.note_run(described(&ending));
        failures.extend(ending.err());
        if args.ephemeral
            && let Some(beginning) = beginning(planned)
        {
            match retire_unused(repository, lane, beginning, &heal(ui)) {
                Ok(None) => {}
                Ok(Some(retired)) => {
                    ui.note(format_args!(
                        "lane '{}' is in the trash: nothing was done in it",
                        lane.name
                    ));
                    told.note_retired(retired.trash_id);
                }
                Err(error) => {
                    ui.warn_of(&error, &error);
                }
            }
        }
    }
    Ok(failures)
}

fn beginning(planned: &Planned) -> Option<Beginning> {
    match &planned.plan {
        Plan::Create(creation) => Some(Beginning {
            commit: creation.commit,
            new_branch: creation.new_branch,
        }),
        Plan::Exists(_) => None,
    }
}

/// How a command ended, for programs.
fn described(ending: &Result<Ending>) -> Value {
    let mut document = document(ending);
    // The error is that of the lane too.
    if let Some(fields) = document.as_object_mut() {
        fields.remove("error");
    }
    document
}

/// Confirms the claims whose tokens the caller has by now. One that the lane has no more needs nothing.
pub(super) fn confirm_claims(
    repository: &Repository,
    (planned, told): (&[Planned], &[Told]),
    ui: &Ui,
) -> Result<()> {
    // A claim whose token did not reach the caller ends with this process.
    if !ui.is_heard() {
        return Ok(());
    }
    let mut done = Ok(());
    for (planned, told) in planned.iter().zip(told) {
        if let (Some(wish), Some(token)) = (&planned.wish, told.new_token()) {
            let confirmed = confirm(repository, &planned.asked.name, token, &wish.end);
            done = done.and(confirmed.map(drop));
        }
    }
    done
}
