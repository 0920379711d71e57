//! The table: each kind of uncommitted work comes into the lane as it is, and goes.

use super::{assert_as_committed, work_in};
use crate::start::assert_nothing_left;
use crate::support::Sandbox;

/// What a script does in a repository of several files.
const CASES: &[(&str, &str)] = &[
    ("an edit", "echo more >>README"),
    ("a staged edit", "echo more >>README; git add README"),
    (
        "a staged edit that was edited again",
        "echo more >>README; git add README; echo again >>README",
    ),
    (
        "a staged edit whose file is as before",
        "echo more >>README; git add README; git show HEAD:README >README",
    ),
    ("a new file", "echo new >new"),
    ("a new file of no bytes", ": >new"),
    ("a staged new file", "echo new >new; git add new"),
    (
        "a staged new file that is gone",
        "echo new >new; git add new; rm new",
    ),
    (
        "new files in new directories",
        "mkdir -p a/b/c; echo x >a/b/c/d; echo y >a/e; chmod 700 a/b",
    ),
    ("a new file in a directory of the commit", "echo x >src/new"),
    ("a file that is gone", "rm README"),
    ("all files of a directory gone", "rm -r src"),
    ("a staged removal", "git rm -q README"),
    (
        "a staged removal of a file that is there",
        "git rm -q --cached README",
    ),
    (
        "a staged removal of a file that is another one",
        "git rm -q --cached README; echo other >README",
    ),
    ("a rename", "git mv README READ"),
    ("a rename that is not staged", "mv README READ"),
    (
        "a rename into a new directory",
        "mkdir doc; git mv README doc/README",
    ),
    (
        "two files that have changed places",
        "mv README x; mv src/app.txt README; mv x src/app.txt",
    ),
    ("the intent to add", "echo new >new; git add -N new"),
    (
        "the intent to add a program by now",
        "echo new >new; git add -N new; chmod +x new",
    ),
    (
        "the intent to add a program",
        "echo new >new; chmod +x new; git add -N new",
    ),
    ("the intent to add a link", "ln -s x new; git add -N new"),
    (
        "the intent to add what is gone",
        "echo new >new; git add -N new; rm new",
    ),
    ("a mode", "chmod +x README"),
    ("a staged mode", "chmod +x README; git add README"),
    (
        "a mode in the index alone",
        "git update-index --chmod=+x README",
    ),
    ("a link that leads nowhere", "ln -s nowhere/at/all link"),
    ("a link out of the repository", "ln -s ../../home link"),
    ("a staged link", "ln -s README link; git add link"),
    (
        "a link that leads elsewhere by now",
        "ln -sfn elsewhere tolink",
    ),
    ("a file that was a link", "rm tolink; echo file >tolink"),
    ("a link that was a file", "rm README; ln -s src README"),
    (
        "a directory that was a file",
        "rm README; mkdir README; echo x >README/x",
    ),
    (
        "a staged directory that was a file",
        "git rm -q README; mkdir README; echo x >README/x; git add README",
    ),
    ("a file that was a directory", "rm -r src; echo x >src"),
    (
        "a staged file that was a directory",
        "git rm -rq src; echo x >src; git add src",
    ),
    (
        "a link that was a directory",
        "mv src other; ln -s other src",
    ),
    (
        "bytes that are no text",
        "printf '\\000\\377\\015\\012' >new; printf '\\000' >>README",
    ),
    (
        "a name with blanks, quotes and line breaks",
        "echo x >\"$(printf 'a \\047\\042\\t\\n*?[b]')\"",
    ),
    (
        "a name that is no UTF-8",
        "echo x >\"$(printf 'n\\377me')\"; git add .",
    ),
    (
        "a name like an option",
        "echo x >-n; echo y >--help; git add -- -n",
    ),
    (
        "a name like a pattern",
        "echo x >':(top)x'; echo y >'*'; git add -N '*'",
    ),
    (
        "line endings",
        "printf 'a\\r\\nb\\n' >README; printf 'a\\r\\n' >new; git add new",
    ),
    (
        "a conflict",
        "git stash -q 2>/dev/null; echo a >README; git stash -q; echo b >README; git commit -qam b; \
         ! git stash pop -q >/dev/null 2>&1; git stash drop -q",
    ),
    (
        "a conflict beside other work",
        "echo a >README; git stash -q; git rm -q README; git commit -qm b; \
         ! git stash pop -q >/dev/null 2>&1; git stash drop -q; echo x >x; git add x; echo y >>x",
    ),
    (
        "a large file",
        "head -c 3000000 /dev/urandom >large; head -c 200000 /dev/zero >>README",
    ),
    (
        "many files",
        "mkdir many; for n in $(seq 700); do echo $n >many/$n; done; git add many/1*",
    ),
    (
        "a file of several names",
        "echo x >one; ln one two; git add one",
    ),
    (
        "attributes",
        "echo '*.txt text eol=crlf' >.gitattributes; printf 'x\\n' >>src/app.txt",
    ),
    ("patterns", "echo '*.log' >>.gitignore; echo x >kept.txt"),
    (
        "modes that shut out",
        "echo x >new; chmod 400 new; mkdir d; echo x >d/x; chmod 750 d",
    ),
];

/// What settings and kinds of repositories make of it.
const KINDS: &[(&str, &str)] = &[
    ("as it comes", ":"),
    (
        "a split index",
        "git config core.splitIndex true; git update-index --split-index",
    ),
    (
        "an untracked cache",
        "git config core.untrackedCache true; git status -s",
    ),
    (
        "converted line endings",
        "git config core.autocrlf true; rm -r * .gitignore; git checkout -q .",
    ),
    (
        "a filter",
        "git config filter.up.smudge 'tr a-z A-Z'; git config filter.up.clean 'tr A-Z a-z'; \
         echo '*.txt filter=up' >.gitattributes; git add .gitattributes; git commit -qm up; \
         rm src/app.txt; git checkout -q src/app.txt",
    ),
    ("modes that do not count", "git config core.fileMode false"),
    (
        "a sparse checkout",
        "mkdir far; echo x >far/x; git add far; git commit -qm far; git sparse-checkout set src",
    ),
    ("a detached HEAD", "git checkout -q --detach"),
    (
        "another branch",
        "git switch -qc topic; git commit -q --allow-empty -m topic",
    ),
];

fn prepared(kind: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox
        .sh("ln -s README tolink; echo '*.o' >.gitignore; git add -A; git commit -qm more")
        .ok();
    sandbox.sh(kind).ok();
    sandbox
}

#[track_caller]
fn moves(sandbox: &Sandbox, case: &str, options: &[&str]) {
    let before = work_in(sandbox, &sandbox.repo);
    let args = ["start", "login", "--move"].iter().chain(options);
    let run = sandbox.lane(args.copied().collect::<Vec<_>>());
    assert_eq!(run.code, 0, "{case}: {run}");
    let lane = sandbox.lane_path("login");
    assert_eq!(work_in(sandbox, &lane), before, "{case}");
    if options.contains(&"--keep") {
        assert_eq!(work_in(sandbox, &sandbox.repo), before, "{case}");
    } else {
        assert_as_committed(sandbox, &sandbox.repo);
    }
    assert_nothing_left(sandbox);
    sandbox.git(["fsck", "--no-dangling"]);
}

#[test]
fn each_kind_of_work_moves() {
    for (case, script) in CASES {
        let sandbox = prepared(":");
        sandbox.sh(script).ok();
        moves(&sandbox, case, &[]);
    }
}

#[test]
fn each_kind_of_work_is_copied() {
    for (case, script) in CASES {
        let sandbox = prepared(":");
        sandbox.sh(script).ok();
        moves(&sandbox, case, &["--keep"]);
    }
}

#[test]
fn whatever_the_settings_are() {
    let script = "echo more >>README; git add README; echo again >>README; rm src/app.txt; \
        mkdir -p a/b; echo x >a/b/c; printf 'x\\r\\n' >src/new.txt; git add -N src/new.txt";
    for (kind, settings) in KINDS {
        for options in [&[][..], &["--keep"]] {
            let sandbox = prepared(settings);
            sandbox.sh(script).ok();
            moves(&sandbox, kind, options);
        }
    }
}

/// What git is told not to look at, and what is ignored, is no work of the lane.
#[test]
fn what_is_ignored_or_not_looked_at_stays() {
    let sandbox = prepared(":");
    sandbox
        .sh("git update-index --skip-worktree README; echo own >README; echo o >x.o; echo n >new")
        .ok();
    sandbox.lane(["start", "login", "--move"]).ok();
    let read = |path: &str| std::fs::read_to_string(sandbox.repo.join(path)).unwrap();
    assert_eq!((&*read("README"), &*read("x.o")), ("own\n", "o\n"));
    assert_eq!(sandbox.git(["ls-files", "-v", "README"]), "S README");
    let lane = sandbox.lane_path("login");
    assert!(lane.join("new").exists() && !lane.join("x.o").exists());
    assert_eq!(
        std::fs::read_to_string(lane.join("README")).unwrap(),
        "shop\n"
    );
    assert!(!sandbox.repo.join("new").exists());
}

/// Who still writes to a file writes to that of the lane.
#[test]
fn a_file_moves_as_the_one_it_is() {
    use std::io::Write;
    use std::os::unix::fs::MetadataExt;
    let sandbox = prepared(":");
    sandbox.write("new", "one\n");
    let mut open = std::fs::File::options()
        .append(true)
        .open(sandbox.repo.join("new"))
        .unwrap();
    let before = open.metadata().unwrap();
    sandbox.lane(["start", "login", "--move"]).ok();
    open.write_all(b"two\n").unwrap();
    let lane = sandbox.lane_path("login").join("new");
    assert_eq!(std::fs::read_to_string(&lane).unwrap(), "one\ntwo\n");
    let after = std::fs::metadata(&lane).unwrap();
    assert_eq!((after.ino(), after.nlink()), (before.ino(), 1));
    // A copy is one of its own.
    sandbox
        .lane_in(
            &sandbox.lane_path("login"),
            ["start", "copy", "--move", "--keep"],
        )
        .ok();
    open.write_all(b"three\n").unwrap();
    let copy = sandbox.lane_path("copy").join("new");
    assert_eq!(std::fs::read_to_string(copy).unwrap(), "one\ntwo\n");
}

#[test]
fn work_moves_from_lane_to_lane() {
    let sandbox = prepared(":");
    sandbox.lane(["start", "one"]).ok();
    let one = sandbox.lane_path("one");
    sandbox.work("one", "done", "done");
    sandbox
        .sh_in(&one, "echo x >new; git add new; echo y >>README")
        .ok();
    let before = work_in(&sandbox, &one);
    sandbox.lane_in(&one, ["start", "two", "--move"]).ok();
    assert_eq!(work_in(&sandbox, &sandbox.lane_path("two")), before);
    assert_as_committed(&sandbox, &one);
    // What the lane has is not the new one's.
    assert_eq!(sandbox.git(["config", "lane.two.base"]), "refs/heads/one");
    assert_nothing_left(&sandbox);
}
