//! A directory of its own for one landing, and a quarantine for the objects it makes.
//!
//! Until the verdict is known every new object goes to the quarantine (git's own
//! `GIT_OBJECT_DIRECTORY`, as git-receive-pack(1) uses it), so that a conflict, a refusal or a dry
//! run leaves the repository as it was.

use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use crate::domain::lane::ObjectId;
use crate::error::{Error, IoContext, Result};
use crate::repository::{PACK_SLOTS, Repository};
use crate::store::git::Invocation;
use crate::store::scratch::Directory;

/// What [`Scratch::contain`] tells git.
pub const VARIABLES: &str = "GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES";

/// The directory; removed when dropped, or by the next command when its process died.
#[derive(Debug)]
pub struct Scratch {
    directory: Directory,
    objects: PathBuf,
}

impl Scratch {
    /// Makes one.
    pub fn new(repository: &Repository) -> Result<Self> {
        Self::within(repository, Directory::new(repository.lane_dir(), "")?)
    }

    /// Makes one outside the repository, for what is only foretold: nothing of it may be released.
    pub fn outside(repository: &Repository) -> Result<Self> {
        Self::within(repository, Directory::outside()?)
    }

    fn within(repository: &Repository, directory: Directory) -> Result<Self> {
        let objects = directory.path().join("objects");
        repository
            .shared()
            .create_dir(&objects)
            .context("create", &objects)?;
        Ok(Scratch {
            directory,
            objects: repository.gix.objects.store_ref().path().to_owned(),
        })
    }

    /// Its name, which nothing else has ever had.
    pub fn id(&self) -> std::borrow::Cow<'_, str> {
        self.directory
            .path()
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
    }

    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Makes `git` write its objects into the quarantine and read the repository's as well.
    pub fn contain(&self, git: Invocation) -> Invocation {
        git.env("GIT_OBJECT_DIRECTORY", self.path("objects"))
            .env("GIT_ALTERNATE_OBJECT_DIRECTORIES", alternate(&self.objects))
    }

    /// The repository as a git sees it that [`contain`](Self::contain) binds: with what is in the
    /// quarantine.
    pub fn view(&self, repository: &Repository) -> Result<gix::Repository> {
        let directory = self.path("view");
        let file = directory.join("info/alternates");
        if !file.exists() {
            let info = directory.join("info");
            repository
                .shared()
                .create_dir_all(&info)
                .context("create", &info)?;
            let list = [alternate(&self.path("objects")), alternate(&self.objects)];
            let lines: Vec<u8> = list
                .iter()
                .flat_map(|path| [path.as_bytes(), b"\n"].concat())
                .collect();
            repository
                .shared()
                .write(&file, lines)
                .context("write", &file)?;
        }
        let hash = repository.gix.object_hash();
        let options = gix::odb::store::init::Options {
            slots: PACK_SLOTS,
            ..Default::default()
        };
        let objects = gix::odb::at_opts(&directory, hash, [], options);
        let objects = objects.context("read", &directory)?;
        let mut view = repository.gix.clone();
        view.objects = gix::odb::memory::Proxy::new(objects, hash);
        Ok(view)
    }

    /// Writes a commit, given as its raw bytes, into the quarantine.
    pub fn write_commit(&self, hash: gix::hash::Kind, raw: &[u8]) -> Result<ObjectId> {
        use gix::objs::Write;
        let written = self
            .quarantine(hash)
            .write_buf(gix::objs::Kind::Commit, raw);
        written.map_err(|error| Error::environment(format!("cannot write a commit: {error}")))
    }

    /// Writes an object into the quarantine.
    pub fn write(
        &self,
        hash: gix::hash::Kind,
        object: &dyn gix::objs::WriteTo,
    ) -> Result<ObjectId, String> {
        use gix::objs::Write;
        self.quarantine(hash)
            .write(object)
            .map_err(|error| error.to_string())
    }

    fn quarantine(&self, hash: gix::hash::Kind) -> gix::odb::loose::Store {
        gix::odb::loose::Store::at(self.path("objects"), hash)
    }
}

/// A path as git reads it in `GIT_ALTERNATE_OBJECT_DIRECTORIES`, whose entries are separated by
/// colons.
fn alternate(path: &Path) -> std::ffi::OsString {
    let bytes = path.as_os_str().as_bytes();
    if !bytes
        .iter()
        .any(|byte| matches!(byte, b':' | b'"' | b'\\' | b'\n'))
    {
        return path.as_os_str().to_owned();
    }
    let mut quoted = vec![b'"'];
    for byte in bytes {
        match byte {
            b'\n' => quoted.extend_from_slice(b"\\n"),
            b'"' | b'\\' => quoted.extend_from_slice(&[b'\\', *byte]),
            _ => quoted.push(*byte),
        }
    }
    quoted.push(b'"');
    std::ffi::OsString::from_vec(quoted)
}
