//! `git lane start --fetch`: bases are brought up to date before a lane starts from them.

use std::collections::BTreeMap;

use bstr::BString;

use crate::commands::heal;
use crate::commands::start::Args;
use crate::commands::start::asked::Asked;
use crate::domain::lane::{ObjectId, RefName};
use crate::domain::shell_word::quote;
use crate::domain::start::{Base, Behind};
use crate::engines::history;
use crate::error::Result;
use crate::operations::start::base::look_up;
use crate::operations::sync::{Stays, renew_bases};
use crate::policy::Policy;
use crate::repository::Repository;
use crate::repository::upstream::{fetch, remote_of, upstream};
use crate::ui::Ui;

/// The bases that stay where they are although they were to be brought up to date, and why.
#[derive(Default)]
pub(super) struct Renewed(Option<BTreeMap<RefName, Stays>>);

/// Fetches where that is asked for, and moves forward what is only behind.
pub(super) fn renew(
    repository: &mut Repository,
    (asked, policy): (&[Asked], &Policy),
    args: &Args,
    ui: &Ui,
) -> Result<Renewed> {
    let is_wanted = args.fetch || policy.fetch;
    if !is_wanted || args.dry_run {
        return Ok(Renewed::default());
    }
    let (mut bases, mut is_other) = (BTreeMap::new(), false);
    for asked in asked {
        let name = asked.base.as_deref().or(policy.base.as_deref());
        let base = look_up(repository, name).map_err(|error| asked.located(error))?;
        match base.name.filter(|base| has_remote(repository, base)) {
            Some(base) => drop(bases.entry(base).or_insert(asked.name.clone())),
            None => is_other = true,
        }
    }
    if is_other {
        // Another remote than git takes is not known.
        fetch(repository, None::<&BString>)?;
    }
    let before = tips(repository, bases.keys());
    let stay = renew_bases(repository, bases, &heal(ui))?;
    tell_of_moved(repository, &before, ui);
    Ok(Renewed(Some(stay.into_iter().collect())))
}

fn tips<'b>(
    repository: &Repository,
    bases: impl Iterator<Item = &'b RefName>,
) -> Vec<(RefName, ObjectId)> {
    let tip = |base: &RefName| Some((base.clone(), repository.ref_target(base).ok()??));
    bases.filter_map(tip).collect()
}

/// Says which bases have moved, and by how much; what cannot be counted is not said.
fn tell_of_moved(repository: &Repository, before: &[(RefName, ObjectId)], ui: &Ui) {
    let now = tips(repository, before.iter().map(|(base, _)| base));
    for ((base, old), (_, new)) in before.iter().zip(now) {
        let moved = history::divergences(&repository.gix, &[(*old, new)]);
        match moved
            .ok()
            .and_then(|moved| moved.first().map(|moved| moved.behind))
        {
            None | Some(0) => {}
            Some(1) => ui.note(format_args!("brought '{base}' up to date: 1 commit")),
            Some(count) => ui.note(format_args!("brought '{base}' up to date: {count} commits")),
        }
    }
}

fn has_remote(repository: &Repository, base: &RefName) -> bool {
    upstream(repository, base).is_some() || remote_of(base).is_some()
}

impl Renewed {
    /// Whether the worktrees may be others by now.
    pub(super) fn is_some(&self) -> bool {
        self.0.is_some()
    }

    /// Says that a base is behind its upstream, and what there is to do about that.
    pub(super) fn tell(&self, base: &Base, behind: &Behind, wanted: &[Asked], ui: &Ui) {
        let Some(name) = &base.name else { return };
        let text = format!("'{name}' is {behind}");
        match &self.0 {
            Some(stay) => match stay.get(name) {
                Some(why) => ui.warn(format_args!("{text} and stays there: {why}")),
                None => ui.warn(text),
            },
            None => {
                ui.warn(text);
                if behind.ahead == 0 {
                    ui.note(format_args!("hint: {}", remedy(wanted)));
                }
            }
        }
    }

    /// Why it stays, as a word.
    pub(super) fn why(&self, base: &Base) -> Option<&'static str> {
        let stays = self.0.as_ref()?.get(base.name.as_ref()?)?;
        Some(stays.code())
    }
}

/// By then the lanes are there.
fn remedy(wanted: &[Asked]) -> String {
    let names = wanted.iter().map(|asked| quote(&asked.name).to_string());
    let names = match wanted.len() {
        0..4 => names.collect::<Vec<_>>().join(" "),
        _ => "--all".into(),
    };
    format!("bring base and lane up to date with: git lane sync --fetch {names}")
}
