//! The commands that the user has approved: one file for each list of them, whose name is its
//! digest and whose content the exact text.
//!
//! A file counts where what is in it has that digest, so a file that was damaged by hand, or that
//! stands for other commands, approves nothing.
//!
//! The verb `approve` and what runs a gate call it.

use std::path::Path;

use crate::domain::gate::{CommandList, Gate, digest};
use crate::error::{Code, Error, Result};
use crate::store::state_home::{StateDir, TEMPORARY};

/// Those of this user.
#[derive(Debug, Clone)]
pub struct Approvals {
    directory: StateDir,
}

/// One list of commands that was approved.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Approval {
    /// The SHA-256 of the commands, see [`digest`].
    pub digest: String,
    /// The exact texts.
    pub commands: Vec<String>,
}

impl Approvals {
    /// Where they are kept; nothing is made for it.
    ///
    /// # Errors
    /// As [`StateDir::find`].
    pub fn open() -> Result<Self> {
        StateDir::find("approvals").map(|directory| Approvals { directory })
    }

    /// Whether the user has approved exactly these commands.
    pub fn has(&self, list: &CommandList) -> bool {
        self.read(&list.digest())
            .is_some_and(|approved| approved.commands == list.lines)
    }

    /// Remembers that the user has approved them.
    pub fn add(&self, list: &CommandList) -> Result<()> {
        let text = serde_json::json!(list.lines).to_string();
        self.directory.write(&list.digest(), text.as_bytes())
    }

    /// All of them, by digest.
    pub fn all(&self) -> Vec<Approval> {
        let name = |path: &Path| Some(path.file_name()?.to_str()?.to_owned());
        let names = self.directory.files().filter_map(|path| name(&path));
        let named = names.filter(|name| !name.starts_with(TEMPORARY));
        let mut all: Vec<Approval> = named.filter_map(|name| self.read(&name)).collect();
        all.sort_by(|a, b| a.digest.cmp(&b.digest));
        all
    }

    /// Takes back the one whose digest begins with `prefix`.
    ///
    /// # Errors
    /// Code `no-such-approval` where none does, or several do.
    pub fn revoke(&self, prefix: &str) -> Result<Approval> {
        let wanted = prefix.to_ascii_lowercase();
        let mut found = self.all();
        found.retain(|approval| !wanted.is_empty() && approval.digest.starts_with(&wanted));
        let refused = |sentence: String| {
            Error::refused(sentence)
                .with_code(Code::NoSuchApproval)
                .hint("see the approvals with: git lane approve --list")
        };
        match (found.pop(), found.len()) {
            (None, _) => Err(refused(format!(
                "no approval has a digest that begins with '{prefix}'"
            ))),
            (Some(only), 0) => self.directory.remove(&only.digest).map(|_| only),
            (Some(_), others) => Err(refused(format!(
                "the digests of {} approvals begin with '{prefix}'",
                others + 1
            ))),
        }
    }

    fn read(&self, name: &str) -> Option<Approval> {
        let commands: Vec<String> = serde_json::from_slice(&self.directory.read(name)?).ok()?;
        let digest = digest(&commands);
        (digest == name).then_some(Approval { digest, commands })
    }
}

/// The lists of the gate that the user has still to approve. Where all are the user's own, no
/// directory is looked at.
///
/// # Errors
/// As [`Approvals::open`].
pub fn missing(gate: &Gate) -> Result<Vec<CommandList>> {
    let mut wanted = gate.to_approve();
    if !wanted.is_empty() {
        let approvals = Approvals::open()?;
        wanted.retain(|list| !approvals.has(list));
    }
    Ok(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::gate::Source;

    fn list(lines: &[&str]) -> CommandList {
        CommandList {
            source: Source::Team,
            lines: lines.iter().map(|line| (*line).to_owned()).collect(),
        }
    }

    #[test]
    fn a_file_approves_what_it_says_and_nothing_else() {
        let above = tempfile::tempdir().unwrap();
        let directory = StateDir::below(above.path().join("state"), "approvals").unwrap();
        let approvals = Approvals { directory };
        let wanted = list(&["cargo test", "make"]);
        assert!(!approvals.has(&wanted) && approvals.all().is_empty());
        approvals.add(&wanted).unwrap();
        approvals.add(&wanted).unwrap();
        assert!(approvals.has(&wanted) && approvals.all().len() == 1);
        for other in [
            &["make", "cargo test"][..],
            &["cargo test"],
            &["cargo test\nmake"],
            &[],
        ] {
            assert!(!approvals.has(&list(other)), "{other:?}");
        }
        for damaged in [
            "",
            "{",
            "[]",
            "null",
            r#"["cargo test"]"#,
            r#"["make","cargo test"]"#,
            r#"["cargo test","make",1]"#,
            r#"{"commands":["cargo test","make"]}"#,
        ] {
            let name = wanted.digest();
            approvals
                .directory
                .write(&name, damaged.as_bytes())
                .unwrap();
            assert!(!approvals.has(&wanted), "{damaged}");
            assert!(approvals.all().is_empty(), "{damaged}");
        }
        // Blanks between the texts change none of them.
        let text = r#"[ "cargo test", "make" ]"#;
        let name = wanted.digest();
        approvals.directory.write(&name, text.as_bytes()).unwrap();
        assert!(approvals.has(&wanted));
    }

    #[test]
    fn one_is_taken_back_by_the_beginning_of_its_digest() {
        let above = tempfile::tempdir().unwrap();
        let directory = StateDir::below(above.path().join("state"), "approvals").unwrap();
        let approvals = Approvals { directory };
        // More than there are digits, so that two begin with the same.
        for number in 0..17 {
            approvals.add(&list(&[&number.to_string()])).unwrap();
        }
        let all = approvals.all();
        let twin = all.windows(2).find(|two| {
            let [a, b] = two else { return false };
            a.digest[..1] == b.digest[..1]
        });
        for prefix in ["", "x", &twin.unwrap()[0].digest[..1], "../approvals"] {
            let error = approvals.revoke(prefix).unwrap_err();
            assert_eq!(error.code(), Code::NoSuchApproval, "{prefix}");
        }
        assert_eq!(approvals.all().len(), 17);
        let prefix = all[3].digest[..20].to_uppercase();
        assert_eq!(approvals.revoke(&prefix).unwrap(), all[3]);
        assert_eq!(approvals.all().len(), 16);
    }
}
