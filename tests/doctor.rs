//! `git lane doctor`, and records that follow the truth.

use crate::sandbox::{Run, Sandbox, write};

pub(crate) fn doctor(sandbox: &Sandbox, args: &[&str]) -> Run {
    sandbox.lane([&["doctor"], args].concat())
}

/// The codes doctor reports, in its order; the exit code says whether there are any.
#[track_caller]
pub(crate) fn codes(sandbox: &Sandbox) -> Vec<String> {
    let run = doctor(sandbox, &["--json"]);
    let (expected, document): (i32, serde_json::Value) = (run.code, serde_json::from_str(&run.stdout).unwrap());
    let findings = if expected == 0 { &document["findings"] } else { &document["error"]["details"] };
    let codes: Vec<String> =
        findings.as_array().unwrap().iter().map(|finding| finding["code"].as_str().unwrap().to_owned()).collect();
    assert_eq!(expected, i32::from(!codes.is_empty()), "{run}");
    codes
}

#[test]
fn a_healthy_repository_has_no_findings() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login", "search"]).ok();
    sandbox.lane(["start", "detached", "--detach"]).ok();
    let before = sandbox.fingerprint();
    assert!(codes(&sandbox).is_empty());
    assert!(doctor(&sandbox, &["--fix"]).ok().contains("everything is as it should be"));
    assert_eq!(sandbox.fingerprint(), before);
}

#[test]
fn a_clean_stray_is_switched_back_and_a_dirty_one_left_alone() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "clean", "dirty"]).ok();
    for name in ["clean", "dirty"] {
        sandbox.git_in(&sandbox.lane_path(name), ["switch", "-q", "-c", &format!("other-{name}")]);
    }
    write(&sandbox.lane_path("dirty").join("precious"), "work");
    assert_eq!(codes(&sandbox), ["stray", "stray"]);
    let text = doctor(&sandbox, &["--fix"]);
    assert!(
        text.stdout.contains("fixed: lane 'clean' is a stray") && text.stdout.contains("commit or stash"),
        "{text}"
    );
    let _ = text.fails(1);
    assert_eq!(sandbox.git_in(&sandbox.lane_path("clean"), ["branch", "--show-current"]), "clean");
    assert_eq!(sandbox.git_in(&sandbox.lane_path("dirty"), ["branch", "--show-current"]), "other-dirty");
    assert_eq!(std::fs::read(sandbox.lane_path("dirty").join("precious")).unwrap(), b"work");
}

/// What a stray that stays one is told to do ends it.
#[test]
fn the_way_back_that_a_stray_is_told_works() {
    let way = |sandbox: &Sandbox, command: &str| {
        assert_eq!(codes(sandbox), ["stray"]);
        let told = doctor(sandbox, &["--fix"]);
        assert!(told.stdout.contains(command) && !told.stdout.contains("commit or stash"), "{told}");
        let _ = told.fails(1);
        let path = sandbox.lane_path("login");
        sandbox.run(sandbox.command("sh").current_dir(path).args(["-c", command])).ok();
        assert!(codes(sandbox).is_empty());
    };
    let start = |args: &[&str]| {
        let sandbox = Sandbox::new();
        sandbox.lane(["init"]).ok();
        sandbox.lane([&["start", "login"], args].concat()).ok();
        let path = sandbox.lane_path("login");
        (sandbox, path)
    };
    let bypass = |sandbox: &Sandbox, args: &[&str]| {
        let path = sandbox.lane_path("login");
        sandbox.run(sandbox.command("git").env("GIT_LANE_BYPASS", "1").current_dir(path).args(args)).ok();
    };

    // On no branch, with a commit that is on none: clean, and nothing to commit or stash.
    let (sandbox, path) = start(&[]);
    sandbox.git_in(&path, ["switch", "-q", "--detach"]);
    sandbox.git_in(&path, ["commit", "-q", "--allow-empty", "-m", "experiment"]);
    let experiment = sandbox.git_in(&path, ["rev-parse", "HEAD"]);
    assert!(doctor(&sandbox, &[]).stdout.contains("git branch NAME"));
    sandbox.git_in(&path, ["branch", "kept"]);
    way(&sandbox, "git switch login");
    assert_eq!(sandbox.git(["rev-parse", "kept"]), experiment);

    // Its branch is gone.
    let (sandbox, path) = start(&[]);
    sandbox.git_in(&path, ["switch", "-q", "--detach"]);
    sandbox.git(["branch", "-q", "-D", "login"]);
    way(&sandbox, "git switch -c login");
    let (sandbox, _) = start(&[]);
    bypass(&sandbox, &["switch", "-q", "-c", "other"]);
    sandbox.git(["branch", "-q", "-D", "login"]);
    way(&sandbox, "git switch -c login");

    // It never had one.
    let (sandbox, _) = start(&["--detach"]);
    bypass(&sandbox, &["switch", "-q", "-c", "other"]);
    way(&sandbox, "git switch --detach");
}

#[test]
fn a_renamed_branch_and_a_moved_worktree_are_followed_by_any_command() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login", "search"]).ok();
    sandbox.git(["branch", "-m", "login", "sign-in"]);
    sandbox.git(["worktree", "move", "../shop.lanes/search", "../elsewhere"]);
    assert_eq!(codes(&sandbox), ["renamed-branch", "moved-worktree"]);
    let run = sandbox.lane(["start", "third"]);
    assert!(run.stderr.contains("renamed from 'login' to 'sign-in'; its record follows"), "{run}");
    run.ok();
    assert_eq!(sandbox.git(["config", "lane.login.branch"]), "sign-in");
    assert_eq!(sandbox.git(["config", "lane.search.worktree"]), sandbox.root().join("elsewhere").to_str().unwrap());
    assert!(codes(&sandbox).is_empty());
}

#[test]
fn a_switch_to_another_branch_is_no_rename() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    sandbox.git_in(&sandbox.lane_path("login"), ["switch", "-q", "-c", "other"]);
    sandbox.git(["branch", "-D", "login"]);
    sandbox.lane(["start", "third"]).ok();
    assert_eq!(sandbox.git(["config", "lane.login.branch"]), "login");
    assert_eq!(codes(&sandbox), ["stray"]);
}

#[test]
fn worktrees_moved_by_hand_are_found_and_the_whole_repository_too() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login", "gone"]).ok();
    std::fs::rename(sandbox.lane_path("login"), sandbox.lane_path("renamed")).unwrap();
    std::fs::remove_dir_all(sandbox.lane_path("gone")).unwrap();
    assert_eq!(codes(&sandbox), ["found-worktree", "missing-worktree"]);
    let _ = doctor(&sandbox, &["--fix"]).fails(1);
    assert_eq!(sandbox.git_in(&sandbox.lane_path("renamed"), ["status", "--porcelain"]), "");
    assert_eq!(codes(&sandbox), ["missing-worktree"]);

    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    let root = sandbox.root();
    std::fs::create_dir(root.join("new")).unwrap();
    std::fs::rename(&sandbox.repo, root.join("new/shop")).unwrap();
    std::fs::rename(root.join("shop.lanes"), root.join("new/shop.lanes")).unwrap();
    let fixed = sandbox.lane_in(&root.join("new/shop"), ["doctor", "--fix"]).ok();
    assert!(fixed.contains("was moved by hand"), "{fixed}");
    let lane = root.join("new/shop.lanes/login");
    assert_eq!(sandbox.git_in(&lane, ["status", "--porcelain", "--branch"]), "## login");
    assert_eq!(sandbox.lane_in(&root.join("new/shop"), ["path", "login"]).ok().trim_end(), lane.to_str().unwrap());
}

/// What was renamed to what, and where the main worktree is then.
type Moves = (&'static str, &'static [(&'static str, &'static str)], &'static str);

const MOVED: &[Moves] = &[
    ("the repository alone", &[("shop", "store")], "store"),
    ("both, beside each other", &[("shop", "store"), ("shop.lanes", "store.lanes")], "store"),
    ("both, elsewhere", &[("shop", "new/shop"), ("shop.lanes", "new/shop.lanes")], "new/shop"),
    ("the repository alone, elsewhere", &[("shop", "new/shop")], "new/shop"),
    ("the lanes alone", &[("shop.lanes", "store.lanes")], "shop"),
    ("one lane", &[("shop.lanes/x", "shop.lanes/z")], "shop"),
    (
        "the repository, and a lane inside of it",
        &[("shop", "store"), ("store/.worktrees/y", "store/.worktrees/z")],
        "store",
    ),
    ("a directory above both", &[("top", "above")], "above/shop"),
];

#[test]
fn what_was_moved_by_hand_is_hinted_at_and_brought_together_again() {
    for (name, moves, repo) in MOVED {
        let sandbox = Sandbox::new();
        let (root, repo) = (sandbox.root(), sandbox.root().join(repo));
        let first = if moves[0].0 == "top" { root.join("top/shop") } else { sandbox.repo.clone() };
        if first != sandbox.repo {
            std::fs::create_dir(root.join("top")).unwrap();
            std::fs::rename(&sandbox.repo, &first).unwrap();
        }
        std::fs::create_dir(root.join("new")).unwrap();
        sandbox.lane_in(&first, ["start", "x"]).ok();
        sandbox.lane_in(&first, ["start", "y", "--path", ".worktrees/y"]).ok();
        for lane in ["x", "y"] {
            let lane = std::path::PathBuf::from(sandbox.lane_in(&first, ["path", lane]).ok().trim_end());
            write(&lane.join("staged"), "gold\n");
            sandbox.git_in(&lane, ["add", "staged"]);
        }
        for (from, to) in *moves {
            std::fs::rename(root.join(from), root.join(to)).unwrap();
        }
        // The hint is there as long as it helps.
        let hint = "git lane doctor --fix";
        let is_lost = |lane: &str| {
            let shown = sandbox.lane_in(&repo, ["show", lane]);
            let lost = shown.stdout.contains("missing") || shown.stdout.contains("damaged");
            assert_eq!(shown.stderr.contains(hint), lost, "{name}: {shown}");
            lost
        };
        assert!(is_lost("x") | is_lost("y"), "{name}");
        let listed = sandbox.lane_in(&repo, ["list"]);
        assert!(listed.stderr.contains(hint), "{name}: {listed}");
        let fixed = sandbox.lane_in(&repo, ["doctor", "--fix"]).ok();
        assert!(!is_lost("x") && !is_lost("y"), "{name}: {fixed}");
        assert_eq!(sandbox.lane_in(&repo, ["list"]).stderr, "", "{name}");
        for lane in ["x", "y"] {
            let path = std::path::PathBuf::from(sandbox.lane_in(&repo, ["path", lane]).ok().trim_end());
            let status = sandbox.git_in(&path, ["status", "--porcelain", "--branch"]);
            assert_eq!(status, format!("## {lane}\nA  staged"), "{name}");
            sandbox.lane_in(&repo, ["drop", "--yes", "--force", lane]).ok();
            sandbox.lane_in(&repo, ["restore", "--path", path.to_str().unwrap(), lane]).ok();
        }
        assert_eq!(sandbox.lane_in(&repo, ["doctor"]).code, 0, "{name}");
    }
}

#[test]
fn what_is_gone_is_hinted_at_nowhere() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "x"]).ok();
    std::fs::remove_dir_all(sandbox.lane_path("x")).unwrap();
    for args in [&["list"][..], &["show", "x"]] {
        let run = sandbox.lane(args);
        assert!(run.stdout.contains("missing") && run.stderr.is_empty(), "{run}");
    }
    // A lane whose repository is gone says where that was.
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "x"]).ok();
    std::fs::rename(&sandbox.repo, sandbox.root().join("store")).unwrap();
    let said = sandbox.lane_in(&sandbox.lane_path("x"), ["list"]).fails(4);
    assert!(said.contains("shop/.git/worktrees/x'") && said.contains("in its new place"), "{said}");
}

#[test]
fn a_half_made_worktree_that_plain_git_dies_of_is_put_aside() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    let admin = sandbox.repo.join(".git/worktrees/poison");
    write(&admin.join("gitdir"), format!("{}/.git\n", sandbox.root().join("poison").display()));
    write(&admin.join("commondir"), "");
    write(&admin.join("HEAD"), "ref: refs/heads/poison\n");
    sandbox.git_fails(["branch", "--list"]);
    assert_eq!(codes(&sandbox), ["unfinished-worktree"]);
    // Somebody may be making it this very second.
    let _ = doctor(&sandbox, &["--fix"]).fails(1);
    assert!(admin.exists());
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
    for path in [admin.join("gitdir"), admin.join("commondir"), admin.join("HEAD"), admin.clone()] {
        std::fs::File::open(path).unwrap().set_times(std::fs::FileTimes::new().set_modified(old)).unwrap();
    }
    doctor(&sandbox, &["--fix"]).ok();
    sandbox.git(["branch", "--list"]);
    sandbox.git(["fsck"]);
    assert_eq!(sandbox.git_in(&sandbox.lane_path("login"), ["status", "--porcelain"]), "");
}

/// Every finding of a repository that is fixable is fixed by the first `--fix`; the second finds and changes nothing.
#[track_caller]
fn assert_fixed_for_good(sandbox: &Sandbox) {
    doctor(sandbox, &["--fix"]).ok();
    let fixed = sandbox.fingerprint();
    assert!(doctor(sandbox, &["--fix"]).ok().contains("everything is as it should be"));
    assert_eq!(sandbox.fingerprint(), fixed);
}

/// What is for its owner to decide stays, however often somebody asks.
#[track_caller]
fn assert_left_alone(sandbox: &Sandbox, codes_before: &[&str]) {
    assert_eq!(codes(sandbox), codes_before);
    let before = sandbox.fingerprint();
    for _ in 0..2 {
        let run = doctor(sandbox, &["--fix"]);
        assert!(run.stdout.lines().any(|line| line.starts_with("  ")), "nothing says what to do: {run}");
        let _ = run.fails(1);
        assert_eq!(sandbox.fingerprint(), before);
        assert_eq!(codes(sandbox), codes_before);
    }
}

#[test]
fn every_fix_is_for_good() {
    type Break = fn(&Sandbox);
    let git_dir = |sandbox: &Sandbox| sandbox.repo.join(".git");
    let breaks: [(&str, Break); 9] = [
        ("stray", |sandbox| {
            sandbox.git_in(&sandbox.lane_path("login"), ["switch", "-q", "-c", "other"]);
        }),
        ("checked-out-twice", |sandbox| {
            sandbox.git(["worktree", "add", "-q", "-f", "--no-checkout", "../again", "login"]);
        }),
        ("renamed-branch", |sandbox| {
            sandbox.git(["branch", "-m", "login", "sign-in"]);
        }),
        ("moved-worktree", |sandbox| {
            sandbox.git(["worktree", "move", "../shop.lanes/login", "../elsewhere"]);
        }),
        ("found-worktree", |sandbox| {
            std::fs::rename(sandbox.lane_path("login"), sandbox.lane_path("renamed")).unwrap();
        }),
        ("core-bare", |sandbox| {
            sandbox.git(["config", "core.bare", "true"]);
        }),
        ("core-worktree", |sandbox| {
            sandbox.git(["config", "core.worktree", sandbox.lane_path("login").to_str().unwrap()]);
        }),
        ("lock", |sandbox| {
            let witness = sandbox.repo.join(".git/lane/locks/dead");
            write(&witness, "");
            std::fs::hard_link(&witness, sandbox.repo.join(".git/worktrees/login/index.lock")).unwrap();
        }),
        ("not-in-force", |sandbox| {
            sandbox.lane(["init", "--files"]).ok();
            std::fs::remove_file(sandbox.repo.join(".git/hooks/pre-commit")).unwrap();
            let section = ["config", "--remove-section", "hook.git-lane-pre-commit"];
            drop(sandbox.run(sandbox.command("git").args(section)));
        }),
    ];
    for (code, broken) in breaks {
        let sandbox = Sandbox::new();
        sandbox.lane(["start", "login"]).ok();
        let index = std::fs::read(git_dir(&sandbox).join("worktrees/login/index")).unwrap();
        broken(&sandbox);
        assert_eq!(codes(&sandbox), [code]);
        let told = doctor(&sandbox, &[]);
        assert!(told.stdout.contains("fixable: ") && told.stderr.contains("git lane doctor --fix"), "{told}");
        let _ = told.fails(1);
        assert_fixed_for_good(&sandbox);
        // Whatever it was, the lane is whole: on its branch, clean, with its index.
        let path = sandbox.lane(["path", "login"]).ok();
        let lane = std::path::Path::new(path.trim_end());
        assert_eq!(sandbox.git_in(lane, ["status", "--porcelain"]), "", "{code}");
        assert!(!index.is_empty() && !sandbox.git_in(lane, ["branch", "--show-current"]).is_empty(), "{code}");
    }
}

#[test]
fn what_only_its_owner_can_decide_is_told_and_left() {
    let lane = || {
        let sandbox = Sandbox::new();
        sandbox.lane(["start", "login"]).ok();
        sandbox
    };
    // The main worktree has a lane's branch: who works there says where it goes.
    let sandbox = lane();
    sandbox.git(["switch", "-q", "--ignore-other-worktrees", "login"]);
    assert_left_alone(&sandbox, &["checked-out-twice"]);
    // A branch moved and a branch deleted behind the lane's back.
    let sandbox = lane();
    sandbox.write("new", "new");
    sandbox.commit("second");
    sandbox.git(["update-ref", "refs/heads/login", "main"]);
    assert_left_alone(&sandbox, &["overtaken"]);
    let (_, hint) = doctor(&sandbox, &[])
        .stdout
        .split_once("git reset --soft ")
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    sandbox.git_in(&sandbox.lane_path("login"), ["reset", "-q", "--soft", hint.split(';').next().unwrap()]);
    assert!(codes(&sandbox).is_empty());
    assert_eq!(sandbox.git_in(&sandbox.lane_path("login"), ["status", "--porcelain"]), "");
    let sandbox = lane();
    let tip = sandbox.git(["rev-parse", "login"]);
    sandbox.git(["update-ref", "-d", "refs/heads/login"]);
    assert_left_alone(&sandbox, &["overtaken"]);
    sandbox.git(["update-ref", "refs/heads/login", &tip]);
    assert!(codes(&sandbox).is_empty());
    // A hooks directory that is not there: git runs no hook file at all.
    let sandbox = lane();
    sandbox.git(["config", "core.hooksPath", "/nowhere/at/all"]);
    assert_left_alone(&sandbox, &["hooks-path"]);
    sandbox.git(["config", "--unset", "core.hooksPath"]);
    assert!(codes(&sandbox).is_empty());
    // A directory that is gone.
    let sandbox = lane();
    std::fs::remove_dir_all(sandbox.lane_path("login")).unwrap();
    assert_left_alone(&sandbox, &["missing-worktree"]);
    // A lock nobody can be asked about.
    let sandbox = lane();
    let lock = sandbox.repo.join(".git/index.lock");
    write(&lock, "");
    age(&lock);
    assert_eq!(codes(&sandbox), ["lock"]);
    for _ in 0..2 {
        let _ = doctor(&sandbox, &["--fix"]).fails(1);
        assert!(lock.exists());
    }
}

/// husky sets `core.hooksPath` after `git lane init --files`: git does not look at our files any more.
#[test]
fn hooks_that_somebody_outranked_are_reported_with_who_did_it() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    sandbox.lane(["init", "--files"]).ok();
    for event in ["post-checkout", "pre-commit", "pre-merge-commit", "pre-rebase"] {
        let section = format!("hook.git-lane-{event}");
        drop(sandbox.run(sandbox.command("git").args(["config", "--remove-section", &section])));
    }
    assert!(codes(&sandbox).is_empty());
    write(&sandbox.repo.join(".husky/_/pre-commit"), "#!/bin/sh\n");
    sandbox.git(["config", "core.hooksPath", ".husky/_"]);
    assert_eq!(codes(&sandbox), ["not-in-force"]);
    let told = doctor(&sandbox, &[]);
    assert!(told.stdout.contains("core.hooksPath = .husky/_"), "{told}");
    let _ = told.fails(1);
    if crate::sandbox::git_version() >= (2, 54) {
        assert_fixed_for_good(&sandbox);
    } else {
        let before = sandbox.fingerprint();
        for _ in 0..2 {
            let run = doctor(&sandbox, &["--fix"]);
            assert!(run.stdout.contains("does not write"), "{run}");
            let _ = run.fails(1);
            assert_eq!(sandbox.fingerprint(), before);
        }
    }
}

/// What a `git worktree add -b` leaves that was killed while it made the worktree.
#[test]
fn the_branch_of_a_half_made_worktree_is_an_orphan_before_and_after_the_worktree_is_put_aside() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    sandbox.git(["branch", "team/half"]);
    sandbox.git(["branch", "used"]);
    assert!(codes(&sandbox).is_empty(), "a branch nobody has used yet is no orphan");
    let admin = sandbox.repo.join(".git/worktrees/other");
    write(&admin.join("HEAD"), "ref: refs/heads/team/half\n");
    write(&admin.join("commondir"), "../..\n");
    assert_eq!(codes(&sandbox), ["unfinished-worktree", "orphan-branch"]);
    for path in [admin.join("HEAD"), admin.join("commondir"), admin.clone()] {
        age(&path);
    }
    let _ = doctor(&sandbox, &["--fix"]).fails(1);
    assert!(!admin.exists());
    assert_left_alone(&sandbox, &["orphan-branch"]);
    sandbox.git(["branch", "-d", "team/half"]);
    assert!(codes(&sandbox).is_empty());
}

/// Whatever the branch is called, whatever the policy makes of names, and whatever is checked out.
#[test]
fn what_the_hint_says_of_an_orphan_branch_works() {
    for policy in ["", "[start]\nbranch = '{owner}/{name}'\n"] {
        for (name, only_here) in [("half", false), ("tester/half", false), ("x;touch${IFS}PWN", false), ("half", true)]
        {
            for delete in [true, false] {
                let sandbox = Sandbox::new();
                write(&sandbox.repo.join(".git/lane/lane.toml"), policy);
                let start = match only_here {
                    true => sandbox.git(["commit-tree", "-m", "x", "HEAD^{tree}"]),
                    false => sandbox.git(["rev-parse", "HEAD"]),
                };
                sandbox.git(["switch", "-q", "--orphan", "unrelated"]);
                sandbox.git(["commit", "-q", "--allow-empty", "-m", "unrelated"]);
                let log = format!(
                    "0000000000000000000000000000000000000000 {start} x <x@x> 0 +0000\tbranch: Created from main\n"
                );
                sandbox.git(["update-ref", "-m", "branch: Created from main", &format!("refs/heads/{name}"), &start]);
                write(&sandbox.repo.join(".git/logs/refs/heads").join(name), log);
                let admin = sandbox.repo.join(".git/worktrees/other");
                write(&admin.join("HEAD"), format!("ref: refs/heads/{name}\n"));
                write(&admin.join("commondir"), "../..\n");
                assert!(doctor(&sandbox, &[]).stdout.contains("look again in a minute"));
                age_all(&admin);
                let told = doctor(&sandbox, &["--fix"]).stdout;
                let hint = told.lines().skip_while(|line| !line.contains("never used")).nth(1).unwrap().trim_start();
                assert_eq!(hint.contains("delete it"), !only_here, "{told}");
                let (first, second) = hint.split_once("; or ").unwrap_or(("", hint));
                let Some((_, command)) = (if delete { first } else { second }).split_once(": ") else { continue };
                sandbox.run(sandbox.command("sh").args(["-c", command])).ok();
                assert!(codes(&sandbox).is_empty(), "{told}");
                assert!(!sandbox.repo.join("PWN").exists());
                let branches = sandbox.git(["for-each-ref", "--format=%(refname:short)", "refs/heads"]);
                assert_eq!(branches.lines().any(|branch| branch == name), !delete, "{told}");
            }
        }
    }
}

/// Everything in a directory, and the directory itself, as if nobody had written to it for an hour.
pub fn age_all(directory: &std::path::Path) {
    for entry in std::fs::read_dir(directory).unwrap().flatten() {
        match entry.path().is_dir() {
            true => age_all(&entry.path()),
            false => age(&entry.path()),
        }
    }
    age(directory);
}

/// Index, logs and HEAD of a living worktree are somebody's work: its admin directory is mended where it is.
#[test]
fn a_living_worktree_that_git_was_cut_off_from_is_mended_in_place() {
    type Break = fn(&std::path::Path);
    let breaks: [(&str, Break); 6] = [
        ("empty commondir", |admin| write(&admin.join("commondir"), "")),
        ("foreign commondir", |admin| write(&admin.join("commondir"), "/nowhere\n")),
        ("no gitdir", |admin| std::fs::remove_file(admin.join("gitdir")).unwrap()),
        ("empty HEAD", |admin| write(&admin.join("HEAD"), "")),
        ("garbage HEAD", |admin| write(&admin.join("HEAD"), "garbage\n")),
        ("all of them", |admin| {
            ["commondir", "gitdir", "HEAD"].map(|name| write(&admin.join(name), "")).into_iter().collect()
        }),
    ];
    for (what, broken) in breaks {
        for lane in [true, false] {
            let sandbox = Sandbox::new();
            let path = sandbox.lane_path("login");
            match lane {
                true => drop(sandbox.lane(["start", "login"]).ok()),
                false => drop(sandbox.git(["worktree", "add", "-q", "-b", "login", path.to_str().unwrap()])),
            }
            write(&path.join("staged"), "staged");
            sandbox.git_in(&path, ["add", "staged"]);
            let admin = sandbox.repo.join(".git/worktrees/login");
            let status = sandbox.git_in(&path, ["status", "--porcelain", "--branch"]);
            broken(&admin);
            assert_eq!(codes(&sandbox), ["poisoned-worktree"], "{what}");
            let told = doctor(&sandbox, &["--fix"]);
            assert!(told.stdout.contains("look again in a minute"), "somebody may be at it: {told}");
            let _ = told.fails(1);
            age_all(&admin);
            let told = doctor(&sandbox, &["--fix"]);
            if !lane && (what.ends_with("HEAD") || what == "all of them") {
                // Neither a record nor a log says which branch it was on: HEAD names the commit.
                assert!(told.stdout.contains("fixed: the worktree '"), "{told}");
                told.ok();
                assert_eq!(sandbox.git_in(&path, ["diff", "--cached", "--name-only"]), "staged", "{what}");
                continue;
            }
            assert!(
                told.stdout.contains(if lane {
                    "fixed: the worktree of lane 'login'"
                } else {
                    "fixed: the worktree '"
                }),
                "{told}"
            );
            told.ok();
            assert_eq!(sandbox.git_in(&path, ["status", "--porcelain", "--branch"]), status, "{what}");
            assert!(codes(&sandbox).is_empty(), "{what}");
            assert!(
                !sandbox.repo.join(".git/lane/damaged").exists()
                    || what.contains("foreign")
                    || what.contains("garbage")
            );
            sandbox.git(["fsck"]);
        }
    }
}

#[test]
fn a_lost_head_is_where_its_log_says() {
    let lost = |prepare: &dyn Fn(&Sandbox, &std::path::Path)| {
        let sandbox = Sandbox::new();
        sandbox.lane(["start", "login"]).ok();
        let path = sandbox.lane_path("login");
        prepare(&sandbox, &path);
        let head = |sandbox: &Sandbox| {
            let run = sandbox.run(sandbox.command("git").current_dir(&path).args(["symbolic-ref", "-q", "HEAD"]));
            (run.stdout, sandbox.git_in(&path, ["rev-parse", "HEAD"]), sandbox.git_in(&path, ["status", "--porcelain"]))
        };
        let before = head(&sandbox);
        let admin = sandbox.repo.join(".git/worktrees/login");
        write(&admin.join("HEAD"), "");
        age_all(&admin);
        let _ = doctor(&sandbox, &["--fix"]);
        assert_eq!(head(&sandbox), before);
    };
    lost(&|sandbox, path| drop(sandbox.git_in(path, ["switch", "-q", "-c", "other"])));
    lost(&|sandbox, path| drop(sandbox.git_in(path, ["switch", "-q", "--detach"])));
    lost(&|sandbox, _| drop(sandbox.work("login", "x", "x")));
    // `git checkout --detach main` is logged like a switch to main, which is where it was, and then is not.
    for commits in [false, true] {
        lost(&|sandbox, path| {
            sandbox.git_in(path, ["checkout", "-q", "--detach", "main"]);
            if commits {
                sandbox.git_in(path, ["commit", "-q", "--allow-empty", "-m", "experiment"]);
            }
            write(&path.join("staged"), "staged");
            sandbox.git_in(path, ["add", "staged"]);
        });
    }
    // A free branch of that name takes nobody's work either.
    lost(&|sandbox, path| {
        sandbox.git(["branch", "free"]);
        sandbox.git_in(path, ["checkout", "-q", "--detach", "free"]);
        sandbox.git_in(path, ["commit", "-q", "--allow-empty", "-m", "experiment"]);
    });
    lost(&|sandbox, path| {
        sandbox.work("login", "README", "lane");
        sandbox.git(["switch", "-q", "-c", "up"]);
        sandbox.write("README", "main");
        sandbox.commit("up");
        let rebase = sandbox.run(sandbox.command("git").current_dir(path).args(["rebase", "-q", "up"]));
        assert_ne!(rebase.code, 0, "{rebase}");
    });
}

/// What older versions put aside of a living lane comes back; what is nowhere is said.
#[test]
fn a_living_lane_without_its_admin_directory_is_brought_back_or_told() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    let (path, admin) = (sandbox.lane_path("login"), sandbox.repo.join(".git/worktrees/login"));
    write(&path.join("staged"), "staged");
    sandbox.git_in(&path, ["add", "staged"]);
    write(&admin.join("commondir"), "");
    let kept = sandbox.repo.join(".git/lane/damaged/0123");
    std::fs::create_dir_all(kept.parent().unwrap()).unwrap();
    std::fs::rename(&admin, &kept).unwrap();
    assert_eq!(codes(&sandbox), ["put-aside"]);
    doctor(&sandbox, &["--fix"]).ok();
    assert_eq!(sandbox.git_in(&path, ["status", "--porcelain", "--branch"]), "## login\nA  staged");
    assert!(codes(&sandbox).is_empty());

    std::fs::remove_dir_all(&admin).unwrap();
    write(&path.join(".git"), "gitdir: /nowhere/.git/worktrees/login\n");
    assert_left_alone(&sandbox, &["unlisted-worktree"]);
}

#[test]
fn what_was_put_aside_says_where_it_is_and_comes_back_by_the_command_shown() {
    let sandbox = Sandbox::new();
    let admin = sandbox.repo.join(".git/worktrees/poison");
    write(&admin.join("HEAD"), "ref: refs/heads/poison\n");
    age_all(&admin);
    let told = doctor(&sandbox, &["--fix"]).ok();
    let way = told.lines().find_map(|line| line.split_once("to have it back: ")).unwrap().1;
    assert!(!admin.exists());
    sandbox.run(sandbox.command("sh").args(["-c", way])).ok();
    assert_eq!(std::fs::read(admin.join("HEAD")).unwrap(), b"ref: refs/heads/poison\n");
}

/// `git worktree repair` in a copy would take the worktrees away from the original.
#[test]
fn a_copy_of_a_repository_leaves_the_originals_worktrees_alone() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    sandbox.git(["worktree", "add", "-q", "../other"]);
    let copy = sandbox.root().join("copy");
    sandbox.run(sandbox.command("cp").args(["-a", ".", "../copy"])).ok();
    let before = sandbox.fingerprint();
    let told = sandbox.lane_in(&copy, ["doctor", "--fix"]);
    assert!(!told.stdout.contains("repair") && !told.stderr.contains("repair"), "{told}");
    assert_eq!(told.stdout.matches("of which this one is a copy").count(), 2, "{told}");
    let drop = sandbox.lane_in(&copy, ["drop", "--force", "login"]);
    assert!(!drop.stderr.contains("repair"), "{drop}");
    let _ = drop.fails(1);
    assert_eq!(sandbox.fingerprint(), before);
    for line in told.stdout.lines().filter_map(|line| line.split_once("to forget it here: ")) {
        sandbox.run(sandbox.command("sh").current_dir(&copy).args(["-c", line.1])).ok();
    }
    let _ = told.fails(1);
    assert!(sandbox.lane_in(&copy, ["doctor"]).ok().contains("everything is as it should be"));
    assert!(codes(&sandbox).is_empty());
}

#[test]
fn a_working_tree_that_is_elsewhere_on_purpose_stays_there() {
    let sandbox = Sandbox::new();
    let (tree, git_dir) = (sandbox.root().join("tree"), sandbox.root().join("store/.git"));
    std::fs::create_dir_all(&tree).unwrap();
    let init = ["init", "-q", "-b", "main", "--separate-git-dir", git_dir.to_str().unwrap(), tree.to_str().unwrap()];
    std::fs::create_dir_all(git_dir.parent().unwrap()).unwrap();
    sandbox.git(init);
    write(&tree.join("file"), "file");
    sandbox.git_in(&tree, ["add", "file"]);
    sandbox.git_in(&tree, ["commit", "-q", "-m", "first"]);
    sandbox.git_in(&tree, ["config", "core.worktree", tree.to_str().unwrap()]);
    sandbox.lane_in(&tree, ["doctor", "--fix"]).ok();
    assert_eq!(sandbox.git_in(&tree, ["config", "core.worktree"]), tree.to_str().unwrap());
    // Where nothing tells, its owner does.
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.root().join("empty")).unwrap();
    sandbox.git(["config", "core.worktree", "../../empty"]);
    assert_left_alone(&sandbox, &["core-worktree"]);
}

#[test]
fn a_working_tree_that_is_nowhere_is_found_again() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    for directory in [sandbox.repo.clone(), sandbox.lane_path("login")] {
        sandbox.git(["config", "core.worktree", "../../elsewhere"]);
        // Every other command says so.
        let said = sandbox.lane_in(&directory, ["list"]).fails(4);
        assert!(said.contains("core.worktree leads to '") && said.contains("which is not there"), "{said}");
        assert!(said.contains("git --work-tree=. config --unset core.worktree") && !said.contains("owned"), "{said}");
        let told = sandbox.lane_in(&directory, ["doctor"]);
        assert!(told.stdout.contains("fixable: core.worktree leads to '") && told.code == 1, "{told}");
        assert!(sandbox.lane_in(&directory, ["doctor", "--fix"]).ok().contains("fixed: core.worktree leads to '"));
        assert!(codes(&sandbox).is_empty());
        assert_eq!(sandbox.git(["rev-parse", "--show-toplevel"]), sandbox.repo.to_str().unwrap());
    }
    // Where nothing tracked is around .git, nothing tells that the working tree was there.
    sandbox.git(["rm", "-q", "-r", "--cached", "."]);
    sandbox.git(["config", "core.worktree", "../../elsewhere"]);
    let said = doctor(&sandbox, &["--fix"]).fails(4);
    let remedy = said.trim_end().rsplit_once(": ").unwrap().1.to_owned();
    sandbox.run(sandbox.command("sh").args(["-c", &remedy])).ok();
    assert!(codes(&sandbox).is_empty());
}

/// Branch and worktree are there, the section is not: the event log knows what was in it.
#[test]
fn a_lost_record_is_found_and_written_again() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login", "--base", "main", "--owner", "tester"]).ok();
    sandbox.lane(["start", "kept", "ended", "renamed"]).ok();
    sandbox.work("login", "file", "work");
    sandbox.git_in(&sandbox.lane_path("renamed"), ["branch", "-q", "-m", "called/otherwise"]);
    let record = |name: &str| sandbox.git(["config", "--get-regexp", &format!("^lane\\.{name}\\.")]);
    let before = record("login");
    // One that was dropped has no record for a good reason, whoever makes its like again.
    sandbox.lane(["drop", "ended"]).ok();
    sandbox.git(["worktree", "add", "-q", "-b", "ended", sandbox.lane_path("ended").to_str().unwrap()]);
    assert!(codes(&sandbox).iter().all(|code| code == "renamed-branch"));
    for name in ["login", "renamed"] {
        sandbox.git(["config", "--remove-section", &format!("lane.{name}")]);
    }
    assert_eq!(codes(&sandbox), ["lost-record", "lost-record"]);
    let told = doctor(&sandbox, &[]);
    let path = sandbox.lane_path("login");
    let text = format!("fixable: lane 'login' has lost its record; its worktree is '{}'", path.display());
    assert!(told.stdout.contains(&text), "{told}");
    doctor(&sandbox, &["--fix"]).ok();
    assert!(codes(&sandbox).is_empty());
    let without_time = |record: &str| {
        let lines = record.lines().filter(|line| !line.contains(".created "));
        lines.map(str::to_owned).collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(without_time(&record("login")), without_time(&before));
    assert!(record("renamed").contains("lane.renamed.branch called/otherwise"));
    sandbox.lane(["finish", "login"]).ok();
    assert!(sandbox.git(["log", "--format=%s"]).contains("login: file"));
}

/// Two worktrees could be the lane's: nobody guesses.
#[test]
fn a_lost_record_that_could_be_anybodys_is_left_alone() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    sandbox.git_in(&sandbox.lane_path("login"), ["switch", "-q", "-c", "other"]);
    sandbox.git(["worktree", "add", "-q", "../again", "login"]);
    sandbox.git(["config", "--remove-section", "lane.login"]);
    assert!(codes(&sandbox).is_empty());
}

/// Somebody has taken the record out and made the like of the lane by hand, or under another name: that one is theirs.
#[test]
fn a_lost_record_is_not_written_for_what_was_made_again_by_hand() {
    for again in [
        "git worktree remove -f ../shop.lanes/login && git worktree add -q ../shop.lanes/login login",
        "git worktree remove -f ../shop.lanes/login && git branch -D login && git worktree add -q -b login ../elsewhere",
        "git worktree remove -f ../shop.lanes/login && git worktree add -q -b other ../elsewhere/login",
        "git -C ../shop.lanes/login switch -q -c other",
        // A record of another lane has it, even one that cannot be used yet.
        "git config lane.second.branch login",
        "git config lane.second.worktree \"$(cd .. && pwd)/shop.lanes/login\"",
        "git worktree remove -f ../shop.lanes/login && git lane start login",
    ] {
        for reftable in [false, true] {
            if reftable && crate::sandbox::git_version() < (2, 45) {
                continue;
            }
            let sandbox = Sandbox::empty();
            let format: &[&str] = if reftable { &["--ref-format=reftable"] } else { &[] };
            sandbox.git([&["init", "-q", "-b", "main"], format].concat());
            sandbox.commit("first");
            sandbox.lane(["start", "login"]).ok();
            sandbox.work("login", "file", "work");
            sandbox.git(["config", "--remove-section", "lane.login"]);
            assert_eq!(codes(&sandbox), ["lost-record"]);
            sandbox.run(sandbox.command("sh").args(["-c", again])).ok();
            let config = || sandbox.git(["config", "--local", "--list"]);
            let before = config();
            drop(doctor(&sandbox, &["--fix"]));
            assert!(!codes(&sandbox).contains(&"lost-record".into()), "{again}");
            assert_eq!(config(), before, "{again}");
        }
    }
}

/// git dies of it at every command; what the hint says makes a new one and touches no file.
#[test]
fn an_index_nobody_can_read_is_made_again_by_what_the_hint_says() {
    for (name, damage) in [("login", &b"garbage"[..]), ("login", b""), ("main", b"DIRC\0\0\0\x02\0\0\0\x09short")] {
        let sandbox = Sandbox::new();
        sandbox.lane(["start", "login"]).ok();
        let (directory, index) = match name {
            "main" => (sandbox.repo.clone(), sandbox.repo.join(".git/index")),
            _ => (sandbox.lane_path("login"), sandbox.repo.join(".git/worktrees/login/index")),
        };
        write(&directory.join("README"), "edited\n");
        write(&directory.join("new"), "new\n");
        std::fs::write(&index, damage).unwrap();
        assert_eq!(codes(&sandbox), ["damaged-index"], "{damage:?}");
        let told = doctor(&sandbox, &["--fix"]);
        let hint = told.stdout.lines().find(|line| line.contains("read-tree")).unwrap_or_else(|| panic!("{told}"));
        let (_, command) = hint.split_once(": ").unwrap();
        sandbox.run(sandbox.command("sh").args(["-c", command])).ok();
        assert!(codes(&sandbox).is_empty());
        let status = sandbox.git_in(&directory, ["status", "--porcelain"]);
        assert_eq!(status, " M README\n?? new");
        assert!(index.with_extension("damaged").exists());
    }
}

/// What a machine that died left half-written, git reads as if it were whole, and commits the rest as deleted.
#[test]
fn an_index_that_ends_too_early_is_not_taken_for_a_whole_one() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    let index = sandbox.repo.join(".git/worktrees/login/index");
    let whole = std::fs::read(&index).unwrap();
    for length in [0, 12, 90, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&index, &whole[..length]).unwrap();
        assert_eq!(codes(&sandbox), ["damaged-index"], "{length} of {}", whole.len());
    }
    std::fs::write(&index, &whole).unwrap();
    assert!(codes(&sandbox).is_empty());
    write(&sandbox.lane_path("login").join("new"), "new\n");
    sandbox.git_in(&sandbox.lane_path("login"), ["-c", "index.skipHash=true", "add", "new"]);
    assert!(codes(&sandbox).is_empty());
}

#[test]
fn the_age_of_a_lock_is_told_in_units_people_use() {
    let sandbox = Sandbox::new();
    let lock = sandbox.repo.join(".git/index.lock");
    let file = std::fs::File::create(&lock).unwrap();
    file.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(93_700)).unwrap();
    let told = doctor(&sandbox, &[]);
    assert!(told.stdout.contains("index.lock' has blocked writers for 1d 2h"), "{told}");
    let _ = told.fails(1);
    // Nobody can tell whose it is.
    let _ = doctor(&sandbox, &["--fix"]).fails(1);
    assert!(lock.exists());
}

/// git repairs the worktree it is told, not the one whose place is claimed.
#[test]
fn an_admin_directory_that_claims_the_place_of_another_lane_is_told_its_own() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login", "search"]).ok();
    let gitdir = sandbox.repo.join(".git/worktrees/login/gitdir");
    write(&gitdir, format!("{}/.git\n", sandbox.lane_path("search").display()));
    assert_eq!(codes(&sandbox), ["damaged-worktree"], "the other lane is well");
    let told = doctor(&sandbox, &["--fix"]);
    let way = told.stdout.lines().find_map(|line| line.split_once("try: ")).unwrap().1.to_owned();
    assert!(way.ends_with("shop.lanes/login"), "{told}");
    let _ = told.fails(1);
    sandbox.run(sandbox.command("sh").args(["-c", &way])).ok();
    assert!(codes(&sandbox).is_empty());
}

#[test]
fn a_lock_beside_a_branch_is_reported() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "team/login"]).ok();
    let lock = sandbox.repo.join(".git/refs/heads/team/login.lock");
    write(&lock, "");
    age(&lock);
    assert_left_alone(&sandbox, &["lock"]);
    std::fs::remove_file(&lock).unwrap();
    let witness = sandbox.repo.join(".git/lane/locks/dead");
    write(&witness, "");
    std::fs::hard_link(&witness, &lock).unwrap();
    assert_eq!(codes(&sandbox), ["lock"]);
    assert_fixed_for_good(&sandbox);
    assert!(!lock.exists());
}

fn age(path: &std::path::Path) {
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
    std::fs::File::open(path).unwrap().set_times(std::fs::FileTimes::new().set_modified(old)).unwrap();
}

#[test]
fn settings_a_leaked_git_dir_leaves_behind_are_undone() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    sandbox.git(["config", "core.bare", "true"]);
    assert_eq!(codes(&sandbox), ["core-bare"]);
    doctor(&sandbox, &["--fix"]).ok();
    assert_eq!(sandbox.git(["status", "--porcelain"]), "");
    sandbox.git(["config", "core.worktree", sandbox.lane_path("login").to_str().unwrap()]);
    assert_eq!(codes(&sandbox), ["core-worktree"]);
    doctor(&sandbox, &["--fix"]).ok();
    assert_eq!(sandbox.git(["rev-parse", "--show-toplevel"]), sandbox.repo.to_str().unwrap());
    sandbox.git(["config", "core.hooksPath", "/nowhere/at/all"]);
    assert_eq!(codes(&sandbox), ["hooks-path"]);
}

#[test]
fn a_lock_is_removed_only_when_its_owner_is_provably_dead() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    let lock = sandbox.repo.join(".git/config.lock");
    write(&lock, "");
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
    std::fs::File::open(&lock).unwrap().set_times(std::fs::FileTimes::new().set_modified(old)).unwrap();
    assert_eq!(codes(&sandbox), ["lock"]);
    let run = doctor(&sandbox, &["--fix"]);
    assert!(run.stdout.contains("has blocked writers for 1h"), "{run}");
    let _ = run.fails(1);
    assert!(lock.exists());
    std::fs::remove_file(&lock).unwrap();
    let witness = sandbox.repo.join(".git/lane/locks/dead");
    write(&witness, "");
    std::fs::hard_link(&witness, &lock).unwrap();
    assert_eq!(codes(&sandbox), ["lock"]);
    doctor(&sandbox, &["--fix"]).ok();
    assert!(!lock.exists() && !witness.exists());
}

#[test]
fn hooks_that_went_missing_are_put_back() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    assert!(codes(&sandbox).is_empty());
    sandbox.lane(["init", "--files"]).ok();
    assert!(codes(&sandbox).is_empty());
    std::fs::remove_file(sandbox.repo.join(".git/hooks/post-checkout")).unwrap();
    for event in ["post-checkout", "pre-commit"] {
        let section = format!("hook.git-lane-{event}");
        drop(sandbox.run(sandbox.command("git").args(["config", "--remove-section", &section])));
    }
    assert_eq!(codes(&sandbox), ["not-in-force"]);
    doctor(&sandbox, &["--fix"]).ok();
    assert!(codes(&sandbox).is_empty());
}

#[test]
fn damaged_records_and_worktrees_are_reported_and_never_touched() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    sandbox.git(["config", "lane.bad.worktree", ".."]);
    write(&sandbox.lane_path("login").join(".git"), "garbage");
    let before = sandbox.fingerprint();
    assert_eq!(codes(&sandbox), ["damaged-record", "damaged-worktree"]);
    let _ = doctor(&sandbox, &["--fix"]).fails(1);
    assert_eq!(sandbox.fingerprint(), before);
}

#[test]
fn a_base_that_was_renamed_is_followed_and_one_in_doubt_is_not() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login", "search"]).ok();
    sandbox.work("login", "file", "x");
    sandbox.git(["branch", "-m", "main", "trunk"]);
    assert_eq!(codes(&sandbox), ["renamed-base", "renamed-base"]);
    // A dry run writes nothing, and foretells what happens once the record has followed.
    let said = sandbox.lane(["finish", "--dry-run", "login"]).ok();
    assert!(said.contains("would land lane 'login' on 'trunk'"), "{said}");
    assert_eq!(sandbox.git(["config", "lane.search.base"]), "refs/heads/main");
    let run = sandbox.lane(["finish", "login"]);
    assert!(run.stderr.contains("the base of lane 'search' was renamed from 'main' to 'trunk'"), "{run}");
    assert!(run.ok().contains("landed lane 'login' on 'trunk'"));
    assert_eq!(sandbox.git(["config", "lane.search.base"]), "refs/heads/trunk");
    assert!(codes(&sandbox).is_empty());

    // Two branches were called trunk once: nobody can tell which of them is meant.
    sandbox.git(["branch", "-m", "trunk", "one"]);
    sandbox.git(["switch", "-q", "-c", "trunk"]);
    sandbox.git(["branch", "-m", "trunk", "two"]);
    sandbox.work("search", "other", "x");
    let said = sandbox.lane(["finish", "search"]).fails(1);
    assert!(said.contains("there is no branch 'trunk'") && !said.contains("git branch trunk"), "{said}");
    assert!(said.contains("git config lane.search.base refs/heads/BRANCH"), "{said}");
}

#[test]
fn a_directory_git_does_not_list_is_not_called_gone() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    let lane = sandbox.lane_path("login");
    std::fs::remove_dir_all(sandbox.admin(&lane)).unwrap();
    write(&lane.join(".git"), "gitdir: /nowhere/.git/worktrees/login\n");
    assert_eq!(codes(&sandbox), ["unlisted-worktree"]);
    let run = doctor(&sandbox, &[]);
    assert!(run.stdout.contains("but git does not list it") && !run.stdout.contains("gone"), "{run}");
    run.fails(1);
}

/// A lane with every kind of change; its directory is away while git prunes, as a disk that is not mounted.
fn pruned_while_away(sandbox: &Sandbox) -> std::path::PathBuf {
    sandbox.lane(["start", "login"]).ok();
    sandbox.work("login", "kept", "kept");
    let path = sandbox.lane_path("login");
    write(&path.join("README"), "edited\n");
    write(&path.join("untracked"), "x");
    write(&path.join("staged"), "x");
    sandbox.git_in(&path, ["add", "staged"]);
    std::fs::remove_file(path.join("src/app.txt")).unwrap();
    let away = sandbox.root().join("away");
    std::fs::rename(&path, &away).unwrap();
    sandbox.git(["worktree", "prune", "--expire=now"]);
    assert!(!sandbox.repo.join(".git/worktrees").exists());
    std::fs::rename(&away, &path).unwrap();
    path
}

#[test]
fn a_worktree_whose_admin_directory_git_lost_gets_a_new_one_and_keeps_every_byte() {
    let sandbox = Sandbox::new();
    let path = pruned_while_away(&sandbox);
    let tip = sandbox.git(["rev-parse", "login"]);
    let before = crate::lanes::listing(&path);
    let refused = sandbox.lane(["finish", "login"]).fails(1);
    assert!(refused.contains("git lane doctor"), "{refused}");
    assert_eq!(codes(&sandbox), ["lost-admin"]);
    let told = doctor(&sandbox, &[]);
    let admin = sandbox.repo.join(".git/worktrees/login");
    let text = format!(
        "fixable: the worktree of lane 'login' at '{}' is cut off: git has lost '{}'",
        path.display(),
        admin.display()
    );
    assert!(told.stdout.contains(&text) && told.stderr.contains("git lane doctor --fix"), "{told}");
    let _ = told.fails(1);
    assert!(!admin.exists());
    let told = doctor(&sandbox, &["--fix"]).ok();
    assert!(told.contains("what was staged has to be staged again"), "{told}");
    assert!(crate::lanes::listing(&path) == before);
    let status = sandbox.git_in(&path, ["--no-optional-locks", "status", "--porcelain", "--branch"]);
    assert_eq!(status, "## login\n M README\n D src/app.txt\n?? staged\n?? untracked");
    assert_eq!(
        sandbox.git_in(&path, ["reflog", "HEAD", "--format=%H %gs"]),
        format!("{tip} lane: started (lane {})", sandbox.git(["config", "lane.login.id"]))
    );
    assert_fixed_for_good(&sandbox);
    sandbox.nothing_left_behind(0);
    sandbox.plain_git_works();
    let names = |directory: &std::path::Path| {
        let entries = std::fs::read_dir(directory).unwrap().flatten();
        entries.map(|entry| entry.file_name()).collect::<std::collections::BTreeSet<_>>()
    };
    sandbox.lane(["start", "like"]).ok();
    let expected = names(&sandbox.repo.join(".git/worktrees/like"));
    assert!(names(&admin).is_subset(&expected), "{:?} {expected:?}", names(&admin));
    sandbox.git_in(&path, ["add", "-A"]);
    sandbox.git_in(&path, ["commit", "-q", "-m", "goes on"]);
    sandbox.lane(["finish", "login"]).ok();
    assert!(sandbox.repo.join("staged").exists() && !sandbox.repo.join("src/app.txt").exists());
}

/// Where anything is in doubt, its owner decides.
#[test]
fn a_lost_admin_directory_is_not_guessed_at() {
    type Doubt = fn(&Sandbox, &std::path::Path);
    let doubts: [(&str, Doubt); 9] = [
        ("its branch is gone", |sandbox, _| drop(sandbox.git(["branch", "-q", "-D", "login"]))),
        ("another repository's", |sandbox, path| {
            let other = sandbox.root().join("other");
            sandbox.git(["init", "-q", other.to_str().unwrap()]);
            write(&path.join(".git"), format!("gitdir: {}/.git/worktrees/login\n", other.display()));
        }),
        ("other files", |_, path| {
            for entry in std::fs::read_dir(path).unwrap().flatten().map(|entry| entry.path()) {
                match entry.is_dir() {
                    true => std::fs::remove_dir_all(entry).unwrap(),
                    false if entry.ends_with(".git") => {}
                    false => std::fs::remove_file(entry).unwrap(),
                }
            }
            write(&path.join("somebody's"), "x");
        }),
        ("a link in its place", |sandbox, path| {
            std::fs::rename(path, sandbox.root().join("moved")).unwrap();
            std::os::unix::fs::symlink(sandbox.root().join("moved"), path).unwrap();
        }),
        ("another lane claims it", |sandbox, path| {
            sandbox.lane(["start", "other"]).ok();
            let other = sandbox.lane_path("other");
            std::fs::remove_dir_all(sandbox.admin(&other)).unwrap();
            std::fs::copy(path.join(".git"), other.join(".git")).unwrap();
        }),
        ("settings of its own", |sandbox, _| drop(sandbox.git(["config", "extensions.worktreeConfig", "true"]))),
        ("what of it was checked out", |sandbox, _| drop(sandbox.git(["config", "core.sparseCheckout", "true"]))),
        ("a submodule's repository went with it", |sandbox, path| {
            let commit = sandbox.git(["rev-parse", "main"]);
            let entry = format!("160000,{commit},sub");
            sandbox.git(["update-index", "--add", "--cacheinfo", &entry]);
            sandbox.git(["commit", "-q", "-m", "sub"]);
            sandbox.git(["branch", "-q", "-f", "login", "main"]);
            let modules = sandbox.repo.join(".git/worktrees/login/modules/sub");
            write(&path.join("sub/.git"), format!("gitdir: {}\n", modules.display()));
        }),
        ("a rebase elsewhere will write to its branch", |sandbox, _| {
            sandbox.git(["worktree", "add", "-q", "--detach", "../again"]);
            let admin = sandbox.repo.join(".git/worktrees/again");
            write(&admin.join("rebase-merge/head-name"), "refs/heads/login\n");
        }),
    ];
    for (what, doubt) in doubts {
        let sandbox = Sandbox::new();
        let path = pruned_while_away(&sandbox);
        doubt(&sandbox, &path);
        let before = (crate::lanes::listing(&path), sandbox.fingerprint());
        for args in [&[][..], &["--fix"]] {
            let told = doctor(&sandbox, args);
            assert!(told.stdout.contains("git does not list it"), "{what}: {told}");
            let _ = told.fails(1);
            assert!((crate::lanes::listing(&path), sandbox.fingerprint()) == before, "{what}");
        }
    }
    // A sparse one would seem to have lost what it never had.
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login", "--sparse", "src"]).ok();
    std::fs::remove_dir_all(sandbox.repo.join(".git/worktrees/login")).unwrap();
    assert_left_alone(&sandbox, &["unlisted-worktree"]);
}

/// `git worktree repair` there would have the other lane move in.
#[test]
fn a_lane_that_has_nothing_but_the_git_file_of_another_one_is_not_to_be_repaired_by_git() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login", "search"]).ok();
    let (login, search) = (sandbox.lane_path("login"), sandbox.lane_path("search"));
    std::fs::remove_dir_all(sandbox.admin(&login)).unwrap();
    std::fs::copy(search.join(".git"), login.join(".git")).unwrap();
    let told = doctor(&sandbox, &[]);
    assert!(told.stdout.contains(&format!("its .git file is that of '{}'", search.display())), "{told}");
    assert!(told.stdout.contains("git lane start login") && !told.stdout.contains("worktree repair"), "{told}");
    let _ = told.fails(1);
    assert_left_alone(&sandbox, &["unlisted-worktree"]);
}

#[test]
fn a_rebuilding_that_was_interrupted_is_made_good_by_the_next_command() {
    for step in 1.. {
        let sandbox = Sandbox::new();
        let path = pruned_while_away(&sandbox);
        let before = crate::lanes::listing(&path);
        let mut dying = sandbox.command("git-lane");
        dying.args(["doctor", "--fix"]).env("GIT_LANE_TEST_DIE_AT", step.to_string());
        let run = sandbox.run(&mut dying);
        assert!(run.code == 137 || run.code == 0, "{run}");
        sandbox.plain_git_works();
        if run.code != 0 {
            // Any command cleans up, and the doctor does the rest.
            let said = sandbox.lane(["start", "other"]);
            assert!(said.stderr.contains("the rebuilding of '") && said.code == 0, "{said}");
            sandbox.nothing_under_way();
            doctor(&sandbox, &["--fix"]).ok();
        }
        assert!(codes(&sandbox).is_empty(), "step {step}");
        assert!(crate::lanes::listing(&path) == before, "step {step}");
        let status = sandbox.git_in(&path, ["status", "--porcelain", "--branch"]);
        assert_eq!(status, "## login\n M README\n D src/app.txt\n?? staged\n?? untracked", "step {step}");
        sandbox.nothing_left_behind(0);
        if run.code == 0 {
            assert!(step > 5, "only {step} steps");
            return;
        }
    }
}

/// The admin directory is written to in several steps; after the first it looks as if somebody were just making it.
#[test]
fn a_mending_that_was_interrupted_is_completed_by_the_next_command() {
    for step in 1.. {
        let sandbox = Sandbox::new();
        sandbox.lane(["start", "login"]).ok();
        let admin = sandbox.repo.join(".git/worktrees/login");
        let index = std::fs::read(admin.join("index")).unwrap();
        write(&admin.join("commondir"), "/nowhere\n");
        write(&admin.join("HEAD"), "garbage\n");
        std::fs::remove_file(admin.join("gitdir")).unwrap();
        age_all(&admin);
        let mut dying = sandbox.command("git-lane");
        dying.args(["doctor", "--fix"]).env("GIT_LANE_TEST_DIE_AT", step.to_string());
        let run = sandbox.run(&mut dying);
        if run.code != 0 {
            assert_eq!(run.code, 137, "{run}");
            doctor(&sandbox, &["--fix"]).ok();
        }
        assert!(codes(&sandbox).is_empty(), "step {step}");
        let path = sandbox.lane_path("login");
        assert_eq!(sandbox.git_in(&path, ["status", "--porcelain", "--branch"]), "## login", "step {step}");
        assert_eq!(std::fs::read(admin.join("index")).unwrap().len(), index.len());
        let kept = std::fs::read_dir(sandbox.repo.join(".git/lane/damaged")).unwrap().flatten();
        let mut kept: Vec<_> = kept.map(|entry| std::fs::read_to_string(entry.path()).unwrap()).collect();
        kept.sort();
        assert_eq!(kept, ["/nowhere\n", "garbage\n"], "step {step}");
        sandbox.nothing_left_behind(0);
        if run.code == 0 {
            assert!(step > 5, "only {step} steps");
            return;
        }
    }
}

#[test]
fn switching_a_stray_back_overwrites_nothing_and_is_a_checkout_to_hooks_and_logs() {
    let sandbox = Sandbox::new();
    sandbox.write("kept", "tracked");
    sandbox.commit("kept");
    sandbox.lane(["start", "login"]).ok();
    let path = sandbox.lane_path("login");
    sandbox.git_in(&path, ["switch", "-q", "-c", "other"]);
    sandbox.git_in(&path, ["rm", "-q", "kept"]);
    write(&path.join(".gitignore"), "kept\n");
    sandbox.git_in(&path, ["add", "."]);
    sandbox.git_in(&path, ["commit", "-q", "-m", "without"]);
    write(&path.join("kept"), "ignored work");
    let told = doctor(&sandbox, &["--fix"]);
    assert!(told.stdout.contains("'kept'") && told.stdout.contains("move them away"), "{told}");
    let _ = told.fails(1);
    assert_eq!(std::fs::read(path.join("kept")).unwrap(), b"ignored work");
    assert_eq!(sandbox.git_in(&path, ["status", "--porcelain", "--branch"]), "## other");
    sandbox.nothing_under_way();

    std::fs::remove_file(path.join("kept")).unwrap();
    let hook = sandbox.repo.join(".git/hooks/post-checkout");
    write(&hook, "#!/bin/sh\necho \"$@\" >>\"$HOME/ran\"\n");
    std::fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let (old, new) = (sandbox.git(["rev-parse", "other"]), sandbox.git(["rev-parse", "login"]));
    doctor(&sandbox, &["--fix"]).ok();
    assert_eq!(std::fs::read(path.join("kept")).unwrap(), b"tracked");
    assert!(!path.join(".gitignore").exists());
    assert_eq!(sandbox.git_in(&path, ["status", "--porcelain", "--branch"]), "## login");
    let ran = std::fs::read_to_string(sandbox.root().join("home/ran")).unwrap();
    assert_eq!(ran, format!("{old} {new} 1\n"));
    assert_eq!(sandbox.git_in(&path, ["reflog", "-1", "--format=%gs"]), "checkout: moving from other to login");
    sandbox.git_in(&path, ["switch", "-q", "-"]);
    assert_eq!(sandbox.git_in(&path, ["branch", "--show-current"]), "other");
}

/// Where HEAD is not a file, git moves it.
#[test]
fn strays_and_second_checkouts_in_a_reftable_are_put_right_too() {
    if crate::sandbox::git_version() < (2, 45) {
        eprintln!("skipped: git {:?} has no reftable", crate::sandbox::git_version());
        return;
    }
    let sandbox = Sandbox::new();
    std::fs::remove_dir_all(sandbox.repo.join(".git")).unwrap();
    sandbox.git(["init", "-q", "-b", "main", "--ref-format=reftable"]);
    sandbox.commit("first");
    sandbox.lane(["start", "login", "twice"]).ok();
    let path = sandbox.lane_path("login");
    sandbox.git_in(&path, ["switch", "-q", "-c", "other"]);
    write(&path.join("new"), "new");
    sandbox.git_in(&path, ["add", "."]);
    sandbox.git_in(&path, ["commit", "-q", "-m", "new"]);
    sandbox.git(["worktree", "add", "-q", "-f", "../again", "twice"]);
    assert_eq!(codes(&sandbox), ["stray", "checked-out-twice"]);
    assert_fixed_for_good(&sandbox);
    assert_eq!(sandbox.git_in(&path, ["status", "--porcelain", "--branch"]), "## login");
    assert_eq!(sandbox.git_in(&sandbox.root().join("again"), ["status", "-sb"]), "## HEAD (no branch)");
    assert_eq!(sandbox.git_in(&path, ["reflog", "-1", "--format=%gs"]), "checkout: moving from other to login");
}

/// What is no JSON says nothing to anybody; it must not keep everybody from working for ever. What it was about may have
/// been a lane on its way back, so nothing leaves the trash for good meanwhile.
#[test]
fn a_damaged_intent_is_set_aside_and_one_of_another_version_is_not() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "gone"]).ok();
    sandbox.lane(["drop", "--yes", "gone"]).ok();
    let intent = sandbox.repo.join(".git/lane/journal/0123456789abcdef012.json");
    write(&intent, "{\"operation\": \"resto");
    let run = sandbox.lane(["start", "login"]);
    let aside = sandbox.repo.join(".git/lane/damaged/0123456789abcdef012.json");
    assert!(run.stderr.contains(aside.to_str().unwrap()) && run.stderr.contains("git lane doctor"), "{run}");
    run.ok();
    assert!(!intent.exists());
    let run = sandbox.lane(["start", "search"]);
    assert_eq!(run.stderr, "", "told once");
    run.ok();
    assert_left_alone(&sandbox, &["damaged-intent"]);
    let waiting = crate::trash::ids(&sandbox);
    crate::trash::age(&sandbox, &waiting[0]);
    sandbox.lane(["trash", "--expire"]).ok();
    assert_eq!(crate::trash::ids(&sandbox), waiting);
    std::fs::remove_file(aside).unwrap();
    sandbox.lane(["trash", "--expire"]).ok();
    assert!(crate::trash::ids(&sandbox).is_empty());
    assert!(codes(&sandbox).is_empty());

    write(&intent, "{\"operation\": \"teleport\"}");
    let told = doctor(&sandbox, &[]);
    assert!(
        told.stdout.contains("a command was interrupted") && told.stdout.contains("this one changes nothing"),
        "{told}"
    );
    assert_eq!(codes(&sandbox), ["newer-intent"]);
    let _ = told.fails(1);
    let run = sandbox.lane(["start", "third"]);
    assert!(run.stderr.contains(intent.to_str().unwrap()) && run.stderr.contains("newer git-lane"), "{run}");
    let _ = run.fails(4);
    assert!(intent.exists());
}
