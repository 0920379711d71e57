//! Counts equal those of `git status` on worktrees made at random; what users hide from git is
//! found all the same.

mod random;
mod situations;

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use git_lane::internals::{Depth, Operation, WorktreeStatus, ignored, operation, statuses};

use super::{git, repository};
use crate::support::{Dice, Sandbox, write};

fn status(sandbox: &Sandbox, worktree: &Path) -> git_lane::internals::Result<WorktreeStatus> {
    let admin = sandbox.admin(worktree);
    statuses(&sandbox.open(), &[(worktree, &admin)], &git(), Depth::Full).remove(0)
}

fn main_status(sandbox: &Sandbox) -> WorktreeStatus {
    status(sandbox, &sandbox.repo).expect("a status")
}

/// (staged, modified, untracked, conflicted) as git counts.
fn counted_by_git(sandbox: &Sandbox, worktree: &Path) -> (usize, usize, usize, usize) {
    let mut counts = (0, 0, 0, 0);
    let args = [
        "--no-optional-locks",
        "status",
        "--porcelain=v2",
        "-z",
        "--no-renames",
        "--untracked-files=normal",
    ];
    for line in sandbox
        .git_in(worktree, args)
        .split('\0')
        .filter(|line| !line.is_empty())
    {
        match line.as_bytes()[0] {
            b'1' => {
                counts.0 += usize::from(line.as_bytes()[2] != b'.');
                counts.1 += usize::from(line.as_bytes()[3] != b'.');
            }
            b'?' => counts.2 += 1,
            b'u' => counts.3 += 1,
            _ => panic!("{line}"),
        }
    }
    counts
}

fn counts(status: &WorktreeStatus) -> (usize, usize, usize, usize) {
    (
        status.staged,
        status.modified,
        status.untracked,
        status.conflicted,
    )
}

const NAMES: &[&str] = &[
    "a", "a.b", "a-b", "a0", "b", "lib", "src", "tree", "x.log", "sp ace", "\u{e4}",
];

fn random_path(dice: &mut Dice) -> String {
    let depth = 1 + dice.roll(3);
    (0..depth)
        .map(|_| *dice.pick(NAMES))
        .collect::<Vec<_>>()
        .join("/")
}

/// Writes unless a file is in the way of a directory or the other way round.
fn try_write(worktree: &Path, path: &str, content: &str) {
    let path = worktree.join(path);
    if std::fs::create_dir_all(path.parent().expect("a parent")).is_ok() {
        let _ = std::fs::write(path, content);
    }
}

fn disturb(sandbox: &Sandbox, worktree: &Path, dice: &mut Dice) {
    let tracked = sandbox.git_in(worktree, ["ls-files", "-z"]);
    let tracked: Vec<&str> = tracked
        .split('\0')
        .filter(|path| !path.is_empty())
        .collect();
    let some = tracked
        .get(dice.roll(tracked.len().max(1)))
        .copied()
        .unwrap_or("a");
    let file = worktree.join(some);
    match dice.roll(17) {
        0 => try_write(
            worktree,
            some,
            &format!("longer than before {}", dice.roll(1000)),
        ),
        1 => {
            if let Ok(mut data) = std::fs::read(&file) {
                data.iter_mut().take(1).for_each(|byte| *byte ^= 1);
                let _ = std::fs::write(&file, data);
            }
        }
        2 => {
            let _ = std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755));
        }
        3 => {
            let _ = std::fs::remove_file(&file);
        }
        4 => {
            let _ = std::fs::remove_dir_all(worktree.join(some.split('/').next().unwrap_or(some)));
        }
        5 if std::fs::remove_file(&file).is_ok() => symlink("nowhere", &file).expect("a link"),
        6 if std::fs::remove_file(&file).is_ok() => {
            try_write(worktree, &format!("{some}/inside"), "was a file")
        }
        7 => try_write(worktree, &random_path(dice), "new"),
        8 => {
            let _ = std::fs::create_dir_all(worktree.join(format!("empty{}", dice.roll(3))));
        }
        9 => try_write(
            worktree,
            &format!("new{}/only/x.log", dice.roll(3)),
            "ignored if *.log is",
        ),
        10 => try_write(worktree, &format!("target/{}", random_path(dice)), "built"),
        11 => {
            let _ = sandbox
                .command("git")
                .current_dir(worktree)
                .args(["add", "-A", "--", some])
                .output();
        }
        12 => {
            let _ = sandbox
                .command("git")
                .current_dir(worktree)
                .args(["rm", "-q", "--cached", "--", some])
                .output();
        }
        13 => {
            if let Ok(data) = std::fs::read(&file) {
                // The same bytes in a new file: other inode, other times.
                let _ = std::fs::remove_file(&file);
                let _ = std::fs::write(&file, data);
            }
        }
        14 => try_write(worktree, some, "carriage\r\nreturn\r\n"),
        15 => {
            let nested = worktree.join(format!("nested{}", dice.roll(2)));
            if !nested.exists() {
                sandbox.git(["init", "-q", &nested.to_string_lossy()]);
            }
        }
        _ => try_write(
            worktree,
            &format!("{}/.gitignore", dice.pick(NAMES)),
            "*\n!a*\n",
        ),
    }
}

fn random_repository(dice: &mut Dice) -> Sandbox {
    let sandbox = repository();
    for _ in 0..5 + dice.roll(40) {
        try_write(
            &sandbox.repo,
            &random_path(dice),
            &format!("content {}\n", dice.roll(5)),
        );
    }
    let patterns = [
        "*.log\n",
        "target/\n",
        "/lib\n!lib/a\n",
        "src/*\n!src/a.b\n",
        "tree\n",
        "a/**/b\n",
    ];
    for _ in 0..2 {
        sandbox.write(
            ".gitignore",
            format!("{}{}", dice.pick(&patterns), dice.pick(&patterns)),
        );
    }
    if dice.roll(3) == 0 {
        sandbox.write(
            ".gitattributes",
            *dice.pick(&["* text=auto\n", "*.b text eol=crlf\n", "a filter=none\n"]),
        );
    }
    if dice.roll(4) == 0 {
        sandbox.git(["config", "core.autocrlf", "input"]);
    }
    sandbox.git(["add", "-f", "-A"]);
    sandbox.git(["commit", "-q", "-m", "start"]);
    sandbox
}
