//! Two names of a branch, two paths of a worktree.

use super::*;
use crate::support::skipped;

/// A lane `x`, something that may have its branch, what is asked for, and the code of the refusal.
type Asked = (
    &'static str,
    fn(&Sandbox),
    &'static [&'static str],
    &'static str,
);

const REFUSED: &[Asked] = &[
    (
        "an alias of another lane's branch",
        |s| alias(s, "y", "refs/heads/x"),
        &["start", "y"],
        "branch-owned",
    ),
    (
        "the same with --branch",
        |s| alias(s, "y", "refs/heads/x"),
        &["start", "z", "--branch", "y"],
        "branch-owned",
    ),
    (
        "an alias of what is checked out",
        |s| alias(s, "y", "refs/heads/main"),
        &["start", "y"],
        "branch-in-use",
    ),
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
    (
        "a name that leads to itself",
        |s| alias(s, "y", "refs/heads/y"),
        &["start", "y"],
        "branch-alias",
    ),
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
    REFUSED
        .iter()
        .for_each(|asked| is_refused(Sandbox::new(), asked));
}

#[test]
fn two_names_of_a_branch_in_a_reftable_are_one_branch() {
    for asked in REFUSED.iter().filter(|(name, ..)| !OF_FILES.contains(name)) {
        let Some(sandbox) = with_reftable() else {
            return;
        };
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
    for verb in [
        &["drop", "--yes", "x"][..],
        &["finish", "x", "--no-land", "--force"],
        &["prune", "--yes"],
    ] {
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
        assert_eq!(
            sandbox.git(["symbolic-ref", "refs/heads/x"]),
            "refs/heads/topic",
            "{verb:?}"
        );
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
    assert_eq!(
        sandbox.git_in(&sandbox.lane_path("x"), ["symbolic-ref", "HEAD"]),
        "refs/heads/topic"
    );
    sandbox.lane(["drop", "--yes", "x"]).ok();
    sandbox.git_fails(["rev-parse", "--verify", "-q", "refs/heads/topic"]);
    sandbox.lane(["restore", "x"]).ok();
    assert_eq!(
        sandbox.git_in(&sandbox.lane_path("x"), ["symbolic-ref", "HEAD"]),
        "refs/heads/topic"
    );
}

/// What is mounted where, where git-lane runs then, and what it is asked.
const MOUNTED: &[(&str, &str, &str)] = &[
    ("shop", "alike", "cd alike && git-lane finish x --keep"),
    ("shop", "alike", "cd alike/src && git-lane finish x"),
    (
        "shop",
        "alike",
        "cd shop.lanes/x && git-lane finish x --keep",
    ),
    (
        "shop.lanes/x",
        "alike",
        "cd alike && git-lane finish x --keep",
    ),
    (
        "shop.lanes/x",
        "alike",
        "cd alike && git-lane finish x --keep --strategy squash",
    ),
    (".", "alike", "cd alike/shop && git-lane finish x --keep"),
    (
        ".",
        "alike",
        "cd alike/shop.lanes/x && git-lane finish x --keep",
    ),
    (
        "shop",
        "alike",
        "cd alike && git-lane start y && cd ../shop && git-lane finish x && git-lane drop --yes y",
    ),
    (
        "shop",
        "alike",
        "cd alike && git-lane drop --yes x && cd ../shop && git-lane restore x && git-lane finish \
         x",
    ),
    (
        "shop",
        "alike",
        "cd alike && ! git-lane start main && ! git-lane start z --branch x && git-lane finish x \
         --keep",
    ),
];

#[test]
fn what_a_bind_mount_shows_twice_is_one_worktree() {
    for (what, at, then) in MOUNTED {
        let sandbox = Sandbox::new();
        lane_x(&sandbox, &sandbox.repo, &[]);
        std::fs::create_dir(sandbox.root().join(at)).unwrap();
        let script = format!("mount --bind {what} {at} 2>/dev/null || exit 77; {then}");
        let Some(run) = sandbox.with_mounts(&sandbox.root(), &script) else {
            return;
        };
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
    (
        "git checkout -q MAIN",
        "git-lane finish x --keep --into Main",
    ),
    (
        "git checkout -q MAIN",
        "cd ../shop.lanes/x && git-lane finish x --keep",
    ),
    (
        "git checkout -q MAIN",
        "! git-lane start main && git-lane finish x",
    ),
    (
        "git checkout -q --detach; git worktree add -q ../there Main",
        "git-lane finish x --keep; git -C ../there status",
    ),
    (
        "git branch other; git checkout -q OTHER",
        "! git-lane start other && git checkout -q main && git-lane finish x",
    ),
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
            skipped("the file system of the temporary directory does not fold case");
            return;
        }
        lane_x(&sandbox, &sandbox.repo, &[]);
        let run = |script: &str| sandbox.sh(script);
        run(before).ok();
        run(then).ok();
        assert_eq!(sandbox.git(["show", "main:landed"]), "landed", "{then}");
        for worktree in ["shop", "there"]
            .map(|name| sandbox.root().join(name))
            .iter()
            .filter(|path| path.exists())
        {
            assert_eq!(
                sandbox.git_in(worktree, ["status", "--porcelain"]),
                "",
                "{then}"
            );
        }
    }
}
