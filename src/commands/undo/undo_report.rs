//! What `git lane undo` tells of what it has taken back, or would.

use std::path::{Path, PathBuf};

use crate::commands::go_to;
use crate::domain::adopt::adopt_again;
use crate::domain::event::{Stays, What};
use crate::domain::lane::{ObjectId, RefName};
use crate::domain::name::LaneName;
use crate::domain::shell_word::quote;
use crate::domain::trash_entry::Entry;
use crate::domain::undo::{Course, Step, noun};
use crate::operations::undo::{Act, Plan, Undone};
use crate::ui::{Page, Report, Style, page::Cell};

/// What was taken back.
#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Undid {
    dry_run: bool,
    undone: Vec<Lane>,
    base_move: Option<BaseMove>,
    #[serde(with = "optional_path")]
    go_to: Option<PathBuf>,
    #[serde(skip)]
    reverts: bool,
}

/// One lane of it.
#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Lane {
    lane: LaneName,
    what: What,
    operations: Vec<String>,
    /// Where the lane is back.
    #[serde(with = "optional_path")]
    path: Option<PathBuf>,
    /// Where the work is back that the lane had taken along.
    #[serde(with = "optional_path")]
    work_back_in: Option<PathBuf>,
    /// Its entry in the trash, where it went there.
    trash: Option<String>,
    /// What is left of a lane that was adopted.
    stays: Option<Stays>,
    /// Whether it is in the trash and stays there.
    #[serde(skip)]
    stays_in_trash: bool,
    /// The branch to which the main worktree goes that shows it.
    #[serde(skip)]
    home: Option<RefName>,
}

/// A base, from where to where.
#[derive(Debug, serde::Serialize)]
struct BaseMove {
    base: RefName,
    from: String,
    to: Option<String>,
    revert: bool,
}

impl Undid {
    /// What would be taken back.
    pub(super) fn planned(plan: &Plan) -> Self {
        let moved = match &plan.act {
            Act::Base(way) if way.course.reverts() => Some((way.tip, None)),
            Act::Base(way) if way.course == Course::Back => Some((way.tip, Some(way.from))),
            _ => None,
        };
        let back = |step: &Step| match &plan.act {
            Act::BringBack(entry) => Some(place(entry)),
            Act::PutBack(_, change) if change.from.path != change.to.path => {
                Some(change.from.path.clone())
            }
            Act::Base(way) => {
                let mut entries = way.entries.iter();
                entries
                    .find(|entry| entry.lane.id == step.lane_id)
                    .map(place)
            }
            _ => None,
        };
        Undid::new(plan, true, moved, |step| (back(step), None))
    }

    /// What was taken back.
    pub(super) fn of(undone: &Undone, go_to: Option<&Path>) -> Self {
        let moved = undone.moved.map(|(from, to)| (from, Some(to)));
        let is_put_away = !undone.put_away.is_empty();
        let where_to = |step: &Step| match undone.entry_of(step) {
            Some(entry) if is_put_away => (None, Some(entry.id.clone())),
            Some(entry) => (Some(place(entry)), None),
            None => match &undone.plan.act {
                Act::PutBack(_, change) if change.from.path != change.to.path => {
                    (Some(change.from.path.clone()), None)
                }
                _ => (None, None),
            },
        };
        Undid {
            go_to: go_to.map(Path::to_owned),
            ..Undid::new(&undone.plan, false, moved, where_to)
        }
    }

    fn new(
        plan: &Plan,
        dry_run: bool,
        moved: Option<(ObjectId, Option<ObjectId>)>,
        where_to: impl Fn(&Step) -> (Option<PathBuf>, Option<String>),
    ) -> Self {
        let reverts = matches!(&plan.act, Act::Base(way) if way.course.reverts());
        let undone = plan.steps.iter().map(|step| {
            let (path, trash) = where_to(step);
            let of_landing = step.removal().and_then(|removal| removal.stays.clone());
            let stays = match &plan.act {
                Act::Forget(lane) => Some(Stays::of(lane)),
                _ => of_landing,
            };
            Lane {
                lane: step.lane.clone(),
                what: step.deed.what(),
                work_back_in: match &plan.act {
                    Act::PutAway(leaving) => leaving.work_goes_to().map(Path::to_owned),
                    _ => None,
                },
                operations: plan.undoes(step).map(str::to_owned).collect(),
                path,
                trash,
                stays_in_trash: reverts && step.removal().is_some() && stays.is_none(),
                stays,
                home: match &plan.act {
                    Act::EndTry(back) => Some(back.branch.clone()),
                    _ => None,
                },
            }
        });
        let moved = moved.and_then(|(from, to)| match &plan.act {
            Act::Base(way) => Some(BaseMove {
                base: RefName::from(&way.base),
                from: from.to_string(),
                to: to.map(|to| to.to_string()),
                revert: reverts,
            }),
            _ => None,
        });
        Undid {
            dry_run,
            undone: undone.collect(),
            base_move: moved,
            go_to: None,
            reverts,
        }
    }
}

/// Where a lane comes back to.
fn place(entry: &Entry) -> PathBuf {
    let kept = entry.worktree.as_ref();
    kept.map_or(&entry.lane.worktree, |kept| &kept.path).clone()
}

impl Report for Undid {
    fn text(&self, page: &mut Page) {
        let verb = match (self.dry_run, self.reverts) {
            (false, false) => "took back",
            (false, true) => "reverted",
            (true, false) => "would take back",
            (true, true) => "would revert",
        };
        for lane in &self.undone {
            let on = match &self.base_move {
                Some(moved) => format!(" on '{}'", moved.base),
                None => String::new(),
            };
            let text = format!("{verb} {} of lane '{}'{on}", noun(lane.what), lane.lane);
            page.line(Cell::new(text, Style::Good));
            if let Some(place) = &lane.work_back_in {
                let is = if self.dry_run { "would be" } else { "is" };
                page.line(format!("  its work {is} back in '{}'", place.display()));
            }
            if let Some(line) = lane.place(self.dry_run) {
                page.line(line);
            }
        }
        if let Some(moved) = &self.base_move {
            let short = |id: &str| id.get(..10).unwrap_or(id).to_owned();
            let is = if self.dry_run { "would go" } else { "went" };
            let to = match &moved.to {
                Some(to) => format!("to {}", short(to)),
                None => "to a new commit".to_owned(),
            };
            page.line(format!(
                "'{}' {is} from {} {to}",
                moved.base,
                short(&moved.from)
            ));
        }
        if let Some(path) = &self.go_to {
            page.line(format!("this directory is gone; {}", go_to(path)));
        }
    }
}

impl Lane {
    fn place(&self, dry_run: bool) -> Option<String> {
        let restore = || format!("git lane restore {}", quote(&self.lane));
        let goes = matches!(self.what, What::Start | What::Restore);
        match (&self.path, dry_run) {
            _ if self.home.is_some() => self.home.as_ref().map(|home| match dry_run {
                true => format!("  the main worktree would be back on '{home}'"),
                false => format!("  the main worktree is back on '{home}'"),
            }),
            (Some(path), false) => Some(format!("  the lane is back in '{}'", path.display())),
            (Some(path), true) => Some(format!("  the lane would be back in '{}'", path.display())),
            _ if self.stays_in_trash => Some(format!(
                "  the lane stays in the trash; bring it back with: {}",
                restore()
            )),
            _ if self.stays.is_some() => self.forgotten(dry_run),
            (None, true) if goes => Some("  the lane would move into the trash".into()),
            (None, false) if goes => Some(format!(
                "  the lane is in the trash; bring it back with: {}",
                restore()
            )),
            _ => None,
        }
    }
}

impl Lane {
    fn forgotten(&self, dry_run: bool) -> Option<String> {
        let stays = self.stays.as_ref()?;
        let path = stays.path.display();
        Some(match (self.what, dry_run) {
            (What::Adopt, true) => {
                format!("  the lane would be forgotten; '{path}' and its branch would stay")
            }
            (What::Adopt, false) => {
                format!("  the lane is forgotten; '{path}' and its branch stay")
            }
            _ => format!(
                "  its work is in '{path}' still; take that as a lane again with: {}",
                adopt_again(&self.lane, &stays.path)
            ),
        })
    }
}

/// A path in JSON, or null.
mod optional_path {
    use std::path::PathBuf;

    use serde::{Serialize, Serializer};

    use crate::domain::lane::LosslessPath;

    pub(super) fn serialize<S: Serializer>(
        path: &Option<PathBuf>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        path.clone().map(LosslessPath).serialize(serializer)
    }
}
