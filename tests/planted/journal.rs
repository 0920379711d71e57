//! Intents: every kind, every field that names a place.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use serde_json::{Value, json};

use super::{ID, look};
use crate::support::{Sandbox, write};

/// Intents that git-lane itself could have written here, of operations that had not come far.
fn intents(sandbox: &Sandbox) -> Vec<Value> {
    let git = sandbox.repo.join(".git");
    let commit = sandbox.git(["rev-parse", "HEAD"]);
    let place = sandbox.lane_path("evil");
    let lane = json!({ "name": "evil", "id": ID, "branch": "evil", "worktree": place, "base": "refs/heads/main",
        "forkPoint": commit, "owner": null, "task": null, "created": 1 });
    let entry = json!({ "id": ID, "lane": lane, "reason": "dropped", "proof": null, "removed": 1, "keep": null,
        "branch": null, "worktree": { "path": place, "admin": "evil", "directory": null, "common_dir": git } });
    let copy = git.join(format!("lane-index-{ID}"));
    let (admin, staged) = (
        git.join("worktrees/evil"),
        git.join("lane/staging").join(ID),
    );
    vec![
        json!({ "operation": "start", "lane": lane, "commit": commit, "new_branch": true, "admin_name": "evil",
            "staged_worktree": place.with_file_name(format!(".lane-{ID}")), "staged_admin": staged,
            "made": [place.parent().unwrap()], "sparse": false, "ignore": null, "by_git": false, "publishing": false }),
        json!({ "operation": "retire", "id": ID, "lane": "evil", "entry": entry }),
        json!({ "operation": "restore", "id": ID, "lane": "evil", "entry": entry, "admin": admin, "had_branch": false }),
        json!({ "operation": "land", "base": "refs/heads/main", "old": commit, "new": commit, "worktree": sandbox.repo,
            "git_dir": git, "prepared": copy, "index": null }),
        json!({ "operation": "switch", "to": "refs/heads/main", "old": commit, "new": commit,
            "worktree": sandbox.repo, "git_dir": git, "prepared": copy, "index": null }),
        json!({ "operation": "resolve", "lane": lane, "branch": "refs/heads/evil", "base": "refs/heads/main",
            "worktree": place, "git_dir": admin, "began": 1, "tip": commit, "onto": commit, "laid_out": null,
            "attempt": null }),
        json!({ "operation": "mend", "lane": null, "worktree": place, "admin": admin, "age": "old", "head": true }),
        json!({ "operation": "rebuild", "lane": "evil", "admin": admin, "staged": staged }),
    ]
}

fn plant(sandbox: &Sandbox, intent: &Value) {
    std::fs::create_dir_all(sandbox.own("journal")).unwrap();
    let own = std::fs::metadata(sandbox.own("")).unwrap();
    let home =
        json!({ "path": sandbox.repo.join(".git/lane"), "device": own.dev(), "inode": own.ino() });
    let about = json!({ "what": "q", "lanes": [], "bases": [], "gitDirs": [] });
    let text = json!({ "home": home, "about": about, "intent": intent }).to_string();
    write(&sandbox.own(&format!("journal/{ID}.json")), text);
}

fn was_set_aside(sandbox: &Sandbox) -> bool {
    sandbox.own(&format!("damaged/{ID}.json")).exists()
}

/// Else the tables below would prove nothing.
#[test]
fn what_git_lane_could_have_written_is_acted_on() {
    let count = intents(&Sandbox::new()).len();
    for at in 0..count {
        let sandbox = Sandbox::new();
        let intent = &intents(&sandbox)[at];
        plant(&sandbox, intent);
        let run = sandbox.lane_in_time(&["start", "other"]);
        assert!(!was_set_aside(&sandbox), "{intent}: {run}");
        assert!(
            run.stderr.contains("was interrupted; it has been"),
            "{intent}: {run}"
        );
        let _ = run.ok();
    }
}

/// Where each field that names a place may not lead. `V` is a directory of the user's, `R` the
/// repository.
const FIELDS: &[(&str, &[&str], &[&str])] = &[
    (
        "start",
        &["/staged_worktree"],
        &[
            "V",
            "V/.lane-ID",
            "/",
            "R",
            "R/.git",
            "R.lanes/.lane-other",
            "R.lanes/x/../../precious",
            "../precious",
            "",
        ],
    ),
    (
        "start",
        &["/staged_admin"],
        &[
            "V",
            "R/.git/lane",
            "R/.git/lane/staging",
            "R/.git/lane/staging/../trash",
            "R/src",
        ],
    ),
    (
        "start",
        &["/admin_name"],
        &["../../../precious", "..", ".", "", "a/b", "V", "evil/"],
    ),
    ("start", &["/made/0"], &["V", "R/src", "/nowhere"]),
    (
        "start",
        &["/lane/worktree"],
        &[
            "V",
            "V/new",
            "/",
            "R",
            "HOME/.ssh",
            "HOME/.config/git",
            "R/.git/x",
            "R.lanes/.x",
        ],
    ),
    ("start", &["/lane/id"], &["../x", "", "A", "x/y"]),
    (
        "retire",
        &["/entry/worktree/path"],
        &[
            "V",
            "/",
            "HOME",
            "R",
            "R/.git",
            "R/..",
            "R.lanes/../precious",
            "x",
        ],
    ),
    (
        "retire",
        &["/entry/worktree/admin"],
        &["../../../precious", "..", "V", "a/b", ""],
    ),
    (
        "retire",
        &["/id", "/entry/id"],
        &["../../../../precious", "..", "V", "", "X"],
    ),
    ("retire", &["/id"], &["another"]),
    ("retire", &["/entry/lane/id"], &["../x", "V"]),
    (
        "restore",
        &["/entry/worktree/path"],
        &[
            "V",
            "V/new",
            "HOME/.ssh",
            "/etc/x",
            "R/.git/hooks",
            "R.lanes/../y",
            "/",
        ],
    ),
    (
        "restore",
        &["/entry/worktree/admin"],
        &["../../../precious", "V"],
    ),
    (
        "restore",
        &["/admin"],
        &[
            "V",
            "R/.git/worktrees",
            "R/.git/worktrees/../../../precious",
            "R/.git/hooks",
            "evil",
        ],
    ),
    (
        "restore",
        &["/id", "/entry/id"],
        &["../../../../precious", "V", ""],
    ),
    (
        "land",
        &["/git_dir"],
        &[
            "V",
            "R",
            "R/.git/worktrees/../../../precious",
            "R/.git/lane",
        ],
    ),
    (
        "land",
        &["/prepared"],
        &[
            "V/doc",
            "R/README",
            "R/.git/config",
            "R/.git/lane-index-../config",
            "R/.git/index",
        ],
    ),
    (
        "land",
        &["/base"],
        &[
            "refs/lane/trash/x",
            "refs/tags/v1",
            "refs/remotes/origin/main",
        ],
    ),
    ("switch", &["/git_dir"], &["V", "R", "R/.git/lane"]),
    (
        "switch",
        &["/prepared"],
        &["V/doc", "R/README", "R/.git/config", "R/.git/HEAD"],
    ),
    ("switch", &["/to"], &["refs/tags/v1", "refs/lane/x"]),
    (
        "resolve",
        &["/git_dir"],
        &[
            "V",
            "R",
            "R/.git",
            "R/.git/worktrees/../../../precious",
            "evil",
        ],
    ),
    (
        "resolve",
        &["/worktree"],
        &[
            "V",
            "/",
            "R",
            "R/.git/x",
            "R.lanes/../precious",
            "HOME/.ssh",
        ],
    ),
    ("resolve", &["/branch"], &["refs/tags/v1", "refs/lane/x"]),
    ("resolve", &["/base"], &["refs/remotes/origin/main"]),
    ("resolve", &["/lane/id"], &["../x", "", "A"]),
    (
        "mend",
        &["/admin"],
        &["V", "R/.git", "R/.git/worktrees/../../../precious", "evil"],
    ),
    ("rebuild", &["/admin"], &["V", "R/.git", "R/.git/hooks"]),
    (
        "rebuild",
        &["/staged"],
        &[
            "V",
            "R/.git/lane/staging",
            "R/.git/lane/trash",
            "R/.git/lane/staging/../../../../precious",
        ],
    ),
];

/// A path of the table as it is in this sandbox.
fn spelled(sandbox: &Sandbox, path: &str) -> String {
    let at = |rest: &str, directory: &Path| format!("{}{rest}", directory.display());
    let path = path.replace("ID", ID);
    match path.as_bytes().first() {
        Some(b'V') => at(&path[1..], &sandbox.root().join("precious")),
        Some(b'R') => at(&path[1..], &sandbox.repo),
        Some(b'H') => at(&path[4..], &sandbox.root().join("home")),
        _ => path,
    }
}

#[test]
fn what_it_could_not_have_written_is_set_aside_and_named() {
    for (operation, fields, values) in FIELDS {
        let sandbox = Sandbox::new();
        let victim = sandbox.precious();
        write(&victim.join(format!(".lane-{ID}/doc")), "gold\n");
        std::fs::create_dir_all(sandbox.lane_path(".lane-other")).unwrap();
        let before = look(&sandbox, &victim);
        for (number, value) in values.iter().enumerate() {
            let all = intents(&sandbox);
            let mut intent = all
                .into_iter()
                .find(|intent| intent["operation"] == *operation)
                .unwrap();
            for field in *fields {
                *intent
                    .pointer_mut(field)
                    .unwrap_or_else(|| panic!("{operation} {field}")) =
                    spelled(&sandbox, value).into();
            }
            plant(&sandbox, &intent);
            assert_eq!(
                sandbox.found(),
                ["damaged-intent"],
                "{operation} {fields:?} {value}"
            );
            let run = sandbox.lane_in_time(&["start", &format!("other{number}")]);
            assert!(
                was_set_aside(&sandbox),
                "{operation} {fields:?} {value}: {run}"
            );
            assert_eq!(run.code, 0, "{operation} {fields:?} {value}: {run}");
            assert_eq!(
                look(&sandbox, &victim),
                before,
                "{operation} {fields:?} {value}: {run}"
            );
            assert!(sandbox.lane_path(".lane-other").exists(), "{value}");
            assert_eq!(
                sandbox.found(),
                ["damaged-intent"],
                "{operation} {fields:?} {value}"
            );
            std::fs::remove_file(sandbox.own(&format!("damaged/{ID}.json"))).unwrap();
        }
    }
}

/// A directory on the way that is a link leads the right name to the wrong place.
#[test]
fn a_link_on_the_way_is_not_followed() {
    for (operation, link) in [
        ("start", "R.lanes"),
        ("rebuild", "R/.git/lane/staging"),
        ("mend", "R/.git/worktrees"),
        ("restore", "R/.git/worktrees/evil"),
    ] {
        let sandbox = Sandbox::new();
        let victim = sandbox.precious();
        for inner in [
            format!(".lane-{ID}/doc"),
            format!("{ID}/doc"),
            "evil/doc".into(),
        ] {
            write(&victim.join(inner), "gold\n");
        }
        let intent = intents(&sandbox)
            .into_iter()
            .find(|intent| intent["operation"] == operation)
            .unwrap();
        plant(&sandbox, &intent);
        super::link(&victim, Path::new(&spelled(&sandbox, link)));
        let before = look(&sandbox, &victim);
        let run = sandbox.lane_in_time(&["prune"]);
        assert_eq!(look(&sandbox, &victim), before, "{operation} {link}: {run}");
    }
}

/// What is no file of git-lane's at all, in the place of one.
#[test]
fn what_is_no_intent_stops_nothing() {
    type Plant = fn(&Path, &Path);
    let kinds: &[(&str, Plant)] = &[
        ("a pipe", |at, _| super::pipe(at)),
        ("a link", |at, victim| super::link(&victim.join("doc"), at)),
        ("a link to nowhere", |at, victim| {
            super::link(&victim.join("new"), at)
        }),
        ("a link to a device", |at, _| {
            super::link(Path::new("/dev/zero"), at)
        }),
        ("a directory", |at, _| write(&at.join("x"), "")),
        ("a socket", |at, _| {
            drop(std::os::unix::net::UnixListener::bind(at).unwrap())
        }),
        ("bytes", |at, _| write(at, b"\0\0\xff{")),
        ("depth", |at, _| write(at, "[".repeat(100_000))),
        ("size", |at, _| {
            std::fs::File::create(at).unwrap().set_len(1 << 40).unwrap()
        }),
    ];
    for (what, plant) in kinds {
        for name in [
            format!("{ID}.json"),
            format!("{ID}.children"),
            format!(".{ID}"),
        ] {
            let sandbox = Sandbox::new();
            let victim = sandbox.precious();
            std::fs::create_dir_all(sandbox.own("journal")).unwrap();
            plant(&sandbox.own(&format!("journal/{name}")), &victim);
            let before = look(&sandbox, &victim);
            for args in [&["list"][..], &["trash"], &["doctor"], &["log"]] {
                let _ = sandbox.lane_in_time(args);
            }
            assert_eq!(
                sandbox.lane_in_time(&["start", "x"]).code,
                0,
                "{what} {name}"
            );
            assert_eq!(
                sandbox.lane_in_time(&["drop", "--yes", "x"]).code,
                0,
                "{what} {name}"
            );
            assert_eq!(look(&sandbox, &victim), before, "{what} {name}");
            assert!(!victim.join("new").exists());
            assert_eq!(
                std::fs::read_dir(sandbox.own("journal")).unwrap().count(),
                0,
                "{what} {name}"
            );
            let named = sandbox.found();
            let looked_at = name.ends_with(".json") || !matches!(*what, "bytes" | "depth" | "size");
            assert_eq!(!named.is_empty(), looked_at, "{what} {name}: {named:?}");
        }
    }
}

/// The admin directory of a lane on its way, in which more may write than may write where it goes.
#[test]
fn an_interrupted_start_or_removal_brings_no_setting_that_nothing_bears_out() {
    for (args, step) in [
        (&["start", "x"][..], "start.branch"),
        (&["drop", "--yes", "x"], "places.admin-moved"),
    ] {
        let sandbox = Sandbox::new();
        sandbox.git(["config", "extensions.worktreeConfig", "true"]);
        if args[0] == "drop" {
            let _ = sandbox.lane(["start", "x"]).ok();
        }
        sandbox.died(step, args);
        let admin = match args[0] {
            "start" => std::fs::read_dir(sandbox.own("staging"))
                .unwrap()
                .next()
                .unwrap()
                .unwrap()
                .path(),
            _ => sandbox.entry().join("admin"),
        };
        let (evil, pwned) = (sandbox.root().join("evil"), sandbox.root().join("pwned"));
        sandbox.git(["init", "-q", "--bare", evil.to_str().unwrap()]);
        let command = format!("touch {}; false", pwned.display());
        sandbox.git_in(&evil, ["config", "core.fsmonitor", &command]);
        write(&admin.join("commondir"), evil.to_str().unwrap());
        write(
            &admin.join("config.worktree"),
            format!("[core]\n\tfsmonitor = {command}\n"),
        );
        let run = sandbox.lane_in_time(&["start", "other"]);
        assert!(run.stderr.contains("it has been"), "{run}");
        let _ = sandbox.run(sandbox.command("git-lane").args(["restore", "x"]));
        let lane = sandbox.lane_path("x");
        assert_eq!(
            sandbox.git_in(&lane, ["status", "--porcelain", "--branch"]),
            "## x",
            "{step}: {run}"
        );
        let _ = sandbox.lane_in_time(&["list"]).ok();
        assert!(!pwned.exists(), "{step}: {run}");
    }
}
