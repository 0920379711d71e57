//! A repository that git refuses is refused by every command, with git's reason, and nothing in it
//! changes.

use crate::support::Sandbox;

#[test]
fn what_git_refuses_is_refused() {
    let table: &[(&str, &[[&str; 2]])] = &[
        (
            "unknown extension",
            &[
                ["core.repositoryFormatVersion", "1"],
                ["extensions.foo", "true"],
            ],
        ),
        (
            "unknown extension of an old format",
            &[["extensions.foo", "true"]],
        ),
        ("a newer format", &[["core.repositoryFormatVersion", "2"]]),
        ("no format", &[["core.repositoryFormatVersion", "x"]]),
        (
            "a new extension in an old format",
            &[["extensions.objectFormat", "sha1"]],
        ),
        (
            "an unknown hash",
            &[
                ["core.repositoryFormatVersion", "1"],
                ["extensions.objectFormat", "md5"],
            ],
        ),
        (
            "an unknown ref storage",
            &[
                ["core.repositoryFormatVersion", "1"],
                ["extensions.refStorage", "stone"],
            ],
        ),
        (
            "relative worktrees",
            &[
                ["core.repositoryFormatVersion", "1"],
                ["extensions.relativeWorktrees", "true"],
            ],
        ),
        (
            "two hashes",
            &[
                ["core.repositoryFormatVersion", "1"],
                ["extensions.compatObjectFormat", "sha256"],
            ],
        ),
        (
            "nothing to speak of",
            &[
                ["core.repositoryFormatVersion", "1"],
                ["extensions.noop", "true"],
            ],
        ),
        (
            "precious objects",
            &[
                ["core.repositoryFormatVersion", "1"],
                ["extensions.preciousObjects", "true"],
            ],
        ),
        (
            "an old worktreeConfig",
            &[["extensions.worktreeConfig", "true"]],
        ),
    ];
    for (name, settings) in table {
        let sandbox = Sandbox::new();
        sandbox.lane(["start", "x"]).ok();
        let config = sandbox.repo.join(".git/config");
        for [key, value] in *settings {
            let mut command = sandbox.command("git");
            sandbox
                .run(command.args(["config", "--file", config.to_str().unwrap(), key, value]))
                .ok();
        }
        let git = sandbox.run(sandbox.command("git").arg("status"));
        let before = sandbox.fingerprint();
        let lane = sandbox.lane_path("x");
        for args in [
            &["list"][..],
            &["show", "x"],
            &["doctor"],
            &["trash"],
            &["drop", "x", "--yes"],
        ] {
            for place in [&sandbox.repo, &lane] {
                if !place.exists() {
                    continue;
                }
                let run = sandbox.lane_in(place, args);
                assert_eq!(run.code == 0, git.code == 0, "{name}: {git}\n{run}");
                if git.code != 0 {
                    assert_eq!(run.code, 4, "{name}: {run}");
                }
            }
        }
        if git.code != 0 {
            for args in [
                &["start", "y"][..],
                &["finish", "x"],
                &["prune", "--yes"],
                &["init"],
            ] {
                sandbox.lane(args).fails(4);
            }
            assert_eq!(sandbox.fingerprint(), before, "{name}");
        }
    }
}
