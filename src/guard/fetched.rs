//! Where a commit that is being merged was fetched from: `git pull URL BRANCH` may leave no other
//! trace than `FETCH_HEAD`.
//!
//! Its lines are `<commit> TAB [not-for-merge] TAB branch '<name>' of <url>` (git-fetch(1), git's
//! `append_fetch_head`). The url has neither credentials nor a final `.git` there.

use bstr::{BStr, BString, ByteSlice};

use crate::error::Result;
use crate::guard::site::Place;

/// Whether `commit` was fetched from elsewhere as what the branch of this full name is there: the
/// branch it follows, or the one of its own name.
pub(super) fn as_own(place: &Place, own: &BStr, commit: &BStr) -> Result<bool> {
    let Ok(fetched) = crate::store::optional::bytes(place.git_dir.join("FETCH_HEAD")) else {
        return Ok(false);
    };
    let mut followed = None;
    for (name, url) in fetched
        .lines()
        .filter_map(|line| branch_fetched(line, commit))
    {
        // That is this repository, whose branches may be other lanes'.
        if url == "." {
            continue;
        }
        if is_namesake(own, name) {
            return Ok(true);
        }
        let followed = match &followed {
            Some(followed) => followed,
            None => followed.insert(follows(place, own)?),
        };
        if followed
            .as_ref()
            .is_some_and(|(there, from)| there == name && from == url)
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The name and the place of a branch that was fetched at `commit`.
fn branch_fetched<'a>(line: &'a [u8], commit: &BStr) -> Option<(&'a BStr, &'a BStr)> {
    let (id, rest) = line.split_once_str("\t")?;
    let (_, note) = rest.split_once_str("\t")?;
    let (name, url) = note.strip_prefix(b"branch '")?.split_once_str("' of ")?;
    (id == commit.as_bytes()).then(|| (name.as_bstr(), url.as_bstr()))
}

/// Whether a branch called `name` elsewhere is what `own` is here: `refs/heads/<name>`, or a
/// remote's tracking ref of it.
fn is_namesake(own: &BStr, name: &BStr) -> bool {
    let tracks = |rest: &[u8]| {
        rest.strip_suffix(name.as_bytes())
            .is_some_and(|remote| remote.ends_with(b"/"))
    };
    own.strip_prefix(b"refs/heads/") == Some(name.as_bytes())
        || own.strip_prefix(b"refs/remotes/").is_some_and(tracks)
}

/// The name and the place, as `FETCH_HEAD` has them, of what a branch is configured to follow.
fn follows(place: &Place, own: &BStr) -> Result<Option<(BString, BString)>> {
    let Some(branch) = own.strip_prefix(b"refs/heads/") else {
        return Ok(None);
    };
    let value = |key: &str| {
        let key = bstr::concat([b"branch.", branch, b".", key.as_bytes()]);
        place.git().setting(key).map(Option::unwrap_or_default)
    };
    let (remote, merge) = (value("remote")?, value("merge")?);
    let Some(name) = merge
        .strip_prefix(b"refs/heads/")
        .filter(|_| !remote.is_empty())
    else {
        return Ok(None);
    };
    let url = place.git().url_of(&remote)?;
    Ok(Some((name.into(), as_noted(&url))))
}

/// A url as git notes it.
fn as_noted(url: &[u8]) -> BString {
    let url = url.trim_end_with(|c| c == '/');
    let url = url
        .strip_suffix(b".git")
        .filter(|rest| rest.len() > 1)
        .unwrap_or(url);
    let (scheme, rest) = match url.find("://") {
        Some(at) => url.split_at(at + 3),
        None => (&b""[..], url),
    };
    match rest.split_once_str("@") {
        // Without a scheme only `me@there:path` names a user.
        Some((user, rest))
            if !user.contains(&b'/') && (!scheme.is_empty() || rest.contains(&b':')) =>
        {
            bstr::concat([scheme, rest]).into()
        }
        _ => url.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_compared_as_git_notes_it() {
        for (url, noted) in [
            ("https://example.com/a/b.git", "https://example.com/a/b"),
            (
                "https://me:secret@example.com/a/b/",
                "https://example.com/a/b",
            ),
            ("ssh://git@example.com:22/a", "ssh://example.com:22/a"),
            ("git@example.com:a/b.git", "example.com:a/b"),
            ("/srv/a@b/c.git//", "/srv/a@b/c"),
            ("../up", "../up"),
            ("https://example.com/a@b", "https://example.com/a@b"),
        ] {
            assert_eq!(as_noted(url.as_bytes()), noted, "{url}");
        }
    }

    #[test]
    fn a_line_tells_which_branch_of_which_place() {
        let found = |line: &str| {
            let (name, url) = branch_fetched(line.as_bytes(), "12".into())?;
            Some((name.to_string(), url.to_string()))
        };
        let own = Some(("a/b".to_owned(), "../up".to_owned()));
        assert_eq!(found("12\t\tbranch 'a/b' of ../up"), own);
        assert_eq!(found("12\tnot-for-merge\tbranch 'a/b' of ../up"), own);
        for line in [
            "34\t\tbranch 'a/b' of ../up",
            "12\t\t../up",
            "12\t\ttag 'a' of ../up",
            "12",
            "",
        ] {
            assert_eq!(found(line), None, "{line}");
        }
        for (own, name, expected) in [
            ("refs/heads/main", "main", true),
            ("refs/remotes/up/main", "main", true),
            ("refs/remotes/up/main", "ain", false),
            ("refs/heads/a/main", "main", false),
        ] {
            assert_eq!(
                is_namesake(own.into(), name.into()),
                expected,
                "{own} {name}"
            );
        }
    }
}
