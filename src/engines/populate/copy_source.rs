//! Decides which files may be copied from which worktree, by its index alone; the files are looked
//! at while copying.

use std::os::unix::fs::MetadataExt as _;

use gix::{
    bstr::BStr,
    index::entry::{Flags, Mode, Stage, Stat},
    objs::tree::EntryKind,
};

use super::{
    Request, Source,
    attributes::{AttributeFiles, is_attribute_file},
    tree::{Entry, Origin, Plan},
};

/// Gives every entry that a source's index holds with the same path, id and mode the origin
/// [`Origin::Source`] and the stat data its file must still have.
///
/// A source with other `.gitattributes` than the tree is left out, and so is one that cannot be
/// read: the object database has everything.
pub(super) fn assign(request: &Request<'_>, plan: &mut Plan, attributes: &AttributeFiles) {
    for (number, source) in (0..).zip(request.sources).take(MOST_SOURCES) {
        let wanted = plan
            .entries
            .iter()
            .filter(|entry| is_file(entry) && entry.origin == Origin::Objects)
            .count();
        if wanted * WORTH_READING <= plan.entries.len() {
            break;
        }
        let _ = assign_from(source, number, request.repo.object_hash(), plan, attributes);
    }
}

/// A start does not wait for more indexes than this to be read; each thread that copies holds every
/// source's directory open.
pub const MOST_SOURCES: usize = 8;

/// Reading so many index entries costs as much as copying saves for one file, roughly.
const WORTH_READING: usize = 64;

fn is_file(entry: &Entry) -> bool {
    matches!(entry.kind, EntryKind::Blob | EntryKind::BlobExecutable)
}

/// True if a file of that size can be the unconverted blob. Stat data in the index have 32 bits of
/// the size.
pub(super) fn has_size_of_blob(repo: &gix::Repository, id: gix::ObjectId, size: i64) -> bool {
    const MASK: u64 = u32::MAX as u64;
    let size = u64::try_from(size).map(|size| size & MASK);
    repo.find_header(id)
        .is_ok_and(|header| Ok(header.size() & MASK) == size)
}

/// `None` if the source cannot be used.
fn assign_from(
    source: &Source,
    number: u16,
    hash: gix::hash::Kind,
    plan: &mut Plan,
    attributes: &AttributeFiles,
) -> Option<()> {
    // An index replaced between these two calls is newer than `written`, so fewer entries count as
    // settled.
    let written = std::fs::metadata(&source.index).ok()?;
    let written = (written.mtime(), written.mtime_nsec());
    let index = gix::index::File::at(
        &source.index,
        hash,
        true,
        gix::index::decode::Options::default(),
    )
    .ok()?;

    let ours = index
        .entries()
        .iter()
        .filter(|entry| is_attribute_file(entry.path(&index)));
    let same_attributes = ours.clone().count() == attributes.len()
        && ours
            .into_iter()
            .all(|entry| attributes.get(entry.path(&index)) == Some(&entry.id));
    if !same_attributes {
        return None;
    }

    let Plan { paths, entries, .. } = plan;
    let mut candidates = index.entries().iter().peekable();
    for entry in entries.iter_mut() {
        let path: &BStr = entry.path(paths);
        while candidates
            .next_if(|candidate| candidate.path(&index) < path)
            .is_some()
        {}
        let Some(candidate) = candidates
            .peek()
            .filter(|candidate| candidate.path(&index) == path)
        else {
            continue;
        };
        let mode = match entry.kind {
            EntryKind::Blob => Mode::FILE,
            EntryKind::BlobExecutable => Mode::FILE_EXECUTABLE,
            EntryKind::Tree | EntryKind::Link | EntryKind::Commit => continue,
        };
        if entry.origin == Origin::Objects
            && candidate.id == entry.id
            && candidate.mode == mode
            && is_settled(candidate.flags, &candidate.stat, written)
            // Git writes size 0 to entries that it must look at again ("racy git").
            && (candidate.stat.size > 0 || candidate.id.is_empty_blob())
        {
            entry.origin = Origin::Source(number);
            entry.stat = candidate.stat;
        }
    }
    Some(())
}

/// True if the stat data vouches for the content: the user has not told git to look away, and the
/// file is older than the index.
fn is_settled(flags: Flags, stat: &Stat, (secs, nsecs): (i64, i64)) -> bool {
    let looked_away = Flags::ASSUME_VALID | Flags::SKIP_WORKTREE | Flags::INTENT_TO_ADD;
    flags.stage() == Stage::Unconflicted
        && !flags.intersects(looked_away)
        && (i64::from(stat.mtime.secs), i64::from(stat.mtime.nsecs)) < (secs, nsecs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_as_young_as_its_index_is_not_settled() {
        let mut stat = Stat::default();
        stat.mtime.secs = 100;
        stat.mtime.nsecs = 5;
        let table = [
            (Flags::empty(), (100, 6), true),
            (Flags::empty(), (101, 0), true),
            (Flags::empty(), (100, 5), false),
            (Flags::empty(), (99, 9), false),
            (Flags::ASSUME_VALID, (101, 0), false),
            (Flags::SKIP_WORKTREE, (101, 0), false),
            (Flags::INTENT_TO_ADD, (101, 0), false),
            (Flags::from_stage(Stage::Ours), (101, 0), false),
        ];
        for (flags, written, expected) in table {
            assert_eq!(
                is_settled(flags, &stat, written),
                expected,
                "{flags:?} {written:?}"
            );
        }
    }
}
