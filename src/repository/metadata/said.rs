//! What owners and agents say of a lane, as the values of its record: mark, claim, parameters.
//!
//! A value that makes no sense is taken for none where nothing rests on it. A claim is different:
//! what is left of a damaged one still keeps others out, and is taken over like any.

use bstr::{BString, ByteSlice};

use crate::domain::claim::{Claim, ClaimEnd, ProcessMark};
use crate::domain::lane::Lane;
use crate::domain::lane_status::{LaneStatus, Mark};
use crate::domain::parameter::{self, Parameter};

/// Finds the text of a key.
type Text<'a> = &'a dyn Fn(&str) -> Result<Option<String>, String>;

/// The text of a key, where it is one.
fn plain(text: Text<'_>, key: &str) -> Option<String> {
    text(key).ok().flatten()
}

fn time(text: Text<'_>, key: &str) -> Option<i64> {
    let time = plain(text, key)?.parse::<jiff::Timestamp>().ok()?;
    Some(time.as_second())
}

fn timed(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds)
        .unwrap_or_default()
        .to_string()
}

/// Whether the record says so.
pub(super) fn is_true(text: Text<'_>, key: &str) -> bool {
    plain(text, key).is_some_and(|value| value == "true")
}

/// How far the lane is.
pub(super) fn mark(text: Text<'_>) -> Option<Mark> {
    Some(Mark {
        status: LaneStatus::parse(&plain(text, "status")?)?,
        since: time(text, "statusSince").unwrap_or_default(),
        message: plain(text, "statusMessage"),
    })
}

/// Who holds it.
pub(super) fn claim(text: Text<'_>) -> Option<Claim> {
    let until = time(text, "claimUntil").map(ClaimEnd::Time);
    let process = plain(text, "claimProcess").and_then(|said| process(&said));
    let holder = plain(text, "claim").filter(|holder| !holder.is_empty());
    let left = ["claimKey", "claimUntil", "claimProcess"];
    let is_left = || left.iter().any(|key| plain(text, key).is_some());
    Some(Claim {
        holder: holder.or_else(|| is_left().then(|| "unknown".into()))?,
        key: plain(text, "claimKey"),
        since: time(text, "claimSince").unwrap_or_default(),
        end: until
            .or(process.map(ClaimEnd::Process))
            .unwrap_or(ClaimEnd::Release),
        message: plain(text, "claimMessage"),
    })
}

/// The parameters; what is none is left out.
pub(super) fn parameters(values: &[BString]) -> Vec<Parameter> {
    let texts = values.iter().filter_map(|value| value.to_str().ok());
    let all = texts.filter_map(|text| Parameter::parse(text).ok());
    parameter::without_twins(all.collect())
}

/// Number, start, boot, namespace and machine, each without blanks.
fn process(said: &str) -> Option<ProcessMark> {
    let mut words = said.split(' ');
    let mut word = || words.next().map(str::to_owned);
    Some(ProcessMark {
        pid: word()?.parse().ok()?,
        started: word()?.parse().ok()?,
        boot: word()?,
        namespace: word()?,
        machine: word()?,
    })
}

/// The values of a mark by their keys, `None` for those that are not to be there.
pub(super) fn of_mark(mark: Option<&Mark>) -> [(&'static str, Option<String>); 3] {
    [
        ("status", mark.map(|mark| mark.status.to_string())),
        ("statusSince", mark.map(|mark| timed(mark.since))),
        ("statusMessage", mark.and_then(|mark| mark.message.clone())),
    ]
}

/// The values of a claim likewise.
pub(super) fn of_claim(claim: Option<&Claim>) -> [(&'static str, Option<String>); 6] {
    let until = claim.and_then(|claim| match claim.end {
        ClaimEnd::Time(until) => Some(timed(until)),
        _ => None,
    });
    let process = claim.and_then(|claim| match &claim.end {
        ClaimEnd::Process(process) => Some(format!(
            "{} {} {} {} {}",
            process.pid, process.started, process.boot, process.namespace, process.machine
        )),
        _ => None,
    });
    [
        ("claim", claim.map(|claim| claim.holder.clone())),
        ("claimKey", claim.and_then(|claim| claim.key.clone())),
        ("claimSince", claim.map(|claim| timed(claim.since))),
        ("claimUntil", until),
        ("claimProcess", process),
        (
            "claimMessage",
            claim.and_then(|claim| claim.message.clone()),
        ),
    ]
}

/// Everything that is said of a lane, in the order in which it is written.
pub(super) fn of(lane: &Lane) -> Vec<(&'static str, Option<String>)> {
    let truth = |value: bool| value.then(|| "true".to_owned());
    let parameters = lane.parameters.iter();
    let mut all: Vec<_> = parameters
        .map(|parameter| ("set", Some(parameter.to_string())))
        .collect();
    all.push(("readOnly", truth(lane.read_only)));
    all.push(("adopted", truth(lane.adopted)));
    all.extend(of_mark(lane.mark.as_ref()));
    all.extend(of_claim(lane.claim.as_ref()));
    all
}
