//! Names that collide, exclude each other or are too long.

use super::*;

/// Thousands of names as people, trackers and bots make them: git takes all of them as branches,
/// and so do we as lanes.
#[test]
fn row_09_thousands_of_names_like_real_ones() {
    let makers: [fn(usize) -> String; 16] = [
        |n| format!("feature/JIRA-{n}_Add-(optional)-login"),
        |n| format!("dependabot/npm_and_yarn/@babel/core-7.{n}.0"),
        |n| format!("renovate/docker.io-library-postgres-{n}.x"),
        |n| format!("revert-{n}-revert-{n}-fix/äöü"),
        |n| format!("gh-readonly-queue/main/pr-{n}-0123456789abcdef0123456789abcdef01234567"),
        |n| format!("release/v{n}.x.y+build"),
        |n| format!("user@example.com/issue#{n}"),
        |n| format!("snyk-upgrade-{n:032x}"),
        |n| format!("claude/fix-the-{n}th-bug-011CUa"),
        |n| format!("hotfix!{n}"),
        |n| format!("wip/{n}%done"),
        |n| format!("{n}"),
        |n| format!("bug{n}=closed;really"),
        |n| format!("l10n_ja-JP,zh-TW_{n}"),
        |n| format!("機能/ログイン{n}"),
        |n| format!("a{n}/b&c/d|e/$f/'g'"),
    ];
    let names: Vec<String> = (1..=200)
        .flat_map(|n| makers.iter().map(move |make| make(n)))
        .collect();
    assert!(names.len() > 3000);
    let sandbox = Sandbox::new();
    let head = sandbox.git(["rev-parse", "HEAD"]);
    let orders: String = names
        .iter()
        .map(|name| format!("create refs/heads/{name}\0{head}\0"))
        .collect();
    write(&sandbox.root().join("orders"), orders);
    sandbox.sh("git update-ref -z --stdin <../orders").ok();
    let mut directories = std::collections::BTreeMap::<String, usize>::new();
    for name in &names {
        let lane = git_lane::internals::LaneName::parse(name)
            .unwrap_or_else(|why| panic!("{name}: {why:?}"));
        *directories.entry(lane.directory_name()).or_default() += 1;
        let branch = git_lane::internals::BranchName::parse(name.as_str().into()).unwrap();
        assert_eq!(branch.to_string(), *name);
    }
    assert!(
        directories.len() > 3000,
        "names that differ lead to {} directories",
        directories.len()
    );
    let some: Vec<&str> = names.iter().step_by(101).map(String::as_str).collect();
    sandbox.lane([&["start", "--"], &some[..]].concat()).ok();
    let listed = sandbox.lane(["--json", "list"]).json();
    let found = |name: &str| {
        listed["lanes"]
            .as_array()
            .unwrap()
            .iter()
            .any(|lane| lane["lane"] == name)
    };
    for name in &some {
        assert!(found(name), "{name}");
        assert_eq!(
            sandbox.git_in(&sandbox.place_of(name), ["symbolic-ref", "--short", "HEAD"]),
            *name
        );
    }
    sandbox.git_in(
        &sandbox.place_of(some[0]),
        ["commit", "-q", "--allow-empty", "-m", "x"],
    );
    sandbox.lane(["finish", "--", some[0]]).ok();
    sandbox.lane([&["drop", "--"], &some[1..]].concat()).ok();
    sandbox.nothing_left_behind(some.len());
}

/// Names that lead to one directory, or to none: two lanes, two directories, both findable; nothing
/// reused.
#[test]
fn row_10_names_that_collide_after_sanitising() {
    let sandbox = Sandbox::new();
    let names = [
        "a/b-c",
        "a-b-c",
        "a/b/c",
        "a,b,c",
        "🦀",
        "🐙",
        "((",
        "))",
        "lane",
        "-2/x".trim_start_matches('-'),
    ];
    sandbox.lane([&["start", "--"], &names[..]].concat()).ok();
    let mut places: Vec<_> = names.iter().map(|name| sandbox.place_of(name)).collect();
    for (name, place) in names.iter().zip(&places) {
        assert_eq!(
            sandbox.git_in(place, ["symbolic-ref", "--short", "HEAD"]),
            *name
        );
        let from_inside = sandbox.lane_in(place, ["--json", "show", name]).json();
        assert_eq!(from_inside["path"], place.to_str().unwrap());
    }
    places.sort();
    places.dedup();
    assert_eq!(places.len(), names.len());
    // A directory that is no lane's is not taken.
    write(&sandbox.lane_path("x-y").join("precious"), "x");
    let before = std::fs::read(sandbox.lane_path("x-y").join("precious")).unwrap();
    sandbox.refuses(&["start", "x/y"], "already exists");
    assert_eq!(
        std::fs::read(sandbox.lane_path("x-y").join("precious")).unwrap(),
        before
    );
}

/// A branch beside one it cannot exist with: refused with the other's name.
#[test]
fn row_11_branches_that_exclude_each_other() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "a/b"]).ok();
    sandbox.git(["branch", "packed/one"]);
    sandbox.git(["pack-refs", "--all"]);
    for (name, other) in [
        ("main/sub", "'main'"),
        ("a", "'a/b'"),
        ("a/b/c", "'a/b'"),
        ("packed", "'packed/one'"),
    ] {
        sandbox.refuses(&["start", name], other);
    }
}

/// `lane/A` and `lane/a`: both; where file names ignore case the second is refused.
#[test]
fn row_12_names_that_differ_in_case() {
    let sandbox = Sandbox::new();
    if !sandbox.repo.join("readme").exists() {
        sandbox.lane(["start", "lane/A", "lane/a"]).ok();
        assert_ne!(sandbox.place_of("lane/A"), sandbox.place_of("lane/a"));
    }
    let sandbox = Sandbox::new();
    sandbox.git(["config", "core.ignorecase", "true"]);
    sandbox.lane(["start", "lane/A"]).ok();
    sandbox.refuses(&["start", "lane/a"], "'lane/A'");
}

/// One word in two Unicode forms: two lanes, and the record of one never answers for the other.
#[test]
fn row_13_names_that_only_look_the_same() {
    let sandbox = Sandbox::new();
    let (composed, decomposed) = ("caf\u{e9}", "cafe\u{301}");
    sandbox.lane(["start", "--task", "composed", composed]).ok();
    let run = sandbox.lane(["show", decomposed]);
    assert!(run.stderr.contains("there is no lane"), "{run}");
    let _ = run.fails(1);
    sandbox
        .lane(["start", "--task", "decomposed", decomposed])
        .ok();
    assert_ne!(sandbox.place_of(composed), sandbox.place_of(decomposed));
    assert_eq!(
        sandbox.lane(["--json", "show", composed]).json()["task"],
        "composed"
    );
    sandbox.lane(["drop", composed]).ok();
    assert_eq!(
        sandbox.lane(["--json", "show", decomposed]).json()["task"],
        "decomposed"
    );
}

/// 250 bytes work; more, or more than a path can hold, is refused before anything is created.
#[test]
fn row_14_names_that_are_too_long() {
    let sandbox = Sandbox::new();
    let long = "n".repeat(250);
    sandbox.lane(["start", &long]).ok();
    assert_eq!(
        sandbox.git_in(
            &sandbox.place_of(&long),
            ["symbolic-ref", "--short", "HEAD"]
        ),
        long
    );
    sandbox.lane(["drop", &long]).ok();
    sandbox.lane(["restore", &long]).ok();
    for name in [
        "n".repeat(251),
        "n".repeat(300),
        vec!["n".repeat(200); 20].join("/"),
        "é".repeat(126),
    ] {
        sandbox.refuses(&["start", &name], "are the most a directory can carry");
    }
    let before = sandbox.fingerprint();
    let part = "p".repeat(200);
    let deep = vec![part.as_str(); 21].join("/");
    for (args, words) in [
        (vec!["start", "x", "--path", &deep], "the path is too long"),
        (vec!["start", "x", "--branch", &deep], "long"),
    ] {
        let run = sandbox.lane(&args);
        assert!(run.code != 0 && run.stderr.contains(words), "{run}");
        assert_eq!(sandbox.fingerprint(), before);
    }
    let wide = "b".repeat(253);
    let run = sandbox.lane(["start", "x", "--branch", &wide]);
    assert!(run.code != 0 && run.stderr.contains("long"), "{run}");
    assert_eq!(sandbox.fingerprint(), before);
    write(
        &sandbox.repo.join("lane.toml"),
        "[start]\nbranch = \"prefix-{name}\"\n",
    );
    let before = sandbox.fingerprint();
    let run = sandbox.lane(["start", &"m".repeat(249)]);
    assert!(run.code != 0 && run.stderr.contains("long"), "{run}");
    assert_eq!(sandbox.fingerprint(), before);
}

/// Names other systems reserve: allowed here.
#[test]
fn row_15_names_other_systems_reserve() {
    let sandbox = Sandbox::new();
    let names = ["con", "aux.txt", "nul", "COM1", "prn/x", "lpt1.log"];
    sandbox.lane([&["start"], &names[..]].concat()).ok();
    for name in names {
        sandbox.lane(["finish", name]).ok();
    }
    // A dot at the end is no branch, a blank no name.
    sandbox.refuses(&["start", "x."], "not a name git accepts");
    sandbox.refuses(&["start", "x "], "not a name git accepts");
}
