//! `git lane move`

use std::path::Path;

use crate::support::{Sandbox, listing, write};

fn at_work() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    let path = sandbox.lane_path("login");
    write(&path.join("README"), "edited\n");
    write(&path.join("new"), "new\n");
    sandbox
}

#[track_caller]
fn assert_at(sandbox: &Sandbox, path: &Path) {
    assert_eq!(
        Path::new(sandbox.lane(["path", "login"]).ok().trim_end()),
        path
    );
    assert_eq!(
        sandbox.git_in(path, ["status", "--porcelain"]),
        " M README\n?? new"
    );
    let listed = sandbox.git(["worktree", "list", "--porcelain"]);
    let entry = format!("worktree {}\n", path.display());
    assert!(
        listed.contains(&entry) && !listed.contains("locked"),
        "{listed}"
    );
    assert_eq!(sandbox.findings(), Vec::<String>::new());
    sandbox.plain_git_works();
    sandbox.nothing_under_way();
}

#[test]
fn to_a_place_or_into_a_directory() {
    for (words, expected) in [
        (&["login", "../elsewhere"][..], "elsewhere"),
        (&["login", "../deep/er/place"], "deep/er/place"),
        (&["login", "../home"], "home/login"),
        (&["login", "../home/"], "home/login"),
        (&["login", "inside/of"], "shop/inside/of"),
        (&["login", "../with space/ü"], "with space/ü"),
    ] {
        let sandbox = at_work();
        let before = listing(&sandbox.lane_path("login"));
        let json = sandbox.lane(["--json", "move"].iter().chain(words)).json();
        let path = sandbox.root().join(expected);
        assert_eq!(json["path"], path.to_str().unwrap(), "{words:?}");
        assert_eq!(json["branch"], "login");
        assert_at(&sandbox, &path);
        assert_eq!(listing(&path), before, "{words:?}");
        assert_eq!(sandbox.git(["status", "--porcelain"]), "");
        let told = sandbox.lane(["undo"]).ok();
        assert!(
            told.contains("took back the move of lane 'login'"),
            "{told}"
        );
        assert_at(&sandbox, &sandbox.lane_path("login"));
        assert_eq!(listing(&sandbox.lane_path("login")), before);
    }
}

#[test]
fn from_inside_of_the_lane_an_operation_in_progress_an_adopted_lane() {
    let sandbox = at_work();
    let told = sandbox
        .lane_in(&sandbox.lane_path("login"), ["move", "../../elsewhere"])
        .ok();
    let path = sandbox.root().join("elsewhere");
    assert_eq!(
        told,
        format!(
            "lane 'login' is now in '{0}'\n  go to: cd {0}\n",
            path.display()
        )
    );
    assert_at(&sandbox, &path);

    let rebase = "git stash -q -u; git commit -q --allow-empty -m x; git rebase -q -x false HEAD~1";
    sandbox.sh_in(&path, rebase).fails(1);
    sandbox.lane(["move", "login", "../rebasing"]).ok();
    let path = sandbox.root().join("rebasing");
    sandbox
        .sh_in(&path, "git rebase --continue && git stash pop -q")
        .ok();
    assert_at(&sandbox, &path);

    let adopted = sandbox.root().join("by-hand");
    sandbox.add_worktree("by-hand", &adopted);
    sandbox.lane(["adopt", "by-hand"]).ok();
    sandbox.lane(["move", "by-hand", "../taken"]).ok();
    sandbox.git_in(&sandbox.root().join("taken"), ["status"]);
    assert!(!adopted.exists());
    sandbox.lane(["drop", "by-hand"]).ok();
    assert!(sandbox.root().join("taken").exists());
}

#[test]
fn what_is_refused_changes_nothing() {
    for (code, to) in [
        ("path-occupied", "README"),
        ("path-occupied", ".git/lane"),
        ("path-occupied", "../shop.lanes/login/inside"),
        ("path-occupied", "../shop.lanes/other/inside"),
        ("path-occupied", "../link"),
        ("path-occupied", "../full"),
        ("path-occupied", "../shop.lanes/login/."),
    ] {
        let sandbox = at_work();
        sandbox.lane(["start", "other"]).ok();
        std::os::unix::fs::symlink("nowhere", sandbox.root().join("link")).unwrap();
        write(&sandbox.root().join("full/login/file"), "mine");
        let run = sandbox.lane(["--json", "move", "login", to]);
        let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(document["error"]["code"], code, "{to}: {run}");
        run.fails(1);
        assert_at(&sandbox, &sandbox.lane_path("login"));
    }
}

/// What is so already is done, and no operation; one that waits to land too.
#[test]
fn a_lane_that_has_its_name_and_place_has_them() {
    let sandbox = at_work();
    let path = sandbox.lane_path("login");
    let events = || sandbox.lane(["log", "--json"]).json()["events"].clone();
    let (config, before) = (sandbox.repo.join(".git/config"), events());
    let config = || std::fs::read_to_string(&config).unwrap();
    let records = config();
    for args in [
        &["rename", "login", "login"][..],
        &["rename", "login", "login", "--branch", "login"],
        &["rename", "login", "login", "--path", "../shop.lanes/login"],
        &["move", "login", "../shop.lanes"],
        &["move", "login", "../shop.lanes", "-n"],
    ] {
        let args = args.to_vec();
        let told = sandbox.lane(&args).ok();
        assert_eq!(
            told.lines().next().unwrap(),
            "lane 'login' has that name, that branch and that place already",
            "{args:?}"
        );
        assert_eq!(told.lines().count(), 1, "{told}");
        let json = sandbox.lane(["--json"].iter().chain(&args)).json();
        assert_eq!(json["was"]["path"], json["path"], "{args:?}");
        assert_at(&sandbox, &path);
        assert_eq!((config(), events()), (records.clone(), before.clone()));
    }
}

/// Directories that a move has made below the directory of lanes go when the last lane has left them;
/// those with anything in them, and those elsewhere, stay.
#[test]
fn what_a_move_leaves_empty_goes() {
    let sandbox = at_work();
    let lanes = sandbox.root().join("shop.lanes");
    sandbox.lane(["start", "other"]).ok();
    for (to, kept) in [
        ("../shop.lanes/a/b/c", &[][..]),
        ("../shop.lanes/a/d", &["a"]),
        ("../far/off", &["a"]),
        ("../shop.lanes/deep/er", &["a", "../far"]),
        ("../shop.lanes/login", &["a", "../far"]),
    ] {
        let from = sandbox.lane(["path", "login"]).ok();
        sandbox.lane(["move", "login", to]).ok();
        if to.ends_with("a/d") {
            write(&lanes.join("a/mine"), "mine");
        }
        for kept in kept {
            assert!(lanes.join(kept).exists(), "{to}: {kept}");
        }
        assert!(lanes.is_dir());
        let left = Path::new(from.trim_end()).parent().unwrap().to_owned();
        let is_far = left.ends_with("far");
        let is_empty = |path: &Path| std::fs::read_dir(path).unwrap().next().is_none();
        assert!(
            !left.exists() || is_far || !is_empty(&left),
            "{to}: {left:?}"
        );
    }
    assert!(!lanes.join("a/b").exists() && !lanes.join("deep").exists());
    sandbox.lane(["move", "login", "../shop.lanes/x/y"]).ok();
    sandbox.lane(["undo"]).ok();
    assert!(!lanes.join("x").exists());
    assert_at(&sandbox, &sandbox.lane_path("login"));
}

#[test]
fn another_file_system_is_refused_and_said() {
    let sandbox = at_work();
    let Some((_directory, far)) = sandbox.far() else {
        return;
    };
    let said = sandbox
        .lane(["move", "login", far.to_str().unwrap()])
        .fails(1);
    assert!(said.contains("that is another file system"), "{said}");
    assert_at(&sandbox, &sandbox.lane_path("login"));
}

/// Worktrees of another repository and what they are of name each other by their places.
#[test]
fn what_is_bound_to_its_place_inside_stays() {
    for of_the_outer in [true, false] {
        let sandbox = Sandbox::new();
        sandbox.lane(["start", "login"]).ok();
        let path = sandbox.lane_path("login");
        let [inner, outer] = match of_the_outer {
            true => [path.join("inner"), sandbox.root().join("outer")],
            false => [sandbox.root().join("outer"), path.join("inner")],
        };
        let (inner, outer) = (inner.to_str().unwrap(), outer.to_str().unwrap());
        let made = format!(
            "git init -q -b main '{outer}' && git -C '{outer}' commit -q --allow-empty -m one && \
             git -C '{outer}' worktree add -q '{inner}'"
        );
        sandbox.sh_in(&sandbox.root(), &made).ok();
        let run = sandbox.lane(["--json", "move", "login", "../elsewhere"]);
        let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(document["error"]["code"], "nested", "{run}");
        run.fails(1);
        sandbox.git_in(std::path::Path::new(inner), ["status"]);
    }
    // A repository that is all in there goes along.
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    let path = sandbox.lane_path("login");
    sandbox.sh_in(&path, "git init -q inner").ok();
    sandbox.lane(["move", "login", "../elsewhere"]).ok();
    sandbox.git_in(&sandbox.root().join("elsewhere/inner"), ["status"]);
}

/// A move that is refused once it has begun leaves none of the directories that were made for it.
#[test]
fn a_refused_move_leaves_no_directories() {
    use std::os::unix::fs::MetadataExt;
    let sandbox = at_work();
    let device = |path: &Path| std::fs::metadata(path).unwrap().dev();
    let candidates = ["/tmp", "/var/tmp", "/dev/shm"].map(Path::new);
    let mut others = candidates
        .into_iter()
        .filter(|path| path.is_dir() && device(path) != device(&sandbox.repo));
    let Some(other) = others.next() else {
        return;
    };
    let name = format!("git-lane-move-{}", std::process::id());
    let place = other.join(name);
    let to = place.join("y/z");
    let run = sandbox.lane(["--json", "move", "login", to.to_str().unwrap()]);
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(document["error"]["code"], "other-file-system", "{run}");
    assert!(!place.exists());
    assert_at(&sandbox, &sandbox.lane_path("login"));
}

#[test]
fn an_empty_place_is_none() {
    let sandbox = at_work();
    sandbox.lane(["move", "login", ""]).fails(2);
    sandbox
        .lane(["rename", "login", "signin", "--path", ""])
        .fails(2);
}
