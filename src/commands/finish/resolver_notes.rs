//! What a person sees of a conflict that is handed to a command.

use bstr::BString;

use crate::domain::finish::some;
use crate::domain::lane::Lane;
use crate::domain::name::BranchName;
use crate::operations::resolve::Watch;
use crate::ui::Ui;

/// Says what is in conflict and what runs.
pub(super) struct ResolverNotes<'a> {
    pub(super) ui: &'a Ui,
    pub(super) line: &'a str,
}

impl Watch for ResolverNotes<'_> {
    fn begins(&self, lane: &Lane, base: &BranchName, files: &[BString]) {
        let (name, files) = (&lane.name, some(files));
        self.ui.note(format_args!(
            "lane '{name}' conflicts with '{base}' in {files}; it is laid out there for: {}",
            self.line
        ));
    }

    fn needs_no_command(&self, lane: &Lane, base: &BranchName) {
        let name = &lane.name;
        self.ui.note(format_args!(
            "'{base}' is merged into lane '{name}'; git itself has resolved what conflicts"
        ));
    }
}
