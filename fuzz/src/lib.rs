//! What every parser of git-lane promises of any bytes: a panic here is a broken promise.
//!
//! The targets in `fuzz_targets` check it on what libFuzzer makes up, `tests/fuzz.rs` on the seeds
//! and on mutations of them.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use bstr::{BStr, ByteSlice};
use gix::config::File;
use serde::{Serialize, de::DeserializeOwned};

use git_lane::internals::About;
use git_lane::internals::Entry;
use git_lane::internals::Event;
use git_lane::internals::Intent;
use git_lane::internals::Records;
use git_lane::internals::escape;
use git_lane::internals::expand;
use git_lane::internals::mount_points;
use git_lane::internals::parse_head;
use git_lane::internals::parse_tasks;
use git_lane::internals::understands;
use git_lane::internals::worktree_path;
use git_lane::internals::{BranchName, LaneName};
use git_lane::internals::{Content, content, parse, put, text as file_text};
use git_lane::internals::{Entries, STAT};
use git_lane::internals::{Lane, LaneId, ObjectId, RefName};
use git_lane::internals::{Origin, Policy, Values};
use git_lane::internals::{guard_config, reference_transaction};

/// A check that takes any bytes.
pub type Target = fn(&[u8]);

/// Every target under the name of its file in `fuzz_targets`.
pub const TARGETS: &[(&str, Target)] = &[
    ("names", names),
    ("records", records),
    ("record_texts", record_texts),
    ("guard_config", guard_config),
    ("git_output", git_output),
    ("policy", policy),
    ("task_file", task_file),
    ("journal", journal),
    ("events", events),
    ("index", index),
    ("escape", escaped),
];

/// Names: our verdict is that of git-check-ref-format(1) minus what is reserved, and what is
/// accepted stays what it is.
pub fn names(bytes: &[u8]) {
    let branch = BranchName::parse(bytes.as_bstr());
    assert_eq!(
        branch.is_ok(),
        git_accepts(bytes) && !reserved(bytes),
        "{branch:?}"
    );
    if let Ok(branch) = &branch {
        assert_eq!(
            BranchName::from_ref(branch.to_ref().as_bstr()).as_ref(),
            Some(branch)
        );
        comes_back(branch);
        assert_eq!(
            RefName::parse(branch.to_ref().as_bstr()),
            Some(RefName::from(branch))
        );
        let head = [b"ref: ", branch.to_ref().as_slice(), b"\n"].concat();
        assert_eq!(parse_head(head.as_bstr()).branch(), Some(branch));
    }
    let Ok(text) = bytes.to_str() else { return };
    let lane = LaneName::parse(text);
    assert_eq!(
        lane.is_ok(),
        branch.is_ok() && bytes.len() <= LaneName::MAX_BYTES
    );
    let Ok(lane) = lane else { return };
    comes_back(&lane);
    let directory = lane.directory_name();
    let mut parts = Path::new(&directory).components();
    assert!(
        matches!(parts.next(), Some(Component::Normal(part)) if part == &*directory)
            && parts.next().is_none()
    );
    assert!(
        !directory.starts_with(['.', '-']) && directory.len() <= LaneName::MAX_BYTES,
        "{directory}"
    );
}

/// The rules of git-check-ref-format(1) for `refs/heads/<name>`, and `--branch`'s about a leading
/// dash.
fn git_accepts(name: &[u8]) -> bool {
    let forbidden = |byte: &u8| *byte < 0x20 || *byte == 0x7f || b" ~^:?*[\\".contains(byte);
    let fine =
        |part: &[u8]| !part.is_empty() && !part.starts_with(b".") && !part.ends_with(b".lock");
    !name.starts_with(b"-")
        && !name.ends_with(b".")
        && !name.contains_str("..")
        && !name.contains_str("@{")
        && !name.iter().any(forbidden)
        && name.split(|byte| *byte == b'/').all(fine)
}

/// The names git accepts in some of its commands and reads as something else in others.
fn reserved(name: &[u8]) -> bool {
    let hex = matches!(name.len(), 40 | 64) && name.iter().all(u8::is_ascii_hexdigit);
    let root = name.ends_with(b"HEAD")
        && name
            .iter()
            .all(|byte| byte.is_ascii_uppercase() || *byte == b'_');
    hex || root || name == b"@" || name.starts_with(b"refs/")
}

/// A configuration file that was damaged by hand: what is a record stays the same when it is
/// written again, and so does everything else in the file, or nothing is written.
pub fn records(bytes: &[u8]) {
    let Ok(mut file) = parse(bytes) else {
        return;
    };
    let found = Records::of(&file);
    let foreign = settings_outside_lanes(&file);
    for lane in &found.lanes {
        if put(&mut file, lane).is_err() {
            return;
        }
    }
    let Some(again) = reread(&file) else { return };
    assert_eq!(settings_outside_lanes(&again), foreign);
    let again = Records::of(&again);
    let sorted = |records: &Records| {
        let mut lanes = records.lanes.clone();
        lanes.sort_by(|a, b| a.name.cmp(&b.name));
        lanes
    };
    assert_eq!(sorted(&again), sorted(&found));
    assert_eq!(again.damaged, found.damaged);
}

/// What another process reads; `None` where nothing would be written.
fn reread(file: &File) -> Option<File> {
    file_text(file).ok().and_then(|bytes| parse(&bytes).ok())
}

fn settings_outside_lanes(file: &File) -> Vec<Content> {
    let others = file
        .sections()
        .filter(|section| !section.header().name().eq_ignore_ascii_case(b"lane"));
    others.map(content).collect()
}

/// A record of any texts: it comes back as it was written, and the guard's small reader sees the
/// same lane.
pub fn record_texts(bytes: &[u8]) {
    let mut fields = bytes.split(|byte| *byte == 0);
    let mut field = || fields.next().unwrap_or_default();
    let Ok(name) = LaneName::parse(&field().to_str_lossy()) else {
        return;
    };
    let text =
        |bytes: &[u8]| Some(bytes.to_str_lossy().into_owned()).filter(|text| !text.is_empty());
    let mut lane = sample(name);
    lane.branch = BranchName::parse(field().as_bstr()).ok();
    lane.worktree = Path::new("/").join(OsStr::from_bytes(field()));
    lane.task = text(field());
    lane.owner = text(field());
    let Ok(mut file) = parse(b"[core]\n\tbare = false\n[lane]\n\tguard = warn\n") else {
        return;
    };
    assert!(put(&mut file, &lane).is_ok());
    assert_eq!(
        reread(&file).map(|file| Records::of(&file).lanes),
        Some(vec![lane.clone()])
    );
    let written = file_text(&file).unwrap_or_default();
    let settings = guard_config::parse(&written, Path::new("config")).unwrap_or_default();
    let seen = settings.lanes.first();
    let seen = seen.map(|seen| (seen.name.as_str(), &seen.worktree, &seen.branch));
    assert_eq!(
        seen,
        Some((lane.name.as_str(), &lane.worktree, &lane.branch)),
        "{:?}",
        written.as_bstr()
    );
}

fn sample(name: LaneName) -> Lane {
    Lane {
        name,
        id: LaneId("0".into()),
        branch: None,
        worktree: "/x".into(),
        base: RefName::parse(BStr::new("refs/heads/main")),
        fork_point: ObjectId::null(gix::hash::Kind::Sha1),
        owner: None,
        task: None,
        created: 0,
        mark: None,
        claim: None,
        parameters: Vec::new(),
        read_only: false,
        adopted: false,
    }
}

/// What the guard makes of a configuration, and of what `git -c` hands down: anything, and never a
/// panic.
pub fn guard_config(bytes: &[u8]) {
    guard_config::level_of_parameters(bytes);
    let _ = guard_config::parse(bytes, Path::new("config"));
}

/// What git and the kernel say in lines: a hook's standard input, `HEAD`, a reflog, `git status`,
/// the mounts.
pub fn git_output(bytes: &[u8]) {
    for change in reference_transaction::changes(bytes) {
        let line = [b"0 ", change.new.as_bytes(), b" ", change.name.as_bytes()].concat();
        assert_eq!(reference_transaction::changes(&line).next(), Some(change));
    }
    if let Some((from, to)) = git_lane::internals::checkout_message(bytes.as_bstr()) {
        assert!(bytes.contains_str(from) && bytes.ends_with(&to));
    }
    if let Some(branch) = parse_head(bytes.as_bstr()).branch() {
        assert!(bytes.contains_str(branch.as_bstr()));
    }
    let _ = understands(bytes);
    for mount in mount_points(bytes) {
        assert!(mount.as_os_str().len() <= bytes.len());
    }
}

/// Task files: each lane is named once and has a line that is there, and a mistake is told in one line.
pub fn task_file(bytes: &[u8]) {
    let lines = 1 + bytes.iter().filter(|byte| **byte == b'\n').count();
    match parse_tasks(bytes) {
        Ok(tasks) => {
            let names: std::collections::HashSet<_> = tasks.iter().map(|task| &task.name).collect();
            assert!(names.len() == tasks.len() && !tasks.is_empty());
            assert!(tasks.is_sorted_by_key(|task| task.line));
            assert!(tasks.iter().all(|task| (1..=lines).contains(&task.line)));
            let given = |task: &&git_lane::internals::Task| task.branch.is_some();
            let branchless = |task: git_lane::internals::Task| task.read_only == Some(true);
            assert!(!tasks.iter().filter(given).cloned().any(branchless));
        }
        Err(problem) => {
            assert!(
                problem.line.is_none_or(|line| (1..=lines).contains(&line)),
                "{problem:?}"
            );
            assert!(!problem.text.is_empty());
        }
    }
}

/// `lane.toml`: what is accepted can be used, and a tracked file leads no further than one
/// directory up.
pub fn policy(bytes: &[u8]) {
    let Some((kind, text)) = bytes.split_first() else {
        return;
    };
    let Ok(text) = text.to_str() else { return };
    let tracked = kind % 2 == 0;
    let file = PathBuf::from("lane.toml");
    let mut values = Values::defaults();
    if values
        .apply(
            text,
            if tracked {
                Origin::Team(file)
            } else {
                Origin::Clone(file)
            },
        )
        .is_err()
    {
        return;
    }
    let policy = Policy::of(&values);
    let (Ok(name), Ok(base)) = (LaneName::parse("x"), BranchName::parse(BStr::new("main"))) else {
        return;
    };
    let message = expand(&policy.message, &sample(name.clone()), &base);
    assert!(message.is_ok(), "{message:?}");
    assert!(policy.trash_bytes > 0 && policy.trash_days > 0);
    let _ = policy.protects(&base);
    let path = worktree_path(&policy.path, "shop".into(), &name, 2);
    let climbs = path
        .components()
        .filter(|part| *part == Component::ParentDir)
        .count();
    let leaves = path.is_absolute() || climbs > 1 || (climbs == 1 && !path.starts_with(".."));
    assert!(!(tracked && leaves), "{path:?}");
}

/// The journal's intents and the trash's entries: what can be read says the same when it is written
/// again.
pub fn journal(bytes: &[u8]) {
    if let Ok(intent) = serde_json::from_slice::<Intent>(bytes) {
        let first = written(&intent);
        let again = first
            .clone()
            .and_then(|value| serde_json::from_value::<Intent>(value).ok());
        assert_eq!(again.and_then(|intent| written(&intent)), first);
    }
    if let Ok(about) = serde_json::from_slice::<About>(bytes) {
        comes_back(&about);
    }
    if let Ok(entry) = serde_json::from_slice::<Entry>(bytes) {
        comes_back(&entry);
    }
}

/// The event log: a line is an event or nothing, an event is one line again, and all of them are operations.
pub fn events(bytes: &[u8]) {
    let lines = bytes.split(|byte| *byte == b'\n');
    let events: Vec<Event> = lines.filter_map(git_lane::internals::event).collect();
    events.iter().for_each(comes_back::<Event>);
    for operation in git_lane::internals::join(&events) {
        let _ = (operation.word(), operation.details());
    }
}

/// An index file: what is stamped lies inside of it, every entry after the one before.
pub fn index(bytes: &[u8]) {
    for id in [20, 32] {
        let Some(mut entries) = Entries::of(bytes, id) else {
            continue;
        };
        let mut end = 12;
        while let Some((start, path)) = entries.advance() {
            assert!(start >= end && !path.contains(&0));
            end = start + STAT + id + 2;
            assert!(end <= bytes.len());
        }
    }
}

/// What people and scripts are shown: nothing in it steers a terminal, and JSON stays the same
/// document.
pub fn escaped(bytes: &[u8]) {
    let text = bytes.to_str_lossy();
    let harmless = |text: &str| {
        let steers = |c: char| {
            c.is_control()
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        };
        !text.chars().any(steers)
    };
    assert!(harmless(&escape::line(&text)));
    assert!(escape::tabbed(&text).split('\t').all(harmless));
    let document = serde_json::json!({ "text": text });
    let shown = escape::json_line(&document);
    assert!(harmless(shown.trim_end_matches('\n')));
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&shown).ok(),
        Some(document)
    );
}

#[track_caller]
fn comes_back<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(value: &T) {
    let line = serde_json::to_string(value);
    assert!(line.as_ref().is_ok_and(|line| !line.contains('\n')));
    let again = line
        .ok()
        .and_then(|line| serde_json::from_str::<T>(&line).ok());
    assert_eq!(again.as_ref(), Some(value));
}

/// The intent as its operation writes it.
fn written(intent: &Intent) -> Option<serde_json::Value> {
    match intent {
        Intent::Start(intent) => serde_json::to_value(intent),
        Intent::StartAll(intent) => serde_json::to_value(intent),
        Intent::Retire(intent) => serde_json::to_value(intent),
        Intent::Restore(intent) => serde_json::to_value(intent),
        Intent::Land(intent) => serde_json::to_value(intent),
        Intent::Push(intent) => serde_json::to_value(intent),
        Intent::Switch(intent) => serde_json::to_value(intent),
        Intent::Relocate(intent) => serde_json::to_value(intent),
        Intent::Resolve(intent) => serde_json::to_value(intent),
        Intent::Try(intent) => serde_json::to_value(intent),
        Intent::TakeIn(intent) => serde_json::to_value(intent),
        Intent::Mend(poisoned) => serde_json::to_value(poisoned),
        Intent::Rebuild(intent) => serde_json::to_value(intent),
    }
    .ok()
}
