//! The way back, whatever the user had done before the switch: HEAD, index, files, modes, links and
//! all are as they were.

use std::path::Path;

use super::everything::Everything;
use super::levels;
use super::shop::{Refs, Shop};
use crate::support::Run;

/// Lane `one` beside branch `far`, which differs from it in every way a file can: changed, added,
/// gone, gone with its directory, a file instead of a directory and the other way round, another
/// link, another mode.
pub const FAR: &str = r"
    mkdir e k && echo e >e/only && echo 1 >k/1 && echo 2 >k/2 && echo file >r && seq 9 >w && ln -s f link &&
    echo run >run && git add . && git commit -q -m base && git branch far && echo own >own && git add own &&
    git commit -q -m own && git switch -q far && git rm -q -r e k r h && echo file >k && mkdir r && echo in >r/in &&
    echo far >d/x && echo far >w && echo new >new && ln -sf g link && chmod +x run && git add . &&
    git commit -q -m far && git switch -q one";

/// With conflicts in the index, however they came there.
const CONFLICTS: [&str; 7] = [
    "echo stash >f; git stash -q; echo two >f; git commit -q -a -m two; git stash pop -q",
    "git merge --squash conf",
    "git merge conf",
    "git cherry-pick conf",
    "git cherry-pick -n conf; echo more >>g; git add g; echo more >>g",
    "echo z >f; git commit -q -a -m z; git revert --no-edit HEAD~4",
    "git diff conf~1 conf >../../p; git apply -3 ../../p",
];

/// What the user has done, and how the lane's branch is left then.
#[rustfmt::skip]
const ROWS: &[(&str, &str)] = &[
    // Only HEAD moves.
    ("echo s >g; git add g; echo u >>g; echo n >n; git add n; echo u >u; git rm -q --cached h; rm \
      d/x", "git checkout -b fresh"),
    ("echo s >g; git add g; echo u >>g; git rm -q -r e; git mv k l", "git switch -c fresh"),
    ("git read-tree --empty", "git checkout -b fresh"),
    ("rm \"$(git rev-parse --git-path index)\"", "git checkout -b fresh"),
    ("echo u >>g; git mv w v", "git checkout -t -b fresh one"),
    ("echo u >>g; git add -N g; echo x >x; git add -N x", "git switch -c fresh"),
    ("echo u >>g; git sparse-checkout set d", "git switch -c fresh"),
    ("git rm -q -r .; echo mine >g", "git checkout -q -b fresh"),
    // Index and files move.
    ("rm g", "git switch far"),
    ("git rm -q --cached g", "git switch far"),
    ("git rm -q --cached r; rm r; echo mine >r.mine", "git switch far~1"),
    ("git rm -q --cached h", "git switch far"),
    ("git rm -q --cached h; echo mine >h", "git switch far"),
    ("git rm -q --cached h; echo mine >h; echo h >>\"$(git rev-parse --git-path \
      info/exclude)\"", "git switch far"),
    ("git rm -q --cached h; echo mine >h; echo h >>.gitignore", "git checkout far"),
    ("git rm -q --cached h; rm h; ln -s zzz h", "git switch far"),
    ("git rm -q --cached own; chmod +x own", "git switch far"),
    ("git rm -q --cached e/only; echo mine >e/only; echo more >e/more", "git checkout far"),
    ("git rm -q --cached h own e/only; echo s >g; git add g; echo u >>g", "git switch far"),
    ("git rm -q --cached h; git checkout -q far -- w new; sleep 0.05", "git switch far"),
    ("rm -r e; ln -s d e", "git switch far"),
    ("rm -r e; echo mine >e", "git switch far"),
    ("rm -r e; echo mine >e; echo e >>.gitignore", "git switch far"),
    ("rm -r k; echo mine >k", "git switch far"),
    ("rm -r d; echo mine >d", "git switch far"),
    ("rm r; mkdir r; echo mine >r/mine", "git switch far"),
    ("git rm -q -r k; echo mine >k; git add k", "git switch far"),
    ("git rm -q -r k; echo file >k; git add k; sleep 0.05", "git switch far"),
    ("echo more >k/more", "git switch far"),
    ("mkdir e/empty d/empty", "git switch far"),
    ("chmod +x g; chmod 600 h.mine 2>/dev/null; echo x >x; chmod 700 x", "git switch far"),
    ("chmod +x w", "git switch far"),
    ("git update-index --chmod=+x g", "git switch far"),
    ("git update-index --chmod=+x run; sleep 0.05", "git switch far"),
    ("rm link; ln -s zzz link", "git switch far"),
    ("ln -sf g link; git add link; sleep 0.05", "git switch far"),
    ("rm g; ln -s f g", "git switch far"),
    ("rm g; mkdir g; echo in >g/in", "git switch far"),
    ("echo x >x; git add -N x; echo u >>g", "git switch far"),
    ("git update-index --assume-unchanged g; echo mine >g", "git switch far"),
    ("git update-index --skip-worktree g; echo mine >g", "git switch far"),
    ("git update-index --skip-worktree w; echo mine >w", "git switch far"),
    ("git sparse-checkout set d; echo u >>d/y", "git switch far"),
    ("echo mine >new", "git switch far"),
    ("git checkout -q far -- w; echo mine >>w; sleep 0.05", "git switch far"),
    ("git checkout -q far -- w; echo mine >>w", "git checkout far"),
    ("git checkout -q far -- w; rm w; sleep 0.05", "git switch far"),
    ("git checkout -q far -- new; rm new; sleep 0.05", "git checkout -q far"),
    ("git read-tree -m -u far; sleep 0.05", "git switch far"),
    ("git read-tree far; sleep 0.05", "git switch far"),
    ("git checkout -q far -- .; sleep 0.05", "git switch far"),
    ("echo s >g; git add g; echo u >>g; mkdir -p x/y/z; echo u >x/y/z/u", "git checkout -B far"),
    ("echo s >g; git add g; echo u >>g", "git switch -C far far"),
    ("echo s >g; git add g; echo u >>g", "git switch -c fresh -t far"),
    ("echo s >g; git add g; echo u >>g; git rm -q --cached h; echo mine >h", "git checkout \
         --orphan fresh far"),
    ("echo s >g; git add g; echo u >>g", "git switch --ignore-other-worktrees main"),
    // Put aside before the rebase is refused, or turns out to be none.
    ("echo u >>g", "git rebase --autostash main far"),
    ("echo s >>g; git add g; echo u >>g; echo n >n; git add n; echo u >u", "git rebase --autostash \
         main far"),
    ("echo s >>g; git add g; echo u >>g", "git rebase --autostash --apply main far"),
    ("echo s >>g; git add g; echo u >>g", "git -c rebase.autoStash=true rebase main far"),
    ("echo u >>g", "git rebase --autostash far~1 far; false"),
    ("echo u >>g", "git rebase --autostash --apply far~1 far; false"),
];

/// What the switch itself throws away, or what cannot be told afterwards: git-lane-init(1), LIMITS.
/// HEAD is back all the same, and nothing differs but what stands here.
#[rustfmt::skip]
const LIMITS: &[(&str, &str, &[&str])] = &[
    // A deletion of a file that differs leaves no trace.
    ("rm w", "git switch far", &["file w"]),
    ("rm h", "git switch far", &["file h"]),
    ("rm -r e", "git switch far", &["directory e", "file e/only"]),
    ("git rm -q h", "git switch far", &["file h", "flag h", "index h"]),
    ("git rm -q -r e", "git switch far", &["directory e", "file e/only", "flag e/only", "index \
         e/only"]),
    // git overwrites and removes what is ignored, permissions that it does not track, and marks.
    ("echo mine >new; echo new >>\"$(git rev-parse --git-path info/exclude)\"", "git switch \
         far", &["file new"]),
    ("chmod 600 w g", "git switch far", &["file w"]),
    ("git update-index --assume-unchanged w", "git switch far", &["flag w"]),
    // Told to throw everything away.
    ("echo s >g; git add g; echo u >>h; echo mine >w", "git switch -f far", &["file g", "file \
         h", "file w", "index g"]),
    ("git rm -q -r --cached own", "git switch -f far", &["flag own", "index own"]),
    ("echo stash >f; git stash -q; echo two >f; git commit -q -a -m two; git stash pop -q", "git \
         checkout -f far",
        &["file f", "flag f", "index f", "index f at 1", "index f at 2", "index f at 3"]),
];

/// A `--force` with an index that has nothing in it, or is gone: what was in files that git did not
/// write stays.
#[rustfmt::skip]
const EMPTIED: [&str; 4] = [
    "git rm -q -r --cached .",
    "git read-tree --empty",
    "rm \"$(git rev-parse --git-path index)\"",
    "git read-tree --empty; echo mine >own; echo mine >h; mkdir e/more; rm k/1",
];

/// What the user had, and what is there after the switch was stopped.
fn tried(level: &'static str, edits: &str, switch: &str) -> (Shop, Run, Vec<String>) {
    let shop = Shop::prepared(level, Refs::Files, FAR);
    let directory = shop.one.clone();
    drop(shop.sh(&directory, edits));
    drop(shop.sh(&directory, "git update-index -q --refresh"));
    let before = Everything::of(&shop, &directory);
    let run = shop.sh(&directory, switch);
    let after = Everything::of(&shop, &directory).differences(&before);
    (shop, run, after)
}

#[track_caller]
fn ensure_nothing_is_left(shop: &Shop, directory: &Path) {
    let git_dir = shop
        .sandbox
        .git_in(directory, ["rev-parse", "--absolute-git-dir"]);
    let names = std::fs::read_dir(git_dir)
        .unwrap()
        .flatten()
        .map(|entry| entry.file_name().into_string().unwrap());
    let left: Vec<_> = names
        .filter(|name| name.ends_with(".lock") || name.starts_with("lane-"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn everything_is_as_it_was() {
    for level in levels() {
        super::every_row(level, Refs::Files, ROWS.iter(), |(edits, switch)| {
            let (shop, run, differences) = tried(level, edits, switch);
            ensure_nothing_is_left(&shop, &shop.one);
            let stopped = run.code != 0 && (run.stderr.contains("hint: ") || refused_by_git(&run));
            (!differences.is_empty() || !stopped).then(|| format!("{differences:?} {run}"))
        });
    }
}

/// git has its own reasons; then nothing has moved.
fn refused_by_git(run: &Run) -> bool {
    [
        "would be overwritten",
        "would be removed",
        "would lose untracked files",
        "not uptodate",
        "cannot switch branch",
        "resolve your current index",
    ]
    .iter()
    .any(|reason| run.stderr.contains(reason))
}

#[test]
fn conflicts_in_the_index_stay_when_only_head_comes_back() {
    for level in levels() {
        let switches = [
            "git switch -c fresh",
            "git checkout -b fresh",
            "git checkout -q -b fresh HEAD",
            "git switch -C fresh",
        ];
        for (edits, switch) in CONFLICTS
            .iter()
            .chain(&CONFLICTS)
            .zip(switches.iter().cycle())
        {
            let (shop, run, differences) = tried(level, edits, switch);
            assert_ne!(
                shop.sandbox.git_in(&shop.one, ["ls-files", "-u"]),
                "",
                "{edits}: {run}"
            );
            // With a merge or the like in progress git refuses `switch`, and forgets it with
            // `checkout`.
            let forgotten = |what: &String| what.starts_with("operation ") && level == "restore";
            assert!(
                differences.iter().all(forgotten),
                "{level} {edits}: {differences:?} {run}"
            );
            assert_ne!(run.code, 0, "{run}");
            if refused_by_git(&run) {
                continue;
            }
            // The hint leads on from there.
            assert!(
                run.stderr.contains(
                    "hint: branch 'fresh' stays; give it a lane of its own with: \
                     git lane start fresh"
                ),
                "{run}"
            );
            shop.sh(&shop.one, "git lane start fresh").ok();
            assert_eq!(
                shop.sandbox.git_in(&shop.one, ["branch", "--show-current"]),
                "one"
            );
        }
    }
}

#[test]
fn a_rebase_that_stopped_at_conflicts_goes_on_where_it_was() {
    for level in levels() {
        let (shop, run, differences) = tried(level, "git rebase -q conf", "git checkout -b fresh");
        assert!(
            run.stderr.contains("hint: branch 'fresh' stays"),
            "{level} {run}"
        );
        assert!(
            differences.iter().all(|what| what == "operation MERGE_MSG"),
            "{level} {differences:?} {run}"
        );
        shop.sh(
            &shop.one,
            "echo both >f && git add f && git rebase --continue",
        )
        .ok();
        assert_eq!(shop.snapshot(&shop.one).head, "refs/heads/one\n");
    }
}

#[test]
fn nothing_differs_but_what_stands_in_limits() {
    for level in levels() {
        super::every_row(
            level,
            Refs::Files,
            LIMITS.iter(),
            |(edits, switch, expected)| {
                let (_, run, differences) = tried(level, edits, switch);
                let stopped = run.code != 0 && run.stderr.contains("hint: ");
                (differences != *expected || !stopped).then(|| format!("{differences:?} {run}"))
            },
        );
    }
}

#[test]
fn a_forced_switch_with_an_emptied_index_comes_back_and_leaves_untracked_files_alone() {
    for level in levels() {
        for (edits, switch) in EMPTIED.iter().flat_map(|edits| {
            ["git switch -f far", "git checkout -q --force far"].map(|switch| (edits, switch))
        }) {
            let (shop, run, differences) = tried(level, edits, switch);
            assert!(run.code != 0 && run.stderr.contains("hint: "), "{run}");
            let lost = |what: &String| {
                what.starts_with("file ") || what.starts_with("directory ") || what == "HEAD"
            };
            let lost: Vec<_> = differences.iter().filter(|what| lost(what)).collect();
            // One that was deleted from a directory that is a file there has no way to be known.
            assert!(
                lost.is_empty() || lost == ["file k/1"],
                "{level} {edits}: {lost:?} {run}"
            );
            assert_eq!(shop.snapshot(&shop.one).head, "refs/heads/one\n");
        }
    }
}
