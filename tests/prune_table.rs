//! `git lane prune`, proof by proof: which histories and which states of a worktree let a lane go,
//! and which do not.
//!
//! Each row makes lane `x` (`$lane`) and a history in the repository it belongs to, by plain git,
//! and says what prune makes of it: `-` and the proof by which it goes, `+` and the reason for
//! which it stays.

use crate::support::Sandbox;

/// What a row calls on: a commit of `$2` with content `$3` in directory `$1`.
const PRELUDE: &str = "set -e
    c() { mkdir -p \"$(dirname \"$1/$2\")\"; printf '%b' \"$3\" > \"$1/$2\"; git -C \"$1\" add -A; git -C \"$1\" commit -q -m \"$2\"; }
    m() { git -C main \"$@\"; }
    x() { git -C \"$lane\" \"$@\"; }
    cd ..; ln -sfn shop main
";

/// Name, script, verdict.
type Row = (&'static str, &'static str, &'static str);

/// Histories in which the lane's work is in its base.
const PROOFS: &[Row] = &[
    (
        "fast-forward",
        "c $lane a 1; m merge -q --ff-only x",
        "-same-commit",
    ),
    (
        "fast-forward, base moved on",
        "c $lane a 1; m merge -q --ff-only x; c main b 1",
        "-ancestor",
    ),
    (
        "merge commit",
        "c $lane a 1; m merge -q --no-ff -m m x",
        "-ancestor",
    ),
    (
        "merged twice",
        "c $lane a 1; m merge -q --no-ff -m m x; c $lane b 2; m merge -q --no-ff -m n x",
        "-ancestor",
    ),
    (
        "merged, then reverted",
        "c $lane a 1; m merge -q --no-ff -m m x; m revert --no-edit -m 1 HEAD",
        "-ancestor",
    ),
    (
        "picked",
        "c $lane a 1; c main b 1; m cherry-pick x",
        "-same-content",
    ),
    (
        "picked one by one",
        "c $lane a 1; c $lane d 2; c main b 1; m cherry-pick x~1 x",
        "-same-content",
    ),
    (
        "picked in another order",
        "c $lane a 1; c $lane d 2; c main b 1; m cherry-pick x; m cherry-pick x~1",
        "-same-content",
    ),
    (
        "squashed",
        "c $lane a 1; c $lane d 2; c main b 1; m merge -q --squash x; m commit -q -m s",
        "-same-content",
    ),
    (
        "squashed, base moved on elsewhere",
        "c $lane a 1; c $lane d 2; m merge -q --squash x; m commit -q -m s; c main b 1",
        "-same-content",
    ),
    (
        "rebased and merged",
        "c $lane a 1; c main b 1; git -C main checkout -q -b tmp x; m rebase -q main; m checkout \
         -q main; m merge -q tmp; m branch -q -D tmp",
        "-same-content",
    ),
    (
        "a file removed and picked",
        "x rm -q README; x commit -q -m r; c main b 1; m cherry-pick x",
        "-same-content",
    ),
    (
        "a file renamed and squashed",
        "x mv README R; x commit -q -m r; m merge -q --squash x; m commit -q -m s; c main b 1",
        "-same-content",
    ),
    (
        "a mode changed and picked",
        "chmod +x $lane/README; x commit -q -am m; c main b 1; m cherry-pick x",
        "-same-content",
    ),
    (
        "binary content, picked",
        "c $lane a '\\0001\\0002'; c main b 1; m cherry-pick x",
        "-same-content",
    ),
];

/// Histories in which it is not, whatever they look like.
const NON_PROOFS: &[Row] = &[
    ("nothing landed", "c $lane a 1", "+not-integrated"),
    (
        "one of two picked",
        "c $lane a 1; c $lane d 2; c main b 1; m cherry-pick x~1",
        "+not-integrated",
    ),
    (
        "the older state merged",
        "c $lane a 1; m merge -q --no-ff -m m x; c $lane a 2",
        "+not-integrated",
    ),
    (
        "picked, then reverted",
        "c $lane a 1; c main b 1; m cherry-pick x; m revert --no-edit HEAD",
        "+not-integrated",
    ),
    (
        "squashed, then reverted",
        "c $lane a 1; m merge -q --squash x; m commit -q -m s; m revert --no-edit HEAD",
        "+not-integrated",
    ),
    (
        "picked with other content",
        "c $lane a 1; c main b 1; m cherry-pick -n x; echo 2 > main/a; m add a; m commit -q -m p",
        "+not-integrated",
    ),
    (
        "white space differs",
        "c $lane a 'one\\n'; c main a ' one\\n'",
        "+not-integrated",
    ),
    (
        "end of line differs",
        "c $lane a 'one\\n'; c main a 'one\\r\\n'",
        "+not-integrated",
    ),
    (
        "same name, other mode",
        "c $lane a 1; c main a 1; chmod +x $lane/a; x commit -q -am m",
        "+not-integrated",
    ),
    (
        "a link where the base has a file",
        "ln -s README $lane/a; x add a; x commit -q -m l; c main a README",
        "+not-integrated",
    ),
    (
        "a merge that the base lacks",
        "c $lane a 1; git -C main branch o; c main b 1; m checkout -q o; c main d 1; m checkout -q \
         main; x merge -q -m m o; m cherry-pick x^1",
        "+not-integrated",
    ),
    (
        "merged with ours by picking",
        "c $lane README other; c main README base; m cherry-pick x || m checkout --ours README; m \
         add README; m commit -q --allow-empty -m p",
        "+not-integrated",
    ),
    (
        "a merge driver that keeps the base's",
        "m config merge.keep.driver true; echo 'README merge=keep' > main/.gitattributes; m add \
         -A; m commit -q -m attributes; c main README base; c $lane README lane",
        "+not-integrated",
    ),
    (
        "base was reset",
        "c $lane a 1; m merge -q --no-ff -m m x; m reset -q --hard HEAD~1",
        "+not-integrated",
    ),
    (
        "base is gone",
        "c $lane a 1; m config lane.x.base refs/heads/nowhere",
        "+not-integrated",
    ),
    (
        "lane back where it was",
        "c $lane a 1; x revert --no-edit HEAD; c main b 1",
        "+not-integrated",
    ),
    (
        "the same line in another block",
        "for i in 1 2 3 4 5 6; do printf 'begin\\nk1\\nk2\\nk3\\nk4\\nend\\nz1\\nz2\\nz3\\n'; done \
         > main/dup; m add dup; m commit -q -m dup; x merge -q main; sed -i '3s/$/\\nNEW/' \
         $lane/dup; x commit -qam one; sed -i '30s/$/\\nNEW/' main/dup; m commit -qam other",
        "+not-integrated",
    ),
    (
        "the same lines in another block, squashed",
        "for i in 1 2 3 4 5 6; do printf 'begin\\nk1\\nk2\\nk3\\nk4\\nend\\nz1\\nz2\\nz3\\n'; done \
         > main/dup; m add dup; m commit -q -m dup; x merge -q main; sed -i '3s/$/\\nNEW/' \
         $lane/dup; x commit -qam one; sed -i '4s/$/\\nNEW2/' $lane/dup; x commit -qam two; sed -i \
         '30s/$/\\nNEW\\nNEW2/' main/dup; m commit -qam other",
        "+not-integrated",
    ),
    (
        "only a tag has it",
        "c $lane a 1; m tag t x",
        "+not-integrated",
    ),
    (
        "only another branch has it",
        "c $lane a 1; m branch other x",
        "+not-integrated",
    ),
    (
        "an empty commit that the base lacks",
        "x commit -q --allow-empty -m e; c main b 1",
        "-same-content",
    ),
];

/// A lane whose commits are in its base, and what in its worktree keeps it all the same.
const STATES: &[Row] = &[
    ("changed", "echo 2 > $lane/README", "+unsettled"),
    (
        "staged",
        "echo 2 > $lane/README; x add README",
        "+unsettled",
    ),
    (
        "staged and taken back in the file",
        "cp $lane/README keep; echo 2 > $lane/README; x add README; cp keep $lane/README",
        "+unsettled",
    ),
    ("untracked", "echo 1 > $lane/new", "+unsettled"),
    (
        "an empty untracked directory",
        "mkdir $lane/new",
        "-ancestor",
    ),
    (
        "meant to be added",
        "echo 1 > $lane/new; x add -N new",
        "+unsettled",
    ),
    ("a file removed", "rm $lane/README", "+unsettled"),
    ("a mode changed", "chmod +x $lane/README", "+unsettled"),
    (
        "a change git was told to overlook",
        "x update-index --assume-unchanged README; echo 2 > $lane/README",
        "+unsettled",
    ),
    (
        "a file git was told to skip",
        "x update-index --skip-worktree README; echo 2 > $lane/README",
        "+unsettled",
    ),
    (
        "a merge under way",
        "m branch o main~1; git -C main checkout -q o; c main o 1; m checkout -q main; x merge -q \
         --no-commit --no-ff o",
        "+unsettled",
    ),
    (
        "a bisection under way",
        "x bisect start -q; x bisect bad HEAD",
        "+unsettled",
    ),
    (
        "a rebase under way",
        "GIT_SEQUENCE_EDITOR=\"sed -i '1i break'\" x rebase -q -i HEAD~1",
        "+unsettled",
    ),
    (
        "another branch checked out",
        "m branch o x; x checkout -q o",
        "+unsettled",
    ),
    (
        "a commit on no branch",
        "x checkout -q --detach; c $lane loose 1; x checkout -q x",
        "+unsettled",
    ),
    ("locked", "m worktree lock $lane", "+worktree-locked"),
    (
        "ignored files alone",
        "echo '*.log' >> main/.git/info/exclude; echo 1 > $lane/a.log",
        "-ancestor",
    ),
    (
        "a repository of its own, ignored",
        "echo own >> main/.git/info/exclude; git init -q $lane/own; c $lane/own f 1",
        "+unsettled",
    ),
    (
        "a worktree of another repository inside",
        "git init -q $lane/../o; c $lane/../o f 1; git -C $lane/../o worktree add -q $lane/inner; \
         echo inner >> main/.git/info/exclude",
        "-ancestor",
    ),
    (
        "a worktree of another repository inside, with work",
        "git init -q $lane/../o; c $lane/../o f 1; git -C $lane/../o worktree add -q $lane/inner; \
         echo inner >> main/.git/info/exclude; echo 2 > $lane/inner/new",
        "+unsettled",
    ),
];

/// Runs one row in a repository of its own.
fn verdict((name, script, expected): &Row, before: &str) -> Option<String> {
    let sandbox = Sandbox::new();
    let lane = sandbox.lane_by_git("x");
    let script = format!("{PRELUDE}\n{before}\n{script}");
    let mut shell = sandbox.command("sh");
    shell
        .args(["-c", &script])
        .env("lane", &lane)
        .current_dir(&sandbox.repo);
    sandbox.run(&mut shell).ok();
    let report = sandbox
        .lane(["--json", "prune", "--older-than", "0s"])
        .json();
    let listed = |key: &str| report[key].as_array().unwrap().first().cloned();
    let found = match (listed("pruned"), listed("kept")) {
        (Some(gone), _) => format!("-{}", gone["code"].as_str().unwrap()),
        (_, Some(kept)) => format!("+{}", kept["code"].as_str().unwrap()),
        _ => "nothing".to_owned(),
    };
    let is_there = lane.exists();
    (found != *expected || is_there != found.starts_with('+'))
        .then(|| format!("{name}: {found}, not {expected}"))
}

fn check(rows: &[Row], before: &str) {
    let wrong: Vec<String> = rows.iter().filter_map(|row| verdict(row, before)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_lane_goes_by_each_proof() {
    check(PROOFS, "");
}

#[test]
fn a_lane_stays_where_there_is_none() {
    check(NON_PROOFS, "");
}

#[test]
fn a_lane_that_has_landed_stays_for_what_is_in_its_worktree() {
    check(STATES, "c $lane a 1; m merge -q --no-ff -m landed x");
}
