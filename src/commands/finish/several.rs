//! Several lanes in one `git lane finish`: none stops the others, and each has its own verdict.

use super::finish_report::Finished;
use super::task::{Course, Task};
use super::{Args, completed, land};
use crate::commands::{find_lane, open};
use crate::domain::lane::Lane;
use crate::error::{Error, Kind, Result};
use crate::operations::land::changed_paths;
use crate::repository::Repository;
use crate::repository::recovered::Healed;
use crate::ui::{Page, Report, Ui};

/// Kinds of failure, the worst first.
const WORST: [Kind; 7] = [
    Kind::Interrupted,
    Kind::Git,
    Kind::Environment,
    Kind::Gate,
    Kind::Conflict,
    Kind::Refused,
    Kind::Usage,
];

/// Finishes the lanes in an order in which few of them conflict, each after those that its base is
/// the branch of.
pub(super) fn run(args: &Args, ui: &Ui) -> Result<()> {
    if args.edit {
        return Err(Error::usage("--edit takes one lane at a time")
            .hint("give one message for all of them with -m"));
    }
    let (mut repository, healed) = open(ui, args.dry_run)?;
    let policy = repository.policy()?;
    let course = Course {
        args,
        ui,
        policy: &policy,
    };
    let mut left: Vec<String> = Vec::new();
    for name in &args.names {
        if !left.contains(name) {
            left.push(name.clone());
        }
    }
    let mut verdicts = Verdicts::default();
    while !left.is_empty() {
        let wave = next_wave(&repository, &mut left)?;
        finish_all(&mut repository, course, &healed, wave, &mut verdicts);
    }
    verdicts.end(ui)
}

/// The lanes whose base is the branch of none that is still to finish; all, where there is no such
/// lane.
fn next_wave(repository: &Repository, left: &mut Vec<String>) -> Result<Vec<String>> {
    let records = repository.records()?;
    let find = |name: &String| {
        let mut lanes = records.lanes.iter();
        lanes.find(|lane| lane.name.as_str() == name)
    };
    let lanes: Vec<&Lane> = left.iter().filter_map(find).collect();
    let is_above = |lane: &Lane| {
        let base = lane.base_branch();
        let mut others = lanes.iter().filter(|other| other.name != lane.name);
        base.is_some() && others.any(|other| other.branch == base)
    };
    let (above, wave): (Vec<String>, Vec<String>) = left
        .iter()
        .cloned()
        .partition(|name| find(name).is_some_and(is_above));
    if wave.is_empty() {
        return Ok(std::mem::take(left));
    }
    *left = above;
    Ok(wave)
}

fn finish_all(
    repository: &mut Repository,
    course: Course<'_>,
    healed: &[Healed],
    names: Vec<String>,
    verdicts: &mut Verdicts,
) {
    let mut tasks = Vec::new();
    for name in names {
        let prepared = match find_lane(repository, Some(&name)) {
            Ok(lane) => Task::prepare(repository, course, lane),
            Err(error) => match completed(repository, healed, Some(&name)) {
                Ok(Some(done)) => {
                    drop(verdicts.add(course.ui, &name, Ok(done)));
                    continue;
                }
                _ => Err(error),
            },
        };
        match prepared {
            Ok(task) => tasks.push(task),
            Err(error) => drop(verdicts.add(course.ui, &name, Err(error))),
        }
    }
    let facts: Vec<_> = tasks.iter().map(|task| &task.facts).collect();
    let order = changed_paths::order(repository, &facts);
    let mut numbered: Vec<(usize, Task)> = order.into_iter().zip(tasks).collect();
    numbered.sort_by_key(|(number, _)| *number);
    let mut tasks: Vec<Task> = numbered.into_iter().map(|(_, task)| task).collect();
    let landed = land(repository, course, &mut tasks);
    for (task, outcome) in tasks.iter().zip(landed) {
        let done = match outcome {
            Ok(outcome) => task.leave(repository, course, outcome),
            Err(error) => Err(task.failed(repository, course, error)),
        };
        if let Some(report) = verdicts.add(course.ui, task.lane.name.as_str(), done) {
            task.tell_of_lost_base(course, &report);
        }
    }
}

/// What became of each lane.
#[derive(Default)]
struct Verdicts {
    documents: Vec<serde_json::Value>,
    failures: Vec<Error>,
}

impl Verdicts {
    /// A person hears of each lane at once, a program of all of them at the end.
    fn add(&mut self, ui: &Ui, name: &str, done: Result<Finished>) -> Option<Finished> {
        let verdict = match &done {
            Ok(finished) => finished.verdict(),
            Err(error) => error.code().as_str(),
        };
        let mut document = match &done {
            Ok(finished) => serde_json::to_value(finished).unwrap_or_default(),
            Err(error) => error.to_json(),
        };
        if let Some(fields) = document.as_object_mut() {
            fields.remove("version");
            fields.insert("lane".into(), name.into());
            fields.insert("verdict".into(), verdict.into());
        }
        self.documents.push(document);
        match done {
            Ok(finished) => {
                if !ui.json {
                    ui.report(&finished);
                }
                Some(finished)
            }
            Err(error) => {
                if !ui.json {
                    ui.error(&error);
                }
                self.failures.push(error);
                None
            }
        }
    }

    /// Says it, and with which exit code: that of the worst.
    fn end(self, ui: &Ui) -> Result<()> {
        let worst = self.failures.iter().min_by_key(|error| {
            let place = WORST.iter().position(|kind| *kind == error.kind());
            place.unwrap_or(WORST.len())
        });
        let Some(worst) = worst else {
            if ui.json {
                ui.report(&self);
            }
            return Ok(());
        };
        let (failed, all) = (self.failures.len(), self.documents.len());
        let sentence = format!("{failed} of {all} lanes have not finished");
        let error = Error::new(worst.kind(), sentence).with_code(worst.code());
        Err(match ui.json {
            true => ui.failed(&self, error),
            false => error,
        })
    }
}

impl serde::Serialize for Verdicts {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serde_json::json!({ "lanes": self.documents }).serialize(serializer)
    }
}

impl Report for Verdicts {
    /// Each lane has been told by itself.
    fn text(&self, _: &mut Page) {}
}
