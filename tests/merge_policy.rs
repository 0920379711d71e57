//! What `git merge` on the base would be asked for by configuration is done by a landing, or
//! refused with the reason.

use std::path::Path;
use std::process::Command;

use crate::support::{Run, Sandbox, git_version, rounds, skipped, write};

/// Lane `x` with one commit; main has gone on unless the lane is `ahead`.
fn stage(ahead: bool) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.lane_by_git("x");
    sandbox.work("x", "new.txt", "new\n");
    if !ahead {
        sandbox.write("main.txt", "main\n");
        sandbox.commit("main went on");
    }
    sandbox
}

fn configure(sandbox: &Sandbox, settings: &[(&str, &str)]) {
    for (key, value) in settings {
        sandbox.git(["config", key, value]);
    }
}

fn code(run: &Run) -> String {
    let said: serde_json::Value =
        serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run}"));
    said["error"]["code"].as_str().unwrap_or("none").to_owned()
}

type Settings = &'static [(&'static str, &'static str)];

const OPTIONS: &str = "branch.main.mergeOptions";

/// The strategies that land under these settings; the others are refused, and nothing moves.
#[test]
fn what_the_base_takes() {
    let all = ["merge", "squash", "rebase", "ff"];
    let table: &[(Settings, bool, &[&str])] = &[
        (&[], true, &all),
        (&[("merge.ff", "only")], true, &["squash", "rebase", "ff"]),
        (&[("merge.ff", "only")], false, &["rebase"]),
        (&[("merge.ff", "false")], true, &["merge"]),
        (&[("merge.ff", "no")], false, &["merge"]),
        (&[("merge.ff", "true")], true, &all),
        (
            &[("merge.ff", "only"), (OPTIONS, "--no-ff")],
            false,
            &["merge"],
        ),
        (&[("merge.ff", "false"), (OPTIONS, "--ff")], true, &all),
        (&[(OPTIONS, "--ff-only")], false, &["rebase"]),
        (&[(OPTIONS, "--no-ff --stat")], true, &["merge"]),
        (&[(OPTIONS, "--squash")], true, &["squash"]),
        (&[(OPTIONS, "--squash --no-ff")], true, &[]),
        (
            &[(OPTIONS, "--no-commit")],
            true,
            &["squash", "rebase", "ff"],
        ),
        (&[(OPTIONS, "-s ours")], true, &[]),
        (&[(OPTIONS, "--strategy=subtree")], false, &[]),
        (&[(OPTIONS, "-s recursive")], true, &all),
        (&[("pull.twohead", "ours")], false, &[]),
        (&[("pull.twohead", "ours"), (OPTIONS, "-s ort")], true, &all),
        (&[(OPTIONS, "-m 'always this'")], true, &[]),
        (&[(OPTIONS, "--nonsense")], true, &[]),
        (&[(OPTIONS, "'open")], true, &[]),
        (&[(OPTIONS, "--verify-signatures")], true, &[]),
        (&[("merge.verifySignatures", "true")], false, &[]),
        (
            &[
                ("merge.verifySignatures", "true"),
                (OPTIONS, "--no-verify-signatures"),
            ],
            true,
            &all,
        ),
        (&[("branch.other.mergeOptions", "--ff-only")], true, &all),
    ];
    for (settings, ahead, lands) in table {
        let sandbox = stage(*ahead);
        configure(&sandbox, settings);
        let unsigned = settings
            .last()
            .is_some_and(|(_, value)| value.contains("verify"))
            || settings.last() == Some(&("merge.verifySignatures", "true"));
        let refused = |strategy, run: &Run| {
            let row = format!("{settings:?}, {strategy}, ahead {ahead}: {run}");
            let code = code(run);
            let with_options = settings.iter().any(|(_, value)| value.contains("-X"));
            let (exit, expected) = match (unsigned, with_options && git_version() < (2, 43)) {
                (_, true) => (4, "git-too-old"),
                (true, _) => (1, "unsigned"),
                _ => (1, "merge-policy"),
            };
            let no_forward = strategy == "ff" && !*ahead && code == "not-fast-forward";
            assert!(
                run.code == exit && code == expected || run.code == 1 && no_forward,
                "{row}"
            );
        };
        for strategy in all {
            let preview = sandbox.lane(["finish", "x", "-n", "--json", "--strategy", strategy]);
            let moved_on = strategy == "ff" && !*ahead;
            match lands.contains(&strategy) && !moved_on {
                true => drop(preview.ok()),
                false => refused(strategy, &preview),
            }
        }
        let old = sandbox.git(["rev-parse", "main"]);
        for strategy in all
            .into_iter()
            .filter(|strategy| !lands.contains(strategy))
            .take(1)
        {
            refused(
                strategy,
                &sandbox.lane(["finish", "x", "--json", "--strategy", strategy]),
            );
            assert_eq!(
                sandbox.git(["rev-parse", "main"]),
                old,
                "{settings:?}, {strategy}"
            );
            assert!(sandbox.lane_path("x").exists(), "{settings:?}, {strategy}");
        }
        if let Some(strategy) = lands.iter().find(|strategy| *ahead || **strategy != "ff") {
            sandbox.lane(["finish", "x", "--strategy", strategy]).ok();
            assert!(
                sandbox.repo.join("new.txt").exists(),
                "{settings:?}, {strategy}"
            );
        }
    }
}

/// An ssh key whose signatures are good for everybody of this sandbox.
fn key(sandbox: &Sandbox) -> bool {
    if !Path::new("/usr/bin/ssh-keygen").exists() {
        skipped("there is no ssh-keygen");
        return false;
    }
    let file = sandbox.root().join("home/key");
    let mut generate = Command::new("ssh-keygen");
    sandbox
        .run(
            generate
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(&file),
        )
        .ok();
    let public = std::fs::read_to_string(file.with_extension("pub")).unwrap();
    let signers = sandbox.root().join("home/signers");
    write(&signers, format!("* {public}"));
    let (file, signers) = (file.to_str().unwrap(), signers.to_str().unwrap());
    configure(
        sandbox,
        &[
            ("gpg.format", "ssh"),
            ("user.signingKey", file),
            ("gpg.ssh.allowedSignersFile", signers),
        ],
    );
    true
}

#[test]
fn signed_commits_land_and_are_signed_again_where_they_are_replayed() {
    for (strategy, ahead, signs, lands) in [
        ("merge", false, false, true),
        ("squash", false, false, true),
        ("ff", true, false, true),
        ("rebase", true, false, true),
        // Replayed commits are new ones.
        ("rebase", false, false, false),
        ("rebase", false, true, true),
    ] {
        let sandbox = stage(ahead);
        if !key(&sandbox) {
            return;
        }
        sandbox.git_in(
            &sandbox.lane_path("x"),
            ["commit", "-q", "--amend", "--no-edit", "-S"],
        );
        configure(
            &sandbox,
            &[
                ("merge.verifySignatures", "true"),
                ("commit.gpgSign", if signs { "true" } else { "false" }),
            ],
        );
        let run = sandbox.lane(["finish", "x", "--json", "--strategy", strategy]);
        let row = format!("{strategy}, ahead {ahead}, signs {signs}: {run}");
        assert_eq!(run.code == 0, lands, "{row}");
        if !lands {
            assert_eq!(code(&run), "unsigned", "{row}");
        } else if strategy == "rebase" {
            sandbox.git(["verify-commit", "main"]);
        }
    }
}

#[test]
fn a_signature_without_trust_is_refused_unless_that_is_enough() {
    let sandbox = stage(false);
    if !key(&sandbox) {
        return;
    }
    sandbox.git_in(
        &sandbox.lane_path("x"),
        ["commit", "-q", "--amend", "--no-edit", "-S"],
    );
    sandbox.git(["config", "merge.verifySignatures", "true"]);
    write(&sandbox.root().join("home/signers"), "");
    sandbox.git_fails(["merge", "--no-ff", "-m", "m", "x"]);
    let said = sandbox.lane(["finish", "x"]).fails(1);
    assert!(said.contains("takes signed commits only"), "{said}");
}

/// The settings and options of the differential runs; git can do with them whatever it likes.
const POOL: [Settings; 24] = [
    &[(OPTIONS, "--log")],
    &[(OPTIONS, "--log=1 --signoff")],
    &[("merge.log", "true")],
    &[("merge.log", "2"), (OPTIONS, "--no-log")],
    &[("merge.summary", "true")],
    &[
        ("merge.log", "true"),
        ("merge.branchdesc", "true"),
        ("branch.x.description", "what it is for"),
    ],
    &[(OPTIONS, "--signoff")],
    &[(OPTIONS, "--sig --no-verify")],
    &[(OPTIONS, "-X ours")],
    &[(OPTIONS, "-Xtheirs -n")],
    &[(OPTIONS, "-X ignore-space-change")],
    &[(OPTIONS, "--cleanup=verbatim")],
    &[(OPTIONS, "--cleanup=strip")],
    &[("commit.cleanup", "strip")],
    &[
        ("commit.cleanup", "verbatim"),
        (OPTIONS, "--cleanup whitespace"),
    ],
    &[("merge.renormalize", "true")],
    &[("merge.renames", "false")],
    &[("merge.directoryRenames", "true")],
    &[
        ("merge.conflictStyle", "diff3"),
        ("diff.algorithm", "histogram"),
    ],
    &[("merge.ff", "only")],
    &[(OPTIONS, "--squash")],
    &[(OPTIONS, "-s ours")],
    &[("merge.verifySignatures", "true")],
    &[("i18n.commitEncoding", "ISO-8859-1")],
];

/// What is not to be cleaned up is committed to the byte, as `git merge` commits it.
#[test]
fn a_message_keeps_the_end_it_was_given() {
    for cleanup in ["verbatim", "whitespace"] {
        for message in [
            "Land it",
            "Land it  ",
            "Land it\n",
            "Land it\n\ntext  \n\n\n",
        ] {
            let [theirs, ours] = [(); 2].map(|()| {
                let sandbox = stage(false);
                configure(&sandbox, &[(OPTIONS, &*format!("--cleanup={cleanup}"))]);
                sandbox
            });
            theirs.git(["merge", "-q", "--no-ff", "--no-edit", "-m", message, "x"]);
            let _ = ours.lane(["finish", "x", "-m", message]).ok();
            let made = |sandbox: &Sandbox| {
                let mut show = sandbox.command("git");
                let run = sandbox.run(show.args(["cat-file", "commit", "main"]));
                run.ok().split_once("\n\n").unwrap().1.to_owned()
            };
            assert_eq!(made(&ours), made(&theirs), "{cleanup}: {message:?}");
        }
    }
}

/// The commit that `git merge` makes and the one that finish makes are the same to the byte; where
/// git refuses or conflicts so does finish. `GIT_LANE_TEST_LONG=1` runs many.
#[test]
fn finish_makes_the_commit_that_git_merge_makes() {
    let mut same = 0;
    for seed in 1..=rounds(24, 400) {
        same += usize::from(differ(seed));
    }
    assert!(same > 0);
}

/// Whether both have landed.
fn differ(seed: u64) -> bool {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut roll = |n: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % n
    };
    let sandbox = Sandbox::new();
    let text = |edits: &[(usize, String)], end: &str| -> String {
        let line = |at: usize| {
            edits
                .iter()
                .find(|(n, _)| *n == at)
                .map_or(format!("line {at}"), |(_, text)| text.clone())
        };
        (0..12).map(|at| line(at) + end).collect()
    };
    sandbox.write("dir/a", text(&[], "\n"));
    sandbox.write("dir/b", text(&[], "\n"));
    sandbox.commit("files");
    let lane = sandbox.lane_by_git("x");
    for (who, there) in [("lane", lane.clone()), ("main", sandbox.repo.clone())] {
        for step in 0..1 + roll(3) {
            let end = if roll(6) == 0 { "\r\n" } else { "\n" };
            let file = ["dir/a", "dir/b", "dir/c"][roll(3)];
            let edit = if roll(4) == 0 {
                format!("   line {}", roll(12))
            } else {
                format!("{who} {step}")
            };
            write(&there.join(file), text(&[(roll(12), edit)], end));
            if roll(5) == 0 && there.join("dir/b").exists() {
                let _ = std::fs::rename(there.join("dir/b"), there.join("dir/renamed"));
            }
            sandbox.git_in(&there, ["add", "-A"]);
            sandbox.git_in(
                &there,
                [
                    "commit",
                    "-q",
                    "--allow-empty",
                    "-m",
                    &format!("{who} {step}\n\nbody"),
                ],
            );
        }
    }
    let settings = POOL[seed as usize % POOL.len()];
    configure(&sandbox, settings);
    if roll(3) == 0 {
        sandbox.write(".git/info/attributes", "dir/* text=auto eol=lf\n");
    }
    let message = [
        "Land it",
        "Land it\n\n# a comment\n\n\ntext  \n",
        "Land it\n\nTask: T-1",
    ][roll(3)];
    let copy = sandbox.root().join("copy");
    sandbox.git(["clone", "-q", "--no-local", ".", copy.to_str().unwrap()]);
    sandbox.git_in(&copy, ["branch", "-q", "x", "origin/x"]);
    let config = std::fs::read_to_string(sandbox.repo.join(".git/config")).unwrap();
    write(&copy.join(".git/config"), config);
    if let Ok(attributes) = std::fs::read(sandbox.repo.join(".git/info/attributes")) {
        write(&copy.join(".git/info/attributes"), attributes);
    }
    let mut git = sandbox.command("git");
    let merged = sandbox.run(git.current_dir(&copy).args([
        "merge",
        "--no-ff",
        "--no-edit",
        "-m",
        message,
        "x",
    ]));
    let run = sandbox.lane(["finish", "x", "--json", "-m", message]);
    let row = format!("seed {seed}, {settings:?}: {merged}{run}");
    let unable = git_version() < (2, 43) && settings.iter().any(|(_, value)| value.contains("-X"));
    if unable || run.code == 1 && code(&run) == "merge-policy" {
        let asks = ["only", "--squash", "-s ours"];
        assert!(
            unable || settings.iter().any(|(_, value)| asks.contains(value)),
            "{row}"
        );
        return false;
    }
    assert_eq!(merged.code == 0, run.code == 0, "{row}");
    let landed = run.code == 0
        && serde_json::from_str::<serde_json::Value>(&run.stdout).unwrap()["landed"].is_object();
    if landed {
        let made = |directory: &Path| sandbox.git_in(directory, ["cat-file", "commit", "main"]);
        assert_eq!(made(&copy), made(&sandbox.repo), "{row}");
        assert_eq!(sandbox.git(["status", "--porcelain"]), "", "{row}");
    }
    landed
}
