//! Takes, renews, hands over and releases the claim on a lane.
//!
//! All of it is one look and one write with `config.lock` and the registry's lock in hand: of fifty
//! that want a lane, one finds it free. A renewal that only moves the end of a claim is a file of
//! its own (`repository/claims`).
//!
//! A new claim first ends with the process that takes it. Only once its token is in the hands of the
//! caller does [`confirm`] record the end that was asked for: a git-lane that is killed in between
//! leaves no lane that nobody can prove to hold.
//!
//! Called by `commands/claim` and `commands/release`; `start` has [`new`] for a lane that begins
//! with a claim.

mod marking;

pub use marking::mark;

use std::io::Read;

use crate::domain::claim::{Claim, ClaimEnd, Standing, claimed};
use crate::domain::event::{End, Subject, What};
use crate::domain::lane::Lane;
use crate::domain::name::LaneName;
use crate::domain::retire::{Places, raced};
use crate::error::{Code, Error, Result};
use crate::operations::start::registry_lock;
use crate::repository::Repository;
use crate::repository::claims;
use crate::repository::metadata::{Edit, Records};
use crate::store::journal::step;
use crate::store::{clock, process_mark};

/// Who wants a lane, and for how long.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Who.
    pub holder: String,
    /// When the claim is to end.
    pub end: ClaimEnd,
    /// Take it although somebody else holds it.
    pub take_over: bool,
}

/// A claim that was taken or renewed.
#[derive(Debug)]
pub struct Taken {
    /// The lane as it is recorded now.
    pub lane: Lane,
    /// The token of a new claim; `None` where it was held before.
    pub token: Option<String>,
    /// The claim before this one, where somebody else still held that, or had handed the lane over.
    pub before: Option<Claim>,
}

/// A claim that was given up.
#[derive(Debug)]
pub struct Released {
    /// The lane as it is recorded now.
    pub lane: Lane,
    /// Whether there was a claim to give up.
    pub was_claimed: bool,
}

/// A claim that begins now, and its token; it waits to be confirmed.
pub fn new(wish: &Wish) -> Result<(Claim, String)> {
    let token = random()?;
    let own = process_mark::of(std::process::id().cast_signed());
    let claim = Claim {
        holder: wish.holder.clone(),
        key: Some(claims::key_of(&token)),
        since: clock::now(),
        end: own.map_or_else(|| wish.end.clone(), ClaimEnd::Process),
        message: None,
    };
    Ok((claim, token))
}

/// Records when a new claim ends, once the caller has its token.
///
/// # Errors
/// Code `raced` where somebody has taken it over meanwhile, or has taken the lane away.
pub fn confirm(repository: &Repository, lane: &Lane, wish: &Wish) -> Result<()> {
    step("claim.taken");
    let mut edit = Edit::begin(repository.lane_dir())?;
    let records = edit.records();
    let now = records.find(&lane.name).filter(|now| now.id == lane.id);
    let now = now.ok_or_else(|| raced(&lane.name))?;
    let key = |claim: &Option<Claim>| claim.as_ref().and_then(|claim| claim.key.clone());
    let claim = now.claim.clone();
    let claim = claim.filter(|_| key(&now.claim) == key(&lane.claim));
    let claim = claim.ok_or_else(|| raced(&lane.name))?;
    let confirmed = Claim {
        end: wish.end.clone(),
        ..claim
    };
    edit.set_claim(&lane.name, Some(&confirmed))?;
    edit.commit()?;
    step("claim.confirmed");
    Ok(())
}

/// 128 bits that nobody can guess, in hex.
fn random() -> Result<String> {
    let mut bytes = [0; 16];
    std::fs::File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut bytes))
        .map_err(|error| Error::environment("the system has no random numbers").caused_by(error))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The end of a claim with the process of that number.
///
/// # Errors
/// A refusal where no such process lives.
pub fn end_with(pid: i32) -> Result<ClaimEnd> {
    let mark = process_mark::of(pid).ok_or_else(|| {
        Error::refused(format!("no process has the number {pid}")).with_code(Code::NoSuchProcess)
    })?;
    Ok(ClaimEnd::Process(mark))
}

/// Takes the lane, or renews the caller's own claim on it.
///
/// # Errors
/// Code `claimed` where somebody else holds it.
pub fn take(repository: &Repository, name: &LaneName, wish: &Wish) -> Result<Taken> {
    repository.unrecovered.ensure_lane_is_whole(name)?;
    let _registry = registry_lock(repository)?;
    let edit = Edit::begin(repository.lane_dir())?;
    let lane = edit
        .records()
        .find(name)
        .cloned()
        .ok_or_else(|| raced(name))?;
    take_found(repository, edit, lane, wish)
}

/// Takes the oldest lane that nobody holds and that is neither ready nor done; one that was handed
/// over to the holder goes first. `None` where there is none.
pub fn take_next(repository: &Repository, wish: &Wish) -> Result<Option<Taken>> {
    let _registry = registry_lock(repository)?;
    let edit = Edit::begin(repository.lane_dir())?;
    match next(repository, edit.records(), &wish.holder) {
        Some(lane) => take_found(repository, edit, lane, wish).map(Some),
        None => Ok(None),
    }
}

/// Which lane that is.
fn next(repository: &Repository, records: Records, holder: &str) -> Option<Lane> {
    let worktrees = repository.worktrees().unwrap_or_default();
    let places = Places::of(&worktrees);
    let mut lanes = records.lanes;
    lanes.retain(|lane| {
        let over = lane.mark.as_ref().is_some_and(|mark| mark.status.is_over());
        let whole = || repository.unrecovered.ensure_lane_is_whole(&lane.name);
        !over
            && !lane.read_only
            && (is_for(lane, holder) || claims::standing(repository, lane) == Standing::Free)
            && whole().is_ok()
            && places.place(lane).present().is_some()
    });
    lanes.sort_by_key(|lane| (!is_for(lane, holder), lane.created));
    lanes.into_iter().next()
}

/// Whether the lane was handed over to the holder.
fn is_for(lane: &Lane, holder: &str) -> bool {
    let claim = lane.claim.as_ref();
    claim.is_some_and(|claim| claim.is_reserved() && claim.holder == holder)
}

fn take_found(repository: &Repository, mut edit: Edit, lane: Lane, wish: &Wish) -> Result<Taken> {
    let before = claims::living(repository, &lane).cloned();
    match (claims::standing(repository, &lane), &before) {
        (Standing::Own, Some(claim)) => return renew(repository, edit, &lane, claim, wish),
        (Standing::Others, Some(claim)) if !wish.take_over && !is_for(&lane, &wish.holder) => {
            return Err(claimed(&lane, claim));
        }
        _ => {}
    }
    let (claim, token) = new(wish)?;
    edit.set_claim(&lane.name, Some(&claim))?;
    edit.set_owner(&lane.name, Some(&wish.holder))?;
    edit.commit()?;
    claims::forget(repository, &lane.id);
    let taken_over = before.as_ref().filter(|before| !before.is_reserved());
    let note = match taken_over {
        Some(before) => format!("by '{}', taken over from '{}'", wish.holder, before.holder),
        None => format!("by '{}'", wish.holder),
    };
    tell(repository, What::Claim, &lane, Some(note));
    let lane = Lane {
        claim: Some(claim),
        owner: Some(wish.holder.clone()),
        ..lane
    };
    Ok(Taken {
        lane,
        token: Some(token),
        before,
    })
}

/// Moves the end of a claim that the caller has.
fn renew(
    repository: &Repository,
    mut edit: Edit,
    lane: &Lane,
    claim: &Claim,
    wish: &Wish,
) -> Result<Taken> {
    let key = claim.key.as_deref().unwrap_or_default();
    let renewed = match (&claim.end, &wish.end) {
        // The lock is given back unused: plain git need not wait for a heartbeat.
        (ClaimEnd::Time(_), ClaimEnd::Time(until)) => {
            claims::renew(repository, &lane.id, key, *until)?;
            claim.clone()
        }
        (_, ClaimEnd::Release) => claim.clone(),
        (_, end) => {
            let renewed = Claim {
                end: end.clone(),
                ..claim.clone()
            };
            edit.set_claim(&lane.name, Some(&renewed))?;
            edit.commit()?;
            renewed
        }
    };
    Ok(Taken {
        lane: Lane {
            claim: Some(renewed),
            ..lane.clone()
        },
        token: None,
        before: None,
    })
}

/// Gives back a claim that this process has just taken, and with it the lane as it was before.
pub fn give_back(repository: &Repository, taken: &Taken) -> Result<()> {
    let (Some(claim), Some(_)) = (&taken.lane.claim, &taken.token) else {
        return Ok(());
    };
    let mut edit = Edit::begin(repository.lane_dir())?;
    let now = edit.records().find(&taken.lane.name).cloned();
    if let Some(lane) = now.filter(|lane| lane.claim.as_ref() == Some(claim)) {
        edit.set_claim(&lane.name, taken.before.as_ref())?;
        edit.commit()?;
        tell(repository, What::Release, &lane, None);
    }
    Ok(())
}

/// To whom a lane goes, and what they are told.
#[derive(Debug, Clone)]
pub struct Successor {
    /// Who.
    pub owner: String,
    /// What.
    pub message: Option<String>,
}

/// Gives the caller's claim up, or hands the lane over. A lane that nobody holds can be handed over
/// too.
///
/// # Errors
/// Code `claimed` where somebody else holds it.
pub fn release(
    repository: &Repository,
    name: &LaneName,
    successor: Option<&Successor>,
) -> Result<Released> {
    repository.unrecovered.ensure_lane_is_whole(name)?;
    let mut edit = Edit::begin(repository.lane_dir())?;
    let lane = edit
        .records()
        .find(name)
        .cloned()
        .ok_or_else(|| raced(name))?;
    claims::ensure_not_anothers(repository, &lane)?;
    let was_claimed = claims::living(repository, &lane).is_some();
    let claim = successor.map(|successor| Claim {
        holder: successor.owner.clone(),
        key: None,
        since: clock::now(),
        end: ClaimEnd::Release,
        message: successor.message.clone(),
    });
    if lane.claim.is_some() || claim.is_some() {
        edit.set_claim(name, claim.as_ref())?;
        if let Some(successor) = successor {
            edit.set_owner(name, Some(&successor.owner))?;
        }
        edit.commit()?;
        claims::forget(repository, &lane.id);
        let note = successor.map(|successor| format!("handed over to '{}'", successor.owner));
        if was_claimed || note.is_some() {
            tell(repository, What::Release, &lane, note);
        }
    }
    let owner = successor.map(|successor| successor.owner.clone());
    let lane = Lane {
        claim,
        owner: owner.or_else(|| lane.owner.clone()),
        ..lane
    };
    Ok(Released { lane, was_claimed })
}

fn tell(repository: &Repository, what: What, lane: &Lane, note: Option<String>) {
    let end = End {
        note,
        ..End::default()
    };
    repository.log().tell(Subject::of(what, lane), end);
}
