//! The lane's commits replayed onto the base in memory, as `git rebase` would pick them, and
//! whether that is all of the lane: what a merge commit of it holds beyond its parents is not
//! replayed.
//!
//! A pick is a merge whose base is the commit's parent. `merge-tree` takes an explicit merge base
//! only from git 2.40 on, so the three trees are dressed as commits: two children of a parentless
//! one.

use std::collections::HashSet;

use bstr::{BString, ByteSlice};

use super::merge::{Bench, conflict};
use crate::domain::lane::ObjectId;
use crate::engines::evidence::{Arrival, Pair};
use crate::error::{Error, Result};
use crate::repository::Repository;
use crate::repository::quarantine::Scratch;
use crate::store::git::{Invocation, Merged};
use crate::store::retry;

/// What a commit says, as its raw bytes say it.
struct Original {
    id: ObjectId,
    tree: ObjectId,
    parents: Vec<ObjectId>,
    author: BString,
    encoding: Option<BString>,
    message: BString,
}

/// One commit of the lane, applied.
struct Pick {
    original: Original,
    /// Its parent's tree.
    before: ObjectId,
    /// What it was applied to, and the result.
    onto: ObjectId,
    tree: ObjectId,
}

/// A tree as a commit without an author, for a merge only.
pub(super) fn dress(
    repository: &Repository,
    scratch: &Scratch,
    tree: ObjectId,
    parent: Option<ObjectId>,
) -> Result<ObjectId> {
    let parent = parent
        .map(|parent| format!("parent {parent}\n"))
        .unwrap_or_default();
    let who = "lane <lane> 0 +0000";
    let raw = format!("tree {tree}\n{parent}author {who}\ncommitter {who}\n\nlane\n");
    scratch.write_commit(repository.gix.object_hash(), raw.as_bytes())
}

/// What a replay made, and how.
pub struct Replayed {
    /// The new tip.
    pub new: ObjectId,
    /// How many commits it took.
    pub commits: usize,
    /// The tree of `new`.
    pub tree: ObjectId,
    /// The lane's commits that were made anew, and what was made of each.
    pub rewritten: Vec<(ObjectId, ObjectId)>,
    picks: Vec<Pick>,
    /// The lane's merge commits.
    merges: Vec<Original>,
    /// Commits that were passed over because the base has them, and has taken them back.
    undone: Vec<ObjectId>,
}

impl Replayed {
    /// Whether the lane has merge commits, which are not replayed.
    pub fn has_merges(&self) -> bool {
        !self.merges.is_empty()
    }
}

/// A replay under way.
pub struct Replay<'a> {
    /// The repository.
    pub repository: &'a Repository,
    /// Where new objects go.
    pub scratch: &'a Scratch,
    /// Computes the picks.
    pub bench: &'a Bench<'a>,
    /// Names the base in messages.
    pub base: &'a str,
    /// What to do about a conflict.
    pub remedy: &'a str,
    /// git where `git rebase` would run, for identity and signatures.
    pub git: &'a dyn Fn() -> Invocation,
    /// Whether that git signs its commits.
    pub sign: bool,
}

impl Replay<'_> {
    /// Replays what `tip` has and `onto` lacks. `arrival` tells which commits the base has already:
    /// the patch ids of `git rev-list --cherry-pick` ignore white space, and what differs in
    /// nothing else is not there.
    pub fn run(
        &self,
        onto: ObjectId,
        tip: ObjectId,
        arrival: impl Fn() -> Result<Arrival>,
    ) -> Result<Replayed> {
        let (originals, alike) = self.originals(onto, tip)?;
        let parented =
            |original: &&Original| alike.contains(&original.id) && original.parents.len() == 1;
        let alike: Vec<_> = originals
            .iter()
            .filter(parented)
            .map(|twin| (twin.id, twin.parents[0]))
            .collect();
        let twins = if alike.is_empty() {
            Vec::new()
        } else {
            arrival()?.twins(onto, tip, &alike)?
        };
        let mut done = Replayed {
            new: onto,
            commits: 0,
            tree: self.read(onto)?.tree,
            rewritten: Vec::new(),
            picks: Vec::new(),
            merges: Vec::new(),
            undone: twins
                .iter()
                .filter(|(_, stands)| !stands)
                .map(|(id, _)| *id)
                .collect(),
        };
        let mut committer = None;
        for original in originals {
            if original.parents.len() > 1 {
                done.merges.push(original);
                continue;
            }
            if twins.iter().any(|(id, _)| *id == original.id) {
                continue;
            }
            if original.parents == [done.new] {
                (done.new, done.tree) = (original.id, original.tree);
                done.commits += 1;
                continue;
            }
            let before = self.parent_tree(&original)?;
            let picked = self.pick(&original, done.tree)?;
            let empty_before = original.parents.len() == 1 && before == original.tree;
            // What the base already has in another form becomes empty and goes, as in `git rebase
            // --empty=drop`.
            if picked != done.tree || empty_before {
                done.new = self.commit(&original, picked, done.new, &mut committer)?;
                done.commits += 1;
                done.rewritten.push((original.id, done.new));
            }
            done.picks.push(Pick {
                original,
                before,
                onto: done.tree,
                tree: picked,
            });
            done.tree = picked;
        }
        Ok(done)
    }

    /// The commits as the sequencer would list them, merges among them, and those of which git says
    /// that the base has a commit with the same patch id.
    fn originals(
        &self,
        onto: ObjectId,
        tip: ObjectId,
    ) -> Result<(Vec<Original>, HashSet<ObjectId>)> {
        let listed = self.repository.git_here().commits_to_pick(onto, tip)?;
        let alike = listed.iter().filter(|(_, alike)| *alike);
        let alike = alike.map(|(id, _)| *id).collect();
        let originals = listed.iter().map(|(id, _)| self.read(*id));
        Ok((originals.collect::<Result<_>>()?, alike))
    }

    /// The lane's commits whose work is not wholly in what was made of them.
    pub fn left_out(&self, done: &Replayed, arrival: &Arrival) -> Result<Vec<ObjectId>> {
        let mut found = done.undone.clone();
        for pick in &done.picks {
            let theirs = self.dress(pick.original.tree, Some(self.dress(pick.before, None)?))?;
            let ours = self.dress(pick.onto, Some(self.dress(pick.before, None)?))?;
            if !arrival
                .left_out(
                    Pair {
                        ours,
                        theirs,
                        fork: pick.before,
                    },
                    pick.tree,
                )?
                .is_empty()
            {
                found.push(pick.original.id);
            }
        }
        for merge in &done.merges {
            let plain = match merge.parents[..] {
                [ours, theirs] => arrival.is_plain_merge(ours, theirs, merge.tree)?,
                _ => false,
            };
            if !plain {
                found.push(merge.id);
            }
        }
        Ok(found)
    }

    fn parent_tree(&self, commit: &Original) -> Result<ObjectId> {
        match commit.parents.first() {
            Some(parent) => Ok(self.read(*parent)?.tree),
            None => Ok(ObjectId::empty_tree(self.repository.gix.object_hash())),
        }
    }

    /// The tree after applying `commit` to `tree`.
    fn pick(&self, commit: &Original, tree: ObjectId) -> Result<ObjectId> {
        let parent_tree = self.parent_tree(commit)?;
        if parent_tree == tree {
            return Ok(commit.tree);
        }
        if parent_tree == commit.tree {
            return Ok(tree);
        }
        let before = self.dress(parent_tree, None)?;
        let ours = self.dress(tree, Some(before))?;
        let theirs = self.dress(commit.tree, Some(before))?;
        match self.bench.merge(ours, theirs)? {
            Merged::Clean(tree) => Ok(tree),
            Merged::Conflict {
                paths, messages, ..
            } => {
                let subject = commit
                    .message
                    .lines()
                    .next()
                    .unwrap_or_default()
                    .to_str_lossy();
                let what = format!("commit {} ('{subject}')", commit.id.to_hex_with_len(10));
                let remedy = self.remedy.to_owned();
                Err(conflict(what, &self.base, &paths, &messages, remedy))
            }
        }
    }

    fn dress(&self, tree: ObjectId, parent: Option<ObjectId>) -> Result<ObjectId> {
        dress(self.repository, self.scratch, tree, parent)
    }

    /// The commit with author, message and encoding of `original`; signed where `commit.gpgSign`
    /// asks for it.
    fn commit(
        &self,
        original: &Original,
        tree: ObjectId,
        parent: ObjectId,
        committer: &mut Option<String>,
    ) -> Result<ObjectId> {
        if self.sign {
            return self.commit_signed(original, tree, parent);
        }
        let committer = match committer {
            Some(known) => known,
            None => committer.insert((self.git)().committer()?),
        };
        let mut raw = format!("tree {tree}\nparent {parent}\nauthor ").into_bytes();
        raw.extend_from_slice(&original.author);
        raw.extend_from_slice(format!("\ncommitter {committer}\n").as_bytes());
        if let Some(encoding) = &original.encoding {
            raw.extend_from_slice(&[b"encoding ", encoding.as_slice(), b"\n"].concat());
        }
        raw.push(b'\n');
        raw.extend_from_slice(&original.message);
        self.scratch
            .write_commit(self.repository.gix.object_hash(), &raw)
    }

    fn commit_signed(
        &self,
        original: &Original,
        tree: ObjectId,
        parent: ObjectId,
    ) -> Result<ObjectId> {
        use std::os::unix::ffi::OsStrExt;
        let author = original.author.as_bstr();
        let parts = author
            .rsplit_once_str("> ")
            .and_then(|(who, when)| Some((who.split_once_str(" <")?, when)));
        let ((name, email), when) =
            parts.ok_or_else(|| Error::git(format!("cannot read author '{author}'")))?;
        let encoding = original
            .encoding
            .as_ref()
            .map_or_else(|| "UTF-8".into(), |encoding| encoding.to_str_lossy());
        let text = std::ffi::OsStr::from_bytes;
        let git = (self.git)()
            .with("i18n.commitEncoding", &encoding)
            .env("GIT_AUTHOR_NAME", text(name))
            .env("GIT_AUTHOR_EMAIL", text(email))
            .env("GIT_AUTHOR_DATE", text(&[b"@", when].concat()));
        let message = original.message.clone();
        self.scratch
            .contain(git)
            .commit_tree(["-S"], tree, &[parent], message)
            .object_id()
    }

    fn read(&self, id: ObjectId) -> Result<Original> {
        let unreadable = |error: String| Error::git(format!("cannot read commit {id}: {error}"));
        let object = retry::objects(&self.repository.gix, || self.repository.gix.find_commit(id))
            .map_err(|error| unreadable(error.to_string()))?;
        let decoded = object
            .decode()
            .map_err(|error| unreadable(error.to_string()))?;
        Ok(Original {
            id,
            tree: decoded.tree(),
            parents: decoded.parents().collect(),
            author: decoded.author.to_owned(),
            encoding: decoded.encoding.map(ToOwned::to_owned),
            message: decoded.message.to_owned(),
        })
    }
}
