//! The repository that every sandbox begins with: made by git once, written from memory then.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::{Sandbox, age, files};

/// Path, mode and content of files; a directory has no content.
type Entry = (PathBuf, u32, Option<Vec<u8>>);

/// Makes in an empty directory what `git init`, `git add` and `git commit` make there.
pub fn repository_with_one_commit(directory: &Path) {
    static MADE: OnceLock<Vec<Entry>> = OnceLock::new();
    for (path, mode, content) in MADE.get_or_init(by_git) {
        let path = directory.join(path);
        let Some(content) = content else {
            std::fs::create_dir(path).unwrap();
            continue;
        };
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(*mode)).unwrap();
    }
    let index = directory.join(".git/index");
    settle(&index, directory);
}

fn by_git() -> Vec<Entry> {
    let sandbox = Sandbox::empty();
    sandbox.git(["init", "-q", "-b", "main", "."]);
    sandbox.write("README", "shop\n");
    sandbox.write("src/app.txt", "one\ntwo\nthree\n");
    sandbox.commit("first");
    let mut paths = files(&sandbox.repo);
    paths.retain(|path| path.extension().is_none_or(|end| end != "sample"));
    // A directory comes before what is in it.
    paths.sort();
    let entry = |path: PathBuf| {
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        let content = path.is_file().then(|| std::fs::read(&path).unwrap());
        let name = path.strip_prefix(&sandbox.repo).unwrap().to_owned();
        (name, mode, content)
    };
    paths.into_iter().map(entry).collect()
}

/// Has an index know the files of its worktree as they are, and makes them older than it.
fn settle(index: &Path, worktree: &Path) {
    let options = gix::index::decode::Options::default();
    let mut found = gix::index::File::at(index, gix::hash::Kind::Sha1, false, options).unwrap();
    for (entry, name) in found.entries_mut_with_paths() {
        let file = worktree.join(name.to_string());
        age(&file, 1);
        let metadata = gix::index::fs::Metadata::from_path_no_follow(&file).unwrap();
        entry.stat = gix::index::entry::Stat::from_fs(&metadata).unwrap();
    }
    let extensions = gix::index::write::Extensions::Given {
        tree_cache: true,
        end_of_index_entry: false,
    };
    let options = gix::index::write::Options {
        extensions,
        skip_hash: false,
    };
    let mut bytes = Vec::new();
    found.write_to(&mut bytes, options).unwrap();
    std::fs::write(index, bytes).unwrap();
}
