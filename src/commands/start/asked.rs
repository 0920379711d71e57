//! The lanes that are asked for: the names on the command line, or the entries of a task file, with the
//! options for what an entry does not say.

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::commands::start::Args;
use crate::domain::lane::LosslessPath;
use crate::domain::name::LaneName;
use crate::domain::name_rule::NameRule;
use crate::domain::parameter::{Parameter, ensure_apart, without_twins};
use crate::domain::task_file::{self, KEYS, Problem, Task};
use crate::error::{Code, Error, IoContext, Result};

/// A task file larger than this is none.
const LARGEST: u64 = 16 << 20;

/// One lane that is asked for.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// Where in a task file: `tasks.jsonl:3`.
    pub(super) place: Option<String>,
    line: Option<usize>,
    pub(super) name: LaneName,
    pub(super) branch: Option<String>,
    pub(super) base: Option<String>,
    pub(super) path: Option<PathBuf>,
    pub(super) task: Option<String>,
    pub(super) owner: Option<String>,
    pub(super) detach: bool,
    pub(super) read_only: bool,
    pub(super) sparse: Vec<String>,
    pub(super) parameters: Vec<Parameter>,
    pub(super) claim: bool,
    pub(super) unique: bool,
}

impl Asked {
    fn by_name(name: LaneName, args: &Args) -> Self {
        Asked {
            place: None,
            line: None,
            name,
            branch: args.branch.clone(),
            base: args.base.clone(),
            path: args.path.clone(),
            task: args.task.clone(),
            owner: args.owner.clone(),
            detach: args.detach,
            read_only: args.read_only,
            sparse: args.sparse.clone(),
            parameters: without_twins(args.parameters.clone()),
            claim: args.claim,
            unique: args.unique,
        }
    }

    fn by_task(task: Task, file: TaskFile<'_>, args: &Args) -> Self {
        let parameters = args.parameters.iter().cloned().chain(task.parameters);
        let common = Asked::by_name(task.name, args);
        let of_its_own = task.branch.is_some();
        Asked {
            place: Some(format!("{file}:{}", task.line)),
            line: Some(task.line),
            branch: task.branch,
            path: task.path,
            base: task.base.or(common.base),
            task: task.task.or(common.task),
            owner: task.owner.or(common.owner),
            // Who names a branch wants to work on it.
            detach: task.detach.unwrap_or(common.detach && !of_its_own),
            read_only: task.read_only.unwrap_or(common.read_only && !of_its_own),
            sparse: match task.sparse.is_empty() {
                true => common.sparse,
                false => task.sparse,
            },
            parameters: without_twins(parameters.collect()),
            claim: task.claim.unwrap_or(common.claim),
            ..common
        }
    }

    /// `error`, with the place in the task file that it is about.
    pub(super) fn located(&self, error: Error) -> Error {
        match &self.place {
            Some(place) => error.asked_at(place),
            None => error,
        }
    }
}

/// Where tasks come from.
#[derive(Clone, Copy)]
struct TaskFile<'a>(&'a Path);

impl TaskFile<'_> {
    fn is_standard_input(self) -> bool {
        self.0 == Path::new("-")
    }

    /// The details of an error: standard input has no path.
    fn details(self, line: Option<usize>) -> serde_json::Value {
        let path = (!self.is_standard_input()).then(|| LosslessPath(self.0.to_owned()));
        serde_json::json!({ "file": path, "line": line })
    }
}

impl std::fmt::Display for TaskFile<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.is_standard_input() {
            true => f.write_str("standard input"),
            false => self.0.display().fmt(f),
        }
    }
}

/// All of them; each lane once.
pub(super) fn read(args: &Args) -> Result<Vec<Asked>> {
    ensure_options_fit(args)?;
    let Some(file) = &args.from else {
        let mut all: Vec<Asked> = Vec::new();
        for name in &args.names {
            let name = crate::commands::lane_name(name)?;
            if all.iter().all(|asked| asked.name != name) {
                all.push(Asked::by_name(name, args));
            }
        }
        return ensure_parameters_fit(&all).map(|()| all);
    };
    let file = TaskFile(file);
    let bytes = content(file)?;
    let tasks = task_file::parse(&bytes).map_err(|problem| wrong(file, &problem))?;
    let tasks = tasks.into_iter();
    let all: Vec<Asked> = tasks.map(|task| Asked::by_task(task, file, args)).collect();
    ensure_tasks_differ(&all, file)?;
    ensure_parameters_fit(&all)?;
    Ok(all)
}

/// The same by the names that lanes get here.
pub(super) fn taken(asked: Vec<Asked>, rule: NameRule) -> Vec<Asked> {
    let taken = |asked: Asked| Asked {
        name: rule.taken_name(asked.name),
        ..asked
    };
    asked.into_iter().map(taken).collect()
}

fn ensure_parameters_fit(all: &[Asked]) -> Result<()> {
    all.iter().try_for_each(|asked| {
        let fits = ensure_apart(&asked.parameters);
        fits.map_err(|problem| asked.located(Error::usage(problem)))
    })
}

fn ensure_options_fit(args: &Args) -> Result<()> {
    if args.names.len() > 1 && (args.branch.is_some() || args.path.is_some()) {
        return Err(Error::usage("--branch and --path go with one NAME"));
    }
    if args.names.len() > 1 && args.moving {
        return Err(Error::usage("--move goes with one NAME"));
    }
    if args.from.is_none() && args.unique && (args.task.is_none() || args.names.len() > 1) {
        return Err(Error::usage("--unique goes with one NAME and its --task"));
    }
    let has_end = args.time.is_some() || args.pid.is_some();
    if args.from.is_none() && has_end && !args.claim {
        return Err(Error::usage(
            "--for and --pid say when the claim of --claim ends",
        ));
    }
    Ok(())
}

fn content(file: TaskFile<'_>) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = match file.is_standard_input() {
        true => std::io::stdin()
            .lock()
            .take(LARGEST + 1)
            .read_to_end(&mut bytes),
        false => std::fs::File::open(file.0)
            .and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes)),
    };
    read.context("read", Path::new(&file.to_string()))?;
    match bytes.len() as u64 > LARGEST {
        false => Ok(bytes),
        true => Err(wrong(
            file,
            &Problem {
                line: None,
                text: "it is larger than 16 MiB".into(),
            },
        )),
    }
}

fn wrong(file: TaskFile<'_>, problem: &Problem) -> Error {
    let place = match problem.line {
        Some(line) => format!("{file}:{line}"),
        None => file.to_string(),
    };
    Error::refused(format!("{place}: {problem}"))
        .with_code(Code::BadTaskFile)
        .hint(format!(
            "a lane is a line like {{\"name\": \"login\"}}, or a table [[lane]]; its keys are {}",
            KEYS.join(", ")
        ))
        .details(file.details(problem.line))
}

/// With `--unique` no two of the file may have one task.
fn ensure_tasks_differ(all: &[Asked], file: TaskFile<'_>) -> Result<()> {
    let mut first: HashMap<&str, &Asked> = HashMap::new();
    for asked in all.iter().filter(|asked| asked.unique) {
        let Some(task) = &asked.task else { continue };
        if let Some(other) = first.insert(task, asked) {
            let [one, two] = [other, asked].map(|asked| asked.place.clone().unwrap_or_default());
            let text = format!(
                "task '{task}' is given to lane '{}' ({one}) and to lane '{}' ({two})",
                other.name, asked.name
            );
            return Err(Error::refused(text)
                .with_code(Code::BadTaskFile)
                .hint("--unique has each task be one lane's alone")
                .details(file.details(asked.line)));
        }
    }
    Ok(())
}
