//! What git says of objects, and how it makes them.

use std::ffi::OsStr;
use std::path::Path;

use bstr::{BStr, BString, ByteSlice};
use gix::ObjectId;
use gix::object::Kind;

use super::{Invocation, failure};
use crate::error::{Error, Result};

/// What became of a merge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Merged {
    /// The tree of the result.
    Clean(ObjectId),
    /// It cannot be done without the user.
    Conflict {
        /// What the merge gives nevertheless, with marks of the conflicts in the files.
        tree: ObjectId,
        /// The paths in conflict, relative to the top.
        paths: Vec<BString>,
        /// git's words about each.
        messages: Vec<String>,
    },
}

/// One entry of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeEntry {
    /// Its mode as git prints it: `100644`, `160000`.
    pub mode: BString,
    /// The blob, the tree, or the commit of a submodule.
    pub id: ObjectId,
    /// Its path, relative to the top.
    pub path: BString,
}

impl Invocation {
    /// `git commit-tree` with options such as `-S`.
    pub fn commit_tree(
        self,
        options: impl IntoIterator<Item = impl AsRef<OsStr>>,
        tree: ObjectId,
        parents: &[ObjectId],
        message: impl Into<Vec<u8>>,
    ) -> Self {
        self.running_programs()
            .args(["commit-tree", "-F", "-"])
            .args(options)
            .args(parents.iter().map(|parent| format!("-p{parent}")))
            .arg(tree.to_string())
            .input(message)
    }

    /// `git hash-object -w`: stores what a file is, unfiltered.
    pub fn store_file(self, file: &Path) -> Result<ObjectId> {
        self.args(["hash-object", "-w", "--no-filters", "--"])
            .arg(file)
            .object_id()
    }

    /// Stores some bytes as a blob.
    pub fn store_bytes(self, bytes: Vec<u8>) -> Result<ObjectId> {
        self.args(["hash-object", "-w", "--no-filters", "--stdin"])
            .input(bytes)
            .object_id()
    }

    /// The id of the tree without an entry.
    pub fn empty_tree(self) -> Result<ObjectId> {
        self.args(["hash-object", "-t", "tree", "/dev/null"])
            .object_id()
    }

    /// `git cat-file --batch-check`: what kind each of the objects is; those that are not there are
    /// left out.
    pub fn kinds_of(
        self,
        names: impl IntoIterator<Item = impl ToString>,
    ) -> Result<Vec<(ObjectId, Kind)>> {
        let told = self
            .args(["cat-file", "--batch-check=%(objectname) %(objecttype)"])
            .input(lines(names))
            .text()?;
        let pair = |line: &str| {
            let (id, kind) = line.split_once(' ')?;
            let kind = Kind::from_bytes(kind.as_bytes()).ok()?;
            Some((ObjectId::from_hex(id.as_bytes()).ok()?, kind))
        };
        Ok(told.lines().filter_map(pair).collect())
    }

    /// Whether the commit is there.
    pub fn has_commit(self, id: ObjectId) -> Result<bool> {
        self.args(["cat-file", "-e"])
            .arg(format!("{id}^{{commit}}"))
            .succeeds()
    }

    /// What is in a blob.
    pub fn blob(self, id: ObjectId) -> Result<BString> {
        self.args(["cat-file", "blob"]).arg(id.to_string()).stdout()
    }

    /// What a blob is as the file at `path`: converted and filtered.
    pub fn filtered(self, id: ObjectId, path: &BStr) -> Result<BString> {
        self.running_programs()
            .args(["cat-file", "--filters"])
            .bytes([b"--path=", path.as_bytes()].concat())
            .arg(id.to_string())
            .stdout()
    }

    /// `git rev-list`: the commits that `which` asks for, of the names in `input` too where that
    /// has `--stdin`.
    pub fn rev_list(
        self,
        which: impl IntoIterator<Item = impl AsRef<OsStr>>,
        input: impl IntoIterator<Item = impl ToString>,
    ) -> Result<Vec<ObjectId>> {
        let listed = self
            .arg("rev-list")
            .args(which)
            .input(lines(input))
            .stdout()?;
        let id = |line: &[u8]| ObjectId::from_hex(line).ok();
        Ok(listed.lines().filter_map(id).collect())
    }

    /// How many commits that are.
    pub fn count_commits(
        self,
        which: impl IntoIterator<Item = impl AsRef<OsStr>>,
        input: impl IntoIterator<Item = impl ToString>,
    ) -> Result<usize> {
        let counted = self
            .args(["rev-list", "--count"])
            .args(which)
            .input(lines(input))
            .text()?;
        counted.parse().map_err(|_| {
            Error::git(format!(
                "cannot understand what git rev-list says: {counted}"
            ))
        })
    }

    /// Of each of the commits a line as `format` has it.
    pub fn describe_commits(
        self,
        commits: impl IntoIterator<Item = impl ToString>,
        format: &str,
    ) -> Result<Vec<String>> {
        let shown = self
            .args(["rev-list", "--no-walk", "--no-commit-header", "--stdin"])
            .arg(format!("--format={format}"))
            .input(lines(commits))
            .text()?;
        Ok(shown.lines().map(str::to_owned).collect())
    }

    /// The commits of `tip` that `onto` has not, the oldest first; whether `onto` has one with the
    /// same patch.
    pub fn commits_to_pick(self, onto: ObjectId, tip: ObjectId) -> Result<Vec<(ObjectId, bool)>> {
        let listed = self
            .args(["rev-list", "--reverse", "--topo-order", "--right-only"])
            .args(["--cherry-mark", &format!("{onto}...{tip}")])
            .stdout()?;
        let commit = |line: &[u8]| {
            let id = line.trim_start_with(|mark| matches!(mark, '=' | '+'));
            let id = ObjectId::from_hex(id);
            let id =
                id.map_err(|error| Error::git("cannot understand git rev-list").caused_by(error));
            Ok((id?, line.starts_with(b"=")))
        };
        listed.lines().map(commit).collect()
    }

    /// Whether all that `new` has and `old` has not is there, or promised by a remote.
    pub fn reaches_promised(self, old: ObjectId, new: ObjectId) -> Result<bool> {
        self.args(["rev-list", "--objects", "--quiet"])
            .args(["--missing=allow-promisor", &new.to_string()])
            .arg(format!("^{old}"))
            .succeeds()
    }

    /// The names of all objects that something in the repository leads to.
    pub fn list_reachable(self) -> Result<Vec<String>> {
        let reached = self
            .args(["rev-list", "--objects", "--no-object-names", "--all"])
            .args(["--reflog", "--indexed-objects"])
            .output()?;
        let reached = reached.stdout.to_str_lossy();
        Ok(reached.lines().map(str::to_owned).collect())
    }

    /// `git show-index`: the names of the objects in a pack, by its index.
    pub fn list_pack(self, hash: gix::hash::Kind, index: Vec<u8>) -> Result<Vec<String>> {
        let listed = self
            .args(["show-index", &format!("--object-format={hash}")])
            .input(index)
            .text()?;
        let name = |line: &str| line.split(' ').nth(1).map(str::to_owned);
        Ok(listed.lines().filter_map(name).collect())
    }

    /// `git pack-objects`: packs what `input` asks for below `prefix`; the pack's name, empty where
    /// there is nothing to pack.
    pub fn pack_objects(
        self,
        options: impl IntoIterator<Item = impl AsRef<OsStr>>,
        prefix: &Path,
        input: impl Into<Vec<u8>>,
    ) -> Result<String> {
        self.with("pack.writeReverseIndex", "false")
            .args(["pack-objects", "-q", "--non-empty", "--threads=1"])
            .arg("--window=0")
            .args(options)
            .arg(prefix)
            .input(input)
            .text()
    }

    /// `git merge-tree --write-tree`, with `-X` options.
    pub fn merge_tree(
        self,
        ours: ObjectId,
        theirs: ObjectId,
        options: &[String],
    ) -> Result<Merged> {
        let output = self
            .running_programs()
            .args(["merge-tree", "--write-tree", "-z", "--name-only"])
            .args(options.iter().map(|option| format!("-X{option}")))
            .args([ours.to_string(), theirs.to_string()])
            .output()?;
        let malformed = || Error::git("cannot understand what git merge-tree says");
        let mut fields = output.stdout.split_str("\0").map(ByteSlice::as_bstr);
        let tree = fields.next().ok_or_else(malformed)?;
        let tree = || ObjectId::from_hex(tree.trim()).map_err(|_| malformed());
        match output.status.code() {
            Some(0) => Ok(Merged::Clean(tree()?)),
            Some(1) => Ok(Merged::Conflict {
                tree: tree()?,
                paths: fields
                    .by_ref()
                    .take_while(|path| !path.is_empty())
                    .map(ToOwned::to_owned)
                    .collect(),
                messages: messages(fields),
            }),
            _ => Err(failure("git merge-tree", &output)),
        }
    }

    /// The trees of many merges of (ours, theirs), `None` where they conflict.
    pub fn merge_trees(self, merges: &[(ObjectId, ObjectId)]) -> Result<Vec<Option<ObjectId>>> {
        let tree = |merged| match merged {
            Merged::Clean(tree) => Some(tree),
            Merged::Conflict { .. } => None,
        };
        let merged = self.merged(merges, &[])?;
        Ok(merged.into_iter().map(tree).collect())
    }

    /// Many merges of (ours, theirs) by one git with `-X` options, without git's words about each.
    pub fn merge_each(
        self,
        merges: &[(ObjectId, ObjectId)],
        options: &[String],
    ) -> Result<Vec<Merged>> {
        self.running_programs().merged(merges, options)
    }

    fn merged(self, merges: &[(ObjectId, ObjectId)], options: &[String]) -> Result<Vec<Merged>> {
        let output = self
            .args(["merge-tree", "--write-tree", "--stdin", "--name-only"])
            .arg("--no-messages")
            .args(options.iter().map(|option| format!("-X{option}")))
            .input(lines(pairs(merges)))
            .stdout()?;
        // For each merge: 1 if clean, the tree, the paths in conflict, nothing; all ended by NUL.
        let mut fields = output.split_str("\0");
        let mut merged = || {
            let (clean, tree) = (fields.next()?, fields.next()?);
            let tree = ObjectId::from_hex(tree).ok()?;
            let paths = fields.by_ref().take_while(|field| !field.is_empty());
            let paths = paths.map(BString::from).collect();
            match clean {
                b"1" => Some(Merged::Clean(tree)),
                b"0" => Some(Merged::Conflict {
                    tree,
                    paths,
                    messages: Vec::new(),
                }),
                _ => None,
            }
        };
        let all = merges.iter().map(|_| merged());
        all.collect::<Option<_>>()
            .ok_or_else(|| Error::git("cannot understand what git merge-tree says"))
    }

    /// The patch between each (commit, parent), after a line with the commit; nothing that is
    /// configured changes it.
    pub fn patches(self, of: &[(ObjectId, ObjectId)]) -> Result<BString> {
        self.args(["diff-tree", "--stdin", "-p", "--full-index"])
            .args(["--no-renames", "--no-ext-diff", "--no-textconv"])
            .args(["--no-color", "--unified=3", "--diff-algorithm=histogram"])
            .arg("--ignore-submodules=none")
            .input(lines(pairs(of)))
            .stdout()
    }

    /// What differs between two trees at or below `paths`, as a patch.
    pub fn patch_at(self, from: ObjectId, to: ObjectId, paths: &[BString]) -> Result<BString> {
        let asked = self
            .literal_paths()
            .args(["diff-tree", "-r", "-p", "--no-color"])
            .args(["--no-ext-diff", "--no-textconv", "--no-renames"])
            .args([&from.to_string(), &to.to_string(), "--"]);
        asked.at_paths(paths).stdout()
    }

    /// `git diff-tree -r`: the paths that differ between two trees, with options such as
    /// `--diff-filter=D`.
    pub fn diff_tree(
        self,
        options: &[&str],
        from: impl ToString,
        to: impl ToString,
    ) -> Result<Vec<BString>> {
        self.args(["diff-tree", "-r", "-z", "--name-only"])
            .args(options)
            .args([from.to_string(), to.to_string()])
            .fields()
    }

    /// The same as raw records: of each path its modes, ids and status, then the path. Empty where
    /// one of them is no tree.
    pub fn diff_tree_raw(self, from: &str, to: &str) -> Result<Vec<BString>> {
        let changed = self
            .args(["diff-tree", "-r", "-z", "--no-renames", from, to])
            .output()?;
        let fields = changed.stdout.split_str("\0");
        let fields = fields.filter(|field| changed.status.success() && !field.is_empty());
        Ok(fields.map(BString::from).collect())
    }

    /// `git ls-tree -r`: what a tree has at or below `paths`, everything without any.
    pub fn ls_tree(
        self,
        tree: impl ToString,
        paths: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Result<Vec<TreeEntry>> {
        let listed = self
            .literal_paths()
            .args(["ls-tree", "-r", "--full-tree", "-z"])
            .arg(tree.to_string())
            .arg("--")
            .args(paths)
            .fields()?;
        let entry = |field: &BString| {
            let (about, path) = field.split_once_str("\t")?;
            let mut words = about.split_str(" ");
            Some(TreeEntry {
                mode: words.next()?.into(),
                id: ObjectId::from_hex(words.nth(1)?).ok()?,
                path: path.into(),
            })
        };
        Ok(listed.iter().filter_map(entry).collect())
    }

    /// The messages of the commits in a range, whole, the oldest first, merges left out.
    pub fn messages(self, range: &str) -> Result<Vec<String>> {
        let listed = self
            .args(["log", "--no-merges", "--reverse", "--no-show-signature"])
            .args(["-z", "--encoding=UTF-8", "--format=%B", range])
            .text()?;
        let listed = listed.split_terminator('\0');
        Ok(listed.map(str::to_owned).collect())
    }

    /// Whether `git verify-commit` is content with a commit's signature.
    pub fn verify_commit(self, id: ObjectId) -> Result<bool> {
        self.running_programs()
            .args(["verify-commit", "--", &id.to_string()])
            .succeeds()
    }

    /// The letter `%G?` has for a commit's signature: `G` a good one, `N` none.
    pub fn signature_grade(self, id: ObjectId) -> Result<String> {
        self.running_programs()
            .args(["log", "-1", "--no-show-signature", "--format=%G?"])
            .args([&id.to_string(), "--"])
            .text()
    }

    /// `git fmt-merge-msg`: the message with a log of at most `log` commits of what is merged, a
    /// line of FETCH_HEAD.
    pub fn fmt_merge_msg(self, message: &str, log: usize, merged: String) -> Result<String> {
        self.args(["fmt-merge-msg", &format!("--log={log}"), "-m", message])
            .input(merged)
            .text()
    }

    /// `git fmt-merge-msg`: git's own message for the merge of what a line of FETCH_HEAD says, with a
    /// log of at most `log` commits.
    pub fn merge_message(self, log: usize, merged: String) -> Result<String> {
        self.args(["fmt-merge-msg", &format!("--log={log}")])
            .input(merged)
            .text()
    }

    /// The message with a trailer, where it does not end with that one already.
    pub fn add_trailer(self, message: BString, trailer: &str) -> Result<BString> {
        self.args(["interpret-trailers", "--no-divider", "--if-exists"])
            .args(["addIfDifferentNeighbor", "--trailer", trailer])
            .input(message)
            .stdout()
    }
}

fn pairs(of: &[(ObjectId, ObjectId)]) -> impl Iterator<Item = String> {
    of.iter().map(|(one, other)| format!("{one} {other}"))
}

fn lines(of: impl IntoIterator<Item = impl ToString>) -> Vec<u8> {
    let mut text = String::new();
    for line in of {
        text.push_str(&line.to_string());
        text.push('\n');
    }
    text.into_bytes()
}

/// The texts about conflicts in the messages of `merge-tree -z`: a count, that many paths, a kind,
/// a text.
fn messages<'a>(mut fields: impl Iterator<Item = &'a BStr>) -> Vec<String> {
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
