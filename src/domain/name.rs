//! Names as types: what a lane and a branch may be called.
//!
//! A name is data. It is checked once, here, and from then on travels as a type that cannot hold
//! anything else. The verdict on a branch name is that of `git check-ref-format --branch`, minus
//! the names git accepts and users regret.

use std::fmt;

use bstr::{BStr, BString, ByteSlice};

/// A lane's name: valid UTF-8, one line, at most [`LaneName::MAX_BYTES`] bytes, and fit to be a
/// branch name as it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct LaneName(String);

/// Why a name was turned down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NameProblem {
    /// Nothing was given.
    Empty,
    /// It starts with `-` and would be taken for an option.
    LooksLikeOption,
    /// It holds a control character.
    ControlCharacter,
    /// It is not valid UTF-8.
    NotUtf8,
    /// It, or a part of it, is longer than a file name may be.
    TooLong(usize),
    /// It is longer than a path may be.
    TooDeep(usize),
    /// It means something else to git (`HEAD`, `@`, a full ref name, an object id).
    Reserved,
    /// `git check-ref-format --branch` refuses it.
    NotABranchName,
}

impl NameProblem {
    /// The end of the sentence "'x' cannot be a lane's name: it …".
    pub fn because(&self) -> String {
        match self {
            NameProblem::Empty => "is empty".into(),
            NameProblem::LooksLikeOption => "starts with '-'".into(),
            NameProblem::ControlCharacter => "contains a control character".into(),
            NameProblem::NotUtf8 => "is not valid UTF-8".into(),
            NameProblem::TooLong(bytes) => {
                format!(
                    "is too long with {bytes} bytes; {} are the most a directory can carry",
                    LaneName::MAX_BYTES
                )
            }
            NameProblem::TooDeep(bytes) => {
                format!(
                    "has {bytes} bytes, which is too long; {} are the most",
                    BranchName::MAX_BYTES
                )
            }
            NameProblem::Reserved => "means something else to git".into(),
            NameProblem::NotABranchName => "is not a name git accepts for a branch".into(),
        }
    }
}

impl LaneName {
    /// The longest name: a directory entry holds 255 bytes, and staging adds a few of its own.
    pub const MAX_BYTES: usize = 250;

    /// Checks `name`; the branch of the same name must be possible too.
    pub fn parse(name: &str) -> Result<Self, NameProblem> {
        check(name.as_bytes().as_bstr())?;
        if name.len() > Self::MAX_BYTES {
            return Err(NameProblem::TooLong(name.len()));
        }
        Ok(LaneName(name.to_owned()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as one directory entry: characters that are neither letters, digits, `.`, `_` nor
    /// `-` become `-`.
    ///
    /// Different names can share a directory name; the function that picks the directory must look
    /// whether it is taken.
    pub fn directory_name(&self) -> String {
        let mapped: String = self
            .0
            .chars()
            .map(|c| {
                if c.is_alphanumeric() || matches!(c, '.' | '_' | '-') {
                    c
                } else {
                    '-'
                }
            })
            .collect();
        let trimmed = mapped.trim_matches(['-', '.']);
        if trimmed.is_empty() {
            "lane".into()
        } else {
            trimmed.into()
        }
    }
}

impl fmt::Display for LaneName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A local branch without its `refs/heads/` prefix; bytes, because git does not promise UTF-8.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BranchName(BString);

impl BranchName {
    /// The longest that is created: a path holds 4,095 bytes, and the repository's own comes before
    /// it.
    pub const MAX_BYTES: usize = 2000;

    /// Checks a name that the user typed or a template produced.
    pub fn parse(name: &BStr) -> Result<Self, NameProblem> {
        check(name)?;
        Ok(BranchName(name.to_owned()))
    }

    /// The branch a full ref name stands for, when it lies below `refs/heads/`.
    pub fn from_ref(full: &BStr) -> Option<Self> {
        full.strip_prefix(b"refs/heads/")
            .filter(|short| !short.is_empty())
            .map(|short| BranchName(short.into()))
    }

    /// A name to be created: git keeps a branch in files, whose names and paths have limits.
    pub fn ensure_fits_a_file(&self) -> Result<(), NameProblem> {
        let longest = self
            .0
            .split(|byte| *byte == b'/')
            .map(<[u8]>::len)
            .max()
            .unwrap_or_default();
        if longest > LaneName::MAX_BYTES {
            return Err(NameProblem::TooLong(longest));
        }
        if self.0.len() > Self::MAX_BYTES {
            Err(NameProblem::TooDeep(self.0.len()))
        } else {
            Ok(())
        }
    }

    /// The short name, as people see it.
    pub fn as_bstr(&self) -> &BStr {
        self.0.as_bstr()
    }

    /// The full ref name; what git is given, so that no name is taken for an option or another kind
    /// of ref.
    pub fn to_ref(&self) -> BString {
        let mut full = BString::from("refs/heads/");
        full.extend_from_slice(&self.0);
        full
    }
}

impl fmt::Display for BranchName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl<'de> serde::Deserialize<'de> for LaneName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        LaneName::parse(&name).map_err(|problem| serde::de::Error::custom(problem.because()))
    }
}

impl<'de> serde::Deserialize<'de> for BranchName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = super::lane::lossless_bytes::deserialize(deserializer)?;
        BranchName::parse(name.as_bstr())
            .map_err(|problem| serde::de::Error::custom(problem.because()))
    }
}

impl serde::Serialize for BranchName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        super::lane::lossless_bytes::serialize(&self.0, serializer)
    }
}

/// The rules lanes and branches share.
fn check(name: &BStr) -> Result<(), NameProblem> {
    if name.is_empty() {
        return Err(NameProblem::Empty);
    }
    if name.starts_with(b"-") {
        return Err(NameProblem::LooksLikeOption);
    }
    if name.iter().any(|byte| byte.is_ascii_control()) {
        return Err(NameProblem::ControlCharacter);
    }
    let pseudo_ref =
        name.ends_with(b"HEAD") && name.iter().all(|b| b.is_ascii_uppercase() || *b == b'_');
    let object_id = matches!(name.len(), 40 | 64) && name.iter().all(u8::is_ascii_hexdigit);
    if name == "@" || pseudo_ref || object_id || name.starts_with(b"refs/") {
        return Err(NameProblem::Reserved);
    }
    let mut full = BString::from("refs/heads/");
    full.extend_from_slice(name);
    gix::validate::reference::branch_name(full.as_bstr())
        .map_err(|_| NameProblem::NotABranchName)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_git_refuses_are_refused_and_say_why() {
        for (name, problem) in [
            ("", NameProblem::Empty),
            ("-x", NameProblem::LooksLikeOption),
            ("--force", NameProblem::LooksLikeOption),
            ("x\ny", NameProblem::ControlCharacter),
            ("x\u{1b}[2J", NameProblem::ControlCharacter),
            ("@", NameProblem::Reserved),
            ("HEAD", NameProblem::Reserved),
            ("FETCH_HEAD", NameProblem::Reserved),
            ("refs/heads/x", NameProblem::Reserved),
            (
                "0123456789012345678901234567890123456789",
                NameProblem::Reserved,
            ),
        ] {
            assert_eq!(LaneName::parse(name).unwrap_err(), problem, "{name:?}");
        }
        for name in [
            "a..b", ".hid", "a/.b", "a//b", "/abs", "a/", "x.lock", "x.", "a@{b", "a:b", "a\\b",
            "a~b", "a b",
        ] {
            assert_eq!(
                LaneName::parse(name).unwrap_err(),
                NameProblem::NotABranchName,
                "{name:?}"
            );
        }
        assert_eq!(
            LaneName::parse(&"x".repeat(251)).unwrap_err(),
            NameProblem::TooLong(251)
        );
    }

    #[test]
    fn shell_syntax_and_foreign_letters_are_ordinary_names() {
        for name in [
            "$(touch${IFS}pwned)",
            "x;id",
            "a'b\"c",
            "a|b&c",
            "!cmd",
            "#x",
            "é",
            "con",
            "а",
            "a/b-c",
        ] {
            assert_eq!(LaneName::parse(name).unwrap().as_str(), name);
        }
        assert!(LaneName::parse(&"x".repeat(250)).is_ok());
    }

    #[test]
    fn a_directory_name_is_never_empty_nor_hidden_nor_nested() {
        for (name, directory) in [
            ("login", "login"),
            ("feature/login", "feature-login"),
            ("$(x)", "x"),
            ("🦀", "lane"),
            ("über/größe", "über-größe"),
        ] {
            assert_eq!(LaneName::parse(name).unwrap().directory_name(), directory);
        }
    }

    #[test]
    fn a_branch_that_is_not_utf8_comes_back_from_json_as_it_was() {
        let branch = BranchName::parse(b"x\xff\xfey".as_bstr()).unwrap();
        let json = serde_json::to_string(&branch).unwrap();
        assert_eq!(json, "[120,255,254,121]");
        assert_eq!(serde_json::from_str::<BranchName>(&json).unwrap(), branch);
    }
}
