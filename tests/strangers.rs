//! What a tracked `lane.toml` may say: it came with the repository, so it is a stranger's word.

use std::path::Path;

use crate::support::{Sandbox, listing, write};

/// A repository in the user's home whose tracked policy is `toml`.
fn with_policy(toml: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("lane.toml", toml);
    sandbox.write("config", "[core]\n\tpager = touch PWNED\n");
    sandbox.commit("policy");
    sandbox
}

fn with_path(path: &str) -> Sandbox {
    // A text in JSON is one in TOML.
    with_policy(&format!("start.path = {}\n", serde_json::json!(path)))
}

#[test]
fn a_tracked_policy_puts_lanes_among_the_lanes() {
    for (path, place) in [
        ("../{repo}.lanes/{name}", "shop.lanes/x"),
        ("../{repo}.lanes/team/{name}", "shop.lanes/team/x"),
        (".worktrees/{name}", "shop/.worktrees/x"),
        (".claude/worktrees/{name}", "shop/.claude/worktrees/x"),
    ] {
        let sandbox = with_path(path);
        // The directory of lanes may be there already.
        std::fs::create_dir_all(sandbox.root().join(place).parent().unwrap()).unwrap();
        let _ = sandbox.lane(["start", "x"]).ok();
        assert!(sandbox.root().join(place).join("config").exists(), "{path}");
        assert_eq!(sandbox.git(["status", "--porcelain"]), "", "{path}");
        let _ = sandbox.lane(["drop", "--yes", "x"]).ok();
        let _ = sandbox.lane(["restore", "x"]).ok();
        assert!(sandbox.root().join(place).join("config").exists(), "{path}");
        assert_eq!(sandbox.git(["status", "--porcelain"]), "", "{path}");
    }
}

#[test]
fn it_puts_them_nowhere_else() {
    for path in [
        "../.config/git",
        "../.config/git/{name}",
        "../.cargo",
        "../{name}",
        "../{name}.lanes/{name}",
        "../home/{name}",
        "../../{name}",
        "/tmp/{name}",
        "~/{name}",
        "~/.config/{name}",
        ".{name}",
        ".github/{name}",
        ".GIT/{name}",
        ".git/{name}",
        ".worktrees/.git/{name}",
        ".worktrees",
        ".worktrees/",
        ".worktrees/fixed",
        ".worktrees/../src/{name}",
        ".worktrees/{name}/..",
        ".claude/{name}",
        ".claude/worktrees/{name}.",
        "src/{name}",
        "{name}",
        "{repo}.lanes/{name}",
        "../{repo}.lanes/../.config/{name}",
        "../{repo}.lanes/.config/{name}",
        "../{repo}.lanes/\u{7}/{name}",
        "../{repo}.lanes/a\nb/{name}",
    ] {
        let sandbox = with_path(path);
        let before = sandbox.fingerprint();
        let said = sandbox.lane(["start", "x"]).fails(4);
        assert!(said.contains("start.path"), "{path}: {said}");
        assert_eq!(sandbox.fingerprint(), before, "{path}");
        // In a bare repository the file of HEAD is the tracked one.
        let bare = sandbox.root().join("bare.git");
        sandbox.git(["clone", "-q", "--bare", ".", bare.to_str().unwrap()]);
        let _ = sandbox.lane_in(&bare, ["start", "x"]).fails(4);
    }
}

/// What is there already, and what came with the repository, is nowhere to put a lane.
#[test]
fn it_puts_nothing_where_something_is() {
    type Plant = fn(&Sandbox);
    let table: &[(&str, &str, Plant)] = &[
        ("../{repo}.lanes/{name}", "an empty directory", |s| {
            std::fs::create_dir_all(s.lane_path("x")).unwrap()
        }),
        ("../{repo}.lanes/{name}", "a file", |s| {
            write(&s.lane_path("x"), "")
        }),
        ("../{repo}.lanes/{name}", "a link", |s| {
            link(&s.root().join("home"), &s.lane_path("x"))
        }),
        ("../{repo}.lanes/a/{name}", "a link above", |s| {
            link(&s.root().join("home"), &s.lane_path("a"))
        }),
        (".worktrees/{name}", "a tracked file", |s| {
            tracked(s, ".worktrees/file")
        }),
        (".worktrees/{name}", "the same in capitals", |s| {
            tracked(s, ".Worktrees/file")
        }),
        (".claude/worktrees/{name}", "a tracked file", |s| {
            tracked(s, ".claude/worktrees/y/file")
        }),
        (".worktrees/{name}", "a link out", |s| {
            tracked_link(s, "../home", ".worktrees")
        }),
        (".worktrees/{name}", "a link to hidden files", |s| {
            tracked_link(s, "../home/.config", ".worktrees")
        }),
        (".worktrees/{name}", "a link inside", |s| {
            tracked_link(s, "src", ".worktrees")
        }),
        (".claude/worktrees/{name}", "a link above", |s| {
            tracked_link(s, "../home", ".claude")
        }),
        (".claude/worktrees/{name}", "a link to git's own", |s| {
            tracked_link(s, ".git", ".claude/worktrees")
        }),
        (".worktrees/{name}", "a file", |s| tracked(s, ".worktrees")),
    ];
    for (path, what, plant) in table {
        let sandbox = with_path(path);
        std::fs::create_dir_all(sandbox.root().join("home/.config/worktrees")).unwrap();
        plant(&sandbox);
        let (before, home) = (sandbox.fingerprint(), listing(&sandbox.root().join("home")));
        let run = sandbox.lane(["start", "x"]);
        assert!(run.code == 1 || run.code == 4, "{path}, {what}: {run}");
        assert_eq!(sandbox.fingerprint(), before, "{path}, {what}");
        assert_eq!(
            listing(&sandbox.root().join("home")),
            home,
            "{path}, {what}"
        );
    }
}

fn link(to: &Path, at: &Path) {
    std::fs::create_dir_all(at.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(to, at).unwrap();
}

fn tracked(sandbox: &Sandbox, path: &str) {
    sandbox.write(path, "x");
    sandbox.commit("planted");
}

fn tracked_link(sandbox: &Sandbox, to: &str, at: &str) {
    link(Path::new(to), &sandbox.repo.join(at));
    sandbox.commit("planted");
}

/// The user's own word in the user's own file is as free as before.
#[test]
fn the_users_own_file_is_free() {
    for path in ["~/.hidden/{name}", "../elsewhere/fixed", "src/{name}"] {
        let sandbox = Sandbox::new();
        write(
            &sandbox.root().join("home/.config/git-lane/lane.toml"),
            format!("start.path = {path:?}\n"),
        );
        let _ = sandbox.lane(["start", "x"]).ok();
        let _ = sandbox.lane(["drop", "--yes", "x"]).ok();
        let _ = sandbox.lane(["restore", "x"]).ok();
    }
}

/// A branch that every lane would take up is another's, and control characters are in no text.
#[test]
fn other_keys_of_a_tracked_file() {
    for toml in [
        "start.branch = 'release'",
        "start.branch = \"x\\u0007{name}\"",
        "start.owner = \"a\\u001b[2J\"",
        "start.owner = \"a\\nSigned-off-by: b\"",
        "start.base = '--upload-pack=x'",
        "finish.message = \"a\\u0000b\"",
        "finish.message = \"a\\u001b]0;x\\u0007\"",
        "rule.branch-example = \"a\\nb\"",
        "rule.home = '-x'",
    ] {
        let sandbox = with_policy(toml);
        let before = sandbox.fingerprint();
        let run = sandbox.lane(["start", "x"]);
        assert!(run.code == 4 || run.code == 1, "{toml}: {run}");
        assert_eq!(sandbox.fingerprint(), before, "{toml}");
        assert!(!run.stderr.contains(['\u{1b}', '\u{7}']), "{toml}: {run}");
    }
}

/// What the README shows as a team's policy starts a lane, for every owner that the documents name.
#[test]
fn the_readmes_policy_works_for_the_documented_owners() {
    let readme = include_str!("../README.md");
    let toml = readme
        .split("```toml\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .unwrap();
    for (owner, branch) in [
        ("ann", "ann/x"),
        ("claude:7f3a", "claude-7f3a/x"),
        ("Ann B. <ann@x.org>", "Ann-B.-<ann-x.org>/x"),
    ] {
        let sandbox = with_policy(toml);
        sandbox.with_origin();
        let _ = sandbox.lane(["start", "x", "--owner", owner]).ok();
        assert_eq!(
            sandbox.git_in(&sandbox.lane_path("x"), ["branch", "--show-current"]),
            branch
        );
        assert_eq!(sandbox.lane(["--json", "show", "x"]).json()["owner"], owner);
        sandbox.work("x", "file", "x");
        let _ = sandbox.lane(["finish", "x", "--no-gate"]).ok();
    }
}

/// The value in force of a key.
fn in_force(sandbox: &Sandbox, key: &str) -> serde_json::Value {
    let all = sandbox.lane(["--json", "config"]).json();
    let all = all["settings"].as_array().unwrap().clone();
    all.into_iter()
        .find(|setting| setting["key"] == key || setting["name"] == key)
        .unwrap()["value"]
        .clone()
}

#[test]
fn it_weakens_no_rule_that_the_users_own_file_demands() {
    let own = "[rule]\nhome = \"main\"\nprotected = [\"main\"]\nbranch-pattern \
               = \"fix/*\"\n[start]\ninstall-hooks = true\n";
    for (tracked, key, held) in [
        (
            "rule.protected = []",
            "rule.protected",
            serde_json::json!(["main"]),
        ),
        (
            "rule.protected = \"\"",
            "rule.protected",
            serde_json::json!(["main"]),
        ),
        (
            "rule.protected = [\"release\"]",
            "rule.protected",
            serde_json::json!(["main", "release"]),
        ),
        ("rule.home = \"\"", "rule.home", serde_json::json!("main")),
        ("rule.home = \"x\"", "rule.home", serde_json::json!("main")),
        (
            "rule.branch-pattern = []",
            "rule.branch-pattern",
            serde_json::json!(["fix/*"]),
        ),
        (
            "rule.branch-pattern = \"**\"",
            "rule.branch-pattern",
            serde_json::json!(["fix/*"]),
        ),
        (
            "start.install-hooks = false",
            "start.install-hooks",
            serde_json::json!(true),
        ),
    ] {
        let sandbox = with_policy(tracked);
        write(&sandbox.root().join("home/.config/git-lane/lane.toml"), own);
        assert_eq!(in_force(&sandbox, key), held, "{tracked}");
        // The file of the clone is the user's own again.
        let clone = tracked.replace("\"x\"", "\"y\"");
        sandbox.write(".git/lane/lane.toml", clone);
        assert!(
            tracked.contains("release") || in_force(&sandbox, key) != held,
            "{tracked}"
        );
    }
}

/// It may have come with an archive, and lead to a file that a shell reads when it starts.
#[test]
fn nothing_is_written_through_a_link_in_the_place_of_the_exclude_file() {
    for whole in [false, true] {
        let sandbox = with_path(".worktrees/{name}");
        let target = sandbox.root().join("home/info");
        write(&target.join("exclude"), "# mine\n");
        let info = sandbox.repo.join(".git/info");
        match whole {
            true => {
                std::fs::remove_dir_all(&info).unwrap();
                link(&target, &info);
            }
            false => {
                let _ = std::fs::remove_file(info.join("exclude"));
                std::fs::create_dir_all(&info).unwrap();
                link(&target.join("exclude"), &info.join("exclude"));
            }
        }
        let told = sandbox.lane(["start", "x"]).fails(1);
        assert!(told.contains("is a symbolic link"), "{told}");
        assert_eq!(
            std::fs::read_to_string(target.join("exclude")).unwrap(),
            "# mine\n"
        );
        let _ = sandbox.lane(["start", "y", "--path", "../y"]).ok();
    }
}
