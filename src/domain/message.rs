//! The message of a landing: the policy's template filled in, trailers, git's clean-up. Text in,
//! text out.

use super::lane::Lane;
use super::name::BranchName;
use crate::error::{Code, Error};

/// A trailer of the landing's message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trailer {
    /// `Lane: <name>`
    Lane,
    /// `Task: <task>`
    Task,
    /// `Owner: <owner>`
    Owner,
}

/// What a template may name.
const PLACEHOLDERS: [&str; 5] = ["name", "branch", "base", "task", "owner"];

/// A template names something that does not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplateProblem {
    /// No such placeholder.
    Unknown(String),
    /// A `{` without its `}`.
    Unclosed,
}

impl std::fmt::Display for TemplateProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            TemplateProblem::Unknown(name) => {
                write!(f, "finish.message names '{{{name}}}', which does not exist")
            }
            TemplateProblem::Unclosed => f.write_str("finish.message has a '{' without its '}'"),
        }
    }
}

impl From<TemplateProblem> for Error {
    fn from(problem: TemplateProblem) -> Self {
        let near = match &problem {
            TemplateProblem::Unknown(name) => nearest(name),
            TemplateProblem::Unclosed => None,
        };
        let hint = match near {
            Some(near) => format!("did you mean '{{{near}}}'?"),
            None => {
                format!(
                    "it may name {}; '{{{{' stands for '{{'",
                    PLACEHOLDERS.map(|p| format!("{{{p}}}")).join(", ")
                )
            }
        };
        Error::usage(problem.to_string())
            .with_code(Code::BadTemplate)
            .hint(hint)
    }
}

fn nearest(name: &str) -> Option<&'static str> {
    let close = PLACEHOLDERS
        .iter()
        .map(|known| (strsim::damerau_levenshtein(known, name), *known));
    close
        .min()
        .filter(|(distance, _)| *distance <= 2)
        .map(|(_, known)| known)
}

/// Fills `template` in; `{{` and `}}` stand for the braces themselves, what the lane lacks is
/// empty.
pub fn expand(template: &str, lane: &Lane, base: &BranchName) -> Result<String, TemplateProblem> {
    let mut text = String::new();
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        text.push_str(&rest[..at]);
        let brace = &rest[at..=at];
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix(brace) {
            text.push_str(brace);
            rest = after;
        } else if brace == "}" {
            text.push('}');
        } else {
            let end = rest.find('}').ok_or(TemplateProblem::Unclosed)?;
            match &rest[..end] {
                "name" => text.push_str(lane.name.as_str()),
                "branch" => text.push_str(
                    &lane
                        .branch
                        .as_ref()
                        .map_or("HEAD".into(), ToString::to_string),
                ),
                "base" => text.push_str(&base.to_string()),
                "task" => text.push_str(lane.task.as_deref().unwrap_or_default()),
                "owner" => text.push_str(lane.owner.as_deref().unwrap_or_default()),
                unknown => return Err(TemplateProblem::Unknown(unknown.to_owned())),
            }
            rest = &rest[end + 1..];
        }
    }
    text.push_str(rest);
    Ok(text)
}

/// Adds the trailers the policy asks for and the lane can answer, as git-interpret-trailers(1)
/// would place them. Without one the message stays as it is, to its end.
pub fn with_trailers(message: &str, lane: &Lane, trailers: &[Trailer]) -> String {
    let mut text = message.to_owned();
    let mut in_block = ends_in_trailers(text.trim_end());
    for trailer in trailers {
        let (key, value) = match trailer {
            Trailer::Lane => ("Lane", Some(lane.name.as_str())),
            Trailer::Task => ("Task", lane.task.as_deref()),
            Trailer::Owner => ("Owner", lane.owner.as_deref()),
        };
        // A trailer is one line, and an empty one says nothing.
        let value = value.map(|value| value.split_whitespace().collect::<Vec<_>>().join(" "));
        let Some(value) = value.filter(|value| !value.is_empty()) else {
            continue;
        };
        let line = format!("{key}: {value}");
        if in_block && text.lines().any(|existing| existing == line) {
            continue;
        }
        text.truncate(text.trim_end().len());
        text.push_str(if in_block { "\n" } else { "\n\n" });
        text.push_str(&line);
        text.push('\n');
        in_block = true;
    }
    text
}

/// Whether the last paragraph, which is not the first, consists of `Key: value` lines.
fn ends_in_trailers(text: &str) -> bool {
    let Some((_, last)) = text.rsplit_once("\n\n") else {
        return false;
    };
    !last.is_empty()
        && last.lines().all(|line| {
            line.split_once(": ").is_some_and(|(key, _)| {
                !key.is_empty()
                    && key
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            })
        })
}

/// What a squash says where no file chooses its message: what the only commit says that it stands
/// for; of several the task, else the lane's name, and their subjects. `messages` are whole, the
/// oldest first.
pub fn of_squash(lane: &Lane, base: &BranchName, messages: &[String]) -> String {
    if let [only] = messages {
        return only.clone();
    }
    let task = lane.task.as_deref().and_then(|task| task.lines().next());
    let task = task.map(str::trim).filter(|task| !task.is_empty());
    let subject = match task {
        Some(task) => task.to_owned(),
        None => format!("Land lane '{}' on {base}", lane.name),
    };
    with_subjects(&subject, messages)
}

/// A subject, and below it those of the commits that a squash stands for.
pub fn with_subjects(subject: &str, messages: &[String]) -> String {
    let list: Vec<String> = messages
        .iter()
        .map(|message| format!("* {}", subject_of(message)))
        .collect();
    if list.is_empty() {
        subject.to_owned()
    } else {
        format!("{}\n\n{}", subject.trim_end(), list.join("\n"))
    }
}

/// The first paragraph in one line, as git has it.
fn subject_of(message: &str) -> String {
    let lines = message.trim_start_matches('\n').lines();
    let first = lines.take_while(|line| !line.trim().is_empty());
    first.map(str::trim_end).collect::<Vec<_>>().join(" ")
}

/// How a message is cleaned up: git-commit(1), `--cleanup`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cleanup {
    /// Not at all.
    Verbatim,
    /// Surrounding and repeated empty lines and trailing space go.
    Whitespace,
    /// Comment lines go too; the text is what starts one.
    Strip(String),
    /// Everything from git's scissors line on goes too; the text is what starts a comment.
    Scissors(String),
}

impl Cleanup {
    /// What `commit.cleanup` asks for; its default strips comments only from a message that the
    /// user edited.
    pub fn of(configured: Option<&str>, edited: bool, comment: &str) -> Self {
        match configured {
            Some("verbatim") => Cleanup::Verbatim,
            Some("whitespace") => Cleanup::Whitespace,
            Some("strip") => Cleanup::Strip(comment.to_owned()),
            Some("scissors") if edited => Cleanup::Scissors(comment.to_owned()),
            Some("scissors") => Cleanup::Whitespace,
            _ if edited => Cleanup::Strip(comment.to_owned()),
            _ => Cleanup::Whitespace,
        }
    }

    /// The cleaned message; empty when nothing is left.
    pub fn apply(&self, message: &[u8]) -> Vec<u8> {
        let (mut message, comment) = match self {
            Cleanup::Verbatim => return message.to_vec(),
            Cleanup::Whitespace => (message, None),
            Cleanup::Strip(comment) => (message, Some(comment)),
            Cleanup::Scissors(comment) => (message, Some(comment)),
        };
        if let Cleanup::Scissors(comment) = self {
            let line = format!("{comment} ------------------------ >8 ------------------------\n");
            let start = message
                .windows(line.len())
                .position(|window| window == line.as_bytes());
            message = &message[..start.unwrap_or(message.len())];
        }
        let strips_comments = matches!(self, Cleanup::Strip(_));
        let mut cleaned: Vec<u8> = Vec::with_capacity(message.len());
        let mut gap = false;
        for line in message.split(|byte| *byte == b'\n') {
            let line = line.trim_ascii_end();
            if strips_comments
                && comment.is_some_and(|comment| line.starts_with(comment.as_bytes()))
            {
                continue;
            }
            if line.is_empty() {
                gap = !cleaned.is_empty();
                continue;
            }
            if gap {
                cleaned.push(b'\n');
            }
            gap = false;
            cleaned.extend_from_slice(line);
            cleaned.push(b'\n');
        }
        cleaned
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::lane::ObjectId;

    fn lane() -> Lane {
        Lane {
            branch: Some(BranchName::parse("feature/login".into()).unwrap()),
            worktree: "/x".into(),
            fork_point: ObjectId::from_hex(&[b'1'; 40]).unwrap(),
            owner: Some("claude:7".into()),
            task: Some("two\nlines".into()),
            ..Lane::sample("login")
        }
    }

    #[test]
    fn templates_are_filled_in_and_unknown_names_are_errors() {
        let base = BranchName::parse("main".into()).unwrap();
        let expand = |template: &str| super::expand(template, &lane(), &base);
        assert_eq!(
            expand("Merge lane '{name}' into {base}").unwrap(),
            "Merge lane 'login' into main"
        );
        assert_eq!(
            expand("{branch} {owner} {{x}} }").unwrap(),
            "feature/login claude:7 {x} }"
        );
        assert_eq!(
            expand("{nmae}").unwrap_err(),
            TemplateProblem::Unknown("nmae".into())
        );
        assert_eq!(expand("a {name").unwrap_err(), TemplateProblem::Unclosed);
        assert_eq!(
            Error::from(TemplateProblem::Unknown("nmae".into())).hints(),
            ["did you mean '{name}'?"]
        );
        // What a lane is called is never a template itself.
        let mut odd = lane();
        odd.task = Some("{name}".into());
        assert_eq!(super::expand("{task}", &odd, &base).unwrap(), "{name}");
    }

    #[test]
    fn trailers_stand_where_git_looks_for_them() {
        let all = [Trailer::Lane, Trailer::Task, Trailer::Owner];
        assert_eq!(
            with_trailers("Subject: x", &lane(), &all),
            "Subject: x\n\nLane: login\nTask: two lines\nOwner: claude:7\n"
        );
        assert_eq!(
            with_trailers("S\n\nbody\n\nFixes: 1\nLane: login\n", &lane(), &all[..1]),
            "S\n\nbody\n\nFixes: 1\nLane: login\n"
        );
        assert_eq!(
            with_trailers("S\n\nFixes: 1", &lane(), &all[2..]),
            "S\n\nFixes: 1\nOwner: claude:7\n"
        );
        assert_eq!(
            with_trailers(
                "S",
                &Lane {
                    task: None,
                    ..lane()
                },
                &all[1..2]
            ),
            "S"
        );
    }

    #[test]
    fn a_squash_says_what_its_commits_say() {
        let base = BranchName::parse("main".into()).unwrap();
        let commits = |messages: &[&str]| -> Vec<String> {
            messages
                .iter()
                .map(|message| (*message).to_owned())
                .collect()
        };
        let plain = Lane {
            task: None,
            ..lane()
        };
        let of = |lane: &Lane, messages: &[&str]| of_squash(lane, &base, &commits(messages));
        assert_eq!(of(&lane(), &["Log in\n\nWhy.\n"]), "Log in\n\nWhy.\n");
        let two = ["Log\nin\n\nWhy.\n", "Log out\n"];
        assert_eq!(of(&lane(), &two), "two\n\n* Log in\n* Log out");
        assert_eq!(
            of(&plain, &two),
            "Land lane 'login' on main\n\n* Log in\n* Log out"
        );
        assert_eq!(of(&plain, &[]), "Land lane 'login' on main");
        // What a file chooses stays above the list.
        assert_eq!(with_subjects("S\n", &commits(&two[1..])), "S\n\n* Log out");
    }

    #[test]
    fn messages_are_cleaned_as_git_cleans_them() {
        let clean = |cleanup: Cleanup, text: &str| {
            String::from_utf8(cleanup.apply(text.as_bytes())).unwrap()
        };
        let text = "\n\nsubject  \n\n\n# note\nbody\n\n";
        assert_eq!(
            clean(Cleanup::of(None, false, "#"), text),
            "subject\n\n# note\nbody\n"
        );
        assert_eq!(
            clean(Cleanup::of(None, true, "#"), text),
            "subject\n\nbody\n"
        );
        assert_eq!(clean(Cleanup::of(Some("verbatim"), true, "#"), text), text);
        assert_eq!(clean(Cleanup::of(None, true, "#"), "# only\n\n"), "");
        let cut = "s\n# ------------------------ >8 ------------------------\n# x\n";
        assert_eq!(clean(Cleanup::of(Some("scissors"), true, "#"), cut), "s\n");
    }
}
