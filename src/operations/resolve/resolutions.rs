//! What git remembers of how conflicts were resolved (git-rerere(1)): it must not remember a
//! resolution that was given up, for it would resolve the next conflict by itself.

use bstr::ByteSlice;

use crate::domain::lane::Worktree;
use crate::error::Result;
use crate::repository::Repository;
use crate::store::lane_files::remove_if_there;

/// Where the resolutions are kept, in the repository.
const CACHE: &str = "rr-cache";

/// The files that git makes once the conflicts are resolved that it has just laid out, as
/// `MERGE_RR` lists them: an id, perhaps with the number of a variant, a tab, and the path.
pub(super) fn to_come(repository: &Repository, site: &Worktree) -> Vec<String> {
    let listed = std::fs::read(site.git_dir.join("MERGE_RR")).unwrap_or_default();
    let cache = repository.common_dir().join(CACHE);
    let file = |record: &[u8]| {
        let (name, _) = record.split_once_str("\t")?;
        let name = name.to_str().ok()?;
        let (id, variant) = match name.split_once('.') {
            Some((id, variant)) => (id, format!(".{variant}")),
            None => (name, String::new()),
        };
        let is_id = |text: &str| !text.is_empty() && text.bytes().all(|c| c.is_ascii_hexdigit());
        let is_name = is_id(id) && (variant.is_empty() || is_id(&variant[1..]));
        is_name.then(|| format!("{id}/postimage{variant}"))
    };
    let files = listed.split(|byte| *byte == 0).filter_map(file);
    files.filter(|file| !cache.join(file).exists()).collect()
}

/// Has git forget them.
pub(super) fn forget(repository: &Repository, files: &[String]) -> Result<()> {
    let cache = repository.common_dir().join(CACHE);
    files
        .iter()
        .try_for_each(|file| remove_if_there(&cache.join(file)))
}
