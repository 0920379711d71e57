//! The document of `git lane diff`.

use std::os::unix::ffi::OsStrExt;

use serde_json::json;

use super::worked;
use crate::support::{Sandbox, write};

#[test]
fn it_names_both_sides_and_each_file() {
    let sandbox = worked();
    let fork = sandbox.git(["merge-base", "main", "login"]);
    let (login, search) = (
        sandbox.git(["rev-parse", "login"]),
        sandbox.git(["rev-parse", "search"]),
    );
    let file = |path: &str, change: &str, added: usize, deleted: usize| json!({ "path": path, "oldPath": null, "change": change, "added": added, "deleted": deleted });
    assert_eq!(
        sandbox.lane(["diff", "login", "--json"]).json(),
        json!({
            "version": 2, "lane": "login", "with": [], "base": "refs/heads/main", "from": fork, "to": login,
            "uncommitted": true,
            "files": [file("README", "modified", 1, 1), file("login.txt", "added", 1, 0)],
        })
    );
    assert_eq!(
        sandbox.lane(["diff", "login", "search", "--json"]).json(),
        json!({
            "version": 2, "lane": "login", "with": ["search"], "base": null, "from": login, "to": search,
            "uncommitted": false,
            "files": [file("login.txt", "deleted", 0, 1), file("search.txt", "added", 1, 0)],
        })
    );
    let some = sandbox
        .lane(["diff", "login", "--json", "--", "README"])
        .json();
    assert_eq!(some["files"], json!([file("README", "modified", 1, 1)]));
}

#[test]
fn every_kind_of_change_has_its_word() {
    let sandbox = Sandbox::new();
    sandbox.write("long", "one\ntwo\nthree\nfour\nfive\n");
    sandbox.write("logo", b"\0\x01");
    sandbox.write("link", "target");
    sandbox.write("clash", "base\n");
    sandbox.commit("files");
    sandbox.lane(["start", "login"]).ok();
    let lane = sandbox.lane_path("login");
    let odd = std::ffi::OsStr::from_bytes(b"caf\xe9\t\n");
    sandbox.git_in(&lane, ["mv", "long", "longer"]);
    write(&lane.join("logo"), b"\0\x02");
    std::fs::remove_file(lane.join("link")).unwrap();
    std::os::unix::fs::symlink("target", lane.join("link")).unwrap();
    std::fs::remove_file(lane.join("src/app.txt")).unwrap();
    write(&lane.join(odd), "x\n");
    sandbox.git_in(&lane, ["add", "-A"]);
    // Settings of the user's that change what git prints.
    for (key, value) in [
        ("diff.renames", "false"),
        ("diff.external", "false"),
        ("color.ui", "always"),
        ("diff.mnemonicPrefix", "true"),
    ] {
        sandbox.git(["config", key, value]);
    }
    let document = sandbox.lane(["diff", "login", "--json"]).json();
    let mut told: Vec<String> = document["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| {
            format!(
                "{} {} {}",
                file["change"].as_str().unwrap(),
                file["path"],
                file["added"]
            )
        })
        .collect();
    told.sort();
    assert_eq!(
        told,
        [
            "added [99,97,102,233,9,10] 1",
            "deleted \"src/app.txt\" 0",
            "modified \"logo\" null",
            "renamed \"longer\" 0",
            "type-changed \"link\" 0",
        ],
        "{document:#}"
    );
}

#[test]
fn a_file_in_conflict_is_told_as_it_is_in_the_worktree() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    sandbox.work("login", "clash", "lane\n");
    sandbox.write("clash", "base\n");
    sandbox.commit("clash");
    let lane = sandbox.lane_path("login");
    let mut merge = sandbox.command("git");
    let merge = sandbox.run(merge.args(["merge", "main"]).current_dir(&lane));
    merge.fails(1);
    let document = sandbox.lane(["diff", "login", "--json"]).json();
    let files = document["files"].as_array().unwrap();
    let clash: Vec<_> = files
        .iter()
        .filter(|file| file["path"] == "clash")
        .collect();
    assert_eq!(clash.len(), 1, "{document:#}");
    assert_eq!(
        (&clash[0]["change"], &clash[0]["added"]),
        (&"added".into(), &5.into())
    );
}

#[test]
fn options_of_git_diff_are_refused_there() {
    let sandbox = worked();
    for words in [&["--stat"][..], &["README", "--stat"], &["--", "--stat"]] {
        let run = sandbox.lane([&["diff", "login", "--json", "--"][..], words].concat());
        let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(document["error"]["kind"], "usage", "{words:?}");
        run.fails(2);
    }
}
