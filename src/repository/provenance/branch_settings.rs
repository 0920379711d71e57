//! Which of a branch's settings may go back into `.git/config` on the word of an entry of the
//! trash, or of an intent.
//!
//! The entry may be a stranger's, and git runs programs for some settings: those that
//! `branch.<name>.mergeOptions` names, and whatever a URL of `branch.<name>.remote` asks for. What
//! only names something in this repository goes back; the rest is said, and the user's to set.

use bstr::ByteSlice;

use crate::domain::lane::RefName;
use crate::domain::trash_entry::Setting;
use crate::repository::Repository;

/// What `branch.<name>.rebase` may be; git runs nothing for any of them.
const REBASE: [&[u8]; 10] = [
    b"true",
    b"false",
    b"yes",
    b"no",
    b"on",
    b"off",
    b"merges",
    b"m",
    b"interactive",
    b"i",
];

/// Those of `settings` that may go back, and those that only the user can put back.
pub fn believed<'a>(
    repository: &Repository,
    settings: &'a [Setting],
) -> (Vec<Setting>, Vec<&'a Setting>) {
    let remotes = repository.gix.remote_names();
    let is_remote = |name: &[u8]| {
        name == b"."
            || remotes
                .iter()
                .any(|remote| remote.as_bstr() == name.as_bstr())
    };
    let (believed, doubted): (Vec<&Setting>, _) = settings
        .iter()
        .partition(|setting| is_plain(setting, &is_remote));
    (believed.into_iter().cloned().collect(), doubted)
}

fn is_plain(setting: &Setting, is_remote: &dyn Fn(&[u8]) -> bool) -> bool {
    let (key, value) = (setting.key.to_ascii_lowercase(), setting.value.as_slice());
    match key.as_str() {
        "remote" | "pushremote" => is_remote(value) || is_word(value),
        "merge" => {
            RefName::parse(value.as_bstr()).is_some_and(|name| name.as_bstr().starts_with(b"refs/"))
        }
        "rebase" => REBASE.contains(&value),
        // Text for people, of several lines.
        "description" => !value.contains(&0),
        // git has no hyphen in its own keys: another program's note, such as vscode-merge-base.
        other => {
            let letters = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
            let is_name =
                other.bytes().all(letters) && other.starts_with(|c: char| c.is_ascii_alphabetic());
            is_name && other.contains('-') && !value.iter().any(u8::is_ascii_control)
        }
    }
}

/// The name of a remote that may be gone: neither a URL, nor a path that leads anywhere else.
fn is_word(value: &[u8]) -> bool {
    value.first().is_some_and(u8::is_ascii_alphanumeric)
        && value
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_names_something_here_goes_back() {
        for (key, value, plain) in [
            ("remote", "origin", true),
            ("remote", ".", true),
            ("pushRemote", "origin", true),
            ("remote", "gone-since.1", true),
            ("merge", "refs/heads/main", true),
            ("rebase", "true", true),
            ("description", "two\nlines", true),
            ("vscode-merge-base", "origin/main", true),
            ("remote", "ext::sh -c touch% /tmp/x", false),
            ("pushremote", "ssh://evil/x", false),
            ("REMOTE", "/tmp/evil", false),
            ("remote", "../evil", false),
            ("remote", "", false),
            ("remote", "..", false),
            ("remote", "-x", false),
            ("remote", "evil::x", false),
            ("merge", "main", false),
            ("merge", "refs/heads/a\n[core]", false),
            ("merge", "refs/heads/../../config", false),
            ("rebase", "exec", false),
            ("mergeOptions", "--strategy=evil", false),
            ("mergeoptions", "", false),
            ("new", "x", false),
            ("x-y", "a\n[core]\n\tpager = evil", false),
            ("x-y]\n[core]", "x", false),
            ("-x", "x", false),
            ("", "x", false),
        ] {
            let setting = Setting {
                key: key.into(),
                value: value.into(),
            };
            assert_eq!(
                is_plain(&setting, &|name| matches!(name, b"." | b"origin")),
                plain,
                "{key} = {value}"
            );
        }
    }
}
