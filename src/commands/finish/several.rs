//! Several lanes in one `git lane finish`: none stops the others, and each has its own verdict.

use super::chosen::Chosen;
use super::finish_report::Finished;
use super::task::{Course, Task};
use super::{Args, completed, ensure_resolvable, land};
use crate::commands::verdicts::Verdicts;
use crate::commands::{find_lane, open};
use crate::domain::lane::Lane;
use crate::error::{Error, Result};
use crate::operations::land::changed_paths;
use crate::repository::Repository;
use crate::repository::recovered::Healed;
use crate::ui::Ui;

/// Finishes the lanes in an order in which few of them conflict, each after those that its base is
/// the branch of.
pub(super) fn run(args: &Args, ui: &Ui) -> Result<()> {
    if args.edit {
        return Err(Error::usage("--edit takes one lane at a time")
            .hint("give one message for all of them with -m"));
    }
    let (mut repository, healed) = open(ui, args.dry_run)?;
    let policy = repository.policy()?;
    ensure_resolvable(args, &policy)?;
    let course = Course {
        args,
        ui,
        policy: &policy,
    };
    let mut verdicts = Verdicts::default();
    let names = if args.all {
        let chosen = Chosen::look(&repository, args.any_status, args.dry_run)?;
        chosen.tell(ui);
        let beside = &mut verdicts.beside;
        beside.insert("leftOut".into(), chosen.document());
        chosen.names
    } else {
        args.names.clone()
    };
    let mut left: Vec<String> = Vec::new();
    for name in names {
        if !left.contains(&name) {
            left.push(name);
        }
    }
    while !left.is_empty() {
        let wave = next_wave(&repository, &mut left)?;
        finish_all(&mut repository, course, &healed, wave, &mut verdicts);
    }
    verdicts.end(ui, "finished")
}

/// The lanes whose base is the branch of none that is still to finish; all, where there is no such
/// lane.
fn next_wave(repository: &Repository, left: &mut Vec<String>) -> Result<Vec<String>> {
    let records = repository.records()?;
    let rule = repository.name_rule();
    let find = |name: &String| records.meant(rule, name);
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
            Err(error) => {
                drop(verdicts.add::<Finished>(course.ui, &name, Err(error)));
            }
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
