//! Has a worktree of git-lane's own hold one tree, and tells what commands have made of it.
//!
//! git writes the files, so that attributes and filters count; this process then looks whether
//! anything else is there, by an index that no command has seen. Where the tree is there already and
//! untouched, no git is started. Called by `own_worktree`, which holds the slot.

use std::collections::{BTreeSet, HashMap};
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use bstr::{BString, ByteSlice};
use gix::index::entry::Flags;

use super::own_worktree::Head;
use super::slot_layout::Layout;
use crate::domain::lane::{ObjectId, RefName};
use crate::engines::status::{self, Apart, Closeness};
use crate::error::{Code, Error, IoContext, Kind, Result};
use crate::repository::{RefFormat, Repository, tree_diff};
use crate::store::git::{Invocation, NONE};
use crate::store::journal::step;
use crate::store::{careful_removal, lane_files, retry};

/// Settings under which git looks at every file, writes every file, and keeps one whole index.
const PINNED: [(&str, &str); 9] = [
    ("core.checkStat", "default"),
    ("core.fsmonitor", "false"),
    ("core.ignoreStat", "false"),
    ("core.sparseCheckout", "false"),
    ("core.splitIndex", "false"),
    ("core.trustctime", "true"),
    ("core.untrackedCache", "false"),
    ("index.sparse", "false"),
    ("submodule.recurse", "false"),
];

/// The file in a slot's directory that says which tree the index has, and by which settings its
/// files were written.
const PUT: &str = "put";

/// How often the worktree is looked at and put right: what goes first can hide what comes next.
const ROUNDS: usize = 8;

/// The files of a tree that decide how git writes others, and which of the others are ignored.
const ATTRIBUTES: &[u8] = b".gitattributes";
const IGNORES: &[u8] = b".gitignore";

/// As many differing files as are told.
const TOLD: usize = 20;

const REASON: &str = "lane: prepare";

/// One preparation, or one look at what has become of it.
pub struct Preparation<'a> {
    repository: &'a Repository,
    layout: &'a Layout,
}

impl<'a> Preparation<'a> {
    pub fn new(repository: &'a Repository, layout: &'a Layout) -> Self {
        Preparation { repository, layout }
    }

    /// git in the worktree, as commands there find it, without their hooks.
    fn git(&self) -> Invocation {
        let repository = self.repository;
        let git = repository
            .git
            .in_worktree(&self.layout.tree, &self.layout.git_dir)
            .without_hooks(&repository.gix);
        PINNED
            .iter()
            .fold(git, |git, (key, value)| git.with(key, value))
    }

    /// The same on the index that no command sees, or on a copy of it.
    fn on(&self, index: &str) -> Invocation {
        let gix = &self.repository.gix;
        self.git()
            .on_own_index(gix, &self.layout.directory.join(index))
            // As in any worktree, a filter finds the repository where it stands.
            .hiding(gix, "GIT_INDEX_FILE GIT_DIR GIT_WORK_TREE")
    }

    /// Has HEAD, and `refs` that are this worktree's own, lead there.
    pub fn set_head(&self, head: &Head, refs: &[(&str, ObjectId)]) -> Result<()> {
        let root = self.layout.root()?;
        if self.repository.ref_format() == RefFormat::Files {
            for (name, id) in refs {
                let text = format!("{id}\n");
                self.layout
                    .write(&root, &format!("tree/.git/{name}"), text.as_bytes())?;
            }
            return self.layout.write(&root, "tree/.git/HEAD", &text(head));
        }
        // What git keeps for tools that know no reftable.
        self.layout
            .write(&root, "tree/.git/HEAD", b"ref: refs/heads/.invalid\n")?;
        let tables = self.layout.git_dir.join("reftable");
        let made = std::fs::DirBuilder::new().create(&tables);
        made.context("create", &tables)?;
        match head {
            Head::Detached(id) => self.git().detach_head(id.to_string(), REASON)?,
            Head::On(branch) => self.git().attach_head(branch.to_ref(), REASON)?,
        }
        for (name, id) in refs {
            self.git().update_ref(name, id.to_string(), "", None)?;
        }
        Ok(())
    }

    /// Whether HEAD still leads there.
    pub fn is_at(&self, head: &Head) -> Result<bool> {
        if self.repository.ref_format() == RefFormat::Files {
            let now = lane_files::read(&self.layout.git_dir.join("HEAD"));
            return Ok(now.is_ok_and(|now| now == text(head)));
        }
        let on = self.git().symbolic_ref("HEAD")?;
        Ok(match head {
            Head::On(branch) => on.is_some_and(|on| on == branch.to_ref()),
            Head::Detached(id) => on.is_none() && self.git().rev_parse("HEAD")? == Some(*id),
        })
    }

    /// Has index and files be those of `tree`.
    pub fn put(&self, tree: ObjectId) -> Result<()> {
        if !retry::has_object(&self.repository.gix, tree) {
            return Err(unreadable("tree", tree));
        }
        let by = self.settings()?;
        self.layout.clear("index.lock")?;
        let same = |known: &ObjectId| *known == tree || self.has_same_attributes(*known, tree);
        let known = self.known(&by).filter(same);
        let untouched = known.is_some().then(|| self.tidy()).transpose();
        let untouched = match untouched {
            Err(error) if error.kind() == Kind::Interrupted => return Err(error),
            // An index that cannot be used: all is written anew.
            untouched => untouched.unwrap_or_default(),
        };
        if known != Some(tree) || untouched != Some(true) {
            self.layout.clear(PUT)?;
            self.write(tree, untouched)?;
            step("gate.written");
            self.settle()?;
            let root = self.layout.root()?;
            self.layout.write(&root, PUT, &said(tree, &by))?;
        }
        self.layout.hand_over_index()?;
        step("gate.prepared");
        Ok(())
    }

    /// The tree that was put there last, where that was by the same settings and not cut off.
    fn known(&self, by: &ObjectId) -> Option<ObjectId> {
        let text = lane_files::read(&self.layout.directory.join(PUT)).ok()?;
        let tree = ObjectId::from_hex(text.split_str(" ").next()?).ok()?;
        (text == said(tree, by) && lane_files::is_file(&self.layout.index())).then_some(tree)
    }

    /// Whether git may leave the files alone that both trees have: what attributes make of a file,
    /// the index does not tell.
    fn has_same_attributes(&self, known: ObjectId, tree: ObjectId) -> bool {
        let changes = tree_diff::changes_in(&self.repository.gix, known, tree);
        changes.is_ok_and(|changes| {
            changes
                .iter()
                .all(|change| name(&change.path) != ATTRIBUTES)
        })
    }

    /// What, beside the attributes of the tree, decides how git writes a file.
    fn settings(&self) -> Result<ObjectId> {
        let gix = &self.repository.gix;
        let config = gix.config_snapshot();
        let mut text = BString::default();
        let mut add = |value: Option<&[u8]>| {
            text.extend_from_slice(value.unwrap_or(b"\x01"));
            text.push(0);
        };
        for key in ["autocrlf", "eol", "symlinks", "fileMode", "attributesFile"] {
            add(config
                .string(format!("core.{key}").as_str())
                .as_ref()
                .map(|value| value.as_bytes()));
        }
        add(config
            .string("attr.tree")
            .as_ref()
            .map(|value| value.as_bytes()));
        let filters = config.plumbing().sections_by_name("filter");
        for section in filters.into_iter().flatten() {
            add(section
                .header()
                .subsection_name()
                .map(|name| name.as_bytes()));
            for key in ["smudge", "process", "required"] {
                add(section.value(key).as_ref().map(|value| value.as_bytes()));
            }
        }
        let mut files = gix.attribute_global_paths().unwrap_or_default();
        files.push(self.repository.common_dir().join("info/attributes"));
        for file in files {
            add(std::fs::read(file).ok().as_deref());
        }
        let id = gix::objs::compute_hash(gix.object_hash(), gix::object::Kind::Blob, &text);
        id.map_err(|error| Error::environment("cannot tell settings apart").caused_by(error))
    }

    /// Takes away what commands have left, by the rules of the tree that is there; whether no
    /// tracked file was touched.
    fn tidy(&self) -> Result<bool> {
        for _ in 0..ROUNDS {
            let (mut apart, by_git) = self.look(Closeness::Untouched)?;
            let touched = std::mem::take(&mut apart.changed);
            // What is ignored, and how git writes files, is decided by the tree's own files.
            let decides = |path: &BString| [ATTRIBUTES, IGNORES].contains(&name(path));
            let deciding: Vec<BString> = touched
                .iter()
                .filter(|path| decides(path))
                .cloned()
                .collect();
            if !deciding.is_empty() || !apart.closed.is_empty() {
                self.open_up(&apart.closed)?;
                self.rewrite(&deciding)?;
                continue;
            }
            if apart.is_nothing() {
                return Ok(touched.is_empty() && !by_git);
            }
            self.clear(&apart)?;
            self.rewrite_below(&apart)?;
        }
        Err(self.never_still())
    }

    /// Has git write what `tree` has and the index has not; `untouched` says whether the files are
    /// all as the index has them, `None` that the index cannot be used.
    fn write(&self, tree: ObjectId, untouched: Option<bool>) -> Result<()> {
        let read = |options| self.on("index").reading_tree(options, [tree]).run();
        // Without a better word than that git has failed, something stands in its way.
        let ways = [(Some(true), ["-m", "-u"]), (Some(false), ["--reset", "-u"])];
        for (way, options) in ways {
            if untouched.is_none() || untouched < Some(true) && way == Some(true) {
                continue;
            }
            match read(options) {
                Err(error) if error.kind() == Kind::Git => {}
                done => return done,
            }
        }
        self.layout.clear("index")?;
        self.on("index").reading_tree(["--empty"], NONE).run()?;
        self.tidy()?;
        read(["--reset", "-u"])
    }

    /// Puts right what git has left as it was, until nothing is.
    fn settle(&self) -> Result<()> {
        let mut before = None;
        for _ in 0..ROUNDS {
            let (apart, _) = self.look(Closeness::JustWritten)?;
            // A file that looks changed to git as soon as git has written it is as git has it.
            if apart.is_nothing() || apart.is_only_changed() && before.as_ref() == Some(&apart) {
                return Ok(());
            }
            self.open_up(&apart.closed)?;
            self.clear(&apart)?;
            self.rewrite_below(&apart)?;
            self.rewrite(&apart.changed)?;
            before = Some(apart);
        }
        Err(self.never_still())
    }

    fn never_still(&self) -> Error {
        let tree = self.layout.tree.display();
        Error::refused(format!("something keeps changing files in '{tree}'"))
            .with_code(Code::GateWorktree)
            .hint("end what still runs there, and run the command again")
    }

    /// Has git write these files of the index. git may take one for untouched that was touched
    /// within a second of its writing, so that none may be there.
    fn rewrite(&self, paths: &[BString]) -> Result<()> {
        if paths.is_empty() {
            return Ok(());
        }
        self.remove(paths)?;
        let mut listed = bstr::join("\0", paths);
        listed.push(0);
        self.on("index")
            .checking_out(["--force", "-u"], listed)
            .run()
    }

    /// Has git write the files again beside which there was an attribute file that is no part of the
    /// tree: by their stat data they are as git has written them, by that file.
    fn rewrite_below(&self, removed: &Apart) -> Result<()> {
        let attributes = removed.untracked.iter().chain(&removed.obstacles);
        let attributes = attributes.filter(|path| name(path) == ATTRIBUTES);
        let directories: Vec<PathBuf> = attributes
            .map(|path| {
                let above = path.rfind_byte(b'/').map_or(&b""[..], |at| &path[..at]);
                crate::store::path(above).to_owned()
            })
            .collect();
        if directories.is_empty() {
            return Ok(());
        }
        let top = directories.iter().any(|path| path.as_os_str().is_empty());
        let below = directories.iter().filter(|_| !top);
        let listed = self.on("index").ls_files(&["--stage"], below)?;
        let file = |record: &BString| {
            let (about, path) = record.split_once_str("\t")?;
            (!about.starts_with(b"160000")).then(|| path.into())
        };
        self.rewrite(&listed.iter().filter_map(file).collect::<Vec<BString>>())
    }

    fn open_up(&self, closed: &[BString]) -> Result<()> {
        let root = self.root()?;
        let open_up = |path: &BString| {
            careful_removal::open_up(&root, path).context("open up", &self.shown(path))
        };
        closed.iter().try_for_each(open_up)
    }

    fn root(&self) -> Result<OwnedFd> {
        careful_removal::open(&self.layout.tree).context("open", &self.layout.tree)
    }

    fn shown(&self, path: &BString) -> PathBuf {
        self.layout.tree.join(crate::store::path(path))
    }

    fn remove<'p>(&self, paths: impl IntoIterator<Item = &'p BString>) -> Result<()> {
        let root = self.root()?;
        let mut paths = paths.into_iter();
        paths.try_for_each(|path| {
            careful_removal::remove(&root, path).context("remove", &self.shown(path))
        })
    }

    /// Removes what is not tracked and what stands in the way.
    fn clear(&self, apart: &Apart) -> Result<()> {
        self.remove(apart.obstacles.iter().chain(&apart.untracked))?;
        let root = self.root()?;
        for path in &apart.untracked {
            careful_removal::remove_empty_above(&root, path);
        }
        Ok(())
    }

    /// What differs from the index that no command sees, as far as this process can tell.
    fn apart(&self, closeness: Closeness) -> Result<Option<Apart>> {
        let places = (&*self.layout.tree, &*self.layout.git_dir);
        let (gix, git) = (&self.repository.gix, &self.repository.git);
        retry::objects(gix, || {
            status::apart(gix, git, places, &self.layout.index(), closeness)
        })
    }

    /// The same; git tells where this process cannot, and whether it did.
    fn look(&self, closeness: Closeness) -> Result<(Apart, bool)> {
        if let Some(apart) = self.apart(closeness)? {
            return Ok((apart, false));
        }
        let (from, to) = (
            self.layout.index(),
            self.layout.directory.join("index.look"),
        );
        self.layout.clear("index.look")?;
        std::fs::copy(&from, &to).context("write", &to)?;
        self.on("index.look").refresh_index()?;
        let changed = self
            .on("index.look")
            .diff_files(&["--ignore-submodules=all"])?;
        let untracked = self.on("index.look").list_untracked()?;
        self.layout.clear("index.look")?;
        let apart = Apart {
            changed,
            untracked,
            ..Apart::default()
        };
        Ok((apart, true))
    }

    /// Tracked files that are not those of `tree` any more, and what the index that commands work
    /// with has otherwise.
    pub fn differing(&self, tree: ObjectId) -> Result<Vec<BString>> {
        let mut found: BTreeSet<BString> = BTreeSet::new();
        if !self.is_index_as_put() {
            found.extend(match self.restaged() {
                Some(restaged) => restaged,
                None => self.git().diff_index(tree)?,
            });
        }
        found.extend(self.look(Closeness::Content)?.0.changed);
        Ok(found.into_iter().take(TOLD).collect())
    }

    fn is_index_as_put(&self) -> bool {
        let read = |path: PathBuf| lane_files::read(&path).ok();
        let put = read(self.layout.index());
        put.is_some() && put == read(self.layout.git_dir.join("index"))
    }

    /// What the two indexes have differently, by their entries: a look at a file changes no more
    /// than what is known of its times.
    fn restaged(&self) -> Option<Vec<BString>> {
        let open = |path| {
            let options = gix::index::decode::Options::default();
            let hash = self.repository.gix.object_hash();
            let file = gix::index::File::at(path, hash, true, options).ok()?;
            (file.link().is_none() && !file.is_sparse()).then_some(file)
        };
        let (put, now) = (
            open(self.layout.index())?,
            open(self.layout.git_dir.join("index"))?,
        );
        let entries = |file: &gix::index::File| -> HashMap<(BString, u32), (ObjectId, u32, bool)> {
            let paths = file.path_backing();
            let entries = file.entries().iter().map(|entry| {
                let later = entry.flags.contains(Flags::INTENT_TO_ADD);
                let what = (entry.id, entry.mode.bits(), later);
                ((entry.path_in(paths).to_owned(), entry.stage_raw()), what)
            });
            entries.collect()
        };
        let (put, now) = (entries(&put), entries(&now));
        let other = |a: &HashMap<_, _>, b: &HashMap<(BString, u32), _>| -> Vec<BString> {
            let differ = b.iter().filter(|(key, what)| a.get(*key) != Some(*what));
            differ.map(|((path, _), _)| path.clone()).collect()
        };
        Some([other(&put, &now), other(&now, &put)].concat())
    }

    /// The tree of the index that commands work with, without `links`; it was `put`.
    pub fn index_tree(&self, put: ObjectId, links: &[BString]) -> Result<ObjectId> {
        if self.is_index_as_put() {
            return Ok(put);
        }
        if !links.is_empty() {
            let staged = self.git().ls_files(&[], NONE)?;
            let null = ObjectId::null(self.repository.gix.object_hash());
            let mut gone = Vec::new();
            for path in staged.iter().filter(|path| links.contains(path)) {
                gone.extend_from_slice(format!("0 {null}\t").as_bytes());
                gone.extend_from_slice(path);
                gone.push(0);
            }
            if !gone.is_empty() {
                self.git().update_index(false, gone)?;
            }
        }
        self.git().write_tree()
    }
}

/// The last name of a path.
fn name(path: &BString) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or(path)
}

fn said(tree: ObjectId, by: &ObjectId) -> Vec<u8> {
    format!("{tree} {by}\n").into_bytes()
}

fn text(head: &Head) -> Vec<u8> {
    match head {
        Head::Detached(id) => format!("{id}\n").into_bytes(),
        Head::On(branch) => {
            let full = RefName::from(branch);
            [b"ref: ", full.as_bstr().as_bytes(), b"\n"].concat()
        }
    }
}

/// The error for an object that cannot be put there.
pub fn unreadable(kind: &str, id: ObjectId) -> Error {
    Error::git(format!("cannot read {kind} {id}"))
}
