//! The verbs by what people want, for `git lane -h` and git-lane(1): clap has no groups of
//! subcommands.
//!
//! Every visible verb is in one group; the test says which one is not. Called by `cli` and
//! `manual`.

use clap::Command;

/// Verbs that belong together.
#[derive(Debug)]
pub struct Group {
    /// What they are for, as a heading.
    pub title: &'static str,
    /// Their names, in the order in which they are needed.
    pub verbs: &'static [&'static str],
}

/// All of them, in the order of a lane's life.
pub const GROUPS: [Group; 7] = [
    Group {
        title: "Start",
        verbs: &["start", "adopt"],
    },
    Group {
        title: "Look",
        verbs: &["list", "show", "path", "try", "diff", "check", "log"],
    },
    Group {
        title: "Change",
        verbs: &["rename", "move", "base"],
    },
    Group {
        title: "Land",
        verbs: &["sync", "finish"],
    },
    Group {
        title: "Take back",
        verbs: &["undo", "drop", "restore", "prune", "trash"],
    },
    Group {
        title: "Many at once",
        verbs: &["exec", "mark", "wait", "claim", "release"],
    },
    Group {
        title: "Team and set-up",
        verbs: &[
            "init",
            "config",
            "approve",
            "doctor",
            "shell-init",
            "completions",
            "man",
        ],
    },
];

/// As many columns as any terminal has.
const COLUMNS: usize = 80;

impl Group {
    /// Its verbs, as far as `command` has them.
    pub fn verbs_of<'a>(&self, command: &'a Command) -> impl Iterator<Item = &'a Command> {
        let visible = |name: &&str| {
            let verb = command.find_subcommand(name)?;
            (!verb.is_hide_set()).then_some(verb)
        };
        self.verbs.iter().filter_map(visible)
    }
}

/// The layout of the help of `command`, with its verbs below the headings of their groups.
pub fn help_template(command: &Command) -> String {
    let styles = command.get_styles();
    let heading = |title: &str| {
        let style = styles.get_header();
        format!("{style}{title}:{style:#}\n")
    };
    let verbs = GROUPS.iter().flat_map(|group| group.verbs_of(command));
    let widest = verbs.map(|verb| verb.get_name().len()).max().unwrap_or(0);
    let mut text = String::from("{about-with-newline}\n{usage-heading} {usage}\n\n");
    for group in &GROUPS {
        text.push_str(&heading(group.title));
        for verb in group.verbs_of(command) {
            let style = styles.get_literal();
            let (name, gap) = (verb.get_name(), widest - verb.get_name().len() + 2);
            text.push_str(&format!("  {style}{name}{style:#}{:gap$}", ""));
            let about = verb.get_about().map(ToString::to_string);
            text.push_str(&hanging(&about.unwrap_or_default(), widest + 4));
        }
        text.push('\n');
    }
    text.push_str(&heading("Options"));
    text.push_str("{options}");
    text
}

/// `text` in lines that end before the last column and begin at column `indent`, but for the first.
fn hanging(text: &str, indent: usize) -> String {
    let mut lines = String::new();
    let mut at = indent;
    for word in text.split_whitespace() {
        if at > indent && at + word.len() >= COLUMNS {
            lines.push_str(&format!("\n{:indent$}", ""));
            at = indent;
        } else if at > indent {
            lines.push(' ');
            at += 1;
        }
        lines.push_str(word);
        at += word.len();
    }
    lines + "\n"
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn every_visible_verb_is_in_one_group() {
        let command = Cli::command();
        let visible = command.get_subcommands().filter(|verb| !verb.is_hide_set());
        for verb in visible.map(Command::get_name) {
            let groups = GROUPS.iter().filter(|group| group.verbs.contains(&verb));
            let titles: Vec<&str> = groups.map(|group| group.title).collect();
            assert_eq!(
                titles.len(),
                1,
                "'{verb}' must stand in one group of src/commands/verb_groups.rs; it is in {titles:?}"
            );
        }
    }

    #[test]
    fn the_help_fits_into_eighty_columns() {
        let command = Cli::command();
        let template = help_template(&command);
        let help = command
            .help_template(template)
            .term_width(COLUMNS)
            .render_help();
        for line in help.to_string().lines() {
            assert!(line.chars().count() <= COLUMNS, "{line}");
        }
        for group in &GROUPS {
            assert!(help.to_string().contains(&format!("{}:\n  ", group.title)));
        }
    }
}
