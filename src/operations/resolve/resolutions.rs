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
        Some(format!("{id}/postimage{variant}"))
    };
    let files = listed.split(|byte| *byte == 0).filter_map(file);
    files
        .filter(|file| is_resolution(file) && !cache.join(file).exists())
        .collect()
}

/// Has git forget them.
pub(super) fn forget(repository: &Repository, files: &[String]) -> Result<()> {
    let cache = repository.common_dir().join(CACHE);
    files
        .iter()
        .filter(|file| is_resolution(file))
        .try_for_each(|file| remove_if_there(&cache.join(file)))
}

fn is_hex(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// An intent is a file, and a user may have written it.
fn is_resolution(file: &str) -> bool {
    let Some((id, name)) = file.split_once("/postimage") else {
        return false;
    };
    is_hex(id) && (name.is_empty() || name.strip_prefix('.').is_some_and(is_hex))
}

#[cfg(test)]
mod tests {
    use super::is_resolution;

    #[test]
    fn nothing_else_is_removed() {
        for (file, expected) in [
            ("1a2b/postimage", true),
            ("1a2b/postimage.1", true),
            ("1a2b/preimage", false),
            ("1a2b/postimage/x", false),
            ("../x/postimage", false),
            ("/postimage", false),
            ("1a2b/postimage.", false),
            ("", false),
        ] {
            assert_eq!(is_resolution(file), expected, "{file}");
        }
    }
}
