//! Merges computed in memory with the verdict `git merge` would give where the base is checked out.
//!
//! `git merge-tree --write-tree` runs the same merge-ort as `git merge`, reads the same `merge.*`
//! configuration, and takes attributes, as ll-merge does, from the `.gitattributes` files below its
//! working directory. So it runs in the worktree that has the base checked out. Where none has, the
//! base's tree stands in: `GIT_ATTR_SOURCE` (git 2.41), or before that a directory with nothing but
//! the base's `.gitattributes` files.

use std::ffi::OsString;
use std::path::PathBuf;

use bstr::{BString, ByteSlice};

use crate::domain::lane::{ObjectId, Worktree, lossless};
use crate::domain::name::BranchName;
use crate::error::{Error, IoContext, Kind, Result};
use crate::repository::Repository;
use crate::repository::quarantine;
use crate::repository::quarantine::Scratch;
use crate::store::git::{Invocation, failure};
use crate::store::{permissions, retry};

/// A merge's result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Merged {
    /// The merged tree.
    Clean(ObjectId),
    /// The paths in conflict, and what git says about them.
    Conflict {
        /// Sorted as git lists them.
        paths: Vec<BString>,
        /// One for each conflict.
        messages: Vec<String>,
    },
}

/// Where merges are computed.
#[derive(Debug)]
pub struct Bench<'a> {
    repository: &'a Repository,
    scratch: &'a Scratch,
    site: Option<&'a Worktree>,
    directory: PathBuf,
    attributes: Option<ObjectId>,
    options: Vec<String>,
    told: Vec<(String, OsString)>,
}

impl<'a> Bench<'a> {
    /// For merges into `base`, checked out in `site`; `home` is where drivers run when it is
    /// checked out nowhere.
    pub fn new(
        repository: &'a Repository,
        scratch: &'a Scratch,
        site: Option<&'a Worktree>,
        home: PathBuf,
        base: ObjectId,
    ) -> Result<Self> {
        let (attributes, options, told) = (None, Vec::new(), Vec::new());
        let mut bench = Bench {
            repository,
            scratch,
            site,
            directory: home,
            attributes,
            options,
            told,
        };
        if site.is_none() {
            if repository.git.version()? >= (2, 41, 0) {
                bench.attributes = Some(base);
            } else if let Some(directory) = attributes_of(repository, scratch, base)? {
                bench.directory = directory;
            }
        }
        // From git 2.50 on merge-tree leaves diff.algorithm to its caller; `git merge` does not.
        if let Some(algorithm) = repository.config_at(&bench.directory, "diff.algorithm")?
            && repository.git.version()? >= (2, 43, 0)
        {
            bench.options.push(format!("diff-algorithm={algorithm}"));
        }
        Ok(bench)
    }

    /// With the `-X` options that the base's configuration asks for.
    pub fn with_options(mut self, options: &[String]) -> Self {
        self.options.extend_from_slice(options);
        self
    }

    /// git in the place where merges are computed, its objects contained.
    fn git(&self) -> Invocation {
        let git = match (self.site, self.attributes) {
            (Some(site), _) => self.repository.git_in(site),
            (None, attributes) => {
                let git = self.repository.git.at(&self.directory);
                let git = git
                    .env("GIT_DIR", self.repository.common_dir())
                    .env("GIT_WORK_TREE", &self.directory);
                match attributes {
                    Some(tree) => git.env("GIT_ATTR_SOURCE", tree.to_string()),
                    None => git,
                }
            }
        };
        let told = self
            .told
            .iter()
            .fold(git, |git, (name, value)| git.env(name, value));
        let ours = match self.site {
            Some(_) => quarantine::VARIABLES.to_owned(),
            None => format!(
                "{} GIT_DIR GIT_WORK_TREE GIT_ATTR_SOURCE",
                quarantine::VARIABLES
            ),
        };
        self.scratch
            .contain(told)
            .hiding(&self.repository.gix, &ours)
    }

    /// What `git merge` tells the drivers it runs.
    pub fn telling(mut self, told: Vec<(String, OsString)>) -> Self {
        self.told = told;
        self
    }

    /// Merges `theirs` into `ours`, both commits.
    pub fn merge(&self, ours: ObjectId, theirs: ObjectId) -> Result<Merged> {
        let mut git = self
            .git()
            .args(["merge-tree", "--write-tree", "-z", "--name-only"]);
        for option in &self.options {
            git = git.arg(format!("-X{option}"));
        }
        let output = git.args([ours.to_string(), theirs.to_string()]).output()?;
        let malformed = || Error::git("cannot understand what git merge-tree says");
        let mut fields = output
            .stdout
            .split(|byte| *byte == 0)
            .map(ByteSlice::as_bstr);
        match output.status.code() {
            Some(0) => {
                let tree = fields
                    .next()
                    .and_then(|id| ObjectId::from_hex(id.trim()).ok());
                Ok(Merged::Clean(tree.ok_or_else(malformed)?))
            }
            Some(1) => {
                fields.next().ok_or_else(malformed)?;
                let paths = fields
                    .by_ref()
                    .take_while(|path| !path.is_empty())
                    .map(ToOwned::to_owned)
                    .collect();
                Ok(Merged::Conflict {
                    paths,
                    messages: messages(fields),
                })
            }
            _ => Err(failure("git merge-tree", &output)),
        }
    }
}

/// The texts about conflicts in the messages of `merge-tree -z`: a count, that many paths, a kind,
/// a text.
fn messages<'a>(mut fields: impl Iterator<Item = &'a bstr::BStr>) -> Vec<String> {
    let mut found = Vec::new();
    while let Some(count) = fields
        .next()
        .and_then(|count| count.to_str().ok()?.parse::<usize>().ok())
    {
        let (kind, text) = (fields.nth(count), fields.next());
        if let (Some(kind), Some(text)) = (kind, text)
            && kind.starts_with(b"CONFLICT")
        {
            found.push(text.to_str_lossy().trim_end().to_owned());
        }
    }
    found
}

/// A directory with the `.gitattributes` files of `commit`; `None` when it has none.
fn attributes_of(
    repository: &Repository,
    scratch: &Scratch,
    commit: ObjectId,
) -> Result<Option<PathBuf>> {
    let listed = repository
        .git_here()
        .args(["ls-tree", "-r", "-z"])
        .arg(commit.to_string())
        .stdout()?;
    let directory = scratch.path("attributes");
    let mut any = false;
    for entry in listed.split(|byte| *byte == 0) {
        let Some((about, path)) = entry.split_once_str("\t") else {
            continue;
        };
        let named = path == b".gitattributes" || path.ends_with(b"/.gitattributes");
        let Some(id) = about
            .strip_prefix(b"100")
            .filter(|_| named)
            .and_then(|about| about.rsplit_once_str(" "))
        else {
            continue;
        };
        let unreadable =
            |error: String| Error::git(format!("cannot read '{}': {error}", path.as_bstr()));
        let id = ObjectId::from_hex(id.1).map_err(|error| unreadable(error.to_string()))?;
        let blob = retry::objects(&repository.gix, || repository.gix.find_object(id))
            .map_err(|error| unreadable(error.to_string()))?;
        let file = directory.join(crate::store::path(path));
        let parent = file.parent().unwrap_or(&directory);
        permissions::create_dir_all(parent).context("create", parent)?;
        permissions::write(&file, &blob.data).context("write", &file)?;
        any = true;
    }
    Ok(any.then_some(directory))
}

/// The error for a merge that conflicts.
pub fn conflict(
    what: String,
    base: &BranchName,
    paths: &[BString],
    messages: &[String],
    remedy: String,
) -> Error {
    let lossless: Vec<_> = paths.iter().map(|path| lossless(path.as_bstr())).collect();
    let count = if paths.len() == 1 {
        "1 file".into()
    } else {
        format!("{} files", paths.len())
    };
    let some = crate::domain::finish::some(paths);
    Error::new(
        Kind::Conflict,
        format!("{what} conflicts with '{base}' in {count}: {some}"),
    )
    .details(serde_json::json!({ "paths": lossless, "messages": messages }))
    .hint(remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_messages_of_merge_tree_are_taken_apart() {
        let text: &[u8] =
            b"1\0a b\0Auto-merging\0Auto-merging a b\n\x001\0a b\0CONFLICT (contents)\0CONFLICT \
              (content): x\n\0";
        let fields = text.split(|byte| *byte == 0).map(ByteSlice::as_bstr);
        assert_eq!(messages(fields), ["CONFLICT (content): x"]);
    }
}
