//! What comes with a repository's first lane: the rule is put in force, or a note says that it is not.
//!
//! `start` and `adopt` use it.

use super::follow_policy;
use crate::domain::guard::Level;
use crate::install::{self, Wanted};
use crate::policy::Policy;
use crate::repository::Repository;
use crate::ui::Ui;

/// What a repository's first lane brings with it.
pub(super) fn welcome(repository: &Repository, policy: &Policy, ui: &Ui) {
    put_in_force(repository, policy, ui);
    // Before its first lane a repository has nothing for the hooks.
    follow_policy(repository, policy, ui);
}

/// Puts the rule in force where the policy asks for it, else says
/// that it is not.
fn put_in_force(repository: &Repository, policy: &Policy, ui: &Ui) {
    // Hooks of the user's own configuration serve every repository.
    if install::state(repository).is_ok_and(|state| state.in_force || state.level == Level::Off) {
        return;
    }
    if !policy.install_hooks {
        ui.note(
            "note: nothing keeps plain git in its lane here yet; put the rule in force with: git \
             lane init",
        );
        return;
    }
    // The lane is made; that it is not guarded is no reason to say it failed.
    let wanted = Wanted {
        level: None,
        files: false,
    };
    if let Err(error) = install::install(repository, policy, wanted) {
        ui.warn_of(format_args!("the rule is not in force: {error}"), &error);
    }
}
