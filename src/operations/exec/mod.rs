//! Runs a command in several lanes, some of them at once.
//!
//! Each command has the lane's worktree as its directory, the lane's facts in its environment and a
//! log of its own. The threads that run them know no repository: the one that has it answers, when a
//! command is to begin, where that is and whether it may. `commands/exec` calls it, and whatever else
//! runs a command in a lane.

mod run_files;
mod run_site;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, SyncSender, channel, sync_channel};
use std::time::Duration;

use self::run_files::RunFiles;
use self::run_site::{Look, Site, see_all_of};
use crate::domain::duration::in_two_units;
use crate::domain::lane::Lane;
use crate::domain::name::LaneName;
use crate::error::{Code, Error, Kind, Result};
use crate::repository::Repository;
use crate::store::caps::{Cap, Caps};
use crate::store::command_run::{
    self, CappedLog, CommandRun, Ended, LeftGroup, Outcome, Program, Stdin,
};
use crate::store::signals;

/// How many of the last lines that a command said are kept for a report.
const TAIL: usize = 12;

/// What is run, and how.
pub struct Execution<'a> {
    /// What.
    pub program: Program<'a>,
    /// In how many lanes at once, at least one.
    pub jobs: usize,
    /// What each command needs a place under.
    pub caps: Option<&'a Caps>,
    /// After how long each is ended.
    pub time_limit: Option<Duration>,
    /// Whether one that does not succeed ends the others.
    pub fail_fast: bool,
    /// Who looks on.
    pub watch: &'a dyn Watch,
}

/// Hears how it goes on, from several threads.
pub trait Watch: Sync {
    /// A command waits for a place under the cap; told again and again.
    fn waits(&self, lane: &LaneName, cap: &Cap);
    /// So many processes that a killed git-lane had left in the lane were ended.
    fn has_ended(&self, lane: &LaneName, left: usize);
    /// It says something.
    fn says(&self, lane: &LaneName, piece: &[u8]);
    /// It has been at work for so long; told a few times a second.
    fn runs(&self, lane: &LaneName, elapsed: Duration);
    /// It has ended, or did not begin.
    fn ends(&self, lane: &LaneName, ran: &Result<Ran>);
}

/// A command that has run.
#[derive(Debug)]
pub struct Ran {
    /// How it ended, and how long it took.
    pub outcome: Outcome,
    /// The file with all that it said, both ends of it where that was much.
    pub log: PathBuf,
    /// The last lines of that.
    pub said: Vec<String>,
}

/// Runs it in each of the lanes and says what came of it, in their order. A command that fails is
/// none of the errors here, see [`Ran::failure`]. After a signal for git-lane nothing begins any
/// more; the caller holds a `Waiting` of `store/signals` where it wants to tell what came of it.
///
/// # Errors
/// Where nothing could run at all.
pub fn run(
    repository: &Repository,
    lanes: &[Lane],
    execution: &Execution<'_>,
) -> Result<Vec<Result<Ran>>> {
    ensure_can_be_named(execution.program)?;
    let mut look = Look::new(repository)?;
    let files = RunFiles::open(repository.lane_dir(), look.lanes())?;
    let (ask, asked) = channel();
    let crew = Crew {
        execution,
        lanes,
        files: &files,
        next: AtomicUsize::new(0),
        stop: AtomicBool::new(false),
    };
    let mut done: Vec<Option<Result<Ran>>> = lanes.iter().map(|_| None).collect();
    std::thread::scope(|scope| {
        let jobs = execution.jobs.clamp(1, lanes.len().max(1));
        let workers: Vec<_> = (0..jobs)
            .map(|_| {
                let (crew, ask) = (&crew, ask.clone());
                scope.spawn(move || crew.work(&ask))
            })
            .collect();
        drop(ask);
        for message in asked {
            match message {
                // One that does not wait for the answer has panicked.
                Message::MayBegin(at, answer) => drop(answer.send(look.site(&lanes[at]))),
                Message::Done(at, ran) => done[at] = Some(ran),
            }
        }
        // What one that has panicked leaves undone is told as lost.
        workers.into_iter().for_each(|worker| drop(worker.join()));
    });
    let lost = || {
        Err(Error::environment(
            "the thread that ran the command is lost",
        ))
    };
    Ok(done
        .into_iter()
        .map(|ran| ran.unwrap_or_else(lost))
        .collect())
}

/// Some shells would take a hyphen for the beginning of an option.
fn ensure_can_be_named(program: Program<'_>) -> Result<()> {
    let Program::Arguments(words) = program else {
        return Ok(());
    };
    match words.first().map(|word| word.as_encoded_bytes()) {
        Some([first, ..]) if *first != b'-' => Ok(()),
        Some([..]) => Err(Error::usage(
            "a command is not empty and begins with no '-'",
        )),
        None => Err(Error::usage("no command is given")),
    }
}

/// What a thread tells the one that has the repository.
enum Message {
    MayBegin(usize, SyncSender<Result<Site>>),
    Done(usize, Result<Ran>),
}

/// The threads that run the commands.
struct Crew<'a> {
    execution: &'a Execution<'a>,
    lanes: &'a [Lane],
    files: &'a RunFiles,
    next: AtomicUsize,
    /// Set where one has failed and the others are to end.
    stop: AtomicBool,
}

impl Crew<'_> {
    /// Takes the next lane that is left, until none is.
    fn work(&self, ask: &Sender<Message>) {
        loop {
            let at = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(lane) = self.lanes.get(at) else {
                return;
            };
            let ran = self.run(at, lane, ask);
            let is_good = ran.as_ref().is_ok_and(Ran::has_succeeded);
            if self.execution.fail_fast && !is_good {
                self.stop.store(true, Ordering::Relaxed);
            }
            self.execution.watch.ends(&lane.name, &ran);
            // The one that hears it lives longer than this.
            drop(ask.send(Message::Done(at, ran)));
        }
    }

    fn run(&self, at: usize, lane: &Lane, ask: &Sender<Message>) -> Result<Ran> {
        let watch = self.execution.watch;
        self.ensure_goes_on(lane)?;
        let place = match self.execution.caps {
            None => None,
            Some(caps) => {
                // What a killed git-lane has left in the lane may have the place that this one
                // waits for.
                self.site(at, ask)?;
                self.end_left(lane)?;
                let place = caps.take(|cap| {
                    watch.waits(&lane.name, cap);
                    self.ensure_goes_on(lane).is_ok()
                })?;
                self.ensure_goes_on(lane)?;
                place
            }
        };
        let site = self.site(at, ask)?;
        self.end_left(lane)?;
        let mut log = self.files.new_log(&site.lane)?;
        let stdin = place.as_ref().map(|place| Stdin::NullBeside(place.file()));
        let ran = self.run_at(&site, stdin.unwrap_or(Stdin::Null), &mut log);
        let (path, said) = (log.path().to_owned(), log.last_lines(TAIL));
        let is_whole = log.finish().is_ok();
        let mut outcome = ran?;
        // A command whose output is lost for want of room has run all the same.
        outcome.is_logged &= is_whole;
        Ok(Ran {
            outcome,
            log: path,
            said,
        })
    }

    fn run_at(&self, site: &Site, stdin: Stdin<'_>, log: &mut CappedLog) -> Result<Outcome> {
        let (watch, lane) = (self.execution.watch, &site.lane.name);
        command_run::run(CommandRun {
            program: self.execution.program,
            directory: &site.directory,
            environment: &site.variables,
            without: &site.without,
            stdin,
            log,
            live: Some(&|piece| watch.says(lane, piece)),
            tick: Some(&|elapsed| watch.runs(lane, elapsed)),
            time_limit: self.execution.time_limit,
            stop: Some(&self.stop),
            group_record: Some(&self.files.record(&site.lane)),
        })
    }

    /// Asks the thread that has the repository where the command may begin.
    fn site(&self, at: usize, ask: &Sender<Message>) -> Result<Site> {
        let (answer, answered) = sync_channel(1);
        let lost = || Error::environment("the thread that has the repository is lost");
        let asked = ask.send(Message::MayBegin(at, answer));
        asked.map_err(|_| lost())?;
        answered.recv().map_err(|_| lost())?
    }

    fn end_left(&self, lane: &Lane) -> Result<()> {
        for left in self.files.end_left(&lane.id)? {
            if let LeftGroup::Ended(count) = left {
                self.execution.watch.has_ended(&lane.name, count);
            }
        }
        Ok(())
    }

    fn ensure_goes_on(&self, lane: &Lane) -> Result<()> {
        let name = &lane.name;
        if signals::has_come() {
            let sentence = format!("interrupted before the command began in lane '{name}'");
            return Err(Error::new(Kind::Interrupted, sentence));
        }
        match self.stop.load(Ordering::Relaxed) {
            false => Ok(()),
            true => Err(not_run(name)),
        }
    }
}

/// What is said of a lane whose turn did not come.
pub fn not_run(lane: &LaneName) -> Error {
    Error::refused(format!(
        "the command was not run in lane '{lane}': it had failed in another"
    ))
    .with_code(Code::NotRun)
}

impl Ran {
    /// Whether it did what it was to do.
    pub fn has_succeeded(&self) -> bool {
        self.outcome.ended == Ended::Exit(0)
    }

    /// Why it did not; `None` where it succeeded.
    pub fn failure(&self, lane: &LaneName) -> Option<Error> {
        let time = in_two_units(self.outcome.elapsed.as_secs());
        let (kind, code, what) = match self.outcome.ended {
            Ended::Exit(0) => return None,
            Ended::Exit(exit) => (
                Kind::Gate,
                Code::CommandFailed,
                format!("the command failed in lane '{lane}' with exit code {exit}"),
            ),
            Ended::Signal(signal) => (
                Kind::Gate,
                Code::CommandFailed,
                format!("the command was ended in lane '{lane}' by signal {signal}"),
            ),
            Ended::TimedOut => (
                Kind::Gate,
                Code::CommandTimeout,
                format!("the command took too long in lane '{lane}' and was ended after {time}"),
            ),
            Ended::Stopped => (
                Kind::Gate,
                Code::CommandEnded,
                format!("the command was ended in lane '{lane}': it had failed in another"),
            ),
            Ended::Interrupted => (
                Kind::Interrupted,
                Code::Interrupted,
                format!("interrupted while the command ran in lane '{lane}'"),
            ),
        };
        let error = Error::new(kind, what).with_code(code);
        Some(error.hint(see_all_of(&self.log)))
    }

    /// How it ended, in a word or two: `exit 2`, `signal 9`.
    pub fn end(&self) -> String {
        match self.outcome.ended {
            Ended::Exit(code) => format!("exit {code}"),
            Ended::Signal(signal) => format!("signal {signal}"),
            Ended::TimedOut => "too long".into(),
            Ended::Stopped => "ended".into(),
            Ended::Interrupted => "interrupted".into(),
        }
    }
}
