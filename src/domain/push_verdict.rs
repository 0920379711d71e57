//! What `git push --porcelain` says of one ref, and what a caller may conclude from it.
//!
//! `operations/land/push_first` reads it.

use bstr::{BStr, BString, ByteSlice};

/// What became of a push of one ref.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PushVerdict {
    /// The remote has it.
    Taken,
    /// The remote has not taken it, for the reason in git's own words.
    Refused(BString),
    /// git says neither: a hook has objected before anything was sent, or the connection ended before
    /// the remote has answered.
    Unknown,
}

/// The verdict on the ref `to` of the remote; `success` is that of the exit code, `said` the standard
/// output.
pub fn push_verdict(success: bool, said: &[u8], to: &BStr) -> PushVerdict {
    if success {
        return PushVerdict::Taken;
    }
    let refused = said
        .lines()
        .filter_map(|line| refusal(line, to))
        .next_back();
    refused.map_or(PushVerdict::Unknown, PushVerdict::Refused)
}

/// The reason in a line of the form `! TAB <from>:<to> TAB [rejected] (<reason>)`. That the remote
/// failed to report is no refusal.
fn refusal(line: &[u8], to: &BStr) -> Option<BString> {
    let mut fields = line.strip_prefix(b"!\t")?.splitn_str(2, "\t");
    let (refs, summary) = (fields.next()?, fields.next()?);
    if refs.rsplit_once_str(":")?.1 != to.as_bytes() {
        return None;
    }
    let summary = summary.as_bstr();
    let reason = ["[rejected]", "[remote rejected]"]
        .iter()
        .find_map(|word| summary.strip_prefix(word.as_bytes()))?;
    let reason = reason.trim().as_bstr();
    let bare = reason
        .strip_prefix(b"(")
        .and_then(|reason| reason.strip_suffix(b")"));
    Some(bare.unwrap_or(reason).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_rejection_of_that_ref_is_a_refusal() {
        let refused = |reason: &str| PushVerdict::Refused(reason.into());
        for (success, said, expected) in [
            (true, "Done\n", PushVerdict::Taken),
            (true, "", PushVerdict::Taken),
            (
                false,
                "To s\n!\tHEAD:refs/heads/main\t[rejected] (fetch first)\nDone\n",
                refused("fetch first"),
            ),
            (
                false,
                "!\t0a:refs/heads/main\t[remote rejected] (pre-receive hook declined)\n",
                refused("pre-receive hook declined"),
            ),
            (
                false,
                "!\t0a:refs/heads/main\t[remote rejected]\n",
                refused(""),
            ),
            (
                false,
                "!\t0a:refs/heads/main\t[remote failure] (remote failed to report status)\n",
                PushVerdict::Unknown,
            ),
            (
                false,
                "!\t0a:refs/heads/other\t[rejected] (fetch first)\n",
                PushVerdict::Unknown,
            ),
            (
                false,
                "=\t0a:refs/heads/main\t[up to date]\n",
                PushVerdict::Unknown,
            ),
            (false, "what a hook prints\n", PushVerdict::Unknown),
            (false, "", PushVerdict::Unknown),
        ] {
            let found = push_verdict(success, said.as_bytes(), "refs/heads/main".into());
            assert_eq!(found, expected, "{said}");
        }
    }
}
