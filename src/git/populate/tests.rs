//! Every case compares the result with what `git worktree add` makes of the same commit.

use std::{
    collections::BTreeMap,
    error::Error,
    ffi::{OsStr, OsString},
    fs,
    os::unix::{
        ffi::OsStrExt as _,
        fs::{MetadataExt as _, PermissionsExt as _, symlink},
    },
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::{Duration, SystemTime},
};

use super::*;

type Tested = std::result::Result<(), Box<dyn Error>>;

fn git_program() -> OsString {
    std::env::var_os("GIT_LANE_TEST_GIT").unwrap_or_else(|| "git".into())
}

/// A repository with a main worktree, and the place for more worktrees beside it.
struct Sandbox {
    root: tempfile::TempDir,
    main: PathBuf,
}

/// A worktree made by [`populate`] and registered like any other.
struct Populated {
    how: How,
    directory: PathBuf,
}

impl Sandbox {
    fn new(init: &[&str]) -> std::result::Result<Self, Box<dyn Error>> {
        let root = tempfile::tempdir()?;
        let main = root.path().canonicalize()?.join("main");
        let sandbox = Sandbox { root, main };
        fs::create_dir(&sandbox.main)?;
        sandbox.git(&[&["init", "-q", "-b", "main"], init].concat())?;
        for setting in [["user.name", "T"], ["user.email", "t@example.com"], ["core.autocrlf", "false"]] {
            sandbox.git(&[&["config"][..], &setting[..]].concat())?;
        }
        Ok(sandbox)
    }

    fn output(&self, directory: &Path, arguments: &[&str]) -> std::result::Result<Output, Box<dyn Error>> {
        let mut command = Command::new(git_program());
        command.current_dir(directory).args(arguments).env("GIT_CONFIG_NOSYSTEM", "1").env("HOME", self.root.path());
        command.env_remove("GIT_DIR").env_remove("GIT_INDEX_FILE").env_remove("XDG_CONFIG_HOME");
        Ok(command.output()?)
    }

    fn git_in(&self, directory: &Path, arguments: &[&str]) -> std::result::Result<String, Box<dyn Error>> {
        let output = self.output(directory, arguments)?;
        if !output.status.success() {
            return Err(format!("git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr)).into());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn git(&self, arguments: &[&str]) -> std::result::Result<String, Box<dyn Error>> {
        self.git_in(&self.main, arguments)
    }

    fn write(&self, path: impl AsRef<Path>, content: impl AsRef<[u8]>) -> Tested {
        let path = self.main.join(path);
        fs::create_dir_all(path.parent().ok_or("no parent")?)?;
        fs::write(&path, content)?;
        // Older than the index, so that the entry is settled.
        fs::File::options().write(true).open(&path)?.set_modified(SystemTime::now() - Duration::from_secs(60))?;
        Ok(())
    }

    fn commit(&self) -> Tested {
        self.git(&["add", "-A"])?;
        self.git(&["commit", "-q", "--allow-empty", "-m", "x"])?;
        Ok(())
    }

    /// Checks everything out once more, so that the main worktree shows today's conversions.
    fn check_out_again(&self) -> Tested {
        self.git(&["rm", "-q", "-r", "--cached", "."])?;
        self.git(&["reset", "-q", "--hard"])?;
        Ok(())
    }

    fn source(&self) -> Source {
        Source { directory: self.main.clone(), index: self.main.join(".git/index") }
    }

    fn populate(
        &self,
        name: &str,
        sources: &[Source],
        sparse: Option<&Sparse>,
    ) -> std::result::Result<Populated, Box<dyn Error>> {
        self.populate_watched(name, sources, sparse, &|_, _| (), &AtomicBool::new(false))
    }

    fn populate_watched(
        &self,
        name: &str,
        sources: &[Source],
        sparse: Option<&Sparse>,
        progress: &(dyn Fn(usize, usize) + Sync),
        interrupt: &AtomicBool,
    ) -> std::result::Result<Populated, Box<dyn Error>> {
        let common_dir = self.main.join(".git");
        let repo = gix::open_opts(&self.main, gix::open::Options::isolated())?;
        let commit = repo.rev_parse_single("HEAD")?.detach();
        let staged = common_dir.join(format!("staged-{name}"));
        let admin_dir = common_dir.join("worktrees").join(name);
        let directory = self.main.with_file_name(name);
        fs::create_dir(&staged)?;
        fs::create_dir_all(common_dir.join("worktrees"))?;
        fs::create_dir(directory.with_extension("staged"))?;
        // Shared repositories: the top directory, and the set-group-id bit it hands down, are the caller's.
        if let Ok(expected) = fs::metadata(self.main.with_file_name("expected")) {
            fs::set_permissions(directory.with_extension("staged"), expected.permissions())?;
        }
        fs::write(staged.join("HEAD"), format!("{commit}\n"))?;
        fs::write(staged.join("commondir"), [common_dir.as_os_str().as_bytes(), b"\n"].concat())?;
        fs::write(staged.join("gitdir"), [directory.as_os_str().as_bytes(), b"/.git\n"].concat())?;
        let request = Request {
            repo: &repo,
            common_dir: &common_dir,
            commit,
            directory: &directory.with_extension("staged"),
            admin_dir: &staged,
            sources,
            sparse,
            git: &git_program(),
        };
        let how = populate(&request, progress, interrupt)?;
        fs::write(staged.join("commondir"), "../..\n")?;
        fs::rename(&staged, &admin_dir)?;
        fs::rename(directory.with_extension("staged"), &directory)?;
        fs::write(directory.join(".git"), [b"gitdir: ", admin_dir.as_os_str().as_bytes(), b"\n"].concat())?;
        Ok(Populated { how, directory })
    }

    /// Makes worktrees with and without a source, compares both with git's own, and returns how the first was made.
    fn compare(&self) -> std::result::Result<How, Box<dyn Error>> {
        self.git(&["worktree", "add", "-q", "--detach", "../expected", "HEAD"])?;
        let copied = self.populate("copied", &[self.source()], None)?;
        let from_objects = self.populate("from-objects", &[], None)?;
        let expected = contents(&self.main.with_file_name("expected"))?;
        for made in [&copied, &from_objects] {
            assert_eq!(contents(&made.directory)?, expected, "{:?}", made.how);
            self.assert_clean(made)?;
        }
        Ok(copied.how)
    }

    fn assert_clean(&self, made: &Populated) -> Tested {
        let (directory, how) = (&made.directory, made.how);
        assert_eq!(self.git_in(directory, &["diff-files"])?, "", "{how:?}: the stat data do not match");
        assert_eq!(self.git_in(directory, &["status", "--porcelain"])?, "", "{how:?}");
        assert_eq!(self.git_in(directory, &["diff-index", "--cached", "HEAD"])?, "", "{how:?}");
        let tree = self.git_in(directory, &["rev-parse", "HEAD^{tree}"])?;
        assert_eq!(self.git_in(directory, &["write-tree"])?, tree, "{how:?}");
        // fsck checks the index and its cache tree.
        let fsck = self.output(directory, &["fsck", "--no-dangling", "--no-progress"])?;
        assert!(fsck.status.success(), "{how:?}: {}", String::from_utf8_lossy(&fsck.stderr));

        let name = directory.file_name().ok_or("no name")?;
        let path = self.main.join(".git/worktrees").join(name).join("index");
        let repo = gix::open_opts(directory, gix::open::Options::isolated())?;
        let index = gix::index::File::at(&path, repo.object_hash(), false, gix::index::decode::Options::default())?;
        index.verify_integrity()?;
        assert_eq!(index.tree().ok_or("no cache tree")?.id.to_string(), tree.trim(), "{how:?}");
        if how != How::Git {
            index.verify_extensions(true, &repo.objects)?;
            let written = u32::try_from(fs::metadata(&path)?.mtime())?;
            let racy = index.entries().iter().filter(|entry| entry.stat.mtime.secs + 1 >= written).count();
            assert_eq!(racy, 0, "{how:?}");
        }
        Ok(())
    }
}

/// Path to (kind or permissions, content), without `.git`.
fn contents(root: &Path) -> std::io::Result<BTreeMap<PathBuf, (u32, Vec<u8>)>> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![root.to_owned()];
    while let Some(directory) = waiting.pop() {
        for entry in fs::read_dir(&directory)? {
            let path = entry?.path();
            if path == root.join(".git") {
                continue;
            }
            let metadata = path.symlink_metadata()?;
            let content = if metadata.is_symlink() {
                path.read_link()?.into_os_string().as_bytes().to_vec()
            } else if metadata.is_dir() {
                waiting.push(path.clone());
                Vec::new()
            } else {
                fs::read(&path)?
            };
            found.insert(path.strip_prefix(root).unwrap_or(&path).to_owned(), (metadata.mode(), content));
        }
    }
    Ok(found)
}

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
        fs::set_permissions(sandbox.main.join("bin/run"), fs::Permissions::from_mode(0o755))?;
        symlink("README", sandbox.main.join("link"))?;
        symlink("../no/where", sandbox.main.join("a/dangling"))?;
        for number in 0..400 {
            sandbox.write(format!("many/{}/{number}", number % 7), number.to_string())?;
        }
        sandbox.commit()?;
        assert_eq!(sandbox.compare()?, How::Copied { files: 410 }, "{format}");
        assert_eq!(sandbox.populate("alone", &[], None)?.how, How::ObjectDatabase);
    }
    Ok(())
}

#[test]
fn index_versions_and_shared_repositories_are_honoured() -> Tested {
    let settings =
        [("index.version", "4"), ("index.version", "3"), ("feature.manyFiles", "true"), ("index.skipHash", "true")];
    for (key, value) in settings.into_iter().chain([("core.sharedRepository", "group"), ("core.fileMode", "false")]) {
        let sandbox = Sandbox::new(&[])?;
        for name in ["a", "a-long/name", "a-long/name-2", "b", "z/y/x"] {
            sandbox.write(name, name)?;
        }
        fs::set_permissions(sandbox.main.join("b"), fs::Permissions::from_mode(0o755))?;
        sandbox.commit()?;
        sandbox.git(&["config", key, value])?;
        sandbox.compare()?;
        let mode =
            |name: &str| fs::metadata(sandbox.main.join(".git/worktrees").join(name).join("index")).map(|m| m.mode());
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
    sandbox.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{},deps/sub", head.trim())])?;
    sandbox.git(&["commit", "-q", "-m", "submodule"])?;
    assert_eq!(sandbox.compare()?, How::Copied { files: 1 });
    assert!(sandbox.main.with_file_name("copied").join("deps/sub").is_dir());
    Ok(())
}

#[test]
fn conversions_give_what_git_gives() -> Tested {
    let table: [(&str, &[[&str; 2]]); 9] = [
        ("*.txt eol=crlf\n", &[]),
        ("*.txt eol=lf\n", &[["core.autocrlf", "true"]]),
        ("", &[["core.autocrlf", "true"]]),
        ("*.txt text\n*.bin -text\n", &[["core.eol", "crlf"]]),
        ("*.txt ident\n", &[]),
        ("*.txt working-tree-encoding=UTF-16LE\n", &[]),
        ("*.txt filter=up\n", &[["filter.up.smudge", "tr a-z A-Z"], ["filter.up.clean", "tr A-Z a-z"]]),
        ("*.txt filter=bad\n", &[["filter.bad.smudge", "false"]]),
        ("[attr]odd eol=crlf\n*.txt odd\n", &[]),
    ];
    for (attributes, settings) in table {
        let sandbox = Sandbox::new(&[])?;
        sandbox.write("sub/a.txt", "one\ntwo $Id$\n")?;
        sandbox.write("b.bin", "one\ntwo\n")?;
        sandbox.commit()?;
        sandbox.write(".gitattributes", attributes)?;
        sandbox.commit()?;
        for setting in settings {
            sandbox.git(&[&["config"][..], &setting[..]].concat())?;
        }
        sandbox.compare().map_err(|error| format!("{attributes:?} {settings:?}: {error}"))?;
        sandbox.check_out_again()?;
        let again = sandbox.populate("again", &[sandbox.source()], None)?;
        let expected = contents(&sandbox.main.with_file_name("expected"))?;
        assert_eq!(contents(&again.directory)?, expected, "{attributes:?} {settings:?}");
        sandbox.assert_clean(&again)?;
    }
    Ok(())
}

#[test]
fn a_source_converted_by_settings_of_another_day_is_not_copied() -> Tested {
    let sandbox = Sandbox::new(&[])?;
    sandbox.write("a.txt", "one\ntwo\n")?;
    sandbox.write("b.txt", "one\ntwo\n")?;
    sandbox.commit()?;
    sandbox.git(&["config", "core.autocrlf", "true"])?;
    sandbox.check_out_again()?;
    assert_eq!(fs::read(sandbox.main.join("a.txt"))?, b"one\r\ntwo\r\n");
    for name in ["a.txt", "b.txt"] {
        let file = fs::File::options().write(true).open(sandbox.main.join(name))?;
        file.set_modified(SystemTime::now() - Duration::from_secs(60))?;
    }
    sandbox.git(&["update-index", "--refresh"])?;
    sandbox.git(&["config", "core.autocrlf", "false"])?;
    assert_eq!(sandbox.compare()?, How::ObjectDatabase);
    Ok(())
}

#[test]
fn a_failing_required_filter_is_an_error() -> Tested {
    let sandbox = Sandbox::new(&[])?;
    sandbox.write(".gitattributes", "*.txt filter=must\n")?;
    sandbox.write("a.txt", "x")?;
    sandbox.commit()?;
    sandbox.git(&["config", "filter.must.smudge", "false"])?;
    sandbox.git(&["config", "filter.must.required", "true"])?;
    let error = sandbox.populate("failing", &[sandbox.source()], None).err().ok_or("it must fail")?;
    assert!(error.to_string().contains("a.txt: smudge filter must failed"), "{error}");
    Ok(())
}

#[test]
fn lfs_files_are_smudged() -> Tested {
    let sandbox = Sandbox::new(&[])?;
    if !sandbox.output(&sandbox.main, &["lfs", "version"])?.status.success() {
        return Ok(());
    }
    sandbox.git(&["lfs", "install", "--local"])?;
    sandbox.write(".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n")?;
    for number in 0..20 {
        sandbox.write(format!("{number}.bin"), vec![number; 5000])?;
    }
    sandbox.write("plain", "plain")?;
    sandbox.commit()?;
    assert!(sandbox.git(&["show", "HEAD:1.bin"])?.starts_with("version https://git-lfs"));
    assert_eq!(sandbox.compare()?, How::Copied { files: 2 });
    Ok(())
}

#[test]
fn what_the_source_has_not_committed_stays_there() -> Tested {
    let sandbox = Sandbox::new(&[])?;
    for name in ["same-size", "longer", "staged", "removed", "assumed", "replaced", "mode", "kept"] {
        sandbox.write(name, "original")?;
    }
    sandbox.commit()?;
    let old = fs::metadata(sandbox.main.join("same-size"))?.modified()?;
    sandbox.write("same-size", "ORIGINAL")?;
    fs::File::options().write(true).open(sandbox.main.join("same-size"))?.set_modified(old)?;
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
    assert_eq!(sandbox.compare()?, How::Copied { files: 1 });
    Ok(())
}

#[test]
fn other_attributes_in_the_source_rule_it_out() -> Tested {
    let sandbox = Sandbox::new(&[])?;
    sandbox.write("a.txt", "x\n")?;
    sandbox.commit()?;
    sandbox.write(".gitattributes", "*.txt -diff\n")?;
    sandbox.git(&["add", ".gitattributes"])?;
    assert_eq!(sandbox.compare()?, How::ObjectDatabase);
    Ok(())
}

#[test]
fn hostile_trees_write_nothing_outside() -> Tested {
    let sandbox = Sandbox::new(&[])?;
    sandbox.write("payload", "pwned")?;
    sandbox.commit()?;
    let blob = sandbox.git(&["rev-parse", "HEAD:payload"])?;
    let outside = sandbox.main.with_file_name("outside");
    fs::create_dir(&outside)?;
    fs::write(sandbox.main.join("target"), outside.as_os_str().as_bytes())?;
    let link = sandbox.git(&["hash-object", "-w", "target"])?;
    let id = |hex: &str| gix::ObjectId::from_hex(hex.trim().as_bytes());
    let repo = gix::open_opts(&sandbox.main, gix::open::Options::isolated())?;
    let raw_tree = |entries: &[(&str, &str, gix::ObjectId)]| -> std::result::Result<String, Box<dyn Error>> {
        let mut raw = Vec::new();
        for (mode, name, id) in entries {
            raw.extend_from_slice(format!("{mode} {name}\0").as_bytes());
            raw.extend_from_slice(id.as_slice());
        }
        fs::write(sandbox.main.join("raw"), raw)?;
        Ok(sandbox.git(&["hash-object", "-w", "-t", "tree", "--literally", "raw"])?.trim().to_owned())
    };
    let (blob, link) = (id(&blob)?, id(&link)?);
    drop(repo);
    let inner = id(&raw_tree(&[("100644", "b", blob)])?)?;
    let trees = [
        raw_tree(&[("120000", "a", link), ("40000", "a", inner)])?,
        raw_tree(&[("40000", "a", inner), ("120000", "a", link)])?,
        raw_tree(&[("40000", "..", inner)])?,
        raw_tree(&[("40000", ".git", inner)])?,
        raw_tree(&[("40000", ".GIT", inner)])?,
        raw_tree(&[("40000", "git~1", inner)])?,
        raw_tree(&[("100644", "../outside/b", blob)])?,
        raw_tree(&[("100644", "/tmp/b", blob)])?,
    ];
    for (number, tree) in trees.iter().enumerate() {
        let commit = sandbox.git(&["commit-tree", "-m", "x", tree])?;
        sandbox.git(&["update-ref", "--no-deref", "HEAD", commit.trim()])?;
        let made = sandbox.populate(&format!("hostile-{number}"), &[], None);
        assert_eq!(fs::read_dir(&outside)?.count(), 0, "{tree}: something was written through a link");
        assert!(!sandbox.main.with_file_name("b").exists());
        if number >= 2 {
            assert!(made.is_err(), "tree {number} must be refused");
        }
    }
    Ok(())
}

#[test]
fn repositories_gix_misreads_are_left_to_git() -> Tested {
    let table = [["core.splitIndex", "true"], ["index.sparse", "true"], ["remote.origin.promisor", "true"]];
    for [key, value] in table {
        let sandbox = Sandbox::new(&[])?;
        sandbox.write("dir/file", "x")?;
        sandbox.commit()?;
        sandbox.git(&["config", key, value])?;
        let made = sandbox.populate("copied", &[sandbox.source()], None)?;
        assert_eq!(made.how, How::Git, "{key}");
        assert_eq!(sandbox.git_in(&made.directory, &["status", "--porcelain"])?, "");
        assert_eq!(fs::read(made.directory.join("dir/file"))?, b"x");
    }
    Ok(())
}

#[test]
fn reftable_is_left_to_git() -> Tested {
    let Ok(sandbox) = Sandbox::new(&["--ref-format=reftable"]) else {
        return Ok(());
    };
    sandbox.write("dir/file", "x")?;
    sandbox.commit()?;
    // gix cannot resolve HEAD here, so the commit is not asked from it.
    let commit = sandbox.git(&["rev-parse", "HEAD"])?;
    let repo = gix::open_opts(&sandbox.main, gix::open::Options::isolated())?;
    let own = gix::open_opts(&sandbox.main, gix::open::Options::isolated())?;
    let request = Request {
        repo: &repo,
        common_dir: &sandbox.main.join(".git"),
        commit: gix::ObjectId::from_hex(commit.trim().as_bytes())?,
        directory: &sandbox.main,
        admin_dir: &sandbox.main.join(".git"),
        sources: &[],
        sparse: None,
        git: &git_program(),
    };
    assert!(doubt::about_repository(&request, &own));
    Ok(())
}

#[test]
fn a_sparse_cone_concerns_one_worktree_only() -> Tested {
    for worktree_config in [false, true] {
        let sandbox = Sandbox::new(&[])?;
        for name in ["top", "in/file", "in/deep/file", "out/file", "on/the/way/file", "on/file"] {
            sandbox.write(name, name)?;
        }
        sandbox.commit()?;
        if worktree_config {
            sandbox.git(&["config", "extensions.worktreeConfig", "true"])?;
        }
        let sparse = Sparse { directories: vec!["in".into(), "on/the/way".into()] };
        let made = sandbox.populate("cone", &[sandbox.source()], Some(&sparse))?;
        if !worktree_config {
            let file = format!("worktrees/cone/{SPARSE_CONFIG}");
            sandbox.git(&["config", "includeIf.gitdir:./worktrees/cone.path", &file])?;
        }
        let files = |root: &Path| -> std::io::Result<Vec<PathBuf>> {
            Ok(contents(root)?.into_iter().filter(|(_, (mode, _))| mode & 0o40000 == 0).map(|(path, _)| path).collect())
        };
        let expected: Vec<_> =
            ["in/deep/file", "in/file", "on/file", "on/the/way/file", "top"].map(PathBuf::from).into();
        assert_eq!(files(&made.directory)?, expected);
        assert_eq!(sandbox.git_in(&made.directory, &["status", "--porcelain"])?, "");
        assert_eq!(sandbox.git_in(&made.directory, &["sparse-checkout", "list"])?, "in\non/the/way\n");

        // Another commit keeps the cone here and is complete there.
        sandbox.git_in(&made.directory, &["checkout", "-q", "-b", "other"])?;
        sandbox.write("out/new", "new")?;
        sandbox.write("in/new", "new")?;
        sandbox.commit()?;
        sandbox.git_in(&made.directory, &["merge", "-q", "main"])?;
        assert!(made.directory.join("in/new").exists() && !made.directory.join("out").exists());
        let main = sandbox.git(&["status"])?;
        assert!(!main.contains("sparse") && main.contains("nothing to commit"), "{main}");
        sandbox.git(&["checkout", "-q", "HEAD~1"])?;
        sandbox.git(&["checkout", "-q", "main"])?;
        assert!(sandbox.main.join("out/new").exists());
        assert_ne!(sandbox.output(&sandbox.main, &["config", "core.sparseCheckout"])?.status.code(), Some(0));
    }
    Ok(())
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
    let made = sandbox.populate_watched("stopped", &[sandbox.source()], None, &progress, &interrupt);
    let error = made.err().ok_or("it must stop")?;
    let error = error.downcast::<crate::error::Error>()?;
    assert_eq!(error.kind(), Kind::Interrupted);
    assert!(seen.into_inner() < 1000);
    Ok(())
}
