//! The scripts of git-lane-workflows(7) run as they are, by more than one shell.

use git_lane::internals::WORKFLOWS;

use crate::support::{Run, Sandbox, executable, installed, script, write};

/// What `agent` stands for: it does the task, or fails at the cart.
const AGENT: &str = "case \"$1\" in *cart*) echo 'no idea' >&2; exit 7;; esac
echo \"$1\" >\"$GIT_LANE_NAME.txt\" && git add . && git commit -q -m \"$1\"";

fn text(name: &str) -> &'static str {
    let found = WORKFLOWS.iter().find(|(known, _)| *known == name);
    found.unwrap_or_else(|| panic!("no workflow {name}")).1
}

/// Runs a workflow by each shell, in a repository that `prepare` has made ready; `check` sees what
/// has become of it.
fn each(name: &str, prepare: fn(&Sandbox), check: fn(&Sandbox, &Run)) {
    for shell in ["sh", "bash"].into_iter().filter(|shell| installed(shell)) {
        let sandbox = Sandbox::new();
        script(&sandbox.root().join("bin/agent"), AGENT);
        prepare(&sandbox);
        let file = sandbox.root().join(name);
        write(&file, text(name));
        let mut command = sandbox.command(shell);
        let run = sandbox.run(command.arg(&file));
        assert_eq!(run.code, 0, "{run}");
        check(&sandbox, &run);
        sandbox.plain_git_works();
    }
}

/// The lanes that are left.
fn lanes(sandbox: &Sandbox) -> Vec<String> {
    let document = sandbox.lane(["list", "--json"]).json();
    let lanes = document["lanes"].as_array().unwrap().iter();
    let mut names: Vec<String> = lanes
        .filter_map(|lane| Some(lane["lane"].as_str()?.to_owned()))
        .collect();
    names.sort();
    names
}

/// What main has beside the files of every sandbox.
fn on_main(sandbox: &Sandbox) -> Vec<String> {
    let files = sandbox.git(["ls-tree", "-r", "--name-only", "main"]);
    let own = |file: &&str| !["README", "src/app.txt", "tasks.jsonl"].contains(file);
    files.lines().filter(own).map(str::to_owned).collect()
}

#[test]
fn each_script_is_short_and_plain() {
    for (name, text) in WORKFLOWS {
        assert!(text.starts_with("# "), "{name}");
        let lines = text.lines().count();
        assert!(lines <= 20, "{name} has {lines} lines");
        assert!(text.lines().all(|line| line.len() <= 120), "{name}");
        if installed("shellcheck") {
            let sandbox = Sandbox::empty();
            let file = sandbox.root().join(name);
            write(&file, text);
            let mut check = sandbox.command("shellcheck");
            sandbox
                .run(check.args(["--shell=sh", "--severity=warning"]).arg(&file))
                .ok();
        }
    }
}

#[test]
fn two_tasks_side_by_side() {
    each(
        "lab-a",
        |_| {},
        |sandbox, _| {
            assert_eq!(on_main(sandbox), ["login.txt"]);
            assert_eq!(lanes(sandbox), ["search"]);
            assert!(sandbox.lane_path("search").join("search.txt").exists());
        },
    );
}

#[test]
fn three_agents_of_whom_one_fails() {
    let with_remote = |sandbox: &Sandbox| {
        let remote = sandbox.root().join("origin.git");
        sandbox.git(["clone", "-q", "--bare", ".", remote.to_str().unwrap()]);
        sandbox.git(["remote", "add", "origin", remote.to_str().unwrap()]);
    };
    each("lab-b", with_remote, |sandbox, run| {
        assert_eq!(on_main(sandbox), ["login.txt", "search.txt"]);
        assert_eq!(lanes(sandbox), Vec::<String>::new());
        assert!(run.stdout.contains("login.txt | 1 +"), "{run}");
        let published = sandbox.git(["ls-remote", "--heads", "origin"]);
        assert!(
            published.contains("agent/login") && !published.contains("cart"),
            "{published}"
        );
        let left = sandbox.git(["branch", "--list", "agent/*"]);
        assert_eq!(left, "", "{run}");
        sandbox.lane(["restore", "cart"]).ok();
    });
}

/// Two lanes that add the same file.
fn in_conflict(sandbox: &Sandbox) {
    sandbox.lane(["start", "login", "search"]).ok();
    sandbox.work("login", "tasks.txt", "ask for the password\n");
    sandbox.work("search", "tasks.txt", "search in titles\n");
}

#[test]
fn a_conflict_is_resolved_in_the_lane() {
    each("lab-c", in_conflict, |sandbox, run| {
        assert!(run.stdout.contains("they conflict: exit code 3"), "{run}");
        assert!(
            run.stdout.contains("search conflicts with main now"),
            "{run}"
        );
        let tasks = sandbox.git(["show", "main:tasks.txt"]);
        assert_eq!(tasks, "ask for the password\nsearch in titles");
        assert_eq!(lanes(sandbox), Vec::<String>::new());
    });
}

#[test]
fn nothing_is_left_and_nothing_is_lost() {
    let prepare = |sandbox: &Sandbox| {
        sandbox.lane(["start", "login", "search"]).ok();
        sandbox.work("login", "login.txt", "login\n");
        write(&sandbox.lane_path("search").join("notes"), "notes\n");
    };
    each("lab-d", prepare, |sandbox, _| {
        assert_eq!(on_main(sandbox), ["login.txt"]);
        assert_eq!(lanes(sandbox), ["search"]);
        assert!(sandbox.lane_path("search").join("notes").exists());
    });
}

#[test]
fn the_life_of_a_task_with_its_failures() {
    each(
        "task",
        |_| {},
        |sandbox, run| {
            for said in [
                "the task is taken: exit code 1",
                "it is held by another one",
                "what is not committed does not land",
            ] {
                assert!(run.stdout.contains(said), "{said}: {run}");
            }
            assert_eq!(on_main(sandbox), ["login.txt"]);
            assert_eq!(lanes(sandbox), Vec::<String>::new());
            for event in ["claimed", "marked", "landed"] {
                assert!(run.stdout.contains(event), "{event}: {run}");
            }
        },
    );
}

#[test]
fn the_best_of_six_is_kept() {
    let prepare = |sandbox: &Sandbox| {
        executable(
            &sandbox.repo.join("train"),
            "#!/bin/sh\necho $((10 - ($1 - 4) * ($1 - 4)))\n",
        );
        sandbox.commit("train");
    };
    each("sweep", prepare, |sandbox, run| {
        assert_eq!(sandbox.git(["show", "main:score"]), "10");
        assert_eq!(lanes(sandbox), Vec::<String>::new());
        assert!(run.stdout.contains("--set 'rate=4'"), "{run}");
        assert!(run.stdout.contains("+10"), "{run}");
    });
}

#[test]
fn a_loop_leaves_only_what_has_improved() {
    let prepare = |sandbox: &Sandbox| {
        // The third and the sixth find something; the sixth breaks the test.
        let improve = "#!/bin/sh\ncase $GIT_LANE_NAME in *-3) echo 3 >>src/app.txt;; *-6) echo bad \
                       >>src/app.txt;; esac\n";
        executable(&sandbox.repo.join("improve"), improve);
        executable(
            &sandbox.repo.join("test"),
            "#!/bin/sh\n! grep -q bad src/app.txt\n",
        );
        sandbox.commit("scripts");
    };
    each("loop", prepare, |sandbox, run| {
        assert_eq!(lanes(sandbox), Vec::<String>::new(), "{run}");
        let text = sandbox.git(["show", "main:src/app.txt"]);
        assert!(text.ends_with('3') && !text.contains("bad"), "{text}");
        let trash = sandbox.lane(["trash"]).ok();
        assert!(trash.contains("attempt-6"), "{trash}");
        assert!(sandbox.git(["branch", "--list", "attempt-*"]).is_empty());
    });
}

#[test]
fn an_orchestrator_lands_those_who_have_done_it() {
    let prepare = |sandbox: &Sandbox| {
        let tasks = "{\"name\": \"login\", \"task\": \"ask for the password\"}\n\
                     {\"name\": \"search\", \"task\": \"search in titles\"}\n\
                     {\"name\": \"cart\", \"task\": \"remember the cart\"}\n";
        sandbox.write("tasks.jsonl", tasks);
        executable(
            &sandbox.repo.join("test"),
            "#!/bin/sh\ntest -f login.txt -a -f search.txt\n",
        );
        sandbox.commit("scripts");
    };
    each("orchestrator", prepare, |sandbox, run| {
        assert_eq!(
            on_main(sandbox),
            ["login.txt", "search.txt", "test"],
            "{run}"
        );
        assert_eq!(lanes(sandbox), Vec::<String>::new());
        assert!(run.stdout.contains("blocked"), "{run}");
        let trash = sandbox.lane(["trash"]).ok();
        assert!(trash.contains("cart"), "{trash}");
    });
}
