//! A lane's branch that is moved behind its worktree, by commands that ask no hook of level
//! restore: `git history` and `git replay` of newer gits among them. It is noticed and told, and
//! both ways on lead somewhere.

use super::everything::Everything;
use super::shop::{Refs, Shop, possible};
use crate::support::git_program;

/// How, from the main worktree or from lane `one`; lane `two` has then other files than its branch.
const ROWS: &[(&str, &str)] = &[
    ("main", "git update-ref refs/heads/two other"),
    ("main", "git fetch -q -f -u . other:two"),
    (
        "main",
        "git config receive.denyCurrentBranch ignore && git push -q -f . other:two",
    ),
    (
        "main",
        "printf 'reset refs/heads/two\\nfrom refs/heads/other\\n\\n' | git fast-import --quiet \
         --force",
    ),
    ("main", "git refs update refs/heads/two other"),
    (
        "one",
        "git replay --onto main main~1..two >../../moves && git update-ref --stdin <../../moves",
    ),
    ("main", "git history fixup main~1"),
    ("one", "git history fixup main~1"),
];

/// Whether the git under test has a command: it shows how that is used.
fn is_known(script: &str) -> bool {
    let named = ["git refs update", "git replay", "git history fixup"]
        .into_iter()
        .find(|named| script.starts_with(named));
    named.is_none_or(|named| {
        let usage = std::process::Command::new(git_program())
            .args(named.split(' ').skip(1))
            .arg("-h")
            .output()
            .unwrap();
        String::from_utf8_lossy(&usage.stdout).contains(named)
    })
}

/// Lane `two` after its branch has moved; `None` where this git did not do it.
fn moved(refs: Refs, place: &str, script: &str) -> Option<(Shop, Everything)> {
    let shop = Shop::new("restore", refs);
    let directory = if place == "one" {
        shop.one.clone()
    } else {
        shop.sandbox.repo.clone()
    };
    shop.setup(
        &shop.two,
        "echo two >d/x && git commit -q -a -m more && git update-index -q --refresh",
    );
    // What is staged is what a fixup takes along.
    if script.contains("fixup") {
        drop(shop.sh(&directory, "echo staged >g && git add g"));
    }
    let before = (
        shop.sandbox.git(["rev-parse", "two"]),
        Everything::of(&shop, &shop.two),
    );
    let run = shop.sh(&directory, script);
    let now = shop.sandbox.git(["rev-parse", "two"]);
    (run.code == 0 && now != before.0).then_some((shop, before.1))
}

#[test]
fn a_branch_that_was_moved_behind_its_worktree_is_noticed_and_both_hints_work() {
    is_noticed_and_both_hints_work(Refs::Files);
}

/// The log that tells it is read by git there.
#[test]
fn a_branch_that_was_moved_in_a_reftable_is_noticed_and_both_hints_work() {
    if possible("restore", Refs::Reftable) {
        is_noticed_and_both_hints_work(Refs::Reftable);
    }
}

fn is_noticed_and_both_hints_work(refs: Refs) {
    for (place, script) in ROWS.iter().filter(|(_, script)| is_known(script)) {
        let Some((shop, before)) = moved(refs, place, script) else {
            continue;
        };
        // By the doctor, by the next command in that lane, and by the next commit.
        let doctor = shop.sandbox.lane(["doctor"]);
        assert!(
            doctor.stdout.contains("was moved from") || doctor.stderr.contains("was moved from"),
            "{script} {doctor}"
        );
        for command in ["git lane show", "git lane list", "git lane prune -n"] {
            let run = shop.sh(&shop.two, command);
            assert!(
                run.stderr
                    .contains("warning: branch 'two' of lane 'two' was moved from"),
                "{script} {run}"
            );
        }
        // Elsewhere it does not matter.
        let elsewhere = shop.sh(&shop.one, "git lane list");
        assert!(
            !elsewhere.stderr.contains("lane 'two'"),
            "{script} {elsewhere}"
        );
        let commit = shop.sh(&shop.two, "git commit -q --allow-empty -m x");
        assert!(
            commit.code != 0
                && commit
                    .stderr
                    .contains("put it back with: git reset --soft "),
            "{script} {commit}"
        );
        let (_, hint) = commit.stderr.split_once("put it back with: ").unwrap();
        let (back, along) = hint
            .trim_end()
            .split_once("; or bring the files along with: ")
            .unwrap();
        let now = shop.sandbox.git(["rev-parse", "two"]);
        shop.sh(&shop.two, back).ok();
        assert_eq!(
            Everything::of(&shop, &shop.two).differences(&before),
            [""; 0],
            "{script} {back}"
        );
        let quiet = shop.sh(&shop.two, "git lane list");
        assert!(!quiet.stderr.contains("was moved from"), "{script} {quiet}");
        // Again, and the other way.
        shop.setup(
            &shop.sandbox.repo,
            &format!("git update-ref refs/heads/two {now}"),
        );
        shop.sh(
            &shop.two,
            "echo mine >untracked; echo mine >>h; git lane list",
        )
        .ok();
        shop.sh(&shop.two, along).ok();
        assert_eq!(
            shop.sandbox.git_in(&shop.two, ["rev-parse", "HEAD"]),
            now,
            "{script}"
        );
        assert_eq!(
            shop.snapshot(&shop.two).status,
            " M h\n?? untracked\n",
            "{script} {along}"
        );
        shop.sh(&shop.two, "git commit -q -a -m mine").ok();
    }
}
