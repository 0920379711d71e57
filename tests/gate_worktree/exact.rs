//! Whatever a command did in the worktree, the next one finds tracked files as git would write them,
//! and nothing else but what is ignored.

use std::os::unix::fs::MetadataExt;

use crate::support::{Sandbox, write};

/// Two commits that differ in most ways two commits can: `one` and `two`. `*.o` and `target/` are
/// ignored, and `more.o` in `two` only.
fn repository() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write(".gitignore", "*.o\ntarget/\n");
    sandbox.write("same/deep/file", "the same\n");
    sandbox.write("same/other", "the same too\n");
    sandbox.write("turns", "a file\n");
    sandbox.write("becomes/one", "in a directory\n");
    sandbox.write("goes/away/with/all", "gone\n");
    sandbox.write("run", "#!/bin/sh\n");
    sandbox.write("new\nline", "odd\n");
    sandbox.sh("chmod +x run; ln -s same/other link; ln -s nowhere dead; printf odd >\"$(printf 'latin\\344')\"").ok();
    sandbox.commit("one");
    sandbox.git(["tag", "one"]);
    sandbox
        .sh("git rm -qr goes turns becomes; chmod -x run; ln -sfn README link")
        .ok();
    sandbox.write("turns/into/a/directory", "now\n");
    sandbox.write("becomes", "a file\n");
    sandbox.write("README", "changed\n");
    sandbox.write("added/file", "new\n");
    sandbox.write(".gitignore", "*.o\ntarget/\nlater/\n");
    sandbox.commit("two");
    sandbox.git(["tag", "two"]);
    sandbox
}

/// What is ignored and stays.
const IGNORED: [&str; 4] = ["x.o", "target", "same/y.o", "kept"];

/// What commands do.
const DEEDS: [(&str, &str); 43] = [
    ("nothing", ":"),
    ("change", "echo more >>README; echo more >>same/deep/file"),
    (
        "same size, old time",
        "cp -p README r; printf SHOP\\\\n >README; touch -r r README; rm r",
    ),
    ("delete", "rm README same/other"),
    ("delete all", "rm -rf ./*"),
    ("delete a directory", "rm -r same"),
    ("touch", "touch README same/deep/file run"),
    ("executable", "chmod +x README; chmod -x run"),
    ("read-only", "chmod 0400 README same/other; chmod 0600 run"),
    ("closed directory", "chmod 0 same/deep; chmod 0555 same"),
    ("file to link", "rm README; ln -s same/other README"),
    ("link to file", "rm link; echo same/other >link"),
    ("link elsewhere", "ln -sfn /etc link"),
    (
        "file to directory",
        "rm README; mkdir -p README/deep; echo x >README/deep/file",
    ),
    ("directory to file", "rm -r same; echo x >same"),
    (
        "directory to link",
        "mv same target-of; mkdir ../aside; mv target-of ../aside/same; ln -s ../../aside/same same; ln -s ../aside/same same2",
    ),
    (
        "directory to a link with the very files",
        "rm -rf ../aside; mkdir ../aside; mv same ../aside/same; ln -s ../aside/same same",
    ),
    ("pipe", "rm README; mkfifo README; mkfifo fifo"),
    (
        "untracked",
        "echo x >stray; mkdir -p a/b/c; echo x >a/b/c/d; ln -s /etc etc",
    ),
    (
        "untracked empty directories",
        "mkdir -p hollow/deep/down same/hollow",
    ),
    (
        "untracked around ignored",
        "mkdir -p kept/in; echo o >kept/in/z.o; echo x >kept/in/stray; echo x >kept/stray",
    ),
    (
        "untracked and closed",
        "mkdir -p shut/in; echo x >shut/in/x; chmod 0 shut/in; chmod 0500 shut",
    ),
    (
        "where the other commit has files",
        "mkdir added; echo x >added/file; echo x >added/other",
    ),
    (
        "where the other commit has a directory",
        "echo x >added; mkdir later; echo x >later/x",
    ),
    (
        "ignored where the other commit has files",
        "mkdir target; echo x >target/added",
    ),
    (
        "odd names",
        "touch 'a b' \"$(printf 'x\\ny')\" \"$(printf '\\377')\" -- '-rf' '*' '.hidden'",
    ),
    (
        "nested repository",
        "git init -q nested; cd nested; echo x >x; git add x; git -c user.name=a -c user.email=a@b commit -qm x",
    ),
    ("a repository around tracked files", "git init -q same"),
    (
        "a broken repository",
        "mkdir -p broken/.git; echo x >broken/x",
    ),
    (
        "nested worktree",
        "git worktree add -q --detach wt HEAD; rm -rf ../../../../../../shop/.git/worktrees/wt",
    ),
    (
        "own ignore file",
        "echo '!x.o' >>.gitignore; mkdir inner; echo x.h >inner/.gitignore; echo x >inner/x.h; echo '* text eol=crlf' >.gitattributes",
    ),
    (
        "own attributes behind an own ignore file",
        "echo .gitattributes >>.gitignore; echo '* text eol=crlf' >.gitattributes",
    ),
    (
        "own exclude file",
        "mkdir -p .git/info; echo '*' >.git/info/exclude; echo x >seen",
    ),
    (
        "stage",
        "echo x >>README; git add README; git rm -q --cached same/other; echo x >n; git add n",
    ),
    (
        "commit",
        "echo x >>README; git -c user.name=a -c user.email=a@b commit -qam own",
    ),
    (
        "switch",
        "git checkout -q --detach two; git reset -q --hard one; git symbolic-ref HEAD refs/heads/none",
    ),
    (
        "branch",
        "git checkout -q -f -B own two; git checkout -q --detach; git branch -D -q own",
    ),
    (
        "merge in conflict",
        "git checkout -q -f --detach one; echo a >README; git -c user.name=a -c user.email=a@b commit -qam a; git -c user.name=a -c user.email=a@b merge two >/dev/null 2>&1 || :",
    ),
    (
        "rebase, bisect and locks",
        "git bisect start -q two one >/dev/null 2>&1; mkdir -p .git/rebase-merge; touch .git/index.lock .git/HEAD.lock ../index.lock .git/CHERRY_PICK_HEAD",
    ),
    (
        "hidden flags",
        "git update-index --assume-unchanged README; git update-index --skip-worktree same/other; echo x >README; rm same/other; git update-index --split-index",
    ),
    (
        "sparse",
        "git -c core.sparseCheckout=true read-tree HEAD; mkdir -p .git/info; echo /README >.git/info/sparse-checkout; git -c core.sparseCheckout=true read-tree -m -u HEAD",
    ),
    ("damaged index", "echo garbage >.git/index"),
    (
        "damaged head",
        "echo garbage >.git/HEAD; echo /nowhere >.git/gitdir",
    ),
];

#[test]
fn whatever_a_command_did_the_next_finds_it_exact() {
    let sandbox = repository();
    let commits = ["one", "two"].map(|name| sandbox.git(["rev-parse", name]));
    let keep = "echo o >x.o; mkdir -p target/in; echo o >target/in/z; echo y >same/y.o";
    for (name, deed) in DEEDS {
        for to in ["one", "two"] {
            let commit = &commits[usize::from(to == "two")];
            sandbox.gate_ok(&[
                "gate",
                &format!("check_out {}", commits[0]),
                &format!("sh {keep}"),
                &format!("sh {deed}"),
                &format!("check_out {commit}"),
            ]);
            sandbox.assert_exact(to, &IGNORED, &format!("{name}, then {to}"));
            let tree = sandbox.gate_tree();
            if name != "delete all" {
                assert!(
                    tree.join("x.o").exists() && tree.join("target/in/z").exists(),
                    "{name}"
                );
            }
            assert!(!tree.join("kept/stray").exists() && !tree.join("kept/in/stray").exists());
            let left = [
                "MERGE_HEAD",
                "BISECT_LOG",
                "rebase-merge",
                "index.lock",
                "info",
            ];
            for file in left {
                assert!(
                    !sandbox.slot("gate").join("tree/.git").join(file).exists(),
                    "{name}: {file}"
                );
            }
        }
    }
    assert_eq!(sandbox.findings(), [""; 0]);
}

/// A build goes by the times of its sources.
#[test]
fn what_is_the_same_stays_untouched() {
    let sandbox = repository();
    let commits = ["one", "two"].map(|name| sandbox.git(["rev-parse", name]));
    let to = |at: usize| format!("check_out {}", commits[at]);
    sandbox.gate_ok(&["gate", &to(0)]);
    let file = sandbox.gate_tree().join("same/deep/file");
    let before = std::fs::metadata(&file).unwrap();
    sandbox.gate_ok(&["gate", &to(1), &to(0), &to(0)]);
    let after = std::fs::metadata(&file).unwrap();
    assert_eq!(
        (before.ino(), before.mtime_nsec()),
        (after.ino(), after.mtime_nsec())
    );
    // A git that looks at it rewrites nothing either.
    sandbox.gate_ok(&["gate", "sh git status >/dev/null; git stash list", &to(0)]);
    assert_eq!(
        std::fs::metadata(&file).unwrap().ctime_nsec(),
        after.ctime_nsec()
    );
}

#[test]
fn nothing_that_is_outside_is_touched() {
    let sandbox = repository();
    let outside = sandbox.root().join("outside");
    write(&outside.join("deep/file"), "mine");
    write(&outside.join("other"), "mine");
    let commit = sandbox.git(["rev-parse", "one"]);
    let outside = outside.display();
    let deed = format!(
        "rm -rf same; ln -s {outside} same; ln -s {outside} stray; mkdir d; ln -s {outside} d/x"
    );
    let to = format!("check_out {commit}");
    let two = format!("check_out {}", sandbox.git(["rev-parse", "two"]));
    sandbox.gate_ok(&[
        "gate",
        &to,
        &format!("sh {deed}"),
        &to,
        &format!("sh {deed}"),
        &two,
    ]);
    sandbox.assert_exact("two", &[], "links to the outside");
    let left = crate::support::files(std::path::Path::new(&outside.to_string()));
    assert_eq!(
        left.iter().filter(|path| path.is_file()).count(),
        2,
        "{left:?}"
    );
}

/// What the index does not tell: attributes and settings that decide how a file is written.
#[test]
fn other_attributes_and_settings_write_files_anew() {
    let sandbox = Sandbox::new();
    sandbox.write("text", "a\nb\n");
    let one = sandbox.commit("one");
    sandbox.write(".gitattributes", "text text eol=crlf\n");
    sandbox.git(["add", ".gitattributes"]);
    sandbox.git(["commit", "-q", "-m", "two"]);
    let two = sandbox.git(["rev-parse", "HEAD"]);
    sandbox.gate_ok(&[
        "gate",
        &format!("check_out {one}"),
        &format!("check_out {two}"),
    ]);
    sandbox.assert_exact(&two, &[], "attributes");
    let text = sandbox.gate_tree().join("text");
    assert_eq!(std::fs::read(&text).unwrap(), b"a\r\nb\r\n");
    sandbox.gate_ok(&["gate", &format!("check_out {one}")]);
    assert_eq!(std::fs::read(&text).unwrap(), b"a\nb\n");
    sandbox.git(["config", "core.autocrlf", "true"]);
    sandbox.gate_ok(&["gate", &format!("check_out {one}")]);
    assert_eq!(std::fs::read(&text).unwrap(), b"a\r\nb\r\n");
}

#[test]
fn filters_write_files_and_a_file_that_never_looks_clean_is_no_hindrance() {
    let sandbox = Sandbox::new();
    sandbox.write("data.up", "small\n");
    sandbox.write("raw", "a\r\n");
    let one = sandbox.commit("one");
    sandbox.git(["config", "filter.up.smudge", "tr a-z A-Z"]);
    sandbox.git(["config", "filter.up.clean", "tr A-Z a-z"]);
    sandbox.write(".gitattributes", "*.up filter=up\nraw text\n");
    sandbox.git(["add", ".gitattributes"]);
    sandbox.git(["commit", "-q", "-m", "two"]);
    let two = sandbox.git(["rev-parse", "HEAD"]);
    let steps = [&one, &two, &one, &two, &two].map(|commit| format!("check_out {commit}"));
    let mut steps: Vec<&str> = steps.iter().map(String::as_str).collect();
    steps.insert(0, "gate");
    steps.push("sh echo x >stray; echo CHANGED >data.up");
    let again = format!("check_out {two}");
    steps.push(&again);
    sandbox.gate_ok(&steps);
    let tree = sandbox.gate_tree();
    assert_eq!(std::fs::read(tree.join("data.up")).unwrap(), b"SMALL\n");
    assert!(!tree.join("stray").exists());
}

/// Where this process cannot tell, git does.
#[test]
fn what_only_git_can_tell_is_exact_too() {
    let sandbox = repository();
    sandbox.git(["config", "core.ignoreCase", "true"]);
    let commits = ["one", "two"].map(|name| sandbox.git(["rev-parse", name]));
    let deed = "echo x >README; rm -r same; echo x >same; mkdir -p a/b; echo x >a/b/c; echo o >x.o";
    for at in [0, 1] {
        sandbox.gate_ok(&[
            "gate",
            &format!("check_out {}", commits[0]),
            &format!("sh {deed}"),
            &format!("check_out {}", commits[at]),
        ]);
        sandbox.assert_exact(["one", "two"][at], &IGNORED, "core.ignoreCase");
        assert!(sandbox.gate_tree().join("x.o").exists());
    }
}
