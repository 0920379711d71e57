//! What breaks the rule: taken back or refused, with HEAD, index, files and every uncommitted edit as before.

use super::levels;
use super::shop::{In, Refs, Shop, possible};
use crate::sandbox::{git_program, git_version};

/// The lowest level that holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    /// Level restore and up.
    Restore,
    /// Level refuse only; what is left behind at level restore is stopped at the next commit.
    Refuse,
    /// Level refuse only: a lane's branch was changed behind its back. At level restore the next commit in this
    /// directory is stopped.
    Behind(&'static str),
    /// Level refuse only, and nothing tells afterwards: git wrote it down in the lane's own log.
    Unnoticed,
    /// No hook sees it; the next commit is stopped at both levels.
    Late,
    /// No hook can.
    Never,
}
use Held::{Behind, Late, Never, Refuse, Restore, Unnoticed};

/// Where, what, who holds it, and a branch that may change all the same.
#[rustfmt::skip]
const ROWS: &[(In, &str, Held, &str)] = &[
    (In::Lane, "git switch other", Restore, ""),
    (In::Lane, "git checkout other", Restore, ""),
    (In::Lane, "git switch -c fresh", Restore, "fresh"),
    (In::Lane, "git checkout -b fresh", Restore, "fresh"),
    (In::Lane, "git checkout -b fresh other", Restore, "fresh"),
    (In::Lane, "git switch -c fresh other", Restore, "fresh"),
    (In::Lane, "git checkout -B other", Restore, "other"),
    (In::Lane, "git switch -C other main", Restore, "other"),
    (In::Lane, "git switch --ignore-other-worktrees two", Restore, ""),
    (In::Lane, "git checkout --ignore-other-worktrees two", Restore, ""),
    (In::Lane, "git checkout --ignore-other-worktrees -B two one", Restore, ""),
    (In::Lane, "cd d && git switch other", Restore, ""),
    (In::Lane, "cd ../.. && git -C shop.lanes/one switch other", Restore, ""),
    (In::Lane, "git --git-dir=../../shop/.git/worktrees/one --work-tree=. switch other", Restore, ""),
    (In::Lane, "GIT_DIR=../../shop/.git/worktrees/one git switch other", Restore, ""),
    (In::CleanLane, "git switch --orphan fresh", Restore, ""),
    (In::Lane, "git checkout --orphan fresh", Restore, ""),
    (In::Lane, "git checkout --orphan fresh other", Restore, ""),
    (In::Lane, "git checkout -q --orphan=fresh other", Restore, ""),
    (In::CleanLane, "git switch --discard-changes other", Restore, ""),
    (In::CleanLane, "git switch --merge other", Restore, ""),
    (In::CleanLane, "git switch --recurse-submodules other", Restore, ""),
    (In::CleanLane, "git rebase main other", Restore, ""),
    (In::CleanLane, "git rebase --apply main other", Restore, ""),
    (In::CleanLane, "git rebase --no-verify main other", Never, ""),
    (In::CleanLane, "git worktree add -f ../again two", Restore, ""),
    (In::Lane, "git symbolic-ref HEAD refs/heads/other", Refuse, ""),
    (In::Lane, "git symbolic-ref HEAD refs/heads/unborn", Refuse, ""),
    (In::Lane, "printf 'option no-deref\\nsymref-update HEAD refs/heads/other\\n' | git update-ref --stdin", Refuse, ""),
    (In::Lane, "echo 'ref: refs/heads/other' >\"$(git rev-parse --git-dir)/HEAD\"", Late, ""),
    (In::Lane, "git rev-parse main >\"$(git rev-parse --git-dir)/HEAD\"", Never, ""),
    (In::Lane, "git update-ref -d refs/heads/two", Behind("../two"), ""),
    (In::Lane, "git update-ref refs/heads/two other", Behind("../two"), ""),
    (In::Lane, "git update-ref worktrees/two/HEAD other", Unnoticed, ""),
    (In::Lane, "printf 'reset refs/heads/two\\nfrom refs/heads/other\\n\\n' | git fast-import --quiet --force", Behind("../two"), ""),
    (In::Lane, "git refs update refs/heads/two other", Behind("../two"), ""),
    (In::Lane, "moves=$(git replay --onto main main~1..two) || exit; [ -z \"$moves\" ] || echo \"$moves\" | git update-ref --stdin", Behind("../two"), ""),
    (In::Lane, "git history fixup main~1", Behind("../two"), ""),
    (In::Main, "git switch --ignore-other-worktrees one", Restore, ""),
    (In::Main, "git checkout --ignore-other-worktrees one", Restore, ""),
    (In::Main, "git checkout --ignore-other-worktrees -B one other", Restore, ""),
    (In::Main, "git switch --ignore-other-worktrees -C one main", Restore, ""),
    (In::Main, "git symbolic-ref HEAD refs/heads/one", Refuse, ""),
    (In::Main, "git worktree add -f ../again one", Restore, ""),
    (In::Main, "git worktree add -f --no-checkout ../again one", Behind("../again"), ""),
    (In::CleanMain, "git checkout -q --detach && git switch --ignore-other-worktrees one; git switch -q main && false", Restore, ""),
    (In::CleanMain, "git symbolic-ref worktrees/one/HEAD refs/heads/other", Late, ""),
    (In::CleanMain, "git update-ref -d refs/heads/one", Behind("../shop.lanes/one"), ""),
    (In::CleanMain, "git update-ref refs/heads/one other", Behind("../shop.lanes/one"), ""),
    (In::CleanMain, "git fetch -q -f -u . other:one", Behind("../shop.lanes/one"), ""),
    (In::CleanMain, "git config receive.denyCurrentBranch ignore && git push -q -f . other:one", Behind("../shop.lanes/one"), ""),
    (In::CleanMain, "git push -q -f . other:one", Never, ""),
];

/// Commands that not every git has.
const NEWER: [&str; 3] = ["git refs update ", "git replay ", "git history fixup "];

/// Whether the git under test has a command: it shows how that is used.
fn is_known(command: &str) -> bool {
    let usage = std::process::Command::new(git_program()).args(command.split_whitespace().skip(1)).arg("-h").output();
    usage.is_ok_and(|usage| String::from_utf8_lossy(&usage.stdout).contains(command.trim_end()))
}

fn every_row(level: &'static str, refs: Refs) {
    let rows = ROWS.iter().filter(|row| NEWER.iter().all(|command| !row.1.contains(command) || is_known(command)));
    super::every_row(level, refs, rows, |row| {
        let problem = std::panic::catch_unwind(|| one_row(level, refs, row)).err()?;
        Some(problem.downcast_ref::<String>().cloned().unwrap_or_default())
    });
}

fn one_row(level: &'static str, refs: Refs, &(place, script, held, may_change): &(In, &str, Held, &str)) {
    let shop = Shop::new(level, refs);
    let directory = shop.at(place);
    let (before, refs_before) = (shop.snapshots(), shop.refs());
    // git itself refuses some of them in some versions; then there is nothing to hold.
    let run = shop.sh(&directory, script);
    let holds = match held {
        Restore => level == "restore" || level == "refuse",
        Refuse | Behind(_) | Unnoticed => level == "refuse",
        Late | Never => false,
    };
    let branches = |refs: &str| {
        let others = refs.lines().filter(|line| !line.starts_with(&format!("refs/heads/{may_change} ")));
        others.map(str::to_owned).collect::<Vec<_>>()
    };
    if holds {
        assert_ne!(run.code, 0, "{run}");
        assert!(run.stderr.contains("error: ") && run.stderr.contains("hint: "), "{run}");
        assert_eq!(shop.snapshots(), before, "{run}");
        assert_eq!(branches(&shop.refs()), branches(&refs_before), "{run}");
    } else if level == "off" {
        assert!(!run.stderr.contains("lane '"), "{run}");
    } else if level == "warn" && held == Restore {
        assert!(run.stderr.contains("warning: ") && run.stderr.contains("hint: "), "{run}");
    }
    let noticed = match held {
        Refuse if level == "restore" => Some(directory.clone()),
        // A worktree's own log of HEAD, which tells, is not a file of its own where refs are a reftable.
        Behind(lane) if level == "restore" && (refs == Refs::Files || lane == "../again") => Some(directory.join(lane)),
        Late if (level == "restore" || level == "refuse") && refs == Refs::Files => {
            Some(if place == In::CleanMain { shop.one.clone() } else { directory.clone() })
        }
        _ => None,
    };
    if let Some(directory) = noticed.filter(|_| run.code == 0) {
        let after = shop.refs();
        let commit = shop.sh(&directory, "git commit -q --allow-empty -m astray");
        assert!(commit.code != 0 && commit.stderr.contains("hint: "), "{run}{commit}");
        assert_eq!(shop.refs(), after, "{run}{commit}");
    }
}

#[test]
fn level_restore_takes_it_back() {
    every_row("restore", Refs::Files);
}

#[test]
fn level_refuse_refuses_it() {
    every_row("refuse", Refs::Files);
}

#[test]
fn levels_warn_and_off_let_it_happen() {
    every_row("warn", Refs::Files);
    every_row("off", Refs::Files);
}

#[test]
fn reftable_is_no_way_round() {
    every_row("restore", Refs::Reftable);
    every_row("refuse", Refs::Reftable);
}

/// HEAD never moves: not even for an instant, so nobody's editor reloads and no build starts over.
#[test]
fn level_refuse_leaves_no_trace_in_the_log() {
    if git_version() < (2, 46) {
        return;
    }
    let shop = Shop::new("refuse", Refs::Files);
    let log = || shop.sandbox.git_in(&shop.one, ["reflog", "HEAD"]);
    let before = log();
    assert_ne!(shop.sh(&shop.one, "git switch other").code, 0);
    assert_eq!(log(), before);
}

/// What is staged may happen to be as in the branch somebody points to; it is nobody's but the user's all the same.
#[test]
fn a_refused_transaction_leaves_what_is_staged_alone() {
    if git_version() < (2, 46) {
        return;
    }
    for (place, script) in [
        (In::CleanLane, "git symbolic-ref HEAD refs/heads/other"),
        (In::CleanLane, "git update-ref refs/heads/two other"),
        (In::CleanMain, "git update-ref refs/heads/one other"),
        (In::CleanMain, "git symbolic-ref HEAD refs/heads/one"),
    ] {
        let shop = Shop::new("refuse", Refs::Files);
        let directory = shop.at(place);
        shop.sh(&directory, "git checkout -q other -- d/x; git checkout -q one -- one").ok();
        let before = shop.snapshots();
        let run = shop.sh(&directory, script);
        assert_ne!(run.code, 0, "{run}");
        assert_eq!(shop.snapshots(), before, "{run}");
    }
}

#[test]
fn every_way_out_is_open() {
    for level in levels() {
        for script in [
            "GIT_LANE_BYPASS=1 git switch -q other",
            "git -c lane.guard=off switch -q other",
            "GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=lane.guard GIT_CONFIG_VALUE_0=off git switch -q other",
        ] {
            let shop = Shop::new(level, Refs::Files);
            let run = shop.sh(&shop.at(In::Lane), script);
            assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run}");
            assert_eq!(shop.snapshot(&shop.one).head, "refs/heads/other\n");
            assert_ne!(shop.sh(&shop.one, "git commit -qm astray").code, 0);
            shop.sh(&shop.one, "git commit -qm astray --no-verify").ok();
        }
    }
}

#[test]
fn the_way_back_is_always_open() {
    for level in levels() {
        let shop = Shop::new(level, Refs::Files);
        let directory = shop.at(In::Lane);
        shop.setup(&directory, "git switch -q other");
        assert_ne!(shop.sh(&directory, "git commit -qm x").code, 0);
        assert_eq!(shop.sh(&directory, "git switch -q one").code, 0);
        assert_eq!(shop.sh(&directory, "git commit -qm x").code, 0);
    }
}

#[test]
fn from_a_detached_head_there_is_one_way_only() {
    for level in levels() {
        let shop = Shop::new(level, Refs::Files);
        let directory = shop.at(In::Lane);
        let before = shop.snapshot(&directory);
        shop.sh(&directory, "git checkout -q --detach").ok();
        assert_ne!(shop.sh(&directory, "git switch other").code, 0);
        if level == "refuse" {
            assert_eq!(shop.snapshot(&directory).head.len(), 41);
        }
        shop.sh(&directory, "git switch -q one").ok();
        assert_eq!(shop.snapshot(&directory), before);
    }
}

/// Who says `git bisect reset other` wants out of the bisection: it is over, and HEAD is where it belongs.
#[test]
fn a_bisection_ends_on_the_lanes_branch() {
    let over = |shop: &Shop, directory: &std::path::Path| {
        let left = "ls \"$(git rev-parse --git-dir)\" | grep BISECT; git for-each-ref refs/bisect";
        assert_eq!(shop.sh(directory, left).ok(), "");
    };
    for refs in [Refs::Files, Refs::Reftable] {
        for level in levels().filter(|level| possible(level, refs)) {
            let shop = Shop::new(level, refs);
            // What is staged, edited and new comes along.
            let directory = shop.at(In::Lane);
            shop.sh(&directory, "git reset -q --hard one~1 && git commit -q --allow-empty -m x").ok();
            shop.sh(&directory, "git commit -q --allow-empty -m y && echo staged >h && git add h && echo more >>g")
                .ok();
            let before = shop.snapshots();
            let run = shop.sh(&directory, "git bisect start HEAD HEAD~2 && git bisect reset other");
            assert!(run.code != 0 && run.stderr.contains("the bisection has ended on the branch that does"), "{run}");
            assert!(run.stderr.contains("git lane start other"), "{run}");
            assert_eq!(shop.snapshots(), before, "{level} {run}");
            over(&shop, &directory);
            // Anywhere else it may end at any commit.
            shop.sh(&directory, "git bisect start HEAD HEAD~2 && git bisect reset HEAD~1 && git switch -q one").ok();
        }
    }
}

#[test]
fn a_bisection_of_the_main_worktree_ends_on_no_lanes_branch() {
    for level in levels() {
        let shop = Shop::new(level, Refs::Files);
        let main = shop.at(In::CleanMain);
        let before = shop.snapshots();
        let run = shop.sh(&main, "git bisect start main main~1 && git bisect reset one");
        assert_ne!(run.code, 0, "{run}");
        drop(shop.sh(&main, "git bisect reset"));
        assert_eq!(shop.snapshots(), before, "{level} {run}");
    }
}

/// The guard takes nobody's word for it: only `git bisect reset` ends a bisection.
#[test]
fn a_switch_in_the_middle_of_a_bisection_leaves_it_alone() {
    for level in levels() {
        let shop = Shop::new(level, Refs::Files);
        let before = shop.snapshots();
        shop.sh(&shop.one, "git bisect start HEAD HEAD~2").ok();
        let bisecting = shop.snapshots();
        assert_ne!(shop.sh(&shop.one, "git switch other; git checkout other").code, 0);
        assert_eq!(shop.snapshots(), bisecting, "{level}");
        shop.sh(&shop.one, "git bisect log && git bisect reset").ok();
        assert_eq!(shop.snapshots(), before, "{level}");
    }
}

#[test]
fn a_rebase_that_somebody_leaves_for_another_branch_can_go_on() {
    for level in levels() {
        let shop = Shop::new(level, Refs::Files);
        let run = shop.sh(&shop.one, "git rebase -q -i --exec false main; git checkout other");
        if level == "restore" {
            assert!(run.code != 0 && run.stderr.contains("lane 'one'"), "{run}");
        } else {
            // While a rebase is in progress HEAD must be free to move.
            drop(shop.sh(&shop.one, "git checkout -q --detach one"));
        }
        shop.sh(&shop.one, "git rebase --abort").ok();
        assert_eq!(shop.snapshot(&shop.one).head, "refs/heads/one\n");
    }
}

/// A veto at the end of a rebase would leave HEAD detached and the rebase impossible to abort.
#[test]
fn a_rebase_under_way_is_never_left_stuck() {
    for level in levels() {
        for backend in ["--merge", "--apply"] {
            let shop = Shop::new(level, Refs::Files);
            shop.sh(&shop.one, &format!("git rebase -q --no-verify {backend} main other")).ok();
            assert!(!shop.sandbox.repo.join(".git/worktrees/one/rebase-merge").exists());
            assert_ne!(shop.sh(&shop.one, "git commit -q --allow-empty -m astray").code, 0);
            shop.sh(&shop.one, "git switch -q one").ok();
        }
    }
}

/// `git stash branch` leaves the lane for a new branch. git stops before it has touched the stash, and the hint leads to
/// where it wanted to go: the branch in a lane of its own, with the stash applied.
#[test]
fn a_stash_branch_is_taken_back_and_the_hint_leads_to_the_same_end() {
    for level in levels() {
        let shop = Shop::new(level, Refs::Files);
        let directory = shop.at(In::Lane);
        shop.sh(&directory, "git stash -q").ok();
        let run = shop.sh(&directory, "git stash branch fresh");
        assert!(run.code != 0 && run.stderr.contains("branch 'fresh' stays, and so does the stash"), "{run}");
        let hint = "git lane start fresh; and there: git stash pop --index";
        assert!(run.stderr.contains(hint), "{run}");
        assert_eq!(shop.snapshot(&directory).head, "refs/heads/one\n");
        shop.sandbox.lane_in(&directory, ["start", "fresh"]).ok();
        let fresh = shop.sandbox.lane_path("fresh");
        shop.sh(&fresh, "git stash pop -q --index").ok();
        assert_eq!(std::fs::read_to_string(fresh.join("g")).unwrap(), "staged\nunstaged\n");
        assert_eq!(shop.sandbox.git_in(&fresh, ["branch", "--show-current"]), "fresh");
        assert_eq!(shop.sandbox.git_in(&fresh, ["diff", "--cached", "--name-only"]), "g");
        assert_eq!(shop.sandbox.git(["stash", "list"]), "");
    }
}

/// A branch that was there a moment earlier was not created by the switch, and the hint does not say so.
#[test]
fn the_hint_is_true_of_a_branch_made_just_before() {
    let shop = Shop::new("restore", Refs::Files);
    let run = shop.sh(&shop.one, "git branch earlier && git switch earlier");
    assert!(run.stderr.contains("hint: branch 'earlier' stays; give it a lane of its own with: "), "{run}");
    assert!(!run.stderr.contains("created") && !run.stderr.contains("stash"), "{run}");
}

/// A hint can be pasted, whatever a branch is called and whatever the policy makes of names: the command it ends with
/// leads to a lane with that very branch.
#[test]
fn a_hint_is_a_command_that_works() {
    const NAMES: &[&str] =
        &["plain", "a/b", "x;touch${IFS}PWN", "it's", "$(id)", "#x", "é", "a\u{202e}b", "tester/fits", "two-2"];
    for level in ["warn", "restore", "refuse"].into_iter().filter(|level| possible(level, Refs::Files)) {
        for (policy, names) in [
            ("", NAMES),
            ("[start]\nbranch = '{owner}/{name}'\n", NAMES),
            ("[start]\nbranch = 'lanes/{name}-x'\n[rule]\nbranch-pattern = ['lanes/*']\n", &NAMES[..3]),
            ("[start]\nbranch = ", &NAMES[..1]),
        ] {
            let shop = Shop::new(level, Refs::Files);
            let file = shop.sandbox.repo.join(".git/lane/lane.toml");
            crate::sandbox::write(&file, policy);
            for name in names {
                shop.sandbox.git(["branch", name]);
                let run = shop.sh(&shop.one, &format!("git switch {}", shlex::try_quote(name).unwrap()));
                if policy.ends_with("= ") {
                    assert!(run.stderr.contains("git lane start plain"), "{run}");
                    continue;
                }
                follow(&shop, &run.stderr, name);
                shop.setup(&shop.one, "git switch -q one");
            }
        }
    }
}

/// The command a hint ends with.
#[track_caller]
fn hinted(said: &str) -> &str {
    let hint = said.lines().find_map(|line| line.strip_prefix("hint: ")).unwrap_or_else(|| panic!("{said}"));
    hint.rsplit_once(": ").unwrap().1
}

/// Runs the command a hint ends with, as a user would; a lane has the branch then.
#[track_caller]
fn follow(shop: &Shop, said: &str, branch: &str) {
    let run = shop.sh(&shop.one, hinted(said));
    assert_eq!(run.code, 0, "{said}{run}");
    let lanes = shop.sandbox.lane(["--json", "list"]).json();
    let lanes = lanes["lanes"].as_array().unwrap().clone();
    let lane = lanes.iter().find(|lane| lane["branch"] == branch).unwrap_or_else(|| panic!("{said}{run}{lanes:?}"));
    assert_eq!(shop.sandbox.git_in(lane["path"].as_str().unwrap().as_ref(), ["branch", "--show-current"]), branch);
    assert!(!shop.one.join("PWN").exists());
}

/// git lets plumbing make branches that no porcelain and no lane can have; the hint gives them another name first.
#[test]
fn a_hint_leads_on_from_a_branch_that_no_lane_can_have() {
    for level in levels() {
        let shop = Shop::new(level, Refs::Files);
        shop.sandbox.git(["branch", "f"]);
        for (name, renamed) in [("-x", "x"), ("-f", "f-2"), ("caf\\351", "caf")] {
            let run = shop.sh(
                &shop.one,
                &format!(
                    "name=$(printf -- '{name}') && git update-ref \"refs/heads/$name\" other && \
                     git switch -q -- \"$name\""
                ),
            );
            follow(&shop, &run.stderr, renamed);
            let tip = |branch: &str| shop.sandbox.git(["rev-parse", branch]);
            assert_eq!(tip(&format!("refs/heads/{renamed}")), tip("refs/heads/other"), "{run}");
        }
    }
}

/// Taken or in use: the hint says where to go, or another name for the lane.
#[test]
fn a_hint_knows_what_is_there_already() {
    for level in levels() {
        let shop = Shop::new(level, Refs::Files);
        let run = shop.sh(&shop.one, "git switch --ignore-other-worktrees main");
        assert!(
            run.stderr.contains(&format!("go where it is checked out with: cd {}", shop.sandbox.repo.display())),
            "{run}"
        );
        // The lane's branch is called otherwise by now, and its old name is somebody else's.
        shop.sh(&shop.two, "git branch -m two second && git commit -q --allow-empty -m x && git branch two main").ok();
        let run = shop.sh(&shop.one, "git switch two");
        follow(&shop, &run.stderr, "two");
    }
}

/// A branch that a refused switch has reset is put back by what the hint says.
#[test]
fn a_hint_puts_a_reset_branch_back() {
    for level in levels() {
        for name in ["other", "x;touch${IFS}PWN"] {
            let shop = Shop::new(level, Refs::Files);
            let quoted = shlex::try_quote(name).unwrap();
            drop(shop.sh(&shop.one, &format!("git branch {quoted} other")));
            let before = shop.refs();
            let run = shop.sh(&shop.one, &format!("git checkout -q -B {quoted} main"));
            assert_ne!(shop.refs(), before, "{run}");
            shop.sh(&shop.one, hinted(&run.stderr)).ok();
            assert_eq!(shop.refs(), before, "{run}");
        }
    }
}

/// What git lets in by `receive.denyCurrentBranch = updateInstead` takes the lane's worktree along, so nothing is mixed up.
#[test]
fn a_push_that_takes_the_worktree_along_is_free_and_leaves_nothing_behind() {
    for level in super::shop::LEVELS.into_iter().filter(|level| possible(level, Refs::Files)) {
        let shop = Shop::new(level, Refs::Files);
        shop.sandbox.git(["config", "receive.denyCurrentBranch", "updateInstead"]);
        let clone = shop.sandbox.root().join("clone");
        shop.sandbox.git(["clone", "-q", "-b", "one", ".", "../clone"]);
        shop.sh(&clone, "echo pushed >pushed && git add pushed && git commit -qm pushed && git push -q").ok();
        assert_eq!(shop.snapshot(&shop.one).status, "", "level {level}");
        assert_eq!(std::fs::read(shop.one.join("pushed")).unwrap(), b"pushed\n");
        shop.sh(&shop.one, "git commit -q --allow-empty -m more").ok();
        // Where the worktree is in use git refuses by itself; everything stays as it is.
        shop.at(In::Lane);
        let before = (shop.snapshots(), shop.refs());
        let pull = "git pull -q --rebase && echo again >pushed && git commit -qam again && git push -q";
        assert_ne!(shop.sh(&clone, pull).code, 0);
        assert_eq!((shop.snapshots(), shop.refs()), before, "level {level}");
    }
}

/// One that leaves the worktree behind is refused where the level can, and touches no file: it runs in the git directory.
#[test]
fn a_push_that_leaves_the_worktree_behind_touches_no_file() {
    for level in levels() {
        let shop = Shop::new(level, Refs::Files);
        shop.sandbox.git(["config", "receive.denyCurrentBranch", "ignore"]);
        shop.sandbox.git(["clone", "-q", "-b", "one", ".", "../clone"]);
        let main = shop.at(In::Main);
        let git_dir = |name: &str| main.join(".git").join(name).exists();
        let files = |shop: &Shop| shop.snapshots().map(|snapshot| snapshot.files);
        let before = (files(&shop), shop.snapshot(&main));
        let clone = shop.sandbox.root().join("clone");
        let run = shop.sh(&clone, "echo staged >g && git add g && git commit -qm pushed && git push -q");
        assert_eq!(run.code != 0, level == "refuse", "{run}");
        assert_eq!((files(&shop), shop.snapshot(&main)), before, "{run}");
        assert!(!git_dir("g") && !git_dir("f"), "{run}");
        if level == "restore" {
            let commit = shop.sh(&shop.one, "git commit -q --allow-empty -m astray");
            assert!(commit.stderr.contains("was moved from") && commit.stderr.contains("git reset --soft"), "{commit}");
            assert_ne!(commit.code, 0);
            // The hint leads on without a change of any file.
            let (_, id) = commit.stderr.split_once("git reset --soft ").unwrap();
            shop.sh(&shop.one, &format!("git reset -q --soft {}", id.split(';').next().unwrap())).ok();
            assert_eq!(shop.snapshot(&shop.one).status, "");
            shop.sh(&shop.one, "git commit -q --allow-empty -m x && git merge -q --no-edit one@{2}").ok();
        }
    }
}

/// How the edits were is told by a tree that git writes when it merges them; here it had been written, and packed, before.
#[test]
fn what_cannot_be_taken_back_is_said_and_left_alone() {
    for level in levels() {
        for text in ["one\\n2\\nthree\\n", "1\\n2\\nthree\\n"] {
            let shop = Shop::new(level, Refs::Files);
            shop.setup(
                &shop.one,
                &format!(
                    "printf '1\\n2\\n3\\n' >w; git add w; git commit -q -m x; git switch -q -c wide; echo wide >d/x
                     printf 'un\\n2\\n3\\n' >w; git commit -q -a -m wide; git switch -q -c packed one
                     printf '{text}' >w; git commit -q -a -m packed; git repack -q -a -d; git switch -q one
                     git restore --source packed w"
                ),
            );
            let run = shop.sh(&shop.one, "git checkout --merge wide");
            assert!(std::fs::read_to_string(shop.one.join("w")).unwrap().contains("three"), "{run}");
            // A git that makes a stash of them writes a commit, which is new whatever it holds.
            if run.stderr.to_lowercase().contains("stash") {
                assert!(run.stderr.contains("hint: to work on 'wide'"), "{level} {run}");
                assert_eq!(shop.snapshot(&shop.one).status, " M w\n", "{level} {run}");
                continue;
            }
            assert!(run.stderr.contains("could not be taken back"), "{level} {run}");
            if level == "restore" {
                assert_ne!(shop.sh(&shop.one, "git add w && git commit -qm x").code, 0);
            }
            shop.sh(&shop.one, hinted(&run.stderr)).ok();
            assert_eq!(shop.snapshot(&shop.one).head, "refs/heads/one\n", "{run}");
            let w = std::fs::read_to_string(shop.one.join("w")).unwrap();
            assert!(w.contains("three"), "{run}{w}");
            assert_eq!(std::fs::read_to_string(shop.one.join("d/x")).unwrap(), "x\n", "{run}");
        }
    }
}

/// Only exit code 1 is an answer. A git-lane that crashes, is killed or is too old to know the command stops nothing.
#[test]
fn a_git_lane_that_crashes_lets_git_go_on() {
    let files = ["--files"];
    for more in [&[][..], &files] {
        let shop = Shop::new("restore", Refs::Files);
        shop.sandbox.lane(["init"].iter().chain(more)).ok();
        let tool = shop.sandbox.root().join("bin/git-lane");
        for script in ["#!/bin/sh\nkill -9 $$\n", "#!/bin/sh\nkill -SEGV $$\n", "#!/bin/sh\nexit 2\n", "\x7fELF"] {
            std::fs::remove_file(&tool).unwrap();
            crate::sandbox::write(&tool, script);
            std::fs::set_permissions(&tool, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
            let run = shop.sh(&shop.one, "git commit -q --allow-empty -m x");
            assert!(run.code == 0 && run.stderr.contains("its rule was not asked"), "{run}");
            let run = shop.sh(&shop.one, "git switch -q other && git switch -q one");
            assert!(run.code == 0 && run.stderr.contains("its rule was not asked"), "{run}");
            shop.sh(&shop.one, "git merge -q --no-ff --no-edit main; git rebase -q main~1").ok();
        }
    }
}

#[test]
fn a_missing_or_broken_git_lane_lets_git_go_on() {
    let shop = Shop::new("restore", Refs::Files);
    let tool = shop.sandbox.root().join("bin/git-lane");
    std::fs::remove_file(&tool).unwrap();
    let run = shop.sh(&shop.one, "git switch -q other");
    assert_eq!((run.code, run.stderr.lines().count()), (0, 1), "{run}");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_git-lane"), &tool).unwrap();
    // A configuration nobody can read.
    let garbage = shop.sandbox.root().join("bare");
    std::fs::create_dir_all(garbage.join("objects")).unwrap();
    std::fs::write(garbage.join("HEAD"), "ref: refs/heads/main\n").unwrap();
    std::fs::write(garbage.join("config"), "[lane \"x\n").unwrap();
    let mut hook = shop.sandbox.command("git-lane");
    let run = shop.sandbox.run(hook.env("GIT_DIR", &garbage).args(["hook", "pre-commit"]));
    assert_eq!((run.code, run.stderr.lines().count()), (0, 1), "{run}");
}
