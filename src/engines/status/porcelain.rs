//! The child `git status` that answers when the in-process look is in doubt.
//!
//! A linked worktree is named by environment, never discovered: a damaged `.git` file must not make
//! git answer for an enclosing repository. The settings are those of the worktree and of the
//! caller's `git -c`. Flags win over status.showUntrackedFiles and `submodule.<name>.ignore`; the
//! rest that could hide work is pinned with `-c`.

use std::collections::HashSet;
use std::path::Path;

use bstr::{BString, ByteSlice};

use super::{Depth, Tally};
use crate::error::{Error, Result};
use crate::store::git::{Git, Invocation, Untracked};

/// What could make git trust another program's word, or a coarser look, than the files themselves.
const PINNED: &[(&str, &str)] = &[
    ("core.fsmonitor", "false"),
    ("core.untrackedCache", "false"),
    ("core.checkStat", "default"),
    ("core.trustctime", "true"),
    ("core.quotePath", "false"),
    ("diff.ignoreSubmodules", "none"),
    ("status.relativePaths", "false"),
    ("status.renames", "false"),
    ("color.ui", "false"),
];

fn look(git: &Git, worktree: &Path, admin: &Path) -> Invocation {
    let look = git.in_worktree(worktree, admin).reliable();
    PINNED
        .iter()
        .fold(look, |look, (key, value)| look.with(key, value))
}

/// Every path git has something to say about, ignored and untracked ones included, each file by
/// itself.
pub fn changed(git: &Git, worktree: &Path, admin: &Path) -> Result<Vec<BString>> {
    let records = look(git, worktree, admin).status("none", Untracked::Files)?;
    let path = |record: &BString| {
        let fields = match record.first() {
            Some(b'#') => return None,
            Some(b'1') => 9,
            Some(b'u') => 11,
            _ => 2,
        };
        let fields = record.splitn(fields, |byte| *byte == b' ');
        fields.last().map(BString::from)
    };
    Ok(records.iter().filter_map(path).collect())
}

/// What git says of every path that no commit has, each untracked file by itself, ignored ones left out;
/// the commit comes first. Untracked files in a submodule are that repository's.
pub fn records(git: &Git, worktree: &Path, admin: &Path) -> Result<Vec<BString>> {
    look(git, worktree, admin).status("untracked", Untracked::EachFile)
}

/// What git counts, and the paths it counts as modified.
pub(super) fn ask(
    git: &Git,
    worktree: &Path,
    admin: &Path,
    depth: Depth,
) -> Result<(Tally, HashSet<BString>)> {
    let mut look = look(git, worktree, admin);
    // A foreign repository's own programs are not run, and of the other submodules the commits are
    // compared: no git is started in them.
    let submodules = match depth {
        Depth::Foreign => {
            let ask = git.in_worktree(worktree, admin).reliable();
            look = look.without_filters(ask.without_settings().own_filters()?);
            "dirty"
        }
        Depth::Full | Depth::Removal | Depth::Tracked => "none",
    };
    let untracked = match depth {
        Depth::Full | Depth::Removal | Depth::Foreign => Untracked::Directories,
        Depth::Tracked => Untracked::No,
    };
    let (mut tally, mut modified) = (Tally::default(), HashSet::new());
    for record in look.status(submodules, untracked)? {
        count(&record, &mut tally, &mut modified)
            .ok_or_else(|| Error::git("cannot understand what git status says"))?;
    }
    Ok((tally, modified))
}

/// Whether a line can be understood.
#[doc(hidden)]
pub fn understands(line: &[u8]) -> bool {
    count(line, &mut Tally::default(), &mut HashSet::new()).is_some()
}

/// One record of porcelain v2: `1 XY sub mH mI mW hH hI path`, `u XY sub m1 m2 m3 mW h1 h2 h3
/// path`, `? path`.
fn count(line: &[u8], tally: &mut Tally, modified: &mut HashSet<BString>) -> Option<()> {
    let (kind, rest) = line.split_once_str(" ")?;
    let (fields, code) = match kind {
        b"1" => (8, rest.get(..2)?),
        b"u" => (10, rest.get(..2)?),
        b"?" => (1, b"??".as_slice()),
        b"#" | b"!" => return Some(()),
        _ => return None,
    };
    let path = rest.splitn(fields, |byte| *byte == b' ').last()?;
    match kind {
        b"u" => tally.conflicted += 1,
        b"?" => tally.untracked += 1,
        _ => {
            tally.staged += usize::from(code[0] != b'.');
            if code[1] != b'.' {
                tally.modified += 1;
                modified.insert(path.into());
            }
        }
    }
    tally.note(
        path,
        [code[0], code[1]].map(|letter| if letter == b'.' { b' ' } else { letter }),
    );
    Some(())
}

/// The ignored paths of a worktree, whole directories as one with a slash at the end: what a
/// removal takes along without any other command having named it.
pub fn ignored(git: &Git, worktree: &Path, admin: &Path) -> Result<Vec<BString>> {
    look(git, worktree, admin).list_ignored()
}
