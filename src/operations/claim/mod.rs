//! Takes, renews, hands over and releases the claim on a lane.
//!
//! Taking is one look and one write with `config.lock` and the registry's lock in hand: of fifty that
//! want a lane, one finds it free, and no lane leaves meanwhile. What the holder does afterwards needs
//! `config.lock` alone. A renewal that only moves the end of a claim is a file of its own
//! (`repository/claims`).
//!
//! A new claim first ends with the process that takes it. Only once its token is in the hands of the
//! caller does [`confirm`] record the end that was asked for: a git-lane that is killed in between
//! leaves no lane whose holder cannot prove it.
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
    /// Take it from the holder it has.
    pub take_over: bool,
}

/// A claim that was taken or renewed.
#[derive(Debug)]
pub struct Taken {
    /// The lane as it is recorded now.
    pub lane: Lane,
    /// The token of a new claim; `None` where it was held before.
    pub token: Option<String>,
    /// The claim before this one, where another holder still had it, or had handed the lane over.
    pub before: Option<Claim>,
    /// Who owned the lane before.
    pub owner_before: Option<String>,
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

/// Records when a new claim ends, once the caller has its token. `false` where the lane has that claim
/// no more: it was released, taken over, or the lane has left.
pub fn confirm(
    repository: &Repository,
    name: &LaneName,
    token: &str,
    end: &ClaimEnd,
) -> Result<bool> {
    step("claim.taken");
    let mut edit = Edit::begin(repository.lane_dir())?;
    let key = Some(claims::key_of(token));
    let claim = edit
        .records()
        .find(name)
        .and_then(|lane| lane.claim.clone());
    let Some(claim) = claim.filter(|claim| claim.key == key) else {
        return Ok(false);
    };
    let end = end.clone();
    edit.set_claim(name, Some(&Claim { end, ..claim }))?;
    edit.commit()?;
    step("claim.confirmed");
    Ok(true)
}

/// 128 bits that no other process can guess, in hex.
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
/// Code `claimed` where another holder has it.
pub fn take(repository: &Repository, name: &LaneName, wish: &Wish) -> Result<Taken> {
    repository.unrecovered.ensure_lane_is_whole(name)?;
    let _registry = registry_lock(repository)?;
    if let Some(renewed) = renew_in_passing(repository, name, wish)? {
        return Ok(renewed);
    }
    let edit = Edit::begin(repository.lane_dir())?;
    let lane = edit.records().find(name).cloned();
    take_found(repository, edit, lane.ok_or_else(|| raced(name))?, wish)
}

/// A heartbeat: moves the end of the caller's own claim where no record has to change for it, so that
/// no lock is taken that plain git needs.
fn renew_in_passing(
    repository: &Repository,
    name: &LaneName,
    wish: &Wish,
) -> Result<Option<Taken>> {
    let records = repository.records()?;
    let Some(lane) = records.find(name) else {
        return Ok(None);
    };
    let seen = claims::look(repository, lane).filter(|seen| seen.standing == Standing::Own);
    let Some(claim) = seen.map(|seen| seen.claim) else {
        return Ok(None);
    };
    let until = match (&claim.end, &wish.end) {
        (ClaimEnd::Time(_), ClaimEnd::Time(until)) => *until,
        // For as long as it was taken.
        (ClaimEnd::Time(until), ClaimEnd::Release) => {
            clock::now().saturating_add(until.saturating_sub(claim.since))
        }
        _ => return Ok(None),
    };
    let key = claim.key.as_deref().unwrap_or_default();
    claims::renew(repository, &lane.id, key, until)?;
    Ok(Some(held_already(lane.clone())))
}

fn held_already(lane: Lane) -> Taken {
    Taken {
        owner_before: lane.owner.clone(),
        lane,
        token: None,
        before: None,
    }
}

/// Takes the oldest lane that is free and neither ready nor done; one that was handed
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
    let seen = claims::look(repository, &lane);
    match &seen {
        Some(seen) if seen.standing == Standing::Own => {
            return renew(repository, edit, &lane, seen.claim, wish);
        }
        Some(seen) if !wish.take_over && !is_for(&lane, &wish.holder) => {
            return Err(claimed(&lane, seen.claim));
        }
        _ => {}
    }
    let before = seen.map(|seen| seen.claim.clone());
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
    let end = End {
        note: Some(note),
        owner: Some(wish.holder.clone()),
        ..End::default()
    };
    repository.log().tell(Subject::of(What::Claim, &lane), end);
    let owner_before = lane.owner.clone();
    let lane = Lane {
        claim: Some(claim),
        owner: Some(wish.holder.clone()),
        ..lane
    };
    Ok(Taken {
        lane,
        token: Some(token),
        before,
        owner_before,
    })
}

/// Gives a claim that the caller has another kind of end.
fn renew(
    repository: &Repository,
    mut edit: Edit,
    lane: &Lane,
    claim: &Claim,
    wish: &Wish,
) -> Result<Taken> {
    if wish.end == ClaimEnd::Release {
        return Ok(held_already(lane.clone()));
    }
    let renewed = Claim {
        end: wish.end.clone(),
        ..claim.clone()
    };
    edit.set_claim(&lane.name, Some(&renewed))?;
    edit.commit()?;
    // Renewals of a time that the claim had before.
    claims::forget(repository, &lane.id);
    Ok(held_already(Lane {
        claim: Some(renewed),
        ..lane.clone()
    }))
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
        edit.set_owner(&lane.name, taken.owner_before.as_deref())?;
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

/// Gives the caller's claim up, or hands the lane over. A lane without a claim can be handed over
/// too.
///
/// # Errors
/// Code `claimed` where another holder has it.
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
            let end = End {
                note,
                owner: successor.map(|successor| successor.owner.clone()),
                ..End::default()
            };
            repository
                .log()
                .tell(Subject::of(What::Release, &lane), end);
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
