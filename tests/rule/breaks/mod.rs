//! What breaks the rule: taken back or refused, with HEAD, index, files and every uncommitted edit
//! as before.

mod hints_work;
mod pushed;
mod table;
mod under_way;

use super::levels;
use super::shop::{In, Refs, Shop, possible};
use crate::support::{git_program, git_version};

/// The lowest level that holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    /// Level restore and up.
    Restore,
    /// Level refuse only; what is left behind at level restore is stopped at the next commit.
    Refuse,
    /// Level refuse only: a lane's branch was changed behind its back. At level restore the next
    /// commit in this directory is stopped.
    Behind(&'static str),
    /// Level refuse only, and nothing tells afterwards: git wrote it down in the lane's own log.
    Unnoticed,
    /// No hook sees it; the next commit is stopped at both levels.
    Late,
    /// No hook can.
    Never,
}
use Held::{Behind, Late, Never, Refuse, Restore, Unnoticed};

/// Where, what, who holds it, and a branch that may change all the same.
#[rustfmt::skip]
const ROWS: &[(In, &str, Held, &str)] = &[
    (In::Lane, "git switch other", Restore, ""),
    (In::Lane, "git checkout other", Restore, ""),
    (In::Lane, "git switch -c fresh", Restore, "fresh"),
    (In::Lane, "git checkout -b fresh", Restore, "fresh"),
    (In::Lane, "git checkout -b fresh other", Restore, "fresh"),
    (In::Lane, "git switch -c fresh other", Restore, "fresh"),
    (In::Lane, "git checkout -B other", Restore, "other"),
    (In::Lane, "git switch -C other main", Restore, "other"),
    (In::Lane, "git switch --ignore-other-worktrees two", Restore, ""),
    (In::Lane, "git checkout --ignore-other-worktrees two", Restore, ""),
    (In::Lane, "git checkout --ignore-other-worktrees -B two one", Restore, ""),
    (In::Lane, "cd d && git switch other", Restore, ""),
    (In::Lane, "cd ../.. && git -C shop.lanes/one switch other", Restore, ""),
    (In::Lane, "git --git-dir=../../shop/.git/worktrees/one --work-tree=. switch \
                other", Restore, ""),
    (In::Lane, "GIT_DIR=../../shop/.git/worktrees/one git switch other", Restore, ""),
    (In::CleanLane, "git switch --orphan fresh", Restore, ""),
    (In::Lane, "git checkout --orphan fresh", Restore, ""),
    (In::Lane, "git checkout --orphan fresh other", Restore, ""),
    (In::Lane, "git checkout -q --orphan=fresh other", Restore, ""),
    (In::CleanLane, "git switch --discard-changes other", Restore, ""),
    (In::CleanLane, "git switch --merge other", Restore, ""),
    (In::CleanLane, "git switch --recurse-submodules other", Restore, ""),
    (In::CleanLane, "git rebase main other", Restore, ""),
    (In::CleanLane, "git rebase --apply main other", Restore, ""),
    (In::CleanLane, "git rebase --no-verify main other", Never, ""),
    (In::CleanLane, "git worktree add -f ../again two", Restore, ""),
    (In::Lane, "git symbolic-ref HEAD refs/heads/other", Refuse, ""),
    (In::Lane, "git symbolic-ref HEAD refs/heads/unborn", Refuse, ""),
    (In::Lane, "printf 'option no-deref\\nsymref-update HEAD refs/heads/other\\n' | git update-ref \
                --stdin", Refuse, ""),
    (In::Lane, "echo 'ref: refs/heads/other' >\"$(git rev-parse --git-dir)/HEAD\"", Late, ""),
    (In::Lane, "git rev-parse main >\"$(git rev-parse --git-dir)/HEAD\"", Never, ""),
    (In::Lane, "git update-ref -d refs/heads/two", Behind("../two"), ""),
    (In::Lane, "git update-ref refs/heads/two other", Behind("../two"), ""),
    (In::Lane, "git update-ref worktrees/two/HEAD other", Unnoticed, ""),
    (In::Lane, "printf 'reset refs/heads/two\\nfrom refs/heads/other\\n\\n' | git fast-import \
                --quiet --force", Behind("../two"), ""),
    (In::Lane, "git refs update refs/heads/two other", Behind("../two"), ""),
    (In::Lane, "moves=$(git replay --onto main main~1..two) || exit; [ -z \"$moves\" ] || \
                echo \"$moves\" | git update-ref --stdin", Behind("../two"), ""),
    (In::Lane, "git history fixup main~1", Behind("../two"), ""),
    (In::Main, "git switch --ignore-other-worktrees one", Restore, ""),
    (In::Main, "git checkout --ignore-other-worktrees one", Restore, ""),
    (In::Main, "git checkout --ignore-other-worktrees -B one other", Restore, ""),
    (In::Main, "git switch --ignore-other-worktrees -C one main", Restore, ""),
    (In::Main, "git symbolic-ref HEAD refs/heads/one", Refuse, ""),
    (In::Main, "git worktree add -f ../again one", Restore, ""),
    (In::Main, "git worktree add -f --no-checkout ../again one", Behind("../again"), ""),
    (In::CleanMain, "git checkout -q --detach && git switch --ignore-other-worktrees one; git \
                     switch -q main && false", Restore, ""),
    (In::CleanMain, "git symbolic-ref worktrees/one/HEAD refs/heads/other", Late, ""),
    (In::CleanMain, "git update-ref -d refs/heads/one", Behind("../shop.lanes/one"), ""),
    (In::CleanMain, "git update-ref refs/heads/one other", Behind("../shop.lanes/one"), ""),
    (In::CleanMain, "git fetch -q -f -u . other:one", Behind("../shop.lanes/one"), ""),
    (In::CleanMain, "git config receive.denyCurrentBranch ignore && git push -q -f . \
                     other:one", Behind("../shop.lanes/one"), ""),
    (In::CleanMain, "git push -q -f . other:one", Never, ""),
];

/// Commands that not every git has.
const NEWER: [&str; 3] = ["git refs update ", "git replay ", "git history fixup "];

/// Whether the git under test has a command: it shows how that is used.
fn is_known(command: &str) -> bool {
    let usage = std::process::Command::new(git_program())
        .args(command.split_whitespace().skip(1))
        .arg("-h")
        .output();
    usage.is_ok_and(|usage| String::from_utf8_lossy(&usage.stdout).contains(command.trim_end()))
}

fn every_row(level: &'static str, refs: Refs) {
    let rows = ROWS.iter().filter(|row| {
        NEWER
            .iter()
            .all(|command| !row.1.contains(command) || is_known(command))
    });
    super::every_row(level, refs, rows, |row| {
        let problem = std::panic::catch_unwind(|| one_row(level, refs, row)).err()?;
        Some(
            problem
                .downcast_ref::<String>()
                .cloned()
                .unwrap_or_default(),
        )
    });
}

fn one_row(
    level: &'static str,
    refs: Refs,
    &(place, script, held, may_change): &(In, &str, Held, &str),
) {
    let shop = Shop::new(level, refs);
    let directory = shop.at(place);
    let (before, refs_before) = (shop.snapshots(), shop.refs());
    // git itself refuses some of them in some versions; then there is nothing to hold.
    let run = shop.sh(&directory, script);
    let holds = match held {
        Restore => level == "restore" || level == "refuse",
        Refuse | Behind(_) | Unnoticed => level == "refuse",
        Late | Never => false,
    };
    let branches = |refs: &str| {
        let others = refs
            .lines()
            .filter(|line| !line.starts_with(&format!("refs/heads/{may_change} ")));
        others.map(str::to_owned).collect::<Vec<_>>()
    };
    if holds {
        assert_ne!(run.code, 0, "{run}");
        assert!(
            run.stderr.contains("error: ") && run.stderr.contains("hint: "),
            "{run}"
        );
        assert_eq!(shop.snapshots(), before, "{run}");
        assert_eq!(branches(&shop.refs()), branches(&refs_before), "{run}");
    } else if level == "off" {
        assert!(!run.stderr.contains("lane '"), "{run}");
    } else if level == "warn" && held == Restore {
        assert!(
            run.stderr.contains("warning: ") && run.stderr.contains("hint: "),
            "{run}"
        );
    }
    let noticed = match held {
        Refuse if level == "restore" => Some(directory.clone()),
        // A worktree's own log of HEAD, which tells, is not a file of its own where refs are a
        // reftable.
        Behind(lane) if level == "restore" && (refs == Refs::Files || lane == "../again") => {
            Some(directory.join(lane))
        }
        Late if (level == "restore" || level == "refuse") && refs == Refs::Files => {
            Some(if place == In::CleanMain {
                shop.one.clone()
            } else {
                directory.clone()
            })
        }
        _ => None,
    };
    if let Some(directory) = noticed.filter(|_| run.code == 0) {
        let after = shop.refs();
        let commit = shop.sh(&directory, "git commit -q --allow-empty -m astray");
        assert!(
            commit.code != 0 && commit.stderr.contains("hint: "),
            "{run}{commit}"
        );
        assert_eq!(shop.refs(), after, "{run}{commit}");
    }
}

/// The command a hint ends with.
#[track_caller]
fn hinted(said: &str) -> &str {
    let hint = said
        .lines()
        .find_map(|line| line.strip_prefix("hint: "))
        .unwrap_or_else(|| panic!("{said}"));
    hint.rsplit_once(": ").unwrap().1
}
