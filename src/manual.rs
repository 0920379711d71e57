//! The manual: what clap knows of each verb, with the sections people wrote in `man/sections/`.
//!
//! The pages in `man/` are made here and nowhere else; a test keeps them so. They carry neither a
//! date nor a version, so they change when the words change and at no other time.

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::commands::man::Page;
use crate::commands::verb_groups::GROUPS;
use crate::error::{Code, Kind};
use crate::policy::{KEYS, Key};

/// The hand-written sections of a page.
pub fn written(page: &str) -> Option<&'static str> {
    macro_rules! sections {
        ($($name:literal),* $(,)?) => {
            match page {
                $($name => Some(include_str!(concat!("../man/sections/", $name, ".roff"))),)*
                _ => None,
            }
        };
    }
    sections!(
        "git-lane",
        "git-lane-adopt",
        "git-lane-approve",
        "git-lane-base",
        "git-lane-check",
        "git-lane-sync",
        "git-lane-claim",
        "git-lane-completions",
        "git-lane-config",
        "git-lane-diff",
        "git-lane-doctor",
        "git-lane-drop",
        "git-lane-exec",
        "git-lane-finish",
        "git-lane-init",
        "git-lane-json",
        "git-lane-list",
        "git-lane-log",
        "git-lane-man",
        "git-lane-mark",
        "git-lane-move",
        "git-lane-path",
        "git-lane-prune",
        "git-lane-release",
        "git-lane-rename",
        "git-lane-restore",
        "git-lane-shell-init",
        "git-lane-show",
        "git-lane-start",
        "git-lane-trash",
        "git-lane-try",
        "git-lane-undo",
        "git-lane-wait",
        "git-lane-workflows",
    )
}

/// Every page of the program that `command` describes: git-lane(1), one for each verb,
/// git-lane-json(7).
pub fn pages(mut command: Command) -> Vec<Page> {
    command.build();
    let verbs: Vec<&Command> = command
        .get_subcommands()
        .filter(|verb| !verb.is_hide_set())
        .collect();
    let mut pages = vec![overview(&command, &verbs)];
    pages.extend(verbs.iter().map(|verb| page_of(verb)));
    pages.push(json());
    pages.push(workflows());
    pages
}

fn overview(command: &Command, verbs: &[&Command]) -> Page {
    let name = command.get_name().to_owned();
    let (before, after) = written(&name)
        .and_then(|text| text.split_once("@VERBS@\n"))
        .unwrap_or_default();
    let mut text = head(command, &name);
    text.push_str(before);
    let mut roff = Roff::new();
    for group in &GROUPS {
        roff.control("SS", [group.title]);
        for verb in group.verbs_of(command) {
            roff.control("TP", []);
            roff.text([bold(format!("git-lane-{}", verb.get_name())), roman("(1)")]);
            roff.text([roman(format!("{}.", about(verb)))]);
        }
    }
    text.push_str(&code_in_bold(&roff.to_roff()));
    options(&mut text, command);
    text.push_str(after);
    text.push_str(&exit_status());
    let others = verbs
        .iter()
        .map(|verb| format!("git-lane-{}(1)", verb.get_name()));
    let all: Vec<String> = others
        .chain(
            [
                "git-lane-json(7)",
                "git-lane-workflows(7)",
                "git-worktree(1)",
            ]
            .map(str::to_owned),
        )
        .collect();
    text.push_str(&see_also(&all));
    Page {
        name,
        section: 1,
        text: tidy(&text),
    }
}

fn page_of(verb: &Command) -> Page {
    let name = format!("git-lane-{}", verb.get_name());
    let mut text = head(verb, &name);
    text.push_str(&description(verb));
    options(&mut text, verb);
    text.push_str(
        &written(&name)
            .unwrap_or_default()
            .replace("@KEYS@\n", &keys()),
    );
    text.push_str(&exit_status());
    text.push_str(&see_also(&[
        "git-lane(1)".into(),
        "git-lane-json(7)".into(),
    ]));
    Page {
        name,
        section: 1,
        text: tidy(&text),
    }
}

fn json() -> Page {
    let name = "git-lane-json".to_owned();
    let mut text = title(&name, 7);
    text.push_str(written(&name).unwrap_or_default());
    text.push_str(&codes());
    text.push_str(&see_also(&["git-lane(1)".into()]));
    Page {
        name,
        section: 7,
        text: tidy(&text),
    }
}

/// The scripts of git-lane-workflows(7), by the names that the page has for them.
pub const WORKFLOWS: [(&str, &str); 8] = {
    macro_rules! scripts {
        ($($name:literal),*) => {
            [$(($name, include_str!(concat!("../man/workflows/", $name, ".sh")))),*]
        };
    }
    scripts!(
        "lab-a",
        "lab-b",
        "lab-c",
        "lab-d",
        "task",
        "sweep",
        "loop",
        "orchestrator"
    )
};

fn workflows() -> Page {
    let name = "git-lane-workflows".to_owned();
    let mut text = title(&name, 7);
    let page = written(&name).unwrap_or_default();
    let whole = WORKFLOWS
        .iter()
        .fold(page.to_owned(), |page, (name, script)| {
            page.replace(&format!("@WORKFLOW {name}@\n"), &example(script))
        });
    text.push_str(&whole);
    text.push_str(&see_also(&[
        "git-lane(1)".into(),
        "git-lane-json(7)".into(),
    ]));
    Page {
        name,
        section: 7,
        text: tidy(&text),
    }
}

/// A script as it is; its first line is a comment and becomes the sentence before it.
fn example(script: &str) -> String {
    let (first, rest) = script.split_once('\n').unwrap_or((script, ""));
    let mut roff = Roff::new();
    roff.text([roman(first.trim_start_matches("# "))]);
    let mut text = roff.to_roff();
    text.push_str(".PP\n.EX\n");
    for line in rest.lines() {
        let line = line.replace('\\', "\\e").replace('-', "\\-");
        // A full stop or an apostrophe at the beginning would be a request.
        let line = line.replace('\'', "\\(aq").replace('`', "\\(ga");
        text.push_str(&format!("{line}\n"));
    }
    text + ".EE\n"
}

/// ERROR CODES: every word `code` can have, and what it means.
fn codes() -> String {
    let mut roff = Roff::new();
    roff.control("SH", ["ERROR CODES"]);
    for code in Code::ALL {
        roff.control("TP", []);
        roff.text([bold(code.as_str())]);
        roff.text([roman(code.meaning())]);
    }
    roff.to_roff()
}

fn title(name: &str, section: u8) -> String {
    let (name, section) = (name.to_uppercase(), section.to_string());
    Roff::new()
        .control(
            "TH",
            [
                name.as_str(),
                section.as_str(),
                "",
                "git-lane",
                "Git Lane Manual",
            ],
        )
        .render()
}

fn about(command: &Command) -> String {
    command
        .get_about()
        .map(ToString::to_string)
        .unwrap_or_default()
}

/// NAME and SYNOPSIS.
fn head(command: &Command, name: &str) -> String {
    let usage = command.clone().render_usage().to_string();
    let called = command.get_bin_name().unwrap_or(name);
    let mut roff = Roff::new();
    // `name \- what it does` in one line is what makewhatis(8) looks for.
    roff.control("SH", ["NAME"]).text([roman(format!(
        "{name} - {}",
        lower(&about(command)).replace('`', "")
    ))]);
    roff.control("SH", ["SYNOPSIS"]);
    for (index, form) in usage
        .trim_start_matches("Usage:")
        .lines()
        .map(str::trim)
        .enumerate()
    {
        if index > 0 {
            roff.control("br", []);
        }
        roff.text([
            bold(called),
            roman(form.strip_prefix(called).unwrap_or(form)),
        ]);
    }
    title(name, 1) + &roff.to_roff()
}

/// DESCRIPTION, from the comment of the verb's arguments.
fn description(verb: &Command) -> String {
    let text = verb
        .get_long_about()
        .map_or_else(|| about(verb), ToString::to_string);
    let mut roff = Roff::new();
    roff.control("SH", ["DESCRIPTION"]);
    for (index, paragraph) in text.split("\n\n").enumerate() {
        if index > 0 {
            roff.control("PP", []);
        }
        let stop = if paragraph.ends_with(['.', ':', '!', '?']) {
            ""
        } else {
            "."
        };
        roff.text([roman(format!("{}{stop}", paragraph.trim()))]);
    }
    code_in_bold(&roff.to_roff())
}

/// OPTIONS, as clap_mangen renders them, without the preamble it puts before every part.
fn options(text: &mut String, command: &Command) {
    let command = command.clone().mut_args(|arg| match arg.get_id().as_str() {
        "help" => arg
            .help("Print a summary of the options")
            .long_help(None)
            .display_order(1001),
        // What every verb takes comes after what this one takes.
        _ if arg.is_global_set() => arg.display_order(1000),
        _ => arg,
    });
    let mut bytes = Vec::new();
    // Writing to a Vec cannot fail.
    let _ = Man::new(command).render_options_section(&mut bytes);
    let rendered = String::from_utf8_lossy(&bytes).into_owned();
    text.push_str(&code_in_bold(
        rendered.find(".SH").map_or("", |at| &rendered[at..]),
    ));
}

/// Sets what stands between backquotes in a comment in bold.
fn code_in_bold(roff: &str) -> String {
    let mut parts = roff.split('`');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for (index, part) in parts.enumerate() {
        text.push_str(if index % 2 == 0 { "\\fB" } else { "\\fR" });
        text.push_str(part);
    }
    text
}

/// The exit codes, from [`Kind`].
fn exit_status() -> String {
    let mut roff = Roff::new();
    roff.control("SH", ["EXIT STATUS"]);
    let success = std::iter::once((0, "done"));
    for (code, meaning) in success.chain(Kind::ALL.map(|kind| (kind.exit_code(), kind.meaning()))) {
        roff.control("TP", [])
            .text([bold(code.to_string())])
            .text([roman(format!("{meaning}."))]);
    }
    roff.to_roff()
}

/// The keys of `lane.toml`, from their table.
fn keys() -> String {
    let mut roff = Roff::new();
    let entry = |roff: &mut Roff, key: &Key| {
        let default = if key.optional() { "unset" } else { key.default };
        roff.control("TP", [])
            .text([bold(key.name), roman(format!(" (default: {default})"))]);
        roff.text([roman(key.meaning)]);
    };
    KEYS.iter().for_each(|key| entry(&mut roff, key));
    roff.to_roff()
}

fn see_also(pages: &[String]) -> String {
    let mut roff = Roff::new();
    roff.control("SH", ["SEE ALSO"]);
    let mut line = Vec::new();
    for (index, page) in pages.iter().enumerate() {
        let (name, section) = page.split_at(page.len() - "(1)".len());
        line.push(bold(name));
        line.push(roman(if index + 1 < pages.len() {
            format!("{section}, ")
        } else {
            section.to_owned()
        }));
    }
    roff.text(line);
    roff.to_roff()
}

fn lower(sentence: &str) -> String {
    let mut chars = sentence.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(chars).collect()
    })
}

/// No space at a line's end, no empty lines: roff would take both for layout.
fn tidy(text: &str) -> String {
    let mut tidy = String::with_capacity(text.len());
    for line in text.lines().map(str::trim_end) {
        tidy.push_str(if line.is_empty() { ".sp" } else { line });
        tidy.push('\n');
    }
    tidy
}
