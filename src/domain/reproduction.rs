//! The command that makes a lane again, from the same commit and with the same parameters.
//!
//! Called by `commands/show`.

use bstr::{BString, ByteSlice};

use super::lane::Lane;
use super::shell_word::quote_bytes;

/// What the record does not say of the lane, or of a new one of that name.
#[derive(Debug, Clone, Copy)]
pub struct Unrecorded<'a> {
    /// The branch that the policy gives a lane of that name and owner.
    pub usual_branch: &'a str,
    /// The directories of its sparse checkout; none where everything is checked out.
    pub sparse: &'a [BString],
}

/// The words of the command. It starts at the fork point, as a bare commit: the base has moved on
/// since. The worktree's place is that of the clone in which it runs.
pub fn words(lane: &Lane, around: Unrecorded<'_>) -> Vec<BString> {
    let mut words: Vec<BString> = ["git", "lane", "start", lane.name.as_str()]
        .map(BString::from)
        .into();
    let mut option = |name: &str, value: &[u8]| {
        // Only in one word with its option may a value begin with '-'.
        if value.starts_with(b"-") {
            words.push([name.as_bytes(), b"=", value].concat().into());
        } else {
            words.push(name.into());
            words.push(value.into());
        }
    };
    option("--base", lane.fork_point.to_string().as_bytes());
    // A command line takes text alone.
    let branch = lane
        .branch
        .as_ref()
        .and_then(|branch| branch.as_bstr().to_str().ok());
    if let Some(branch) = branch.filter(|branch| *branch != around.usual_branch) {
        option("--branch", branch.as_bytes());
    }
    for (name, text) in [("--owner", &lane.owner), ("--task", &lane.task)] {
        if let Some(text) = text {
            option(name, text.as_bytes());
        }
    }
    for parameter in &lane.parameters {
        option("--set", parameter.to_string().as_bytes());
    }
    let directories = around
        .sparse
        .iter()
        .filter(|directory| directory.to_str().is_ok());
    for directory in directories {
        option("--sparse", directory);
    }
    // A lane that is read-only has no branch either.
    match (lane.read_only, &lane.branch) {
        (true, _) => words.push("--read-only".into()),
        (false, None) => words.push("--detach".into()),
        (false, Some(_)) => {}
    }
    words
}

/// The words as a line for a shell.
pub fn line(words: &[BString]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| quote_bytes(word)).collect();
    quoted.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::domain::name::BranchName;
    use crate::domain::parameter::Parameter;

    fn lane() -> Lane {
        Lane::sample("login")
    }

    /// What stands after the name and the base.
    fn rest(lane: &Lane, usual_branch: &str, sparse: &[&str]) -> String {
        let sparse: Vec<BString> = sparse.iter().map(|directory| (*directory).into()).collect();
        let around = Unrecorded {
            usual_branch,
            sparse: &sparse,
        };
        let told = line(&words(lane, around));
        let begin = format!("git lane start login --base {}", "0".repeat(40));
        told.strip_prefix(&begin).unwrap().to_owned()
    }

    #[test]
    fn it_says_what_a_start_would_not_do_by_itself() {
        assert_eq!(rest(&lane(), "login", &[]), "");
        assert_eq!(rest(&lane(), "ann/login", &[]), " --branch login");
        let set = ["rate=0.1", "prompt=say \"hi\"\n"].map(|text| Parameter::parse(text).unwrap());
        let whole = Lane {
            owner: Some("claude:7".into()),
            task: Some("-1 is wrong".into()),
            parameters: set.into(),
            ..lane()
        };
        assert_eq!(
            rest(&whole, "login", &["src", "a b"]),
            " --owner claude:7 '--task=-1 is wrong' --set 'rate=0.1' --set 'prompt=say \"hi\"''\n' \
             --sparse src --sparse 'a b'"
        );
    }

    #[test]
    fn a_lane_without_a_branch_is_told_by_its_kind() {
        for (read_only, said) in [(true, " --read-only"), (false, " --detach")] {
            let detached = Lane {
                branch: None,
                read_only,
                ..lane()
            };
            assert_eq!(rest(&detached, "login", &[]), said);
        }
    }

    /// No command line could have it.
    #[test]
    fn a_branch_that_is_no_text_is_left_to_the_policy() {
        let odd = Lane {
            branch: Some(BranchName::parse(b"caf\xe9".as_bstr()).unwrap()),
            ..lane()
        };
        assert_eq!(rest(&odd, "login", &[]), "");
    }
}
