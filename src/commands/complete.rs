//! `git-lane complete`: the candidates for the word being typed, one a line; the shells' scripts
//! call it.
//!
//! clap knows verbs, options and words. What a value may be is decided here from its name on the
//! command line, so a verb that takes a lane's NAME completes lanes without doing anything for it.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bstr::ByteSlice;
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate, complete};

use crate::domain::adopt::branch_of;
use crate::domain::lane::{Lane, Worktree};
use crate::domain::lane_status::LaneStatus;
use crate::domain::name::BranchName;
use crate::error::Result;
use crate::operations::adopt;
use crate::policy::KEYS;
use crate::repository::Repository;
use crate::store::approvals::Approvals;
use crate::store::lane_files;
use crate::ui::{Ui, escape};

/// Print the candidates for the last of the words, which is being typed
#[derive(Debug, clap::Args)]
#[command(hide = true)]
pub struct Args {
    /// Print a line before them: 'names' where no file can be meant, else 'files'
    #[arg(long)]
    kind: bool,
    /// The command line up to the cursor, the command first
    #[arg(last = true, value_name = "WORD")]
    words: Vec<OsString>,
}

/// Prints the candidates, each followed by a tab and its description where it has one.
pub fn run(args: Args, cli: clap::Command, ui: &Ui) -> Result<()> {
    let words = args.words;
    let Some(current) = words.last().cloned() else {
        return Ok(());
    };
    stand_where_asked(&words);
    let mut found = Vec::new();
    if words.len() == 2 && words[0] == "lane" {
        // The shell function of that name goes into lanes.
        found = lanes();
        found.retain(|candidate| {
            candidate
                .get_value()
                .as_bytes()
                .starts_with(current.as_bytes())
        });
    }
    let cwd = std::env::current_dir().ok();
    let at = words.len() - 1;
    let names = Arc::new(AtomicBool::new(false));
    let mut command = command(cli, &names);
    // clap would go on offering verbs after one it does not know, and lanes in the command of exec.
    let is_known = |verb: &OsString| {
        let is_command = verb == "exec" && words[..at].iter().any(|word| word == "--");
        command.find_subcommand(verb).is_some() && !is_command
    };
    if verb(&words[..at]).is_none_or(is_known) {
        found.extend(complete(&mut command, words, at, cwd.as_deref()).unwrap_or_default());
    }
    let wants_options = current.as_bytes().starts_with(b"-");
    let mut lines = Vec::new();
    if args.kind {
        let only_names = names.load(Ordering::Relaxed) && !wants_options;
        lines.extend_from_slice(if only_names { b"names\n" } else { b"files\n" });
    }
    for candidate in found {
        let value = candidate.get_value().as_bytes();
        let option = value.starts_with(b"-");
        if candidate.is_hide_set()
            || option != wants_options
            || value.iter().any(u8::is_ascii_control)
        {
            continue;
        }
        lines.extend_from_slice(value);
        if let Some(help) = candidate.get_help() {
            lines.push(b'\t');
            lines.extend_from_slice(
                help.to_string()
                    .lines()
                    .next()
                    .unwrap_or_default()
                    .as_bytes(),
            );
        }
        lines.push(b'\n');
    }
    ui.raw(&lines);
    Ok(())
}

/// The first word after the command that is neither an option nor the value of `-C`.
fn verb(words: &[OsString]) -> Option<&OsString> {
    let pairs = words
        .windows(2)
        .find(|pair| pair[0] != "-C" && !pair[1].as_bytes().starts_with(b"-"));
    pairs.map(|pair| &pair[1])
}

/// Follows the `-C` of the line that is being typed; a directory that does not exist yet changes
/// nothing.
fn stand_where_asked(words: &[OsString]) {
    for pair in words.windows(2) {
        if pair[0] == "-C" {
            let _ = std::env::set_current_dir(&pair[1]);
        }
    }
}

/// The command line's definition, with candidates for every value that names something; `names` says
/// afterwards whether such a value was asked for.
fn command(cli: clap::Command, names: &Arc<AtomicBool>) -> clap::Command {
    let mut command = cli;
    let verbs: Vec<String> = command
        .get_subcommands()
        .map(|verb| verb.get_name().to_owned())
        .collect();
    for verb in verbs {
        command = command.mut_subcommand(&verb, |sub| {
            let args: Vec<_> = sub
                .get_arguments()
                .map(|arg| (arg.get_id().clone(), source(&verb, arg)))
                .collect();
            // clap puts the one that is changed behind all others: so each is.
            args.into_iter().fold(sub, |sub, (id, source)| {
                sub.mut_arg(id, |arg| match source {
                    Some(source) => {
                        let names = names.clone();
                        arg.add(ArgValueCandidates::new(move || {
                            names.store(true, Ordering::Relaxed);
                            source()
                        }))
                    }
                    None => arg,
                })
            })
        });
    }
    command
}

type Source = fn() -> Vec<CompletionCandidate>;

fn source(verb: &str, arg: &clap::Arg) -> Option<Source> {
    let value = arg
        .get_value_names()
        .and_then(|names| names.first())
        .map_or("", |name| name.as_str());
    Some(match (verb, arg.get_long()) {
        (_, Some("base" | "into" | "branch")) => branches,
        (_, Some("owner")) => owners,
        ("approve", Some("revoke")) => approvals,
        (_, Some(_)) => return None,
        ("config", None) if value == "KEY" => keys,
        ("restore", None) => removed,
        ("undo", None) => with_removed,
        ("mark", None) => lanes_and_statuses,
        ("adopt", None) => without_a_lane,
        ("start", None) => without_a_worktree,
        ("base", None) if value == "REF" => branches,
        (_, None) if value == "NAME" => lanes,
        _ => return None,
    })
}

fn recorded() -> Vec<Lane> {
    Repository::discover()
        .and_then(|repository| repository.records())
        .map(|records| records.lanes)
        .unwrap_or_default()
}

fn candidate(value: impl Into<OsString>, help: Option<String>) -> CompletionCandidate {
    let help = help.map(|text| escape::line(text.lines().next().unwrap_or_default()));
    CompletionCandidate::new(value).help(help.map(Into::into))
}

/// What `mark` takes: a lane, and how far it is.
fn lanes_and_statuses() -> Vec<CompletionCandidate> {
    let statuses = LaneStatus::ALL.map(|status| CompletionCandidate::new(status.as_str()));
    lanes().into_iter().chain(statuses).collect()
}

fn lanes() -> Vec<CompletionCandidate> {
    let describe = |lane: &Lane| {
        lane.task
            .clone()
            .or_else(|| lane.owner.clone())
            .unwrap_or_else(|| "lane".into())
    };
    recorded()
        .iter()
        .map(|lane| candidate(lane.name.as_str(), Some(describe(lane))))
        .collect()
}

/// The worktrees that are no lanes, by their branches, else by their paths.
fn without_a_lane() -> Vec<CompletionCandidate> {
    let found = Repository::discover().and_then(|repository| adopt::without_a_lane(&repository));
    let worktrees = found.unwrap_or_default();
    let describe = |worktree: &Worktree| {
        let path = worktree.path.as_os_str();
        match branch_of(worktree) {
            Some(branch) => candidate(
                OsStr::from_bytes(branch.as_bstr()),
                Some(worktree.path.display().to_string()),
            ),
            None => candidate(path, Some("detached".into())),
        }
    };
    worktrees.iter().map(describe).collect()
}

/// The names by which a lane takes up a branch that is there, here or on a remote (a pull request
/// where the remote has a branch for it). Any other name is for the user to invent.
fn without_a_worktree() -> Vec<CompletionCandidate> {
    let Ok(repository) = Repository::discover() else {
        return Vec::new();
    };
    let template = repository.policy().map(|policy| policy.branch);
    let template = template.unwrap_or_else(|_| "{name}".to_owned());
    let Some((before, after)) = template.split_once("{name}") else {
        return Vec::new();
    };
    let name = |branch: &str| -> Option<String> {
        let name = branch.strip_prefix(before)?.strip_suffix(after)?;
        (!name.is_empty()).then(|| name.to_owned())
    };
    let refs = |prefix: &str| {
        let found = repository.refs_below(prefix).unwrap_or_default();
        let texts = found.into_iter();
        texts.filter_map(|(name, _)| name.as_bstr().to_str().ok().map(str::to_owned))
    };
    let worktrees = repository.worktrees().unwrap_or_default();
    let in_use = |branch: &str| {
        let branch = BranchName::parse(branch.into()).ok();
        branch.is_some_and(|branch| worktrees.iter().any(|worktree| worktree.uses(&branch)))
    };
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    for full in refs("refs/remotes/") {
        let rest = full.trim_start_matches("refs/remotes/").split_once('/');
        if let Some((remote, branch)) = rest.filter(|(_, branch)| *branch != "HEAD")
            && let Some(name) = name(branch)
        {
            found.insert(name, format!("branch of {remote}"));
        }
    }
    for full in refs("refs/heads/") {
        let branch = full.trim_start_matches("refs/heads/");
        if let Some(name) = name(branch) {
            match in_use(branch) {
                true => found.remove(&name),
                false => found.insert(name, "branch".to_owned()),
            };
        }
    }
    let found = found.into_iter();
    found
        .map(|(name, help)| candidate(name, Some(help)))
        .collect()
}

fn owners() -> Vec<CompletionCandidate> {
    let owners: BTreeSet<String> = recorded()
        .into_iter()
        .filter_map(|lane| lane.owner)
        .collect();
    owners
        .into_iter()
        .map(|owner| candidate(owner, None))
        .collect()
}

fn approvals() -> Vec<CompletionCandidate> {
    let all = Approvals::open().map(|approvals| approvals.all());
    all.unwrap_or_default()
        .into_iter()
        .map(|approval| candidate(approval.digest, approval.commands.first().cloned()))
        .collect()
}

fn branches() -> Vec<CompletionCandidate> {
    let Ok(repository) = Repository::discover() else {
        return Vec::new();
    };
    let all = ["refs/heads/", "refs/remotes/"]
        .into_iter()
        .filter_map(|prefix| repository.refs_below(prefix).ok());
    let short = |bytes: &[u8]| candidate(OsStr::from_bytes(bytes), None);
    all.flatten()
        .map(|(name, _)| short(name.shorten()))
        .collect()
}

/// The lanes in the trash, by name; read as loosely as a completion may.
fn removed() -> Vec<CompletionCandidate> {
    let Ok(repository) = Repository::discover() else {
        return Vec::new();
    };
    let name = |directory: std::path::PathBuf| {
        let bytes = lane_files::read(&directory.join("entry.json")).ok()?;
        let entry: serde_json::Value = serde_json::from_slice(&bytes).ok()?;
        Some((
            entry["lane"]["name"].as_str()?.to_owned(),
            entry["reason"].as_str().map(str::to_owned),
        ))
    };
    let names: BTreeMap<String, Option<String>> =
        lane_files::list(&repository.lane_dir().join("trash"))
            .filter_map(name)
            .collect();
    names
        .into_iter()
        .map(|(name, reason)| candidate(name, reason))
        .collect()
}

/// The lanes, and those in the trash.
fn with_removed() -> Vec<CompletionCandidate> {
    let mut found = lanes();
    let here: BTreeSet<OsString> = found
        .iter()
        .map(|candidate| candidate.get_value().to_owned())
        .collect();
    let gone = removed().into_iter();
    found.extend(gone.filter(|candidate| !here.contains(candidate.get_value())));
    found
}

fn keys() -> Vec<CompletionCandidate> {
    KEYS.iter()
        .map(|key| candidate(key.name, Some(key.meaning.to_owned())))
        .collect()
}
