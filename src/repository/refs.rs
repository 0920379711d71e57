//! Refs: looked up, and changed all together or not at all.
//!
//! For the files backend gix reads them and `ref_transaction` changes them; where the refs are a
//! reftable, git does both.

use bstr::{BString, ByteSlice, ByteVec};

use crate::domain::lane::{Lane, ObjectId, RefName, Worktree};
use crate::domain::name::BranchName;
use crate::domain::name_rule::NameRule;
use crate::error::{Code, Error, Result};
use crate::repository::ref_transaction::Prepared;
use crate::repository::{RefFormat, Repository};
use crate::store::retry;

/// One ref's part in a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefChange {
    /// The ref.
    pub name: RefName,
    /// Its value now; `None`: it must not exist. The transaction fails when this is not so.
    pub from: Option<ObjectId>,
    /// Its value afterwards; `None`: it is deleted.
    pub to: Option<ObjectId>,
}

impl RefChange {
    /// The removal of a ref that is at `from`.
    pub fn removal(name: impl Into<RefName>, from: ObjectId) -> Self {
        RefChange {
            name: name.into(),
            from: Some(from),
            to: None,
        }
    }
}

/// A move of a branch that is ready; dropping it changes nothing.
pub struct PreparedMove<'a> {
    repository: &'a Repository,
    site: &'a Worktree,
    changes: &'a [RefChange],
    reason: &'a str,
    /// `None` where git moves it, in one go.
    held: Option<Prepared<'a>>,
}

impl PreparedMove<'_> {
    /// Moves the branch, does what is to follow it at once, and tells everybody. An error of `then`
    /// comes after the move.
    pub fn publish(self, then: impl FnOnce() -> Result<()>) -> Result<Result<()>> {
        let PreparedMove {
            repository,
            site,
            changes,
            reason,
            held,
        } = self;
        let Some(held) = held else {
            return repository
                .change_refs_by_git(Some(site), changes, reason)
                .map(|()| then());
        };
        let published = held
            .publish()
            .map_err(|error| repository.explain(changes, error))?;
        let done = then();
        published.tell();
        Ok(done)
    }

    /// Gives it up.
    pub fn abort(self) {
        if let Some(held) = self.held {
            held.abort();
        }
    }
}

/// A ref and what it leads to.
type Named = (RefName, ObjectId);

impl Repository {
    /// The object a ref leads to, symbolic refs followed, tags not peeled.
    pub fn ref_target(&self, name: &RefName) -> Result<Option<ObjectId>> {
        if self.ref_format() == RefFormat::Reftable {
            return self.git_here().rev_parse(name.as_bstr());
        }
        let unreadable = |error: String| {
            let error = Error::git(format!("cannot read ref '{}': {error}", name.as_bstr()));
            error.hint("see what can be done about it with: git lane doctor")
        };
        let found = retry::refs(&self.gix, || self.gix.try_find_reference(name.as_bstr()));
        let found = found.map_err(|error| unreadable(error.to_string()))?;
        match found {
            None => Ok(None),
            // A symbolic ref to nothing is as good as absent.
            Some(mut reference) => Ok(reference.follow_to_object().ok().map(|id| id.detach())),
        }
    }

    /// The ref a symbolic ref names; `None` when it is not symbolic or not there.
    pub fn symbolic_target(&self, name: &RefName) -> Result<Option<RefName>> {
        if self.ref_format() == RefFormat::Reftable {
            let target = self.git_here().symbolic_ref_itself(name.as_bstr())?;
            return Ok(target.and_then(|target| RefName::parse(target.as_bstr())));
        }
        let found = retry::refs(&self.gix, || self.gix.try_find_reference(name.as_bstr()));
        let found = found.map_err(|error| {
            Error::git(format!("cannot read ref '{}': {error}", name.as_bstr()))
        })?;
        Ok(found.and_then(|reference| match reference.target() {
            gix::refs::TargetRef::Symbolic(target) => RefName::parse(target.as_bstr()),
            gix::refs::TargetRef::Object(_) => None,
        }))
    }

    /// The commit at the tip of a lane's branch, where it has one.
    pub fn tip_of(&self, lane: &Lane) -> Result<Option<ObjectId>> {
        lane.branch
            .as_ref()
            .map_or(Ok(None), |branch| self.branch_tip(branch))
    }

    /// The commit at the tip of a branch.
    pub fn branch_tip(&self, branch: &BranchName) -> Result<Option<ObjectId>> {
        self.ref_target(&RefName::from(branch))
    }

    /// Names and targets of all refs below `prefix` (`refs/heads/`). One that cannot be read is
    /// passed over, as by git-for-each-ref(1).
    pub fn refs_below(&self, prefix: &str) -> Result<Vec<Named>> {
        if self.ref_format() == RefFormat::Reftable {
            let fields = ["objectname", "refname"];
            let which = [prefix.trim_end_matches('/')];
            let listed = self.git_here().for_each_ref(fields, which)?;
            let entry = |[id, name]: &[BString; 2]| {
                Some((
                    RefName::parse(name.as_bstr())?,
                    ObjectId::from_hex(id).ok()?,
                ))
            };
            return Ok(listed.iter().filter_map(entry).collect());
        }
        let look = || match self.files_below(prefix) {
            Ok((found, None)) => Ok(found),
            Ok((readable, Some(_))) => Err(Ok(readable)),
            Err(error) => Err(Err(error)),
        };
        retry::refs(&self.gix, look).or_else(|incomplete| incomplete)
    }

    /// Those that can be read, and what is wrong with one that cannot.
    fn files_below(&self, prefix: &str) -> Result<(Vec<Named>, Option<Error>)> {
        let unreadable = |error: String| Error::git(format!("cannot list refs: {error}"));
        let platform = self
            .gix
            .references()
            .map_err(|error| unreadable(error.to_string()))?;
        // A name with characters that not every filesystem can hold is no path to gix; then all are
        // looked through.
        let references = match platform.prefixed(prefix) {
            Ok(references) => references,
            Err(_) => platform
                .all()
                .map_err(|error| unreadable(error.to_string()))?,
        };
        let (mut found, mut broken) = (Vec::new(), None);
        for reference in references {
            let mut reference = match reference {
                Ok(reference) => reference,
                Err(error) => {
                    broken = Some(unreadable(error.to_string()));
                    continue;
                }
            };
            let Some(name) = RefName::parse(reference.name().as_bstr()) else {
                continue;
            };
            if !name.as_bstr().starts_with(prefix.as_bytes()) {
                continue;
            }
            if let Ok(id) = reference.follow_to_object() {
                found.push((name, id.detach()));
            }
        }
        Ok((found, broken))
    }

    /// An existing branch that makes `wanted` impossible: `a` for `a/b`, or `a/b` for `a`; and
    /// one that is the same by the [`NameRule`].
    pub fn conflicting_branch(&self, wanted: &BranchName) -> Result<Option<BranchName>> {
        let name = wanted.as_bstr();
        for at in name.find_iter("/") {
            if let Ok(parent) = BranchName::parse(name[..at].as_bstr())
                && self.branch_tip(&parent)?.is_some()
            {
                return Ok(Some(parent));
            }
        }
        let children = format!("refs/heads/{}/", name.to_str_lossy());
        let branch = |found: &RefName| BranchName::from_ref(found.as_bstr());
        if name.is_utf8()
            && let Some(child) = self
                .refs_below(&children)?
                .first()
                .and_then(|(found, _)| branch(found))
        {
            return Ok(Some(child));
        }
        let rule = self.name_rule();
        if rule == NameRule::default() {
            return Ok(None);
        }
        let mut branches = self
            .refs_below("refs/heads/")?
            .into_iter()
            .filter_map(|(found, _)| branch(&found));
        Ok(branches.find(|other| rule.exclude_each_other(other, wanted)))
    }

    /// The branch that is found by the name `wanted` where none has that very name: a file system that takes
    /// two names for one finds one by the other.
    pub fn other_spelling(&self, wanted: &BranchName) -> Result<Option<BranchName>> {
        let rule = self.name_rule();
        if rule == NameRule::default() {
            return Ok(None);
        }
        let all = self.refs_below("refs/heads/")?.into_iter();
        let mut branches: Vec<BranchName> = all
            .filter_map(|(found, _)| BranchName::from_ref(found.as_bstr()))
            .collect();
        if branches.contains(wanted) {
            return Ok(None);
        }
        branches.retain(|other| rule.exclude_each_other(other, wanted));
        Ok(branches.pop())
    }

    /// Which names of lanes and branches are one here.
    pub fn name_rule(&self) -> NameRule {
        NameRule {
            folds_case: self.config_bool("core.ignorecase"),
            folds_forms: self.config_bool("core.precomposeunicode"),
        }
    }

    /// Makes all `changes`, or none. A ref whose value is not the expected one is a refusal with
    /// code `raced`.
    pub fn change_refs(&self, changes: &[RefChange], reason: &str) -> Result<()> {
        self.change_refs_at(None, changes, reason)
    }

    /// Moves a branch that `site` has checked out; HEAD's reflog there tells of it, and `ORIG_HEAD`
    /// is left as `git merge` does. The caller brings files and index along.
    pub fn move_branch_of(&self, site: &Worktree, change: RefChange, reason: &str) -> Result<()> {
        self.change_refs_at(Some(site), &[change], reason)
    }

    /// Like [`move_branch_of`](Self::move_branch_of), but stops short of the move itself: locks are
    /// taken, and hooks asked.
    pub fn prepare_branch_of<'a>(
        &'a self,
        site: &'a Worktree,
        change: &'a RefChange,
        reason: &'a str,
    ) -> Result<PreparedMove<'a>> {
        let changes = std::slice::from_ref(change);
        let held = match self.ref_format() {
            RefFormat::Reftable => None,
            RefFormat::Files => {
                let held =
                    crate::repository::ref_transaction::prepare(self, changes, Some(site), reason);
                Some(held.map_err(|error| self.explain(changes, error))?)
            }
        };
        Ok(PreparedMove {
            repository: self,
            site,
            changes,
            reason,
            held,
        })
    }

    fn change_refs_at(
        &self,
        site: Option<&Worktree>,
        changes: &[RefChange],
        reason: &str,
    ) -> Result<()> {
        if changes.is_empty() {
            return Ok(());
        }
        if self.ref_format() == RefFormat::Reftable {
            return self.change_refs_by_git(site, changes, reason);
        }
        crate::repository::ref_transaction::change(self, changes, site, reason)
            .map_err(|error| self.explain(changes, error))
    }

    fn change_refs_by_git(
        &self,
        site: Option<&Worktree>,
        changes: &[RefChange],
        reason: &str,
    ) -> Result<()> {
        let mut input = BString::default();
        let null = ObjectId::null(self.gix.object_hash());
        for change in changes {
            let from = change.from.unwrap_or(null);
            input.push_str(match change.to {
                Some(_) => "update ",
                None => "delete ",
            });
            input.push_str(change.name.as_bstr());
            input.push_char('\0');
            if let Some(to) = change.to {
                input.push_str(format!("{to}\0"));
            }
            input.push_str(format!("{from}\0"));
            if site.is_some() {
                input.push_str(format!("update ORIG_HEAD\0{from}\0\0"));
            }
        }
        // A symbolic ref is refused below by its value, and never followed to another's branch.
        // In that worktree, or the reflog of its HEAD would not tell of it.
        let git = site.map_or_else(|| self.git_here(), |site| self.git_in(site));
        let output = git.update_refs(input.into(), reason)?;
        if output.status.success() {
            return Ok(());
        }
        let mut error = crate::store::git::failure("git update-ref", &output);
        // Where refs are a reftable, git does not name the lock.
        let mut directories = vec![self.common_dir()];
        directories.extend(site.map(|site| site.git_dir.as_path()));
        if directories
            .iter()
            .any(|directory| directory.join("reftable/tables.list.lock").exists())
        {
            error = error.hint(
                "where a git was killed, its lock stays; see which one with: git lane doctor",
            );
        }
        Err(self.explain(changes, error))
    }

    /// Tells a lost race from a real failure by looking again.
    fn explain(&self, changes: &[RefChange], error: Error) -> Error {
        let moved = changes.iter().find(|change| {
            self.ref_target(&change.name)
                .is_ok_and(|now| now != change.from && now != change.to)
        });
        match moved {
            Some(change) => Error::refused(format!(
                "'{}' was changed by another command at the same moment",
                change.name
            ))
            .with_code(Code::Raced)
            .hint("run the command again"),
            None => error,
        }
    }
}
