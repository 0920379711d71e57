//! Which lane the user means: by its name, by where one stands, by the name most like it.

use bstr::ByteSlice;

use crate::domain::adopt::adopt_again;
use crate::domain::finish::ensure_not_read_only;
use crate::domain::lane::Lane;
use crate::domain::name::{BranchName, LaneName};
use crate::domain::retire::place;
use crate::domain::shell_word::quote;
use crate::domain::trash_entry::{Entry, find};
use crate::error::{Code, Error, Result};
use crate::operations::forget::forgotten as forgotten_lane;
use crate::operations::land::landing_facts;
use crate::operations::trash;
use crate::repository::Repository;
use crate::repository::metadata::Records;

/// How like a lane's name a word must be to be taken for it.
const ALIKE: f64 = 0.8;

/// The lane's name that the user typed.
pub fn lane_name(text: &str) -> Result<LaneName> {
    LaneName::parse(text).map_err(|problem| {
        Error::refused(format!(
            "'{text}' cannot be a lane's name: it {}",
            problem.because()
        ))
        .with_code(Code::BadName)
        .hint("a lane is named like a branch: letters, digits, '-', '_', '.', '/'")
    })
}

/// The name of the lane, or of the lane in the trash, that the user means by `text`; that itself where
/// there is none.
pub fn meant(repository: &Repository, records: &Records, text: &str) -> String {
    let rule = repository.name_rule();
    let lane = records.meant(rule, text).map(|lane| lane.name.clone());
    let lane = lane.or_else(|| {
        let entries = trash::entries(repository).unwrap_or_default();
        find(&entries, text, rule)
            .filter(|entry| rule.is_same(entry.lane.name.as_str(), text))
            .map(|entry| entry.lane.name.clone())
    });
    lane.map_or_else(|| rule.taken(text).into_owned(), |name| name.to_string())
}

/// There is no lane of that name; says where it may be, or which one may be meant.
pub fn no_lane(repository: &Repository, records: &Records, name: &str) -> Error {
    let error = Error::refused(format!("there is no lane '{name}'")).with_code(Code::NoSuchLane);
    let removed = trash::entries(repository).unwrap_or_default();
    let rule = repository.name_rule();
    let is_it = |entry: &Entry| rule.is_same(entry.lane.name.as_str(), name);
    if removed.iter().any(is_it) {
        return error.hint(format!(
            "it is in the trash; bring it back with: git lane restore {}",
            quote(name)
        ));
    }
    let forgotten = LaneName::parse(name).ok();
    let forgotten = forgotten.and_then(|lane| Some((forgotten_lane(repository, &lane)?, lane)));
    if let Some((stays, lane)) = forgotten.filter(|(stays, _)| stays.path.is_dir()) {
        return error.hint(format!(
            "it was adopted and is forgotten; take its worktree as a lane again with: {}",
            adopt_again(&lane, &stays.path)
        ));
    }
    let names = records.lanes.iter().map(|lane| lane.name.as_str());
    match begun(name, names.clone()).or_else(|| closest(name, names, ALIKE)) {
        Some(close) => error.hint(format!("did you mean '{close}'?")),
        None => error.hint("see the lanes with: git lane list"),
    }
}

/// The shortest name that goes on where `text` ends; else the shortest that has it within.
fn begun<'a>(text: &str, names: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
    let shortest = |fits: &dyn Fn(&str) -> bool| {
        let fitting = names.clone().filter(|name| fits(name));
        fitting.min_by_key(|name| name.len())
    };
    if text.is_empty() {
        return None;
    }
    shortest(&|name| name.starts_with(text)).or_else(|| shortest(&|name| name.contains(text)))
}

/// The lane whose worktree the caller stands in.
pub fn lane_here(repository: &Repository, records: &Records) -> Result<Option<Lane>> {
    let all = repository.worktrees()?;
    let own = |lane: &&Lane| {
        place(lane, &all)
            .worktree()
            .is_some_and(|there| there.git_dir == repository.git_dir())
    };
    Ok(records.lanes.iter().find(own).cloned())
}

/// The lane called `name`, or the one the caller stands in.
pub fn find_lane(repository: &Repository, name: Option<&str>) -> Result<Lane> {
    if let Some(name) = name.and_then(|name| LaneName::parse(name).ok()) {
        repository.unrecovered.ensure_lane_is_whole(&name)?;
    }
    let records = repository.records()?;
    let Some(name) = name else {
        let lane = lane_here(repository, &records)?.ok_or_else(|| {
            Error::usage("this is no lane's worktree; name the lane")
                .hint("see the lanes with: git lane list")
        })?;
        return repository
            .unrecovered
            .ensure_lane_is_whole(&lane.name)
            .map(|()| lane);
    };
    let rule = repository.name_rule();
    if let Some(lane) = records.meant(rule, name) {
        let whole = repository.unrecovered.ensure_lane_is_whole(&lane.name);
        return whole.map(|()| lane.clone());
    }
    if let Some(damaged) = records
        .damaged
        .iter()
        .find(|damaged| rule.is_same(&damaged.section.to_str_lossy(), name))
    {
        return Err(Error::refused(format!(
            "the record of lane '{name}' cannot be used: {}",
            damaged.problem
        ))
        .with_code(Code::DamagedRecord)
        .hint(format!(
            "look at it with: git config --edit, section [lane \"{name}\"]"
        )));
    }
    Err(no_lane(repository, &records, name))
}

/// Whether a pattern of the command line means that text: a trailing * matches any ending.
pub fn fits(pattern: &str, text: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => text.starts_with(start),
        None => text == pattern,
    }
}

/// The branch to land on; `None` when the lane has none and needs none.
pub fn landing_base(
    repository: &Repository,
    lane: &Lane,
    into: Option<&str>,
    landing: bool,
) -> Result<Option<BranchName>> {
    if landing {
        ensure_not_read_only(lane)?;
    }
    match landing_facts::target(repository, lane, into)? {
        Ok(branch) => repository.branch_meant(&branch).map(Some),
        Err(_) if !landing => Ok(None),
        Err(refusal) => Err(refusal.into()),
    }
}

/// The candidate most like `word` by Jaro and Winkler, where it is as like as `alike` at least.
pub fn closest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
    alike: f64,
) -> Option<&'a str> {
    let likeness = |candidate: &str| strsim::jaro_winkler(word, candidate);
    let best = candidates
        .into_iter()
        .max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
    (likeness(best) > alike).then_some(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_on_where_a_word_ends_is_meant_before_what_is_like_it() {
        let names = [
            "agent-21/add-search-index",
            "agent-2/refactor-invoice-module",
            "agent-2/rename",
        ];
        for (text, wanted) in [
            ("agent-2/", Some("agent-2/rename")),
            ("agent-2/ref", Some("agent-2/refactor-invoice-module")),
            ("agent-21", Some("agent-21/add-search-index")),
            ("invoice", Some("agent-2/refactor-invoice-module")),
            ("agent-3/", None),
            ("", None),
        ] {
            assert_eq!(begun(text, names.into_iter()), wanted, "{text}");
        }
    }
}
