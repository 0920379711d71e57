//! `git lane start` does what was asked for: a dry run changes nothing, a remote's branch is what
//! its name means, and another owner's lane is not handed out.

use std::path::Path;

use crate::support::{Run, Sandbox, listing, write};

/// A repository with a remote `origin` that has `main` and `feature`, the latter fetched and not
/// here.
fn with_remote() -> Sandbox {
    let sandbox = Sandbox::new();
    add_remote(&sandbox, "origin", "feature");
    sandbox
}

fn add_remote(sandbox: &Sandbox, remote: &str, branch: &str) {
    let theirs = sandbox.root().join(format!("{remote}.git"));
    sandbox.git(["clone", "-q", "--bare", ".", theirs.to_str().unwrap()]);
    sandbox.git(["remote", "add", remote, theirs.to_str().unwrap()]);
    push(sandbox, remote, branch);
    sandbox.git(["fetch", "-q", remote]);
}

/// Commits something to a branch of the remote, as another clone would.
fn push(sandbox: &Sandbox, remote: &str, branch: &str) -> String {
    let theirs = sandbox.root().join(format!("{remote}.git"));
    let parent = sandbox.git(["rev-parse", "HEAD"]);
    let made = sandbox.git_in(
        &theirs,
        ["commit-tree", "-p", &parent, "-m", branch, "HEAD^{tree}"],
    );
    sandbox.git_in(
        &theirs,
        ["update-ref", &format!("refs/heads/{branch}"), &made],
    );
    made
}

fn exists(sandbox: &Sandbox, name: &str) -> bool {
    sandbox
        .run(
            sandbox
                .command("git")
                .args(["rev-parse", "--verify", "-q", name]),
        )
        .code
        == 0
}

/// How the start of a lane on a branch that only remotes have must end.
enum Ends {
    /// At that commit, with this upstream.
    Follows(&'static str),
    /// At the base, with none.
    Own,
    /// With a refusal of that code.
    Refused(&'static str),
}

#[test]
fn a_branch_that_only_a_remote_has_is_taken_from_there_as_git_switch_takes_it() {
    use Ends::{Follows, Own, Refused};
    type Case = (
        &'static str,
        fn(&Sandbox),
        &'static [&'static str],
        &'static str,
        Ends,
    );
    let nothing: fn(&Sandbox) = |_| {};
    let table: &[Case] = &[
        (
            "one remote has it",
            nothing,
            &["feature"],
            "feature",
            Follows("origin/feature"),
        ),
        (
            "by --branch",
            nothing,
            &["other", "--branch", "feature"],
            "feature",
            Follows("origin/feature"),
        ),
        (
            "who names a base wants it from there",
            nothing,
            &["feature", "--base", "main"],
            "feature",
            Own,
        ),
        (
            "--detach takes no branch",
            nothing,
            &["feature", "--detach"],
            "",
            Own,
        ),
        (
            "checkout.guess is off",
            |s| drop(s.git(["config", "checkout.guess", "false"])),
            &["feature"],
            "feature",
            Own,
        ),
        ("no remote has it", nothing, &["another"], "another", Own),
        (
            "the branch of a remote with other places for its branches",
            |s| {
                s.git([
                    "config",
                    "remote.origin.fetch",
                    "+refs/heads/*:refs/remotes/theirs/up/*",
                ]);
                s.git(["fetch", "-q", "origin"]);
            },
            &["feature"],
            "feature",
            Follows("theirs/up/feature"),
        ),
        (
            "a remote-tracking branch of no remote",
            |s| {
                s.git(["update-ref", "refs/remotes/gone/lost", "main"]);
            },
            &["lost"],
            "lost",
            Own,
        ),
        (
            "two remotes have it",
            |s| add_remote(s, "fork", "feature"),
            &["feature"],
            "feature",
            Refused("several-remotes"),
        ),
        (
            "two have it, and one is the default",
            |s| {
                add_remote(s, "fork", "feature");
                s.git(["config", "checkout.defaultRemote", "fork"]);
            },
            &["feature"],
            "feature",
            Follows("fork/feature"),
        ),
        (
            "the name of the remote-tracking branch",
            nothing,
            &["origin/feature"],
            "origin/feature",
            Refused("remote-branch"),
        ),
        (
            "the same, with a base",
            nothing,
            &["origin/feature", "--base", "main"],
            "origin/feature",
            Refused("remote-branch"),
        ),
        (
            "the same in full",
            nothing,
            &["remotes/origin/feature"],
            "remotes/origin/feature",
            Refused("remote-branch"),
        ),
        (
            "the same for another lane",
            nothing,
            &["x", "--branch", "origin/feature"],
            "origin/feature",
            Refused("remote-branch"),
        ),
        (
            "a branch that the remote does not have",
            nothing,
            &["origin/new"],
            "origin/new",
            Refused("no-remote-branch"),
        ),
        (
            "the same, with a base",
            nothing,
            &["origin/new", "--base", "main"],
            "origin/new",
            Refused("no-remote-branch"),
        ),
        (
            "the same in full",
            nothing,
            &["remotes/origin/new"],
            "remotes/origin/new",
            Refused("no-remote-branch"),
        ),
        (
            "the same where git does not guess",
            |s| drop(s.git(["config", "checkout.guess", "false"])),
            &["origin/new"],
            "origin/new",
            Refused("no-remote-branch"),
        ),
        (
            "the same, fetched without success",
            nothing,
            &["--fetch", "origin/new"],
            "origin/new",
            Refused("no-remote-branch"),
        ),
        (
            "the user names the branch",
            nothing,
            &["x", "--branch", "origin/new"],
            "origin/new",
            Own,
        ),
        (
            "a name that begins like a remote's",
            nothing,
            &["original/new"],
            "original/new",
            Own,
        ),
        (
            "a remote that has its branches elsewhere",
            |s| {
                drop(s.git([
                    "config",
                    "remote.origin.fetch",
                    "+refs/heads/*:refs/remotes/theirs/*",
                ]))
            },
            &["origin/new"],
            "origin/new",
            Own,
        ),
        (
            "a policy that puts every branch below such a name",
            |s| {
                s.write("lane.toml", "start.branch = \"origin/{name}\"\n");
                s.commit("policy");
            },
            &["new"],
            "origin/new",
            Own,
        ),
        (
            "a local branch of that name is meant",
            |s| drop(s.git(["branch", "origin/feature"])),
            &["origin/feature"],
            "origin/feature",
            Own,
        ),
    ];
    for (name, prepare, args, branch, ends) in table {
        eprintln!("-- {name}");
        let sandbox = with_remote();
        prepare(&sandbox);
        let local = format!("refs/heads/{branch}");
        let before = exists(&sandbox, &local);
        let dry: Run = sandbox.lane(["--json", "start", "-n"].iter().chain(args.iter()));
        let run = sandbox.lane(["--json", "start"].iter().chain(args.iter()));
        assert_eq!(dry.code, run.code, "{name}: {dry}");
        match ends {
            Ends::Refused(code) => {
                let text = run.stdout.clone() + &run.stderr;
                run.fails(1);
                assert!(text.contains(&format!("\"{code}\"")), "{name}: {text}");
                assert_eq!(exists(&sandbox, &local), before, "{name}");
            }
            Ends::Own => {
                let lane = &run.json()["lanes"][0];
                assert!(lane["upstream"].is_null(), "{name}: {lane}");
                assert_eq!(
                    lane["forkPoint"],
                    sandbox.git(["rev-parse", "main"]),
                    "{name}"
                );
                assert_eq!(
                    sandbox.git(["rev-parse", "main"]),
                    head(&sandbox, lane),
                    "{name}"
                );
            }
            Ends::Follows(upstream) => {
                let lane = &run.json()["lanes"][0];
                assert_eq!(
                    dry.json()["lanes"][0]["upstream"],
                    lane["upstream"],
                    "{name}"
                );
                assert_eq!(
                    lane["upstream"],
                    format!("refs/remotes/{upstream}"),
                    "{name}"
                );
                assert_eq!(lane["base"], "refs/heads/main", "{name}");
                assert_eq!(
                    sandbox.git(["rev-parse", upstream]),
                    head(&sandbox, lane),
                    "{name}"
                );
                let follows = sandbox.git([
                    "rev-parse",
                    "--symbolic-full-name",
                    &format!("{branch}@{{upstream}}"),
                ]);
                assert_eq!(follows, format!("refs/remotes/{upstream}"), "{name}");
            }
        }
    }
}

fn head(sandbox: &Sandbox, lane: &serde_json::Value) -> String {
    sandbox.git_in(
        Path::new(lane["path"].as_str().unwrap()),
        ["rev-parse", "HEAD"],
    )
}

#[test]
fn what_git_records_of_a_branch_that_follows_is_recorded() {
    let sandbox = with_remote();
    sandbox.git(["config", "branch.autoSetupRebase", "remote"]);
    sandbox.lane(["start", "feature"]).ok();
    let ours = sandbox.git(["config", "--get-regexp", "^branch\\.feature\\."]);
    sandbox.lane(["drop", "--yes", "feature"]).ok();
    sandbox.git(["branch", "-q", "--track", "feature", "origin/feature"]);
    assert_eq!(
        ours,
        sandbox.git(["config", "--get-regexp", "^branch\\.feature\\."])
    );
    sandbox.git(["branch", "-q", "-D", "feature"]);
    let said = sandbox.lane(["start", "feature"]).ok();
    assert!(
        said.contains("from 'origin/feature', base 'main'"),
        "{said}"
    );
}

#[test]
fn a_branch_that_was_pushed_a_moment_ago_is_found_by_a_fetch() {
    let sandbox = with_remote();
    sandbox.git(["branch", "-q", "--set-upstream-to", "origin/main", "main"]);
    let made = push(&sandbox, "origin", "young");
    // What is typed as git shows it elsewhere makes no branch that hides the remote's for good.
    let said = sandbox.lane(["start", "origin/young"]).fails(1);
    let remedy = said
        .lines()
        .find_map(|line| line.strip_prefix("hint: fetch first: "))
        .unwrap();
    let remedy = remedy
        .split("; ")
        .next()
        .unwrap()
        .replace("git lane", "git-lane");
    sandbox.sh(&remedy).ok();
    assert_eq!(sandbox.git(["rev-parse", "young"]), made);
}

/// What there is, and what is asked for.
type Dry = (&'static str, fn(&Sandbox), &'static [&'static str]);

#[test]
fn a_dry_run_changes_nothing() {
    let table: &[Dry] = &[
        ("nothing is there yet", |_| {}, &["start", "-n", "x"]),
        (
            "a fetch would bring something",
            |s| drop(push(s, "origin", "feature")),
            &["start", "-n", "--fetch", "feature"],
        ),
        (
            "the policy fetches",
            |s| {
                push(s, "origin", "main");
                s.git(["branch", "-q", "--set-upstream-to", "origin/main", "main"]);
                write(&s.repo.join(".git/lane/lane.toml"), "start.fetch = true\n");
            },
            &["start", "-n", "x"],
        ),
        (
            "a record would follow a renamed branch",
            |s| {
                s.lane(["start", "y"]).ok();
                s.git_in(&s.lane_path("y"), ["branch", "-m", "z"]);
            },
            &["start", "-n", "x"],
        ),
        (
            "a start was interrupted",
            |s| drop(s.dying(9, ["start", "y"]).fails(137)),
            &["start", "-n", "x"],
        ),
        (
            "several, one of which is there",
            |s| drop(s.lane(["start", "y"]).ok()),
            &["start", "-n", "y", "x"],
        ),
        (
            "a refusal",
            |s| drop(s.git(["branch", "x/y"])),
            &["start", "-n", "x"],
        ),
        (
            "the hooks do not know the policy yet",
            |s| {
                s.lane(["start", "y"]).ok();
                s.lane(["init"]).ok();
                write(
                    &s.repo.join(".git/lane/lane.toml"),
                    "rule.protected = [\"main\"]\n",
                );
            },
            &["start", "-n", "x"],
        ),
    ];
    for (name, prepare, args) in table {
        eprintln!("-- {name}");
        let sandbox = with_remote();
        prepare(&sandbox);
        let before = listing(&sandbox.root());
        let run = sandbox.lane(*args);
        assert!(run.code == 0 || *name == "a refusal", "{run}");
        assert_eq!(before, listing(&sandbox.root()), "{name}");
    }
}

#[test]
fn a_lane_is_handed_to_its_owner_alone() {
    let table: &[(&str, &str, &[&str], i32)] = &[
        ("ann", "ann", &[], 0),
        ("ann", "bob", &[], 1),
        ("ann", "bob", &["-n"], 1),
        ("ann", "", &[], 1),
        ("", "bob", &[], 0),
        ("", "", &[], 0),
        ("ann", "bob", &["--owner", "ann"], 0),
        ("ann", "ann", &["--owner", "bob"], 1),
    ];
    for (holder, asking, args, code) in table {
        let sandbox = Sandbox::new();
        let start = |owner: &str, args: &[&str]| {
            let mut command = sandbox.command("git-lane");
            command
                .env("GIT_LANE_OWNER", owner)
                .args(["--json", "start", "x"])
                .args(args);
            sandbox.run(&mut command)
        };
        start(holder, &[]).ok();
        let before = sandbox.fingerprint();
        let run = start(asking, args);
        assert_eq!(run.code, *code, "{holder:?} {asking:?} {args:?}: {run}");
        let text = run.stdout.clone() + &run.stderr;
        assert!(*code == 0 || text.contains(holder), "{text}");
        assert_eq!(before, sandbox.fingerprint());
    }
    // All of them or none.
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "x", "--owner", "ann"]).ok();
    let said = sandbox.lane(["start", "new", "x"]).fails(1);
    assert!(said.contains("lane 'x' exists and is ann's"), "{said}");
    assert!(!sandbox.lane_path("new").exists());
}
