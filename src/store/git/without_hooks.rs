//! A git that works on an index, or in a directory, of git-lane's own runs no hook of the user's.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use bstr::BStr;

use super::Invocation;

/// Settings, as arguments, under which a git runs no hook: neither one of a directory, nor those
/// called `configured`, which git has in its configuration from 2.54 on.
pub fn no_hooks<'a>(configured: impl IntoIterator<Item = &'a BStr>) -> Vec<OsString> {
    let names: BTreeSet<&BStr> = configured.into_iter().collect();
    let mut options = vec!["-c".into(), "core.hooksPath=/dev/null".into()];
    // `-c` ends the key at the first such sign.
    for name in names.into_iter().filter(|name| !name.contains(&b'=')) {
        let setting = bstr::concat([&b"hook."[..], name, b".enabled=false"]);
        options.extend([OsString::from("-c"), OsStr::from_bytes(&setting).to_owned()]);
    }
    options
}

/// The same with the hooks that are configured in `repo`.
pub fn no_hooks_of(repo: &gix::Repository) -> Vec<OsString> {
    let config = repo.config_snapshot();
    let sections = config
        .plumbing()
        .sections_by_name("hook")
        .into_iter()
        .flatten();
    let names: Vec<&BStr> = sections
        .filter_map(|section| section.header().subsection_name())
        .collect();
    no_hooks(names)
}

impl Invocation {
    /// Has this git run no hook.
    pub fn without_hooks(self, repo: &gix::Repository) -> Self {
        self.args(no_hooks_of(repo))
    }

    /// The same where the hooks of the configuration are called `names`.
    pub fn without_named_hooks<'a>(self, names: impl IntoIterator<Item = &'a BStr>) -> Self {
        self.args(no_hooks(names))
    }

    /// Has this git work on an index that no hook knows of.
    pub fn on_own_index(self, repo: &gix::Repository, index: &Path) -> Self {
        self.without_hooks(repo).env("GIT_INDEX_FILE", index)
    }
}

#[cfg(test)]
mod tests {
    use bstr::ByteSlice;

    use super::*;

    #[test]
    fn hooks_of_the_configuration_are_switched_off_by_name() {
        let names = ["b c", "a", "x=y", "a"].map(|name| name.as_bytes().as_bstr());
        let expected = [
            "-c",
            "core.hooksPath=/dev/null",
            "-c",
            "hook.a.enabled=false",
            "-c",
            "hook.b c.enabled=false",
        ];
        assert_eq!(no_hooks(names), expected);
    }
}
