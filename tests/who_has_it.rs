//! Who has a branch checked out, whatever name leads to it and wherever the main worktree is: what git asks is asked.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::sandbox::{Run, Sandbox, git_version, write};

/// What must become of a landing.
enum Lands {
    /// The base moves, and the worktree that has it checked out moves along.
    At(PathBuf),
    /// The same, and only `core.worktree` leads git there.
    Configured(PathBuf),
    /// Nothing moves; the refusal has this code.
    Not(&'static str),
}

/// Lands a lane `x` that was started and worked in; says where it runs, with which arguments, and what must come of it.
type Situation = fn(&Sandbox) -> (PathBuf, Vec<&'static str>, Lands);

fn lane_x(sandbox: &Sandbox, from: &Path, args: &[&str]) -> PathBuf {
    sandbox.lane_in(from, [["start", "x"].as_slice(), args].concat()).ok();
    let lane = PathBuf::from(sandbox.lane_in(from, ["path", "x"]).ok().trim_end());
    write(&lane.join("landed"), "landed\n");
    sandbox.git_in(&lane, ["add", "."]);
    sandbox.git_in(&lane, ["commit", "-qm", "x"]);
    lane
}

fn repo(sandbox: &Sandbox) -> PathBuf {
    sandbox.repo.clone()
}

/// A repository whose git directory is `real`, made from `shop`, which keeps the files and a way there.
fn git_dir_at(sandbox: &Sandbox, real: &str, link: bool) -> PathBuf {
    let real = sandbox.root().join(real);
    std::fs::create_dir_all(real.parent().unwrap()).unwrap();
    std::fs::rename(sandbox.repo.join(".git"), &real).unwrap();
    match link {
        true => symlink(&real, sandbox.repo.join(".git")).unwrap(),
        false => write(&sandbox.repo.join(".git"), format!("gitdir: {}\n", real.display())),
    }
    real
}

fn alias(sandbox: &Sandbox, name: &str, target: &str) {
    sandbox.git(["symbolic-ref", &format!("refs/heads/{name}"), target]);
}

/// The repository, now bare and with its index, and its branch `main` checked out in the worktree that is returned.
fn bare_with_worktree(sandbox: &Sandbox) -> PathBuf {
    let there = sandbox.root().join("there");
    sandbox.git(["switch", "-q", "--detach"]);
    sandbox.git(["worktree", "add", "-q", there.to_str().unwrap(), "main"]);
    sandbox.git(["symbolic-ref", "HEAD", "refs/heads/main"]);
    sandbox.git(["config", "core.bare", "true"]);
    there
}

/// The repository as people keep their dotfiles: a bare one, and the files in the directory `shop`, of which only each
/// command is told.
fn bare_with_index(sandbox: &Sandbox) -> PathBuf {
    let bare = sandbox.root().join("dotfiles.git");
    std::fs::rename(sandbox.repo.join(".git"), &bare).unwrap();
    sandbox.git_in(&bare, ["config", "core.bare", "true"]);
    bare
}

fn hook(sandbox: &Sandbox, name: &str, script: &str) {
    let path = sandbox.repo.join(".git/hooks").join(name);
    write(&path, format!("#!/bin/sh\n{script}\n"));
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
}

/// Has nothing in `shop` but its `.git`, and everything else in `directory`.
fn move_files(sandbox: &Sandbox, directory: &Path) {
    std::fs::rename(&sandbox.repo, directory).unwrap();
    std::fs::create_dir(&sandbox.repo).unwrap();
    std::fs::rename(directory.join(".git"), sandbox.repo.join(".git")).unwrap();
}

fn relative(from: &Path, to: &Path) -> PathBuf {
    let common = from.components().zip(to.components()).take_while(|(a, b)| a == b).count();
    let up = from.components().skip(common).map(|_| "..");
    up.map(PathBuf::from).chain(to.components().skip(common).map(|part| PathBuf::from(part.as_os_str()))).collect()
}

const LANDINGS: &[(&str, Situation)] = &[
    ("an alias of the base is checked out", |s| {
        alias(s, "master", "refs/heads/main");
        s.git(["checkout", "-q", "master"]);
        lane_x(s, &s.repo, &["--base", "main"]);
        (repo(s), vec![], Lands::At(repo(s)))
    }),
    ("an alias of an alias", |s| {
        alias(s, "master", "refs/heads/main");
        alias(s, "trunk/old", "refs/heads/master");
        s.git(["checkout", "-q", "trunk/old"]);
        lane_x(s, &s.repo, &["--base", "main"]);
        (s.lane_path("x"), vec![], Lands::At(repo(s)))
    }),
    ("an alias that is a symbolic link", |s| {
        symlink("refs/heads/main", s.repo.join(".git/refs/heads/master")).unwrap();
        lane_x(s, &s.repo, &["--base", "main"]);
        write(&s.repo.join(".git/HEAD"), "ref: refs/heads/master\n");
        (repo(s), vec![], Lands::At(repo(s)))
    }),
    ("the base is named by its alias at the start", |s| {
        alias(s, "master", "refs/heads/main");
        lane_x(s, &s.repo, &["--base", "master"]);
        assert_eq!(s.git(["config", "lane.x.base"]), "refs/heads/main");
        (repo(s), vec![], Lands::At(repo(s)))
    }),
    ("the base has become an alias since", |s| {
        lane_x(s, &s.repo, &[]);
        s.git(["branch", "-m", "main", "trunk"]);
        alias(s, "main", "refs/heads/trunk");
        (repo(s), vec![], Lands::At(repo(s)))
    }),
    ("--into an alias", |s| {
        alias(s, "master", "refs/heads/main");
        lane_x(s, &s.repo, &[]);
        (repo(s), vec!["--into", "master"], Lands::At(repo(s)))
    }),
    ("--into an alias of what is no branch", |s| {
        s.git(["update-ref", "refs/remotes/origin/main", "main"]);
        alias(s, "theirs", "refs/remotes/origin/main");
        lane_x(s, &s.repo, &[]);
        (repo(s), vec!["--into", "theirs"], Lands::Not("branch-alias"))
    }),
    ("--into a circle", |s| {
        lane_x(s, &s.repo, &[]);
        write(&s.repo.join(".git/refs/heads/a"), "ref: refs/heads/b\n");
        write(&s.repo.join(".git/refs/heads/b"), "ref: refs/heads/a\n");
        (repo(s), vec!["--into", "a"], Lands::Not("branch-alias"))
    }),
    ("--into an alias of the lane's own branch", |s| {
        lane_x(s, &s.repo, &[]);
        alias(s, "same", "refs/heads/x");
        (repo(s), vec!["--into", "same"], Lands::Not("onto-itself"))
    }),
    ("HEAD is a symbolic link", |s| {
        lane_x(s, &s.repo, &[]);
        std::fs::remove_file(s.repo.join(".git/HEAD")).unwrap();
        symlink("refs/heads/main", s.repo.join(".git/HEAD")).unwrap();
        (s.lane_path("x"), vec![], Lands::At(repo(s)))
    }),
    ("HEAD is a symbolic link to an alias", |s| {
        alias(s, "master", "refs/heads/main");
        lane_x(s, &s.repo, &["--base", "main"]);
        std::fs::remove_file(s.repo.join(".git/HEAD")).unwrap();
        symlink("refs/heads/master", s.repo.join(".git/HEAD")).unwrap();
        (repo(s), vec![], Lands::At(repo(s)))
    }),
    ("another linked worktree is on an alias of the base", |s| {
        alias(s, "master", "refs/heads/main");
        s.git(["switch", "-qc", "other"]);
        let there = s.root().join("there");
        s.git(["worktree", "add", "-q", there.to_str().unwrap(), "master"]);
        lane_x(s, &s.repo, &["--base", "main"]);
        (repo(s), vec![], Lands::At(there))
    }),
    ("two worktrees are on the base by two names", |s| {
        alias(s, "master", "refs/heads/main");
        let there = s.root().join("there");
        s.git(["worktree", "add", "-q", "-f", there.to_str().unwrap(), "master"]);
        lane_x(s, &s.repo, &["--base", "main"]);
        (repo(s), vec![], Lands::Not("base-checked-out-twice"))
    }),
    ("a separate git directory, in its worktree", |s| {
        git_dir_at(s, "dirs/shop", false);
        lane_x(s, &s.repo, &[]);
        assert!(s.lane_path("x").exists(), "lanes lie beside the main worktree");
        (repo(s), vec![], Lands::At(repo(s)))
    }),
    ("a separate git directory, in a directory of its worktree", |s| {
        git_dir_at(s, "dirs/shop", false);
        lane_x(s, &s.repo, &[]);
        (s.repo.join("src"), vec![], Lands::At(repo(s)))
    }),
    ("a separate git directory, in a lane", |s| {
        git_dir_at(s, "dirs/shop", false);
        (lane_x(s, &s.repo, &[]), vec![], Lands::Not("main-worktree-unknown"))
    }),
    ("a separate git directory, in itself", |s| {
        let real = git_dir_at(s, "dirs/shop", false);
        lane_x(s, &s.repo, &[]);
        (real, vec![], Lands::Not("main-worktree-unknown"))
    }),
    ("a separate git directory that says where its worktree is", |s| {
        git_dir_at(s, "dirs/shop", false);
        let lane = lane_x(s, &s.repo, &[]);
        s.git(["config", "core.worktree", "../../shop"]);
        (lane, vec![], Lands::At(repo(s)))
    }),
    ("a separate git directory without core.bare, in a lane", |s| {
        git_dir_at(s, "dirs/shop", false);
        let lane = lane_x(s, &s.repo, &[]);
        s.git(["config", "--unset", "core.bare"]);
        (lane, vec![], Lands::Not("main-worktree-unknown"))
    }),
    ("a separate git directory, with an alias checked out", |s| {
        git_dir_at(s, "dirs/shop", false);
        alias(s, "master", "refs/heads/main");
        s.git(["checkout", "-q", "master"]);
        (lane_x(s, &s.repo, &["--base", "main"]), vec![], Lands::Not("main-worktree-unknown"))
    }),
    (".git is a symbolic link, in the worktree", |s| {
        git_dir_at(s, "dirs/shop.git", true);
        lane_x(s, &s.repo, &[]);
        (repo(s), vec![], Lands::At(repo(s)))
    }),
    (".git is a symbolic link, in a lane", |s| {
        git_dir_at(s, "dirs/shop.git", true);
        (lane_x(s, &s.repo, &[]), vec![], Lands::Not("main-worktree-unknown"))
    }),
    (".git is a symbolic link to another of that name, in the worktree", |s| {
        git_dir_at(s, "dirs/.git", true);
        lane_x(s, &s.repo, &[]);
        (repo(s), vec![], Lands::At(repo(s)))
    }),
    (".git is a symbolic link to another of that name, in a lane", |s| {
        git_dir_at(s, "dirs/.git", true);
        (lane_x(s, &s.repo, &[]), vec![], Lands::Not("main-worktree-unknown"))
    }),
    ("core.worktree, absolute", |s| {
        let real = git_dir_at(s, "dirs/shop", false);
        s.git(["--git-dir", real.to_str().unwrap(), "config", "core.worktree", s.repo.to_str().unwrap()]);
        (lane_x(s, &s.repo, &[]), vec![], Lands::At(repo(s)))
    }),
    ("core.worktree in an included file, which git does not read", |s| {
        let included = s.root().join("included");
        write(&included, format!("[core]\n\tworktree = {}\n", s.root().join("home").display()));
        s.git(["config", "include.path", included.to_str().unwrap()]);
        (lane_x(s, &s.repo, &[]), vec![], Lands::At(repo(s)))
    }),
    ("core.bare in an included file, which git does not read", |s| {
        let included = s.root().join("included");
        write(&included, "[core]\n\tbare = true\n");
        s.git(["config", "include.path", included.to_str().unwrap()]);
        s.git(["config", "--unset", "core.bare"]);
        (lane_x(s, &s.repo, &[]), vec![], Lands::At(repo(s)))
    }),
    ("by a path with a symbolic link in it", |s| {
        symlink(s.root(), s.root().join("home/way")).unwrap();
        let way = s.root().join("home/way/shop");
        lane_x(s, &way, &[]);
        (way, vec![], Lands::At(repo(s)))
    }),
    ("the main worktree was moved", |s| {
        let lane = lane_x(s, &s.repo, &[]);
        let moved = s.root().join("moved");
        std::fs::rename(&s.repo, &moved).unwrap();
        s.git_in(&moved, ["worktree", "repair", lane.to_str().unwrap()]);
        (lane, vec![], Lands::At(moved))
    }),
    ("admin directories with relative paths", |s| {
        s.git(["switch", "-qc", "other"]);
        let there = s.root().join("there");
        s.git(["worktree", "add", "-q", there.to_str().unwrap(), "main"]);
        let admin = s.admin(&there);
        write(&admin.join("gitdir"), format!("{}\n", relative(&admin, &there.join(".git")).display()));
        write(&there.join(".git"), format!("gitdir: {}\n", relative(&there, &admin).display()));
        if git_version() >= (2, 48) {
            s.git(["config", "core.repositoryFormatVersion", "1"]);
            s.git(["config", "extensions.relativeWorktrees", "true"]);
        }
        lane_x(s, &s.repo, &["--base", "main"]);
        (repo(s), vec![], Lands::At(there))
    }),
    ("a bare repository with a worktree", |s| {
        let there = bare_with_worktree(s);
        std::fs::remove_file(s.repo.join(".git/index")).unwrap();
        lane_x(s, &there, &[]);
        (there.clone(), vec![], Lands::At(there))
    }),
    ("the same with an index of its own", |s| {
        let there = bare_with_worktree(s);
        lane_x(s, &there, &[]);
        (there, vec![], Lands::Not("main-worktree-unknown"))
    }),
    ("a bare repository that has files elsewhere, in itself", |s| {
        let bare = bare_with_index(s);
        lane_x(s, &bare, &[]);
        (bare, vec![], Lands::Not("main-worktree-unknown"))
    }),
    ("a bare repository that has files elsewhere, in a lane", |s| {
        let bare = bare_with_index(s);
        (lane_x(s, &bare, &[]), vec![], Lands::Not("main-worktree-unknown"))
    }),
    ("a bare repository that has files elsewhere, with an alias checked out", |s| {
        let bare = bare_with_index(s);
        s.git_in(&bare, ["symbolic-ref", "refs/heads/master", "refs/heads/main"]);
        s.git_in(&bare, ["symbolic-ref", "HEAD", "refs/heads/master"]);
        lane_x(s, &bare, &["--base", "main"]);
        (bare, vec![], Lands::Not("main-worktree-unknown"))
    }),
    ("core.worktree, where no .git is", |s| {
        let (real, elsewhere) = (s.repo.clone(), s.root().join("elsewhere"));
        move_files(s, &elsewhere);
        s.git(["config", "core.worktree", "../../elsewhere"]);
        lane_x(s, &real, &[]);
        (real, vec![], Lands::Configured(elsewhere))
    }),
    ("core.worktree, where no .git is, in a lane and with hooks", |s| {
        let elsewhere = s.root().join("elsewhere");
        move_files(s, &elsewhere);
        s.git(["config", "core.worktree", elsewhere.to_str().unwrap()]);
        let lane = lane_x(s, &s.repo, &[]);
        for name in ["pre-merge-commit", "commit-msg", "post-merge"] {
            hook(s, name, "test \"$(git rev-parse --show-toplevel)\" = \"$(cd ../elsewhere && pwd)\"");
        }
        (lane, vec!["--strategy", "merge"], Lands::Configured(elsewhere))
    }),
    ("core.worktree, where the .git is of another repository", |s| {
        let elsewhere = s.root().join("elsewhere");
        move_files(s, &elsewhere);
        s.git_in(&elsewhere, ["init", "-q", "."]);
        s.git(["config", "core.worktree", elsewhere.to_str().unwrap()]);
        (lane_x(s, &s.repo, &[]), vec!["--strategy", "squash"], Lands::Configured(elsewhere))
    }),
    ("the base is being rebased elsewhere", |s| {
        s.git(["switch", "-qc", "other"]);
        let there = s.root().join("there");
        s.git(["worktree", "add", "-q", there.to_str().unwrap(), "main"]);
        lane_x(s, &s.repo, &["--base", "main"]);
        s.git_in(&there, ["commit", "-q", "--allow-empty", "-m", "more"]);
        let mut rebase = s.command("git");
        rebase.current_dir(&there).args(["rebase", "-q", "-f", "--exec", "false", "HEAD~1"]);
        assert_ne!(s.run(&mut rebase).code, 0);
        (repo(s), vec![], Lands::Not("base-busy"))
    }),
    ("the base is being bisected elsewhere, under its alias", |s| {
        alias(s, "master", "refs/heads/main");
        s.git(["switch", "-qc", "other"]);
        let there = s.root().join("there");
        s.git(["worktree", "add", "-q", there.to_str().unwrap(), "master"]);
        lane_x(s, &s.repo, &["--base", "main"]);
        s.git_in(&there, ["commit", "-q", "--allow-empty", "-m", "more"]);
        s.git_in(&there, ["bisect", "start"]);
        s.git_in(&there, ["checkout", "-q", "--detach"]);
        (repo(s), vec![], Lands::Not("base-busy"))
    }),
];

/// Situations in which a ref or a HEAD is written as the file that it is not where refs are a reftable.
const OF_FILES: [&str; 5] = [
    "an alias that is a symbolic link",
    "--into a circle",
    "HEAD is a symbolic link",
    "HEAD is a symbolic link to an alias",
    "a branch that is checked out by a symbolic link",
];

/// A repository like any other whose refs are a reftable; `None` where git knows none.
fn with_reftable() -> Option<Sandbox> {
    if git_version() < (2, 45) {
        eprintln!("skipped: git {:?} has no reftable", git_version());
        return None;
    }
    let sandbox = Sandbox::empty();
    sandbox.git(["init", "-q", "-b", "main", "--ref-format=reftable", "."]);
    sandbox.write("README", "shop\n");
    sandbox.write("src/app.txt", "one\ntwo\nthree\n");
    sandbox.commit("first");
    Some(sandbox)
}

#[test]
fn a_base_moves_with_the_worktree_that_has_it_or_not_at_all() {
    LANDINGS.iter().for_each(|(name, situation)| lands(name, Sandbox::new(), situation));
}

#[test]
fn a_base_in_a_reftable_moves_so_too() {
    for (name, situation) in LANDINGS.iter().filter(|(name, _)| !OF_FILES.contains(name)) {
        let Some(sandbox) = with_reftable() else { return };
        lands(name, sandbox, situation);
    }
}

#[test]
fn a_worktree_that_leaves_the_base_while_a_hook_runs_keeps_its_files() {
    for sandbox in [Some(Sandbox::new()), with_reftable()].into_iter().flatten() {
        lane_x(&sandbox, &sandbox.repo, &[]);
        hook(
            &sandbox,
            "pre-merge-commit",
            "unset $(git rev-parse --local-env-vars); git symbolic-ref HEAD refs/heads/elsewhere",
        );
        sandbox.git(["branch", "elsewhere"]);
        sandbox.lane(["finish", "x", "--keep"]).ok();
        assert_eq!(sandbox.git(["show", "main:landed"]), "landed");
        assert_eq!(sandbox.git(["status", "--porcelain", "--branch"]), "## elsewhere");
        assert!(!sandbox.repo.join("landed").exists());
    }
}

fn lands(name: &str, sandbox: Sandbox, situation: &Situation) {
    eprintln!("-- {name}");
    let (from, args, lands) = situation(&sandbox);
    let git_dir = sandbox.git_in(&from, ["rev-parse", "--git-common-dir"]);
    let git_dir = std::fs::canonicalize(from.join(git_dir)).unwrap();
    let tip = |sandbox: &Sandbox| {
        sandbox.git_in(&from, ["--git-dir", git_dir.to_str().unwrap(), "rev-parse", "refs/heads/main"])
    };
    let before = tip(&sandbox);
    let args: Vec<&str> = ["--json", "finish", "x", "--keep"].into_iter().chain(args).collect();
    let run: Run = sandbox.lane_in(&from, args);
    match lands {
        Lands::At(worktree) => {
            run.ok();
            assert_ne!(before, tip(&sandbox), "{name}");
            assert_eq!(sandbox.git_in(&worktree, ["status", "--porcelain"]), "", "{name}");
            assert!(worktree.join("landed").exists(), "{name}");
        }
        Lands::Configured(worktree) => {
            run.ok();
            assert_ne!(before, tip(&sandbox), "{name}");
            let git_dir = git_dir.to_str().unwrap();
            assert_eq!(
                sandbox.git_in(&worktree, ["--git-dir", git_dir, "status", "--porcelain", "-uno"]),
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
    git.current_dir(from).arg("--git-dir").arg(bare).arg("--work-tree").arg(&sandbox.repo).args(args);
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
        let commit = |message| told(&sandbox, &bare, &sandbox.repo, &["commit", "--allow-empty", "-qam", message]).ok();
        // What the refusal says is what helps.
        let refused = sandbox.lane_in(&bare, ["finish", "x", "--keep"]).fails(1);
        let (told_by, bare_name) = (format!("git --git-dir={} --work-tree=", bare.display()), bare.display());
        assert!(refused.contains(&told_by) && refused.contains(&format!("rm {bare_name}/index")), "{refused}");
        told(&sandbox, &bare, &from, &["lane", "finish", "x", "--keep"]).ok();
        assert!(sandbox.repo.join("landed").exists(), "{from:?}");
        commit("after");
        assert_eq!(sandbox.git_in(&bare, ["show", "main:landed"]), "landed", "{from:?}");
        assert_eq!(told(&sandbox, &bare, &sandbox.repo, &["status", "--porcelain"]).ok(), "", "{from:?}");
    }
}

#[test]
fn other_branches_of_a_bare_repository_are_landed_on_and_its_own_is_nobody_elses() {
    let sandbox = Sandbox::new();
    let bare = bare_with_index(&sandbox);
    sandbox.git_in(&bare, ["branch", "other"]);
    lane_x(&sandbox, &bare, &[]);
    sandbox.lane_in(&bare, ["finish", "x", "--keep", "--into", "other"]).ok();
    assert_eq!(sandbox.git_in(&bare, ["show", "other:landed"]), "landed");
    assert!(sandbox.lane_in(&bare, ["--json", "start", "main"]).fails(1).contains("main"));
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
        let dies = |at: usize| {
            let sandbox = Sandbox::new();
            let bare = bare_with_index(&sandbox);
            lane_x(&sandbox, &bare, &[]);
            let mut git = sandbox.command("git");
            git.arg("--git-dir")
                .arg(&bare)
                .arg("--work-tree")
                .arg(&sandbox.repo)
                .args(["lane", "finish", "x", "--keep"]);
            let run = sandbox.run(git.env("GIT_LANE_TEST_DIE_AT", at.to_string()));
            run.stderr.contains(&format!("died at {step}\n")).then_some((sandbox, bare))
        };
        let (sandbox, bare) = (1..60).find_map(dies).unwrap();
        let files = || sandbox.repo.join("landed").exists();
        let before = files();
        let said = sandbox.lane_in(&bare, ["start", "y"]);
        assert!(said.stderr.contains("nothing here says that its files are in"), "{said}");
        assert!(bare.join("index.lock").exists() && files() == before, "{said}");
        let remedy = said.stderr.lines().find_map(|line| line.split_once("if they are: ")).unwrap().1.to_owned();
        sandbox.run(sandbox.command("sh").args(["-c", &remedy])).ok();
        assert_eq!(told(&sandbox, &bare, &sandbox.repo, &["status", "--porcelain"]).ok(), "", "{step}");
        assert_eq!(files(), landed, "{step}");
    }
}

/// A lane `x`, something that may have its branch, what is asked for, and the code of the refusal.
type Asked = (&'static str, fn(&Sandbox), &'static [&'static str], &'static str);

const REFUSED: &[Asked] = &[
    ("an alias of another lane's branch", |s| alias(s, "y", "refs/heads/x"), &["start", "y"], "branch-owned"),
    ("the same with --branch", |s| alias(s, "y", "refs/heads/x"), &["start", "z", "--branch", "y"], "branch-owned"),
    ("an alias of what is checked out", |s| alias(s, "y", "refs/heads/main"), &["start", "y"], "branch-in-use"),
    (
        "what is checked out by an alias",
        |s| {
            s.git(["branch", "topic"]);
            alias(s, "y", "refs/heads/topic");
            s.git(["checkout", "-q", "y"]);
        },
        &["start", "topic"],
        "branch-in-use",
    ),
    (
        "an alias of what is no branch",
        |s| {
            s.git(["update-ref", "refs/remotes/origin/y", "main"]);
            alias(s, "y", "refs/remotes/origin/y");
        },
        &["start", "y"],
        "branch-alias",
    ),
    ("a name that leads to itself", |s| alias(s, "y", "refs/heads/y"), &["start", "y"], "branch-alias"),
    (
        "a branch that is checked out by a symbolic link",
        |s| {
            s.git(["switch", "-qc", "topic"]);
            std::fs::remove_file(s.repo.join(".git/HEAD")).unwrap();
            symlink("refs/heads/topic", s.repo.join(".git/HEAD")).unwrap();
        },
        &["start", "topic"],
        "branch-in-use",
    ),
    (
        "a branch that its lane's removal would take from an alias elsewhere",
        |s| {
            alias(s, "same", "refs/heads/x");
            s.git(["checkout", "-q", "same"]);
        },
        &["drop", "--yes", "x"],
        "branch-elsewhere",
    ),
    (
        "a branch that is being rebased elsewhere",
        |s| {
            s.work("x", "more", "more\n");
            s.git_in(&s.lane_path("x"), ["switch", "-q", "--detach"]);
            s.git(["checkout", "-q", "x"]);
            let mut rebase = s.command("git");
            rebase.args(["rebase", "-q", "-f", "--exec", "false", "HEAD~1"]);
            assert_ne!(s.run(&mut rebase).code, 0);
        },
        &["drop", "--yes", "--force", "x"],
        "branch-elsewhere",
    ),
    (
        "a branch that is being bisected elsewhere",
        |s| {
            s.git_in(&s.lane_path("x"), ["switch", "-q", "--detach"]);
            s.git(["checkout", "-q", "x"]);
            s.git(["bisect", "start"]);
            s.git(["checkout", "-q", "main"]);
        },
        &["drop", "--yes", "--force", "x"],
        "branch-elsewhere",
    ),
    (
        "a branch in the trash that an alias has checked out",
        |s| {
            s.lane(["drop", "--yes", "x"]).ok();
            s.git(["branch", "x", "main"]);
            alias(s, "same", "refs/heads/x");
            s.git(["checkout", "-q", "same"]);
        },
        &["restore", "x"],
        "checked-out",
    ),
];

#[test]
fn two_names_of_a_branch_are_one_branch() {
    REFUSED.iter().for_each(|asked| is_refused(Sandbox::new(), asked));
}

#[test]
fn two_names_of_a_branch_in_a_reftable_are_one_branch() {
    for asked in REFUSED.iter().filter(|(name, ..)| !OF_FILES.contains(name)) {
        let Some(sandbox) = with_reftable() else { return };
        is_refused(sandbox, asked);
    }
}

fn is_refused(sandbox: Sandbox, (name, prepare, args, code): &Asked) {
    eprintln!("-- {name}");
    sandbox.lane(["start", "x"]).ok();
    prepare(&sandbox);
    let refs = sandbox.git(["for-each-ref"]);
    let run = sandbox.lane(["--json"].iter().chain(args.iter()));
    let text = run.stdout.clone() + &run.stderr;
    run.fails(1);
    assert!(text.contains(&format!("\"{code}\"")), "{name}: {text}");
    assert_eq!(sandbox.git(["for-each-ref"]), refs, "{name}");
}

#[test]
fn a_lane_on_an_alias_gives_back_neither_name_nor_branch() {
    for verb in [&["drop", "--yes", "x"][..], &["finish", "x", "--no-land", "--force"], &["prune", "--yes"]] {
        let sandbox = Sandbox::new();
        sandbox.git(["branch", "topic"]);
        let path = sandbox.lane_path("x");
        sandbox.git(["symbolic-ref", "refs/heads/x", "refs/heads/topic"]);
        sandbox.git(["worktree", "add", "-q", path.to_str().unwrap(), "x"]);
        sandbox.record("x", &path);
        let shown = sandbox.lane(["--json", "show", "x"]).ok();
        assert!(!shown.contains("\"stray\""), "{shown}");
        let run = sandbox.lane(verb);
        assert_eq!(run.code, 0, "{run}");
        assert_eq!(sandbox.git(["symbolic-ref", "refs/heads/x"]), "refs/heads/topic", "{verb:?}");
        sandbox.git(["rev-parse", "--verify", "topic"]);
    }
}

#[test]
fn a_lane_takes_up_the_branch_that_its_name_leads_to() {
    let sandbox = Sandbox::new();
    sandbox.git(["branch", "topic"]);
    alias(&sandbox, "x", "refs/heads/topic");
    sandbox.lane(["start", "x"]).ok();
    assert_eq!(sandbox.git(["config", "lane.x.branch"]), "topic");
    assert_eq!(sandbox.git_in(&sandbox.lane_path("x"), ["symbolic-ref", "HEAD"]), "refs/heads/topic");
    sandbox.lane(["drop", "--yes", "x"]).ok();
    sandbox.git_fails(["rev-parse", "--verify", "-q", "refs/heads/topic"]);
    sandbox.lane(["restore", "x"]).ok();
    assert_eq!(sandbox.git_in(&sandbox.lane_path("x"), ["symbolic-ref", "HEAD"]), "refs/heads/topic");
}

/// What is mounted where, where git-lane runs then, and what it is asked.
const MOUNTED: &[(&str, &str, &str)] = &[
    ("shop", "alike", "cd alike && git-lane finish x --keep"),
    ("shop", "alike", "cd alike/src && git-lane finish x"),
    ("shop", "alike", "cd shop.lanes/x && git-lane finish x --keep"),
    ("shop.lanes/x", "alike", "cd alike && git-lane finish x --keep"),
    ("shop.lanes/x", "alike", "cd alike && git-lane finish x --keep --strategy squash"),
    (".", "alike", "cd alike/shop && git-lane finish x --keep"),
    (".", "alike", "cd alike/shop.lanes/x && git-lane finish x --keep"),
    ("shop", "alike", "cd alike && git-lane start y && cd ../shop && git-lane finish x && git-lane drop --yes y"),
    ("shop", "alike", "cd alike && git-lane drop --yes x && cd ../shop && git-lane restore x && git-lane finish x"),
    ("shop", "alike", "cd alike && ! git-lane start main && ! git-lane start z --branch x && git-lane finish x --keep"),
];

#[test]
fn what_a_bind_mount_shows_twice_is_one_worktree() {
    for (what, at, then) in MOUNTED {
        let sandbox = Sandbox::new();
        lane_x(&sandbox, &sandbox.repo, &[]);
        std::fs::create_dir(sandbox.root().join(at)).unwrap();
        let script = format!("mount --bind {what} {at} 2>/dev/null || exit 77; {then}");
        let mut command = sandbox.command("unshare");
        if !Path::new("/usr/bin/unshare").exists() {
            eprintln!("skipped: there is no unshare(1)");
            return;
        }
        let run = sandbox.run(command.current_dir(sandbox.root()).args(["--mount", "sh", "-c", &script]));
        if run.code == 77 || run.stderr.contains("unshare failed") {
            eprintln!("skipped: nothing may be mounted here");
            return;
        }
        run.ok();
        assert_eq!(sandbox.git(["show", "main:landed"]), "landed", "{then}");
        assert_eq!(sandbox.git(["status", "--porcelain"]), "", "{then}");
        assert!(sandbox.repo.join("landed").exists(), "{then}");
        assert_eq!(sandbox.lane(["doctor"]).code, 0, "{then}");
    }
}

/// One of two names of a branch that differ in case, and what is done then.
const FOLDED: &[(&str, &str)] = &[
    ("git checkout -q MAIN", "git-lane finish x --keep"),
    ("git checkout -q MAIN", "git-lane finish x --keep --into Main"),
    ("git checkout -q MAIN", "cd ../shop.lanes/x && git-lane finish x --keep"),
    ("git checkout -q MAIN", "! git-lane start main && git-lane finish x"),
    ("git checkout -q --detach; git worktree add -q ../there Main", "git-lane finish x --keep; git -C ../there status"),
    ("git branch other; git checkout -q OTHER", "! git-lane start other && git checkout -q main && git-lane finish x"),
    ("true", "! git-lane start y --branch X && git-lane finish x"),
    (
        "git checkout -q MAIN; git checkout -q -b topic/One; git checkout -q TOPIC/one",
        "! git-lane start topic/one && \
     git-lane finish x --keep && git checkout -q main",
    ),
];

#[test]
fn names_that_differ_in_case_are_one_branch_where_the_file_system_takes_them_for_one() {
    for (before, then) in FOLDED {
        let sandbox = Sandbox::new();
        if !sandbox.repo.join("readme").exists() {
            eprintln!("skipped: the file system of the temporary directory does not fold case");
            return;
        }
        lane_x(&sandbox, &sandbox.repo, &[]);
        let run = |script: &str| sandbox.run(sandbox.command("sh").args(["-c", script]));
        run(before).ok();
        run(then).ok();
        assert_eq!(sandbox.git(["show", "main:landed"]), "landed", "{then}");
        for worktree in ["shop", "there"].map(|name| sandbox.root().join(name)).iter().filter(|path| path.exists()) {
            assert_eq!(sandbox.git_in(worktree, ["status", "--porcelain"]), "", "{then}");
        }
    }
}
