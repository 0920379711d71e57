//! What git says of an index and the files of its worktree, and how it changes them.

use std::ffi::OsStr;
use std::path::Path;

use bstr::{BString, ByteSlice};
use gix::ObjectId;

use super::Invocation;
use crate::error::{Error, Result};

impl Invocation {
    /// `git read-tree` with options such as `-m` and `-u`.
    pub fn reading_tree<T: ToString>(
        self,
        options: impl IntoIterator<Item = impl AsRef<OsStr>>,
        trees: impl IntoIterator<Item = T>,
    ) -> Self {
        self.running_programs()
            .arg("read-tree")
            .args(options)
            .args(trees.into_iter().map(|tree| tree.to_string()))
    }

    /// Has the index be that of a tree; no file is touched.
    pub fn fill_index(self, tree: impl ToString) -> Result<()> {
        self.arg("read-tree").arg(tree.to_string()).run()
    }

    /// `git write-tree`: the tree the index makes.
    pub fn write_tree(self) -> Result<ObjectId> {
        self.arg("write-tree").object_id()
    }

    /// `git ls-files -z`: the paths, or the records that options such as `--stage` ask for.
    pub fn ls_files(
        self,
        options: &[&str],
        paths: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Result<Vec<BString>> {
        self.literal_paths()
            .args(["ls-files", "-z"])
            .args(options)
            .arg("--")
            .args(paths)
            .fields()
    }

    /// The paths that are unmerged.
    pub fn unmerged_paths(self) -> Result<Vec<BString>> {
        self.args(["diff", "--name-only", "--diff-filter=U", "-z"])
            .fields()
    }

    /// Whether the index has something at or below `path`, however its letters are cased.
    pub fn has_in_any_case(self, path: &Path) -> Result<bool> {
        let named = self.args(["ls-files", "-z", "--"]);
        let found = named
            .arg(format!(":(top,icase){}", path.display()))
            .stdout()?;
        Ok(!found.is_empty())
    }

    /// `git diff-files`: the paths whose files are not as the index has them.
    pub fn diff_files(self, options: &[&str]) -> Result<Vec<BString>> {
        self.running_programs()
            .args(["diff-files", "-z", "--name-only"])
            .args(options)
            .fields()
    }

    /// `git diff-index --cached`: the paths that the index has differently from a tree.
    pub fn diff_index(self, tree: impl ToString) -> Result<Vec<BString>> {
        self.args(["diff-index", "--cached", "-z", "--name-only"])
            .args(["--no-renames", &tree.to_string(), "--"])
            .fields()
    }

    /// The same, with the letter of what became of each.
    pub fn staged_changes(self, tree: impl ToString) -> Result<Vec<(u8, BString)>> {
        let fields = self
            .args(["diff-index", "--cached", "--name-status", "-z"])
            .args(["--no-renames", "--ignore-submodules=none"])
            .args([&tree.to_string(), "--"])
            .fields()?;
        let change = |pair: &[BString]| match pair {
            [code, path] if code.len() == 1 => Some((code[0], path.clone())),
            _ => None,
        };
        let changes = fields.chunks(2).map(change);
        changes
            .collect::<Option<_>>()
            .ok_or_else(|| Error::git("cannot understand what git diff-index says"))
    }

    /// Whether the index holds just that tree.
    pub fn index_equals(self, tree: impl AsRef<[u8]>) -> Result<bool> {
        self.args(["diff-index", "--cached", "--quiet"])
            .bytes(tree)
            .arg("--")
            .succeeds()
    }

    /// Has git find out which files are as the index has them; that some are not is no failure.
    pub fn refresh_index(self) -> Result<()> {
        self.running_programs()
            .args(["update-index", "-q", "--refresh"])
            .output()
            .map(drop)
    }

    /// Has the index be one file.
    pub fn unsplit_index(self) -> Result<()> {
        self.args(["update-index", "--no-split-index"]).run()
    }

    /// `git update-index --index-info` with a NUL after each entry; `add` lets paths come that the
    /// index has not.
    pub fn update_index(self, add: bool, entries: Vec<u8>) -> Result<()> {
        self.args(["update-index", "-z"])
            .args(add.then_some("--add"))
            .arg("--index-info")
            .input(entries)
            .run()
    }

    /// `git add --intent-to-add` of `paths`, a NUL after each.
    pub fn intend_to_add(self, paths: impl Into<Vec<u8>>) -> Result<()> {
        self.literal_paths()
            .args(["add", "--intent-to-add", "--force"])
            .args(["--pathspec-from-file=-", "--pathspec-file-nul"])
            .input(paths)
            .run()
    }

    /// `git update-index` of `paths`, a NUL after each: has the index hold their files as they are,
    /// and nothing where there is none. What a sparse checkout leaves out stays.
    pub fn take_in_files(self, paths: impl Into<Vec<u8>>) -> Result<()> {
        self.running_programs()
            .args(["update-index", "--add", "--remove", "--replace"])
            .args(["--ignore-skip-worktree-entries", "-z", "--stdin"])
            .input(paths)
            .run()
    }

    /// `git update-index --no-<flag>` of `paths`, a NUL after each.
    pub fn unflag(self, flag: &str, paths: impl Into<Vec<u8>>) -> Result<()> {
        self.arg("update-index")
            .arg(format!("--no-{flag}"))
            .args(["-z", "--stdin"])
            .input(paths)
            .run()
    }

    /// `git checkout-index`: writes the files of `paths`, a NUL after each, from the index.
    pub fn checking_out(
        self,
        options: impl IntoIterator<Item = impl AsRef<OsStr>>,
        paths: impl Into<Vec<u8>>,
    ) -> Self {
        self.running_programs()
            .args(["checkout-index", "-z", "--stdin"])
            .args(options)
            .input(paths)
    }

    /// `git add` of what `options` say.
    pub fn adding(self, options: &[&str]) -> Self {
        self.running_programs().arg("add").args(options)
    }

    /// `git add --all` of the whole worktree, beyond a sparse checkout too, but for some paths.
    pub fn adding_all(self, options: &[&str], but: &[BString]) -> Self {
        let add = self.running_programs().args(["add", "--all", "--sparse"]);
        let add = add.args(options).args(["--", "."]);
        but.iter().fold(add, |add, path| {
            add.bytes([b":(exclude,literal)", path.as_slice()].concat())
        })
    }

    /// `git stash apply --index` of a commit.
    pub fn stash_apply(self, commit: &str) -> Result<()> {
        self.running_programs()
            .args(["stash", "apply", "--quiet", "--index", commit])
            .run()
    }

    /// `git bisect reset`, to that branch or to where the bisection began.
    pub fn bisect_reset(self, branch: Option<&[u8]>) -> Result<()> {
        let git = self.running_programs().args(["bisect", "reset"]);
        match branch {
            Some(branch) => git.bytes(branch).run(),
            None => git.run(),
        }
    }

    /// `git checkout` of a branch, which may be checked out elsewhere too.
    pub fn checkout_branch(
        self,
        options: impl IntoIterator<Item = impl AsRef<OsStr>>,
        branch: impl AsRef<[u8]>,
    ) -> Self {
        self.running_programs()
            .args(["checkout", "--quiet"])
            .args(options)
            .args(["--no-guess", "--ignore-other-worktrees"])
            .bytes(branch)
            .arg("--")
    }

    /// `git checkout --detach`.
    pub fn checkout_detached(
        self,
        options: impl IntoIterator<Item = impl AsRef<OsStr>>,
        commit: impl AsRef<[u8]>,
    ) -> Self {
        self.running_programs()
            .args(["checkout", "--quiet"])
            .args(options)
            .arg("--detach")
            .bytes(commit)
            .arg("--")
    }

    /// Whether `git status` has something to say of the worktree, untracked files included.
    pub fn has_changes(self) -> Result<bool> {
        let changes = self
            .running_programs()
            .args(["status", "--porcelain", "-z", "--untracked-files=normal"])
            .stdout()?;
        Ok(!changes.is_empty())
    }

    /// `git commit` with git's own hooks, seen by the user; its exit code.
    pub fn commit(self, message: &str, no_verify: bool) -> Result<i32> {
        self.args(["commit", "--quiet", "-m", message])
            .args(no_verify.then_some("--no-verify"))
            .interactive(std::process::Stdio::null())
    }

    /// `git submodule update`, seen by the user; its exit code.
    pub fn update_submodules(self) -> Result<i32> {
        self.args(["submodule", "update", "--init", "--recursive"])
            .interactive(std::process::Stdio::null())
    }

    /// `git worktree add`: a locked worktree at a commit, on no branch.
    pub fn add_worktree(
        self,
        place: &Path,
        commit: ObjectId,
        checkout: bool,
        reason: &str,
    ) -> Result<()> {
        let checkout = if checkout {
            "--checkout"
        } else {
            "--no-checkout"
        };
        self.running_programs()
            .args(["worktree", "add", "--quiet", checkout, "--detach"])
            .args(["--lock", "--reason", reason, "--"])
            .arg(place)
            .arg(commit.to_string())
            .run()
    }

    /// `git worktree list --porcelain -z`: its fields, an empty one after each worktree.
    pub fn list_worktrees(self) -> Result<Vec<BString>> {
        let listed = self
            .args(["worktree", "list", "--porcelain", "-z"])
            .stdout()?;
        Ok(listed.split_str("\0").map(BString::from).collect())
    }

    /// `git sparse-checkout reapply`: no files outside of it, but for those that are changed.
    pub fn reapply_sparse(self) -> Result<()> {
        self.running_programs()
            .args(["sparse-checkout", "reapply"])
            .run()
    }

    /// `git sparse-checkout set --cone`.
    pub fn set_sparse(self, directories: &[BString]) -> Result<()> {
        let set =
            self.running_programs()
                .args(["sparse-checkout", "set", "--cone", "--end-of-options"]);
        let set = directories
            .iter()
            .fold(set, |set, directory| set.bytes(directory));
        set.run()
    }

    /// `git sparse-checkout list`: the directories of a sparse checkout, or its patterns.
    pub fn list_sparse(self) -> Result<Vec<BString>> {
        let listed = self.args(["sparse-checkout", "list"]).stdout()?;
        Ok(listed.lines().map(BString::from).collect())
    }
}
