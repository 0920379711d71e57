//! What is told beside the entries that `list` and `show` read: the last forecast of each lane, and
//! what the doctor can do about those that are lost.

use crate::domain::overview::{Entry, State};
use crate::operations::doctor::reunites;
use crate::operations::forecast::remembered::Remembered;
use crate::repository::Repository;
use crate::ui::Ui;

/// What the last forecast of each lane has said, where lane and base are still as they were.
pub fn add_forecasts(repository: &Repository, entries: &mut [Entry]) {
    let remembered = Remembered::read(repository);
    for entry in entries {
        let (Some(lane), Some(tip)) = (&entry.lane, entry.tip) else {
            continue;
        };
        if !entry.state.is_settled() {
            continue;
        }
        let base = remembered.base_of(&lane.id);
        let base = base.and_then(|base| repository.ref_target(base).ok().flatten());
        entry.forecast = base.and_then(|base| remembered.of_base(&lane.id, (base, tip)));
    }
}

/// Says so where the doctor finds again what was moved by hand.
pub fn hint_at_doctor<'a>(
    repository: &Repository,
    entries: impl IntoIterator<Item = &'a Entry>,
    ui: &Ui,
) {
    let lost = |entry: &&Entry| matches!(entry.state, State::Missing | State::Damaged(_));
    let lost = entries.into_iter().filter(lost);
    let mut worktrees = lost.filter_map(|entry| entry.worktree.as_ref()).take(3);
    // A whole disk of them may only be not mounted.
    if worktrees.any(|worktree| reunites(repository, worktree)) {
        ui.note("hint: what was moved by hand is found again with: git lane doctor --fix");
    }
}
