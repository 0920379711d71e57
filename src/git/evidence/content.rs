//! Is what the lane changed still in the base? A patch found in the base's history proves that it arrived, not that it
//! stayed: it may have been reverted, and the file changed since.

use std::collections::HashMap;

use bstr::ByteSlice;
use gix::ObjectId;

use super::{Change, Entry, Lane, Trees, unreadable};
use crate::error::Result;

/// Whether each path of the lane still shows the larger part of its change in the base.
///
/// Deliberately narrow: a path the base deleted or renamed, or a binary file, link or submodule it changed again, is
/// no proof.
pub(super) fn survives(repo: &gix::Repository, lane: &Lane) -> Result<bool> {
    let trees = Trees { repo };
    let base = repo.find_tree(lane.base_tree).map_err(unreadable)?;
    for change in &lane.changes {
        let now = trees.entry(&base, &change.path)?;
        if now != change.new && !is_left(repo, change, now)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn is_left(repo: &gix::Repository, change: &Change, now: Entry) -> Result<bool> {
    let (Some((mode, id)), Some((now_mode, now_id))) = (change.new, now) else { return Ok(false) };
    if mode != now_mode || !mode.is_blob() || change.old.is_some_and(|(_, old)| old == id) {
        return Ok(false);
    }
    let old = match change.old {
        Some((old_mode, old)) if old_mode.is_blob() => text(repo, old)?,
        Some(_) => return Ok(false),
        None => Some(Vec::new()),
    };
    match (old, text(repo, id)?, text(repo, now_id)?) {
        (Some(old), Some(new), Some(now)) => Ok(lines_are_left(&old, &new, &now)),
        _ => Ok(false),
    }
}

/// The content of a blob, unless it is binary by git's own measure.
fn text(repo: &gix::Repository, id: ObjectId) -> Result<Option<Vec<u8>>> {
    let data = repo.find_blob(id).map_err(unreadable)?.take_data();
    Ok((!data[..data.len().min(8000)].contains(&0)).then_some(data))
}

/// How often each line that says something is in each of the versions.
fn count<const N: usize>(versions: [&[u8]; N]) -> HashMap<&[u8], [isize; N]> {
    let mut lines: HashMap<&[u8], [isize; N]> = HashMap::new();
    for (version, text) in versions.into_iter().enumerate() {
        for line in text.lines().filter(|line| line.iter().any(u8::is_ascii_alphanumeric)) {
            lines.entry(line).or_insert([0; N])[version] += 1;
        }
    }
    lines
}

/// Of the lines the change added and took away, half at least must still be so, and neither all additions nor all
/// removals may be undone.
fn lines_are_left(old: &[u8], new: &[u8], now: &[u8]) -> bool {
    let (mut added, mut removed) = ((0, 0), (0, 0));
    for [old, new, now] in count([old, new, now]).into_values() {
        let (change, left) = (new - old, now - old);
        if change > 0 {
            added = (added.0 + change, added.1 + left.clamp(0, change));
        } else {
            removed = (removed.0 - change, removed.1 + (-left).clamp(0, -change));
        }
    }
    let kept = |(all, left): (isize, isize)| all == 0 || left > 0;
    let all = added.0 + removed.0;
    all > 0 && 2 * (added.1 + removed.1) >= all && kept(added) && kept(removed)
}

/// Whether one commit of the lane, `changes`, has nothing left in the base although the lane itself kept it: the rest
/// of a lane must not vouch for a part that was taken back.
pub(super) fn is_undone(repo: &gix::Repository, lane: &Lane, changes: &[Change]) -> Result<bool> {
    let trees = Trees { repo };
    let base = repo.find_tree(lane.base_tree).map_err(unreadable)?;
    for change in changes {
        let Some(whole) = lane.changes.iter().find(|whole| whole.path == change.path) else { continue };
        let now = trees.entry(&base, &change.path)?;
        if now == whole.new {
            continue;
        }
        let read = |entry: Entry| match entry {
            Some((mode, id)) if mode.is_blob() => Ok::<_, crate::error::Error>(text(repo, id)?.unwrap_or_default()),
            _ => Ok(Vec::new()),
        };
        let (fork, tip, now) = (read(whole.old)?, read(whole.new)?, read(now)?);
        let (old, new) = (read(change.old)?, read(change.new)?);
        let (mut effects, mut left) = (0, 0);
        for [fork, tip, now, old, new] in count([&fork, &tip, &now, &old, &new]).into_values() {
            if (new - old).signum() * (tip - fork).signum() > 0 {
                effects += 1;
                left += usize::from((now - fork).signum() == (tip - fork).signum());
            }
        }
        if effects > 0 && left == 0 {
            return Ok(true);
        }
    }
    Ok(false)
}
