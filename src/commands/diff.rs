//! `git lane diff`: what a lane did, or how two lanes differ, in git's own words and pager.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use bstr::ByteSlice;
use clap::Args as ClapArgs;

use crate::domain::lane::{Lane, ObjectId, RefName, hex, lossless};
use crate::domain::name::LaneName;
use crate::error::{Error, IoContext, Result};
use crate::operations::comparison::{Comparison, Count, between, since_fork};
use crate::store::git::FileChange;
use crate::ui::{Page, Report, Ui};

/// Show what a lane did since its fork point, or how two lanes differ
///
/// Of one lane it shows everything from where the lane has left its base to the tracked files of
/// its worktree as they are, uncommitted changes included. Of two lanes it shows what makes the
/// commit at the tip of the second out of that of the first. It is git diff that shows it: with its
/// pager, colours, options and exit code.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// The lane; inside a lane, that one when none is named
    #[arg(index = 1, value_name = "NAME")]
    name: Option<String>,

    /// The lane it is compared with
    #[arg(index = 2, value_name = "NAME")]
    other: Option<String>,

    /// Leave out what is not committed
    #[arg(long)]
    committed: bool,

    /// Paths, or options and paths, for git diff
    #[arg(index = 3, last = true, value_name = "GIT-DIFF-ARGUMENT")]
    rest: Vec<OsString>,
}

/// What differs, for a program.
#[derive(Debug, serde::Serialize)]
struct DiffReport {
    lane: LaneName,
    /// The lane that it is compared with, where there is one.
    with: Vec<LaneName>,
    base: Option<RefName>,
    #[serde(with = "hex")]
    from: ObjectId,
    #[serde(with = "hex")]
    to: ObjectId,
    /// Whether the files of the worktree stand for the second commit.
    uncommitted: bool,
    files: Vec<serde_json::Value>,
}

/// Runs it.
pub fn run(args: Args, ui: &Ui) -> Result<()> {
    let repository = super::open_to_look()?;
    super::warn_if_overtaken(&repository, ui);
    let here = std::env::current_dir().context("find", Path::new("."))?;
    let lane = super::find_lane(&repository, args.name.as_deref())?;
    let (comparison, lanes) = match &args.other {
        Some(other) => {
            let other = super::find_lane(&repository, Some(other))?;
            let comparison = between(&repository, &lane, &other)?;
            (comparison, (lane, Some(other)))
        }
        None => {
            let count = match args.committed {
                true => Count::Committed,
                false => Count::Files,
            };
            let (comparison, without) = since_fork(&repository, &lane, count)?;
            if let Some(without) = without {
                ui.warn(without);
            }
            (comparison, (lane, None))
        }
    };
    if !ui.json {
        let rest = arguments(args.rest);
        return Err(comparison.become_diff(&repository, &here, &rest));
    }
    let changed = comparison.changed_files(&repository, &here, &paths(args.rest)?)?;
    ui.report(&DiffReport::of(lanes, &comparison, &changed));
    Ok(())
}

/// What git is given beside the commits: a word that is no option is a path, as after `--` of git
/// diff itself, never a revision.
fn arguments(rest: Vec<OsString>) -> Vec<OsString> {
    let options_first = rest.first().is_none_or(is_option);
    let dashes = (!options_first).then(|| OsString::from("--"));
    dashes.into_iter().chain(rest).collect()
}

/// The paths, for a document whose form no option may change.
fn paths(rest: Vec<OsString>) -> Result<Vec<OsString>> {
    let paths: Vec<OsString> = rest.into_iter().skip_while(|word| word == "--").collect();
    match paths.iter().find(|word| is_option(word)) {
        Some(option) => Err(Error::usage(format!(
            "with --json only paths can follow '--', not '{}'",
            option.display()
        ))),
        None => Ok(paths),
    }
}

fn is_option(word: &OsString) -> bool {
    word.as_bytes().starts_with(b"-")
}

impl DiffReport {
    fn of(
        (lane, other): (Lane, Option<Lane>),
        comparison: &Comparison,
        changed: &[FileChange],
    ) -> Self {
        DiffReport {
            lane: lane.name,
            base: lane.base.filter(|_| other.is_none()),
            with: other.into_iter().map(|other| other.name).collect(),
            from: comparison.from,
            to: comparison.to,
            uncommitted: comparison.files.is_some(),
            files: changed.iter().map(document).collect(),
        }
    }
}

fn document(change: &FileChange) -> serde_json::Value {
    let old_path = change.old_path.as_ref();
    serde_json::json!({
        "path": lossless(change.path.as_bstr()),
        "oldPath": old_path.map(|path| lossless(path.as_bstr())),
        "change": word(change.letter),
        "added": change.lines.map(|(added, _)| added),
        "deleted": change.lines.map(|(_, deleted)| deleted),
    })
}

/// git's letter as a word.
fn word(letter: char) -> &'static str {
    match letter {
        'A' => "added",
        'C' => "copied",
        'D' => "deleted",
        'R' => "renamed",
        'T' => "type-changed",
        _ => "modified",
    }
}

impl Report for DiffReport {
    // git writes the text.
    fn text(&self, _: &mut Page) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_option_is_a_path() {
        for (given, passed) in [
            (&[][..], &[][..]),
            (&["--stat"], &["--stat"]),
            (&["src", "--stat"], &["--", "src", "--stat"]),
            (&["--stat", "--", "src"], &["--stat", "--", "src"]),
            (&["--", "-x"], &["--", "-x"]),
        ] {
            let words = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
            assert_eq!(arguments(words(given)), words(passed), "{given:?}");
        }
    }
}
