//! Is what the lane changed still in the base? A patch found in the base's history proves that it
//! arrived, not that it stayed: it may have been reverted, and the file changed since.

use std::collections::HashMap;

use bstr::ByteSlice;
use gix::ObjectId;

use super::{Change, Entry, Lane, Trees, unreadable};
use crate::error::Result;

/// Whether the lane still shows in the base: of all lines it added and took away half at least are
/// still so, some of the additions among them, and no path is back to where it was.
///
/// Deliberately narrow: a path the base deleted or renamed, or a binary file, link, mode or
/// submodule it changed again, is no proof.
pub(super) fn survives(repo: &gix::Repository, lane: &Lane) -> Result<bool> {
    let trees = Trees { repo };
    let base = repo.find_tree(lane.base_tree).map_err(unreadable)?;
    let mut total = Left::default();
    for change in &lane.changes {
        let now = trees.entry(&base, &change.path)?;
        match left(repo, change, now)? {
            Some(left) if now == change.new || left.added.1 + left.removed.1 > 0 => total.add(left),
            None if now == change.new => {}
            _ => return Ok(false),
        }
    }
    let (all, left) = (
        total.added.0 + total.removed.0,
        total.added.1 + total.removed.1,
    );
    Ok(2 * left >= all && (total.added.0 == 0 || total.added.1 > 0))
}

/// Whether every line that `change` added to a text is there now and every one it removed is not. A
/// change that only moves lines, or that is no text, cannot be seen in this way.
pub(super) fn survives_whole(repo: &gix::Repository, change: &Change, now: Entry) -> Result<bool> {
    let Some(left) = left(repo, change, now)? else {
        return Ok(false);
    };
    let all = left.added.0 + left.removed.0;
    Ok(all > 0 && left.added.1 + left.removed.1 == all)
}

/// Lines added and removed by a change, each with how many of them are still so.
#[derive(Default)]
struct Left {
    added: (isize, isize),
    removed: (isize, isize),
}

impl Left {
    fn add(&mut self, other: Left) {
        for (sum, more) in [
            (&mut self.added, other.added),
            (&mut self.removed, other.removed),
        ] {
            *sum = (sum.0 + more.0, sum.1 + more.1);
        }
    }
}

/// What is left of a change, for text that is a file of the same mode as the change left it.
fn left(repo: &gix::Repository, change: &Change, now: Entry) -> Result<Option<Left>> {
    let (Some((mode, id)), Some((now_mode, now_id))) = (change.new, now) else {
        return Ok(None);
    };
    if mode != now_mode || !mode.is_blob() {
        return Ok(None);
    }
    let old = match change.old {
        Some((old_mode, old)) if old_mode.is_blob() => text(repo, old)?,
        Some(_) => None,
        None => Some(Vec::new()),
    };
    let (Some(old), Some(new), Some(now)) = (old, text(repo, id)?, text(repo, now_id)?) else {
        return Ok(None);
    };
    let mut sum = Left::default();
    for [old, new, now] in count([&old, &new, &now]).into_values() {
        let (change, left) = (new - old, now - old);
        if change > 0 {
            sum.added = (sum.added.0 + change, sum.added.1 + left.clamp(0, change));
        } else {
            sum.removed = (
                sum.removed.0 - change,
                sum.removed.1 + (-left).clamp(0, -change),
            );
        }
    }
    Ok(Some(sum))
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
        for line in text
            .lines()
            .filter(|line| line.iter().any(u8::is_ascii_alphanumeric))
        {
            lines.entry(line).or_insert([0; N])[version] += 1;
        }
    }
    lines
}

/// Whether one commit of the lane, `changes`, has nothing left in the base although the lane itself
/// kept it: the rest of a lane must not vouch for a part that was taken back.
pub(super) fn is_undone(repo: &gix::Repository, lane: &Lane, changes: &[Change]) -> Result<bool> {
    let trees = Trees { repo };
    let base = repo.find_tree(lane.base_tree).map_err(unreadable)?;
    for change in changes {
        let Some(whole) = lane.changes.iter().find(|whole| whole.path == change.path) else {
            continue;
        };
        let now = trees.entry(&base, &change.path)?;
        if now == whole.new {
            continue;
        }
        let read = |entry: Entry| match entry {
            Some((mode, id)) if mode.is_blob() => {
                Ok::<_, crate::error::Error>(text(repo, id)?.unwrap_or_default())
            }
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
