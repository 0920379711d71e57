//! Drivers, options, formats and histories, as `git merge` takes them.

use super::*;

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
        assert_eq!(
            sandbox.git(["show", "main:deep/a.lst"]),
            "main\nlogin",
            "{place}"
        );
    }
}

#[test]
fn merge_options_of_the_base_are_honoured_or_refused() {
    let sandbox = with_lane();
    sandbox.write("src/app.txt", "one\ntwo\ndrei\n");
    sandbox.commit("clash");
    sandbox.git(["config", "branch.main.mergeOptions", "--no-ff -X ours"]);
    if git_version() < (2, 43) {
        assert!(finish(&sandbox, []).fails(4).contains("git 2.43"));
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
    sandbox.work(
        "login",
        "old.txt",
        &text.replace("line 7\n", "line seven\n"),
    );
    let pointer = sandbox.git(["rev-parse", "main"]);
    let lane_path = sandbox.lane_path("login");
    sandbox.git_in(
        &lane_path,
        [
            "update-index",
            "--add",
            "--cacheinfo",
            &format!("160000,{pointer},sub"),
        ],
    );
    sandbox.git_in(&lane_path, ["commit", "-qm", "submodule"]);
    std::fs::create_dir(lane_path.join("sub")).unwrap();
    // Criss-cross: each takes the other's first commit.
    let (ours, theirs) = (
        sandbox.git(["rev-parse", "main"]),
        sandbox.git(["rev-parse", "login"]),
    );
    sandbox.git(["merge", "-q", "--no-edit", &theirs]);
    sandbox.git_in(&lane_path, ["merge", "-q", "--no-edit", &ours]);
    sandbox.write("m.txt", "m\n");
    sandbox.commit("m");
    sandbox.work("login", "l.txt", "l\n");
    finish(&sandbox, []).ok();
    assert!(
        sandbox
            .git(["show", "main:renamed.txt"])
            .contains("line seven")
    );
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
    sandbox.git([
        "config",
        "remote.origin.fetch",
        "+refs/heads/*:refs/remotes/origin/*",
    ]);
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
    assert!(
        raw.contains("encoding ISO-8859-1") && raw.ends_with("\n\nmine"),
        "{raw}"
    );
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
        assert_eq!(
            std::fs::read_to_string(sandbox.repo.join("src/app.txt")).unwrap(),
            "one\ntwo\nTHREE\n"
        );
        clean(&sandbox, &sandbox.repo);
        assert_eq!(
            sandbox.git(["ls-files", "-t", "hidden"]).starts_with("S "),
            sparse
        );
    }
}
