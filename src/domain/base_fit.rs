//! Whether a lane may have another base; pure.
//!
//! Called by `operations/base_change`, and by `doctor` for what a hand has written.

use super::lane::{Lane, RefName};
use super::name::{BranchName, LaneName};
use super::shell_word::quote;
use crate::error::{Code, Error};

/// Why a lane keeps its base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// What was named is no branch.
    NoBranch(String),
    /// It is the lane's own branch.
    Itself(RefName),
    /// It is the branch of a lane that is based on this one, by those between them.
    Cycle(RefName, Vec<LaneName>),
    /// It has no commit in common with the lane.
    Unrelated(RefName),
    /// The lane has no commit.
    NoCommit,
    /// A git-lane command is about to land it on the base that it has.
    Queued,
}

impl Refusal {
    /// A stable word for scripts.
    pub fn code(&self) -> Code {
        match self {
            Refusal::NoBranch(_) => Code::NoSuchBase,
            Refusal::Itself(_) => Code::OntoItself,
            Refusal::Cycle(..) => Code::BaseCycle,
            Refusal::Unrelated(_) => Code::Unrelated,
            Refusal::NoCommit => Code::NoCommit,
            Refusal::Queued => Code::Busy,
        }
    }

    /// The refusal for `lane`.
    pub fn refuse(&self, lane: &LaneName) -> Error {
        let sentence = match self {
            Refusal::NoBranch(named) => format!("'{named}' is no branch, and no base to land on"),
            Refusal::Itself(base) => format!("'{base}' is the branch of lane '{lane}' itself"),
            Refusal::Cycle(base, by) => {
                let by: Vec<String> = by.iter().map(|lane| format!("'{lane}'")).collect();
                format!(
                    "'{base}' is based on lane '{lane}' itself, by {}",
                    by.join(", ")
                )
            }
            Refusal::Unrelated(base) => {
                format!("lane '{lane}' has no commit in common with '{base}'")
            }
            Refusal::NoCommit => format!("lane '{lane}' has no commit"),
            Refusal::Queued => format!("a git-lane command is about to land lane '{lane}'"),
        };
        let hint = match self {
            Refusal::NoBranch(_) | Refusal::Unrelated(_) => {
                "see the branches with: git branch --all".to_owned()
            }
            Refusal::Cycle(_, by) => by.first().map_or_else(String::new, |first| {
                format!(
                    "give that one another base first: git lane base {} BRANCH",
                    quote(first)
                )
            }),
            Refusal::Itself(_) => format!("see its base with: git lane base {}", quote(lane)),
            Refusal::NoCommit => "see what can be done about it with: git lane doctor".into(),
            Refusal::Queued => format!("wait for that with: git lane wait {}", quote(lane)),
        };
        let error = Error::refused(sentence).with_code(self.code());
        match hint.is_empty() {
            true => error,
            false => error.hint(hint),
        }
    }
}

/// Refuses a base that is no branch, is the lane's own, or is based on it.
pub fn ensure_fit(
    lane: &Lane,
    lanes: &[Lane],
    named: &str,
    base: Option<&RefName>,
) -> Result<RefName, Refusal> {
    let is_branch = |name: &&RefName| {
        let kinds: [&[u8]; 2] = [b"refs/heads/", b"refs/remotes/"];
        kinds.iter().any(|kind| name.as_bstr().starts_with(kind))
    };
    let base = base
        .filter(is_branch)
        .ok_or_else(|| Refusal::NoBranch(named.to_owned()))?;
    let Some(own) = &lane.branch else {
        return Ok(base.clone());
    };
    let mut by: Vec<LaneName> = Vec::new();
    let mut at = BranchName::from_ref(base.as_bstr());
    while let Some(branch) = at {
        if branch == *own {
            return Err(match by.is_empty() {
                true => Refusal::Itself(base.clone()),
                false => Refusal::Cycle(base.clone(), by),
            });
        }
        let mut others = lanes.iter().filter(|other| !by.contains(&other.name));
        let next = others.find(|other| other.branch.as_ref() == Some(&branch));
        by.extend(next.map(|next| next.name.clone()));
        at = next.and_then(Lane::base_branch);
    }
    Ok(base.clone())
}

/// The lanes that are based on each other in a circle: what no command makes.
pub fn cycles(lanes: &[Lane]) -> Vec<Vec<LaneName>> {
    let mut found: Vec<Vec<LaneName>> = Vec::new();
    for lane in lanes {
        let mut circle = vec![lane.name.clone()];
        let mut at = below(lane, lanes);
        while let Some(next) = at.filter(|next| !circle.contains(&next.name)) {
            circle.push(next.name.clone());
            at = below(next, lanes);
        }
        let is_new = !found.iter().any(|known| known.contains(&lane.name));
        if is_new && at.is_some_and(|next| next.name == lane.name) {
            found.push(circle);
        }
    }
    found
}

/// The lane whose branch is the base of that one.
fn below<'a>(lane: &Lane, lanes: &'a [Lane]) -> Option<&'a Lane> {
    let base = lane.base_branch()?;
    lanes
        .iter()
        .find(|other| other.branch.as_ref() == Some(&base))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_base() {
        let on = |name: &str, base: &str| Lane {
            base: RefName::parse(format!("refs/heads/{base}").as_str().into()),
            ..Lane::sample(name)
        };
        let lanes = [
            on("a", "main"),
            on("b", "a"),
            on("c", "b"),
            // Damaged by hand: a circle that is not ours.
            on("x", "y"),
            on("y", "x"),
        ];
        let names: Vec<Vec<String>> = cycles(&lanes)
            .iter()
            .map(|circle| circle.iter().map(ToString::to_string).collect())
            .collect();
        assert_eq!(names, [["x", "y"]]);
        for (lane, base, expected) in [
            ("a", "refs/heads/main", "ok"),
            ("a", "refs/heads/next", "ok"),
            ("a", "refs/remotes/origin/main", "ok"),
            ("a", "refs/tags/v1", "no-such-base"),
            ("a", "refs/heads/a", "onto-itself"),
            ("a", "refs/heads/b", "base-cycle"),
            ("a", "refs/heads/c", "base-cycle"),
            ("c", "refs/heads/a", "ok"),
            ("b", "refs/heads/x", "ok"),
        ] {
            let lane = lanes.iter().find(|one| one.name.as_str() == lane).unwrap();
            let named = RefName::parse(base.into());
            let fits = ensure_fit(lane, &lanes, base, named.as_ref());
            let code = fits.map_or_else(|refusal| refusal.code().as_str(), |_| "ok");
            assert_eq!(code, expected, "{} {base}", lane.name);
        }
        assert_eq!(
            ensure_fit(&lanes[0], &lanes, "1234", None),
            Err(Refusal::NoBranch("1234".into()))
        );
        let cycle = ensure_fit(
            &lanes[0],
            &lanes,
            "c",
            RefName::parse("refs/heads/c".into()).as_ref(),
        );
        let error = cycle.unwrap_err().refuse(&lanes[0].name);
        assert_eq!(
            error.to_string(),
            "'c' is based on lane 'a' itself, by 'c', 'b'"
        );
    }
}
