//! Which ref a branch's name leads to.
//!
//! A symbolic ref below `refs/heads/` is a second name, as git-symbolic-ref(1) makes one when
//! `master` becomes `main`: what is checked out, moved or deleted is the ref at its end. Worktrees
//! tell what they have checked out by that ref, and every name that the user gives goes through
//! here before it is compared with them. Where the file system takes names that differ in case for
//! one, so does git with the files of refs: `MAIN` is another name of `main` there.

use std::os::unix::ffi::OsStringExt;
use std::path::Path;

use bstr::{BStr, BString, ByteSlice};
use rustix::fs::{Mode, OFlags};

use crate::domain::lane::{Head, RefName};
use crate::domain::name::BranchName;
use crate::error::{Code, Error, Result};
use crate::repository::{RefFormat, Repository};
use crate::store::small_file;

/// git's own `SYMREF_MAXDEPTH`.
const MOST_STEPS: usize = 5;

/// Where a branch's name leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leads {
    /// It is a branch, or could become one.
    ToItself,
    /// It is another name of this branch, which may have no commit.
    ToBranch(BranchName),
    /// It is another name of a ref that is no branch.
    ToOther(BString),
    /// It leads in a circle, or to what can be no ref.
    Nowhere,
}

/// The refs of a repository that are files of their own: no other is ever symbolic.
pub struct Loose<'a> {
    common_dir: &'a Path,
    /// Whether the file system takes names that differ in case for one.
    folds: bool,
}

impl<'a> Loose<'a> {
    /// Those of `common_dir`.
    pub fn of(common_dir: &'a Path) -> Self {
        let folds = rustix::fs::access(common_dir.join("hEaD"), rustix::fs::Access::EXISTS).is_ok();
        Loose { common_dir, folds }
    }

    /// Where `branch` leads.
    pub fn leads(&self, branch: &BranchName) -> Leads {
        let follow = |name: &BString| {
            let spelled = self.folds.then(|| spelled(self.common_dir, name)).flatten();
            Ok(spelled.or_else(|| symbolic(&self.common_dir.join(crate::store::path(name)))))
        };
        followed(branch, follow).unwrap_or(Leads::Nowhere)
    }

    /// What a HEAD says with the name of its branch resolved, and that name where it is another.
    pub fn resolved(&self, head: Head) -> (Head, Option<BranchName>) {
        let Head::Branch(branch) = head else {
            return (head, None);
        };
        match self.leads(&branch) {
            Leads::ToItself | Leads::Nowhere => (Head::Branch(branch), None),
            Leads::ToBranch(target) => (Head::Branch(target), Some(branch)),
            Leads::ToOther(target) => (Head::Other(target), Some(branch)),
        }
    }
}

/// The name of the file that `name` finds, where that is spelled with other cases.
fn spelled(common_dir: &Path, name: &BString) -> Option<BString> {
    let mut found = BString::from("refs/heads");
    for part in name.strip_prefix(b"refs/heads/")?.split_str("/") {
        let listed = std::fs::read_dir(common_dir.join(crate::store::path(&found)))
            .ok()?
            .flatten();
        let names: Vec<BString> = listed
            .map(|entry| entry.file_name().into_vec().into())
            .collect();
        let alike = |other: &&BString| other.to_lowercase() == part.to_lowercase();
        let own = names
            .iter()
            .find(|other| *other == part)
            .or_else(|| names.iter().find(alike))?;
        found = bstr::concat([found.as_slice(), b"/", own]).into();
    }
    (found != *name).then_some(found)
}

/// Where `branch` leads by steps that `follow` takes from a symbolic ref to the ref it names.
fn followed(
    branch: &BranchName,
    follow: impl Fn(&BString) -> Result<Option<BString>>,
) -> Result<Leads> {
    let mut name = branch.to_ref();
    for step in 0..MOST_STEPS {
        match follow(&name)? {
            None if step == 0 => return Ok(Leads::ToItself),
            None => return Ok(to(name)),
            Some(next) if RefName::parse(next.as_bstr()).is_some() => name = next,
            Some(_) => return Ok(Leads::Nowhere),
        }
    }
    Ok(Leads::Nowhere)
}

fn to(name: BString) -> Leads {
    match BranchName::from_ref(name.as_bstr()) {
        Some(branch) => Leads::ToBranch(branch),
        None => Leads::ToOther(name),
    }
}

/// The ref that a symbolic ref's file names; a symbolic link is the oldest form of one.
fn symbolic(file: &Path) -> Option<BString> {
    match rustix::fs::open(
        file,
        OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC,
        Mode::empty(),
    ) {
        Ok(file) => target(small_file::read_all(&file).ok()?.as_bstr()),
        Err(rustix::io::Errno::LOOP) => {
            linked(file).or_else(|| target(std::fs::read(file).ok()?.as_bstr()))
        }
        Err(_) => None,
    }
}

/// The ref that the text of a loose ref, or of a HEAD, names.
pub(crate) fn target(text: &BStr) -> Option<BString> {
    Some(
        text.trim_ascii_end()
            .strip_prefix(b"ref:")?
            .trim_ascii_start()
            .into(),
    )
}

/// The ref that a symbolic link names in the way of the oldest symbolic refs: git does not follow
/// it.
pub(crate) fn linked(file: &Path) -> Option<BString> {
    let link = BString::from(std::fs::read_link(file).ok()?.into_os_string().into_vec());
    RefName::parse(link.as_bstr()).map(|_| link)
}

impl Repository {
    /// Where the name of a branch leads.
    pub fn leads(&self, branch: &BranchName) -> Result<Leads> {
        if self.ref_format() == RefFormat::Files {
            return Ok(Loose::of(self.common_dir()).leads(branch));
        }
        followed(branch, |name| {
            let Some(name) = RefName::parse(name.as_bstr()) else {
                return Ok(None);
            };
            Ok(self
                .symbolic_target(&name)?
                .map(|target| target.as_bstr().to_owned()))
        })
    }

    /// The branch that is meant by `branch`: itself, or what it is another name of.
    ///
    /// # Errors
    /// A refusal when no branch is.
    pub fn branch_meant(&self, branch: &BranchName) -> Result<BranchName> {
        let refuse = |why: String| {
            let error = Error::refused(format!("'{branch}' is a symbolic ref {why}"))
                .with_code(Code::BranchAlias);
            error.hint(format!(
                "name another branch, or see it with: git symbolic-ref refs/heads/{branch}"
            ))
        };
        match self.leads(branch)? {
            Leads::ToItself => Ok(branch.clone()),
            Leads::ToBranch(target) => Ok(target),
            Leads::ToOther(target) => Err(refuse(format!("to '{target}', which is no branch"))),
            Leads::Nowhere => Err(refuse("that leads nowhere".into())),
        }
    }

    /// The ref that is meant by `name`, where it is another name of a branch.
    pub fn ref_meant(&self, name: RefName) -> Result<RefName> {
        match BranchName::from_ref(name.as_bstr()) {
            Some(branch) => Ok(RefName::from(&self.branch_meant(&branch)?)),
            None => Ok(name),
        }
    }

    /// Whether a branch is only another name: what is deleted or moved in its name would be another
    /// branch's.
    pub fn is_alias(&self, branch: &BranchName) -> Result<bool> {
        Ok(self.leads(branch)? != Leads::ToItself)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_to_the_ref_at_its_end() {
        let common = tempfile::tempdir().unwrap();
        let heads = common.path().join("refs/heads");
        std::fs::create_dir_all(heads.join("deep")).unwrap();
        let write = |name: &str, text: &str| std::fs::write(heads.join(name), text).unwrap();
        write("main", &format!("{}\n", "1".repeat(40)));
        write("one", "ref: refs/heads/main\n");
        write("deep/two", "ref:refs/heads/one");
        write("unborn", "ref: refs/heads/none\n");
        write("remote", "ref: refs/remotes/origin/main\n");
        write("a", "ref: refs/heads/b\n");
        write("b", "ref: refs/heads/a\n");
        write("self", "ref: refs/heads/self\n");
        write("out", "ref: ../../config\n");
        std::os::unix::fs::symlink("refs/heads/main", heads.join("old")).unwrap();
        std::os::unix::fs::symlink("main", heads.join("file")).unwrap();
        let branch = |name: &str| BranchName::parse(name.into()).unwrap();
        let to = |name: &str| Leads::ToBranch(branch(name));
        let table = [
            ("main", Leads::ToItself),
            ("packed", Leads::ToItself),
            ("deep", Leads::ToItself),
            ("file", Leads::ToItself),
            ("one", to("main")),
            ("deep/two", to("main")),
            ("old", to("main")),
            ("unborn", to("none")),
            ("remote", Leads::ToOther("refs/remotes/origin/main".into())),
            ("a", Leads::Nowhere),
            ("self", Leads::Nowhere),
            ("out", Leads::Nowhere),
        ];
        for (name, expected) in table {
            assert_eq!(
                Loose {
                    common_dir: common.path(),
                    folds: false
                }
                .leads(&branch(name)),
                expected,
                "{name}"
            );
        }
        // The same on a file system that folds case.
        let folding = [
            ("MAIN", to("main")),
            ("main", Leads::ToItself),
            ("ONE", to("main")),
            ("DEEP/Two", to("main")),
            ("DEEP/three", Leads::ToItself),
            ("OLD", to("main")),
            ("A", Leads::Nowhere),
            ("packed", Leads::ToItself),
        ];
        for (name, expected) in folding {
            assert_eq!(
                Loose {
                    common_dir: common.path(),
                    folds: true
                }
                .leads(&branch(name)),
                expected,
                "{name}"
            );
        }
    }
}
