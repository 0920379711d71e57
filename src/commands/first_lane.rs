//! What comes with the first lane of a repository: the rule is put in force, or that it is not is
//! said.
//!
//! `start` and `adopt` use it.

use crate::domain::guard::Level;
use crate::install::{self, Wanted};
use crate::policy::Policy;
use crate::repository::Repository;
use crate::ui::Ui;

/// What a repository's first lane brings with it.
pub(super) fn welcome(repository: &Repository, policy: &Policy, ui: &Ui) {
    put_in_force(repository, policy, ui);
    // Before its first lane a repository has nothing for the hooks.
    if let Err(error) = install::follow_policy(repository, policy) {
        ui.warn(format_args!(
            "the hooks do not know the policy's latest rules: {error}"
        ));
    }
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
    if let Err(error) = install::install(
        repository,
        policy,
        Wanted {
            level: None,
            files: false,
        },
    ) {
        ui.warn(format_args!("the rule is not in force: {error}"));
        error
            .hints()
            .iter()
            .for_each(|hint| ui.note(format_args!("hint: {hint}")));
    }
}
