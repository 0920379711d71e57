//! `git lane finish -n` says what `git lane finish` would: the same refusal for whatever is in the
//! way where the base is checked out, by every strategy, and nothing is written.

use std::collections::BTreeSet;
use std::os::unix::fs::symlink;

use crate::support::{Run, Sandbox, age, listing, write};

/// What is the matter in the base's worktree, and how the landing is refused; "" where it is not.
type Situation = (&'static str, &'static str, fn(&Sandbox));

const SITUATIONS: [Situation; 19] = [
    ("nothing", "", |_| ()),
    ("an edit elsewhere", "", |sandbox| {
        sandbox.write("other.txt", "edited\n")
    }),
    ("a file that was only touched", "", |sandbox| {
        sandbox.write("src/app.txt", "one\ntwo\nthree\n")
    }),
    ("an edit", "in-the-way", |sandbox| {
        sandbox.write("src/app.txt", "edited\n")
    }),
    ("a staged edit", "in-the-way", |sandbox| {
        sandbox.write("src/app.txt", "edited\n");
        sandbox.git(["add", "src/app.txt"]);
    }),
    ("a deletion that is staged", "in-the-way", |sandbox| {
        sandbox.git(["rm", "-q", "src/app.txt"]);
    }),
    ("an edit in a split index", "in-the-way", |sandbox| {
        sandbox.git(["update-index", "--split-index"]);
        sandbox.write("src/app.txt", "edited\n");
    }),
    (
        "an edit that is assumed unchanged",
        "in-the-way",
        |sandbox| {
            sandbox.git(["update-index", "--assume-unchanged", "src/app.txt"]);
            sandbox.write("src/app.txt", "edited\n");
        },
    ),
    (
        "an edit that is skipped, in a split index",
        "in-the-way",
        |sandbox| {
            sandbox.git(["update-index", "--split-index"]);
            sandbox.git(["update-index", "--skip-worktree", "src/app.txt"]);
            sandbox.write("src/app.txt", "edited\n");
        },
    ),
    ("an untracked file", "in-the-way", |sandbox| {
        sandbox.write("new.txt", "mine\n")
    }),
    ("an ignored file", "in-the-way", |sandbox| {
        write(&sandbox.repo.join(".git/info/exclude"), "new.txt\n");
        sandbox.write("new.txt", "mine\n");
    }),
    (
        "a file that is intended to be added",
        "in-the-way",
        |sandbox| {
            sandbox.write("new.txt", "mine\n");
            sandbox.git(["add", "--intent-to-add", "new.txt"]);
        },
    ),
    (
        "an untracked file where a directory comes",
        "in-the-way",
        |sandbox| sandbox.write("dir", "mine\n"),
    ),
    (
        "an untracked file below a directory where a file comes",
        "in-the-way",
        |sandbox| {
            sandbox.write("new.txt/mine", "mine\n");
        },
    ),
    (
        "a staged file below a directory where a file comes",
        "in-the-way",
        |sandbox| {
            sandbox.write("new.txt/mine", "mine\n");
            sandbox.git(["add", "new.txt/mine"]);
        },
    ),
    ("a symbolic link for a directory", "in-the-way", |sandbox| {
        std::fs::rename(sandbox.repo.join("src"), sandbox.root().join("moved")).unwrap();
        symlink("../moved", sandbox.repo.join("src")).unwrap();
    }),
    ("a merge in progress", "base-busy", |sandbox| {
        let head = sandbox.git(["rev-parse", "HEAD"]);
        write(&sandbox.repo.join(".git/MERGE_HEAD"), head + "\n");
    }),
    ("a conflict in the index", "in-the-way", |sandbox| {
        let blob = sandbox.git(["rev-parse", "HEAD:src/app.txt"]);
        let stages = (1..4)
            .map(|stage| format!("100644 {blob} {stage}\tsrc/app.txt\n"))
            .collect::<String>();
        let script = format!("printf '%s' '{stages}' | git update-index --index-info");
        sandbox.sh(&script).ok();
    }),
    ("a lock on the index", "locked", |sandbox| {
        let lock = sandbox.repo.join(".git/index.lock");
        write(&lock, "");
        age(&lock, 3600);
    }),
];

/// What a command said, without the age of a lock.
fn verdict(run: &Run) -> (i32, String, String) {
    let document: serde_json::Value = serde_json::from_str(&run.stdout).expect("one document");
    let text = |key: &str| {
        document["error"][key]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let message = text("message");
    // How old a lock is differs.
    let aged = message.strip_suffix(" old");
    let lasting = aged.and_then(|aged| aged.rsplit_once(", "));
    let message = lasting.map_or(&*message, |(lasting, _)| lasting).to_owned();
    (run.code, text("code"), message)
}

#[test]
fn the_dry_run_is_refused_by_what_refuses_the_landing() {
    for (situation, code, prepare) in SITUATIONS {
        let sandbox = Sandbox::new();
        sandbox.write("other.txt", "other\n");
        sandbox.commit("other");
        for lane in ["login", "ahead"] {
            if lane == "ahead" {
                // What lands of the other one is in no object store before it lands.
                sandbox.write("main.txt", "main\n");
                sandbox.commit("main");
            }
            let path = sandbox.lane_by_git(lane);
            write(&path.join("new.txt"), format!("{lane}\n"));
            write(&path.join("dir/new.txt"), format!("{lane}\n"));
            sandbox.work(lane, "src/app.txt", lane);
        }
        // A first command of any kind makes `.git/lane`.
        sandbox
            .lane(["finish", "login", "--keep", "--into", "nowhere"])
            .fails(1);
        let base = sandbox.git(["rev-parse", "main"]);
        prepare(&sandbox);
        // Every git dates the objects it finds there already, and the shared half of a split index.
        let dated =
            |line: &&str| line.starts_with("\".git/objects/") || line.contains("/sharedindex.");
        let named = |line: &str| match dated(&line) {
            true => line.split(' ').next().unwrap().to_owned(),
            false => line.to_owned(),
        };
        let seen = || {
            listing(&sandbox.repo)
                .lines()
                .map(named)
                .collect::<BTreeSet<_>>()
        };
        for (lane, strategy) in [
            ("login", "merge"),
            ("login", "squash"),
            ("login", "rebase"),
            ("ahead", "ff"),
        ] {
            let args = ["--json", "finish", lane, "--keep", "--strategy", strategy];
            let before = seen();
            let foretold = sandbox.lane(args.iter().chain(&["-n"]));
            let after = seen();
            let wrote = before.symmetric_difference(&after).collect::<Vec<_>>();
            assert_eq!(
                wrote,
                Vec::<&String>::new(),
                "{situation}, {strategy}: {foretold}"
            );
            let landed = sandbox.lane(args);
            assert_eq!(
                verdict(&foretold),
                verdict(&landed),
                "{situation}, {strategy}: {foretold}{landed}"
            );
            assert_eq!(
                verdict(&landed).1,
                code,
                "{situation}, {strategy}: {landed}"
            );
            if landed.code == 0 {
                sandbox.git(["reset", "-q", "--hard", &base]);
                prepare(&sandbox);
            }
        }
    }
}
