//! The forecast: each lane against its base, and the lanes of one base against each other, as they
//! stand now.
//!
//! Nothing is written: what is not committed is taken into a quarantine outside the repository
//! ([`snapshot`]), and merges are computed there by the git and with the settings that a landing has
//! ([`ground`]). Most pairs need no merge: what has changed on both sides shows that they do not
//! meet. Only [`remembered`] is kept, for the next look.
//!
//! Called by `commands/check`.

mod ancestry;
mod ground;
pub mod remembered;
pub(super) mod snapshot;
pub mod touched;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use bstr::BString;

use self::ancestry::Ancestry;
use self::ground::{Answer, Ground, Question};
use self::remembered::Remembered;
use self::snapshot::{Purpose, Taking, run_all};
use crate::domain::forecast::{
    Forecast, Meeting, Outlook, Pairs, Standing, Unclear, Verdict, unclear,
};
use crate::domain::lane::{Head, Lane, ObjectId, RefName, Worktree, WorktreeState};
use crate::domain::name::BranchName;
use crate::domain::retire::Places;
use crate::engines::status;
use crate::engines::status::{Uncommitted, uncommitted};
use crate::error::{Error, Result};
use crate::operations::in_flight;
use crate::operations::land::landing_facts;
use crate::operations::land::verdict::site_of;
use crate::repository::quarantine::Scratch;
use crate::repository::{Repository, revision};

/// So many merges are computed between two words about how far it is.
const AT_ONCE: usize = 64;

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Wish {
    /// Which pairs; for [`Pairs::With`] only that lane counts against its base.
    pub pairs: Pairs,
    /// Whether only what is committed counts.
    pub committed: bool,
}

/// Looks at the lanes; `watch` hears how many of the merges that take one are done.
pub fn forecast(
    repository: &Repository,
    lanes: &[Lane],
    wish: Wish,
    watch: &dyn Fn(usize, usize),
) -> Result<Forecast> {
    let scratch = Scratch::outside(repository)?;
    let worktrees = repository.worktrees()?;
    let places = Places::of(&worktrees);
    let homes: Vec<Option<&Worktree>> = lanes
        .iter()
        .map(|lane| places.place(lane).worktree())
        .collect();
    let bases = bases(repository, lanes)?;
    let standings = standings(repository, &scratch, lanes, &homes, wish.committed);
    let outlook = |((lane, base), standing): ((&Lane, &Option<RefName>), _)| Outlook {
        lane: lane.name.clone(),
        base: base.clone(),
        standing,
        onto: None,
    };
    let outlooks = lanes.iter().zip(&bases).zip(standings).map(outlook);
    let mut found = Forecast {
        lanes: outlooks.collect(),
        ..Forecast::default()
    };
    let mut groups: BTreeMap<&RefName, Vec<usize>> = BTreeMap::new();
    for (at, base) in bases.iter().enumerate() {
        match (base, &mut found.lanes[at].standing) {
            (Some(base), Ok(_)) => groups.entry(base).or_default().push(at),
            (None, standing @ Ok(_)) => *standing = Err(Unclear::NoBase),
            _ => {}
        }
    }
    let look = Look {
        repository,
        scratch: &scratch,
        lanes,
        homes: &homes,
        worktrees: &worktrees,
        wish,
        watch,
    };
    let mut remembered = Remembered::read(repository);
    for (base, members) in groups {
        look.on(base, &members, &mut found, &mut remembered)?;
    }
    remembered.write(repository);
    Ok(found)
}

/// What the looks at all bases share.
struct Look<'a> {
    repository: &'a Repository,
    scratch: &'a Scratch,
    lanes: &'a [Lane],
    /// The worktree of each lane.
    homes: &'a [Option<&'a Worktree>],
    worktrees: &'a [Worktree],
    wish: Wish,
    watch: &'a dyn Fn(usize, usize),
}

impl Look<'_> {
    /// Looks at the lanes of one base, `members` by their places.
    fn on(
        &self,
        base: &RefName,
        members: &[usize],
        found: &mut Forecast,
        remembered: &mut Remembered,
    ) -> Result<()> {
        let tip = self.repository.ref_target(base)?;
        let Some(tip) = tip.map(|tip| revision::peeled(self.repository, tip)) else {
            for at in members {
                found.lanes[*at].standing = Err(Unclear::NoBase);
            }
            return Ok(());
        };
        let mut ancestry = Ancestry::new(&self.repository.gix, tip);
        let (mut readable, mut stands) = (Vec::new(), Vec::new());
        for at in members {
            let Ok(standing) = found.lanes[*at].standing.clone() else {
                continue;
            };
            if let Err(error) = ancestry.add(standing.tip) {
                found.lanes[*at].standing = Err(Unclear::Unreadable(error.to_string()));
                continue;
            }
            readable.push(*at);
            stands.push(standing);
        }
        let members = &readable[..];
        let branch = BranchName::from_ref(base.as_bstr());
        let site = branch
            .as_ref()
            .and_then(|branch| site_of(self.worktrees, branch));
        let home = members.iter().find_map(|at| present(self.homes[*at]));
        let home = home.map_or(self.repository.common_dir(), |worktree| &worktree.path);
        let (repository, scratch) = (self.repository, self.scratch);
        let of_base = (branch.as_ref(), tip);
        let ground = Ground::new(repository, scratch, of_base, site, home, ancestry);
        let ground = match ground {
            Ok(ground) => ground,
            // A landing would end in the same way.
            Err(error) => {
                for at in members {
                    found.lanes[*at].onto = Some(Verdict::Unknown(error.to_string()));
                }
                return Ok(());
            }
        };
        let wanted = |place: &usize| match self.wish.pairs {
            Pairs::Among => true,
            Pairs::With(one) => members[*place] == one,
        };
        let onto: Vec<usize> = (0..members.len()).filter(wanted).collect();
        let pairs = self.pairs(members);
        let of_base = snapshot::committed(repository, tip)?;
        let with_base = onto.iter().map(|place| Question {
            ours: of_base,
            theirs: stands[*place],
        });
        let among = pairs.iter().map(|(one, other)| Question {
            ours: stands[*one],
            theirs: stands[*other],
        });
        let questions: Vec<Question> = with_base.chain(among).collect();
        let names = self.names(members, &stands);
        let verdicts = answers(&ground, &questions, &names, remembered, self.watch);
        let mut verdicts = verdicts.into_iter();
        for (place, verdict) in onto.iter().zip(verdicts.by_ref()) {
            let at = members[*place];
            let id = &self.lanes[at].id;
            remembered.keep_onto(id, (base, tip), &stands[*place], &verdict);
            found.lanes[at].onto = Some(verdict);
        }
        for ((one, other), verdict) in pairs.iter().zip(verdicts) {
            match verdict {
                Verdict::Clear | Verdict::Nothing => found.clear += 1,
                verdict => found.pairs.push(Meeting {
                    first: self.lanes[members[*one]].name.clone(),
                    second: self.lanes[members[*other]].name.clone(),
                    verdict,
                }),
            }
        }
        Ok(())
    }

    /// The pairs among the members, by their places there.
    fn pairs(&self, members: &[usize]) -> Vec<(usize, usize)> {
        match self.wish.pairs {
            Pairs::Among => Pairs::Among.of(members.len()),
            Pairs::With(one) => {
                let place = members.iter().position(|member| *member == one);
                place.map_or_else(Vec::new, |place| Pairs::With(place).of(members.len()))
            }
        }
    }

    /// What `git merge` would call each.
    fn names(&self, members: &[usize], stands: &[Standing]) -> Vec<(ObjectId, BString)> {
        let name = |(at, standing): (&usize, &Standing)| {
            let branch = self.lanes[*at].branch.as_ref();
            let name = branch.map_or_else(
                || standing.tip.to_string().into(),
                |branch| branch.as_bstr().to_owned(),
            );
            (standing.commit, name)
        };
        members.iter().zip(stands).map(name).collect()
    }
}

/// The verdict of each; git is asked for what cannot be known without.
fn answers(
    ground: &Ground<'_>,
    questions: &[Question],
    names: &[(ObjectId, BString)],
    remembered: &mut Remembered,
    watch: &dyn Fn(usize, usize),
) -> Vec<Verdict> {
    let (mut verdicts, mut open) = (Vec::new(), Vec::new());
    for (at, question) in questions.iter().enumerate() {
        verdicts.push(match ground.answer(question, remembered) {
            Ok(Answer::Verdict(verdict)) => verdict,
            Ok(Answer::Open(digest)) => {
                open.push((at, digest));
                Verdict::Nothing
            }
            Err(error) => Verdict::Unknown(error.to_string()),
        });
    }
    for (number, share) in open.chunks(AT_ONCE).enumerate() {
        watch(number * AT_ONCE, open.len());
        let asked: Vec<Question> = share.iter().map(|(at, _)| questions[*at]).collect();
        for ((at, digest), verdict) in share.iter().zip(ground.merge(&asked, names)) {
            if let Some(digest) = digest {
                remembered.keep(digest.clone(), &verdict);
            }
            verdicts[*at] = verdict;
        }
    }
    verdicts
}

/// What each lane is compared with: the branch that it would land on, or what it is based on where
/// no branch stands for that.
fn bases(repository: &Repository, lanes: &[Lane]) -> Result<Vec<Option<RefName>>> {
    let mut known: HashMap<&RefName, RefName> = HashMap::new();
    let mut found = Vec::new();
    for lane in lanes {
        let Some(base) = &lane.base else {
            found.push(None);
            continue;
        };
        if !known.contains_key(base) {
            let target = match landing_facts::target(repository, lane, None)? {
                Ok(branch) => RefName::from(&repository.branch_meant(&branch)?),
                Err(_) => base.clone(),
            };
            known.insert(base, target);
        }
        found.push(known.get(base).cloned());
    }
    Ok(found)
}

fn present(worktree: Option<&Worktree>) -> Option<&Worktree> {
    worktree.filter(|worktree| worktree.state == WorktreeState::Present)
}

/// How each lane stands, without or with what is not committed.
fn standings(
    repository: &Repository,
    scratch: &Scratch,
    lanes: &[Lane],
    homes: &[Option<&Worktree>],
    committed: bool,
) -> Vec<Result<Standing, Unclear>> {
    let there = homes.iter().filter_map(|home| present(*home));
    let places: Vec<(&Path, &Path)> = there
        .map(|home| (home.path.as_path(), home.git_dir.as_path()))
        .collect();
    let mut found = match committed {
        true => Vec::new(),
        false => uncommitted(&repository.gix, &repository.git, &places),
    }
    .into_iter();
    let (mut takings, mut places) = (Vec::new(), Vec::new());
    let mut standings: Vec<Result<Standing, Unclear>> = Vec::new();
    for (at, (lane, home)) in lanes.iter().zip(homes).enumerate() {
        let found = present(*home).and_then(|_| found.next());
        let stands = stands(repository, scratch, (lane, *home), found, committed);
        standings.push(match stands {
            Ok(Stands::AsCommitted(tip)) => {
                snapshot::committed(repository, tip).map_err(unreadable)
            }
            Ok(Stands::AsFiles(taking)) => {
                places.push((at, taking.tip));
                takings.push(*taking);
                // Until its gits have run.
                Err(Unclear::Gone)
            }
            Err(why) => Err(why),
        });
    }
    for ((at, tip), tree) in places.into_iter().zip(run_all(takings)) {
        let standing = tree.and_then(|tree| snapshot::standing(repository, scratch, tip, tree));
        standings[at] = standing.map_err(unreadable);
    }
    let is_gone = |lane: &Lane| {
        let records = repository.records();
        records.is_ok_and(|records| records.find(&lane.name).is_none())
    };
    for (standing, lane) in standings.iter_mut().zip(lanes) {
        use Unclear::{Missing, NoCommit, Unreadable};
        if matches!(standing, Err(Unreadable(_) | NoCommit | Missing)) && is_gone(lane) {
            *standing = Err(Unclear::Gone);
        }
    }
    standings
}

fn unreadable(error: Error) -> Unclear {
    Unclear::Unreadable(error.to_string())
}

/// How a lane stands, before its files were taken in.
enum Stands {
    /// As this commit.
    AsCommitted(ObjectId),
    /// As these gits find out.
    AsFiles(Box<Taking>),
}

fn stands(
    repository: &Repository,
    scratch: &Scratch,
    (lane, home): (&Lane, Option<&Worktree>),
    found: Option<Result<Uncommitted>>,
    committed: bool,
) -> Result<Stands, Unclear> {
    let found = found.transpose().map_err(unreadable)?;
    match home.map(|home| &home.state) {
        Some(WorktreeState::Damaged(why)) => return Err(Unclear::Unreadable(why.clone())),
        Some(WorktreeState::Present) => {}
        Some(WorktreeState::Missing) | None if committed => {}
        Some(WorktreeState::Missing) | None => return Err(Unclear::Missing),
        Some(_) => return Err(Unclear::Unreadable("its worktree is not known".into())),
    }
    let home = present(home);
    let mut known = None;
    if let Some(home) = home {
        let operation = status::operation(&home.git_dir);
        // Only git can tell of an index with unmerged files.
        if found == Some(Uncommitted::Unknown) {
            known = Some(in_flight::worktree_statuses(repository, &[home]).swap_remove(0));
        }
        let status = known.as_ref().and_then(|status| status.as_ref().ok());
        if let Some(why) = unclear(lane, home, operation, status) {
            return Err(why);
        }
    }
    let status = known.transpose().map_err(unreadable)?;
    let tip = match (&lane.branch, home.map(|home| &home.head)) {
        (Some(branch), _) => repository.branch_tip(branch).map_err(unreadable)?,
        (None, Some(Head::Detached(id))) => Some(*id),
        (None, _) => None,
    };
    let tip = tip.ok_or(Unclear::NoCommit)?;
    let apart = match (found, status) {
        (Some(Uncommitted::Some(apart)), _) => Some(apart),
        (_, Some(status)) if !status.is_clean() => None,
        _ => return Ok(Stands::AsCommitted(tip)),
    };
    let Some(home) = home else {
        return Ok(Stands::AsCommitted(tip));
    };
    let taking = Taking::prepare(repository, scratch, home, (tip, Purpose::Foretold), apart);
    let taking = taking.map_err(unreadable)?;
    Ok(Stands::AsFiles(Box::new(taking)))
}
