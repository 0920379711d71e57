//! The two streams, and what becomes of what cannot be written to them.
//!
//! A closed pipe is the reader's choice and stays silent. Any other failure is kept until the
//! program ends: what the command has done is done, and its exit code says that the report of it is
//! lost.

use std::io::{ErrorKind, Result, Write};
use std::sync::{Arc, Mutex, PoisonError};

/// Where text goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Results.
    Output,
    /// Everything else.
    Error,
}

impl Stream {
    /// The other one.
    pub fn other(self) -> Self {
        if self == Stream::Output {
            Stream::Error
        } else {
            Stream::Output
        }
    }

    /// As a person calls it.
    pub fn name(self) -> &'static str {
        if self == Stream::Output {
            "standard output"
        } else {
            "standard error"
        }
    }
}

/// The streams of one run; the first failure of each is remembered by all clones.
#[derive(Debug, Clone, Default)]
pub struct Streams {
    lost: Arc<Mutex<Vec<(Stream, String)>>>,
}

impl Streams {
    /// Writes text as a person's terminal likes it: styles are left out where there is no terminal.
    pub fn text(&self, stream: Stream, text: &str) -> bool {
        self.keep(stream, || match stream {
            Stream::Output => send(&mut anstream::stdout().lock(), text.as_bytes()),
            Stream::Error => send(&mut anstream::stderr().lock(), text.as_bytes()),
        })
    }

    /// Writes a result byte for byte.
    pub fn bytes(&self, bytes: &[u8]) -> bool {
        self.keep(Stream::Output, || {
            send(&mut std::io::stdout().lock(), bytes)
        })
    }

    /// What was lost first, and why.
    pub fn lost(&self) -> Option<(Stream, String)> {
        self.lost
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .first()
            .cloned()
    }

    /// Whether nothing more can be said there.
    pub fn is_lost(&self, stream: Stream) -> bool {
        self.lost
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .any(|(lost, _)| *lost == stream)
    }

    /// Whether it was written.
    fn keep(&self, stream: Stream, write: impl FnOnce() -> Result<()>) -> bool {
        let Err(error) = super::progress::aside(write) else {
            return true;
        };
        if error.kind() != ErrorKind::BrokenPipe && !self.is_lost(stream) {
            self.lost
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push((stream, error.to_string()));
        }
        false
    }
}

fn send(to: &mut dyn Write, bytes: &[u8]) -> Result<()> {
    to.write_all(bytes)?;
    to.flush()
}
