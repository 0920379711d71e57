//! The lane's commits replayed onto the base in memory, as `git rebase` would pick them.
//!
//! A pick is a merge whose base is the commit's parent. `merge-tree` takes an explicit merge base only from git 2.40 on,
//! so the three trees are dressed as commits: two children of a parentless one.

use bstr::{BString, ByteSlice};

use super::merge::{Bench, Merged, conflict};
use super::scratch::Scratch;
use crate::domain::lane::ObjectId;
use crate::domain::name::BranchName;
use crate::domain::paste::word;
use crate::error::{Error, Result};
use crate::git::command::Invocation;
use crate::git::repository::Repository;
use crate::git::steady;

/// What a commit says, as its raw bytes say it.
struct Original {
    id: ObjectId,
    tree: ObjectId,
    parents: Vec<ObjectId>,
    author: BString,
    encoding: Option<BString>,
    message: BString,
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
    pub base: &'a BranchName,
    /// git where `git rebase` would run, for identity and signatures.
    pub git: &'a dyn Fn() -> Invocation,
}

impl Replay<'_> {
    /// Replays what `tip` has and `onto` lacks; the new tip and how many commits it took.
    pub fn run(&self, onto: ObjectId, tip: ObjectId) -> Result<(ObjectId, usize)> {
        // The list of the sequencer: merges left out, commits with a twin of the same patch id in the base too.
        let picks = ["rev-list", "--reverse", "--topo-order", "--right-only", "--cherry-pick", "--no-merges"];
        let listed = self.repository.git_here().args(picks).arg(format!("{onto}...{tip}")).stdout()?;
        let mut committer = None;
        let (mut head, mut tree) = (onto, self.read(onto)?.tree);
        let mut count = 0;
        for line in listed.lines() {
            let id = ObjectId::from_hex(line).map_err(|error| Error::git(format!("git rev-list: {error}")))?;
            let original = self.read(id)?;
            if original.parents == [head] {
                (head, tree) = (id, original.tree);
                count += 1;
                continue;
            }
            let picked = self.pick(&original, tree)?;
            let empty_before = original.parents.len() == 1 && self.parent_tree(&original)? == original.tree;
            // What the base already has in another form becomes empty and goes, as in `git rebase --empty=drop`.
            if picked == tree && !empty_before {
                continue;
            }
            head = self.commit(&original, picked, head, &mut committer)?;
            tree = picked;
            count += 1;
        }
        Ok((head, count))
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
            Merged::Conflict { paths, messages } => {
                let subject = commit.message.lines().next().unwrap_or_default().to_str_lossy();
                let what = format!("commit {} ('{subject}')", commit.id.to_hex_with_len(10));
                let base = self.base;
                let remedy =
                    format!("in the lane: git rebase {}, resolve (rerere helps there), then finish again", word(base));
                Err(conflict(what, base, &paths, &messages, remedy))
            }
        }
    }

    /// A tree as a commit of nobody's, for a merge only.
    fn dress(&self, tree: ObjectId, parent: Option<ObjectId>) -> Result<ObjectId> {
        let parent = parent.map(|parent| format!("parent {parent}\n")).unwrap_or_default();
        let who = "lane <lane> 0 +0000";
        let raw = format!("tree {tree}\n{parent}author {who}\ncommitter {who}\n\nlane\n");
        self.scratch.write_commit(self.repository.gix.object_hash(), raw.as_bytes())
    }

    /// The commit with author, message and encoding of `original`; signed where `commit.gpgSign` asks for it.
    fn commit(
        &self,
        original: &Original,
        tree: ObjectId,
        parent: ObjectId,
        committer: &mut Option<String>,
    ) -> Result<ObjectId> {
        if self.repository.config_bool("commit.gpgSign") {
            return self.commit_signed(original, tree, parent);
        }
        let committer = match committer {
            Some(known) => known,
            None => committer.insert((self.git)().args(["var", "GIT_COMMITTER_IDENT"]).text()?),
        };
        let mut raw = format!("tree {tree}\nparent {parent}\nauthor ").into_bytes();
        raw.extend_from_slice(&original.author);
        raw.extend_from_slice(format!("\ncommitter {committer}\n").as_bytes());
        if let Some(encoding) = &original.encoding {
            raw.extend_from_slice(&[b"encoding ", encoding.as_slice(), b"\n"].concat());
        }
        raw.push(b'\n');
        raw.extend_from_slice(&original.message);
        self.scratch.write_commit(self.repository.gix.object_hash(), &raw)
    }

    fn commit_signed(&self, original: &Original, tree: ObjectId, parent: ObjectId) -> Result<ObjectId> {
        use std::os::unix::ffi::OsStrExt;
        let author = original.author.as_bstr();
        let parts = author.rsplit_once_str("> ").and_then(|(who, when)| Some((who.split_once_str(" <")?, when)));
        let ((name, email), when) = parts.ok_or_else(|| Error::git(format!("cannot read author '{author}'")))?;
        let encoding = original.encoding.as_ref().map_or_else(|| "UTF-8".into(), |encoding| encoding.to_str_lossy());
        let text = std::ffi::OsStr::from_bytes;
        let git = (self.git)()
            .arg("-c")
            .arg(format!("i18n.commitEncoding={encoding}"))
            .args(["commit-tree", "-S", "-F", "-", "-p"])
            .args([parent.to_string(), tree.to_string()])
            .env("GIT_AUTHOR_NAME", text(name))
            .env("GIT_AUTHOR_EMAIL", text(email))
            .env("GIT_AUTHOR_DATE", text(&[b"@", when].concat()))
            .input(original.message.clone());
        let id = self.scratch.contain(git).text()?;
        ObjectId::from_hex(id.as_bytes()).map_err(|error| Error::git(format!("git commit-tree: {error}")))
    }

    fn read(&self, id: ObjectId) -> Result<Original> {
        let unreadable = |error: String| Error::git(format!("cannot read commit {id}: {error}"));
        let object = steady::objects(&self.repository.gix, || self.repository.gix.find_commit(id))
            .map_err(|error| unreadable(error.to_string()))?;
        let decoded = object.decode().map_err(|error| unreadable(error.to_string()))?;
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
