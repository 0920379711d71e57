//! Repositories and trees that git has to judge.

use super::*;
use crate::store::git::Git;
use crate::store::git::settings::SPARSE_CONFIG;

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
    let raw_tree =
        |entries: &[(&str, &str, gix::ObjectId)]| -> std::result::Result<String, Box<dyn Error>> {
            let mut raw = Vec::new();
            for (mode, name, id) in entries {
                raw.extend_from_slice(format!("{mode} {name}\0").as_bytes());
                raw.extend_from_slice(id.as_slice());
            }
            fs::write(sandbox.main.join("raw"), raw)?;
            Ok(sandbox
                .git(&["hash-object", "-w", "-t", "tree", "--literally", "raw"])?
                .trim()
                .to_owned())
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
        assert_eq!(
            fs::read_dir(&outside)?.count(),
            0,
            "{tree}: something was written through a link"
        );
        assert!(!sandbox.main.with_file_name("b").exists());
        if number >= 2 {
            assert!(made.is_err(), "tree {number} must be refused");
        }
    }
    Ok(())
}

#[test]
fn repositories_gix_misreads_are_left_to_git() -> Tested {
    let table = [
        ["core.splitIndex", "true"],
        ["index.sparse", "true"],
        ["remote.origin.promisor", "true"],
    ];
    for [key, value] in table {
        let sandbox = Sandbox::new(&[])?;
        sandbox.write("dir/file", "x")?;
        sandbox.commit()?;
        sandbox.git(&["config", key, value])?;
        let made = sandbox.populate("copied", &[sandbox.source()], None)?;
        assert_eq!(made.how, How::Git, "{key}");
        assert_eq!(
            sandbox.git_in(&made.directory, &["status", "--porcelain"])?,
            ""
        );
        assert_eq!(fs::read(made.directory.join("dir/file"))?, b"x");
    }
    Ok(())
}

#[test]
fn a_partial_clone_fetches_what_it_lacks() -> Tested {
    let Sandbox { root, main } = {
        let sandbox = Sandbox::new(&[])?;
        sandbox.write("dir/file", "x")?;
        sandbox.commit()?;
        sandbox.git(&["config", "uploadpack.allowFilter", "true"])?;
        sandbox.git(&["config", "uploadpack.allowAnySHA1InWant", "true"])?;
        sandbox
    };
    let partial = Sandbox {
        main: main.with_file_name("partial"),
        root,
    };
    let url = format!("file://{}", main.display());
    partial.git_in(
        &main,
        &[
            "clone",
            "-q",
            "--no-checkout",
            "--filter=blob:none",
            &url,
            "../partial",
        ],
    )?;
    let made = partial.populate("made", &[], None)?;
    assert_eq!(made.how, How::Git);
    assert_eq!(fs::read(made.directory.join("dir/file"))?, b"x");
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
        commit: gix::ObjectId::from_hex(commit.trim().as_bytes())?,
        directory: &sandbox.main,
        admin_dir: &sandbox.main.join(".git"),
        sources: &[],
        sparse: None,
        git: &Git::new(git_program()),
    };
    assert!(unsupported::about_repository(&request, &own));
    Ok(())
}

#[test]
fn a_sparse_cone_concerns_one_worktree_only() -> Tested {
    for worktree_config in [false, true] {
        let sandbox = Sandbox::new(&[])?;
        for name in [
            "top",
            "in/file",
            "in/deep/file",
            "out/file",
            "on/the/way/file",
            "on/file",
        ] {
            sandbox.write(name, name)?;
        }
        sandbox.commit()?;
        if worktree_config {
            sandbox.git(&["config", "extensions.worktreeConfig", "true"])?;
        }
        let sparse = Sparse {
            directories: vec!["in".into(), "on/the/way".into()],
        };
        let made = sandbox.populate("cone", &[sandbox.source()], Some(&sparse))?;
        if !worktree_config {
            let file = format!("worktrees/cone/{SPARSE_CONFIG}");
            sandbox.git(&["config", "includeIf.gitdir:./worktrees/cone.path", &file])?;
        }
        let files = |root: &Path| -> std::io::Result<Vec<PathBuf>> {
            Ok(contents(root)?
                .into_iter()
                .filter(|(_, (mode, _))| mode & 0o40000 == 0)
                .map(|(path, _)| path)
                .collect())
        };
        let expected: Vec<_> = [
            "in/deep/file",
            "in/file",
            "on/file",
            "on/the/way/file",
            "top",
        ]
        .map(PathBuf::from)
        .into();
        assert_eq!(files(&made.directory)?, expected);
        assert_eq!(
            sandbox.git_in(&made.directory, &["status", "--porcelain"])?,
            ""
        );
        assert_eq!(
            sandbox.git_in(&made.directory, &["sparse-checkout", "list"])?,
            "in\non/the/way\n"
        );

        // Another commit keeps the cone here and is complete there.
        sandbox.git_in(&made.directory, &["checkout", "-q", "-b", "other"])?;
        sandbox.write("out/new", "new")?;
        sandbox.write("in/new", "new")?;
        sandbox.commit()?;
        sandbox.git_in(&made.directory, &["merge", "-q", "main"])?;
        assert!(made.directory.join("in/new").exists() && !made.directory.join("out").exists());
        let main = sandbox.git(&["status"])?;
        assert!(
            !main.contains("sparse") && main.contains("nothing to commit"),
            "{main}"
        );
        sandbox.git(&["checkout", "-q", "HEAD~1"])?;
        sandbox.git(&["checkout", "-q", "main"])?;
        assert!(sandbox.main.join("out/new").exists());
        assert_ne!(
            sandbox
                .output(&sandbox.main, &["config", "core.sparseCheckout"])?
                .status
                .code(),
            Some(0)
        );
    }
    Ok(())
}
