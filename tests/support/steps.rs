//! git-lane, killed between two of its changes (`store::journal::step`).

use std::ffi::OsStr;
use std::process::Command;

use super::{Run, Sandbox};

/// Has the git-lane that a command is, or starts, die at `step`: its number, or its name.
pub fn die_at(command: &mut Command, step: impl ToString) -> &mut Command {
    command.env("GIT_LANE_TEST_DIE_AT", step.to_string())
}

impl Sandbox {
    /// git-lane in the main worktree, which dies at `step` unless it ends before.
    pub fn dying<A: AsRef<OsStr>>(
        &self,
        step: impl ToString,
        args: impl IntoIterator<Item = A>,
    ) -> Run {
        self.run(die_at(self.command("git-lane").args(args), step))
    }

    /// git-lane in the main worktree, which must have died at the step of that name.
    #[track_caller]
    pub fn died<A: AsRef<OsStr>>(&self, step: &str, args: impl IntoIterator<Item = A>) {
        let run = self.dying(step, args);
        assert!(run.stderr.contains(&format!("died at {step}\n")), "{run}");
    }
}
