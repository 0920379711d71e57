//! The child gits that merge and diff, in a bare repository of their own.
//!
//! It lives in a temporary directory and borrows the objects. So nothing is written to the user's
//! repository, and no config, attribute, merge driver, textconv, graft or hook of theirs can make a
//! merge or a diff say less than it is.

use bstr::ByteSlice;
use gix::ObjectId;

use crate::error::{Error, IoContext, Result};
use crate::store::git::{Git, Invocation};

/// Whether the objects alone tell the truth: not if replace refs or grafts rewrite history, nor if
/// objects may be missing (partial clone).
pub(super) fn is_possible(repo: &gix::Repository) -> bool {
    let rewritten = repo.objects.store_ref().replacements().next().is_some();
    let grafted = std::fs::metadata(repo.common_dir().join("info/grafts"))
        .is_ok_and(|grafts| grafts.len() > 0);
    let partial = repo
        .config_snapshot()
        .string("extensions.partialClone")
        .is_some();
    !(rewritten || grafted || partial)
}

pub(super) struct Probe<'a> {
    git: &'a Git,
    directory: tempfile::TempDir,
}

impl<'a> Probe<'a> {
    pub fn new(repo: &gix::Repository, git: &'a Git) -> Result<Self> {
        let place = std::env::temp_dir();
        let directory = tempfile::Builder::new()
            .prefix("git-lane-probe")
            .tempdir()
            .context("write in", &place)?;
        let path = directory.path();
        let objects = repo.objects.store_ref().path();
        let objects = objects.canonicalize().context("read", objects)?;
        let mut alternate = gix::path::into_bstr(objects)
            .map_err(super::unreadable)?
            .into_owned();
        if alternate.contains(&b'\n') || alternate.starts_with(b"\"") {
            return Err(Error::environment(
                "the path of the repository has a line break in it",
            ));
        }
        alternate.push(b'\n');
        let format = match repo.object_hash() {
            gix::hash::Kind::Sha1 => {
                String::from("[core]\n\tbare = true\n\trepositoryFormatVersion = 0\n")
            }
            other => format!(
                "[core]\n\tbare = true\n\trepositoryFormatVersion = \
                 1\n[extensions]\n\tobjectFormat = {other}\n"
            ),
        };
        for name in ["refs", "objects", "objects/info"] {
            std::fs::create_dir(path.join(name)).context("write", path)?;
        }
        let write =
            |name: &str, data: &[u8]| std::fs::write(path.join(name), data).context("write", path);
        write("HEAD", b"ref: refs/heads/none\n")?;
        write("config", format.as_bytes())?;
        write("objects/info/alternates", &alternate)?;
        if let Ok(shallow) = crate::store::optional::bytes(repo.common_dir().join("shallow")) {
            write("shallow", &shallow)?;
        }
        Ok(Probe { git, directory })
    }

    fn git(&self) -> Invocation {
        let path = self.directory.path();
        self.git
            .at(path)
            .env("GIT_DIR", path)
            .env("HOME", path)
            .env("XDG_CONFIG_HOME", path)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_ATTR_NOSYSTEM", "1")
            .reliable()
            .without_settings()
    }

    /// The tree of each merge of (ours, theirs), `None` where they conflict.
    pub fn merged_trees(&self, merges: &[(ObjectId, ObjectId)]) -> Result<Vec<Option<ObjectId>>> {
        self.git().merge_trees(merges)
    }

    /// An identity of the patch between each (commit, parent), which must differ in their trees:
    /// the same for the same changes to the same paths with the same context, wherever in the file
    /// they are.
    ///
    /// Unlike `git patch-id` it heeds white space, and full object ids for binary files.
    pub fn patches(
        &self,
        of: &[(ObjectId, ObjectId)],
        hash: gix::hash::Kind,
    ) -> Result<Vec<ObjectId>> {
        let output = self.git().patches(of)?;
        let mut patches = Vec::with_capacity(of.len());
        let mut lines = output.split_inclusive(|byte| *byte == b'\n').peekable();
        for (commit, _) in of {
            if lines
                .next()
                .and_then(|line| ObjectId::from_hex(line.trim_end()).ok())
                != Some(*commit)
            {
                return Err(Error::git("cannot understand what git diff-tree says"));
            }
            let mut hasher = gix::hash::hasher(hash);
            let mut blobs: &[u8] = b"";
            while let Some(line) = lines.next_if(|line| !is_header(line, hash)) {
                if line.starts_with(b"index ") {
                    blobs = line;
                } else if line.starts_with(b"@@ ") {
                    hasher.update(b"@@\n");
                } else {
                    if line.starts_with(b"Binary files ") {
                        hasher.update(blobs);
                    }
                    hasher.update(line);
                }
            }
            let id = hasher.try_finalize();
            patches.push(id.map_err(|error| Error::git("cannot hash a patch").caused_by(error))?);
        }
        Ok(patches)
    }
}

/// A line of nothing but an object id; lines of a patch all begin with a word or a sign.
fn is_header(line: &[u8], hash: gix::hash::Kind) -> bool {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.len() == hash.len_in_hex() && line.iter().all(u8::is_ascii_hexdigit)
}
