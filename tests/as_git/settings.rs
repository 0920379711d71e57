//! Every way in which a setting can reach git reaches git-lane too, in the worktree and on the
//! branch it is about.

use super::{Call, both};
use crate::support::{Sandbox, write};

/// Writes `text` to a file of the home and lets the global configuration include it under
/// `condition`.
fn include(sandbox: &Sandbox, condition: &str, text: &str) {
    let file = sandbox.root().join("home/included");
    write(&file, text);
    let key = if condition.is_empty() {
        "include.path".into()
    } else {
        format!("includeIf.{condition}.path")
    };
    sandbox.git(["config", "--global", &key, file.to_str().unwrap()]);
}

const CRLF: &str = "[core]\n\tautocrlf = true\n";

/// The files of a new lane are those of a new worktree, wherever `core.autocrlf` comes from.
#[test]
fn a_setting_from_anywhere_counts_when_files_are_written() {
    let environment: &[(&str, &str)] = &[
        ("GIT_CONFIG_COUNT", "1"),
        ("GIT_CONFIG_KEY_0", "core.autocrlf"),
        ("GIT_CONFIG_VALUE_0", "true"),
    ];
    let table: &[(&str, super::Setup, Call<'_>)] = &[
        (
            "-c",
            |_| (),
            Call {
                arguments: &["-c", "core.autocrlf=true"],
                ..Call::default()
            },
        ),
        (
            "-c without a value",
            |_| (),
            Call {
                arguments: &["-c", "core.autocrlf"],
                ..Call::default()
            },
        ),
        (
            "--config-env",
            |_| (),
            Call {
                arguments: &["--config-env=core.autocrlf=WANTED"],
                environment: &[("WANTED", "true")],
            },
        ),
        (
            "-c include.path",
            |s| write(&s.root().join("inc"), CRLF),
            Call {
                environment: &[("GIT_CONFIG_PARAMETERS", "'include.path'='ROOT/inc'")],
                ..Call::default()
            },
        ),
        (
            "old parameters",
            |_| (),
            Call {
                environment: &[(
                    "GIT_CONFIG_PARAMETERS",
                    "'user.name=a b'  'core.autocrlf=true'",
                )],
                ..Call::default()
            },
        ),
        (
            "new parameters",
            |_| (),
            Call {
                environment: &[("GIT_CONFIG_PARAMETERS", "'a.b=c.d'='x' 'core.autocrlf'=")],
                ..Call::default()
            },
        ),
        (
            "GIT_CONFIG_COUNT",
            |_| (),
            Call {
                environment,
                ..Call::default()
            },
        ),
        (
            "GIT_CONFIG_GLOBAL",
            |s| write(&s.root().join("global"), CRLF),
            Call {
                environment: &[("GIT_CONFIG_GLOBAL", "ROOT/global")],
                ..Call::default()
            },
        ),
        (
            "GIT_CONFIG_SYSTEM",
            |s| write(&s.root().join("system"), CRLF),
            Call {
                environment: &[
                    ("GIT_CONFIG_SYSTEM", "ROOT/system"),
                    ("GIT_CONFIG_NOSYSTEM", "0"),
                ],
                ..Call::default()
            },
        ),
        (
            "XDG",
            |s| write(&s.root().join("home/.config/git/config"), CRLF),
            Call::default(),
        ),
        ("include", |s| include(s, "", CRLF), Call::default()),
        (
            "gitdir, literal",
            |s| include(s, &format!("gitdir:{}/", s.root().display()), CRLF),
            Call::default(),
        ),
        (
            "gitdir, not here",
            |s| include(s, "gitdir:/nowhere/", CRLF),
            Call::default(),
        ),
        (
            "gitdir, a pattern",
            |s| include(s, "gitdir:**/worktrees/**", CRLF),
            Call::default(),
        ),
        (
            "gitdir, by name",
            |s| include(s, "gitdir:worktrees/x", CRLF),
            Call::default(),
        ),
        (
            "gitdir, below .git",
            |s| {
                include(
                    s,
                    &format!("gitdir:{}/.git/worktrees/", s.repo.display()),
                    CRLF,
                )
            },
            Call::default(),
        ),
        (
            "gitdir, the main one",
            |s| include(s, &format!("gitdir:{}/.git", s.repo.display()), CRLF),
            Call::default(),
        ),
        (
            "gitdir/i",
            |s| include(s, "gitdir/i:**/WORKTREES/**", CRLF),
            Call::default(),
        ),
        (
            "onbranch",
            |s| include(s, "onbranch:x", CRLF),
            Call::default(),
        ),
        (
            "onbranch, main's",
            |s| include(s, "onbranch:main", CRLF),
            Call::default(),
        ),
        (
            "onbranch, a pattern",
            |s| include(s, "onbranch:*", CRLF),
            Call::default(),
        ),
        (
            "worktree",
            |s| include(s, "worktree:**/shop.lanes/x", CRLF),
            Call::default(),
        ),
        (
            "hasconfig",
            |s| {
                s.git(["config", "remote.o.url", "https://example.com/x"]);
                include(s, "hasconfig:remote.*.url:https://example.com/**", CRLF);
            },
            Call::default(),
        ),
        (
            "an include in an include",
            |s| {
                let inner = s.root().join("home/inner");
                write(&inner, CRLF);
                include(
                    s,
                    "onbranch:x",
                    &format!("[include]\n\tpath = {}\n", inner.display()),
                );
            },
            Call::default(),
        ),
        (
            "config.worktree",
            |s| {
                s.git(["config", "extensions.worktreeConfig", "true"]);
                s.git(["config", "--worktree", "core.autocrlf", "true"]);
            },
            Call::default(),
        ),
    ];
    for (name, setup, call) in table {
        let (ours, gits) = both(*setup, *call);
        assert_eq!(ours, gits, "{name}");
    }
}

/// How many untracked files git-lane's list and git's status see in the lane.
fn untracked(sandbox: &Sandbox, call: Call<'_>) -> (u64, u64) {
    let lane = sandbox.lane_path("x");
    let listed = call
        .run(sandbox, &sandbox.repo, &["lane", "list", "--json"])
        .json();
    let lane_of = listed["lanes"]
        .as_array()
        .unwrap()
        .iter()
        .find(|lane| lane["lane"] == "x")
        .cloned()
        .unwrap();
    let status = call.run(sandbox, &lane, &["status", "--porcelain"]).ok();
    (
        lane_of["untracked"].as_u64().unwrap(),
        status.lines().filter(|line| line.starts_with("??")).count() as u64,
    )
}

/// `core.excludesFile`, which hides a file of the lane or does not, from everywhere; and what git
/// shows is not removed.
#[test]
fn a_setting_from_anywhere_counts_when_files_are_looked_at() {
    let ignore = |s: &Sandbox| {
        write(&s.root().join("home/ignore"), "notes*\n");
        format!(
            "[core]\n\texcludesFile = {}\n",
            s.root().join("home/ignore").display()
        )
    };
    let table: &[(&str, super::Doing<'_>, Call<'_>)] = &[
        (
            "everywhere",
            &|s| include(s, "", &ignore(s)),
            Call::default(),
        ),
        (
            "main's branch",
            &|s| include(s, "onbranch:main", &ignore(s)),
            Call::default(),
        ),
        (
            "the lane's branch",
            &|s| include(s, "onbranch:x", &ignore(s)),
            Call::default(),
        ),
        (
            "main's directory",
            &|s| include(s, &format!("gitdir:{}/.git", s.repo.display()), &ignore(s)),
            Call::default(),
        ),
        (
            "the lane's directory",
            &|s| include(s, "gitdir:**/worktrees/x", &ignore(s)),
            Call::default(),
        ),
        (
            "the lane's worktree",
            &|s| include(s, "worktree:**/x", &ignore(s)),
            Call::default(),
        ),
        (
            "main's config.worktree",
            &|s| {
                ignore(s);
                s.git(["config", "extensions.worktreeConfig", "true"]);
                s.git([
                    "config",
                    "--worktree",
                    "core.excludesFile",
                    s.root().join("home/ignore").to_str().unwrap(),
                ]);
            },
            Call::default(),
        ),
        (
            "-c",
            &|s| drop(ignore(s)),
            Call {
                environment: &[(
                    "GIT_CONFIG_PARAMETERS",
                    "'core.excludesFile'='ROOT/home/ignore'",
                )],
                ..Call::default()
            },
        ),
        (
            "GIT_CONFIG_COUNT",
            &|s| drop(ignore(s)),
            Call {
                environment: &[
                    ("GIT_CONFIG_COUNT", "1"),
                    ("GIT_CONFIG_KEY_0", "core.excludesFile"),
                    ("GIT_CONFIG_VALUE_0", "ROOT/home/ignore"),
                ],
                ..Call::default()
            },
        ),
    ];
    for (name, setup, call) in table {
        let sandbox = Sandbox::new();
        sandbox.lane(["start", "x"]).ok();
        sandbox.work("x", "done", "x");
        write(&sandbox.lane_path("x").join("notes.txt"), "precious");
        setup(&sandbox);
        let (ours, gits) = untracked(&sandbox, *call);
        assert_eq!(ours, gits, "{name}");
        let finished = call.run(&sandbox, &sandbox.repo, &["lane", "finish", "x"]);
        assert_eq!(finished.code == 0, gits == 0, "{name}: {finished}");
    }
}

/// A landing is signed, or not, as the configuration of the place where git would merge says.
#[test]
fn a_setting_from_anywhere_counts_when_commits_are_made() {
    const SIGN: &str = "[commit]\n\tgpgSign = true\n[gpg]\n\tprogram = false\n";
    let table: &[(&str, super::Setup, &[&str], bool)] = &[
        (
            "-c, off",
            |s| include(s, "", SIGN),
            &["-c", "commit.gpgSign=false"],
            true,
        ),
        (
            "-c, on",
            |_| (),
            &["-c", "commit.gpgSign=true", "-c", "gpg.program=false"],
            false,
        ),
        (
            "the base's branch",
            |s| include(s, "onbranch:main", SIGN),
            &[],
            false,
        ),
        (
            "the lane's branch",
            |s| include(s, "onbranch:x", SIGN),
            &[],
            true,
        ),
        (
            "the lane's directory",
            |s| include(s, "gitdir:**/worktrees/**", SIGN),
            &[],
            true,
        ),
    ];
    for strategy in ["merge", "squash", "rebase"] {
        for (name, setup, arguments, lands) in table {
            let sandbox = Sandbox::new();
            sandbox.lane(["start", "x"]).ok();
            sandbox.work("x", "done", "x");
            sandbox.write("more", "x");
            sandbox.commit("more");
            setup(&sandbox);
            let call = Call {
                arguments,
                ..Call::default()
            };
            let run = call.run(
                &sandbox,
                &sandbox.repo,
                &["lane", "finish", "x", "--strategy", strategy],
            );
            assert_eq!(run.code == 0, *lands, "{name}, {strategy}: {run}");
        }
    }
}

/// What git cannot read stops git-lane too, with git's words.
#[test]
fn broken_parameters_are_an_error() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "x"]).ok();
    for args in [&["list"][..], &["start", "y"], &["drop", "x"]] {
        let mut command = sandbox.command("git-lane");
        command
            .args(args)
            .env("GIT_CONFIG_PARAMETERS", "'core.autocrlf");
        let said = sandbox.run(&mut command).fails(5);
        assert!(
            said.contains("bogus format in GIT_CONFIG_PARAMETERS"),
            "{said}"
        );
    }
}
