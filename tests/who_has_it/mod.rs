//! Who has a branch checked out, whatever name leads to it and wherever the main worktree is: what
//! git asks is asked.

mod landings;
mod names;

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::support::{Run, Sandbox, git_version, skipped, write};

/// What must become of a landing.
enum Lands {
    /// The base moves, and the worktree that has it checked out moves along.
    At(PathBuf),
    /// The same, and only `core.worktree` leads git there.
    Configured(PathBuf),
    /// Nothing moves; the refusal has this code.
    Not(&'static str),
}

/// Lands a lane `x` that was started and worked in; says where it runs, with which arguments, and
/// what must come of it.
type Situation = fn(&Sandbox) -> (PathBuf, Vec<&'static str>, Lands);

fn lane_x(sandbox: &Sandbox, from: &Path, args: &[&str]) -> PathBuf {
    sandbox
        .lane_in(from, [["start", "x"].as_slice(), args].concat())
        .ok();
    let lane = PathBuf::from(sandbox.lane_in(from, ["path", "x"]).ok().trim_end());
    write(&lane.join("landed"), "landed\n");
    sandbox.git_in(&lane, ["add", "."]);
    sandbox.git_in(&lane, ["commit", "-qm", "x"]);
    lane
}

fn repo(sandbox: &Sandbox) -> PathBuf {
    sandbox.repo.clone()
}

/// A repository whose git directory is `real`, made from `shop`, which keeps the files and a way
/// there.
fn git_dir_at(sandbox: &Sandbox, real: &str, link: bool) -> PathBuf {
    let real = sandbox.root().join(real);
    std::fs::create_dir_all(real.parent().unwrap()).unwrap();
    std::fs::rename(sandbox.repo.join(".git"), &real).unwrap();
    match link {
        true => symlink(&real, sandbox.repo.join(".git")).unwrap(),
        false => write(
            &sandbox.repo.join(".git"),
            format!("gitdir: {}\n", real.display()),
        ),
    }
    real
}

fn alias(sandbox: &Sandbox, name: &str, target: &str) {
    sandbox.git(["symbolic-ref", &format!("refs/heads/{name}"), target]);
}

/// The repository, now bare and with its index, and its branch `main` checked out in the worktree
/// that is returned.
fn bare_with_worktree(sandbox: &Sandbox) -> PathBuf {
    let there = sandbox.root().join("there");
    sandbox.git(["switch", "-q", "--detach"]);
    sandbox.git(["worktree", "add", "-q", there.to_str().unwrap(), "main"]);
    sandbox.git(["symbolic-ref", "HEAD", "refs/heads/main"]);
    sandbox.git(["config", "core.bare", "true"]);
    there
}

/// The repository as people keep their dotfiles: a bare one, and the files in the directory `shop`,
/// of which only each command is told.
fn bare_with_index(sandbox: &Sandbox) -> PathBuf {
    let bare = sandbox.root().join("dotfiles.git");
    std::fs::rename(sandbox.repo.join(".git"), &bare).unwrap();
    sandbox.git_in(&bare, ["config", "core.bare", "true"]);
    bare
}

/// Has nothing in `shop` but its `.git`, and everything else in `directory`.
fn move_files(sandbox: &Sandbox, directory: &Path) {
    std::fs::rename(&sandbox.repo, directory).unwrap();
    std::fs::create_dir(&sandbox.repo).unwrap();
    std::fs::rename(directory.join(".git"), sandbox.repo.join(".git")).unwrap();
}

fn relative(from: &Path, to: &Path) -> PathBuf {
    let common = from
        .components()
        .zip(to.components())
        .take_while(|(a, b)| a == b)
        .count();
    let up = from.components().skip(common).map(|_| "..");
    up.map(PathBuf::from)
        .chain(
            to.components()
                .skip(common)
                .map(|part| PathBuf::from(part.as_os_str())),
        )
        .collect()
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
        (
            repo(s),
            vec!["--into", "theirs"],
            Lands::Not("branch-alias"),
        )
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
        s.git([
            "worktree",
            "add",
            "-q",
            "-f",
            there.to_str().unwrap(),
            "master",
        ]);
        lane_x(s, &s.repo, &["--base", "main"]);
        (repo(s), vec![], Lands::Not("base-checked-out-twice"))
    }),
    ("a separate git directory, in its worktree", |s| {
        git_dir_at(s, "dirs/shop", false);
        lane_x(s, &s.repo, &[]);
        assert!(
            s.lane_path("x").exists(),
            "lanes lie beside the main worktree"
        );
        (repo(s), vec![], Lands::At(repo(s)))
    }),
    (
        "a separate git directory, in a directory of its worktree",
        |s| {
            git_dir_at(s, "dirs/shop", false);
            lane_x(s, &s.repo, &[]);
            (s.repo.join("src"), vec![], Lands::At(repo(s)))
        },
    ),
    ("a separate git directory, in a lane", |s| {
        git_dir_at(s, "dirs/shop", false);
        (
            lane_x(s, &s.repo, &[]),
            vec![],
            Lands::Not("main-worktree-unknown"),
        )
    }),
    ("a separate git directory, in itself", |s| {
        let real = git_dir_at(s, "dirs/shop", false);
        lane_x(s, &s.repo, &[]);
        (real, vec![], Lands::Not("main-worktree-unknown"))
    }),
    (
        "a separate git directory that says where its worktree is",
        |s| {
            git_dir_at(s, "dirs/shop", false);
            let lane = lane_x(s, &s.repo, &[]);
            s.git(["config", "core.worktree", "../../shop"]);
            (lane, vec![], Lands::At(repo(s)))
        },
    ),
    (
        "a separate git directory without core.bare, in a lane",
        |s| {
            git_dir_at(s, "dirs/shop", false);
            let lane = lane_x(s, &s.repo, &[]);
            s.git(["config", "--unset", "core.bare"]);
            (lane, vec![], Lands::Not("main-worktree-unknown"))
        },
    ),
    ("a separate git directory, with an alias checked out", |s| {
        git_dir_at(s, "dirs/shop", false);
        alias(s, "master", "refs/heads/main");
        s.git(["checkout", "-q", "master"]);
        (
            lane_x(s, &s.repo, &["--base", "main"]),
            vec![],
            Lands::Not("main-worktree-unknown"),
        )
    }),
    (".git is a symbolic link, in the worktree", |s| {
        git_dir_at(s, "dirs/shop.git", true);
        lane_x(s, &s.repo, &[]);
        (repo(s), vec![], Lands::At(repo(s)))
    }),
    (".git is a symbolic link, in a lane", |s| {
        git_dir_at(s, "dirs/shop.git", true);
        (
            lane_x(s, &s.repo, &[]),
            vec![],
            Lands::Not("main-worktree-unknown"),
        )
    }),
    (
        ".git is a symbolic link to another of that name, in the worktree",
        |s| {
            git_dir_at(s, "dirs/.git", true);
            lane_x(s, &s.repo, &[]);
            (repo(s), vec![], Lands::At(repo(s)))
        },
    ),
    (
        ".git is a symbolic link to another of that name, in a lane",
        |s| {
            git_dir_at(s, "dirs/.git", true);
            (
                lane_x(s, &s.repo, &[]),
                vec![],
                Lands::Not("main-worktree-unknown"),
            )
        },
    ),
    ("core.worktree, absolute", |s| {
        let real = git_dir_at(s, "dirs/shop", false);
        s.git([
            "--git-dir",
            real.to_str().unwrap(),
            "config",
            "core.worktree",
            s.repo.to_str().unwrap(),
        ]);
        (lane_x(s, &s.repo, &[]), vec![], Lands::At(repo(s)))
    }),
    (
        "core.worktree in an included file, which git does not read",
        |s| {
            let included = s.root().join("included");
            write(
                &included,
                format!("[core]\n\tworktree = {}\n", s.root().join("home").display()),
            );
            s.git(["config", "include.path", included.to_str().unwrap()]);
            (lane_x(s, &s.repo, &[]), vec![], Lands::At(repo(s)))
        },
    ),
    (
        "core.bare in an included file, which git does not read",
        |s| {
            let included = s.root().join("included");
            write(&included, "[core]\n\tbare = true\n");
            s.git(["config", "include.path", included.to_str().unwrap()]);
            s.git(["config", "--unset", "core.bare"]);
            (lane_x(s, &s.repo, &[]), vec![], Lands::At(repo(s)))
        },
    ),
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
        write(
            &admin.join("gitdir"),
            format!("{}\n", relative(&admin, &there.join(".git")).display()),
        );
        write(
            &there.join(".git"),
            format!("gitdir: {}\n", relative(&there, &admin).display()),
        );
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
    (
        "a bare repository that has files elsewhere, in itself",
        |s| {
            let bare = bare_with_index(s);
            lane_x(s, &bare, &[]);
            (bare, vec![], Lands::Not("main-worktree-unknown"))
        },
    ),
    (
        "a bare repository that has files elsewhere, in a lane",
        |s| {
            let bare = bare_with_index(s);
            (
                lane_x(s, &bare, &[]),
                vec![],
                Lands::Not("main-worktree-unknown"),
            )
        },
    ),
    (
        "a bare repository that has files elsewhere, with an alias checked out",
        |s| {
            let bare = bare_with_index(s);
            s.git_in(
                &bare,
                ["symbolic-ref", "refs/heads/master", "refs/heads/main"],
            );
            s.git_in(&bare, ["symbolic-ref", "HEAD", "refs/heads/master"]);
            lane_x(s, &bare, &["--base", "main"]);
            (bare, vec![], Lands::Not("main-worktree-unknown"))
        },
    ),
    ("core.worktree, where no .git is", |s| {
        let (real, elsewhere) = (s.repo.clone(), s.root().join("elsewhere"));
        move_files(s, &elsewhere);
        s.git(["config", "core.worktree", "../../elsewhere"]);
        lane_x(s, &real, &[]);
        (real, vec![], Lands::Configured(elsewhere))
    }),
    (
        "core.worktree, where no .git is, in a lane and with hooks",
        |s| {
            let elsewhere = s.root().join("elsewhere");
            move_files(s, &elsewhere);
            s.git(["config", "core.worktree", elsewhere.to_str().unwrap()]);
            let lane = lane_x(s, &s.repo, &[]);
            for name in ["pre-merge-commit", "commit-msg", "post-merge"] {
                s.hook(
                    name,
                    "test -e landed && test \"$(git rev-parse --show-toplevel)\" = \"$(pwd)\"",
                );
            }
            (
                lane,
                vec!["--strategy", "merge"],
                Lands::Configured(elsewhere),
            )
        },
    ),
    (
        "core.worktree, where the .git is of another repository",
        |s| {
            let elsewhere = s.root().join("elsewhere");
            move_files(s, &elsewhere);
            s.git_in(&elsewhere, ["init", "-q", "."]);
            s.git(["config", "core.worktree", elsewhere.to_str().unwrap()]);
            (
                lane_x(s, &s.repo, &[]),
                vec!["--strategy", "squash"],
                Lands::Configured(elsewhere),
            )
        },
    ),
    ("the base is being rebased elsewhere", |s| {
        s.git(["switch", "-qc", "other"]);
        let there = s.root().join("there");
        s.git(["worktree", "add", "-q", there.to_str().unwrap(), "main"]);
        lane_x(s, &s.repo, &["--base", "main"]);
        s.git_in(&there, ["commit", "-q", "--allow-empty", "-m", "more"]);
        let mut rebase = s.command("git");
        rebase
            .current_dir(&there)
            .args(["rebase", "-q", "-f", "--exec", "false", "HEAD~1"]);
        assert_ne!(s.run(&mut rebase).code, 0);
        (repo(s), vec![], Lands::Not("base-busy"))
    }),
    (
        "the base is being bisected elsewhere, under its alias",
        |s| {
            alias(s, "master", "refs/heads/main");
            s.git(["switch", "-qc", "other"]);
            let there = s.root().join("there");
            s.git(["worktree", "add", "-q", there.to_str().unwrap(), "master"]);
            lane_x(s, &s.repo, &["--base", "main"]);
            s.git_in(&there, ["commit", "-q", "--allow-empty", "-m", "more"]);
            s.git_in(&there, ["bisect", "start"]);
            s.git_in(&there, ["checkout", "-q", "--detach"]);
            (repo(s), vec![], Lands::Not("base-busy"))
        },
    ),
];

/// Situations in which a ref or a HEAD is written as the file that it is not where refs are a
/// reftable.
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
        skipped(&format!("git {:?} has no reftable", git_version()));
        return None;
    }
    let sandbox = Sandbox::empty();
    sandbox.git(["init", "-q", "-b", "main", "--ref-format=reftable", "."]);
    sandbox.write("README", "shop\n");
    sandbox.write("src/app.txt", "one\ntwo\nthree\n");
    sandbox.commit("first");
    Some(sandbox)
}
