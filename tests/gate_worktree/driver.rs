//! Takes a slot and does in it what a test asks for, in a process of its own: where the worktree is
//! and what git does are matters of the environment.

use std::process::Command;
use std::time::Duration;

use git_lane::internals::{
    BranchName, Error, Moment, ObjectId, OwnWorktree, Repository, Result, Shown, Slot,
};

use crate::support::Sandbox;

const STEPS: &str = "GIT_LANE_TEST_GATE_STEPS";

impl Sandbox {
    /// A process that takes the slot that the first of `steps` names and does the others one after
    /// the other.
    pub fn gate_command(&self, steps: &[&str]) -> Command {
        let mut command = self.command(std::env::current_exe().unwrap().to_str().unwrap());
        command
            .args([
                "--exact",
                "gate_worktree::driver::does_what_it_is_told",
                "--nocapture",
                "--ignored",
            ])
            .env(STEPS, steps.join("\u{1e}"));
        command
    }

    /// What each step says: "ok" and its result, or the code of its error.
    #[track_caller]
    pub fn gate(&self, steps: &[&str]) -> Vec<String> {
        let run = self.run(&mut self.gate_command(steps));
        let said = run.ok();
        let lines = said.lines().filter_map(|line| line.strip_prefix("=> "));
        lines.map(str::to_owned).collect()
    }

    /// The same of steps that all succeed.
    #[track_caller]
    pub fn gate_ok(&self, steps: &[&str]) -> Vec<String> {
        let said = self.gate(steps);
        assert_eq!(said.len(), steps.len(), "{said:?}");
        let result = |line: &String| match line.strip_prefix("ok") {
            Some(result) => result.trim_start().to_owned(),
            None => panic!("{steps:?}: {said:?}"),
        };
        said.iter().map(result).collect()
    }
}

#[test]
#[ignore = "the other side of the tests of gate_worktree"]
fn does_what_it_is_told() {
    let Ok(steps) = std::env::var(STEPS) else {
        return;
    };
    let repository = Repository::discover().unwrap();
    let mut own = None;
    for step in steps.split('\u{1e}') {
        let said = match done(&repository, &mut own, step) {
            Ok(result) => format!("ok {result}"),
            Err(error) => format!("{}: {error} {:?}", error.code().as_str(), error.hints()),
        };
        println!("\n=> {}", said.trim_end().replace('\n', "\\n"));
    }
}

fn id(text: &str) -> ObjectId {
    ObjectId::from_hex(text.as_bytes()).unwrap()
}

fn done(repository: &Repository, own: &mut Option<OwnWorktree>, step: &str) -> Result<String> {
    let (what, rest) = step.split_once(' ').unwrap_or((step, ""));
    let words: Vec<&str> = rest.split(' ').collect();
    if let "gate" | "hooks" = what {
        let slot = if what == "gate" {
            Slot::Gate
        } else {
            Slot::Hooks
        };
        *own = None;
        let patience = Duration::from_millis(rest.parse().unwrap_or(10_000));
        let mut waited = 0;
        *own = Some(OwnWorktree::take(repository, slot, patience, &mut || {
            waited += 1
        })?);
        return Ok(if waited > 0 {
            "waited".into()
        } else {
            String::new()
        });
    }
    let own = own
        .as_mut()
        .ok_or_else(|| Error::refused("no slot was taken"))?;
    match what {
        "check_out" => own.check_out(repository, id(rest)).map(|()| String::new()),
        "show_merge" => {
            let moment = match words[3..] {
                ["message", theirs, no_ff] => Moment::Message {
                    theirs: id(theirs),
                    no_ff: no_ff == "no-ff",
                    message: b"Merge it",
                },
                ["squashed"] => Moment::Squashed {
                    message: b"Squashed\n",
                },
                _ => Moment::Merged,
            };
            let shown = Shown {
                base: &BranchName::parse(words[0].into()).unwrap(),
                head: id(words[1]),
                tree: id(words[2]),
                moment,
            };
            own.show_merge(repository, &shown).map(|()| String::new())
        }
        "differing" => Ok(format!("{:?}", own.differing(repository)?)),
        "index_tree" => Ok(own.index_tree(repository)?.to_string()),
        "link" => {
            let site = repository.worktrees()?.remove(0);
            own.link_ignored(repository, &site).map(|()| String::new())
        }
        "unlink" => own.unlink_ignored().map(|()| String::new()),
        "sh" | "left" => {
            let stdin = own.lock_file().try_clone().unwrap();
            // What is left behind has the file as well.
            let left = format!("exec 3<&0; {{ {rest}; }} >/dev/null 2>&1 &");
            let script = if what == "left" { &left } else { rest };
            let mut sh = Command::new("sh");
            sh.args(["-c", script]).current_dir(own.path()).stdin(stdin);
            let output = sh.output().unwrap();
            assert!(output.status.success(), "{rest}: {output:?}");
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        }
        _ => panic!("{step}"),
    }
}
