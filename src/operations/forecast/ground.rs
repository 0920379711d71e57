//! Merges on one base: which of them need no merge to be clear, which are known, and what the others
//! depend on.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use bstr::{BStr, BString, ByteSlice};

use super::ancestry::Ancestry;
use super::remembered::Remembered;
use crate::domain::footprint::{Change, Footprint};
use crate::domain::forecast::{Standing, Verdict};
use crate::domain::lane::{ObjectId, Worktree};
use crate::domain::merge_policy::MergePolicy;
use crate::domain::name::BranchName;
use crate::engines::history::tree_of;
use crate::error::{Error, Result};
use crate::operations::land::landing_hooks::told;
use crate::operations::land::merge::Bench;
use crate::operations::land::merge_settings;
use crate::repository::Repository;
use crate::repository::quarantine::Scratch;
use crate::repository::tree_diff::changes_in;
use crate::store::git::Merged;

/// So many bytes of trees are kept for the next comparison.
const TREES: usize = 16 << 20;

/// A merge that is asked about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question {
    /// What is there first.
    pub(super) ours: Standing,
    /// What is merged into it.
    pub(super) theirs: Standing,
}

/// What a merge comes to before git is asked.
pub(super) enum Answer {
    /// That is all.
    Verdict(Verdict),
    /// git has to be asked; the digest of all that its verdict depends on, where it can be known.
    Open(Option<String>),
}

/// The base of some lanes, and all that their merges share.
pub(super) struct Ground<'a> {
    repository: &'a Repository,
    scratch: &'a Scratch,
    view: gix::Repository,
    site: Option<&'a Worktree>,
    directory: PathBuf,
    tip: ObjectId,
    policy: MergePolicy,
    ancestry: Ancestry<'a>,
    traces: RefCell<HashMap<(ObjectId, ObjectId), Rc<Trace>>>,
    attribute_files: RefCell<HashMap<BString, Option<ObjectId>>>,
    /// A digest of what is the same for all merges; `None` where a program of the user's has a say.
    settings: Option<Vec<u8>>,
}

/// What a line of work has changed, and the attribute files that count there.
struct Trace {
    footprint: Footprint,
    attributes: Vec<u8>,
    /// Whether submodules are among it, whose merges depend on what the submodules have.
    submodules: bool,
}

impl<'a> Ground<'a> {
    /// Of the lanes of `ancestry`, which would land on `base`, now at `tip`; `home` is where a landing
    /// runs its merge drivers where the base is checked out nowhere.
    pub(super) fn new(
        repository: &'a Repository,
        scratch: &'a Scratch,
        (base, tip): (Option<&BranchName>, ObjectId),
        site: Option<&'a Worktree>,
        home: &Path,
        ancestry: Ancestry<'a>,
    ) -> Result<Self> {
        let directory = site.map_or(home, |site| &site.path).to_owned();
        let policy = match base {
            Some(base) => merge_settings::read(repository, &directory, base)?,
            None => MergePolicy::default(),
        };
        // What no landing does, no forecast knows.
        policy.ensure_own_strategy()?;
        let mut view = scratch.view(repository)?;
        // Every lane is compared with the trees that it comes from.
        view.object_cache_size_if_unset(TREES);
        let mut ground = Ground {
            repository,
            scratch,
            view,
            site,
            directory,
            tip,
            policy,
            ancestry,
            traces: RefCell::default(),
            attribute_files: RefCell::default(),
            settings: None,
        };
        ground.settings = ground.settings()?;
        Ok(ground)
    }

    /// What can be said without a merge.
    pub(super) fn answer(
        &self,
        question: &Question,
        remembered: &mut Remembered,
    ) -> Result<Answer> {
        let Question { ours, theirs } = question;
        let shared = match ours.tip == self.tip {
            true => self.ancestry.with_base(theirs.tip).to_owned(),
            false => self.ancestry.of(ours.tip, theirs.tip)?,
        };
        let verdict = |verdict| Ok(Answer::Verdict(verdict));
        let fork = match *shared {
            [] => {
                let why = "they have no history in common".to_owned();
                return verdict(Verdict::Unknown(why));
            }
            [fork] => fork,
            _ => return Ok(Answer::Open(None)),
        };
        if theirs.commit == fork {
            return verdict(Verdict::Nothing);
        }
        if ours.commit == fork || ours.tree == theirs.tree {
            return verdict(Verdict::Clear);
        }
        let (one, other) = (self.trace(fork, ours.tree)?, self.trace(fork, theirs.tree)?);
        if !one.footprint.meets(&other.footprint) {
            return verdict(Verdict::Clear);
        }
        let settings = self.settings.as_ref();
        let Some(settings) = settings.filter(|_| !(one.submodules && other.submodules)) else {
            return Ok(Answer::Open(None));
        };
        let mut parts = vec![
            settings.clone(),
            tree_of(&self.view, fork)?.as_bytes().into(),
        ];
        parts.extend([ours, theirs].map(|side| side.tree.as_bytes().to_vec()));
        parts.extend([one, other].map(|trace| trace.attributes.clone()));
        let digest = digest(&parts)?.to_string();
        Ok(match remembered.find(&digest) {
            Some(known) => Answer::Verdict(known),
            None => Answer::Open(Some(digest)),
        })
    }

    /// What git says of each merge, as it would of a landing; `names` are of the commits that merges
    /// are told of.
    pub(super) fn merge(
        &self,
        questions: &[Question],
        names: &[(ObjectId, BString)],
    ) -> Vec<Verdict> {
        let bench = || -> Result<Bench<'_>> {
            let bench = Bench::new(
                self.repository,
                self.scratch,
                self.site,
                self.directory.clone(),
                self.tip,
            )?;
            let told = names.iter().flat_map(|(commit, name)| told(*commit, name));
            Ok(bench
                .telling(told.collect())
                .with_options(&self.policy.options))
        };
        let merges: Vec<_> = questions
            .iter()
            .map(|question| (question.ours.commit, question.theirs.commit))
            .collect();
        let unknown = |error: &Error| Verdict::Unknown(error.to_string());
        let bench = match bench() {
            Ok(bench) => bench,
            Err(error) => return merges.iter().map(|_| unknown(&error)).collect(),
        };
        if let Ok(merged) = bench.merge_each(&merges) {
            return merged.into_iter().map(verdict).collect();
        }
        // One that git cannot do is none of the others' business.
        let alone = |merge: &(ObjectId, ObjectId)| match bench.merge_each(&[*merge]) {
            Ok(mut merged) => merged.pop().map_or(Verdict::Clear, verdict),
            Err(error) => unknown(&error),
        };
        merges.iter().map(alone).collect()
    }

    /// What differs between a commit and a tree that came from it.
    fn trace(&self, from: ObjectId, to: ObjectId) -> Result<Rc<Trace>> {
        if let Some(known) = self.traces.borrow().get(&(from, to)) {
            return Ok(Rc::clone(known));
        }
        let changed = changes_in(&self.view, from, to)?;
        let submodules = changed.iter().any(|changed| {
            let mut sides = changed.old.iter().chain(&changed.new);
            sides.any(|(mode, _)| mode.is_commit())
        });
        let change = |changed: crate::repository::tree_diff::Changed| {
            let change = match (&changed.old, &changed.new) {
                (None, _) => Change::Added,
                (_, None) => Change::Deleted,
                _ => Change::Modified,
            };
            (changed.path, change)
        };
        let changed = changed.into_iter().map(change).collect();
        let footprint = Footprint::new(changed, |directory| self.has_directory(to, directory));
        let attributes = self.attributes(&footprint)?;
        let trace = Rc::new(Trace {
            footprint,
            attributes,
            submodules,
        });
        let mut traces = self.traces.borrow_mut();
        Ok(Rc::clone(traces.entry((from, to)).or_insert(trace)))
    }

    fn has_directory(&self, tree: ObjectId, directory: &BStr) -> bool {
        let found = self.view.find_tree(tree).ok().and_then(|tree| {
            let components = directory.split_str("/");
            tree.lookup_entry(components).ok().flatten()
        });
        found.is_some_and(|entry| entry.mode().is_tree())
    }

    /// A digest of the attribute files on the way to what has changed. Where the base is checked out
    /// nowhere those of its tree count, which is among the settings.
    fn attributes(&self, footprint: &Footprint) -> Result<Vec<u8>> {
        let Some(site) = self.site else {
            return Ok(Vec::new());
        };
        let mut known = self.attribute_files.borrow_mut();
        let mut parts = Vec::new();
        for directory in std::iter::once(BStr::new("")).chain(footprint.directories()) {
            let found = match known.get(directory) {
                Some(found) => *found,
                None => {
                    let place = site.path.join(crate::store::path(directory));
                    let text = attribute_file(&place.join(".gitattributes"));
                    let found = text.map(|text| digest(&[text])).transpose()?;
                    known.insert(directory.to_owned(), found);
                    found
                }
            };
            if let Some(found) = found {
                parts.push([directory.as_bytes(), b"\0", found.as_bytes()].concat());
            }
        }
        Ok(digest(&parts)?.as_bytes().to_vec())
    }

    /// A digest of the git and of the settings that a merge may heed; `None` where a program of the
    /// user's has a say, or attributes come from elsewhere.
    fn settings(&self) -> Result<Option<Vec<u8>>> {
        let own = self.repository.as_at(&self.directory)?;
        let config = own.config_snapshot();
        let elsewhere =
            std::env::var_os("GIT_ATTR_SOURCE").is_some() || config.string("attr.tree").is_some();
        if elsewhere || config.boolean("merge.renormalize") == Some(true) {
            return Ok(None);
        }
        let (major, minor, patch) = self.repository.git.version()?;
        let mut parts = vec![format!("{major}.{minor}.{patch}").into_bytes()];
        for section in ["core", "merge", "diff"] {
            let sections = config.plumbing().sections_by_name(section);
            for section in sections.into_iter().flatten() {
                if section.value("driver").is_some() {
                    return Ok(None);
                }
                parts.push(section.to_bstring().into());
            }
        }
        parts.extend(
            self.policy
                .options
                .iter()
                .map(|option| option.clone().into()),
        );
        let files = own.attribute_global_paths().unwrap_or_default();
        let files = files.into_iter();
        for file in files.chain([self.repository.common_dir().join("info/attributes")]) {
            parts.push(std::fs::read(file).unwrap_or_default());
        }
        if self.site.is_none() {
            parts.push(tree_of(&self.view, self.tip)?.as_bytes().into());
        }
        Ok(Some(digest(&parts)?.as_bytes().to_vec()))
    }
}

fn verdict(merged: Merged) -> Verdict {
    match merged {
        Merged::Clean(_) => Verdict::Clear,
        Merged::Conflict { paths, .. } => Verdict::Conflict(paths),
    }
}

/// What an attribute file says; git follows no link there.
fn attribute_file(path: &Path) -> Option<Vec<u8>> {
    let is_file = std::fs::symlink_metadata(path).is_ok_and(|found| found.is_file());
    is_file.then(|| std::fs::read(path).ok()).flatten()
}

/// The SHA-256 of the parts; the length of each is part of it.
fn digest(parts: &[Vec<u8>]) -> Result<ObjectId> {
    let mut hasher = gix::hash::hasher(gix::hash::Kind::Sha256);
    for part in parts {
        hasher.update(&(part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    let found = hasher.try_finalize();
    found.map_err(|error| Error::git("cannot hash").caused_by(error))
}
