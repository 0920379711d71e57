//! The task file of `git lane start --from`: a text in, the lanes that it asks for out, or the line that is
//! wrong and why.
//!
//! JSON Lines or TOML, told apart by the first character that is no blank. `syntax` reads both into the
//! same fields; what may stand in them is said here. Pure: who has the file reads it.
//!
//! Called by `commands/start`.

mod syntax;

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;

use super::name::LaneName;
use super::parameter::{Parameter, without_twins};
use syntax::{Entry, Field, Value};

/// What may be said of a lane.
pub const KEYS: [&str; 12] = [
    "name",
    "task",
    "owner",
    "base",
    "branch",
    "sparse",
    "claim",
    "set",
    "readOnly",
    "read-only",
    "detach",
    "path",
];

/// A lane that a task file asks for. What it does not say is left to the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// The line that it begins in, from 1.
    pub line: usize,
    /// The lane's name.
    pub name: LaneName,
    /// What it is for.
    pub task: Option<String>,
    /// Who works in it.
    pub owner: Option<String>,
    /// Where it starts.
    pub base: Option<String>,
    /// The branch to use.
    pub branch: Option<String>,
    /// Where its worktree goes, as it is written.
    pub path: Option<PathBuf>,
    /// The directories to check out; all where there are none.
    pub sparse: Vec<String>,
    /// The parameters it is started with, each key once.
    pub parameters: Vec<Parameter>,
    /// Whether it begins with a claim.
    pub claim: Option<bool>,
    /// Whether it is for looking and running alone.
    pub read_only: Option<bool>,
    /// Whether it has no branch.
    pub detach: Option<bool>,
}

/// What is wrong with a task file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The line, from 1; `None` where it is about the file as a whole.
    pub line: Option<usize>,
    /// What is wrong there.
    pub text: String,
}

impl Problem {
    fn at(line: usize, text: impl Into<String>) -> Self {
        Problem {
            line: Some(line),
            text: text.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The lanes that a task file asks for, in its order; at least one.
pub fn parse(bytes: &[u8]) -> Result<Vec<Task>, Problem> {
    let tasks: Vec<Task> = syntax::entries(bytes)?
        .into_iter()
        .map(task)
        .collect::<Result<_, _>>()?;
    if tasks.is_empty() {
        return Err(Problem {
            line: None,
            text: "it names no lane".into(),
        });
    }
    let mut lines: HashMap<&LaneName, usize> = HashMap::new();
    for task in &tasks {
        if let Some(first) = lines.insert(&task.name, task.line) {
            let text = format!("lane '{}' is in line {first} already", task.name);
            return Err(Problem::at(task.line, text));
        }
    }
    Ok(tasks)
}

fn task(entry: Entry) -> Result<Task, Problem> {
    let mut fields = Fields::of(entry)?;
    let name = fields.take("name");
    let line = fields.line;
    let name = name.ok_or_else(|| Problem::at(line, "'name' is missing"))?;
    let name = text(&name).and_then(|text| {
        LaneName::parse(&text).map_err(|problem| {
            let because = problem.because();
            let text = format!("'{text}' cannot be a lane's name: it {because}");
            Problem::at(name.line, text)
        })
    })?;
    let task = Task {
        line,
        name,
        task: fields.read("task", text)?,
        owner: fields.read("owner", text)?,
        base: fields.read("base", text)?,
        branch: fields.read("branch", text)?,
        path: fields.read("path", text)?.map(PathBuf::from),
        sparse: fields.read("sparse", texts)?.unwrap_or_default(),
        parameters: fields.read("set", parameters)?.unwrap_or_default(),
        claim: fields.read("claim", flag)?,
        read_only: fields.read("readOnly", flag)?,
        detach: fields.read("detach", flag)?,
    };
    let without_branch = [("readOnly", task.read_only), ("detach", task.detach)];
    let clash = without_branch.iter().find(|(_, said)| *said == Some(true));
    match clash {
        Some((key, _)) if task.branch.is_some() => {
            let text = format!("'branch' and '{key}' exclude each other");
            Err(Problem::at(line, text))
        }
        _ => Ok(task),
    }
}

/// The fields of one entry that have not been read yet.
struct Fields {
    line: usize,
    left: Vec<Field>,
}

impl Fields {
    fn of(entry: Entry) -> Result<Self, Problem> {
        let mut left: Vec<Field> = Vec::new();
        for mut field in entry.fields {
            if !KEYS.contains(&field.key.as_str()) {
                return Err(unknown(&field));
            }
            if field.key == "read-only" {
                field.key = "readOnly".into();
            }
            if left.iter().any(|other| other.key == field.key) {
                let text = format!("'{}' is there twice", field.key);
                return Err(Problem::at(field.line, text));
            }
            left.push(field);
        }
        // A program that writes the file may write null for what it has nothing to say of.
        left.retain(|field| field.value != Value::Nothing);
        Ok(Fields {
            line: entry.line,
            left,
        })
    }

    fn take(&mut self, key: &str) -> Option<Field> {
        let at = self.left.iter().position(|field| field.key == key)?;
        Some(self.left.swap_remove(at))
    }

    fn read<T>(
        &mut self,
        key: &str,
        read: impl FnOnce(&Field) -> Result<T, Problem>,
    ) -> Result<Option<T>, Problem> {
        self.take(key).as_ref().map(read).transpose()
    }
}

fn unknown(field: &Field) -> Problem {
    let key = &field.key;
    let near = KEYS
        .iter()
        .map(|known| (strsim::damerau_levenshtein(known, key), known))
        .min()
        .filter(|(distance, _)| *distance <= 2);
    let text = match near {
        Some((_, known)) => format!("'{key}' is no key of a task; '{known}' is one"),
        None => format!("'{key}' is no key of a task"),
    };
    Problem::at(field.line, text)
}

fn mistyped(field: &Field, wanted: &str) -> Problem {
    let text = format!("'{}' is {}, not {wanted}", field.key, field.value.kind());
    Problem::at(field.line, text)
}

fn text(field: &Field) -> Result<String, Problem> {
    match &field.value {
        Value::Text(text) => without_zero(field, text),
        _ => Err(mistyped(field, "a text")),
    }
}

/// A zero byte can stand neither in a record nor on a command line.
fn without_zero(field: &Field, text: &str) -> Result<String, Problem> {
    match text.contains('\0') {
        false => Ok(text.to_owned()),
        true => {
            let text = format!("'{}' has a zero byte in it", field.key);
            Err(Problem::at(field.line, text))
        }
    }
}

fn texts(field: &Field) -> Result<Vec<String>, Problem> {
    let Value::List(values) = &field.value else {
        return Err(mistyped(field, "a list of texts"));
    };
    let each = values.iter().map(|value| match value {
        Value::Text(text) => without_zero(field, text),
        _ => Err(mistyped(field, "a list of texts alone")),
    });
    each.collect()
}

fn flag(field: &Field) -> Result<bool, Problem> {
    match field.value {
        Value::Flag(flag) => Ok(flag),
        _ => Err(mistyped(field, "true or false")),
    }
}

fn parameters(field: &Field) -> Result<Vec<Parameter>, Problem> {
    let Value::Table(pairs) = &field.value else {
        return Err(mistyped(field, "a table of texts, numbers and flags"));
    };
    let each = pairs.iter().map(|(key, value)| {
        let value = match value {
            Value::Text(text) | Value::Number(text) => text.clone(),
            Value::Flag(flag) => flag.to_string(),
            other => {
                let kind = other.kind();
                let text = format!("'set.{key}' is {kind}, not a text, a number or a flag");
                return Err(Problem::at(field.line, text));
            }
        };
        Parameter::of(key, &value).map_err(|text| Problem::at(field.line, text))
    });
    Ok(without_twins(each.collect::<Result<_, _>>()?))
}

#[cfg(test)]
mod task_table;
