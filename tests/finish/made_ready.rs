//! What is made ready aside before it counts, and what others do meanwhile.

use super::*;
use crate::support::skipped;

/// Everything is ready by then, and nothing is in place yet.
#[test]
fn what_somebody_makes_while_a_landing_is_made_ready_stays_as_it_is() {
    let cases = [
        (
            "rm README && mkdir README && echo mine >README/mine",
            "README",
            "README/mine",
            "mine\n",
        ),
        // Each of these looks like the beginning of what would land there.
        (": >src/app.txt", "src/app.txt", "src/app.txt", ""),
        ("mkdir new && : >new/file", "new/file", "new/file", ""),
        (
            "mkdir ../else && ln -s ../else new && echo mine >new/mine",
            "new",
            "new/mine",
            "mine\n",
        ),
        ("echo mine >new", "new", "new", "mine\n"),
    ];
    for (action, in_the_way, file, content) in cases {
        let sandbox = with_a_slow_filter(&format!(
            "[ -e ../once ] || {{ touch ../once; {action}; }} || exit"
        ));
        let path = sandbox.lane_path("login");
        sandbox.work("login", "new/file", "new\n");
        sandbox.git_in(&path, ["rm", "-q", "README"]);
        sandbox.git_in(&path, ["commit", "-q", "-m", "without"]);
        let old = sandbox.git(["rev-parse", "main"]);
        let said = finish(&sandbox, []).fails(1);
        assert!(
            said.contains(&format!("local changes are in the way: '{in_the_way}'")),
            "{action}: {said}"
        );
        assert_eq!(
            std::fs::read_to_string(sandbox.repo.join(file)).unwrap(),
            content,
            "{action}"
        );
        assert!(
            !sandbox.root().join("else/file").exists() && !sandbox.repo.join("z.slow").exists(),
            "{action}"
        );
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
    assert!(
        found("ready").contains("/app.txt") && !found("place").contains("/app.txt"),
        "{}",
        found("place")
    );
    clean(&sandbox, &sandbox.repo);
    retired(&sandbox);
}

/// As containers show a worktree and its repository: the device is the same, and nothing can be
/// renamed across.
#[test]
fn a_landing_crosses_mounts() {
    for mounted in [".git", "src"] {
        let sandbox = with_lane();
        let script = format!(
            "mount --bind {mounted} {mounted} 2>/dev/null || exit 77; exec git-lane finish login"
        );
        let Some(run) = sandbox.with_mounts(&sandbox.repo, &script) else {
            return;
        };
        run.ok();
        assert_eq!(
            std::fs::read_to_string(sandbox.repo.join("src/app.txt")).unwrap(),
            "one\ntwo\nTHREE\n"
        );
        clean(&sandbox, &sandbox.repo);
        retired(&sandbox);
    }
}

/// What the link leads to has the same content, and is none of the landing's business however it
/// ends.
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
        let run = sandbox.dying(step, ["finish", "login", "--keep"]);
        if run.code != 0 {
            sandbox.lane(["start", "other"]).ok();
            assert_eq!(
                std::fs::read_to_string(outside.join("file")).unwrap(),
                "x\n",
                "{run}"
            );
            clean(&sandbox, &sandbox.repo);
            died.push(run.stderr.trim().to_owned());
            finish(&sandbox, ["--keep"]).ok();
        }
        assert_eq!(
            std::fs::read_to_string(outside.join("file")).unwrap(),
            "x\n"
        );
        assert!(
            sandbox
                .repo
                .join("library")
                .symlink_metadata()
                .unwrap()
                .is_dir()
        );
        clean(&sandbox, &sandbox.repo);
        if run.code == 0 {
            break;
        }
    }
    assert!(
        died.iter().any(|at| at.ends_with("died at land.files")),
        "{died:?}"
    );
    assert!(
        died.iter().any(|at| at.ends_with("died at journal.begun")),
        "{died:?}"
    );
}

/// A partial clone fetches what a command looks at; what a lane brought along for directories that
/// no worktree has checked out is promised, not lost.
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
    git.args(["clone", "-q", "--filter=blob:none", "--sparse", &url])
        .arg(&clone);
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
    let missing = || {
        sandbox
            .git_in(
                &clone,
                ["rev-list", "--objects", "--missing=print", "--all"],
            )
            .matches("\n?")
            .count()
    };
    let before = missing();
    assert!(before > 0, "the test needs something that was not fetched");

    sandbox.lane_in(&lane, ["finish"]).ok();
    assert_eq!(sandbox.git_in(&clone, ["show", "main:seen/a"]), "mine");
    assert_eq!(sandbox.git_in(&clone, ["status", "--porcelain"]), "");
    assert_eq!(missing(), before, "nothing had to be fetched");
}

#[test]
fn nothing_of_a_landing_is_seen_before_all_of_it_is_ready() {
    let sandbox =
        with_a_slow_filter("sleep 0.1; git --no-optional-locks status --porcelain >>../seen");
    // As many a team has it, relative to the worktree.
    sandbox.git(["config", "core.hooksPath", ".husky"]);
    let lane = sandbox.lane_path("login");
    sandbox.git_in(&lane, ["rm", "-q", "README"]);
    std::os::unix::fs::symlink("app.txt", lane.join("src/link")).unwrap();
    script(&lane.join("src/run"), "");
    sandbox.work("login", "a/deep/one", "new\n");
    let modes =
        |path: &Path| sandbox.git_in(path, ["ls-files", "--stage", "src/link", "src/run", "a"]);
    let wanted = modes(&lane);

    finish(&sandbox, []).ok();
    assert_eq!(
        std::fs::read_to_string(sandbox.root().join("seen")).unwrap(),
        ""
    );
    let time = |path: PathBuf| std::fs::metadata(path).unwrap().modified().unwrap();
    let made = time(sandbox.root().join("seen"));
    assert!(
        time(sandbox.repo.join("src/app.txt")) >= made,
        "younger than what was built of the old one meanwhile"
    );
    // Without a refresh: the index knows every file as it is.
    assert_eq!(sandbox.git(["diff-files"]), "");
    clean(&sandbox, &sandbox.repo);
    assert_eq!(modes(&sandbox.repo), wanted);
    assert_eq!(
        std::fs::read_link(sandbox.repo.join("src/link")).unwrap(),
        Path::new("app.txt")
    );
    assert_eq!(
        std::fs::metadata(sandbox.repo.join("src/run"))
            .unwrap()
            .permissions()
            .mode()
            & 0o111,
        0o111
    );
    assert!(!sandbox.repo.join("README").exists());
    assert_eq!(
        std::fs::read_to_string(sandbox.repo.join("src/app.txt")).unwrap(),
        MERGED
    );
    write(&sandbox.repo.join("src/app.txt"), MERGED.to_lowercase());
    assert_eq!(sandbox.git(["status", "--porcelain"]), " M src/app.txt");
}

#[test]
fn what_somebody_writes_while_a_landing_is_made_ready_stays_and_stops_it() {
    for (file, state) in [
        ("src/app.txt", " M src/app.txt"),
        ("new.txt", "?? new.txt"),
        ("z.slow", "?? z.slow"),
    ] {
        let sandbox = with_a_slow_filter(&format!("echo mine >{file}"));
        sandbox.work("login", "a/new.txt", "new\n");
        sandbox.work("login", "new.txt", "new\n");
        let main = sandbox.git(["rev-parse", "main"]);
        let refused = finish(&sandbox, []).fails(1);
        assert!(refused.contains(&format!("'{file}'")), "{refused}");
        assert_eq!(sandbox.git(["rev-parse", "main"]), main);
        assert_eq!(
            std::fs::read_to_string(sandbox.repo.join(file)).unwrap(),
            "mine\n"
        );
        assert_eq!(sandbox.git(["status", "--porcelain"]), state);
        assert!(!sandbox.repo.join("a").exists());
        sandbox.nothing_left_behind(0);
    }
}

#[test]
fn a_base_that_moves_while_a_landing_is_made_ready_is_landed_on_where_it_is_then() {
    let script = "[ -e ../raced ] || git update-ref refs/heads/main $(git commit-tree -p main -m \
                  raced main^{tree})\n\
                  git --no-optional-locks status --porcelain >>../raced";
    let sandbox = with_a_slow_filter(script);
    finish(&sandbox, []).ok();
    assert_eq!(
        std::fs::read_to_string(sandbox.root().join("raced")).unwrap(),
        ""
    );
    assert_eq!(sandbox.git(["log", "-1", "--format=%s", "main^1"]), "raced");
    assert_eq!(
        sandbox.git(["rev-list", "--count", "--merges", "main"]),
        "1"
    );
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
    let Some(group) =
        others.find(|group| std::os::unix::fs::chown(&directory, None, Some(*group)).is_ok())
    else {
        return skipped("this user has no second group");
    };
    std::fs::set_permissions(&directory, std::fs::Permissions::from_mode(0o2775)).unwrap();
    sandbox.work("login", "src/new.txt", "new\n");
    finish(&sandbox, []).ok();
    for file in ["src/app.txt", "src/new.txt"] {
        assert_eq!(
            std::fs::metadata(sandbox.repo.join(file)).unwrap().gid(),
            group,
            "{file}"
        );
    }
    clean(&sandbox, &sandbox.repo);
}

#[test]
fn what_lands_is_written_by_the_attributes_of_the_base_it_lands_on() {
    for (lands, edited, wanted) in [
        (true, false, "x\r\n"),
        (false, true, "x\n"),
        (false, false, "x\n"),
    ] {
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
        assert_eq!(
            std::fs::read_to_string(sandbox.repo.join("new.x")).unwrap(),
            wanted,
            "{lands} {edited}"
        );
        assert_eq!(sandbox.git(["show", "main:new.x"]), "x");
    }
}
