//! `git lane diff`: what a lane did since its fork point, and how two lanes differ.

mod documents;
mod terminal;

use crate::support::{Run, Sandbox, write};

/// Two lanes that have each committed a file, and the first has changed one since.
fn worked() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login", "search"]).ok();
    sandbox.work("login", "login.txt", "one\n");
    sandbox.work("search", "search.txt", "two\n");
    write(&sandbox.lane_path("login").join("README"), "changed\n");
    write(&sandbox.lane_path("login").join("untracked"), "x\n");
    sandbox.write("main.txt", "x\n");
    sandbox.commit("main goes on");
    sandbox
}

/// The names that `git lane diff` tells with these words before `--`.
#[track_caller]
fn names(sandbox: &Sandbox, words: &[&str]) -> Vec<String> {
    let run = sandbox.lane([&["diff"][..], words, &["--", "--name-only"]].concat());
    run.ok().lines().map(str::to_owned).collect()
}

#[test]
fn a_lane_is_shown_from_where_it_left_its_base_to_its_files() {
    let sandbox = worked();
    assert_eq!(names(&sandbox, &["login"]), ["README", "login.txt"]);
    assert_eq!(names(&sandbox, &["login", "--committed"]), ["login.txt"]);
    // It is git's own text.
    let text = sandbox.lane(["diff", "login"]).ok();
    let base = sandbox.git(["merge-base", "main", "login"]);
    assert_eq!(
        text.trim_end(),
        sandbox.git_in(&sandbox.lane_path("login"), ["diff", &base])
    );
}

#[test]
fn what_came_from_the_base_is_none_of_the_lanes_work() {
    let sandbox = worked();
    let search = sandbox.lane_path("search");
    sandbox.git_in(&search, ["merge", "-q", "--no-edit", "main"]);
    assert_eq!(names(&sandbox, &["search"]), ["search.txt"]);
    // Where the base has it all, it is since the fork point.
    sandbox.git(["merge", "-q", "--no-edit", "search"]);
    assert!(names(&sandbox, &["search"]).contains(&"search.txt".to_owned()));
    // A lane that has committed nothing has done nothing, wherever the base is.
    sandbox.lane(["start", "idle"]).ok();
    sandbox.write("later.txt", "x");
    sandbox.commit("later");
    assert_eq!(names(&sandbox, &["idle"]), [""; 0]);
}

#[test]
fn two_lanes_are_compared_by_their_commits() {
    let sandbox = worked();
    let text = sandbox.lane(["diff", "login", "search"]).ok();
    assert_eq!(text.trim_end(), sandbox.git(["diff", "login", "search"]));
    assert_eq!(
        names(&sandbox, &["login", "search"]),
        ["login.txt", "search.txt"]
    );
    let back = sandbox.lane(["diff", "search", "login"]).ok();
    assert!(back.contains("+one\n") && back.contains("-two\n"), "{back}");
}

#[test]
fn inside_a_lane_no_name_is_needed_and_paths_are_as_one_stands() {
    let sandbox = worked();
    let lane = sandbox.lane_path("login");
    write(&lane.join("src/app.txt"), "changed\n");
    write(&lane.join("app.txt"), "new\n");
    sandbox.git_in(&lane, ["add", "app.txt"]);
    let inside = |words: &[&str]| {
        let run = sandbox.lane_in(&lane.join("src"), [&["diff"][..], words].concat());
        run.ok()
            .lines()
            .filter(|line| line.starts_with("+++"))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(inside(&["--", "app.txt"]), ["+++ b/src/app.txt"]);
    assert_eq!(inside(&["--", "--", "app.txt"]), ["+++ b/src/app.txt"]);
    assert_eq!(inside(&["--", "../app.txt"]), ["+++ b/app.txt"]);
    assert_eq!(inside(&[]).len(), 4);
    // Elsewhere they begin at the top of the lane.
    assert_eq!(names(&sandbox, &["login"]).len(), 4);
    let run = sandbox.lane(["diff", "login", "--", "src"]);
    assert_eq!(run.ok().matches("+++").count(), 1);
    sandbox.lane(["diff"]).fails(2);
}

/// A path is a path, whatever branch is called so.
#[test]
fn a_path_is_no_revision() {
    let sandbox = worked();
    sandbox.git(["branch", "README", "search"]);
    let text = sandbox.lane(["diff", "login", "--", "README"]).ok();
    assert!(
        text.contains("+changed") && !text.contains("search.txt"),
        "{text}"
    );
    let run = sandbox.lane(["diff", "login", "search", "--", "nothing-of-that-name"]);
    assert_eq!(run.ok(), "");
}

#[test]
fn the_exit_code_is_gits() {
    let sandbox = worked();
    let code = |words: &[&str]| {
        let Run { code, .. } = sandbox.lane([&["diff"][..], words].concat());
        code
    };
    for (words, wanted) in [
        (&["login"][..], 0),
        (&["login", "--", "--exit-code"], 1),
        (&["login", "--", "--quiet"], 1),
        (&["login", "--", "--quiet", "--", "src"], 0),
        (&["login", "--", "--no-such-option"], 129),
        (&["nobody"], 1),
        (&["login", "nobody"], 1),
    ] {
        assert_eq!(code(words), wanted, "{words:?}");
    }
}

#[test]
fn a_worktree_that_is_elsewhere_is_found_or_told() {
    let sandbox = worked();
    sandbox.git(["worktree", "move", "../shop.lanes/login", "../new-place"]);
    assert_eq!(names(&sandbox, &["login"]), ["README", "login.txt"]);

    let place = sandbox.root().join("new-place");
    sandbox.git_in(&place, ["switch", "-q", "-c", "elsewhere"]);
    sandbox.git(["config", "lane.login.worktree", place.to_str().unwrap()]);
    let run = sandbox.lane(["diff", "login", "--", "--name-only"]);
    assert!(
        run.stderr.contains("has something else checked out"),
        "{run}"
    );
    assert_eq!(run.ok(), "login.txt\n");

    std::fs::remove_dir_all(&place).unwrap();
    let run = sandbox.lane(["diff", "login", "--", "--name-only"]);
    assert!(run.stderr.contains("is gone from"), "{run}");
    assert_eq!(run.ok(), "login.txt\n");
    // Its commits are what was asked for: there is nothing to warn of.
    let run = sandbox.lane(["diff", "login", "--committed", "--", "--name-only"]);
    assert_eq!((&*run.stderr, &*run.stdout), ("", "login.txt\n"));

    sandbox.git(["update-ref", "-d", "refs/heads/login"]);
    let run = sandbox.lane(["diff", "login"]);
    assert!(run.stderr.contains("git lane show login"), "{run}");
    run.fails(1);
}

#[test]
fn a_lane_without_a_branch_or_a_base_is_compared_with_its_fork_point() {
    let sandbox = Sandbox::new();
    let fork = sandbox.git(["rev-parse", "HEAD"]);
    sandbox.lane(["start", "detached", "--detach"]).ok();
    sandbox.lane(["start", "bare", "--base", &fork]).ok();
    for lane in ["detached", "bare"] {
        sandbox.work(lane, lane, &format!("{lane}\n"));
        assert_eq!(names(&sandbox, &[lane]), [lane]);
    }
    assert_eq!(names(&sandbox, &["detached", "bare"]), ["bare", "detached"]);
    // A base that is gone.
    sandbox.git(["branch", "-q", "base"]);
    sandbox.git(["config", "lane.bare.base", "refs/heads/base"]);
    sandbox.git(["update-ref", "-d", "refs/heads/base"]);
    assert_eq!(names(&sandbox, &["bare"]), ["bare"]);
}

/// What git exports to its hooks speaks of another worktree.
#[test]
fn a_hooks_variables_lead_it_nowhere_else() {
    let sandbox = worked();
    let mut command = sandbox.command("git-lane");
    let command = command
        .args(["diff", "login", "--", "--name-only"])
        .env("GIT_DIR", sandbox.repo.join(".git"))
        .env("GIT_INDEX_FILE", sandbox.repo.join(".git/no-such-index"))
        .env("GIT_PREFIX", "src/");
    assert_eq!(sandbox.run(command).ok(), "README\nlogin.txt\n");
}

#[test]
fn the_shells_complete_both_lanes() {
    let sandbox = worked();
    for typed in [&["diff", "lo"][..], &["diff", "search", "lo"]] {
        let words = ["complete", "--", "git-lane"].iter().chain(typed);
        assert_eq!(sandbox.lane(words).ok(), "login\ttester\n", "{typed:?}");
    }
}
