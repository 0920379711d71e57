//! What `git push --porcelain` says of one ref, and what a caller may conclude from it.
//!
//! `operations/land/push_first` reads it, and `store/git` tells by it what is said by git.

use bstr::{BStr, BString, ByteSlice};

/// What became of a push of one ref.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PushVerdict {
    /// The remote has it.
    Taken,
    /// The remote could only take it by force, for the reason in git's own words.
    Outdated(BString),
    /// The remote has not taken it, for the reason in its own words.
    Refused(BString),
    /// git has sent nothing: a hook has objected, or the configuration.
    NotSent,
    /// git does not know: the connection ended before the remote has answered, or the ref is not among
    /// what it has told.
    Unknown,
}

/// The verdict on the ref `to` of the remote; `code` is the exit code, `said` the standard output.
pub fn push_verdict(code: Option<i32>, said: &[u8], to: &BStr) -> PushVerdict {
    let mut told = said.lines().filter_map(|line| status(line, to));
    match (told.next_back(), code) {
        (Some((b'!', summary)), _) => refusal(summary),
        (Some(_), Some(0)) => PushVerdict::Taken,
        (None, Some(1)) => PushVerdict::NotSent,
        _ => PushVerdict::Unknown,
    }
}

/// Whether git itself has said the line, and not a hook.
pub fn is_status(line: &[u8]) -> bool {
    let line = line.trim_end();
    line == b"Done" || line.starts_with(b"To ") || fields(line).is_some()
}

/// Flag and summary of a line `<flag> TAB <from>:<to> TAB <summary>` about that ref.
fn status<'a>(line: &'a [u8], to: &BStr) -> Option<(u8, &'a BStr)> {
    let (flag, refs, summary) = fields(line)?;
    (refs.rsplit_once_str(":")?.1 == to.as_bytes()).then_some((flag, summary))
}

fn fields(line: &[u8]) -> Option<(u8, &[u8], &BStr)> {
    let (flag, rest) = line.split_first()?;
    let mut fields = rest.strip_prefix(b"\t")?.splitn_str(2, "\t");
    let (refs, summary) = (fields.next()?, fields.next()?);
    (b" +-*!=".contains(flag) && refs.contains(&b':')).then_some((*flag, refs, summary.as_bstr()))
}

/// `[rejected] (<reason>)` and `[remote rejected] (<reason>)`. That the remote failed to report is no
/// refusal.
fn refusal(summary: &BStr) -> PushVerdict {
    let reason = |word: &str| {
        let reason = summary.strip_prefix(word.as_bytes())?.trim().as_bstr();
        let bare = reason.strip_prefix(b"(");
        let bare = bare.and_then(|reason| reason.strip_suffix(b")"));
        Some(BString::from(bare.unwrap_or(reason)))
    };
    match (reason("[rejected]"), reason("[remote rejected]")) {
        (Some(reason), _) => PushVerdict::Outdated(reason),
        (_, Some(reason)) => PushVerdict::Refused(reason),
        _ => PushVerdict::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_git_says_of_that_ref_is_a_verdict() {
        let refused = |reason: &str| PushVerdict::Refused(reason.into());
        let outdated = |reason: &str| PushVerdict::Outdated(reason.into());
        let ours = "refs/heads/main";
        for (code, said, expected) in [
            (0, " \t0a:refs/heads/main\t1..2\nDone\n", PushVerdict::Taken),
            (
                0,
                "=\t0a:refs/heads/main\t[up to date]\nDone\n",
                PushVerdict::Taken,
            ),
            (
                0,
                "*\t0a:refs/heads/main\t[new branch]\nDone\n",
                PushVerdict::Taken,
            ),
            // Only submodules were pushed, or a server has made something else of it.
            (0, "Done\n", PushVerdict::Unknown),
            (
                0,
                "*\t0a:refs/changes/1\t[new reference]\nDone\n",
                PushVerdict::Unknown,
            ),
            (
                1,
                "To s\n!\tHEAD:refs/heads/main\t[rejected] (fetch first)\nDone\n",
                outdated("fetch first"),
            ),
            (
                1,
                "!\t0a:refs/heads/main\t[remote rejected] (pre-receive hook declined)\n",
                refused("pre-receive hook declined"),
            ),
            (1, "!\t0a:refs/heads/main\t[remote rejected]\n", refused("")),
            (
                1,
                "!\t0a:refs/heads/main\t[remote failure] (remote failed to report status)\n",
                PushVerdict::Unknown,
            ),
            (
                1,
                "!\t0a:refs/heads/other\t[rejected] (fetch first)\n",
                PushVerdict::NotSent,
            ),
            (1, "what a hook prints\n", PushVerdict::NotSent),
            (1, "", PushVerdict::NotSent),
            (128, "", PushVerdict::Unknown),
            (
                128,
                "=\t0a:refs/heads/main\t[up to date]\n",
                PushVerdict::Unknown,
            ),
        ] {
            let found = push_verdict(Some(code), said.as_bytes(), ours.into());
            assert_eq!(found, expected, "{code} {said}");
        }
        assert_eq!(push_verdict(None, b"", ours.into()), PushVerdict::Unknown);
    }

    #[test]
    fn what_a_hook_prints_is_not_gits() {
        for (line, gits) in [
            ("To /srv/shop.git\n", true),
            ("Done\n", true),
            ("!\ta:b\t[rejected]\n", true),
            ("Done testing\n", false),
            ("\ta:b\tc\n", false),
            ("tests: 3 failed\n", false),
            ("", false),
        ] {
            assert_eq!(is_status(line.as_bytes()), gits, "{line}");
        }
    }
}
