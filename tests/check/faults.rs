//! What is damaged, closed or goes away during a look.

use std::os::unix::fs::PermissionsExt;

use super::{check, conflicts, found, unclear};
use crate::support::{Sandbox, listing, write};

fn two() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "a", "b", "c"]).ok();
    sandbox.work("a", "src/app.txt", "of a\n");
    sandbox.work("c", "src/app.txt", "of c\n");
    sandbox
}

const USER: u32 = 54_332;

/// Root reads and writes everything; what a user is told to whom it belongs.
fn check_as_user(sandbox: &Sandbox) -> Option<(serde_json::Value, i32)> {
    let mut command = sandbox.as_user(USER, USER, "", "git-lane");
    let run = sandbox.run(command.args(["check", "--json"]).current_dir(&sandbox.repo));
    let code = run.code;
    Some((serde_json::from_str(&run.stdout).ok()?, code))
}

#[test]
fn what_cannot_be_read_is_named_and_stops_none_of_the_others() {
    let sandbox = two();
    if !sandbox.lets_others_in(0o777) {
        return;
    }
    sandbox.give_to(USER);
    let secret = sandbox.lane_path("b").join("src/secret");
    write(&secret, "secret\n");
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o600)).unwrap();
    let (document, code) = check_as_user(&sandbox).unwrap();
    assert_eq!((unclear(&document, "b"), code), ("unreadable".into(), 3));
    assert_eq!(conflicts(&document), ["a c: src/app.txt"]);
}

#[test]
fn it_works_in_a_repository_that_cannot_be_written() {
    let sandbox = two();
    if !sandbox.lets_others_in(0o777) {
        return;
    }
    sandbox.give_to(USER);
    sandbox.sh("chown -R root .git && chmod -R go-w .git").ok();
    let before = listing(&sandbox.repo.join(".git"));
    let (document, code) = check_as_user(&sandbox).unwrap();
    assert_eq!(code, 3);
    assert_eq!(conflicts(&document), ["a c: src/app.txt"]);
    assert_eq!(listing(&sandbox.repo.join(".git")), before);
}

#[test]
fn a_lane_whose_index_or_commit_is_damaged_is_named() {
    let sandbox = two();
    let index = sandbox.admin(&sandbox.lane_path("b")).join("index");
    write(&index, "damaged");
    let (document, code) = check(&sandbox, &[]);
    assert_eq!((unclear(&document, "b"), code), ("unreadable".into(), 3));
    assert_eq!(found(&sandbox, &["--committed"]), ["a c: src/app.txt"]);
    let sandbox = two();
    let commit = sandbox.work("b", "other", "of b\n");
    let (start, rest) = commit.split_at(2);
    let object = sandbox.repo.join(".git/objects").join(start).join(rest);
    std::fs::remove_file(&object).unwrap();
    let (document, code) = check(&sandbox, &[]);
    assert_eq!((unclear(&document, "b"), code), ("unreadable".into(), 3));
}

#[test]
fn a_repository_of_ones_own_in_a_lane_is_none_of_its_work() {
    let sandbox = two();
    let inner = sandbox.lane_path("b").join("inner");
    std::fs::create_dir(&inner).unwrap();
    sandbox.git_in(&inner, ["init", "-q"]);
    write(&inner.join("file"), "own\n");
    write(&sandbox.lane_path("b").join("src/app.txt"), "of b\n");
    assert_eq!(
        found(&sandbox, &["b"]),
        ["a b: src/app.txt", "b c: src/app.txt"]
    );
}

#[test]
fn lanes_may_come_and_go_during_a_look() {
    let sandbox = two();
    let script = "for n in 1 2 3 4 5 6; do \
                    git lane start x$n y$n >/dev/null; echo $n >../shop.lanes/x$n/src/app.txt; \
                    git lane drop --yes --force x$n y$n >/dev/null 2>&1; done & \
                  for n in 1 2 3 4 5 6 7 8 9 10; do git lane check --json >out; code=$?; \
                    test $code = 3 || { echo $code; cat out; exit 9; }; done; wait";
    let run = sandbox.sh(script);
    assert_eq!(run.code, 0, "{} {}", run.stdout, run.stderr);
    assert_eq!(found(&sandbox, &[]), ["a c: src/app.txt"]);
}

#[test]
fn a_split_index_and_a_sparse_checkout_are_read() {
    let sandbox = two();
    let b = sandbox.lane_path("b");
    sandbox.git_in(&b, ["update-index", "--split-index"]);
    write(&b.join("src/app.txt"), "of b\n");
    let both = ["a b: src/app.txt", "b c: src/app.txt"];
    assert_eq!(found(&sandbox, &["b"]), both);
    let admin = sandbox.admin(&b);
    let halves = |_: ()| {
        let entries = std::fs::read_dir(&admin).unwrap().flatten();
        let half = |entry: &std::fs::DirEntry| {
            entry
                .file_name()
                .to_string_lossy()
                .starts_with("sharedindex")
        };
        entries.filter(half).count()
    };
    assert_eq!(halves(()), 1);
    let sandbox = two();
    let b = sandbox.lane_path("b");
    sandbox.git_in(&b, ["sparse-checkout", "set", "--cone", "nothing"]);
    assert!(!b.join("src").exists());
    write(&b.join("top"), "new\n");
    assert!(found(&sandbox, &["b"]).is_empty());
}
