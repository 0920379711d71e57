//! Says, before anything lands on a base, what that lacks of its upstream as it was fetched last.
//!
//! `finish` calls it, once for all lanes of a command.

use std::collections::BTreeSet;

use super::task::Task;
use crate::domain::lane::RefName;
use crate::domain::shell_word::quote;
use crate::operations::start::base::behind;
use crate::repository::Repository;
use crate::ui::Ui;

/// Says it of each base once. What cannot be read is for the landing itself to find.
pub(super) fn tell(repository: &Repository, tasks: &[Task], ui: &Ui) {
    let mut told = BTreeSet::new();
    for task in tasks {
        let Some(base) = task
            .landing_base()
            .filter(|base| told.insert(base.to_string()))
        else {
            continue;
        };
        let name = RefName::from(base);
        let tip = repository.ref_target(&name).ok().flatten();
        let found = tip.and_then(|tip| behind(repository, &name, tip).ok().flatten());
        let Some((behind, _)) = found else { continue };
        ui.warn(format_args!("'{base}' is {behind}"));
        if behind.ahead == 0 {
            ui.note(format_args!(
                "hint: bring base and lane up to date first with: git lane sync --fetch {}",
                quote(&task.lane.name)
            ));
        }
    }
}
