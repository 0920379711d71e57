//! `git lane claim`: takes the exclusive hold on a lane, or renews it.
//!
//! What it prints is read by a shell: `eval "$(git lane claim login)" || exit`.

use crate::commands::lane_holds;
use crate::commands::lane_words::moment;
use crate::domain::claim::{Claim, ClaimEnd, Standing};
use crate::domain::duration;
use crate::domain::lane::{Lane, lossless_path};
use crate::domain::name::{BranchName, LaneName};
use crate::domain::shell_word::{quote, quote_bytes};
use crate::error::{Code, Error, Result};
use crate::operations::claim::{Taken, Wish, confirm, end_with, take, take_next};
use crate::repository::Repository;
use crate::repository::claims::{self, TOKENS};
use crate::store::clock;
use crate::ui::{Page, Report, Ui};

/// Hold a lane, so that no other owner takes it
///
/// Of all who claim a lane at the same moment one gets it. Until the claim ends, others cannot
/// finish, sync, drop, prune or mark the lane, nor run commands in it; its holder is who has the
/// claim's token in GIT_LANE_CLAIM, or runs below the process of --pid. The output is for a shell:
/// `eval "$(git lane claim login)" || exit`.
///
/// The holder who claims the lane again renews the claim.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The lane; inside a lane, that one when none is named
    #[arg(value_name = "NAME", conflicts_with = "next")]
    name: Option<String>,

    /// Take the oldest lane that is free and neither ready nor done; one that was
    /// handed over to you goes first
    #[arg(long)]
    next: bool,

    /// Who holds it from now on [default: GIT_LANE_OWNER, the policy's, or the login name]
    #[arg(long, value_name = "WHO")]
    owner: Option<String>,

    /// The claim ends after that time (30m, 2h, 1d), unless it is renewed
    #[arg(long = "for", value_name = "TIME", value_parser = duration::parse, conflicts_with = "pid")]
    time: Option<i64>,

    /// The claim ends with this process; what runs below it is the holder too
    #[arg(long, value_name = "PID", value_parser = clap::value_parser!(i32).range(1..))]
    pid: Option<i32>,

    /// Take it from the holder it has, and say first what is there
    #[arg(long, conflicts_with = "next")]
    take_over: bool,
}

/// A claim that was taken or renewed.
#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Claimed {
    lane: LaneName,
    /// `None` where the claim was held before.
    token: Option<String>,
    holder: String,
    until: Option<String>,
    pid: Option<i32>,
    #[serde(with = "lossless_path")]
    path: std::path::PathBuf,
    branch: Option<BranchName>,
    task: Option<String>,
    /// Whose claim was taken over, or who was to take the lane up.
    taken_over_from: Option<String>,
    /// What the one before says.
    message: Option<String>,
    /// What the lane has, in words.
    has: String,
}

/// Runs it. A shell that evaluates the output of a claim that has failed fails too.
pub fn run(args: Args, ui: &Ui) -> Result<()> {
    let done = claim(args, ui);
    if done.is_err() {
        fail_the_shell(ui);
    }
    done
}

/// Has a shell fail that evaluates the output.
pub fn fail_the_shell(ui: &Ui) {
    if !ui.json && !ui.is_on_terminal() {
        ui.raw(b"false\n");
    }
}

fn claim(args: Args, ui: &Ui) -> Result<()> {
    let opened = super::open_and_look(ui)?;
    let (repository, policy) = (opened.repository, opened.policy?);
    let end = match (args.time, args.pid) {
        (Some(seconds), _) => ClaimEnd::Time(clock::now().saturating_add(seconds)),
        (None, Some(pid)) => end_with(pid)?,
        (None, None) => ClaimEnd::Release,
    };
    let wish = Wish {
        holder: super::asker(&policy, args.owner.as_deref()),
        end,
        take_over: args.take_over,
    };
    let taken = match args.next {
        true => take_next(&repository, &wish)?.ok_or_else(none_is_free)?,
        false => {
            let lane = super::find_lane(&repository, args.name.as_deref())?;
            if args.take_over {
                tell_first(&repository, &lane, ui);
            }
            take(&repository, &lane.name, &wish)?
        }
    };
    let report = Claimed::of(&repository, taken, &wish.end);
    match ui.json {
        true => ui.report(&report),
        false => ui.raw(&report.script()),
    }
    // A claim whose token did not reach the caller ends with this process.
    if let Some(token) = report.token.as_ref().filter(|_| ui.is_heard()) {
        confirm(&repository, &report.lane, token, &wish.end)?;
    }
    report.tell(ui);
    Ok(())
}

fn none_is_free() -> Error {
    Error::refused("no lane is free: each is held, ready or done")
        .with_code(Code::NoneFree)
        .hint("see who holds what with: git lane list")
}

/// What is there is said before it changes hands.
fn tell_first(repository: &Repository, lane: &Lane, ui: &Ui) {
    let Some(claim) = claims::living(repository, lane) else {
        return;
    };
    if claims::standing(repository, lane) == Standing::Others {
        let (name, age) = (&lane.name, super::age(claim.since));
        let holds = lane_holds(repository, lane);
        ui.note(format_args!(
            "lane '{name}' is {claim} for {age}; it has {holds}"
        ));
    }
}

impl Claimed {
    /// `end` is what was asked for: a new claim is still to be confirmed.
    fn of(repository: &Repository, mut taken: Taken, end: &ClaimEnd) -> Self {
        if let (Some(_), Some(claim)) = (&taken.token, &mut taken.lane.claim) {
            claim.end = end.clone();
        }
        let Taken {
            lane,
            token,
            before,
            ..
        } = taken;
        let claim = lane.claim.as_ref();
        let until = claim.and_then(|claim| {
            let renewed = claims::renewed(repository, &lane.id, claim);
            claim.until(renewed)
        });
        let until = until.and_then(moment);
        let pid = claim.and_then(Claim::pid);
        let holder = claim.map(|claim| claim.holder.clone());
        Claimed {
            token,
            holder: holder.unwrap_or_default(),
            until,
            pid,
            taken_over_from: before
                .as_ref()
                .filter(|before| !before.is_reserved())
                .map(|before| before.holder.clone()),
            message: before
                .and_then(|before: Claim| before.message)
                .filter(|message| !message.is_empty()),
            has: lane_holds(repository, &lane),
            lane: lane.name,
            path: lane.worktree,
            branch: lane.branch,
            task: lane.task,
        }
    }

    fn tell(&self, ui: &Ui) {
        let (lane, holder) = (&self.lane, &self.holder);
        let done = match self.token {
            Some(_) => "claimed",
            None => "renewed the claim on",
        };
        let end = match (&self.until, self.pid) {
            (Some(until), _) => format!("until {until}"),
            (None, Some(pid)) => format!("for as long as process {pid} lives"),
            (None, None) => format!("until: git lane release {}", quote(lane)),
        };
        ui.note(format_args!("{done} lane '{lane}' for '{holder}', {end}"));
        ui.note(format_args!("it has {}", self.has));
        if let Some(task) = &self.task {
            ui.note(format_args!("task: {task}"));
        }
        if let Some(message) = &self.message {
            ui.note(format_args!("message: {message}"));
        }
    }

    /// What a shell takes over: a claim that the caller has already is joined, never forgotten.
    fn script(&self) -> Vec<u8> {
        use std::os::unix::ffi::OsStrExt;
        let mut lines = Vec::new();
        if let Some(token) = &self.token {
            let kept = std::env::var(TOKENS).unwrap_or_default();
            let all: Vec<&str> = kept.split_whitespace().chain([token.as_str()]).collect();
            lines.push(format!("export {TOKENS}={}", quote(all.join(" "))));
        }
        lines.push(format!("export GIT_LANE_NAME={}", quote(&self.lane)));
        let path = quote_bytes(self.path.as_os_str().as_bytes());
        lines.push(format!("export GIT_LANE_PATH={path}"));
        (lines.join("\n") + "\n").into_bytes()
    }
}

impl Report for Claimed {
    fn text(&self, _: &mut Page) {}
}
