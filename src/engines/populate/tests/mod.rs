//! Every case compares the result with what `git worktree add` makes of the same commit.

use crate::store::git::Git;
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

mod conversions;
mod file_kinds;
mod left_to_git;

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
    /// Whether git wrote some of the files in place: those are as young as git makes them.
    unfinished: bool,
    directory: PathBuf,
}

impl Sandbox {
    fn new(init: &[&str]) -> std::result::Result<Self, Box<dyn Error>> {
        let root = tempfile::tempdir()?;
        let main = root.path().canonicalize()?.join("main");
        let sandbox = Sandbox { root, main };
        fs::create_dir(&sandbox.main)?;
        sandbox.git(&[&["init", "-q", "-b", "main"], init].concat())?;
        // A newer git repacks behind the back of the test that has just committed.
        let settings = [
            ["user.name", "T"],
            ["user.email", "t@example.com"],
            ["core.autocrlf", "false"],
        ];
        for setting in settings.into_iter().chain([["maintenance.auto", "false"]]) {
            sandbox.git(&[&["config"][..], &setting[..]].concat())?;
        }
        Ok(sandbox)
    }

    fn output(
        &self,
        directory: &Path,
        arguments: &[&str],
    ) -> std::result::Result<Output, Box<dyn Error>> {
        let mut command = Command::new(git_program());
        command
            .current_dir(directory)
            .args(arguments)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("HOME", self.root.path());
        command
            .env_remove("GIT_DIR")
            .env_remove("GIT_INDEX_FILE")
            .env_remove("XDG_CONFIG_HOME");
        Ok(command.output()?)
    }

    fn git_in(
        &self,
        directory: &Path,
        arguments: &[&str],
    ) -> std::result::Result<String, Box<dyn Error>> {
        let output = self.output(directory, arguments)?;
        if !output.status.success() {
            return Err(format!(
                "git {arguments:?}: {}",
                String::from_utf8_lossy(&output.stderr)
            )
            .into());
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
        fs::File::options()
            .write(true)
            .open(&path)?
            .set_modified(SystemTime::now() - Duration::from_secs(60))?;
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
        Source {
            directory: self.main.clone(),
            index: self.main.join(".git/index"),
        }
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
        // Shared repositories: the top directory, and the set-group-id bit it hands down, are the
        // caller's.
        if let Ok(expected) = fs::metadata(self.main.with_file_name("expected")) {
            fs::set_permissions(directory.with_extension("staged"), expected.permissions())?;
        }
        fs::write(staged.join("HEAD"), format!("{commit}\n"))?;
        fs::write(
            staged.join("commondir"),
            [common_dir.as_os_str().as_bytes(), b"\n"].concat(),
        )?;
        fs::write(
            staged.join("gitdir"),
            [directory.as_os_str().as_bytes(), b"/.git\n"].concat(),
        )?;
        let request = Request {
            repo: &repo,
            commit,
            directory: &directory.with_extension("staged"),
            admin_dir: &staged,
            sources,
            sparse,
            git: &Git::new(git_program()),
        };
        let Filled { how, unfinished } = populate(&request, progress, interrupt)?;
        fs::write(staged.join("commondir"), "../..\n")?;
        fs::rename(&staged, &admin_dir)?;
        fs::rename(directory.with_extension("staged"), &directory)?;
        fs::write(
            directory.join(".git"),
            [b"gitdir: ", admin_dir.as_os_str().as_bytes(), b"\n"].concat(),
        )?;
        if unfinished {
            let (git, hash) = (Git::new(git_program()), repo.object_hash());
            let place = Place {
                git: &git,
                settings: &[],
                directory: &directory,
                admin_dir: &admin_dir,
                hash,
            };
            complete(&place, commit, |_| true, interrupt)?;
        }
        Ok(Populated {
            how,
            unfinished,
            directory,
        })
    }

    /// Makes worktrees with and without a source, compares both with git's own, and returns how the
    /// first was made.
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
        assert_eq!(
            self.git_in(directory, &["diff-files"])?,
            "",
            "{how:?}: the stat data do not match"
        );
        assert_eq!(
            self.git_in(directory, &["status", "--porcelain"])?,
            "",
            "{how:?}"
        );
        assert_eq!(
            self.git_in(directory, &["diff-index", "--cached", "HEAD"])?,
            "",
            "{how:?}"
        );
        let tree = self.git_in(directory, &["rev-parse", "HEAD^{tree}"])?;
        assert_eq!(self.git_in(directory, &["write-tree"])?, tree, "{how:?}");
        // fsck checks the index and its cache tree.
        let fsck = self.output(directory, &["fsck", "--no-dangling", "--no-progress"])?;
        assert!(
            fsck.status.success(),
            "{how:?}: {}",
            String::from_utf8_lossy(&fsck.stderr)
        );

        let name = directory.file_name().ok_or("no name")?;
        let path = self.main.join(".git/worktrees").join(name).join("index");
        let repo = gix::open_opts(directory, gix::open::Options::isolated())?;
        let index = gix::index::File::at(
            &path,
            repo.object_hash(),
            false,
            gix::index::decode::Options::default(),
        )?;
        index.verify_integrity()?;
        assert_eq!(
            index.tree().ok_or("no cache tree")?.id.to_string(),
            tree.trim(),
            "{how:?}"
        );
        if how != How::Git {
            index.verify_extensions(true, &repo.objects)?;
            let written = u32::try_from(fs::metadata(&path)?.mtime())?;
            let racy = index
                .entries()
                .iter()
                .filter(|entry| entry.stat.mtime.secs + 1 >= written)
                .count();
            assert!(racy == 0 || made.unfinished, "{how:?}");
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
            found.insert(
                path.strip_prefix(root).unwrap_or(&path).to_owned(),
                (metadata.mode(), content),
            );
        }
    }
    Ok(found)
}
