//! Entries of the trash.

use std::path::{Path, PathBuf};

use super::{Sandbox, write};

impl Sandbox {
    /// The directory of the one entry there is.
    #[track_caller]
    pub fn entry(&self) -> PathBuf {
        entry_of(&self.repo)
    }

    /// The directory of the entry `id`.
    pub fn entry_with(&self, id: &str) -> PathBuf {
        self.repo.join(".git/lane/trash").join(id)
    }

    /// What `git lane trash` lists, in its order.
    pub fn entries(&self) -> Vec<serde_json::Value> {
        let listed = self.lane(["--json", "trash"]).json();
        listed["entries"].as_array().unwrap().clone()
    }

    /// The ids of what `git lane trash` lists.
    pub fn entry_ids(&self) -> Vec<String> {
        let id = |entry: serde_json::Value| entry["trash"].as_str().unwrap().to_owned();
        self.entries().into_iter().map(id).collect()
    }
}

/// The directory of the one entry in the trash of the repository at `worktree`.
#[track_caller]
pub fn entry_of(worktree: &Path) -> PathBuf {
    let trash = std::fs::read_dir(worktree.join(".git/lane/trash")).unwrap();
    let mut directories = trash.flatten().map(|entry| entry.path());
    directories.find(|path| path.is_dir()).expect("an entry")
}

/// Changes what an entry says of itself.
pub fn change_entry(entry: &Path, change: impl FnOnce(&mut serde_json::Value)) {
    let file = entry.join("entry.json");
    let mut json = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    change(&mut json);
    write(&file, json.to_string());
}

/// Makes an entry look as if its time were up.
pub fn outdate(entry: &Path) {
    change_entry(entry, |json| json["removed"] = 1_000.into());
}
