//! Objects, read without keeping every page of a pack that was ever looked at.
//!
//! gix maps packs as a whole and unmaps them with the repository. The kernel maps 64 KiB around
//! each page that is asked for, so a checkout has all of a pack resident in the end: cache, but
//! counted as this process's memory. So the store of the objects is opened anew, without reading
//! the repository's configuration again, whenever too much is mapped.

use std::{
    path::PathBuf,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::engines::platform::mapped;

/// How much may be mapped, in bytes.
const LIMIT: usize = 32 << 20;

/// How much is read between two looks at what is mapped.
const BETWEEN_LOOKS: usize = 16 << 20;

/// What reading a small object maps.
const AROUND: usize = 64 << 10;

/// The objects of a repository, for several threads.
pub(super) struct Objects {
    directory: PathBuf,
    options: gix::odb::store::init::Options,
    /// Counts how often `current` was replaced.
    generation: AtomicUsize,
    /// What was read since the last look, in bytes.
    read: AtomicUsize,
    current: Mutex<gix::ThreadSafeRepository>,
}

/// One thread's way to them.
pub(super) struct Reader<'a> {
    objects: &'a Objects,
    generation: usize,
    repo: gix::Repository,
}

impl Objects {
    pub(super) fn of(repo: &gix::Repository) -> Self {
        let config = repo.config_snapshot();
        let use_multi_pack_index = config.boolean("core.multiPackIndex").unwrap_or(true);
        let objects = Objects {
            directory: repo.objects.store_ref().path().to_owned(),
            options: gix::odb::store::init::Options {
                use_multi_pack_index,
                ..Default::default()
            },
            generation: AtomicUsize::new(0),
            read: AtomicUsize::new(0),
            current: Mutex::new(repo.clone().into_sync()),
        };
        objects.replace(0);
        objects
    }

    pub(super) fn reader(&self) -> Reader<'_> {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        Reader {
            objects: self,
            generation: self.generation.load(Ordering::Acquire),
            repo: current.to_thread_local(),
        }
    }

    /// Opens the store anew, unless another thread has since `generation`. What cannot be opened
    /// stays as it was.
    fn replace(&self, generation: usize) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if self.generation.load(Ordering::Acquire) != generation {
            return;
        }
        let (directory, hash) = (self.directory.clone(), current.objects.object_hash());
        // A repository with replaced objects is left to git.
        let fresh = gix::odb::Store::at_opts(
            directory,
            hash,
            &mut std::iter::empty(),
            self.options.clone(),
        );
        if let Ok(fresh) = fresh {
            current.objects = fresh.into();
            self.generation.store(generation + 1, Ordering::Release);
        }
    }
}

impl Reader<'_> {
    /// The repository to read the next object from.
    pub(super) fn repo(&mut self) -> &gix::Repository {
        if self.generation != self.objects.generation.load(Ordering::Acquire) {
            *self = self.objects.reader();
        }
        &self.repo
    }

    /// Counts an object of so many bytes that was read.
    pub(super) fn count(&mut self, bytes: usize) {
        let weight = AROUND + bytes;
        let read = self.objects.read.fetch_add(weight, Ordering::Relaxed) + weight;
        if read > BETWEEN_LOOKS {
            self.objects.read.store(0, Ordering::Relaxed);
            if mapped().is_none_or(|mapped| mapped > LIMIT) {
                self.objects.replace(self.generation);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_is_unmapped_and_reading_goes_on() {
        let directory = tempfile::tempdir().unwrap();
        let repo = gix::init_bare(directory.path()).unwrap();
        let id = repo.write_blob("text").unwrap().detach();
        let objects = Objects::of(&repo);
        let (mut reader, mut other) = (objects.reader(), objects.reader());
        let before = reader.generation;
        reader.repo();
        objects.replace(before);
        // A process that has not noticed replaces nothing.
        objects.replace(before);
        assert_eq!(objects.generation.load(Ordering::Acquire), before + 1);
        for reader in [&mut reader, &mut other] {
            assert_eq!(reader.repo().find_blob(id).unwrap().data, b"text");
            assert_eq!(reader.generation, before + 1);
        }
        // A system that does not tell it has the pages given back each time.
        assert!(mapped().is_none_or(|mapped| mapped > 1 << 20));
    }
}
