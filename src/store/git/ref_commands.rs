//! What git says of refs, revisions and reflogs, and how they are moved.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Output;

use bstr::{BString, ByteSlice};
use gix::ObjectId;

use super::Invocation;
use crate::error::Result;

impl Invocation {
    /// `git rev-parse --verify`: the object a revision names, if it names one.
    pub fn rev_parse(self, revision: impl AsRef<[u8]>) -> Result<Option<ObjectId>> {
        let found = self
            .args(["rev-parse", "--verify", "--quiet", "--end-of-options"])
            .bytes(revision)
            .output()?;
        let id = ObjectId::from_hex(found.stdout.trim_ascii_end()).ok();
        Ok(id.filter(|_| found.status.success()))
    }

    /// The same of the commit, or the tree, that a revision leads to.
    pub fn rev_parse_to(
        self,
        revision: impl AsRef<[u8]>,
        kind: gix::object::Kind,
    ) -> Result<Option<ObjectId>> {
        let peeled = format!("^{{{kind}}}");
        self.rev_parse([revision.as_ref(), peeled.as_bytes()].concat())
    }

    /// The full name of the ref that `@{-1}` and the like stand for; empty of a detached HEAD,
    /// `None` where git knows none.
    pub fn full_name_of(self, revision: &str) -> Result<Option<BString>> {
        let found = self
            .args(["rev-parse", "--symbolic-full-name", "--verify", "--quiet"])
            .arg(revision)
            .output()?;
        let name = found.status.success().then_some(found.stdout);
        Ok(name.map(|name| name.trim_ascii_end().into()))
    }

    /// `git rev-parse --git-path`: where git looks for one of its files, absolute.
    pub fn git_path(self, name: &str) -> Result<PathBuf> {
        let path = self
            .args(["rev-parse", "--path-format=absolute", "--git-path", name])
            .stdout()?;
        Ok(crate::store::path(crate::store::line(&path)))
    }

    /// The git directory of the repository this git finds, if it finds one.
    pub fn absolute_git_dir(self) -> Option<PathBuf> {
        let found = self.args(["rev-parse", "--absolute-git-dir"]).stdout();
        found
            .ok()
            .map(|path| crate::store::path(crate::store::line(&path)))
    }

    /// What git has against the repository it is to work in, if it has something.
    pub fn complaint(self) -> Result<Option<String>> {
        let answer = self.args(["rev-parse", "--git-dir"]).output()?;
        let said = || answer.stderr.to_str_lossy().into_owned();
        Ok((!answer.status.success()).then(said))
    }

    /// `git symbolic-ref`: the ref that a symbolic one leads to in the end, if it is one.
    pub fn symbolic_ref(self, name: impl AsRef<[u8]>) -> Result<Option<BString>> {
        self.symbolic(&["--quiet"], name.as_ref())
    }

    /// The same of the very next ref only; git 2.45 and later.
    pub fn symbolic_ref_itself(self, name: impl AsRef<[u8]>) -> Result<Option<BString>> {
        self.symbolic(&["--quiet", "--no-recurse"], name.as_ref())
    }

    fn symbolic(self, options: &[&str], name: &[u8]) -> Result<Option<BString>> {
        let found = self
            .arg("symbolic-ref")
            .args(options)
            .bytes(name)
            .output()?;
        let target = BString::from(found.stdout.trim_ascii_end());
        Ok((!target.is_empty()).then_some(target))
    }

    /// Has HEAD lead to the ref of that full name.
    pub fn attach_head(self, target: impl AsRef<[u8]>, reason: &str) -> Result<()> {
        self.running_programs()
            .args(["symbolic-ref", "-m", reason, "HEAD"])
            .bytes(target)
            .run()
    }

    /// `git branch -m`: the branch, its reflog and its settings get another name, and every HEAD that is
    /// on it goes along.
    pub fn rename_branch(self, from: impl AsRef<[u8]>, to: impl AsRef<[u8]>) -> Result<()> {
        self.running_programs()
            .args(["branch", "-m"])
            .bytes(from)
            .bytes(to)
            .run()
    }

    /// Has HEAD be at that commit, on no branch.
    pub fn detach_head(self, commit: impl AsRef<[u8]>, reason: &str) -> Result<()> {
        self.running_programs()
            .args(["update-ref", "--no-deref", "-m", reason, "HEAD"])
            .bytes(commit)
            .run()
    }

    /// `git update-ref`: moves one ref from where it must be.
    pub fn update_ref(
        self,
        name: impl AsRef<[u8]>,
        to: impl AsRef<[u8]>,
        from: impl AsRef<[u8]>,
        reason: Option<&str>,
    ) -> Result<()> {
        self.running_programs()
            .arg("update-ref")
            .args(reason.map(|reason| ["-m", reason]).into_iter().flatten())
            .bytes(name)
            .bytes(to)
            .bytes(from)
            .run()
    }

    /// The transaction that `commands` describes for `git update-ref -z --stdin`; symbolic refs are
    /// not followed.
    pub fn update_refs(self, commands: Vec<u8>, reason: &str) -> Result<Output> {
        self.running_programs()
            .args(["update-ref", "--no-deref", "--create-reflog", "-m", reason])
            .args(["-z", "--stdin"])
            .input(commands)
            .output()
    }

    /// Whether there is a ref of that full name.
    pub fn has_ref(self, name: impl AsRef<[u8]>) -> Result<bool> {
        self.args(["show-ref", "--verify", "--quiet"])
            .bytes(name)
            .succeeds()
    }

    /// `git for-each-ref`: of each ref the `fields`, as `objectname` and `refname` are some.
    /// `which` are patterns, and options such as `--points-at=…`.
    pub fn for_each_ref<const N: usize>(
        self,
        fields: [&str; N],
        which: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Result<Vec<[BString; N]>> {
        let listed = self.listing_refs(fields, which).stdout()?;
        Ok(rows(&listed))
    }

    /// The remote-tracking branches that have `commit`, the short cuts to one of them left out.
    pub fn remote_branches_with(self, commit: ObjectId) -> Result<Vec<BString>> {
        let which = [format!("--contains={commit}"), "refs/remotes/".to_owned()];
        let listed = self.for_each_ref(["refname", "symref"], which)?;
        let own = listed
            .into_iter()
            .filter(|[_, leads_to]| leads_to.is_empty());
        Ok(own.map(|[name, _]| name).collect())
    }

    /// The same of all refs; one that cannot be read, which git passes over with a warning, is an
    /// error.
    pub fn for_each_readable_ref<const N: usize>(
        self,
        fields: [&str; N],
    ) -> Result<Vec<[BString; N]>> {
        let listed = self.listing_refs(fields, [] as [&str; 0]).output()?;
        if listed.status.success() && listed.stderr.is_empty() {
            Ok(rows(&listed.stdout))
        } else {
            Err(super::failure("git for-each-ref", &listed))
        }
    }

    fn listing_refs<const N: usize>(
        self,
        fields: [&str; N],
        which: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Self {
        let fields = fields.map(|field| format!("%({field})")).join("%00");
        self.args(["for-each-ref", &format!("--format={fields}")])
            .args(which)
    }

    /// `git reflog show`: a line for each entry of the log of `name`, the newest first, as `format`
    /// has it: `%H` and `%gs` for instance. Empty where there is no log.
    pub fn reflog(
        self,
        name: impl AsRef<[u8]>,
        format: &str,
        most: Option<u32>,
    ) -> Result<Vec<BString>> {
        let shown = self
            .args(["reflog", "show", "--no-show-signature"])
            .arg(format!("--format={format}"))
            .args(most.map(|most| format!("-{most}")))
            .bytes(name)
            .arg("--")
            .output()?;
        Ok(shown.stdout.lines().map(BString::from).collect())
    }

    /// Takes the newest entry out of the log of `name`; with `and_ref` the ref is then where the
    /// entry before has it.
    pub fn forget_last(self, name: &str, and_ref: bool) -> Result<()> {
        self.running_programs()
            .args(["reflog", "delete", "--rewrite"])
            .args(and_ref.then_some("--updateref"))
            .arg(format!("{name}@{{0}}"))
            .run()
    }

    /// Whether `ancestor` is `commit` or one of its ancestors.
    pub fn has_ancestor(
        self,
        commit: impl AsRef<[u8]>,
        ancestor: impl AsRef<[u8]>,
    ) -> Result<bool> {
        self.args(["merge-base", "--is-ancestor"])
            .bytes(ancestor)
            .bytes(commit)
            .succeeds()
    }

    /// `git merge-base --fork-point`: the newest commit in the history of `commit` that the ref is at, or
    /// was by its reflog.
    pub fn fork_point(self, name: impl AsRef<[u8]>, commit: ObjectId) -> Result<Option<ObjectId>> {
        let found = self
            .args(["merge-base", "--fork-point"])
            .bytes(name)
            .arg(commit.to_string())
            .output()?;
        let id = ObjectId::from_hex(found.stdout.trim_ascii_end()).ok();
        Ok(id.filter(|_| found.status.success()))
    }
}

fn rows<const N: usize>(listed: &[u8]) -> Vec<[BString; N]> {
    let row = |line: &[u8]| {
        let fields: Vec<BString> = line.split_str("\0").map(BString::from).collect();
        fields.try_into().ok()
    };
    listed.lines().filter_map(row).collect()
}
