//! What can go wrong, and the number a script sees.
//!
//! An [`Error`] is one sentence, the remedy as hints, and a [`Kind`] that decides the exit code.
//! The table of exit codes lives here and nowhere else; `git-lane(1)` is tested against it.
//!
//! Everything calls it.

use std::{fmt, io};

mod code;

pub use code::Code;

/// The result of everything that can fail in git-lane.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why the program ends; the discriminant is the exit code of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Kind {
    /// A rule or check said no; nothing was changed.
    Refused = 1,
    /// The command line cannot be understood.
    Usage = 2,
    /// Landing would conflict; nothing was changed.
    Conflict = 3,
    /// There is no repository, git is too old, permission is missing, a lock is held by another
    /// process, or output cannot be written.
    Environment = 4,
    /// A git command failed in a way git-lane has no better word for.
    Git = 5,
    /// The gate failed, or a command that was run for the user; nothing was changed.
    Gate = 6,
    /// The user or a signal stopped it.
    Interrupted = 130,
}

impl Kind {
    /// Every kind, in the order of the exit codes.
    pub const ALL: [Kind; 7] = [
        Kind::Refused,
        Kind::Usage,
        Kind::Conflict,
        Kind::Environment,
        Kind::Git,
        Kind::Gate,
        Kind::Interrupted,
    ];

    /// The exit code of a process that ends for this reason.
    pub fn exit_code(self) -> u8 {
        self as u8
    }

    /// What the exit code means, as the man page says it.
    pub fn meaning(self) -> &'static str {
        match self {
            Kind::Refused => "refused by a rule or a check; nothing was changed",
            Kind::Usage => "the command line could not be understood",
            Kind::Conflict => {
                "a conflict, or a change that check was asked about; nothing was changed, unless \
                 sync was to lay it out"
            }
            Kind::Environment => {
                "no repository, git too old, missing permission, a lock held by another process, \
                 or output that cannot be written: then what was asked for is done"
            }
            Kind::Git => "a git command failed",
            Kind::Gate => {
                "the gate failed, and what it tested has not landed; or a command failed that was \
                 run in a lane"
            }
            Kind::Interrupted => "interrupted",
        }
    }
}

/// A failure: one sentence, hints that say what to do next, and a [`Kind`].
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    code: Code,
    message: String,
    hints: Vec<String>,
    said: Vec<String>,
    details: Option<Box<serde_json::Value>>,
    beside: Option<Box<serde_json::Value>>,
    /// Whether the user has heard it already.
    is_told: bool,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// A failure of `kind` with a one-sentence `message` that ends without a full stop.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        let code = match kind {
            Kind::Refused => Code::Refused,
            Kind::Usage => Code::Usage,
            Kind::Conflict => Code::Conflict,
            Kind::Environment => Code::Environment,
            Kind::Git => Code::Git,
            Kind::Gate => Code::GateFailed,
            Kind::Interrupted => Code::Interrupted,
        };
        Error {
            kind,
            code,
            message: message.into(),
            hints: Vec::new(),
            said: Vec::new(),
            details: None,
            beside: None,
            is_told: false,
            source: None,
        }
    }

    /// Short for [`Kind::Refused`].
    pub fn refused(message: impl Into<String>) -> Self {
        Error::new(Kind::Refused, message)
    }

    /// Short for [`Kind::Environment`].
    pub fn environment(message: impl Into<String>) -> Self {
        Error::new(Kind::Environment, message)
    }

    /// Short for [`Kind::Git`].
    pub fn git(message: impl Into<String>) -> Self {
        Error::new(Kind::Git, message)
    }

    /// Short for [`Kind::Usage`].
    pub fn usage(message: impl Into<String>) -> Self {
        Error::new(Kind::Usage, message)
    }

    /// Adds what the reader can do next; shown as a `hint:` line of its own.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Shows what a program said last; shown as lines of their own below the message.
    pub fn quote(mut self, lines: Vec<String>) -> Self {
        self.said = lines;
        self
    }

    /// Names the failure more closely than its kind does.
    pub fn with_code(mut self, code: Code) -> Self {
        self.code = code;
        self
    }

    /// Attaches facts for scripts that read JSON (paths in conflict, for instance).
    pub fn details(mut self, details: serde_json::Value) -> Self {
        self.details = Some(Box::new(details));
        self
    }

    /// One of these facts.
    pub fn detail(&self, name: &str) -> Option<&serde_json::Value> {
        self.details.as_ref()?.get(name)
    }

    /// Attaches the fields of a result that came about before the failure; its document has both.
    pub fn beside(mut self, result: serde_json::Value) -> Self {
        self.beside = Some(Box::new(result));
        self
    }

    /// Notes that the user has heard it.
    pub fn told(mut self) -> Self {
        self.is_told = true;
        self
    }

    /// Whether the user has heard it already.
    pub fn is_told(&self) -> bool {
        self.is_told
    }

    /// Attaches the failure underneath; its text is appended to the message when shown.
    pub fn caused_by(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The same failure, for another thing that it has stopped.
    pub fn again(&self) -> Self {
        let again = Error::new(self.kind, self.to_string()).with_code(self.code);
        self.hints.iter().cloned().fold(again, Error::hint)
    }

    /// Says where what failed was asked for: `tasks.jsonl:3`.
    pub fn asked_at(mut self, place: &str) -> Self {
        self.message = format!("{place}: {}", self.message);
        self
    }

    /// The kind, which decides the exit code.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What to do next, one entry a line.
    pub fn hints(&self) -> &[String] {
        &self.hints
    }

    /// What a program said last, a line each.
    pub fn said(&self) -> &[String] {
        &self.said
    }

    /// What failed, for programs.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The document `--json` prints instead of a result.
    pub fn to_json(&self) -> serde_json::Value {
        let error = serde_json::json!({
            "kind": self.kind,
            "code": self.code,
            "message": self.to_string(),
            "hints": self.hints,
            "said": self.said,
            "details": self.details,
        });
        let mut document = self
            .beside
            .as_deref()
            .cloned()
            .unwrap_or_else(|| serde_json::json!({}));
        document["version"] = crate::JSON_VERSION.into();
        document["error"] = error;
        document
    }
}

impl Error {
    /// The failure that such a document tells of, as another process has written it; `None` where
    /// it is none.
    pub fn from_json(document: &serde_json::Value) -> Option<Self> {
        let error = &document["error"];
        let known = |kind: &&Kind| serde_json::to_value(kind).is_ok_and(|own| own == error["kind"]);
        let kind = *Kind::ALL.iter().find(known)?;
        let code = Code::parse(error["code"].as_str()?)?;
        let mut told = Error::new(kind, error["message"].as_str()?).with_code(code);
        told.hints = serde_json::from_value(error["hints"].clone()).ok()?;
        if let Some(said) = error.get("said") {
            told.said = serde_json::from_value(said.clone()).ok()?;
        }
        let details = error
            .get("details")
            .filter(|details| !details.is_null())
            .cloned();
        Some(details.into_iter().fold(told, Error::details))
    }
}

/// The message, and every cause whose words are not in it yet.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = self.message.clone();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            let said = error.to_string();
            if !text.contains(&said) {
                text.push_str(": ");
                text.push_str(&said);
            }
            cause = error.source();
        }
        f.write_str(&text)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// Says which file an operating-system error is about.
pub trait IoContext<T> {
    /// Turns the error into [`Kind::Environment`], naming what was tried (`"write"`) and where.
    fn context(self, tried: &str, path: &std::path::Path) -> Result<T>;
}

impl<T> IoContext<T> for std::io::Result<T> {
    fn context(self, tried: &str, path: &std::path::Path) -> Result<T> {
        self.map_err(|error| {
            let code = match error.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Code::DiskFull,
                io::ErrorKind::ReadOnlyFilesystem => Code::ReadOnly,
                _ if error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) => {
                    Code::DiskError
                }
                _ => Code::Environment,
            };
            Error::environment(format!("cannot {tried} '{}'", path.display()))
                .with_code(code)
                .caused_by(error)
        })
    }
}

impl<T> IoContext<T> for rustix::io::Result<T> {
    fn context(self, tried: &str, path: &std::path::Path) -> Result<T> {
        self.map_err(std::io::Error::from).context(tried, path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_codes_are_the_documented_ones() {
        let codes: Vec<u8> = Kind::ALL.iter().map(|kind| kind.exit_code()).collect();
        assert_eq!(codes, [1, 2, 3, 4, 5, 6, 130]);
    }

    #[test]
    fn the_cause_is_part_of_the_sentence_once() {
        let error = Error::git("cannot read index").caused_by(std::io::Error::other("bad magic"));
        assert_eq!(error.to_string(), "cannot read index: bad magic");
    }
}
