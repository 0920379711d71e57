//! A lane, or a worktree that is none, as `list` and `show` have it in their documents.

use bstr::ByteSlice;

use super::coded::Coded;
use super::lane_words::{self, Hold, moment};
use crate::domain::forecast::Verdict;
use crate::domain::lane::{Head, LosslessPath, lossless};
use crate::domain::overview::{Entry, Published, State};
use crate::domain::relation::Relation;
use crate::domain::status::WorktreeStatus;

/// An entry for scripts. A field is absent when it was not looked at, null when there is no such
/// thing.
pub fn document(entry: &Entry, hold: Option<&Hold>) -> serde_json::Value {
    let lane = entry.lane.as_ref();
    let worktree = entry.worktree.as_ref();
    let mut value = serde_json::json!({
        "lane": lane.map(|lane| &lane.name),
        "laneId": lane.map(|lane| &lane.id),
        "main": entry.is_main(),
        "current": entry.is_current,
        "branch": entry.branch(),
        "path": LosslessPath(entry.path()),
        "base": lane.and_then(|lane| lane.base.as_ref()),
        "forkPoint": lane.map(|lane| lane.fork_point.to_string()),
        "owner": lane.and_then(|lane| lane.owner.as_ref()),
        "task": lane.and_then(|lane| lane.task.as_ref()),
        "started": lane.and_then(|lane| moment(lane.created)),
        "locked": worktree.and_then(|worktree| worktree.locked.as_ref()),
    });
    add(&mut value, lane_words::document(lane, hold));
    match &entry.state {
        State::Read(status) | State::Stray(_, Some(status)) => counts(&mut value, status),
        _ => {}
    }
    value["damage"] = match &entry.state {
        State::Damaged(why) => why.as_str().into(),
        _ => serde_json::Value::Null,
    };
    let found = worktree.filter(|worktree| !worktree.state.is_bare());
    value["head"] = found.map(|found| head(&found.head)).into();
    if entry.state != State::Unread {
        value["state"] = entry.state.code().into();
        value["tip"] = entry.tip.map(|tip| tip.to_string()).into();
        value["lastCommit"] = entry.committed.and_then(moment).into();
        value["lastActivity"] = entry.active.and_then(moment).into();
        value["versusBase"] = versus_base(entry);
        value["published"] = entry.published.as_ref().map(published).into();
    }
    value
}

/// What is checked out.
fn head(head: &Head) -> serde_json::Value {
    match head {
        Head::Branch(branch) => serde_json::json!({ "branch": branch }),
        Head::Detached(id) => serde_json::json!({ "detached": id.to_string() }),
        Head::Other(text) => serde_json::json!({ "other": lossless(text.as_bstr()) }),
    }
}

/// Adds the fields of one object to another.
fn add(value: &mut serde_json::Value, more: serde_json::Value) {
    if let (Some(fields), serde_json::Value::Object(more)) = (value.as_object_mut(), more) {
        fields.extend(more);
    }
}

fn versus_base(entry: &Entry) -> serde_json::Value {
    let Some(versus) = &entry.versus else {
        return serde_json::Value::Null;
    };
    let forecast = entry.forecast.as_ref();
    let conflict = forecast.filter(|verdict| verdict.is_conflict());
    serde_json::json!({
        "ahead": versus.ahead,
        "behind": versus.behind,
        "unused": matches!(Relation::of(entry), Some(Relation::Unused(_))),
        "integrated": versus.integrated.as_ref().map(Coded::from),
        "conflict": forecast.map(Verdict::is_conflict),
        "paths": conflict.map(|verdict| {
            let paths = verdict.paths().iter().map(|path| lossless(path.as_bstr()));
            paths.collect::<Vec<_>>()
        }),
    })
}

fn published(published: &Published) -> serde_json::Value {
    let Published { tracking, distance } = published;
    serde_json::json!({
        "ref": tracking,
        "ahead": distance.map(|(ahead, _)| ahead),
        "behind": distance.map(|(_, behind)| behind),
    })
}

fn counts(value: &mut serde_json::Value, status: &WorktreeStatus) {
    value["staged"] = status.staged.into();
    value["modified"] = status.modified.into();
    value["untracked"] = status.untracked.into();
    value["conflicted"] = status.conflicted.into();
    value["inProgress"] = status
        .operation
        .map(|operation| operation.to_string())
        .into();
}
