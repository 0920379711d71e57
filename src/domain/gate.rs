//! The gate: the commands that must succeed on exactly the tree that is about to land, whose they
//! are, and which of them a person has to approve first.
//!
//! `repository/gate_rules` reads the files and fills it; `store/approvals` and `store/receipts` know
//! commands by the digests that are made here.

use std::time::Duration;

use sha2::{Digest, Sha256};

/// Who says that a command has to succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// The user's own file.
    User,
    /// The tracked file in the tip of the base.
    Team,
    /// The tracked file in what lands, where it has another gate than that of the base.
    Landing,
    /// The file of this clone, which may have come with an unpacked archive.
    Clone,
    /// The user, by `--gate`.
    CommandLine,
}

impl Source {
    /// Whether the commands are the user's own words, so that nobody has to approve them.
    pub fn is_own(self) -> bool {
        matches!(self, Source::User | Source::CommandLine)
    }
}

/// The commands of one file, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandList {
    /// Whose they are.
    pub source: Source,
    /// The exact texts, each for a shell.
    pub lines: Vec<String>,
}

impl CommandList {
    /// What tells the list from every other; an approval is known by it.
    pub fn digest(&self) -> String {
        digest(&self.lines)
    }
}

/// One command of the gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateCommand {
    /// The exact text, for a shell.
    pub line: String,
    /// Who said it first.
    pub source: Source,
}

/// What has to succeed before a base moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gate {
    /// The commands in the order in which they run, each once.
    pub commands: Vec<GateCommand>,
    /// Whether `--no-gate` is refused.
    pub required: bool,
    /// How long each command may run.
    pub time_limit: Duration,
    /// How old a receipt may be that still counts.
    pub receipt_age: Duration,
    lists: Vec<CommandList>,
}

/// What the files say about a gate beside its commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// `finish.gate-required`.
    pub required: bool,
    /// `finish.gate-time-limit`.
    pub time_limit: Duration,
    /// `finish.receipt-days`.
    pub receipt_age: Duration,
}

impl Terms {
    /// The terms of a landing that changes them: it passes by the old and by the new ones, with the
    /// time that the slower of both gates needs.
    pub fn and(self, other: Terms) -> Terms {
        Terms {
            required: self.required || other.required,
            time_limit: self.time_limit.max(other.time_limit),
            receipt_age: self.receipt_age.min(other.receipt_age),
        }
    }
}

impl Gate {
    /// The gate that these lists make together. A command of several lists runs once, where the
    /// first has it.
    pub fn of(lists: Vec<CommandList>, terms: Terms) -> Self {
        let mut commands: Vec<GateCommand> = Vec::new();
        for list in &lists {
            for line in &list.lines {
                if !commands.iter().any(|command| command.line == *line) {
                    let (line, source) = (line.clone(), list.source);
                    commands.push(GateCommand { line, source });
                }
            }
        }
        Gate {
            commands,
            required: terms.required,
            time_limit: terms.time_limit,
            receipt_age: terms.receipt_age,
            lists,
        }
    }

    /// The same terms with nothing to run, and so with nothing to approve.
    pub fn left_out(mut self) -> Self {
        self.commands.clear();
        self.lists.clear();
        self
    }

    /// Whether there is nothing to run.
    pub fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }

    /// The exact texts in the order in which they run.
    pub fn lines(&self) -> Vec<String> {
        let line = |command: &GateCommand| command.line.clone();
        self.commands.iter().map(line).collect()
    }

    /// What tells these commands from all others; a receipt is known by it.
    pub fn digest(&self) -> String {
        digest(&self.lines())
    }

    /// The lists that the user has to have approved, each text once.
    pub fn to_approve(&self) -> Vec<CommandList> {
        let mut wanted: Vec<CommandList> = Vec::new();
        for list in &self.lists {
            let known = wanted.iter().any(|other| other.lines == list.lines);
            if !list.source.is_own() && !list.lines.is_empty() && !known {
                wanted.push(list.clone());
            }
        }
        wanted
    }
}

/// The SHA-256 of the lines in their order, in hexadecimal digits. The length of each is part of
/// it, so that no two lists of lines are one text.
pub fn digest(lines: &[String]) -> String {
    let mut hasher = Sha256::new();
    for line in lines {
        hasher.update((line.len() as u64).to_be_bytes());
        hasher.update(line);
    }
    let digits = |byte: &u8| format!("{byte:02x}");
    hasher.finalize().iter().map(digits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMS: Terms = Terms {
        required: false,
        time_limit: Duration::from_secs(60),
        receipt_age: Duration::from_secs(600),
    };

    fn texts(lines: &[&str]) -> Vec<String> {
        lines.iter().map(|line| (*line).to_owned()).collect()
    }

    fn list(source: Source, lines: &[&str]) -> CommandList {
        let lines = texts(lines);
        CommandList { source, lines }
    }

    #[test]
    fn no_two_lists_have_one_digest() {
        let lists: [&[&str]; 12] = [
            &[],
            &[""],
            &["", ""],
            &["a"],
            &["b"],
            &["a", "b"],
            &["b", "a"],
            &["ab"],
            &["a\nb"],
            &["a", ""],
            &["", "a"],
            // What the bytes of two lines are when the lengths are among them.
            &["a\0\0\0\0\0\0\0\u{1}b"],
        ];
        let digests: std::collections::BTreeSet<String> =
            lists.iter().map(|lines| digest(&texts(lines))).collect();
        assert_eq!(digests.len(), lists.len());
        assert!(digests.iter().all(|digest| digest.len() == 64));
        // An approval outlives the version that wrote it.
        assert_eq!(
            digest(&texts(&["cargo test"])),
            "996bd4a7bbadb73a97f6e5fa02ced3ec905a9966368e118cb985b490a6c848b6"
        );
    }

    #[test]
    fn a_command_runs_once_and_every_list_is_approved_by_itself() {
        use Source::{Clone, CommandLine, Landing, Team, User};
        for (lists, commands, approve) in [
            (vec![], vec![], 0),
            (vec![list(User, &["a"])], vec![("a", User)], 0),
            (
                vec![list(User, &["a"]), list(Team, &["b", "a"])],
                vec![("a", User), ("b", Team)],
                1,
            ),
            (
                vec![list(Team, &["a", "b"]), list(Landing, &["b", "c"])],
                vec![("a", Team), ("b", Team), ("c", Landing)],
                2,
            ),
            (
                vec![list(Team, &["a"]), list(Clone, &["a"])],
                vec![("a", Team)],
                1,
            ),
            (
                vec![list(Team, &[]), list(CommandLine, &["a", "a"])],
                vec![("a", CommandLine)],
                0,
            ),
        ] {
            let gate = Gate::of(lists.clone(), TERMS);
            let found: Vec<(&str, Source)> = gate
                .commands
                .iter()
                .map(|command| (command.line.as_str(), command.source))
                .collect();
            assert_eq!(found, commands, "{lists:?}");
            assert_eq!(gate.to_approve().len(), approve, "{lists:?}");
            assert_eq!(gate.is_empty(), commands.is_empty());
            let lines: Vec<&str> = commands.iter().map(|(line, _)| *line).collect();
            assert_eq!(gate.digest(), digest(&texts(&lines)));
        }
    }

    #[test]
    fn a_landing_passes_by_the_old_terms_and_the_new_ones() {
        let other = Terms {
            required: true,
            time_limit: Duration::from_secs(30),
            receipt_age: Duration::from_secs(60),
        };
        let both = Terms {
            time_limit: TERMS.time_limit,
            ..other
        };
        assert_eq!((TERMS.and(other), other.and(TERMS)), (both, both));
    }
}
