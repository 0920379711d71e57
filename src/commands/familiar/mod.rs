//! Verbs that people know from other programs: each leads to the verb that does it here.
//!
//! What is exactly the same is done; for everything else the answer is an error with the line that
//! can be pasted, with the arguments that the user gave. What is nearly a verb leads to that one. A
//! hidden verb is no answer to anything. Called by `cli`, where a command line has no verb that
//! clap knows.

mod branch_creation;

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use clap::Command;

use branch_creation::{is_option, is_path};

use super::closest;
use crate::domain::shell_word::quote_bytes;
use crate::error::{Code, Error};

/// Where a familiar verb leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target<'a> {
    /// To the same thing, by these words.
    Same(&'a str),
    /// To this verb.
    Verb(&'a str),
    /// Into a lane, which only the shell can do.
    Inside,
}

use Target::{Inside, Same, Verb};

/// The words, by what they lead to.
const FAMILIAR: [(Target<'static>, &[&str]); 25] = [
    (Same("list"), &["ls", "status"]),
    (Same("--version"), &["version"]),
    (
        Verb("start"),
        &[
            "new", "create", "add", "begin", "open", "make", "branch", "fork", "spawn",
        ],
    ),
    (
        Inside,
        &[
            "switch", "checkout", "cd", "go", "co", "enter", "use", "goto",
        ],
    ),
    (
        Verb("drop"),
        &[
            "rm", "remove", "delete", "del", "discard", "abandon", "kill",
        ],
    ),
    (
        Verb("finish"),
        &[
            "merge",
            "land",
            "done",
            "integrate",
            "submit",
            "ship",
            "close",
            "end",
        ],
    ),
    (Verb("list"), &["ps", "lanes", "dashboard"]),
    (Verb("show"), &["info", "inspect", "describe"]),
    (Verb("path"), &["where", "dir", "pwd"]),
    (Verb("diff"), &["changes"]),
    (Verb("sync"), &["update", "pull", "rebase", "refresh"]),
    (Verb("check"), &["test", "conflicts", "forecast"]),
    (Verb("undo"), &["revert", "rollback", "reset"]),
    (Verb("restore"), &["recover", "undelete", "unremove"]),
    (Verb("prune"), &["clean", "cleanup", "gc", "tidy"]),
    (Verb("log"), &["history", "events"]),
    (Verb("exec"), &["run", "foreach", "each"]),
    (Verb("claim"), &["lock", "take", "lease"]),
    (Verb("release"), &["unlock", "unclaim", "handoff"]),
    (Verb("adopt"), &["import", "register", "track"]),
    (Verb("rename"), &["mv"]),
    (Verb("move"), &["relocate"]),
    (Verb("base"), &["onto", "reparent"]),
    (Verb("doctor"), &["repair", "fix", "fsck"]),
    (Verb("init"), &["install", "setup"]),
];

/// How like two words must be for one to be taken for the other, by Jaro and Winkler.
const ALIKE: f64 = 0.85;

/// Why a verb is led to another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Because {
    /// It is known from other programs.
    Known,
    /// It is nearly the other one.
    Alike,
}

impl std::fmt::Display for Because {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Because::Known => "here it is",
            Because::Alike => "did you mean",
        })
    }
}

/// The answer to a command line.
#[derive(Debug)]
pub enum Answer {
    /// It means this one.
    Means(Vec<OsString>),
    /// It is an error.
    Wrong(Error),
}

/// A command line whose verb clap does not know.
struct Line<'a> {
    /// The program, and options before the verb.
    before: &'a [OsString],
    verb: String,
    after: &'a [OsString],
    command: &'a Command,
    /// Whether clap understands a line.
    parses: &'a dyn Fn(&[OsString]) -> bool,
}

/// What is said to `words`, the program's name first, which `command` cannot parse because of its
/// verb.
pub fn answer(
    words: &[OsString],
    command: &Command,
    parses: &dyn Fn(&[OsString]) -> bool,
) -> Answer {
    let at = place_of_verb(words);
    let line = Line {
        before: &words[..at],
        verb: words
            .get(at)
            .map_or_else(String::new, |word| word.to_string_lossy().into()),
        after: words.get(at + 1..).unwrap_or_default(),
        command,
        parses,
    };
    if line.verb == "help" {
        return line.help();
    }
    if let Some(target) = known(&line.verb) {
        return line.led_to(target, Because::Known);
    }
    let names = line.visible();
    // What is only like such a word is never led to what lands a lane or takes it away.
    let familiar = FAMILIAR
        .iter()
        .filter(|(target, _)| !matches!(target, Verb("finish" | "drop" | "prune" | "undo")));
    let familiar = familiar.flat_map(|(_, words)| words.iter().copied());
    match closest(&line.verb, names, ALIKE).map(Verb) {
        Some(target) => line.led_to(target, Because::Alike),
        None => match closest(&line.verb, familiar, ALIKE).and_then(known) {
            Some(target) => line.led_to(target, Because::Alike),
            None => Answer::Wrong(line.unknown()),
        },
    }
}

/// Every familiar word, `help` among them.
pub fn words() -> impl Iterator<Item = &'static str> {
    let all = FAMILIAR.iter().flat_map(|(_, words)| words.iter().copied());
    all.chain(["help"])
}

fn known(word: &str) -> Option<Target<'static>> {
    let row = FAMILIAR.iter().find(|(_, words)| words.contains(&word))?;
    Some(row.0)
}

/// The first word after the program that is neither an option nor the value of `-C`.
fn place_of_verb(words: &[OsString]) -> usize {
    let mut at = 1;
    while let Some(word) = words.get(at).map(|word| word.as_bytes()) {
        match word {
            b"-C" => at += 2,
            _ if word.starts_with(b"-") => at += 1,
            _ => break,
        }
    }
    at.min(words.len())
}

impl Line<'_> {
    fn visible(&self) -> Vec<&str> {
        let verbs = self.command.get_subcommands();
        verbs
            .filter(|verb| !verb.is_hide_set())
            .map(Command::get_name)
            .collect()
    }

    fn is_visible(&self, verb: &str) -> bool {
        self.visible().contains(&verb)
    }

    /// The same line with another verb and other arguments.
    fn with(&self, verb: &str, after: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
        let verb = std::iter::once(OsString::from(verb));
        self.before
            .iter()
            .cloned()
            .chain(verb)
            .chain(after)
            .collect()
    }

    /// As it is pasted into a shell.
    fn pasted(&self, words: &[OsString]) -> String {
        let words = words.get(1..).unwrap_or_default();
        let quoted = words.iter().map(|word| quote_bytes(word.as_bytes()));
        std::iter::once("git lane".to_owned())
            .chain(quoted)
            .collect::<Vec<_>>()
            .join(" ")
    }

    fn help(&self) -> Answer {
        let Some(about) = self.after.iter().find(|word| !is_option(word)) else {
            return Answer::Means(self.with("--help", []));
        };
        let name = about.to_string_lossy();
        let verb = match known(&name) {
            _ if self.is_visible(&name) => &*name,
            Some(Same(verb) | Verb(verb)) if self.is_visible(verb) => verb,
            Some(Inside) => "path",
            _ => {
                let about = Line {
                    verb: name.clone().into(),
                    ..*self
                };
                return Answer::Wrong(about.unknown());
            }
        };
        Answer::Means(self.with(verb, [OsString::from("--help")]))
    }

    fn led_to(&self, target: Target<'_>, because: Because) -> Answer {
        let verb = match target {
            Same(words) => {
                let line = self.with(words, self.after.iter().cloned());
                if because == Because::Known && (self.parses)(&line) {
                    return Answer::Means(line);
                }
                // What a lane's state is, is told by another verb.
                match self.after.iter().all(|word| is_option(word)) {
                    true => words,
                    false => "show",
                }
            }
            Verb(verb) => verb,
            Inside if self.creates().is_some() => "start",
            Inside => return Answer::Wrong(self.inside(because)),
        };
        if !self.is_visible(verb) && !verb.starts_with('-') {
            return Answer::Wrong(self.unknown());
        }
        let hint = match self.translated(verb) {
            Some(line) => format!("{because}: {}", self.pasted(&line)),
            None => format!("{because}: git lane {verb}; see how with: git lane {verb} -h"),
        };
        Answer::Wrong(self.wrong(Some(verb)).hint(hint))
    }

    /// The line with the verb of ours, and as many of the user's arguments as that one takes.
    fn translated(&self, verb: &str) -> Option<Vec<OsString>> {
        let starts = verb == "start";
        let as_it_is = self.with(verb, self.after.iter().cloned());
        let has_path = || self.after.iter().any(|word| is_path(word));
        if self.is_another_thing() {
            return None;
        }
        let is_plain = !starts || self.creates().is_none() && !has_path() && self.verb != "branch";
        if is_plain && (self.parses)(&as_it_is) {
            return Some(as_it_is);
        }
        let names = match starts {
            true => self.names(),
            false => self
                .after
                .iter()
                .filter(|word| !is_option(word))
                .cloned()
                .collect(),
        };
        let names_alone = self.with(verb, names);
        (self.parses)(&names_alone).then_some(names_alone)
    }

    fn inside(&self, because: Because) -> Error {
        let error = self.wrong(Some("path"));
        let names: Vec<OsString> = self
            .after
            .iter()
            .filter(|word| !is_option(word))
            .cloned()
            .collect();
        let line = self.with("path", names.iter().take(1).cloned());
        match names.is_empty() {
            true => error.hint("see where the lanes are with: git lane list"),
            false => error.hint(format!("{because}: cd \"$({})\"", self.pasted(&line))),
        }
    }

    fn wrong(&self, verb: Option<&str>) -> Error {
        Error::usage(format!("git-lane has no verb '{}'", self.verb))
            .with_code(Code::NoSuchVerb)
            .details(serde_json::json!({ "verb": self.verb, "instead": verb }))
    }

    fn unknown(&self) -> Error {
        self.wrong(None).hint("see the verbs with: git lane -h")
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use clap::CommandFactory;
    use clap::Parser;

    use super::*;
    use crate::cli::Cli;
    use crate::commands::verb_groups::GROUPS;

    fn parses(line: &[OsString]) -> bool {
        Cli::try_parse_from(line).map_or_else(|error| !error.use_stderr(), |_| true)
    }

    fn said(line: &str) -> String {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        match answer(&words, &Cli::command(), &parses) {
            Answer::Means(line) => line.join(OsStr::new(" ")).into_string().unwrap(),
            Answer::Wrong(error) => error.hints().join("; "),
        }
    }

    #[test]
    fn every_word_leads_to_a_visible_verb_and_is_none_itself() {
        let command = Cli::command();
        let mut seen = std::collections::BTreeSet::new();
        for (target, words) in FAMILIAR {
            if let Verb(verb) | Same(verb) = target {
                let is_grouped = GROUPS.iter().any(|group| group.verbs.contains(&verb));
                assert!(is_grouped || verb.starts_with('-'), "{verb}");
                let there = command.find_subcommand(verb);
                assert!(there.is_none_or(|verb| !verb.is_hide_set()), "{verb}");
            }
            for word in words {
                assert!(seen.insert(*word), "{word} is there twice");
                assert!(command.find_subcommand(word).is_none(), "{word} is a verb");
            }
        }
    }

    #[test]
    fn every_word_is_answered_with_a_line_that_parses() {
        for word in words().filter(|word| *word != "help") {
            for arguments in [
                "",
                " login",
                " login --wrong",
                " -b login ../shop-login main",
            ] {
                let said = said(&format!("git-lane {word}{arguments}"));
                let line = said
                    .rsplit_once("here it is: ")
                    .map_or(&*said, |(_, line)| line)
                    .trim_start_matches("cd \"$(")
                    .trim_end_matches(")\"");
                let line = line.replace("git lane", "git-lane");
                let lines = line.split("; see how with: ");
                let shown = line.contains(" -h") || line.starts_with("see ");
                let words: Vec<OsString> =
                    lines.last().unwrap().split(' ').map(Into::into).collect();
                let fits = Cli::try_parse_from(&words);
                let fits = match fits {
                    Ok(_) => true,
                    Err(error) => !error.use_stderr(),
                };
                assert!(fits || shown, "{word}{arguments}: {said}");
            }
        }
    }

    #[test]
    fn arguments_come_along() {
        for (line, expected) in [
            ("new login", "here it is: git lane start login"),
            (
                "new login --base main",
                "here it is: git lane start login --base main",
            ),
            (
                "--json new login",
                "here it is: git lane --json start login",
            ),
            (
                "-C new new login",
                "here it is: git lane -C new start login",
            ),
            ("new $(x)", "here it is: git lane start '$(x)'"),
            (
                "create",
                "here it is: git lane start; see how with: git lane start -h",
            ),
            ("add ../shop-login", "here it is: git lane start shop-login"),
            (
                "add -b login ../shop-login main",
                "here it is: git lane start login --base main",
            ),
            (
                "add ../shop-login login",
                "here it is: git lane start login",
            ),
            ("rm -f login", "here it is: git lane drop -f login"),
            (
                "remove --everything login",
                "here it is: git lane drop login",
            ),
            ("merge login --squash", "here it is: git lane finish login"),
            ("cd login", "here it is: cd \"$(git lane path login)\""),
            ("switch -c login", "here it is: git lane start login"),
            (
                "checkout -b login main",
                "here it is: git lane start login --base main",
            ),
            (
                "branch login main",
                "here it is: git lane start login --base main",
            ),
            (
                "branch -D login",
                "here it is: git lane start; see how with: git lane start -h",
            ),
            ("env", "see the verbs with: git lane -h"),
            ("clone x", "see the verbs with: git lane -h"),
            ("tone", "see the verbs with: git lane -h"),
            ("ls -la", "here it is: git lane list"),
            ("go", "see where the lanes are with: git lane list"),
            ("ls", "git-lane list"),
            ("status", "git-lane list"),
            ("status --owner ann", "git-lane list --owner ann"),
            ("status login", "here it is: git lane show login"),
            ("--json ls", "git-lane --json list"),
            ("version", "git-lane --version"),
            ("help", "git-lane --help"),
            ("help start", "git-lane start --help"),
            ("help new", "git-lane start --help"),
            ("help cd", "git-lane path --help"),
            ("help hook", "see the verbs with: git lane -h"),
            ("help nonsense", "see the verbs with: git lane -h"),
            ("finsh login", "did you mean: git lane finish login"),
            (
                "stat",
                "did you mean: git lane start; see how with: git lane start -h",
            ),
            ("lst", "did you mean: git lane list"),
            ("swich login", "did you mean: cd \"$(git lane path login)\""),
            ("hok", "see the verbs with: git lane -h"),
            ("xyzzy", "see the verbs with: git lane -h"),
        ] {
            assert_eq!(said(&format!("git-lane {line}")), expected, "{line}");
        }
    }
}
