//! Every way to land a lane is recognised, and nothing that is not in the base, or no longer, ever
//! is.

use git_lane::internals::Integration;
use git_lane::internals::divergences;
use git_lane::internals::{Bound, integrations};

use super::{git, repository};
use crate::support::{Dice, Sandbox, rounds};

fn text(lines: std::ops::Range<usize>) -> String {
    lines.map(|line| format!("line {line}\n")).collect()
}

/// `main` with two files of thirty lines, and branch `lane` checked out.
fn started() -> Sandbox {
    let sandbox = repository();
    sandbox.write("a", text(0..30));
    sandbox.write("b", text(100..130));
    sandbox.commit("start");
    sandbox.git(["checkout", "-q", "-b", "lane"]);
    sandbox
}

fn replace(sandbox: &Sandbox, path: &str, from: &str, to: &str) {
    let text = std::fs::read_to_string(sandbox.repo.join(path)).expect("a file");
    assert!(text.contains(from), "{path} has no {from}");
    sandbox.write(path, text.replacen(from, to, 1));
}

fn change(sandbox: &Sandbox, path: &str, line: usize, to: &str) -> String {
    replace(
        sandbox,
        path,
        &format!("line {line}\n"),
        &format!("line {line} {to}\n"),
    );
    sandbox.commit(&format!("{path} {line} {to}"))
}

fn squash(sandbox: &Sandbox, revision: &str) -> gix::ObjectId {
    sandbox.git(["checkout", "-q", "main"]);
    sandbox.git(["merge", "-q", "--squash", revision]);
    sandbox.git(["commit", "-q", "-m", "squashed"]);
    sandbox.id("HEAD")
}

fn judge(sandbox: &Sandbox) -> Option<Integration> {
    judge_with(sandbox, Bound::default())
}

fn judge_with(sandbox: &Sandbox, bound: Bound) -> Option<Integration> {
    let repo = sandbox.open();
    let (tip, base) = (sandbox.id("lane"), sandbox.id("main"));
    let divergence = divergences(&repo, &[(tip, base)]).expect("divergences")[0];
    let objects = sandbox.git(["count-objects", "-v"]);
    let found = integrations(&repo, &git(), &[(tip, base, &divergence)], bound)
        .expect("an answer")
        .remove(0);
    assert_eq!(
        objects,
        sandbox.git(["count-objects", "-v"]),
        "nothing is written"
    );
    found
}

fn on_main(sandbox: &Sandbox) {
    sandbox.git(["checkout", "-q", "main"]);
}

#[test]
fn identity_ancestry_and_trees() {
    let sandbox = started();
    assert_eq!(judge(&sandbox), Some(Integration::SameCommit));
    on_main(&sandbox);
    change(&sandbox, "b", 110, "base");
    assert_eq!(judge(&sandbox), Some(Integration::Ancestor));
    let sandbox = started();
    change(&sandbox, "a", 3, "lane");
    assert_eq!(judge(&sandbox), None);
    squash(&sandbox, "lane");
    assert_eq!(judge(&sandbox), Some(Integration::SameTree));
    change(&sandbox, "b", 110, "base");
    assert_eq!(judge(&sandbox), Some(Integration::SameContent));
}

#[test]
fn a_merge_that_adds_nothing() {
    let sandbox = started();
    change(&sandbox, "a", 3, "lane");
    squash(&sandbox, "lane");
    change(&sandbox, "a", 25, "base");
    assert_eq!(judge(&sandbox), Some(Integration::NothingToMerge));
}

/// Changes the landed lines again, so that only history can tell.
fn evolve(sandbox: &Sandbox) {
    on_main(sandbox);
    replace(sandbox, "a", "line 3 lane\n", "line 3 lane, then better\n");
    sandbox.commit("better");
}

#[test]
fn patches_picked_one_by_one() {
    let sandbox = started();
    let commits = [
        change(&sandbox, "a", 3, "lane"),
        change(&sandbox, "a", 15, "lane"),
        change(&sandbox, "b", 110, "x"),
    ];
    on_main(&sandbox);
    change(&sandbox, "b", 125, "base");
    for commit in &commits {
        sandbox.git(["cherry-pick", &commit.to_string()]);
    }
    evolve(&sandbox);
    assert_eq!(judge(&sandbox), Some(Integration::SamePatches));
    assert_eq!(
        judge_with(
            &sandbox,
            Bound {
                base_commits: 2,
                tip_commits: 30
            }
        ),
        None
    );
}

#[test]
fn one_squash_and_later_changes() {
    let sandbox = started();
    change(&sandbox, "a", 3, "lane");
    change(&sandbox, "a", 15, "lane");
    change(&sandbox, "b", 110, "lane");
    on_main(&sandbox);
    change(&sandbox, "b", 125, "base");
    let landed = squash(&sandbox, "lane");
    evolve(&sandbox);
    let expected = Some(Integration::Squashed {
        commits: vec![landed],
    });
    assert_eq!(judge(&sandbox), expected);
    assert_eq!(
        judge_with(
            &sandbox,
            Bound {
                base_commits: 1000,
                tip_commits: 2
            }
        ),
        expected,
        "a lane too long"
    );
    // A lane that took a merge from its base in between.
    let sandbox = started();
    change(&sandbox, "a", 3, "lane");
    on_main(&sandbox);
    change(&sandbox, "b", 125, "base");
    sandbox.git(["checkout", "-q", "lane"]);
    sandbox.git(["merge", "-q", "--no-edit", "main"]);
    change(&sandbox, "a", 15, "lane");
    let landed = squash(&sandbox, "lane");
    evolve(&sandbox);
    assert_eq!(
        judge(&sandbox),
        Some(Integration::Squashed {
            commits: vec![landed]
        })
    );
}

#[test]
fn a_single_line_refined_later_is_still_landed() {
    let sandbox = started();
    change(&sandbox, "a", 3, "lane");
    change(&sandbox, "b", 110, "lane");
    let landed = squash(&sandbox, "lane");
    evolve(&sandbox);
    assert_eq!(
        judge(&sandbox),
        Some(Integration::Squashed {
            commits: vec![landed]
        })
    );
}

#[test]
fn five_commits_landed_as_two_squashes() {
    let sandbox = started();
    change(&sandbox, "a", 3, "lane");
    change(&sandbox, "a", 9, "lane");
    let middle = change(&sandbox, "b", 110, "lane");
    change(&sandbox, "b", 118, "lane");
    replace(&sandbox, "a", "line 9 lane\n", "line 9 lane again\n");
    sandbox.commit("again");
    on_main(&sandbox);
    sandbox.write("c", "other");
    sandbox.commit("other");
    let first = squash(&sandbox, &middle.to_string());
    change(&sandbox, "a", 28, "base");
    let patch = sandbox.git(["diff", "--binary", &middle.to_string(), "lane"]);
    sandbox.write("../patch", patch + "\n");
    sandbox.git(["apply", "--index", "../patch"]);
    sandbox.commit("second part");
    let second = sandbox.id("HEAD");
    evolve(&sandbox);
    assert_eq!(
        judge(&sandbox),
        Some(Integration::Squashed {
            commits: vec![first, second]
        })
    );
    // With the last part taken back there is no proof any more.
    sandbox.git(["revert", "--no-edit", &second.to_string()]);
    change(&sandbox, "b", 119, "base");
    assert_eq!(judge(&sandbox), None);
}

#[test]
fn what_was_taken_back_is_not_integrated() {
    for touch_again in [false, true] {
        let sandbox = started();
        change(&sandbox, "a", 3, "lane");
        change(&sandbox, "b", 110, "lane");
        squash(&sandbox, "lane");
        sandbox.git(["revert", "--no-edit", "HEAD"]);
        assert_eq!(judge(&sandbox), None);
        // Other changes to the same files, next to the lane's lines or far from them.
        change(&sandbox, "a", if touch_again { 3 } else { 20 }, "base");
        change(&sandbox, "b", if touch_again { 111 } else { 125 }, "base");
        assert_eq!(
            judge(&sandbox),
            None,
            "touched the same lines: {touch_again}"
        );
    }
}

#[test]
fn one_of_several_taken_back_and_its_line_changed_again() {
    let sandbox = started();
    let commits = [3, 9, 15].map(|line| change(&sandbox, "a", line, "lane"));
    on_main(&sandbox);
    for commit in &commits {
        sandbox.git(["cherry-pick", &commit.to_string()]);
    }
    sandbox.git(["revert", "--no-edit", "HEAD~1"]);
    change(&sandbox, "a", 9, "base");
    assert_eq!(judge(&sandbox), None);
    // Landed once more, it counts again.
    replace(&sandbox, "a", "line 9 base\n", "line 9\n");
    sandbox.commit("make room");
    sandbox.git(["cherry-pick", &commits[1].to_string()]);
    evolve(&sandbox);
    assert_eq!(judge(&sandbox), Some(Integration::SamePatches));
}

#[test]
fn undone_in_the_lane_itself() {
    let sandbox = started();
    change(&sandbox, "a", 3, "lane");
    sandbox.git(["revert", "--no-edit", "HEAD"]);
    assert_eq!(judge(&sandbox), None, "the base has never seen it");
    let sandbox = started();
    sandbox.commit("empty");
    assert_eq!(judge(&sandbox), Some(Integration::SameTree));
    on_main(&sandbox);
    change(&sandbox, "a", 3, "base");
    assert_eq!(judge(&sandbox), Some(Integration::SameContent));
}

#[test]
fn a_part_is_not_the_whole() {
    let sandbox = started();
    let first = change(&sandbox, "a", 3, "lane");
    change(&sandbox, "a", 15, "lane");
    on_main(&sandbox);
    sandbox.git(["cherry-pick", &first.to_string()]);
    assert_eq!(judge(&sandbox), None);
    evolve(&sandbox);
    assert_eq!(judge(&sandbox), None);
    change(&sandbox, "a", 15, "base");
    assert_eq!(judge(&sandbox), None);
}

#[test]
fn modes_links_binaries_renames_and_submodules() {
    type Work = fn(&Sandbox);
    let works: [(&str, Work); 6] = [
        ("mode", |s| {
            s.git(["update-index", "--chmod=+x", "a"]);
            s.git(["commit", "-q", "-m", "mode"]);
            s.git(["checkout", "-q", "--", "a"]);
        }),
        ("link", |s| {
            std::os::unix::fs::symlink("a", s.repo.join("link")).expect("a link");
            s.commit("link");
        }),
        ("binary", |s| {
            s.write("bin", [0, 1, 2, 3]);
            s.commit("binary");
        }),
        ("rename", |s| {
            s.git(["mv", "a", "moved"]);
            s.commit("rename");
        }),
        ("submodule", |s| {
            let id = s.id("HEAD").to_string();
            s.git([
                "update-index",
                "--add",
                "--cacheinfo",
                &format!("160000,{id},sub"),
            ]);
            s.git(["commit", "-q", "-m", "pointer"]);
        }),
        ("deletion", |s| {
            s.git(["rm", "-q", "b"]);
            s.commit("gone");
        }),
    ];
    for (name, work) in works {
        let sandbox = started();
        work(&sandbox);
        let tree = sandbox.id("lane^{tree}").to_string();
        assert_eq!(judge(&sandbox), None, "{name}");
        let main = sandbox.id("main").to_string();
        let landed = sandbox.git(["commit-tree", "-p", &main, "-m", "landed", &tree]);
        sandbox.git(["branch", "-f", "main", &landed]);
        assert_eq!(judge(&sandbox), Some(Integration::SameTree), "{name}");
        sandbox.git(["checkout", "-q", "-f", "main"]);
        sandbox.write("later", "x");
        sandbox.git(["add", "later"]);
        sandbox.git(["commit", "-q", "-m", "later"]);
        assert_eq!(judge(&sandbox), Some(Integration::SameContent), "{name}");
        let back = sandbox.git([
            "commit-tree",
            "-p",
            "HEAD",
            "-m",
            "back",
            &format!("{main}^{{tree}}"),
        ]);
        sandbox.git(["branch", "-f", "elsewhere", &back]);
        sandbox.git(["checkout", "-q", "-f", "--detach"]);
        sandbox.git(["branch", "-f", "main", "elsewhere"]);
        assert_eq!(judge(&sandbox), None, "{name} taken back");
    }
}

#[test]
fn the_users_config_and_attributes_falsify_nothing() {
    let sandbox = started();
    change(&sandbox, "a", 3, "lane");
    change(&sandbox, "b", 110, "lane");
    on_main(&sandbox);
    change(&sandbox, "a", 3, "base");
    change(&sandbox, "b", 110, "base");
    for (key, value) in [
        ("diff.relative", "true"),
        ("diff.external", "true"),
        ("diff.noprefix", "true"),
        ("diff.ours.textconv", "true"),
        ("merge.ours.driver", "true"),
        ("merge.default", "ours"),
        ("diff.ignoreSubmodules", "all"),
        ("core.attributesFile", ".git/info/attributes"),
    ] {
        sandbox.git(["config", key, value]);
    }
    std::fs::write(
        sandbox.repo.join(".git/info/attributes"),
        "* merge=ours diff=ours\n",
    )
    .expect("written");
    assert_eq!(judge(&sandbox), None);
    // Attributes that come with the base.
    sandbox.write(".gitattributes", "* merge=union diff=ours\n");
    sandbox.commit("attributes");
    assert_eq!(judge(&sandbox), None);
}

#[test]
fn white_space_is_content() {
    let sandbox = started();
    change(&sandbox, "a", 3, "if x:");
    on_main(&sandbox);
    replace(&sandbox, "a", "line 3\n", "line 3   if x:\n");
    sandbox.commit("other white space");
    assert_eq!(judge(&sandbox), None);
}

#[test]
fn unrelated_histories_and_rewritten_ones() {
    let sandbox = started();
    sandbox.git(["checkout", "-q", "--orphan", "other"]);
    sandbox.write("a", "unrelated");
    sandbox.commit("unrelated");
    sandbox.git(["branch", "-f", "lane", "other"]);
    assert_eq!(judge(&sandbox), None);

    let sandbox = started();
    change(&sandbox, "a", 3, "lane");
    change(&sandbox, "a", 15, "lane");
    squash(&sandbox, "lane");
    evolve(&sandbox);
    assert!(judge(&sandbox).is_some());
    sandbox.git(["replace", "--graft", "lane"]);
    assert_eq!(judge(&sandbox), None);
}

/// Whatever is called integrated really is: undoing it in the base, or the line test of a plain
/// merge, shows it.
#[test]
fn random_lanes_are_never_called_integrated_by_mistake() {
    let mut integrated = 0;
    for seed in 0..rounds(60, 300) {
        let mut dice = Dice::new(seed);
        let sandbox = started();
        // Each lane writes a word no other lane writes, on a line of its own choice.
        let lines: Vec<usize> = (0..1 + dice.roll(4))
            .map(|at| 2 + at * 7 + dice.roll(6))
            .collect();
        for (at, line) in lines.iter().enumerate() {
            change(&sandbox, "a", *line, &format!("lane{at}"));
        }
        on_main(&sandbox);
        let landed = dice.roll(lines.len() + 1);
        for step in 0..landed {
            if dice.roll(2) == 0 {
                change(&sandbox, "b", 100 + step * 5 + dice.roll(3), "base");
            }
            let pick = format!("lane~{}", lines.len() - 1 - step);
            sandbox.git(["cherry-pick", &pick]);
        }
        let taken_back = landed > 0 && dice.roll(3) == 0;
        if taken_back {
            replace(&sandbox, "a", &format!(" lane{}\n", landed - 1), "\n");
            sandbox.commit("taken back");
        }
        if dice.roll(2) == 0 {
            replace(&sandbox, "a", "line 0\n", "line 0 base\n");
            sandbox.commit("base");
        }
        let there = landed == lines.len() && !taken_back;
        let found = judge(&sandbox);
        assert_eq!(found.is_some(), there, "seed {seed}: {found:?}");
        integrated += usize::from(there);
    }
    assert!(integrated > 5, "the dice made some");
}

#[test]
fn many_lanes_at_once_keep_their_order() {
    let sandbox = started();
    on_main(&sandbox);
    let mut expected = Vec::new();
    for at in 0..6 {
        sandbox.git(["checkout", "-q", "-b", &format!("l{at}"), "main~0"]);
        change(&sandbox, "a", at * 4, &format!("lane{at}"));
        let tip = sandbox.id("HEAD");
        on_main(&sandbox);
        if at % 2 == 0 {
            sandbox.git(["merge", "-q", "--squash", &format!("l{at}")]);
            sandbox.commit("landed");
        }
        expected.push((tip, at % 2 == 0));
    }
    change(&sandbox, "a", 29, "end");
    let (repo, base) = (sandbox.open(), sandbox.id("main"));
    let pairs: Vec<_> = expected.iter().map(|(tip, _)| (*tip, base)).collect();
    let divergences = divergences(&repo, &pairs).expect("divergences");
    let pairs: Vec<_> = pairs
        .iter()
        .zip(&divergences)
        .map(|((tip, base), d)| (*tip, *base, d))
        .collect();
    let found = integrations(&repo, &git(), &pairs, Bound::default()).expect("answers");
    let found: Vec<bool> = found.iter().map(Option::is_some).collect();
    assert_eq!(
        found,
        expected
            .iter()
            .map(|(_, landed)| *landed)
            .collect::<Vec<_>>()
    );
}
