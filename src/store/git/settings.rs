//! Configuration as git uses it: in one worktree, on its branch, with the caller's `git -c`.
//!
//! gix reads the files of the repository once, as the main worktree sees them. That is what every
//! worktree sees unless a conditional include, `config.worktree` or `GIT_CONFIG_PARAMETERS` is in
//! play. Then git is asked for the settings of that worktree, and its answer takes the place of
//! what gix had read: conditions no gix knows are judged, and both formats of
//! `GIT_CONFIG_PARAMETERS` are understood, by the only program that defines them.

use std::borrow::Cow;
use std::path::Path;

use bstr::{BStr, BString, ByteSlice};
use gix::config::File;
use gix::config::Source;
use gix::config::file::Metadata;

use super::{Git, Invocation};
use crate::error::{Error, Result};

/// The file in an admin directory that holds the settings of a sparse checkout where
/// `extensions.worktreeConfig` is off.
pub const SPARSE_CONFIG: &str = "lane-sparse.config";

/// `repo` with the settings git has in the worktree at `directory` with the git directory
/// `git_dir`.
pub fn as_in<'a>(
    repo: &'a gix::Repository,
    directory: &Path,
    git_dir: &Path,
) -> Result<Cow<'a, gix::Repository>> {
    let differ = differ_by_worktree(repo) || has_own(repo, git_dir);
    if differ {
        asked(repo, Some(directory), git_dir).map(Cow::Owned)
    } else {
        Ok(Cow::Borrowed(repo))
    }
}

/// Whether git was called with `-c` or `--config-env`, which gix does not hear of.
pub fn command_line_counts() -> bool {
    std::env::var_os("GIT_CONFIG_PARAMETERS").is_some_and(|given| !given.is_empty())
}

/// `repo` with what git says its settings are, in a worktree or (`None`) in the repository itself.
pub fn asked(
    repo: &gix::Repository,
    directory: Option<&Path>,
    git_dir: &Path,
) -> Result<gix::Repository> {
    let git = Git::default();
    let mut ask = git.at(directory.unwrap_or(git_dir)).env("GIT_DIR", git_dir);
    if let Some(directory) = directory {
        ask = ask.env("GIT_WORK_TREE", directory);
    }
    configured(repo, ask)
}

/// `repo` with the settings that `git` lists.
pub fn configured(repo: &gix::Repository, git: Invocation) -> Result<gix::Repository> {
    let listed = git.settings()?;
    let ours = repo.config_snapshot();
    let mut config = File::new(Metadata::from(Source::System));
    let unusable = |error: gix::Error| {
        Error::environment("cannot use the settings git lists").caused_by(error)
    };
    read(&listed, &mut config).map_err(unusable)?;
    // What git-lane itself asks gix for, patience for locks above all.
    for section in ours
        .plumbing()
        .sections()
        .filter(|section| section.meta().source == Source::Api)
    {
        config.push_section(section.to_owned()).map_err(unusable)?;
    }
    let mut other = repo.clone();
    let mut snapshot = other.config_snapshot_mut();
    *snapshot = config;
    snapshot.commit().map_err(unusable)?;
    Ok(other)
}

/// Adds what `git config --list -z --show-scope` printed: scope, NUL, key, and where it has one a
/// line feed and the value.
fn read(listed: &[BString], config: &mut File) -> std::result::Result<(), gix::Error> {
    for pair in listed.chunks_exact(2) {
        let (scope, entry) = (pair[0].as_slice(), &pair[1]);
        let (key, value) = match entry.split_once_str("\n") {
            Some((key, value)) => (key.as_bstr(), Some(value.as_bstr())),
            None => (entry.as_bstr(), None),
        };
        let Some((section, subsection, name)) = parts(key) else {
            continue;
        };
        if !matches!(scope, b"local" | b"worktree") && is_of_the_repository(section, name) {
            continue;
        }
        let meta = Metadata::from(match scope {
            b"system" => Source::System,
            b"global" => Source::User,
            b"local" => Source::Local,
            b"worktree" => Source::Worktree,
            _ => Source::Cli,
        });
        let mut section =
            config.new_section_with_meta(section, subsection.map(BStr::to_owned), meta)?;
        section.push(name, value)?;
    }
    Ok(())
}

/// What a repository is, git reads in the repository's own files alone.
fn is_of_the_repository(section: &str, name: &str) -> bool {
    let core = ["bare", "worktree", "repositoryformatversion"];
    section == "extensions"
        || section == "core" && core.iter().any(|key| name.eq_ignore_ascii_case(key))
}

/// Section, subsection and name of a key: the first and the last dot count.
fn parts(key: &BStr) -> Option<(&str, Option<&BStr>, &str)> {
    let (first, last) = (key.find_byte(b'.')?, key.rfind_byte(b'.')?);
    let subsection = (first < last).then(|| key[first + 1..last].as_bstr());
    Some((
        key[..first].to_str().ok()?,
        subsection,
        key[last + 1..].to_str().ok()?,
    ))
}

/// Whether some include can hold in one worktree and not in another.
pub fn differ_by_worktree(repo: &gix::Repository) -> bool {
    let config = repo.config_snapshot();
    let Some(sections) = config.plumbing().sections_by_name("includeIf") else {
        return false;
    };
    let common_dir =
        std::fs::canonicalize(repo.common_dir()).unwrap_or_else(|_| repo.common_dir().to_owned());
    let mut sections = sections;
    sections.any(|section| {
        let ours = |path: &BString| path.ends_with_str(SPARSE_CONFIG);
        let condition = section.header().subsection_name().unwrap_or_default();
        !section.values("path").iter().all(ours) && !is_same_everywhere(condition, &common_dir)
    })
}

/// A condition that names a directory above the repository, without patterns, holds in all of its
/// worktrees or in none.
fn is_same_everywhere(condition: &BStr, common_dir: &Path) -> bool {
    if condition.starts_with(b"hasconfig:") {
        // gix judges it by the same files for every worktree.
        return true;
    }
    let Some(pattern) = condition.strip_prefix(b"gitdir:") else {
        return false;
    };
    let Some(directory) = pattern
        .strip_suffix(b"/")
        .filter(|text| !text.iter().any(|b| b"*?[\\".contains(b)))
    else {
        return false;
    };
    let directory = match directory.strip_prefix(b"~/") {
        Some(below) => {
            std::env::var_os("HOME").map(|home| Path::new(&home).join(crate::store::path(below)))
        }
        None => Some(crate::store::path(directory)).filter(|path| path.is_absolute()),
    };
    let inside = |directory: &Path| directory.starts_with(common_dir);
    let real = |directory: &Path| {
        std::fs::canonicalize(directory).is_ok_and(|directory| inside(&directory))
    };
    directory.is_some_and(|directory| !inside(&directory) && !real(&directory))
}

/// Whether `extensions.worktreeConfig` gives this worktree settings the repository's view does not
/// have, or that view has some which are the main worktree's alone.
fn has_own(repo: &gix::Repository, git_dir: &Path) -> bool {
    repo.config_snapshot().boolean("extensions.worktreeConfig") == Some(true)
        && git_dir != repo.git_dir()
        && (says_something(git_dir) || says_something(repo.git_dir()))
}

/// Whether `config.worktree` has other settings than those of a sparse checkout, which are seen in
/// the index, and those that say where the main worktree is.
fn says_something(git_dir: &Path) -> bool {
    let Ok(data) = std::fs::read(git_dir.join("config.worktree")) else {
        return false;
    };
    let harmless = |key: &str| {
        matches!(
            key,
            "sparsecheckout" | "sparsecheckoutcone" | "bare" | "worktree"
        )
    };
    data.lines().map(|line| line.trim().as_bstr()).any(|line| {
        let key = line
            .split(|b| b"= \t".contains(b))
            .next()
            .unwrap_or_default()
            .to_str_lossy()
            .to_lowercase();
        !(line.is_empty() || line.starts_with(b"#") || line == "[core]" || harmless(&key))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_above_the_repository_is_the_same_everywhere() {
        let common_dir = Path::new("/home/u/work/r/.git");
        for (condition, same) in [
            ("gitdir:/home/u/work/", true),
            ("gitdir:/home/u/work/r/", true),
            ("gitdir:/elsewhere/", true),
            ("hasconfig:remote.*.url:https://x/**", true),
            ("gitdir:/home/u/work/r/.git/", false),
            ("gitdir:/home/u/work/r/.git/worktrees/", false),
            ("gitdir:/home/u/work", false),
            ("gitdir:work/", false),
            ("gitdir:/home/*/", false),
            ("gitdir/i:/home/u/work/", false),
            ("gitdir:./x/", false),
            ("onbranch:main", false),
            ("worktree:**/x", false),
            ("anything", false),
        ] {
            assert_eq!(
                is_same_everywhere(condition.into(), common_dir),
                same,
                "{condition}"
            );
        }
    }

    #[test]
    fn what_git_lists_is_read_with_scopes_and_odd_names() {
        let mut config = File::new(Metadata::from(Source::System));
        let listed =
            b"system\0a.b\n1\0global\0filter.a.b=\"c\\.d.smudge\nx\ny\0local\0core.bare\0command\0a.b\n2 \
            ; \" \0command\0core.bare\nfalse\0";
        let listed: Vec<BString> = listed.split_str("\0").map(BString::from).collect();
        read(&listed, &mut config).unwrap();
        assert_eq!(config.string("a.b").unwrap(), "2 ; \" ");
        assert_eq!(
            config
                .string_by("filter", Some("a.b=\"c\\.d".into()), "smudge")
                .unwrap(),
            "x\ny"
        );
        assert_eq!(config.boolean("core.bare").unwrap(), Some(true));
        let outside = |meta: &Metadata| meta.source.kind() != gix::config::source::Kind::Repository;
        assert_eq!(config.string_filter("core.bare", outside), None);
    }
}
