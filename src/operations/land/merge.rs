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
use crate::error::{Error, IoContext, Kind, Result};
use crate::repository::Repository;
use crate::repository::quarantine;
use crate::repository::quarantine::Scratch;
use crate::store::git::version::{ATTRIBUTE_SOURCE, MERGE_OPTIONS};
use crate::store::git::{Invocation, Merged, NONE, TreeEntry};
use crate::store::{parallel, retry};

/// So few merges are not worth a git of their own.
const FEW: usize = 4;

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
            if repository.git.is_at_least(ATTRIBUTE_SOURCE)? {
                bench.attributes = Some(base);
            } else if let Some(directory) = attributes_of(repository, scratch, base)? {
                bench.directory = directory;
            }
        }
        // From git 2.50 on merge-tree leaves diff.algorithm to its caller; `git merge` does not.
        if let Some(algorithm) = repository.config_at(&bench.directory, "diff.algorithm")?
            && repository.git.is_at_least(MERGE_OPTIONS)?
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
        let merged = self.git().merge_tree(ours, theirs, &self.options)?;
        Ok(by_path(merged, (ours, theirs)))
    }

    /// Merges each (ours, theirs) without git's words about it, by as many gits at once as there are
    /// cores.
    pub fn merge_each(&self, merges: &[(ObjectId, ObjectId)]) -> Result<Vec<Merged>> {
        let shares = merges.chunks(merges.len().div_ceil(parallel::cores()).max(FEW));
        let gits = shares.map(|share| (self.git(), share)).collect();
        let options = &self.options;
        let merge = |(git, share): (Invocation, &[_])| git.merge_each(share, options);
        let lost = || Err(Error::git("cannot merge"));
        let merged = parallel::consume(gits, merge).into_iter();
        let merged: Result<Vec<_>> = merged.map(|merged| merged.unwrap_or_else(lost)).collect();
        let merged = merged?.concat().into_iter().zip(merges);
        Ok(merged.map(|(merged, of)| by_path(merged, *of)).collect())
    }
}

/// Where two things are at one path, git gives one of them the name of its commit, which is in no
/// worktree: it counts by its path.
fn by_path(merged: Merged, (ours, theirs): (ObjectId, ObjectId)) -> Merged {
    let Merged::Conflict {
        tree,
        paths,
        messages,
    } = merged
    else {
        return merged;
    };
    let ends = [ours, theirs].map(|commit| format!("~{commit}"));
    let own = |path: BString| {
        let end = ends.iter().find_map(|end| path.find(end.as_bytes()));
        end.map_or(path.clone(), |end| path[..end].into())
    };
    let mut named: Vec<BString> = Vec::new();
    for path in paths.into_iter().map(own) {
        if !named.contains(&path) {
            named.push(path);
        }
    }
    Merged::Conflict {
        tree,
        paths: named,
        messages,
    }
}

/// A directory with the `.gitattributes` files of `commit`; `None` when it has none.
fn attributes_of(
    repository: &Repository,
    scratch: &Scratch,
    commit: ObjectId,
) -> Result<Option<PathBuf>> {
    let listed = repository.git_here().ls_tree(commit, NONE)?;
    let directory = scratch.path("attributes");
    let mut any = false;
    for TreeEntry { mode, id, path } in listed {
        let named = path == ".gitattributes" || path.ends_with(b"/.gitattributes");
        if !named || !mode.starts_with(b"100") {
            continue;
        }
        let unreadable = |error: String| Error::git(format!("cannot read '{path}': {error}"));
        let blob = retry::objects(&repository.gix, || repository.gix.find_object(id))
            .map_err(|error| unreadable(error.to_string()))?;
        let file = directory.join(crate::store::path(&path));
        let parent = file.parent().unwrap_or(&directory);
        repository
            .shared()
            .create_dir_all(parent)
            .context("create", parent)?;
        repository
            .shared()
            .write(&file, &blob.data)
            .context("write", &file)?;
        any = true;
    }
    Ok(any.then_some(directory))
}

/// The error for a merge that conflicts.
pub fn conflict(
    what: String,
    base: &impl std::fmt::Display,
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
