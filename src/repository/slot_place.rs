//! Where the worktrees of git-lane's own are, in which gates and hooks run: in the user's cache
//! directory, one set for each repository and user, with a ref of the repository for each.
//!
//! The path stays the same from run to run and is outside any `.git`. Called by `operations/gate`,
//! which makes them, by the doctor, and where a repository is opened from within one.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use bstr::BStr;

use crate::domain::lane::RefName;
use crate::error::{Error, Result};

/// What such a worktree is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// The commands of a gate.
    Gate,
    /// The hooks of the repository.
    Hooks,
}

/// The worktree in the directory of a slot.
pub const TREE: &str = "tree";

/// Its git directory: as in a main worktree, so that git tells hooks no more than there.
pub const GIT_DIR: &str = ".git";

/// All refs of such worktrees, each with the number of its user and a hyphen next.
const REFS: &str = "refs/lane/gate/";

/// As much of a repository's name as is in a path.
const LONGEST: usize = 40;

impl Slot {
    /// Both.
    pub const ALL: [Slot; 2] = [Slot::Gate, Slot::Hooks];

    /// The name of its directory.
    pub fn name(self) -> &'static str {
        match self {
            Slot::Gate => "gate",
            Slot::Hooks => "hooks",
        }
    }

    /// The ref that keeps what is checked out there from gc.
    pub fn keeper(self, common_dir: &Path) -> Result<RefName> {
        let full = format!("{}{}-{}", refs_of_user(), id(common_dir)?, self.name());
        RefName::parse(BStr::new(&full))
            .ok_or_else(|| Error::environment("cannot name the ref of a worktree"))
    }

    /// Its directory for the repository at `common_dir`, which is canonical.
    pub fn directory(self, common_dir: &Path) -> Result<PathBuf> {
        let mut directory = cache()?;
        directory.extend(below_cache(common_dir)?);
        Ok(directory.join(self.name()))
    }
}

/// How the refs of all of this user's slots begin, be it that the repository was elsewhere then.
pub fn refs_of_user() -> String {
    format!("{REFS}{}-", rustix::process::geteuid().as_raw())
}

/// The user's directory for what can be made anew, by the XDG base directory specification.
pub fn cache() -> Result<PathBuf> {
    let absolute = |name| {
        let path = std::env::var_os(name).map(PathBuf::from);
        path.filter(|path| path.is_absolute())
    };
    let cache = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")));
    cache.ok_or_else(|| {
        Error::environment("neither HOME nor XDG_CACHE_HOME says where your caches are")
            .hint("set HOME, or XDG_CACHE_HOME to an absolute path")
    })
}

/// The directories that are git-lane's, from that of the user's caches to those of the slots.
pub fn below_cache(common_dir: &Path) -> Result<[String; 3]> {
    let set = format!("{}-{}", name(common_dir), id(common_dir)?);
    Ok(["git-lane".into(), "worktrees".into(), set])
}

/// Whether `git_dir` is that of a slot of the repository at `common_dir`; both are canonical.
pub fn is_of_a_slot(git_dir: &Path, common_dir: &Path) -> bool {
    let ends = Path::new(TREE).join(GIT_DIR);
    let slot = git_dir
        .ancestors()
        .nth(2)
        .filter(|_| git_dir.ends_with(ends));
    let is_it = |slot: &Path| {
        let known = Slot::ALL
            .iter()
            .find(|known| slot.ends_with(known.name()))?;
        std::fs::canonicalize(known.directory(common_dir).ok()?).ok()
    };
    slot.is_some_and(|slot| is_it(slot).is_some_and(|known| known == slot))
}

/// What tells this user's slots of this repository from all others in names.
fn id(common_dir: &Path) -> Result<String> {
    let user = rustix::process::geteuid().as_raw().to_string();
    let text = bstr::concat([common_dir.as_os_str().as_bytes(), b"\0", user.as_bytes()]);
    let id = gix::objs::compute_hash(gix::hash::Kind::Sha1, gix::objs::Kind::Blob, &text);
    let id = id.map_err(|error| Error::environment("cannot name a worktree").caused_by(error))?;
    Ok(id.to_hex_with_len(12).to_string())
}

/// The repository's name, of signs that no build tool stumbles over.
fn name(common_dir: &Path) -> String {
    let named = match common_dir.ends_with(".git") {
        true => common_dir.parent().unwrap_or(common_dir),
        false => common_dir,
    };
    let name = named.file_name().unwrap_or_default().to_string_lossy();
    let plain = |sign: char| match sign {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '_' => sign,
        _ => '-',
    };
    let name: String = name.trim_end_matches(".git").chars().map(plain).collect();
    let name = &name[..name.len().min(LONGEST)];
    match name.trim_matches(['.', '-']) {
        "" => "repository".into(),
        name => name.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_plain_short_and_never_empty() {
        let table = [
            ("/home/me/shop/.git", "shop"),
            ("/srv/shop.git", "shop"),
            ("/srv/\u{e4} b:c\n$x/.git", "b-c--x"),
            ("/.git", "repository"),
            ("/srv/.../.git", "repository"),
            ("/srv/-rf/.git", "rf"),
        ];
        for (common_dir, expected) in table {
            assert_eq!(name(Path::new(common_dir)), expected, "{common_dir}");
        }
        let long = format!("/{}/.git", "x".repeat(255));
        assert_eq!(name(Path::new(&long)).len(), LONGEST);
    }

    #[test]
    fn each_repository_and_slot_has_a_ref_of_its_own() {
        let names = ["/a/.git", "/b/.git"]
            .map(|at| Slot::ALL.map(|slot| slot.keeper(Path::new(at)).unwrap()));
        assert_ne!(names[0], names[1]);
        assert_ne!(names[0][0], names[0][1]);
        assert!(names[0][0].as_bstr().starts_with(REFS.as_bytes()));
        assert!(names[0][0].as_bstr().ends_with(b"-gate"));
    }
}
