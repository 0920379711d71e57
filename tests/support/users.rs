//! Other users of the machine: needs root and setpriv(1).

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::Command;

use super::{Sandbox, git_program, skipped};

impl Sandbox {
    /// A program as another user, who is in `group` and in the others that `groups` names.
    pub fn as_user(&self, user: u32, group: u32, groups: &str, program: &str) -> Command {
        let mut command = self.command("setpriv");
        command.args([format!("--reuid={user}"), format!("--regid={group}")]);
        match groups {
            "" => command.arg("--clear-groups"),
            _ => command.arg(format!("--groups={groups}")),
        };
        command.arg(program);
        command
    }

    /// Has everything in the sandbox belong to a user, whose git trusts it.
    pub fn give_to(&self, user: u32) {
        let mut chown = self.command("chown");
        chown.args(["-hR", &format!("{user}:{user}")]);
        self.run(chown.arg(self.root())).ok();
        let trust = "[safe]\n\tdirectory = *\n[core]\n\tlogAllRefUpdates = true\n";
        std::fs::write(self.root().join("home/.gitconfig"), trust).unwrap();
    }

    /// Whether other users can run the program under test here, once the sandbox's directory has
    /// `mode`; where they cannot, that is said.
    pub fn lets_others_in(&self, mode: u32) -> bool {
        std::fs::set_permissions(self.root(), std::fs::Permissions::from_mode(mode)).unwrap();
        let is_root = std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
        let runs = || {
            let mut tried = self.as_user(54_321, 54_321, "", "git-lane");
            let ended = tried.arg("--version").output();
            ended.is_ok_and(|output| output.status.success())
        };
        let can = is_root && git_program().is_absolute() && runs();
        if !can {
            skipped("needs root, setpriv and a place that other users may enter");
        }
        can
    }
}
