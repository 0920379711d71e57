//! `git lane list --watch`: the list on a screen of its own, looked at again as things change.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{Args, ListReport, look};
use crate::engines::watch::{Watch, Woken};
use crate::error::{Error, Result};
use crate::repository::Repository;
use crate::ui::whole_screen::{Event, Rows, WholeScreen};
use crate::ui::{Page, Ui};

/// How long nothing is looked at that no watch has told of: files below the top of a worktree.
const PAUSE: Duration = Duration::from_secs(2);

/// A look takes no more than one part in so many of the time where nothing tells of a change, and in
/// so many where something does all the time.
const PARTS: [u32; 2] = [20, 3];

/// How often the terminal is asked for its size.
const SLICE: Duration = Duration::from_millis(200);

/// The list as it was at the last look.
struct Frame {
    report: ListReport,
    /// Why another look has failed since.
    problem: Option<String>,
}

/// Looks and draws until the user leaves.
pub(super) fn watch(args: &Args, ui: &Ui) -> Result<()> {
    let here = super::here();
    let repository = Repository::discover()?;
    let mut frame = Frame {
        report: look(&repository, args, &here)?,
        problem: None,
    };
    let mut screen = ui.whole_screen().ok_or_else(|| no_screen(ui))?;
    // A lane in which a process works is not taken away, and be it one that only looks.
    let common_dir = repository.common_dir().to_owned();
    let _ = std::env::set_current_dir(&common_dir);
    let mut watch = Watch::begin();
    loop {
        let began = Instant::now();
        match open(&here, &common_dir).and_then(|repository| look(&repository, args, &here)) {
            Ok(report) => {
                frame = Frame {
                    report,
                    problem: None,
                }
            }
            Err(error) => frame.problem = Some(error.to_string()),
        }
        screen.draw(&frame);
        // What happened in a directory before it was watched is found by another look.
        if watch.follow(directories(&common_dir, &frame.report)) {
            continue;
        }
        if !rest(&mut screen, &mut watch, &frame, began.elapsed()) {
            return Ok(());
        }
    }
}

/// Waits for the next look; `false` where there is none.
fn rest(screen: &mut WholeScreen<'_>, watch: &mut Watch, frame: &Frame, took: Duration) -> bool {
    let now = Instant::now();
    let [quiet, busy] = PARTS.map(|parts| now + took * parts);
    let mut due = quiet.max(now + PAUSE);
    loop {
        let left = due.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return true;
        }
        let woken = watch.sleep_beside(left.min(SLICE), screen.keys());
        match screen.event(woken == Woken::Input) {
            Some(Event::Left) => return false,
            Some(Event::Resized) => screen.draw(frame),
            None => {}
        }
        if woken == Woken::Change {
            due = due.min(busy);
        }
    }
}

fn no_screen(ui: &Ui) -> Error {
    let sentence = match ui.json {
        true => "--watch draws on a terminal, and --json prints one document",
        false => "--watch draws on a terminal, and there is none that can be drawn on",
    };
    Error::usage(sentence)
        .hint("read the list once with: git lane list --json")
        .hint("wait for lanes with: git lane wait")
}

/// The repository, also where the worktree one was in has gone.
fn open(here: &Path, common_dir: &Path) -> Result<Repository> {
    Repository::discover_from(here).or_else(|_| Repository::at(common_dir))
}

/// Where something changes when a lane does, its commits, its index, its record, or a file at the
/// top of its worktree.
fn directories(common_dir: &Path, report: &ListReport) -> Vec<PathBuf> {
    let shared = ["", "logs", "worktrees", "refs/heads", "lane", "lane/claims"];
    let shared = shared.iter().map(|name| common_dir.join(name));
    let entries = report.rows.iter().map(|row| &row.entry);
    let worktrees = entries.filter_map(|entry| entry.worktree.as_ref());
    let own = worktrees.flat_map(|worktree| [worktree.git_dir.clone(), worktree.path.clone()]);
    shared.chain(own).collect()
}

impl Rows for Frame {
    fn count(&self) -> usize {
        self.report.rows.len()
    }

    fn page(&self, rows: usize) -> Page {
        let mut page = Page::default();
        self.report.show(&mut page, rows);
        page
    }

    fn foot(&self, left_out: usize) -> Vec<String> {
        let rows = match left_out {
            0 => None,
            1 => Some("1 more row".to_owned()),
            more => Some(format!("{more} more rows")),
        };
        self.problem.clone().into_iter().chain(rows).collect()
    }
}
