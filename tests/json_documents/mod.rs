//! git-lane-json(7) and the documents that git-lane prints name the same fields, and the same words
//! where a field has a fixed choice of them.

mod of_many;
mod of_syncs;
mod tries;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;

use serde_json::Value;

use crate::json_words::{CHOICES, CODED, ELSEWHERE, NO_WORDS};
use crate::support::{Sandbox, fits, unmet_forms, write};

/// The words in bold of one section of the manual.
fn bold(section: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for line in section.lines() {
        let (macro_name, rest) = line.split_once(' ').unwrap_or((line, ""));
        let mut words = Vec::new();
        let mut rest = rest.trim_start();
        while !rest.is_empty() {
            let (word, after) = match rest.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
                None => rest.split_once(' ').unwrap_or((rest, "")),
            };
            words.push(word);
            rest = after.trim_start();
        }
        let words: Vec<&str> = match macro_name {
            ".B" => vec![rest_of(line)],
            ".BR" => words.into_iter().step_by(2).collect(),
            ".RB" => words.into_iter().skip(1).step_by(2).collect(),
            _ => Vec::new(),
        };
        found.extend(
            words
                .into_iter()
                .map(|word| word.replace("\\-", "-"))
                .filter(|word| !word.contains(' ')),
        );
    }
    found
}

fn rest_of(line: &str) -> &str {
    line.split_once(' ').map_or("", |(_, rest)| rest)
}

/// The sections by the verbs of their titles.
pub fn manual() -> Vec<(String, BTreeSet<String>)> {
    let page = include_str!("../../man/sections/git-lane-json.roff");
    page.split(".SH ")
        .map(|part| {
            (
                part.lines().next().unwrap_or_default().to_lowercase(),
                bold(part),
            )
        })
        .collect()
}

/// The fields of a document, and the values of those that have a choice.
fn words_of(document: &Value, words: &mut BTreeSet<String>) {
    match document {
        Value::Object(object) => {
            for (name, value) in object {
                words.insert(name.clone());
                // Its fields are named by the user, or are those of JSON Schema.
                if name == "set" || name == "schema" {
                    continue;
                }
                match value.as_str() {
                    Some(text) if CHOICES.contains(&name.as_str()) => {
                        _ = words.insert(text.to_owned())
                    }
                    _ => words_of(value, words),
                }
                if CODED.contains(&name.as_str()) {
                    let one = std::slice::from_ref(value);
                    let all = value.as_array().map_or(one, Vec::as_slice);
                    let codes = all.iter().filter_map(|coded| coded["code"].as_str());
                    words.extend(codes.map(str::to_owned));
                }
            }
        }
        Value::Array(array) => array.iter().for_each(|value| words_of(value, words)),
        _ => {}
    }
}

/// Every word that the documents of a section have used, and the documents by their verbs.
#[derive(Default)]
struct Met(BTreeMap<String, BTreeSet<String>>, Vec<(String, Value)>);

impl Met {
    /// Runs a command and holds its document against the manual.
    fn run<A: AsRef<OsStr>>(
        &mut self,
        sandbox: &Sandbox,
        args: impl IntoIterator<Item = A>,
    ) -> Value {
        let args = args.into_iter().map(|arg| arg.as_ref().to_owned());
        let args: Vec<_> = std::iter::once("--json".into()).chain(args).collect();
        let run = sandbox.lane(&args);
        let mut document: Value =
            serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run}"));
        let whole = document.clone();
        let manual = manual();
        let verb = args[1].to_str().unwrap();
        let title = |title: &str| title.split(' ').any(|word| word == verb);
        let (section, known) = manual
            .iter()
            .find(|(found, _)| title(found))
            .unwrap_or_else(|| panic!("{verb}"));
        assert_eq!(document["version"], 2, "{run}");
        let fields = document.as_object_mut().unwrap();
        fields.remove("version");
        let failure = fields.remove("error");
        // Each of several lanes has a failure of its own.
        let lanes = fields.get_mut("lanes").and_then(Value::as_array_mut);
        let mut failures: Vec<Value> = lanes
            .into_iter()
            .flatten()
            .filter_map(|lane| lane.as_object_mut()?.remove("error"))
            .collect();
        // Other sections have some of it "as in the trash".
        let trash = &manual.iter().find(|(title, _)| title == "trash").unwrap().1;
        let errors = &manual
            .iter()
            .find(|(title, _)| title == "errors")
            .unwrap()
            .1;
        failures.extend(failure);
        for (part, section, known) in std::iter::once((&document, section.as_str(), known))
            .chain(failures.iter().map(|error| (error, "errors", errors)))
        {
            let mut words = BTreeSet::new();
            words_of(part, &mut words);
            for word in &words {
                let documented = known.contains(word) || trash.contains(word);
                assert!(
                    documented,
                    "'{word}' is not in the section {section} of git-lane-json(7): {run}"
                );
            }
            self.0.entry(section.to_owned()).or_default().extend(words);
        }
        self.1.push((verb.to_owned(), whole.clone()));
        whole
    }

    /// Every word in bold was met, in its own section's documents.
    fn ensure_all(&self) {
        let mut missing = Vec::new();
        for (section, known) in manual()
            .into_iter()
            .filter(|(title, _)| self.0.contains_key(title))
        {
            let met = &self.0[&section];
            let elsewhere = ELSEWHERE
                .iter()
                .find(|(title, _)| *title == section)
                .map_or(&[][..], |(_, words)| words);
            for word in known
                .iter()
                .map(String::as_str)
                .filter(|word| !word.starts_with('-') && !NO_WORDS.contains(word))
            {
                match (met.contains(word), elsewhere.contains(&word)) {
                    (false, false) => missing.push(format!("{section}: {word} is never met")),
                    (true, true) => {
                        missing.push(format!("{section}: {word} is met and need not be left out"))
                    }
                    _ => {}
                }
            }
        }
        assert!(missing.is_empty(), "{missing:#?}");
    }
}

#[test]
fn every_word_is_documented_and_met() {
    let sandbox = Sandbox::new();
    let mut met = Met::default();
    let out = sandbox.root().join("pages").display().to_string();
    for args in [
        &["start", "-n", "login"][..],
        &[
            "start",
            "login",
            "other",
            "third",
            "conflicting",
            "hooked",
            "gone",
        ],
        &["start", "login"],
        &["start", "detached", "--detach"],
        &[
            "start", "-n", "held", "--claim", "--task", "T", "--set", "seed=7",
        ],
        &["start", "held", "--claim", "--task", "T", "--set", "seed=7"],
        &["start", "second", "--unique", "--task", "T"],
        &["start", "--from", "README"],
        &["start", "look", "--read-only"],
        &["path", "login"],
        &["completions", "bash"],
        &["completions", "zsh"],
        &["completions", "fish"],
        &["shell-init", "sh"],
        &["shell-init", "fish"],
        &["config"],
        &["config", "trash.days"],
        &["man", "--output", &out],
        &["man", "--schema"],
        &["init", "--check"],
        &["init"],
        &["init", "--check"],
        &["init", "--uninstall"],
        &["init", "--global", "--print"],
        &["doctor"],
        &["path", "nobody"],
    ] {
        met.run(&sandbox, args);
    }
    // States.
    let place = |name: &str| sandbox.lane_path(name);
    write(&place("other").join("new"), "new");
    sandbox.git([
        "-C",
        place("third").to_str().unwrap(),
        "switch",
        "-q",
        "-c",
        "elsewhere",
    ]);
    std::fs::remove_dir_all(place("gone")).unwrap();
    sandbox.work("conflicting", "file", "theirs\n");
    sandbox.write("file", "ours\n");
    sandbox.commit("ours");
    for args in [
        &["list"][..],
        &["list", "--no-status"],
        &["show", "other"],
        &["show", "third"],
        &["finish", "conflicting"],
        &["finish", "-n", "other"],
        &["finish", "other"],
        &["drop", "other"],
        &["drop", "-n", "--yes", "other"],
        &["drop", "--yes", "other"],
        &["trash"],
        &["restore", "other"],
        &["prune", "-n"],
        &["prune", "--yes"],
        &["doctor"],
        &["doctor", "--fix"],
    ] {
        met.run(&sandbox, args);
    }
    sandbox.work("login", "work", "work\n");
    met.run(&sandbox, ["finish", "-n", "login"]);
    sandbox.hook("pre-merge-commit", "exit 3");
    met.run(&sandbox, ["finish", "login"]);
    std::fs::remove_file(sandbox.repo.join(".git/hooks/pre-merge-commit")).unwrap();
    met.run(&sandbox, ["finish", "login"]);
    for args in [
        &["undo", "-n", "login"][..],
        &["undo", "login"],
        &["finish", "login"],
    ] {
        met.run(&sandbox, args);
    }
    sandbox.git(["merge", "-q", "--no-edit", "third"]);
    sandbox.work("hooked", "hooked", "work\n");
    sandbox.git(["merge", "-q", "--no-edit", "hooked"]);
    met.run(&sandbox, ["prune", "--yes"]);
    write(&place("detached").join("README"), "changed");
    sandbox.git(["-C", place("detached").to_str().unwrap(), "add", "-A"]);
    write(&place("detached").join("file"), "changed");
    met.run(&sandbox, ["drop", "--yes", "detached"]);
    met.run(&sandbox, ["trash"]);
    let mut other = sandbox.command("git-lane");
    sandbox
        .run(
            other
                .args(["start", "of-another"])
                .env("GIT_LANE_OWNER", "claude:1"),
        )
        .ok();
    met.run(&sandbox, ["start", "of-another"]);
    for command in ["false", "true"] {
        met.run(&sandbox, ["exec", "of-another", "--", command]);
    }
    // What is in the way of a landing.
    sandbox.lane(["start", "blocked"]).ok();
    sandbox.work("blocked", "blocked", "work\n");
    write(&sandbox.repo.join("blocked"), "mine");
    met.run(&sandbox, ["finish", "blocked"]);
    // A conflict that is resolved, and one that is not.
    sandbox.lane(["start", "collides"]).ok();
    sandbox.work("collides", "collision", "lane\n");
    sandbox.write("collision", "base\n");
    sandbox.git(["add", "collision"]);
    sandbox.git(["commit", "-qm", "collides", "collision"]);
    for resolver in ["echo both >collision; exit 1", "echo both >collision"] {
        met.run(&sandbox, ["finish", "collides", "--on-conflict", resolver]);
    }
    // A branch that only a remote has, a record and a worktree that are damaged.
    sandbox.git(["remote", "add", "origin", "."]);
    sandbox.git(["update-ref", "refs/remotes/origin/feature", "HEAD"]);
    met.run(&sandbox, ["start", "feature"]);
    sandbox.git(["config", "lane.strange.path", "relative"]);
    std::fs::remove_file(place("feature").join(".git")).unwrap();
    met.run(&sandbox, ["list"]);
    // Failures of every kind.
    met.run(&sandbox, ["start"]);
    sandbox.hook(
        "reference-transaction",
        "[ \"$1\" != prepared ] || ! grep -q refs/heads/refused",
    );
    met.run(&sandbox, ["start", "refused"]);
    // The layers of the policy, and a trash whose time is up.
    write(
        &sandbox.root().join("home/.config/git-lane/lane.toml"),
        "start.fetch = false\n",
    );
    sandbox.write(
        "lane.toml",
        "[finish]\nstrategy = \"squash\"\ngate = \"true\"\n",
    );
    sandbox.commit("policy");
    sandbox.work("blocked", "lane.toml", "finish.gate = \"make\"\n");
    write(
        &sandbox.repo.join(".git/lane/lane.toml"),
        "finish.gate = \"false\"\n[trash]\nsize = 1\n",
    );
    let asked = met.run(&sandbox, ["approve", "blocked"]);
    met.run(&sandbox, ["approve", "--list"]);
    let digest = asked["lists"][0]["digest"].as_str().unwrap();
    let approvals = sandbox.root().join("home/.local/state/git-lane/approvals");
    write(&approvals.join(digest), "[\"true\"]");
    met.run(&sandbox, ["approve", "--revoke", digest]);
    for args in [
        &["config"][..],
        &["trash", "--expire", "-n"],
        &["trash", "--expire"],
        &["log"],
        &["log", "--summary"],
        &["undo", "--list"],
    ] {
        met.run(&sandbox, args);
    }
    write(
        &sandbox.repo.join(".git/lane/lane.toml"),
        "[trash]\ndays = \"no\"\n",
    );
    met.run(&sandbox, ["finish", "blocked"]);
    meet_gates(&mut met);
    of_syncs::meet(&mut met);
    tries::meet(&mut met);
    of_many::meet(&mut met);
    met.ensure_all();
    assert_eq!(unmet_forms(&met.1), Vec::<String>::new());
    ensure_closed(&met.1);
}

/// No field of a document can be renamed and the schema still have it.
fn ensure_closed(met: &[(String, Value)]) {
    let mut seen = BTreeSet::new();
    for (verb, document) in met {
        for place in fields(document, "") {
            let names = place
                .split('/')
                .filter(|name| name.parse::<usize>().is_err());
            if !seen.insert((verb, names.map(str::to_owned).collect::<Vec<_>>())) {
                continue;
            }
            let mut renamed = document.clone();
            let (above, name) = place.rsplit_once('/').unwrap();
            let above = renamed.pointer_mut(above).unwrap().as_object_mut().unwrap();
            let value = above.remove(name).unwrap();
            above.insert(format!("{name}2"), value);
            assert!(!fits(verb, &renamed), "{verb}: {place} in {document:#}");
        }
    }
    assert!(seen.len() > 500, "{}", seen.len());
}

/// The places of all fields in it, but for those that the user names.
fn fields(value: &Value, above: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut inside = |name: &str, value: &Value| {
        let place = format!("{above}/{name}");
        if !["set", "schema"].contains(&name) {
            found.extend(fields(value, &place));
        }
        if value_is_field(name) {
            found.push(place);
        }
    };
    match value {
        Value::Object(object) => object.iter().for_each(|(name, value)| inside(name, value)),
        Value::Array(array) => array
            .iter()
            .enumerate()
            .for_each(|(at, value)| inside(&at.to_string(), value)),
        _ => {}
    }
    found
}

/// Whether that is a name and no place in an array.
fn value_is_field(name: &str) -> bool {
    name.parse::<usize>().is_err()
}

/// Several lanes at once, behind a gate: each verdict there is.
fn meet_gates(met: &mut Met) {
    let sandbox = Sandbox::new();
    let policy = sandbox.root().join("home/.config/git-lane/lane.toml");
    let gate = "test ! -e bad && ! { test -e one && test -e two; } || ! echo no";
    write(&policy, format!("finish.gate = \"{gate}\"\n"));
    let all = ["one", "two", "bad", "even", "dirty", "conflicting", "left"];
    sandbox.lane(["start"].iter().chain(&all)).ok();
    for name in ["one", "two", "bad", "left"] {
        sandbox.work(name, name, "work\n");
    }
    write(&sandbox.lane_path("dirty").join("new"), "new");
    sandbox.work("conflicting", "file", "theirs\n");
    sandbox.write("file", "ours\n");
    sandbox.commit("ours");
    met.run(&sandbox, ["check", "one", "--gate"]);
    met.run(&sandbox, ["check"]);
    met.run(&sandbox, ["check", "--path", "file"]);
    let several = [
        "finish",
        "one",
        "two",
        "bad",
        "even",
        "dirty",
        "conflicting",
    ];
    met.run(&sandbox, several);
    sandbox.lane(["start", "last"]).ok();
    met.run(&sandbox, ["finish", "left", "last", "--no-land", "--force"]);
    met.run(&sandbox, ["undo", "--list"]);
    met.run(&sandbox, ["undo", "-n", "one"]);
}
