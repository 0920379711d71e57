//! `-n` of every command that takes lanes away: nothing is written, not even what the real command
//! would do first.

use crate::support::{Sandbox, listing, outdate, write};

type Situation = (&'static str, fn(&Sandbox));

/// What the real command would heal, follow, tell the hooks or sweep away before its own work.
const SITUATIONS: [Situation; 7] = [
    ("nothing special", |_| ()),
    ("an interrupted removal", |sandbox| {
        sandbox.lane_by_git("half");
        sandbox.dying(5, ["drop", "--force", "half"]).fails(137);
    }),
    ("a renamed branch", |sandbox| {
        sandbox.lane_by_git("renamed");
        sandbox.git(["branch", "-m", "renamed", "new-name"]);
    }),
    ("a moved worktree", |sandbox| {
        let (from, to) = (sandbox.lane_by_git("moved"), sandbox.lane_path("elsewhere"));
        sandbox.git([
            "worktree",
            "move",
            from.to_str().unwrap(),
            to.to_str().unwrap(),
        ]);
    }),
    ("hooks that do not know the policy", |sandbox| {
        sandbox.lane(["init"]).ok();
        write(
            &sandbox.repo.join(".git/lane/lane.toml"),
            "[rule]\nprotected = [\"release\"]\n",
        );
    }),
    ("a lane on its way out of the trash", |sandbox| {
        sandbox.lane_by_git("gone");
        sandbox.lane(["drop", "gone"]).ok();
        let entry = sandbox.entry();
        let deleting = format!(".deleting-{}", entry.file_name().unwrap().to_str().unwrap());
        std::fs::rename(&entry, entry.with_file_name(deleting)).unwrap();
    }),
    ("a lane whose time is up", |sandbox| {
        sandbox.lane_by_git("old");
        sandbox.lane(["drop", "old"]).ok();
        outdate(&sandbox.entry());
    }),
];

#[test]
fn nothing_at_all_is_written() {
    for (situation, prepare) in SITUATIONS {
        let sandbox = Sandbox::new();
        sandbox.lane_by_git("ready");
        sandbox.work("ready", "ready", "ready");
        sandbox.lane_by_git("landed");
        sandbox.work("landed", "landed", "landed");
        sandbox.git(["merge", "-q", "--no-ff", "-m", "merge", "landed"]);
        // A first command of any kind makes `.git/lane`.
        sandbox.lane_by_git("first");
        sandbox.lane(["drop", "first"]).ok();
        std::fs::remove_dir_all(sandbox.repo.join(".git/lane/trash")).unwrap();
        sandbox.add_worktree("by-hand", &sandbox.root().join("by-hand"));
        prepare(&sandbox);
        // git refreshes an index when it looks.
        for path in [
            sandbox.repo.clone(),
            sandbox.lane_path("ready"),
            sandbox.lane_path("landed"),
        ] {
            sandbox.git_in(&path, ["status"]);
        }
        let seen = || {
            [
                listing(&sandbox.repo),
                listing(&sandbox.root().join("shop.lanes")),
            ]
        };
        let before = seen();
        for (args, said) in [
            (
                &["drop", "-n", "ready", "landed"][..],
                "would drop lane 'ready'",
            ),
            (
                &["drop", "-n", "--force", "ready"],
                "would drop lane 'ready'",
            ),
            (&["prune", "-n"], "would prune lane 'landed'"),
            (&["trash", "--expire", "-n"], ""),
            (&["finish", "-n", "ready"], "would land lane 'ready'"),
            (
                &["finish", "-n", "ready", "--strategy", "squash"],
                "would land lane 'ready'",
            ),
            (
                &["finish", "-n", "ready", "--strategy", "rebase"],
                "would land lane 'ready'",
            ),
            (&["finish", "-n", "landed"], "nothing to land"),
            (&["adopt", "-n", "by-hand"], "would adopt lane 'by-hand'"),
            (&["adopt", "-n", "--all"], "would adopt lane 'by-hand'"),
            (
                &["finish", "-n", "ready", "--no-land", "--force"],
                "would move the lane into the trash",
            ),
        ] {
            let text = sandbox.lane(args).ok();
            assert!(text.contains(said), "{situation}: {args:?}: {text}");
            assert!(
                seen() == before,
                "{situation}: {args:?} has written something"
            );
        }
    }
}

/// It foretells what the real command does, which follows a renamed branch or a moved worktree
/// first.
#[test]
fn what_is_foretold_is_what_happens() {
    let sandbox = Sandbox::new();
    sandbox.lane_by_git("renamed");
    sandbox.git(["branch", "-m", "renamed", "new-name"]);
    let (from, to) = (sandbox.lane_by_git("moved"), sandbox.lane_path("elsewhere"));
    sandbox.git([
        "worktree",
        "move",
        from.to_str().unwrap(),
        to.to_str().unwrap(),
    ]);
    let foretold = sandbox
        .lane(["--json", "drop", "-n", "renamed", "moved"])
        .json();
    let dropped = sandbox.lane(["--json", "drop", "renamed", "moved"]).json();
    for (at, (foretold, dropped)) in foretold["dropped"]
        .as_array()
        .unwrap()
        .iter()
        .zip(dropped["dropped"].as_array().unwrap())
        .enumerate()
    {
        for key in ["name", "branch", "tip", "path", "had"] {
            assert_eq!(foretold[key], dropped[key], "{at}");
        }
    }
    assert_eq!(dropped["dropped"][0]["branch"], "new-name");
    assert_eq!(dropped["dropped"][1]["path"], to.to_str().unwrap());
}
