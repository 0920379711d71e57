//! A file of the main worktree that settings of another day have made is not the commit's: a lane
//! gets what git writes.

use std::os::unix::fs::{PermissionsExt, symlink};

use super::{Call, Setup, both};
use crate::support::{Sandbox, age, git_version, write};

/// Makes every file old enough for its index entry to vouch for it, and has git see that.
fn settle(sandbox: &Sandbox) {
    for path in sandbox.git(["ls-files"]).lines() {
        let path = sandbox.repo.join(path);
        if path.symlink_metadata().unwrap().is_file() {
            age(&path, 60);
        }
    }
    sandbox.git(["update-index", "-q", "--refresh"]);
}

/// Commits `f.txt` as it is, then has git check it out anew under today's settings, and lets that
/// settle.
fn converted(sandbox: &Sandbox, content: &[u8]) {
    sandbox.write("f.txt", content);
    sandbox.commit("f");
    std::fs::remove_file(sandbox.repo.join("f.txt")).unwrap();
    sandbox.git(["checkout", "-q", "--", "f.txt"]);
    settle(sandbox);
}

fn rot(sandbox: &Sandbox) {
    for way in ["smudge", "clean"] {
        sandbox.git([
            "config",
            &format!("filter.rot.{way}"),
            "tr a-zA-Z n-za-mN-ZA-M",
        ]);
    }
}

fn remove(sandbox: &Sandbox, attributes: &str) {
    std::fs::remove_file(sandbox.repo.join(attributes)).unwrap();
    if attributes == ".gitattributes" {
        sandbox.git(["commit", "-q", "-a", "-m", "no attributes"]);
    }
}

#[test]
fn files_of_another_day_are_not_copied() {
    let table: &[(&str, Setup)] = &[
        ("renormalised line endings", |s| {
            s.write("run.sh", "#!/bin/sh\r\necho runs\r\n");
            s.commit("crlf");
            settle(s);
            s.write(".gitattributes", "* text=auto\n");
            s.git(["add", "--renormalize", "."]);
            s.commit("lf");
        }),
        ("a filter whose attribute is gone", |s| {
            rot(s);
            s.write(".gitattributes", "f.txt filter=rot\n");
            converted(s, b"hello\n");
            remove(s, ".gitattributes");
        }),
        ("a filter that is gone altogether", |s| {
            rot(s);
            s.write(".gitattributes", "f.txt filter=rot\n");
            converted(s, b"hello\n");
            remove(s, ".gitattributes");
            s.git(["config", "--remove-section", "filter.rot"]);
        }),
        ("a filter whose driver is gone", |s| {
            rot(s);
            s.write(".gitattributes", "f.txt filter=rot\n");
            converted(s, b"hello\n");
            s.git(["config", "--remove-section", "filter.rot"]);
        }),
        ("a filter that has changed", |s| {
            rot(s);
            s.write(".gitattributes", "f.txt filter=rot\n");
            converted(s, b"hello\n");
            s.git(["config", "filter.rot.smudge", "tr a-z A-Z"]);
            s.git(["config", "filter.rot.clean", "tr A-Z a-z"]);
        }),
        ("keywords of another day", |s| {
            s.write(".gitattributes", "f.txt ident\n");
            converted(s, b"$Id$\n");
            remove(s, ".gitattributes");
        }),
        ("an encoding of another day", |s| {
            s.write(".gitattributes", "f.txt working-tree-encoding=UTF-16LE\n");
            converted(s, "h\0e\0l\0l\0o\0\n\0".as_bytes());
            remove(s, ".gitattributes");
        }),
        ("core.autocrlf of another day", |s| {
            s.git(["config", "core.autocrlf", "true"]);
            converted(s, b"one\ntwo\n");
            s.git(["config", "core.autocrlf", "false"]);
        }),
        ("core.autocrlf since", |s| {
            converted(s, b"one\ntwo\n");
            s.git(["config", "core.autocrlf", "true"]);
        }),
        ("core.eol since", |s| {
            s.write(".gitattributes", "f.txt text\n");
            converted(s, b"one\ntwo\n");
            s.git(["config", "core.eol", "crlf"]);
        }),
        ("info/attributes of another day", |s| {
            write(&s.repo.join(".git/info/attributes"), "f.txt eol=crlf\n");
            converted(s, b"one\ntwo\n");
            remove(s, ".git/info/attributes");
        }),
        ("info/attributes since", |s| {
            converted(s, b"one\ntwo\n");
            write(&s.repo.join(".git/info/attributes"), "f.txt eol=crlf\n");
        }),
        ("core.attributesFile of another day", |s| {
            write(&s.root().join("home/attributes"), "f.txt eol=crlf\n");
            s.git(["config", "--global", "core.attributesFile", "~/attributes"]);
            converted(s, b"one\ntwo\n");
            s.git(["config", "--global", "--unset", "core.attributesFile"]);
        }),
        ("core.attributesFile since", |s| {
            converted(s, b"one\ntwo\n");
            write(&s.root().join("home/attributes"), "f.txt ident eol=crlf\n");
            s.git(["config", "--global", "core.attributesFile", "~/attributes"]);
        }),
        ("~/.config/git/attributes since", |s| {
            converted(s, b"one\ntwo\n");
            write(
                &s.root().join("home/.config/git/attributes"),
                "f.txt eol=crlf\n",
            );
        }),
        ("a macro since", |s| {
            converted(s, b"one\ntwo\n");
            write(
                &s.repo.join(".git/info/attributes"),
                "[attr]dos text eol=crlf\n*.txt dos\n",
            );
        }),
        ("attr.tree", |s| {
            converted(s, b"one\ntwo\n");
            s.git(["checkout", "-q", "-b", "attributes"]);
            s.write(".gitattributes", "f.txt eol=crlf\n");
            s.commit("attributes");
            s.git(["checkout", "-q", "main"]);
            s.git(["config", "attr.tree", "attributes"]);
        }),
        ("an executable bit that git passes over", |s| {
            s.write("run.sh", "#!/bin/sh\n");
            s.commit("run");
            s.git(["config", "core.fileMode", "false"]);
            std::fs::set_permissions(s.repo.join("run.sh"), PermissionsExt::from_mode(0o755))
                .unwrap();
            s.git(["update-index", "--chmod=+x", "README"]);
            s.git(["commit", "-q", "-m", "bit"]);
            settle(s);
        }),
        ("files no other user may read", |s| {
            std::fs::set_permissions(s.repo.join("README"), PermissionsExt::from_mode(0o600))
                .unwrap();
            std::fs::set_permissions(s.repo.join("src"), PermissionsExt::from_mode(0o700)).unwrap();
            settle(s);
        }),
        ("links as files", |s| {
            symlink("README", s.repo.join("link")).unwrap();
            s.commit("link");
            s.git(["config", "core.symlinks", "false"]);
        }),
        ("another name of a file", |s| {
            converted(s, b"one\n");
            std::fs::hard_link(s.repo.join("f.txt"), s.root().join("other")).unwrap();
        }),
        ("staged, hidden and changed files", |s| {
            for name in ["a", "b", "c", "d"] {
                s.write(name, "committed\n");
            }
            s.commit("four");
            settle(s);
            s.write("a", "changed!!\n");
            s.git(["update-index", "--assume-unchanged", "b"]);
            s.git(["update-index", "--skip-worktree", "c"]);
            for name in ["b", "c", "d"] {
                s.write(name, "changed!!\n");
            }
            s.git(["add", "d"]);
        }),
        ("an index entry made by hand", |s| {
            s.write("f.txt", "one\n");
            s.commit("one");
            s.write("f.txt", "two\n");
            let id = s.git(["rev-parse", "HEAD:f.txt"]);
            s.git(["update-index", "--cacheinfo", &format!("100644,{id},f.txt")]);
        }),
    ];
    for (name, setup) in table {
        let (ours, gits) = both(*setup, Call::default());
        assert_eq!(ours, gits, "{name}");
    }
    let source: Call<'_> = Call {
        environment: &[("GIT_ATTR_SOURCE", "attributes")],
        ..Call::default()
    };
    if git_version() >= (2, 41) {
        let setup: Setup = |s| {
            converted(s, b"one\ntwo\n");
            s.git(["checkout", "-q", "-b", "attributes"]);
            s.write(".gitattributes", "f.txt eol=crlf\n");
            s.commit("attributes");
            s.git(["checkout", "-q", "main"]);
        };
        let (ours, gits) = both(setup, source);
        assert_eq!(ours, gits, "GIT_ATTR_SOURCE");
    }
}
