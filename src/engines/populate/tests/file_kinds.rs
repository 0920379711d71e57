//! Plain files, links and submodules, from the source and from the objects, and sources in motion.

use super::*;

#[test]
fn plain_files_are_copied() -> Tested {
    for format in ["sha1", "sha256"] {
        let sandbox = Sandbox::new(&["--object-format", format])?;
        sandbox.write("README", "hello\n")?;
        sandbox.write("empty", "")?;
        sandbox.write("a/b/c/d/deep", "deep")?;
        sandbox.write("a/b-c/x", "x")?;
        sandbox.write("a.b/y", "y")?;
        sandbox.write("big", vec![7; 300_000])?;
        sandbox.write("bin/run", "#!/bin/sh\n")?;
        sandbox.write(OsStr::from_bytes(b"caf\xe9/\xff\n*.txt"), "latin")?;
        sandbox.write("text.txt", "auto\n")?;
        sandbox.write(".gitattributes", "*.txt text=auto diff=txt\n")?;
        fs::set_permissions(
            sandbox.main.join("bin/run"),
            fs::Permissions::from_mode(0o755),
        )?;
        symlink("README", sandbox.main.join("link"))?;
        symlink("../no/where", sandbox.main.join("a/dangling"))?;
        for number in 0..400 {
            sandbox.write(format!("many/{}/{number}", number % 7), number.to_string())?;
        }
        sandbox.commit()?;
        assert_eq!(sandbox.compare()?, How::Copied { files: 410 }, "{format}");
        assert_eq!(
            sandbox.populate("alone", &[], None)?.how,
            How::ObjectDatabase
        );
    }
    Ok(())
}

#[test]
fn index_versions_and_shared_repositories_are_honoured() -> Tested {
    let settings = [
        ("index.version", "4"),
        ("index.version", "3"),
        ("feature.manyFiles", "true"),
        ("index.skipHash", "true"),
    ];
    for (key, value) in settings.into_iter().chain([
        ("core.sharedRepository", "group"),
        ("core.fileMode", "false"),
    ]) {
        let sandbox = Sandbox::new(&[])?;
        for name in ["a", "a-long/name", "a-long/name-2", "b", "z/y/x"] {
            sandbox.write(name, name)?;
        }
        fs::set_permissions(sandbox.main.join("b"), fs::Permissions::from_mode(0o755))?;
        sandbox.commit()?;
        sandbox.git(&["config", key, value])?;
        sandbox.compare()?;
        let mode = |name: &str| {
            fs::metadata(sandbox.main.join(".git/worktrees").join(name).join("index"))
                .map(|m| m.mode())
        };
        assert_eq!(mode("copied")?, mode("expected")?, "{key}={value}");
    }
    Ok(())
}

#[test]
fn a_bare_repository_has_worktrees_too() -> Tested {
    let sandbox = Sandbox::new(&[])?;
    sandbox.write("plain", "x\n")?;
    sandbox.write("dos/file.txt", "x\n")?;
    sandbox.write(".gitattributes", "*.txt eol=crlf\n")?;
    sandbox.commit()?;
    let source = sandbox.source();
    sandbox.git(&["config", "core.bare", "true"])?;
    let made = sandbox.populate("made", &[source], None)?;
    assert_eq!(made.how, How::Copied { files: 2 });
    assert_eq!(fs::read(made.directory.join("dos/file.txt"))?, b"x\r\n");
    sandbox.assert_clean(&made)
}

#[test]
fn an_empty_tree_gives_an_empty_worktree() -> Tested {
    let sandbox = Sandbox::new(&[])?;
    sandbox.commit()?;
    assert_eq!(sandbox.compare()?, How::ObjectDatabase);
    Ok(())
}

#[test]
fn submodules_become_empty_directories() -> Tested {
    let sandbox = Sandbox::new(&[])?;
    sandbox.write("file", "x")?;
    sandbox.commit()?;
    let head = sandbox.git(&["rev-parse", "HEAD"])?;
    sandbox.git(&[
        "update-index",
        "--add",
        "--cacheinfo",
        &format!("160000,{},deps/sub", head.trim()),
    ])?;
    sandbox.git(&["commit", "-q", "-m", "submodule"])?;
    assert_eq!(sandbox.compare()?, How::Copied { files: 1 });
    assert!(
        sandbox
            .main
            .with_file_name("copied")
            .join("deps/sub")
            .is_dir()
    );
    Ok(())
}

#[test]
fn what_the_source_has_not_committed_stays_there() -> Tested {
    let sandbox = Sandbox::new(&[])?;
    for name in [
        "same-size",
        "longer",
        "staged",
        "removed",
        "assumed",
        "replaced",
        "mode",
        "kept",
    ] {
        sandbox.write(name, "original")?;
    }
    sandbox.commit()?;
    let old = fs::metadata(sandbox.main.join("same-size"))?.modified()?;
    sandbox.write("same-size", "ORIGINAL")?;
    fs::File::options()
        .write(true)
        .open(sandbox.main.join("same-size"))?
        .set_modified(old)?;
    sandbox.write("longer", "original and more")?;
    sandbox.write("staged", "STAGED!!")?;
    sandbox.git(&["add", "staged"])?;
    fs::remove_file(sandbox.main.join("removed"))?;
    sandbox.git(&["update-index", "--assume-unchanged", "assumed"])?;
    sandbox.write("assumed", "ASSUMED!")?;
    fs::remove_file(sandbox.main.join("replaced"))?;
    symlink("longer", sandbox.main.join("replaced"))?;
    fs::set_permissions(sandbox.main.join("mode"), fs::Permissions::from_mode(0o755))?;
    sandbox.write("untracked", "mine")?;
    // Those whose content is the blob's; the permissions are never the source's.
    assert_eq!(sandbox.compare()?, How::Copied { files: 2 });
    Ok(())
}

#[test]
fn a_second_source_fills_the_gaps_of_the_first() -> Tested {
    let sandbox = Sandbox::new(&[])?;
    for number in 0..100 {
        sandbox.write(format!("{number}"), "original")?;
    }
    sandbox.commit()?;
    let first = sandbox.populate("first", &[sandbox.source()], None)?;
    for number in 0..50 {
        sandbox.write(format!("{number}"), "changed, and longer")?;
    }
    sandbox.commit()?;
    sandbox.git(&["checkout", "-q", "--detach"])?;
    sandbox.git(&["update-ref", "HEAD", "HEAD~1"])?;
    let second = Source {
        directory: first.directory,
        index: sandbox.main.join(".git/worktrees/first/index"),
    };
    let made = sandbox.populate("made", &[sandbox.source(), second], None)?;
    assert_eq!(made.how, How::Copied { files: 100 });
    sandbox.assert_clean(&made)
}

#[test]
fn an_interrupt_stops_the_work() -> Tested {
    let sandbox = Sandbox::new(&[])?;
    for number in 0..2000 {
        sandbox.write(format!("{number}"), "x")?;
    }
    sandbox.commit()?;
    let interrupt = AtomicBool::new(false);
    let seen = AtomicUsize::new(0);
    let progress = |done: usize, total: usize| {
        assert_eq!(total, 2000);
        seen.fetch_max(done, Ordering::Relaxed);
        interrupt.store(true, Ordering::Relaxed);
    };
    let made =
        sandbox.populate_watched("stopped", &[sandbox.source()], None, &progress, &interrupt);
    let error = made.err().ok_or("it must stop")?;
    let error = error.downcast::<crate::error::Error>()?;
    assert_eq!(error.kind(), Kind::Interrupted);
    assert!(seen.into_inner() < 1000);
    Ok(())
}
