//! Which names are one: pure.
//!
//! A lane's name becomes a branch, which git keeps in a file, and a directory. What is compared how:
//!
//! * Everywhere a name is its bytes, and of two that are one by this rule the one with the very bytes is
//!   meant.
//! * With `core.ignoreCase`, which `git init` sets where the file system takes names that differ in case
//!   for one, upper and lower case do not count, in any script: each character is taken in capital
//!   letters and these in small ones, so that `ß` is `ss` and both small sigmas are one. git itself folds
//!   ASCII alone, but it is the file system that would take one branch's file for the other's, and
//!   those of macOS fold all of Unicode.
//! * With `core.precomposeUnicode`, which `git init` sets where the file system takes both forms of a
//!   composed character for one, these do not count, and a name that is given is taken in its composed form
//!   (NFC), as git takes its arguments.
//!
//! The records (`[lane "<name>"]`) are git's subsections, whose case counts; so the rule is asked before one
//! is made, and whenever the user names one. `repository` reads the settings.

use std::borrow::Cow;

use unicode_normalization::{UnicodeNormalization, is_nfc};

use super::name::{BranchName, LaneName};

/// Which differences between two names do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NameRule {
    /// `core.ignoreCase`
    pub folds_case: bool,
    /// `core.precomposeUnicode`
    pub folds_forms: bool,
}

impl NameRule {
    /// Whether both are one name.
    pub fn is_same(self, one: &str, other: &str) -> bool {
        one == other || self != Self::default() && self.key(one) == self.key(other)
    }

    /// What is equal where two names are one.
    fn key(self, name: &str) -> String {
        let folded = |name: &str| -> String {
            let capital = name.chars().flat_map(char::to_uppercase);
            capital.flat_map(char::to_lowercase).collect()
        };
        match (self.folds_case, self.folds_forms) {
            (false, false) => name.to_owned(),
            (true, false) => folded(name),
            (false, true) => name.nfd().collect(),
            // A letter can be folded into a composed one.
            (true, true) => folded(&name.nfd().collect::<String>()).nfd().collect(),
        }
    }

    /// That of the names that is meant: the very one, else the first that is one with it.
    pub fn meant<'a>(
        self,
        wanted: &str,
        names: impl Iterator<Item = &'a str> + Clone,
    ) -> Option<&'a str> {
        let mut exact = names.clone();
        let mut alike = names;
        exact
            .find(|name| *name == wanted)
            .or_else(|| alike.find(|name| self.is_same(name, wanted)))
    }

    /// A name as it is taken from the user.
    pub fn taken(self, given: &str) -> Cow<'_, str> {
        match self.folds_forms && !is_nfc(given) {
            true => Cow::Owned(given.nfc().collect()),
            false => Cow::Borrowed(given),
        }
    }

    /// A new lane's name as it is taken from the user.
    pub fn taken_name(self, given: LaneName) -> LaneName {
        LaneName::parse(&self.taken(given.as_str())).unwrap_or(given)
    }

    /// Whether two branches cannot be at the same time: one would have to be a directory and a file, or
    /// on their way are two names that are one. `topic/b` in the directory of `Topic/a` would be listed
    /// as `Topic/b`.
    pub fn exclude_each_other(self, one: &BranchName, other: &BranchName) -> bool {
        let parts = |branch: &BranchName| -> Vec<String> {
            let text = branch.as_bstr().to_string();
            text.split('/').map(str::to_owned).collect()
        };
        if one == other {
            return false;
        }
        let differ = |(a, b): &(&String, &String)| a != b;
        match parts(one).iter().zip(&parts(other)).find(differ) {
            Some((a, b)) => self.is_same(a, b),
            // One goes on where the other ends.
            None => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CASE: NameRule = NameRule {
        folds_case: true,
        folds_forms: false,
    };
    const FORMS: NameRule = NameRule {
        folds_case: false,
        folds_forms: true,
    };
    const BOTH: NameRule = NameRule {
        folds_case: true,
        folds_forms: true,
    };

    #[test]
    fn which_names_are_one() {
        // By the bytes, without case, without form, without either.
        for (one, other, expected) in [
            ("login", "login", [true, true, true, true]),
            ("login", "Login", [false, true, false, true]),
            ("login", "logins", [false, false, false, false]),
            ("a/B", "A/b", [false, true, false, true]),
            ("été", "ÉTÉ", [false, true, false, true]),
            ("caf\u{e9}", "cafe\u{301}", [false, false, true, true]),
            ("caf\u{e9}", "CAFE\u{301}", [false, false, false, true]),
            ("straße", "STRASSE", [false, true, false, true]),
            ("οδος", "ΟΔΟΣ", [false, true, false, true]),
            ("мир", "МИР", [false, true, false, true]),
            ("\u{212a}elvin", "kelvin", [false, true, false, true]),
            // These only look alike.
            ("а", "a", [false, false, false, false]),
            ("\u{fb01}x", "fix", [false, true, false, true]),
            ("x²", "x2", [false, false, false, false]),
        ] {
            let found =
                [NameRule::default(), CASE, FORMS, BOTH].map(|rule| rule.is_same(one, other));
            assert_eq!(found, expected, "{one} {other}");
        }
    }

    #[test]
    fn the_very_name_is_meant_before_one_like_it() {
        let names = ["Login", "login", "x"];
        for (wanted, plain, folded) in [
            ("login", Some("login"), Some("login")),
            ("LOGIN", None, Some("Login")),
            ("X", None, Some("x")),
            ("y", None, None),
        ] {
            for (rule, expected) in [(NameRule::default(), plain), (CASE, folded)] {
                assert_eq!(rule.meant(wanted, names.into_iter()), expected, "{wanted}");
            }
        }
    }

    #[test]
    fn a_name_is_taken_in_its_composed_form_where_git_does() {
        for (rule, expected) in [(CASE, "cafe\u{301}"), (FORMS, "caf\u{e9}")] {
            assert_eq!(rule.taken("cafe\u{301}"), expected);
            assert_eq!(rule.taken("x"), "x");
        }
    }

    #[test]
    fn which_branches_exclude_each_other() {
        let branch = |name: &str| BranchName::parse(name.into()).unwrap();
        for (one, other, expected) in [
            ("a", "b", [false, false]),
            ("a", "a/b", [true, true]),
            ("a/b", "a", [true, true]),
            ("a/b", "a/c", [false, false]),
            ("a", "ab", [false, false]),
            ("Login", "login", [false, true]),
            ("login", "login", [false, false]),
            ("Topic/a", "topic/b", [false, true]),
            ("Topic", "topic/b", [false, true]),
            ("topic/A", "topic/a", [false, true]),
            ("topic/a", "topic/a/x", [true, true]),
            ("a/Topic", "b/topic", [false, false]),
        ] {
            let (one, other) = (branch(one), branch(other));
            let found =
                [NameRule::default(), CASE].map(|rule| rule.exclude_each_other(&one, &other));
            assert_eq!(found, expected, "{one} {other}");
        }
    }
}
