//! Other tools' hooks beside git-lane's, which write into the worktree: they are not in the way of
//! the way back, and what they have written is kept.

use std::path::Path;

use super::everything::Everything;
use super::levels;
use super::shop::{Refs, Shop};
use super::way_back::FAR;
use crate::support::{Run, executable, git_version, write};

/// Where the other tool's hook is, and so when it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// A hook file that was there before git-lane: git-lane comes first.
    Chained,
    /// Lines that were put before git-lane's in the same file.
    Before,
    /// A manager of hooks with a directory of its own, which calls git-lane last.
    Manager,
    /// Configured for the user, so before those of the repository: git 2.54 and later.
    Configured,
    /// In a hook that git runs before it moves HEAD.
    Index,
}
use Layout::{Before, Chained, Configured, Index, Manager};

const LAYOUTS: [Layout; 5] = [Chained, Before, Manager, Configured, Index];

/// What the other tool's hook does after a switch, and what is not as it was afterwards where it
/// comes first.
#[rustfmt::skip]
const ROWS: &[(&str, &[&str])] = &[
    ("echo tool >>w", &[]),
    ("echo tool >w; touch -d 2001-01-01 w", &[]),
    ("echo tool >>w; git update-index -q --refresh; git status >/dev/null", &[]),
    ("echo tool >>w; git add w", &[]),
    ("rm w", &[]),
    ("rm w; ln -s g w", &[]),
    ("chmod -x run; ln -sf zzz link", &[]),
    ("echo tool >>new; echo tool >>k; echo tool >>r/in", &[]),
    ("rm -r r", &[]),
    ("git rm -q -f w new", &[]),
    // A file of the lane's branch that is made anew.
    ("echo tool >own", &[]),
    ("echo tool >own; git add own; mkdir -p e; echo tool >e/only", &[]),
    ("ln -s g own", &[]),
    // Beside the files that differ everything stays as the tool has left it.
    ("echo tool >made", &["file made"]),
    ("mkdir -p e; echo tool >e/made; echo tool >>w", &["file e/made"]),
    // A directory with something in it stays where a file was; that one is in HEAD still.
    ("echo tool >r/made", &["directory r", "file r", "file r/made"]),
];

fn place(shop: &Shop, layout: Layout, script: &str) {
    let own = shop.sandbox.repo.join(".git/hooks");
    let script = format!("if [ \"$3\" = 1 ]; then\n{script}\nfi\n");
    let text = format!("#!/bin/sh\n{script}");
    let executable = |file: &Path, text: String| {
        executable(file, text);
    };
    match layout {
        Chained => {
            shop.sandbox.lane(["init", "--uninstall"]).ok();
            executable(&own.join("post-checkout"), text);
            shop.sandbox.lane(["init", "--files"]).ok();
        }
        Before => {
            shop.sandbox.lane(["init", "--files"]).ok();
            let ours = std::fs::read_to_string(own.join("post-checkout")).unwrap();
            executable(
                &own.join("post-checkout"),
                ours.replacen("#!/bin/sh\n", &text, 1),
            );
        }
        Manager => {
            shop.sandbox.lane(["init", "--uninstall"]).ok();
            let directory = shop.sandbox.root().join("manager");
            std::fs::create_dir(&directory).unwrap();
            executable(
                &directory.join("post-checkout"),
                format!("{text}git-lane hook post-checkout \"$@\"\n"),
            );
            shop.sandbox
                .git(["config", "core.hooksPath", directory.to_str().unwrap()]);
        }
        Configured => {
            let file = shop.sandbox.root().join("tool");
            executable(&file, text);
            shop.sandbox.git([
                "config",
                "--global",
                "hook.tool.command",
                file.to_str().unwrap(),
            ]);
            shop.sandbox
                .git(["config", "--global", "hook.tool.event", "post-checkout"]);
        }
        Index => {
            // Once: what the script does may write the index.
            let script = script.replacen("$3", "$1", 1);
            let text = format!("#!/bin/sh\n[ -e ../../ran ] && exit\n{script}");
            executable(&own.join("post-index-change"), text);
        }
    }
}

/// A hook that has heard of the way out hears of the way back, and would write again; here it
/// writes once.
fn once(script: &str) -> String {
    format!("[ -e ../../ran ] || {{ : >../../ran\n{script}\n}}")
}

fn tried(
    level: &'static str,
    layout: Layout,
    script: &str,
    edits: &str,
) -> (Shop, Run, Everything, Everything) {
    let shop = Shop::prepared(level, Refs::Files, FAR);
    drop(shop.sh(
        &shop.one,
        &format!("{edits}; sleep 0.02; git update-index -q --refresh"),
    ));
    place(&shop, layout, &once(script));
    let before = Everything::of(&shop, &shop.one);
    let run = shop.sh(&shop.one, "git switch -q far");
    let after = Everything::of(&shop, &shop.one);
    (shop, run, before, after)
}

fn runs_at(layout: Layout, level: &str) -> bool {
    match layout {
        Configured => git_version() >= (2, 54),
        // Without files of its own the manager has no hook that refuses.
        Manager | Chained | Before => level == "restore",
        Index => true,
    }
}

/// A git that has our hooks in its configuration runs hook files after them, whatever they answer:
/// git-lane-init(1), LIMITS.
fn runs_after_us(layout: Layout) -> bool {
    git_version() >= (2, 54) && [Chained, Before].contains(&layout)
}

#[test]
fn they_are_not_in_the_way_of_the_way_back() {
    for level in levels() {
        for layout in LAYOUTS.into_iter().filter(|layout| runs_at(*layout, level)) {
            super::every_row(level, Refs::Files, ROWS.iter(), |(script, expected)| {
                let edits = "echo s >g; git add g; echo u >>g; echo u >>h.mine";
                let (shop, run, before, after) = tried(level, layout, script, edits);
                let differences = after.differences(&before);
                let ran = shop.sandbox.root().join("ran").exists();
                let heard = layout != Chained && (layout == Index || level == "restore");
                let expected: Vec<&str> = if heard { expected.to_vec() } else { Vec::new() };
                let stopped = run.code != 0 && run.stderr.contains("hint: ");
                let fine = match runs_after_us(layout) {
                    true => stopped && !differences.iter().any(|what| what == "HEAD"),
                    false => stopped && differences == expected && ran == heard,
                };
                (!fine).then(|| format!("{layout:?} {differences:?} ran: {ran} {run}"))
            });
        }
    }
}

/// What they wrote over files of the other branch is named with a command that shows it.
#[test]
fn what_they_wrote_can_be_had_again() {
    let script = "printf 'tool\\0\\n' >w; echo tool >own; ln -sf zzz link; echo tool >>k";
    let (shop, run, before, after) = tried("restore", Manager, script, "");
    assert_eq!(after.differences(&before), [""; 0], "{run}");
    let said = run
        .stderr
        .lines()
        .find(|line| line.contains("is kept until git prunes it"))
        .unwrap_or_else(|| panic!("{run}"));
    assert!(said.contains("(and 3 files more)"), "{said}");
    let (_, show) = said.rsplit_once(": git show ").unwrap();
    let tree = show.split(':').next().unwrap();
    let kept = |path: &str| {
        shop.sandbox
            .git(["cat-file", "blob", &format!("{tree}:{path}")])
    };
    assert_eq!(
        (
            kept("w").as_str(),
            kept("own").as_str(),
            kept("link").as_str()
        ),
        ("tool\0", "tool", "zzz")
    );
    assert_eq!(kept("k"), "file\ntool");
    shop.sh(&shop.one, &format!("git show {show}")).ok();
}

/// What the user had staged as the other branch has it, and edited on top of that, is none of the
/// tool's.
#[test]
fn the_users_edits_stay_among_theirs() {
    for layout in [Chained, Before, Manager]
        .into_iter()
        .filter(|layout| !runs_after_us(*layout))
    {
        for edits in [
            "git checkout -q far -- w new; echo mine >>w; sleep 0.05",
            "git rm -q --cached own; echo mine >own; echo own >>.gitignore; sleep 0.05",
            "git checkout -q far -- new; rm new; echo mine >>g; sleep 0.05",
            "echo mine >>g; git add g; rm -r e; ln -s d e; sleep 0.05",
        ] {
            let (_, run, before, after) = tried(
                "restore",
                layout,
                "echo tool >>link; echo tool >>k; git status >/dev/null",
                edits,
            );
            assert!(run.code != 0 && run.stderr.contains("hint: "), "{run}");
            // Through the link the tool has written into another file.
            let differences: Vec<_> = after
                .differences(&before)
                .into_iter()
                .filter(|what| !what.starts_with("file g"))
                .collect();
            assert_eq!(differences, [""; 0], "{layout:?} {edits} {run}");
        }
    }
}

/// One that was there first still hears of every switch that stands, and its exit code counts.
#[test]
fn an_older_hook_hears_of_what_stands() {
    if runs_after_us(Chained) {
        return;
    }
    let shop = Shop::prepared("restore", Refs::Files, FAR);
    place(
        &shop,
        Chained,
        "echo \"$1 $2 $3\" >>../../heard; [ ! -e ../../fail ] || exit 7",
    );
    let heard = || std::fs::read_to_string(shop.sandbox.root().join("heard")).unwrap_or_default();
    assert_ne!(shop.sh(&shop.one, "git switch far").code, 0);
    assert_eq!(heard(), "");
    let tip = shop.sandbox.git_in(&shop.one, ["rev-parse", "HEAD"]);
    shop.sh(&shop.one, "git switch -q one").ok();
    assert_eq!(heard(), format!("{tip} {tip} 1\n"));
    write(&shop.sandbox.root().join("fail"), "");
    assert_eq!(shop.sh(&shop.one, "git switch -q one").code, 1);
    // With the rule looking away it hears of everything.
    std::fs::remove_file(shop.sandbox.root().join("fail")).unwrap();
    shop.sh(
        &shop.one,
        "GIT_LANE_BYPASS=1 git switch -q far && git switch -q one",
    )
    .ok();
    assert_eq!(heard().lines().count(), 4);
}
