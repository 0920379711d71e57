//! A base moves with the worktree that has it, or not at all.

use super::*;
use crate::support::die_at;

#[test]
fn a_base_moves_with_the_worktree_that_has_it_or_not_at_all() {
    LANDINGS
        .iter()
        .for_each(|(name, situation)| lands(name, Sandbox::new(), situation));
}

#[test]
fn a_base_in_a_reftable_moves_so_too() {
    for (name, situation) in LANDINGS.iter().filter(|(name, _)| !OF_FILES.contains(name)) {
        let Some(sandbox) = with_reftable() else {
            return;
        };
        lands(name, sandbox, situation);
    }
}

#[test]
fn a_worktree_that_leaves_the_base_while_a_hook_runs_keeps_its_files() {
    for sandbox in [Some(Sandbox::new()), with_reftable()]
        .into_iter()
        .flatten()
    {
        lane_x(&sandbox, &sandbox.repo, &[]);
        sandbox.hook(
            "pre-merge-commit",
            format!(
                "unset $(git rev-parse --local-env-vars); git -C {} symbolic-ref HEAD refs/heads/elsewhere",
                sandbox.repo.display()
            ),
        );
        sandbox.git(["branch", "elsewhere"]);
        sandbox.lane(["finish", "x", "--keep"]).ok();
        assert_eq!(sandbox.git(["show", "main:landed"]), "landed");
        assert_eq!(
            sandbox.git(["status", "--porcelain", "--branch"]),
            "## elsewhere"
        );
        assert!(!sandbox.repo.join("landed").exists());
    }
}

fn lands(name: &str, sandbox: Sandbox, situation: &Situation) {
    eprintln!("-- {name}");
    let (from, args, lands) = situation(&sandbox);
    let git_dir = sandbox.git_in(&from, ["rev-parse", "--git-common-dir"]);
    let git_dir = std::fs::canonicalize(from.join(git_dir)).unwrap();
    let tip = |sandbox: &Sandbox| {
        sandbox.git_in(
            &from,
            [
                "--git-dir",
                git_dir.to_str().unwrap(),
                "rev-parse",
                "refs/heads/main",
            ],
        )
    };
    let before = tip(&sandbox);
    let args: Vec<&str> = ["--json", "finish", "x", "--keep"]
        .into_iter()
        .chain(args)
        .collect();
    let run: Run = sandbox.lane_in(&from, args);
    match lands {
        Lands::At(worktree) => {
            run.ok();
            assert_ne!(before, tip(&sandbox), "{name}");
            assert_eq!(
                sandbox.git_in(&worktree, ["status", "--porcelain"]),
                "",
                "{name}"
            );
            assert!(worktree.join("landed").exists(), "{name}");
        }
        Lands::Configured(worktree) => {
            run.ok();
            assert_ne!(before, tip(&sandbox), "{name}");
            let git_dir = git_dir.to_str().unwrap();
            assert_eq!(
                sandbox.git_in(
                    &worktree,
                    ["--git-dir", git_dir, "status", "--porcelain", "-uno"]
                ),
                "",
                "{name}"
            );
            assert!(worktree.join("landed").exists(), "{name}");
        }
        Lands::Not(code) => {
            let text = run.stdout.clone() + &run.stderr;
            run.fails(1);
            assert!(text.contains(&format!("\"{code}\"")), "{name}: {text}");
            assert_eq!(before, tip(&sandbox), "{name}");
        }
    }
}

/// A command as it is typed where dotfiles are kept: every one is told where the files are.
fn told(sandbox: &Sandbox, bare: &Path, from: &Path, args: &[&str]) -> Run {
    let mut git = sandbox.command("git");
    git.current_dir(from)
        .arg("--git-dir")
        .arg(bare)
        .arg("--work-tree")
        .arg(&sandbox.repo)
        .args(args);
    sandbox.run(&mut git)
}

#[test]
fn a_bare_repository_lands_where_it_is_told_its_files_are() {
    for from in ["files", "directory", "repository", "lane"] {
        let sandbox = Sandbox::new();
        let bare = bare_with_index(&sandbox);
        let lane = lane_x(&sandbox, &bare, &[]);
        let from = match from {
            "files" => sandbox.repo.clone(),
            "directory" => sandbox.repo.join("src"),
            "repository" => bare.clone(),
            _ => lane,
        };
        let commit = |message| {
            told(
                &sandbox,
                &bare,
                &sandbox.repo,
                &["commit", "--allow-empty", "-qam", message],
            )
            .ok()
        };
        // What the refusal says is what helps.
        let refused = sandbox.lane_in(&bare, ["finish", "x", "--keep"]).fails(1);
        let (told_by, bare_name) = (
            format!("git --git-dir={} --work-tree=", bare.display()),
            bare.display(),
        );
        assert!(
            refused.contains(&told_by) && refused.contains(&format!("rm {bare_name}/index")),
            "{refused}"
        );
        told(&sandbox, &bare, &from, &["lane", "finish", "x", "--keep"]).ok();
        assert!(sandbox.repo.join("landed").exists(), "{from:?}");
        commit("after");
        assert_eq!(
            sandbox.git_in(&bare, ["show", "main:landed"]),
            "landed",
            "{from:?}"
        );
        assert_eq!(
            told(&sandbox, &bare, &sandbox.repo, &["status", "--porcelain"]).ok(),
            "",
            "{from:?}"
        );
    }
}

#[test]
fn other_branches_of_a_bare_repository_are_landed_on_and_its_own_is_nobody_elses() {
    let sandbox = Sandbox::new();
    let bare = bare_with_index(&sandbox);
    sandbox.git_in(&bare, ["branch", "other"]);
    lane_x(&sandbox, &bare, &[]);
    sandbox
        .lane_in(&bare, ["finish", "x", "--keep", "--into", "other"])
        .ok();
    assert_eq!(sandbox.git_in(&bare, ["show", "other:landed"]), "landed");
    assert!(
        sandbox
            .lane_in(&bare, ["--json", "start", "main"])
            .fails(1)
            .contains("main")
    );
    assert!(sandbox.lane_in(&bare, ["list"]).ok().contains("bare"));
    assert_eq!(sandbox.lane_in(&bare, ["doctor"]).code, 0);
    // Without an index nothing is checked out from it.
    std::fs::remove_file(bare.join("index")).unwrap();
    sandbox.lane_in(&bare, ["finish", "x"]).ok();
    assert_eq!(sandbox.git_in(&bare, ["show", "main:landed"]), "landed");
}

/// The journal says where the files are, and is not believed: a stranger may have written it.
#[test]
fn a_landing_that_died_is_healed_where_its_files_are_and_nowhere_else() {
    for (step, landed) in [("land.files", false), ("land.ref", true)] {
        let sandbox = Sandbox::new();
        let bare = bare_with_index(&sandbox);
        lane_x(&sandbox, &bare, &[]);
        let mut git = sandbox.command("git");
        git.arg("--git-dir")
            .arg(&bare)
            .arg("--work-tree")
            .arg(&sandbox.repo)
            .args(["lane", "finish", "x", "--keep"]);
        let run = sandbox.run(die_at(&mut git, step));
        assert!(
            run.stderr.contains(&format!(
                "died at {step}
"
            )),
            "{run}"
        );
        let files = || sandbox.repo.join("landed").exists();
        let before = files();
        let said = sandbox.lane_in(&bare, ["start", "y"]);
        assert!(
            said.stderr
                .contains("nothing here says that its files are in"),
            "{said}"
        );
        assert!(
            bare.join("index.lock").exists() && files() == before,
            "{said}"
        );
        let remedy = said
            .stderr
            .lines()
            .find_map(|line| line.split_once("if they are: "))
            .unwrap()
            .1
            .to_owned();
        sandbox.sh(&remedy).ok();
        assert_eq!(
            told(&sandbox, &bare, &sandbox.repo, &["status", "--porcelain"]).ok(),
            "",
            "{step}"
        );
        assert_eq!(files(), landed, "{step}");
    }
}

/// A hook may have left the name of a lane in it.
#[test]
fn a_lane_named_by_git_work_tree_is_not_taken_for_the_main_worktree() {
    let sandbox = Sandbox::new();
    let (_, other) = (sandbox.lane_by_git("x"), sandbox.lane_by_git("y"));
    sandbox.work("x", "new", "x");
    let before = sandbox.git(["rev-parse", "main"]);
    let mut finish = sandbox.command("git");
    finish
        .args(["lane", "finish", "x", "--keep"])
        .current_dir(&sandbox.repo)
        .env("GIT_WORK_TREE", &other);
    let _ = sandbox.run(&mut finish).fails(1);
    assert_eq!(sandbox.git(["rev-parse", "main"]), before);
    assert!(!other.join("new").exists());
    assert_eq!(sandbox.git(["status", "--porcelain"]), "");
}
