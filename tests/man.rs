//! The manual: what is in `man/` is what the program says of itself, and man(1) finds it where it
//! is put.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use clap::CommandFactory;
use git_lane::cli::Cli;
use git_lane::internals::KEYS;
use git_lane::internals::Kind;
use git_lane::internals::{Page, pages, written};

use crate::support::{Sandbox, installed};

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("man")
}

fn on_disk() -> BTreeMap<String, String> {
    let files = std::fs::read_dir(directory())
        .unwrap()
        .flatten()
        .filter(|entry| entry.path().is_file());
    files
        .map(|entry| {
            (
                entry.file_name().to_string_lossy().into_owned(),
                std::fs::read_to_string(entry.path()).unwrap(),
            )
        })
        .collect()
}

fn page(name: &str) -> Page {
    pages(Cli::command())
        .into_iter()
        .find(|page| page.name == name)
        .unwrap_or_else(|| panic!("no page {name}"))
}

#[test]
fn the_pages_in_man_are_those_of_the_program() {
    let wanted: BTreeMap<String, String> = pages(Cli::command())
        .into_iter()
        .map(|page| (page.file_name(), page.text))
        .collect();
    if std::env::var_os("GIT_LANE_BLESS").is_some() {
        for stale in on_disk().keys().filter(|name| !wanted.contains_key(*name)) {
            std::fs::remove_file(directory().join(stale)).unwrap();
        }
        for (name, text) in &wanted {
            std::fs::write(directory().join(name), text).unwrap();
        }
    }
    let found = on_disk();
    let names = |pages: &BTreeMap<String, String>| pages.keys().cloned().collect::<Vec<_>>();
    let remedy = "write them with: GIT_LANE_BLESS=1 cargo test man";
    assert_eq!(names(&found), names(&wanted), "{remedy}");
    for (name, text) in &wanted {
        assert!(found[name] == *text, "man/{name} is out of date; {remedy}");
    }
}

#[test]
fn every_verb_and_every_option_says_what_it_does() {
    let mut command = Cli::command();
    command.build();
    for verb in command.get_subcommands().chain([&command]) {
        let name = verb.get_name();
        let about = verb
            .get_about()
            .unwrap_or_else(|| panic!("{name} has no help"))
            .to_string();
        assert!(
            !about.ends_with('.'),
            "{name}: the summary is no sentence: {about}"
        );
        for arg in verb.get_arguments() {
            assert!(
                arg.get_help().is_some(),
                "{name}: {} has no help",
                arg.get_id()
            );
        }
    }
}

#[test]
fn every_verb_has_a_page_with_examples() {
    let command = Cli::command();
    for verb in command.get_subcommands().filter(|verb| !verb.is_hide_set()) {
        let page = page(&format!("git-lane-{}", verb.get_name()));
        for section in [
            "NAME",
            "SYNOPSIS",
            "DESCRIPTION",
            "OPTIONS",
            "EXAMPLES",
            "\"EXIT STATUS\"",
            "\"SEE ALSO\"",
        ] {
            let count = page
                .text
                .lines()
                .filter(|line| *line == format!(".SH {section}"))
                .count();
            assert_eq!(count, 1, "{}: {section}", page.name);
        }
        assert!(page.text.contains("git lane"), "{}", page.name);
        assert!(
            page_of_all().contains(&format!("\\fB{}\\fR(1)", page.name.replace('-', "\\-"))),
            "{}",
            page.name
        );
    }
}

fn page_of_all() -> String {
    page("git-lane").text
}

#[test]
fn examples_use_options_that_exist() {
    let mut command = Cli::command();
    command.build();
    for verb in command.get_subcommands().filter(|verb| !verb.is_hide_set()) {
        let text = written(&format!("git-lane-{}", verb.get_name()))
            .unwrap()
            .replace("\\-", "-");
        let name = format!("git lane {} ", verb.get_name());
        for example in text
            .lines()
            .filter(|line| line.starts_with("$ ") && line.contains(&name))
        {
            let (_, rest) = example.split_once(&name).unwrap();
            // What follows is for another program.
            let own = rest.split_whitespace().take_while(|word| *word != "--");
            for word in own.filter(|word| word.starts_with("--")) {
                let known = verb
                    .get_arguments()
                    .any(|arg| arg.get_long() == Some(&word[2..]));
                assert!(known, "{example}: {word}");
            }
        }
    }
}

#[test]
fn the_exit_codes_are_those_of_the_program() {
    for page in pages(Cli::command())
        .into_iter()
        .filter(|page| page.section == 1)
    {
        let (_, table) = page.text.split_once(".SH \"EXIT STATUS\"\n").unwrap();
        let (table, _) = table.split_once(".SH ").unwrap();
        let mut wanted = String::from(".TP\n\\fB0\\fR\ndone.\n");
        for kind in Kind::ALL {
            wanted.push_str(&format!(
                ".TP\n\\fB{}\\fR\n{}.\n",
                kind.exit_code(),
                kind.meaning()
            ));
        }
        assert_eq!(table, wanted, "{}", page.name);
    }
}

#[test]
fn every_key_of_the_policy_is_described() {
    let text = page("git-lane-config").text.replace("\\-", "-");
    for key in KEYS {
        assert!(
            text.contains(&format!("\\fB{}\\fR (default: ", key.name)),
            "{}",
            key.name
        );
    }
}

#[test]
fn pages_have_no_date_no_version_and_no_loose_ends() {
    for page in pages(Cli::command()) {
        assert!(
            !page.text.contains(env!("CARGO_PKG_VERSION")),
            "{}",
            page.name
        );
        assert!(
            !page.text.contains('`') && !page.text.contains('@'),
            "{}",
            page.name
        );
        assert!(
            page.text.ends_with('\n') && !page.text.ends_with("\n\n"),
            "{}",
            page.name
        );
        for line in page.text.lines() {
            assert_eq!(line.trim_end(), line, "{}", page.name);
            assert!(!line.is_empty(), "{}", page.name);
        }
    }
}

/// Every field of `document`, however deep.
fn fields(document: &serde_json::Value, found: &mut BTreeSet<String>) {
    match document {
        serde_json::Value::Object(object) => {
            for (name, value) in object {
                found.insert(name.clone());
                fields(value, found);
            }
        }
        serde_json::Value::Array(array) => array.iter().for_each(|value| fields(value, found)),
        _ => {}
    }
}

#[test]
fn every_field_of_every_document_is_described() {
    let sandbox = Sandbox::new();
    let text = page("git-lane-json").text;
    let section = |verb: &str| {
        let title = verb.to_uppercase();
        let named = |part: &&str| {
            part.lines()
                .next()
                .is_some_and(|heading| heading.split(' ').any(|word| word == title))
        };
        let found = text.split("\n.SH ").find(named);
        found
            .unwrap_or_else(|| panic!("no section about {verb}"))
            .to_owned()
    };
    let out = sandbox.root().join("pages").display().to_string();
    let own = std::process::id().to_string();
    sandbox.add_worktree("by-hand", &sandbox.root().join("by-hand"));
    let runs: [&[&str]; 44] = [
        &["adopt", "--dry-run", "by-hand"],
        &["adopt", "--all"],
        &["drop", "by-hand"],
        &["start", "login", "other", "third"],
        &["start", "--dry-run", "fourth"],
        &["list"],
        &["list", "--no-status"],
        &["show", "login"],
        &["path", "login"],
        &["finish", "--dry-run", "login"],
        &["check", "login"],
        &["check", "login", "--strategy", "merge"],
        &["check", "other", "--path", "new.txt"],
        &["sync", "login"],
        &["try", "login"],
        &["try", "--back"],
        &["mark", "login", "ready"],
        &["rename", "third", "last"],
        &["move", "last", "../third"],
        &["base", "last"],
        &["base", "last", "other"],
        &["claim", "other", "--pid", &own],
        &["release", "other"],
        &["finish", "login"],
        &["drop", "--dry-run", "other"],
        &["drop", "--yes", "other"],
        &["trash"],
        &["restore", "other"],
        &["undo", "--list"],
        &["undo", "other"],
        &["prune", "--dry-run"],
        &["prune", "--yes"],
        &["log"],
        &["config"],
        &["init", "--files"],
        &["init", "--check"],
        &["init", "--uninstall"],
        &["init", "--global", "--print"],
        &["base", "last", "main"],
        &["doctor"],
        &["config", "trash.days"],
        &["approve"],
        &["approve", "--list"],
        &["man", "--output", &out],
    ];
    let command = Cli::command();
    for args in runs
        .into_iter()
        .filter(|args| command.find_subcommand(args[0]).is_some())
    {
        if args == ["finish", "--dry-run", "login"] {
            let _ = sandbox.work("login", "new.txt", "new\n");
        }
        let document = sandbox.lane(args.iter().chain(&["--json"])).json();
        assert_eq!(document["version"], 2, "{args:?}");
        let mut found = BTreeSet::new();
        fields(&document, &mut found);
        found.remove("version");
        let section = section(args[0]);
        let words: BTreeSet<&str> = section.split(|c: char| !c.is_alphanumeric()).collect();
        for field in found {
            assert!(
                words.contains(field.as_str()),
                "{args:?}: {field} is not in git-lane-json(7)"
            );
        }
    }
}

#[test]
fn groff_and_man_have_nothing_to_complain_about() {
    let sandbox = Sandbox::empty();
    let target = sandbox.root().join("pages");
    let _ = sandbox
        .lane(["man".as_ref(), "--output".as_ref(), target.as_os_str()])
        .ok();
    for page in pages(Cli::command()) {
        let file = target.join(page.file_name());
        let formatters: [(&str, &[&str]); 2] = [
            ("groff", &["-ww", "-mandoc", "-Tutf8", "-z"]),
            ("man", &["--warnings", "-E", "UTF-8", "-l"]),
        ];
        for (program, args) in formatters
            .into_iter()
            .filter(|(program, _)| installed(program))
        {
            let run = sandbox.run(sandbox.command(program).args(args).arg(&file));
            assert_eq!(
                (run.code, run.stderr.as_str()),
                (0, ""),
                "{program} {}",
                page.name
            );
        }
    }
}

#[test]
fn after_the_installation_git_opens_the_pages() {
    let sandbox = Sandbox::empty();
    let prefix = sandbox.root().join("prefix");
    std::fs::create_dir_all(prefix.join("bin")).unwrap();
    std::fs::copy(env!("CARGO_BIN_EXE_git-lane"), prefix.join("bin/git-lane")).unwrap();
    let path = format!(
        "{}/bin:{}/bin:/usr/bin:/bin",
        prefix.display(),
        sandbox.root().display()
    );
    std::fs::remove_file(sandbox.root().join("bin/git-lane")).unwrap();
    let command = |program: &str, args: &[&str]| {
        let mut command = sandbox.command(program);
        command
            .args(args)
            .env("PATH", &path)
            .env("PAGER", "cat")
            .env("GIT_PAGER", "cat");
        command
    };

    let told = sandbox
        .run(&mut command("git", &["lane", "man", "--install"]))
        .ok();
    let place = prefix.join("share/man");
    assert!(
        told.contains(&format!(
            "{} pages in {}",
            pages(Cli::command()).len(),
            place.display()
        )),
        "{told}"
    );
    assert!(
        place.join("man1/git-lane.1").is_file() && place.join("man7/git-lane-json.7").is_file()
    );

    if !installed("man") {
        return;
    }
    for args in [
        vec!["lane", "--help"],
        vec!["help", "lane"],
        vec!["help", "git-lane-config"],
    ] {
        let shown = sandbox.run(&mut command("git", &args)).ok();
        assert!(shown.starts_with("GIT-LANE"), "{args:?}: {shown}");
    }
}

#[test]
fn a_program_in_no_bin_directory_uses_the_home_and_says_what_is_missing() {
    let sandbox = Sandbox::empty();
    let elsewhere = sandbox.root().join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    // By another process: a file open for writing here, which a test beside this one may inherit,
    // cannot be started.
    let mut copy = sandbox.command("cp");
    sandbox
        .run(
            copy.arg(env!("CARGO_BIN_EXE_git-lane"))
                .arg(elsewhere.join("git-lane")),
        )
        .ok();
    let run = |home: bool| {
        let mut command = sandbox.command(elsewhere.join("git-lane").to_str().unwrap());
        command.args(["man", "--install"]);
        if !home {
            command.env_remove("HOME");
        }
        sandbox.run(&mut command)
    };
    let told = run(true);
    let place = sandbox.root().join("home/.local/share/man");
    assert!(
        told.stderr
            .contains(&format!("hint: export MANPATH='{}:'", place.display())),
        "{told}"
    );
    assert!(told.ok().contains(&place.display().to_string()));
    assert!(place.join("man1/git-lane.1").is_file());
    assert!(
        run(false)
            .fails(4)
            .contains("hint: name one: git lane man --install DIR")
    );
}
