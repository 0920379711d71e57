//! What a resolver does that is no resolution: the lane is as before, what was made is kept, and the
//! error says why.

use std::path::Path;
use std::process::Stdio;

use super::{BOTH, code, conflicting};
use crate::support::{Sandbox, wait_until, write};

/// What a resolver does, what the error says of it, and a file that must be in what is kept.
const TABLE: &[(&str, &str, Option<&str>)] = &[
    ("exit 7", "the command ended with exit code 7", None),
    ("kill -9 $$", "the command was ended by signal 9", None),
    ("true", "conflict markers are left in 'src/app.txt'", None),
    (
        "git add src/app.txt",
        "conflict markers are left in 'src/app.txt'",
        None,
    ),
    (
        "git commit -qam marked",
        "conflict markers are left in 'src/app.txt'",
        Some("src/app.txt"),
    ),
    (
        "sed -i '/^[=>]/d' src/app.txt",
        "conflict markers are left",
        Some("src/app.txt"),
    ),
    (
        "BOTH; exit 1",
        "the command ended with exit code 1",
        Some("src/app.txt"),
    ),
    (
        "BOTH; touch left",
        "files were left that are not added: 'left'",
        Some("left"),
    ),
    (
        "BOTH; mkdir d; touch d/left",
        "files were left that are not added: 'd/left'",
        Some("d/left"),
    ),
    ("git merge --abort", "the merge was taken back", None),
    (
        "git reset -q --hard HEAD^",
        "the lane's branch does not have the base",
        None,
    ),
    (
        "git merge --abort; git commit -q --allow-empty -m mine",
        "the lane's branch does not have the base",
        None,
    ),
    (
        "git reset -q --hard main",
        "the lane's branch does not have the lane's own commits",
        None,
    ),
    (
        "git merge --abort; git switch -q -c other; touch new; git add new; git commit -qm new",
        "the worktree was switched to 'other'",
        Some("new"),
    ),
    (
        "git merge --abort; git switch -q --detach",
        "the worktree has left the lane's branch",
        None,
    ),
    (
        "git merge --abort; git rebase -q main; true",
        "the worktree has left the lane's branch",
        None,
    ),
    (
        "git merge --abort; git cherry-pick main; true",
        "a cherry-pick is in progress",
        None,
    ),
    (
        "BOTH; git commit -qam x; echo more >of-the-base",
        "the commit does not have all",
        Some("of-the-base"),
    ),
    (
        "BOTH; git commit -qam x; touch left",
        "the commit does not have all",
        Some("left"),
    ),
    (
        "echo left >.gitignore; BOTH; echo x >left; exit 1",
        "exit code 1",
        Some(".gitignore"),
    ),
    ("git branch -m elsewhere; exit 1", "exit code 1", None),
    (
        "rm -r src of-the-base .gitignore; exit 1",
        "exit code 1",
        None,
    ),
    ("chmod +x README; exit 1", "exit code 1", None),
    (
        "rm README; ln -s src README; exit 1",
        "exit code 1",
        Some("README"),
    ),
    (
        "rm \"$(git rev-parse --git-dir)/index\"; exit 1",
        "exit code 1",
        None,
    ),
    (
        "rm \"$(git rev-parse --git-dir)/MERGE_HEAD\"; BOTH",
        "the merge was taken back",
        Some("src/app.txt"),
    ),
];

#[test]
fn the_lane_is_as_before_and_what_was_made_is_kept() {
    for (does, why, kept) in TABLE {
        let sandbox = conflicting();
        write(&sandbox.lane_path("login").join("ignored"), "mine\n");
        let before = sandbox.lane_as_it_is("login");
        let main = sandbox.git(["rev-parse", "main"]);
        let resolver = does.replace("BOTH", BOTH);
        let run = sandbox.resolving(&resolver, &["--json", "--strategy", "merge"]);
        assert_eq!(run.code, 3, "{does}: {run}");
        let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        let message = document["error"]["message"].as_str().unwrap();
        let begins = "the conflict of lane 'login' with 'main' is not resolved: ";
        assert!(
            message.starts_with(begins) && message.contains(why),
            "{does}: {run}"
        );
        assert_eq!(code(&document), "unresolved", "{does}");
        let paths = &document["error"]["details"]["paths"];
        assert_eq!(*paths, serde_json::json!(["src/app.txt"]), "{does}");
        assert_eq!(sandbox.lane_as_it_is("login"), before, "{does}: {run}");
        assert_eq!(sandbox.git(["rev-parse", "main"]), main);
        assert!(
            run.stderr.contains("hint: the lane is as before"),
            "{does}: {run}"
        );
        let attempt = document["error"]["details"]["attempt"].as_str();
        assert!(kept.is_none() || attempt.is_some(), "{does}: {run}");
        if let Some((file, attempt)) = kept.zip(attempt) {
            sandbox.git(["cat-file", "-e", &format!("{attempt}:{file}")]);
            let short = &attempt[..10];
            let hint = format!("kept: git show -m --first-parent {short}");
            assert!(run.stderr.contains(&hint), "{does}: {run}");
            // For as long as the reflog has it.
            sandbox.git(["config", "gc.reflogExpire", "never"]);
            sandbox.git(["config", "gc.reflogExpireUnreachable", "never"]);
            sandbox.git(["gc", "-q", "--prune=now"]);
            let shown = sandbox.git(["show", "-m", "--first-parent", "--name-only", attempt]);
            assert!(shown.contains(file), "{does}: {shown}");
            let log = sandbox.git(["reflog", "login"]);
            assert!(
                log.contains("lane: what was made of the conflict with 'main'"),
                "{log}"
            );
        }
        sandbox.plain_git_works();
        sandbox.nothing_under_way();
        // It can be tried again.
        sandbox.resolving(BOTH, &["--strategy", "merge"]).ok();
    }
}

#[test]
fn a_resolver_that_does_nothing_leaves_no_attempt() {
    for does in ["true", "exit 1", "git merge --abort"] {
        let sandbox = conflicting();
        let run = sandbox.resolving(does, &["--json"]);
        let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        let attempt = &document["error"]["details"]["attempt"];
        assert!(attempt.is_null(), "{does}: {run}");
    }
}

/// What a resolver's own rules ignore is in the way of nothing, and is kept too.
#[test]
fn files_that_the_resolver_has_had_ignored_are_kept() {
    let sandbox = conflicting();
    let run = sandbox.resolving("echo left >.gitignore; echo x >left; exit 1", &["--json"]);
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let attempt = document["error"]["details"]["attempt"].as_str().unwrap();
    assert_eq!(sandbox.git(["show", &format!("{attempt}:left")]), "x");
    assert_eq!(
        sandbox.git(["show", &format!("{attempt}^:.gitignore")]),
        "left"
    );
}

#[test]
fn a_worktree_that_the_resolver_takes_away_is_told_as_that() {
    let gone = "shop.lanes/login' was removed or moved while the command ran";
    for (does, why) in [
        (
            "cd ../../shop && git worktree remove --force ../shop.lanes/login",
            gone,
        ),
        ("rm -rf ../login", gone),
        ("mv ../login ../moved", gone),
        (
            "rm .git; exit 1",
            "shop.lanes/login' is not the lane's worktree any more",
        ),
        (
            "cd ../../shop && git config --remove-section lane.login",
            "the lane was removed while the command ran",
        ),
    ] {
        let sandbox = conflicting();
        let run = sandbox.resolving(does, &[]);
        assert_eq!(run.code, 3, "{does}: {run}");
        assert!(run.stderr.contains(why), "{does}: {run}");
        sandbox.nothing_under_way();
    }
}

/// It would take the conflict away from the git-lane that has laid it out.
#[test]
fn a_resolver_cannot_drop_its_lane() {
    let sandbox = conflicting();
    let before = sandbox.lane_as_it_is("login");
    let does = "cd ../../shop && git-lane drop --yes --force login";
    let said = sandbox.resolving(does, &[]).fails(3);
    assert!(said.contains("which is still at work"), "{said}");
    assert_eq!(sandbox.lane_as_it_is("login"), before);
    sandbox.nothing_under_way();
}

#[test]
fn without_reflogs_the_attempt_is_a_commit_that_nothing_names() {
    let sandbox = conflicting();
    sandbox.git(["config", "core.logAllRefUpdates", "false"]);
    std::fs::remove_dir_all(sandbox.repo.join(".git/logs")).unwrap();
    let admin = sandbox.admin(&sandbox.lane_path("login"));
    std::fs::remove_dir_all(admin.join("logs")).unwrap();
    let run = sandbox.resolving("echo new >new; exit 1", &["--json"]);
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let attempt = document["error"]["details"]["attempt"].as_str().unwrap();
    assert_eq!(sandbox.git(["show", &format!("{attempt}:new")]), "new");
    assert_eq!(
        sandbox.git_in(&sandbox.lane_path("login"), ["status", "--porcelain"]),
        ""
    );
}

#[test]
fn a_lane_that_the_resolver_moves_is_put_back_where_it_is() {
    let sandbox = conflicting();
    let (was, moved) = (sandbox.lane_path("login"), sandbox.lane_path("moved"));
    let tip = sandbox.git(["rev-parse", "login"]);
    let resolver = format!(
        "cd ../../shop && git worktree move '{}' '{}'; exit 1",
        was.display(),
        moved.display()
    );
    let said = sandbox.resolving(&resolver, &[]).fails(3);
    assert!(said.contains("the lane is as before"), "{said}");
    assert_eq!(sandbox.git_in(&moved, ["status", "--porcelain"]), "");
    assert_eq!(sandbox.git_in(&moved, ["rev-parse", "HEAD"]), tip);
    sandbox.nothing_under_way();
}

#[test]
fn ignored_files_and_new_branches_stay_as_the_resolver_leaves_them() {
    let sandbox = conflicting();
    let ignored = sandbox.lane_path("login").join("ignored");
    write(&ignored, "mine\n");
    sandbox
        .resolving("echo its >ignored; git branch its; exit 1", &[])
        .fails(3);
    assert_eq!(std::fs::read_to_string(ignored).unwrap(), "its\n");
    sandbox.git(["rev-parse", "--verify", "refs/heads/its"]);
}

/// A repository cannot be kept in a commit, so it stays, and that is said.
#[test]
fn what_cannot_be_kept_stays_and_is_told() {
    let sandbox = conflicting();
    let run = sandbox.resolving("git init -q inner && touch inner/x; exit 1", &[]);
    let inner = sandbox.lane_path("login").join("inner/x");
    let said = run.fails(3);
    assert!(said.contains("not all of the lane is as before"), "{said}");
    assert!(inner.exists());
    let head = sandbox.git_in(&sandbox.lane_path("login"), ["rev-parse", "HEAD"]);
    assert_eq!(head, sandbox.git(["rev-parse", "login"]));
    for does in [
        "git init -q inner",
        "git init -q d/inner",
        "git init -q inner; echo inner >>.gitignore",
        "mv src/app.txt x; git init -q src/app.txt; cp x src/app.txt",
        "git clone -q ../../shop inner",
        "git clone -q ../../shop inner; git add inner",
        "git clone -q ../../shop d/inner; git add d; git commit -qm x",
        "rm README; git clone -q ../../shop README; git add README",
        "git worktree add -q inner main~1 --detach",
    ] {
        let sandbox = conflicting();
        let before = sandbox.lane_as_it_is("login");
        let said = sandbox.resolving(&format!("{does}; exit 1"), &[]).fails(3);
        let is_told = said.contains("not all of the lane is as before");
        let is_as_before = sandbox.lane_as_it_is("login") == before;
        assert_eq!(is_told, !is_as_before, "{does}: {said}");
    }
}

/// Runs `finish` in the background with a resolver that says where it is and then waits.
fn waiting(sandbox: &Sandbox, then: &str) -> (std::process::Child, std::path::PathBuf) {
    let begun = sandbox.root().join("home/begun");
    let resolver = format!("{BOTH}; echo $$ >'{}'; {then}", begun.display());
    let mut command = sandbox.command("git-lane");
    command.args(["finish", "login", "--on-conflict", &resolver]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    wait_until(|| std::fs::read_to_string(&begun).is_ok_and(|text| text.ends_with('\n')));
    (child, begun)
}

fn signal(process: u32, name: &str) {
    let mut kill = std::process::Command::new("kill");
    kill.args(["-s", name, &process.to_string()]);
    assert!(kill.status().unwrap().success());
}

#[test]
fn an_interrupt_is_for_the_resolver_and_git_lane_judges_afterwards() {
    let sandbox = conflicting();
    let before = sandbox.lane_as_it_is("login");
    let (child, begun) = waiting(&sandbox, "exec sleep 60");
    let resolver: u32 = std::fs::read_to_string(begun)
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    // As a terminal does: both are told.
    signal(child.id(), "INT");
    signal(resolver, "INT");
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("the command was ended by signal 2"), "{said}");
    assert_eq!(sandbox.lane_as_it_is("login"), before);
}

/// Waits until the file is there, or the sandbox of a test that has failed is gone.
fn until(go: &Path) -> String {
    let there = go.parent().unwrap().display();
    let go = go.display();
    format!("while test -d '{there}' && ! test -e '{go}'; do sleep 0.05; done")
}

#[test]
fn an_interrupt_that_the_resolver_survives_ends_nothing() {
    let sandbox = conflicting();
    let go = sandbox.root().join("home/go");
    let then = until(&go);
    let (child, _) = waiting(&sandbox, &then);
    signal(child.id(), "INT");
    write(&go, "");
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn a_signal_to_end_ends_the_resolver_and_the_lane_is_as_before() {
    use std::os::unix::process::ExitStatusExt;
    let sandbox = conflicting();
    let before = sandbox.lane_as_it_is("login");
    let (child, _) = waiting(&sandbox, "exec sleep 60");
    signal(child.id(), "TERM");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.signal(), Some(15));
    assert_eq!(sandbox.lane_as_it_is("login"), before);
    sandbox.nothing_under_way();
}

/// It may still write into the lane.
#[test]
fn a_lane_is_put_back_only_once_all_that_was_started_has_ended() {
    let sandbox = conflicting();
    let before = sandbox.lane_as_it_is("login");
    let run = sandbox.resolving("sleep 8 >/dev/null 2>&1 & exit 1", &[]);
    assert!(
        run.stderr.contains("is still at work in lane 'login'"),
        "{run}"
    );
    assert_eq!(run.code, 4, "{run}");
    assert_ne!(sandbox.lane_as_it_is("login"), before);
    let said = sandbox.lane(["start", "other"]);
    assert!(
        said.stderr.contains("lane 'login'") && said.stderr.contains("undone"),
        "{said}"
    );
    assert_eq!(sandbox.lane_as_it_is("login"), before);
}

/// No other program asks the children of the shell to end, and they may write into the lane.
#[test]
fn a_signal_to_end_ends_all_that_the_resolver_has_started() {
    let sandbox = conflicting();
    let before = sandbox.lane_as_it_is("login");
    let (child, _) = waiting(&sandbox, "sh -c 'sleep 60; true'; true");
    let begun = std::time::Instant::now();
    signal(child.id(), "TERM");
    child.wait_with_output().unwrap();
    assert!(begun.elapsed() < std::time::Duration::from_secs(30));
    assert_eq!(sandbox.lane_as_it_is("login"), before);
    sandbox.nothing_under_way();
}

/// dash ends of an interrupt once what it runs has ended, be that well.
#[test]
fn an_interrupt_that_the_tool_survives_is_no_failure() {
    let sandbox = conflicting();
    let mut command = sandbox.command("git-lane");
    let tool = format!("{BOTH}; sh -c 'trap \"exit 0\" INT; echo $$ >../it; sleep 1; sleep 1'");
    let it = sandbox.lane_path("it");
    command.args(["finish", "login", "--on-conflict", &tool]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    wait_until(|| std::fs::read_to_string(&it).is_ok_and(|text| text.ends_with('\n')));
    let tool: u32 = std::fs::read_to_string(&it)
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    let above = std::fs::read_to_string(format!("/proc/{tool}/stat")).unwrap();
    let shell: u32 = above.split(' ').nth(3).unwrap().parse().unwrap();
    for process in [child.id(), shell, tool] {
        signal(process, "INT");
    }
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
}

/// git would resolve the next conflict as this one was, which git-lane has not found good.
#[test]
fn a_resolution_that_was_given_up_is_not_remembered() {
    for does in [
        "echo wrong >src/app.txt; git commit -qam x; exit 1",
        "echo wrong >src/app.txt; git rerere; exit 1",
        "echo wrong >src/app.txt; touch left",
    ] {
        let sandbox = conflicting();
        sandbox.git(["config", "rerere.enabled", "true"]);
        sandbox.resolving(does, &[]).fails(3);
        let run = sandbox.resolving(&format!("{BOTH}; touch ../ran"), &[]);
        run.ok();
        assert!(sandbox.lane_path("ran").exists(), "{does}");
        let landed = sandbox.git(["show", "main:src/app.txt"]);
        assert!(!landed.contains("wrong"), "{does}: {landed}");
    }
}

#[test]
fn without_a_gate_no_wait_for_one_is_told() {
    let sandbox = conflicting();
    let said = sandbox.resolving("sleep 0.4; exit 1", &[]).fails(3);
    assert!(!said.contains("waiting for the gate"), "{said}");
}

#[test]
fn two_cannot_lay_out_a_conflict_in_one_lane() {
    let sandbox = conflicting();
    let go = sandbox.root().join("home/go");
    let then = until(&go);
    let (child, _) = waiting(&sandbox, &then);
    for args in [
        &["finish", "login", "--on-conflict", BOTH][..],
        &["finish", "login"],
        &["finish", "login", "--no-land", "--force"],
        &["sync", "login"],
        &["drop", "--yes", "--force", "login"],
    ] {
        let said = sandbox.lane(args).fails(1);
        let why = "a conflict is laid out in lane 'login' by another git-lane command";
        assert!(said.contains(why), "{args:?}: {said}");
    }
    sandbox.lane(["list"]).ok();
    write(&go, "");
    assert!(child.wait_with_output().unwrap().status.success());
}
