//! `git lane finish`: every way to land, and everything that must stop one.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::sandbox::{Run, Sandbox, git_version, write};

/// A lane as `git lane start` would leave it.
fn lane(sandbox: &Sandbox, name: &str, base: &str) -> PathBuf {
    let path = sandbox.lane_path(name);
    sandbox.git(["worktree", "add", "-q", "-b", name, path.to_str().unwrap(), base]);
    record(sandbox, name, &path, base);
    path
}

fn record(sandbox: &Sandbox, name: &str, path: &Path, base: &str) {
    let fork = sandbox.git(["rev-parse", base]);
    let base = format!("refs/heads/{base}");
    for (key, value) in [
        ("id", format!("id-{name}").as_str()),
        ("branch", name),
        ("worktree", path.to_str().unwrap()),
        ("base", &base),
        ("forkPoint", &fork),
        ("owner", "claude:7"),
        ("task", "T-1"),
        ("created", "2023-11-14T22:13:20Z"),
    ] {
        sandbox.git(["config", &format!("lane.{name}.{key}"), value]);
    }
}

/// A sandbox with lane `login`, which changes `src/app.txt` and adds `new.txt` in two commits.
fn with_lane() -> Sandbox {
    let sandbox = Sandbox::new();
    lane(&sandbox, "login", "main");
    sandbox.work("login", "src/app.txt", "one\ntwo\nTHREE\n");
    sandbox.work("login", "new.txt", "new\n");
    sandbox
}

/// Moves `main` on, so that a merge is a real one.
fn advance(sandbox: &Sandbox) {
    sandbox.write("other.txt", "other\n");
    sandbox.commit("other");
}

fn finish<const N: usize>(sandbox: &Sandbox, args: [&str; N]) -> Run {
    sandbox.lane(["finish", "login"].into_iter().chain(args))
}

fn clean(sandbox: &Sandbox, directory: &Path) {
    assert_eq!(sandbox.git_in(directory, ["status", "--porcelain"]), "");
}

fn retired(sandbox: &Sandbox) {
    assert!(!sandbox.lane_path("login").exists());
    assert_eq!(sandbox.git(["branch", "--list", "login"]), "");
    assert_eq!(sandbox.git(["for-each-ref", "--format=x", "refs/lane/trash"]), "x");
    sandbox.git(["fsck", "--strict"]);
}

fn hook(sandbox: &Sandbox, name: &str, script: &str) {
    let file = sandbox.repo.join(".git/hooks").join(name);
    write(&file, format!("#!/bin/sh\n{script}\n"));
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
}

fn log(sandbox: &Sandbox, format: &str) -> String {
    sandbox.git(["log", "-1", &format!("--format={format}"), "main"])
}

#[test]
fn a_merge_lands_a_merge_commit_and_its_worktree_follows() {
    let sandbox = with_lane();
    advance(&sandbox);
    let (old, tip) = (sandbox.git(["rev-parse", "main"]), sandbox.git(["rev-parse", "login"]));
    let report = finish(&sandbox, ["--json"]).json();
    assert_eq!(log(&sandbox, "%P|%s"), format!("{old} {tip}|Merge lane 'login' into main"));
    assert_eq!(std::fs::read_to_string(sandbox.repo.join("src/app.txt")).unwrap(), "one\ntwo\nTHREE\n");
    clean(&sandbox, &sandbox.repo);
    retired(&sandbox);
    assert_eq!(report["landed"]["commits"], 2);
    assert_eq!(report["landed"]["from"], old.as_str());
    assert_eq!(report["landed"]["to"], sandbox.git(["rev-parse", "main"]).as_str());
    assert_eq!(sandbox.git(["rev-parse", "ORIG_HEAD"]), old);
    for log in ["HEAD", "main"] {
        assert!(sandbox.git(["reflog", "-1", "--format=%gs", log]).contains("lane: finish 'login' (merge)"), "{log}");
    }
}

#[test]
fn a_merge_is_made_even_where_a_fast_forward_would_do() {
    let sandbox = with_lane();
    finish(&sandbox, []).ok();
    assert_eq!(log(&sandbox, "%P").split(' ').count(), 2);
    retired(&sandbox);
}

#[test]
fn squash_makes_one_commit_that_lists_what_it_stands_for() {
    let sandbox = with_lane();
    advance(&sandbox);
    let old = sandbox.git(["rev-parse", "main"]);
    finish(&sandbox, ["--strategy", "squash"]).ok();
    assert_eq!(log(&sandbox, "%P"), old);
    assert!(log(&sandbox, "%B").ends_with("* login: src/app.txt\n* login: new.txt"), "{}", log(&sandbox, "%B"));
    clean(&sandbox, &sandbox.repo);
    retired(&sandbox);
}

#[test]
fn rebase_replays_commits_as_git_rebase_does() {
    let sandbox = with_lane();
    let lane = sandbox.lane_path("login");
    // What git itself makes of it is the yardstick: same trees, authors, dates, messages.
    sandbox.write("src/app.txt", "zero\none\ntwo\nthree\n");
    sandbox.commit("advance");
    write(&lane.join("picked.txt"), "picked\n");
    sandbox.git_in(&lane, ["add", "."]);
    sandbox.git_in(
        &lane,
        ["-c", "user.name=x", "commit", "-qm", "picked", "--author=Zoë <z@x>", "--date=@1600000000 +0130"],
    );
    sandbox.git(["cherry-pick", "login"]);
    sandbox.git_in(&lane, ["commit", "-q", "--allow-empty", "-m", "empty from the start"]);
    write(&lane.join("last.txt"), "last\n");
    sandbox.git_in(&lane, ["add", "."]);
    sandbox.git_in(&lane, ["commit", "-qm", "last\n\nbody", "--author=Zoë <z@x>", "--date=@1600000000 +0130"]);
    sandbox.git(["branch", "yardstick", "login"]);
    let other = sandbox.root().join("yardstick");
    sandbox.git(["worktree", "add", "-q", other.to_str().unwrap(), "yardstick"]);
    sandbox.git_in(&other, ["rebase", "-q", "main"]);
    let expected = sandbox.git(["rev-parse", "yardstick"]);
    sandbox.git(["worktree", "remove", other.to_str().unwrap()]);
    let report = finish(&sandbox, ["--strategy", "rebase", "--json"]).json();
    assert_eq!(sandbox.git(["rev-parse", "main"]), expected);
    assert_eq!(report["landed"]["commits"], 4);
    clean(&sandbox, &sandbox.repo);
    retired(&sandbox);
}

#[test]
fn rebase_drops_what_becomes_empty() {
    let sandbox = with_lane();
    // One commit of the base holds both of the lane's: no patch id tells.
    sandbox.git(["merge", "-q", "--squash", "login"]);
    sandbox.commit("both at once");
    advance(&sandbox);
    sandbox.work("login", "last.txt", "last\n");
    let old = sandbox.git(["rev-parse", "main"]);
    let report = finish(&sandbox, ["--strategy", "rebase", "--json"]).json();
    assert_eq!(report["landed"]["commits"], 1);
    assert_eq!(log(&sandbox, "%P|%s"), format!("{old}|login: last.txt"));
}

#[test]
fn rebase_linearises_merges_and_names_the_commit_that_conflicts() {
    let sandbox = with_lane();
    advance(&sandbox);
    sandbox.git_in(&sandbox.lane_path("login"), ["merge", "-q", "--no-edit", "main"]);
    sandbox.work("login", "after.txt", "after\n");
    sandbox.write("third.txt", "third\n");
    sandbox.commit("third");
    finish(&sandbox, ["--strategy", "rebase"]).ok();
    assert_eq!(sandbox.git(["rev-list", "--min-parents=2", "main"]), "");
    assert_eq!(
        sandbox.git(["log", "-3", "--format=%s", "main"]),
        "login: after.txt\nlogin: new.txt\nlogin: src/app.txt"
    );

    lane(&sandbox, "next", "main");
    sandbox.work("next", "fine.txt", "fine\n");
    sandbox.work("next", "src/app.txt", "next\n");
    sandbox.write("src/app.txt", "main\n");
    sandbox.commit("clash");
    let before = sandbox.fingerprint();
    let stderr = sandbox.lane(["finish", "next", "--strategy", "rebase"]).fails(3);
    assert!(stderr.contains("next: src/app.txt") && stderr.contains("'src/app.txt'"), "{stderr}");
    assert_eq!(sandbox.fingerprint(), before);
}

#[test]
fn ff_moves_the_base_to_the_tip_or_refuses() {
    let sandbox = with_lane();
    let tip = sandbox.git(["rev-parse", "login"]);
    advance(&sandbox);
    let before = sandbox.fingerprint();
    assert!(finish(&sandbox, ["--strategy", "ff"]).fails(1).contains("git rebase main"));
    assert_eq!(sandbox.fingerprint(), before);
    sandbox.git(["reset", "-q", "--hard", "HEAD^"]);
    finish(&sandbox, ["--strategy", "ff"]).ok();
    assert_eq!(sandbox.git(["rev-parse", "main"]), tip);
    clean(&sandbox, &sandbox.repo);
    retired(&sandbox);
}

#[test]
fn the_base_may_be_checked_out_in_a_linked_worktree_nowhere_or_the_repository_be_bare() {
    for strategy in ["merge", "squash", "rebase", "ff"] {
        let linked = with_lane();
        let other = linked.root().join("linked");
        linked.git(["switch", "-q", "-c", "elsewhere"]);
        linked.git(["worktree", "add", "-q", other.to_str().unwrap(), "main"]);
        finish(&linked, ["--strategy", strategy]).ok();
        assert!(other.join("new.txt").exists());
        assert!(!linked.repo.join("new.txt").exists());
        clean(&linked, &other);
        clean(&linked, &linked.repo);
        retired(&linked);

        let nowhere = with_lane();
        nowhere.git(["switch", "-q", "--detach"]);
        finish(&nowhere, ["--strategy", strategy]).ok();
        assert_eq!(nowhere.git(["show", "main:new.txt"]), "new");
        clean(&nowhere, &nowhere.repo);
        retired(&nowhere);

        let bare = with_lane();
        // The repository becomes bare: its main worktree's files are none of git's business any more.
        bare.git(["config", "core.bare", "true"]);
        std::fs::remove_file(bare.repo.join(".git/index")).unwrap();
        finish(&bare, ["--strategy", strategy]).ok();
        assert_eq!(bare.git(["show", "main:new.txt"]), "new");
        assert!(!bare.repo.join("new.txt").exists());
        retired(&bare);
    }
}

#[test]
fn a_conflict_is_told_with_its_paths_before_anything_has_changed() {
    let sandbox = with_lane();
    sandbox.write("src/app.txt", "one\ntwo\ndrei\n");
    sandbox.commit("clash");
    sandbox.git(["config", "rerere.enabled", "true"]);
    for strategy in ["merge", "squash", "rebase"] {
        let before = sandbox.fingerprint();
        let run = finish(&sandbox, ["--strategy", strategy, "--json"]);
        let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        run.fails(3);
        assert_eq!(document["error"]["details"]["paths"], serde_json::json!(["src/app.txt"]), "{strategy}");
        assert_eq!(sandbox.fingerprint(), before, "{strategy}");
    }
    // The hint works: resolve in the lane, finish again.
    let lane = sandbox.lane_path("login");
    assert!(finish(&sandbox, []).fails(3).contains("in the lane: git merge main"));
    let mut merge = sandbox.command("git");
    sandbox.run(merge.current_dir(&lane).args(["merge", "-q", "main"])).fails(1);
    sandbox.work("login", "src/app.txt", "one\ntwo\ndrei THREE\n");
    finish(&sandbox, []).ok();
    retired(&sandbox);
}

#[test]
fn local_changes_in_the_way_are_named_and_others_stay() {
    let sandbox = with_lane();
    sandbox.write("README", "edited\n");
    sandbox.write("staged.txt", "staged\n");
    sandbox.git(["add", "staged.txt"]);
    for (path, content) in [("src/app.txt", "mine\n"), ("new.txt", "mine\n")] {
        let kept = std::fs::read(sandbox.repo.join(path)).ok();
        sandbox.write(path, content);
        let before = sandbox.fingerprint();
        let stderr = finish(&sandbox, []).fails(1);
        assert!(stderr.contains(&format!("in the way: '{path}'")), "{stderr}");
        assert_eq!(without_objects(&sandbox.fingerprint()), without_objects(&before));
        match kept {
            Some(content) => sandbox.write(path, content),
            None => std::fs::remove_file(sandbox.repo.join(path)).unwrap(),
        }
    }
    // Ignored files are work too, and a touched file is none.
    sandbox.write(".git/info/exclude", "new.txt\n");
    sandbox.write("new.txt", "ignored\n");
    assert!(finish(&sandbox, []).fails(1).contains("'new.txt'"));
    std::fs::remove_file(sandbox.repo.join("new.txt")).unwrap();
    sandbox.write("src/app.txt", "one\ntwo\nthree\n");
    finish(&sandbox, []).ok();
    assert_eq!(sandbox.git(["status", "--porcelain"]), " M README\nA  staged.txt");
    assert_eq!(std::fs::read_to_string(sandbox.repo.join("README")).unwrap(), "edited\n");
    retired(&sandbox);
}

/// Objects a refused landing has made are unreachable and no change.
fn without_objects(fingerprint: &str) -> String {
    fingerprint.lines().filter(|line| !line.contains(".git/objects/")).collect::<Vec<_>>().join("\n")
}

#[test]
fn an_untracked_file_where_a_directory_goes_is_in_the_way() {
    let sandbox = Sandbox::new();
    lane(&sandbox, "login", "main");
    sandbox.work("login", "lib/a.txt", "a\n");
    sandbox.write(".git/info/exclude", "lib\n");
    sandbox.write("lib", "ignored\n");
    assert!(finish(&sandbox, []).fails(1).contains("'lib'"));
    std::fs::remove_file(sandbox.repo.join("lib")).unwrap();
    finish(&sandbox, []).ok();
    // And the other way round: ignored files below a directory that becomes a file.
    lane(&sandbox, "login", "main");
    std::fs::remove_dir_all(sandbox.lane_path("login").join("lib")).unwrap();
    sandbox.git_in(&sandbox.lane_path("login"), ["config", "core.excludesFile", "/dev/null"]);
    std::fs::write(sandbox.repo.join(".git/info/exclude"), "*.o\n").unwrap();
    sandbox.work("login", "lib", "file\n");
    sandbox.write("lib/a.o", "object\n");
    assert!(finish(&sandbox, []).fails(1).contains("'lib/a.o'"));
    std::fs::remove_file(sandbox.repo.join("lib/a.o")).unwrap();
    finish(&sandbox, []).ok();
    assert_eq!(std::fs::read_to_string(sandbox.repo.join("lib")).unwrap(), "file\n");
    clean(&sandbox, &sandbox.repo);
}

#[test]
fn a_lane_that_is_not_settled_is_refused_and_commit_settles_it() {
    let sandbox = with_lane();
    let lane = sandbox.lane_path("login");
    write(&lane.join("draft.txt"), "draft\n");
    write(&lane.join("README"), "shop, edited\n");
    let before = sandbox.fingerprint();
    let stderr = finish(&sandbox, []).fails(1);
    assert!(stderr.contains("1 modified, 1 untracked") && stderr.contains("--commit MESSAGE"), "{stderr}");
    assert_eq!(sandbox.fingerprint(), before);

    hook(&sandbox, "pre-commit", "exit 1");
    finish(&sandbox, ["--commit", "drafts"]).fails(1);
    assert_eq!(sandbox.git_in(&lane, ["status", "--porcelain"]), " M README\n?? draft.txt");
    finish(&sandbox, ["--commit", "drafts", "--no-verify"]).ok();
    assert_eq!(sandbox.git(["log", "-1", "--format=%s", "main^2"]), "drafts");
    assert_eq!(sandbox.git(["show", "main:draft.txt"]), "draft");
    retired(&sandbox);
}

#[test]
fn stray_operating_and_unknown_lanes_are_refused() {
    let sandbox = with_lane();
    let lane = sandbox.lane_path("login");
    sandbox.git_in(&lane, ["switch", "-q", "-c", "stray"]);
    assert!(finish(&sandbox, []).fails(1).contains("on 'stray' instead of 'login'"));
    sandbox.git_in(&lane, ["switch", "-q", "login"]);
    sandbox.git_in(&lane, ["bisect", "start"]);
    assert!(finish(&sandbox, []).fails(1).contains("in the middle of a bisect"));
    assert!(sandbox.lane(["finish", "nobody"]).fails(1).contains("no lane 'nobody'"));
    assert!(sandbox.lane(["finish"]).fails(2).contains("no lane"));
    assert!(finish(&sandbox, ["--into", "nowhere"]).fails(1).contains("bisect"));
}

#[test]
fn a_base_that_is_busy_or_checked_out_twice_is_refused() {
    let sandbox = with_lane();
    sandbox.write(".git/MERGE_HEAD", format!("{}\n", sandbox.git(["rev-parse", "login"])));
    assert!(finish(&sandbox, []).fails(1).contains("in the middle of a merge"));
    std::fs::remove_file(sandbox.repo.join(".git/MERGE_HEAD")).unwrap();
    let twice = sandbox.root().join("twice");
    sandbox.git(["worktree", "add", "-q", "-f", twice.to_str().unwrap(), "main"]);
    assert!(finish(&sandbox, []).fails(1).contains("several worktrees"));
    sandbox.git(["switch", "-q", "--detach"]);
    let mut rebase = sandbox.command("git");
    rebase.current_dir(&twice).args(["rebase", "-q", "--root", "-x", "false"]);
    sandbox.run(&mut rebase).fails(1);
    assert!(finish(&sandbox, []).fails(1).contains("in the middle of a rebase"));
}

#[test]
fn nothing_to_land_is_success_and_retires() {
    let sandbox = Sandbox::new();
    lane(&sandbox, "login", "main");
    let old = sandbox.git(["rev-parse", "main"]);
    assert_eq!(finish(&sandbox, ["--json"]).json()["integrated"], "same-commit");
    assert_eq!(sandbox.git(["rev-parse", "main"]), old);
    retired(&sandbox);
    // Somebody squashed it by hand.
    let sandbox = with_lane();
    sandbox.git(["merge", "-q", "--squash", "login"]);
    sandbox.commit("squashed by hand");
    advance(&sandbox);
    for args in [["--json", "-n"], ["--json", "--strategy=merge"]] {
        assert_eq!(finish(&sandbox, args).json()["integrated"], "same-content");
    }
    retired(&sandbox);
}

#[test]
fn no_land_needs_proof_or_force_and_keep_keeps() {
    let sandbox = with_lane();
    assert!(finish(&sandbox, ["--no-land"]).fails(1).contains("not in 'main'"));
    finish(&sandbox, ["--keep"]).ok();
    assert!(sandbox.lane_path("login").exists());
    finish(&sandbox, ["--no-land"]).ok();
    retired(&sandbox);
    let sandbox = with_lane();
    let old = sandbox.git(["rev-parse", "main"]);
    finish(&sandbox, ["--no-land", "--force"]).ok();
    assert_eq!(sandbox.git(["rev-parse", "main"]), old);
    retired(&sandbox);
}

#[test]
fn a_dry_run_tells_and_changes_nothing() {
    let sandbox = with_lane();
    advance(&sandbox);
    for strategy in ["merge", "squash", "rebase"] {
        let before = sandbox.fingerprint();
        let text = finish(&sandbox, ["-n", "--strategy", strategy]).ok();
        assert!(text.contains(&format!("would land lane 'login' on 'main' ({strategy}, 2 commits)")), "{text}");
        assert_eq!(sandbox.fingerprint(), before);
    }
}

#[test]
fn inside_the_lane_its_name_is_implied_and_the_way_out_is_told() {
    let sandbox = with_lane();
    let lane = sandbox.lane_path("login");
    write(&sandbox.repo.join(".git/info/exclude"), "target/\n");
    write(&lane.join("target/x.o"), "x");
    let text = sandbox.lane_in(&lane.join("src"), ["finish"]).ok();
    assert!(text.contains(&format!("cd {}", sandbox.repo.display())), "{text}");
    assert!(text.contains("  target/\n") && text.contains("git lane restore login"), "{text}");
    retired(&sandbox);
}

#[test]
fn finishing_from_inside_leaves_nothing_where_the_admin_directory_was() {
    let sandbox = with_lane();
    sandbox.lane_in(&sandbox.lane_path("login"), ["finish"]).ok();
    assert!(!sandbox.repo.join(".git/worktrees/login").exists());
}

#[test]
fn a_lane_moved_by_git_is_found_by_its_branch() {
    let sandbox = with_lane();
    let there = sandbox.root().join("elsewhere");
    sandbox.git(["worktree", "move", sandbox.lane_path("login").to_str().unwrap(), there.to_str().unwrap()]);
    let again = sandbox.lane(["--json", "start", "login", "--owner", "claude:7"]).json();
    assert_eq!(again["lanes"][0]["created"], false, "{again}");
    assert_eq!(again["lanes"][0]["path"], there.to_str().unwrap(), "{again}");
    // Inside, the name is implied.
    sandbox.lane_in(&there, ["finish"]).ok();
    assert!(!there.exists());
    sandbox.lane(["restore", "login"]).ok();
    assert_eq!(sandbox.git_in(&there, ["status", "--porcelain"]), "");
}

#[test]
fn a_lane_whose_branch_git_renamed_lands_under_the_new_name() {
    let sandbox = with_lane();
    sandbox.git(["branch", "-m", "login", "sign-in"]);
    finish(&sandbox, []).ok();
    assert_eq!(sandbox.git(["branch", "--list", "sign-in", "login"]), "");
    // Whatever the verb, a lane that is no more is named by the same word.
    for verb in ["finish", "drop", "path"] {
        let error = sandbox.lane(["--json", verb, "login"]);
        assert!(
            error.stdout.contains("\"no-such-lane\"") && error.stdout.contains("git lane restore login"),
            "{error}"
        );
        drop(error.fails(1));
    }
}

#[test]
fn hooks_see_what_git_merge_would_show_them() {
    let sandbox = with_lane();
    advance(&sandbox);
    for name in ["pre-merge-commit", "prepare-commit-msg", "commit-msg", "post-merge", "pre-commit", "post-commit"] {
        hook(&sandbox, name, &format!("echo {name} $(basename \"$1\") $2 $(pwd) $(git ls-files new.txt) >> ../seen"));
    }
    hook(
        &sandbox,
        "commit-msg",
        "echo commit-msg >> ../seen; test \"$(git show :new.txt)\" = new || exit 9; echo 'Reviewed-by: hook' >> \"$1\"",
    );
    finish(&sandbox, []).ok();
    let seen = std::fs::read_to_string(sandbox.root().join("seen")).unwrap();
    let repo = sandbox.repo.display();
    assert_eq!(
        seen,
        format!(
            "pre-merge-commit {repo} new.txt\nprepare-commit-msg MERGE_MSG merge {repo} new.txt\ncommit-msg\n\
             post-merge 0 {repo} new.txt\n"
        )
    );
    assert_eq!(log(&sandbox, "%B"), "Merge lane 'login' into main\nReviewed-by: hook");
    retired(&sandbox);
}

#[test]
fn squash_runs_the_hooks_of_git_merge_and_git_commit() {
    let sandbox = with_lane();
    for name in ["pre-merge-commit", "prepare-commit-msg", "commit-msg", "post-merge", "pre-commit", "post-commit"] {
        hook(&sandbox, name, &format!("echo {name} $(basename \"$1\") $2 >> ../seen"));
    }
    finish(&sandbox, ["--strategy", "squash", "-m", "one"]).ok();
    let seen = std::fs::read_to_string(sandbox.root().join("seen")).unwrap();
    assert_eq!(
        seen,
        "pre-commit\nprepare-commit-msg COMMIT_EDITMSG message\ncommit-msg COMMIT_EDITMSG\npost-merge 1\npost-commit\n"
    );
    assert_eq!(log(&sandbox, "%B"), "one");
}

#[test]
fn a_hook_that_says_no_stops_the_landing_and_no_verify_skips_it() {
    for (name, strategy) in [
        ("pre-merge-commit", "merge"),
        ("prepare-commit-msg", "merge"),
        ("commit-msg", "merge"),
        ("pre-commit", "squash"),
        ("commit-msg", "squash"),
    ] {
        let sandbox = with_lane();
        advance(&sandbox);
        hook(&sandbox, name, "echo no way >&2; exit 1");
        let before = sandbox.fingerprint();
        let stderr = finish(&sandbox, ["--strategy", strategy]).fails(1);
        assert!(stderr.contains("no way") && stderr.contains(&format!("hook '{name}'")), "{stderr}");
        assert_eq!(without_objects(&sandbox.fingerprint()), without_objects(&before));
        if name != "prepare-commit-msg" {
            finish(&sandbox, ["--strategy", strategy, "--no-verify"]).ok();
            retired(&sandbox);
        }
    }
}

#[test]
fn a_hook_may_change_the_tree_and_lives_where_hooks_path_says() {
    let sandbox = with_lane();
    sandbox.git(["config", "core.hooksPath", "my-hooks"]);
    sandbox.write(".git/info/exclude", "my-hooks\n");
    let file = sandbox.repo.join("my-hooks/pre-merge-commit");
    write(
        &file,
        "#!/bin/sh\necho stamped > /tmp/$$.stamp; blob=$(git hash-object -w /tmp/$$.stamp); rm /tmp/$$.stamp\n\
        git update-index --add --cacheinfo 100644,$blob,stamp.txt\n",
    );
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    finish(&sandbox, []).ok();
    assert_eq!(std::fs::read_to_string(sandbox.repo.join("stamp.txt")).unwrap(), "stamped\n");
    clean(&sandbox, &sandbox.repo);
}

#[test]
fn the_editor_has_the_last_word_and_an_empty_message_aborts() {
    let sandbox = with_lane();
    advance(&sandbox);
    let editor = |script: &str| {
        let mut command = sandbox.command("git-lane");
        command.args(["finish", "login", "--edit"]).env("GIT_EDITOR", script);
        sandbox.run(&mut command)
    };
    let before = sandbox.fingerprint();
    assert!(editor("true >").fails(1).contains("empty"));
    assert_eq!(without_objects(&sandbox.fingerprint()), without_objects(&before));
    editor("sed -i s/Merge/Join/").ok();
    assert_eq!(log(&sandbox, "%B"), "Join lane 'login' into main");
}

#[test]
fn commits_are_signed_where_the_configuration_asks() {
    for strategy in ["merge", "squash", "rebase"] {
        let sandbox = with_lane();
        advance(&sandbox);
        let program = sandbox.root().join("bin/fake-gpg");
        write(
            &program,
            "#!/bin/sh\ncat >/dev/null\necho '[GNUPG:] SIG_CREATED ' >&2\nprintf -- '-----BEGIN PGP SIGNATURE-----\\nx\\n-----END PGP SIGNATURE-----\\n'\n",
        );
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        sandbox.git(["config", "gpg.program", program.to_str().unwrap()]);
        sandbox.git(["config", "commit.gpgSign", "true"]);
        finish(&sandbox, ["--strategy", strategy]).ok();
        assert!(sandbox.git(["cat-file", "commit", "main"]).contains("gpgsig"), "{strategy}");
        assert_eq!(log(&sandbox, "%an|%ae|%cn"), "A. Author|author@example.com|C. Committer");
    }
}

#[test]
fn merge_drivers_and_attributes_of_the_base_decide_wherever_it_is() {
    for place in ["main", "nowhere", "bare"] {
        let sandbox = Sandbox::new();
        sandbox.write("deep/.gitattributes", "*.lst merge=join\n");
        sandbox.write("deep/a.lst", "a\n");
        sandbox.commit("attributes");
        sandbox.git(["config", "merge.join.driver", "cat %B >> %A"]);
        lane(&sandbox, "login", "main");
        // The lane's own idea of the attributes does not count.
        std::fs::remove_file(sandbox.lane_path("login").join("deep/.gitattributes")).unwrap();
        sandbox.work("login", "deep/a.lst", "login\n");
        sandbox.write("deep/a.lst", "main\n");
        sandbox.commit("main's");
        match place {
            "nowhere" => drop(sandbox.git(["switch", "-q", "--detach"])),
            "bare" => {
                sandbox.git(["config", "core.bare", "true"]);
                std::fs::remove_file(sandbox.repo.join(".git/index")).unwrap();
            }
            _ => {}
        }
        finish(&sandbox, []).ok();
        assert_eq!(sandbox.git(["show", "main:deep/a.lst"]), "main\nlogin", "{place}");
    }
}

#[test]
fn merge_options_of_the_base_are_honoured_or_refused() {
    let sandbox = with_lane();
    sandbox.write("src/app.txt", "one\ntwo\ndrei\n");
    sandbox.commit("clash");
    sandbox.git(["config", "branch.main.mergeOptions", "--no-ff -X ours"]);
    if git_version() < (2, 43) {
        assert!(finish(&sandbox, []).fails(1).contains("git 2.43"));
    } else {
        finish(&sandbox, []).ok();
        assert_eq!(sandbox.git(["show", "main:src/app.txt"]), "one\ntwo\ndrei");
    }
    let sandbox = with_lane();
    advance(&sandbox);
    sandbox.git(["config", "branch.main.mergeOptions", "-s ours"]);
    assert!(finish(&sandbox, []).fails(1).contains("strategy 'ours'"));
}

#[test]
fn renames_submodules_and_criss_cross_merges_land() {
    let sandbox = Sandbox::new();
    let text: String = (0..40).map(|line| format!("line {line}\n")).collect();
    sandbox.write("old.txt", &text);
    sandbox.commit("long");
    lane(&sandbox, "login", "main");
    sandbox.git(["mv", "old.txt", "renamed.txt"]);
    sandbox.commit("rename");
    sandbox.work("login", "old.txt", &text.replace("line 7\n", "line seven\n"));
    let pointer = sandbox.git(["rev-parse", "main"]);
    let lane_path = sandbox.lane_path("login");
    sandbox.git_in(&lane_path, ["update-index", "--add", "--cacheinfo", &format!("160000,{pointer},sub")]);
    sandbox.git_in(&lane_path, ["commit", "-qm", "submodule"]);
    std::fs::create_dir(lane_path.join("sub")).unwrap();
    // Criss-cross: each takes the other's first commit.
    let (ours, theirs) = (sandbox.git(["rev-parse", "main"]), sandbox.git(["rev-parse", "login"]));
    sandbox.git(["merge", "-q", "--no-edit", &theirs]);
    sandbox.git_in(&lane_path, ["merge", "-q", "--no-edit", &ours]);
    sandbox.write("m.txt", "m\n");
    sandbox.commit("m");
    sandbox.work("login", "l.txt", "l\n");
    finish(&sandbox, []).ok();
    assert!(sandbox.git(["show", "main:renamed.txt"]).contains("line seven"));
    assert!(sandbox.git(["ls-tree", "main", "sub"]).contains(&pointer));
    assert_eq!(sandbox.git(["status", "--porcelain"]), "");
}

#[test]
fn unrelated_histories_are_refused() {
    let sandbox = Sandbox::new();
    let path = lane(&sandbox, "login", "main");
    sandbox.git_in(&path, ["checkout", "-q", "--orphan", "x"]);
    sandbox.git_in(&path, ["commit", "-qm", "another root"]);
    sandbox.git_in(&path, ["branch", "-f", "login", "x"]);
    sandbox.git_in(&path, ["switch", "-q", "login"]);
    assert!(finish(&sandbox, []).fails(1).contains("share no history"));
}

#[test]
fn a_detached_lane_lands_its_head_and_a_remote_base_its_local_branch() {
    let sandbox = Sandbox::new();
    let path = lane(&sandbox, "login", "main");
    sandbox.git_in(&path, ["switch", "-q", "--detach"]);
    sandbox.git(["config", "lane.login.branch", ""]);
    sandbox.git(["branch", "-D", "login"]);
    let tip = sandbox.work("login", "x.txt", "x\n");
    let old = sandbox.git(["rev-parse", "main"]);
    sandbox.git(["config", "remote.origin.url", "."]);
    sandbox.git(["config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*"]);
    sandbox.git(["update-ref", "refs/remotes/origin/main", &old]);
    sandbox.git(["config", "lane.login.base", "refs/remotes/origin/main"]);
    assert!(finish(&sandbox, []).fails(1).contains("--into"));
    sandbox.git(["branch", "-q", "--set-upstream-to=origin/main", "main"]);
    finish(&sandbox, []).ok();
    assert_eq!(log(&sandbox, "%P"), format!("{old} {tip}"));
}

#[test]
fn trailers_and_encodings_are_the_repositorys() {
    let sandbox = with_lane();
    advance(&sandbox);
    sandbox.git(["config", "i18n.commitEncoding", "ISO-8859-1"]);
    finish(&sandbox, ["-m", "mine"]).ok();
    let raw = sandbox.git(["cat-file", "commit", "main"]);
    assert!(raw.contains("encoding ISO-8859-1") && raw.ends_with("\n\nmine"), "{raw}");
}

#[test]
fn sha256_and_reftable_repositories_land_too() {
    let mut formats = vec!["--object-format=sha256"];
    if git_version() >= (2, 45) {
        formats.push("--ref-format=reftable");
    }
    for format in formats {
        for strategy in ["merge", "rebase"] {
            let sandbox = Sandbox::empty();
            sandbox.git(["init", "-q", "-b", "main", format, "."]);
            sandbox.write("src/app.txt", "one\ntwo\nthree\n");
            sandbox.commit("first");
            lane(&sandbox, "login", "main");
            sandbox.work("login", "new.txt", "new\n");
            advance(&sandbox);
            finish(&sandbox, ["--strategy", strategy]).ok();
            assert_eq!(sandbox.git(["show", "main:new.txt"]), "new", "{format}");
            clean(&sandbox, &sandbox.repo);
            retired(&sandbox);
        }
    }
}

#[test]
fn sparse_checkouts_and_split_indexes_survive() {
    for (split, sparse) in [(true, true), (true, false), (false, true)] {
        let sandbox = with_lane();
        if split {
            sandbox.git(["update-index", "--split-index"]);
        }
        if sparse {
            sandbox.git(["sparse-checkout", "set", "src"]);
        }
        sandbox.work("login", "hidden/x.txt", "x\n");
        finish(&sandbox, []).ok();
        assert_eq!(sandbox.repo.join("hidden").exists(), !sparse);
        assert_eq!(std::fs::read_to_string(sandbox.repo.join("src/app.txt")).unwrap(), "one\ntwo\nTHREE\n");
        clean(&sandbox, &sandbox.repo);
        assert_eq!(sandbox.git(["ls-files", "-t", "hidden"]).starts_with("S "), sparse);
    }
}

#[test]
fn killed_at_any_step_the_same_command_lands_exactly_once() {
    for place in ["main", "nowhere"] {
        let mut died = 0;
        for step in 1.. {
            let sandbox = with_lane();
            advance(&sandbox);
            sandbox.write("README", "edited\n");
            if place == "nowhere" {
                sandbox.git(["switch", "-q", "--detach"]);
            }
            let mut command = sandbox.command("git-lane");
            command.args(["finish", "login", "--keep"]).env("GIT_LANE_TEST_DIE_AT", step.to_string());
            let run = sandbox.run(&mut command);
            if run.code == 0 {
                break;
            }
            died += 1;
            let text = run.to_string();
            run.fails(137);
            // Readers are fine in between.
            sandbox.git(["status", "--porcelain"]);
            sandbox.git(["log", "--all", "--oneline"]);
            finish(&sandbox, ["--keep"]).ok();
            assert_eq!(sandbox.git(["rev-list", "--count", "--merges", "main"]), "1", "{text}");
            assert_eq!(sandbox.git(["status", "--porcelain"]), " M README", "{text}");
            assert_eq!(sandbox.git(["show", "main:new.txt"]), "new", "{text}");
            let leftovers = std::fs::read_dir(sandbox.repo.join(".git")).unwrap().flatten();
            let locks: Vec<_> =
                leftovers.filter(|entry| entry.file_name().to_string_lossy().ends_with(".lock")).collect();
            assert!(locks.is_empty(), "{locks:?} {text}");
            assert_eq!(std::fs::read_dir(sandbox.repo.join(".git/lane/journal")).into_iter().flatten().count(), 0);
        }
        assert!(died > if place == "main" { 5 } else { 0 }, "{place}: {died}");
    }
}

#[test]
fn half_written_files_are_put_back() {
    // Die with the files written, then make it look as if git had died among them.
    let sandbox = (1..30)
        .map(|step| {
            let sandbox = with_lane();
            advance(&sandbox);
            let mut command = sandbox.command("git-lane");
            command.args(["finish", "login", "--keep"]).env("GIT_LANE_TEST_DIE_AT", step.to_string());
            let there = sandbox.run(&mut command).stderr.contains("died at land.files");
            there.then_some(sandbox)
        })
        .find_map(|found| found)
        .unwrap();
    let repo = &sandbox.repo;
    assert_eq!(std::fs::read_to_string(repo.join("src/app.txt")).unwrap(), "one\ntwo\nTHREE\n");
    assert_eq!(sandbox.git(["ls-tree", "--name-only", "main", "new.txt"]), "");
    write(&repo.join("src/app.txt"), "one\ntw");
    // Whoever came along since keeps what he did.
    write(&repo.join("README"), "edited\n");
    finish(&sandbox, ["-n"]).ok();
    finish(&sandbox, ["--into", "nowhere"]).fails(1);
    assert_eq!(std::fs::read_to_string(repo.join("src/app.txt")).unwrap(), "one\ntwo\nthree\n");
    assert!(!repo.join("new.txt").exists());
    assert_eq!(sandbox.git(["status", "--porcelain"]), " M README");
    finish(&sandbox, []).ok();
    assert_eq!(sandbox.git(["status", "--porcelain"]), " M README");
}

#[test]
fn twenty_lanes_finish_at_once() {
    let sandbox = Sandbox::new();
    let names: Vec<String> = (0..20).map(|index| format!("l{index}")).collect();
    for name in &names {
        lane(&sandbox, name, "main");
        sandbox.work(name, &format!("{name}.txt"), name);
    }
    let children: Vec<_> = names
        .iter()
        .map(|name| {
            let mut command = sandbox.command("git-lane");
            command.args(["finish", name.as_str(), "--keep"]).stdout(std::process::Stdio::null());
            command.spawn().unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(sandbox.git(["rev-list", "--count", "--merges", "main"]), "20");
    clean(&sandbox, &sandbox.repo);
    sandbox.git(["fsck", "--strict"]);
}

#[test]
fn a_base_that_moves_meanwhile_is_landed_on_where_it_is_now() {
    let sandbox = with_lane();
    sandbox.git(["switch", "-q", "--detach"]);
    hook(
        &sandbox,
        "pre-merge-commit",
        "echo run >> ../runs; test $(wc -l < ../runs) = 1 || exit 0\n\
         git update-ref refs/heads/main $(git commit-tree -p main -m raced main^{tree})",
    );
    finish(&sandbox, []).ok();
    // Checked out nowhere, so hooks run in the lane.
    assert_eq!(std::fs::read_to_string(sandbox.root().join("shop.lanes/runs")).unwrap(), "run\nrun\n");
    assert_eq!(sandbox.git(["log", "-1", "--format=%s", "main^1"]), "raced");
}

#[test]
fn a_base_that_moves_under_its_worktree_leaves_that_worktree_as_it_was() {
    let sandbox = with_lane();
    sandbox.write("README", "edited\n");
    // git writes the files in place, and their filter runs before the base moves.
    sandbox.write(".git/info/sparse-checkout", "/*\n");
    sandbox.write(".git/info/attributes", "* filter=race\n");
    let race = "test -e ../raced || { touch ../raced; \
         git update-ref refs/heads/main $(git commit-tree -p main -m raced main^{tree}); }; cat";
    sandbox.git(["config", "filter.race.smudge", race]);
    finish(&sandbox, []).ok();
    assert!(sandbox.root().join("raced").exists());
    assert_eq!(sandbox.git(["log", "-1", "--format=%s", "main^1"]), "raced");
    assert_eq!(sandbox.git(["status", "--porcelain"]), " M README");
    assert_eq!(sandbox.git(["rev-list", "--count", "--merges", "main"]), "1");
}

#[test]
fn a_filter_that_fails_leaves_the_worktree_as_it_was() {
    let sandbox = with_lane();
    sandbox.git(["config", "filter.bad.required", "true"]);
    sandbox.git(["config", "filter.bad.clean", "cat"]);
    sandbox.git(["config", "filter.bad.smudge", "false"]);
    let lane = sandbox.lane_path("login");
    write(&lane.join(".gitattributes"), "zzz.bin filter=bad\n");
    sandbox.work("login", "zzz.bin", "bin\n");
    let main = sandbox.git(["rev-parse", "main"]);
    sandbox.write("README", "edited\n");
    let run = finish(&sandbox, []);
    assert!(run.code != 0, "{run}");
    assert_eq!(sandbox.git(["rev-parse", "main"]), main);
    assert_eq!(sandbox.git(["status", "--porcelain"]), " M README", "{run}");
    assert!(lane.exists());
}

#[test]
fn a_worktree_whose_index_is_not_racy_is_judged_by_its_stat_data_and_as_strictly() {
    let sandbox = with_lane();
    std::thread::sleep(std::time::Duration::from_millis(1100));
    sandbox.git(["status"]);
    let app = sandbox.repo.join("src/app.txt");
    type Spoil = fn(&Path);
    let spoil: [(&str, Spoil); 4] = [
        ("changed", |app| write(app, "mine\n")),
        ("same size", |app| write(app, "one\ntwo\nTTTTT\n")),
        ("mode", |app| std::fs::set_permissions(app, std::fs::Permissions::from_mode(0o755)).unwrap()),
        ("kind", |app| {
            std::fs::remove_file(app).unwrap();
            std::os::unix::fs::symlink("../README", app).unwrap();
        }),
    ];
    for trust in ["true", "false"] {
        sandbox.git(["config", "core.trustctime", trust]);
        for (what, spoil) in spoil {
            spoil(&app);
            assert!(finish(&sandbox, []).fails(1).contains("'src/app.txt'"), "{what}");
            sandbox.git(["checkout", "-q", "-f", "src/app.txt"]);
            std::thread::sleep(std::time::Duration::from_millis(1100));
            sandbox.git(["status"]);
        }
    }
    finish(&sandbox, []).ok();
    clean(&sandbox, &sandbox.repo);
    retired(&sandbox);
}

#[test]
fn a_changed_mode_of_a_file_the_landing_appends_to_is_a_local_change() {
    let sandbox = with_lane();
    let file = sandbox.repo.join("src/app.txt");
    sandbox.work("login", "src/app.txt", "one\ntwo\nthree\nfour\n");
    // Not racy, and no time tells: only the mode does.
    sandbox.git(["config", "core.trustctime", "false"]);
    std::thread::sleep(std::time::Duration::from_millis(1100));
    sandbox.git(["status"]);
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    let refused = finish(&sandbox, []).fails(1);
    assert!(refused.contains("'src/app.txt'"), "{refused}");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o111, 0o111);
}

#[test]
fn a_hook_of_a_landing_that_lands_is_refused_and_one_after_it_is_not() {
    let sandbox = with_lane();
    sandbox.lane(["start", "other"]).ok();
    sandbox.work("other", "other.txt", "other");
    hook(&sandbox, "pre-merge-commit", "git lane finish other; test $? = 1");
    hook(&sandbox, "post-merge", "rm .git/hooks/pre-merge-commit .git/hooks/post-merge; git lane finish other");
    finish(&sandbox, []).ok();
    assert_eq!(log(&sandbox, "%s"), "Merge lane 'other' into main");
}

#[test]
fn a_git_that_the_repository_tracks_is_not_run() {
    let sandbox = with_lane();
    let lane = sandbox.lane_path("login");
    let pwned = sandbox.root().join("pwned");
    for place in [&sandbox.repo, &lane] {
        for name in ["git", "sh"] {
            write(&place.join(name), format!("#!/bin/sh\ntouch {}\n", pwned.display()));
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            std::fs::set_permissions(place.join(name), mode).unwrap();
        }
    }
    let mut command = sandbox.command("git-lane");
    let path = std::env::join_paths(["".into(), ".".into(), sandbox.root().join("bin"), "/bin".into()]).unwrap();
    command.args(["finish", "--commit", "all"]).current_dir(&lane).env("PATH", path);
    let text = sandbox.run(&mut command);
    assert!(!pwned.exists(), "{text}");
    drop(text.fails(1));
}

#[test]
fn without_a_name_for_the_commit_nothing_is_changed() {
    let sandbox = Sandbox::new();
    sandbox.git(["config", "user.useConfigOnly", "true"]);
    let nameless = |args: &[&str]| {
        let mut command = sandbox.command("git-lane");
        for variable in ["GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"] {
            command.env_remove(variable);
        }
        sandbox.run(command.args(args))
    };
    nameless(&["start", "login", "search"]).ok();
    sandbox.work("login", "new.txt", "new\n");
    write(&sandbox.lane_path("search").join("uncommitted"), "x");
    sandbox.git(["config", "user.name", "Ann"]);
    let before = sandbox.fingerprint();
    for args in [&["login"][..], &["login", "--strategy", "squash"], &["search", "--commit", "Search"]] {
        let said = nameless(&[&["finish"], args].concat()).fails(1);
        assert!(said.contains("whom to name in the commit: set user.email\n"), "{args:?}: {said}");
        assert!(said.contains("hint: git config --global user.email you@example.com"), "{args:?}: {said}");
    }
    assert!(sandbox.fingerprint() == before);
    // What makes no commit names nobody.
    nameless(&["drop", "--yes", "login"]).ok();
    nameless(&["restore", "login"]).ok();
    nameless(&["finish", "login", "--strategy", "ff"]).ok();
    sandbox.git(["config", "user.email", "ann@example.com"]);
    let report = nameless(&["--json", "finish", "search", "--commit", "Search"]).json();
    assert_eq!(report["committed"], true);
    assert_eq!(log(&sandbox, "%an %ae %cn"), "Ann ann@example.com Ann");
}

/// The base and the files somebody has changed.
fn untouched(sandbox: &Sandbox, directory: &Path) -> (String, String) {
    (sandbox.git(["rev-parse", "main"]), crate::lanes::listing(directory))
}

#[test]
fn a_directory_replaced_by_a_symbolic_link_is_in_the_way() {
    type Work = fn(&Sandbox, &Path);
    let works: [Work; 3] = [
        |sandbox, _| drop(sandbox.work("login", "src/app.txt", "changed\n")),
        |sandbox, _| drop(sandbox.work("login", "src/new.txt", "new\n")),
        |sandbox, lane| {
            std::fs::remove_file(lane.join("src/app.txt")).unwrap();
            sandbox.work("login", "elsewhere.txt", "x\n");
        },
    ];
    for work in works {
        let sandbox = Sandbox::new();
        work(&sandbox, &lane(&sandbox, "login", "main"));
        let (src, outside) = (sandbox.repo.join("src"), sandbox.root().join("outside"));
        std::fs::rename(&src, &outside).unwrap();
        std::os::unix::fs::symlink(&outside, &src).unwrap();
        let before = untouched(&sandbox, &outside);
        let said = finish(&sandbox, []).fails(1);
        assert!(said.contains("local changes are in the way: 'src'"), "{said}");
        assert_eq!(untouched(&sandbox, &outside), before);
        assert_eq!(std::fs::read_link(&src).unwrap(), outside);
    }
}

#[test]
fn changes_git_was_told_to_overlook_are_named_with_the_way_to_see_them() {
    for flag in ["assume-unchanged", "skip-worktree"] {
        let sandbox = with_lane();
        sandbox.git(["update-index", &format!("--{flag}"), "src/app.txt"]);
        sandbox.write("src/app.txt", "mine\n");
        assert_eq!(sandbox.git(["status", "--porcelain"]), "");
        let before = untouched(&sandbox, &sandbox.repo.join("src"));
        let said = finish(&sandbox, []).fails(1);
        assert!(said.contains(&format!("git status does not show are in the way: 'src/app.txt' ({flag})\n")), "{said}");
        let remedy = format!("git -C {} update-index --no-{flag} src/app.txt", sandbox.repo.display());
        assert!(said.contains(&remedy), "{said}");
        let run = finish(&sandbox, ["--json"]);
        let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(report["error"]["details"]["files"], serde_json::json!(["src/app.txt"]), "{run}");
        run.fails(1);
        assert_eq!(untouched(&sandbox, &sandbox.repo.join("src")), before);
        sandbox.git(["update-index", &format!("--no-{flag}"), "src/app.txt"]);
        assert!(finish(&sandbox, []).fails(1).contains("local changes are in the way: 'src/app.txt'"));
        sandbox.git(["checkout", "-q", "src/app.txt"]);
        finish(&sandbox, []).ok();
    }
}

#[test]
fn a_submodule_commit_that_only_the_lane_has_is_refused_until_somebody_else_has_it() {
    let sandbox = Sandbox::new();
    let library = sandbox.root().join("library");
    sandbox.git(["clone", "-q", "--bare", ".", library.to_str().unwrap()]);
    sandbox.git(["config", "--global", "protocol.file.allow", "always"]);
    sandbox.git(["submodule", "--quiet", "add", library.to_str().unwrap(), "library"]);
    sandbox.commit("library");
    for name in ["login", "search"] {
        sandbox.lane(["start", "--recurse-submodules", name]).ok();
        let inside = sandbox.lane_path(name).join("library");
        sandbox.git_in(&inside, ["commit", "-q", "--allow-empty", "-m", name]);
        sandbox.work(name, name, "x");
    }
    let inside = sandbox.lane_path("login").join("library");
    let before = sandbox.fingerprint();
    for args in [["--strategy", "merge"], ["--strategy", "squash"], ["--strategy", "rebase"], ["--strategy", "ff"]] {
        let said = finish(&sandbox, args).fails(1);
        assert!(said.contains("of submodule 'library', which nobody but the lane has"), "{said}");
        assert!(said.contains(&format!("git -C {} push origin", inside.display())), "{said}");
    }
    finish(&sandbox, ["--dry-run"]).fails(1);
    assert!(sandbox.fingerprint() == before);

    // Published, or fetched into the main worktree's own clone.
    sandbox.git_in(&inside, ["push", "-q", "origin", "HEAD:refs/heads/login"]);
    finish(&sandbox, []).ok();
    let other = sandbox.lane_path("search").join("library");
    sandbox.git_in(&sandbox.repo.join("library"), ["fetch", "-q", other.to_str().unwrap(), "HEAD"]);
    // The base's pointer has moved on, which is no merge git can make without the commits.
    sandbox.lane(["finish", "search", "--into", "other"]).fails(1);
    sandbox.git(["branch", "other", "main~1"]);
    sandbox.lane(["finish", "search", "--into", "other"]).ok();
}

/// A lane whose merge into `main` makes a new blob and a file that `script` has to smudge, in the repository.
fn with_a_slow_filter(script: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write(".gitattributes", "*.slow filter=slow\n");
    sandbox.commit("attributes");
    lane(&sandbox, "login", "main");
    sandbox.work("login", "src/app.txt", "one\ntwo\nTHREE\n");
    sandbox.work("login", "z.slow", "slow\n");
    sandbox.write("src/app.txt", "ONE\ntwo\nthree\n");
    sandbox.commit("first line");
    let file = sandbox.root().join("smudge");
    let shed = "unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_PREFIX";
    write(&file, format!("#!/bin/sh\n{shed}\ncd '{}' || exit\n{script}\nexec cat\n", sandbox.repo.display()));
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    sandbox.git(["config", "filter.slow.smudge", file.to_str().unwrap()]);
    sandbox.git(["config", "filter.slow.clean", "cat"]);
    sandbox
}

const MERGED: &str = "ONE\ntwo\nTHREE\n";

#[test]
fn a_gc_that_prunes_everything_during_a_landing_takes_nothing_of_it() {
    let sandbox = with_a_slow_filter("git gc -q --prune=now >&2 && touch ../collected");
    finish(&sandbox, []).ok();
    assert!(sandbox.root().join("collected").exists());
    retired(&sandbox);
    assert_eq!(sandbox.git(["show", "main:src/app.txt"]) + "\n", MERGED);
    assert_eq!(sandbox.git(["for-each-ref", "refs/lane/landing"]), "");
    clean(&sandbox, &sandbox.repo);
}

#[test]
fn a_base_never_moves_to_a_commit_of_which_something_is_gone() {
    // What a gc does that had looked for refs before the landing made its own.
    let find = "new=$(git rev-parse \"$(git for-each-ref --format='%(objectname)' refs/lane/landing)WHAT\") || exit";
    let once = "[ -e ../once ] || rm -f \".git/objects/$(echo \"$new\" | sed 's|^..|&/|')\"; touch ../once";
    let cases = [(":src/app.txt", false), ("^{tree}", false), (":src/app.txt", true), ("^{tree}", true)];
    for (what, in_place) in cases {
        let sandbox = with_a_slow_filter(&format!("{}\n{once}", find.replace("WHAT", what)));
        if in_place {
            sandbox.work("login", ".gitattributes", "*.slow filter=slow\n*.bin binary\n");
        }
        finish(&sandbox, []).ok();
        assert!(sandbox.root().join("once").exists());
        assert_eq!(sandbox.git(["show", "main:src/app.txt"]) + "\n", MERGED);
        retired(&sandbox);
        clean(&sandbox, &sandbox.repo);
    }
}

/// Everything is ready by then, and nothing is in place yet.
#[test]
fn what_somebody_makes_while_a_landing_is_made_ready_stays_as_it_is() {
    let cases = [
        ("rm README && mkdir README && echo mine >README/mine", "README", "README/mine", "mine\n"),
        // Each of these looks like the beginning of what would land there.
        (": >src/app.txt", "src/app.txt", "src/app.txt", ""),
        ("mkdir new && : >new/file", "new/file", "new/file", ""),
        ("mkdir ../else && ln -s ../else new && echo mine >new/mine", "new", "new/mine", "mine\n"),
        ("echo mine >new", "new", "new", "mine\n"),
    ];
    for (action, in_the_way, file, content) in cases {
        let sandbox = with_a_slow_filter(&format!("[ -e ../once ] || {{ touch ../once; {action}; }} || exit"));
        let path = sandbox.lane_path("login");
        sandbox.work("login", "new/file", "new\n");
        sandbox.git_in(&path, ["rm", "-q", "README"]);
        sandbox.git_in(&path, ["commit", "-q", "-m", "without"]);
        let old = sandbox.git(["rev-parse", "main"]);
        let said = finish(&sandbox, []).fails(1);
        assert!(said.contains(&format!("local changes are in the way: '{in_the_way}'")), "{action}: {said}");
        assert_eq!(std::fs::read_to_string(sandbox.repo.join(file)).unwrap(), content, "{action}");
        assert!(!sandbox.root().join("else/file").exists() && !sandbox.repo.join("z.slow").exists(), "{action}");
        assert_eq!(sandbox.git(["rev-parse", "main"]), old);
        assert!(!sandbox.repo.join(".git/index.lock").exists());
    }
}

/// What could not be made ready takes no room from what is made in place then.
#[test]
fn what_was_made_ready_in_vain_is_gone_before_the_files_are_written_in_place() {
    let fail = "[ -e ../once ] || { find .git/lane/scratch >../ready; touch ../once; exit 1; }";
    let sandbox = with_a_slow_filter(&format!("{fail}\nfind .git/lane/scratch >../place"));
    sandbox.git(["config", "filter.slow.required", "true"]);
    finish(&sandbox, []).ok();
    let found = |name: &str| std::fs::read_to_string(sandbox.root().join(name)).unwrap();
    assert!(found("ready").contains("/app.txt") && !found("place").contains("/app.txt"), "{}", found("place"));
    clean(&sandbox, &sandbox.repo);
    retired(&sandbox);
}

/// As containers show a worktree and its repository: the device is the same, and nothing can be renamed across.
#[test]
fn a_landing_crosses_mounts() {
    for mounted in [".git", "src"] {
        let sandbox = with_lane();
        let script = format!("mount --bind {mounted} {mounted} 2>/dev/null || exit 77; exec git-lane finish login");
        let mut command = sandbox.command("unshare");
        if !Path::new("/usr/bin/unshare").exists() {
            eprintln!("skipped: there is no unshare(1)");
            return;
        }
        let run = sandbox.run(command.args(["--mount", "sh", "-c", &script]));
        if run.code == 77 || run.stderr.contains("unshare failed") {
            eprintln!("skipped: nothing may be mounted here");
            return;
        }
        run.ok();
        assert_eq!(std::fs::read_to_string(sandbox.repo.join("src/app.txt")).unwrap(), "one\ntwo\nTHREE\n");
        clean(&sandbox, &sandbox.repo);
        retired(&sandbox);
    }
}

/// What the link leads to has the same content, and is none of the landing's business however it ends.
#[test]
fn a_link_to_a_directory_becomes_a_copy_of_it() {
    let mut died = Vec::new();
    for step in 1.. {
        let sandbox = Sandbox::new();
        let outside = sandbox.root().join("outside");
        write(&outside.join("file"), "x\n");
        std::os::unix::fs::symlink(&outside, sandbox.repo.join("library")).unwrap();
        sandbox.commit("link");
        let path = lane(&sandbox, "login", "main");
        std::fs::remove_file(path.join("library")).unwrap();
        sandbox.work("login", "library/file", "x\n");
        let mut dying = sandbox.command("git-lane");
        dying.args(["finish", "login", "--keep"]).env("GIT_LANE_TEST_DIE_AT", step.to_string());
        let run = sandbox.run(&mut dying);
        if run.code != 0 {
            sandbox.lane(["start", "other"]).ok();
            assert_eq!(std::fs::read_to_string(outside.join("file")).unwrap(), "x\n", "{run}");
            clean(&sandbox, &sandbox.repo);
            died.push(run.stderr.trim().to_owned());
            finish(&sandbox, ["--keep"]).ok();
        }
        assert_eq!(std::fs::read_to_string(outside.join("file")).unwrap(), "x\n");
        assert!(sandbox.repo.join("library").symlink_metadata().unwrap().is_dir());
        clean(&sandbox, &sandbox.repo);
        if run.code == 0 {
            break;
        }
    }
    assert!(died.iter().any(|at| at.ends_with("died at land.files")), "{died:?}");
    assert!(died.iter().any(|at| at.ends_with("died at journal.begun")), "{died:?}");
}

/// A partial clone fetches what somebody looks at; what a lane brought along for directories that nobody has checked out
/// is promised, not lost.
#[test]
fn what_a_partial_clone_has_not_fetched_is_in_no_landings_way() {
    let sandbox = Sandbox::new();
    for file in ["seen/a", "unseen/a"] {
        sandbox.write(file, "x");
    }
    sandbox.commit("one");
    sandbox.git(["config", "uploadpack.allowFilter", "true"]);
    let clone = sandbox.root().join("clone");
    let url = format!("file://{}", sandbox.repo.display());
    let mut git = sandbox.command("git");
    git.args(["clone", "-q", "--filter=blob:none", "--sparse", &url]).arg(&clone);
    sandbox.run(&mut git).ok();
    sandbox.git_in(&clone, ["sparse-checkout", "set", "seen"]);
    sandbox.lane_in(&clone, ["start", "work"]).ok();
    sandbox.write("unseen/a", "changed");
    sandbox.commit("two");
    let lane = sandbox.root().join("clone.lanes/work");
    sandbox.git_in(&lane, ["fetch", "-q"]);
    sandbox.git_in(&lane, ["merge", "-q", "origin/main"]);
    write(&lane.join("seen/a"), "mine");
    sandbox.git_in(&lane, ["commit", "-qam", "three"]);
    let missing =
        || sandbox.git_in(&clone, ["rev-list", "--objects", "--missing=print", "--all"]).matches("\n?").count();
    let before = missing();
    assert!(before > 0, "the test needs something that was not fetched");

    sandbox.lane_in(&lane, ["finish"]).ok();
    assert_eq!(sandbox.git_in(&clone, ["show", "main:seen/a"]), "mine");
    assert_eq!(sandbox.git_in(&clone, ["status", "--porcelain"]), "");
    assert_eq!(missing(), before, "nothing had to be fetched");
}

#[test]
fn nothing_of_a_landing_is_seen_before_all_of_it_is_ready() {
    let sandbox = with_a_slow_filter("sleep 0.1; git --no-optional-locks status --porcelain >>../seen");
    // As many a team has it, relative to the worktree.
    sandbox.git(["config", "core.hooksPath", ".husky"]);
    let lane = sandbox.lane_path("login");
    sandbox.git_in(&lane, ["rm", "-q", "README"]);
    std::os::unix::fs::symlink("app.txt", lane.join("src/link")).unwrap();
    write(&lane.join("src/run"), "#!/bin/sh\n");
    std::fs::set_permissions(lane.join("src/run"), std::fs::Permissions::from_mode(0o755)).unwrap();
    sandbox.work("login", "a/deep/one", "new\n");
    let modes = |path: &Path| sandbox.git_in(path, ["ls-files", "--stage", "src/link", "src/run", "a"]);
    let wanted = modes(&lane);

    finish(&sandbox, []).ok();
    assert_eq!(std::fs::read_to_string(sandbox.root().join("seen")).unwrap(), "");
    let time = |path: PathBuf| std::fs::metadata(path).unwrap().modified().unwrap();
    let made = time(sandbox.root().join("seen"));
    assert!(time(sandbox.repo.join("src/app.txt")) >= made, "younger than what was built of the old one meanwhile");
    // Without a refresh: the index knows every file as it is.
    assert_eq!(sandbox.git(["diff-files"]), "");
    clean(&sandbox, &sandbox.repo);
    assert_eq!(modes(&sandbox.repo), wanted);
    assert_eq!(std::fs::read_link(sandbox.repo.join("src/link")).unwrap(), Path::new("app.txt"));
    assert_eq!(std::fs::metadata(sandbox.repo.join("src/run")).unwrap().permissions().mode() & 0o111, 0o111);
    assert!(!sandbox.repo.join("README").exists());
    assert_eq!(std::fs::read_to_string(sandbox.repo.join("src/app.txt")).unwrap(), MERGED);
    write(&sandbox.repo.join("src/app.txt"), MERGED.to_lowercase());
    assert_eq!(sandbox.git(["status", "--porcelain"]), " M src/app.txt");
}

#[test]
fn what_somebody_writes_while_a_landing_is_made_ready_stays_and_stops_it() {
    for (file, state) in [("src/app.txt", " M src/app.txt"), ("new.txt", "?? new.txt"), ("z.slow", "?? z.slow")] {
        let sandbox = with_a_slow_filter(&format!("echo mine >{file}"));
        sandbox.work("login", "a/new.txt", "new\n");
        sandbox.work("login", "new.txt", "new\n");
        let main = sandbox.git(["rev-parse", "main"]);
        let refused = finish(&sandbox, []).fails(1);
        assert!(refused.contains(&format!("'{file}'")), "{refused}");
        assert_eq!(sandbox.git(["rev-parse", "main"]), main);
        assert_eq!(std::fs::read_to_string(sandbox.repo.join(file)).unwrap(), "mine\n");
        assert_eq!(sandbox.git(["status", "--porcelain"]), state);
        assert!(!sandbox.repo.join("a").exists());
        sandbox.nothing_left_behind(0);
    }
}

#[test]
fn a_base_that_moves_while_a_landing_is_made_ready_is_landed_on_where_it_is_then() {
    let script = "[ -e ../raced ] || git update-ref refs/heads/main $(git commit-tree -p main -m raced main^{tree})\n\
                  git --no-optional-locks status --porcelain >>../raced";
    let sandbox = with_a_slow_filter(script);
    finish(&sandbox, []).ok();
    assert_eq!(std::fs::read_to_string(sandbox.root().join("raced")).unwrap(), "");
    assert_eq!(sandbox.git(["log", "-1", "--format=%s", "main^1"]), "raced");
    assert_eq!(sandbox.git(["rev-list", "--count", "--merges", "main"]), "1");
    clean(&sandbox, &sandbox.repo);
    retired(&sandbox);
}

#[test]
fn a_directory_that_hands_on_its_group_hands_it_on_to_what_lands_there() {
    use std::os::unix::fs::MetadataExt;
    let sandbox = with_lane();
    let directory = sandbox.repo.join("src");
    let own = std::fs::metadata(&directory).unwrap().gid();
    let mut others = (1..100).filter(|group| *group != own);
    let Some(group) = others.find(|group| std::os::unix::fs::chown(&directory, None, Some(*group)).is_ok()) else {
        return eprintln!("skipped: this user has no second group");
    };
    std::fs::set_permissions(&directory, std::fs::Permissions::from_mode(0o2775)).unwrap();
    sandbox.work("login", "src/new.txt", "new\n");
    finish(&sandbox, []).ok();
    for file in ["src/app.txt", "src/new.txt"] {
        assert_eq!(std::fs::metadata(sandbox.repo.join(file)).unwrap().gid(), group, "{file}");
    }
    clean(&sandbox, &sandbox.repo);
}

#[test]
fn what_lands_is_written_by_the_attributes_of_the_base_it_lands_on() {
    for (lands, edited, wanted) in [(true, false, "x\r\n"), (false, true, "x\n"), (false, false, "x\n")] {
        let sandbox = Sandbox::new();
        sandbox.write(".gitattributes", "*.x -text\n");
        sandbox.commit("attributes");
        lane(&sandbox, "login", "main");
        let other = "*.x text eol=crlf\n";
        if lands {
            sandbox.work("login", ".gitattributes", other);
        }
        sandbox.work("login", "new.x", "x\n");
        if edited {
            sandbox.write(".gitattributes", other);
        }
        finish(&sandbox, []).ok();
        assert_eq!(std::fs::read_to_string(sandbox.repo.join("new.x")).unwrap(), wanted, "{lands} {edited}");
        assert_eq!(sandbox.git(["show", "main:new.x"]), "x");
    }
}
