//! What goes along with a lane's name, and what stays.

use super::{assert_is, at_work, begin, content};
use crate::support::{Sandbox, checked_document, git_version, write};

fn messages(sandbox: &Sandbox, of: &str) -> Vec<String> {
    let log = sandbox.git(["reflog", "--format=%gs", of]);
    log.lines().map(str::to_owned).collect()
}

#[test]
fn branch_directory_and_record_get_the_name_and_nothing_else_changes() {
    let sandbox = at_work();
    let (before, tip) = (
        content(&sandbox, "login", &sandbox.lane_path("login")),
        sandbox.git(["rev-parse", "login"]),
    );
    let logs = [messages(&sandbox, "login"), {
        let log = sandbox.git_in(&sandbox.lane_path("login"), ["reflog", "--format=%gs"]);
        log.lines().map(str::to_owned).collect()
    }];
    sandbox.git(["config", "branch.login.description", "what it is"]);
    sandbox.git(["config", "branch.login.mergeOptions", "--no-ff"]);
    let told = sandbox.lane(["rename", "login", "signin"]).ok();
    let path = sandbox.lane_path("signin");
    assert_eq!(
        told,
        format!(
            "lane 'login' is now 'signin'\n  branch 'login' is now 'signin'\n  its directory is now '{}'\n",
            path.display()
        )
    );
    assert_is(&sandbox, "signin", "signin", &path);
    assert_eq!(content(&sandbox, "signin", &path), before);
    assert_eq!(sandbox.git(["rev-parse", "signin"]), tip);
    sandbox.git_fails(["rev-parse", "--verify", "-q", "refs/heads/login"]);
    sandbox.git_fails(["config", "--get-regexp", "^(lane|branch)\\.login\\."]);
    assert_eq!(
        sandbox.git(["config", "branch.signin.description"]),
        "what it is"
    );
    assert_eq!(
        sandbox.git(["config", "branch.signin.mergeOptions"]),
        "--no-ff"
    );
    assert!(!sandbox.lane_path("login").exists());
    let renamed = "Branch: renamed refs/heads/login to refs/heads/signin".to_owned();
    let expected = |log: &Vec<String>| [std::slice::from_ref(&renamed), log].concat();
    assert_eq!(messages(&sandbox, "signin"), expected(&logs[0]));
    let log = sandbox.git_in(&path, ["reflog", "--format=%gs"]);
    assert_eq!(
        log.lines().map(str::to_owned).collect::<Vec<_>>(),
        expected(&logs[1])
    );
    // It lands as any other.
    sandbox.git_in(&path, ["add", "-A"]);
    sandbox.git_in(&path, ["commit", "-qm", "rest"]);
    sandbox.lane(["finish", "signin"]).ok();
    assert_eq!(sandbox.git(["show", "main:new"]), "new");
    sandbox.lane(["restore", "signin"]).ok();
    assert_is(&sandbox, "signin", "signin", &path);
}

/// The names of the branch and of the directory, by what was asked for and by the policy.
#[test]
fn what_does_not_follow_from_the_name_stays() {
    struct Case {
        policy: &'static str,
        start: &'static [&'static str],
        rename: &'static [&'static str],
        branch: &'static str,
        /// Below the sandbox.
        path: &'static str,
    }
    let case = |policy, start, rename, branch, path| Case {
        policy,
        start,
        rename,
        branch,
        path,
    };
    for Case {
        policy,
        start,
        rename,
        branch,
        path,
    } in [
        case("", &["login"], &[], "signin", "shop.lanes/signin"),
        case(
            "",
            &["login", "--branch", "topic"],
            &[],
            "topic",
            "shop.lanes/signin",
        ),
        case("", &["login", "--path", "../mine"], &[], "signin", "mine"),
        case(
            "",
            &["login"],
            &["--branch", "topic"],
            "topic",
            "shop.lanes/signin",
        ),
        case(
            "",
            &["login"],
            &["--branch", "login"],
            "login",
            "shop.lanes/signin",
        ),
        case(
            "",
            &["login"],
            &["--path", "../shop.lanes/login"],
            "signin",
            "shop.lanes/login",
        ),
        case(
            "",
            &["login"],
            &["--path", "../far/away"],
            "signin",
            "far/away",
        ),
        case(
            "[start]\nbranch = \"{owner}/{name}\"\npath = \"../work/{name}\"\n",
            &["login", "--owner", "ann"],
            &[],
            "ann/signin",
            "work/signin",
        ),
    ] {
        let sandbox = Sandbox::new();
        write(&sandbox.repo.join(".git/lane/lane.toml"), policy);
        sandbox.lane(["start"].iter().chain(start)).ok();
        let args = ["--json", "rename", "login", "signin"];
        let run = sandbox
            .lane(args.iter().chain(rename).chain(&["-n"]))
            .json();
        let done = sandbox.lane(args.iter().chain(rename)).json();
        let place = sandbox.root().join(path);
        for document in [&run, &done] {
            assert_eq!(
                (&document["lane"], &document["branch"], &document["path"]),
                (
                    &"signin".into(),
                    &branch.into(),
                    &place.to_str().unwrap().into()
                ),
                "{start:?} {rename:?}"
            );
        }
        assert_is(&sandbox, "signin", branch, &place);
    }
}

/// Names that are hard on directories, refs and configuration.
#[test]
fn to_any_name_and_back() {
    let long = "x".repeat(240);
    for (from, to) in [
        ("login", "login/deep"),
        ("login/deep", "login"),
        ("a/b", "a-b"),
        ("a/b/c", "a/b"),
        ("größe", "🦀"),
        ("x", "it's.\"a\"$(b);#c"),
        ("x", long.as_str()),
        ("x", "]y\\z"),
    ] {
        if Sandbox::new().lane(["start", to]).code != 0 {
            // Not a name for a lane at all.
            continue;
        }
        let sandbox = Sandbox::new();
        sandbox.lane(["start", from]).ok();
        let path = |name: &str| {
            let found = sandbox.lane(["path", name]).ok();
            std::path::PathBuf::from(found.trim_end())
        };
        write(&path(from).join("new"), "new");
        let tip = sandbox.git(["rev-parse", &format!("refs/heads/{from}")]);
        sandbox.lane(["rename", from, to]).ok();
        assert_eq!(sandbox.git(["rev-parse", &format!("refs/heads/{to}")]), tip);
        assert_eq!(
            sandbox.git_in(&path(to), ["symbolic-ref", "--short", "HEAD"]),
            to
        );
        assert_eq!(
            sandbox.git_in(&path(to), ["status", "--porcelain"]),
            "?? new"
        );
        assert_eq!(sandbox.findings(), Vec::<String>::new(), "{from} {to}");
        sandbox.plain_git_works();
        sandbox.nothing_under_way();
        sandbox.lane(["rename", to, from]).ok();
        assert_is(&sandbox, from, from, &path(from));
        let renamed = sandbox.git(["reflog", "--format=%gs", &format!("refs/heads/{from}")]);
        assert_eq!(renamed.lines().count(), 3, "{renamed}");
    }
}

#[test]
fn packed_branches_and_branches_without_a_log() {
    for prepare in [
        &["pack-refs", "--all", "--prune"][..],
        &["config", "core.logAllRefUpdates", "false"],
    ] {
        let sandbox = Sandbox::new();
        sandbox.git(["config", "core.logAllRefUpdates", "true"]);
        if prepare[0] == "config" {
            sandbox.git(prepare);
        }
        begin(&sandbox);
        if prepare[0] != "config" {
            sandbox.git(prepare);
        }
        sandbox.lane(["rename", "login", "login/deep"]).ok();
        assert_is(
            &sandbox,
            "login/deep",
            "login/deep",
            &sandbox.lane_path("login-deep"),
        );
        sandbox.git(["pack-refs", "--all", "--prune"]);
        sandbox.lane(["rename", "login/deep", "signin"]).ok();
        assert_is(&sandbox, "signin", "signin", &sandbox.lane_path("signin"));
    }
}

#[test]
fn the_lane_that_one_stands_in_needs_no_name_and_is_told_where_it_is() {
    let sandbox = at_work();
    let below = sandbox.lane_path("login").join("src");
    let told = sandbox.lane_in(&below, ["rename", "signin"]).ok();
    let there = sandbox.lane_path("signin").join("src");
    assert!(
        told.ends_with(&format!("  go to: cd {}\n", there.display())),
        "{told}"
    );
    let usage = sandbox.lane(["rename", "signin"]).fails(2);
    assert!(usage.contains("name the lane"), "{usage}");
}

#[test]
fn lanes_that_are_based_on_it_follow_and_those_in_the_trash_when_they_come_back() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    sandbox.work("login", "one", "one\n");
    for name in ["upper", "gone", "other"] {
        let base = if name == "other" { "main" } else { "login" };
        sandbox.lane(["start", name, "--base", base]).ok();
    }
    sandbox.lane(["drop", "gone"]).ok();
    let json = sandbox.lane(["--json", "rename", "login", "signin"]).json();
    assert_eq!(json["above"], serde_json::json!(["upper"]));
    let base = |name: &str| sandbox.git(["config", &format!("lane.{name}.base")]);
    assert_eq!(
        (&*base("upper"), &*base("other")),
        ("refs/heads/signin", "refs/heads/main")
    );
    sandbox.lane(["restore", "gone"]).ok();
    sandbox.lane(["sync", "gone"]).ok();
    assert_eq!(base("gone"), "refs/heads/signin");
    let log = sandbox.lane(["log", "upper"]).ok();
    assert!(
        log.contains("the base of lane 'upper' is now 'signin'"),
        "{log}"
    );
}

#[test]
fn a_claim_holds_and_a_wait_goes_on() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    let token = sandbox
        .lane(["--json", "claim", "login", "--for", "1h"])
        .json();
    let token = token["token"].as_str().unwrap().to_owned();
    let mut wait = sandbox.command("git-lane");
    let wait = wait.args([
        "--json",
        "wait",
        "login",
        "--until",
        "ready",
        "--timeout",
        "60s",
    ]);
    let wait = wait.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut rename = sandbox.command("git-lane");
    rename.args(["rename", "login", "signin"]);
    let said = sandbox.run(&mut rename).fails(1);
    assert!(said.contains("claimed by"), "{said}");
    sandbox.run(rename.env("GIT_LANE_CLAIM", &token)).ok();
    let said = sandbox.lane(["mark", "signin", "ready"]).fails(1);
    assert!(said.contains("lane 'signin' is claimed by"), "{said}");
    let mut mark = sandbox.command("git-lane");
    let mark = mark.args(["mark", "signin", "ready"]);
    sandbox.run(mark.env("GIT_LANE_CLAIM", &token)).ok();
    let output = wait.wait_with_output().unwrap();
    let document = checked_document("wait", &String::from_utf8_lossy(&output.stdout));
    assert_eq!(document["lanes"][0]["lane"], "signin", "{document}");
}

#[test]
fn what_was_pushed_keeps_its_name_and_the_command_that_changes_that_works() {
    let sandbox = Sandbox::new();
    let remote = sandbox.root().join("remote.git");
    sandbox.git(["clone", "-q", "--bare", ".", remote.to_str().unwrap()]);
    sandbox.git(["remote", "add", "origin", remote.to_str().unwrap()]);
    sandbox.lane(["start", "login"]).ok();
    sandbox.work("login", "one", "one\n");
    sandbox.git_in(
        &sandbox.lane_path("login"),
        ["push", "-q", "-u", "origin", "login"],
    );
    let run = sandbox.lane(["rename", "login", "signin"]);
    let hint = run
        .stderr
        .lines()
        .find_map(|line| line.strip_prefix("hint: rename it there with: "));
    let hint = hint.unwrap_or_else(|| panic!("{run}")).to_owned();
    let path = sandbox.lane_path("signin");
    let upstream = ["rev-parse", "--symbolic-full-name", "@{upstream}"];
    assert_eq!(sandbox.git_in(&path, upstream), "refs/remotes/origin/login");
    sandbox.sh_in(&sandbox.root(), &hint).ok();
    assert_eq!(
        sandbox.git_in(&path, upstream),
        "refs/remotes/origin/signin"
    );
    let there = sandbox.git(["ls-remote", "--heads", "origin"]);
    assert!(
        there.contains("signin") && !there.contains("login"),
        "{there}"
    );
}

#[test]
fn a_process_that_works_there_is_named_and_goes_along() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    let mut agent = std::process::Command::new("sleep");
    let agent = agent.arg("600").current_dir(sandbox.lane_path("login"));
    let mut agent = agent.spawn().unwrap();
    let run = sandbox.lane(["rename", "login", "signin"]);
    let cwd = std::fs::read_link(format!("/proc/{}/cwd", agent.id()));
    agent.kill().unwrap();
    agent.wait().unwrap();
    let named = format!(
        "process {} (sleep) works in the directory, and goes along",
        agent.id()
    );
    assert!(run.code == 0 && run.stderr.contains(&named), "{run}");
    if let Ok(cwd) = cwd {
        assert_eq!(cwd, sandbox.lane_path("signin"));
    }
}

#[test]
fn of_an_adopted_lane_the_record_alone_unless_the_user_asks() {
    let sandbox = Sandbox::new();
    let path = sandbox.root().join("by-hand");
    sandbox.add_worktree("by-hand", &path);
    sandbox.lane(["adopt", "by-hand"]).ok();
    sandbox.lane(["rename", "by-hand", "login"]).ok();
    assert_is(&sandbox, "login", "by-hand", &path);
    let to = sandbox.root().join("elsewhere");
    let to = to.to_str().unwrap();
    sandbox
        .lane([
            "rename", "login", "signin", "--branch", "topic", "--path", to,
        ])
        .ok();
    assert_is(&sandbox, "signin", "topic", to.as_ref());
    assert_eq!(sandbox.git(["config", "lane.signin.adopted"]), "true");
}

/// The rule watches over plain git, not over git-lane's own rename.
#[test]
fn the_rule_is_no_obstacle_and_knows_the_new_name() {
    let levels = match git_version() {
        version if version < (2, 46) => &["restore"][..],
        _ => &["restore", "refuse"],
    };
    for level in levels {
        let sandbox = Sandbox::new();
        sandbox.lane(["init", "--level", level]).ok();
        begin(&sandbox);
        for (from, to) in [
            ("login", "signin"),
            ("signin", "signin/deep"),
            ("signin/deep", "login"),
        ] {
            let run = sandbox.lane(["rename", from, to]);
            assert!(run.code == 0 && run.stderr.is_empty(), "{run}");
        }
        let path = sandbox.lane_path("login");
        assert_is(&sandbox, "login", "login", &path);
        sandbox.git(["branch", "topic"]);
        let run = sandbox.sh_in(
            &path,
            "git stash -q -u; git switch topic; git symbolic-ref HEAD",
        );
        assert!(run.stdout.ends_with("refs/heads/login\n"), "{level}: {run}");
    }
}

/// The main worktree shows the lane by whatever name, and brings what was edited there into it.
#[test]
fn a_lane_that_is_tried() {
    let sandbox = at_work();
    sandbox.lane(["try", "login"]).ok();
    sandbox.lane(["rename", "login", "signin"]).ok();
    let listed = sandbox.lane(["list"]).ok();
    assert!(listed.contains("trying signin"), "{listed}");
    sandbox.write("one", "edited\n");
    let told = sandbox.lane(["try", "--back", "--to-lane"]).ok();
    assert!(told.contains("took into lane 'signin': 'one'"), "{told}");
    let one = std::fs::read_to_string(sandbox.lane_path("signin").join("one"));
    assert_eq!(one.unwrap(), "edited\n");
    assert_eq!(sandbox.git(["symbolic-ref", "--short", "HEAD"]), "main");
}

#[test]
fn a_lane_without_a_branch() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login", "--detach"]).ok();
    sandbox.lane(["rename", "login", "signin"]).ok();
    let path = sandbox.lane_path("signin");
    assert_eq!(
        sandbox.git_in(&path, ["rev-parse", "HEAD"]),
        sandbox.git(["rev-parse", "main"])
    );
    assert_eq!(sandbox.findings(), Vec::<String>::new());
}
